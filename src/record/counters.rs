//! What is counted and kept in mind between the decisions about an agent.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::time;

/// A question that waits for the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// What is asked.
    pub text: String,
    /// Since when.
    #[serde(with = "time")]
    pub since: DateTime<Utc>,
    /// Whether only the person's word ends it (not a change of the screen).
    #[serde(default)]
    pub insists: bool,
    /// The text of ours that may stand unsent in the prompt, where that is what is asked about: the question
    /// ends when it no longer stands there, whatever else changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_over: Option<String>,
}

/// What is counted against the bounds of an agent; every [`DecisionLine`](super::DecisionLine) carries it, so that the last line
/// is enough to go on after a crash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counters {
    /// The day (UTC) that `calls` and `tokens` are counted for.
    pub day: Option<NaiveDate>,
    /// Decide calls on that day.
    pub calls: u32,
    /// Tokens in and out on that day, as the server reported them.
    pub tokens: u64,
    /// When the nudges of the last hour were typed.
    #[serde(with = "time::several")]
    pub nudges: VecDeque<DateTime<Utc>>,
    /// Nudges in a row that changed nothing for good.
    pub fruitless: u32,
    /// The question that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// The usage limit at which the agent is parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Parked>,
    /// The hold that the person put on nudges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
}

/// An agent at its usage limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parked {
    /// When the limit is reset, as the agent says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Whether it was nudged after that.
    #[serde(default)]
    pub nudged: bool,
}

/// A person's hold on nudges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Until when; `None`: until it is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}
