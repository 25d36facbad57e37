//! The folders and branches in which tasks are worked on.
//!
//! Each task of a mission in a repository has a worktree of its own at `.worktrees/MISSION/TASK`, on the branch
//! `mo/MISSION/TASK`; results are merged in one that no worker has. Everything is found again by its name, so
//! that every function here may be called again after a crash. What stands in the place of a worktree and is
//! none of ours is never touched, and no link is followed.
//!
//! It never removes work that is not committed, and no branch that is not merged unless it is told to. The
//! coordinator calls it. Changes to one repository are made one after another, in this process by a lock.

#![expect(clippy::unused_async, reason = "the bodies follow")]

use std::path::{Path, PathBuf};

use super::names::Names;
use crate::error::{Failure, Kind};
use crate::git::{GitError, Repository};
use crate::ids::TaskId;
use crate::store::StoreError;

/// A worktree that is there, on its branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Its folder.
    pub folder: PathBuf,
    /// Its branch, without `refs/heads/`.
    pub branch: String,
    /// The commit that it began from: the newest of the mission's results that it has in it.
    pub begun_from: String,
    /// Whether the branch was there already, with what was done on it.
    pub was_there: bool,
}

/// What is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remove {
    /// Only what has been merged.
    IfMerged,
    /// What has not been merged, too.
    Force,
}

/// What became of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// Worktree and branch are gone.
    Removed,
    /// There was neither.
    WasGone,
    /// Nothing was removed: these files are not committed.
    Unsaved {
        /// Their paths, from the worktree's root.
        files: Vec<String>,
    },
    /// Nothing was removed: the branch has commits that are not merged.
    Unmerged {
        /// How many.
        commits: usize,
    },
}

/// Why a worktree is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    /// Git did not do it.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something else stands in its place.
    #[error("`{}` is no worktree of this mission: {why}", folder.display())]
    NotOurs {
        /// The place.
        folder: PathBuf,
        /// What stands there.
        why: String,
    },
    /// A link stands where a folder should.
    #[error("`{}` is a link, which is not followed", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// There is no such branch or commit.
    #[error("the repository has no branch or commit `{name}`")]
    NoCommit {
        /// As it was asked for.
        name: String,
    },
    /// The branch is there, and is none that the task could go on from.
    #[error("the branch `{branch}` is there already: {why}")]
    OtherBranch {
        /// The branch.
        branch: String,
        /// What is wrong with it.
        why: String,
    },
}

impl From<WorktreeError> for Failure {
    fn from(error: WorktreeError) -> Self {
        Self::from(&error)
    }
}

impl From<&WorktreeError> for Failure {
    fn from(error: &WorktreeError) -> Self {
        let hint = match error {
            WorktreeError::Git(error) => return Self::from(error),
            WorktreeError::Store(error) => return Self::from(error),
            WorktreeError::NotOurs { .. } => {
                "move what is there to another place, or give the mission another name"
            }
            WorktreeError::Link { .. } => "see who put it there, and remove it",
            WorktreeError::NoCommit { .. } => "see `git branch --all`, and name one of these",
            WorktreeError::OtherBranch { .. } => {
                "rename or delete the branch, or give the mission another name"
            }
        };
        Self::from_error(Kind::Failed, error).hint(hint)
    }
}

/// Makes the worktree of a task on its branch, begun from `from` (a branch or a commit), or finds it again.
///
/// A branch that is there already, with or without its worktree, is gone on with where its history has
/// something of the mission's results in it: it is the task's own from before a crash, or from an earlier run of
/// the mission under the same name.
///
/// # Errors
/// Something else stands in its place; a link leads there; the branch has a history of its own.
pub async fn prepare(
    names: &Names,
    repository: &Repository,
    task: &TaskId,
    from: &str,
) -> Result<Prepared, WorktreeError> {
    Err(todo(names.root(), (repository, task, from)))
}

/// Makes the worktree in which results are merged, begun from the branch (or commit) `base`, or finds it again.
///
/// # Errors
/// As [`prepare`].
pub async fn integration(
    names: &Names,
    repository: &Repository,
    base: &str,
) -> Result<Prepared, WorktreeError> {
    Err(todo(names.root(), (repository, base)))
}

/// The newest commit of the integration branch that a task's branch has in it: what its work is compared with.
/// It moves on when a worker merges the integration branch into its own.
pub async fn base_of(
    names: &Names,
    repository: &Repository,
    task: &TaskId,
) -> Result<String, WorktreeError> {
    Err(todo(names.root(), (repository, task)))
}

/// The files in a worktree of ours that are changed or new and not committed, except those in the control
/// folder and those that git ignores; at most 1,000.
pub async fn unsaved(repository: &Repository, folder: &Path) -> Result<Vec<String>, WorktreeError> {
    Err(todo(folder, repository))
}

/// Commits everything that is changed or new in a worktree of ours, except the control folder. `None` where
/// there is nothing.
pub async fn commit_all(
    repository: &Repository,
    folder: &Path,
    message: &str,
) -> Result<Option<String>, WorktreeError> {
    Err(todo(folder, (repository, message)))
}

/// Removes a task's worktree and branch, with its control folder and the files that git ignores.
pub async fn remove(
    names: &Names,
    repository: &Repository,
    task: &TaskId,
    how: Remove,
) -> Result<Removed, WorktreeError> {
    Err(todo(names.root(), (repository, task, how)))
}

/// Removes the integration worktree and its branch; merged means here: into the branch `base`.
pub async fn remove_integration(
    names: &Names,
    repository: &Repository,
    base: &str,
    how: Remove,
) -> Result<Removed, WorktreeError> {
    Err(todo(names.root(), (repository, base, how)))
}

pub(super) fn todo<T>(folder: &Path, _: T) -> WorktreeError {
    WorktreeError::NotOurs {
        folder: folder.to_owned(),
        why: "not built yet".into(),
    }
}
