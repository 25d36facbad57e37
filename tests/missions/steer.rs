//! What the person does with a mission that runs, and what becomes of workers that cannot go on.

use std::path::Path;

use meta_orchestrator::host::process;
use serde_json::Value;

use crate::common::zellij::{PATIENCE, wait_for};
use crate::program::BINARY;
use crate::scene::{LONG, Scene, does, task, task_by};

/// The processes that work in a folder or below it.
fn at_work_in(folder: &Path) -> Vec<u32> {
    let mut all = process::all();
    all.retain(|pid| process::working_folder(*pid).is_some_and(|its| its.starts_with(folder)));
    all.retain(|pid| process::process(*pid).is_some_and(|found| !found.has_ended()));
    all
}

#[test]
fn abort_leaves_no_process_and_no_pane_and_all_the_work() {
    let scene = Scene::set();
    scene.commit("tests/slow.sh", "touch \"$HOME/checking\"\nsleep 1000\n");
    scene.plan(&[
        task("hangs", &[]),
        task("leaves", &[]),
        task_by("checks", &[], &["checks.txt"], &["sh tests/slow.sh"]),
        task("waits", &["hangs"]),
    ]);
    scene.script("hangs", "write hangs.txt half\nhang\n");
    scene.script("leaves", "leave\nrun sleep 1000\n");
    scene.script("checks", &does("checks"));
    let serving = scene.serve_mission();
    let folder = scene.root().join(".worktrees");
    for slug in ["hangs", "leaves"] {
        scene.wait(slug, "told", 1);
    }
    scene.wait("checks", "reported", 1);
    wait_for(LONG, "the slow check, and what a worker leaves", || {
        let names = at_work_in(&folder).into_iter().filter_map(process::process);
        let sleeping = names.filter(|found| found.argv.first().is_some_and(|name| name == "sleep"));
        (sleeping.count() >= 3).then_some(())
    });
    assert_eq!(scene.panes().len(), 3);
    scene.ctl(&["mission", "abort", "notes"]).done();
    wait_for(PATIENCE, "the end of every process", || {
        at_work_in(&folder).is_empty().then_some(())
    });
    wait_for(PATIENCE, "the end of every pane", || {
        scene.panes().is_empty().then_some(())
    });
    assert_eq!(scene.view()["phase"], "aborted");
    assert_eq!(scene.steps("waits"), [""; 0]);
    let half = folder.join("notes/hangs/hangs.txt");
    assert_eq!(std::fs::read_to_string(half).unwrap(), "half\n");
    assert_eq!(
        scene.on("mo/notes/checks", "checks.txt").unwrap(),
        "checks\n"
    );
    drop(serving);
}

#[test]
fn who_is_blocked_or_gone_is_given_what_it_needs_or_gives_way_to_another() {
    let scene = Scene::set();
    let slugs = ["needs", "dies", "crashes", "hangs", "leaves"];
    let tasks: Vec<Value> = slugs.iter().map(|slug| task(slug, &[])).collect();
    scene.plan(&tasks);
    for (slug, first) in [
        ("needs", "report blocked which port is it?"),
        ("dies", "die"),
        ("crashes", "crash"),
        ("hangs", "hang"),
    ] {
        scene.script(slug, &format!("{first}\n---\n{}", does(slug)));
    }
    scene.script("leaves", &format!("leave\n{}", does("leaves")));
    let serving = scene.serve_mission();
    scene.wait("needs", "answered", 1);
    let blocked = wait_for(PATIENCE, "a proposal", || {
        let view = scene.view();
        (view["proposals"][0]["slug"] == "resolve-needs").then_some(view)
    });
    let why = blocked["tasks"][0]["why"].as_str().unwrap();
    assert!(why.contains("which port is it?"), "{blocked:#}");
    scene
        .ctl(&["mission", "message", "notes", "needs", "It is port 80"])
        .done();
    scene.wait("hangs", "told", 1);
    scene
        .ctl(&[
            "mission",
            "message",
            "notes",
            "hangs",
            "--fresh",
            "Do not hang",
        ])
        .done();
    scene.wait_until_over();
    let done: Vec<_> = slugs
        .iter()
        .map(|slug| ((*slug).to_owned(), "done".to_owned()))
        .collect();
    assert_eq!(scene.stages(), done);
    let told = scene.told("needs", 2);
    assert!(told.contains("It is port 80"), "{told}");
    assert_eq!(
        scene.said("in/needs/starts").lines().count(),
        1,
        "the same worker"
    );
    for (slug, why) in [
        ("dies", "has ended with status 1"),
        ("crashes", ""),
        ("hangs", "Do not hang"),
    ] {
        let told = scene.told(slug, 2);
        let whole = told.contains(&format!("Make the part {slug}.")) && told.contains(why);
        assert!(
            whole && told.contains("What earlier attempts got wrong"),
            "{told}"
        );
        assert_eq!(
            scene.said(&format!("in/{slug}/starts")).lines().count(),
            2,
            "{slug}"
        );
    }
    // what a worker leaves behind ends with its pane
    let folder = scene.root().join(".worktrees/notes/leaves");
    assert_eq!(at_work_in(&folder).len(), 2);
    scene.ctl(&["mission", "finish", "notes"]).done();
    let all = scene.root().join(".worktrees");
    wait_for(PATIENCE, "the end of every process", || {
        at_work_in(&all).is_empty().then_some(())
    });
    drop(serving);
}

