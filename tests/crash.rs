//! The program itself, ended at any moment and begun again: nothing is lost, nothing is submitted twice.
//!
//! A supervisor process runs on a zellij session of the test's own. A server of the test's own plays the
//! model: each of its instructions carries a number of its own, so that every text can be told apart. What is
//! submitted to a pane is written down by the program that runs there.
//!
//! `MO_SEED` chooses the moments, `MO_KILLS` how many there are, and `MO_UNSENT` how many of them must have
//! fallen between a text and its Enter.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test fails by panicking, makes its own files and says what it measured"
)]

mod common;

#[path = "crash/ending.rs"]
mod ending;
#[path = "crash/found.rs"]
mod found;
#[path = "crash/kills.rs"]
mod kills;
#[path = "crash/memory.rs"]
mod memory;
#[path = "crash/model.rs"]
mod model;
#[path = "crash/moments.rs"]
mod moments;
#[path = "crash/pane.rs"]
mod pane;
#[path = "crash/run.rs"]
mod run;
