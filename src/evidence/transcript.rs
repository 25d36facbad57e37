//! Claude Code's transcript: what was said and done, of which the last part is read.
//!
//! A transcript is JSON, a record a line, appended while the agent works (as seen in 2.1.197 and 2.1.329).
//! Its end says whether the turn has ended, which tool call waits for its result (the whole command behind a
//! dialog that the screen cuts), how many tokens the newest call took, and whether it ended at a limit; and
//! a new record with exactly our text is the proof of a nudge. The records of subagents are passed over.
//!
//! All of it is text from outside: bounded, and wrong at worst, for the agent writes it. It never permits
//! typing by itself: [`super::ladder`] only takes from what the screen says.

mod failed;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::host::file::{Part, length, read_from, read_tail};
use crate::screen::change::squash;

pub use failed::RateLimit;
pub(super) use failed::is_error;
use failed::{is_compaction, is_context_full, is_rate_limit};

use super::registry::Missing;
use super::words;

/// How much of the end of a transcript is read, in bytes: first the one, and the other only where that shows
/// nothing of the conversation (a picture in a tool's result is long).
const TAILS: [u64; 2] = [512 * 1024, 4 * 1024 * 1024];
/// Lines that are longer are passed over, in bytes.
const MAX_LINE: usize = 1024 * 1024;
/// How much is read from a mark on to find our own text, in bytes: it comes first.
const MAX_SINCE: u64 = 1024 * 1024;
/// The most that is kept of a text for people, in characters.
const MAX_TEXT: usize = 4000;
/// The most pending tool calls that are kept.
const MAX_PENDING: usize = 32;
/// How long a look may take: the folder may be on a disk that does not answer.
const DEADLINE: Duration = Duration::from_secs(2);

/// The end of a transcript.
#[derive(Debug, Clone, PartialEq)]
pub struct Tail {
    /// How far it had grown.
    pub mark: Mark,
    /// The newest record of the conversation.
    pub last: LastRecord,
    /// Whether the agent's turn has ended, or was broken off.
    pub turn_ended: bool,
    /// The tokens of the newest call of the model: what it read, cached or not, and what it wrote.
    pub tokens_used: Option<u64>,
    /// The newest call ended at a limit, and nobody has spoken since.
    pub rate_limit: Option<RateLimit>,
    /// The newest call failed, and nobody has spoken since: what the agent says of it. Also at a limit.
    pub failure: Option<String>,
    /// The newest call failed because the conversation fills the model's context, and nothing has made room since.
    pub context_full: bool,
    /// The tool calls of the newest message that have no result yet, in its order.
    pub pending_tools: Vec<PendingTool>,
}

/// A point in a transcript, to tell later what is new since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The transcript; `/clear` begins another.
    pub file: PathBuf,
    /// Where its last whole line ended, in bytes.
    pub length: u64,
    /// The id of its newest record of the conversation.
    pub record: Option<String>,
    /// The id of its newest answer of the model that was no error.
    pub answer: Option<String>,
    /// The id of its newest result of a tool.
    pub tool: Option<String>,
}

impl Mark {
    /// Whether the model has answered since `earlier`: an error, or our own text, is no answer.
    pub fn has_answer_since(&self, earlier: &Self) -> bool {
        self.answer.is_some() && self.answer != earlier.answer
    }

    /// Whether a tool has been used since `earlier`: words alone are no work.
    pub fn has_work_since(&self, earlier: &Self) -> bool {
        self.tool.is_some() && self.tool != earlier.tool
    }
}

/// The newest record of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRecord {
    /// Who speaks in it.
    pub kind: RecordKind,
    /// Its id.
    pub id: Option<String>,
    /// When it was written, by the agent's clock.
    pub at: Option<DateTime<Utc>>,
    /// Its text, at most 4000 characters; empty for a tool's call or result.
    pub text: String,
}

/// Who speaks in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// A person, or whoever types.
    User,
    /// The model.
    Assistant,
    /// A tool, with its result.
    ToolResult,
    /// The agent, where it notes the end of a turn.
    TurnEnd,
}

