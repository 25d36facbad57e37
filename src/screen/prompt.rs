//! Finds where typed text would land, and what stands there already.
//!
//! Works without knowing the agent. Where the terminal's cursor is to be seen, the prompt is where it
//! stands; where an agent hides it (Claude Code does), the prompt is the lowest line with a prompt's mark
//! between two rules. What cannot be found is no prompt, and nothing is typed. Input is a screen without its
//! faint text ([`super::styled::texts`]), so that a placeholder is no draft.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::change::squash;
use super::{Screen, is_frame, is_rule};

/// Where the terminal's cursor is, from 0, in cells of the pane's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The column.
    pub column: usize,
    /// The row.
    pub row: usize,
}

/// A prompt, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// All of it without blanks and frames: its mark, or the words that it ends with, and its content.
    whole: String,
    /// What somebody typed into it; empty where it waits for a text.
    pub draft: String,
    /// Whether it was found by the terminal's cursor.
    by_cursor: bool,
    /// Whether only styling, which was not there, could tell its placeholder from a draft.
    pub unsure: bool,
}

impl Prompt {
    /// A prompt that a profile found, with what somebody typed into it.
    pub(super) fn with(draft: &str, unsure: bool) -> Self {
        let draft = draft.trim();
        Self {
            whole: squash(draft),
            draft: draft.to_owned(),
            by_cursor: false,
            unsure,
        }
    }

    /// One that holds this, for tests.
    #[cfg(test)]
    pub(crate) fn holding(draft: &str, unsure: bool) -> Self {
        Self::with(draft, unsure)
    }

    /// Whether this, read later at the same place as the empty prompt `before`, holds exactly `text`.
    pub fn holds(&self, before: &Self, text: &str) -> bool {
        let rest = self.whole.strip_prefix(before.whole.as_str());
        !text.is_empty() && rest.is_some_and(|rest| rest == squash(text))
    }
}

/// The prompt of `screen`, whose pane is `columns` wide.
///
/// `before` is the prompt as it was found a moment ago, if it was: a cursor that waits at the right edge is
/// told as hidden, and is then taken to be at the end of the text.
pub fn find(
    screen: &Screen,
    columns: usize,
    cursor: Option<Cursor>,
    before: Option<&Prompt>,
) -> Option<Prompt> {
    let lines: Vec<&str> = screen.lines().collect();
    match cursor {
        Some(cursor) => {
            let (index, column) = locate(&lines, columns.max(1), cursor);
            Some(at_cursor(&lines, index, column))
        }
        None if before.is_some_and(|before| before.by_cursor) => {
            let index = lines.len().checked_sub(1)?;
            Some(at_cursor(&lines, index, lines[index].width()))
        }
        None => between_rules(&lines),
    }
}

/// The line that the cursor is in and its column there. zellij prints a line that the terminal wrapped as one.
pub(super) fn locate(lines: &[&str], columns: usize, cursor: Cursor) -> (usize, usize) {
    let mut row = 0;
    for (index, line) in lines.iter().enumerate() {
        let rows = line.width().div_ceil(columns).max(1);
        if cursor.row < row + rows {
            return (index, (cursor.row - row) * columns + cursor.column);
        }
        row += rows;
    }
    (lines.len() + (cursor.row - row), cursor.column)
}

fn at_cursor(lines: &[&str], index: usize, column: usize) -> Prompt {
    let line = lines.get(index).copied().unwrap_or_default();
    let (before, after) = split_at_column(line, column);
    let start = block_start(lines, index, column).unwrap_or(index);
    let above = lines.get(start..index).unwrap_or_default();
    let block = joined(above.iter().chain([&line]));
    let is_waiting = content(after).is_empty() && waits(content(before));
    let draft = match after_mark(&block) {
        Some(typed) => typed.to_owned(),
        None if is_waiting => String::new(),
        None => block.clone(),
    };
    Prompt {
        whole: squash(&block),
        draft,
        by_cursor: true,
        unsure: false,
    }
}

/// What stands in several lines, as one.
fn joined<'a>(lines: impl Iterator<Item = &'a &'a str>) -> String {
    let contents: Vec<&str> = lines.map(|line| content(line)).collect();
    contents.join(" ").trim().to_owned()
}

