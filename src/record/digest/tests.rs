use chrono::FixedOffset;

use super::super::sample::{answered, asked, at, counted, night, receipt, step};
use super::*;
use crate::record::{Action, Hold, Parked, Receipt};

fn utc(_: DateTime<Utc>) -> FixedOffset {
    FixedOffset::east_opt(0).unwrap()
}

fn facts(entries: &[Entry], since: &str, beside: Beside) -> Facts {
    let mut digesting = Digesting::new(&utc, Some(at(since)));
    for entry in entries {
        digesting.take(entry);
    }
    digesting.end("kernel".parse().unwrap(), beside, at("21T08:00:00"))
}

#[test]
fn a_night_is_told_with_what_was_asked_and_how_that_ended() {
    let facts = facts(&night(), "20T12:00:00", Beside::default());
    let waits = Standing::Waits {
        since: at("21T07:30:00"),
        text: "Which `branch` | tag?".into(),
    };
    assert_eq!(facts.standing, waits);
    assert_eq!(facts.last, Some(at("21T07:30:00")));
    let asked: Vec<_> = facts
        .asked
        .iter()
        .map(|it| (it.at, it.ended.clone()))
        .collect();
    let answered = Ended {
        at: at("21T06:00:00"),
        how: How::Answered("Postgres".into()),
    };
    assert_eq!(
        asked,
        [
            (at("20T22:00:00"), Some(answered)),
            (at("21T07:30:00"), None)
        ]
    );
    assert_eq!((facts.moved, facts.tally.calls), (0, 0));
}

#[test]
fn a_question_that_ended_before_the_time_is_left_out_and_one_that_was_open_then_is_not() {
    let of = |since| facts(&night(), since, Beside::default()).asked.len();
    assert_eq!(
        (of("20T12:00:00"), of("21T05:00:00"), of("21T06:05:00")),
        (2, 2, 1)
    );
}

#[test]
fn how_an_agent_stands_is_what_stops_it_first() {
    type Change = fn(&mut DecisionLine);
    let with = |id: &str, what: Step, change: Change| {
        let mut line = step("21T07:00:00", id, what);
        change(&mut line);
        Entry::Step(Box::new(line))
    };
    let nothing: Change = |_| {};
    let delivered = receipt(Origin::Verdict, "go on", Receipt::delivered("it"));
    let cases: Vec<(Vec<Entry>, Beside, Standing)> = vec![
        (vec![], Beside::default(), Standing::Silent),
        (
            vec![with("a", delivered.clone(), nothing)],
            Beside::default(),
            Standing::Still,
        ),
        (
            vec![with("", counted("gone: `claude` ended"), nothing)],
            Beside::default(),
            Standing::Gone {
                since: at("21T07:00:00"),
                why: "`claude` ended".into(),
            },
        ),
        (
            vec![
                with("", counted("gone: `claude` ended"), nothing),
                with("", counted(BACK), nothing),
            ],
            Beside::default(),
            Standing::Still,
        ),
        (
            vec![
                with("", counted("gone: `claude` ended"), nothing),
                with("a", asked(), nothing),
            ],
            Beside::default(),
            Standing::Still,
        ),
        (
            vec![with("", counted("x"), |line| {
                line.counters.limit = Some(Parked {
                    until: None,
                    nudged: false,
                });
            })],
            Beside::default(),
            Standing::Limit { until: None },
        ),
        (
            vec![with("", counted("x"), |line| {
                line.counters.hold = Some(Hold { until: None });
            })],
            Beside::default(),
            Standing::Held { until: None },
        ),
        (
            vec![with("", counted("x"), |line| {
                line.counters.hold = Some(Hold {
                    until: Some(line.ts),
                });
            })],
            Beside::default(),
            Standing::Still,
        ),
        (
            vec![with("", counted("x"), |line| {
                line.counters.day = Some(line.ts.date_naive());
                line.counters.calls = 500;
            })],
            Beside {
                bounds: Some((500, 1)),
                ..Beside::default()
            },
            Standing::Bound {
                why: "the bound of 500 calls a day".into(),
            },
        ),
        (
            vec![with("a", answered(None, ""), nothing)],
            Beside::default(),
            Standing::NoAnswer {
                why: "no JSON".into(),
            },
        ),
        (
            vec![with("a", answered(Some(Action::Continue), ""), |line| {
                line.counters.fruitless = 2;
            })],
            Beside::default(),
            Standing::Fruitless { nudges: 2 },
        ),
        (
            vec![with("a", answered(None, ""), nothing)],
            Beside {
                stopped: true,
                ..Beside::default()
            },
            Standing::Stopped,
        ),
        (night()[..5].to_vec(), Beside::default(), Standing::WentOn),
    ];
    for (entries, beside, standing) in cases {
        assert_eq!(facts(&entries, "20T00:00:00", beside).standing, standing);
    }
}

#[test]
fn questions_are_bounded() {
    let entries: Vec<Entry> = (0..59)
        .map(|minute| {
            let ts = format!("21T07:{minute:02}:00");
            let line = step(&ts, "", counted("a question is open"));
            Entry::Step(Box::new(super::super::sample::asking(line, &ts, "again?")))
        })
        .collect();
    let facts = facts(&entries, "20T00:00:00", Beside::default());
    assert_eq!((facts.asked.len(), facts.left_out), (MOST_ASKED, 59 - 30));
}
