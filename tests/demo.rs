//! The demo as a person runs it: the real program on real zellij, with and without a terminal, to its end
//! and interrupted, and what is left of it afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, starts the program and makes its own files"
)]

mod common;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use common::zellij::{TestZellij, program, signal, wait_for};
use meta_orchestrator::host::process;
use rustix::process::Signal;

const BINARY: &str = env!("CARGO_BIN_EXE_meta-orchestrator");
/// Longer than the demo gives itself.
const PATIENCE: Duration = Duration::from_secs(90);

/// A home, a runtime folder and a folder for temporary files that nobody else has.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        // short: a socket's path may have about 100 characters
        let folder = tempfile::Builder::new()
            .prefix("mo")
            .tempdir_in("/tmp")
            .unwrap();
        for name in ["run", "tmp"] {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        Self { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let bin = self::program().unwrap().parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(bin).chain(std::env::split_paths(&path));
        let mut command = Command::new(program);
        for name in TestZellij::env_removed() {
            command.env_remove(name);
        }
        command
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.at("run"))
            .env("TMPDIR", self.at("tmp"))
            .env("PATH", std::env::join_paths(folders).unwrap())
            .env("TERM", "xterm-256color")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Every file and folder.
    fn files(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut next = vec![self.folder.path().to_owned()];
        while let Some(folder) = next.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    next.push(path.clone());
                }
                found.insert(path);
            }
        }
        found
    }

    /// The processes that were started with this home.
    fn processes(&self) -> Vec<process::Process> {
        let home = Some(OsString::from(self.folder.path()));
        process::all()
            .into_iter()
            .filter(|pid| process::environment_variable(*pid, "HOME") == home)
            .filter_map(process::process)
            .filter(|found| !found.has_ended())
            .collect()
    }

    fn has_only(&self, before: &BTreeSet<PathBuf>) {
        assert_eq!(self.processes(), [], "no process is left");
        assert_eq!(&self.files(), before, "no file is left");
    }

    /// Whether zellij has made the session's socket.
    fn has_socket(&self) -> Option<()> {
        let sockets = self.at("run/zellij");
        let files = self.files();
        let mut sockets = files.iter().filter(|path| path.starts_with(&sockets));
        sockets
            .any(|path| path.to_string_lossy().contains("/mo-demo-"))
            .then_some(())
    }
}

impl Drop for Home {
    /// After a test that failed.
    fn drop(&mut self) {
        for left in self.processes() {
            signal(left.identity, Signal::KILL);
        }
    }
}

/// A program whose output is read as it comes.
struct Running {
    child: Child,
    said: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let outputs: [Box<dyn Read + Send>; 2] = [Box::new(out), Box::new(err)];
        let readers = outputs.map(|mut reader| {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(read @ 1..) = reader.read(&mut bytes) {
                    said.lock().unwrap().extend(&bytes[..read]);
                }
            })
        });
        Self {
            child,
            said,
            readers: readers.into(),
        }
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap()).into_owned()
    }

    fn until_said(&self, text: &str) {
        wait_for(PATIENCE, &format!("`{text}`"), || {
            self.said().contains(text).then_some(())
        });
    }

    fn type_line(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        // Enter at a terminal
        write!(stdin, "{line}\r").unwrap();
    }

    /// The exit code, and all that was said.
    fn end(mut self) -> (Option<i32>, String) {
        let status = wait_for(PATIENCE, "the program's end", || {
            self.child.try_wait().unwrap()
        });
        // the last words may still be in the pipe
        wait_for(PATIENCE, "the end of what it says", || {
            let mut readers = self.readers.iter();
            readers.all(JoinHandle::is_finished).then_some(())
        });
        (status.code(), self.said())
    }

    fn signal(&self, which: Signal) {
        let process = process::without_arguments(self.child.id()).unwrap();
        signal(process.identity, which);
    }
}

