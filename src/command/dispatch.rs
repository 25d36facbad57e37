//! Carries commands out on a supervisor in the same process.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;
use tokio::sync::{broadcast, watch};

use super::missions::{self, MissionVerb};
use super::{Answering, Client, Command, Event, Goal, Health, MissionView, Reply, Setting, help};
use crate::agent::view::{AgentView, Notice};
use crate::error::{Failure, Kind};
use crate::ids::{AgentId, MissionId, PaneAddress};
use crate::mission::journal::What;
use crate::mission::missions::Missions;
use crate::mission::plan::Task;
use crate::mission::ready::Ready;
use crate::notify::{Looking, Notifier, Ring};
use crate::store;
use crate::supervisor::{Asked, Change, Finished, Supervisor};

/// The longest goal that is read from a file, in bytes.
const LONGEST_GOAL: u64 = 64 * 1024;

/// A client of a supervisor in the same process. Clones are the same one; what it was asked, no other client
/// answers.
#[derive(Clone)]
pub struct Local {
    supervisor: Supervisor,
    asked: Arc<Asked>,
    notifier: Option<Notifier>,
    /// Somebody looks at this front end.
    looking: Arc<Mutex<Option<Looking>>>,
    missions: Option<Missions>,
    /// What of a mission it was asked about last.
    planned: Arc<Mutex<Option<Planned>>>,
    /// The panes that it speaks out of, where it is in another process.
    panes: Vec<PaneAddress>,
}

/// What of a mission waits for the person's yes.
enum Planned {
    /// A plan that is to be run.
    Run(Box<Ready>),
    /// A task of a mission, as it is to be.
    Edit(MissionId, Box<Task>),
}

impl Local {
    /// A new client of `supervisor`.
    pub fn new(supervisor: Supervisor) -> Self {
        Self {
            supervisor,
            asked: Arc::default(),
            notifier: None,
            looking: Arc::default(),
            missions: None,
            planned: Arc::default(),
            panes: Vec::new(),
        }
    }

