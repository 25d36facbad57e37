//! One line of a log: a record, or something that is none.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::LONGEST_LINE;
use crate::store::error::Unfit;

/// What follows a line that was torn, so that it is never taken for a whole one later: a cut can fall
/// exactly between a record and its line break. Readable, and no NUL, so that grep still sees a text.
pub(super) const TORN_MARK: &str = " #torn";

/// One line as a reader finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A record, without its line break; what it says is the caller's to judge.
    Whole(String),
    /// No record; it was skipped and stays in the file.
    Foreign(Foreign),
}

/// A line that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// What is wrong with it.
    pub why: Why,
    /// The file in which it stands: the log, or one that was set aside.
    pub file: Arc<Path>,
    /// Where it begins, in bytes from the file's beginning.
    pub offset: u64,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It has no end: a crash or a full disk cut it off (or it is being written this moment).
    Torn,
    /// It is no text.
    NotUtf8,
    /// It is longer than [`LONGEST_LINE`].
    TooLong,
}

/// How many lines a reader skipped, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Lines without an end.
    pub torn: u64,
    /// Lines that are no text.
    pub not_utf8: u64,
    /// Lines longer than [`LONGEST_LINE`].
    pub too_long: u64,
}

impl Skipped {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.torn + self.not_utf8 + self.too_long
    }

    pub(super) fn count(&mut self, why: Why) {
        match why {
            Why::Torn => self.torn += 1,
            Why::NotUtf8 => self.not_utf8 += 1,
            Why::TooLong => self.too_long += 1,
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = [
            (self.torn, "torn"),
            (self.not_utf8, "not UTF-8"),
            (self.too_long, "too long"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        out.write_str(if parts.is_empty() { "none" } else { "" })?;
        out.write_str(&parts.join(", "))
    }
}

/// What a line's bytes are, without their line break; `None` for what is neither a record nor worth a
/// report: an empty line, or a mark that stands alone because the line before it, which another process was
/// still writing, turned out whole.
pub(super) fn judge(bytes: Vec<u8>) -> Option<Result<String, Why>> {
    if bytes.is_empty() || bytes == TORN_MARK.as_bytes() {
        None
    } else if bytes.len() > LONGEST_LINE {
        Some(Err(Why::TooLong))
    } else if bytes.ends_with(TORN_MARK.as_bytes()) {
        Some(Err(Why::Torn))
    } else {
        Some(String::from_utf8(bytes).map_err(|_| Why::NotUtf8))
    }
}

/// Whether `text` would be read back as the one record that it is.
pub(super) fn check(text: &str) -> Result<(), Unfit> {
    if text.is_empty() {
        Err(Unfit::EmptyLine)
    } else if text.len() > LONGEST_LINE {
        let limit = LONGEST_LINE;
        Err(Unfit::LineTooLong { limit })
    } else if text.contains('\n') {
        Err(Unfit::LineBreak)
    } else if text.ends_with(TORN_MARK) {
        Err(Unfit::LooksTorn)
    } else {
        Ok(())
    }
}
