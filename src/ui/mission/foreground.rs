//! A mission in the foreground: asks for the yes, says what happens, and ends with the mission.

use std::io::{IsTerminal, Write, stderr, stdin};

use chrono::Local as LocalTime;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::MissionTask;
use crate::command::missions::{MissionVerb, question, shown};
use crate::command::reply::{self, Frame};
use crate::command::{Client, Command, Reply};
use crate::error::Failure;
use crate::ids::MissionId;
use crate::mission::machine::Phase;
use crate::mission::missions::Missions;
use crate::mission::ready::Ready;

/// Runs a plan, goes on with a mission, or finishes one.
///
/// # Errors
/// When it cannot be done, or the person says no.
pub async fn carry_out(
    task: &MissionTask,
    client: &dyn Client,
    missions: &Missions,
    ended: CancellationToken,
) -> Result<u8, Failure> {
    match task {
        MissionTask::Run { file, yes } => {
            let ready = Ready::read(&file.path).await?;
            if !ready.can_be_followed() {
                let text = shown(&ready);
                return Err(Failure::usage("the plan cannot be followed").because_text(text));
            }
            if !agreed(&question(&ready), *yes)? {
                return Ok(1);
            }
            let notices = client.notices();
            let id = missions.begin(ready).await?;
            follow(client, notices, missions, &id, ended).await
        }
        MissionTask::Resume { id } => {
            let id = the_one(missions, id.clone())?;
            let notices = client.notices();
            missions.take_up(&id).await?;
            follow(client, notices, missions, &id, ended).await
        }
        MissionTask::Finish { id, force } => {
            let id = the_one(missions, id.clone())?;
            let said = missions.finish(&id, *force).await?;
            super::super::print(format!("{said}\n").as_bytes())?;
            Ok(0)
        }
        MissionTask::Check { .. } | MissionTask::Graph { .. } | MissionTask::Plan(_) => Ok(0),
    }
}

/// The person's yes, by the option or at the terminal.
fn agreed(text: &str, yes: bool) -> Result<bool, Failure> {
    let text = crate::command::text::harmless(text);
    // without a stderr nobody reads it, and nobody says yes
    let _ = writeln!(stderr(), "{text}");
    if yes {
        return Ok(true);
    }
    if !stdin().is_terminal() {
        return Err(Failure::usage("nobody said yes to the plan")
            .hint("read it above, then run this with --yes, or at a terminal"));
    }
    let _ = write!(stderr(), "yes or no? ");
    let mut answer = String::new();
    let read = stdin().read_line(&mut answer);
    read.map_err(|error| Failure::usage("your answer could not be read").because(&error))?;
    Ok(matches!(answer.trim(), "y" | "yes"))
}

/// The mission that is named, or the only one that is unfinished.
fn the_one(missions: &Missions, id: Option<MissionId>) -> Result<MissionId, Failure> {
    if let Some(id) = id {
        return Ok(id);
    }
    let mut all = missions.all()?;
    all.retain(|id| missions.is_open(id));
    match all.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Failure::usage("there is no unfinished mission")),
        several => {
            let names: Vec<&str> = several.iter().map(MissionId::as_str).collect();
            Err(Failure::usage("it is not clear which mission is meant")
                .hint(format!("name one: {}", names.join(", "))))
        }
    }
}

/// Says what happens until the mission can do no more.
async fn follow(
    client: &dyn Client,
    mut notices: tokio::sync::broadcast::Receiver<crate::command::Notice>,
    missions: &Missions,
    id: &MissionId,
    ended: CancellationToken,
) -> Result<u8, Failure> {
    let _ = writeln!(
        stderr(),
        "mission {id} runs; `meta-orchestrator ctl mission` steers it, Ctrl-C leaves it unfinished"
    );
    let mut changes = client.changes();
    loop {
        let view = missions.view(id)?;
        let is_over = matches!(view.phase, Phase::Over | Phase::Aborted | Phase::Finished);
        if is_over && !view.summing_up {
            while let Ok(notice) = notices.try_recv() {
                say(&notice);
            }
            break;
        }
        tokio::select! {
            () = ended.cancelled() => {
                let _ = writeln!(stderr(), "left unfinished; its panes go on: `meta-orchestrator mission resume {id}`");
                return Ok(1);
            }
            said = notices.recv() => match said {
                Ok(notice) => say(&notice),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => ended.cancelled().await,
            },
            _ = changes.changed() => {}
        }
    }
    let (verb, rest) = (MissionVerb::Report, id.to_string());
    let report = client.send(Command::Mission { verb, rest }).await;
    let report = report.unwrap_or_else(|failure| Reply::Text(failure.to_string()));
    super::super::print(reply::render(&report, &frame()).as_bytes())?;
    Ok(u8::from(!missions.view(id)?.succeeded()))
}

fn say(notice: &crate::command::Notice) {
    // without a stderr nobody wants to know
    let _ = stderr().write_all(reply::notice(notice, &frame()).as_bytes());
}

fn frame() -> Frame {
    Frame {
        columns: usize::MAX,
        now: LocalTime::now().fixed_offset(),
    }
}
