//! Dialogs and the rules that answer them: a rule presses the key of what it was written for, and no other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::common::agents::PaneAgent;
use super::common::model::instruct;
use super::common::supervisor::{Watch, id};
use super::common::zellij::{PATIENCE, wait_for};
use super::stage::{
    NEXT, assert_unharmed, claude, config, open, types, wait_for_answer, wait_for_file,
    wait_for_question, wait_for_state, watch, with_claude,
};

fn cargo_test() -> Value {
    json!([{ "answer": "allow", "kinds": ["command"], "command": { "prefix": "cargo test" } }])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_not_typed_into_a_dialog_which_its_digit_or_its_enter_would_answer() {
    let stage = open();
    let slow = claude(&stage, "slow", &["dialog touch allowed"]);
    let keen = claude(&stage, "keen", &["keen", "dialog touch allowed"]);
    stage.model.says([instruct(NEXT)]);
    let agents = [("slow", &slow), ("keen", &keen)];
    let watch = stage.watch_as(config(&stage, &agents)).await;
    for (name, _) in agents {
        let question = wait_for_question(&watch, name);
        let asks = "it asks for a yes (command): `touch allowed`. 1. Yes; 2. Yes, and";
        assert!(question.starts_with(asks), "{question}");
        let refused = watch.supervisor.reply(&id(name), NEXT.into()).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("looks like a dialog"), "{refused}");
    }
    watch.wait_for_polls("slow", 3);
    assert_eq!(stage.model.asked().len(), 0, "no model is asked");
    for (name, agent) in agents {
        assert_eq!(agent.typed(), "", "{name}");
    }
    watch.quit().await;

    types(&stage, &keen, NEXT);
    wait_for_file(&keen, "allowed");
    types(&stage, &slow, NEXT);
    slow.wait_for_typed(NEXT);
    assert_unharmed(&slow);
    types(&stage, &slow, "\n");
    wait_for_file(&slow, "allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialog_that_opens_over_our_text_gets_no_enter() {
    let (stage, agent) = with_claude(&["when-shown dialog touch allowed"]);
    stage.model.says([instruct(NEXT)]);
    let watch = watch(&stage, &agent).await;
    let receipt = watch.wait_for_receipt("a1");
    assert!(
        receipt.starts_with("unproven: the screen looks like a dialog"),
        "{receipt}"
    );
    wait_for_state(&watch, "a1", "approval");
    assert_eq!(agent.typed(), NEXT);
    assert_unharmed(&agent);
    watch.quit().await;

    types(&stage, &agent, "\n");
    wait_for_file(&agent, "allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_a_person_answers_gets_no_key_whatever_the_rules_and_the_model_say() {
    let cases = [
        ("trust/folder", "trust"),
        ("question/single", "question"),
        ("question/several-submit", "question"),
        ("menu/model", "menu"),
        ("menu/rewind", "menu"),
        ("approval/bash-multi-line", "approval"),
    ];
    let stage = open();
    stage.model.says([instruct(NEXT)]);
    let agents = cases.map(|(case, _)| {
        let name = case.replace('/', "-");
        let agent = claude(&stage, &name, &[&format!("still {case}")]);
        (name, agent)
    });
    let all: Vec<_> = agents
        .iter()
        .map(|(name, agent)| (name.as_str(), agent))
        .collect();
    let mut config = config(&stage, &all);
    config["approvals"] =
        json!([{ "answer": "allow", "kinds": ["command", "fileEdit", "plan", "tool", "apiKey"] }]);
    config["approvalsBuiltinDeny"] = false.into();
    let watch = stage.watch_as(config).await;
    for ((name, agent), (case, state)) in agents.iter().zip(cases) {
        wait_for_state(&watch, name, state);
        let refused = watch.supervisor.reply(&id(name), NEXT.into()).await;
        assert!(refused.is_err(), "{case}: {refused:?}");
        assert_eq!(agent.typed(), "", "{case}");
    }
    watch.wait_for_polls(&agents[0].0, 3);
    let typed = agents.each_ref().map(|(_, agent)| agent.typed());
    assert_eq!(typed.concat(), "");
    assert_eq!(stage.model.asked().len(), 0, "no model is asked");
    watch.quit().await;

    for ((_, agent), (case, _)) in agents.iter().zip(cases) {
        types(&stage, agent, "1");
        wait_for_answer(agent, &format!("First: {case}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_answers_the_plain_command_and_nothing_that_only_begins_like_it() {
    let stage = open();
    let chain = "cargo test ; rm -rf x";
    let long = "cargo test --workspace --all-targets --locked --no-fail-fast --test harm; rm -rf x";
    let agents = [
        ("plain", vec!["dialog cargo test".to_owned()], ""),
        (
            "chained",
            vec![format!("dialog {chain}")],
            "`;` makes it more than plain words",
        ),
        (
            "wrapped",
            vec![format!("dialog {long}")],
            "it is not wholly known",
        ),
        (
            "lines",
            vec![r"bare cargo test\nrm -rf x".into()],
            "it is not wholly known",
        ),
        (
            "cut",
            vec![format!("dialog {chain}"), "low 8".into()],
            "it shows a dialog (approval)",
        ),
    ];
    let agents = agents.map(|(name, orders, why)| {
        let orders: Vec<&str> = orders.iter().map(String::as_str).collect();
        (name, claude(&stage, name, &orders), why)
    });
    let all: Vec<_> = agents
        .iter()
        .map(|(name, agent, _)| (*name, agent))
        .collect();
    let mut config = config(&stage, &all);
    config["approvals"] = cargo_test();
    let watch = stage.watch_as(config.clone()).await;
    let (plain, careful) = (&agents[0].1, &agents[1..]);
    for (name, agent, why) in careful {
        let x = agent.file("x");
        std::fs::write(&x, "").unwrap();
        let question = wait_for_question(&watch, name);
        assert!(question.contains(why), "{name}: {question}");
    }
    wait_for_answer(plain, "Yes: cargo test\n");
    watch.wait_for_polls("chained", 3);
    assert_eq!(plain.typed(), "1", "exactly its key");
    for (name, agent, _) in careful {
        assert_eq!(agent.typed(), "", "{name}");
        assert!(agent.file("x").exists(), "{name}");
    }
    watch.quit().await;

    // The controls: the same supervisor presses the key where a person's rule names all of the command, and a rule
    // that went by the words that are seen would have pressed it in the others.
    config["approvals"] =
        json!([{ "answer": "allow", "kinds": ["command"], "command": { "exact": chain } }]);
    let _watch = stage.watch_as(config).await;
    wait_for_answer(&careful[0].1, &format!("Yes: {chain}"));
    for (_, agent, _) in &careful[1..] {
        assert_eq!(agent.typed(), "");
        types(&stage, agent, "1");
    }
    for (name, agent, _) in careful {
        wait_for_end(agent, name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_never_says_yes_for_ever_and_answers_no_dialog_twice() {
    let stage = open();
    let always = claude(&stage, "always", &["always cargo test"]);
    let denied = claude(&stage, "denied", &["dialog git push"]);
    let deaf = claude(&stage, "deaf", &["deaf", "dialog cargo test"]);
    let all = [("always", &always), ("denied", &denied), ("deaf", &deaf)];
    let mut config = config(&stage, &all);
    config["approvals"] = json!([
        { "answer": "allow", "kinds": ["command"] },
        { "answer": "deny", "command": { "prefix": "git push" } },
    ]);
    let watch = stage.watch_as(config).await;
    let question = wait_for_question(&watch, "always");
    assert!(
        question.contains("approvals[0] would answer, but the dialog has no plain yes"),
        "{question}"
    );
    wait_for_answer(&denied, "No: git push");
    let question = wait_for_question(&watch, "deaf");
    assert!(
        question.contains("a rule has answered it, and it is still open"),
        "{question}"
    );
    watch.wait_for_polls("deaf", 3);
    let typed = [&always, &denied, &deaf].map(PaneAgent::typed);
    assert_eq!(typed, ["", "3", "1"]);
    assert_eq!(denied.read("ran"), "");
    watch.quit().await;

    types(&stage, &always, "1");
    wait_for_answer(&always, "Always: cargo test");
    types(&stage, &deaf, "1");
    wait_for_answer(&deaf, "Yes: cargo test\nYes: cargo test\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_comes_to_stand_in_the_file_holds_only_once_a_person_loads_it() {
    let (stage, agent) = with_claude(&["dialog cargo test"]);
    let mut config = config(&stage, &[("a1", &agent)]);
    let path = stage.config_path();
    std::fs::write(&path, config.to_string()).unwrap();
    let watch = stage.watch_as(config.clone()).await;
    wait_for_question_about(&watch, "`cargo test`");
    // an agent that can edit the file allows itself what it likes
    config["approvals"] = cargo_test();
    config["approvalsBuiltinDeny"] = false.into();
    std::fs::write(&path, config.to_string()).unwrap();
    for command in ["cargo test --lib", "cargo test"] {
        opens_anew(&watch, &agent, command);
        wait_for_question_about(&watch, &format!("`{command}`"));
    }
    watch.wait_for_polls("a1", 3);
    assert_eq!(agent.typed(), "");

    // The control: a person has read what changes, and it holds.
    let said = watch.supervisor.load(&path).await.unwrap();
    let new =
        "approvals: new: approvals[0]: allow command beginning with `cargo test`, every agent\n";
    assert!(
        said.contains(new) && said.contains("approvals: the built-in list no longer holds"),
        "{said}"
    );
    opens_anew(&watch, &agent, "cargo test");
    wait_for_answer(&agent, "Yes: cargo test");
    assert_eq!(agent.typed(), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_that_comes_to_stand_in_the_folder_holds_only_once_a_person_loads_it() {
    let (stage, agent) = with_claude(&["dialog touch first"]);
    let mut config = config(&stage, &[("a1", &agent)]);
    config["approvals"] = json!([{ "answer": "deny", "command": { "prefix": "touch" } }]);
    config["profiles"] = "profiles".into();
    let path = stage.config_path();
    std::fs::write(&path, config.to_string()).unwrap();
    let watch = stage.watch_as(config.clone()).await;
    wait_for_answer(&agent, "No: touch first");
    // an agent that can edit the folder turns a no into a yes
    let shipped = include_str!("../../config/agents/claude.json");
    let mut profile: Value = serde_json::from_str(shipped).unwrap();
    profile["dialog"]["no"] = json!(["^Yes$"]);
    let folder = stage.zellij.home().join("profiles");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("claude.json"), profile.to_string()).unwrap();
    opens_anew(&watch, &agent, "touch second");
    wait_for_answer(&agent, "No: touch second");
    assert_eq!(
        (agent.typed(), agent.read("ran")),
        ("33".into(), String::new())
    );

    // The control: a person has read that it changes, and it holds.
    config["agents"][0]["allowShell"] = true.into();
    std::fs::write(&path, config.to_string()).unwrap();
    let said = watch.supervisor.load(&path).await.unwrap();
    assert!(
        said.contains("profiles: the screens of `claude` are read by another one")
            && said.contains("a1 may be typed to while a shell is in front (`allowShell`)"),
        "{said}"
    );
    opens_anew(&watch, &agent, "touch third");
    wait_for_file(&agent, "third");
}

/// The dialog closes by itself, and another one opens.
fn opens_anew(watch: &Watch, agent: &PaneAgent, command: &str) {
    agent.order("idle after-answer");
    wait_for_state(watch, "a1", "idle");
    agent.order(&format!("dialog {command}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persons_answer_presses_one_key_and_sees_that_the_dialog_closed() {
    let (stage, agent) = with_claude(&["dialog touch allowed"]);
    let watch = watch(&stage, &agent).await;
    let a1 = id("a1");
    shown(&watch, "`touch allowed`");
    let said = watch.supervisor.approve(&a1, None).await.unwrap();
    assert!(said.contains("Yes — to: touch allowed"), "{said}");
    wait_for_file(&agent, "allowed");
    assert_eq!(agent.typed(), "1");

    agent.order("dialog touch denied");
    shown(&watch, "`touch denied`");
    let said = watch.supervisor.deny(&a1, None).await.unwrap();
    assert!(said.contains("No — to: touch denied"), "{said}");
    assert_eq!(agent.typed(), "13");

    // one that does not close: its key is not pressed again
    agent.order("deaf");
    agent.order("dialog touch open");
    shown(&watch, "`touch open`");
    let unproven = watch.supervisor.approve(&a1, None).await.unwrap_err();
    let why = "the dialog is still open after its key";
    assert!(unproven.to_string().contains(why), "{unproven:?}");
    watch.wait_for_polls("a1", 3);
    assert_eq!(agent.typed(), "131");
    let answers = "Yes: touch allowed\nNo: touch denied\nYes: touch open\n";
    assert_eq!(agent.read("answers"), answers);
    assert_eq!(agent.read("ran"), "touch allowed\n");
    assert_eq!(agent.read("lines"), "", "and never an Enter");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_a_dialog_that_has_made_room_for_another_presses_nothing() {
    let stage = open();
    let agents = ["yes", "no"].map(|name| (name, claude(&stage, name, &["dialog touch allowed"])));
    let all: Vec<_> = agents.iter().map(|(name, agent)| (*name, agent)).collect();
    let mut config = config(&stage, &all);
    // the next look is far away: the answer must look by itself
    for agent in config["agents"].as_array_mut().unwrap() {
        agent["pollSec"] = json!(4);
    }
    let watch = stage.watch_as(config).await;
    for (name, agent) in &agents {
        std::fs::write(agent.file("x"), "").unwrap();
        let question = wait_for_question(&watch, name);
        assert!(question.contains("`touch allowed`"), "{question}");
    }
    time_to_read();
    for (name, agent) in &agents {
        agent.order("dialog rm -rf x");
        stage.zellij.wait_until_shown(&agent.pane, "rm -rf x");
        let answer = match *name {
            "yes" => watch.supervisor.approve(&id(name), None).await,
            _ => watch.supervisor.deny(&id(name), None).await,
        };
        let refused = answer.unwrap_err().to_string();
        assert!(refused.contains("no key was pressed"), "{refused}");
        let whys = ["is not the one that was judged", "it opened only just now"];
        assert!(whys.iter().any(|why| refused.contains(why)), "{refused}");
        assert_eq!(agent.typed(), "", "{name}");
    }
    watch.quit().await;

    // the key that the person meant for the other one
    let (name, agent) = &agents[0];
    types(&stage, agent, "1");
    wait_for_end(agent, name);
}

/// Waits until the person of `a1` is asked about this.
fn wait_for_question_about(watch: &Watch, subject: &str) {
    wait_for(PATIENCE, &format!("a question about {subject}"), || {
        let view = watch.view("a1");
        let question = view.question.as_ref()?;
        question.text.contains(subject).then_some(())
    });
}

/// Waits until the person is asked about a dialog, and has had the time to read it.
fn shown(watch: &Watch, subject: &str) {
    wait_for_question_about(watch, subject);
    time_to_read();
}

/// A dialog is answered by a person who has seen it for a while.
fn time_to_read() {
    let shown = Instant::now();
    let read = || (shown.elapsed() > Duration::from_millis(1_100)).then_some(());
    wait_for(PATIENCE, "the time to read it", read);
}

/// Waits until the agent's file `x` is removed.
fn wait_for_end(agent: &PaneAgent, name: &str) {
    let gone = || (!agent.file("x").exists()).then_some(());
    wait_for(PATIENCE, &format!("the end of x of {name}"), gone);
}

/// What a person answers: its digits are the keys of options.
const WORDS: &str =
    "1 replica and 2 readers: MariaDB, as the plan in part 3 says it, and nothing else";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_go_into_the_place_for_words_and_into_no_other_dialog() {
    let stage = open();
    let asks = claude(&stage, "asks", &["question"]);
    let keen = claude(&stage, "keen", &["keen", "dialog touch allowed"]);
    let agents = [("asks", &asks), ("keen", &keen)];
    let watch = stage.watch_as(config(&stage, &agents)).await;
    let question = wait_for_question(&watch, "asks");
    assert!(question.contains("`/answer asks TEXT`"), "{question}");
    wait_for_question(&watch, "keen");
    time_to_read();
    let refused = watch.supervisor.answer(&id("keen"), WORDS.into()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("there is no option"), "{refused}");
    assert_eq!(keen.typed(), "");
    for option in ["3", "Type something.", "7"] {
        let refused = watch.supervisor.answer(&id("asks"), option.into()).await;
        let refused = refused.unwrap_err().to_string();
        let says = ["takes words", "there is no option `7`"];
        assert!(says.iter().any(|it| refused.contains(it)), "{refused}");
    }
    assert_eq!(asks.typed(), "");
    let answered = watch.supervisor.answer(&id("asks"), WORDS.into()).await;
    answered.unwrap();
    assert_eq!(asks.typed(), format!("3{WORDS}\r"));
    assert_eq!(asks.read("answers"), format!("in words: {WORDS}\n"));
    watch.quit().await;

    // without a place for words, the same words are keys
    types(&stage, &keen, WORDS);
    wait_for_file(&keen, "allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_wait_for_no_place_that_somebody_writes_in_and_for_none_that_closes() {
    let cases = [
        ("closes", vec!["trap idle after-answer"], "nothing written"),
        (
            "other",
            vec!["trap dialog touch allowed"],
            "nothing written",
        ),
        (
            "under",
            vec!["when-typed trap dialog touch allowed"],
            "is not open",
        ),
    ];
    let stage = open();
    let agents: Vec<_> = cases
        .iter()
        .map(|(name, orders, _)| {
            let orders: Vec<&str> = ["question"]
                .into_iter()
                .chain(orders.iter().copied())
                .collect();
            (*name, claude(&stage, name, &orders))
        })
        .collect();
    let all: Vec<_> = agents.iter().map(|(name, agent)| (*name, agent)).collect();
    let watch = stage.watch_as(config(&stage, &all)).await;
    for ((name, agent), (_, _, why)) in agents.iter().zip(&cases) {
        wait_for_question(&watch, name);
        time_to_read();
        let refused = watch.supervisor.answer(&id(name), WORDS.into()).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(why), "{name}: {refused}");
        assert!(!agent.typed().contains('\r'), "{name}: {}", agent.typed());
        assert_eq!(agent.read("ran"), "", "{name}");
        assert_eq!(agent.read("lines"), "", "{name}");
    }
    watch.quit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persons_half_written_answer_gets_no_key() {
    let stage = open();
    let agent = claude(&stage, "a1", &["question"]);
    let watch = watch(&stage, &agent).await;
    wait_for_question(&watch, "a1");
    types(&stage, &agent, "3");
    types(&stage, &agent, "Postgres, but");
    wait_for_state(&watch, "a1", "question");
    time_to_read();
    let before = agent.typed();
    for answer in [WORDS, "1", "Postgres"] {
        let refused = watch.supervisor.answer(&id("a1"), answer.into()).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("Postgres, but"), "{refused}");
    }
    assert_eq!(agent.typed(), before);
    assert_eq!(agent.read("answers"), "");
    watch.quit().await;

    // the key of an option would have been text
    types(&stage, &agent, "1\r");
    wait_for_answer(&agent, "in words: Postgres, but1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_is_sent_only_while_it_stands_alone_behind_the_question_that_was_judged() {
    let cases: [(&str, &[&str], &str, &str); 4] = [
        ("plain", &["ask touch x"], "y\r", "y: touch x\n"),
        ("chained", &["ask touch x; rm -rf y"], "", ""),
        ("typed", &["ask touch x", "type d"], "d", ""),
        (
            "swapped",
            &["ask touch x", "when-typed ask rm -rf y"],
            "y",
            "",
        ),
    ];
    let stage = open();
    let agents = cases.map(|(name, orders, ..)| {
        let (typed, orders): (Vec<&str>, Vec<&str>) =
            orders.iter().partition(|order| order.starts_with("type "));
        let agent = PaneAgent::open(&stage.zellij, name, &orders);
        if let Some(keys) = typed.first().and_then(|order| order.strip_prefix("type ")) {
            types(&stage, &agent, keys);
        }
        agent
    });
    let all: Vec<_> = cases.iter().map(|case| case.0).zip(&agents).collect();
    let mut config = config(&stage, &all);
    for agent in config["agents"].as_array_mut().unwrap() {
        agent["kind"] = "aider".into();
    }
    config["approvals"] =
        json!([{ "answer": "allow", "kinds": ["command"], "command": { "prefix": "touch" } }]);
    let watch = stage.watch_as(config).await;
    for ((name, _, typed, answers), agent) in cases.iter().zip(&agents) {
        if answers.is_empty() {
            wait_for_question(&watch, name);
        } else {
            wait_for_answer(agent, answers);
        }
        assert_eq!(agent.typed(), *typed, "{name}");
        assert_eq!(agent.read("answers"), *answers, "{name}");
    }
    let [_, chained, _, swapped] = &agents;
    time_to_read();
    let denied = watch.supervisor.deny(&id("chained"), None).await;
    denied.unwrap();
    assert_eq!(chained.read("answers"), "n: touch x; rm -rf y\n");
    watch.quit().await;

    // what another question would make of the same letter
    types(&stage, swapped, "y\n");
    wait_for_answer(swapped, "y: rm -rf y");
}
