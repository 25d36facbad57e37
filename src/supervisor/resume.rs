//! Beginning where an earlier run ended.

use std::time::Duration;

use chrono::Utc;

use super::post::{Assignment, Post};
use super::{Memory, State, Supervisor, absolute, blocking, lock};
use crate::agent::machine::Restored;
use crate::agent::view::Urgency;
use crate::config::AgentConfig;
use crate::director::prompt::MEMOS;
use crate::error::{Failure, in_full};
use crate::evidence::{self, Facts, Sameness, sameness};
use crate::ids::{AgentId, PaneAddress, SessionId};
use crate::record::logs::{self, AgentLogs, Roster, Written};
use crate::record::{Program, RosterEntry};
use crate::store::Document;

/// The session whose memory goes on by default.
const DEFAULT_SESSION: &str = "default";

/// The session under which memos are kept.
pub(super) fn session(memory: &Memory) -> Result<SessionId, Failure> {
    let name = match memory {
        Memory::Named(name) => return Ok(name.clone()),
        Memory::GoOn => DEFAULT_SESSION.to_owned(),
        Memory::Fresh => Utc::now().format("s-%Y%m%d-%H%M%S").to_string(),
    };
    name.parse()
        .map_err(|error| Failure::from_error(crate::error::Kind::Bug, &error))
}

impl Supervisor {
    /// Starts every agent of the configuration; with `resume` also those that were never saved, as they were.
    pub(super) async fn bring_back(&self, resume: bool, is_named: bool) -> Result<(), Failure> {
        let mut state = self.inner.state.lock().await;
        let mut entries = self.entries(&state, resume).await?;
        if self.inner.overrides.found {
            // beside such a file the roster's log may have come with it too
            for entry in &mut entries {
                let configured = state.config.agent(&entry.agent.id);
                entry.agent.allow_shell &= configured.is_some_and(|agent| agent.allow_shell);
            }
        }
        let accepted: Vec<(AgentId, Program)> = entries
            .iter()
            .filter_map(|entry| Some((entry.agent.id.clone(), entry.accepted.clone()?)))
            .collect();
        for entry in entries {
            let place = match entry.address.clone().filter(|_| resume) {
                Some(place) => place,
                None => self.address(&state.config, &entry.agent.pane).await?,
            };
            let id = entry.agent.id.clone();
            let twins = accepted.iter().filter(|(other, program)| {
                let own = entry.accepted.as_ref();
                *other != id && own.is_some_and(|own| evidence::looks_like(own, program))
            });
            let alike = twins.count() > 0;
            let allow_shell = state.agent_in_force(&entry.agent).allow_shell;
            let assignment = self
                .assignment(entry, place, resume, alike, allow_shell)
                .await;
            let restored = self.restore(&id, resume, is_named).await?;
            let post = self.post_or_say(&state, assignment, restored).await;
            self.posts_mut().push(post);
        }
        state.config.agents = self.posts().iter().map(|post| post.agent.clone()).collect();
        self.record_all(&state).await;
        Ok(())
    }

    /// Whom to supervise: the configuration's agents, and what the roster's log says beyond them.
    async fn entries(&self, state: &State, resume: bool) -> Result<Vec<RosterEntry>, Failure> {
        let configured = &state.config.agents;
        let as_configured = || configured.iter().cloned().map(RosterEntry::new).collect();
        if !resume {
            return Ok(as_configured());
        }
        let (folder, config) = (self.inner.log_dir.clone(), absolute(&state.path));
        let roster = match blocking(move || logs::roster(&folder, &config)).await? {
            Ok(roster) => roster,
            Err(error) => {
                let text = format!(
                    "what was never saved cannot be brought back: {}",
                    in_full(&error)
                );
                self.say(None, Urgency::Warning, text);
                return Ok(as_configured());
            }
        };
        self.say_skipped(None, roster.skipped);
        let now = digest(state.document.as_ref());
        let is_edited = roster.found.file.as_ref().is_some_and(|then| *then != now);
        if is_edited {
            let text = format!(
                "{} was edited since: what it says of an agent holds",
                state.path.display()
            );
            self.say(None, Urgency::Info, text);
        }
        Ok(merged(roster.found, configured, is_edited))
    }

