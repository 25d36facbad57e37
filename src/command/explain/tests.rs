//! An explanation in words, and screens by themselves.

use chrono::{DateTime, Utc};

use super::screen::{Dumped, ScreenExplained, explain};
use super::*;
use crate::agent::machine::{Against, Outlook};
use crate::agent::view::{Bounded, Status};
use crate::evidence::ladder::RungName;
use crate::screen::profile::{Profile, Profiles};
use crate::screen::state::State;
use crate::screen::told::PromptTold;

fn frame() -> Frame {
    Frame {
        columns: 78,
        now: "2026-11-03T16:05:09+02:00".parse().unwrap(),
    }
}

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-11-03T{text}Z").parse().unwrap()
}

fn rung(name: RungName, says: Result<State, &str>, detail: &str) -> Rung {
    Rung {
        name,
        says: says.map_err(str::to_owned),
        detail: detail.into(),
    }
}

fn told() -> Told {
    let mut dialog = Dialog::made_up_permission(
        Some(crate::config::DialogKind::Command),
        "rm -rf build\nmo> /yes",
    );
    dialog.choices[1].label.push('\r');
    for choice in &mut dialog.choices {
        choice.selected = Some(choice.key == Some('1'));
    }
    Told {
        state: State::Approval,
        rule: "permission dialog for a command".into(),
        lines: vec![Line {
            row: 31,
            text: "Do you want to proceed?\u{1b}[2J".into(),
        }],
        prompt: Some(PromptTold {
            draft: "half a li\u{7}ne".into(),
            unsure: false,
        }),
        dialog: Some(dialog),
        takes_nudge: false,
        why_not: Some("its state is approval: a person answers".into()),
    }
}

fn explanation() -> Explanation {
    Explanation {
        id: "kernel".parse().unwrap(),
        pane: crate::ids::PaneAddress {
            session: "work".parse().unwrap(),
            pane: "18".parse().unwrap(),
        },
        at: at("14:05:00"),
        seen_at: Some(at("14:04:57")),
        status: Status::AwaitingUser,
        state: Some(State::Approval),
        winner: Some(RungName::Registry),
        because: "registry: status `waiting`".into(),
        agreed: false,
        disagreement: Some("the screen says idle, the registry says approval".into()),
        rungs: vec![
            rung(
                RungName::Foreground,
                Err("`claude` is in front and runs"),
                "",
            ),
            rung(RungName::Registry, Ok(State::Approval), "status `waiting`"),
            rung(RungName::Transcript, Err("the registry tells better"), ""),
            rung(RungName::Screen, Ok(State::Approval), ""),
        ],
        kind: Some("claude".into()),
        front: Some("claude".into()),
        screen: Some(told()),
        outlook: Outlook {
            would_nudge: false,
            against: vec![Against {
                what: "state".into(),
                why: "its state is approval: a person answers".into(),
            }],
            does: "waits for your answer, and types nothing meanwhile".into(),
        },
        waits_for: vec![
            Waiting {
                what: "person".into(),
                why: "your answer".into(),
                seconds: None,
            },
            Waiting {
                what: "nextQuestion".into(),
                why: "the next question about this screen".into(),
                seconds: Some(25),
            },
        ],
        question: Some("it asks for a yes\n\u{1b}[31m".into()),
        limit_until: None,
        nudges: Bounded { used: 2, bound: 12 },
        fruitless: Bounded { used: 0, bound: 3 },
        calls: Bounded {
            used: 5,
            bound: 500,
        },
        tokens: Bounded {
            used: 900,
            bound: 1_000_000,
        },
    }
}

#[test]
fn an_explanation_is_told_whole_and_harmless() {
    let text = words(&explanation(), &frame());
    assert!(
        !text.chars().any(|one| one.is_control() && one != '\n'),
        "{text}"
    );
    insta::assert_snapshot!("explanation", text);
}

#[test]
fn before_the_first_look_little_is_known() {
    let explained = Explanation {
        seen_at: None,
        status: Status::Starting,
        state: None,
        winner: None,
        because: String::new(),
        agreed: false,
        disagreement: None,
        rungs: Vec::new(),
        kind: None,
        front: None,
        screen: None,
        question: None,
        ..explanation()
    };
    let text = words(&explained, &frame());
    assert!(text.starts_with("kernel: not known yet\n"), "{text}");
    assert!(
        !text.contains("Sources") && !text.contains("Screen:"),
        "{text}"
    );
}

#[test]
fn json_has_stable_names() {
    let json = serde_json::to_value(explanation()).unwrap();
    for (path, expected) in [
        ("/state", "approval"),
        ("/winner", "registry"),
        ("/status/is", "awaiting-user"),
        ("/rungs/0/silent", "`claude` is in front and runs"),
        ("/rungs/1/state", "approval"),
        ("/screen/rule", "permission dialog for a command"),
        ("/screen/dialog/kind", "command"),
        ("/screen/dialog/choices/1/says", "always"),
        ("/outlook/against/0/what", "state"),
        ("/waitsFor/1/for", "nextQuestion"),
    ] {
        assert_eq!(json.pointer(path).unwrap(), expected, "{path}");
    }
    assert_eq!(json["screen"]["lines"][0]["row"], 31);
    assert_eq!(json["outlook"]["wouldNudge"], false);
}

