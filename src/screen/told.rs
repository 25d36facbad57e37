//! A reading of a screen as it is told to people and scripts: with stable names in JSON.
//!
//! Words for what [`recognise`](super::recognise) found; decides nothing. `agent::machine` and `command` use it.

use serde::{Deserialize, Serialize};

use super::recognise::{Dialog, Line, Reading};
use super::state::State;

/// What a screen says, and whether it alone speaks against a nudge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// What the agent seems to be doing.
    pub state: State,
    /// Which rule decided.
    pub rule: String,
    /// The lines that it rests on.
    pub lines: Vec<Line>,
    /// Its prompt, where one is found.
    pub prompt: Option<PromptTold>,
    /// The dialog that is open, where its options could be read.
    pub dialog: Option<Dialog>,
    /// Whether this screen alone speaks against no nudge.
    pub takes_nudge: bool,
    /// Why it does, where it does.
    pub why_not: Option<String>,
}

/// A prompt, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PromptTold {
    /// What somebody typed into it; empty where it waits for a text.
    pub draft: String,
    /// Whether only styling, which was not there, could tell a placeholder from a draft.
    pub unsure: bool,
}

impl From<&Reading> for Told {
    fn from(reading: &Reading) -> Self {
        let prompt = reading.prompt.as_ref().map(|prompt| PromptTold {
            draft: prompt.draft.clone(),
            unsure: prompt.unsure,
        });
        Self {
            state: reading.state,
            rule: reading.rule.clone(),
            lines: reading.lines.clone(),
            dialog: reading.dialog.clone(),
            takes_nudge: reading.takes_nudge(),
            why_not: why_not(reading.state, prompt.as_ref()),
            prompt,
        }
    }
}

/// What of a screen speaks against a nudge.
fn why_not(state: State, prompt: Option<&PromptTold>) -> Option<String> {
    if state.is_dialog() {
        return Some(format!("its state is {state}: a person answers"));
    }
    if !state.takes_nudge() {
        return Some(format!("its state is {state}"));
    }
    match prompt {
        None => Some("no prompt is to be seen".into()),
        Some(prompt) if !prompt.draft.is_empty() => {
            Some("somebody's text stands in the prompt".into())
        }
        Some(prompt) if prompt.unsure => {
            Some("what stands in the prompt may be a placeholder or somebody's text".into())
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::recognise::{Shown, in_general};
    use super::*;

    #[test]
    fn what_speaks_against_a_nudge_is_told_exactly_where_something_does() {
        for (screen, state, why_not) in [
            ("● done\n> ", State::Idle, None),
            ("● done\n> half", State::Draft, Some("its state is draft")),
            (
                "Continue? [y/N]",
                State::Question,
                Some("its state is question: a person answers"),
            ),
            ("● done", State::Unknown, Some("its state is unknown")),
        ] {
            let last = screen.lines().last().unwrap_or_default();
            let cursor = super::super::prompt::Cursor {
                column: last.chars().count(),
                row: screen.lines().count() - 1,
            };
            let cursor = (state != State::Unknown).then_some(cursor);
            let reading = in_general(&Shown::plain(screen, 80, cursor), None, None);
            let told = Told::from(&reading);
            assert_eq!(
                (told.state, told.why_not.as_deref()),
                (state, why_not),
                "{screen}"
            );
            assert_eq!(told.takes_nudge, told.why_not.is_none(), "{screen}");
        }
    }
}
