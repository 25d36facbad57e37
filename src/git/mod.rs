//! The git program, hardened: what a folder that nobody trusts says to git runs nothing.
//!
//! An agent works in the folders that are looked at, and whoever can write to a repository's configuration can
//! have git run programs: hooks, a file system monitor, filters, diff drivers, a pager, a transport. All of
//! these are switched off here, and no variable of git's reaches it from outside, in the one place that makes
//! a call of git. It asks for nothing, waits for no lock, and changes nothing in the repository.
//!
//! It never writes, fetches, or asks a person. `agent` asks it whether work has appeared in a pane's folder;
//! later `mission` will keep worktrees with it.

mod repository;

use std::ffi::OsString;
use std::hash::Hasher;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fnv::FnvHasher;

use crate::error::{Failure, Kind};
use crate::host::{Call, Host, HostError, Output};

pub use repository::{Listing, Repository, Unsaved, Worktree};

/// How long a look at a folder may take, all calls together.
const DEADLINE: Duration = Duration::from_secs(2);
/// How much of git's output is read, in bytes.
const MAX_OUTPUT: usize = 1024 * 1024;
/// How many changed files are looked at for their time and size.
const MAX_FILES: usize = 10_000;
/// How many settings of filters are switched off; with more, the folder is not looked at.
const MAX_FILTERS: usize = 200;

/// What is switched off in every call.
const SETTINGS: [&str; 14] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=keep",
    "core.pager=cat",
    "core.editor=false",
    "core.sshCommand=false",
    "core.askPass=",
    "credential.helper=",
    "diff.external=",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
    "status.submoduleSummary=false",
    "submodule.recurse=false",
    "gc.auto=0",
];

/// Why git did not say what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GitError {
    /// There is no git.
    #[error("git is not installed, or not in a folder of PATH")]
    NotInstalled,
    /// It could not be run to its end.
    #[error("cannot ask git about `{}`", folder.display())]
    Host {
        /// The folder it was asked about.
        folder: PathBuf,
        /// What became of it.
        source: HostError,
    },
    /// The deadline for all calls together passed.
    #[error("git did not tell about `{}` within {} s", folder.display(), DEADLINE.as_secs())]
    TimedOut {
        /// The folder it was asked about.
        folder: PathBuf,
    },
    /// It refused.
    #[error("git says of `{}`: {said}", folder.display())]
    Refused {
        /// The folder it was asked about.
        folder: PathBuf,
        /// The first line of what it said, at most 200 characters.
        said: String,
    },
    /// The repository's configuration names more filters than can be switched off.
    #[error("the repository of `{}` has more than {MAX_FILTERS} settings of filters", folder.display())]
    TooManyFilters {
        /// The folder it was asked about.
        folder: PathBuf,
    },
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        Self::from(&error)
    }
}

impl From<&GitError> for Failure {
    fn from(error: &GitError) -> Self {
        let (kind, hint) = match error {
            GitError::NotInstalled => (
                Kind::Missing,
                "install git, or add its folder to PATH, and try again",
            ),
            GitError::Host { source, .. } => return Self::from(source),
            GitError::TimedOut { .. } => (
                Kind::TimedOut,
                "see what it waits for by running `git status` there",
            ),
            GitError::Refused { .. } => (
                Kind::Failed,
                "run `git status` there to see what it is about",
            ),
            GitError::TooManyFilters { .. } => (
                Kind::Failed,
                "see `git config --list --show-origin` there, and remove what is not needed",
            ),
        };
        Self::from_error(kind, error).hint(hint)
    }
}

/// What a folder's repository is like at one moment, to tell later whether work has appeared in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkMark {
    /// The commit that is checked out; `None` before the first.
    pub commit: Option<String>,
    /// A hash of all changes that are not committed: which files, how, their times and sizes.
    pub changes: u64,
    /// How many files are changed, added, removed or new. At least so many where they are very many.
    pub changed_files: usize,
}

/// The state of the repository that `folder` belongs to, of all of it. `None` where it belongs to none.
///
/// # Errors
/// When there is no git, it refuses, or it does not answer within 2 s.
pub async fn work_mark(folder: &Path) -> Result<Option<WorkMark>, GitError> {
    let git = Git::find(folder)?;
    match tokio::time::timeout(DEADLINE, git.work_mark()).await {
        Ok(found) => found,
        Err(_) => Err(GitError::TimedOut {
            folder: folder.to_owned(),
        }),
    }
}

