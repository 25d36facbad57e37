//! The mouse: a click highlights, a second one opens, the wheel scrolls. It never acts on an agent.

use std::time::Duration;

use super::app::App;
use super::input::{Mouse, MouseAction};
use super::keymap::Place;
use super::update::Effect;
use crate::ids::AgentId;

/// Two clicks within this time are a double click.
const DOUBLE: Duration = Duration::from_millis(400);
/// So many rows go by with a step of the wheel.
const WHEEL: isize = 3;

pub(super) fn clicked(app: &mut App, event: Mouse) -> Vec<Effect> {
    match (app.at(), event.what) {
        (Place::Asked | Place::Line | Place::Filter, _) => {}
        (Place::Detail, _) => return app.detail_mouse(event),
        (Place::Mission, MouseAction::Click) => app.click_in_mission(event.row),
        (_, MouseAction::WheelUp) => scroll(app, -WHEEL),
        (_, MouseAction::WheelDown) => scroll(app, WHEEL),
        (_, MouseAction::Click) => return click(app, event.row),
    }
    Vec::new()
}

fn scroll(app: &mut App, by: isize) {
    match (app.behind(), &mut app.text) {
        (Place::Text, Some(text)) => text.scroll.by(by),
        (Place::Table | Place::Inbox, _) => app.move_by(by),
        (Place::Mission, _) => app.step_in_mission(by),
        _ => {}
    }
}

/// What stood in that row when it was clicked is what was meant, wherever it is now.
fn click(app: &mut App, row: u16) -> Vec<Effect> {
    let Some(id) = clicked_on(app, row) else {
        return Vec::new();
    };
    let again = app
        .click
        .take()
        .is_some_and(|(at, other)| other == id && app.now.up < at + DOUBLE);
    app.list_mut().select(&id);
    app.moved_to = Some(id.clone());
    if again {
        return app.open();
    }
    app.click = Some((app.now.up, id));
    Vec::new()
}

fn clicked_on(app: &App, row: u16) -> Option<AgentId> {
    if !matches!(app.behind(), Place::Table | Place::Inbox) || app.drawn.place != app.at() {
        return None;
    }
    let list = app.drawn.list.as_ref()?;
    let line = row.checked_sub(list.top)?;
    if line >= list.height {
        return None;
    }
    let view = list.rows.get(list.offset + usize::from(line))?;
    Some(view.id.clone())
}