#[test]
fn a_pause_starts_nothing_and_what_is_stopped_goes_on_when_the_person_says_so() {
    let scene = Scene::set();
    scene.plan(&[task("one", &[]), task("two", &[]), task("three", &["two"])]);
    scene.script("one", &format!("wait never\n---\n{}", does("one")));
    scene.script("two", &format!("wait paused\n{}", does("two")));
    scene.script("three", &does("three"));
    let serving = scene.serve_mission();
    scene.wait("one", "told", 1);
    scene.wait("two", "telling", 1);
    scene.ctl(&["mission", "pause", "notes"]).done();
    scene.script("paused", "");
    // what its worker did is taken in
    scene.wait("two", "proven", 1);
    scene.ctl(&["mission", "stop", "notes", "one"]).done();
    wait_for(PATIENCE, "the end of its pane", || {
        (scene.panes() == ["notes.two"]).then_some(())
    });
    let again = scene.ctl(&["mission", "stop", "notes", "one"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    let why = scene.ctl(&["mission", "explain", "notes", "three"]).done();
    assert!(why.contains("paused"), "{why}");
    assert_eq!(scene.steps("three"), [""; 0]);
    scene.ctl(&["mission", "resume", "notes"]).done();
    scene.wait("three", "proven", 1);
    scene.wait_until_over();
    scene.ctl(&["mission", "retry", "notes", "one"]).done();
    scene.wait("one", "proven", 1);
    scene.wait_until_over();
    assert_eq!(
        scene.view()["tasks"][0]["attempt"],
        1,
        "a stop is no failure"
    );
    assert_eq!(scene.merged("one.txt").unwrap(), "one\n");
    drop(serving);
}

#[test]
fn who_can_take_in_no_more_gives_way_to_another_with_the_same_work() {
    let scene = Scene::set();
    scene.plan(&[task("one", &[])]);
    scene.script("one", &format!("full\n---\n{}", does("one")));
    scene.ends(scene.run(), 0);
    assert_eq!(scene.count("one", "usedUp"), 1);
    assert_eq!(scene.count("one", "opened"), 2);
    assert_eq!(scene.said("in/one/starts").lines().count(), 2);
    let told = scene.told("one", 2);
    for words in [
        "attempt 2 of 3",
        "its worker's context was used up",
        "Make the part one.",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(scene.merged("one.txt").unwrap(), "one\n");
}

#[test]
fn what_the_person_holds_is_told_nothing_by_the_mission_either() {
    let scene = Scene::set();
    scene.plan(&[task("one", &[]), task("two", &[])]);
    scene.script(
        "one",
        &format!(
            "wait held\nreport done nothing at all\n---\n{}",
            does("one")
        ),
    );
    scene.script("two", &format!("wait held\nlie\n---\n{}", does("two")));
    let serving = scene.serve_mission();
    for slug in ["one", "two"] {
        scene.wait(slug, "told", 1);
    }
    scene.ctl(&["hold", "notes.one"]).done();
    scene.script("held", "");
    // the one that nobody holds goes its way; the other's work is checked, and it is not told
    scene.wait("two", "proven", 1);
    scene.wait("one", "checked", 1);
    wait_for(PATIENCE, "that it was not told", || {
        let said = serving.program.err();
        said.contains("you hold what is typed to it; `/release notes.one` first")
            .then_some(())
    });
    assert_eq!(scene.briefs("one").len(), 1);
    let list = scene.ctl(&["list"]).done();
    assert!(list.contains("held"), "the mission does not end it: {list}");
    assert_eq!(scene.said("in/one/lines").lines().count(), 1);
    scene.ctl(&["release", "notes.one"]).done();
    scene.wait("one", "proven", 1);
    assert_eq!(scene.briefs("one").len(), 2);
    drop(serving);
}

#[test]
fn nobody_is_added_while_a_worker_stands_at_its_usage_limit_and_scripts_wait_for_what_comes() {
    let scene = Scene::set();
    scene.plan(&[
        task("limited", &[]),
        task("before", &[]),
        task("next", &["before"]),
    ]);
    scene.script(
        "limited",
        &format!("sleep 1\nlimit it-is-over\n{}", does("limited")),
    );
    scene.script("before", &format!("wait go-on\n{}", does("before")));
    scene.script("next", &does("next"));
    let serving = scene.serve_mission();
    let waited = |id: &str, until: &str| {
        let said = scene.ctl(&["wait", id, "--until", until, "--timeout", "4m"]);
        said.done().trim().to_owned()
    };
    // the worker of a task is an agent like any other
    assert_eq!(waited("notes/before", "running"), "notes/before is running");
    scene.wait("limited", "told", 1);
    assert_eq!(waited("notes.limited", "limit"), "notes.limited is limit");
    scene.script("go-on", "");
    assert_eq!(
        waited("notes/before", "done,failed"),
        "notes/before is done"
    );
    // it is known to be done when what starts next has been decided
    assert_eq!(scene.steps("next"), [""; 0]);
    let late = scene.ctl(&[
        "wait",
        "notes/next",
        "--until",
        "running",
        "--timeout",
        "2s",
    ]);
    assert!(
        late.code != Some(0) && late.err.contains("notes/next"),
        "{late:?}"
    );
    assert_eq!(scene.steps("next"), [""; 0], "the rule holds");
    scene.script("it-is-over", "");
    assert_eq!(waited("notes/next", "done"), "notes/next is done");
    let over = waited("notes", "over,aborted");
    assert_eq!(over, "notes is over: 3 of 3 tasks are done");
    let json = scene.ctl(&["wait", "--json", "notes/limited", "--until", "done"]);
    let json: Value = serde_json::from_str(&json.done()).unwrap();
    assert_eq!(
        (&json["id"], &json["is"]),
        (&"notes/limited".into(), &"done".into())
    );
    for (id, says) in [
        ("notes/none", "has no task `none`"),
        ("nobody", "there is no agent `nobody`"),
        ("nobody/one", "there is no mission `nobody`"),
    ] {
        let said = scene.ctl(&["wait", id, "--until", "done"]);
        assert_eq!(said.code, Some(2), "{id}: {said:?}");
        assert!(said.err.contains(says), "{id}: {said:?}");
    }
    drop(serving);
}

#[test]
fn a_worker_reports_out_of_its_own_pane_and_says_nothing_else_there() {
    let scene = Scene::set();
    scene.plan(&[task("made", &[])]);
    let refused = |words: &str| {
        let folder = scene.home().join("script").display().to_string();
        format!("run ! {BINARY} ctl {words} >> {folder}/refused 2>&1\n")
    };
    let report = format!("run {BINARY} ctl task report Result: done. It is there.\n");
    scene.script(
        "made",
        &format!(
            "{}{}{}write made.txt made\ncommit made\n{report}",
            refused("mission abort notes"),
            refused("mission message notes made go on"),
            refused("stopall"),
        ),
    );
    let serving = scene.serve_mission();
    let outside = scene.ctl(&["task", "report", "Result: done"]);
    assert!(
        outside.code != Some(0) && outside.err.contains("of no worker"),
        "{outside:?}"
    );
    scene.wait_until_over();
    assert_eq!(scene.said("failed"), "");
    let said = scene.said("refused");
    let count = said.matches("does not steer its supervisor").count();
    assert_eq!(count, 3, "{said}");
    let report = scene.home().join("logs/missions/notes/reports/made-1.md");
    let report = std::fs::read_to_string(report).unwrap();
    assert_eq!(report.trim(), "Result: done. It is there.");
    assert_eq!(scene.merged("made.txt").unwrap(), "made\n");
    let events = scene.ctl(&["events", "--kinds", "task"]).done();
    let end = events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|event| event["status"] == "done")
        .unwrap();
    for (field, value) in [("mission", "notes"), ("task", "made"), ("role", "coder")] {
        assert_eq!(end[field], value, "{end}");
    }
    assert!(
        end["summary"].as_str().unwrap().contains("It is there"),
        "{end}"
    );
    assert!(
        end["result"].is_string() && end["durationSec"].is_u64(),
        "{end}"
    );
    drop(serving);
}
