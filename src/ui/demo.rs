//! The demo: the whole program at work on three simulated agents, without a key, a server or a configuration.
//!
//! It opens a zellij session of its own ([`stage`]) and supervises what plays there with the built-in rules,
//! by the same supervisor and through the same client as any other run. With a terminal the person has the
//! REPL; without one the demo answers for the person and says what was seen ([`show`]). However it ends, a
//! panic included, the session and its files are cleared away. `main` calls [`run`].

mod seen;
mod show;
mod stage;

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::cli::Options;
use super::demo_agent::DemoAgent;
use super::print;
use super::repl::{self, ReplOptions};
use super::signals::Signals;
use crate::command::dispatch::Local;
use crate::config::{AgentConfig, BackendConfig, BackendType, Config, Seconds};
use crate::error::{Failure, Kind};
use crate::ids::{AgentId, PaneAddress, PaneRef};
use crate::supervisor::{Memory, Overrides, Start, Supervisor};
use crate::zellij::Zellij;
use stage::Stage;

/// Seconds without a change after which a simulated agent counts as stalled.
const STALL_SEC: f64 = 2.0;
/// Seconds between two looks at a pane.
const POLL_SEC: f64 = 0.5;

const BYE: &str = "The demo is over: its session and its files are gone.\n\
    For your own agents, run `meta-orchestrator` in a pane of their zellij session:\n\
    /panes shows what is there, /add supervises one.\n";

/// What is played, apart from where.
#[derive(Clone)]
struct Play {
    zellij: Zellij,
    cast: Vec<(DemoAgent, PaneAddress)>,
    folder: PathBuf,
    log_dir: Option<PathBuf>,
    greeting: String,
    at_a_terminal: bool,
    interrupted: CancellationToken,
}

/// Plays the demo; `options` may say where logs go. Returns the exit code.
///
/// # Errors
/// When zellij is missing or does not do as it is told; without a terminal also when not all of the show was
/// seen, or a signal ended it.
pub async fn run(options: &Options) -> Result<u8, Failure> {
    if options.config.is_some() || options.zellij_session.is_some() {
        return Err(
            Failure::usage("the demo has a configuration and a zellij session of its own")
                .hint("leave out --config and --zellij-session"),
        );
    }
    // before there is anything to be cleared away
    let mut signals = Signals::listen();
    let interrupted = CancellationToken::new();
    let on_signal = interrupted.clone();
    tokio::spawn(async move {
        signals.received().await;
        on_signal.cancel();
    });
    let at_a_terminal = repl::at_a_terminal();
    let stage = Stage::open().await?;
    let play = Play {
        zellij: stage.zellij.clone(),
        cast: stage.cast.clone(),
        folder: stage.folder().to_owned(),
        log_dir: options.log_dir.clone(),
        greeting: greeting(&stage, at_a_terminal),
        at_a_terminal,
        interrupted,
    };
    // in a task of its own, so that a panic comes back here too
    let played = tokio::spawn(play.run()).await;
    let cleared = stage.clear().await;
    let played = played.unwrap_or_else(|error| {
        Err(Failure::new(Kind::Bug, "the demo broke down").because(&error))
    });
    let code = match (played, cleared) {
        (Err(failure), Err(left)) => return Err(failure.hint(format!("moreover, {left}"))),
        (played, cleared) => cleared.and(played)?,
    };
    print(BYE.as_bytes())?;
    Ok(code)
}

impl Play {
    async fn run(self) -> Result<u8, Failure> {
        let supervisor = Supervisor::start(self.start()?).await?;
        let (on_signal, interrupted) = (supervisor.clone(), self.interrupted.clone());
        // also after a panic nothing is to hold the supervisor and its locks when the stage is cleared
        let end_on_signal = AbortOnDropHandle::new(tokio::spawn(async move {
            interrupted.cancelled().await;
            on_signal.quit().await;
        }));
        let client = Arc::new(Local::new(supervisor.clone()));
        let played = if self.at_a_terminal {
            let options = ReplOptions {
                // what is typed here is of no use to another run
                history: None,
                greeting: self.greeting.clone(),
            };
            repl::run(client, options, supervisor.ended()).await
        } else {
            show::run(client, &self).await
        };
        if !supervisor.ended().is_cancelled() {
            supervisor.quit().await;
        }
        drop(end_on_signal);
        played
    }

    /// A configuration that no file holds.
    fn start(&self) -> Result<Start, Failure> {
        let agents = self.cast.iter().map(|(agent, pane)| {
            let pane = PaneRef {
                session: Some(pane.session.clone()),
                pane: pane.pane,
            };
            let mut config = AgentConfig::new(id(*agent)?, pane, goal(*agent));
            config.stall_sec = Seconds::new(STALL_SEC).unwrap_or(config.stall_sec);
            config.poll_sec = Seconds::new(POLL_SEC).unwrap_or(config.poll_sec);
            Ok(config)
        });
        let config = Config {
            agents: agents.collect::<Result<_, Failure>>()?,
            log_dir: self.folder.join("logs"),
            decide_backend: BackendConfig::of(BackendType::Builtin),
            review_backend: BackendConfig::of(BackendType::Builtin),
            ..Config::default()
        };
        Ok(Start {
            config,
            path: self.folder.join("demo.config.json"),
            document: None,
            overrides: Overrides {
                log_dir: self.log_dir.clone(),
                ..Overrides::default()
            },
            memory: Memory::Fresh,
            resume: false,
            zellij: self.zellij.clone(),
        })
    }

    fn pane(&self, of: DemoAgent) -> Option<&PaneAddress> {
        let mut cast = self.cast.iter();
        cast.find(|(agent, _)| *agent == of).map(|(_, pane)| pane)
    }
}

/// An agent's id is the name of its part.
fn id(agent: DemoAgent) -> Result<AgentId, Failure> {
    let id = agent.as_str().parse();
    id.map_err(|error| Failure::from_error(Kind::Bug, &error))
}

const fn goal(agent: DemoAgent) -> &'static str {
    match agent {
        DemoAgent::Worker => "make the parser twice as fast",
        DemoAgent::Staller => "mend the parser's tests",
        DemoAgent::Asker => "write the service's schema",
    }
}

/// What is to be seen, and how; in lines that fit a narrow terminal.
fn greeting(stage: &Stage, at_a_terminal: bool) -> String {
    let (session, zellij) = (&stage.session, stage.zellij_typed());
    let (asker, here) = if at_a_terminal {
        (
            "will have a question for you: /reply asker Postgres",
            "Here: /list, /log worker, /help. /quit ends it all and leaves nothing behind.",
        )
    } else {
        (
            "will ask a person, for whom the demo answers here",
            "Without a terminal here, the demo ends by itself when all that was seen.",
        )
    };
    format!(
        "Three simulated agents are at work in the zellij session {session}:\n  \
           worker   will stand still, and be told to go on\n  \
           staller  will fail, and be told to find out why\n  \
           asker    {asker}\n\
         Their panes, from another terminal (Ctrl-o d leaves them):\n  \
           {zellij} attach {session}\n\
         {here}\n"
    )
}
