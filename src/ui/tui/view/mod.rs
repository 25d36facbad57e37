//! Draws the state: the header, a list or a text, the messages, the line at the bottom, a question over it all.
//!
//! Only what can be seen is made: a frame costs the same with 5 agents and with 500. Drawing changes nothing; it
//! tells what is on the screen now ([`Drawn`]). Everything from outside passes
//! [`harmless`](crate::command::text::harmless) on its way here.

mod asked;
pub mod detail;
mod header;
mod inbox;
mod line;
mod messages;
mod mission;
mod table;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::app::{App, Body, Drawn};
use super::keymap::Place;
use super::theme::Look;
use crate::command::text::fit;

/// The fewest rows in which what waits is shown below the table, and the most.
const LEAST_WAITING: u16 = 7;
const MOST_WAITING: u16 = 14;

/// Where everything is on the screen; what there is no room for has no rows.
struct Areas {
    header: Rect,
    /// The missions, above the table.
    missions: Rect,
    main: Rect,
    /// What waits for the person, below a table that leaves room for it.
    waiting: Rect,
    messages: Rect,
    line: Rect,
}

/// Draws a frame; what is on the screen then.
pub fn draw(app: &App, frame: &mut Frame<'_>) -> Drawn {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    let areas = areas(area, app);
    let mut drawn = Drawn {
        place: app.at(),
        highlight: None,
        still_since: app.drawn.still_since,
        list: None,
        tasks: None,
        pick: None,
        asked: None,
    };
    header::draw(app, areas.header, buffer);
    match app.behind() {
        Place::Text => text(app, areas.main, buffer),
        Place::Detail => one(app, areas.main, buffer, &mut drawn),
        Place::Inbox => inbox::draw(app, areas.main, buffer, &mut drawn),
        Place::Mission => {
            if let Some(page) = &app.page {
                mission::draw(app, page, areas.main, buffer, &mut drawn);
            }
        }
        _ => {
            mission::above_table(app, areas.missions, buffer);
            table::draw(app, areas.main, buffer, &mut drawn);
            if areas.waiting.height > 0 {
                inbox::below_table(app, areas.waiting, buffer);
            }
        }
    }
    messages::draw(app, areas.messages, buffer);
    line::draw_offered(app, areas.main, buffer);
    let cursor = line::draw(app, areas.line, buffer);
    if app.at() == Place::Asked
        && let Some(question) = &app.asked
    {
        drawn.asked = asked::draw(app, question, area, buffer).then_some(question.number);
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
    drawn
}

/// The rows of the screen, shared out by what matters most: the list, the line, the header, the messages.
fn areas(area: Rect, app: &App) -> Areas {
    let rows = area.height;
    let header = match rows {
        0..=3 => 0,
        4..=15 => 1,
        _ if area.width < 60 => 1,
        _ => 2,
    };
    let line = u16::from(rows > 1);
    let left = rows - header - line;
    let missions = match app.behind() {
        Place::Table => mission::rows_above(app, left),
        _ => 0,
    };
    let left = left - missions;
    let share = match left {
        0..=5 => 0,
        6..=10 => 3,
        _ => (left / 3).min(16),
    };
    let (waiting, messages) = match app.behind() {
        Place::Text => (0, 0),
        Place::Detail => (0, share.min(6)),
        Place::Mission if left < 16 => (0, 0),
        Place::Mission => (0, share.min(4)),
        Place::Inbox => (0, share),
        // a table that needs little leaves the rest to what waits, and to them
        _ => {
            let wanted = u16::try_from(app.views.len() + 3).unwrap_or(u16::MAX);
            let over = left.saturating_sub(wanted);
            let waiting = over.saturating_sub(share).min(MOST_WAITING);
            let is_shown = app.waiting() > 0 && waiting >= LEAST_WAITING;
            let waiting = if is_shown { waiting } else { 0 };
            (waiting, share.max(over - waiting))
        }
    };
    let mut top = area.y;
    let mut take = |height: u16| {
        let taken = Rect {
            y: top,
            height,
            ..area
        };
        top += height;
        taken
    };
    Areas {
        header: take(header),
        missions: take(missions),
        main: take(left - waiting - messages),
        waiting: take(waiting),
        messages: take(messages),
        line: take(line),
    }
}

/// One agent in detail; keys act on it.
fn one(app: &App, area: Rect, buffer: &mut Buffer, drawn: &mut Drawn) {
    let Some(shown) = &app.detail else {
        return;
    };
    let pen = detail::Pen {
        palette: app.palette,
        now: app.now.wall,
    };
    detail::draw(shown, &pen, area, buffer);
    if let Some((row, view)) = app.subject()
        && !area.is_empty()
    {
        drawn.highlight = Some((row, view.clone()));
    }
}

/// A text that is read: help, an answer, the messages.
fn text(app: &App, area: Rect, buffer: &mut Buffer) {
    let Some(text) = &app.text else {
        return;
    };
    let body = title(app, &text.title, area, buffer);
    let (rows, columns) = (usize::from(body.height), usize::from(body.width));
    if let Body::Messages = text.body {
        return messages::draw_all(app, &text.scroll, body, buffer);
    }
    let top = text.scroll.window(text.lines.len(), rows);
    for (line, y) in text.lines.iter().skip(top).zip(body.top()..body.bottom()) {
        put(
            buffer,
            body.x,
            y,
            &fit(line, columns),
            app.palette.style(Look::Usual),
        );
    }
    more(app, top + rows < text.lines.len(), body, buffer);
}

/// Says that there is more below.
fn more(app: &App, is_more: bool, area: Rect, buffer: &mut Buffer) {
    let words = " more below ";
    let width = u16::try_from(words.len()).unwrap_or(u16::MAX);
    if is_more && area.width > width && area.height > 0 {
        let style = app.palette.style(Look::Highlighted);
        put(
            buffer,
            area.right() - width,
            area.bottom() - 1,
            words,
            style,
        );
    }
}

/// A title with a rule behind it; what remains of the area below it.
fn title(app: &App, text: &str, area: Rect, buffer: &mut Buffer) -> Rect {
    if area.height < 4 {
        return area;
    }
    let columns = usize::from(area.width);
    let style = app.palette.style(Look::Faint);
    let words = fit(&format!("── {text} "), columns);
    let used = crate::command::text::width(&words);
    let rule = "─".repeat(columns.saturating_sub(used));
    put(buffer, area.x, area.y, &format!("{words}{rule}"), style);
    Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    }
}

/// Puts a text, which must fit, on the screen; where it ends.
fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, style: Style) -> u16 {
    let area = buffer.area;
    if y < area.top() || y >= area.bottom() || x >= area.right() {
        return x;
    }
    let room = usize::from(area.right() - x);
    buffer.set_stringn(x, y, text, room, style).0
}

/// Puts pieces one behind the other, and cuts them where `area` ends.
fn pieces(buffer: &mut Buffer, area: Rect, y: u16, pieces: &[(&str, Style)]) {
    let mut x = area.x;
    for (text, style) in pieces {
        let room = usize::from(area.right().saturating_sub(x));
        if room == 0 {
            return;
        }
        x = put(buffer, x, y, &fit(text, room), *style);
    }
}

/// The first row to show, so that row `at` of `rows` can be seen in `height` lines: as little as possible away
/// from where it was.
fn offset(before: usize, at: usize, height: usize, rows: usize) -> usize {
    let most = rows.saturating_sub(height);
    let least = (at + 1).saturating_sub(height);
    before.min(most).max(least).min(at)
}
