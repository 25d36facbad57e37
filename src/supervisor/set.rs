//! What a person changes of an agent while it is supervised.

use super::post::{Assignment, Post};
use super::resume::acceptable;
use super::{State, Supervisor};
use crate::config::{AgentConfig, Seconds};
use crate::error::Failure;
use crate::evidence::GENERIC;
use crate::ids::{AgentId, Kind, PaneRef};

/// A field of an agent with its new value.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// What it is to achieve.
    Goal(String),
    /// How long a still screen counts as a stall.
    StallSec(Seconds),
    /// How often the pane is read.
    PollSec(Seconds),
    /// Its pane.
    Pane(PaneRef),
    /// Whether nothing is typed.
    Observe(bool),
    /// What kind of agent it is; `None`: as its program tells.
    Kind(Option<Kind>),
}

impl Supervisor {
    /// Changes one field of an agent.
    ///
    /// # Errors
    /// When there is no such agent, or the pane it is to have is not there or is taken.
    pub async fn set(&self, id: &AgentId, change: Change) -> Result<String, Failure> {
        let mut state = self.changing().await?;
        let mut agent = self.with(id, |post| post.agent.clone())?;
        let said = match &change {
            Change::Goal(_) => "the goal is changed".to_owned(),
            Change::StallSec(seconds) => format!("a stall is {seconds} s without a change"),
            Change::PollSec(seconds) => format!("its pane is read every {seconds} s"),
            Change::Pane(pane) => return self.move_to(&mut state, id, pane).await,
            Change::Observe(true) => "nothing is typed to it from now on".to_owned(),
            Change::Observe(false) => "texts are typed to it from now on".to_owned(),
            Change::Kind(kind) => {
                self.refuse_unknown(kind.as_ref())?;
                match kind {
                    Some(kind) if kind.as_str() == GENERIC => {
                        "it is typed to by what prompts and dialogs look like in general".to_owned()
                    }
                    Some(kind) => format!("its screens are read as those of `{kind}`"),
                    None => "its program tells what kind of agent it is".to_owned(),
                }
            }
        };
        if matches!(change, Change::Kind(_)) {
            state.held = state.held.take().and_then(|held| held.with_kind_named(id));
        }
        match change {
            Change::Goal(goal) => agent.goal = goal,
            Change::StallSec(seconds) => agent.stall_sec = seconds,
            Change::PollSec(seconds) => agent.poll_sec = seconds,
            Change::Observe(observe) => agent.observe = observe,
            Change::Kind(kind) => agent.kind = kind,
            Change::Pane(_) => {}
        }
        let (address, duty) = self.with(id, |post| (post.address.clone(), post.charge.clone()))?;
        let settings = self.settings(&state, &agent, &address, duty);
        self.handle(id)?
            .set(settings)
            .await
            .map_err(|error| self.has_ended(id, error))?;
        keep(&mut state, &agent);
        self.change(&state, id, "set", |post| post.agent = agent)
            .await?;
        Ok(format!("{id}: {said}"))
    }

    /// The kinds of agents that there are.
    pub fn kinds(&self) -> Vec<String> {
        let profiles = self.inner.profiles.borrow();
        let known = profiles.kinds().map(ToString::to_string);
        known.chain([GENERIC.to_owned()]).collect()
    }

    /// # Errors
    /// When there is no such kind of agent.
    pub(super) fn refuse_unknown(&self, kind: Option<&Kind>) -> Result<(), Failure> {
        let kinds = self.kinds();
        match kind {
            Some(kind) if kinds.iter().all(|known| known != kind.as_str()) => Err(Failure::usage(
                format!("there is no kind of agent `{kind}`"),
            )
            .hint(format!("there are: {}", kinds.join(", ")))),
            _ => Ok(()),
        }
    }

    /// Another pane is another beginning: the agent's task is started anew there.
    async fn move_to(
        &self,
        state: &mut State,
        id: &AgentId,
        pane: &PaneRef,
    ) -> Result<String, Failure> {
        let address = self.address(&state.config, pane).await?;
        self.refuse_taken(&address, id)?;
        let facts = self.facts_of_new(&address).await?;
        let (mut agent, stopped, charge) = self.with(id, |post| {
            (post.agent.clone(), post.stopped, post.charge.clone())
        })?;
        agent.pane = pane.clone();
        let accepted = acceptable(&facts, state.agent_in_force(&agent).allow_shell);
        let is_same = self.with(id, |post| post.address == address)?;
        if is_same {
            return Ok(format!("{id} watches {address} already"));
        }
        let lock = self.lock_pane(state, &address).await?;
        let assignment = Assignment {
            agent: agent.clone(),
            address: address.clone(),
            accepted,
            stopped,
            charge,
        };
        // its memory is read once all of it is written
        if let Some(before) = self.with(id, Post::handle)? {
            let _ = before.quit().await;
        }
        let restored = self.restore(id, false, false).await.unwrap_or_default();
        let post = self.begin(state, assignment, restored, lock).await;
        self.replace(id, post);
        keep(state, &agent);
        self.change(state, id, "set", |_| {}).await?;
        Ok(format!(
            "{id} watches {address} now, where `{}` is in the foreground",
            facts.front()
        ))
    }
}

/// The configuration has the agent as it is now.
fn keep(state: &mut State, agent: &AgentConfig) {
    if let Some(kept) = state
        .config
        .agents
        .iter_mut()
        .find(|kept| kept.id == agent.id)
    {
        kept.clone_from(agent);
    }
}
