//! What is read from Codex's dialogs: what they ask for, and which key says what. A command may write what a
//! dialog looks like: it must never be taken for another command, nor for a file.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use meta_orchestrator::config::DialogKind;
use meta_orchestrator::screen::profile::{Press, Profile, Profiles};
use meta_orchestrator::screen::prompt::Cursor;
use meta_orchestrator::screen::recognise::{Dialog, Reading, Says, Shown, recognise};
use meta_orchestrator::screen::state::State;

/// Below a dialog for a command.
const OPTIONS: &str = "\n\n› 1. Yes, proceed (y)\n  2. No, and tell Codex what to do differently (esc)\n\n  Press enter to confirm or esc to cancel";
/// Below a dialog for files.
const FILE_OPTIONS: &str = "\n\n› 1. Yes, proceed (y)\n  2. Yes, and don't ask again for these files (a)\n  3. No, and tell Codex what to do differently (esc)\n\n  Press enter to confirm or esc to cancel";
/// Below an answer: an empty prompt.
const PROMPT: &str = "\n\n› \u{1b}[2mAsk Codex to do anything\u{1b}[0m\n\n  gpt-5 default · /srv/lab/proj\n  ← for agents · ? for shortcuts";

#[expect(clippy::unwrap_used, reason = "shipped, and read by other tests")]
static CODEX: LazyLock<Arc<Profile>> = LazyLock::new(|| {
    let profiles = Profiles::shipped();
    Arc::clone(profiles.get(&"codex".parse().unwrap()).unwrap())
});

#[expect(clippy::unwrap_used, reason = "a case of these tests")]
fn case(name: &str) -> Reading {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens/codex");
    let dump = std::fs::read_to_string(root.join(name).join("1.ansi")).unwrap();
    let columns = name.split(['/', '-']).nth(1).unwrap().parse().unwrap();
    recognise(&CODEX, &Shown::styled(&dump, columns, None))
}

fn screen(text: &str, cursor: Option<Cursor>) -> Reading {
    recognise(&CODEX, &Shown::styled(text, 120, cursor))
}

fn said(dialog: &Dialog) -> String {
    let word = |says| match says {
        Says::Yes => "yes",
        Says::Always => "always",
        Says::No => "no",
        Says::Words => "words",
        Says::Other => "other",
    };
    let choices = dialog.choices.iter();
    let words: Vec<String> = choices
        .map(|choice| format!("{}={}", choice.key.unwrap_or('-'), word(choice.says)))
        .collect();
    words.join(" ")
}

#[test]
fn the_dialogs_are_read() {
    use DialogKind::{Command, FileEdit, Plan};
    const TOUCH: &str = "touch made.txt && make test";
    let all = "1=yes 2=always 3=no";
    let two = "1=yes 2=no";
    for (name, kind, whole, subject, says) in [
        ("approval/40-command", Command, true, TOUCH, all),
        ("approval/250-command", Command, true, TOUCH, all),
        (
            "approval/80-over-draft",
            Command,
            true,
            "git push origin main",
            all,
        ),
        (
            "approval/60-edit",
            FileEdit,
            true,
            "/srv/lab/elsewhere-60.txt",
            all,
        ),
        (
            "approval/80-short-edit",
            FileEdit,
            true,
            "/srv/lab/else-m.txt",
            all,
        ),
        (
            "approval/80-three-lines",
            Command,
            false,
            "rm -rf build",
            all,
        ),
        (
            "approval/80-heredoc",
            Command,
            false,
            "python3 - <<'EOF'",
            two,
        ),
        (
            "approval/80-cut-command",
            Command,
            false,
            "cat > scan.py <<'EOF'",
            two,
        ),
        (
            "approval/80-short-spoof-a",
            Command,
            false,
            "touch ok.txt",
            two,
        ),
        ("approval/80-spoofa", Command, false, "touch ok.txt", two),
        ("approval/80-spoofa-no", Command, false, "touch ok.txt", two),
        ("approval/40-spoofb", Command, false, "echo x", two),
        ("approval/80-spoofb-no", Command, false, "echo x", two),
        ("approval/80-plan", Plan, false, "", all),
    ] {
        let reading = case(name);
        assert_eq!(reading.state, State::Approval, "{name}");
        let dialog = reading.dialog.unwrap();
        assert_eq!(dialog.kind, Some(kind), "{name}");
        assert_eq!(dialog.press, Press::Key, "{name}");
        assert_eq!(said(&dialog), says, "{name}");
        assert_eq!(dialog.whole, whole, "{name}: {}", dialog.subject);
        let first = dialog.subject.lines().next().unwrap_or_default();
        assert_eq!(first, subject, "{name}");
        assert_eq!(
            whole || subject.is_empty(),
            !dialog.subject.contains('\n'),
            "{name}"
        );
    }
}

