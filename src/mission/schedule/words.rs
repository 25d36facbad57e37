//! Why a task is where it is, in words.

use super::{Stage, Why};
use crate::mission::plan::Plan;

/// Why a task of `plan` is where it is, in a sentence without its name.
pub fn in_words(plan: &Plan, why: &Why) -> String {
    let name = |task: &usize| plan.tasks.get(*task).map_or("?", |task| task.slug.as_str());
    match why {
        Why::Starts => "it starts now".into(),
        Why::Is(stage) => match stage {
            Stage::Waiting => "it waits",
            Stage::Running => "its worker is at it",
            Stage::Checking => "its criteria are being run",
            Stage::Blocked => "it is blocked",
            Stage::Stopped => "it was stopped, and can be continued",
            Stage::Done => "it is done",
            Stage::Failed => "it has failed: its attempts are used up",
            Stage::Dropped => "it was given up",
        }
        .into(),
        Why::WaitsFor(tasks) => {
            let names: Vec<&str> = tasks.iter().map(name).collect();
            format!("it waits for {}", names.join(", "))
        }
        Why::Skipped(task) => format!(
            "it never starts: {}, which it needs, will not be done",
            name(task)
        ),
        Why::SamePaths(task) => format!(
            "{}, which may write the same files, is still at work",
            name(task)
        ),
        Why::NoPlace => "every worker's place is taken".into(),
        Why::Paused => "the mission is paused".into(),
    }
}
