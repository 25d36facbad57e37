//! Open dialogs: which are told to the person, and how they are answered. Never by a nudge.

use std::time::Duration;

use super::{Busy, Effect, Machine, Moment, Sending, Ticket, Typing, Wish};
use crate::director::approval::{self, Asked, Ruling, Subject};
use crate::director::authority::{Authority, asks_to_trust};
use crate::director::policy::Errand;
use crate::director::text;
use crate::evidence::{Known, Sight};
use crate::hands::Answer;
use crate::record::{Origin, Receipt};
use crate::screen::recognise::{Choice, Dialog, Field, Says};
use crate::screen::state::State;

/// Looks in a row that must show a dialog before anything follows from it.
const LOOKS: u32 = 2;
/// The least time in which a person reads a dialog and answers it.
const READ: Duration = Duration::from_secs(1);

/// Who answers a dialog.
enum Ruled {
    /// The person; why no rule does, where there are rules.
    Asked(Option<String>),
    /// A rule, which one in words.
    Answer(Box<Answer>, String),
}

impl Machine {
    /// Tells the person of a dialog that waits for them.
    pub(super) fn watch_dialog(&mut self, sight: &Sight, now: Moment, effects: &mut Vec<Effect>) {
        let state = sight.state();
        let asks = matches!(
            state,
            State::Approval | State::Trust | State::Question | State::Login
        );
        if !asks {
            self.ruled = None;
        }
        let known = matches!(sight.known, Known::As(_));
        if !asks
            || !known
            || self.same_state < LOOKS
            || self.counters.question.is_some()
            || !self.is_free()
        {
            return;
        }
        let mut text = self.told_of(sight);
        match self.ruling(sight, now) {
            Ruled::Asked(None) => {}
            Ruled::Asked(Some(why)) => text = format!("{text} ({why})"),
            Ruled::Answer(..) if !sight.close => return effects.push(Effect::LookClosely),
            Ruled::Answer(answer, rule) => {
                self.ruled = Some((answer.dialog.clone(), None));
                let (ticket, screen) = (self.ticket(), sight.screen.clone());
                return self.choose_option(
                    ticket,
                    *answer,
                    Origin::Rule,
                    rule,
                    screen,
                    now,
                    effects,
                );
            }
        }
        if let Some(dialog) = &sight.reading.dialog {
            self.show(dialog, now);
        }
        self.ask_person(text, sight, now, effects);
    }

    /// What is answered to the dialog that is open without asking the person.
    fn ruling(&self, sight: &Sight, now: Moment) -> Ruled {
        match (sight.state(), &sight.reading.dialog) {
            (State::Approval, Some(dialog)) => self.ruling_of_rules(sight, dialog, now),
            (State::Trust, Some(dialog)) => self.ruling_of_charge(sight, dialog, now),
            _ => Ruled::Asked(None),
        }
    }

    /// Why nobody but the person answers this dialog now, whatever would be answered.
    fn is_left_to_person(&self, dialog: &Dialog, now: Moment) -> Result<(), String> {
        if let Some(why) = self.withholds(now) {
            return Err(format!("no rule answers: {why}"));
        }
        match &self.ruled {
            Some((ruled, refused)) if ruled.is(dialog) => Err(match refused {
                Some(why) => format!("a rule would have answered it, but pressed no key: {why}"),
                None => "a rule has answered it, and it is still open, or open again".into(),
            }),
            _ => Ok(()),
        }
    }

    /// The yes to a mission covers the trust dialog for the folder of its worker, and no other.
    fn ruling_of_charge(&self, sight: &Sight, dialog: &Dialog, now: Moment) -> Ruled {
        let Some(charge) = &self.settings.charge else {
            return Ruled::Asked(None);
        };
        if let Err(why) = asks_to_trust(sight, &charge.trusts) {
            return Ruled::Asked(Some(format!("the mission's yes is not for this: {why}")));
        }
        if let Err(why) = self.is_left_to_person(dialog, now) {
            return Ruled::Asked(Some(why));
        }
        match only(dialog, Says::Yes, "yes") {
            Ok(choice) => {
                let answer = Answer {
                    dialog: dialog.clone(),
                    choice,
                    words: None,
                    by: Authority::Folder(charge.trusts.clone()),
                };
                let rule = format!("the yes to the mission, for {}", charge.on);
                Ruled::Answer(Box::new(answer), rule)
            }
            Err(why) => Ruled::Asked(Some(why)),
        }
    }

