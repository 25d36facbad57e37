//! Types a text into a pane as a transaction, answers dialogs, and says what became of it.
//!
//! The only caller of zellij's keys. Nothing is typed without a [`Permit`] for what is seen right now, given
//! twice, some time apart; Enter follows only when the prompt holds exactly our text and the agent still waits
//! for it; the receipt says what shows that it was taken. It never clears a prompt, never presses Escape, never
//! types a text twice, and presses Enter once more at most, while exactly our text still stands there. `agent`
//! calls it, after the intent is on record.

mod answer;
mod write;

use std::time::Duration;

pub use answer::{Answer, answer};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::config::Timing;
use crate::director::policy::{self, Permit, Refusal, Terms};
use crate::evidence::transcript::{self, Arrival};
use crate::evidence::{self, Care, Reader, Sight};
use crate::ids::PaneAddress;
use crate::record::{Delivery, Receipt};
use crate::screen::profile::Write;
use crate::zellij::{Key, Zellij, ZellijError};

/// How often the pane is read while something is awaited.
const READ_EVERY: Duration = Duration::from_millis(120);
/// How often zellij is asked what the pane shows before a key, where it does not say, and how often for a key
/// that it did not take in.
const LOOKS: u32 = 3;
/// The least time between the two looks of a permit: gaps between two tools of an agent look idle.
const SETTLE: Duration = Duration::from_millis(1_500);
/// How long a prompt may take to let go of our text after Enter.
const PROOF: Duration = Duration::from_secs(3);
/// How long a transcript may take to tell what was sent, after other proof that something was.
const RECORDED: Duration = Duration::from_millis(800);
/// How often Enter is pressed at most.
const ENTERS: u32 = 2;

/// Where keys go, and how what is there is read.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The zellij.
    pub zellij: Zellij,
    /// The pane.
    pub pane: PaneAddress,
    /// Who reads its screens.
    pub reader: Reader,
    /// Deadlines and pauses.
    pub timing: Timing,
}

/// Types `text` under `terms`, and presses Enter. `ended` is heeded at once at any moment before each key.
///
/// Takes at most the time between the two looks, the echo deadline, the pause, twice three seconds of proof and
/// the deadlines of zellij's calls.
pub async fn deliver(
    reach: &Reach,
    text: &str,
    terms: Terms,
    ended: &CancellationToken,
) -> Receipt {
    let receipt = transact(reach, text, terms, ended).await;
    tracing::debug!(%receipt, "over");
    receipt
}

/// The steps of [`deliver`]; each that was taken is told to the diagnostics, for their times.
async fn transact(reach: &Reach, text: &str, terms: Terms, ended: &CancellationToken) -> Receipt {
    let typing = match place(reach, text, terms, ended).await {
        Ok(typing) => typing,
        Err(Halt::Nothing(why)) => return Receipt::Refused { why },
        Err(Halt::Placed(why)) => return left_over(why),
    };
    let echoed = unless(ended, typing.echoed()).await;
    let mut why = match echoed {
        Ok(()) => String::new(),
        Err(halt) => return left_over(halt.why()),
    };
    for presses in 1..=ENTERS {
        let gap = match typing.send(ended).await {
            Ok(gap) => gap,
            // after a first Enter that was not taken: its failure is what is told
            Err(halt) => return left_over(if why.is_empty() { halt.why() } else { why }),
        };
        match typing.proof().await {
            Ok(proof) => {
                let gap_ms = u64::try_from(gap.as_millis()).unwrap_or(u64::MAX);
                return Receipt::Delivered(Delivery {
                    proof,
                    presses,
                    gap_ms,
                });
            }
            Err(Unproven::StillThere) => {
                "the text still stands in the prompt after Enter".clone_into(&mut why);
            }
            Err(Unproven::Unknown(why)) => return left_over(why),
            Err(Unproven::Sent(why)) => {
                return Receipt::Unproven {
                    why,
                    left_over: false,
                };
            }
        }
    }
    left_over(why)
}

