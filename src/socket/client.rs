//! One connection to a running instance, as a script's one command needs it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use super::lines::Lines;
use super::peer;
use super::protocol::{Hello, LONGEST_ANSWER, Message, Request, Said, Topic, VERSION, line};
use crate::command::{Command, Reply};
use crate::error::{Failure, Kind};

/// How long the first words may take: somebody else may be at the other end, or it is stopped.
const HELLO: Duration = Duration::from_secs(5);
/// How long a request may take to be taken.
const SENDING: Duration = Duration::from_secs(10);

/// How long a command's answer may take: what the other end itself allows, and some more.
pub const fn patience(command: &Command) -> Duration {
    match command {
        Command::Review { .. } => Duration::from_mins(15),
        _ => Duration::from_mins(3),
    }
}

/// A connection; who is listening is known.
#[derive(Debug)]
pub struct Connection {
    path: PathBuf,
    hello: Hello,
    from: Lines<OwnedReadHalf>,
    to: OwnedWriteHalf,
    next_id: u64,
}

/// Why there is no connection.
#[derive(Debug)]
pub enum NoConnection {
    /// Nobody listens there.
    Nobody(io::Error),
    /// Somebody does, but it does not do.
    Unfit(Failure),
}

impl NoConnection {
    /// As a person reads it.
    pub fn at(self, path: &Path) -> Failure {
        match self {
            Self::Nobody(error) => {
                let message = format!("no meta-orchestrator listens at {}", path.display());
                Failure::new(Kind::Missing, message)
                    .because(&error)
                    .hint("`meta-orchestrator serve` starts one without a terminal")
            }
            Self::Unfit(failure) => failure,
        }
    }
}

impl Connection {
    /// Connects to the instance that listens at `path`.
    ///
    /// # Errors
    /// When nobody listens there, it is another user, or it does not answer as one of us.
    pub async fn open(path: &Path) -> Result<Self, NoConnection> {
        let unfit = |why: String| {
            let message = format!("could not speak to {}", path.display());
            NoConnection::Unfit(Failure::new(Kind::Failed, message).because_text(why))
        };
        let opened = timeout(HELLO, UnixStream::connect(path)).await;
        let late = || unfit(format!("it did not answer within {} s", HELLO.as_secs()));
        let stream = match opened.map_err(|_| late())? {
            Ok(stream) => stream,
            Err(error) => {
                return Err(match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                        NoConnection::Nobody(error)
                    }
                    _ => unfit(error.to_string()),
                });
            }
        };
        peer::check(&stream).map_err(|error| unfit(error.to_string()))?;
        let (from, to) = stream.into_split();
        let mut from = Lines::new(from, LONGEST_ANSWER);
        let first = timeout(HELLO, next(&mut from)).await.map_err(|_| late())?;
        let first = first.map_err(NoConnection::Unfit)?;
        let hello = match first.map(|message| message.said) {
            Some(Said::Hello(hello)) => hello,
            Some(Said::Failure(failed)) => return Err(NoConnection::Unfit(failed.into())),
            _ => return Err(unfit("it says something else".into())),
        };
        Ok(Self {
            path: path.to_path_buf(),
            hello,
            from,
            to,
            next_id: 1,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who is listening.
    pub const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Carries out one command, and waits for its answer.
    ///
    /// # Errors
    /// The command's own failure; or the connection ends, or the answer takes too long.
    pub async fn ask(&mut self, command: Command) -> Result<Reply, Failure> {
        let patience = patience(&command);
        let id = self.new_id();
        self.send(&Request::command(id, command)).await?;
        let answer = async {
            loop {
                let message = self.next().await?;
                match message.said {
                    Said::Reply(reply) if message.id == Some(id) => return Ok(reply),
                    Said::Failure(failed) if message.id.is_none_or(|of| of == id) => {
                        return Err(failed.into());
                    }
                    _ => {}
                }
            }
        };
        timeout(patience, answer)
            .await
            .unwrap_or_else(|_| Err(too_late(patience)))
    }

    /// Begins to follow `topics`; the [`Said::Subscribed`] with the id that is returned comes after what there was
    /// to be said at once.
    ///
    /// # Errors
    /// When the connection ends.
    pub async fn subscribe(&mut self, topics: &[Topic]) -> Result<u64, Failure> {
        let id = self.new_id();
        self.send(&Request::subscribe(id, topics)).await?;
        Ok(id)
    }

    /// The next message. A call that is dropped has lost nothing.
    ///
    /// # Errors
    /// When there is none: the connection has ended.
    pub async fn next(&mut self) -> Result<Message, Failure> {
        next(&mut self.from).await?.ok_or_else(ended)
    }

    /// Both ends apart.
    pub(super) fn split(self) -> (Incoming, OwnedWriteHalf) {
        (Incoming(self.from), self.to)
    }

    async fn send(&mut self, request: &Request) -> Result<(), Failure> {
        write(&mut self.to, request).await
    }

    const fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
}

/// What comes in.
#[derive(Debug)]
pub(super) struct Incoming(Lines<OwnedReadHalf>);

impl Incoming {
    /// The next message; `None` at the end. A call that is dropped has lost nothing.
    pub async fn next(&mut self) -> Result<Option<Message>, Failure> {
        next(&mut self.0).await
    }
}

/// Sends a request, within its deadline.
pub(super) async fn write(to: &mut OwnedWriteHalf, request: &Request) -> Result<(), Failure> {
    match timeout(SENDING, to.write_all(&line(request))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ended().because(&error)),
        Err(_) => Err(too_late(SENDING)),
    }
}

/// The next message of a kind that is known.
async fn next(from: &mut Lines<OwnedReadHalf>) -> Result<Option<Message>, Failure> {
    let broken = |error: &(dyn std::error::Error + 'static)| ended().because(error);
    loop {
        let Some(text) = from.next().await.map_err(|error| broken(&error))? else {
            return Ok(None);
        };
        match serde_json::from_slice::<Message>(&text) {
            Ok(message) if message.v == VERSION => return Ok(Some(message)),
            // what a later version says beside the rest is passed over; an answer is not
            Ok(_) => return Err(other_version()),
            Err(error) if is_answer(&text) => return Err(other_version().because(&error)),
            Err(_) => {}
        }
    }
}

fn is_answer(text: &[u8]) -> bool {
    let value = serde_json::from_slice::<serde_json::Value>(text);
    value.is_ok_and(|value| value["id"].is_u64())
}

pub(super) fn ended() -> Failure {
    Failure::new(Kind::Missing, "the running meta-orchestrator has ended")
}

pub(super) fn too_late(after: Duration) -> Failure {
    let message = format!(
        "the running meta-orchestrator did not answer within {} s",
        after.as_secs()
    );
    Failure::new(Kind::TimedOut, message).hint("what was asked for may still be done")
}

fn other_version() -> Failure {
    Failure::new(
        Kind::Failed,
        "the running meta-orchestrator speaks another version",
    )
    .hint("end it and start it again as this version")
}
