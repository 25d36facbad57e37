
pub mod config;
pub mod error;
pub mod host;
pub mod ids;
