//! What is kept out of git, and what is not gone through: links, and conflicts that nobody resolved.

use std::path::Path;

use super::super::names::{CONTROL, WORKTREES};
use super::WorktreeError;
use crate::git::Repository;
use crate::host::file::read_whole;
use crate::store::{self, Access};

/// The largest `info/exclude` that is read, in bytes.
const LARGEST_EXCLUDE: u64 = 1024 * 1024;
/// The largest file in which marks of a conflict are looked for, in bytes.
const LARGEST_MARKED: u64 = 16 * 1024 * 1024;

/// Whether a path from a worktree's root is in the control folder, or among the worktrees.
pub(super) fn is_control(path: &str) -> bool {
    let first = path.split('/').next();
    first == Some(CONTROL) || first == Some(WORKTREES)
}

/// That no folder from `root` (not looked at) down to `path` is a link.
pub(in crate::mission) fn no_links(root: &Path, path: &Path) -> Result<(), WorktreeError> {
    for at in path.ancestors().take_while(|at| *at != root) {
        if at.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
            let path = at.to_owned();
            return Err(WorktreeError::Link { path });
        }
    }
    Ok(())
}

/// Has git look neither at worktrees nor at control folders, in any of the repository's worktrees.
pub(super) fn keep_out_of_git(repository: &Repository) -> Result<(), WorktreeError> {
    let info = repository.common().join("info");
    let exclude = info.join("exclude");
    no_links(repository.common(), &exclude)?;
    let document = store::read_document(&exclude, LARGEST_EXCLUDE)?;
    let mut text = document.as_ref().map_or("", |read| read.text()).to_owned();
    let wanted = [format!("/{WORKTREES}/"), format!("/{CONTROL}/")];
    let missing: Vec<&String> = wanted
        .iter()
        .filter(|line| !text.lines().any(|own| own.trim() == line.as_str()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in missing {
        text.push_str(line);
        text.push('\n');
    }
    store::private_folder(&info)?;
    store::write_text(&exclude, &text, Access::AsUsual)?;
    Ok(())
}

/// Whether the marks of a conflict are in a file as git writes them.
pub(super) fn has_marks(path: &Path) -> bool {
    let Ok(bytes) = read_whole(path, LARGEST_MARKED) else {
        return false;
    };
    let begins = |mark: &[u8]| {
        bytes
            .split(|byte| *byte == b'\n')
            .any(|line| line.starts_with(mark))
    };
    begins(b"<<<<<<< ") && begins(b">>>>>>> ")
}
