//! A model server that misbehaves: it costs a decision, and never a key.

use std::time::{Duration, Instant};

use meta_orchestrator::agent::view::Urgency;
use meta_orchestrator::host::process;
use serde_json::{Value, json};

use super::common::agents::PaneAgent;
use super::common::model::{Answer, Model, instruct, leave, nobody};
use super::common::supervisor::Stage;
use super::common::zellij::{PATIENCE, wait_for};

const NEXT: &str = "Go on with part two.";
const READY: [&str; 2] = ["prompt", "say ● Part one is finished."];

fn with_timeout(mut config: Value, seconds: f64) -> Value {
    config["decideBackend"]["timeoutSec"] = json!(seconds);
    config
}

fn status(code: u16, headers: &'static str, body: &str) -> Answer {
    Answer::Raw(code, headers, body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_gives_no_answer_costs_a_decision_and_no_memory_then_is_asked_again() {
    let cases = [
        (
            "garbage",
            status(200, "", "<html>hello</html>"),
            "it is no JSON",
        ),
        ("401", status(401, "", "who are you"), "401"),
        ("500", status(500, "", "it broke"), "500"),
        (
            "no HTTP",
            Answer::Bytes(b"\x00\xff nonsense\r\n\r\n"),
            "127.0.0.1",
        ),
        ("nothing", Answer::Nothing, "within"),
    ];
    let stage = Stage::open();
    let names = ["a0", "a1", "a2", "a3", "a4"];
    let agents = names.map(|name| (name, stage.agent(name, &READY)));
    let mut running = Vec::new();
    for ((what, answer, said), (name, agent)) in cases.into_iter().zip(agents) {
        let model = Model::start();
        model.says([answer]);
        let mut config = with_timeout(stage.config(&[(name, &agent)]), 2.0);
        config["decideBackend"]["baseUrl"] = json!(model.url());
        // The second question comes late enough to find the server mended: after the third failure it would
        // be left alone for some time.
        config["agents"][0]["stallSec"] = json!(1.5);
        let watch = stage.watch_beside(name, config).await;
        running.push((what, name, agent, model, watch, said));
    }
    for (what, name, agent, model, watch, said) in &running {
        let notice = watch.wait_for_notice(Urgency::Warning, "is left alone for now");
        assert!(notice.text.contains(said), "{what}: {}", notice.text);
        assert_eq!(
            (agent.typed(), watch.memos(name)),
            (String::new(), vec![]),
            "{what}"
        );
        model.says([instruct(NEXT), leave()]);
    }
    for (what, name, agent, _, watch, _) in &running {
        agent.wait_for_line(NEXT);
        assert_eq!(agent.typed(), format!("{NEXT}\r"), "{what}");
        let memo = watch.wait_for_memo(name, "the first", |_| true);
        assert_eq!(memo["action"], "instruct", "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_no_verdict_is_recorded_and_types_nothing() {
    let texts = [
        "I think you should press Enter.",
        r#"{"action":"press_enter","reasoning":"","text":"y"}"#,
        r#"{"action":"instruct","reasoning":"no text"}"#,
        r#"{"action":"instruct","reasoning":"no quotation","text":"Go on."}"#,
        r#"{"action":"instruct","reasoning":"made up","text":"Go on.","quote":"Part two is finished."}"#,
        "",
    ];
    let (stage, agent) = Stage::with_agent(&READY);
    let answers = texts.map(|text| Answer::Text(text.to_owned()));
    let fenced = format!(
        "<think>hm</think>Here:\n```json\n{{\"action\":\"instruct\",\"reasoning\":\"r\",\"text\":\"{NEXT}\",\n\"quote\":\"Part one is finished.\"}}\n```"
    );
    stage
        .model
        .says(answers.into_iter().chain([Answer::Text(fenced)]));
    let mut config = stage.config(&[("a1", &agent)]);
    config["timing"]["reaskMaxSec"] = json!(0.5);
    let watch = stage.watch_as(config).await;
    agent.wait_for_line(NEXT);
    assert_eq!(
        agent.typed(),
        format!("{NEXT}\r"),
        "for the one that was a verdict"
    );
    let memos = watch.memos("a1");
    let none = |memo: &&Value| memo["action"] == "no_verdict" && memo["afterSummary"].is_null();
    assert_eq!(memos.iter().filter(none).count(), texts.len(), "{memos:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_asks_to_be_left_alone_for_a_while_is() {
    let (stage, agent) = Stage::with_agent(&READY);
    stage.model.says([
        status(429, "retry-after: 2\r\n", "slow down"),
        instruct(NEXT),
    ]);
    let _watch = stage.watch(&[("a1", &agent)]).await;
    agent.wait_for_line(NEXT);
    let asked = stage.model.asked();
    let gap = asked[1].at - asked[0].at;
    assert!(
        gap >= Duration::from_millis(1_990),
        "asked again after {gap:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_100_mb_is_read_up_to_its_bound() {
    let (stage, agent) = Stage::with_agent(&READY);
    stage
        .model
        .says([Answer::Endless(100_000_000), instruct(NEXT)]);
    let before = process::resident_bytes();
    let watch = stage.watch(&[("a1", &agent)]).await;
    watch.wait_for_notice(Urgency::Warning, "is left alone for now");
    if let (Some(before), Some(after)) = (before, process::resident_bytes()) {
        let more = after.saturating_sub(before) / (1024 * 1024);
        assert!(more < 60, "{more} MiB more, other tests' included");
    }
    agent.wait_for_line(NEXT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_schema_is_asked_without_one() {
    let (stage, agent) = Stage::with_agent(&READY);
    stage.model.answers(|asked| {
        if asked.body.get("response_format").is_some() {
            status(400, "", r#"{"error":"response_format is not supported"}"#)
        } else {
            instruct(NEXT)
        }
    });
    let _watch = stage.watch(&[("a1", &agent)]).await;
    agent.wait_for_line(NEXT);
    let asked = stage.model.asked();
    assert!(asked[0].body.get("response_format").is_some());
    assert!(asked[1].body.get("response_format").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_down_holds_its_agent_and_with_a_fallback_the_rules_decide() {
    let stage = Stage::open();
    let (held, decided) = (stage.agent("held", &READY), stage.agent("decided", &READY));
    let of = |name: &str, agent: &PaneAgent| {
        let mut config = with_timeout(stage.config(&[(name, agent)]), 1.0);
        config["decideBackend"]["baseUrl"] = json!(nobody());
        config
    };
    let holds = stage.watch_beside("held", of("held", &held)).await;
    let mut config = of("decided", &decided);
    config["decideBackend"]["fallback"] = json!("builtin");
    let rules = stage.watch_beside("decided", config).await;
    holds.wait_for_notice(Urgency::Warning, "is left alone for now");
    let memo = wait_for(PATIENCE, "a decision by the rules", || {
        rules.memos("decided").pop()
    });
    assert_ne!(memo["action"], "no_verdict");
    rules.wait_for_notice(Urgency::Warning, "is decided about by the built-in rules");
    assert_eq!(held.typed(), "");
    assert!(holds.memos("held").is_empty());

    // Stopping it does not wait for a server.
    let begun = Instant::now();
    holds.quit().await;
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
}
