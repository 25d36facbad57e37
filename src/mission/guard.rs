//! Judges that the judged have changed: files that an exit criterion names or runs, kept as the base has them.
//!
//! A worker that weakens the test that it is measured by would pass. [`guarded`] tells which files judge and
//! were changed though the task may not write them; [`put_back`] puts the base's versions in their place while
//! the check runs, and [`Undone::restore`] puts the worker's back, as does [`recover`] after a crash.
//!
//! Files are compared by what is in them, whatever git's index says of them: a worker can have git believe that
//! a file is unchanged. What judges are the tracked files and folders that the command names, those that these
//! name in turn (a Makefile a script, the script a list), build files in the criterion's folder, above and below
//! it, tests where the command runs tests, and new files of these kinds, ignored or not.
//!
//! What is not caught: a change of what the task may write (a test among its own paths, and anything where it
//! names no paths), of a program outside the repository, of what a judge reads by a name that is not written in
//! it, of build output, and code that behaves otherwise when it is tested; a worker that changes a file while
//! the check runs. A reviewer is there for that.

mod judges;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::names;
use super::plan::{Criterion, Task};
use super::worktree::{WorktreeError, at, no_links};
use crate::git::{Entry, Repository};
use crate::ids::TaskId;
use crate::store::{self, Access};
use judges::Judges;

/// The most files of a repository that are looked at.
const MOST_FILES: usize = 200_000;
/// The largest file that is read for the names in it, in bytes, how many are, and how deep.
const LARGEST_READ: usize = 64 * 1024;
const MOST_READ: usize = 50;
const ROUNDS: usize = 3;
/// The largest link or file that is compared byte by byte, in bytes.
const LARGEST_COMPARED: usize = 16 * 1024 * 1024;
/// The most folders in which new files are looked for, and the most entries of one.
const MOST_FOLDERS: usize = 5_000;
const MOST_ENTRIES: usize = 20_000;
/// The largest list of what was moved away, in bytes.
const LARGEST_LIST: u64 = 16 * 1024 * 1024;
/// Where it is, and what was moved away, in the control folder.
const LIST: &str = "kept.json";
const KEPT: &str = "kept";

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
///
/// # Errors
/// There is no such worktree or commit.
pub async fn guarded(
    repository: &Repository,
    folder: &Path,
    base: &str,
    task: &Task,
    criterion: &Criterion,
) -> Result<Vec<Guarded>, WorktreeError> {
    if criterion.run.is_none() {
        return Ok(Vec::new());
    }
    let worktree = at(repository, folder)?;
    let tree = worktree.tree_of(base, MOST_FILES).await?;
    let files: BTreeSet<&str> = tree.iter().map(|entry| entry.path.as_str()).collect();
    let Some(mut judges) = Judges::of(criterion, &files) else {
        return Ok(Vec::new());
    };
    follow(&worktree, base, &mut judges).await?;
    let outside = |path: &str| !task.may_write(path);
    let entries = tree.iter();
    let entries: Vec<&Entry> = entries
        .filter(|entry| outside(&entry.path) && judges.has(&entry.path))
        .collect();
    let mut found = compared(&worktree, base, &entries).await?;
    let added = added(worktree.root(), &files, &judges);
    found.extend(
        added
            .into_iter()
            .filter(|path| outside(path))
            .map(|path| Guarded {
                path,
                how: Change::Added,
            }),
    );
    found.sort();
    Ok(found)
}

/// Reads the files that are named, and those that they name, for the names in them.
async fn follow(
    worktree: &Repository,
    base: &str,
    judges: &mut Judges<'_>,
) -> Result<(), WorktreeError> {
    let mut read = BTreeSet::new();
    for _ in 0..ROUNDS {
        let next: Vec<&str> = judges.named().filter(|path| !read.contains(path)).collect();
        let mut grew = false;
        for path in next {
            if read.len() >= MOST_READ {
                return Ok(());
            }
            read.insert(path);
            let content = worktree.file_of(base, path, LARGEST_READ).await?;
            if let Some(text) = content.and_then(|content| String::from_utf8(content).ok()) {
                grew |= judges.read(path, &text);
            }
        }
        if !grew {
            break;
        }
    }
    Ok(())
}

