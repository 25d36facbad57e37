//! What was found, as text for a person and as JSON for a program.

use std::fmt::Write as _;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::{Check, Outcome};

/// The longest text of a check, in characters.
const LONGEST: usize = 1_000;
/// The widest column of names, in cells; a longer one pushes its own line.
const WIDEST_NAME: usize = 28;

/// `text` on one line, without control, direction and zero-width characters, and bounded.
pub(super) fn harmless(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word: String = word.chars().filter(|c| is_shown(*c)).collect();
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Whether a terminal shows the character as itself. Within a text `escape_debug` leaves marks alone that
/// join the character before them: file names are full of them on some systems.
fn is_shown(c: char) -> bool {
    let within = String::from_iter(['x', c]);
    matches!(c, '"' | '\'' | '\\') || within.escape_debug().count() == 2
}

pub(super) fn text(checks: &[Check]) -> String {
    let names: Vec<String> = checks.iter().map(name).collect();
    let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let widest = widest.min(WIDEST_NAME);
    let mut text = String::new();
    for (check, name) in checks.iter().zip(&names) {
        let word = match check.outcome {
            Outcome::Good => "ok",
            Outcome::Warning => "warn",
            Outcome::Bad(_) => "FAIL",
        };
        let gap = " ".repeat(widest.saturating_sub(name.width()));
        let _ = writeln!(text, "{word:<4}  {name}{gap}  {}", check.found);
        if let Some(hint) = &check.hint {
            let _ = writeln!(text, "{:indent$}hint: {hint}", "", indent = 6 + widest + 2);
        }
    }
    let _ = writeln!(text, "\n{}", summary(checks));
    text
}

fn name(check: &Check) -> String {
    match &check.about {
        Some(about) => format!("{} {about}", check.name),
        None => check.name.to_owned(),
    }
}

fn summary(checks: &[Check]) -> String {
    let count = |wanted: fn(&Outcome) -> bool, word: &str| {
        let found = checks.iter().filter(|check| wanted(&check.outcome)).count();
        match found {
            0 => None,
            1 => Some(format!("1 {word}")),
            many => Some(format!("{many} {word}s")),
        }
    };
    let failures = count(|outcome| matches!(outcome, Outcome::Bad(_)), "failure");
    let warnings = count(|outcome| *outcome == Outcome::Warning, "warning");
    let counted: Vec<String> = [failures, warnings].into_iter().flatten().collect();
    if counted.is_empty() {
        "all is well".to_owned()
    } else {
        counted.join(", ")
    }
}

/// The form of the JSON, in the order in which it is written.
#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    ok: bool,
    checks: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    about: Option<&'a str>,
    outcome: &'a str,
    found: &'a str,
    hint: Option<&'a str>,
}

pub(super) fn json(checks: &[Check], ok: bool) -> String {
    let report = Report {
        version: 1,
        ok,
        checks: checks.iter().map(row).collect(),
    };
    // Text and flags can always be written.
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

fn row(check: &Check) -> Row<'_> {
    Row {
        name: check.name,
        about: check.about.as_deref(),
        outcome: match check.outcome {
            Outcome::Good => "good",
            Outcome::Warning => "warning",
            Outcome::Bad(_) => "bad",
        },
        found: &check.found,
        hint: check.hint.as_deref(),
    }
}
