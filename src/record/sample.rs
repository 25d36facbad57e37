//! Made-up records for tests: one agent on 2026-11-20 and the night after it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, Utc};

use super::logs::{Kind, Written};
use super::past::{Entry, Recorded};
use super::{
    Action, Counters, DecisionLine, Delivery, Memo, MemoAction, Origin, Question, Receipt, Review,
    Step, VERSION, Verdict,
};

/// A moment in UTC: `20T18:30:00`.
pub fn at(text: &str) -> DateTime<Utc> {
    format!("2026-11-{text}Z").parse().unwrap()
}

pub fn memo(ts: &str, id: &str, action: &str, text: &str, after: Option<&str>) -> Memo {
    Memo {
        v: VERSION,
        id: id.into(),
        session_id: "default".parse().unwrap(),
        ts: at(ts),
        action: MemoAction::from(action),
        text: text.into(),
        reasoning: "its prompt is empty".into(),
        receipt: None,
        after_summary: after.map(Into::into),
    }
}

pub fn step(ts: &str, id: &str, step: Step) -> DecisionLine {
    DecisionLine {
        v: VERSION,
        ts: at(ts),
        session_id: "default".parse().unwrap(),
        id: id.into(),
        step,
        looks: Some(10),
        counters: Counters::default(),
    }
}

/// The same step with a question open since `since`.
pub fn asking(mut line: DecisionLine, since: &str, text: &str) -> DecisionLine {
    line.counters.question = Some(Question {
        text: text.into(),
        since: at(since),
        insists: false,
        left_over: None,
    });
    line
}

pub fn asked() -> Step {
    Step::Asked {
        backend: "openaiCompat".into(),
        digest: "1".into(),
        quiet_sec: 31,
        prompt: "● Step 2 of 5 is written.\n```\n# no heading\n> ".into(),
    }
}

pub fn answered(action: Option<Action>, text: &str) -> Step {
    Step::Answered {
        by: Some("openaiCompat gemma".into()),
        verdict: action.map(|action| Verdict {
            action,
            reasoning: "it stands at its *prompt*".into(),
            text: text.into(),
            quote: Some("Step 2 of 5 is written.".into()),
        }),
        problem: action.is_none().then(|| "no JSON".into()),
        answer: "{}".into(),
        tokens: 100,
    }
}

pub fn receipt(origin: Origin, text: &str, receipt: Receipt) -> Step {
    Step::Receipt {
        origin,
        text: text.into(),
        receipt,
    }
}

pub fn delivered() -> Receipt {
    Receipt::Delivered(Delivery {
        proof: "the prompt is empty".into(),
        presses: 1,
        gap_ms: 52,
    })
}

pub fn counted(why: &str) -> Step {
    Step::Counted { why: why.into() }
}

pub fn review(ts: &str) -> Review {
    Review {
        v: VERSION,
        ts: at(ts),
        session_id: "default".parse().unwrap(),
        by: "gemini pro".into(),
        text: "It went in circles.\n\n## Not a heading of the page".into(),
        instruction: Some("Write the test first.".into()),
        tokens: 900,
    }
}

pub fn recorded(entry: Entry) -> Recorded {
    let line = written(&entry).line;
    Recorded { entry, line }
}

pub fn written(entry: &Entry) -> Written {
    match entry {
        Entry::Memo(memo) => Written::memo(memo),
        Entry::Step(step) => Written::decision(step),
        Entry::Review(review) => Written::review(review),
    }
}

