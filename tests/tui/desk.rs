//! A shell in a pane, in which a program takes the terminal: typed to by keys, read as text.

use std::path::PathBuf;

use meta_orchestrator::host::process::{self, ProcessIdentity};
use meta_orchestrator::ids::PaneAddress;

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};

/// What the shell shows before the program begins.
const BEFORE: &str = "before the 42";

/// A shell in a pane.
pub struct Desk {
    pub zellij: TestZellij,
    pub pane: PaneAddress,
    pub folder: PathBuf,
}

impl Desk {
    /// In a terminal of so many columns and rows, zellij's frames included.
    pub fn open(columns: u32, rows: u32) -> Self {
        let zellij = TestZellij::start_sized(columns, rows);
        let pane = zellij.pane(0);
        let folder = zellij.home().to_path_buf();
        let this = Self {
            zellij,
            pane,
            folder,
        };
        this.shell("PS1='$ '; unset RUST_BACKTRACE NO_COLOR COLORFGBG; export TERM=xterm-256color");
        this.shell("clear; echo before the $((40+2))");
        this.sees(BEFORE);
        this.shell("stty -a > before");
        wait_for(PATIENCE, "the modes", || this.modes("before"));
        this
    }

    /// Has the shell run a program, and waits until it shows `text` on a screen of its own.
    pub fn runs(&self, line: &str, text: &str) {
        self.shell(line);
        self.sees(text);
        let shown = self.shown();
        assert!(!shown.contains(BEFORE), "a screen of its own:\n{shown}");
    }

    /// Types a line for the shell.
    pub fn shell(&self, line: &str) {
        self.zellij.type_as_person(&self.pane, &format!("{line}\n"));
    }

    /// Types keys as they are.
    pub fn types(&self, keys: &str) {
        self.zellij.type_as_person(&self.pane, keys);
    }

    /// What is to be seen.
    pub fn shown(&self) -> String {
        self.zellij.dump(self.pane.pane)
    }

    /// The same with its styling.
    pub fn styled(&self) -> String {
        let pane = self.pane.pane.to_string();
        self.zellij
            .action(&["dump-screen", "--ansi", "--pane-id", &pane])
    }

    /// Waits until `text` is to be seen.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        let mut last = String::new();
        let give_up = std::time::Instant::now() + PATIENCE;
        while std::time::Instant::now() < give_up {
            last = self.shown();
            if last.contains(text) {
                return;
            }
        }
        panic!("waited for {text:?} and saw:\n{last}");
    }

    /// The terminal's modes, as the shell once wrote them down.
    pub fn modes(&self, name: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.folder.join(name)).ok()?;
        text.contains("cs8").then_some(text)
    }

    /// The process that is in front of the pane, once that is one with this name.
    pub fn front(&self, name: &str) -> ProcessIdentity {
        wait_for(PATIENCE, &format!("`{name}` in the pane"), || {
            let all = process::all().into_iter().filter_map(process::process);
            let mut own = all.filter(|found| {
                let home = process::environment_variable(found.identity.pid, "HOME");
                let program = found.argv.first().map(std::path::Path::new);
                home.is_some_and(|home| self.folder == home)
                    && program.and_then(|path| path.file_name()) == Some(name.as_ref())
            });
            own.next().map(|found| found.identity)
        })
    }

    /// The terminal is as it was: its modes, its screen, its cursor; and what is typed reaches the shell.
    #[track_caller]
    pub fn is_given_back(&self) {
        self.sees(BEFORE);
        self.shell("stty -a > after; echo typed to the $((9*9))");
        self.sees("typed to the 81");
        let after = wait_for(PATIENCE, "the modes", || self.modes("after"));
        assert_eq!(after, self.modes("before").unwrap());
        let shown = self.shown();
        // the terminal echoes again
        assert!(shown.contains("echo typed to the $((9*9))"), "{shown}");
        // a click and the window's focus are no input for the shell
        assert!(!shown.contains("[<0;") && !shown.contains("[I"), "{shown}");
        let list = self.zellij.list();
        let mut panes = list.iter().filter(|pane| pane["is_plugin"] == false);
        let pane = panes.find(|pane| pane["id"] == 0);
        let cursor = &pane.unwrap()["cursor_coordinates_in_pane"];
        assert!(cursor.is_array(), "the cursor is to be seen: {cursor}");
    }
}

impl Drop for Desk {
    /// What explains a test that failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.zellij.continue_server();
            eprintln!("the pane shows:\n{}", self.shown());
        }
    }
}

/// Waits for a process's end.
pub fn has_ended(program: ProcessIdentity) {
    wait_for(PATIENCE, "the program's end", || {
        (process::alive(program) == Some(false)).then_some(())
    });
}
