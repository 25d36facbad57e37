//! The bell, through the whole program: real agents in real panes, a program that records, a server on this machine.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::dialogs::{scripted, watching};
use crate::model::Model;
use crate::program::{Program, script};

/// A program that appends what it reads to `told`, and its facts to `facts`.
fn recorder(test: &TestZellij) -> PathBuf {
    let path = test.home().join("record");
    let home = test.home().display();
    script(
        &path,
        &format!(
            "#!/bin/sh\ncat >> '{home}/told'; echo -- >> '{home}/told'\necho \"$META_ORCHESTRATOR_COUNT $META_ORCHESTRATOR_KINDS: $META_ORCHESTRATOR_AGENTS\" >> '{home}/facts'\n"
        ),
    );
    path
}

fn read(test: &TestZellij, name: &str) -> String {
    std::fs::read_to_string(test.home().join(name)).unwrap_or_default()
}

/// Writes `c.json` with this `notify`.
fn configure(test: &TestZellij, agents: &Value, notify: &Value) {
    let config = json!({
        "agents": agents,
        "logDir": "./logs",
        "decideBackend": { "type": "builtin" },
        "reviewBackend": { "type": "builtin" },
        "notify": notify,
    });
    std::fs::write(test.home().join("c.json"), config.to_string()).unwrap();
}

/// Agents whose panes are not there: all of them are lost at once.
fn lost(count: usize) -> Value {
    let agents = (0..count).map(|nth| {
        json!({ "id": format!("a{nth}"), "pane": (900 + nth).to_string(), "goal": "", "pollSec": 0.2 })
    });
    agents.collect()
}

#[test]
fn fifty_agents_at_once_make_one_message_in_each_way_and_no_storm() {
    let test = TestZellij::start();
    let hook = Model::answering(ResponseTemplate::new(204));
    let notify = json!({
        "command": [recorder(&test)],
        "webhook": { "url": hook.url() },
        "gatherSec": 2,
    });
    configure(&test, &lost(50), &notify);
    let program = Program::start(&test, &["--config", "c.json"]);
    wait_for(PATIENCE, "the command", || {
        read(&test, "facts").ends_with('\n').then_some(())
    });
    wait_for(PATIENCE, "the webhook", || {
        (!hook.requests().is_empty()).then_some(())
    });
    // time in which a storm would come
    std::thread::sleep(Duration::from_secs(4));
    let ended = program.quits();
    let facts = read(&test, "facts");
    assert_eq!(facts.lines().count(), 1, "{facts}");
    assert!(facts.starts_with("50 lost: a0 a1 "), "{facts}");
    let told = read(&test, "told");
    assert!(
        told.starts_with("50 agents wait for you\na0, a1, "),
        "{told}"
    );
    let requests = hook.requests();
    assert_eq!(requests.len(), 1);
    let sent: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(
        (&sent["count"], &sent["kinds"]),
        (&json!(50), &json!(["lost"]))
    );
    // without a terminal nothing is rung for, and the address is nowhere
    assert!(!ended.out.contains('\x07') && !ended.err.contains('\x07'));
    assert!(!ended.err.contains(&hook.url()) && !ended.out.contains(&hook.url()));
}

#[test]
fn a_dialog_is_told_and_an_answered_one_is_not_told_again() {
    let test = TestZellij::start();
    let (agent, program) = scripted(&test);
    program.quits();
    watching(&test, &[("w", &agent)]);
    let path = test.home().join("c.json");
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    config["notify"] = json!({ "command": [recorder(&test)], "gatherSec": 0.1, "repeatSec": 2 });
    std::fs::write(&path, config.to_string()).unwrap();
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.asks_until("/list", "an idle agent", |list| list.contains("idle"));
    agent.order("dialog");
    wait_for(PATIENCE, "the message", || {
        read(&test, "told").ends_with("--\n").then_some(())
    });
    let told = read(&test, "told");
    assert!(
        told.starts_with("w waits for you\nw: it asks for a yes (command): `"),
        "{told}"
    );
    assert_eq!(read(&test, "facts"), "1 dialog: w\n");
    program.asks_until("/deny w", "a key", |said| said.contains("w: "));
    let before = read(&test, "facts");
    // what is unanswered is told again after 2 s, 20 s after the one before; this is answered
    std::thread::sleep(Duration::from_secs(24));
    assert_eq!(read(&test, "facts"), before);
}

