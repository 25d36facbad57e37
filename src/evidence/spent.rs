//! What an agent spends: the tokens and the tool calls of its conversation, counted from Claude Code's transcripts.
//!
//! A transcript is appended while the agent works and may grow to hundreds of megabytes. A [`Meter`] reads it once, a
//! bounded part at each look, and from then on only what is new; it keeps sums, and the last few ids, whatever the
//! length. What an agent's helpers spend stands in files of their own beside it (`SESSION/subagents/*.jsonl`, as seen
//! in 2.1.197) and belongs to it.
//!
//! A message stands in several records, one for each of its blocks, with the same id and the usage of the whole; in a
//! helper's transcript the usage is that of its beginning, so that what a helper wrote is told too low. What the agent
//! asks the model beside its conversation (a title, a summary) stands in no transcript. All of it is text from outside:
//! bounded, and wrong at worst.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::transcript::{blocks, is_error, short, within_deadline};
use crate::host::file::{length, read_from};

/// How much is read at one look, in bytes, of all files together.
const MAX_READ: u64 = 4 * 1024 * 1024;
/// Lines that are longer may be passed over, in bytes.
const MAX_LINE: u64 = MAX_READ / 2;
/// The most helpers whose files are read.
const MAX_HELPERS: usize = 512;
/// How many of the last messages are known by their ids: the records of one stand close together.
const MESSAGES: usize = 64;
/// The same for tool calls.
const CALLS: usize = 256;
/// More tokens than these in one message are taken for a mistake.
const MOST_TOKENS: u64 = 1_000_000_000;

/// What was spent. Sums over the calls of the model, each message counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spent {
    /// Tokens that the model read, neither from the cache nor into it.
    pub input: u64,
    /// Tokens that it read and put into the cache.
    pub cache_created: u64,
    /// Tokens that it read from the cache: the same ones again with every call.
    pub cache_read: u64,
    /// Tokens that it wrote.
    pub output: u64,
    /// Tool calls.
    pub tool_uses: u64,
}

impl Spent {
    /// The figure to show as tokens: what was read for the first time, and what was written. What came from the cache
    /// is no part of it: it is counted again with each call, and would drown the rest.
    pub const fn tokens(&self) -> u64 {
        self.input
            .saturating_add(self.cache_created)
            .saturating_add(self.output)
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cache_created: self.cache_created.saturating_add(other.cache_created),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            output: self.output.saturating_add(other.output),
            tool_uses: self.tool_uses.saturating_add(other.tool_uses),
        }
    }

    /// Of each figure the larger: two counts of the same, of which one may have come less far.
    #[must_use]
    pub fn at_least(self, other: Self) -> Self {
        Self {
            input: self.input.max(other.input),
            cache_created: self.cache_created.max(other.cache_created),
            cache_read: self.cache_read.max(other.cache_read),
            output: self.output.max(other.output),
            tool_uses: self.tool_uses.max(other.tool_uses),
        }
    }

    /// What this has more than `less`, which is nowhere more.
    const fn without(self, less: Self) -> Self {
        Self {
            input: self.input.saturating_sub(less.input),
            cache_created: self.cache_created.saturating_sub(less.cache_created),
            cache_read: self.cache_read.saturating_sub(less.cache_read),
            output: self.output.saturating_sub(less.output),
            tool_uses: self.tool_uses.saturating_sub(less.tool_uses),
        }
    }
}

/// What was spent in one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spending {
    /// The conversation, by the name of its transcript: whoever adds up counts each once.
    pub conversation: String,
    /// What was spent in it so far.
    pub spent: Spent,
}

/// Counts what is spent in one conversation, as far as its transcript was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meter {
    file: PathBuf,
    main: Count,
    helpers: BTreeMap<PathBuf, Arc<Count>>,
    /// More was written than is read at one look.
    is_behind: bool,
}

impl Meter {
    /// What was spent so far; `None` before all was read that had been written, or where there is no transcript.
    pub fn spending(&self) -> Option<Spending> {
        let name = self.file.file_stem()?.to_string_lossy().into_owned();
        let helpers = self.helpers.values().map(|count| count.spent);
        (!self.is_behind).then(|| Spending {
            conversation: name,
            spent: helpers.fold(self.main.spent, Spent::and),
        })
    }

