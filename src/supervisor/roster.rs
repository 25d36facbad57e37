//! What a person does to one agent: add, stop, start, remove, reply, and reading its log.

use super::panes::Candidate;
use super::post::{Assignment, Post};
use super::resume::acceptable;
use super::{State, Supervisor, blocking, lock};
use crate::agent::view::Status;
use crate::agent::{Ended, Handle};
use crate::config::AgentConfig;
use crate::error::{Failure, Kind};
use crate::evidence::{Facts, Sameness, sameness};
use crate::ids::{self, AgentId, PaneAddress, PaneRef};
use crate::record::logs::ReadBack;
use crate::record::{Memo, Receipt, RosterChange};

impl Supervisor {
    /// Supervises one more pane, and accepts the program that runs there. Says what was done.
    ///
    /// # Errors
    /// When the name or the pane is taken, there is no such kind of agent, the pane is not there, is a plugin's or the supervisor's own, or
    /// another supervisor has it.
    pub async fn add(
        &self,
        id: AgentId,
        pane: PaneRef,
        kind: Option<ids::Kind>,
        goal: String,
    ) -> Result<String, Failure> {
        self.refuse_unknown(kind.as_ref())?;
        let mut state = self.changing().await?;
        let address = self.address(&state.config, &pane).await?;
        let facts = self.facts_of_new(&address).await;
        let mut agent = AgentConfig::new(id, pane, goal);
        agent.kind = kind;
        self.add_agent(&mut state, agent, address, facts).await
    }

    async fn add_agent(
        &self,
        state: &mut State,
        agent: AgentConfig,
        address: PaneAddress,
        facts: Result<Facts, Failure>,
    ) -> Result<String, Failure> {
        let id = agent.id.clone();
        if self.posts().iter().any(|post| *post.id() == id) {
            return Err(Failure::usage(format!("there is an agent `{id}` already"))
                .hint("choose another id"));
        }
        self.refuse_taken(&address, &id)?;
        let facts = facts?;
        let accepted = acceptable(&facts, state.agent_in_force(&agent).allow_shell);
        let front = facts.front().to_owned();
        let said = match (&accepted, facts.ended) {
            (Some(_), _) => format!("{id} watches {address}, where `{front}` runs"),
            (None, true) => format!("{id} watches {address}, whose program has ended"),
            (None, false) => format!(
                "{id} watches {address}, where `{front}` is in the foreground: nothing is typed there. Start the agent in that pane, then `/start {id}`"
            ),
        };
        let restored = self.restore(&id, false, false).await?;
        let assignment = Assignment {
            agent,
            address,
            accepted,
            stopped: false,
            charge: None,
        };
        let post = self.post(state, assignment, restored).await?;
        let entry = Box::new(post.entry());
        state.config.agents.push(post.agent.clone());
        self.posts_mut().push(post);
        self.record(
            state,
            RosterChange::Entry {
                why: "added".into(),
                entry,
            },
        )
        .await;
        Ok(said)
    }

    /// # Errors
    /// When another agent has the pane.
    pub(super) fn refuse_taken(&self, address: &PaneAddress, by: &AgentId) -> Result<(), Failure> {
        let taken = self
            .posts()
            .iter()
            .find(|post| post.address == *address && post.id() != by)
            .map(|post| post.id().clone());
        match taken {
            Some(other) => Err(Failure::usage(format!(
                "{address} is the pane of `{other}` already"
            ))
            .hint("`/panes` shows whose the panes are")),
            None => Ok(()),
        }
    }

    /// Supervises the panes that were shown and said yes to.
    pub(super) async fn add_candidates(
        &self,
        candidates: Vec<Candidate>,
    ) -> Result<String, Failure> {
        let mut state = self.changing().await?;
        let mut said = Vec::new();
        for candidate in candidates {
            let id = candidate.id.clone();
            match self.add_candidate(&mut state, candidate).await {
                Ok(text) => said.push(format!(
                    "{text}. Say what it is to achieve: `/set {id} goal ...`"
                )),
                Err(failure) => said.push(format!("{id} was not added: {failure}")),
            }
        }
        Ok(said.join("\n"))
    }

