//! What the log tells of looks, and of an agent that is gone.

use super::*;
use crate::record::{BACK, GONE};

/// What a line of the log tells: its step, and how many looks there were since the line before.
fn lines(story: &Story) -> Vec<(String, u64)> {
    let notes = story.log.iter().filter_map(|effect| match effect {
        Effect::Note(line) => Some(line),
        _ => None,
    });
    notes
        .map(|line| {
            let word = match &line.step {
                Step::Counted { why } => why.clone(),
                Step::Asked { .. } => "asked".into(),
                _ => "other".into(),
            };
            (word, line.looks.unwrap())
        })
        .collect()
}

#[test]
fn every_look_stands_in_the_log_once_each_hour_and_at_the_end() {
    let mut story = Story::new("working 0\n");
    for second in 0..7_300 {
        story.show(&format!("working {second}\n"));
        story.pass(1.0);
    }
    story.on(Event::Quit);
    let lines = lines(&story);
    let words: Vec<&str> = lines.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(
        words,
        [
            "an hour of watching",
            "an hour of watching",
            "the supervisor ends"
        ]
    );
    let looks: u64 = lines.iter().map(|(_, looks)| looks).sum();
    assert_eq!(looks, story.machine.view(story.now()).polls);
    assert!(looks > 1_400, "{looks}");
}

#[test]
fn an_end_without_a_look_leaves_no_line() {
    let mut story = Story::new("");
    story.on(Event::Quit);
    assert_eq!(lines(&story), []);
}

#[test]
fn an_agent_that_is_gone_and_comes_back_stands_in_the_log_once_each() {
    let mut story = Story::new("working\n");
    story.pass(6.0);
    for _ in 0..3 {
        story.on(Event::Unseen(Trouble::Gone("closed".into())));
    }
    story.pass(60.0);
    let words: Vec<String> = lines(&story).into_iter().map(|(word, _)| word).collect();
    assert_eq!(words[..2], [format!("{GONE}closed"), BACK.to_owned()]);
    assert!(
        !words[2..]
            .iter()
            .any(|word| word == BACK || word.starts_with(GONE))
    );
}
