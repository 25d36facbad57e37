//! Reads an open dialog: what it asks for, and what can be chosen.

use serde::{Deserialize, Serialize};

use super::super::profile::{DialogSpec, Pattern, Press, Profile, RuleSpec};
use super::super::styled;
use super::Shown;
use crate::config::DialogKind;

/// How many rows from the end of the screen options are looked for.
const OPTION_ROWS: usize = 40;
/// How many rows from the end of the screen the subject is looked for.
const SUBJECT_ROWS: usize = 60;
/// The most options that are read.
const MOST: usize = 20;

/// What choosing an option says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Says {
    /// Yes, this once.
    Yes,
    /// Yes, and for more than this once.
    Always,
    /// No.
    No,
    /// Something else.
    Other,
}

/// One option of a dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// The key that chooses it, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<char>,
    /// Its words.
    pub label: String,
    /// Whether it is the selected one; `None` where the screen does not show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected: Option<bool>,
    /// What it says.
    pub says: Says,
}

/// An open dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dialog {
    /// What it asks a yes for, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<DialogKind>,
    /// The command, the path or the question, as far as the screen shows it.
    pub subject: String,
    /// Whether that stands in one row, so that no wrap or cut can have changed it.
    pub whole: bool,
    /// What can be chosen, from above or from the left.
    pub choices: Vec<Choice>,
    /// How an option is chosen.
    #[serde(skip)]
    pub press: Press,
}

impl Dialog {
    /// Whether this is the dialog that `other` was: the same question, the same options. Which one is selected
    /// does not count.
    pub fn is(&self, other: &Self) -> bool {
        let labels = |dialog: &Self| -> Vec<(Option<char>, String)> {
            dialog
                .choices
                .iter()
                .map(|choice| (choice.key, choice.label.clone()))
                .collect()
        };
        self.kind == other.kind && self.subject == other.subject && labels(self) == labels(other)
    }
}

/// The dialog that `rule` found, where its options can be read.
pub(super) fn read(profile: &Profile, rule: &RuleSpec, shown: &Shown) -> Option<Dialog> {
    let spec = &profile.file().dialog;
    if rule.by_hand {
        return None;
    }
    let rows: Vec<&str> = shown.screen.lines().collect();
    let start = rows.len().saturating_sub(OPTION_ROWS);
    let numbered = || rows.iter().enumerate().skip(start);
    let mut choices: Vec<Placed> = numbered()
        .filter_map(|(at, row)| Some((option(spec, row)?, at)))
        .map(|(choice, at)| Placed::new(choice, at, rows[at]))
        .collect();
    // the lowest run of options counts: an answer above may quote another
    let is_first = |placed: &Placed| placed.choice.key == Some('1');
    if let Some(first) = choices.iter().rposition(is_first) {
        choices.drain(..first);
    } else if choices.iter().any(|placed| is_digit(placed.choice.key)) {
        return None; // the first option is not to be seen, or these are the rest of an older dialog
    }
    choices.truncate(MOST);
    if choices.is_empty() {
        choices = numbered()
            .rev()
            .find_map(|(at, row)| {
                let buttons = buttons(spec, row)?.into_iter();
                Some(buttons.map(|choice| Placed::new(choice, at, row)).collect())
            })
            .unwrap_or_default();
    }
    if let Some(styled) = &shown.styled {
        mark_selected(&mut choices, styled);
    }
    let choices: Vec<Choice> = choices.into_iter().map(|placed| placed.choice).collect();
    let (subject, whole) = subject(spec, rule, &rows);
    (!choices.is_empty()).then_some(Dialog {
        kind: rule.dialog,
        subject,
        whole,
        choices,
        press: spec.press,
    })
}

/// A choice with the place of its label, by row and character.
struct Placed {
    choice: Choice,
    row: usize,
    column: usize,
}

impl Placed {
    fn new(choice: Choice, row: usize, text: &str) -> Self {
        let before = text.rfind(choice.label.as_str()).unwrap_or_default();
        let column = text[..before].chars().count();
        Self {
            choice,
            row,
            column,
        }
    }
}

