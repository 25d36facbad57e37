//! One supervised agent.
pub mod machine;
pub mod view;
