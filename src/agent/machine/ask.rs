//! What follows from a stall: whether to ask, and what to do with the answer.

use std::time::Duration;

use super::typing::told;
use super::{
    Busy, Effect, Machine, Mode, Moment, PendingKind, PromptFile, Sending, Ticket, Typing, Urgency,
};
use crate::director::policy::Errand;
use crate::director::{Outcome, Undecided, text};
use crate::evidence::{Known, Sameness, Sight, sameness};
use crate::record::{Action, Memo, MemoAction, Origin, Receipt, Step, Verdict};
use crate::screen::state::State;
use crate::screen::{Screen, dialog};

impl Machine {
    /// A screen has stood still long enough, and here is all that is known of it.
    pub(super) fn consider(&mut self, sight: &Sight, now: Moment, effects: &mut Vec<Effect>) {
        if let Some(text) = self.asked_without_a_model(sight) {
            return self.ask_person(text, sight, now, effects);
        }
        if self.needs_no_model(sight, now, effects) {
            return self.ask_later(now);
        }
        if let Some(bound) = self.spent(now) {
            self.tell_once(Urgency::Person, bound, effects);
            return self.ask_later(now);
        }
        self.close_pending(effects);
        let mut situation = self.situation(sight.screen.text().to_owned(), now);
        sight.facts.front().clone_into(&mut situation.front);
        let (ticket, id) = (self.ticket(), self.decision_id(now));
        self.counters.calls += 1;
        let step = Step::Asked {
            backend: self.settings.backend.to_owned(),
            digest: sight.screen.digest().to_string(),
            quiet_sec: situation.quiet.as_secs(),
            prompt: crate::screen::tail(sight.screen.text(), crate::director::prompt::PANE_CHARS)
                .to_owned(),
        };
        self.note(&id, step, now, effects);
        self.busy = Busy::Asking {
            ticket,
            id,
            screen: sight.screen.clone(),
        };
        effects.push(Effect::Ask(ticket, Box::new(situation)));
    }

    /// What only the person can settle, whatever a model would say: nothing may be typed as things are.
    pub(super) fn asked_without_a_model(&self, sight: &Sight) -> Option<String> {
        let front = sight.facts.front();
        let id = &self.settings.agent.id;
        if sight.facts.ended {
            return Some("its program has ended".into());
        }
        if sight.facts.shell && !self.settings.agent.allow_shell {
            return Some(format!(
                "a shell ({front}) is in the foreground of its pane: the agent has ended or is suspended. Start it there, then `/start {id}`"
            ));
        }
        match (&self.accepted, &sight.facts.program) {
            (Some(accepted), Some(found)) => match sameness(accepted, found) {
                Sameness::Same => {}
                Sameness::OtherProcess => {
                    return Some(format!(
                        "`{}` is in the foreground of its pane, not the `{}` that was accepted. `/start {id}` accepts it",
                        found.name, accepted.name
                    ));
                }
                Sameness::OtherServer => {
                    return Some(format!(
                        "zellij has been restarted, and its pane may be another one now. `/start {id}` accepts what is there, `/set {id} pane PANE` names another"
                    ));
                }
            },
            (None, Some(found)) => {
                return Some(format!(
                    "`{}` is in its pane; `/start {id}` accepts it",
                    found.name
                ));
            }
            (_, None) => {}
        }
        let bound = self.settings.limits.fruitless_nudges;
        (self.counters.fruitless >= bound && bound > 0)
            .then(|| format!("{bound} nudges in a row changed nothing for good. What should it do? `/reply {id} ...`"))
    }

    /// Whether what is known of an agent settles by itself that it is left alone. What that means for a person is
    /// told once.
    fn needs_no_model(&mut self, sight: &Sight, now: Moment, effects: &mut Vec<Effect>) -> bool {
        let state = sight.state();
        let known = matches!(sight.known, Known::As(_));
        let longest = self.settings.timing.reask_max_sec.duration();
        match state {
            State::Working
            | State::Retrying
            | State::Compacting
            | State::Background
            | State::Queued
                if self.quiet(now) >= longest =>
            {
                let minutes = self.quiet(now).as_secs() / 60;
                let text =
                    format!("its state is {state}, and nothing has changed for {minutes} minutes");
                self.tell_state(state, text, effects);
            }
            State::Draft => {
                // in its shell mode an agent's prompt is not read, but its lines are
                let mut lines = sight.reading.lines.iter().map(|line| line.text.as_str());
                let draft = sight.prompt().map(|prompt| prompt.draft.as_str());
                let draft = draft.or_else(|| lines.find(|line| line.starts_with('!')));
                let draft: String = draft.unwrap_or_default().chars().take(80).collect();
                let mut text =
                    "somebody's text stands in its prompt, and I type nothing over it".to_owned();
                if !draft.is_empty() {
                    text = format!("{text}: `{draft}`");
                }
                self.tell_state(state, text, effects);
            }
            State::Limit if known && sight.prompt().is_none() => {
                self.tell_state(
                    state,
                    "it asks in its pane what to do about its usage limit, and goes on only once you have answered there"
                        .into(),
                    effects,
                );
            }
            State::Menu => {
                self.tell_state(
                    state,
                    "a menu is open in its pane: nothing is typed into it".into(),
                    effects,
                );
            }
            _ => {}
        }
        let settled = state.decides_itself()
            || matches!(state, State::Draft | State::Queued)
            || (known && state.is_dialog())
            || self.is_parked()
            || self.holds_off(now).is_some();
        if settled {
            self.last_decision = format!("left alone: {state}");
        }
        settled
    }

