//! Says what an agent is doing, from its screen alone, with the lines on which that rests.
//!
//! A [`Reading`] is what one screen says to one profile: the state, the rule that decided, the prompt and
//! what stands in it, an open dialog. Without a profile the general rules of [`super::prompt`] and
//! [`super::dialog`] read it. Where nothing fits, the state is `unknown`.

mod composer;
mod field;
mod menu;

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};

pub use field::Field;
pub use menu::{Choice, Dialog, Says};

use super::profile::{ClauseSpec, Part, Profile, PromptWant, RuleSpec, Window};
use super::prompt::{self, Cursor, Prompt};
use super::state::State;
use super::{Screen, dialog, styled};
use composer::Composer;

/// A pane as it was dumped.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Its text.
    pub screen: Screen,
    /// Its text without what is faint, where the dump was a styled one.
    pub solid: Option<Screen>,
    /// The styled dump itself, where there is one.
    pub styled: Option<String>,
    /// How many cells it is wide.
    pub columns: usize,
    /// The terminal's cursor; agents may hide it.
    pub cursor: Option<Cursor>,
}

impl Shown {
    /// A plain dump.
    pub fn plain(text: &str, columns: usize, cursor: Option<Cursor>) -> Self {
        Self {
            screen: Screen::read(text),
            solid: None,
            styled: None,
            columns,
            cursor,
        }
    }

    /// A styled dump.
    pub fn styled(dump: &str, columns: usize, cursor: Option<Cursor>) -> Self {
        let (text, solid) = styled::texts(dump);
        Self {
            screen: Screen::read(&text),
            solid: Some(Screen::read(&solid)),
            styled: Some(dump.to_owned()),
            columns,
            cursor,
        }
    }
}

/// A line of a screen on which something rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its row, from 1.
    pub row: usize,
    /// Its text.
    pub text: String,
}

/// What a screen says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What the agent is doing.
    pub state: State,
    /// Which rule decided.
    pub rule: String,
    /// The lines that it rests on.
    pub lines: Vec<Line>,
    /// Its prompt, where one is found.
    pub prompt: Option<Prompt>,
    /// The dialog that is open, where the state is one of a dialog and it could be read.
    pub dialog: Option<Dialog>,
    /// The field of a dialog in which an answer is written, where one is open.
    pub field: Option<Field>,
    /// Its text without what moves and means nothing.
    pub still: String,
    /// What its prompt shows, a placeholder included.
    pub in_prompt: String,
    /// Whether it shows, as the last thing, that the conversation fills the model's context. It says nothing of keys.
    pub context_full: bool,
}

impl Reading {
    /// Whether another reading of the same moment says the same of all by which a key is pressed.
    pub fn agrees(&self, other: &Self) -> bool {
        self.state == other.state
            && self.prompt == other.prompt
            && self.in_prompt == other.in_prompt
            && self.field == other.field
    }

    /// The same screen, known to be in another state.
    #[must_use]
    pub fn but(self, state: State, rule: &str) -> Self {
        Self {
            state,
            rule: rule.into(),
            lines: Vec::new(),
            ..self
        }
    }

    /// Why an agent works of which one still screen shows no sign of it: its text is not the `same` as a moment ago.
    pub const fn works_since(&self, same: bool, two_screens: bool) -> Option<&'static str> {
        if two_screens && self.state.takes_nudge() && !same {
            Some("its text changed since the last look")
        } else {
            None
        }
    }

    /// Whether this screen alone speaks against no nudge.
    pub fn takes_nudge(&self) -> bool {
        self.state.takes_nudge()
            && self
                .prompt
                .as_ref()
                .is_some_and(|prompt| prompt.draft.is_empty() && !prompt.unsure)
    }
}

/// Reads a screen by a profile.
pub fn recognise(profile: &Profile, shown: &Shown) -> Reading {
    with_ours(profile, shown, None)
}

