//! Usage limits: an agent is parked until the reset, left to itself if it goes on by itself, and else nudged
//! once.

use std::time::Duration;

use super::{Effect, Machine, Moment, Sending, Typing, Urgency};
use crate::director::policy::Errand;
use crate::evidence::Sight;
use crate::evidence::transcript::RateLimit;
use crate::record::{Origin, Parked, Step};
use crate::screen::state::State;

/// How long after the reset the agent may go on by itself before it is nudged.
const GRACE: Duration = Duration::from_mins(1);
/// What an agent is told after the reset of its limit.
const GO_ON: &str = "The usage limit has been reset. Please go on where you stopped.";

impl Machine {
    /// Parks an agent that is seen at its limit, and lets one go that is not there any more.
    pub(super) fn watch_limit(&mut self, sight: &Sight, now: Moment, effects: &mut Vec<Effect>) {
        let at_limit = sight.state() == State::Limit;
        match (&self.counters.limit, at_limit) {
            (None, true) => {
                let until = sight.resets.or_else(|| sight.reset_shown());
                self.counters.limit = Some(Parked {
                    until,
                    nudged: false,
                });
                self.drop_ask(effects);
                let why = "the agent is at its usage limit".into();
                self.note("", Step::Counted { why }, now, effects);
                let when = until.map_or_else(
                    || "it does not say until when".into(),
                    |until| format!("until {}", crate::record::time_text(until)),
                );
                effects.push(Effect::Tell(
                    Urgency::Info,
                    format!("is at its usage limit, {when}"),
                ));
            }
            // a word of it that is still to be seen above an empty prompt does not count
            (Some(limit), false)
                if sight.state() != State::Unknown
                    && !(waits(limit, now) && is_last_word(sight)) =>
            {
                self.counters.limit = None;
                let why = "the usage limit is over".into();
                self.note("", Step::Counted { why }, now, effects);
            }
            _ => {}
        }
    }

    /// The one nudge after the reset, if it is time for it: from a close look.
    pub(super) fn after_limit(&mut self, sight: &Sight, now: Moment, effects: &mut Vec<Effect>) {
        if !self.is_due_after_limit(now) {
            return;
        }
        // in a dialog, and it would be the only try
        if sight.state() == State::Limit && sight.prompt().is_none() {
            return;
        }
        if !sight.close {
            effects.push(Effect::LookClosely);
            return;
        }
        if let Some(limit) = &mut self.counters.limit {
            limit.nudged = true;
        }
        if self.withholds(now).is_some() {
            return;
        }
        let typing = Typing {
            origin: Origin::Verdict,
            text: GO_ON.into(),
            terms: self.terms(Some(sight.screen.digest()), Errand::AfterLimit),
            answer: None,
            file: None,
        };
        let sending = Sending {
            ticket: self.ticket(),
            id: self.decision_id(now),
            reasoning: "the usage limit has been reset".into(),
            typing,
            screen: sight.screen.clone(),
        };
        self.begin_typing(sending, now, effects);
    }

    /// Whether it is still to be seen if the agent goes on by itself after the reset, or is nudged.
    pub(super) fn is_parked(&self) -> bool {
        let limit = self.counters.limit.as_ref();
        limit.is_some_and(|limit| !limit.nudged)
    }

    fn is_due_after_limit(&self, now: Moment) -> bool {
        let Some(Parked {
            until: Some(until),
            nudged: false,
        }) = self.counters.limit
        else {
            return false;
        };
        let wait = GRACE + self.settings.stagger;
        self.is_free() && now.wall >= until + wait
    }
}

/// Whether the reset has passed, and the nudge after it has not been.
fn waits(limit: &Parked, now: Moment) -> bool {
    !limit.nudged && limit.until.is_some_and(|until| until <= now.wall)
}

/// Whether nothing has been said in the transcript since the limit.
fn is_last_word(sight: &Sight) -> bool {
    let tail = sight.own.transcript.as_ref().ok();
    let limit = tail.and_then(|tail| tail.rate_limit.as_ref());
    limit.is_some_and(RateLimit::is_of_plan) && sight.state().takes_nudge()
}