/// A tool call without its result: it runs, or waits for a yes.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingTool {
    /// The tool, like `Bash` or `Write`.
    pub name: String,
    /// The whole command, as it would be run; `None` for another tool.
    pub command: Option<String>,
    /// The file or folder that it is about.
    pub path: Option<PathBuf>,
    /// All that it was called with.
    pub input: Value,
}

impl PendingTool {
    /// Whether `shown`, the command as a dialog shows it, may be the beginning of this one: the screen folds
    /// lines anywhere and cuts what is long.
    ///
    /// A dialog may be a subagent's while another call of the conversation runs, so a command counts as the
    /// one behind a dialog only if this holds.
    pub fn is_shown_as(&self, shown: &str) -> bool {
        let shown = squash(shown);
        let shown = shown.strip_suffix('…').unwrap_or(&shown);
        let command = self.command.as_deref().map(squash);
        !shown.is_empty() && command.is_some_and(|command| command.starts_with(shown))
    }
}

impl Mark {
    /// Before a transcript was begun: all of it is new.
    pub fn nothing() -> Self {
        Self {
            file: PathBuf::new(),
            length: 0,
            record: None,
            answer: None,
            tool: None,
        }
    }
}

impl Tail {
    /// The tool call that waits, where there is exactly one: among several it is not known which of them a
    /// dialog is about.
    pub fn pending_tool(&self) -> Option<&PendingTool> {
        match self.pending_tools.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// How a text of ours came into a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arrival {
    /// It was sent together with something else, which somebody typed at the same moment.
    Mixed,
    /// It waits behind the turn that runs.
    Queued,
    /// It is the newest word of the conversation's user.
    Taken,
}

/// Reads the end of the transcript `path`, unless it is as long as it was when `earlier` was read.
///
/// # Errors
/// When it cannot be read in time, or nothing of a conversation is to be seen there.
pub async fn tail(path: &Path, earlier: Option<&Arc<Tail>>) -> Result<Arc<Tail>, Missing> {
    let earlier = earlier.filter(|tail| tail.mark.file == path).cloned();
    let path = path.to_owned();
    within_deadline(move || {
        let length = length(&path).map_err(|error| unreadable(&error))?;
        if let Some(earlier) = earlier.filter(|tail| tail.mark.length == length) {
            return Ok(earlier);
        }
        for bound in TAILS {
            let part = read_tail(&path, bound).map_err(|error| unreadable(&error))?;
            let whole = part.begins == 0;
            if let Some(tail) = tail_of(&part, &path) {
                return Ok(Arc::new(tail));
            }
            if whole {
                return Err(Missing::new("the transcript holds no conversation yet"));
            }
        }
        Err(Missing::new(
            "the end of the transcript is too long to be read",
        ))
    })
    .await
}

/// Whether, since `mark`, a new record of the user with `text` has appeared: see [`user_record_in`].
///
/// If the transcript is another one than that of the mark, all of it is new.
///
/// # Errors
/// When it cannot be read in time.
pub async fn user_record_since(
    path: &Path,
    mark: &Mark,
    text: &str,
) -> Result<Option<Arrival>, Missing> {
    let begins = if path == mark.file { mark.length } else { 0 };
    let (path, text) = (path.to_owned(), text.to_owned());
    within_deadline(move || {
        let part = read_from(&path, begins, MAX_SINCE).map_err(|error| unreadable(&error))?;
        Ok(user_record_in(&part.bytes, &text))
    })
    .await
}

/// Whether `lines`, which begin at the beginning of a line, hold a record of the user with `text`: exactly, but for
/// blanks, or with something else.
pub fn user_record_in(lines: &[u8], text: &str) -> Option<Arrival> {
    let text = squash(text);
    if text.is_empty() {
        return None;
    }
    let arrivals = records(lines).filter_map(|record| {
        let (arrival, said) = if kind(&record) == "queue-operation" {
            let enqueued = record["operation"] == "enqueue";
            (
                Arrival::Queued,
                record["content"].as_str().filter(|_| enqueued)?.to_owned(),
            )
        } else {
            let spoken = kind(&record) == "user" && is_main(&record) && record["isMeta"] != true;
            (Arrival::Taken, text_of(&record).filter(|_| spoken)?)
        };
        let said = squash(&said);
        let mixed = said.starts_with(&text) || said.ends_with(&text);
        let exact = (said == text).then_some(arrival);
        exact.or_else(|| mixed.then_some(Arrival::Mixed))
    });
    arrivals.max()
}

pub(super) async fn within_deadline<T: Send + 'static>(
    look: impl FnOnce() -> Result<T, Missing> + Send + 'static,
) -> Result<T, Missing> {
    match tokio::time::timeout(DEADLINE, tokio::task::spawn_blocking(look)).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) => Err(Missing::new("the look at the transcript broke off")),
        Err(_) => Err(Missing::new("the transcript could not be read in time")),
    }
}

