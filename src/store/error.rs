//! Why a file could not be read, written or locked.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::{Failure, Kind};

/// What was being done, to which file, and why it did not work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was being done, as it follows "could not": `read`, `write` ...
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file or the text is not of a kind that may be read or written here.
    #[error("could not {action} `{}`: {why}", path.display())]
    Unfit {
        /// What was being done, as it follows "could not".
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// What is wrong.
        why: Unfit,
    },
}

/// What makes a file or a text unfit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A folder, a pipe, a socket or a device.
    #[error("it is no regular file")]
    NoFile,
    /// The path ends in `..` or is empty.
    #[error("the path names no file")]
    NoName,
    /// Symbolic links that lead to each other.
    #[error("its symbolic links lead nowhere")]
    LinkLoop,
    /// The content is not text.
    #[error("it is not UTF-8 text")]
    NotUtf8,
    /// The file is larger than whoever reads it can make use of.
    #[error("it is larger than {limit} bytes")]
    TooBig {
        /// The bound that was passed.
        limit: u64,
    },
    /// A record with a line break inside would be read back as two.
    #[error("the record contains a line break")]
    LineBreak,
    /// A record that readers would skip as too long.
    #[error("the record is longer than {limit} bytes")]
    LineTooLong {
        /// The bound that was passed.
        limit: usize,
    },
    /// A record that readers would take for one torn by a crash.
    #[error("the record ends like one that was torn by a crash")]
    LooksTorn,
    /// An empty line is no record.
    #[error("the record is empty")]
    EmptyLine,
    /// Another process's line fell between two parts of ours.
    #[error("another process wrote into the middle of the record")]
    Interleaved,
    /// The log writer was closed.
    #[error("the log writer has stopped")]
    WriterStopped,
    /// `PATH.new` and all its numbered fellows are there already.
    #[error("too many unsaved versions (`.new`) stand beside it")]
    TooManyBeside,
}

impl StoreError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        Self::Io {
            action,
            path,
            source,
        }
    }

    pub(super) fn unfit(action: &'static str, path: &Path, why: Unfit) -> Self {
        let path = path.to_path_buf();
        Self::Unfit { action, path, why }
    }

    /// The file that it is about.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. } | Self::Unfit { path, .. } => path,
        }
    }

    /// Whether there is no room left: the disk, or the share of it that this user may fill.
    pub fn is_disk_full(&self) -> bool {
        matches!(
            self.io_kind(),
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
        )
    }

    fn io_kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            Self::Unfit { .. } => None,
        }
    }

    /// What to do next, where that can be told.
    fn hint(&self) -> Option<String> {
        let path = self.path();
        let folder = super::path::folder_of(path).display();
        if self.is_disk_full() {
            return Some(format!("make room on the disk: `df -h {folder}` shows it"));
        }
        match self.io_kind()? {
            ErrorKind::PermissionDenied => Some(format!(
                "`ls -ld {folder} {}` shows who may read and write there",
                path.display()
            )),
            ErrorKind::NotFound => Some(format!("is the folder there? `mkdir -p {folder}`")),
            ErrorKind::ReadOnlyFilesystem => {
                Some("the disk is mounted read-only; choose another place".to_owned())
            }
            ErrorKind::FileTooLarge => {
                Some("`ulimit -f` shows how large a file may become".to_owned())
            }
            _ => None,
        }
    }
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        let failure = Self::from_error(Kind::Failed, error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: ErrorKind) -> Failure {
        let error = StoreError::io("write", Path::new("/logs/a.jsonl"), kind.into());
        Failure::from(error)
    }

    #[test]
    fn a_failure_says_what_was_done_to_what_why_and_what_to_do() {
        assert_eq!(
            failure(ErrorKind::StorageFull).to_string(),
            "could not write `/logs/a.jsonl`\n  because: no storage space\n  hint: make room on the disk: `df -h /logs` shows it"
        );
        assert_eq!(
            failure(ErrorKind::PermissionDenied).hints,
            ["`ls -ld /logs /logs/a.jsonl` shows who may read and write there"]
        );
        assert_eq!(
            failure(ErrorKind::NotFound).hints,
            ["is the folder there? `mkdir -p /logs`"]
        );
        assert_eq!(failure(ErrorKind::Other).hints, Vec::<String>::new());
    }

    #[test]
    fn a_full_disk_and_a_full_quota_are_both_a_full_disk() {
        for (kind, full) in [
            (ErrorKind::StorageFull, true),
            (ErrorKind::QuotaExceeded, true),
            (ErrorKind::PermissionDenied, false),
        ] {
            let error = StoreError::io("write", Path::new("a"), kind.into());
            assert_eq!(error.is_disk_full(), full, "{kind:?}");
        }
    }
}
