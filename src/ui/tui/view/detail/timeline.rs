//! What an agent did and was told: its memos, the newest first.

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::super::detail::{Detail, Panel};
use super::super::super::theme::Look;
use super::{Pen, beyond, broken, scrolled, title_of, titled};
use crate::command::reply::age;
use crate::command::text::one_line;
use crate::record::{Action, Memo, MemoAction, Receipt};

/// The columns of a memo's mark.
const MARK: usize = 2;
/// The columns of the names of its parts.
const NAME: usize = 6;

/// Draws the timeline.
pub(super) fn draw(detail: &Detail, pen: &Pen, area: Rect, buffer: &mut Buffer) {
    let is_focus = detail.focus == Panel::Timeline;
    let (lines, rows) = lines(detail, pen, usize::from(area.width));
    let at = detail.highlighted_at();
    let row = rows.get(at).map(|rows| rows.start);
    if at > 0
        && let (Some(before), Some(row)) = (detail.drawn.anchor.get(), row)
    {
        // what came in above does not move what is read
        let moved = row.cast_signed() - before.cast_signed();
        detail.timeline.shift(moved);
    }
    detail.drawn.anchor.set(row);
    *detail.drawn.memos.borrow_mut() = rows;
    let height = usize::from(area.height.saturating_sub(1));
    detail.timeline.window(lines.len(), height);
    let note = beyond(&detail.timeline);
    let note = match (is_focus, note.is_empty()) {
        (false, _) => note,
        (true, true) => "Enter: the whole decision".into(),
        (true, false) => format!("Enter: the whole decision  {note}"),
    };
    let title = title_of(detail, Panel::Timeline);
    let text = titled(&title, &note, is_focus, pen, area, buffer);
    scrolled(&lines, &detail.timeline, text, buffer);
    let mut panels = detail.drawn.panels.borrow_mut();
    panels.push((Panel::Timeline, area));
}

type Rows = Vec<std::ops::Range<usize>>;

fn lines(detail: &Detail, pen: &Pen, columns: usize) -> (Vec<Line<'static>>, Rows) {
    let mut lines = Vec::new();
    let mut rows = Vec::new();
    let is_focus = detail.focus == Panel::Timeline;
    for (at, memo) in detail.memos.iter().enumerate() {
        let begin = lines.len();
        let is_highlighted = is_focus && at == detail.highlighted_at();
        let mark = if is_highlighted { "▌ " } else { "  " };
        for line in one(memo, pen, columns.saturating_sub(MARK)) {
            let mut spans = vec![pen.span(mark, Look::Busy)];
            spans.extend(line.spans);
            lines.push(Line::from(spans));
        }
        rows.push(begin..lines.len());
    }
    if detail.memos.is_empty() {
        lines.push(Line::from(pen.span("nothing was decided yet", Look::Faint)));
    }
    if detail.skipped > 0 {
        let text = match detail.skipped {
            1 => "1 line of its log could not be read; it was left in the file".to_owned(),
            more => {
                format!("{more} lines of its log could not be read; they were left in the file")
            }
        };
        lines.extend(
            broken(&text, columns)
                .into_iter()
                .map(|line| Line::from(pen.span(line, Look::Warning))),
        );
    }
    (lines, rows)
}

/// One memo: when, what, what became of it; the text, why, and what came after.
fn one(memo: &Memo, pen: &Pen, columns: usize) -> Vec<Line<'static>> {
    let mut head = vec![
        pen.span(time(memo.ts, pen), Look::Faint),
        Span::raw("  "),
        pen.span(one_line(memo.action.as_str()), look_of(&memo.action)),
    ];
    if let Some(receipt) = &memo.receipt {
        let look = match receipt {
            Receipt::Delivered(_) => Look::Good,
            Receipt::Observed => Look::Faint,
            Receipt::Refused { .. } | Receipt::Unproven { .. } => Look::Warning,
        };
        head.push(Span::raw("  "));
        head.push(pen.span(one_line(&receipt.to_string()), look));
    }
    head.push(pen.span(
        format!("  {} ago", age(pen.now.to_utc() - memo.ts)),
        Look::Faint,
    ));
    let mut lines = vec![Line::from(head)];
    let after = memo.after_summary.as_deref().unwrap_or_default();
    for (name, words, look) in [
        ("text", memo.text.as_str(), Look::Usual),
        ("why", &memo.reasoning, Look::Faint),
        ("then", after, Look::Usual),
    ] {
        if words.trim().is_empty() {
            continue;
        }
        let lines_of_it = broken(words, columns.saturating_sub(NAME));
        for (at, text) in lines_of_it.into_iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            lines.push(Line::from(vec![
                pen.span(format!("{name:<NAME$}"), Look::Faint),
                pen.span(text, look),
            ]));
        }
    }
    lines.push(Line::default());
    lines
}

/// The time of day, with the day where it is not today.
fn time(at: DateTime<Utc>, pen: &Pen) -> String {
    let at = at.with_timezone(pen.now.offset());
    let form = if at.date_naive() == pen.now.date_naive() {
        "%H:%M:%S"
    } else {
        "%b %d %H:%M"
    };
    at.format(form).to_string()
}

fn look_of(action: &MemoAction) -> Look {
    match action {
        MemoAction::Verdict(Action::Instruct) => Look::Busy,
        MemoAction::Verdict(Action::AskUser) | MemoAction::Notice => Look::Needs,
        MemoAction::NoVerdict => Look::Warning,
        MemoAction::Reply | MemoAction::Answer => Look::Good,
        MemoAction::Verdict(Action::Continue) | MemoAction::Other(_) => Look::Usual,
    }
}
