//! What the tasks are asked to do that start an instance without a terminal, or speak to a running one.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::{Arg, Args, Command, Subcommand, ValueHint};

use crate::agent::view::Status;
use crate::command::table::{Argument, Kind, TABLE};
use crate::ids::{AgentId, InvalidId, MissionId, SessionId, TaskId};
use crate::mission::machine::Phase;
use crate::mission::schedule::Stage;
use crate::screen::state::State;

/// What of earlier runs an instance takes up, and whether it types.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Run {
    /// Bring back what was never saved: agents, open questions, counters
    #[arg(long, conflicts_with = "fresh")]
    pub resume: bool,
    /// Begin a new memory, under a new session id
    #[arg(long, conflicts_with = "session_id")]
    pub fresh: bool,
    /// Keep the agents' memory under this name
    #[arg(long, value_name = "NAME")]
    pub session_id: Option<SessionId>,
    /// Decide everything, type nothing
    #[arg(long)]
    pub observe: bool,
}

/// How a front end is opened on a running instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(after_help = "\
Leaving ends nothing: the instance goes on, and others may look at the same time. `meta-orchestrator ctl quit`
ends it.")]
pub struct AttachOptions {
    /// Start the REPL: commands typed as lines, or read from a pipe
    #[arg(long)]
    pub repl: bool,
}

/// What is asked of a running instance, and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Every command of the REPL goes, without its slash; `meta-orchestrator ctl help` lists them. Text at the end of
a command is sent as it is; options stand before it.

Examples:
  Who needs me?
      meta-orchestrator ctl list --json | jq -r '.agents[] | select(.question) | .id'

  Answer one, and wait until it has worked through that:
      meta-orchestrator ctl reply kernel \"Yes, go on with the second plan\"
      meta-orchestrator ctl wait kernel --until idle,awaiting-user --timeout 30m

  Wait for the end of a mission, and for one of its tasks:
      meta-orchestrator ctl wait notes --until over,aborted,finished --timeout 8h --json | jq -e '.done == .tasks'
      meta-orchestrator ctl wait notes/parser --until done,failed

  Follow what is typed, with its receipts:
      meta-orchestrator ctl events --follow --kinds nudge,question

Where one instance runs, it is found; of several the one whose configuration would be used here, or that
--config or --socket names. Exit codes: 0 done, 1 failed, 2 the command is wrong, 3 nothing is running, 4 a text
was not delivered, 5 timed out."
)]
pub struct CtlOptions {
    /// How answers are printed
    #[command(flatten)]
    pub how: How,
    /// What is asked
    #[command(subcommand)]
    pub what: What,
}

/// How it is asked, and how the answer is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub struct How {
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Say yes where the command asks
    #[arg(long)]
    pub yes: bool,
}

/// What is asked of a running instance.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum What {
    /// Prints what happened lately, a JSON object a line: status, verdicts, nudges, questions
    Events(EventsOptions),
    /// Waits until an agent, a mission or a task is in one of several states
    Wait(WaitOptions),
    /// Shows how the instance itself is: zellij, the backends, what was spent today
    Health,
    /// A command of the REPL, with its arguments
    #[command(external_subcommand)]
    Command(Vec<String>),
}

/// Which events are printed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct EventsOptions {
    /// Print what happens from now on, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// With --follow: begin with what happened lately
    #[arg(long, requires = "follow")]
    pub recent: bool,
    /// Only those of this agent
    #[arg(long, value_name = "ID")]
    pub agent: Option<AgentId>,
    /// Only those of this mission and its tasks
    #[arg(long, value_name = "MISSION")]
    pub mission: Option<MissionId>,
    /// Only these, with commas between them
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = KINDS)]
    pub kinds: Vec<String>,
}

/// The kinds of events.
const KINDS: [&str; 12] = [
    "status",
    "asked",
    "verdict",
    "nudge",
    "question",
    "question_closed",
    "notice",
    "ring",
    "roster",
    "mission",
    "task",
    "lost",
];

/// For whom is waited, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct WaitOptions {
    /// The agent; or the mission, or MISSION/TASK
    pub id: Awaited,
    /// What it is doing, or its status: idle, working, question, awaiting-user, stopped ...; several with commas.
    /// Of a mission: running, paused, over, aborted, finished; of a task: running, checking, blocked, done, failed ...
    #[arg(long, value_name = "WORD", value_delimiter = ',', required = true, value_parser = word)]
    pub until: Vec<String>,
    /// How long, at most: 90s, 10m, 2h; for ever where it is not said
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub timeout: Option<Duration>,
}

