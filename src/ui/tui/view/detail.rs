//! Draws one agent in detail: a head, and its panels side by side or one at a time, as there is room.
//!
//! Text in, cells out: everything that came from outside is harmless before it becomes a cell.

mod panels;
mod timeline;

use chrono::{DateTime, FixedOffset};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::detail::{Detail, Panel};
use super::super::scroll::Scroll;
use super::super::theme::{Look, Palette};
use crate::agent::view::{AgentView, Status};
use crate::command::reply::age;
use crate::command::text::{fit, harmless, one_line, width, wrap};

/// From so many columns and rows on, panels stand side by side.
const WIDE: (u16, u16) = (104, 14);
/// The fewest columns of a panel beside another.
const LEAST: u16 = 44;

/// What the view is drawn with.
#[derive(Debug, Clone, Copy)]
pub struct Pen {
    /// The colours.
    pub palette: Palette,
    /// The time now, in the person's time zone.
    pub now: DateTime<FixedOffset>,
}

impl Pen {
    fn style(&self, look: Look) -> Style {
        self.palette.style(look)
    }

    fn span(&self, text: impl Into<String>, look: Look) -> Span<'static> {
        Span::styled(text.into(), self.style(look))
    }
}

/// Draws `detail` into `area`.
pub fn draw(detail: &Detail, pen: &Pen, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    detail.drawn.panels.borrow_mut().clear();
    let head = head(detail, pen, area);
    let rows = u16::try_from(head.len())
        .unwrap_or(u16::MAX)
        .min(area.height);
    for (line, y) in head.iter().zip(area.top()..area.top() + rows) {
        buffer.set_line(area.x, y, line, area.width);
    }
    let body = Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    };
    if let Some(decision) = &detail.decision {
        panels::decision(detail, decision, pen, body, buffer);
    } else if body.width >= WIDE.0 && body.height >= WIDE.1 {
        wide(detail, pen, body, buffer);
    } else {
        narrow(detail, pen, body, buffer);
    }
}

/// Who it is, how it is, what it costs, what it asks.
fn head(detail: &Detail, pen: &Pen, area: Rect) -> Vec<Line<'static>> {
    let columns = usize::from(area.width);
    let Some(view) = &detail.view else {
        let id = pen.span(detail.id.to_string(), Look::Heading);
        return vec![Line::from(id)];
    };
    let mut lines = vec![first_line(view, pen)];
    if area.height >= 8 {
        let goal = format!("goal: {}", one_line(&view.goal));
        let most = if area.height >= 30 { 2 } else { 1 };
        lines.extend(paragraph(&goal, columns, most).map(Line::from));
    }
    if area.height >= 16 {
        let spend = format!(
            "nudges {} this hour, {} in a row in vain; today {} calls, {}/{} tokens",
            view.nudges,
            view.fruitless,
            view.calls,
            short(view.tokens.used),
            short(view.tokens.bound),
        );
        lines.push(Line::from(pen.span(fit(&spend, columns), Look::Faint)));
    }
    lines.extend(trouble(view, pen, area));
    lines
}

fn first_line(view: &AgentView, pen: &Pen) -> Line<'static> {
    let status = match &view.status {
        Status::Gone(_) | Status::Error(_) => view.status.word().to_owned(),
        status => one_line(&status.to_string()),
    };
    let mut spans = vec![
        pen.span(view.id.to_string(), Look::Heading),
        Span::raw("  "),
        pen.span(status, look_of(&view.status)),
    ];
    if let Some(state) = view.state {
        spans.push(Span::raw(format!("  {state}")));
    }
    let mut facts = String::new();
    if let Some(at) = view.changed_at {
        facts = format!("  changed {} ago", age(pen.now.to_utc() - at));
    }
    if let Some(kind) = &view.kind {
        facts = format!("{facts}  {}", one_line(kind));
    }
    facts = format!("{facts}  {}", view.pane);
    if view.observe && view.status != Status::Observing {
        facts.push_str("  observed only");
    }
    spans.push(pen.span(facts, Look::Faint));
    Line::from(spans)
}

