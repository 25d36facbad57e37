//! What a frame comes to in bytes: the cells that changed, with a sequence only where the place or the look
//! changes.
//!
//! ratatui's own backend formats every cell by itself, and asks the system how large the terminal is whenever it
//! clears it: for a wholly new frame that was most of the time. Knows no terminal: [`terminal`](super::terminal)
//! writes what is made here.

use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};

/// What a modifier is in a terminal: ECMA-48, "SGR".
const MODIFIERS: [(Modifier, u8); 9] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

/// Makes bytes of frames, and hands them on when a frame is complete.
#[derive(Debug)]
pub struct Paint<W> {
    to: W,
    size: Size,
    bytes: Vec<u8>,
    cursor: Position,
}

/// How a cell looks.
type Looks = (Color, Color, Modifier);

impl<W: Write> Paint<W> {
    /// Hands frames for a terminal of this size to `to`.
    pub const fn new(to: W, size: Size) -> Self {
        Self {
            to,
            size,
            bytes: Vec::new(),
            cursor: Position::ORIGIN,
        }
    }

    /// The terminal has this size from now on.
    pub const fn resize(&mut self, size: Size) {
        self.size = size;
    }

    fn go_to(&mut self, x: u16, y: u16) -> io::Result<()> {
        write!(
            self.bytes,
            "\x1b[{};{}H",
            u32::from(y) + 1,
            u32::from(x) + 1
        )
    }

    fn look(&mut self, (fore, back, modifier): Looks) -> io::Result<()> {
        self.bytes.extend_from_slice(b"\x1b[0");
        for (one, code) in MODIFIERS {
            if modifier.contains(one) {
                write!(self.bytes, ";{code}")?;
            }
        }
        self.colour(fore, 30)?;
        self.colour(back, 40)?;
        self.bytes.push(b'm');
        Ok(())
    }

    /// A colour; `base` is the first of the eight in front, or behind. The bright ones stand 60 above.
    fn colour(&mut self, colour: Color, base: u8) -> io::Result<()> {
        let code = match colour {
            Color::Reset => return Ok(()),
            Color::Indexed(number) => {
                return write!(self.bytes, ";{};5;{number}", base + 8);
            }
            Color::Rgb(red, green, blue) => {
                return write!(self.bytes, ";{};2;{red};{green};{blue}", base + 8);
            }
            Color::Black => 0,
            Color::Red => 1,
            Color::Green => 2,
            Color::Yellow => 3,
            Color::Blue => 4,
            Color::Magenta => 5,
            Color::Cyan => 6,
            Color::Gray => 7,
            Color::DarkGray => 60,
            Color::LightRed => 61,
            Color::LightGreen => 62,
            Color::LightYellow => 63,
            Color::LightBlue => 64,
            Color::LightMagenta => 65,
            Color::LightCyan => 66,
            Color::White => 67,
        };
        write!(self.bytes, ";{}", base + code)
    }
}

impl<W: Write> Backend for Paint<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut next = None;
        let mut looks: Option<Looks> = None;
        for (x, y, cell) in content {
            // after a wide character, whose second half is passed over, it is said where it goes on
            if next != Some((x, y)) {
                self.go_to(x, y)?;
            }
            next = Some((x.saturating_add(1), y));
            let wanted = (cell.fg, cell.bg, cell.modifier);
            if looks != Some(wanted) {
                self.look(wanted)?;
                looks = Some(wanted);
            }
            self.bytes.extend_from_slice(cell.symbol().as_bytes());
        }
        if looks.is_some() {
            self.bytes.extend_from_slice(b"\x1b[0m");
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.bytes.extend_from_slice(b"\x1b[?25l");
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.bytes.extend_from_slice(b"\x1b[?25h");
        Ok(())
    }

    /// Where it was put last: nobody is asked.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.cursor = position.into();
        self.go_to(self.cursor.x, self.cursor.y)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.bytes.extend_from_slice(match region {
            ClearType::All => b"\x1b[2J",
            ClearType::AfterCursor => b"\x1b[J",
            ClearType::BeforeCursor => b"\x1b[1J",
            ClearType::CurrentLine => b"\x1b[2K",
            ClearType::UntilNewLine => b"\x1b[K",
        });
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.write_all(&self.bytes)?;
        self.bytes.clear();
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use ratatui::{TerminalOptions, Viewport};

    use super::*;

    /// What is written for a frame of 6x2 that shows `texts`.
    fn written(texts: &[(u16, u16, &str, Style)]) -> String {
        let area = Rect::new(0, 0, 6, 2);
        let options = TerminalOptions {
            viewport: Viewport::Fixed(area),
        };
        let mut bytes = Vec::new();
        let paint = Paint::new(&mut bytes, area.into());
        let mut terminal = Terminal::with_options(paint, options).unwrap();
        terminal.resize(area).unwrap();
        let render = |frame: &mut ratatui::Frame<'_>| {
            for (x, y, text, style) in texts {
                frame.buffer_mut().set_string(*x, *y, text, *style);
            }
        };
        terminal.draw(render).unwrap();
        drop(terminal);
        let text = String::from_utf8(bytes).unwrap().replace('\u{1b}', "^");
        let (cleared, rest) = text.split_once("^[J").unwrap();
        assert_eq!(cleared, "^[1;1H");
        rest.to_owned()
    }

    #[test]
    fn a_sequence_is_written_only_where_the_place_or_the_look_changes() {
        let usual = Style::new();
        let bad = Style::new()
            .fg(Color::LightRed)
            .add_modifier(Modifier::BOLD | Modifier::REVERSED);
        let rich = Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(200));
        for (texts, expected) in [
            (vec![], "^[?25l"),
            (
                vec![(0, 0, "ab", usual), (2, 0, "c", bad)],
                "^[1;1H^[0mab^[0;1;7;91mc^[0m^[?25l",
            ),
            (
                vec![(0, 0, "a", usual), (3, 1, "b", rich)],
                "^[1;1H^[0ma^[2;4H^[0;38;2;1;2;3;48;5;200mb^[0m^[?25l",
            ),
            (
                vec![(0, 0, "漢字x", usual)],
                "^[1;1H^[0m漢^[1;3H字^[1;5Hx^[0m^[?25l",
            ),
            (
                vec![(1, 1, "e\u{301}f", Style::new().bg(Color::Gray))],
                "^[2;2H^[0;47me\u{301}f^[0m^[?25l",
            ),
        ] {
            assert_eq!(written(&texts), expected, "{texts:?}");
        }
    }
}
