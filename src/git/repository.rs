//! A repository that is worked in, and what it says of itself.
//!
//! Every call names the repository's folders itself, so that a `.git` file or a setting that an agent wrote leads
//! nowhere else, and where files are compared, all filters are switched off: also the user's own, which read
//! settings of the repository's in their turn. With Git LFS that means pointer files in the mission's worktrees,
//! and commits of what is in them as it is.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::told::{Entry, Listing, Unsaved, Worktree};
use super::{Folders, Git, GitError};
use crate::host::file::read_whole;
use crate::host::{Call, Output};

/// How long a look may take.
const LOOK: Duration = Duration::from_secs(20);
/// The most of a list of files that is read, in bytes.
const LONGEST_LIST: usize = 16 * 1024 * 1024;
/// The most files that a list has.
const MOST_FILES: usize = 10_000;
/// The most worktrees that are looked at.
const MOST_WORKTREES: usize = 5_000;
/// The largest of the little files in which git keeps a path, in bytes.
const LARGEST_LINK: u64 = 16 * 1024;

/// A repository, or one of its worktrees.
#[derive(Debug, Clone)]
pub struct Repository {
    pub(super) git: Git,
    root: PathBuf,
    git_dir: PathBuf,
    common: PathBuf,
}

impl Repository {
    /// The repository that `folder` belongs to; `None` where it belongs to none, or to a bare one.
    ///
    /// # Errors
    /// When there is no git, it refuses, it does not answer in time, or its settings lead to another folder.
    pub async fn open(folder: &Path) -> Result<Option<Self>, GitError> {
        let git = Git::find(folder, LOOK)?;
        let call = git.call().args([
            "rev-parse",
            "--path-format=absolute",
            "--show-toplevel",
            "--absolute-git-dir",
            "--git-common-dir",
        ]);
        let output = git.run(call).await?;
        if !output.succeeded() {
            return git.no_tree(&output).map(|()| None);
        }
        let lines: Vec<PathBuf> = output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(path_of)
            .collect();
        let [root, git_dir, common] = lines.as_slice() else {
            return Err(git.refused(&output));
        };
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let (root, git_dir, common) = (real(root), real(git_dir), real(common));
        // `core.worktree` may name any folder of this machine
        if !real(folder).starts_with(&root) || git_dir_of(&root) != Some(git_dir.clone()) {
            return Err(GitError::Elsewhere {
                folder: folder.to_owned(),
                leads_to: root,
            });
        }
        Ok(Some(Self::new(&git, root, git_dir, common)))
    }

    fn new(git: &Git, root: PathBuf, git_dir: PathBuf, common: PathBuf) -> Self {
        let git = Git {
            folder: root.clone(),
            of: Some(Folders {
                git_dir: git_dir.clone(),
                common: common.clone(),
            }),
            ..git.clone()
        };
        Self {
            git,
            root,
            git_dir,
            common,
        }
    }

    /// The worktree of this repository at `folder`, whatever stands in its `.git` file; `None` where there is
    /// none, or its folder is gone.
    pub fn worktree(&self, folder: &Path) -> Option<Self> {
        let folder = folder.canonicalize().ok()?;
        let git_dir = if main_folder(&self.common).as_ref() == Some(&folder) {
            self.common.clone()
        } else {
            self.git_dir_for(&folder)?
        };
        Some(Self::new(&self.git, folder, git_dir, self.common.clone()))
    }

    /// What git keeps of the worktree at `folder`, which need not exist any more.
    fn git_dir_for(&self, folder: &Path) -> Option<PathBuf> {
        let entries = std::fs::read_dir(self.common.join("worktrees")).ok()?;
        entries
            .take(MOST_WORKTREES)
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .find(|git_dir| {
                let told = read_whole(&git_dir.join("gitdir"), LARGEST_LINK).unwrap_or_default();
                let told = git_dir.join(path_of(told.trim_ascii_end()));
                told.parent().is_some_and(|told| {
                    told == folder || told.canonicalize().is_ok_and(|told| told == folder)
                })
            })
    }

