//! What is said of a mission when it is over: the report, the after-action review, and what a model is shown that
//! writes a summary or answers a question. Pure.
//!
//! Everything is taken from the mission's records: its view, its journal, the receipts, the reports of its workers.
//! What workers say stands in quotations; what counts are receipts. The coordinator writes the texts to the
//! mission's folder.

mod after;
mod facts;

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::journal::{Entry, Step, What};
use super::machine::Phase;
use super::markdown::{code, line, plain, quoted};
use super::plan::Plan;
use super::receipt::{Receipt, Tree};
use super::schedule::Stage;
use super::view::{MissionView, TaskView};
use crate::ids::TaskId;
use crate::record::time_text;

pub use after::{action_items, after_action};

/// How many characters of a worker's report are quoted.
const REPORT_CHARS: usize = 3_000;
/// How many receipts of one task are listed.
const RECEIPTS: usize = 40;
/// How many lines of the journal a question is answered from.
const ENTRIES: usize = 400;

/// The records of a mission.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The mission as it is seen from outside.
    pub view: &'a MissionView,
    /// Its plan.
    pub plan: &'a Plan,
    /// Its journal.
    pub journal: &'a [Entry],
    /// All receipts, the oldest first.
    pub receipts: &'a [Receipt],
    /// The newest report of each task that has one.
    pub reports: &'a [(TaskId, String)],
    /// Now.
    pub now: DateTime<Utc>,
}

/// A summary that a model wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary<'a> {
    /// What it wrote.
    pub text: &'a str,
    /// Which backend and model.
    pub by: &'a str,
}

/// The report on a mission, as Markdown; without a summary it is the facts alone.
pub fn report(account: &Account<'_>, summary: Option<Summary<'_>>) -> String {
    let view = account.view;
    let mut text = format!(
        "# Mission `{}`\n\n{}\n\n",
        view.id,
        plain(&view.goal, 8_000)
    );
    text.push_str(&account.state());
    let _ = write!(text, "\n## Where the result is\n\n{}\n", account.result());
    if let Some(summary) = summary {
        let _ = write!(
            text,
            "\n## Summary\n\nWritten by {} from the reports and receipts below; where it says something else, they \
             count.\n\n{}\n",
            line(summary.by, 100),
            quoted(summary.text, 20_000)
        );
    }
    text.push_str("\n## Tasks\n");
    for task in &view.tasks {
        text.push_str(&account.task(task));
    }
    if !view.proposals.is_empty() {
        text.push_str("\n## Tasks that were proposed\n\n");
        for proposal in &view.proposals {
            let (title, why) = (line(&proposal.title, 200), line(&proposal.why, 500));
            let _ = writeln!(text, "- `{}`: {title} ({why})", proposal.slug);
        }
    }
    if let Some(trouble) = &view.trouble {
        let _ = write!(text, "\n## Trouble\n\n{}\n", plain(trouble, 2_000));
    }
    text
}

/// What a summary is written from, and nothing else.
pub fn for_a_summary(account: &Account<'_>) -> String {
    format!("{}\n{}", report(account, None), after_action(account))
}

/// What a question about the mission is answered from: the report, the after-action review, the plan's
/// descriptions, and the end of the journal.
pub fn for_a_question(account: &Account<'_>) -> String {
    let mut text = for_a_summary(account);
    text.push_str("\n# What the tasks were\n");
    for task in &account.plan.tasks {
        let _ = write!(
            text,
            "\n## `{}`\n\n{}\n",
            task.slug,
            quoted(&task.description, 2_000)
        );
    }
    text.push_str("\n# The end of the journal\n\n");
    let newest = account.journal.len().saturating_sub(ENTRIES);
    for entry in &account.journal[newest..] {
        let words = serde_json::to_string(entry).unwrap_or_default();
        let _ = writeln!(text, "{}", line(&words, 600));
    }
    text
}

