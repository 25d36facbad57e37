//! What happened in a mission, as it stands in its journal: everything that the mission is follows from it.
//!
//! A line is written before anything is done because of it, and the [machine](super::machine) is what becomes of
//! the lines in their order, so that whoever reads the journal after a crash knows as much as whoever wrote it.
//! Plain data.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::plan::Task;
use crate::ids::{PaneAddress, TaskId};
use crate::record::{VERSION, time};

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The version of the form.
    pub v: u32,
    /// When.
    #[serde(with = "time")]
    pub ts: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

impl Entry {
    /// Something that happened at `ts`.
    pub const fn new(ts: DateTime<Utc>, what: What) -> Self {
        Self {
            v: VERSION,
            ts,
            what,
        }
    }

    /// The number of the report on `task` that came with this line, where one did.
    pub fn reported(&self, task: &TaskId) -> Option<u32> {
        match &self.what {
            What::Task {
                task: of,
                step: Step::Reported { number, .. },
            } if of == task => Some(*number),
            _ => None,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "entry",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum What {
    /// The person said yes to the plan that lies beside the journal.
    Begun {
        /// The root of the repository, or the folder.
        root: PathBuf,
        /// The branch that it starts from; `None`: the folder is no repository.
        base: Option<String>,
        /// The commit of that branch.
        commit: Option<String>,
    },
    /// Something happened to a task.
    Task {
        /// Which.
        task: TaskId,
        /// What.
        #[serde(flatten)]
        step: Step,
    },
    /// Nothing new starts, and nobody is told anything.
    Paused,
    /// It goes on.
    Resumed,
    /// The person ended it: every worker is stopped.
    Aborted,
    /// Somebody proposes one more task, for the person to accept.
    Proposed {
        /// Which.
        proposal: Box<Task>,
        /// Why.
        why: String,
        /// The task whose rest it is: what needs that one needs this one then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rest_of: Option<TaskId>,
    },
    /// The person accepted a proposed task.
    Accepted {
        /// Which.
        proposal: TaskId,
    },
    /// The person changed a task, and said yes to what it is now.
    Edited {
        /// As it is now.
        edited: Box<Task>,
    },
    /// The coordinating agent was told how tasks ended.
    Informed {
        /// Of so many ends, since the mission began.
        ends: usize,
    },
    /// Nothing more can be done without the person; the report is written.
    Over,
    /// The base branch has the result, and the worktrees are gone.
    Finished {
        /// The commit of the base branch; `None` where there is none.
        commit: Option<String>,
    },
}

/// What happened to a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "step",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Step {
    /// It has a worker's place from now on.
    Started,
    /// The folder in which it is worked on is ready.
    Prepared {
        /// The commit from which it starts; `None` in a folder without git.
        commit: Option<String>,
    },
    /// Its worker is there, and supervised.
    Opened {
        /// In which pane.
        pane: PaneAddress,
        /// Whether it knows nothing of what was there before.
        fresh: bool,
    },
    /// A brief is about to be given: the number is used up, whatever comes of it.
    Telling {
        /// The number of the brief.
        number: u32,
    },
    /// Its worker was told.
    Told {
        /// The number of the brief.
        number: u32,
    },
    /// Its worker reported.
    Reported {
        /// What it says of its work.
        claim: Claimed,
        /// Its answer to the brief of this number.
        number: u32,
    },
    /// Its worker stands at its prompt, and has reported nothing.
    Stood,
    /// Its time is over.
    TimeUp,
    /// Its worker can take in no more: its context is used up.
    UsedUp,
    /// Its worker is gone, or cannot be reached.
    Lost {
        /// Why.
        why: String,
    },
    /// Its criteria were run on what the worker left.
    Checked {
        /// Those that were not as they should be, in words; none: all passed.
        failed: Vec<String>,
        /// Where its time is over and some failed: those that are met all the same, by their places in the plan,
        /// if that part of the work is to be merged.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        part: Vec<usize>,
    },
    /// Not everything is committed.
    Unsaved {
        /// These files are not.
        files: Vec<String>,
    },
    /// Its branch is about to be merged.
    Merging {
        /// The commit of the integration branch before.
        before: String,
    },
    /// It is merged.
    Merged {
        /// The commit of the integration branch.
        commit: String,
        /// What it changed beside the paths that it may write.
        outside: Vec<String>,
        /// Which of those were left as they were, because something is judged by them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<String>,
    },
    /// It cannot be merged as it is.
    Conflict {
        /// In these files.
        files: Vec<String>,
    },
    /// The criteria were run on the merged tree.
    Proven {
        /// Those that were not as they should be, in words; none: all passed.
        failed: Vec<String>,
    },
    /// The merge was taken back.
    TakenBack,
    /// Something was found for a worker that could not go on.
    Answered {
        /// What; `None`: nothing is known.
        text: Option<String>,
    },
    /// The person says something to its worker.
    Message {
        /// What.
        text: String,
        /// To a worker that knows nothing of what was there before.
        fresh: bool,
    },
    /// The person wants it tried again.
    Retried {
        /// By a worker that knows nothing of what was there before.
        fresh: bool,
    },
    /// The person stopped it.
    Stopped,
    /// The person gave it up.
    Dropped,
    /// The person works on it, or says that it is done: it is checked and merged as a worker's.
    TakenOver,
    /// Its worker's pane is closed.
    Closed,
    /// Something went wrong that is neither the worker's doing nor the plan's.
    Trouble {
        /// What.
        why: String,
    },
}

/// What a worker says of its work. It is never believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Claimed {
    /// It is done, wholly or in part, or it does not say.
    Done,
    /// It cannot go on.
    Blocked(String),
}
