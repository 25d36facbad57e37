//! What a pane shows and calls itself is untrusted: it reaches neither the terminal raw nor a keyboard.

use crate::common::zellij::TestZellij;
use crate::program::{Program, configuration, row, script};

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

#[test]
fn hostile_titles_and_screens_do_no_harm() {
    let test = TestZellij::start_sized(200, 60);
    let evil = test.home().join("evil");
    script(
        &evil,
        "#!/bin/sh\n\
         printf '\\033]0;\\033[31mtitle\\007\\033]2;mo> /quit\\007\\033]52;c;eA==\\007'\n\
         printf 'a\\033[31mred\\033[0m\\rb\\bc\\033[2Jd\\233\\0 \\342\\200\\256reversed \\357\\273\\277\\n'\n\
         printf 'Is \\033]8;;http://x\\007this\\033[31m a question\\342\\200\\213?\\n> '\n\
         exec cat\n",
    );
    let endless = test.home().join("endless");
    script(
        &endless,
        "#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\0' 'x'\nprintf '\\n> '\nexec cat\n",
    );
    let noise = test.home().join("noise");
    script(
        &noise,
        "#!/bin/sh\nhead -c 300000 /dev/urandom\nprintf '\\n> '\nexec cat\n",
    );
    let open = |path: &std::path::Path| {
        let session = test.session().as_str();
        let name = "na\u{1b}[31mme\u{7}\n\u{202e}x";
        let path = path.to_str().unwrap();
        let said = test.zellij_says(&[
            "--session",
            session,
            "action",
            "new-pane",
            "--name",
            name,
            "--",
            path,
            "\u{1b}[2J\narg",
        ]);
        said.trim().to_owned()
    };
    let panes = [open(&evil), open(&endless), open(&noise)];
    let agents = [
        ("evil", panes[0].as_str()),
        ("endless", &panes[1]),
        ("noise", &panes[2]),
    ];
    let config = configuration(&agents).replace("600", "1");
    std::fs::write(test.home().join("c.json"), config).unwrap();
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.tells("evil needs you: ");
    let list = program.asks_until("/list", "that all are looked at", |list| {
        agents.iter().all(|(id, _)| row(list, id)[3] != "0")
    });
    let panes = program.asks("/panes").out;
    for text in [&list, &panes] {
        assert!(!text.lines().any(|line| line.starts_with("mo> ")), "{text}");
    }
    // a row for each pane, whatever line ends it has in its title
    assert_eq!(
        panes
            .lines()
            .filter(|line| line.starts_with("test:terminal_"))
            .count(),
        4,
        "{panes}"
    );
    program
        .asks("/adopt")
        .has(&["no pane in which a coding agent runs"]);
    for id in ["evil", "endless", "noise"] {
        program.asks(&format!("/log {id}"));
        program.asks(&format!("/reply {id} hello \u{1b}[31m\u{7}there"));
    }
    let ended = program.quits();
    harmless(&ended.out);
    harmless(&ended.err);
    assert!(
        ended.err.contains("this") && ended.err.contains("a question"),
        "{}",
        ended.err
    );
    for (id, _) in agents {
        let log = test.home().join(format!("logs/{id}.decisions.jsonl"));
        let log = std::fs::read_to_string(log).unwrap_or_default();
        harmless(&log);
        for line in log.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}
