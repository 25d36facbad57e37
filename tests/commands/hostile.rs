//! What a pane shows and calls itself is untrusted: it reaches neither the terminal raw nor a keyboard.

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::program::{Program, argument, configuration, row, script};

/// Ends without anything that a terminal would act on.
#[track_caller]
fn harmless(text: &str) {
    let bad = text
        .chars()
        .find(|one| one.is_control() && !matches!(one, '\n' | '\t'));
    assert_eq!(
        bad,
        None,
        "in {:?}",
        text.chars().take(4_000).collect::<String>()
    );
}

/// Opens a pane that runs `text` as a script, under a name and with an argument that are hostile themselves,
/// and waits for its prompt: whoever is accepted at the start is then the one that stays.
fn open(test: &TestZellij, name: &str, prints: &str) -> String {
    let path = test.home().join(name);
    script(
        &path,
        &format!("#!/bin/sh\n{prints}\nprintf '\\n> '\nexec cat\n"),
    );
    let pane = test.open_pane(&[argument(&path), "\u{1b}[2J\narg"]);
    wait_for(PATIENCE, "a prompt", || {
        let shown = test.dump(pane.pane);
        shown.trim_end().ends_with('>').then_some(())
    });
    let (pane, title) = (pane.pane.to_string(), "na\u{1b}[31mme\u{7}\n\u{202e}x");
    test.action(&["rename-pane", "--pane-id", &pane, "--", title]);
    pane
}

/// Supervises these panes, asks whatever shows something of them, and looks at all that was said and written.
fn supervise(test: &TestZellij, agents: &[(&str, &str)], awaited: &[&str]) {
    let config = configuration(agents).replace("600", "1");
    std::fs::write(test.home().join("c.json"), config).unwrap();
    let mut program = Program::start(test, &["--config", "c.json"]);
    for text in awaited {
        program.tells(text);
    }
    let list = program.asks_until("/list", "that all are looked at", |list| {
        agents.iter().all(|(id, _)| row(list, id)[3] != "0")
    });
    let panes = program.asks("/panes").out;
    for text in [&list, &panes] {
        assert!(!text.lines().any(|line| line.starts_with("mo> ")), "{text}");
    }
    // a row for each pane, whatever line ends it has in its title
    let rows = panes
        .lines()
        .filter(|line| line.starts_with("test:terminal_"));
    assert_eq!(rows.count(), agents.len() + 1, "{panes}");
    program
        .asks("/adopt")
        .has(&["no pane in which a coding agent runs"]);
    for (id, _) in agents {
        program.asks(&format!("/log {id}"));
        program.asks(&format!("/reply {id} hello \u{1b}[31m\u{7}there"));
    }
    let ended = program.quits();
    harmless(&ended.out);
    harmless(&ended.err);
    for (id, _) in agents {
        let log = test.home().join(format!("logs/{id}.decisions.jsonl"));
        let log = std::fs::read_to_string(log).unwrap();
        harmless(&log);
        for line in log.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}

#[test]
fn hostile_titles_and_screens_do_no_harm() {
    let test = TestZellij::start_sized(200, 60);
    // escape and shift-out (after which zellij shows other letters) apart; zellij itself ends at some of the
    // bytes from 0x80 on
    let bytes: Vec<u8> = (0..0x80)
        .filter(|byte| ![0x0e, 0x1b].contains(byte))
        .collect();
    std::fs::write(test.home().join("bytes"), bytes).unwrap();
    let noise = open(&test, "noise", "cat bytes bytes");
    let evil = open(
        &test,
        "evil",
        "printf '\\033]0;\\033[31mtitle\\007\\033]2;mo> /quit\\007\\033]52;c;eA==\\007'\n\
         printf 'a\\033[31mred\\033[0m\\rb\\bc\\033[2Jd\\0 \\342\\200\\256reversed \\357\\273\\277\\n'\n\
         printf 'Is \\033]8;;http://x\\007this\\033[31m a question\\342\\200\\213?'",
    );
    let agents = [("noise", noise.as_str()), ("evil", &evil)];
    supervise(&test, &agents, &["evil needs you: It asks: "]);
}

#[test]
fn a_line_of_a_megabyte_does_no_harm() {
    let test = TestZellij::start_sized(200, 60);
    // nothing is opened after it: zellij takes long to lay such a line out anew
    let endless = open(&test, "endless", "head -c 1000000 /dev/zero | tr '\\0' 'x'");
    supervise(&test, &[("endless", &endless)], &["endless"]);
}
