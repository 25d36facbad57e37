//! The REPL: commands as lines, from a person at a terminal or from a pipe.
//!
//! With a terminal, a line editor with history and completion runs on a thread of its own, and what the
//! supervisor says by itself appears above the line being typed. Without one, lines are read from stdin one
//! after the other: answers go to stdout, failures and notices to stderr, and the exit code is that of the
//! last command that failed. Only lines that parse as a [`Command`] are sent, and the REPL never acts by
//! itself, except that the end of input is `/quit`. `main` calls [`run`].

mod editor;
#[cfg(test)]
mod fake;
mod lines;
mod terminal;
#[cfg(test)]
mod terminal_tests;
mod typed;

use std::io::{stderr, stdin, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::Local;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::command::reply::{self, Frame};
use crate::command::{Client, Command, Notice, Reply, Ring};
use crate::error::{Failure, Kind};

pub(in crate::ui) use editor::{HISTORY_LINES, load_history};
pub(in crate::ui) use terminal::columns;
pub use terminal::{restore as restore_terminal, usable as at_a_terminal};

/// How long `/quit` may take.
const QUIT_DEADLINE: Duration = Duration::from_secs(10);
/// How long its answer is waited for once the supervisor has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How the REPL begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplOptions {
    /// The file that keeps typed lines between runs; see [`places::history`](super::places::history).
    pub history: Option<PathBuf>,
    /// What is said first; stderr gets it where there is no terminal.
    pub greeting: String,
}

/// Runs the REPL until `/quit`, the end of input, or `ended` (the supervisor has stopped by itself, or by a
/// signal). The terminal is then as it was before, within a second even while somebody is typing.
///
/// Returns the exit code: 0, or with commands from a pipe that of the last command that failed.
///
/// # Errors
/// When the terminal cannot be used, or an answer cannot be written for another reason than that its reader
/// is gone.
pub async fn run(
    client: Arc<dyn Client>,
    options: ReplOptions,
    ended: CancellationToken,
) -> Result<u8, Failure> {
    if terminal::usable() {
        typed::run(client, options, &ended).await
    } else {
        let streams = lines::Streams {
            input: stdin(),
            out: stdout(),
            err: stderr(),
        };
        lines::run(client, streams, options.greeting, &ended).await
    }
}

/// Sends `/quit` and waits for what the supervisor says on its way out.
pub(in crate::ui) async fn quit(
    client: &dyn Client,
    ended: &CancellationToken,
) -> Result<Reply, Failure> {
    let gone = async {
        ended.cancelled().await;
        sleep(LAST_WORDS).await;
    };
    tokio::select! {
        biased;
        answer = client.send(Command::Quit) => answer,
        () = gone => Ok(Reply::Bye(String::new())),
        () = sleep(QUIT_DEADLINE) => Err(Failure::new(
            Kind::TimedOut,
            "the supervisor did not stop within 10 s",
        )),
    }
}

fn frame(columns: usize) -> Frame {
    Frame {
        columns,
        now: Local::now().fixed_offset(),
    }
}

/// What the supervisor says by itself, in order.
struct Heard(Option<broadcast::Receiver<Notice>>);

/// A notice, or how many were lost because nobody read them in time.
type Said = Result<Notice, u64>;

impl Heard {
    fn of(client: &dyn Client) -> Self {
        Self(Some(client.notices()))
    }

    /// The next one; never, once nobody is left to say anything.
    async fn next(&mut self) -> Said {
        if let Some(notices) = &mut self.0 {
            match notices.recv().await {
                Ok(notice) => return Ok(notice),
                Err(RecvError::Lagged(lost)) => return Err(lost),
                Err(RecvError::Closed) => self.0 = None,
            }
        }
        std::future::pending().await
    }

    /// What has been said already.
    fn rest(&mut self) -> Vec<Said> {
        let mut all = Vec::new();
        while let Some(notices) = &mut self.0 {
            match notices.try_recv() {
                Ok(notice) => all.push(Ok(notice)),
                Err(TryRecvError::Lagged(lost)) => all.push(Err(lost)),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        all
    }
}

/// A notice in words.
fn words(said: &Said, columns: usize) -> String {
    match said {
        Ok(notice) => reply::notice(notice, &frame(columns)),
        Err(lost) => format!("({lost} notices came too fast to be shown; the logs have them)\n"),
    }
}

/// What the terminal is to ring for.
struct Rings(Option<broadcast::Receiver<Ring>>);

impl Rings {
    fn of(client: &dyn Client) -> Self {
        Self(Some(client.rings()))
    }

    /// The next one; never, once nobody is left to ring. Of those that came too fast the last ones.
    async fn next(&mut self) -> Ring {
        while let Some(rings) = &mut self.0 {
            match rings.recv().await {
                Ok(ring) => return ring,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => self.0 = None,
            }
        }
        std::future::pending().await
    }
}
