//! The form of a profile's file, `config/agents/<kind>.json`: plain data, checked while it is read.
//!
//! Every pattern is a regular expression in which `^` and `$` are the ends of a line and a blank stands for
//! any blanks, line ends and box strokes: a sentence is found however the agent wrapped it. `[ ]` is one
//! blank.

use std::fmt;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::super::state::State;
use crate::config::DialogKind;
use crate::ids::Kind;

/// A profile as its file says it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileFile {
    /// Where the schema of this file is; for editors.
    #[serde(rename = "$schema", default)]
    #[schemars(rename = "$schema")]
    _schema: Option<String>,
    /// The kind of agent, as in the file's name.
    pub kind: Kind,
    /// What people call the agent.
    pub name: String,
    /// By which programs in the foreground it is known.
    pub processes: Vec<ProcessSpec>,
    /// Where its prompt is.
    pub prompt: PromptSpec,
    /// What shows which state: the first rule that holds decides; none: `unknown`.
    pub rules: Vec<RuleSpec>,
    /// What stands on its screen, beside an empty prompt, where its conversation fills the model's context: all of it.
    /// Changes no state. Empty: it is not known.
    #[serde(default)]
    pub context_full: Vec<ClauseSpec>,
    /// What its dialogs look like.
    #[serde(default)]
    pub dialog: DialogSpec,
    /// What moves on its screen without meaning anything.
    #[serde(default)]
    pub animation: AnimationSpec,
    /// How it is typed to.
    #[serde(default)]
    pub typing: TypingSpec,
    /// One still screen cannot tell whether it works: two, apart in time, must show the same.
    #[serde(default)]
    pub two_screens: bool,
    /// What it publishes of itself.
    #[serde(default)]
    pub publishes: Option<Publishes>,
}

/// What an agent publishes of itself, beside its screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Publishes {
    /// The session registry and the transcripts of Claude Code.
    ClaudeCode,
}

/// A program that is this agent. All that is given must hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProcessSpec {
    /// The program's name, without its folder.
    pub name: String,
    /// One of its arguments matches this, for programs that run in an interpreter.
    #[serde(default)]
    pub argument: Option<Pattern>,
}

/// Where the prompt is: the lowest rows that match `body`, the first of them `mark`, between a row that
/// matches `top` and one that matches `end`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PromptSpec {
    /// The row above it.
    #[serde(default)]
    pub top: Option<Pattern>,
    /// The beginning of its first row; what follows is its content.
    #[serde(default)]
    pub mark: Option<Pattern>,
    /// Each of its rows, the first included.
    pub body: Pattern,
    /// The row below it. The end of the screen counts as an empty row.
    pub end: Pattern,
    /// What is taken from the front of each row but the marked one.
    #[serde(default)]
    pub strip: Option<Pattern>,
    /// Rows of it that are not content.
    #[serde(default)]
    pub drop: Vec<Pattern>,
    /// Its last rows that are no content either: each row must match its pattern, or it is no prompt.
    #[serde(default)]
    pub tail: Vec<Pattern>,
    /// Texts that the agent shows in an empty prompt. In a styled dump such a text is a placeholder if the
    /// cursor stands in front of it.
    #[serde(default)]
    pub placeholders: Vec<Pattern>,
    /// Whether only as many cells as the row below it has belong to it (something else stands at its right).
    #[serde(default)]
    pub as_wide_as_end: bool,
    /// Where the terminal's cursor is while the prompt takes text.
    #[serde(default)]
    pub cursor: CursorPlace,
}

/// Where the terminal's cursor is while a prompt takes text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CursorPlace {
    /// It says nothing.
    #[default]
    Anywhere,
    /// In the prompt; elsewhere, or hidden, the prompt takes no text.
    Inside,
    /// In the prompt, or hidden.
    InsideOrHidden,
}

/// When the agent is in a state.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleSpec {
    /// What the rule is called, for people.
    pub name: String,
    /// The state.
    pub state: State,
    /// What kind of thing is asked for, where the state is `approval`.
    #[serde(default)]
    pub dialog: Option<DialogKind>,
    /// Only a person at the pane answers this dialog, for a key would be text or tick a box: its options are not
    /// read.
    #[serde(default)]
    pub by_hand: bool,
    /// The field of the dialog is open, so that a digit would be text: its options cannot be chosen by their keys.
    #[serde(default)]
    pub field: bool,
    /// How an option of this dialog is chosen, where it is not as in all others.
    #[serde(default)]
    pub press: Option<Press>,
    /// What must be known of the prompt.
    #[serde(default)]
    pub prompt: PromptWant,
    /// What the screen must show: all of it.
    #[serde(default)]
    pub when: Vec<ClauseSpec>,
}

