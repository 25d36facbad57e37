//! Says whether something on a screen looks like a dialog, in which a key is an answer.
//!
//! Until profiles know each agent's screens better, this is broad on purpose: a nudge withheld because an
//! answer quoted a menu is recoverable, a text typed into a menu is not.

use std::sync::LazyLock;

use regex::RegexSet;

use super::change::{is_echo, squash};
use super::{Screen, inside_frame};

/// How many rows from the bottom are looked at.
pub const ROWS: usize = 25;

#[expect(
    clippy::unwrap_used,
    reason = "constant patterns, compiled by the tests"
)]
static MARKS: LazyLock<RegexSet> = LazyLock::new(|| {
    // Word borders are those of ASCII: with Unicode's, the regex crate leaves its fast path at every letter
    // outside ASCII, and frames are nothing else. A border more than Unicode sees errs on the broad side.
    RegexSet::new([
        // an option with a marker: `❯ 1. Yes`, `● 1. Trust folder`, `> 2) No`
        r"^(?:[❯›»>→▶●◉⦿*•]|\[[ xX*]\]|\([ xX*]\))\s*\d{1,2}[.)]\s",
        // a numbered choice of the usual words, with the marker elsewhere
        r"(?i)^\d{1,2}[.)]\s+(?:yes|no|allow|approve|deny|reject|cancel|trust|accept|update)(?-u:\b)",
        // a list of choices with bullets: `○ Postgres`, `◉ SQLite`, `☐ Database`
        r"^[○◯◉⦿☐☑☒]\s+\S",
        // y/n in its many forms
        r"(?i)(?:^|[\s\[(])\(?y(?:es)?\)?\s?/\s?\(?n(?:o)?\)?(?:$|[\s\])?:/.…(])",
        r"(?i)(?-u:\b)y\(es\)|\(y\)es(?-u:\b)|\(n\)o(?-u:\b)",
        // keys that are offered: `Enter to confirm`, `esc dismiss`, `(esc)`
        r"(?i)(?-u:\b)(?:enter|return|esc|escape)\s+to\s+\S",
        r"(?i)(?-u:\b)(?:enter|return|esc|escape)\s+(?:confirm|select|submit|choose|cancel|dismiss|close|continue|approve|interrupt|again)",
        r"(?i)[(\[]\s*esc(?:ape)?\s*[)\]]",
        r"(?i)press\s+(?:any\s+key|enter|return|space|y(?-u:\b))",
        // questions that ask for a permission, whatever the options look like
        r"(?i)(?-u:\b)do you (?:want|trust|wish) (?:to|the)(?-u:\b).*\?|permission required|allow once|allow always",
        // passwords and pagers
        r"(?i)(?:password|passphrase|passcode)[^:]{0,60}:\s*$|^--more--|^\(END\)$",
    ])
    .unwrap()
});

/// The lowest line that looks like a part of a dialog, if any of the last [`ROWS`] does.
pub fn find(screen: &Screen) -> Option<&str> {
    find_apart_from(screen, "")
}

/// The same, but for lines that are the echo of `typed`, our own text: it may speak of dialogs.
pub fn find_apart_from<'a>(screen: &'a Screen, typed: &str) -> Option<&'a str> {
    let typed = squash(typed);
    let rows = screen.lines().rev().take(ROWS).map(inside_frame);
    rows.filter(|line| !line.is_empty() && MARKS.is_match(line))
        .find(|line| !is_echo(line, &typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_dialog_is_found() {
        for line in [
            " ❯ 1. Yes",
            "› 1. Yes, proceed (y)",
            "│ ● 1. Trust folder (dir)                       │",
            "   2. Yes, and don't ask again for make test",
            " ☐ Database",
            "Overwrite? [y/N]",
            "Continue (y/n)?",
            "Proceed? (Y)es/(N)o [Yes]:",
            "Delete it? yes/no",
            " Esc to cancel · Tab to amend",
            "Enter to select · ↑/↓ to navigate",
            "  Press enter to confirm or esc to cancel",
            "  ┃   Allow once   Allow always   Reject      ctrl+f fullscreen  ⇆ select  enter confirm",
            "  3. No, and tell Codex what to do differently (esc)",
            " Do you want to proceed?",
            "[sudo] password for joe:",
            "--More--",
            "  esc interrupt",
        ] {
            assert!(find(&Screen::read(line)).is_some(), "{line}");
        }
    }

    #[test]
    fn what_an_idle_agent_shows_is_no_dialog() {
        for line in [
            "❯ ",
            "  ? for shortcuts · ← for agents",
            "  ⏵⏵ auto mode on (shift+tab to cycle)",
            "● I fixed 1. the parser and 2. the lexer.",
            "1. Read the file",
            "- [x] done",
            "> ",
            "Which database should the service use?",
            "see src/y/n.rs",
            "  ctrl+p commands",
            "The entry to the cave is closed.",
            "password: changed the hashing of it",
        ] {
            assert_eq!(find(&Screen::read(line)), None, "{line}");
        }
    }

    #[test]
    fn only_the_last_rows_count() {
        let old = format!("Continue? [y/N]\n{}", "work\n".repeat(ROWS));
        assert_eq!(find(&Screen::read(&old)), None);
    }
}
