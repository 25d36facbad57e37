//! Real dialogs of Claude Code: what is asked for, which options there are, what each says, and which of them no
//! program may answer; and that no part of such a screen is taken for an idle agent.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use meta_orchestrator::config::DialogKind;
use meta_orchestrator::ids::Kind;
use meta_orchestrator::screen::profile::{Profile, Profiles};
use meta_orchestrator::screen::recognise::{Dialog, Reading, Says, Shown, recognise};

const WIDTHS: [usize; 7] = [40, 50, 60, 80, 120, 200, 250];

static PROFILE: LazyLock<Option<Arc<Profile>>> = LazyLock::new(|| {
    let kind: Kind = "claude".parse().ok()?;
    Profiles::shipped().get(&kind).cloned()
});

/// What the profile makes of a case, where that was captured at this width.
fn read(case: &str, columns: usize) -> Option<Reading> {
    let (state, name) = case.split_once('/')?;
    let path = format!("tests/screens/claude/{state}/{columns}-{name}/1.ansi");
    let dump = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()?;
    Some(recognise(
        PROFILE.as_ref()?,
        &Shown::styled(&dump, columns, None),
    ))
}

/// The readings of a case at every width at which it was captured: at least two.
fn widths(case: &str) -> Vec<(usize, Reading)> {
    let found: Vec<_> = WIDTHS
        .into_iter()
        .filter_map(|columns| Some((columns, read(case, columns)?)))
        .collect();
    assert!(found.len() >= 2, "{case} was captured at {}", found.len());
    found
}

fn options(dialog: &Dialog) -> Vec<(Option<char>, Says)> {
    let option = |choice: &meta_orchestrator::screen::recognise::Choice| (choice.key, choice.says);
    dialog.choices.iter().map(option).collect()
}

#[test]
fn a_dialog_says_what_it_asks_for_and_what_can_be_answered() {
    use DialogKind::{Command, FileEdit, Plan, Tool};
    use Says::{Always, No, Other, Yes};
    let url = "https://docs.example.org/parser";
    let cases = [
        (
            "bash-short",
            Command,
            "touch made.txt && make test",
            &[Yes, Always, No][..],
        ),
        (
            "bash-second-option",
            Command,
            "touch made.txt && make test",
            &[Yes, Always, No],
        ),
        ("file-create", FileEdit, "notes.md", &[Yes, Always, No]),
        (
            "file-create-fake-box",
            FileEdit,
            "fake.py",
            &[Yes, Always, No],
        ),
        ("file-edit", FileEdit, "parser.py", &[Yes, Always, No]),
        (
            "file-edit-fake-box",
            FileEdit,
            "parser.py",
            &[Yes, Always, No],
        ),
        ("fetch", Tool, url, &[Yes, Always, No]),
        ("plan", Plan, "Exit plan mode?", &[Yes, No]),
        ("plan-file", Plan, "Ready to code?", &[Always, Yes, Other]),
    ];
    for (case, kind, subject, says) in cases {
        for (columns, reading) in widths(&format!("approval/{case}")) {
            let at = format!("{case} at {columns} columns, by `{}`", reading.rule);
            let dialog = reading.dialog.unwrap_or_else(|| panic!("{at}"));
            assert_eq!(dialog.kind, Some(kind), "{at}");
            assert_eq!(
                (dialog.subject.as_str(), dialog.whole),
                (subject, true),
                "{at}"
            );
            let expected: Vec<_> = ('1'..).map(Some).zip(says.iter().copied()).collect();
            assert_eq!(options(&dialog), expected, "{at}");
            let selected = dialog
                .choices
                .iter()
                .position(|choice| choice.selected == Some(true));
            assert_eq!(
                selected,
                Some(usize::from(case == "bash-second-option")),
                "{at}"
            );
        }
    }
}

#[test]
fn a_command_of_several_lines_is_never_taken_for_a_whole_one() {
    for case in ["approval/bash-long", "approval/bash-multi-line"] {
        for (columns, reading) in widths(case) {
            let dialog = reading
                .dialog
                .unwrap_or_else(|| panic!("{case} at {columns}"));
            assert!(!dialog.whole, "{case} at {columns}: {:?}", dialog.subject);
        }
    }
    // a command that draws a dialog of its own, with another command in it
    let dialog = read("approval/bash-fake-header", 120).and_then(|reading| reading.dialog);
    let dialog = dialog.unwrap_or_else(|| panic!("no dialog"));
    assert!(
        !dialog.whole && dialog.subject.starts_with("make test)\n"),
        "{:?}",
        dialog.subject
    );
    assert_eq!(dialog.choices.len(), 2);
}

