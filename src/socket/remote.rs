//! A running instance as a front end sees it: a [`Client`] like the one in process.
//!
//! A task keeps a mirror of what is to be seen there, by subscription; reading it asks nobody. `/quit` leaves the
//! instance running. When it ends, everything that waits fails, and [`Remote::ended`] fires.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::client::{Connection, Incoming, ended, patience, too_late, write};
use super::protocol::{Hello, Known, Message, Missions, Request, Said, Topic, Views};
use crate::command::{
    AgentView, Answering, Client, Command, Event, Health, MissionView, Notice, Reply, Ring,
    Urgency, paths,
};
use crate::error::{Failure, Kind};
use crate::record::Happening;

/// What a front end follows.
const ALL: [Topic; 5] = [
    Topic::Events,
    Topic::Notices,
    Topic::Views,
    Topic::Health,
    Topic::Known,
];
/// How long the first picture may take.
const FIRST: Duration = Duration::from_secs(5);
/// How many notices and events a reader may fall behind.
const BEHIND: usize = 1_024;
/// How many commands may wait to be sent.
const ORDERS: usize = 32;

/// A command on its way, and who waits for its answer.
type Order = (Command, oneshot::Sender<Result<Reply, Failure>>);

/// A running instance. Dropping it leaves; nothing ends by that.
#[derive(Debug)]
pub struct Remote {
    hello: Hello,
    orders: mpsc::Sender<Order>,
    mirror: Arc<Mirror>,
    /// Whether somebody looks at this front end: the newest alone counts.
    attended: watch::Sender<bool>,
    ended: CancellationToken,
    _left: DropGuard,
}

/// What is known of the other end.
#[derive(Debug)]
struct Mirror {
    views: Mutex<Vec<Arc<AgentView>>>,
    missions: Mutex<Vec<Arc<MissionView>>>,
    health: Mutex<Health>,
    known: Mutex<Known>,
    changes: watch::Sender<u64>,
    events: broadcast::Sender<Event>,
    notices: broadcast::Sender<Notice>,
    rings: broadcast::Sender<Ring>,
    /// What was said before anybody listened here: for the first who does.
    early: Mutex<Option<broadcast::Receiver<Notice>>>,
}

impl Remote {
    /// Makes a client of a connection; when this returns it shows everything that there is to be seen.
    ///
    /// # Errors
    /// When the other end does not show itself in time.
    pub async fn new(connection: Connection) -> Result<Self, Failure> {
        let mut connection = connection;
        let first = timeout(FIRST, first(&mut connection)).await;
        let (health, said) = first.unwrap_or_else(|_| Err(too_late(FIRST)))?;
        let (notices, early) = broadcast::channel(BEHIND);
        let mirror = Arc::new(Mirror {
            views: Mutex::default(),
            missions: Mutex::default(),
            health: Mutex::new(health),
            known: Mutex::default(),
            changes: watch::Sender::new(0),
            events: broadcast::Sender::new(BEHIND),
            notices,
            rings: broadcast::Sender::new(BEHIND),
            early: Mutex::new(Some(early)),
        });
        for said in said {
            mirror.take(said);
        }
        let (orders, taken) = mpsc::channel(ORDERS);
        let (attended, looks) = watch::channel(false);
        let (left, ended) = (CancellationToken::new(), CancellationToken::new());
        let hello = connection.hello().clone();
        let (from, to) = connection.split();
        let task = Task {
            to,
            orders: taken,
            looks,
            waiting: HashMap::new(),
            mirror: Arc::clone(&mirror),
            next_id: 1_000,
        };
        let (is_left, has_ended) = (left.clone(), ended.clone());
        tokio::spawn(async move {
            task.run(from, is_left).await;
            has_ended.cancel();
        });
        Ok(Self {
            hello,
            orders,
            mirror,
            attended,
            ended,
            _left: left.drop_guard(),
        })
    }

    /// Who is at the other end.
    pub const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Cancelled once the other end has ended, or the connection is lost.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    async fn carry_out(&self, command: Command) -> Result<Reply, Failure> {
        if command == Command::Quit {
            return Ok(Reply::Bye(format!(
                "left; meta-orchestrator goes on as process {} (`meta-orchestrator ctl quit` ends it)",
                self.hello.pid
            )));
        }
        let patience = patience(&command);
        let command = paths::absolute(command, std::env::current_dir().ok().as_deref());
        let (answer, answered) = oneshot::channel();
        let answer = async {
            self.orders
                .send((command, answer))
                .await
                .map_err(|_| ended())?;
            answered.await.map_err(|_| ended())?
        };
        timeout(patience, answer)
            .await
            .unwrap_or_else(|_| Err(too_late(patience)))
    }
}

/// All that there is to be seen now: the health, and the rest.
async fn first(connection: &mut Connection) -> Result<(Health, Vec<Said>), Failure> {
    let id = connection.subscribe(&ALL).await?;
    // by itself: one that is older does not know it, says so, and has no missions to show
    let missions = connection.subscribe(&[Topic::Missions]).await?;
    let mut health = None;
    let mut said = Vec::new();
    loop {
        let message = connection.next().await?;
        match message.said {
            Said::Failure(failed) if message.id == Some(id) => return Err(failed.into()),
            Said::Subscribed(_) | Said::Failure(_) if message.id == Some(missions) => break,
            Said::Subscribed(_) if message.id == Some(id) => {}
            Said::Health(now) => health = Some(*now),
            other => said.push(other),
        }
    }
    let silent = || {
        Failure::new(
            Kind::Failed,
            "the running meta-orchestrator does not show itself",
        )
    };
    Ok((health.ok_or_else(silent)?, said))
}

