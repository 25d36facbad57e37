//! Judges that the judged have changed: files that an exit criterion names or runs, kept as the base has them.
//!
//! A worker that weakens the test that it is measured by would pass. [`guarded`] tells which files judge and
//! were changed though the task may not write them; [`put_back`] puts the base's versions in their place while
//! the check runs, and [`Undone::restore`] puts the worker's back, as does [`recover`] after a crash.
//!
//! What is not caught: a change of what the task may write (a test among its own paths), of a program outside
//! the repository, of what a guarded file reads in turn (a data file, a helper in another folder), and code
//! that behaves otherwise when it is tested. A reviewer is there for that.

#![expect(clippy::unused_async, reason = "the bodies follow")]

use std::path::Path;

use super::plan::{Criterion, Task};
use super::worktree::{WorktreeError, todo};
use crate::git::Repository;
use crate::ids::TaskId;

/// A file that judges a task, that it may not write, and that is not as the base has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guarded {
    /// Its path from the root.
    pub path: String,
    /// What was done to it.
    pub how: Change,
}

/// What was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It has another content, or is of another kind.
    Changed,
    /// It is gone.
    Removed,
    /// The base has no such file.
    Added,
}

/// The files that judge by `criterion` and are not, in `folder`, as `base` (a commit) has them, without those
/// that `task` may write; sorted by path.
///
/// `folder` is a worktree of the mission: the task's, or the one where results are merged.
pub async fn guarded(
    repository: &Repository,
    folder: &Path,
    base: &str,
    task: &Task,
    criterion: &Criterion,
) -> Result<Vec<Guarded>, WorktreeError> {
    Err(todo(folder, (repository, base, task, criterion)))
}

/// Puts the base's version of each file in place, and removes what was added, until [`Undone::restore`]. What
/// stood there is moved into the control folder of the task in `folder` first, with a list of it.
pub async fn put_back(
    repository: &Repository,
    folder: &Path,
    base: &str,
    task: &TaskId,
    files: &[Guarded],
) -> Result<Undone, WorktreeError> {
    Err(todo(folder, (repository, base, task, files)))
}

/// Puts back what a killed process had moved away in `folder` for a check. Whether there was anything.
pub async fn recover(folder: &Path, task: &TaskId) -> Result<bool, WorktreeError> {
    Err(todo(folder, task))
}

/// Files that are as the base has them while a check runs.
#[derive(Debug)]
#[must_use = "the worker's files come back by `restore`"]
pub struct Undone {
    paths: Vec<String>,
}

impl Undone {
    /// Their paths, sorted.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Puts the worker's versions back.
    pub async fn restore(self) -> Result<(), WorktreeError> {
        Ok(())
    }
}
