use proptest::prelude::*;

use super::super::sample::{at, counted, memo, night, step};
use super::*;
use crate::record::past::Entry;

/// One hour east of Greenwich.
fn east(_: DateTime<Utc>) -> FixedOffset {
    FixedOffset::east_opt(3_600).unwrap()
}

fn count(entries: &[Entry], since: Option<&str>, until: Option<&str>) -> Stats {
    let mut counting = Counting::new(&east, since.map(at), until.map(at));
    for entry in entries {
        counting.take(entry);
    }
    counting.end(at("21T08:00:00"))
}

fn day(text: &str) -> NaiveDate {
    format!("2026-11-{text}").parse().unwrap()
}

#[test]
fn a_day_and_a_night_are_counted_by_local_days() {
    let stats = count(&night(), None, None);
    assert_eq!(
        stats.days.keys().copied().collect::<Vec<_>>(),
        [day("20"), day("21")]
    );
    let first = stats.days[&day("20")];
    assert_eq!(first.looks, Some(80));
    assert_eq!((first.calls, first.tokens), (2, 300));
    let verdicts = Verdicts {
        instruct: 1,
        ask_user: 1,
        none: 1,
        ..Verdicts::default()
    };
    assert_eq!(first.verdicts, verdicts);
    let nudges = Receipts {
        delivered: 1,
        refused: 1,
        ..Receipts::default()
    };
    assert_eq!(first.nudges, nudges);
    // asked at 23:00, answered at 07:00
    assert_eq!((first.questions, first.waited_sec), (1, 3_600));
    let second = stats.days[&day("21")];
    let dialogs = Dialogs {
        by_person: 1,
        by_rule: 1,
    };
    assert_eq!((second.dialogs, second.replies.delivered), (dialogs, 1));
    assert_eq!(
        (second.questions, second.waited_sec),
        (1, 7 * 3_600 + 1_800)
    );
    assert_eq!((second.reviews, second.review_tokens), (1, 900));
    assert_eq!(
        stats.open.map(|question| question.since),
        Some(at("21T07:30:00"))
    );
    assert_eq!(stats.span, Some((at("20T10:00:00"), at("21T07:30:00"))));
}

#[test]
fn what_was_before_counts_only_for_what_was_open_then() {
    let stats = count(&night(), Some("21T00:00:00"), Some("21T06:15:00"));
    let total = stats.total();
    assert_eq!(
        (total.calls, total.questions, total.waited_sec),
        (0, 0, 6 * 3_600)
    );
    assert_eq!((total.dialogs.by_rule, total.dialogs.by_person), (1, 0));
    let later = count(&night(), Some("21T07:40:00"), None).total();
    assert_eq!(
        (later.questions, later.waited_sec, later.looks),
        (0, 20 * 60, None)
    );
}

#[test]
fn looks_are_unknown_where_no_line_tells_of_them_and_the_originals_verdicts_are_in_its_memos() {
    let mut line = step("20T10:00:00", "", counted("x"));
    line.looks = None;
    let mut old = memo("20T10:00:00", "", "continue", "", Some("all the same"));
    old.v = 0;
    let entries = [Entry::Step(Box::new(line)), Entry::Memo(Box::new(old))];
    let total = count(&entries, None, None).total();
    assert_eq!(
        (total.looks, total.verdicts.leave, total.calls),
        (None, 1, 0)
    );
}

proptest! {
    #[test]
    fn no_times_make_it_panic_or_count_for_ever(
        times in proptest::collection::vec((any::<i64>(), any::<i64>(), any::<u64>()), 0..8)
    ) {
        let moment = |millis: i64| {
            DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MIN_UTC)
        };
        let entries: Vec<Entry> = times.iter().map(|(ts, since, looks)| {
            let mut line = step("20T10:00:00", "", counted("x"));
            (line.ts, line.looks) = (moment(*ts), Some(*looks));
            line.counters.question = Some(Question {
                text: String::new(),
                since: moment(*since),
                insists: false,
                left_over: None,
            });
            Entry::Step(Box::new(line))
        }).collect();
        let stats = count(&entries, None, None);
        prop_assert!(stats.days.len() < 410 * (entries.len() + 1));
    }
}
