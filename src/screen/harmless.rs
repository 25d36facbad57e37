//! Makes foreign text harmless for whatever shows it.

use std::borrow::Cow;

/// `text` without anything that a terminal would act on.
///
/// Newline and tab stay, `\r\n` becomes `\n`. Other control characters are shown as their pictures (`␛`),
/// and characters that reorder or hide text as `�`.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|one| picture(one).is_some()) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    Cow::Owned(
        text.chars()
            .map(|one| picture(one).unwrap_or(one))
            .collect(),
    )
}

/// What stands for a character that is not let through; `None`: it may stay.
pub(crate) fn picture(one: char) -> Option<char> {
    match one {
        '\n' | '\t' => None,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(one)),
        '\u{7f}' => Some('\u{2421}'),
        // C1 controls, among them CSI as one byte
        '\u{80}'..='\u{9f}'
        // bidirectional marks, embeddings, overrides and isolates
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // line and paragraph separators, zero-width blanks, interlinear marks, tags
        | '\u{2028}' | '\u{2029}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => {
            Some(char::REPLACEMENT_CHARACTER)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_shown_instead() {
        for (foreign, shown) in [
            ("plain text\n\twith 漢字", "plain text\n\twith 漢字"),
            ("\u{1b}[2J\u{1b}]52;c;eA==\u{7}", "␛[2J␛]52;c;eA==␇"),
            ("a\r\nb\rmo> /quit", "a\nb␍mo> /quit"),
            ("\u{9b}31m\u{7f}\0", "�31m␡␀"),
            ("user\u{202e}txt.exe", "user�txt.exe"),
            ("zero\u{200b}width\u{feff}", "zero�width�"),
            ("family 👨‍👩‍👧 stays", "family 👨‍👩‍👧 stays"),
        ] {
            assert_eq!(harmless(foreign), shown);
        }
    }
}
