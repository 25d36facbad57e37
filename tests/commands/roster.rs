//! Who is supervised: adding, stopping, starting, removing, changing, and every refusal.

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::program::{
    BINARY, Program, agent_pane, argument, command, configuration, ended, polls, row, run,
};

/// A program on an empty configuration that is there.
fn empty(test: &TestZellij) -> Program {
    std::fs::write(test.home().join("c.json"), configuration(&[])).unwrap();
    Program::start(test, &["--config", "c.json"])
}

#[test]
fn a_pane_is_added_by_each_of_its_names_and_refused_with_the_reason() {
    let test = TestZellij::start();
    let cats = [
        test.open_pane(&["cat"]),
        test.open_pane(&["cat"]),
        test.open_pane(&["cat"]),
    ];
    let number = |index: usize| cats[index].pane.number();
    std::fs::write(test.home().join("goal.txt"), "  make it fast\nand small\n").unwrap();
    std::fs::write(test.home().join("blank.txt"), " \n").unwrap();
    let mut program = empty(&test);
    let added = [
        (
            format!("/add a {} say it in # words", number(0)),
            "a watches test:terminal_",
        ),
        (
            format!("/add b terminal_{} @goal.txt", number(1)),
            "where `cat` runs",
        ),
        (format!("/add c {} x", cats[2]), "c watches test:terminal_"),
        (
            "/add shell 0 x".to_owned(),
            "`bash` is in the foreground: nothing is typed there. Start the agent in that pane, then `/start shell`",
        ),
    ];
    for (line, said) in added {
        program.asks(&line).has(&[said]);
    }
    let plugin = test
        .list()
        .into_iter()
        .find(|pane| pane["is_plugin"] == true)
        .unwrap();
    let plugin_number = plugin["id"].as_u64().unwrap();
    let terminals: Vec<u64> = test
        .list()
        .iter()
        .filter(|pane| pane["is_plugin"] == false)
        .filter_map(|pane| pane["id"].as_u64())
        .collect();
    let mut refused = vec![
        (
            format!("/add d {} x", number(0)),
            "is the pane of `a` already",
        ),
        (
            format!("/add d {} x", cats[2]),
            "is the pane of `c` already",
        ),
        (
            format!("/add a {} x", number(1)),
            "there is an agent `a` already",
        ),
        ("/add a 77 x".to_owned(), "there is an agent `a` already"),
        (
            "/add d 77 x".to_owned(),
            "the session has no pane test:terminal_77",
        ),
        (
            format!("/add d plugin_{plugin_number} x"),
            "plugin panes cannot be supervised",
        ),
        (
            "/add d other:0 x".to_owned(),
            "the zellij session `other` does not exist",
        ),
        ("/add ../d 0 x".to_owned(), "`../d` is no agent id"),
        ("/add d/e 0 x".to_owned(), "is no agent id"),
        ("/add .d 0 x".to_owned(), "is no agent id"),
        ("/add d 0".to_owned(), "GOAL"),
        (
            "/add d 0 @nowhere.txt".to_owned(),
            "there is no file nowhere.txt",
        ),
        ("/add d 0 @blank.txt".to_owned(), "blank.txt is empty"),
        ("/add d 0 @logs".to_owned(), "it is no regular file"),
        ("/stop d".to_owned(), "there is no agent `d`"),
        ("/start d".to_owned(), "there are: a, b, c, shell"),
        ("/remove d".to_owned(), "there is no agent `d`"),
        ("/log d".to_owned(), "there is no agent `d`"),
        ("/review d".to_owned(), "there is no agent `d`"),
        ("/reply d hello".to_owned(), "there is no agent `d`"),
        ("/set d goal x".to_owned(), "there is no agent `d`"),
        ("/yes".to_owned(), "nothing waits for a yes"),
        ("/no".to_owned(), "nothing waits for an answer"),
    ];
    if !terminals.contains(&plugin_number) {
        refused.push((format!("/add d {plugin_number} x"), "is a plugin's"));
    }
    for (line, why) in refused {
        program.asks(&line).refused(&[why]);
    }
    let list = program.asks("/list").out;
    assert!(!list.lines().any(|line| line.starts_with("d ")), "{list}");

    let panes = program.asks("/panes").out;
    let of = |pane: String| {
        panes
            .lines()
            .find(|line| line.starts_with(&format!("{pane} ")))
            .unwrap()
    };
    assert!(
        of(cats[0].to_string()).contains("  a ") && of(cats[0].to_string()).contains("cat"),
        "{panes}"
    );
    assert!(
        of("test:terminal_0".to_owned()).contains("  shell "),
        "{panes}"
    );
    assert!(!panes.contains("plugin"), "{panes}");

    let ended = program.quits();
    let saved = std::fs::read_to_string(test.home().join("c.json")).unwrap();
    assert!(
        saved.contains(r#""goal": "make it fast\nand small""#),
        "{saved}\n{ended:?}"
    );
    assert!(saved.contains(r#""goal": "say it in # words""#), "{saved}");
    assert!(saved.contains(&format!("\"{}\"", cats[2])), "{saved}");
}

#[test]
fn stop_start_and_remove_leave_no_ghost_and_keep_the_logs() {
    let test = TestZellij::start();
    let pane = test.open_pane(&["cat"]);
    let mut program = empty(&test);
    program.asks(&format!("/add a {pane} x"));
    program
        .asks("/set a pollSec 0.2")
        .has(&["a: its pane is read every 0.2 s"]);
    program.asks_until("/list", "three polls", |list| polls(list, "a") > 3);
    program
        .asks("/stop a")
        .has(&["a is stopped; `/start a` goes on"]);
    let stopped = polls(&program.asks("/list").out, "a");
    program.asks("/stop a").has(&["a is stopped"]);
    program
        .asks("/reply a hello")
        .refused(&["nothing was typed to a: the agent is not watched"]);
    let list = program.asks("/list").out;
    assert_eq!(
        (row(&list, "a")[1].as_str(), polls(&list, "a")),
        ("stopped", stopped)
    );
    program
        .asks("/start a")
        .has(&["a is started; `cat` in ", " is accepted"]);
    program.asks_until("/list", "new polls", |list| polls(list, "a") > stopped);

    program
        .asks("/remove a")
        .has(&["a is removed; its logs stay in ./logs"]);
    program.asks("/list").has(&["no agents yet"]);
    program
        .asks("/stop a")
        .refused(&["there is no agent `a`", "there are none yet"]);
    let panes = program.asks("/panes").out;
    assert!(!panes.contains(" a "), "{panes}");
    // the pane and the name are free again
    program
        .asks(&format!("/add a {pane} y"))
        .has(&["a watches"]);
    program.asks("/remove a");
    program.quits();
    assert!(test.home().join("logs/roster.jsonl").exists());
    let saved = std::fs::read_to_string(test.home().join("c.json")).unwrap();
    assert!(saved.contains("\"agents\": []"), "{saved}");
    assert!(
        test.dump(pane.pane).trim().is_empty(),
        "nothing was ever typed"
    );
}

#[test]
fn each_field_is_set_and_saved() {
    let test = TestZellij::start();
    let (pane, other) = (test.open_pane(&["cat"]), test.open_pane(&["cat"]));
    let mut program = empty(&test);
    program.asks(&format!("/add a {pane} x"));
    program.asks("/add b 0 x");
    std::fs::write(test.home().join("goal.txt"), "a better goal\n").unwrap();
    for (line, said) in [
        ("/set a goal @goal.txt", "a: the goal is changed"),
        ("/set a stallSec 45", "a: a stall is 45 s without a change"),
        ("/set a pollSec 0.2", "a: its pane is read every 0.2 s"),
        (
            "/set a kind claude",
            "its screens are read as those of `claude`",
        ),
        ("/set a kind none", "its program tells"),
        (
            "/set a kind generic",
            "a: it is typed to by what prompts and dialogs look like",
        ),
        (
            "/set a observe true",
            "a: nothing is typed to it from now on",
        ),
    ] {
        program.asks(line).has(&[said]);
    }
    program
        .asks("/reply a hello")
        .refused(&["nothing is typed while observing"]);
    program.asks_until("/list", "observing", |list| {
        row(list, "a")[1] == "observing"
    });
    program
        .asks("/set a observe off")
        .has(&["texts are typed to it from now on"]);
    program.asks(&format!("/set a pane {other}")).has(&[
        "a watches test:terminal_",
        "where `cat` is in the foreground",
    ]);
    program
        .asks(&format!("/set a pane {other}"))
        .has(&["already"]);
    program.asks_until("/list", "polls of the other pane", |list| {
        row(list, "a")[2] == other.to_string() && polls(list, "a") > 2
    });
    for (line, why) in [
        ("/set a pane 0", "is the pane of `b` already"),
        ("/set a pane 77", "has no pane"),
        ("/set a pollSec 0", "`0` is no number of seconds"),
        ("/set a stallSec -5", "is no number of seconds"),
        ("/set a observe perhaps", "neither `true` nor `false`"),
        (
            "/set a kind clod",
            "there are: aider, claude, codex, demo, gemini, opencode, generic",
        ),
        ("/set a kind a/b", "no kind of agent"),
        ("/set a polSec 5", "did you mean `pollSec`?"),
        ("/set a goal", "VALUE"),
    ] {
        program.asks(line).refused(&[why]);
    }
    // the pane that it left is free
    program
        .asks(&format!("/add c {pane} x"))
        .has(&["c watches"]);
    program.asks("/save").has(&["saved to c.json"]);
    let saved = std::fs::read_to_string(test.home().join("c.json")).unwrap();
    for text in [
        "\"a better goal\"",
        "\"stallSec\": 45",
        "\"kind\": \"generic\"",
        "\"pollSec\": 0.2",
        &format!("\"{other}\""),
    ] {
        assert!(saved.contains(text), "no {text} in {saved}");
    }
}

#[test]
fn the_supervisor_s_own_pane_is_refused_however_it_is_named() {
    let mut test = TestZellij::start();
    test.attach(160, 50);
    let home = test.home().to_owned();
    let desk = test.open_pane(&["bash", "--norc"]);
    let own = desk.pane.number();
    std::fs::write(
        home.join("c.json"),
        configuration(&[("me", &own.to_string())]),
    )
    .unwrap();
    let lines = format!(
        "/list\n/start me\n/remove me\n/add x {own} goal\n/add x test:{own} goal\n/add cat 0 goal\n/set cat pane {own}\n/adopt\n/panes\n"
    );
    std::fs::write(home.join("lines"), lines).unwrap();
    test.type_as_person(
        &desk,
        &format!("{BINARY} --config c.json <lines >own.out 2>own.err; touch own.done\n"),
    );
    wait_for(PATIENCE, "the end of the program in the pane", || {
        home.join("own.done").exists().then_some(())
    });
    let out = std::fs::read_to_string(home.join("own.out")).unwrap();
    let err = std::fs::read_to_string(home.join("own.err")).unwrap();
    let refusal = format!("{desk} is the pane that this program runs in");
    assert_eq!(
        err.matches(&format!("error: {refusal}")).count(),
        4,
        "{out}\n{err}"
    );
    assert!(err.contains("me needs you: is not watched: "), "{err}");
    assert!(
        out.contains(&refusal),
        "the list says so of the configured one: {out}"
    );
    let whose = out
        .lines()
        .filter(|line| line.starts_with(&desk.to_string()));
    let mut whose = whose;
    assert!(
        whose.next_back().unwrap().contains("  this program "),
        "{out}"
    );
    // the session of the own pane is where panes without a session are
    assert!(out.contains("cat watches test:terminal_0"), "{out}");
}

#[test]
fn panes_with_a_coding_agent_are_adopted_after_a_yes_and_only_they() {
    let test = TestZellij::start();
    let folder = test.home().join("my project");
    std::fs::create_dir(&folder).unwrap();
    let claude = test.home().join("claude");
    std::fs::copy(BINARY, &claude).unwrap();
    let start = |cwd: &std::path::Path| {
        let pane = test.open_pane(&[
            "env",
            "-C",
            argument(cwd),
            argument(&claude),
            "demo-agent",
            "worker",
        ]);
        test.wait_until_shown(&pane, "\n>");
        pane
    };
    let (one, two) = (start(&folder), start(test.home()));
    test.open_pane(&["cat"]);
    let mut program = empty(&test);
    let question = |program: &mut Program, line: &str| {
        let before = program.out().matches("/no leaves it").count();
        program.sends(line);
        wait_for(PATIENCE, line, || {
            (program.out().matches("/no leaves it").count() > before).then_some(())
        });
    };
    program
        .asks("/adopt nothing like this")
        .has(&["no pane in which a coding agent runs"]);

    question(&mut program, "/adopt");
    let asked = program.out();
    for shown in [
        "Supervise these panes?",
        &one.to_string(),
        &two.to_string(),
        "my-project: ",
    ] {
        assert!(asked.contains(shown), "no {shown} in {asked}");
    }
    program.asks("/no").has(&["left as it is"]);
    program.asks("/yes").refused(&["nothing waits for a yes"]);
    program.asks("/list").has(&["no agents yet"]);

    // whatever else is asked in between takes the question back
    question(&mut program, "/adopt");
    program.asks("/list").has(&["no agents yet"]);
    program.asks("/yes").refused(&["nothing waits for a yes"]);

    question(&mut program, "/adopt MY PROJECT");
    program.asks("/yes").has(&[
        "my-project watches",
        "where `claude` runs",
        "`/set my-project goal ...`",
    ]);
    let list = program.asks("/list").out;
    assert!(row(&list, "my-project")[2] == one.to_string(), "{list}");
    assert!(!list.contains(&two.to_string()), "{list}");

    // the yes was to the program that was shown
    question(&mut program, "/adopt");
    test.press_as_person(&two, 3);
    ended(&test, &two);
    let said = program.asks("/yes");
    assert!(said.out.contains("was not added"), "{said:?}");
    program
        .asks("/adopt")
        .has(&["no pane in which a coding agent runs"]);
    program.quits();
    let saved = std::fs::read_to_string(test.home().join("c.json")).unwrap();
    assert!(
        saved.contains("\"my-project\"") && saved.matches("\"id\"").count() == 1,
        "{saved}"
    );
}

#[test]
fn an_id_never_becomes_a_path_and_help_tells_of_every_command() {
    let test = TestZellij::start();
    agent_pane(&test, "worker");
    let lines = "/add ../../x 1 g\n/add a\u{1b}[31m 1 g\n/stop ../../x\n/log ../../etc/passwd 5\n/remove .\n/help\n/help set\n/help lsit";
    let ended = run(command(&test, &["--log-dir", "l"]), test.home(), lines);
    assert_eq!(ended.err.matches("is no agent id").count(), 5, "{ended:?}");
    assert!(ended.err.contains("did you mean `/list`?"), "{ended:?}");
    for name in [
        "list", "add", "stop", "start", "remove", "reply", "review", "save", "load", "quit",
        "help", "panes", "adopt", "log", "set", "yes", "no",
    ] {
        assert!(
            ended.out.contains(&format!("\n/{name}")) || ended.out.starts_with(&format!("/{name}")),
            "/{name}"
        );
    }
    assert!(ended.out.contains("stallSec"), "{ended:?}");
    let names: Vec<_> = std::fs::read_dir(test.home().join("l"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| name == "diag" || name == "roster.jsonl"),
        "{names:?}"
    );
}
