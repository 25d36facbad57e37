//! Speaks to zellij: which sessions and panes there are, what a pane shows, what runs in its foreground.
//!
//! Each request is one short-lived zellij client, started by [`Host`] under a deadline:
//! a server that is stopped or wedged hangs every client for ever. At most four clients run at once, and
//! at most two of them for one session; waiting for a turn counts against the deadline. Before it does
//! anything a client asks every session under the same socket folder whether it is alive, so that one
//! wedged session hangs the clients of all (zellij issue 5440): that shows as time-outs everywhere. The panes of a session are listed once for all who ask at about the
//! same time.
//!
//! [`Zellij::place`] and [`Zellij::press`] put text and keys into a pane **without any check**. They are
//! for `hands` alone, which holds a permit for what it types; `tests/architecture.rs` fails on any other
//! use. Everything else here may be called by anybody.
//!
//! What a pane shows and what its processes call themselves is text from outside. Nothing here acts on
//! it or draws conclusions, and nothing that changes something is retried: an answer that is empty or not understood is
//! [`ZellijError::Unknown`], never "there is none".

mod client;
mod error;
mod find;
mod focus;
mod foreground;
mod inhabitants;
mod listing;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub use error::ZellijError;
pub use find::{Environment, NEEDED, Version};
pub use focus::Focused;
pub use foreground::{Foreground, is_shell_command};
pub use listing::{Pane, Panes, PluginPane};

use crate::host::Host;
use crate::ids::{PaneAddress, SessionName};
use client::{Client, Order};

/// How long zellij may take for one request unless said otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// The longest text that [`Zellij::place`] takes, in bytes; the system's bound for one argument is 128 KiB.
pub const MAX_TEXT: usize = 100 * 1024;

/// The most of a pane that [`Zellij::dump`] gives, in bytes.
pub const MAX_DUMP: usize = 2 * 1024 * 1024;

/// The most of a scrollback that is read for the sake of its end, in bytes.
const MAX_SCROLLBACK: usize = 8 * MAX_DUMP;

/// The zellij of this machine, for one environment. A cheap handle: clones share everything.
#[derive(Clone, Debug)]
pub struct Zellij {
    client: Arc<Client>,
}

/// How a pane is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dump {
    /// What can be seen, as plain text. Rows that zellij wrapped are one line; those that the program
    /// wrapped itself are several.
    Viewport,
    /// What can be seen, with its styling as escape sequences.
    Styled,
    /// What can be seen and what has scrolled away, as plain text: the last 2 MiB of it. A program on the
    /// alternate screen has nothing that scrolled away.
    Full,
}

/// A key that can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Enter, which submits or chooses.
    Enter,
    /// The arrow up.
    Up,
    /// The arrow down.
    Down,
    /// The arrow to the left.
    Left,
    /// The arrow to the right.
    Right,
    /// A letter or a digit of ASCII that chooses an option.
    Option(u8),
}

impl Key {
    /// The key that chooses the option called `c`, if it is a letter or a digit of ASCII.
    pub fn option(c: char) -> Option<Self> {
        let byte = u8::try_from(c).ok()?;
        byte.is_ascii_alphanumeric().then_some(Self::Option(byte))
    }

    /// The bytes that a terminal sends for the key (the arrows as in ECMA-48), in decimal.
    fn bytes(self) -> Vec<String> {
        let bytes: &[u8] = match self {
            Self::Enter => b"\r",
            Self::Up => b"\x1b[A",
            Self::Down => b"\x1b[B",
            Self::Right => b"\x1b[C",
            Self::Left => b"\x1b[D",
            Self::Option(byte) => &[byte],
        };
        bytes.iter().map(u8::to_string).collect()
    }
}

/// A pane to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPane {
    /// Its name, shown in its frame and listed as its title.
    pub name: String,
    /// The folder in which its command runs; `None` is the session's own.
    pub cwd: Option<PathBuf>,
    /// The command and its arguments; none is the default shell.
    pub argv: Vec<OsString>,
}

impl Zellij {
    /// Finds zellij in this process's environment: in `PATH`, then the newest of
    /// `~/.cache/meta-orchestrator/zellij-*/bin/zellij`. Each request may take as long as `deadline`.
    ///
    /// Errors: [`ZellijError::NotInstalled`], [`ZellijError::TooOld`], or what came of asking for its version.
    pub async fn find(host: Host, deadline: Duration) -> Result<Self, ZellijError> {
        Self::find_in(host, deadline, Environment::inherited()).await
    }

