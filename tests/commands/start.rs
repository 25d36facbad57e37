//! How it starts, and why it does not: which configuration, whose, and with what exit code.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::zellij::TestZellij;
use crate::program::{Ended, Program, argument, command, configuration, mode, run};

/// Runs the program with commands on its stdin.
fn piped(test: &TestZellij, arguments: &[&str], lines: &str) -> Ended {
    run(command(test, arguments), test.home(), lines)
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn the_first_configuration_of_the_four_places_is_used_and_none_is_said_aloud() {
    let test = TestZellij::start();
    let home = test.home();
    let none = piped(&test, &[], "/list");
    assert_eq!(none.code, Some(0), "{none:?}");
    assert!(
        none.err.contains("no configuration found: an empty roster"),
        "{none:?}"
    );
    assert!(none.out.contains("no agents yet"), "{none:?}");

    let named = home.join("missing.json");
    let missing = piped(&test, &["--config", argument(&named)], "/list");
    assert!(missing.err.contains("there is no ") && missing.err.contains("missing.json yet"));
    assert!(!named.exists(), "nothing was changed, so nothing is saved");

    // from the last place to the first: each wins over those before it
    let in_xdg = home.join(".config/meta-orchestrator/config.json");
    let here = home.join("meta_orchestrator.config.json");
    let by_variable = home.join("variable.json");
    let by_option = home.join("option.json");
    for (path, id) in [
        (&in_xdg, "from-xdg"),
        (&here, "from-folder"),
        (&by_variable, "from-variable"),
        (&by_option, "from-option"),
    ] {
        write(path, &configuration(&[(id, "0")]));
        let mut command = command(&test, &[]);
        if id == "from-variable" || id == "from-option" {
            command.env("META_ORCHESTRATOR_CONFIG", &by_variable);
        }
        if id == "from-option" {
            command.args(["--config", argument(path)]);
        }
        let ended = run(command, home, "/list");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.out.contains(&format!("{id}  ")), "{ended:?}");
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            ended.err.contains("configuration: ") && ended.err.contains(name),
            "{ended:?}"
        );
    }
}

