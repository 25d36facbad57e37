//! The line editor and the screen above it, each on a plain thread of its own.
//!
//! rustyline owns the terminal while a line is typed; text from elsewhere reaches the screen only through
//! its external printer, which draws above that line. Both block, so neither runs on the runtime. The
//! editor begins a line only when it is told to ([`Keyboard::prompt`]): what a line brought about is on the
//! screen before the next prompt, as far as it comes at once.

use std::borrow::Cow;
use std::fs::DirBuilder;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc as plain;
use std::thread;
use std::time::Duration;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::{DefaultHistory, History as _};
use rustyline::validate::Validator;
use rustyline::{
    Cmd, CompletionType, ConditionalEventHandler, Config, Context, Editor, Event, EventContext,
    EventHandler, ExternalPrinter, Helper, KeyEvent, Movement, RepeatCount,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::command::Client;
use crate::command::complete::{World, complete, hint};
use crate::command::text::harmless;

const PROMPT: &str = "mo> ";
/// The most lines that the history keeps.
pub(in crate::ui) const HISTORY_LINES: usize = 1_000;
/// The most texts that wait for the screen.
const WAITING_TEXTS: usize = 256;

/// What somebody did at the prompt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Entered a line.
    Line(String),
    /// Pressed Ctrl-C on an empty line.
    Interrupted,
    /// Entered what is no UTF-8.
    NotUtf8,
    /// Pressed Ctrl-D on an empty line, or closed the terminal.
    End,
}

/// The editor's thread, seen from outside.
pub(super) struct Keyboard {
    pub typed: mpsc::Receiver<Typed>,
    begin: plain::SyncSender<()>,
    /// Resolves when the thread has ended.
    pub done: oneshot::Receiver<()>,
}

impl Keyboard {
    /// Lets the next line be typed.
    pub(super) fn prompt(&self) {
        let _ = self.begin.try_send(());
    }

    /// Lets no further line be typed.
    pub(super) fn stop(self) -> oneshot::Receiver<()> {
        self.done
    }
}

/// The screen's thread, seen from outside.
#[derive(Clone)]
pub(super) struct Screen(mpsc::Sender<Shown>);

struct Shown {
    text: String,
    done: oneshot::Sender<()>,
}

impl Screen {
    /// Shows `text` above the line being typed.
    ///
    /// Where too much waits already, because the terminal has stopped reading, the text is dropped: nothing
    /// waits for a terminal.
    pub(super) fn say(&self, text: String) {
        drop(self.shown(text));
    }

    /// The same; resolves when the text is there, or cannot be.
    pub(super) fn shown(&self, text: String) -> oneshot::Receiver<()> {
        let (done, shown) = oneshot::channel();
        let _ = self.0.try_send(Shown { text, done });
        shown
    }
}

/// Starts both threads. The screen's ends when every [`Screen`] is gone; `history` is read and kept by the
/// editor's.
pub(super) fn start(
    client: Arc<dyn Client>,
    history: Option<PathBuf>,
) -> rustyline::Result<(Keyboard, Screen, oneshot::Receiver<()>)> {
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let config = Config::builder()
        .max_history_size(HISTORY_LINES)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .build();
    let mut editor: Editor<Words, DefaultHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(Words { client, colours }));
    editor.bind_sequence(
        KeyEvent::ctrl('C'),
        EventHandler::Conditional(Box::new(ClearFirst)),
    );
    let printer = editor.create_external_printer()?;

    let (texts, shown) = mpsc::channel(WAITING_TEXTS);
    let screen = Screen(texts);
    let screen_done = on_a_thread("screen", move || show(printer, shown))?;

    let (typed, read) = mpsc::channel(1);
    let (begin, may_begin) = plain::sync_channel(1);
    // its own sender would keep the screen's thread waiting for ever
    let trouble = screen.clone();
    let done = on_a_thread("editor", move || {
        edit(&mut editor, history, &trouble, &may_begin, &typed);
    })?;
    let keyboard = Keyboard {
        typed: read,
        begin,
        done,
    };
    Ok((keyboard, screen, screen_done))
}