/// What a rule wants of the prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PromptWant {
    /// Nothing.
    #[default]
    Any,
    /// It is there.
    Found,
    /// It is there, and empty but for a placeholder.
    Empty,
    /// It is there, with somebody's text in it.
    Filled,
    /// It is not there.
    Missing,
}

/// What a part of the screen must show. A part that is not there fulfils nothing.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClauseSpec {
    /// Which part.
    #[serde(rename = "in")]
    #[schemars(rename = "in")]
    pub part: Part,
    /// How many rows of it, those nearest to the prompt or the end of the screen (default: 30).
    #[serde(default)]
    pub rows: Option<usize>,
    /// Each of these matches.
    #[serde(default)]
    pub all: Vec<Pattern>,
    /// One of these matches.
    #[serde(default)]
    pub any: Vec<Pattern>,
    /// None of these does.
    #[serde(default)]
    pub none: Vec<Pattern>,
}

/// A part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// The rows above the prompt and its top row.
    Above,
    /// The rows below the prompt and its end row.
    Below,
    /// What stands in the prompt, a placeholder included.
    Prompt,
    /// The last rows of the screen.
    Bottom,
    /// The first rows of the screen.
    Top,
}

/// What dialogs look like. Options are looked for in the last 40 rows.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DialogSpec {
    /// A row that is an option, with the groups `label`, and where there are such `mark` (something stands
    /// there if it is selected) and `key` (which chooses it).
    #[serde(default)]
    pub option: Option<Pattern>,
    /// Options that stand side by side in one row, by their labels.
    #[serde(default)]
    pub buttons: Vec<Vec<String>>,
    /// Options that stand side by side in one row, by what they look like.
    #[serde(default)]
    pub inline: Option<InlineSpec>,
    /// Where an answer is written in words, or the letter of an option.
    #[serde(default)]
    pub field: Option<FieldSpec>,
    /// Labels that say yes for this once.
    #[serde(default)]
    pub yes: Vec<Pattern>,
    /// Labels that say yes for more than this once.
    #[serde(default)]
    pub always: Vec<Pattern>,
    /// Labels that say no.
    #[serde(default)]
    pub no: Vec<Pattern>,
    /// What is asked for: patterns with the group `text`; the first that matches the last 60 rows counts. Where
    /// one has the group `again`, it counts only if both are the same.
    #[serde(default)]
    pub subject: Vec<Pattern>,
    /// What is asked for is drawn in reverse, row by row: more such rows above it, beyond blank ones too, belong to it.
    #[serde(default)]
    pub subject_reversed: bool,
    /// With fewer rows than these on the screen, the agent may cut the end of what is asked for without a mark.
    #[serde(default)]
    pub whole_from_rows: usize,
    /// How an option is chosen.
    #[serde(default)]
    pub press: Press,
}

/// Options side by side in the last row that has any.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InlineSpec {
    /// The row, with the group `options`.
    pub row: Pattern,
    /// Each option in it, with the groups `label`, whose round brackets are dropped, and `key`.
    pub option: Pattern,
}

/// A field of a dialog in which an answer is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldSpec {
    /// The label of the option that opens it, as long as nothing is written in it. None: it is open with the dialog,
    /// and takes the letter of an option.
    #[serde(default)]
    pub option: Option<Pattern>,
    /// The open field, looked for in the last 60 rows. It begins in the row of its option, and has the group `text`:
    /// what the field shows, a placeholder included.
    pub shown: Pattern,
    /// What it shows, faint, while nothing is written in it. None: nothing.
    #[serde(default)]
    pub placeholder: Option<Pattern>,
    /// The placeholder is not drawn faint: it is one where the agent draws its cursor over its first character.
    #[serde(default)]
    pub placeholder_plain: bool,
    /// Where the terminal's cursor is while it is open.
    #[serde(default)]
    pub cursor: CursorPlace,
    /// How an answer is written into it.
    #[serde(default)]
    pub typing: FieldTyping,
}

/// How an answer is written into the field of a dialog.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FieldTyping {
    /// How the text is put there.
    pub write: Write,
    /// The longest text, in characters, that it shows as it is.
    pub longest: usize,
    /// First characters that mean something else than text.
    pub refused_first: String,
    /// Which key submits it.
    pub submit: Submit,
}

