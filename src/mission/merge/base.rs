//! The base branch takes a mission's results.

use std::path::{Path, PathBuf};

use super::super::names::Names;
use super::super::worktree::{WorktreeError, branch_tip};
use crate::git::{Merged, Repository};
use crate::host::file::read_whole;

/// The largest file that is compared to know it again, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;
/// How many files a message names.
const MOST_FILES: usize = 1_000;

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

/// The base branch takes the results, on the person's word.
///
/// Where it is checked out, its files are brought up to date; new files of the person's that nothing would
/// come to stand on stay, and with any other unsaved work nothing is done at all. What a killed call left half
/// done is gone on with: what it was about to do is kept in the repository as `refs/mo/MISSION/finishing`, and
/// only files that are as that commit has them, or cut short, are taken for its own.
///
/// Files are checked out without filters. Where the repository uses Git LFS, merge the integration branch by hand.
///
/// # Errors
/// There is no base branch, or no integration branch; they have no history in common; a merge or a rebase is
/// under way in a folder where the base branch is checked out.
pub async fn finish(
    names: &Names,
    repository: &Repository,
    base: &str,
    how: Finish,
) -> Result<Finished, WorktreeError> {
    let _alone = repository.alone().await;
    let finishing = format!("{}/finishing", names.mission());
    let results = branch_tip(repository, &names.integration_branch()).await?;
    if let Some(target) = repository.kept(&finishing).await? {
        let old = branch_tip(repository, base).await?;
        let is_next = old != target && repository.is_ancestor(&old, &target).await?;
        if is_next {
            let step = Step {
                repository,
                base,
                old: &old,
                target: &target,
            };
            let done = step.take(Begun::Before).await?;
            if !matches!(done, Finished::Done { .. }) {
                return Ok(done);
            }
        }
        repository.forget(&finishing).await?;
        if is_next && repository.is_ancestor(&results, &target).await? {
            let folder = folders(repository, base).await?.pop();
            let folder = folder.map(|folder| folder.root().to_owned());
            return Ok(Finished::Done {
                commit: target,
                folder,
            });
        }
    }
    let old = branch_tip(repository, base).await?;
    if repository.is_ancestor(&results, &old).await? {
        return Ok(Finished::Already { commit: old });
    }
    let target = if how == Finish::FastForward && repository.is_ancestor(&old, &results).await? {
        results
    } else {
        match repository.merge_tree(&old, &results).await? {
            Merged::Conflict(files) => return Ok(Finished::Conflict { files }),
            Merged::Tree(tree) => {
                let message = format!("Merge the results of the mission {}", names.mission());
                repository
                    .commit_tree(&tree, &[&old, &results], &message)
                    .await?
            }
        }
    };
    let step = Step {
        repository,
        base,
        old: &old,
        target: &target,
    };
    if let Some(unsaved) = step.in_the_way().await? {
        return Ok(unsaved);
    }
    repository.keep(&finishing, &target).await?;
    let done = step.take(Begun::Now).await?;
    repository.forget(&finishing).await?;
    Ok(done)
}

/// Whether files may be half brought up to date already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    Now,
    Before,
}

/// One move of the base branch.
struct Step<'a> {
    repository: &'a Repository,
    base: &'a str,
    old: &'a str,
    target: &'a str,
}

