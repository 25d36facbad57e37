//! Measures what is new on a screen since an earlier one.

use std::collections::{HashSet, VecDeque};
use std::hash::Hasher;

use fnv::FnvHasher;

use super::{Screen, inside_frame, says_something};

/// How a [`Change::summary`] begins where nothing is new.
pub const NOTHING_NEW: &str = "the screen showed nothing new";

/// What came after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Lines that were not there before, the echo of our own text left out.
    pub new_lines: usize,
    /// The last line that says something.
    pub last_line: String,
}

impl Change {
    /// From `before` to `after`; `echo` is what we typed in between.
    pub fn between(before: &Screen, after: &Screen, echo: &str) -> Self {
        let known: HashSet<&str> = before.lines().map(inside_frame).collect();
        let echo = squash(echo);
        let is_new = |line: &&str| says(line) && !known.contains(line) && !is_echo(line, &echo);
        let new: Vec<&str> = after.lines().map(inside_frame).filter(is_new).collect();
        let last = new
            .last()
            .copied()
            .or_else(|| after.last_line())
            .unwrap_or_default();
        Self {
            new_lines: new.len(),
            last_line: last.chars().take(200).collect(),
        }
    }

    /// The change in a sentence, as it goes into a memo.
    pub fn summary(&self) -> String {
        let amount = match self.new_lines {
            0 => NOTHING_NEW.to_owned(),
            1 => "1 new line".to_owned(),
            lines => format!("{lines} new lines"),
        };
        if self.last_line.is_empty() {
            amount
        } else {
            format!("{amount}; last: {}", self.last_line)
        }
    }
}

/// The lines that an agent has shown lately, so that an answer given for the third time is not taken for
/// progress. Times do not count: clocks and timers would make every line a new one.
#[derive(Debug, Clone, Default)]
pub struct SeenLines {
    order: VecDeque<u64>,
    known: HashSet<u64>,
}

impl SeenLines {
    /// How many lines are remembered.
    const KEPT: usize = 2048;

    /// Remembers `screen`, and says how many of its lines, the echo of `echo` left out, were not known.
    pub fn learn(&mut self, screen: &Screen, echo: &str) -> usize {
        let echo = squash(echo);
        let mut new = 0;
        for line in screen.lines().map(inside_frame).filter(|line| says(line)) {
            let key = shape(line);
            if self.known.insert(key) {
                self.order.push_back(key);
                new += usize::from(!is_echo(line, &echo));
            }
            while self.order.len() > Self::KEPT {
                if let Some(oldest) = self.order.pop_front() {
                    self.known.remove(&oldest);
                }
            }
        }
        new
    }
}

/// Whether a line says something of its own, and does not just tell how long an agent worked, in words that
/// it picks at random: `✻ Brewed for 6s`.
fn says(line: &str) -> bool {
    says_something(line) && !line.starts_with(['✻', '✶', '✢', '✳', '✽', '✺', '·'])
}

/// The hash of a line with its times left out: `6s`, `1m 20s`, `3:21`, `0.34s`, `12%`.
fn shape(line: &str) -> u64 {
    let mut hasher = FnvHasher::default();
    let mut number = String::new();
    for c in line.chars().filter(|c| !c.is_whitespace()).chain(['\0']) {
        if c.is_ascii_digit() || (c == '.' && !number.is_empty()) {
            number.push(c);
            continue;
        }
        let is_time = matches!(c, 's' | 'm' | 'h' | '%' | ':') || number.starts_with(':');
        if !is_time {
            hasher.write(number.as_bytes());
        }
        number.clear();
        hasher.write_u32(u32::from(c));
        if c == ':' {
            number.push(c);
        }
    }
    hasher.finish()
}

/// Whether a line is our own text, or a part of it that was wrapped, with no more than a marker before it.
pub(super) fn is_echo(line: &str, echo: &str) -> bool {
    let line = squash(line);
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    !echo.is_empty() && !line.is_empty() && echo.contains(line)
}

/// `text` without any blanks: screens wrap where they like.
pub fn squash(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: &str, after: &str, echo: &str) -> Change {
        Change::between(&Screen::read(before), &Screen::read(after), echo)
    }

    #[test]
    fn our_own_text_is_no_change() {
        let before = "● step 1\n> ";
        let after = "● step 1\n> go on with\n  step two\n● Understood\n> ";
        assert_eq!(change(before, after, "go on with step two").new_lines, 1);
        assert_eq!(change(before, after, "").new_lines, 3);
        assert_eq!(
            change(before, before, "x").summary(),
            "the screen showed nothing new; last: ● step 1"
        );
    }

    #[test]
    fn an_answer_given_again_is_not_new_though_its_times_differ() {
        let mut seen = SeenLines::default();
        assert_eq!(seen.learn(&Screen::read("done at 3:21\nstep 1"), ""), 2);
        assert_eq!(seen.learn(&Screen::read("done at 4:05\nstep 2"), ""), 1);
        assert_eq!(
            seen.learn(&Screen::read("● Nothing to do.\n✻ Brewed for 6s"), ""),
            1
        );
        assert_eq!(
            seen.learn(
                &Screen::read("● Nothing to do.\n✻ Cooked for 12s\n> go on"),
                "go on"
            ),
            0
        );
        assert_eq!(
            seen.learn(&Screen::read("● Nothing to do.\n● Found a bug"), ""),
            1
        );
    }

    #[test]
    fn what_is_remembered_stays_bounded() {
        let mut seen = SeenLines::default();
        for round in 0..3 * SeenLines::KEPT {
            let word: String = format!("{round:b}").replace('0', "a").replace('1', "b");
            seen.learn(&Screen::read(&format!("line {word}")), "");
        }
        assert_eq!(
            (seen.order.len(), seen.known.len()),
            (SeenLines::KEPT, SeenLines::KEPT)
        );
    }
}