    /// The yes was about the program that was shown, and no other.
    async fn add_candidate(
        &self,
        state: &mut State,
        candidate: Candidate,
    ) -> Result<String, Failure> {
        let Candidate {
            id,
            address,
            program: shown,
            ..
        } = candidate;
        let facts = self.facts_of_new(&address).await?;
        let is_it = match (&shown, &facts.program) {
            (Some(shown), Some(found)) => sameness(shown, found) == Sameness::Same,
            _ => false,
        };
        if facts.ended || !is_it {
            let message = format!(
                "`{}` is in {address} now, not what was shown",
                facts.front()
            );
            return Err(Failure::new(Kind::Failed, message).hint("`/adopt` looks again"));
        }
        let pane = PaneRef {
            session: Some(address.session.clone()),
            pane: address.pane,
        };
        let agent = AgentConfig::new(id, pane, "");
        self.add_agent(state, agent, address, Ok(facts)).await
    }

    /// Stops supervising an agent; what is asked about it is dropped.
    ///
    /// # Errors
    /// When there is no such agent.
    pub async fn stop(&self, id: &AgentId) -> Result<String, Failure> {
        // first of all, whatever else is under way
        self.handle(id)?
            .stop()
            .await
            .map_err(|error| self.has_ended(id, error))?;
        let state = self.changing().await?;
        self.change(&state, id, "stopped", |post| post.stopped = true)
            .await?;
        Ok(format!("{id} is stopped; `/start {id}` goes on"))
    }

    /// Starts an agent, and accepts the program that is in its pane now.
    ///
    /// # Errors
    /// When there is no such agent, its pane is not there, or another supervisor has it.
    pub async fn start_agent(&self, id: &AgentId) -> Result<String, Failure> {
        let state = self.changing().await?;
        let (agent, address, charge) = self.with(id, |post| {
            (
                post.agent.clone(),
                post.address.clone(),
                post.charge.clone(),
            )
        })?;
        let facts = self.facts_of_new(&address).await?;
        let accepted = acceptable(&facts, state.agent_in_force(&agent).allow_shell);
        let front = facts.front().to_owned();
        let Some(handle) = self.with(id, Post::handle)? else {
            let restored = self.restore(id, false, false).await?;
            let assignment = Assignment {
                agent,
                address,
                accepted,
                stopped: false,
                charge,
            };
            let post = self.post(&state, assignment, restored).await?;
            self.replace(id, post);
            return Ok(format!("{id} is watched now"));
        };
        self.hold_again(&state, id, &address).await?;
        handle
            .start(accepted.clone())
            .await
            .map_err(|error| self.has_ended(id, error))?;
        let is_accepted = accepted.is_some();
        self.change(&state, id, "started", |post| {
            post.stopped = false;
            post.accepted = accepted.or(post.accepted.take());
        })
        .await?;
        Ok(if is_accepted {
            format!("{id} is started; `{front}` in {address} is accepted")
        } else {
            format!(
                "{id} is started, but `{front}` is in the foreground of {address}: nothing is typed there"
            )
        })
    }

    /// A zellij server that was restarted has new panes: the lock must be one on the pane of this server.
    async fn hold_again(
        &self,
        state: &State,
        id: &AgentId,
        address: &PaneAddress,
    ) -> Result<(), Failure> {
        let held = self.with(id, Post::lock_path)?;
        let server = self.inner.zellij.server(&address.session).await;
        if held.is_some_and(|held| lock::is_of(&held, address, server)) {
            return Ok(());
        }
        let lock = lock::pane(address, server, &state.path)?;
        self.with_mut(id, |post| post.hold(lock))
    }

    /// Forgets an agent; its logs stay.
    ///
    /// # Errors
    /// When there is no such agent.
    pub async fn remove(&self, id: &AgentId) -> Result<String, Failure> {
        let mut state = self.changing().await?;
        let is_worker = self.with(id, Post::is_worker)?;
        self.dismiss(id).await?;
        if is_worker {
            self.inner.followers.changed();
        } else {
            state.config.agents.retain(|agent| agent.id != *id);
            state.held = state.held.take().and_then(|held| held.without_agent(id));
            let change = RosterChange::Removed { id: id.clone() };
            self.record(&state, change).await;
        }
        Ok(format!(
            "{id} is removed; its logs stay in {}",
            self.inner.log_dir.display()
        ))
    }

    /// Ends an agent's task and takes it off the list.
    pub(super) async fn dismiss(&self, id: &AgentId) -> Result<(), Failure> {
        // nobody finds it any more, while its pane is still held
        let post = {
            let mut posts = self.posts_mut();
            let place = posts.iter().position(|post| post.id() == id);
            place.map(|place| posts.remove(place))
        };
        let Some(post) = post else {
            return Err(self.no_such(id));
        };
        if let Some(handle) = post.handle() {
            // a task that has ended already is as good
            let _ = handle.quit().await;
        }
        Ok(())
    }