    /// Whether git keeps something of a worktree at `folder`, which need not exist any more.
    pub fn has_worktree_at(&self, folder: &Path) -> bool {
        self.git_dir_for(folder).is_some()
    }

    /// The root of its files, without links in it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that all of its worktrees share: `.git` of the first.
    pub fn common(&self) -> &Path {
        &self.common
    }

    /// What git keeps for this worktree alone.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The branch that is checked out; `None` where a commit is.
    pub async fn current_branch(&self) -> Result<Option<String>, GitError> {
        let asked = self.git.call().args(["symbolic-ref", "--quiet", "HEAD"]);
        let output = self.git.run(asked).await?;
        match output.code {
            Some(0) => {
                let name = text(&output.stdout);
                Ok(name.strip_prefix("refs/heads/").map(str::to_owned))
            }
            Some(1) => Ok(None),
            _ => Err(self.git.refused(&output)),
        }
    }

    /// The id of the commit that `name` (a branch first, else a commit, a tag, `HEAD`) stands for.
    pub async fn commit_of(&self, name: &str) -> Result<Option<String>, GitError> {
        match self.commit_of_branch(name).await? {
            Some(commit) => Ok(Some(commit)),
            None => self.verified(name).await,
        }
    }

    /// The id of the newest commit of a branch.
    pub async fn commit_of_branch(&self, name: &str) -> Result<Option<String>, GitError> {
        self.verified(&format!("refs/heads/{name}")).await
    }

    async fn verified(&self, name: &str) -> Result<Option<String>, GitError> {
        // none of these is in a name; some mean something to git where it looks for one
        if name.is_empty() || name.starts_with('-') || name.contains(['\0', '\n', ':', '^']) {
            return Ok(None);
        }
        let asked = ["rev-parse", "--verify", "--quiet"];
        let asked = self
            .git
            .call()
            .args(asked)
            .arg(format!("{name}^{{commit}}"));
        let output = self.git.run(asked).await?;
        match output.code {
            Some(0) => Ok(Some(text(&output.stdout))),
            Some(1) => Ok(None),
            _ => Err(self.git.refused(&output)),
        }
    }

