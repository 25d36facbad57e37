//! The rules of one agent: an [`Event`] in, [`Effect`]s out. Pure.
//!
//! When to look, when to ask, when to type, what to remember, and what to tell the person is decided here and
//! nowhere else. The driver carries the effects out and feeds back what happened; time comes in as a
//! [`Moment`]. A ticket names what was asked for, so that an answer that comes late is known and ignored.

mod ask;
mod event;
mod person;
mod seen;
#[cfg(test)]
mod tests;
mod typing;

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::view::{AgentView, Bounded, Status, Urgency};
pub use event::{Effect, Event, Moment, Restored, Settings, Ticket, Trouble, Typing};

use crate::director::policy::Terms;
use crate::director::prompt::{MEMOS, Situation};
use crate::record::logs::Interrupted;
use crate::record::{Counters, DecisionLine, Memo, MemoAction, Program, Question, Step, VERSION};
use crate::screen::Screen;
use crate::screen::change::{Change, SeenLines};
use crate::screen::history::History;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Watching,
    Stopped,
    Disabled,
}

/// What is under way.
#[derive(Debug, Clone, PartialEq)]
enum Busy {
    Nothing,
    Asking {
        ticket: Ticket,
        id: String,
        screen: Screen,
    },
    Typing(Box<Sending>),
}

/// A text on its way into the pane.
#[derive(Debug, Clone, PartialEq)]
struct Sending {
    ticket: Ticket,
    /// The decision's id.
    id: String,
    reasoning: String,
    typing: Typing,
    /// The screen that it was decided for.
    screen: Screen,
}

/// A memo whose end is not known yet.
#[derive(Debug, Clone, PartialEq)]
struct Pending {
    memo: Memo,
    before: Screen,
    /// What we typed, if we did.
    echo: String,
    /// Whether it is a nudge that must show that it helped.
    is_nudge: bool,
}

/// The rules of one agent, and all that they remember.
#[derive(Debug)]
pub struct Machine {
    settings: Settings,
    mode: Mode,
    accepted: Option<Program>,
    polls: u64,
    screen: Option<Screen>,
    /// When the screen last changed, as far as stalls count; and for the person's eyes.
    still_since: Duration,
    changed_at: Option<DateTime<Utc>>,
    last_seen: Option<Moment>,
    trouble: Option<Trouble>,
    /// Looks in a row that failed.
    failures: u32,
    log_trouble: Option<String>,
    busy: Busy,
    /// When the unchanged screen may be asked about next, and how long the wait after that is.
    next_ask: Duration,
    ask_wait: Duration,
    /// Whether this stall has been noticed.
    stalled: bool,
    pending: Option<Pending>,
    interrupted: Option<Interrupted>,
    /// The last look showed nothing of the text that was left in the prompt.
    left_over_gone: bool,
    memos: VecDeque<Memo>,
    seen_lines: SeenLines,
    history: History,
    counters: Counters,
    /// What the person was told of a bound or a failure, so as not to tell it again and again.
    told: Option<String>,
    last_decision: String,
    tickets: Ticket,
    decisions: u64,
}

impl Machine {
    /// The rules of an agent that is about to be watched, or not, as its settings say.
    pub fn new(settings: Settings, accepted: Option<Program>, restored: Restored) -> Self {
        let mode = if settings.agent.enabled {
            Mode::Watching
        } else {
            Mode::Disabled
        };
        let last = restored.memos.last();
        Self {
            mode,
            accepted,
            polls: 0,
            screen: None,
            still_since: Duration::ZERO,
            changed_at: None,
            last_seen: None,
            trouble: None,
            failures: 0,
            log_trouble: None,
            busy: Busy::Nothing,
            next_ask: Duration::ZERO,
            ask_wait: settings.agent.stall_sec.duration(),
            stalled: false,
            pending: None,
            interrupted: restored.interrupted,
            left_over_gone: false,
            last_decision: last
                .map(|memo| in_a_line(&memo.action, &memo.text))
                .unwrap_or_default(),
            memos: restored.memos.into(),
            seen_lines: SeenLines::default(),
            history: History::default(),
            counters: restored.counters,
            told: None,
            tickets: 0,
            decisions: 0,
            settings,
        }
    }