    /// The same as [`Zellij::find`] in a given environment, which every client is run in.
    pub async fn find_in(
        host: Host,
        deadline: Duration,
        environment: Environment,
    ) -> Result<Self, ZellijError> {
        let (program, version) = find::find(host, deadline, &environment).await?;
        let client = Client::new(host, program, version, deadline, environment);
        Ok(Self {
            client: Arc::new(client),
        })
    }

    /// The version in use.
    pub fn version(&self) -> Version {
        self.client.version()
    }

    /// Since when zellij does not answer at all, and what happened last; `None` while it does. That it says that
    /// something is not there is an answer.
    pub fn down(&self) -> Option<(chrono::DateTime<chrono::Utc>, String)> {
        self.client.down()
    }

    /// The program in use.
    pub fn program(&self) -> &Path {
        self.client.program()
    }

    /// The sessions that are alive, as zellij says; now and then it leaves one out, so that only
    /// [`ZellijError::SessionNotFound`] says that a session is gone.
    pub async fn sessions(&self) -> Result<Vec<SessionName>, ZellijError> {
        let order = Order::about(
            "listing",
            "the sessions",
            ["list-sessions", "--no-formatting"],
        );
        match self.client.read(&order).await {
            Ok(answer) => Ok(listing::sessions(&String::from_utf8_lossy(&answer))),
            // zellij exits with 1 when there is nothing to list.
            Err(ZellijError::Unknown { detail, .. })
                if detail.contains("No active zellij sessions") =>
            {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// The panes of a session, as a listing tells them that began at most `fresh_within` ago.
    ///
    /// One client is run however many ask at once. With [`Duration::ZERO`] the listing begins after this
    /// call, though possibly for somebody else. A failure is shared by those who waited for it.
    pub async fn panes(
        &self,
        session: &SessionName,
        fresh_within: Duration,
    ) -> Result<Arc<Panes>, ZellijError> {
        self.client.panes(session, fresh_within).await
    }

    /// One pane, from a listing that began at most `fresh_within` ago.
    ///
    /// Errors: [`ZellijError::NoSuchPane`], or what [`Zellij::panes`] gives.
    pub async fn pane(
        &self,
        pane: &PaneAddress,
        fresh_within: Duration,
    ) -> Result<Pane, ZellijError> {
        let panes = self.panes(&pane.session, fresh_within).await?;
        if let Some(found) = panes.find(pane.pane) {
            return Ok(found.clone());
        }
        let number = pane.pane.number();
        let mut plugins = panes.plugins().iter();
        Err(ZellijError::NoSuchPane {
            pane: pane.clone(),
            there: panes.iter().map(|pane| pane.id).collect(),
            plugin: plugins
                .find(|plugin| plugin.number == number)
                .map(|plugin| error::excerpt(plugin.title.as_bytes())),
        })
    }

    /// What a pane shows; bytes that are no UTF-8 are replaced.
    ///
    /// **A pane that is gone shows a blank screen, and is no error**: ask [`Zellij::panes`] what exists.
    /// zellij also fails to answer at all now and then (about one call in 300 on 0.45.1); it is asked
    /// twice, and then that is [`ZellijError::Unknown`].
    pub async fn dump(&self, pane: &PaneAddress, dump: Dump) -> Result<String, ZellijError> {
        let how: &[&str] = match dump {
            Dump::Viewport => &[],
            Dump::Styled => &["--ansi"],
            Dump::Full => &["--full"],
        };
        let bound = if dump == Dump::Full {
            MAX_SCROLLBACK
        } else {
            MAX_DUMP
        };
        let order =
            Order::on_pane("reading the screen of", pane, "dump-screen", how).max_output(bound);
        let answer = self.client.read(&order).await?;
        Ok(String::from_utf8_lossy(end_of(&answer, MAX_DUMP)).into_owned())
    }

    /// Types `text` into a pane as it is, control characters included. **For `hands` alone.**
    ///
    /// A pane that is gone takes nothing, and is no error. After [`ZellijError::TimedOut`] it is not known
    /// whether the text arrived, or still will.
    ///
    /// Errors: [`ZellijError::TextRefused`] for a text with a NUL character or longer than [`MAX_TEXT`].
    pub async fn place(&self, pane: &PaneAddress, text: &str) -> Result<(), ZellijError> {
        // Without the `--` a text that begins with `-` would be read as an option.
        self.put("write-chars", pane, text).await
    }

    /// The same as a bracketed paste, where the program asked for such; else as it is. **For `hands` alone.**
    ///
    /// Errors: as [`Zellij::place`], and for a text with an escape character, which could close the brackets.
    pub async fn paste(&self, pane: &PaneAddress, text: &str) -> Result<(), ZellijError> {
        if text.contains('\u{1b}') {
            return Err(ZellijError::TextRefused {
                to: pane.clone(),
                why: "holds an escape character, which could end the paste",
            });
        }
        self.put("paste", pane, text).await
    }

    async fn put(
        &self,
        how: &'static str,
        pane: &PaneAddress,
        text: &str,
    ) -> Result<(), ZellijError> {
        let why = if text.contains('\0') {
            Some("holds a NUL character, which no argument can")
        } else if text.len() > MAX_TEXT {
            Some("is longer than 100 KiB")
        } else {
            None
        };
        if let Some(why) = why {
            return Err(ZellijError::TextRefused {
                to: pane.clone(),
                why,
            });
        }
        let order = Order::on_pane("typing into", pane, how, &["--", text]);
        self.client.run(&order).await.map(drop)
    }

    /// Presses a key in a pane. **For `hands` alone.** What [`Zellij::place`] says of panes that are gone
    /// and of deadlines holds here too. In a pane that is `held`, Enter runs the command again.
    pub async fn press(&self, pane: &PaneAddress, key: Key) -> Result<(), ZellijError> {
        let bytes = key.bytes();
        let bytes: Vec<&str> = bytes.iter().map(String::as_str).collect();
        let order = Order::on_pane("pressing a key in", pane, "write", &bytes);
        self.client.run(&order).await.map(drop)
    }

    /// Opens a pane and tells where it is. After [`ZellijError::Unknown`] or [`ZellijError::TimedOut`] there
    /// may be a pane all the same: see by its name.
    pub async fn open(
        &self,
        session: &SessionName,
        new: &NewPane,
    ) -> Result<PaneAddress, ZellijError> {
        self.open_with(session, new, &[]).await
    }

    /// The same behind what a person looks at: a floating pane as large as its tab, which is shown and focused to
    /// nobody until they ask for it. However many there are, each has its whole size, also in a session to which no
    /// terminal is attached (where a new tab has no size at all, as 0.45.1 was seen to do).
    ///
    /// A zellij that cannot leave the focus where it is shows it.
    pub async fn open_behind(
        &self,
        session: &SessionName,
        new: &NewPane,
    ) -> Result<PaneAddress, ZellijError> {
        const BEHIND: [&str; 4] = ["--floating", "--width=100%", "--height=100%", "--no-focus"];
        match self.open_with(session, new, &BEHIND).await {
            // it read no further than its command line
            Err(ZellijError::Unknown { detail, .. }) if detail.contains("'--no-focus'") => {
                self.open_with(session, new, &BEHIND[..3]).await
            }
            opened => opened,
        }
    }

    async fn open_with(
        &self,
        session: &SessionName,
        new: &NewPane,
        how: &[&str],
    ) -> Result<PaneAddress, ZellijError> {
        let mut args: Vec<OsString> = how.iter().map(OsString::from).collect();
        args.push(joined("--name=", OsStr::new(&new.name)));
        if let Some(folder) = &new.cwd {
            args.push(joined("--cwd=", folder.as_os_str()));
        }
        if !new.argv.is_empty() {
            args.push("--".into());
            args.extend(new.argv.iter().cloned());
        }
        let order = Order::on_session("opening a pane in", session, "new-pane", args);
        let answer = self.client.run(&order).await?;
        let said = error::excerpt(&answer);
        let pane = said.parse().map_err(|error| ZellijError::Unknown {
            doing: "opening a pane in",
            to: format!("session `{session}`"),
            detail: format!("it did not tell the new pane's id: {error}"),
        })?;
        Ok(PaneAddress {
            session: session.clone(),
            pane,
        })
    }

    /// Closes a pane, ending what runs in it. A pane that is gone already is no error.
    pub async fn close(&self, pane: &PaneAddress) -> Result<(), ZellijError> {
        let order = Order::on_pane("closing", pane, "close-pane", &[]);
        self.client.run(&order).await.map(drop)
    }

    /// Starts a session without a terminal and returns when its first pane is there.
    ///
    /// Errors: [`ZellijError::SessionExists`] if there is one of that name.
    pub async fn start_session(&self, session: &SessionName) -> Result<(), ZellijError> {
        let args = ["attach", "--create-background", session.as_str()];
        let order = Order::about("starting", &format!("session `{session}`"), args);
        let exists = || ZellijError::SessionExists {
            session: session.clone(),
        };
        // a busy zellij does not always say so
        if self.server(session).await.is_some() {
            return Err(exists());
        }
        self.client.run(&order).await.map_err(|error| match error {
            ZellijError::Unknown { detail, .. } if detail.contains("Session already exists") => {
                exists()
            }
            error => error,
        })?;
        self.let_begin(session).await;
        let until = Instant::now() + self.client.deadline();
        let mut again = false;
        loop {
            let missing =
                |error: &ZellijError| matches!(error, ZellijError::SessionNotFound { .. });
            match self.panes(session, Duration::ZERO).await {
                Ok(panes) if !panes.is_empty() => return Ok(()),
                Err(error) if Instant::now() > until => return Err(error),
                // the new server did not live: it is started once more
                Err(error) if missing(&error) && !again => {
                    again = true;
                    let _ = self.client.run(&order).await;
                    self.let_begin(session).await;
                }
                Err(error) if !error.is_transient() && !missing(&error) => return Err(error),
                _ => tokio::time::sleep(Self::PAUSE).await,
            }
        }
    }

    /// Waits, without a word to it, until a new server has started something in a pane; at most a second.
    ///
    /// A server of 0.45.1 panics if a client leaves it before its session is made, and every client that
    /// merely asks whether it is alive does that.
    async fn let_begin(&self, session: &SessionName) {
        let until = Instant::now() + Self::BEGINNING;
        while Instant::now() < until {
            let (zellij, session) = (self.clone(), session.clone());
            let look = tokio::task::spawn_blocking(move || zellij.client.has_begun(&session));
            if look.await.unwrap_or(true) {
                return;
            }
            tokio::time::sleep(Self::PAUSE).await;
        }
    }

    /// Ends a session with everything in it and forgets what zellij keeps of it. One that is gone already
    /// is no error; a server that does not react is ([`ZellijError::TimedOut`]).
    pub async fn end_session(&self, session: &SessionName) -> Result<(), ZellijError> {
        let until = Instant::now() + self.client.deadline();
        let to = format!("session `{session}`");
        loop {
            // The answers of both differ with what is left of the session; the list is what counts.
            for verb in [&["kill-session"][..], &["delete-session", "--force"]] {
                let args = verb.iter().copied().chain([session.as_str()]);
                let ended = self.client.run(&Order::about("ending", &to, args)).await;
                if let Err(error @ (ZellijError::TimedOut { .. } | ZellijError::CannotRun { .. })) =
                    ended
                {
                    return Err(error);
                }
            }
            let listed = self.sessions().await?.contains(session);
            if !listed && !self.client.has_socket(session) {
                return Ok(());
            }
            if Instant::now() > until {
                let after = self.client.deadline();
                return Err(ZellijError::TimedOut {
                    doing: "ending",
                    to,
                    after,
                });
            }
            tokio::time::sleep(Self::PAUSE).await;
        }
    }

    /// How long a new server is left alone where the system does not tell how far it is.
    const BEGINNING: Duration = Duration::from_secs(1);

    /// The pause between two looks at what zellij does in its own time.
    const PAUSE: Duration = Duration::from_millis(25);
}

fn joined(option: &str, value: &OsStr) -> OsString {
    let mut joined = OsString::from(option);
    joined.push(value);
    joined
}

/// The last `bound` bytes of `text`, from the beginning of a line on.
fn end_of(text: &[u8], bound: usize) -> &[u8] {
    let Some(surplus) = text.len().checked_sub(bound).filter(|surplus| *surplus > 0) else {
        return text;
    };
    let end = &text[surplus..];
    let line = end
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    &end[line..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_text_begins_with_a_line() {
        for (text, bound, end) in [
            ("one\ntwo\nthree", 100, "one\ntwo\nthree"),
            ("one\ntwo\nthree", 13, "one\ntwo\nthree"),
            ("one\ntwo\nthree", 8, "three"),
            ("one\ntwo\nthree", 6, "three"),
            ("one\ntwo\nthree", 3, "ree"),
            ("", 0, ""),
        ] {
            assert_eq!(
                end_of(text.as_bytes(), bound),
                end.as_bytes(),
                "{text:?} {bound}"
            );
        }
    }
}
