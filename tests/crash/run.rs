//! One run of the supervisor, and what it leaves on the disk.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::model::Model;

/// Where a test keeps the configuration and the logs.
pub struct Place {
    pub config: PathBuf,
    pub logs: PathBuf,
}

impl Place {
    /// A configuration of quick agents with these ids and panes, decided about by `model`.
    pub fn new(test: &TestZellij, model: &Model, agents: &[(&str, String)]) -> Self {
        let this = Self {
            config: test.home().join("mo.json"),
            logs: test.home().join("logs"),
        };
        let agents: Vec<_> = agents
            .iter()
            .map(|(id, pane)| {
                json!({"id": id, "pane": pane, "goal": format!("the goal of {id}"),
                    "stallSec": 0.3, "pollSec": 0.2, "kind": "generic"})
            })
            .collect();
        this.write(&json!({
            "agents": agents,
            "logDir": this.logs,
            "zellijSession": test.session().as_str(),
            "decideBackend": {"type": "openaiCompat", "baseUrl": model.base_url(), "model": "m"},
            "limits": {"nudgesPerHour": 100_000, "callsPerDay": 100_000, "tokensPerDay": 100_000_000},
            "timing": {"enterPauseSec": 0.6, "zellijTimeoutSec": 10, "personQuietSec": 0.5},
        }));
        this
    }

    pub fn read(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(&self.config).unwrap()).unwrap()
    }

    pub fn write(&self, config: &Value) {
        std::fs::write(&self.config, config.to_string()).unwrap();
    }

    /// Changes one field of the configuration.
    pub fn set(&self, field: &str, value: Value) {
        let mut config = self.read();
        config[field] = value;
        self.write(&config);
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.logs.join(name)
    }

    /// The whole lines of a log that are records.
    pub fn records(&self, name: &str) -> Vec<Value> {
        records(&self.log(name))
    }

    pub fn memos(&self, id: &str) -> Vec<Value> {
        self.records(&format!("{id}.memos.jsonl"))
    }

    pub fn decisions(&self, id: &str) -> Vec<Value> {
        self.records(&format!("{id}.decisions.jsonl"))
    }
}

pub fn records(path: &Path) -> Vec<Value> {
    let text = std::fs::read(path).unwrap_or_default();
    let whole = text
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.ends_with(b"\n"));
    whole
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

/// The text of an intent whose end is not on record.
pub fn interrupted(decisions: &[Value]) -> Option<String> {
    let last = decisions
        .iter()
        .rposition(|line| line["step"] == "intent")?;
    let id = &decisions[last]["id"];
    let ended = decisions[last..]
        .iter()
        .any(|line| line["step"] == "receipt" && line["id"] == *id);
    (!ended).then(|| decisions[last]["text"].as_str().unwrap().to_owned())
}

/// A supervisor process. Killed when it is dropped.
pub struct Run {
    child: Child,
    stdin: Option<ChildStdin>,
    out: Heard,
    err: Heard,
}

/// What a stream said so far.
#[derive(Clone)]
struct Heard(Arc<Mutex<String>>);

impl Heard {
    fn listen(stream: impl Read + Send + 'static) -> Self {
        let heard = Self(Arc::default());
        let said = heard.clone();
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream
                .read_until(b'\n', &mut line)
                .is_ok_and(|bytes| bytes > 0)
            {
                said.0
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        heard
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

/// How the answer to `/help quit` begins and ends, which no other does.
const MARK: &str = "/quit\n\nStops every agent";
const MARK_END: &str = "\n  /quit\n";

impl Run {
    /// Starts the program on a configuration.
    pub fn start(test: &TestZellij, place: &Place, options: &[&str]) -> Self {
        Self::start_by(
            test,
            env!("CARGO_BIN_EXE_meta-orchestrator"),
            &[],
            place,
            options,
        )
    }

    /// Starts it through another program, which gets `before` first.
    pub fn start_by(
        test: &TestZellij,
        program: &str,
        before: &[&str],
        place: &Place,
        options: &[&str],
    ) -> Self {
        let mut child = test
            .command(program)
            .args(before)
            .args(["--repl", "--config", place.config.to_str().unwrap()])
            .args(options)
            .env_remove("META_ORCHESTRATOR_CONFIG")
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take(),
            out: Heard::listen(child.stdout.take().unwrap()),
            err: Heard::listen(child.stderr.take().unwrap()),
            child,
        }
    }

    /// All that it said by itself, and its errors.
    pub fn said(&self) -> String {
        self.err.text()
    }

    /// Waits until it has said something by itself that holds `text`.
    pub fn wait_until_said(&self, text: &str) {
        let what = format!("`{text}`");
        wait_for(PATIENCE, &what, || self.said().contains(text).then_some(()));
    }

    /// Hands it a line, and does not wait.
    pub fn type_line(&mut self, line: &str) {
        // what is no longer there cannot be spoken to, which the test finds out by itself
        let stdin = self.stdin.as_mut().unwrap();
        let _ = stdin.write_all(format!("{line}\n").as_bytes());
    }

    /// Hands it a line and gives its answer, a failure too.
    pub fn ask(&mut self, line: &str) -> String {
        let (out, err) = (self.out.text().len(), self.err.text().len());
        self.type_line(line);
        self.type_line("/help quit");
        let answer = wait_for(PATIENCE, &format!("an answer to `{line}`"), || {
            assert!(!self.has_ended(), "it ended: {}", self.said());
            let answer = self.out.text()[out..].to_owned();
            (answer.contains(MARK) && answer.ends_with(MARK_END)).then_some(answer)
        });
        let answer = answer.split(MARK).next().unwrap().to_owned();
        if answer.is_empty() {
            // failures go the other way
            return wait_for(PATIENCE, &format!("an error after `{line}`"), || {
                let said = self.err.text()[err..].to_owned();
                said.contains("error: ").then_some(said)
            });
        }
        answer
    }

    pub fn list(&mut self) -> String {
        self.ask("/list")
    }

    /// Waits until `/list` is as wanted, and gives it.
    pub fn wait_until_listed(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        wait_for(PATIENCE, what, || {
            Some(self.list()).filter(|list| wanted(list))
        })
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it: from now on it does nothing at all.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        assert_eq!(self.child.wait().unwrap().signal(), Some(9));
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Ends its input.
    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Waits for its end, which comes by itself; gives the status and how long that took.
    pub fn wait(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let status = wait_for(PATIENCE, "the program's end", || {
            self.child.try_wait().unwrap()
        });
        (status, began.elapsed())
    }

    /// Leaves it by `/quit`.
    pub fn quit(&mut self) {
        self.type_line("/quit");
        let (status, _) = self.wait();
        assert!(status.success(), "{status}: {}", self.said());
    }

    /// The same where an answer of the person may have been withheld: it is given again then, and its refusal is what
    /// the exit code tells.
    pub fn quit_after_answers(&mut self) {
        self.type_line("/quit");
        let (status, _) = self.wait();
        let said = self.said();
        let was_withheld = status.code() == Some(4) && said.contains("error: nothing was typed to");
        assert!(status.success() || was_withheld, "{status}: {said}");
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!(
                "--- answers\n{}\n--- said\n{}",
                self.out.text(),
                self.err.text()
            );
        }
    }
}
