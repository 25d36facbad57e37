//! A mission's workers: opened in panes, found again by what they are, spoken to, closed.
//!
//! A worker is an agent like any other once it is open: the supervisor watches it, and every key passes `hands`.
//! This module knows no tasks and no states of them; the coordinator says who is wanted, and remembers nothing
//! that is not said here again after a crash. It never types by itself and never touches a pane that is not the
//! mission's by its name, its folder and its program.

mod panes;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::folder::Folder;
use super::ledger::Ledger;
use super::names::Names;
use super::plan::Role;
use crate::agent::view::{AgentView, Status};
use crate::config::WorkerCommand;
use crate::director::text;
use crate::error::{Failure, Kind};
use crate::evidence::spent::Spent;
use crate::ids::{AgentId, MissionId, PaneAddress};
use crate::record::Receipt;
use crate::record::logs::Typed;
use crate::screen::state::State;
use crate::supervisor::{Employment, Supervisor};

/// How long after a refusal a text is tried again; doubles up to the longest.
const AGAIN: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long a text that still stands in a prompt after Enter may be taken yet, by a program that is slow.
const LATE: Duration = Duration::from_secs(20);

/// The workers of one mission; clones are the same. It keeps the supervisor, and with it its locks, alive.
#[derive(Clone)]
pub struct Workers {
    supervisor: Supervisor,
    mission: MissionId,
    ledger: Ledger,
}

/// A worker that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, and that of its pane.
    pub agent: AgentId,
    /// What it works on, for people: `mission/task`.
    pub on: String,
    /// What it is to achieve, for whoever judges whether it goes on.
    pub goal: String,
    /// Where it works; there already. The mission's yes answers the trust dialog for this folder, and no other.
    pub folder: PathBuf,
    /// Its role: which command it is, with which permissions.
    pub role: Role,
}

/// A worker that is open and supervised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its pane.
    pub pane: PaneAddress,
    /// Whether it was there already, and goes on with what it knows.
    pub was_there: bool,
}

/// What a worker is doing, as it was seen last.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// What the supervisor does about it.
    pub status: Status,
    /// What its screen and the evidence say; `None` before the first look.
    pub state: Option<State>,
    /// When its screen last changed.
    pub since: Option<DateTime<Utc>>,
    /// Whether it waits for the person: a dialog, a question, a bound that is reached.
    pub needs_person: bool,
    /// Whether the person has stopped or holds what is typed to it.
    pub withheld: bool,
    /// What the person is asked, where they are.
    pub question: Option<String>,
    /// Why it is gone: its pane, its session or its program has ended.
    pub gone: Option<String>,
    /// Whether it waits because its conversation fills the model's context: only a fresh one can go on.
    pub context_full: bool,
    /// What it has spent of itself, with those of its name before it; `None` where no transcript tells.
    pub spent: Option<Spent>,
    /// Tokens that were spent today on judging it (not its own).
    pub watch_tokens: u64,
    /// Looks at its pane since it was employed.
    pub polls: u64,
}

/// Why a worker does not stand at its empty prompt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// It is not supervised.
    #[error("`{0}` is not supervised")]
    Unknown(AgentId),
    /// Its pane, its session or its program has ended.
    #[error("{0}")]
    Gone(String),
    /// The time is over.
    #[error("it did not come to stand at its prompt in time; its state is {}{}", state.map_or("unknown", State::as_str), question.as_deref().map_or_else(String::new, |asked| format!(": {asked}")))]
    TimedOut {
        /// What it does instead.
        state: Option<State>,
        /// What the person is asked, where that is why.
        question: Option<String>,
    },
}

/// What became of a text for a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It was taken.
    Delivered,
    /// It had been typed before, and was not typed again.
    AlreadyDelivered,
    /// It was typed, and whether it was taken is not known; it is not typed again.
    Unproven {
        /// What is known.
        why: String,
    },
    /// It stands in the prompt, and was not sent: nothing else can be told to this worker.
    LeftOver,
}

impl Workers {
    /// The workers of `mission`, under this supervisor.
    pub fn new(supervisor: Supervisor, mission: MissionId) -> Self {
        let folder = Folder::new(supervisor.log_dir(), &mission);
        Self {
            supervisor,
            mission,
            ledger: Ledger::read(&folder.spent()),
        }
    }

