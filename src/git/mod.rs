//! The git program, hardened: what a folder that nobody trusts says to git runs nothing.
//!
//! An agent works in the folders that are looked at, and whoever can write to a repository's configuration can
//! have git run programs: hooks, a file system monitor, filters, diff and merge drivers, a pager, a signer, a
//! transport. All of these are switched off here, and no variable of git's reaches it from outside, in the one
//! place that makes a call of git. It asks for nothing, fetches nothing, and never waits without end.
//!
//! [`work_mark`] only looks. [`Repository`] is what the missions work in: it names the repository's folders
//! itself, so that nothing that stands in a worktree leads git elsewhere, and it changes what it says that it
//! changes. Settings with a name of their own (`filter.NAME.clean`) are asked for and switched off one by one
//! just before a call; somebody who writes one in between, again and again, may win that race.
//!
//! `agent` asks whether work has appeared in a pane's folder; `mission` keeps worktrees, commits and merges.
//! Git 2.38 or newer is needed for merges.

mod mark;
mod repository;
mod told;
mod work;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Failure, Kind};
use crate::host::{Call, Host, HostError, Output};

pub use mark::{WorkMark, work_mark};
pub use repository::Repository;
pub use told::{Entry, Listing, Unsaved, Worktree};
pub use work::{Alone, Merged};

/// How long a look at a folder may take, all calls together.
const DEADLINE: Duration = Duration::from_secs(2);
/// How much of git's output is read, in bytes.
const MAX_OUTPUT: usize = 1024 * 1024;
/// How many settings with names of their own are switched off; with more, the folder is not looked at.
const MAX_FILTERS: usize = 200;

/// What is switched off in every call.
const SETTINGS: [&str; 33] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=keep",
    "core.pager=cat",
    "core.editor=false",
    "sequence.editor=false",
    "core.sshCommand=false",
    "core.askPass=",
    "credential.helper=",
    "diff.external=",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
    "status.submoduleSummary=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "gpg.program=false",
    "gpg.openpgp.program=false",
    "gpg.x509.program=false",
    "gpg.ssh.program=false",
    "gpg.ssh.defaultKeyCommand=false",
    "commit.gpgSign=false",
    "log.showSignature=false",
    "merge.verifySignatures=false",
    "merge.default=text",
    "rerere.enabled=false",
    "worktree.guessRemote=false",
    "worktree.useRelativePaths=false",
    "branch.autoSetupMerge=false",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "core.quotePath=false",
    "advice.graftFileDeprecated=false",
];

/// Settings with names of their own that name a program.
const NAMED: &str = r"^(filter\..*\.(clean|smudge|process|required)|merge\..*\.(driver|recursive)|diff\..*\.(command|textconv)|hook\..*\.(command|enabled))$";

/// Why git did not do what it was asked.
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
    /// Another git has been at work there for longer than is waited for, or was killed there.
    #[error("another git holds the repository of `{}`: {said}", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// The first line of what git said, at most 200 characters.
        said: String,
    },
    /// The repository's configuration names more filters and drivers than can be switched off.
    #[error("the repository of `{}` has more than {MAX_FILTERS} settings of filters", folder.display())]
    TooManyFilters {
        /// The folder it was asked about.
        folder: PathBuf,
    },
    /// It has more files than are looked at.
    #[error("the repository of `{}` has more than {most} files", folder.display())]
    TooManyFiles {
        /// The folder it was asked about.
        folder: PathBuf,
        /// The bound.
        most: usize,
    },
    /// What the repository says of itself leads to another folder.
    #[error("the repository of `{}` says that its files are in `{}`", folder.display(), leads_to.display())]
    Elsewhere {
        /// The folder it was asked about.
        folder: PathBuf,
        /// The other one.
        leads_to: PathBuf,
    },
    /// This git cannot work out a merge beside a working folder.
    #[error("this git is too old to merge; version 2.38 or newer is needed")]
    TooOld,
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
            GitError::Host { source, .. } => {
                let failure = Self::from_error(Kind::Failed, error);
                let inner = Self::from(source);
                return Self {
                    kind: inner.kind,
                    hints: inner.hints,
                    ..failure
                };
            }
            GitError::TimedOut { .. } => (
                Kind::TimedOut,
                "see what it waits for by running `git status` there",
            ),
            GitError::Refused { .. } => (
                Kind::Failed,
                "run `git status` there to see what it is about",
            ),
            GitError::Busy { .. } => (
                Kind::Failed,
                "wait for the other git to end; if there is none, remove the lock file that it names",
            ),
            GitError::TooManyFilters { .. } => (
                Kind::Failed,
                "see `git config --list --show-origin` there, and remove what is not needed",
            ),
            GitError::Elsewhere { .. } => (
                Kind::Failed,
                "see `git config --show-origin core.worktree` there, and who set it",
            ),
            GitError::TooManyFiles { .. } => {
                (Kind::Failed, "set the criterion up in a smaller repository")
            }
            GitError::TooOld => (Kind::Missing, "install a newer git, and try again"),
        };
        Self::from_error(kind, error).hint(hint)
    }
}

