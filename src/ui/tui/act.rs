//! Keys that act on an agent: on the one that was highlighted on the screen when the key was pressed, and on
//! no other.
//!
//! The list may have been put in another order since the last frame, and the agent's dialog may be another one.
//! So a key looks at what was drawn: it does nothing where that is not what would be acted on, or where the row
//! moved by itself a moment ago. What would press a key in a pane is asked once more, in the words of the
//! dialog, and forgotten when that dialog is no longer the one.

use std::sync::Arc;

use super::app::{App, MOVING, Yes};
use super::input::{Key, KeyCode};
use super::keymap::Action;
use super::line::Line;
use super::update::Effect;
use crate::command::line::parse;
use crate::command::text::one_line;
use crate::command::{AgentView, Command, Status};
use crate::ids::AgentId;
use crate::screen::recognise::{Choice, Dialog, Says};

/// Carries out a key that acts on an agent.
pub(super) fn on_agent(app: &mut App, action: Action, key: Key) -> Vec<Effect> {
    let shown = match shown(app) {
        Ok(shown) => shown,
        Err(why) => {
            app.hint(why);
            return Vec::new();
        }
    };
    let id = shown.id.clone();
    match action {
        // a dialog is answered, never replied to
        Action::Reply if shown.dialog.is_some() => open_line(app, &format!("/answer {id} ")),
        Action::Reply => open_line(app, &format!("/reply {id} ")),
        Action::DenyWith => open_line(app, &format!("/deny {id} ")),
        Action::Approve => approve(app, &shown),
        Action::Deny => deny(app, &shown),
        Action::Option => option(app, &shown, key),
        Action::Snooze => return send(app, &format!("/snooze {id}")),
        Action::Focus => return send(app, &format!("/focus {id}")),
        Action::Explain => return send(app, &format!("/explain {id}")),
        Action::Hold => {
            let held = matches!(shown.status, Status::Held(_));
            let verb = if held { "release" } else { "hold" };
            return send(app, &format!("/{verb} {id}"));
        }
        Action::Stop => stop(app, &shown),
        _ => {}
    }
    Vec::new()
}

/// The agent that the person saw highlighted, as they saw it.
///
/// # Errors
/// Why no key may act on it now.
pub(super) fn shown(app: &App) -> Result<Arc<AgentView>, &'static str> {
    let Some((_, drawn)) = &app.drawn.highlight else {
        return Err("no agent is highlighted");
    };
    let now = app.subject().map(|(_, view)| &view.id);
    if app.drawn.place != app.at() || now != Some(&drawn.id) {
        return Err("the screen was just changing: press it again");
    }
    if is_moving(app) {
        return Err("its row is moving: nothing was done, press it again");
    }
    Ok(Arc::clone(drawn))
}

/// Whether keys that act on the highlighted agent are off because its row moved by itself a moment ago.
pub(super) fn is_moving(app: &App) -> bool {
    app.drawn.highlight.is_some() && app.now.up < app.drawn.still_since + MOVING
}

/// To whom a command answers a question.
pub(super) fn answered_by(command: &Command) -> Option<AgentId> {
    match command {
        Command::Reply { id, .. }
        | Command::Approve { id, .. }
        | Command::Deny { id, .. }
        | Command::Answer { id, .. }
        | Command::Snooze { id, .. } => Some(id.clone()),
        _ => None,
    }
}

/// A pasted line without its first `/`, where the command line holds nothing but its own.
pub(super) fn without_slash<'a>(line: &Line, text: &'a str) -> &'a str {
    match text.trim_start().strip_prefix('/') {
        Some(rest) if line.text() == "/" => rest,
        _ => text,
    }
}

/// Opens the command line for a letter: what is entered there is asked about once more, since a word that was
/// typed into the wrong window opens it too.
pub(super) fn open_line(app: &mut App, text: &str) {
    let mut line = Line::with(text);
    line.by_letter = true;
    app.line = Some(line);
}

/// Asks once more before what was typed on a line that a letter opened reaches a pane.
pub(super) fn ask_about_line(app: &mut App, command: Command, line: String) {
    let id = answered_by(&command);
    let view = id.as_ref().and_then(|id| app.view(id));
    let dialog = view.and_then(|view| view.dialog.clone());
    let subject = dialog
        .as_ref()
        .map_or_else(String::new, |dialog| format!("\n\n{}", asked(dialog)));
    let text = format!("Send this?\n\n{}{subject}", one_line(&line));
    let yes = match (id, dialog) {
        (Some(id), Some(dialog)) => Yes::Answer(command, line, id, Box::new(dialog)),
        _ => Yes::Send(command, line),
    };
    app.ask(&text, yes);
}

/// Sends what would be typed as `line`.
fn send(app: &mut App, line: &str) -> Vec<Effect> {
    match parse(line) {
        Ok(Some(command)) => app.send(command, line.to_owned()),
        _ => Vec::new(),
    }
}