/// Reads a screen by a profile as if its prompt were empty, where exactly `ours` stands in it: so that what goes
/// on beside our own text can be told.
pub fn with_ours(profile: &Profile, shown: &Shown, ours: Option<&str>) -> Reading {
    let composer = Composer::find(profile, shown);
    let holds_ours = ours.is_some_and(|ours| {
        composer
            .as_ref()
            .is_some_and(|composer| composer.prompt.holds(&Prompt::with("", false), ours))
    });
    let view = View::new(profile, shown, composer.as_ref(), holds_ours);
    let rules = &profile.file().rules;
    let decided = rules
        .iter()
        .find_map(|rule| view.holds(rule).map(|rows| (rule, rows)));
    let prompt = composer.as_ref().map(|composer| composer.prompt.clone());
    let in_prompt = composer
        .as_ref()
        .map(|composer| composer.content.clone())
        .unwrap_or_default();
    let still = composer::still(profile, shown, composer.as_ref());
    let Some((rule, rows)) = decided else {
        let filled = prompt
            .as_ref()
            .is_some_and(|prompt| !prompt.draft.is_empty() && !holds_ours);
        let (state, rule) = if filled {
            (State::Draft, "a text stands in the prompt")
        } else {
            (State::Unknown, "no rule of the profile fits")
        };
        let rows = composer.as_ref().filter(|_| filled).map(Composer::rows);
        let lines = view.lines(rows.unwrap_or_default());
        return Reading {
            state,
            rule: rule.into(),
            lines,
            prompt,
            dialog: None,
            field: None,
            still,
            in_prompt,
            context_full: false,
        };
    };
    // a menu asks nothing, and what stands above it may be a dialog of the past
    let asks = rule.state.is_dialog() && rule.state != State::Menu;
    let read = asks.then(|| menu::read(profile, rule, shown));
    let (dialog, field) = read.unwrap_or_default();
    Reading {
        context_full: rule.state.takes_nudge() && view.shows_full_context(),
        state: rule.state,
        rule: rule.name.clone(),
        lines: view.lines(rows),
        // the mark before a dialog's option may look like a prompt
        prompt: prompt.filter(|_| !rule.state.is_dialog()),
        dialog,
        field,
        still,
        in_prompt,
    }
}

/// Reads a screen of a program without a profile, by what dialogs and prompts look like in general. `before` is
/// its prompt as it was a moment ago, `ours` our own text that may stand there now.
pub fn in_general(shown: &Shown, before: Option<&Prompt>, ours: Option<&str>) -> Reading {
    let solid = shown.solid.as_ref().unwrap_or(&shown.screen);
    let find = |screen| prompt::find(screen, shown.columns, shown.cursor, before);
    let prompt = find(solid);
    let in_prompt = find(&shown.screen)
        .map(|prompt| prompt.draft)
        .unwrap_or_default();
    let holds_ours = match (&prompt, before, ours) {
        (Some(prompt), Some(before), Some(ours)) => prompt.holds(before, ours),
        _ => false,
    };
    let (state, rule, line) = match (
        dialog::find_apart_from(&shown.screen, ours.unwrap_or_default()),
        &prompt,
    ) {
        (Some(line), _) => (State::Question, "it looks like a dialog", line.to_owned()),
        (None, None) => (State::Unknown, "no prompt is to be seen", String::new()),
        (None, Some(prompt)) if prompt.draft.is_empty() || holds_ours => {
            (State::Idle, "the prompt is empty", String::new())
        }
        (None, Some(prompt)) => (
            State::Draft,
            "a text stands in the prompt",
            prompt.draft.clone(),
        ),
    };
    let row = shown
        .screen
        .lines()
        .position(|other| !line.is_empty() && other.contains(&line));
    Reading {
        state,
        rule: rule.into(),
        lines: row
            .map(|row| Line {
                row: row + 1,
                text: line,
            })
            .into_iter()
            .collect(),
        prompt,
        dialog: None,
        field: None,
        still: shown.screen.text().to_owned(),
        in_prompt,
        context_full: false,
    }
}

/// A text made of rows of the screen, and which.
struct Text {
    joined: String,
    /// The first row.
    start: usize,
}

/// A screen cut into the parts that the rules look at.
struct View<'a> {
    profile: &'a Profile,
    rows: Vec<&'a str>,
    /// The text of each window of the profile, put together when it is first looked at.
    texts: Vec<OnceCell<Option<Text>>>,
    composer: Option<&'a Composer>,
    /// Whether what stands in the prompt is our own text, and nothing else.
    holds_ours: bool,
}

impl<'a> View<'a> {
    fn new(
        profile: &'a Profile,
        shown: &'a Shown,
        composer: Option<&'a Composer>,
        holds_ours: bool,
    ) -> Self {
        let rows: Vec<&str> = shown.screen.lines().collect();
        let texts = profile.windows().iter().map(|_| OnceCell::new()).collect();
        Self {
            profile,
            rows,
            texts,
            composer,
            holds_ours,
        }
    }

