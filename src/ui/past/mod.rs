//! The tasks that read logs, and need no running instance: `log`, `stats`, `export`, `digest`.
//!
//! They find the logs, read them a record at a time, and print; what is counted and told is computed in
//! [`record`](crate::record) and put into words in [`command`](crate::command). Called by `main`.

pub mod digest;
mod export;
mod log;
mod out;
mod stats;

use std::io::IsTerminal;
use std::path::PathBuf;

use chrono::{DateTime, FixedOffset, Local, Offset, TimeZone, Utc};

use super::cli::past::Span;
use super::cli::{Options, Task};
use super::found;
use super::places::ConfigPlace;
use crate::command::nearest::nearest;
use crate::command::reply::Frame;
use crate::command::when::Clock;
use crate::config::Config;
use crate::error::{Failure, Kind};
use crate::ids::AgentId;
use crate::record::RosterEntry;
use crate::record::past::{self, Past};
use crate::supervisor;

/// Where logs are, and what is known beside them.
#[derive(Debug)]
pub struct Logs {
    folder: PathBuf,
    /// Where that folder is named.
    named_by: String,
    config: Option<Config>,
}

/// The time from which on records count, and the one up to which.
#[derive(Debug, Clone, Copy, Default)]
struct Bounds {
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

impl Bounds {
    fn new(span: &Span, clock: &Clock<'_>) -> Self {
        Self {
            since: span.since.map(|when| when.moment(clock)),
            until: span.until.map(|when| when.moment(clock)),
        }
    }

    fn holds(&self, ts: DateTime<Utc>) -> bool {
        self.since.is_none_or(|since| ts >= since) && self.until.is_none_or(|until| ts < until)
    }
}

/// The offset of this machine's clocks.
fn local_offset(at: DateTime<Utc>) -> FixedOffset {
    Local.offset_from_utc_datetime(&at.naive_utc()).fix()
}

fn clock() -> Clock<'static> {
    Clock {
        now: Utc::now(),
        zone: &local_offset,
    }
}

/// The columns of stdout's terminal; no end where it is none.
pub(super) fn columns() -> usize {
    if std::io::stdout().is_terminal() {
        super::repl::columns()
    } else {
        usize::MAX
    }
}

fn frame(clock: &Clock<'_>, columns: usize) -> Frame {
    Frame {
        columns,
        now: clock.local(clock.now),
    }
}

/// Carries out `log`, `stats` and `export`; `None` for every other task.
///
/// # Errors
/// When there are no such logs, or they cannot be read, or what is asked for cannot be written.
pub fn run(options: &Options, place: &ConfigPlace) -> Option<Result<u8, Failure>> {
    let clock = clock();
    let logs = || Logs::find(options, place);
    Some(match &options.task {
        Task::Log(wanted) => logs().and_then(|logs| log::run(&logs, wanted, &clock, columns())),
        Task::Stats(wanted) => logs().and_then(|logs| stats::run(&logs, wanted, &clock, columns())),
        Task::Export(wanted) => logs().and_then(|logs| export::run(&logs, wanted, &clock)),
        _ => return None,
    })
}

impl Logs {
    /// The logs that the command line and the configuration at `place` name.
    ///
    /// # Errors
    /// When the configuration is wrong, and the command line does not say where the logs are.
    pub fn find(options: &Options, place: &ConfigPlace) -> Result<Self, Failure> {
        let read = supervisor::read_configuration(&place.path);
        let read = match (&options.log_dir, read) {
            (_, Ok(read)) => read.map(|(config, _)| config),
            (Some(_), Err(_)) => None,
            (None, Err(failure)) => {
                return Err(failure.hint("with --log-dir DIR logs are read without it"));
            }
        };
        let path = place.path.display();
        let (folder, named_by) = match (&options.log_dir, &read) {
            (Some(folder), _) => (folder.clone(), "--log-dir names it".to_owned()),
            (None, Some(read)) => {
                // where a run of it writes them
                let folder = found::in_force(read.clone(), place)?.log_dir;
                (folder, format!("by the configuration {path}"))
            }
            (None, None) => (
                Config::default().log_dir,
                format!("the default; there is no configuration {path}"),
            ),
        };
        Ok(Self {
            folder,
            named_by,
            config: read,
        })
    }

    /// The agents that have logs.
    fn agents(&self) -> Result<Vec<AgentId>, Failure> {
        let found = past::agents(&self.folder)?.unwrap_or_default();
        if found.is_empty() {
            let folder = self.folder.display();
            return Err(
                Failure::new(Kind::Missing, format!("there are no logs in {folder}"))
                    .because_text(format!("that folder is looked in ({})", self.named_by))
                    .hint(
                        "name another with --log-dir DIR, or its configuration with --config PATH",
                    ),
            );
        }
        Ok(found)
    }

    /// Whether `id` is one of the agents that have logs, or is configured and has none yet.
    fn check(&self, id: &AgentId) -> Result<(), Failure> {
        let configured = self.config.iter().flat_map(|config| &config.agents);
        let mut configured = configured.map(|agent| &agent.id);
        if configured.any(|known| known == id) {
            return Ok(());
        }
        let known = self.agents()?;
        if known.contains(id) {
            return Ok(());
        }
        let folder = self.folder.display();
        let failure = Failure::usage(format!("there are no logs of `{id}` in {folder}"));
        Err(
            match nearest(id.as_str(), known.iter().map(AgentId::as_str)) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint(format!("there are logs of: {}", some_of(&known))),
            },
        )
    }

    /// What the roster said last of each agent; nothing where it cannot be read.
    fn roster(&self) -> Vec<RosterEntry> {
        past::last_entries(&self.folder).unwrap_or_default()
    }

    /// The goal of an agent: as it was last set, or else as it is configured.
    fn goal(&self, id: &AgentId, roster: &[RosterEntry]) -> Option<String> {
        let agents = roster.iter().map(|entry| &entry.agent);
        let configured = self.config.iter().flat_map(|config| &config.agents);
        let mut agents = agents.chain(configured).filter(|agent| agent.id == *id);
        agents.next().map(|agent| agent.goal.clone())
    }

    fn is_configured(&self, id: &AgentId) -> bool {
        self.config
            .as_ref()
            .is_some_and(|config| config.agent(id).is_some())
    }
}

/// The first of them in a line.
fn some_of(ids: &[AgentId]) -> String {
    const MOST: usize = 12;
    let mut names: Vec<&str> = ids.iter().take(MOST).map(AgentId::as_str).collect();
    if ids.len() > MOST {
        names.push("...");
    }
    names.join(", ")
}

/// Says on stderr which lines were no records.
fn tell_unread(past: &Past, id: &AgentId) {
    tell(crate::command::past::unread(past.unread(), id));
}

/// Says something on stderr, beside what is printed.
fn tell(text: Option<String>) {
    use std::io::Write;
    if let Some(text) = text {
        let text = crate::command::text::harmless(&text).into_owned();
        // where stderr is gone too, nobody is left to be told
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}

#[cfg(test)]
mod tests;
