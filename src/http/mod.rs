//! DOOR network: one way out for the whole program, with deadlines, bounded bodies, retries and a breaker.
//!
//! [`Http`] sends one request and reads one answer. Every call has one deadline that covers all of it: waiting
//! for a place, connecting, trying again and reading. An answer is read up to [`BODY_LIMIT`]; a server that
//! sends more, drips for ever or says nothing costs that much memory and that much time. Per server, at most so
//! many calls are under way at once, a pause that it asks for is kept, and after a few failures in a row it is
//! left alone for a while that grows. Servers share nothing, so that one that is down slows no other.
//!
//! It never follows a redirect (a POST with a key would go to another host), never sends what is for this
//! machine through a proxy, never puts a header's value into an error or a log, and never lets a type of the
//! HTTP library out. It knows nothing of models: [`crate::llm`] calls it, and the webhooks of `notify`.

mod breaker;
mod endpoint;
mod error;
mod excerpt;
mod server;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};

pub use endpoint::Endpoint;
pub use error::HttpError;
use server::Server;
use wire::{Internet, Outgoing, Wire};

/// How much of an answer's body is read, in bytes: 1 MiB.
pub const BODY_LIMIT: usize = 1 << 20;
/// How often a request is tried again within its deadline.
const RETRIES: usize = 2;
/// The pause before the first retry; it doubles, and a random part of up to as much again is added.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// The longest deadline; longer ones are cut to it.
const DEADLINE_MAX: Duration = Duration::from_hours(24);

/// Where a request goes, who it says it is, and how long the call may take. What is sent is not part of it.
#[derive(Debug, Clone)]
pub struct Request {
    to: Endpoint,
    headers: Vec<Header>,
    deadline: Duration,
    pause_in_body: fn(&[u8]) -> Option<Duration>,
}

/// A header whose value is a secret.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    name: String,
    value: SecretString,
}

impl Request {
    /// A request to `to` whose call takes at most `deadline` in all, retries and waiting included.
    pub fn new(to: Endpoint, deadline: Duration) -> Self {
        Self {
            to,
            headers: Vec::new(),
            deadline: deadline.min(DEADLINE_MAX),
            pause_in_body: |_| None,
        }
    }

    /// Adds a header. Every value counts as a secret: it is in no error, no log and no `Debug`, and it is
    /// struck out of excerpts of an answer that repeats it.
    #[must_use]
    pub fn header(mut self, name: &str, value: SecretString) -> Self {
        let name = name.to_owned();
        self.headers.push(Header { name, value });
        self
    }

    /// How to read, from the body of a refusal, how long the server wants to be left alone; for servers that
    /// say it there and not in `Retry-After`.
    #[must_use]
    pub fn pause_in_body(mut self, read: fn(&[u8]) -> Option<Duration>) -> Self {
        self.pause_in_body = read;
        self
    }
}

/// An answer with a status from 200 to 299.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body, at most [`BODY_LIMIT`] bytes.
    pub body: Vec<u8>,
    secrets: Vec<Header>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Vec<u8>, secrets: Vec<Header>) -> Self {
        Self {
            status,
            body,
            secrets,
        }
    }

    /// What the body says, as one bounded line for a person: harmless characters only, and without the values
    /// of the request's headers.
    pub fn excerpt(&self) -> String {
        excerpt::excerpt(&self.body, &self.secrets)
    }

    /// A text taken from this answer, made fit to be shown in the same way.
    pub fn line(&self, text: &str) -> String {
        excerpt::line(text, &self.secrets)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Reply")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The way out. Clones share everything: connections, places, breakers.
///
/// Making one costs nothing; the certificates of the system are read when the first `https` request is sent.
/// What is known of a server is kept until the last clone is gone: a few hundred bytes for each server that
/// the configuration has named.
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
}

struct Shared {
    wire: Box<dyn Wire>,
    calls_at_once: usize,
    servers: Mutex<HashMap<String, Arc<Server>>>,
}

impl Http {
    /// A way out over which at most `calls_at_once` (at least 1) calls to any one server are under way at once.
    pub fn new(calls_at_once: u32) -> Self {
        Self::over(Box::new(Internet::default()), calls_at_once)
    }

    fn over(wire: Box<dyn Wire>, calls_at_once: u32) -> Self {
        let calls_at_once = usize::try_from(calls_at_once).unwrap_or(usize::MAX);
        Self {
            shared: Arc::new(Shared {
                wire,
                calls_at_once: calls_at_once.clamp(1, 1024),
                servers: Mutex::default(),
            }),
        }
    }

