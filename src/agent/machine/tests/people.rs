//! People come first: drafts, cursors, holds; and the states that settle everything by themselves.

use super::super::*;
use super::{IDLE, Story, settings};
use crate::record::{Action, Receipt};

#[test]
fn states_that_decide_by_themselves_cost_no_call() {
    let free = [
        State::Working,
        State::Limit,
        State::Retrying,
        State::Compacting,
        State::Background,
        State::Ended,
        State::Queued,
        State::Draft,
        State::Menu,
        State::Approval,
        State::Trust,
        State::Login,
    ];
    for state in free {
        let mut story = Story::new(IDLE);
        story.state = Some(state);
        story.pass(7200.0);
        assert_eq!((story.asked(), story.typing()), (0, None), "{state}");
    }
    // the control: one that waits for its next text
    let mut story = Story::new(IDLE);
    story.state = Some(State::Idle);
    story.pass(60.0);
    assert_eq!(story.asked(), 1);
}

#[test]
fn somebody_at_work_in_the_prompt_holds_nudges_until_it_has_been_still_for_a_while() {
    let mut story = Story::new("● step 1 is done\n> half a sent");
    story.pass(120.0);
    assert_eq!(story.asked(), 0, "a draft");
    story.show(IDLE);
    story.pass(9.0);
    assert_eq!(story.asked(), 0);
    story.pass(60.0);
    assert_eq!(story.asked(), 1, "empty and still for long enough");
}

#[test]
fn a_verdict_that_comes_while_somebody_types_is_not_carried_out() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    let ticket = story.asks().expect("something is asked");
    story.show("● step 1 is done\n> half");
    story.pass(6.0);
    story.answer_to(ticket, Ok((Action::Instruct, "go on")));
    assert_eq!(story.typing(), None);
}

#[test]
fn what_is_held_or_stopped_is_neither_asked_about_nor_typed_to_and_goes_on_afterwards() {
    let mut story = Story::new(IDLE);
    let until = story.now().wall + Duration::from_mins(10);
    story.on(Event::Hold(Some(until)));
    story.pass(590.0);
    assert_eq!((story.asked(), story.typing()), (0, None));
    assert!(story.status().starts_with("held"), "{}", story.status());
    story.pass(1900.0);
    assert!(story.asked() >= 1, "the time is over");

    let mut story = Story::new(IDLE);
    story.on(Event::Hold(None));
    story.pass(3600.0);
    story.on(Event::Release);
    story.pass(60.0);
    assert_eq!(story.asked(), 1, "released");

    // a mission that is busy with it keeps nudges away too, and never ends the person's hold
    let mut story = Story::new(IDLE);
    story.on(Event::Reserve(true));
    story.pass(3600.0);
    assert_eq!((story.asked(), story.typing()), (0, None));
    story.on(Event::Hold(None));
    story.on(Event::Reserve(false));
    story.pass(3600.0);
    assert_eq!(story.asked(), 0);
    assert!(story.status().starts_with("held"), "{}", story.status());
    story.on(Event::Release);
    story.pass(60.0);
    assert_eq!(story.asked(), 1, "released by both");

    let mut stopped = settings();
    stopped.all_stopped = true;
    let mut story = Story::with(IDLE, stopped, Restored::default());
    story.pass(3600.0);
    assert_eq!((story.asked(), story.typing()), (0, None));
    let ticket = story.machine.reply_ticket();
    story.on(Event::Reply(ticket, "go on".into()));
    let refused = story.log.iter().any(|effect| {
        matches!(effect, Effect::Receipt(_, Receipt::Refused { why }) if why.contains("/startall"))
    });
    assert!(refused && story.typing().is_none());
}

#[test]
fn typing_that_is_stopped_everywhere_ends_at_once() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    story.answer(Ok((Action::Instruct, "go on")));
    assert!(story.typing().is_some());
    let mut stopped = story.machine.settings().clone();
    stopped.all_stopped = true;
    story.on(Event::Set(Box::new(stopped)));
    assert!(story.log.contains(&Effect::EndTyping));
}
