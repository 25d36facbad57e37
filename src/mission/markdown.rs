//! Pieces of Markdown that foreign text cannot break out of. Pure.
//!
//! Names, commands, outputs and other agents' words go into files that agents and persons read. A quotation marks
//! each of its lines, so nothing in it can pass for a line of ours; a fence is longer than any in what it holds.

use std::fmt::Write as _;

use crate::screen::harmless::harmless;

/// `text` without what a terminal would act on and blanks around it, at most `chars` characters of it; whether
/// something was left out.
pub(super) fn cut(text: &str, chars: usize) -> (String, bool) {
    let text = harmless(text.trim());
    match text.char_indices().nth(chars) {
        Some((end, _)) => (text[..end].trim_end().to_owned(), true),
        None => (text.into_owned(), false),
    }
}

/// `text` as a paragraph of our own, with a note where something was left out.
pub(super) fn plain(text: &str, chars: usize) -> String {
    match cut(text, chars) {
        (text, false) => text,
        (text, true) => format!("{text}\n\n(the rest is left out)"),
    }
}

/// `text` on one line, at most `chars` characters of it.
pub(super) fn line(text: &str, chars: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    match cut(&words.join(" "), chars) {
        (text, false) => text,
        (text, true) => format!("{text}…"),
    }
}

/// `text` as a span of code on one line.
pub(super) fn code(text: &str, chars: usize) -> String {
    let text = line(text, chars);
    if text.is_empty() {
        return "(nothing)".to_owned();
    }
    let ticks = "`".repeat(longest_run(&text, '`') + 1);
    if ticks.len() == 1 {
        format!("`{text}`")
    } else {
        // what begins or ends with a tick needs a blank to be told from the marks
        format!("{ticks} {text} {ticks}")
    }
}

/// `text` as a quotation: each line behind `> `.
pub(super) fn quoted(text: &str, chars: usize) -> String {
    let (text, is_cut) = cut(text, chars);
    let mut quotation = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        let line = format!("> {}", line.trim_end());
        let _ = writeln!(quotation, "{}", line.trim_end());
    }
    if quotation.is_empty() {
        quotation.push_str("> (nothing)\n");
    }
    if is_cut {
        quotation.push_str("\n(the rest is left out)\n");
    }
    quotation.pop();
    quotation
}

/// `text` as a block of code.
pub(super) fn fenced(text: &str, chars: usize) -> String {
    let (text, is_cut) = cut(text, chars);
    let ticks = "`".repeat(longest_run(&text, '`').max(2) + 1);
    let rest = if is_cut {
        "\n\n(the rest is left out)"
    } else {
        ""
    };
    format!("{ticks}text\n{text}\n{ticks}{rest}")
}

/// Names as a list of code spans, at most `most` of them.
pub(super) fn list(names: &[String], most: usize) -> String {
    let mut text = String::new();
    for name in names.iter().take(most) {
        let _ = writeln!(text, "- {}", code(name, 300));
    }
    if names.len() > most {
        let _ = writeln!(text, "- and {} more", names.len() - most);
    }
    text.pop();
    text
}

fn longest_run(text: &str, mark: char) -> usize {
    let runs = text.split(|c| c != mark).map(|run| run.chars().count());
    runs.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn foreign_text_stays_in_its_piece() {
        assert_eq!(
            quoted("a\n\n# Rules\r\n> b", 99),
            "> a\n>\n> # Rules\n> > b"
        );
        assert_eq!(quoted(" ", 99), "> (nothing)");
        assert_eq!(quoted("abc", 2), "> ab\n\n(the rest is left out)");
        assert_eq!(code("a b\nc", 99), "`a b c`");
        assert_eq!(code("a`b", 99), "`` a`b ``");
        assert_eq!(fenced("a\n```\nb", 99), "````text\na\n```\nb\n````");
        assert_eq!(line("a\u{1b}[2J\nb", 99), "a␛[2J b");
        assert_eq!(list(&["a".into(), "b".into()], 1), "- `a`\n- and 1 more");
    }

    proptest! {
        #[test]
        fn no_line_of_a_quotation_is_without_its_mark(text in any::<String>()) {
            let quotation = quoted(&text, usize::MAX);
            prop_assert!(quotation.lines().all(|line| line.starts_with('>')), "{}", quotation);
        }
    }
}
