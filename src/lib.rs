//! meta-orchestrator: supervises coding agents in zellij panes, and never presses a wrong key.

pub mod agent;
pub mod command;
pub mod config;
pub mod director;
pub mod error;
pub mod evidence;
pub mod hands;
pub mod host;
pub mod http;
pub mod ids;
pub mod llm;
pub mod record;
pub mod screen;
pub mod store;
pub mod supervisor;
pub mod ui;
pub mod zellij;
