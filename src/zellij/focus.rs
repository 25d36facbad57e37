//! Shows a pane to whoever is attached to its session. Presses no key.
//!
//! `focus-pane-id` looks like the action for this, but moves the focus of the client that asks for it (0.45.1), which
//! is over then. Going to a tab and stepping through its panes moves the attached terminals.

use std::time::Duration;

use super::client::Order;
use super::{Zellij, ZellijError};
use crate::ids::{PaneAddress, PaneId, SessionName};

/// The most panes of a tab that are stepped through.
const MOST_STEPS: usize = 24;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focused {
    /// An attached terminal has it in focus.
    Shown,
    /// Its tab is shown, but another pane of it has the focus.
    InTab,
    /// No terminal is attached to the session.
    Unattended,
}

impl Zellij {
    /// Shows `pane` in the terminals that are attached to its session.
    pub async fn focus(&self, pane: &PaneAddress) -> Result<Focused, ZellijError> {
        let session = &pane.session;
        let listed = self.pane(pane, Duration::ZERO).await?;
        if self.looked_at(session).await?.is_empty() {
            return Ok(Focused::Unattended);
        }
        if let Some(tab) = listed.tab_id {
            self.act(session, "go-to-tab-by-id", &[&tab.to_string()])
                .await?;
        }
        for _ in 0..MOST_STEPS {
            if self.looked_at(session).await?.contains(&pane.pane) {
                return Ok(Focused::Shown);
            }
            self.act(session, "focus-next-pane", &[]).await?;
        }
        Ok(Focused::InTab)
    }

    /// The panes that the attached terminals have in focus.
    async fn looked_at(&self, session: &SessionName) -> Result<Vec<PaneId>, ZellijError> {
        let said = self.act(session, "list-clients", &[]).await?;
        Ok(clients(&String::from_utf8_lossy(&said)))
    }

    async fn act(
        &self,
        session: &SessionName,
        action: &str,
        args: &[&str],
    ) -> Result<Vec<u8>, ZellijError> {
        let order = Order::on_session("showing a pane in", session, action, args.iter().copied());
        self.client.run(&order).await
    }
}

/// The second column of `list-clients`; what is no terminal's pane is left out.
fn clients(said: &str) -> Vec<PaneId> {
    let rows = said.lines().skip(1);
    rows.filter_map(|row| row.split_whitespace().nth(1)?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_panes_in_focus_are_read() {
        let said = "CLIENT_ID ZELLIJ_PANE_ID RUNNING_COMMAND\n\
                    1         terminal_3     fake-claude terminal_9\n\
                    2         plugin_2       zellij:link\n\
                    3         terminal_12    bash\n";
        let expected = ["3", "12"].map(|id| id.parse().unwrap());
        assert_eq!(clients(said), expected);
        assert_eq!(clients(""), []);
    }
}
