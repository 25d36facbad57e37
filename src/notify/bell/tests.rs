use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::super::concern::Kind;
use super::*;
use crate::config::Config;

/// Rules of a configuration's `notify`.
fn rules(notify: &str) -> Rules {
    let config = Config::parse(&format!("{{\"notify\":{notify}}}")).unwrap();
    Rules::from(&config.notify)
}

fn asks(agent: &str, asked_at: i64) -> Concern {
    Concern {
        agent: Some(agent.parse().unwrap()),
        kind: Kind::Question,
        since: DateTime::from_timestamp(asked_at, 0),
        text: format!("shall {agent} go on?"),
    }
}

fn all(kind: Kind) -> Concern {
    Concern {
        agent: None,
        kind,
        since: None,
        text: "it does not answer".into(),
    }
}

/// A bell, its rules, and a clock that is moved by hand.
struct Desk {
    bell: Bell,
    rules: Rules,
    now: Duration,
    begun: DateTime<Utc>,
    zone: Tz,
    attended: bool,
    waiting: Vec<Concern>,
    /// Seconds since the beginning, and what was done.
    done: Vec<(u64, String)>,
}

impl Desk {
    fn new(notify: &str) -> Self {
        Self::at(notify, "2026-11-03T12:00:00Z", Tz::UTC)
    }

    fn at(notify: &str, begun: &str, zone: Tz) -> Self {
        Self {
            bell: Bell::default(),
            rules: rules(notify),
            now: Duration::ZERO,
            begun: begun.parse().unwrap(),
            zone,
            attended: false,
            waiting: Vec::new(),
            done: Vec::new(),
        }
    }

    /// Looks once a second for so long.
    fn passes(&mut self, seconds: u64) {
        for _ in 0..seconds {
            let wall = self.begun + TimeDelta::from_std(self.now).unwrap();
            let now = Moment {
                since_start: self.now,
                local: wall.with_timezone(&self.zone).time(),
            };
            let effects = self
                .bell
                .step(now, &self.rules, self.waiting.clone(), self.attended);
            for effect in effects {
                let said = match effect {
                    Effect::Tell(message) => message.title,
                    Effect::Withdraw => "withdrawn".into(),
                };
                self.done.push((self.now.as_secs(), said));
            }
            self.now += Duration::from_secs(1);
        }
    }

    /// What was done since this was asked last.
    fn done(&mut self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.done)
    }

    #[track_caller]
    fn did(&mut self, expected: &[(u64, &str)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(at, said)| (*at, (*said).to_owned()))
            .collect();
        assert_eq!(self.done(), expected);
    }
}

#[test]
fn fifty_agents_that_ask_at_once_make_one_message() {
    let mut desk = Desk::new("{}");
    for nth in 0..50 {
        desk.waiting.push(asks(&format!("a{nth}"), 0));
        if nth % 25 == 0 {
            desk.passes(1);
        }
    }
    desk.passes(1_000);
    desk.did(&[(3, "50 agents wait for you")]);
}

#[test]
fn what_comes_later_keeps_its_distance_and_tells_of_all_that_waits() {
    let mut desk = Desk::new("{}");
    desk.waiting = vec![asks("a1", 0)];
    desk.passes(4);
    desk.waiting.push(asks("a2", 4));
    desk.passes(10);
    desk.waiting.push(asks("b7", 14));
    desk.passes(100);
    desk.did(&[(3, "a1 waits for you"), (23, "3 agents wait for you")]);
}

#[test]
fn a_storm_of_questions_is_at_most_a_dozen_messages_an_hour_and_a_few_more() {
    let mut desk = Desk::new("{}");
    for second in 0..3_600 {
        desk.waiting = vec![asks("a1", second / 5)];
        desk.passes(1);
    }
    let rung = desk.done();
    let rung = rung.iter().filter(|(_, said)| said != "withdrawn").count();
    assert!((MANY..=24).contains(&rung), "{rung}");
}