    /// Reads on in the transcript `path`, where `self` ended; another one is read from its beginning.
    fn read_on(&self, path: &Path) -> io::Result<Self> {
        let mut now = if self.file == path {
            self.clone()
        } else {
            Self {
                file: path.to_owned(),
                ..Self::default()
            }
        };
        let mut left = MAX_READ;
        now.is_behind = !now.main.read_on(path, &mut left)?;
        for helper in helpers(path) {
            let known = now.helpers.get(&helper);
            if known.is_none() && now.helpers.len() >= MAX_HELPERS {
                continue;
            }
            let mut count = known.map(|count| Count::clone(count)).unwrap_or_default();
            let before = count.read_to;
            // one that is gone again has been counted
            now.is_behind |= count.read_on(&helper, &mut left).is_ok_and(|all| !all);
            if count.read_to != before || known.is_none() {
                now.helpers.insert(helper, Arc::new(count));
            }
        }
        Ok(now)
    }
}

/// Reads on in the transcript `path` from where `earlier` ended. What cannot be read now is read later.
pub async fn read_on(path: &Path, earlier: &Arc<Meter>) -> Arc<Meter> {
    let (path, from) = (path.to_owned(), Arc::clone(earlier));
    let read = within_deadline(move || Ok(from.read_on(&path))).await;
    match read {
        Ok(Ok(now)) if now != **earlier => Arc::new(now),
        _ => Arc::clone(earlier),
    }
}

/// The transcripts of the helpers of a conversation.
fn helpers(path: &Path) -> Vec<PathBuf> {
    let Ok(files) = std::fs::read_dir(path.with_extension("").join("subagents")) else {
        return Vec::new();
    };
    let files = files
        .take(MAX_HELPERS * 4)
        .flatten()
        .map(|file| file.path());
    files
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect()
}

/// The count of one file.
#[derive(Debug, Clone, Default, PartialEq)]
struct Count {
    /// Up to where it was read, in bytes.
    read_to: u64,
    /// That is within a line too long to be read.
    is_within: bool,
    spent: Spent,
    /// The last messages, with what each has spent.
    messages: VecDeque<(String, Spent)>,
    /// The last tool calls.
    calls: VecDeque<String>,
}

impl Count {
    /// Reads at most `left` bytes more, and takes them off. Whether that was all there is.
    fn read_on(&mut self, path: &Path, left: &mut u64) -> io::Result<bool> {
        let length = length(path)?;
        if length < self.read_to {
            // it was written anew
            *self = Self::default();
        }
        if length == self.read_to {
            return Ok(true);
        }
        let bound = *left;
        let part = read_from(path, self.read_to, bound)?;
        let read = part.bytes.len() as u64;
        *left -= read;
        let Some(end) = part.bytes.iter().rposition(|byte| *byte == b'\n') else {
            if read >= MAX_LINE {
                self.is_within = true;
                self.read_to += read;
            }
            return Ok(read < bound);
        };
        let lines = part.bytes[..end].split(|byte| *byte == b'\n');
        for line in lines.skip(usize::from(self.is_within)) {
            self.take(line);
        }
        self.is_within = false;
        self.read_to += end as u64 + 1;
        Ok(read < bound)
    }

    fn take(&mut self, line: &[u8]) {
        /// As much of a record as tells whether it counts: most of a transcript does not.
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(borrow, rename = "type")]
            kind: Cow<'a, str>,
        }
        let head = serde_json::from_slice::<Head<'_>>(line);
        if !head.is_ok_and(|head| head.kind == "assistant") {
            return;
        }
        let Ok(record) = serde_json::from_slice::<Value>(line) else {
            return;
        };
        // what a branch has in common with the conversation that it came from was spent there
        if is_error(&record) || record["forkedFrom"].is_object() {
            return;
        }
        self.take_usage(&record);
        for call in blocks(&record, "tool_use") {
            if let Some(id) = short(&call["id"])
                && !self.calls.contains(&id)
            {
                self.spent.tool_uses = self.spent.tool_uses.saturating_add(1);
                keep(&mut self.calls, id, CALLS);
            }
        }
    }

    fn take_usage(&mut self, record: &Value) {
        let message = &record["message"];
        let Some(id) = short(&message["id"]).or_else(|| short(&record["uuid"])) else {
            return;
        };
        let usage = &message["usage"];
        let count = |name: &str| {
            let tokens = usage[name].as_u64();
            tokens.filter(|tokens| *tokens < MOST_TOKENS).unwrap_or(0)
        };
        let said = Spent {
            input: count("input_tokens"),
            cache_created: count("cache_creation_input_tokens"),
            cache_read: count("cache_read_input_tokens"),
            output: count("output_tokens"),
            tool_uses: 0,
        };
        // the records of one message may tell more and more of it
        let known = self.messages.iter_mut().find(|(known, _)| *known == id);
        if let Some((_, known)) = known {
            let more = known.at_least(said);
            self.spent = self.spent.and(more.without(*known));
            *known = more;
        } else {
            self.spent = self.spent.and(said);
            keep(&mut self.messages, (id, said), MESSAGES);
        }
    }
}

