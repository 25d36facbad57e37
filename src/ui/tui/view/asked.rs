//! A question that wants a yes or a no, over everything else.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::detail::broken;
use super::put;
use crate::command::text::{fit, pad};
use crate::ui::tui::app::{App, Asked};
use crate::ui::tui::ask::TO_ITS_END;
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
    // columns that fit stay as they are
    let mut lines = broken(&asked.text, inside);
    let most = usize::from(area.height).saturating_sub(4).max(1);
    if lines.len() < most {
        lines.push(String::new());
    }
    let first = asked.scroll.window(lines.len(), most);
    let more = match asked.scroll.hidden() {
        (0, 0) => "",
        (0, _) => "   j more below",
        (_, 0) => "   k more above",
        _ => "   j k more",
    };
    lines.drain(..first);
    lines.truncate(most);
    let keys = if app.hears_yes() {
        format!("y yes   n no{more}")
    } else if asked.end_seen || asked.seen.is_none() {
        format!("...{more}")
    } else {
        format!("n no   {TO_ITS_END}{more}")
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
        let look = if index == 0 && first == 0 {
            Look::Heading
        } else {
            Look::Usual
        };
        row(line, app.palette.style(look), y);
        y += 1;
    }
    if y < bottom {
        row(&keys, app.palette.style(Look::Faint), y);
    }
    put(buffer, x, top, &format!("┌{rule}┐"), faint);
    put(buffer, x, bottom, &format!("└{rule}┘"), faint);
    true
}