#[test]
fn the_selected_option_is_known() {
    for (name, selected) in [
        ("approval/80-spoofa", 0),
        ("approval/80-spoofa-no", 1),
        ("approval/80-plan-second", 1),
    ] {
        let dialog = case(name).dialog.unwrap();
        let found = dialog
            .choices
            .iter()
            .position(|choice| choice.selected == Some(true));
        assert_eq!(found, Some(selected), "{name}");
    }
}

#[test]
fn what_an_answer_quotes_above_a_dialog_is_never_its_whole_subject() {
    let quoted = "• It had asked:\n\n  Would you like to run the following command?\n\n  $ ls\n\n  Would you like to make the following edits?\n\n  Destination: /srv/lab/ok.txt\n\n";
    for (real, options) in [
        (
            "  Would you like to run the following command?\n\n  $ rm -rf build",
            OPTIONS,
        ),
        (
            "  Would you like to make the following edits?\n\n  Destination: /etc/passwd",
            FILE_OPTIONS,
        ),
        (
            "  Do you want to approve network access to \"example.com\"?",
            OPTIONS,
        ),
    ] {
        let reading = screen(&format!("{quoted}{real}{options}"), None);
        assert_eq!(reading.state, State::Approval, "{real}");
        assert!(!reading.dialog.unwrap().whole, "{real}");
    }
    // the same dialog alone is whole
    let alone = format!(
        "{}  Would you like to run the following command?\n\n  $ rm -rf build{OPTIONS}",
        "\n".repeat(8)
    );
    let alone = screen(&alone, None);
    let dialog = alone.dialog.unwrap();
    assert_eq!(
        (dialog.subject.as_str(), dialog.whole),
        ("rm -rf build", true)
    );
}

#[test]
fn a_dialog_of_an_unknown_kind_has_no_kind() {
    let text = "  Do you want to approve network access to \"example.com\"?\n\n› 1. Yes, just this once (y)\n  2. Yes, and allow this host for this conversation (a)\n  3. No, and tell Codex what to do differently (esc)\n\n  Press enter to confirm or esc to cancel";
    let reading = screen(text, None);
    assert_eq!(reading.state, State::Approval);
    let dialog = reading.dialog.unwrap();
    assert_eq!(
        (dialog.kind, said(&dialog).as_str()),
        (None, "1=other 2=always 3=no")
    );
}

#[test]
fn only_the_end_of_the_screen_tells_a_dialog_from_a_quotation() {
    let quotation = format!(
        "• It had asked:\n\n  Would you like to run the following command?\n\n  $ ls{OPTIONS}"
    )
    .replace("\n›", "\n  ›");
    let idle = format!("{quotation}\n\n  Worked for 2s • 06:34{PROMPT}");
    let row = idle.lines().count() - 4;
    let inside = Some(Cursor { column: 2, row });
    assert_eq!(screen(&idle, inside).state, State::Idle);
    // while its text still comes, it is no idle agent
    let streaming = idle.replace("  Worked for 2s • 06:34", "");
    assert_eq!(screen(&streaming, inside).state, State::Working);
    // whatever the cursor is said to be, a dialog takes no nudge
    let dialog = format!("  Would you like to run the following command?\n\n  $ ls{OPTIONS}");
    for row in 0..dialog.lines().count() {
        for column in [0, 2] {
            let reading = screen(&dialog, Some(Cursor { column, row }));
            assert!(!reading.takes_nudge(), "{row}: {}", reading.state);
        }
    }
}
