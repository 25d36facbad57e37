//! The REPL at a real terminal: a child of this test in a pseudo-terminal, typed to and read from.
#![expect(
    clippy::disallowed_methods,
    reason = "the test starts itself once more, in a pseudo-terminal"
)]

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::fake::Fake;
use super::{ReplOptions, run};

const HISTORY: &str = "MO_TEST_HISTORY";
const DEADLINE: Duration = Duration::from_secs(20);

/// Not a test of its own: what runs in the pseudo-terminal.
#[test]
#[ignore = "the child of the tests below"]
fn child() {
    let Some(history) = std::env::var_os(HISTORY) else {
        return;
    };
    let options = ReplOptions {
        history: Some(history.into()),
        greeting: "good morning".into(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let code = runtime.block_on(async {
        let (fake, ended) = Fake::new();
        run(fake, options, ended).await
    });
    runtime.shutdown_background();
    std::process::exit(i32::from(code.unwrap()));
}

/// A pseudo-terminal with the REPL in it.
struct Desk {
    keys: File,
    /// The child's side: its mode is looked at.
    tty: File,
    seen: Arc<Mutex<Vec<u8>>>,
    child: Child,
    /// What was seen up to the first prompt.
    greeting: String,
}

impl Desk {
    fn new(history: &Path) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let name = std::ffi::OsStr::from_bytes(name.as_bytes());
        let tty = File::options().read(true).write(true).open(name).unwrap();
        let size = Winsize {
            ws_row: 40,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&keys, size).unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "ui::repl::terminal_tests::child",
                "--ignored",
                "--nocapture",
            ])
            .env(HISTORY, history)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(tty.try_clone().unwrap())
            .stdout(tty.try_clone().unwrap())
            .stderr(tty.try_clone().unwrap())
            .spawn()
            .unwrap();
        let keys = File::from(keys);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (mut screen, seen_there) = (keys.try_clone().unwrap(), Arc::clone(&seen));
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut chunk) {
                seen_there
                    .lock()
                    .unwrap()
                    .extend_from_slice(&chunk[..count]);
            }
        });
        let mut desk = Self {
            keys,
            tty,
            seen,
            child,
            greeting: String::new(),
        };
        desk.greeting = desk.sees("mo> ");
        desk
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    /// Waits until `text` is on the screen after what was seen before, and returns all up to there.
    fn sees(&mut self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let screen = self.screen();
            if let Some(at) = screen.find(text) {
                let end = at + text.len();
                self.seen.lock().unwrap().drain(..end);
                return screen[..end].to_owned();
            }
            assert!(begun.elapsed() < DEADLINE, "no {text:?} in {screen:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.tty)
            .unwrap()
            .local_modes
            .contains(LocalModes::ICANON)
    }

    /// Waits for the child's end.
    fn ends(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                begun.elapsed() < DEADLINE,
                "still there: {:?}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn history() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/history");
    (folder, path)
}

#[test]
fn a_person_types_completes_clears_is_told_and_leaves() {
    let (_folder, history) = history();
    let mut desk = Desk::new(&history);
    assert!(desk.is_raw());

    desk.types("/list\r");
    desk.sees("no agents yet");
    desk.sees("mo> ");

    desk.types("/he\t ad\t\t");
    desk.sees("adopt");
    desk.types("d\r");
    desk.sees("Supervises one more pane.");
    desk.sees("mo> ");

    desk.types("go on\r");
    desk.sees("does not begin with `/`");
    desk.sees("mo> ");

    desk.types("/list half");
    desk.sees("half");
    desk.types("\x03");
    desk.types("\x03");
    desk.sees("/quit or Ctrl-D leaves");
    desk.sees("mo> ");

    desk.types("/qu\t\r");
    desk.sees("stopped everything");
    assert_eq!(desk.ends().code(), Some(0));
    assert!(!desk.is_raw());
}

