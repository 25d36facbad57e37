//! A configuration that was found in the working folder: what it may not do before the person has said yes to it,
//! and what becomes of the yes.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::common::agents::PaneAgent;
use crate::common::zellij::{TestZellij, wait_for};
use crate::dialogs::profile;
use crate::program::{Program, command, mode, run};

const NAME: &str = "meta_orchestrator.config.json";

/// A rule that says yes to what the scripted agent asks for.
fn rules() -> Value {
    json!([{ "answer": "allow", "kinds": ["command"] }])
}

/// A configuration whose profile lies in the person's own folder, so that the rules alone need a yes.
fn write(test: &TestZellij, agent: &PaneAgent, rules: &Value) -> PathBuf {
    let own = test.home().join(".config/meta-orchestrator/agents");
    std::fs::create_dir_all(&own).unwrap();
    let mut profile = profile();
    profile["processes"] = json!([{ "name": "pane-agent" }]);
    std::fs::write(own.join("scripted.json"), profile.to_string()).unwrap();
    let config = json!({
        "agents": [{
            "id": "w", "pane": agent.pane.to_string(), "goal": "ship it", "stallSec": 600, "pollSec": 0.2,
        }],
        "approvals": rules,
        "decideBackend": { "type": "builtin" },
        "reviewBackend": { "type": "builtin" },
    });
    let path = test.home().join(NAME);
    std::fs::write(&path, format!("{config:#}")).unwrap();
    path
}

fn idle(program: &mut Program) {
    program.asks_until("/list", "an idle agent", |list| list.contains("idle"));
}

#[test]
fn a_found_configuration_applies_no_rule_until_the_person_has_said_yes_to_it() {
    let test = TestZellij::start();
    let agent = PaneAgent::open(&test, "w", &["say ● ready", "box"]);
    let path = write(&test, &agent, &rules());
    let ledger = test
        .home()
        .join(".local/state/meta-orchestrator/trusted.jsonl");

    let mut program = Program::start(&test, &[]);
    idle(&mut program);
    for said in [
        "you are needed: ",
        "you have not said yes to it",
        "`approvals`: dialogs would be answered without asking you",
        "`/trust` shows it again and asks",
    ] {
        assert!(program.err().contains(said), "{said}\n{}", program.err());
    }
    agent.order("dialog");
    program.tells("w needs you: it asks for a yes (command)");
    program.asks("/list");
    assert_eq!(agent.typed(), "", "no key was pressed");
    // another command is no yes
    program.asks("/trust").has(&["Let this hold", "[0] allow"]);
    program.asks("/list");
    program.asks("/yes").refused(&["nothing waits for a yes"]);
    assert!(!ledger.exists());
    program.asks_until("/deny w", "a key", |said| said.contains("w: "));
    let before = agent.typed();

    program
        .asks("/trust\n/yes")
        .has(&["Let this hold", "holds as it is written"]);
    program.asks("/trust").has(&["nothing is left out"]);
    assert_eq!(mode(&ledger), 0o600);
    agent.order("dialog");
    wait_for(crate::common::zellij::PATIENCE, "the rule's key", || {
        (agent.typed().len() > before.len()).then_some(())
    });
    // what this program changes and saves stays trusted
    program
        .asks("/set w goal another")
        .has(&["the goal is changed"]);
    program.asks("/save").has(&["saved to"]);
    program.quits();
    let ended = run(command(&test, &[]), test.home(), "/trust");
    assert!(ended.out.contains("nothing is left out"), "{ended:?}");
    assert!(!ended.err.contains("left out of it"), "{ended:?}");

    // what anybody else changes does not, and going back to what was trusted is a change too
    let trusted = std::fs::read_to_string(&path).unwrap();
    let mut config: Value = serde_json::from_str(&trusted).unwrap();
    config["approvals"][0]["kinds"] = json!(["command", "fileEdit"]);
    for text in [format!("{config:#}"), trusted.clone()] {
        std::fs::write(&path, text).unwrap();
        let ended = run(command(&test, &[]), test.home(), "/list");
        assert!(ended.err.contains("left out of it"), "{ended:?}");
    }
    // a save does not make it so
    let ended = run(command(&test, &[]), test.home(), "/set w goal third\n/save");
    assert!(ended.out.contains("saved to"), "{ended:?}");
    assert!(std::fs::read_to_string(&path).unwrap().contains("allow"));
    let ended = run(command(&test, &[]), test.home(), "/list");
    assert!(ended.err.contains("left out of it"), "{ended:?}");
}

