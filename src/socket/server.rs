//! Listens: lets clients in, and keeps for them what happened lately.
//!
//! `main` starts one beside the supervisor, and waits for its end after the supervisor's.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use tokio::net::UnixStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::address::{self, Listening};
use super::protocol::{Message, Said, line};
use super::{connection, peer};
use crate::command::{Client, Event};
use crate::error::{Failure, Kind};
use crate::ids::PaneAddress;
use crate::record::Happening;

/// The most connections at a time.
pub const MOST: usize = 64;
/// The most commands that act at a time, over all connections and what those left behind.
const ACTING: usize = 256;
/// How many events are kept for those who come later.
const RECENT: usize = 1_000;
/// How many events a connection may fall behind.
const EVENTS: usize = 1_024;
/// How long the last answers may take to be written once the supervisor has ended.
const END: Duration = Duration::from_secs(1);
/// How long nobody is let in after the system refused to let somebody in.
const REST: Duration = Duration::from_millis(100);

/// Makes a client for each connection, which is asked its own questions; it is told the panes that the other end
/// comes out of.
pub type Clients = Box<dyn Fn(Vec<PaneAddress>) -> Arc<dyn Client> + Send + Sync>;

/// A running server. Dropping it does not end it; the supervisor's end does.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

/// What all connections share.
pub(super) struct Shared {
    /// The supervisor has ended.
    pub ended: CancellationToken,
    /// What is under way for clients, and may go on after they have gone.
    pub tasks: TaskTracker,
    /// Bounds what is under way.
    pub acting: Arc<Semaphore>,
    recent: Mutex<VecDeque<Event>>,
    events: broadcast::Sender<Event>,
}

impl Server {
    /// Listens at `path` until `ended`; `named` where the person chose the path.
    ///
    /// Called within a tokio runtime.
    ///
    /// # Errors
    /// Those of [`address::listen`].
    pub fn start(
        path: &Path,
        named: bool,
        clients: Clients,
        ended: CancellationToken,
    ) -> Result<Self, Failure> {
        let listening = address::listen(path, named)?;
        let shared = Arc::new(Shared {
            ended,
            tasks: TaskTracker::new(),
            acting: Arc::new(Semaphore::new(ACTING)),
            recent: Mutex::default(),
            events: broadcast::Sender::new(EVENTS),
        });
        let events = clients(Vec::new()).events();
        Ok(Self {
            path: listening.path().to_path_buf(),
            task: tokio::spawn(run(listening, clients, events, shared)),
        })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits, after the supervisor's end, until the last answers are written and the socket's file is gone: about
    /// a second at most.
    pub async fn closed(self) {
        let _ = timeout(END.saturating_mul(2), self.task).await;
    }
}

impl Shared {
    /// What happened lately, and what happens from then on: nothing twice, nothing missing.
    pub fn follow(&self) -> (Vec<Event>, broadcast::Receiver<Event>) {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        (recent.iter().cloned().collect(), self.events.subscribe())
    }

    fn keep(&self, event: Event) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.len() >= RECENT {
            recent.pop_front();
        }
        recent.push_back(event.clone());
        // nobody may be following
        let _ = self.events.send(event);
    }
}

/// Keeps what happens, until nobody is left to whom anything could happen.
async fn keep_events(mut events: broadcast::Receiver<Event>, shared: Arc<Shared>) {
    loop {
        let event = tokio::select! {
            () = shared.ended.cancelled() => return,
            event = events.recv() => event,
        };
        match event {
            Ok(event) => shared.keep(event),
            Err(RecvError::Lagged(count)) => {
                shared.keep(Event::new(Utc::now(), None, Happening::Lost { count }));
            }
            Err(RecvError::Closed) => return,
        }
    }
}

async fn run(
    listening: Listening,
    clients: Clients,
    events: broadcast::Receiver<Event>,
    shared: Arc<Shared>,
) {
    let keeper = tokio::spawn(keep_events(events, Arc::clone(&shared)));
    let seats = Arc::new(Semaphore::new(MOST));
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shared.ended.cancelled() => break,
            accepted = listening.listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // out of file descriptors, for instance: not as fast as the system can say so
                tracing::warn!(%error, "a client could not be let in");
                sleep(REST).await;
                continue;
            }
        };
        if let Err(error) = peer::check(&stream) {
            tracing::warn!(%error, "a client was turned away");
            turn_away(&stream, Failure::new(Kind::Failed, error.to_string()));
            continue;
        }
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else {
            let failure = Failure::new(
                Kind::Failed,
                format!("{MOST} clients are connected already"),
            );
            turn_away(&stream, failure.hint("end some of them"));
            continue;
        };
        let (client, shared) = (clients(peer::panes(&stream)), Arc::clone(&shared));
        connections.spawn(async move {
            connection::serve(stream, client, shared).await;
            drop(seat);
        });
    }
    connections.close();
    shared.tasks.close();
    let _ = timeout(END, connections.wait()).await;
    let _ = keeper.await;
}

/// Says why, as far as that can be done without waiting.
fn turn_away(stream: &UnixStream, failure: Failure) {
    let message = line(&Message::push(Said::Failure(failure.into())));
    // a fresh socket has room
    let _ = stream.try_write(&message);
}
