//! A mission's workers: opened in panes, found again by what they are, spoken to, closed.
//!
//! A worker is an agent like any other once it is open: the supervisor watches it, and every key passes `hands`.
//! This module knows no tasks and no states of them; the coordinator says who is wanted, and remembers nothing
//! that is not said here again after a crash. It never types by itself and never touches a pane that is not the
//! mission's by its name, its folder and its program.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::names::Names;
use super::plan::Role;
use crate::error::Failure;
use crate::ids::{AgentId, MissionId, PaneAddress};
use crate::screen::state::State;
use crate::supervisor::Supervisor;

/// The workers of one mission; clones are the same.
#[derive(Clone)]
pub struct Workers {
    supervisor: Supervisor,
    mission: MissionId,
}

/// A worker that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, and that of its pane.
    pub agent: AgentId,
    /// What it works on, for people: `mission/task`.
    pub on: String,
    /// What it is to achieve, for whoever judges whether it goes on.
    pub goal: String,
    /// Where it works; there already. The mission's yes answers the trust dialog for this folder, and no other.
    pub folder: PathBuf,
    /// Its role: which command it is, with which permissions.
    pub role: Role,
}

/// A worker that is open and supervised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its pane.
    pub pane: PaneAddress,
    /// Whether it was there already, and goes on with what it knows.
    pub was_there: bool,
}

/// What a worker is doing, as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What its screen and the evidence say; `None` before the first look.
    pub state: Option<State>,
    /// When its screen last changed.
    pub since: Option<DateTime<Utc>>,
    /// Whether it waits for the person: a dialog, a question, a bound that is reached.
    pub needs_person: bool,
    /// What the person is asked, where they are.
    pub question: Option<String>,
    /// Why it is gone: its pane, its session or its program has ended.
    pub gone: Option<String>,
    /// Tokens that were spent today on judging it (not its own).
    pub tokens: u64,
    /// Looks at its pane since it was employed.
    pub polls: u64,
}

/// Why a worker does not stand at its empty prompt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// It is not supervised.
    #[error("`{0}` is not supervised")]
    Unknown(AgentId),
    /// Its pane, its session or its program has ended.
    #[error("{0}")]
    Gone(String),
    /// The time is over.
    #[error("it did not come to stand at its prompt in time; its state is {}{}", state.map_or("unknown", State::as_str), question.as_deref().map_or_else(String::new, |asked| format!(": {asked}")))]
    TimedOut {
        /// What it does instead.
        state: Option<State>,
        /// What the person is asked, where that is why.
        question: Option<String>,
    },
}

/// What became of a text for a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It was taken.
    Delivered,
    /// It had been typed before, and was not typed again.
    AlreadyDelivered,
    /// It was typed, and whether it was taken is not known; it is not typed again.
    Unproven {
        /// What is known.
        why: String,
    },
}

impl Workers {
    /// The workers of `mission`, under this supervisor.
    pub const fn new(supervisor: Supervisor, mission: MissionId) -> Self {
        Self {
            supervisor,
            mission,
        }
    }

    /// Opens a worker's pane, or finds it again by its name, its folder and the living program in it, and has it
    /// supervised. Once more is the same as once. An ended pane of the same name is closed first.
    ///
    /// Takes as long as the worker's program needs to come up: seconds, half a minute at most.
    ///
    /// # Errors
    /// At once, with the reason, where the program does not exist or ends; when zellij does not answer, or another
    /// agent has the name or the pane.
    pub async fn open(&self, wanted: &Wanted) -> Result<Opened, Failure> {
        let _ = (wanted, &self.mission);
        Err(Failure::new(crate::error::Kind::Bug, "not there yet"))
    }

    /// What a worker is doing, without asking zellij; `None` where it is not supervised.
    pub fn look(&self, agent: &AgentId) -> Option<Look> {
        let _ = (agent, &self.supervisor);
        None
    }

    /// Waits until a look that came after now shows it at its empty prompt.
    ///
    /// # Errors
    /// When that is not so `within` this time, or never can be.
    pub async fn ready(&self, agent: &AgentId, within: Duration) -> Result<(), NotReady> {
        let _ = within;
        Err(NotReady::Unknown(agent.clone()))
    }

    /// Tells a worker one line, as the person's own words would be: once it stands at its prompt, through `hands`.
    ///
    /// Where its decision log knows of exactly this text since then (`None`: ever) as delivered or unproven, it is
    /// not typed again.
    ///
    /// # Errors
    /// When it was not typed: the worker did not come to its prompt `within` this time, is gone, or the text was
    /// refused, and why.
    pub async fn tell(
        &self,
        agent: &AgentId,
        text: &str,
        within: Duration,
        since: Option<DateTime<Utc>>,
    ) -> Result<Told, Failure> {
        let _ = (agent, text, within, since);
        Err(Failure::new(crate::error::Kind::Bug, "not there yet"))
    }

    /// Has nobody nudge it until [`Workers::release`]: while its criteria are run, for instance.
    ///
    /// # Errors
    /// When it is not supervised.
    pub async fn hold(&self, agent: &AgentId) -> Result<(), Failure> {
        self.supervisor.hold(agent, None).await.map(drop)
    }

    /// Lets it be nudged again.
    ///
    /// # Errors
    /// When it is not supervised.
    pub async fn release(&self, agent: &AgentId) -> Result<(), Failure> {
        self.supervisor.release(agent).await.map(drop)
    }

    /// Stops supervising a worker, closes its pane, and sees that what ran in it ends: first asked (the pane's
    /// hangup), then killed. `pane` is where it was last known to be, for one that is not supervised; it is
    /// closed only if it has the worker's name still. One that is gone already is no error.
    ///
    /// # Errors
    /// When the pane cannot be closed, or something of it still runs; says what.
    pub async fn close(&self, agent: &AgentId, pane: Option<&PaneAddress>) -> Result<(), Failure> {
        let _ = (agent, pane);
        Err(Failure::new(crate::error::Kind::Bug, "not there yet"))
    }

    /// The panes of this mission that are there, living or ended, whoever supervises them: those whose name is of
    /// this mission and whose folder is its own.
    ///
    /// # Errors
    /// When zellij does not answer.
    pub async fn found(&self, names: &Names) -> Result<Vec<(AgentId, PaneAddress)>, Failure> {
        let _ = names;
        Err(Failure::new(crate::error::Kind::Bug, "not there yet"))
    }
}