#[test]
fn what_is_typed_ahead_is_kept_and_ctrl_c_between_lines_ends_nothing() {
    let (_folder, history) = history();
    let mut desk = Desk::new(&history);
    // all at once: most of it comes while no line is being edited
    desk.types("/stop a1\r/stop a2\r/stop a3\r\x03");
    let said = desk.sees("Ctrl-D leaves");
    for answer in ["a1 is stopped", "a2 is stopped", "a3 is stopped"] {
        assert_eq!(said.matches(answer).count(), 1, "{answer} in {said:?}");
    }
    // Ctrl-C drops what is typed right behind it, as terminals do
    desk.sees("mo> ");
    desk.types("/stop a4\r\x04");
    desk.sees("a4 is stopped");
    desk.sees("stopped everything");
    assert_eq!(desk.ends().code(), Some(0));
}

#[test]
fn what_comes_late_appears_above_the_line_that_is_being_typed() {
    let (_folder, history) = history();
    let mut desk = Desk::new(&history);
    desk.types("/review a1\r");
    desk.sees("mo> ");
    desk.types("/start a1\r");
    // the notice's escape sequence is shown, not sent; the bell rings where it is told to
    let told = desk.sees("a1 needs you: Shall I␛[31m go on?");
    assert!(!told.contains('\x07'), "{told:?}");
    desk.sees("\x07\x1b]9;a1 waits for you\x1b\\\x1b]777;notify;a1 waits for you;Shall I␛[31m go on?\x1b\\");
    desk.types("/reply a1 half a li");
    // drawn key by key from the second on
    desk.sees("alf a li");
    desk.sees("`/review a1`:\r\nAll is well so far.\r\n");
    // the line is drawn anew below, whole, and goes on
    desk.sees("mo> /reply a1 half a li");
    desk.types("ne\r");
    desk.sees("text: \"half a line\"");
    desk.types("\x04");
    desk.sees("stopped everything");
    assert_eq!(desk.ends().code(), Some(0));
    assert!(!desk.is_raw());
}

#[test]
fn the_terminal_is_given_back_within_a_second_when_the_supervisor_ends() {
    let (_folder, history) = history();
    let mut desk = Desk::new(&history);
    assert!(desk.is_raw());
    let begun = Instant::now();
    desk.types("/stop all\r");
    desk.sees("it ends");
    assert_eq!(desk.ends().code(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert!(!desk.is_raw());
}

#[test]
fn the_terminal_is_given_back_while_the_editor_waits_for_a_key() {
    let (_folder, history) = history();
    let mut desk = Desk::new(&history);
    desk.types("/log end\r");
    desk.types("/reply a1 half a li");
    // drawn key by key from the second on
    desk.sees("alf a li");
    let begun = Instant::now();
    desk.sees("warning: ended by itself");
    assert_eq!(desk.ends().code(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert!(!desk.is_raw());
}

#[test]
fn a_panic_gives_the_terminal_back() {
    let (_folder, history) = history();
    let mut desk = Desk::new(&history);
    assert!(desk.is_raw());
    desk.types("/stop bug\r");
    desk.sees("as asked for");
    assert!(!desk.ends().success());
    assert!(!desk.is_raw());
}

#[test]
fn the_history_is_kept_between_runs_for_its_owner_alone() {
    let (_folder, history) = history();
    let mut desk = Desk::new(&history);
    for line in ["/stop first\r", "/stop second\r", " /stop secret\r"] {
        desk.types(line);
        desk.sees("is stopped");
        desk.sees("mo> ");
    }
    // no time to say good-bye
    desk.child.kill().unwrap();
    desk.ends();
    let mode = std::fs::metadata(&history).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let folder = history.parent().unwrap();
    let mode = std::fs::metadata(folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let kept = std::fs::read_to_string(&history).unwrap();
    assert!(kept.ends_with("/stop first\n/stop second\n"), "{kept:?}");

    let mut desk = Desk::new(&history);
    desk.types("\x1b[A\x1b[A\r");
    desk.sees("first is stopped");
}

#[test]
fn a_history_that_cannot_be_kept_is_a_warning() {
    let mut desk = Desk::new(Path::new("/dev/null/history"));
    // said by the editor's thread before its first line, beside the greeting
    desk.types("/stop a1\r");
    let said = desk.sees("a1 is stopped");
    let said = format!("{}{said}", desk.greeting);
    assert!(
        said.contains("could not read the history /dev/null/history"),
        "{said:?}"
    );
    assert!(said.contains("good morning"), "{said:?}");
}
