//! Real Claude Code, Codex and opencode, offline, in real zellij: whether nudges arrive, and whether anything
//! happens that nobody meant when an agent or a person interferes. `scripts/live-agents` runs it; CI does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test fails by panicking, tells what it sees, and makes its own files and processes"
)]

mod common;

#[path = "live/agent.rs"]
mod agent;
#[path = "live/answers.rs"]
mod answers;
#[path = "live/api.rs"]
mod api;
#[path = "live/brief.rs"]
mod brief;
#[path = "live/control.rs"]
mod control;
#[path = "live/judge.rs"]
mod judge;
#[path = "live/mission.rs"]
mod mission;
#[path = "live/moments.rs"]
mod moments;
#[path = "live/nudges.rs"]
mod nudges;
#[path = "live/plan.rs"]
mod plan;
#[path = "commands/program.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod program;
#[path = "live/rounds.rs"]
mod rounds;
#[path = "live/table.rs"]
mod table;
#[path = "live/wire.rs"]
mod wire;

use agent::{Kind, Lab};
use moments::Moments;
use table::Row;

/// How many nudges and rounds there are for each agent, unless the environment says otherwise.
const MANY: u64 = 30;

fn number(variable: &str, default: u64) -> u64 {
    let said = std::env::var(variable).ok();
    said.map_or(default, |said| said.parse().expect(variable))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs real agents: `scripts/live-agents` runs it"]
async fn nudges_reach_real_agents_and_nothing_happens_that_nobody_meant() {
    let seed = number("LIVE_SEED", 1);
    let chosen = std::env::var("LIVE_AGENTS").unwrap_or_else(|_| "claude codex opencode".into());
    let moments = Moments::begin();
    let mut rows = Vec::new();
    for kind in chosen.split_whitespace().map(Kind::named) {
        let lab = Lab::open(kind);
        let mut row = Row::new(kind, &lab);
        if number("LIVE_CONTROL", 1) == 1 {
            tokio::task::block_in_place(|| control::run(&lab, seed));
        }
        nudges::run(&lab, seed, number("LIVE_NUDGES", MANY), &mut row).await;
        rounds::run(&lab, &moments, seed, number("LIVE_ROUNDS", MANY), &mut row).await;
        println!("{}", table::of(std::slice::from_ref(&row)));
        rows.push(row);
    }
    println!("\nseed {seed}\n\n{}", table::of(&rows));
    for row in &rows {
        assert!(row.is_well(), "{row:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs real agents: `scripts/live-agents` runs it"]
async fn answers_in_words_reach_real_agents_as_they_are() {
    let chosen = std::env::var("LIVE_AGENTS").unwrap_or_else(|_| "claude opencode".into());
    for kind in chosen.split_whitespace().map(Kind::named) {
        // Codex's questions have no place for words
        if kind != Kind::Codex {
            let lab = Lab::open(kind);
            answers::run(&lab, number("LIVE_ANSWERS", 6)).await;
        }
    }
}

#[test]
#[ignore = "needs real agents: `scripts/live-agents` runs it"]
fn missions_are_carried_out_by_real_agents() {
    let chosen = std::env::var("LIVE_AGENTS").unwrap_or_else(|_| "claude codex opencode".into());
    for kind in chosen.split_whitespace().map(Kind::named) {
        let began = std::time::Instant::now();
        let lab = Lab::open(kind);
        mission::run(&lab);
        println!(
            "{kind} {}: a mission of four tasks in {} s",
            lab.version,
            began.elapsed().as_secs()
        );
    }
}
