//! The program as a process: commands from a pipe, signals, exit codes, a terminal in a pane of zellij itself.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use meta_orchestrator::host::process;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::common::agents::PaneAgent;
use super::common::model::{ask, instruct, leave};
use super::common::supervisor::Stage;
use super::common::zellij::{PATIENCE, signal, wait_for};

const PROGRAM: &str = env!("CARGO_BIN_EXE_meta-orchestrator");
const NEXT: &str = "Go on with part two.";
const READY: [&str; 2] = ["prompt", "say ● Part one is finished."];

/// The program on a pipe.
struct Run {
    child: Child,
    input: Option<ChildStdin>,
    said: Arc<Mutex<String>>,
}

impl Run {
    fn start(stage: &Stage) -> Self {
        Self::start_with(stage, &stage.config_path())
    }

    fn start_with(stage: &Stage, config: &Path) -> Self {
        let mut child = stage
            .zellij
            .command(PROGRAM)
            .args([OsStr::new("--config"), config.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let streams: [Box<dyn std::io::Read + Send>; 2] = [Box::new(out), Box::new(err)];
        for stream in streams {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let mut said = said.lock().unwrap();
                    said.push_str(&line);
                    said.push('\n');
                }
            });
        }
        let input = child.stdin.take();
        Self { child, input, said }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    fn wait_for(&self, text: &str) {
        let give_up = Instant::now() + PATIENCE;
        while !self.said().contains(text) {
            assert!(
                Instant::now() < give_up,
                "{text:?} was not said, but:\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(15));
        }
    }

    /// Gives a command, and waits until `answer` is said.
    fn order(&mut self, command: &str, answer: &str) {
        writeln!(self.input.as_mut().unwrap(), "{command}").unwrap();
        self.wait_for(answer);
    }

    fn signal(&self, which: Signal) {
        let found = process::without_arguments(self.child.id()).unwrap();
        signal(found.identity, which);
    }

    fn wait_for_end(&mut self) -> ExitStatus {
        wait_for(PATIENCE, "the program's end", || {
            self.child.try_wait().unwrap()
        })
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_config(stage: &Stage, config: &Value) {
    std::fs::write(stage.config_path(), config.to_string()).unwrap();
}

#[test]
fn a_whole_session_over_a_pipe() {
    let (stage, agent) = Stage::with_agent(&READY);
    write_config(&stage, &stage.config(&[]));
    stage
        .model
        .says([ask("Postgres or SQLite?"), instruct(NEXT), leave()]);
    let mut run = Run::start(&stage);
    let pane = &agent.pane;
    run.order(
        &format!("/add a1 {pane} Ship the parser # all of it"),
        &format!("a1 watches {pane}, where `pane-agent` runs"),
    );
    run.order("/set a1 kind generic", "it is typed to by what prompts");
    run.order("/set a1 pollSec 0.2", "its pane is read every 0.2 s");
    run.order("/set a1 stallSec 0.5", "a stall is 0.5 s without a change");
    run.wait_for("a1 needs you: Postgres or SQLite?");
    run.order("/list", "awaiting-user");
    run.order("/reply a1 SQLite, please", "delivered to a1");
    run.wait_for(&format!("a1: was told: {NEXT}"));
    assert_eq!(agent.typed(), format!("SQLite, please\r{NEXT}\r"));
    wait_for(PATIENCE, "the question after that", || {
        (stage.model.asked().len() >= 3).then_some(())
    });
    run.order(
        "/log a1",
        &format!("1 new line; last: ● Understood: {NEXT}"),
    );
    run.order("/stop nobody", "there is no agent `nobody`");
    run.order("/save", "saved to ");
    run.order("/quit", "no longer watched");
    let ended = run.wait_for_end();
    assert_eq!(
        ended.code(),
        Some(2),
        "that of the last command that failed"
    );
    let saved: Value =
        serde_json::from_str(&std::fs::read_to_string(stage.config_path()).unwrap()).unwrap();
    assert_eq!(saved["agents"][0]["goal"], "Ship the parser # all of it");
    assert_eq!(saved["agents"][0]["stallSec"], 0.5);
    assert_eq!(saved["agents"][0]["kind"], "generic");
}

#[test]
fn a_signal_between_our_text_and_enter_ends_the_program_without_enter() {
    for which in [Signal::TERM, Signal::INT, Signal::HUP] {
        let (stage, agent) = Stage::with_agent(&READY);
        stage.model.says([instruct(NEXT)]);
        let mut config = stage.config(&[("a1", &agent)]);
        config["timing"]["enterPauseSec"] = json!(3);
        write_config(&stage, &config);
        let mut run = Run::start(&stage);
        agent.wait_for_typed(NEXT);
        run.signal(which);
        let begun = Instant::now();
        let ended = run.wait_for_end();
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{which:?}: {:?}",
            begun.elapsed()
        );
        assert_eq!(ended.code(), Some(0), "{which:?}: {}", run.said());
        let log = stage.log_dir().join("a1.decisions.jsonl");
        let record = std::fs::read_to_string(log).unwrap();
        assert!(
            record.contains("it was stopped before Enter"),
            "{which:?}: {record}"
        );
        assert_eq!(agent.typed(), NEXT, "{which:?}");
    }
}

#[test]
fn a_second_supervisor_is_told_who_has_the_configuration_or_the_pane() {
    let (stage, agent) = Stage::with_agent(&READY);
    write_config(&stage, &stage.config(&[("a1", &agent)]));
    let mut first = Run::start(&stage);
    first.order("/list", "a1");
    let mut second = Run::start(&stage);
    assert_eq!(second.wait_for_end().code(), Some(1));
    let holder = format!("process {}", first.child.id());
    second.wait_for("another supervisor has the configuration");
    second.wait_for(&holder);

    let other = stage.zellij.home().join("other.json");
    std::fs::copy(stage.config_path(), &other).unwrap();
    let mut third = Run::start_with(&stage, &other);
    third.wait_for(&format!("another supervisor has the pane {}", agent.pane));
    third.wait_for(&holder);
    third.order("/list", "error");
    // The first one is not disturbed.
    stage.model.says([instruct(NEXT), leave()]);
    agent.order("say ● Found one more thing.");
    agent.wait_for_line(NEXT);
    assert_eq!(agent.typed(), format!("{NEXT}\r"));
}

#[test]
fn a_supervisor_in_a_pane_never_supervises_itself() {
    let stage = Stage::open();
    write_config(&stage, &stage.config(&[]));
    let config = stage.config_path().display().to_string();
    let pane = stage
        .zellij
        .open_pane(&[PROGRAM, "--repl", "--config", &config]);
    stage.zellij.wait_until_shown(&pane, "/help");
    for name in [pane.pane.number().to_string(), pane.to_string()] {
        stage
            .zellij
            .type_as_person(&pane, &format!("/add me {name} Watch yourself\n"));
        let squashed = wait_for(PATIENCE, "a refusal", || {
            let shown: String = stage.zellij.dump(pane.pane).split_whitespace().collect();
            shown
                .contains("isthepanethatthisprogramrunsin")
                .then_some(shown)
        });
        assert!(!squashed.contains("mewatches"), "{squashed}");
        stage.zellij.type_as_person(&pane, "/help list\n");
    }
    // The control: a pane of somebody else is watched.
    let agent = PaneAgent::open(&stage.zellij, "a1", &READY);
    stage.zellij.type_as_person(
        &pane,
        &format!("/add a1 {} Work\n", agent.pane.pane.number()),
    );
    wait_for(PATIENCE, "the agent to be watched", || {
        let shown: String = stage.zellij.dump(pane.pane).split_whitespace().collect();
        shown.contains("a1watches").then_some(())
    });
}
