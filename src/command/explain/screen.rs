//! Explains one screen by itself, without zellij: what the profiles make of it, and which of them knows it.
//!
//! Pure: the text and the profiles are handed in. `ui` reads the file and prints what comes out.

use std::fmt::Write as _;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::super::reply::Frame;
use crate::error::Failure;
use crate::evidence::GENERIC;
use crate::ids::Kind;
use crate::screen::profile::Profiles;
use crate::screen::prompt::Cursor;
use crate::screen::recognise::{Reading, Shown, in_general, recognise};
use crate::screen::state::State;
use crate::screen::styled;
use crate::screen::told::Told;

/// A dump of a pane's screen, and what is known of the pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dumped {
    /// The dump, plain or with styling as escape sequences.
    pub text: String,
    /// How many cells the pane is wide; where it is not known, its longest row tells.
    pub columns: Option<usize>,
    /// The terminal's cursor, where it is known and to be seen.
    pub cursor: Option<Cursor>,
}

/// What one screen says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScreenExplained {
    /// The kind of agent by whose profile it was read; `None` where no profile knows it.
    pub kind: Option<String>,
    /// Whether the kind was found by trying every profile.
    pub tried: bool,
    /// The other profiles that also make something of it, with the state that they see.
    pub others: Vec<Other>,
    /// Whether the dump has styling: without it a placeholder cannot always be told from a draft.
    pub styled: bool,
    /// How many cells it was taken to be wide.
    pub columns: usize,
    /// Whether only two screens, apart in time, tell that such an agent does not work.
    pub two_screens: bool,
    /// What it says.
    #[serde(flatten)]
    pub told: Told,
}

/// Another profile that makes something of the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Other {
    /// Of which kind.
    pub kind: String,
    /// What it sees.
    pub state: State,
}

/// Explains a screen by the profile of `kind`, or by the one that knows it best.
///
/// # Errors
/// When there is no such kind: the failure lists those that there are.
pub fn explain(
    dumped: &Dumped,
    kind: Option<&Kind>,
    profiles: &Profiles,
) -> Result<ScreenExplained, Failure> {
    let is_styled = dumped.text.contains('\u{1b}');
    let shown = shown(dumped, is_styled);
    let explained = |kind: Option<String>, reading: &Reading, others, tried| {
        let profile = kind.as_deref().and_then(|kind| kind.parse().ok());
        let profile = profile.and_then(|kind: Kind| profiles.get(&kind).cloned());
        ScreenExplained {
            two_screens: profile.is_some_and(|profile| profile.file().two_screens),
            kind,
            tried,
            others,
            styled: is_styled,
            columns: shown.columns,
            told: Told::from(reading),
        }
    };
    match kind {
        Some(kind) if kind.as_str() == GENERIC => {
            let reading = in_general(&shown, None, None);
            Ok(explained(Some(GENERIC.into()), &reading, Vec::new(), false))
        }
        Some(kind) => {
            let profile = profiles.get(kind).ok_or_else(|| unknown(kind, profiles))?;
            let reading = recognise(profile, &shown);
            Ok(explained(
                Some(kind.to_string()),
                &reading,
                Vec::new(),
                false,
            ))
        }
        None => {
            let (best, others) = best(&shown, profiles);
            let others = others.into_iter().map(|(kind, reading)| Other {
                kind,
                state: reading.state,
            });
            let Some((kind, reading)) = best else {
                let reading = in_general(&shown, None, None);
                let reading = reading.but(State::Unknown, "no profile knows this screen");
                return Ok(explained(None, &reading, Vec::new(), true));
            };
            Ok(explained(Some(kind), &reading, others.collect(), true))
        }
    }
}

fn unknown(kind: &Kind, profiles: &Profiles) -> Failure {
    let kinds = profiles.kinds().map(ToString::to_string);
    let kinds: Vec<String> = kinds.chain([GENERIC.to_owned()]).collect();
    Failure::usage(format!("there is no kind of agent `{kind}`"))
        .hint(format!("there are: {}", kinds.join(", ")))
}

fn shown(dumped: &Dumped, is_styled: bool) -> Shown {
    /// No pane is narrower, however little stands in it.
    const LEAST: usize = 20;
    let columns = dumped.columns.unwrap_or_else(|| {
        let plain = styled::text(&dumped.text);
        let longest = plain.lines().map(UnicodeWidthStr::width).max();
        longest.unwrap_or_default().max(LEAST)
    });
    let read = if is_styled {
        Shown::styled
    } else {
        Shown::plain
    };
    read(&dumped.text, columns, dumped.cursor)
}

type Fit = (String, Reading);

/// The profile that knows the screen best, and the others that make something of it: a rule that rests on lines
/// of the screen counts more than a prompt with some text in it, which many would see; and a prompt with its
/// frame more than a line that looks like work.
fn best(shown: &Shown, profiles: &Profiles) -> (Option<Fit>, Vec<Fit>) {
    let readings = profiles.kinds().filter_map(|kind| {
        let reading = recognise(profiles.get(kind)?, shown);
        Some((kind.to_string(), reading))
    });
    let known = readings.filter(|(_, reading)| reading.state != State::Unknown);
    let mut fits: Vec<Fit> = known.collect();
    // a stable sort: of two that fit as well, the first in the alphabet
    fits.sort_by_key(|(_, reading)| std::cmp::Reverse(weight(reading)));
    let mut fits = fits.into_iter();
    (fits.next(), fits.collect())
}

fn weight(reading: &Reading) -> usize {
    let state = match reading.state {
        State::Draft => 0,
        // lines alone, which another program may write as well
        state if state.is_busy() && reading.prompt.is_none() => 0,
        state if state.is_dialog() && reading.dialog.is_none() => 1,
        _ => 2,
    };
    let prompt = usize::from(reading.prompt.is_some());
    let dialog = usize::from(reading.dialog.is_some());
    state * 100 + dialog * 100 + prompt * 250 + reading.lines.len()
}

/// All of it, for a person.
pub fn words(explained: &ScreenExplained, frame: &Frame) -> String {
    let kind = match (&explained.kind, explained.tried) {
        (Some(kind), false) => kind.clone(),
        (Some(kind), true) => format!("{kind} (found by trying every profile)"),
        (None, _) => {
            "none of the profiles knows this screen; `--kind generic` reads it by what prompts look like in general"
                .to_owned()
        }
    };
    let mut text = format!("{}\n  kind: {kind}", explained.told.state);
    if !explained.others.is_empty() {
        let others = explained.others.iter();
        let others = others.map(|other| format!("{} ({})", other.kind, other.state));
        let others: Vec<String> = others.collect();
        let _ = write!(
            text,
            "\n  others make something of it too: {}",
            others.join(", ")
        );
    }
    let styling = if explained.styled { "with" } else { "without" };
    let _ = write!(text, "\n  {} columns, {styling} styling", explained.columns);
    super::on_screen(&mut text, &explained.told, frame);
    let nudge = match &explained.told.why_not {
        None => "yes, as far as one screen tells".to_owned(),
        Some(why) => format!("no, {why}"),
    };
    let _ = write!(text, "\n\nWould nudge: {nudge}");
    if explained.two_screens && explained.told.takes_nudge {
        text.push_str(
            "\n  of such an agent, only two screens apart in time tell that it does not work",
        );
    }
    text.push('\n');
    text
}