/// The git program, for one folder.
struct Git {
    program: PathBuf,
    folder: PathBuf,
}

impl Git {
    fn find(folder: &Path) -> Result<Self, GitError> {
        let program = Host::local().find_program("git");
        Ok(Self {
            program: program.ok_or(GitError::NotInstalled)?,
            folder: folder.to_owned(),
        })
    }

    fn call(&self) -> Call {
        self.call_without(std::env::vars_os().map(|(name, _)| name))
    }

    /// The one constructor of a call of git; `outside` are the names of this program's own environment.
    fn call_without(&self, outside: impl Iterator<Item = OsString>) -> Call {
        let outside = outside.filter(|name| name.as_encoded_bytes().starts_with(b"GIT_"));
        let mut call = Call::new(&self.program, DEADLINE)
            .cwd(&self.folder)
            .max_output(MAX_OUTPUT);
        for name in outside {
            call = call.env_remove(name);
        }
        for setting in SETTINGS {
            call = call.arg("-c").arg(setting);
        }
        call.arg("--no-pager")
            .arg("--no-optional-locks")
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env_remove("SSH_ASKPASS")
            .env_remove("PAGER")
    }

    async fn run(&self, call: Call) -> Result<Output, GitError> {
        let run = Host::local().run(call).await;
        run.map_err(|source| GitError::Host {
            folder: self.folder.clone(),
            source,
        })
    }

    fn refused(&self, output: &Output) -> GitError {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("nothing");
        let plain = |c: &char| !c.is_control();
        GitError::Refused {
            folder: self.folder.clone(),
            said: said.chars().filter(plain).take(200).collect(),
        }
    }

    async fn work_mark(&self) -> Result<Option<WorkMark>, GitError> {
        let asked = self.call().args(["rev-parse", "--show-toplevel"]);
        let root = self.run(asked).await?;
        if !root.succeeded() {
            let said = String::from_utf8_lossy(&root.stderr);
            let no_tree = ["not a git repository", "must be run in a work tree"];
            return if no_tree.iter().any(|part| said.contains(part)) {
                Ok(None)
            } else {
                Err(self.refused(&root))
            };
        }
        let root = root.stdout.strip_suffix(b"\n").unwrap_or(&root.stdout);
        let root = PathBuf::from(OsString::from_vec(root.to_vec()));
        let call = self.without_filters(self.call()).await?.args([
            "status",
            "--porcelain=v2",
            "--branch",
            "-z",
            "--untracked-files=all",
            "--ignore-submodules=all",
            "--no-renames",
        ]);
        let status = self.run(call).await?;
        // cut at the bound, it is still the same for the same changes
        if !status.succeeded() && !status.cut {
            return Err(self.refused(&status));
        }
        let marked = tokio::task::spawn_blocking(move || mark(&root, &status.stdout)).await;
        marked.map(Some).map_err(|_| GitError::TimedOut {
            folder: self.folder.clone(),
        })
    }

    /// A filter is a command of the repository's, or the user's, that git runs to compare a file. Each one
    /// that is set up is switched off by its name.
    async fn without_filters(&self, call: Call) -> Result<Call, GitError> {
        let pattern = r"^filter\..*\.(clean|smudge|process|required)$";
        let asked = self
            .call()
            .args(["config", "-z", "--name-only", "--get-regexp", pattern]);
        let output = self.run(asked).await?;
        // exit code 1: none is set
        if output.code == Some(1) {
            return Ok(call);
        }
        if !output.succeeded() {
            return Err(self.refused(&output));
        }
        let mut names: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        names.dedup();
        if names.len() > MAX_FILTERS {
            return Err(GitError::TooManyFilters {
                folder: self.folder.clone(),
            });
        }
        let mut call = call.env("GIT_CONFIG_COUNT", names.len().to_string());
        for (at, name) in names.iter().enumerate() {
            let off = if name.ends_with(b".required") {
                "false"
            } else {
                ""
            };
            call = call
                .env(
                    format!("GIT_CONFIG_KEY_{at}"),
                    OsString::from_vec(name.to_vec()),
                )
                .env(format!("GIT_CONFIG_VALUE_{at}"), off);
        }
        Ok(call)
    }
}

