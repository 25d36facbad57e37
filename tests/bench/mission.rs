//! What it costs to decide which of a thousand tasks start: done at each change of a mission.
#![allow(missing_docs, clippy::disallowed_macros, reason = "criterion's macros")]

#[path = "figures.rs"]
mod figures;

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use meta_orchestrator::mission::plan::Plan;
use meta_orchestrator::mission::schedule::{Graph, Stage, Terms};
use serde_json::json;

const TASKS: usize = 1_000;
/// As many workers as a plan may have at once.
const PLACES: usize = 50;
const GROUP: &str = "schedule of 1000 tasks";

/// A graph whose tasks each depend on those that `needs` names, and write two paths of their own.
fn graph(needs: impl Fn(usize) -> Vec<usize>) -> Option<Graph> {
    let task = |number: usize| {
        let needs: Vec<String> = needs(number).iter().map(|one| format!("t{one}")).collect();
        json!({
            "slug": format!("t{number}"), "title": "t", "description": "d", "role": "coder", "dependsOn": needs,
            "paths": [format!("crates/part-{number}/src/**"), format!("crates/part-{number}/tests/*.rs")],
            "exitCriteria": [{ "run": "cargo test" }],
        })
    };
    let tasks: Vec<_> = (0..TASKS).map(task).collect();
    let plan = json!({ "goal": "g", "maxParallel": PLACES, "tasks": tasks });
    Graph::new(&Plan::read(&plan.to_string()).ok()?)
}

fn measure(criterion: &mut Criterion) {
    let terms = Terms {
        places: PLACES,
        paused: false,
    };
    let running: Vec<Stage> = vec![Stage::Running; PLACES - 1];
    let stopped: Vec<Stage> = vec![Stage::Stopped; TASKS / 2];
    let half_done: Vec<Stage> = vec![Stage::Done; TASKS / 2];
    let (Some(wide), Some(deep)) = (
        graph(|_| Vec::new()),
        graph(|number| (number.saturating_sub(3)..number).collect()),
    ) else {
        panic!("no plan");
    };
    assert_eq!(
        wide.starts(&[], terms).len(),
        PLACES,
        "else less is measured"
    );
    assert_eq!(wide.starts(&running, terms), [PLACES - 1]);
    assert_eq!(deep.starts(&half_done, terms), [TASKS / 2]);
    let mut group = criterion.benchmark_group(GROUP);
    for (name, graph, stages) in [
        ("all free", &wide, &[][..]),
        ("one place left", &wide, &running),
        ("half are stopped", &wide, &stopped),
        ("in a chain", &deep, &half_done),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| graph.starts(black_box(stages), terms));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .output_directory(&figures::folder().join("criterion"))
        .configure_from_args();
    measure(&mut criterion);
    criterion.final_summary();
    for name in [
        "all free",
        "one place left",
        "half are stopped",
        "in a chain",
    ] {
        if let Some(took) = figures::median(GROUP, name) {
            let name = format!("schedule step over 1000 tasks: {name}");
            figures::time(&name, took, Duration::from_millis(1));
        }
    }
}
