//! Waiting for a worker: until it reports, stands still, is gone, or its time is over.

use std::path::Path;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::time::{Instant, sleep};

use super::job::Job;
use crate::error::Failure;
use crate::host::file::read_tail;
use crate::mission::folder::LONGEST_REPORT;
use crate::mission::journal::{Claimed, Step};
use crate::mission::names;
use crate::mission::plan::Task;
use crate::mission::report::{self, Claim};
use crate::mission::worker::Look;
use crate::screen::state::State;
use crate::store::{self, Access};

/// The shortest time that a worker has to come to an end, once its time is over.
const SHORTEST_GRACE: Duration = Duration::from_mins(5);

/// How long a worker has to come to an end, once its time is over: a quarter of that.
pub(super) fn grace(task: &Task) -> Duration {
    let limit = Duration::from_secs(u64::from(task.time_limit_min) * 60);
    (limit / 4).max(SHORTEST_GRACE)
}

/// A worker's file, where it is there and not empty; bounded.
pub(super) fn read(path: &Path) -> Option<String> {
    // a link could lead to any file of the person's
    let found = path.symlink_metadata().ok()?;
    if !found.is_file() || found.len() == 0 {
        return None;
    }
    let part = read_tail(path, LONGEST_REPORT).ok()?;
    let text = String::from_utf8_lossy(&part.bytes).into_owned();
    Some(text).filter(|text| !text.trim().is_empty())
}

impl Job {
    pub async fn watch(&self) -> Result<(), Failure> {
        let agent = self.site.names.worker(&self.task.slug);
        let number = self.state.briefs;
        let file = self
            .folder()
            .join(names::report_file(&self.task.slug, number));
        let begun = Instant::now();
        let mut reported: Option<Instant> = None;
        // all the times together: what the supervisor says to it meanwhile is no work on the task
        let mut idle = Duration::ZERO;
        let mut at_limit = Duration::ZERO;
        let mut seen = Instant::now();
        let _ = self.site.workers.release(&agent).await;
        loop {
            sleep(self.site.pace.look).await;
            let look = self.site.workers.look(&agent);
            let text = read(&file);
            if text.is_some() {
                reported.get_or_insert_with(Instant::now);
            }
            let gone = match &look {
                None => Some("nobody supervises it any more".to_owned()),
                Some(look) => look.gone.clone(),
            };
            let stands = look.as_ref().is_some_and(stands);
            let now = Instant::now();
            if stands {
                idle += now - seen;
            }
            // what its account forbids is not its time
            let waits = look.is_some_and(|look| look.state == Some(State::Limit));
            if waits {
                at_limit += now - seen;
            }
            seen = now;
            if let (Some(text), Some(at)) = (text, reported)
                && (gone.is_some() || stands || at.elapsed() > self.site.pace.settle)
            {
                return self.reported(&text, number).await;
            }
            if let Some(why) = gone {
                self.note(Step::Lost { why }).await;
                return Ok(());
            }
            if idle > self.site.pace.stand {
                self.note(Step::Stood).await;
                return Ok(());
            }
            if !waits && self.time_is_up(begun, at_limit) {
                self.note(Step::TimeUp).await;
                return Ok(());
            }
        }
    }

    async fn reported(&self, text: &str, number: u32) -> Result<(), Failure> {
        let kept = self.site.folder.report(&self.task.slug, number);
        store::write_text(&kept, text, Access::OwnerOnly)?;
        let claim = match report::read(text).claim {
            Claim::Blocked { blocker } => Claimed::Blocked(blocker),
            Claim::Done | Claim::Partial | Claim::Unclear => Claimed::Done,
        };
        self.note(Step::Reported { claim, number }).await;
        Ok(())
    }

    /// Whether its time is over: that since it was told the task, but for what it stood at its account's limit while
    /// it was watched.
    fn time_is_up(&self, begun: Instant, at_limit: Duration) -> bool {
        if self.state.overtime {
            return begun.elapsed().saturating_sub(at_limit) > grace(&self.task);
        }
        let limit = TimeDelta::minutes(self.task.time_limit_min.into());
        let at_limit = TimeDelta::from_std(at_limit).unwrap_or(TimeDelta::MAX);
        let told_at = self.state.told_at;
        told_at.is_some_and(|told_at| Utc::now() - told_at - limit > at_limit)
    }
}

/// Whether a worker stands at its prompt, and nobody waits for the person.
fn stands(look: &Look) -> bool {
    look.state == Some(State::Idle) && !look.needs_person && look.question.is_none()
}
