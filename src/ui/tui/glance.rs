//! What is looked at for the detail of an agent, and when: all of it when that is opened, its pane every second,
//! the rest when something happened to it.

use std::sync::Arc;

use super::app::App;
use super::detail::{self, Detail, Intent};
use super::input::{Key, Mouse};
use super::keymap::Place;
use super::update::Effect;
use crate::command::{AgentView, Command, Reply};
use crate::error::Failure;
use crate::ids::AgentId;

/// So many memos are shown.
const MEMOS: usize = 100;
/// So many reviews are shown.
const REVIEWS: usize = 10;
/// Seconds between two looks at what is known of an agent.
const EXPLAIN_EVERY: u64 = 5;

/// A part of what is shown of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Glance {
    /// Its pane.
    Screen,
    /// What is known of it.
    Explanation,
    /// Its memos.
    Memos,
    /// Its reviews.
    Reviews,
    /// The whole decision of a memo.
    Decision(String),
}

impl Glance {
    /// The command that answers it.
    pub fn command(&self, id: AgentId) -> Command {
        match self {
            Self::Screen => Command::Screen { id },
            Self::Explanation => Command::Explain { id, json: false },
            Self::Memos => Command::Log { id, count: MEMOS },
            Self::Reviews => Command::Reviews { id, count: REVIEWS },
            Self::Decision(memo) => Command::Decision {
                id,
                decision: Some(memo.clone()),
            },
        }
    }
}

impl App {
    /// Opens the highlighted agent in detail: it is only looked at.
    pub(super) fn open(&mut self) -> Vec<Effect> {
        let Some((_, view)) = self.list().highlighted() else {
            return Vec::new();
        };
        let view = Arc::clone(view);
        self.open_agent(&view)
    }

    /// Opens an agent in detail.
    pub(super) fn open_agent(&mut self, view: &Arc<AgentView>) -> Vec<Effect> {
        let mut detail = Detail::of(view.id.clone());
        detail.view = Some(Arc::clone(view));
        self.detail = Some(Box::new(detail));
        self.look(vec![
            Glance::Screen,
            Glance::Explanation,
            Glance::Memos,
            Glance::Reviews,
        ])
    }

    /// A key in the detail; `None` where it means nothing there.
    pub(super) fn detail_key(&mut self, key: Key) -> Option<Vec<Effect>> {
        let intent = detail::on_key(self.detail.as_mut()?, key)?;
        Some(self.intend(intent))
    }

    /// The mouse in the detail.
    pub(super) fn detail_mouse(&mut self, event: Mouse) -> Vec<Effect> {
        let intent = self
            .detail
            .as_mut()
            .and_then(|detail| detail::on_mouse(detail, event));
        intent.map_or_else(Vec::new, |intent| self.intend(intent))
    }

    fn intend(&mut self, intent: Intent) -> Vec<Effect> {
        match intent {
            Intent::Redraw => Vec::new(),
            Intent::Close => {
                self.detail = None;
                Vec::new()
            }
            Intent::Decision(memo) => self.look(vec![Glance::Decision(memo)]),
        }
    }

    /// Takes in how the agent in detail is now.
    pub(super) fn follow_detail(&mut self) -> Vec<Effect> {
        let Some(detail) = &self.detail else {
            return Vec::new();
        };
        let Some(view) = self.view(&detail.id).cloned() else {
            self.hint(format!("{} is no longer supervised", detail.id));
            self.detail = None;
            return Vec::new();
        };
        let happened = detail.view.as_ref().is_none_or(|before| {
            before.last_decision != view.last_decision
                || before.question != view.question
                || before.status != view.status
        });
        if let Some(detail) = &mut self.detail {
            detail.view = Some(view);
        }
        if happened {
            self.look(vec![Glance::Explanation, Glance::Memos])
        } else {
            Vec::new()
        }
    }

    /// What is to be looked at again once a second has gone by.
    pub(super) fn look_again(&mut self) -> Vec<Effect> {
        if self.behind() != Place::Detail {
            return Vec::new();
        }
        let mut what = vec![Glance::Screen];
        if self.seconds.is_multiple_of(EXPLAIN_EVERY) {
            what.push(Glance::Explanation);
        }
        self.look(what)
    }

    /// Has the reviews looked at again: one was written.
    pub(super) fn look_at_reviews(&mut self) -> Vec<Effect> {
        self.look(vec![Glance::Reviews])
    }

    /// Each at most once at a time.
    fn look(&mut self, what: Vec<Glance>) -> Vec<Effect> {
        // any command but a yes is a no to what the supervisor has asked
        let waits = self
            .asked
            .as_ref()
            .is_some_and(|asked| asked.yes.is_answer());
        let Some(detail) = self.detail.as_ref().filter(|_| !waits) else {
            return Vec::new();
        };
        let id = detail.id.clone();
        let mut effects = Vec::new();
        for glance in what {
            let looking = (id.clone(), glance.clone());
            if !self.looking.contains(&looking) {
                self.looking.push(looking);
                effects.push(Effect::Look(id.clone(), glance));
            }
        }
        effects
    }

    /// Takes in what was looked at, if that is still what is shown.
    pub(super) fn looked(&mut self, id: &AgentId, what: &Glance, answer: Result<Reply, Failure>) {
        self.looking
            .retain(|(who, glance)| who != id || glance != what);
        let colours = self.palette.has_colours();
        let Some(detail) = self.detail.as_mut().filter(|detail| detail.id == *id) else {
            return;
        };
        match (what, answer) {
            (_, Ok(Reply::Screen(shot))) => detail.take_screen(Ok(&shot), colours),
            (_, Ok(Reply::Explanation(explained))) => detail.explanation = Some(explained),
            (_, Ok(Reply::Memos { memos, skipped, .. })) => detail.take_memos(memos, skipped),
            (_, Ok(Reply::Reviews { reviews, .. })) => detail.take_reviews(reviews),
            (Glance::Decision(memo), Ok(Reply::Decision { steps, .. }))
                if detail.decision.as_ref().is_some_and(|one| one.id == *memo) =>
            {
                detail.take_decision(Ok(steps));
            }
            (Glance::Decision(_), Err(failure)) => detail.take_decision(Err(&failure)),
            (Glance::Screen, Err(failure)) => detail.take_screen(Err(&failure), colours),
            // what is not known is not shown
            _ => {}
        }
    }
}