    /// The rows on which `rule` rests, if it holds.
    fn holds(&self, rule: &RuleSpec) -> Option<Vec<usize>> {
        let prompt = self.composer.map(|composer| &composer.prompt);
        let is_filled = |prompt: &Prompt| !prompt.draft.is_empty() && !self.holds_ours;
        let wanted = match rule.prompt {
            PromptWant::Any => true,
            PromptWant::Found => prompt.is_some(),
            PromptWant::Missing => prompt.is_none(),
            PromptWant::Empty => prompt.is_some_and(|prompt| !is_filled(prompt)),
            PromptWant::Filled => prompt.is_some_and(is_filled),
        };
        if !wanted {
            return None;
        }
        let mut rows = Vec::new();
        for clause in &rule.when {
            rows.extend(self.fulfils(clause)?);
        }
        if matches!(rule.prompt, PromptWant::Filled | PromptWant::Empty) {
            rows.extend(self.composer.map(Composer::rows).into_iter().flatten());
        }
        rows.sort_unstable();
        rows.dedup();
        Some(rows)
    }

    /// Whether all holds that the profile knows of a conversation without room, above a prompt where nothing stands.
    fn shows_full_context(&self) -> bool {
        let clauses = &self.profile.file().context_full;
        let is_empty = |composer: &Composer| composer.prompt.draft.is_empty();
        !clauses.is_empty()
            && self.composer.is_some_and(is_empty)
            && clauses.iter().all(|clause| self.fulfils(clause).is_some())
    }

    /// The rows on which a clause rests, if it is fulfilled.
    fn fulfils(&self, clause: &ClauseSpec) -> Option<Vec<usize>> {
        let window = Window::of(clause);
        let mut windows = self.profile.windows().iter();
        let at = windows.position(|other| *other == window)?;
        let text = self.texts[at].get_or_init(|| cut(window, &self.rows, self.composer));
        let text = text.as_ref()?;
        let matches = |pattern: &super::profile::Pattern| pattern.regex().is_match(&text.joined);
        let holds = clause.all.iter().all(matches)
            && (clause.any.is_empty() || clause.any.iter().any(matches))
            && !clause.none.iter().any(matches);
        if !holds {
            return None;
        }
        let shown = clause
            .all
            .iter()
            .chain(clause.any.iter().filter(|pattern| matches(pattern)).take(1));
        let mut rows = Vec::new();
        for pattern in shown {
            // the one nearest to the end is the one that counts for a reader
            if let Some(found) = pattern.regex().find_iter(&text.joined).last() {
                let first = text.start + text.joined[..found.start()].matches('\n').count();
                let more = found.as_str().trim_end().matches('\n').count();
                rows.extend(first..=first + more);
            }
        }
        Some(rows)
    }

    fn lines(&self, rows: impl IntoIterator<Item = usize>) -> Vec<Line> {
        /// More lines than these tell a reader nothing.
        const SHOWN: usize = 8;
        let line = |row: usize| {
            let text = self.rows.get(row)?.trim();
            (!text.is_empty()).then(|| Line {
                row: row + 1,
                text: text.to_owned(),
            })
        };
        rows.into_iter().filter_map(line).take(SHOWN).collect()
    }
}

fn cut(window: Window, rows: &[&str], composer: Option<&Composer>) -> Option<Text> {
    let (start, text) = match (window.part, composer) {
        (Part::Bottom, _) => {
            let start = rows.len().saturating_sub(window.rows);
            (start, rows[start..].join("\n"))
        }
        (Part::Top, _) => (0, rows[..window.rows.min(rows.len())].join("\n")),
        (Part::Above, Some(composer)) => {
            let end = composer.top;
            let start = end.saturating_sub(window.rows);
            (start, rows[start..end].join("\n"))
        }
        (Part::Below, Some(composer)) => {
            let start = (composer.end + 1).min(rows.len());
            let end = (start + window.rows).min(rows.len());
            (start, rows[start..end].join("\n"))
        }
        (Part::Prompt, Some(composer)) => (composer.start, composer.content.clone()),
        (Part::Above | Part::Below | Part::Prompt, None) => return None,
    };
    Some(Text {
        joined: text,
        start,
    })
}
