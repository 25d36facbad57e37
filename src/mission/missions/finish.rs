//! The end of a mission, on the person's word: the base branch takes the result, and what is merged is removed.

use std::sync::Arc;

use tokio::time::sleep;

use super::{Missions, no_graph};
use crate::error::{Failure, Kind};
use crate::git::Repository;
use crate::ids::MissionId;
use crate::mission::coordinator::Order;
use crate::mission::journal::What;
use crate::mission::merge::{self, Finish, Finished};
use crate::mission::names::{Names, SCRATCH};
use crate::mission::schedule::Stage;
use crate::mission::view::MissionView;
use crate::mission::worktree::{self, Remove, Removed};

/// How often closing a worker's pane is tried.
const TRIES: u32 = 3;

impl Missions {
    /// Brings a mission's result to the base branch, closes its panes, and removes what is merged; with `force`
    /// also what is not. Says what was done.
    ///
    /// # Errors
    /// When a task is at work, or the base branch cannot take the result; nothing is removed then.
    pub async fn finish(&self, id: &MissionId, force: bool) -> Result<String, Failure> {
        self.take_up(id).await?;
        let site = self.running().get(id).map(|one| Arc::clone(&one.site));
        let site = site.ok_or_else(no_graph)?;
        // what is looked for still cannot be closed
        self.order(id, Order::Settle).await?;
        let view = self.view(id)?;
        let at_work = view
            .tasks
            .iter()
            .find(|task| matches!(task.stage, Stage::Running | Stage::Checking));
        if let Some(task) = at_work {
            return Err(Failure::usage(format!("{} is still at work", task.slug))
                .hint(format!("wait for it, or `/mission abort {id}` first")));
        }
        let mut said = Vec::new();
        let mut commit = None;
        if let (Some(repository), Some(base)) = (&site.repository, &site.base) {
            let (text, at) = bring_home(&site.names, repository, base).await?;
            said.push(text);
            commit = Some(at);
        }
        for task in &view.tasks {
            let agent = site.names.worker(&task.slug);
            let mut tries = 1;
            while let Err(failure) = site.workers.close(&agent, task.pane.as_ref()).await {
                // now and then zellij answers nothing
                if tries >= TRIES {
                    return Err(failure);
                }
                tries += 1;
                sleep(site.pace.again).await;
            }
        }
        if let (Some(repository), Some(base)) = (&site.repository, &site.base) {
            said.extend(tidy_up(&site.names, repository, base, &view, force).await);
        }
        self.say(id, What::Finished { commit }).await?;
        if let Err(failure) = site.workers.leave_session().await {
            said.push(format!("its session stays: {failure}"));
        }
        Ok(said.join("\n"))
    }
}

/// Brings the result to the base branch; what is said of that, and its commit.
async fn bring_home(
    names: &Names,
    repository: &Repository,
    base: &str,
) -> Result<(String, String), Failure> {
    match merge::finish(names, repository, base, Finish::FastForward).await? {
        Finished::Done { commit, .. } => Ok((format!("{base} has the result: {commit}"), commit)),
        Finished::Already { commit } => {
            Ok((format!("{base} had the result already: {commit}"), commit))
        }
        Finished::Conflict { files } => {
            let text = format!(
                "{base} and the result changed the same: {}",
                files.join(", ")
            );
            let branch = names.integration_branch();
            Err(Failure::new(Kind::Failed, text)
                .hint(format!("merge `{branch}` by hand, then finish again")))
        }
        Finished::Unsaved { folder, files } => {
            let text = format!(
                "{base} is checked out in {}, where these are not committed: {}",
                folder.display(),
                files.join(", ")
            );
            Err(Failure::new(Kind::Failed, text).hint("commit or stash them, then finish again"))
        }
    }
}

/// Removes the worktrees and branches of a mission; what stays, and why.
async fn tidy_up(
    names: &Names,
    repository: &Repository,
    base: &str,
    view: &MissionView,
    force: bool,
) -> Vec<String> {
    let how = if force {
        Remove::Force
    } else {
        Remove::IfMerged
    };
    let mut said = Vec::new();
    for task in &view.tasks {
        let removed = worktree::remove(names, repository, &task.slug, how).await;
        said.extend(what_stays(&names.branch(&task.slug), removed));
    }
    // there only where a crash came while the criteria were run before any work
    if let Ok(scratch) = SCRATCH.parse() {
        let removed = worktree::remove(names, repository, &scratch, Remove::Force).await;
        said.extend(what_stays(&names.branch(&scratch), removed));
    }
    let removed = worktree::remove_integration(names, repository, base, how).await;
    said.extend(what_stays(&names.integration_branch(), removed));
    said
}

fn what_stays(branch: &str, removed: Result<Removed, worktree::WorktreeError>) -> Option<String> {
    match removed {
        Ok(Removed::Removed | Removed::WasGone) => None,
        Ok(Removed::Unsaved { files }) => Some(format!(
            "the worktree of {branch} stays: not committed: {}",
            files.join(", ")
        )),
        Ok(Removed::Unmerged { commits }) => Some(format!(
            "{branch} stays: {commits} commits are merged nowhere (`--force` removes it)"
        )),
        Err(error) => Some(format!("{branch} stays: {}", crate::error::in_full(&error))),
    }
}
