use super::*;
use crate::config::AgentConfig;
use crate::record::{MemoAction, Receipt, VERSION};
use crate::store::Rotation;
use chrono::{DateTime, Utc};
use proptest::prelude::*;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + second, 0).unwrap()
}

fn session(name: &str) -> SessionId {
    name.parse().unwrap()
}

fn memo(number: i64, after: Option<&str>) -> Memo {
    Memo {
        v: VERSION,
        id: format!("m{number}"),
        session_id: session("default"),
        ts: at(number),
        action: MemoAction::from("instruct"),
        text: format!("text {number}"),
        reasoning: String::new(),
        receipt: Some(Receipt::delivered("test")),
        after_summary: after.map(str::to_owned),
    }
}

fn step(id: &str, step: Step, calls: u32) -> Written {
    let counters = Counters {
        calls,
        ..Counters::default()
    };
    let (v, session_id) = (VERSION, session("default"));
    Written::decision(&DecisionLine {
        v,
        ts: at(0),
        session_id,
        id: id.into(),
        step,
        looks: None,
        counters,
    })
}

fn intent(id: &str) -> Step {
    let pane = crate::ids::PaneAddress {
        session: "s".parse().unwrap(),
        pane: "1".parse().unwrap(),
    };
    Step::Intent {
        origin: Origin::Verdict,
        text: format!("text of {id}"),
        digest: "0".into(),
        pane,
    }
}

fn receipt() -> Step {
    Step::Receipt {
        origin: Origin::Verdict,
        text: String::new(),
        receipt: Receipt::delivered("test"),
    }
}

/// A folder with the logs of `a1`, written through a real writer.
struct Folder {
    path: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    logs: AgentLogs,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let (writer, _end) = LogWriter::start(
            8,
            Rotation {
                max_bytes: 0,
                keep_days: 0,
            },
        )
        .unwrap();
        let logs = AgentLogs::new(folder.path(), "a1".parse().unwrap(), writer);
        Self {
            path: folder,
            runtime,
            logs,
        }
    }

    fn append(&self, records: impl IntoIterator<Item = Written>) {
        for record in records {
            self.runtime.block_on(self.logs.append(record)).unwrap();
        }
    }

    fn raw(&self, kind: Kind, text: &str) {
        #[expect(clippy::disallowed_methods, reason = "a test plays another program")]
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.logs.path(kind))
            .unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    }

    fn texts(&self, count: usize) -> (Vec<String>, u64) {
        let read = self.logs.newest_memos(&session("default"), count).unwrap();
        (
            read.found.into_iter().map(|memo| memo.text).collect(),
            read.skipped,
        )
    }
}

#[test]
fn memos_are_read_back_with_what_came_after_them() {
    let folder = Folder::new();
    folder.append([
        Written::memo(&memo(1, None)),
        Written::memo(&memo(1, Some("3 new lines"))),
        Written::memo(&memo(2, None)),
    ]);
    let read = folder.logs.newest_memos(&session("default"), 10).unwrap();
    assert_eq!(read.found, [memo(1, Some("3 new lines")), memo(2, None)]);
}

#[test]
fn torn_and_foreign_lines_are_skipped_and_counted() {
    let folder = Folder::new();
    folder.append([Written::memo(&memo(1, None))]);
    folder.raw(
        Kind::Memos,
        "{\"not\":\"a memo\"}\nnoise\n\n{\"v\":1,\"id\":\"m2\",\"sess",
    );
    folder.append([Written::memo(&memo(3, None))]);
    assert_eq!(
        folder.texts(10),
        (vec!["text 1".into(), "text 3".into()], 3)
    );
}

#[test]
fn a_log_of_the_original_is_read() {
    let folder = Folder::new();
    folder.raw(
        Kind::Memos,
        "{\"sessionId\":\"default\",\"ts\":123456,\"action\":\"instruct\",\"text\":\"go on\",\"afterSummary\":\"\"}\n",
    );
    let read = folder.logs.newest_memos(&session("default"), 10).unwrap();
    let memo = &read.found[0];
    assert_eq!(
        (memo.v, memo.action.as_str(), memo.text.as_str()),
        (0, "instruct", "go on")
    );
    assert_eq!(read.skipped, 0);
}

#[test]
fn sessions_are_told_apart() {
    let folder = Folder::new();
    let other = Memo {
        session_id: session("night"),
        ..memo(2, None)
    };
    folder.append([Written::memo(&memo(1, None)), Written::memo(&other)]);
    assert_eq!(folder.texts(10).0, ["text 1"]);
    assert_eq!(
        folder.logs.newest_session().unwrap(),
        Some(session("night"))
    );
}

#[test]
fn a_review_gets_the_newest_memos_that_fit() {
    let folder = Folder::new();
    folder.append((1..=20).map(|number| Written::memo(&memo(number, None))));
    let read = folder.logs.memos_within(&session("default"), 150).unwrap();
    let texts: Vec<_> = read.found.iter().map(|memo| memo.text.as_str()).collect();
    assert_eq!(texts, ["text 18", "text 19", "text 20"]);
}

#[test]
fn the_counters_of_the_last_step_go_on() {
    let folder = Folder::new();
    folder.append([step("d1", intent("d1"), 1), step("d1", receipt(), 2)]);
    let last = folder.logs.last_decision().unwrap().found;
    assert_eq!((last.counters.calls, last.interrupted), (2, None));
}

