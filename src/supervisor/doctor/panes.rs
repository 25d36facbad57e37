//! Whether zellij is there, its sessions answer, and each agent's pane is what it should be.

use std::collections::{HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Check, Examination, Outcome};
use crate::config::{AgentConfig, Config, Timing};
use crate::error::{Failure, Kind};
use crate::evidence::Facts;
use crate::host::Host;
use crate::ids::{AgentId, PaneAddress, SessionName};
use crate::zellij::{NEEDED, Pane, Zellij, ZellijError};

const SESSION: &str = "session";
const AGENT: &str = "agent";
/// The longest that one request to zellij may take here, whatever the configuration allows.
const LONGEST_DEADLINE: Duration = Duration::from_secs(10);
/// The listing of a session that was made a moment ago serves all its agents.
const SAME_LISTING: Duration = super::AT_MOST;

/// What was seen.
pub(super) struct Seen {
    /// zellij itself and the sessions.
    pub(super) zellij: Vec<Check>,
    /// The agents, in the configuration's order.
    pub(super) agents: Vec<Check>,
}

/// A session that somebody needs.
struct Wanted {
    name: SessionName,
    /// How it was found, as the end of a sentence.
    how: &'static str,
    /// Whether the supervisor can do without it.
    spare: bool,
}

pub(super) async fn examine(of: &Examination, config: Option<&Config>, until: Instant) -> Seen {
    let timing = config.map_or_else(Timing::default, |config| config.timing);
    let deadline = timing.zellij_timeout_sec.duration().min(LONGEST_DEADLINE);
    let agents = config.map_or(&[][..], |config| &config.agents);
    let found = Zellij::find_in(Host::local(), deadline, of.environment.clone());
    let zellij = match within(until, found).await {
        Ok(zellij) => zellij,
        Err(failure) => return without_zellij(&failure, agents),
    };
    let version = zellij.version();
    let program = zellij.program().display();
    let good = format!("{version} at {program} ({NEEDED} or newer is needed)");
    let mut checks = vec![Check::good("zellij", &good)];

    let default = default_session(of, config, &zellij, until).await;
    let wanted = wanted(of, config, agents, default.as_ref().ok());
    if let Err(failure) = &default
        && is_default_used(agents)
    {
        checks.push(unclear(failure, agents));
    }
    let looks = wanted.iter().map(|wanted| session(&zellij, wanted, until));
    let mut reached = HashSet::new();
    for (check, wanted) in all(looks).await.into_iter().zip(&wanted) {
        if check.outcome == Outcome::Good {
            reached.insert(wanted.name.clone());
        }
        checks.push(check);
    }
    let default = default.ok().map(|(name, _)| name);
    let mut taken = HashMap::new();
    let looks = agents.iter().map(|agent| {
        let place = place(agent, default.as_ref(), &reached, &mut taken);
        let zellij = &zellij;
        async move {
            let check = match place {
                Ok(pane) => look(zellij, agent, &pane, until).await,
                Err(check) => check,
            };
            of_agent(agent, check)
        }
    });
    Seen {
        agents: all(looks).await,
        zellij: checks,
    }
}

fn without_zellij(failure: &Failure, agents: &[AgentConfig]) -> Seen {
    const WHY: &str = "there is no zellij to ask";
    let bad = Outcome::Bad(Kind::Missing);
    Seen {
        zellij: vec![
            Check::failure("zellij", bad, failure),
            Check::not_examined(SESSION, WHY),
        ],
        agents: agents
            .iter()
            .map(|agent| of_agent(agent, Check::not_examined(AGENT, WHY)))
            .collect(),
    }
}