#[test]
fn a_command_that_hangs_and_a_webhook_that_never_answers_hold_nobody_up() {
    let test = TestZellij::start();
    let hook = Model::answering(ResponseTemplate::new(204).set_delay(Duration::from_mins(1)));
    let path = test.home().join("hang");
    script(
        &path,
        &format!(
            "#!/bin/sh\necho $$ > '{}/pid'\nsleep 600\n",
            test.home().display()
        ),
    );
    let notify = json!({
        "command": [path],
        "webhook": { "url": format!("{}/SECRET", hook.url()) },
        "gatherSec": 0.1,
    });
    configure(&test, &lost(1), &notify);
    let mut program = Program::start(&test, &["--config", "c.json"]);
    wait_for(PATIENCE, "the command", || {
        read(&test, "pid").ends_with('\n').then_some(())
    });
    wait_for(PATIENCE, "the webhook", || {
        (!hook.requests().is_empty()).then_some(())
    });
    let begun = Instant::now();
    program.asks("/list").has(&["gone"]);
    let pid: i32 = read(&test, "pid").trim().parse().unwrap();
    let ended = program.quits();
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.err.contains("SECRET"), "{ended:?}");
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    wait_for(PATIENCE, "the end of the command", || {
        rustix::process::test_kill_process(pid)
            .is_err()
            .then_some(())
    });
}

#[test]
fn a_test_goes_out_in_every_way_and_says_what_came_of_it_and_a_failure_is_told_once() {
    let test = TestZellij::start();
    let hook = Model::answering(ResponseTemplate::new(500));
    let notify = json!({
        "command": [recorder(&test)],
        "webhook": { "url": format!("{}/SECRET", hook.url()) },
        "desktop": false,
        "quietHours": { "from": "00:00", "to": "23:59" },
    });
    configure(&test, &json!([]), &notify);
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program
        .asks("/notify")
        .has(&["terminal: on\ncommand: on\nwebhook: on\ndesktop: switched off"]);
    assert_eq!(read(&test, "told"), "");
    let said = program.asks("/notify test").out;
    for line in [
        "terminal: no terminal is open here",
        "command: sent, in ",
        "webhook: failed: http://127.0.0.1:",
        "answered 500",
        "desktop: switched off",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert!(!said.contains("SECRET"), "{said}");
    assert!(read(&test, "told").starts_with("meta-orchestrator: a test\n"));
    program
        .asks("/notify tset")
        .refused(&["`tset` is not `test`"]);
    program.quits();

    // a program that is not there, in earnest
    let notify = json!({ "command": ["surely-no-such-program"], "gatherSec": 0.1 });
    configure(&test, &lost(1), &notify);
    let program = Program::start(&test, &["--config", "c.json"]);
    program.tells("warning: you could not be told by `notify.command`: `surely-no-such-program` is not in PATH");
    let ended = program.quits();
    assert_eq!(
        ended.err.matches("you could not be told").count(),
        1,
        "{ended:?}"
    );
}

#[test]
fn a_found_configuration_runs_no_command_and_calls_no_webhook_until_the_person_has_said_yes() {
    let test = TestZellij::start();
    let hook = Model::answering(ResponseTemplate::new(204));
    let notify = json!({
        "command": [recorder(&test)],
        "webhook": { "url": hook.url() },
        "gatherSec": 0.1,
    });
    configure(&test, &lost(1), &notify);
    let name = "meta_orchestrator.config.json";
    std::fs::rename(test.home().join("c.json"), test.home().join(name)).unwrap();
    let mut program = Program::start(&test, &[]);
    program.tells("`notify.command`: it would run [\"");
    program.asks_until("/list", "a lost agent", |list| list.contains("gone"));
    program
        .asks("/notify test")
        .has(&["command: not configured", "webhook: not configured"]);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(
        (read(&test, "told"), hook.requests().len()),
        (String::new(), 0)
    );
    // the control: after a yes they are told, of what still waits and comes
    program
        .asks("/trust\n/yes")
        .has(&["`notify.webhook`", "holds as it is written"]);
    program
        .asks("/notify test")
        .has(&["command: sent", "webhook: sent"]);
    assert!(read(&test, "told").starts_with("meta-orchestrator: a test"));
    assert_eq!(hook.requests().len(), 1);
}
