//! What is read from the dialogs of the captured screens: what they ask for, and which key says what.

use std::path::Path;

use meta_orchestrator::config::DialogKind;
use meta_orchestrator::screen::profile::{Press, Profile, Profiles};
use meta_orchestrator::screen::prompt::Cursor;
use meta_orchestrator::screen::recognise::{Dialog, Reading, Says, Shown, recognise};
use meta_orchestrator::screen::state::State;

fn codex() -> std::sync::Arc<Profile> {
    let profiles = Profiles::shipped();
    profiles.get(&"codex".parse().unwrap()).unwrap().clone()
}

fn read(case: &str) -> Reading {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens/codex");
    let dump = std::fs::read_to_string(root.join(case).join("1.ansi")).unwrap();
    let columns = case.split(['/', '-']).nth(1).unwrap().parse().unwrap();
    recognise(&codex(), &Shown::styled(&dump, columns, None))
}

fn dialog(case: &str) -> Dialog {
    read(case)
        .dialog
        .unwrap_or_else(|| panic!("{case} has no dialog"))
}

fn said(dialog: &Dialog) -> String {
    let word = |says| match says {
        Says::Yes => "yes",
        Says::Always => "always",
        Says::No => "no",
        Says::Other => "other",
    };
    let choices = dialog.choices.iter();
    let words: Vec<String> = choices
        .map(|choice| format!("{}={}", choice.key.unwrap_or('-'), word(choice.says)))
        .collect();
    words.join(" ")
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a look")]
fn look() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens/codex");
    for state in ["approval", "question", "trust"] {
        let mut names: Vec<_> = std::fs::read_dir(root.join(state)).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        for name in names {
            if name.contains("given") { continue; }
            let d = dialog(&format!("{state}/{name}"));
            println!("{state}/{name}: {:?} whole {} [{}] sel {:?}\n   {:?}", d.kind, d.whole, said(&d), d.choices.iter().position(|c| c.selected == Some(true)), d.subject);
        }
    }
}
