//! Open dialogs: which are told to the person, and how they are answered. Never by a nudge.

use super::{Busy, Effect, Machine, Mode, Moment, Sending, Ticket, Typing, Wish};
use crate::director::policy::Errand;
use crate::evidence::{Known, Sight};
use crate::hands::Answer;
use crate::record::{Origin, Receipt};
use crate::screen::recognise::{Dialog, Says};
use crate::screen::state::State;

/// Looks in a row that must show a dialog before anything follows from it.
const LOOKS: u32 = 2;

impl Machine {
    /// Tells the person of a dialog that waits for them.
    pub(super) fn watch_dialog(&mut self, sight: &Sight, now: Moment, effects: &mut Vec<Effect>) {
        let state = sight.state();
        let asks = matches!(
            state,
            State::Approval | State::Trust | State::Question | State::Login
        );
        let known = matches!(sight.known, Known::As(_));
        if !asks
            || !known
            || self.same_state < LOOKS
            || self.counters.question.is_some()
            || !self.is_free()
        {
            return;
        }
        let text = self.told_of(sight);
        self.ask_person(text, sight, now, effects);
    }

    /// A dialog in words, with what can be done about it.
    fn told_of(&self, sight: &Sight) -> String {
        let id = &self.settings.agent.id;
        let state = sight.state();
        let Some(dialog) = &sight.reading.dialog else {
            let line = sight
                .reading
                .lines
                .last()
                .map_or("", |line| line.text.as_str());
            return format!("it shows a dialog ({state}): `{line}`. Answer it in its pane");
        };
        let options = in_words(dialog);
        let subject = dialog
            .subject
            .lines()
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ");
        match state {
            State::Approval => {
                let kind = dialog.kind.map_or("something", |kind| kind.as_str());
                format!(
                    "it asks for a yes ({kind}): `{subject}`. {options}. `/approve {id}` or `/deny {id}`"
                )
            }
            State::Question => format!("it asks: {subject} {options}. `/answer {id} OPTION`"),
            _ => format!(
                "it shows a dialog ({state}): {subject} {options}. `/answer {id} OPTION`, or answer it in its pane"
            ),
        }
    }

    /// The person's answer to the dialog that was seen last.
    pub(super) fn answer(
        &mut self,
        ticket: Ticket,
        wish: &Wish,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let chosen = self.answerable().and_then(|(dialog, screen)| {
            let choice = choose(&dialog, wish)?;
            Ok((
                Answer {
                    dialog,
                    choice,
                    by_person: true,
                },
                screen,
            ))
        });
        match chosen {
            Ok((answer, screen)) => {
                self.drop_ask(effects);
                self.choose_option(
                    ticket,
                    answer,
                    Origin::Person,
                    String::new(),
                    screen,
                    now,
                    effects,
                );
            }
            Err(why) => effects.push(Effect::Receipt(ticket, Receipt::Refused { why })),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a decision is made of")]
    pub(super) fn choose_option(
        &mut self,
        ticket: Ticket,
        answer: Answer,
        origin: Origin,
        reasoning: String,
        screen: crate::screen::Screen,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        self.close_pending(effects);
        let label = answer
            .dialog
            .choices
            .get(answer.choice)
            .map_or("", |choice| choice.label.as_str());
        let text = format!("{label} — to: {}", answer.dialog.subject);
        let typing = Typing {
            origin,
            text,
            terms: self.terms(None, Errand::Reply),
            answer: Some(Box::new(answer)),
            file: None,
        };
        let id = self.decision_id(now);
        self.begin_typing(
            Sending {
                ticket,
                id,
                reasoning,
                typing,
                screen,
            },
            now,
            effects,
        );
    }

    fn answerable(&self) -> Result<(Dialog, crate::screen::Screen), String> {
        let id = &self.settings.agent.id;
        if self.mode != Mode::Watching {
            return Err(format!("the agent is not watched; `/start {id}` first"));
        }
        if self.settings.all_stopped {
            return Err("all typing is stopped; `/startall` first".into());
        }
        if self.observes() {
            return Err(format!(
                "nothing is typed while observing; `/set {id} observe false` first"
            ));
        }
        if matches!(self.busy, Busy::Typing(_)) {
            return Err("something is being typed to it; try again in a moment".into());
        }
        if let Some(why) = &self.log_trouble {
            return Err(format!("the log cannot be written: {why}"));
        }
        let sight = self
            .sight
            .as_ref()
            .ok_or("its pane has not been read yet")?;
        match &sight.reading.dialog {
            Some(dialog) => Ok((dialog.clone(), sight.screen.clone())),
            None => Err(format!(
                "no dialog with options is open; its state is {}",
                sight.state()
            )),
        }
    }
}

/// The options of a dialog, in words.
fn in_words(dialog: &Dialog) -> String {
    let options = dialog.choices.iter().enumerate().map(|(index, choice)| {
        let key = choice
            .key
            .map_or_else(|| (index + 1).to_string(), String::from);
        format!("{key}. {}", choice.label)
    });
    options.collect::<Vec<_>>().join("; ")
}

/// Which choice of the dialog is meant.
fn choose(dialog: &Dialog, wish: &Wish) -> Result<usize, String> {
    let only = |says: Says, word: &str| {
        let mut found = dialog
            .choices
            .iter()
            .enumerate()
            .filter(|(_, choice)| choice.says == says);
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Ok(index),
            (None, _) => Err(format!(
                "the dialog has no plain {word}: {}",
                in_words(dialog)
            )),
            (Some(_), Some(_)) => Err(format!(
                "the dialog has several that say {word}: {}",
                in_words(dialog)
            )),
        }
    };
    match wish {
        Wish::Approve(None) => only(Says::Yes, "yes"),
        Wish::Deny => only(Says::No, "no"),
        Wish::Approve(Some(option)) | Wish::Choose(option) => named(dialog, option),
    }
}

/// The choice with this key, number or label.
fn named(dialog: &Dialog, option: &str) -> Result<usize, String> {
    let option = option.trim().trim_end_matches('.');
    let mut keys = option.chars();
    let key = keys.next().filter(|_| keys.next().is_none());
    let has_keys = dialog.choices.iter().any(|choice| choice.key.is_some());
    let found = dialog
        .choices
        .iter()
        .enumerate()
        .position(|(index, choice)| {
            (key.is_some() && choice.key == key)
                || (!has_keys && option == (index + 1).to_string())
                || choice.label.eq_ignore_ascii_case(option)
        });
    found.ok_or_else(|| format!("there is no option `{option}`: {}", in_words(dialog)))
}
