//! Results brought together: a task's branch into the mission's integration branch, that into the base branch.
//!
//! A merge is worked out beside every working folder, and becomes real in one step: the branch moves from the
//! commit that was seen to the merged one, or not at all. Hence a conflict leaves nothing behind, and a process
//! that is killed leaves a merge that is there or one that is not. No merge driver of the repository's runs:
//! where one is asked for and both sides changed the file, that is a conflict.
//!
//! It never pushes or fetches, and touches the base branch in [`finish`] alone. The coordinator calls it.

#![expect(clippy::unused_async, reason = "the bodies follow")]

use std::path::PathBuf;

use super::names::Names;
use super::plan::Task;
use super::worktree::{WorktreeError, todo};
use crate::git::Repository;
use crate::ids::TaskId;

/// What became of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// It is merged, and checked out in the integration worktree.
    Merged {
        /// The merge.
        commit: String,
        /// The commit of the integration branch before: what [`take_back`] goes back to.
        before: String,
        /// The files that were changed although the task may not write them.
        outside: Vec<String>,
    },
    /// The branch has nothing that the integration branch has not: no work, or merged before.
    NothingToMerge {
        /// The commit of the integration branch, checked out in its worktree.
        commit: String,
    },
    /// Both changed the same; nothing is merged.
    Conflict {
        /// These files, by their paths from the root.
        files: Vec<String>,
    },
    /// Nothing is merged: these files of the task's worktree are not committed.
    Unsaved {
        /// Their paths, from the worktree's root.
        files: Vec<String>,
    },
}

/// How the base branch takes the mission's results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// As they are where it has not moved on since; else by a merge.
    FastForward,
    /// Always by a merge commit.
    Merge,
}

/// What became of [`finish`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// The base branch has the results now.
    Done {
        /// Its commit.
        commit: String,
        /// Where it is checked out and was brought up to date.
        folder: Option<PathBuf>,
    },
    /// It had them before.
    Already {
        /// Its commit.
        commit: String,
    },
    /// Nothing was done: base and results changed the same.
    Conflict {
        /// These files.
        files: Vec<String>,
    },
    /// Nothing was done: the base branch is checked out in this folder, where files are changed and not
    /// committed, or new ones stand where results would come to stand.
    Unsaved {
        /// The folder.
        folder: PathBuf,
        /// The files, from the folder.
        files: Vec<String>,
    },
}

/// Merges a task's branch into the integration branch by a merge commit, and checks that out in the integration
/// worktree, where changes of tracked files are thrown away (nobody works there; criteria may leave such).
///
/// What an earlier call left half done is put right first.
pub async fn merge(
    names: &Names,
    repository: &Repository,
    task: &Task,
    message: &str,
) -> Result<Merge, WorktreeError> {
    Err(todo(names.root(), (repository, task, message)))
}

/// Sets the integration branch and its worktree back to the commit `to`, as [`Merge::Merged`] tells it.
///
/// # Errors
/// Also when `to` is no commit of the integration branch.
pub async fn take_back(
    names: &Names,
    repository: &Repository,
    to: &str,
) -> Result<(), WorktreeError> {
    Err(todo(names.root(), (repository, to)))
}

/// The merge commit by which the tip of a task's branch came into the integration branch; `None` where it is not
/// in it, or is nothing but a commit that the branch began from.
pub async fn merged_as(
    names: &Names,
    repository: &Repository,
    task: &TaskId,
) -> Result<Option<MergedAs>, WorktreeError> {
    Err(todo(names.root(), (repository, task)))
}

/// A merge that is in the integration branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedAs {
    /// The merge.
    pub commit: String,
    /// The commit before.
    pub before: String,
}

/// Brings the integration worktree to the tip of its branch: what a killed process left half done there
/// (an index lock, a merge, files half checked out) is put right. The tip.
pub async fn settle(names: &Names, repository: &Repository) -> Result<String, WorktreeError> {
    Err(todo(names.root(), repository))
}

/// The base branch takes the results, on the person's word.
///
/// Where it is checked out, its files are brought up to date; new files of the person's that nothing would
/// come to stand on stay, and with any other unsaved work nothing is done at all. What a killed call left half
/// done is gone on with.
pub async fn finish(
    names: &Names,
    repository: &Repository,
    base: &str,
    how: Finish,
) -> Result<Finished, WorktreeError> {
    Err(todo(names.root(), (repository, base, how)))
}
