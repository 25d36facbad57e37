//! The terminal: taken whole for the TUI, and always given back as it was.
//!
//! [`Screen`] draws. What it draws goes through a thread of its own: a terminal that has stopped reading (a
//! wedged zellij, a sleeping ssh) holds up nothing but the next frame. It is given back when the [`Screen`] is
//! dropped, by a panic that unwinds too, and before a panic of the TUI's own thread is told; a panic of another
//! thread is only written down, for the TUI goes on. No deadline is missed by it: what the terminal does not
//! take in within half a second is not waited for. Giving back twice is harmless.
//!
//! After a closed terminal, a SIGTERM or a SIGHUP `main` ends what runs and drops the [`Screen`]; after a kill
//! that nothing survives, `reset` is what is left to type.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::OwnedFd;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};
use rustix::termios::{
    OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcgetwinsize, tcsetattr,
};
use tokio::sync::watch;

use super::paint::Paint;
use crate::error::{Failure, Kind};

/// Sequences by which a terminal is taken, and given back in the reverse order (xterm's control sequences,
/// "DEC Private Mode Set"): the other screen, no cursor, pasted text in brackets, focus, and of the mouse
/// buttons and the wheel (not its movements, which would wake us for nothing) with columns beyond 223.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1004h\x1b[?1000h\x1b[?1006h";
const LEAVE: &[u8] = b"\x1b[?1006l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[0m\x1b[?1049l\x1b[?25h";
/// Around a frame: it is shown whole (mode 2026; a terminal that does not know it ignores it).
const BEGIN_FRAME: &[u8] = b"\x1b[?2026h";
const END_FRAME: &[u8] = b"\x1b[?2026l";

/// How long the terminal may take to take something in when it is taken or given back.
const MOMENT: Duration = Duration::from_millis(500);

/// The terminal that the TUI has at the moment.
static TAKEN: Mutex<Option<Arc<Taken>>> = Mutex::new(None);

/// The terminal as it was before, and as it is meanwhile.
struct Taken {
    input: OwnedFd,
    output: File,
    before: Termios,
    raw: Termios,
    /// Held while something is written: nothing comes between two halves of a frame.
    pen: Mutex<()>,
    /// Whether it has been given back: no frame is drawn any more.
    over: AtomicBool,
    /// Whether somebody else drew on it.
    spoilt: AtomicBool,
    /// The thread that draws.
    owner: ThreadId,
}

/// The terminal while the TUI has it; dropped, it is as it was before.
pub struct Screen {
    terminal: Terminal<Paint<Drawn>>,
    drawn: Drawn,
    taken: Arc<Taken>,
    /// To the thread that writes; `None` while the screen is being dropped.
    frames: Option<SyncSender<Vec<u8>>>,
    sent: u64,
    written: watch::Receiver<Written>,
    area: Rect,
}

/// How far the thread is that writes.
#[derive(Debug, Default)]
struct Written {
    frames: u64,
    /// Why the terminal takes nothing in any more.
    failed: Option<io::Error>,
    ended: bool,
}

/// What a frame comes to, in bytes.
#[derive(Debug, Clone, Default)]
struct Drawn(Arc<Mutex<Vec<u8>>>);

impl Drawn {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Drawn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the TUI can run: both ends are a terminal that can do more than print.
///
/// # Errors
/// When they are not: what is missing, and what to use instead.
pub fn check() -> Result<(), Failure> {
    let refused = |what: String| {
        Err(Failure::new(Kind::Missing, what)
            .hint("`--repl` takes commands as lines, from a terminal of any kind or from a pipe"))
    };
    for (is_terminal, name) in [
        (io::stdin().is_terminal(), "stdin"),
        (io::stdout().is_terminal(), "stdout"),
    ] {
        if !is_terminal {
            return refused(format!("the TUI needs a terminal, and {name} is none"));
        }
    }
    match std::env::var("TERM").as_deref() {
        Err(_) | Ok("") => {
            refused("the TUI cannot draw: TERM does not say what terminal this is".into())
        }
        Ok(term @ ("dumb" | "cons25" | "emacs")) => refused(format!(
            "the TUI cannot draw on a terminal with TERM={term}"
        )),
        Ok(_) => Ok(()),
    }
}

/// The columns and rows of the terminal; 80 and 24 where it does not say.
pub fn size() -> (u16, u16) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => (80, 24),
    }
}

