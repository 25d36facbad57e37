//! What the rules tell of themselves, and how a person answers dialogs.

use std::borrow::Cow;

use super::*;
use crate::screen::recognise::Says;

fn explained(story: &Story) -> Explanation {
    let explained = story.machine.explain(story.now());
    // it also goes to other processes
    let written = serde_json::to_string(&explained).unwrap();
    let read: Explanation = serde_json::from_str(&written).unwrap();
    assert_eq!(read, explained);
    explained
}

/// What the rules themselves say is one of their own words.
fn word(what: Cow<'static, str>) -> &'static str {
    match what {
        Cow::Borrowed(word) => word,
        Cow::Owned(other) => panic!("{other} was read from somewhere"),
    }
}

fn against(story: &Story) -> Vec<&'static str> {
    let explained = explained(story);
    assert_eq!(
        explained.outlook.would_nudge,
        explained.outlook.against.is_empty()
    );
    let all = explained.outlook.against.iter();
    all.map(|against| word(against.what.clone())).collect()
}

fn waits(story: &Story) -> Vec<(&'static str, Option<u64>)> {
    let waits = explained(story).waits_for;
    let waits = waits
        .iter()
        .map(|wait| (word(wait.what.clone()), wait.seconds));
    waits.collect()
}

fn permission(subject: &str) -> Dialog {
    Dialog::made_up_permission(None, subject)
}

fn in_dialog(subject: &str) -> Story {
    let mut story = Story::new("● working\n> ");
    story.pass(1.0);
    open(&mut story, subject);
    story
}

fn open(story: &mut Story, subject: &str) {
    story.show(&format!("● working\nRun {subject}?\n> "));
    story.state = Some(State::Approval);
    story.dialog = Some(permission(subject));
}

fn answers_with(story: &mut Story, wish: Wish) -> Result<String, String> {
    let before = story.log.len();
    let ticket = story.machine.reply_ticket();
    story.on(Event::Answer(ticket, wish));
    let said = story.log[before..].iter().find_map(|effect| match effect {
        Effect::Type(_, typing) => {
            let answer = typing.answer.as_ref().unwrap();
            Some(Ok(answer.dialog.choices[answer.choice].label.clone()))
        }
        Effect::Receipt(_, Receipt::Refused { why }) => Some(Err(why.clone())),
        _ => None,
    });
    said.expect("it is answered or refused")
}

#[test]
fn an_idle_agent_would_be_nudged_and_says_when_it_is_asked_about() {
    let mut story = Story::new("● step 1 is done\n> ");
    assert_eq!(against(&story), ["unread"]);
    assert_eq!(waits(&story), [("look", None)]);
    story.pass(10.0);
    assert_eq!(against(&story), [""; 0]);
    let told = explained(&story);
    assert_eq!(told.state, Some(State::Idle));
    assert!(told.agreed && told.rungs.len() == 4);
    assert_eq!(
        told.outlook.does,
        "leaves it alone: its screen changed 10 s ago"
    );
    assert_eq!(waits(&story), [("stall", Some(20)), ("look", None)]);
    story.pass(21.0);
    assert_eq!(waits(&story)[0], ("verdict", None));
    assert_eq!(
        explained(&story).outlook.does,
        "asks openaiCompat what to do"
    );
    story.answer(Ok((Action::Continue, "")));
    assert_eq!(waits(&story)[0].0, "nextQuestion");
    assert_eq!(
        explained(&story).outlook.does,
        "leaves it alone; openaiCompat is asked about it again later"
    );
}

#[test]
fn everything_that_speaks_against_a_nudge_is_told_with_a_stable_word() {
    type Change = fn(&mut Story);
    let cases: [(Change, &[&str]); 9] = [
        (|story| story.on(Event::Stop), &["stopped"]),
        (|story| story.on(Event::Hold(None)), &["hold"]),
        (|story| story.on(Event::Reserve(true)), &["mission"]),
        (
            |story| {
                let mut all = settings();
                all.all_stopped = true;
                story.on(Event::Set(Box::new(all)));
            },
            &["stopall"],
        ),
        (
            |story| {
                let mut observed = settings();
                observed.agent.observe = true;
                story.on(Event::Set(Box::new(observed)));
            },
            &["observe"],
        ),
        (
            |story| story.on(Event::Log(Err("the disk is full".into()))),
            &["log"],
        ),
        (
            |story| story.on(Event::Unseen(Trouble::NoAnswer("zellij is wedged".into()))),
            &["unread"],
        ),
        (
            |story| {
                story.show("● step 1 is done\n> half a line");
                story.pass(5.0);
            },
            &["person", "prompt"],
        ),
        (
            |story| {
                story.front = claude(8);
                story.pass(5.0);
            },
            &["program"],
        ),
    ];
    for (change, expected) in cases {
        let mut story = Story::new("● step 1 is done\n> ");
        story.pass(6.0);
        assert_eq!(against(&story), [""; 0], "the control: {expected:?}");
        change(&mut story);
        assert_eq!(against(&story), expected);
        let json = serde_json::to_value(explained(&story)).unwrap();
        assert_eq!(json["outlook"]["against"][0]["what"], expected[0]);
        assert_eq!(json["outlook"]["wouldNudge"], false);
    }
}

