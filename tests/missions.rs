//! Missions from the plan to the merged result: the program itself, real git, real zellij, scripted workers.
//!
//! The workers are `tests/agents/worker.rs`, whose screens are read by the shipped profile of Claude Code.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test fails by panicking, says why, makes its own files and starts the program"
)]
#![allow(dead_code, reason = "the parts that other tests use")]

mod common;
#[path = "missions/killed.rs"]
mod killed;
#[path = "missions/places.rs"]
mod places;
#[path = "commands/program.rs"]
mod program;
#[path = "missions/scene.rs"]
mod scene;
#[path = "socket/script.rs"]
mod script;
#[path = "missions/steer.rs"]
mod steer;
#[path = "missions/work.rs"]
mod work;

use scene::{Scene, does, task};

#[test]
fn a_diamond_runs_in_parallel_where_it_may_and_main_waits_for_the_persons_word() {
    let scene = Scene::set();
    let main = scene.git(&["rev-parse", "main"]);
    scene.plan(&[
        task("first", &[]),
        task("left", &["first"]),
        task("right", &["first"]),
        task("last", &["left", "right"]),
        task("alone", &[]),
    ]);
    for slug in ["first", "last", "alone"] {
        scene.script(slug, &does(slug));
    }
    // each of the two goes on only when the other one is at work
    let folder = scene.home().join("script").display().to_string();
    for (slug, other) in [("left", "right"), ("right", "left")] {
        let meets = format!("run touch {folder}/{slug}-is-there\nwait {other}-is-there\n");
        scene.script(slug, &format!("{meets}{}", does(slug)));
    }
    let ended = scene.ends(scene.run(), 0);
    assert!(
        ended.out.contains("first") && ended.err.contains("mission notes runs"),
        "{ended:?}"
    );
    for (before, after) in [
        ("first", "left"),
        ("first", "right"),
        ("left", "last"),
        ("right", "last"),
    ] {
        assert!(
            scene.at(before, "proven") < scene.at(after, "started"),
            "{before} {after}"
        );
    }
    assert!(scene.at("alone", "started") < scene.at("first", "proven"));
    assert!(
        scene.told("last", 1).contains("### `left`"),
        "the reports of what it builds on"
    );
    let all = ["first", "left", "right", "last", "alone"];
    for slug in all {
        assert_eq!(
            scene.merged(&format!("{slug}.txt")),
            Some(format!("{slug}\n"))
        );
        assert_eq!(scene.briefs(slug), ["task-1.md"]);
        assert_eq!(scene.count(slug, "merged"), 1);
    }
    assert_eq!(
        scene.git(&["rev-parse", "main"]),
        main,
        "nobody said finish"
    );
    assert_eq!(scene.panes().len(), 5, "they are kept until then");

    scene.ends(scene.mission(&["finish"]), 0);
    for slug in all {
        let file = format!("{slug}.txt");
        assert_eq!(scene.on("main", &file), Some(format!("{slug}\n")));
        assert!(scene.root().join(file).exists(), "main is checked out");
    }
    assert_eq!(
        scene.git(&["branch", "--format", "%(refname:short)"]),
        "main"
    );
    assert_eq!(scene.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(scene.panes(), [""; 0]);
    assert_eq!(scene.git(&["status", "--porcelain"]), "");
}
