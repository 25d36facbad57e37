//! The messages, as values: what they are is told in the module's documentation.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::command::line::parse;
use crate::command::{AgentView, Command, Event, Health, MissionView, Notice, Reply, text};
use crate::error::{Failure, Kind};
use crate::ids::{AgentId, MissionId};

/// The version of the form.
pub const VERSION: u32 = 1;
/// The longest line that is asked, in bytes.
pub const LONGEST_REQUEST: usize = 1024 * 1024;
/// The longest line that a client reads, in bytes: 200 agents with long goals fit.
pub const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Something that can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Topic {
    /// Every agent, and from then on those that changed.
    Views,
    /// What happens from now on.
    Events,
    /// What happened lately, and then what happens.
    Recent,
    /// What is said to the person from now on.
    Notices,
    /// How the supervisor is.
    Health,
    /// The panes and kinds that completion offers.
    Known,
    /// Every mission that is carried out, and from then on those that changed.
    Missions,
}

/// What is asked: exactly one of the four.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The version of the form.
    pub v: u32,
    /// Names the answer.
    pub id: u64,
    /// A command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
    /// A command as it is typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// What is to be followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<Vec<Topic>>,
    /// Whether somebody looks at the asker's terminal from now on, until it says otherwise or goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attended: Option<bool>,
}

/// What a request wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// This command carried out.
    Command(Command),
    /// To follow these.
    Subscribe(Vec<Topic>),
    /// To say whether somebody looks.
    Attended(bool),
}

/// Why a line is no request.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is no JSON at all: whoever sends it speaks something else.
    NoJson(Failure),
    /// It cannot be done; the request with this id.
    Request(Option<u64>, Failure),
}

impl Request {
    /// Asks for a command.
    pub fn command(id: u64, command: Command) -> Self {
        Self {
            v: VERSION,
            id,
            command: Some(command),
            ..Self::default()
        }
    }

    /// Asks to follow something.
    pub fn subscribe(id: u64, topics: &[Topic]) -> Self {
        Self {
            v: VERSION,
            id,
            subscribe: Some(topics.to_vec()),
            ..Self::default()
        }
    }

    /// Says whether somebody looks.
    pub fn attended(id: u64, looks: bool) -> Self {
        Self {
            v: VERSION,
            id,
            attended: Some(looks),
            ..Self::default()
        }
    }

    /// Reads a line: the request's id and what it wants.
    ///
    /// # Errors
    /// When it is no JSON, of another version, or asks for nothing that there is.
    pub fn read(line: &[u8]) -> Result<(u64, Wish), Wrong> {
        let no_json = |error: serde_json::Error| {
            let failure = Failure::usage("what was sent is no JSON").because(&error);
            Wrong::NoJson(failure.hint("one object a line: {\"v\":1,\"id\":1,\"line\":\"/list\"}"))
        };
        let value: serde_json::Value = serde_json::from_slice(line).map_err(no_json)?;
        let id = value["id"].as_u64();
        let wrong = |failure| Wrong::Request(id, failure);
        if value["v"] != VERSION {
            return Err(wrong(Failure::usage(format!(
                "a request says which form it has: \"v\":{VERSION}"
            ))));
        }
        let request: Self = serde_path_to_error::deserialize(value).map_err(|error| {
            wrong(Failure::usage("the request is not understood").because(&error))
        })?;
        let Self {
            command,
            line,
            subscribe,
            attended,
            ..
        } = request;
        let wish = match (command, line, subscribe, attended) {
            (Some(command), None, None, None) => Ok(Wish::Command(command)),
            (None, Some(line), None, None) => match parse(&line) {
                Ok(Some(command)) => Ok(Wish::Command(command)),
                Ok(None) => Err(Failure::usage("an empty line asks for nothing")),
                Err(failure) => Err(failure),
            },
            (None, None, Some(topics), None) => Ok(Wish::Subscribe(topics)),
            (None, None, None, Some(looks)) => Ok(Wish::Attended(looks)),
            _ => Err(Failure::usage(
                "a request has one of `command`, `line`, `subscribe` and `attended`",
            )),
        };
        wish.map(|wish| (request.id, wish)).map_err(wrong)
    }
}

