//! The TUI in a real terminal: a pane of a zellij session, typed to by keys and read as text.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test fails by panicking, and makes its own files"
)]

mod common;

#[path = "tui/attached.rs"]
mod attached;
#[path = "tui/desk.rs"]
mod desk;
#[path = "tui/guard.rs"]
mod guard;
#[path = "tui/picture.rs"]
mod picture;
#[path = "tui/program.rs"]
mod program;
#[path = "pictures/svg.rs"]
mod svg;
