//! What comes from the terminal, in the TUI's own words: keys, pastes, clicks, sizes.
//!
//! [`Keyboard`] turns the library's events into [`Input`]; no type of the library is seen beyond this module and
//! [`terminal`]. It decides nothing: which key does what is the keymap's business.

use std::future::poll_fn;
use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::OnceLock;

use crossterm::event::{
    Event, EventStream, KeyCode as Code, KeyEvent, KeyEventKind, KeyModifiers, MouseButton,
    MouseEvent, MouseEventKind,
};
use futures_core::Stream;
use rustix::process::Signal;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{self, SignalKind};

use super::terminal;

/// So much of a paste is heeded, in bytes.
const LONGEST_PASTE: usize = 64 * 1024;

/// The other end of the pipe that stands in stdin's place once the terminal is gone.
static SILENCE: OnceLock<PipeWriter> = OnceLock::new();

/// One thing that came from the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// A text was pasted. Its line ends are `\n`; nothing else in it was changed, controls included.
    Paste(String),
    /// The mouse was clicked, or its wheel turned.
    Mouse(Mouse),
    /// The terminal has a new size: columns, rows. Also said when everything is to be drawn anew.
    Resize(u16, u16),
    /// The terminal's window is looked at.
    FocusGained,
    /// The terminal's window is no longer looked at.
    FocusLost,
}

/// A key with what was held down beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// Whether Ctrl was held.
    pub ctrl: bool,
    /// Whether Alt was held.
    pub alt: bool,
    /// Whether Shift was held; never said of a character, which is already the shifted one.
    pub shift: bool,
}

/// A key on the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those on the keys")]
pub enum KeyCode {
    /// A character; never a control character.
    Char(char),
    Enter,
    Esc,
    Tab,
    /// Shift and Tab.
    BackTab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    /// F1 is `F(1)`.
    F(u8),
}

impl Key {
    /// A key with nothing held down beside it.
    pub const fn plain(code: KeyCode) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
            shift: false,
        }
    }

    /// A character.
    pub const fn char(character: char) -> Self {
        Self::plain(KeyCode::Char(character))
    }

    /// A character with Ctrl, in lower case.
    pub const fn ctrl(character: char) -> Self {
        let mut key = Self::char(character);
        key.ctrl = true;
        key
    }

    /// Whether nothing was held down beside it.
    pub const fn is_bare(self) -> bool {
        !self.ctrl && !self.alt && !self.shift
    }

    /// The character that it types: none with Ctrl or Alt.
    pub const fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(character) if !self.ctrl && !self.alt => Some(character),
            _ => None,
        }
    }
}

/// What the mouse did, where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// What.
    pub what: MouseAction,
    /// The column, from 0.
    pub column: u16,
    /// The row, from 0.
    pub row: u16,
}

/// What the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseAction {
    /// The left button went down.
    Click,
    /// The wheel was turned up.
    WheelUp,
    /// The wheel was turned down.
    WheelDown,
}

/// What the terminal says, as it comes.
///
/// Ctrl-Z is a key like any other, and SIGTSTP does nothing while this lives: a supervisor that is suspended
/// would leave its agents unwatched. After a SIGSTOP and a SIGCONT the terminal is taken again, for the shell
/// had it in between, and everything is drawn anew.
pub struct Keyboard {
    events: EventStream,
    /// Says when the terminal is gone.
    line: Option<AsyncFd<OwnedFd>>,
    /// Asked by ourselves: the library loses a change of size that comes at the same moment as a key.
    resized: Option<unix::Signal>,
    continued: Option<unix::Signal>,
    /// Keeps a SIGTSTP from stopping the program.
    _suspend: Option<unix::Signal>,
    /// Whether the terminal is gone.
    gone: bool,
}