/// Why it cannot be watched, and what it asks.
fn trouble(view: &AgentView, pen: &Pen, area: Rect) -> Vec<Line<'static>> {
    let columns = usize::from(area.width);
    let most = match area.height {
        0..8 => 0,
        8..16 => 1,
        16..30 => 3,
        _ => 6,
    };
    let (text, look) = match (&view.question, &view.status) {
        (Some(question), _) => {
            let ago = age(pen.now.to_utc() - question.since);
            (
                format!("! asks you ({ago} ago): {}", question.text.trim()),
                Look::Needs,
            )
        }
        (None, Status::Gone(why)) => (format!("! gone: {why}"), Look::Bad),
        (None, Status::Error(why)) => (format!("! cannot be watched for now: {why}"), Look::Bad),
        _ => return Vec::new(),
    };
    let lines = paragraph(&text, columns, most);
    lines.map(|line| Line::from(pen.span(line, look))).collect()
}

/// How a status looks.
fn look_of(status: &Status) -> Look {
    match status {
        Status::AwaitingUser => Look::Needs,
        Status::Gone(_) | Status::Error(_) => Look::Bad,
        Status::AllStopped => Look::Alarm,
        Status::Running | Status::Asking(_) | Status::Instructed => Look::Busy,
        Status::Held(_) | Status::Limit(_) | Status::Observing => Look::Warning,
        Status::Starting | Status::Stopped | Status::Disabled => Look::Faint,
        Status::Stable => Look::Usual,
    }
}

/// A number in three figures: `940`, `21.4k`, `2M`.
fn short(number: u64) -> String {
    let in_units = |unit: u64, name: char| match (number / unit, number % unit * 10 / unit) {
        (whole, tenths @ 1..) if whole < 100 => format!("{whole}.{tenths}{name}"),
        (whole, _) => format!("{whole}{name}"),
    };
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => in_units(1_000, 'k'),
        _ => in_units(1_000_000, 'M'),
    }
}

/// The pane beside the state and what else is looked at.
fn wide(detail: &Detail, pen: &Pen, area: Rect, buffer: &mut Buffer) {
    let wanted = u16::try_from(detail.pane_size.0).unwrap_or(u16::MAX);
    let left = wanted.clamp(LEAST, (area.width - LEAST).min(area.width / 5 * 3));
    let (left, right) = (
        Rect {
            width: left,
            ..area
        },
        Rect {
            x: area.x + left + 2,
            width: area.width - left - 2,
            ..area
        },
    );
    for y in area.top()..area.bottom() {
        let style = pen.style(Look::Faint);
        buffer.set_string(left.right(), y, "│", style);
    }
    panels::pane(detail, pen, left, buffer);
    let below = match detail.focus {
        Panel::Reviews => Panel::Reviews,
        _ => Panel::Timeline,
    };
    // as high as what there is to say, but no more than half
    let state = panels::state_lines(detail, pen, usize::from(right.width)).len() + 1;
    let most = if detail.focus == Panel::State {
        right.height / 3 * 2
    } else {
        right.height / 2
    };
    let rows = u16::try_from(state).unwrap_or(u16::MAX).min(most);
    let (above, beneath) = (
        Rect {
            height: rows,
            ..right
        },
        Rect {
            y: right.y + rows,
            height: right.height - rows,
            ..right
        },
    );
    panels::state(detail, pen, above, buffer);
    match below {
        Panel::Reviews => panels::reviews(detail, pen, beneath, buffer),
        _ => timeline::draw(detail, pen, beneath, buffer),
    }
}

/// The panel that keys move in, and the names of the others.
fn narrow(detail: &Detail, pen: &Pen, area: Rect, buffer: &mut Buffer) {
    match detail.focus {
        Panel::Pane => panels::pane(detail, pen, area, buffer),
        Panel::Timeline => timeline::draw(detail, pen, area, buffer),
        Panel::State => panels::state(detail, pen, area, buffer),
        Panel::Reviews => panels::reviews(detail, pen, area, buffer),
    }
    // the names of all panels, in place of the one's title
    let shown = title_of(detail, detail.focus);
    let mut spans = Vec::new();
    for panel in Panel::ALL {
        let is_shown = panel == detail.focus;
        let name = if is_shown {
            shown.clone()
        } else {
            name_of(detail, panel)
        };
        let look = if is_shown {
            Look::Highlighted
        } else {
            Look::Faint
        };
        spans.push(pen.span(format!(" {name} "), look));
    }
    let names = Line::from(spans);
    let room = usize::from(area.width);
    if names.width() + 12 <= room && area.height > 0 {
        buffer.set_line(area.x, area.y, &names, area.width);
    }
}

