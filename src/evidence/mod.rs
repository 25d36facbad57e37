//! What is known about an agent beside its screen: who is in front in its pane, and what it says of itself.
//!
//! Puts together what zellij says of a pane and what the system says of its processes. [`registry`] and
//! [`transcript`] read what Claude Code writes of itself; [`ladder`] draws the conclusion from all that was
//! said. It reads and never types; `agent` and `hands` look through it, `director::policy` judges by what it
//! found.

pub mod ladder;
pub mod registry;
pub mod transcript;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::host::process::ProcessIdentity;
use crate::ids::{Kind, PaneAddress};
use crate::screen::Screen;
use crate::screen::profile::{Profile, Profiles, TypingSpec};
use crate::screen::prompt::{Cursor, Prompt};
use crate::screen::recognise::{self, Reading, Shown};
use crate::screen::state::State;
use crate::zellij::{Dump, Foreground, Pane, Zellij, ZellijError, is_shell_command};

/// The program that may be typed to: who was in front when a person, or a resume, accepted the pane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Program {
    /// Its name, as a person knows it.
    pub name: String,
    /// Its command line, as far as it is known.
    #[serde(default)]
    pub command: String,
    /// Its folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The process, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessIdentity>,
    /// The zellij server that it runs under, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ProcessIdentity>,
}

/// Who reads an agent's screens.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The profiles that are known.
    pub profiles: Arc<Profiles>,
    /// The kind that a person set, if one did.
    pub kind: Option<Kind>,
    /// Whether a shell in front is the agent.
    pub allow_shell: bool,
}

/// What it is known by, how an agent's screen is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// By a profile.
    As(Kind),
    /// By what prompts and dialogs look like in general, as a person allowed.
    Generic,
    /// The same, but nobody allowed that it is typed to.
    No,
}

/// The kind that stands for a program without a profile that may be typed to all the same.
pub const GENERIC: &str = "generic";

impl Reader {
    /// The profile of what is in front, if one is known.
    fn profile(&self, facts: &Facts) -> (Known, Option<Arc<Profile>>) {
        let known = match &self.kind {
            Some(kind) if kind.as_str() == GENERIC => return (Known::Generic, None),
            Some(kind) => self.profiles.get(kind),
            None => {
                let name = facts
                    .program
                    .as_ref()
                    .map_or("", |program| program.name.as_str());
                self.profiles.of_program(name, &facts.arguments)
            }
        };
        match known {
            Some(profile) => (Known::As(profile.kind().clone()), Some(Arc::clone(profile))),
            None => (Known::No, None),
        }
    }
}

/// What is seen at one moment, all of it read in one pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// What zellij and the system say of the pane.
    pub facts: Facts,
    /// Its screen, told from others by what stands still on it.
    pub screen: Screen,
    /// What the screen says.
    pub reading: Reading,
    /// How it was read.
    pub known: Known,
    /// How the agent is typed to.
    pub typing: TypingSpec,
    /// Whether only two screens, apart in time, tell that it does not work.
    pub two_screens: bool,
    /// Whether it was read with care enough to type by: two dumps that agree, and a list of panes of now.
    pub close: bool,
}

impl Sight {
    /// Its prompt, where one is found.
    pub const fn prompt(&self) -> Option<&Prompt> {
        self.reading.prompt.as_ref()
    }

    /// What the agent is doing, by all that is known.
    pub const fn state(&self) -> State {
        self.reading.state
    }

    /// When the limit that it shows is reset, if it says so.
    pub fn resets(&self, _now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        None
    }

    /// The kind, in a word.
    pub fn kind(&self) -> Option<&str> {
        match &self.known {
            Known::As(kind) => Some(kind.as_str()),
            Known::Generic => Some(GENERIC),
            Known::No => None,
        }
    }
}

/// How a pane is looked at.
#[derive(Debug, Clone, Copy)]
pub enum Care<'a> {
    /// To know what goes on: one dump, and a list of panes that is at most so old.
    Glance(Duration),
    /// To type by what is seen. The first is the prompt as it was a moment ago, if it was read; the second our
    /// own text, if it may stand there.
    Close(Option<&'a Prompt>, Option<&'a str>),
}

