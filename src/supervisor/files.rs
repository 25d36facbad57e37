//! Saving the configuration, and following another one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::post::{Assignment, Post};
use super::resume::acceptable;
use super::{State, Supervisor, absolute, blocking, director, lock};
use crate::config::{AgentConfig, Config};
use crate::error::{Failure, Kind};
use crate::evidence;
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
                Kind::Usage,
                format!("{} is no configuration", path.display()),
            )
            .because(&error)
            .hint(hint)
            .hint("the file was left as it is"))
        }
    }
}

impl Supervisor {
    /// Saves the configuration to `path`, or where it was read from. Says what became of it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn save(&self, path: Option<PathBuf>) -> Result<String, Failure> {
        let mut state = self.inner.state.lock().await;
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
        let as_read = state.document.take().filter(|_| is_own);
        let (target, read) = (path.to_path_buf(), as_read);
        let (saved, read) = blocking(move || {
            let saved = store::save_document(&target, &text, read.as_ref(), access);
            (saved, read)
        })
        .await?;
        if is_own {
            state.document = read;
        }
        match saved? {
            Saved::Replaced(document) | Saved::Unchanged(document) => {
                if is_own {
                    state.saved = state.config.clone();
                    state.document = Some(document);
                }
                Ok(format!("saved to {}", path.display()))
            }
            Saved::Beside { path: beside, why } => Ok(format!(
                "{} was left as it is, because {why}; saved to {} instead",
                path.display(),
                beside.display()
            )),
        }
    }

    /// Saves at the end, if something was changed here; says what became of it.
    pub(super) async fn save_if_changed(&self) -> Option<String> {
        let mut state = self.inner.state.lock().await;
        if state.config == state.saved {
            return None;
        }
        let path = state.path.clone();
        let saved = self.save_to(&mut state, &path).await;
        Some(saved.unwrap_or_else(|failure| format!("the configuration was not saved: {failure}")))
    }

    /// Reads another configuration, and makes the roster follow it: agents that are gone stop, new ones start,
    /// changed ones start anew, and the rest go on undisturbed.
    ///
    /// # Errors
    /// When it cannot be read, is none, or another supervisor has it. Nothing is changed then.
    pub async fn load(&self, path: &Path) -> Result<String, Failure> {
        let mut state = self.inner.state.lock().await;
        let (config, document) = read(path)?.ok_or_else(|| {
            Failure::new(Kind::Failed, format!("there is no file {}", path.display()))
        })?;
        let is_other = absolute(path) != absolute(&state.path);
        let lock = if is_other {
            Some(lock::configuration(path)?)
        } else {
            None
        };
        let director = Arc::new(director(&config, &self.inner.http)?);
        let mut said = Vec::new();
        if self.inner.overrides.log_dir.is_none() && config.log_dir != state.saved.log_dir {
            said.push(format!(
                "logs go on in {} until the next start",
                self.inner.log_dir.display()
            ));
        }
        let backends_changed = config.decide_backend != state.config.decide_backend
            || config.review_backend != state.config.review_backend;
        if backends_changed || config.review != state.config.review {
            self.inner.director.send_replace(director);
            said.push("the backends are changed".to_owned());
        }
        let before = std::mem::replace(&mut state.config, config.clone());
        state.saved = config;
        state.document = Some(document);
        state.path = path.to_path_buf();
        if let Some(lock) = lock {
            state.lock = lock;
        }
        self.reconcile(&mut state, &before, &mut said).await;
        Ok(if said.is_empty() {
            "nothing is changed".to_owned()
        } else {
            said.join("\n")
        })
    }

    async fn reconcile(&self, state: &mut State, before: &Config, said: &mut Vec<String>) {
        let wanted = state.config.agents.clone();
        let shared_changed = before.limits != state.config.limits
            || before.timing != state.config.timing
            || before.observe != state.config.observe;
        let standing: Vec<AgentConfig> =
            self.posts().iter().map(|post| post.agent.clone()).collect();
        for agent in &standing {
            let stays = wanted.iter().any(|other| other.id == agent.id);
            if !stays && self.dismiss(&agent.id).await.is_ok() {
                said.push(format!("{} is gone", agent.id));
            }
        }
        for agent in &wanted {
            let was = standing.iter().find(|other| other.id == agent.id);
            if was == Some(agent) {
                self.tell_settings(state, agent, shared_changed).await;
                continue;
            }
            let restarted = was.is_some();
            if restarted {
                let _ = self.dismiss(&agent.id).await;
            }
            let verb = if restarted { "starts anew" } else { "is new" };
            match self.employ(state, agent).await {
                Ok(()) => said.push(format!("{} {verb}", agent.id)),
                Err(failure) => said.push(format!(
                    "{} {verb}, but is not watched: {failure}",
                    agent.id
                )),
            }
        }
        self.posts_mut()
            .sort_by_key(|post| wanted.iter().position(|agent| agent.id == *post.id()));
        let agents = self.posts().iter().map(Post::entry).collect();
        self.record(
            state,
            RosterChange::Standing {
                agents,
                removed: Vec::new(),
            },
        )
        .await;
    }

    /// Bounds and the backend's name concern agents that go on undisturbed too.
    async fn tell_settings(&self, state: &State, agent: &AgentConfig, changed: bool) {
        let found = self.with(&agent.id, |post| (post.handle(), post.address.clone()));
        let Ok((Some(handle), address)) = found else {
            return;
        };
        let settings = self.settings(state, agent, &address);
        if changed || handle.view().status.to_string().starts_with("asking") {
            let _ = handle.set(settings).await;
        }
    }

    async fn employ(&self, state: &State, agent: &AgentConfig) -> Result<(), Failure> {
        let address = self.address(state, &agent.pane).await?;
        let facts = evidence::facts(
            &self.inner.zellij,
            &address,
            std::time::Duration::from_secs(1),
        )
        .await;
        let accepted = facts
            .ok()
            .and_then(|facts| acceptable(&facts, agent.allow_shell));
        let restored = self.restore(&agent.id, false, false).await?;
        let assignment = Assignment {
            agent: agent.clone(),
            address,
            accepted,
            stopped: false,
        };
        let post = self.post_or_say(state, assignment, restored).await;
        self.posts_mut().push(post);
        Ok(())
    }
}
