//! Answers a dialog: presses exactly the key of one option, and sees that the dialog closed.
//!
//! Where the answer is in words, or is a letter that waits for Enter, [`super::write`] writes it into the dialog's
//! field. The dialog is read again right before the key and must be the one that was judged. A key that may have reached
//! the pane is never pressed again: an answer whose end is not seen is unproven, and the person is told.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Halt, LOOKS, PROOF, READ_EVERY, Reach, unless, write};
use crate::director::authority::Authority;
use crate::director::policy::{self, Terms};
use crate::evidence::Sight;
use crate::record::{Delivery, Receipt};
use crate::screen::profile::Press;
use crate::screen::recognise::Dialog;
use crate::zellij::{Key, ZellijError};

/// What a dialog is to be answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The dialog as it was judged.
    pub dialog: Dialog,
    /// Which of its choices, from 0.
    pub choice: usize,
    /// What is written into the field that the option opens, where it opens one: one line of plain text.
    pub words: Option<String>,
    /// On whose word. A rule answers approvals alone, and never with "always".
    pub by: Authority,
}

/// Presses the key of the option, and waits for the dialog to close. `ended` is heeded before each key.
pub async fn answer(
    reach: &Reach,
    answer: &Answer,
    terms: &Terms,
    ended: &CancellationToken,
) -> Receipt {
    let letter = option_key(answer).map(String::from);
    match (&answer.words, answer.dialog.press, letter) {
        (Some(words), Press::Key, _) => match choose(reach, answer, terms, ended).await {
            Ok(_) => write::opened(reach, answer, words, terms, ended).await,
            Err(receipt) => receipt,
        },
        (None, Press::KeyEnter, Some(letter)) => {
            write::into(reach, answer, &letter, terms, ended).await
        }
        (None, Press::Key | Press::UpDown | Press::LeftRight, _) => {
            match choose(reach, answer, terms, ended).await {
                Ok(gap) => closed(reach, answer, gap, None).await,
                Err(receipt) => receipt,
            }
        }
        (Some(_), ..) | (None, Press::KeyEnter, None) => Receipt::Refused {
            why: "this dialog takes no such answer".into(),
        },
    }
}

/// Presses the key of the option, once. Tells how long that took from the last look.
async fn choose(
    reach: &Reach,
    answer: &Answer,
    terms: &Terms,
    ended: &CancellationToken,
) -> Result<Duration, Receipt> {
    let refused = |why: String| Receipt::Refused { why };
    if matches!(answer.dialog.press, Press::UpDown | Press::LeftRight) {
        let selected = select(reach, answer, terms, ended).await;
        selected.map_err(|halt| refused(halt.why()))?;
    }
    let mut why = String::new();
    for _ in 0..LOOKS {
        let began = Instant::now();
        let key = unless(ended, judged(reach, answer, terms)).await;
        let key = key.map_err(|halt| refused(halt.why()))?;
        match reach.zellij.press(&reach.pane, key).await {
            Ok(()) => return Ok(began.elapsed()),
            // nothing reached the pane: it is looked at anew, and then the same is safe
            Err(error) if error.did_nothing() => why = error.to_string(),
            Err(error) => {
                return Err(Receipt::Unproven {
                    why: error.to_string(),
                    left_over: false,
                });
            }
        }
    }
    Err(refused(why))
}

/// The key of the option, where it has one.
fn option_key(answer: &Answer) -> Option<char> {
    let choice = answer.dialog.choices.get(answer.choice)?;
    choice.key.filter(|key| Key::option(*key).is_some())
}

/// What is seen right now, if the dialog that was judged is open there and may be answered so.
async fn open(reach: &Reach, answer: &Answer, terms: &Terms) -> Result<Sight, Halt> {
    let sight = reach
        .look_surely(None, None)
        .await
        .map_err(|error| Halt::Nothing(error.to_string()))?;
    policy::answer(terms, &answer.by, &answer.dialog, answer.choice, &sight)
        .map_err(|refusal| Halt::Nothing(refusal.to_string()))?;
    Ok(sight)
}

