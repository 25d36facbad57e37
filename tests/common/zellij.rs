//! Real zellij sessions for tests: each with a home and a runtime folder of its own, ended and deleted
//! when the test is over, however it ends.
//!
//! The harness is synchronous and calls zellij by itself, so that what is under test is not what
//! observes it.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes its own files and processes"
)]

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use meta_orchestrator::host::Host;
use meta_orchestrator::host::process::{self, ProcessIdentity};
use meta_orchestrator::ids::{PaneAddress, PaneId, SessionName};
use meta_orchestrator::zellij::{Environment, Zellij};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(45);

const CONFIG: &str =
    "show_startup_tips false\nshow_release_notes false\nsession_serialization false\n";

/// Variables of the environment that would lead a zellij elsewhere.
const FOREIGN: [&str; 11] = [
    "ZELLIJ",
    "ZELLIJ_SESSION_NAME",
    "ZELLIJ_PANE_ID",
    "ZELLIJ_SOCKET_DIR",
    "ZELLIJ_CONFIG_DIR",
    "ZELLIJ_CONFIG_FILE",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "ENV",
];

/// A zellij session of a test's own.
pub struct TestZellij {
    folder: tempfile::TempDir,
    program: PathBuf,
    session: SessionName,
    server: ProcessIdentity,
    attached: Option<Child>,
}

impl TestZellij {
    /// A session named `test` of zellij's default size (50x50), with one pane that runs a shell.
    pub fn start() -> Self {
        Self::start_named("test")
    }

    /// The same under another name.
    pub fn start_named(session: &str) -> Self {
        let program = program().expect(
            "these tests need zellij 0.44 or newer: put it on PATH, or into \
             ~/.cache/meta-orchestrator/zellij-VERSION/bin",
        );
        // A socket's path may have about 100 characters, so not wherever TMPDIR points.
        let folder = tempfile::Builder::new()
            .prefix("mo")
            .tempdir_in("/tmp")
            .unwrap();
        for (name, mode) in [("run", 0o700), ("tmp", 0o700), (".config/zellij", 0o755)] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        std::fs::write(folder.path().join(".config/zellij/config.kdl"), CONFIG).unwrap();
        let mut this = Self {
            folder,
            program,
            session: session.parse().unwrap(),
            server: ProcessIdentity { pid: 0, started: 0 },
            attached: None,
        };
        this.zellij_says(&["attach", "--create-background", session]);
        // A server that is still starting is killed by any client that leaves it: nobody asks it anything
        // before it has started something.
        wait_for(PATIENCE, "the server's first process", || {
            let mut servers = this.servers().into_iter();
            servers.find(|server| !process::children(server.pid).is_empty())
        });
        wait_for(PATIENCE, "the first pane's shell", || {
            let shown = this.dump(this.pane(0).pane);
            let ready = !shown.trim().is_empty() && !this.list().is_empty();
            ready.then_some(())
        });
        let server = process::listener(&this.socket()).and_then(process::without_arguments);
        this.server = server.expect("the server is known to the system").identity;
        this
    }

    /// A session of a given size in columns and rows, frames included.
    pub fn start_sized(columns: u32, rows: u32) -> Self {
        let mut this = Self::start();
        this.attach(columns, rows);
        this
    }

