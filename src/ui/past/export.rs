//! `meta-orchestrator export`: the story of a session.

use std::io::Write;

use super::out::{Stop, ended, stdout};
use super::{Bounds, Logs, stats};
use crate::command::export::{chapter, head};
use crate::command::when::Clock;
use crate::error::Failure;
use crate::record::logs::Kind;
use crate::record::past::{Past, Wanted, newest_session};
use crate::record::story::Telling;
use crate::store::NewFile;
use crate::ui::cli::past::ExportOptions;

/// Writes what is asked for.
pub fn run(logs: &Logs, options: &ExportOptions, clock: &Clock<'_>) -> Result<u8, Failure> {
    logs.check(&options.id)?;
    let Some(path) = &options.output else {
        return ended(write(logs, options, clock, &mut stdout()));
    };
    let cannot = |failure: Failure| {
        let is_there = path.symlink_metadata().is_ok();
        let hint = "it is left as it is; name a file that is not there yet";
        if is_there {
            failure.hint(hint)
        } else {
            failure
        }
    };
    let mut file = NewFile::begin(path).map_err(|error| cannot(error.into()))?;
    ended(write(logs, options, clock, &mut file))?;
    file.finish().map_err(|error| cannot(error.into()))?;
    Ok(0)
}

pub(super) fn write(
    logs: &Logs,
    options: &ExportOptions,
    clock: &Clock<'_>,
    out: &mut impl Write,
) -> Result<(), Stop> {
    let id = &options.id;
    let session = match &options.session_id {
        Some(session) => Some(session.clone()),
        None => newest_session(&logs.folder, id)?,
    };
    let Some(session) = session else {
        return Err(Failure::usage(format!("nothing is on record of {id} yet")).into());
    };
    let bounds = Bounds::new(&options.span, clock);
    let stats = stats::count(logs, id, Some(&session), bounds, clock)?;
    if stats.span.is_none() {
        let text = format!("nothing is on record of the session `{session}` of {id} in that time");
        return Err(Failure::usage(text).into());
    }
    let goal = logs.goal(id, &logs.roster());
    let page = head(id, &session, goal.as_deref(), &stats, clock);
    out.write_all(page.as_bytes())?;
    let kinds = &[Kind::Memos, Kind::Decisions, Kind::Reviews];
    let since = bounds.since;
    let mut past = Past::read(&logs.folder, id, Wanted { kinds, since })?;
    let mut telling = Telling::default();
    while let Some(record) = past.next_record()? {
        if *record.entry.session() == session && bounds.holds(record.entry.ts()) {
            telling.push(record);
        }
        while let Some(ripe) = telling.pop_ripe() {
            let text = chapter(&ripe, clock).unwrap_or_default();
            out.write_all(text.as_bytes())?;
        }
    }
    while let Some(ripe) = telling.pop() {
        let text = chapter(&ripe, clock).unwrap_or_default();
        out.write_all(text.as_bytes())?;
    }
    // lines that were none were told of when they were counted
    Ok(out.flush()?)
}
