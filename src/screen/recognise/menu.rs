//! Reads an open dialog: what it asks for, and what can be chosen.

use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthStr;

use super::super::profile::{DialogSpec, FieldTyping, Pattern, Press, Profile, RuleSpec};
use super::super::styled;
use super::Shown;
use super::field::{self, Field};
use crate::config::DialogKind;

/// How many rows from the end of the screen options are looked for.
const OPTION_ROWS: usize = 40;
/// How many rows from the end of the screen the subject is looked for.
pub(super) const SUBJECT_ROWS: usize = 60;
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
    /// Nothing yet: it opens a field for words.
    Words,
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
    /// How an answer is written, where it has a field for one.
    #[serde(skip)]
    pub typing: FieldTyping,
}

impl Dialog {
    /// Whether this is the dialog that `other` was: the same question, the same options. Which one is selected
    /// does not count, nor what stands in the place of words.
    pub fn is(&self, other: &Self) -> bool {
        let labels = |dialog: &Self| -> Vec<(Option<char>, Option<String>)> {
            let label =
                |choice: &Choice| (choice.says != Says::Words).then(|| choice.label.clone());
            let choices = dialog.choices.iter();
            choices.map(|choice| (choice.key, label(choice))).collect()
        };
        self.kind == other.kind && self.subject == other.subject && labels(self) == labels(other)
    }

    /// Its option that opens a field for words, if it has one.
    pub fn words(&self) -> Option<usize> {
        let mut options = self.choices.iter();
        options.position(|choice| choice.says == Says::Words)
    }
}

#[cfg(test)]
impl Dialog {
    /// One with these options, whose keys act at once.
    pub(crate) fn made_up(
        kind: Option<DialogKind>,
        subject: &str,
        choices: &[(char, &str, Says)],
    ) -> Self {
        let choice = |(key, label, says): &(char, &str, Says)| Choice {
            key: Some(*key),
            label: (*label).to_owned(),
            selected: None,
            says: *says,
        };
        Self {
            kind,
            subject: subject.into(),
            whole: true,
            choices: choices.iter().map(choice).collect(),
            press: Press::Key,
            typing: FieldTyping::default(),
        }
    }

    /// One that asks whether `subject` may be done.
    pub(crate) fn made_up_permission(kind: Option<DialogKind>, subject: &str) -> Self {
        let choices = [
            ('1', "Yes", Says::Yes),
            ('2', "Yes, and don't ask again", Says::Always),
            ('3', "No", Says::No),
        ];
        Self::made_up(kind, subject, &choices)
    }
}

/// The dialog that `rule` found, where its options can be read and chosen, and its field for words, where that is
/// open.
pub(super) fn read(
    profile: &Profile,
    rule: &RuleSpec,
    shown: &Shown,
) -> (Option<Dialog>, Option<Field>) {
    let spec = &profile.file().dialog;
    if rule.by_hand {
        return (None, None);
    }
    let rows: Vec<&str> = shown.screen.lines().collect();
    if !rule.field {
        return (dialog(spec, rule, shown, &rows, None), None);
    }
    let Some(open) = field::find(spec, &rows, shown) else {
        return (None, None);
    };
    let Some(dialog) = dialog(spec, rule, shown, &rows, Some(&open)) else {
        return (None, None);
    };
    let text = open.text;
    // its keys choose nothing while they would be text, or go behind somebody's text
    let is_free = open.takes_keys && text.draft.is_empty() && !text.unsure;
    let field = Field {
        dialog: dialog.clone(),
        text,
    };
    (is_free.then_some(dialog), Some(field))
}

