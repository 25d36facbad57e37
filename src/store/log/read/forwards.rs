//! One file, read line by line from its beginning.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Seek, SeekFrom};

use super::{BLOCK, Found};
use crate::store::log::LONGEST_LINE;
use crate::store::log::line::{Why, judge};

#[derive(Debug)]
pub(in crate::store::log) struct Forwards {
    reader: BufReader<File>,
    /// Where the next line begins.
    offset: u64,
    /// Where the line that was read last begins, and whether it has an end.
    line_start: u64,
    ended: bool,
}

impl Forwards {
    /// Reads all of `file`, which is at its beginning.
    pub(in crate::store::log) fn new(file: File) -> Self {
        Self {
            reader: BufReader::with_capacity(BLOCK, file),
            offset: 0,
            line_start: 0,
            ended: true,
        }
    }

    /// How many bytes of the file have been read into lines.
    pub(in crate::store::log) fn offset(&self) -> u64 {
        self.offset
    }

    /// Begins again at the beginning of the file.
    pub(in crate::store::log) fn rewind(&mut self) -> io::Result<()> {
        self.offset = 0;
        self.reader.seek(SeekFrom::Start(0)).map(|_| ())
    }

    /// The next line that has an end; `None` where there is none yet: what has been written of it is read again
    /// by the next call.
    pub(in crate::store::log) fn next_ended(&mut self) -> io::Result<Option<Found>> {
        let found = self.next()?;
        if found.is_some() && self.ended {
            return Ok(found);
        }
        self.offset = self.line_start;
        self.reader.seek(SeekFrom::Start(self.offset))?;
        Ok(None)
    }

    /// The next line; `None` at the end of the file.
    pub(in crate::store::log) fn next(&mut self) -> io::Result<Option<Found>> {
        loop {
            let offset = self.offset;
            let (bytes, has_end) = self.take_line()?;
            (self.line_start, self.ended) = (offset, has_end);
            let text = match bytes {
                Some(bytes) if bytes.is_empty() && !has_end => return Ok(None),
                _ if !has_end => Err(Why::Torn),
                None => Err(Why::TooLong),
                Some(bytes) => match judge(bytes) {
                    Some(text) => text,
                    None => continue,
                },
            };
            return Ok(Some(Found { offset, text }));
        }
    }

    /// What precedes the next line break, and whether there is one; the bytes are `None` if they are more
    /// than a line may have.
    fn take_line(&mut self) -> io::Result<(Option<Vec<u8>>, bool)> {
        let mut line = Some(Vec::new());
        loop {
            let block = match self.reader.fill_buf() {
                Ok(block) => block,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if block.is_empty() {
                return Ok((line, false));
            }
            let end = block.iter().position(|byte| *byte == b'\n');
            let piece = &block[..end.unwrap_or(block.len())];
            if let Some(bytes) = &mut line {
                if bytes.len() + piece.len() > LONGEST_LINE {
                    line = None;
                } else {
                    bytes.extend_from_slice(piece);
                }
            }
            let used = piece.len() + usize::from(end.is_some());
            self.reader.consume(used);
            self.offset += used as u64;
            if end.is_some() {
                return Ok((line, true));
            }
        }
    }
}
