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
/// How often zellij is asked what the pane shows before a key, where it does not say, and how often for a key
/// that it did not take in.
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
    let placing = Placing {
        zellij,
        pane,
        text,
        terms,
    };
    let typing = match placing.place(ended).await {
        Ok(typing) => typing,
        Err(Halt::Nothing(why)) => return refused(why),
        Err(Halt::Placed(why)) => return left_over(why),
    };
    let sent = match unless(ended, typing.echoed(timing)).await {
        Ok(()) => typing.send(ended).await,
        halt => halt,
    };
    match sent {
        Ok(()) => typing.proof().await,
        Err(Halt::Nothing(why) | Halt::Placed(why)) => left_over(why),
    }
}

/// What comes of `reading` after our text was placed, unless the typing is ended first.
async fn unless(
    ended: &CancellationToken,
    reading: impl Future<Output = Result<(), Halt>>,
) -> Result<(), Halt> {
    tokio::select! {
        biased;
        () = ended.cancelled() => Err(Halt::Placed("it was stopped before Enter".into())),
        read = reading => read,
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

struct Placing<'a> {
    zellij: &'a Zellij,
    pane: &'a PaneAddress,
    text: &'a str,
    terms: Terms,
}

impl<'a> Placing<'a> {
    /// Types the text, if it may be typed.
    async fn place(self, ended: &CancellationToken) -> Result<Transaction<'a>, Halt> {
        let mut why = String::new();
        for _ in 0..LOOKS {
            let sight = tokio::select! {
                biased;
                () = ended.cancelled() => Err("it was stopped before the first key".to_owned()),
                sight = evidence::look(self.zellij, self.pane, None) => {
                    sight.map_err(|error| error.to_string())
                }
            };
            let sight = sight.map_err(Halt::Nothing)?;
            let permit = policy::permit(self.terms.clone(), &sight)
                .map_err(|refusal| Halt::Nothing(refusal.to_string()))?;
            match self.zellij.place(self.pane, self.text).await {
                Ok(()) => {
                    return Ok(Transaction {
                        zellij: self.zellij,
                        pane: self.pane,
                        text: self.text,
                        permit,
                    });
                }
                // nothing reached the pane: it is looked at anew, and then the same is safe
                Err(error) if error.did_nothing() => why = error.to_string(),
                // a call that timed out may still be carried out once zellij goes on
                Err(error) if error.is_transient() => return Err(Halt::Placed(error.to_string())),
                Err(error) => return Err(Halt::Nothing(error.to_string())),
            }
        }
        Err(Halt::Nothing(why))
    }
}

/// A text that was typed under a permit.
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

    /// Waits until the prompt holds exactly our text, and pauses.
    async fn echoed(&self, timing: &Timing) -> Result<(), Halt> {
        let end = Instant::now() + timing.echo_timeout_sec.duration();
        loop {
            let why = match self.look().await {
                Ok(sight) => match self.permit.enter(self.text, &sight) {
                    Ok(()) => {
                        sleep(timing.enter_pause_sec.duration()).await;
                        return Ok(());
                    }
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

    /// Reads once more right before Enter.
    async fn ready(&self) -> Result<(), Halt> {
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
    async fn send(&self, ended: &CancellationToken) -> Result<(), Halt> {
        let mut why = String::new();
        for _ in 0..LOOKS {
            unless(ended, self.ready()).await?;
            match self.zellij.press(self.pane, Key::Enter).await {
                Ok(()) => return Ok(()),
                // nothing reached the pane: it is looked at anew, and then the same is safe
                Err(error) if error.did_nothing() => why = error.to_string(),
                Err(error) => return Err(Halt::Placed(error.to_string())),
            }
        }
        Err(Halt::Placed(why))
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
