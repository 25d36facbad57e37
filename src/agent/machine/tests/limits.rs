//! Usage limits: parked until the reset, then left to itself, else nudged once.

use std::sync::Arc;

use super::super::*;
use super::{IDLE, Story, settings};
use crate::evidence::Own;
use crate::evidence::registry::Missing;
use crate::evidence::transcript::{LastRecord, Mark, RateLimit, RecordKind, Tail};
use crate::record::{Delivery, Receipt};

const TEXT: &str = "You've hit your session limit · resets 3:21am (UTC)";
/// From midnight to the reset.
const RESET: f64 = 3.0 * 3600.0 + 21.0 * 60.0;

/// A transcript that ends at a limit, reached at midnight.
fn at_limit(story: &Story) -> Own {
    let at = Some(story.now().wall);
    Own {
        registry: Err(Missing::new("none")),
        transcript: Ok(Arc::new(Tail {
            mark: Mark {
                file: "/t".into(),
                length: 1,
                record: None,
                answer: None,
                tool: None,
            },
            last: LastRecord {
                kind: RecordKind::Assistant,
                id: None,
                at,
                text: TEXT.into(),
            },
            turn_ended: true,
            tokens_used: None,
            rate_limit: Some(RateLimit {
                text: TEXT.into(),
                at,
            }),
            failure: Some(TEXT.into()),
            context_full: false,
            pending_tools: Vec::new(),
        })),
        meter: None,
    }
}

fn parked(stagger: Duration) -> Story {
    let mut settings = settings();
    settings.stagger = stagger;
    let mut story = Story::with(IDLE, settings, Restored::default());
    story.own = Some(at_limit(&story));
    story
}

#[test]
fn an_agent_at_its_limit_is_parked_without_calls_and_nudged_once_after_the_reset() {
    let mut story = parked(Duration::from_secs(40));
    story.pass(RESET);
    assert_eq!((story.asked(), story.typing()), (0, None));
    assert!(
        story.status().starts_with("limit until "),
        "{}",
        story.status()
    );
    assert_eq!(story.told().len(), 1, "{:?}", story.told());
    // a minute to go on by itself, and its place among those that share the limit
    story.pass(95.0);
    assert_eq!(story.typing(), None);
    story.pass(15.0);
    let (ticket, typing) = story.typing().expect("the one nudge");
    assert_eq!(
        typing.text,
        "The usage limit has been reset. Please go on where you stopped."
    );
    let delivered = Receipt::Delivered(Delivery {
        proof: "the transcript has it".into(),
        presses: 1,
        gap_ms: 20,
    });
    // it does not help: there is no second one
    story.on(Event::Typed(ticket, delivered));
    story.log.clear();
    story.pass(20.0);
    assert_eq!((story.asked(), story.typing()), (0, None));
}

#[test]
fn in_a_dialog_about_its_limit_an_agent_waits_for_the_person_and_is_nudged_after_their_answer() {
    let mut story = parked(Duration::ZERO);
    story.state = Some(State::Limit);
    story.show(
        "What do you want to do?\n\n  1. Stop and wait for limit to reset\n  2. Upgrade your plan\n\nEnter to confirm.",
    );
    story.promptless = true;
    story.pass(RESET + 3600.0);
    assert_eq!((story.asked(), story.typing()), (0, None));
    let told = story.told();
    let about = told
        .iter()
        .filter(|text| text.1.contains("once you have answered there"));
    assert_eq!(about.count(), 1, "{told:?}");
    story.show(IDLE);
    story.promptless = false;
    story.pass(10.0);
    assert!(story.typing().is_some());
}

#[test]
fn an_agent_that_goes_on_by_itself_is_left_to_it() {
    let mut story = parked(Duration::ZERO);
    story.pass(RESET + 20.0);
    story.own = None;
    story.state = Some(State::Working);
    story.show("● on it again\n> ");
    story.pass(300.0);
    assert_eq!((story.asked(), story.typing()), (0, None));
    assert_eq!(story.status(), "running");
}

#[test]
fn while_nudges_are_held_none_is_typed_after_the_reset() {
    let mut story = parked(Duration::ZERO);
    story.on(Event::Hold(None));
    story.pass(RESET + 3600.0);
    assert_eq!(story.typing(), None);
}

#[test]
fn a_limit_outlives_a_restart() {
    let mut story = parked(Duration::ZERO);
    story.pass(60.0);
    let counters = story
        .log
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::Note(line) => Some(line.counters.clone()),
            _ => None,
        })
        .unwrap();
    let restored = Restored {
        counters,
        ..Restored::default()
    };
    let mut next = Story::with(IDLE, settings(), restored);
    next.state = Some(State::Limit);
    next.seconds = RESET - 60.0;
    next.next_poll = next.seconds;
    next.pass(100.0);
    assert_eq!((next.asked(), next.typing()), (0, None));
    next.pass(60.0);
    assert!(next.typing().is_some(), "{}", next.status());
}
