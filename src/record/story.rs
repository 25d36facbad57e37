//! The story of a session: an agent's records, put together by the decision that they belong to. Pure.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use super::past::{Entry, Recorded};
use super::{Memo, Review, Step};

/// How many chapters are held open for what is still to come of them.
const OPEN: usize = 64;
/// How many bytes of lines are held at most.
const OPEN_BYTES: usize = 8 * 1024 * 1024;

/// A part of the story.
#[derive(Debug, Clone, PartialEq)]
pub enum Chapter {
    /// A decision, or something else that the agent's memory holds.
    Decision(Box<Decision>),
    /// Something that happened beside the decisions.
    Note {
        /// When.
        ts: DateTime<Utc>,
        /// What.
        why: String,
    },
    /// A review.
    Review(Box<Review>),
}

/// A decision with all that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Its name among the agent's decisions; may be empty.
    pub id: String,
    /// When it began.
    pub ts: DateTime<Utc>,
    /// Its steps, the oldest first.
    pub steps: Vec<Step>,
    /// What the memory holds of it, as it was written down last.
    pub memo: Option<Memo>,
}

/// Puts records together, which come in the order of time.
#[derive(Debug, Default)]
pub struct Telling {
    open: VecDeque<(Chapter, usize)>,
    bytes: usize,
}

impl Telling {
    /// Takes in one record.
    pub fn push(&mut self, record: Recorded) {
        let size = record.line.len();
        self.bytes += size;
        let id = record.entry.id().to_owned();
        let ts = record.entry.ts();
        let known = self.open.iter_mut().rev().find_map(|(chapter, bytes)| {
            let is_it = |decision: &&mut Box<Decision>| !id.is_empty() && decision.id == id;
            let Chapter::Decision(decision) = chapter else {
                return None;
            };
            Some(decision)
                .filter(is_it)
                .map(|decision| (decision, bytes))
        });
        if let Some((decision, bytes)) = known {
            *bytes += size;
            match record.entry {
                Entry::Memo(memo) => decision.memo = Some(*memo),
                Entry::Step(step) => decision.steps.push(step.step),
                Entry::Review(_) => {}
            }
            return;
        }
        let (steps, memo) = match record.entry {
            Entry::Review(review) => {
                self.open.push_back((Chapter::Review(review), size));
                return;
            }
            Entry::Memo(memo) => (Vec::new(), Some(*memo)),
            Entry::Step(step) => match step.step {
                Step::Counted { why } if id.is_empty() => {
                    self.open.push_back((Chapter::Note { ts, why }, size));
                    return;
                }
                step => (vec![step], None),
            },
        };
        let decision = Decision {
            id,
            ts,
            steps,
            memo,
        };
        self.open
            .push_back((Chapter::Decision(Box::new(decision)), size));
    }

    /// A chapter to which nothing more is expected.
    pub fn pop_ripe(&mut self) -> Option<Chapter> {
        let is_full = self.open.len() > OPEN || self.bytes > OPEN_BYTES;
        if is_full { self.pop() } else { None }
    }

    /// The oldest chapter.
    pub fn pop(&mut self) -> Option<Chapter> {
        let (chapter, size) = self.open.pop_front()?;
        self.bytes -= size;
        Some(chapter)
    }
}

#[cfg(test)]
mod tests;
