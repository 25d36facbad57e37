//! The table: a row per agent, those that wait for the person first.

use chrono::Local;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::{offset, put};
use crate::command::reply::age;
use crate::command::text::{fit, fit_middle, one_line, pad, width};
use crate::command::{AgentView, Status};
use crate::ui::tui::app::{App, Drawn, ListArea};
use crate::ui::tui::rows::{self, mark};
use crate::ui::tui::theme::Look;

/// The last column is left out where it would have less than this.
const LEAST_LAST: usize = 24;
/// So much of a text from outside is looked at for a row.
const LOOKED_AT: usize = 400;

/// A column, with the columns of the screen that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Agent,
    Status,
    State,
    Pane,
    Polls,
    Rest,
    Nudges,
    Last,
}

impl Column {
    /// All of them, as they stand beside each other.
    const ALL: [Self; 8] = [
        Self::Agent,
        Self::Status,
        Self::State,
        Self::Pane,
        Self::Polls,
        Self::Rest,
        Self::Nudges,
        Self::Last,
    ];
    /// The order in which they are left out where there is no room.
    const LEFT_OUT: [Self; 5] = [
        Self::Polls,
        Self::Pane,
        Self::Nudges,
        Self::State,
        Self::Rest,
    ];

    const fn heading(self) -> &'static str {
        match self {
            Self::Agent => "AGENT",
            Self::Status => "STATUS",
            Self::State => "STATE",
            Self::Pane => "PANE",
            Self::Polls => "POLLS",
            Self::Rest => "STILL",
            Self::Nudges => "NUDGES",
            Self::Last => "LAST DECISION",
        }
    }

    /// The widest that it may be on a screen of so many columns.
    const fn bound(self, room: usize) -> usize {
        match self {
            Self::Agent if room < 60 => 12,
            Self::Agent if room < 100 => 16,
            Self::Agent if room < 140 => 24,
            Self::Agent => 36,
            Self::Status => 14,
            Self::State => 10,
            Self::Pane => 16,
            Self::Polls => 8,
            Self::Rest => 5,
            Self::Nudges => 7,
            Self::Last => usize::MAX,
        }
    }
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer, drawn: &mut Drawn) {
    let area = filtered(app, area, buffer);
    let list = &app.table;
    if list.rows().is_empty() {
        let words = match (app.health.is_some(), app.filter.trim().is_empty()) {
            (false, _) => "...",
            (true, true) => "no agents yet: `:panes` shows what there is, `:adopt` supervises it",
            (true, false) => "no agent fits the filter; Esc ends it",
        };
        let words = fit(words, usize::from(area.width));
        put(
            buffer,
            area.x,
            area.y,
            &words,
            app.palette.style(Look::Faint),
        );
        return;
    }
    let columns = columns(app, usize::from(area.width));
    let headed = area.height > 3;
    if headed {
        let cells = columns
            .iter()
            .map(|(column, wide)| cell(column.heading(), *wide));
        let line = format!("   {}", cells.collect::<Vec<_>>().join("  "));
        let style = app.palette.style(Look::Faint);
        put(
            buffer,
            area.x,
            area.y,
            &fit(&line, usize::from(area.width)),
            style,
        );
    }
    let body = Rect {
        y: area.y + u16::from(headed),
        height: area.height - u16::from(headed),
        ..area
    };
    rows(app, body, buffer, drawn, |app, view| {
        let cells = columns
            .iter()
            .map(|(column, wide)| named_cell(app, view, *column, *wide));
        cells.collect::<Vec<_>>().join("  ")
    });
}

/// Draws the rows of the list that is shown, and tells where they are.
pub(super) fn rows(
    app: &App,
    body: Rect,
    buffer: &mut Buffer,
    drawn: &mut Drawn,
    words: impl Fn(&App, &AgentView) -> String,
) {
    let list = app.list();
    let Some((at, highlighted)) = list.highlighted() else {
        return;
    };
    let height = usize::from(body.height);
    let before = app.drawn.list.as_ref().map_or(0, |list| list.offset);
    let first = offset(before, at, height, list.rows().len());
    for (index, view) in list.rows().iter().enumerate().skip(first).take(height) {
        let y = body.y + u16::try_from(index - first).unwrap_or(u16::MAX);
        let is_highlighted = index == at;
        let mut style = app.palette.style(look(view));
        if is_highlighted {
            style = style.add_modifier(Modifier::REVERSED);
        }
        let head = if is_highlighted { '>' } else { ' ' };
        let mark = mark(view, app.is_snoozed(&view.id));
        let line = format!("{head}{mark} {}", words(app, view));
        let columns = usize::from(body.width);
        put(
            buffer,
            body.x,
            y,
            &pad(&fit(&line, columns), columns),
            style,
        );
    }
    if height > 0 && body.width > 0 {
        drawn.highlight = Some((at, highlighted.clone()));
    }
    drawn.list = Some(ListArea {
        top: body.y,
        height: body.height,
        offset: first,
        rows: list.rows().clone(),
    });
}

fn look(view: &AgentView) -> Look {
    match &view.status {
        Status::Gone(_) | Status::Error(_) => Look::Bad,
        _ if rows::waits(view) => Look::Needs,
        Status::Asking(_) | Status::Instructed => Look::Busy,
        Status::Stopped | Status::Disabled | Status::AllStopped => Look::Faint,
        Status::Limit(_) | Status::Held(_) => Look::Warning,
        _ => Look::Usual,
    }
}

