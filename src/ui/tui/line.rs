//! One line of text that a person types: the command line with its history and completion, the filter.
//!
//! Pure: what completes a line and what was typed in earlier runs is handed in. A paste becomes one harmless
//! line and submits nothing.

use tui_input::{Input as Edited, InputRequest};

use super::input::{Key, KeyCode};
use crate::command::complete::Candidate;
use crate::command::text::harmless;

/// The longest line, in bytes.
const LONGEST: usize = 16 * 1024;
/// So many lines are kept to be called back.
const MOST_PAST: usize = 1_000;

/// A line that is being typed.
#[derive(Debug, Clone, Default)]
pub struct Line {
    edited: Edited,
    /// Which line of the past is shown, counted from the newest, and what was typed before.
    recalled: Option<(usize, String)>,
    offered: Option<Offered>,
    /// Whether a letter opened it: what was typed may have been meant for another window.
    pub by_letter: bool,
}

/// Ways to go on with a line.
#[derive(Debug, Clone)]
pub struct Offered {
    /// The line for which they were made.
    before: String,
    /// Where in it the replaced word begins, in bytes, and where it ends.
    start: usize,
    end: usize,
    /// All of them.
    pub all: Vec<Candidate>,
    /// Which one stands in the line.
    pub chosen: Option<usize>,
}

/// What a key did to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// Something, or nothing; the line goes on.
    Edited,
    /// The person wants it carried out.
    Submitted,
    /// The person leaves it.
    Left,
    /// The person wants it completed; forwards, or backwards through what is offered.
    Complete(bool),
    /// The person wants an earlier line, or a later one.
    Earlier,
    /// See [`Did::Earlier`].
    Later,
}

impl Line {
    /// A line that begins with `text`, the cursor behind it.
    pub fn with(text: &str) -> Self {
        Self {
            edited: Edited::new(text.to_owned()),
            ..Self::default()
        }
    }

    /// What is typed.
    pub fn text(&self) -> &str {
        self.edited.value()
    }

    /// How many bytes stand before the cursor.
    pub fn cursor(&self) -> usize {
        let before = self.text().char_indices().nth(self.edited.cursor());
        before.map_or(self.text().len(), |(at, _)| at)
    }

    /// What is offered to go on with.
    pub const fn offered(&self) -> Option<&Offered> {
        self.offered.as_ref()
    }

    /// Takes in a key.
    pub fn key(&mut self, key: Key) -> Did {
        use InputRequest as Do;
        let request = match (key.code, key.ctrl, key.alt) {
            (KeyCode::Enter, false, false) => return Did::Submitted,
            (KeyCode::Esc, ..) | (KeyCode::Char('c' | 'g'), true, false) => return Did::Left,
            (KeyCode::Tab, false, false) => return Did::Complete(true),
            (KeyCode::BackTab, false, false) => return Did::Complete(false),
            (KeyCode::Up, ..) | (KeyCode::Char('p'), true, false) => return Did::Earlier,
            (KeyCode::Down, ..) | (KeyCode::Char('n'), true, false) => return Did::Later,
            (KeyCode::Char(_), false, false) => match key.typed() {
                Some(character) if self.text().len() < LONGEST => Do::InsertChar(character),
                _ => return Did::Edited,
            },
            (KeyCode::Backspace, false, false) | (KeyCode::Char('h'), true, false) => {
                Do::DeletePrevChar
            }
            (KeyCode::Delete, ..) | (KeyCode::Char('d'), true, false) => Do::DeleteNextChar,
            (KeyCode::Left, false, false) | (KeyCode::Char('b'), true, false) => Do::GoToPrevChar,
            (KeyCode::Right, false, false) | (KeyCode::Char('f'), true, false) => Do::GoToNextChar,
            (KeyCode::Left, ..) | (KeyCode::Char('b'), false, true) => Do::GoToPrevWord,
            (KeyCode::Right, ..) | (KeyCode::Char('f'), false, true) => Do::GoToNextWord,
            (KeyCode::Home, ..) | (KeyCode::Char('a'), true, false) => Do::GoToStart,
            (KeyCode::End, ..) | (KeyCode::Char('e'), true, false) => Do::GoToEnd,
            (KeyCode::Backspace, ..) | (KeyCode::Char('w'), true, false) => Do::DeletePrevWord,
            (KeyCode::Char('u'), true, false) => Do::DeleteFromStart,
            (KeyCode::Char('k'), true, false) => Do::DeleteTillEnd,
            (KeyCode::Char('d'), false, true) => Do::DeleteNextWord,
            _ => return Did::Edited,
        };
        self.edited.handle(request);
        (self.offered, self.recalled) = (None, None);
        Did::Edited
    }

