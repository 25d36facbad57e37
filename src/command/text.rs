//! Makes foreign text fit for a terminal: harmless, aligned, wrapped.
//!
//! Titles, questions, models' answers and other programs' errors come from outside; written raw, an escape
//! sequence in them could move the cursor, forge a prompt or fill the clipboard. Everything that is shown
//! to a person passes [`harmless`]. Pure; `command::reply` and `ui` call it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub use crate::screen::harmless::harmless;
use crate::screen::harmless::picture;

/// The least columns that a table's last column is shown in beside the others.
const LEAST_ROOM: usize = 20;

/// `value` as one line of JSON without its newline, in which every character that a terminal would act on is
/// written as `\u....`: it can be shown as it is, and reads back as what it was.
///
/// # Errors
/// When the value has no form in JSON.
pub fn json(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = Vec::with_capacity(256);
    value.serialize(&mut Serializer::with_formatter(&mut line, Escaped))?;
    Ok(line)
}

/// JSON without a character that a terminal would act on.
struct Escaped;

impl Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, one)) = rest.char_indices().find(|(_, one)| picture(*one).is_some()) {
            to.write_all(&rest.as_bytes()[..at])?;
            for unit in one.encode_utf16(&mut [0; 2]) {
                write!(to, "\\u{unit:04x}")?;
            }
            rest = &rest[at + one.len_utf8()..];
        }
        to.write_all(rest.as_bytes())
    }
}

/// `text` as one harmless line: newlines and tabs are blanks.
pub fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    harmless(&words.join(" ")).into_owned()
}

/// The columns that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text`, cut to `columns` columns with `…` where it is longer.
pub fn fit(text: &str, columns: usize) -> String {
    // what is far longer need not be measured to its end
    let bound = columns.saturating_mul(4).saturating_add(16);
    let cut = text
        .char_indices()
        .nth(bound)
        .map_or(text.len(), |(at, _)| at);
    let head = &text[..cut];
    if cut == text.len() && head.width() <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let ends = head.char_indices().map(|(at, _)| at);
    let end = ends
        .take_while(|end| head[..*end].width() <= room)
        .last()
        .unwrap_or_default();
    match columns {
        0 => String::new(),
        _ => format!("{}…", &head[..end]),
    }
}

/// `text`, cut to `columns` columns with `…` in it where it is longer: its end says more than its middle, as in
/// `mission.task`.
pub fn fit_middle(text: &str, columns: usize) -> String {
    if text.width() <= columns || columns < 4 {
        return fit(text, columns);
    }
    let behind = (columns - 1) * 2 / 3;
    let starts = text.char_indices().map(|(at, _)| at);
    let mut starts = starts.skip_while(|at| text[*at..].width() > behind);
    let start = starts.next().unwrap_or(text.len());
    let tail = &text[start..];
    let head = fit(text, columns - tail.width());
    format!("{head}{tail}")
}

/// `text` with blanks behind it up to `columns` columns.
pub fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// `text` in harmless lines of at most `columns` columns, each after `indent`; a longer word is left whole.
pub fn wrap(text: &str, columns: usize, indent: &str) -> String {
    let room = columns.saturating_sub(indent.width()).max(20);
    let mut lines = Vec::new();
    for line in harmless(text).trim_end().lines() {
        let kept = line.len() - line.trim_start().len();
        let mut current = line[..kept].replace('\t', "    ");
        let mut used = current.width();
        let mut begun = false;
        for word in line.split_whitespace() {
            let wide = word_width(word);
            if begun && used.saturating_add(wide + 1) > room {
                lines.push(format!("{indent}{current}"));
                (current, used, begun) = (String::new(), 0, false);
            }
            if begun {
                current.push(' ');
                used += 1;
            }
            current.push_str(word);
            used += wide;
            begun = true;
        }
        lines.push(format!("{indent}{current}").trim_end().to_owned());
    }
    lines.join("\n")
}

fn word_width(word: &str) -> usize {
    word.chars().map(|one| one.width().unwrap_or(0)).sum()
}

