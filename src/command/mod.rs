//! One table of commands: what the shell line, the typed `/line` and later the keymap and the socket become.
//!
//! [`table`] is where the commands stand, with their arguments and help, which [`help`] shows;
//! [`mod@line`] turns a typed line into a [`Command`], [`complete`] completes a half-typed one; [`reply`]
//! puts what came of it into words, with [`text`] to make foreign text harmless; [`past`], [`export`] and [`digest`] put
//! into words what the logs hold; `dispatch` carries a
//! command out on a supervisor. Front ends speak to a [`Client`] and know no supervisor. Nothing here
//! prints.

pub mod complete;
pub mod digest;
pub mod dispatch;
pub mod explain;
pub mod export;
pub mod help;
pub mod line;
pub mod markdown;
pub mod mission;
pub mod missions;
pub mod nearest;
pub mod past;
pub mod paths;
pub mod reply;
pub mod table;
pub mod text;
pub mod when;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};

use crate::agent::machine::Explanation;
pub use crate::agent::view::{AgentView, Notice, Status, Urgency};
use crate::config::Seconds;
use crate::error::Failure;
use crate::ids::{AgentId, Kind, PaneRef};
pub use crate::mission::view::{MissionView, WorkerView};
pub use crate::notify::Ring;
pub use crate::record::Event;
use crate::record::{DecisionLine, Memo, Review};
pub use crate::supervisor::{Answers, BackendHealth, Health, PaneRow, PaneShot};

/// Something that a person asks of the supervisor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Command {
    /// Shows every agent.
    List,
    /// Supervises one more pane.
    Add {
        /// The agent's name.
        id: AgentId,
        /// Its pane.
        pane: PaneRef,
        /// What kind of agent it is, where its program does not tell.
        kind: Option<Kind>,
        /// What it is to achieve.
        goal: Goal,
    },
    /// Stops supervising an agent until `/start`.
    Stop {
        /// Which.
        id: AgentId,
    },
    /// Starts it again, and accepts the program that is in its pane now.
    Start {
        /// Which.
        id: AgentId,
    },
    /// Forgets an agent; its logs stay.
    Remove {
        /// Which.
        id: AgentId,
    },
    /// Types the person's own text into its pane.
    Reply {
        /// Which.
        id: AgentId,
        /// The text, as it was typed.
        text: String,
    },
    /// Says yes to the dialog that it has open.
    Approve {
        /// Whose.
        id: AgentId,
        /// The option that says so, by its key, number or label; the plain yes where none is named.
        option: Option<String>,
    },
    /// Says no to the dialog that it has open.
    Deny {
        /// Whose.
        id: AgentId,
        /// What it is told instead, once it stands at its prompt.
        text: Option<String>,
    },
    /// Chooses an option of the dialog that it has open.
    Answer {
        /// Whose.
        id: AgentId,
        /// The option, by its key, number or label.
        option: String,
    },
    /// Holds every nudge to it.
    Hold {
        /// To which.
        id: AgentId,
        /// For how many minutes; until `/release` where that is not said.
        minutes: Option<u32>,
    },
    /// Takes the hold back.
    Release {
        /// Whose.
        id: AgentId,
    },
    /// Stops all typing, to every agent.
    StopAll,
    /// Lets it go on.
    StartAll,
    /// Tells what is known of an agent, what would be done now and why.
    Explain {
        /// Of which.
        id: AgentId,
        /// Whether as JSON.
        json: bool,
    },
    /// Shows what its pane shows now.
    Screen {
        /// Whose.
        id: AgentId,
    },
    /// Shows its pane in zellij.
    Focus {
        /// Whose.
        id: AgentId,
    },
    /// Shows a whole decision about it.
    Decision {
        /// About which.
        id: AgentId,
        /// The decision's id; the newest where none is named.
        decision: Option<String>,
    },
    /// Shows its newest reviews.
    Reviews {
        /// Whose.
        id: AgentId,
        /// How many.
        count: usize,
    },
    /// Puts its open question off: it is not rung for.
    Snooze {
        /// Whose.
        id: AgentId,
        /// For how many minutes.
        minutes: u32,
    },
    /// Keeps its screen and what is known of it as a test case.
    Capture {
        /// Whose.
        id: AgentId,
        /// In which folder; `captures` beside the logs where none is named.
        folder: Option<PathBuf>,
    },
    /// Has the review backend audit it.
    Review {
        /// Which.
        id: AgentId,
        /// Whether to offer the review's redirection as an instruction.
        send: bool,
    },
    /// Saves the configuration.
    Save {
        /// Where; the file it was read from, where none is named.
        path: Option<PathBuf>,
    },
    /// Reads a configuration and makes the roster follow it.
    Load {
        /// From where.
        path: PathBuf,
    },
    /// Shows what is left out of a configuration that nobody named, and asks for a yes to it.
    Trust,
    /// Shows in which ways the person is told that somebody waits for them.
    Notify {
        /// Whether to send a test in each.
        test: bool,
    },
    /// Stops everything and leaves.
    Quit,
    /// Explains the commands, or one of them.
    Help {
        /// Which.
        command: Option<String>,
    },
    /// Shows what panes there are.
    Panes,
    /// Supervises the panes in which a coding agent runs and that nobody supervises, after a yes.
    Adopt {
        /// Only panes whose id, title, command or folder contains this.
        pattern: Option<String>,
    },
    /// Shows the newest memos of an agent.
    Log {
        /// Which.
        id: AgentId,
        /// How many.
        count: usize,
    },
    /// Changes one field of an agent.
    Set {
        /// Which.
        id: AgentId,
        /// The field and its new value.
        setting: Setting,
    },
    /// Runs and steers missions.
    Mission {
        /// What is wanted.
        verb: missions::MissionVerb,
        /// Of which mission and task, and what else there is to say; as it was typed.
        rest: String,
    },
    /// Shows the workers of all missions.
    Workers,
    /// Takes the report of the worker whose pane this comes out of.
    TaskReport {
        /// The report.
        text: String,
    },
    /// Says yes to what was asked last.
    Yes,
    /// Says no to what was asked last.
    No,
}

