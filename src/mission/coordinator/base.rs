//! The criteria before any work: one that passes then tells nothing of the work.
//!
//! Each is run once on the commit that the mission began from, in a worktree that is there only meanwhile. What has
//! its receipt is not run again; the worktree goes last, so that one that is still there tells of a run that was
//! killed. The coordinator starts it, beside the work.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Site;
use crate::agent::view::Urgency;
use crate::error::{Failure, in_full};
use crate::git::Repository;
use crate::ids::TaskId;
use crate::mission::names::SCRATCH;
use crate::mission::plan::{Command, Criterion, Plan, Task, each_once};
use crate::mission::receipt::{Receipt, Tree};
use crate::mission::verify::{self, Run};
use crate::mission::worktree::{self, Remove};

/// Runs every criterion that has no receipt yet on what the mission began from, and tells the person which pass.
pub(super) async fn check(
    site: Arc<Site>,
    plan: Arc<Plan>,
    known: Vec<Receipt>,
    receipts: mpsc::Sender<Receipt>,
) {
    let Some(repository) = &site.repository else {
        return;
    };
    if let Err(failure) = run(&site, repository, &plan, &known, &receipts).await {
        let text = format!(
            "{}: the criteria could not be run before the work: {failure}",
            site.names.mission()
        );
        site.supervisor.announce(Urgency::Warning, text);
    }
}

/// The commands that are still to be run before any work, each once however many tasks name it; and which passed,
/// in words.
fn open<'a>(plan: &'a Plan, known: &[Receipt]) -> (Vec<Command<'a>>, Vec<String>) {
    let known: Vec<&Receipt> = known.iter().filter(|one| one.on == Tree::Base).collect();
    let were_run = known.iter().filter_map(|receipt| {
        let task = plan.task(&receipt.task)?;
        task.exit_criteria.get(receipt.criterion)
    });
    let were_run: Vec<&Criterion> = were_run.collect();
    let mut open = each_once(plan.tasks.iter().flat_map(Task::commands));
    open.retain(|command| !were_run.contains(&command.criterion));
    (open, known.into_iter().filter_map(passed).collect())
}

fn passed(receipt: &Receipt) -> Option<String> {
    let words = || format!("{}: `{}`", receipt.task, receipt.what);
    receipt.passed().then(words)
}

async fn run(
    site: &Site,
    repository: &Repository,
    plan: &Plan,
    known: &[Receipt],
    receipts: &mpsc::Sender<Receipt>,
) -> Result<(), Failure> {
    let names = &site.names;
    let scratch: TaskId = SCRATCH
        .parse()
        .map_err(|error| Failure::from_error(crate::error::Kind::Bug, &error))?;
    let (open, mut passing) = open(plan, known);
    let was_killed = repository.has_worktree_at(&names.folder(&scratch));
    if open.is_empty() && !was_killed {
        return Ok(());
    }
    if !open.is_empty() {
        if was_killed {
            // what a criterion left there would be no longer what the work began from
            worktree::remove(names, repository, &scratch, Remove::Discard).await?;
        }
        let from = begun_from(site, repository).await?;
        let made = worktree::prepare(names, repository, &scratch, &from).await?;
        let ready = verify::setup(&plan.setup, &made.folder).await;
        if let Err(error) = &ready {
            site.supervisor.announce(
                Urgency::Warning,
                format!("{}: {}", names.mission(), in_full(error)),
            );
        }
        for command in open {
            let receipt = verify::run(Run {
                task: &command.task.slug,
                attempt: 0,
                on: Tree::Base,
                place: command.place,
                criterion: command.criterion,
                folder: &made.folder,
                commit: Some(made.begun_from.clone()),
                undone: Vec::new(),
            });
            let receipt = receipt.await;
            passing.extend(passed(&receipt));
            if receipts.send(receipt).await.is_err() {
                // the mission is being left: the rest is run when it goes on
                return Ok(());
            }
        }
    }
    if !passing.is_empty() {
        let text = format!(
            "{}: these criteria pass before any work, so that they alone tell nothing of it: {}",
            names.mission(),
            passing.join("; ")
        );
        site.supervisor.announce(Urgency::Warning, text);
    }
    worktree::remove(names, repository, &scratch, Remove::Discard).await?;
    Ok(())
}

/// The commit that the mission began from, whatever has been merged since.
async fn begun_from(site: &Site, repository: &Repository) -> Result<String, Failure> {
    let results = site.names.integration_branch();
    let base = match &site.base {
        Some(base) => repository.merge_base(&results, base).await?,
        None => None,
    };
    Ok(base.unwrap_or(results))
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::mission::receipt::Outcome;
    use crate::record::VERSION;

    /// Three commands, one of them of two tasks, and a review.
    fn plan() -> Plan {
        let text = r#"{"goal": "g", "tasks": [
            {"slug": "a", "title": "A", "description": "d", "exitCriteria": [
                {"run": "test -s README"}, {"review": "it reads well to all"}, {"run": "make a"}]},
            {"slug": "b", "title": "B", "description": "d", "exitCriteria": [
                {"run": "test -s README"}, {"run": "make b"}]}
        ]}"#;
        Plan::read(text).unwrap()
    }

    fn receipt(task: &str, criterion: usize, on: Tree, outcome: Outcome) -> Receipt {
        let task = task.parse().unwrap();
        let what = plan().task(&task).unwrap().exit_criteria[criterion]
            .run
            .as_ref()
            .map_or_else(String::new, |run| run.as_str().to_owned());
        Receipt {
            v: VERSION,
            ts: Utc::now(),
            task,
            attempt: 0,
            on,
            criterion,
            what,
            folder: "/r".into(),
            commit: None,
            outcome,
            took_ms: 1,
            tail: String::new(),
            undone: Vec::new(),
        }
    }

    /// What is known, which criteria are still to be run, and what is told of the others.
    type Case<'a> = (&'a [Receipt], &'a [(&'a str, usize)], &'a [&'a str]);

    #[test]
    fn what_has_a_receipt_of_the_base_is_not_run_again_and_told_all_the_same() {
        let passed = |task, criterion| receipt(task, criterion, Tree::Base, Outcome::Passed);
        let failed = |task, criterion| {
            let code = Outcome::WrongCode { code: 2 };
            receipt(task, criterion, Tree::Base, code)
        };
        let on_work = receipt("a", 2, Tree::Work, Outcome::Passed);
        let readme = "a: `test -s README`";
        let cases: [Case; 5] = [
            (&[], &[("a", 0), ("a", 2), ("b", 1)], &[]),
            (&[passed("a", 0)], &[("a", 2), ("b", 1)], &[readme]),
            // a receipt of the work says nothing of the base
            (&[passed("a", 0), on_work], &[("a", 2), ("b", 1)], &[readme]),
            (&[passed("a", 0), failed("a", 2)], &[("b", 1)], &[readme]),
            (
                &[passed("a", 0), failed("a", 2), failed("b", 1)],
                &[],
                &[readme],
            ),
        ];
        let plan = plan();
        for (known, expected, told) in cases {
            let (open, passing) = open(&plan, known);
            let open: Vec<(&str, usize)> = open
                .iter()
                .map(|one| (one.task.slug.as_str(), one.place))
                .collect();
            assert_eq!(open, expected);
            assert_eq!(passing, told);
        }
    }
}
