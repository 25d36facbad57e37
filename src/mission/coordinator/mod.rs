//! Carries a mission out: does what its [machine](super::machine) says is due, and writes down what came of it.
//!
//! One task per mission. Everything that takes time is a job beside it, at most one for each task of the plan;
//! what a job has to say it says as lines of the journal, and goes on when they are written. So a job that is
//! killed in the middle, with the whole program or alone, leaves a journal from which the next one goes on. It
//! decides nothing that the machine or the schedule decides, and touches no pane but through
//! [`super::worker`].

mod account;
mod answer;
mod base;
mod check;
mod inform;
mod job;
mod publish;
mod review;
mod watch;

pub(super) use publish::seen_from_outside;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot, watch as channel};
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::folder::Folder;
use super::journal::{Entry, Step, What};
use super::machine::{Due, Machine, Message, Phase, Wants};
use super::names::Names;
use super::receipt::Receipt;
use super::view::MissionView;
use super::worker::Workers;
use crate::agent::view::Urgency;
use crate::config::WorkersConfig;
use crate::error::{Failure, Kind, in_full};
use crate::git::Repository;
use crate::ids::{AgentId, TaskId};
use crate::record::{Event, Happening};
use crate::screen::state::State;
use crate::store::{Lock, LogWriter};
use crate::supervisor::Supervisor;

/// How many orders, and how many lines of jobs, may wait.
const QUEUE: usize = 64;
/// How long a line may take to be written.
const WRITE: Duration = Duration::from_secs(10);
/// The shortest time between two looks at a worker.
const SHORTEST_LOOK: Duration = Duration::from_millis(100);
/// How often what others see is brought up to date while nothing else happens.
const GLANCE: Duration = Duration::from_secs(1);

/// How long the coordinator waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two looks at a worker.
    pub look: Duration,
    /// How long a worker stands at its prompt without a report before its work is checked all the same.
    pub stand: Duration,
    /// How long a worker may go on after it has reported.
    pub settle: Duration,
    /// How long one try to tell a worker something may take.
    pub tell: Duration,
    /// Between two tries of what did not work.
    pub again: Duration,
}

impl Pace {
    /// The pace for workers of this configuration: it looks twice as often as they are looked at, and gives up
    /// waiting for a report when one has stood for three times as long as it takes to count as stalled.
    pub fn of(workers: &WorkersConfig) -> Self {
        Self {
            look: (workers.poll_sec.duration() / 2).max(SHORTEST_LOOK),
            stand: workers.stall_sec.duration() * 3,
            settle: Duration::from_mins(1),
            tell: Duration::from_mins(2),
            again: Duration::from_secs(5),
        }
    }
}

/// Where a mission takes place, and by whose hands: what its jobs share.
pub(super) struct Site {
    pub names: Names,
    pub repository: Option<Repository>,
    pub folder: Folder,
    pub workers: Workers,
    pub supervisor: Supervisor,
    pub writer: LogWriter,
    pub pace: Pace,
    /// The branch that it started from.
    pub base: Option<String>,
    /// When it began.
    pub begun_at: Option<DateTime<Utc>>,
}

/// What a mission in progress is told.
pub(super) enum Order {
    /// Write this down, as the person's word; the task's job, if there is one, ends first.
    Write(What, oneshot::Sender<Result<(), Failure>>),
    /// Nothing: it is answered once what was there before a restart is found again.
    Settle(oneshot::Sender<Result<(), Failure>>),
    /// A worker's report, by another way than its file.
    Report(TaskId, String, oneshot::Sender<Result<(), Failure>>),
}

/// A line that a job wants written, and what tells it that it is.
struct Note {
    place: usize,
    step: Step,
    written: oneshot::Sender<()>,
}

/// A mission in progress, from outside; clones are the same one.
#[derive(Clone)]
pub(super) struct Running {
    pub orders: mpsc::Sender<Order>,
    pub view: channel::Receiver<Arc<MissionView>>,
}