impl Keyboard {
    /// Listens to the terminal on stdin, which [`terminal::Screen::take`] has taken.
    ///
    /// Called within a tokio runtime.
    ///
    /// # Errors
    /// When stdin cannot be watched.
    pub fn listen() -> io::Result<Self> {
        let stdin = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
        let signal = |which: Signal| unix::signal(SignalKind::from_raw(which.as_raw())).ok();
        Ok(Self {
            events: EventStream::new(),
            line: watched(stdin),
            resized: signal(Signal::WINCH),
            continued: signal(Signal::CONT),
            _suspend: signal(Signal::TSTP),
            gone: false,
        })
    }

    /// Waits for the next thing; `None` once the terminal is gone, and from then on. Dropped half-way, it
    /// loses nothing.
    pub async fn next(&mut self) -> Option<Input> {
        loop {
            if self.gone {
                return None;
            }
            let event = tokio::select! {
                biased;
                event = next_event(&mut self.events) => event,
                () = signalled(&mut self.resized) => {
                    let (columns, rows) = terminal::size();
                    return Some(Input::Resize(columns, rows));
                }
                () = signalled(&mut self.continued) => {
                    terminal::retake();
                    let (columns, rows) = terminal::size();
                    return Some(Input::Resize(columns, rows));
                }
                () = hung_up(self.line.as_ref()) => None,
            };
            match event {
                Some(Ok(event)) => {
                    if let Some(input) = understood(event) {
                        return Some(input);
                    }
                }
                Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Some(Err(_)) | None => self.leave_line(),
            }
        }
    }

    /// Puts a pipe that stays silent in the place of a terminal that is gone: the library would read its end
    /// again and again for ever.
    fn leave_line(&mut self) {
        self.gone = true;
        if let Ok((silent, kept)) = io::pipe()
            && rustix::io::ioctl_fionbio(&silent, true).is_ok()
            && rustix::stdio::dup2_stdin(&silent).is_ok()
        {
            let _ = SILENCE.set(kept);
        }
    }
}

/// `terminal`, watched for its hangup alone: that is told whatever else is asked for.
#[expect(
    deprecated,
    reason = "its successor is unsafe to call; an owned descriptor keeps what that one asks for"
)]
fn watched(terminal: OwnedFd) -> Option<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(terminal, Interest::PRIORITY).ok()
}

async fn next_event(events: &mut EventStream) -> Option<io::Result<Event>> {
    poll_fn(|context| Pin::new(&mut *events).poll_next(context)).await
}

async fn signalled(signal: &mut Option<unix::Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}

async fn hung_up(line: Option<&AsyncFd<OwnedFd>>) {
    let Some(line) = line else {
        return std::future::pending().await;
    };
    loop {
        let Ok(mut guard) = line.ready(Interest::PRIORITY).await else {
            return;
        };
        if guard.ready().is_read_closed() {
            return;
        }
        guard.clear_ready();
    }
}

/// An event in our own words; `None` for what nobody heeds.
fn understood(event: Event) -> Option<Input> {
    Some(match event {
        Event::Key(key) => Input::Key(pressed(key)?),
        Event::Paste(text) => Input::Paste(pasted(text)),
        Event::Mouse(mouse) => Input::Mouse(moused(mouse)?),
        Event::Resize(..) => return None,
        Event::FocusGained => Input::FocusGained,
        Event::FocusLost => Input::FocusLost,
    })
}

fn pressed(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let held = |modifier| event.modifiers.contains(modifier);
    let (mut ctrl, mut shift) = (held(KeyModifiers::CONTROL), held(KeyModifiers::SHIFT));
    let code = match event.code {
        Code::Char(character) if character.is_control() => return None,
        Code::Char(character) if ctrl => {
            shift = false;
            KeyCode::Char(character.to_ascii_lowercase())
        }
        Code::Char(character) => {
            shift = false;
            KeyCode::Char(character)
        }
        Code::Enter => KeyCode::Enter,
        Code::Esc => KeyCode::Esc,
        Code::Tab if shift => KeyCode::BackTab,
        Code::Tab => KeyCode::Tab,
        Code::BackTab => KeyCode::BackTab,
        Code::Backspace => KeyCode::Backspace,
        Code::Delete => KeyCode::Delete,
        Code::Insert => KeyCode::Insert,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        Code::F(number) => KeyCode::F(number),
        _ => return None,
    };
    if code == KeyCode::BackTab {
        (ctrl, shift) = (false, false);
    }
    Some(Key {
        code,
        ctrl,
        alt: held(KeyModifiers::ALT),
        shift,
    })
}

