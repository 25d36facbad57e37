//! Agents that belong to a mission: supervised like any other, and never a part of the configuration.

use std::path::PathBuf;

use super::Supervisor;
use crate::config::WorkersConfig;
use crate::error::{Failure, Kind};
use crate::ids::{self, AgentId, PaneAddress};
use crate::zellij::Zellij;

/// A worker that is to be supervised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Employment {
    /// Its name.
    pub id: AgentId,
    /// Its pane, which is open.
    pub address: PaneAddress,
    /// What it works on, for people: `mission/task`.
    pub on: String,
    /// What it is to achieve.
    pub goal: String,
    /// What kind of agent it is, where its program does not tell.
    pub kind: Option<ids::Kind>,
    /// The one folder whose trust dialog the mission's yes answers.
    pub trusts: PathBuf,
}

impl Supervisor {
    /// Supervises a mission's worker, and accepts its program once that is in front, which may take seconds.
    ///
    /// It is listed, watched and steered like any other agent, but never written into the configuration or the
    /// roster's log; another configuration leaves it alone, and `--resume` does not bring it back: the mission
    /// does. Where it is employed in this pane already, nothing changes.
    ///
    /// # Errors
    /// When its program has ended or does not come up, the name or the pane is another agent's, or another
    /// supervisor has the pane.
    pub async fn employ_worker(&self, employment: Employment) -> Result<(), Failure> {
        let _ = employment;
        Err(Failure::new(Kind::Bug, "not there yet"))
    }

    /// Stops supervising a worker; its pane stays as it is. One that is not supervised is no error.
    ///
    /// # Errors
    /// When the agent is no worker.
    pub async fn dismiss_worker(&self, id: &AgentId) -> Result<(), Failure> {
        let _ = id;
        Err(Failure::new(Kind::Bug, "not there yet"))
    }

    /// What runs as the workers of missions, as far as the person has said yes to it.
    pub async fn workers(&self) -> WorkersConfig {
        self.inner.state.lock().await.in_force().workers.clone()
    }

    /// The zellij whose panes are supervised.
    pub fn zellij(&self) -> &Zellij {
        &self.inner.zellij
    }
}
