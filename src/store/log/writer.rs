//! The one writer of all logs: a bounded queue to one thread.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::{mpsc, oneshot};

use super::appender::Appender;
use super::line;
use super::rotation::{self, Rotation};
use super::sync::Syncer;
use crate::store::error::{StoreError, Unfit};

/// Files kept open at once: enough for the logs that are busy, far from the usual limit of 1,024.
pub(super) const MOST_OPEN: usize = 64;
/// How often logs that were set aside are looked through for those to delete.
const LOOK_AFTER: Duration = Duration::from_hours(24);
/// How long a log that could not be set aside is left to grow.
const ROTATE_AGAIN: Duration = Duration::from_mins(1);

/// Appends records to logs. A handle: clones share one queue and one thread.
///
/// Dropping all handles ends the thread once everything queued is written; [`LogWriterEnd::close`] does it
/// at once and waits for it. One file on a disk that hangs holds up all logs: callers that cannot wait put a
/// deadline around [`Self::append`], and treat its passing as "not known to be written".
#[derive(Debug, Clone)]
pub struct LogWriter {
    queue: mpsc::Sender<Message>,
}

/// The other end of a [`LogWriter`]: stops it and waits until everything is on the disk.
#[derive(Debug)]
pub struct LogWriterEnd {
    queue: mpsc::Sender<Message>,
    done: oneshot::Receiver<Result<(), StoreError>>,
}

#[derive(Debug)]
enum Message {
    Append {
        path: PathBuf,
        line: String,
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
    Close,
}

impl LogWriter {
    /// Starts the writer's thread; `capacity` records (at least 1) may wait before callers do.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(capacity: usize, rotation: Rotation) -> Result<(Self, LogWriterEnd), StoreError> {
        let failed = |error| StoreError::io("start the writer of", Path::new("the logs"), error);
        let (queue, requests) = mpsc::channel(capacity.max(1));
        let (tell_done, done) = oneshot::channel();
        let syncer = Syncer::start().map_err(failed)?;
        thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || {
                let _ = tell_done.send(Worker::new(rotation, syncer).run(requests));
            })
            .map_err(failed)?;
        let end = LogWriterEnd {
            queue: queue.clone(),
            done,
        };
        Ok((Self { queue }, end))
    }

    /// Appends `line` and a line break to the log `path`, whose folder must exist, and waits until the system
    /// has taken all of it: from then on the death of this process does not lose it. Waits while the queue
    /// is full; records of one caller are written in the order in which they were handed over.
    ///
    /// If this is dropped while it waits, the record may still be written, whole.
    ///
    /// # Errors
    /// The record is empty, holds a line break, is longer than [`super::LONGEST_LINE`] or ends like a torn
    /// one; the writer is closed; or the system refuses. The record then does not count as written: readers
    /// will never yield it.
    pub async fn append(&self, path: &Path, line: String) -> Result<(), StoreError> {
        let unfit = |why| StoreError::unfit("append to", path, why);
        line::check(&line).map_err(unfit)?;
        let (answer, written) = oneshot::channel();
        let message = Message::Append {
            path: path.to_path_buf(),
            line,
            answer,
        };
        let stopped = || unfit(Unfit::WriterStopped);
        self.queue.send(message).await.map_err(|_| stopped())?;
        written.await.map_err(|_| stopped())?
    }
}

impl LogWriterEnd {
    /// Stops the writer: everything that was queued is written and brought down to the disk, and whatever
    /// comes later is refused.
    ///
    /// # Errors
    /// The last records are written but may not be safe from a loss of power.
    pub async fn close(self) -> Result<(), StoreError> {
        // It fails only if the thread has ended already.
        let _ = self.queue.send(Message::Close).await;
        drop(self.queue);
        self.done.await.unwrap_or_else(|_| {
            let path = Path::new("the logs");
            Err(StoreError::unfit("close", path, Unfit::WriterStopped))
        })
    }
}

/// An open log and when it was last seen to.
struct Open {
    log: Appender,
    used: u64,
    /// Since when the logs that were set aside from it have not been looked through.
    looked_after: Option<Instant>,
    rotation_failed: Option<Instant>,
}

