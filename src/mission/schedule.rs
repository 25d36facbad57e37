//! Which tasks may start now, and why another may not.
//!
//! Nothing about readiness is stored: it is worked out anew from the plan and from what has become of each task.
//! A task starts when everything that it depends on is done, nobody who runs may write the same files, and there
//! is a place among the workers. [`Graph::why`] answers from the same reasoning that [`Graph::starts`] follows.

mod cycle;
mod words;
mod writers;

use serde::{Deserialize, Serialize};

use super::plan::{Plan, TaskPath};

pub use cycle::cycle;
pub use words::in_words;
use writers::{Folders, Writers};

/// What has become of a task.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Nothing yet.
    #[default]
    Waiting,
    /// A worker is at it.
    Running,
    /// Its criteria are being run, or its branch merged.
    Checking,
    /// It names something that it cannot go on without.
    Blocked,
    /// The person stopped it, and may continue it.
    Stopped,
    /// Verified, and merged where there is something to merge.
    Done,
    /// Its attempts are used up.
    Failed,
    /// The person gave it up.
    Dropped,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Running,
        Self::Checking,
        Self::Blocked,
        Self::Stopped,
        Self::Done,
        Self::Failed,
        Self::Dropped,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Checking => "checking",
            Self::Blocked => "blocked",
            Self::Stopped => "stopped",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// Whether it has a worker's place.
    pub const fn is_at_work(self) -> bool {
        matches!(self, Self::Running | Self::Checking)
    }

    /// Whether files of its own may be half written in a place that others share.
    const fn holds_its_paths(self) -> bool {
        matches!(
            self,
            Self::Running | Self::Checking | Self::Blocked | Self::Stopped
        )
    }

    /// Whether what depends on it can never start.
    const fn is_lost(self) -> bool {
        matches!(self, Self::Failed | Self::Dropped)
    }
}

/// Under what the schedule stands at one moment, beside the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How many workers may run at once: the plan's bound, or what the accounts' limits leave of it.
    pub places: usize,
    /// Whether nothing new starts.
    pub paused: bool,
}

/// Why a task is where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It starts now.
    Starts,
    /// It has been started: it is at this stage.
    Is(Stage),
    /// It waits for these.
    WaitsFor(Vec<usize>),
    /// It never starts: this task, on which it depends, has failed, was dropped, or never starts either.
    Skipped(usize),
    /// This task may write the same files.
    SamePaths(usize),
    /// All workers' places are taken.
    NoPlace,
    /// The mission is paused.
    Paused,
}

/// The tasks of a plan by their place in it, with what they depend on and what they write.
#[derive(Debug, Clone)]
pub struct Graph {
    depends_on: Vec<Vec<usize>>,
    /// What each may write; `None`: nothing. An empty list: anything.
    writes: Vec<Option<Vec<TaskPath>>>,
    folders: Folders,
    /// An order in which each comes after what it depends on.
    order: Vec<usize>,
}

impl Graph {
    /// The graph of a plan; `None` where a task depends on one that there is not, or tasks wait for each other.
    pub fn new(plan: &Plan) -> Option<Self> {
        let places = cycle::places(plan);
        let depends_on = plan
            .tasks
            .iter()
            .map(|task| {
                let needed = task.depends_on.iter();
                needed.map(|slug| places.get(slug).copied()).collect()
            })
            .collect::<Option<Vec<Vec<usize>>>>()?;
        let writes: Vec<_> = plan
            .tasks
            .iter()
            .map(|task| task.role.writes().then(|| task.paths.clone()))
            .collect();
        let folders = Folders::of(&writes);
        let order = cycle::order(&depends_on)?;
        Some(Self {
            depends_on,
            writes,
            folders,
            order,
        })
    }

    /// The same for a folder that is no repository: whoever writes writes into the one place that there is.
    #[must_use]
    pub fn in_one_folder(mut self) -> Self {
        for writes in self.writes.iter_mut().flatten() {
            writes.clear();
        }
        self.folders = Folders::of(&self.writes);
        self
    }

    /// How many tasks there are.
    pub const fn len(&self) -> usize {
        self.depends_on.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.depends_on.is_empty()
    }

    /// What a task depends on.
    pub fn needs(&self, task: usize) -> &[usize] {
        self.depends_on.get(task).map_or(&[], Vec::as_slice)
    }

    /// The tasks in waves: each comes in the first wave in which all that it depends on has come before.
    pub fn waves(&self) -> Vec<Vec<usize>> {
        let mut depth = vec![0; self.len()];
        let mut waves: Vec<Vec<usize>> = Vec::new();
        for &task in &self.order {
            let needed = self
                .needs(task)
                .iter()
                .filter_map(|&needed| depth.get(needed));
            let wave = needed.map(|wave| wave + 1).max().unwrap_or(0);
            if let Some(own) = depth.get_mut(task) {
                *own = wave;
            }
            if waves.len() <= wave {
                waves.resize_with(wave + 1, Vec::new);
            }
            if let Some(wave) = waves.get_mut(wave) {
                wave.push(task);
            }
        }
        for wave in &mut waves {
            wave.sort_unstable();
        }
        waves
    }

