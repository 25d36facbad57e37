//! What zellij has: panes for `/panes`, candidates for `/adopt`, and who is in a pane that is to be supervised.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::asked::{Asked, Pending};
use super::{Supervisor, locked};
use crate::config::{AgentConfig, Config};
use crate::error::{Failure, Kind, in_full};
use crate::evidence::{self, Facts, Sameness, sameness};
use crate::ids::{AgentId, PaneAddress, PaneRef, SessionName};
use crate::record::Program;
use crate::zellij::{Foreground, Pane, Panes};

/// The programs that `/adopt` takes for coding agents, by the name of the program or of a script that it runs.
const AGENTS: [&str; 5] = ["claude", "codex", "opencode", "gemini", "aider"];

/// One pane, as `/panes` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaneRow {
    /// `session:terminal_18`.
    pub pane: String,
    /// Its title.
    pub title: String,
    /// What is in the foreground.
    pub command: String,
    /// Its folder.
    pub folder: String,
    /// The agent that has it, `this program`, or nobody.
    pub whose: String,
}

/// The panes of every session that answered, and what is wrong with the others.
type AllPanes = (Vec<(SessionName, Arc<Panes>)>, Vec<(SessionName, String)>);

/// A pane that `/adopt` would supervise.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub id: AgentId,
    pub address: PaneAddress,
    /// Who was there when the person was asked.
    pub program: Option<Program>,
    shown: String,
}

impl Supervisor {
    /// Every pane of every session. A session that does not answer has one row, which says so.
    ///
    /// # Errors
    /// When zellij does not say which sessions there are.
    pub async fn panes(&self) -> Result<Vec<PaneRow>, Failure> {
        let (listed, troubles) = self.all_panes().await?;
        let mut rows = Vec::new();
        for (session, panes) in &listed {
            for pane in panes.iter() {
                let address = PaneAddress {
                    session: session.clone(),
                    pane: pane.id,
                };
                let whose = self.whose(&address).await;
                rows.push(PaneRow {
                    pane: address.to_string(),
                    title: pane.title.clone(),
                    command: pane.command.clone().unwrap_or_default(),
                    folder: pane
                        .folder
                        .as_deref()
                        .map(|folder| folder.display().to_string())
                        .unwrap_or_default(),
                    whose,
                });
            }
        }
        for (session, trouble) in troubles {
            rows.push(PaneRow {
                pane: format!("{session}:?"),
                title: trouble,
                command: String::new(),
                folder: String::new(),
                whose: String::new(),
            });
        }
        let known = rows.iter().map(|row| row.pane.clone()).collect();
        *locked(&self.inner.known_panes) = known;
        self.inner.followers.changed();
        Ok(rows)
    }

    async fn all_panes(&self) -> Result<AllPanes, Failure> {
        let mut listed = Vec::new();
        let mut troubles = Vec::new();
        for session in self.inner.zellij.sessions().await? {
            match self
                .inner
                .zellij
                .panes(&session, Duration::from_secs(1))
                .await
            {
                Ok(panes) => listed.push((session, panes)),
                Err(error) => troubles.push((session, in_full(&error))),
            }
        }
        Ok((listed, troubles))
    }

    /// The agent that has a pane, `this program`, or nothing.
    async fn whose(&self, address: &PaneAddress) -> String {
        let agent = self
            .posts()
            .iter()
            .find(|post| post.address == *address)
            .map(|post| post.id().to_string());
        match agent {
            Some(agent) => agent,
            None if self.inner.zellij.is_own_pane(address).await => "this program".to_owned(),
            None => String::new(),
        }
    }

    /// Finds the panes in which a coding agent runs and that nobody supervises. They are supervised on a yes;
    /// `None`: there are none.
    ///
    /// # Errors
    /// When zellij does not say which sessions there are.
    pub async fn adopt(
        &self,
        pattern: Option<&str>,
        asked: &Asked,
    ) -> Result<Option<String>, Failure> {
        let (listed, _) = self.all_panes().await?;
        let mut candidates: Vec<Candidate> = Vec::new();
        for (session, panes) in &listed {
            for pane in panes.iter().filter(|pane| !pane.exited && !pane.held) {
                let address = PaneAddress {
                    session: session.clone(),
                    pane: pane.id,
                };
                if !self.whose(&address).await.is_empty() {
                    continue;
                }
                let foreground = self.inner.zellij.foreground(&address, pane).await;
                let Some(kind) = agent_in(pane, foreground.as_ref()) else {
                    continue;
                };
                let folder = pane
                    .folder
                    .as_deref()
                    .map(|folder| folder.display().to_string())
                    .unwrap_or_default();
                let shown = format!("{address}  {kind}  {folder}  {}", pane.title);
                let wanted = pattern
                    .is_none_or(|pattern| shown.to_lowercase().contains(&pattern.to_lowercase()));
                if wanted {
                    let id = self.new_id(kind, pane, &candidates);
                    let program = Facts::of(pane, foreground.as_ref()).program;
                    candidates.push(Candidate {
                        id,
                        address,
                        program,
                        shown,
                    });
                }
            }
        }
        if candidates.is_empty() {
            return Ok(None);
        }
        let shown: Vec<_> = candidates
            .iter()
            .map(|candidate| format!("  {}: {}", candidate.id, candidate.shown))
            .collect();
        asked.ask(Pending::Adopt(candidates));
        Ok(Some(format!(
            "Supervise these panes?\n{}",
            shown.join("\n")
        )))
    }

