//! What happened to one agent in a stretch of time: records in, facts out. Pure.
//!
//! Only what is on record is told; whether a supervisor is running now is not.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::past::Entry;
use super::stats::{Counting, Stats, Tally, Zone};
use super::{BACK, Counters, DecisionLine, GONE, Memo, Origin, Question, Step};
use crate::ids::AgentId;

/// How many questions of one agent are told, the newest of them.
const MOST_ASKED: usize = 30;

/// The facts about one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Which.
    pub id: AgentId,
    /// What it is to achieve, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
    /// How it stood at the end.
    pub standing: Standing,
    /// When the last record of it was made; `None`: there is none in that time.
    pub last: Option<DateTime<Utc>>,
    /// After how many decisions its screen showed something new, and after how many it did not.
    pub moved: u64,
    /// See [`Facts::moved`].
    pub unmoved: u64,
    /// What its screen showed last after a decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<String>,
    /// What the person was asked, the oldest first.
    pub asked: VecDeque<Asked>,
    /// How many older questions are left out of it.
    pub left_out: u64,
    /// The numbers.
    pub tally: Tally,
}

/// How an agent stood at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Standing {
    /// It waits for the person.
    Waits {
        /// Since when.
        since: DateTime<Utc>,
        /// What is asked.
        text: String,
    },
    /// Its pane, its session or its program is gone.
    Gone {
        /// Since when.
        since: DateTime<Utc>,
        /// Why.
        why: String,
    },
    /// At its usage limit.
    Limit {
        /// Until when, as it says.
        until: Option<DateTime<Utc>>,
    },
    /// The person stopped its supervision.
    Stopped,
    /// The person holds its nudges.
    Held {
        /// Until when; `None`: until they are released.
        until: Option<DateTime<Utc>>,
    },
    /// A bound is reached.
    Bound {
        /// Which.
        why: String,
    },
    /// The model gave no usable answer when it was asked last.
    NoAnswer {
        /// Why.
        why: String,
    },
    /// Instructions led to nothing new.
    Fruitless {
        /// So many in a row.
        nudges: u32,
    },
    /// It went on.
    WentOn,
    /// It was watched, and nothing new was seen.
    Still,
    /// Nothing is on record.
    Silent,
}

impl Standing {
    /// Whether somebody should look at it.
    pub const fn is_stuck(&self) -> bool {
        !matches!(
            self,
            Self::WentOn | Self::Still | Self::Silent | Self::Stopped | Self::Held { .. }
        )
    }
}

/// A question that was put to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// When.
    pub at: DateTime<Utc>,
    /// What was asked.
    pub text: String,
    /// When it was over, and how; `None`: it is open.
    pub ended: Option<Ended>,
}

/// The end of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// When.
    pub at: DateTime<Utc>,
    /// How.
    pub how: How,
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// The person answered with a command.
    Answered(String),
    /// A rule answered.
    Rule(String),
    /// It was over without an answer here.
    Over(String),
}

/// What is known beside the logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Its goal.
    pub goal: Option<String>,
    /// Whether the person stopped it.
    pub stopped: bool,
    /// Its bounds on calls and tokens a day.
    pub bounds: Option<(u32, u64)>,
}

/// Gathers the facts about one agent from its records, which come in the order of time.
pub struct Digesting<'a> {
    counting: Counting<'a>,
    since: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    open: Option<Question>,
    gone: Option<(DateTime<Utc>, String)>,
    counters: Counters,
    failed: Option<String>,
    moved: u64,
    unmoved: u64,
    latest: Option<String>,
    asked: VecDeque<Asked>,
    left_out: u64,
}

impl<'a> Digesting<'a> {
    /// Gathers what happened from `since` on.
    pub fn new(zone: Zone<'a>, since: Option<DateTime<Utc>>) -> Self {
        Self {
            counting: Counting::new(zone, since, None),
            since,
            last: None,
            open: None,
            gone: None,
            counters: Counters::default(),
            failed: None,
            moved: 0,
            unmoved: 0,
            latest: None,
            asked: VecDeque::new(),
            left_out: 0,
        }
    }

    /// Takes in one record: an older one too, for what was open then.
    pub fn take(&mut self, entry: &Entry) {
        self.counting.take(entry);
        match entry {
            Entry::Step(step) => self.step(step),
            Entry::Memo(memo) if self.counts(memo.ts) => self.memo(memo),
            Entry::Memo(_) | Entry::Review(_) => {}
        }
        if self.counts(entry.ts()) {
            self.last = self.last.max(Some(entry.ts()));
        }
    }

    fn counts(&self, ts: DateTime<Utc>) -> bool {
        self.since.is_none_or(|since| ts >= since)
    }

