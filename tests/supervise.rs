//! The supervisor on real zellij sessions: scripted programs in the panes, a scripted model behind HTTP.
//!
//! Each check of a rule about typing has a control, which shows what the key would have done without it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes its own files"
)]

mod common;

#[path = "supervise/guards.rs"]
mod guards;
#[path = "supervise/looking.rs"]
mod looking;
#[path = "supervise/nudging.rs"]
mod nudging;
#[path = "supervise/process.rs"]
mod process;
#[path = "supervise/servers.rs"]
mod servers;
#[path = "supervise/trouble.rs"]
mod trouble;