/// Those of the entries of a commit that are otherwise on the disk.
async fn compared(
    worktree: &Repository,
    base: &str,
    entries: &[&Entry],
) -> Result<Vec<Guarded>, WorktreeError> {
    let mut found = Vec::new();
    let mut by_id: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.is_repository()) {
        let mut tell = |how| {
            found.push(Guarded {
                path: entry.path.clone(),
                how,
            });
        };
        let path = worktree.root().join(&entry.path);
        let Ok(metadata) = path.symlink_metadata() else {
            tell(Change::Removed);
            continue;
        };
        let is_executable = metadata.permissions().mode() & 0o100 != 0;
        if no_links(worktree.root(), path.parent().unwrap_or(&path)).is_err()
            || metadata.is_symlink() != entry.is_link()
            || !(metadata.is_symlink() || metadata.is_file())
            || (metadata.is_file() && is_executable != entry.is_executable())
        {
            tell(Change::Changed);
        } else if metadata.is_symlink() {
            let to = std::fs::read_link(&path).ok();
            let to = to.map(|to| to.as_os_str().as_encoded_bytes().to_vec());
            let wanted = worktree
                .file_of(base, &entry.path, LARGEST_COMPARED)
                .await?;
            if to != wanted {
                tell(Change::Changed);
            }
        } else if entry.path.contains(['\n', '"']) {
            // a list of paths cannot have it
            let content = crate::host::file::read_whole(&path, LARGEST_COMPARED as u64).ok();
            if content
                != worktree
                    .file_of(base, &entry.path, LARGEST_COMPARED)
                    .await?
            {
                tell(Change::Changed);
            }
        } else {
            by_id.insert(&entry.path, &entry.id);
        }
    }
    let paths: Vec<&str> = by_id.keys().copied().collect();
    let ids = worktree.ids_of_files(&paths).await?;
    let pairs = by_id
        .iter()
        .zip(ids.iter().map(Some).chain(std::iter::repeat(None)));
    for ((path, wanted), id) in pairs {
        if id.is_none_or(|id| id != wanted) {
            found.push(Guarded {
                path: (*path).to_owned(),
                how: Change::Changed,
            });
        }
    }
    Ok(found)
}

/// The files below `root` that judge and that the base has not: looked for in the base's folders, and in new ones
/// that seem to be for tests.
fn added(root: &Path, files: &BTreeSet<&str>, judges: &Judges<'_>) -> Vec<String> {
    let mut folders: BTreeSet<String> = BTreeSet::from([String::new()]);
    for file in files {
        let mut at = *file;
        while let Some((folder, _)) = at.rsplit_once('/') {
            if !folders.insert(folder.to_owned()) {
                break;
            }
            at = folder;
        }
    }
    let mut waiting: Vec<String> = folders
        .iter()
        .filter(|folder| judges.looks_into(folder))
        .cloned()
        .collect();
    let (mut found, mut seen) = (Vec::new(), 0);
    while let Some(folder) = waiting.pop() {
        seen += 1;
        let place = root.join(&folder);
        if seen > MOST_FOLDERS || no_links(root, &place).is_err() {
            continue;
        }
        let Ok(entries) = std::fs::read_dir(&place) else {
            continue;
        };
        for entry in entries.take(MOST_ENTRIES).filter_map(Result::ok) {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = if folder.is_empty() {
                name.clone()
            } else {
                format!("{folder}/{name}")
            };
            if [".git", names::CONTROL, names::WORKTREES].contains(&name.as_str()) {
                continue;
            }
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if !is_folder && !files.contains(path.as_str()) && judges.has_added(&path) {
                found.push(path);
            } else if is_folder
                && !folders.contains(&path)
                && judges.looks_into(&path)
                && (judges::is_test_folder(&path) || name.starts_with('.'))
                && name != "__pycache__"
            {
                waiting.push(path);
            }
        }
    }
    found
}

/// What was moved away for a check.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    v: u32,
    places: Vec<Place>,
}

/// One place where something is otherwise for a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// From the worktree's root.
    path: String,
    /// Whether something stood there, which is kept under the number of this place.
    was_there: bool,
}

