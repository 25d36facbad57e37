//! `meta-orchestrator digest`: what happened to all agents.

use chrono::{DateTime, Utc};

use super::{Logs, clock, tell, tell_unread};
use crate::command::digest::{body, head, json, page};
use crate::command::text::harmless;
use crate::command::when::Clock;
use crate::config::Config;
use crate::director::{Digested, Director};
use crate::error::{Failure, Kind, in_full};
use crate::http::Http;
use crate::ids::AgentId;
use crate::record::RosterEntry;
use crate::record::digest::{Beside, Digesting, Facts};
use crate::record::logs::Kind as Log;
use crate::record::past::{Past, Wanted};
use crate::supervisor;
use crate::ui::cli::Options;
use crate::ui::cli::past::DigestOptions;
use crate::ui::found;
use crate::ui::places::ConfigPlace;

/// Prints the page.
///
/// # Errors
/// When there are no logs, or they cannot be read.
pub async fn run(
    options: &Options,
    wanted: &DigestOptions,
    place: &ConfigPlace,
) -> Result<u8, Failure> {
    let clock = clock();
    let logs = Logs::find(options, place)?;
    let since = wanted.since.moment(&clock);
    let facts = facts(&logs, since, &clock)?;
    let text = if wanted.json {
        let text = json(&facts, Some(since), &clock);
        text.map_err(|error| Failure::from_error(Kind::Bug, &error))?
    } else if wanted.model {
        tell(Some(
            "the review backend is asked; this takes a while\n".to_owned(),
        ));
        let config = found::in_force(logs.config.clone().unwrap_or_default(), place)?;
        let written = written(&config, &body(&facts, &clock)).await;
        by_model(&facts, since, &clock, written)
    } else {
        page(&facts, Some(since), &clock)
    };
    super::super::print(text.as_bytes())?;
    Ok(0)
}

/// What the review backend makes of the tables.
async fn written(config: &Config, facts: &str) -> Result<Digested, String> {
    let http = Http::new(config.limits.calls_at_once);
    let director: Director =
        supervisor::director(config, &http).map_err(|failure| failure.to_string())?;
    let written = director.digest(facts).await;
    written.map_err(|error| in_full(&error))
}

/// The page as a model wrote it; the tables, and why, where it did not.
pub(super) fn by_model(
    facts: &[Facts],
    since: DateTime<Utc>,
    clock: &Clock<'_>,
    written: Result<Digested, String>,
) -> String {
    let head = head(facts, Some(since), clock);
    match written {
        Ok(Digested { text, by, tokens }) => format!(
            "{head}\nWritten by {} ({tokens} tokens) from the tables of `digest` without `--model`.\n\n{}\n",
            harmless(&by),
            harmless(text.trim())
        ),
        Err(why) => format!(
            "{head}\nThese are the plain tables, because the review backend did not write the page: {}\n{}",
            crate::command::markdown::inline(&why),
            body(facts, clock)
        ),
    }
}

/// The facts about every agent that has logs, or is configured.
pub(super) fn facts(
    logs: &Logs,
    since: DateTime<Utc>,
    clock: &Clock<'_>,
) -> Result<Vec<Facts>, Failure> {
    let roster = logs.roster();
    let mut all = Vec::new();
    for id in logs.agents()? {
        let facts = facts_of(logs, &id, since, clock, &roster)?;
        // one that nobody supervises any more
        let is_past = facts.last.is_none() && !logs.is_configured(&id);
        if !is_past {
            all.push(facts);
        }
    }
    Ok(all)
}

fn facts_of(
    logs: &Logs,
    id: &AgentId,
    since: DateTime<Utc>,
    clock: &Clock<'_>,
    roster: &[RosterEntry],
) -> Result<Facts, Failure> {
    let kinds = &[Log::Memos, Log::Decisions, Log::Reviews];
    let since = Some(since);
    let mut past = Past::read(&logs.folder, id, Wanted { kinds, since })?;
    let mut digesting = Digesting::new(clock.zone, since);
    while let Some(record) = past.next_record()? {
        digesting.take(&record.entry);
    }
    tell_unread(&past, id);
    let entry = roster.iter().find(|entry| entry.agent.id == *id);
    let limits = logs.config.as_ref().map(|config| &config.limits);
    let beside = Beside {
        goal: logs.goal(id, roster).filter(|goal| !goal.trim().is_empty()),
        stopped: entry.is_some_and(|entry| entry.stopped),
        bounds: limits.map(|limits| (limits.calls_per_day, limits.tokens_per_day)),
    };
    Ok(digesting.end(id.clone(), beside, clock.now))
}
