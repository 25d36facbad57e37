//! Running the criteria: on what a worker left, and on the merged tree.

use std::path::Path;

use super::job::Job;
use crate::error::Failure;
use crate::git::Repository;
use crate::mission::journal::Step;
use crate::mission::plan::{Criterion, Task};
use crate::mission::receipt::{Receipt, Tree};
use crate::mission::verify::{self, Run};
use crate::mission::{guard, worktree};

/// How much of a failed run's output stands in the journal, in characters.
const EXCERPT: usize = 300;

impl Job {
    /// Runs the criteria of the task in its worker's folder.
    pub async fn check(&self) -> Result<(), Failure> {
        let worker = self.site.names.worker(&self.task.slug);
        // nobody tells it to go on while its work is looked at
        let _ = self.site.workers.hold(&worker).await;
        let folder = self.folder();
        guard::recover(&folder, &self.task.slug)
            .await
            .map_err(Failure::from)?;
        let mut wrong = self.read_only().await?;
        if wrong.is_empty() {
            self.commit().await?;
            wrong = self.criteria(&folder).await?;
        }
        self.note(Step::Checked { failed: wrong }).await;
        Ok(())
    }

    /// Commits what the worker left, where it may not do so itself.
    async fn commit(&self) -> Result<(), Failure> {
        if let Some(repository) = &self.site.repository
            && !self.plan.may_commit
            && self.task.role.writes()
        {
            let message = format!("{}: {}", self.task.slug, self.task.title);
            let folder = self.folder();
            let committed = worktree::commit_all(repository, &folder, &message);
            committed.await.map_err(Failure::from)?;
        }
        Ok(())
    }

    /// What a worker changed that was only to read.
    async fn read_only(&self) -> Result<Vec<String>, Failure> {
        let Some(repository) = &self.site.repository else {
            return Ok(Vec::new());
        };
        if self.task.role.writes() {
            return Ok(Vec::new());
        }
        let files = worktree::unsaved(repository, &self.folder())
            .await
            .map_err(Failure::from)?;
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let role = self.task.role.as_str();
        Ok(vec![format!(
            "as {role} it changes no files, but changed {}",
            files.join(", ")
        )])
    }

    /// Every command, and the reviews where all of them pass. What is not as it should be, in words.
    async fn criteria(&self, folder: &Path) -> Result<Vec<String>, Failure> {
        let criteria = &self.task.exit_criteria;
        if criteria.is_empty() && self.state.report.is_none() {
            return Ok(vec!["it has no exit criteria, and reported nothing".into()]);
        }
        let mut wrong = Vec::new();
        for (place, criterion) in criteria.iter().enumerate() {
            if criterion.run.is_some() {
                let receipt = self.run_here(folder, place, criterion).await?;
                wrong.extend(in_words(&receipt));
                self.keep(receipt).await;
            }
        }
        for (place, criterion) in criteria.iter().enumerate() {
            if let Some(what) = criterion.review.as_ref().filter(|_| wrong.is_empty()) {
                let receipt = self.review(folder, place, what).await;
                wrong.extend(in_words(&receipt));
                self.keep(receipt).await;
            }
        }
        Ok(wrong)
    }

    /// Runs a criterion on the worker's tree, with the judges as the base has them.
    async fn run_here(
        &self,
        folder: &Path,
        place: usize,
        criterion: &Criterion,
    ) -> Result<Receipt, Failure> {
        let slug = &self.task.slug;
        let Some(repository) = &self.site.repository else {
            let run = self.run_one(&self.task, Tree::Work, folder, place, None);
            return Ok(run.await);
        };
        let base = worktree::base_of(&self.site.names, repository, slug).await?;
        let commit = repository.commit_of(&self.site.names.branch(slug)).await;
        let run = self.run_one(&self.task, Tree::Work, folder, place, commit.ok().flatten());
        self.judged(repository, folder, &base, criterion, run).await
    }

    /// Runs a criterion while the files that judge by it are as `base` has them, but for those that this task may
    /// write.
    async fn judged(
        &self,
        repository: &Repository,
        folder: &Path,
        base: &str,
        criterion: &Criterion,
        run: impl Future<Output = Receipt>,
    ) -> Result<Receipt, Failure> {
        let changed = guard::guarded(repository, folder, base, &self.task, criterion).await?;
        let undone = guard::put_back(repository, folder, base, &self.task.slug, &changed).await?;
        let mut receipt = run.await;
        receipt.undone = undone.paths().to_vec();
        undone.restore().await?;
        Ok(receipt)
    }

    async fn run_one(
        &self,
        task: &Task,
        on: Tree,
        folder: &Path,
        place: usize,
        commit: Option<String>,
    ) -> Receipt {
        let empty = Criterion::default();
        let run = Run {
            task: &task.slug,
            attempt: self.state.attempt,
            on,
            place,
            criterion: task.exit_criteria.get(place).unwrap_or(&empty),
            folder,
            commit,
            undone: Vec::new(),
        };
        verify::run(run).await
    }

    /// Runs the criteria of the task, and of all that were merged before it, on the merged tree.
    pub async fn prove(&self) -> Result<(), Failure> {
        let folder = self.site.names.integration_folder();
        let mut wrong = Vec::new();
        let mut seen: Vec<&Criterion> = Vec::new();
        let others = self.merged.iter().filter(|&&place| place != self.place);
        let others = others.filter_map(|&place| self.plan.tasks.get(place));
        for task in std::iter::once(&self.task).chain(others) {
            for (place, criterion) in task.exit_criteria.iter().enumerate() {
                if criterion.run.is_none() || seen.contains(&criterion) {
                    continue;
                }
                let commit = self.state.merged.clone();
                let run = self.run_one(task, Tree::Merged, &folder, place, commit);
                let receipt = match (&self.site.repository, &self.state.before) {
                    // what this merge did to the judges does not judge it
                    (Some(repository), Some(before)) => {
                        self.judged(repository, &folder, before, criterion, run)
                            .await?
                    }
                    _ => run.await,
                };
                wrong.extend(in_words(&receipt));
                self.keep(receipt).await;
                seen.push(criterion);
            }
        }
        self.note(Step::Proven { failed: wrong }).await;
        Ok(())
    }

    async fn keep(&self, receipt: Receipt) {
        // whoever would keep it is gone: so is this job, in a moment
        let _ = self.receipts.send(receipt).await;
    }
}

/// What is wrong by a receipt, in a line.
fn in_words(receipt: &Receipt) -> Option<String> {
    if receipt.passed() {
        return None;
    }
    let last = receipt
        .tail
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty());
    let end: String = last.unwrap_or_default().chars().take(EXCERPT).collect();
    Some(format!(
        "`{}`: {} ({})",
        receipt.what,
        receipt.outcome,
        end.trim()
    ))
}
