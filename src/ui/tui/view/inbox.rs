//! The inbox: everything that waits for the person, with the whole text of the highlighted one below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{more, put, table, title};
use crate::command::reply::age;
use crate::command::text::{fit, fit_middle, one_line, pad, wrap};
use crate::command::{AgentView, Status};
use crate::screen::recognise::Says;
use crate::ui::tui::app::{App, Drawn};
use crate::ui::tui::rows;
use crate::ui::tui::theme::Look;

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer, drawn: &mut Drawn) {
    let count = app.inbox.rows().len();
    let area = title(app, &format!("inbox ({count})"), area, buffer);
    let Some((_, highlighted)) = app.inbox.highlighted() else {
        let words = fit(
            "nobody waits for you; Tab goes back",
            usize::from(area.width),
        );
        put(
            buffer,
            area.x,
            area.y,
            &words,
            app.palette.style(Look::Faint),
        );
        return;
    };
    let rows = u16::try_from(count).unwrap_or(u16::MAX);
    let list = rows.min(area.height.div_ceil(3)).max(1).min(area.height);
    let above = Rect {
        height: list,
        ..area
    };
    table::rows(app, above, buffer, drawn, item);
    let below = Rect {
        y: area.y + list,
        height: area.height - list,
        ..area
    };
    let body = title(app, highlighted.id.as_str(), below, buffer);
    one(app, highlighted, body, buffer);
}

/// Shows what waits for the person below the table: the highlighted agent's question or dialog, where it has
/// one, else a line for each of those that have.
pub(super) fn below_table(app: &App, area: Rect, buffer: &mut Buffer) {
    let waiting = app.inbox.rows();
    let highlighted = app.table.highlighted().map(|(_, view)| view);
    if let Some(view) = highlighted.filter(|view| rows::waits(view)) {
        let body = title(app, &format!("{} waits for you", view.id), area, buffer);
        return one(app, view, body, buffer);
    }
    let body = title(app, &format!("inbox ({}): i", waiting.len()), area, buffer);
    for (view, y) in waiting.iter().zip(body.top()..body.bottom()) {
        let words = fit(&item(app, view), usize::from(body.width));
        put(buffer, body.x, y, &words, app.palette.style(Look::Needs));
    }
    more(app, waiting.len() > usize::from(body.height), body, buffer);
}

/// One line of the list.
fn item(app: &App, view: &AgentView) -> String {
    let since = view.question.as_ref().map(|question| question.since);
    let waited = since.map_or_else(
        || "-".to_owned(),
        |since| age(app.now.wall.to_utc() - since),
    );
    let said = match (app.receipts.get(&view.id), &view.question, &view.dialog) {
        (Some(answered), ..) => one_line(&answered.text),
        (None, Some(question), _) => one_line(&question.text),
        (None, None, Some(dialog)) => one_line(&dialog.subject),
        (None, None, None) => format!("{}: {}", view.status.word(), table::last(view)),
    };
    let id = pad(&fit_middle(view.id.as_str(), 16), 16);
    let state = view.state.map_or("-", |state| state.as_str());
    format!("{id}  {state:9}  {waited:4}  {said}")
}

/// All that is asked by one agent, and how it is answered.
fn one(app: &App, view: &AgentView, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width);
    let lines = lines(app, view, columns);
    let rows = usize::from(area.height);
    for ((text, look), y) in lines.iter().zip(area.top()..area.bottom()) {
        put(
            buffer,
            area.x,
            y,
            &fit(text, columns),
            app.palette.style(*look),
        );
    }
    more(app, lines.len() > rows, area, buffer);
}

fn lines(app: &App, view: &AgentView, columns: usize) -> Vec<(String, Look)> {
    let mut lines: Vec<(String, Look)> = Vec::new();
    let mut say = |text: &str, indent: &str, look: Look| {
        let wrapped = wrap(text, columns, indent);
        lines.extend(wrapped.lines().map(|line| (line.to_owned(), look)));
    };
    if let Some(answered) = app.receipts.get(&view.id) {
        say(&answered.text, "", answered.look);
    }
    if let Some(dialog) = &view.dialog {
        if let Some(kind) = dialog.kind {
            say(&format!("asks for a yes ({kind}):"), "", Look::Usual);
        }
        say(&dialog.subject, "  ", Look::Heading);
        if !dialog.whole {
            say("(as far as the screen shows it)", "  ", Look::Faint);
        }
        let has_keys = dialog.choices.iter().any(|choice| choice.key.is_some());
        for (index, choice) in dialog.choices.iter().enumerate() {
            let key = match choice.key {
                Some(key) => key.to_string(),
                None if has_keys => " ".to_owned(),
                None => (index + 1).to_string(),
            };
            let selected = if choice.selected == Some(true) {
                ">"
            } else {
                " "
            };
            let says = match choice.says {
                Says::Yes => "  (a)",
                Says::Always => "  (for more than this once)",
                Says::No => "  (d)",
                Says::Words => "  (your words: r)",
                Says::Other => "",
            };
            let label = one_line(&choice.label);
            say(
                &format!("{key}  {label}{says}"),
                &format!("{selected} "),
                Look::Usual,
            );
        }
    } else if let Some(question) = &view.question {
        say(&question.text, "", Look::Heading);
    } else {
        say(&view.status.to_string(), "", Look::Usual);
    }
    if app.is_snoozed(&view.id) {
        say("put off: you are not rung for it", "", Look::Faint);
    }
    let keys = if view.dialog.is_some() {
        "a yes   d no   1-9 an option   D no, and why   z later   o its pane"
    } else if matches!(view.status, Status::Gone(_)) {
        "S watch it again   o its pane   e explain"
    } else {
        "r reply   z later   o its pane   e explain"
    };
    let goal = format!("goal: {}", one_line(&view.goal));
    lines.push((String::new(), Look::Usual));
    lines.push((keys.to_owned(), Look::Faint));
    lines.push((goal, Look::Faint));
    lines
}
