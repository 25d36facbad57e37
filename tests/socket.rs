//! Running instances without a terminal and the scripts that steer them: `serve`, `ctl`, `attach`, on real zellij
//! sessions.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, makes its own files and starts the program"
)]
#![allow(dead_code, reason = "the parts that other tests use")]

mod common;
#[path = "commands/program.rs"]
mod program;
#[path = "socket/script.rs"]
mod script;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use common::model::{Answer, Model};
use common::zellij::{PATIENCE, TestZellij, wait_for};
use program::{Program, agent_pane, argument, command, configuration, mode};
use script::{Serving, ctl, ctl_as};

/// A session with one simulated agent, and an instance that watches it.
fn watched() -> (TestZellij, Serving) {
    let test = TestZellij::start();
    let pane = agent_pane(&test, "asker");
    let serving = Serving::start(&test, &[("a1", &pane.to_string())]);
    (test, serving)
}

#[test]
fn it_serves_without_a_terminal_and_ends_cleanly_on_a_signal() {
    let (test, serving) = watched();
    let socket = serving.socket();
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(mode(socket.parent().unwrap()), 0o700);
    let listed = ctl(&test, &["list"]).done();
    assert!(
        listed.contains("a1") && listed.contains("STATUS"),
        "{listed}"
    );
    // nothing that a session's end would take along
    serving.program.gets(Signal::HUP);
    assert!(ctl(&test, &["list"]).done().contains("a1"));
    serving.program.gets(Signal::TERM);
    let ended = serving.program.ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.is_empty(), "{ended:?}");
    assert!(ended.err.contains("listening at"), "{ended:?}");
    let (_, last) = ended.err.split_once("stopping: ").unwrap();
    assert_eq!(
        last,
        "1 agent is let go, then the configuration and the logs are closed\nended: 1 agent is no longer watched\n",
    );
    assert!(!socket.exists());
    assert_eq!(ctl(&test, &["list"]).code, Some(3));
}

#[test]
fn what_a_dead_instance_left_is_taken_over_and_a_living_one_is_not() {
    let (test, serving) = watched();
    let socket = serving.socket();
    let config = test.home().join("config.json");
    // the configuration is taken as well: a copy of it shows what becomes of the socket
    let copy = test.home().join("copy.json");
    std::fs::write(&copy, configuration(&[])).unwrap();
    let arguments = [
        "serve",
        "--config",
        argument(&copy),
        "--socket",
        argument(&socket),
    ];
    let mut second = Program::start(&test, &arguments);
    second.tells("another program listens there");
    assert!(
        second.is_running(),
        "that it is not found is no reason to end"
    );
    second.killed();
    serving.program.killed();
    assert!(socket.exists(), "nobody was left to remove it");
    assert_eq!(ctl(&test, &["list"]).code, Some(3));
    let again = Serving::go_on(&test, &config);
    assert!(ctl(&test, &["list"]).done().contains("a1"));
    assert_eq!(again.socket(), socket);
}

#[test]
fn a_script_reads_stable_json_and_exit_codes() {
    let (test, _serving) = watched();
    let listed: Value = serde_json::from_str(&ctl(&test, &["list", "--json"]).done()).unwrap();
    assert_eq!(listed["v"], 1);
    let agent = &listed["agents"][0];
    assert_eq!(
        (&agent["id"], &agent["goal"]),
        (&"a1".into(), &"ship it".into())
    );
    assert!(agent["status"]["is"].is_string() && agent["nudges"]["bound"].is_u64());
    let health: Value = serde_json::from_str(&ctl(&test, &["health", "--json"]).done()).unwrap();
    assert_eq!(
        (&health["v"], &health["health"]["session"]),
        (&1.into(), &"default".into())
    );
    for (words, code, says) in [
        (vec!["lst"], 2, "did you mean"),
        (vec!["stop", "a2"], 2, "there are: a1"),
        (vec!["yes"], 2, "nothing waits for a yes"),
        (
            vec!["wait", "a2", "--until", "idle"],
            2,
            "there is no agent `a2`",
        ),
        (vec!["reply", "a1", "go", "--json"], 2, "nothing was sent"),
        (
            vec!["--socket", "/nowhere.sock", "list"],
            3,
            "no meta-orchestrator listens",
        ),
        (vec!["approve", "a1"], 4, "no key was pressed"),
        (
            vec!["wait", "a1", "--until", "gone", "--timeout", "1s"],
            5,
            "within 1 s",
        ),
    ] {
        let said = ctl(&test, &words);
        assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
        assert!(
            said.out.is_empty() && said.err.contains(says),
            "{words:?}: {said:?}"
        );
    }
    let failed = ctl(&test, &["stop", "--json", "a2"]);
    let failed: Value = serde_json::from_str(&failed.err).unwrap();
    assert_eq!(
        (&failed["v"], &failed["failure"]["exitCode"]),
        (&1.into(), &2.into())
    );
}

