//! What a run remembers of the ones before it, and what it does not.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::model::{Model, TOKENS};
use crate::pane::Worker;
use crate::run::{Place, Run};

/// A session with one agent, and nobody who supervises it yet.
struct Story {
    test: TestZellij,
    model: Model,
    place: Place,
    worker: Worker,
}

impl Story {
    fn begin() -> Self {
        let test = TestZellij::start();
        let model = Model::start(Duration::ZERO, 0);
        let worker = Worker::open(&test, "a");
        let place = Place::new(&test, &model, &[("a", worker.address.pane.to_string())]);
        std::fs::create_dir_all(&place.logs).unwrap();
        Self {
            test,
            model,
            place,
            worker,
        }
    }

    fn run(&self, options: &[&str]) -> Run {
        Run::start(&self.test, &self.place, options)
    }

    /// What the model is asked first in a run with these options, and the run.
    fn first_prompt(&self, options: &[&str]) -> (String, Run) {
        let before = self.model.prompts().len();
        let run = self.run(options);
        let prompt = wait_for(PATIENCE, "a question to the model", || {
            self.model.prompts().get(before).cloned()
        });
        (prompt, run)
    }

    fn write_log(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.place.log(name), bytes).unwrap();
    }

    fn sessions(&self) -> BTreeSet<String> {
        let memos = self.place.memos("a");
        let names = memos.iter().map(|memo| memo["sessionId"].as_str().unwrap());
        names.map(str::to_owned).collect()
    }
}

/// A line as the original writes it.
fn original(session: &str, number: usize) -> String {
    let ts = if number.is_multiple_of(2) {
        json!("2025-09-01T12:00:00Z")
    } else {
        json!(12_000 + number)
    };
    let line = json!({"sessionId": session, "ts": ts, "action": "instruct",
        "text": format!("old advice {number}."), "afterSummary": format!("old outcome {number}.")});
    format!("{line}\n")
}

