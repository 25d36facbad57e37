//! What several integration tests share.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

pub mod agents;
pub mod model;
pub mod supervisor;
pub mod zellij;
