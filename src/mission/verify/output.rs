//! What a command said: whether a line of it is as it should be, and its end, fit to be shown.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::screen::harmless::harmless;
use crate::screen::{self, Screen};

/// How much of the end of the output is kept, in characters and in lines.
const TAIL_CHARS: usize = 4_000;
/// See there.
const TAIL_LINES: usize = 60;
/// How much of it the standard output is left with at least, where there is that much of it.
const STDOUT_CHARS: usize = 1_500;
/// From how much of the end of each the tail is made, in bytes.
const LOOKED_AT: usize = 64 * 1024;

/// Whether a line of either output matches.
pub(super) fn matches(pattern: &Regex, stdout: &[u8], stderr: &[u8]) -> bool {
    [stdout, stderr].into_iter().any(|said| {
        let text = String::from_utf8_lossy(said);
        text.lines().any(|line| pattern.is_match(line))
    })
}

/// The end of both outputs, the standard output first: at most 4,000 characters in 60 lines, without anything that
/// a terminal would act on.
pub(super) fn tail(stdout: &[u8], stderr: &[u8]) -> String {
    let (stdout, stderr) = (clean(stdout), clean(stderr));
    let stdout_chars = stdout.chars().count().min(STDOUT_CHARS);
    let stderr = screen::tail(&stderr, TAIL_CHARS - stdout_chars);
    let stdout = screen::tail(&stdout, TAIL_CHARS - stderr.chars().count());
    let mut lines: Vec<&str> = stdout.lines().chain(stderr.lines()).collect();
    let cut = lines.len().saturating_sub(TAIL_LINES);
    lines.drain(..cut);
    lines.join("\n")
}

fn clean(said: &[u8]) -> String {
    let said = &said[said.len().saturating_sub(LOOKED_AT)..];
    let text = String::from_utf8_lossy(said);
    let text = without_sequences(&text);
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        // as a terminal would show a line that overwrites itself
        let line = line.trim_end_matches('\r');
        let line = line.rsplit('\r').next().unwrap_or_default();
        kept.push_str(line);
        kept.push('\n');
    }
    let screen = Screen::read(&kept);
    harmless(screen.text()).trim_matches('\n').to_owned()
}

/// `text` without what colours it or moves a cursor (ECMA-48 control sequences and operating system commands).
fn without_sequences(text: &str) -> Cow<'_, str> {
    static SEQUENCES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])").ok()
    });
    SEQUENCES
        .as_ref()
        .map_or(Cow::Borrowed(text), |pattern| pattern.replace_all(text, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tail_is_the_end_of_both_without_what_a_terminal_acts_on() {
        for (stdout, stderr, expected) in [
            (&b"a\nb\n"[..], &b"c\n"[..], "a\nb\nc"),
            (b"\x1b[31mred\x1b[0m \x1b]0;title\x07end", b"", "red end"),
            (b"10%\r50%\r100%\r\nnext", b"", "100%\nnext"),
            (b"\xff\xfe bad", b"\0\x07", "\u{fffd}\u{fffd} bad"),
            ("a\u{202e}b".as_bytes(), b"", "a\u{fffd}b"),
            (b"", b"", ""),
        ] {
            assert_eq!(tail(stdout, stderr), expected);
        }
        let long = "0123456789\n".repeat(10_000);
        let shown = tail(long.as_bytes(), b"why");
        assert!(shown.ends_with("0123456789\nwhy") && shown.lines().count() == TAIL_LINES);
        let wide = "x".repeat(10_000);
        let shown = tail(wide.as_bytes(), wide.as_bytes());
        assert_eq!(shown.chars().filter(|c| *c == 'x').count(), TAIL_CHARS);
    }

    #[test]
    fn one_line_must_match_by_itself() {
        let matches = |pattern: &str, stdout: &str, stderr: &str| {
            let pattern = Regex::new(pattern).unwrap();
            super::matches(&pattern, stdout.as_bytes(), stderr.as_bytes())
        };
        assert!(matches("^ok$", "no\r\nok\r\n", ""));
        assert!(matches("^ok$", "", "ok"));
        assert!(!matches("a.b", "a\nb", ""));
        assert!(!matches("^$", "", ""));
    }

    proptest! {
        #[test]
        fn any_output_has_a_bounded_tail(
            stdout in proptest::collection::vec(any::<u8>(), 0..9_000),
            stderr in proptest::collection::vec(any::<u8>(), 0..9_000),
        ) {
            let tail = tail(&stdout, &stderr);
            prop_assert!(tail.chars().count() <= TAIL_CHARS + 1);
            prop_assert!(!tail.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}
