//! Draws the cells of a terminal as an SVG: a grid of one font, colours, lines and blocks as shapes.
//!
//! The same cells give the same bytes. A word stands at its own column, so that a font with other widths shifts
//! nothing; lines and blocks are drawn, so that they meet whatever the font.
#![allow(dead_code, reason = "each user takes a part of it")]

use std::fmt::Write as _;

use meta_orchestrator::ui::tui::pane::Pane;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// A cell, in units of the picture.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
const FONT_SIZE: f64 = 14.0;
/// From a cell's top to its letters' base line.
const BASE: f64 = 13.4;
/// Around the terminal.
const MARGIN: f64 = 16.0;

const FONTS: &str =
    "ui-monospace,'JetBrains Mono','SF Mono',Menlo,'DejaVu Sans Mono','Noto Sans Mono',monospace";
const GROUND: &str = "#15181e";
const TEXT: &str = "#d5d9e0";
/// The sixteen colours that a theme names.
const THEME: [&str; 16] = [
    "#3b4048", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4",
    "#7a8290", "#f2828b", "#b5e08f", "#f5d58f", "#82c5ff", "#d79bea", "#76d0dc", "#ffffff",
];

/// The picture of what a styled dump of a terminal of this size shows, with `title` for those who cannot see it.
pub fn picture(dump: &str, columns: u16, rows: u16, title: &str) -> String {
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    let mut pane = Pane::default();
    pane.read(dump, true);
    pane.scroll.start();
    pane.draw(area, &mut buffer);
    drawn(&buffer, title)
}

