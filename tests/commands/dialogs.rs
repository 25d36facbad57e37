//! A person's answers to dialogs, in real panes: a scripted agent with a profile of its own.

use serde_json::{Value, json};

use crate::common::agents::PaneAgent;
use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::program::{Program, row};

/// A profile of `tests/agents/pane_agent.rs`, in the folder that [`watching`]'s configuration names.
pub fn profile() -> Value {
    json!({
        "kind": "scripted",
        "name": "Scripted",
        "processes": [],
        "prompt": {
            "top": "^─{8}", "mark": "^❯", "body": "^(❯|[ ]{2})", "end": "^─{8}", "strip": "^[ ]{2}",
        },
        "rules": [
            {
                "name": "permission dialog", "state": "approval", "dialog": "command", "prompt": "missing",
                "when": [{
                    "in": "bottom", "rows": 12,
                    "all": ["^[ ]Do you want to proceed\\?$", "^[ ]Esc to cancel$"],
                }],
            },
            { "name": "a text in the prompt", "state": "draft", "prompt": "filled" },
            { "name": "empty prompt", "state": "idle", "prompt": "empty" },
        ],
        "dialog": {
            "option": "^[ ](?P<mark>[❯ ])[ ](?P<key>\\d)\\.[ ](?P<label>\\S[^\\n]*)$",
            "yes": ["^Yes$"],
            "no": ["^No$"],
            "subject": ["^[ ]Bash command\\n\\n[ ]{3}(?P<text>[^\\n]+)$"],
        },
    })
}