    /// Whether the history of `newer` has `older` in it.
    pub async fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool, GitError> {
        let asked = ["merge-base", "--is-ancestor", older, newer];
        let output = self.git.run(self.git.call().args(asked)).await?;
        match output.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(self.git.refused(&output)),
        }
    }

    /// The newest commit that two have in common.
    pub async fn merge_base(&self, a: &str, b: &str) -> Result<Option<String>, GitError> {
        let output = self
            .git
            .run(self.git.call().args(["merge-base", a, b]))
            .await?;
        match output.code {
            Some(0) => Ok(Some(text(&output.stdout))),
            Some(1) => Ok(None),
            _ => Err(self.git.refused(&output)),
        }
    }

    /// How many commits `newer` has that `older` has not.
    pub async fn count_between(&self, older: &str, newer: &str) -> Result<usize, GitError> {
        let asked = self.git.call().args(["rev-list", "--count"]);
        let output = self.ask(asked.arg(format!("{older}..{newer}"))).await?;
        Ok(text(&output.stdout).parse().unwrap_or(usize::MAX))
    }

    /// The newest merges on the first line of `branch`, each with what it was made of: at most 10,000.
    pub async fn merges_of(&self, branch: &str) -> Result<Vec<Vec<String>>, GitError> {
        let asked = ["rev-list", "--first-parent", "--merges", "--parents"];
        let asked = self
            .git
            .call()
            .args(asked)
            .args(["-n", "10000", branch, "--"]);
        let output = self.ask(asked.max_output(LONGEST_LIST)).await?;
        let ids = |line: &str| line.split(' ').map(str::to_owned).collect();
        Ok(text(&output.stdout).lines().map(ids).collect())
    }

    /// The files of a commit, at most `most`.
    pub async fn files_of(&self, commit: &str, most: usize) -> Result<Listing, GitError> {
        let asked = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit];
        let call = self.git.call().args(asked).max_output(LONGEST_LIST);
        let output = self.git.run(call).await?;
        if !output.succeeded() && !output.cut {
            return Err(self.git.refused(&output));
        }
        let mut paths = entries(&output);
        let is_cut = output.cut || paths.len() > most;
        paths.truncate(most);
        Ok(Listing { paths, is_cut })
    }

    /// What a commit has in it: all its files, and the commits of submodules.
    ///
    /// # Errors
    /// Also where there are more than `most`.
    pub async fn tree_of(&self, commit: &str, most: usize) -> Result<Vec<Entry>, GitError> {
        let call = self
            .git
            .call()
            .args(["ls-tree", "-r", "-z", "--full-tree", commit]);
        let output = self.ask(call.max_output(4 * LONGEST_LIST)).await?;
        let read = |line: &String| {
            let (fields, path) = line.split_once('\t')?;
            let mut fields = fields.split(' ');
            let (mode, id) = (fields.next()?, fields.nth(1)?);
            Some(Entry::new(mode, id, path))
        };
        let all: Vec<Entry> = entries(&output).iter().filter_map(read).collect();
        if all.len() > most {
            return Err(GitError::TooManyFiles {
                folder: self.root.clone(),
                most,
            });
        }
        Ok(all)
    }

    /// The files that are changed, removed or new and not ignored; at most 10,000. Changes within submodules are
    /// not looked at.
    pub async fn unsaved(&self) -> Result<Vec<Unsaved>, GitError> {
        self.status("--untracked-files=all").await
    }

    /// The same without new files.
    pub async fn changed(&self) -> Result<Vec<Unsaved>, GitError> {
        self.status("--untracked-files=no").await
    }

    async fn status(&self, new: &str) -> Result<Vec<Unsaved>, GitError> {
        let output = self.status_output(new).await?;
        let files = status_entries(&output).map(|(kind, path)| Unsaved {
            path: path.to_string_lossy().into_owned(),
            is_new: kind == b'?',
            is_unmerged: kind == b'u',
        });
        Ok(files.take(MOST_FILES).collect())
    }

    /// All paths of [`Repository::unsaved`], as the system has them.
    pub(super) async fn unsaved_paths(&self) -> Result<Vec<PathBuf>, GitError> {
        let output = self.status_output("--untracked-files=all").await?;
        if output.cut {
            return Err(self.git.refused(&output));
        }
        Ok(status_entries(&output).map(|(_, path)| path).collect())
    }

    async fn status_output(&self, new: &str) -> Result<Output, GitError> {
        let call = self.git.without_filters(self.git.call()).await?.args([
            "status",
            "--porcelain=v2",
            "-z",
            new,
            "--ignore-submodules=dirty",
            "--no-renames",
        ]);
        let output = self.git.run(call.max_output(LONGEST_LIST)).await?;
        if output.succeeded() || output.cut {
            Ok(output)
        } else {
            Err(self.git.refused(&output))
        }
    }

    /// The last commits, newest first, each as `ID DATE SUBJECT` in one line of at most 200 characters without
    /// control characters.
    pub async fn last_commits(&self, from: &str, most: usize) -> Result<Vec<String>, GitError> {
        let asked = ["log", "-z", "--format=%h %cs %s", "--no-color"];
        let call = self.git.call().args(asked).arg(format!("-n{most}"));
        let output = self.ask(call.args([from, "--"])).await?;
        let line = |entry: &String| {
            let plain = entry.chars().filter(|c| !c.is_control());
            plain.take(200).collect()
        };
        Ok(entries(&output).iter().map(line).collect())
    }

    /// The files that differ between two commits.
    pub async fn changed_between(&self, from: &str, to: &str) -> Result<Vec<String>, GitError> {
        self.differing(from, to, "--diff-filter=ABCDMRTUX").await
    }

    /// The files that `to` has and `from` has not.
    pub async fn added_between(&self, from: &str, to: &str) -> Result<Vec<String>, GitError> {
        self.differing(from, to, "--diff-filter=A").await
    }

    async fn differing(&self, from: &str, to: &str, which: &str) -> Result<Vec<String>, GitError> {
        let asked = [
            "diff-tree",
            "-r",
            "-z",
            "--name-only",
            "--no-renames",
            which,
        ];
        let quiet = ["--no-ext-diff", "--no-textconv", "--ignore-submodules=none"];
        let call = self.git.call().args(asked).args(quiet).args([from, to]);
        let output = self.ask(call.max_output(LONGEST_LIST)).await?;
        Ok(entries(&output))
    }

    /// The content of a file of a commit; `None` where there is none, or no more than `most` bytes are to be
    /// read and it has more.
    pub async fn file_of(
        &self,
        commit: &str,
        path: &str,
        most: usize,
    ) -> Result<Option<Vec<u8>>, GitError> {
        let call = self.git.call().args(["cat-file", "blob"]);
        let call = call.arg(format!("{commit}:{path}")).max_output(most);
        let output = self.git.run(call).await?;
        Ok(output.succeeded().then_some(output.stdout))
    }

    /// All worktrees, the first one first.
    pub async fn worktrees(&self) -> Result<Vec<Worktree>, GitError> {
        let asked = ["worktree", "list", "--porcelain", "-z"];
        let call = self.git.call().args(asked).max_output(LONGEST_LIST);
        let output = self.ask(call).await?;
        let mut all = Vec::new();
        for entry in output.stdout.split(|byte| *byte == 0) {
            if let Some(folder) = entry.strip_prefix(b"worktree ") {
                all.push(Worktree {
                    folder: path_of(folder),
                    branch: None,
                    commit: None,
                });
            } else if let Some(last) = all.last_mut() {
                let entry = String::from_utf8_lossy(entry);
                if let Some(branch) = entry.strip_prefix("branch refs/heads/") {
                    last.branch = Some(branch.to_owned());
                } else if let Some(commit) = entry.strip_prefix("HEAD ") {
                    last.commit = Some(commit.to_owned());
                }
            }
        }
        Ok(all)
    }

    /// The value of a setting of one name.
    pub(super) async fn setting(&self, name: &str) -> Result<Option<String>, GitError> {
        let call = self.git.call().args(["config", "--get", name]);
        let output = self.git.run(call).await?;
        let value = Some(text(&output.stdout)).filter(|_| output.succeeded());
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// Runs a call that succeeds where nothing is wrong.
    pub(super) async fn ask(&self, call: Call) -> Result<Output, GitError> {
        let output = self.git.run(call).await?;
        if output.succeeded() {
            Ok(output)
        } else {
            Err(self.git.refused(&output))
        }
    }
}

