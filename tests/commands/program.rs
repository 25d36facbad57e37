//! The program as a script runs it: commands on stdin, answers and failures in files that can be read at any
//! moment.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use meta_orchestrator::ids::PaneAddress;

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};

/// The program under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_meta-orchestrator");

/// A command that does nothing, and whose answer ends with a line that no other answer has.
const MARK: &str = "/help quit";
const MARKED: &str = "For example:\n  /quit\n";

static STARTED: AtomicU32 = AtomicU32::new(0);

/// A running program.
pub struct Program {
    child: Child,
    keys: Option<std::process::ChildStdin>,
    out: PathBuf,
    err: PathBuf,
    /// How much of both was read by [`Program::asks`].
    read: (usize, usize),
}

/// What a command answered: on stdout and on stderr.
#[derive(Debug)]
pub struct Said {
    pub out: String,
    pub err: String,
}

impl Said {
    /// Fails unless all of `texts` were answered, and nothing failed.
    #[track_caller]
    pub fn has(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(self.out.contains(text), "no `{text}` in {self:#?}");
        }
        assert!(!self.err.contains("error:"), "{self:#?}");
        self
    }

    /// Fails unless the command was refused with all of `texts`.
    #[track_caller]
    pub fn refused(&self, texts: &[&str]) -> &Self {
        assert!(self.err.contains("error:"), "no failure in {self:#?}");
        for text in texts {
            assert!(self.err.contains(text), "no `{text}` in {self:#?}");
        }
        self
    }
}

