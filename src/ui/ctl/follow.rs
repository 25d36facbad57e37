//! What is followed rather than asked once: events, the state of one agent, the health.

use std::io::{ErrorKind, Write, stderr, stdout};
use std::sync::Arc;

use serde::Serialize;
use tokio::time::timeout;

use super::json;
use crate::command::text::one_line;
use crate::command::{AgentView, Answers, Event, Health};
use crate::error::{Failure, Kind};
use crate::ids::AgentId;
use crate::record::Happening;
use crate::socket::Connection;
use crate::socket::protocol::{Said, Topic, VERSION};
use crate::ui::cli::running::{EventsOptions, WaitOptions};

/// Prints events, each as a line of JSON.
pub(super) async fn events(
    mut connection: Connection,
    options: &EventsOptions,
) -> Result<u8, Failure> {
    let topic = if options.recent || !options.follow {
        Topic::Recent
    } else {
        Topic::Events
    };
    connection.subscribe(&[topic]).await?;
    loop {
        let event = match connection.next().await?.said {
            Said::Event(event) => event,
            Said::Lost(lost) => {
                let what = Happening::Lost { count: lost.count };
                Event::new(chrono::Utc::now(), None, what)
            }
            Said::Subscribed(_) if !options.follow => return Ok(0),
            Said::Bye(why) => {
                let _ = writeln!(stderr().lock(), "{}", one_line(&why));
                return Ok(0);
            }
            Said::Failure(failed) => return Err(failed.into()),
            _ => continue,
        };
        if is_wanted(&event, options) && !print(&json(&event)?)? {
            return Ok(0);
        }
    }
}

/// Whether an event is one of those that were asked for; that some are lost is told in any case.
fn is_wanted(event: &Event, options: &EventsOptions) -> bool {
    if matches!(event.what, Happening::Lost { .. }) {
        return true;
    }
    let of_agent = options.agent.is_none() || event.agent == options.agent;
    let kind = serde_json::to_value(&event.what).ok();
    let kind = kind.as_ref().and_then(|written| written["event"].as_str());
    let of_kind = options.kinds.is_empty()
        || options
            .kinds
            .iter()
            .any(|wanted| Some(wanted.as_str()) == kind);
    of_agent && of_kind
}

/// Writes a line; whether anybody still reads it.
fn print(line: &str) -> Result<bool, Failure> {
    let mut out = stdout().lock();
    match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(crate::ui::cannot_write(&error)),
    }
}

/// Waits until an agent is what is waited for.
pub(super) async fn wait(
    mut connection: Connection,
    options: &WaitOptions,
    as_json: bool,
) -> Result<u8, Failure> {
    // events tell what came and went between two pictures
    connection.subscribe(&[Topic::Events, Topic::Views]).await?;
    let mut last = None;
    let reached = until(&mut connection, options, &mut last);
    let word = match options.timeout {
        None => reached.await?,
        Some(length) => match timeout(length, reached).await {
            Ok(reached) => reached?,
            Err(_) => return Err(too_late(options, last.as_deref())),
        },
    };
    let id = &options.id;
    let text = if as_json {
        json(&Reached {
            v: VERSION,
            id,
            is: word,
        })?
    } else {
        format!("{id} is {word}\n")
    };
    print(&text)?;
    Ok(0)
}

/// An agent that came to be what was waited for, as JSON.
#[derive(Serialize)]
struct Reached<'a> {
    v: u32,
    id: &'a AgentId,
    is: String,
}

/// The health as JSON.
#[derive(Serialize)]
struct Shown {
    v: u32,
    health: Box<Health>,
}

