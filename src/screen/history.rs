//! The distinct screens that were seen lately: programs on the alternate screen have no scrollback, so who
//! wants more history than one screen keeps it himself.

use std::collections::{HashSet, VecDeque};

use super::{Digest, Screen, tail};

/// A bounded run of screens, the oldest dropped first.
#[derive(Debug, Clone, Default)]
pub struct History {
    screens: VecDeque<(Digest, String)>,
    bytes: usize,
}

impl History {
    /// How many bytes of text are kept for one agent.
    const BYTES: usize = 48 * 1024;

    /// Adds a screen, unless it is the newest already.
    pub fn push(&mut self, screen: &Screen) {
        let known = self
            .screens
            .back()
            .is_some_and(|(digest, _)| *digest == screen.digest());
        if known || screen.is_blank() {
            return;
        }
        self.bytes += screen.text().len();
        self.screens
            .push_back((screen.digest(), screen.text().to_owned()));
        while self.bytes > Self::BYTES && self.screens.len() > 1 {
            if let Some((_, oldest)) = self.screens.pop_front() {
                self.bytes -= oldest.len();
            }
        }
    }

    /// The last `chars` characters of what was seen, the oldest first; lines that a screen shares with the one
    /// before it stand once.
    pub fn text(&self, chars: usize) -> String {
        let mut text = String::new();
        let mut shown: HashSet<&str> = HashSet::new();
        for (_, screen) in &self.screens {
            for line in screen
                .lines()
                .filter(|line| line.trim().is_empty() || !shown.contains(line))
            {
                text.push_str(line);
                text.push('\n');
            }
            shown = screen.lines().collect();
        }
        tail(text.trim_end(), chars).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_that_scroll_are_joined() {
        let mut history = History::default();
        for screen in ["one\ntwo", "one\ntwo", "two\nthree", "three\nfour"] {
            history.push(&Screen::read(screen));
        }
        assert_eq!(history.text(1000), "one\ntwo\nthree\nfour");
        assert_eq!(history.text(10), "three\nfour");
    }

    #[test]
    fn only_so_much_is_kept() {
        let mut history = History::default();
        for number in 0..100 {
            history.push(&Screen::read(&format!("{number}\n{}", "x".repeat(4000))));
        }
        assert!(history.bytes <= History::BYTES);
        assert!(history.text(100_000).ends_with("\n99"));
    }
}
