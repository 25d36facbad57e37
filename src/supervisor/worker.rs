//! Agents that belong to a mission: supervised like any other, and never a part of the configuration.
//!
//! Only `mission` employs them. What a person says to one (`/stop`, `/reply`, `/set`) holds for this run; nothing of
//! it goes into a file. The person's yes to the mission answers one dialog for them: whether the folder that the
//! mission made is to be trusted ([`crate::director::authority`]).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::post::{Assignment, Post};
use super::resume::acceptable;
use super::{State, Supervisor, blocking};
use crate::agent::machine::Charge;
use crate::agent::view::AgentView;
use crate::config::{AgentConfig, WorkersConfig};
use crate::error::{Failure, Kind};
use crate::evidence::{Facts, Program, Sameness, sameness};
use crate::ids::{self, AgentId, PaneAddress, PaneRef, SessionName};
use crate::record::Receipt;
use crate::record::logs::AgentLogs;
use crate::zellij::{Dump, Zellij};

/// How long a worker's program may take to come to the front of its pane.
const COMES_UP: Duration = Duration::from_secs(20);
/// How often its pane is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Looks in a row that must show the same program, where none is known by name: a loader may come before it.
const LOOKS: u32 = 6;
/// The most of a pane's last words that is told, in characters.
const LAST_WORDS: usize = 400;

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
        let Employment {
            id,
            address,
            on,
            goal,
            kind,
            trusts,
        } = employment;
        self.refuse_unknown(kind.as_ref())?;
        let trusts = blocking(move || trusts.canonicalize().map_err(|error| (trusts, error)));
        let trusts = trusts.await?.map_err(|(folder, error)| {
            let message = format!("{} cannot be worked in", folder.display());
            Failure::new(Kind::Failed, message).because(&error)
        })?;
        self.refuse_own(&address).await?;
        // seconds, in which nothing else is held up
        let accepted = self.comes_up(&address).await?;
        let charge = Arc::new(Charge { on, trusts });
        let state = self.changing().await?;
        let workers = state.in_force().workers.clone();
        let before = self.with(&id, |post| {
            let is_here = post.address == address && post.handle().is_some();
            let is_same = post
                .accepted
                .as_ref()
                .is_some_and(|program| sameness(program, &accepted) == Sameness::Same);
            (post.is_worker(), is_here && is_same)
        });
        match before {
            Ok((true, true)) => return Ok(()),
            Ok((true, false)) => self.dismiss(&id).await?,
            Ok((false, _)) => {
                return Err(Failure::usage(format!(
                    "there is an agent `{id}` already, which is no worker"
                ))
                .hint(format!("`/remove {id}`, or give the mission another name")));
            }
            Err(_) => {}
        }
        let pane = PaneRef {
            session: Some(address.session.clone()),
            pane: address.pane,
        };
        let agent = AgentConfig {
            kind,
            stall_sec: workers.stall_sec,
            poll_sec: workers.poll_sec,
            ..AgentConfig::new(id.clone(), pane, goal)
        };
        let restored = self.restore(&id, false, false).await?;
        let assignment = Assignment {
            agent,
            address,
            accepted: Some(accepted),
            stopped: false,
            charge: Some(charge),
        };
        let post = self.post(&state, assignment, restored).await?;
        self.posts_mut().push(post);
        self.inner.followers.changed();
        Ok(())
    }

    /// Stops supervising a worker; its pane stays as it is. One that is not supervised is no error.
    ///
    /// # Errors
    /// When the agent is no worker.
    pub async fn dismiss_worker(&self, id: &AgentId) -> Result<(), Failure> {
        let _state = self.changing().await?;
        match self.with(id, Post::is_worker) {
            Err(_) => Ok(()),
            Ok(true) => {
                self.dismiss(id).await?;
                self.inner.followers.changed();
                Ok(())
            }
            Ok(false) => Err(Failure::usage(format!("`{id}` is no worker of a mission"))),
        }
    }

    /// Keeps every nudge from a worker while its mission is busy with it, or no longer.
    ///
    /// # Errors
    /// When there is no such agent.
    pub async fn reserve_worker(&self, id: &AgentId, reserved: bool) -> Result<(), Failure> {
        let done = self.handle(id)?.reserve(reserved).await;
        done.map_err(|error| self.has_ended(id, error))
    }

    /// What runs as the workers of missions, as far as the person has said yes to it.
    pub async fn workers(&self) -> WorkersConfig {
        self.inner.state.lock().await.in_force().workers.clone()
    }

    /// The session in which panes are opened that name none; `None`: there is no session at all.
    ///
    /// # Errors
    /// When it is not clear which of several is meant, or zellij does not answer.
    pub async fn session_for_workers(&self) -> Result<Option<SessionName>, Failure> {
        let config = self.inner.state.lock().await.in_force().into_owned();
        if let Some(session) = config.workers.session.clone() {
            return Ok(Some(session));
        }
        match self.default_session(&config).await {
            Ok(session) => Ok(Some(session)),
            Err(failure) if failure.kind == Kind::Missing => {
                let sessions = self.inner.zellij.sessions().await?;
                // it may be zellij that is missing
                if sessions.is_empty() {
                    Ok(None)
                } else {
                    Err(failure)
                }
            }
            Err(failure) => {
                Err(failure.hint("`workers.session` in the configuration names it for missions"))
            }
        }
    }

    /// The zellij whose panes are supervised.
    pub fn zellij(&self) -> &Zellij {
        &self.inner.zellij
    }

    /// An agent as it is now and from now on; `None` where there is none of this name, or nobody watches it.
    pub fn watch(&self, id: &AgentId) -> Option<watch::Receiver<Arc<AgentView>>> {
        let handle = self.with(id, Post::handle).ok()??;
        Some(handle.watch())
    }

    /// Types a text into an agent's pane as the person's own words, and gives the receipt.
    ///
    /// # Errors
    /// When there is no such agent, or it was ended meanwhile.
    pub async fn deliver(&self, id: &AgentId, text: String) -> Result<Receipt, Failure> {
        let typed = self.handle(id)?.reply(text).await;
        typed.map_err(|error| self.has_ended(id, error))
    }

    /// The logs of an agent, also of one that is not supervised now.
    pub fn logs(&self, id: &AgentId) -> AgentLogs {
        self.logs_of(id)
    }

    /// How long after the reset of a limit an agent may be nudged: one after the other.
    pub(super) fn stagger(&self, state: &State, id: &AgentId) -> Duration {
        /// Between two agents.
        const STEP: Duration = Duration::from_secs(20);
        /// However many there are.
        const LONGEST: Duration = Duration::from_mins(10);
        let configured = state.config.agents.iter().map(|agent| agent.id.clone());
        let posts = self.posts();
        let workers = posts.iter().filter(|post| post.is_worker());
        let workers = workers.map(|post| post.id().clone());
        let all: Vec<AgentId> = configured.chain(workers).collect();
        let place = all.iter().position(|one| one == id).unwrap_or(all.len());
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        STEP.saturating_mul(place).min(LONGEST)
    }

    /// Waits for the program of a pane that has just been opened.
    async fn comes_up(&self, address: &PaneAddress) -> Result<Program, Failure> {
        let until = Instant::now() + COMES_UP;
        let mut seen: Option<(Program, u32)> = None;
        loop {
            let facts = self.facts_of_new(address).await;
            if let Ok(facts) = &facts
                && facts.ended
            {
                return Err(self.has_ended_in(address, facts).await);
            }
            let found = facts.as_ref().ok().and_then(|facts| {
                let program = acceptable(facts, false)?;
                Some((program, self.is_known(facts)))
            });
            match (found, seen.take()) {
                (Some((program, true)), _) => return Ok(program),
                (Some((program, false)), Some((before, looks)))
                    if sameness(&before, &program) == Sameness::Same =>
                {
                    if looks >= LOOKS {
                        return Ok(program);
                    }
                    seen = Some((program, looks + 1));
                }
                (Some((program, false)), _) => seen = Some((program, 1)),
                (None, _) => {}
            }
            if Instant::now() >= until {
                let message = format!(
                    "no program came to the front of {address} within {} s",
                    COMES_UP.as_secs()
                );
                let failure = Failure::new(Kind::TimedOut, message);
                return Err(match facts {
                    Ok(facts) => failure.because_text(format!("`{}` is there", facts.front())),
                    Err(error) => failure.because(&error),
                });
            }
            self.unless_ending(async {
                sleep(LOOK_EVERY).await;
                Ok(())
            })
            .await?;
        }
    }

    /// Whether what is in front is an agent by its name.
    fn is_known(&self, facts: &Facts) -> bool {
        let name = facts.program.as_ref().map(|program| program.name.as_str());
        let profiles = self.inner.profiles.borrow();
        name.is_some_and(|name| profiles.of_program(name, &facts.arguments).is_some())
    }

    /// What is told of a worker whose program has ended as soon as it was started.
    async fn has_ended_in(&self, address: &PaneAddress, facts: &Facts) -> Failure {
        let status = facts.exit_status;
        let status = status.map(|status| format!(" with status {status}"));
        let message = format!(
            "the program in {address} has ended{}",
            status.unwrap_or_default()
        );
        let shown = self.inner.zellij.dump(address, Dump::Viewport).await;
        let shown = shown.unwrap_or_default();
        let rows: Vec<&str> = shown
            .lines()
            .map(str::trim)
            .filter(|row| !row.is_empty())
            .collect();
        let words: String = rows
            .join(" ")
            .chars()
            .filter(|c| !c.is_control())
            .take(LAST_WORDS)
            .collect();
        let failure = Failure::new(Kind::Failed, message);
        if words.is_empty() {
            failure
        } else {
            failure.because_text(format!("its pane shows: {words}"))
        }
    }
}