impl Client for Remote {
    fn send(&self, command: Command) -> Answering<'_> {
        Box::pin(self.carry_out(command))
    }

    fn views(&self) -> Vec<Arc<AgentView>> {
        locked(&self.mirror.views).clone()
    }

    fn missions(&self) -> Vec<Arc<MissionView>> {
        locked(&self.mirror.missions).clone()
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        let early = locked(&self.mirror.early).take();
        early.unwrap_or_else(|| self.mirror.notices.subscribe())
    }

    fn rings(&self) -> broadcast::Receiver<Ring> {
        self.mirror.rings.subscribe()
    }

    fn attended(&self, looks: bool) {
        self.attended.send_if_modified(|known| {
            let is_new = *known != looks;
            *known = looks;
            is_new
        });
    }

    fn known_panes(&self) -> Vec<String> {
        locked(&self.mirror.known).panes.clone()
    }

    fn known_kinds(&self) -> Vec<String> {
        locked(&self.mirror.known).kinds.clone()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.mirror.changes.subscribe()
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.mirror.events.subscribe()
    }

    fn health(&self) -> Health {
        locked(&self.mirror.health).clone()
    }
}

impl Mirror {
    /// Takes in what was said without being asked.
    fn take(&self, said: Said) {
        let is_seen = match said {
            Said::Views(views) => {
                apply(&mut locked(&self.views), views);
                true
            }
            Said::Missions(news) => {
                apply_missions(&mut locked(&self.missions), news);
                true
            }
            Said::Health(health) => {
                *locked(&self.health) = *health;
                true
            }
            Said::Known(known) => {
                *locked(&self.known) = known;
                true
            }
            Said::Event(event) => {
                if let Happening::Ring { title, body } = event.what.clone() {
                    let _ = self.rings.send(Ring { title, body });
                }
                let _ = self.events.send(event);
                false
            }
            Said::Notice(notice) => {
                let _ = self.notices.send(notice);
                false
            }
            Said::Lost(lost) => {
                let count = lost.count;
                if lost.what == Topic::Notices {
                    self.say(format!(
                        "{count} notices came too fast to be shown; the logs have them"
                    ));
                } else {
                    let what = Happening::Lost { count };
                    let _ = self.events.send(Event::new(Utc::now(), None, what));
                }
                false
            }
            Said::Hello(_)
            | Said::Reply(_)
            | Said::Failure(_)
            | Said::Subscribed(_)
            | Said::Attended(_)
            | Said::Bye(_) => false,
        };
        if is_seen {
            self.changes
                .send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    fn say(&self, text: String) {
        let _ = self.notices.send(Notice {
            ts: Utc::now(),
            agent: None,
            urgency: Urgency::Warning,
            text,
        });
    }
}

/// Brings a picture of the agents up to date.
fn apply(views: &mut Vec<Arc<AgentView>>, news: Views) {
    views.retain(|view| !news.gone.contains(&view.id));
    for view in news.changed {
        match views.iter_mut().find(|other| other.id == view.id) {
            Some(other) => *other = view,
            None => views.push(view),
        }
    }
    if let Some(order) = news.order {
        let place: HashMap<_, _> = order.iter().zip(0_usize..).collect();
        views.sort_by_key(|view| place.get(&view.id).copied().unwrap_or(usize::MAX));
    }
}

/// Brings a picture of the missions up to date; they stand by their names.
fn apply_missions(missions: &mut Vec<Arc<MissionView>>, news: Missions) {
    missions.retain(|view| !news.gone.contains(&view.id));
    for view in news.changed {
        match missions.binary_search_by(|other| other.id.cmp(&view.id)) {
            Ok(at) => missions[at] = view,
            Err(at) => missions.insert(at, view),
        }
    }
}

/// What carries commands out, and keeps the mirror.
struct Task {
    to: OwnedWriteHalf,
    orders: mpsc::Receiver<Order>,
    looks: watch::Receiver<bool>,
    waiting: HashMap<u64, oneshot::Sender<Result<Reply, Failure>>>,
    mirror: Arc<Mirror>,
    next_id: u64,
}

impl Task {
    /// Runs until the other end has ended or nobody needs it any more.
    async fn run(mut self, mut from: Incoming, left: CancellationToken) {
        loop {
            tokio::select! {
                () = left.cancelled() => return,
                order = self.orders.recv() => match order {
                    Some(order) => {
                        if self.send(order).await.is_err() {
                            break;
                        }
                    }
                    None => return,
                },
                Ok(()) = self.looks.changed() => {
                    let looks = *self.looks.borrow_and_update();
                    let id = self.new_id();
                    // one that is older does not know it, and says so: it rings as it always did
                    if write(&mut self.to, &Request::attended(id, looks)).await.is_err() {
                        break;
                    }
                }
                message = from.next() => match message {
                    Ok(Some(message)) => self.take(message),
                    Ok(None) => break,
                    Err(failure) => {
                        self.mirror.say(failure.to_string());
                        break;
                    }
                },
            }
        }
        self.mirror.say(ended().message);
    }

    async fn send(&mut self, (command, answer): Order) -> Result<(), Failure> {
        // whoever gave up waiting needs no place
        self.waiting.retain(|_, answer| !answer.is_closed());
        let id = self.new_id();
        self.waiting.insert(id, answer);
        write(&mut self.to, &Request::command(id, command)).await
    }

    const fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    fn take(&mut self, message: Message) {
        let answer = message.id.and_then(|id| self.waiting.remove(&id));
        let Some(answer) = answer else {
            return self.mirror.take(message.said);
        };
        let result = match message.said {
            Said::Reply(reply) => Ok(reply),
            Said::Failure(failed) => Err(failed.into()),
            _ => Err(Failure::new(Kind::Bug, "the answer is none")),
        };
        // whoever asked may have gone
        let _ = answer.send(result);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