/// The word that it came to be.
async fn until(
    connection: &mut Connection,
    options: &WaitOptions,
    last: &mut Option<Arc<AgentView>>,
) -> Result<String, Failure> {
    let id = &options.id;
    let is = |word: &str| options.until.iter().any(|wanted| wanted == word);
    loop {
        match connection.next().await?.said {
            Said::Views(views) => {
                let gone = views.gone.contains(id);
                let found = views.changed.into_iter().find(|view| view.id == *id);
                if let Some(view) = found {
                    let state = view.state.map_or("", |state| state.as_str());
                    let words = [state, view.status.word()];
                    if let Some(word) = words.into_iter().find(|word| is(word)) {
                        return Ok(word.to_owned());
                    }
                    *last = Some(view);
                } else if last.is_none() {
                    return Err(Failure::usage(format!("there is no agent `{id}`"))
                        .hint("`meta-orchestrator ctl list` shows them"));
                } else if gone {
                    let message = format!("{id} was removed while it was waited for");
                    return Err(Failure::new(Kind::Failed, message));
                }
            }
            Said::Event(event) if event.agent.as_ref() == Some(id) => {
                if let Happening::Status { status, state, .. } = event.what {
                    let state = state.map_or("", |state| state.as_str());
                    if let Some(word) = [state, &status].into_iter().find(|word| is(word)) {
                        return Ok(word.to_owned());
                    }
                }
            }
            Said::Failure(failed) => return Err(failed.into()),
            Said::Bye(why) => return Err(Failure::new(Kind::Missing, why)),
            _ => {}
        }
    }
}

fn too_late(options: &WaitOptions, last: Option<&AgentView>) -> Failure {
    let id = &options.id;
    let seconds = options.timeout.unwrap_or_default().as_secs();
    let wanted = options.until.join(" or ");
    let message = format!("{id} was not {wanted} within {seconds} s");
    let failure = Failure::new(Kind::TimedOut, message);
    match last {
        Some(view) => {
            let state = view.state.map_or("not known yet", |state| state.as_str());
            let status = one_line(&view.status.to_string());
            failure.because_text(format!("its state is {state}, its status {status}"))
        }
        None => failure,
    }
}

/// How the instance is now.
pub(super) async fn now(connection: &mut Connection) -> Result<Box<Health>, Failure> {
    connection.subscribe(&[Topic::Health]).await?;
    loop {
        match connection.next().await?.said {
            Said::Health(health) => return Ok(health),
            Said::Failure(failed) => return Err(failed.into()),
            _ => {}
        }
    }
}

/// Shows how the instance is.
pub(super) async fn health(mut connection: Connection, as_json: bool) -> Result<u8, Failure> {
    let health = now(&mut connection).await?;
    let text = if as_json {
        json(&Shown { v: VERSION, health })?
    } else {
        words(&health)
    };
    print(&text)?;
    Ok(0)
}

/// The health for a person, a line for each thing.
fn words(health: &Health) -> String {
    let since = |at: chrono::DateTime<chrono::Utc>| {
        let at = at.with_timezone(&chrono::Local);
        at.format("%Y-%m-%d %H:%M").to_string()
    };
    let answers = |answers: &Answers| match answers.down_since {
        None => "answers".to_owned(),
        Some(at) => format!(
            "does not answer since {}: {}",
            since(at),
            one_line(&answers.why)
        ),
    };
    let typing = match (health.all_stopped, health.observe) {
        (true, _) => "all typing is stopped",
        (false, true) => "nothing is typed: it only observes",
        (false, false) => "on",
    };
    let path = |path: &std::path::Path| one_line(&path.display().to_string());
    let mut lines = vec![
        (
            "process".to_owned(),
            format!(
                "{}, version {}, since {}",
                health.pid,
                one_line(&health.version),
                since(health.started_at)
            ),
        ),
        ("configuration".to_owned(), path(&health.configuration)),
        ("logs".to_owned(), path(&health.log_dir)),
        ("typing".to_owned(), typing.to_owned()),
        ("zellij".to_owned(), answers(&health.zellij)),
    ];
    for backend in &health.backends {
        let name = format!("{} ({})", one_line(&backend.role), one_line(&backend.name));
        lines.push((name, answers(&backend.answers)));
    }
    let spent = format!("{} calls, {} tokens today", health.calls, health.tokens);
    lines.push(("spent".to_owned(), spent));
    for (id, until) in &health.snoozed {
        lines.push((
            format!("{id}"),
            format!("is put off until {}", since(*until)),
        ));
    }
    let lines = lines.iter().map(|(name, text)| format!("{name}: {text}\n"));
    lines.collect()
}
