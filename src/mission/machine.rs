//! The rules of a mission: what its journal makes of it, and what is to be done next. Pure.
//!
//! [`Machine::apply`] takes the lines of the journal one by one, and never anything else, so that after a crash
//! the same lines make the same mission. [`Machine::due`] tells what each task wants done now; the coordinator
//! does it and writes down what came of it. Whether a task starts is the [schedule](super::schedule)'s to say.

mod apply;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::journal::{Entry, What};
use super::plan::{Command, Plan, Task, each_once};
use super::schedule::{Graph, Stage, Terms, Why};
use crate::ids::TaskId;

pub use state::{Message, TaskState, Wants};

/// How often a worker is asked to put right what stands in the way of a merge before that counts as a failure.
const CHORES: u32 = 5;

/// A mission as its journal has made it.
#[derive(Debug, Clone)]
pub struct Machine {
    plan: Arc<Plan>,
    graph: Graph,
    is_repository: bool,
    tasks: Vec<TaskState>,
    proposals: Vec<Proposal>,
    /// How tasks ended, in the order in which they did, and of how many somebody was told.
    ends: Vec<End>,
    informed: usize,
    phase: Phase,
    begun_at: Option<DateTime<Utc>>,
    /// How many merges were asked for, to keep their order.
    merges: u64,
}

/// What has become of a mission as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// It runs.
    Running,
    /// Nothing new starts, and nobody is told anything.
    Paused,
    /// Nothing more can be done without the person.
    Over,
    /// The person ended it.
    Aborted,
    /// The base branch has the result.
    Finished,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Running,
        Self::Paused,
        Self::Over,
        Self::Aborted,
        Self::Finished,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Over => "over",
            Self::Aborted => "aborted",
            Self::Finished => "finished",
        }
    }
}

/// A task that somebody proposed.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The task.
    pub task: Task,
    /// Why.
    pub why: String,
    /// The task whose rest it is.
    pub rest_of: Option<TaskId>,
}

/// That a task's worker has come to an end of some sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Which.
    pub task: TaskId,
    /// What has become of it: done, failed, blocked, stopped or dropped.
    pub stage: Stage,
    /// Why, where that is known.
    pub why: String,
}

/// A command that must pass on a merged tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The place in the plan of the task that it belongs to.
    pub task: usize,
    /// Which of that task's criteria it is, from 0.
    pub criterion: usize,
    /// The attempt whose work it is to prove.
    pub attempt: u32,
}

/// Something to be done now.
#[derive(Debug, Clone, PartialEq)]
pub enum Due {
    /// Write down that this task starts.
    Start(usize),
    /// What a task wants.
    Do(usize, Wants),
    /// Write down that the mission is over.
    Over,
}

impl Machine {
    /// The mission of a plan before anything has happened; `None` where the plan's tasks make no graph.
    pub fn new(plan: Plan, is_repository: bool) -> Option<Self> {
        let graph = graph(&plan, is_repository)?;
        let tasks = plan.tasks.iter().map(TaskState::new).collect();
        Some(Self {
            plan: Arc::new(plan),
            graph,
            is_repository,
            tasks,
            proposals: Vec::new(),
            ends: Vec::new(),
            informed: 0,
            phase: Phase::Running,
            begun_at: None,
            merges: 0,
        })
    }

    /// The plan, with the tasks that the person accepted.
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Whether tasks have worktrees, and are merged.
    pub const fn is_repository(&self) -> bool {
        self.is_repository
    }

    /// What has become of the mission as a whole.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// When the person said yes to it.
    pub const fn begun_at(&self) -> Option<DateTime<Utc>> {
        self.begun_at
    }

