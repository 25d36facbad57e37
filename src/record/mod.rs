//! What is remembered about an agent, as plain types, and the logs that hold it.
//!
//! A [`Memo`] is one entry of an agent's memory: what was decided and what came of it. A
//! [`DecisionLine`] is one step of a decision: what was seen, asked, answered, meant, typed. A
//! [`RosterLine`] says who was added, stopped, started or removed. [`logs`] appends them and reads them
//! back. Nothing here decides anything, and nothing here types.

mod counters;
pub mod digest;
mod event;
pub mod logs;
pub mod past;
#[cfg(test)]
pub(crate) mod sample;
pub mod stats;
pub mod story;
pub(crate) mod time;

use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::AgentConfig;
pub use time::time_text;

pub use counters::{Counters, Hold, Parked, Question};
pub use event::{Event, Happening};

pub use crate::evidence::Program;
use crate::ids::{AgentId, PaneAddress, SessionId};

/// The version of the log lines that this program writes.
pub const VERSION: u32 = 1;

/// How a [`Step::Counted`] begins that tells that an agent's pane, session or program is gone.
pub const GONE: &str = "gone: ";
/// What a [`Step::Counted`] says of an agent that was gone and can be watched again.
pub const BACK: &str = "it can be watched again";

/// What to do about a stalled agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Leave it alone.
    Continue,
    /// Type a next instruction.
    Instruct,
    /// Ask the person.
    AskUser,
}

impl Action {
    /// The word for it, in models' answers and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Instruct => "instruct",
            Self::AskUser => "ask_user",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// What a backend, or the built-in rules, said to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What to do.
    pub action: Action,
    /// Why.
    pub reasoning: String,
    /// The instruction or the question; empty for `continue`.
    pub text: String,
    /// The line of the screen that it rests on, as the backend quoted it; older logs have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
}

/// What a memo tells of: a verdict, or something else that the agent's memory should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemoAction {
    /// A verdict that was reached.
    Verdict(Action),
    /// A backend was asked and gave no usable answer.
    NoVerdict,
    /// The person replied.
    Reply,
    /// A dialog was answered, by the person or by a rule.
    Answer,
    /// The program itself asked the person, without a model.
    Notice,
    /// A word of another program's log, kept as it is.
    Other(String),
}

impl MemoAction {
    /// The word in the log.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Verdict(action) => action.as_str(),
            Self::NoVerdict => "no_verdict",
            Self::Reply => "reply",
            Self::Answer => "answer",
            Self::Notice => "notice",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for MemoAction {
    fn from(word: &str) -> Self {
        match word {
            "continue" => Self::Verdict(Action::Continue),
            "instruct" => Self::Verdict(Action::Instruct),
            "ask_user" => Self::Verdict(Action::AskUser),
            "no_verdict" => Self::NoVerdict,
            "reply" => Self::Reply,
            "answer" => Self::Answer,
            "notice" => Self::Notice,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for MemoAction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl Serialize for MemoAction {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MemoAction {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|word| word.as_str().into())
    }
}

/// What became of a text that was to be typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "receipt", rename_all = "snake_case")]
pub enum Receipt {
    /// It was taken: the text stood in the prompt, Enter was pressed, and there is proof; or the key of a
    /// dialog was pressed, and the dialog closed.
    Delivered(Delivery),
    /// Nothing was typed.
    Refused {
        /// Why not.
        why: String,
    },
    /// Something was typed, and whether it was taken is not known; it is not typed again.
    Unproven {
        /// What is known.
        why: String,
        /// Whether our text may still stand, unsent, in the prompt.
        left_over: bool,
    },
    /// Observing: what would have been typed is in the record, nothing was.
    Observed,
}

/// How something was delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Delivery {
    /// What shows that it was taken.
    pub proof: String,
    /// How often Enter, or the key, was pressed.
    pub presses: u32,
    /// Milliseconds from the beginning of the last reading of the screen to the end of the call that pressed the
    /// key: what changed unseen in that time cannot be excluded.
    pub gap_ms: u64,
}

impl Receipt {
    /// Whether it was taken.
    pub const fn is_delivered(&self) -> bool {
        matches!(self, Self::Delivered(_))
    }

    /// It was taken, as `proof` shows.
    pub fn delivered(proof: &str) -> Self {
        Self::Delivered(Delivery {
            proof: proof.to_owned(),
            ..Delivery::default()
        })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered(_) => out.write_str("delivered"),
            Self::Refused { why } => write!(out, "refused: {why}"),
            Self::Unproven { why, .. } => write!(out, "unproven: {why}"),
            Self::Observed => out.write_str("observed only"),
        }
    }
}

/// One entry of an agent's memory; a line of `<agentId>.memos.jsonl`.
///
/// What came of a decision is known only later: the memo is then appended once more, whole, with the same
/// `id` and its `afterSummary`. Of several lines with one `id` the newest counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Memo {
    /// The version of the line; 0 in logs of the original, which has none.
    #[serde(default)]
    pub v: u32,
    /// Names the memo among all of this agent's; empty in logs of the original.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The stretch of work that it belongs to.
    pub session_id: SessionId,
    /// When the decision was made.
    #[serde(with = "time")]
    pub ts: DateTime<Utc>,
    /// What was decided.
    pub action: MemoAction,
    /// The instruction, the question or the reply.
    #[serde(default)]
    pub text: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    /// What became of the text, where one was to be typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// What came after it; `None` until that is known.
    #[serde(default)]
    pub after_summary: Option<String>,
}