    /// Takes in a paste: as one line, harmless, at the cursor.
    pub fn insert(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.text().len());
        let text = text.trim_matches(['\n', '\r']);
        let text = text[..text.floor_char_boundary(room)].replace(['\n', '\r', '\t'], " ");
        let text = harmless(&text);
        let at = self.cursor();
        let (before, after) = self.text().split_at(at);
        let whole = format!("{before}{text}{after}");
        let cursor = self.edited.cursor() + text.chars().count();
        self.put(whole, cursor);
        (self.offered, self.recalled) = (None, None);
    }

    fn put(&mut self, text: String, cursor: usize) {
        self.edited = Edited::new(text).with_cursor(cursor);
    }

    /// Shows the line before the one that is shown, or the one after it.
    pub fn recall(&mut self, past: &Past, earlier: bool) {
        let (shown, typed) = match &self.recalled {
            Some((at, typed)) => (Some(*at), typed.clone()),
            None => (None, self.text().to_owned()),
        };
        let next = match (shown, earlier) {
            (None, true) => 0,
            (Some(at), true) => at + 1,
            (Some(at), false) if at > 0 => at - 1,
            (Some(_), false) => {
                self.recalled = None;
                return self.put(typed.clone(), typed.chars().count());
            }
            (None, false) => return,
        };
        let Some(line) = past.newest(next) else {
            return;
        };
        self.put(line.to_owned(), line.chars().count());
        self.recalled = Some((next, typed));
        self.offered = None;
    }

    /// Takes in what the text before the cursor may become: what all have in common is put in; `start` is where
    /// the replaced word begins.
    pub fn offer(&mut self, start: usize, all: Vec<Candidate>) {
        let end = self.cursor();
        let text = self.text();
        if start > end || !text.is_char_boundary(start) || all.is_empty() {
            self.offered = None;
            return;
        }
        let typed = &text[start..end];
        let common = common(&all);
        let before = text.to_owned();
        if let [one] = all.as_slice() {
            let replacement = one.replacement.clone();
            self.replace(&before, start, end, &replacement);
            self.offered = None;
            return;
        }
        if common.len() > typed.len() && common.starts_with(typed) {
            let common = common.to_owned();
            self.replace(&before, start, end, &common);
        }
        self.offered = Some(Offered {
            before: self.text().to_owned(),
            start,
            end: self.cursor(),
            all,
            chosen: None,
        });
    }

    /// Puts the next one of what is offered into the line, or the one before; whether anything is offered.
    pub fn next_offer(&mut self, forwards: bool) -> bool {
        let Some(offered) = &mut self.offered else {
            return false;
        };
        let count = offered.all.len();
        let next = match (offered.chosen, forwards) {
            (None, true) => 0,
            (None, false) => count - 1,
            (Some(at), true) => (at + 1) % count,
            (Some(at), false) => (at + count - 1) % count,
        };
        offered.chosen = Some(next);
        let (before, start, end) = (offered.before.clone(), offered.start, offered.end);
        let replacement = offered.all[next].replacement.clone();
        self.replace(&before, start, end, replacement.trim_end());
        true
    }

    fn replace(&mut self, text: &str, start: usize, end: usize, with: &str) {
        let whole = format!("{}{with}{}", &text[..start], &text[end..]);
        let cursor = text[..start].chars().count() + with.chars().count();
        self.put(whole, cursor);
    }
}

/// What all candidates begin with.
fn common(all: &[Candidate]) -> &str {
    let Some(first) = all.first() else {
        return "";
    };
    let mut length = first.replacement.len();
    for one in &all[1..] {
        let same = first
            .replacement
            .bytes()
            .zip(one.replacement.bytes())
            .take_while(|(a, b)| a == b);
        length = length.min(same.count());
    }
    &first.replacement[..first.replacement.floor_char_boundary(length)]
}

/// The lines that were typed before, in this run and in earlier ones.
#[derive(Debug, Clone, Default)]
pub struct Past {
    lines: Vec<String>,
}

impl Past {
    /// What earlier runs left, the oldest first; goes before what was typed meanwhile.
    pub fn read(&mut self, mut earlier: Vec<String>) {
        earlier.append(&mut self.lines);
        self.lines = earlier;
        self.bound();
    }

    /// Keeps a line. Whether it is to be kept in the file too: not the same again, and none that begins with a
    /// blank.
    pub fn add(&mut self, line: &str) -> bool {
        if line.starts_with(' ') || self.lines.last().is_some_and(|last| last == line) {
            return false;
        }
        self.lines.push(line.to_owned());
        self.bound();
        true
    }

    fn newest(&self, at: usize) -> Option<&str> {
        self.lines.iter().nth_back(at).map(String::as_str)
    }

    fn bound(&mut self) {
        let more = self.lines.len().saturating_sub(MOST_PAST);
        self.lines.drain(..more);
    }
}
