//! The logs of an agent and of the roster: appending to them, and reading back what a run needs to go on.
//!
//! Reading starts from the end and stops as soon as it knows enough, so that a log of months costs what a log
//! of minutes does. Lines that are torn, foreign or of another form are skipped and counted, and stay in the
//! file.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    Counters, DecisionLine, Memo, Origin, Receipt, Review, RosterChange, RosterEntry, RosterLine,
    Step,
};
use crate::ids::{AgentId, PaneAddress, SessionId};
use crate::store::log::Line;
use crate::store::{self, Access, LogWriter, StoreError, read_back};

/// How many lines are read back at most in search of a session's memos. Without a bound, a session that is
/// new would cost a reading of the whole log.
const LOOK_BACK: usize = 5_000;
/// How many lines are read back at most in search of an intent without a receipt.
const INTENT_LOOK_BACK: usize = 200;
/// How many steps of other decisions may stand between those of one.
const STEPS_APART: usize = 50;

/// The logs of one agent.
#[derive(Debug, Clone)]
pub struct AgentLogs {
    folder: PathBuf,
    id: AgentId,
    writer: LogWriter,
}

/// Which of an agent's logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its memory.
    Memos,
    /// The steps of its decisions.
    Decisions,
    /// Its reviews.
    Reviews,
}

/// A record in the form in which it stands in its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// In which log.
    pub kind: Kind,
    /// The line, without its line break.
    pub line: String,
}

impl Written {
    /// A memo.
    pub fn memo(memo: &Memo) -> Self {
        Self {
            kind: Kind::Memos,
            line: line_of(memo),
        }
    }

    /// A step of a decision.
    pub fn decision(step: &DecisionLine) -> Self {
        Self {
            kind: Kind::Decisions,
            line: line_of(step),
        }
    }

    /// A review.
    pub fn review(review: &Review) -> Self {
        Self {
            kind: Kind::Reviews,
            line: line_of(review),
        }
    }
}

/// These types have text keys and no foreign numbers, so that they can always be written as JSON.
fn line_of(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

/// What was read back, and how many lines were none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadBack<T> {
    /// What was read.
    pub found: T,
    /// Lines that were torn, foreign or of another form.
    pub skipped: u64,
}

/// What an agent had on record when its last run ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LastDecision {
    /// The counters after the last step.
    pub counters: Counters,
    /// A text whose typing was begun and whose end is not on record.
    pub interrupted: Option<Interrupted>,
}

/// A text whose typing was begun and whose end is not on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    /// The decision's id.
    pub id: String,
    /// Whose text it was.
    pub origin: Origin,
    /// The text.
    pub text: String,
}

/// How far the typing of a text has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// It was begun, and its end is not on record.
    Begun,
    /// It was delivered, or may have been.
    Ended(Receipt),
}

impl AgentLogs {
    /// The logs of `id` in `folder`, which must exist when something is appended.
    pub fn new(folder: &Path, id: AgentId, writer: LogWriter) -> Self {
        Self {
            folder: folder.to_path_buf(),
            id,
            writer,
        }
    }

    /// Where one of its logs is.
    pub fn path(&self, kind: Kind) -> PathBuf {
        path(&self.folder, &self.id, kind)
    }

    /// Appends a record, and waits until the system has it.
    ///
    /// # Errors
    /// What [`LogWriter::append`] gives: nothing of the record then counts as written.
    pub async fn append(&self, record: Written) -> Result<(), StoreError> {
        self.writer
            .append(&self.path(record.kind), record.line)
            .await
    }

    /// Writes a text that is too long for a prompt to the file that the agent is told to read.
    ///
    /// # Errors
    /// When the folder or the file cannot be written; nothing may be typed then.
    pub async fn write_prompt(&self, path: PathBuf, text: String) -> Result<(), StoreError> {
        let write = move || {
            if let Some(folder) = path.parent() {
                store::private_folder(folder)?;
            }
            store::write_text(&path, &text, Access::OwnerOnly)
        };
        // a task that is only waited for ends, unless it has a bug
        tokio::task::spawn_blocking(write).await.unwrap_or(Ok(()))
    }

