//! Typing: the intent that is written down first, and the receipt that follows.

use super::{Busy, Effect, Machine, Mode, Moment, PendingKind, Ticket, Typing, Urgency};
use crate::record::{Action, MemoAction, Origin, Receipt, Step};
use crate::screen::Screen;

impl Machine {
    pub(super) fn begin_typing(
        &mut self,
        ticket: Ticket,
        id: String,
        reasoning: String,
        typing: Typing,
        screen: Screen,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let step = Step::Intent {
            origin: typing.origin,
            text: typing.text.clone(),
            digest: screen.digest().to_string(),
            pane: self.settings.address.clone(),
        };
        self.note(&id, step, now, effects);
        let (origin, text) = (typing.origin, typing.text.clone());
        self.busy = Busy::Typing {
            ticket,
            id,
            origin,
            text,
            reasoning,
            screen,
        };
        effects.push(Effect::Type(ticket, Box::new(typing)));
    }

    pub(super) fn typed(
        &mut self,
        ended: Ticket,
        receipt: Receipt,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let Busy::Typing {
            ticket,
            id,
            origin,
            text,
            reasoning,
            screen,
        } = &self.busy
        else {
            return;
        };
        if *ticket != ended {
            return;
        }
        let (id, origin, text, reasoning, screen) = (
            id.clone(),
            *origin,
            text.clone(),
            reasoning.clone(),
            screen.clone(),
        );
        self.busy = Busy::Nothing;
        let placed = !matches!(receipt, Receipt::Refused { .. } | Receipt::Observed);
        let is_nudge = placed && origin == Origin::Verdict;
        if is_nudge {
            self.counters.nudges.push_back(now.wall);
        }
        if origin == Origin::Person && receipt == Receipt::Delivered {
            self.counters.question = None;
        }
        let step = Step::Receipt {
            origin,
            text: text.clone(),
            receipt: receipt.clone(),
        };
        self.note(&id, step, now, effects);
        let action = typed_action(origin);
        let mut memo = self.memo(id, action, text.clone(), reasoning, now);
        memo.receipt = Some(receipt.clone());
        let kind = if placed {
            PendingKind::Typed {
                text: text.clone(),
                is_nudge,
            }
        } else {
            PendingKind::Watched
        };
        self.remember(memo, kind, screen, effects);
        if origin == Origin::Person {
            effects.push(Effect::Receipt(ended, receipt.clone()));
        } else {
            let weight = if receipt == Receipt::Delivered {
                Urgency::Info
            } else {
                Urgency::Warning
            };
            effects.push(Effect::Tell(weight, format!("told: {text} [{receipt}]")));
        }
        if self.mode != Mode::Watching {
            return;
        }
        if placed {
            self.restart_stall(now);
        }
        if matches!(
            receipt,
            Receipt::Unproven {
                left_over: true,
                ..
            }
        ) {
            self.open_question(left_over(&text), false, now, effects);
        }
        effects.push(Effect::Look);
    }

    pub(super) fn log_written(&mut self, written: Result<(), String>, effects: &mut Vec<Effect>) {
        match (written, self.log_trouble.take()) {
            (Ok(()), Some(_)) => effects.push(Effect::Tell(
                Urgency::Info,
                "its log can be written again".into(),
            )),
            (Ok(()), None) => {}
            (Err(why), before) => {
                if before.is_none() {
                    let text = format!("its log cannot be written, and so nothing is typed: {why}");
                    effects.push(Effect::Tell(Urgency::Person, text));
                }
                self.log_trouble = Some(why);
            }
        }
    }
}

/// What the person is told of a text of ours that may stand unsent in a prompt.
pub(super) fn left_over(text: &str) -> String {
    format!(
        "this text of mine may stand unsent in its prompt: `{text}`. Send it there with Enter, or delete it; I type nothing over it"
    )
}

/// What a memo of a typed text is called.
pub(super) fn typed_action(origin: Origin) -> MemoAction {
    match origin {
        Origin::Verdict => MemoAction::Verdict(Action::Instruct),
        Origin::Person => MemoAction::Reply,
    }
}