impl Command {
    /// Whether it only looks, and changes nothing.
    pub const fn only_looks(&self) -> bool {
        matches!(
            self,
            Self::List
                | Self::Panes
                | Self::Explain { .. }
                | Self::Screen { .. }
                | Self::Decision { .. }
                | Self::Reviews { .. }
                | Self::Log { .. }
                | Self::Help { .. }
                | Self::Workers
        ) || matches!(self, Self::Mission { verb, .. } if verb.only_looks())
    }
}

/// A goal as it is typed: words, or `@FILE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Goal {
    /// The goal itself.
    Text(String),
    /// The file that holds it.
    File(PathBuf),
}

/// A field of an agent with its new value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Setting {
    /// What it is to achieve.
    Goal(Goal),
    /// How long a still screen counts as a stall.
    StallSec(Seconds),
    /// How often the pane is read.
    PollSec(Seconds),
    /// Its pane.
    Pane(PaneRef),
    /// Whether nothing is typed.
    Observe(bool),
    /// What kind of agent it is; `None`: as its program tells.
    Kind(Option<Kind>),
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reply {
    /// It was done; in a sentence or several.
    Done(String),
    /// Every agent, as it is now.
    Agents(Vec<Arc<AgentView>>),
    /// Every pane.
    Panes(Vec<PaneRow>),
    /// Memos of an agent, the oldest first, and what was skipped in its log.
    Memos {
        /// Whose.
        id: AgentId,
        /// The memos.
        memos: Vec<Memo>,
        /// Lines of the log that could not be read.
        skipped: u64,
    },
    /// What is known of an agent, what would be done now and why.
    Explanation(Box<Explanation>),
    /// What an agent's pane shows.
    Screen(Box<PaneShot>),
    /// Every step of one decision, in order; none where there is no such decision.
    Decision {
        /// About whom.
        id: AgentId,
        /// The steps.
        steps: Vec<DecisionLine>,
    },
    /// Reviews of an agent, the oldest first.
    Reviews {
        /// Of whom.
        id: AgentId,
        /// The reviews.
        reviews: Vec<Review>,
    },
    /// Missions, as they are now.
    Missions(Vec<Arc<MissionView>>),
    /// The workers of all missions, as they are now.
    Workers(Vec<WorkerView>),
    /// A text to show as it is.
    Text(String),
    /// `/yes` does it, `/no` or another command that does something leaves it.
    Confirm(String),
    /// The supervisor has stopped everything; what it did on the way out.
    Bye(String),
}

/// The future that a [`Client`] answers with.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send + 'a>>;

/// A running supervisor as a front end sees it, in process or elsewhere.
pub trait Client: Send + Sync {
    /// Carries out one command.
    fn send(&self, command: Command) -> Answering<'_>;
    /// Every agent, as it is now, without asking it.
    fn views(&self) -> Vec<Arc<AgentView>>;
    /// What is said from now on; a reader that falls behind loses the oldest and is told how many.
    fn notices(&self) -> broadcast::Receiver<Notice>;
    /// The panes known from the last look, for completion: `session:terminal_18`.
    fn known_panes(&self) -> Vec<String>;
    /// The kinds of agents that there are, for completion.
    fn known_kinds(&self) -> Vec<String>;
    /// Wakes whenever something that [`Client::views`] or [`Client::health`] shows has changed; the number means
    /// nothing.
    fn changes(&self) -> watch::Receiver<u64>;
    /// What happens from now on; a reader that falls behind loses the oldest and is told how many.
    fn events(&self) -> broadcast::Receiver<Event>;
    /// Every mission that is carried out, as it is now, without asking it.
    fn missions(&self) -> Vec<Arc<MissionView>> {
        Vec::new()
    }
    /// How the supervisor itself is, without asking anybody.
    fn health(&self) -> Health;
    /// What a terminal is to ring for from now on; nothing, where that is not handed on.
    fn rings(&self) -> broadcast::Receiver<Ring> {
        broadcast::Sender::new(1).subscribe()
    }
    /// Somebody looks at this front end (its terminal has the focus), or no longer does. While they do, nothing is
    /// rung for.
    fn attended(&self, looks: bool) {
        let _ = looks;
    }
}
