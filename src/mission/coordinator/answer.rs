//! What is known of what a blocked worker needs; and what the person, or a worker by another way, has to say.

use std::path::{Path, PathBuf};

use super::Coordinator;
use super::job::Job;
use crate::agent::view::Urgency;
use crate::director::ReviewError;
use crate::error::{Failure, Kind, in_full};
use crate::ids::TaskId;
use crate::mission::journal::{Step, What};
use crate::mission::machine::{Phase, TaskState, Wants};
use crate::mission::names;
use crate::mission::records::Records;
use crate::mission::schedule::Stage;
use crate::store::{self, Access};

impl Job {
    /// Looks in the mission's records for what the worker cannot go on without.
    pub async fn answer(&self) -> Result<(), Failure> {
        let need = self.state.why.clone().unwrap_or_default();
        let records = Records::read(&self.site.folder, &self.seen)?;
        let director = self.site.supervisor.director();
        let found = director.known(&need, &records.for_a_question()).await;
        let text = match found {
            Ok(found) => found.map(|found| found.text),
            Err(ReviewError::NoBackend) => None,
            Err(error) => {
                let why = in_full(&error);
                self.say(
                    Urgency::Info,
                    &format!("nothing is known of what it needs: {why}"),
                );
                None
            }
        };
        self.note(Step::Answered { text }).await;
        Ok(())
    }
}

impl Coordinator {
    /// After a start: workers that are there are watched again, and those that are not are known to be gone.
    pub(super) async fn find_again(&mut self) {
        let with_pane = |(place, (_, state)): (usize, (_, &crate::mission::machine::TaskState))| {
            state.pane.is_some().then_some(place)
        };
        let places: Vec<usize> = self
            .machine
            .tasks()
            .enumerate()
            .filter_map(with_pane)
            .collect();
        if places.is_empty() {
            return;
        }
        let found = loop {
            match self.site.workers.found(&self.site.names).await {
                Ok(found) => break found,
                Err(failure) => {
                    // nobody is given up because zellij did not answer
                    self.trouble = Some(failure.to_string());
                    self.publish();
                    tokio::time::sleep(self.site.pace.again).await;
                }
            }
        };
        self.trouble = None;
        for place in places {
            let Some(job) = self.job(place) else { continue };
            let wanted = job.wanted();
            let is_there = found.iter().any(|(agent, _)| *agent == wanted.agent);
            let is_watched =
                is_there && matches!(self.site.workers.adopt(&wanted).await, Ok(Some(_)));
            if !is_watched {
                self.write_step(place, Step::Closed).await;
            }
        }
    }

    /// Why what the person wants cannot be done now, where it cannot.
    pub(super) fn refuse(&self, what: &What) -> Option<Failure> {
        let mission = self.site.names.mission();
        if self.machine.phase() == Phase::Finished {
            return Some(Failure::usage(format!("mission {mission} is finished")));
        }
        match what {
            What::Task { task, step } => self.refuse_step(task, step),
            What::Accepted { proposal } => {
                let known = self.machine.proposals();
                if known.iter().any(|one| one.task.slug == *proposal) {
                    return None;
                }
                let text = format!("no task `{proposal}` was proposed");
                Some(
                    Failure::usage(text)
                        .hint(format!("`/mission status {mission}` lists those that were")),
                )
            }
            What::Edited { edited } => self.machine.plan_with(edited).err().map(Failure::usage),
            What::Resumed if self.machine.phase() == Phase::Running => {
                Some(Failure::usage(format!("mission {mission} is not paused")))
            }
            What::Paused if self.machine.phase() != Phase::Running => {
                let word = self.machine.phase().as_str();
                Some(Failure::usage(format!(
                    "mission {mission} does not run: it is {word}"
                )))
            }
            _ => None,
        }
    }

    fn refuse_step(&self, task: &TaskId, step: &Step) -> Option<Failure> {
        let mission = self.site.names.mission();
        let Some((_, of_task)) = self
            .machine
            .position(task)
            .and_then(|place| self.machine.task(place))
        else {
            let known: Vec<&str> = self
                .machine
                .plan()
                .tasks
                .iter()
                .map(|task| task.slug.as_str())
                .collect();
            let failure = Failure::usage(format!("mission {mission} has no task `{task}`"));
            return Some(failure.hint(format!("there are: {}", known.join(", "))));
        };
        let usage = |text: String, hint: String| Some(Failure::usage(text).hint(hint));
        let is = of_task.stage;
        let explain = format!("`/mission explain {mission} {task}` tells what is done about it");
        match step {
            Step::Message { .. } | Step::Retried { .. } | Step::TakenOver
                if is == Stage::Waiting =>
            {
                usage(format!("{task} has not started yet"), explain)
            }
            Step::Message { .. } if !matches!(of_task.wants, Wants::Nothing | Wants::Watching) => {
                usage(
                    format!("{task} is not at work now, and not at rest: say it again in a moment"),
                    explain,
                )
            }
            Step::Retried { .. } if matches!(is, Stage::Running | Stage::Checking) => usage(
                format!("{task} is being worked on"),
                format!("`/mission stop {mission} {task}` stops it first"),
            ),
            Step::Stopped if !matches!(is, Stage::Running | Stage::Checking | Stage::Blocked) => {
                usage(
                    format!("{task} is {}: there is nothing to stop", is.as_str()),
                    explain,
                )
            }
            Step::Dropped if is == Stage::Done => usage(format!("{task} is done"), explain),
            Step::TakenOver if of_task.pane.is_none() => usage(
                format!("{task} has no pane any more"),
                format!("`/mission retry {mission} {task}` gives it a worker"),
            ),
            _ => None,
        }
    }

    /// A report that came by another way than the worker's file is put there.
    pub(super) fn report(&self, task: &TaskId, text: &str) -> Result<(), Failure> {
        let state = self
            .machine
            .position(task)
            .and_then(|place| self.machine.task(place));
        // it may be done before the program knows that it was told
        let is_awaited = |(_, state): &(&_, &TaskState)| match state.wants {
            Wants::Watching => true,
            Wants::Telling(_) => state.telling.is_some(),
            _ => false,
        };
        let Some((_, state)) = state.filter(is_awaited) else {
            let text = format!("nobody waits for a report of `{task}` now");
            return Err(Failure::new(Kind::Failed, text));
        };
        let folder = self.site.names.folder(task);
        write_control(&folder, &names::report_file(task, state.briefs), text)
    }
}

/// Writes a file into the control folder of a task, which a worker could have put a link into.
pub(super) fn write_control(folder: &Path, file: &Path, text: &str) -> Result<(), Failure> {
    let path = make_folder_of(folder, file)?;
    store::write_text(&path, text, Access::AsUsual)?;
    Ok(())
}

/// Makes the folder of a file in the control folder; the file's whole path.
pub(super) fn make_folder_of(folder: &Path, file: &Path) -> Result<PathBuf, Failure> {
    let mut at = folder.to_path_buf();
    for part in file.components() {
        at.push(part);
        if at.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
            let text = format!("{} is a link, which is not followed", at.display());
            return Err(
                Failure::new(Kind::Failed, text).hint("see who put it there, and remove it")
            );
        }
    }
    if let Some(parent) = at.parent() {
        store::private_folder(parent)?;
    }
    Ok(at)
}
