//! Every pair of what two rungs may say, and that no word against typing is ever lost.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::evidence::Program;
use crate::evidence::transcript::{LastRecord, Mark, RateLimit, RecordKind};
use crate::host::process::ProcessIdentity;

fn rung(name: RungName, says: Option<State>) -> Rung {
    Rung {
        name,
        says: says.ok_or_else(|| "nothing".to_owned()),
        detail: String::new(),
    }
}

fn conclusion(said: &[(RungName, State)]) -> Conclusion {
    conclude(
        said.iter()
            .map(|(name, state)| rung(*name, Some(*state)))
            .collect(),
    )
}

/// The state, the rung that won, and whether typing is permitted, or at least nobody disagrees.
fn cell(conclusion: &Conclusion) -> String {
    let mark = match (conclusion.permits_typing(), conclusion.agreed.is_ok()) {
        (true, _) => " TYPES",
        (false, true) => "",
        (false, false) => " ?",
    };
    format!("{} ({}){mark}", conclusion.state, conclusion.winner)
}

/// A line for each state of the screen, with a cell for each word of the other rung.
fn table(other: RungName, words: &[State]) -> String {
    let mut text = String::new();
    for screen in State::ALL {
        let cells: Vec<String> = words
            .iter()
            .map(|word| cell(&conclusion(&[(other, *word), (RungName::Screen, screen)])))
            .collect();
        let _ = writeln!(text, "{screen:10} | {}", cells.join(" | "));
    }
    text
}