    /// Tasks that were proposed, and neither accepted nor in the plan.
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals
    }

    /// How tasks ended that nobody was told of yet.
    pub fn untold(&self) -> &[End] {
        self.ends.get(self.informed..).unwrap_or_default()
    }

    /// How many ends of tasks there were.
    pub const fn ends(&self) -> usize {
        self.ends.len()
    }

    /// Of how many ends somebody was told.
    pub const fn informed(&self) -> usize {
        self.informed
    }

    /// The place of a task in the plan.
    pub fn position(&self, task: &TaskId) -> Option<usize> {
        self.plan.tasks.iter().position(|one| one.slug == *task)
    }

    /// A task and what has become of it.
    pub fn task(&self, place: usize) -> Option<(&Task, &TaskState)> {
        self.plan.tasks.get(place).zip(self.tasks.get(place))
    }

    /// All tasks, and what has become of them.
    pub fn tasks(&self) -> impl Iterator<Item = (&Task, &TaskState)> {
        self.plan.tasks.iter().zip(&self.tasks)
    }

    /// The stage of each task.
    pub fn stages(&self) -> Vec<Stage> {
        self.tasks.iter().map(|task| task.stage).collect()
    }

    /// What must pass on the tree that a task's merge makes, each command once: its own commands, and those of the
    /// tasks that are merged already.
    pub fn proofs(&self, place: usize) -> Vec<Proof> {
        let commands = |place: usize, part: &[usize]| {
            let task = self.plan.tasks.get(place).map(Task::commands);
            let part = part.to_vec();
            let is_met = move |at: usize| part.is_empty() || part.contains(&at);
            task.into_iter()
                .flatten()
                .filter(move |one| is_met(one.place))
        };
        let own = self.tasks.get(place);
        let own = own.map(|state| commands(place, &state.part));
        let others = self.tasks.iter().enumerate();
        let others = others.filter(|(other, state)| *other != place && state.merged.is_some());
        let others = others.flat_map(|(other, state)| commands(other, &state.merged_part));
        let once = each_once(own.into_iter().flatten().chain(others));
        let proof = |one: Command<'_>| {
            let task = self.position(&one.task.slug)?;
            Some(Proof {
                task,
                criterion: one.place,
                attempt: self.tasks.get(task)?.attempt,
            })
        };
        once.into_iter().filter_map(proof).collect()
    }

    /// How many tasks have a worker's place.
    pub fn at_work(&self) -> usize {
        let stages = self.tasks.iter().map(|state| state.stage);
        stages.filter(|stage| stage.is_at_work()).count()
    }

    /// Why a task is where it is.
    pub fn why(&self, place: usize, places: usize) -> Option<Why> {
        self.graph.why(place, &self.stages(), self.terms(places))
    }

    /// The tasks that never start, because of what has become of others.
    pub fn skipped(&self) -> Vec<usize> {
        self.graph.skipped(&self.stages())
    }

    fn terms(&self, places: usize) -> Terms {
        Terms {
            places,
            paused: self.phase != Phase::Running,
        }
    }

    /// What is to be done now, at most one thing for each task; `places` workers may run at once.
    ///
    /// What was told before and is still under way is told again: the caller knows what it is doing.
    pub fn due(&self, places: usize) -> Vec<Due> {
        if self.begun_at.is_none() || self.phase == Phase::Finished {
            return Vec::new();
        }
        let stages = self.stages();
        let starts = self.graph.starts(&stages, self.terms(places));
        let mut due: Vec<Due> = starts.into_iter().map(Due::Start).collect();
        let merging = self.next_merge();
        for (place, state) in self.tasks.iter().enumerate() {
            let may = match &state.wants {
                Wants::Nothing => false,
                // one at a time, and in their order
                Wants::Merging | Wants::Proving | Wants::TakingBack => merging == Some(place),
                Wants::Telling(_) | Wants::Worker | Wants::Folder | Wants::Answer => {
                    self.phase != Phase::Paused
                }
                Wants::Watching | Wants::Checking | Wants::Closing { .. } => true,
            };
            if may {
                due.push(Due::Do(place, state.wants.clone()));
            }
        }
        let is_over = due.is_empty()
            && self.phase == Phase::Running
            && self.tasks.iter().all(|state| state.wants == Wants::Nothing);
        if is_over {
            due.push(Due::Over);
        }
        due
    }

    /// Whose merge is under way, or comes next.
    fn next_merge(&self) -> Option<usize> {
        let queue = self.tasks.iter().enumerate().filter(|(_, state)| {
            matches!(
                state.wants,
                Wants::Merging | Wants::Proving | Wants::TakingBack
            )
        });
        // one that has begun is brought to its end first
        let next = queue.min_by_key(|(_, state)| (state.wants == Wants::Merging, state.queued));
        next.map(|(place, _)| place)
    }

    /// Takes in a line of the journal.
    ///
    /// A line that does not fit (the journal is a file, and may have been changed) changes nothing.
    pub fn apply(&mut self, entry: &Entry) {
        match &entry.what {
            What::Begun { .. } => self.begun_at = Some(entry.ts),
            What::Paused if self.phase == Phase::Running => self.phase = Phase::Paused,
            What::Resumed if matches!(self.phase, Phase::Paused | Phase::Over) => {
                self.phase = Phase::Running;
            }
            What::Aborted if self.phase != Phase::Finished => self.abort(entry.ts),
            What::Over if self.phase == Phase::Running => self.phase = Phase::Over,
            What::Finished { .. } => self.phase = Phase::Finished,
            What::Informed { ends } => self.informed = *ends,
            What::Proposed {
                proposal,
                why,
                rest_of,
            } => self.propose(proposal, why, rest_of.as_ref()),
            What::Accepted { proposal } => self.accept(proposal),
            What::Edited { edited } => self.edit(edited),
            What::Task { task, step } => {
                if let Some(place) = self.position(task) {
                    let before = self.tasks.get(place).map(|state| state.stage);
                    self.step(place, step, entry.ts);
                    self.note_end(place, before);
                }
            }
            _ => {}
        }
    }

    fn note_end(&mut self, place: usize, before: Option<Stage>) {
        let Some((task, state)) = self.task(place) else {
            return;
        };
        let is_end = !matches!(
            state.stage,
            Stage::Waiting | Stage::Running | Stage::Checking
        );
        if is_end && before != Some(state.stage) {
            let end = End {
                task: task.slug.clone(),
                stage: state.stage,
                why: state.why.clone().unwrap_or_default(),
            };
            self.ends.push(end);
        }
    }

    fn abort(&mut self, ts: DateTime<Utc>) {
        self.phase = Phase::Aborted;
        for state in &mut self.tasks {
            state.stop(ts);
        }
    }

    fn propose(&mut self, task: &Task, why: &str, rest_of: Option<&TaskId>) {
        let is_known = self.position(&task.slug).is_some()
            || self.proposals.iter().any(|one| one.task.slug == task.slug);
        if !is_known {
            self.proposals.push(Proposal {
                task: task.clone(),
                why: why.to_owned(),
                rest_of: rest_of.cloned(),
            });
        }
    }

    fn accept(&mut self, slug: &TaskId) {
        let Some(place) = self.proposals.iter().position(|one| one.task.slug == *slug) else {
            return;
        };
        let proposal = self.proposals.remove(place);
        let mut plan = Plan::clone(&self.plan);
        let waits = |task: &Task| {
            let place = self.position(&task.slug);
            let state = place.and_then(|place| self.tasks.get(place));
            state.is_some_and(|state| state.stage == Stage::Waiting)
        };
        // what needs the whole of a task gets it from whoever does its rest
        for task in plan.tasks.iter_mut().filter(|task| waits(task)) {
            for needed in &mut task.depends_on {
                if Some(&*needed) == proposal.rest_of.as_ref() {
                    *needed = slug.clone();
                }
            }
        }
        plan.tasks.push(proposal.task);
        // what would make no graph is not taken in
        if let Some(graph) = graph(&plan, self.is_repository) {
            self.tasks.extend(plan.tasks.last().map(TaskState::new));
            self.plan = Arc::new(plan);
            self.graph = graph;
            self.go_on();
        }
    }

    /// The plan with a task as it is to be.
    ///
    /// # Errors
    /// Why the task cannot be changed to this now.
    pub fn plan_with(&self, edited: &Task) -> Result<Plan, String> {
        self.changed(edited).map(|(plan, _)| plan)
    }

    /// The same, and the plan's graph.
    fn changed(&self, edited: &Task) -> Result<(Plan, Graph), String> {
        let slug = &edited.slug;
        let place = self.position(slug);
        let Some((place, (task, state))) = place.and_then(|place| Some((place, self.task(place)?)))
        else {
            return Err(format!("there is no task `{slug}`"));
        };
        let has_begun = state.stage != Stage::Waiting;
        if matches!(state.stage, Stage::Running | Stage::Checking) {
            return Err(format!("{slug} is being worked on: stop it first"));
        }
        if state.wants != Wants::Nothing {
            return Err(format!(
                "something is being done about {slug}: say it again in a moment"
            ));
        }
        if state.merged.is_some() || state.stage == Stage::Done {
            return Err(format!("{slug} is done, or a part of it is merged"));
        }
        if has_begun && (task.role, &task.depends_on) != (edited.role, &edited.depends_on) {
            return Err(format!(
                "{slug} has begun: its role and what it depends on stay as they are"
            ));
        }
        let mut plan = Plan::clone(&self.plan);
        if let Some(task) = plan.tasks.get_mut(place) {
            task.clone_from(edited);
        }
        match graph(&plan, self.is_repository) {
            Some(graph) => Ok((plan, graph)),
            None => Err(format!(
                "{slug} would wait for itself, or for what there is not"
            )),
        }
    }

    fn edit(&mut self, edited: &Task) {
        let Ok((plan, graph)) = self.changed(edited) else {
            return;
        };
        (self.plan, self.graph) = (Arc::new(plan), graph);
        let place = self.position(&edited.slug);
        if let Some(state) = place.and_then(|place| self.tasks.get_mut(place)) {
            state.edited(edited);
        }
    }

    /// There is something to be done again.
    fn go_on(&mut self) {
        if matches!(self.phase, Phase::Over | Phase::Aborted) {
            self.phase = Phase::Running;
        }
    }
}

fn graph(plan: &Plan, is_repository: bool) -> Option<Graph> {
    let graph = Graph::new(plan)?;
    Some(if is_repository {
        graph
    } else {
        graph.in_one_folder()
    })
}
