//! What is changed in a repository: worktrees, commits, merges, branches.
//!
//! A branch moves only from the commit that was seen, so that nobody's commit is lost; a merge is worked out
//! beside every working folder. Another git at work is waited for, a few seconds. No hook, filter, merge driver
//! or signer runs.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::OwnedMutexGuard;

use super::repository::{entries, text};
use super::{Git, GitError, Repository};
use crate::host::{Call, Output, process};
use crate::store;

/// How long a change may take.
const CHANGE: Duration = Duration::from_mins(1);
/// How long checking out a tree may take.
const CHECKOUT: Duration = Duration::from_mins(2);
/// How often a change is tried while another git holds what it needs, and how long it waits in between.
const TRIES: u32 = 30;
const BETWEEN: Duration = Duration::from_millis(200);
/// A lock file younger than this is somebody's who is at work.
const YOUNG: Duration = Duration::from_secs(2);
/// Who commits where the user has not said who they are.
const NAME: &str = "meta-orchestrator";
const EMAIL: &str = "meta-orchestrator@localhost";
/// The most of a merge's conflicts that is read, in bytes.
const LONGEST_LIST: usize = 16 * 1024 * 1024;

/// The locks of this process, one for each repository.
static LOCKS: LazyLock<Mutex<HashMap<PathBuf, Arc<tokio::sync::Mutex<()>>>>> =
    LazyLock::new(Mutex::default);

/// As long as this lives, nobody else in this process changes the repository.
#[derive(Debug)]
#[must_use = "the repository is free again when this is dropped"]
pub struct Alone {
    _held: OwnedMutexGuard<()>,
}

/// What two commits make together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// This tree.
    Tree(String),
    /// Nothing that a program could tell: both changed these files.
    Conflict(Vec<String>),
}

