//! Memos: what was decided, and what came of it.

use super::progress::Baseline;
use super::{Effect, Machine, Moment};
use crate::director::prompt::MEMOS;
use crate::record::{Memo, MemoAction, VERSION};
use crate::screen::Screen;
use crate::screen::change::Change;

/// A memo whose end is not known yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pending {
    pub(super) memo: Memo,
    pub(super) before: Screen,
    /// What we typed, if we did.
    pub(super) echo: String,
    /// Whether it is a nudge that must show that it helped.
    pub(super) is_nudge: bool,
    /// What there was before it, to tell what is new.
    pub(super) baseline: Baseline,
}

/// What the memo that is being remembered waits for.
pub(super) enum PendingKind {
    /// A text was typed.
    Typed { text: String, is_nudge: bool },
    /// Nothing was.
    Watched,
}

pub(super) fn in_a_line(action: &MemoAction, text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        action.to_string()
    } else {
        format!("{action}: {text}")
    }
}

impl Machine {
    /// A memo of something decided just now, appended at once and kept in mind until its end is known.
    pub(super) fn remember(
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
            baseline: std::mem::take(&mut self.baseline),
        });
    }

    pub(super) fn memo(
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
    pub(super) fn close_pending(&mut self, effects: &mut Vec<Effect>) {
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
}
