//! What a person, a screen or a script sees of an agent: published whole, read without asking the agent.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Local, Utc};
use serde::{Deserialize, Serialize};

use crate::evidence::spent::Spending;
use crate::ids::{AgentId, PaneAddress};
use crate::record::Question;
use crate::screen::recognise::Dialog;
use crate::screen::state::State;

/// What the supervisor is doing about an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "StatusWritten", try_from = "StatusWritten")]
pub enum Status {
    /// Its pane has not been read yet.
    Starting,
    /// Its screen changed lately.
    Running,
    /// Its screen stands still, and it is left alone for now.
    Stable,
    /// A backend is being asked about it.
    Asking(Cow<'static, str>),
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
    /// The words for all of them.
    pub const WORDS: [&str; 14] = [
        "starting",
        "running",
        "stable",
        "asking",
        "instructed",
        "awaiting-user",
        "stopped",
        "disabled",
        "observing",
        "all-stopped",
        "held",
        "limit",
        "gone",
        "error",
    ];

    /// The word for it, in JSON and for people; where there is more to say, without that.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stable => "stable",
            Self::Asking(_) => "asking",
            Self::Instructed => "instructed",
            Self::AwaitingUser => "awaiting-user",
            Self::Stopped => "stopped",
            Self::Disabled => "disabled",
            Self::Observing => "observing",
            Self::AllStopped => "all-stopped",
            Self::Held(_) => "held",
            Self::Limit(_) => "limit",
            Self::Gone(_) => "gone",
            Self::Error(_) => "error",
        }
    }

    /// Whether the person is needed before anything goes on.
    pub const fn needs_person(&self) -> bool {
        matches!(self, Self::AwaitingUser | Self::Gone(_))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        match self {
            Self::Asking(backend) => out.pad(&format!("{word}-{backend}")),
            Self::Held(until) | Self::Limit(until) => out.pad(&with_time(word, *until)),
            Self::Gone(why) | Self::Error(why) => out.pad(&format!("{word}: {why}")),
            _ => out.pad(word),
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

/// A status as scripts see it: `{"is": "limit", "until": "2026-11-03T14:00:00.000Z"}`.
#[derive(Debug, Serialize, Deserialize)]
struct StatusWritten {
    is: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backend: Option<Cow<'static, str>>,
}

impl From<Status> for StatusWritten {
    fn from(status: Status) -> Self {
        let is = status.word().to_owned();
        let (until, why, backend) = match status {
            Status::Held(until) | Status::Limit(until) => (until, None, None),
            Status::Gone(why) | Status::Error(why) => (None, Some(why), None),
            Status::Asking(backend) => (None, None, Some(backend)),
            _ => (None, None, None),
        };
        Self {
            is,
            until,
            why,
            backend,
        }
    }
}

impl TryFrom<StatusWritten> for Status {
    type Error = String;

    fn try_from(written: StatusWritten) -> Result<Self, String> {
        let why = written.why.unwrap_or_default();
        Ok(match written.is.as_str() {
            "starting" => Self::Starting,
            "running" => Self::Running,
            "stable" => Self::Stable,
            "asking" => Self::Asking(written.backend.unwrap_or_default()),
            "instructed" => Self::Instructed,
            "awaiting-user" => Self::AwaitingUser,
            "stopped" => Self::Stopped,
            "disabled" => Self::Disabled,
            "observing" => Self::Observing,
            "all-stopped" => Self::AllStopped,
            "held" => Self::Held(written.until),
            "limit" => Self::Limit(written.until),
            "gone" => Self::Gone(why),
            "error" => Self::Error(why),
            other => return Err(format!("`{}` is no status", other.escape_debug())),
        })
    }
}

/// A count against its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that have nothing to do with each other"
)]
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
    /// The dialog that the agent has open, where its options could be read.
    pub dialog: Option<Dialog>,
    /// The program that may be typed to.
    pub program: Option<String>,
    /// Whether nothing is typed, whatever is decided.
    pub observe: bool,
    /// Whether the person stopped all typing, everywhere.
    pub all_stopped: bool,
    /// Whether the person holds nudges to it.
    #[serde(default)]
    pub held: bool,
    /// What it works on for a mission: `mission/task`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mission: Option<String>,
    /// What it has spent of itself, of a worker that keeps a transcript.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<Spending>,
    /// It waits because its conversation fills the model's context: no word to it helps, only a fresh one does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context_full: bool,
}

#[cfg(test)]
impl AgentView {
    /// One of pane 18, to which nothing has happened yet.
    pub(crate) fn made_up(id: &str, status: Status) -> Self {
        Self {
            id: id.parse().unwrap(),
            pane: PaneAddress {
                session: "work".parse().unwrap(),
                pane: "18".parse().unwrap(),
            },
            goal: "make it fast".into(),
            status,
            state: None,
            evidence: Vec::new(),
            kind: None,
            polls: 0,
            changed_at: None,
            nudges: Bounded { used: 2, bound: 12 },
            fruitless: Bounded { used: 0, bound: 3 },
            calls: Bounded {
                used: 5,
                bound: 500,
            },
            tokens: Bounded {
                used: 900,
                bound: 1_000_000,
            },
            last_decision: String::new(),
            question: None,
            dialog: None,
            program: None,
            observe: false,
            all_stopped: false,
            held: false,
            mission: None,
            spending: None,
            context_full: false,
        }
    }
}

/// How much something that is said wants the person's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Urgency {
    /// Good to know.
    Info,
    /// Something did not go as it should, and goes on by itself.
    Warning,
    /// The person is needed: the bell rings.
    Person,
}

impl Urgency {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Person => "person",
        }
    }
}

/// Something that the supervisor says by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_back_as_it_was_written() {
        let until = "2026-11-03T14:00:00Z".parse().ok();
        for (status, written) in [
            (Status::AwaitingUser, r#"{"is":"awaiting-user"}"#),
            (
                Status::Asking("gemini".into()),
                r#"{"is":"asking","backend":"gemini"}"#,
            ),
            (
                Status::Limit(until),
                r#"{"is":"limit","until":"2026-11-03T14:00:00Z"}"#,
            ),
            (Status::Held(None), r#"{"is":"held"}"#),
            (
                Status::Gone("it ended".into()),
                r#"{"is":"gone","why":"it ended"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&status).unwrap(), written);
            assert_eq!(serde_json::from_str::<Status>(written).unwrap(), status);
        }
        for status in [
            Status::Starting,
            Status::Running,
            Status::Stable,
            Status::Instructed,
            Status::Stopped,
            Status::Disabled,
            Status::Observing,
            Status::AllStopped,
        ] {
            let written = serde_json::to_string(&status).unwrap();
            assert_eq!(serde_json::from_str::<Status>(&written).unwrap(), status);
        }
        assert!(serde_json::from_str::<Status>(r#"{"is":"well"}"#).is_err());
        for word in Status::WORDS {
            let status = serde_json::from_value::<Status>(serde_json::json!({ "is": word }));
            assert_eq!(status.unwrap().word(), word);
        }
    }
}