    /// What they have spent.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Opens a worker's pane, or finds it again by its name, its folder and the living program in it, and has it
    /// supervised. Once more is the same as once. An ended pane of the same name is closed first.
    ///
    /// Takes as long as the worker's program needs to come up: seconds, half a minute at most.
    ///
    /// # Errors
    /// At once, with the reason, where the program does not exist or ends; when zellij does not answer, or another
    /// agent has the name or the pane.
    pub async fn open(&self, wanted: &Wanted) -> Result<Opened, Failure> {
        let command = self.supervisor.workers().await.of(wanted.role);
        let place = panes::Place::of(wanted, &command).await?;
        let session = self.session().await?;
        let (pane, was_there) = match self.living(&session, &place).await? {
            Some(pane) => (pane, true),
            None => (self.open_pane(&session, &place).await?, false),
        };
        let employed = self.employ(wanted, &command, &place, &pane).await;
        let begun = match employed {
            Ok(()) => self.works_there(&pane, &place).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = begun {
            if !was_there {
                // what did not come up is no use to anybody; what it showed is in the failure
                let _ = self.close_pane(&wanted.agent, &pane).await;
            }
            let mut told = Failure::new(
                failure.kind,
                format!("the worker {} was not started in {pane}", wanted.agent),
            )
            .because_text(failure.message.clone());
            told.causes.extend(failure.causes);
            told.hints = failure.hints;
            return Err(told);
        }
        Ok(Opened { pane, was_there })
    }

    /// Has a worker supervised that lives in a pane already; `None` where there is none. It opens no pane.
    ///
    /// # Errors
    /// When zellij does not answer, or another agent has the name or the pane.
    pub async fn adopt(&self, wanted: &Wanted) -> Result<Option<PaneAddress>, Failure> {
        let command = self.supervisor.workers().await.of(wanted.role);
        let place = panes::Place::of(wanted, &command).await?;
        let session = self.session().await?;
        let Some(pane) = self.living(&session, &place).await? else {
            return Ok(None);
        };
        self.employ(wanted, &command, &place, &pane).await?;
        Ok(Some(pane))
    }

    async fn employ(
        &self,
        wanted: &Wanted,
        command: &WorkerCommand,
        place: &panes::Place,
        pane: &PaneAddress,
    ) -> Result<(), Failure> {
        let employment = Employment {
            id: wanted.agent.clone(),
            address: pane.clone(),
            on: wanted.on.clone(),
            goal: wanted.goal.clone(),
            kind: command.kind.clone(),
            trusts: place.folder.clone(),
        };
        self.supervisor.employ_worker(employment).await
    }

    /// What a worker is doing, without asking zellij; `None` where it is not supervised.
    pub fn look(&self, agent: &AgentId) -> Option<Look> {
        let view = self.view(agent)?;
        if let Some(spending) = &view.spending {
            self.ledger.take(agent, spending);
        }
        let gone = match &view.status {
            Status::Gone(why) => Some(why.clone()),
            _ => None,
        };
        Some(Look {
            status: view.status.clone(),
            state: view.state,
            since: view.changed_at,
            needs_person: view.question.is_some() || view.status.needs_person(),
            withheld: gone.is_none() && closed_to_all(&view).is_some(),
            question: view.question.as_ref().map(|asked| asked.text.clone()),
            gone,
            context_full: view.context_full,
            spent: self.ledger.of(agent),
            watch_tokens: view.tokens.used,
            polls: view.polls,
        })
    }

    /// Waits until a look that came after now shows it at its empty prompt.
    ///
    /// # Errors
    /// When that is not so `within` this time, or never can be.
    pub async fn ready(&self, agent: &AgentId, within: Duration) -> Result<(), NotReady> {
        let until = Instant::now() + within;
        let stands = |state| matches!(state, Some(State::Idle | State::Failed));
        self.comes_to(stands, agent, until).await
    }

    /// Waits until a look that came after now shows such a state.
    async fn comes_to(
        &self,
        wanted: impl Fn(Option<State>) -> bool,
        agent: &AgentId,
        until: Instant,
    ) -> Result<(), NotReady> {
        let mut views = self
            .supervisor
            .watch(agent)
            .ok_or_else(|| NotReady::Unknown(agent.clone()))?;
        let before = views.borrow().polls;
        let settled = |view: &Arc<AgentView>| {
            matches!(view.status, Status::Gone(_)) || (view.polls > before && wanted(view.state))
        };
        let seen = match timeout_at(until, views.wait_for(settled)).await {
            Ok(Ok(view)) => Some(Ok(Arc::clone(&view))),
            Ok(Err(_)) => Some(Err(())),
            Err(_) => None,
        };
        match seen.transpose() {
            Ok(Some(view)) => match &view.status {
                Status::Gone(why) => Err(NotReady::Gone(why.clone())),
                _ => Ok(()),
            },
            Ok(None) => Err(not_in_time(&views)),
            Err(()) => Err(NotReady::Unknown(agent.clone())),
        }
    }

    /// Tells a worker, or another agent, one line, as the person's own words would be: once it stands at its prompt, through `hands`.
    ///
    /// Where its decision log knows of exactly this text in its pane since then (`None`: ever) as delivered or
    /// unproven, it is not typed again.
    ///
    /// # Errors
    /// When it was not typed: the worker did not come to its prompt `within` this time, is gone, or the text was
    /// refused, and why.
    pub async fn tell(
        &self,
        agent: &AgentId,
        text: &str,
        within: Duration,
        since: Option<DateTime<Utc>>,
    ) -> Result<Told, Failure> {
        let until = Instant::now() + within;
        let text = text::reply(text).map_err(|why| Failure::usage(why.to_string()))?;
        let mut wait = AGAIN;
        loop {
            let view = self.anybody(agent).ok_or_else(|| unknown(agent))?;
            // before anything is typed, and after each time when it is not clear whether it was
            if let Some(told) = self.told(&view, &text, since).await? {
                return Ok(told);
            }
            if let Some(why) = closed_to_all(&view) {
                return Err(not_told(agent, &why));
            }
            // a text that stands in the prompt may be this one, from before a crash
            let settled = |state| matches!(state, Some(State::Idle | State::Failed | State::Draft));
            let ready = self.comes_to(settled, agent, until).await;
            ready.map_err(|why| not_told(agent, &why.to_string()))?;
            let view = self.anybody(agent).ok_or_else(|| unknown(agent))?;
            // by the look that showed the prompt it is on record what became of a text that a crash interrupted
            if let Some(told) = self.told(&view, &text, since).await? {
                return Ok(told);
            }
            let why = match self.supervisor.deliver(agent, text.clone()).await? {
                Receipt::Delivered(_) => return Ok(Told::Delivered),
                Receipt::Unproven { why, left_over } => {
                    if left_over {
                        // one that ended as it took it shows it too, and one that is slow takes it yet
                        let gone = |state| state != Some(State::Draft);
                        let late = until.min(Instant::now() + LATE);
                        let _ = self.comes_to(gone, agent, late).await;
                    }
                    let view = self.anybody(agent);
                    let view = view.filter(|view| left_over && has_draft(view));
                    return Ok(view.map_or(Told::Unproven { why }, |_| Told::LeftOver));
                }
                Receipt::Refused { why } => why,
                Receipt::Observed => "it is only observed".to_owned(),
            };
            if Instant::now() + wait >= until {
                return Err(not_told(agent, &why));
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// What the records say of a text that may have been typed before.
    async fn told(
        &self,
        view: &AgentView,
        text: &str,
        since: Option<DateTime<Utc>>,
    ) -> Result<Option<Told>, Failure> {
        let logs = self.supervisor.logs(&view.id);
        let (text, pane) = (text.to_owned(), view.pane.clone());
        let read = tokio::task::spawn_blocking(move || logs.typed(&text, &pane, since));
        let read = read
            .await
            .map_err(|error| Failure::from_error(Kind::Bug, &error))??;
        Ok(match read.found {
            // where it is gone from the prompt, the person has sent it
            Some(Typed::Ended(Receipt::Unproven {
                left_over: true, ..
            })) if has_draft(view) => Some(Told::LeftOver),
            Some(Typed::Ended(_)) => Some(Told::AlreadyDelivered),
            // its end comes on record with the next close look
            Some(Typed::Begun) | None => None,
        })
    }

    /// Has nobody nudge it until [`Workers::release`]: while its criteria are run, for instance. The person's
    /// `/hold` is a thing apart, which a mission heeds and never ends.
    ///
    /// # Errors
    /// When it is not supervised.
    pub async fn hold(&self, agent: &AgentId) -> Result<(), Failure> {
        self.supervisor.reserve_worker(agent, true).await
    }

    /// Lets it be nudged again.
    ///
    /// # Errors
    /// When it is not supervised.
    pub async fn release(&self, agent: &AgentId) -> Result<(), Failure> {
        self.supervisor.reserve_worker(agent, false).await
    }

    /// Stops supervising a worker, closes its pane, and sees that what ran in it ends: first asked (the pane's
    /// hangup), then killed. `pane` is where it was last known to be, for one that is not supervised; it is
    /// closed only if it has the worker's name still. One that is gone already is no error.
    ///
    /// # Errors
    /// When the pane cannot be closed, or something of it still runs; says what.
    pub async fn close(&self, agent: &AgentId, pane: Option<&PaneAddress>) -> Result<(), Failure> {
        let supervised = self.view(agent).map(|view| view.pane.clone());
        if self.look(agent).is_some() {
            self.ledger.write().await;
        }
        let Some(pane) = supervised.or_else(|| pane.cloned()) else {
            return self.supervisor.dismiss_worker(agent).await;
        };
        self.close_pane(agent, &pane).await
    }

    /// The panes of this mission that are there, living or ended, whoever supervises them: those whose name is of
    /// this mission and whose folder is its own.
    ///
    /// # Errors
    /// When zellij does not answer.
    pub async fn found(&self, names: &Names) -> Result<Vec<(AgentId, PaneAddress)>, Failure> {
        self.panes_of(names).await
    }

    /// Ends the session that was started for this mission's panes, where nothing but its first shell is left in it.
    /// Whether it did; a session of a person's is never touched.
    ///
    /// # Errors
    /// When zellij does not answer.
    pub async fn leave_session(&self) -> Result<bool, Failure> {
        self.end_own_session().await
    }

    /// An agent as it is now, a worker or not.
    fn anybody(&self, agent: &AgentId) -> Option<Arc<AgentView>> {
        let mut views = self.supervisor.views().into_iter();
        views.find(|view| view.id == *agent)
    }

    /// A worker as it is now; agents that are none do not count.
    fn view(&self, agent: &AgentId) -> Option<Arc<AgentView>> {
        self.anybody(agent).filter(|view| view.mission.is_some())
    }
}

/// Whether something stands in a worker's prompt that was not sent.
fn has_draft(view: &AgentView) -> bool {
    view.state == Some(State::Draft) && !matches!(view.status, Status::Gone(_))
}

/// What stands against a worker's prompt when the time is over.
fn not_in_time(views: &watch::Receiver<Arc<AgentView>>) -> NotReady {
    let view = views.borrow();
    NotReady::TimedOut {
        state: view.state,
        question: view.question.as_ref().map(|asked| asked.text.clone()),
    }
}

/// Why nothing at all is typed to it, whatever it shows.
fn closed_to_all(view: &AgentView) -> Option<String> {
    match &view.status {
        _ if view.all_stopped => Some("all typing is stopped; `/startall` first".into()),
        _ if view.observe => Some("it is only observed".into()),
        _ if view.held => Some(format!(
            "you hold what is typed to it; `/release {}` first",
            view.id
        )),
        Status::Stopped | Status::Disabled => Some("it is stopped".into()),
        Status::Gone(why) => Some(why.clone()),
        _ => None,
    }
}

fn not_told(agent: &AgentId, why: &str) -> Failure {
    Failure::new(
        Kind::NotDelivered,
        format!("nothing was typed to {agent}: {why}"),
    )
}

fn unknown(agent: &AgentId) -> Failure {
    not_told(agent, "it is not supervised")
}
