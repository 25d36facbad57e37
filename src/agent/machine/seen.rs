//! What follows from a look at the pane: changes, stalls, trouble and recovery.

use std::sync::Arc;
use std::time::Duration;

use super::typing::{left_over, typed_action};
use super::{Busy, Effect, Machine, Mode, Moment, PendingKind, Trouble, Urgency};
use crate::evidence::Sight;
use crate::record::logs::Interrupted;
use crate::record::{BACK, GONE, Origin, Receipt, Step};
use crate::screen::Screen;
use crate::screen::change::squash;
use crate::screen::prompt::Prompt;
use crate::screen::state::State;

/// The longest wait between two looks at a pane that cannot be read.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A gap between two looks that is longer than this, beyond a few polls, is a sleep of the machine or a
/// stopped supervisor: what stood still meanwhile has not stalled.
const SLEPT: Duration = Duration::from_secs(30);

/// How long looks go without a line in the log.
const NOTE_LOOKS: Duration = Duration::from_hours(1);

impl Machine {
    pub(super) fn due(&self, effects: &mut Vec<Effect>) {
        if self.mode != Mode::Watching || matches!(self.busy, Busy::Typing(_)) {
            return;
        }
        let question = self.counters.question.as_ref();
        let in_prompt = question.is_some_and(|question| question.left_over.is_some());
        effects.push(if self.interrupted.is_some() || in_prompt {
            Effect::LookClosely
        } else {
            Effect::Look
        });
    }

    pub(super) fn seen(&mut self, sight: Box<Sight>, now: Moment, effects: &mut Vec<Effect>) {
        if self.mode != Mode::Watching || matches!(self.busy, Busy::Typing(_)) {
            return;
        }
        self.polls += 1;
        self.unnoted += 1;
        if now.since_start.saturating_sub(self.noted_at) >= NOTE_LOOKS {
            self.note_looks("an hour of watching", now, effects);
        }
        let earlier = self.last_seen;
        self.recovered(now, effects);
        if sight.close {
            self.settle_interrupted(&sight, now, effects);
            self.settle_left_over(&sight, now, effects);
        }
        let sight = self.in_time(sight, earlier, now);
        self.watch_progress(&sight, earlier, now);
        let changed = self
            .screen
            .as_ref()
            .is_none_or(|last| last.digest() != sight.screen.digest());
        if changed {
            self.changed(&sight, now, effects);
        }
        self.watch_limit(&sight, now, effects);
        self.watch_dialog(&sight, now, effects);
        self.after_limit(&sight, now, effects);
        if self.is_stalled(now) {
            self.stalled(&sight, now, effects);
        }
        if let Some(meter) = &sight.own.meter {
            self.meter = Arc::clone(meter);
        }
        self.sight = Some(sight);
        self.take_up_early_reply(now, effects);
        if !effects
            .iter()
            .any(|effect| matches!(effect, Effect::LookClosely))
        {
            effects.push(Effect::Wait(self.poll()));
        }
    }

    /// The look, known what the ones before it showed: whether somebody is at work in the prompt, and whether an
    /// agent works of which one still screen shows no sign.
    fn in_time(
        &mut self,
        mut sight: Box<Sight>,
        earlier: Option<Moment>,
        now: Moment,
    ) -> Box<Sight> {
        let last = self.sight.as_deref();
        let left = self.counters.question.as_ref();
        let left = left.and_then(|question| question.left_over.as_deref());
        let is_ours = |prompt: &Prompt| left.is_some_and(|text| stands(text, prompt));
        // the mark before a dialog's option may look like a prompt
        let drafted = !sight.state().is_dialog()
            && sight
                .prompt()
                .is_some_and(|prompt| !prompt.draft.is_empty() && !is_ours(prompt));
        let same_screen = last.is_some_and(|last| last.screen.digest() == sight.screen.digest());
        // with a list of panes that is older than the screen, the cursor comes late to where a change left it
        let stood_still = earlier.is_some_and(|earlier| earlier.since_start > self.still_since);
        let cursor_moved = same_screen
            && stood_still
            && last.is_some_and(|last| last.facts.cursor != sight.facts.cursor);
        if drafted || cursor_moved {
            self.person_at = Some(now.since_start);
        }
        if let Some(last) = last
            && last.facts.program == sight.facts.program
            && let Some(why) = sight.reading.works_since(same_screen, sight.two_screens)
        {
            sight.screen_shows(State::Working, why);
        }
        let same = last.is_some_and(|last| last.state() == sight.state());
        self.same_state = if same {
            self.same_state.saturating_add(1)
        } else {
            1
        };
        sight
    }

    fn changed(&mut self, sight: &Sight, now: Moment, effects: &mut Vec<Effect>) {
        let first = self.screen.is_none();
        self.history.push(&sight.screen);
        self.screen = Some(sight.screen.clone());
        self.changed_at = Some(now.wall);
        self.restart_stall(now);
        self.drop_ask(effects);
        let withdrawn = self
            .counters
            .question
            .as_ref()
            .is_some_and(|question| !question.insists && question.left_over.is_none());
        // around an open dialog the screen may go on
        let is_open = sight.state().is_dialog() && self.asks_of(&self.told_of(sight));
        if !first && withdrawn && !is_open {
            self.close_question("the screen changed", now, effects);
        }
    }

    pub(super) fn restart_stall(&mut self, now: Moment) {
        self.still_since = now.since_start;
        self.ask_wait = self.stall();
        self.next_ask = now.since_start + self.stall();
        self.stalled = false;
    }

    fn is_stalled(&self, now: Moment) -> bool {
        let blank = self.screen.as_ref().is_none_or(Screen::is_blank);
        !blank && self.quiet(now) >= self.stall()
    }

