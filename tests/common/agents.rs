//! Scripted programs in panes: orders go in through a file, every byte that reached them comes out of one.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes its own files and processes"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use meta_orchestrator::ids::{PaneAddress, PaneId, SessionName};

use super::zellij::{PATIENCE, TestZellij, wait_for};

/// The scripted program of most tests.
const PANE_AGENT: &str = "pane-agent";

/// A pane with a scripted program in it; see `tests/agents/pane_agent.rs` for its orders.
pub struct PaneAgent {
    /// Where it is.
    pub pane: PaneAddress,
    folder: PathBuf,
}

impl PaneAgent {
    /// Opens a pane of its own for a program that begins with these orders, and waits until it has begun.
    pub fn open(zellij: &TestZellij, name: &str, orders: &[&str]) -> Self {
        Self::open_in(zellij, zellij.session(), name, orders)
    }

    /// The same in another session of the same home.
    pub fn open_in(
        zellij: &TestZellij,
        session: &SessionName,
        name: &str,
        orders: &[&str],
    ) -> Self {
        let command = command(PANE_AGENT, zellij, name, orders);
        let pane = open_floating(zellij, session, &command);
        Self::begun(zellij, name, pane)
    }

    /// The same with another scripted program of `tests/agents`.
    pub fn open_program(
        program: &'static str,
        zellij: &TestZellij,
        name: &str,
        orders: &[&str],
    ) -> Self {
        let command = command(program, zellij, name, orders);
        let pane = open_floating(zellij, zellij.session(), &command);
        Self::begun(zellij, name, pane)
    }

    /// Has the shell in `pane` run such a program.
    pub fn in_shell(zellij: &TestZellij, pane: PaneAddress, name: &str, orders: &[&str]) -> Self {
        Self::program_in_shell(PANE_AGENT, zellij, pane, name, orders)
    }

    /// The same with another scripted program of `tests/agents`.
    pub fn program_in_shell(
        program: &'static str,
        zellij: &TestZellij,
        pane: PaneAddress,
        name: &str,
        orders: &[&str],
    ) -> Self {
        let words = command(program, zellij, name, orders);
        let line = shlex(&words);
        zellij.type_as_person(&pane, &format!("{line}\n"));
        Self::begun(zellij, name, pane)
    }

    fn begun(zellij: &TestZellij, name: &str, pane: PaneAddress) -> Self {
        let this = Self {
            pane,
            folder: folder(zellij, name),
        };
        this.wait_for_starts(1);
        this
    }

    /// Waits until it has been started so many times.
    pub fn wait_for_starts(&self, count: usize) {
        wait_for(PATIENCE, "the scripted program's start", || {
            (self.starts() >= count).then_some(())
        });
    }

