//! On whose word a dialog is answered, and how far that word reaches. Pure.
//!
//! A person may answer any dialog, a rule of the configuration approvals alone. A person's yes to a mission reaches
//! one more: the trust dialog for exactly the folder that the mission made for this worker. Nothing that a
//! configuration or a model says becomes such a word.

use std::path::{Path, PathBuf};

use crate::evidence::Sight;
use crate::screen::recognise::{Dialog, Says};
use crate::screen::state::State;

/// On whose word a dialog is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// A person chose this option of this dialog.
    Person,
    /// A rule of the configuration: approvals alone, with a plain yes or no.
    Rule,
    /// A person's yes to a mission: the trust dialog for this folder, with a plain yes.
    Folder(PathBuf),
}

impl Authority {
    /// Whether a person is there who has seen this dialog.
    pub const fn is_person(&self) -> bool {
        matches!(self, Self::Person)
    }

    /// Whether it reaches an option that says this.
    pub const fn may_say(&self, says: Says) -> bool {
        match self {
            Self::Person => true,
            Self::Rule => !matches!(says, Says::Always | Says::Words),
            Self::Folder(_) => matches!(says, Says::Yes),
        }
    }
}

/// Whether the dialog that is seen is the trust dialog for `folder`, a path without links: it names that folder,
/// and the program that asks works there, as the system says.
///
/// # Errors
/// When it is not; says why, for a person.
pub fn asks_to_trust(sight: &Sight, folder: &Path) -> Result<(), String> {
    let state = sight.state();
    if state != State::Trust {
        return Err(format!("its state is {state}"));
    }
    let dialog = sight.reading.dialog.as_ref();
    let named = dialog.map(named_by).unwrap_or_default();
    let wanted = folder.to_str().unwrap_or_default();
    if wanted.is_empty() || !folder.is_absolute() || named != wanted {
        return Err(format!("it names another folder than {}", folder.display()));
    }
    let program = sight.facts.program.as_ref();
    let works_in = program.and_then(|program| program.folder.as_deref());
    if works_in != Some(folder) {
        return Err(match works_in {
            Some(other) => format!("the program works in {}", other.display()),
            None => "it is not known where the program works".into(),
        });
    }
    Ok(())
}

/// The folder that a trust dialog names. A long path is broken at the edge of the pane: what is between its rows
/// was not written by the program, so that two paths that differ by a blank there look the same; where the program
/// works tells them apart.
fn named_by(dialog: &Dialog) -> String {
    dialog.subject.lines().map(str::trim).collect()
}
