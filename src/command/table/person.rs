//! What a person says to an agent beside replies: answers to its dialogs, holds, stops, and the question why.

use super::super::Command;
use super::super::line::Given;
use super::{Entry, Kind, may, needs};

pub(super) const APPROVE: Entry = Entry {
    name: "approve",
    arguments: &[needs("ID", Kind::Agent), may("OPTION...", Kind::Text)],
    summary: "Says yes to the dialog that an agent has open.",
    details: "\
Presses the key of its one plain yes, or of OPTION: its key, its number or its
words. The dialog is read again right before the key, and seen to close after.
An option that says yes for more than this once is chosen only by naming it.",
    examples: &["/approve kernel", "/approve kernel 2"],
    build: |given| {
        Ok(Command::Approve {
            id: given.word()?,
            option: given.optional(Given::text)?,
        })
    },
};

pub(super) const DENY: Entry = Entry {
    name: "deny",
    arguments: &[needs("ID", Kind::Agent), may("TEXT...", Kind::Text)],
    summary: "Says no to the dialog that an agent has open.",
    details: "\
TEXT is what the agent is told instead: once the dialog has closed and the
agent stands at its empty prompt, it is typed there as a `/reply` is. It is
never typed into a dialog.",
    examples: &[
        "/deny kernel",
        "/deny kernel Use the copy in build/ instead",
    ],
    build: |given| {
        Ok(Command::Deny {
            id: given.word()?,
            text: given.optional(Given::text)?,
        })
    },
};

pub(super) const ANSWER: Entry = Entry {
    name: "answer",
    arguments: &[needs("ID", Kind::Agent), needs("ANSWER...", Kind::Text)],
    summary: "Answers an agent's dialog with one of its options, or in words.",
    details: "\
ANSWER is an option's key, its number or its words. Any other text goes, on
one line, into the place for words that a question has (`Type something.`),
where it has one that is empty, and into no other dialog: `/deny ID TEXT` says
no and then tells the agent.",
    examples: &[
        "/answer kernel 2",
        "/answer kernel Postgres",
        "/answer kernel MariaDB 11, with two replicas",
    ],
    build: |given| {
        Ok(Command::Answer {
            id: given.word()?,
            option: given.text()?,
        })
    },
};

pub(super) const HOLD: Entry = Entry {
    name: "hold",
    arguments: &[needs("ID", Kind::Agent), may("MINUTES", Kind::Count)],
    summary: "Holds every nudge to an agent, for MINUTES or until `/release`.",
    details: "\
It is watched as before, and your own `/reply` is typed. The hold outlives a
restart.",
    examples: &["/hold kernel", "/hold kernel 30"],
    build: |given| {
        Ok(Command::Hold {
            id: given.word()?,
            minutes: given.optional(Given::minutes)?,
        })
    },
};

pub(super) const RELEASE: Entry = Entry {
    name: "release",
    arguments: &[needs("ID", Kind::Agent)],
    summary: "Ends the hold of an agent.",
    details: "",
    examples: &["/release kernel"],
    build: |given| Ok(Command::Release { id: given.word()? }),
};

pub(super) const STOP_ALL: Entry = Entry {
    name: "stopall",
    arguments: &[],
    summary: "Stops all typing at once, to every agent, until `/startall`.",
    details: "\
What is being typed ends before its next key; your own replies are not typed
either. Everything else goes on. It outlives a restart.",
    examples: &["/stopall"],
    build: |_| Ok(Command::StopAll),
};

pub(super) const START_ALL: Entry = Entry {
    name: "startall",
    arguments: &[],
    summary: "Lets typing go on after `/stopall`.",
    details: "",
    examples: &["/startall"],
    build: |_| Ok(Command::StartAll),
};

pub(super) const EXPLAIN: Entry = Entry {
    name: "explain",
    arguments: &[
        needs("ID", Kind::Agent),
        may("--json", Kind::Flag("--json")),
    ],
    summary: "Tells what an agent is doing, how that is known, and what would be done now.",
    details: "\
Its state with the rule and the lines that it rests on, every source with what
it says or why it says nothing, an open dialog with its options, everything
that speaks against a nudge, and what is waited for.",
    examples: &["/explain kernel", "/explain kernel --json"],
    build: |given| {
        Ok(Command::Explain {
            id: given.word()?,
            json: given.flag("--json")?,
        })
    },
};

pub(super) const SNOOZE: Entry = Entry {
    name: "snooze",
    arguments: &[needs("ID", Kind::Agent), may("MINUTES", Kind::Count)],
    summary: "Puts off an agent's open question, for 30 minutes or MINUTES.",
    details: "\
It stays open and stays on show, but you are not rung for it, unless the agent
asks something else.",
    examples: &["/snooze kernel", "/snooze kernel 120"],
    build: |given| {
        Ok(Command::Snooze {
            id: given.word()?,
            minutes: given.optional(Given::minutes)?.unwrap_or(30),
        })
    },
};

pub(super) const CAPTURE: Entry = Entry {
    name: "capture",
    arguments: &[needs("ID", Kind::Agent), may("FOLDER", Kind::Path)],
    summary: "Keeps an agent's screen and all that is known of it as a test case.",
    details: "\
A new folder in FOLDER, or in `captures` beside the logs: the screen, plain
and styled, the facts of its pane, and what `/explain` tells. What stands on
the screen stands in it: look before you hand it on.",
    examples: &["/capture kernel", "/capture kernel ~/captures"],
    build: |given| {
        Ok(Command::Capture {
            id: given.word()?,
            folder: given.optional(Given::path)?,
        })
    },
};
