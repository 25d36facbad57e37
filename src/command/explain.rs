//! What is known of an agent, in words: `/explain`, and `meta-orchestrator explain --screen`.
//!
//! Text in, text out; everything that came from outside is harmless before it leaves here.

pub mod screen;

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::reply::Frame;
use super::text::{one_line, wrap};
use crate::agent::machine::{Explanation, Waiting};
use crate::evidence::ladder::Rung;
use crate::screen::recognise::{Dialog, Line, Says};
use crate::screen::told::Told;

/// All of it, for a person.
pub fn words(explained: &Explanation, frame: &Frame) -> String {
    let state = explained
        .state
        .map_or("not known yet", |state| state.as_str());
    let mut text = format!("{}: {state}", explained.id);
    if !explained.because.is_empty() {
        let winner = explained.winner.map_or("", |winner| winner.as_str());
        let because = explained.because.strip_prefix(winner);
        let because = because.and_then(|because| because.strip_prefix(": "));
        let because = one_line(because.unwrap_or(&explained.because));
        let _ = write!(text, ", by the {winner} ({because})");
    }
    let _ = write!(
        text,
        "\n  status: {}",
        one_line(&explained.status.to_string())
    );
    let _ = write!(text, "\n  pane: {}", one_line(&explained.pane.to_string()));
    if let Some(front) = &explained.front {
        let kind = explained.kind.as_deref().unwrap_or("no profile of it");
        let _ = write!(text, ", in front: {} ({})", one_line(front), one_line(kind));
    }
    if let Some(seen_at) = explained.seen_at {
        let _ = write!(text, "\n  last look: {}", at(seen_at, explained.at));
    }
    sources(&mut text, explained);
    if let Some(screen) = &explained.screen {
        on_screen(&mut text, screen, frame);
    }
    outlook(&mut text, explained, frame);
    text
}

/// How long ago something was, with its time of day.
fn at(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} ago", super::reply::age(now - then))
}

fn sources(text: &mut String, explained: &Explanation) {
    if explained.rungs.is_empty() {
        return;
    }
    let agreed = match &explained.disagreement {
        None => "they agree".to_owned(),
        Some(why) => format!(
            "they do not agree, and so nothing is typed: {}",
            one_line(why)
        ),
    };
    let _ = write!(text, "\n\nSources; {agreed}");
    for rung in &explained.rungs {
        let _ = write!(text, "\n  {}", source(rung));
    }
}

/// `registry    idle (status `idle`)`, or why it says nothing.
fn source(rung: &Rung) -> String {
    let name = rung.name;
    match &rung.says {
        Ok(state) if rung.detail.is_empty() => format!("{name:<11} {state}"),
        Ok(state) => format!("{name:<11} {state} ({})", one_line(&rung.detail)),
        Err(why) => format!("{name:<11} - ({})", one_line(why)),
    }
}

/// The rule and its lines, the prompt and the dialog.
fn on_screen(text: &mut String, screen: &Told, frame: &Frame) {
    let _ = write!(
        text,
        "\n\nScreen: {}, by the rule `{}`",
        screen.state,
        one_line(&screen.rule)
    );
    for Line { row, text: line } in &screen.lines {
        let _ = write!(text, "\n  {row:>3} | {}", one_line(line));
    }
    let prompt = match &screen.prompt {
        None => "not to be seen".to_owned(),
        Some(prompt) if !prompt.draft.is_empty() => format!("`{}`", one_line(&prompt.draft)),
        Some(prompt) if prompt.unsure => {
            "a placeholder or somebody's text; only styling could tell".to_owned()
        }
        Some(_) => "empty".to_owned(),
    };
    let _ = write!(text, "\n  prompt: {prompt}");
    if let Some(dialog) = &screen.dialog {
        on_dialog(text, dialog, frame);
    }
}

fn on_dialog(text: &mut String, dialog: &Dialog, frame: &Frame) {
    let kind = dialog.kind.map_or("", |kind| kind.as_str());
    let gap = if kind.is_empty() { "" } else { " " };
    let _ = write!(text, "\n\nDialog{gap}{kind}:");
    if !dialog.subject.trim().is_empty() {
        let _ = write!(text, "\n{}", wrap(&dialog.subject, frame.columns, "    "));
    }
    for (index, choice) in dialog.choices.iter().enumerate() {
        let key = choice
            .key
            .map_or_else(|| (index + 1).to_string(), String::from);
        let says = match choice.says {
            Says::Yes => " [yes]",
            Says::Always => " [yes, for more than this once]",
            Says::No => " [no]",
            Says::Words => " [in words]",
            Says::Other => "",
        };
        let mark = if choice.selected == Some(true) {
            '>'
        } else {
            ' '
        };
        let label = one_line(&choice.label);
        let _ = write!(text, "\n  {mark} {}. {label}{says}", one_line(&key));
    }
}

fn outlook(text: &mut String, explained: &Explanation, frame: &Frame) {
    let outlook = &explained.outlook;
    let does = wrap(&format!("Now: {}", outlook.does), frame.columns, "");
    let _ = write!(text, "\n\n{does}");
    let nudge = if outlook.would_nudge { "yes" } else { "no" };
    let _ = write!(text, "\nWould nudge: {nudge}");
    for against in &outlook.against {
        let why = wrap(&format!("- {}", against.why), frame.columns, "  ");
        let _ = write!(text, "\n{why}");
    }
    let _ = write!(
        text,
        "\nBounds: {} nudges this hour, {} in a row that led to nothing, {} calls and {} tokens today",
        explained.nudges, explained.fruitless, explained.calls, explained.tokens
    );
    if let Some(question) = &explained.question {
        let _ = write!(
            text,
            "\nIt asks you:\n{}",
            wrap(question, frame.columns, "    ")
        );
    }
    text.push_str("\nWaits for:");
    for Waiting { why, seconds, .. } in &explained.waits_for {
        let within = seconds.map(|seconds| format!(", in {seconds} s"));
        let within = within.unwrap_or_default();
        let _ = write!(text, "\n  - {}{within}", one_line(why));
    }
}

#[cfg(test)]
mod tests;