#[test]
fn what_is_unanswered_is_told_again_after_waits_that_double() {
    let mut desk = Desk::new(r#"{"repeatSec": 100, "gatherSec": 1}"#);
    desk.waiting = vec![asks("a1", 0)];
    desk.passes(4_000);
    let again = "a1 still waits for you";
    desk.did(&[
        (1, "a1 waits for you"),
        (101, again),
        (301, again),
        (701, again),
        (1_501, again),
        (2_301, again),
        (3_101, again),
        (3_901, again),
    ]);
    // answered: taken back at once, and never told again
    desk.waiting.clear();
    desk.passes(10_000);
    desk.did(&[(4_000, "withdrawn")]);
}

#[test]
fn what_is_answered_before_it_is_told_is_never_told() {
    let mut desk = Desk::new("{}");
    desk.waiting = vec![asks("a1", 0)];
    desk.passes(2);
    desk.waiting.clear();
    desk.passes(100);
    desk.did(&[]);
    // the next one is gathered for from its own beginning
    desk.waiting = vec![asks("a2", 102)];
    desk.passes(10);
    desk.did(&[(105, "a2 waits for you")]);
}

#[test]
fn a_notice_stays_while_anything_of_it_waits() {
    let mut desk = Desk::new("{}");
    desk.waiting = vec![asks("a1", 0), asks("a2", 0)];
    desk.passes(10);
    desk.waiting.remove(0);
    desk.passes(10);
    desk.did(&[(3, "2 agents wait for you")]);
    desk.waiting.clear();
    desk.passes(10);
    desk.did(&[(20, "withdrawn")]);
}

#[test]
fn a_question_that_is_asked_anew_is_another_and_a_dialog_seen_late_is_not() {
    let mut desk = Desk::new("{}");
    desk.waiting = vec![asks("a1", 0)];
    desk.passes(50);
    desk.waiting[0].kind = Kind::Dialog;
    desk.passes(50);
    desk.waiting = vec![asks("a1", 100)];
    desk.passes(50);
    desk.did(&[
        (3, "a1 waits for you"),
        (100, "withdrawn"),
        (103, "a1 waits for you"),
    ]);
}

#[test]
fn what_comes_and_goes_is_not_told_each_time() {
    let mut desk = Desk::new("{}");
    for _ in 0..20 {
        desk.waiting = vec![all(Kind::Zellij)];
        desk.passes(30);
        desk.waiting.clear();
        desk.passes(30);
    }
    let told: Vec<_> = desk.done();
    let told = told
        .iter()
        .filter(|(_, said)| said == "zellij does not answer");
    assert_eq!(told.count(), 1);
    // an hour later it is news again
    desk.passes(3_600);
    desk.waiting = vec![all(Kind::Zellij)];
    desk.passes(10);
    desk.did(&[(4_803, "zellij does not answer")]);
}

#[test]
fn a_question_that_was_put_off_is_told_when_its_time_has_come() {
    let mut desk = Desk::new("{}");
    desk.waiting = vec![asks("a1", 0)];
    desk.passes(10);
    desk.waiting.clear();
    desk.passes(600);
    desk.waiting = vec![asks("a1", 0)];
    desk.passes(10);
    desk.did(&[
        (3, "a1 waits for you"),
        (10, "withdrawn"),
        (613, "a1 waits for you"),
    ]);
}

#[test]
fn in_quiet_hours_nothing_is_told_and_what_still_waits_is_told_at_their_end() {
    const NIGHT: &str = r#"{"quietHours": {"from": "22:00", "to": "07:00"}}"#;
    let halves = |halves: u64| halves * 1_800;
    // by the clock on the wall, over midnight and over the changes of summer time (at 03:00 and 02:00)
    for (begun, zone, quiet_for) in [
        ("2026-11-03T22:00:00Z", Tz::UTC, 18),
        ("2026-11-04T03:30:00Z", Tz::UTC, 7),
        ("2026-11-03T21:00:00Z", Tz::Europe__Berlin, 18),
        ("2027-03-27T21:00:00Z", Tz::Europe__Berlin, 16),
        ("2026-10-24T20:00:00Z", Tz::Europe__Berlin, 20),
    ] {
        let mut desk = Desk::at(NIGHT, begun, zone);
        desk.waiting = vec![asks("a1", 0), asks("answered", 0)];
        desk.passes(halves(2));
        desk.waiting.pop();
        desk.passes(halves(22));
        let told = desk.done();
        let expected = (halves(quiet_for), "a1 waits for you".to_owned());
        assert_eq!(told[0], expected, "{begun} in {zone}");
    }
    // the control: by day it is told at once
    let mut desk = Desk::at(NIGHT, "2026-11-03T21:59:00Z", Tz::UTC);
    desk.waiting = vec![asks("a1", 0)];
    desk.passes(halves(16));
    desk.did(&[(3, "a1 waits for you")]);
}

#[test]
fn while_somebody_looks_nothing_is_told_and_what_is_left_then_is() {
    let mut desk = Desk::new("{}");
    desk.attended = true;
    desk.waiting = vec![asks("a1", 0), asks("a2", 0)];
    desk.passes(600);
    desk.did(&[]);
    desk.waiting.pop();
    desk.attended = false;
    desk.passes(10);
    desk.did(&[(600, "a1 waits for you")]);
}

#[test]
fn a_message_says_who_and_what_in_few_plain_words() {
    let said = |waiting: &[Concern], again| {
        let waiting: Vec<&Concern> = waiting.iter().collect();
        let message = Message::of(&waiting, again).unwrap();
        format!("{}\n{}\n", message.title, message.body)
    };
    let foreign = Concern {
        text:
            "\u{1b}[2Jmo> /yes\nis ghp_0123456789abcdefghijklmnopqrstuvwxyzAB \u{202e}right?\u{7}"
                .into(),
        ..asks("docs", 0)
    };
    let many: Vec<Concern> = (0..50).map(|nth| asks(&format!("a{nth}"), 0)).collect();
    let mixed = [asks("a1", 0), all(Kind::Zellij), all(Kind::Backends)];
    insta::assert_snapshot!(
        [
            said(&[asks("a1", 0)], false),
            said(&[asks("a1", 0), foreign], true),
            said(&mixed, false),
            said(&many, false),
        ]
        .join("--\n"),
        @r"
    a1 waits for you
    a1: shall a1 go on?
    --
    2 agents still wait for you
    a1, docs
    a1: shall a1 go on?
    docs: mo> /yes is [masked] right?
    --
    a1 waits for you; zellij does not answer; no model server that decides answers
    a1: shall a1 go on?
    zellij: it does not answer
    backends: it does not answer
    --
    50 agents wait for you
    a0, a1, a2, a3, a4, a5, a6, a7 and 42 more
    "
    );
    assert_eq!(Message::of(&[], false), None);
}