/// Reads `git status --porcelain=v2 --branch -z`, and asks the files it names for their times and sizes.
fn mark(root: &Path, status: &[u8]) -> WorkMark {
    let mut commit = None;
    let mut changed_files = 0;
    let mut hasher = FnvHasher::default();
    for entry in status
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
    {
        if let Some(header) = entry.strip_prefix(b"# ") {
            if let Some(oid) = header
                .strip_prefix(b"branch.oid ")
                .filter(|oid| *oid != b"(initial)")
            {
                commit = Some(String::from_utf8_lossy(oid).into_owned());
            }
            continue;
        }
        changed_files += 1;
        hasher.write(entry);
        hasher.write_u8(0);
        let found = path_in(entry)
            .filter(|_| changed_files <= MAX_FILES)
            .and_then(|path| root.join(path).symlink_metadata().ok());
        if let Some(found) = found {
            hasher.write_i64(found.mtime());
            hasher.write_i64(found.mtime_nsec());
            hasher.write_u64(found.len());
        }
    }
    WorkMark {
        commit,
        changes: hasher.finish(),
        changed_files,
    }
}

/// The path in an entry of the status: behind as many fields as its kind has.
fn path_in(entry: &[u8]) -> Option<PathBuf> {
    let fields = match entry.first()? {
        b'1' => 8,
        b'u' => 10,
        b'?' => 1,
        _ => return None,
    };
    let path = entry.splitn(fields + 1, |byte| *byte == b' ').nth(fields)?;
    Some(PathBuf::from(OsString::from_vec(path.to_vec())))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the repositories of the tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use tempfile::TempDir;

    use super::*;

    /// A repository with one commit of `a` and `b`.
    struct Repository {
        folder: TempDir,
    }

    impl Repository {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let repository = Self { folder };
            repository.git(&["init", "-q"]);
            repository.write("a", "one\n");
            repository.write("b", "one\n");
            repository.commit("first");
            repository
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        /// Git as anybody calls it.
        fn git(&self, args: &[&str]) {
            let mut git = Command::new("git");
            git.args(args).current_dir(self.folder.path());
            for (name, _) in std::env::vars_os() {
                if name.as_encoded_bytes().starts_with(b"GIT_") {
                    git.env_remove(name);
                }
            }
            assert!(git.output().unwrap().status.success(), "git {args:?}");
        }

        fn commit(&self, message: &str) {
            self.git(&["add", "-A"]);
            let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
            self.git(&[&who[..], &["commit", "-qm", message]].concat());
        }

        /// A program of the repository's owner that leaves `name` behind when it is run.
        fn trap(&self, at: &str, name: &str) -> String {
            let left = self.path(name);
            let text = format!("#!/bin/sh\ntouch '{}'\nexec cat\n", left.display());
            self.write(at, &text);
            let path = self.path(at);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path.to_string_lossy().into_owned()
        }

        async fn mark(&self) -> WorkMark {
            work_mark(self.folder.path()).await.unwrap().unwrap()
        }
    }

    #[tokio::test]
    async fn commits_and_changed_files_change_the_mark_and_nothing_else_does() {
        let repository = Repository::new();
        let clean = repository.mark().await;
        assert_eq!(clean.changed_files, 0);
        assert_eq!(clean.commit.as_ref().unwrap().len(), 40);
        assert_eq!(repository.mark().await, clean);
        repository.write("a", "two, longer\n");
        let changed = repository.mark().await;
        assert_eq!((changed.changed_files, &changed.commit), (1, &clean.commit));
        assert_ne!(changed, clean);
        // the same file again, though git says the same of it
        repository.write("a", "three, even longer\n");
        let again = repository.mark().await;
        assert_eq!(again.changed_files, 1);
        assert_ne!(again.changes, changed.changes);
        repository.write("new folder/ü b\n.txt", "x");
        let new = repository.mark().await;
        assert_eq!(new.changed_files, 2);
        repository.write("new folder/ü b\n.txt", "longer");
        assert_ne!(
            repository.mark().await,
            new,
            "a file that git does not know yet"
        );
        repository.commit("second");
        let committed = repository.mark().await;
        assert_ne!(committed.commit, clean.commit);
        assert_eq!(committed.changes, clean.changes);
        // the folder may be any of the repository's
        let below = work_mark(&repository.path("new folder")).await;
        assert_eq!(below.unwrap(), Some(committed));
    }

    #[tokio::test]
    async fn a_folder_outside_git_and_an_empty_repository_are_no_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(work_mark(folder.path()).await.unwrap(), None);
        let bare = folder.path().join("bare");
        let made = Command::new("git")
            .args(["init", "-q", "--bare"])
            .arg(&bare)
            .status();
        assert!(made.unwrap().success());
        assert!(!matches!(work_mark(&bare).await, Ok(Some(_))));
        let empty = folder.path().join("empty");
        let made = Command::new("git")
            .args(["init", "-q"])
            .arg(&empty)
            .status();
        assert!(made.unwrap().success());
        let mark = work_mark(&empty).await.unwrap().unwrap();
        assert_eq!((mark.commit, mark.changed_files), (None, 0));
        let missing = work_mark(Path::new("/nowhere")).await.unwrap_err();
        assert!(matches!(missing, GitError::Host { .. }), "{missing}");
    }

    #[tokio::test]
    async fn a_hostile_repository_runs_nothing() {
        let repository = Repository::new();
        let monitor = repository.trap("traps/monitor", "left/monitor");
        let filter = repository.trap("traps/filter", "left/filter");
        repository.trap(".git/hooks/post-index-change", "left/hook");
        std::fs::create_dir_all(repository.path("left")).unwrap();
        repository.git(&["config", "core.fsmonitor", &monitor]);
        repository.git(&["config", "filter.x y=z.clean", &filter]);
        repository.git(&["config", "filter.x y=z.required", "true"]);
        repository.write(".git/info/attributes", "a filter=x\\ y=z\nb filter=e\n");
        repository.git(&["config", "filter.e.process", &filter]);
        let left = || {
            let names = std::fs::read_dir(repository.path("left")).unwrap();
            let mut names: Vec<_> = names.map(|name| name.unwrap().file_name()).collect();
            names.sort();
            names
        };
        // as long as before, so that git must look inside
        let touch = |text: &str| {
            repository.write("a", text);
            repository.write("b", text);
        };
        touch("two\n");
        let mark = repository.mark().await;
        assert_eq!(left(), Vec::<OsString>::new());
        // the traps, and both files
        assert_eq!(mark.changed_files, 4);
        // the control: anybody else's git runs all of them
        touch("one\n");
        let status = Command::new("git")
            .arg("status")
            .current_dir(repository.folder.path())
            .output();
        let _ = status.unwrap();
        assert_eq!(left(), ["filter", "hook", "monitor"]);
    }

    #[test]
    fn no_variable_of_gits_comes_in_from_outside() {
        let git = Git::find(Path::new("/")).unwrap();
        let outside = ["GIT_DIR", "GIT_EXTERNAL_DIFF", "HOME"].map(OsString::from);
        let call = format!("{:?}", git.call_without(outside.into_iter()));
        assert!(call.contains(r#"("GIT_DIR", None)"#), "{call}");
        assert!(call.contains(r#"("GIT_EXTERNAL_DIFF", None)"#), "{call}");
        assert!(!call.contains(r#"("HOME", None)"#), "{call}");
    }

    #[test]
    fn any_output_of_git_gives_a_mark() {
        let root = Path::new("/nowhere");
        for (status, files) in [
            (&b""[..], 0),
            (b"# branch.oid (initial)\0", 0),
            (b"1\0? \0u x\0!\0\xff\0", 5),
            (b"? a b\0? c", 2),
        ] {
            let found = mark(root, status);
            assert_eq!((found.commit, found.changed_files), (None, files));
        }
        assert_eq!(path_in(b"? a b"), Some("a b".into()));
        let changed = b"1 .M N... 100644 100644 100644 1111 2222 a b";
        assert_eq!(path_in(changed), Some("a b".into()));
    }
}
