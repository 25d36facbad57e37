//! Makes the pictures of the README from a real run: agents in panes of a zellij session of their own, the TUI in
//! one more, typed to by keys. `scripts/pictures` calls it.
//!
//! `pictures PROGRAM FOLDER`: the program to show, and where `table.svg` and `detail.svg` go. The agents are the
//! simulated ones of the demo and of the tests, the model is a scripted one; all else is as it is.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program of its own that fails by panicking, makes its own files and says what it does"
)]

#[path = "../common/mod.rs"]
mod common;
mod svg;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use common::agents::{PaneAgent, open_floating};
use common::model::{Answer, Asked, Model};
use common::zellij::{PATIENCE, TestZellij, wait_for};
use meta_orchestrator::ids::PaneAddress;
use serde_json::json;

/// The terminal in the pictures, zellij's frames not counted.
const COLUMNS: u16 = 126;
const ROWS: u16 = 38;

/// Who plays: name, goal, and what the model says about it the first, the second time and so on.
type Role = (&'static str, &'static str, &'static [Line]);
type Line = (&'static str, &'static str, &'static str);

const ROLES: [Role; 6] = [
    (
        "parser",
        "Make the parser accept nested lists; the tests in tests/nested.rs pass",
        &[
            (
                "instruct",
                "The grammar is read, and nothing has been changed yet.",
                "Write the failing test for a list in a list first, then change parse_list in src/parser.rs.",
            ),
            (
                "instruct",
                "The new test passes, but only that one was run.",
                "Run the whole test suite before you go on, and tell me what else has changed.",
            ),
        ],
    ),
    (
        "schema",
        "Write the schema of the service in db/schema.sql",
        &[(
            "ask_user",
            "Only the person can choose the database.",
            "Which database should the service use, Postgres or SQLite?",
        )],
    ),
    (
        "docs",
        "Write the user guide, one chapter after the other",
        &[
            (
                "instruct",
                "A chapter is done, and the next one is named in the goal.",
                "Go on with the chapter on installing.",
            ),
            ("continue", "It is reading what it has just written.", ""),
        ],
    ),
    (
        "fixtures",
        "Mend the tests of the parser",
        &[
            (
                "instruct",
                "It stopped at a failing test without saying why.",
                "Find the cause of \"2 tests failed\", fix it, and run the check that showed it again.",
            ),
            ("continue", "All tests pass; nothing is left to do.", ""),
        ],
    ),
    (
        "kernel-bwd",
        "Make the backward kernel as fast as the forward one, measured at every step",
        &[("continue", "A measurement of ten minutes is under way.", "")],
    ),
    (
        "release",
        "Prepare the release 2.4; publish nothing",
        &[("continue", "It waits for the other agents.", "")],
    ),
];

fn main() {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [program, folder] = arguments.as_slice() else {
        panic!("usage: pictures PROGRAM FOLDER");
    };
    let stage = Stage::open(program);
    let table = stage.table();
    write(
        folder,
        "table.svg",
        &table,
        "The table of agents, with the inbox: two of six agents wait for the person",
    );
    let detail = stage.detail();
    write(
        folder,
        "detail.svg",
        &detail,
        "One agent in detail: its pane, its state with the evidence, its timeline",
    );
    stage.leave();
}

fn write(folder: &Path, name: &str, dump: &str, title: &str) {
    let path = folder.join(name);
    std::fs::write(&path, svg::picture(dump, COLUMNS, ROWS, title)).unwrap();
    println!("{}", path.display());
}

/// The session with everybody in it.
struct Stage {
    zellij: TestZellij,
    tui: PaneAddress,
    parser: PaneAgent,
    _model: Model,
}

impl Stage {
    fn open(program: &Path) -> Self {
        let mut zellij = TestZellij::start_named("work");
        // a frame around the pane, and a bar above and below it
        zellij.attach(u32::from(COLUMNS) + 2, u32::from(ROWS) + 4);
        let model = Model::start();
        let said = Mutex::new(BTreeMap::new());
        model.answers(move |asked| answer(asked, &mut said.lock().unwrap()));
        let parser =
            PaneAgent::open_program("fake-claude", &zellij, "parser", &["idle after-answer"]);
        let kernel = PaneAgent::open(&zellij, "kernel-bwd", &["busy 800"]);
        let release = PaneAgent::open_program("fake-claude", &zellij, "release", &["idle fresh"]);
        release.order("say The changelog is written. Nothing has been published.");
        let demo = |kind: &str| {
            let command = [&program.display().to_string(), "demo-agent", kind].map(str::to_owned);
            open_floating(&zellij, zellij.session(), &command)
        };
        let panes = [
            ("parser", parser.pane.clone(), "claude"),
            ("schema", demo("asker"), "generic"),
            ("docs", demo("worker"), "generic"),
            ("fixtures", demo("staller"), "generic"),
            ("kernel-bwd", kernel.pane, "generic"),
            ("release", release.pane, "claude"),
        ];
        let agents = panes.map(|(name, pane, kind)| {
            let (_, goal, _) = ROLES.iter().find(|(role, ..)| *role == name).unwrap();
            json!({
                "id": name, "pane": pane.to_string(), "goal": goal, "kind": kind,
                "pollSec": 1, "stallSec": 2, "observe": name == "release",
            })
        });
        let config = json!({
            "agents": agents,
            "logDir": zellij.home().join("logs"),
            "decideBackend": {
                "type": "openaiCompat", "baseUrl": model.url(), "model": "gemma-3-12b", "timeoutSec": 10,
            },
            "timing": { "personQuietSec": 0.5 },
        });
        // in a folder of its own, whose name is not to be seen
        let project = zellij.home().join("project");
        std::fs::create_dir(&project).unwrap();
        std::fs::write(
            project.join("meta_orchestrator.config.json"),
            config.to_string(),
        )
        .unwrap();
        let line = format!(
            "cd '{}' && TERM=xterm-256color exec '{}' --config meta_orchestrator.config.json",
            project.display(),
            program.display()
        );
        let command = ["bash", "-c", &line].map(str::to_owned);
        let tui = open_floating(&zellij, zellij.session(), &command);
        Self {
            zellij,
            tui,
            parser,
            _model: model,
        }
    }

    /// Plays until there is something to be seen, and shows the table.
    fn table(&self) -> String {
        self.parser.wait_for_line(ROLES[0].2[0].2);
        self.parser.order("say Two tests written, both red. parse_list now calls itself for a list in a list, and both are green.");
        self.parser.wait_for_line(ROLES[0].2[1].2);
        self.parser
            .order("dialog cargo test --workspace --all-features");
        self.sees("2 need you", "two agents that need the person");
        self.settled()
    }

    /// Opens the agent with the dialog.
    fn detail(&self) -> String {
        for _ in 0..ROLES.len() {
            self.types("\r");
            let shown = wait_for(PATIENCE, "a view of one agent", || {
                let shown = self.text();
                (shown.contains("goal: ") && shown.contains("Timeline")).then_some(shown)
            });
            if shown.contains("goal: Make the parser") {
                self.sees("Do you want to proceed", "its pane");
                self.sees("Sources; ", "its state");
                self.types("\t");
                self.sees("▸ Timeline", "the timeline");
                // to the decision before the question
                self.types("j");
                self.types("j");
                return self.settled();
            }
            self.types("\u{1b}");
            self.sees("2 need you", "the table");
            self.types("j");
        }
        panic!("no agent with that goal:\n{}", self.text());
    }

    /// Leaves as a person does.
    fn leave(&self) {
        self.types("\u{1b}");
        self.types("q");
        self.types("y");
    }

    fn types(&self, keys: &str) {
        self.zellij.action(&[
            "write-chars",
            "--pane-id",
            &self.tui.pane.to_string(),
            "--",
            keys,
        ]);
    }

    fn text(&self) -> String {
        self.zellij.dump(self.tui.pane)
    }

    fn dump(&self) -> String {
        self.zellij.action(&[
            "dump-screen",
            "--ansi",
            "--pane-id",
            &self.tui.pane.to_string(),
        ])
    }

    fn sees(&self, text: &str, what: &str) {
        let mut last = String::new();
        let give_up = Instant::now() + PATIENCE;
        while Instant::now() < give_up {
            last = self.text();
            if last.contains(text) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("waited for {what} ({text:?}), and saw:\n{last}");
    }

    /// What is shown once every agent is well and nothing but clocks moves any more.
    fn settled(&self) -> String {
        let still = |text: &str| -> String {
            let letters = text.chars().filter(|character| !character.is_ascii_digit());
            letters.collect()
        };
        let mut before = (String::new(), Instant::now());
        wait_for(PATIENCE, "a screen that stands still", || {
            let text = self.text();
            if still(&text) != before.0 || text.contains(" error ") {
                before = (still(&text), Instant::now());
            }
            (before.1.elapsed() > Duration::from_secs(2)).then(|| self.dump())
        })
    }
}

impl Drop for Stage {
    /// What explains a run that failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the TUI shows:\n{}", self.text());
        }
    }
}

/// What the model says about whom it is asked about.
fn answer(asked: &Asked, said: &mut BTreeMap<&'static str, usize>) -> Answer {
    let role = ROLES
        .iter()
        .find(|(_, goal, _)| asked.user().contains(goal));
    let Some((name, _, lines)) = role else {
        return common::model::leave();
    };
    let count = said.entry(name).or_default();
    let (action, reasoning, text) = lines[(*count).min(lines.len() - 1)];
    *count += 1;
    let quote = common::model::quote(asked.screen());
    let verdict = json!({ "action": action, "reasoning": reasoning, "text": text, "quote": quote });
    Answer::Text(verdict.to_string())
}
