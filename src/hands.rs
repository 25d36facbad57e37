//! Types a text into a pane as a transaction, and says what became of it.
//!
//! The only caller of zellij's keys. Nothing is typed without a [`Permit`] for what is seen right now; Enter
//! follows only when the prompt holds exactly our text; the receipt says whether the text left the prompt. It
//! never clears a prompt, never presses Escape, never types a text twice. `agent` calls it, after the intent is
//! on record.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::config::Timing;
use crate::director::policy::{self, Permit, Refusal, Terms};
use crate::evidence::{self, Sight};
use crate::ids::PaneAddress;
use crate::record::Receipt;
use crate::zellij::{Key, Zellij, ZellijError};

/// How often the pane is read while something is awaited.
const READ_EVERY: Duration = Duration::from_millis(120);
/// How often zellij is asked before Enter what the pane shows, where it does not say.
const LOOKS: u32 = 3;
/// How long a prompt may take to let go of our text after Enter.
const PROOF: Duration = Duration::from_secs(3);

/// Types `text` into `pane` under `terms`, and presses Enter. `ended` is heeded at once at any moment before
/// each key.
///
/// Takes at most the echo deadline, the pause, three seconds of proof and the deadlines of zellij's calls.
pub async fn deliver(
    zellij: &Zellij,
    pane: &PaneAddress,
    text: &str,
    terms: Terms,
    timing: &Timing,
    ended: &CancellationToken,
) -> Receipt {
    let refused = |why: String| Receipt::Refused { why };
    let sight = tokio::select! {
        biased;
        () = ended.cancelled() => return refused("it was stopped before the first key".into()),
        sight = evidence::look(zellij, pane, None) => sight,
    };
    let permit = match sight {
        Ok(sight) => policy::permit(terms, &sight),
        Err(error) => return refused(error.to_string()),
    };
    let permit = match permit {
        Ok(permit) => permit,
        Err(refusal) => return refused(refusal.to_string()),
    };
    let typing = Transaction {
        zellij,
        pane,
        text,
        permit,
    };
    match typing.place().await {
        Ok(()) => {}
        Err(Halt::Nothing(why)) => return refused(why),
        Err(Halt::Placed(why)) => return left_over(why),
    }
    let ready = tokio::select! {
        biased;
        () = ended.cancelled() => Err(Halt::Placed("it was stopped before Enter".into())),
        ready = typing.ready(timing) => ready,
    };
    let sent = match ready {
        Ok(()) => typing.send().await,
        halt => halt,
    };
    match sent {
        Ok(()) => typing.proof().await,
        Err(Halt::Nothing(why) | Halt::Placed(why)) => left_over(why),
    }
}

fn left_over(why: String) -> Receipt {
    Receipt::Unproven {
        why,
        left_over: true,
    }
}

/// Why a transaction goes no further.
enum Halt {
    /// Nothing was typed.
    Nothing(String),
    /// The text may stand in the prompt.
    Placed(String),
}

struct Transaction<'a> {
    zellij: &'a Zellij,
    pane: &'a PaneAddress,
    text: &'a str,
    permit: Permit,
}

impl Transaction<'_> {
    async fn look(&self) -> Result<Sight, ZellijError> {
        evidence::look(self.zellij, self.pane, Some(self.permit.before())).await
    }

    async fn place(&self) -> Result<(), Halt> {
        match self.zellij.place(self.pane, self.text).await {
            Ok(()) => Ok(()),
            // a call that timed out may still be carried out once zellij goes on
            Err(error) if error.is_transient() => Err(Halt::Placed(error.to_string())),
            Err(error) => Err(Halt::Nothing(error.to_string())),
        }
    }

    /// Waits until the prompt holds exactly our text.
    async fn echoed(&self, deadline: Duration) -> Result<(), Halt> {
        let end = Instant::now() + deadline;
        loop {
            let why = match self.look().await {
                Ok(sight) => match self.permit.enter(self.text, &sight) {
                    Ok(()) => return Ok(()),
                    Err(Refusal::NotOurText) => Refusal::NotOurText.to_string(),
                    Err(refusal) => return Err(Halt::Placed(refusal.to_string())),
                },
                Err(error) => error.to_string(),
            };
            if Instant::now() >= end {
                return Err(Halt::Placed(why));
            }
            sleep(READ_EVERY).await;
        }
    }

    /// Waits until the prompt holds our text, pauses, and reads once more right before Enter.
    async fn ready(&self, timing: &Timing) -> Result<(), Halt> {
        self.echoed(timing.echo_timeout_sec.duration()).await?;
        sleep(timing.enter_pause_sec.duration()).await;
        let placed = |why: String| Halt::Placed(why);
        let mut looked = self.look().await;
        for _ in 1..LOOKS {
            // no key depends on an answer that is missing: asking once more is safe
            if !looked.as_ref().is_err_and(ZellijError::is_transient) {
                break;
            }
            sleep(READ_EVERY).await;
            looked = self.look().await;
        }
        let sight = looked.map_err(|error| placed(error.to_string()))?;
        self.permit
            .enter(self.text, &sight)
            .map_err(|refusal| placed(refusal.to_string()))
    }

    /// Presses Enter: between the last look and this nothing can be excluded, so nothing else is done.
    async fn send(&self) -> Result<(), Halt> {
        self.zellij
            .press(self.pane, Key::Enter)
            .await
            .map_err(|error| Halt::Placed(error.to_string()))
    }

    /// Waits until the prompt has let go of our text.
    async fn proof(&self) -> Receipt {
        let end = Instant::now() + PROOF;
        loop {
            let why = match self.look().await {
                Ok(sight) => {
                    let before = self.permit.before();
                    if !sight
                        .prompt
                        .is_some_and(|prompt| prompt.holds(before, self.text))
                    {
                        return Receipt::Delivered;
                    }
                    "the text still stands in the prompt after Enter".to_owned()
                }
                Err(error) => error.to_string(),
            };
            if Instant::now() >= end {
                return left_over(why);
            }
            sleep(READ_EVERY).await;
        }
    }
}
