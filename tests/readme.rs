//! The README says what the program does: its table of commands is the program's own.

use meta_orchestrator::command::help;

#[test]
fn the_table_of_commands_is_the_programs_own() {
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("<!-- commands -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- /commands -->").unwrap();
    assert_eq!(
        table.trim(),
        help::markdown().trim(),
        "the README's commands are out of date"
    );
}
