//! What the program tells from logs alone: no zellij, no running instance.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::model::{Answer, Model};
use crate::common::zellij::{PATIENCE, wait_for};
use crate::program::{BINARY, Ended, Program, run};

/// The program in `home`, in UTC.
fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("TZ", "UTC");
    command
}

fn ran(home: &Path, arguments: &[&str]) -> Ended {
    run(command(home, arguments), home, "")
}

fn memo(id: &str, text: &str) -> String {
    format!(
        r#"{{"v":1,"id":"{id}","sessionId":"default","ts":"2026-11-20T10:00:00.000Z","action":"instruct","text":"{text}","receipt":{{"receipt":"delivered"}},"afterSummary":null}}"#
    )
}

fn step(id: &str, step: &str) -> String {
    format!(
        r#"{{"v":1,"ts":"2026-11-20T10:00:00.000Z","sessionId":"default","id":"{id}",{step},"looks":7,"counters":{{}}}}"#
    )
}

/// A home with the logs of `kernel` and of `docs`.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let logs = home.path().join("logs");
    fs::create_dir(&logs).unwrap();
    for id in ["kernel", "docs"] {
        let memos = format!("{}\n{}\n", memo("a", "Go on"), memo("b", "Run the tests"));
        fs::write(logs.join(format!("{id}.memos.jsonl")), memos).unwrap();
        let asked = r#""step":"asked","backend":"lm","digest":"1","quietSec":30,"prompt":"$ ls""#;
        let typed = r#""step":"receipt","origin":"verdict","text":"Go on","receipt":"delivered""#;
        let steps = format!("{}\n{}\n", step("a", asked), step("a", typed));
        fs::write(logs.join(format!("{id}.decisions.jsonl")), steps).unwrap();
    }
    home
}

