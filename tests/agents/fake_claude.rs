//! Plays Claude Code 2.1.197 in a pane 60 columns wide: its screens as they were captured, and what its keys do.
//!
//! `fake-claude FOLDER ORDER...` shows the cases of `tests/screens/claude`, with the texts of the test in their
//! places, and really does what its keys mean. It writes into FOLDER: `typed` (every byte that it received),
//! `lines` (what was submitted), `answers` (the option that a key chose in a dialog, and for what), `ran` (the
//! commands that it ran there, allowed in a dialog or given after `!`), `starts` (a line for each start).
//!
//! In a dialog a digit that comes alone chooses its option at once, Enter the marked one, Escape "No"; a text that
//! comes in one piece is ignored, typed or pasted, as 2.1.329 was seen to do. After the order `keen` each letter
//! of a typed text counts, as in Codex's dialogs. `!` at the front of the prompt begins a command for the shell,
//! typed or pasted. In a question the third option opens a place for words, in which everything is text.
//!
//! Orders: `idle CASE` (the prompt is empty, as in that case of `idle`), `say TEXT` (an answer of the agent's),
//! `row TEXT` (a row above the prompt, as it is),
//! `dialog COMMAND` (asks for a yes; `\n` is a line's end), `bare COMMAND` (without a description below it),
//! `always COMMAND` (the only yes is one for ever), `question` (asks one, with a place for words), `still STATE/CASE` (that captured dialog), `low ROWS` (only so many
//! of the last rows are to be seen), `deaf` (a key closes no dialog), `trap ORDER` (just before the next byte), `when-typed ORDER` (after it),
//! `when-shown ORDER` (once the text of a nudge is drawn), `killed` (ends as `kill -9` ends it: the screen
//! stays), `exit CODE`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program of its own, for tests alone"
)]

mod claude;
mod terminal;

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use claude::Claude;
use rustix::termios::tcgetattr;
use terminal::{Event, append, listen, print, size};

/// How often the pane's size is looked at.
const RESIZED: Duration = Duration::from_millis(25);

fn main() -> io::Result<()> {
    let mut words = std::env::args().skip(1);
    let folder: PathBuf = words.next().ok_or(io::ErrorKind::InvalidInput)?.into();
    let cooked = tcgetattr(io::stdin())?;
    let events = listen(&folder)?;
    // the alternate screen, and bracketed pastes
    print("\u{1b}[?1049h\u{1b}[?2004h\u{1b}[?25l")?;
    let mut claude = Claude::new(folder, cooked)?;
    for order in words {
        claude.obey(&order)?;
    }
    claude.paint()?;
    append(&claude.folder, "starts", b"started\n")?;
    loop {
        match events.recv_timeout(RESIZED) {
            Ok(Event::Keys(bytes)) => claude.take(&bytes)?,
            Ok(Event::Order(order)) => {
                claude.obey(&order)?;
                claude.paint()?;
            }
            Ok(Event::HungUp) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) if claude.painted_for != size() => claude.paint()?,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}