    /// Another client of the same: what one is asked, the other does not answer.
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            notifier: self.notifier.clone(),
            missions: self.missions.clone(),
            ..Self::new(self.supervisor.clone())
        }
    }

    /// The same in a process that runs in these panes: what runs in a supervised pane may look, and steer nothing.
    #[must_use]
    pub fn out_of(mut self, panes: Vec<PaneAddress>) -> Self {
        self.panes = panes;
        self
    }

    /// The same with the bell of that supervisor.
    #[must_use]
    pub fn with_bell(mut self, notifier: Notifier) -> Self {
        self.notifier = Some(notifier);
        self
    }

    /// The same with the missions of that supervisor.
    #[must_use]
    pub fn with_missions(mut self, missions: Missions) -> Self {
        self.missions = Some(missions);
        self
    }

    /// The agent out of whose pane this comes, where it is one.
    fn supervised(&self) -> Option<Arc<AgentView>> {
        let mut views = self.supervisor.views().into_iter();
        views.find(|view| self.panes.contains(&view.pane))
    }

    /// An agent may not answer itself, or grant itself anything, by a command of its own.
    fn refuse_the_supervised(&self) -> Result<(), Failure> {
        let Some(agent) = self.supervised() else {
            return Ok(());
        };
        let text = format!(
            "this comes out of {}, the pane of {}: what is supervised does not steer its supervisor",
            agent.pane, agent.id
        );
        Err(Failure::new(Kind::Failed, text).hint("say it in another pane"))
    }

    async fn carry_out(&self, command: Command) -> Result<Reply, Failure> {
        let supervisor = &self.supervisor;
        if let Command::TaskReport { text } = command {
            // the one thing that a worker says: it is not believed
            return self.task_report(text).await.map(Reply::Done);
        }
        if !command.only_looks() {
            self.refuse_the_supervised()?;
        }
        if !matches!(command, Command::Yes | Command::No) {
            // a yes is about what was asked just before it, and nothing else
            self.asked.drop_question();
            self.planned().take();
        }
        let said = match command {
            Command::List => return Ok(Reply::Agents(supervisor.views())),
            Command::Add {
                id,
                pane,
                kind,
                goal,
            } => supervisor.add(id, pane, kind, read(goal)?).await?,
            Command::Stop { id } => supervisor.stop(&id).await?,
            Command::Start { id } => supervisor.start_agent(&id).await?,
            Command::Remove { id } => supervisor.remove(&id).await?,
            Command::Reply { id, text } => supervisor.reply(&id, text).await?,
            Command::Approve { id, option } => supervisor.approve(&id, option).await?,
            Command::Deny { id, text } => supervisor.deny(&id, text).await?,
            Command::Answer { id, option } => supervisor.answer(&id, option).await?,
            Command::Hold { id, minutes } => supervisor.hold(&id, minutes).await?,
            Command::Release { id } => supervisor.release(&id).await?,
            Command::StopAll => supervisor.stop_all().await?,
            Command::StartAll => supervisor.start_all().await?,
            Command::Explain { id, json } => return self.explain(&id, json).await,
            Command::Screen { id } => {
                return Ok(Reply::Screen(Box::new(supervisor.screen(&id).await?)));
            }
            Command::Focus { id } => supervisor.focus(&id).await?,
            Command::Decision { id, decision } => {
                let steps = supervisor.decision(&id, decision).await?.found;
                return Ok(Reply::Decision { id, steps });
            }
            Command::Reviews { id, count } => {
                let reviews = supervisor.reviews(&id, count).await?.found;
                return Ok(Reply::Reviews { id, reviews });
            }
            Command::Snooze { id, minutes } => supervisor.snooze(&id, minutes)?,
            Command::Capture { id, folder } => supervisor.capture(&id, folder).await?,
            Command::Review { id, send } => return self.review(&id, send).await,
            Command::Save { path } => supervisor.save(path).await?,
            Command::Load { path } => supervisor.load(&path).await?,
            Command::Trust => return self.trust().await,
            Command::Notify { test } => return self.notify(test).await,
            Command::Quit => return Ok(Reply::Bye(supervisor.quit().await)),
            Command::Help { command } => return help::help(command.as_deref()).map(Reply::Text),
            Command::Panes => return Ok(Reply::Panes(supervisor.panes().await?)),
            Command::Adopt { pattern } => return self.adopt(pattern.as_deref()).await,
            Command::Log { id, count } => {
                let read = supervisor.memos(&id, count).await?;
                return Ok(Reply::Memos {
                    id,
                    memos: read.found,
                    skipped: read.skipped,
                });
            }
            Command::Set { id, setting } => supervisor.set(&id, change(setting)?).await?,
            Command::Mission { verb, rest } => return self.mission(verb, rest.trim()).await,
            Command::Workers => {
                let (views, now) = (self.missions(), Utc::now());
                let workers = views.iter().flat_map(|view| view.workers(now));
                return Ok(Reply::Workers(workers.collect()));
            }
            Command::TaskReport { text } => self.task_report(text).await?,
            Command::Yes => {
                let planned = self.planned().take();
                match planned {
                    Some(Planned::Run(ready)) => self.begin(*ready).await?,
                    Some(Planned::Edit(id, edited)) => self.edit(&id, edited).await?,
                    None => supervisor.yes(&self.asked).await?,
                }
            }
            Command::No => match self.planned().take() {
                Some(Planned::Run(_)) => "it is not run".to_owned(),
                Some(Planned::Edit(..)) => "it stays as it was".to_owned(),
                None => supervisor.no(&self.asked)?,
            },
        };
        Ok(Reply::Done(said))
    }

    fn planned(&self) -> std::sync::MutexGuard<'_, Option<Planned>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn mission(&self, verb: MissionVerb, rest: &str) -> Result<Reply, Failure> {
        let missions = self.all_missions()?;
        let (planned, question) = match verb {
            MissionVerb::Run => {
                let (ready, question) = missions::read(rest).await?;
                (Planned::Run(Box::new(ready)), question)
            }
            MissionVerb::Edit => {
                let (id, edited, question) = missions::read_edited(missions, rest)?;
                (Planned::Edit(id, Box::new(edited)), question)
            }
            _ => return missions::carry_out(missions, verb, rest).await,
        };
        *self.planned() = Some(planned);
        Ok(Reply::Confirm(question))
    }

    async fn edit(&self, id: &MissionId, edited: Box<Task>) -> Result<String, Failure> {
        let task = edited.slug.clone();
        let missions = self.all_missions()?;
        missions.say(id, What::Edited { edited }).await?;
        Ok(format!(
            "{task} is changed; `/mission retry {id} {task}` tries it"
        ))
    }

    async fn begin(&self, ready: Ready) -> Result<String, Failure> {
        let id = self.all_missions()?.begin(ready).await?;
        Ok(format!(
            "mission {id} begins; `/mission status {id}` shows it"
        ))
    }

    async fn task_report(&self, text: String) -> Result<String, Failure> {
        let agent = self.supervised().ok_or_else(|| {
            Failure::usage("this comes out of the pane of no worker")
                .hint("it is for a mission's worker, in its own pane")
        })?;
        self.all_missions()?.report_of(&agent.id, text).await
    }

    fn all_missions(&self) -> Result<&Missions, Failure> {
        let missions = self.missions.as_ref();
        missions.ok_or_else(|| Failure::new(Kind::Failed, "this run has no missions"))
    }

    async fn explain(&self, id: &AgentId, json: bool) -> Result<Reply, Failure> {
        let explained = self.supervisor.explain(id).await?;
        if !json {
            return Ok(Reply::Explanation(Box::new(explained)));
        }
        let text = serde_json::to_string_pretty(&explained);
        let text = text.map_err(|error| Failure::from_error(Kind::Bug, &error))?;
        Ok(Reply::Text(text))
    }

    async fn review(&self, id: &AgentId, send: bool) -> Result<Reply, Failure> {
        let Finished { review, waits } = self
            .supervisor
            .review(id, send.then_some(self.asked.as_ref()))
            .await?;
        let mut text = format!("Review of {id} by {}:\n\n{}", review.by, review.text);
        match (&review.instruction, waits) {
            (Some(instruction), true) => {
                let _ = write!(text, "\n\nType this to {id}? `{instruction}`");
                return Ok(Reply::Confirm(text));
            }
            (Some(instruction), false) if send => {
                let _ = write!(
                    text,
                    "\n\nIt would type: {instruction}\n\nSomething else waits for your answer, or {id} is gone: to type this, `/reply {id} ...`"
                );
            }
            (Some(instruction), false) => {
                let _ = write!(text, "\n\nIt would type: {instruction}");
            }
            (None, _) if send => text.push_str("\n\nIt proposes nothing that could be typed."),
            (None, _) => {}
        }
        Ok(Reply::Text(text))
    }

    async fn notify(&self, test: bool) -> Result<Reply, Failure> {
        let Some(notifier) = &self.notifier else {
            return Err(Failure::new(Kind::Failed, "nobody is told by this run"));
        };
        let said = if test {
            notifier.test().await
        } else {
            notifier.state()
        };
        Ok(Reply::Text(said))
    }

    async fn trust(&self) -> Result<Reply, Failure> {
        let question = self.supervisor.trust(&self.asked).await?;
        Ok(match question {
            Some(question) => Reply::Confirm(question),
            None => Reply::Done("all of the configuration holds: nothing is left out".to_owned()),
        })
    }

    async fn adopt(&self, pattern: Option<&str>) -> Result<Reply, Failure> {
        let found = self.supervisor.adopt(pattern, &self.asked).await?;
        Ok(match found {
            Some(question) => Reply::Confirm(question),
            None => Reply::Done(
                "no pane in which a coding agent runs is without supervision".to_owned(),
            ),
        })
    }
}

