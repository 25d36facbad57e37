use super::super::sample::{night, recorded};
use super::*;

/// Each chapter in a line: what it is, how many steps it has, and what its memo says.
fn told(telling: &mut Telling) -> Vec<String> {
    std::iter::from_fn(|| telling.pop())
        .map(|chapter| match chapter {
            Chapter::Decision(it) => {
                let memo = it
                    .memo
                    .map(|memo| memo.after_summary.unwrap_or("memo".into()));
                format!(
                    "{}: {} steps, {}",
                    it.id,
                    it.steps.len(),
                    memo.unwrap_or_default()
                )
            }
            Chapter::Note { why, .. } => why,
            Chapter::Review(review) => review.by,
        })
        .collect()
}

#[test]
fn records_are_put_together_by_the_decision_that_they_belong_to() {
    let mut telling = Telling::default();
    for entry in night() {
        telling.push(recorded(entry));
        assert_eq!(telling.pop_ripe(), None);
    }
    assert_eq!(
        told(&mut telling),
        [
            "a: 3 steps, 3 new lines; last: step 2",
            "b: 3 steps, ",
            "c: 1 steps, memo",
            "a question is open",
            "an hour of watching",
            "d: 1 steps, memo",
            "e: 1 steps, memo",
            "f: 1 steps, memo",
            "gemini pro",
            "g: 0 steps, memo",
            "a question is open",
        ]
    );
    assert_eq!(telling.bytes, 0);
}

#[test]
fn only_so_many_chapters_are_held_open() {
    let mut telling = Telling::default();
    let mut popped = 0;
    for _ in 0..20 {
        for entry in night() {
            let Entry::Step(step) = &entry else { continue };
            if step.id.is_empty() {
                telling.push(recorded(entry));
            }
            popped += usize::from(telling.pop_ripe().is_some());
        }
    }
    assert_eq!((telling.open.len(), popped), (60, 0));
    for entry in night() {
        telling.push(recorded(entry));
        popped += usize::from(telling.pop_ripe().is_some());
    }
    assert_eq!(telling.open.len(), OPEN);
    assert!(popped > 0);
}
