//! The states of an agent, by the names that people, logs and scripts see.

use std::fmt;

pub use crate::config::DialogKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the screen and the evidence say an agent is doing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A turn runs.
    Working,
    /// The prompt is empty, and nothing runs.
    Idle,
    /// Somebody's text stands in the prompt.
    Draft,
    /// A message waits behind the turn that runs.
    Queued,
    /// A command, a file edit, a plan, a tool or an API key waits for a yes.
    Approval,
    /// It asks whether it may work in this folder.
    Trust,
    /// It asks the person something.
    Question,
    /// It has reached a usage limit.
    Limit,
    /// A call of its model failed, and it tries again by itself.
    Retrying,
    /// A call of its model failed, and it has given up; its prompt is back.
    Failed,
    /// It asks for a login.
    Login,
    /// It shortens its conversation.
    Compacting,
    /// Its prompt is empty, but work goes on behind it.
    Background,
    /// A panel is open: help, models, a transcript, other sessions.
    Menu,
    /// It has exited, was killed or is suspended: a shell, or nobody, is in front.
    Ended,
    /// It cannot be told.
    Unknown,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Working,
        Self::Idle,
        Self::Draft,
        Self::Queued,
        Self::Approval,
        Self::Trust,
        Self::Question,
        Self::Limit,
        Self::Retrying,
        Self::Failed,
        Self::Login,
        Self::Compacting,
        Self::Background,
        Self::Menu,
        Self::Ended,
        Self::Unknown,
    ];

    /// The word for it, in JSON and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Idle => "idle",
            Self::Draft => "draft",
            Self::Queued => "queued",
            Self::Approval => "approval",
            Self::Trust => "trust",
            Self::Question => "question",
            Self::Limit => "limit",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
            Self::Login => "login",
            Self::Compacting => "compacting",
            Self::Background => "background",
            Self::Menu => "menu",
            Self::Ended => "ended",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it waits for its next text: the only states in which a nudge may be typed. One whose call has
    /// failed waits like one that is done.
    pub const fn takes_nudge(self) -> bool {
        matches!(self, Self::Idle | Self::Failed)
    }

    /// Whether it shows that a turn runs, or would run on by itself.
    pub const fn is_busy(self) -> bool {
        matches!(
            self,
            Self::Working | Self::Queued | Self::Retrying | Self::Compacting
        )
    }

    /// Whether a dialog is open, in which a key is an answer.
    pub const fn is_dialog(self) -> bool {
        matches!(
            self,
            Self::Approval | Self::Trust | Self::Question | Self::Login | Self::Menu
        )
    }

    /// Whether it needs no model to know what to do about it.
    pub const fn decides_itself(self) -> bool {
        matches!(
            self,
            Self::Working
                | Self::Limit
                | Self::Retrying
                | Self::Compacting
                | Self::Background
                | Self::Ended
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_json() {
        for state in State::ALL {
            assert_eq!(
                serde_json::to_value(state).unwrap(),
                state.as_str(),
                "{state}"
            );
        }
    }

    #[test]
    fn a_nudge_is_typed_in_no_state_that_is_busy_or_a_dialog() {
        for state in State::ALL.into_iter().filter(|state| state.takes_nudge()) {
            assert!(!state.is_busy() && !state.is_dialog(), "{state}");
        }
    }
}
