//! Agents that have ended, whose screens still look like a prompt, and panes whose command Enter would run again.

use serde_json::json;

use super::common::model::instruct;
use super::common::supervisor::id;
use super::stage::{
    ENTER, assert_unharmed, claude_in_shell, config, insist, open, wait_for_question,
    wait_for_state, watch, with_claude,
};
use super::texts::wait_for_intent;

/// A text that a shell would run.
const COMMAND: &str = "touch harm-done";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_typed_into_the_shell_that_a_killed_agent_leaves_behind_its_prompt() {
    let stage = open();
    let agent = claude_in_shell(&stage, "a1", &[]);
    stage.model.says([instruct(COMMAND)]);
    let mut config = config(&stage, &[("a1", &agent)]);
    config["timing"]["settleSec"] = json!(2.0);
    let watch = stage.watch_as(config).await;
    // between the two looks at its prompt
    wait_for_intent(&watch, "a1");
    agent.order("killed");
    // whatever it is noticed by first
    let receipt = watch.wait_for_receipt("a1");
    assert!(receipt.starts_with("refused: "), "{receipt}");
    wait_for_state(&watch, "a1", "ended");
    let screen = stage.zellij.dump(agent.pane.pane);
    assert!(
        screen.contains("? for shortcuts"),
        "its prompt is still to be seen: {screen}"
    );
    let question = wait_for_question(&watch, "a1");
    assert!(
        question.starts_with("a shell (bash) is in the foreground"),
        "{question}"
    );
    let refused = watch
        .supervisor
        .reply(&id("a1"), COMMAND.into())
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("a shell (bash) is in the foreground"),
        "{refused}"
    );
    let asked = stage.model.asked().len();
    watch.wait_for_polls("a1", 3);
    assert_eq!(stage.model.asked().len(), asked, "no model is asked");
    let harm = stage.zellij.home().join("harm-done");
    watch.quit().await;
    assert!(!harm.exists() && agent.typed().is_empty());

    let line = format!("{COMMAND}\n");
    let keys = || stage.zellij.type_as_person(&agent.pane, &line);
    insist("the command to be run", keys, || harm.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_is_killed_under_our_text_leaves_a_shell_without_enter() {
    let stage = open();
    let agent = claude_in_shell(&stage, "a1", &["when-shown killed"]);
    stage.model.says([instruct(COMMAND)]);
    let watch = watch(&stage, &agent).await;
    assert_eq!(
        watch.wait_for_receipt("a1"),
        "unproven: a shell (bash) is in the foreground"
    );
    assert_eq!(agent.typed(), COMMAND, "without an Enter");
    // as if it still waited for one
    let prompt = format!("❯\u{a0}{COMMAND}");
    stage.zellij.wait_until_shown(&agent.pane, &prompt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pane_whose_command_has_ended_gets_no_enter_for_it_would_run_again() {
    let (stage, agent) = with_claude(&[]);
    stage.model.says([instruct("Go on with part two.")]);
    let mut config = config(&stage, &[("a1", &agent)]);
    config["timing"]["settleSec"] = json!(2.0);
    let watch = stage.watch_as(config).await;
    wait_for_intent(&watch, "a1");
    agent.order("exit 3");
    // what it drew last may be seen before its end is
    let receipt = watch.wait_for_receipt("a1");
    assert!(receipt.starts_with("refused: "), "{receipt}");
    watch.wait_for_status("a1", "gone: ");
    let refused = watch
        .supervisor
        .reply(&id("a1"), "Go on.".into())
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("the program in the pane has ended"),
        "{refused}"
    );
    watch.supervisor.approve(&id("a1"), None).await.unwrap_err();
    assert_eq!((agent.starts(), agent.typed()), (1, String::new()));
    assert_unharmed(&agent);
    watch.quit().await;

    let enter = || stage.zellij.press_as_person(&agent.pane, ENTER);
    insist("another start", enter, || agent.starts() >= 2);
}
