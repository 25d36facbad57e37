//! Draws one conclusion from all that is known of an agent: pure.
//!
//! Each rung says what it takes the agent to be doing, or why it says nothing. The foreground process has
//! the last word about an agent that has ended; Claude Code's registry tells a turn that runs from one that
//! does not; its transcript knows limits and failures; the screen knows the rest. Where two of them disagree
//! about whether typing is safe, it is not: [`Conclusion::permits_typing`] holds only if no rung says a state
//! in which nothing may be typed.
//!
//! It trusts no rung to permit anything by itself, and what it concludes is no permit: that is
//! `director::policy`'s.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::de::{self, Deserializer};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::screen::state::State;

use super::Facts;
use super::registry::{Entry, Missing, Status};
use super::transcript::Tail;

/// One source of what an agent is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RungName {
    /// The foreground process of the pane.
    Foreground,
    /// Claude Code's session registry.
    Registry,
    /// Claude Code's transcript.
    Transcript,
    /// The screen.
    Screen,
}

impl RungName {
    /// The word for it, in JSON and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Foreground => "foreground",
            Self::Registry => "registry",
            Self::Transcript => "transcript",
            Self::Screen => "screen",
        }
    }
}

impl fmt::Display for RungName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// What one source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// The source.
    pub name: RungName,
    /// The state that it tells, or why it tells none.
    pub says: Result<State, String>,
    /// What that rests on, for a person; empty where there is nothing to add.
    pub detail: String,
}

impl Rung {
    fn says(name: RungName, state: State, detail: impl Into<String>) -> Self {
        Self {
            name,
            says: Ok(state),
            detail: detail.into(),
        }
    }

    fn silent(name: RungName, why: impl Into<String>) -> Self {
        Self {
            name,
            says: Err(why.into()),
            detail: String::new(),
        }
    }

    /// What the pane's foreground says: whether the agent has ended. What it does, a process does not tell.
    pub fn foreground(facts: &Facts) -> Self {
        let name = RungName::Foreground;
        let front = facts.front();
        if facts.ended {
            Self::says(name, State::Ended, "the pane's command has ended")
        } else if facts.program.is_none() {
            Self::silent(name, "it is not known which program is in front")
        } else if facts.shell {
            Self::says(name, State::Ended, format!("a shell ({front}) is in front"))
        } else {
            Self::silent(name, format!("`{front}` is in front and runs"))
        }
    }

    /// What the session registry says.
    pub fn registry(found: &Result<Entry, Missing>) -> Self {
        let name = RungName::Registry;
        let entry = match found {
            Ok(entry) => entry,
            Err(missing) => return Self::silent(name, missing.why.clone()),
        };
        let waits = entry.waiting_for.as_deref();
        let state = match (&entry.status, waits) {
            (Status::Idle, _) => State::Idle,
            (Status::Busy, _) => State::Working,
            (Status::Waiting, Some("permission prompt")) => State::Approval,
            (Status::Waiting, Some("input needed")) => State::Question,
            (Status::Waiting, Some("dialog open")) => State::Menu,
            (Status::Waiting | Status::Other(_), _) => State::Unknown,
        };
        let mut detail = format!("status `{}`", entry.status.as_str());
        if let Some(waits) = waits {
            detail = format!("{detail}, waiting for `{waits}`");
        }
        if let Some(at) = entry.status_updated_at {
            detail = format!("{detail}, since {}", at.format("%H:%M:%S UTC"));
        }
        Self::says(name, state, detail)
    }

    /// What the transcript says: a limit that has not passed (`reset` is its time, where it is known), a call
    /// that failed, and, where the `registry` says nothing, whether a turn runs. A transcript alone cannot
    /// tell a turn that runs from one that was left unfinished when the agent last ended.
    pub fn transcript(
        found: &Result<Arc<Tail>, Missing>,
        registry: &Rung,
        reset: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Self {
        let name = RungName::Transcript;
        let tail = match found {
            Ok(tail) => tail,
            Err(missing) => return Self::silent(name, missing.why.clone()),
        };
        let limit = tail.rate_limit.as_ref().filter(|limit| limit.is_of_plan());
        if let Some(limit) = limit {
            return if reset.is_none_or(|reset| now < reset) {
                Self::says(name, State::Limit, limit.text.clone())
            } else {
                Self::silent(name, "its last record is a limit that has passed")
            };
        }
        if let Some(failure) = &tail.failure {
            return Self::says(name, State::Failed, failure.clone());
        }
        match (&registry.says, tail.turn_ended) {
            (Ok(_), _) => Self::silent(name, "the registry tells better whether a turn runs"),
            (Err(_), true) => Self::says(name, State::Idle, "its last turn has ended"),
            (Err(_), false) => Self::says(name, State::Working, "its last turn has not ended"),
        }
    }

    /// What the screen says; `detail` is the rule and the lines.
    pub fn screen(state: State, detail: impl Into<String>) -> Self {
        Self::says(RungName::Screen, state, detail)
    }
}

impl Serialize for Rung {
    /// `state` where it says one, else `silent` with the reason.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut rung = to.serialize_struct("Rung", 3)?;
        rung.serialize_field("rung", &self.name)?;
        match &self.says {
            Ok(state) => rung.serialize_field("state", state)?,
            Err(why) => rung.serialize_field("silent", why)?,
        }
        rung.serialize_field("detail", &self.detail)?;
        rung.end()
    }
}

impl<'de> Deserialize<'de> for Rung {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        /// A rung as it is written.
        #[derive(Deserialize)]
        struct Written {
            rung: RungName,
            state: Option<State>,
            silent: Option<String>,
            detail: String,
        }
        let written = Written::deserialize(from)?;
        let says = match (written.state, written.silent) {
            (Some(state), _) => Ok(state),
            (None, Some(why)) => Err(why),
            (None, None) => return Err(de::Error::missing_field("state")),
        };
        Ok(Self {
            name: written.rung,
            says,
            detail: written.detail,
        })
    }
}

