//! What a person, a screen or a script sees of a mission: published whole, read without asking it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::machine::Phase;
use super::plan::Role;
use super::schedule::Stage;
use crate::ids::{AgentId, MissionId, PaneAddress, TaskId};

/// One mission as it is seen from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MissionView {
    /// Its name.
    pub id: MissionId,
    /// What is to be achieved.
    pub goal: String,
    /// The repository's root, or the folder.
    pub root: String,
    /// The branch that it started from; `None`: nothing is merged.
    pub base: Option<String>,
    /// The branch that results are merged into.
    pub integration: Option<String>,
    /// What has become of it as a whole.
    pub phase: Phase,
    /// When the person said yes to it.
    pub begun_at: Option<DateTime<Utc>>,
    /// The tasks, in the order of the plan.
    pub tasks: Vec<TaskView>,
    /// Tasks that were proposed, and wait for the person.
    pub proposals: Vec<ProposalView>,
    /// How many workers may run at once.
    pub places: usize,
    /// What went wrong with the mission itself last; it goes on all the same.
    pub trouble: Option<String>,
}

/// One task as it is seen from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskView {
    /// Its name.
    pub slug: TaskId,
    /// What it is, in a few words.
    pub title: String,
    /// What sort of worker it has.
    pub role: Role,
    /// What it depends on.
    pub depends_on: Vec<TaskId>,
    /// Where it is in the schedule.
    pub stage: Stage,
    /// Whether it never starts, because of what has become of others.
    pub skipped: bool,
    /// What is being done about it, or why nothing is, in a few words.
    pub doing: String,
    /// Which attempt this is, and how many there are.
    pub attempt: u32,
    /// See there.
    pub attempts: u32,
    /// Its criteria, with what the last run of each came to.
    pub criteria: Vec<CriterionView>,
    /// The agent that works on it, while it has one.
    pub agent: Option<AgentId>,
    /// Its worker's pane, while it has one.
    pub pane: Option<PaneAddress>,
    /// What its worker is doing: `idle`, `working`, ...
    pub state: Option<String>,
    /// When it got a worker's place, and when it ended.
    pub started_at: Option<DateTime<Utc>>,
    /// See there.
    pub ended_at: Option<DateTime<Utc>>,
    /// Tokens that the program spent on watching it.
    pub tokens: u64,
    /// What it cannot go on without, or why it failed.
    pub why: Option<String>,
    /// What it changed beside the paths that it may write.
    pub outside: Vec<String>,
}

/// One criterion as it is seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CriterionView {
    /// The command, or what a reviewer must find.
    pub what: String,
    /// What the last run came to.
    pub result: Tick,
    /// How the last run ended, in words.
    pub said: String,
}

/// What the last run of a criterion came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tick {
    /// It was not run yet.
    Open,
    /// It is being run.
    Running,
    /// As it should be.
    Passed,
    /// Not as it should be.
    Failed,
}

/// A task that was proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposalView {
    /// Its name.
    pub slug: TaskId,
    /// What it is, in a few words.
    pub title: String,
    /// Why it was proposed.
    pub why: String,
}

impl MissionView {
    /// How many tasks are done, and how many there are.
    pub fn done(&self) -> (usize, usize) {
        let done = self.tasks.iter().filter(|task| task.stage == Stage::Done);
        (done.count(), self.tasks.len())
    }

    /// Whether every task is done.
    pub fn succeeded(&self) -> bool {
        let (done, all) = self.done();
        done == all
    }

    /// The task of that name.
    pub fn task(&self, slug: &TaskId) -> Option<&TaskView> {
        self.tasks.iter().find(|task| task.slug == *slug)
    }
}
