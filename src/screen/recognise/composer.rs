//! Finds the prompt of an agent by its profile, and what stands still on its screen.

use std::borrow::Cow;

use regex::Regex;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::super::profile::{CursorPlace, Pattern, Profile, PromptSpec};
use super::super::prompt::{Prompt, locate};
use super::super::styled;
use super::Shown;

/// How many rows from the end of the screen a prompt may end.
const NEAR_END: usize = 40;
/// How many rows a prompt may have.
const TALLEST: usize = 60;

/// A prompt with the rows that it takes.
#[derive(Debug)]
pub(super) struct Composer {
    /// The row after the last one above it.
    pub(super) top: usize,
    /// Its first row.
    pub(super) start: usize,
    /// The row below it.
    pub(super) end: usize,
    /// What it shows, a placeholder included.
    pub(super) content: String,
    /// What somebody typed into it.
    pub(super) prompt: Prompt,
}

impl Composer {
    /// The lowest prompt.
    pub(super) fn find(profile: &Profile, shown: &Shown) -> Option<Self> {
        let spec = &profile.file().prompt;
        let rows: Vec<&str> = shown.screen.lines().collect();
        let lowest = rows.len().saturating_sub(NEAR_END);
        let (start, end) = (lowest..=rows.len()).rev().find_map(|end| {
            let below = rows.get(end).copied().unwrap_or_default();
            if !spec.end.regex().is_match(below) {
                return None;
            }
            begin(spec, &rows, end).map(|start| (start, end))
        })?;
        if !cursor_fits(spec, &rows, start, end, shown) {
            return None;
        }
        let cells = spec
            .as_wide_as_end
            .then(|| rows.get(end).map(|row| row.trim_end().width()))
            .flatten();
        let last = end - spec.tail.len();
        let content = content(spec, &rows, &rows, start, last, cells);
        let mut prompt = match &shown.solid {
            Some(_)
                if is_placeholder(spec, &content)
                    && cursor_is_in_front(&content, &rows, start, last, shown) =>
            {
                Prompt::with("", false)
            }
            Some(solid) => {
                let solid: Vec<&str> = solid.lines().collect();
                Prompt::with(
                    &self::content(spec, &rows, &solid, start, last, cells),
                    false,
                )
            }
            None if is_placeholder(spec, &content) => Prompt::with("", true),
            None => Prompt::with(&content, false),
        };
        let hidden_or_lost = shown.styled.is_none() && shown.cursor.is_none();
        prompt.unsure |= spec.cursor == CursorPlace::Inside && hidden_or_lost;
        prompt.unsure |= content.is_empty() && cursor_is_past_the_front(spec, &rows, start, shown);
        let top = start - usize::from(spec.top.is_some());
        Some(Self {
            top,
            start,
            end,
            content,
            prompt,
        })
    }

    /// The rows that it takes.
    pub(super) fn rows(&self) -> Vec<usize> {
        (self.start..self.end).collect()
    }
}

/// The first row of a prompt that ends above row `end`, if there is one.
fn begin(spec: &PromptSpec, rows: &[&str], end: usize) -> Option<usize> {
    let is = |pattern: &Pattern, row: usize| {
        rows.get(row)
            .is_some_and(|row| pattern.regex().is_match(row))
    };
    let mut start = end;
    let mut marked = false;
    while start > 0 && end - start < TALLEST && is(&spec.body, start - 1) {
        start -= 1;
        marked = spec.mark.as_ref().is_some_and(|mark| is(mark, start));
        if marked {
            break;
        }
    }
    let topped = match &spec.top {
        Some(top) => start > 0 && is(top, start - 1),
        None => true,
    };
    let found = start + spec.tail.len() < end && topped && (marked || spec.mark.is_none());
    let tailed = || {
        let tail = spec.tail.iter().rev().zip((start..end).rev());
        tail.into_iter().all(|(pattern, row)| is(pattern, row))
    };
    (found && tailed()).then_some(start)
}

