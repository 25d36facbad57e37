//! Whether nudges helped.

use std::sync::Arc;

use super::super::*;
use super::{IDLE, Story};
use crate::evidence::Own;
use crate::evidence::registry::{Entry, Missing, Status};
use crate::evidence::transcript::{LastRecord, Mark, RecordKind, Tail};
use crate::host::process::ProcessIdentity;
use crate::record::{Action, Delivery, Receipt};

fn delivered() -> Receipt {
    Receipt::Delivered(Delivery {
        proof: "the transcript has it".into(),
        presses: 1,
        gap_ms: 20,
    })
}

fn own(status: Status, answer: &str, tool: &str) -> Own {
    Own {
        registry: Ok(Entry::made_up(
            ProcessIdentity { pid: 7, started: 1 },
            status,
        )),
        transcript: Ok(Arc::new(Tail {
            mark: Mark {
                file: "/t".into(),
                length: 1,
                record: None,
                answer: Some(answer.into()),
                tool: Some(tool.into()),
            },
            last: LastRecord {
                kind: RecordKind::TurnEnd,
                id: None,
                at: None,
                text: String::new(),
            },
            turn_ended: true,
            tokens_used: None,
            rate_limit: None,
            failure: None,
            context_full: false,
            pending_tools: Vec::new(),
        })),
        meter: None,
    }
}

fn work(commit: &str) -> WorkMark {
    WorkMark {
        commit: Some(commit.into()),
        changes: 0,
        changed_files: 0,
    }
}

/// A nudge is typed and delivered, `after` happens, and the screen stands still again. How many nudges in a row
/// then led to nothing, of `before`.
fn count_after(before: u32, after: impl FnOnce(&mut Story)) -> u32 {
    let restored = Restored {
        counters: Counters {
            fruitless: before,
            ..Counters::default()
        },
        ..Restored::default()
    };
    let mut story = Story::with(IDLE, super::settings(), restored);
    story.own = Some(own(Status::Idle, "a1", "t1"));
    story.work = Some(work("c1"));
    story.pass(31.0);
    story.answer(Ok((Action::Instruct, "go on")));
    let (ticket, _) = story.typing().expect("something is typed");
    story.on(Event::Typed(ticket, delivered()));
    after(&mut story);
    story.pass(90.0);
    story.machine.view(story.now()).fruitless.used
}

#[test]
fn work_refills_the_bound_and_words_do_not() {
    let answered = |story: &mut Story, tool: &str| {
        story.show("● step 1 is done\n● Yes, I could go on.\n> ");
        story.own = Some(own(Status::Idle, "a2", tool));
    };
    assert_eq!(count_after(1, |story| answered(story, "t2")), 0, "a tool");
    assert_eq!(count_after(1, |story| answered(story, "t1")), 1, "words");
    assert_eq!(
        count_after(1, |story| story.work = Some(work("c2"))),
        0,
        "a commit"
    );
    assert_eq!(count_after(1, |_| ()), 2, "nothing");
    let moved = |story: &mut Story| story.show("\n● step 1 is done\n> ");
    assert_eq!(count_after(1, moved), 2, "the screen merely moved");
}

#[test]
fn a_turn_that_runs_for_a_while_is_work_and_a_short_one_is_not() {
    let busy_for = |seconds| {
        count_after(1, move |story| {
            story.own = Some(own(Status::Busy, "a1", "t1"));
            story.state = Some(State::Working);
            story.pass(seconds);
            story.own = Some(own(Status::Idle, "a1", "t1"));
            story.state = None;
        })
    };
    assert_eq!((busy_for(6.0), busy_for(60.0)), (2, 0));
}

#[test]
fn of_an_agent_without_a_transcript_new_lines_are_all_that_can_be_known() {
    let silent = || Own {
        registry: Err(Missing::new("none")),
        transcript: Err(Missing::new("none")),
        meter: None,
    };
    let after = |screen: &'static str| {
        let restored = Restored {
            counters: Counters {
                fruitless: 1,
                ..Counters::default()
            },
            ..Restored::default()
        };
        let mut story = Story::with(IDLE, super::settings(), restored);
        story.own = Some(silent());
        story.pass(31.0);
        story.nudge("go on", delivered(), screen);
        story.pass(60.0);
        story.machine.view(story.now()).fruitless.used
    };
    assert_eq!(after("● step 1 is done\n● step 2 is done\n> "), 0);
    assert_eq!(after("● step 1 is done\n> go on\n> "), 2, "the echo");
}