    /// Takes in what happened and says what is to be done about it.
    pub fn on(&mut self, event: Event, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.roll_day(now);
        match event {
            Event::Due => self.due(&mut effects),
            Event::Seen(screen) => self.seen(screen, None, now, &mut effects),
            Event::Sighted(sight) => {
                self.seen(sight.screen.clone(), Some(&sight), now, &mut effects);
            }
            Event::Unseen(trouble) => self.unseen(trouble, &mut effects),
            Event::Answered(ticket, answer) => self.answered(ticket, *answer, now, &mut effects),
            Event::Typed(ticket, receipt) => self.typed(ticket, receipt, now, &mut effects),
            Event::Log(written) => self.log_written(written, &mut effects),
            Event::Stop => self.stop(now, &mut effects),
            Event::Start(program) => self.start(program, now, &mut effects),
            Event::Reply(ticket, text) => self.reply(ticket, &text, now, &mut effects),
            Event::Set(settings) => self.set(*settings, now, &mut effects),
            Event::Quit => self.quit(&mut effects),
        }
        effects
    }

    /// What is seen of the agent from outside, now.
    pub fn view(&self, now: Moment) -> AgentView {
        let limits = &self.settings.limits;
        AgentView {
            id: self.settings.agent.id.clone(),
            pane: self.settings.address.clone(),
            goal: self.settings.agent.goal.clone(),
            status: self.status(now),
            polls: self.polls,
            changed_at: self.changed_at,
            nudges: Bounded {
                used: self.nudges_this_hour(now),
                bound: limits.nudges_per_hour,
            },
            fruitless: Bounded {
                used: self.counters.fruitless,
                bound: limits.fruitless_nudges,
            },
            calls: Bounded {
                used: self.calls_today(now),
                bound: limits.calls_per_day,
            },
            tokens: Bounded {
                used: self.tokens_today(now),
                bound: limits.tokens_per_day,
            },
            last_decision: self.last_decision.clone(),
            question: self.counters.question.clone(),
            program: self.accepted.as_ref().map(|program| program.name.clone()),
            observe: self.observes(),
        }
    }

    /// What is known for a review: the goal, what was seen lately, how long it has been quiet.
    pub fn situation(&self, pane: String, now: Moment) -> Situation {
        Situation {
            goal: self.settings.agent.goal.clone(),
            state: crate::screen::state::State::Unknown,
            evidence: Vec::new(),
            pane,
            memos: self.memos.iter().cloned().collect(),
            quiet: self.quiet(now),
            front: self
                .accepted
                .as_ref()
                .map_or_else(|| "unknown".into(), |program| program.command.clone()),
            fruitless: (
                self.counters.fruitless,
                self.settings.limits.fruitless_nudges,
            ),
            now: now.wall,
        }
    }

    /// The last `chars` characters of what its screens showed.
    pub fn seen_lately(&self, chars: usize) -> String {
        self.history.text(chars)
    }

    /// The settings that the rules follow.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Who may be typed to.
    pub fn accepted(&self) -> Option<&Program> {
        self.accepted.as_ref()
    }

    fn status(&self, now: Moment) -> Status {
        match self.mode {
            Mode::Stopped => return Status::Stopped,
            Mode::Disabled => return Status::Disabled,
            Mode::Watching => {}
        }
        match (&self.trouble, &self.log_trouble) {
            (Some(Trouble::Gone(why)), _) => return Status::Gone(why.clone()),
            (Some(Trouble::NoAnswer(why)), _) | (None, Some(why)) => {
                return Status::Error(why.clone());
            }
            (None, None) => {}
        }
        match &self.busy {
            Busy::Typing(_) => return Status::Instructed,
            Busy::Asking { .. } => return Status::Asking(self.settings.backend),
            Busy::Nothing => {}
        }
        if self.counters.question.is_some() {
            Status::AwaitingUser
        } else if self.screen.is_none() {
            Status::Starting
        } else if self
            .pending
            .as_ref()
            .is_some_and(|pending| !pending.echo.is_empty())
        {
            Status::Instructed
        } else if self.observes() {
            Status::Observing
        } else if self.quiet(now) < self.stall() {
            Status::Running
        } else {
            Status::Stable
        }
    }

    fn observes(&self) -> bool {
        self.settings.observe_all || self.settings.agent.observe
    }

    fn stall(&self) -> Duration {
        self.settings.agent.stall_sec.duration()
    }

    fn poll(&self) -> Duration {
        self.settings.agent.poll_sec.duration()
    }

    fn quiet(&self, now: Moment) -> Duration {
        now.since_start.saturating_sub(self.still_since)
    }

    fn terms(&self, judged: Option<crate::screen::Digest>) -> Terms {
        Terms {
            accepted: self.accepted.clone(),
            allow_shell: self.settings.agent.allow_shell,
            judged,
        }
    }

    fn nudges_this_hour(&self, now: Moment) -> u32 {
        let hour_ago = now.wall - chrono::TimeDelta::hours(1);
        let recent = self
            .counters
            .nudges
            .iter()
            .filter(|at| **at > hour_ago)
            .count();
        u32::try_from(recent).unwrap_or(u32::MAX)
    }

    fn calls_today(&self, now: Moment) -> u32 {
        if self.counters.day == Some(now.wall.date_naive()) {
            self.counters.calls
        } else {
            0
        }
    }

