//! A log that is read from its oldest record on, and then as it grows.
//!
//! Rotation is followed: what was still written to a file before it was set aside is read first, then those that
//! were set aside after it, then the new one. A line that has no end yet is left until it has.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::line::{Line, Skipped};
use super::read::forwards::Forwards;
use super::read::{State, open_log};
use super::rotation::{older_than, set_aside_between};
use crate::store::error::StoreError;
use crate::store::path::{FileId, resolve};

/// The lines of a log, oldest first, and those that come: see [`follow`].
#[derive(Debug)]
pub struct Follow {
    state: State,
    log: PathBuf,
    current: Option<(Forwards, FileId)>,
    /// Those to be read next: logs that were set aside.
    older: VecDeque<PathBuf>,
    /// The one to be read after those.
    newest: Option<(File, FileId)>,
    since: Option<DateTime<Utc>>,
}

/// Follows the log `path`, which need not be there yet, from its oldest record on; without the logs that were
/// set aside before `since`.
///
/// # Errors
/// The path leads nowhere.
pub fn follow(path: &Path, since: Option<DateTime<Utc>>) -> Result<Follow, StoreError> {
    let log = resolve("read", path)?;
    Ok(Follow {
        state: State::new(&log),
        current: None,
        older: VecDeque::new(),
        newest: None,
        since,
        log,
    })
}

impl Follow {
    /// How many lines were skipped so far.
    pub fn skipped(&self) -> Skipped {
        self.state.skipped
    }

    /// The next line; `None` where there is none for now: a later call may have one.
    ///
    /// # Errors
    /// No regular file, or the system refuses.
    pub fn next_line(&mut self) -> Result<Option<Line>, StoreError> {
        loop {
            if let Some(line) = self.next_of_current()? {
                return Ok(Some(line));
            }
            if !self.turn()? {
                return Ok(None);
            }
        }
    }

    fn next_of_current(&mut self) -> Result<Option<Line>, StoreError> {
        let log = &self.log;
        let Some((lines, id)) = &mut self.current else {
            return Ok(None);
        };
        let found = match lines.next_ended() {
            // set aside: nothing comes behind what is there now, with an end or without
            Ok(None) if !is_at(log, *id, lines) => lines.next(),
            found => found,
        };
        self.state.yielded(found).transpose()
    }

    /// Goes on to the next file, if there is one.
    fn turn(&mut self) -> Result<bool, StoreError> {
        if self.older.is_empty() && self.newest.is_none() {
            self.look()?;
        }
        while let Some(path) = self.older.pop_front() {
            // one that was deleted meanwhile had reached its age
            if let Some((file, metadata)) = open_log(&path)? {
                self.current = Some((Forwards::new(file), FileId::of(&metadata)));
                self.state.file = path.into();
                return Ok(true);
            }
        }
        let Some((file, id)) = self.newest.take() else {
            return Ok(false);
        };
        self.current = Some((Forwards::new(file), id));
        self.state.file = self.log.as_path().into();
        Ok(true)
    }

    /// Looks for files that come after the one that is being read.
    fn look(&mut self) -> Result<(), StoreError> {
        let failed = |error| StoreError::io("look for parts of", &self.log, error);
        let read = self.current.as_ref().map(|(_, id)| *id);
        // opened first, as in reading forwards
        let newest = open_log(&self.log)?;
        let metadata = newest.as_ref().map(|(_, metadata)| metadata);
        if read.is_some() && metadata.map(FileId::of) == read {
            return Ok(());
        }
        let older = match read {
            Some(read) => set_aside_between(&self.log, read, metadata),
            None => older_than(&self.log, metadata, self.since),
        };
        self.older = older.map_err(failed)?.into();
        self.newest = newest.map(|(file, metadata)| (file, FileId::of(&metadata)));
        Ok(())
    }
}

/// Whether the file is still the log itself. One that became shorter is read from its beginning.
fn is_at(log: &Path, id: FileId, lines: &mut Forwards) -> bool {
    let there = match fs::metadata(log) {
        Ok(there) => there,
        Err(error) => return error.kind() != io::ErrorKind::NotFound,
    };
    let is_it = FileId::of(&there) == id;
    if is_it && there.len() < lines.offset() {
        let _ = lines.rewind();
    }
    is_it
}
