//! The command line: what the program is asked to do, as a value.
//!
//! [`parse`] reads it, or ends the program with exit code 2 and the reason (0 after `--help` and
//! `--version`). Completions, the manual page and the schema are texts, which [`Task::text`] makes and
//! [`print`](super::print) writes. `main` calls this and nothing else does.

mod manual;
pub mod past;
pub mod running;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use super::demo_agent::DemoAgent;
use super::mission::MissionTask;
use crate::config::Config;
use crate::ids::{Kind, SessionId, SessionName};
use crate::mission::plan::Plan;
use crate::screen::profile::Profiles;
use past::{DigestOptions, ExportOptions, LogOptions, StatsOptions};
use running::{AttachOptions, CtlOptions, Run};

/// What is to be done, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The configuration, where one is named.
    pub config: Option<PathBuf>,
    /// Whether the REPL is asked for rather than the TUI.
    pub repl: bool,
    /// The colours of the TUI, where they are named.
    pub theme: Option<Theme>,
    /// What of earlier runs is taken up.
    pub memory: Memory,
    /// The name under which memos are kept, where one is named.
    pub session_id: Option<SessionId>,
    /// Where logs go, where that is named.
    pub log_dir: Option<PathBuf>,
    /// The zellij session of agents that name none, where one is named.
    pub zellij_session: Option<SessionName>,
    /// Whether nothing is typed, whatever is decided.
    pub observe: bool,
    /// The socket to listen at, or to speak to, where one is named.
    pub socket: Option<PathBuf>,
    /// What is to be done.
    pub task: Task,
}

/// The colours of the TUI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// For light text on dark ground
    Dark,
    /// For dark text on light ground
    Light,
    /// No colours
    Plain,
}

/// What of earlier runs is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// The agents' memory goes on; the agents are those of the configuration.
    Continue,
    /// Also the agents, questions and counters that were never saved.
    Resume,
    /// Nothing: memos go under a new session id.
    Fresh,
}

/// What the program is to do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Task {
    /// Supervises; what happens without a subcommand
    #[command(skip)]
    Supervise,
    /// Supervises without a terminal, until a signal or `ctl quit` ends it
    Serve(Run),
    /// Opens a front end on a running instance; leaving it ends nothing
    Attach(AttachOptions),
    /// Sends a command to a running instance
    Ctl(CtlOptions),
    /// Checks zellij, the configuration, the backends and every agent's pane
    Doctor {
        /// Print the findings as JSON
        #[arg(long)]
        json: bool,
    },
    /// Tells what a screen shows: the agent's state, the rule, the lines, an open dialog; needs no zellij
    Explain(ScreenOptions),
    /// Shows what was decided about an agent and what came of it, from its logs
    Log(LogOptions),
    /// Counts per agent and day: looks, model calls, tokens, instructions, questions, waiting
    Stats(StatsOptions),
    /// Writes the story of an agent's session as Markdown
    Export(ExportOptions),
    /// Writes what happened to all agents lately as a page of Markdown
    Digest(DigestOptions),
    /// Checks a mission's plan or has one written; runs, resumes or finishes a mission
    Mission {
        /// What is wanted
        #[command(subcommand)]
        task: MissionTask,
    },
    /// Shows it at work on three simulated agents, without a key, a server or a configuration
    Demo,
    /// Prints the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Prints the manual page
    Man,
    /// Prints the JSON schema of the configuration, of an agent's profile, or of a mission's plan
    #[command(hide = true)]
    Schema {
        /// That of an agent's profile
        #[arg(long, conflicts_with = "plan")]
        profile: bool,
        /// That of a mission's plan
        #[arg(long)]
        plan: bool,
    },
    /// Is one of the simulated agents of the demo
    #[command(hide = true)]
    DemoAgent {
        /// Which
        kind: DemoAgent,
    },
}

/// Which screen is explained, and how.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ScreenOptions {
    /// A dump of a pane (`zellij action dump-screen`, plain or with `--ansi`); `-` is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub screen: PathBuf,
    /// The kind of agent: claude, codex, ..., generic; found by trying every profile where it is not named
    #[arg(long, value_name = "KIND")]
    pub kind: Option<Kind>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
    /// How many columns the pane has, where `case.json` beside FILE does not tell: else its longest row
    #[arg(long, value_name = "N", value_parser = columns)]
    pub columns: Option<usize>,
    /// Where the terminal's cursor is, from 0, where `case.json` beside FILE does not tell
    #[arg(long, value_name = "COLUMN,ROW", value_parser = cursor)]
    pub cursor: Option<(usize, usize)>,
}

