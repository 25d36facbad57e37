//! A pane in its own colours: a styled dump, drawn cell by cell.
//!
//! The dump (`zellij action dump-screen --ansi`) is untrusted. Of its sequences only styling is followed, and
//! its text is made harmless, so that nothing in it acts on the terminal or leaves its cell. A character takes
//! the columns that it took in the pane: zellij counts each by itself. Rows and columns are bounded.
//!
//! [`styled::pieces`] takes the dump apart, as it does for `screen`. The colours are read here, and not by
//! ansi-to-tui: that knows neither `4:3` nor `38:2::r:g:b`, takes the parts of an underline's colour for
//! attributes, and the end of an operating system command by `ESC \` for none.

use std::collections::VecDeque;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthChar;

use super::scroll::Scroll;
use crate::command::text::harmless;
use crate::screen::styled::{self, Piece};

/// So many rows are kept, the last ones.
const MOST_ROWS: usize = 5_000;
/// So many columns are kept, the first ones.
const MOST_COLUMNS: usize = 1_000;
/// So many characters without a width of their own are kept on one that has one.
const MOST_MARKS: usize = 3;
/// The columns between two tab stops.
const TAB: usize = 8;

/// A pane's text, and how far it is scrolled.
#[derive(Debug, Clone)]
pub struct Pane {
    rows: VecDeque<Row>,
    columns: usize,
    left: usize,
    /// How far it is scrolled; it follows the end until somebody scrolls up.
    pub scroll: Scroll,
}

/// A row: its texts, and how they are drawn.
#[derive(Debug, Clone, Default)]
struct Row {
    runs: Vec<(String, Style)>,
    columns: usize,
}

impl Default for Pane {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            columns: 0,
            left: 0,
            scroll: Scroll::to_end(),
        }
    }
}

impl Pane {
    /// Takes in a new dump, and stays where it is scrolled. Without `colours`, only bold, faint, italic,
    /// underlined and reversed are kept.
    pub fn read(&mut self, dump: &str, colours: bool) {
        let mut reader = Reader::default();
        let mut style = Style::new();
        styled::pieces(dump, |piece| match piece {
            Piece::Text(text) => reader.text(text, if colours { style } else { bare(style) }),
            Piece::Style(parameters) => follow(parameters, &mut style),
        });
        self.rows = reader.rows;
        while self.rows.back().is_some_and(Row::is_blank) {
            self.rows.pop_back();
        }
        let widths = self.rows.iter().map(|row| row.columns);
        self.columns = widths.max().unwrap_or_default();
    }

    /// Whether there is nothing to be seen.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Moves the window sideways by so many columns; to the left where it is negative.
    pub fn pan(&mut self, columns: isize) {
        let most = self.columns.saturating_sub(1);
        self.left = self.left.saturating_add_signed(columns).min(most);
    }

    /// What lies to the left and to the right of a window so wide, in columns.
    pub fn hidden(&self, width: u16) -> (usize, usize) {
        let right = self.columns.saturating_sub(self.left + usize::from(width));
        (self.left, right)
    }

    /// Draws as many rows as `area` has.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let top = self
            .scroll
            .window(self.rows.len(), usize::from(area.height));
        for (row, y) in self.rows.iter().skip(top).zip(area.top()..area.bottom()) {
            row.draw(
                self.left,
                Rect {
                    y,
                    height: 1,
                    ..area
                },
                buffer,
            );
        }
    }
}

impl Row {
    fn is_blank(&self) -> bool {
        let blank = |(text, style): &(String, Style)| {
            text.trim().is_empty()
                && style.bg.is_none()
                && !style.add_modifier.contains(Modifier::REVERSED)
        };
        self.runs.iter().all(blank)
    }

    /// Draws what lies `left` columns from its beginning into the one row of `area`.
    fn draw(&self, left: usize, area: Rect, buffer: &mut Buffer) {
        let width = usize::from(area.width);
        // the column in the pane, and the cell that the last character went into
        let (mut column, mut last) = (0, None);
        for (text, style) in &self.runs {
            for character in text.chars() {
                let wide = character.width().unwrap_or(0);
                if wide == 0 {
                    if let Some((x, symbol)) = &mut last {
                        let symbol: &mut String = symbol;
                        symbol.push(character);
                        buffer[(*x, area.y)].set_symbol(symbol);
                    }
                    continue;
                }
                let begins = column;
                column += wide;
                last = None;
                if column <= left {
                    continue;
                }
                if begins >= left + width {
                    return;
                }
                let cut = begins < left || column > left + width;
                let first = begins.max(left);
                for at in first..column.min(left + width) {
                    let x = area.x + u16::try_from(at - left).unwrap_or(u16::MAX);
                    let cell = &mut buffer[(x, area.y)];
                    cell.reset();
                    cell.set_style(*style);
                    // half of a wide character is a blank
                    if !cut && at == first {
                        cell.set_char(character);
                        last = Some((x, String::from(character)));
                    }
                }
            }
        }
    }
}

