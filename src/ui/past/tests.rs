//! The tasks on made-up logs, up to what they would print.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::digest::{by_model, facts};
use super::log::{Filter, Shown, follow, once};
use super::out::{Stop, ended};
use super::*;
use crate::command::when::tests::clock;
use crate::director::Digested;
use crate::record::past::Entry;
use crate::record::sample::{add, memo, night, rename, write};
use crate::ui::cli::past::{LogOptions, StatsOptions, Which};

fn logs(folder: &Path) -> Logs {
    Logs {
        folder: folder.to_owned(),
        named_by: "a test".to_owned(),
        config: None,
    }
}

fn options() -> LogOptions {
    LogOptions {
        id: "kernel".parse().unwrap(),
        span: Span::default(),
        action: Vec::new(),
        text: None,
        decisions: false,
        number: None,
        json: false,
        follow: false,
    }
}

fn shown(options: &LogOptions) -> Shown {
    Shown {
        filter: Filter::new(options, &clock()),
        frame: frame(&clock(), 80),
        json: options.json,
    }
}

/// What is printed, each record by its first words.
fn printed(folder: &Path, options: &LogOptions) -> Vec<String> {
    let mut out = Vec::new();
    once(&logs(folder), options, &shown(options), &mut out).unwrap();
    heads(&out)
}

fn heads(out: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(out).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with(' '));
    lines
        .map(|line| line.split(", ").last().unwrap().to_owned())
        .collect()
}

#[test]
fn records_are_chosen_by_time_action_text_and_number() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "kernel", &night());
    let when = |text: &str| Some(text.parse().unwrap());
    let cases: Vec<(LogOptions, &[&str])> = vec![
        (
            options(),
            &[
                "delivered",
                "10h ago: ask_user",
                "delivered",
                "delivered",
                "delivered",
                "30m ago: notice",
            ],
        ),
        (
            LogOptions {
                action: vec![Which::AskUser, Which::Notice],
                ..options()
            },
            &["10h ago: ask_user", "30m ago: notice"],
        ),
        (
            LogOptions {
                text: Some("POSTGRES sqlite".into()),
                ..options()
            },
            &["10h ago: ask_user"],
        ),
        (
            LogOptions {
                number: Some(1),
                ..options()
            },
            &["30m ago: notice"],
        ),
        (
            LogOptions {
                span: Span {
                    since: when("1h"),
                    until: None,
                },
                ..options()
            },
            &["30m ago: notice"],
        ),
        (
            LogOptions {
                span: Span {
                    since: when("2026-11-20 23:00"),
                    until: when("2026-11-21"),
                },
                ..options()
            },
            &["10h ago: ask_user"],
        ),
        (
            LogOptions {
                action: vec![Which::AskUser],
                decisions: true,
                ..options()
            },
            &["100 tokens", "10h ago: ask_user"],
        ),
        (
            LogOptions {
                action: vec![Which::Receipt],
                decisions: true,
                number: Some(2),
                ..options()
            },
            &[
                "2026-11-21 07:10:00 - delivered (a rule)",
                "2026-11-21 07:20:00 - delivered (you)",
            ],
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(printed(folder.path(), &options), expected, "{options:?}");
    }
}

#[test]
fn json_lines_are_those_of_the_log_each_memo_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "kernel", &night());
    let options = LogOptions {
        json: true,
        ..options()
    };
    let mut out = Vec::new();
    once(&logs(folder.path()), &options, &shown(&options), &mut out).unwrap();
    let log = fs::read_to_string(folder.path().join("kernel.memos.jsonl")).unwrap();
    // the first is there twice: without what came after it, and with
    let (_, expected) = log.split_once('\n').unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn following_goes_on_over_a_rotation_and_tells_later_what_came_after() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "kernel", &night());
    let options = LogOptions {
        follow: true,
        number: Some(1),
        ..options()
    };
    let log = at.join("kernel.memos.jsonl");
    let one = |ts: &str, id: &str, after: Option<&str>| {
        [Entry::Memo(Box::new(memo(
            ts, id, "instruct", "Go on", after,
        )))]
    };
    let mut moment = 0;
    let mut out = Vec::new();
    follow(&logs(at), &options, shown(&options), &mut out, || {
        moment += 1;
        match moment {
            1 => write(at, "kernel", &one("21T07:40:00", "x", None)),
            2 => {
                add(&log, b"{\"v\":1,");
                rename(&log, &at.join("kernel.memos.2026-11-21T074100Z.jsonl"));
                write(at, "kernel", &one("21T07:40:00", "x", Some("2 new lines")));
            }
            3 => write(at, "kernel", &one("21T07:50:00", "y", None)),
            _ => {}
        }
        (moment < 5).then_some(clock().now)
    })
    .unwrap();
    assert_eq!(
        heads(&out),
        [
            "30m ago: notice",
            "20m ago: instruct",
            "after instruct of 2026-11-21 08:40:00: 2 new lines",
            "10m ago: instruct",
        ]
    );
}