fn name_of(detail: &Detail, panel: Panel) -> String {
    match panel {
        Panel::Pane => "Pane".into(),
        Panel::Timeline => "Timeline".into(),
        Panel::State => "State".into(),
        Panel::Reviews if detail.reviews.is_empty() => "Reviews".into(),
        Panel::Reviews => format!("Reviews {}", detail.reviews.len()),
    }
}

fn title_of(detail: &Detail, panel: Panel) -> String {
    let name = name_of(detail, panel);
    if panel == detail.focus && detail.decision.is_none() {
        format!("▸ {name}")
    } else {
        name
    }
}

/// Draws a panel's title into the first row of `area`, and gives what is left for its text.
fn titled(
    title: &str,
    note: &str,
    is_focus: bool,
    pen: &Pen,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    if area.is_empty() {
        return area;
    }
    let columns = usize::from(area.width);
    let look = if is_focus {
        Look::Highlighted
    } else {
        Look::Heading
    };
    let title = fit(&format!(" {title} "), columns);
    let left = columns - width(&title);
    let note = match note {
        "" => String::new(),
        note => fit(&format!(" {note} "), left.saturating_sub(1)),
    };
    let rule = "─".repeat(left - width(&note));
    let line = Line::from(vec![
        pen.span(title, look),
        pen.span(rule, Look::Faint),
        pen.span(note, Look::Faint),
    ]);
    buffer.set_line(area.x, area.y, &line, area.width);
    Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    }
}

/// Draws the lines that `scroll` shows.
fn scrolled(lines: &[Line<'_>], scroll: &Scroll, area: Rect, buffer: &mut Buffer) {
    let top = scroll.window(lines.len(), usize::from(area.height));
    for (line, y) in lines.iter().skip(top).zip(area.top()..area.bottom()) {
        buffer.set_line(area.x, y, line, area.width);
    }
}

/// How many rows lie above and below: `3 above, 12 below`.
fn beyond(scroll: &Scroll) -> String {
    match scroll.hidden() {
        (0, 0) => String::new(),
        (above, 0) => format!("↑ {above}"),
        (0, below) => format!("↓ {below}"),
        (above, below) => format!("↑ {above} ↓ {below}"),
    }
}

/// `text` in harmless lines of at most so many columns; what fits stays as it is, what does not is wrapped, and
/// a word longer than a line is broken.
pub(super) fn broken(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let text = harmless(text).replace('\t', "    ");
    let mut lines = Vec::new();
    for line in text.trim_end().lines() {
        if width(line) <= columns {
            lines.push(line.to_owned());
            continue;
        }
        let kept = line.len() - line.trim_start_matches(' ').len();
        let indent = " ".repeat(kept.min(columns / 4));
        for wrapped in wrap(line.trim_start(), columns, &indent).lines() {
            cut_into(wrapped, columns, &mut lines);
        }
    }
    lines
}

/// Cuts a line into pieces of at most so many columns.
fn cut_into(line: &str, columns: usize, lines: &mut Vec<String>) {
    let mut rest = line;
    while width(rest) > columns {
        let ends = rest.char_indices().map(|(at, _)| at).skip(1);
        let end = ends
            .take_while(|&end| width(&rest[..end]) <= columns)
            .last();
        // a single character wider than the line is left out by whoever draws it
        let Some(end) = end else { break };
        lines.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    lines.push(rest.to_owned());
}

/// The first lines of a text; the last of them ends with `…` where there are more.
fn paragraph(text: &str, columns: usize, most: usize) -> impl Iterator<Item = String> {
    let mut lines = broken(text, columns);
    let more = lines.len() > most;
    lines.truncate(most);
    if more && let Some(last) = lines.last_mut() {
        *last = fit(&format!("{last} …"), columns);
        if !last.ends_with('…') {
            *last = fit(&format!("{last}……"), columns);
        }
    }
    lines.into_iter()
}

#[cfg(test)]
mod tests;
