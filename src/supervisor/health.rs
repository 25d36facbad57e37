//! How the supervisor itself is: what it works with, and whether that answers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};

use super::{Supervisor, locked};
use crate::agent::view::AgentView;
use crate::error::Failure;
use crate::host::process;
use crate::ids::{AgentId, SessionId};
use crate::record::{Event, VERSION};

/// The supervisor as it is seen from outside, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The version of the form.
    pub v: u32,
    /// The version of the program.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Since when it runs.
    pub started_at: DateTime<Utc>,
    /// The configuration that it was started with, or loaded last.
    pub configuration: PathBuf,
    /// Where its logs are.
    pub log_dir: PathBuf,
    /// The name under which memos are kept.
    pub session: SessionId,
    /// Whether nothing is typed, to any agent.
    pub observe: bool,
    /// Whether the person stopped all typing, everywhere.
    pub all_stopped: bool,
    /// Whether zellij answers.
    pub zellij: Answers,
    /// The servers that are asked: who decides, who reviews. The built-in rules need none.
    pub backends: Vec<BackendHealth>,
    /// Decide calls today (UTC), over all agents.
    pub calls: u32,
    /// Tokens today (UTC), over all agents.
    pub tokens: u64,
    /// Agents whose question the person has put off, and until when.
    pub snoozed: BTreeMap<AgentId, DateTime<Utc>>,
}

/// Whether something outside answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answers {
    /// Since when it does not; `None` where it does, or has not been asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_since: Option<DateTime<Utc>>,
    /// What it said, or what happened, the last time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Answers {
    /// Whether it is known not to answer.
    pub const fn is_down(&self) -> bool {
        self.down_since.is_some()
    }
}

/// One server that is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendHealth {
    /// What it is asked for: `decide` or `review`.
    pub role: String,
    /// The wire format and the model: `openaiCompat gemma-3-12b`.
    pub name: String,
    /// Whether it answers.
    #[serde(flatten)]
    pub answers: Answers,
}

#[cfg(test)]
impl Health {
    /// All is well, and nothing has happened yet.
    pub(crate) fn made_up() -> Self {
        Self {
            v: VERSION,
            version: "0.1.0".into(),
            pid: 1,
            started_at: DateTime::UNIX_EPOCH,
            configuration: "config.json".into(),
            log_dir: "logs".into(),
            session: "default".parse().unwrap(),
            observe: false,
            all_stopped: false,
            zellij: Answers::default(),
            backends: Vec::new(),
            calls: 0,
            tokens: 0,
            snoozed: BTreeMap::new(),
        }
    }
}

impl Supervisor {
    /// The supervisor as it is now; read without asking an agent or the world.
    pub fn health(&self) -> Health {
        let inner = &self.inner;
        let views = self.views();
        let servers = inner.director.borrow().servers();
        let backends = servers.into_iter().map(|asked| {
            let down = inner.http.down(&asked.server);
            BackendHealth {
                role: asked.role.into(),
                name: asked.name,
                answers: down.map_or_else(Answers::default, |(since, why)| Answers {
                    down_since: Some(since),
                    why,
                }),
            }
        });
        Health {
            v: VERSION,
            version: env!("CARGO_PKG_VERSION").into(),
            pid: process::own(),
            started_at: inner.started_at,
            configuration: locked(&inner.path).clone(),
            log_dir: inner.log_dir.clone(),
            session: inner.session.clone(),
            // the configuration may say so too: then every agent shows it
            observe: inner.overrides.observe
                || (!views.is_empty() && views.iter().all(|view| view.observe)),
            all_stopped: *inner.all_stopped.borrow(),
            zellij: inner
                .zellij
                .down()
                .map_or_else(Answers::default, |(since, why)| Answers {
                    down_since: Some(since),
                    why,
                }),
            backends: backends.collect(),
            calls: views
                .iter()
                .map(|view| view.calls.used)
                .fold(0, u32::saturating_add),
            tokens: views
                .iter()
                .map(|view| view.tokens.used)
                .fold(0, u64::saturating_add),
            snoozed: self.snoozed(&views),
        }
    }

    /// Who is snoozed now: until then, and as long as the same question waits.
    fn snoozed(&self, views: &[std::sync::Arc<AgentView>]) -> BTreeMap<AgentId, DateTime<Utc>> {
        let now = Utc::now();
        let mut snoozed = locked(&self.inner.snoozed);
        snoozed.retain(|id, snooze| {
            let view = views.iter().find(|view| view.id == *id);
            let since = view
                .and_then(|view| view.question.as_ref())
                .map(|question| question.since);
            snooze.until > now && since == Some(snooze.question)
        });
        snoozed
            .iter()
            .map(|(id, snooze)| (id.clone(), snooze.until))
            .collect()
    }

    /// Puts an agent's open question off: it is not rung for until then.
    ///
    /// # Errors
    /// When there is no such agent, or it asks nothing.
    pub fn snooze(&self, id: &AgentId, minutes: u32) -> Result<String, Failure> {
        let view = self.with(id, super::Post::view)?;
        let Some(question) = &view.question else {
            return Err(Failure::usage(format!("{id} asks nothing")));
        };
        let until = Utc::now() + TimeDelta::minutes(minutes.into());
        let snooze = Snooze {
            until,
            question: question.since,
        };
        locked(&self.inner.snoozed).insert(id.clone(), snooze);
        self.inner.followers.changed();
        let at = until.with_timezone(&chrono::Local).format("%H:%M");
        Ok(format!(
            "{id} is not rung for until {at}, unless it asks something else"
        ))
    }

    /// Wakes whenever something that can be seen has changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.followers.changes()
    }

    /// What happens from now on; a reader that falls behind loses the oldest and is told how many.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.inner.followers.events()
    }
}

/// A question that the person put off.
#[derive(Debug)]
pub(super) struct Snooze {
    until: DateTime<Utc>,
    /// Since when the question waits: tells it from a later one.
    question: DateTime<Utc>,
}
