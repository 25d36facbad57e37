//! What the workers of one mission have spent, kept with the mission.
//!
//! A worker's transcript is counted while it is watched ([`crate::evidence::spent`]). Here the last count of each
//! conversation stands under the worker's name, so that the workers that a task had one after another add up, and a
//! conversation that is counted once more, from its beginning, after a restart replaces its own figure and is never
//! added twice. Written ten seconds after something is new at the latest, and when a task comes to an end or a worker's
//! pane is closed: what is lost when the program dies is what a worker spent last that died with it. Who keeps no
//! transcript has no figure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::error::in_full;
use crate::evidence::spent::{Spending, Spent};
use crate::ids::AgentId;
use crate::record::VERSION;
use crate::store::{self, Access};

/// How long what is new may wait to be written: many looks are one write.
const PAUSE: Duration = Duration::from_secs(10);
/// The most conversations of one worker that are told apart.
const MOST: usize = 1_000;
/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The ledger of one mission; clones are the same.
#[derive(Debug, Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    kept: Mutex<Kept>,
    /// One write at a time.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    book: Book,
    /// Whether the file has less.
    is_new: bool,
    /// Somebody waits to write it.
    is_awaited: bool,
    /// The file is not understood, and stays as it is.
    is_foreign: bool,
}

/// The file: by worker and conversation.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Book {
    v: u32,
    workers: BTreeMap<AgentId, BTreeMap<String, Spent>>,
}

impl Ledger {
    /// The ledger in this file, which need not be there. One that cannot be read counts nothing and stays as it is.
    pub fn read(path: &Path) -> Self {
        let mut kept = Kept::default();
        match store::read_document(path, LARGEST) {
            Ok(None) => {}
            Ok(Some(document)) => match serde_json::from_str(document.text()) {
                Ok(book) => kept.book = book,
                Err(error) => {
                    tracing::warn!(%error, path = %path.display(), "what workers spent is not known");
                    kept.is_foreign = true;
                }
            },
            Err(error) => {
                tracing::warn!(error = in_full(&error), "what workers spent is not known");
                kept.is_foreign = true;
            }
        }
        kept.book.v = VERSION;
        let path = path.to_owned();
        Self {
            inner: Arc::new(Inner {
                path,
                kept: Mutex::new(kept),
                writing: Mutex::new(()),
            }),
        }
    }

    /// Takes in how far a worker's spending has come. Called within a tokio runtime.
    pub fn take(&self, worker: &AgentId, spending: &Spending) {
        let mut kept = self.inner.kept();
        let of_worker = kept.book.workers.entry(worker.clone()).or_default();
        if of_worker.len() >= MOST && !of_worker.contains_key(&spending.conversation) {
            return;
        }
        let entry = of_worker.get(&spending.conversation).copied();
        // one that is being counted anew has come less far for a while
        let spent = entry.unwrap_or_default().at_least(spending.spent);
        if entry != Some(spent) {
            of_worker.insert(spending.conversation.clone(), spent);
            kept.is_new = true;
        }
        if kept.is_new && !kept.is_awaited {
            kept.is_awaited = true;
            let ledger = self.clone();
            tokio::spawn(async move {
                sleep(PAUSE).await;
                ledger.inner.kept().is_awaited = false;
                ledger.write().await;
            });
        }
    }

    /// Has what is not written yet written, and does not wait for it.
    pub fn write_soon(&self) {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || inner.write());
    }

    /// What a worker has spent, with those of its name before it; `None` where that is not known.
    pub fn of(&self, worker: &AgentId) -> Option<Spent> {
        let kept = self.inner.kept();
        let spent = kept.book.workers.get(worker)?.values().copied();
        spent.reduce(Spent::and)
    }

    /// Writes what is not written yet.
    pub async fn write(&self) {
        let inner = Arc::clone(&self.inner);
        let _ = tokio::task::spawn_blocking(move || inner.write()).await;
    }
}

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what it is when the turn comes, so that an older one never stands over a newer one.
    fn write(&self) {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let text = {
            let mut kept = self.kept();
            if !kept.is_new || kept.is_foreign {
                return;
            }
            kept.is_new = false;
            serde_json::to_string(&kept.book).unwrap_or_default()
        };
        if let Err(error) = store::write_text(&self.path, &text, Access::OwnerOnly) {
            tracing::warn!(error = in_full(&error), "what workers spent is not written");
            self.kept().is_new = true;
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the files of the tests")]
mod tests {
    use super::*;

    fn spending(conversation: &str, output: u64) -> Spending {
        Spending {
            conversation: conversation.into(),
            spent: Spent {
                output,
                tool_uses: 1,
                ..Spent::default()
            },
        }
    }

    #[tokio::test]
    async fn workers_one_after_another_add_up_and_a_recount_after_a_restart_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spent.json");
        let agent: AgentId = "m.one".parse().unwrap();
        let ledger = Ledger::read(&path);
        assert_eq!(ledger.of(&agent), None);
        ledger.take(&agent, &spending("first", 100));
        ledger.take(&agent, &spending("first", 150));
        ledger.take(&agent, &spending("second", 20));
        let told = |ledger: &Ledger| {
            let spent = ledger.of(&agent).unwrap();
            (spent.tokens(), spent.tool_uses)
        };
        assert_eq!(told(&ledger), (170, 2));
        ledger.write().await;

        let again = Ledger::read(&path);
        assert_eq!(told(&again), (170, 2));
        // its transcript is counted from the beginning, part by part
        for (output, sum) in [(30, 170), (150, 170), (160, 180)] {
            again.take(&agent, &spending("first", output));
            assert_eq!(told(&again).0, sum, "{output}");
        }
        assert_eq!(again.of(&"m.two".parse().unwrap()), None, "not 0");
    }

    #[tokio::test]
    async fn a_file_that_is_not_understood_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spent.json");
        std::fs::write(&path, "{\"workers\": 7}").unwrap();
        let agent: AgentId = "m.one".parse().unwrap();
        let ledger = Ledger::read(&path);
        ledger.take(&agent, &spending("first", 100));
        ledger.write().await;
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"workers\": 7}");
        assert_eq!(ledger.of(&agent).unwrap().tokens(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_written_without_being_asked_and_not_at_every_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spent.json");
        let ledger = Ledger::read(&path);
        let agent: AgentId = "m.one".parse().unwrap();
        let written = || Ledger::read(&path).of(&agent).map(|spent| spent.tokens());
        ledger.take(&agent, &spending("first", 100));
        sleep(PAUSE / 2).await;
        ledger.take(&agent, &spending("first", 150));
        assert_eq!(written(), None);
        sleep(PAUSE).await;
        // the other thread's write is not of the paused time
        ledger.write().await;
        assert_eq!(written(), Some(150));
        ledger.take(&agent, &spending("first", 200));
        assert_eq!(written(), Some(150), "the control: it waits");
        ledger.write().await;
        assert_eq!(written(), Some(200), "a worker has ended");
    }
}
