//! What a person sees and types: the only place that touches the terminal.
//!
//! It decides nothing about agents and reads no pane: it turns what is typed into commands and shows what
//! comes back. `main.rs` calls it, and nothing else does.

pub mod demo_agent;