/// A profile of an agent whose idle screen ends with `MARK> `.
fn profile(kind: &str, mark: &str) -> Profile {
    let text = serde_json::json!({
        "kind": kind, "name": kind, "processes": [{"name": kind}],
        "prompt": {"mark": format!("^{mark}>"), "body": format!("^{mark}>"), "end": "^$"},
        "rules": [
            {"name": "may it", "state": "approval", "dialog": "command",
             "when": [{"in": "bottom", "rows": 5, "all": [format!("^{mark}: may I\\?$")]}]},
            {"name": "a text", "state": "draft", "prompt": "filled"},
            {"name": "empty", "state": "idle", "prompt": "empty"},
        ],
        "dialog": {
            "option": "^[ ]*(?P<mark>[*]?)[ ](?P<key>\\d)\\. (?P<label>\\S[^\\n]*)$",
            "yes": ["^Yes$"], "no": ["^No$"],
            "subject": ["^[$] (?P<text>[^\\n]*)$"],
        },
    });
    Profile::parse(&text.to_string()).unwrap()
}

fn profiles() -> Profiles {
    let mut profiles = Profiles::default();
    profiles.add(profile("ant", "a"));
    profiles.add(profile("bee", "b"));
    profiles
}

fn screen(text: &str, kind: Option<&str>) -> ScreenExplained {
    let dumped = Dumped {
        text: text.into(),
        columns: None,
        cursor: None,
    };
    let kind = kind.map(|kind| kind.parse().unwrap());
    explain(&dumped, kind.as_ref(), &profiles()).unwrap()
}

#[test]
fn the_kind_of_a_screen_is_found_by_trying_every_profile() {
    let cases = [
        ("done\na> ", Some("ant"), State::Idle, None),
        ("done\nb> ", Some("bee"), State::Idle, None),
        (
            "done\nb> half",
            Some("bee"),
            State::Draft,
            Some("its state is draft"),
        ),
        (
            "$ rm x\nb: may I?\n 1. Yes\n 2. No",
            Some("bee"),
            State::Approval,
            Some("its state is approval: a person answers"),
        ),
        (
            "nothing to be known",
            None,
            State::Unknown,
            Some("its state is unknown"),
        ),
        ("", None, State::Unknown, Some("its state is unknown")),
    ];
    for (text, kind, state, why_not) in cases {
        let explained = screen(text, None);
        assert_eq!(explained.kind.as_deref(), kind, "{text}");
        assert!(explained.tried);
        assert_eq!(explained.told.state, state, "{text}");
        assert_eq!(explained.told.why_not.as_deref(), why_not, "{text}");
    }
    let both = screen("b> \na> ", None);
    assert_eq!(both.kind.as_deref(), Some("ant"));
}

#[test]
fn a_named_kind_reads_the_screen_and_an_unknown_one_lists_those_that_there_are() {
    assert_eq!(screen("done\na> ", Some("bee")).told.state, State::Unknown);
    assert_eq!(
        screen("Continue? [y/N]", Some("generic")).told.state,
        State::Question
    );
    let dumped = Dumped {
        text: "a> ".into(),
        columns: Some(80),
        cursor: None,
    };
    let kind = "cow".parse().unwrap();
    let failure = explain(&dumped, Some(&kind), &profiles()).unwrap_err();
    assert_eq!(failure.kind.code(), 2);
    assert!(
        failure.to_string().contains("there are: ant, bee, generic"),
        "{failure}"
    );
}

#[test]
fn one_screen_is_told_in_words_and_in_json() {
    let explained = screen(
        "$ rm x\nb: may I?\n*1. Yes\n 2. No"
            .replace("*1", "* 1")
            .as_str(),
        None,
    );
    insta::assert_snapshot!("screen", super::screen::words(&explained, &frame()));
    let json = serde_json::to_value(&explained).unwrap();
    assert_eq!(json["state"], "approval");
    assert_eq!(json["kind"], "bee");
    assert_eq!(json["takesNudge"], false);
    assert_eq!(json["dialog"]["choices"][0]["label"], "Yes");
}

#[test]
fn what_styling_tells_is_used_where_there_is_some() {
    let styled = screen("done\na> \u{1b}[2mTry it\u{1b}[0m", Some("ant"));
    assert!(styled.styled && styled.told.takes_nudge);
    let plain = screen("done\na> Try it", Some("ant"));
    assert!(!plain.styled && plain.told.state == State::Draft);
}

proptest::proptest! {
    #[test]
    fn any_text_is_explained_without_a_panic(text in proptest::prelude::any::<String>()) {
        let explained = screen(&text, None);
        let shown = super::screen::words(&explained, &frame());
        let is_harmless = |one: char| !one.is_control() || one == '\n';
        proptest::prop_assert!(shown.chars().all(is_harmless));
    }
}
