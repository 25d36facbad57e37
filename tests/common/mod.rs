//! What several integration tests share.
#![allow(dead_code, reason = "each test uses a part of it")]

pub mod agents;
pub mod model;
pub mod supervisor;
pub mod zellij;
