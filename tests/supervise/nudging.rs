//! What the supervisor is for: a stall, a decision, a text, and what came of it.

use super::common::model::{ask, instruct};
use super::common::supervisor::{Stage, id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_agent_is_nudged_and_what_came_of_it_is_remembered() {
    let t = std::time::Instant::now();
    let (stage, agent) = Stage::with_agent(&["prompt", "say ● Part one is finished."]);
    eprintln!("stage {:?}", t.elapsed());
    stage
        .model
        .says([instruct("Go on with part two."), ask("Done?")]);
    let watch = stage.watch(&[("a1", &agent)]).await;
    eprintln!("watch {:?}", t.elapsed());
    agent.wait_for_line("Go on with part two.");
    eprintln!("line {:?}", t.elapsed());
    assert_eq!(agent.typed(), "Go on with part two.\r");
    let memo = watch.wait_for_memo("a1", "what came after it", |memo| {
        !memo["afterSummary"].is_null()
    });
    eprintln!("memo {:?} {memo}", t.elapsed());
    let view = watch.wait_for_status("a1", "awaiting-user");
    eprintln!("{view:?}");
    drop(watch);
    eprintln!("end {:?}", t.elapsed());
    drop(stage);
    let _ = id("a");
    eprintln!("dropped {:?}", t.elapsed());
}
