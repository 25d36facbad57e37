//! Saving the configuration, and following another one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::post::{Assignment, Post};
use super::resume::acceptable;
use super::{State, Supervisor, absolute, blocking, director, lock, locked, profiles};
use crate::config::{AgentConfig, Config};
use crate::director::approval;
use crate::error::{self, Failure};
use crate::evidence;
use crate::ids::{AgentId, Kind, PaneAddress};
use crate::record::RosterChange;
use crate::store::{self, Access, Document, Saved};

/// The largest configuration that is read, in bytes.
pub const LARGEST: u64 = 4 * 1024 * 1024;

/// Reads a configuration; `None` where there is no such file.
///
/// # Errors
/// When it cannot be read, or is none: with path, line, what was expected and a hint.
pub fn read(path: &Path) -> Result<Option<(Config, Document)>, Failure> {
    let Some(document) = store::read_document(path, LARGEST)? else {
        return Ok(None);
    };
    match Config::parse(document.text()) {
        Ok(config) => Ok(Some((config, document))),
        Err(error) => {
            let hint = error.hint;
            Err(Failure::new(
                error::Kind::Usage,
                format!("{} is no configuration", path.display()),
            )
            .because(&error)
            .hint(hint)
            .hint("the file was left as it is"))
        }
    }
}

/// What a person is to see of a change, whoever made it: what decides by itself which keys are pressed.
fn guards_changed(before: &Config, now: &Config, profiles: &[Kind]) -> Vec<String> {
    let could = |id: &AgentId| before.agent(id).is_some_and(|agent| agent.allow_shell);
    let shells = now.agents.iter();
    let shells = shells.filter(|agent| agent.allow_shell && !could(&agent.id));
    let shells = shells.map(|agent| {
        let id = &agent.id;
        format!("{id} may be typed to while a shell is in front (`allowShell`)")
    });
    let profiles = profiles
        .iter()
        .map(|kind| format!("profiles: the screens of `{kind}` are read by another one"));
    let rules = approval::changes(&before.approval_rules(), &now.approval_rules());
    let rules = rules.iter().map(|line| format!("approvals: {line}"));
    shells.chain(profiles).chain(rules).collect()
}