/// The key to press, if it may be pressed into what is seen right now.
async fn judged(reach: &Reach, answer: &Answer, terms: &Terms) -> Result<Key, Halt> {
    let sight = open(reach, answer, terms).await?;
    key(answer, &sight).map_err(Halt::Nothing)
}

/// The key that chooses the option, as things are.
fn key(answer: &Answer, sight: &Sight) -> Result<Key, String> {
    let choice = sight
        .reading
        .dialog
        .as_ref()
        .and_then(|dialog| dialog.choices.get(answer.choice));
    let choice = choice.ok_or("the option is not there any more")?;
    match answer.dialog.press {
        Press::Key => choice
            .key
            .and_then(Key::option)
            .ok_or_else(|| "the option has no key".into()),
        Press::KeyEnter => Err("the option's key is written, not pressed".into()),
        Press::UpDown | Press::LeftRight if choice.selected == Some(true) => Ok(Key::Enter),
        Press::UpDown | Press::LeftRight => Err("the option is not the selected one".into()),
    }
}

/// Moves the selection to the option, a step at a time, and reads after each.
async fn select(
    reach: &Reach,
    answer: &Answer,
    terms: &Terms,
    ended: &CancellationToken,
) -> Result<(), Halt> {
    let (back, forth) = match answer.dialog.press {
        Press::LeftRight => (Key::Left, Key::Right),
        Press::Key | Press::KeyEnter | Press::UpDown => (Key::Up, Key::Down),
    };
    for _ in 0..=answer.dialog.choices.len() {
        let at = unless(ended, selected(reach, answer, terms)).await?;
        if at == answer.choice {
            return Ok(());
        }
        let key = if at < answer.choice { forth } else { back };
        match reach.zellij.press(&reach.pane, key).await {
            Err(error) if error.did_nothing() => continue,
            pressed => pressed.map_err(|error| Halt::Nothing(error.to_string()))?,
        }
        let end = Instant::now() + PROOF;
        while unless(ended, selected(reach, answer, terms)).await? == at {
            if Instant::now() >= end {
                return Err(Halt::Nothing("the selection does not move".into()));
            }
            sleep(READ_EVERY).await;
        }
    }
    Err(Halt::Nothing(
        "the selection does not reach the option".into(),
    ))
}

/// Which option is selected.
async fn selected(reach: &Reach, answer: &Answer, terms: &Terms) -> Result<usize, Halt> {
    let sight = open(reach, answer, terms).await?;
    let dialog = sight.reading.dialog.as_ref();
    dialog
        .and_then(|dialog| {
            dialog
                .choices
                .iter()
                .position(|choice| choice.selected == Some(true))
        })
        .ok_or_else(|| Halt::Nothing("the screen does not show which option is selected".into()))
}

/// Waits until the dialog that was answered is no longer there, seen twice; `written` was written into its field.
pub(super) async fn closed(
    reach: &Reach,
    answer: &Answer,
    gap: Duration,
    written: Option<&str>,
) -> Receipt {
    let end = Instant::now() + PROOF;
    let mut gone = 0;
    let mut left_over = false;
    loop {
        let why = match reach.look_surely(None, None).await {
            Ok(sight) => {
                let reading = &sight.reading;
                let field = reading.field.as_ref();
                let in_field = field.filter(|field| field.dialog.is(&answer.dialog));
                let dialog = reading.dialog.as_ref();
                let open = in_field.is_some() || dialog.is_some_and(|it| it.is(&answer.dialog));
                left_over = in_field.is_some_and(|field| written.is_some_and(|it| field.holds(it)));
                gone = if open { 0 } else { gone + 1 };
                "the dialog is still open after its key".to_owned()
            }
            Err(error @ ZellijError::NoSuchPane { .. }) => {
                return Receipt::Unproven {
                    why: error.to_string(),
                    left_over: false,
                };
            }
            Err(error) => error.to_string(),
        };
        if gone >= LOOKS - 1 {
            return Receipt::Delivered(Delivery {
                proof: "the dialog closed".into(),
                presses: 1,
                gap_ms: u64::try_from(gap.as_millis()).unwrap_or(u64::MAX),
            });
        }
        if Instant::now() >= end {
            return Receipt::Unproven { why, left_over };
        }
        sleep(READ_EVERY).await;
    }
}