/// What `git status --porcelain=v2 -z` says: the kind of each change, and its path.
fn status_entries(output: &Output) -> impl Iterator<Item = (u8, PathBuf)> {
    let entries = output.stdout.split(|byte| *byte == 0);
    entries.filter_map(|entry| Some((*entry.first()?, super::mark::path_in(entry)?)))
}

/// Where the `.git` in a folder leads.
fn git_dir_of(root: &Path) -> Option<PathBuf> {
    let at = root.join(".git");
    if at.is_dir() {
        return at.canonicalize().ok();
    }
    let told = read_whole(&at, LARGEST_LINK).ok()?;
    let told = told.strip_prefix(b"gitdir: ")?.trim_ascii_end();
    root.join(path_of(told)).canonicalize().ok()
}

/// The folder whose `.git` the shared folder of a repository is.
fn main_folder(common: &Path) -> Option<PathBuf> {
    let folder = common.parent()?;
    (git_dir_of(folder)? == common).then(|| folder.to_owned())
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

/// The entries of a list with a zero byte behind each.
pub(super) fn entries(output: &Output) -> Vec<String> {
    let entries = output.stdout.split(|byte| *byte == 0);
    entries
        .filter(|entry| !entry.is_empty())
        .map(|entry| String::from_utf8_lossy(entry).into_owned())
        .collect()
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

#[cfg(test)]
mod tests;
