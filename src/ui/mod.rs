//! What touches the terminal: the command line, the TUI, the REPL, and the demo's simulated agents.
//!
//! Only this module prints. It turns what a person types into [`Command`](crate::command::Command)s, sends
//! them to a [`Client`](crate::command::Client), and shows what comes back; it decides nothing and, but for the
//! demo, which starts one of its own, knows no supervisor. `main` calls it.

pub mod bell;
pub mod cli;
pub mod ctl;
pub mod demo;
pub mod demo_agent;
pub mod diagnostics;
pub mod explain;
pub mod found;
pub mod mission;
pub mod past;
pub mod places;
pub mod repl;
pub mod serve;
pub mod signals;
pub mod tui;

use std::io::{self, ErrorKind, Write};

use crate::error::{Failure, Kind};

/// Writes `text` to stdout. A reader that has gone away is no failure: it has read enough.
///
/// # Errors
/// When stdout cannot be written to for another reason (a full disk).
pub fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(cannot_write(&error)),
        _ => Ok(()),
    }
}

/// Writes a failure to stderr, in the words that every front end uses.
pub fn print_failure(failure: &Failure) {
    let text = crate::command::reply::failure(failure);
    // where stderr is gone too, nobody is left to be told
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn cannot_write(error: &io::Error) -> Failure {
    Failure::new(Kind::Failed, "could not write to stdout").because(error)
}