#[test]
fn control_the_same_file_named_by_the_person_holds_by_option_or_load() {
    let test = TestZellij::start();
    let agent = PaneAgent::open(&test, "w", &["say ● ready", "box"]);
    write(&test, &agent, &rules());
    let mut program = Program::start(&test, &["--config", NAME]);
    idle(&mut program);
    assert!(!program.err().contains("left out"), "{}", program.err());
    agent.order("dialog");
    wait_for(crate::common::zellij::PATIENCE, "the rule's key", || {
        (!agent.typed().is_empty()).then_some(())
    });
    program.quits();

    let mut program = Program::start(&test, &[]);
    idle(&mut program);
    program.tells("left out of it");
    program
        .asks(&format!("/load {NAME}"))
        .has(&["approvals: new: approvals[0]: allow"]);
    program.asks("/trust").has(&["nothing is left out"]);
    // their word was for this run
    program.quits();
    let ended = run(command(&test, &[]), test.home(), "/list");
    assert!(ended.err.contains("left out of it"), "{ended:?}");
}

#[test]
fn a_found_configuration_sends_nothing_to_a_far_server_and_the_doctor_does_not_either() {
    let test = TestZellij::start();
    let server = crate::model::Model::start(std::time::Duration::ZERO);
    let config = json!({
        "decideBackend": { "type": "openaiCompat", "baseUrl": server.url(), "apiKeyEnv": "SOME_KEY" },
        "reviewBackend": { "type": "builtin" },
    });
    std::fs::write(test.home().join(NAME), config.to_string()).unwrap();
    let examined = |arguments: &[&str]| {
        let mut command = command(&test, arguments);
        command.env("SOME_KEY", "KEY-1");
        run(command, test.home(), "").out
    };
    let found = examined(&["doctor"]);
    assert!(
        found.contains("left out until you say yes to it"),
        "{found}"
    );
    assert!(found.contains("with the key in SOME_KEY"), "{found}");
    assert_eq!(server.requests().len(), 0, "{found}");
    // the control
    let named = examined(&["--config", NAME, "doctor"]);
    assert!(!named.contains("left out"), "{named}");
    assert!(!server.requests().is_empty(), "{named}");
}

#[test]
fn a_found_configuration_writes_nothing_outside_of_its_folder() {
    let test = TestZellij::start();
    let elsewhere = test.home().join("else/where");
    let config = json!({
        "logDir": elsewhere,
        "limits": { "callsAtOnce": 9 },
        "decideBackend": { "type": "builtin" },
        "reviewBackend": { "type": "builtin" },
    });
    std::fs::write(test.home().join(NAME), config.to_string()).unwrap();
    let diagnostics = |folder: &std::path::Path| folder.join("diag").exists();
    let ended = run(command(&test, &[]), test.home(), "/list");
    for said in [
        "`logDir`: what stands in your panes",
        "`limits`: they are wider",
    ] {
        assert!(ended.err.contains(said), "{said}: {ended:?}");
    }
    assert!(diagnostics(&test.home().join("logs")) && !elsewhere.exists());
    // who reads them looks where they are
    let read = run(command(&test, &["log", "w"]), test.home(), "");
    assert!(read.err.contains("there are no logs in ./logs"), "{read:?}");
    let ended = run(command(&test, &[]), test.home(), "/trust\n/yes");
    for said in [
        "holds as it is written; logs go on in ./logs until the next start",
        "`limits.callsAtOnce` holds from the next start on",
    ] {
        assert!(ended.out.contains(said), "{said}: {ended:?}");
    }
    assert!(!elsewhere.exists());
    // the control: after the yes
    let ended = run(command(&test, &[]), test.home(), "/list");
    assert!(!ended.err.contains("left out of it"), "{ended:?}");
    assert!(diagnostics(&elsewhere));
}
