//! meta-orchestrator: supervises coding agents in zellij panes, and never presses a wrong key.

pub mod config;
pub mod error;
pub mod ids;
pub mod store;
