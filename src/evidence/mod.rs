//! What is known about an agent beside its screen: who is in front in its pane, and what it says of itself.
//!
//! Puts together what zellij says of a pane and what the system says of its processes. [`registry`] and
//! [`transcript`] read what Claude Code writes of itself; [`ladder`] draws the conclusion from all that was
//! said; [`spent`] counts what it costs. It reads and never types; `agent` and `hands` look through it, `director::policy` judges by what it
//! found.

pub mod ladder;
pub mod registry;
mod sight;
pub mod spent;
pub mod transcript;

pub use sight::{Care, GENERIC, Known, Own, Reader, Sight, look};

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host::process::ProcessIdentity;
use crate::ids::PaneAddress;
use crate::screen::prompt::Cursor;
use crate::zellij::{Foreground, Pane, Zellij, ZellijError, is_shell_command};

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
    use std::sync::Arc;

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
            earlier: None,
            meter: None,
            zone: crate::screen::reset::Zone::UTC,
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
