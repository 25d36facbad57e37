//! What a person, a screen or a script sees of a mission: published whole, read without asking it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::machine::Phase;
use super::plan::Role;
use super::schedule::Stage;
use crate::evidence::spent::Spent;
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
    /// Whether a summary of it is being written.
    #[serde(default)]
    pub summing_up: bool,
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
    /// What it has cost so far.
    #[serde(flatten)]
    pub costs: Costs,
    /// What it cannot go on without, or why it failed.
    pub why: Option<String>,
    /// What it changed beside the paths that it may write.
    pub outside: Vec<String>,
    /// Which of those did not come into the merge, because work is judged by them.
    pub left_out: Vec<String>,
}

/// What a task has cost; what is not known is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Costs {
    /// Tokens that the workers have spent of themselves, as far as their transcripts tell: read for the first time, or
    /// written. What came from a cache is apart.
    #[serde(default)]
    pub tokens: Option<u64>,
    /// Tokens that they read from a cache, again with every call.
    #[serde(default)]
    pub cache_read_tokens: Option<u64>,
    /// Their tool calls.
    #[serde(default)]
    pub tool_uses: Option<u64>,
    /// Tokens that the program spent today on watching it, while it is watched.
    #[serde(default)]
    pub watch_tokens: Option<u64>,
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

/// One worker of a mission, as scripts see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerView {
    /// The agent.
    pub id: AgentId,
    /// The mission.
    pub mission: MissionId,
    /// The task.
    pub task: TaskId,
    /// What the task is, in a few words.
    pub title: String,
    /// What sort of worker it is.
    pub role: Role,
    /// Where the task is in the schedule.
    pub stage: Stage,
    /// What the agent is doing: `idle`, `working`, ...; `None` before the first look.
    pub state: Option<String>,
    /// For how long the task has had it, in seconds.
    pub time_sec: Option<u64>,
    /// What it has cost so far.
    #[serde(flatten)]
    pub costs: Costs,
    /// Its pane.
    pub pane: Option<PaneAddress>,
}

impl MissionView {
    /// The workers that it has now, in the order of its tasks.
    pub fn workers(&self, now: DateTime<Utc>) -> Vec<WorkerView> {
        let worker = |task: &TaskView| {
            let time = task.time(now);
            Some(WorkerView {
                id: task.agent.clone()?,
                mission: self.id.clone(),
                task: task.slug.clone(),
                title: task.title.clone(),
                role: task.role,
                stage: task.stage,
                state: task.state.clone(),
                time_sec: time.and_then(|time| u64::try_from(time.num_seconds()).ok()),
                costs: task.costs,
                pane: task.pane.clone(),
            })
        };
        self.tasks.iter().filter_map(worker).collect()
    }

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

impl TaskView {
    /// Takes in what its workers have spent.
    pub(super) fn has_spent(&mut self, spent: Option<Spent>) {
        self.costs.tokens = spent.map(|spent| spent.tokens());
        self.costs.cache_read_tokens = spent.map(|spent| spent.cache_read);
        self.costs.tool_uses = spent.map(|spent| spent.tool_uses);
    }

    /// The word for where it is.
    pub const fn word(&self) -> &'static str {
        if self.skipped {
            "skipped"
        } else {
            self.stage.as_str()
        }
    }

    /// How long it took, or has taken so far; `None` before it began.
    pub fn time(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let started = self.started_at?;
        Some((self.ended_at.unwrap_or(now) - started).max(TimeDelta::zero()))
    }
}

#[cfg(test)]
impl MissionView {
    /// A mission of these tasks, each with what it depends on, of which nothing has happened yet.
    pub(crate) fn made_up(id: &str, tasks: &[(&str, &[&str])]) -> Self {
        Self {
            id: id.parse().unwrap(),
            goal: "A library that reads notes, and a program that shows them".into(),
            root: "/home/me/notes".into(),
            base: Some("main".into()),
            integration: Some(format!("mo/{id}/integration")),
            phase: Phase::Running,
            begun_at: Some(DateTime::UNIX_EPOCH),
            tasks: tasks
                .iter()
                .map(|(slug, needs)| TaskView::made_up(slug, needs))
                .collect(),
            proposals: Vec::new(),
            places: 2,
            trouble: None,
            summing_up: false,
        }
    }
}

#[cfg(test)]
impl TaskView {
    /// A task that waits.
    pub(crate) fn made_up(slug: &str, needs: &[&str]) -> Self {
        let criterion = |what: String| CriterionView {
            what,
            result: Tick::Open,
            said: String::new(),
        };
        Self {
            slug: slug.parse().unwrap(),
            title: format!("What {slug} is about"),
            role: Role::Coder,
            depends_on: needs.iter().map(|slug| slug.parse().unwrap()).collect(),
            stage: Stage::Waiting,
            skipped: false,
            doing: "it waits".into(),
            attempt: 0,
            attempts: 3,
            criteria: vec![
                criterion(format!("cargo test -p {slug}")),
                criterion(format!("test -f docs/{slug}.md")),
            ],
            agent: None,
            pane: None,
            state: None,
            started_at: None,
            ended_at: None,
            costs: Costs::default(),
            why: None,
            outside: Vec::new(),
            left_out: Vec::new(),
        }
    }
}