/// The dialog that the person saw, if it is still open.
fn dialog(app: &mut App, shown: &AgentView) -> Option<Box<Dialog>> {
    let open = app.view(&shown.id).and_then(|view| view.dialog.as_ref());
    let why = match (&shown.dialog, open) {
        (None, None) => "it has no dialog open whose options could be read; `o` shows its pane",
        (Some(seen), Some(open)) if open.is(seen) => return Some(Box::new(seen.clone())),
        _ => "its dialog was just changing: look at it, and press again",
    };
    app.hint(why);
    None
}

fn approve(app: &mut App, shown: &AgentView) {
    let Some(dialog) = dialog(app, shown) else {
        return;
    };
    let mut plain = dialog
        .choices
        .iter()
        .filter(|choice| choice.says == Says::Yes);
    let (Some(choice), None) = (plain.next(), plain.next()) else {
        return app.hint("it has no option that is a plain yes: choose one by its number");
    };
    let choice = choice.clone();
    ask(app, shown, "approve", &choice, dialog);
}

fn deny(app: &mut App, shown: &AgentView) {
    let Some(dialog) = dialog(app, shown) else {
        return;
    };
    let id = &shown.id;
    let text = format!("Say no to {id}?\n\n{}", asked(&dialog));
    let command = Command::Deny {
        id: id.clone(),
        text: None,
    };
    let yes = Yes::Answer(command, format!("/deny {id}"), id.clone(), dialog);
    app.ask(&text, yes);
}

fn option(app: &mut App, shown: &AgentView, key: Key) {
    let KeyCode::Char(digit) = key.code else {
        return;
    };
    let Some(dialog) = dialog(app, shown) else {
        return;
    };
    let Some(choice) = numbered(&dialog, digit).cloned() else {
        return app.hint(format!("its dialog has no option {digit}"));
    };
    match choice.says {
        // the words come from the person, on the command line
        Says::Words => open_line(app, &format!("/answer {} ", shown.id)),
        Says::Yes | Says::Always => ask(app, shown, "approve", &choice, dialog),
        Says::No | Says::Other => ask(app, shown, "answer", &choice, dialog),
    }
}

/// The option that a digit chooses: by its key, else by its place.
pub(super) fn numbered(dialog: &Dialog, digit: char) -> Option<&Choice> {
    let has_digits = |choice: &Choice| choice.key.is_some_and(|key| key.is_ascii_digit());
    if dialog.choices.iter().any(has_digits) {
        return dialog
            .choices
            .iter()
            .find(|choice| choice.key == Some(digit));
    }
    let place = digit.to_digit(10)?.checked_sub(1)?;
    dialog.choices.get(place as usize)
}

/// The command that chooses an option, by naming it.
fn chosen(id: &AgentId, verb: &str, choice: &Choice) -> (Command, String) {
    let option = choice
        .key
        .map_or_else(|| choice.label.clone(), String::from);
    let line = format!("/{verb} {id} {option}");
    let id = id.clone();
    let command = match verb {
        "approve" => Command::Approve {
            id,
            option: Some(option),
        },
        _ => Command::Answer { id, option },
    };
    (command, line)
}

/// Asks once more, with the command, before an option is chosen that allows something.
fn ask(app: &mut App, shown: &AgentView, verb: &str, choice: &Choice, dialog: Box<Dialog>) {
    let id = &shown.id;
    let more = match choice.says {
        Says::Always => "\n\nThis says yes for more than this once.",
        _ => "",
    };
    let cut = if dialog.whole {
        ""
    } else {
        "\n(as far as the screen shows it)"
    };
    let label = one_line(&choice.label);
    let text = format!(
        "Answer {id} with `{label}`?{more}\n\n{}{cut}",
        asked(&dialog)
    );
    let (command, line) = chosen(id, verb, choice);
    app.ask(&text, Yes::Answer(command, line, id.clone(), dialog));
}

/// What a dialog asks for, in words.
pub(super) fn asked(dialog: &Dialog) -> String {
    let kind = match dialog.kind {
        Some(kind) => format!("{kind}: "),
        None => String::new(),
    };
    format!("{kind}{}", dialog.subject.trim())
}

fn stop(app: &mut App, shown: &AgentView) {
    let id = &shown.id;
    let stopped = matches!(
        shown.status,
        Status::Stopped | Status::Disabled | Status::Gone(_)
    );
    let (text, command, line) = if stopped {
        (
            format!("Watch {id} again, and accept the program that is in its pane now?"),
            Command::Start { id: id.clone() },
            format!("/start {id}"),
        )
    } else {
        (
            format!("Stop watching {id}? Its program goes on."),
            Command::Stop { id: id.clone() },
            format!("/stop {id}"),
        )
    };
    app.ask(&text, Yes::Send(command, line));
}
