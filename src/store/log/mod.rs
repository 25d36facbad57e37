//! Append-only logs, one record a line.
//!
//! A record counts as written once the system has taken the whole line in one write: from then on the death
//! of this process loses nothing, and a loss of power at most the last second. What a crash or a full disk
//! has torn stays where it is, alone on its line, is skipped by every reader and counted. Several processes
//! may append to one log. A log that has grown too large is set aside under a dated name; readers go on
//! into those as if nothing had happened.
//!
//! [`LogWriter`] appends; [`read_back`] reads from the newest record, [`read_forward`] from the oldest,
//! and [`follow`] goes on as the log grows.

mod appender;
mod follow;
mod line;
mod read;
mod rotation;
mod sync;
mod writer;

pub use follow::{Follow, follow};
pub use line::{Foreign, Line, Skipped, Why};
pub use read::{ReadBack, ReadForward, read_back, read_forward, read_forward_since};
pub use rotation::Rotation;
pub use writer::{LogWriter, LogWriterEnd};

/// The longest record, in bytes: longer ones are refused, and skipped where they stand all the same.
pub const LONGEST_LINE: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
