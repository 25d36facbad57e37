//! DOOR to other programs: runs one under a deadline with bounded output, and tells facts about processes.
//!
//! [`Host::run`] is the only way in which this program starts another. Whatever happens (the deadline
//! passes, too much is said, the caller loses interest), the whole process group is killed and reaped, so
//! that weeks of calls leave neither processes nor open files behind. A shell is never involved: arguments
//! arrive as they were given. What comes back is bytes from outside, bounded and not interpreted.
//!
//! It never retries, never inherits the terminal, and never keeps a process beyond its call. `zellij`,
//! `git`, `notify` and `mission` call it. [`process`] holds what can be known about processes that
//! somebody else started, [`mod@file`] reads bounded parts of files that somebody else writes, [`local_zone`] names
//! the machine's time zone.

mod call;
pub mod file;
pub mod process;
mod remains;
mod zone;

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use call::{Call, DEFAULT_MAX_OUTPUT, Ended, Output};
pub use zone::local_zone;

use crate::error::{Failure, Kind};

/// A machine on which programs are run: the local one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host;

impl Host {
    /// The machine on which this program runs.
    pub const fn local() -> Self {
        Self
    }

    /// Runs a program to its end.
    ///
    /// The program is the leader of a process group of its own. The group is killed when the deadline
    /// passes, when one of its outputs grows past the call's bound, and when this future is dropped. A
    /// process that left the group (`setsid`) is beyond reach. The call ends with the program itself: a
    /// process that it left in the background is neither waited for nor killed.
    pub async fn run(&self, call: Call) -> Result<Output, HostError> {
        call::run(call).await
    }

    /// Runs a program to its end, and leaves nothing of it behind.
    ///
    /// As [`Host::run`], but whatever is left of its group is killed when the program ends, and so is, on Linux
    /// and as far as it can be found by an environment variable that the program gets, what left the group: what
    /// took that variable away, or was started by somebody else on the program's behalf, is beyond reach. When it
    /// returns, all that was found is gone, or has had its signal a second ago. A deadline that passes is told
    /// with what was said until then.
    pub async fn run_alone(&self, call: Call) -> Result<Ended, HostError> {
        call::run_alone(call).await
    }

    /// Where the program `name` is, going by the environment variable `PATH`.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        self.find_program_in(name, &std::env::var_os("PATH")?)
    }

    /// Where the program `name` is among the folders of `search`, which is written like `PATH`.
    ///
    /// Folders given relative to the working folder are passed over: what they hold changes with it.
    pub fn find_program_in(&self, name: &str, search: &OsStr) -> Option<PathBuf> {
        if name.is_empty() || name.contains('/') {
            return None;
        }
        std::env::split_paths(search)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .find(|path| is_program(path))
    }
}

/// Whether `path` is a file that somebody may run.
pub fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Why a program did not run to its end.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HostError {
    /// There is no such program.
    #[error("the program `{}` does not exist", program.display())]
    NotFound {
        /// The program as it was called.
        program: PathBuf,
    },
    /// The program is there but could not be started.
    #[error("could not start `{}`", program.display())]
    CannotStart {
        /// The program as it was called.
        program: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The deadline passed; the program and its group were killed.
    #[error("`{}` did not end within {} and was killed", program.display(), in_words(*after))]
    TimedOut {
        /// The program as it was called.
        program: PathBuf,
        /// The deadline that passed.
        after: Duration,
    },
    /// Its output could not be read or its end not awaited; it was killed.
    #[error("lost touch with `{}` while it ran", program.display())]
    Io {
        /// The program as it was called.
        program: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
}

impl From<&HostError> for Failure {
    fn from(error: &HostError) -> Self {
        let (kind, hint) = match error {
            HostError::NotFound { .. } => (
                Kind::Missing,
                "install it, or add its folder to PATH, and try again",
            ),
            HostError::CannotStart { .. } => (
                Kind::Failed,
                "check that the file may be run, that its working folder exists and that the limit on processes is not reached",
            ),
            HostError::TimedOut { .. } => (
                Kind::TimedOut,
                "see what it waits for by running it by hand, or allow it more time",
            ),
            HostError::Io { .. } => (
                Kind::Failed,
                "try again; if it stays, check memory and the limit on open files (ulimit -n)",
            ),
        };
        Self::from_error(kind, error).hint(hint)
    }
}

/// A duration as a person says it: `300 ms`, `5 s`.
pub(crate) fn in_words(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_absolute_folders_alone() {
        let host = Host::local();
        let found = |name: &str, search: &str| host.find_program_in(name, OsStr::new(search));
        assert_eq!(found("sh", "/nowhere:/bin"), Some(PathBuf::from("/bin/sh")));
        for (name, search) in [
            ("sh", "/nowhere"),
            ("sh", ""),
            ("sh", "bin:."),
            ("", "/bin"),
            ("/bin/sh", "/bin"),
            ("../bin/sh", "/usr"),
            ("passwd", "/etc"),
            ("bin", "/"),
        ] {
            assert_eq!(found(name, search), None, "{name} in {search}");
        }
        assert!(host.find_program("sh").is_some());
    }

    #[test]
    fn an_error_says_which_program_and_what_to_do() {
        let failure = Failure::from(&HostError::TimedOut {
            program: "/bin/zellij".into(),
            after: Duration::from_millis(5500),
        });
        assert_eq!(failure.kind, Kind::TimedOut);
        assert_eq!(
            failure.to_string(),
            "`/bin/zellij` did not end within 5.5 s and was killed\n  hint: see what it waits for by running it by hand, or allow it more time"
        );
        let missing = Failure::from(&HostError::NotFound {
            program: "git".into(),
        });
        assert_eq!(missing.kind, Kind::Missing);
    }
}
