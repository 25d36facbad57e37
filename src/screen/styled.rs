//! Tells what is solid on a screen from what is faint.
//!
//! A placeholder or a suggestion inside a prompt looks like text that somebody typed, but for its styling:
//! agents draw it dim, or in the terminal's dark grey. Its first cell may be drawn in reverse, as the agent's
//! own cursor. A plain dump cannot tell them apart; `dump-screen --ansi` can.

/// The text of a styled dump, with every faint character replaced by a blank and all styling removed.
pub fn solid(styled: &str) -> String {
    let cells = cells(styled);
    let mut text = String::with_capacity(cells.len());
    for (index, &(c, style)) in cells.iter().enumerate() {
        let before_faint = cells
            .get(index + 1)
            .is_some_and(|(next, style)| style.faint && *next != '\n');
        let faint = style.faint || (style.reverse && before_faint);
        text.push(if faint && c != '\n' { ' ' } else { c });
    }
    text
}

/// The text of a styled dump with all styling removed.
pub fn text(styled: &str) -> String {
    cells(styled).into_iter().map(|(c, _)| c).collect()
}

/// The last cell that is drawn in reverse, by row and character from 0: where an agent draws its own cursor.
pub fn reversed(styled: &str) -> Option<(usize, usize)> {
    let (mut row, mut column, mut last) = (0, 0, None);
    for (c, style) in cells(styled) {
        match c {
            '\n' => (row, column) = (row + 1, 0),
            _ => {
                if style.reverse {
                    last = Some((row, column));
                }
                column += 1;
            }
        }
    }
    last
}

/// What lies behind each character, row by row; equal numbers mean the same colour.
pub fn backgrounds(styled: &str) -> Vec<Vec<u64>> {
    let mut rows = vec![Vec::new()];
    for (c, style) in cells(styled) {
        if c == '\n' {
            rows.push(Vec::new());
        } else if let Some(row) = rows.last_mut() {
            row.push(style.background);
        }
    }
    rows
}

fn cells(styled: &str) -> Vec<(char, Style)> {
    let mut cells = Vec::with_capacity(styled.len());
    let mut style = Style::default();
    let mut rest = styled.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            escape(&mut rest, &mut style);
        } else {
            cells.push((c, style));
        }
    }
    cells
}

#[derive(Debug, Clone, Copy, Default)]
struct Style {
    faint: bool,
    dark: bool,
    reverse: bool,
    /// The parameters that set it, as one number; 0: the terminal's own.
    background: u64,
}

/// Reads the rest of an escape sequence and follows it where it sets styling (SGR, ECMA-48).
fn escape(rest: &mut std::str::Chars<'_>, style: &mut Style) {
    match rest.next() {
        Some('[') => {}
        Some(']') => return skip_string(rest),
        _ => return,
    }
    let mut parameters = String::new();
    for c in rest.by_ref() {
        match c {
            'm' => return follow(&parameters, style),
            '\u{40}'..='\u{7e}' => return,
            _ if parameters.len() < 64 => parameters.push(c),
            _ => {}
        }
    }
}

/// An operating system command: ends with BEL or ESC `\`.
fn skip_string(rest: &mut std::str::Chars<'_>) {
    while let Some(c) = rest.next() {
        if c == '\u{7}' {
            return;
        }
        if c == '\u{1b}' {
            rest.next();
            return;
        }
    }
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
            assert_eq!(solid(styled).trim_end(), expected, "{styled:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in any::<String>()) {
            let _ = solid(&text);
        }
    }
}