impl Client for Local {
    fn rings(&self) -> broadcast::Receiver<Ring> {
        let notifier = self.notifier.as_ref();
        notifier.map_or_else(|| broadcast::Sender::new(1).subscribe(), Notifier::rings)
    }

    fn attended(&self, looks: bool) {
        // one that says it is looked at could keep the person from being told that it waits for them
        let may_say = looks && self.refuse_the_supervised().is_ok();
        let notifier = self.notifier.as_ref().filter(|_| may_say);
        let looking = notifier.map(Notifier::looked_at);
        *self.looking.lock().unwrap_or_else(PoisonError::into_inner) = looking;
    }

    fn send(&self, command: Command) -> Answering<'_> {
        Box::pin(self.carry_out(command))
    }

    fn views(&self) -> Vec<Arc<AgentView>> {
        self.supervisor.views()
    }

    fn missions(&self) -> Vec<Arc<MissionView>> {
        self.missions
            .as_ref()
            .map(Missions::views)
            .unwrap_or_default()
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.supervisor.notices()
    }

    fn known_panes(&self) -> Vec<String> {
        self.supervisor.known_panes()
    }

    fn known_kinds(&self) -> Vec<String> {
        self.supervisor.kinds()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.supervisor.changes()
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.supervisor.events()
    }

    fn health(&self) -> Health {
        self.supervisor.health()
    }
}

fn change(setting: Setting) -> Result<Change, Failure> {
    Ok(match setting {
        Setting::Goal(goal) => Change::Goal(read(goal)?),
        Setting::StallSec(seconds) => Change::StallSec(seconds),
        Setting::PollSec(seconds) => Change::PollSec(seconds),
        Setting::Pane(pane) => Change::Pane(pane),
        Setting::Observe(observe) => Change::Observe(observe),
        Setting::Kind(kind) => Change::Kind(kind),
    })
}

fn read(goal: Goal) -> Result<String, Failure> {
    match goal {
        Goal::Text(text) => Ok(text),
        Goal::File(path) => read_file(&path),
    }
}

fn read_file(path: &Path) -> Result<String, Failure> {
    let document = store::read_document(path, LONGEST_GOAL)?;
    let document =
        document.ok_or_else(|| Failure::usage(format!("there is no file {}", path.display())))?;
    let text = document.text().trim();
    if text.is_empty() {
        return Err(Failure::usage(format!("{} is empty", path.display())));
    }
    Ok(text.to_owned())
}
