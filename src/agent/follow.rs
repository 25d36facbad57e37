//! Those who follow along: they are told that something changed, and what happened.

use tokio::sync::{broadcast, watch};

use crate::record::Event;

/// How many events a reader may fall behind before it loses the oldest.
const EVENTS: usize = 1_024;

/// Who follows along. Clones are the same ones; nobody who tells them something ever waits.
#[derive(Debug, Clone)]
pub struct Followers {
    changes: watch::Sender<u64>,
    events: broadcast::Sender<Event>,
}

impl Default for Followers {
    fn default() -> Self {
        Self {
            changes: watch::Sender::new(0),
            events: broadcast::Sender::new(EVENTS),
        }
    }
}

impl Followers {
    /// Something that can be seen is another than before.
    pub fn changed(&self) {
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Something happened.
    pub fn happened(&self, event: Event) {
        // nobody may be following
        let _ = self.events.send(event);
    }

    /// Wakes whenever something that can be seen has changed; what changed is for the reader to look up.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What happens from now on; a reader that falls behind loses the oldest and is told how many.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }
}