/// What a program left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The program in the environment of `test`, in its home, not yet started.
pub fn command(test: &TestZellij, arguments: &[&str]) -> Command {
    let mut command = test.command(BINARY);
    command.args(arguments);
    for name in [
        "META_ORCHESTRATOR_CONFIG",
        "GEMINI_API_KEY",
        "META_ORCHESTRATOR_LOG",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs a command with `lines` on its stdin to its end.
pub fn run(command: Command, folder: &Path, lines: &str) -> Ended {
    let mut program = Program::begin(command, folder);
    program.sends(lines);
    program.ends()
}

impl Program {
    /// Starts the program in the session of `test`.
    pub fn start(test: &TestZellij, arguments: &[&str]) -> Self {
        Self::begin(command(test, arguments), test.home())
    }

    /// Starts a command, which leaves what it says in `folder`.
    pub fn begin(mut command: Command, folder: &Path) -> Self {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let said = |what: &str| folder.join(format!("said-{number}.{what}"));
        let (out, err) = (said("out"), said("err"));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .spawn()
            .unwrap();
        Self {
            keys: child.stdin.take(),
            child,
            out,
            err,
            read: (0, 0),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it wrote to stdout so far.
    pub fn out(&self) -> String {
        text(&self.out)
    }

    /// All that it wrote to stderr so far.
    pub fn err(&self) -> String {
        text(&self.err)
    }

    /// Types a line.
    pub fn sends(&mut self, line: &str) {
        let keys = self.keys.as_mut().unwrap();
        // a program that has ended already says why by itself
        let _ = keys.write_all(format!("{line}\n").as_bytes());
    }

    /// Types a line and waits for its answer; notices that came meanwhile are in it.
    #[track_caller]
    pub fn asks(&mut self, line: &str) -> Said {
        let before = self.out().matches(MARKED).count();
        self.sends(line);
        self.sends(MARK);
        wait_for(PATIENCE, &format!("the answer to `{line}`"), || {
            assert!(self.is_running(), "{line}: {}\n{}", self.out(), self.err());
            (self.out().matches(MARKED).count() > before).then_some(())
        });
        let (out, err) = (self.out(), self.err());
        let said = Said {
            out: out[self.read.0..].to_owned(),
            err: err[self.read.1..].to_owned(),
        };
        self.read = (out.len(), err.len());
        said
    }

    /// Asks until the answer is as expected.
    #[track_caller]
    pub fn asks_until(&mut self, line: &str, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let said = self.asks(line).out;
            if fits(&said) {
                return said;
            }
            assert!(
                Instant::now() < give_up,
                "waited for {what}:\n{said}\n{}",
                self.err()
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits until `text` stands on stderr.
    #[track_caller]
    pub fn tells(&self, text: &str) {
        let give_up = Instant::now() + PATIENCE;
        while !self.err().contains(text) {
            assert!(Instant::now() < give_up, "no `{text}` in\n{}", self.err());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends its input, and waits for its end.
    #[track_caller]
    pub fn ends(mut self) -> Ended {
        drop(self.keys.take());
        let status = self.status();
        Ended {
            code: status.code(),
            out: self.out(),
            err: self.err(),
        }
    }

    /// `/quit`, and its end.
    #[track_caller]
    pub fn quits(mut self) -> Ended {
        self.sends("/quit");
        self.ends()
    }

    #[track_caller]
    fn status(&mut self) -> ExitStatus {
        wait_for(PATIENCE, "the program's end", || {
            self.child.try_wait().unwrap()
        })
    }

    /// `kill -9`.
    pub fn killed(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal by number.
    pub fn gets(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// The mode of a file or folder.
pub fn mode(path: impl AsRef<Path>) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    let path = path.as_ref();
    let metadata = std::fs::metadata(path);
    metadata
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .permissions()
        .mode()
        & 0o777
}

/// Opens a pane that runs a simulated agent, and waits until it stands at its prompt.
pub fn agent_pane(test: &TestZellij, kind: &str) -> PaneAddress {
    let pane = test.open_pane(&[BINARY, "demo-agent", kind]);
    wait_for(PATIENCE, "the agent's prompt", || {
        test.dump(pane.pane).contains("\n>").then_some(())
    });
    pane
}

/// A configuration with these agents, `builtin` rules, and agents that are never asked about by themselves.
pub fn configuration(agents: &[(&str, &str)]) -> String {
    let agents: Vec<_> = agents
        .iter()
        .map(|(id, pane)| {
            serde_json::json!({ "id": id, "pane": pane, "goal": "ship it", "stallSec": 600, "pollSec": 0.2 })
        })
        .collect();
    let config = serde_json::json!({
        "agents": agents,
        "logDir": "./logs",
        "decideBackend": { "type": "builtin" },
        "reviewBackend": { "type": "builtin" },
    });
    serde_json::to_string_pretty(&config).unwrap()
}

/// The row of one agent in an answer to `/list`, as its columns, without its state.
#[track_caller]
pub fn row(list: &str, id: &str) -> Vec<String> {
    let row = list
        .lines()
        .find(|line| line.split_whitespace().next() == Some(id));
    let row = row.unwrap_or_else(|| panic!("no {id} in\n{list}"));
    let mut row: Vec<String> = row
        .split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .map(str::to_owned)
        .collect();
    row.remove(2);
    row
}

/// How often an agent's pane was read, by `/list`.
#[track_caller]
pub fn polls(list: &str, id: &str) -> u64 {
    row(list, id)[3].parse().unwrap()
}

/// `path` as an argument.
pub fn argument(path: &Path) -> &str {
    OsStr::to_str(path.as_os_str()).unwrap()
}

/// Writes an executable script.
pub fn script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Waits until the program in a pane has ended. A list that zellij leaves empty says nothing.
pub fn ended(test: &TestZellij, pane: &PaneAddress) {
    wait_for(PATIENCE, "the end of the program in a pane", || {
        let panes = test.list();
        let is_it = |other: &&serde_json::Value| {
            other["id"] == pane.pane.number() && other["is_plugin"] == false
        };
        let is_over = !panes.is_empty()
            && panes
                .iter()
                .find(is_it)
                .is_none_or(|pane| pane["exited"] == true);
        is_over.then_some(())
    });
}
