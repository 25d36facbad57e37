//! A question that wants a yes or a no, over everything else.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::put;
use crate::command::text::{fit, pad, wrap};
use crate::ui::tui::app::{App, Asked};
use crate::ui::tui::theme::Look;

/// The widest that it is.
const WIDEST: u16 = 100;

/// Draws it in the middle; whether the question could be seen.
pub(super) fn draw(app: &App, asked: &Asked, area: Rect, buffer: &mut Buffer) -> bool {
    let width = area.width.min(WIDEST);
    if width < 10 || area.height < 3 {
        return false;
    }
    let inside = usize::from(width) - 4;
    let wrapped = wrap(&asked.text, inside, "");
    let mut lines: Vec<&str> = wrapped.lines().collect();
    let most = usize::from(area.height).saturating_sub(4).max(1);
    if lines.len() < most {
        lines.push("");
    }
    let is_cut = lines.len() > most;
    lines.truncate(most);
    let keys = if app.hears_yes() {
        "y yes   n no"
    } else {
        "..."
    };
    let height = u16::try_from(lines.len() + 3)
        .unwrap_or(area.height)
        .min(area.height);
    let (x, mut y) = (
        area.x + (area.width - width) / 2,
        area.y + (area.height - height) / 2,
    );
    let rule = "─".repeat(inside + 2);
    let faint = app.palette.style(Look::Needs);
    let mut row = |text: &str, style, y: u16| {
        put(buffer, x, y, "│ ", faint);
        put(buffer, x + 2, y, &pad(&fit(text, inside), inside), style);
        put(buffer, x + width - 2, y, " │", faint);
    };
    let bottom = y + height - 1;
    let top = y;
    y += 1;
    for (index, line) in lines.iter().enumerate() {
        if y >= bottom {
            break;
        }
        let cut = is_cut && index + 1 == lines.len();
        let line = if cut {
            "... (too long for this screen)"
        } else {
            line
        };
        let look = if index == 0 {
            Look::Heading
        } else {
            Look::Usual
        };
        row(line, app.palette.style(look), y);
        y += 1;
    }
    if y < bottom {
        row(keys, app.palette.style(Look::Faint), y);
    }
    put(buffer, x, top, &format!("┌{rule}┐"), faint);
    put(buffer, x, bottom, &format!("└{rule}┘"), faint);
    true
}
