//! The map of the program, kept: reads `src/` and fails on a use that breaks the order of the modules or one of
//! the doors. The order and the reasons are told in the documentation of `src/lib.rs`.
//!
//! Each rule is a function from a source file to its breaches, and is shown to fail on a made-up offender.

#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/source.rs"]
mod source;

use std::io;
use std::path::Path;

use rules::{Breach, doors, keys, length, map, order, pure};
use source::Source;

/// Every source file, without the files of test modules.
fn sources() -> io::Result<Vec<Source>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let file = path.strip_prefix(&root).map_err(io::Error::other)?;
                let text = std::fs::read_to_string(&path)?;
                found.push(Source::parse(
                    &file.to_string_lossy().replace('\\', "/"),
                    &text,
                ));
            }
        }
    }
    let tests: Vec<String> = found
        .iter()
        .flat_map(|source| source.test_files.clone())
        .collect();
    found.retain(|source| {
        let module = format!("{}/", source.module.join("/"));
        !tests
            .iter()
            .any(|test| module.starts_with(&format!("{test}/")))
    });
    found.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(found)
}

/// Fails with the breaches of `rule` in the real sources, as a person reads them.
#[track_caller]
fn assert_kept(rule: fn(&Source) -> Vec<Breach>) {
    let breaches: Vec<String> = match sources() {
        Ok(sources) => sources
            .iter()
            .flat_map(rule)
            .map(|breach| breach.to_string())
            .collect(),
        Err(error) => vec![format!("src/ could not be read: {error}")],
    };
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

/// The lines of `text`, as file `file`, in which `rule` finds a breach.
fn breached(rule: fn(&Source) -> Vec<Breach>, file: &str, text: &str) -> Vec<usize> {
    rule(&Source::parse(file, text))
        .into_iter()
        .map(|breach| breach.line)
        .collect()
}

#[test]
fn the_sources_are_found_and_read() {
    let sources = sources().unwrap();
    let ids = sources
        .iter()
        .find(|source| source.file == "config.rs")
        .unwrap();
    assert!(ids.paths.iter().any(|path| path.begins(&["crate", "ids"])));
    assert!(sources.iter().any(|source| source.file == "lib.rs"));
}

#[test]
fn a_module_uses_only_what_stands_before_it() {
    assert_kept(order);
}

#[test]
fn order_control() {
    let cases: [(&str, &str, &[usize]); 16] = [
        (
            "git.rs",
            "use crate::host::run;\nuse crate::agent::Agent;",
            &[2],
        ),
        (
            "git.rs",
            "use crate::{host, error::{Failure, Kind}, ui, hands::H};",
            &[1, 1],
        ),
        ("git.rs", "fn a() { crate::zellij::list() }", &[1]),
        (
            "llm/gemini.rs",
            "use super::super::{zellij, git, http};",
            &[1],
        ),
        ("llm/gemini.rs", "use super::zellij;", &[]),
        ("llm.rs", "use super::zellij;", &[1]),
        (
            "agent/machine.rs",
            "use crate::agent::view;\nuse super::driver;",
            &[],
        ),
        (
            "agent/driver.rs",
            "use crate::hands;\nuse crate::supervisor;",
            &[2],
        ),
        ("hands.rs", "use crate::agent;", &[1]),
        (
            "ids.rs",
            "// use crate::ui;\n/// [`crate::ui`]\nfn a() { b(\"crate::ui\") }",
            &[],
        ),
        ("ids.rs", "#[cfg(test)]\nmod tests { use crate::ui; }", &[]),
        (
            "ids.rs",
            "macro_rules! a { () => { $crate::ui::b() } }",
            &[1],
        ),
        (
            "ids.rs",
            "pub(crate) fn a(error: E) { error::b(); ui.c(); }",
            &[],
        ),
        ("ids.rs", "use meta_orchestrator::ui;", &[1]),
        ("main.rs", "use crate::ui;", &[]),
        ("lib.rs", "pub use crate::ui;", &[]),
    ];
    for (file, text, expected) in cases {
        assert_eq!(breached(order, file, text), expected, "{file}: {text}");
    }
}

#[test]
fn libraries_and_processes_stay_behind_their_doors() {
    assert_kept(doors);
}

#[test]
fn doors_control() {
    let cases: [(&str, &str, &[usize]); 18] = [
        ("ui/serve.rs", "use tokio::net::UnixListener;", &[1]),
        ("socket/place.rs", "use tokio::net::UnixListener;", &[]),
        ("llm/mod.rs", "\nuse reqwest::Client;", &[2]),
        ("llm/mod.rs", "fn a(client: &::reqwest::Client) {}", &[1]),
        ("http.rs", "use reqwest::Client;", &[]),
        ("agent/view.rs", "use ratatui::text::Line;", &[1]),
        ("command/mod.rs", "use clap::Parser;", &[1]),
        ("config.rs", "#[derive(clap::ValueEnum)]\nenum A {}", &[1]),
        ("ui/cli.rs", "use clap::Parser;", &[]),
        (
            "ui/tui/view.rs",
            "use ratatui::text::Line;\nuse crossterm::event;",
            &[],
        ),
        (
            "main.rs",
            "use clap::Parser;\nuse std::process::exit;",
            &[2],
        ),
        ("git.rs", "use std::process::Command;", &[1]),
        (
            "git.rs",
            "use std::{fmt, process::{Command, ExitCode}};",
            &[1],
        ),
        ("git.rs", "use tokio::{\n  process::Command,\n};", &[2]),
        ("git.rs", "use tokio::process;", &[1]),
        ("error.rs", "use std::process::ExitCode;", &[]),
        ("host/local.rs", "use tokio::process::Command;", &[]),
        (
            "git.rs",
            "#[cfg(test)]\nmod tests { use std::process::Command; }",
            &[],
        ),
    ];
    for (file, text, expected) in cases {
        assert_eq!(breached(doors, file, text), expected, "{file}: {text}");
    }
}

#[test]
fn only_hands_reaches_the_keyboard() {
    assert_kept(keys);
}

#[test]
fn keys_control() {
    let cases: [(&str, &str, &[usize]); 9] = [
        ("agent/driver.rs", "server.place(pane, text).await", &[1]),
        ("agent/driver.rs", "server\n  .press(pane, 13)", &[2]),
        ("supervisor.rs", "Server::press(&server, pane, 13)", &[1]),
        ("supervisor.rs", "let key = Server::place;", &[1]),
        ("ui/tui/update.rs", "zellij.r#press(pane)", &[1]),
        (
            "hands/mod.rs",
            "server.place(pane, text); server.press(pane, 13)",
            &[],
        ),
        ("zellij/mod.rs", "self.press(pane, 13)", &[]),
        (
            "agent/driver.rs",
            "// server.press(pane)\nlet place = 1; a(press, place.b)",
            &[],
        ),
        (
            "ui/tui/app.rs",
            "#[cfg(test)]\nmod tests { fn a() { app.press('q'); } }",
            &[],
        ),
    ];
    for (file, text, expected) in cases {
        assert_eq!(breached(keys, file, text), expected, "{file}: {text}");
    }
}

#[test]
fn pure_modules_are_pure() {
    assert_kept(pure);
}

#[test]
fn pure_control() {
    let cases: [(&str, &str, &[usize]); 16] = [
        ("screen/clean.rs", "pub async fn a() {}", &[1]),
        ("screen/clean.rs", "fn a() { b.await }", &[1]),
        ("director/policy.rs", "use tokio::time::Instant;", &[1]),
        (
            "director/policy.rs",
            "let a = std::time::SystemTime::now();",
            &[1],
        ),
        ("director/policy.rs", "let a =\n  Instant::now();", &[2]),
        ("director/builtin.rs", "let a = chrono::Utc::now();", &[1]),
        ("director/verdict.rs", "use std::{fmt, fs};", &[1]),
        ("director/prompt.rs", "rand::random()", &[1]),
        ("agent/machine.rs", "since.elapsed() > stall", &[1]),
        ("agent/machine/rules.rs", "std::env::var(\"A\")", &[1]),
        (
            "agent/machine.rs",
            "use std::time::Duration; let now = event.now;",
            &[],
        ),
        ("agent/machine.rs", "self.elapsed(now); Self::now()", &[]),
        (
            "agent/machine.rs",
            "// Instant::now()\nlet a = \"async std::fs\";",
            &[],
        ),
        (
            "agent/machine.rs",
            "#[cfg(test)]\nmod tests { use std::fs; }",
            &[],
        ),
        (
            "agent/driver.rs",
            "pub async fn a() { Instant::now() }",
            &[],
        ),
        ("director/mod.rs", "pub async fn decide() {}", &[]),
    ];
    for (file, text, expected) in cases {
        assert_eq!(breached(pure, file, text), expected, "{file}: {text}");
    }
}

#[test]
fn no_file_is_too_long() {
    assert_kept(length);
}

#[test]
fn length_control() {
    let tests = "#[cfg(test)]\nmod tests {\n}\n";
    let cases: [(&str, usize, &str, &[usize]); 4] = [
        ("git.rs", 500, "", &[]),
        ("git.rs", 501, "", &[501]),
        ("git.rs", 500, tests, &[]),
        ("git.rs", 501, tests, &[501]),
    ];
    for (file, lines, tests, expected) in cases {
        let text = "// a\n".repeat(lines) + tests;
        assert_eq!(breached(length, file, &text), expected, "{file}: {lines}");
    }
}

#[test]
fn only_modules_of_the_map_stand_at_the_top() {
    assert_kept(map);
}

#[test]
fn map_control() {
    let cases: [(&str, &[usize]); 6] = [
        ("utils.rs", &[1]),
        ("utils/mod.rs", &[1]),
        ("ui/utils.rs", &[]),
        ("zellij.rs", &[]),
        ("main.rs", &[]),
        ("lib.rs", &[]),
    ];
    for (file, expected) in cases {
        assert_eq!(breached(map, file, ""), expected, "{file}");
    }
}

#[test]
fn a_breach_says_where_and_which_rule() {
    let source = Source::parse("git.rs", "\nuse crate::ui;");
    let said: Vec<String> = order(&source).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["src/git.rs:2: `git` uses `ui`, which does not stand before it in the order"]
    );
}
