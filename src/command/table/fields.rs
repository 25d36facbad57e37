//! The fields of an agent that `/set` changes.

use super::super::Setting;
use super::super::line::Given;
use super::Kind;
use crate::error::Failure;

/// A field that `/set` changes.
#[derive(Debug)]
pub struct Field {
    /// Its name, as in the configuration.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What it says, in a line.
    pub summary: &'static str,
    /// Takes the value from the line.
    pub(in super::super) build: fn(&mut Given<'_>) -> Result<Setting, Failure>,
}

impl Field {
    /// The field called `name`.
    pub fn find(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }
}

/// What `/set` can change.
pub const FIELDS: &[Field] = &[
    Field {
        name: "goal",
        kind: Kind::Goal,
        summary: "what it is to achieve: words, or @FILE",
        build: |given| Ok(Setting::Goal(given.goal()?)),
    },
    Field {
        name: "stallSec",
        kind: Kind::Seconds,
        summary: "seconds without a change after which it counts as stalled",
        build: |given| Ok(Setting::StallSec(given.word()?)),
    },
    Field {
        name: "pollSec",
        kind: Kind::Seconds,
        summary: "seconds between two looks at its pane",
        build: |given| Ok(Setting::PollSec(given.word()?)),
    },
    Field {
        name: "pane",
        kind: Kind::Pane,
        summary: "its pane",
        build: |given| Ok(Setting::Pane(given.word()?)),
    },
    Field {
        name: "observe",
        kind: Kind::Switch,
        summary: "true: everything happens but the typing",
        build: |given| Ok(Setting::Observe(given.switch()?)),
    },
    Field {
        name: "kind",
        kind: Kind::AgentKind,
        summary: "what kind of agent it is: claude, codex, generic ...; none: its program tells",
        build: |given| Ok(Setting::Kind(given.kind()?)),
    },
];