    /// Sends `body` as JSON and reads the answer. Dropping the future ends the call and frees its place.
    ///
    /// A call is tried again, at most twice, where no answer began or where its status (408, 429, 500, 502,
    /// 503, 504, 529) promises that it may go better; any other status from 300 on is an error at once.
    ///
    /// # Errors
    /// Every way in which no answer with a status from 200 to 299 came in time.
    pub async fn post_json(
        &self,
        request: &Request,
        body: &serde_json::Value,
    ) -> Result<Reply, HttpError> {
        let body = serde_json::to_vec(body).map_err(|error| HttpError::Setup {
            why: error.to_string(),
        })?;
        self.call(request, Some(&body)).await
    }

    /// Reads from an address, by the same rules.
    ///
    /// # Errors
    /// As [`post_json`](Self::post_json).
    pub async fn get(&self, request: &Request) -> Result<Reply, HttpError> {
        self.call(request, None).await
    }

    /// Since when `server` (scheme, host and port) is left alone because it keeps failing, and what it did last;
    /// `None` where it is not.
    pub fn down(&self, server: &str) -> Option<(DateTime<Utc>, String)> {
        let servers = self.shared.servers.lock();
        let servers = servers.unwrap_or_else(PoisonError::into_inner);
        servers.get(server)?.down()
    }

    async fn call(&self, request: &Request, body: Option<&[u8]>) -> Result<Reply, HttpError> {
        let deadline = Instant::now() + request.deadline;
        let server = self.server(request.to.server());
        server.refuse_early(deadline)?;
        let seat = timeout_at(deadline, server.seat()).await;
        let _seat = seat.map_err(|_| HttpError::Crowded {
            server: server.name().to_owned(),
            after: request.deadline,
        })?;
        let pass = server.admit(deadline)?;
        let retries = if pass.is_probe() { 0 } else { RETRIES };
        let tried = self.try_repeatedly(&server, request, body, deadline, retries);
        let result = timeout_at(deadline, tried).await.unwrap_or_else(|_| {
            Err(HttpError::TimedOut {
                server: server.name().to_owned(),
                after: request.deadline,
            })
        });
        pass.report(&result);
        result
    }

    async fn try_repeatedly(
        &self,
        server: &Server,
        request: &Request,
        body: Option<&[u8]>,
        deadline: Instant,
        retries: usize,
    ) -> Result<Reply, HttpError> {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(RETRY_PAUSE)
            .with_max_times(retries)
            .with_jitter();
        let attempt = || async {
            server.wait_out_pause(deadline).await?;
            self.try_once(server, request, body).await
        };
        attempt
            .retry(pauses)
            .when(HttpError::is_worth_another_try)
            .adjust(|error, pause| {
                // Waiting past the deadline would only hide what went wrong.
                let wait = pause?.max(error.retry_after().unwrap_or_default());
                (Instant::now() + wait < deadline).then_some(wait)
            })
            .notify(|error, pause| tracing::debug!(%error, ?pause, "trying again"))
            .await
    }

    async fn try_once(
        &self,
        server: &Server,
        request: &Request,
        body: Option<&[u8]>,
    ) -> Result<Reply, HttpError> {
        let outgoing = Outgoing {
            to: &request.to,
            headers: &request.headers,
            body,
        };
        let incoming = self.shared.wire.exchange(outgoing).await?;
        if (200..300).contains(&incoming.status) {
            let secrets = request.headers.clone();
            return Ok(Reply::new(incoming.status, incoming.body, secrets));
        }
        let in_body = || (request.pause_in_body)(&incoming.body);
        let retry_after = incoming.retry_after.or_else(in_body);
        let retry_after = retry_after.map(|pause| pause.min(DEADLINE_MAX));
        if let (429 | 503, Some(pause)) = (incoming.status, retry_after) {
            server.pause(pause);
        }
        Err(HttpError::Status {
            server: server.name().to_owned(),
            code: incoming.status,
            excerpt: excerpt::excerpt(&incoming.body, &request.headers),
            retry_after,
        })
    }

    fn server(&self, name: &str) -> Arc<Server> {
        let mut servers = self
            .shared
            .servers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(name) {
            return Arc::clone(server);
        }
        let server = Arc::new(Server::new(name, self.shared.calls_at_once));
        servers.insert(name.to_owned(), Arc::clone(&server));
        server
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Http")
            .field("calls_at_once", &self.shared.calls_at_once)
            .finish_non_exhaustive()
    }
}
