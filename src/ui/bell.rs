//! A ring as a terminal takes it: BEL, and the notices of OSC 9 and OSC 777 for terminals that show them.
//!
//! What is rung for holds foreign text; none of it reaches the terminal as anything but plain characters within
//! the two notices, and not much of it. Pure; every front end with a terminal calls [`sequence`].

use crate::command::Ring;
use crate::command::text::one_line;

/// The longest title and body, in characters.
const TITLE: usize = 100;
const BODY: usize = 300;

/// What to write to the terminal, once, for this ring. Nothing of it is seen on the screen.
///
/// BEL; OSC 9 (iTerm2, kitty, Windows Terminal, foot ...) and OSC 777 `notify` (urxvt, foot, `WezTerm` ...), each
/// ended by ST. Sources: <https://iterm2.com/documentation-escape-codes.html>,
/// <https://codeberg.org/dnkl/foot/wiki#user-content-how-do-i-get-desktop-notifications>.
pub fn sequence(ring: &Ring) -> String {
    let (title, body) = (plain(&ring.title, TITLE), plain(&ring.body, BODY));
    format!("\x07\x1b]9;{title}\x1b\\\x1b]777;notify;{title};{body}\x1b\\")
}

/// On one line, without what a terminal would act on and without what would end a field.
fn plain(text: &str, longest: usize) -> String {
    let text = one_line(text);
    let kept = text.chars().filter(|one| !one.is_control());
    kept.take(longest)
        .map(|one| if one == ';' { ',' } else { one })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ring(title: &str, body: &str) -> Ring {
        Ring {
            title: title.into(),
            body: body.into(),
        }
    }

    #[test]
    fn a_ring_is_a_bell_and_two_notices() {
        let said = sequence(&ring("2 agents wait for you", "a1, b7\na1: yes; or no?"));
        assert_eq!(
            said,
            "\x07\x1b]9;2 agents wait for you\x1b\\\x1b]777;notify;2 agents wait for you;a1, b7 a1: yes, or no?\x1b\\"
        );
    }

    proptest! {
        #[test]
        fn nothing_foreign_breaks_out_of_a_notice(
            title in any::<String>(),
            body in "[\u{0}-\u{ff}]*",
        ) {
            let said = sequence(&ring(&title, &body));
            let within = said.strip_prefix("\x07\x1b]9;").and_then(|said| said.strip_suffix("\x1b\\")).unwrap();
            let (first, second) = within.split_once("\x1b\\\x1b]777;notify;").unwrap();
            for part in [first, second] {
                prop_assert!(!part.chars().any(char::is_control), "{part:?}");
            }
            prop_assert!(!first.contains(';') && second.matches(';').count() == 1);
            prop_assert!(said.chars().count() < 2 * TITLE + BODY + 40);
        }
    }
}
