//! Dialogs and the rules that answer them: a rule presses the key of what it was written for, and no other.

use serde_json::{Value, json};

use super::common::model::instruct;
use super::stage::{
    ENTER, NEXT, assert_unharmed, claude, config, open, wait_for_answer, wait_for_file,
    wait_for_question, wait_for_state, watch, watch_by_rules, with_claude,
};

fn cargo_test() -> Value {
    json!([{ "answer": "allow", "kinds": ["command"], "command": { "prefix": "cargo test" } }])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_not_typed_into_a_dialog_whose_option_its_digit_is() {
    let (stage, agent) = with_claude(&["dialog touch allowed"]);
    stage.model.says([instruct(NEXT)]);
    let watch = watch(&stage, &agent).await;
    let question = wait_for_question(&watch, "a1");
    assert!(
        question.starts_with("it asks for a yes (command): `touch allowed`. 1. Yes; 2. Yes, and"),
        "{question}"
    );
    let id = super::common::supervisor::id("a1");
    let refused = watch.supervisor.reply(&id, NEXT.into()).await.unwrap_err();
    assert!(refused.to_string().contains("dialog"), "{refused}");
    watch.wait_for_polls("a1", 5);
    assert_eq!(stage.model.asked().len(), 0, "no model is asked");
    assert_eq!(agent.typed(), "");
    watch.quit().await;

    stage.zellij.type_as_person(&agent.pane, NEXT);
    wait_for_answer(&agent, "Yes: touch allowed");
    wait_for_file(&agent, "allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialog_that_opens_over_our_text_gets_no_enter() {
    let (stage, agent) = with_claude(&["when-shown dialog touch allowed"]);
    stage.model.says([instruct(NEXT)]);
    let watch = watch(&stage, &agent).await;
    let receipt = watch.wait_for_receipt("a1");
    assert!(receipt.starts_with("unproven: the screen looks like a dialog"), "{receipt}");
    wait_for_state(&watch, "a1", "approval");
    assert_eq!(agent.typed(), NEXT);
    assert_unharmed(&agent);
    watch.quit().await;

    stage.zellij.press_as_person(&agent.pane, ENTER);
    wait_for_file(&agent, "allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_answers_the_plain_command_and_nothing_that_only_begins_like_it() {
    let stage = open();
    let long = "cargo test --workspace --all-targets --locked --no-fail-fast --test harm; rm -rf x";
    let more = format!("dialog {long}");
    let plain = claude(&stage, "plain", &["dialog cargo test"]);
    let chained = claude(&stage, "chained", &["dialog cargo test; rm -rf x"]);
    let wrapped = claude(&stage, "wrapped", &[&more]);
    let cut = claude(&stage, "cut", &["dialog cargo test", "low 8"]);
    let all = [
        ("plain", &plain),
        ("chained", &chained),
        ("wrapped", &wrapped),
        ("cut", &cut),
    ];
    let mut config = config(&stage, &all);
    config["approvals"] = cargo_test();
    let watch = stage.watch_as(config).await;
    for (name, why) in [
        ("chained", "`;` makes it more than plain words"),
        ("wrapped", "it is not wholly known"),
        ("cut", "it shows a dialog (approval)"),
    ] {
        let question = wait_for_question(&watch, name);
        assert!(question.contains(why), "{name}: {question}");
    }
    wait_for_answer(&plain, "Yes: cargo test\n");
    assert_eq!(plain.typed(), "1");
    watch.wait_for_polls("chained", 5);
    for agent in [&chained, &wrapped, &cut] {
        assert_eq!(agent.typed(), "");
    }
    watch.quit().await;

    // what a rule that goes by the first words alone would have done
    for agent in [&chained, &wrapped] {
        let x = agent.file("x");
        std::fs::write(&x, "").unwrap();
        stage.zellij.type_as_person(&agent.pane, "1");
        super::common::zellij::wait_for(super::common::zellij::PATIENCE, "the file's end", || {
            (!x.exists()).then_some(())
        });
    }
}
