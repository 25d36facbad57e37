//! What is followed rather than asked once: events, the health.

use std::io::{ErrorKind, Write, stderr, stdout};

use serde::Serialize;

use super::json;
use crate::command::text::one_line;
use crate::command::{Answers, Event, Health};
use crate::error::Failure;
use crate::record::Happening;
use crate::socket::Connection;
use crate::socket::protocol::{Said, Topic, VERSION};
use crate::ui::cli::running::EventsOptions;

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
    let mission = match &event.what {
        Happening::Mission { mission, .. } | Happening::Task { mission, .. } => Some(mission),
        _ => None,
    };
    let of_mission = options.mission.is_none() || mission == options.mission.as_ref();
    let kind = serde_json::to_value(&event.what).ok();
    let kind = kind.as_ref().and_then(|written| written["event"].as_str());
    let of_kind = options.kinds.is_empty()
        || options
            .kinds
            .iter()
            .any(|wanted| Some(wanted.as_str()) == kind);
    of_agent && of_mission && of_kind
}

/// Writes a line; whether anybody still reads it.
pub(super) fn print(line: &str) -> Result<bool, Failure> {
    let mut out = stdout().lock();
    match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(crate::ui::cannot_write(&error)),
    }
}

/// The health as JSON.
#[derive(Serialize)]
struct Shown {
    v: u32,
    health: Box<Health>,
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