    /// Gives it an order.
    pub fn order(&self, order: &str) {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.file("orders"))
            .unwrap();
        writeln!(file, "{order}").unwrap();
    }

    /// How often it was started.
    pub fn starts(&self) -> usize {
        self.read("starts").lines().count()
    }

    /// Every byte that reached it.
    pub fn typed(&self) -> String {
        self.read("typed")
    }

    /// What was submitted with Enter.
    pub fn lines(&self) -> Vec<String> {
        self.read("lines").lines().map(str::to_owned).collect()
    }

    /// What keys did that nobody meant.
    pub fn harm(&self) -> String {
        self.read("harm")
    }

    /// Waits until `text` has been typed, with whatever before and after.
    pub fn wait_for_typed(&self, text: &str) {
        wait_for(
            PATIENCE,
            &format!("{text:?} typed, not {:?}", self.typed()),
            || self.typed().contains(text).then_some(()),
        );
    }

    /// Waits until `line` has been submitted.
    pub fn wait_for_line(&self, line: &str) {
        wait_for(
            PATIENCE,
            &format!("{line:?} submitted, after {:?}", self.lines()),
            || self.lines().iter().any(|sent| sent == line).then_some(()),
        );
    }

    /// Waits until a key has done harm.
    pub fn wait_for_harm(&self, what: &str) {
        wait_for(PATIENCE, what, || self.harm().contains(what).then_some(()));
    }

    /// One of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What stands in one of its files; nothing where there is none.
    pub fn read(&self, name: &str) -> String {
        let bytes = std::fs::read(self.file(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn folder(zellij: &TestZellij, name: &str) -> PathBuf {
    zellij.home().join("agents").join(name)
}

fn command(program: &'static str, zellij: &TestZellij, name: &str, orders: &[&str]) -> Vec<String> {
    let folder = folder(zellij, name);
    std::fs::create_dir_all(&folder).unwrap();
    let mut words = vec![
        built(program).display().to_string(),
        folder.display().to_string(),
    ];
    words.extend(orders.iter().map(|&order| order.to_owned()));
    words
}

/// A command line for a shell.
pub fn shlex(words: &[String]) -> String {
    let quoted = words
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")));
    quoted.collect::<Vec<_>>().join(" ")
}

/// Opens a pane for a command: a floating one has the whole of a session's columns, however many there are.
pub fn open_floating(
    zellij: &TestZellij,
    session: &SessionName,
    command: &[String],
) -> PaneAddress {
    let known = terminals(zellij, session);
    let mut args = vec!["--session", session.as_str(), "action", "new-pane"];
    args.extend(["--floating", "--width", "100%", "--height", "100%", "--"]);
    args.extend(command.iter().map(String::as_str));
    let pane = wait_for(PATIENCE, "the new pane", || {
        zellij.zellij_says(&args);
        // Now and then zellij does not hear of it, and is told again.
        let give_up = Instant::now() + Duration::from_secs(5);
        while Instant::now() < give_up {
            let mut panes = terminals(zellij, session).into_iter();
            let new = panes.find(|pane| !known.contains(pane));
            if new.is_some() {
                return new;
            }
        }
        None
    });
    PaneAddress {
        session: session.clone(),
        pane: PaneId::new(pane),
    }
}

fn terminals(zellij: &TestZellij, session: &SessionName) -> Vec<u32> {
    let list = [
        "--session",
        session.as_str(),
        "action",
        "list-panes",
        "--json",
        "--all",
    ];
    wait_for(PATIENCE, "a list of panes", || {
        let panes: Vec<serde_json::Value> =
            serde_json::from_str(&zellij.zellij_says(&list)).unwrap_or_default();
        let numbers: Vec<u32> = panes
            .iter()
            .filter(|pane| pane["is_plugin"] == false)
            .filter_map(|pane| pane["id"].as_u64()?.try_into().ok())
            .collect();
        (!numbers.is_empty()).then_some(numbers)
    })
}

/// A scripted program, built if need be: `cargo test --test NAME` builds no examples.
pub fn built(name: &'static str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<&str, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let find = || {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(Path::parent).unwrap();
        let program = profile.join("examples").join(name);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let changed = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
        let sources = std::fs::read_dir(root.join("tests/agents")).unwrap();
        let newest = sources
            .filter_map(|source| changed(&source.unwrap().path()))
            .max();
        if changed(&program) < newest {
            build(name, profile, root);
        }
        assert!(
            program.is_file(),
            "there is no {}; `cargo build --example {name}` makes it",
            program.display()
        );
        program
    };
    built.entry(name).or_insert_with(find).clone()
}

fn build(name: &str, profile: &Path, root: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What cargo tells a test would make it build much anew.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
            .iter()
            .any(|of| name.starts_with(of))
        {
            command.env_remove(&*name);
        }
    }
    let built = command
        .args(["build", "--quiet", "--locked", "--example", name])
        .args(profile.ends_with("release").then_some("--release"))
        .arg("--target-dir")
        .arg(profile.parent().unwrap())
        .current_dir(root)
        .status()
        .unwrap();
    assert!(built.success(), "`cargo build --example {name}` failed");
}
