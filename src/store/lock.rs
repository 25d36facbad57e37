//! Locks between processes that tell who holds them.
//!
//! The kernel keeps the lock and frees it when the holder dies, however it dies; the file's text only says
//! who that is. Nothing here waits: a lock is had at once or refused.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::error::{StoreError, Unfit};
use super::path::{FileId, open_options};
use crate::error::{Failure, Kind};

/// What is read of the holder's text at most, in bytes: it was written by another program.
const LONGEST_HOLDER: u64 = 400;

/// A lock that is held until this is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
}

/// Why a lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another holds it: another process, or this one.
    #[error("`{}` is held by {by}", path.display())]
    Held {
        /// The lock's file.
        path: PathBuf,
        /// What the holder said of itself, one line without control characters.
        by: String,
    },
    /// The file could not be opened, locked or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { .. } => {
                Self::from_error(Kind::Failed, &error).hint("end that one first, or leave it be")
            }
            LockError::Store(error) => error.into(),
        }
    }
}

impl Lock {
    /// Takes the lock `path`, making its file (0600) where it is missing, and leaves `holder` there for
    /// others to read: process id, what it does, since when.
    ///
    /// # Errors
    /// [`LockError::Held`] with the other's text; or the system refuses (some network disks know no locks).
    pub fn acquire(path: &Path, holder: &str) -> Result<Self, LockError> {
        let failed = |error| LockError::Store(StoreError::io("lock", path, error));
        loop {
            // Not through a link: what stands behind it would be overwritten.
            let file = open_options(OFlags::NOFOLLOW)
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path)
                .map_err(failed)?;
            if !file.metadata().map_err(failed)?.is_file() {
                return Err(StoreError::unfit("lock", path, Unfit::NoFile).into());
            }
            match file.try_lock() {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => {
                    return Err(LockError::Held {
                        path: path.to_path_buf(),
                        by: read_holder(&file),
                    });
                }
                Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
            }
            // The last holder may have removed the file after we opened it: then our lock is on a file that
            // nobody else will ever find.
            if is_still_at(path, &file).map_err(failed)? {
                write_holder(&file, holder).map_err(failed)?;
                let path = path.to_path_buf();
                return Ok(Self { path, file });
            }
        }
    }

    /// The lock's file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Lock {
    /// Removes the file while the lock is still held, so that nobody else's is removed.
    fn drop(&mut self) {
        if is_still_at(&self.path, &self.file).unwrap_or(false) {
            let _ = fs::remove_file(&self.path);
        }
        // Closing alone would not do while a child that was just forked has the file open too.
        let _ = self.file.unlock();
    }
}

fn is_still_at(path: &Path, file: &File) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(there) => Ok(FileId::of(&there) == FileId::of(&file.metadata()?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn write_holder(mut file: &File, holder: &str) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{holder}")
}

fn read_holder(file: &File) -> String {
    let mut bytes = Vec::new();
    let _ = file.take(LONGEST_HOLDER).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let text: String = text
        .trim()
        .chars()
        .map(|letter| if is_shown(letter) { letter } else { ' ' })
        .collect();
    if text.is_empty() {
        "another process".to_owned()
    } else {
        text
    }
}

/// Whether a terminal shows the character as itself: no control, no invisible and no bidirectional one.
fn is_shown(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '\\') || letter.escape_debug().len() == 1
}

#[cfg(test)]
mod tests;
