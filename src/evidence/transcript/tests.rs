//! What is read from the end of a transcript: real ones, and torn, long and hostile ones.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Real transcripts of Claude Code 2.1.197, without the attachments that list its tools.
const TURNS: &str = include_str!("../../../tests/evidence/claude-2.1.197/turns.jsonl");
const LOCAL: &str = include_str!("../../../tests/evidence/claude-2.1.197/local-commands.jsonl");

/// What the first `lines` of a transcript say.
fn after(transcript: &str, lines: usize) -> Tail {
    let text: String = transcript.split_inclusive('\n').take(lines).collect();
    seen(&text).unwrap()
}

fn seen(text: &str) -> Option<Tail> {
    seen_from(0, text)
}

fn seen_from(begins: u64, text: &str) -> Option<Tail> {
    let bytes = text.as_bytes().to_vec();
    tail_of(&Part { begins, bytes }, Path::new("/t.jsonl"))
}

fn line(record: &Value) -> String {
    format!("{record}\n")
}

fn says(text: &str) -> Value {
    json!({"type": "user", "uuid": "u", "message": {"role": "user", "content": text}})
}

fn calls(message: &str, id: &str, input: &Value) -> Value {
    let call = json!({"type": "tool_use", "id": id, "name": "Bash", "input": input});
    json!({"type": "assistant", "uuid": id, "message": {"id": message, "role": "assistant",
        "stop_reason": "tool_use", "content": [call]}})
}

fn result_of(id: &str) -> Value {
    let result = json!({"type": "tool_result", "tool_use_id": id, "content": "ok"});
    json!({"type": "user", "message": {"role": "user", "content": [result]}})
}

#[test]
fn the_end_of_a_real_transcript_tells_whether_the_turn_has_ended() {
    use RecordKind::{Assistant, ToolResult, TurnEnd, User};
    let cases = [
        (TURNS, 4, User, false, "SLOW 8"),
        (TURNS, 6, User, false, "SLOW 8"),
        (TURNS, 8, TurnEnd, true, ""),
        (TURNS, 10, User, false, "queued text here"),
        (TURNS, 15, Assistant, false, ""),
        (TURNS, 16, ToolResult, false, ""),
        (
            TURNS,
            17,
            User,
            true,
            "[Request interrupted by user for tool use]",
        ),
        // a help panel belongs to no turn
        (
            TURNS,
            28,
            User,
            true,
            "[Request interrupted by user for tool use]",
        ),
        (
            TURNS,
            44,
            Assistant,
            true,
            "API Error: Request rejected (429) · This request would exceed your account's rate limit",
        ),
        (TURNS, 45, TurnEnd, true, ""),
        (LOCAL, 7, User, false, "hello after clear"),
        // neither does a command of the person's own
        (LOCAL, 15, TurnEnd, true, ""),
        (LOCAL, 22, User, true, "[Request interrupted by user]"),
    ];
    for (transcript, lines, kind, ended, text) in cases {
        let tail = after(transcript, lines);
        assert_eq!(
            (tail.last.kind, tail.last.text.as_str()),
            (kind, text),
            "{lines}"
        );
        assert_eq!(tail.turn_ended, ended, "{lines}");
    }
    assert_eq!(
        seen(&LOCAL.split_inclusive('\n').take(6).collect::<String>()),
        None
    );
}

#[test]
fn the_call_behind_a_dialog_is_known_whole() {
    let bash = after(TURNS, 15);
    let call = bash.pending_tool().unwrap();
    assert_eq!(call.name, "Bash");
    let command = "touch /srv/lab/proj/x && echo 'a b' | tee y";
    assert_eq!(call.command.as_deref(), Some(command));
    assert_eq!(call.input["description"], "Run it");
    let write = after(TURNS, 24);
    let call = write.pending_tool().unwrap();
    assert_eq!(call.name, "Write");
    assert_eq!(
        (call.command.as_deref(), call.path.as_deref()),
        (None, Some(Path::new("new.txt")))
    );
    assert_eq!(
        after(TURNS, 35).pending_tool().unwrap().name,
        "AskUserQuestion"
    );
    for lines in [4, 7, 8, 14, 16, 17, 19, 36, 45] {
        assert_eq!(after(TURNS, lines).pending_tools, [], "{lines}");
    }
}

