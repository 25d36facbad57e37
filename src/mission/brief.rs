//! The texts that workers get, as Markdown files, and the line that says to read one. Pure.
//!
//! A worker knows nothing but what stands here. What other agents and programs said stands in quotations, each of
//! whose lines begins with a mark, so that nothing in them can pass for a line of ours. The coordinator writes a
//! text to [`names::brief_file`], and the [`nudge`] is all that is ever typed.

use std::path::Path;

use super::names;
use super::plan::{Plan, Task};
use super::receipt::Receipt;
use crate::ids::TaskId;

/// The longest brief, in characters.
pub const LONGEST: usize = 120_000;

/// What a brief is about.
#[derive(Debug, Clone, Copy)]
pub enum Brief<'a> {
    /// The task, to somebody who knows nothing of it; also to a fresh worker of a later attempt.
    Begin,
    /// Criteria failed.
    Retry {
        /// The attempt that begins, from 2.
        attempt: u32,
        /// How many there are.
        of: u32,
        /// The receipts of what failed.
        failed: &'a [Receipt],
        /// Files that judge and were put back, because the task may not write them.
        undone: &'a [String],
    },
    /// The branch does not merge.
    Conflict {
        /// The branch to merge into the worker's own.
        integration_branch: &'a str,
        /// Files in conflict.
        files: &'a [String],
    },
    /// The branch merged, and what was checked afterwards failed: the merge was taken back.
    TakenBack {
        /// The attempt that begins, from 2.
        attempt: u32,
        /// How many there are.
        of: u32,
        /// The branch to merge into the worker's own.
        integration_branch: &'a str,
        /// The receipts of what failed, of this task or of one merged before it.
        failed: &'a [Receipt],
    },
    /// Its time is over: the smallest part that meets a criterion is to be finished.
    TimeUp {
        /// How many minutes are left for that.
        minutes: u32,
        /// The newest receipts of its criteria.
        receipts: &'a [Receipt],
    },
    /// An answer to what it was blocked by.
    Answer {
        /// The answer.
        text: &'a str,
        /// Whether a person gave it; otherwise a model did, and it is quoted.
        from_person: bool,
    },
    /// What a person wants it to know or to do.
    Message {
        /// The person's words.
        text: &'a str,
    },
    /// It says that it is done, and files are not committed.
    Unsaved {
        /// Which.
        files: &'a [String],
    },
    /// It came to rest without a report.
    NoReport,
    /// To a fresh reviewer: whether something is so.
    Review {
        /// The task that was worked on.
        of: &'a Task,
        /// What must be so.
        what: &'a str,
    },
}

/// Who a brief is for, and what it can know.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The task.
    pub task: &'a Task,
    /// The number of this brief, from 1.
    pub number: u32,
    /// The folder that the worker is in.
    pub folder: &'a Path,
    /// The commit or branch from which its branch began, so that its changes can be looked at.
    pub base: Option<&'a str>,
    /// The reports of the tasks that it depends on; for a review, the report of the task itself.
    pub reports: &'a [(TaskId, String)],
    /// What earlier attempts got wrong, for a fresh worker.
    pub earlier: &'a [String],
    /// Whether the folder is a worktree of its own.
    pub is_repository: bool,
}

/// The whole text of a brief, at most [`LONGEST`] characters.
pub fn text(scene: &Scene<'_>, brief: &Brief<'_>) -> String {
    let _ = (scene, brief);
    String::new()
}

/// What is typed to have a brief read.
pub fn nudge(task: &TaskId, number: u32) -> String {
    format!(
        "Read {} and do what it says.",
        names::brief_file(task, number).display()
    )
}