fn unreadable(error: &std::io::Error) -> Missing {
    Missing::new(format!("the transcript cannot be read: {error}"))
}

/// The records of whole lines; the last line, if it does not end, is still being written.
fn records(lines: &[u8]) -> impl DoubleEndedIterator<Item = Value> {
    let end = lines.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    lines[..end]
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty() && line.len() <= MAX_LINE)
        .filter_map(|line| serde_json::from_slice(line).ok())
        .filter(Value::is_object)
}

fn kind(record: &Value) -> &str {
    record["type"].as_str().unwrap_or_default()
}

/// Whether it is of the conversation itself, and not of a subagent.
fn is_main(record: &Value) -> bool {
    record["isSidechain"] != true
}

/// The text of a record, without tool calls and results; `None` where there is no text.
fn text_of(record: &Value) -> Option<String> {
    match &record["message"]["content"] {
        Value::String(text) => Some(text.clone()),
        Value::Array(blocks) => {
            let texts: Vec<&str> = blocks
                .iter()
                .filter(|block| block["type"] == "text")
                .filter_map(|block| block["text"].as_str())
                .collect();
            (!texts.is_empty()).then(|| texts.join("\n"))
        }
        _ => None,
    }
}

/// The blocks of one type in a record.
pub(super) fn blocks<'a>(record: &'a Value, of: &'static str) -> impl Iterator<Item = &'a Value> {
    let blocks = record["message"]["content"].as_array();
    blocks
        .into_iter()
        .flatten()
        .filter(move |block| block["type"] == of)
}

pub(super) fn short(value: &Value) -> Option<String> {
    let text = words(value.as_str()?, 120);
    (!text.is_empty()).then_some(text)
}

fn time_of(record: &Value) -> Option<DateTime<Utc>> {
    record["timestamp"].as_str()?.parse().ok()
}

/// What a record is in the conversation; `None` for what does not belong to it.
fn role(record: &Value) -> Option<RecordKind> {
    if !is_main(record) || record["isMeta"] == true {
        return None;
    }
    match kind(record) {
        "assistant" => Some(RecordKind::Assistant),
        "system" if record["subtype"] == "turn_duration" => Some(RecordKind::TurnEnd),
        "user" if blocks(record, "tool_result").next().is_some() => Some(RecordKind::ToolResult),
        "user" if record["isCompactSummary"] == true => None,
        "user" => Some(RecordKind::User).filter(|_| !is_local(record)),
        _ => None,
    }
}

/// A command that the agent ran by itself (`/clear`, `!ls`), with what it said: no turn belongs to it.
fn is_local(record: &Value) -> bool {
    let text = text_of(record).unwrap_or_default();
    [
        "<command-name>",
        "<local-command-",
        "<bash-input>",
        "<bash-stdout>",
    ]
    .iter()
    .any(|mark| text.starts_with(mark))
}

