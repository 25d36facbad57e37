//! The file of typed lines, shared with the REPL: in its form, for its owner alone, bounded.
//!
//! A thread of its own reads and writes it, for a disk may be slow. What cannot be kept is said once, and costs
//! nothing else.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use rustyline::config::Config;
use rustyline::error::ReadlineError;
use rustyline::history::{FileHistory, History as _, SearchDirection};
use tokio::sync::mpsc as answers;

use super::update::Message;
use crate::error::in_full;
use crate::ui::repl::HISTORY_LINES;

/// So many lines may wait to be written.
const WAITING: usize = 64;

/// The file, seen from the TUI.
pub(super) struct History {
    lines: Option<SyncSender<String>>,
    said: answers::Receiver<Message>,
}

impl History {
    /// Begins to read `path`, and keeps lines there from then on; without one, keeps none.
    pub(super) fn start(path: Option<PathBuf>) -> Self {
        let (lines, to_keep) = mpsc::sync_channel(WAITING);
        let (say, said) = answers::channel(2);
        let spawned = path.map(|path| {
            let work = move || {
                if let Err(error) = keep(&path, &to_keep, &say) {
                    let why = format!(
                        "could not keep the history {}: {}; this run keeps none",
                        path.display(),
                        in_full(&error)
                    );
                    let _ = say.blocking_send(Message::NoPast(why));
                }
            };
            thread::Builder::new().name("history".into()).spawn(work)
        });
        let lines = spawned
            .is_some_and(|spawned| spawned.is_ok())
            .then_some(lines);
        Self { lines, said }
    }

    /// Keeps a line; where the disk does not answer, it is kept for this run only.
    pub(super) fn keep(&self, line: String) {
        if let Some(lines) = &self.lines {
            let _ = lines.try_send(line);
        }
    }

    /// What was typed before, then what went wrong; never, once there is nothing more to say.
    pub(super) async fn said(&mut self) -> Message {
        match self.said.recv().await {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }
}

fn keep(
    path: &std::path::Path,
    lines: &Receiver<String>,
    say: &answers::Sender<Message>,
) -> Result<(), ReadlineError> {
    let config = Config::builder()
        .max_history_size(HISTORY_LINES)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .build();
    let mut history = FileHistory::with_config(&config);
    crate::ui::repl::load_history(&mut history, path)?;
    let mut past = Vec::new();
    for at in 0..history.len() {
        if let Some(line) = history.get(at, SearchDirection::Forward)? {
            past.push(line.entry.into_owned());
        }
    }
    let _ = say.blocking_send(Message::Past(past));
    while let Ok(line) = lines.recv() {
        if history.add(&line)? {
            history.append(path)?;
        }
    }
    Ok(())
}