impl Repository {
    /// Waits until nobody else in this process changes the repository, in any of its worktrees.
    pub async fn alone(&self) -> Alone {
        let lock = {
            let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(self.common().to_owned()).or_default())
        };
        Alone {
            _held: lock.lock_owned().await,
        }
    }

    fn changing(&self, deadline: Duration) -> Git {
        Git {
            deadline,
            ..self.git.clone()
        }
    }

    /// Runs a call that changes something, again while another git holds what it needs.
    async fn change(&self, git: &Git, call: Call) -> Result<Output, GitError> {
        let call = git.without_filters(call).await?;
        for _ in 1..TRIES {
            let output = git.run(call.clone()).await?;
            if output.succeeded() || !is_locked(&output) {
                return Ok(output);
            }
            tokio::time::sleep(BETWEEN).await;
        }
        git.run(call).await
    }

    /// The same where anything but success is an error.
    async fn changed_by(&self, git: &Git, call: Call) -> Result<Output, GitError> {
        let output = self.change(git, call).await?;
        if output.succeeded() {
            Ok(output)
        } else if is_locked(&output) {
            Err(GitError::Busy {
                folder: self.root().to_owned(),
                said: super::first_line(&output),
            })
        } else {
            Err(git.refused(&output))
        }
    }

    /// Makes a worktree at `folder`, which is not there or is empty, on a branch: a new one from the commit
    /// `from`, or one that there is. Its files are checked out by [`Repository::reset`].
    pub async fn add_worktree(
        &self,
        folder: &Path,
        branch: &str,
        from: Option<&str>,
    ) -> Result<Self, GitError> {
        let git = self.changing(CHECKOUT);
        let call = git
            .call()
            .args(["worktree", "add", "--quiet", "--no-checkout"]);
        let call = match from {
            Some(from) => call.args(["-b", branch]).arg(folder).arg(from),
            None => call.arg(folder).arg(branch),
        };
        let output = self.changed_by(&git, call).await?;
        let made = self.worktree(folder);
        made.ok_or_else(|| git.refused(&output))
    }

    /// Takes the worktree at `folder` away, with everything in it; its branch stays. The folder may be gone.
    pub async fn remove_worktree(&self, folder: &Path) -> Result<(), GitError> {
        let git = self.changing(CHECKOUT);
        let call = git
            .call()
            .args(["worktree", "remove", "--force", "--force"]);
        self.changed_by(&git, call.arg(folder)).await.map(|_| ())
    }

    /// Whether its files were once checked out to the end.
    pub fn is_checked_out(&self) -> bool {
        self.git_dir().join("index").exists()
    }

    /// Makes all files as the commit that is checked out has them, and forgets a merge under way. New files stay.
    pub async fn reset(&self) -> Result<(), GitError> {
        let git = self.changing(CHECKOUT);
        let call = git.call().args(["-c", "core.sparseCheckout=false"]);
        let call = call.args(["reset", "--hard", "--quiet"]);
        self.changed_by(&git, call).await.map(|_| ())
    }

    /// Brings the files from one commit to another, without moving the branch. A file that is changed, or new
    /// in the place of one, is an error before anything is done.
    pub async fn read_tree(&self, from: &str, to: &str) -> Result<(), GitError> {
        let git = self.changing(CHECKOUT);
        let call = git.call().args(["read-tree", "-m", "-u", from, to]);
        self.changed_by(&git, call).await.map(|_| ())
    }

    /// Makes all files as `to` has them, whatever stands in their place, without moving the branch.
    pub async fn read_tree_over(&self, to: &str) -> Result<(), GitError> {
        let git = self.changing(CHECKOUT);
        let call = git.call().args(["read-tree", "--reset", "-u", to]);
        self.changed_by(&git, call).await.map(|_| ())
    }

    /// Commits everything that is changed or new, but for what is in one of the folders `without` or is another
    /// repository. `None` where there is nothing.
    pub async fn commit_all(
        &self,
        message: &str,
        without: &[&str],
    ) -> Result<Option<String>, GitError> {
        let kept_out = |path: &Path| without.iter().any(|folder| path.starts_with(folder));
        let paths: Vec<PathBuf> = self.unsaved_paths().await?;
        let mut list = Vec::new();
        for path in paths.iter().filter(|path| !kept_out(path)) {
            let bytes = path.as_os_str().as_bytes();
            if !bytes.ends_with(b"/") {
                list.extend_from_slice(bytes);
                list.push(0);
            }
        }
        if list.is_empty() && !self.git_dir().join("MERGE_HEAD").exists() {
            return Ok(None);
        }
        let git = self.changing(CHANGE);
        if !list.is_empty() {
            let call = git.call().args(["add", "--all"]).stdin(list);
            let call = call.args(["--pathspec-from-file=-", "--pathspec-file-nul"]);
            self.changed_by(&git, call).await?;
        }
        let call = git
            .call()
            .args(["commit", "--quiet", "--no-verify", "--no-gpg-sign"]);
        let call = call.args(["--cleanup=whitespace", "--no-status", "-F", "-"]);
        let call = self.as_somebody(call.stdin(message)).await?;
        self.changed_by(&git, call).await?;
        self.commit_of("HEAD").await
    }

    /// Works out what two commits make together, changing nothing.
    pub async fn merge_tree(&self, ours: &str, theirs: &str) -> Result<Merged, GitError> {
        let git = self.changing(CHANGE);
        let asked = [
            "merge-tree",
            "--write-tree",
            "--name-only",
            "-z",
            "--no-messages",
        ];
        let call = git.call().args(asked).args([ours, theirs]);
        let output = self.change(&git, call.max_output(LONGEST_LIST)).await?;
        let mut told = entries(&output).into_iter();
        match (output.code, told.next()) {
            (Some(0), Some(tree)) => Ok(Merged::Tree(tree)),
            (Some(1), Some(_)) => {
                let mut files: Vec<String> = told.collect();
                files.sort();
                files.dedup();
                Ok(Merged::Conflict(files))
            }
            (Some(129), _) => Err(GitError::TooOld),
            _ => Err(git.refused(&output)),
        }
    }

    /// Makes a tree that is as `tree`, but has the files at `paths` as `commit` has them, or has not where that has
    /// none. What stood in their way is not in it.
    pub async fn tree_with(
        &self,
        tree: &str,
        commit: &str,
        paths: &[String],
    ) -> Result<String, GitError> {
        let there = self.tree_of(commit, usize::MAX).await?;
        // mode 0 takes a file out
        let nothing = "0".repeat(tree.len());
        let mut list = Vec::new();
        for path in paths {
            let entry = there.iter().find(|entry| entry.path == *path);
            let (mode, id) = entry.map_or(("0", &nothing), |entry| (&entry.mode, &entry.id));
            list.extend_from_slice(format!("{mode} {id}\t{path}\0").as_bytes());
        }
        let git = self.changing(CHANGE);
        let (call, index) = self.in_own_index(&git, tree).await?;
        let update = call.clone().args(["update-index", "--replace", "-z"]);
        self.changed_by(&git, update.arg("--index-info").stdin(list))
            .await?;
        let written = self.changed_by(&git, call.arg("write-tree")).await?;
        // what is left of it is written anew at the next call
        let _ = store::remove_file(&index);
        Ok(text(&written.stdout))
    }

    /// Makes a commit of a tree. It is on no branch yet.
    pub async fn commit_tree(
        &self,
        tree: &str,
        parents: &[&str],
        message: &str,
    ) -> Result<String, GitError> {
        let git = self.changing(CHANGE);
        let mut call = git.call().args(["commit-tree", "-F", "-"]);
        for parent in parents {
            call = call.args(["-p", parent]);
        }
        let call = self.as_somebody(call.arg(tree).stdin(message)).await?;
        let output = self.changed_by(&git, call).await?;
        Ok(text(&output.stdout))
    }

    /// Moves a branch from the commit `from` to another. A branch that is no longer there is an error.
    pub async fn move_branch(&self, branch: &str, from: &str, to: &str) -> Result<(), GitError> {
        let name = format!("refs/heads/{branch}");
        self.update_ref(&["-m", "meta-orchestrator", &name, to, from])
            .await
    }

    /// Removes a branch that is at the commit `at`.
    pub async fn delete_branch(&self, branch: &str, at: &str) -> Result<(), GitError> {
        self.update_ref(&["-d", &format!("refs/heads/{branch}"), at])
            .await
    }

    /// Keeps a commit under a name that is no branch: `refs/mo/NAME`.
    pub async fn keep(&self, name: &str, commit: &str) -> Result<(), GitError> {
        self.update_ref(&[&format!("refs/mo/{name}"), commit]).await
    }

    /// The commit that is kept under a name.
    pub async fn kept(&self, name: &str) -> Result<Option<String>, GitError> {
        self.commit_of(&format!("refs/mo/{name}")).await
    }

    /// Keeps it no longer.
    pub async fn forget(&self, name: &str) -> Result<(), GitError> {
        self.update_ref(&["-d", &format!("refs/mo/{name}")]).await
    }

    async fn update_ref(&self, args: &[&str]) -> Result<(), GitError> {
        let git = self.changing(CHANGE);
        let call = git.call().arg("update-ref").args(args.iter().copied());
        self.changed_by(&git, call).await.map(|_| ())
    }

    /// Writes files of a commit in their places, over what stands there. The index is not touched.
    pub async fn write_files(&self, commit: &str, paths: &[&str]) -> Result<(), GitError> {
        let git = self.changing(CHECKOUT);
        let (call, index) = self.in_own_index(&git, commit).await?;
        let mut list = Vec::new();
        for path in paths {
            list.extend_from_slice(path.as_bytes());
            list.push(0);
        }
        if !list.is_empty() {
            let call = call.args(["checkout-index", "--force", "--quiet", "-z", "--stdin"]);
            self.changed_by(&git, call.stdin(list)).await?;
        }
        // what is left of it is written anew at the next call
        let _ = store::remove_file(&index);
        Ok(())
    }

    /// A call for an index of our own, which has what is in `tree`; and that index, to be removed afterwards.
    async fn in_own_index(&self, git: &Git, tree: &str) -> Result<(Call, PathBuf), GitError> {
        let index = self.git_dir().join("mo-index");
        let call = git.call().env("GIT_INDEX_FILE", &index);
        let read = call.clone().args(["read-tree", "--empty"]);
        self.changed_by(git, read).await?;
        let read = call.clone().args(["read-tree", tree]);
        self.changed_by(git, read).await?;
        Ok((call, index))
    }

    /// The ids that files would have in git, by their paths from the root; all must be regular files, without
    /// line breaks in their names.
    pub async fn ids_of_files(&self, paths: &[&str]) -> Result<Vec<String>, GitError> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let git = self.changing(CHANGE);
        let call = git.call().args(["hash-object", "--stdin-paths"]);
        let call = call.stdin(paths.join("\n") + "\n").max_output(LONGEST_LIST);
        let output = self.changed_by(&git, call).await?;
        Ok(text(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// Says who commits, where the user has not.
    async fn as_somebody(&self, call: Call) -> Result<Call, GitError> {
        let known = self.setting("user.name").await?.is_some()
            && self.setting("user.email").await?.is_some();
        if known {
            return Ok(call);
        }
        Ok(call
            .env("GIT_AUTHOR_NAME", NAME)
            .env("GIT_AUTHOR_EMAIL", EMAIL)
            .env("GIT_COMMITTER_NAME", NAME)
            .env("GIT_COMMITTER_EMAIL", EMAIL))
    }

    /// Removes the lock files that a killed git left in this worktree, and at a branch. One that is young, or
    /// whose git may still be at work, stays.
    pub fn clear_locks(&self, branch: &str) -> Result<(), store::StoreError> {
        let of_branch = self.common().join(format!("refs/heads/{branch}.lock"));
        for lock in [
            self.git_dir().join("index.lock"),
            self.git_dir().join("HEAD.lock"),
            of_branch,
        ] {
            let made = lock.symlink_metadata().and_then(|found| found.modified());
            let age = made.ok().and_then(|made| {
                let now = SystemTime::now();
                now.duration_since(made).ok()
            });
            if age.is_some_and(|age| age > YOUNG) && self.nobody_works_here(age) {
                store::remove_file(&lock)?;
            }
        }
        Ok(())
    }

    /// Whether no git works in this worktree. Where the system does not tell, none does for longer than any
    /// call of ours may take.
    fn nobody_works_here(&self, age: Option<Duration>) -> bool {
        let all = process::all();
        if all.is_empty() {
            return age.is_some_and(|age| age > CHECKOUT * 2);
        }
        let is_git = |pid: u32| {
            let found = process::without_arguments(pid);
            found.is_some_and(|found| found.name.starts_with("git") && !found.has_ended())
        };
        !all.into_iter().any(|pid| {
            is_git(pid)
                && match process::working_folder(pid) {
                    Some(at) => at.starts_with(self.root()),
                    // somebody else's, unless it has just ended
                    None => is_git(pid),
                }
        })
    }
}

/// Whether another git holds a lock that was needed.
fn is_locked(output: &Output) -> bool {
    let said = String::from_utf8_lossy(&output.stderr);
    said.contains(".lock': File exists") || said.contains("could not lock config file")
}