impl Account<'_> {
    fn state(&self) -> String {
        let view = self.view;
        let (done, all) = view.done();
        let count = |stage| view.tasks.iter().filter(|task| task.stage == stage).count();
        let skipped = view.tasks.iter().filter(|task| task.skipped).count();
        let mut parts = vec![format!("{done} of {all} tasks done")];
        for (count, word) in [
            (count(Stage::Failed), "failed"),
            (count(Stage::Blocked), "blocked"),
            (count(Stage::Stopped), "stopped"),
            (count(Stage::Dropped), "dropped"),
            (skipped, "skipped"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {word}"));
            }
        }
        let mut text = format!("- State: {}; {}\n", view.phase.as_str(), parts.join(", "));
        if let Some(begun) = view.begun_at {
            let end = self.ended_at().unwrap_or(self.now);
            let _ = writeln!(
                text,
                "- Time: from {} to {}, {}",
                time_text(begun),
                time_text(end),
                took((end - begun).num_milliseconds())
            );
        }
        text.push_str(&facts::spent(view));
        let of_work = || self.receipts.iter().filter(|one| one.on != Tree::Base);
        let passed = of_work().filter(|one| one.passed()).count();
        let _ = writeln!(
            text,
            "- Criteria: run {} times since the work began, passed {passed} times",
            of_work().count()
        );
        let _ = writeln!(text, "- Written: {}", time_text(self.now));
        text
    }

    /// When nothing more could be done.
    fn ended_at(&self) -> Option<DateTime<Utc>> {
        let is_end = |entry: &&Entry| {
            matches!(
                entry.what,
                What::Over | What::Aborted | What::Finished { .. }
            )
        };
        self.journal.iter().rev().find(is_end).map(|entry| entry.ts)
    }

    fn result(&self) -> String {
        let view = self.view;
        let root = code(&view.root, 1_000);
        let (Some(base), Some(integration)) = (&view.base, &view.integration) else {
            return format!("In the folder {root}; it is no repository, and nothing was merged.");
        };
        let (base, integration) = (code(base, 300), code(integration, 300));
        let merged = self
            .journal
            .iter()
            .rev()
            .find_map(|entry| match &entry.what {
                What::Task {
                    step: Step::Merged { commit, .. },
                    ..
                } => Some(commit),
                _ => None,
            });
        let finished = self
            .journal
            .iter()
            .rev()
            .find_map(|entry| match &entry.what {
                What::Finished { commit } => commit.as_ref(),
                _ => None,
            });
        if view.phase == Phase::Finished {
            let at = finished.map_or_else(String::new, |commit| {
                format!(", commit {}", code(commit, 99))
            });
            return format!("On {base}{at}, in {root}.");
        }
        match merged {
            Some(commit) => format!(
                "On {integration}, commit {}, in {root}. {base} is untouched: `mission finish {}` brings it there.",
                code(commit, 99),
                view.id
            ),
            None => format!("There is none: nothing was merged. {base} of {root} is untouched."),
        }
    }

    fn task(&self, task: &TaskView) -> String {
        let stage = if task.skipped {
            "skipped"
        } else {
            task.stage.as_str()
        };
        let title = line(&task.title, 200);
        let mut text = format!("\n### `{}`: {title}: {stage}\n\n", task.slug);
        if task.skipped {
            let because = facts::skipped_because(self.view, task);
            let because = because.map_or_else(String::new, |lost| {
                format!(", because `{}` {}", lost.slug, facts::lost(lost))
            });
            let _ = writeln!(text, "- It was never started{because}.");
        } else {
            let _ = write!(
                text,
                "- {}, attempt {} of {}",
                task.role.as_str(),
                task.attempt,
                task.attempts
            );
            if let Some(started) = task.started_at {
                let end = task.ended_at.unwrap_or(self.now);
                let _ = write!(text, ", {}", took((end - started).num_milliseconds()));
            }
            let _ = writeln!(text, "{}", facts::spent_on(task));
        }
        if let Some(why) = &task.why {
            let _ = writeln!(text, "- Why: {}", line(why, 1_000));
        }
        beside(&mut text, "It wrote beside its paths", &task.outside);
        beside(
            &mut text,
            "Of these left out of the merge, for work is judged by them",
            &task.left_out,
        );
        text.push_str(&self.receipts_of(&task.slug));
        let report = self.reports.iter().find(|(slug, _)| *slug == task.slug);
        if let Some((_, report)) = report {
            let _ = write!(
                text,
                "\nWhat its worker reported (nobody checks the words):\n\n{}\n",
                quoted(report, REPORT_CHARS)
            );
        }
        text
    }

    /// Every run of the task's criteria, the newest of each criterion and tree with what it came to.
    fn receipts_of(&self, slug: &TaskId) -> String {
        let all: Vec<&Receipt> = self
            .receipts
            .iter()
            .filter(|one| one.task == *slug)
            .collect();
        if all.is_empty() {
            return "- No criterion was run.\n".to_owned();
        }
        let mut text = String::from("- Receipts:\n");
        let older = all.len().saturating_sub(RECEIPTS);
        if older > 0 {
            let _ = writeln!(text, "  - ({older} older ones are left out)");
        }
        for receipt in &all[older..] {
            let when = match receipt.on {
                Tree::Base => "before any work".to_owned(),
                on => format!("attempt {}, {}", receipt.attempt, tree(on)),
            };
            let _ = write!(
                text,
                "  - {when}: {}: {}, {}",
                code(&receipt.what, 300),
                line(&receipt.outcome.to_string(), 200),
                took(i64::try_from(receipt.took_ms).unwrap_or(i64::MAX))
            );
            if let Some(commit) = &receipt.commit {
                let short: String = commit.chars().take(12).collect();
                let _ = write!(text, ", commit {}", code(&short, 99));
            }
            if !receipt.undone.is_empty() {
                let files: Vec<String> = receipt
                    .undone
                    .iter()
                    .take(10)
                    .map(|it| code(it, 200))
                    .collect();
                let _ = write!(text, "; put back for it: {}", files.join(", "));
            }
            text.push('\n');
        }
        text
    }
}

const fn tree(tree: Tree) -> &'static str {
    match tree {
        Tree::Base => "on the base",
        Tree::Work => "on the worker's tree",
        Tree::Merged => "on the merged tree",
    }
}

/// A time in words: `0.4 s`, `40 s`, `12 min`, `2 h 5 min`.
fn took(millis: i64) -> String {
    let millis = millis.max(0);
    let (seconds, tenths) = (millis / 1_000, millis % 1_000 / 100);
    match seconds {
        0..10 if tenths > 0 || seconds == 0 => format!("{seconds}.{tenths} s"),
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests;

/// A line about files, where there are any.
fn beside(text: &mut String, what: &str, files: &[String]) {
    if files.is_empty() {
        return;
    }
    let shown: Vec<String> = files.iter().take(20).map(|it| code(it, 200)).collect();
    let _ = writeln!(text, "- {what} ({}): {}", files.len(), shown.join(", "));
}
