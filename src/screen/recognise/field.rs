//! Reads the field of a dialog in which an answer is written.

use std::ops::Range;

use super::super::profile::{CursorPlace, DialogSpec, FieldSpec};
use super::super::prompt::{Prompt, locate};
use super::super::styled;
use super::Shown;
use super::menu::{Dialog, SUBJECT_ROWS};

/// An open field of a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The dialog that it belongs to. The label of the option that opened it may be the text.
    pub dialog: Dialog,
    /// What is written in it.
    pub text: Prompt,
}

impl Field {
    /// Whether it is empty, and surely so.
    pub fn is_empty(&self) -> bool {
        self.text.draft.is_empty() && !self.text.unsure
    }

    /// Whether exactly `text` is written in it.
    pub fn holds(&self, text: &str) -> bool {
        self.text.holds(&Prompt::with("", false), text)
    }
}

/// An open field on a screen.
pub(super) struct Open {
    /// The row in which it begins: that of its option.
    pub(super) start: usize,
    /// The rows of its text below that: no options, whatever they look like.
    pub(super) rows: Range<usize>,
    /// What is written in it.
    pub(super) text: Prompt,
    /// Whether it takes the key of an option, and not words.
    pub(super) takes_keys: bool,
}

/// The open field, where one is to be seen and takes text.
pub(super) fn find(spec: &DialogSpec, rows: &[&str], shown: &Shown) -> Option<Open> {
    let spec = spec.field.as_ref()?;
    let first = rows.len().saturating_sub(SUBJECT_ROWS);
    let text = rows[first..].join("\n");
    let found = spec.shown.regex().captures_iter(&text).last()?;
    let (whole, inside) = (found.get(0)?, found.name("text")?);
    let row_of = |at: usize| first + text[..at].matches('\n').count();
    let start = row_of(whole.start());
    let (top, end) = (row_of(inside.start()), row_of(inside.end()) + 1);
    if !takes_text(spec, rows, top..end, shown) {
        return None;
    }
    Some(Open {
        start,
        rows: start + 1..end,
        text: written(spec, inside.as_str(), rows, top..end, shown),
        takes_keys: spec.option.is_none(),
    })
}

/// Whether the terminal's cursor is where it is while the field takes text.
fn takes_text(spec: &FieldSpec, rows: &[&str], field: Range<usize>, shown: &Shown) -> bool {
    let inside = shown
        .cursor
        .map(|cursor| field.contains(&locate(rows, shown.columns.max(1), cursor).0));
    match spec.cursor {
        CursorPlace::Anywhere => true,
        CursorPlace::Inside => inside == Some(true),
        CursorPlace::InsideOrHidden => inside != Some(false),
    }
}

/// What somebody wrote into the field, which shows `text` in these rows.
fn written(
    spec: &FieldSpec,
    text: &str,
    rows: &[&str],
    field: Range<usize>,
    shown: &Shown,
) -> Prompt {
    let stroke = |c: char| c.is_whitespace() || matches!(c, '│' | '┃');
    let lines: Vec<&str> = text.lines().map(|line| line.trim_matches(stroke)).collect();
    let text = lines.join("\n");
    let Some(placeholder) = &spec.placeholder else {
        return Prompt::with(&text, false);
    };
    // an empty field shows its placeholder, and nothing else; blanks may have been written
    if text.trim().is_empty() {
        return Prompt::with("", true);
    }
    if !placeholder.regex().is_match(text.trim()) {
        return Prompt::with(&text, false);
    }
    let is_solid = |row: &str| text.split_whitespace().any(|word| row.contains(word));
    let faint = shown.solid.as_ref().is_some_and(|solid| {
        let mut rows = solid.lines().skip(field.start).take(field.len());
        !rows.any(is_solid)
    });
    let is_placeholder = if spec.placeholder_plain {
        has_cursor_in_front(text.trim(), rows, field.start, shown)
    } else {
        faint
    };
    match (is_placeholder, &shown.solid) {
        (true, _) => Prompt::with("", false),
        (false, Some(_)) => Prompt::with(&text, false),
        (false, None) => Prompt::with("", true),
    }
}

/// Whether the agent draws its cursor over the first character of `text`: nobody wrote it then.
fn has_cursor_in_front(text: &str, rows: &[&str], row: usize, shown: &Shown) -> bool {
    let place = rows.get(row).and_then(|row| row.find(text));
    let drawn = shown.styled.as_deref().and_then(styled::reversed);
    place.zip(drawn).is_some_and(|(at, drawn)| {
        let column = rows[row][..at].chars().count();
        drawn == (row, column)
    })
}
