//! Draws.

pub mod detail;