/// Puts the base's version of each file in place, and removes what was added, until [`Undone::restore`]. What
/// stood there is moved into the control folder of the task in `folder` first, with a list of it.
///
/// # Errors
/// There is no such worktree or commit; a link leads to the control folder; git or the system refuse. What was
/// moved then comes back by [`recover`].
pub async fn put_back(
    repository: &Repository,
    folder: &Path,
    base: &str,
    task: &TaskId,
    files: &[Guarded],
) -> Result<Undone, WorktreeError> {
    recover(folder, task).await?;
    let mut paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    paths.sort();
    let undone = Undone {
        paths,
        folder: folder.to_owned(),
        task: task.clone(),
    };
    if files.is_empty() {
        return Ok(undone);
    }
    let worktree = at(repository, folder)?;
    let control = control_of(folder, task)?;
    let kept = control.join(KEPT);
    store::remove_folder(&kept)?;
    store::private_folder(&kept)?;
    let mut places: Vec<Place> = files
        .iter()
        .filter_map(|file| place_of(folder, &file.path))
        .collect();
    places.sort_by(|a, b| a.path.cmp(&b.path));
    places.dedup();
    let all = places.clone();
    // what is in another place goes with it
    places.retain(|place| {
        let is_in = |other: &Place| Path::new(&place.path).starts_with(&other.path);
        !all.iter().any(|other| other != place && is_in(other))
    });
    let list = serde_json::to_string(&Kept {
        v: 1,
        places: places.clone(),
    })
    .unwrap_or_default();
    store::write_text(&control.join(LIST), &list, Access::OwnerOnly)?;
    for (number, place) in places
        .iter()
        .enumerate()
        .filter(|(_, place)| place.was_there)
    {
        store::move_aside(&folder.join(&place.path), &kept.join(number.to_string()))?;
    }
    let written: Vec<&str> = files
        .iter()
        .filter(|file| file.how != Change::Added)
        .map(|file| file.path.as_str())
        .collect();
    worktree.write_files(base, &written).await?;
    Ok(undone)
}

/// What has to be out of the way for a file to come to its place: the first thing on the way to it that is no
/// folder or is not there, or itself. `None` for a path that leads out of the folder.
fn place_of(folder: &Path, path: &str) -> Option<Place> {
    let mut at = String::new();
    for name in path.split('/') {
        if name.is_empty() || name == ".." || name == "." {
            return None;
        }
        if !at.is_empty() {
            at.push('/');
        }
        at.push_str(name);
        match folder.join(&at).symlink_metadata() {
            Ok(found) if found.is_dir() && at != path => {}
            found => {
                return Some(Place {
                    path: at,
                    was_there: found.is_ok(),
                });
            }
        }
    }
    None
}

/// Puts back what a killed process had moved away in `folder` for a check. Whether there was anything.
///
/// # Errors
/// A link leads to the control folder; the system refuses.
#[expect(clippy::unused_async, reason = "as all of a mission's steps")]
pub async fn recover(folder: &Path, task: &TaskId) -> Result<bool, WorktreeError> {
    let control = control_of(folder, task)?;
    let list = control.join(LIST);
    let Some(text) = store::read_document(&list, LARGEST_LIST)? else {
        return Ok(false);
    };
    // one that is no list is none of ours: nothing was moved before it was whole
    let kept: Option<Kept> = serde_json::from_str(text.text()).ok();
    let places = kept.map(|kept| kept.places).unwrap_or_default();
    for (number, place) in places.iter().enumerate() {
        // the list stands where a worker can write it
        let is_within = place_of(folder, &place.path).is_some_and(|found| found.path == place.path);
        let was = control.join(KEPT).join(number.to_string());
        if !is_within || (place.was_there && was.symlink_metadata().is_err()) {
            continue;
        }
        let to = folder.join(&place.path);
        match to.symlink_metadata() {
            Ok(found) if found.is_dir() => store::remove_folder(&to)?,
            Ok(_) => store::remove_file(&to)?,
            Err(_) => {}
        }
        if place.was_there {
            store::move_aside(&was, &to)?;
            store::renew(&to);
        }
    }
    store::remove_file(&list)?;
    store::remove_folder(&control.join(KEPT))?;
    Ok(true)
}

fn control_of(folder: &Path, task: &TaskId) -> Result<PathBuf, WorktreeError> {
    let control = folder.join(names::control(task));
    no_links(folder, &control.join(KEPT))?;
    no_links(folder, &control.join(LIST))?;
    Ok(control)
}

/// Files that are as the base has them while a check runs.
#[derive(Debug)]
#[must_use = "the worker's files come back by `restore`"]
pub struct Undone {
    paths: Vec<String>,
    folder: PathBuf,
    task: TaskId,
}

impl Undone {
    /// Their paths, sorted.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Puts the worker's versions back; what the check made of the base's is lost.
    ///
    /// # Errors
    /// The system refuses; [`recover`] tries again.
    pub async fn restore(self) -> Result<(), WorktreeError> {
        recover(&self.folder, &self.task).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
