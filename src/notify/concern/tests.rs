use std::collections::BTreeMap;

use super::*;
use crate::agent::view::Bounded;
use crate::record::Question;
use crate::supervisor::BackendHealth;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

const NOW: i64 = 1_000;

fn health() -> Health {
    Health {
        started_at: at(0),
        ..Health::made_up()
    }
}

fn down(seconds_ago: i64) -> Answers {
    Answers {
        down_since: Some(at(NOW - seconds_ago)),
        why: "it is away".into(),
    }
}

fn backend(role: &str, answers: Answers) -> BackendHealth {
    BackendHealth {
        role: role.into(),
        name: "openaiCompat m".into(),
        answers,
    }
}

fn view(status: Status, state: Option<State>) -> AgentView {
    AgentView {
        state,
        polls: 12,
        changed_at: Some(at(NOW - 600)),
        ..AgentView::made_up("a1", status)
    }
}

fn asked() -> Question {
    Question {
        text: "Shall I?".into(),
        since: at(NOW - 60),
        insists: false,
        left_over: None,
    }
}

/// The kinds of what is found.
fn found(view: &AgentView, health: &Health) -> Vec<Kind> {
    let found = concerns([view], health, at(NOW));
    found.iter().map(|concern| concern.kind).collect()
}

#[test]
fn only_what_needs_the_person_is_a_concern() {
    let running = || view(Status::Running, Some(State::Working));
    let awaiting = |state| AgentView {
        question: Some(asked()),
        ..view(Status::AwaitingUser, Some(state))
    };
    let since = |seconds_ago, state| AgentView {
        changed_at: Some(at(NOW - seconds_ago)),
        ..view(Status::Running, Some(state))
    };
    let used = Bounded { used: 5, bound: 5 };
    let cases: [(&str, AgentView, &[Kind]); 16] = [
        ("at work", running(), &[]),
        (
            "at its prompt",
            view(Status::Stable, Some(State::Idle)),
            &[],
        ),
        (
            "at its limit",
            view(Status::Limit(None), Some(State::Limit)),
            &[],
        ),
        (
            "not watched for now",
            view(Status::Error("zellij".into()), None),
            &[],
        ),
        ("a draft", view(Status::Stable, Some(State::Draft)), &[]),
        ("asked about", awaiting(State::Idle), &[Kind::Question]),
        ("an approval", awaiting(State::Approval), &[Kind::Dialog]),
        ("a folder's trust", awaiting(State::Trust), &[Kind::Dialog]),
        (
            "its own question",
            awaiting(State::Question),
            &[Kind::Dialog],
        ),
        (
            "a dialog that a rule may answer",
            since(2, State::Approval),
            &[],
        ),
        (
            "a dialog that stands",
            since(20, State::Approval),
            &[Kind::Dialog],
        ),
        (
            "gone",
            view(Status::Gone("its pane".into()), None),
            &[Kind::Lost],
        ),
        (
            "calls",
            AgentView {
                calls: used,
                ..running()
            },
            &[Kind::Bound],
        ),
        (
            "nudges",
            AgentView {
                nudges: used,
                ..running()
            },
            &[Kind::Bound],
        ),
        (
            "stopped by the person",
            AgentView {
                status: Status::Stopped,
                calls: used,
                ..awaiting(State::Approval)
            },
            &[],
        ),
        (
            "a bound of nothing is none",
            AgentView {
                calls: Bounded { used: 0, bound: 0 },
                ..running()
            },
            &[],
        ),
    ];
    for (what, view, expected) in cases {
        assert_eq!(found(&view, &health()), expected, "{what}");
    }
}

#[test]
fn a_question_that_is_put_off_is_none_until_then() {
    let view = AgentView {
        question: Some(asked()),
        ..view(Status::AwaitingUser, Some(State::Approval))
    };
    for (until, expected) in [(NOW + 1, &[][..]), (NOW, &[Kind::Dialog])] {
        let snoozed = BTreeMap::from([(view.id.clone(), at(until))]);
        let health = Health {
            snoozed,
            ..health()
        };
        assert_eq!(found(&view, &health), expected, "{until}");
    }
}

#[test]
fn zellij_and_the_server_that_decides_are_one_once_they_stay_away() {
    let good = Answers::default;
    let cases: [(&str, Answers, Vec<BackendHealth>, &[Kind]); 7] = [
        ("all well", good(), vec![backend("decide", good())], &[]),
        ("zellij, just now", down(29), vec![], &[]),
        ("zellij", down(30), vec![], &[Kind::Zellij]),
        (
            "deciding, just now",
            good(),
            vec![backend("decide", down(5))],
            &[],
        ),
        (
            "deciding",
            good(),
            vec![backend("decide", down(90)), backend("review", good())],
            &[Kind::Backends],
        ),
        (
            "reviewing alone",
            good(),
            vec![backend("decide", good()), backend("review", down(90))],
            &[],
        ),
        (
            "the built-in rules decide",
            good(),
            vec![backend("review", down(90))],
            &[],
        ),
    ];
    for (what, zellij, backends, expected) in cases {
        let health = Health {
            zellij,
            backends,
            ..health()
        };
        assert_eq!(
            found(&view(Status::Running, None), &health),
            expected,
            "{what}"
        );
    }
}
