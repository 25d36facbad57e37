//! When a server that keeps failing is left alone, and when it is tried again.
//!
//! After [`FAILURES`] failed calls in a row the breaker opens and calls fail at once. When its wait is over,
//! one call is let through as a probe: if it goes well the breaker closes, if not it opens for longer. Time
//! comes in as a value.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

/// How many failed calls in a row open the breaker.
pub(super) const FAILURES: u32 = 3;
/// The first wait. A random part of up to as much again is added to every wait.
pub(super) const FIRST_WAIT: Duration = Duration::from_secs(5);
/// Waits double up to this one: with the random part, five minutes at most.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(150);

/// How a call was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// Among others.
    Ordinary,
    /// Alone, to see whether the server is back.
    Probe,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    Probing { until: Instant },
}

pub(super) struct Breaker {
    state: State,
    waits: <ExponentialBuilder as BackoffBuilder>::Backoff,
}

fn waits() -> <ExponentialBuilder as BackoffBuilder>::Backoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST_WAIT)
        .with_max_delay(LONGEST_WAIT)
        .without_max_times()
        .with_jitter()
        .build()
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self {
            state: State::Closed { failures: 0 },
            waits: waits(),
        }
    }

    /// Until when no call is let through, where that is later than `now`.
    pub(super) fn shut_until(&self, now: Instant) -> Option<Instant> {
        match self.state {
            State::Open { until } | State::Probing { until } if until > now => Some(until),
            _ => None,
        }
    }

    /// Whether it has opened, and no probe has closed it since.
    pub(super) const fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed { .. })
    }

    /// Lets a call through that ends by `deadline`, or says until when none is.
    pub(super) fn admit(&mut self, now: Instant, deadline: Instant) -> Result<Entry, Instant> {
        match (self.shut_until(now), self.state) {
            (Some(until), _) => Err(until),
            (None, State::Closed { .. }) => Ok(Entry::Ordinary),
            // A probe whose time is over has lost its caller; the next one takes its place.
            (None, State::Open { .. } | State::Probing { .. }) => {
                self.state = State::Probing { until: deadline };
                Ok(Entry::Probe)
            }
        }
    }

    /// The server answered.
    pub(super) fn answered(&mut self) {
        if !matches!(self.state, State::Closed { failures: 0 }) {
            *self = Self::new();
        }
    }

    /// A call failed through the server's fault.
    pub(super) fn failed(&mut self, entry: Entry, now: Instant) {
        match (entry, self.state) {
            (Entry::Ordinary, State::Closed { failures }) if failures + 1 < FAILURES => {
                self.state = State::Closed {
                    failures: failures + 1,
                };
            }
            (Entry::Ordinary, State::Closed { .. }) | (Entry::Probe, State::Probing { .. }) => {
                self.open(now);
            }
            // A call that was let through before the breaker opened says nothing new.
            _ => {}
        }
    }

    /// A call ended without saying anything of the server: it was dropped, or never sent.
    pub(super) fn abandoned(&mut self, entry: Entry, now: Instant) {
        if let (Entry::Probe, State::Probing { .. }) = (entry, self.state) {
            self.state = State::Open { until: now };
        }
    }

    fn open(&mut self, now: Instant) {
        let wait = self.waits.next().unwrap_or(LONGEST_WAIT);
        self.state = State::Open { until: now + wait };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A breaker that `FAILURES` calls have opened, and until when.
    fn opened(now: Instant) -> (Breaker, Instant) {
        let mut breaker = Breaker::new();
        for _ in 0..FAILURES {
            assert_eq!(breaker.admit(now, now), Ok(Entry::Ordinary));
            breaker.failed(Entry::Ordinary, now);
        }
        let until = breaker.shut_until(now).unwrap();
        (breaker, until)
    }

    #[test]
    fn failures_in_a_row_open_it_and_one_answer_between_them_does_not() {
        let now = Instant::now();
        let mut breaker = Breaker::new();
        for _ in 0..10 {
            breaker.failed(Entry::Ordinary, now);
            breaker.failed(Entry::Ordinary, now);
            breaker.answered();
        }
        assert_eq!(breaker.shut_until(now), None);
        let (_, until) = opened(now);
        assert!((FIRST_WAIT..=2 * FIRST_WAIT).contains(&(until - now)));
    }

    #[test]
    fn half_open_lets_one_call_through_and_its_end_decides() {
        let (mut breaker, until) = opened(Instant::now());
        let deadline = until + Duration::from_mins(1);
        assert_eq!(breaker.admit(until, deadline), Ok(Entry::Probe));
        assert_eq!(breaker.admit(until, deadline), Err(deadline));
        breaker.failed(Entry::Probe, until);
        let again = breaker.shut_until(until).unwrap();
        assert!((2 * FIRST_WAIT..=4 * FIRST_WAIT).contains(&(again - until)));
        assert_eq!(breaker.admit(again, deadline), Ok(Entry::Probe));
        breaker.answered();
        assert_eq!(breaker.admit(again, deadline), Ok(Entry::Ordinary));
        assert_eq!(breaker.admit(again, deadline), Ok(Entry::Ordinary));
    }

    #[test]
    fn a_probe_that_is_dropped_leaves_the_place_to_the_next() {
        let (mut breaker, until) = opened(Instant::now());
        let deadline = until + Duration::from_mins(1);
        assert_eq!(breaker.admit(until, deadline), Ok(Entry::Probe));
        breaker.abandoned(Entry::Probe, until);
        assert_eq!(breaker.admit(until, deadline), Ok(Entry::Probe));
    }

    #[test]
    fn stragglers_do_not_lengthen_the_wait() {
        let now = Instant::now();
        let (mut breaker, until) = opened(now);
        breaker.failed(Entry::Ordinary, now);
        breaker.abandoned(Entry::Ordinary, now);
        assert_eq!(breaker.shut_until(now), Some(until));
    }

    #[test]
    fn waits_double_to_five_minutes_and_no_further() {
        let (mut breaker, mut now) = opened(Instant::now());
        let mut longest = Duration::ZERO;
        for _ in 0..50 {
            breaker.admit(now, now).unwrap();
            breaker.failed(Entry::Probe, now);
            let until = breaker.shut_until(now).unwrap();
            longest = longest.max(until - now);
            now = until;
        }
        assert!((LONGEST_WAIT..=2 * LONGEST_WAIT).contains(&longest));
    }
}
