//! What is read from the places in dialogs where an answer is written, and when one is open, empty, or somebody's.

use std::path::Path;

use meta_orchestrator::screen::profile::Profiles;
use meta_orchestrator::screen::prompt::Cursor;
use meta_orchestrator::screen::recognise::{Reading, Shown, recognise};
use meta_orchestrator::screen::state::State;

#[expect(
    clippy::unwrap_used,
    reason = "shipped profiles and cases of these tests"
)]
fn case(kind: &str, name: &str) -> Reading {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens");
    let folder = folder.join(kind).join(name);
    let dump = std::fs::read_to_string(folder.join("1.ansi")).unwrap();
    let about = std::fs::read_to_string(folder.join("case.json")).unwrap();
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    let columns = about["columns"].as_u64().unwrap().try_into().unwrap();
    let at = |cell: &serde_json::Value| usize::try_from(cell.as_u64().unwrap()).unwrap();
    let cursor = about["cursors"][0].as_array();
    let cursor = cursor.map(|cells| Cursor {
        column: at(&cells[0]),
        row: at(&cells[1]),
    });
    screen(kind, &dump, columns, cursor)
}

#[expect(clippy::unwrap_used, reason = "shipped profiles")]
fn screen(kind: &str, dump: &str, columns: usize, cursor: Option<Cursor>) -> Reading {
    let profiles = Profiles::shipped();
    let profile = profiles.get(&kind.parse().unwrap()).unwrap();
    recognise(profile, &Shown::styled(dump, columns, cursor))
}

/// What can be done with a screen.
#[derive(Debug, PartialEq)]
enum Found<'a> {
    /// An option can be chosen; the one with this number takes words.
    Options(Option<usize>),
    /// The place for an answer is open, and empty.
    Empty,
    /// This stands in it.
    Holds(&'a str),
    /// Only a person at the pane knows.
    ByHand,
}

fn found(reading: &Reading) -> Found<'_> {
    match (&reading.dialog, &reading.field) {
        (Some(dialog), _) => Found::Options(dialog.words()),
        (None, Some(field)) if field.is_empty() => Found::Empty,
        (None, Some(field)) => Found::Holds(&field.text.draft),
        (None, None) => Found::ByHand,
    }
}

#[test]
fn the_place_for_an_answer_is_known_by_what_the_screen_shows() {
    use Found::{ByHand, Empty, Holds, Options};
    for (kind, name, expected) in [
        ("claude", "120-single", Options(Some(2))),
        ("claude", "40-single", Options(Some(2))),
        ("claude", "100-single-low", Options(Some(2))),
        ("claude", "120-several", Options(Some(2))),
        ("claude", "120-several-third", Options(Some(3))),
        ("claude", "120-several-submit", Options(None)),
        ("claude", "120-multi-select", ByHand),
        ("claude", "120-multi-select-ticked", ByHand),
        ("claude", "120-type-something", Empty),
        ("claude", "40-type-something", Empty),
        ("claude", "100-type-something-low", Empty),
        ("claude", "250-type-something", Empty),
        ("claude", "120-type-something-text", Holds("Use MariaDB")),
        ("claude", "40-type-something-text", Holds("Use MariaDB")),
        ("claude", "60-type-something-text", Holds("Use MariaDB")),
        (
            "claude",
            "100-type-something-text-low",
            Holds("Use MariaDB"),
        ),
        ("opencode", "120-one", Options(Some(2))),
        ("opencode", "60-one", Options(Some(2))),
        ("opencode", "120-two", Options(Some(2))),
        ("opencode", "120-own-answer", Holds("something else")),
        ("opencode", "60-own-answer", Holds("something else")),
        ("opencode", "80-own-answer", Holds("something else")),
        ("opencode", "120-two-confirm", ByHand),
    ] {
        let reading = case(kind, &format!("question/{name}"));
        assert_eq!(reading.state, State::Question, "{kind} {name}");
        assert_eq!(found(&reading), expected, "{kind} {name}: {}", reading.rule);
    }
}

#[test]
fn an_open_place_belongs_to_the_dialog_that_opened_it() {
    for (kind, closed, open) in [
        ("claude", "120-single", "120-type-something"),
        ("claude", "120-single", "120-type-something-text"),
        ("claude", "40-single", "40-type-something-text"),
        ("opencode", "120-one", "120-own-answer"),
        ("opencode", "60-one", "60-own-answer"),
    ] {
        let dialog = case(kind, &format!("question/{closed}")).dialog;
        let field = case(kind, &format!("question/{open}")).field;
        let same = dialog.as_ref().zip(field.as_ref());
        let same = same.is_some_and(|(dialog, field)| field.dialog.is(dialog));
        assert!(same, "{kind} {open}: {dialog:#?} {field:#?}");
    }
    let other = case("claude", "question/120-several-third").dialog;
    let field = case("claude", "question/120-type-something").field;
    assert!(!field.unwrap().dialog.is(&other.unwrap()));
}
