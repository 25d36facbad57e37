//! Reviews: gathering what a reviewer needs, and keeping what it wrote.

use super::asked::{Asked, Pending};
use super::{Supervisor, blocking};
use crate::agent::Ended;
use crate::director::ReviewError;
use crate::error::{Failure, Kind};
use crate::ids::{AgentId, PaneAddress};
use crate::record::logs::Written;
use crate::record::{Review, VERSION};
use crate::screen::{Screen, tail};
use crate::zellij::Dump;

/// What came of a review.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The review.
    pub review: Review,
    /// Whether its instruction waits for a yes.
    pub waits: bool,
}

impl Supervisor {
    /// Has the review backend audit an agent: minutes. Where it is `asked` for, its instruction waits for a yes
    /// there.
    ///
    /// # Errors
    /// When there is no such agent, or the backend does not answer.
    pub async fn review(&self, id: &AgentId, asked: Option<&Asked>) -> Result<Finished, Failure> {
        let handle = self.handle(id)?;
        let address = self.with(id, |post| post.address.clone())?;
        let (budget, chars) = {
            let state = self.inner.state.lock().await;
            (
                state.config.review.memo_chars,
                state.config.review.pane_chars,
            )
        };
        let mut situation = {
            let ended = |_: Ended| Failure::new(Kind::Failed, format!("{id} was ended meanwhile"));
            let brief = handle.brief(chars).await.map_err(ended)?;
            let mut situation = brief.situation;
            situation.pane = self.pane_text(&address, chars, brief.seen_lately).await;
            situation
        };
        let (logs, session) = (
            self.with(id, |post| post.logs.clone())?,
            self.inner.session.clone(),
        );
        let reader = logs.clone();
        situation.memos = blocking(move || reader.memos_within(&session, budget))
            .await??
            .found;
        let director = self.inner.director.borrow().clone();
        let reviewed = director
            .review(&situation)
            .await
            .map_err(|error| match error {
                ReviewError::NoBackend => Failure::from_error(Kind::Usage, &error)
                    .hint("set `reviewBackend` to a `gemini` or `openaiCompat` backend"),
                ReviewError::Empty => Failure::from_error(Kind::Failed, &error),
                ReviewError::Backend(error) => error.into(),
            })?;
        let review = Review {
            v: VERSION,
            ts: chrono::Utc::now(),
            session_id: self.inner.session.clone(),
            by: reviewed.by,
            text: reviewed.text,
            instruction: reviewed.instruction,
            tokens: reviewed.tokens,
        };
        logs.append(Written::review(&review)).await?;
        let is_there = self.with(id, |post| post.address == address) == Ok(true);
        // not in place of another question: the person may be about to answer that one
        let waits = match (asked.filter(|_| is_there), &review.instruction) {
            (Some(asked), Some(text)) => asked.ask_if_free(Pending::Send(id.clone(), text.clone())),
            _ => false,
        };
        Ok(Finished { review, waits })
    }

    /// The end of the pane with its scrollback; where a program has none, what was seen of it lately.
    async fn pane_text(&self, address: &PaneAddress, chars: usize, seen_lately: String) -> String {
        let full = self.inner.zellij.dump(address, Dump::Full).await;
        let full = full.unwrap_or_default();
        let full = Screen::read(&full);
        let longer = if full.text().chars().count() >= seen_lately.chars().count() {
            full.text()
        } else {
            &seen_lately
        };
        tail(longer, chars).to_owned()
    }
}
