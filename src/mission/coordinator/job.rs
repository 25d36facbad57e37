//! What is done for one task at one moment: a folder, a worker, a word to it, a merge.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use super::answer::{make_folder_of, write_control};
use super::{Note, Site};
use crate::agent::view::Urgency;
use crate::error::{Failure, Kind};
use crate::ids::{AgentId, TaskId};
use crate::mission::brief::{self, Brief, Scene};
use crate::mission::journal::Step;
use crate::mission::machine::{Message, Proof, TaskState, Wants};
use crate::mission::merge::{self, Merge};
use crate::mission::plan::{Plan, Task};
use crate::mission::receipt::Receipt;
use crate::mission::view::MissionView;
use crate::mission::worker::{Look, Told, Wanted};
use crate::mission::{names, verify, worktree};
use crate::screen::state::State;

/// How often opening a worker is tried before the person is told.
const TRIES: u32 = 3;
/// How long a worker that cannot be told anything is waited for.
const UNTOLD: Duration = Duration::from_hours(4);

/// Everything that a job knows: what it was when it began.
pub(super) struct Job {
    pub site: Arc<Site>,
    pub plan: Arc<Plan>,
    pub place: usize,
    pub task: Task,
    pub state: TaskState,
    /// The reports of the tasks that it depends on.
    pub reports: Vec<(TaskId, String)>,
    /// The last receipt of each criterion.
    pub last: Vec<Receipt>,
    /// What must pass on the merged tree.
    pub proofs: Vec<Proof>,
    /// Its criteria that pass before any work.
    pub passing_before: Vec<usize>,
    /// The mission as it was seen last.
    pub seen: Arc<MissionView>,
    pub notes: mpsc::Sender<Note>,
    pub receipts: mpsc::Sender<Receipt>,
}

/// What became of a line for a worker.
enum Nudged {
    /// It has it.
    Told,
    /// It stands in its prompt, not sent.
    LeftOver,
    /// The worker is gone, and why.
    Gone(String),
    /// It took nothing for too long.
    Never,
}

impl Job {
    pub async fn run(self, wants: Wants) {
        let done = match wants {
            Wants::Nothing => Ok(()),
            Wants::Folder => self.make_folder().await,
            Wants::Worker => self.open_worker().await,
            Wants::Telling(message) => self.tell(&message).await,
            Wants::Watching => self.watch().await,
            Wants::Checking => self.check().await,
            Wants::Answer => self.answer().await,
            Wants::Merging => self.merge().await,
            Wants::Proving => self.prove().await,
            Wants::TakingBack => self.take_back().await,
            Wants::Closing { then_fresh } => {
                if then_fresh {
                    self.may_be_closed().await;
                }
                self.close().await
            }
        };
        if let Err(failure) = done {
            let why = failure.to_string();
            self.say(Urgency::Person, &why);
            self.note(Step::Trouble { why }).await;
        }
    }

