//! What is read from the places in dialogs where an answer is written, and when one is open, empty, or somebody's.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and reads its own cases"
)]

use std::path::Path;

use meta_orchestrator::config::DialogKind;
use meta_orchestrator::screen::profile::{Press, Profiles};
use meta_orchestrator::screen::prompt::Cursor;
use meta_orchestrator::screen::recognise::{Reading, Says, Shown, recognise};
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
    const WORDS: &str = "Use MariaDB 11, and 2 replicas";
    const WRAPPED: &str = "Use MariaDB 11, and 2 replicas because the service\n\
        grows: 1. quickly 2. steadily, and nobody knows when\n\
        it ends";
    const FRAMED: &str = "Use MariaDB 11, and 1. two replicas because the service grows so quickly \
        that nobody knows when and how it\nwill come to an end";
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
        ("claude", "59-words-empty", Empty),
        ("claude", "120-several-words-empty", Empty),
        ("claude", "120-several-words", Holds("MariaDB it is")),
        ("claude", "120-words-filled", Holds(WORDS)),
        ("claude", "59-words-wrapped", Holds(WRAPPED)),
        ("claude", "59-words-left", Options(None)),
        ("opencode", "60-words-empty", Empty),
        (
            "opencode",
            "60-words-wrapped",
            Holds("Use MariaDB 11, and 2 replicas because 1. the\nservice grows"),
        ),
        ("opencode", "120-one", Options(Some(2))),
        ("opencode", "60-one", Options(Some(2))),
        ("opencode", "120-two", Options(Some(2))),
        ("opencode", "120-own-answer", Holds("something else")),
        ("opencode", "60-own-answer", Holds("something else")),
        ("opencode", "80-own-answer", Holds("something else")),
        ("gemini", "120-one", Options(Some(2))),
        ("gemini", "60-one", Options(Some(2))),
        ("gemini", "120-two", Options(Some(2))),
        ("gemini", "120-words-empty", Empty),
        ("gemini", "120-own-answer", Holds("something else")),
        ("gemini", "60-own-answer", Holds("something else")),
        ("gemini", "120-two-words", Holds("MariaDB now")),
        ("gemini", "120-words-wrapped", Holds(FRAMED)),
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
        ("claude", "120-single", "59-words-wrapped"),
        ("claude", "120-several", "120-several-words"),
        ("opencode", "60-one", "60-words-wrapped"),
        ("gemini", "120-one", "120-words-wrapped"),
        ("gemini", "120-two", "120-two-words"),
        ("opencode", "120-one", "120-own-answer"),
        ("opencode", "60-one", "60-own-answer"),
    ] {
        let dialog = case(kind, &format!("question/{closed}")).dialog;
        let field = case(kind, &format!("question/{open}")).field;
        let subject = dialog.as_ref().map(|dialog| dialog.subject.as_str());
        assert_eq!(
            subject,
            Some("Which database should the service use?"),
            "{kind}"
        );
        let same = dialog.as_ref().zip(field.as_ref());
        let same = same.is_some_and(|(dialog, field)| field.dialog.is(dialog));
        assert!(same, "{kind} {open}: {dialog:#?} {field:#?}");
    }
    let other = case("claude", "question/120-several-third").dialog;
    let field = case("claude", "question/120-type-something").field;
    assert!(!field.unwrap().dialog.is(&other.unwrap()));
}

#[test]
fn a_place_is_empty_only_where_its_placeholder_is_faint_and_the_cursor_is_in_it() {
    let dump = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens");
        std::fs::read_to_string(folder.join(name).join("1.ansi")).unwrap()
    };
    let claude = dump("claude/question/120-type-something");
    let typed = claude.replace("\u{1b}[2m", "\u{1b}[22m");
    let read = screen("claude", &typed, 120, None);
    assert_eq!(found(&read), Found::Holds("Type something."));
    let words = meta_orchestrator::screen::styled::text(&claude);
    let blanks = words.replace("Type something.", "   ");
    let read = screen("claude", &blanks, 120, None);
    assert_eq!(
        (found(&read), read.field.as_ref().unwrap().text.unsure),
        (Found::Holds(""), true)
    );
    let gemini = dump("gemini/question/120-words-empty");
    let moved = gemini.replace("\u{1b}[7m", "\u{1b}[27m");
    let typed = "Enter a custom value";
    assert_eq!(
        found(&screen("gemini", &moved, 120, None)),
        Found::Holds(typed)
    );
    let opencode = dump("opencode/question/60-words-empty");
    for (cursor, expected) in [
        (Some(Cursor { column: 8, row: 15 }), Found::Empty),
        (Some(Cursor { column: 8, row: 3 }), Found::ByHand),
        (None, Found::ByHand),
    ] {
        let read = screen("opencode", &opencode, 60, cursor);
        assert_eq!(found(&read), expected, "{cursor:?}");
    }
}

