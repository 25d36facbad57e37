use proptest::prelude::*;

use super::super::sample::{add, at, counted, memo, night, rename, review, step, write};
use super::*;

const ALL: &[Kind] = &[Kind::Memos, Kind::Decisions, Kind::Reviews];

fn wanted(since: Option<&str>) -> Wanted<'static> {
    Wanted {
        kinds: ALL,
        since: since.map(at),
    }
}

fn id() -> AgentId {
    "kernel".parse().unwrap()
}

fn all(past: &mut Past) -> Vec<Entry> {
    let mut found = Vec::new();
    while let Some(record) = past.next_record().unwrap() {
        found.push(record.entry);
    }
    found
}

#[test]
fn the_logs_of_an_agent_are_read_as_one_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "kernel", &night());
    write(folder.path(), "other", &night());
    let mut past = Past::read(folder.path(), &id(), wanted(None)).unwrap();
    let read = all(&mut past);
    assert_eq!(read.len(), night().len());
    assert!(read.is_sorted_by_key(Entry::ts));
    assert_eq!(past.unread(), Unread::default());
    let mut followed = Past::follow(folder.path(), &id(), wanted(None)).unwrap();
    assert_eq!(all(&mut followed), read);
}

#[test]
fn lines_that_are_no_records_are_skipped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "kernel", &night());
    let memos = memo_path(folder.path(), &id());
    add(
        &memos,
        b"not json\n{\"ts\":1}\n\n\xff\xfe\n{\"v\":1,\"ts\":\"2026",
    );
    let mut past = Past::read(folder.path(), &id(), wanted(None)).unwrap();
    assert_eq!(all(&mut past).len(), night().len());
    let unread = Unread {
        torn: 1,
        foreign: 3,
    };
    assert_eq!(past.unread(), unread);
    let (found, skipped) = newest(folder.path(), &id(), wanted(None), 1_000, |_| true).unwrap();
    assert_eq!((found.len(), skipped), (night().len() - 1, unread));
}

#[test]
fn of_lines_with_one_id_the_newest_counts_from_both_ends() {
    let folder = tempfile::tempdir().unwrap();
    let entries = [
        memo("20T10:00:00", "a", "instruct", "one", None),
        memo("20T10:00:00", "a", "instruct", "one", Some("2 new lines")),
        memo("20T11:00:00", "b", "continue", "", None),
        memo("20T12:00:00", "", "continue", "of the original", None),
        memo("20T12:00:00", "", "continue", "of the original", None),
        memo("20T11:00:00", "b", "continue", "", Some("nothing")),
    ];
    let entries = entries.map(|memo| Entry::Memo(Box::new(memo)));
    write(folder.path(), "kernel", &entries);
    let counted = ["2 new lines", "nothing", "-", "-"];
    let after = |record: &Recorded| match &record.entry {
        Entry::Memo(memo) => memo.after_summary.clone().unwrap_or("-".into()),
        _ => unreachable!(),
    };
    let (found, _) = newest(folder.path(), &id(), wanted(None), 9, |_| true).unwrap();
    assert_eq!(found.iter().map(after).collect::<Vec<_>>(), counted);
    let mut past = Past::read(folder.path(), &id(), wanted(None)).unwrap();
    let mut window = Window::default();
    while let Some(record) = past.next_record().unwrap() {
        window.push(record);
        assert_eq!(window.pop_ripe(), None);
    }
    let found: Vec<String> = std::iter::from_fn(|| window.pop())
        .map(|it| after(&it))
        .collect();
    assert_eq!(found, counted);
}

#[test]
fn the_newest_are_found_from_the_end_and_no_further_back_than_asked() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "kernel", &night());
    let of = |count, since| {
        let (found, _) = newest(folder.path(), &id(), wanted(since), count, |entry| {
            !matches!(entry, Entry::Step(_))
        })
        .unwrap();
        found
            .iter()
            .map(|it| it.entry.id().to_owned())
            .collect::<Vec<_>>()
    };
    // the review has no id
    assert_eq!(of(3, None), ["f", "", "g"]);
    assert_eq!(of(100, Some("21T06:10:00")), ["e", "f", "", "g"]);
    assert_eq!(of(0, None), Vec::<String>::new());
}

#[test]
fn a_window_is_bounded_by_its_bytes_too() {
    let mut window = Window::default();
    let large = memo(
        "20T10:00:00",
        "a",
        "instruct",
        &"x".repeat(WINDOW_BYTES),
        None,
    );
    window.push(super::super::sample::recorded(Entry::Memo(Box::new(large))));
    assert!(window.pop_ripe().is_some());
    assert_eq!((window.pop_ripe(), window.bytes), (None, 0));
}

#[test]
fn agents_are_found_by_the_names_of_their_logs() {
    let folder = tempfile::tempdir().unwrap();
    let of = |path: &Path| agents(path).unwrap();
    assert_eq!(of(&folder.path().join("none")), None);
    for name in [
        "a.memos.jsonl",
        "a.decisions.jsonl",
        "b.v2.decisions.2026-11-21T032600Z.jsonl",
        "c.reviews.jsonl",
        "roster.jsonl",
        "notes.txt",
        ".memos.jsonl",
        "x y.memos.jsonl",
    ] {
        add(&folder.path().join(name), b"");
    }
    let names: Vec<String> = of(folder.path())
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["a", "b.v2", "c"]);
}

#[test]
fn the_newest_session_is_that_of_the_newest_record() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(newest_session(folder.path(), &id()).unwrap(), None);
    let mut later = review("21T09:00:00");
    later.session_id = "night".parse().unwrap();
    write(folder.path(), "kernel", &night());
    write(folder.path(), "kernel", &[Entry::Review(Box::new(later))]);
    let session = newest_session(folder.path(), &id()).unwrap();
    assert_eq!(session.unwrap().as_str(), "night");
}

#[test]
fn what_comes_is_read_over_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let line = |ts| [Entry::Step(Box::new(step(ts, "", counted(ts))))];
    let mut past = Past::follow(folder.path(), &id(), wanted(None)).unwrap();
    assert!(all(&mut past).is_empty());
    let log = folder.path().join("kernel.decisions.jsonl");
    for (ts, aside) in [
        ("20T10:00:00", None),
        (
            "20T11:00:00",
            Some("kernel.decisions.2026-11-20T110001Z.jsonl"),
        ),
        ("20T12:00:00", None),
    ] {
        write(folder.path(), "kernel", &line(ts));
        if let Some(aside) = aside {
            rename(&log, &folder.path().join(aside));
        }
        assert_eq!(all(&mut past), line(ts), "{ts}");
    }
    // those that were set aside before are not even opened
    let late = wanted(Some("20T11:30:00"));
    let mut past = Past::read(folder.path(), &id(), late).unwrap();
    assert_eq!(all(&mut past), line("20T12:00:00"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        for kind in ALL {
            add(&logs::path(folder.path(), &id(), *kind), &bytes);
        }
        add(&logs::roster_path(folder.path()), &bytes);
        let mut past = Past::read(folder.path(), &id(), wanted(None)).unwrap();
        all(&mut past);
        newest(folder.path(), &id(), wanted(None), 10, |_| true).unwrap();
        last_entries(folder.path()).unwrap();
    }
}
