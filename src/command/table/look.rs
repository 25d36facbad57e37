//! What a person looks at: a pane, a decision, the reviews.

use super::super::Command;
use super::super::line::Given;
use super::{Entry, Kind, may, needs};

pub(super) const SCREEN: Entry = Entry {
    name: "screen",
    arguments: &[needs("ID", Kind::Agent)],
    summary: "Shows what an agent's pane shows now.",
    details: "Without its colours; what could harm a terminal is taken out.",
    examples: &["/screen kernel"],
    build: |given| Ok(Command::Screen { id: given.word()? }),
};

pub(super) const FOCUS: Entry = Entry {
    name: "focus",
    arguments: &[needs("ID", Kind::Agent)],
    summary: "Shows an agent's pane in zellij.",
    details: "\
In the terminals that are attached to its session. No key is pressed in it.",
    examples: &["/focus kernel"],
    build: |given| Ok(Command::Focus { id: given.word()? }),
};

pub(super) const DECISION: Entry = Entry {
    name: "decision",
    arguments: &[needs("ID", Kind::Agent), may("DECISION", Kind::Text)],
    summary: "Shows a whole decision: what was asked, answered, meant and typed.",
    details: "\
The newest, or the one whose id DECISION is: that of its memo, as the TUI and
`meta-orchestrator log ID --json` show it.",
    examples: &["/decision kernel"],
    build: |given| {
        Ok(Command::Decision {
            id: given.word()?,
            decision: given.optional(Given::text)?,
        })
    },
};

pub(super) const REVIEWS: Entry = Entry {
    name: "reviews",
    arguments: &[needs("ID", Kind::Agent), may("N", Kind::Count)],
    summary: "Shows an agent's newest reviews, 3 or N of them.",
    details: "",
    examples: &["/reviews kernel", "/reviews kernel 1"],
    build: |given| {
        Ok(Command::Reviews {
            id: given.word()?,
            count: given.optional(Given::count)?.unwrap_or(3),
        })
    },
};
