//! What the supervisor is for: a stall, a decision, a text, and what came of it.

use std::time::{Duration, Instant};

use meta_orchestrator::agent::view::Urgency;
use meta_orchestrator::director::{prompt, verdict};
use meta_orchestrator::error::Kind;
use meta_orchestrator::supervisor::Change;

use super::common::model::{Answer, ask, instruct, leave};
use super::common::supervisor::{STALL, Stage, id};
use super::common::zellij::{PATIENCE, wait_for};

const NEXT: &str = "Go on with part two.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_agent_is_nudged_and_what_came_of_it_is_remembered() {
    let stage = Stage::open();
    let log = stage.log_dir().join("a1.decisions.jsonl");
    let snapshot = format!("when-typed copy {} at-first-byte", log.display());
    let agent = stage.agent("a1", &["prompt", "say ● Part one is finished.", &snapshot]);
    stage.model.says([instruct(NEXT), ask("Is it done?")]);
    let watch = stage.watch(&[("a1", &agent)]).await;

    agent.wait_for_line(NEXT);
    watch.wait_for_status("a1", "awaiting-user");
    assert_eq!(agent.typed(), format!("{NEXT}\r"), "the text and one Enter");
    let intent = agent.read("at-first-byte");
    let last = intent.lines().last().unwrap();
    assert!(
        last.contains(r#""step":"intent""#) && last.contains(NEXT),
        "on disk first: {intent}"
    );

    let what_came = watch.wait_for_memo("a1", "what came", |memo| !memo["afterSummary"].is_null());
    assert_eq!(what_came["action"], "instruct");
    assert_eq!(what_came["text"], NEXT);
    assert_eq!(what_came["sessionId"], "default");
    assert_eq!(what_came["receipt"]["receipt"], "delivered");
    let summary = format!("1 new line; last: ● Understood: {NEXT}");
    assert_eq!(what_came["afterSummary"], summary.as_str());

    let asked = stage.model.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(asked[0].system(), prompt::DECIDE);
    assert!(
        asked[0].user().starts_with("State: idle\n"),
        "{}",
        asked[0].user()
    );
    assert!(asked[0].user().contains("\nGoal: goal of a1\n"));
    assert!(
        asked[0]
            .user()
            .contains("in the foreground of the pane: pane-agent")
    );
    assert_eq!(asked[0].screen(), "● Part one is finished.\n>");
    let form = &asked[0].body["response_format"];
    assert_eq!(form["type"], "json_schema");
    assert_eq!(form["json_schema"]["schema"], verdict::schema());
    let memory = format!("instruct: {NEXT} (because: as the test says) [delivered] -> {summary}\n");
    assert!(asked[1].user().contains(&memory), "{}", asked[1].user());

    let view = watch.view("a1");
    assert_eq!(
        (view.nudges.used, view.calls.used, view.tokens.used),
        (1, 2, 2_000)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_wraps_is_delivered_at_a_plain_prompt_and_in_a_box_with_its_cursor_hidden() {
    let stage = Stage::open();
    let finished = "say ● Part one is finished.";
    let plain = stage.agent("plain", &["prompt", finished]);
    let boxed = stage.agent("boxed", &["box", finished]);
    let long = "Go on with part two, which is the longer one: read the parser first («größe», 日本), then \
        write down what it does with an empty file, and only then change it.";
    stage.model.answers(move |asked| {
        let is_first = asked.user().contains("this is the first decision");
        if is_first { instruct(long) } else { leave() }
    });
    let watch = stage.watch(&[("plain", &plain), ("boxed", &boxed)]).await;
    for (name, agent) in [("plain", plain), ("boxed", boxed)] {
        agent.wait_for_line(long);
        assert_eq!(agent.typed(), format!("{long}\r"), "{name}");
        assert_eq!(watch.wait_for_receipt(name), "delivered", "{name}");
        assert_eq!(agent.harm(), "", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_to_be_left_alone_is_asked_about_after_waits_that_double_until_it_changes() {
    let (stage, agent) = Stage::with_agent(&["prompt", "say ● Part one is finished."]);
    let watch = stage.watch(&[("a1", &agent)]).await;
    wait_for(PATIENCE, "the fourth question", || {
        (stage.model.asked().len() >= 4).then_some(())
    });
    let asked = stage.model.asked();
    let mut wait = STALL;
    for pair in asked.windows(2).skip(1) {
        wait *= 2;
        let gap = pair[1].at - pair[0].at;
        assert!(
            gap + Duration::from_millis(50) >= wait,
            "asked again after {gap:?}, not {wait:?}"
        );
    }
    // Every poll in between saw the same screen and asked nothing.
    assert!(watch.view("a1").polls >= 10, "{:?}", watch.view("a1"));

    agent.order("say ● Found one more thing.");
    wait_for(PATIENCE, "a question about the new screen", || {
        let asked = stage.model.asked();
        asked
            .last()?
            .screen()
            .contains("one more thing")
            .then_some(())
    });
    assert_eq!(agent.typed(), "");
    let memos = watch.memos("a1");
    assert!(
        memos.iter().all(|memo| memo["action"] == "continue"),
        "{memos:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_works_is_never_asked_about() {
    let (stage, agent) = Stage::with_agent(&["prompt", "busy 100"]);
    let watch = stage.watch(&[("a1", &agent)]).await;
    watch.wait_for_status("a1", "running");
    watch.wait_for_polls("a1", 10);
    assert_eq!(stage.model.asked().len(), 0);
    agent.order("busy 0");
    wait_for(PATIENCE, "a question once it stands still", || {
        stage.model.asked().pop()
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_waits_for_the_person_and_the_reply_reaches_the_agent() {
    let (stage, agent) = Stage::with_agent(&["prompt", "say Postgres or SQLite?"]);
    stage.model.says([ask("Which database?"), leave()]);
    let watch = stage.watch(&[("a1", &agent)]).await;
    let view = watch.wait_for_status("a1", "awaiting-user");
    assert_eq!(view.question.as_ref().unwrap().text, "Which database?");
    watch.wait_for_notice(Urgency::Person, "Which database?");
    watch.wait_for_polls("a1", 10);
    assert_eq!(stage.model.asked().len(), 1, "nothing more is asked");
    assert_eq!(agent.typed(), "");

    // Unchanged but for control characters, also where an instruction would be refused.
    let said = watch
        .supervisor
        .reply(&id("a1"), "/use  Postgres # don't\nask\u{1b}\u{3}".into())
        .await;
    assert_eq!(said.unwrap(), "delivered to a1");
    assert_eq!(agent.typed(), "/use  Postgres # don't ask\r");
    assert_eq!(watch.view("a1").question, None);
    let memo = watch.wait_for_memo("a1", "the reply's end", |memo| {
        memo["action"] == "reply" && !memo["afterSummary"].is_null()
    });
    assert_eq!(memo["text"], "/use  Postgres # don't ask");
    wait_for(PATIENCE, "a question that knows of the reply", || {
        let asked = stage.model.asked();
        asked
            .last()?
            .user()
            .contains("reply: /use Postgres")
            .then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_withdrawn_when_the_screen_changes() {
    let (stage, agent) = Stage::with_agent(&["prompt", "say Postgres or SQLite?"]);
    stage.model.says([ask("Which database?"), leave()]);
    let watch = stage.watch(&[("a1", &agent)]).await;
    watch.wait_for_status("a1", "awaiting-user");
    stage.zellij.type_as_person(&agent.pane, "SQLite\n");
    watch.wait_for_status("a1", "stable");
    assert_eq!(watch.view("a1").question, None);
    assert_eq!(agent.typed(), "SQLite\r");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_during_a_slow_call_is_heeded_at_once_and_stays_heeded() {
    let (stage, agent) = Stage::with_agent(&["prompt", "say ● Part one is finished."]);
    let late = Duration::from_millis(1_500);
    stage
        .model
        .says([Answer::Late(late, instruct(NEXT).into())]);
    let watch = stage.watch(&[("a1", &agent)]).await;
    watch.wait_for_status("a1", "asking-openaiCompat");
    let asked = wait_for(PATIENCE, "the question", || stage.model.asked().pop());
    let begun = Instant::now();
    watch.supervisor.stop(&id("a1")).await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(watch.status("a1"), "stopped");
    wait_for(PATIENCE, "the answer's time", || {
        (asked.at.elapsed() > late + 2 * STALL).then_some(())
    });
    assert_eq!(watch.status("a1"), "stopped");
    assert_eq!(agent.typed(), "");
    assert_eq!(stage.model.asked().len(), 1);
    let reply = watch
        .supervisor
        .reply(&id("a1"), "hello".into())
        .await
        .unwrap_err();
    assert_eq!(reply.kind, Kind::NotDelivered);

    // The control: the same answer, and nobody stops it.
    watch.supervisor.start_agent(&id("a1")).await.unwrap();
    agent.wait_for_line(NEXT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_while_our_text_is_awaited_ends_the_typing_without_enter() {
    let (stage, agent) = Stage::with_agent(&["prompt", "say ● Part one is finished.", "slow 2500"]);
    stage.model.says([instruct(NEXT)]);
    let mut config = stage.config(&[("a1", &agent)]);
    config["timing"]["echoTimeoutSec"] = serde_json::json!(20);
    let watch = stage.watch_as(config).await;
    agent.wait_for_typed(NEXT);
    watch.supervisor.stop(&id("a1")).await.unwrap();
    assert_eq!(
        watch.wait_for_receipt("a1"),
        "unproven: it was stopped before Enter"
    );
    stage.zellij.wait_until_shown(&agent.pane, NEXT);
    assert_eq!(watch.status("a1"), "stopped");
    assert_eq!((agent.typed(), agent.lines()), (NEXT.into(), vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verdict_about_a_screen_that_is_no_more_is_dropped() {
    let (stage, agent) = Stage::with_agent(&["prompt", "say ● Part one is finished."]);
    let late = Duration::from_secs(1);
    stage
        .model
        .says([Answer::Late(late, instruct(NEXT).into()), leave()]);
    let watch = stage.watch(&[("a1", &agent)]).await;
    watch.wait_for_status("a1", "asking");
    agent.order("say ● Went on by itself.");
    watch.wait_for_memo("a1", "the second verdict", |memo| {
        memo["action"] == "continue"
    });
    let first = stage.model.asked().remove(0);
    wait_for(PATIENCE, "the answer's time", || {
        (first.at.elapsed() > late + STALL).then_some(())
    });
    assert_eq!(agent.typed(), "");
    assert_eq!(
        watch
            .memos("a1")
            .iter()
            .filter(|memo| memo["action"] == "instruct")
            .count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observing_decides_everything_and_types_nothing() {
    let (stage, agent) = Stage::with_agent(&["prompt", "say ● Part one is finished."]);
    stage.model.says([instruct(NEXT)]);
    let mut config = stage.config(&[("a1", &agent)]);
    config["agents"][0]["observe"] = true.into();
    let watch = stage.watch_as(config).await;
    assert_eq!(watch.wait_for_receipt("a1"), "observed");
    watch.wait_for_notice(Urgency::Info, &format!("would be told: {NEXT}"));
    watch.wait_for_status("a1", "observing");
    let reply = watch
        .supervisor
        .reply(&id("a1"), "hello".into())
        .await
        .unwrap_err();
    assert!(
        reply
            .to_string()
            .contains("nothing is typed while observing"),
        "{reply}"
    );
    assert_eq!(agent.typed(), "");

    // The control: the same screen and the same verdict, and it is typed.
    watch
        .supervisor
        .set(&id("a1"), Change::Observe(false))
        .await
        .unwrap();
    agent.wait_for_line(NEXT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nudges_that_change_nothing_for_good_end_in_a_question() {
    let (stage, agent) = Stage::with_agent(&["prompt", "answer ", "say ● Part one is finished."]);
    stage.model.says([instruct(NEXT)]);
    let mut config = stage.config(&[("a1", &agent)]);
    config["limits"] = serde_json::json!({ "fruitlessNudges": 2 });
    let watch = stage.watch_as(config).await;
    let view = watch.wait_for_status("a1", "awaiting-user");
    assert!(
        view.question
            .as_ref()
            .unwrap()
            .text
            .starts_with("2 nudges in a row changed nothing")
    );
    watch.wait_for_polls("a1", 5);
    assert_eq!(agent.lines(), [NEXT, NEXT]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_slow_decision_holds_up_no_other_agent() {
    let stage = Stage::open();
    let slow = stage.agent("slow", &["prompt", "say ● Part one is finished."]);
    let quick = stage.agent("quick", &["prompt", "say ● Part one is finished."]);
    stage.model.answers(|asked| {
        if asked.user().contains("goal of slow") {
            Answer::Nothing
        } else if asked.screen().contains("Understood") {
            leave()
        } else {
            instruct(NEXT)
        }
    });
    let watch = stage.watch(&[("slow", &slow), ("quick", &quick)]).await;
    quick.wait_for_line(NEXT);
    watch.wait_for_memo("quick", "what came", |memo| !memo["afterSummary"].is_null());
    assert_eq!(watch.status("slow"), "asking-openaiCompat");
    assert_eq!(slow.typed(), "");
}
