//! Why something that was asked of zellij did not happen, and how zellij's own words are read.

use std::path::PathBuf;
use std::time::Duration;

use super::find::{NEEDED, Version};
use crate::error::{Failure, Kind};
use crate::host::{HostError, in_words};
use crate::ids::{PaneAddress, PaneId, SessionName};

/// Why something that was asked of zellij did not happen.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ZellijError {
    /// No zellij was found.
    #[error("zellij was not found, neither in PATH nor in {}", searched.display())]
    NotInstalled {
        /// The folder that was searched beside `PATH`.
        searched: PathBuf,
    },
    /// The zellij that was found cannot be told which pane is meant.
    #[error("{} is version {found}, and {NEEDED} or newer is needed", program.display())]
    TooOld {
        /// The program that was found.
        program: PathBuf,
        /// Its version.
        found: Version,
    },
    /// The zellij program could not be run.
    #[error("could not run zellij while {doing} {to}")]
    CannotRun {
        /// What was being done.
        doing: &'static str,
        /// To what.
        to: String,
        /// Why it did not run.
        source: HostError,
    },
    /// There is no such session, or it has ended.
    #[error("the zellij session `{session}` does not exist{}", those_alive(alive))]
    SessionNotFound {
        /// The session asked for.
        session: SessionName,
        /// The sessions that are alive, as zellij names them.
        alive: Vec<String>,
    },
    /// A session of this name is there already.
    #[error("a zellij session named `{session}` exists already")]
    SessionExists {
        /// The name asked for.
        session: SessionName,
    },
    /// There is no such pane.
    #[error("the session has no pane {pane}{}{}", that_plugin(plugin.as_deref()), those_there(there))]
    NoSuchPane {
        /// The pane asked for.
        pane: PaneAddress,
        /// The terminal panes that the session has.
        there: Vec<PaneId>,
        /// The title of the plugin (a status bar, for instance) that has this number among plugins.
        plugin: Option<String>,
    },
    /// zellij did not answer in time. Seen with a server that is stopped or wedged: it hangs every call.
    #[error("{doing} {to}: zellij did not answer within {}", in_words(*after))]
    TimedOut {
        /// What was being done.
        doing: &'static str,
        /// To what.
        to: String,
        /// The deadline that passed.
        after: Duration,
    },
    /// A text that zellij cannot be given as one argument.
    #[error("the text for {to} {why}")]
    TextRefused {
        /// The pane.
        to: PaneAddress,
        /// What is wrong with it.
        why: &'static str,
    },
    /// zellij's client did not find a session that is there, and so did nothing. Seen about once in a thousand
    /// calls on 0.45.1, more often on a busy machine.
    #[error("{doing} {to}: zellij said that there is no such session, but there is")]
    Overlooked {
        /// What was being done.
        doing: &'static str,
        /// To what.
        to: String,
    },
    /// zellij said something that is not understood, or nothing: what was asked is not known.
    #[error("{doing} {to}: {detail}")]
    Unknown {
        /// What was being done.
        doing: &'static str,
        /// To what.
        to: String,
        /// What zellij said, without control characters and bounded.
        detail: String,
    },
}

impl ZellijError {
    /// Whether trying again later may help without anybody doing anything.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut { .. }
            | Self::Overlooked { .. }
            | Self::Unknown { .. }
            | Self::CannotRun { .. } => true,
            Self::NotInstalled { .. }
            | Self::TooOld { .. }
            | Self::SessionNotFound { .. }
            | Self::SessionExists { .. }
            | Self::NoSuchPane { .. }
            | Self::TextRefused { .. } => false,
        }
    }

    /// Whether it is certain that nothing was done, and that the same may be tried again at once.
    pub const fn did_nothing(&self) -> bool {
        matches!(self, Self::Overlooked { .. })
    }

    /// Whether the server did not answer at all.
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut { .. })
    }
}

impl From<&ZellijError> for Failure {
    fn from(error: &ZellijError) -> Self {
        let (kind, hint) = match error {
            ZellijError::NotInstalled { .. } | ZellijError::TooOld { .. } => (
                Kind::Missing,
                "install a newer one with `cargo install zellij --locked`, and see that PATH finds it first",
            ),
            ZellijError::CannotRun { source, .. } => {
                let mut failure = Self::from(source);
                failure.causes.insert(0, failure.message);
                failure.message = error.to_string();
                return failure;
            }
            ZellijError::SessionNotFound { .. } => (
                Kind::Missing,
                "name one that is alive (`zellij list-sessions`), or start it with `zellij attach --create-background NAME`",
            ),
            ZellijError::SessionExists { .. } => (
                Kind::Failed,
                "choose another name, or end that session with `zellij kill-session NAME`",
            ),
            ZellijError::NoSuchPane { .. } => (Kind::Missing, "see the panes with `/panes`"),
            ZellijError::TimedOut { .. } => (
                Kind::TimedOut,
                "see whether the session still reacts when attached to; a wedged server must be ended and started anew",
            ),
            ZellijError::TextRefused { .. } => (Kind::Usage, "shorten or change the text"),
            ZellijError::Overlooked { .. } => (Kind::Failed, "try again"),
            ZellijError::Unknown { .. } => (
                Kind::Failed,
                "try again; `zellij --version` tells whose words these are",
            ),
        };
        Self::from_error(kind, error).hint(hint)
    }
}

impl From<ZellijError> for Failure {
    fn from(error: ZellijError) -> Self {
        Self::from(&error)
    }
}