/// Writes the profile and a configuration `c.json` that watches these agents by it.
pub fn watching(test: &TestZellij, agents: &[(&str, &PaneAgent)]) {
    let profiles = test.home().join("profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    std::fs::write(profiles.join("scripted.json"), profile().to_string()).unwrap();
    let agents = agents.iter().map(|(id, agent)| {
        json!({
            "id": id, "pane": agent.pane.to_string(), "goal": "ship it", "kind": "scripted",
            "stallSec": 600, "pollSec": 0.2,
        })
    });
    let config = json!({
        "agents": agents.collect::<Vec<_>>(),
        "logDir": "./logs",
        "profiles": "profiles",
        "decideBackend": { "type": "builtin" },
        "reviewBackend": { "type": "builtin" },
        "timing": { "enterPauseSec": 0.1 },
    });
    std::fs::write(test.home().join("c.json"), config.to_string()).unwrap();
}

/// The scripted agent in its own pane, at its prompt, with the program that watches it.
pub fn scripted(test: &TestZellij) -> (PaneAgent, Program) {
    let agent = PaneAgent::open(test, "w", &["say ● ready", "box"]);
    watching(test, &[("w", &agent)]);
    let mut program = Program::start(test, &["--config", "c.json"]);
    program.asks_until("/list", "an idle agent", |list| list.contains("idle"));
    (agent, program)
}

/// Has the agent open its dialog, and waits until the person is told of it and has had time to read it.
fn opens_dialog(agent: &PaneAgent, program: &mut Program) {
    let told = program.err().matches("it asks for a yes").count();
    agent.order("dialog");
    wait_for(PATIENCE, "the person is told", || {
        (program.err().matches("it asks for a yes").count() > told).then_some(())
    });
    std::thread::sleep(std::time::Duration::from_millis(1_100));
}

#[test]
fn a_persons_yes_and_no_press_exactly_one_key_of_the_dialog() {
    let test = TestZellij::start();
    let (agent, mut program) = scripted(&test);
    program.asks("/approve w").refused(&[
        "no key was pressed",
        "no dialog with options is open",
        "idle",
    ]);
    opens_dialog(&agent, &mut program);
    let list = program.asks("/list").out;
    assert!(
        list.contains("approval") && list.contains("/approve w, or /deny w"),
        "{list}"
    );
    assert_eq!(row(&list, "w")[1], "awaiting-user", "{list}");
    // what is not one of its options presses nothing
    for (line, why) in [
        ("/answer w 3", "there is no option `3`: 1. Yes; 2. No"),
        (
            "/answer w rm it yourself",
            "Other words are not typed into this dialog",
        ),
        ("/approve w 2", "option `2` says no"),
        ("/reply w go on", "nothing was typed to w"),
    ] {
        program.asks(line).refused(&[why]);
    }
    assert_eq!(agent.typed(), "", "nothing was pressed");
    program
        .asks("/approve w")
        .has(&["w: ", "Yes — to: rm -rf build", "delivered"]);
    assert_eq!(agent.typed(), "1");
    assert_eq!(agent.harm(), "approved `rm -rf build`\n");

    opens_dialog(&agent, &mut program);
    program.asks("/deny w").has(&["No — to: rm -rf build"]);
    assert_eq!(agent.typed(), "12");
    opens_dialog(&agent, &mut program);
    program.asks("/answer w no").has(&["No — to: rm -rf build"]);
    assert_eq!(agent.typed(), "122");
    assert_eq!(agent.lines(), Vec::<String>::new(), "and never an Enter");
    program
        .asks("/log w")
        .has(&["Yes — to: rm -rf build", "delivered"]);
    assert_eq!(
        program.quits().code,
        Some(4),
        "as after a reply that is refused"
    );
}

#[test]
fn a_no_with_words_says_no_first_and_tells_them_at_the_prompt() {
    let test = TestZellij::start();
    let (agent, mut program) = scripted(&test);
    opens_dialog(&agent, &mut program);
    program
        .asks("/deny w Clean only target/, 1 thing at a time")
        .has(&["No — to: rm -rf build", "delivered to w"]);
    assert_eq!(agent.lines(), ["Clean only target/, 1 thing at a time"]);
    assert_eq!(agent.harm(), "denied `rm -rf build`\n");
    assert!(agent.typed().starts_with("2Clean"), "{}", agent.typed());
    assert_eq!(program.quits().code, Some(0));
}

#[test]
fn an_answer_is_pressed_in_the_dialog_that_the_person_was_shown_and_in_no_observed_pane() {
    let test = TestZellij::start();
    let (agent, mut program) = scripted(&test);
    agent.order("dialog");
    program.tells("it asks for a yes");
    program
        .asks("/approve w")
        .refused(&["only just now", "rm -rf build"]);
    program
        .asks("/set w observe true")
        .has(&["nothing is typed"]);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    program.asks("/approve w").refused(&["while observing"]);
    assert_eq!(agent.typed(), "");
    program.asks("/set w observe false").has(&[]);
    program.asks("/approve w").has(&["Yes — to: rm -rf build"]);
    assert_eq!(agent.typed(), "1");
}

#[test]
fn a_kind_is_set_where_the_program_does_not_tell() {
    let test = TestZellij::start();
    let agent = PaneAgent::open(&test, "w", &["say ● ready", "box"]);
    watching(&test, &[]);
    let mut program = Program::start(&test, &["--config", "c.json"]);
    let pane = agent.pane.to_string();
    program
        .asks(&format!("/add w {pane} kind=cow ship it"))
        .refused(&["no kind of agent `cow`", "scripted", "generic"]);
    program
        .asks(&format!("/add w {pane} ship it"))
        .has(&["w watches"]);
    program.asks_until("/list", "a look", |list| {
        row(list, "w").len() > 3 && !list.contains("starting")
    });
    program
        .asks("/reply w hello")
        .refused(&["no profile", "/set ID kind generic"]);
    program
        .asks("/set w kind cow")
        .refused(&["there are: aider, claude"]);
    program
        .asks("/set w kind scripted")
        .has(&["read as those of `scripted`"]);
    program.asks("/reply w hello").has(&["delivered to w"]);
    program.asks("/set w kind none").has(&["its program tells"]);
    program.asks("/reply w hello").refused(&["no profile"]);
    program.asks("/remove w").has(&[]);
    program
        .asks(&format!("/add w {pane} kind=scripted ship it"))
        .has(&["w watches"]);
    program.asks("/reply w again").has(&["delivered to w"]);
    assert_eq!(agent.lines(), ["hello", "again"]);
    program.asks("/save").has(&["saved"]);
    let saved = std::fs::read_to_string(test.home().join("c.json")).unwrap();
    assert!(saved.contains(r#""kind": "scripted""#), "{saved}");
    drop(program);
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.asks_until("/explain w", "the kind", |said| said.contains("(scripted)"));
}