/// The session of agents that name none, and how it was found.
async fn default_session(
    of: &Examination,
    config: Option<&Config>,
    zellij: &Zellij,
    until: Instant,
) -> Result<(SessionName, &'static str), Failure> {
    if let Some(session) = &of.session {
        return Ok((session.clone(), "named on the command line"));
    }
    if let Some(session) = config.and_then(|config| config.zellij_session.clone()) {
        return Ok((session, "named by `zellijSession`"));
    }
    if let Some(own) = zellij.own_pane() {
        return Ok((own.session, "the one that this runs in"));
    }
    let mut alive = within(until, zellij.sessions()).await?;
    match alive.len() {
        1 => Ok((alive.remove(0), "the only one there is")),
        0 => Err(Failure::new(Kind::Missing, "no zellij session is alive")
            .hint("start one with `zellij`, or `zellij attach --create-background NAME`")),
        _ => {
            let names: Vec<&str> = alive.iter().map(SessionName::as_str).collect();
            let names = names.join("`, `");
            Err(Failure::usage(format!("it is not clear which session is meant: `{names}`")).hint(
                "name it in `zellijSession` or with `--zellij-session`, or write panes as `SESSION:terminal_18`",
            ))
        }
    }
}

/// Whether the default session would be anybody's: with no agents yet, of those that are added.
fn is_default_used(agents: &[AgentConfig]) -> bool {
    agents.is_empty() || agents.iter().any(|agent| agent.pane.session.is_none())
}

/// Whether an agent cannot be supervised without the default session.
fn is_default_needed(agents: &[AgentConfig]) -> bool {
    agents
        .iter()
        .any(|agent| agent.enabled && agent.pane.session.is_none())
}

/// The check where the default session is not known and somebody would need it.
fn unclear(failure: &Failure, agents: &[AgentConfig]) -> Check {
    let needed = is_default_needed(agents);
    match failure.kind {
        Kind::Usage if needed => Check::failure(SESSION, Outcome::Bad(Kind::Failed), failure),
        // With no agents yet nothing is wrong: whoever adds one may name the session.
        Kind::Usage => Check::failure(SESSION, Outcome::Warning, failure),
        _ => {
            let check = Check::failure(SESSION, Outcome::Bad(Kind::Missing), failure);
            if needed || agents.is_empty() {
                check
            } else {
                check.at_most_a_warning()
            }
        }
    }
}

