//! One task of a mission as its journal has made it: where it stands, what it wants done, by whose hands.

use chrono::{DateTime, Utc};

use crate::ids::PaneAddress;
use crate::mission::plan::Task;
use crate::mission::schedule::Stage;

/// What has become of one task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskState {
    /// Where it is in the schedule.
    pub stage: Stage,
    /// What it wants done.
    pub wants: Wants,
    /// Which attempt this is, from 1; 0 before the first.
    pub attempt: u32,
    /// How many attempts there are: the plan's, and those that the person added.
    pub attempts: u32,
    /// The number of the last brief.
    pub briefs: u32,
    /// Its worker's pane, while it has one.
    pub pane: Option<PaneAddress>,
    /// The commit from which it started.
    pub base: Option<String>,
    /// The commit of the integration branch before its merge was begun, and after it.
    pub before: Option<String>,
    /// See there.
    pub merged: Option<String>,
    /// The commit of its merge that was taken back last.
    pub taken_back: Option<String>,
    /// What it changed beside the paths that it may write.
    pub outside: Vec<String>,
    /// Which of those did not come into the merge, because something is judged by them.
    pub left_out: Vec<String>,
    /// Where only a part of it is to be merged: the criteria that this part meets. None: all of them.
    pub part: Vec<usize>,
    /// When it got a worker's place, when its worker was first told, and when it ended.
    pub started_at: Option<DateTime<Utc>>,
    /// See there.
    pub told_at: Option<DateTime<Utc>>,
    /// See there.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its time was over, and its worker was asked to come to an end.
    pub overtime: bool,
    /// The brief that is being given, and since when: the same one goes on after a crash.
    pub telling: Option<(u32, DateTime<Utc>)>,
    /// The number of the brief whose answer counts as its report.
    pub report: Option<u32>,
    /// What went wrong so far, in words, the oldest first; bounded.
    pub wrong: Vec<String>,
    /// What it cannot go on without, or why it failed.
    pub why: Option<String>,
    /// How often its worker was asked to put something right for a merge.
    pub(super) chores: u32,
    /// Whether an answer to its blocker was looked for already.
    pub(super) answered: bool,
    /// When it came into the queue of merges.
    pub(super) queued: u64,
    /// Whose its pane is.
    pub(super) hands: Hands,
    /// How the last attempt of its worker failed.
    pub(super) failure: Option<String>,
    /// Whether the person has changed it since its worker was told it.
    pub(super) is_edited: bool,
    /// The commit of an earlier merge of it, of a task that was done before and taken up again.
    pub(super) merged_earlier: Option<String>,
    /// The criteria that what is merged meets, where that is only a part.
    pub(super) merged_part: Vec<usize>,
}

/// Who works on a task, and goes on with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Hands {
    /// The worker that it has.
    #[default]
    Worker,
    /// One that knows nothing of what was there before, in a pane of its own.
    Fresh,
    /// The person, in the worker's pane.
    Person,
}

/// What a task wants done.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Wants {
    /// Nothing.
    #[default]
    Nothing,
    /// A folder to be worked on in.
    Folder,
    /// A worker.
    Worker,
    /// Its worker told this.
    Telling(Message),
    /// Its worker watched until it reports, stands still, is gone, or its time is over.
    Watching,
    /// Its criteria run.
    Checking,
    /// An answer to what it cannot go on without.
    Answer,
    /// Its branch merged.
    Merging,
    /// The criteria run on the merged tree.
    Proving,
    /// Its merge taken back, and then its worker told.
    TakingBack,
    /// Its worker's pane closed; and then, perhaps, a new one.
    Closing {
        /// Whether a fresh worker takes its place.
        then_fresh: bool,
    },
}

/// What a worker is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The task.
    Begin,
    /// What its last attempt got wrong.
    Retry,
    /// With what its branch collides.
    Conflict(Vec<String>),
    /// What broke when it was merged.
    TakenBack,
    /// What is not committed.
    Unsaved(Vec<String>),
    /// That its time is over.
    TimeUp,
    /// An answer to its blocker.
    Answer(String),
    /// The person's words.
    Person(String),
}

impl TaskState {
    /// The person has changed it: whoever works on it next is told all of it anew.
    pub(super) fn edited(&mut self, task: &Task) {
        self.attempts = self.attempts.max(task.attempts);
        self.is_edited = self.briefs > 0;
        self.failure = None;
        if self.is_edited {
            self.remember(
                "the person has changed the task since: it stands here as it is now".into(),
            );
        }
    }

    pub(super) fn new(task: &Task) -> Self {
        Self {
            attempts: task.attempts,
            ..Self::default()
        }
    }
}
