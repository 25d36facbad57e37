//! Missions and their workers in words.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::command::reply::{Frame, age};
use crate::command::text::{fit_middle, harmless, one_line, table};
use crate::mission::view::{MissionView, TaskView, Tick, WorkerView};

/// Missions in words: one whole, several in a line each.
pub(in crate::command) fn words(views: &[Arc<MissionView>], frame: &Frame) -> String {
    match views {
        [] => return "no missions yet: `/mission run FILE` begins one".to_owned(),
        [one] => return whole(one, frame),
        _ => {}
    }
    let rows: Vec<Vec<String>> = views.iter().map(|view| row(view, frame)).collect();
    let heading = ["MISSION", "PHASE", "DONE", "BEGAN", "GOAL"];
    table(&heading, &[40, 10, 10, 8], &rows, frame.columns)
}

fn row(view: &MissionView, frame: &Frame) -> Vec<String> {
    let (done, all) = view.done();
    vec![
        view.id.to_string(),
        view.phase.as_str().to_owned(),
        format!("{done} of {all}"),
        since(view.begun_at, frame),
        one_line(&view.goal),
    ]
}

fn whole(view: &MissionView, frame: &Frame) -> String {
    let (done, all) = view.done();
    let mut text = format!(
        "{}  {}  {done} of {all} done  {}\n{}\n",
        view.id,
        view.phase.as_str(),
        since(view.begun_at, frame),
        one_line(&view.goal)
    );
    if let Some(integration) = &view.integration {
        let _ = writeln!(text, "result: {integration} in {}", view.root);
    }
    let heading = [
        "TASK", "ROLE", "STAGE", "TRY", "CRITERIA", "TIME", "TOKENS", "NOW",
    ];
    let rows: Vec<Vec<String>> = view
        .tasks
        .iter()
        .map(|task| task_row(task, frame))
        .collect();
    let _ = write!(
        text,
        "\n{}",
        table(&heading, &[32, 10, 10, 6, 12, 8, 10], &rows, frame.columns)
    );
    for task in view.tasks.iter().filter(|task| task.why.is_some()) {
        let why = task.why.as_deref().unwrap_or_default();
        let _ = write!(text, "\n\n{}: {}", task.slug, one_line(why));
    }
    for proposal in &view.proposals {
        let _ = write!(
            text,
            "\n\nproposed: {} ({}): {}; `/mission accept {} {}` takes it in",
            proposal.slug,
            one_line(&proposal.title),
            one_line(&proposal.why),
            view.id,
            proposal.slug
        );
    }
    if let Some(trouble) = &view.trouble {
        let _ = write!(text, "\n\ntrouble: {}", harmless(trouble));
    }
    text
}

fn task_row(task: &TaskView, frame: &Frame) -> Vec<String> {
    let attempt = if task.attempt == 0 {
        String::new()
    } else {
        format!("{}/{}", task.attempt, task.attempts)
    };
    let time = task.time(frame.now.to_utc()).map(age);
    vec![
        task.slug.to_string(),
        task.role.as_str().to_owned(),
        task.word().to_owned(),
        attempt,
        task.criteria
            .iter()
            .map(|one| tick(one.result))
            .collect::<Vec<_>>()
            .join(" "),
        time.unwrap_or_default(),
        known(task.costs.tokens),
        one_line(&task.doing),
    ]
}

/// The mark of a criterion.
pub const fn tick(result: Tick) -> &'static str {
    match result {
        Tick::Open => "-",
        Tick::Running => "~",
        Tick::Passed => "ok",
        Tick::Failed => "x",
    }
}

/// A count, where it is known.
fn known(count: Option<u64>) -> String {
    count.map_or_else(|| "-".to_owned(), |count| count.to_string())
}

fn since(at: Option<DateTime<Utc>>, frame: &Frame) -> String {
    at.map(|at| age(frame.now.to_utc() - at))
        .unwrap_or_default()
}

/// Every worker of every mission, in words.
pub(in crate::command) fn workers(workers: &[WorkerView], frame: &Frame) -> String {
    if workers.is_empty() {
        return "no workers: a mission has some while it runs".to_owned();
    }
    let time = |seconds: u64| {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        TimeDelta::try_seconds(seconds).map_or_else(String::new, age)
    };
    let row = |worker: &WorkerView| {
        vec![
            fit_middle(worker.id.as_str(), 40),
            worker.role.as_str().to_owned(),
            worker.state.clone().unwrap_or_default(),
            worker.time_sec.map(time).unwrap_or_default(),
            known(worker.costs.tokens),
            known(worker.costs.tool_uses),
            worker
                .pane
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            one_line(&worker.title),
        ]
    };
    let rows: Vec<Vec<String>> = workers.iter().map(row).collect();
    let heading = [
        "WORKER", "ROLE", "STATE", "TIME", "TOKENS", "TOOLS", "PANE", "TASK",
    ];
    table(&heading, &[40, 10, 10, 8, 10, 6, 30], &rows, frame.columns)
}
