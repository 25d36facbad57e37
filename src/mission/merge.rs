//! Results brought together: a task's branch into the mission's integration branch, that into the base branch.
//!
//! A merge is worked out beside every working folder, and becomes real in one step: the branch moves from the
//! commit that was seen to the merged one, or not at all. Hence a conflict leaves nothing behind, and a process
//! that is killed leaves a merge that is there or one that is not. No merge driver of the repository's runs:
//! where one is asked for and both sides changed the file, that is a conflict.
//!
//! It never pushes or fetches, and touches the base branch in [`finish`] alone. The coordinator calls it.

mod base;

use super::names::Names;
use super::plan::Task;
use super::worktree::{self, WorktreeError, branch_tip, no_links, ours, unsaved};
use crate::git::{Merged, Repository};
use crate::ids::TaskId;

pub use base::{Finish, Finished, finish};

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
        /// Those of them that are in the merge as they were before it, because work is judged by them.
        left_out: Vec<String>,
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

/// Merges a task's branch into the integration branch by a merge commit, and checks that out in the integration
/// worktree, where changes of tracked files are thrown away (nobody works there; criteria may leave such).
///
/// `judges` are files by which work is judged and which the task may not write: whatever its branch did to them,
/// the merge has them as the integration branch has them, so that what is merged is what was checked.
///
/// What an earlier call left half done is put right first.
///
/// # Errors
/// There is no integration worktree, or no such branch; the branch has a history of its own; the task's worktree
/// has another branch checked out.
pub async fn merge(
    names: &Names,
    repository: &Repository,
    task: &Task,
    message: &str,
    judges: &[String],
) -> Result<Merge, WorktreeError> {
    let _alone = repository.alone().await;
    let (place, before) = settled(names, repository).await?;
    let (folder, branch) = (names.folder(&task.slug), names.branch(&task.slug));
    no_links(names.root(), &folder)?;
    if ours(repository, &folder, &branch).await?.is_some() {
        let files = unsaved(repository, &folder).await?;
        if !files.is_empty() {
            return Ok(Merge::Unsaved { files });
        }
    }
    let tip = branch_tip(repository, &branch).await?;
    if repository.is_ancestor(&tip, &before).await? {
        return Ok(Merge::NothingToMerge { commit: before });
    }
    let base = worktree::base_of(names, repository, &task.slug).await?;
    let changed = repository.changed_between(&base, &tip).await?;
    let tree = match place.merge_tree(&before, &tip).await? {
        Merged::Conflict(files) => return Ok(Merge::Conflict { files }),
        Merged::Tree(tree) => tree,
    };
    let (outside, rest): (Vec<String>, Vec<String>) =
        changed.into_iter().partition(|path| !task.may_write(path));
    let is_judge = |path: &&String| judges.contains(path);
    let left_out: Vec<String> = outside.iter().filter(is_judge).cloned().collect();
    let tree = if left_out.is_empty() {
        tree
    } else {
        if rest.is_empty() && left_out.len() == outside.len() {
            // nothing of it is to be merged
            return Ok(Merge::NothingToMerge { commit: before });
        }
        place.tree_with(&tree, &before, &left_out).await?
    };
    let parents = [before.as_str(), tip.as_str()];
    let commit = place.commit_tree(&tree, &parents, message).await?;
    let results = names.integration_branch();
    repository.move_branch(&results, &before, &commit).await?;
    place.reset().await?;
    Ok(Merge::Merged {
        commit,
        before,
        outside,
        left_out,
    })
}

/// Sets the integration branch and its worktree back to the commit `to`, as [`Merge::Merged`] tells it. Where it
/// is there already, nothing is done.
///
/// # Errors
/// Also when `to` is no commit of the integration branch.
pub async fn take_back(
    names: &Names,
    repository: &Repository,
    to: &str,
) -> Result<(), WorktreeError> {
    let _alone = repository.alone().await;
    let (place, tip) = settled(names, repository).await?;
    let branch = names.integration_branch();
    if !repository.is_ancestor(to, &tip).await? {
        return Err(WorktreeError::OtherBranch {
            branch,
            why: format!("it has no commit {} to go back to", to.escape_debug()),
        });
    }
    if tip != to {
        repository.move_branch(&branch, &tip, to).await?;
        place.reset().await?;
    }
    Ok(())
}

/// A merge that is in the integration branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedAs {
    /// The merge.
    pub commit: String,
    /// The commit before.
    pub before: String,
}

/// The merge by which the tip of a task's branch came into the integration branch; `None` where it is not in it
/// by a merge of its own.
///
/// # Errors
/// There is no such branch, or no integration branch.
pub async fn merged_as(
    names: &Names,
    repository: &Repository,
    task: &TaskId,
) -> Result<Option<MergedAs>, WorktreeError> {
    let tip = branch_tip(repository, &names.branch(task)).await?;
    let results = branch_tip(repository, &names.integration_branch()).await?;
    let merges = repository.merges_of(&results).await?;
    let found = merges.iter().find_map(|merge| match merge.as_slice() {
        [commit, before, second] if *second == tip => Some(MergedAs {
            commit: commit.clone(),
            before: before.clone(),
        }),
        _ => None,
    });
    Ok(found)
}

/// Brings the integration worktree to the tip of its branch: what a killed process left half done there
/// (an index lock, a merge, files half checked out) is put right. The tip.
///
/// # Errors
/// There is no integration worktree, or git does not do it.
pub async fn settle(names: &Names, repository: &Repository) -> Result<String, WorktreeError> {
    let _alone = repository.alone().await;
    Ok(settled(names, repository).await?.1)
}

async fn settled(
    names: &Names,
    repository: &Repository,
) -> Result<(Repository, String), WorktreeError> {
    let (folder, branch) = (names.integration_folder(), names.integration_branch());
    no_links(names.root(), &folder)?;
    let Some(place) = ours(repository, &folder, &branch).await? else {
        return Err(WorktreeError::NotOurs {
            folder,
            why: "there is none yet".into(),
        });
    };
    place.clear_locks(&branch)?;
    place.reset().await?;
    let tip = branch_tip(repository, &branch).await?;
    Ok((place, tip))
}

#[cfg(test)]
mod tests;