fn those_alive(alive: &[String]) -> String {
    match alive {
        [] => "; no session is alive".to_owned(),
        [one] => format!("; alive is `{one}`"),
        many => format!("; alive are `{}`", many.join("`, `")),
    }
}

fn that_plugin(title: Option<&str>) -> String {
    title.map_or_else(String::new, |title| {
        format!(" (the pane of that number is a plugin's, `{title}`)")
    })
}

fn those_there(there: &[PaneId]) -> String {
    let names: Vec<_> = there.iter().take(50).map(ToString::to_string).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("; it has {}", names.join(", ")),
    }
}

/// How much of zellij's own words an error repeats, in characters.
const MAX_DETAIL: usize = 500;

/// Text from outside made fit for a message: no escape sequences, no control characters, bounded.
pub(super) fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(64 * 1024)]);
    let mut kept = String::new();
    let mut characters = text.trim().chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\n' => kept.push('\n'),
            '\t' => kept.push(' '),
            other if other.is_control() => {}
            other => kept.push(other),
        }
    }
    kept
}

/// The beginning of a [`plain`] text.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    plain(bytes).chars().take(MAX_DETAIL).collect()
}

/// Passes over what follows an escape character: `[ ... letter`, or one character.
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if characters.next_if_eq(&'[').is_some() {
        while characters
            .next()
            .is_some_and(|inside| !('\u{40}'..='\u{7e}').contains(&inside))
        {}
    } else {
        characters.next_if(|after| !after.is_control());
    }
}

/// The sessions that zellij lists when it says that `session` is not there; `None` if it does not say so.
///
/// Its words (0.45.1) are `Session 'x' not found. The following sessions are active:` with one name a
/// line, `Session 'x' not found.`, and `There is no active session!`.
pub(super) fn session_not_found(said: &str) -> Option<Vec<String>> {
    if said.contains("There is no active session") {
        return Some(Vec::new());
    }
    let start = said
        .find("Session '")
        .filter(|start| said[*start..].contains("' not found"))?;
    let lines = said[start..].lines().skip(1);
    let names = lines.map(str::trim).filter(|line| !line.is_empty());
    Some(names.take(100).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_missing_session_is_told_from_zellij_s_words() {
        let cases: [(&str, Option<&[&str]>); 6] = [
            (
                "Session 'x' not found. The following sessions are active:\n\u{1b}[32;1mone\u{1b}[m\ntwo words\n",
                Some(&["one", "two words"]),
            ),
            ("\u{1b}[31mSession 'x' not found.\u{1b}[m", Some(&[])),
            ("There is no active session!\n", Some(&[])),
            ("", None),
            ("Session restored", None),
            ("error: config not found", None),
        ];
        for (said, alive) in cases {
            let alive = alive.map(|names| names.iter().map(ToString::to_string).collect());
            assert_eq!(
                session_not_found(&plain(said.as_bytes())),
                alive,
                "{said:?}"
            );
        }
    }

    #[test]
    fn colours_and_control_characters_are_left_out() {
        let cases = [
            ("\u{1b}[38;5;2mgreen\u{1b}[0m", "green"),
            ("a\u{7}b\rc\u{9b}d", "abcd"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("\u{1b}[12", ""),
            ("\u{1b}(Bx", "Bx"),
            ("one\n\ttwo", "one\n two"),
        ];
        for (said, kept) in cases {
            assert_eq!(plain(said.as_bytes()), kept, "{said:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_words_are_made_plain(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let text = excerpt(&bytes);
            prop_assert!(text.chars().count() <= MAX_DETAIL);
            prop_assert!(text.chars().all(|kept| kept == '\n' || !kept.is_control()));
            let _ = session_not_found(&text);
        }
    }

    #[test]
    fn failures_say_what_was_done_to_what_and_what_to_do() {
        let session: SessionName = "work".parse().unwrap();
        let cases = [
            (
                ZellijError::SessionNotFound {
                    session: session.clone(),
                    alive: vec!["a".into(), "b".into()],
                },
                Kind::Missing,
                "the zellij session `work` does not exist; alive are `a`, `b`",
            ),
            (
                ZellijError::TimedOut {
                    doing: "reading the screen of",
                    to: "work:terminal_1".into(),
                    after: Duration::from_secs(5),
                },
                Kind::TimedOut,
                "reading the screen of work:terminal_1: zellij did not answer within 5 s",
            ),
            (
                ZellijError::TooOld {
                    program: "/bin/zellij".into(),
                    found: Version::new(0, 43, 1),
                },
                Kind::Missing,
                "/bin/zellij is version 0.43.1, and 0.44.0 or newer is needed",
            ),
            (
                ZellijError::NoSuchPane {
                    pane: PaneAddress {
                        session,
                        pane: PaneId::new(7),
                    },
                    there: vec![PaneId::new(0), PaneId::new(2)],
                    plugin: Some("tab-bar".into()),
                },
                Kind::Missing,
                "the session has no pane work:terminal_7 (the pane of that number is a plugin's, `tab-bar`); it has terminal_0, terminal_2",
            ),
        ];
        for (error, kind, message) in cases {
            let failure = Failure::from(&error);
            assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
            assert_eq!(failure.hints.len(), 1);
        }
    }

    #[test]
    fn a_program_that_does_not_run_keeps_its_cause() {
        let failure = Failure::from(ZellijError::CannotRun {
            doing: "listing",
            to: "the sessions".into(),
            source: HostError::NotFound {
                program: "/bin/zellij".into(),
            },
        });
        assert_eq!(
            failure.message,
            "could not run zellij while listing the sessions"
        );
        assert_eq!(failure.causes, ["the program `/bin/zellij` does not exist"]);
    }
}