#[test]
fn a_script_answers_waits_and_follows() {
    let (test, _serving) = watched();
    let mut follower = command(&test, &["ctl", "events", "--follow", "--agent", "a1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let is_idle = ctl(
        &test,
        &["wait", "a1", "--until", "idle,question", "--timeout", "60s"],
    );
    assert!(is_idle.done().starts_with("a1 is "));
    let replied = ctl(&test, &["reply", "a1", "Postgres  please, don't # stop"]).done();
    assert!(replied.contains("delivered"), "{replied}");
    let shown = ctl(&test, &["screen", "a1"]).done();
    assert!(shown.contains("Postgres  please, don't # stop"), "{shown}");
    ctl(&test, &["stop", "a1"]).done();
    let stopped = ctl(&test, &["wait", "a1", "--until", "stopped", "--json"]).done();
    assert_eq!(stopped, "{\"v\":1,\"id\":\"a1\",\"is\":\"stopped\"}\n");
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let nudge = lines
        .by_ref()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
        .find(|event| event["event"] == "nudge")
        .unwrap();
    assert_eq!(
        (&nudge["agent"], &nudge["receipt"]),
        (&"a1".into(), &"delivered".into())
    );
    follower.kill().unwrap();
    follower.wait().unwrap();
    // who comes later reads it too
    let recent = ctl(&test, &["events", "--kinds", "nudge"]).done();
    let recent: Value = serde_json::from_str(recent.trim()).unwrap();
    assert_eq!(recent["text"], nudge["text"]);
}

#[test]
fn wait_hears_of_what_comes_while_it_waits() {
    let (test, _serving) = watched();
    let mut waiting = command(&test, &["ctl", "wait", "a1", "--until", "stopped"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    ctl(&test, &["stop", "a1"]).done();
    let code = wait_for(PATIENCE, "its end", || waiting.try_wait().unwrap());
    assert_eq!(code.code(), Some(0));
}

#[test]
fn relative_paths_are_those_of_the_caller() {
    let (test, _serving) = watched();
    let folder = test.home().join("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("goal.txt"), "Write the guide\n").unwrap();
    ctl_as(&test, &["set", "a1", "goal", "@goal.txt"], |of| {
        of.current_dir(&folder)
    })
    .done();
    ctl_as(&test, &["save", "copy.json"], |of| of.current_dir(&folder)).done();
    let copy = std::fs::read_to_string(folder.join("copy.json")).unwrap();
    assert!(copy.contains("Write the guide"), "{copy}");
}

#[test]
fn a_question_is_answered_on_the_connection_that_was_asked() {
    let (test, _serving) = watched();
    let claude = test.home().join("claude");
    std::fs::copy(program::BINARY, &claude).unwrap();
    let pane = test.open_pane(&[argument(&claude), "demo-agent", "worker"]);
    wait_for(PATIENCE, "the pane", || {
        ctl(&test, &["panes"])
            .done()
            .contains(&pane.to_string())
            .then_some(())
    });
    let asked = wait_for(PATIENCE, "a question", || {
        let asked = ctl(&test, &["adopt"]);
        asked
            .out
            .contains("Supervise these panes?")
            .then_some(asked)
    });
    assert_eq!(asked.code, Some(1), "{asked:?}");
    assert!(
        asked.err.contains("--yes") && !asked.out.contains("/yes"),
        "{asked:?}"
    );
    assert_eq!(
        ctl(&test, &["yes"]).code,
        Some(2),
        "another connection was asked nothing"
    );
    let adopted = ctl(&test, &["adopt", "--yes"]).done();
    assert!(!adopted.contains("Supervise these panes?"), "{adopted}");
    let listed: Value = serde_json::from_str(&ctl(&test, &["list", "--json"]).done()).unwrap();
    assert_eq!(listed["agents"].as_array().unwrap().len(), 2, "{listed}");
}

#[test]
fn of_several_instances_the_one_that_is_named_is_asked() {
    let (test, serving) = watched();
    let other = test.home().join("other.json");
    std::fs::write(&other, configuration(&[])).unwrap();
    let second = Serving::go_on(&test, &other);
    let folder = test.home().join("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    let unclear = ctl_as(&test, &["list"], |of| of.current_dir(&folder));
    assert_eq!(unclear.code, Some(2), "{unclear:?}");
    for says in ["2 instances", "config.json", "other.json", "--config PATH"] {
        assert!(unclear.err.contains(says), "{unclear:?}");
    }
    let by_config = ctl(&test, &["--config", argument(&other), "list"]).done();
    assert!(by_config.contains("no agents yet"), "{by_config}");
    let socket = serving.socket();
    let by_socket = ctl(&test, &["--socket", argument(&socket), "list"]).done();
    assert!(by_socket.contains("a1"), "{by_socket}");
    assert!(
        ctl(&test, &["--config", argument(&other), "quit"])
            .done()
            .is_empty()
    );
    assert_eq!(second.program.ends().code, Some(0));
    assert!(
        ctl_as(&test, &["list"], |of| of.current_dir(&folder))
            .done()
            .contains("a1")
    );
}

#[test]
fn several_look_at_once_and_leaving_ends_nothing() {
    let (test, mut serving) = watched();
    let mut one = Program::start(&test, &["attach", "--repl"]);
    let mut other = Program::start(&test, &["attach", "--repl"]);
    one.asks("/list").has(&["a1"]);
    other.asks("/list").has(&["a1"]);
    one.asks("/hold a1").has(&["are held"]);
    let held = other.asks_until("/list", "the hold", |said| said.contains("held"));
    assert!(held.contains("a1"), "{held}");
    let left = one.quits();
    assert_eq!(left.code, Some(0), "{left:?}");
    assert!(left.out.contains("goes on as process"), "{left:?}");
    assert!(serving.program.is_running());
    other.asks("/release a1").has(&["no longer held"]);
    // the end of the instance is told, and is the end of those who look
    ctl(&test, &["quit"]).done();
    let told = other.ends();
    assert!(told.err.contains("has ended"), "{told:?}");
    assert_eq!(serving.program.ends().code, Some(0));
}

#[test]
fn garbage_and_endless_lines_are_refused_and_the_agents_go_on() {
    let (test, serving) = watched();
    let socket = serving.socket();
    let before = rss(serving.program.pid());
    for sent in [
        b"GET / HTTP/1.1\r\n\r\n".as_slice(),
        b"\0\xff\xfe\n",
        b"[[[[[\n",
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(sent).unwrap();
        let mut said = String::new();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = stream.read_to_string(&mut said);
        assert!(said.contains("what was sent is no JSON"), "{said}");
    }
    let mut stream = UnixStream::connect(&socket).unwrap();
    let piece = vec![b'x'; 1024 * 1024];
    let taken = (0..100)
        .take_while(|_| stream.write_all(&piece).is_ok())
        .count();
    assert!(taken < 10, "{taken} MiB were taken");
    // one that follows everything and reads nothing
    let mut deaf = UnixStream::connect(&socket).unwrap();
    let follow = "{\"v\":1,\"id\":1,\"subscribe\":[\"recent\",\"views\",\"notices\",\"health\",\"known\"]}\n";
    deaf.write_all(follow.as_bytes()).unwrap();
    for id in 2..2_000 {
        let list = format!("{{\"v\":1,\"id\":{id},\"line\":\"/explain a1\"}}\n");
        deaf.set_write_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        if deaf.write_all(list.as_bytes()).is_err() {
            break;
        }
    }
    let asked = Instant::now();
    let polls = |said: &str| -> u64 {
        let said: Value = serde_json::from_str(said).unwrap();
        said["agents"][0]["polls"].as_u64().unwrap()
    };
    let first = polls(&ctl(&test, &["list", "--json"]).done());
    assert!(asked.elapsed() < PATIENCE / 2);
    wait_for(PATIENCE, "more polls", || {
        (polls(&ctl(&test, &["list", "--json"]).done()) > first + 3).then_some(())
    });
    let grown = rss(serving.program.pid()).saturating_sub(before);
    assert!(grown < 20_000, "it grew by {grown} KiB");
}

#[test]
fn a_long_review_is_said_to_have_begun_at_once_and_stdout_is_the_review_alone() {
    let test = TestZellij::start();
    let pane = agent_pane(&test, "asker").to_string();
    let model = Model::start();
    let late = Answer::Text("It goes well.".into());
    model.says([Answer::Late(Duration::from_millis(1_500), Box::new(late))]);
    let mut config: Value = serde_json::from_str(&configuration(&[("a1", &pane)])).unwrap();
    config["reviewBackend"] =
        serde_json::json!({ "type": "openaiCompat", "baseUrl": model.url(), "model": "large" });
    let path = test.home().join("config.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let serving = Serving::go_on(&test, &path);
    let begun = Instant::now();
    let mut asked = command(&test, &["ctl", "review", "a1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut err = BufReader::new(asked.stderr.take().unwrap());
    err.read_line(&mut said).unwrap();
    assert!(begun.elapsed() < Duration::from_millis(1_400));
    assert!(
        said.starts_with("reviewing a1 by openaiCompat large: that may take minutes, 15 "),
        "{said}"
    );
    let mut out = String::new();
    let mut printed = asked.stdout.take().unwrap();
    printed.read_to_string(&mut out).unwrap();
    assert!(
        out.starts_with("Review of a1 by ") && out.contains("It goes well."),
        "{out}"
    );
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "no clock where there is no terminal");
    assert!(asked.wait().unwrap().success());
    // what scripts read on stderr is JSON, with `--json`
    let json = ctl(&test, &["review", "--json", "a1"]);
    assert_eq!((json.code, json.err.as_str()), (Some(0), ""), "{json:?}");
    let quit = ctl(&test, &["quit"]);
    let stopping = format!("stopping process {}: ", serving.program.pid());
    assert!(quit.err.starts_with(&stopping), "{quit:?}");
    assert_eq!(quit.out.trim_end(), "1 agent is no longer watched");
}

/// The memory of a process, in KiB.
fn rss(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn that_it_cannot_listen_is_a_warning() {
    let test = TestZellij::start();
    let config = test.home().join("config.json");
    std::fs::write(&config, configuration(&[])).unwrap();
    let long = format!("/tmp/{}", "x".repeat(120));
    let arguments = ["--repl", "--config", argument(&config), "--socket", &long];
    let mut program = Program::start(&test, &arguments);
    program.tells("a socket's path has at most");
    program.asks("/list").has(&["no agents yet"]);
    assert_eq!(program.quits().code, Some(0));
}

#[test]
fn what_runs_in_a_supervised_pane_may_look_and_steers_nothing() {
    let (test, serving) = watched();
    let listed: Value = serde_json::from_str(&ctl(&test, &["list", "--json"]).done()).unwrap();
    let pane = &listed["agents"][0]["pane"];
    let session = pane["session"].as_str().unwrap().to_owned();
    let number = pane["pane"]
        .as_str()
        .unwrap()
        .trim_start_matches("terminal_")
        .to_owned();
    let out_of = |number: &str, words: &[&str]| {
        ctl_as(&test, words, |of| {
            of.env("ZELLIJ_SESSION_NAME", &session)
                .env("ZELLIJ_PANE_ID", number)
        })
    };
    for words in [
        &["stopall"][..],
        &["reply", "a1", "go"],
        &["yes"],
        &["quit"],
        &["load", "x"],
    ] {
        let said = out_of(&number, words);
        assert_eq!(said.code, Some(1), "{said:#?}");
        assert!(
            said.err.contains("does not steer its supervisor"),
            "{said:#?}"
        );
    }
    assert!(out_of(&number, &["list"]).done().contains("a1"));
    // a child that shed its environment is still its parent's child
    let script = format!(
        "env -u ZELLIJ_SESSION_NAME -u ZELLIJ_PANE_ID '{}' ctl --socket '{}' stopall; exit $?",
        program::BINARY,
        serving.socket().display()
    );
    let child = test
        .command("sh")
        .args(["-c", &script])
        .env("ZELLIJ_SESSION_NAME", &session)
        .env("ZELLIJ_PANE_ID", &number)
        .output()
        .unwrap();
    assert_eq!(child.status.code(), Some(1), "{child:?}");
    let health: Value = serde_json::from_str(&ctl(&test, &["health", "--json"]).done()).unwrap();
    assert_eq!(health["health"]["allStopped"], false);
    // the control: out of any other pane it does what it says
    out_of("4711", &["stopall"]).done();
    let health: Value = serde_json::from_str(&ctl(&test, &["health", "--json"]).done()).unwrap();
    assert_eq!(health["health"]["allStopped"], true);
}