/// What follows from all that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// What the agent is doing.
    pub state: State,
    /// The rung whose word that is.
    pub winner: RungName,
    /// Whether all that was said goes together; else which two do not, in words.
    pub agreed: Result<(), String>,
    /// What was said.
    pub rungs: Vec<Rung>,
}

impl Conclusion {
    /// Whether, by all that is known, a nudge may be typed.
    pub fn permits_typing(&self) -> bool {
        self.agreed.is_ok() && self.state.takes_nudge()
    }
}

/// A state, with the rung whose word it is.
type Word = (State, RungName);

/// Draws the conclusion. Of two rungs with one name the first counts, and both may forbid typing.
pub fn conclude(rungs: Vec<Rung>) -> Conclusion {
    let of = |name| {
        let said = rungs.iter().find(|rung| rung.name == name);
        said.and_then(|rung| rung.says.as_ref().ok().copied())
    };
    let screen = of(RungName::Screen).unwrap_or(State::Unknown);
    let (state, winner) = if of(RungName::Foreground) == Some(State::Ended) {
        (State::Ended, RungName::Foreground)
    } else {
        let seen = match of(RungName::Registry) {
            Some(registry) => with_registry(registry, screen),
            None => (screen, RungName::Screen),
        };
        let refined = match of(RungName::Transcript) {
            Some(transcript) => with_transcript(transcript, seen),
            None => seen,
        };
        // whatever else is said: no rung takes an agent for waiting whose screen does not show it
        if refined.0.takes_nudge() && !screen.takes_nudge() {
            (screen, RungName::Screen)
        } else {
            refined
        }
    };
    let agreed = agreement(&rungs, (state, winner));
    Conclusion {
        state,
        winner,
        agreed,
        rungs,
    }
}

/// The registry knows whether a turn runs or a dialog waits; the screen knows which kind of either it is.
fn with_registry(registry: State, screen: State) -> Word {
    use State::{Draft, Ended, Idle, Limit, Menu, Unknown, Working};
    let screen_knows = match (registry, screen) {
        // two that say the same: the registry is the surer one
        (Idle, Idle) | (Working, Working) => false,
        // nothing that an unknown screen hides is idle because the registry says so; and of the dialog that comes
        // with a usage limit (Claude Code 2.1.197) only the screen tells which one it is: the two do not agree then,
        // so that nothing is typed into it
        (_, Ended) | (Idle, _) | (Working, Unknown | Draft) | (Menu, Limit) => true,
        (Working, _) => screen.is_busy() || screen.is_dialog(),
        // in 2.1.197 a question waits as a `permission prompt` too: the screen says which dialog it is
        (_, _) => screen.is_dialog(),
    };
    if screen_knows {
        (screen, RungName::Screen)
    } else {
        (registry, RungName::Registry)
    }
}

/// The transcript refines what looks as if it waited for its next text, and nothing else.
fn with_transcript(transcript: State, seen: Word) -> Word {
    use State::{Background, Failed, Idle, Limit, Working};
    let refined = matches!(
        (transcript, seen.0),
        (Limit, Idle | Failed) | (Failed, Idle) | (Working, Idle | Failed | Background)
    );
    if refined {
        (transcript, RungName::Transcript)
    } else {
        seen
    }
}

/// Whether nobody contradicts the conclusion. Two contradict each other where one says that the agent waits
/// for its next text and the other does not, unless the other only says more closely why it waits.
fn agreement(rungs: &[Rung], (state, winner): Word) -> Result<(), String> {
    let said = |rung: &Rung| rung.says.as_ref().ok().copied();
    let contradicts = |rung: &&Rung| {
        rung.name != winner
            && said(rung).is_some_and(|other| !goes_with((other, rung.name), (state, winner)))
    };
    // whatever was concluded: one rung that forbids typing is enough
    let forbids =
        |rung: &&Rung| state.takes_nudge() && said(rung).is_some_and(|other| !other.takes_nudge());
    let against = rungs
        .iter()
        .find(forbids)
        .or_else(|| rungs.iter().find(contradicts));
    match against.and_then(|rung| Some((rung.name, said(rung)?))) {
        Some((name, other)) => Err(format!(
            "the {name} says {other}, the {winner} says {state}"
        )),
        None => Ok(()),
    }
}

/// Whether what a rung said goes together with the conclusion, though it may say less.
fn goes_with((said, by): Word, (concluded, winner): Word) -> bool {
    use State::{
        Background, Compacting, Draft, Ended, Failed, Idle, Limit, Menu, Queued, Retrying, Working,
    };
    if said == concluded {
        return true;
    }
    match (by, said) {
        // what has ended may have left anything behind, on the screen and in its files
        _ if concluded == Ended && winner == RungName::Foreground => true,
        (RungName::Registry, Idle) => matches!(
            concluded,
            Draft | Limit | Failed | Background | Compacting | Menu | Queued
        ),
        (RungName::Registry, Working) => {
            matches!(concluded, Draft | Queued | Retrying | Compacting)
        }
        (RungName::Registry, _) => said.is_dialog() && concluded.is_dialog(),
        // the transcript is read only for what it adds
        (RungName::Transcript, Idle | Failed) => true,
        (RungName::Transcript, Limit) => matches!(concluded, Draft | Limit | Menu),
        (RungName::Transcript, Working) => !concluded.takes_nudge(),
        (RungName::Screen, Idle) => matches!(concluded, Limit | Failed),
        (RungName::Screen, Failed) => concluded == Limit,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