    /// The tasks that start now, in the order of the plan.
    ///
    /// `stages` has the stage of each task; one that it has not is waiting.
    pub fn starts(&self, stages: &[Stage], terms: Terms) -> Vec<usize> {
        self.decide(stages, terms)
            .into_iter()
            .enumerate()
            .filter_map(|(task, why)| (why == Why::Starts).then_some(task))
            .collect()
    }

    /// The tasks that never start, in the order of the plan.
    pub fn skipped(&self, stages: &[Stage]) -> Vec<usize> {
        let lost = self.lost(stages);
        (0..self.len())
            .filter(|&task| {
                stage(stages, task) == Stage::Waiting && lost.get(task).copied().flatten().is_some()
            })
            .collect()
    }

    /// Why a task is where it is; `None` where there is no such task.
    pub fn why(&self, task: usize, stages: &[Stage], terms: Terms) -> Option<Why> {
        self.decide(stages, terms).into_iter().nth(task)
    }

    /// For each task the one because of which it never starts, where there is one.
    fn lost(&self, stages: &[Stage]) -> Vec<Option<usize>> {
        let mut lost: Vec<Option<usize>> = vec![None; self.len()];
        for &task in &self.order {
            let because = self.needs(task).iter().copied().find(|&needed| {
                let of_its_own = stage(stages, needed).is_lost();
                let skipped = stage(stages, needed) == Stage::Waiting
                    && lost.get(needed).copied().flatten().is_some();
                of_its_own || skipped
            });
            if let Some(own) = lost.get_mut(task) {
                *own = because;
            }
        }
        lost
    }

    fn decide(&self, stages: &[Stage], terms: Terms) -> Vec<Why> {
        let lost = self.lost(stages);
        let at_work = (0..self.len()).filter(|&task| stage(stages, task).is_at_work());
        let mut places = terms.places.saturating_sub(at_work.count());
        let mut writers = Writers::new(&self.folders);
        for task in (0..self.len()).filter(|&task| stage(stages, task).holds_its_paths()) {
            writers.add(task);
        }
        let mut all = Vec::with_capacity(self.len());
        for task in 0..self.len() {
            let why = self.decide_one(task, stages, terms, &lost, &writers, places);
            if why == Why::Starts {
                places -= 1;
                writers.add(task);
            }
            all.push(why);
        }
        all
    }

    fn decide_one(
        &self,
        task: usize,
        stages: &[Stage],
        terms: Terms,
        lost: &[Option<usize>],
        writers: &Writers<'_>,
        places: usize,
    ) -> Why {
        match stage(stages, task) {
            Stage::Waiting => {}
            other => return Why::Is(other),
        }
        if let Some(because) = lost.get(task).copied().flatten() {
            return Why::Skipped(because);
        }
        let missing: Vec<usize> = self
            .needs(task)
            .iter()
            .copied()
            .filter(|&needed| stage(stages, needed) != Stage::Done)
            .collect();
        if !missing.is_empty() {
            return Why::WaitsFor(missing);
        }
        if terms.paused {
            return Why::Paused;
        }
        if let Some(other) = writers.first(task, |other| self.may_meet(task, other)) {
            return Why::SamePaths(other);
        }
        if places == 0 {
            return Why::NoPlace;
        }
        Why::Starts
    }

    /// Whether two tasks may write the same file.
    fn may_meet(&self, a: usize, b: usize) -> bool {
        let writes = |task: usize| self.writes.get(task).and_then(Option::as_ref);
        let (Some(a), Some(b)) = (writes(a), writes(b)) else {
            return false;
        };
        a.is_empty() || b.is_empty() || a.iter().any(|a| b.iter().any(|b| a.may_meet(b)))
    }

    /// The pairs of tasks that nothing but their paths keeps from running at once.
    pub fn overlapping(&self) -> Vec<(usize, usize)> {
        let before = self.all_needed();
        let mut pairs = Vec::new();
        for (later, needed) in before.iter().enumerate() {
            for earlier in 0..later {
                let ordered = needed.contains(earlier)
                    || before
                        .get(earlier)
                        .is_some_and(|needed| needed.contains(later));
                if !ordered && self.may_meet(earlier, later) {
                    pairs.push((earlier, later));
                }
            }
        }
        pairs
    }

    /// For each task, all that it depends on, directly or through others.
    fn all_needed(&self) -> Vec<Set> {
        let mut all = vec![Set::new(self.len()); self.len()];
        for &task in &self.order {
            let mut needed = Set::new(self.len());
            for &direct in self.needs(task) {
                needed.add(direct);
                if let Some(further) = all.get(direct) {
                    needed.add_all(further);
                }
            }
            if let Some(own) = all.get_mut(task) {
                *own = needed;
            }
        }
        all
    }
}

fn stage(stages: &[Stage], task: usize) -> Stage {
    stages.get(task).copied().unwrap_or_default()
}

/// A set of tasks, by their places.
#[derive(Debug, Clone)]
struct Set(Vec<u64>);

impl Set {
    fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    fn add(&mut self, task: usize) {
        if let Some(word) = self.0.get_mut(task / 64) {
            *word |= 1 << (task % 64);
        }
    }

    fn add_all(&mut self, others: &Self) {
        for (word, other) in self.0.iter_mut().zip(&others.0) {
            *word |= other;
        }
    }

    fn contains(&self, task: usize) -> bool {
        self.0
            .get(task / 64)
            .is_some_and(|word| word & (1 << (task % 64)) != 0)
    }
}

#[cfg(test)]
mod tests;
