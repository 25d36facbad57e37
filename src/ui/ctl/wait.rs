//! `ctl wait`: until an agent, a mission or a task of one is what is waited for.
//!
//! Pictures tell what is, events what came and went between two pictures.

use std::sync::Arc;

use serde::Serialize;
use tokio::time::timeout;

use super::{follow::print, json};
use crate::command::missions::MissionVerb;
use crate::command::text::one_line;
use crate::command::{AgentView, Command, MissionView, Reply};
use crate::error::{Failure, Kind};
use crate::ids::{AgentId, MissionId, TaskId};
use crate::record::Happening;
use crate::socket::Connection;
use crate::socket::protocol::{Said, Topic, VERSION};
use crate::ui::cli::running::{Awaited, WaitOptions, is_of_agents};

/// Waits until what is waited for has come.
pub(super) async fn wait(
    mut connection: Connection,
    options: &WaitOptions,
    as_json: bool,
) -> Result<u8, Failure> {
    let mut watch = Watch::new(options);
    let reached = watch.run(&mut connection);
    let word = match options.timeout {
        None => reached.await?,
        Some(length) => match timeout(length, reached).await {
            Ok(reached) => reached?,
            Err(_) => return Err(watch.too_late(options)),
        },
    };
    let counts = match &watch.subject {
        Some(Subject::Mission(id)) => counts(&mut connection, id).await,
        _ => None,
    };
    let id = &options.id;
    let text = match (as_json, counts) {
        (true, counts) => json(&Reached {
            v: VERSION,
            id: id.to_string(),
            is: word,
            done: counts.map(|(done, _)| done),
            tasks: counts.map(|(_, all)| all),
        })?,
        (false, None) => format!("{id} is {word}\n"),
        (false, Some((done, all))) => format!("{id} is {word}: {done} of {all} tasks are done\n"),
    };
    print(&text)?;
    Ok(0)
}

/// What was waited for, as JSON.
#[derive(Serialize)]
struct Reached {
    v: u32,
    id: String,
    is: String,
    /// Of a mission: how many of its tasks are done, and how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<usize>,
}

/// Whom the name means.
enum Subject {
    Agent(AgentId),
    Mission(MissionId),
    Task(MissionId, TaskId),
}

struct Watch<'a> {
    options: &'a WaitOptions,
    subject: Option<Subject>,
    /// What the agent was last.
    agent: Option<Arc<AgentView>>,
    /// What the mission was last.
    mission: Option<Arc<MissionView>>,
}

impl<'a> Watch<'a> {
    const fn new(options: &'a WaitOptions) -> Self {
        Self {
            options,
            subject: None,
            agent: None,
            mission: None,
        }
    }

    /// The word that came true.
    async fn run(&mut self, connection: &mut Connection) -> Result<String, Failure> {
        let topics = [Topic::Events, Topic::Views];
        let agents = connection.subscribe(&topics).await?;
        // by itself: an instance that is older does not know it
        let missions = connection.subscribe(&[Topic::Missions]).await?;
        let mut said = Vec::new();
        loop {
            let message = connection.next().await?;
            match message.said {
                Said::Failure(failed) if message.id == Some(agents) => return Err(failed.into()),
                Said::Subscribed(_) | Said::Failure(_) if message.id == Some(missions) => break,
                other => said.push(other),
            }
        }
        self.find(&said, connection).await?;
        for said in said {
            if let Some(word) = self.heard(said)? {
                return Ok(word);
            }
        }
        loop {
            if let Some(word) = self.heard(connection.next().await?.said)? {
                return Ok(word);
            }
        }
    }

    fn is(&self, word: &str) -> bool {
        self.options.until.iter().any(|wanted| wanted == word)
    }

    /// Finds whom the name means in the first pictures.
    async fn find(&mut self, said: &[Said], connection: &mut Connection) -> Result<(), Failure> {
        let seen = |id: &MissionId| {
            said.iter().any(|said| match said {
                Said::Missions(seen) => seen.changed.iter().any(|view| view.id == *id),
                _ => false,
            })
        };
        let (mission, subject) = match &self.options.id {
            Awaited::Task(mission, task) => (
                mission.clone(),
                Subject::Task(mission.clone(), task.clone()),
            ),
            Awaited::Named(id, mission) => {
                let is_agent = said.iter().any(|said| match said {
                    Said::Views(views) => views.changed.iter().any(|view| view.id == *id),
                    _ => false,
                });
                // an agent comes first, unless it can never be what is waited for
                if is_agent && self.options.until.iter().all(|word| is_of_agents(word)) {
                    self.subject = Some(Subject::Agent(id.clone()));
                    return Ok(());
                }
                (mission.clone(), Subject::Mission(mission.clone()))
            }
        };
        if !seen(&mission) {
            let view = asked(connection, &mission).await;
            let named = matches!(self.options.id, Awaited::Named(..));
            let view = view.ok_or_else(|| {
                let what = if named { "agent" } else { "mission" };
                Failure::usage(format!("there is no {what} `{mission}`")).hint(
                    "`meta-orchestrator ctl list` shows the agents, `ctl mission` the missions",
                )
            })?;
            self.mission = Some(view);
        }
        self.subject = Some(subject);
        Ok(())
    }

