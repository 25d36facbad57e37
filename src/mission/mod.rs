//! Missions: a goal as tasks that a machine can check, worked on by agents, verified, merged.
//!
//! [`plan`] is what a person writes and says yes to, [`schedule`] tells which of its tasks may start, [`names`]
//! what everything of a mission is called, [`receipt`] what the run of a criterion came to, [`brief`] what a
//! worker is told, [`report`] what it answers. What happened is in a [`journal`]; the [`machine`] is what follows
//! from it, and tells what is to be done next. All of these are pure.
//!
//! [`folder`] is where a mission is on the disk, [`ledger`] what its workers spent, [`view`] what others see of it. [`worktree`] keeps the folders
//! and branches that tasks are worked on in, [`worker`] the agents that work there, [`verify`] runs criteria,
//! [`guard`] finds judges that the judged have changed, [`merge`] brings results together. A task for each mission
//! carries it out; [`missions`] has them all. `command` calls that, and nothing here prints.

pub mod account;
pub mod brief;
mod coordinator;
pub mod folder;
pub mod guard;
pub mod journal;
pub mod ledger;
pub mod machine;
mod markdown;
pub mod merge;
pub mod missions;
pub mod names;
pub mod plan;
pub mod planner;
pub mod ready;
pub mod receipt;
pub mod records;
pub mod report;
pub mod schedule;
pub mod verify;
pub mod view;
pub mod worker;
pub mod worktree;

#[cfg(test)]
mod testing;
