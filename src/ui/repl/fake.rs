//! A supervisor that supervises nothing, for the tests of the front ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::agent::view::AgentView;
use crate::command::help::help;
use crate::command::{Answering, Client, Command, Event, Health, Notice, Reply, Ring, Urgency};
use crate::error::{Failure, Kind};
use crate::ids::AgentId;

pub(super) struct Fake {
    notices: broadcast::Sender<Notice>,
    rings: broadcast::Sender<Ring>,
    ended: CancellationToken,
    sent: Mutex<Vec<Command>>,
}

impl Fake {
    pub(super) fn new() -> (Arc<Self>, CancellationToken) {
        let ended = CancellationToken::new();
        let fake = Self {
            notices: broadcast::channel(64).0,
            rings: broadcast::channel(64).0,
            ended: ended.clone(),
            sent: Mutex::default(),
        };
        (Arc::new(fake), ended)
    }

    pub(super) fn sent(&self) -> Vec<Command> {
        self.sent.lock().unwrap().clone()
    }

    pub(super) fn say(&self, agent: Option<AgentId>, urgency: Urgency, text: &str) {
        let ts = Utc::now();
        let text = text.into();
        let _ = self.notices.send(Notice {
            ts,
            agent,
            urgency,
            text,
        });
    }

    /// Ends by itself, as after a signal.
    pub(super) fn end_after(self: &Arc<Self>, wait: Duration, why: &str) {
        let (fake, why) = (Arc::clone(self), why.to_owned());
        tokio::spawn(async move {
            sleep(wait).await;
            fake.say(None, Urgency::Warning, &why);
            fake.ended.cancel();
        });
    }

    async fn answer(&self, command: Command) -> Result<Reply, Failure> {
        self.sent.lock().unwrap().push(command.clone());
        let done = |text: String| Ok(Reply::Done(text));
        match command {
            Command::List => Ok(Reply::Agents(Vec::new())),
            Command::Help { command } => help(command.as_deref()).map(Reply::Text),
            Command::Stop { id } => match id.as_str() {
                "none" => {
                    let failure = Failure::new(Kind::Missing, "there is no agent `none`");
                    Err(failure.hint("/list shows them"))
                }
                "slow" => {
                    sleep(Duration::from_millis(300)).await;
                    done("slow is stopped".into())
                }
                "bug" => panic!("as asked for"),
                "all" => {
                    self.ended.cancel();
                    done("it ends".into())
                }
                id => done(format!("{id} is stopped")),
            },
            Command::Start { id } => {
                let said = format!("{id} is started");
                let ring = Ring {
                    title: format!("{id} waits for you"),
                    body: "Shall I\u{1b}[31m go on?".into(),
                };
                self.say(Some(id), Urgency::Person, "Shall I\u{1b}[31m go on?");
                let _ = self.rings.send(ring);
                done(said)
            }
            Command::Review { .. } => {
                sleep(Duration::from_millis(700)).await;
                Ok(Reply::Text("All is well so far.".into()))
            }
            Command::Adopt { .. } => Ok(Reply::Confirm("Adopt work:terminal_3?".into())),
            Command::Quit => {
                // as the real one: the end is known before the answer is
                self.ended.cancel();
                sleep(Duration::from_millis(20)).await;
                Ok(Reply::Bye("stopped everything".into()))
            }
            // `/log end`: it ends by itself, in a moment
            Command::Log { .. } => {
                sleep(Duration::from_millis(600)).await;
                self.say(None, Urgency::Warning, "ended by itself");
                self.ended.cancel();
                done("late".into())
            }
            other => done(format!("{other:?}")),
        }
    }
}

impl Client for Fake {
    fn send(&self, command: Command) -> Answering<'_> {
        Box::pin(self.answer(command))
    }

    fn views(&self) -> Vec<Arc<AgentView>> {
        Vec::new()
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    fn rings(&self) -> broadcast::Receiver<Ring> {
        self.rings.subscribe()
    }

    fn known_kinds(&self) -> Vec<String> {
        vec!["claude".into()]
    }

    fn changes(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        broadcast::channel(1).1
    }

    fn health(&self) -> Health {
        Health::made_up()
    }

    fn known_panes(&self) -> Vec<String> {
        vec!["work:terminal_3".into()]
    }
}
