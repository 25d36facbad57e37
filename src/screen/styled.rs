//! Tells what is solid on a screen from what is faint.
//!
//! A placeholder or a suggestion inside a prompt looks like text that somebody typed, but for its styling:
//! agents draw it dim, or in the terminal's dark grey. Its first cell may be drawn in reverse, as the agent's
//! own cursor. A plain dump cannot tell them apart; `dump-screen --ansi` can.

/// The text of a styled dump with all styling removed; and the same with a blank for every faint character.
pub fn texts(styled: &str) -> (String, String) {
    let (mut all, mut solid) = (
        String::with_capacity(styled.len()),
        String::with_capacity(styled.len()),
    );
    // whether the last character is drawn in reverse, and would be an agent's cursor before a faint one
    let mut after_reverse = false;
    runs(styled, |text, style| {
        all.push_str(text);
        if !style.faint {
            solid.push_str(text);
            after_reverse = style.reverse && !text.ends_with('\n');
            return;
        }
        if after_reverse && !text.starts_with('\n') {
            solid.pop();
            solid.push(' ');
        }
        after_reverse = false;
        solid.extend(text.chars().map(|c| if c == '\n' { c } else { ' ' }));
    });
    (all, solid)
}

/// The text of a styled dump with all styling removed.
pub fn text(styled: &str) -> String {
    texts(styled).0
}

/// The last cell that is drawn in reverse, by row and character from 0: where an agent draws its own cursor.
pub fn reversed(styled: &str) -> Option<(usize, usize)> {
    let (mut row, mut column, mut last) = (0, 0, None);
    runs(styled, |text, style| {
        for c in text.chars() {
            if c == '\n' {
                (row, column) = (row + 1, 0);
                continue;
            }
            if style.reverse {
                last = Some((row, column));
            }
            column += 1;
        }
    });
    last
}

/// Which rows show anything in reverse.
pub fn reversed_rows(styled: &str) -> Vec<bool> {
    let mut rows = vec![false];
    runs(styled, |text, style| {
        for (at, part) in text.split('\n').enumerate() {
            if at > 0 {
                rows.push(false);
            }
            if let Some(row) = rows.last_mut() {
                *row |= style.reverse && !part.is_empty();
            }
        }
    });
    rows
}

/// What lies behind each character, row by row; equal numbers mean the same colour.
pub fn backgrounds(styled: &str) -> Vec<Vec<u64>> {
    let mut rows = vec![Vec::new()];
    runs(styled, |text, style| {
        for c in text.chars() {
            if c == '\n' {
                rows.push(Vec::new());
            } else if let Some(row) = rows.last_mut() {
                row.push(style.background);
            }
        }
    });
    rows
}