/// The default session, where it is named or needed, then those that agents name.
fn wanted(
    of: &Examination,
    config: Option<&Config>,
    agents: &[AgentConfig],
    default: Option<&(SessionName, &'static str)>,
) -> Vec<Wanted> {
    let is_named =
        of.session.is_some() || config.is_some_and(|config| config.zellij_session.is_some());
    let mut wanted: Vec<Wanted> = Vec::new();
    if let Some((name, how)) = default
        && (is_named || is_default_used(agents))
    {
        let is_needed = is_named || agents.is_empty() || is_default_needed(agents);
        wanted.push(Wanted {
            name: name.clone(),
            how,
            spare: !is_needed,
        });
    }
    for agent in agents {
        let Some(name) = &agent.pane.session else {
            continue;
        };
        match wanted.iter_mut().find(|wanted| wanted.name == *name) {
            Some(known) => known.spare &= !agent.enabled,
            None => wanted.push(Wanted {
                name: name.clone(),
                how: "named by an agent",
                spare: !agent.enabled,
            }),
        }
    }
    wanted
}

async fn session(zellij: &Zellij, wanted: &Wanted, until: Instant) -> Check {
    let check = match within(until, zellij.panes(&wanted.name, Duration::ZERO)).await {
        Ok(panes) => {
            let count = match panes.len() {
                1 => "1 pane".to_owned(),
                many => format!("{many} panes"),
            };
            Check::good(
                SESSION,
                &format!("{}; it answers, with {count}", wanted.how),
            )
        }
        Err(failure) => {
            let check = Check::failure(SESSION, Outcome::Bad(Kind::Missing), &failure);
            if wanted.spare {
                check.at_most_a_warning()
            } else {
                check
            }
        }
    };
    check.about(wanted.name.as_str())
}

/// Where an agent's pane is; the error is the check of an agent whose pane cannot be looked at.
fn place(
    agent: &AgentConfig,
    default: Option<&SessionName>,
    reached: &HashSet<SessionName>,
    taken: &mut HashMap<PaneAddress, AgentId>,
) -> Result<PaneAddress, Check> {
    let Some(session) = agent.pane.session.as_ref().or(default) else {
        let why = format!("it is not known which session `{}` is in", agent.pane);
        return Err(Check::not_examined(AGENT, &why));
    };
    let pane = PaneAddress {
        session: session.clone(),
        pane: agent.pane.pane,
    };
    if let Some(other) = taken.insert(pane.clone(), agent.id.clone()) {
        let found = format!("{pane} is the pane of `{other}` too");
        return Err(Check::broken(AGENT, &found).hint("give each agent a pane of its own"));
    }
    if reached.contains(session) {
        Ok(pane)
    } else {
        let why = format!("{pane} is in a session that was not reached");
        Err(Check::not_examined(AGENT, &why))
    }
}

async fn look(zellij: &Zellij, agent: &AgentConfig, pane: &PaneAddress, until: Instant) -> Check {
    let looked = async {
        if zellij.is_own_pane(pane).await {
            let found = format!("{pane} is the pane that this program runs in");
            return Ok(Check::broken(AGENT, &found)
                .hint("run the supervisor in another pane, or correct the agent's `pane`"));
        }
        let listed = zellij.pane(pane, SAME_LISTING).await?;
        let foreground = zellij.foreground(pane, &listed).await;
        let facts = Facts::of(&listed, foreground.as_ref());
        Ok(in_front(agent, pane, &listed, &facts))
    };
    within(until, looked)
        .await
        .unwrap_or_else(|failure| Check::failure(AGENT, Outcome::Bad(Kind::Missing), &failure))
}

/// What a pane that is there has in front.
fn in_front(agent: &AgentConfig, pane: &PaneAddress, listed: &Pane, facts: &Facts) -> Check {
    if facts.ended {
        let status = listed
            .exit_status
            .map(|status| format!(" (exit status {status})"));
        let found = format!(
            "{pane}: its command has ended{}; nothing is typed there",
            status.unwrap_or_default()
        );
        return Check::warning(AGENT, &found)
            .hint("start the agent again: Enter in that pane runs the command once more");
    }
    let Some(program) = &facts.program else {
        let found = format!("{pane}: it is not known what is in front; nothing is typed then");
        return Check::warning(AGENT, &found).hint("look at the pane");
    };
    let folder = program.folder.as_deref();
    let folder = folder.map(|folder| format!(" in {}", folder.display()));
    let folder = folder.unwrap_or_default();
    if facts.shell && !agent.allow_shell {
        let found = format!(
            "{pane}: a shell (`{}`) is in front{folder}; nothing is typed there",
            program.name
        );
        return Check::warning(AGENT, &found).hint(
            "start the agent in that pane; set `allowShell` only for a program that merely looks like a shell",
        );
    }
    Check::good(
        AGENT,
        &format!("{pane}: `{}` is in front{folder}", program.name),
    )
}

fn of_agent(agent: &AgentConfig, check: Check) -> Check {
    let check = check.about(agent.id.as_str());
    if agent.enabled {
        return check;
    }
    let mut check = check.at_most_a_warning();
    check.found = format!("disabled; {}", check.found);
    check
}

async fn within<T>(
    until: Instant,
    asked: impl Future<Output = Result<T, ZellijError>>,
) -> Result<T, Failure> {
    match timeout_at(until, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::new(
            Kind::TimedOut,
            "zellij did not answer within the time that there is for an examination",
        )
        .hint("see whether the session still reacts when attached to")),
    }
}

/// Carries out all side by side and gives the answers in order.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    let mut answers: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut ready = true;
        for (future, answer) in futures.iter_mut().zip(&mut answers) {
            if answer.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(came) => *answer = Some(came),
                    Poll::Pending => ready = false,
                }
            }
        }
        if ready {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}
