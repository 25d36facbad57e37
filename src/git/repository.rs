//! A repository that is worked in: what it says of itself, and what is changed in it.
//!
//! Every call names the repository's folders itself, so that a `.git` file or a setting that an agent wrote leads
//! nowhere else, and runs with all filters, merge drivers and hooks switched off: also the user's own. With Git
//! LFS that means pointer files in the mission's worktrees, and commits of what is in them as it is.

#![expect(clippy::unused_async, reason = "the bodies follow")]

use std::path::{Path, PathBuf};

use super::GitError;

/// A repository, or one of its worktrees.
#[derive(Debug, Clone)]
pub struct Repository {
    root: PathBuf,
    common: PathBuf,
}

/// One of a repository's worktrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// Its folder; it need not exist any more.
    pub folder: PathBuf,
    /// The branch that is checked out, without `refs/heads/`.
    pub branch: Option<String>,
    /// The commit that is checked out.
    pub commit: Option<String>,
}

/// A file that is not as the last commit has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsaved {
    /// Its path from the root.
    pub path: String,
    /// Whether git knows nothing of it.
    pub is_new: bool,
}

/// A list of files that may have been cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Their paths from the root, sorted.
    pub paths: Vec<String>,
    /// Whether there are more.
    pub is_cut: bool,
}

impl Repository {
    /// The repository that `folder` belongs to; `None` where it belongs to none, or to a bare one.
    ///
    /// # Errors
    /// When there is no git, it refuses, it does not answer in time, or its settings lead to another folder.
    pub async fn open(folder: &Path) -> Result<Option<Self>, GitError> {
        Err(todo(folder))
    }

    /// The root of its files, without links in it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that all of its worktrees share: `.git` of the first.
    pub fn common(&self) -> &Path {
        &self.common
    }

    /// The branch that is checked out; `None` where a commit is.
    pub async fn current_branch(&self) -> Result<Option<String>, GitError> {
        Err(todo(&self.root))
    }

    /// The id of the commit that `name` (a branch first, else a commit, a tag, `HEAD`) stands for.
    pub async fn commit_of(&self, name: &str) -> Result<Option<String>, GitError> {
        let _ = name;
        Err(todo(&self.root))
    }

    /// Whether there is a branch of that name.
    pub async fn has_branch(&self, name: &str) -> Result<bool, GitError> {
        let _ = name;
        Err(todo(&self.root))
    }

    /// The files of a commit, at most `most`.
    pub async fn files_of(&self, commit: &str, most: usize) -> Result<Listing, GitError> {
        let _ = (commit, most);
        Err(todo(&self.root))
    }

    /// The files that are changed, removed or new and not ignored; at most 1,000.
    pub async fn unsaved(&self) -> Result<Vec<Unsaved>, GitError> {
        Err(todo(&self.root))
    }

    /// The last commits, newest first, each as `ID DATE SUBJECT` in one harmless line of at most 200 characters.
    pub async fn last_commits(&self, from: &str, most: usize) -> Result<Vec<String>, GitError> {
        let _ = (from, most);
        Err(todo(&self.root))
    }

    /// The files that differ between two commits; at most 10,000.
    pub async fn changed_between(&self, from: &str, to: &str) -> Result<Vec<String>, GitError> {
        let _ = (from, to);
        Err(todo(&self.root))
    }

    /// The content of a file of a commit, at most `most` bytes of it.
    pub async fn file_of(
        &self,
        commit: &str,
        path: &str,
        most: usize,
    ) -> Result<Option<Vec<u8>>, GitError> {
        let _ = (commit, path, most);
        Err(todo(&self.root))
    }

    /// All worktrees.
    pub async fn worktrees(&self) -> Result<Vec<Worktree>, GitError> {
        Err(todo(&self.root))
    }
}

fn todo(folder: &Path) -> GitError {
    GitError::Refused {
        folder: folder.to_owned(),
        said: "not built yet".into(),
    }
}
