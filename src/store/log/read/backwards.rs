//! One file, read line by line from its end.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use super::Found;
use crate::store::log::LONGEST_LINE;
use crate::store::log::line::{Why, judge};

/// What has not been yielded yet ends where `held` ends: with a line break, but for the file's very end.
#[derive(Debug)]
pub(in crate::store::log) struct Backwards {
    file: File,
    /// Where in the file `held` begins.
    start: u64,
    held: Vec<u8>,
    /// Bytes to read at once.
    block: usize,
    /// Nothing has been looked at: the last line may have no end.
    is_at_end: bool,
}

impl Backwards {
    /// Reads the first `length` bytes of `file`, `block` (at least 1) at a time.
    pub(in crate::store::log) fn new(file: File, length: u64, block: usize) -> Self {
        Self {
            file,
            start: length,
            held: Vec::new(),
            block,
            is_at_end: true,
        }
    }

    /// The line before the last one that was yielded; `None` at the beginning of the file.
    pub(in crate::store::log) fn next(&mut self) -> io::Result<Option<Found>> {
        loop {
            if self.held.is_empty() && !self.load()? {
                return Ok(None);
            }
            let is_torn = self.is_at_end && self.held.last() != Some(&b'\n');
            self.is_at_end = false;
            if !is_torn {
                self.held.pop();
            }
            let (begins_at, bytes) = self.take_line()?;
            let offset = self.start + begins_at as u64;
            let text = match bytes {
                _ if is_torn => Err(Why::Torn),
                None => Err(Why::TooLong),
                Some(bytes) => match judge(bytes) {
                    Some(text) => text,
                    None => continue,
                },
            };
            return Ok(Some(Found { offset, text }));
        }
    }

    /// Takes off `held` all that follows its last line break, loading more as needed, and tells where in
    /// `held` that begins; the bytes are `None` if they are more than a line may have.
    fn take_line(&mut self) -> io::Result<(usize, Option<Vec<u8>>)> {
        let mut is_too_long = false;
        let mut searched = 0;
        loop {
            let unsearched = self.held.len() - searched;
            if let Some(at) = last_break(&self.held[..unsearched]) {
                let bytes = self.held.split_off(at + 1);
                return Ok((at + 1, (!is_too_long).then_some(bytes)));
            }
            searched = self.held.len();
            if searched > LONGEST_LINE {
                is_too_long = true;
                self.held.clear();
                searched = 0;
            }
            if !self.load()? {
                let bytes = std::mem::take(&mut self.held);
                return Ok((0, (!is_too_long).then_some(bytes)));
            }
        }
    }

    /// Puts the block before `held` in front of it; false at the beginning of the file.
    fn load(&mut self) -> io::Result<bool> {
        let size = usize::try_from(self.start).map_or(self.block, |start| start.min(self.block));
        if size == 0 {
            return Ok(false);
        }
        let start = self.start - size as u64;
        let mut block = vec![0; size];
        match self.file.read_exact_at(&mut block, start) {
            Ok(()) => {}
            // Shortened by somebody since it was opened: nothing here can be trusted to be a line's end.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                self.start = 0;
                self.held.clear();
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        block.append(&mut self.held);
        self.held = block;
        self.start = start;
        Ok(true)
    }
}

fn last_break(bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|byte| *byte == b'\n')
}
