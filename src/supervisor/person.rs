//! What a person says to an agent beside replies: answers to its dialogs, holds, and the question why.

use std::time::Duration;

use chrono::{DateTime, Local, TimeDelta, Utc};
use tokio::time::timeout;

use super::Supervisor;
use crate::agent::Handle;
use crate::agent::machine::{Explanation, Wish};
use crate::error::{Failure, Kind};
use crate::ids::AgentId;
use crate::record::Receipt;
use crate::screen::state::State;

/// How long an agent may take, after a no, to stand at its empty prompt.
const PROMPT: Duration = Duration::from_secs(30);

impl Supervisor {
    /// Says yes to the dialog that an agent has open, or chooses the option that is named.
    ///
    /// # Errors
    /// When there is no such agent, or the key was not pressed or its end not seen.
    pub async fn approve(&self, id: &AgentId, option: Option<String>) -> Result<String, Failure> {
        self.answer_with(id, Wish::Approve(option)).await
    }

    /// Chooses the option that is named.
    ///
    /// # Errors
    /// When there is no such agent, or the key was not pressed or its end not seen.
    pub async fn answer(&self, id: &AgentId, option: String) -> Result<String, Failure> {
        self.answer_with(id, Wish::Choose(option)).await
    }

    /// Says no to the dialog that an agent has open, and tells the agent `text` once it stands at its prompt.
    ///
    /// # Errors
    /// When there is no such agent, the key was not pressed or its end not seen, or the text was not delivered.
    pub async fn deny(&self, id: &AgentId, text: Option<String>) -> Result<String, Failure> {
        let denied = self.answer_with(id, Wish::Deny).await?;
        let Some(text) = text else {
            return Ok(denied);
        };
        let not_told = |failure: Failure| {
            Failure::new(
                failure.kind,
                format!("{denied}; but the text was not delivered"),
            )
            .because(&failure)
            .hint(format!("`/reply {id} ...` when it stands at its prompt"))
        };
        let handle = self.handle(id)?;
        at_its_prompt(id, &handle).await.map_err(not_told)?;
        let told = self.reply(id, text).await.map_err(not_told)?;
        Ok(format!("{denied}; {told}"))
    }

    async fn answer_with(&self, id: &AgentId, wish: Wish) -> Result<String, Failure> {
        let not_answered = |message: String| Failure::new(Kind::NotDelivered, message);
        let handle = self.handle(id)?;
        let receipt = handle.answer(wish).await.map_err(|_| {
            not_answered(format!(
                "{id} was ended meanwhile: it is not known whether its dialog was answered"
            ))
            .hint("look at its pane")
        })?;
        match receipt {
            Receipt::Delivered(_) => {
                let chosen = handle.view().last_decision.clone();
                if let Ok(state) = self.changing().await {
                    let _ = self.change(&state, id, "answered", |_| {}).await;
                }
                Ok(format!("{id}: {chosen}"))
            }
            Receipt::Refused { why } => Err(not_answered(format!(
                "no key was pressed in {id}'s dialog: {why}"
            ))
            .hint(format!("`/explain {id}` shows its dialog and the options"))),
            Receipt::Observed => Err(not_answered(format!(
                "no key was pressed in {id}'s dialog: it is only observed"
            ))),
            Receipt::Unproven { why, .. } => Err(not_answered(format!(
                "it is not known whether {id}'s dialog was answered: {why}"
            ))
            .hint("look at its pane; the key is not pressed again")),
        }
    }

    /// Holds every nudge to an agent, for so many minutes or until it is released.
    ///
    /// # Errors
    /// When there is no such agent.
    pub async fn hold(&self, id: &AgentId, minutes: Option<u32>) -> Result<String, Failure> {
        let until = minutes.map(|minutes| Utc::now() + TimeDelta::minutes(minutes.into()));
        let held = self.handle(id)?.hold(until).await;
        held.map_err(|error| self.has_ended(id, error))?;
        Ok(match until {
            Some(until) => format!("nudges to {id} are held until {}", local(until)),
            None => format!("nudges to {id} are held; `/release {id}` ends that"),
        })
    }

    /// Takes the hold of an agent back.
    ///
    /// # Errors
    /// When there is no such agent.
    pub async fn release(&self, id: &AgentId) -> Result<String, Failure> {
        let released = self.handle(id)?.release().await;
        released.map_err(|error| self.has_ended(id, error))?;
        Ok(format!("nudges to {id} are no longer held"))
    }

    /// What is known of an agent, what would be done now and why.
    ///
    /// # Errors
    /// When there is no such agent, or it is not watched.
    pub async fn explain(&self, id: &AgentId) -> Result<Explanation, Failure> {
        let explained = self.handle(id)?.explain().await;
        explained.map_err(|error| self.has_ended(id, error))
    }
}

fn local(at: DateTime<Utc>) -> String {
    at.with_timezone(&Local).format("%H:%M").to_string()
}

/// Waits until a look that came after now shows the agent at its prompt. That alone permits nothing: the reply
/// looks for itself.
async fn at_its_prompt(id: &AgentId, handle: &Handle) -> Result<(), Failure> {
    let mut views = handle.watch();
    let before = handle.view().polls;
    let prompt = views.wait_for(|view| {
        let stands = matches!(view.state, Some(State::Idle | State::Failed));
        view.polls > before && stands
    });
    let state = match timeout(PROMPT, prompt).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(_)) => None,
        Err(_) => handle.view().state,
    };
    let state = state.map_or("unknown", State::as_str);
    Err(Failure::new(
        Kind::NotDelivered,
        format!(
            "{id} did not come to stand at its prompt within {} s; its state is {state}",
            PROMPT.as_secs()
        ),
    ))
}