/// As many columns as a pane may have.
fn columns(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| (1..=10_000).contains(number));
    number.ok_or_else(|| "a number of columns is from 1 to 10000".into())
}

fn cursor(text: &str) -> Result<(usize, usize), String> {
    let place = text
        .split_once(',')
        .and_then(|(column, row)| Some((column.trim().parse().ok()?, row.trim().parse().ok()?)));
    let place = place.filter(|(column, row): &(usize, usize)| *column <= 10_000 && *row <= 10_000);
    place.ok_or_else(|| "a cursor is its column and its row: `2,35`".into())
}

impl Task {
    /// The text that is all there is to do, for tasks that only print one.
    pub fn text(&self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        let mut command = CommandLine::command().mut_subcommand("ctl", running::with_commands);
        match self {
            Self::Completions { shell } => {
                let name = command.get_name().to_owned();
                clap_complete::generate(*shell, &mut command, name, &mut text);
            }
            // writing to memory does not fail
            Self::Man => text = manual::page(&command).ok()?,
            Self::Schema { plan: true, .. } => text = Plan::schema_text().into_bytes(),
            Self::Schema { profile: true, .. } => text = Profiles::schema_text().into_bytes(),
            Self::Schema { .. } => text = Config::schema_text().into_bytes(),
            Self::Supervise
            | Self::Serve(_)
            | Self::Attach(_)
            | Self::Ctl(_)
            | Self::Doctor { .. }
            | Self::Explain(_)
            | Self::Log(_)
            | Self::Stats(_)
            | Self::Export(_)
            | Self::Digest(_)
            | Self::Mission { .. }
            | Self::Demo
            | Self::DemoAgent { .. } => {
                return None;
            }
        }
        Some(text)
    }
}

const EXAMPLES: &str = "\
Examples:
  Supervise the agents of ./meta_orchestrator.config.json, from a pane of their zellij session:
      meta-orchestrator

  Begin without a configuration: add a pane, and keep it for the next time:
      meta-orchestrator --zellij-session work
      /panes
      /add kernel terminal_18 Make the backward pass twice as fast
      /save

  The same as lines rather than on a whole screen:
      meta-orchestrator --repl

  See what it would type, without a key being pressed:
      meta-orchestrator --observe

  Go on after a crash, with the agents and questions that were never saved:
      meta-orchestrator --resume

  Let a script ask:
      echo /list | meta-orchestrator --repl

  Let it run without a terminal, look in now and then, and let scripts steer it:
      meta-orchestrator serve
      meta-orchestrator attach
      meta-orchestrator ctl list --json

  Find out what it makes of a screen:
      zellij action dump-screen --pane-id 18 --ansi | meta-orchestrator explain --screen -

  Read what happened while you were away, without a running instance:
      meta-orchestrator digest --since 12h
      meta-orchestrator log kernel --since 24h --action instruct,ask_user
      meta-orchestrator stats --since 7d
      meta-orchestrator export kernel --output kernel.md

  Find out why it does not work:
      meta-orchestrator doctor

Configuration: --config, $META_ORCHESTRATOR_CONFIG, ./meta_orchestrator.config.json, then
$XDG_CONFIG_HOME/meta-orchestrator/config.json.

Exit codes: 0 done, 1 failed, 2 the command line or the configuration is wrong, 3 zellij or its
session is missing, 4 a text was not delivered, 5 timed out, 255 a bug. With commands from a pipe:
that of the last command that failed.";

/// Supervises coding agents in zellij panes: notices when one has gone quiet, asks a model whether to leave
/// it alone, to type a next instruction or to ask you, and never presses a wrong key.
#[derive(Debug, Parser)]
#[command(name = "meta-orchestrator", version, after_long_help = EXAMPLES)]
#[command(max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    shared: Shared,
    /// Start the REPL rather than the TUI: commands typed as lines, or read from a pipe
    #[arg(long)]
    repl: bool,
    /// The colours of the TUI; by `NO_COLOR` and `COLORFGBG` where that is not said
    #[arg(long, global = true, value_name = "THEME")]
    theme: Option<Theme>,
    #[command(flatten)]
    run: Run,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Debug, Args)]
struct Shared {
    /// The configuration
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Where logs go, whatever the configuration says
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    log_dir: Option<PathBuf>,
    /// The zellij session of agents that name none
    #[arg(long, global = true, value_name = "NAME")]
    zellij_session: Option<SessionName>,
    /// The socket to listen at, or to speak to, in place of the one of the configuration
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    socket: Option<PathBuf>,
}

