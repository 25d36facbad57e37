//! The TUI: a console to live in.

pub mod detail;
pub mod input;
pub mod pane;
pub mod scroll;
pub mod terminal;
pub mod theme;
pub mod view;
