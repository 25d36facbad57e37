//! What the person does: stop, start, reply, change; and the end of the supervisor.

use chrono::{DateTime, Utc};

use super::{Busy, Effect, Machine, Mode, Moment, Sending, Settings, Ticket, Typing};
use crate::director::policy::Errand;
use crate::director::text;
use crate::record::{Hold, Origin, Program, Receipt, Step};

impl Machine {
    pub(super) fn stop(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        self.mode = Mode::Stopped;
        self.drop_work(effects);
        self.close_pending(effects);
        self.close_question("the agent was stopped", now, effects);
        self.note_looks("the agent was stopped", now, effects);
    }

    pub(super) fn start(
        &mut self,
        program: Option<Program>,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        if program.is_some() {
            self.accepted = program;
        }
        self.mode = Mode::Watching;
        self.drop_ask(effects);
        self.trouble = None;
        self.failures = 0;
        self.screen = None;
        self.sight = None;
        self.same_state = 0;
        self.person_at = None;
        self.last_seen = None;
        self.told = None;
        self.restart_stall(now);
        self.close_question("the agent was started", now, effects);
        effects.push(Effect::Wait(std::time::Duration::ZERO));
    }

    pub(super) fn reply(
        &mut self,
        ticket: Ticket,
        text: &str,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        match self.replyable(text) {
            // of two texts without an end on record a next run would know the later one only
            Ok(_) if self.interrupted.is_some() => {
                self.early_reply = Some((ticket, text.to_owned()));
                effects.push(Effect::LookClosely);
            }
            Ok(text) => {
                self.drop_ask(effects);
                self.close_pending(effects);
                let id = self.decision_id(now);
                let screen = self
                    .screen
                    .clone()
                    .unwrap_or_else(|| crate::screen::Screen::read(""));
                let (text, file) = self.folded(&id, text);
                let typing = Typing {
                    origin: Origin::Person,
                    text,
                    terms: self.terms(None, Errand::Reply),
                    answer: None,
                    file,
                };
                let sending = Sending {
                    ticket,
                    id,
                    reasoning: String::new(),
                    typing,
                    screen,
                };
                self.begin_typing(sending, now, effects);
            }
            Err(why) => effects.push(Effect::Receipt(ticket, Receipt::Refused { why })),
        }
    }

    /// Whether keys may be pressed for the person at all, whatever is on the screen and under way.
    pub(super) fn is_open_to_person(&self) -> Result<(), String> {
        let id = &self.settings.agent.id;
        if self.mode != Mode::Watching {
            return Err(format!("the agent is not watched; `/start {id}` first"));
        }
        if self.observes() {
            return Err(format!(
                "nothing is typed while observing; `/set {id} observe false` first"
            ));
        }
        if self.settings.all_stopped {
            return Err("all typing is stopped; `/startall` first".into());
        }
        match &self.log_trouble {
            Some(why) => Err(format!("the log cannot be written: {why}")),
            None => Ok(()),
        }
    }

    fn replyable(&self, text: &str) -> Result<String, String> {
        self.is_open_to_person()?;
        if matches!(self.busy, Busy::Typing(_)) {
            return Err("another text is being typed to it; try again in a moment".into());
        }
        if self.early_reply.is_some() {
            return Err("another text waits to be typed to it; try again in a moment".into());
        }
        text::reply(text).map_err(|why| why.to_string())
    }

    /// Holds every nudge, until then or until it is released.
    pub(super) fn hold(
        &mut self,
        until: Option<DateTime<Utc>>,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        self.counters.hold = Some(Hold { until });
        self.leave_alone(effects);
        self.note(
            "",
            Step::Counted {
                why: "the person holds nudges".into(),
            },
            now,
            effects,
        );
    }

    /// Takes the hold back.
    pub(super) fn release(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        if self.counters.hold.take().is_some() {
            self.note(
                "",
                Step::Counted {
                    why: "the person released nudges".into(),
                },
                now,
                effects,
            );
        }
        self.next_ask = self.next_ask.min(now.since_start + self.stall());
    }

    /// Keeps every nudge from a worker while its mission is busy with it, or no longer.
    pub(super) fn reserve(&mut self, reserved: bool, now: Moment, effects: &mut Vec<Effect>) {
        self.reserved = reserved;
        if reserved {
            self.leave_alone(effects);
        } else {
            self.next_ask = self.next_ask.min(now.since_start + self.stall());
        }
    }

    /// Nothing is asked about it any more, and nothing typed but the person's own text, which is theirs.
    fn leave_alone(&mut self, effects: &mut Vec<Effect>) {
        self.drop_ask(effects);
        if matches!(&self.busy, Busy::Typing(sending) if sending.typing.origin != Origin::Person) {
            effects.push(Effect::EndTyping);
        }
    }

    /// A ticket for [`Event::Reply`](super::Event::Reply), under which its receipt comes back.
    pub fn reply_ticket(&mut self) -> Ticket {
        self.ticket()
    }

    pub(super) fn set(&mut self, settings: Settings, now: Moment, effects: &mut Vec<Effect>) {
        let was_off = self.mode == Mode::Disabled;
        let goal_changed = settings.agent.goal != self.settings.agent.goal;
        self.settings = settings;
        if was_off && self.settings.agent.enabled {
            return self.start(None, now, effects);
        }
        if goal_changed || self.settings.all_stopped {
            self.drop_ask(effects);
        }
        if self.settings.all_stopped && matches!(self.busy, Busy::Typing(_)) {
            effects.push(Effect::EndTyping);
        }
        self.ask_wait = self.stall();
        self.next_ask = self.next_ask.min(now.since_start + self.stall());
        if self.mode == Mode::Watching {
            effects.push(Effect::Wait(self.poll()));
        }
    }

    pub(super) fn quit(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        self.drop_work(effects);
        self.close_pending(effects);
        self.note_looks("the supervisor ends", now, effects);
        if !matches!(self.busy, Busy::Typing(_)) {
            self.mode = Mode::Stopped;
        }
    }

    fn drop_work(&mut self, effects: &mut Vec<Effect>) {
        self.refuse_early_reply("it was stopped before the first key", effects);
        self.drop_ask(effects);
        if matches!(self.busy, Busy::Typing(_)) {
            // its receipt is still to come, and to be written down
            effects.push(Effect::EndTyping);
        }
    }

    /// Begins to type the text that waited for the end of the interrupted one.
    pub(super) fn take_up_early_reply(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        if self.interrupted.is_none()
            && let Some((ticket, text)) = self.early_reply.take()
        {
            self.reply(ticket, &text, now, effects);
        }
    }

    /// The text that waits is not typed, for `why`.
    pub(super) fn refuse_early_reply(&mut self, why: &str, effects: &mut Vec<Effect>) {
        if let Some((ticket, _)) = self.early_reply.take() {
            let why = why.to_owned();
            effects.push(Effect::Receipt(ticket, Receipt::Refused { why }));
        }
    }

    /// Drops what is asked: its verdict would be about what is no more.
    pub(super) fn drop_ask(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.busy, Busy::Asking { .. }) {
            self.busy = Busy::Nothing;
            effects.push(Effect::DropAsk);
        }
    }
}