    /// The newest `count` memos of `session`, the oldest of them first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn newest_memos(
        &self,
        session: &SessionId,
        count: usize,
    ) -> Result<ReadBack<Vec<Memo>>, StoreError> {
        let mut taken = 0;
        self.memos_back(session, |_| {
            taken += 1;
            taken <= count
        })
    }

    /// The newest memos of `session` whose texts have at most `chars` characters together, the oldest first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn memos_within(
        &self,
        session: &SessionId,
        chars: usize,
    ) -> Result<ReadBack<Vec<Memo>>, StoreError> {
        let mut used = 0;
        self.memos_back(session, |memo| {
            let after = memo.after_summary.as_deref().unwrap_or_default();
            used += memo.text.chars().count()
                + memo.reasoning.chars().count()
                + after.chars().count()
                + 40;
            used <= chars
        })
    }

    fn memos_back(
        &self,
        session: &SessionId,
        mut goes_on: impl FnMut(&Memo) -> bool,
    ) -> Result<ReadBack<Vec<Memo>>, StoreError> {
        let mut known = HashSet::new();
        let mut memos = Vec::new();
        let skipped = records(&self.path(Kind::Memos), LOOK_BACK, |memo: Memo| {
            // what came after a memo is appended as the same memo once more: the newest counts
            let is_known =
                |known: &mut HashSet<String>| !memo.id.is_empty() && !known.insert(memo.id.clone());
            if memo.session_id != *session || is_known(&mut known) {
                return true;
            }
            let goes_on = goes_on(&memo);
            if goes_on {
                memos.push(memo);
            }
            goes_on
        })?;
        memos.reverse();
        Ok(ReadBack {
            found: memos,
            skipped,
        })
    }

    /// Every step of one decision, in order: of the one called `id`, or of the newest.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn decision(&self, id: Option<&str>) -> Result<ReadBack<Vec<DecisionLine>>, StoreError> {
        let mut wanted = id.map(str::to_owned);
        let mut steps: Vec<DecisionLine> = Vec::new();
        let mut others = 0;
        let skipped = records(
            &self.path(Kind::Decisions),
            LOOK_BACK,
            |line: DecisionLine| {
                if *wanted.get_or_insert_with(|| line.id.clone()) == line.id {
                    steps.push(line);
                } else if !steps.is_empty() {
                    // the steps of a decision stand close together
                    others += 1;
                }
                others < STEPS_APART
            },
        )?;
        steps.reverse();
        Ok(ReadBack {
            found: steps,
            skipped,
        })
    }

    /// The newest `count` reviews, the oldest of them first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn newest_reviews(&self, count: usize) -> Result<ReadBack<Vec<Review>>, StoreError> {
        let mut reviews = Vec::new();
        let skipped = records(&self.path(Kind::Reviews), LOOK_BACK, |review: Review| {
            if reviews.len() < count {
                reviews.push(review);
            }
            reviews.len() < count
        })?;
        reviews.reverse();
        Ok(ReadBack {
            found: reviews,
            skipped,
        })
    }

    /// The session of the newest memo, if there is one.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn newest_session(&self) -> Result<Option<SessionId>, StoreError> {
        let mut session = None;
        records(&self.path(Kind::Memos), LOOK_BACK, |memo: Memo| {
            session = Some(memo.session_id);
            false
        })?;
        Ok(session)
    }

    /// What became of exactly this text in this pane, where its typing was begun at `since` or later; `None` where
    /// it was not, or where nothing of it was typed.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn typed(
        &self,
        text: &str,
        pane: &PaneAddress,
        since: Option<DateTime<Utc>>,
    ) -> Result<ReadBack<Option<Typed>>, StoreError> {
        let mut receipts: HashMap<String, Receipt> = HashMap::new();
        let mut found = None;
        let skipped = records(
            &self.path(Kind::Decisions),
            LOOK_BACK,
            |line: DecisionLine| {
                if since.is_some_and(|since| line.ts < since) {
                    return false;
                }
                match line.step {
                    Step::Receipt { receipt, .. } => {
                        receipts.insert(line.id, receipt);
                    }
                    Step::Intent {
                        text: meant,
                        pane: place,
                        ..
                    } if meant == text && place == *pane => {
                        found = match receipts.remove(&line.id) {
                            Some(Receipt::Refused { .. } | Receipt::Observed) => None,
                            Some(receipt) => Some(Typed::Ended(receipt)),
                            None => Some(Typed::Begun),
                        };
                    }
                    _ => {}
                }
                found.is_none()
            },
        )?;
        Ok(ReadBack { found, skipped })
    }

    /// What stood at the end of the decision log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn last_decision(&self) -> Result<ReadBack<LastDecision>, StoreError> {
        let mut last = LastDecision::default();
        let mut is_newest = true;
        let mut ended: HashSet<String> = HashSet::new();
        let skipped = records(
            &self.path(Kind::Decisions),
            INTENT_LOOK_BACK,
            |line: DecisionLine| {
                if is_newest {
                    last.counters = line.counters;
                    is_newest = false;
                }
                match line.step {
                    Step::Receipt { .. } => {
                        ended.insert(line.id);
                        true
                    }
                    Step::Intent { origin, text, .. } => {
                        if !ended.contains(&line.id) {
                            last.interrupted = Some(Interrupted {
                                id: line.id,
                                origin,
                                text,
                            });
                        }
                        false
                    }
                    _ => true,
                }
            },
        )?;
        Ok(ReadBack {
            found: last,
            skipped,
        })
    }
}

