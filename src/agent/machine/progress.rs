//! Whether a text that was typed led to work.
//!
//! What counts is what cannot be had by words alone: a tool used, files or commits, a turn that ran for a while.
//! New words show that a nudge was not for nothing, and no more, where the transcript shows that there was no
//! work behind them; of an agent without a transcript they are all that can be known.

use std::time::Duration;

use super::{Effect, Machine, Moment};
use crate::evidence::Sight;
use crate::evidence::registry::Status;
use crate::evidence::transcript::Mark;
use crate::git::WorkMark;
use crate::record::Step;

/// How long turns must have run to count as work.
const A_WHILE: Duration = Duration::from_secs(30);

/// What there was before a text was typed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Baseline {
    /// How far the transcript had grown.
    said: Option<Mark>,
    /// What the repository was like.
    work: Option<WorkMark>,
    /// How long turns have run since.
    busy: Duration,
}

impl Machine {
    pub(super) fn baseline_now(&self) -> Baseline {
        Baseline {
            said: self.transcript().map(|tail| tail.mark.clone()),
            work: self.work.clone(),
            busy: Duration::ZERO,
        }
    }

    /// Keeps in mind what a look shows of work; `earlier` is when the last look was.
    pub(super) fn watch_progress(&mut self, sight: &Sight, earlier: Option<Moment>, now: Moment) {
        let registry = sight.own.registry.as_ref();
        let busy = registry.is_ok_and(|entry| entry.status == Status::Busy);
        if let (Some(pending), Some(earlier), true) = (&mut self.pending, earlier, busy) {
            let gap = now.since_start.saturating_sub(earlier.since_start);
            pending.baseline.busy += gap.min(A_WHILE / 2);
        }
        if sight.work.is_some() && !self.is_weighed_closely() {
            self.work.clone_from(&sight.work);
        }
    }

    /// Whether what came of the last text is still to be weighed, which takes a close look.
    pub(super) fn is_weighed_closely(&self) -> bool {
        let pending = self.pending.as_ref();
        !self.stalled && pending.is_some_and(|pending| !pending.echo.is_empty())
    }

    /// Weighs what the last text led to.
    pub(super) fn weigh_nudge(&mut self, sight: &Sight, now: Moment, effects: &mut Vec<Effect>) {
        let Some(screen) = &self.screen else { return };
        let pending = self.pending.as_ref();
        let echo = pending.map_or("", |pending| pending.echo.as_str());
        let lines = self.seen_lines.learn(screen, echo);
        let Some(pending) = pending.filter(|pending| !pending.echo.is_empty()) else {
            return;
        };
        let before = &pending.baseline;
        let said = sight.own.transcript.as_ref().ok();
        let said = said.map(|tail| &tail.mark).zip(before.said.as_ref());
        let led_to = if said.is_some_and(|(now, before)| now.has_work_since(before)) {
            LedTo::Work("tools were used")
        } else if matches!((&before.work, &sight.work), (Some(before), Some(now)) if before != now)
        {
            LedTo::Work("its repository has changed")
        } else if before.busy >= A_WHILE {
            LedTo::Work("it worked for a while")
        } else if lines > 0 && said.is_none() {
            LedTo::Work("its screen has new lines")
        } else if lines > 0 || said.is_some_and(|(now, before)| now.has_answer_since(before)) {
            LedTo::Words
        } else {
            LedTo::Nothing
        };
        let is_nudge = pending.is_nudge;
        let id = pending.memo.id.clone();
        self.work.clone_from(&sight.work);
        let count = self.counters.fruitless;
        let (count, why) = match led_to {
            LedTo::Work(sign) => (0, format!("the text led to work: {sign}")),
            LedTo::Words => (count, "the text led to words alone".into()),
            LedTo::Nothing if is_nudge => (count + 1, "the text led to nothing new".into()),
            LedTo::Nothing => return,
        };
        if count != self.counters.fruitless {
            self.counters.fruitless = count;
            self.note(&id, Step::Counted { why }, now, effects);
        }
    }
}

/// What a text led to.
enum LedTo {
    Work(&'static str),
    Words,
    Nothing,
}