/// Where a text that is to be typed comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A backend's verdict, or the built-in rules.
    Verdict,
    /// The person.
    Person,
    /// A rule for approvals.
    Rule,
}

/// One step of a decision; a line of `<agentId>.decisions.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionLine {
    /// The version of the line.
    pub v: u32,
    /// When.
    #[serde(with = "time")]
    pub ts: DateTime<Utc>,
    /// The stretch of work that it belongs to.
    pub session_id: SessionId,
    /// The decision that it is a step of: the `id` of its memo.
    pub id: String,
    /// What happened.
    #[serde(flatten)]
    pub step: Step,
    /// How often the pane was looked at since the line before; older logs do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<u64>,
    /// The counters after it.
    pub counters: Counters,
}

/// What happened in one step of a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "step",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Step {
    /// A backend was asked.
    Asked {
        /// Which.
        backend: String,
        /// The screen that it was asked about.
        digest: String,
        /// How long that screen had stood still, in seconds.
        quiet_sec: u64,
        /// What it was told, beside the fixed instructions.
        prompt: String,
    },
    /// It answered.
    Answered {
        /// Who: the backend and the model, or the rules that stood in for it; older logs do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// Its verdict.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verdict: Option<Verdict>,
        /// Why there is none, or what is wrong with the one there is: it may quote what is not on the screen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
        /// The answer as it came, bounded.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        answer: String,
        /// Tokens in and out.
        tokens: u64,
    },
    /// A text is about to be typed: written before the first key.
    Intent {
        /// Whose text.
        origin: Origin,
        /// The text, as it will be typed.
        text: String,
        /// The screen that it is for.
        digest: String,
        /// Where.
        pane: PaneAddress,
    },
    /// What became of it.
    Receipt {
        /// Whose text.
        origin: Origin,
        /// The text.
        text: String,
        /// What became of it.
        #[serde(flatten)]
        receipt: Receipt,
    },
    /// The counters changed: a question was opened or closed, nudges counted.
    Counted {
        /// Why.
        why: String,
    },
}

/// One change of the roster; a line of `roster.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RosterLine {
    /// The version of the line.
    pub v: u32,
    /// When.
    #[serde(with = "time")]
    pub ts: DateTime<Utc>,
    /// The configuration whose roster it is, as an absolute path: several may share a folder of logs.
    pub config: PathBuf,
    /// A digest of that file's text as it was read or saved last, empty where there was none: a resume tells by
    /// it whether a person has edited the file since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What changed.
    #[serde(flatten)]
    pub change: RosterChange,
}

/// A change of the roster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "change",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum RosterChange {
    /// The whole roster as it stands: reading back can end here.
    Standing {
        /// Every agent.
        agents: Vec<RosterEntry>,
        /// Who was removed, and may still stand in the configuration.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        removed: Vec<AgentId>,
    },
    /// An agent was added or changed; its entry as it is now.
    Entry {
        /// The word for the reason: added, set, stopped, started, accepted, answered, loaded.
        why: String,
        /// The entry.
        entry: Box<RosterEntry>,
    },
    /// An agent was removed.
    Removed {
        /// Which.
        id: AgentId,
    },
}

/// An agent in the roster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RosterEntry {
    /// Its configuration; `enabled` is what the configuration says.
    pub agent: AgentConfig,
    /// Whether it was stopped by the person.
    #[serde(default)]
    pub stopped: bool,
    /// Whether the configuration's file names it, as far as is known.
    #[serde(default)]
    pub in_file: bool,
    /// Who may be typed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Program>,
    /// Where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<PaneAddress>,
}

impl RosterEntry {
    /// An agent that a configuration names and of which nothing else is known.
    pub const fn new(agent: AgentConfig) -> Self {
        Self {
            agent,
            stopped: false,
            in_file: true,
            accepted: None,
            address: None,
        }
    }
}

/// One review; a line of `<agentId>.reviews.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// The version of the line.
    pub v: u32,
    /// When.
    #[serde(with = "time")]
    pub ts: DateTime<Utc>,
    /// The stretch of work that was reviewed.
    pub session_id: SessionId,
    /// Which backend and model wrote it.
    pub by: String,
    /// The review.
    pub text: String,
    /// What it would type, where it proposes an instruction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    /// Tokens in and out.
    #[serde(default)]
    pub tokens: u64,
}
