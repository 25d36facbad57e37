//! Brings logs down to the disk in the background, at most once a second.
//!
//! A thread of its own: a disk that takes its time over this must not hold up the next record. It opens the
//! files anew, so that nothing is kept open for it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::store::error::StoreError;

/// The longest that a written record is in memory only.
const PAUSE: Duration = Duration::from_secs(1);

type Dirty = Arc<Mutex<HashSet<PathBuf>>>;

/// The handle of the thread.
#[derive(Debug)]
pub(super) struct Syncer {
    dirty: Dirty,
    wake: SyncSender<()>,
    thread: JoinHandle<Result<(), StoreError>>,
}

impl Syncer {
    pub(super) fn start() -> io::Result<Self> {
        let dirty = Dirty::default();
        let (wake, woken) = sync_channel(1);
        let theirs = Arc::clone(&dirty);
        let thread = thread::Builder::new()
            .name("log-sync".to_owned())
            .spawn(move || run(&theirs, &woken))?;
        Ok(Self {
            dirty,
            wake,
            thread,
        })
    }

    /// Has `path`, a file or a folder, brought down to the disk within a second or so.
    pub(super) fn soon(&self, path: &Path) {
        let mut dirty = self.dirty.lock().unwrap_or_else(PoisonError::into_inner);
        if !dirty.contains(path) {
            dirty.insert(path.to_path_buf());
            // Full: it is awake already.
            let _ = self.wake.try_send(());
        }
    }

    /// Brings down what is left and ends the thread.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        drop(self.wake);
        self.thread.join().unwrap_or_else(|_| {
            let error = io::Error::other("the thread that does it has ended");
            Err(StoreError::io("sync", Path::new("the logs"), error))
        })
    }
}

fn run(dirty: &Dirty, woken: &Receiver<()>) -> Result<(), StoreError> {
    let mut is_woken = false;
    while is_woken || woken.recv().is_ok() {
        is_woken = false;
        if let Err(error) = sync_all(dirty) {
            tracing::error!(error = ?error, "a log is not safe from a loss of power");
        }
        let until = Instant::now() + PAUSE;
        loop {
            match woken.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(()) => is_woken = true,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return sync_all(dirty),
            }
        }
    }
    sync_all(dirty)
}

/// The first error counts; the others are tried all the same.
fn sync_all(dirty: &Dirty) -> Result<(), StoreError> {
    let paths = mem::take(&mut *dirty.lock().unwrap_or_else(PoisonError::into_inner));
    let mut result = Ok(());
    for path in paths {
        if let Err(error) = sync(&path) {
            result = result.and(Err(StoreError::io("sync", &path, error)));
        }
    }
    result
}

fn sync(path: &Path) -> io::Result<()> {
    match File::open(path).and_then(|file| file.sync_all()) {
        // Removed meanwhile, or a device that knows no such thing.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput) => {
            Ok(())
        }
        result => result,
    }
}
