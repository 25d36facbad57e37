//! The program itself in a terminal, from start to quit, with agents that it watches.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::common::agents::{PaneAgent, shlex};
use crate::common::zellij::{PATIENCE, signal, wait_for};
use crate::desk::{Desk, has_ended};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_meta-orchestrator");
const NAME: &str = "meta-orchestrator";

/// A shell in which the program watches `agent`, which is like Claude Code.
pub struct Stage {
    pub desk: Desk,
    pub agent: PaneAgent,
}

impl Stage {
    fn begun(columns: u32, rows: u32, orders: &[&str]) -> Self {
        let stage = Self::open(columns, rows, orders);
        stage.desk.runs(&stage.line(), "a1");
        stage
    }

    pub fn open(columns: u32, rows: u32, orders: &[&str]) -> Self {
        let desk = Desk::open(columns, rows);
        let mut all = vec!["idle after-answer"];
        all.extend(orders);
        let agent = PaneAgent::open_program("fake-claude", &desk.zellij, "a1", &all);
        let config = json!({
            "agents": [{
                "id": "a1", "pane": agent.pane.to_string(), "goal": "make it twice as fast", "kind": "claude",
                "pollSec": 0.2, "stallSec": 600,
            }],
            "logDir": desk.folder.join("logs"),
            "decideBackend": { "type": "builtin" },
            "timing": { "zellijTimeoutSec": 2, "personQuietSec": 0.5 },
        });
        std::fs::write(desk.folder.join("config.json"), config.to_string()).unwrap();
        // the agent's pane floats above the shell's, which is typed to and read all the same
        Self { desk, agent }
    }

    pub fn line(&self) -> String {
        let config = self.desk.folder.join("config.json").display().to_string();
        shlex(&[PROGRAM.into(), "--config".into(), config])
    }

    /// Leaves as a person does.
    pub fn leaves(&self) {
        self.desk.types("q");
        self.desk.sees("y yes");
        self.yes(|| self.desk.shown().contains("before the 42"));
    }

    /// Says yes until it counts: not before the question has been on the screen for a moment.
    pub fn yes(&self, done: impl Fn() -> bool) {
        wait_for(PATIENCE, "a yes that counts", || {
            self.desk.types("y");
            let until = Instant::now() + Duration::from_millis(500);
            while Instant::now() < until {
                if done() {
                    return Some(());
                }
            }
            None
        });
    }

    /// Answers the dialog with its first option, in two keys, until that reaches the agent; `asked` is called
    /// between the two. A dialog that opened only just now is not answered, for the person may not have read
    /// it; nor is one whose row has just come, nor one that could not be read twice in time.
    pub fn answers(&self, asked: impl Fn()) {
        wait_for(PATIENCE, "the answer", || {
            let until = || Instant::now() + Duration::from_secs(2);
            let asks = || self.desk.shown().contains("y yes");
            self.desk.types("a");
            let give_up = until();
            while !asks() {
                if Instant::now() > give_up {
                    return None;
                }
            }
            asked();
            self.yes(|| !asks());
            let answered = || self.agent.read("answers").contains("Yes");
            let give_up = until();
            while !answered() && Instant::now() < give_up {}
            answered().then_some(())
        });
    }
}

#[test]
fn from_start_to_quit_and_the_terminal_is_as_it_was() {
    let stage = Stage::begun(120, 36, &["say All three tests pass now."]);
    stage.desk.types("\r");
    stage.desk.sees("goal: make it twice as fast");
    stage.desk.sees("All three tests pass now.");
    stage.desk.types("\t");
    stage.desk.sees("▸ Timeline");
    stage.desk.types("\u{1b}");
    stage.desk.sees("AGENT");
    stage.desk.types(":explain a1\r");
    stage.desk.sees("Sources; ");
    stage.desk.types("\u{1b}");
    stage.leaves();
    stage.desk.is_given_back();
}

#[test]
fn a_dialog_is_answered_in_two_keys_and_the_receipt_is_shown() {
    let stage = Stage::begun(120, 36, &["dialog touch made.txt"]);
    stage.desk.sees("touch made.txt");
    stage.desk.sees("1 needs you");
    assert_eq!(stage.agent.read("answers"), "");
    stage.answers(|| assert_eq!(stage.agent.read("answers"), "", "one key answers nothing"));
    stage.desk.sees("delivered");
    stage.desk.sees("nobody needs you");
    stage.leaves();
    stage.desk.is_given_back();
    assert_eq!(stage.agent.read("ran").lines().count(), 1, "once");
}

