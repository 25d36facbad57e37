//! The configuration as a file that a person edits too: saving, loading, and what is never lost.

use std::path::PathBuf;

use crate::common::zellij::TestZellij;
use crate::program::{Program, command, configuration, mode, polls, row, run};

fn read(path: &PathBuf) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn chmod(path: &PathBuf, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// As the original's readme shows it.
const ORIGINAL: &str = r#"{"agents":[{"id":"kernel-bwd","pane":"terminal_18","goal":"Optimise FlashAttn v3 bwd SM90 2x throughput","stallSec":30,"pollSec":5,"enabled":true}], "logDir":"./logs","decideBackend":{"type":"openaiCompat","baseUrl":"http://127.0.0.1:11211/v1","model":"local-model","apiKey":"optional"}, "reviewBackend":{"type":"gemini","model":"gemini-2.5-pro"}}"#;

#[test]
fn the_original_s_configuration_is_saved_with_its_keys_for_its_owner_alone() {
    let test = TestZellij::start();
    let path = test.home().join("c.json");
    std::fs::write(&path, ORIGINAL).unwrap();
    chmod(&path, 0o644);
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.asks_until("/list", "that its pane is gone", |list| {
        list.contains("no pane test:terminal_18")
    });
    program.asks("/save").has(&["saved to c.json"]);
    let json = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    assert_eq!(json(&read(&path)), json(ORIGINAL));
    assert_eq!(mode(&path), 0o600, "it holds a key");
    program.asks("/save copy.json").has(&["saved to copy.json"]);
    let copy = test.home().join("copy.json");
    assert_eq!((json(&read(&copy)), mode(&copy)), (json(ORIGINAL), 0o600));
    let said = program.quits();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(!said.out.contains("\"optional\"") && !said.err.contains("\"optional\""));
}

#[test]
fn a_file_that_was_changed_meanwhile_is_left_and_the_new_text_goes_beside_it() {
    let test = TestZellij::start();
    let path = test.home().join("c.json");
    let beside = test.home().join("c.json.new");
    std::fs::write(&path, configuration(&[])).unwrap();
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.asks("/add a 0 one goal");
    // saving elsewhere makes the configuration's own file no stranger
    program
        .asks("/save other.json")
        .has(&["saved to other.json"]);
    program.asks("/save").has(&["saved to c.json"]);
    program.asks("/save ./c.json").has(&["saved to c.json"]);
    assert!(!beside.exists());
    program.asks("/set a goal a second goal");
    program
        .asks("/save other.json")
        .has(&["saved to other.json"]);
    assert!(read(&test.home().join("other.json")).contains("a second goal"));
    // but what was there before is nobody's to replace
    std::fs::write(test.home().join("notes"), "mine").unwrap();
    program
        .asks("/save notes")
        .has(&["it holds a text that was never read; saved to notes.new instead"]);
    assert_eq!(read(&test.home().join("notes")), "mine");

    let edited = format!("{}\n", configuration(&[("mine", "7")]));
    std::fs::write(&path, &edited).unwrap();
    program.asks("/set a goal another goal");
    program.asks("/save").has(&[
        "c.json was left as it is, because it was changed since it was read; saved to c.json.new instead",
    ]);
    assert_eq!(read(&path), edited);
    assert!(read(&beside).contains("another goal"));
    // at the end too, and never over another text
    std::fs::write(&beside, "something of mine\n").unwrap();
    let ended = program.quits();
    assert!(
        ended.out.contains("saved to c.json.new.2 instead"),
        "{ended:?}"
    );
    assert_eq!(read(&path), edited);
    assert_eq!(read(&beside), "something of mine\n");
    assert!(read(&test.home().join("c.json.new.2")).contains("another goal"));
}

#[test]
fn quit_saves_only_what_was_changed_here() {
    let test = TestZellij::start();
    let path = test.home().join("c.json");
    // a person's own layout is not rewritten for nothing
    let own = "{ \"agents\": [],\n\n   \"decideBackend\": {\"type\":\"builtin\"} }";
    std::fs::write(&path, own).unwrap();
    let piped = |lines: &str| run(command(&test, &["--config", "c.json"]), test.home(), lines);
    let ended = piped("/list\n/quit");
    assert_eq!(
        (read(&path).as_str(), ended.code),
        (own, Some(0)),
        "{ended:?}"
    );
    assert!(!ended.out.contains("saved"), "{ended:?}");
    let ended = piped("/add a 0 goal\n/remove a\n/quit");
    assert_eq!(read(&path), own, "it is as it was: {ended:?}");
    let ended = piped("/add a 0 goal\n/quit");
    assert!(ended.out.contains("saved to c.json"), "{ended:?}");
    assert!(read(&path).contains("\"goal\": \"goal\""));
    // a file that was removed meanwhile stays removed
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.asks("/set a goal other");
    std::fs::remove_file(&path).unwrap();
    let ended = program.quits();
    assert!(
        ended
            .out
            .contains("because it was removed since it was read"),
        "{ended:?}"
    );
    assert!(!path.exists() && test.home().join("c.json.new").exists());
}

#[test]
fn an_edit_by_hand_outlives_a_crash_and_a_resume() {
    let test = TestZellij::start();
    let (pane, other) = (test.open_pane(&["cat"]), test.open_pane(&["cat"]));
    let path = test.home().join("c.json");
    let (pane, other) = (pane.pane.to_string(), other.pane.to_string());
    std::fs::write(
        &path,
        configuration(&[("a", &pane), ("b", &other), ("gone", "77")]),
    )
    .unwrap();
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.asks("/stop a");
    program.asks("/set b goal never saved");
    program.asks("/add shell 0 never saved either");
    program.asks("/remove gone");
    program.killed();
    // nothing was edited: what was never saved is all there
    let mut program = Program::start(&test, &["--config", "c.json", "--resume"]);
    let list = program.asks("/list").out;
    assert_eq!(row(&list, "a")[1], "stopped", "{list}");
    assert_eq!(row(&list, "shell")[2], "test:terminal_0", "{list}");
    assert!(!list.contains("gone"), "{list}");
    program.killed();
    let mut program = Program::start(&test, &["--config", "c.json", "--resume"]);
    let list = program.asks("/list").out;
    assert!(!list.contains("gone"), "removed once is removed: {list}");
    program.asks("/save copy.json");
    assert_eq!(
        read(&test.home().join("copy.json"))
            .matches("never saved")
            .count(),
        2
    );
    program.killed();
    // the person gave `a` another goal by hand: neither the resume nor the end undoes that
    std::fs::write(
        &path,
        configuration(&[("a", &pane), ("b", &other)]).replacen("ship it", "by hand", 1),
    )
    .unwrap();
    let mut program = Program::start(&test, &["--config", "c.json", "--resume"]);
    program.tells("was edited since");
    let list = program.asks("/list").out;
    assert_eq!(row(&list, "a")[1], "stopped", "{list}");
    assert_eq!(row(&list, "shell")[2], "test:terminal_0", "{list}");
    program.quits();
    let saved = read(&path);
    assert!(
        saved.contains("by hand") && saved.contains("never saved either"),
        "{saved}"
    );
}

#[test]
fn a_load_changes_only_what_is_different_and_a_broken_file_changes_nothing() {
    let test = TestZellij::start();
    let cats: Vec<_> = (0..4).map(|_| test.open_pane(&["cat"])).collect();
    let pane = |index: usize| cats[index].pane.to_string();
    let home = test.home();
    let write = |name: &str, agents: &[(&str, &str)]| {
        std::fs::write(home.join(name), configuration(agents)).unwrap();
    };
    write(
        "c.json",
        &[
            ("stays", &pane(0)),
            ("moves", &pane(1)),
            ("swaps", &pane(2)),
            ("goes", &pane(3)),
        ],
    );
    write(
        "d.json",
        &[
            ("new", &pane(3)),
            ("swaps", &pane(1)),
            ("moves", &pane(2)),
            ("stays", &pane(0)),
        ],
    );
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.asks_until("/list", "five polls", |list| polls(list, "stays") > 5);
    program.asks("/stop moves");

    std::fs::write(home.join("broken.json"), "{\"agents\":[{\"id\":\"x\"}]}").unwrap();
    let before = program.asks("/list").out;
    program
        .asks("/load broken.json")
        .refused(&["broken.json is no configuration", "missing field `pane`"]);
    program
        .asks("/load nowhere.json")
        .refused(&["there is no file nowhere.json"]);
    let held = {
        write("held.json", &[]);
        Program::start(&test, &["--config", "held.json"])
    };
    held.tells("configuration: held.json");
    program
        .asks("/load held.json")
        .refused(&["another supervisor has the configuration", "held.json"]);
    let after = program.asks("/list").out;
    for id in ["stays", "moves", "swaps", "goes"] {
        assert_eq!(row(&before, id)[1..3], row(&after, id)[1..3], "{after}");
    }
    assert!(polls(&after, "stays") >= polls(&before, "stays"));

    let before = polls(&program.asks("/list").out, "stays");
    let said = program.asks("/load d.json");
    said.has(&[
        "goes is gone",
        "new is new",
        "swaps starts anew",
        "moves starts anew",
    ]);
    assert!(
        !said.out.contains("stays") && !said.out.contains("not watched"),
        "{said:?}"
    );
    let list = program.asks_until("/list", "that all are watched", |list| {
        ["new", "swaps", "moves", "stays"]
            .iter()
            .all(|id| row(list, id)[1] == "running")
    });
    assert!(
        polls(&list, "stays") >= before,
        "it went on undisturbed: {list}"
    );
    assert!(polls(&list, "swaps") <= before, "it began anew: {list}");
    assert_eq!(row(&list, "swaps")[2], cats[1].to_string());
    assert!(!list.contains("goes"), "{list}");
    let order: Vec<_> = list
        .lines()
        .skip(1)
        .filter_map(|line| line.split("  ").next())
        .collect();
    assert_eq!(
        order[..4],
        ["new", "swaps", "moves", "stays"],
        "in the order of the file"
    );
    program.asks("/load d.json").has(&["nothing is changed"]);

    // from now on it is the configuration, and the one before is free
    program.asks("/set new goal a new goal");
    program.asks("/save").has(&["saved to d.json"]);
    assert!(read(&home.join("d.json")).contains("a new goal"));
    let other = run(command(&test, &["--config", "c.json"]), home, "/list");
    assert_eq!(other.code, Some(0), "{other:?}");
    let other = run(command(&test, &["--config", "d.json"]), home, "/list");
    assert_eq!(other.code, Some(1), "{other:?}");

    // a configuration whose panes are in no session that can be told apart changes nothing either
    std::fs::write(
        home.join("elsewhere.json"),
        configuration(&[("stays", &pane(0))]).replacen('{', "{\"zellijSession\": \"nowhere\",", 1),
    )
    .unwrap();
    program
        .asks("/load elsewhere.json")
        .has(&["stays starts anew", "new is gone"]);
    program.asks_until("/list", "that its session is gone", |list| {
        list.contains("the zellij session `nowhere` does not exist")
    });
}