fn pasted(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LONGEST_PASTE));
    if text.contains('\r') {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    text
}

fn moused(event: MouseEvent) -> Option<Mouse> {
    let what = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => MouseAction::Click,
        MouseEventKind::ScrollUp => MouseAction::WheelUp,
        MouseEventKind::ScrollDown => MouseAction::WheelDown,
        _ => return None,
    };
    Some(Mouse {
        what,
        column: event.column,
        row: event.row,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_key_whatever_the_terminal_says_beside_it() {
        let shifted = Key {
            shift: true,
            ..Key::plain(KeyCode::Up)
        };
        let alt = Key {
            alt: true,
            ..Key::char('x')
        };
        let (none, shift) = (KeyModifiers::NONE, KeyModifiers::SHIFT);
        for (code, modifiers, key) in [
            (Code::Char('g'), none, Some(Key::char('g'))),
            (Code::Char('G'), shift, Some(Key::char('G'))),
            (Code::Char('?'), shift, Some(Key::char('?'))),
            (Code::Char('漢'), none, Some(Key::char('漢'))),
            (Code::Char('c'), KeyModifiers::CONTROL, Some(Key::ctrl('c'))),
            (
                Code::Char('C'),
                KeyModifiers::CONTROL | shift,
                Some(Key::ctrl('c')),
            ),
            (Code::Char('x'), KeyModifiers::ALT, Some(alt)),
            (Code::Char('\u{9b}'), none, None),
            (Code::Tab, shift, Some(Key::plain(KeyCode::BackTab))),
            (Code::BackTab, shift, Some(Key::plain(KeyCode::BackTab))),
            (Code::Up, shift, Some(shifted)),
            (Code::F(1), none, Some(Key::plain(KeyCode::F(1)))),
            (Code::CapsLock, none, None),
        ] {
            let event = KeyEvent::new(code, modifiers);
            assert_eq!(pressed(event), key, "{event:?}");
        }
        let mut released = KeyEvent::new(Code::Char('y'), none);
        released.kind = KeyEventKind::Release;
        assert_eq!(pressed(released), None, "a key acts once");
    }

    #[test]
    fn a_character_with_ctrl_or_alt_types_nothing() {
        assert_eq!(Key::char('é').typed(), Some('é'));
        assert_eq!(Key::ctrl('x').typed(), None);
        assert_eq!(Key::plain(KeyCode::Enter).typed(), None);
    }

    #[test]
    fn a_paste_is_bounded_and_has_line_ends_of_one_kind() {
        assert_eq!(pasted("a\r\nb\rc\nd\u{1b}".into()), "a\nb\nc\nd\u{1b}");
        let long = pasted("漢".repeat(LONGEST_PASTE));
        assert!(long.len() <= LONGEST_PASTE && long.ends_with('漢'));
    }

    #[test]
    fn of_the_mouse_only_clicks_and_the_wheel_are_heeded() {
        for (kind, what) in [
            (
                MouseEventKind::Down(MouseButton::Left),
                Some(MouseAction::Click),
            ),
            (MouseEventKind::Down(MouseButton::Right), None),
            (MouseEventKind::Up(MouseButton::Left), None),
            (MouseEventKind::Moved, None),
            (MouseEventKind::ScrollUp, Some(MouseAction::WheelUp)),
            (MouseEventKind::ScrollDown, Some(MouseAction::WheelDown)),
        ] {
            let event = MouseEvent {
                kind,
                column: 7,
                row: 3,
                modifiers: KeyModifiers::NONE,
            };
            let expected = what.map(|what| Mouse {
                what,
                column: 7,
                row: 3,
            });
            assert_eq!(moused(event), expected);
        }
    }
}