#[test]
fn without_a_terminal_it_shows_everything_and_leaves_nothing() {
    let home = Home::new();
    // What a person has of their own is neither read nor changed, even inside a pane of theirs.
    let config = home.at("own");
    std::fs::create_dir(&config).unwrap();
    std::fs::write(config.join("config.kdl"), "this is no configuration {").unwrap();
    let before = home.files();
    let mut command = home.command(BINARY);
    command
        .arg("demo")
        .env("ZELLIJ", "0")
        .env("ZELLIJ_SESSION_NAME", "mine")
        .env("ZELLIJ_PANE_ID", "0")
        .env("ZELLIJ_CONFIG_DIR", &config);
    let (code, said) = Running::start(command).end();
    assert_eq!(code, Some(0), "{said}");
    for line in [
        "  ✔ worker stood still, was told to go on, and went on",
        "      typed: Go on with the next step towards the goal: make the parser twice as fast",
        "      shown: ● Understood: Go on with the next step",
        "  ✔ staller stopped at a failure, was told to find out why, and mended it",
        "      typed: Find the cause of \"error: 2 tests failed in tests/parser.rs\"",
        "      shown: ● 2 tests passed",
        "  ✔ asker asked, and the question reached the person",
        "Which database should the service use, Postgres or SQLite?",
        "  ✔ the person's answer was typed to asker, which took it up",
        "      typed: Postgres please",
        "      shown: ● Using Postgres",
        "What is remembered of worker:",
        "What is remembered of staller:",
        "What is remembered of asker:",
    ] {
        assert!(said.contains(line), "{line}\n\nin\n\n{said}");
    }
    assert!(!said.contains('✘') && !said.contains("warning"), "{said}");
    home.has_only(&before);
}

#[test]
fn at_a_terminal_it_is_the_person_s_until_they_quit() {
    let home = Home::new();
    let before = home.files();
    let mut command = home.command("script");
    let demo = format!("stty cols 100 rows 40; exec '{BINARY}' demo");
    command
        .args(["-qec", &demo, "/dev/null"])
        .stdin(Stdio::piped());
    let mut running = Running::start(command);
    running.until_said("asker needs you: It asks: Which database");
    running.type_line("/reply asker SQLite");
    running.until_said("delivered to asker");
    running.until_said("asker needs you: It says `Done: the schema is written.`");
    running.type_line("/quit");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("The demo is over"), "{said}");
    home.has_only(&before);
}

#[test]
fn interrupted_at_any_moment_it_leaves_nothing() {
    type Moment = fn(&Home, &Running);
    let moments: [(Signal, Moment); 4] = [
        // zellij has only begun to start
        (Signal::TERM, |home, _| {
            wait_for(PATIENCE, "the socket", || home.has_socket());
        }),
        (Signal::INT, |_, running| {
            running.until_said("Three simulated agents");
        }),
        (Signal::HUP, |_, running| running.until_said("needs you")),
        (Signal::TERM, |_, running| running.until_said("was told")),
    ];
    for (which, moment) in moments {
        let home = Home::new();
        let before = home.files();
        let mut command = home.command(BINARY);
        command.arg("demo");
        let running = Running::start(command);
        moment(&home, &running);
        running.signal(which);
        let (code, said) = running.end();
        assert_eq!(code, Some(1), "{which:?} {said}");
        assert!(
            said.contains("the demo was interrupted"),
            "{which:?} {said}"
        );
        home.has_only(&before);
    }
}

#[test]
fn without_zellij_it_says_who_installs_it() {
    let home = Home::new();
    let before = home.files();
    let mut command = home.command(BINARY);
    command.arg("demo").env("PATH", Path::new("/nowhere"));
    let (code, said) = Running::start(command).end();
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("scripts/demo"), "{said}");
    home.has_only(&before);
}

#[test]
fn a_configuration_of_the_person_s_has_no_place_in_it() {
    let home = Home::new();
    let mut command = home.command(BINARY);
    command.args(["demo", "--config", "mine.json"]);
    let (code, said) = Running::start(command).end();
    assert_eq!(code, Some(2), "{said}");
}
