//! Missions: a goal as tasks that a machine can check, worked on by agents, verified, merged.
//!
//! [`plan`] is what a person writes and says yes to, [`schedule`] tells which of its tasks may start, [`names`]
//! what everything of a mission is called, [`receipt`] what the run of a criterion came to; all pure. [`worker`]
//! opens workers in panes and speaks to them through the supervisor.

pub mod names;
pub mod plan;
pub mod receipt;
pub mod schedule;
pub mod worker;
