//! Every mission of this program in one place: begun, steered, taken up again, finished.
//!
//! A mission is carried out by a task of its own; what is here finds it, hands it the person's word, and reads
//! from the disk what nobody carries out any more. It knows no front end.

mod finish;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;
use tokio::sync::oneshot;

use super::coordinator::{self, Order, Pace, Running, Site};
use super::folder::{self, Folder};
use super::journal::{Entry, Step, What};
use super::ledger::Ledger;
use super::machine::{Machine, Phase};
use super::names::Names;
use super::plan::Task;
use super::plan::check::{Finding, check};
use super::ready::{Ready, read_plan};
use super::records::Records;
use super::view::MissionView;
use super::worker::Workers;
use super::worktree;
use crate::error::{Failure, Kind};
use crate::git::Repository;
use crate::host::Host;
use crate::ids::{AgentId, MissionId, TaskId};
use crate::store::Lock;
use crate::supervisor::Supervisor;

/// The longest name that is made of a goal, in characters.
const LONGEST_NAME: usize = 24;

/// All missions; clones are the same.
#[derive(Clone)]
pub struct Missions {
    inner: Arc<Inner>,
}

struct Inner {
    supervisor: Supervisor,
    running: Mutex<BTreeMap<MissionId, InProgress>>,
    /// One mission is begun, taken up or finished at a time.
    one: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct InProgress {
    site: Arc<Site>,
    running: Running,
}

/// A task that the person has changed, before the mission has it.
#[derive(Debug, Clone)]
pub struct Edited {
    /// As the mission has it.
    pub before: Task,
    /// As the file has it.
    pub after: Task,
    /// What is wrong with it now, or odd.
    pub findings: Vec<Finding>,
}

impl Missions {
    /// The missions of a supervisor; none is taken up by itself.
    pub fn new(supervisor: Supervisor) -> Self {
        Self {
            inner: Arc::new(Inner {
                supervisor,
                running: Mutex::default(),
                one: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// The missions that are carried out or were since the start, by their names.
    pub fn views(&self) -> Vec<Arc<MissionView>> {
        let running = self.running();
        running
            .values()
            .map(|one| Arc::clone(&one.running.view.borrow()))
            .collect()
    }

    /// Every mission that there is, also those that nobody carries out.
    ///
    /// # Errors
    /// When their folder cannot be read.
    pub fn all(&self) -> Result<Vec<MissionId>, Failure> {
        Ok(folder::all(self.inner.supervisor.log_dir())?)
    }

    /// Whether a mission can be read and is not finished. What nobody carries out is read from the disk, of a finished
    /// one its last line alone.
    pub fn is_open(&self, id: &MissionId) -> bool {
        let is_carried_out = self.running().contains_key(id);
        if !is_carried_out && self.folder(id).is_finished() {
            return false;
        }
        self.view(id)
            .is_ok_and(|view| view.phase != Phase::Finished)
    }

    /// Those that are neither finished nor carried out now.
    pub fn unfinished(&self) -> Vec<MissionId> {
        let mut ids = self.all().unwrap_or_default();
        let running = self.running();
        ids.retain(|id| !running.contains_key(id));
        drop(running);
        ids.retain(|id| !self.folder(id).is_finished());
        ids.retain(|id| {
            let machine = self.machine(id);
            machine.is_ok_and(|(machine, _)| {
                matches!(machine.phase(), Phase::Running | Phase::Paused)
                    && machine.begun_at().is_some()
            })
        });
        ids
    }

    /// Begins a mission, on the person's yes to its plan. Its name.
    ///
    /// # Errors
    /// When the plan cannot be followed, or what it needs cannot be made.
    pub async fn begin(&self, ready: Ready) -> Result<MissionId, Failure> {
        let _one = self.inner.one.lock().await;
        if !ready.can_be_followed() {
            return Err(Failure::usage("the plan cannot be followed").hint(
                "`meta-orchestrator mission check FILE` tells everything that is wrong with it",
            ));
        }
        let id = self.new_name(&ready.plan.goal)?;
        let folder = self.folder(&id);
        folder.make(&ready.plan)?;
        let lock = self.lock(&id)?;
        let names = Names::new(ready.root.clone(), id.clone(), ready.repository.is_some());
        if let (Some(repository), Some((base, _))) = (&ready.repository, &ready.base) {
            worktree::integration(&names, repository, base).await?;
        }
        let (base, commit) = ready.base.unzip();
        let begun = What::Begun {
            root: ready.root,
            base: base.clone(),
            commit,
        };
        let entry = Entry::new(Utc::now(), begun);
        let writer = self.inner.supervisor.writer();
        Folder::append(writer, &folder.journal(), &entry).await?;
        let machine = Machine::new(ready.plan, ready.repository.is_some());
        let mut machine = machine.ok_or_else(no_graph)?;
        machine.apply(&entry);
        self.carry_out(names, ready.repository, base, machine, lock)
            .await?;
        Ok(id)
    }

    /// Takes up a mission that nobody carries out.
    ///
    /// # Errors
    /// When there is none of that name, another process carries it out, or its repository is gone.
    pub async fn take_up(&self, id: &MissionId) -> Result<(), Failure> {
        let _one = self.inner.one.lock().await;
        if self.running().contains_key(id) {
            return Ok(());
        }
        let (machine, begun) = self.machine(id)?;
        let Some((root, base)) = begun else {
            let text = format!("mission {id} never began");
            return Err(Failure::new(Kind::Failed, text).hint("`/mission run FILE` begins one"));
        };
        let lock = self.lock(id)?;
        let repository = if base.is_some() {
            let opened = Repository::open(&root).await?;
            let gone = format!("the repository {} of mission {id} is gone", root.display());
            Some(opened.ok_or_else(|| Failure::new(Kind::Failed, gone))?)
        } else {
            None
        };
        let names = Names::new(root, id.clone(), repository.is_some());
        self.carry_out(names, repository, base, machine, lock).await
    }

    async fn carry_out(
        &self,
        names: Names,
        repository: Option<Repository>,
        base: Option<String>,
        machine: Machine,
        lock: Lock,
    ) -> Result<(), Failure> {
        let supervisor = &self.inner.supervisor;
        let id = names.mission().clone();
        let folder = self.folder(&id);
        let receipts = folder.read_receipts()?;
        let pace = Pace::of(&supervisor.workers().await);
        let site = Arc::new(Site {
            names,
            repository,
            folder,
            workers: Workers::new(supervisor.clone(), id.clone()),
            supervisor: supervisor.clone(),
            writer: supervisor.writer().clone(),
            pace,
            base,
            begun_at: machine.begun_at(),
        });
        let ending = supervisor.ending();
        let running = coordinator::spawn(Arc::clone(&site), machine, receipts, lock, ending);
        self.running().insert(id, InProgress { site, running });
        supervisor.changed();
        Ok(())
    }

    /// A mission as it is now, also one that nobody carries out.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn view(&self, id: &MissionId) -> Result<Arc<MissionView>, Failure> {
        if let Some(one) = self.running().get(id) {
            return Ok(Arc::clone(&one.running.view.borrow()));
        }
        let (machine, begun) = self.machine(id)?;
        let (root, base) = begun.unwrap_or_default();
        let folder = self.folder(id);
        let receipts = folder.read_receipts()?;
        let ledger = Ledger::read(&folder.spent());
        let names = Names::new(root, id.clone(), base.is_some());
        Ok(Arc::new(coordinator::seen_from_outside(
            &names, base, &machine, &receipts, &ledger,
        )))
    }

    /// Has a mission write down the person's word, and act by it. One that nobody carries out is taken up first.
    ///
    /// # Errors
    /// When there is none of that name, or it cannot be done now.
    pub async fn say(&self, id: &MissionId, what: What) -> Result<(), Failure> {
        self.take_up(id).await?;
        self.order(id, |answer| Order::Write(what, answer)).await
    }

    /// The same about a task.
    ///
    /// # Errors
    /// As [`Self::say`].
    pub async fn say_of(&self, id: &MissionId, task: TaskId, step: Step) -> Result<(), Failure> {
        self.say(id, What::Task { task, step }).await
    }

    /// A task as a plan file has it now, for the mission to take in once the person has said yes; with the task as
    /// the mission has it, and what is odd about the mission's plan then.
    ///
    /// # Errors
    /// When there is no such mission, task or file, the task cannot be changed now, or the plan could not be followed
    /// any more.
    pub fn edited(&self, id: &MissionId, task: &TaskId, file: &Path) -> Result<Edited, Failure> {
        let (machine, _) = self.machine(id)?;
        let from_file = read_plan(file)?;
        let Some(edited) = from_file.task(task) else {
            let text = format!("{} has no task `{task}`", file.display());
            return Err(Failure::usage(text).hint(format!(
                "begin with a copy of {}",
                self.folder(id).plan().display()
            )));
        };
        let plan = machine.plan_with(edited).map_err(Failure::usage)?;
        let Some(before) = machine.plan().task(task) else {
            return Err(Failure::usage(format!("mission {id} has no task `{task}`")));
        };
        let host = Host::local();
        let mut findings = check(&plan, &|program| host.find_program(program).is_some());
        findings.retain(|one| one.task.as_ref().is_none_or(|of| of == task));
        Ok(Edited {
            before: before.clone(),
            after: edited.clone(),
            findings,
        })
    }

    /// Takes the report of the worker that is this agent.
    ///
    /// # Errors
    /// When the agent is no worker, or nobody waits for its report.
    pub async fn report_of(&self, agent: &AgentId, text: String) -> Result<String, Failure> {
        let found = self.views().iter().find_map(|view| {
            let task = view
                .tasks
                .iter()
                .find(|task| task.agent.as_ref() == Some(agent))?;
            Some((view.id.clone(), task.slug.clone()))
        });
        let (id, task) = found
            .ok_or_else(|| Failure::usage(format!("{agent} works on no task of a mission")))?;
        let said = format!("the report on {task} is taken");
        self.order(&id, |answer| Order::Report(task, text, answer))
            .await?;
        Ok(said)
    }

    async fn order(
        &self,
        id: &MissionId,
        order: impl FnOnce(oneshot::Sender<Result<(), Failure>>) -> Order,
    ) -> Result<(), Failure> {
        let ended = || Failure::new(Kind::Failed, format!("mission {id} has ended"));
        let orders = self.running().get(id).map(|one| one.running.orders.clone());
        let orders = orders.ok_or_else(ended)?;
        let (answer, answered) = oneshot::channel();
        orders.send(order(answer)).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }

    /// The report on a mission: as it was written at its end, else as it stands.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn report(&self, id: &MissionId) -> Result<String, Failure> {
        let (folder, view) = (self.folder(id), self.view(id)?);
        let is_over = matches!(view.phase, Phase::Over | Phase::Finished);
        if is_over && let Some(written) = folder.read_account() {
            return Ok(written);
        }
        Ok(Records::read(&folder, &view)?.report())
    }

    /// Answers a person's question about a mission, from its records.
    ///
    /// # Errors
    /// When there is none of that name, or no backend answers.
    pub async fn ask(&self, id: &MissionId, question: &str) -> Result<String, Failure> {
        if question.is_empty() {
            return Err(Failure::usage("what is the question?"));
        }
        let records = Records::read(&self.folder(id), &*self.view(id)?)?;
        let director = self.inner.supervisor.director();
        let answer = director.question(question, &records.for_a_question()).await;
        let answer = answer.map_err(|error| {
            Failure::from_error(Kind::Failed, &error)
                .hint("it is answered by the `reviewBackend`; `/mission report` has the facts")
        })?;
        Ok(format!(
            "{}\n\n(by {}, from the records)",
            answer.text.trim(),
            answer.by
        ))
    }

    fn machine(&self, id: &MissionId) -> Result<(Machine, Option<Begun>), Failure> {
        let (plan, journal) = self.folder(id).read()?;
        let begun = journal.iter().find_map(|entry| match &entry.what {
            What::Begun { root, base, .. } => Some((root.clone(), base.clone())),
            _ => None,
        });
        let is_repository = begun.as_ref().is_some_and(|(_, base)| base.is_some());
        let mut machine = Machine::new(plan, is_repository).ok_or_else(no_graph)?;
        for entry in &journal {
            machine.apply(entry);
        }
        Ok((machine, begun))
    }

    fn folder(&self, id: &MissionId) -> Folder {
        Folder::new(self.inner.supervisor.log_dir(), id)
    }

    fn lock(&self, id: &MissionId) -> Result<Lock, Failure> {
        let path = self.folder(id).path().join("lock");
        let holder = format!("mission {id}");
        Lock::acquire(&path, &holder).map_err(|error| {
            Failure::from_error(Kind::Failed, &error)
                .hint("another process carries this mission out: `meta-orchestrator ctl mission`")
        })
    }

    /// A name that is free, made of the first words of a goal.
    fn new_name(&self, goal: &str) -> Result<MissionId, Failure> {
        let stem = name_of(goal);
        let logs = self.inner.supervisor.log_dir();
        for number in 1..1_000 {
            let name = match number {
                1 => stem.clone(),
                _ => format!("{stem}-{number}"),
            };
            let id: MissionId = name
                .parse()
                .map_err(|error| Failure::from_error(Kind::Bug, &error))?;
            if !Folder::new(logs, &id).path().exists() {
                return Ok(id);
            }
        }
        Err(Failure::new(
            Kind::Failed,
            format!("there are too many missions called {stem}"),
        ))
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<MissionId, InProgress>> {
        let running = self.inner.running.lock();
        running.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a mission began: its root, and its base branch.
type Begun = (PathBuf, Option<String>);

/// A goal's first words as a name.
fn name_of(goal: &str) -> String {
    let words = goal.split(|c: char| !c.is_ascii_alphanumeric());
    let mut name = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        if name.len() + word.len() >= LONGEST_NAME {
            break;
        }
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(&word.to_ascii_lowercase());
    }
    if name.is_empty() {
        "mission".to_owned()
    } else {
        name
    }
}

fn no_graph() -> Failure {
    Failure::new(Kind::Failed, "the tasks of the plan make no graph")
        .hint("`meta-orchestrator mission check FILE` tells everything that is wrong with it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mission_is_named_by_the_first_words_of_its_goal() {
        for (goal, name) in [
            ("Write the guide", "write-the-guide"),
            (
                "A library that reads and writes the project's notes",
                "a-library-that-reads-and",
            ),
            ("Größe", "gr-e"),
            ("", "mission"),
            ("../../etc", "etc"),
            (&"x".repeat(100), "mission"),
        ] {
            assert_eq!(name_of(goal), name);
            assert!(name_of(goal).parse::<MissionId>().is_ok());
        }
    }
}
