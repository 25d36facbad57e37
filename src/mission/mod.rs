//! Missions: a goal as tasks that a machine can check, worked on by agents, verified, merged.
//!
//! [`plan`] is what a person writes and says yes to, [`schedule`] tells which of its tasks may start, [`names`]
//! what everything of a mission is called, [`receipt`] what the run of a criterion came to; all pure.
//! [`worktree`] keeps the folders and branches that tasks are worked on in, [`merge`] brings results together,
//! [`guard`] finds judges that the judged have changed.

pub mod guard;
pub mod merge;
pub mod names;
pub mod plan;
pub mod receipt;
pub mod schedule;
#[cfg(test)]
mod testing;
pub mod worktree;
