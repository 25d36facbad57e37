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
    (task.time_limit() / 4).max(SHORTEST_GRACE)
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

/// Why a worker is gone that nobody looks at.
pub(super) const UNSUPERVISED: &str = "nobody supervises it any more";

impl Job {
    pub async fn watch(&self) -> Result<(), Failure> {
        let agent = self.site.names.worker(&self.task.slug);
        let number = self.state.briefs;
        let file = self
            .folder()
            .join(names::report_file(&self.task.slug, number));
        let mut times = Times::new();
        let mut reported: Option<Instant> = None;
        let mut tried: Option<String> = None;
        let _ = self.site.workers.release(&agent).await;
        loop {
            sleep(self.site.pace.look).await;
            let look = self.site.workers.look(&agent);
            times.take(look.as_ref(), Instant::now());
            let text = read(&file);
            if text.is_some() {
                reported.get_or_insert_with(Instant::now);
            }
            let gone = match &look {
                None => Some(UNSUPERVISED.to_owned()),
                Some(look) => look.gone.clone(),
            };
            let rests = look.as_ref().is_some_and(rests);
            if let (Some(text), Some(at)) = (text, reported)
                && (gone.is_some() || rests || at.elapsed() > self.site.pace.settle)
            {
                return self.reported(&text, number).await;
            }
            if let Some(why) = gone {
                self.note(Step::Lost { why }).await;
                return Ok(());
            }
            if look.as_ref().is_some_and(|look| look.context_full) {
                self.note(Step::UsedUp).await;
                return Ok(());
            }
            // it may have done all that it was to do, and ask what else to do: once for each question
            let asked = look
                .filter(asks)
                .map(|look| look.question.unwrap_or_default());
            let is_new = asked.is_some() && tried != asked;
            if is_new && times.asking > self.site.pace.stand {
                tried = asked;
                if self.passes_already().await? {
                    self.note(Step::Stood).await;
                    return Ok(());
                }
                times.seen = Instant::now();
            }
            if times.idle > self.site.pace.stand {
                self.note(Step::Stood).await;
                return Ok(());
            }
            if self.is_over(&times) {
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

    /// Whether its time is over, counted from when it was told the task.
    fn is_over(&self, times: &Times) -> bool {
        if times.is_excused {
            return false;
        }
        if self.state.overtime {
            return times.begun.elapsed().saturating_sub(times.excused) > grace(&self.task);
        }
        let limit = TimeDelta::minutes(self.task.time_limit_min.into());
        let excused = TimeDelta::from_std(times.excused).unwrap_or(TimeDelta::MAX);
        let told_at = self.state.told_at;
        told_at.is_some_and(|told_at| Utc::now() - told_at - limit > excused)
    }
}

/// How long a worker has done what, while it was watched.
struct Times {
    begun: Instant,
    seen: Instant,
    /// It stood at its prompt, all the times together: what the supervisor says to it meanwhile is no work.
    idle: Duration,
    /// It has asked the person something, without a break.
    asking: Duration,
    /// What is not its time: when it could not go on by itself.
    excused: Duration,
    is_excused: bool,
}

impl Times {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            seen: now,
            idle: Duration::ZERO,
            asking: Duration::ZERO,
            excused: Duration::ZERO,
            is_excused: false,
        }
    }

    /// Takes in that it has been so since the last look.
    fn take(&mut self, look: Option<&Look>, now: Instant) {
        let passed = now - self.seen;
        self.seen = now;
        if look.is_some_and(stands) {
            self.idle += passed;
        }
        self.asking = match look.filter(|look| asks(look)) {
            Some(_) => self.asking + passed,
            None => Duration::ZERO,
        };
        self.is_excused = look.is_some_and(waits);
        if self.is_excused {
            self.excused += passed;
        }
    }
}

/// Whether a worker cannot go on by itself, and is not to blame: the person is waited for, holds it or has stopped it,
/// or its account is at a limit.
pub(super) fn waits(look: &Look) -> bool {
    look.needs_person || look.withheld || look.state == Some(State::Limit)
}

/// Whether a worker stands at its prompt, and waits for the person.
fn asks(look: &Look) -> bool {
    look.state == Some(State::Idle) && (look.needs_person || look.withheld)
}

/// Whether a worker stands at its prompt, and nobody waits for the person.
fn rests(look: &Look) -> bool {
    look.state == Some(State::Idle) && !look.needs_person
}

/// The same where it is free to go on, too.
fn stands(look: &Look) -> bool {
    rests(look) && !look.withheld
}