    /// Who may be typed to: without a resume who is there now; after one whom the person accepted before, if
    /// it is still the same, was started again in its pane, or can be told by its folder and command. `alike`:
    /// whether another agent of the roster has the same folder and command, so that these tell nothing.
    async fn assignment(
        &self,
        entry: RosterEntry,
        place: PaneAddress,
        resume: bool,
        alike: bool,
        allow_shell: bool,
    ) -> Assignment {
        let sight = evidence::facts(&self.inner.zellij, &place, Duration::from_secs(1)).await;
        let here = sight.ok().and_then(|facts| acceptable(&facts, allow_shell));
        let mut assignment = Assignment {
            agent: entry.agent,
            address: place,
            accepted: here.clone(),
            stopped: entry.stopped,
            charge: None,
        };
        let Some(before) = entry.accepted.filter(|_| resume) else {
            return assignment;
        };
        let is_it = here.is_some_and(|here| match sameness(&before, &here) {
            Sameness::Same => true,
            Sameness::OtherProcess => evidence::looks_like(&before, &here),
            Sameness::OtherServer => false,
        });
        if is_it {
            return assignment;
        }
        let Assignment { agent, address, .. } = &assignment;
        let found = if alike {
            None
        } else {
            self.find_again(agent, &before, address).await
        };
        assignment.accepted = Some(before);
        if let Some((address, facts)) = found {
            let text = format!("was found again in {address} by its folder and command");
            self.say(Some(&assignment.agent.id), Urgency::Info, text);
            assignment.agent.pane.pane = address.pane;
            assignment.address = address;
            assignment.accepted = facts.program;
        }
        assignment
    }

    /// What an agent had in mind when an earlier run ended.
    pub(super) async fn restore(
        &self,
        id: &AgentId,
        resume: bool,
        is_named: bool,
    ) -> Result<Restored, Failure> {
        let (logs, session) = (self.logs_of(id), self.inner.session.clone());
        if is_named {
            self.begin_named(&logs, &session).await?;
        }
        let read = blocking(move || {
            let memos = logs.newest_memos(&session, MEMOS)?;
            let last = logs.last_decision()?;
            Ok::<_, crate::store::StoreError>((memos, last))
        });
        let (memos, last) = match read.await? {
            Ok(read) => read,
            Err(error) => {
                let text = format!("its memory cannot be read: {}", in_full(&error));
                self.say(Some(id), Urgency::Warning, text);
                return Ok(Restored::default());
            }
        };
        self.say_skipped(Some(id), memos.skipped + last.skipped);
        let mut counters = last.found.counters;
        match &counters.question {
            Some(question) if resume => {
                self.say(Some(id), Urgency::Person, question.text.clone());
            }
            _ => counters.question = None,
        }
        Ok(Restored {
            memos: memos.found,
            counters,
            interrupted: last.found.interrupted,
        })
    }

    /// A session with a new name begins with what the newest one remembers.
    async fn begin_named(&self, logs: &AgentLogs, session: &SessionId) -> Result<(), Failure> {
        let (reader, name) = (logs.clone(), session.clone());
        let copied = blocking(move || {
            let is_new = reader.newest_memos(&name, 1)?.found.is_empty();
            match reader.newest_session()? {
                Some(newest) if is_new => Ok(reader.newest_memos(&newest, MEMOS)?.found),
                _ => Ok::<_, crate::store::StoreError>(Vec::new()),
            }
        });
        for mut memo in copied.await?? {
            memo.session_id = session.clone();
            logs.append(Written::memo(&memo)).await?;
        }
        Ok(())
    }

