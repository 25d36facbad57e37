use proptest::prelude::*;

use super::*;
use crate::command::when::tests::clock;
use crate::record::sample::{asked, delivered, memo, night, receipt, review, step};
use crate::record::stats::Counting;
use crate::record::{Origin, Receipt};

fn frame(columns: usize) -> Frame {
    let clock = clock();
    Frame {
        columns,
        now: clock.local(clock.now),
    }
}

fn counted(entries: &[Entry]) -> Stats {
    let clock = clock();
    let mut counting = Counting::new(clock.zone, None, None);
    for entry in entries {
        counting.take(entry);
    }
    counting.end(clock.now)
}

fn two_agents() -> Vec<(AgentId, Stats)> {
    let shorter = night()[..5].to_vec();
    vec![
        ("docs".parse().unwrap(), counted(&shorter)),
        ("kernel".parse().unwrap(), counted(&night())),
    ]
}

#[test]
fn records_are_shown_with_what_came_of_them() {
    let shown: String = night()
        .iter()
        .map(|entry| record(entry, &frame(72)))
        .collect();
    insta::assert_snapshot!("records", shown);
    let memo = memo("20T10:00:02", "a", "instruct", "Go on", Some("3 new lines"));
    insta::assert_snapshot!(came_after(&memo, &frame(72)), @"after instruct of 2026-11-20 11:00:02: 3 new lines");
}

#[test]
fn numbers_are_shown_per_agent_and_day_with_totals() {
    insta::assert_snapshot!("stats", stats(&two_agents(), &clock(), 120));
    insta::assert_snapshot!("stats_narrow", stats(&two_agents(), &clock(), 60));
    insta::assert_snapshot!(stats(&[], &clock(), 80), @"nothing is on record for that time");
    insta::assert_snapshot!(
        "stats_json",
        stats_json(&two_agents()[..1], &clock()).unwrap()
    );
}

#[test]
fn lines_that_were_none_are_told_of() {
    let id: AgentId = "kernel".parse().unwrap();
    let of = |torn, foreign| unread(Unread { torn, foreign }, &id);
    assert_eq!(of(0, 0), None);
    insta::assert_snapshot!(of(1, 0).unwrap(), @"1 line of the logs of kernel could not be read (1 without an end); they stay in the files");
    insta::assert_snapshot!(of(1, 2).unwrap(), @"3 lines of the logs of kernel could not be read (1 without an end, 2 of another form); they stay in the files");
}

proptest! {
    #[test]
    fn a_line_of_json_keeps_its_value_and_loses_what_a_terminal_acts_on(text in any::<String>(), tail in "[\u{7f}-\u{a0}\u{200b}-\u{202e}]*") {
        let value = serde_json::json!({ "text": format!("{text}{tail}"), "v": 1 });
        for line in [value.to_string(), format!("\r{value}\t")] {
            let shown = json_line(&line);
            prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&shown).unwrap(), &value);
            prop_assert!(!shown.trim_end_matches('\n').chars().any(char::is_control));
            prop_assert_eq!(harmless(&shown), shown.as_str());
        }
    }

    #[test]
    fn foreign_text_reaches_the_screen_harmless(text in any::<String>(), columns in 20_usize..100) {
        let why = Receipt::Refused { why: text.clone() };
        let mut memo = memo("20T10:00:02", "a", &text, &text, Some(&text));
        memo.receipt = Some(why.clone());
        let mut review = review("20T10:00:02");
        review.by.clone_from(&text);
        review.text.clone_from(&text);
        let typed = step("20T10:00:02", "a", receipt(Origin::Verdict, &text, why));
        let mut seen = step("20T10:00:02", "a", asked());
        if let Step::Asked { prompt, backend, .. } = &mut seen.step {
            prompt.clone_from(&text);
            backend.clone_from(&text);
        }
        let frame = frame(columns);
        let mut shown = came_after(&memo, &frame);
        for entry in [
            Entry::Memo(Box::new(memo)),
            Entry::Review(Box::new(review)),
            Entry::Step(Box::new(typed)),
            Entry::Step(Box::new(seen)),
        ] {
            shown.push_str(&record(&entry, &frame));
        }
        prop_assert!(!shown.chars().any(|one| one.is_control() && one != '\n'));
        // no text from outside begins a line, where it could pass for a record
        let begins = ["2026-11-20 ", "after", "  "];
        for line in shown.lines().filter(|line| !line.trim().is_empty()) {
            prop_assert!(begins.iter().any(|begin| line.starts_with(begin)), "{}", line);
        }
    }
}

#[test]
fn a_receipt_is_shown_in_words() {
    let line = step(
        "20T10:00:02",
        "a",
        receipt(Origin::Person, "x", delivered()),
    );
    let shown = record(&Entry::Step(Box::new(line)), &frame(80));
    assert_eq!(shown, "2026-11-20 11:00:02 - delivered (you)\n");
}