/// The task that carries one mission out.
struct Coordinator {
    site: Arc<Site>,
    machine: Machine,
    receipts: Vec<Receipt>,
    jobs: JoinSet<()>,
    /// What is under way for which task.
    under_way: HashMap<usize, UnderWay>,
    notes: mpsc::Receiver<Note>,
    to_notes: mpsc::Sender<Note>,
    receipts_of_jobs: mpsc::Receiver<Receipt>,
    to_receipts: mpsc::Sender<Receipt>,
    /// Who tells a coordinating agent, and how many ends it was told of.
    informing: Option<AbortHandle>,
    informed: mpsc::Receiver<(usize, oneshot::Sender<()>)>,
    to_informed: mpsc::Sender<(usize, oneshot::Sender<()>)>,
    /// Who runs the criteria before any work.
    before: Option<AbortHandle>,
    /// Who has a summary written.
    summing_up: Option<AbortHandle>,
    view: channel::Sender<Arc<MissionView>>,
    /// Lines that follow from others, and are written next.
    pending: Vec<What>,
    /// What went wrong with the journal or a job last.
    trouble: Option<String>,
    ended: CancellationToken,
    /// Keeps other processes off the mission.
    _lock: Lock,
}

/// Whether a worker or a reviewer stands at its account's usage limit.
fn is_at_limit(site: &Site, machine: &Machine) -> bool {
    let stands = |agent: AgentId| {
        let look = site.workers.look(&agent);
        look.is_some_and(|look| look.state == Some(State::Limit))
    };
    let names = &site.names;
    let mut tasks = machine.tasks();
    tasks.any(|(task, _)| stands(names.worker(&task.slug)) || stands(names.reviewer(&task.slug)))
}

struct UnderWay {
    id: Id,
    wants: Wants,
    job: AbortHandle,
}

/// Starts the task of a mission.
pub(super) fn spawn(
    site: Arc<Site>,
    machine: Machine,
    receipts: Vec<Receipt>,
    lock: Lock,
    ended: CancellationToken,
) -> Running {
    let (orders, taken) = mpsc::channel(QUEUE);
    let (to_notes, notes) = mpsc::channel(QUEUE);
    let (to_receipts, receipts_of_jobs) = mpsc::channel(QUEUE);
    let (to_informed, informed) = mpsc::channel(1);
    let first = publish::view(&site, &machine, &receipts, &HashMap::new(), None);
    let (view, seen) = channel::channel(Arc::new(first));
    let coordinator = Coordinator {
        site,
        machine,
        receipts,
        jobs: JoinSet::new(),
        under_way: HashMap::new(),
        notes,
        to_notes,
        receipts_of_jobs,
        to_receipts,
        informing: None,
        informed,
        to_informed,
        before: None,
        summing_up: None,
        view,
        pending: Vec::new(),
        trouble: None,
        ended,
        _lock: lock,
    };
    tokio::spawn(coordinator.run(taken));
    Running { orders, view: seen }
}

