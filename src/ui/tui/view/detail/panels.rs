//! The panels but the timeline: the pane, the state, the reviews, a whole decision.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::super::detail::{Decision, Detail, Panel};
use super::super::super::theme::Look;
use super::{Pen, beyond, broken, scrolled, title_of, titled};
use crate::command::reply::{Frame, age, render};
use crate::command::text::one_line;
use crate::command::{Reply, explain};

impl Pen {
    fn frame(&self, columns: usize) -> Frame {
        Frame {
            columns,
            now: self.now,
        }
    }
}

/// The agent's pane, in its own colours.
pub(super) fn pane(detail: &Detail, pen: &Pen, area: Rect, buffer: &mut Buffer) {
    let is_focus = detail.focus == Panel::Pane && detail.decision.is_none();
    let below = Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(1),
        ..area
    };
    detail.pane.draw(below, buffer);
    let (left, right) = detail.pane.hidden(area.width);
    detail.drawn.sideways.set((left > 0, right > 0));
    let mut notes = Vec::new();
    if left > 0 {
        notes.push(format!("← {left}"));
    }
    if right > 0 {
        notes.push(format!("→ {right}"));
    }
    notes.push(beyond(&detail.pane.scroll));
    let (columns, rows) = detail.pane_size;
    if columns > 0 {
        notes.push(format!("{columns}x{rows}"));
    }
    if let Some(at) = detail.pane_at {
        notes.push(format!("{} ago", age(pen.now.to_utc() - at)));
    }
    notes.retain(|note| !note.is_empty());
    let title = title_of(detail, Panel::Pane);
    titled(&title, &notes.join("  "), is_focus, pen, area, buffer);
    if let Some(why) = &detail.pane_failed {
        let text = format!("it cannot be read now: {}", one_line(why));
        let lines = broken(&text, usize::from(area.width));
        let most = usize::from(below.height);
        // over the last rows: what was seen before stays to be read
        let shown = &lines[..lines.len().min(most)];
        let first = below.bottom() - u16::try_from(shown.len()).unwrap_or(below.height);
        for (line, y) in shown.iter().zip(first..) {
            let blank = " ".repeat(usize::from(area.width));
            buffer.set_stringn(
                area.x,
                y,
                blank,
                usize::from(area.width),
                pen.style(Look::Usual),
            );
            buffer.set_line(
                area.x,
                y,
                &Line::from(pen.span(line.clone(), Look::Bad)),
                area.width,
            );
        }
    } else if detail.pane.is_empty() {
        let said = if detail.pane_at.is_some() {
            "it shows nothing"
        } else {
            "reading it ..."
        };
        let line = Line::from(pen.span(said, Look::Faint));
        if below.height > 0 {
            buffer.set_line(below.x, below.y, &line, below.width);
        }
    }
    let mut panels = detail.drawn.panels.borrow_mut();
    panels.push((Panel::Pane, area));
}

/// What is known of its state.
pub(super) fn state_lines(detail: &Detail, pen: &Pen, columns: usize) -> Vec<Line<'static>> {
    let text = match (&detail.explanation, &detail.view) {
        (Some(explanation), _) => explain::words(explanation, &pen.frame(columns)),
        (None, Some(view)) => {
            let state = view.state.map_or("not known yet", |state| state.as_str());
            let evidence = view.evidence.iter().map(|line| format!("\n  {line}"));
            format!("{}: {state}{}", view.id, evidence.collect::<String>())
        }
        (None, None) => "asking ...".into(),
    };
    let lines = broken(&text, columns);
    lines
        .into_iter()
        .map(|line| match line.split_once(':') {
            // what begins a paragraph says what it is about
            Some((name, rest)) if !line.starts_with(' ') && !name.contains(". ") => {
                Line::from(vec![
                    pen.span(format!("{name}:"), Look::Heading),
                    pen.span(rest.to_owned(), Look::Usual),
                ])
            }
            _ => Line::from(line),
        })
        .collect()
}

/// Draws its state and the evidence for it.
pub(super) fn state(detail: &Detail, pen: &Pen, area: Rect, buffer: &mut Buffer) {
    let lines = state_lines(detail, pen, usize::from(area.width));
    text(detail, Panel::State, &lines, pen, area, buffer);
}

/// Draws its reviews.
pub(super) fn reviews(detail: &Detail, pen: &Pen, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width);
    let mut lines = Vec::new();
    for review in &detail.reviews {
        if !lines.is_empty() {
            lines.push(Line::default());
            lines.push(Line::from(
                pen.span("─".repeat(columns.min(20)), Look::Faint),
            ));
        }
        let reply = Reply::Reviews {
            id: detail.id.clone(),
            reviews: vec![review.clone()],
        };
        let words = render(&reply, &pen.frame(columns));
        for (at, line) in broken(&words, columns).into_iter().enumerate() {
            let is_heading = at == 0 || line.starts_with('#') || line.starts_with("It would type:");
            let look = if is_heading {
                Look::Heading
            } else {
                Look::Usual
            };
            lines.push(Line::from(pen.span(line, look)));
        }
    }
    if lines.is_empty() {
        let said = format!("none yet; /review {} has one written", detail.id);
        lines.push(Line::from(pen.span(said, Look::Faint)));
    }
    text(detail, Panel::Reviews, &lines, pen, area, buffer);
}

/// Draws the whole of a decision.
pub(super) fn decision(
    detail: &Detail,
    decision: &Decision,
    pen: &Pen,
    area: Rect,
    buffer: &mut Buffer,
) {
    let columns = usize::from(area.width);
    let words = match (&decision.failed, &decision.steps) {
        (Some(why), _) => one_line(why),
        (None, None) => "asking ...".into(),
        (None, Some(steps)) => {
            let reply = Reply::Decision {
                id: detail.id.clone(),
                steps: steps.clone(),
            };
            render(&reply, &pen.frame(columns))
        }
    };
    let lines: Vec<Line<'_>> = broken(&words, columns)
        .into_iter()
        .map(|line| {
            let is_step = line.starts_with(|first: char| first.is_ascii_digit());
            let look = match (&decision.failed, is_step) {
                (Some(_), _) => Look::Bad,
                (None, true) => Look::Heading,
                (None, false) => Look::Usual,
            };
            Line::from(pen.span(line, look))
        })
        .collect();
    decision
        .scroll
        .window(lines.len(), usize::from(area.height.saturating_sub(1)));
    let beyond = beyond(&decision.scroll);
    let note = format!("Esc: back  {beyond}");
    let below = titled("▸ Decision", note.trim(), true, pen, area, buffer);
    scrolled(&lines, &decision.scroll, below, buffer);
    let mut panels = detail.drawn.panels.borrow_mut();
    panels.push((Panel::Timeline, area));
}

/// A panel of lines.
fn text(
    detail: &Detail,
    panel: Panel,
    lines: &[Line<'_>],
    pen: &Pen,
    area: Rect,
    buffer: &mut Buffer,
) {
    let scroll = match panel {
        Panel::State => &detail.state,
        _ => &detail.reading,
    };
    scroll.window(lines.len(), usize::from(area.height.saturating_sub(1)));
    let is_focus = detail.focus == panel && detail.decision.is_none();
    let title = title_of(detail, panel);
    let below = titled(&title, &beyond(scroll), is_focus, pen, area, buffer);
    scrolled(lines, scroll, below, buffer);
    let mut panels = detail.drawn.panels.borrow_mut();
    panels.push((panel, area));
}