/// What comes of `doing`, unless the typing is ended first.
async fn unless<T>(
    ended: &CancellationToken,
    doing: impl Future<Output = Result<T, Halt>>,
) -> Result<T, Halt> {
    tokio::select! {
        biased;
        () = ended.cancelled() => Err(Halt::Placed("it was stopped before Enter".into())),
        done = doing => done,
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

impl Halt {
    fn why(self) -> String {
        match self {
            Self::Nothing(why) | Self::Placed(why) => why,
        }
    }
}

/// Why it is not known that a text was taken.
enum Unproven {
    StillThere,
    /// It was sent, but not as it is.
    Sent(String),
    Unknown(String),
}

/// The permit to type what `terms` say, from two looks some time apart.
async fn permit(reach: &Reach, terms: Terms) -> Result<(Permit, Write), String> {
    let said = |error: &ZellijError| error.to_string();
    let first = reach.look_surely(None, None).await;
    let first = first.map_err(|error| said(&error))?;
    let permit = policy::permit(terms, &first).map_err(|refusal| refusal.to_string())?;
    sleep(reach.timing.settle_sec.duration().max(SETTLE)).await;
    let second = reach.look_surely(None, None).await;
    let second = second.map_err(|error| said(&error))?;
    let permit = permit
        .again(&second)
        .map_err(|refusal| refusal.to_string())?;
    Ok((permit, second.typing.write))
}

/// Types the text, if it may be typed.
async fn place<'a>(
    reach: &'a Reach,
    text: &'a str,
    terms: Terms,
    ended: &CancellationToken,
) -> Result<Transaction<'a>, Halt> {
    let mut why = String::new();
    for _ in 0..LOOKS {
        let permit = tokio::select! {
            biased;
            () = ended.cancelled() => Err("it was stopped before the first key".to_owned()),
            permit = permit(reach, terms.clone()) => permit,
        };
        let (permit, write) = permit.map_err(Halt::Nothing)?;
        tracing::debug!("permit");
        match reach.write(write, text).await {
            Ok(()) => {
                tracing::debug!("placed");
                return Ok(Transaction {
                    reach,
                    text,
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

impl Reach {
    /// A close look.
    async fn look(
        &self,
        permit: Option<&Permit>,
        ours: Option<&str>,
    ) -> Result<Sight, ZellijError> {
        let before = permit.map(Permit::before);
        let care = Care::Close(before, ours);
        // on the heap: it is part of every wait of a transaction
        Box::pin(evidence::look(&self.zellij, &self.pane, &self.reader, care)).await
    }

    /// A close look, asked for again where zellij does not say: no key depends on an answer that is missing. Before
    /// anything was typed nobody waits for more than one deadline.
    async fn look_surely(
        &self,
        permit: Option<&Permit>,
        ours: Option<&str>,
    ) -> Result<Sight, ZellijError> {
        let mut looked = self.look(permit, ours).await;
        for _ in 1..LOOKS {
            let again = looked.as_ref().is_err_and(|error| {
                error.is_transient() && !(error.is_timeout() && ours.is_none())
            });
            if !again {
                break;
            }
            sleep(READ_EVERY).await;
            looked = self.look(permit, ours).await;
        }
        looked
    }
}

/// What a look says of the key that sends what was typed.
enum Seen {
    /// It may be pressed.
    Ready {
        /// How long the agent wants the pause before it to be at least.
        pause: Duration,
        /// When the look began.
        read_from: std::time::Instant,
    },
    /// Not now; why.
    NotYet(String),
    /// It must not be pressed any more.
    Never(Halt),
}

impl Seen {
    fn judged(sight: &Sight, judged: Result<(), Refusal>) -> Self {
        match judged {
            Ok(()) => Self::Ready {
                pause: Duration::from_millis(sight.typing.pause_ms),
                read_from: sight.read_from,
            },
            Err(refusal) if refusal.may_pass() => Self::NotYet(refusal.to_string()),
            Err(refusal) => Self::Never(Halt::Placed(refusal.to_string())),
        }
    }
}

/// What a prompt and a dialog's field have in common; what is looked at, and what must be so, is the caller's.
impl Reach {
    async fn write(&self, write: Write, text: &str) -> Result<(), ZellijError> {
        match write {
            Write::Chars => self.zellij.place(&self.pane, text).await,
            Write::Paste => self.zellij.paste(&self.pane, text).await,
        }
    }

    /// Looks until what was typed stands there as it must, and pauses.
    async fn echoed<Look>(&self, look: impl Fn() -> Look) -> Result<(), Halt>
    where
        Look: Future<Output = Seen>,
    {
        let end = Instant::now() + self.timing.echo_timeout_sec.duration();
        loop {
            let why = match look().await {
                Seen::Ready { pause, .. } => {
                    sleep(self.timing.enter_pause_sec.duration().max(pause)).await;
                    return Ok(());
                }
                Seen::NotYet(why) => why,
                Seen::Never(halt) => return Err(halt),
            };
            if Instant::now() >= end {
                return Err(Halt::Placed(why));
            }
            sleep(READ_EVERY).await;
        }
    }

    /// Looks once more and presses Enter: between the last look and this nothing can be excluded, so nothing else is
    /// done. Tells how long that took.
    async fn enter<Look>(&self, look: impl Fn() -> Look) -> Result<Duration, Halt>
    where
        Look: Future<Output = Seen>,
    {
        let mut why = String::new();
        for _ in 0..LOOKS {
            let read_from = match look().await {
                Seen::Ready { read_from, .. } => read_from,
                Seen::NotYet(refusal) => {
                    why = refusal;
                    sleep(READ_EVERY).await;
                    continue;
                }
                Seen::Never(halt) => return Err(halt),
            };
            match self.zellij.press(&self.pane, Key::Enter).await {
                Ok(()) => {
                    tracing::debug!("enter");
                    return Ok(read_from.elapsed());
                }
                // nothing reached the pane: it is looked at anew, and then the same is safe
                Err(error) if error.did_nothing() => why = error.to_string(),
                Err(error) => return Err(Halt::Placed(error.to_string())),
            }
        }
        Err(Halt::Placed(why))
    }
}

/// A text that was typed under a permit.
struct Transaction<'a> {
    reach: &'a Reach,
    text: &'a str,
    permit: Permit,
}

impl Transaction<'_> {
    /// Waits until the prompt holds exactly our text, and pauses.
    async fn echoed(&self) -> Result<(), Halt> {
        let look = || async {
            match self.reach.look(Some(&self.permit), Some(self.text)).await {
                Ok(sight) => self.judged(&sight),
                Err(error) => Seen::NotYet(error.to_string()),
            }
        };
        self.reach.echoed(look).await
    }

    /// Reads once more and presses Enter. Tells how long that took.
    async fn send(&self, ended: &CancellationToken) -> Result<Duration, Halt> {
        let look = || async {
            let looked = unless(ended, async {
                let (permit, text) = (Some(&self.permit), Some(self.text));
                let sight = self.reach.look_surely(permit, text).await;
                sight.map_err(|error| Halt::Placed(error.to_string()))
            });
            match looked.await {
                Ok(sight) => self.judged(&sight),
                Err(halt) => Seen::Never(halt),
            }
        };
        self.reach.enter(look).await
    }

    fn judged(&self, sight: &Sight) -> Seen {
        Seen::judged(sight, self.permit.enter(self.text, sight))
    }

    /// Waits for what shows that the text was taken. Where there is a transcript, it has the last word for a while:
    /// only it tells whether somebody's letters went along.
    async fn proof(&self) -> Result<String, Unproven> {
        let end = Instant::now() + PROOF;
        let mut seen: Option<(String, Instant)> = None;
        loop {
            let unproven = match self.reach.look(Some(&self.permit), Some(self.text)).await {
                Ok(sight) => match self.on_record(&sight).await {
                    Some(Arrival::Taken | Arrival::Queued) => {
                        return Ok("the transcript has it".into());
                    }
                    Some(Arrival::Mixed) => {
                        let why = "it was sent with something else that stood in the prompt";
                        return Err(Unproven::Sent(why.into()));
                    }
                    None => match self.permit.proof(self.text, &sight) {
                        Some(proof) => {
                            let since = seen.get_or_insert_with(|| (proof, Instant::now()));
                            if self.permit.said().is_none() || since.1.elapsed() >= RECORDED {
                                return Ok(since.0.clone());
                            }
                            Unproven::Unknown("the transcript does not have it".into())
                        }
                        None if self.permit.enter(self.text, &sight).is_ok() => {
                            Unproven::StillThere
                        }
                        None => Unproven::Unknown(format!(
                            "nothing shows that it was taken; its state is {}",
                            sight.state()
                        )),
                    },
                },
                Err(error) => Unproven::Unknown(error.to_string()),
            };
            if Instant::now() >= end {
                return seen.map(|(proof, _)| proof).ok_or(unproven);
            }
            sleep(READ_EVERY).await;
        }
    }

    /// How the agent's transcript has our text as its user's word, new since the permit.
    async fn on_record(&self, sight: &Sight) -> Option<Arrival> {
        let path = match &sight.own.registry {
            Ok(entry) => entry.transcript.as_deref(),
            Err(_) => None,
        };
        let (path, mark) = (path?, self.permit.said()?);
        let arrived = transcript::user_record_since(path, mark, self.text).await;
        arrived.ok().flatten()
    }
}