#[test]
fn a_dialog_is_explained_with_its_options_and_who_answers_it() {
    let mut story = in_dialog("make test");
    story.pass(5.0);
    assert_eq!(against(&story), ["state"]);
    let told = explained(&story);
    assert_eq!(
        told.outlook.against[0].why,
        "its state is approval: a person answers"
    );
    assert_eq!(
        told.outlook.does,
        "types nothing: its state is approval: a person answers"
    );
    let json = serde_json::to_value(&told).unwrap();
    assert_eq!(json["state"], "approval");
    assert_eq!(json["winner"], "screen");
    assert_eq!(json["screen"]["dialog"]["subject"], "make test");
    assert_eq!(json["screen"]["dialog"]["choices"][2]["says"], "no");
    assert_eq!(json["rungs"][0]["rung"], "foreground");
    story.pass(10.0);
    assert_eq!(against(&story), ["question", "state"]);
    assert!(
        explained(&story)
            .outlook
            .does
            .starts_with("waits for your answer")
    );
    assert_eq!(waits(&story)[0], ("person", None));
}

#[test]
fn a_hold_and_a_limit_say_until_when() {
    let mut story = Story::new("● step 1 is done\n> ");
    story.pass(6.0);
    let until = story.now().wall + chrono::TimeDelta::minutes(5);
    story.on(Event::Hold(Some(until)));
    assert_eq!(waits(&story)[0], ("release", Some(300)));
    assert!(
        story.status().starts_with("held until"),
        "{}",
        story.status()
    );
    story.pass(301.0);
    assert!(against(&story).is_empty(), "the hold is over by itself");
    story.on(Event::Hold(None));
    assert_eq!(waits(&story)[0], ("release", None));
    story.on(Event::Release);
    assert!(against(&story).is_empty());
}

#[test]
fn a_hold_ends_a_nudge_that_is_being_typed_and_leaves_a_persons_text_alone() {
    let mut story = Story::new("● step 1 is done\n> ");
    story.pass(31.0);
    story.answer(Ok((Action::Instruct, "Go on with step 2")));
    story.on(Event::Hold(None));
    assert!(matches!(story.log.last(), Some(Effect::Note(_))));
    assert!(story.log.contains(&Effect::EndTyping));
    let (ticket, _) = story.typing().unwrap();
    let why = "it was stopped before the first key".into();
    story.on(Event::Typed(ticket, Receipt::Refused { why }));
    story.log.clear();
    let ticket = story.machine.reply_ticket();
    story.on(Event::Reply(ticket, "my own words".into()));
    assert!(
        story.typing().is_some(),
        "a hold holds nudges, not the person"
    );
    story.on(Event::Hold(None));
    assert!(!story.log.contains(&Effect::EndTyping));
}

#[test]
fn options_are_chosen_by_key_number_or_words_and_nothing_else_is_a_choice() {
    let yes = |option: &str| Wish::Approve(Some(option.into()));
    let choose = |option: &str| Wish::Choose(option.into());
    let cases = [
        (Wish::Approve(None), Ok("Yes")),
        (yes("1"), Ok("Yes")),
        (yes("2."), Ok("Yes, and don't ask again")),
        (
            yes("yes, and DON'T ask again"),
            Ok("Yes, and don't ask again"),
        ),
        (yes("3"), Err("option `3` says no")),
        (yes("no"), Err("option `no` says no")),
        (Wish::Deny, Ok("No")),
        (choose("3"), Ok("No")),
        (choose("No"), Ok("No")),
        (choose("4"), Err("there is no option `4`")),
        (
            choose("Use Postgres"),
            Err("Other words are not typed into this dialog"),
        ),
        (choose(""), Err("there is no option")),
        (choose("y"), Err("there is no option `y`")),
    ];
    for (wish, expected) in cases {
        let mut story = in_dialog("make test");
        story.pass(15.0);
        match (answers_with(&mut story, wish.clone()), expected) {
            (Ok(label), Ok(expected)) => assert_eq!(label, expected, "{wish:?}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{wish:?}: {why}"),
            (came, expected) => panic!("{wish:?}: {came:?}, not {expected:?}"),
        }
    }
}