impl Default for FieldTyping {
    fn default() -> Self {
        Self {
            write: Write::Chars,
            longest: 400,
            refused_first: "!/@#?\\&".into(),
            submit: Submit::Enter,
        }
    }
}

/// Which key submits what is written in a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Submit {
    /// Enter.
    #[default]
    Enter,
}

/// How an option of a dialog is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Press {
    /// Its key acts at once.
    #[default]
    Key,
    /// Up and Down move the selection, Enter chooses.
    UpDown,
    /// Left and Right move the selection, Enter chooses.
    LeftRight,
    /// Its key is written into the dialog's field, Enter submits it.
    KeyEnter,
}

/// What moves on the screen without meaning anything.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnimationSpec {
    /// Parts of a row that do not count: spinners, timers, token counters.
    #[serde(default)]
    pub parts: Vec<Pattern>,
    /// Rows that do not count: tips, hints.
    #[serde(default)]
    pub rows: Vec<Pattern>,
    /// Whether what stands below the prompt does not count: status lines, hints.
    #[serde(default)]
    pub below: bool,
}

/// How an agent is typed to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TypingSpec {
    /// How a text is put into the prompt.
    pub write: Write,
    /// Milliseconds between the text and Enter, at least.
    pub pause_ms: u64,
    /// A longer text, in characters, is folded by the agent (0: never).
    pub fold_chars: usize,
    /// A text with more line ends than these is folded (nudges have none).
    pub fold_newlines: usize,
    /// First characters that mean something else than text.
    pub refused_first: String,
    /// Characters that may act as keys wherever they stand in a text that comes in one go: a text with one of them is
    /// put into a file.
    pub keys: String,
    /// Whether a message is taken in, and queued, while a turn runs.
    pub queues: bool,
}

impl Default for TypingSpec {
    fn default() -> Self {
        Self {
            write: Write::Chars,
            pause_ms: 400,
            fold_chars: 800,
            fold_newlines: 0,
            refused_first: "!/@#?\\&".into(),
            keys: String::new(),
            queues: false,
        }
    }
}

/// How a text is put into a prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    /// As if typed: `write-chars`.
    #[default]
    Chars,
    /// As a bracketed paste: `paste`.
    Paste,
}

/// A regular expression of a profile.
#[derive(Clone)]
pub struct Pattern {
    /// As it is compiled.
    regex: Regex,
}

impl Pattern {
    /// Compiles `text`.
    ///
    /// # Errors
    /// When it is no regular expression, or one that would grow too large.
    pub fn new(text: &str) -> Result<Self, regex::Error> {
        let regex = RegexBuilder::new(&with_blanks(text))
            .multi_line(true)
            .size_limit(1 << 20)
            .build()?;
        Ok(Self { regex })
    }

    /// The compiled expression.
    pub const fn regex(&self) -> &Regex {
        &self.regex
    }
}

/// A blank outside brackets stands for any blanks, line ends and box strokes.
fn with_blanks(text: &str) -> String {
    const BLANKS: &str = r"[\s│┃]+";
    static RUN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\\.|\[(?:\\.|[^\]\\])*\]| +").ok());
    let Some(run) = RUN.as_ref() else {
        return text.to_owned();
    };
    run.replace_all(text, |found: &regex::Captures<'_>| {
        if found[0].starts_with(' ') {
            BLANKS.to_owned()
        } else {
            found[0].to_owned()
        }
    })
    .into_owned()
}

impl fmt::Debug for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Pattern({:?})", self.regex.as_str())
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::new(&text).map_err(|error| {
            let why = error.to_string();
            let last = why
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            de::Error::custom(format!("`{text}` is no regular expression: {last}"))
        })
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pattern".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "regex",
            "description": "a regular expression; `^` and `$` are the ends of a line, a blank stands for any blanks, line ends and box strokes",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_is_found_across_the_wraps_of_a_box() {
        let pattern = Pattern::new("Do you want to [a-z ]+\\?$").unwrap();
        for text in [
            "Do you want to proceed?",
            "│ Do you   │\n│ want to proceed? │".trim_end_matches(" │"),
        ] {
            assert!(pattern.regex().is_match(text), "{text}");
        }
        assert_eq!(with_blanks(r"a\ b[ c] d"), r"a\ b[ c][\s│┃]+d");
    }
}