    /// What the person's rules say of a dialog that asks for a yes.
    fn ruling_of_rules(&self, sight: &Sight, dialog: &Dialog, now: Moment) -> Ruled {
        let rules = &self.settings.approvals;
        let Some(kind) = dialog.kind.filter(|_| !rules.rules.is_empty()) else {
            return Ruled::Asked(None);
        };
        if let Err(why) = self.is_left_to_person(dialog, now) {
            return Ruled::Asked(Some(why));
        }
        let folder = sight.folder();
        let command = sight.whole_command();
        let asked = Asked {
            agent: &self.settings.agent.id,
            kind,
            subject: Subject {
                text: command.unwrap_or(&dialog.subject),
                whole: command.is_some() || dialog.whole,
            },
            folder: folder.as_deref().and_then(std::path::Path::to_str),
        };
        let ruling = approval::judge(rules, &asked);
        let rule = match &ruling {
            Ruling::Person { why } => return Ruled::Asked(Some(why.clone())),
            Ruling::Allow { rule } | Ruling::Deny { rule } => *rule,
        };
        match approval::option_for(&ruling, dialog) {
            Ok(choice) => {
                let words = rules.rules.get(rule.0).map(ToString::to_string);
                let answer = Answer {
                    dialog: dialog.clone(),
                    choice,
                    words: None,
                    by: Authority::Rule,
                };
                Ruled::Answer(
                    Box::new(answer),
                    format!("{rule}: {}", words.unwrap_or_default()),
                )
            }
            Err(why) => Ruled::Asked(Some(format!("{rule} would answer, but {why}"))),
        }
    }

    /// Who answers the dialog that is open, and why no rule does.
    pub(super) fn answerer(&self, sight: &Sight, now: Moment) -> String {
        match self.ruling(sight, now) {
            Ruled::Asked(None) => "a person answers".into(),
            Ruled::Asked(Some(why)) => format!("a person answers ({why})"),
            Ruled::Answer(_, rule) => format!("{rule} answers"),
        }
    }

