use proptest::prelude::*;

use super::*;
use crate::command::when::tests::clock;
use crate::record::past::Entry;
use crate::record::sample::{answered, asked, memo, night, receipt, recorded, review, step};
use crate::record::stats::Counting;
use crate::record::story::Telling as Story;

fn page(goal: Option<&str>, entries: &[Entry]) -> String {
    let clock = clock();
    let mut counting = Counting::new(clock.zone, None, None);
    let mut story = Story::default();
    for entry in entries {
        counting.take(entry);
        story.push(recorded(entry.clone()));
    }
    let stats = counting.end(clock.now);
    let (id, session) = ("kernel".parse().unwrap(), "default".parse().unwrap());
    let mut page = head(&id, &session, goal, &stats, &clock);
    while let Some(it) = story.pop() {
        page.push_str(&chapter(&it, &clock).unwrap_or_default());
    }
    page
}

#[test]
fn a_story_is_told_in_order_with_all_that_is_known() {
    insta::assert_snapshot!("story", page(Some("Make the `parser` fast"), &night()));
}

/// The lines of a page that are markup: outside of blocks.
fn markup(page: &str) -> Vec<&str> {
    let mut fence = None;
    let mut lines = Vec::new();
    for line in page.lines() {
        match fence {
            None if line.starts_with("```") => {
                fence = Some(line.trim_end_matches("text"));
            }
            None => lines.push(line),
            Some(end) if line.trim_end() == end => fence = None,
            Some(_) => {}
        }
    }
    lines
}

proptest! {
    #[test]
    fn no_foreign_text_becomes_markup(text in "[`a#\\n\\r\\[\\]()<>|*_ \u{1b}\u{85}!-]{0,40}") {
        let mut seen = step("20T10:00:00", "a", asked());
        if let Step::Asked { prompt, backend, .. } = &mut seen.step {
            prompt.clone_from(&text);
            backend.clone_from(&text);
        }
        let mut said = step("20T10:00:01", "a", answered(Some(Action::Instruct), &text));
        if let Step::Answered { by, problem, verdict: Some(verdict), .. } = &mut said.step {
            *by = Some(text.clone());
            *problem = Some(text.clone());
            verdict.reasoning.clone_from(&text);
            verdict.quote = Some(text.clone());
        }
        let why = Receipt::Refused { why: text.clone() };
        let typed = step("20T10:00:02", "a", receipt(Origin::Verdict, "other", why));
        let memo = memo("20T10:00:02", "a", &text, &text, Some(&text));
        let mut review = review("20T11:00:00");
        review.text.clone_from(&text);
        review.by.clone_from(&text);
        let entries = [
            Entry::Step(Box::new(seen)),
            Entry::Step(Box::new(said)),
            Entry::Step(Box::new(typed)),
            Entry::Memo(Box::new(memo)),
            Entry::Review(Box::new(review)),
        ];
        let page = page(Some(&text), &entries);
        prop_assert!(!page.chars().any(|one| one.is_control() && one != '\n'));
        let headings = markup(&page);
        let headings = headings.iter().filter(|line| line.starts_with('#'));
        // the story, its goal, what happened, a decision, a review
        prop_assert!((4..=5).contains(&headings.count()), "{}", page);
        for line in markup(&page) {
            let unescaped = line.replace("\\\\", "").replace("\\[", "").replace("\\<", "").replace("\\`", "");
            prop_assert!(!unescaped.contains(['[', '<', '`']), "{}", line);
        }
    }
}