#[test]
fn what_a_digit_would_not_answer_is_left_to_the_person_at_the_pane() {
    for case in [
        // a digit would be a part of the text
        "approval/bash-long-amend",
        "question/type-something",
        "question/type-something-text",
        // a digit would tick a box
        "question/multi-select",
        "question/multi-select-ticked",
        "question/several-second",
        // it would do something else
        "menu/model",
        "menu/permissions",
        "login/slash-login",
    ] {
        for (columns, reading) in widths(case) {
            assert!(
                reading.state.is_dialog(),
                "{case} at {columns}: {}",
                reading.state
            );
            assert_eq!(
                reading.dialog, None,
                "{case} at {columns}, by `{}`",
                reading.rule
            );
        }
    }
}

#[test]
fn a_question_shows_its_words_and_its_options() {
    for (columns, reading) in widths("question/single") {
        let dialog = reading.dialog.unwrap_or_else(|| panic!("at {columns}"));
        assert_eq!(dialog.subject, "Which database should the service use?");
        let labels: Vec<&str> = dialog
            .choices
            .iter()
            .map(|choice| choice.label.as_str())
            .collect();
        assert_eq!(
            labels,
            ["Postgres", "SQLite", "Type something.", "Chat about this"]
        );
        let says: Vec<Says> = dialog.choices.iter().map(|choice| choice.says).collect();
        assert_eq!(says, [Says::Other, Says::Other, Says::Words, Says::Other]);
    }
    for (columns, reading) in widths("question/several-submit") {
        let dialog = reading.dialog.unwrap_or_else(|| panic!("at {columns}"));
        assert_eq!(
            options(&dialog),
            [(Some('1'), Says::Yes), (Some('2'), Says::No)]
        );
    }
}

#[test]
fn a_screen_of_which_a_part_is_missing_takes_no_nudge() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens/claude");
    let profile = PROFILE.as_ref().unwrap();
    // a limit that has scrolled out of sight looks like an idle agent, and is one that answers with an error
    let states = [
        "approval",
        "trust",
        "question",
        "working",
        "queued",
        "retrying",
        "menu",
        "background",
    ];
    for folder in states
        .iter()
        .flat_map(|state| root.join(state).read_dir().unwrap())
    {
        let folder = folder.unwrap().path();
        let Ok(dump) = std::fs::read_to_string(folder.join("1.ansi")) else {
            continue;
        };
        let name = folder.file_name().unwrap().to_string_lossy();
        let columns = name.split('-').next().unwrap().parse().unwrap();
        let rows: Vec<&str> = dump.trim_end().lines().collect();
        let above_is_missing = (1..rows.len()).step_by(9).map(|row| &rows[row..]);
        let below_is_missing = (1..6.min(rows.len())).map(|cut| &rows[..rows.len() - cut]);
        for part in above_is_missing.chain(below_is_missing) {
            let reading = recognise(profile, &Shown::styled(&part.join("\n"), columns, None));
            assert!(
                !reading.takes_nudge(),
                "{name}: {}\n{}",
                reading.rule,
                part.join("\n")
            );
        }
    }
}

#[test]
fn a_label_is_whole_however_it_is_wrapped_and_a_description_is_none_of_it() {
    let always = "Yes, and don't ask again for touch made.txt and make test commands in";
    for (case, columns, option, label) in [
        (
            "approval/bash-short",
            40,
            1,
            format!("{always} /srv/lab/cl40/proj"),
        ),
        (
            "approval/bash-short",
            60,
            1,
            format!("{always} /srv/lab/cl60/proj"),
        ),
        (
            "approval/bash-short",
            120,
            1,
            format!("{always} /srv/lab/cl120/proj"),
        ),
        (
            "approval/fetch",
            40,
            2,
            "No, and tell Claude what to do differently (esc)".into(),
        ),
        ("approval/bash-short", 40, 0, "Yes".into()),
        ("question/single", 40, 0, "Postgres".into()),
    ] {
        let dialog = read(case, columns).and_then(|reading| reading.dialog);
        let labels: Vec<_> = dialog.map_or_else(Vec::new, |dialog| {
            dialog
                .choices
                .into_iter()
                .map(|choice| choice.label)
                .collect()
        });
        assert_eq!(
            labels.get(option),
            Some(&label),
            "{case} at {columns}: {labels:?}"
        );
    }
}
