//! The stage of these tests: agents that look and act like Claude Code, and are read by its profile.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::common::agents::PaneAgent;
use super::common::model::Model;
use super::common::supervisor::{Stage, Watch};
use super::common::zellij::{PATIENCE, TestZellij, wait_for};

/// What an agent is told in these tests: its digits are the keys of a dialog's options.
pub const NEXT: &str = "Part 1 is done: go on with part 2.";
/// Enter, as its byte.
pub const ENTER: u8 = 13;
/// The scripted program.
const PROGRAM: &str = "fake-claude";

/// A stage wide enough for the screens that were captured at 60 columns.
pub fn open() -> Stage {
    Stage {
        zellij: TestZellij::start_sized(62, 48),
        model: Model::start(),
    }
}

/// One more agent, in a pane of its own.
pub fn claude(stage: &Stage, name: &str, orders: &[&str]) -> PaneAgent {
    PaneAgent::open_program(PROGRAM, &stage.zellij, name, orders)
}

/// One that a shell started.
pub fn claude_in_shell(stage: &Stage, name: &str, orders: &[&str]) -> PaneAgent {
    let pane = stage.zellij.pane(0);
    PaneAgent::program_in_shell(PROGRAM, &stage.zellij, pane, name, orders)
}

/// A stage with one agent, `a1`.
pub fn with_claude(orders: &[&str]) -> (Stage, PaneAgent) {
    let stage = open();
    let agent = claude(&stage, "a1", orders);
    (stage, agent)
}

/// A configuration that watches these agents by the profile of Claude Code.
pub fn config(stage: &Stage, agents: &[(&str, &PaneAgent)]) -> Value {
    let mut config = stage.config(agents);
    for agent in config["agents"].as_array_mut().unwrap() {
        agent["kind"] = "claude".into();
    }
    config["timing"]["personQuietSec"] = json!(0.5);
    config
}

/// A supervisor of the agent `a1`.
pub async fn watch(stage: &Stage, agent: &PaneAgent) -> Watch {
    stage.watch_as(config(stage, &[("a1", agent)])).await
}

/// Waits until an agent is seen in a state, for two looks at least.
pub fn wait_for_state(watch: &Watch, name: &str, state: &str) {
    let is_seen = || {
        let seen = watch.view(name).state;
        seen.is_some_and(|seen| seen.as_str() == state)
    };
    wait_for(
        PATIENCE,
        &format!("the state {state}, not {:?}", watch.view(name).state),
        || is_seen().then_some(()),
    );
    watch.wait_for_polls(name, 2);
    assert!(is_seen(), "{:?}", watch.view(name));
}

/// Waits until the person is asked, and gives the question.
pub fn wait_for_question(watch: &Watch, name: &str) -> String {
    let view = watch.wait_for_status(name, "awaiting-user");
    view.question.as_ref().unwrap().text.clone()
}

/// Waits until an agent has chosen an option of its dialog.
pub fn wait_for_answer(agent: &PaneAgent, answer: &str) {
    wait_for(
        PATIENCE,
        &format!("the answer {answer:?}, not {:?}", agent.read("answers")),
        || agent.read("answers").contains(answer).then_some(()),
    );
}

/// Waits until a file is there that a command of the agent makes.
pub fn wait_for_file(agent: &PaneAgent, name: &str) {
    wait_for(PATIENCE, &format!("the file {name}"), || {
        agent.file(name).exists().then_some(())
    });
}

/// Nothing was chosen, run or submitted.
pub fn assert_unharmed(agent: &PaneAgent) {
    let did = ["answers", "ran", "lines", "harm"].map(|file| agent.read(file));
    assert!(did.iter().all(String::is_empty), "{did:?}");
}

/// Waits until the agent has run a command.
pub fn wait_for_ran(agent: &PaneAgent, command: &str) {
    wait_for(
        PATIENCE,
        &format!("{command:?} run, not {:?}", agent.read("ran")),
        || agent.read("ran").contains(command).then_some(()),
    );
}

/// Types to an agent as plain zellij does, with no check: `\n` is Enter.
pub fn types(stage: &Stage, agent: &PaneAgent, keys: &str) {
    let before = agent.typed().len();
    insist(
        &format!("{keys:?} to arrive"),
        || stage.zellij.type_as_person(&agent.pane, keys),
        || agent.typed().len() > before,
    );
}

/// Does something with plain zellij until it has its effect: now and then a call does nothing, and says so to
/// nobody.
pub fn insist(what: &str, mut act: impl FnMut(), done: impl Fn() -> bool) {
    const AGAIN: Duration = Duration::from_secs(4);
    let mut acted: Option<Instant> = None;
    wait_for(PATIENCE, what, || {
        if done() {
            return Some(());
        }
        if acted.is_none_or(|acted| acted.elapsed() > AGAIN) {
            acted = Some(Instant::now());
            act();
        }
        None
    });
}
