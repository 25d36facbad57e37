//! One client that was let in: its commands are carried out, and it is told what it follows.
//!
//! One side reads and begins commands, the other writes. Memory is bounded on both: a command is begun only when
//! there is room for its answer, and what is followed is taken up only when what came before it is written.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::followed::Followed;
use super::lines::{LineError, Lines};
use super::protocol::{
    Hello, Known, LONGEST_REQUEST, Lost, Message, Missions, Request, Said, Topic, Views, Wish,
    Wrong, line,
};
use super::server::Shared;
use crate::command::{AgentView, Client, Command, Event, Health, MissionView, Notice};
use crate::error::Failure;

/// How long a client may leave what it is sent unread.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// The most commands of one client at a time: answers that wait to be written count.
const AT_ONCE: usize = 16;
/// How long after one picture of the agents the next may come: 30 times a second.
const PACE: Duration = Duration::from_millis(33);
/// How long answers and the last words may take once the supervisor has ended.
const LAST: Duration = Duration::from_millis(500);
/// How many events are written at once.
const BATCH: usize = 64;

/// What the reading side hands to the writing one.
enum Out {
    Message(Box<Message>),
    Follow(u64, Vec<Topic>),
    /// What was sent is another language: the last that is written.
    Refused(Failure),
}

/// Why no more is read.
enum Input {
    /// The client says no more, or is told no more, but may be listening.
    Over,
    /// It is gone.
    Gone,
}

/// Serves one client to its end.
pub(super) async fn serve(stream: UnixStream, client: Arc<dyn Client>, shared: Arc<Shared>) {
    let (read, write) = stream.into_split();
    let gone = CancellationToken::new();
    // whatever way this ends, what was only to be seen is given up
    let _gone = gone.clone().drop_guard();
    let (outs, queue) = mpsc::channel(AT_ONCE);
    let health = client.health();
    let configuration = std::path::absolute(&health.configuration);
    let hello = Message::push(Said::Hello(Hello {
        version: health.version,
        pid: health.pid,
        // a relative one says nothing in another folder
        configuration: configuration.unwrap_or(health.configuration),
    }));
    let mut writer = Writer {
        to: write,
        client: Arc::clone(&client),
        shared: Arc::clone(&shared),
        follows: Follows::default(),
    };
    let reader = Reader {
        lines: Lines::new(read, LONGEST_REQUEST),
        client,
        shared,
        gone,
        outs,
    };
    let writing = async {
        if writer.write(&line(&hello)).await.is_ok() {
            let _ = writer.run(queue).await;
        }
    };
    tokio::pin!(writing);
    let over = tokio::select! {
        input = reader.run() => input,
        () = &mut writing => Input::Gone,
    };
    if matches!(over, Input::Over) {
        writing.await;
    }
}

struct Reader {
    lines: Lines<OwnedReadHalf>,
    client: Arc<dyn Client>,
    shared: Arc<Shared>,
    gone: CancellationToken,
    outs: mpsc::Sender<Out>,
}

impl Reader {
    async fn run(mut self) -> Input {
        loop {
            let Ok(room) = self.outs.clone().reserve_owned().await else {
                return Input::Gone;
            };
            let read = tokio::select! {
                biased;
                () = self.shared.ended.cancelled() => return Input::Over,
                read = self.lines.next() => read,
            };
            let request = match read {
                Ok(Some(text)) if text.iter().all(u8::is_ascii_whitespace) => continue,
                Ok(Some(text)) => Request::read(&text),
                Ok(None) => return self.at_the_end().await,
                Err(LineError::TooLong(longest)) => Err(Wrong::NoJson(Failure::usage(format!(
                    "a line of more than {longest} bytes is not read"
                )))),
                Err(LineError::Broken(_)) => return Input::Gone,
            };
            match request {
                Ok((id, Wish::Command(command))) => self.begin(id, command, room).await,
                Ok((id, Wish::Subscribe(topics))) => {
                    room.send(Out::Follow(id, topics));
                }
                Ok((id, Wish::Attended(looks))) => {
                    self.client.attended(looks);
                    let heard = Message::answer(Some(id), Said::Attended(looks));
                    room.send(Out::Message(Box::new(heard)));
                }
                Err(Wrong::Request(id, failure)) => {
                    room.send(Out::Message(Box::new(Message::result(id, Err(failure)))));
                }
                Err(Wrong::NoJson(failure)) => {
                    room.send(Out::Refused(failure));
                    return Input::Over;
                }
            }
        }
    }