    /// A name that is free: that of the folder or of the program, with a number where it is taken.
    fn new_id(&self, kind: &str, pane: &Pane, candidates: &[Candidate]) -> AgentId {
        let folder = pane
            .folder
            .as_deref()
            .and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned());
        let stem: String = folder
            .unwrap_or_else(|| kind.to_owned())
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "._-".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .take(50)
            .collect();
        let stem = stem.trim_start_matches(['.', '_', '-']);
        let stem = if stem.is_empty() { kind } else { stem };
        let is_taken = |id: &AgentId| {
            self.posts().iter().any(|post| post.id() == id)
                || candidates.iter().any(|other| other.id == *id)
        };
        let mut number = 1;
        loop {
            let name = if number == 1 {
                stem.to_owned()
            } else {
                format!("{stem}-{number}")
            };
            match name.parse() {
                Ok(id) if !is_taken(&id) => return id,
                _ => number += 1,
            }
        }
    }

    /// The full address of a pane as a person named it.
    ///
    /// # Errors
    /// When no session is named and it is not clear which is meant.
    pub(super) async fn address(
        &self,
        config: &Config,
        pane: &PaneRef,
    ) -> Result<PaneAddress, Failure> {
        let session = match &pane.session {
            Some(session) => session.clone(),
            None => self.default_session(config).await?,
        };
        Ok(PaneAddress {
            session,
            pane: pane.pane,
        })
    }

    /// The session of panes that name none: from the command line, the configuration, the pane that this
    /// program runs in, or the only one there is.
    pub(super) async fn default_session(&self, config: &Config) -> Result<SessionName, Failure> {
        let named = self
            .inner
            .overrides
            .session
            .clone()
            .or_else(|| config.zellij_session.clone());
        if let Some(session) = named.or_else(|| self.inner.zellij.own_pane().map(|own| own.session))
        {
            return Ok(session);
        }
        let sessions = self.unless_ending(async { Ok(self.inner.zellij.sessions().await?) });
        let sessions = sessions.await?;
        match sessions.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Failure::new(Kind::Missing, "there is no zellij session")
                .hint("start one: `zellij`")),
            several => {
                let all: Vec<_> = several.iter().map(SessionName::as_str).collect();
                Err(Failure::usage(format!(
                    "it is not clear which zellij session is meant: {}",
                    all.join(", ")
                ))
                .hint("write `SESSION:PANE`, or start with `--zellij-session NAME`"))
            }
        }
    }

    /// Who is in a pane that is to be supervised.
    ///
    /// # Errors
    /// When the pane is not there, is the supervisor's own, or zellij does not answer.
    pub(super) async fn facts_of_new(&self, address: &PaneAddress) -> Result<Facts, Failure> {
        self.refuse_own(address).await?;
        self.unless_ending(async {
            Ok(evidence::facts(&self.inner.zellij, address, Duration::ZERO).await?)
        })
        .await
    }

    /// # Errors
    /// When this program runs in the pane.
    pub(super) async fn refuse_own(&self, address: &PaneAddress) -> Result<(), Failure> {
        if self.inner.zellij.is_own_pane(address).await {
            return Err(
                Failure::usage(format!("{address} is the pane that this program runs in"))
                    .hint("a supervisor never supervises itself"),
            );
        }
        Ok(())
    }

    /// The pane in which the program of `agent` is found again, by its folder and its command.
    pub(super) async fn find_again(
        &self,
        agent: &AgentConfig,
        accepted: &Program,
        was: &PaneAddress,
    ) -> Option<(PaneAddress, Facts)> {
        let panes = self
            .inner
            .zellij
            .panes(&was.session, Duration::from_secs(1))
            .await
            .ok()?;
        let mut found = Vec::new();
        for pane in panes.iter().filter(|pane| !pane.exited && !pane.held) {
            let address = PaneAddress {
                session: was.session.clone(),
                pane: pane.id,
            };
            if self.inner.zellij.is_own_pane(&address).await {
                continue;
            }
            let foreground = self.inner.zellij.foreground(&address, pane).await;
            let facts = Facts::of(pane, foreground.as_ref());
            if self.is_anothers(agent, &facts) {
                continue;
            }
            let is_it = facts
                .program
                .as_ref()
                .is_some_and(|program| evidence::looks_like(accepted, program));
            if is_it && !facts.shell {
                found.push((address, facts));
            }
        }
        // two that look alike cannot be told apart: the person must
        if found.len() == 1 { found.pop() } else { None }
    }

    /// Whether what is in front is known to be another agent's program. That its pane has the number of
    /// another agent's is not enough: after a restart of zellij neither may be where it was.
    fn is_anothers(&self, agent: &AgentConfig, facts: &Facts) -> bool {
        let Some(found) = &facts.program else {
            return false;
        };
        self.posts().iter().any(|post| {
            let accepted = post.accepted.as_ref();
            *post.id() != agent.id
                && accepted.is_some_and(|accepted| sameness(accepted, found) == Sameness::Same)
        })
    }
}

/// Which coding agent runs in a pane, if one does: Codex and Gemini run as scripts of another program.
fn agent_in(pane: &Pane, foreground: Option<&Foreground>) -> Option<&'static str> {
    let from_zellij = pane
        .command
        .as_deref()
        .unwrap_or_default()
        .split_whitespace()
        .take(3);
    let from_system = foreground.map(Foreground::program);
    let words: Vec<&str> = match from_system {
        Some(process) => std::iter::once(process.name.as_str())
            .chain(process.argv.iter().take(3).map(String::as_str))
            .collect(),
        None => from_zellij.collect(),
    };
    let names = words
        .iter()
        .filter_map(|word| Path::new(word).file_stem()?.to_str());
    let mut found = names.filter_map(|name| AGENTS.into_iter().find(|agent| *agent == name));
    found.next()
}
