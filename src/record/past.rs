//! The logs of agents, read for a person: whole, from the oldest record on, without a running supervisor.
//!
//! Nothing is kept but what a few records take, however long the logs are. Called by `ui`.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use super::logs::{self, Kind};
use super::{DecisionLine, Memo, Review, RosterChange, RosterEntry, RosterLine};
use crate::ids::{AgentId, SessionId};
use crate::store::log::{Line, Skipped};
use crate::store::{self, Follow, ReadForward, StoreError};

/// How many records a later word about an earlier one may come behind it. Whoever writes them leaves one or two
/// between.
const WINDOW: usize = 64;
/// How many bytes are held back at most.
const WINDOW_BYTES: usize = 8 * 1024 * 1024;

/// A record of one of an agent's logs.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// Of its memory.
    Memo(Box<Memo>),
    /// A step of a decision.
    Step(Box<DecisionLine>),
    /// A review.
    Review(Box<Review>),
}

impl Entry {
    /// When it was written down, or, of a memo, decided.
    pub fn ts(&self) -> DateTime<Utc> {
        match self {
            Self::Memo(memo) => memo.ts,
            Self::Step(step) => step.ts,
            Self::Review(review) => review.ts,
        }
    }

    /// The stretch of work that it belongs to.
    pub fn session(&self) -> &SessionId {
        match self {
            Self::Memo(memo) => &memo.session_id,
            Self::Step(step) => &step.session_id,
            Self::Review(review) => &review.session_id,
        }
    }

    /// The decision that it belongs to; empty where it belongs to none.
    pub fn id(&self) -> &str {
        match self {
            Self::Memo(memo) => &memo.id,
            Self::Step(step) => &step.id,
            Self::Review(_) => "",
        }
    }
}

/// A record and the line that it stands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The record.
    pub entry: Entry,
    /// The line, as it stands in the log.
    pub line: String,
}

impl Recorded {
    fn read(kind: Kind, line: String) -> Option<Self> {
        fn parsed<T: DeserializeOwned>(line: &str) -> Option<Box<T>> {
            serde_json::from_str(line).ok().map(Box::new)
        }
        let entry = match kind {
            Kind::Memos => Entry::Memo(parsed(&line)?),
            Kind::Decisions => Entry::Step(parsed(&line)?),
            Kind::Reviews => Entry::Review(parsed(&line)?),
        };
        Some(Self { entry, line })
    }
}

/// How the lines of one log come.
#[derive(Debug)]
enum Lines {
    /// Those that are there.
    There(Box<ReadForward>),
    /// Those too that come.
    Coming(Box<Follow>),
}

/// One log as it is read.
#[derive(Debug)]
struct Source {
    kind: Kind,
    lines: Lines,
    /// Lines of another form.
    other: u64,
    next: Option<Recorded>,
}

impl Source {
    fn fill(&mut self) -> Result<(), StoreError> {
        while self.next.is_none() {
            let line = match &mut self.lines {
                Lines::There(lines) => lines.next().transpose()?,
                Lines::Coming(lines) => lines.next_line()?,
            };
            match line {
                None => return Ok(()),
                Some(Line::Foreign(_)) => {}
                Some(Line::Whole(text)) => {
                    let is_blank = text.trim().is_empty();
                    self.next = Recorded::read(self.kind, text);
                    self.other += u64::from(self.next.is_none() && !is_blank);
                }
            }
        }
        Ok(())
    }

    fn skipped(&self) -> Skipped {
        match &self.lines {
            Lines::There(lines) => lines.skipped(),
            Lines::Coming(lines) => lines.skipped(),
        }
    }
}

/// Some of an agent's logs, read as one: in the order of time, as far as each is.
#[derive(Debug)]
pub struct Past {
    sources: Vec<Source>,
}

/// Which logs are read, and from when on.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Which; of records of one moment those of the first come first.
    pub kinds: &'a [Kind],
    /// Records that are older need not be yielded.
    pub since: Option<DateTime<Utc>>,
}

