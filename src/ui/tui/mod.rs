//! The TUI: a console to live in.

pub mod input;
pub mod pane;
pub mod scroll;
pub mod terminal;