/// Reads all that is known of a pane, now.
///
/// # Errors
/// When zellij does not answer in time, or the pane is not there any more.
pub async fn look(
    zellij: &Zellij,
    pane: &PaneAddress,
    reader: &Reader,
    care: Care<'_>,
) -> Result<Sight, ZellijError> {
    match care {
        Care::Glance(fresh_within) => {
            let (facts, styled) = tokio::join!(
                facts(zellij, pane, fresh_within),
                zellij.dump(pane, Dump::Styled)
            );
            // a dump of a pane that is gone is empty and no error: the list of panes decides
            let (mut facts, styled) = (facts?, styled?);
            if styled.trim().is_empty() {
                facts = self::facts(zellij, pane, Duration::ZERO).await?;
            }
            Ok(reader.read(facts, None, &styled, None, None))
        }
        Care::Close(before, ours) => {
            let (facts, plain, styled) = tokio::join!(
                facts(zellij, pane, Duration::ZERO),
                zellij.dump(pane, Dump::Viewport),
                zellij.dump(pane, Dump::Styled),
            );
            Ok(reader.read(facts?, Some(&plain?), &styled?, before, ours))
        }
    }
}

impl Reader {
    /// Puts together what was read.
    pub fn read(
        &self,
        facts: Facts,
        plain: Option<&str>,
        styled: &str,
        before: Option<&Prompt>,
        ours: Option<&str>,
    ) -> Sight {
        let (known, profile) = self.profile(&facts);
        let (columns, cursor) = (facts.columns, facts.cursor);
        let read = |shown: &Shown| match &profile {
            Some(profile) => recognise::with_ours(profile, shown, ours),
            None => recognise::in_general(shown, before, ours),
        };
        let shown = Shown::styled(styled, columns, cursor);
        let mut reading = read(&shown);
        if let Some(plain) = plain {
            let solid = shown.solid.clone();
            let other = Shown {
                screen: Screen::read(plain),
                solid,
                ..shown.clone()
            };
            // a screen that changed in between, or of which zellij gave a part only, would make a prompt look
            // empty that is not
            if !reading.agrees(&read(&other)) {
                reading = reading.but(State::Unknown, "two dumps of it differ");
                reading.prompt = None;
            }
        }
        if facts.ended || (facts.shell && !self.allow_shell) {
            reading = reading.but(
                State::Ended,
                "the program in front is a shell, or has ended",
            );
        }
        let (typing, two_screens) = profile.as_ref().map_or_else(Default::default, |profile| {
            (profile.typing().clone(), profile.file().two_screens)
        });
        Sight {
            facts,
            screen: shown.screen.told_by(&reading.still),
            reading,
            known,
            typing,
            two_screens,
            close: plain.is_some(),
        }
    }
}

/// Finds out who is in front of a pane, from a list of panes that is at most `fresh_within` old.
///
/// # Errors
/// When zellij does not answer in time, or the pane is not there any more.
pub async fn facts(
    zellij: &Zellij,
    pane: &PaneAddress,
    fresh_within: Duration,
) -> Result<Facts, ZellijError> {
    let found = zellij.pane(pane, fresh_within).await?;
    let foreground = zellij.foreground(pane, &found).await;
    Ok(Facts::of(&found, foreground.as_ref()))
}

/// What is known of a pane at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Its command has ended (a held pane shows its last screen, and Enter would run the command again).
    pub ended: bool,
    /// Who is in front; `None` where neither zellij nor the system says.
    pub program: Option<Program>,
    /// Whether that is a shell, and nothing but a shell.
    pub shell: bool,
    /// How many cells the pane's content is wide.
    pub columns: usize,
    /// The terminal's cursor; agents may hide it.
    pub cursor: Option<Cursor>,
    /// The command line of who is in front, where the system tells.
    pub arguments: Vec<String>,
    /// With what the pane's command ended, if it did.
    pub exit_status: Option<i32>,
}

impl Facts {
    /// From zellij's entry for the pane and, where the system tells, its foreground process group.
    pub fn of(pane: &Pane, foreground: Option<&Foreground>) -> Self {
        let (program, shell) = match foreground {
            Some(group) => (Some(program_of(group)), group.is_shell()),
            None => named_by_zellij(pane),
        };
        Self {
            ended: pane.exited || pane.held,
            program,
            shell,
            arguments: foreground
                .map(|group| group.program().argv.clone())
                .unwrap_or_default(),
            exit_status: pane.exit_status,
            columns: pane.size.0 as usize,
            cursor: pane.cursor.map(|(column, row)| Cursor {
                column: column as usize,
                row: row as usize,
            }),
        }
    }

