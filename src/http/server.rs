//! What is known of one server: its places, its breaker, the pause that it has asked for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use super::breaker::{Breaker, Entry};
use super::{HttpError, Reply};

/// The longest pause that a server can ask for; a longer one is cut to it, and asked for anew.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(10);

pub(super) struct Server {
    name: Box<str>,
    places: Semaphore,
    state: Mutex<State>,
}

struct State {
    breaker: Breaker,
    paused_until: Option<Instant>,
    last_failure: String,
    /// Since when no call has gone well.
    failing_since: Option<DateTime<Utc>>,
}

impl Server {
    pub(super) fn new(name: &str, places: usize) -> Self {
        Self {
            name: name.into(),
            places: Semaphore::new(places),
            state: Mutex::new(State {
                breaker: Breaker::new(),
                paused_until: None,
                last_failure: String::new(),
                failing_since: None,
            }),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when it is left alone, and what it did last.
    pub(super) fn down(&self) -> Option<(DateTime<Utc>, String)> {
        let state = self.state();
        let since = state.failing_since.filter(|_| state.breaker.is_open())?;
        Some((since, state.last_failure.clone()))
    }

    /// Fails where it is clear, before waiting for a place, that a call cannot be made by `deadline`.
    pub(super) fn refuse_early(&self, deadline: Instant) -> Result<(), HttpError> {
        let state = self.state();
        if let Some(until) = state.breaker.shut_until(Instant::now()) {
            return Err(self.shut(until, &state));
        }
        self.refuse_long_pause(state.paused_until, deadline)
    }

    fn shut(&self, until: Instant, state: &State) -> HttpError {
        HttpError::BreakerOpen {
            server: self.name.to_string(),
            until,
            last: state.last_failure.clone(),
        }
    }

    fn refuse_long_pause(
        &self,
        paused_until: Option<Instant>,
        deadline: Instant,
    ) -> Result<(), HttpError> {
        match paused_until {
            Some(until) if until >= deadline => Err(HttpError::AskedToWait {
                server: self.name.to_string(),
                until,
            }),
            _ => Ok(()),
        }
    }

    /// A place among the calls under way, for as long as it is held.
    pub(super) async fn seat(&self) -> Option<SemaphorePermit<'_>> {
        // Fails only on a closed semaphore, and nobody closes this one.
        self.places.acquire().await.ok()
    }

    /// Lets a call through the breaker.
    pub(super) fn admit(&self, deadline: Instant) -> Result<Pass<'_>, HttpError> {
        let mut state = self.state();
        match state.breaker.admit(Instant::now(), deadline) {
            Ok(entry) => Ok(Pass {
                server: self,
                entry: Some(entry),
            }),
            Err(until) => Err(self.shut(until, &state)),
        }
    }

    /// Keeps every call away for `pause`.
    pub(super) fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST_PAUSE);
        let mut state = self.state();
        state.paused_until = state.paused_until.max(Some(until));
    }

    /// Waits until the pause that the server has asked for is over; fails at once where that is too late.
    pub(super) async fn wait_out_pause(&self, deadline: Instant) -> Result<(), HttpError> {
        loop {
            let paused_until = self.state().paused_until;
            self.refuse_long_pause(paused_until, deadline)?;
            match paused_until {
                // Another call's answer may have lengthened the pause meanwhile.
                Some(until) if until > Instant::now() => sleep_until(until).await,
                _ => return Ok(()),
            }
        }
    }
}

/// One call that the breaker let through. Dropped without a report, it says nothing of the server.
pub(super) struct Pass<'a> {
    server: &'a Server,
    entry: Option<Entry>,
}

impl Pass<'_> {
    pub(super) fn is_probe(&self) -> bool {
        self.entry == Some(Entry::Probe)
    }

    /// Tells the breaker how the call ended.
    pub(super) fn report(mut self, result: &Result<Reply, HttpError>) {
        let says_something = result
            .as_ref()
            .map_or_else(HttpError::says_something_of_the_server, |_| true);
        if !says_something {
            return;
        }
        let Some(entry) = self.entry.take() else {
            return;
        };
        let mut state = self.server.state();
        match result {
            Err(error) if error.is_servers_fault() => {
                state.breaker.failed(entry, Instant::now());
                state.last_failure = error.to_string();
                state.failing_since.get_or_insert_with(Utc::now);
            }
            _ => {
                state.breaker.answered();
                state.failing_since = None;
            }
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            self.server.state().breaker.abandoned(entry, Instant::now());
        }
    }
}