#[test]
fn among_several_calls_none_is_taken_for_the_one_behind_a_dialog() {
    let call = |id: &str| line(&calls("m", id, &json!({"command": id})));
    let both = call("a") + &call("b");
    let tail = seen(&both).unwrap();
    assert_eq!(tail.pending_tools.len(), 2);
    assert_eq!(tail.pending_tool(), None);
    // one of them has its result, between or behind the calls
    for text in [
        both.clone() + &line(&result_of("a")),
        call("a") + &line(&result_of("a")) + &call("b"),
    ] {
        let tail = seen(&text).unwrap();
        assert_eq!(tail.pending_tool().unwrap().command.as_deref(), Some("b"));
    }
    // a word of the person's breaks it off, and an older message has none that waits
    assert_eq!(
        seen(&(both.clone() + &line(&says("no"))))
            .unwrap()
            .pending_tools,
        []
    );
    let newer = both + &line(&calls("n", "c", &json!({"command": "c"})));
    assert_eq!(
        seen(&newer)
            .unwrap()
            .pending_tool()
            .unwrap()
            .command
            .as_deref(),
        Some("c")
    );
}

#[test]
fn a_command_is_the_one_behind_a_dialog_only_if_it_begins_as_shown() {
    let tail = after(TURNS, 15);
    let call = tail.pending_tool().unwrap();
    for shown in [
        "touch /srv/lab/proj/x && echo 'a b' | tee y",
        "touch /srv/lab/pro\n   j/x && echo 'a\n   b' | tee y",
        "touch /srv/lab/proj/x && ec…",
    ] {
        assert!(call.is_shown_as(shown), "{shown}");
    }
    for shown in [
        "",
        "…",
        "rm x",
        "touch /srv/lab/proj/x && echo 'a b' | tee y z",
    ] {
        assert!(!call.is_shown_as(shown), "{shown}");
    }
    let write = after(TURNS, 24);
    assert!(!write.pending_tool().unwrap().is_shown_as("new.txt"));
}

#[test]
fn tokens_limits_and_failures_are_those_of_the_newest_call() {
    assert_eq!(after(TURNS, 8).tokens_used, Some(1242));
    assert_eq!(after(TURNS, 4).tokens_used, None);
    let failed = after(TURNS, 45);
    assert_eq!(
        failed.tokens_used,
        Some(1242),
        "an error has no tokens of its own"
    );
    let limit = failed.rate_limit.unwrap();
    assert!(limit.text.starts_with("API Error: Request rejected (429)"));
    assert!(!limit.is_of_plan());
    assert_eq!(
        limit.at.unwrap().to_rfc3339(),
        "2026-11-21T06:32:24.066+00:00"
    );
    assert_eq!(failed.failure.as_deref(), Some(limit.text.as_str()));
    // once somebody has spoken it is over
    let later = TURNS.to_owned() + &line(&says("again"));
    let later = seen(&later).unwrap();
    assert_eq!((later.rate_limit, later.failure), (None, None));
}

#[test]
fn only_what_the_agent_marks_as_a_limit_is_one() {
    let said = "You've hit your limit · resets 3:21am (UTC)";
    let record = |marks: &Value| {
        let mut record = json!({"type": "assistant", "uuid": "a", "message": {"role": "assistant",
            "content": [{"type": "text", "text": said}], "stop_reason": "stop_sequence"}});
        for (name, value) in marks.as_object().unwrap() {
            record[name] = value.clone();
        }
        seen(&line(&record)).unwrap()
    };
    let limit =
        record(&json!({"isApiErrorMessage": true, "error": "rate_limit", "apiErrorStatus": 429}));
    assert!(limit.rate_limit.unwrap().is_of_plan());
    // the control: the same words in an answer, or in another error
    assert_eq!(record(&json!({})).rate_limit, None);
    assert_eq!(
        record(&json!({"error": "rate_limit", "apiErrorStatus": 429})).rate_limit,
        None
    );
    let other =
        record(&json!({"isApiErrorMessage": true, "error": "server_error", "apiErrorStatus": 529}));
    assert_eq!(other.rate_limit, None);
    assert_eq!(other.failure.as_deref(), Some(said));
}