impl Supervisor {
    /// Saves the configuration to `path`, or where it was read from. Says what became of it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn save(&self, path: Option<PathBuf>) -> Result<String, Failure> {
        let mut state = self.changing().await?;
        let path = path.unwrap_or_else(|| state.path.clone());
        self.save_to(&mut state, &path).await
    }

    async fn save_to(&self, state: &mut State, path: &Path) -> Result<String, Failure> {
        let text = state.config.to_text();
        let access = if state.config.holds_key() {
            Access::OwnerOnly
        } else {
            Access::AsUsual
        };
        let is_own = absolute(path) == absolute(&state.path);
        // one file, however it was named this time
        let path = if is_own { &state.path } else { path };
        let as_read = if is_own {
            state.document.clone()
        } else {
            state.copies.get(path).cloned()
        };
        let target = path.to_path_buf();
        let saved =
            blocking(move || store::save_document(&target, &text, as_read.as_ref(), access));
        match saved.await?? {
            Saved::Replaced(document) | Saved::Unchanged(document) => {
                let said = format!("saved to {}", path.display());
                if is_own {
                    state.saved = state.config.clone();
                    state.document = Some(document);
                    self.keep_trust(state).await;
                    self.record_all(state).await;
                } else {
                    state.copies.insert(path.to_path_buf(), document);
                }
                Ok(said)
            }
            Saved::Beside { path: beside, why } => Ok(format!(
                "{} was left as it is, because {why}; saved to {} instead",
                path.display(),
                beside.display()
            )),
        }
    }

    /// Saves at the end, if something was changed here; says what became of it.
    pub(super) async fn save_if_changed(&self, state: &mut State) -> Option<String> {
        if state.config == state.saved {
            return None;
        }
        let path = state.path.clone();
        let saved = self.save_to(state, &path).await;
        Some(saved.unwrap_or_else(|failure| format!("the configuration was not saved: {failure}")))
    }

    /// Reads another configuration, and makes the roster follow it: agents that are gone stop, new ones start,
    /// changed ones start anew, and the rest go on undisturbed.
    ///
    /// # Errors
    /// When it cannot be read, is none, another supervisor has it, or it is not clear which session its panes
    /// are in. Nothing is changed then.
    pub async fn load(&self, path: &Path) -> Result<String, Failure> {
        let mut state = self.changing().await?;
        let (config, document) = read(path)?.ok_or_else(|| {
            Failure::new(
                error::Kind::Failed,
                format!("there is no file {}", path.display()),
            )
        })?;
        let is_other = absolute(path) != absolute(&state.path);
        let lock = if is_other {
            Some(lock::configuration(path)?)
        } else {
            None
        };
        let director = Arc::new(director(&config, &self.inner.http)?);
        // the person names the file: all of it is their word
        let texts = profiles::named(&config, path)?;
        let profiles = profiles::of_texts(self.inner.overrides.profiles.as_deref(), &texts)?;
        let mut wanted = Vec::new();
        for agent in &config.agents {
            let address = self.address(&config, &agent.pane).await?;
            wanted.push((agent.clone(), address));
        }
        let before = state.in_force().into_owned();
        let mut said = self.only_at_a_start(&before, &config);
        let backends_changed = config.decide_backend != before.decide_backend
            || config.review_backend != before.review_backend
            || config.plan_backend != before.plan_backend;
        if backends_changed || config.review != before.review {
            self.inner.director.send_replace(director);
            said.push("the backends are changed".to_owned());
        }
        let profiles = Arc::new(profiles);
        let others = self.inner.profiles.send_replace(Arc::clone(&profiles));
        said.extend(guards_changed(&before, &config, &others.changed(&profiles)));
        if config.notify != before.notify {
            self.inner
                .notify
                .send_replace(Arc::new(config.notify.clone()));
            said.push("how you are told is changed".to_owned());
        }
        let shared_changed = backends_changed
            || config.approval_rules() != before.approval_rules()
            || config.limits != before.limits
            || config.timing != before.timing
            || config.observe != before.observe
            || state.held.is_some();
        state.held = None;
        state.texts = texts;
        state.config = config.clone();
        state.saved = config;
        state.document = Some(document);
        state.path = path.to_path_buf();
        *locked(&self.inner.path) = path.to_path_buf();
        if let Some(lock) = lock {
            state.lock = lock;
        }
        self.reconcile(&state, wanted, shared_changed, &mut said)
            .await;
        Ok(if said.is_empty() {
            "nothing is changed".to_owned()
        } else {
            said.join("\n")
        })
    }

    /// What of another configuration only the next start follows.
    pub(super) fn only_at_a_start(&self, before: &Config, now: &Config) -> Vec<String> {
        let mut said = Vec::new();
        if self.inner.overrides.log_dir.is_none() && now.log_dir != self.inner.log_dir {
            said.push(format!(
                "logs go on in {} until the next start",
                self.inner.log_dir.display()
            ));
        }
        let changed = [
            (before.logs != now.logs, "logs"),
            (
                before.limits.calls_at_once != now.limits.calls_at_once,
                "limits.callsAtOnce",
            ),
            (
                before.timing.zellij_timeout_sec != now.timing.zellij_timeout_sec,
                "timing.zellijTimeoutSec",
            ),
        ];
        let changed = changed.into_iter().filter(|(is_changed, _)| *is_changed);
        said.extend(changed.map(|(_, field)| format!("`{field}` holds from the next start on")));
        said
    }

    async fn reconcile(
        &self,
        state: &State,
        wanted: Vec<(AgentConfig, PaneAddress)>,
        shared_changed: bool,
        said: &mut Vec<String>,
    ) {
        let standing: Vec<_> = self
            .posts()
            .iter()
            .filter(|post| !post.is_worker())
            .map(|post| (post.agent.clone(), post.address.clone()))
            .collect();
        let stays = |one: &(AgentConfig, PaneAddress)| wanted.contains(one);
        let order: Vec<_> = wanted.iter().map(|(agent, _)| agent.id.clone()).collect();
        // all who leave their pane do so before anybody takes one: two agents may change places
        for (agent, _) in standing.iter().filter(|one| !stays(one)) {
            if self.dismiss(&agent.id).await.is_ok() && !order.contains(&agent.id) {
                said.push(format!("{} is gone", agent.id));
            }
        }
        let workers: Vec<_> = self
            .posts()
            .iter()
            .filter(|post| post.is_worker())
            .map(|post| post.agent.clone())
            .collect();
        for (agent, address) in wanted {
            if workers.iter().any(|worker| worker.id == agent.id) {
                said.push(format!(
                    "{} is a worker of a mission: the agent of this name is not watched",
                    agent.id
                ));
                continue;
            }
            if self.with(&agent.id, |_| ()).is_ok() {
                if shared_changed {
                    self.tell_settings(state, &agent).await;
                }
                continue;
            }
            let id = agent.id.clone();
            let was_there = standing.iter().any(|(other, _)| other.id == id);
            let verb = if was_there { "starts anew" } else { "is new" };
            said.push(match self.employ(state, agent, address).await {
                Ok(()) => format!("{id} {verb}"),
                Err(why) => format!("{id} {verb}, but is not watched: {why}"),
            });
        }
        for worker in workers.into_iter().filter(|_| shared_changed) {
            self.tell_settings(state, &worker).await;
        }
        // workers come after the configuration's own
        self.posts_mut().sort_by_key(|post| {
            let place = order.iter().position(|id| id == post.id());
            (post.is_worker(), place)
        });
        self.record_all(state).await;
    }

    /// Writes down the roster as it stands.
    pub(super) async fn record_all(&self, state: &State) {
        let agents: Vec<_> = self
            .posts()
            .iter()
            .filter(|post| !post.is_worker())
            .map(Post::entry)
            .collect();
        let is_gone = |id: &AgentId| agents.iter().all(|entry| entry.agent.id != *id);
        let in_file = state.saved.agents.iter().map(|agent| agent.id.clone());
        let removed = in_file.filter(is_gone).collect();
        let change = RosterChange::Standing { agents, removed };
        self.record(state, change).await;
    }

    /// Bounds and the backend's name concern agents that go on undisturbed too.
    pub(super) async fn tell_settings(&self, state: &State, agent: &AgentConfig) {
        let found = self.with(&agent.id, |post| {
            (post.handle(), post.address.clone(), post.charge.clone())
        });
        if let Ok((Some(handle), address, charge)) = found {
            let settings = self.settings(state, agent, &address, charge);
            let _ = handle.set(settings).await;
        }
    }

    /// Takes an agent in, watched or with the reason why not.
    async fn employ(
        &self,
        state: &State,
        agent: AgentConfig,
        address: PaneAddress,
    ) -> Result<(), String> {
        let facts = self.unless_ending(async {
            let fresh_within = std::time::Duration::from_secs(1);
            Ok(evidence::facts(&self.inner.zellij, &address, fresh_within).await?)
        });
        let accepted = facts
            .await
            .ok()
            .and_then(|facts| acceptable(&facts, state.agent_in_force(&agent).allow_shell));
        let restored = self.restore(&agent.id, false, false).await;
        let assignment = Assignment {
            agent,
            address,
            accepted,
            stopped: false,
            charge: None,
        };
        let post = match restored {
            Ok(restored) => self.post(state, assignment.clone(), restored).await,
            Err(failure) => Err(failure),
        };
        let (post, came) = match post {
            Ok(post) => (post, Ok(())),
            Err(failure) => {
                let why = failure.message;
                (self.unwatched(state, assignment, &why), Err(why))
            }
        };
        self.posts_mut().push(post);
        came
    }
}