    /// The name of what is in front, for a sentence.
    pub fn front(&self) -> &str {
        self.program
            .as_ref()
            .map_or("an unknown program", |program| program.name.as_str())
    }
}

fn program_of(group: &Foreground) -> Program {
    let process = group.program();
    Program {
        name: process.name.clone(),
        command: process.argv.join(" "),
        folder: group.folder.clone(),
        process: Some(process.identity),
        server: group.server,
    }
}

fn named_by_zellij(pane: &Pane) -> (Option<Program>, bool) {
    let Some(command) = pane
        .command
        .as_deref()
        .filter(|command| !command.is_empty())
    else {
        return (None, false);
    };
    let first = command.split_whitespace().next().unwrap_or_default();
    let name = Path::new(first)
        .file_name()
        .map_or_else(|| first.into(), |name| name.to_string_lossy());
    let program = Program {
        name: name.into_owned(),
        command: command.to_owned(),
        folder: pane.folder.clone(),
        process: None,
        server: None,
    };
    (Some(program), is_shell_command(command))
}

/// Text from outside for a sentence: at most `longest` characters, without control characters.
fn words(text: &str, longest: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().take(longest).map(plain).collect()
}

/// Whether `found` is what `accepted` was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sameness {
    /// The same process in the same zellij server, or, where the system does not tell, the same command.
    Same,
    /// Another process in the same server.
    OtherProcess,
    /// Another zellij server: pane numbers have begun again.
    OtherServer,
}

/// Compares who is in front with who was accepted.
pub fn sameness(accepted: &Program, found: &Program) -> Sameness {
    if let (Some(before), Some(now)) = (accepted.server, found.server)
        && before != now
    {
        return Sameness::OtherServer;
    }
    let same = match (accepted.process, found.process) {
        (Some(before), Some(now)) => before == now,
        _ => looks_like(accepted, found),
    };
    if same {
        Sameness::Same
    } else {
        Sameness::OtherProcess
    }
}

/// Whether `found` is the same command in the same folder: after a restart of zellij or of the machine an
/// agent is found again by these.
pub fn looks_like(accepted: &Program, found: &Program) -> bool {
    accepted.name == found.name
        && accepted.command == found.command
        && accepted.folder == found.folder
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(pid: Option<u32>, server: Option<u32>, command: &str) -> Program {
        let identity = |pid| ProcessIdentity { pid, started: 1 };
        Program {
            name: "claude".into(),
            command: command.into(),
            folder: Some("/p".into()),
            process: pid.map(identity),
            server: server.map(identity),
        }
    }

    #[test]
    fn the_same_process_in_the_same_server_is_the_same() {
        use Sameness::{OtherProcess, OtherServer, Same};
        let accepted = program(Some(7), Some(1), "claude");
        let cases = [
            (program(Some(7), Some(1), "claude"), Same),
            (program(Some(7), Some(1), "claude --renamed"), Same),
            (program(Some(8), Some(1), "claude"), OtherProcess),
            (program(Some(7), Some(2), "claude"), OtherServer),
            (program(None, None, "claude"), Same),
            (program(None, None, "vim"), OtherProcess),
        ];
        for (found, expected) in cases {
            assert_eq!(sameness(&accepted, &found), expected, "{found:?}");
        }
    }

    #[test]
    fn a_prompt_that_only_one_of_the_dumps_shows_is_none() {
        let facts = || Facts {
            ended: false,
            program: None,
            shell: false,
            columns: 80,
            cursor: Some(Cursor { column: 13, row: 1 }),
            arguments: Vec::new(),
            exit_status: None,
        };
        let reader = Reader {
            profiles: Arc::default(),
            kind: GENERIC.parse().ok(),
            allow_shell: false,
        };
        let seen = |styled| {
            let sight = reader.read(facts(), Some("● done\n> half a line"), styled, None, None);
            sight.prompt().map(|prompt| prompt.draft.clone())
        };
        let whole = "\u{1b}[m● done\n\u{1b}[m> half a line\n";
        assert_eq!(seen(whole), Some("half a line".into()));
        // a placeholder in one of them is no disagreement
        assert_eq!(seen("● done\n> \u{1b}[2mhalf a line"), Some(String::new()));
        for part in ["", "● done", "● done\n>", "● done\n> half a lin"] {
            assert_eq!(seen(part), None, "{part}");
        }
    }
}