/// Runs `work` on a thread; what is returned resolves when it has ended, also by a panic.
pub(super) fn on_a_thread(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<oneshot::Receiver<()>> {
    let (ended, done) = oneshot::channel();
    thread::Builder::new().name(name.into()).spawn(move || {
        let _ended: oneshot::Sender<()> = ended;
        work();
    })?;
    Ok(done)
}

/// Waits for a thread's end, at most so long; whether it came.
pub(super) async fn ended(done: &mut oneshot::Receiver<()>, at_most: Duration) -> bool {
    timeout(at_most, done).await.is_ok()
}

fn show(mut printer: impl ExternalPrinter, mut shown: mpsc::Receiver<Shown>) {
    while let Some(Shown { text, done }) = shown.blocking_recv() {
        if printer.print(text.clone()).is_err() {
            let _ = io::stdout().lock().write_all(text.as_bytes());
        }
        let _ = done.send(());
    }
}

fn edit(
    editor: &mut Editor<Words, DefaultHistory>,
    mut history: Option<PathBuf>,
    screen: &Screen,
    may_begin: &plain::Receiver<()>,
    typed: &mpsc::Sender<Typed>,
) {
    if let Some(path) = &history
        && let Err(error) = load_history(editor.history_mut(), path)
    {
        warn(screen, "read", path, &error);
        history = None;
    }
    while may_begin.recv().is_ok() {
        let what = match editor.readline(PROMPT) {
            Ok(line) => {
                let kept = editor.add_history_entry(&line).unwrap_or(false);
                if kept
                    && let Some(path) = &history
                    && let Err(error) = editor.append_history(path)
                {
                    warn(screen, "write", path, &error);
                    history = None;
                }
                Typed::Line(line)
            }
            Err(ReadlineError::Interrupted) => Typed::Interrupted,
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                Typed::NotUtf8
            }
            Err(_) => Typed::End,
        };
        if typed.blocking_send(what).is_err() {
            break;
        }
    }
}

/// Reads the history and makes its folder, for the person alone. rustyline keeps the file 0600.
pub(in crate::ui) fn load_history(
    history: &mut DefaultHistory,
    path: &Path,
) -> Result<(), ReadlineError> {
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    match history.load(path) {
        Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn warn(screen: &Screen, what: &str, path: &Path, error: &ReadlineError) {
    let text = format!(
        "warning: could not {what} the history {}: {error}; this run keeps none",
        path.display()
    );
    screen.say(format!("{}\n", harmless(&text)));
}

/// Ctrl-C clears a line that has something in it, and means something else only on an empty one.
struct ClearFirst;

impl ConditionalEventHandler for ClearFirst {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let clear = Cmd::Kill(Movement::WholeBuffer);
        (!context.line().is_empty()).then_some(clear)
    }
}

/// The names that a line can use, and what may follow.
struct Words {
    client: Arc<dyn Client>,
    colours: bool,
}

impl Helper for Words {}

impl Validator for Words {}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let world = World::of(self.client.as_ref());
        let (start, candidates) = complete(line, cursor, &world);
        let pairs = candidates.into_iter().map(|one| Pair {
            display: one.display,
            replacement: one.replacement,
        });
        Ok((start, pairs.collect()))
    }
}

/// What may follow; the arrow keys do not insert it, since it is no text for the line.
struct Usage(String);

impl Hint for Usage {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Words {
    type Hint = Usage;

    fn hint(&self, line: &str, cursor: usize, _: &Context<'_>) -> Option<Usage> {
        // without colours a hint could not be told from what was typed
        let at_the_end = self.colours && cursor == line.len();
        at_the_end.then(|| hint(line)).flatten().map(Usage)
    }
}

impl Highlighter for Words {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
    }
}
