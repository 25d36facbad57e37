//! Each way in which a key can do harm, against the real supervisor in real zellij; and beside it a control in
//! which the same key, without the guard, does the harm.
//!
//! The agent is `tests/agents/fake_claude.rs`: the captured screens of Claude Code 2.1.197, read by the shipped
//! profile, over an agent that really runs what its keys allow. A control presses the keys as plain zellij
//! would, or takes away what the guard goes by.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes its own files"
)]

mod common;

#[path = "harm/approvals.rs"]
mod approvals;
#[path = "harm/ended.rs"]
mod ended;
#[path = "harm/quoted.rs"]
mod quoted;
#[path = "harm/stage.rs"]
mod stage;
#[path = "harm/texts.rs"]
mod texts;