    /// The word that something said makes true.
    fn heard(&mut self, said: Said) -> Result<Option<String>, Failure> {
        match said {
            Said::Failure(failed) => return Err(failed.into()),
            Said::Bye(why) => return Err(Failure::new(Kind::Missing, why)),
            _ => {}
        }
        match &self.subject {
            Some(Subject::Agent(id)) => {
                let id = id.clone();
                self.of_agent(&id, said)
            }
            Some(Subject::Mission(id)) => {
                let id = id.clone();
                Ok(self.of_mission(&id, said))
            }
            Some(Subject::Task(id, task)) => {
                let (id, task) = (id.clone(), task.clone());
                self.of_task(&id, &task, said)
            }
            None => Ok(None),
        }
    }

    fn of_agent(&mut self, id: &AgentId, said: Said) -> Result<Option<String>, Failure> {
        let words = match said {
            Said::Views(views) => {
                let gone = views.gone.contains(id);
                let found = views.changed.into_iter().find(|view| view.id == *id);
                if gone && found.is_none() {
                    let message = format!("{id} was removed while it was waited for");
                    return Err(Failure::new(Kind::Failed, message));
                }
                let Some(view) = found else {
                    return Ok(None);
                };
                let state = view.state.map_or("", |state| state.as_str());
                let words = [state.to_owned(), view.status.word().to_owned()];
                self.agent = Some(view);
                words
            }
            Said::Event(event) if event.agent.as_ref() == Some(id) => match event.what {
                Happening::Status { status, state, .. } => {
                    let state = state.map_or("", |state| state.as_str());
                    [state.to_owned(), status]
                }
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(words.into_iter().find(|word| self.is(word)))
    }

    fn of_mission(&mut self, id: &MissionId, said: Said) -> Option<String> {
        let word = match said {
            Said::Missions(_) => {
                self.take(id, said);
                self.mission.as_ref()?.phase.as_str().to_owned()
            }
            Said::Event(event) => match event.what {
                Happening::Mission { mission, phase } if mission == *id => phase,
                _ => return None,
            },
            // the first picture may have none of it: then it was asked for
            Said::Views(_) => self.mission.as_ref()?.phase.as_str().to_owned(),
            _ => return None,
        };
        self.is(&word).then_some(word)
    }

    fn of_task(
        &mut self,
        id: &MissionId,
        slug: &TaskId,
        said: Said,
    ) -> Result<Option<String>, Failure> {
        let word = match said {
            Said::Missions(_) | Said::Views(_) => {
                self.take(id, said);
                let Some(view) = &self.mission else {
                    return Ok(None);
                };
                let task = view.task(slug).ok_or_else(|| {
                    Failure::usage(format!("mission {id} has no task `{slug}`")).hint(format!(
                        "`meta-orchestrator ctl mission status {id}` shows them"
                    ))
                })?;
                task.word().to_owned()
            }
            Said::Event(event) => match event.what {
                Happening::Task {
                    mission,
                    task,
                    status,
                    ..
                } if mission == *id && task == *slug => status,
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(self.is(&word).then_some(word))
    }

    fn take(&mut self, id: &MissionId, said: Said) {
        if let Said::Missions(seen) = said {
            let found = seen.changed.into_iter().find(|view| view.id == *id);
            self.mission = found.or_else(|| self.mission.take());
        }
    }

    fn too_late(&self, options: &WaitOptions) -> Failure {
        let id = &options.id;
        let seconds = options.timeout.unwrap_or_default().as_secs();
        let wanted = options.until.join(" or ");
        let message = format!("{id} was not {wanted} within {seconds} s");
        let failure = Failure::new(Kind::TimedOut, message);
        let is = match (&self.subject, &self.agent, &self.mission) {
            (Some(Subject::Task(_, slug)), _, Some(view)) => view
                .task(slug)
                .map(|task| format!("it is {}: {}", task.word(), one_line(&task.doing))),
            (_, None, Some(view)) => {
                let (done, all) = view.done();
                let phase = view.phase.as_str();
                Some(format!("it is {phase}, {done} of {all} tasks are done"))
            }
            (_, Some(view), _) => {
                let state = view.state.map_or("not known yet", |state| state.as_str());
                let status = one_line(&view.status.to_string());
                Some(format!("its state is {state}, its status {status}"))
            }
            _ => None,
        };
        match is {
            Some(is) => failure.because_text(is),
            None => failure,
        }
    }
}

/// A mission as it is now, also one that nobody carries out; `None` where there is none of that name.
async fn asked(connection: &mut Connection, id: &MissionId) -> Option<Arc<MissionView>> {
    let command = Command::Mission {
        verb: MissionVerb::Status,
        rest: id.to_string(),
    };
    match connection.ask(command).await {
        // without a mission of that name the only one that there is answers
        Ok(Reply::Missions(views)) => views.into_iter().find(|view| view.id == *id),
        _ => None,
    }
}

/// How many tasks of a mission are done, and how many there are.
async fn counts(connection: &mut Connection, id: &MissionId) -> Option<(usize, usize)> {
    asked(connection, id).await.map(|view| view.done())
}
