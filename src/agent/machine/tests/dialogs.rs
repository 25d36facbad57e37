//! Dialogs: asked about, answered by rules, answered by the person.

use std::sync::Arc;

use super::super::*;
use super::{IDLE, Story, settings};
use crate::config::{Approvals, Config, DialogKind};
use crate::record::{Delivery, Origin, Receipt};

fn rules(text: &str) -> Approvals {
    let config = format!(r#"{{"approvals": {text}, "agents": []}}"#);
    Config::parse(&config).unwrap().approval_rules()
}

fn dialog(command: &str) -> Dialog {
    Dialog::made_up_permission(Some(DialogKind::Command), command)
}

/// A story whose agent asks for `command`, under these rules.
fn asked_for(command: &str, approvals: &str) -> Story {
    let mut settings = settings();
    settings.approvals = Arc::new(rules(approvals));
    let mut story = Story::with(IDLE, settings, Restored::default());
    story.pass(6.0);
    asks(&mut story, command);
    story
}

fn asks(story: &mut Story, command: &str) {
    story.show(&format!("Run this command?\n{command}\n1. Yes"));
    story.state = Some(State::Approval);
    story.dialog = Some(dialog(command));
}

/// What was pressed last: whose, and which option.
fn pressed(story: &Story) -> Option<(Origin, usize, bool)> {
    let (_, typing) = story.typing()?;
    let answer = typing.answer?;
    Some((typing.origin, answer.choice, answer.by.is_person()))
}

const ALLOW_TESTS: &str = r#"[{"answer": "allow", "command": {"prefix": "cargo test"}}]"#;

fn delivered() -> Receipt {
    Receipt::Delivered(Delivery {
        proof: "the dialog closed".into(),
        presses: 1,
        gap_ms: 20,
    })
}

#[test]
fn without_a_rule_every_dialog_is_the_persons_and_costs_no_call() {
    let mut story = asked_for("cargo test", "[]");
    story.pass(120.0);
    assert_eq!((pressed(&story), story.asked()), (None, 0));
    assert_eq!(story.status(), "awaiting-user");
    let told: Vec<_> = story.told().into_iter().map(|(_, text)| text).collect();
    assert_eq!(
        told,
        [
            "it asks for a yes (command): `cargo test`. 1. Yes; 2. Yes, and don't ask again; 3. No. `/approve a1` or `/deny a1`"
        ]
    );
}

#[test]
fn what_goes_on_around_an_open_dialog_asks_no_second_time_and_another_dialog_does() {
    let mut story = asked_for("cargo test", "[]");
    story.pass(11.0);
    for tick in 0..4 {
        story.show(&format!(
            "a clock: {tick}\nRun this command?\ncargo test\n1. Yes"
        ));
        story.pass(5.0);
    }
    assert_eq!(
        (story.told().len(), story.status().as_str()),
        (1, "awaiting-user")
    );
    asks(&mut story, "cargo build");
    story.pass(11.0);
    assert_eq!(story.told().len(), 2);
}

#[test]
fn a_rule_answers_after_two_looks_with_yes_this_once_and_with_the_rule_on_record() {
    let mut story = asked_for("cargo test -p parser", ALLOW_TESTS);
    story.pass(5.0);
    assert_eq!(pressed(&story), None, "one look is not enough");
    story.pass(5.0);
    assert_eq!(pressed(&story), Some((Origin::Rule, 0, false)));
    let (ticket, _) = story.typing().unwrap();
    story.state = Some(State::Working);
    story.dialog = None;
    story.on(Event::Typed(ticket, delivered()));
    let memo = story.memos().pop().unwrap();
    assert!(
        memo.starts_with("answer: Yes — to: cargo test -p parser"),
        "{memo}"
    );
    let mut reasons = story.log.iter().filter_map(|effect| match effect {
        Effect::Remember(memo) => Some(memo.reasoning.as_str()),
        _ => None,
    });
    assert_eq!(
        reasons.next_back(),
        Some("approvals[0]: allow command beginning with `cargo test`, every agent")
    );
    assert_eq!(story.asked(), 0, "no model was asked");
}

#[test]
fn what_a_rule_does_not_plainly_mean_goes_to_the_person_with_the_reason() {
    let deny = r#"[{"answer": "allow", "command": {"prefix": "cargo"}}, {"answer": "deny", "command": {"prefix": "cargo publish"}}]"#;
    let cases = [
        ("cargo test; rm -rf /", ALLOW_TESTS, None),
        ("cargo test > /etc/passwd", ALLOW_TESTS, None),
        ("cargo build", ALLOW_TESTS, None),
        ("cargo publish", deny, Some((Origin::Rule, 2, false))),
        ("cargo test", deny, Some((Origin::Rule, 0, false))),
    ];
    for (command, approvals, expected) in cases {
        let mut story = asked_for(command, approvals);
        story.pass(11.0);
        assert_eq!(pressed(&story), expected, "{command}");
        if expected.is_none() {
            assert_eq!(story.status(), "awaiting-user", "{command}");
        }
    }
}

#[test]
fn a_command_that_is_not_wholly_known_goes_to_the_person() {
    let mut story = asked_for("cargo test -p", ALLOW_TESTS);
    if let Some(dialog) = &mut story.dialog {
        dialog.whole = false;
    }
    story.pass(60.0);
    assert_eq!(
        (pressed(&story), story.status().as_str()),
        (None, "awaiting-user")
    );
}

#[test]
fn a_rule_answers_one_dialog_once() {
    let mut story = asked_for("cargo test", ALLOW_TESTS);
    story.pass(11.0);
    let (ticket, _) = story.typing().unwrap();
    story.on(Event::Typed(
        ticket,
        Receipt::Refused {
            why: "the dialog is not the one that was judged".into(),
        },
    ));
    story.log.clear();
    story.pass(60.0);
    assert_eq!(
        (pressed(&story), story.status().as_str()),
        (None, "awaiting-user")
    );
    let question = story.machine.counters.question.as_ref().unwrap();
    let why = "(a rule would have answered it, but pressed no key: the dialog is not the one that was judged)";
    assert!(question.text.ends_with(why), "{}", question.text);
}

#[test]
fn an_answer_that_may_stand_unsent_is_told_and_is_no_text_of_ours_in_a_prompt() {
    let mut story = asked_for("cargo test", ALLOW_TESTS);
    story.pass(11.0);
    let (ticket, _) = story.typing().unwrap();
    let why = "the dialog is still open after its key".to_owned();
    let left_over = true;
    story.on(Event::Typed(ticket, Receipt::Unproven { why, left_over }));
    let (_, told) = story.told().pop().unwrap();
    let starts = "this answer may stand unsent in its dialog, or elsewhere in its pane: `Yes";
    assert!(told.starts_with(starts), "{told}");
    let question = story.machine.counters.question.clone().unwrap();
    assert_eq!(question.left_over, None);
}

#[test]
fn while_typing_is_stopped_held_or_only_observed_no_rule_answers() {
    type Change = fn(&mut Story);
    let cases: [Change; 3] = [
        |story| {
            let mut settings = story.machine.settings().clone();
            settings.all_stopped = true;
            story.on(Event::Set(Box::new(settings)));
        },
        |story| story.on(Event::Hold(None)),
        |story| {
            let mut settings = story.machine.settings().clone();
            settings.agent.observe = true;
            story.on(Event::Set(Box::new(settings)));
        },
    ];
    for change in cases {
        let mut story = asked_for("cargo test", ALLOW_TESTS);
        change(&mut story);
        story.pass(60.0);
        assert_eq!(
            (pressed(&story), story.status().as_str()),
            (None, "awaiting-user")
        );
    }
}

#[test]
fn trust_and_login_are_never_answered_by_a_rule() {
    let any =
        r#"[{"answer": "allow", "kinds": ["command", "fileEdit", "plan", "tool", "apiKey"]}]"#;
    for state in [State::Trust, State::Login, State::Question] {
        let mut story = asked_for("cargo test", any);
        story.state = Some(state);
        story.pass(60.0);
        assert_eq!(
            (pressed(&story), story.status().as_str()),
            (None, "awaiting-user"),
            "{state}"
        );
    }
    // the control: the same rule answers an approval
    let mut story = asked_for("cargo test", any);
    story.pass(11.0);
    assert_eq!(pressed(&story), Some((Origin::Rule, 0, false)));
}

#[test]
fn the_person_chooses_any_option_by_key_or_words() {
    let cases = [
        (Wish::Approve(None), Ok(0)),
        (Wish::Approve(Some("2".into())), Ok(1)),
        (Wish::Deny, Ok(2)),
        (Wish::Choose("no".into()), Ok(2)),
        (Wish::Choose("4".into()), Err("there is no option `4`")),
    ];
    for (wish, expected) in cases {
        let mut story = asked_for("cargo test", "[]");
        story.pass(11.0);
        let ticket = story.machine.reply_ticket();
        story.on(Event::Answer(ticket, wish.clone()));
        match expected {
            Ok(choice) => {
                assert_eq!(
                    pressed(&story),
                    Some((Origin::Person, choice, true)),
                    "{wish:?}"
                );
            }
            Err(why) => {
                assert_eq!(pressed(&story), None, "{wish:?}");
                let refused = story.log.iter().any(|effect| {
                    matches!(effect, Effect::Receipt(_, Receipt::Refused { why: said }) if said.contains(why))
                });
                assert!(refused, "{wish:?}");
            }
        }
    }
}

const WORKTREE: &str = "/r/.worktrees/notes/cli";

/// The dialog that asks whether it may work in `folder`, as the screen shows the path.
fn trust(folder: &str) -> Dialog {
    let mut dialog = Dialog::made_up_permission(None, folder);
    dialog.choices.remove(1);
    dialog
}

/// A worker of a mission that asks whether it may work in `named`, and works in `works_in`.
fn asked_to_trust(named: &str, works_in: Option<&str>, charged: bool) -> Story {
    let mut settings = settings();
    // rules say nothing about trust
    settings.approvals = Arc::new(rules(
        r#"[{"answer": "allow", "kinds": ["command", "fileEdit", "plan", "tool", "apiKey"]}]"#,
    ));
    settings.charge = charged.then(|| {
        Arc::new(Charge {
            on: "notes/cli".into(),
            trusts: WORKTREE.into(),
        })
    });
    let mut story = Story::with(IDLE, settings, Restored::default());
    story.front.folder = works_in.map(Into::into);
    story.show("Is this a folder that you trust?");
    story.state = Some(State::Trust);
    story.dialog = Some(trust(named));
    story.pass(11.0);
    story
}

#[test]
fn a_missions_yes_answers_the_trust_dialog_of_its_workers_folder_and_nothing_else() {
    let here = Some(WORKTREE);
    let yes = Some((Origin::Rule, 0, false));
    let cases = [
        (WORKTREE, here, true, yes),
        // a long path is broken at the edge of the pane
        ("/r/.worktrees/no\ntes/cli", here, true, yes),
        // the harm without the rule: another folder would be trusted
        ("/r", here, true, None),
        ("/r/.worktrees/notes", here, true, None),
        ("/r/.worktrees/notes/cli2", here, true, None),
        ("/r/.worktrees/notes/cli/..", here, true, None),
        ("/r/.worktrees/notes/CLI", here, true, None),
        ("", here, true, None),
        // the dialog says one folder, the system another
        (WORKTREE, Some("/r"), true, None),
        (WORKTREE, None, true, None),
        // an agent of the person's
        (WORKTREE, here, false, None),
    ];
    for (named, works_in, charged, expected) in cases {
        let story = asked_to_trust(named, works_in, charged);
        assert_eq!(
            pressed(&story),
            expected,
            "{named:?} {works_in:?} {charged}"
        );
        if expected.is_none() {
            assert_eq!(story.status(), "awaiting-user", "{named:?}");
        }
    }
}

#[test]
fn the_missions_yes_is_used_once_and_waits_for_whoever_holds_the_agent() {
    let mut story = asked_to_trust(WORKTREE, Some(WORKTREE), true);
    let (ticket, _) = story.typing().unwrap();
    story.on(Event::Typed(ticket, delivered()));
    story.log.clear();
    story.pass(30.0);
    assert_eq!(
        pressed(&story),
        None,
        "it is open again: the person sees it"
    );
    assert_eq!(story.status(), "awaiting-user");

    let mut held = asked_to_trust("/elsewhere", Some(WORKTREE), true);
    held.on(Event::Hold(None));
    held.dialog = Some(trust(WORKTREE));
    held.show("Is this a folder that you trust? Another one.");
    held.pass(30.0);
    assert_eq!(pressed(&held), None);
}

#[test]
fn a_worker_says_what_it_works_on_and_its_other_dialogs_are_the_persons() {
    let mut story = asked_to_trust(WORKTREE, Some(WORKTREE), true);
    let view = story.machine.view(story.now());
    assert_eq!(view.mission.as_deref(), Some("notes/cli"));
    let (ticket, _) = story.typing().unwrap();
    story.on(Event::Typed(ticket, delivered()));
    story.log.clear();
    for state in [State::Question, State::Login] {
        story.show(&format!("another dialog: {state}"));
        story.state = Some(state);
        story.pass(11.0);
        assert_eq!(pressed(&story), None, "{state}");
    }
}
