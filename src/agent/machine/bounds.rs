//! What was spent, counted against the bounds of the agent.

use super::{Machine, Moment};

impl Machine {
    pub(super) fn nudges_this_hour(&self, now: Moment) -> u32 {
        let hour_ago = now.wall - chrono::TimeDelta::hours(1);
        let recent = self
            .counters
            .nudges
            .iter()
            .filter(|at| **at > hour_ago)
            .count();
        u32::try_from(recent).unwrap_or(u32::MAX)
    }

    pub(super) fn calls_today(&self, now: Moment) -> u32 {
        if self.counters.day == Some(now.wall.date_naive()) {
            self.counters.calls
        } else {
            0
        }
    }

    pub(super) fn tokens_today(&self, now: Moment) -> u64 {
        if self.counters.day == Some(now.wall.date_naive()) {
            self.counters.tokens
        } else {
            0
        }
    }

    /// Begins a new count on a new day, and forgets nudges that are older than an hour.
    pub(super) fn roll_day(&mut self, now: Moment) {
        let today = now.wall.date_naive();
        if self.counters.day != Some(today) {
            self.counters.day = Some(today);
            self.counters.calls = 0;
            self.counters.tokens = 0;
        }
        let hour_ago = now.wall - chrono::TimeDelta::hours(1);
        while self
            .counters
            .nudges
            .front()
            .is_some_and(|at| *at <= hour_ago)
        {
            self.counters.nudges.pop_front();
        }
    }
}
