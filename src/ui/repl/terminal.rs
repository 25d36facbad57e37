//! The terminal's mode: remembered when the REPL begins, put back whatever happens.
//!
//! The line editor's thread can be blocked in a read when the supervisor ends. [`take_stdin`]
//! then puts `/dev/null` in stdin's place: the editor can no longer change the terminal's mode, and the
//! next thing that it reads is the end of input. Only after that is the mode put back, so that no order of
//! events leaves the terminal raw.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize,
    tcsetattr,
};

/// The terminal that the REPL has at the moment.
static TAKEN: Mutex<Option<Arc<Terminal>>> = Mutex::new(None);

/// The terminal as it was before.
pub(super) struct Terminal {
    /// stdin as it was.
    stdin: OwnedFd,
    mode: Termios,
}

/// Puts the terminal back when it is dropped, also by a panic that unwinds.
pub(super) struct Guard {
    terminal: Arc<Terminal>,
    /// Whether an editor may be reading stdin.
    read: bool,
}

/// Whether lines can be edited: both ends are a terminal that knows how to move its cursor.
pub fn usable() -> bool {
    let plain =
        std::env::var("TERM").is_ok_and(|term| ["dumb", "cons25", "emacs"].contains(&&*term));
    io::stdin().is_terminal() && io::stdout().is_terminal() && !plain
}

/// The columns of the terminal; 80 where it does not say.
pub(in crate::ui) fn columns() -> usize {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => 80,
    }
}

/// Puts the terminal back as it was before the REPL; nothing where the REPL does not have it.
///
/// For a panic hook, and for an end that unwinds nothing.
pub fn restore() {
    // a hook must not wait for a lock that the panicking thread may hold
    if let Ok(taken) = TAKEN.try_lock()
        && let Some(terminal) = taken.as_ref()
    {
        terminal.put_back();
    }
}

impl Terminal {
    /// Remembers the mode of the terminal on stdin, and makes it keep keys for the editor.
    ///
    /// The editor sets its own mode only while a line is typed. What is typed between two lines would be
    /// echoed twice in the person's own mode, Ctrl-D would be lost, and Ctrl-C would end the program.
    pub(super) fn take() -> io::Result<Guard> {
        let stdin = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
        let mode = tcgetattr(&stdin)?;
        let mut between = mode.clone();
        between.local_modes -=
            LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        between.input_modes -= InputModes::ICRNL | InputModes::IXON;
        between.special_codes[SpecialCodeIndex::VMIN] = 1;
        between.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&stdin, OptionalActions::Now, &between)?;
        let terminal = Arc::new(Self { stdin, mode });
        if let Ok(mut taken) = TAKEN.lock() {
            *taken = Some(Arc::clone(&terminal));
        }
        Ok(Guard {
            terminal,
            read: true,
        })
    }

    fn put_back(&self) {
        // not after the output has drained: a terminal that has stopped reading must not hold this up
        let _ = tcsetattr(&self.stdin, OptionalActions::Now, &self.mode);
        let mut out = io::stdout();
        // bracketed paste off, cursor visible: what the editor may have left behind
        let _ = out.write_all(b"\x1b[?2004l\x1b[?25h");
        let _ = out.flush();
    }
}

/// Takes the terminal away from whoever reads stdin: what they read next is the end of input.
pub(super) fn take_stdin() -> io::Result<()> {
    let nothing = File::open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdin(&nothing)?)
}

impl Guard {
    /// Says that the editor has ended: stdin can stay what it was.
    pub(super) fn nobody_reads(&mut self) {
        self.read = false;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.read {
            // an editor that is still there must not make the terminal raw again
            let _ = take_stdin();
        } else {
            let _ = rustix::stdio::dup2_stdin(&self.terminal.stdin);
        }
        self.terminal.put_back();
        if let Ok(mut taken) = TAKEN.lock() {
            *taken = None;
        }
    }
}