impl From<CommandLine> for Options {
    fn from(line: CommandLine) -> Self {
        let task = line.task.unwrap_or(Task::Supervise);
        let served = match &task {
            Task::Serve(run) => run.clone(),
            _ => Run::default(),
        };
        let run = line.run;
        let memory = match (run.resume || served.resume, run.fresh || served.fresh) {
            (true, _) => Memory::Resume,
            (_, true) => Memory::Fresh,
            _ => Memory::Continue,
        };
        Self {
            config: line.shared.config,
            repl: line.repl,
            theme: line.theme,
            memory,
            session_id: served.session_id.or(run.session_id),
            log_dir: line.shared.log_dir,
            zellij_session: line.shared.zellij_session,
            observe: run.observe || served.observe,
            socket: line.shared.socket,
            task,
        }
    }
}

/// Reads the command line of this process. Ends it with exit code 2 and the reason where the line is wrong,
/// and with 0 after `--help` and `--version`.
pub fn parse() -> Options {
    CommandLine::parse().into()
}

/// What these words would be, for tests.
#[cfg(test)]
pub(super) fn of(words: &[String]) -> Result<Options, clap::Error> {
    CommandLine::try_parse_from(words).map(Into::into)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::past::{Span, Which};
    use super::running::{How, WaitOptions, What};
    use super::*;

    fn options(line: &str) -> Result<Options, clap::Error> {
        let words = std::iter::once("meta-orchestrator").chain(line.split_whitespace());
        CommandLine::try_parse_from(words).map(Into::into)
    }

    fn nothing() -> Options {
        Options {
            config: None,
            repl: false,
            theme: None,
            memory: Memory::Continue,
            session_id: None,
            log_dir: None,
            zellij_session: None,
            observe: false,
            socket: None,
            task: Task::Supervise,
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_line_becomes_options() {
        let doctor = Task::Doctor { json: true };
        let shell = Shell::Bash;
        let cases = [
            ("", nothing()),
            (
                "--repl --observe --theme light",
                Options {
                    repl: true,
                    theme: Some(Theme::Light),
                    observe: true,
                    ..nothing()
                },
            ),
            (
                "--resume --session-id night",
                Options {
                    memory: Memory::Resume,
                    session_id: Some("night".parse().unwrap()),
                    ..nothing()
                },
            ),
            (
                "--fresh --log-dir /tmp/l",
                Options {
                    memory: Memory::Fresh,
                    log_dir: Some("/tmp/l".into()),
                    ..nothing()
                },
            ),
            (
                "doctor --json --config c.json --zellij-session work",
                Options {
                    config: Some("c.json".into()),
                    zellij_session: Some("work".parse().unwrap()),
                    task: doctor.clone(),
                    ..nothing()
                },
            ),
            (
                "--config c.json doctor --json",
                Options {
                    config: Some("c.json".into()),
                    task: doctor,
                    ..nothing()
                },
            ),
            (
                "explain --screen - --kind codex --columns 80 --cursor 2,35 --json",
                Options {
                    task: Task::Explain(ScreenOptions {
                        screen: "-".into(),
                        kind: Some("codex".parse().unwrap()),
                        json: true,
                        columns: Some(80),
                        cursor: Some((2, 35)),
                    }),
                    ..nothing()
                },
            ),
            (
                "log kernel --since 24h --action instruct,ask_user --text a -n 5 --json",
                Options {
                    task: Task::Log(LogOptions {
                        id: "kernel".parse().unwrap(),
                        span: Span {
                            since: Some("24h".parse().unwrap()),
                            until: None,
                        },
                        action: vec![Which::Instruct, Which::AskUser],
                        text: Some("a".into()),
                        decisions: false,
                        number: Some(5),
                        json: true,
                        follow: false,
                    }),
                    ..nothing()
                },
            ),
            (
                "export kernel --session-id night --output k.md --log-dir l",
                Options {
                    log_dir: Some("l".into()),
                    task: Task::Export(ExportOptions {
                        id: "kernel".parse().unwrap(),
                        span: Span::default(),
                        session_id: Some("night".parse().unwrap()),
                        output: Some("k.md".into()),
                    }),
                    ..nothing()
                },
            ),
            (
                "digest --model",
                Options {
                    task: Task::Digest(DigestOptions {
                        since: "24h".parse().unwrap(),
                        model: true,
                        json: false,
                    }),
                    ..nothing()
                },
            ),
            (
                "serve --resume --observe --socket s.sock",
                Options {
                    memory: Memory::Resume,
                    observe: true,
                    socket: Some("s.sock".into()),
                    task: Task::Serve(Run {
                        resume: true,
                        observe: true,
                        ..Run::default()
                    }),
                    ..nothing()
                },
            ),
            (
                "ctl --config c.json reply a1 go -- --json",
                Options {
                    config: Some("c.json".into()),
                    task: Task::Ctl(CtlOptions {
                        how: How::default(),
                        what: What::Command(
                            ["reply", "a1", "go", "--", "--json"]
                                .map(str::to_owned)
                                .to_vec(),
                        ),
                    }),
                    ..nothing()
                },
            ),
            (
                "ctl wait a1 --until idle,stopped --timeout 10m --json",
                Options {
                    task: Task::Ctl(CtlOptions {
                        how: How {
                            json: true,
                            yes: false,
                        },
                        what: What::Wait(WaitOptions {
                            id: "a1".parse().unwrap(),
                            until: vec!["idle".into(), "stopped".into()],
                            timeout: Some(Duration::from_mins(10)),
                        }),
                    }),
                    ..nothing()
                },
            ),
            (
                "attach --repl",
                Options {
                    task: Task::Attach(AttachOptions { repl: true }),
                    ..nothing()
                },
            ),
            (
                "demo",
                Options {
                    task: Task::Demo,
                    ..nothing()
                },
            ),
            (
                "demo-agent asker",
                Options {
                    task: Task::DemoAgent {
                        kind: DemoAgent::Asker,
                    },
                    ..nothing()
                },
            ),
            (
                "completions bash",
                Options {
                    task: Task::Completions { shell },
                    ..nothing()
                },
            ),
            (
                "schema",
                Options {
                    task: Task::Schema {
                        profile: false,
                        plan: false,
                    },
                    ..nothing()
                },
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(options(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn a_wrong_line_is_refused_with_exit_code_2() {
        for line in [
            "--resume --fresh",
            "--fresh --session-id x",
            "--session-id ../x",
            "--zellij-session -x",
            "--nonsense",
            "explain",
            "explain --screen x --columns 0",
            "explain --screen x --cursor 2",
            "explain --screen x --kind a/b",
            "supervise",
            "log",
            "log a/b",
            "log kernel --since yesterday",
            "log kernel --action nonsense",
            "log kernel -n 0",
            "log kernel --follow --until 1h",
            "digest --model --json",
            "completions tcsh",
            "demo-agent",
            "ctl",
            "ctl wait a1",
            "ctl wait a1 --until ready",
            "ctl wait a1 --until idle --timeout 10",
            "ctl events --recent",
            "ctl events --kinds nonsense",
            "serve --resume --fresh",
        ] {
            assert_eq!(options(line).unwrap_err().exit_code(), 2, "{line}");
        }
        assert_eq!(options("--version").unwrap_err().exit_code(), 0);
    }

    #[test]
    fn help_teaches_by_examples() {
        // as wide as it gets, whatever terminal the test has
        let mut command = CommandLine::command().term_width(100);
        insta::assert_snapshot!("help", command.render_long_help());
    }

    #[test]
    fn tasks_that_read_logs_teach_by_examples_too() {
        let mut command = CommandLine::command();
        for name in ["log", "stats", "export", "digest"] {
            let task = command.find_subcommand_mut(name).unwrap();
            let help = task.clone().term_width(100).render_long_help();
            insta::assert_snapshot!(format!("help_{name}"), help);
        }
    }

    #[test]
    fn completions_manual_page_and_schema_are_texts() {
        let text = |task: Task| String::from_utf8(task.text().unwrap()).unwrap();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = text(Task::Completions { shell });
            assert!(text.contains("zellij-session") && text.contains("doctor"));
            assert!(text.contains("awaiting-user") || text.contains("until"));
            assert!(text.contains("stopall") && text.contains("snooze"));
        }
        let page = text(Task::Man);
        assert!(page.contains(".TH meta-orchestrator 1") && page.contains("Examples:"));
        assert!(!page.contains("demo-agent"));
        assert!(page.contains("META\\-ORCHESTRATOR LOG") || page.contains("META-ORCHESTRATOR LOG"));
        assert!(page.contains("log kernel") && page.contains("export kernel"));
        let schema = |profile, plan| text(Task::Schema { profile, plan });
        assert_eq!(schema(false, false), Config::schema_text());
        assert_eq!(schema(true, false), Profiles::schema_text());
        assert_eq!(schema(false, true), Plan::schema_text());
        assert_eq!(Task::Demo.text(), None);
    }
}