/// Says what sorts and what filters, where something does.
fn filtered(app: &App, area: Rect, buffer: &mut Buffer) -> Rect {
    let filter = app.filter.trim();
    let mut words = Vec::new();
    if let Some(sort) = app.sort.word() {
        words.push(format!("sorted by {sort} (s)"));
    }
    if !filter.is_empty() {
        let (shown, all) = (app.table.rows().len(), app.views.len());
        let filter = one_line(filter);
        words.push(format!("filter `{filter}`: {shown} of {all} (Esc ends it)"));
    }
    if words.is_empty() || area.height < 2 {
        return area;
    }
    let line = fit(&words.join("   "), usize::from(area.width));
    put(
        buffer,
        area.x,
        area.y,
        &line,
        app.palette.style(Look::Warning),
    );
    Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    }
}

/// A cell of a row. The end of a worker's name tells its task.
fn named_cell(app: &App, view: &AgentView, column: Column, wide: usize) -> String {
    match column {
        Column::Agent => pad(&fit_middle(view.id.as_str(), wide), wide),
        _ => cell(&text(app, view, column), wide),
    }
}

fn cell(text: &str, wide: usize) -> String {
    pad(&fit(text, wide), wide)
}

/// The columns for which there is room, with their widths. They are as wide as the widest of all rows, so that
/// nothing moves when the list is scrolled.
fn columns(app: &App, room: usize) -> Vec<(Column, usize)> {
    let all = Column::ALL.map(|column| (column, natural(app, column, room)));
    let with_last = left_out(&all, room, LEAST_LAST);
    let without = || left_out(&all, room + 2, 0).map(|(out, _)| (out, 0));
    // the last column has what the others leave; where that is too little, they have it
    let (out, last) = with_last.or_else(without).unwrap_or_default();
    let shown = all.into_iter().filter(|(column, _)| match column {
        Column::Last => last > 0,
        column => !out.contains(column),
    });
    shown
        .map(|(column, wide)| match column {
            Column::Last => (column, last),
            _ => (column, wide),
        })
        .collect()
}

/// What is left out, so that `wanted` columns of the screen are left, and how many then are; `None` where that
/// cannot be.
fn left_out(
    all: &[(Column, usize)],
    room: usize,
    wanted: usize,
) -> Option<(&'static [Column], usize)> {
    (0..=Column::LEFT_OUT.len()).find_map(|count| {
        let out = &Column::LEFT_OUT[..count];
        let kept = all
            .iter()
            .filter(|(column, _)| *column != Column::Last && !out.contains(column));
        let used = 3 + kept.map(|(_, wide)| wide + 2).sum::<usize>();
        let left = room.checked_sub(used)?;
        (left >= wanted).then_some((out, left))
    })
}

fn natural(app: &App, column: Column, room: usize) -> usize {
    if column == Column::Last {
        return LEAST_LAST;
    }
    let heading = column.heading().len();
    let rows = app.table.rows().iter();
    let widest = rows.map(|view| width(&text(app, view, column))).max();
    widest
        .unwrap_or_default()
        .max(heading)
        .min(column.bound(room))
}

fn text(app: &App, view: &AgentView, column: Column) -> String {
    match column {
        Column::Agent => view.id.to_string(),
        Column::Status => status(view),
        Column::State => view
            .state
            .map_or_else(|| "-".to_owned(), |state| state.to_string()),
        Column::Pane => pane(app, view),
        Column::Polls => view.polls.to_string(),
        Column::Rest => rest(app, view),
        Column::Nudges => view.nudges.to_string(),
        Column::Last => last(view),
    }
}

/// Its status, in a word or two.
fn status(view: &AgentView) -> String {
    let word = view.status.word();
    let observed = view.observe && view.status != Status::Observing;
    match &view.status {
        Status::Held(Some(until)) | Status::Limit(Some(until)) => {
            format!("{word} {}", until.with_timezone(&Local).format("%H:%M"))
        }
        _ if observed => format!("{word} (obs)"),
        _ => word.to_owned(),
    }
}

/// How long its screen has stood still.
fn rest(app: &App, view: &AgentView) -> String {
    view.changed_at
        .map_or_else(|| "-".to_owned(), |at| age(app.now.wall.to_utc() - at))
}

/// Its pane; with its session only where there are several.
fn pane(app: &App, view: &AgentView) -> String {
    let session = &view.pane.session;
    let several = app
        .views
        .first()
        .is_some_and(|first| first.pane.session != *session)
        || app
            .views
            .last()
            .is_some_and(|last| last.pane.session != *session);
    let pane = view.pane.pane.to_string().replace("terminal_", "term_");
    if several {
        format!("{session}:{pane}")
    } else {
        pane
    }
}

/// What it asks, why it is gone, or the last decision.
pub(super) fn last(view: &AgentView) -> String {
    let text = match (&view.question, &view.status) {
        (Some(question), _) => question.text.as_str(),
        (None, Status::Gone(why) | Status::Error(why)) => why,
        _ => &view.last_decision,
    };
    one_line(&text[..text.floor_char_boundary(LOOKED_AT)])
}
