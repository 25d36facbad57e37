//! The program in the panes: it prompts, writes down every line that is submitted to it, and answers.
//!
//! It is this test's own executable, so that it needs nothing that a machine may lack, and is no shell.

use std::fs::OpenOptions;
use std::io::{BufRead, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use meta_orchestrator::ids::PaneAddress;

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};

const ENDING: &str = ".submitted";
/// The key that deletes a line in a terminal's ordinary mode.
pub const CTRL_U: u8 = 0x15;
pub const ENTER: u8 = 13;

#[test]
#[ignore = "runs in the panes of the other tests"]
fn program_in_a_pane() {
    let Some(record) = std::env::args()
        .next_back()
        .filter(|last| last.ends_with(ENDING))
    else {
        return;
    };
    let mut out = stdout();
    write!(out, "\nready\n> ").unwrap();
    out.flush().unwrap();
    for (number, line) in stdin().lock().lines().enumerate() {
        let line = line.unwrap();
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&record)
            .unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
        sleep(Duration::from_millis(100));
        write!(out, "done {number}: {line}\n> ").unwrap();
        out.flush().unwrap();
    }
}

/// A pane with that program in it.
pub struct Worker {
    pub address: PaneAddress,
    record: PathBuf,
}

impl Worker {
    /// Opens a pane whose program writes to a file called `name`.
    pub fn open(test: &TestZellij, name: &str) -> Self {
        let record = test.home().join(format!("{name}{ENDING}"));
        let address = test.open_pane(&command(&record));
        test.wait_until_shown(&address, "ready\n>");
        Self { address, record }
    }

    /// What was submitted, line by line.
    pub fn submitted(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.record).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What stands in the prompt, unsent; `None` while there is no prompt.
    pub fn draft(&self, test: &TestZellij) -> Option<String> {
        // now and then zellij's client finds no session, and shows nothing
        let shown = (0..5).map(|_| test.dump(self.address.pane));
        let shown = shown.into_iter().find(|shown| !shown.trim().is_empty())?;
        // blanks at the end of a line are not shown; a line that was submitted stands here until it is done
        let (_, draft) = shown.trim_end().rsplit_once("\n>")?;
        (!draft.contains("done ")).then(|| draft.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Waits until nothing stands in the prompt.
    pub fn wait_until_clear(&self, test: &TestZellij) {
        wait_for(PATIENCE, "an empty prompt", || {
            self.draft(test)?.is_empty().then_some(())
        });
    }

    pub fn wait_until_submitted(&self, what: &str, wanted: impl Fn(&[String]) -> bool) {
        wait_for(PATIENCE, what, || wanted(&self.submitted()).then_some(()));
    }
}

fn command(record: &Path) -> Vec<&str> {
    // leaked: a test's few names live as long as it
    let program = std::env::current_exe().unwrap();
    let program: &'static str = Box::leak(program.to_str().unwrap().to_owned().into_boxed_str());
    vec![
        program,
        "pane::program_in_a_pane",
        "--exact",
        "--ignored",
        "--nocapture",
        // or it says after a minute, into the pane, that this takes long
        "--test-threads=1",
        record.to_str().unwrap(),
    ]
}