/// A piece of a styled dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text without an escape character, never empty; other control characters are as they came.
    Text(&'a str),
    /// How what follows is drawn: the parameters of an SGR sequence (ECMA-48, 8.3.117), bounded.
    Style(&'a str),
}

/// Hands over the pieces of a dump in their order. Sequences that set no styling are left out.
pub fn pieces<'a>(styled: &'a str, mut take: impl FnMut(Piece<'a>)) {
    let mut rest = styled;
    loop {
        let (text, sequence) = rest.split_once('\u{1b}').unwrap_or((rest, ""));
        if !text.is_empty() {
            take(Piece::Text(text));
        }
        if text.len() == rest.len() {
            return;
        }
        let (parameters, after) = escape(sequence);
        if let Some(parameters) = parameters {
            take(Piece::Style(parameters));
        }
        rest = after;
    }
}

/// Hands over the texts of a dump that are drawn alike, in their order; none of them is empty.
fn runs(styled: &str, mut take: impl FnMut(&str, Style)) {
    let mut style = Style::default();
    pieces(styled, |piece| match piece {
        Piece::Text(text) => take(text, style),
        Piece::Style(parameters) => follow(parameters, &mut style),
    });
}

#[derive(Debug, Clone, Copy, Default)]
struct Style {
    faint: bool,
    dark: bool,
    reverse: bool,
    /// The parameters that set it, as one number; 0: the terminal's own.
    background: u64,
}

/// The longest parameters that are heeded, in bytes.
const MAX_PARAMETERS: usize = 64;

/// Reads the rest of an escape sequence: its parameters, where it sets styling (SGR), and what comes after it.
fn escape(sequence: &str) -> (Option<&str>, &str) {
    let mut rest = sequence.chars();
    match rest.next() {
        Some('[') => {}
        Some(']') => return (None, after_string(rest.as_str())),
        _ => return (None, rest.as_str()),
    }
    let rest = rest.as_str();
    let is_end = |c: char| matches!(c, '\u{40}'..='\u{7e}');
    let Some(end) = rest.find(is_end) else {
        return (None, "");
    };
    let (parameters, after) = rest.split_at(end);
    let bounded = parameters.get(..MAX_PARAMETERS).unwrap_or(parameters);
    (after.starts_with('m').then_some(bounded), &after[1..])
}

/// What comes after an operating system command, which ends with BEL or ESC `\`.
fn after_string(rest: &str) -> &str {
    let Some(end) = rest.find(['\u{7}', '\u{1b}']) else {
        return "";
    };
    let (_, after) = rest.split_at(end);
    let is_bell = after.starts_with('\u{7}');
    let mut after = after[1..].chars();
    if !is_bell {
        after.next();
    }
    after.as_str()
}

fn follow(parameters: &str, style: &mut Style) {
    let mut codes = parameters
        .split([';', ':'])
        .map(|code| code.parse().unwrap_or(0_u16));
    while let Some(code) = codes.next() {
        match code {
            0 => *style = Style::default(),
            2 => style.faint = true,
            22 => style.faint = style.dark,
            7 => style.reverse = true,
            27 => style.reverse = false,
            90 => set_dark(style, true),
            30..=37 | 39 | 91..=97 => set_dark(style, false),
            38 => {
                let dark = codes.next() == Some(5) && codes.next() == Some(8);
                set_dark(style, dark);
                return;
            }
            40..=47 | 100..=107 => style.background = u64::from(code),
            49 => style.background = 0,
            48 => {
                let fold = |sum: u64, code: u16| (sum << 12) ^ u64::from(code);
                style.background = codes.fold(u64::from(code), fold);
                return;
            }
            _ => {}
        }
    }
}

/// Bright black is the colour that faint text has in most themes.
fn set_dark(style: &mut Style, dark: bool) {
    if style.dark != dark {
        style.dark = dark;
        style.faint = dark;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn faint_text_becomes_blank_and_typed_text_stays() {
        let cases = [
            ("❯ \u{1b}[2mTry \"refactor\"\u{1b}[0m", "❯"),
            (
                "❯ \u{1b}[7mT\u{1b}[27m\u{1b}[2mry it\u{1b}[22m!",
                "❯       !",
            ),
            ("❯ \u{1b}[90mgrey\u{1b}[39m typed", "❯      typed"),
            ("\u{1b}[38;5;8mgrey\u{1b}[mx", "    x"),
            ("\u{1b}[38;5;12mblue\u{1b}[1mbold", "bluebold"),
            ("\u{1b}[38;2;2;2;2mrgb", "rgb"),
            ("\u{1b}[7mselected\u{1b}[0m row", "selected row"),
            ("a\u{1b}]0;title\u{7}b\u{1b}]8;;x\u{1b}\\c", "abc"),
            ("\u{1b}[2mdim\nstill dim", ""),
            ("cut \u{1b}[2", "cut"),
        ];
        for (styled, expected) in cases {
            assert_eq!(texts(styled).1.trim_end(), expected, "{styled:?}");
        }
    }

    #[test]
    fn the_last_reversed_cell_is_the_drawn_cursor() {
        let cases = [
            ("no cursor", None),
            ("> \u{1b}[7mT\u{1b}[27mype", Some((0, 2))),
            ("\u{1b}[7ma\u{1b}[m b\nbé\u{1b}[7m \u{1b}[0m", Some((1, 2))),
            ("\u{1b}[7mall", Some((0, 2))),
        ];
        for (styled, expected) in cases {
            assert_eq!(reversed(styled), expected, "{styled:?}");
        }
    }

    #[test]
    fn what_lies_behind_a_text_can_be_told_apart() {
        let cases = [
            ("ab", vec![true]),
            ("a\u{1b}[48;2;1;2;3mb", vec![false]),
            ("\u{1b}[48;2;1;2;3ma\u{1b}[48;2;3;2;1mb", vec![false]),
            ("\u{1b}[48;2;1;2;3ma\u{1b}[1;38;5;7mb", vec![true]),
            ("\u{1b}[48;5;9ma\u{1b}[41mb", vec![false]),
            ("\u{1b}[41ma\u{1b}[49mb", vec![false]),
            ("\u{1b}[41ma\u{1b}[0m\u{1b}[41mb\naa", vec![true, true]),
        ];
        for (styled, expected) in cases {
            let same = |row: &Vec<u64>| row[0] == row[1];
            let rows: Vec<bool> = backgrounds(styled).iter().map(same).collect();
            assert_eq!(rows, expected, "{styled:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in any::<String>()) {
            let _ = (texts(&text), reversed(&text), backgrounds(&text));
        }
    }
}
