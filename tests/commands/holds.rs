//! Holds and stops: what a person's word keeps from being typed, and for how long.

use serde_json::json;

use crate::common::supervisor::{Stage, id};
use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::program::{Program, agent_pane, polls, row};

/// A configuration whose agents are nudged by the built-in rules a second after they stand still.
fn eager(agents: &[(&str, String)]) -> String {
    let agents = agents.iter().map(|(id, pane)| {
        json!({
            "id": id, "pane": pane, "goal": "ship it", "kind": "generic", "stallSec": 1, "pollSec": 0.2,
        })
    });
    json!({
        "agents": agents.collect::<Vec<_>>(),
        "logDir": "./logs",
        "decideBackend": { "type": "builtin" },
        "reviewBackend": { "type": "builtin" },
        "timing": { "enterPauseSec": 0.1 },
    })
    .to_string()
}

fn waits_for_polls(program: &mut Program, id: &str, more: u64) {
    let before = polls(&program.asks("/list").out, id);
    program.asks_until("/list", "more looks", |list| {
        polls(list, id) >= before + more
    });
}

#[test]
fn a_held_agent_is_not_nudged_until_it_is_released() {
    let test = TestZellij::start_sized(100, 40);
    let held = agent_pane(&test, "worker");
    let control = agent_pane(&test, "worker");
    let config = eager(&[("h", held.to_string()), ("c", control.to_string())]);
    std::fs::write(test.home().join("c.json"), config).unwrap();
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.asks("/hold h").has(&["nudges to h are held"]);
    // the control: the same agent, not held, is nudged
    program.tells("c: was told");
    waits_for_polls(&mut program, "h", 15);
    let list = program.asks("/list").out;
    assert_eq!(row(&list, "h")[1], "held", "{list}");
    assert!(!program.err().contains("h: was told"), "{}", program.err());
    program
        .asks("/explain h")
        .has(&["nudges are held", "/release h"]);
    program.asks("/hold h 5").has(&["held until"]);
    // it outlives the program
    program.killed();
    let mut program = Program::start(&test, &["--config", "c.json"]);
    waits_for_polls(&mut program, "h", 10);
    let list = program.asks("/list").out;
    assert!(row(&list, "h")[1].starts_with("held until"), "{list}");
    assert!(!program.err().contains("h: was told"), "{}", program.err());
    program.asks("/release h").has(&["no longer held"]);
    program.tells("h: was told");
    program
        .asks("/hold nobody")
        .refused(&["there is no agent `nobody`"]);
}

#[test]
fn stopall_stops_all_typing_and_is_still_known_after_a_restart() {
    let test = TestZellij::start();
    let worker = agent_pane(&test, "worker");
    let config = eager(&[("w", worker.to_string())]);
    std::fs::write(test.home().join("c.json"), config).unwrap();
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.asks("/stopall").has(&["all typing is stopped"]);
    program.killed();
    let nudged = || test.dump(worker.pane).contains("Understood");
    assert!(!nudged());

    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.tells("all typing is still stopped");
    waits_for_polls(&mut program, "w", 20);
    let list = program.asks("/list").out;
    assert_eq!(row(&list, "w")[1], "all-stopped", "{list}");
    assert!(list.contains("all typing is stopped; /startall"), "{list}");
    program
        .asks("/reply w hello")
        .refused(&["`/startall` first"]);
    program
        .asks("/explain w")
        .has(&["Would nudge: no", "all typing is stopped"]);
    assert!(!nudged());
    // the control: without it the same agent is nudged
    program.asks("/startall").has(&["typing goes on"]);
    program.tells("w: was told");
    wait_for(PATIENCE, "the nudge", || nudged().then_some(()));
    program.asks("/startall").has(&["was not stopped"]);
    program.quits();

    // a file that says nothing counts as a stop
    std::fs::write(test.home().join("logs/all-stopped.json"), "{\"v\":").unwrap();
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.tells("it is not known whether it was");
    program
        .asks("/reply w hello")
        .refused(&["`/startall` first"]);
    program.asks("/startall").has(&["typing goes on"]);
    program.quits();
    let mut program = Program::start(&test, &["--config", "c.json"]);
    waits_for_polls(&mut program, "w", 2);
    assert!(!program.err().contains("all typing"), "{}", program.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_a_text_is_typed_comes_before_its_next_key() {
    let stage = Stage::open();
    // it shows late what is typed, so that Enter waits for it
    let orders = ["say ● ready", "box", "slow 1500"];
    let (control, agent) = (stage.agent("c", &orders), stage.agent("w", &orders));
    let mut config = stage.config(&[("c", &control), ("w", &agent)]);
    for agent in config["agents"].as_array_mut().unwrap() {
        agent["kind"] = json!("generic");
        agent["stallSec"] = json!(600);
    }
    let watch = stage.watch_as(config).await;
    watch.wait_for_polls("w", 2);
    let reply = |name: &'static str| {
        let supervisor = watch.supervisor.clone();
        tokio::spawn(async move { supervisor.reply(&id(name), "never mind".into()).await })
    };
    // the control: nobody stops it
    reply("c").await.unwrap().unwrap();
    assert_eq!(control.lines(), ["never mind"]);

    let under_way = reply("w");
    agent.wait_for_typed("never mind");
    watch.supervisor.stop_all().await.unwrap();
    let failure = under_way.await.unwrap().unwrap_err().to_string();
    assert!(failure.contains("stopped before Enter"), "{failure}");
    assert_eq!(agent.typed(), "never mind");
    assert_eq!(agent.lines(), Vec::<String>::new());
    assert_eq!(watch.status("c"), "all-stopped");
    // and whoever comes later is stopped too
    let late = stage.agent("late", &orders);
    let pane = late.pane.to_string().parse().unwrap();
    let kind = "generic".parse().ok();
    let added = watch
        .supervisor
        .add(id("late"), pane, kind, "ship it".into());
    added.await.unwrap();
    watch.wait_for_polls("late", 2);
    let failure = reply("late").await.unwrap().unwrap_err().to_string();
    assert!(failure.contains("`/startall` first"), "{failure}");
    assert_eq!(late.typed(), "");
    watch.supervisor.start_all().await.unwrap();
    reply("late").await.unwrap().unwrap();
    watch.supervisor.quit().await;
}
