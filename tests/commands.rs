//! The program end to end, as a person or a script uses it: the binary on real zellij sessions, commands on its
//! stdin.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, makes its own files and starts the program"
)]

#[path = "commands/bell.rs"]
mod bell;
mod common;
#[path = "commands/dialogs.rs"]
mod dialogs;
#[path = "commands/explains.rs"]
mod explains;
#[path = "commands/files.rs"]
mod files;
#[path = "commands/holds.rs"]
mod holds;
#[path = "commands/hostile.rs"]
mod hostile;
#[path = "commands/missions.rs"]
mod missions;
#[path = "commands/model.rs"]
mod model;
#[path = "commands/past.rs"]
mod past;
#[path = "commands/person.rs"]
mod person;
#[path = "commands/program.rs"]
mod program;
#[path = "commands/roster.rs"]
mod roster;
#[path = "commands/start.rs"]
mod start;
#[path = "commands/trust.rs"]
mod trust;
