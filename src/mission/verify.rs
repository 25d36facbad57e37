//! Runs exit criteria that are commands, and makes their receipts.
//!
//! A criterion runs as a stranger would run it: in its folder of the tree, with nothing to read, in an environment
//! without keys and without git's variables, under a deadline, with bounded output; and it leaves no process
//! behind (as far as [`Host::run_alone`] can find it). What it says is kept as its end alone, made safe to show. The coordinator calls it, and nothing here
//! decides what a receipt means, changes the tree, or asks a model.

mod environment;
mod output;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::Utc;
use regex::Regex;

use super::plan::{Criterion, RunLine, TaskPath};
use super::receipt::{Outcome, Receipt, Tree};
use crate::config::Seconds;
use crate::error::in_full;
use crate::host::{Call, Ended, Host, Output};
use crate::ids::TaskId;
use crate::record::VERSION;

/// How long a criterion may take where it does not say.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);
/// How much a command may write to each of its outputs before it is killed, in bytes.
const MAX_OUTPUT: usize = 8 * 1024 * 1024;

/// One run of one criterion: what its receipt says of it, and where it runs.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// The task.
    pub task: &'a TaskId,
    /// The attempt, from 1; 0 before any work.
    pub attempt: u32,
    /// On which tree.
    pub on: Tree,
    /// The criterion's place in the task, from 0.
    pub place: usize,
    /// The criterion.
    pub criterion: &'a Criterion,
    /// The root of the tree.
    pub folder: &'a Path,
    /// The commit that is checked out there.
    pub commit: Option<String>,
    /// Files that were put back as the base has them for this run.
    pub undone: Vec<String>,
}

/// Runs a criterion that is a command, and tells what came of it.
///
/// It never fails: that a command cannot be run is an outcome, and so is that a criterion is a review
/// (`NotReviewed`). Dropping the future kills what runs.
pub async fn run(run: Run<'_>) -> Receipt {
    let (criterion, begun) = (run.criterion, Instant::now());
    let (folder, outcome, tail) = match folder_of(run.folder, criterion.folder.as_ref()) {
        Err(why) => (
            run.folder.to_owned(),
            Outcome::NotRun { why },
            String::new(),
        ),
        Ok(folder) => {
            let (outcome, tail) = judge(criterion, &folder).await;
            (folder, outcome, tail)
        }
    };
    Receipt {
        v: VERSION,
        ts: Utc::now(),
        task: run.task.clone(),
        attempt: run.attempt,
        on: run.on,
        criterion: run.place,
        what: criterion.words().to_owned(),
        folder,
        commit: run.commit,
        outcome,
        took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        tail,
        undone: run.undone,
    }
}

/// The folder of the tree in which a criterion runs, or why it cannot: a link in it may lead anywhere.
fn folder_of(root: &Path, folder: Option<&TaskPath>) -> Result<PathBuf, String> {
    let Some(folder) = folder else {
        return Ok(root.to_owned());
    };
    let within = root.join(folder.as_str());
    let gone = |error: std::io::Error| format!("its folder `{folder}`: {error}");
    let real = within.canonicalize().map_err(gone)?;
    if !real.starts_with(root.canonicalize().map_err(gone)?) {
        return Err(format!("its folder `{folder}` leads out of the tree"));
    }
    if !real.is_dir() {
        return Err(format!("its folder `{folder}` is none"));
    }
    Ok(within)
}

/// What comes of a criterion in its folder, and the end of what it says.
async fn judge(criterion: &Criterion, folder: &Path) -> (Outcome, String) {
    let Some(line) = &criterion.run else {
        let why = "it is a review, and no command".to_owned();
        return (Outcome::NotReviewed { why }, String::new());
    };
    let Ok(pattern) = criterion.output.as_deref().map(Regex::new).transpose() else {
        return not_run("its `output` is no regular expression");
    };
    let timeout = criterion
        .timeout_sec
        .map_or(DEFAULT_TIMEOUT, Seconds::duration);
    let ended = match execute(line, folder, timeout).await {
        Ok(ended) => ended,
        Err(why) => return not_run(why),
    };
    let wanted = i32::from(criterion.exit_code.unwrap_or(0));
    // a megabyte of output and a pattern that backs up are work for a thread of its own
    let judged = tokio::task::spawn_blocking(move || {
        let Output { stdout, stderr, .. } = &ended.output;
        let tail = output::tail(stdout, stderr);
        let outcome = match how(&ended, timeout, wanted) {
            Outcome::Passed if pattern.is_some_and(|it| !output::matches(&it, stdout, stderr)) => {
                Outcome::WrongOutput
            }
            outcome => outcome,
        };
        (outcome, tail)
    });
    judged
        .await
        .unwrap_or_else(|error| not_run(error.to_string()))
}

fn not_run(why: impl Into<String>) -> (Outcome, String) {
    (Outcome::NotRun { why: why.into() }, String::new())
}

/// How a command ended that should have ended with the exit code `wanted`.
fn how(ended: &Ended, timeout: Duration, wanted: i32) -> Outcome {
    let Output {
        code, signal, cut, ..
    } = ended.output;
    if ended.timed_out {
        let after_sec = timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0);
        return Outcome::TimedOut { after_sec };
    }
    if cut {
        return Outcome::TooMuchOutput;
    }
    match (code, signal) {
        (Some(code), _) if code == wanted => Outcome::Passed,
        (Some(code), _) => Outcome::WrongCode { code },
        (None, Some(signal)) => Outcome::Killed { signal },
        (None, None) => Outcome::NotRun {
            why: "it is not known how it ended".into(),
        },
    }
}

/// Runs a command in `folder`, or tells why that cannot be.
async fn execute(line: &RunLine, folder: &Path, timeout: Duration) -> Result<Ended, String> {
    let host = Host::local();
    let program = if line.program().contains('/') {
        folder.join(line.program())
    } else {
        host.find_program(line.program())
            .ok_or_else(|| format!("there is no program `{}`", line.program()))?
    };
    let mut call = Call::new(program, timeout)
        .args(line.words().iter().skip(1))
        .cwd(folder)
        .max_output(MAX_OUTPUT)
        .bare_env();
    for (name, value) in environment::clean(std::env::vars_os()) {
        call = call.env(name, value);
    }
    let ended = host.run_alone(call).await;
    ended.map_err(|error| in_full(&error))
}

/// A setup command that did not end well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the setup command `{line}` failed: {outcome}")]
pub struct SetupFailed {
    /// The command as the plan has it.
    pub line: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The end of its output, as in a receipt.
    pub tail: String,
}

/// Runs the setup commands of a plan one after another in `folder`, by the rules of [`run`], 10 minutes each at
/// most; the first that fails ends it.
///
/// # Errors
/// Which command did not end with 0, how, and the end of what it said.
pub async fn setup(lines: &[RunLine], folder: &Path) -> Result<(), SetupFailed> {
    for line in lines {
        let failed = |(outcome, tail)| SetupFailed {
            line: line.as_str().to_owned(),
            outcome,
            tail,
        };
        let ended = match execute(line, folder, DEFAULT_TIMEOUT).await {
            Ok(ended) => ended,
            Err(why) => return Err(failed(not_run(why))),
        };
        let outcome = how(&ended, DEFAULT_TIMEOUT, 0);
        if outcome != Outcome::Passed {
            let Output { stdout, stderr, .. } = &ended.output;
            return Err(failed((outcome, output::tail(stdout, stderr))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
