//! The one table of commands: parsing, `/help`, completion, usage errors and the README's table come from it.
//!
//! A command is an [`Entry`] here, a variant of [`Command`] and an arm of the dispatch; nothing else names
//! it. The entry's `arguments` say what is expected, in the order in which its `build` takes them; a test
//! holds the two together. [`help`](super::help) shows the table, [`line`](super::line) reads lines by it;
//! nothing here acts.

mod fields;
mod look;
mod mission;
mod own;
mod person;

use std::fmt::Write as _;

pub use fields::{FIELDS, Field};

use super::Command;
use super::line::Given;
use crate::error::Failure;

/// What an argument is: how it is completed, and whether it takes the rest of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The id of an agent that there is.
    Agent,
    /// An id for a new agent.
    NewAgent,
    /// A pane: `terminal_18`, `18` or `session:terminal_18`.
    Pane,
    /// The name of a command.
    Command,
    /// The name of one of the [`FIELDS`].
    Field,
    /// A value of the field that was named before it.
    Value,
    /// The name of a kind of agent, or `none`.
    AgentKind,
    /// `kind=` with the name of a kind of agent; may be left out before what follows.
    WithKind,
    /// A number from 1.
    Count,
    /// What is wanted of a mission.
    Verb,
    /// A mission, a task of it, and text: the rest of the line, as the verb before it wants it.
    OfMission,
    /// Seconds.
    Seconds,
    /// `true` or `false`.
    Switch,
    /// This very word.
    Flag(&'static str),
    /// A path: the rest of the line, blanks included.
    Path,
    /// A goal: the rest of the line, or `@FILE`.
    Goal,
    /// The rest of the line, as it was typed.
    Text,
}

impl Kind {
    /// Whether it takes the rest of the line rather than one word.
    pub const fn takes_rest(self) -> bool {
        matches!(self, Self::Path | Self::Goal | Self::Text | Self::OfMission)
    }
}

/// One argument of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    /// Its name in usage lines.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether it must be there.
    pub needed: bool,
}

const fn needs(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        needed: true,
    }
}

const fn may(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        needed: false,
    }
}

/// One command.
#[derive(Debug)]
pub struct Entry {
    /// Its name, without the slash.
    pub name: &'static str,
    /// What it takes, in order.
    pub arguments: &'static [Argument],
    /// What it does, in a line.
    pub summary: &'static str,
    /// What else there is to know, in lines of at most 78 columns.
    pub details: &'static str,
    /// Lines that work.
    pub examples: &'static [&'static str],
    /// Takes the arguments from the line and makes the command of them.
    pub(super) build: fn(&mut Given<'_>) -> Result<Command, Failure>,
}

impl Entry {
    /// The entry called `name`, without the slash.
    pub fn find(name: &str) -> Option<&'static Self> {
        TABLE.iter().find(|entry| entry.name == name)
    }

    /// `/add ID PANE GOAL...`
    pub fn usage(&self) -> String {
        let mut usage = format!("/{}", self.name);
        for argument in self.arguments {
            let _ = if argument.needed {
                write!(usage, " {}", argument.name)
            } else {
                write!(usage, " [{}]", argument.name)
            };
        }
        usage
    }
}

