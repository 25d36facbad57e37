//! What happens while it happens, for those who follow along: front ends, scripts, the bell.
//!
//! Not a log: a reader that falls behind loses the oldest and is told how many. What must not be lost is in the
//! memo and decision logs; what a decision log holds is told here once it is written there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{DecisionLine, Origin, Question, Receipt, Step, VERSION, Verdict, time};
use crate::ids::{AgentId, MissionId, TaskId};
use crate::screen::state::State;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The version of the form.
    pub v: u32,
    /// When.
    #[serde(with = "time")]
    pub ts: DateTime<Utc>,
    /// To whom, where it is about one agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Happening {
    /// An agent's status or state is another one.
    Status {
        /// Its status, in one word: `running`.
        status: String,
        /// What it is doing; `None` before the first look.
        state: Option<State>,
        /// What its status was before.
        was: String,
    },
    /// A backend was asked about an agent.
    Asked {
        /// The decision's id.
        id: String,
        /// Which backend.
        backend: String,
    },
    /// It answered.
    Verdict {
        /// The decision's id.
        id: String,
        /// Who answered.
        by: Option<String>,
        /// What it said, where that was a verdict.
        verdict: Option<Verdict>,
        /// Why there is none, or what is wrong with it.
        problem: Option<String>,
        /// Tokens in and out.
        tokens: u64,
    },
    /// A text was typed, or a dialog's option chosen, or neither: the receipt says.
    Nudge {
        /// The decision's id.
        id: String,
        /// Whose text it is.
        origin: Origin,
        /// The text, or the option in words.
        text: String,
        /// What became of it: `delivered`, `refused`, `unproven`, `observed`, and why.
        #[serde(flatten)]
        receipt: Receipt,
    },
    /// A question waits for the person.
    Question {
        /// What is asked, and since when.
        #[serde(flatten)]
        question: Question,
    },
    /// It no longer waits: it was answered, or is over.
    QuestionClosed {
        /// How long it had waited, in seconds.
        waited_sec: u64,
    },
    /// The supervisor said something to the person.
    Notice {
        /// How urgent: `info`, `warning`, `person`.
        urgency: String,
        /// What.
        text: String,
    },
    /// The bell rang: the person was told that somebody waits for them, or it was tested.
    Ring {
        /// In a line.
        title: String,
        /// In a few lines.
        body: String,
    },
    /// The roster changed.
    Roster {
        /// The word for it: added, set, stopped, started, accepted, answered, loaded, removed.
        why: String,
    },
    /// What has become of a mission as a whole is something else now.
    Mission {
        /// Which.
        mission: MissionId,
        /// What: `running`, `paused`, `over`, `aborted`, `finished`.
        phase: String,
    },
    /// What has become of a task of a mission is something else now.
    Task {
        /// The mission.
        mission: MissionId,
        /// The task.
        task: TaskId,
        /// What sort of worker it has.
        role: String,
        /// What: `running`, `checking`, `blocked`, `stopped`, `done`, `failed`, `dropped`.
        status: String,
        /// Which attempt it is, from 1.
        attempt: u32,
        /// In a few words: why it failed or cannot go on, or what its worker says came of it.
        summary: String,
        /// The worker's whole report, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<String>,
        /// Tokens that its workers have spent of themselves so far, where their transcripts tell: read for the first
        /// time, or written. What came from a cache is no part of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tokens: Option<u64>,
        /// Their tool calls, where their transcripts tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool_uses: Option<u64>,
        /// Tokens that the program spent today on watching its worker, where it has one still.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        watch_tokens: Option<u64>,
        /// How long it took, in seconds, where it has ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_sec: Option<u64>,
    },
    /// Events came faster than they were read.
    Lost {
        /// How many are missing here.
        count: u64,
    },
}

impl Event {
    /// Something that happened at `ts`.
    pub const fn new(ts: DateTime<Utc>, agent: Option<AgentId>, what: Happening) -> Self {
        Self {
            v: VERSION,
            ts,
            agent,
            what,
        }
    }

    /// What a line of the decision log tells those who follow along, if anything.
    pub fn of(line: &DecisionLine, agent: &AgentId) -> Option<Self> {
        let id = line.id.clone();
        let what = match line.step.clone() {
            Step::Asked { backend, .. } => Happening::Asked { id, backend },
            Step::Answered {
                by,
                verdict,
                problem,
                tokens,
                ..
            } => Happening::Verdict {
                id,
                by,
                verdict,
                problem,
                tokens,
            },
            Step::Receipt {
                origin,
                text,
                receipt,
            } => Happening::Nudge {
                id,
                origin,
                text,
                receipt,
            },
            Step::Intent { .. } | Step::Counted { .. } => return None,
        };
        Some(Self::new(line.ts, Some(agent.clone()), what))
    }
}