    /// A client that closed its whole end is gone; one that only says no more may wait for answers.
    async fn at_the_end(&self) -> Input {
        let read: &UnixStream = self.lines.inner().as_ref();
        match read.ready(Interest::WRITABLE).await {
            Ok(ready) if !ready.is_write_closed() => Input::Over,
            _ => Input::Gone,
        }
    }

    /// Begins a command, before the next line is read. Its answer is written when it is there.
    async fn begin(&self, id: u64, command: Command, room: mpsc::OwnedPermit<Out>) {
        let acts = acts(&command);
        let Ok(turn) = Arc::clone(&self.shared.acting).acquire_owned().await else {
            return;
        };
        let client = Arc::clone(&self.client);
        let gone = self.gone.clone();
        let mut work = Box::pin(async move {
            let answer = client.send(command);
            let answered = if acts {
                Some(answer.await)
            } else {
                tokio::select! {
                    biased;
                    () = gone.cancelled() => None,
                    answer = answer => Some(answer),
                }
            };
            drop(turn);
            if let Some(result) = answered {
                room.send(Out::Message(Box::new(Message::result(Some(id), result))));
            }
        });
        let is_done =
            std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_ready()));
        if !is_done.await {
            self.shared.tasks.spawn(work);
        }
    }
}

/// Whether a command does something that must not be left half done.
const fn acts(command: &Command) -> bool {
    // these ask a model or the person, and nothing is lost with their answer
    !command.only_looks() && !matches!(command, Command::Review { .. } | Command::Adopt { .. })
}

/// What the client follows, and what it was last told of it.
#[derive(Default)]
struct Follows {
    views: Option<Vec<Arc<AgentView>>>,
    missions: Option<Vec<Arc<MissionView>>>,
    health: Followed<Health>,
    known: Followed<Known>,
    events: Option<broadcast::Receiver<Event>>,
    notices: Option<broadcast::Receiver<Notice>>,
    changes: Option<watch::Receiver<u64>>,
    /// When what is to be seen is looked at again.
    due: Option<Instant>,
    told_at: Option<Instant>,
}

struct Writer {
    to: OwnedWriteHalf,
    client: Arc<dyn Client>,
    shared: Arc<Shared>,
    follows: Follows,
}

/// The client is gone, or does not read.
struct Lapsed;

impl Writer {
    async fn run(&mut self, mut queue: mpsc::Receiver<Out>) -> Result<(), Lapsed> {
        let mut answers = true;
        loop {
            let follows = &mut self.follows;
            let due = follows.due;
            tokio::select! {
                biased;
                () = self.shared.ended.cancelled() => return self.farewell(queue).await,
                out = queue.recv(), if answers => match out {
                    Some(Out::Message(message)) => self.write(&line(&message)).await?,
                    Some(Out::Follow(id, topics)) => self.follow(id, topics).await?,
                    Some(Out::Refused(failure)) => {
                        return self.write(&line(&Message::result(None, Err(failure)))).await;
                    }
                    // it says no more, and all is answered: only what it follows keeps it here
                    None if self.follows.changes.is_none() => return Ok(()),
                    None => answers = false,
                },
                () = look(due) => self.look_again().await?,
                () = changed(&mut follows.changes), if due.is_none() => self.make_due(),
                event = next(&mut follows.events) => self.events(event).await?,
                notice = next(&mut follows.notices) => self.notice(notice).await?,
            }
        }
    }

