//! Every way in which the program ends by itself: quickly, and with everything on record.

use std::time::Duration;

use rustix::process::Signal;

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::model::Model;
use crate::pane::{CTRL_U, Worker};
use crate::run::{Place, Run, interrupted};

/// "Within about a second": with something to spare for a machine that is busy.
const SOON: Duration = Duration::from_millis(2_500);

struct Story {
    test: TestZellij,
    model: Model,
    place: Place,
    worker: Worker,
}

impl Story {
    fn begin() -> Self {
        let test = TestZellij::start();
        let model = Model::start(Duration::from_millis(20), 0);
        let worker = Worker::open(&test, "a");
        let place = Place::new(&test, &model, &[("a", worker.address.pane.to_string())]);
        Self {
            test,
            model,
            place,
            worker,
        }
    }

    /// Waits until a text stands in the prompt, and Enter is still to come.
    fn until_placed(&self) -> String {
        wait_for(PATIENCE, "a text in the prompt", || {
            self.worker
                .draft(&self.test)
                .filter(|draft| !draft.is_empty())
        })
    }

    /// What is on the disk is whole: no line is torn, and what has come to its end is remembered.
    fn check_logs(&self) {
        for entry in std::fs::read_dir(&self.place.logs).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "jsonl") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(text.ends_with('\n'), "{} is torn", path.display());
                let whole = text
                    .lines()
                    .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
                assert!(whole, "{}", path.display());
            }
        }
        let memos = self.place.memos("a");
        for line in self.steps("receipt") {
            assert!(memos.iter().any(|memo| memo["id"] == line["id"]), "{line}");
        }
    }

    fn steps(&self, step: &str) -> Vec<serde_json::Value> {
        let mut decisions = self.place.decisions("a");
        decisions.retain(|line| line["step"] == step);
        decisions
    }

    /// Nothing of what stood in the prompt is sent or typed again by the next run.
    fn check_next_run(&self, left: &str) {
        let before = self.worker.submitted();
        assert!(!before.iter().any(|line| line == left), "`{left}` was sent");
        let mut run = Run::start(&self.test, &self.place, &["--resume"]);
        let reported = format!("may stand unsent in its prompt: `{left}`");
        run.wait_until_listed(&reported, |list| list.contains(&reported));
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(self.worker.draft(&self.test).as_deref(), Some(left));
        assert_eq!(self.worker.submitted(), before);
        self.test.press_as_person(&self.worker.address, CTRL_U);
        self.worker
            .wait_until_submitted("the next nudge", |lines| lines.len() > before.len());
        let after = self.worker.submitted();
        assert!(!after.iter().any(|line| line.contains(left)), "{after:?}");
        assert!(
            after.iter().all(|line| self.model.texts().contains(line)),
            "{after:?}"
        );
    }
}

#[test]
fn quit_the_end_of_input_and_signals_end_it_within_about_a_second_with_complete_logs() {
    type End = fn(&mut Run);
    let story = Story::begin();
    story
        .place
        .set("timing", serde_json::json!({"enterPauseSec": 0.2}));
    let endings: [(&str, End); 5] = [
        ("/quit", |run| run.type_line("/quit")),
        ("the end of input", Run::close_input),
        ("SIGINT", |run| run.signal(Signal::INT)),
        ("SIGTERM", |run| run.signal(Signal::TERM)),
        ("SIGHUP", |run| run.signal(Signal::HUP)),
    ];
    for (name, end) in endings {
        let mut run = Run::start(&story.test, &story.place, &["--resume"]);
        let before = story.worker.submitted().len();
        story
            .worker
            .wait_until_submitted(name, |lines| lines.len() > before);
        end(&mut run);
        let (status, took) = run.wait();
        println!("{name}: {status} after {took:.2?}");
        assert!(status.success(), "{name}: {status}: {}", run.said());
        assert!(took < SOON, "{name}: {took:?}");
        story.check_logs();
    }
    // where zellij was too slow to see a text's end within the second, the next run settled that
    let mut run = Run::start(&story.test, &story.place, &["--resume", "--observe"]);
    wait_for(PATIENCE, "every text to be settled", || {
        interrupted(&story.place.decisions("a"))
            .is_none()
            .then_some(())
    });
    run.quit();
    assert_eq!(story.steps("intent").len(), story.steps("receipt").len());
}

#[test]
fn a_hangup_that_was_inherited_as_ignored_ends_nothing() {
    let story = Story::begin();
    let program = env!("CARGO_BIN_EXE_meta-orchestrator");
    let mut run = Run::start_by(&story.test, "nohup", &[program], &story.place, &[]);
    run.list();
    run.signal(Signal::HUP);
    let before = story.worker.submitted().len();
    story
        .worker
        .wait_until_submitted("a nudge after the hangup", |lines| lines.len() > before + 1);
    run.list();
    run.signal(Signal::TERM);
    assert!(run.wait().0.success());
}

#[test]
fn a_nudge_under_way_is_not_sent_twice_after_sigterm() {
    let story = Story::begin();
    let mut run = Run::start(&story.test, &story.place, &[]);
    let left = story.until_placed();
    run.signal(Signal::TERM);
    let (status, took) = run.wait();
    assert!(status.success() && took < SOON, "{status} after {took:?}");
    story.check_logs();
    story.check_next_run(&left);
}

#[test]
fn a_nudge_under_way_is_not_sent_twice_after_a_kill() {
    let story = Story::begin();
    let mut run = Run::start(&story.test, &story.place, &[]);
    let left = story.until_placed();
    run.kill();
    assert_eq!(
        interrupted(&story.place.decisions("a")).as_ref(),
        Some(&left)
    );
    story.check_next_run(&left);
}