#[test]
fn a_log_of_the_original_is_read_and_what_is_no_record_is_skipped_reported_and_stays() {
    let story = Story::begin();
    let mut log: Vec<u8> = (0..12)
        .flat_map(|number| original("default", number).into_bytes())
        .collect();
    log.extend_from_slice(b"{\"somebody\": \"else's\"}\nnot json\n\xff\xfe\n\n");
    log.extend_from_slice(br#"{"sessionId":"default","ts":"2025-09-01T1"#);
    story.write_log("a.memos.jsonl", &log);
    story.write_log("a.decisions.jsonl", b"[1, 2]\n{\"v\":1,\"ts\":");
    story.write_log("roster.jsonl", b"null\n{\"v\":");
    let (prompt, mut run) = story.first_prompt(&["--resume"]);
    for number in 0..12 {
        let text = format!("old advice {number}.");
        assert_eq!(prompt.contains(&text), number >= 2, "{text}: the last ten");
    }
    assert!(prompt.contains("old outcome 11."), "{prompt}");
    let said = run.said();
    assert!(
        said.contains("a, warning: 6 lines of the logs could not be read"),
        "{said}"
    );
    assert!(
        said.contains("] warning: 2 lines of the logs could not be read"),
        "{said}"
    );
    story
        .worker
        .wait_until_submitted("a nudge", |lines| !lines.is_empty());
    let shown = run.ask("/log a 100");
    assert!(
        shown.contains("old advice 0.") && shown.contains("could not be read"),
        "{shown}"
    );
    run.quit();
    let now = std::fs::read(story.place.log("a.memos.jsonl")).unwrap();
    assert!(now.starts_with(&log) && now.len() > log.len());
    let newest = story.place.memos("a");
    let newest = newest.last().unwrap();
    assert_eq!(newest["action"], "instruct");
    assert!(newest["afterSummary"].is_string(), "{newest}");
}

#[test]
fn memory_goes_on_unless_it_is_to_be_fresh_or_has_another_name() {
    let story = Story::begin();
    let log: String = (0..12).map(|number| original("default", number)).collect();
    story.write_log("a.memos.jsonl", log.as_bytes());
    let remembers = |options: &[&str]| {
        let (prompt, mut run) = story.first_prompt(options);
        // so that each run leaves a memo under its name
        let count = story.place.memos("a").len();
        wait_for(PATIENCE, "a memo", || {
            (story.place.memos("a").len() > count).then_some(())
        });
        run.quit();
        prompt
    };
    let plain = remembers(&[]);
    assert!(plain.contains("old advice 11."), "{plain}");

    let fresh = remembers(&["--fresh"]);
    assert!(fresh.contains("this is the first decision"), "{fresh}");
    let sessions = story.sessions();
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    assert!(remembers(&[]).contains("old advice 11."));

    // a new name begins with a copy of the newest session's last ten, which is `default` again
    let copied = remembers(&["--session-id", "night"]);
    assert!(copied.contains("old advice 11."), "{copied}");
    let night = |memo: &&Value| memo["sessionId"] == "night";
    let memos = story.place.memos("a");
    let distinct: BTreeSet<_> = memos
        .iter()
        .filter(night)
        .map(|memo| memo["text"].to_string())
        .collect();
    assert!((10..=13).contains(&distinct.len()), "{distinct:?}");
    let first: Vec<_> = memos.iter().filter(night).take(10).collect();
    assert!(
        first.iter().any(|memo| memo["text"] == "old advice 11."),
        "{first:?}"
    );

    // a known one goes on: what was copied is not copied again
    let times_copied = || {
        story
            .place
            .memos("a")
            .iter()
            .filter(night)
            .filter(|memo| memo["text"] == "old advice 11.")
            .count()
    };
    assert_eq!(times_copied(), 1);
    let again = remembers(&["--session-id", "night"]);
    assert!(again.contains("take step"), "{again}");
    assert_eq!(times_copied(), 1);
}

#[test]
fn a_plain_start_goes_on_with_memory_and_counts_but_not_with_questions_and_changes() {
    let story = Story::begin();
    let extra = Worker::open(&story.test, "extra");
    story.model.ask_every(2);
    let mut run = story.run(&[]);
    run.wait_until_said("Which way is it at crossing 2?");
    run.ask(&format!("/add b {} something else", extra.address.pane));
    run.ask("/set a goal another goal");
    run.kill();

    let mut plain = story.run(&[]);
    let list = plain.list();
    assert!(!list.contains("asks (") && !list.contains("\nb "), "{list}");
    let row = list.lines().find(|line| line.starts_with("a ")).unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    let at = |cell: &str| cells.iter().position(|found| *found == cell);
    assert!(
        at("1/100000").is_some() && at("2/100000").is_some(),
        "one nudge, two calls: {row}"
    );
    plain.kill();
    let counters = story.place.decisions("a").pop().unwrap()["counters"].clone();
    assert!(
        counters["tokens"].as_u64() >= Some(2 * TOKENS),
        "{counters}"
    );
}

#[test]
fn what_was_never_saved_comes_back_however_often_it_is_killed() {
    let story = Story::begin();
    let extra = Worker::open(&story.test, "extra");
    story.model.ask_every(1);
    let mut run = story.run(&[]);
    run.wait_until_said("Which way is it at crossing 1?");
    run.ask(&format!("/add b {} something else", extra.address.pane));
    run.ask("/stop b");
    for _ in 0..2 {
        run.kill();
        run = story.run(&["--resume"]);
        let list = run.list();
        assert!(list.contains("Which way is it at crossing 1?"), "{list}");
        let row = list.lines().find(|line| line.starts_with("b ")).unwrap();
        assert!(row.contains("stopped"), "{row}");
    }
    run.ask("/remove a");
    for _ in 0..2 {
        run.kill();
        run = story.run(&["--resume"]);
        let list = run.list();
        assert!(!list.contains("\na "), "{list}");
    }
}

#[test]
fn a_log_that_is_full_is_set_aside_and_remembered() {
    let story = Story::begin();
    story.place.set("logs", json!({"rotateMib": 1}));
    let mut log = String::new();
    let mut number = 0;
    while log.len() < 1024 * 1024 - 300 {
        log += &original("default", number);
        number += 1;
    }
    story.write_log("a.memos.jsonl", log.as_bytes());
    let mut run = story.run(&[]);
    story
        .worker
        .wait_until_submitted("two nudges", |lines| lines.len() >= 2);
    run.kill();
    let aside: Vec<_> = std::fs::read_dir(&story.place.logs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("a.memos.2"))
        .collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert!(
        std::fs::read_to_string(&aside[0])
            .unwrap()
            .starts_with(&log)
    );
    assert!(
        std::fs::metadata(story.place.log("a.memos.jsonl"))
            .unwrap()
            .len()
            < 100_000
    );
    let (prompt, _run) = story.first_prompt(&["--resume"]);
    let last = format!("old advice {}.", number - 1);
    assert!(
        prompt.contains(&last) && prompt.contains("take step 1 next"),
        "{prompt}"
    );
}
