//! What the run of an exit criterion came to: the only thing by which a task counts as done.

use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::TaskId;
use crate::record::time;

/// One run of one criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The version of the form.
    pub v: u32,
    /// When it ended.
    #[serde(with = "time")]
    pub ts: DateTime<Utc>,
    /// The task.
    pub task: TaskId,
    /// The attempt, from 1; 0 before any work.
    pub attempt: u32,
    /// On which tree.
    pub on: Tree,
    /// The criterion by its place in the task, from 0.
    pub criterion: usize,
    /// The command as the plan has it, or what was to be found by a reviewer.
    pub what: String,
    /// Where it was run.
    pub folder: PathBuf,
    /// The commit that was checked out, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The end of its output, or a reviewer's reasons.
    pub tail: String,
    /// Files that were put back as the base has them for this run, because they judge and the task may not write
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<String>,
}

/// On which tree a criterion was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tree {
    /// The base, before any work.
    Base,
    /// What the worker left.
    Work,
    /// What it became with the results of others.
    Merged,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum Outcome {
    /// As the criterion wants it.
    Passed,
    /// Another exit code.
    WrongCode {
        /// Which.
        code: i32,
    },
    /// A signal ended it.
    Killed {
        /// Which.
        signal: i32,
    },
    /// No line of its output was as it should be.
    WrongOutput,
    /// It did not end in time, and was killed.
    TimedOut {
        /// The bound, in seconds.
        after_sec: u64,
    },
    /// It wrote more than is read, and was killed.
    TooMuchOutput,
    /// It could not be run.
    NotRun {
        /// Why.
        why: String,
    },
    /// A reviewer did not pass it.
    Rejected,
    /// No reviewer said anything that counts.
    NotReviewed {
        /// Why.
        why: String,
    },
}

impl Receipt {
    /// Whether it is as it should be.
    pub fn passed(&self) -> bool {
        self.outcome == Outcome::Passed
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => out.write_str("passed"),
            Self::WrongCode { code } => write!(out, "exit code {code}"),
            Self::Killed { signal } => write!(out, "ended by signal {signal}"),
            Self::WrongOutput => out.write_str("no line of its output is as it should be"),
            Self::TimedOut { after_sec } => write!(out, "not ended within {after_sec} s"),
            Self::TooMuchOutput => out.write_str("it wrote without end, and was killed"),
            Self::NotRun { why } => write!(out, "it could not be run: {why}"),
            Self::Rejected => out.write_str("the reviewer did not pass it"),
            Self::NotReviewed { why } => write!(out, "it was not reviewed: {why}"),
        }
    }
}