/// Where no mark stands before the selected option, it is the only one on another background.
fn mark_selected(choices: &mut [Placed], styled: &str) {
    if choices.len() < 2
        || choices
            .iter()
            .any(|placed| placed.choice.selected.is_some())
    {
        return;
    }
    let rows = styled::backgrounds(styled);
    let behind = |placed: &Placed| rows.get(placed.row)?.get(placed.column).copied();
    let colours: Vec<Option<u64>> = choices.iter().map(behind).collect();
    let differs = |at: &usize| {
        let others = |other: &usize| other != at;
        let mut rest = (0..colours.len())
            .filter(others)
            .map(|other| colours[other]);
        let first = rest.next().flatten();
        first.is_some() && colours[*at] != first && rest.all(|colour| colour == first)
    };
    let odd: Vec<usize> = (0..colours.len()).filter(differs).collect();
    // of two, either differs from the other: the one that stands out from the dialog behind them is meant
    let dialog = rows
        .get(choices[0].row)
        .and_then(|row| row.get(choices[0].column.saturating_sub(3)))
        .copied();
    let selected = match odd[..] {
        [only] => Some(only),
        [first, second] => [first, second]
            .into_iter()
            .find(|at| colours[*at] != dialog),
        _ => None,
    };
    if let Some(selected) = selected {
        for (at, placed) in choices.iter_mut().enumerate() {
            placed.choice.selected = Some(at == selected);
        }
    }
}

fn option(spec: &DialogSpec, row: &str) -> Option<Choice> {
    let pattern = spec.option.as_ref()?.regex();
    let found = pattern.captures(row)?;
    let marks = pattern.capture_names().flatten().any(|name| name == "mark");
    let group = |name| found.name(name).map(|group| group.as_str().trim());
    let label = group("label")?.to_owned();
    Some(Choice {
        key: group("key").and_then(|key| key.chars().next()),
        selected: marks.then(|| group("mark").is_some_and(|mark| !mark.is_empty())),
        says: says(spec, &label),
        label,
    })
}

/// Options side by side; which one is selected only styling shows.
fn buttons(spec: &DialogSpec, row: &str) -> Option<Vec<Choice>> {
    let labels = spec.buttons.iter().find(|labels| {
        let mut rest = row;
        labels
            .iter()
            .all(|label| match rest.split_once(label.as_str()) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            })
    })?;
    let choice = |label: &String| Choice {
        key: None,
        label: label.clone(),
        selected: None,
        says: says(spec, label),
    };
    Some(labels.iter().map(choice).collect())
}

/// An option that says more than yes is never a plain yes.
fn says(spec: &DialogSpec, label: &str) -> Says {
    let is = |patterns: &[Pattern]| {
        patterns
            .iter()
            .any(|pattern| pattern.regex().is_match(label))
    };
    if is(&spec.always) {
        Says::Always
    } else if is(&spec.no) {
        Says::No
    } else if is(&spec.yes) {
        Says::Yes
    } else {
        Says::Other
    }
}

fn is_digit(key: Option<char>) -> bool {
    key.is_some_and(|key| key.is_ascii_digit())
}

/// What is asked for, and whether it stands in one row.
fn subject(spec: &DialogSpec, rule: &RuleSpec, rows: &[&str]) -> (String, bool) {
    let text = rows[rows.len().saturating_sub(SUBJECT_ROWS)..].join("\n");
    let found = spec.subject.iter().find_map(|pattern| {
        let last = pattern.regex().captures_iter(&text).last()?;
        let group = |name| last.name(name).map(|group| group.as_str().trim());
        let text = group("text")?;
        let is_same = group("again").is_none_or(|again| again == text);
        is_same.then_some(text)
    });
    let Some(found) = found else {
        return (String::new(), false);
    };
    let cut = match rule.dialog {
        // long paths are shortened in their middle
        Some(DialogKind::FileEdit) => found.contains("..."),
        _ => found.ends_with("..."),
    };
    let whole = !cut
        && !found.is_empty()
        && !found.contains(['\n', '…'])
        && rows.len() >= spec.whole_from_rows;
    let stroke = |c: char| c.is_whitespace() || matches!(c, '│' | '┃');
    let lines: Vec<&str> = found
        .lines()
        .map(|line| line.trim_matches(stroke))
        .collect();
    (lines.join("\n").trim().to_owned(), whole)
}

