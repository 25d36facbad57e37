//! `meta-orchestrator stats`: numbers per agent and day.

use super::{Bounds, Logs, tell_unread};
use crate::command::past::{stats as words, stats_json};
use crate::command::when::Clock;
use crate::error::{Failure, Kind};
use crate::ids::{AgentId, SessionId};
use crate::record::logs::Kind as Log;
use crate::record::past::{Past, Wanted};
use crate::record::stats::{Counting, Stats};
use crate::ui::cli::past::StatsOptions;

/// Prints what is asked for.
pub fn run(
    logs: &Logs,
    options: &StatsOptions,
    clock: &Clock<'_>,
    columns: usize,
) -> Result<u8, Failure> {
    super::super::print(text(logs, options, clock, columns)?.as_bytes())?;
    Ok(0)
}

pub(super) fn text(
    logs: &Logs,
    options: &StatsOptions,
    clock: &Clock<'_>,
    columns: usize,
) -> Result<String, Failure> {
    let bounds = Bounds::new(&options.span, clock);
    let ids = if options.ids.is_empty() {
        logs.agents()?
    } else {
        for id in &options.ids {
            logs.check(id)?;
        }
        options.ids.clone()
    };
    let mut agents = Vec::with_capacity(ids.len());
    for id in ids {
        let stats = count(logs, &id, None, bounds, clock)?;
        if !stats.days.is_empty() {
            agents.push((id, stats));
        }
    }
    if options.json {
        let text = stats_json(&agents, clock);
        return text.map_err(|error| Failure::from_error(Kind::Bug, &error));
    }
    Ok(words(&agents, clock, columns))
}

/// The numbers of one agent, of one session where that is named.
pub(super) fn count(
    logs: &Logs,
    id: &AgentId,
    session: Option<&SessionId>,
    bounds: Bounds,
    clock: &Clock<'_>,
) -> Result<Stats, Failure> {
    let kinds = &[Log::Memos, Log::Decisions, Log::Reviews];
    let since = bounds.since;
    let mut past = Past::read(&logs.folder, id, Wanted { kinds, since })?;
    let mut counting = Counting::new(clock.zone, bounds.since, bounds.until);
    while let Some(record) = past.next_record()? {
        if session.is_none_or(|session| record.entry.session() == session) {
            counting.take(&record.entry);
        }
    }
    tell_unread(&past, id);
    Ok(counting.end(clock.now))
}