impl Past {
    /// What is in the logs of `id` in `folder`.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn read(folder: &Path, id: &AgentId, wanted: Wanted<'_>) -> Result<Self, StoreError> {
        Self::open(folder, id, wanted, |path| {
            let lines = store::read_forward_since(path, wanted.since)?;
            Ok(Lines::There(Box::new(lines)))
        })
    }

    /// The same, and what comes.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn follow(folder: &Path, id: &AgentId, wanted: Wanted<'_>) -> Result<Self, StoreError> {
        Self::open(folder, id, wanted, |path| {
            let lines = store::follow(path, wanted.since)?;
            Ok(Lines::Coming(Box::new(lines)))
        })
    }

    fn open(
        folder: &Path,
        id: &AgentId,
        wanted: Wanted<'_>,
        open: impl Fn(&Path) -> Result<Lines, StoreError>,
    ) -> Result<Self, StoreError> {
        let source = |kind: &Kind| {
            Ok(Source {
                kind: *kind,
                lines: open(&logs::path(folder, id, *kind))?,
                other: 0,
                next: None,
            })
        };
        let sources = wanted.kinds.iter().map(source);
        Ok(Self {
            sources: sources.collect::<Result<_, _>>()?,
        })
    }

    /// The next record; `None` where there is none, or none for now.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn next_record(&mut self) -> Result<Option<Recorded>, StoreError> {
        let mut first: Option<(DateTime<Utc>, usize)> = None;
        for (at, source) in self.sources.iter_mut().enumerate() {
            source.fill()?;
            let ts = source.next.as_ref().map(|record| record.entry.ts());
            first = match (ts, first) {
                (Some(ts), Some((earliest, _))) if ts < earliest => Some((ts, at)),
                (Some(ts), None) => Some((ts, at)),
                (_, first) => first,
            };
        }
        let source = first.and_then(|(_, at)| self.sources.get_mut(at));
        Ok(source.and_then(|source| source.next.take()))
    }

    /// Lines that were no records, so far.
    pub fn unread(&self) -> Unread {
        let mut unread = Unread::default();
        for source in &self.sources {
            let skipped = source.skipped();
            unread.torn += skipped.torn;
            unread.foreign += skipped.total() - skipped.torn + source.other;
        }
        unread
    }
}

/// Lines that were no records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Without an end.
    pub torn: u64,
    /// Of another form.
    pub foreign: u64,
}

/// The newest `count` records that `fits`, the oldest first, each once, and the lines that were none; read from the
/// end, so that it costs the same however long the logs are.
///
/// Records before `since` are not looked for.
///
/// # Errors
/// When a log cannot be read.
pub fn newest(
    folder: &Path,
    id: &AgentId,
    wanted: Wanted<'_>,
    count: usize,
    fits: impl Fn(&Entry) -> bool,
) -> Result<(Vec<Recorded>, Unread), StoreError> {
    /// Copies of older memos stand among newer ones, but not so many.
    const OLD_IN_A_ROW: usize = 100;
    let mut found: Vec<Recorded> = Vec::new();
    let mut unread = Unread::default();
    // the last kind first: reversed below, records of one moment stand in the order of their kinds, as in [`Past`]
    for kind in wanted.kinds.iter().rev() {
        let mut lines = store::read_back(&logs::path(folder, id, *kind))?;
        let (mut taken, mut old) = (0, 0);
        let mut known = Known::default();
        while taken < count && old < OLD_IN_A_ROW {
            let Some(line) = lines.next().transpose()? else {
                break;
            };
            let Line::Whole(text) = line else { continue };
            let is_blank = text.trim().is_empty();
            let Some(record) = Recorded::read(*kind, text) else {
                unread.foreign += u64::from(!is_blank);
                continue;
            };
            let is_old = wanted.since.is_some_and(|since| record.entry.ts() < since);
            old = if is_old { old + 1 } else { 0 };
            if !known.is_known(&record.entry) && !is_old && fits(&record.entry) {
                found.push(record);
                taken += 1;
            }
        }
        let skipped = lines.skipped();
        unread.torn += skipped.torn;
        unread.foreign += skipped.total() - skipped.torn;
    }
    found.reverse();
    found.sort_by_key(|record| record.entry.ts());
    let surplus = found.len().saturating_sub(count);
    found.drain(..surplus);
    Ok((found, unread))
}

/// What names a memo among those that were read lately; other records are never written twice.
fn key(entry: &Entry) -> Option<(&str, &str)> {
    match entry {
        Entry::Memo(memo) if !memo.id.is_empty() => Some((memo.session_id.as_str(), &memo.id)),
        _ => None,
    }
}

/// The memos that were met lately.
#[derive(Debug, Default)]
pub struct Known {
    order: VecDeque<(String, String)>,
    known: HashSet<(String, String)>,
}