/// The dialog in `rows`, whose field may be open.
fn dialog(
    spec: &DialogSpec,
    rule: &RuleSpec,
    shown: &Shown,
    rows: &[&str],
    open: Option<&field::Open>,
) -> Option<Dialog> {
    let start = rows.len().saturating_sub(OPTION_ROWS);
    let is_text = |at: usize| open.is_some_and(|open| open.rows.contains(&at));
    let numbered = || {
        let rows = rows.iter().enumerate().skip(start);
        rows.filter(|(at, _)| !is_text(*at))
    };
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
    for placed in &mut choices {
        placed.take_wrapped(rows, shown.columns, |at| {
            is_text(at) || option(spec, rows[at]).is_some()
        });
    }
    if choices.is_empty() {
        choices = numbered()
            .rev()
            .find_map(|(at, row)| {
                let buttons = buttons(spec, row)?.into_iter();
                Some(buttons.map(|choice| Placed::new(choice, at, row)).collect())
            })
            .unwrap_or_default();
    }
    if choices.is_empty() {
        choices = numbered()
            .rev()
            .find_map(|(at, row)| {
                let options = inline(spec, row)?.into_iter();
                Some(options.map(|choice| Placed::new(choice, at, row)).collect())
            })
            .unwrap_or_default();
    }
    if let Some(styled) = &shown.styled {
        mark_selected(&mut choices, styled);
    }
    let opener = open.filter(|open| !open.takes_keys).map(|open| open.start);
    if let Some(placed) = choices.iter_mut().find(|placed| Some(placed.row) == opener) {
        placed.choice.says = Says::Words;
    }
    let choices: Vec<Choice> = choices.into_iter().map(|placed| placed.choice).collect();
    let (subject, whole) = subject(spec, rule, rows, shown);
    (!choices.is_empty()).then_some(Dialog {
        kind: rule.dialog,
        subject,
        whole,
        choices,
        press: rule.press.unwrap_or(spec.press),
        typing: field_typing(spec),
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

impl Placed {
    /// Takes in the rows into which its label was wrapped: those that begin below it, each after one in which its
    /// first word had no room. (A description below a short label stays out.) What the option says is read from
    /// its first row alone, before this.
    fn take_wrapped(&mut self, rows: &[&str], columns: usize, ends: impl Fn(usize) -> bool) {
        for at in self.row + 1..rows.len() {
            let text = rows[at].trim_start_matches(' ');
            let indent = rows[at].len() - text.len();
            let first = text.split(' ').next().unwrap_or_default();
            // Claude 2.1.197 leaves the last column free
            let is_full = rows[at - 1].trim_end().width() + 1 + first.width() >= columns;
            if first.is_empty() || indent != self.column || !is_full || ends(at) {
                return;
            }
            self.choice.label.push(' ');
            self.choice.label.push_str(text.trim_end());
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

/// Options side by side, by what they look like.
fn inline(spec: &DialogSpec, row: &str) -> Option<Vec<Choice>> {
    let inline = spec.inline.as_ref()?;
    let options = inline.row.regex().captures(row)?.name("options")?;
    let found = inline.option.regex().captures_iter(options.as_str());
    let choices: Vec<Choice> = found
        .filter_map(|found| {
            let label = found.name("label")?.as_str().replace(['(', ')'], "");
            let key = found.name("key")?.as_str().chars().next()?;
            Some(Choice {
                key: Some(key.to_ascii_lowercase()),
                selected: None,
                says: says(spec, label.trim()),
                label: label.trim().to_owned(),
            })
        })
        .collect();
    (!choices.is_empty()).then_some(choices)
}

fn field_typing(spec: &DialogSpec) -> FieldTyping {
    let field = spec.field.as_ref();
    field.map_or_else(FieldTyping::default, |field| field.typing.clone())
}

/// An option that says more than yes is never a plain yes.
fn says(spec: &DialogSpec, label: &str) -> Says {
    let is = |patterns: &[Pattern]| {
        patterns
            .iter()
            .any(|pattern| pattern.regex().is_match(label))
    };
    let field = spec.field.as_ref();
    let takes_words = field.and_then(|field| field.option.as_ref());
    if takes_words.is_some_and(|option| option.regex().is_match(label)) {
        Says::Words
    } else if is(&spec.always) {
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
fn subject(spec: &DialogSpec, rule: &RuleSpec, rows: &[&str], shown: &Shown) -> (String, bool) {
    let first = rows.len().saturating_sub(SUBJECT_ROWS);
    let text = rows[first..].join("\n");
    let found = spec.subject.iter().find_map(|pattern| {
        let last = pattern.regex().captures_iter(&text).last()?;
        let group = |name| last.name(name).map(|group| group.as_str().trim());
        let found = group("text")?;
        let row = first + text[..last.name("text")?.start()].matches('\n').count();
        let is_same = group("again").is_none_or(|again| again == found);
        is_same.then_some((found, row))
    });
    let Some((found, row)) = found else {
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
        && rows.len() >= spec.whole_from_rows
        && (!spec.subject_reversed || begins_reversed(rows, row, shown));
    let stroke = |c: char| c.is_whitespace() || matches!(c, '│' | '┃');
    let lines: Vec<&str> = found
        .lines()
        .map(|line| line.trim_matches(stroke))
        .collect();
    (lines.join("\n").trim().to_owned(), whole)
}

/// Whether what is drawn in reverse begins in this row, and not above it.
fn begins_reversed(rows: &[&str], row: usize, shown: &Shown) -> bool {
    let Some(styled) = &shown.styled else {
        return false;
    };
    let reversed = styled::reversed_rows(styled);
    let is_reversed = |row: usize| reversed.get(row) == Some(&true);
    let above = (0..row)
        .rev()
        .take_while(|above| rows[*above].trim().is_empty() || is_reversed(*above));
    is_reversed(row) && !above.into_iter().any(is_reversed)
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