impl Coordinator {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let ended = self.ended.clone();
        tokio::select! {
            () = ended.cancelled() => return,
            () = self.find_again() => {}
        }
        let goes_on = matches!(self.machine.phase(), Phase::Running | Phase::Paused);
        if goes_on && self.machine.is_repository() {
            let (site, receipts) = (Arc::clone(&self.site), self.to_receipts.clone());
            let (plan, known) = (Arc::clone(self.machine.plan()), self.receipts.clone());
            self.before = Some(self.jobs.spawn(base::check(site, plan, known, receipts)));
        }
        let mut glance = interval(GLANCE);
        glance.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.do_what_is_due().await;
            self.inform();
            self.publish();
            tokio::select! {
                biased;
                () = ended.cancelled() => return,
                Some(note) = self.notes.recv() => self.note(note).await,
                Some(receipt) = self.receipts_of_jobs.recv() => self.keep(receipt).await,
                Some((count, written)) = self.informed.recv() => {
                    self.informed(count).await;
                    let _ = written.send(());
                }
                order = orders.recv() => match order {
                    Some(order) => self.order(order).await,
                    None => return,
                },
                Some(job) = self.jobs.join_next_with_id() => self.job_ended(job).await,
                _ = glance.tick() => {}
            }
        }
    }

    /// Begins what is due and not under way.
    async fn do_what_is_due(&mut self) {
        for what in std::mem::take(&mut self.pending) {
            let _ = self.write(what).await;
        }
        let places = self.places();
        for due in self.machine.due(places) {
            match due {
                Due::Start(place) => self.write_step(place, Step::Started).await,
                Due::Do(place, wants) => self.begin(place, wants),
                Due::Over if self.under_way.is_empty() => self.over().await,
                Due::Over => {}
            }
        }
        for (place, under_way) in &self.under_way {
            let task = self.machine.task(*place);
            // the machine wants something else by now
            if task.is_some_and(|(_, state)| state.wants == Wants::Nothing) {
                under_way.job.abort();
            }
        }
    }

    /// How many workers may run at once. While one of them stands at its account's usage limit, nobody is added:
    /// the next would come to stand there too.
    fn places(&self) -> usize {
        if is_at_limit(&self.site, &self.machine) {
            return self.machine.at_work();
        }
        usize::try_from(self.machine.plan().max_parallel).unwrap_or(1)
    }

    fn begin(&mut self, place: usize, wants: Wants) {
        if self.under_way.contains_key(&place) {
            return;
        }
        let Some(job) = self.job(place) else {
            return;
        };
        let what = wants.clone();
        let handle = self.jobs.spawn(async move { job.run(what).await });
        let id = handle.id();
        let job = handle;
        self.under_way.insert(place, UnderWay { id, wants, job });
    }

    fn job(&self, place: usize) -> Option<job::Job> {
        let (task, state) = self.machine.task(place)?;
        let mut last = publish::last_receipts(&self.receipts, task);
        if let (Wants::Telling(Message::TakenBack), Some(merge)) = (&state.wants, &state.taken_back)
        {
            last.extend(publish::of_others_on(&self.receipts, task, merge));
        }
        Some(job::Job {
            site: Arc::clone(&self.site),
            plan: Arc::clone(self.machine.plan()),
            place,
            task: task.clone(),
            state: state.clone(),
            reports: self.reports_for(place),
            last,
            proofs: self.machine.proofs(place),
            passing_before: publish::passing_before(&self.receipts, self.machine.plan(), task),
            seen: Arc::clone(&self.view.borrow()),
            notes: self.to_notes.clone(),
            receipts: self.to_receipts.clone(),
        })
    }

    /// The reports of the tasks that a task depends on.
    fn reports_for(&self, place: usize) -> Vec<(TaskId, String)> {
        let Some((task, _)) = self.machine.task(place) else {
            return Vec::new();
        };
        let needed = task.depends_on.iter().filter_map(|slug| {
            let (_, state) = self.machine.task(self.machine.position(slug)?)?;
            let text = self.site.folder.read_report(slug, state.report?)?;
            Some((slug.clone(), text))
        });
        needed.collect()
    }

    async fn job_ended(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let (id, failed) = match ended {
            Ok((id, ())) => (id, None),
            Err(error) if error.is_cancelled() => (error.id(), None),
            Err(error) => (error.id(), Some(error.to_string())),
        };
        // what it said last is on its way still
        while let Ok(receipt) = self.receipts_of_jobs.try_recv() {
            self.keep(receipt).await;
        }
        while let Ok(note) = self.notes.try_recv() {
            self.note(note).await;
        }
        let place = self.under_way.iter().find(|(_, job)| job.id == id);
        let Some(place) = place.map(|(place, _)| *place) else {
            return;
        };
        self.under_way.remove(&place);
        if let Some(why) = failed {
            tracing::error!(why, "a job of a mission died");
            let why = format!("a bug: what was being done about it died ({why})");
            self.write_step(place, Step::Trouble { why }).await;
        }
    }

    async fn note(&mut self, note: Note) {
        self.write_step(note.place, note.step).await;
        let _ = note.written.send(());
    }

    async fn write_step(&mut self, place: usize, step: Step) {
        let Some((task, _)) = self.machine.task(place) else {
            return;
        };
        let task = task.slug.clone();
        let _ = self.write(What::Task { task, step }).await;
    }

    /// Writes a line into the journal, and takes it in.
    ///
    /// A disk that takes nothing holds the mission up: nothing is done that is not written down first.
    async fn write(&mut self, what: What) -> Result<(), Failure> {
        let entry = Entry::new(Utc::now(), what);
        let path = self.site.folder.journal();
        loop {
            let written = Folder::append(&self.site.writer, &path, &entry);
            let why = match tokio::time::timeout(WRITE, written).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => in_full(&error),
                Err(_) => "the disk does not answer".to_owned(),
            };
            if self.ended.is_cancelled() {
                return Err(Failure::new(Kind::Failed, "the supervisor is ending"));
            }
            if self.trouble.as_ref() != Some(&why) {
                let text = format!(
                    "mission {} waits: its journal cannot be written: {why}",
                    self.site.names.mission()
                );
                self.site.supervisor.announce(Urgency::Person, text);
            }
            self.trouble = Some(why);
            self.publish();
            tokio::time::sleep(self.site.pace.again).await;
        }
        self.trouble = None;
        let (before, ends) = (self.standing(&entry), self.machine.ends());
        self.machine.apply(&entry);
        self.tell(before, &entry);
        if self.machine.ends() > ends {
            self.milestone();
        }
        Ok(())
    }

    async fn keep(&mut self, receipt: Receipt) {
        let path = self.site.folder.receipts();
        let written = Folder::append(&self.site.writer, &path, &receipt);
        if let Ok(Err(error)) = tokio::time::timeout(WRITE, written).await {
            self.trouble = Some(in_full(&error));
        }
        self.receipts.push(receipt);
        self.publish();
    }

    async fn order(&mut self, order: Order) {
        match order {
            Order::Write(what, answer) => {
                let done = if let Some(failure) = self.refuse(&what) {
                    Err(failure)
                } else {
                    self.end_jobs_of(&what).await;
                    self.write(what).await
                };
                let _ = answer.send(done);
            }
            Order::Settle(answer) => {
                let _ = answer.send(Ok(()));
            }
            Order::Report(task, text, answer) => {
                let _ = answer.send(self.report(&task, &text));
            }
        }
    }

    /// Ends what is under way for the tasks that the person has something else in mind for.
    async fn end_jobs_of(&mut self, what: &What) {
        let places: Vec<usize> = match what {
            What::Aborted => {
                if let Some(before) = &self.before {
                    before.abort();
                }
                self.under_way.keys().copied().collect()
            }
            What::Task { task, .. } => self.machine.position(task).into_iter().collect(),
            _ => Vec::new(),
        };
        for place in places {
            if let Some(under_way) = self.under_way.get(&place) {
                under_way.job.abort();
            }
            while self.under_way.contains_key(&place) {
                // its last lines are taken in, or it would wait for that
                tokio::select! {
                    Some(note) = self.notes.recv() => self.note(note).await,
                    Some(receipt) = self.receipts_of_jobs.recv() => self.keep(receipt).await,
                    Some(job) = self.jobs.join_next_with_id() => self.job_ended(job).await,
                    else => return,
                }
            }
        }
    }

    /// The mission has come as far as it can: what is to be said about it is written.
    async fn over(&mut self) {
        if self.write(What::Over).await.is_ok() {
            // first of all, so that nobody takes the mission for over before it is summed up
            self.account();
        }
    }

    /// What happened is told to those who follow along.
    fn happened(&self, what: Happening) {
        let event = Event::new(Utc::now(), None, what);
        self.site.supervisor.tell_followers(event);
    }
}
