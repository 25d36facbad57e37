//! The kinds of dialog that ask for a yes, by the names that rules and people use.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a dialog asks a yes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DialogKind {
    /// To run a command.
    Command,
    /// To write or change a file.
    FileEdit,
    /// To go on by a plan.
    Plan,
    /// To use a tool: fetch, search, another server's.
    Tool,
    /// To use an API key that was found.
    ApiKey,
}

impl DialogKind {
    /// The word for it, in the configuration and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::FileEdit => "fileEdit",
            Self::Plan => "plan",
            Self::Tool => "tool",
            Self::ApiKey => "apiKey",
        }
    }
}

impl fmt::Display for DialogKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}