    fn stalled(&mut self, sight: &Sight, now: Moment, effects: &mut Vec<Effect>) {
        if !self.stalled {
            if self.is_weighed_closely() && !sight.close {
                return effects.push(Effect::LookClosely);
            }
            self.stalled = true;
            self.weigh_nudge(sight, now, effects);
            self.close_pending(effects);
        }
        let may_ask = self.is_free() && self.counters.question.is_none();
        if may_ask && now.since_start >= self.next_ask {
            if sight.close {
                self.consider(sight, now, effects);
            } else if !effects
                .iter()
                .any(|effect| matches!(effect, Effect::LookClosely))
            {
                effects.push(Effect::LookClosely);
            }
        }
    }

    /// Whether nothing is under way, and what would be can be written down.
    pub(super) fn is_free(&self) -> bool {
        self.busy == Busy::Nothing && self.log_trouble.is_none() && self.mode == Mode::Watching
    }

    pub(super) fn unseen(&mut self, trouble: Trouble, now: Moment, effects: &mut Vec<Effect>) {
        if self.mode != Mode::Watching || matches!(self.busy, Busy::Typing(_)) {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        self.drop_ask(effects);
        let (Trouble::Gone(why) | Trouble::NoAnswer(why)) = &trouble;
        self.refuse_early_reply(why, effects);
        match &trouble {
            Trouble::Gone(why) if !matches!(self.trouble, Some(Trouble::Gone(_))) => {
                let gone = Step::Counted {
                    why: format!("{GONE}{why}"),
                };
                self.note("", gone, now, effects);
                effects.push(Effect::Tell(Urgency::Person, format!("is gone: {why}")));
            }
            // one failure alone is not worth a word
            Trouble::NoAnswer(why) if self.failures == 2 => {
                effects.push(Effect::Tell(
                    Urgency::Warning,
                    format!("cannot be watched for now: {why}"),
                ));
            }
            _ => {}
        }
        self.trouble = Some(trouble);
        let doubled = self.poll() * 2_u32.saturating_pow(self.failures.min(8));
        effects.push(Effect::Wait(doubled.min(LONGEST_WAIT.max(self.poll()))));
    }

    /// After trouble, or after the machine slept, what stood still meanwhile has not stalled.
    fn recovered(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let was_gone = matches!(self.trouble, Some(Trouble::Gone(_)));
        let told = self.failures >= 2 || was_gone;
        if was_gone {
            let why = BACK.to_owned();
            self.note("", Step::Counted { why }, now, effects);
        }
        if self.trouble.take().is_some() {
            if told {
                effects.push(Effect::Tell(Urgency::Info, "can be watched again".into()));
            }
            self.restart_stall(now);
        }
        self.failures = 0;
        if let Some(last) = self.last_seen.replace(now) {
            let by_calendar = (now.wall - last.wall).to_std().unwrap_or_default();
            let gap = by_calendar.max(now.since_start.saturating_sub(last.since_start));
            if gap > self.poll() * 3 + SLEPT {
                self.restart_stall(now);
            }
        }
    }

    /// An earlier run ended while it typed: says what became of that text, as far as it can be seen.
    fn settle_interrupted(&mut self, sight: &Sight, now: Moment, effects: &mut Vec<Effect>) {
        let Some(Interrupted { id, origin, text }) = self.interrupted.take() else {
            return;
        };
        let prompt = sight.prompt();
        let stands = prompt.is_some_and(|prompt| stands(&text, prompt));
        let mut memos = self.memos.iter();
        let known = memos.find_map(|memo| memo.receipt.clone().filter(|_| memo.id == id));
        let receipt = known.clone().unwrap_or_else(|| Receipt::Unproven {
            why: "the supervisor ended while it was typing this".to_owned(),
            left_over: stands,
        });
        if origin == Origin::Verdict && !matches!(receipt, Receipt::Refused { .. }) {
            // it may have been taken: the bounds count it
            self.counters.nudges.push_back(now.wall);
        }
        if known.is_none() {
            let action = typed_action(origin, false);
            let mut memo = self.memo(id.clone(), action, text.clone(), String::new(), now);
            memo.receipt = Some(receipt.clone());
            let kind = PendingKind::Typed {
                text: text.clone(),
                is_nudge: false,
            };
            self.remember(memo, kind, sight.screen.clone(), effects);
        }
        let step = Step::Receipt {
            origin,
            text: text.clone(),
            receipt,
        };
        self.note(&id, step, now, effects);
        if stands {
            self.open_question(left_over(&text), Some(text), now, effects);
        }
    }

    /// A text of ours that stood unsent in the prompt does so no more: the person has seen to it.
    fn settle_left_over(&mut self, sight: &Sight, now: Moment, effects: &mut Vec<Effect>) {
        let question = self.counters.question.as_ref();
        let (Some(text), Some(prompt)) = (
            question.and_then(|question| question.left_over.as_deref()),
            sight.prompt(),
        ) else {
            return;
        };
        // one look alone may deceive
        let was_gone = std::mem::replace(&mut self.left_over_gone, !stands(text, prompt));
        if was_gone && self.left_over_gone {
            self.left_over_gone = false;
            self.close_question("the text no longer stands in the prompt", now, effects);
            self.restart_stall(now);
        }
    }
}

/// Whether `text`, or its beginning, stands in the prompt, with or without more behind it.
fn stands(text: &str, prompt: &Prompt) -> bool {
    let (text, draft) = (squash(text), squash(&prompt.draft));
    !draft.is_empty() && (text.starts_with(&draft) || draft.starts_with(&text))
}