impl Step<'_> {
    /// Brings all folders up to date in which the branch is checked out, then the branch.
    async fn take(&self, begun: Begun) -> Result<Finished, WorktreeError> {
        let folders = folders(self.repository, self.base).await?;
        if begun == Begun::Before {
            for folder in &folders {
                folder.clear_locks(self.base)?;
                let files = self.strange(folder).await?;
                if !files.is_empty() {
                    return Ok(unsaved(folder, files));
                }
            }
        }
        for folder in &folders {
            if begun == Begun::Before {
                folder.read_tree_over(self.target).await?;
            } else {
                folder.read_tree(self.old, self.target).await?;
            }
        }
        let moved = self
            .repository
            .move_branch(self.base, self.old, self.target)
            .await;
        if let Err(error) = moved {
            // somebody committed meanwhile: their files come back
            let now = branch_tip(self.repository, self.base).await?;
            for folder in &folders {
                folder.read_tree(self.target, &now).await?;
            }
            return Err(error.into());
        }
        Ok(Finished::Done {
            commit: self.target.to_owned(),
            folder: folders.first().map(|folder| folder.root().to_owned()),
        })
    }

    /// What keeps the branch from moving, where something does.
    async fn in_the_way(&self) -> Result<Option<Finished>, WorktreeError> {
        let new = self.repository.added_between(self.old, self.target).await?;
        for folder in folders(self.repository, self.base).await? {
            let changed = folder.changed().await?.into_iter();
            let mut files: Vec<String> = changed.map(|file| file.path).collect();
            let taken = new.iter().filter(|path| is_taken(folder.root(), path));
            files.extend(taken.cloned());
            if !files.is_empty() {
                return Ok(Some(unsaved(&folder, files)));
            }
        }
        Ok(None)
    }

    /// The changed files in a folder that are neither as one of the two commits has them nor on their way.
    async fn strange(&self, folder: &Repository) -> Result<Vec<String>, WorktreeError> {
        let moved = self
            .repository
            .changed_between(self.old, self.target)
            .await?;
        let mut strange = Vec::new();
        for file in folder.unsaved().await? {
            let is_moved = moved.contains(&file.path);
            if (is_moved || !file.is_new)
                && !(is_moved && self.is_on_its_way(folder, &file.path).await?)
            {
                strange.push(file.path);
            }
        }
        Ok(strange)
    }

    async fn is_on_its_way(&self, folder: &Repository, path: &str) -> Result<bool, WorktreeError> {
        let at = folder.root().join(path);
        let Ok(found) = at.symlink_metadata() else {
            return Ok(true);
        };
        let content = if found.is_symlink() {
            std::fs::read_link(&at)
                .ok()
                .map(|to| to.as_os_str().as_encoded_bytes().to_vec())
        } else {
            read_whole(&at, LARGEST as u64).ok()
        };
        let Some(content) = content else {
            return Ok(false);
        };
        let old = self.repository.file_of(self.old, path, LARGEST).await?;
        let new = self.repository.file_of(self.target, path, LARGEST).await?;
        Ok(old.is_some_and(|old| old == content)
            || new.is_some_and(|new| new.starts_with(&content)))
    }
}

fn unsaved(folder: &Repository, mut files: Vec<String>) -> Finished {
    files.sort();
    files.dedup();
    files.truncate(MOST_FILES);
    Finished::Unsaved {
        folder: folder.root().to_owned(),
        files,
    }
}

/// Whether something stands where a new file is to come, or where a folder above it is.
fn is_taken(root: &Path, path: &str) -> bool {
    let place = root.join(path);
    let above = place.ancestors().skip(1).take_while(|at| *at != root);
    place.symlink_metadata().is_ok()
        || above
            .filter_map(|at| at.symlink_metadata().ok())
            .any(|found| !found.is_dir())
}

/// The folders in which a branch is checked out.
async fn folders(repository: &Repository, branch: &str) -> Result<Vec<Repository>, WorktreeError> {
    let mut folders = Vec::new();
    for worktree in repository.worktrees().await? {
        let folder = if worktree.folder == repository.root() {
            Some(repository.clone())
        } else {
            repository.worktree(&worktree.folder)
        };
        let Some(folder) = folder else { continue };
        let at = |name: &str| folder.git_dir().join(name);
        let is_rebased = ["rebase-merge/head-name", "rebase-apply/head-name"]
            .iter()
            .filter_map(|name| read_whole(&at(name), 4096).ok())
            .any(|name| name.trim_ascii() == format!("refs/heads/{branch}").as_bytes());
        let is_here = worktree.branch.as_deref() == Some(branch);
        let what = match () {
            () if is_rebased => Some("a rebase of the base branch"),
            () if !is_here => None,
            () if at("MERGE_HEAD").exists() => Some("a merge"),
            () if at("CHERRY_PICK_HEAD").exists() => Some("a cherry-pick"),
            () if at("REVERT_HEAD").exists() => Some("a revert"),
            () => None,
        };
        if let Some(what) = what {
            let folder = folder.root().to_owned();
            return Err(WorktreeError::Underway { folder, what });
        }
        if is_here {
            folders.push(folder);
        }
    }
    Ok(folders)
}
