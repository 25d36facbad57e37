//! What a person, a screen or a script sees of an agent: published whole, read without asking the agent.

use std::fmt;

use chrono::{DateTime, Local, Utc};
use serde::{Serialize, Serializer};

use crate::ids::{AgentId, PaneAddress};
use crate::record::Question;
use crate::screen::state::State;

/// What the supervisor is doing about an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Its pane has not been read yet.
    Starting,
    /// Its screen changed lately.
    Running,
    /// Its screen stands still, and it is left alone for now.
    Stable,
    /// A backend is being asked about it.
    Asking(&'static str),
    /// A nudge was typed, and what comes of it is being watched.
    Instructed,
    /// The person is asked.
    AwaitingUser,
    /// The person stopped it.
    Stopped,
    /// The configuration leaves it out.
    Disabled,
    /// As running or stable, but nothing would be typed.
    Observing,
    /// The person stopped all typing, everywhere.
    AllStopped,
    /// The person holds nudges, until then or until they release it.
    Held(Option<DateTime<Utc>>),
    /// It is at its usage limit, which is reset then.
    Limit(Option<DateTime<Utc>>),
    /// Its pane, or the program in it, is gone.
    Gone(String),
    /// It cannot be watched for now; tried again by itself.
    Error(String),
}

impl Status {
    /// Whether the person is needed before anything goes on.
    pub const fn needs_person(&self) -> bool {
        matches!(self, Self::AwaitingUser | Self::Gone(_))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => out.pad("starting"),
            Self::Running => out.pad("running"),
            Self::Stable => out.pad("stable"),
            Self::Asking(backend) => out.pad(&format!("asking-{backend}")),
            Self::Instructed => out.pad("instructed"),
            Self::AwaitingUser => out.pad("awaiting-user"),
            Self::Stopped => out.pad("stopped"),
            Self::Disabled => out.pad("disabled"),
            Self::Observing => out.pad("observing"),
            Self::AllStopped => out.pad("all-stopped"),
            Self::Held(until) => out.pad(&with_time("held", *until)),
            Self::Limit(until) => out.pad(&with_time("limit", *until)),
            Self::Gone(why) => out.pad(&format!("gone: {why}")),
            Self::Error(why) => out.pad(&format!("error: {why}")),
        }
    }
}

/// `limit until 03:21`, in the time of day where the person is.
fn with_time(word: &str, until: Option<DateTime<Utc>>) -> String {
    match until {
        Some(until) => format!(
            "{word} until {}",
            until.with_timezone(&Local).format("%H:%M")
        ),
        None => word.to_owned(),
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A count against its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bounded<T> {
    /// How much of it is used.
    pub used: T,
    /// How much there is.
    pub bound: T,
}

impl<T: fmt::Display> fmt::Display for Bounded<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&format!("{}/{}", self.used, self.bound))
    }
}

/// One agent as it is seen from outside.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentView {
    /// Its name.
    pub id: AgentId,
    /// Its pane.
    pub pane: PaneAddress,
    /// What it is to achieve.
    pub goal: String,
    /// What the supervisor is doing about it.
    pub status: Status,
    /// What the agent is doing; `None` before the first look.
    pub state: Option<State>,
    /// On what that rests: the rule, and the lines.
    pub evidence: Vec<String>,
    /// What kind of agent it is, where that is known.
    pub kind: Option<String>,
    /// Looks at its pane since the supervisor started.
    pub polls: u64,
    /// When its screen last changed; `None` before the first look.
    pub changed_at: Option<DateTime<Utc>>,
    /// Nudges in the last hour.
    pub nudges: Bounded<u32>,
    /// Nudges in a row that changed nothing for good.
    pub fruitless: Bounded<u32>,
    /// Decide calls today (UTC).
    pub calls: Bounded<u32>,
    /// Tokens today (UTC).
    pub tokens: Bounded<u64>,
    /// The last decision and what became of it, in a line.
    pub last_decision: String,
    /// The question that waits for the person.
    pub question: Option<Question>,
    /// The program that may be typed to.
    pub program: Option<String>,
    /// Whether nothing is typed, whatever is decided.
    pub observe: bool,
    /// Whether the person stopped all typing, everywhere.
    pub all_stopped: bool,
}

/// How much something that is said wants the person's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Urgency {
    /// Good to know.
    Info,
    /// Something did not go as it should, and goes on by itself.
    Warning,
    /// The person is needed: the bell rings.
    Person,
}

/// Something that the supervisor says by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// When.
    pub ts: DateTime<Utc>,
    /// About whom.
    pub agent: Option<AgentId>,
    /// How urgent.
    pub urgency: Urgency,
    /// What, in a line or several.
    pub text: String,
}
