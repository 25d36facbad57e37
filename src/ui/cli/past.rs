//! What the tasks that read logs are asked to do.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::command::when::When;
use crate::ids::{AgentId, SessionId};

/// Which records of an agent are shown, and how.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(after_help = "\
Examples:
  The instructions and questions of the last day, with what came of them:
      meta-orchestrator log kernel --since 24h --action instruct,ask_user

  Every step of the newest decisions, as it goes on:
      meta-orchestrator log kernel --decisions --follow

  What was typed on one day, for a script:
      meta-orchestrator log kernel --since 2026-11-20 --until 2026-11-21 --json | jq .text

Logs are looked for where --log-dir, the configuration or its default says. Of lines about the same memo \
the newest counts. Lines that are no records are skipped and told on stderr.")]
pub struct LogOptions {
    /// The agent
    pub id: AgentId,
    /// From when on, up to when
    #[command(flatten)]
    pub span: Span,
    /// Only these, with commas between them
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    pub action: Vec<Which>,
    /// Only what contains all of these words, in capitals or not
    #[arg(long, value_name = "WORDS")]
    pub text: Option<String>,
    /// Show the steps of decisions too: asked, answered, meant, typed
    #[arg(long)]
    pub decisions: bool,
    /// Only the newest N
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub number: Option<u32>,
    /// Print the lines of the logs as they are: JSON, one object a line
    #[arg(long)]
    pub json: bool,
    /// Go on as the logs grow, until Ctrl-C; begins with the newest 10 where nothing else is said
    #[arg(long, short, conflicts_with = "until")]
    pub follow: bool,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub struct Span {
    /// From then on: `90s`, `30m`, `24h`, `7d`, `2w` ago; `2026-11-20`; `2026-11-20 18:30`; RFC 3339
    #[arg(long, value_name = "WHEN")]
    pub since: Option<When>,
    /// Up to then; a day is its beginning
    #[arg(long, value_name = "WHEN")]
    pub until: Option<When>,
}

/// What a record is, as `--action` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the logs")]
pub enum Which {
    Continue,
    Instruct,
    AskUser,
    NoVerdict,
    Reply,
    Answer,
    Notice,
    Asked,
    Answered,
    Intent,
    Receipt,
    Counted,
}

/// Whose numbers are shown, and how.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(after_help = "\
Examples:
      meta-orchestrator stats --since 7d
      meta-orchestrator stats kernel docs --json | jq '.total.tokens'

Days are those of your own zone.")]
pub struct StatsOptions {
    /// The agents; all that have logs where none is named
    #[arg(value_name = "ID")]
    pub ids: Vec<AgentId>,
    /// From when on, up to when
    #[command(flatten)]
    pub span: Span,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Which story is written, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(after_help = "\
Examples:
      meta-orchestrator export kernel --output kernel.md
      meta-orchestrator export kernel --session-id night --since 24h | less

It holds what stood on the agent's screen: look before you hand it on.")]
pub struct ExportOptions {
    /// The agent
    pub id: AgentId,
    /// From when on, up to when
    #[command(flatten)]
    pub span: Span,
    /// The session; the newest where none is named
    #[arg(long, value_name = "NAME")]
    pub session_id: Option<SessionId>,
    /// Write it to a new file; one that is there is left as it is
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// What the page is about, and who writes it.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(after_help = "\
Examples:
      meta-orchestrator digest
      meta-orchestrator digest --since 7d --model > week.md

With --model the review backend gets exactly what the tables say. Where it does not answer, you get the \
tables and the reason.")]
pub struct DigestOptions {
    /// From then on, in the words of `log --since`
    #[arg(long, value_name = "WHEN", default_value = "24h")]
    pub since: When,
    /// Have the review backend write it
    #[arg(long)]
    pub model: bool,
    /// Print the facts as JSON
    #[arg(long, conflicts_with = "model")]
    pub json: bool,
}
