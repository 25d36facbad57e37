//! What a repository tells of itself, as plain values.

use std::path::PathBuf;

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
    /// Its path from the root; ends in `/` where it is another repository, which is not looked into.
    pub path: String,
    /// Whether git knows nothing of it.
    pub is_new: bool,
    /// Whether it is left over from a merge.
    pub is_unmerged: bool,
}

/// One thing that a commit has in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path from the root.
    pub path: String,
    /// The id of its content.
    pub id: String,
    pub(super) mode: String,
}

impl Entry {
    pub(super) fn new(mode: &str, id: &str, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            id: id.to_owned(),
            mode: mode.to_owned(),
        }
    }

    /// Whether it is a link.
    pub fn is_link(&self) -> bool {
        self.mode == "120000"
    }

    /// Whether it is a commit of another repository.
    pub fn is_repository(&self) -> bool {
        self.mode == "160000"
    }

    /// Whether it is a program.
    pub fn is_executable(&self) -> bool {
        self.mode == "100755"
    }
}

/// A list of files that may have been cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Their paths from the root, sorted.
    pub paths: Vec<String>,
    /// Whether there are more.
    pub is_cut: bool,
}