    /// Tells the person of a state once, however the words for it change.
    fn tell_state(&mut self, state: State, text: String, effects: &mut Vec<Effect>) {
        let key = format!("state {state}");
        if self.told.as_ref() != Some(&key) {
            self.told = Some(key);
            effects.push(Effect::Tell(Urgency::Warning, text));
        }
    }

    /// Why nothing is typed by itself for now, whatever the screen shows; then nothing is asked either.
    pub(super) fn holds_off(&self, now: Moment) -> Option<String> {
        if self.settings.all_stopped {
            return Some("all typing is stopped; `/startall` lets it go on".into());
        }
        if self.held(now).is_some() {
            return Some(format!(
                "nudges are held; `/release {}` ends that",
                self.settings.agent.id
            ));
        }
        if self.reserved {
            return Some("its mission is busy with it".into());
        }
        let quiet = self.settings.timing.person_quiet_sec.duration();
        let since = self.person_at.map(|at| now.since_start.saturating_sub(at));
        since.filter(|since| *since < quiet).map(|since| {
            format!(
                "somebody was at work in its prompt {} s ago",
                since.as_secs()
            )
        })
    }

    /// Why nothing is typed by itself for now.
    pub(super) fn withholds(&self, now: Moment) -> Option<String> {
        if self.observes() {
            return Some("it is only observed".into());
        }
        self.holds_off(now)
    }

    /// Which bound on spend is used up.
    pub(super) fn spent(&self, now: Moment) -> Option<String> {
        let limits = &self.settings.limits;
        if self.calls_today(now) >= limits.calls_per_day {
            return Some(format!(
                "is not decided about any more today (UTC): {} calls were made",
                limits.calls_per_day
            ));
        }
        (self.tokens_today(now) >= limits.tokens_per_day).then(|| {
            format!(
                "is not decided about any more today (UTC): {} tokens were used",
                limits.tokens_per_day
            )
        })
    }

    pub(super) fn ask_person(
        &mut self,
        text: String,
        sight: &Sight,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let id = self.decision_id(now);
        let memo = self.memo(id, MemoAction::Notice, text.clone(), String::new(), now);
        self.remember(memo, PendingKind::Watched, sight.screen.clone(), effects);
        self.open_question(text, None, now, effects);
        self.ask_later(now);
    }

    /// The next question about this screen comes after a wait that doubles.
    pub(super) fn ask_later(&mut self, now: Moment) {
        let longest = self
            .settings
            .timing
            .reask_max_sec
            .duration()
            .max(self.stall());
        self.next_ask = now.since_start + self.ask_wait;
        self.ask_wait = (self.ask_wait * 2)
            .min(longest)
            .max(Duration::from_millis(1));
    }

    pub(super) fn answered(
        &mut self,
        ticket: Ticket,
        answer: Outcome,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let Busy::Asking {
            ticket: asked,
            id,
            screen,
        } = &self.busy
        else {
            return;
        };
        if *asked != ticket || self.mode != Mode::Watching {
            return;
        }
        let (id, screen) = (id.clone(), screen.clone());
        self.busy = Busy::Nothing;
        self.counters.tokens = self.counters.tokens.saturating_add(answer.tokens);
        self.ask_later(now);
        let (verdict, problem) = match &answer.verdict {
            Ok(verdict) => (Some(verdict.clone()), answer.doubt),
            Err(Undecided::NoVerdict(why) | Undecided::Failed(why)) => (None, Some(why.clone())),
        };
        let step = Step::Answered {
            by: Some(answer.by),
            verdict,
            problem,
            answer: answer.answer,
            tokens: answer.tokens,
        };
        self.note(&id, step, now, effects);
        match answer.verdict {
            Ok(verdict) => {
                match answer.stood_in {
                    Some(why) => self.tell_of_rules(&why, effects),
                    None => self.told = None,
                }
                self.decided(id, verdict, screen, now, effects);
            }
            Err(Undecided::NoVerdict(why)) => {
                let memo = self.memo(id, MemoAction::NoVerdict, String::new(), why, now);
                self.remember(memo, PendingKind::Watched, screen, effects);
            }
            Err(Undecided::Failed(why)) => {
                self.last_decision = format!("no decision: {why}");
                self.tell_once(
                    Urgency::Warning,
                    format!("is left alone for now: {why}"),
                    effects,
                );
            }
        }
    }

