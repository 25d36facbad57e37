//! Reading a log, from its newest record or from its oldest, whatever its length.
//!
//! Memory is bounded by one block and one longest line. Both ways yield the same lines, and go on into the
//! logs that were set aside.

pub(super) mod backwards;
pub(super) mod forwards;

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::line::{Foreign, Line, Skipped, Why};
use super::rotation::older_than;
use crate::store::error::{StoreError, Unfit};
use crate::store::path::{open_to_read, resolve};
use backwards::Backwards;
use forwards::Forwards;

/// Bytes read at once.
pub(super) const BLOCK: usize = 64 * 1024;

/// A line in one file: where it begins, and its text or what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    offset: u64,
    text: Result<String, Why>,
}

/// The lines of the log `path`, newest first. A log that is not there has none.
///
/// What is appended after this call is not seen. The iterator ends after an error.
///
/// # Errors
/// No regular file, or the system refuses.
pub fn read_back(path: &Path) -> Result<ReadBack, StoreError> {
    let log = resolve("read", path)?;
    let newest = open_log(&log)?;
    let opened = newest.as_ref().map(|(_, metadata)| metadata.clone());
    let current = newest.map(|(file, metadata)| Backwards::new(file, metadata.len(), BLOCK));
    Ok(ReadBack {
        state: State::new(&log),
        current,
        opened,
        older: None,
        log,
    })
}

/// The lines of the log `path`, oldest first, beginning with those of the logs that were set aside. A log
/// that is not there has none.
///
/// The iterator ends after an error.
///
/// # Errors
/// No regular file, or the system refuses.
pub fn read_forward(path: &Path) -> Result<ReadForward, StoreError> {
    read_forward_since(path, None)
}

/// As [`read_forward`], without the logs that were set aside before `since`; what is older in the others is
/// yielded.
///
/// # Errors
/// No regular file, or the system refuses.
pub fn read_forward_since(
    path: &Path,
    since: Option<DateTime<Utc>>,
) -> Result<ReadForward, StoreError> {
    let log = resolve("read", path)?;
    // Opened first: if it is set aside from here on, it is found among the older ones and left out there.
    let newest = open_log(&log)?;
    let mut older = older_than(&log, newest.as_ref().map(|(_, metadata)| metadata), since)
        .map_err(|error| StoreError::io("look for older parts of", &log, error))?;
    older.reverse();
    Ok(ReadForward {
        state: State::new(&log),
        current: None,
        older,
        newest: newest.map(|(file, _)| file),
        log,
    })
}

pub(super) fn open_log(path: &Path) -> Result<Option<(File, Metadata)>, StoreError> {
    let opened = open_to_read(path).map_err(|error| StoreError::io("read", path, error))?;
    match opened {
        // What is appended to a device is gone: there is nothing to read, or no end of it.
        Some((_, metadata)) if metadata.file_type().is_char_device() => Ok(None),
        Some((_, metadata)) if !metadata.is_file() => {
            Err(StoreError::unfit("read", path, Unfit::NoFile))
        }
        opened => Ok(opened),
    }
}

/// What both readers keep.
#[derive(Debug)]
pub(super) struct State {
    /// The file that is being read.
    pub(super) file: Arc<Path>,
    pub(super) skipped: Skipped,
    is_over: bool,
}

impl State {
    pub(super) fn new(file: &Path) -> Self {
        Self {
            file: file.into(),
            skipped: Skipped::default(),
            is_over: false,
        }
    }

    /// What is yielded for what was found; `None` at the end of this file.
    pub(super) fn yielded(
        &mut self,
        found: io::Result<Option<Found>>,
    ) -> Option<Result<Line, StoreError>> {
        let Found { offset, text } = match found {
            Ok(found) => found?,
            Err(error) => return Some(Err(StoreError::io("read", &self.file, error))),
        };
        Some(Ok(match text {
            Ok(text) => Line::Whole(text),
            Err(why) => {
                self.skipped.count(why);
                let file = Arc::clone(&self.file);
                Line::Foreign(Foreign { why, file, offset })
            }
        }))
    }

    /// Ends the iteration at its end and after an error.
    fn last(&mut self, line: Option<Result<Line, StoreError>>) -> Option<Result<Line, StoreError>> {
        self.is_over = !matches!(line, Some(Ok(_)));
        line
    }
}

/// The lines of a log, newest first: see [`read_back`].
#[derive(Debug)]
pub struct ReadBack {
    state: State,
    log: PathBuf,
    opened: Option<Metadata>,
    current: Option<Backwards>,
    /// The logs that were set aside, the next to be read last; listed once they are needed.
    older: Option<Vec<PathBuf>>,
}

impl ReadBack {
    /// How many lines were skipped so far.
    pub fn skipped(&self) -> Skipped {
        self.state.skipped
    }

    fn advance(&mut self) -> Option<Result<Line, StoreError>> {
        loop {
            if let Some(current) = &mut self.current {
                let found = current.next();
                if let Some(line) = self.state.yielded(found) {
                    return Some(line);
                }
                self.current = None;
            }
            let older = match &mut self.older {
                Some(older) => older,
                None => match older_than(&self.log, self.opened.as_ref(), None) {
                    Ok(older) => self.older.insert(older),
                    Err(error) => {
                        let doing = "look for older parts of";
                        return Some(Err(StoreError::io(doing, &self.log, error)));
                    }
                },
            };
            let path = older.pop()?;
            match open_log(&path) {
                Ok(opened) => {
                    // One that was deleted meanwhile had reached its age.
                    self.current =
                        opened.map(|(file, metadata)| Backwards::new(file, metadata.len(), BLOCK));
                }
                Err(error) => return Some(Err(error)),
            }
            self.state.file = path.into();
        }
    }
}

impl Iterator for ReadBack {
    type Item = Result<Line, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state.is_over {
            return None;
        }
        let line = self.advance();
        self.state.last(line)
    }
}

/// The lines of a log, oldest first: see [`read_forward`].
#[derive(Debug)]
pub struct ReadForward {
    state: State,
    log: PathBuf,
    current: Option<Forwards>,
    /// The logs that were set aside, the next to be read last.
    older: Vec<PathBuf>,
    newest: Option<File>,
}

impl ReadForward {
    /// How many lines were skipped so far.
    pub fn skipped(&self) -> Skipped {
        self.state.skipped
    }

    fn advance(&mut self) -> Option<Result<Line, StoreError>> {
        loop {
            if let Some(current) = &mut self.current {
                let found = current.next();
                if let Some(line) = self.state.yielded(found) {
                    return Some(line);
                }
                self.current = None;
            }
            if let Some(path) = self.older.pop() {
                match open_log(&path) {
                    Ok(opened) => self.current = opened.map(|(file, _)| Forwards::new(file)),
                    Err(error) => return Some(Err(error)),
                }
                self.state.file = path.into();
            } else {
                self.current = Some(Forwards::new(self.newest.take()?));
                self.state.file = self.log.as_path().into();
            }
        }
    }
}

impl Iterator for ReadForward {
    type Item = Result<Line, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state.is_over {
            return None;
        }
        let line = self.advance();
        self.state.last(line)
    }
}
