//! The last row: the command line, the filter, why a key did nothing, or which keys there are.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::put;
use crate::command::complete::hint;
use crate::command::text::{fit, harmless, one_line, pad, width};
use crate::ui::tui::act;
use crate::ui::tui::app::App;
use crate::ui::tui::ask::TO_ITS_END;
use crate::ui::tui::keymap::Place;
use crate::ui::tui::line::Line;
use crate::ui::tui::theme::Look;

/// The most candidates that are shown at once.
const MOST_OFFERED: usize = 8;

/// Draws the last row; where the cursor is, if a text is typed.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    match (&app.line, &app.filter_line) {
        (Some(line), _) => {
            let (position, end) = typed(app, "", line, area, buffer);
            // what may follow, faintly; without colours it could not be told from what was typed
            if app.palette.has_colours()
                && line.cursor() == line.text().len()
                && let Some(hint) = hint(line.text())
            {
                let room = usize::from(area.right().saturating_sub(end + 1));
                let style = app.palette.style(Look::Faint);
                put(
                    buffer,
                    end + 1,
                    area.y,
                    &fit(hint.trim_start(), room),
                    style,
                );
            }
            Some(position)
        }
        (None, Some(line)) => Some(typed(app, "filter: ", line, area, buffer).0),
        (None, None) => {
            let (words, look) = status(app, usize::from(area.width));
            put(buffer, area.x, area.y, &words, app.palette.style(look));
            None
        }
    }
}

/// A line that is typed, scrolled so that the cursor can be seen; where that is, and where the text ends.
fn typed(app: &App, head: &str, line: &Line, area: Rect, buffer: &mut Buffer) -> (Position, u16) {
    let columns = usize::from(area.width);
    let (before, after) = line.text().split_at(line.cursor());
    let (before, after) = (
        harmless(before).replace(['\n', '\t'], " "),
        harmless(after).replace(['\n', '\t'], " "),
    );
    let room = columns.saturating_sub(width(head)).saturating_sub(1);
    // drop from the left what does not fit before the cursor
    let mut kept = before.as_str();
    while width(kept) > room {
        let mut characters = kept.chars();
        characters.next();
        kept = characters.as_str();
    }
    let usual = app.palette.style(Look::Usual);
    let x = put(
        buffer,
        area.x,
        area.y,
        &fit(head, columns),
        app.palette.style(Look::Faint),
    );
    let x = put(buffer, x, area.y, kept, usual);
    let left = usize::from(area.right().saturating_sub(x));
    let end = put(buffer, x, area.y, &fit(&after, left), usual);
    let x = x.min(area.right().saturating_sub(1));
    (Position { x, y: area.y }, end)
}

/// What stands there while nothing is typed.
fn status(app: &App, columns: usize) -> (String, Look) {
    if let Some((hint, _)) = &app.hint {
        return (fit(&one_line(hint), columns), Look::Warning);
    }
    if app.is_leaving {
        return (fit("leaving ...", columns), Look::Busy);
    }
    if matches!(app.at(), Place::Table | Place::Inbox) && act::is_moving(app) {
        let words = "the row moved: keys that act on it are off for a moment";
        return (fit(words, columns), Look::Warning);
    }
    let keys: &[&str] = match app.at() {
        Place::Asked if app.hears_yes() => &["y yes", "n no"],
        Place::Asked if app.asked.as_ref().is_some_and(|asked| !asked.end_seen) => {
            &["n no", TO_ITS_END]
        }
        Place::Asked => &["n no"],
        Place::Text => &["Esc back", "j k scroll", ": command", "? help"],
        Place::Detail => &[
            "Esc back",
            "? help",
            "Tab panel",
            "r reply",
            "a yes",
            "d no",
            "o pane",
            "e explain",
            ": command",
        ],
        Place::Mission => &[
            "Esc back",
            "? help",
            "Enter worker",
            "e explain",
            "r tell",
            "t retry",
            "S stop",
            "a accept",
            "Tab next mission",
            ": command",
        ],
        Place::Inbox => &[
            "Tab table",
            "? help",
            "r reply",
            "a yes",
            "d no",
            "1-9 option",
            "z later",
            "o pane",
        ],
        _ => &[
            "? help",
            ": command",
            "i inbox",
            "Enter detail",
            "r reply",
            "a yes",
            "o pane",
            "! stop all",
            "f filter",
            "s sort",
            "q leave",
        ],
    };
    let mut words = String::new();
    for key in keys {
        let gap = if words.is_empty() { "" } else { "   " };
        // whole ones only
        if width(&words) + width(gap) + width(key) > columns {
            break;
        }
        words.push_str(gap);
        words.push_str(key);
    }
    (words, Look::Faint)
}

/// Ways to complete the line, above it.
pub(super) fn draw_offered(app: &App, above: Rect, buffer: &mut Buffer) {
    let Some(offered) = app.line.as_ref().and_then(Line::offered) else {
        return;
    };
    let most = MOST_OFFERED.min(usize::from(buffer.area.height).saturating_sub(1));
    let count = offered.all.len();
    let first = offered
        .chosen
        .map_or(0, |chosen| chosen.saturating_sub(most.saturating_sub(1)));
    let shown: Vec<_> = offered
        .all
        .iter()
        .enumerate()
        .skip(first)
        .take(most)
        .collect();
    let rows = u16::try_from(shown.len()).unwrap_or_default();
    let columns = usize::from(above.width);
    // right above the line, which is the last row
    let top = buffer.area.bottom().saturating_sub(1 + rows);
    for (y, (index, candidate)) in (top..).zip(shown) {
        let look = if offered.chosen == Some(index) {
            Look::Highlighted
        } else {
            Look::Usual
        };
        let more = if count > most && index + 1 == first + most {
            format!("  ... {count} in all")
        } else {
            String::new()
        };
        let display = harmless(&candidate.display).replace(['\n', '\t'], " ");
        let text = format!("  {display}{more}");
        put(
            buffer,
            above.x,
            y,
            &pad(&fit(&text, columns), columns),
            app.palette.style(look),
        );
    }
}