fn cursor_fits(spec: &PromptSpec, rows: &[&str], start: usize, end: usize, shown: &Shown) -> bool {
    let columns = shown.columns.max(1);
    let inside = shown.cursor.map(|cursor| {
        let row = locate(rows, columns, cursor).0;
        (start..end).contains(&row) || (row == end && is_filled(rows, end, columns))
    });
    match spec.cursor {
        CursorPlace::Anywhere => true,
        // a plain dump may come without its cursor: it is enough to name a state, not to type
        CursorPlace::Inside => inside.unwrap_or(shown.styled.is_none()),
        CursorPlace::InsideOrHidden => inside != Some(false),
    }
}

/// Whether the row above `end` is filled with text to the edge, so that the cursor stands in a row of its own below.
fn is_filled(rows: &[&str], end: usize, columns: usize) -> bool {
    let row = |row: usize| rows.get(row).map_or("", |row| row.trim_end());
    let above = end.checked_sub(1).map_or(0, |above| row(above).width());
    // a row that the terminal itself wrapped is one here
    row(end).is_empty() && above > 0 && (above + 1) % columns <= 1
}

fn is_placeholder(spec: &PromptSpec, content: &str) -> bool {
    let content = content.trim();
    spec.placeholders
        .iter()
        .any(|pattern| pattern.regex().is_match(content))
}

/// Whether the terminal's cursor, or the one that the agent draws, stands at the first character of `content`
/// or before it: nobody typed it then.
fn cursor_is_in_front(
    content: &str,
    rows: &[&str],
    start: usize,
    end: usize,
    shown: &Shown,
) -> bool {
    let first = content.lines().next().unwrap_or_default();
    let place = (start..end).find_map(|row| Some((row, rows.get(row)?.find(first)?)));
    let Some((row, at)) = place else {
        return false;
    };
    if let Some(cursor) = shown.cursor {
        let (line, column) = locate(rows, shown.columns.max(1), cursor);
        return line == row && column <= rows[row][..at].width();
    }
    let drawn = shown.styled.as_deref().map(styled::reversed);
    drawn
        .flatten()
        .is_some_and(|(line, column)| line == row && column <= rows[row][..at].chars().count())
}

/// Whether the cursor stands where it does only after something was typed: a text that is not drawn yet, or
/// blanks.
fn cursor_is_past_the_front(spec: &PromptSpec, rows: &[&str], start: usize, shown: &Shown) -> bool {
    /// Blanks that agents leave between the mark and the text.
    const GAP: usize = 2;
    let Some(cursor) = shown.cursor else {
        return false;
    };
    let (line, column) = locate(rows, shown.columns.max(1), cursor);
    let front = spec.mark.as_ref().or(spec.strip.as_ref());
    let row = rows.get(start).copied().unwrap_or_default();
    let width = front
        .and_then(|pattern| pattern.regex().find(row))
        .map_or(0, |found| found.as_str().width());
    line >= start && column > width + GAP
}

/// What `text` shows in the prompt that was found in `rows`.
fn content(
    spec: &PromptSpec,
    rows: &[&str],
    text: &[&str],
    start: usize,
    end: usize,
    cells: Option<usize>,
) -> String {
    let mut lines = Vec::new();
    for row in start..end {
        let drawn = rows.get(row).copied().unwrap_or_default();
        if spec
            .drop
            .iter()
            .any(|pattern| pattern.regex().is_match(drawn))
        {
            continue;
        }
        let line = text.get(row).copied().unwrap_or_default();
        let front = if row == start {
            spec.mark.as_ref().or(spec.strip.as_ref())
        } else {
            spec.strip.as_ref()
        };
        // what stands in front is drawn, and may be faint in the text
        let taken = front
            .and_then(|pattern| pattern.regex().find(drawn))
            .map_or(0, |found| {
                if found.start() == 0 {
                    found.as_str().width()
                } else {
                    0
                }
            });
        lines.push(between_cells(line, taken, cells).trim().to_owned());
    }
    lines.join("\n").trim().to_owned()
}

/// The cells of `line` from `from` up to `to`.
fn between_cells(line: &str, from: usize, to: Option<usize>) -> String {
    let mut at = 0;
    let mut text = String::new();
    for c in line.chars() {
        if at >= from && to.is_none_or(|to| at < to) {
            text.push(c);
        }
        at += c.width().unwrap_or(0);
    }
    text
}