#[test]
fn a_wrong_configuration_stops_the_start_and_is_not_touched() {
    let test = TestZellij::start();
    let path = test.home().join("wrong.json");
    let agent = |rest: &str| {
        format!(
            "{{\n \"agents\": [\n  {{\"id\":\"a\",\"pane\":\"3\",\"goal\":\"g\"{rest}}}\n ]\n}}"
        )
    };
    let cases = [
        (
            "{\n \"agents\": [,]\n}".to_owned(),
            "line 2, column 13",
            "correct the JSON",
        ),
        (String::new(), "line 1, column 0", "correct the JSON"),
        (agent(",\"polSec\":5"), "line 3", "unknown field `polSec`"),
        (
            agent(",\"pollSec\":\"5\""),
            "line 3",
            "invalid type: string \"5\"",
        ),
        (
            agent(",\"pollSec\":0"),
            "`agents[0].pollSec`",
            "expected seconds from 0.1",
        ),
        (
            "{}\n{}".to_owned(),
            "line 2, column 1",
            "trailing characters",
        ),
        (
            agent("},\n  {\"id\":\"a\",\"pane\":\"4\",\"goal\":\"\""),
            "line 4",
            "give each agent an id and a pane of its own",
        ),
        (
            agent("},\n  {\"id\":\"b\",\"pane\":\"terminal_3\",\"goal\":\"\""),
            "line 4",
            "has the pane of `a`",
        ),
        (
            "{\"agents\":[{\"id\":\"../a\",\"pane\":\"3\",\"goal\":\"\"}]}".to_owned(),
            "`agents[0].id`",
            "1 to 64 letters",
        ),
    ];
    for (text, place, expected) in cases {
        write(&path, &text);
        let arguments = ["--config", argument(&path)];
        let ended = piped(&test, &arguments, "/add b 0 goal\n/save\n/quit");
        assert_eq!(ended.code, Some(2), "{text}\n{ended:?}");
        for said in [
            "wrong.json is no configuration",
            place,
            expected,
            "hint: ",
            "the file was left as it is",
        ] {
            assert!(
                ended.err.contains(said),
                "no `{said}` for {text}\n{}",
                ended.err
            );
        }
        assert_eq!(ended.out, "");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    for (bytes, why) in [
        (&b"{\"logDir\":\"\xff\"}"[..], "UTF-8"),
        (&vec![b' '; 5 << 20], "large"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let ended = piped(&test, &["--config", argument(&path)], "/save");
        assert_ne!(ended.code, Some(0), "{why}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    let beside = std::fs::read_dir(test.home()).unwrap();
    let names = beside.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let made: Vec<_> = names
        .filter(|name| name.starts_with("wrong.json."))
        .collect();
    assert_eq!(made, [""; 0], "nothing is left beside it either");
}

#[test]
fn a_second_supervisor_is_told_who_has_the_configuration_or_the_pane() {
    let test = TestZellij::start();
    let pane = test.open_pane(&["cat"]);
    let (one, other) = (test.home().join("one.json"), test.home().join("other.json"));
    write(&one, &configuration(&[("a", &pane.to_string())]));
    write(&other, &configuration(&[("b", &pane.to_string())]));
    let mut first = Program::start(&test, &["--config", argument(&one)]);
    first.asks_until("/list", "a poll", |list| list.contains("running"));
    let holder = format!("process {} (", first.pid());

    // the same file by another name
    std::os::unix::fs::symlink(test.home(), test.home().join("link")).unwrap();
    for name in ["one.json", "link/one.json"] {
        let ended = piped(
            &test,
            &["--config", argument(&test.home().join(name))],
            "/list",
        );
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for said in [
            "another supervisor has the configuration",
            &holder,
            "one.json",
            "hint: ",
        ] {
            assert!(ended.err.contains(said), "no `{said}` in {}", ended.err);
        }
    }

    let mut second = Program::start(&test, &["--config", argument(&other)]);
    let list = second.asks("/list");
    list.has(&[
        "another supervisor has the pane",
        &holder,
        "one.json",
        "`/start b` tries again",
    ]);
    second.tells("b needs you: is not watched: another supervisor has the pane");
    second.asks("/start b").refused(&[&holder]);
    second
        .asks("/add c 1 goal")
        .refused(&["is the pane of `b` already"]);
    let polls_before = first.asks("/list").out;
    assert!(!polls_before.contains("error"), "{polls_before}");

    first.killed();
    second.asks("/start b").has(&["b is watched now"]);
    second.asks_until("/list", "the second's polls", |list| {
        list.contains("running")
    });
    let third = piped(&test, &["--config", argument(&one)], "/list");
    assert_eq!(
        third.code,
        Some(0),
        "the configuration is free after kill -9: {third:?}"
    );
    assert!(
        third.out.contains("another supervisor has the pane"),
        "{third:?}"
    );
    assert_eq!(second.quits().code, Some(2), "that of the last refusal");
}

#[test]
fn a_configuration_that_was_not_there_yet_is_held_too() {
    let test = TestZellij::start();
    std::os::unix::fs::symlink(test.home(), test.home().join("link")).unwrap();
    let arguments = ["--config", "link/new.json"];
    let mut first = Program::start(&test, &arguments);
    first.asks("/list");
    for save in [false, true] {
        if save {
            first.asks("/save").has(&["saved to link/new.json"]);
        }
        let ended = piped(&test, &["--config", "new.json"], "/list");
        assert_eq!(ended.code, Some(1), "saved: {save}: {ended:?}");
    }
}

#[test]
fn the_exit_code_says_what_kind_of_failure_it_was() {
    let test = TestZellij::start();
    let config = test.home().join("c.json");
    write(&config, &configuration(&[("a", "test:0")]));
    let with = ["--config", argument(&config)];
    for (lines, code) in [
        ("/list", 0),
        ("/load nowhere.json", 1),
        ("/lsit", 2),
        ("/add b 0 goal", 2),
        ("/add b 77 goal", 3),
        ("/add b elsewhere:0 goal", 3),
        ("/reply a hello", 4),
        ("/lsit\n/list", 2),
        ("/lsit\n/add b 77 goal\n/list\n/quit", 3),
    ] {
        let ended = piped(&test, &with, lines);
        assert_eq!(ended.code, Some(code), "{lines}: {ended:?}");
        assert_eq!(
            ended.err.contains("error: "),
            code != 0,
            "{lines}: {ended:?}"
        );
    }

    // No zellij at all, too old a zellij, no session.
    let bin = test.home().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let mut without = command(&test, &with);
    without.env("PATH", &bin);
    let ended = run(without, test.home(), "/list");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.err.contains("zellij was not found") && ended.err.contains("hint: install"));
    crate::program::script(&bin.join("zellij"), "#!/bin/sh\necho zellij 0.43.1\n");
    let mut old = command(&test, &with);
    old.env("PATH", format!("{}:/bin:/usr/bin", bin.display()));
    let ended = run(old, test.home(), "/list");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended
            .err
            .contains("version 0.43.1, and 0.44.0 or newer is needed")
    );
    test.kill_session();
    write(&config, &configuration(&[("a", "0")]));
    let ended = piped(&test, &with, "/list");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.err.contains("there is no zellij session") && ended.err.contains("hint: "));
}

#[test]
fn what_only_prints_needs_neither_zellij_nor_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let print = |arguments: &[&str]| {
        let mut command = std::process::Command::new(crate::program::BINARY);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", folder.path())
            .current_dir(folder.path());
        run(command, folder.path(), "")
    };
    let version = print(&["--version"]);
    assert_eq!(
        version.out,
        format!("meta-orchestrator {}\n", env!("CARGO_PKG_VERSION"))
    );
    for (shell, sign) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef"),
        ("fish", "complete -c"),
    ] {
        let ended = print(&["completions", shell]);
        assert!(
            ended.code == Some(0) && ended.out.contains(sign),
            "{shell}: {ended:?}"
        );
        assert!(ended.out.contains("zellij-session"));
    }
    let man = print(&["man"]);
    assert!(man.code == Some(0) && man.out.contains(".TH meta-orchestrator 1"));
    for wrong in [
        &["--nonsense"][..],
        &["--resume", "--fresh"],
        &["--session-id", "../x"],
    ] {
        let ended = print(wrong);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains("error: "), "{ended:?}");
    }
}

