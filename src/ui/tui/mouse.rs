//! The mouse: a click highlights, a second one opens, the wheel scrolls. It never acts on an agent.

use std::time::Duration;

use super::app::App;
use super::input::{Mouse, MouseAction};
use super::keymap::Place;

/// Two clicks within this time are a double click.
const DOUBLE: Duration = Duration::from_millis(400);
/// So many rows go by with a step of the wheel.
const WHEEL: isize = 3;

pub(super) fn clicked(app: &mut App, event: Mouse) {
    if matches!(app.place(), Place::Asked | Place::Line | Place::Filter) {
        return;
    }
    match event.what {
        MouseAction::WheelUp => scroll(app, -WHEEL),
        MouseAction::WheelDown => scroll(app, WHEEL),
        MouseAction::Click => click(app, event.row),
    }
}

fn scroll(app: &mut App, by: isize) {
    match (app.behind(), &mut app.text) {
        (Place::Text, Some(text)) => text.scroll.by(by),
        (Place::Table | Place::Inbox, _) => app.move_by(by),
        _ => {}
    }
}

/// What stood in that row when it was clicked is what was meant, wherever it is now.
fn click(app: &mut App, row: u16) {
    if !matches!(app.behind(), Place::Table | Place::Inbox) || app.drawn.place != app.place() {
        return;
    }
    let Some(list) = &app.drawn.list else {
        return;
    };
    let Some(line) = row.checked_sub(list.top).filter(|line| *line < list.height) else {
        return;
    };
    let Some(view) = list.rows.get(list.offset + usize::from(line)) else {
        return;
    };
    let id = view.id.clone();
    let again = app
        .click
        .take()
        .is_some_and(|(at, other)| other == id && app.now.up < at + DOUBLE);
    app.list_mut().select(&id);
    app.moved_to = Some(id.clone());
    if again {
        app.open();
    } else {
        app.click = Some((app.now.up, id));
    }
}