/// The screen without what moves and means nothing.
pub(super) fn still(profile: &Profile, shown: &Shown, composer: Option<&Composer>) -> String {
    let spec = &profile.file().animation;
    let rows: Vec<&str> = shown.screen.lines().collect();
    let end = match composer {
        Some(composer) if spec.below => composer.end.min(rows.len()),
        _ => rows.len(),
    };
    let mut text = String::with_capacity(shown.screen.text().len());
    for (index, row) in rows[..end].iter().enumerate() {
        let in_prompt =
            composer.is_some_and(|composer| (composer.start..composer.end).contains(&index));
        if in_prompt || spec.rows.iter().any(|moving| moving.regex().is_match(row)) {
            continue;
        }
        let parts = spec.parts.iter().map(Pattern::regex);
        let moving: Vec<&Regex> = parts.filter(|part| part.is_match(row)).collect();
        if moving.is_empty() {
            text.push_str(row);
        } else {
            let still = |row: Cow<'_, str>, part: &&Regex| part.replace_all(&row, "").into_owned();
            let row = moving
                .iter()
                .fold(Cow::from(*row), |row, part| still(row, part).into());
            text.push_str(row.trim());
        }
        text.push('\n');
    }
    if let Some(composer) = composer {
        text.push_str(&composer.prompt.draft);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::super::prompt::Cursor;
    use super::super::recognise;
    use super::*;

    fn profile() -> Profile {
        let text = r#"{
            "kind": "test", "name": "Test", "processes": [{"name": "test"}],
            "prompt": {
                "body": "^#", "end": "^=", "strip": "^#", "tail": ["^#$", "^# model$"],
                "placeholders": ["^Ask me$"], "cursor": "inside"
            },
            "rules": [{"name": "empty", "state": "idle", "prompt": "empty"}]
        }"#;
        Profile::parse(text).unwrap()
    }

    fn prompt(
        styled: bool,
        screen: &str,
        cursor: Option<(usize, usize)>,
    ) -> Option<(String, bool)> {
        let cursor = cursor.map(|(column, row)| Cursor { column, row });
        let read = if styled { Shown::styled } else { Shown::plain };
        let prompt = recognise(&profile(), &read(screen, 40, cursor)).prompt?;
        Some((prompt.draft, prompt.unsure))
    }

    #[test]
    fn a_prompt_is_empty_only_where_nothing_can_have_been_typed() {
        let empty = Some((String::new(), false));
        let unsure = Some((String::new(), true));
        let draft = |text: &str| Some((text.to_owned(), false));
        let cases = [
            ("# \n#\n# model\n===", Some((2, 0)), empty.clone()),
            ("# hello\n#\n# model\n===", Some((7, 0)), draft("hello")),
            // a placeholder is a draft unless the cursor stands in front of it
            ("# Ask me\n#\n# model\n===", Some((2, 0)), empty),
            ("# Ask me\n#\n# model\n===", Some((8, 0)), draft("Ask me")),
            // blanks, or a text that is not drawn yet
            ("# \n#\n# model\n===", Some((9, 0)), unsure),
            // hidden, or elsewhere: something else takes the keys
            ("# \n#\n# model\n===", None, None),
            ("x\n# \n#\n# model\n===", Some((0, 0)), None),
            // the rows that are drawn below the text are not there
            ("# \n# model\n===", Some((2, 0)), None),
            ("# \n#\n# other\n===", Some((2, 0)), None),
        ];
        for (screen, cursor, expected) in cases {
            assert_eq!(
                prompt(true, screen, cursor),
                expected,
                "{screen}, {cursor:?}"
            );
        }
    }

    #[test]
    fn a_plain_dump_without_a_cursor_names_a_state_and_permits_nothing() {
        let shown = Shown::plain("# \n#\n# model\n===", 40, None);
        let reading = recognise(&profile(), &shown);
        assert_eq!(reading.state, super::super::State::Idle);
        assert!(!reading.takes_nudge());
        let known = Shown {
            cursor: Some(Cursor { column: 2, row: 0 }),
            ..shown
        };
        assert!(recognise(&profile(), &known).takes_nudge());
    }
}
