//! `kill -9` of the program at every step of a task, and the same end all the same.

use rustix::process::Signal;
use serde_json::json;

use crate::common::zellij::wait_for;
use crate::program::Program;
use crate::scene::{LONG, Scene, does, task, task_by};

/// Every step of a task that passes at once, in its order.
const STEPS: [&str; 10] = [
    "started", "prepared", "opened", "telling", "told", "reported", "checked", "merging", "merged",
    "proven",
];

#[test]
fn killed_after_every_step_it_comes_to_the_same_end() {
    let scene = Scene::set();
    scene.plan(&[task("one", &[]), task("two", &["one"]), task("beside", &[])]);
    for slug in ["one", "two"] {
        scene.script(slug, &does(slug));
    }
    // it is at work all the time, and found again each time
    scene.script(
        "beside",
        &format!("wait everything-else\n{}", does("beside")),
    );
    let mut program = scene.run();
    let one = STEPS.map(|step| ("one", step));
    let two = ["telling", "merging", "merged"].map(|step| ("two", step));
    for (slug, step) in one.into_iter().chain(two) {
        scene.wait(slug, step, 1);
        program.killed();
        program = resumed(&scene);
    }
    scene.script("everything-else", "");
    scene.ends(program, 0);
    for slug in ["one", "two", "beside"] {
        assert_eq!(scene.briefs(slug).len(), 1, "{slug}");
        assert_eq!(scene.count(slug, "merged"), 1, "{slug}");
        assert_eq!(
            scene.merged(&format!("{slug}.txt")),
            Some(format!("{slug}\n"))
        );
        let merges = scene.git(&[
            "log",
            "--merges",
            "--format=%s",
            "mo/notes/integration",
            "--",
            &format!("{slug}.txt"),
        ]);
        assert!(merges.lines().count() <= 1, "{merges}");
    }
    // it was adopted, but for a kill between its text and Enter: nobody takes up what stands in a prompt
    let steps = scene.steps("beside");
    let left_over = steps.windows(2).filter(|two| two == &["telling", "closed"]);
    let left_over = left_over.count();
    assert_eq!(scene.count("beside", "closed"), left_over, "{steps:?}");
    let starts = scene.said("in/beside/starts");
    assert_eq!(starts.lines().count(), 1 + left_over, "{steps:?}");
    scene.ends(scene.mission(&["finish"]), 0);
    assert_eq!(scene.on("main", "two.txt").unwrap(), "two\n");
    assert_eq!(
        scene.git(&["branch", "--format", "%(refname:short)"]),
        "main"
    );
    assert_eq!(scene.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn killed_while_it_checks_and_while_it_takes_a_merge_back() {
    let scene = Scene::set();
    // a check that waits for the test, and leaves its traces
    scene.commit(
        "tests/slow.sh",
        "test -s \"$1\" || exit 1\necho x >> \"$HOME/checks\"\n\
         until test -e \"$HOME/go-on\"; do sleep 0.1; done\ntest $(cat parts/* | wc -l) -le 2\n",
    );
    scene.plan_that_breaks("sh tests/slow.sh parts/one");
    let program = scene.run();
    let checks = || std::fs::read_to_string(scene.home().join("checks")).unwrap_or_default();
    wait_for(LONG, "the check", || (!checks().is_empty()).then_some(()));
    program.killed();
    std::fs::write(scene.home().join("go-on"), "").unwrap();
    let mut program = resumed(&scene);
    scene.wait("one", "proven", 1);
    scene.script("one-is-merged", "");
    for (step, times) in [
        ("merged", 1),
        ("proven", 1),
        ("takenBack", 1),
        ("telling", 2),
    ] {
        scene.wait("two", step, times);
        program.killed();
        program = resumed(&scene);
    }
    scene.ends(program, 0);
    assert_eq!(scene.merged("parts/two").unwrap(), "2\n");
    assert_eq!(scene.briefs("one").len(), 1);
    assert_eq!(scene.briefs("two").len(), 2);
    assert_eq!(scene.count("two", "takenBack"), 1);
}

#[test]
fn killed_while_the_criteria_run_before_the_work_the_rest_of_them_run_and_all_is_told() {
    let scene = Scene::set();
    // on the base it waits for the test, once
    scene.commit(
        "tests/slow.sh",
        "test -s one.txt && exit 0\necho x >> \"$HOME/checks\"\n\
         until test -e \"$HOME/go-on\"; do sleep 0.1; done\nexit 1\n",
    );
    let criteria = ["test -s README", "sh tests/slow.sh", "test -d tests"];
    scene.plan(&[task_by("one", &[], &["one.txt"], &criteria)]);
    scene.script("one", &format!("wait go-on\n{}", does("one")));
    let program = scene.run();
    let checks = || std::fs::read_to_string(scene.home().join("checks")).unwrap_or_default();
    let before = || {
        let mut all = scene.receipts("one");
        all.retain(|receipt| receipt["on"] == "base");
        all
    };
    wait_for(LONG, "the slow criterion", || {
        (!checks().is_empty() && before().len() == 1).then_some(())
    });
    program.killed();
    std::fs::write(scene.home().join("go-on"), "").unwrap();
    let program = resumed(&scene);
    wait_for(LONG, "the other two", || {
        (before().len() == 3).then_some(())
    });
    scene.script("go-on", "");
    let ended = scene.ends(program, 0);
    let told = "these criteria pass before any work, so that they alone tell nothing of it: \
                one: `test -s README`; one: `test -d tests`";
    assert!(ended.err.contains(told), "{}", ended.err);
    let run: Vec<_> = before()
        .iter()
        .map(|receipt| receipt["criterion"].clone())
        .collect();
    assert_eq!(run, [0, 1, 2], "each once");
    // of the two begun, the first was killed with the program
    assert_eq!(checks(), "x\nx\n");
    // what is told already is not told, nor run, once more
    scene.ends(resumed(&scene), 0);
    assert_eq!((before().len(), checks().len()), (3, 4));
    scene.ends(scene.mission(&["finish"]), 0);
    assert_eq!(scene.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn killed_before_enter_the_worker_gives_way_to_one_with_an_empty_prompt() {
    let scene = Scene::set();
    scene.configure(&json!({}), 4.0);
    scene.plan(&[task("one", &[])]);
    scene.script("one", &does("one"));
    let program = scene.run();
    wait_for(LONG, "the text in the prompt", || {
        scene.said("in/one/typed").contains("says.").then_some(())
    });
    program.killed();
    assert_eq!(scene.said("in/one/lines"), "");
    scene.configure(&json!({}), 0.1);
    let serving = scene.start(&["--resume", "serve"]);
    serving.tells("mission notes goes on");
    scene.wait_until_over();
    serving.gets(Signal::TERM);
    scene.ends(serving, 0);
    assert_eq!(scene.said("in/one/lines").lines().count(), 1);
    assert_eq!(scene.said("in/one/starts").lines().count(), 2);
    assert_eq!(scene.briefs("one"), ["task-2.md"]);
    assert_eq!(scene.count("one", "checked"), 1, "it costs no attempt");
}

fn resumed(scene: &Scene) -> Program {
    scene.mission(&["resume", "notes"])
}
