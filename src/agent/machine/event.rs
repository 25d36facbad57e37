//! What goes into an agent's rules and what comes out of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::super::view::Urgency;
use crate::config::{AgentConfig, Approvals, Limits, Timing};
use crate::director::Outcome;
use crate::director::policy::Terms;
use crate::director::prompt::Situation;
use crate::evidence::Sight;
use crate::hands::Answer;
use crate::ids::{PaneAddress, SessionId};
use crate::record::logs::Interrupted;
use crate::record::{Counters, DecisionLine, Memo, Origin, Program, Receipt};

/// A moment: how long since the supervisor started, and what the calendar says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since the start; stands still while the machine sleeps.
    pub since_start: Duration,
    /// The time of day.
    pub wall: DateTime<Utc>,
}

/// Names something under way, so that its end can be told from that of an earlier one.
pub type Ticket = u64;

/// What an agent's rules need to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The agent as it is configured.
    pub agent: AgentConfig,
    /// Where its pane is.
    pub address: PaneAddress,
    /// Whether nothing is typed to any agent.
    pub observe_all: bool,
    /// The folder for texts that are too long for a prompt.
    pub prompts: PathBuf,
    /// Whether the person stopped all typing, everywhere.
    pub all_stopped: bool,
    /// Which dialogs are answered without asking the person.
    pub approvals: Arc<Approvals>,
    /// How long after the reset of a limit this agent may be nudged, so that not all are at once.
    pub stagger: Duration,
    /// Bounds.
    pub limits: Limits,
    /// Deadlines and re-ask times.
    pub timing: Timing,
    /// What the decide backend is called.
    pub backend: &'static str,
    /// Under which name memos are kept.
    pub session: SessionId,
    /// On whose behalf it works, where no person put it on the list.
    pub charge: Option<Arc<Charge>>,
}

/// What an agent has been given that no person put on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// What it works on, for people: `mission/task`.
    pub on: String,
    /// The folder, without links, whose trust dialog is answered by the yes that the person gave to all of it.
    pub trusts: PathBuf,
}

/// What an agent had in mind when an earlier run ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restored {
    /// Its newest memos, the oldest first.
    pub memos: Vec<Memo>,
    /// What was counted.
    pub counters: Counters,
    /// A text whose typing was begun and whose end is not on record.
    pub interrupted: Option<Interrupted>,
}

/// Why a pane could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The pane, its session or its program is gone.
    Gone(String),
    /// zellij did not answer, or not as it should.
    NoAnswer(String),
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It is time to look.
    Due,
    /// The pane was read.
    Seen(Box<Sight>),
    /// The pane could not be read.
    Unseen(Trouble),
    /// What was asked is answered.
    Answered(Ticket, Box<Outcome>),
    /// What was to be typed has come to its end.
    Typed(Ticket, Receipt),
    /// The log could not be written, and why; or it can be again.
    Log(Result<(), String>),
    /// The person stops the agent.
    Stop,
    /// The person starts it, and accepts who is in front.
    Start(Option<Program>),
    /// The person's own text.
    Reply(Ticket, String),
    /// The person answers the dialog that is open.
    Answer(Ticket, Wish),
    /// The person holds every nudge until then, or until they release it.
    Hold(Option<DateTime<Utc>>),
    /// The person takes the hold back.
    Release,
    /// The mission that it works for looks at its work, or is about to tell it something: until it says otherwise,
    /// it is not nudged. The person's hold is a thing apart, and stays as it is.
    Reserve(bool),
    /// The person changed its settings.
    Set(Box<Settings>),
    /// The supervisor ends.
    Quit,
}

/// What the person wants of a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Yes, or the option that is named.
    Approve(Option<String>),
    /// No.
    Deny,
    /// The option that is named.
    Choose(String),
}

/// Keys that are to be pressed.
#[derive(Debug, Clone, PartialEq)]
pub struct Typing {
    /// Whose they are.
    pub origin: Origin,
    /// The text, cleaned; or the answer in words.
    pub text: String,
    /// Under which terms.
    pub terms: Terms,
    /// The dialog's option, where an answer is pressed and no text typed.
    pub answer: Option<Box<Answer>>,
    /// What is written to the file that the text points to, where the text itself was too long for a prompt.
    pub file: Option<PromptFile>,
}

/// A text that is too long for a prompt, in a file that the agent is told to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptFile {
    /// Where.
    pub path: PathBuf,
    /// The text.
    pub text: String,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Read the pane.
    Look,
    /// Read the pane with care enough to press keys by it.
    LookClosely,
    /// Send [`Event::Due`] after this time; replaces the earlier wait.
    Wait(Duration),
    /// Ask the backend.
    Ask(Ticket, Box<Situation>),
    /// Drop what is asked.
    DropAsk,
    /// Type a text, once the lines noted before this effect are written.
    Type(Ticket, Box<Typing>),
    /// End the typing that is under way at the next safe point.
    EndTyping,
    /// Tell who sent the reply what became of it, once the lines noted before this effect are written.
    Receipt(Ticket, Receipt),
    /// Append to the memo log.
    Remember(Box<Memo>),
    /// Append to the decision log.
    Note(Box<DecisionLine>),
    /// Tell the person, once the lines noted before this effect are written.
    Tell(Urgency, String),
}
