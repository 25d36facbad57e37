//! A mission: one goal as tasks whose completion a machine can check.
//!
//! [`plan`] is what a person writes and corrects, with everything that can be known to be wrong with it before
//! anything runs; [`schedule`] says what may start now, and why something may not. Both are pure. Nothing here
//! runs a command of a plan.

pub mod plan;
pub mod schedule;
