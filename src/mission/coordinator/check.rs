//! Running the criteria: on what a worker left, and on the merged tree.

use std::collections::BTreeSet;
use std::path::Path;

use super::job::Job;
use crate::error::Failure;
use crate::git::Repository;
use crate::mission::journal::Step;
use crate::mission::plan::{Command, Criterion};
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
        guard::recover(&folder, &self.task.slug).await?;
        let mut failed = self.read_only().await?;
        let mut part = Vec::new();
        if failed.is_empty() {
            self.commit().await?;
            let found = self.criteria(&folder).await?;
            part = self.part(&found);
            failed = found.failed;
        }
        self.note(Step::Checked { failed, part }).await;
        Ok(())
    }

    /// Whether what the worker left passes all commands as it stands, while it waits for the person: what it asks
    /// is no longer needed then. Nothing is written down but the receipts, and it costs no attempt.
    pub async fn passes_already(&self) -> Result<bool, Failure> {
        if self.task.commands().next().is_none() {
            return Ok(false);
        }
        let worker = self.site.names.worker(&self.task.slug);
        let _ = self.site.workers.hold(&worker).await;
        let folder = self.folder();
        guard::recover(&folder, &self.task.slug).await?;
        let passes =
            self.read_only().await?.is_empty() && self.commands(&folder).await?.failed.is_empty();
        let _ = self.site.workers.release(&worker).await;
        Ok(passes)
    }

    /// The criteria that a part of the work meets, if that part is to be merged: the time is over, something is
    /// met that was not before any work, and nothing has got worse. A part is not reviewed, hence nothing that is
    /// to be reviewed is merged in part.
    fn part(&self, found: &Found) -> Vec<usize> {
        let met = &found.met;
        let is_new = met.iter().any(|at| !self.passing_before.contains(at));
        let is_no_worse = self.passing_before.iter().all(|at| met.contains(at));
        let is_reviewed = self.task.exit_criteria.iter().any(|one| one.run.is_none());
        if self.state.overtime && !found.failed.is_empty() && is_new && is_no_worse && !is_reviewed
        {
            met.clone()
        } else {
            Vec::new()
        }
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
            committed.await?;
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
        let files = worktree::unsaved(repository, &self.folder()).await?;
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let role = self.task.role.as_str();
        Ok(vec![format!(
            "as {role} it changes no files, but changed {}",
            files.join(", ")
        )])
    }

    /// Every command, and the reviews where all of them pass.
    async fn criteria(&self, folder: &Path) -> Result<Found, Failure> {
        let criteria = &self.task.exit_criteria;
        let mut found = self.commands(folder).await?;
        if criteria.is_empty() && self.state.report.is_none() {
            let why = "it has no exit criteria, and reported nothing";
            found.failed.push(why.to_owned());
        }
        for (place, criterion) in criteria.iter().enumerate() {
            if let Some(what) = criterion
                .review
                .as_ref()
                .filter(|_| found.failed.is_empty())
            {
                let receipt = self.review(folder, place, what).await;
                found.take(&receipt);
                self.keep(receipt).await;
            }
        }
        Ok(found)
    }

    /// Every command.
    async fn commands(&self, folder: &Path) -> Result<Found, Failure> {
        let mut found = Found::default();
        for command in self.task.commands() {
            let receipt = self.run_here(folder, command).await?;
            found.take(&receipt);
            self.keep(receipt).await;
        }
        Ok(found)
    }

    /// Runs a criterion on the worker's tree, with the judges as the base has them.
    async fn run_here(&self, folder: &Path, command: Command<'_>) -> Result<Receipt, Failure> {
        let (slug, attempt) = (&self.task.slug, self.state.attempt);
        let Some(repository) = &self.site.repository else {
            let run = self.run_one(command, attempt, Tree::Work, folder, None);
            return Ok(run.await);
        };
        let base = worktree::base_of(&self.site.names, repository, slug).await?;
        let commit = repository.commit_of(&self.site.names.branch(slug)).await;
        let commit = commit.ok().flatten();
        let run = self.run_one(command, attempt, Tree::Work, folder, commit);
        self.judged(repository, folder, &base, command.criterion, run)
            .await
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
        command: Command<'_>,
        attempt: u32,
        on: Tree,
        folder: &Path,
        commit: Option<String>,
    ) -> Receipt {
        let run = Run {
            task: &command.task.slug,
            attempt,
            on,
            place: command.place,
            criterion: command.criterion,
            folder,
            commit,
            undone: Vec::new(),
        };
        verify::run(run).await
    }

    /// What must pass on the merged tree, and the attempt whose work each proves.
    fn proofs(&self) -> impl Iterator<Item = (Command<'_>, u32)> {
        self.proofs.iter().filter_map(|proof| {
            let task = self.plan.tasks.get(proof.task)?;
            let mut commands = task.commands();
            let command = commands.find(|command| command.place == proof.criterion)?;
            Some((command, proof.attempt))
        })
    }

    /// The files by which the merged tree is judged and that this task changed though it may not write them.
    pub async fn judges(&self, repository: &Repository) -> Result<Vec<String>, Failure> {
        let folder = self.folder();
        let base = worktree::base_of(&self.site.names, repository, &self.task.slug).await?;
        let mut files = BTreeSet::new();
        for (command, _) in self.proofs() {
            let (task, criterion) = (&self.task, command.criterion);
            let changed = guard::guarded(repository, &folder, &base, task, criterion).await?;
            files.extend(changed.into_iter().map(|file| file.path));
        }
        Ok(files.into_iter().collect())
    }

    /// Runs the criteria of the task, and of all that were merged before it, on the merged tree.
    pub async fn prove(&self) -> Result<(), Failure> {
        let folder = self.site.names.integration_folder();
        let mut found = Found::default();
        for (command, attempt) in self.proofs() {
            let commit = self.state.merged.clone();
            let run = self.run_one(command, attempt, Tree::Merged, &folder, commit);
            let receipt = match (&self.site.repository, &self.state.before) {
                // a merge from before a crash may have what the judges of today would keep out
                (Some(repository), Some(before)) => {
                    self.judged(repository, &folder, before, command.criterion, run)
                        .await?
                }
                _ => run.await,
            };
            found.take(&receipt);
            self.keep(receipt).await;
        }
        let failed = found.failed;
        self.note(Step::Proven { failed }).await;
        Ok(())
    }

    async fn keep(&self, receipt: Receipt) {
        // whoever would keep it is gone: so is this job, in a moment
        let _ = self.receipts.send(receipt).await;
    }
}

/// What the criteria came to.
#[derive(Default)]
struct Found {
    /// Those that are met, by their places.
    met: Vec<usize>,
    /// What is not as it should be, in words.
    failed: Vec<String>,
}

impl Found {
    fn take(&mut self, receipt: &Receipt) {
        match in_words(receipt) {
            Some(words) => self.failed.push(words),
            None => self.met.push(receipt.criterion),
        }
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