/// For whom is waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// The agent or the mission of that name.
    Named(AgentId, MissionId),
    /// A task of a mission.
    Task(MissionId, TaskId),
}

impl FromStr for Awaited {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once('/') {
            Some((mission, task)) => Ok(Self::Task(mission.parse()?, task.parse()?)),
            None => Ok(Self::Named(text.parse()?, text.parse()?)),
        }
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(id, _) => id.fmt(out),
            Self::Task(mission, task) => write!(out, "{mission}/{task}"),
        }
    }
}

/// The words for what an agent is doing, and for its status.
fn words_of_agents() -> impl Iterator<Item = &'static str> {
    let states = State::ALL.iter().map(|state| state.as_str());
    states.chain(Status::WORDS)
}

/// Whether a word is one for an agent.
pub fn is_of_agents(word: &str) -> bool {
    words_of_agents().any(|one| one == word)
}

/// A word for a state or a status, of an agent, a mission or a task.
fn word(text: &str) -> Result<String, String> {
    let missions = Phase::ALL.map(Phase::as_str).into_iter();
    let tasks = Stage::ALL.map(Stage::as_str).into_iter().chain(["skipped"]);
    let all: Vec<&str> = words_of_agents().chain(missions).chain(tasks).collect();
    if all.contains(&text) {
        return Ok(text.to_owned());
    }
    let mut all = all;
    all.sort_unstable();
    all.dedup();
    Err(format!("it is one of {}", all.join(", ")))
}

/// A length of time, up to a year.
fn length(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "s" => Some(1_u64),
        "m" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        _ => None,
    };
    let seconds = digits.parse::<u64>().ok().zip(factor);
    let seconds = seconds.and_then(|(count, factor)| count.checked_mul(factor));
    let seconds = seconds.filter(|seconds| *seconds <= 365 * 86_400);
    let seconds = seconds.ok_or("it is a number and a unit, up to a year: 90s, 10m, 2h, 1d")?;
    Ok(Duration::from_secs(seconds))
}

/// `ctl` with the commands of the table as subcommands, for completions and the manual page.
pub(super) fn with_commands(ctl: Command) -> Command {
    let commands = TABLE.iter().map(|entry| {
        let takes_path = |argument: &Argument| matches!(argument.kind, Kind::Path | Kind::Goal);
        let hint = if entry.arguments.iter().any(takes_path) {
            ValueHint::AnyPath
        } else {
            ValueHint::Other
        };
        let words = Arg::new("WORDS").num_args(0..).value_hint(hint);
        Command::new(entry.name)
            .about(entry.summary)
            .disable_help_flag(true)
            .arg(words)
    });
    ctl.subcommands(commands)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Happening;

    #[test]
    fn every_kind_of_event_can_be_asked_for() {
        // the error names all that there are
        let unknown = serde_json::json!({ "event": "nonsense" });
        let known = serde_json::from_value::<Happening>(unknown).unwrap_err();
        let known = known.to_string();
        let named: Vec<&str> = known.split('`').skip(3).step_by(2).collect();
        let mut kinds = KINDS.to_vec();
        kinds.sort_unstable();
        let mut named = named;
        named.sort_unstable();
        assert_eq!(kinds, named);
    }

    #[test]
    fn a_length_of_time_is_a_number_with_its_unit() {
        for (text, seconds) in [
            ("0s", Some(0)),
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("2h", Some(7_200)),
            ("1d", Some(86_400)),
            ("365d", Some(31_536_000)),
            ("366d", None),
            ("10", None),
            ("m", None),
            ("-1s", None),
            ("1.5h", None),
            ("1w", None),
            ("99999999999999999999s", None),
        ] {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(length(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_name_is_an_agents_or_a_missions_and_one_with_a_stroke_a_tasks() {
        let task = Awaited::Task("m".parse().unwrap(), "t".parse().unwrap());
        assert_eq!("m/t".parse(), Ok(task));
        assert!(matches!("m".parse(), Ok(Awaited::Named(..))));
        for bad in ["", "/", "m/", "/t", "m/t/u", "a b"] {
            assert!(bad.parse::<Awaited>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_state_and_status_can_be_waited_for() {
        for known in [
            "idle",
            "question",
            "awaiting-user",
            "stopped",
            "gone",
            "limit",
            "over",
            "finished",
            "blocked",
            "skipped",
        ] {
            assert_eq!(word(known), Ok(known.to_owned()));
        }
        let said = word("ready").unwrap_err();
        assert!(
            said.contains("idle") && said.contains("awaiting-user"),
            "{said}"
        );
    }
}