/// Where the text that the cursor is in begins, if that is above the cursor's line: an agent that wraps lines
/// itself indents all but the first.
fn block_start(lines: &[&str], index: usize, column: usize) -> Option<usize> {
    const LONGEST: usize = 20;
    let line = lines.get(index).copied().unwrap_or_default();
    let mut indented =
        indent(line) >= 2 || (content(line).is_empty() && column >= 2 && !line.is_empty());
    let mut start = None;
    for above in (index.saturating_sub(LONGEST)..index).rev() {
        let line = lines.get(above).copied().unwrap_or_default();
        if !indented || content(line).is_empty() || is_rule(line) {
            break;
        }
        let marked = after_mark(content(line)).is_some();
        if marked || is_framed(line) {
            start = Some(above);
        }
        if marked {
            break;
        }
        indented = indent(line) >= 2;
    }
    start
}

/// The lowest line with a prompt's mark that stands directly between two rules.
fn between_rules(lines: &[&str]) -> Option<Prompt> {
    const LONGEST: usize = 30;
    let lowest = lines.len().saturating_sub(super::dialog::ROWS + LONGEST);
    let start = (lowest..lines.len())
        .rev()
        .find(|&index| after_mark(content(lines[index])).is_some())?;
    let above = lines[..start].last()?;
    let length = lines[start..]
        .iter()
        .take(LONGEST)
        .position(|line| is_rule(line))?;
    if !is_rule(above) {
        return None;
    }
    let block = joined(lines[start..start + length].iter());
    let draft = after_mark(&block).unwrap_or_default().to_owned();
    Some(Prompt {
        whole: squash(&block),
        draft,
        by_cursor: false,
        unsure: false,
    })
}

/// The text after a prompt's mark, where `line` begins with one.
fn after_mark(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['❯', '›', '»', '>'])?;
    // `>>> ` and `->` are no marks of a prompt that this knows
    (!rest.starts_with(['>', '=', '-'])).then(|| rest.trim_start())
}

/// Whether what stands before the cursor is nothing, or words that ask for a text.
fn waits(before: &str) -> bool {
    before.is_empty() || before.ends_with(['?', ':', '>', '$', '#', '%', '❯', '›', '»', ']'])
}

fn is_framed(line: &str) -> bool {
    line.trim_start().starts_with(is_frame)
}

/// The blanks between the frame, or the pane's edge, and the text.
fn indent(line: &str) -> usize {
    let inside = line.trim_start_matches(|c: char| is_frame(c) && c != '|');
    let inside = if is_framed(line) {
        line.trim_start().trim_start_matches(is_frame)
    } else {
        inside
    };
    inside.chars().take_while(|c| c.is_whitespace()).count()
}

/// What stands in a line, without its frame. A stroke at the end is frame only where one stands at the front.
fn content(line: &str) -> &str {
    let line = line.trim();
    let inside = line.trim_start_matches(is_frame);
    let framed = inside.len() < line.len();
    let inside = if framed {
        inside.trim_end_matches(is_frame)
    } else {
        inside
    };
    inside.trim()
}