#[cfg(test)]
mod tests {
    use super::super::recognise;
    use super::*;

    /// A profile in which every screen is a dialog about `kind`.
    fn profile(kind: &str) -> Profile {
        let text = format!(
            r#"{{
            "kind": "test", "name": "Test", "processes": [{{"name": "test"}}],
            "prompt": {{"body": "^never$", "end": "^never$"}},
            "rules": [{{"name": "all", "state": "approval", "dialog": "{kind}"}}],
            "dialog": {{
                "option": "^(?P<key>\\d)\\. (?P<label>.*)$",
                "buttons": [["Once", "Always", "Never"], ["Confirm", "Cancel"]],
                "yes": ["^Once"], "always": ["^Always", "^Confirm"], "no": ["^Never", "^Cancel"],
                "subject": ["Do: (?P<text>[^#]*)#"],
                "wholeFromRows": 2
            }}}}"#
        );
        Profile::parse(&text).unwrap()
    }

    fn dialog(kind: &str, screen: &str) -> Option<Dialog> {
        recognise(&profile(kind), &Shown::styled(screen, 80, None)).dialog
    }

    #[test]
    fn the_selected_option_is_the_one_on_another_background() {
        const A: &str = "\u{1b}[48;2;9;9;9m";
        const B: &str = "\u{1b}[48;2;200;9;9m";
        const N: &str = "\u{1b}[49m";
        let cases = [
            (format!("{A}  {B}Once{A}  Always  Never"), Some(0)),
            (format!("{A}  Once  {B}Always{A}  Never"), Some(1)),
            (format!("{A}  Once  Always  {B}Never"), Some(2)),
            (format!("{A}    {B}Confirm{A}  Cancel"), Some(0)),
            (format!("{A}    Confirm  {B}Cancel{A} "), Some(1)),
            (
                format!("{A}1. Once{N}\n{B}2. Never{N}\n{A}3. Always{N}"),
                Some(1),
            ),
            ("  Once  Always  Never".to_owned(), None),
            (format!("{A}  {B}Once{A}  {N}Always{A}  Never"), None),
        ];
        for (screen, expected) in cases {
            let dialog = dialog("command", &screen).unwrap();
            let selected = |choice: &Choice| choice.selected == Some(true);
            assert_eq!(
                dialog.choices.iter().position(selected),
                expected,
                "{screen:?}"
            );
            let told = dialog.choices.iter().all(|c| c.selected.is_some());
            assert_eq!(told, expected.is_some(), "{screen:?}");
        }
    }

    #[test]
    fn options_without_the_first_are_not_read() {
        assert!(dialog("command", "1. Once\n2. Never").is_some());
        assert!(dialog("command", "2. Always\n3. Never").is_none());
        let lowest = dialog("command", "1. old\n2. old\n1. Once\n2. Never").unwrap();
        assert_eq!(lowest.choices.len(), 2);
        assert_eq!(lowest.choices[0].says, Says::Yes);
    }

    #[test]
    fn a_subject_that_may_be_cut_is_not_whole() {
        let cases = [
            ("command", "Do: make test #\n1. Once", "make test", true),
            (
                "command",
                "Do: make test # 1. Once Always Never",
                "make test",
                false,
            ),
            (
                "command",
                "Do: make\n│ test │\n#\n1. Once",
                "make\ntest",
                false,
            ),
            ("command", "Do: make te… #\n1. Once", "make te…", false),
            ("command", "Do: make te... #\n1. Once", "make te...", false),
            (
                "command",
                "Do: git log a...b #\n1. Once",
                "git log a...b",
                true,
            ),
            (
                "fileEdit",
                "Do: src/.../b.rs #\n1. Once",
                "src/.../b.rs",
                false,
            ),
            ("fileEdit", "Do: src/b.rs #\n1. Once", "src/b.rs", true),
            ("command", "Do: #\n1. Once", "", false),
            ("command", "nothing is said\n1. Once", "", false),
        ];
        for (kind, screen, subject, whole) in cases {
            let read = dialog(kind, screen).unwrap();
            assert_eq!(
                (read.subject.as_str(), read.whole),
                (subject, whole),
                "{screen}"
            );
        }
    }
}
