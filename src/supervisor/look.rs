//! What a person looks at: an agent's pane as it is now, its decisions and its reviews, from the logs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::{Supervisor, blocking};
use crate::error::Failure;
use crate::ids::AgentId;
use crate::record::logs::ReadBack;
use crate::record::{DecisionLine, Review};
use crate::zellij::{Dump, Focused};

/// A pane as it shows itself at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaneShot {
    /// Whose.
    pub id: AgentId,
    /// When.
    pub at: DateTime<Utc>,
    /// Its columns.
    pub columns: u32,
    /// Its rows.
    pub rows: u32,
    /// What can be seen, with its styling as escape sequences: another program's text, not to be sent to a
    /// terminal as it is.
    pub styled: String,
}

impl Supervisor {
    /// What an agent's pane shows now.
    ///
    /// # Errors
    /// When there is no such agent, its pane is gone, or zellij does not answer.
    pub async fn screen(&self, id: &AgentId) -> Result<PaneShot, Failure> {
        let address = self.with(id, |post| post.address.clone())?;
        let zellij = &self.inner.zellij;
        // a pane that is gone shows a blank screen: only the list tells
        let fresh_within = Duration::from_secs(1);
        let (listed, styled) = tokio::join!(
            zellij.pane(&address, fresh_within),
            zellij.dump(&address, Dump::Styled),
        );
        let (listed, styled) = (listed?, styled?);
        Ok(PaneShot {
            id: id.clone(),
            at: Utc::now(),
            columns: listed.size.0,
            rows: listed.size.1,
            styled,
        })
    }

    /// Shows an agent's pane in zellij to whoever is attached to its session, and tells where that is.
    ///
    /// # Errors
    /// When there is no such agent, its pane is gone, or zellij does not answer.
    pub async fn focus(&self, id: &AgentId) -> Result<String, Failure> {
        let address = self.with(id, |post| post.address.clone())?;
        let zellij = &self.inner.zellij;
        let focused = zellij.focus(&address).await?;
        let (session, pane) = (&address.session, address.pane);
        let is_here = zellij.own_pane().is_some_and(|own| own.session == *session);
        Ok(match focused {
            Focused::Shown if is_here => format!("{id}: {pane} is shown"),
            Focused::Shown => format!("{id}: {pane} is shown in the session `{session}`"),
            Focused::InTab => {
                format!("{id}: the tab of {pane} is shown; the focus did not follow")
            }
            Focused::Unattended => format!(
                "{id}: it is {pane} in the session `{session}`, to which no terminal is attached; `zellij attach {session}` leads there"
            ),
        })
    }

    /// Every step of one decision of an agent, in order: that of the memo `memo`, or the newest.
    ///
    /// # Errors
    /// When there is no such agent, or its log cannot be read.
    pub async fn decision(
        &self,
        id: &AgentId,
        memo: Option<String>,
    ) -> Result<ReadBack<Vec<DecisionLine>>, Failure> {
        let logs = self.with(id, |post| post.logs.clone())?;
        Ok(blocking(move || logs.decision(memo.as_deref())).await??)
    }

    /// The newest `count` reviews of an agent, the oldest of them first.
    ///
    /// # Errors
    /// When there is no such agent, or its log cannot be read.
    pub async fn reviews(
        &self,
        id: &AgentId,
        count: usize,
    ) -> Result<ReadBack<Vec<Review>>, Failure> {
        let logs = self.with(id, |post| post.logs.clone())?;
        Ok(blocking(move || logs.newest_reviews(count)).await??)
    }
}
