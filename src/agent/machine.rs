//! The rules of one agent: an [`Event`] in, [`Effect`]s out. Pure.
//!
//! When to look, when to ask, when to type, what to remember, and what to tell the person is decided here and
//! nowhere else. The driver carries the effects out and feeds back what happened; time comes in as a
//! [`Moment`]. A ticket names what was asked for, so that an answer that comes late is known and ignored.

mod ask;
mod bounds;
mod dialog;
mod event;
mod explain;
mod limit;
mod memory;
mod person;
mod progress;
mod seen;
#[cfg(test)]
mod tests;
mod typing;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use memory::{Pending, PendingKind, in_a_line};
use progress::Baseline;

use super::view::{AgentView, Bounded, Status, Urgency};
pub use event::{
    Charge, Effect, Event, Moment, PromptFile, Restored, Settings, Ticket, Trouble, Typing, Wish,
};
pub use explain::{Against, Explanation, Outlook, Waiting};

use crate::director::policy::{Errand, Terms};
use crate::director::prompt::Situation;
use crate::evidence::Sight;
use crate::evidence::spent::Meter;
use crate::evidence::transcript::Tail;
use crate::git::WorkMark;
use crate::record::logs::Interrupted;
use crate::record::{Counters, DecisionLine, Hold, Memo, Program, Question, Step, VERSION};
use crate::screen::Screen;
use crate::screen::change::SeenLines;
use crate::screen::history::History;
use crate::screen::recognise::Dialog;
use crate::screen::state::State;

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