fn split_at_column(line: &str, column: usize) -> (&str, &str) {
    let mut at = 0;
    for (index, c) in line.char_indices() {
        if at >= column {
            return line.split_at(index);
        }
        at += c.width().unwrap_or(0);
    }
    (line, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn look(text: &str, cursor: Option<(usize, usize)>) -> Option<Prompt> {
        let cursor = cursor.map(|(column, row)| Cursor { column, row });
        find(&Screen::read(text), 40, cursor, None)
    }

    fn draft(text: &str, cursor: Option<(usize, usize)>) -> Option<String> {
        look(text, cursor).map(|prompt| prompt.draft)
    }

    const RULE: &str = "────────────────────────────────────────";

    #[test]
    fn an_empty_prompt_is_found() {
        let empty = Some(String::new());
        assert_eq!(draft("work\n> ", Some((2, 1))), empty);
        assert_eq!(draft("work\n", Some((0, 1))), empty);
        assert_eq!(draft("work\n\n\n", Some((0, 3))), empty);
        assert_eq!(draft("Which database? ", Some((16, 0))), empty);
        assert_eq!(draft("you: ", Some((5, 0))), empty);
        assert_eq!(
            draft("╭──────────╮\n│ >        │\n╰──────────╯", Some((4, 1))),
            empty
        );
        assert_eq!(draft("  ┃\n  ┃\n  ┃  Build", Some((5, 1))), empty);
        assert_eq!(
            draft(
                &format!("❯ old\n\n{RULE}\n❯\u{a0}\n{RULE}\n  ? for shortcuts"),
                None
            ),
            empty
        );
    }

    #[test]
    fn a_draft_is_found_however_it_is_wrapped() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(draft("> half a dra", Some((12, 0))), some("half a dra"));
        assert_eq!(draft("> half a draft", Some((2, 0))), some("half a draft"));
        assert_eq!(
            draft("name half a dra", Some((15, 0))),
            some("name half a dra")
        );
        assert_eq!(
            draft("› first\n  second", Some((8, 1))),
            some("first second")
        );
        assert_eq!(
            draft("│ > first   │\n│   second  │", Some((10, 1))),
            some("first second")
        );
        let wrapped = format!("{RULE}\n❯ half a draft\n  that goes on\n{RULE}\n  footer");
        assert_eq!(draft(&wrapped, None), some("half a draft that goes on"));
    }

    #[test]
    fn without_a_cursor_a_mark_outside_rules_is_no_prompt() {
        for text in [
            "> quoted",
            "❯ an old message\n\n● answer",
            RULE,
            "",
            &format!("{RULE}\n❯ cut off"),
        ] {
            assert_eq!(look(text, None), None, "{text}");
        }
    }

    #[test]
    fn only_exactly_our_text_is_held() {
        let before = look("> ", Some((2, 0))).unwrap();
        let after = |text: &str, cursor| look(text, Some(cursor)).unwrap();
        assert!(after("> run the tests", (15, 0)).holds(&before, "run the tests"));
        assert!(!after("> run the testsabc", (18, 0)).holds(&before, "run the tests"));
        assert!(!after("> run the tests more", (15, 0)).holds(&before, "run the tests"));
        assert!(!after("> abrun the tests", (17, 0)).holds(&before, "run the tests"));
        assert!(!after("> run the", (9, 0)).holds(&before, "run the tests"));
        assert!(!after("> ", (2, 0)).holds(&before, ""));
    }

    #[test]
    fn our_text_is_recognised_where_the_terminal_wrapped_it() {
        let text = "a text that is longer than the forty columns of the pane";
        let before = look("● done\n> ", Some((2, 1))).unwrap();
        let after = look(&format!("● done\n> {text}"), Some((18, 2))).unwrap();
        assert!(after.holds(&before, text));
    }

    #[test]
    fn our_text_is_recognised_where_the_agent_wrapped_it_and_hides_the_cursor() {
        let text = "half a draft that goes on";
        let before = look(&format!("{RULE}\n❯ \n{RULE}"), None).unwrap();
        let after = look(
            &format!("{RULE}\n❯ half a draft\n  that goes on\n{RULE}"),
            None,
        )
        .unwrap();
        assert!(after.holds(&before, text));
        let folded = look(
            &format!("{RULE}\n❯ [Pasted text #1 +3 lines]\n{RULE}"),
            None,
        )
        .unwrap();
        assert!(!folded.holds(&before, text));
    }

    #[test]
    fn a_cursor_that_waits_at_the_right_edge_is_taken_to_be_at_the_end() {
        let before = look("> ", Some((2, 0))).unwrap();
        let text = "x".repeat(38);
        let after = find(&Screen::read(&format!("> {text}")), 40, None, Some(&before)).unwrap();
        assert!(after.holds(&before, &text));
    }

    proptest! {
        #[test]
        fn any_screen_is_searched_without_a_panic(text in any::<String>(), column in 0_usize..300, row in 0_usize..300, columns in 0_usize..200) {
            let screen = Screen::read(&text);
            find(&screen, columns, Some(Cursor { column, row }), None);
            find(&screen, columns, None, None);
        }

        #[test]
        fn what_stands_after_a_mark_is_always_a_draft(typed in "[a-z]{1,8}( [a-z]{1,8}){0,5}") {
            let line = format!("> {typed}");
            prop_assert!(!draft(&line, Some((line.len(), 0))).unwrap().is_empty());
            prop_assert!(!draft(&line, Some((2, 0))).unwrap().is_empty());
        }
    }
}