#[test]
fn the_registry_and_the_screen() {
    use State::{Approval, Idle, Unknown, Working};
    // a question and a menu are to the registry what an approval is
    insta::assert_snapshot!(table(RungName::Registry, &[Idle, Working, Approval, Unknown]), @"
    working    | working (screen) ? | working (registry) | approval (registry) ? | unknown (registry) ?
    idle       | idle (registry) TYPES | working (registry) ? | approval (registry) ? | unknown (registry) ?
    draft      | draft (screen) | draft (screen) | approval (registry) ? | unknown (registry) ?
    queued     | queued (screen) | queued (screen) | approval (registry) ? | unknown (registry) ?
    approval   | approval (screen) ? | approval (screen) ? | approval (screen) | approval (screen) ?
    trust      | trust (screen) ? | trust (screen) ? | trust (screen) | trust (screen) ?
    question   | question (screen) ? | question (screen) ? | question (screen) | question (screen) ?
    limit      | limit (screen) | working (registry) ? | approval (registry) ? | unknown (registry) ?
    retrying   | retrying (screen) ? | retrying (screen) | approval (registry) ? | unknown (registry) ?
    failed     | failed (screen) TYPES | working (registry) ? | approval (registry) ? | unknown (registry) ?
    login      | login (screen) ? | login (screen) ? | login (screen) | login (screen) ?
    compacting | compacting (screen) | compacting (screen) | approval (registry) ? | unknown (registry) ?
    background | background (screen) | working (registry) ? | approval (registry) ? | unknown (registry) ?
    menu       | menu (screen) | menu (screen) ? | menu (screen) | menu (screen) ?
    ended      | ended (screen) ? | ended (screen) ? | ended (screen) ? | ended (screen) ?
    unknown    | unknown (screen) ? | unknown (screen) ? | approval (registry) ? | unknown (registry)
    ");
}

#[test]
fn a_dialog_about_a_usage_limit_is_a_limit_and_nothing_is_typed_into_it() {
    let said = [
        (RungName::Registry, State::Menu),
        (RungName::Transcript, State::Limit),
        (RungName::Screen, State::Limit),
    ];
    let found = conclusion(&said);
    assert_eq!(cell(&found), "limit (screen) ?");
}

#[test]
fn the_transcript_and_the_screen() {
    use State::{Failed, Idle, Limit, Working};
    insta::assert_snapshot!(table(RungName::Transcript, &[Idle, Working, Failed, Limit]), @"
    working    | working (screen) | working (screen) | working (screen) | working (screen) ?
    idle       | idle (screen) TYPES | working (transcript) ? | failed (transcript) TYPES | limit (transcript)
    draft      | draft (screen) | draft (screen) | draft (screen) | draft (screen)
    queued     | queued (screen) | queued (screen) | queued (screen) | queued (screen) ?
    approval   | approval (screen) | approval (screen) | approval (screen) | approval (screen) ?
    trust      | trust (screen) | trust (screen) | trust (screen) | trust (screen) ?
    question   | question (screen) | question (screen) | question (screen) | question (screen) ?
    limit      | limit (screen) | limit (screen) | limit (screen) | limit (screen)
    retrying   | retrying (screen) | retrying (screen) | retrying (screen) | retrying (screen) ?
    failed     | failed (screen) TYPES | working (transcript) ? | failed (screen) TYPES | limit (transcript)
    login      | login (screen) | login (screen) | login (screen) | login (screen) ?
    compacting | compacting (screen) | compacting (screen) | compacting (screen) | compacting (screen) ?
    background | background (screen) | working (transcript) ? | background (screen) | background (screen) ?
    menu       | menu (screen) | menu (screen) | menu (screen) | menu (screen)
    ended      | ended (screen) | ended (screen) | ended (screen) | ended (screen) ?
    unknown    | unknown (screen) | unknown (screen) | unknown (screen) | unknown (screen) ?
    ");
}

#[test]
fn the_transcript_and_the_registry_over_an_idle_screen() {
    use State::{Failed, Idle, Limit, Working};
    let mut text = String::new();
    for registry in [Idle, Working, State::Approval, State::Unknown] {
        for transcript in [Failed, Limit] {
            let said = [
                (RungName::Registry, registry),
                (RungName::Transcript, transcript),
                (RungName::Screen, Idle),
            ];
            let _ = writeln!(
                text,
                "{registry}, {transcript}: {}",
                cell(&conclusion(&said))
            );
        }
    }
    insta::assert_snapshot!(text, @"
    idle, failed: failed (transcript) TYPES
    idle, limit: limit (transcript)
    working, failed: working (registry) ?
    working, limit: working (registry) ?
    approval, failed: approval (registry) ?
    approval, limit: approval (registry) ?
    unknown, failed: unknown (registry) ?
    unknown, limit: unknown (registry) ?
    ");
}

#[test]
fn an_agent_that_has_ended_has_ended_whatever_else_is_said() {
    for other in [RungName::Registry, RungName::Transcript, RungName::Screen] {
        for state in State::ALL {
            let found = conclusion(&[(RungName::Foreground, State::Ended), (other, state)]);
            assert_eq!(
                (found.state, found.winner),
                (State::Ended, RungName::Foreground)
            );
            assert!(!found.permits_typing(), "{other} {state}");
        }
    }
}

#[test]
fn every_dialog_of_the_screen_is_what_a_waiting_registry_means() {
    let waiting = [State::Approval, State::Question, State::Menu];
    for registry in waiting {
        for screen in State::ALL {
            let found = conclusion(&[(RungName::Registry, registry), (RungName::Screen, screen)]);
            // a dialog about a usage limit is to the registry one like any other
            let is_of_limit = (registry, screen) == (State::Menu, State::Limit);
            let expected = if screen.is_dialog() || screen == State::Ended || is_of_limit {
                screen
            } else {
                registry
            };
            assert_eq!(found.state, expected, "{registry} {screen}");
            assert_eq!(
                found.agreed.is_ok(),
                screen.is_dialog(),
                "{registry} {screen}"
            );
        }
    }
}

#[test]
fn rungs_that_are_missing_leave_it_to_the_screen() {
    for screen in State::ALL {
        let said = vec![
            rung(RungName::Foreground, None),
            rung(RungName::Registry, None),
            rung(RungName::Transcript, None),
            rung(RungName::Screen, Some(screen)),
        ];
        let found = conclude(said);
        assert_eq!((found.state, found.winner), (screen, RungName::Screen));
        assert_eq!(found.permits_typing(), screen.takes_nudge(), "{screen}");
    }
    // and without a screen nothing is known
    for state in State::ALL {
        for name in [
            RungName::Registry,
            RungName::Transcript,
            RungName::Foreground,
        ] {
            assert!(
                !conclusion(&[(name, state)]).permits_typing(),
                "{name} {state}"
            );
        }
    }
    assert_eq!(conclude(Vec::new()).state, State::Unknown);
}

#[test]
fn a_disagreement_says_which_two() {
    let found = conclusion(&[
        (RungName::Registry, State::Working),
        (RungName::Screen, State::Idle),
    ]);
    assert_eq!(
        found.agreed.unwrap_err(),
        "the screen says idle, the registry says working"
    );
}

fn any_rung() -> impl Strategy<Value = Rung> {
    let names = [
        RungName::Foreground,
        RungName::Registry,
        RungName::Transcript,
        RungName::Screen,
    ];
    let state = proptest::option::weighted(0.8, proptest::sample::select(&State::ALL[..]));
    (proptest::sample::select(names.to_vec()), state).prop_map(|(name, says)| rung(name, says))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn typing_is_never_permitted_if_any_rung_is_against_it(
        rungs in proptest::collection::vec(any_rung(), 0..8),
    ) {
        let found = conclude(rungs.clone());
        let against = rungs.iter().any(|rung| matches!(rung.says, Ok(state) if !state.takes_nudge()));
        prop_assert!(!(against && found.permits_typing()), "{found:?}");
        let seen = rungs.iter().any(|rung| rung.name == RungName::Screen && rung.says.is_ok());
        prop_assert!(seen || !found.permits_typing(), "{found:?}");
        prop_assert_eq!(found.rungs, rungs);
    }
}

/// What a waiting agent of Claude Code says of itself.
fn entry(status: Status, waiting_for: Option<&str>) -> Entry {
    Entry {
        process: ProcessIdentity { pid: 7, started: 1 },
        session_id: None,
        status,
        waiting_for: waiting_for.map(str::to_owned),
        status_updated_at: DateTime::from_timestamp(1_795_242_485, 0),
        folder: None,
        version: None,
        kind: None,
        transcript: None,
    }
}

#[test]
fn the_registrys_words_are_states() {
    let other = Status::Other("dreaming".into());
    let cases = [
        (
            Status::Idle,
            None,
            State::Idle,
            "status `idle`, since 06:28:05 UTC",
        ),
        (
            Status::Busy,
            None,
            State::Working,
            "status `busy`, since 06:28:05 UTC",
        ),
        (
            Status::Waiting,
            Some("permission prompt"),
            State::Approval,
            "status `waiting`, waiting for `permission prompt`, since 06:28:05 UTC",
        ),
        (
            Status::Waiting,
            Some("input needed"),
            State::Question,
            "status `waiting`, waiting for `input needed`, since 06:28:05 UTC",
        ),
        (
            Status::Waiting,
            Some("dialog open"),
            State::Menu,
            "status `waiting`, waiting for `dialog open`, since 06:28:05 UTC",
        ),
        (
            Status::Waiting,
            Some("worker request"),
            State::Unknown,
            "status `waiting`, waiting for `worker request`, since 06:28:05 UTC",
        ),
        (
            other,
            None,
            State::Unknown,
            "status `dreaming`, since 06:28:05 UTC",
        ),
    ];
    for (status, waiting_for, state, detail) in cases {
        let found = Rung::registry(&Ok(entry(status, waiting_for)));
        assert_eq!((found.says, found.detail.as_str()), (Ok(state), detail));
    }
    let missing = Missing::new("there is none");
    assert_eq!(
        Rung::registry(&Err(missing)).says,
        Err("there is none".into())
    );
}

fn tail(turn_ended: bool, failure: Option<&str>, limit: Option<&str>) -> Arc<Tail> {
    let at = DateTime::from_timestamp(1_000, 0);
    Arc::new(Tail {
        mark: Mark {
            file: "/t".into(),
            length: 0,
            record: None,
            answer: None,
            tool: None,
        },
        last: LastRecord {
            kind: RecordKind::User,
            id: None,
            at,
            text: String::new(),
        },
        turn_ended,
        tokens_used: None,
        rate_limit: limit.map(|text| RateLimit {
            text: text.into(),
            at,
        }),
        failure: failure.map(str::to_owned),
        context_full: false,
        pending_tools: Vec::new(),
    })
}

#[test]
fn the_transcript_speaks_of_turns_only_where_the_registry_is_silent() {
    let now = DateTime::from_timestamp(2_000, 0).unwrap();
    let at = |seconds| DateTime::from_timestamp(seconds, 0);
    let registry = rung(RungName::Registry, Some(State::Idle));
    let none = rung(RungName::Registry, None);
    let says = |tail: Result<Arc<Tail>, Missing>, registry: &Rung, reset| {
        Rung::transcript(&tail, registry, reset, now).says.ok()
    };
    let limit = || {
        let text = "You've hit your limit · resets 3:21am (UTC)";
        tail(true, Some(text), Some(text))
    };
    let per_minute =
        "API Error: Request rejected (429) · This request would exceed your account's rate limit";
    let cases = [
        (
            Ok(tail(false, None, None)),
            &none,
            None,
            Some(State::Working),
        ),
        (Ok(tail(true, None, None)), &none, None, Some(State::Idle)),
        (Ok(tail(false, None, None)), &registry, None, None),
        (Ok(tail(true, None, None)), &registry, None, None),
        (
            Ok(tail(true, Some("529"), None)),
            &registry,
            None,
            Some(State::Failed),
        ),
        (
            Ok(tail(true, Some(per_minute), Some(per_minute))),
            &registry,
            None,
            Some(State::Failed),
        ),
        (Ok(limit()), &registry, None, Some(State::Limit)),
        (Ok(limit()), &none, at(2_001), Some(State::Limit)),
        (Ok(limit()), &registry, at(2_000), None),
        (Err(Missing::new("none")), &none, None, None),
    ];
    for (found, registry, reset, expected) in cases {
        let shown = format!("{found:?} {reset:?}");
        assert_eq!(says(found, registry, reset), expected, "{shown}");
    }
}

#[test]
fn the_foreground_says_only_that_an_agent_has_ended() {
    let facts = |ended, program: Option<&str>, shell| Facts {
        arguments: Vec::new(),
        exit_status: None,
        ended,
        program: program.map(|name| Program {
            name: name.into(),
            command: name.into(),
            folder: None,
            process: None,
            server: None,
        }),
        shell,
        columns: 80,
        cursor: None,
    };
    let ended = Ok(State::Ended);
    let cases = [
        (facts(true, Some("claude"), false), ended.clone()),
        (facts(false, Some("bash"), true), ended),
        (
            facts(false, Some("claude"), false),
            Err("`claude` is in front and runs".into()),
        ),
        (
            facts(false, None, false),
            Err("it is not known which program is in front".into()),
        ),
    ];
    for (facts, says) in cases {
        assert_eq!(Rung::foreground(&facts).says, says);
    }
}

#[test]
fn a_rung_is_shown_with_its_state_or_the_reason_for_none() {
    let shown = |rung: &Rung| serde_json::to_string(rung).unwrap();
    assert_eq!(
        shown(&Rung::screen(State::Idle, "line 3")),
        r#"{"rung":"screen","state":"idle","detail":"line 3"}"#
    );
    assert_eq!(
        shown(&rung(RungName::Registry, None)),
        r#"{"rung":"registry","silent":"nothing","detail":""}"#
    );
}