/// The rules of one agent, and all that they remember.
#[derive(Debug)]
pub struct Machine {
    settings: Settings,
    mode: Mode,
    accepted: Option<Program>,
    polls: u64,
    /// Looks since the last line of the decision log, and when that was.
    unnoted: u64,
    noted_at: Duration,
    screen: Option<Screen>,
    /// The last look.
    sight: Option<Box<Sight>>,
    /// Whether its mission wants nobody to nudge it.
    reserved: bool,
    /// The count of what a worker spends.
    meter: Arc<Meter>,
    /// Looks in a row that showed the same state.
    same_state: u32,
    /// When somebody was last seen at work in the prompt.
    person_at: Option<Duration>,
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
    /// What there was before the text that is being typed.
    baseline: Baseline,
    /// What the repository was like when it was last looked at.
    work: Option<WorkMark>,
    /// The dialog that a rule has answered, until it is gone; and why no key was pressed, where none was.
    ruled: Option<(Dialog, Option<String>)>,
    /// The dialog that the person was shown last, and since when.
    shown: Option<(Dialog, Duration)>,
    interrupted: Option<Interrupted>,
    /// The person's text that waits until it is on record what became of the interrupted one.
    early_reply: Option<(Ticket, String)>,
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
            unnoted: 0,
            noted_at: Duration::ZERO,
            screen: None,
            sight: None,
            meter: Arc::default(),
            same_state: 0,
            person_at: None,
            still_since: Duration::ZERO,
            changed_at: None,
            last_seen: None,
            trouble: None,
            failures: 0,
            log_trouble: None,
            busy: Busy::Nothing,
            reserved: false,
            next_ask: Duration::ZERO,
            ask_wait: settings.agent.stall_sec.duration(),
            stalled: false,
            pending: None,
            baseline: Baseline::default(),
            work: None,
            ruled: None,
            shown: None,
            interrupted: restored.interrupted,
            early_reply: None,
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
            Event::Seen(sight) => self.seen(sight, now, &mut effects),
            Event::Unseen(trouble) => self.unseen(trouble, now, &mut effects),
            Event::Answered(ticket, answer) => self.answered(ticket, *answer, now, &mut effects),
            Event::Typed(ticket, receipt) => self.typed(ticket, receipt, now, &mut effects),
            Event::Log(written) => self.log_written(written, &mut effects),
            Event::Stop => self.stop(now, &mut effects),
            Event::Start(program) => self.start(program, now, &mut effects),
            Event::Reply(ticket, text) => self.reply(ticket, &text, now, &mut effects),
            Event::Answer(ticket, wish) => self.answer(ticket, &wish, now, &mut effects),
            Event::Hold(until) => self.hold(until, now, &mut effects),
            Event::Reserve(reserved) => self.reserve(reserved, now, &mut effects),
            Event::Release => self.release(now, &mut effects),
            Event::Set(settings) => self.set(*settings, now, &mut effects),
            Event::Quit => self.quit(now, &mut effects),
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
            state: self.state(),
            evidence: self.evidence(),
            kind: self
                .sight
                .as_ref()
                .and_then(|sight| sight.kind())
                .map(str::to_owned),
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
            dialog: self
                .sight
                .as_ref()
                .and_then(|sight| sight.reading.dialog.clone()),
            program: self.accepted.as_ref().map(|program| program.name.clone()),
            observe: self.observes(),
            all_stopped: self.settings.all_stopped,
            held: self.held(now).is_some(),
            mission: self.settings.charge.as_ref().map(|it| it.on.clone()),
            spending: self.meter.spending(),
            context_full: self
                .sight
                .as_ref()
                .is_some_and(|sight| sight.context_full()),
        }
    }

    /// What is known for a review: the goal, what was seen lately, how long it has been quiet.
    pub fn situation(&self, pane: String, now: Moment) -> Situation {
        Situation {
            goal: self.settings.agent.goal.clone(),
            state: self.state().unwrap_or(State::Unknown),
            evidence: self.evidence(),
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
            Busy::Asking { .. } => return Status::Asking(self.settings.backend.into()),
            Busy::Nothing => {}
        }
        if self.counters.question.is_some() {
            Status::AwaitingUser
        } else if self.settings.all_stopped {
            Status::AllStopped
        } else if let Some(hold) = self.held(now) {
            Status::Held(hold.until)
        } else if let Some(limit) = &self.counters.limit {
            Status::Limit(limit.until)
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
        } else if self.quiet(now) < self.stall() || self.state().is_some_and(State::is_busy) {
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

    fn terms(&self, judged: Option<crate::screen::Digest>, errand: Errand) -> Terms {
        Terms {
            accepted: self.accepted.clone(),
            allow_shell: self.settings.agent.allow_shell,
            judged,
            errand,
        }
    }

    /// What the agent was last seen doing.
    fn state(&self) -> Option<State> {
        self.sight.as_ref().map(|sight| sight.state())
    }

    /// On what that rests, in words.
    fn evidence(&self) -> Vec<String> {
        let Some(sight) = &self.sight else {
            return Vec::new();
        };
        let lines = sight.reading.lines.iter();
        let lines = lines.map(|line| format!("line {}: {}", line.row, line.text));
        let against = sight.conclusion.agreed.as_ref().err();
        std::iter::once(sight.because())
            .chain(against.map(|why| format!("not agreed: {why}")))
            .chain(lines)
            .collect()
    }

    /// The end of its transcript as it was read last.
    pub fn transcript(&self) -> Option<Arc<Tail>> {
        let sight = self.sight.as_ref()?;
        sight.own.transcript.as_ref().ok().cloned()
    }

    /// The count of what it spends, to go on with: of a worker, for which somebody pays by the task.
    pub fn meter(&self) -> Option<Arc<Meter>> {
        let is_worker = self.settings.charge.is_some();
        is_worker.then(|| Arc::clone(&self.meter))
    }

    /// The person's word that nudges are held, while it holds.
    fn held(&self, now: Moment) -> Option<&Hold> {
        let hold = self.counters.hold.as_ref();
        hold.filter(|hold| hold.until.is_none_or(|until| now.wall < until))
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

    fn note(&mut self, id: &str, step: Step, now: Moment, effects: &mut Vec<Effect>) {
        self.noted_at = now.since_start;
        effects.push(Effect::Note(Box::new(DecisionLine {
            v: VERSION,
            ts: now.wall,
            session_id: self.settings.session.clone(),
            id: id.to_owned(),
            step,
            looks: Some(std::mem::take(&mut self.unnoted)),
            counters: self.counters.clone(),
        })));
    }

    /// Writes down the looks that no line tells of yet: once an hour, and at the end.
    fn note_looks(&mut self, why: &str, now: Moment, effects: &mut Vec<Effect>) {
        if self.unnoted > 0 {
            let why = why.to_owned();
            self.note("", Step::Counted { why }, now, effects);
        }
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
