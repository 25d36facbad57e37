//! What was seen, spent, said and waited for, counted per day: records in, numbers out. Pure.
//!
//! A day is one of the person's own zone, which comes in as a value. What a record of an older version does not
//! tell is not guessed.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::Serialize;

use super::past::Entry;
use super::{Action, DecisionLine, MemoAction, Origin, Question, Receipt, Step};

/// How far from UTC clocks were at a moment.
pub type Zone<'a> = &'a dyn Fn(DateTime<Utc>) -> FixedOffset;

/// The longest wait for a person that is counted: a wrong clock may make one of centuries.
const LONGEST_WAIT: TimeDelta = TimeDelta::days(400);

/// What is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Looks at the pane; `None` where no line tells of any (logs before 2026-12).
    pub looks: Option<u64>,
    /// Calls of the decide backend.
    pub calls: u64,
    /// Tokens that those took.
    pub tokens: u64,
    /// What was decided.
    pub verdicts: Verdicts,
    /// What became of instructions.
    pub nudges: Receipts,
    /// What became of the person's own texts.
    pub replies: Receipts,
    /// Questions that were put to the person, those that dialogs ask among them.
    pub questions: u64,
    /// Dialogs that were answered.
    pub dialogs: Dialogs,
    /// Seconds for which a question waited for the person.
    pub waited_sec: u64,
    /// Reviews.
    pub reviews: u64,
    /// Tokens that those took.
    pub review_tokens: u64,
}

/// Verdicts by what they say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdicts {
    /// Leave it alone.
    #[serde(rename = "continue")]
    pub leave: u64,
    /// Tell it something.
    pub instruct: u64,
    /// Ask the person.
    pub ask_user: u64,
    /// The backend gave no usable answer.
    pub none: u64,
}

/// Texts by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipts {
    /// Taken.
    pub delivered: u64,
    /// Nothing was typed.
    pub refused: u64,
    /// Not known to be taken.
    pub unproven: u64,
    /// Not typed because nothing is.
    pub observed: u64,
}

impl Receipts {
    fn count(&mut self, receipt: &Receipt) {
        *match receipt {
            Receipt::Delivered(_) => &mut self.delivered,
            Receipt::Refused { .. } => &mut self.refused,
            Receipt::Unproven { .. } => &mut self.unproven,
            Receipt::Observed => &mut self.observed,
        } += 1;
    }
}

/// Dialogs that were answered, by whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dialogs {
    /// By the person, with a command.
    pub by_person: u64,
    /// By a rule.
    pub by_rule: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.looks = match (self.looks, other.looks) {
            (None, None) => None,
            (one, two) => Some(one.unwrap_or(0).saturating_add(two.unwrap_or(0))),
        };
        self.calls += other.calls;
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.verdicts.leave += other.verdicts.leave;
        self.verdicts.instruct += other.verdicts.instruct;
        self.verdicts.ask_user += other.verdicts.ask_user;
        self.verdicts.none += other.verdicts.none;
        for (sum, more) in [
            (&mut self.nudges, other.nudges),
            (&mut self.replies, other.replies),
        ] {
            sum.delivered += more.delivered;
            sum.refused += more.refused;
            sum.unproven += more.unproven;
            sum.observed += more.observed;
        }
        self.questions += other.questions;
        self.dialogs.by_person += other.dialogs.by_person;
        self.dialogs.by_rule += other.dialogs.by_rule;
        self.waited_sec = self.waited_sec.saturating_add(other.waited_sec);
        self.reviews += other.reviews;
        self.review_tokens = self.review_tokens.saturating_add(other.review_tokens);
    }
}

/// The numbers of one agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// By day.
    pub days: BTreeMap<NaiveDate, Tally>,
    /// When the first record that counts was made, and the last.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// The question that was open at the end.
    pub open: Option<Question>,
}

impl Stats {
    /// All days together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.days.values() {
            total += *tally;
        }
        total
    }
}

/// Counts the records of one agent, which come in the order of time.
pub struct Counting<'a> {
    zone: Zone<'a>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    stats: Stats,
}

impl<'a> Counting<'a> {
    /// Counts what happened from `since` on, up to `until`.
    pub fn new(zone: Zone<'a>, since: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Self {
        Self {
            zone,
            since,
            until,
            stats: Stats::default(),
        }
    }