fn keep<T>(last: &mut VecDeque<T>, one: T, most: usize) {
    if last.len() >= most {
        last.pop_front();
    }
    last.push_back(one);
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the files of the tests")]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Real transcripts of Claude Code 2.1.197.
    const TURNS: &str = include_str!("../../tests/evidence/claude-2.1.197/turns.jsonl");
    const FULL: &str = include_str!("../../tests/evidence/claude-2.1.197/context-full.jsonl");
    const HELPER: &str = include_str!("../../tests/evidence/claude-2.1.197/subagent.jsonl");

    struct Case {
        folder: tempfile::TempDir,
        meter: Meter,
    }

    impl Case {
        fn new() -> Self {
            Self {
                folder: tempfile::tempdir().unwrap(),
                meter: Meter::default(),
            }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("a.jsonl")
        }

        fn write(&self, file: &str, text: &str) {
            let path = self.folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn look(&mut self) -> Option<Spent> {
            self.meter = self.meter.read_on(&self.path()).unwrap();
            self.meter.spending().map(|it| it.spent)
        }
    }

    fn spent(of: [u64; 5]) -> Spent {
        let [input, cache_created, cache_read, output, tool_uses] = of;
        Spent {
            input,
            cache_created,
            cache_read,
            output,
            tool_uses,
        }
    }

    fn message(id: &str, output: u64, calls: &[&str]) -> String {
        let calls: Vec<Value> = calls
            .iter()
            .map(|id| json!({"type": "tool_use", "id": id, "name": "Bash", "input": {}}))
            .collect();
        let usage = json!({"input_tokens": 1, "cache_creation_input_tokens": 10,
            "cache_read_input_tokens": 1000, "output_tokens": output});
        let record = json!({"type": "assistant", "uuid": format!("u-{id}"),
            "message": {"id": id, "role": "assistant", "content": calls, "usage": usage}});
        format!("{record}\n")
    }

    #[test]
    fn real_conversations_are_counted_with_each_message_and_each_call_once() {
        let mut turns = Case::new();
        turns.write("a.jsonl", TURNS);
        // eight messages of 1200 tokens in and 42 out; the error has none
        assert_eq!(turns.look(), Some(spent([9600, 0, 0, 336, 3])));
        let mut full = Case::new();
        full.write("a.jsonl", FULL);
        let main = spent([2414, 2000, 100_000, 726, 3]);
        assert_eq!(full.look(), Some(main));
        assert_eq!(main.tokens(), 5140);
        // of a helper the beginning of an answer alone is told: 3 tokens instead of 321
        full.write("a/subagents/agent-1.jsonl", HELPER);
        full.write("a/subagents/agent-1.meta.json", "{}");
        let helper = spent([1207, 1000, 50_000, 45, 2]);
        assert_eq!(full.look(), Some(main.and(helper)));
        assert_eq!(full.look(), Some(main.and(helper)), "nothing new");
        let conversation = full.meter.spending().unwrap().conversation;
        assert_eq!(conversation, "a");
    }

    #[test]
    fn only_what_is_new_is_read_however_it_comes() {
        let mut case = Case::new();
        let whole = message("m", 3, &["a"]) + &message("m", 90, &["b"]) + &message("m", 5, &["a"]);
        for piece in whole.as_bytes().chunks(7) {
            case.write("a.jsonl", std::str::from_utf8(piece).unwrap());
            case.look();
        }
        let one = spent([1, 10, 1000, 90, 2]);
        assert_eq!(case.look(), Some(one));
        assert_eq!(case.meter.main.read_to, whole.len() as u64);
        // another conversation is counted from its beginning, and one that was written anew too
        let other = case.folder.path().join("b.jsonl");
        std::fs::write(&other, message("n", 1, &[])).unwrap();
        case.meter = case.meter.read_on(&other).unwrap();
        let spending = case.meter.spending().unwrap();
        assert_eq!(spending.conversation, "b");
        assert_eq!(spending.spent, spent([1, 10, 1000, 1, 0]));
        std::fs::write(case.path(), &whole).unwrap();
        assert_eq!(case.look(), Some(one));
        std::fs::write(case.path(), message("n", 1, &[])).unwrap();
        assert_eq!(case.look(), Some(spent([1, 10, 1000, 1, 0])));
    }

    #[test]
    fn a_long_transcript_is_read_part_by_part_and_told_when_all_of_it_is_read() {
        let mut case = Case::new();
        let filler = json!({"type": "user", "message": {"content": "x".repeat(100_000)}});
        let filler = format!("{filler}\n");
        let too_long = json!({"type": "user", "message": {"content": "y".repeat(9_000_000)}});
        let mut text = String::new();
        for number in 0..100 {
            text += &filler;
            text += &message(&format!("m{number}"), 2, &[&format!("c{number}")]);
        }
        text += &too_long.to_string();
        text += "\n";
        text += &message("last", 2, &[]);
        case.write("a.jsonl", &text);
        let mut looks = 1;
        let end = loop {
            match case.look() {
                Some(end) => break end,
                None => looks += 1,
            }
            assert!(looks < 20);
        };
        assert_eq!(end, spent([101, 1010, 101_000, 202, 100]));
        assert!(looks >= 5, "{looks} looks at {} bytes", text.len());
        // what is kept does not grow with it
        assert_eq!(case.meter.main.messages.len(), MESSAGES);
        assert!(case.meter.main.calls.len() <= CALLS);
    }

    #[test]
    fn errors_branches_and_what_is_no_usage_count_nothing() {
        let mut case = Case::new();
        let text = message("m", 7, &["a"]);
        let mut record: Value = serde_json::from_str(&text).unwrap();
        record["isApiErrorMessage"] = json!(true);
        case.write("a.jsonl", &format!("{record}\n"));
        record["isApiErrorMessage"] = json!(false);
        record["forkedFrom"] = json!({"sessionId": "s", "messageUuid": "u"});
        case.write("a.jsonl", &format!("{record}\n"));
        for usage in [json!(null), json!("much"), json!({"output_tokens": -3})] {
            let record = json!({"type": "assistant", "uuid": "x", "message": {"usage": usage}});
            case.write("a.jsonl", &format!("{record}\n"));
        }
        let absurd = json!({"type": "assistant", "message": {"id": "z",
            "usage": {"output_tokens": u64::MAX, "input_tokens": 1e300}}});
        case.write("a.jsonl", &format!("{absurd}\nno json\n[]\n{{}}\n"));
        assert_eq!(case.look(), Some(Spent::default()));
    }

    #[tokio::test]
    async fn what_cannot_be_read_leaves_the_count_as_it_was() {
        let case = Case::new();
        let nothing = Arc::new(Meter::default());
        assert_eq!(nothing.spending(), None);
        let read = read_on(&case.path(), &nothing).await;
        assert!(Arc::ptr_eq(&read, &nothing));
        case.write("a.jsonl", &message("m", 7, &["a"]));
        let read = read_on(&case.path(), &nothing).await;
        let same = read_on(&case.path(), &read).await;
        assert!(Arc::ptr_eq(&read, &same), "it has not grown");
        std::fs::remove_file(case.path()).unwrap();
        let gone = read_on(&case.path(), &read).await;
        assert_eq!(gone.spending().unwrap().spent, spent([1, 10, 1000, 7, 1]));
    }

    proptest! {
        #[test]
        fn a_real_transcript_in_any_pieces_gives_the_same(
            cuts in prop::collection::vec(0..FULL.len(), 0..6)
        ) {
            let mut cuts = cuts;
            cuts.extend([0, FULL.len()]);
            cuts.sort_unstable();
            let mut case = Case::new();
            for pair in cuts.windows(2) {
                let path = case.path();
                let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
                file.write_all(&FULL.as_bytes()[pair[0]..pair[1]]).unwrap();
                case.look();
            }
            prop_assert_eq!(case.look(), Some(spent([2414, 2000, 100_000, 726, 3])));
        }
    }
}
