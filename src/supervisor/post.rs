//! One supervised agent as the supervisor keeps it.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Failure, State, Supervisor, lock};
use crate::agent::machine::{Charge, Machine, Restored, Settings};
use crate::agent::view::{AgentView, Status};
use crate::agent::{self, Doors, Handle};
use crate::config::AgentConfig;
use crate::host;
use crate::ids::{AgentId, PaneAddress};
use crate::record::logs::AgentLogs;
use crate::record::{Program, RosterEntry};
use crate::screen::reset::Zone;
use crate::store::Lock;

/// An agent, its task and what is held for it.
pub(super) struct Post {
    pub agent: AgentConfig,
    pub address: PaneAddress,
    pub accepted: Option<Program>,
    pub stopped: bool,
    /// On whose behalf it works, where it is a mission's worker: such a one is no part of the configuration.
    pub charge: Option<Arc<Charge>>,
    pub logs: AgentLogs,
    watched: Watched,
}

enum Watched {
    /// By a task of its own, and under a lock on its pane.
    By(Handle, Lock),
    /// Not at all, and why.
    Not(Arc<AgentView>),
}

impl Post {
    fn new(assignment: Assignment, logs: AgentLogs, watched: Watched) -> Self {
        let Assignment {
            agent,
            address,
            accepted,
            stopped,
            charge,
        } = assignment;
        Self {
            agent,
            address,
            accepted,
            stopped,
            charge,
            logs,
            watched,
        }
    }

    pub fn id(&self) -> &AgentId {
        &self.agent.id
    }

    pub fn handle(&self) -> Option<Handle> {
        match &self.watched {
            Watched::By(handle, _) => Some(handle.clone()),
            Watched::Not(_) => None,
        }
    }

    pub fn view(&self) -> Arc<AgentView> {
        match &self.watched {
            Watched::By(handle, _) => handle.view(),
            Watched::Not(view) => Arc::clone(view),
        }
    }

    /// Whether a mission has it, and no configuration.
    pub fn is_worker(&self) -> bool {
        self.charge.is_some()
    }

    /// As it stands in the roster's log; whether the file names it is the configuration's to say.
    pub fn entry(&self) -> RosterEntry {
        RosterEntry {
            agent: self.agent.clone(),
            stopped: self.stopped,
            in_file: false,
            accepted: self.accepted.clone(),
            address: Some(self.address.clone()),
        }
    }

    /// Holds the lock of another pane, or of the same one in another server, from now on.
    pub fn hold(&mut self, lock: Lock) {
        if let Watched::By(_, held) = &mut self.watched
            && held.path() != lock.path()
        {
            *held = lock;
        }
    }

    pub fn lock_path(&self) -> Option<PathBuf> {
        match &self.watched {
            Watched::By(_, lock) => Some(lock.path().to_path_buf()),
            Watched::Not(_) => None,
        }
    }
}

/// What a post is made of.
#[derive(Clone)]
pub(super) struct Assignment {
    pub agent: AgentConfig,
    pub address: PaneAddress,
    pub accepted: Option<Program>,
    pub stopped: bool,
    pub charge: Option<Arc<Charge>>,
}

impl Supervisor {
    pub(super) fn settings(
        &self,
        state: &State,
        agent: &AgentConfig,
        address: &PaneAddress,
        charge: Option<Arc<Charge>>,
    ) -> Settings {
        let config = state.in_force();
        Settings {
            agent: state.agent_in_force(agent),
            address: address.clone(),
            observe_all: self.inner.overrides.observe || config.observe,
            limits: config.limits,
            timing: config.timing,
            backend: self.inner.director.borrow().name(),
            session: self.inner.session.clone(),
            prompts: self.inner.log_dir.join("prompts"),
            all_stopped: *self.inner.all_stopped.borrow(),
            approvals: Arc::new(config.approval_rules()),
            stagger: self.stagger(state, &agent.id),
            charge,
        }
    }

    pub(super) fn logs_of(&self, id: &AgentId) -> AgentLogs {
        AgentLogs::new(&self.inner.log_dir, id.clone(), self.inner.writer.clone())
    }

    /// Takes the pane's lock and starts the agent's task.
    ///
    /// # Errors
    /// When the pane is this program's own, or another supervisor, or another agent of this one, has it.
    pub(super) async fn post(
        &self,
        state: &State,
        assignment: Assignment,
        restored: Restored,
    ) -> Result<Post, Failure> {
        let (id, address) = (&assignment.agent.id, &assignment.address);
        self.refuse_own(address).await?;
        self.refuse_taken(address, id)?;
        let lock = self.lock_pane(state, address).await?;
        Ok(self.begin(state, assignment, restored, lock).await)
    }

    /// # Errors
    /// When another supervisor has the pane.
    pub(super) async fn lock_pane(
        &self,
        state: &State,
        address: &PaneAddress,
    ) -> Result<Lock, Failure> {
        let server = async { Ok(self.inner.zellij.server(&address.session).await) };
        let server = self.unless_ending(server).await?;
        lock::pane(address, server, &state.path)
    }

    /// The rules of an agent that is about to be watched.
    fn machine(&self, state: &State, assignment: &Assignment, restored: Restored) -> Machine {
        let Assignment {
            agent,
            address,
            charge,
            ..
        } = assignment;
        let settings = self.settings(state, agent, address, charge.clone());
        Machine::new(settings, assignment.accepted.clone(), restored)
    }

    /// Starts the agent's task under the lock of its pane.
    pub(super) async fn begin(
        &self,
        state: &State,
        assignment: Assignment,
        restored: Restored,
        lock: Lock,
    ) -> Post {
        let machine = self.machine(state, &assignment, restored);
        let logs = self.logs_of(&assignment.agent.id);
        let doors = Doors {
            zellij: self.inner.zellij.clone(),
            director: self.inner.director.subscribe(),
            profiles: self.inner.profiles.subscribe(),
            zone: Zone::named(&host::local_zone()).unwrap_or(Zone::UTC),
            logs: logs.clone(),
            all_stopped: self.inner.all_stopped.subscribe(),
            notices: self.inner.agent_notices.clone(),
            followers: self.inner.followers.clone(),
        };
        let handle = agent::spawn(machine, doors);
        if assignment.stopped {
            // it has only just begun: it cannot have ended
            let _ = handle.stop().await;
        }
        Post::new(assignment, logs, Watched::By(handle, lock))
    }

    /// An agent that cannot be watched, and stays in the roster with the reason.
    pub(super) fn unwatched(&self, state: &State, assignment: Assignment, why: &str) -> Post {
        let machine = self.machine(state, &assignment, Restored::default());
        let view = AgentView {
            status: Status::Error(format!(
                "{why} (`/start {}` tries again)",
                assignment.agent.id
            )),
            // nothing could be typed to it anyway, and nobody would tell it that it goes on
            all_stopped: false,
            ..AgentView::clone(&agent::first_view(&machine))
        };
        let logs = self.logs_of(&assignment.agent.id);
        Post::new(assignment, logs, Watched::Not(Arc::new(view)))
    }
}