    /// Takes in one record: an older one too, for what was open then.
    pub fn take(&mut self, entry: &Entry) {
        let ts = entry.ts();
        if self.until.is_some_and(|until| ts >= until) {
            return;
        }
        if let Entry::Step(step) = entry {
            self.watch_question(step);
        }
        if self.since.is_some_and(|since| ts < since) {
            return;
        }
        let (first, last) = self.stats.span.unwrap_or((ts, ts));
        self.stats.span = Some((first.min(ts), last.max(ts)));
        let tally = self.day(ts);
        match entry {
            Entry::Step(step) => count_step(step, tally),
            Entry::Memo(memo) => {
                // what came after a memo is written as the same memo once more
                let is_first = memo.id.is_empty() || memo.after_summary.is_none();
                let delivered = memo.receipt.as_ref().is_some_and(Receipt::is_delivered);
                if is_first && delivered && memo.action == MemoAction::Answer {
                    tally.dialogs.by_person += 1;
                }
                // the original kept memos alone
                if memo.v == 0 {
                    count_original(&memo.action, tally);
                }
            }
            Entry::Review(review) => {
                tally.reviews += 1;
                tally.review_tokens = tally.review_tokens.saturating_add(review.tokens);
            }
        }
    }

    /// What was counted; a question that is open still is waited for until `now`.
    pub fn end(mut self, now: DateTime<Utc>) -> Stats {
        let until = self.until.map_or(now, |until| until.min(now));
        if let Some(question) = &self.stats.open {
            self.waited(question.since, until);
        }
        for tally in self.stats.days.values_mut() {
            // a rule's answer is in both logs, and so is a person's, where it looks like a reply
            let by_person = tally
                .dialogs
                .by_person
                .saturating_sub(tally.dialogs.by_rule);
            tally.dialogs.by_person = by_person;
            tally.replies.delivered = tally.replies.delivered.saturating_sub(by_person);
        }
        self.stats
    }

    fn day(&mut self, ts: DateTime<Utc>) -> &mut Tally {
        let day = ts.with_timezone(&(self.zone)(ts)).date_naive();
        self.stats.days.entry(day).or_default()
    }

    fn watch_question(&mut self, step: &DecisionLine) {
        let now = step.counters.question.as_ref();
        let before = self.stats.open.as_ref();
        if now.map(|question| question.since) == before.map(|question| question.since) {
            return;
        }
        if let Some(before) = self.stats.open.take() {
            self.waited(before.since, step.ts);
        }
        if let Some(question) = now {
            if self.since.is_none_or(|since| question.since >= since) {
                self.day(question.since.min(step.ts)).questions += 1;
            }
            self.stats.open = Some(question.clone());
        }
    }

    /// Counts a wait on the days over which it went.
    fn waited(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) {
        let earliest = to.checked_sub_signed(LONGEST_WAIT).unwrap_or(to);
        let mut at = from.max(earliest).max(self.since.unwrap_or(from));
        while at < to {
            let end = self.next_midnight(at).min(to);
            let seconds = (end - at).num_seconds();
            self.day(at).waited_sec += u64::try_from(seconds).unwrap_or_default();
            at = end;
        }
    }

    /// Always later than `at`; at most a change of the clocks off.
    fn next_midnight(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let offset = (self.zone)(at);
        let local = at.with_timezone(&offset).naive_local();
        let next = local.date().checked_add_days(Days::new(1));
        let midnight = next.and_then(|day| {
            let there = day.and_time(NaiveTime::MIN).and_local_timezone(offset);
            there.single().map(|there| there.to_utc())
        });
        midnight.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

fn count_step(line: &DecisionLine, tally: &mut Tally) {
    if let Some(looks) = line.looks {
        let before = tally.looks.unwrap_or_default();
        tally.looks = Some(before.saturating_add(looks));
    }
    match &line.step {
        Step::Asked { .. } => tally.calls += 1,
        Step::Answered {
            verdict, tokens, ..
        } => {
            tally.tokens = tally.tokens.saturating_add(*tokens);
            count_verdict(verdict.as_ref().map(|verdict| verdict.action), tally);
        }
        Step::Receipt {
            origin, receipt, ..
        } => match origin {
            Origin::Verdict => tally.nudges.count(receipt),
            Origin::Person => tally.replies.count(receipt),
            Origin::Rule => tally.dialogs.by_rule += u64::from(receipt.is_delivered()),
        },
        Step::Intent { .. } | Step::Counted { .. } => {}
    }
}

fn count_verdict(action: Option<Action>, tally: &mut Tally) {
    *match action {
        Some(Action::Continue) => &mut tally.verdicts.leave,
        Some(Action::Instruct) => &mut tally.verdicts.instruct,
        Some(Action::AskUser) => &mut tally.verdicts.ask_user,
        None => &mut tally.verdicts.none,
    } += 1;
}

fn count_original(action: &MemoAction, tally: &mut Tally) {
    if let MemoAction::Verdict(action) = action {
        count_verdict(Some(*action), tally);
    }
}

#[cfg(test)]
mod tests;