#[test]
fn the_letters_of_aider_are_read_and_nothing_is_pressed_behind_somebodys() {
    use DialogKind::{Command, FileEdit};
    let three = "y=Yes n=No d=Don't ask again";
    let two = "y=Yes n=No";
    for (name, kind, whole, subject, options) in [
        ("120-shell", Some(Command), true, "make test", three),
        ("80-shell", Some(Command), true, "make test", three),
        ("60-shell", Some(Command), true, "make test", three),
        (
            "120-shell-two-lines",
            Some(Command),
            false,
            "rm -rf build\nmake all",
            three,
        ),
        ("80-new-file", Some(FileEdit), true, "lexer.py", two),
        ("120-add-file", None, true, "parser.py", three),
    ] {
        let reading = case("aider", &format!("approval/{name}"));
        assert_eq!(reading.state, State::Approval, "{name}");
        let dialog = reading.dialog.unwrap_or_else(|| panic!("{name}"));
        assert!(
            reading.field.is_some_and(|field| field.is_empty()),
            "{name}"
        );
        assert_eq!((dialog.kind, dialog.whole), (kind, whole), "{name}");
        assert_eq!(dialog.subject, subject, "{name}");
        assert_eq!(dialog.press, Press::KeyEnter, "{name}");
        let choices = dialog.choices.iter();
        let said: Vec<String> = choices
            .map(|choice| format!("{}={}", choice.key.unwrap_or('-'), choice.label))
            .collect();
        assert_eq!(said.join(" "), options, "{name}");
        let says: Vec<Says> = dialog.choices.iter().map(|choice| choice.says).collect();
        assert_eq!(says[..2], [Says::Yes, Says::No], "{name}");
        assert!(says[2..].iter().all(|says| *says == Says::Always), "{name}");
    }
    for (name, text) in [("120-shell-typed", "n"), ("60-shell-typed", "yn")] {
        let reading = case("aider", &format!("approval/{name}"));
        assert_eq!(found(&reading), Found::Holds(text), "{name}");
    }
}

#[test]
fn a_command_of_aiders_of_which_rows_stand_above_a_blank_one_is_not_whole() {
    const ON: &str = "\u{1b}[7m";
    const OFF: &str = "\u{1b}[27m";
    let asks = "Run shell command? (Y)es/(N)o/(A)ll/(S)kip all/(D)on't ask again [Yes]: ";
    let whole = |above: &str| {
        let text = format!("Tokens: 1 sent\n\n{above}\n{asks}");
        let cursor = Cursor {
            column: asks.len(),
            row: text.lines().count() - 1,
        };
        let reading = screen("aider", &text, 120, Some(cursor));
        let dialog = reading.dialog.unwrap();
        let labels: Vec<&str> = dialog.choices.iter().map(|it| it.label.as_str()).collect();
        assert_eq!(labels, ["Yes", "No", "All", "Skip all", "Don't ask again"]);
        let never = [Says::Always, Says::Other, Says::Always];
        let says: Vec<Says> = dialog.choices.iter().map(|it| it.says).collect();
        assert_eq!(says[2..], never);
        (dialog.subject, dialog.whole)
    };
    let cases = [
        (format!("{ON}make test{OFF}"), true),
        ("make test".into(), false),
        (format!("{ON}rm -rf x{OFF}\n\n{ON}make test{OFF}"), false),
        (format!("{ON}rm -rf x{OFF}\n \n\n{ON}make test{OFF}"), false),
        (
            format!("{ON}old{OFF}\nRun it? [Yes]: y\n\n{ON}make test{OFF}"),
            true,
        ),
    ];
    for (above, expected) in cases {
        assert_eq!(
            whole(&above),
            ("make test".to_owned(), expected),
            "{above:?}"
        );
    }
    assert!(!whole(&format!("{ON}rm -rf x{OFF}\n{ON}make test{OFF}")).1);
}