/// Makes rows of the texts of a dump.
#[derive(Default)]
struct Reader {
    rows: VecDeque<Row>,
    marks: usize,
}

impl Reader {
    fn text(&mut self, text: &str, style: Style) {
        let mut lines = text.split('\n');
        if let Some(first) = lines.next() {
            if self.rows.is_empty() {
                self.rows.push_back(Row::default());
            }
            self.line(first, style);
        }
        for line in lines {
            if self.rows.len() >= MOST_ROWS {
                self.rows.pop_front();
            }
            self.rows.push_back(Row::default());
            self.marks = 0;
            self.line(line, style);
        }
    }

    fn line(&mut self, text: &str, style: Style) {
        let Some(row) = self.rows.back_mut() else {
            return;
        };
        let mut run = String::with_capacity(text.len());
        for character in harmless(&text.replace('\r', "")).chars() {
            let wide = match character {
                '\t' => TAB - row.columns % TAB,
                other => other.width().unwrap_or(0),
            };
            if row.columns + wide > MOST_COLUMNS {
                break;
            }
            match character {
                '\t' => run.extend(std::iter::repeat_n(' ', wide)),
                // joins several characters into one, or makes one wider: a pane of zellij has none of these
                '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => continue,
                _ if wide == 0 && (self.marks >= MOST_MARKS || row.columns == 0) => continue,
                other => run.push(other),
            }
            self.marks = if wide == 0 { self.marks + 1 } else { 0 };
            row.columns += wide;
        }
        if !run.is_empty() {
            row.runs.push((run, style));
        }
    }
}

/// A style without its colours.
fn bare(style: Style) -> Style {
    Style {
        fg: None,
        bg: None,
        ..style
    }
}

/// Follows the parameters of an SGR sequence (ECMA-48, 8.3.117; colours: ISO 8613-6, and xterm's form of them
/// with semicolons). Blinking is left out.
fn follow(parameters: &str, style: &mut Style) {
    if parameters.starts_with(['<', '=', '>', '?']) {
        return;
    }
    let mut groups = parameters.split(';');
    while let Some(group) = groups.next() {
        let mut parts = group.split(':').map(number);
        let code = parts.next().unwrap_or_default();
        match code {
            0 => *style = Style::new(),
            30..=37 => style.fg = Some(Color::Indexed(low(code - 30))),
            40..=47 => style.bg = Some(Color::Indexed(low(code - 40))),
            90..=97 => style.fg = Some(Color::Indexed(low(code - 82))),
            100..=107 => style.bg = Some(Color::Indexed(low(code - 92))),
            39 => style.fg = None,
            49 => style.bg = None,
            38 | 48 | 58 => {
                let colour = if group.contains(':') {
                    with_colons(&parts.collect::<Vec<_>>())
                } else {
                    with_semicolons(&mut groups)
                };
                match (code, colour) {
                    (38, Some(_)) => style.fg = colour,
                    (48, Some(_)) => style.bg = colour,
                    _ => {}
                }
            }
            _ => modify(code, parts.next() == Some(0), style),
        }
    }
}

/// Follows a parameter that sets no colour; `none` where `:0` stands behind it.
fn modify(code: u16, none: bool, style: &mut Style) {
    let (add, remove) = match code {
        1 => (Modifier::BOLD, Modifier::empty()),
        2 => (Modifier::DIM, Modifier::empty()),
        3 => (Modifier::ITALIC, Modifier::empty()),
        4 if none => (Modifier::empty(), Modifier::UNDERLINED),
        4 | 21 => (Modifier::UNDERLINED, Modifier::empty()),
        7 => (Modifier::REVERSED, Modifier::empty()),
        8 => (Modifier::HIDDEN, Modifier::empty()),
        9 => (Modifier::CROSSED_OUT, Modifier::empty()),
        22 => (Modifier::empty(), Modifier::BOLD | Modifier::DIM),
        23 => (Modifier::empty(), Modifier::ITALIC),
        24 => (Modifier::empty(), Modifier::UNDERLINED),
        27 => (Modifier::empty(), Modifier::REVERSED),
        28 => (Modifier::empty(), Modifier::HIDDEN),
        29 => (Modifier::empty(), Modifier::CROSSED_OUT),
        _ => return,
    };
    style.add_modifier = (style.add_modifier | add) - remove;
}