fn drawn(buffer: &Buffer, title: &str) -> String {
    let area = buffer.area;
    let (width, height) = (
        f64::from(area.width) * WIDTH + 2.0 * MARGIN,
        f64::from(area.height) * HEIGHT + 2.0 * MARGIN,
    );
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" role="img">"#
    );
    let _ = writeln!(svg, "<title>{}</title>", escaped(title));
    let _ = writeln!(
        svg,
        r##"<rect x=".5" y=".5" width="{:.0}" height="{:.0}" rx="10" fill="{GROUND}" stroke="#343a44"/>"##,
        width - 1.0,
        height - 1.0
    );
    let _ = writeln!(
        svg,
        r#"<g transform="translate({MARGIN} {MARGIN})" font-family="{FONTS}" font-size="{FONT_SIZE}" fill="{TEXT}" xml:space="preserve">"#
    );
    for y in 0..area.height {
        row(buffer, y, &mut svg);
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn row(buffer: &Buffer, y: u16, svg: &mut String) {
    let cells: Vec<&Cell> = (0..buffer.area.width).map(|x| &buffer[(x, y)]).collect();
    grounds(&cells, y, svg);
    let mut x = 0;
    while x < cells.len() {
        let cell = cells[x];
        let symbol = cell.symbol();
        let wide = symbol.width().max(1);
        if symbol == " " {
            x += 1;
            continue;
        }
        if symbol == "─" {
            // a rule is one line
            let begin = x;
            while cells
                .get(x)
                .is_some_and(|next| next.symbol() == "─" && look(next) == look(cell))
            {
                x += 1;
            }
            let middle = top(y) + HEIGHT / 2.0;
            let path = format!("M{:.1} {middle:.1}H{:.1}", left(begin), left(x));
            let _ = writeln!(
                svg,
                "{}",
                stroke(&path, false).replace("COLOUR", &ink(cell))
            );
            continue;
        }
        if let Some(shape) = shape(symbol, left(x), top(y)) {
            let _ = writeln!(svg, "{}", shape.replace("COLOUR", &ink(cell)));
            x += wide;
            continue;
        }
        // a word: all that is drawn alike up to a blank, each a column wide
        let begin = x;
        let mut word = String::new();
        while let Some(next) = cells.get(x) {
            let symbol = next.symbol();
            let alike =
                look(next) == look(cell) && symbol != " " && shape(symbol, 0.0, 0.0).is_none();
            let is_wide = symbol.width() > 1;
            if !alike || (is_wide && x > begin) {
                break;
            }
            word += symbol;
            x += symbol.width().max(1);
            if is_wide {
                break;
            }
        }
        text(&word, begin, x - begin, y, cell, svg);
    }
}

/// What lies behind the letters of a row.
fn grounds(cells: &[&Cell], y: u16, svg: &mut String) {
    let mut x = 0;
    while x < cells.len() {
        let ground = ground(cells[x]);
        let begin = x;
        while x < cells.len() && self::ground(cells[x]) == ground {
            x += 1;
        }
        if let Some(colour) = ground {
            let _ = writeln!(
                svg,
                r#"<rect x="{:.1}" y="{:.0}" width="{:.1}" height="{HEIGHT}" fill="{colour}"/>"#,
                left(begin),
                top(y),
                left(x) - left(begin)
            );
        }
    }
}

fn text(word: &str, x: usize, columns: usize, y: u16, cell: &Cell, svg: &mut String) {
    let mut attributes = String::new();
    let modifier = cell.modifier;
    if ink(cell) != TEXT {
        let _ = write!(attributes, r#" fill="{}""#, ink(cell));
    }
    for (flag, attribute) in [
        (Modifier::BOLD, r#" font-weight="700""#),
        (Modifier::DIM, r#" opacity=".62""#),
        (Modifier::ITALIC, r#" font-style="italic""#),
        (Modifier::UNDERLINED, r#" text-decoration="underline""#),
        (Modifier::CROSSED_OUT, r#" text-decoration="line-through""#),
    ] {
        if modifier.contains(flag) {
            attributes += attribute;
        }
    }
    if word.chars().count() > 1 {
        let length = left(x + columns) - left(x);
        let _ = write!(attributes, r#" textLength="{length:.1}""#);
    }
    let _ = writeln!(
        svg,
        r#"<text x="{:.1}" y="{:.1}"{attributes}>{}</text>"#,
        left(x),
        top(y) + BASE,
        escaped(word)
    );
}

fn left(x: usize) -> f64 {
    f64::from(u16::try_from(x).unwrap_or(u16::MAX)) * WIDTH
}

fn top(y: u16) -> f64 {
    f64::from(y) * HEIGHT
}

/// All by which two cells may differ but their text.
fn look(cell: &Cell) -> (Color, Color, Modifier) {
    (cell.fg, cell.bg, cell.modifier)
}

fn ink(cell: &Cell) -> String {
    let colour = if cell.modifier.contains(Modifier::REVERSED) {
        hex(cell.bg).unwrap_or_else(|| GROUND.into())
    } else {
        hex(cell.fg).unwrap_or_else(|| TEXT.into())
    };
    if cell.modifier.contains(Modifier::HIDDEN) {
        return ground(cell).unwrap_or_else(|| GROUND.into());
    }
    colour
}

/// What lies behind a cell, where that is not the terminal's own ground.
fn ground(cell: &Cell) -> Option<String> {
    if cell.modifier.contains(Modifier::REVERSED) {
        Some(hex(cell.fg).unwrap_or_else(|| TEXT.into()))
    } else {
        hex(cell.bg)
    }
}

/// A colour; `None` for the terminal's own.
fn hex(colour: Color) -> Option<String> {
    match colour {
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        Color::Indexed(index @ 0..=15) => Some(THEME[usize::from(index)].into()),
        // the cube of 6x6x6 and the greys of xterm
        Color::Indexed(index @ 16..=231) => {
            let step = |level: u8| if level == 0 { 0 } else { 55 + 40 * level };
            let cube = index - 16;
            let [red, green, blue] = [cube / 36, cube / 6 % 6, cube % 6].map(step);
            hex(Color::Rgb(red, green, blue))
        }
        Color::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            hex(Color::Rgb(grey, grey, grey))
        }
        _ => None,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A line or a block as a shape in the cell at (x, y), in the ink `COLOUR`.
fn shape(symbol: &str, x: f64, y: f64) -> Option<String> {
    let (middle, centre) = (x + WIDTH / 2.0, y + HEIGHT / 2.0);
    let (right, bottom) = (x + WIDTH, y + HEIGHT);
    // up, right, down, left
    let arms = match symbol {
        "─" | "━" => [false, true, false, true],
        "│" | "┃" => [true, false, true, false],
        "┌" | "╭" => [false, true, true, false],
        "┐" | "╮" => [false, false, true, true],
        // the last one is Claude Code's sign for what came of a tool, which few fonts have
        "└" | "╰" | "⎿" => [true, true, false, false],
        "┘" | "╯" => [true, false, false, true],
        "├" => [true, true, true, false],
        "┤" => [true, false, true, true],
        "┬" => [false, true, true, true],
        "┴" => [true, true, false, true],
        "┼" => [true, true, true, true],
        _ => return block(symbol, x, y),
    };
    let mut path = String::new();
    for (arm, (to_x, to_y)) in
        arms.into_iter()
            .zip([(middle, y), (right, centre), (middle, bottom), (x, centre)])
    {
        if arm {
            let _ = write!(path, "M{middle:.1} {centre:.1}L{to_x:.1} {to_y:.1}");
        }
    }
    Some(stroke(&path, ["━", "┃"].contains(&symbol)))
}

fn stroke(path: &str, is_thick: bool) -> String {
    let thick = if is_thick { "2" } else { "1" };
    format!(
        r#"<path d="{path}" stroke="COLOUR" stroke-width="{thick}" stroke-linecap="square" opacity=".55"/>"#
    )
}

/// A block element, by the parts of the cell that it fills.
fn block(symbol: &str, x: f64, y: f64) -> Option<String> {
    let (half, tall) = (WIDTH / 2.0, HEIGHT / 2.0);
    // x, y, width, height
    let parts: &[(f64, f64, f64, f64)] = match symbol {
        "█" => &[(0.0, 0.0, WIDTH, HEIGHT)],
        "▀" => &[(0.0, 0.0, WIDTH, tall)],
        "▄" => &[(0.0, tall, WIDTH, tall)],
        "▌" => &[(0.0, 0.0, half, HEIGHT)],
        "▐" => &[(half, 0.0, half, HEIGHT)],
        "▎" => &[(0.0, 0.0, WIDTH / 4.0, HEIGHT)],
        "▘" => &[(0.0, 0.0, half, tall)],
        "▝" => &[(half, 0.0, half, tall)],
        "▖" => &[(0.0, tall, half, tall)],
        "▗" => &[(half, tall, half, tall)],
        "▛" => &[(0.0, 0.0, WIDTH, tall), (0.0, tall, half, tall)],
        "▜" => &[(0.0, 0.0, WIDTH, tall), (half, tall, half, tall)],
        "▙" => &[(0.0, 0.0, half, tall), (0.0, tall, WIDTH, tall)],
        "▟" => &[(half, 0.0, half, tall), (0.0, tall, WIDTH, tall)],
        _ => return None,
    };
    let rectangles = parts.iter().map(|(dx, dy, width, height)| {
        format!(
            r#"<rect x="{:.1}" y="{:.1}" width="{width:.1}" height="{height:.1}" fill="COLOUR"/>"#,
            x + dx,
            y + dy
        )
    });
    Some(rectangles.collect())
}
