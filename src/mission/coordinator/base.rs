//! The criteria before any work: one that passes then tells nothing of the work.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Site;
use crate::agent::view::Urgency;
use crate::error::{Failure, in_full};
use crate::git::Repository;
use crate::ids::TaskId;
use crate::mission::names::SCRATCH;
use crate::mission::plan::{Criterion, Plan};
use crate::mission::receipt::{Receipt, Tree};
use crate::mission::verify::{self, Run};
use crate::mission::worktree::{self, Remove};

/// Runs every criterion once in a scratch worktree of the base, and tells the person which pass.
pub(super) async fn check(site: Arc<Site>, plan: Arc<Plan>, receipts: mpsc::Sender<Receipt>) {
    let Some(repository) = &site.repository else {
        return;
    };
    if let Err(failure) = run(&site, repository, &plan, &receipts).await {
        let text = format!(
            "{}: the criteria could not be run before the work: {failure}",
            site.names.mission()
        );
        site.supervisor.announce(Urgency::Warning, text);
    }
}

async fn run(
    site: &Site,
    repository: &Repository,
    plan: &Plan,
    receipts: &mpsc::Sender<Receipt>,
) -> Result<(), Failure> {
    let names = &site.names;
    let scratch: TaskId = SCRATCH
        .parse()
        .map_err(|error| Failure::from_error(crate::error::Kind::Bug, &error))?;
    let from = names.integration_branch();
    let made = worktree::prepare(names, repository, &scratch, &from).await?;
    let ready = verify::setup(&plan.setup, &made.folder).await;
    if let Err(error) = &ready {
        site.supervisor.announce(
            Urgency::Warning,
            format!("{}: {}", names.mission(), in_full(error)),
        );
    }
    let mut passing = Vec::new();
    let mut seen: Vec<&Criterion> = Vec::new();
    for task in &plan.tasks {
        for (place, criterion) in task.exit_criteria.iter().enumerate() {
            if criterion.run.is_none() || seen.contains(&criterion) {
                continue;
            }
            seen.push(criterion);
            let run = Run {
                task: &task.slug,
                attempt: 0,
                on: Tree::Base,
                place,
                criterion,
                folder: &made.folder,
                commit: Some(made.begun_from.clone()),
                undone: Vec::new(),
            };
            let receipt = verify::run(run).await;
            if receipt.passed() {
                passing.push(format!("{}: `{}`", task.slug, receipt.what));
            }
            if receipts.send(receipt).await.is_err() {
                break;
            }
        }
    }
    worktree::remove(names, repository, &scratch, Remove::Discard).await?;
    if !passing.is_empty() {
        let text = format!(
            "{}: these criteria pass before any work, so that they alone tell nothing of it: {}",
            names.mission(),
            passing.join("; ")
        );
        site.supervisor.announce(Urgency::Warning, text);
    }
    Ok(())
}