/// Gives the terminal back at once; nothing where the TUI does not have it. For an end that drops nothing.
pub fn restore() {
    let taken = held().take();
    if let Some(taken) = taken {
        taken.put_back();
    }
}

/// Prints `text` once the terminal has been given back; a terminal that reads nothing is not waited for.
pub fn last_words(text: String) {
    let (done, waited) = mpsc::sync_channel(1);
    let printing = thread::Builder::new().spawn(move || {
        let _ = crate::ui::print(text.as_bytes());
        let _ = done.send(());
    });
    if printing.is_ok() {
        let _ = waited.recv_timeout(MOMENT);
    }
}

/// Takes the terminal anew after the program was stopped and goes on.
pub(super) fn retake() {
    let taken = held().clone();
    if let Some(taken) = taken {
        let _ = tcsetattr(&taken.input, OptionalActions::Now, &taken.raw);
        taken.spoilt.store(true, Ordering::SeqCst);
        let _ = taken.say(ENTER);
    }
}

/// What is taken. Nobody holds it for longer than a look, so that a panic's hook can wait for it too.
fn held() -> MutexGuard<'static, Option<Arc<Taken>>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Screen {
    /// Takes the terminal, and begins to watch for panics. Called on the thread that will draw, once at a time.
    ///
    /// # Errors
    /// When there is no terminal that it could draw on (see [`check`]), or it is taken already.
    pub fn take() -> Result<Self, Failure> {
        check()?;
        let cannot = |error: &(dyn std::error::Error + 'static)| {
            Failure::new(Kind::Failed, "could not take the terminal").because(error)
        };
        let taken = Taken::of_stdio().map_err(|error| cannot(&error))?;
        let taken = Arc::new(taken);
        {
            let mut held = held();
            if held.is_some() {
                return Err(Failure::new(Kind::Bug, "the terminal is taken already"));
            }
            *held = Some(Arc::clone(&taken));
        }
        watch_for_panics();
        let begun = Self::begin(&taken);
        if begun.is_err() {
            restore();
        }
        begun.map_err(|error| cannot(&error))
    }

    fn begin(taken: &Arc<Taken>) -> io::Result<Self> {
        tcsetattr(&taken.input, OptionalActions::Now, &taken.raw)?;
        taken.say(ENTER)?;
        let (columns, rows) = size();
        let area = Rect::new(0, 0, columns, rows);
        let drawn = Drawn::default();
        let options = TerminalOptions {
            viewport: Viewport::Fixed(area),
        };
        let terminal = Terminal::with_options(Paint::new(drawn.clone(), area.into()), options)?;
        let (frames, to_write) = mpsc::sync_channel::<Vec<u8>>(1);
        let (progress, written) = watch::channel(Written::default());
        let writing = Arc::clone(taken);
        thread::Builder::new()
            .name("terminal".into())
            .spawn(move || {
                for frame in to_write {
                    let failed = writing.write(&frame).err();
                    progress.send_modify(|written| {
                        written.frames += 1;
                        written.failed = failed.or(written.failed.take());
                    });
                }
                progress.send_modify(|written| written.ended = true);
            })?;
        Ok(Self {
            terminal,
            drawn,
            taken: Arc::clone(taken),
            frames: Some(frames),
            sent: 0,
            written,
            area,
        })
    }

    /// Draws a frame on the terminal as large as it is now; `false`, without having drawn, while the terminal
    /// has not taken in the last one (see [`Screen::ready`]).
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> Result<bool, Failure> {
        let gone = |why: &io::Error| {
            Failure::new(Kind::Failed, "the terminal takes nothing in any more").because(why)
        };
        {
            let written = self.written.borrow();
            if let Some(why) = &written.failed {
                return Err(gone(why));
            }
            if written.frames < self.sent {
                return Ok(false);
            }
        }
        let (columns, rows) = size();
        let area = Rect::new(0, 0, columns, rows);
        self.drawn.bytes().extend_from_slice(BEGIN_FRAME);
        if self.taken.spoilt.swap(false, Ordering::SeqCst) || area != self.area {
            self.area = area;
            self.terminal.backend_mut().resize(area.into());
            self.terminal.resize(area).map_err(|error| gone(&error))?;
        }
        self.terminal.draw(render).map_err(|error| gone(&error))?;
        let mut frame = std::mem::take(&mut *self.drawn.bytes());
        frame.extend_from_slice(END_FRAME);
        if let Some(frames) = &self.frames
            && frames.try_send(frame).is_ok()
        {
            self.sent += 1;
        }
        Ok(true)
    }

    /// Waits until the terminal has taken in the last frame. Dropped half-way, it loses nothing.
    pub async fn ready(&mut self) {
        let sent = self.sent;
        // an error: nobody writes any more, which the next frame tells
        let _ = self
            .written
            .wait_for(|written| written.frames >= sent)
            .await;
    }

    /// Sends `text` to the terminal with the next frame, raw: the bell, or a notice by escape sequence.
    ///
    /// It must have been made by this program: nothing in it may come from outside as it is.
    pub fn say(&mut self, text: &[u8]) {
        self.drawn.bytes().extend_from_slice(text);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.frames = None;
        // what is being written is finished first, if the terminal takes it in
        let until = std::time::Instant::now() + MOMENT;
        while !self.written.borrow().ended && std::time::Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        restore();
    }
}