pub(super) fn path(folder: &Path, id: &AgentId, kind: Kind) -> PathBuf {
    let kind = match kind {
        Kind::Memos => "memos",
        Kind::Decisions => "decisions",
        Kind::Reviews => "reviews",
    };
    folder.join(format!("{id}.{kind}.jsonl"))
}

/// Where the roster's log is.
pub fn roster_path(folder: &Path) -> PathBuf {
    folder.join("roster.jsonl")
}

/// A line of the roster's log.
pub fn roster_line(line: &RosterLine) -> String {
    line_of(line)
}

/// What the roster's log says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roster {
    /// Who is in it, in the order in which they came.
    pub entries: Vec<RosterEntry>,
    /// Who was taken out of it and did not come back.
    pub removed: Vec<AgentId>,
    /// The digest of the configuration's file when the newest line was written.
    pub file: Option<String>,
}

/// The roster of the configuration `config` as the log in `folder` leaves it.
///
/// # Errors
/// When the log cannot be read.
pub fn roster(folder: &Path, config: &Path) -> Result<ReadBack<Roster>, StoreError> {
    // newest first: the first word about an agent is the last one that was said
    let mut order: Vec<AgentId> = Vec::new();
    let mut known: HashMap<AgentId, Option<RosterEntry>> = HashMap::new();
    let mut file = None;
    let skipped = records(&roster_path(folder), usize::MAX, |line: RosterLine| {
        if line.config != config {
            return true;
        }
        file = file.take().or(line.file);
        match line.change {
            RosterChange::Entry { entry, .. } => {
                let id = entry.agent.id.clone();
                known.entry(id.clone()).or_insert_with(|| {
                    order.push(id);
                    Some(*entry)
                });
                true
            }
            RosterChange::Removed { id } => {
                known.entry(id).or_insert(None);
                true
            }
            RosterChange::Standing { agents, removed } => {
                for id in removed {
                    known.entry(id).or_insert(None);
                }
                for entry in agents.into_iter().rev() {
                    let id = entry.agent.id.clone();
                    order.retain(|known| *known != id);
                    order.push(id.clone());
                    known.entry(id).or_insert(Some(entry));
                }
                false
            }
        }
    })?;
    let (removed, entries) = order_of(order, known);
    Ok(ReadBack {
        found: Roster {
            entries,
            removed,
            file,
        },
        skipped,
    })
}

/// Who was removed, and who stays, the newest last.
fn order_of(
    newest_first: Vec<AgentId>,
    mut known: HashMap<AgentId, Option<RosterEntry>>,
) -> (Vec<AgentId>, Vec<RosterEntry>) {
    let entries = newest_first
        .into_iter()
        .rev()
        .filter_map(|id| known.get_mut(&id)?.take().map(|entry| (id, entry)));
    let (stay, entries): (HashSet<AgentId>, Vec<RosterEntry>) = entries.unzip();
    let removed = known.into_keys().filter(|id| !stay.contains(id)).collect();
    (removed, entries)
}

/// Hands the records of the log `path` to `take`, the newest first, until it says `false`, or `most` lines
/// were read. Returns how many lines were no records.
fn records<T: DeserializeOwned>(
    path: &Path,
    most: usize,
    mut take: impl FnMut(T) -> bool,
) -> Result<u64, StoreError> {
    let mut lines = read_back(path)?;
    let mut other = 0;
    for line in lines.by_ref().take(most) {
        let Line::Whole(text) = line? else { continue };
        let Ok(record) = serde_json::from_str(&text) else {
            other += u64::from(!text.trim().is_empty());
            continue;
        };
        if !take(record) {
            break;
        }
    }
    Ok(lines.skipped().total() + other)
}

#[cfg(test)]
mod tests;