/// The git program, for one folder.
#[derive(Debug, Clone)]
struct Git {
    program: PathBuf,
    folder: PathBuf,
    /// The repository's own folders, where they are not left to git to find.
    of: Option<Folders>,
    deadline: Duration,
}

/// The folders of a repository.
#[derive(Debug, Clone)]
struct Folders {
    /// What is the worktree's own: `.git`, or `.git/worktrees/NAME`.
    git_dir: PathBuf,
    /// What all worktrees share.
    common: PathBuf,
}

impl Git {
    fn find(folder: &Path, deadline: Duration) -> Result<Self, GitError> {
        let program = Host::local().find_program("git");
        Ok(Self {
            program: program.ok_or(GitError::NotInstalled)?,
            folder: folder.to_owned(),
            of: None,
            deadline,
        })
    }

    /// A call that takes no lock but for what it is there to change.
    fn call(&self) -> Call {
        self.call_without(std::env::vars_os().map(|(name, _)| name))
    }

    /// The one constructor of a call of git; `outside` are the names of this program's own environment.
    fn call_without(&self, outside: impl Iterator<Item = OsString>) -> Call {
        let outside = outside.filter(|name| name.as_encoded_bytes().starts_with(b"GIT_"));
        let mut call = Call::new(&self.program, self.deadline)
            .cwd(&self.folder)
            .max_output(MAX_OUTPUT);
        for name in outside {
            call = call.env_remove(name);
        }
        for setting in SETTINGS {
            call = call.arg("-c").arg(setting);
        }
        if let Some(of) = &self.of {
            call = call
                .env("GIT_DIR", &of.git_dir)
                .env("GIT_COMMON_DIR", &of.common)
                .env("GIT_WORK_TREE", &self.folder);
        }
        call.arg("--no-pager")
            .arg("--no-optional-locks")
            .arg("--literal-pathspecs")
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_GRAFT_FILE", "/dev/null")
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
        GitError::Refused {
            folder: self.folder.clone(),
            said: first_line(output),
        }
    }

    /// What git refused because the folder is in no work tree; any other refusal is an error.
    fn no_tree(&self, output: &Output) -> Result<(), GitError> {
        let said = String::from_utf8_lossy(&output.stderr);
        let no_tree = ["not a git repository", "must be run in a work tree"];
        if no_tree.iter().any(|part| said.contains(part)) {
            Ok(())
        } else {
            Err(self.refused(output))
        }
    }

    /// A filter or a driver is a command of the repository's, or the user's, that git runs to compare, check out
    /// or merge a file. Each one that is set up is switched off by its name.
    async fn without_filters(&self, call: Call) -> Result<Call, GitError> {
        let asked = self
            .call()
            .args(["config", "-z", "--name-only", "--get-regexp", NAMED]);
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
            call = call
                .env(
                    format!("GIT_CONFIG_KEY_{at}"),
                    OsString::from_vec(name.to_vec()),
                )
                .env(format!("GIT_CONFIG_VALUE_{at}"), off(name));
        }
        Ok(call)
    }
}

/// The value with which a setting of [`NAMED`] runs nothing.
fn off(name: &[u8]) -> &'static str {
    let ends = |end: &str| name.ends_with(end.as_bytes());
    // a driver that fails makes a conflict: whoever asked for one does not want a plain merge
    if ends(".required") || ends(".enabled") || ends(".driver") {
        "false"
    } else if ends(".recursive") {
        "text"
    } else if name.starts_with(b"hook.") {
        "true"
    } else {
        ""
    }
}

/// The line in which git says what is wrong, at most 200 characters, harmless.
fn first_line(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let says = |line: &&str| {
        let aside = ["hint:", "warning:"];
        !line.trim().is_empty() && !aside.iter().any(|word| line.starts_with(word))
    };
    let said = said.lines().find(says).unwrap_or("nothing");
    let plain = |c: &char| !c.is_control();
    said.chars().filter(plain).take(200).collect()
}
