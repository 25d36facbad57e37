//! What the person may have to be told about: who waits for them, and what does not answer. Pure.
//!
//! A [`Concern`] is read from what can be seen, the agents' views and the supervisor's health, at one moment. It
//! is the same one for as long as its [`Concern::key`] is: a question that is asked anew is another.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::agent::view::{AgentView, Status};
use crate::ids::AgentId;
use crate::screen::state::State;
use crate::supervisor::{Answers, Health};

/// How long a dialog must have stood that nobody was asked about: a rule may be about to answer it.
const STANDS: TimeDelta = TimeDelta::seconds(20);
/// How long zellij or the server that decides must have been away: both come back by themselves.
const AWAY: TimeDelta = TimeDelta::seconds(30);

/// Of what kind it is. Nothing else is ever told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// An agent, or the program about it, asks the person.
    Question,
    /// A dialog is open: approval, trust, login, a question with options.
    Dialog,
    /// Its pane or its program is gone.
    Lost,
    /// It has used up what it may use.
    Bound,
    /// zellij does not answer.
    Zellij,
    /// No server answers that decides.
    Backends,
}

impl Kind {
    /// The word for it, in the environment of commands and in webhooks.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Dialog => "dialog",
            Self::Lost => "lost",
            Self::Bound => "bound",
            Self::Zellij => "zellij",
            Self::Backends => "backends",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// What tells one concern from another.
pub type Key = (Option<AgentId>, Kind, Option<DateTime<Utc>>);

/// Something that the person may have to be told about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// Whose; `None`: everybody's.
    pub agent: Option<AgentId>,
    /// Of what kind.
    pub kind: Kind,
    /// Since when, where that tells one from the next.
    pub since: Option<DateTime<Utc>>,
    /// In words, as they come: foreign text.
    pub text: String,
}

impl Concern {
    /// What tells it from another. A question is the same one whether its dialog is seen at this moment or not.
    pub fn key(&self) -> Key {
        let kind = match self.kind {
            Kind::Dialog => Kind::Question,
            kind => kind,
        };
        (self.agent.clone(), kind, self.since)
    }
}

/// All that there is at this moment, at most one of each agent, in the agents' order.
pub fn concerns<'a>(
    views: impl IntoIterator<Item = &'a AgentView>,
    health: &Health,
    now: DateTime<Utc>,
) -> Vec<Concern> {
    let of_agents = views.into_iter().filter_map(|view| {
        let snoozed = health.snoozed.get(&view.id);
        of_agent(view, snoozed.is_some_and(|until| *until > now), now)
    });
    of_agents.chain(of_all(health, now)).collect()
}

fn of_agent(view: &AgentView, snoozed: bool, now: DateTime<Utc>) -> Option<Concern> {
    let (kind, since, text) = match (&view.status, &view.question) {
        // the person's own word
        (Status::Stopped | Status::Disabled, _) => return None,
        (Status::Gone(why), _) => (Kind::Lost, None, format!("is gone: {why}")),
        (_, Some(_)) if snoozed => return None,
        (_, Some(question)) => {
            let kind = if is_dialog(view) {
                Kind::Dialog
            } else {
                Kind::Question
            };
            (kind, Some(question.since), question.text.clone())
        }
        _ if is_dialog(view) => {
            let since = view.changed_at.filter(|since| now - *since >= STANDS)?;
            let state = view.state.map_or("unknown", State::as_str);
            let text = format!("a dialog is open in its pane ({state})");
            (Kind::Dialog, Some(since), text)
        }
        _ => (Kind::Bound, None, bound(view)?),
    };
    Some(Concern {
        agent: Some(view.id.clone()),
        kind,
        since,
        text,
    })
}

const fn is_dialog(view: &AgentView) -> bool {
    matches!(
        view.state,
        Some(State::Approval | State::Trust | State::Question | State::Login)
    )
}

fn bound(view: &AgentView) -> Option<String> {
    let (nudges, calls, tokens) = (&view.nudges, &view.calls, &view.tokens);
    if calls.bound > 0 && calls.used >= calls.bound {
        return Some(format!(
            "has used its {} model calls of today (UTC)",
            calls.bound
        ));
    }
    if tokens.bound > 0 && tokens.used >= tokens.bound {
        return Some(format!(
            "has used its {} tokens of today (UTC)",
            tokens.bound
        ));
    }
    (nudges.bound > 0 && nudges.used >= nudges.bound)
        .then(|| format!("was nudged {} times within the hour", nudges.used))
}

fn of_all(health: &Health, now: DateTime<Utc>) -> impl Iterator<Item = Concern> {
    let away = |answers: &Answers| {
        let since = answers.down_since?;
        (now - since >= AWAY).then(|| answers.why.clone())
    };
    let all = |kind, text| Concern {
        agent: None,
        kind,
        since: None,
        text,
    };
    let zellij = away(&health.zellij).map(|why| all(Kind::Zellij, why));
    let deciding: Vec<_> = health
        .backends
        .iter()
        .filter(|backend| backend.role == "decide")
        .map(|backend| away(&backend.answers))
        .collect();
    let backends = match deciding.first() {
        Some(Some(why)) if deciding.iter().all(Option::is_some) => {
            Some(all(Kind::Backends, why.clone()))
        }
        _ => None,
    };
    zellij.into_iter().chain(backends)
}

#[cfg(test)]
mod tests;