/// What a part of a transcript says; `None` if nothing of a conversation is in it.
fn tail_of(part: &Part, path: &Path) -> Option<Tail> {
    // the first line is torn unless the file begins with it
    let torn = if part.begins == 0 {
        0
    } else {
        part.bytes.iter().position(|byte| *byte == b'\n')? + 1
    };
    let lines = &part.bytes[torn..];
    let ended = part.bytes.iter().rposition(|byte| *byte == b'\n')? + 1;
    let mut talk: Vec<(RecordKind, Value)> = Vec::new();
    // of the records before it, a summary has taken the place
    let mut compacted = 0;
    for record in records(lines) {
        if let Some(role) = role(&record) {
            talk.push((role, record));
        } else if is_compaction(&record) {
            compacted = talk.len();
        }
    }
    let (last_kind, last) = talk.last()?;
    let spoken = talk
        .iter()
        .rposition(|(kind, _)| *kind != RecordKind::TurnEnd)
        .filter(|at| is_error(&talk[*at].1));
    let failed = spoken.map(|at| &talk[at].1);
    let has_no_room = spoken.is_some_and(|at| at >= compacted && is_context_full(&talk[at].1));
    let failure = failed.map(|record| words(&text_of(record).unwrap_or_default(), MAX_TEXT));
    let answer = talk
        .iter()
        .rfind(|(kind, record)| *kind == RecordKind::Assistant && !is_error(record))
        .map(|(_, record)| record);
    let tool = talk
        .iter()
        .rfind(|(kind, _)| *kind == RecordKind::ToolResult)
        .and_then(|(_, record)| short(&record["uuid"]));
    Some(Tail {
        mark: Mark {
            file: path.to_owned(),
            length: part.begins + ended as u64,
            record: short(&last["uuid"]),
            answer: answer.and_then(|record| short(&record["uuid"])),
            tool,
        },
        last: LastRecord {
            kind: *last_kind,
            id: short(&last["uuid"]),
            at: time_of(last),
            text: words(&text_of(last).unwrap_or_default(), MAX_TEXT),
        },
        turn_ended: has_ended(*last_kind, last),
        tokens_used: answer.and_then(tokens_of),
        rate_limit: failed
            .filter(|record| is_rate_limit(record))
            .map(|record| RateLimit {
                text: failure.clone().unwrap_or_default(),
                at: time_of(record),
            }),
        failure,
        context_full: has_no_room,
        pending_tools: pending(&talk),
    })
}

/// Whether a turn has ended with this record.
fn has_ended(kind: RecordKind, record: &Value) -> bool {
    match kind {
        RecordKind::TurnEnd => true,
        // noted where a person breaks a turn off
        RecordKind::User => {
            text_of(record).is_some_and(|text| text.starts_with("[Request interrupted by user"))
        }
        RecordKind::Assistant => {
            let reason = record["message"]["stop_reason"].as_str();
            is_error(record) || matches!(reason, Some("end_turn" | "stop_sequence" | "refusal"))
        }
        RecordKind::ToolResult => false,
    }
}

fn tokens_of(record: &Value) -> Option<u64> {
    let usage = record["message"]["usage"].as_object()?;
    let names = [
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
    ];
    let counts = names.iter().filter_map(|name| usage.get(*name)?.as_u64());
    Some(counts.fold(0, u64::saturating_add))
}

/// The tool calls of the newest message without a result. A message may stand in several records, one for
/// each call.
fn pending(talk: &[(RecordKind, Value)]) -> Vec<PendingTool> {
    let Some(newest) = talk
        .iter()
        .rposition(|(kind, _)| *kind == RecordKind::Assistant)
    else {
        return Vec::new();
    };
    // whoever speaks after a call has broken it off
    let spoken = |kind: &RecordKind| matches!(kind, RecordKind::User | RecordKind::TurnEnd);
    if talk[newest..].iter().any(|(kind, _)| spoken(kind)) {
        return Vec::new();
    }
    let message = &talk[newest].1["message"]["id"];
    let answered = |id: &Value| {
        talk.iter()
            .flat_map(|(_, record)| blocks(record, "tool_result"))
            .any(|result| result["tool_use_id"] == *id)
    };
    let same = |(kind, record): &&(RecordKind, Value)| {
        *kind == RecordKind::Assistant && record["message"]["id"] == *message
    };
    talk.iter()
        .filter(same)
        .flat_map(|(_, record)| blocks(record, "tool_use"))
        .filter(|call| !answered(&call["id"]))
        .take(MAX_PENDING)
        .map(|call| {
            let input = &call["input"];
            let path = ["file_path", "notebook_path", "path"]
                .iter()
                .find_map(|name| input[*name].as_str());
            PendingTool {
                name: short(&call["name"]).unwrap_or_default(),
                command: input["command"].as_str().map(str::to_owned),
                path: path.map(PathBuf::from),
                input: input.clone(),
            }
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the files of the tests")]
mod tests;