#[test]
fn logs_are_told_without_a_running_instance() {
    let home = home();
    let of = |arguments: &[&str]| {
        let ended = ran(home.path(), arguments);
        assert_eq!(
            (ended.code, ended.err.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
        ended.out
    };
    let shown = of(&["log", "kernel", "--text", "TESTS"]);
    assert!(shown.starts_with("2026-11-20 10:00:00, ") && shown.contains("Run the tests"));
    assert!(!shown.contains("Go on"));
    let log = fs::read_to_string(home.path().join("logs/kernel.memos.jsonl")).unwrap();
    assert_eq!(of(&["log", "kernel", "--json"]), log);
    assert_eq!(
        of(&["log", "kernel", "--json", "--since", "2026-11-21"]),
        ""
    );
    let stats: serde_json::Value = serde_json::from_str(&of(&["stats", "--json"])).unwrap();
    assert_eq!(
        (&stats["v"], &stats["total"]["looks"]),
        (&1.into(), &28.into())
    );
    assert_eq!(stats["agents"][0]["days"][0]["nudges"]["delivered"], 1);
    let digest = of(&["digest", "--since", "2026-11-20"]);
    assert!(digest.starts_with("# Digest: 2026-11-20 00:00 to ") && digest.contains("| kernel |"));
    let story = of(&["export", "kernel"]);
    assert!(story.contains("```text\n$ ls\n```"), "{story}");
}

#[test]
fn wrong_names_and_folders_end_with_the_code_for_them_and_what_to_do() {
    let home = home();
    for (arguments, code, told) in [
        (&["log", "kernle"][..], 2, "did you mean `kernel`?"),
        (&["stats", "nobody"], 2, "there are logs of: docs, kernel"),
        (
            &["export", "kernel", "--session-id", "other"],
            2,
            "nothing is on record of the session",
        ),
        (
            &["log", "kernel", "--since", "yesterday"],
            2,
            "is no time: write how long ago",
        ),
        (
            &["digest", "--log-dir", "none"],
            3,
            "there are no logs in none",
        ),
    ] {
        let ended = ran(home.path(), arguments);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(code), ""),
            "{arguments:?}"
        );
        assert!(ended.err.contains(told), "{arguments:?}: {}", ended.err);
    }
    // a configuration that is wrong hides no logs whose folder is named
    fs::write(home.path().join("meta_orchestrator.config.json"), "{").unwrap();
    let ended = ran(home.path(), &["log", "kernel"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("--log-dir DIR"), "{}", ended.err);
    assert_eq!(
        ran(home.path(), &["log", "kernel", "--log-dir", "logs"]).code,
        Some(0)
    );
}

#[test]
fn a_story_goes_to_a_new_file_and_over_no_other() {
    let home = home();
    let arguments = ["export", "kernel", "--output", "story.md"];
    let first = ran(home.path(), &arguments);
    assert_eq!(
        (first.code, first.out.as_str()),
        (Some(0), ""),
        "{}",
        first.err
    );
    let file = home.path().join("story.md");
    let story = fs::read_to_string(&file).unwrap();
    assert_eq!(story, ran(home.path(), &arguments[..2]).out);
    fs::write(&file, "mine").unwrap();
    let second = ran(home.path(), &arguments);
    assert_eq!(second.code, Some(1));
    assert!(
        second.err.contains("name a file that is not there yet"),
        "{}",
        second.err
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn hostile_logs_reach_no_terminal_raw_and_stop_nothing() {
    let home = home();
    let logs = home.path().join("logs");
    let hostile = memo(
        "h",
        "\\u001b[2J\\u009b31m \u{9b}31m \u{202e}x ``` # h\\r\\nmo> /quit",
    );
    let mut bytes = format!("{hostile}\n").into_bytes();
    bytes.extend(0..=255);
    bytes.extend(b"\n{\"v\":1,\"ts\":\"2026-11-20T10:00:00Z\"}\n{\"v\":1,\"id\":\"torn");
    for kind in ["memos", "decisions", "reviews"] {
        let path = logs.join(format!("kernel.{kind}.jsonl"));
        let mut file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        file.write_all(&bytes).unwrap();
    }
    for arguments in [
        &["log", "kernel"][..],
        &["log", "kernel", "--decisions", "--json"],
        &["log", "kernel", "-n", "9"],
        &["stats", "kernel"],
        &["export", "kernel"],
        &["digest", "--since", "2026-11-20"],
        &["digest", "--since", "2026-11-20", "--json"],
    ] {
        let ended = ran(home.path(), arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
        assert!(
            ended
                .err
                .contains("of the logs of kernel could not be read"),
            "{}",
            ended.err
        );
        for text in [&ended.out, &ended.err] {
            let is_bad = |one: &char| one.is_control() && *one != '\n' || *one == '\u{202e}';
            assert_eq!(text.chars().find(is_bad), None, "{arguments:?}: {text:?}");
            // in Markdown it stands in a block
            let is_page = arguments[0] == "export";
            assert!(
                is_page || !text.lines().any(|line| line.starts_with("mo> ")),
                "{arguments:?}"
            );
        }
        if arguments.contains(&"--json") && arguments[0] == "log" {
            let lines = ended
                .out
                .lines()
                .map(serde_json::from_str::<serde_json::Value>);
            assert!(
                lines.collect::<Result<Vec<_>, _>>().is_ok(),
                "{}",
                ended.out
            );
        }
    }
}

#[test]
fn a_log_is_followed_over_a_rotation_until_its_reader_goes_away() {
    let home = home();
    let log = home.path().join("logs/kernel.memos.jsonl");
    let mut program = command(home.path(), &["log", "kernel", "--follow", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        line
    };
    assert_eq!(next(), memo("a", "Go on") + "\n");
    assert_eq!(next(), memo("b", "Run the tests") + "\n");
    fs::rename(
        &log,
        home.path()
            .join("logs/kernel.memos.2026-11-20T110000Z.jsonl"),
    )
    .unwrap();
    fs::write(&log, memo("c", "After it") + "\n").unwrap();
    assert_eq!(next(), memo("c", "After it") + "\n");
    drop(lines);
    // nothing more is written: it notices by itself
    let code = wait_for(PATIENCE, "its end", || program.try_wait().unwrap());
    assert_eq!(code.code(), Some(0));
}

#[test]
fn following_ends_with_an_interrupt() {
    let home = home();
    let program = Program::begin(command(home.path(), &["log", "kernel", "-f"]), home.path());
    wait_for(PATIENCE, "the first records", || {
        program.out().contains("Run the tests").then_some(())
    });
    program.gets(rustix::process::Signal::INT);
    assert_eq!(program.ends().code, None);
}

#[test]
fn a_model_writes_the_digest_from_the_tables_alone_and_where_it_fails_the_tables_are_given() {
    let home = home();
    let model = Model::start();
    model.answers(|_| Answer::Text("## What needs you\n\nNobody.\u{1b}[2J".into()));
    let config = serde_json::json!({
        "decideBackend": { "type": "builtin" },
        "reviewBackend": { "type": "openaiCompat", "baseUrl": model.url(), "model": "m" },
    });
    let place = home.path().join("meta_orchestrator.config.json");
    fs::write(&place, config.to_string()).unwrap();
    let arguments = ["digest", "--model", "--since", "2026-11-20"];
    let written = ran(home.path(), &arguments);
    assert_eq!(written.code, Some(0), "{}", written.err);
    assert!(
        written.out.contains("## What needs you\n\nNobody.␛[2J"),
        "{}",
        written.out
    );
    assert!(
        written.out.contains("Written by openaiCompat"),
        "{}",
        written.out
    );
    let asked = model.asked();
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0].user().contains("| kernel |"),
        "{}",
        asked[0].user()
    );
    model.answers(|_| Answer::Raw(500, "", "no".into()));
    let tables = ran(home.path(), &arguments);
    assert_eq!(tables.code, Some(0), "{}", tables.err);
    assert!(
        tables
            .out
            .contains("because the review backend did not write the page: ")
    );
    assert!(tables.out.contains("| kernel |"), "{}", tables.out);
}

#[test]
fn a_configuration_that_nobody_named_sends_no_text_and_no_key_to_a_server_of_its_choice() {
    let home = home();
    let model = Model::start();
    model.answers(|_| Answer::Text("Nothing happened.".into()));
    let config = serde_json::json!({
        "reviewBackend": {
            "type": "openaiCompat", "baseUrl": model.url(), "model": "m", "apiKeyEnv": "HOME",
        },
    });
    let place = home.path().join("meta_orchestrator.config.json");
    fs::write(&place, config.to_string()).unwrap();
    let found = ran(home.path(), &["digest", "--model", "--since", "2026-11-20"]);
    assert_eq!(found.code, Some(0), "{}", found.err);
    assert!(
        found.out.contains("did not write the page"),
        "{}",
        found.out
    );
    assert_eq!(model.asked().len(), 0);
    // the control: once a person has named it, its server is asked
    let path = place.to_string_lossy();
    let named = ran(
        home.path(),
        &[
            "--config",
            &path,
            "digest",
            "--model",
            "--since",
            "2026-11-20",
        ],
    );
    assert_eq!(named.code, Some(0), "{}", named.err);
    assert_eq!(model.asked().len(), 1);
}