#[test]
fn a_full_context_is_told_by_the_error_alone_and_until_somebody_speaks_or_it_is_summed_up() {
    let full = include_str!("../../../tests/evidence/claude-2.1.197/context-full.jsonl");
    let lines = full.lines().count();
    assert!(after(full, lines).context_full);
    assert!(after(full, lines - 1).context_full, "before the turn's end");
    assert!(!after(full, lines - 2).context_full, "before the error");
    let then = |record: &Value| seen(&(full.to_owned() + &line(record))).unwrap();
    let boundary = json!({"type": "system", "subtype": "compact_boundary", "uuid": "c"});
    assert!(!then(&boundary).context_full, "there is room again");
    assert!(!then(&says("go on")).context_full);
    let answer = json!({"type": "assistant", "uuid": "a", "message": {"role": "assistant",
        "content": [{"type": "text", "text": "Done."}], "stop_reason": "end_turn"}});
    assert!(!then(&answer).context_full);

    let said = |text: &str, marks: &[(&str, Value)]| {
        let mut record = json!({"type": "assistant", "uuid": "a", "message": {"role": "assistant",
            "content": [{"type": "text", "text": text}], "stop_reason": "stop_sequence"}});
        for (name, value) in marks {
            record[*name] = value.clone();
        }
        seen(&line(&record)).unwrap().context_full
    };
    let error = ("isApiErrorMessage", json!(true));
    let texts = [
        "Prompt is too long",
        "Prompt is too long · this conversation is a single exchange and cannot be compacted",
        "Autocompact is thrashing: the context refilled to the limit within 3 turns of the previous compact",
        "API Error: The model has reached its context window limit.",
    ];
    for text in texts {
        assert!(said(text, std::slice::from_ref(&error)), "{text}");
        // the control: the same words of the model's own
        assert!(!said(text, &[]), "{text}");
        assert!(
            !said(text, &[("error", json!("invalid_request"))]),
            "{text}"
        );
    }
    for text in [
        "API Error: 400 the file says: Prompt is too long",
        "The context window is full",
        "",
    ] {
        assert!(!said(text, std::slice::from_ref(&error)), "{text}");
    }
    let details = (
        "errorDetails",
        json!("input length and `max_tokens` exceed context limit: 9 + 1 > 8"),
    );
    assert!(said("API Error: 400", &[error, details]));
}

#[test]
fn a_subagent_has_no_part_in_the_conversation() {
    let mut record = calls("s", "s", &json!({"command": "rm -rf x"}));
    record["isSidechain"] = json!(true);
    let text: String = TURNS.split_inclusive('\n').take(8).collect();
    let tail = seen(&(text + &line(&record))).unwrap();
    assert_eq!(tail.last.kind, RecordKind::TurnEnd);
    assert_eq!(tail.pending_tools, []);
    let mut record = says("our text");
    record["isSidechain"] = json!(true);
    assert_eq!(user_record_in(line(&record).as_bytes(), "our text"), None);
}

#[test]
fn a_new_record_with_exactly_our_text_is_the_proof() {
    use Arrival::{Mixed, Queued, Taken};
    let since = |lines: usize| -> String { TURNS.split_inclusive('\n').skip(lines).collect() };
    let long = format!("{}end", "word ".repeat(220));
    let cases = [
        (since(0), "SLOW 8", Some(Taken)),
        (since(0), " SLOW\n8 ", Some(Taken)),
        (since(3), "SLOW 8", Some(Taken)),
        (since(4), "SLOW 8", None),
        // with a person's letters behind it
        (since(0), "SLOW", Some(Mixed)),
        (since(0), "SLOW 80", None),
        (since(0), "", None),
        // it waits first, then it is taken
        (
            TURNS.split_inclusive('\n').take(5).collect(),
            "queued text here",
            Some(Queued),
        ),
        (since(4), "queued text here", Some(Taken)),
        // an answer, a result and a command of the agent's own prove nothing
        (
            since(0),
            "Tool finished. All tests pass; the task is complete.",
            None,
        ),
        // the beginning of what somebody else said
        (since(0), "ok", Some(Mixed)),
        (since(0), "/help", None),
        (LOCAL.to_owned(), &long, Some(Taken)),
    ];
    for (lines, text, expected) in cases {
        assert_eq!(
            user_record_in(lines.as_bytes(), text),
            expected,
            "{text:.40}"
        );
    }
}

#[test]
fn a_torn_last_line_is_not_read_and_a_torn_first_one_neither() {
    let whole = line(&says("one"));
    let torn = whole.clone() + r#"{"type":"user","message":{"content":"tw"#;
    let tail = seen(&torn).unwrap();
    assert_eq!(tail.last.text, "one");
    assert_eq!(tail.mark.length, whole.len() as u64);
    assert_eq!(user_record_in(torn.as_bytes(), "tw"), None);
    // a whole record without its newline is still being written
    let unfinished = whole.clone() + line(&says("two")).trim_end();
    assert_eq!(seen(&unfinished).unwrap().last.text, "one");
    assert_eq!(user_record_in(unfinished.as_bytes(), "two"), None);
    let rest = format!("\"x\"}}\n{whole}");
    let tail = seen_from(100, &rest).unwrap();
    assert_eq!(
        (tail.last.text.as_str(), tail.mark.length),
        ("one", 100 + rest.len() as u64)
    );
    for nothing in ["", "\n", "\n\n", "x", "{}\n", "[]\n", "null\n"] {
        assert_eq!(seen(nothing), None, "{nothing:?}");
    }
}