    /// Tells once that the rules decide because a server does not, however its reasons change.
    fn tell_of_rules(&mut self, why: &str, effects: &mut Vec<Effect>) {
        const WORDS: &str = "is decided about by the built-in rules for now";
        let is_told = |told: &String| told.starts_with(WORDS);
        if !self.told.as_ref().is_some_and(is_told) {
            self.tell_once(Urgency::Warning, format!("{WORDS}: {why}"), effects);
        }
    }

    fn decided(
        &mut self,
        id: String,
        verdict: Verdict,
        screen: Screen,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let action = MemoAction::Verdict(verdict.action);
        match verdict.action {
            Action::Continue => {
                let memo = self.memo(id, action, verdict.text, verdict.reasoning, now);
                self.remember(memo, PendingKind::Watched, screen, effects);
            }
            Action::AskUser => {
                let memo = self.memo(id, action, verdict.text.clone(), verdict.reasoning, now);
                self.remember(memo, PendingKind::Watched, screen, effects);
                self.open_question(verdict.text, None, now, effects);
            }
            Action::Instruct => match self.typeable(&verdict, &screen, now) {
                Ok(text) => {
                    let terms = self.terms(Some(screen.digest()), Errand::Nudge);
                    let (text, file) = self.folded(&id, text);
                    let typing = Typing {
                        origin: Origin::Verdict,
                        text,
                        terms,
                        answer: None,
                        file,
                    };
                    let (ticket, reasoning) = (self.ticket(), verdict.reasoning);
                    let sending = Sending {
                        ticket,
                        id,
                        reasoning,
                        typing,
                        screen,
                    };
                    self.begin_typing(sending, now, effects);
                }
                Err(receipt) => {
                    let mut memo = self.memo(id, action, verdict.text, verdict.reasoning, now);
                    memo.receipt = Some(receipt);
                    self.withhold(memo, screen, now, effects);
                }
            },
        }
    }

    /// An instruction that is not typed: remembered with the reason, and told. A dialog is the person's.
    fn withhold(&mut self, memo: Memo, screen: Screen, now: Moment, effects: &mut Vec<Effect>) {
        let (text, receipt) = (
            memo.text.clone(),
            memo.receipt.clone().unwrap_or(Receipt::Observed),
        );
        let step = Step::Receipt {
            origin: Origin::Verdict,
            text: text.clone(),
            receipt: receipt.clone(),
        };
        self.note(&memo.id, step, now, effects);
        let shown = self.open_dialog(&screen);
        self.remember(memo, PendingKind::Watched, screen, effects);
        match (receipt, shown) {
            (Receipt::Observed, _) => {
                effects.push(Effect::Tell(
                    Urgency::Info,
                    told(false, &text, &Receipt::Observed),
                ));
            }
            (_, Some(line)) => {
                let text =
                    format!("it shows what looks like a dialog: `{line}`. Answer it in its pane");
                self.open_question(text, None, now, effects);
            }
            (receipt, None) => {
                effects.push(Effect::Tell(Urgency::Warning, told(false, &text, &receipt)));
            }
        }
    }

    /// The line that looks like a dialog, where only what dialogs look like in general can tell.
    fn open_dialog(&self, screen: &Screen) -> Option<String> {
        let known = self
            .sight
            .as_ref()
            .is_some_and(|sight| matches!(sight.known, Known::As(_)));
        dialog::find(screen).filter(|_| !known).map(str::to_owned)
    }

    /// A text that the agent would fold goes into a file, and what is typed says to read it.
    pub(super) fn folded(&self, id: &str, text: String) -> (String, Option<PromptFile>) {
        let Some(typing) = self.sight.as_ref().map(|sight| &sight.typing) else {
            return (text, None);
        };
        let is_plain = !text.contains(|c| typing.keys.contains(c));
        if is_plain && text::fits(&text, typing.fold_chars, typing.fold_newlines) {
            return (text, None);
        }
        let path = self
            .settings
            .prompts
            .join(format!("{}-{id}.md", self.settings.agent.id));
        (text::pointer(&path), Some(PromptFile { path, text }))
    }

    /// The text as it may be typed, or what became of it without a key.
    fn typeable(&self, verdict: &Verdict, screen: &Screen, now: Moment) -> Result<String, Receipt> {
        let refused = |why: String| Receipt::Refused { why };
        let text = text::instruction(&verdict.text).map_err(|why| refused(why.to_string()))?;
        let typing = self.sight.as_ref().map(|sight| &sight.typing);
        let marks = typing.map_or("", |typing| typing.refused_first.as_str());
        text::begins_with_none_of(&text, marks).map_err(|why| refused(why.to_string()))?;
        if self.observes() {
            return Err(Receipt::Observed);
        }
        if self.open_dialog(screen).is_some() {
            return Err(refused("the screen looks like a dialog".into()));
        }
        if let Some(why) = self.holds_off(now) {
            return Err(refused(why));
        }
        let bound = self.settings.limits.nudges_per_hour;
        if self.nudges_this_hour(now) >= bound {
            return Err(refused(format!(
                "the bound of {bound} nudges an hour is reached"
            )));
        }
        match &self.log_trouble {
            Some(why) => Err(refused(format!("the log cannot be written: {why}"))),
            None => Ok(text),
        }
    }
}
