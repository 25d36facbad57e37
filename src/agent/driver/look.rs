//! One look at an agent's pane, as an event.

use super::super::machine::{Event, Trouble};
use crate::error::in_full;
use crate::evidence::{self, Care};
use crate::hands::Reach;
use crate::zellij::ZellijError;

/// Reads the pane. Its program's end is told by the list of panes: a dump of a pane that is gone is no error.
pub(super) async fn look(reach: &Reach, care: Care<'_>) -> Event {
    match evidence::look(&reach.zellij, &reach.pane, &reach.reader, care).await {
        Ok(sight) if sight.facts.ended => {
            let status = sight
                .facts
                .exit_status
                .map(|status| format!(" with status {status}"));
            let status = status.unwrap_or_default();
            let why = format!("the program in {} has ended{status}", reach.pane);
            Event::Unseen(Trouble::Gone(why))
        }
        Ok(sight) => Event::Seen(Box::new(sight)),
        Err(error) => Event::Unseen(trouble(&error)),
    }
}

fn trouble(error: &ZellijError) -> Trouble {
    match error {
        ZellijError::SessionNotFound { .. } | ZellijError::NoSuchPane { .. } => {
            Trouble::Gone(in_full(error))
        }
        _ => Trouble::NoAnswer(in_full(error)),
    }
}