/// A day and a night: an instruction that was taken, one that was refused, a question that the person answered the
/// next morning, a dialog that a rule answered, one that the person did, a review, and a question that is open.
pub fn night() -> Vec<Entry> {
    let question = "Postgres or SQLite?";
    let later = |mut memo: Memo, receipt: Receipt| {
        memo.receipt = Some(receipt);
        memo
    };
    let refused = Receipt::Refused {
        why: "a dialog is open".into(),
    };
    let waits = |line| asking(line, "20T22:00:00", question);
    let open = |line| asking(line, "21T07:30:00", "Which `branch` | tag?");
    let go_on = later(
        memo("20T10:00:02", "a", "instruct", "Go on", None),
        delivered(),
    );
    let gone_on = Memo {
        after_summary: Some("3 new lines; last: step 2".into()),
        ..go_on.clone()
    };
    let entries = vec![
        Entry::Step(Box::new(step("20T10:00:00", "a", asked()))),
        Entry::Step(Box::new(step(
            "20T10:00:01",
            "a",
            answered(Some(Action::Instruct), "Go on"),
        ))),
        Entry::Memo(Box::new(go_on)),
        Entry::Memo(Box::new(gone_on)),
        Entry::Step(Box::new(step(
            "20T10:00:02",
            "a",
            receipt(Origin::Verdict, "Go on", delivered()),
        ))),
        Entry::Step(Box::new(step("20T11:00:00", "b", asked()))),
        Entry::Step(Box::new(step("20T11:00:01", "b", answered(None, "")))),
        Entry::Step(Box::new(step(
            "20T11:00:02",
            "b",
            receipt(Origin::Verdict, "Again", refused),
        ))),
        Entry::Step(Box::new(step(
            "20T21:59:59",
            "c",
            answered(Some(Action::AskUser), question),
        ))),
        Entry::Memo(Box::new(memo(
            "20T22:00:00",
            "c",
            "ask_user",
            question,
            None,
        ))),
        Entry::Step(Box::new(waits(step(
            "20T22:00:00",
            "",
            counted("a question is open"),
        )))),
        Entry::Step(Box::new(waits(step(
            "20T23:00:00",
            "",
            counted("an hour of watching"),
        )))),
        Entry::Step(Box::new(step(
            "21T06:00:00",
            "d",
            receipt(Origin::Person, "Postgres", delivered()),
        ))),
        Entry::Memo(Box::new(later(
            memo("21T06:00:00", "d", "reply", "Postgres", None),
            delivered(),
        ))),
        Entry::Step(Box::new(step(
            "21T06:10:00",
            "e",
            receipt(Origin::Rule, "Yes — to: cargo test", delivered()),
        ))),
        Entry::Memo(Box::new(later(
            memo("21T06:10:00", "e", "answer", "Yes — to: cargo test", None),
            delivered(),
        ))),
        Entry::Step(Box::new(step(
            "21T06:20:00",
            "f",
            receipt(Origin::Person, "No — to: rm", delivered()),
        ))),
        Entry::Memo(Box::new(later(
            memo("21T06:20:00", "f", "answer", "No — to: rm", None),
            delivered(),
        ))),
        Entry::Review(Box::new(review("21T07:00:00"))),
        Entry::Memo(Box::new(memo(
            "21T07:30:00",
            "g",
            "notice",
            "Which `branch` | tag?",
            None,
        ))),
        Entry::Step(Box::new(open(step(
            "21T07:30:00",
            "",
            counted("a question is open"),
        )))),
    ];
    entries
}

/// Writes records to the logs of `id` in `folder`.
pub fn write(folder: &std::path::Path, id: &str, entries: &[Entry]) {
    let id = id.parse().unwrap();
    for (kind, name) in [
        (Kind::Memos, "memos"),
        (Kind::Decisions, "decisions"),
        (Kind::Reviews, "reviews"),
    ] {
        let lines = entries.iter().map(written).filter(|it| it.kind == kind);
        let text: String = lines.map(|it| it.line + "\n").collect();
        let path = super::logs::path(folder, &id, kind);
        assert!(path.ends_with(format!("{id}.{name}.jsonl")));
        add(&path, text.as_bytes());
    }
}

/// Adds bytes to a file.
#[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
pub fn add(path: &std::path::Path, bytes: &[u8]) {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.append(true).create(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

/// Renames a file, as a rotation does.
#[expect(clippy::disallowed_methods, reason = "a test moves its own files")]
pub fn rename(from: &std::path::Path, to: &std::path::Path) {
    std::fs::rename(from, to).unwrap();
}