#[test]
fn a_signal_or_the_end_of_input_ends_it_like_quit_within_a_second() {
    let test = TestZellij::start();
    let config = test.home().join("c.json");
    let pane = test.open_pane(&["cat"]);
    for signal in [
        Some(Signal::INT),
        Some(Signal::TERM),
        Some(Signal::HUP),
        None,
    ] {
        write(&config, &configuration(&[]));
        let mut program = Program::start(&test, &["--config", argument(&config)]);
        program
            .asks(&format!("/add a {pane} a goal"))
            .has(&["a watches"]);
        program.asks_until("/list", "a poll", |list| list.contains("running"));
        let begun = Instant::now();
        if let Some(signal) = signal {
            program.gets(signal);
        }
        let ended = program.ends();
        assert!(
            begun.elapsed() < Duration::from_millis(1_500),
            "{signal:?}: {:?}",
            begun.elapsed()
        );
        assert_eq!(ended.code, Some(0), "{signal:?}: {ended:?}");
        let saved = std::fs::read_to_string(&config).unwrap();
        assert!(saved.contains("\"a goal\""), "{signal:?}: {saved}");
    }
}

#[test]
fn options_of_the_command_line_stand_over_the_configuration() {
    let test = TestZellij::start();
    let pane = test.open_pane(&["cat"]);
    let config = test.home().join("c.json");
    write(&config, &configuration(&[("a", &pane.pane.to_string())]));
    let arguments = [
        "--config",
        argument(&config),
        "--log-dir",
        "elsewhere/deep",
        "--zellij-session",
        "test",
        "--observe",
        "--fresh",
    ];
    let mut program = Program::start(&test, &arguments);
    let list = program.asks_until("/list", "a poll", |list| list.contains("observing"));
    assert!(list.contains("test:terminal_"), "{list}");
    program
        .asks("/reply a hello")
        .refused(&["nothing was typed to a", "while observing"]);
    let ended = program.quits();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(
        !test.home().join("logs").exists(),
        "logs go where the option says"
    );
    let logs = test.home().join("elsewhere/deep");
    for folder in [
        test.home().join("elsewhere"),
        logs.clone(),
        logs.join("diag"),
    ] {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
    }
    for entry in std::fs::read_dir(&logs).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.is_dir() || mode(&path) == 0o600, "{}", path.display());
    }
    assert!(logs.join("roster.jsonl").exists());

    // a session that is not there: said of its agents, and nothing else stops
    let arguments = ["--config", argument(&config), "--zellij-session", "nowhere"];
    let mut program = Program::start(&test, &arguments);
    program.asks_until("/list", "that it is gone", |list| {
        list.contains("the zellij session `nowhere` does not exist")
    });
}
