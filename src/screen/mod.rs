//! What the text of a pane says, and nothing else: pure functions over text that nobody trusts.
//!
//! [`Screen`] is a pane's text at one moment, cleaned, with its digest. [`styled`] tells what somebody typed
//! from what an agent only suggests; [`prompt`] finds where typed text would land and what stands there;
//! [`dialog`] says whether something on the screen looks like one; [`quote`] whether a quotation stands there;
//! [`reset`] when a usage limit ends; [`change`] measures what is new between two screens;
//! [`harmless`] takes out what a terminal would act on. No clock, no process, no file: who calls (`agent`, `hands`, `director`) brings the text.

pub mod change;
pub mod dialog;
pub mod harmless;
pub mod history;
pub mod profile;
pub mod prompt;
pub mod quote;
pub mod recognise;
pub mod reset;
pub mod state;
pub mod styled;
pub mod told;

use std::fmt;
use std::hash::Hasher;

use fnv::FnvHasher;

/// The FNV-1a hash of a cleaned screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(u64);

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// The text of a pane at one moment: no line ends in blanks, none blank stands at the end, and no control
/// character is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    text: String,
    digest: Digest,
}

impl Screen {
    /// Cleans `raw` and hashes it. Line ends may be `\n` or `\r\n`.
    pub fn read(raw: &str) -> Self {
        let mut text = String::with_capacity(raw.len());
        for line in raw.split('\n') {
            let line = line.strip_suffix('\r').unwrap_or(line);
            // most lines are clean, and copying is ten times as fast as filtering
            if has_control(line) {
                let start = text.len();
                let visible = |c: &char| !c.is_control() || *c == '\t';
                text.extend(line.chars().filter(visible));
                let kept = start + text[start..].trim_end().len();
                text.truncate(kept);
            } else {
                text.push_str(line.trim_end());
            }
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        let digest = digest_of(&text);
        Self { text, digest }
    }

    /// The same screen, told from others by `still`: its text without what moves and means nothing.
    #[must_use]
    pub fn told_by(self, still: &str) -> Self {
        Self {
            digest: digest_of(still),
            ..self
        }
    }

    /// The cleaned text, without a newline at the end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its lines, from the top.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.text.lines()
    }

    /// Two screens with the same digest count as the same.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether there is nothing on it.
    pub fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    /// The last line that says something: the frames of boxes and lone prompts are passed over.
    pub fn last_line(&self) -> Option<&str> {
        self.lines()
            .rev()
            .map(inside_frame)
            .find(|line| says_something(line))
    }
}

/// The FNV-1a hash of a text.
fn digest_of(text: &str) -> Digest {
    let mut hasher = FnvHasher::default();
    hasher.write(text.as_bytes());
    Digest(hasher.finish())
}

/// The last `chars` characters of `text`, from the beginning of a line where one is near.
pub fn tail(text: &str, chars: usize) -> &str {
    if chars == 0 {
        return "";
    }
    let Some((start, _)) = text.char_indices().rev().nth(chars - 1) else {
        return text;
    };
    let cut = &text[start..];
    let at_line_start = start == 0 || text[..start].ends_with('\n');
    match cut.split_once('\n') {
        Some((partial, rest)) if !at_line_start && partial.len() < 400 => rest,
        _ => cut,
    }
}

/// Whether `line` holds a control character other than a tab. In UTF-8 those above U+007F are 0xC2 and a byte
/// below 0xA0.
fn has_control(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| match byte {
        b'\t' => false,
        0x00..0x20 | 0x7f => true,
        0xc2 => bytes.get(at + 1).is_some_and(|next| *next < 0xa0),
        _ => false,
    })
}

/// The characters that frames, rules and rails are drawn with.
fn is_frame(c: char) -> bool {
    matches!(c, '\u{2500}'..='\u{257f}' | '▀'..='▟' | '|' | '⎿')
}

/// `line` without the frame at its two ends and the blanks inside it.
fn inside_frame(line: &str) -> &str {
    line.trim_matches(|c: char| is_frame(c) || c.is_whitespace())
}

/// Whether `line` is a rule: nothing but frame, at least eight cells of it.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().take(8).count() == 8 && line.chars().all(is_frame)
}

fn says_something(line: &str) -> bool {
    line.chars().filter(|c| c.is_alphanumeric()).take(2).count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blanks_and_line_ends_do_not_change_the_digest() {
        let clean = Screen::read("a\n  b");
        for raw in [
            "a\n  b",
            "a  \r\n  b\r\n",
            "a\n  b \n\n \n",
            "a\n  b\u{a0}\n",
        ] {
            assert_eq!(Screen::read(raw), clean, "{raw:?}");
        }
        assert_ne!(Screen::read("a\nb").digest(), clean.digest());
        assert!(Screen::read(" \r\n\n").is_blank());
    }

    #[test]
    fn the_digest_is_fnv_1a_of_64_bits() {
        // the value that the algorithm's authors publish for "foobar"
        assert_eq!(
            Screen::read("foobar").digest().to_string(),
            "85944171f73967e8"
        );
    }

    #[test]
    fn the_tail_is_cut_between_characters_and_begins_a_line_where_it_can() {
        assert_eq!(tail("ab\ncd\nef", 6), "cd\nef");
        assert_eq!(tail("ab\ncd\nef", 5), "cd\nef");
        assert_eq!(tail("ab\ncd\nef", 4), "ef");
        assert_eq!(tail("äöü", 2), "öü");
        assert_eq!(tail("abc", 3), "abc");
        assert_eq!(tail("abc", 0), "");
    }

    #[test]
    fn the_last_line_that_says_something_is_neither_frame_nor_prompt() {
        let screen =
            Screen::read("● All tests pass.\n\n────────────\n│ ❯          │\n╰──────────╯\n");
        assert_eq!(screen.last_line(), Some("● All tests pass."));
        assert_eq!(Screen::read("").last_line(), None);
    }

    proptest! {
        #[test]
        fn a_control_character_is_never_missed(text in r"[\t\PC]{0,3}[\x00-\xff]{0,2}") {
            let has_one = text.chars().any(|c| c.is_control() && c != '\t');
            prop_assert_eq!(has_control(&text), has_one, "{:?}", text);
        }

        #[test]
        fn any_text_is_cleaned_once_and_for_all(raw in any::<String>()) {
            let once = Screen::read(&raw);
            prop_assert_eq!(&Screen::read(once.text()), &once);
            prop_assert!(!once.text().chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }

        #[test]
        fn a_tail_is_a_suffix_and_never_longer_than_asked(text in any::<String>(), chars in 0_usize..50) {
            let cut = tail(&text, chars);
            prop_assert!(text.ends_with(cut) && cut.chars().count() <= chars);
        }
    }
}