impl Taken {
    fn of_stdio() -> io::Result<Self> {
        let input = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
        let output = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?;
        let before = tcgetattr(&input)?;
        let mut raw = before.clone();
        raw.make_raw();
        Ok(Self {
            input,
            output: File::from(output),
            before,
            raw,
            pen: Mutex::new(()),
            over: AtomicBool::new(false),
            spoilt: AtomicBool::new(false),
            owner: thread::current().id(),
        })
    }

    /// Writes a frame, unless the terminal has been given back.
    fn write(&self, frame: &[u8]) -> io::Result<()> {
        let _pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        if self.over.load(Ordering::SeqCst) {
            return Ok(());
        }
        (&self.output).write_all(frame)
    }

    /// Writes `bytes` from a thread of its own, and waits a moment for that.
    fn say(self: &Arc<Self>, bytes: &'static [u8]) -> io::Result<()> {
        let (done, waited) = mpsc::sync_channel(1);
        let this = Arc::clone(self);
        thread::Builder::new().spawn(move || {
            let _pen = this.pen.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = done.send((&this.output).write_all(bytes));
        })?;
        match waited.recv_timeout(MOMENT) {
            Ok(written) => written,
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "it takes nothing in (is it stopped with Ctrl-S?)",
            )),
        }
    }

    fn put_back(self: &Arc<Self>) {
        self.over.store(true, Ordering::SeqCst);
        // first what cannot block: not after the output has drained
        let _ = tcsetattr(&self.input, OptionalActions::Now, &self.before);
        let _ = self.say(LEAVE);
        // what was typed for the TUI, and what the mouse said last, is not for the shell
        let _ = tcflush(&self.input, QueueSelector::IFlush);
    }
}

/// Has every panic written into the diagnostics, and the terminal given back before one of the TUI's own
/// thread is told. One of another thread is not printed while the TUI has the terminal.
fn watch_for_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let owner = held().as_ref().map(|taken| taken.owner);
            let is_own = owner == Some(thread::current().id());
            if is_own {
                restore();
            }
            let trace = std::backtrace::Backtrace::capture();
            tracing::error!("{panic}\n{trace}");
            if is_own || owner.is_none() {
                before(panic);
            }
        }));
    });
}
