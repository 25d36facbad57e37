//! Where what is read goes, bit by bit, and whether anybody still reads it.

use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::error::{Failure, Kind};
use crate::store::StoreError;

/// Why printing ended before its end.
#[derive(Debug)]
pub enum Stop {
    /// Whoever read it has gone away: it has read enough.
    Gone,
    /// It failed.
    Failed(Box<Failure>),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe {
            Self::Gone
        } else {
            let failure = Failure::new(Kind::Failed, "could not write what was read");
            Self::Failed(Box::new(failure.because(&error)))
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(Box::new(error.into()))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

/// The exit code: a reader that has gone away is no failure.
pub fn ended(printed: Result<(), Stop>) -> Result<u8, Failure> {
    match printed {
        Ok(()) | Err(Stop::Gone) => Ok(0),
        Err(Stop::Failed(failure)) => Err(*failure),
    }
}

/// Stdout, written to in blocks.
pub fn stdout() -> impl Write {
    io::BufWriter::with_capacity(64 * 1024, io::stdout().lock())
}

/// Waits so long, and says whether stdout still has a reader then; where it has none that is known at once.
pub fn wait(length: Duration) -> bool {
    let out = io::stdout();
    let length = Timespec {
        tv_sec: i64::try_from(length.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: length.subsec_nanos().into(),
    };
    // asked about nothing, it tells of an end alone
    let mut asked = [PollFd::new(&out, PollFlags::empty())];
    match poll(&mut asked, Some(&length)) {
        Ok(_) => asked.iter().all(|one| one.revents().is_empty()),
        // a signal that does not end the program
        Err(rustix::io::Errno::INTR) => true,
        Err(_) => false,
    }
}