    fn memo(&mut self, memo: &Memo) {
        let Some(after) = memo.after_summary.as_deref().filter(|it| !it.is_empty()) else {
            return;
        };
        if after.starts_with(crate::screen::change::NOTHING_NEW) {
            self.unmoved += 1;
        } else {
            self.moved += 1;
            self.latest = Some(after.to_owned());
        }
    }

    fn step(&mut self, line: &DecisionLine) {
        let now = line.counters.question.as_ref();
        let since = |question: Option<&Question>| question.map(|question| question.since);
        if since(now) != since(self.open.as_ref()) {
            if self.open.take().is_some()
                && let Some(asked) = self.asked.back_mut().filter(|asked| asked.ended.is_none())
            {
                asked.ended = Some(Ended {
                    at: line.ts,
                    how: how(&line.step),
                });
            }
            self.open = now.cloned();
            if let Some(question) = now {
                self.ask(question);
            }
        }
        self.forget_old(line.ts);
        match &line.step {
            Step::Answered {
                verdict, problem, ..
            } => {
                let why = problem.as_deref().unwrap_or("no verdict");
                self.failed = verdict.is_none().then(|| why.to_owned());
            }
            Step::Counted { why } => match why.strip_prefix(GONE) {
                Some(why) => self.gone = Some((line.ts, why.to_owned())),
                None if why == BACK => self.gone = None,
                None => {}
            },
            // it was looked at closely, and typed to
            Step::Asked { .. } | Step::Intent { .. } => self.gone = None,
            Step::Receipt { .. } => {}
        }
        self.counters = line.counters.clone();
    }

    fn ask(&mut self, question: &Question) {
        self.asked.push_back(Asked {
            at: question.since,
            text: question.text.clone(),
            ended: None,
        });
        if self.asked.len() > MOST_ASKED {
            let oldest = self.asked.pop_front();
            self.left_out += u64::from(oldest.is_some_and(|asked| self.counts(asked.at)));
        }
    }

    /// Questions that were over before the time that counts.
    fn forget_old(&mut self, now: DateTime<Utc>) {
        if !self.counts(now) {
            self.asked.retain(|asked| asked.ended.is_none());
        }
    }

    /// The facts as they are `now`.
    pub fn end(self, id: AgentId, beside: Beside, now: DateTime<Utc>) -> Facts {
        let standing = self.standing(&beside, now);
        let stats: Stats = self.counting.end(now);
        Facts {
            id,
            goal: beside.goal,
            standing,
            last: self.last,
            moved: self.moved,
            unmoved: self.unmoved,
            latest: self.latest,
            asked: self.asked,
            left_out: self.left_out,
            tally: stats.total(),
        }
    }

    fn standing(&self, beside: &Beside, now: DateTime<Utc>) -> Standing {
        let counters = &self.counters;
        if let Some(question) = &self.open {
            return Standing::Waits {
                since: question.since,
                text: question.text.clone(),
            };
        }
        if beside.stopped {
            return Standing::Stopped;
        }
        if let Some((since, why)) = self.gone.clone() {
            return Standing::Gone { since, why };
        }
        if let Some(limit) = &counters.limit {
            return Standing::Limit { until: limit.until };
        }
        if let Some(hold) = &counters.hold
            && hold.until.is_none_or(|until| until > now)
        {
            return Standing::Held { until: hold.until };
        }
        if let Some(why) = beside
            .bounds
            .and_then(|bounds| spent(counters, bounds, now))
        {
            return Standing::Bound { why };
        }
        match (&self.failed, self.last) {
            (_, None) => Standing::Silent,
            (Some(why), _) => Standing::NoAnswer { why: why.clone() },
            _ if counters.fruitless > 1 => Standing::Fruitless {
                nudges: counters.fruitless,
            },
            _ if self.moved > 0 => Standing::WentOn,
            _ => Standing::Still,
        }
    }
}

/// Which bound on spend is reached today (UTC).
fn spent(counters: &Counters, (calls, tokens): (u32, u64), now: DateTime<Utc>) -> Option<String> {
    if counters.day != Some(now.date_naive()) {
        return None;
    }
    if counters.calls >= calls {
        return Some(format!("the bound of {calls} calls a day"));
    }
    (counters.tokens >= tokens).then(|| format!("the bound of {tokens} tokens a day"))
}

fn how(step: &Step) -> How {
    match step {
        Step::Receipt {
            origin: Origin::Person,
            text,
            ..
        } => How::Answered(text.clone()),
        Step::Receipt {
            origin: Origin::Rule,
            text,
            ..
        } => How::Rule(text.clone()),
        Step::Counted { why } => {
            let why = why.strip_prefix("the question is closed: ").unwrap_or(why);
            How::Over(why.to_owned())
        }
        _ => How::Over("it was not taken up after a restart".to_owned()),
    }
}

#[cfg(test)]
mod tests;