    /// A post, or one that nobody watches and that says why.
    pub(super) async fn post_or_say(
        &self,
        state: &State,
        assignment: Assignment,
        restored: Restored,
    ) -> Post {
        match self.post(state, assignment.clone(), restored).await {
            Ok(post) => post,
            Err(failure) => {
                let text = format!("is not watched: {failure}");
                self.say(Some(&assignment.agent.id), Urgency::Person, text);
                self.unwatched(state, assignment, &failure.message)
            }
        }
    }

    fn say_skipped(&self, id: Option<&AgentId>, skipped: u64) {
        if skipped > 0 {
            let text = format!(
                "{skipped} lines of the logs could not be read; they were skipped, and stay in the file"
            );
            self.say(id, Urgency::Warning, text);
        }
    }
}

/// Tells one text of the configuration's file from another; empty where there is no file.
pub(super) fn digest(document: Option<&Document>) -> String {
    document.map_or_else(String::new, |document| {
        lock::hash(document.text().as_bytes())
    })
}

/// The roster of the last run, and whom the file names beside it. Where a person has edited the file since, what
/// it says of an agent holds: a save at the end would undo the edit otherwise.
fn merged(roster: Roster, configured: &[AgentConfig], is_edited: bool) -> Vec<RosterEntry> {
    let Roster {
        mut entries,
        removed,
        ..
    } = roster;
    let in_file = |id: &AgentId| configured.iter().find(|agent| agent.id == *id);
    if is_edited {
        entries.retain(|entry| !entry.in_file || in_file(&entry.agent.id).is_some());
        for entry in &mut entries {
            let Some(agent) = in_file(&entry.agent.id) else {
                continue;
            };
            if agent.pane != entry.agent.pane {
                entry.address = None;
            }
            entry.agent = agent.clone();
        }
    }
    for agent in configured {
        let is_known = entries.iter().any(|entry| entry.agent.id == agent.id);
        let stays_away = !is_edited && removed.contains(&agent.id);
        if !is_known && !stays_away {
            entries.push(RosterEntry::new(agent.clone()));
        }
    }
    entries
}

/// Who is in front, where that may be typed to at all.
pub(super) fn acceptable(facts: &Facts, allow_shell: bool) -> Option<Program> {
    let fit = !facts.ended && (!facts.shell || allow_shell);
    facts.program.clone().filter(|_| fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(id: &str, pane: &str, goal: &str) -> AgentConfig {
        AgentConfig::new(id.parse().unwrap(), pane.parse().unwrap(), goal)
    }

    fn entry(id: &str, goal: &str, in_file: bool) -> RosterEntry {
        RosterEntry {
            in_file,
            stopped: true,
            address: Some(PaneAddress {
                session: "work".parse().unwrap(),
                pane: "1".parse().unwrap(),
            }),
            ..RosterEntry::new(agent(id, "1", goal))
        }
    }

    #[test]
    fn an_edit_by_hand_holds_and_what_was_never_saved_comes_back() {
        let roster = Roster {
            entries: vec![
                entry("kept", "set since", true),
                entry("moved", "old", true),
                entry("dropped", "old", true),
                entry("added", "never saved", false),
            ],
            removed: vec!["removed".parse().unwrap()],
            file: None,
        };
        let file = [
            agent("kept", "1", "by hand"),
            agent("moved", "2", "old"),
            agent("removed", "3", ""),
            agent("new", "4", ""),
        ];
        let shown = |is_edited| -> Vec<String> {
            let entries = merged(roster.clone(), &file, is_edited);
            let words = entries.iter().map(|entry| {
                let agent = &entry.agent;
                let place = if entry.address.is_some() {
                    ""
                } else {
                    ", looked for"
                };
                format!("{}: {}{place}", agent.id, agent.goal)
            });
            words.collect()
        };
        let unedited = [
            "kept: set since",
            "moved: old",
            "dropped: old",
            "added: never saved",
            "new: , looked for",
        ];
        assert_eq!(shown(false), unedited);
        let edited = [
            "kept: by hand",
            "moved: old, looked for",
            "added: never saved",
            "removed: , looked for",
            "new: , looked for",
        ];
        assert_eq!(shown(true), edited);
    }
}
