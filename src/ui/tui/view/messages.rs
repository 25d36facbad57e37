//! The messages: what was said, the newest last, and what is under way.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{put, title};
use crate::command::text::{fit, one_line};
use crate::ui::tui::app::App;
use crate::ui::tui::messages::MessageLine;
use crate::ui::tui::scroll::Scroll;
use crate::ui::tui::theme::Look;

/// What takes less time than this is not shown as under way.
const SHORT: Duration = Duration::from_millis(300);
/// So many lines of messages can be scrolled through.
const MOST_LINES: usize = 5_000;

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let body = title(app, "messages (m)", area, buffer);
    let under_way = under_way(app, usize::from(body.height) / 2);
    let rows = usize::from(body.height).saturating_sub(under_way.len());
    let columns = usize::from(body.width);
    let lines = app.messages.last(rows, columns, *app.now.wall.offset());
    // the newest stand at the bottom
    let above = u16::try_from(rows.saturating_sub(lines.len())).unwrap_or_default();
    let mut y = body.y + above;
    for line in &lines {
        one(app, line, body, y, buffer);
        y += 1;
    }
    let style = app.palette.style(Look::Busy);
    for text in under_way {
        put(buffer, body.x, y, &fit(&text, columns), style);
        y += 1;
    }
}

/// All of them, to be scrolled through.
pub(super) fn draw_all(app: &App, scroll: &Scroll, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width);
    let lines = app
        .messages
        .last(MOST_LINES, columns, *app.now.wall.offset());
    let top = scroll.window(lines.len(), usize::from(area.height));
    for (line, y) in lines.iter().skip(top).zip(area.top()..area.bottom()) {
        one(app, line, area, y, buffer);
    }
}

fn one(app: &App, line: &MessageLine, area: Rect, y: u16, buffer: &mut Buffer) {
    let faint = app.palette.style(Look::Faint);
    let x = put(buffer, area.x, y, &line.time, faint);
    let room = usize::from(area.right().saturating_sub(x));
    put(
        buffer,
        x,
        y,
        &fit(&line.text, room),
        app.palette.style(line.look),
    );
}

/// What is under way, the newest last. It moves once a second, with the clock.
fn under_way(app: &App, most: usize) -> Vec<String> {
    let now = app.now.up;
    let long = app.under_way.iter().filter(|one| now >= one.since + SHORT);
    let mut lines: Vec<String> = long
        .map(|one| {
            let seconds = now.saturating_sub(one.since).as_secs();
            let turn = ['|', '/', '-', '\\'][usize::try_from(seconds % 4).unwrap_or_default()];
            format!("{turn} {} ({seconds} s)", one_line(&one.line))
        })
        .collect();
    let more = lines.len().saturating_sub(most);
    lines.drain(..more);
    lines
}