#[test]
fn an_intent_without_a_receipt_was_interrupted() {
    let folder = Folder::new();
    let counted = Step::Counted { why: "x".into() };
    folder.append([
        step("d1", intent("d1"), 1),
        step("d1", receipt(), 1),
        step("d2", intent("d2"), 2),
    ]);
    folder.append([step("", counted, 7)]);
    let last = folder.logs.last_decision().unwrap().found;
    assert_eq!(last.counters.calls, 7);
    let interrupted = last.interrupted.unwrap();
    assert_eq!(
        (interrupted.id.as_str(), interrupted.text.as_str()),
        ("d2", "text of d2")
    );
}

#[test]
fn what_was_typed_before_is_known_by_its_text_its_pane_and_its_beginning() {
    let folder = Folder::new();
    let refused = Step::Receipt {
        origin: Origin::Person,
        text: String::new(),
        receipt: Receipt::Refused { why: "no".into() },
    };
    folder.append([
        step("d1", intent("d1"), 0),
        step("d1", receipt(), 0),
        step("d2", intent("d2"), 0),
        step("d3", intent("d3"), 0),
        step("d3", refused, 0),
    ]);
    let pane = |number: &str| crate::ids::PaneAddress {
        session: "s".parse().unwrap(),
        pane: number.parse().unwrap(),
    };
    let delivered = Some(Typed::Ended(Receipt::delivered("test")));
    for (text, place, since, expected) in [
        ("text of d1", "1", None, delivered.clone()),
        ("text of d1", "1", Some(at(0)), delivered),
        ("text of d1", "1", Some(at(1)), None),
        // the same words in another pane are another worker's
        ("text of d1", "2", None, None),
        ("text of d", "1", None, None),
        ("text of d2", "1", None, Some(Typed::Begun)),
        // nothing of it was typed
        ("text of d3", "1", None, None),
    ] {
        let typed = folder.logs.typed(text, &pane(place), since).unwrap();
        assert_eq!(typed.found, expected, "{text} {place} {since:?}");
    }
}

#[test]
fn a_log_that_is_not_there_is_empty() {
    let folder = Folder::new();
    assert_eq!(folder.texts(10), (vec![], 0));
    assert_eq!(
        folder.logs.last_decision().unwrap().found,
        LastDecision::default()
    );
    assert_eq!(
        roster(folder.path.path(), Path::new("c")).unwrap().found,
        Roster::default()
    );
}

fn entry(id: &str, goal: &str) -> RosterEntry {
    let agent = AgentConfig::new(id.parse().unwrap(), "1".parse().unwrap(), goal);
    RosterEntry {
        agent,
        stopped: false,
        in_file: false,
        accepted: None,
        address: None,
    }
}

#[test]
fn the_roster_is_what_the_last_words_leave() {
    let folder = Folder::new();
    let changes = [
        RosterChange::Entry {
            why: "added".into(),
            entry: Box::new(entry("gone", "old")),
        },
        RosterChange::Standing {
            agents: vec![entry("a", "1"), entry("b", "1")],
            removed: vec!["never-saved".parse().unwrap(), "c".parse().unwrap()],
        },
        RosterChange::Entry {
            why: "set".into(),
            entry: Box::new(entry("a", "2")),
        },
        RosterChange::Entry {
            why: "added".into(),
            entry: Box::new(entry("c", "1")),
        },
        RosterChange::Removed {
            id: "b".parse().unwrap(),
        },
        RosterChange::Removed {
            id: "c".parse().unwrap(),
        },
        RosterChange::Entry {
            why: "added".into(),
            entry: Box::new(entry("c", "2")),
        },
    ];
    let path = roster_path(folder.path.path());
    let other = RosterChange::Standing {
        agents: vec![entry("other", "1")],
        removed: Vec::new(),
    };
    let changes = changes
        .into_iter()
        .map(|change| ("c", change))
        .chain([("d", other)]);
    for (config, change) in changes {
        let line = roster_line(&RosterLine {
            v: VERSION,
            ts: at(0),
            config: config.into(),
            file: None,
            change,
        });
        folder
            .runtime
            .block_on(folder.logs.writer.append(&path, line))
            .unwrap();
    }
    let found = roster(folder.path.path(), Path::new("c")).unwrap().found;
    let mut removed = found.removed;
    removed.sort();
    assert_eq!(
        removed,
        ["b".parse().unwrap(), "never-saved".parse().unwrap()]
    );
    let goals: Vec<_> = found
        .entries
        .iter()
        .map(|entry| (entry.agent.id.as_str(), entry.agent.goal.as_str()))
        .collect();
    assert_eq!(goals, [("a", "2"), ("c", "2")]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_bytes_are_read_without_a_panic_and_what_was_appended_is_still_found(
        junk in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let folder = Folder::new();
        folder.append([Written::memo(&memo(1, None))]);
        let text = String::from_utf8_lossy(&junk).into_owned();
        folder.raw(Kind::Memos, &text);
        folder.raw(Kind::Decisions, &text);
        folder.append([Written::memo(&memo(2, None)), step("d1", intent("d1"), 3)]);
        prop_assert_eq!(folder.texts(10).0, ["text 1", "text 2"]);
        prop_assert_eq!(folder.logs.last_decision().unwrap().found.counters.calls, 3);
    }
}
