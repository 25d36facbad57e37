//! The header: who needs the person, what was spent, what answers and what does not, whether anything is typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{pieces, put};
use crate::command::text::{fit, one_line, width};
use crate::command::{Answers, BackendHealth};
use crate::ui::tui::app::App;
use crate::ui::tui::theme::Look;

/// A piece of the header, the most important first.
type Piece = (String, Look);

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    if area.height == 1 {
        let mut all = vec![needs(app)];
        all.extend(typing(app));
        all.push(agents(app));
        all.extend(trouble(app));
        return row(app, &all, area, area.y, buffer);
    }
    let clock = format!(" {}", app.now.wall.format("%H:%M:%S"));
    let clock_width = u16::try_from(clock.len()).unwrap_or_default();
    let first = Rect {
        width: area.width.saturating_sub(clock_width),
        ..area
    };
    let mut all = vec![
        ("meta-orchestrator".to_owned(), Look::Heading),
        agents(app),
        needs(app),
    ];
    all.extend(typing(app));
    all.extend(spend(app));
    row(app, &all, first, area.y, buffer);
    let style = app.palette.style(Look::Faint);
    put(buffer, first.right(), area.y, &clock, style);
    row(app, &health(app), area, area.y + 1, buffer);
}

/// Pieces beside each other, as many as there is room for.
fn row(app: &App, all: &[Piece], area: Rect, y: u16, buffer: &mut Buffer) {
    let mut room = usize::from(area.width);
    let mut shown: Vec<(&str, Style)> = Vec::new();
    for (index, (text, look)) in all.iter().enumerate() {
        let gap = if index == 0 { 0 } else { 3 };
        let wanted = width(text) + gap;
        // the first one is cut rather than left out
        if wanted > room && index > 0 {
            continue;
        }
        if gap > 0 {
            shown.push(("   ", Style::new()));
        }
        shown.push((text, app.palette.style(*look)));
        room = room.saturating_sub(wanted);
    }
    pieces(buffer, area, y, &shown);
}

fn agents(app: &App) -> Piece {
    let text = match app.views.len() {
        1 => "1 agent".to_owned(),
        count => format!("{count} agents"),
    };
    (text, Look::Usual)
}

fn needs(app: &App) -> Piece {
    match app.waiting() {
        0 => ("nobody needs you".into(), Look::Faint),
        1 => ("! 1 needs you".into(), Look::Needs),
        count => (format!("! {count} need you"), Look::Needs),
    }
}

/// Whether anything is typed.
fn typing(app: &App) -> Option<Piece> {
    let health = app.health.as_ref()?;
    Some(if health.all_stopped {
        (" TYPING STOPPED (!) ".to_owned(), Look::Alarm)
    } else if health.observe {
        ("observing, types nothing".into(), Look::Warning)
    } else {
        ("typing on".into(), Look::Good)
    })
}

fn spend(app: &App) -> Option<Piece> {
    let health = app.health.as_ref()?;
    let tokens = short(health.tokens);
    Some((
        format!("today {} calls, {tokens} tokens", health.calls),
        Look::Faint,
    ))
}

/// `950`, `12.3k`, `4.5M`.
pub(super) fn short(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{}.{}k", number / 1_000, number % 1_000 / 100),
        _ => format!("{}.{}M", number / 1_000_000, number % 1_000_000 / 100_000),
    }
}

/// What is asked and whether it answers.
fn health(app: &App) -> Vec<Piece> {
    let Some(health) = &app.health else {
        return vec![("...".into(), Look::Faint)];
    };
    let mut all = vec![answers("zellij", "", &health.zellij)];
    // what is down first: the rest may have no room
    all.extend(health.backends.iter().map(backend));
    if health.backends.is_empty() {
        all.push(("built-in rules decide".into(), Look::Faint));
    }
    all.sort_by_key(|(_, look)| *look != Look::Bad);
    all
}

fn backend(backend: &BackendHealth) -> Piece {
    let name = fit(&one_line(&backend.name), 40);
    answers(&one_line(&backend.role), &name, &backend.answers)
}

fn answers(what: &str, name: &str, answers: &Answers) -> Piece {
    let name = if name.is_empty() {
        String::new()
    } else {
        format!(" ({name})")
    };
    if answers.is_down() {
        let why = fit(&one_line(&answers.why), 60);
        (format!("{what}{name} DOWN: {why}"), Look::Bad)
    } else {
        (format!("{what}{name} ok"), Look::Good)
    }
}

/// What does not answer, in a word each, for a header of one row.
fn trouble(app: &App) -> Vec<Piece> {
    let Some(health) = &app.health else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if health.zellij.is_down() {
        all.push(("zellij DOWN".to_owned(), Look::Bad));
    }
    let down = health.backends.iter().filter(|one| one.answers.is_down());
    all.extend(down.map(|one| (format!("{} DOWN", one_line(&one.role)), Look::Bad)));
    all
}