impl Known {
    /// Whether `entry` is another word about a memo that was met; it counts as met from here on.
    pub fn is_known(&mut self, entry: &Entry) -> bool {
        let Some((session, id)) = key(entry) else {
            return false;
        };
        let key = (session.to_owned(), id.to_owned());
        if !self.known.insert(key.clone()) {
            return true;
        }
        self.order.push_back(key);
        if self.order.len() > WINDOW
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        false
    }
}

/// Holds a few records back until nothing more is said about them: what came after a memo is written as the same
/// memo once more.
#[derive(Debug, Default)]
pub struct Window {
    held: VecDeque<Recorded>,
    bytes: usize,
}

impl Window {
    /// Takes one in. Where it is a later word about one that is held, it takes its place.
    pub fn push(&mut self, record: Recorded) {
        if let Some(wanted) = key(&record.entry)
            && let Some(held) = self
                .held
                .iter_mut()
                .rev()
                .find(|held| key(&held.entry) == Some(wanted))
        {
            self.bytes = self.bytes + record.line.len() - held.line.len();
            *held = record;
            return;
        }
        self.bytes += record.line.len();
        self.held.push_back(record);
    }

    /// One that has been held for long enough.
    pub fn pop_ripe(&mut self) -> Option<Recorded> {
        let is_full = self.held.len() > WINDOW || self.bytes > WINDOW_BYTES;
        if is_full { self.pop() } else { None }
    }

    /// The oldest one.
    pub fn pop(&mut self) -> Option<Recorded> {
        let record = self.held.pop_front()?;
        self.bytes -= record.line.len();
        Some(record)
    }
}

/// The agents that have logs in `folder`, in the order of their names; `None` where there is no such folder.
///
/// # Errors
/// When the folder cannot be listed.
pub fn agents(folder: &Path) -> Result<Option<Vec<AgentId>>, StoreError> {
    let Some(names) = store::names_in(folder)? else {
        return Ok(None);
    };
    let mut found: Vec<AgentId> = names.iter().filter_map(|name| owner(name)).collect();
    found.sort();
    found.dedup();
    Ok(Some(found))
}

/// Whose log has this name; also where it was set aside.
fn owner(name: &str) -> Option<AgentId> {
    let name = name.strip_suffix(".jsonl")?;
    let ends = [".memos", ".decisions", ".reviews"];
    if let Some(id) = ends.iter().find_map(|end| name.strip_suffix(end)) {
        return id.parse().ok();
    }
    let (log, _) = name.rsplit_once('.')?;
    let id = ends.iter().find_map(|end| log.strip_suffix(end))?;
    id.parse().ok()
}

/// The session of the newest memo, step or review of `id`, if there is one.
///
/// # Errors
/// When a log cannot be read.
pub fn newest_session(folder: &Path, id: &AgentId) -> Result<Option<SessionId>, StoreError> {
    let kinds = &[Kind::Memos, Kind::Decisions, Kind::Reviews];
    let wanted = Wanted { kinds, since: None };
    let (found, _) = newest(folder, id, wanted, 1, |_| true)?;
    Ok(found.last().map(|record| record.entry.session().clone()))
}

/// What the roster's log in `folder` says last of each agent, whatever configuration that was for.
///
/// # Errors
/// When the log cannot be read.
pub fn last_entries(folder: &Path) -> Result<Vec<RosterEntry>, StoreError> {
    /// A roster is some dozens of agents, and rarely changed.
    const LOOK_BACK: usize = 10_000;
    let mut entries: Vec<RosterEntry> = Vec::new();
    let mut add = |entry: RosterEntry| {
        let id = &entry.agent.id;
        if !entries.iter().any(|known| known.agent.id == *id) {
            entries.push(entry);
        }
    };
    for line in store::read_back(&logs::roster_path(folder))?.take(LOOK_BACK) {
        let Line::Whole(text) = line? else { continue };
        match serde_json::from_str(&text) {
            Ok(RosterLine {
                change: RosterChange::Entry { entry, .. },
                ..
            }) => add(*entry),
            Ok(RosterLine {
                change: RosterChange::Standing { agents, .. },
                ..
            }) => agents.into_iter().for_each(&mut add),
            _ => {}
        }
    }
    Ok(entries)
}

/// Where the logs of `id` are, for a message.
pub fn memo_path(folder: &Path, id: &AgentId) -> PathBuf {
    logs::path(folder, id, Kind::Memos)
}

#[cfg(test)]
mod tests;