    /// Writes all of it, unless the client leaves it unread.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Lapsed> {
        let ended = async {
            self.shared.ended.cancelled().await;
            sleep(LAST).await;
        };
        tokio::select! {
            biased;
            written = timeout(PATIENCE, self.to.write_all(bytes)) => match written {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Lapsed),
                Err(_) => {
                    tracing::warn!("a client that does not read was let go");
                    Err(Lapsed)
                }
            },
            () = ended => Err(Lapsed),
        }
    }

    /// What is still under way is answered, and the end is told.
    async fn farewell(&mut self, mut queue: mpsc::Receiver<Out>) -> Result<(), Lapsed> {
        let until = Instant::now() + LAST;
        let mut bytes = Vec::new();
        while let Ok(Some(out)) = tokio::time::timeout_at(until, queue.recv()).await {
            if let Out::Message(message) = out {
                bytes.extend(line(&message));
            }
        }
        for event in rest(&mut self.follows.events) {
            bytes.extend(line(&Message::push(Said::Event(event))));
        }
        for notice in rest(&mut self.follows.notices) {
            bytes.extend(line(&Message::push(Said::Notice(notice))));
        }
        let bye = "the supervisor has ended".to_owned();
        bytes.extend(line(&Message::push(Said::Bye(bye))));
        self.write(&bytes).await?;
        self.to.shutdown().await.map_err(|_| Lapsed)
    }

    async fn follow(&mut self, id: u64, topics: Vec<Topic>) -> Result<(), Lapsed> {
        let mut bytes = Vec::new();
        let follows = &mut self.follows;
        let changes = self.client.changes();
        for topic in &topics {
            match topic {
                Topic::Views => follows.views = Some(Vec::new()),
                Topic::Missions => follows.missions = Some(Vec::new()),
                Topic::Health => follows.health = Followed::New,
                Topic::Known => follows.known = Followed::New,
                Topic::Notices => follows.notices = Some(self.client.notices()),
                Topic::Events | Topic::Recent => {
                    let (recent, events) = self.shared.follow();
                    follows.events = Some(events);
                    let recent = recent.into_iter().filter(|_| *topic == Topic::Recent);
                    for event in recent {
                        bytes.extend(line(&Message::push(Said::Event(event))));
                    }
                }
            }
        }
        follows.changes = Some(changes);
        self.write(&bytes).await?;
        let mut bytes = self.seen(&topics);
        bytes.extend(line(&Message::answer(Some(id), Said::Subscribed(topics))));
        self.write(&bytes).await
    }

    fn make_due(&mut self) {
        let next = self.follows.told_at.map(|at| at + PACE);
        self.follows.due = Some(next.unwrap_or_else(Instant::now));
    }

    async fn look_again(&mut self) -> Result<(), Lapsed> {
        self.follows.due = None;
        let bytes = self.seen(&[]);
        if bytes.is_empty() {
            return Ok(());
        }
        let written = self.write(&bytes).await;
        self.follows.told_at = Some(Instant::now());
        written
    }

    /// What is to be seen and was not told yet; of those that are `new` also that there is nothing.
    fn seen(&mut self, new: &[Topic]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let follows = &mut self.follows;
        if let Some(told) = &mut follows.views {
            let now = self.client.views();
            let message = difference(told, &now);
            *told = now;
            let at_all = new.contains(&Topic::Views);
            if let Some(views) = message.or_else(|| at_all.then(Views::default)) {
                bytes.extend(line(&Message::push(Said::Views(views))));
            }
        }
        if let Some(told) = &mut follows.missions {
            let now = self.client.missions();
            let message = other_missions(told, &now);
            *told = now;
            let at_all = new.contains(&Topic::Missions);
            if let Some(missions) = message.or_else(|| at_all.then(Missions::default)) {
                bytes.extend(line(&Message::push(Said::Missions(missions))));
            }
        }
        if let Some(now) = follows.health.news(|| self.client.health()) {
            bytes.extend(line(&Message::push(Said::Health(Box::new(now)))));
        }
        let known = || Known {
            panes: self.client.known_panes(),
            kinds: self.client.known_kinds(),
        };
        if let Some(now) = follows.known.news(known) {
            bytes.extend(line(&Message::push(Said::Known(now))));
        }
        bytes
    }

    async fn events(&mut self, event: Result<Event, RecvError>) -> Result<(), Lapsed> {
        let mut bytes = match event {
            Ok(event) => line(&Message::push(Said::Event(event))),
            Err(RecvError::Lagged(count)) => lost(Topic::Events, count),
            Err(RecvError::Closed) => {
                self.follows.events = None;
                return Ok(());
            }
        };
        if let Some(events) = &mut self.follows.events {
            for _ in 0..BATCH {
                match events.try_recv() {
                    Ok(event) => bytes.extend(line(&Message::push(Said::Event(event)))),
                    Err(TryRecvError::Lagged(count)) => bytes.extend(lost(Topic::Events, count)),
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
        }
        self.write(&bytes).await
    }

    async fn notice(&mut self, notice: Result<Notice, RecvError>) -> Result<(), Lapsed> {
        let bytes = match notice {
            Ok(notice) => line(&Message::push(Said::Notice(notice))),
            Err(RecvError::Lagged(count)) => lost(Topic::Notices, count),
            Err(RecvError::Closed) => {
                self.follows.notices = None;
                return Ok(());
            }
        };
        self.write(&bytes).await
    }
}

/// What is another than what was told; `None` where nothing is.
fn difference(told: &[Arc<AgentView>], now: &[Arc<AgentView>]) -> Option<Views> {
    let before = |at: usize, view: &Arc<AgentView>| {
        let same_place = told.get(at).filter(|other| other.id == view.id);
        same_place.or_else(|| told.iter().find(|other| other.id == view.id))
    };
    let is_told = |(at, view): &(usize, &Arc<AgentView>)| {
        before(*at, view).is_some_and(|other| Arc::ptr_eq(other, view) || other == *view)
    };
    let changed = now.iter().enumerate().filter(|one| !is_told(one));
    let changed: Vec<_> = changed.map(|(_, view)| Arc::clone(view)).collect();
    let stays = |view: &Arc<AgentView>| now.iter().any(|other| other.id == view.id);
    let is_same_order = told.len() == now.len() && told.iter().zip(now).all(|(a, b)| a.id == b.id);
    if changed.is_empty() && is_same_order {
        return None;
    }
    let gone = told.iter().filter(|view| !is_same_order && !stays(view));
    Some(Views {
        changed,
        gone: gone.map(|view| view.id.clone()).collect(),
        order: (!is_same_order).then(|| now.iter().map(|view| view.id.clone()).collect()),
    })
}

/// The missions that are others than those that were told; `None` where none is.
fn other_missions(told: &[Arc<MissionView>], now: &[Arc<MissionView>]) -> Option<Missions> {
    let is_told = |view: &&Arc<MissionView>| {
        let other = told.iter().find(|other| other.id == view.id);
        other.is_some_and(|other| Arc::ptr_eq(other, view) || other == *view)
    };
    let changed: Vec<_> = now.iter().filter(|view| !is_told(view)).cloned().collect();
    let stays = |view: &&Arc<MissionView>| now.iter().any(|other| other.id == view.id);
    let gone = told.iter().filter(|view| !stays(view));
    let gone: Vec<_> = gone.map(|view| view.id.clone()).collect();
    (!changed.is_empty() || !gone.is_empty()).then_some(Missions { changed, gone })
}

fn lost(what: Topic, count: u64) -> Vec<u8> {
    line(&Message::push(Said::Lost(Lost { what, count })))
}

/// What has been said already.
fn rest<T: Clone>(from: &mut Option<broadcast::Receiver<T>>) -> Vec<T> {
    let mut all = Vec::new();
    while let Some(from) = from {
        match from.try_recv() {
            Ok(one) => all.push(one),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
    all
}

/// The next one; never, where it is not followed.
async fn next<T: Clone>(from: &mut Option<broadcast::Receiver<T>>) -> Result<T, RecvError> {
    match from {
        Some(from) => from.recv().await,
        None => std::future::pending().await,
    }
}

/// Waits for the next change; for ever, where nothing is followed or nothing can change any more.
async fn changed(changes: &mut Option<watch::Receiver<u64>>) {
    if let Some(changes) = changes
        && changes.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

async fn look(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
