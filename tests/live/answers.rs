//! Answers in words to an agent's question: whether each arrives as it is, once, and none where a person writes.

use std::time::Duration;

use meta_orchestrator::screen::state::State;

use super::agent::{Kind, Lab};
use super::common::model::leave;
use super::common::supervisor::id;
use super::common::zellij::wait_for;

/// How long a question may take to be shown, or an answer to arrive.
const LONG: Duration = Duration::from_secs(30);
/// Answers whose beginnings are keys, marks or the words of a dialog.
const WORDS: [&str; 5] = [
    "Use MariaDB 11, and 2 replicas",
    "1. MariaDB, because the plan says so; 2. nothing else",
    "yes, Postgres: but with the extension for vectors, and on a server of its own, as part 3 of the plan has it, whose costs were looked at twice",
    "[Yes]: no",
    "No, and tell the others what to do differently (esc)",
];

/// So many questions, each answered in words; the first is half answered by a person.
pub async fn run(lab: &Lab, count: u64) {
    lab.stage.model.answers(|_| leave());
    let agent = lab.start();
    let watch = lab.stage.watch_as(lab.config(&agent.pane, "answers")).await;
    watch.supervisor.hold(&id("a1"), None).await.unwrap();
    let (person, pane) = (&lab.stage.zellij, &agent.pane);
    for (round, words) in (0..count).zip(WORDS.iter().cycle()) {
        let words = format!("{words} ({round})");
        person.type_as_person(pane, &format!("Round {round}: TOOL ASK"));
        tokio::time::sleep(Duration::from_millis(800)).await;
        person.type_as_person(pane, "\r");
        wait_for(LONG, "the question to be told", || {
            let view = watch.view("a1");
            let told = view.question.as_ref()?.text.contains("`/answer a1 TEXT`");
            told.then_some(())
        });
        // nobody answers what they had no time to read
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let before = answers(lab).len();
        if round == 0 && lab.kind == Kind::Claude {
            half_written(lab, &watch, pane, &words).await;
        }
        let answered = watch.supervisor.answer(&id("a1"), words.clone()).await;
        println!("{} answer: {words}: {answered:?}", lab.kind);
        answered.unwrap();
        let came = wait_for(LONG, "the answer to arrive", || {
            let came = answers(lab).split_off(before);
            (!came.is_empty()).then_some(came)
        });
        // as JSON has it
        let as_it_is = format!("\\\"{words}\\\"");
        assert!(came.iter().all(|it| it.contains(&as_it_is)), "{came:?}");
        wait_for(LONG, "its prompt", || {
            let state = watch.view("a1").state;
            state.is_some_and(State::takes_nudge).then_some(())
        });
    }
    let all = answers(lab);
    assert_eq!(
        all.len(),
        usize::try_from(count).unwrap(),
        "each once: {all:?}"
    );
    watch.quit().await;
}

/// A person begins to answer, thinks better of it, and takes it back.
async fn half_written(
    lab: &Lab,
    watch: &super::common::supervisor::Watch,
    pane: &meta_orchestrator::ids::PaneAddress,
    words: &str,
) {
    let person = &lab.stage.zellij;
    person.type_as_person(pane, "3");
    tokio::time::sleep(Duration::from_millis(800)).await;
    person.type_as_person(pane, "half");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for answer in [words, "1", "Postgres"] {
        let refused = watch.supervisor.answer(&id("a1"), answer.into()).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("so far with `half`"), "{refused}");
    }
    for _ in 0..4 {
        person.type_as_person(pane, "\u{7f}");
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    // out of the place for words, up to an option
    person.type_as_person(pane, "\u{1b}[A");
    wait_for(LONG, "the question as it was", || {
        let dialog = watch.view("a1").state;
        let open = dialog.is_some_and(|state| state.as_str() == "question");
        (open && !lab.stage.zellij.dump(pane.pane).contains("half")).then_some(())
    });
    tokio::time::sleep(Duration::from_millis(2_500)).await;
}

/// The answers that reached the model, each once.
fn answers(lab: &Lab) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for asked in lab.api.asked() {
        for result in asked.results {
            if result.contains("Which database") && !all.contains(&result) {
                all.push(result);
            }
        }
    }
    all
}
