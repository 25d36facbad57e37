//! The table of commands as a person reads it: `/help`, and the README's table.
//!
//! Text only; whoever carries out `/help` sends it on, `ui` prints it.

use std::fmt::Write as _;

use super::nearest::{bare, unknown_command};
use super::table::{Entry, FIELDS, Kind, TABLE};
use crate::error::Failure;

/// What `/help` shows: every command, or all about the one called `command`.
///
/// # Errors
/// When there is no such command; the failure names the nearest one.
pub fn help(command: Option<&str>) -> Result<String, Failure> {
    match command {
        None => Ok(overview()),
        Some(name) => Entry::find(bare(name))
            .map(about)
            .ok_or_else(|| unknown_command(bare(name))),
    }
}

fn overview() -> String {
    let usages: Vec<String> = TABLE.iter().map(Entry::usage).collect();
    let width = usages.iter().map(String::len).max().unwrap_or_default();
    let mut text = String::new();
    for (usage, entry) in usages.iter().zip(TABLE) {
        let _ = writeln!(text, "{usage:width$}  {}", entry.summary);
    }
    text.push_str(
        "\nA line that begins with `/` is a command; no other line does anything.\n\
         `/help COMMAND` tells more, with examples. Tab completes names, panes and paths.\n",
    );
    text
}

fn about(entry: &Entry) -> String {
    let mut text = format!("{}\n\n{}\n", entry.usage(), entry.summary);
    if !entry.details.is_empty() {
        let _ = writeln!(text, "\n{}", entry.details);
    }
    if entry.arguments.iter().any(|one| one.kind == Kind::Field) {
        text.push_str("\nFIELD is one of:\n");
        for field in FIELDS {
            let _ = writeln!(text, "  {:8}  {}", field.name, field.summary);
        }
    }
    text.push_str("\nFor example:\n");
    for example in entry.examples {
        let _ = writeln!(text, "  {example}");
    }
    text
}

/// The commands as a table in Markdown, for the README.
pub fn markdown() -> String {
    let mut text = String::from("| command | what it does |\n|---|---|\n");
    for entry in TABLE {
        let _ = writeln!(text, "| `{}` | {} |", entry.usage(), entry.summary);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_shows_all_commands_or_all_about_one() {
        insta::assert_snapshot!("help", help(None).unwrap());
        insta::assert_snapshot!("help_set", help(Some("/set")).unwrap());
        assert!(
            help(Some("lsit"))
                .unwrap_err()
                .to_string()
                .contains("did you mean `/list`?")
        );
    }

    #[test]
    fn the_readme_gets_its_table_from_here() {
        insta::assert_snapshot!("markdown", markdown());
    }
}