#[test]
fn a_log_is_followed_from_before_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let options = LogOptions {
        follow: true,
        json: true,
        ..options()
    };
    let mut moment = 0;
    let mut out = Vec::new();
    follow(
        &logs(folder.path()),
        &options,
        shown(&options),
        &mut out,
        || {
            moment += 1;
            if moment == 1 {
                write(folder.path(), "kernel", &night());
            }
            (moment < 3).then_some(clock().now)
        },
    )
    .unwrap();
    let log = fs::read(folder.path().join("kernel.memos.jsonl")).unwrap();
    assert_eq!(out, log);
}

/// A pipe whose reader has gone away after so many bytes.
struct Pipe(usize);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_has_gone_away_ends_it_quietly() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "kernel", &night());
    let (logs, options) = (logs(folder.path()), options());
    let printed = once(&logs, &options, &shown(&options), &mut Pipe(10));
    assert!(matches!(printed, Err(Stop::Gone)));
    assert_eq!(ended(printed), Ok(0));
    let full = Stop::from(io::Error::from(ErrorKind::StorageFull));
    assert_eq!(ended(Err(full)).unwrap_err().kind, Kind::Failed);
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest_and_an_empty_folder_with_where_was_looked() {
    let folder = tempfile::tempdir().unwrap();
    let of = |id: &str| logs(folder.path()).check(&id.parse().unwrap());
    let failure = of("kernel").unwrap_err();
    assert_eq!(failure.kind, Kind::Missing);
    assert!(
        failure
            .to_string()
            .contains("that folder is looked in (a test)"),
        "{failure}"
    );
    for id in ["kernel", "docs"] {
        write(folder.path(), id, &night());
    }
    assert_eq!(of("kernel"), Ok(()));
    let failure = of("kernle").unwrap_err();
    assert_eq!(
        (failure.kind, failure.hints),
        (Kind::Usage, vec!["did you mean `kernel`?".to_owned()])
    );
    let failure = of("something").unwrap_err();
    assert_eq!(failure.hints, ["there are logs of: docs, kernel"]);
    let mut logs = logs(folder.path());
    let config = r#"{"agents": [{"id": "something", "pane": "1", "goal": "g"}]}"#;
    logs.config = Some(Config::parse(config).unwrap());
    assert_eq!(logs.check(&"something".parse().unwrap()), Ok(()));
}

#[test]
fn numbers_are_of_the_agents_that_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for id in ["kernel", "docs"] {
        write(folder.path(), id, &night());
    }
    let of = |ids: &[&str]| {
        let options = StatsOptions {
            ids: ids.iter().map(|id| id.parse().unwrap()).collect(),
            span: Span::default(),
            json: false,
        };
        super::stats::text(&logs(folder.path()), &options, &clock(), 100)
    };
    assert!(of(&[]).unwrap().contains("\nall  "));
    let one = of(&["docs"]).unwrap();
    assert!(one.contains("docs") && !one.contains("kernel"), "{one}");
    assert_eq!(of(&["dosc"]).unwrap_err().kind, Kind::Usage);
}

#[test]
fn a_digest_is_of_whoever_did_something_and_whoever_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "kernel", &night());
    add(&folder.path().join("removed.memos.jsonl"), b"");
    add(&folder.path().join("idle.memos.jsonl"), b"");
    let mut logs = logs(folder.path());
    let config = r#"{"agents": [{"id": "idle", "pane": "1", "goal": "wait"}]}"#;
    logs.config = Some(Config::parse(config).unwrap());
    let clock = clock();
    let since = "24h"
        .parse::<crate::command::when::When>()
        .unwrap()
        .moment(&clock);
    let facts = facts(&logs, since, &clock).unwrap();
    let told: Vec<_> = facts
        .iter()
        .map(|it| (it.id.as_str(), it.goal.as_deref()))
        .collect();
    assert_eq!(told, [("idle", Some("wait")), ("kernel", None)]);
    let written = Ok(Digested {
        text: "## What needs you\n\nkernel\u{1b}[31m\n".into(),
        by: "gemini pro".into(),
        tokens: 900,
    });
    insta::assert_snapshot!("digest_by_model", by_model(&facts, since, &clock, written));
    let failed = Err("could not ask: connection refused".to_owned());
    insta::assert_snapshot!(
        "digest_without_model",
        by_model(&facts, since, &clock, failed)
    );
}
