//! Writes an answer into the field of a dialog, submits it, and sees that the dialog closed.
//!
//! Before the text the field must be open and empty, before the key that submits it it must hold exactly the text;
//! both are read right before. Nothing is written twice, and nothing is taken back: what stays is reported.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::answer::closed;
use super::{Answer, Halt, PROOF, READ_EVERY, Reach, Seen, left_over, unless};
use crate::director::policy::{self, Refusal, Terms};
use crate::evidence::Sight;
use crate::record::Receipt;
use crate::screen::profile::Submit;

/// The same as [`into`], after the key that opens the field.
pub(super) async fn opened(
    reach: &Reach,
    answer: &Answer,
    text: &str,
    terms: &Terms,
    ended: &CancellationToken,
) -> Receipt {
    match into(reach, answer, text, terms, ended).await {
        // a key was pressed
        Receipt::Refused { why } => Receipt::Unproven {
            why: format!("its field for words was opened, and nothing written: {why}"),
            left_over: false,
        },
        receipt => receipt,
    }
}

/// Writes `text` into the field of the dialog, and submits it. `ended` is heeded before each key.
pub(super) async fn into(
    reach: &Reach,
    answer: &Answer,
    text: &str,
    terms: &Terms,
    ended: &CancellationToken,
) -> Receipt {
    let entry = Entry {
        reach,
        answer,
        terms,
        ended,
        text,
    };
    match entry.place().await {
        Ok(()) => {}
        Err(Halt::Nothing(why)) => return Receipt::Refused { why },
        Err(Halt::Placed(why)) => return left_over(why),
    }
    let submitted = match entry.echoed().await {
        Ok(()) => entry.submit().await,
        Err(halt) => Err(halt),
    };
    match submitted {
        Ok(gap) => closed(reach, answer, gap, Some(text)).await,
        Err(halt) => left_over(halt.why()),
    }
}

/// An answer that is being written.
struct Entry<'a> {
    reach: &'a Reach,
    answer: &'a Answer,
    terms: &'a Terms,
    ended: &'a CancellationToken,
    text: &'a str,
}

impl Entry<'_> {
    /// What is seen right now, and whether the field holds exactly `text`.
    async fn holds(&self, text: &str) -> Result<(Sight, Result<(), Refusal>), Halt> {
        let looked = unless(self.ended, async {
            let sight = self.reach.look_surely(None, Some(self.text)).await;
            sight.map_err(|error| Halt::Placed(error.to_string()))
        });
        let sight = looked.await?;
        let Answer {
            by, dialog, choice, ..
        } = self.answer;
        let judged = policy::written(self.terms, by, dialog, *choice, text, &sight);
        Ok((sight, judged))
    }

    /// Puts the text into the field, once it is open and empty.
    async fn place(&self) -> Result<(), Halt> {
        let end = Instant::now() + PROOF;
        loop {
            let looked = self.holds("").await;
            // nothing of ours is there yet
            let (_, judged) = looked.map_err(|halt| Halt::Nothing(halt.why()))?;
            let why = match judged {
                Ok(()) => {
                    let write = self.answer.dialog.typing.write;
                    match self.reach.write(write, self.text).await {
                        Ok(()) => return Ok(()),
                        // nothing reached the pane: it is looked at anew, and then the same is safe
                        Err(error) if error.did_nothing() => error.to_string(),
                        Err(error) => return Err(Halt::Placed(error.to_string())),
                    }
                }
                Err(refusal) if refusal.may_pass() => refusal.to_string(),
                Err(refusal) => return Err(Halt::Nothing(refusal.to_string())),
            };
            if Instant::now() >= end {
                return Err(Halt::Nothing(why));
            }
            sleep(READ_EVERY).await;
        }
    }

    /// Waits until the field holds exactly our text, and pauses.
    async fn echoed(&self) -> Result<(), Halt> {
        self.reach.echoed(|| self.ready()).await
    }

    /// Reads once more and presses the key that submits it. Tells how long that took.
    async fn submit(&self) -> Result<Duration, Halt> {
        let Submit::Enter = self.answer.dialog.typing.submit;
        self.reach.enter(|| self.ready()).await
    }

    /// Whether the field holds exactly our text, right now.
    async fn ready(&self) -> Seen {
        match self.holds(self.text).await {
            Ok((sight, judged)) => Seen::judged(&sight, judged),
            Err(halt) => Seen::Never(halt),
        }
    }
}
