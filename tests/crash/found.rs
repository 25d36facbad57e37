//! Found again: after zellij was restarted, or the agent moved to another pane.

use std::time::Duration;

use meta_orchestrator::ids::PaneId;

use crate::common::zellij::TestZellij;
use crate::model::Model;
use crate::pane::Worker;
use crate::run::{Place, Run};

/// A session with one agent that has been nudged, and a supervisor that was killed then.
struct Story {
    test: TestZellij,
    place: Place,
    worker: Worker,
    _model: Model,
}

impl Story {
    fn begin() -> Self {
        let test = TestZellij::start_sized(120, 40);
        let model = Model::start(Duration::ZERO, 0);
        let worker = Worker::open(&test, "a");
        let agents = [("a", worker.address.pane.to_string())];
        let place = Place::new(&test, &model, &agents);
        let mut run = Run::start(&test, &place, &[]);
        worker.wait_until_submitted("a nudge", |lines| !lines.is_empty());
        run.kill();
        Self {
            test,
            place,
            worker,
            _model: model,
        }
    }

    /// The zellij server is another one from now on; it has its first pane only.
    fn restart_zellij(&self) {
        self.test.kill_session();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let zellij = self.test.zellij(Duration::from_secs(10)).await;
            zellij.start_session(self.test.session()).await.unwrap();
        });
    }

    fn close(&self, pane: PaneId) {
        self.test
            .action(&["close-pane", "--pane-id", &pane.to_string()]);
    }
}

#[test]
fn an_agent_that_moved_to_another_pane_is_found_there_and_nudged() {
    let story = Story::begin();
    story.close(story.worker.address.pane);
    let moved = Worker::open(&story.test, "a");
    assert_ne!(moved.address, story.worker.address);
    let before = moved.submitted().len();
    let run = Run::start(&story.test, &story.place, &["--resume"]);
    run.wait_until_said(&format!("was found again in {}", moved.address));
    moved.wait_until_submitted("a nudge", |lines| lines.len() > before);
}

#[test]
fn after_a_restart_of_zellij_an_agent_is_found_again_by_its_folder_and_command() {
    let story = Story::begin();
    story.restart_zellij();
    let other = Worker::open(&story.test, "other");
    let moved = Worker::open(&story.test, "a");
    assert_eq!(other.address, story.worker.address, "numbers begin again");
    let before = moved.submitted().len();
    let run = Run::start(&story.test, &story.place, &["--resume"]);
    run.wait_until_said(&format!("was found again in {}", moved.address));
    moved.wait_until_submitted("a nudge", |lines| lines.len() > before);
    assert!(other.submitted().is_empty(), "who is at the old number now");
}

#[test]
fn of_two_that_look_alike_the_person_says_which_even_if_one_has_the_old_number() {
    let story = Story::begin();
    story.restart_zellij();
    let one = Worker::open(&story.test, "a");
    let _two = Worker::open(&story.test, "a");
    assert_eq!(one.address, story.worker.address, "numbers begin again");
    let before = one.submitted().len();
    let mut run = Run::start(&story.test, &story.place, &["--resume"]);
    run.wait_until_said("zellij has been restarted");
    assert_eq!(one.submitted().len(), before);
    run.ask("/start a");
    one.wait_until_submitted("a nudge", |lines| lines.len() > before);
}

#[test]
fn two_alike_agents_are_both_asked_about_after_a_restart() {
    let story = Story::begin();
    let pane = story.worker.address.pane;
    let second = Worker::open(&story.test, "a");
    // the second one is supervised as well, and never saved
    let mut run = Run::start(&story.test, &story.place, &["--resume"]);
    run.ask(&format!("/add b {} the same again", second.address.pane));
    run.ask("/set b stallSec 0.3");
    run.ask("/set b pollSec 0.2");
    run.kill();
    story.restart_zellij();
    let alike = [
        Worker::open(&story.test, "a"),
        Worker::open(&story.test, "a"),
    ];
    assert_eq!(
        alike.each_ref().map(|worker| worker.address.pane),
        [pane, second.address.pane]
    );
    let before = alike[0].submitted().len();
    let mut run = Run::start(&story.test, &story.place, &["--resume"]);
    let list = run.wait_until_listed("two questions", |list| {
        list.matches("zellij has been restarted").count() >= 2 * 2
    });
    assert_eq!(alike[0].submitted().len(), before, "{list}");
}
