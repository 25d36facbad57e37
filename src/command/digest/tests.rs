use proptest::prelude::*;

use super::*;
use crate::command::when::tests::clock;
use crate::record::digest::{Beside, Digesting};
use crate::record::past::Entry;
use crate::record::sample::{at, counted, night, step};

fn facts(id: &str, entries: &[Entry], goal: &str) -> Facts {
    let clock = clock();
    let mut digesting = Digesting::new(clock.zone, Some(at("20T08:00:00")));
    for entry in entries {
        digesting.take(entry);
    }
    let beside = Beside {
        goal: Some(goal.to_owned()),
        ..Beside::default()
    };
    digesting.end(id.parse().unwrap(), beside, clock.now)
}

fn three() -> Vec<Facts> {
    let gone = step("21T02:00:00", "", counted("gone: `claude` ended"));
    vec![
        facts("docs", &night()[..5], "Write the user guide"),
        facts("kernel", &night(), "Make the | parser | fast"),
        facts("old", &[Entry::Step(Box::new(gone))], "Nothing much"),
        facts("new", &[], "Not begun"),
    ]
}

#[test]
fn a_day_is_told_in_tables() {
    insta::assert_snapshot!("page", page(&three(), Some(at("20T08:00:00")), &clock()));
    insta::assert_snapshot!("page_of_nobody", page(&[], None, &clock()));
    insta::assert_snapshot!("json", json(&three()[2..3], None, &clock()).unwrap());
}

proptest! {
    #[test]
    fn no_foreign_text_leaves_its_cell(text in "[`a#\\n\\r\\[\\]()<>|*_ \u{1b}\u{85}!-]{0,40}") {
        let line = step("21T02:00:00", "", counted(&format!("gone: {text}")));
        let asks = crate::record::sample::asking(line.clone(), "21T02:00:00", &text);
        let all = [
            facts("a", &[Entry::Step(Box::new(line))], &text),
            facts("b", &[Entry::Step(Box::new(asks))], &text),
        ];
        let page = page(&all, None, &clock());
        prop_assert!(!page.chars().any(|one| one.is_control() && one != '\n'));
        prop_assert_eq!(page.lines().filter(|line| line.starts_with('#')).count(), 5);
        let cells = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
        for table in page.split("\n\n").filter(|it| it.starts_with('|')) {
            let counts: Vec<usize> = table.lines().map(cells).collect();
            prop_assert!(counts.iter().all(|count| *count == counts[0]), "{}", table);
        }
        let text = json(&all, None, &clock()).unwrap();
        prop_assert!(!text.chars().any(|one| one.is_control() && one != '\n'));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }
}