/// What is answered or said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The version of the form.
    pub v: u32,
    /// To which request it is the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub said: Said,
}

/// What is in a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Said {
    /// Who is listening.
    Hello(Hello),
    /// What came of a command.
    Reply(Reply),
    /// Why nothing came of it.
    Failure(Failed),
    /// These are followed from now on.
    Subscribed(Vec<Topic>),
    /// This was heard of whether somebody looks.
    Attended(bool),
    /// Agents as they are now.
    Views(Views),
    /// Something happened.
    Event(Event),
    /// Something was said to the person.
    Notice(Notice),
    /// How the supervisor is now.
    Health(Box<Health>),
    /// What completion offers now.
    Known(Known),
    /// Missions as they are now.
    Missions(Missions),
    /// Some are missing here.
    Lost(Lost),
    /// The end, and why.
    Bye(String),
}

/// Who is listening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The version of the program.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Its configuration.
    pub configuration: PathBuf,
}

/// What is to be seen of the agents, since the last such message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Views {
    /// Those that are new or changed.
    pub changed: Vec<Arc<AgentView>>,
    /// Those that are there no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<AgentId>,
    /// All that there are, in their order; where that is another than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<AgentId>>,
}

/// What is to be seen of the missions, since the last such message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Missions {
    /// Those that are new or changed, each whole.
    pub changed: Vec<Arc<MissionView>>,
    /// Those that are there no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<MissionId>,
}

/// What completion offers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Panes: `session:terminal_18`.
    pub panes: Vec<String>,
    /// Kinds of agents.
    pub kinds: Vec<String>,
}

/// What came faster than it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// `events` or `notices`.
    pub what: Topic,
    /// How many.
    pub count: u64,
}

/// A failure as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// `failed`, `usage`, `missing`, `notDelivered`, `timedOut` or `bug`.
    pub kind: String,
    /// What was being done, to what.
    pub message: String,
    /// Why it failed, the nearest cause first.
    #[serde(default)]
    pub causes: Vec<String>,
    /// What to do next.
    #[serde(default)]
    pub hints: Vec<String>,
    /// The exit code that says so.
    pub exit_code: u8,
}

const KINDS: [(Kind, &str); 6] = [
    (Kind::Failed, "failed"),
    (Kind::Usage, "usage"),
    (Kind::Missing, "missing"),
    (Kind::NotDelivered, "notDelivered"),
    (Kind::TimedOut, "timedOut"),
    (Kind::Bug, "bug"),
];

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        let kind = KINDS.iter().find(|(kind, _)| *kind == failure.kind);
        Self {
            kind: kind.map_or("failed", |(_, word)| word).to_owned(),
            exit_code: failure.kind.code(),
            message: failure.message,
            causes: failure.causes,
            hints: failure.hints,
        }
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        let kind = KINDS.iter().find(|(_, word)| *word == failed.kind);
        Self {
            kind: kind.map_or(Kind::Failed, |(kind, _)| *kind),
            message: failed.message,
            causes: failed.causes,
            hints: failed.hints,
        }
    }
}

impl Message {
    /// Something that nobody asked for.
    pub const fn push(said: Said) -> Self {
        Self {
            v: VERSION,
            id: None,
            said,
        }
    }

    /// The answer to a request; without an id where none could be read.
    pub const fn answer(id: Option<u64>, said: Said) -> Self {
        Self {
            v: VERSION,
            id,
            said,
        }
    }

    /// What came of a command.
    pub fn result(id: Option<u64>, result: Result<Reply, Failure>) -> Self {
        let said = match result {
            Ok(reply) => Said::Reply(reply),
            Err(failure) => Said::Failure(failure.into()),
        };
        Self::answer(id, said)
    }
}

/// One message as a line with its newline, in which a terminal would act on nothing.
pub fn line(message: &impl Serialize) -> Vec<u8> {
    match text::json(message) {
        Ok(mut line) => {
            line.push(b'\n');
            line
        }
        Err(error) => {
            // all that is sent has a form in JSON: a bug, and no reason to break off
            tracing::error!(%error, "a message has no form in JSON");
            Vec::new()
        }
    }
}