    /// Has a line written, and returns when it is.
    pub async fn note(&self, step: Step) {
        let (written, done) = oneshot::channel();
        let place = self.place;
        let note = Note {
            place,
            step,
            written,
        };
        // where nobody writes any more, nothing may be done any more either
        if self.notes.send(note).await.is_err() || done.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    pub fn say(&self, urgency: Urgency, text: &str) {
        let (mission, task) = (self.site.names.mission(), &self.task.slug);
        let text = format!("{mission}, {task}: {text}");
        self.site.supervisor.announce(urgency, text);
    }

    /// Where the task is worked on.
    pub fn folder(&self) -> std::path::PathBuf {
        self.site.names.folder(&self.task.slug)
    }

    async fn make_folder(&self) -> Result<(), Failure> {
        let commit = match &self.site.repository {
            Some(repository) => {
                let from = self.site.names.integration_branch();
                let prepared =
                    worktree::prepare(&self.site.names, repository, &self.task.slug, &from);
                let prepared = prepared.await?;
                let folder = prepared.folder;
                verify::setup(&self.plan.setup, &folder)
                    .await
                    .map_err(|error| {
                        Failure::from_error(Kind::Failed, &error)
                            .because_text(error.tail.clone())
                            .hint("correct `setup` in the plan, and `/mission retry` the task")
                    })?;
                Some(prepared.begun_from)
            }
            None => None,
        };
        self.make_control()?;
        self.note(Step::Prepared { commit }).await;
        Ok(())
    }

    /// The folder for what is told to and by the worker, and the contract in it.
    pub fn make_control(&self) -> Result<(), Failure> {
        let file = names::contract_file(&self.task.slug);
        match &self.plan.contract {
            Some(contract) => write_control(&self.folder(), &file, contract),
            None => make_folder_of(&self.folder(), &file).map(drop),
        }
    }

    async fn open_worker(&self) -> Result<(), Failure> {
        let wanted = self.wanted();
        let mut tries = 0;
        let opened = loop {
            tries += 1;
            match self.site.workers.open(&wanted).await {
                Ok(opened) => break opened,
                // what is not there will not be there in five seconds
                Err(failure) if failure.kind == Kind::Missing || tries >= TRIES => {
                    return Err(failure);
                }
                Err(failure) => {
                    self.say(
                        Urgency::Warning,
                        &format!("{failure}; it is tried once more"),
                    );
                    sleep(self.site.pace.again).await;
                }
            }
        };
        self.note(Step::Opened {
            pane: opened.pane,
            fresh: !opened.was_there,
        })
        .await;
        Ok(())
    }

    /// The worker of the task.
    pub fn wanted(&self) -> Wanted {
        let names = &self.site.names;
        Wanted {
            agent: names.worker(&self.task.slug),
            on: format!("{}/{}", names.mission(), self.task.slug),
            goal: format!("{}: {}", self.task.title, self.task.description),
            folder: self.folder(),
            role: self.task.role,
        }
    }

    /// Gives the worker a brief: the same one again where that was begun before a crash.
    async fn tell(&self, message: &Message) -> Result<(), Failure> {
        let number = match self.state.telling {
            Some((number, _)) => number,
            None => self.state.briefs + 1,
        };
        let since = self.state.telling.map(|(_, since)| since);
        let text = self.brief(number, message);
        self.make_control()?;
        let file = names::brief_file(&self.task.slug, number);
        write_control(&self.folder(), &file, &text)?;
        if since.is_none() {
            self.note(Step::Telling { number }).await;
        }
        let nudge = brief::nudge(&self.task.slug, number);
        // one that works on beyond its time may do so no longer than one that heeds it
        let until = Instant::now()
            + match message {
                Message::TimeUp => super::watch::grace(&self.task),
                _ => UNTOLD,
            };
        match self.nudge(&nudge, since, until).await {
            Nudged::Told => self.note(Step::Told { number }).await,
            Nudged::Gone(why) => self.note(Step::Lost { why }).await,
            Nudged::Never => {
                let agent = self.site.names.worker(&self.task.slug);
                let closed = self.site.workers.close(&agent, self.state.pane.as_ref());
                closed.await?;
                let why = "it could not be told anything".to_owned();
                self.note(Step::Lost { why }).await;
            }
            Nudged::LeftOver => {
                let text = "what it was to be told stands in its prompt, and was not sent: another takes its place";
                self.say(Urgency::Warning, text);
                self.close().await?;
            }
        }
        Ok(())
    }

    /// Tells the worker a line, as often as it takes.
    async fn nudge(&self, line: &str, since: Option<DateTime<Utc>>, until: Instant) -> Nudged {
        let (workers, pace) = (&self.site.workers, self.site.pace);
        let agent = self.site.names.worker(&self.task.slug);
        let mut said = String::new();
        loop {
            let failure = match self.say_to(&agent, line, since).await {
                Ok(Told::LeftOver) => return Nudged::LeftOver,
                Ok(_) => return Nudged::Told,
                Err(failure) => failure,
            };
            match workers.look(&agent) {
                None => return Nudged::Gone(super::watch::UNSUPERVISED.to_owned()),
                Some(Look {
                    gone: Some(why), ..
                }) => return Nudged::Gone(why),
                Some(look) if Instant::now() > until && !super::watch::waits(&look) => {
                    return Nudged::Never;
                }
                Some(_) => {}
            }
            let why = failure.to_string();
            if why != said {
                self.say(Urgency::Warning, &format!("it was not told yet: {why}"));
                said = why;
            }
            sleep(pace.again).await;
        }
    }

    /// Types one line to the worker, once it stands at its prompt.
    pub async fn say_to(
        &self,
        agent: &AgentId,
        line: &str,
        since: Option<DateTime<Utc>>,
    ) -> Result<Told, Failure> {
        let workers = &self.site.workers;
        let within = self.site.pace.tell;
        // a worker that is held is not answered its dialogs either
        workers.release(agent).await?;
        if since.is_none() {
            self.at_rest(agent, within).await;
            // nobody nudges it before it knows what it is here for
            workers.hold(agent).await?;
        }
        workers.tell(agent, line, within, since).await
    }

    /// Waits until the worker is seen at its prompt, but no longer than that.
    async fn at_rest(&self, agent: &AgentId, within: Duration) {
        let until = Instant::now() + within;
        let rests = || {
            let look = self.site.workers.look(agent);
            look.is_none_or(|look| look.state == Some(State::Idle) || look.gone.is_some())
        };
        while !rests() && Instant::now() < until {
            sleep(self.site.pace.look).await;
        }
    }

    /// Who a brief is for, and what it can know.
    pub fn scene<'a>(&'a self, number: u32, folder: &'a Path) -> Scene<'a> {
        Scene {
            plan: &self.plan,
            task: &self.task,
            number,
            folder,
            base: self.state.base.as_deref(),
            reports: &self.reports,
            earlier: &self.state.wrong,
            is_repository: self.site.names.is_repository(),
        }
    }

    fn brief(&self, number: u32, message: &Message) -> String {
        let folder = self.folder();
        let scene = self.scene(number, &folder);
        let failed: Vec<Receipt> = self
            .last
            .iter()
            .filter(|one| !one.passed())
            .cloned()
            .collect();
        let undone: Vec<String> = self
            .last
            .iter()
            .flat_map(|one| one.undone.clone())
            .collect();
        let integration_branch = self.site.names.integration_branch();
        let (attempt, of) = (self.state.attempt, self.state.attempts);
        let brief = match message {
            Message::Begin => Brief::Begin {
                attempt,
                of,
                failed: &failed,
                undone: &undone,
            },
            Message::Retry => Brief::Retry {
                attempt,
                of,
                failed: &failed,
                undone: &undone,
                why: self.unsaid(&failed),
            },
            Message::Conflict(files) => Brief::Conflict {
                integration_branch: &integration_branch,
                files,
            },
            Message::TakenBack => Brief::TakenBack {
                attempt,
                of,
                integration_branch: &integration_branch,
                failed: &failed,
            },
            Message::Unsaved(files) => Brief::Unsaved { files },
            Message::TimeUp => Brief::TimeUp {
                minutes: super::watch::grace(&self.task)
                    .as_secs()
                    .div_ceil(60)
                    .try_into()
                    .unwrap_or(5),
                receipts: &self.last,
            },
            Message::Answer(text) => Brief::Answer { text },
            Message::Person(text) => Brief::Message { text },
        };
        brief::text(&scene, &brief)
    }

    /// What went wrong last, where no receipt of these tells it.
    fn unsaid(&self, failed: &[Receipt]) -> Option<&str> {
        let wrong = self.state.wrong.last()?;
        let is_said = failed.iter().any(|one| wrong.contains(&one.what));
        (!is_said).then_some(wrong)
    }

    async fn merge(&self) -> Result<(), Failure> {
        let Some(repository) = &self.site.repository else {
            return Ok(());
        };
        let names = &self.site.names;
        let tip = merge::settle(names, repository).await?;
        match &self.state.before {
            Some(before) if *before != tip => {
                // a merge of before a crash that nobody has written down yet
                let done = merge::merged_as(names, repository, &self.task.slug).await;
                if let Some(done) = done? {
                    self.note(merged(done.commit)).await;
                    return Ok(());
                }
            }
            Some(_) => {}
            None => self.note(Step::Merging { before: tip }).await,
        }
        let message = format!("{}: {}", self.task.slug, self.task.title);
        let judges = self.judges(repository).await?;
        let done = merge::merge(names, repository, &self.task, &message, &judges).await;
        let step = match done? {
            Merge::Merged {
                commit,
                outside,
                left_out,
                ..
            } => {
                if !outside.is_empty() {
                    let text = format!("it changed what it may not: {}", outside.join(", "));
                    self.say(Urgency::Warning, &text);
                }
                if !left_out.is_empty() {
                    let text = format!(
                        "not merged, because work is judged by it: {}",
                        left_out.join(", ")
                    );
                    self.say(Urgency::Warning, &text);
                }
                Step::Merged {
                    commit,
                    outside,
                    left_out,
                }
            }
            Merge::NothingToMerge { commit } => merged(commit),
            Merge::Conflict { files } => Step::Conflict { files },
            Merge::Unsaved { files } => Step::Unsaved { files },
        };
        self.note(step).await;
        Ok(())
    }

    async fn take_back(&self) -> Result<(), Failure> {
        if let (Some(repository), Some(before)) = (&self.site.repository, &self.state.before) {
            let taken = merge::take_back(&self.site.names, repository, before).await;
            taken?;
        }
        self.note(Step::TakenBack).await;
        Ok(())
    }

    /// Waits until nobody's draft stands in the worker's prompt, which would be lost with the pane, and the person
    /// does not hold it.
    async fn may_be_closed(&self) {
        let agent = self.site.names.worker(&self.task.slug);
        let is_somebodys = || {
            let look = self.site.workers.look(&agent);
            let look = look.filter(|look| look.gone.is_none());
            look.is_some_and(|look| look.withheld || look.state == Some(State::Draft))
        };
        if is_somebodys() {
            let text = "a fresh worker is to take its place: that waits until no draft stands in its prompt, and you \
                        do not hold it";
            self.say(Urgency::Person, text);
        }
        while is_somebodys() {
            sleep(self.site.pace.look).await;
        }
    }

    /// Closes the worker's pane; what does not end is tried again, and the person is told.
    async fn close(&self) -> Result<(), Failure> {
        let agent = self.site.names.worker(&self.task.slug);
        let mut said = false;
        loop {
            let closed = self.site.workers.close(&agent, self.state.pane.as_ref());
            match closed.await {
                Ok(()) => break,
                Err(failure) => {
                    if !said {
                        self.say(Urgency::Person, &failure.to_string());
                    }
                    said = true;
                    sleep(self.site.pace.again).await;
                }
            }
        }
        self.note(Step::Closed).await;
        Ok(())
    }
}

/// A merge in which there was nothing to be told of.
const fn merged(commit: String) -> Step {
    Step::Merged {
        commit,
        outside: Vec::new(),
        left_out: Vec::new(),
    }
}