/// Every command, in the order in which help shows them.
pub const TABLE: &[Entry] = &[
    Entry {
        name: "list",
        arguments: &[],
        summary: "Shows every agent, and the questions that wait for you.",
        details: "\
Per agent: its status, what it is doing, its pane, how often it was looked at,
how long ago its screen last changed, nudges of the last hour and model calls
of today against their bounds, and the last decision.",
        examples: &["/list"],
        build: |_| Ok(Command::List),
    },
    Entry {
        name: "add",
        arguments: &[
            needs("ID", Kind::NewAgent),
            needs("PANE", Kind::Pane),
            may("kind=KIND", Kind::WithKind),
            needs("GOAL...", Kind::Goal),
        ],
        summary: "Supervises one more pane.",
        details: "\
ID names the agent and its log files. PANE is `terminal_18`, `18` or
`session:terminal_18`; `/panes` shows what there is. GOAL is the rest of the
line, or `@FILE`. What runs in the pane now is what may be typed to. KIND says
what kind of agent that is, where its program does not tell.",
        examples: &[
            "/add kernel terminal_18 Optimise the backward pass, twice as fast",
            "/add docs work:19 @goals/docs.txt",
            "/add own 20 kind=generic Write the user guide",
        ],
        build: |given| {
            Ok(Command::Add {
                id: given.word()?,
                pane: given.word()?,
                kind: given.with_kind()?,
                goal: given.goal()?,
            })
        },
    },
    Entry {
        name: "stop",
        arguments: &[needs("ID", Kind::Agent)],
        summary: "Stops supervising an agent until `/start`.",
        details: "\
Its program goes on undisturbed. What a model answers after this is dropped.",
        examples: &["/stop kernel"],
        build: |given| Ok(Command::Stop { id: given.word()? }),
    },
    Entry {
        name: "start",
        arguments: &[needs("ID", Kind::Agent)],
        summary: "Starts an agent again, and accepts the program that is in its pane now.",
        details: "\
This is also the answer to an agent whose program ended or was replaced: from
now on the program in its pane is the one that may be typed to.",
        examples: &["/start kernel"],
        build: |given| Ok(Command::Start { id: given.word()? }),
    },
    Entry {
        name: "remove",
        arguments: &[needs("ID", Kind::Agent)],
        summary: "Forgets an agent; its logs stay.",
        details: "Its program goes on undisturbed.",
        examples: &["/remove kernel"],
        build: |given| Ok(Command::Remove { id: given.word()? }),
    },
    Entry {
        name: "reply",
        arguments: &[needs("ID", Kind::Agent), needs("TEXT...", Kind::Text)],
        summary: "Types your own text into an agent's pane.",
        details: "\
TEXT is the rest of the line as you typed it: quotes, backslashes and `#` mean
nothing special. It is typed only if the pane passes every check that a nudge
has to pass; otherwise you are told why not.",
        examples: &[
            "/reply kernel Yes, go on with the second plan",
            "/reply kernel don't stop # yet",
        ],
        build: |given| {
            Ok(Command::Reply {
                id: given.word()?,
                text: given.text()?,
            })
        },
    },
    person::APPROVE,
    person::DENY,
    person::ANSWER,
    person::HOLD,
    person::RELEASE,
    person::STOP_ALL,
    person::START_ALL,
    person::EXPLAIN,
    person::SNOOZE,
    look::SCREEN,
    look::FOCUS,
    look::DECISION,
    look::REVIEWS,
    person::CAPTURE,
    Entry {
        name: "review",
        arguments: &[
            needs("ID", Kind::Agent),
            may("--send", Kind::Flag("--send")),
        ],
        summary: "Has the heavy model audit an agent's work so far.",
        details: "\
The review comes when it is ready; nothing waits for it. With --send its
redirection is then offered as an instruction, and typed after your `/yes`.",
        examples: &["/review kernel", "/review kernel --send"],
        build: |given| {
            Ok(Command::Review {
                id: given.word()?,
                send: given.flag("--send")?,
            })
        },
    },
    Entry {
        name: "save",
        arguments: &[may("PATH", Kind::Path)],
        summary: "Saves the configuration, to the file it came from or to PATH.",
        details: "\
A file that was changed meanwhile is not overwritten: the new text then goes
to `PATH.new`, and you are told.",
        examples: &["/save", "/save ~/agents for tonight.json"],
        build: |given| {
            Ok(Command::Save {
                path: given.optional(Given::path)?,
            })
        },
    },
    Entry {
        name: "load",
        arguments: &[needs("PATH", Kind::Path)],
        summary: "Reads a configuration and makes the agents follow it.",
        details: "\
Agents that are gone from it stop, new ones start, changed ones restart, and
the rest go on undisturbed.",
        examples: &["/load meta_orchestrator.config.json"],
        build: |given| {
            Ok(Command::Load {
                path: given.path()?,
            })
        },
    },
    mission::MISSION,
    mission::WORKERS,
    mission::TASK,
    own::TRUST,
    own::NOTIFY,
    Entry {
        name: "panes",
        arguments: &[],
        summary: "Shows the panes of zellij: command, title, folder, and whose they are.",
        details: "",
        examples: &["/panes"],
        build: |_| Ok(Command::Panes),
    },
    Entry {
        name: "adopt",
        arguments: &[may("PATTERN", Kind::Text)],
        summary: "Supervises the panes in which a coding agent runs and that nobody supervises.",
        details: "\
It shows them first and waits for your `/yes`. With PATTERN, only panes whose
id, title, command or folder contains it.",
        examples: &["/adopt", "/adopt /home/me/project"],
        build: |given| {
            Ok(Command::Adopt {
                pattern: given.optional(Given::text)?,
            })
        },
    },
    Entry {
        name: "log",
        arguments: &[needs("ID", Kind::Agent), may("N", Kind::Count)],
        summary: "Shows an agent's newest memos, 10 or N of them.",
        details: "\
A memo is what was decided, why, what became of it, and what came after.",
        examples: &["/log kernel", "/log kernel 50"],
        build: |given| {
            Ok(Command::Log {
                id: given.word()?,
                count: given.optional(Given::count)?.unwrap_or(10),
            })
        },
    },
    Entry {
        name: "set",
        arguments: &[
            needs("ID", Kind::Agent),
            needs("FIELD", Kind::Field),
            needs("VALUE", Kind::Value),
        ],
        summary: "Changes one field of an agent: goal, stallSec, pollSec, pane, observe, kind.",
        details: "\
The change holds from the next look at the pane on. `/save` keeps it.",
        examples: &[
            "/set kernel stallSec 60",
            "/set kernel goal @goals/kernel.txt",
            "/set kernel observe true",
        ],
        build: |given| {
            Ok(Command::Set {
                id: given.word()?,
                setting: given.setting()?,
            })
        },
    },
    Entry {
        name: "yes",
        arguments: &[],
        summary: "Says yes to what was asked last.",
        details: "",
        examples: &["/yes"],
        build: |_| Ok(Command::Yes),
    },
    Entry {
        name: "no",
        arguments: &[],
        summary: "Says no to what was asked last; so does any other command.",
        details: "",
        examples: &["/no"],
        build: |_| Ok(Command::No),
    },
    Entry {
        name: "help",
        arguments: &[may("COMMAND", Kind::Command)],
        summary: "Explains the commands, or one of them.",
        details: "",
        examples: &["/help", "/help add"],
        build: |given| {
            Ok(Command::Help {
                command: given.optional(Given::command)?,
            })
        },
    },
    Entry {
        name: "quit",
        arguments: &[],
        summary: "Stops every agent's supervision, saves what changed, and leaves.",
        details: "\
Ctrl-D at an empty prompt does the same. The programs in the panes go on.",
        examples: &["/quit"],
        build: |_| Ok(Command::Quit),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::line::parse;

    #[test]
    fn every_example_of_every_command_is_a_line_that_works() {
        for entry in TABLE {
            for example in entry.examples {
                let name = format!("/{}", entry.name);
                assert_eq!(example.split(' ').next(), Some(name.as_str()), "{example}");
                assert!(matches!(parse(example), Ok(Some(_))), "{example}");
            }
            assert!(!entry.examples.is_empty(), "/{} has no example", entry.name);
        }
    }

    fn sample(kind: Kind) -> &'static str {
        match kind {
            Kind::Agent | Kind::NewAgent => "a1",
            Kind::Pane => "terminal_1",
            Kind::Command => "list",
            Kind::Field => "pollSec",
            Kind::Value | Kind::Seconds | Kind::Count => "5",
            Kind::Switch => "true",
            Kind::Verb => "status",
            Kind::AgentKind => "claude",
            Kind::WithKind => "kind=claude",
            Kind::Flag(flag) => flag,
            Kind::Path => "/tmp/a b",
            Kind::Goal | Kind::Text | Kind::OfMission => "some words",
        }
    }

    #[test]
    fn every_command_takes_exactly_the_arguments_that_its_usage_shows() {
        for entry in TABLE {
            let mut line = format!("/{}", entry.name);
            for given in 0..=entry.arguments.len() {
                let parsed = parse(&line);
                let is_whole = entry.arguments[given..].iter().all(|one| !one.needed);
                assert_eq!(parsed.is_ok(), is_whole, "{line}: {parsed:?}");
                if let Some(argument) = entry.arguments.get(given) {
                    line = format!("{line} {}", sample(argument.kind));
                }
            }
            let takes_rest = entry
                .arguments
                .last()
                .is_some_and(|one| one.kind.takes_rest());
            assert_eq!(
                parse(&format!("{line} more")).is_ok(),
                takes_rest,
                "{line} more"
            );
        }
    }

    #[test]
    fn texts_that_are_shown_fit_a_narrow_terminal_and_names_are_distinct() {
        for (index, entry) in TABLE.iter().enumerate() {
            assert!(
                entry.details.lines().all(|line| line.len() <= 78),
                "{}",
                entry.name
            );
            assert!(TABLE[..index].iter().all(|other| other.name != entry.name));
        }
    }
}