/// What the thread owns.
struct Worker {
    open: HashMap<PathBuf, Open>,
    rotation: Rotation,
    syncer: Syncer,
    /// Counts the appends, to find the log that was least lately used.
    clock: u64,
}

impl Worker {
    fn new(rotation: Rotation, syncer: Syncer) -> Self {
        Self {
            open: HashMap::new(),
            rotation,
            syncer,
            clock: 0,
        }
    }

    fn run(mut self, mut requests: mpsc::Receiver<Message>) -> Result<(), StoreError> {
        while let Some(message) = requests.blocking_recv() {
            match message {
                Message::Append { path, line, answer } => {
                    // Nobody may be waiting any more.
                    let _ = answer.send(self.append(path, &line));
                }
                // What is in the queue already is still written.
                Message::Close => requests.close(),
            }
        }
        self.syncer.finish()
    }

    fn append(&mut self, path: PathBuf, line: &str) -> Result<(), StoreError> {
        let (mut open, length) = self.ready(&path, line.len() as u64 + 1)?;
        self.look_after(&mut open);
        let result = open.log.append(line, length);
        if result.is_ok() {
            self.syncer.soon(open.log.real());
        }
        self.keep(path, open);
        result
    }

    /// The log that stands at `path` now, with room for `more` bytes, and its length.
    fn ready(&mut self, path: &Path, more: u64) -> Result<(Open, u64), StoreError> {
        /// Far more often than anybody removes or replaces a log between two of our calls.
        const MOST_TRIES: usize = 16;
        for _ in 0..MOST_TRIES {
            let mut open = match self.open.remove(path) {
                Some(open) => open,
                None => self.open(path)?,
            };
            let Some(there) = open.log.now()? else {
                continue;
            };
            let is_full =
                self.rotation.max_bytes > 0 && there.len() + more > self.rotation.max_bytes;
            if is_full && there.len() > 0 && self.set_aside(&mut open) {
                continue;
            }
            return Ok((open, there.len()));
        }
        let error = ErrorKind::ResourceBusy.into();
        Err(StoreError::io("append to", path, error))
    }

    fn open(&self, path: &Path) -> Result<Open, StoreError> {
        let log = Appender::open(path)?;
        if log.is_new {
            self.syncer.soon(crate::store::path::folder_of(log.real()));
        }
        Ok(Open {
            log,
            used: 0,
            looked_after: None,
            rotation_failed: None,
        })
    }

    /// Whether the log was set aside. Where that fails it goes on growing: no record is lost over it.
    fn set_aside(&self, open: &mut Open) -> bool {
        if open
            .rotation_failed
            .is_some_and(|then| then.elapsed() < ROTATE_AGAIN)
        {
            return false;
        }
        let log = open.log.real();
        match rotation::set_aside(log, Utc::now()) {
            Ok(aside) => {
                tracing::info!(log = %log.display(), aside = %aside.display(), "log set aside");
                self.syncer.soon(&aside);
                true
            }
            // Another supervisor was faster.
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => {
                tracing::warn!(log = %log.display(), %error, "log could not be set aside, it goes on");
                open.rotation_failed = Some(Instant::now());
                false
            }
        }
    }

    /// Deletes what was set aside long ago, once a day and whenever a log is opened.
    fn look_after(&self, open: &mut Open) {
        if open
            .looked_after
            .is_some_and(|then| then.elapsed() < LOOK_AFTER)
        {
            return;
        }
        open.looked_after = Some(Instant::now());
        let log = open.log.real();
        match rotation::delete_old(log, self.rotation.keep_days, Utc::now()) {
            Ok(deleted) => {
                for path in deleted {
                    tracing::info!(path = %path.display(), "old log deleted, as configured");
                }
            }
            Err(error) => {
                tracing::warn!(log = %log.display(), %error, "old logs could not be deleted");
            }
        }
    }

    fn keep(&mut self, path: PathBuf, mut open: Open) {
        self.clock += 1;
        open.used = self.clock;
        if self.open.len() >= MOST_OPEN {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.used);
            if let Some(path) = oldest.map(|(path, _)| path.clone()) {
                self.open.remove(&path);
            }
        }
        self.open.insert(path, open);
    }
}