/// A colour as `2::R:G:B`, `2:R:G:B` or `5:N`.
fn with_colons(parts: &[u16]) -> Option<Color> {
    match *parts {
        [5, index, ..] => Some(Color::Indexed(low(index))),
        [2, _, red, green, blue, ..] | [2, red, green, blue] => {
            Some(Color::Rgb(low(red), low(green), low(blue)))
        }
        _ => None,
    }
}

/// A colour as `2;R;G;B` or `5;N`.
fn with_semicolons<'a>(groups: &mut impl Iterator<Item = &'a str>) -> Option<Color> {
    let mut next = || groups.next().map(number);
    match next()? {
        5 => Some(Color::Indexed(low(next()?))),
        2 => Some(Color::Rgb(low(next()?), low(next()?), low(next()?))),
        _ => None,
    }
}

/// A parameter as a number; what is left out or is none counts as 0.
fn number(text: &str) -> u16 {
    text.parse().unwrap_or_default()
}

fn low(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pane(dump: &str) -> Pane {
        let mut pane = Pane::default();
        pane.read(dump, true);
        pane
    }

    fn drawn(pane: &Pane, columns: u16, rows: u16) -> Buffer {
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        pane.draw(area, &mut buffer);
        buffer
    }

    /// What a terminal shows: a wide character and what it covers are one.
    fn text(buffer: &Buffer) -> String {
        let area = buffer.area;
        let mut text = String::new();
        for y in area.top()..area.bottom() {
            let (mut x, mut row) = (area.left(), String::new());
            while x < area.right() {
                let symbol = buffer[(x, y)].symbol();
                row += symbol;
                x += u16::try_from(crate::command::text::width(symbol).max(1)).unwrap();
            }
            text += row.trim_end();
            text.push('\n');
        }
        text
    }

    #[test]
    fn every_character_takes_the_columns_that_it_took_in_the_pane() {
        for (dump, shown) in [
            ("漢字|e\u{301}|ｱ|\u{1f44d}|", "漢字|e\u{301}|ｱ|\u{1f44d}|\n"),
            ("a\tb\tc", "a       b       c\n"),
            ("tick \u{2714}\u{fe0f}|", "tick \u{2714}|\n"),
            ("\u{1f44d}\u{1f3fd}|", "\u{1f44d}\u{1f3fd}|\n"),
            ("\u{301}a", "a\n"),
            (
                "zalgo e\u{301}\u{301}\u{301}\u{301}\u{301}|",
                "zalgo e\u{301}\u{301}\u{301}|\n",
            ),
        ] {
            assert_eq!(text(&drawn(&pane(dump), 20, 1)), shown, "{dump:?}");
        }
        let cell = &drawn(&pane("漢字|"), 20, 1)[(4, 0)];
        assert_eq!(cell.symbol(), "|", "two wide ones take four columns");
    }

    #[test]
    fn half_of_a_wide_character_is_a_blank_on_either_side() {
        let mut wide = pane("漢字漢字");
        assert_eq!(text(&drawn(&wide, 5, 1)), "漢字\n");
        wide.pan(1);
        assert_eq!(text(&drawn(&wide, 5, 1)), " 字漢\n");
        assert_eq!(wide.hidden(5), (1, 2));
        wide.pan(100);
        assert_eq!(wide.hidden(5), (7, 0));
        wide.pan(-100);
        assert_eq!(wide.hidden(5), (0, 3));
    }

    #[test]
    fn styling_is_followed_and_nothing_else() {
        let (red, none) = (Some(Color::Indexed(1)), None);
        for (sequence, fg, bg, modifiers) in [
            ("", none, none, Modifier::empty()),
            ("31", red, none, Modifier::empty()),
            (
                "31;1;2;3;4;7;9",
                red,
                none,
                Modifier::from_bits_truncate(0b1_0100_1111),
            ),
            ("1;2;22", none, none, Modifier::empty()),
            ("31;m;0", red, none, Modifier::empty()),
            ("1;31;0", none, none, Modifier::empty()),
            (
                "97;104",
                Some(Color::Indexed(15)),
                Some(Color::Indexed(12)),
                Modifier::empty(),
            ),
            (
                "38;5;246;48;2;1;2;3",
                Some(Color::Indexed(246)),
                Some(Color::Rgb(1, 2, 3)),
                Modifier::empty(),
            ),
            (
                "38:2::1:2:3",
                Some(Color::Rgb(1, 2, 3)),
                none,
                Modifier::empty(),
            ),
            (
                "38:2:1:2:3;48:5:7",
                Some(Color::Rgb(1, 2, 3)),
                Some(Color::Indexed(7)),
                Modifier::empty(),
            ),
            ("58;2;4;7;1;31", red, none, Modifier::empty()),
            ("4:3", none, none, Modifier::UNDERLINED),
            ("4;4:0", none, none, Modifier::empty()),
            ("5;6", none, none, Modifier::empty()),
            (">4;1", none, none, Modifier::empty()),
            ("38;5", none, none, Modifier::empty()),
            (
                "38;5;999",
                Some(Color::Indexed(255)),
                none,
                Modifier::empty(),
            ),
        ] {
            let mut style = Style::new();
            for part in sequence.split(";m;") {
                follow(part, &mut style);
            }
            if sequence.contains('m') {
                style.fg = red;
            }
            assert_eq!(
                (style.fg, style.bg, style.add_modifier),
                (fg, bg, modifiers),
                "{sequence}"
            );
        }
    }

    #[test]
    fn without_colours_only_what_a_pencil_could_do_is_left() {
        let mut pane = Pane::default();
        pane.read("\u{1b}[1;31;44mred\u{1b}[m \u{1b}[7mturned", false);
        let shown = drawn(&pane, 10, 1);
        assert_eq!(
            (shown[(0, 0)].fg, shown[(0, 0)].bg),
            (Color::Reset, Color::Reset)
        );
        assert_eq!(shown[(0, 0)].modifier, Modifier::BOLD);
        assert_eq!(shown[(4, 0)].modifier, Modifier::REVERSED);
    }

    #[test]
    fn the_end_is_shown_without_the_blank_rows_below_it_until_somebody_scrolls() {
        let mut pane = pane("one\ntwo\nthree\n> \n\n  \n");
        assert_eq!(text(&drawn(&pane, 10, 2)), "three\n>\n");
        pane.scroll.by(-1);
        assert_eq!(text(&drawn(&pane, 10, 2)), "two\nthree\n");
        pane.read("one\ntwo\nthree\nfour\n> ", true);
        assert_eq!(text(&drawn(&pane, 10, 2)), "two\nthree\n");
        pane.scroll.end();
        assert_eq!(text(&drawn(&pane, 10, 2)), "four\n>\n");
    }

    #[test]
    fn a_real_dump_is_drawn_as_the_agent_drew_it() {
        let dump = include_str!("../../../tests/screens/claude/approval/80-bash-multi-line/1.ansi");
        let plain = styled::text(dump).replace('\r', "");
        let shown = text(&drawn(&pane(dump), 200, 100));
        let lines = |text: &str| -> Vec<String> {
            text.trim_end()
                .lines()
                .map(|line| line.trim_end().to_owned())
                .collect()
        };
        assert_eq!(lines(&shown), lines(&plain));
    }

    #[test]
    fn what_is_kept_of_an_endless_dump_is_bounded() {
        let pane = pane(&format!(
            "{}\n{}",
            "x\n".repeat(3 * MOST_ROWS),
            "y".repeat(3 * MOST_COLUMNS)
        ));
        assert_eq!((pane.rows.len(), pane.columns), (MOST_ROWS, MOST_COLUMNS));
    }

    proptest! {
        #[test]
        fn no_dump_reaches_the_terminal_or_leaves_its_cells(
            dump in "([a-z漢\u{301}\u{200d}\u{1f468}\u{0}-\u{ff}\n\u{1b}]|\u{1b}\\[[0-9;:?]{0,9}[a-zA-Z]|\u{1b}][0-9a-z;]{0,9}(\u{7}|\u{1b}\\\\)?|\\PC){0,80}",
            columns in 0_u16..12, rows in 0_u16..4, left in 0_isize..5,
        ) {
            let mut pane = pane(&dump);
            pane.pan(left);
            let buffer = drawn(&pane, columns, rows);
            for y in 0..rows {
                let mut x = 0;
                while x < columns {
                    let symbol = buffer[(x, y)].symbol();
                    prop_assert!(!symbol.chars().any(char::is_control), "{symbol:?}");
                    x += u16::try_from(crate::command::text::width(symbol).max(1)).unwrap();
                }
                prop_assert_eq!(x, columns);
            }
        }
    }
}