    fn tokens_today(&self, now: Moment) -> u64 {
        if self.counters.day == Some(now.wall.date_naive()) {
            self.counters.tokens
        } else {
            0
        }
    }

    /// Begins a new count on a new day, and forgets nudges that are older than an hour.
    fn roll_day(&mut self, now: Moment) {
        let today = now.wall.date_naive();
        if self.counters.day != Some(today) {
            self.counters.day = Some(today);
            self.counters.calls = 0;
            self.counters.tokens = 0;
        }
        let hour_ago = now.wall - chrono::TimeDelta::hours(1);
        while self
            .counters
            .nudges
            .front()
            .is_some_and(|at| *at <= hour_ago)
        {
            self.counters.nudges.pop_front();
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.tickets
    }

    /// The name of a new decision: in the order of time, and distinct within the agent's logs.
    fn decision_id(&mut self, now: Moment) -> String {
        self.decisions += 1;
        format!("{}-{}", now.wall.format("%Y%m%dT%H%M%S%3f"), self.decisions)
    }

    fn note(&self, id: &str, step: Step, now: Moment, effects: &mut Vec<Effect>) {
        effects.push(Effect::Note(Box::new(DecisionLine {
            v: VERSION,
            ts: now.wall,
            session_id: self.settings.session.clone(),
            id: id.to_owned(),
            step,
            counters: self.counters.clone(),
        })));
    }

    /// A memo of something decided just now, appended at once and kept in mind until its end is known.
    fn remember(
        &mut self,
        memo: Memo,
        pending: PendingKind,
        before: Screen,
        effects: &mut Vec<Effect>,
    ) {
        self.close_pending(effects);
        self.last_decision = in_a_line(&memo.action, &memo.text);
        if let Some(receipt) = &memo.receipt {
            self.last_decision = format!("{} [{receipt}]", self.last_decision);
        }
        self.memos.push_back(memo.clone());
        while self.memos.len() > MEMOS {
            self.memos.pop_front();
        }
        effects.push(Effect::Remember(Box::new(memo.clone())));
        let (echo, is_nudge) = match pending {
            PendingKind::Typed { text, is_nudge } => (text, is_nudge),
            PendingKind::Watched => (String::new(), false),
        };
        self.pending = Some(Pending {
            memo,
            before,
            echo,
            is_nudge,
        });
    }

    fn memo(
        &self,
        id: String,
        action: MemoAction,
        text: String,
        reasoning: String,
        now: Moment,
    ) -> Memo {
        Memo {
            v: VERSION,
            id,
            session_id: self.settings.session.clone(),
            ts: now.wall,
            action,
            text,
            reasoning,
            receipt: None,
            after_summary: None,
        }
    }

    /// Writes down what came of the last decision, now that it is known.
    fn close_pending(&mut self, effects: &mut Vec<Effect>) {
        let Some(mut pending) = self.pending.take() else {
            return;
        };
        let Some(screen) = self.screen.clone() else {
            return;
        };
        pending.memo.after_summary =
            Some(Change::between(&pending.before, &screen, &pending.echo).summary());
        if let Some(kept) = self
            .memos
            .iter_mut()
            .find(|memo| memo.id == pending.memo.id)
        {
            kept.clone_from(&pending.memo);
        }
        effects.push(Effect::Remember(Box::new(pending.memo)));
    }

    fn open_question(
        &mut self,
        text: String,
        left_over: Option<String>,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        self.counters.question = Some(Question {
            text: text.clone(),
            since: now.wall,
            insists: false,
            left_over,
        });
        let why = "a question is open".into();
        self.note("", Step::Counted { why }, now, effects);
        // last: what the person was told must come back after a crash
        effects.push(Effect::Tell(Urgency::Person, text));
    }

    fn close_question(&mut self, why: &str, now: Moment, effects: &mut Vec<Effect>) {
        if self.counters.question.take().is_some() {
            self.note(
                "",
                Step::Counted {
                    why: format!("the question is closed: {why}"),
                },
                now,
                effects,
            );
        }
    }

    /// Tells the person once, until something else is told or [`Self::told`] is cleared.
    fn tell_once(&mut self, weight: Urgency, text: String, effects: &mut Vec<Effect>) {
        if self.told.as_ref() != Some(&text) {
            self.told = Some(text.clone());
            effects.push(Effect::Tell(weight, text));
        }
    }
}

/// What the memo that is being remembered waits for.
enum PendingKind {
    /// A text was typed.
    Typed { text: String, is_nudge: bool },
    /// Nothing was.
    Watched,
}

fn in_a_line(action: &MemoAction, text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        action.to_string()
    } else {
        format!("{action}: {text}")
    }
}
