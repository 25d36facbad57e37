//! What goes wrong around an agent: its pane, its session, zellij itself, the disk, the end of the supervisor.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use meta_orchestrator::agent::view::Urgency;
use meta_orchestrator::ids::SessionName;
use serde_json::{Value, json};

use super::common::agents::PaneAgent;
use super::common::model::{instruct, leave};
use super::common::supervisor::{Stage, Watch, id};
use super::common::zellij::PATIENCE;

const NEXT: &str = "Go on with part two.";
const FINISHED: &str = "say ● Part one is finished.";
const READY: [&str; 2] = ["prompt", FINISHED];

/// A deadline that a busy machine keeps, and a test can wait for.
fn with_deadline(mut config: Value) -> Value {
    config["timing"]["zellijTimeoutSec"] = json!(2);
    config
}

fn wait_until_left_alone(watch: &Watch, name: &str) {
    watch.wait_for_memo(name, "left alone", |memo| memo["action"] == "continue");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pane_that_is_closed_is_gone_and_the_others_go_on() {
    let stage = Stage::open();
    let (agent, other) = (stage.agent("a1", &READY), stage.agent("a2", &READY));
    let watch = stage.watch(&[("a1", &agent), ("a2", &other)]).await;
    wait_until_left_alone(&watch, "a1");
    wait_until_left_alone(&watch, "a2");
    let pane = agent.pane.pane.to_string();
    stage.zellij.action(&["close-pane", "--pane-id", &pane]);
    watch.wait_for_status("a1", "gone: ");
    watch.wait_for_notice(Urgency::Person, "is gone: ");
    let asked = stage.model.asked_about("goal of a1").len();
    stage.model.says([instruct(NEXT)]);
    other.order("say ● Found one more thing.");
    other.wait_for_line(NEXT);
    assert_eq!(
        stage.model.asked_about("goal of a1").len(),
        asked,
        "an empty dump is no stall"
    );
    let refused = watch
        .supervisor
        .reply(&id("a1"), "Yes.".into())
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("nothing was typed to a1"),
        "{refused}"
    );
    assert!(watch.status("a1").starts_with("gone: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_killed_is_gone_and_other_sessions_go_on() {
    let stage = Stage::open();
    let agent = stage.agent("a1", &READY);
    let zellij = stage.zellij.zellij(PATIENCE).await;
    let other_session: SessionName = "other".parse().unwrap();
    zellij.start_session(&other_session).await.unwrap();
    let other = PaneAgent::open_in(&stage.zellij, &other_session, "a2", &READY);
    let watch = stage.watch(&[("a1", &agent), ("a2", &other)]).await;
    wait_until_left_alone(&watch, "a1");
    wait_until_left_alone(&watch, "a2");
    stage.zellij.kill_server();
    watch.wait_for_status("a1", "gone: ");
    let asked = stage.model.asked_about("goal of a1").len();
    stage.model.says([instruct(NEXT)]);
    other.order("say ● Found one more thing.");
    other.wait_for_line(NEXT);
    assert_eq!(stage.model.asked_about("goal of a1").len(), asked);
    watch.quit().await;
    zellij.end_session(&other_session).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zellij_that_does_not_answer_is_told_outlasted_and_found_again() {
    let (stage, agent) = Stage::with_agent(&READY);
    let watch = stage
        .watch_as(with_deadline(stage.config(&[("a1", &agent)])))
        .await;
    wait_until_left_alone(&watch, "a1");
    stage.zellij.stop_server();
    let view = watch.wait_for_status("a1", "error: ");
    let why = view.status.to_string();
    assert!(why.contains("did not answer within 2 s"), "{why}");
    watch.wait_for_notice(Urgency::Warning, "cannot be watched for now");
    let asked = stage.model.asked().len();
    stage.model.says([instruct(NEXT), leave()]);
    let failed = watch.view("a1").polls;
    stage.zellij.continue_server();
    watch.wait_for_notice(Urgency::Info, "can be watched again");
    agent.wait_for_line(NEXT);
    assert_eq!(agent.typed(), format!("{NEXT}\r"));
    assert!(watch.view("a1").polls > failed && stage.model.asked().len() > asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_zellij_does_not_answer_a_person_is_answered_within_its_deadline() {
    let (stage, agent) = Stage::with_agent(&READY);
    let watch = stage
        .watch_as(with_deadline(stage.config(&[("a1", &agent)])))
        .await;
    wait_until_left_alone(&watch, "a1");
    stage.zellij.stop_server();
    let (supervisor, a1) = (&watch.supervisor, id("a1"));
    let begun = Instant::now();
    let refused = supervisor.reply(&a1, "Yes.".into()).await.unwrap_err();
    assert!(
        refused.to_string().contains("nothing was typed to a1"),
        "{refused}"
    );
    supervisor.stop(&a1).await.unwrap();
    assert_eq!(watch.status("a1"), "stopped");
    let refused = supervisor.start_agent(&a1).await.unwrap_err();
    assert!(
        refused.to_string().contains("did not answer within 2 s"),
        "{refused}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    let begun = Instant::now();
    watch.quit().await;
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    stage.zellij.continue_server();
    agent.order("say ● still there");
    stage.zellij.wait_until_shown(&agent.pane, "still there");
    assert_eq!(agent.typed(), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zellij_stopped_between_our_text_and_enter_gets_no_enter_later() {
    let (stage, agent) = Stage::with_agent(&READY);
    stage.model.says([instruct(NEXT)]);
    let mut config = with_deadline(stage.config(&[("a1", &agent)]));
    config["timing"]["enterPauseSec"] = json!(1);
    let watch = stage.watch_as(config).await;
    agent.wait_for_typed(NEXT);
    stage.zellij.stop_server();
    let receipt = watch.wait_for_receipt("a1");
    assert!(
        receipt.starts_with("unproven: ") && receipt.contains("did not answer"),
        "{receipt}"
    );
    stage.zellij.continue_server();
    watch.wait_for_notice(Urgency::Person, "may stand unsent in its prompt");
    watch.wait_for_polls("a1", 5);
    assert_eq!((agent.typed(), agent.lines()), (NEXT.into(), vec![]));
    // The control: what stands there is one Enter away from being sent.
    stage.zellij.press_as_person(&agent.pane, 13);
    agent.wait_for_line(NEXT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wedged_session_loses_no_agent_of_another_one() {
    let stage = Stage::open();
    let agent = stage.agent("a1", &READY);
    let zellij = stage.zellij.zellij(PATIENCE).await;
    let healthy: SessionName = "healthy".parse().unwrap();
    zellij.start_session(&healthy).await.unwrap();
    let other = PaneAgent::open_in(&stage.zellij, &healthy, "a2", &READY);
    let config = stage.config(&[("a1", &agent), ("a2", &other)]);
    let watch = stage.watch_as(with_deadline(config)).await;
    wait_until_left_alone(&watch, "a1");
    wait_until_left_alone(&watch, "a2");
    stage.zellij.stop_server();
    watch.wait_for_status("a1", "error: ");
    // zellij's own client asks all sessions first: the other agent may be out of sight, but is not lost.
    assert!(
        !watch.status("a2").starts_with("gone"),
        "{}",
        watch.status("a2")
    );
    stage.zellij.continue_server();
    stage.model.says([instruct(NEXT)]);
    other.wait_for_line(NEXT);
    agent.wait_for_line(NEXT);
    watch.quit().await;
    zellij.end_session(&healthy).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_disk_is_full_nothing_is_typed() {
    let (stage, agent) = Stage::with_agent(&READY);
    stage.model.says([instruct(NEXT)]);
    std::fs::create_dir_all(stage.log_dir()).unwrap();
    let logs = ["a1.decisions.jsonl", "a1.memos.jsonl"].map(|name| stage.log_dir().join(name));
    for log in &logs {
        symlink("/dev/full", log).unwrap();
    }
    let watch = stage.watch(&[("a1", &agent)]).await;
    let view = watch.wait_for_status("a1", "error: ");
    assert!(
        view.status.to_string().contains("No space left on device"),
        "{}",
        view.status
    );
    watch.wait_for_notice(
        Urgency::Person,
        "its log cannot be written, and so nothing is typed",
    );
    let refused = watch
        .supervisor
        .reply(&id("a1"), "Yes.".into())
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("No space left on device"),
        "{refused}"
    );
    watch.wait_for_polls("a1", 5);
    assert_eq!(agent.typed(), "");

    // The control: there is room again, and it goes on by itself.
    for log in &logs {
        std::fs::remove_file(log).unwrap();
    }
    watch.wait_for_notice(Urgency::Info, "its log can be written again");
    agent.wait_for_line(NEXT);
    let steps: Vec<Value> = watch.decisions("a1");
    assert!(
        steps.iter().any(|step| step["step"] == "asked"),
        "no line is lost: {steps:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quitting_between_our_text_and_enter_sends_nothing_and_says_so_in_the_record() {
    let (stage, agent) = Stage::with_agent(&READY);
    stage.model.says([instruct(NEXT)]);
    let mut config = stage.config(&[("a1", &agent)]);
    config["timing"]["enterPauseSec"] = json!(2);
    let watch = stage.watch_as(config.clone()).await;
    agent.wait_for_typed(NEXT);
    let begun = Instant::now();
    watch.supervisor.quit().await;
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        watch.wait_for_receipt("a1"),
        "unproven: it was stopped before Enter"
    );
    assert_eq!(agent.typed(), NEXT);

    // The next run finds the text in the prompt, and leaves it to the person.
    drop(watch);
    let watch = stage.resume(config).await;
    watch.wait_for_status("a1", "awaiting-user");
    watch.wait_for_polls("a1", 8);
    assert_eq!((agent.typed(), agent.lines()), (NEXT.into(), vec![]));
}

/// A folder with a zellij that says of each of these actions, so many times, that there is no such session.
fn forgetful(stage: &Stage, name: &str, actions: &[&str], times: u32) -> PathBuf {
    let folder = stage.zellij.home().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let script = format!(
        "#!/bin/sh\n# zellij --session NAME action ACTION ...\n\
        for action in {actions}; do\n  if [ \"$4\" = \"$action\" ]; then\n\
        \x20   count=$(cat '{folder}'/$action 2>/dev/null || echo 0)\n\
        \x20   if [ \"$count\" -lt {times} ]; then\n      echo $((count + 1)) >'{folder}'/$action\n\
        \x20     echo \"Session '$2' not found. The following sessions are active:\" >&2; exit 1\n\
        \x20   fi\n  fi\ndone\nexec '{zellij}' \"$@\"\n",
        actions = actions.join(" "),
        folder = folder.display(),
        zellij = stage.zellij.program().display(),
    );
    let program = folder.join("zellij");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zellij_that_overlooks_a_session_now_and_then_costs_no_nudge() {
    let (stage, agent) = Stage::with_agent(&READY);
    stage.model.says([instruct(NEXT), leave()]);
    let config = stage.config(&[("a1", &agent)]);
    let keys = ["write-chars", "write"];
    let folder = forgetful(&stage, "now-and-then", &keys, 2);
    let watch = stage.watch_through(&folder, config).await;
    assert_eq!(watch.wait_for_receipt("a1"), "delivered");
    assert_eq!(agent.typed(), format!("{NEXT}\r"), "each key once");
    for key in keys {
        assert_eq!(
            std::fs::read_to_string(folder.join(key)).unwrap(),
            "2\n",
            "{key}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zellij_that_takes_no_key_is_not_asked_for_ever() {
    let (stage, agent) = Stage::with_agent(&READY);
    stage.model.says([instruct(NEXT), leave()]);
    let config = stage.config(&[("a1", &agent)]);
    let folder = forgetful(&stage, "no-text", &["write-chars"], 9_999);
    let watch = stage.watch_through(&folder, config.clone()).await;
    let receipt = watch.wait_for_receipt("a1");
    assert!(receipt.starts_with("refused: typing into"), "{receipt}");
    assert_eq!(agent.typed(), "");
    watch.quit().await;

    std::fs::remove_dir_all(stage.log_dir()).unwrap();
    stage.model.says([instruct(NEXT), leave()]);
    let folder = forgetful(&stage, "no-enter", &["write"], 9_999);
    let watch = stage.watch_through(&folder, config).await;
    let receipt = watch.wait_for_receipt("a1");
    assert!(
        receipt.starts_with("unproven: pressing a key in"),
        "{receipt}"
    );
    watch.wait_for_notice(Urgency::Person, "may stand unsent in its prompt");
    assert_eq!(agent.typed(), NEXT);
}