#[test]
fn words_go_where_a_dialog_takes_words_and_what_names_an_option_is_that_option() {
    let long = "MariaDB ".repeat(100);
    let cases = [
        ("2", Ok(("SQLite", None))),
        ("sqlite.", Ok(("SQLite", None))),
        ("Use MariaDB", Ok(("Type something.", Some("Use MariaDB")))),
        (
            "1 replica,\n2 readers\u{1b}[201~\r",
            Ok(("Type something.", Some("1 replica, 2 readers[201~"))),
        ),
        ("42", Ok(("Type something.", Some("42")))),
        ("3", Err("takes words")),
        ("type something", Err("takes words")),
        ("7", Err("there is no option `7`")),
        ("y", Err("there is no option `y`")),
        ("", Err("the text is empty")),
        ("\u{1b}\r", Err("the text is empty")),
        ("!ls", Err("begins with `!`")),
        (&long, Err("the answer has 799 characters, more than 400")),
    ];
    for (option, expected) in cases {
        let mut story = in_dialog("make test");
        story.state = Some(State::Question);
        let options = [
            ('1', "Postgres", Says::Other),
            ('2', "SQLite", Says::Other),
            ('3', "Type something.", Says::Words),
        ];
        story.dialog = Some(Dialog::made_up(None, "Which database?", &options));
        story.pass(15.0);
        let came = answers_with(&mut story, Wish::Choose(option.into()));
        let words = story.typing().and_then(|(_, typing)| typing.answer?.words);
        match (came, expected) {
            (Ok(label), Ok((expected, said))) => {
                assert_eq!(
                    (label.as_str(), words.as_deref()),
                    (expected, said),
                    "{option:?}"
                );
            }
            (Err(why), Err(part)) => assert!(why.contains(part), "{option:?}: {why}"),
            (came, expected) => panic!("{option:?}: {came:?}, not {expected:?}"),
        }
    }
}

#[test]
fn letters_may_be_keys_and_then_numbers_count_from_above() {
    let mut story = in_dialog("make test");
    let dialog = story.dialog.as_mut().unwrap();
    for (choice, key) in dialog.choices.iter_mut().zip(['y', 'a', 'n']) {
        choice.key = Some(key);
    }
    story.pass(15.0);
    assert_eq!(
        answers_with(&mut story, Wish::Choose("3".into())),
        Ok("No".into())
    );
}

#[test]
fn a_persons_yes_is_for_the_dialog_that_they_were_shown_and_no_other() {
    let mut story = in_dialog("make test");
    story.pass(15.0);
    open(&mut story, "rm -rf build");
    story.pass(4.5);
    for _ in 0..2 {
        let why = answers_with(&mut story, Wish::Approve(None)).unwrap_err();
        assert!(
            why.contains("only just now") && why.contains("rm -rf build"),
            "{why}"
        );
    }
    // by now they have read it
    story.pass(1.0);
    assert_eq!(
        answers_with(&mut story, Wish::Approve(None)),
        Ok("Yes".into())
    );
}

#[test]
fn nothing_is_answered_where_nothing_may_be_pressed() {
    type Change = fn(&mut Story);
    let cases: [(Change, &str); 5] = [
        (|story| story.on(Event::Stop), "is not watched"),
        (
            |story| {
                let mut all = settings();
                all.all_stopped = true;
                story.on(Event::Set(Box::new(all)));
            },
            "`/startall` first",
        ),
        (
            |story| {
                let mut observed = settings();
                observed.agent.observe = true;
                story.on(Event::Set(Box::new(observed)));
            },
            "while observing",
        ),
        (
            |story| story.on(Event::Log(Err("the disk is full".into()))),
            "the disk is full",
        ),
        (
            |story| {
                story.dialog = None;
                story.pass(5.0);
            },
            "no dialog with options is open",
        ),
    ];
    for (change, part) in cases {
        let mut story = in_dialog("make test");
        story.pass(15.0);
        change(&mut story);
        let why = answers_with(&mut story, Wish::Approve(None)).unwrap_err();
        assert!(why.contains(part), "{why}");
    }
}
