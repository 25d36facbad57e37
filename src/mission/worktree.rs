//! The folders and branches in which tasks are worked on.
//!
//! Each task of a mission in a repository has a worktree of its own at `.worktrees/MISSION/TASK`, on the branch
//! `mo/MISSION/TASK`; results are merged in one that no worker has. Everything is found again by its name, so
//! that every function here may be called again after a crash; the root of the names is the repository's as
//! [`Repository::root`] tells it. What stands in the place of a worktree and is none of ours is never touched, and
//! no link is followed.
//!
//! It never removes work that is not committed, and no branch that is not merged unless it is told to. The
//! coordinator calls it. Changes to one repository are made one after another, in this process by a lock.

mod kept_out;

use std::path::{Path, PathBuf};

use super::names::{CONTROL, Names, WORKTREES};
use crate::error::{Failure, Kind};
use crate::git::{GitError, Repository};
use crate::ids::TaskId;
use crate::store::{self, StoreError};
use kept_out::{has_marks, is_control, keep_out_of_git};

pub(super) use kept_out::no_links;

/// How many files a message names.
const MOST_FILES: usize = 1_000;

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
    /// Everything, also what is not committed: only for a worktree in which nobody worked, as one in which
    /// criteria are tried before the work.
    Discard,
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
    /// A merge, a rebase or the like is under way there.
    #[error("in `{}` {what} is under way", folder.display())]
    Underway {
        /// The folder.
        folder: PathBuf,
        /// What.
        what: &'static str,
    },
    /// Conflicts of a merge are in files there as git wrote them.
    #[error("in `{}` a merge has left conflicts in {}", folder.display(), files.join(", "))]
    Unresolved {
        /// The worktree.
        folder: PathBuf,
        /// The files, from its root.
        files: Vec<String>,
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
            WorktreeError::Underway { .. } => "bring it to its end, or abort it",
            WorktreeError::Unresolved { .. } => {
                "resolve them, so that no line with `<<<<<<<` or `>>>>>>>` is left"
            }
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
/// A worktree that is on its branch is gone on with: it is the task's own from before a crash. Where the worktree
/// is gone and the branch is there, the branch is used if its history has `from` in it, and moved on to `from` if
/// it has no commits of its own; any other is another run's work, and an error. Whoever resumes names the commit
/// that the task began from.
///
/// # Errors
/// Something else stands in its place; a link leads there; the branch has a history of its own.
pub async fn prepare(
    names: &Names,
    repository: &Repository,
    task: &TaskId,
    from: &str,
) -> Result<Prepared, WorktreeError> {
    let _alone = repository.alone().await;
    ready(
        names.root(),
        &names.folder(task),
        repository,
        &names.branch(task),
        from,
    )
    .await
}

/// Makes the worktree in which results are merged, begun from the branch (or commit) `base`, or finds it again.
/// What a killed process left half done in it is put right.
///
/// # Errors
/// As [`prepare`].
pub async fn integration(
    names: &Names,
    repository: &Repository,
    base: &str,
) -> Result<Prepared, WorktreeError> {
    let _alone = repository.alone().await;
    let (folder, branch) = (names.integration_folder(), names.integration_branch());
    // an earlier run's results may be older than the base is now
    let from = match repository.commit_of_branch(&branch).await? {
        Some(tip) => tip,
        None => commit(repository, base).await?,
    };
    let prepared = ready(names.root(), &folder, repository, &branch, &from).await?;
    let base = commit(repository, base).await?;
    let Some(begun_from) = repository.merge_base(&prepared.branch, &base).await? else {
        return Err(WorktreeError::OtherBranch {
            branch,
            why: "it shares no history with the base branch".into(),
        });
    };
    Ok(Prepared {
        begun_from,
        ..prepared
    })
}

async fn ready(
    root: &Path,
    folder: &Path,
    repository: &Repository,
    branch: &str,
    from: &str,
) -> Result<Prepared, WorktreeError> {
    no_links(root, folder)?;
    keep_out_of_git(repository)?;
    let from = commit(repository, from).await?;
    let tip = repository.commit_of_branch(branch).await?;
    let found = ours(repository, folder, branch).await?;
    let was_there = tip.is_some();
    if let Some(worktree) = found {
        worktree.clear_locks(branch)?;
        if !worktree.is_checked_out() {
            worktree.reset().await?;
        }
    } else {
        if repository.has_worktree_at(folder) {
            // its folder is gone: git would not make another in its place
            repository.remove_worktree(folder).await?;
        }
        if let Some(tip) = &tip {
            let is_older = repository.is_ancestor(tip, &from).await?;
            if is_older && *tip != from {
                repository.move_branch(branch, tip, &from).await?;
            } else if !is_older && !repository.is_ancestor(&from, tip).await? {
                return Err(WorktreeError::OtherBranch {
                    branch: branch.to_owned(),
                    why: "it has commits of its own that did not begin here, and no worktree"
                        .into(),
                });
            }
        }
        let parent = folder.parent().unwrap_or(folder);
        store::private_folder(parent)?;
        let begin = (!was_there).then_some(from.as_str());
        let worktree = repository.add_worktree(folder, branch, begin).await?;
        worktree.reset().await?;
    }
    let begun_from = repository.merge_base(branch, &from).await?;
    Ok(Prepared {
        folder: folder.to_owned(),
        branch: branch.to_owned(),
        begun_from: begun_from.unwrap_or(from),
        was_there,
    })
}

/// The newest commit of the integration branch that a task's branch has in it: what its work is compared with.
/// It moves on when a worker merges the integration branch into its own.
pub async fn base_of(
    names: &Names,
    repository: &Repository,
    task: &TaskId,
) -> Result<String, WorktreeError> {
    let (branch, integration) = (names.branch(task), names.integration_branch());
    let tip = branch_tip(repository, &branch).await?;
    let results = branch_tip(repository, &integration).await?;
    let base = repository.merge_base(&tip, &results).await?;
    base.ok_or_else(|| WorktreeError::OtherBranch {
        branch,
        why: "it shares no history with the mission's results".into(),
    })
}

/// The files in a worktree of ours that are changed or new and not committed, except those in the control
/// folder and those that git ignores; at most 1,000. A path that ends in `/` is a repository that somebody made
/// within it, and is never committed.
///
/// # Errors
/// There is no such worktree.
pub async fn unsaved(repository: &Repository, folder: &Path) -> Result<Vec<String>, WorktreeError> {
    let worktree = at(repository, folder)?;
    let files = worktree.unsaved().await?.into_iter();
    let files = files.filter(|file| !is_control(&file.path));
    Ok(files.map(|file| file.path).take(MOST_FILES).collect())
}

/// Commits everything that is changed or new in a worktree of ours, except the control folder. `None` where
/// there is nothing. A merge that a worker has resolved is brought to its end.
///
/// # Errors
/// There is no such worktree, or conflicts are left in it.
pub async fn commit_all(
    repository: &Repository,
    folder: &Path,
    message: &str,
) -> Result<Option<String>, WorktreeError> {
    let _alone = repository.alone().await;
    let worktree = at(repository, folder)?;
    let files = worktree.unsaved().await?.into_iter();
    let unmerged = files.filter(|file| file.is_unmerged);
    let marked = unmerged.filter(|file| has_marks(&worktree.root().join(&file.path)));
    let files: Vec<String> = marked.map(|file| file.path).collect();
    if !files.is_empty() {
        let folder = folder.to_owned();
        return Err(WorktreeError::Unresolved { folder, files });
    }
    Ok(worktree.commit_all(message, &[CONTROL, WORKTREES]).await?)
}

/// Removes a task's worktree and branch, with its control folder and the files that git ignores. Merged means:
/// into the integration branch. Work that is not committed is never removed.
///
/// # Errors
/// Something else stands in its place; a link leads there; git does not do it.
pub async fn remove(
    names: &Names,
    repository: &Repository,
    task: &TaskId,
    how: Remove,
) -> Result<Removed, WorktreeError> {
    let into = names.integration_branch();
    let place = (names.folder(task), names.branch(task));
    take_away(names, repository, place, &into, how).await
}

/// Removes the integration worktree and its branch; merged means here: into the branch `base`. Nobody works there:
/// what criteria left there goes with it.
///
/// # Errors
/// As [`remove`].
pub async fn remove_integration(
    names: &Names,
    repository: &Repository,
    base: &str,
    how: Remove,
) -> Result<Removed, WorktreeError> {
    let place = (names.integration_folder(), names.integration_branch());
    take_away(names, repository, place, base, how).await
}

async fn take_away(
    names: &Names,
    repository: &Repository,
    (folder, branch): (PathBuf, String),
    into: &str,
    how: Remove,
) -> Result<Removed, WorktreeError> {
    let _alone = repository.alone().await;
    no_links(names.root(), &folder)?;
    let worktree = ours(repository, &folder, &branch).await?;
    let tip = repository.commit_of_branch(&branch).await?;
    if let Some(worktree) = &worktree
        && worktree.is_checked_out()
        && branch != names.integration_branch()
        && how != Remove::Discard
    {
        let files = unsaved(repository, worktree.root()).await?;
        if !files.is_empty() {
            return Ok(Removed::Unsaved { files });
        }
    }
    if let Some(tip) = &tip
        && how == Remove::IfMerged
    {
        let commits = match repository.commit_of(into).await? {
            Some(into) => repository.count_between(&into, tip).await?,
            None => usize::MAX,
        };
        if commits > 0 {
            return Ok(Removed::Unmerged { commits });
        }
    }
    let was_there = worktree.is_some() || tip.is_some() || repository.has_worktree_at(&folder);
    if repository.has_worktree_at(&folder) {
        repository.remove_worktree(&folder).await?;
    }
    if let Some(tip) = &tip {
        repository.delete_branch(&branch, tip).await?;
    }
    // the mission's own folder and that of all missions, where nothing else is in them
    store::remove_empty_folder(&names.worktrees());
    store::remove_empty_folder(&names.root().join(WORKTREES));
    Ok(if was_there {
        Removed::Removed
    } else {
        Removed::WasGone
    })
}

/// The worktree of ours at `folder`, on `branch`; `None` where there is nothing at all, or an empty folder.
pub(super) async fn ours(
    repository: &Repository,
    folder: &Path,
    branch: &str,
) -> Result<Option<Repository>, WorktreeError> {
    let not_ours = |why: String| WorktreeError::NotOurs {
        folder: folder.to_owned(),
        why,
    };
    let Ok(found) = folder.symlink_metadata() else {
        return Ok(None);
    };
    if !found.is_dir() {
        return Err(not_ours("it is no folder".into()));
    }
    let Some(worktree) = repository.worktree(folder) else {
        let is_empty = std::fs::read_dir(folder).is_ok_and(|mut names| names.next().is_none());
        return if is_empty {
            Ok(None)
        } else {
            Err(not_ours("git knows nothing of it".into()))
        };
    };
    match worktree.current_branch().await? {
        Some(name) if name == branch => Ok(Some(worktree)),
        Some(name) => Err(not_ours(format!(
            "the branch `{}` is checked out there",
            name.escape_debug()
        ))),
        None => Err(not_ours(format!("`{branch}` is not checked out there"))),
    }
}

/// The worktree of the repository at `folder`.
pub(super) fn at(repository: &Repository, folder: &Path) -> Result<Repository, WorktreeError> {
    let found = repository.worktree(folder);
    found.ok_or_else(|| WorktreeError::NotOurs {
        folder: folder.to_owned(),
        why: "git knows nothing of it".into(),
    })
}

async fn commit(repository: &Repository, name: &str) -> Result<String, WorktreeError> {
    let found = repository.commit_of(name).await?;
    found.ok_or_else(|| no_commit(name))
}

pub(super) async fn branch_tip(
    repository: &Repository,
    name: &str,
) -> Result<String, WorktreeError> {
    let found = repository.commit_of_branch(name).await?;
    found.ok_or_else(|| no_commit(name))
}

fn no_commit(name: &str) -> WorktreeError {
    WorktreeError::NoCommit {
        name: name.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests;