#[test]
fn typed_words_do_nothing_but_in_the_command_line() {
    let stage = Stage::begun(100, 30, &["dialog touch made.txt"]);
    stage.desk.sees("1 needs you");
    // as somebody types who takes the window for the agent's
    stage.desk.types("please write the file and go on, yes");
    stage.desk.types("\u{1b}[200~a\ny\ny\n\u{1b}[201~");
    stage.desk.types("\u{1b}");
    stage.desk.sees("touch made.txt");
    assert_eq!(stage.agent.read("answers"), "");
    assert_eq!(stage.agent.read("typed"), "");
}

#[test]
fn a_signal_ends_it_in_order_and_the_terminal_is_as_it_was() {
    let stage = Stage::begun(100, 30, &[]);
    signal(stage.desk.front(NAME), Signal::TERM);
    stage.desk.is_given_back();
}

#[test]
fn it_is_drawn_anew_when_its_terminal_has_another_size() {
    // nobody is watched: a pane that floats would keep zellij at its own width
    let mut desk = Desk::open(140, 40);
    let config =
        json!({ "logDir": desk.folder.join("logs"), "decideBackend": { "type": "builtin" } });
    let path = desk.folder.join("config.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let line = shlex(&[
        PROGRAM.into(),
        "--config".into(),
        path.display().to_string(),
    ]);
    desk.runs(&line, "no agents yet");
    desk.zellij.detach();
    desk.zellij.attach(60, 16);
    wait_for(PATIENCE, "the screen of that size", || {
        let shown = desk.shown();
        let fits = |line: &str| line.chars().count() <= 60;
        let is_whole = shown.lines().next()?.contains("agents") && shown.contains("no agents yet");
        (is_whole && shown.lines().all(fits)).then_some(())
    });
    desk.types("q");
    // the smaller screen of the shell has lost what stood there before
    desk.shell("echo typed to the $((9*9))");
    desk.sees("typed to the 81");
}

#[test]
fn no_color_is_honoured() {
    let colours = |styled: &str| {
        let sequences = styled
            .split('\u{1b}')
            .filter_map(|rest| rest.strip_prefix('['));
        let codes =
            sequences.flat_map(|rest| rest.split('m').next().unwrap_or_default().split(';'));
        codes
            .filter(|code| matches!(*code, "38" | "48" | "31" | "32" | "33" | "36"))
            .count()
    };
    for (line, is_coloured) in [("unset NO_COLOR", true), ("export NO_COLOR=1", false)] {
        let stage = Stage::open(100, 30, &["dialog touch made.txt"]);
        stage.desk.shell(line);
        stage.desk.runs(&stage.line(), "1 needs you");
        stage.desk.types("\r");
        stage.desk.sees("goal: ");
        stage.desk.sees("Do you want to proceed?");
        let styled = stage.desk.styled();
        assert_eq!(colours(&styled) > 0, is_coloured, "{line}: {styled}");
    }
}

#[test]
fn on_a_terminal_that_cannot_draw_it_reads_lines() {
    let stage = Stage::open(100, 30, &[]);
    stage.desk.shell("export TERM=dumb");
    stage.desk.shell(&stage.line());
    stage.desk.sees("`/help` lists the commands");
    stage.desk.shell("/panes");
    stage.desk.sees("WHOSE");
    stage.desk.shell("/quit");
    stage.desk.sees("no longer watched\n$");
    stage.desk.shell("echo and $((2*21)) again");
    stage.desk.sees("and 42 again");
}

#[test]
fn it_ends_with_its_terminal_and_in_time_though_zellij_answers_nothing() {
    for stopped in [false, true] {
        let stage = Stage::begun(100, 30, &[]);
        let program = stage.desk.front(NAME);
        if stopped {
            stage.desk.zellij.stop_server();
            signal(program, Signal::TERM);
        } else {
            stage.desk.zellij.kill_server();
        }
        let began = Instant::now();
        has_ended(program);
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{:?}",
            began.elapsed()
        );
        stage.desk.zellij.continue_server();
    }
}
