//! What the records say of one task, counted.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Account;
use crate::ids::TaskId;
use crate::mission::journal::{Claimed, Step, What};
use crate::mission::receipt::{Outcome, Receipt, Tree};
use crate::mission::schedule::Stage;
use crate::mission::view::{MissionView, TaskView};

/// What happened to a task.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    /// How often it was reported done, or it came to rest, and a criterion failed then.
    pub(super) refused: usize,
    /// Files in which it could not be merged.
    pub(super) conflicts: BTreeSet<&'a str>,
    /// How often it could not be merged.
    pub(super) conflicted: usize,
    /// How often its merge was taken back.
    pub(super) taken_back: usize,
    /// How often not everything was committed.
    pub(super) unsaved: usize,
    /// Its time was over.
    pub(super) overtime: bool,
    /// What it could not go on without, in its words.
    pub(super) blocked: Vec<&'a str>,
    /// Why its worker was gone.
    pub(super) lost: Vec<&'a str>,
    /// What went wrong that was nobody's work.
    pub(super) trouble: Vec<&'a str>,
    /// Files that were put back because they judge.
    pub(super) undone: BTreeSet<&'a str>,
    /// The receipts of what failed on what a worker left or on the merged tree.
    pub(super) failed: Vec<&'a Receipt>,
    /// Commands that passed before any work.
    pub(super) says_nothing: BTreeSet<&'a str>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(account: &Account<'a>, slug: &TaskId) -> Self {
        let mut facts = Self::default();
        let mut is_reported = false;
        for entry in account.journal {
            let What::Task { task, step } = &entry.what else {
                continue;
            };
            if task == slug {
                facts.take(step, &mut is_reported);
            }
        }
        for receipt in account.receipts.iter().filter(|one| one.task == *slug) {
            facts
                .undone
                .extend(receipt.undone.iter().map(String::as_str));
            match (receipt.on, receipt.passed()) {
                (Tree::Base, true) => {
                    facts.says_nothing.insert(&receipt.what);
                }
                (Tree::Work | Tree::Merged, false) => facts.failed.push(receipt),
                _ => {}
            }
        }
        facts
    }

    fn take(&mut self, step: &'a Step, is_reported: &mut bool) {
        match step {
            Step::Reported { claim, .. } => {
                *is_reported = *claim == Claimed::Done;
                if let Claimed::Blocked(blocker) = claim {
                    self.blocked.push(blocker);
                }
            }
            Step::Checked { failed, .. } if !failed.is_empty() && std::mem::take(is_reported) => {
                self.refused += 1;
            }
            Step::Conflict { files } => {
                self.conflicted += 1;
                self.conflicts.extend(files.iter().map(String::as_str));
            }
            Step::TakenBack => self.taken_back += 1,
            Step::Unsaved { .. } => self.unsaved += 1,
            Step::TimeUp => self.overtime = true,
            Step::Lost { why } => self.lost.push(why),
            Step::UsedUp => self.lost.push("its context was used up"),
            Step::Trouble { why } => self.trouble.push(why),
            _ => {}
        }
    }

    /// The commands that did not end in time.
    pub(super) fn too_slow(&self) -> BTreeSet<&'a str> {
        self.those(|outcome| matches!(outcome, Outcome::TimedOut { .. }))
    }

    /// The commands that could not be run, and the reviews that nobody gave.
    pub(super) fn not_run(&self) -> BTreeSet<&'a str> {
        self.those(|outcome| {
            matches!(
                outcome,
                Outcome::NotRun { .. } | Outcome::NotReviewed { .. }
            )
        })
    }

    fn those(&self, is_one: impl Fn(&Outcome) -> bool) -> BTreeSet<&'a str> {
        let those = self.failed.iter().filter(|one| is_one(&one.outcome));
        those.map(|one| one.what.as_str()).collect()
    }
}

/// The lost task because of which `task` never starts: the nearest.
pub(super) fn skipped_because<'a>(
    view: &'a MissionView,
    task: &'a TaskView,
) -> Option<&'a TaskView> {
    let mut waits = std::collections::VecDeque::from([task]);
    let mut seen = BTreeSet::new();
    while let Some(next) = waits.pop_front() {
        for needed in next.depends_on.iter().filter_map(|slug| view.task(slug)) {
            if matches!(needed.stage, Stage::Failed | Stage::Dropped) {
                return Some(needed);
            }
            if seen.insert(&needed.slug) {
                waits.push_back(needed);
            }
        }
    }
    None
}

/// What has become of a task that is lost.
pub(super) const fn lost(task: &TaskView) -> &'static str {
    match task.stage {
        Stage::Dropped => "was dropped",
        _ => "failed",
    }
}

/// What the workers of all tasks have spent, as far as it is known, and what watching them took.
pub(super) fn spent(view: &MissionView) -> String {
    let mut text = String::new();
    let known = || view.tasks.iter().filter(|task| task.costs.tokens.is_some());
    let sum =
        |of: fn(&TaskView) -> Option<u64>| known().filter_map(of).fold(0, u64::saturating_add);
    let (told, began) = (
        known().count(),
        view.tasks
            .iter()
            .filter(|task| task.started_at.is_some())
            .count(),
    );
    if told > 0 {
        let _ = write!(
            text,
            "- The workers: {} tokens, beside {} read from the cache; {} tool calls",
            sum(|task| task.costs.tokens),
            sum(|task| task.costs.cache_read_tokens),
            sum(|task| task.costs.tool_uses)
        );
        if told < began {
            let _ = write!(
                text,
                " (of {told} of {began} tasks; the others are not known)"
            );
        }
        text.push('\n');
    } else if began > 0 {
        text.push_str("- The workers: their tokens are not known, for they keep no transcript that can be read\n");
    }
    let mut watched = view
        .tasks
        .iter()
        .filter_map(|task| task.costs.watch_tokens)
        .peekable();
    if watched.peek().is_some() {
        let tokens = watched.fold(0, u64::saturating_add);
        let _ = writeln!(text, "- Watching them: {tokens} tokens today (UTC)");
    }
    text
}

/// What the workers of one task have spent, as the rest of a sentence; empty where it is not known.
pub(super) fn spent_on(task: &TaskView) -> String {
    let tokens = task.costs.tokens.map(|tokens| format!(", {tokens} tokens"));
    let calls = task
        .costs
        .tool_uses
        .map(|calls| format!(", {calls} tool calls"));
    format!(
        "{}{}",
        tokens.unwrap_or_default(),
        calls.unwrap_or_default()
    )
}