    /// Attaches a terminal of a given size, as a person would; the panes take its size.
    pub fn attach(&mut self, columns: u32, rows: u32) {
        const AGAIN: Duration = Duration::from_secs(10);
        let give_up = Instant::now() + PATIENCE;
        loop {
            self.attached = Some(self.terminal(columns, rows));
            let until = Instant::now() + AGAIN;
            // now and then a client attaches to nothing, and stays
            while Instant::now() < until {
                if self.width() == Some(columns.into()) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(15));
            }
            assert!(
                Instant::now() < give_up,
                "the panes do not take the size of a terminal"
            );
            self.detach();
        }
    }

    fn terminal(&self, columns: u32, rows: u32) -> Child {
        let attach = format!(
            "stty cols {columns} rows {rows}; exec '{}' attach '{}'",
            self.program.display(),
            self.session
        );
        let mut command = self.command("script");
        command
            .args(["-qfc", &attach, "/dev/null"])
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        command.spawn().expect("`script` attaches a terminal")
    }

    /// How many columns the panes take together.
    fn width(&self) -> Option<u64> {
        let panes = self.list();
        let widths = panes.iter().map(|pane| {
            pane["pane_x"].as_u64().unwrap_or(0) + pane["pane_columns"].as_u64().unwrap_or(0)
        });
        widths.max()
    }

    /// Detaches the terminal; the panes keep its size.
    pub fn detach(&mut self) {
        let Some(mut attached) = self.attached.take() else {
            return;
        };
        if let Some(group) = Pid::from_raw(attached.id().cast_signed()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = attached.wait();
        let client = |found: &process::Process| {
            let name = self.session.as_str();
            found.argv.get(1..) == Some(&["attach".to_owned(), name.to_owned()])
                && process::environment_variable(found.identity.pid, "HOME")
                    .is_some_and(|home| Path::new(&home) == self.home())
        };
        wait_for(PATIENCE, "the terminal's end", || {
            let mut all = process::all().into_iter().filter_map(process::process);
            (!all.any(|found| client(&found))).then_some(())
        });
    }

    /// The session's name.
    pub fn session(&self) -> &SessionName {
        &self.session
    }

    /// The pane with a number.
    pub fn pane(&self, number: u32) -> PaneAddress {
        PaneAddress {
            session: self.session.clone(),
            pane: PaneId::new(number),
        }
    }

    /// The home of everything in this session; a test may keep files there.
    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    /// The zellij program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The environment in which a supervisor process sees this session, and no other.
    pub fn env(&self) -> Vec<(OsString, OsString)> {
        let home = self.home();
        let bin = self.program.parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(bin).chain(std::env::split_paths(&path));
        vec![
            ("HOME".into(), home.into()),
            ("XDG_RUNTIME_DIR".into(), home.join("run").into()),
            ("TMPDIR".into(), home.join("tmp").into()),
            ("PATH".into(), std::env::join_paths(folders).unwrap()),
            ("SHELL".into(), "/bin/bash".into()),
        ]
    }

    /// The variables that a supervisor process in a test's session must not see.
    pub const fn env_removed() -> &'static [&'static str] {
        &FOREIGN
    }

    /// The same environment for a [`Zellij`] in this process.
    pub fn environment(&self) -> Environment {
        let bare = FOREIGN
            .iter()
            .fold(Environment::inherited(), |all, name| all.remove(*name));
        self.env()
            .into_iter()
            .fold(bare, |all, (name, value)| all.set(name, value))
    }

    /// A command that runs in this session's environment.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.envs(self.env()).current_dir(self.home());
        command
    }

    /// The door under test, in this session's environment.
    pub async fn zellij(&self, deadline: Duration) -> Zellij {
        Zellij::find_in(Host::local(), deadline, self.environment())
            .await
            .unwrap()
    }

    /// Opens a pane that runs a command.
    pub fn open_pane(&self, command: &[&str]) -> PaneAddress {
        let session = self.session.as_str();
        let mut args = vec!["--session", session, "action", "new-pane", "--"];
        args.extend(command);
        let known = self.terminals();
        // Now and then zellij opens the pane and does not say so, or finds no session and opens none.
        let mut asked_again = Instant::now();
        let mut said = self.zellij_says(&args);
        let pane = wait_for(PATIENCE, "the new pane", || {
            if let Ok(pane) = said.trim().parse() {
                return Some(pane);
            }
            let new = self
                .terminals()
                .into_iter()
                .find(|pane| !known.contains(pane));
            if new.is_none() && asked_again.elapsed() > Duration::from_secs(4) {
                asked_again = Instant::now();
                said = self.zellij_says(&args);
            }
            new.map(PaneId::new)
        });
        PaneAddress {
            session: self.session.clone(),
            pane,
        }
    }

    /// The numbers of the terminal panes.
    fn terminals(&self) -> Vec<u32> {
        wait_for(PATIENCE, "a list of panes", || {
            let panes = self.list().into_iter();
            let numbers: Vec<u32> = panes
                .filter(|pane| pane["is_plugin"] == false)
                .filter_map(|pane| pane["id"].as_u64()?.try_into().ok())
                .collect();
            (!numbers.is_empty()).then_some(numbers)
        })
    }

    /// What a pane shows.
    pub fn dump(&self, pane: PaneId) -> String {
        self.action(&["dump-screen", "--pane-id", &pane.to_string()])
    }

    /// Waits until a pane shows `text`.
    pub fn wait_until_shown(&self, pane: &PaneAddress, text: &str) {
        wait_for(PATIENCE, &format!("`{text}` in {pane}"), || {
            self.dump(pane.pane).contains(text).then_some(())
        });
    }

    /// Types into a pane as somebody at the keyboard would: `\n` is Enter, and no check is made.
    pub fn type_as_person(&self, pane: &PaneAddress, text: &str) {
        let pane = pane.pane.to_string();
        let keys = text.replace('\n', "\r");
        self.action(&["write-chars", "--pane-id", &pane, "--", &keys]);
    }

    /// Presses a key given as its byte: 3 is Ctrl+C, 26 is Ctrl+Z, 13 is Enter.
    pub fn press_as_person(&self, pane: &PaneAddress, byte: u8) {
        let pane = pane.pane.to_string();
        self.action(&["write", "--pane-id", &pane, &byte.to_string()]);
    }

    /// The panes as zellij lists them.
    pub fn list(&self) -> Vec<serde_json::Value> {
        let text = self.action(&["list-panes", "--json", "--all"]);
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// An action in this session and what it says.
    pub fn action(&self, args: &[&str]) -> String {
        let mut all = vec!["--session", self.session.as_str(), "action"];
        all.extend(args);
        self.zellij_says(&all)
    }

    /// The server's process number.
    pub fn server_pid(&self) -> u32 {
        self.server.pid
    }

    /// Stops the server (SIGSTOP): from now on it answers nobody.
    pub fn stop_server(&self) {
        signal(self.server, Signal::STOP);
    }

    /// Lets a stopped server go on.
    pub fn continue_server(&self) {
        signal(self.server, Signal::CONT);
    }

    /// Ends the session as `zellij kill-session` does, and waits for its server's end.
    pub fn kill_session(&self) {
        self.zellij_says(&["kill-session", self.session.as_str()]);
        self.wait_for_the_server_s_end();
    }

    /// Kills the server outright.
    pub fn kill_server(&self) {
        signal(self.server, Signal::KILL);
        self.wait_for_the_server_s_end();
    }

    fn wait_for_the_server_s_end(&self) {
        wait_for(PATIENCE, "the server's end", || {
            (process::alive(self.server) == Some(false)).then_some(())
        });
    }

    fn socket(&self) -> PathBuf {
        let sockets = self.home().join("run/zellij");
        let versions = std::fs::read_dir(&sockets).unwrap();
        let mut folders = versions.map(|entry| entry.unwrap().path());
        folders
            .find(|folder| folder.join(self.session.as_str()).exists())
            .map_or_else(
                || panic!("no socket of {} in {}", self.session, sockets.display()),
                |folder| folder.join(self.session.as_str()),
            )
    }

    /// Every server of this environment, also those of sessions that a test started beside this one.
    fn servers(&self) -> Vec<ProcessIdentity> {
        let sockets = self.home().join("run");
        let ours = |path: &String| Path::new(path).starts_with(&sockets);
        let all = process::all().into_iter().filter_map(process::process);
        all.filter(|found| found.argv.get(1).is_some_and(|option| option == "--server"))
            .filter(|found| found.argv.get(2).is_some_and(ours))
            .map(|found| found.identity)
            .collect()
    }

    /// Runs zellij and gives its standard output; panics if it takes longer than [`PATIENCE`].
    pub fn zellij_says(&self, args: &[&str]) -> String {
        // A file, for nobody reads a pipe while we wait for the end.
        let output = tempfile::tempfile_in(self.home()).unwrap();
        let mut child = self
            .command(&self.program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let give_up = Instant::now() + PATIENCE;
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > give_up {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("zellij {args:?} took longer than {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        let mut output = output;
        let mut bytes = Vec::new();
        std::io::Seek::rewind(&mut output).unwrap();
        std::io::Read::read_to_end(&mut output, &mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl TestZellij {
    /// What still runs in this test's environment: a client whose supervisor was killed and whose server is
    /// gone spins for ever.
    fn left_over(&self) -> Vec<ProcessIdentity> {
        let own = self.home().join("run");
        let is_own = |pid: &u32| {
            process::environment_variable(*pid, "XDG_RUNTIME_DIR")
                .is_some_and(|folder| own == folder)
        };
        let found = process::all().into_iter().filter(is_own);
        found
            .filter_map(|pid| Some(process::without_arguments(pid)?.identity))
            .collect()
    }
}

impl Drop for TestZellij {
    fn drop(&mut self) {
        if let Some(mut attached) = self.attached.take() {
            if let Some(group) = Pid::from_raw(attached.id().cast_signed()) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = attached.wait();
        }
        let servers = self.servers();
        let panes: Vec<_> = servers
            .iter()
            .flat_map(|server| process::children(server.pid))
            .filter_map(|pid| Some(process::without_arguments(pid)?.identity))
            .collect();
        // At once, also if it is stopped; the terminals hang up on what runs in the panes.
        for server in &servers {
            signal(*server, Signal::KILL);
        }
        let give_up = Instant::now() + Duration::from_secs(2);
        let alive = |server: &ProcessIdentity| process::alive(*server) == Some(true);
        while servers.iter().any(alive) && Instant::now() < give_up {
            std::thread::sleep(Duration::from_millis(5));
        }
        for process in panes.into_iter().chain(self.left_over()) {
            signal(process, Signal::KILL);
        }
    }
}

/// Sends a signal to that very process, if it still runs.
pub fn signal(to: ProcessIdentity, signal: Signal) {
    if process::alive(to) == Some(true)
        && let Some(pid) = Pid::from_raw(to.pid.cast_signed())
    {
        let _ = kill_process(pid, signal);
    }
}

/// Asks again and again until there is an answer; panics, saying what was awaited, after `deadline`.
pub fn wait_for<T>(deadline: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + deadline;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < give_up, "waited {deadline:?} for {what}");
        std::thread::sleep(Duration::from_millis(15));
    }
}

/// The same for what is asked asynchronously.
pub async fn wait_until<T, F: Future<Output = Option<T>>>(
    deadline: Duration,
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let give_up = Instant::now() + deadline;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < give_up, "waited {deadline:?} for {what}");
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

/// The zellij of this machine, found without the code under test.
pub fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join("zellij"));
    let cache = PathBuf::from(std::env::var_os("HOME")?).join(".cache/meta-orchestrator");
    let cached = std::fs::read_dir(cache).into_iter().flatten();
    let mut cached: Vec<_> = cached
        .filter_map(|entry| Some(entry.ok()?.path().join("bin/zellij")))
        .filter(|path| path.to_string_lossy().contains("/zellij-"))
        .collect();
    cached.sort();
    in_path
        .chain(cached.into_iter().rev())
        .find(|path| path.is_file())
}
