//! One table of commands: what the shell line, the typed `/line` and later the keymap and the socket become.
//!
//! [`table`] is where the commands stand, with their arguments and help, which [`help`] shows;
//! [`mod@line`] turns a typed line into a [`Command`], [`complete`] completes a half-typed one; [`reply`]
//! puts what came of it into words, with [`text`] to make foreign text harmless; `dispatch` carries a
//! command out on a supervisor. Front ends speak to a [`Client`] and know no supervisor. Nothing here
//! prints.

pub mod complete;
pub mod dispatch;
pub mod help;
pub mod line;
mod nearest;
pub mod reply;
pub mod table;
pub mod text;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::broadcast;

pub use crate::agent::view::{AgentView, Notice, Urgency};
use crate::config::Seconds;
use crate::error::Failure;
use crate::ids::{AgentId, Kind, PaneRef};
use crate::record::Memo;
pub use crate::supervisor::PaneRow;

/// Something that a person asks of the supervisor.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Shows every agent.
    List,
    /// Supervises one more pane.
    Add {
        /// The agent's name.
        id: AgentId,
        /// Its pane.
        pane: PaneRef,
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
    /// Says yes to what was asked last.
    Yes,
    /// Says no to what was asked last.
    No,
}

/// A goal as it is typed: words, or `@FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// The goal itself.
    Text(String),
    /// The file that holds it.
    File(PathBuf),
}

/// A field of an agent with its new value.
#[derive(Debug, Clone, PartialEq)]
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
    /// What kind of agent it is; none: what its program tells.
    Kind(Option<Kind>),
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// A text to show as it is.
    Text(String),
    /// `/yes` does it, `/no` or another command leaves it.
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
}