    /// A dialog in words, with what can be done about it.
    pub(super) fn told_of(&self, sight: &Sight) -> String {
        let id = &self.settings.agent.id;
        let state = sight.state();
        let Some(dialog) = &sight.reading.dialog else {
            if let Some(field) = &sight.reading.field {
                let subject = &field.dialog.subject;
                return format!("somebody answers in its pane: `{subject}`. It is theirs to end");
            }
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
            State::Question if dialog.words().is_some() => {
                format!(
                    "it asks: {subject} {options}. `/answer {id} OPTION`, or `/answer {id} TEXT`"
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
            let (choice, words) = choose(&dialog, wish)?;
            self.meant(&dialog, now)?;
            Ok((
                Answer {
                    dialog,
                    choice,
                    words,
                    by: Authority::Person,
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

    /// A person's word is for the dialog that they were shown: one that took its place meanwhile is shown first.
    fn meant(&mut self, dialog: &Dialog, now: Moment) -> Result<(), String> {
        let told = self.sight.as_deref().map(|sight| self.told_of(sight));
        let told = told.unwrap_or_default();
        let since = match &self.shown {
            Some((shown, at)) if shown.is(dialog) => now.since_start.saturating_sub(*at),
            // an earlier run may have shown it
            None if self.asks_of(&told) => READ,
            _ => Duration::ZERO,
        };
        if since >= READ {
            return Ok(());
        }
        self.show(dialog, now);
        Err(format!(
            "it opened only just now: {told}. The same again in a moment answers it"
        ))
    }

    /// Whether the question that is open is this one.
    pub(super) fn asks_of(&self, told: &str) -> bool {
        let question = self.counters.question.as_ref();
        question.is_some_and(|question| question.text.starts_with(told))
    }

    /// Takes down that the person is shown a dialog now.
    fn show(&mut self, dialog: &Dialog, now: Moment) {
        if !matches!(&self.shown, Some((shown, _)) if shown.is(dialog)) {
            self.shown = Some((dialog.clone(), now.since_start));
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
        let option = answer.dialog.choices.get(answer.choice);
        let label = option.map_or("", |choice| choice.label.as_str());
        let said = answer.words.as_deref().unwrap_or(label);
        let text = format!("{said} — to: {}", answer.dialog.subject);
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
        self.is_open_to_person()?;
        if matches!(self.busy, Busy::Typing(_)) {
            return Err("something is being typed to it; try again in a moment".into());
        }
        let sight = self
            .sight
            .as_ref()
            .ok_or("its pane has not been read yet")?;
        // a look may fail to read what the person has before their eyes: it is read again before any key
        let shown = self.shown.as_ref().map(|(dialog, _)| dialog);
        let unread = matches!(sight.state(), State::Unknown);
        let dialog = sight.reading.dialog.as_ref();
        match dialog.or_else(|| shown.filter(|_| unread)) {
            Some(dialog) => Ok((dialog.clone(), sight.screen.clone())),
            None => Err(match &sight.reading.field {
                Some(field) => half_written(field),
                None => format!(
                    "no dialog with options is open; its state is {}",
                    sight.state()
                ),
            }),
        }
    }
}

/// Why a place for an answer that is open takes no other.
fn half_written(field: &Field) -> String {
    let text: String = field.text.draft.chars().take(80).collect();
    format!("somebody answers in its pane, so far with `{text}`: it is theirs to end")
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

/// The one choice of the dialog that says this.
fn only(dialog: &Dialog, says: Says, word: &str) -> Result<usize, String> {
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
}

/// Which choice of the dialog is meant.
///
/// An option that takes words is chosen with words only, and a text that names an option is that option.
fn choose(dialog: &Dialog, wish: &Wish) -> Result<(usize, Option<String>), String> {
    let (index, option) = match wish {
        Wish::Approve(None) => return Ok((only(dialog, Says::Yes, "yes")?, None)),
        Wish::Deny => return Ok((only(dialog, Says::No, "no")?, None)),
        Wish::Choose(option) | Wish::Approve(Some(option)) => (named(dialog, option), option),
    };
    match (index, dialog.words(), wish) {
        (Some(index), ..) if dialog.choices[index].says == Says::Words => Err(format!(
            "option `{option}` takes words: write them in its place, of two letters at least"
        )),
        (Some(index), _, Wish::Approve(_)) if dialog.choices[index].says == Says::No => {
            Err(format!("option `{option}` says no: {}", in_words(dialog)))
        }
        (Some(index), ..) => Ok((index, None)),
        (None, Some(index), Wish::Choose(text)) => Ok((index, Some(words(dialog, text)?))),
        (None, ..) => Err(format!(
            "there is no option `{option}`: {}. Other words are not typed into this dialog: write them in its pane, or say no first, with `/deny ID TEXT`",
            in_words(dialog)
        )),
    }
}

/// The person's words as they are written into the field of the dialog.
fn words(dialog: &Dialog, words: &str) -> Result<String, String> {
    let words = text::reply(words).map_err(|why| why.to_string())?;
    let typing = &dialog.typing;
    text::begins_with_none_of(&words, &typing.refused_first).map_err(|why| why.to_string())?;
    match words.chars().count() {
        // the key of an option that is not there, more likely than an answer
        1 => Err(format!(
            "there is no option `{words}`: {}",
            in_words(dialog)
        )),
        length if length > typing.longest => Err(format!(
            "the answer has {length} characters, more than {}, so that its dialog may not show it whole: write it in its pane",
            typing.longest
        )),
        _ => Ok(words),
    }
}

/// The choice with this key, number or label.
fn named(dialog: &Dialog, option: &str) -> Option<usize> {
    let option = option.trim().trim_end_matches('.');
    let mut keys = option.chars();
    let key = keys.next().filter(|_| keys.next().is_none());
    // a number that is a key is that key, and no other number counts beside it
    let is_number = |choice: &Choice| choice.key.is_some_and(|key| key.is_ascii_digit());
    let numbered = dialog.choices.iter().any(is_number);
    let is_label = |label: &str| label.trim_end_matches('.').eq_ignore_ascii_case(option);
    dialog
        .choices
        .iter()
        .enumerate()
        .position(|(index, choice)| {
            (key.is_some() && choice.key == key)
                || (!numbered && option == (index + 1).to_string())
                || is_label(&choice.label)
        })
}
