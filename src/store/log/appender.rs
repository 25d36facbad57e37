//! One log that is open for appending.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Seek, Write};
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::line::TORN_MARK;
use crate::store::error::{StoreError, Unfit};
use crate::store::path::{FileId, open_options, resolve};

/// An open log: every line is one write to its end, as it stands at that moment.
#[derive(Debug)]
pub(super) struct Appender {
    /// As it was named.
    path: PathBuf,
    /// What that leads to through symbolic links.
    real: PathBuf,
    file: File,
    id: FileId,
    /// Whether there was no such file before.
    pub(super) is_new: bool,
    /// Where our last whole line ended. While the file is this long its last byte is a line break.
    end: Option<u64>,
}

impl Appender {
    /// Opens the log, and makes it (0600) where it is missing.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::io("open", path, error);
        let real = resolve("open", path)?;
        let mut options = open_options(OFlags::empty());
        // Readable, to see how its last line ends.
        options.read(true).append(true).mode(0o600);
        let (file, is_new) = match options.open(&real) {
            Ok(file) => (file, false),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                (options.create(true).open(&real).map_err(failed)?, true)
            }
            Err(error) => return Err(failed(error)),
        };
        let metadata = file.metadata().map_err(failed)?;
        // A device is no use as a log but does no harm; a pipe would block whoever writes to it.
        if !metadata.is_file() && !metadata.file_type().is_char_device() {
            return Err(StoreError::unfit("open", path, Unfit::NoFile));
        }
        Ok(Self {
            path: path.to_path_buf(),
            real,
            file,
            id: FileId::of(&metadata),
            is_new,
            end: None,
        })
    }

    /// The file itself, links followed.
    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// What stands at the path now; `None` if that is no longer the file that is open here, because it was
    /// removed, set aside or replaced.
    pub(super) fn now(&self) -> Result<Option<Metadata>, StoreError> {
        match fs::metadata(&self.path) {
            Ok(there) => Ok((FileId::of(&there) == self.id).then_some(there)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("append to", &self.path, error)),
        }
    }

    /// Appends `line`, which has no line break, and one. `length` is the file's own, in bytes, just now.
    ///
    /// On an error nothing of it counts as written: what the system had taken of it is cut off again where
    /// that is possible, and otherwise reads as torn.
    pub(super) fn append(&mut self, line: &str, length: u64) -> Result<(), StoreError> {
        let is_torn = self
            .is_torn(length)
            .map_err(|error| StoreError::io("append to", &self.path, error))?;
        let mut bytes = Vec::with_capacity(line.len() + TORN_MARK.len() + 2);
        if is_torn {
            bytes.extend_from_slice(TORN_MARK.as_bytes());
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        match self.write(&bytes) {
            Ok(()) => {
                // Only a guess if others write too; then the next append sees another length and looks.
                self.end = Some(length + bytes.len() as u64);
                Ok(())
            }
            Err(Refused::System(error)) => Err(StoreError::io("append to", &self.path, error)),
            Err(Refused::Interleaved) => Err(StoreError::unfit(
                "append to",
                &self.path,
                Unfit::Interleaved,
            )),
        }
    }

    /// Whether the last line has no end.
    fn is_torn(&self, length: u64) -> io::Result<bool> {
        if length == 0 || self.end == Some(length) {
            return Ok(false);
        }
        let mut last = [0];
        match self.file.read_exact_at(&mut last, length - 1) {
            Ok(()) => Ok(last != *b"\n"),
            // Shortened by somebody this very moment.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// One write, as long as the system takes it whole, which keeps the lines of several processes apart.
    /// The rest is offered only to learn why it was not taken.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let mut taken = 0;
        let mut first_part = None;
        while taken < bytes.len() {
            match self.file.write(&bytes[taken..]) {
                Ok(0) => return self.take_back(taken, ErrorKind::WriteZero.into()),
                Ok(more) => {
                    taken += more;
                    if taken < bytes.len() && first_part.is_none() {
                        first_part = Some((taken as u64, self.position()?));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.take_back(taken, error),
            }
        }
        match first_part {
            Some((part, position)) if self.position()? - position != taken as u64 - part => {
                self.end = None;
                Err(Refused::Interleaved)
            }
            _ => Ok(()),
        }
    }

    /// Where the last write ended: with `O_APPEND` the offset follows it.
    fn position(&mut self) -> Result<u64, Refused> {
        self.file.stream_position().map_err(Refused::System)
    }

    /// Cuts off what was taken of a line, if it still is the end of the file.
    fn take_back(&mut self, taken: usize, why: io::Error) -> Result<(), Refused> {
        self.end = None;
        if taken > 0
            && let Ok(position) = self.file.stream_position()
            && let Ok(metadata) = self.file.metadata()
            && metadata.len() == position
        {
            // Where it fails, the next append and every reader see that the line has no end.
            let _ = self.file.set_len(position - taken as u64);
        }
        Err(Refused::System(why))
    }
}

enum Refused {
    System(io::Error),
    Interleaved,
}
