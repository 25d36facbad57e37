//! What a front end was asked and has not answered yet.

use std::fmt;
use std::sync::Mutex;

use super::trust::Held;
use super::{Supervisor, locked, panes};
use crate::error::Failure;
use crate::ids::AgentId;

/// The question that one front end was asked last. Each has its own, so that nobody's yes answers what another
/// was asked, and nobody's other command drops it. Clones of a front end share it.
#[derive(Default)]
pub struct Asked(Mutex<Option<Pending>>);

impl fmt::Debug for Asked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = locked(&self.0).is_some();
        out.debug_struct("Asked").field("waits", &waits).finish()
    }
}

/// What is done on a yes.
pub(super) enum Pending {
    /// Supervise these panes.
    Adopt(Vec<panes::Candidate>),
    /// Type this text.
    Send(AgentId, String),
    /// Let all of the configuration hold; what was shown of it.
    Trust(Held),
}

impl Asked {
    /// Forgets what was asked last: the person went on to something else.
    pub fn drop_question(&self) {
        locked(&self.0).take();
    }

    /// Asks something in place of what was asked before.
    pub(super) fn ask(&self, pending: Pending) {
        *locked(&self.0) = Some(pending);
    }

    /// Asks something unless another question waits: the person may be about to answer that one. Whether it did.
    pub(super) fn ask_if_free(&self, pending: Pending) -> bool {
        let mut asked = locked(&self.0);
        let is_free = asked.is_none();
        if is_free {
            *asked = Some(pending);
        }
        is_free
    }
}

impl Supervisor {
    /// Does what was asked about last.
    ///
    /// # Errors
    /// When nothing was asked, or it cannot be done.
    pub async fn yes(&self, asked: &Asked) -> Result<String, Failure> {
        let pending = locked(&asked.0).take();
        match pending {
            None => Err(Failure::usage("nothing waits for a yes")),
            Some(Pending::Adopt(candidates)) => self.add_candidates(candidates).await,
            Some(Pending::Send(id, text)) => self.reply(&id, text).await,
            Some(Pending::Trust(shown)) => self.trust_all(&shown).await,
        }
    }

    /// Leaves what was asked about last.
    ///
    /// # Errors
    /// When nothing was asked.
    pub fn no(&self, asked: &Asked) -> Result<String, Failure> {
        match locked(&asked.0).take() {
            None => Err(Failure::usage("nothing waits for an answer")),
            Some(_) => Ok("left as it is".to_owned()),
        }
    }
}
