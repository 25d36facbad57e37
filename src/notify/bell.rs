//! The rules of the bell: what is told now, what waits, what is taken back. Pure; time comes in as a value.
//!
//! What comes up is gathered for a moment, so that fifty agents that ask at once make one message. Messages keep a
//! distance from one another, a longer one where there were many. What stays unanswered is told again after waits
//! that double. In quiet hours, and while somebody looks, nothing is told; what still waits then is told at their
//! end. What is answered is never told again, and a notice that tells of nothing any more is taken back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use chrono::NaiveTime;

use super::concern::{Concern, Key};
use super::message::Message;
use crate::config::{NotifyConfig, QuietHours};

/// The least distance between two messages.
const APART: Duration = Duration::from_secs(20);
/// The distance where there were [`MANY`] within [`LATELY`].
const FAR_APART: Duration = Duration::from_mins(5);
const MANY: usize = 10;
const LATELY: Duration = Duration::from_hours(1);
/// The wait before what is unanswered is told again grows up to so many times its first length.
const LONGEST: u32 = 8;

/// When it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By a clock that only goes forward.
    pub since_start: Duration,
    /// By the clock on the wall where the person is.
    pub local: NaiveTime,
}

/// What of the configuration it goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long others are waited for.
    pub gather: Duration,
    /// After how long what is unanswered is told again the first time.
    pub repeat: Duration,
    /// When nothing is told.
    pub quiet: Option<QuietHours>,
}

impl From<&NotifyConfig> for Rules {
    fn from(config: &NotifyConfig) -> Self {
        Self {
            gather: config.gather_sec.duration(),
            repeat: config.repeat_sec.duration(),
            quiet: config.quiet_hours,
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The person is told, in every way that there is.
    Tell(Message),
    /// Nothing of what was told last waits any more: a notice that is still shown is taken back.
    Withdraw,
}

/// One thing that waits, or has waited.
#[derive(Debug)]
struct Open {
    concern: Concern,
    /// In which order they came.
    number: u64,
    told: Option<Told>,
    /// Whether it is there no more; kept for a while, so that one that comes and goes is not told each time.
    gone: bool,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    at: Duration,
    times: u32,
}

impl Told {
    fn again_at(self, rules: &Rules) -> Duration {
        let doubled = 1_u32.checked_shl(self.times.saturating_sub(1));
        let times = doubled.unwrap_or(LONGEST).min(LONGEST);
        self.at.saturating_add(rules.repeat.saturating_mul(times))
    }
}

/// What was told, and what is to be told.
#[derive(Debug, Default)]
pub struct Bell {
    open: BTreeMap<Key, Open>,
    numbers: u64,
    /// Since when something waits that was never told.
    gathering: Option<Duration>,
    /// When messages went out, lately.
    rung: VecDeque<Duration>,
    /// Whether a notice may still be shown.
    shown: bool,
}

impl Bell {
    /// Takes in what there is `now`. `attended`: somebody looks, and sees it by themselves.
    pub fn step(
        &mut self,
        now: Moment,
        rules: &Rules,
        seen: Vec<Concern>,
        attended: bool,
    ) -> Vec<Effect> {
        self.take_in(now, rules, seen);
        let mut effects = Vec::new();
        let is_told = |open: &Open| open.told.is_some() && !open.gone;
        if self.shown && !self.open.values().any(is_told) {
            self.shown = false;
            effects.push(Effect::Withdraw);
        }
        let quiet = rules.quiet.is_some_and(|hours| hours.holds(now.local));
        if !quiet && !attended && self.is_due(now, rules) && self.may_ring(now) {
            effects.extend(self.tell(now, rules).map(Effect::Tell));
        }
        effects
    }

    fn take_in(&mut self, now: Moment, rules: &Rules, seen: Vec<Concern>) {
        let there: BTreeSet<Key> = seen.iter().map(Concern::key).collect();
        for (key, open) in &mut self.open {
            open.gone |= !there.contains(key);
        }
        for concern in seen {
            if let Some(open) = self.open.get_mut(&concern.key()) {
                // one that was put off, and whose time has come
                if open.gone && open.concern.since.is_some() {
                    open.told = None;
                }
                open.gone = false;
                open.concern = concern;
                continue;
            }
            self.numbers += 1;
            let open = Open {
                number: self.numbers,
                told: None,
                gone: false,
                concern,
            };
            self.open.insert(open.concern.key(), open);
        }
        self.open.retain(|_, open| match open.told {
            _ if !open.gone => true,
            Some(told) => now.since_start < told.at.saturating_add(rules.repeat),
            None => false,
        });
        if self.waiting().any(|open| open.told.is_none()) {
            self.gathering.get_or_insert(now.since_start);
        } else {
            self.gathering = None;
        }
        while self
            .rung
            .front()
            .is_some_and(|at| at.saturating_add(LATELY) <= now.since_start)
        {
            self.rung.pop_front();
        }
    }

    fn waiting(&self) -> impl Iterator<Item = &Open> {
        self.open.values().filter(|open| !open.gone)
    }

    fn is_due(&self, now: Moment, rules: &Rules) -> bool {
        let gathered = self
            .gathering
            .is_some_and(|since| since.saturating_add(rules.gather) <= now.since_start);
        let again = |open: &Open| {
            open.told
                .is_some_and(|told| told.again_at(rules) <= now.since_start)
        };
        gathered || self.waiting().any(again)
    }

    fn may_ring(&self, now: Moment) -> bool {
        let apart = if self.rung.len() >= MANY {
            FAR_APART
        } else {
            APART
        };
        let last = self.rung.back();
        last.is_none_or(|last| last.saturating_add(apart) <= now.since_start)
    }

    /// All that waits in one message, what was never told first.
    fn tell(&mut self, now: Moment, rules: &Rules) -> Option<Message> {
        let again = self.gathering.is_none();
        let mut waiting: Vec<&Open> = self.waiting().collect();
        waiting.sort_by_key(|open| (open.told.is_some(), open.number));
        let concerns: Vec<&Concern> = waiting.iter().map(|open| &open.concern).collect();
        let message = Message::of(&concerns, again)?;
        for open in self.open.values_mut().filter(|open| !open.gone) {
            let times = match open.told {
                None => 1,
                Some(told) if told.again_at(rules) <= now.since_start => {
                    told.times.saturating_add(1)
                }
                Some(told) => told.times,
            };
            let at = now.since_start;
            open.told = Some(Told { at, times });
        }
        self.gathering = None;
        self.rung.push_back(now.since_start);
        self.shown = true;
        Some(message)
    }
}

#[cfg(test)]
mod tests;
