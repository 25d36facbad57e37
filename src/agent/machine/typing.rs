//! Typing: the intent that is written down first, and the receipt that follows.

use super::{Busy, Effect, Machine, Mode, Moment, PendingKind, Sending, Ticket, Urgency};
use crate::record::{Action, MemoAction, Origin, Receipt, Step};

impl Machine {
    pub(super) fn begin_typing(
        &mut self,
        sending: Sending,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        self.baseline = self.baseline_now();
        let typing = sending.typing.clone();
        let step = Step::Intent {
            origin: typing.origin,
            text: typing.text.clone(),
            digest: sending.screen.digest().to_string(),
            pane: self.settings.address.clone(),
        };
        self.note(&sending.id, step, now, effects);
        effects.push(Effect::Type(sending.ticket, Box::new(typing)));
        self.busy = Busy::Typing(Box::new(sending));
    }

    pub(super) fn typed(
        &mut self,
        ended: Ticket,
        receipt: Receipt,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let sending = match std::mem::replace(&mut self.busy, Busy::Nothing) {
            Busy::Typing(sending) if sending.ticket == ended => *sending,
            other => {
                self.busy = other;
                return;
            }
        };
        let (origin, text) = (sending.typing.origin, sending.typing.text);
        let is_answer = sending.typing.answer.is_some();
        if let (Origin::Rule, Receipt::Refused { why }, Some((_, refused))) =
            (origin, &receipt, &mut self.ruled)
        {
            *refused = Some(why.clone());
        }
        let placed = !matches!(receipt, Receipt::Refused { .. } | Receipt::Observed);
        let is_nudge = placed && origin == Origin::Verdict;
        if is_nudge {
            self.counters.nudges.push_back(now.wall);
        }
        if (origin == Origin::Person || is_answer) && receipt.is_delivered() {
            self.counters.question = None;
        }
        let step = Step::Receipt {
            origin,
            text: text.clone(),
            receipt: receipt.clone(),
        };
        let mut memo = self.memo(
            sending.id.clone(),
            typed_action(origin, is_answer),
            text.clone(),
            sending.reasoning,
            now,
        );
        memo.receipt = Some(receipt.clone());
        let kind = if placed {
            PendingKind::Typed {
                text: text.clone(),
                is_nudge,
            }
        } else {
            PendingKind::Watched
        };
        self.remember(memo, kind, sending.screen, effects);
        // after the memo: with the receipt on record nobody would write it any more
        self.note(&sending.id, step, now, effects);
        if origin != Origin::Person {
            let urgency = if receipt.is_delivered() {
                Urgency::Info
            } else {
                Urgency::Warning
            };
            effects.push(Effect::Tell(urgency, told(is_answer, &text, &receipt)));
        }
        let left = matches!(
            receipt,
            Receipt::Unproven {
                left_over: true,
                ..
            }
        );
        if origin == Origin::Person {
            effects.push(Effect::Receipt(ended, receipt));
        }
        if self.mode != Mode::Watching {
            return;
        }
        if placed {
            self.restart_stall(now);
        }
        if left {
            if is_answer {
                self.open_question(left_in_dialog(&text), None, now, effects);
            } else {
                self.open_question(left_over(&text), Some(text), now, effects);
            }
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

/// What the person is told of an answer of ours that may stand unsent in its dialog.
fn left_in_dialog(text: &str) -> String {
    format!(
        "this answer may stand unsent in its dialog, or elsewhere in its pane: `{text}`. Send it there with Enter, or delete it; I type nothing over it"
    )
}

/// What a memo of a typed text is called.
pub(super) fn typed_action(origin: Origin, is_answer: bool) -> MemoAction {
    match origin {
        _ if is_answer => MemoAction::Answer,
        Origin::Verdict => MemoAction::Verdict(Action::Instruct),
        Origin::Person => MemoAction::Reply,
        Origin::Rule => MemoAction::Answer,
    }
}

/// What the person is told of a nudge.
pub(super) fn told(is_answer: bool, text: &str, receipt: &Receipt) -> String {
    match receipt {
        Receipt::Delivered(_) if is_answer => format!("was answered: {text}"),
        Receipt::Unproven { why, .. } if is_answer => {
            format!("may not have been answered: {text} ({why})")
        }
        Receipt::Refused { why } if is_answer => format!("was not answered: {text} ({why})"),
        Receipt::Delivered(_) => format!("was told: {text}"),
        Receipt::Unproven { why, .. } => format!("may not have been told: {text} ({why})"),
        Receipt::Refused { why } => format!("was not told: {text} ({why})"),
        Receipt::Observed => format!("would be told: {text}"),
    }
}
