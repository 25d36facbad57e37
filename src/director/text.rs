//! Decides which texts may be typed at all: pure.

use std::path::Path;

/// The longest text, in characters; one that the agent would fold goes into a file.
pub const LONGEST: usize = 16_000;

/// First characters that coding agents take as a command: a shell command, a slash command, a comment or
/// memory, a file, the shortcuts, an escape. Source: measured on Claude Code 2.1.329.
const COMMAND_MARKS: [char; 6] = ['!', '/', '#', '@', '?', '\\'];

/// Why a text is not typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextRefused {
    /// Nothing is left of it.
    #[error("the text is empty")]
    Empty,
    /// It is longer than [`LONGEST`].
    #[error(
        "the text has {0} characters, more than {LONGEST}: write it to a file, and tell the agent to read that"
    )]
    TooLong(usize),
    /// Agents would run it as a command.
    #[error("the text begins with `{0}`, which agents take as a command")]
    Command(char),
}

/// A backend's text as it may be typed: on one line, without control, direction and zero-width characters and
/// without escape sequences.
///
/// # Errors
/// When it is empty, too long, or begins with a character that agents take as a command.
pub fn instruction(text: &str) -> Result<String, TextRefused> {
    let visible = without_escapes(text);
    let visible = visible
        .chars()
        .filter(|c| !is_invisible(*c))
        .collect::<String>();
    let text = one_line(&visible);
    let length = text.chars().count();
    match text.chars().next() {
        None => Err(TextRefused::Empty),
        Some(first) if COMMAND_MARKS.contains(&first) => Err(TextRefused::Command(first)),
        Some(_) if length > LONGEST => Err(TextRefused::TooLong(length)),
        Some(_) => Ok(text),
    }
}

/// Refuses a text whose first character is one of `marks`: those that one kind of agent takes for more than text,
/// beyond the ones that [`instruction`] refuses for all.
///
/// # Errors
/// When it begins with one.
pub fn begins_with_none_of(text: &str, marks: &str) -> Result<(), TextRefused> {
    match text.chars().next().filter(|first| marks.contains(*first)) {
        Some(first) => Err(TextRefused::Command(first)),
        None => Ok(()),
    }
}

/// A person's text as it is typed: unchanged but for control characters, of which line breaks and tabs become
/// blanks.
///
/// # Errors
/// When nothing is left of it, or it is too long.
pub fn reply(text: &str) -> Result<String, TextRefused> {
    let visible = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c });
    let text: String = visible
        .filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))
        .collect();
    let text = text.trim();
    match text.chars().count() {
        0 => Err(TextRefused::Empty),
        // it would be folded in the prompt, where nobody could see whether it stands there
        length if length > LONGEST => Err(TextRefused::TooLong(length)),
        _ => Ok(text.to_owned()),
    }
}

/// Whether an agent that folds texts of more than `fold_chars` characters (0: never) or `fold_newlines` line
/// ends takes this one as it is.
pub fn fits(text: &str, fold_chars: usize, fold_newlines: usize) -> bool {
    let short = fold_chars == 0 || text.chars().count() <= fold_chars;
    short && text.matches('\n').count() <= fold_newlines
}

/// What an agent is told in place of a text that is in a file.
pub fn pointer(path: &Path) -> String {
    format!("Read the file {} and do what it says.", path.display())
}

/// A foreign text for people: on one line, without escape sequences and without what cannot be seen.
pub fn plain(text: &str) -> String {
    one_line(&without_escapes(text).replace(is_invisible, ""))
}

/// Control characters, and those that change what a reader sees without being seen: zero-width, direction,
/// variation and tag characters, the byte order mark, line and paragraph separators.
pub(super) fn is_invisible(c: char) -> bool {
    let blank = matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' | '\u{85}');
    (c.is_control() && !blank)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text
        .split(|c: char| c.is_whitespace() || c == '\u{85}')
        .filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// Takes out whole escape sequences, so that no `[31m` is left of them (ECMA-48: CSI, OSC and the like).
fn without_escapes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let kind = match c {
            '\u{1b}' => rest.next(),
            '\u{9b}' => Some('['),
            '\u{9d}' => Some(']'),
            _ => {
                kept.push(c);
                continue;
            }
        };
        match kind {
            Some('[') => {
                while rest.next_if(|c| matches!(c, '\u{20}'..='\u{3f}')).is_some() {}
                rest.next_if(|c| matches!(c, '\u{40}'..='\u{7e}'));
            }
            Some(']' | 'P' | '^' | '_' | 'X') => {
                while rest.next_if(|c| !c.is_control()).is_some() {}
                rest.next_if(|c| *c == '\u{7}');
            }
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_instruction_is_cleaned() {
        let cases = [
            ("Run the tests.", "Run the tests."),
            ("  Run\n the\r\n\ttests ", "Run the tests"),
            ("a\u{1b}[31mred\u{1b}[0m b", "ared b"),
            ("a\u{1b}[201~\rEVIL", "a EVIL"),
            ("a\u{9b}31mb", "ab"),
            ("a\u{1b}]0;title\u{7}b", "ab"),
            ("don\u{200b}'t\u{202e} st\u{7f}op\u{0}", "don't stop"),
            ("ta\u{e0041}g", "tag"),
            ("one\u{2028}two", "one two"),
        ];
        for (text, expected) in cases {
            assert_eq!(instruction(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_an_agent_would_take_as_a_command_is_refused() {
        for text in [
            "!rm -rf .",
            " /clear",
            "#x",
            "@file",
            "?",
            "\\",
            "\u{200b}!ls",
            "\u{1b}[m/help",
            "\n!ls",
        ] {
            assert!(
                matches!(instruction(text), Err(TextRefused::Command(_))),
                "{text:?}"
            );
        }
        assert_eq!(instruction(" \n\u{200b}"), Err(TextRefused::Empty));
        assert_eq!(
            instruction(&"ä".repeat(LONGEST)).map(|text| text.chars().count()),
            Ok(LONGEST)
        );
        assert_eq!(
            instruction(&"ä".repeat(LONGEST + 1)),
            Err(TextRefused::TooLong(LONGEST + 1))
        );
    }

    #[test]
    fn what_one_kind_of_agent_takes_as_a_command_is_refused_for_that_kind() {
        assert_eq!(
            begins_with_none_of("$ make", "&$"),
            Err(TextRefused::Command('$'))
        );
        for (text, marks) in [("$ make", ""), ("a & b", "&$"), ("", "&$")] {
            assert_eq!(begins_with_none_of(text, marks), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn a_reply_keeps_all_but_control_characters() {
        assert_eq!(
            reply("don't stop # yet \"x\" \\n").as_deref(),
            Ok("don't stop # yet \"x\" \\n")
        );
        assert_eq!(reply("/clear").as_deref(), Ok("/clear"));
        assert_eq!(reply("a\nb\tc\u{1b}[201~").as_deref(), Ok("a b c[201~"));
        assert_eq!(reply("\u{7}\r\n"), Err(TextRefused::Empty));
        assert_eq!(
            reply(&"x".repeat(LONGEST + 1)),
            Err(TextRefused::TooLong(LONGEST + 1))
        );
    }

    proptest! {
        #[test]
        fn no_instruction_can_press_a_key_of_its_own(text in any::<String>()) {
            for typed in [instruction(&text), reply(&text)].into_iter().flatten() {
                prop_assert!(!typed.chars().any(char::is_control));
                prop_assert_eq!(typed.trim(), &typed);
            }
            if let Ok(typed) = instruction(&text) {
                prop_assert_eq!(instruction(&typed), Ok(typed));
            }
        }
    }
}