/// Rows under a heading, in columns two blanks apart; the last one is cut where `columns` end, and stands
/// on a line of its own where hardly any room is left for it.
///
/// Cells are made harmless and one line; a cell wider than its column's bound is cut.
pub fn table(heading: &[&str], bounds: &[usize], rows: &[Vec<String>], columns: usize) -> String {
    let clean = |row: &[String]| -> Vec<String> {
        let cells = row.iter().enumerate();
        cells
            .map(|(at, cell)| {
                fit(
                    &one_line(cell),
                    bounds.get(at).copied().unwrap_or(usize::MAX),
                )
            })
            .collect()
    };
    let mut all = vec![heading.iter().map(|&name| name.to_owned()).collect()];
    all.extend(rows.iter().map(|row| clean(row)));
    let last = heading.len().saturating_sub(1);
    let widths: Vec<usize> = (0..last)
        .map(|at| {
            all.iter()
                .map(|row| row[at].width())
                .max()
                .unwrap_or_default()
        })
        .collect();
    let before: usize = widths.iter().map(|width| width + 2).sum();
    let room = columns.saturating_sub(before);
    let line = |(at, row): (usize, &Vec<String>)| {
        let cells: Vec<String> = (0..last).map(|at| pad(&row[at], widths[at])).collect();
        let start = cells.join("  ");
        let (start, end) = (start.trim_end(), row[last].as_str());
        match (room >= LEAST_ROOM, at) {
            (true, _) => {
                let line = format!("{}{}", pad(start, before), fit(end, room));
                line.trim_end().to_owned()
            }
            (false, 0) => start.to_owned(),
            (false, _) if end.is_empty() => start.to_owned(),
            (false, _) => format!(
                "{start}\n    {}",
                fit(end, columns.saturating_sub(4).max(16))
            ),
        }
    };
    all.iter()
        .enumerate()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_cut_by_columns_not_by_characters() {
        for (text, columns, cut) in [
            ("abcdef", 6, "abcdef"),
            ("abcdef", 5, "abcd…"),
            ("漢字漢字", 8, "漢字漢字"),
            ("漢字漢字", 6, "漢字…"),
            ("e\u{301}e\u{301}e\u{301}", 3, "e\u{301}e\u{301}e\u{301}"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("ab", 1, "…"),
            ("ab", 0, ""),
        ] {
            assert_eq!(fit(text, columns), cut, "{text} to {columns}");
        }
        assert_eq!(pad("漢", 4), "漢  ");
        for (text, columns, cut) in [
            ("notes.parser", 12, "notes.parser"),
            ("a-long-mission.the-parser", 16, "a-lon…the-parser"),
            ("漢字漢字漢字", 7, "漢…漢字"),
            ("abcdef", 3, "ab…"),
            ("abcdef", 0, ""),
        ] {
            assert_eq!(fit_middle(text, columns), cut, "{text} to {columns}");
        }
    }

    #[test]
    fn long_lines_are_wrapped_at_words_and_cannot_leave_their_indent() {
        assert_eq!(
            wrap(
                "one two three four five six\n\nerror: forged\n    code",
                24,
                "  | "
            ),
            "  | one two three four\n  | five six\n  |\n  | error: forged\n  |     code"
        );
        assert_eq!(wrap("a  b\n", usize::MAX, ""), "a b");
    }

    #[test]
    fn columns_are_aligned_whatever_stands_in_them() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [
            row([
                "漢字",
                "e\u{301}",
                "the last one is cut where the line ends",
            ]),
            row(["a\nb", "\u{1b}[31m", ""]),
            row(["much longer than its bound", "x", "y"]),
        ];
        let expected = "\
NAME        MARK   LAST
漢字        e\u{301}      the last one is cut…
a b         ␛[31m
much long…  x      y";
        let shown = table(&["NAME", "MARK", "LAST"], &[10, 8], &rows, 39);
        assert_eq!(shown, expected);
        let narrow = "\
NAME        MARK
漢字        e\u{301}
    the last one is cut w…
a b         ␛[31m
much long…  x
    y";
        let shown = table(&["NAME", "MARK", "LAST"], &[10, 8], &rows, 26);
        assert_eq!(shown, narrow);
    }

    proptest! {
        #[test]
        fn no_control_character_but_newline_and_tab_survives(text in any::<String>(), tail in "[\u{0}-\u{ff}]*") {
            for text in [text, tail] {
                let shown = harmless(&text);
                prop_assert!(!shown.chars().any(|one| one.is_control() && one != '\n' && one != '\t'));
                prop_assert!(!one_line(&text).chars().any(char::is_control));
                for columns in [0, 1, 5, 80] {
                    prop_assert!(fit(&one_line(&text), columns).width() <= columns);
                    prop_assert!(fit_middle(&one_line(&text), columns).width() <= columns);
                }
                let _ = wrap(&text, 30, "  ");
            }
        }
    }
}