#[test]
fn answers_are_progress_and_our_own_text_is_not() {
    let mark = |lines| after(TURNS, lines).mark;
    assert!(!mark(10).has_answer_since(&mark(8)), "our text");
    assert!(mark(11).has_answer_since(&mark(8)));
    assert!(!mark(45).has_answer_since(&mark(41)), "an error");
}

#[tokio::test]
async fn a_transcript_is_read_from_its_end_whatever_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.jsonl");
    let filler = line(&says(&"x".repeat(1000))).repeat(2000);
    std::fs::write(&path, filler.clone() + TURNS).unwrap();
    let seen = tail(&path, None).await.unwrap();
    assert_eq!(seen.last.kind, RecordKind::TurnEnd);
    let length = (filler.len() + TURNS.len()) as u64;
    assert_eq!(seen.mark.length, length);
    // behind the mark
    let mut grown = filler + TURNS + &line(&says("go on"));
    std::fs::write(&path, &grown).unwrap();
    let arrived = |path: PathBuf, text: &'static str| {
        let mark = seen.mark.clone();
        async move { user_record_since(&path, &mark, text).await }
    };
    assert_eq!(
        arrived(path.clone(), "go on").await,
        Ok(Some(Arrival::Taken))
    );
    assert_eq!(arrived(path.clone(), "SLOW 8").await, Ok(None));
    // one that has not grown is not read again
    let mut marked = Tail::clone(&tail(&path, None).await.unwrap());
    marked.tokens_used = Some(7);
    let marked = Arc::new(marked);
    let again = tail(&path, Some(&marked)).await.unwrap();
    assert!(Arc::ptr_eq(&again, &marked));
    // a line too long to be read, and then more of the same: an honest miss
    grown.push_str(&line(&says(&"y".repeat(700 * 1024))));
    std::fs::write(&path, &grown).unwrap();
    let read = tail(&path, Some(&marked)).await.unwrap();
    assert_eq!(read.last.text.len(), MAX_TEXT);
    grown.push_str(&line(&says(&"y".repeat(5 * 1024 * 1024))));
    std::fs::write(&path, &grown).unwrap();
    let missing = tail(&path, None).await.unwrap_err();
    assert_eq!(
        missing.why,
        "the end of the transcript is too long to be read"
    );
    // another transcript is new from its beginning
    let other = folder.path().join("u.jsonl");
    std::fs::write(&other, line(&says("go on"))).unwrap();
    assert_eq!(arrived(other, "go on").await, Ok(Some(Arrival::Taken)));
    assert!(arrived(folder.path().join("none"), "go on").await.is_err());
    assert!(tail(folder.path(), None).await.is_err());
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "(\\PC{0,60}\n){0,5}\\PC{0,20}", begins in 0..3_u64) {
        let _ = seen_from(begins, &text);
        let _ = user_record_in(text.as_bytes(), "a");
    }

    #[test]
    fn records_of_any_shape_never_panic(
        kind in prop_oneof![Just("user"), Just("assistant"), Just("system"), Just("queue-operation")],
        content in prop_oneof![
            Just(json!(null)), Just(json!(7)), Just(json!("text")), Just(json!([1, null, "a"])),
            Just(json!([{"type": "tool_use"}])), Just(json!([{"type": "tool_use", "id": [], "input": [1]}])),
            Just(json!([{"type": "text", "text": 3}])), Just(json!({"type": "tool_result"})),
        ],
        shape in prop_oneof![Just("content"), Just("usage"), Just("id"), Just("stop_reason")],
    ) {
        let record = json!({"type": kind, "content": content, "uuid": content, "timestamp": content,
            "message": {shape: content, "content": content}});
        let text = line(&record).repeat(3);
        let _ = seen(&text);
        let _ = user_record_in(text.as_bytes(), "text");
    }

    #[test]
    fn a_real_transcript_cut_anywhere_never_panics(cut in 0..TURNS.len(), from in 0..TURNS.len()) {
        let bytes = &TURNS.as_bytes()[from.min(cut)..cut];
        let part = Part { begins: from.min(cut) as u64, bytes: bytes.to_vec() };
        if let Some(tail) = tail_of(&part, Path::new("/t")) {
            prop_assert!(tail.mark.length <= cut as u64);
        }
    }
}
