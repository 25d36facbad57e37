//! Whether a quotation stands on a screen: pure.
//!
//! A backend says which line of the screen it rests on. What it quotes was copied by a model, which joins what
//! the pane had wrapped, drops frames and adds quotation marks; so blanks and frames do not count, and nothing
//! else is forgiven.

use super::is_frame;

/// From so many characters on, a quotation may be a part of a line; a shorter one must be a whole line, for
/// two letters stand on every screen.
pub const PART_OF_LINE: usize = 8;

/// Whether `quote` stands in `text`: at least [`PART_OF_LINE`] characters of it in a row, or the whole of a
/// shorter line. Blanks, line ends and frames are ignored on both sides, and the marks that surround a quotation.
pub fn stands_in(text: &str, quote: &str) -> bool {
    let as_it_is = quote.trim();
    let bare = as_it_is.trim_matches(['"', '\'', '`', '“', '”', '„', '«', '»']);
    let bare = bare.trim_end_matches("...").trim_end_matches('…');
    holds(text, as_it_is) || holds(text, bare)
}

fn holds(text: &str, quote: &str) -> bool {
    let wanted = squeezed(quote);
    match wanted.chars().count() {
        0 => false,
        length if length < PART_OF_LINE => text.lines().any(|line| squeezed(line) == wanted),
        // a quotation may go on over a line's end
        _ => squeezed(text).contains(&wanted),
    }
}

/// What is left without blanks, frames and control characters.
fn squeezed(text: &str) -> String {
    let counts = |c: &char| !c.is_whitespace() && !c.is_control() && !is_frame(*c);
    text.chars().filter(counts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SCREEN: &str = "● Renamed the parser. All 12 tests pass, and the exam\n  ples build.\n\
        ✻ Brewed for 6s\n\n╭──────────────╮\n│ >\u{a0}           │\n╰──────────────╯\n  ok";

    #[test]
    fn a_quotation_is_found_as_models_copy_it() {
        let cases = [
            ("All 12 tests pass", true),
            ("All  12\ttests\u{a0}pass", true),
            ("`All 12 tests pass…`", true),
            ("\"All 12 tests pass...\"", true),
            // over a line's end, as it is and as it was meant
            ("the exam\nples build.", true),
            ("the examples build.", true),
            ("│ ✻ Brewed for 6s │", true),
            // short ones must be whole lines
            ("ok", true),
            (">", true),
            ("│ > │", true),
            ("6s", false),
            ("tests", false),
            // what is not there
            ("All 13 tests pass", false),
            ("all 12 tests pass", false),
            ("It waits for an instruction", false),
            ("", false),
            (" \n", false),
            ("\"\"", false),
            ("──────────────", false),
        ];
        for (quote, stands) in cases {
            assert_eq!(stands_in(SCREEN, quote), stands, "{quote:?}");
        }
        assert!(!stands_in("", "All 12 tests pass"));
    }

    proptest! {
        #[test]
        fn every_part_of_a_line_that_is_long_enough_stands_there(
            before in "[a-z ]{0,9}", part in "[a-z]{8,20}", after in "[a-z ]{0,9}"
        ) {
            let text = format!("x\n{before}{part}{after}\ny");
            prop_assert!(stands_in(&text, &part));
            let other = format!("{part}Z");
            prop_assert!(!stands_in(&text, &other));
        }

        #[test]
        fn any_quotation_of_any_text_is_judged_without_a_panic(text in any::<String>(), quote in any::<String>()) {
            let _ = stands_in(&text, &quote);
        }
    }
}
