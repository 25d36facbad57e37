//! The texts that workers get, as Markdown files, and the line that says to read one. Pure.
//!
//! A worker knows nothing but what stands here. What other agents and programs said stands in quotations, each of
//! whose lines begins with a mark, so that nothing in them can pass for a line of ours. The coordinator writes a
//! text to [`names::brief_file`], and the [`nudge`] is all that is ever typed.

mod page;
mod sections;

use std::path::Path;

use super::markdown::{line, plain, quoted};
use super::names;
use super::plan::{Plan, Task};
use super::receipt::Receipt;
use crate::ids::TaskId;
use page::{Page, QUOTED};

/// The longest brief, in characters.
pub const LONGEST: usize = 160_000;
/// How much of a person's or a model's words is given, in characters.
const TEXT_CHARS: usize = 20_000;

/// What a brief is about.
#[derive(Debug, Clone, Copy)]
pub enum Brief<'a> {
    /// The task, to somebody who knows nothing of it; also to a fresh worker of a later attempt.
    Begin {
        /// The attempt that begins, from 1.
        attempt: u32,
        /// How many there are.
        of: u32,
        /// The receipts of what failed last.
        failed: &'a [Receipt],
        /// Files that judge and were put back, because the task may not write them.
        undone: &'a [String],
    },
    /// What was left is not as it should be.
    Retry {
        /// The attempt that begins, from 2.
        attempt: u32,
        /// How many there are.
        of: u32,
        /// What is wrong, where no criterion says it.
        why: Option<&'a str>,
        /// The receipts of what failed.
        failed: &'a [Receipt],
        /// Files that judge and were put back, because the task may not write them.
        undone: &'a [String],
    },
    /// The branch does not merge.
    Conflict {
        /// The branch to merge into the worker's own.
        integration_branch: &'a str,
        /// Files in conflict.
        files: &'a [String],
    },
    /// The branch merged, and what was checked afterwards failed: the merge was taken back.
    TakenBack {
        /// The attempt that begins, from 2.
        attempt: u32,
        /// How many there are.
        of: u32,
        /// The branch to merge into the worker's own.
        integration_branch: &'a str,
        /// The receipts of what failed, of this task or of one merged before it.
        failed: &'a [Receipt],
    },
    /// Its time is over: the smallest part that meets a criterion is to be finished.
    TimeUp {
        /// How many minutes are left for that.
        minutes: u32,
        /// The newest receipts of its criteria.
        receipts: &'a [Receipt],
    },
    /// An answer of a model's to what it was blocked by.
    Answer {
        /// The answer.
        text: &'a str,
    },
    /// What a person wants it to know or to do.
    Message {
        /// The person's words.
        text: &'a str,
    },
    /// It says that it is done, and files are not committed.
    Unsaved {
        /// Which.
        files: &'a [String],
    },
    /// To a fresh reviewer: whether something is so.
    Review {
        /// The task that was worked on.
        of: &'a Task,
        /// What must be so.
        what: &'a str,
    },
}

/// Who a brief is for, and what it can know.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The task.
    pub task: &'a Task,
    /// The number of this brief, from 1.
    pub number: u32,
    /// The folder that the worker is in.
    pub folder: &'a Path,
    /// The commit or branch from which its branch began, so that its changes can be looked at.
    pub base: Option<&'a str>,
    /// The reports of the tasks that it depends on; for a review, the report of the task itself.
    pub reports: &'a [(TaskId, String)],
    /// What earlier attempts got wrong, for a fresh worker.
    pub earlier: &'a [String],
    /// Whether the folder is a worktree of its own.
    pub is_repository: bool,
}

/// The whole text of a brief, at most [`LONGEST`] characters.
pub fn text(scene: &Scene<'_>, brief: &Brief<'_>) -> String {
    let mut page = Page::new(scene, &title(scene, brief));
    match *brief {
        Brief::Begin { failed, undone, .. } => page.begin(failed, undone),
        Brief::Retry {
            why,
            failed,
            undone,
            ..
        } => {
            page.say(
                "What you left did not pass. What was run by the program that gave you this task, and how it ended, \
                 stands below; what you reported does not count.",
            );
            if let Some(why) = why {
                let body = format!("{QUOTED}\n\n{}", quoted(why, TEXT_CHARS));
                page.section("What is wrong", &body);
            }
            page.failed(failed);
            page.undone(undone);
            page.again(
                "Find the cause of each failure and put it right; do not work around the check.",
            );
        }
        Brief::Conflict {
            integration_branch,
            files,
        } => {
            page.say(
                "Your work passes, but it cannot be merged with what others have finished meanwhile: both changed \
                 the same places.",
            );
            page.merge(integration_branch, files);
            page.again("");
        }
        Brief::TakenBack {
            integration_branch,
            failed,
            ..
        } => {
            page.say(
                "Your work passes by itself, but not together with what others have finished meanwhile: after the \
                 merge what stands below failed, and the merge was taken back. It may be a criterion of another task.",
            );
            page.failed(failed);
            page.merge(integration_branch, &[]);
            page.again("You will see the same failures then; put their cause right.");
        }
        Brief::TimeUp { minutes, receipts } => page.time_up(minutes, receipts),
        Brief::Answer { text } => {
            page.say("You could not go on. This is the answer to what you asked for.");
            page.section(
                "What is known",
                &format!("{QUOTED}\n\n{}", quoted(text, TEXT_CHARS)),
            );
            page.again("Go on with your task. If this does not help, report `Result: blocked` again and say why.");
        }
        Brief::Message { text } => {
            page.section("What the person says", &plain(text, TEXT_CHARS));
            page.again("Take it into account, and go on with your task.");
        }
        Brief::Unsaved { files } => page.unsaved(files),
        Brief::Review { of, what } => page.review(of, what),
    }
    page.end()
}

fn title(scene: &Scene<'_>, brief: &Brief<'_>) -> String {
    let (slug, what) = (&scene.task.slug, line(&scene.task.title, 200));
    match brief {
        Brief::Begin { attempt, of, .. } if *attempt > 1 => {
            format!("Task `{slug}`: {what} (attempt {attempt} of {of})")
        }
        Brief::Begin { .. } => format!("Task `{slug}`: {what}"),
        Brief::Retry { attempt, of, .. } | Brief::TakenBack { attempt, of, .. } => {
            format!("Task `{slug}`: attempt {attempt} of {of}")
        }
        Brief::Conflict { .. } => format!("Task `{slug}`: a conflict to resolve"),
        Brief::TimeUp { .. } => format!("Task `{slug}`: come to an end"),
        Brief::Answer { .. } => format!("Task `{slug}`: an answer"),
        Brief::Message { .. } => format!("Task `{slug}`: a message"),
        Brief::Unsaved { .. } => format!("Task `{slug}`: not everything is committed"),
        Brief::Review { of, .. } => {
            format!("Review of task `{}`: {}", of.slug, line(&of.title, 200))
        }
    }
}

/// What is typed to have a brief read.
pub fn nudge(task: &TaskId, number: u32) -> String {
    format!(
        "Read {} and do what it says.",
        names::brief_file(task, number).display()
    )
}

#[cfg(test)]
mod tests;
