//! A fresh reviewer's word on what a worker left: asked for, waited for, read.

use std::path::Path;

use tokio::time::{Instant, sleep};

use super::answer::write_control;
use super::job::Job;
use super::watch::read;
use crate::agent::view::Urgency;
use crate::error::{Failure, Kind};
use crate::ids::{AgentId, TaskId};
use crate::mission::brief::{self, Brief, Scene};
use crate::mission::names;
use crate::mission::plan::Role;
use crate::mission::receipt::{Outcome, Receipt, Tree};
use crate::mission::report::{self, Reviewed};
use crate::mission::worker::{NotReady, Told, Wanted};
use crate::record::VERSION;
use crate::screen::state::State;

/// What is added to the number of a brief for the second reviewer.
const SECOND: u32 = 500;

impl Job {
    /// Has a fresh reviewer judge; where it says nothing that counts, another one.
    pub async fn review(&self, folder: &Path, place: usize, what: &str) -> Receipt {
        let begun = Instant::now();
        // beside the numbers of the worker's own briefs
        let number = 1_000 * self.state.attempt + u32::try_from(place).unwrap_or(0) + 1;
        let (mut outcome, mut tail) = self.judged_by_one(what, number).await;
        if let Outcome::NotReviewed { why } = &outcome {
            let text = format!("its work was not reviewed: {why}; another reviewer is asked");
            self.say(Urgency::Warning, &text);
            (outcome, tail) = self.judged_by_one(what, number + SECOND).await;
        }
        Receipt {
            v: VERSION,
            ts: chrono::Utc::now(),
            task: self.task.slug.clone(),
            attempt: self.state.attempt,
            on: Tree::Work,
            criterion: place,
            what: what.to_owned(),
            folder: folder.to_owned(),
            commit: None,
            outcome,
            took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            tail,
            undone: Vec::new(),
        }
    }

    /// What one reviewer makes of it, and its words.
    async fn judged_by_one(&self, what: &str, number: u32) -> (Outcome, String) {
        match self.reviewed(what, number).await {
            Ok(text) => match report::review(&text) {
                Reviewed::Pass { reasons } => (Outcome::Passed, reasons),
                Reviewed::Fail { reasons } => (Outcome::Rejected, reasons),
                Reviewed::Nothing => {
                    let why = "it begins with neither PASS nor FAIL, or gives no reasons".into();
                    (Outcome::NotReviewed { why }, report::read(&text).text)
                }
            },
            Err(why) => (Outcome::NotReviewed { why }, String::new()),
        }
    }

    /// Has a fresh reviewer look at the work, and returns what it wrote.
    async fn reviewed(&self, what: &str, number: u32) -> Result<String, String> {
        let names = &self.site.names;
        let (agent, folder) = (names.reviewer(&self.task.slug), self.folder());
        let report = self.state.report;
        let report = report.and_then(|nth| self.site.folder.read_report(&self.task.slug, nth));
        let reports: Vec<(TaskId, String)> = report
            .into_iter()
            .map(|text| (self.task.slug.clone(), text))
            .collect();
        let scene = Scene {
            reports: &reports,
            earlier: &[],
            ..self.scene(number, &folder)
        };
        let text = brief::text(
            &scene,
            &Brief::Review {
                of: &self.task,
                what,
            },
        );
        let answer = folder.join(names::review_file(&self.task.slug, number));
        let file = names::brief_file(&self.task.slug, number);
        let wanted = Wanted {
            agent: agent.clone(),
            on: format!("{}/{} (review)", names.mission(), self.task.slug),
            goal: format!("Review: {what}"),
            role: Role::Reviewer,
            folder,
        };
        let asked = async {
            write_control(&wanted.folder, &file, &text)?;
            self.site.workers.open(&wanted).await?;
            let nudge = brief::nudge(&self.task.slug, number);
            let told = self.say_to(&agent, &nudge, None).await?;
            if told == Told::LeftOver {
                let why = "what it was to be told stands in its prompt, and was not sent";
                return Err(Failure::new(Kind::NotDelivered, why));
            }
            self.site.workers.release(&agent).await
        };
        let found = match asked.await {
            Ok(()) => self.answer_in(&answer, &agent).await,
            Err(failure) => Err(failure.to_string()),
        };
        if let Err(failure) = self.site.workers.close(&agent, None).await {
            self.say(Urgency::Warning, &failure.to_string());
        }
        found
    }

    /// What a reviewer writes into its file, once it stands at its prompt.
    async fn answer_in(&self, file: &Path, agent: &AgentId) -> Result<String, String> {
        let mut until = Instant::now() + self.task.time_limit();
        let mut seen = Instant::now();
        while Instant::now() < until {
            sleep(self.site.pace.look).await;
            let now = Instant::now();
            // what its account forbids is not its time
            let look = self.site.workers.look(agent);
            if look.is_some_and(|look| look.state == Some(State::Limit)) {
                until += now - seen;
            }
            seen = now;
            let written = read(file);
            match self.site.workers.ready(agent, self.site.pace.stand).await {
                Ok(()) => {
                    if let Some(text) = written.or_else(|| read(file)) {
                        return Ok(text);
                    }
                }
                Err(NotReady::TimedOut { .. }) => {}
                Err(gone) => return written.ok_or(gone.to_string()),
            }
        }
        Err("the reviewer wrote nothing in time".to_owned())
    }
}