    /// Types the person's text into an agent's pane, and says what became of it.
    ///
    /// # Errors
    /// When there is no such agent, or the text was not delivered.
    pub async fn reply(&self, id: &AgentId, text: String) -> Result<String, Failure> {
        let not_delivered = |message: String| Failure::new(Kind::NotDelivered, message);
        let receipt = self.handle(id)?.reply(text).await.map_err(|_| {
            not_delivered(format!(
                "{id} was ended meanwhile: it is not known whether it took the text"
            ))
            .hint("look at its pane: the text may stand unsent in its prompt")
        })?;
        match receipt {
            Receipt::Delivered(_) => {
                // who was removed meanwhile got the text all the same
                if let Ok(state) = self.changing().await {
                    let _ = self.change(&state, id, "answered", |_| {}).await;
                }
                Ok(format!("delivered to {id}"))
            }
            Receipt::Refused { why } => {
                Err(not_delivered(format!("nothing was typed to {id}: {why}")))
            }
            Receipt::Observed => Err(not_delivered(format!(
                "nothing was typed to {id}: it is only observed"
            ))),
            Receipt::Unproven { why, left_over } => {
                let failure =
                    not_delivered(format!("it is not known whether {id} took the text: {why}"));
                Err(if left_over {
                    failure.hint("look at its pane: the text may stand unsent in its prompt")
                } else {
                    failure
                })
            }
        }
    }

    /// The newest `count` memos of an agent, the oldest first.
    ///
    /// # Errors
    /// When there is no such agent, or its log cannot be read.
    pub async fn memos(&self, id: &AgentId, count: usize) -> Result<ReadBack<Vec<Memo>>, Failure> {
        let (logs, session) = (
            self.with(id, |post| post.logs.clone())?,
            self.inner.session.clone(),
        );
        Ok(blocking(move || logs.newest_memos(&session, count)).await??)
    }

    /// Looks at one post.
    pub(super) fn with<T>(
        &self,
        id: &AgentId,
        look: impl FnOnce(&Post) -> T,
    ) -> Result<T, Failure> {
        let found = self.posts().iter().find(|post| post.id() == id).map(look);
        // the list is let go of by now: whoever holds it twice may wait for ever
        found.ok_or_else(|| self.no_such(id))
    }

    fn with_mut<T>(&self, id: &AgentId, change: impl FnOnce(&mut Post) -> T) -> Result<T, Failure> {
        let changed = self
            .posts_mut()
            .iter_mut()
            .find(|post| post.id() == id)
            .map(change);
        changed.ok_or_else(|| self.no_such(id))
    }

    pub(super) fn replace(&self, id: &AgentId, by: Post) {
        if let Some(post) = self.posts_mut().iter_mut().find(|post| post.id() == id) {
            *post = by;
        }
    }

    /// Changes one post, and writes it into the roster's log.
    pub(super) async fn change(
        &self,
        state: &State,
        id: &AgentId,
        why: &str,
        change: impl FnOnce(&mut Post),
    ) -> Result<(), Failure> {
        let entry = self.with_mut(id, |post| {
            change(post);
            Box::new(post.entry())
        })?;
        self.record(
            state,
            RosterChange::Entry {
                why: why.to_owned(),
                entry,
            },
        )
        .await;
        Ok(())
    }

    pub(super) fn handle(&self, id: &AgentId) -> Result<Handle, Failure> {
        let (handle, view) = self.with(id, |post| (post.handle(), post.view()))?;
        handle.ok_or_else(|| {
            let why = match &view.status {
                Status::Error(why) => why.clone(),
                other => other.to_string(),
            };
            Failure::new(Kind::Failed, format!("{id} is not watched"))
                .because_text(why)
                .hint(format!("`/start {id}` tries again"))
        })
    }

    /// Its task is over: because it was removed meanwhile, or by a bug.
    pub(super) fn has_ended(&self, id: &AgentId, error: Ended) -> Failure {
        match self.with(id, |_| ()) {
            Ok(()) => Failure::from_error(Kind::Bug, &error)
                .hint(format!("`/remove {id}` and add it again")),
            Err(gone) => gone,
        }
    }

    fn no_such(&self, id: &AgentId) -> Failure {
        let known: Vec<_> = self
            .posts()
            .iter()
            .map(|post| post.id().to_string())
            .collect();
        let hint = if known.is_empty() {
            "there are none yet; `/add ID PANE GOAL...` adds one".to_owned()
        } else {
            format!("there are: {}", known.join(", "))
        };
        Failure::usage(format!("there is no agent `{id}`")).hint(hint)
    }
}
