//! What workers do and leave undone: lies, weakened tests, failures, conflicts, what breaks others' work.

use serde_json::{Value, json};

use crate::common::zellij::wait_for;
use crate::scene::{LONG, Scene, does, task, task_by};

/// A check that a worker may not write: whether a file has the word.
const CHECK: &str = "grep -q whole \"$1\" || { echo \"$1 is not whole\"; exit 3; }\n";

#[test]
fn a_worker_that_lies_or_weakens_its_test_is_caught_told_and_does_it_right() {
    let scene = Scene::set();
    scene.commit("tests/check.sh", CHECK);
    scene.plan(&[
        task("lies", &[]),
        task_by(
            "weakens",
            &[],
            &["made.txt"],
            &["sh tests/check.sh made.txt"],
        ),
    ]);
    scene.script("lies", &format!("lie\n---\n{}", does("lies")));
    scene.script(
        "weakens",
        "write made.txt half\nwrite tests/check.sh exit 0\ncommit all of it\nreport done all tests pass\n---\n\
         write made.txt whole\nrun git checkout --quiet main -- tests/check.sh\ncommit right\nreport done right\n",
    );
    scene.ends(scene.run(), 0);
    scene.was_told(
        "lies",
        2,
        &["attempt 2 of 3", "`test -s lies.txt`", "exit code 1"],
    );
    scene.was_told(
        "weakens",
        2,
        &[
            "attempt 2 of 3",
            "`sh tests/check.sh made.txt`",
            "exit code 3",
            "> made.txt is not whole",
            "Files that were changed and may not be",
            "`tests/check.sh`",
        ],
    );
    let receipts = scene.receipts("weakens");
    let first = receipts.iter().find(|one| one["on"] == "work").unwrap();
    assert_eq!(first["undone"], json!(["tests/check.sh"]));
    assert_eq!(scene.merged("tests/check.sh").unwrap(), CHECK);
    assert_eq!(scene.merged("made.txt").unwrap(), "whole\n");
    assert_eq!(scene.merged("lies.txt").unwrap(), "lies\n");
    for slug in ["lies", "weakens"] {
        assert_eq!(scene.briefs(slug), ["task-1.md", "task-2.md"]);
        assert_eq!(scene.count(slug, "merged"), 1);
    }
}

#[test]
fn a_weakened_test_is_not_merged_though_the_work_passes_the_right_one() {
    let scene = Scene::set();
    scene.commit("tests/check.sh", CHECK);
    scene.plan(&[task_by(
        "made",
        &[],
        &["made.txt"],
        &["sh tests/check.sh made.txt"],
    )]);
    scene.script(
        "made",
        "write made.txt whole\nwrite tests/check.sh exit 0\nwrite beside.txt beside\ncommit all of it\n\
         report done all tests pass\n",
    );
    let ended = scene.ends(scene.run(), 0);
    assert_eq!(scene.merged("made.txt").unwrap(), "whole\n");
    assert_eq!(scene.merged("beside.txt").unwrap(), "beside\n");
    assert_eq!(scene.merged("tests/check.sh").unwrap(), CHECK);
    assert_eq!(
        scene.on("mo/notes/made", "tests/check.sh").unwrap(),
        "exit 0\n",
        "the worker's own branch is as it left it"
    );
    for words in [
        "it changed what it may not: beside.txt, tests/check.sh",
        "not merged, because work is judged by it: tests/check.sh",
    ] {
        assert!(ended.err.contains(words), "{words}: {ended:?}");
    }
    // what was run on the merged tree was run on just that tree
    let receipts = scene.receipts("made");
    let merged = receipts.iter().find(|one| one["on"] == "merged").unwrap();
    assert_eq!(merged["undone"], json!(null), "{merged}");
    assert_eq!(
        merged["commit"],
        scene.git(&["rev-parse", "mo/notes/integration"])
    );
}

#[test]
fn who_asks_something_though_all_is_done_holds_nothing_up() {
    let scene = Scene::set();
    scene.configure(&json!({ "stallSec": 2 }), 0.1);
    scene.plan(&[
        task("asks", &[]),
        task("lacks", &[]),
        task("after", &["asks"]),
    ]);
    let question = "ask The tests pass. Shall I rename the file as well?\n";
    let work = |slug: &str| format!("write {slug}.txt {slug}\ncommit {slug}\n");
    scene.script("asks", &format!("{}{question}", work("asks")));
    scene.script(
        "lacks",
        &format!(
            "ask Which of the two names do you want?\n---\n{}",
            does("lacks")
        ),
    );
    scene.script("after", &does("after"));
    let serving = scene.serve_mission();
    // one is merged, and what needs it goes its way; the other is tried, and waits for the person as before
    scene.wait("after", "proven", 1);
    assert_eq!(scene.count("asks", "reported"), 0);
    assert_eq!(scene.merged("asks.txt").unwrap(), "asks\n");
    wait_for(LONG, "the criteria of who waits", || {
        let receipts = scene.receipts("lacks");
        receipts.iter().any(|one| one["on"] == "work").then_some(())
    });
    assert_eq!(scene.count("lacks", "checked"), 0, "it costs no attempt");
    scene
        .ctl(&["mission", "message", "notes", "lacks", "the first"])
        .done();
    scene.wait_until_over();
    assert!(scene.told("lacks", 2).contains("the first"));
    assert_eq!(scene.count("lacks", "checked"), 1);
    for slug in ["asks", "lacks"] {
        assert_eq!(scene.briefs(slug).len(), 1 + usize::from(slug == "lacks"));
    }
    drop(serving);
}

#[test]
fn what_fails_is_tried_again_with_the_error_and_three_failures_skip_what_depends_on_it_alone() {
    let scene = Scene::set();
    scene.commit("tests/check.sh", CHECK);
    let whole = |slug: &str, needs: &[&str]| {
        let file = format!("{slug}.txt");
        task_by(
            slug,
            needs,
            &[&file],
            &[&format!("sh tests/check.sh {file}")],
        )
    };
    scene.plan(&[
        whole("again", &[]),
        whole("never", &[]),
        task("after", &["never"]),
        task("later", &["after", "again"]),
        task("beside", &["again"]),
    ]);
    let tries = |slug: &str, words: &[&str]| {
        let blocks = words
            .iter()
            .map(|word| format!("write {slug}.txt {word}\ncommit {word}\nreport done {word}\n"));
        scene.script(slug, &blocks.collect::<Vec<_>>().join("---\n"));
    };
    tries("again", &["half", "whole"]);
    tries("never", &["some", "more", "most", "whole"]);
    for slug in ["after", "later", "beside"] {
        scene.script(slug, &does(slug));
    }
    let ended = scene.ends(scene.run(), 1);
    assert!(ended.err.contains("never has failed"), "{ended:?}");
    for (slug, attempt) in [("again", 2), ("never", 2), ("never", 3)] {
        let told = scene.told(slug, attempt);
        for words in [
            format!("attempt {attempt} of 3"),
            format!("`sh tests/check.sh {slug}.txt`"),
            "exit code 3".to_owned(),
            format!("> {slug}.txt is not whole"),
        ] {
            assert!(told.contains(&words), "{words}: {told}");
        }
    }
    // who fails twice in the same way has gone the wrong one: somebody else tries, and knows all of it
    assert_eq!(scene.briefs("never").len(), 3);
    let fresh = |number| {
        let told = scene.told("never", number);
        told.contains("Others have tried this task before you")
    };
    assert_eq!([1, 2, 3].map(fresh), [false, false, true]);
    assert_eq!(scene.count("never", "opened"), 2);
    assert_eq!(scene.count("again", "opened"), 1);

    let serving = scene.serve();
    let stages = |wanted: [&str; 5]| {
        let slugs = ["again", "never", "after", "later", "beside"].map(str::to_owned);
        let wanted = wanted.map(str::to_owned);
        assert_eq!(
            scene.stages(),
            slugs.into_iter().zip(wanted).collect::<Vec<_>>()
        );
    };
    stages(["done", "failed", "skipped", "skipped", "done"]);
    let why = scene.ctl(&["mission", "explain", "notes", "never"]).done();
    assert!(why.contains("x sh tests/check.sh never.txt"), "{why}");
    scene.ctl(&["mission", "retry", "notes", "never"]).done();
    scene.wait_until_over();
    stages(["done"; 5]);
    let told = scene.told("never", 4);
    assert!(
        told.contains("attempt 4 of 4") && told.contains("> never.txt is not whole"),
        "{told}"
    );
    let events = scene.ctl(&["events", "--kinds", "task,mission"]).done();
    for words in ["\"never\"", "\"later\"", "\"done\"", "\"over\""] {
        assert!(events.contains(words), "{words}: {events}");
    }
    let said = scene.ctl(&["mission", "finish", "notes"]).done();
    assert!(said.contains("main has the result"), "{said}");
    assert_eq!(scene.on("main", "never.txt").unwrap(), "whole\n");
    drop(serving);
}

#[test]
fn a_task_whose_criterion_was_wrong_is_changed_by_the_person_and_tried_again() {
    let scene = Scene::set();
    let mut wrong = task_by("made", &[], &["made.txt"], &["test -s other.txt"]);
    wrong["attempts"] = json!(1);
    scene.plan(&[wrong.clone(), task("after", &["made"])]);
    let done_already = format!("{}---\nreport done it is there\n", does("made"));
    scene.script("made", &done_already);
    scene.script("after", &does("after"));
    scene.ends(scene.run(), 1);
    let serving = scene.serve();
    wrong["description"] = json!("Make the part made, as it should be.");
    wrong["exitCriteria"] = json!([{ "run": "test -s made.txt" }]);
    let file = scene.plan_as(&[wrong], &json!({}));
    let file = file.to_string_lossy();
    // nothing of it is taken in before the person has seen it and said yes
    let asked = scene.ctl(&["mission", "edit", "notes", "made", &file]);
    assert_ne!(asked.code, Some(0), "{asked:?}");
    assert!(!scene.journal().iter().any(|line| line["entry"] == "edited"));
    let said = scene
        .ctl(&["--yes", "mission", "edit", "notes", "made", &file])
        .done();
    assert!(said.contains("made is changed"), "{said}");
    let why = scene.ctl(&["mission", "explain", "notes", "made"]).done();
    assert!(why.contains("- test -s made.txt"), "{why}");
    scene.ctl(&["mission", "retry", "notes", "made"]).done();
    scene.wait("after", "proven", 1);
    let told = scene.told("made", 2);
    for words in [
        "as it should be",
        "`test -s made.txt`",
        "the person has changed the task",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let again = scene.ctl(&["--yes", "mission", "edit", "notes", "made", &file]);
    assert_eq!(again.code, Some(2), "{again:?}");
    drop(serving);
}

#[test]
fn a_conflict_is_resolved_by_its_author_with_both_intents() {
    let scene = Scene::set();
    scene.commit("list.txt", "the list\n");
    scene.plan(&[task("one", &[]), task("two", &[])]);
    scene.script("one", &format!("append list.txt from one\n{}", does("one")));
    scene.script(
        "two",
        "append list.txt from two\nwrite two.txt two\ncommit two\nwait one-is-merged\n\
             report done it is there\n---\nmerge\nreport done both are kept\n",
    );
    let program = scene.run();
    scene.wait("one", "proven", 1);
    scene.script("one-is-merged", "");
    scene.ends(program, 0);
    let list = scene.merged("list.txt").unwrap();
    assert!(
        list.contains("from one") && list.contains("from two"),
        "{list}"
    );
    assert_eq!(scene.count("two", "conflict"), 1);
    scene.was_told(
        "two",
        2,
        &[
            "a conflict to resolve",
            "`list.txt`",
            "`git merge mo/notes/integration`",
        ],
    );
    assert_eq!(
        scene.briefs("one").len(),
        1,
        "it is the author's to resolve"
    );
}

#[test]
fn a_merge_that_breaks_what_was_merged_before_is_taken_back_and_its_author_told() {
    let scene = Scene::set();
    // all parts together may have two lines
    scene.commit(
        "tests/few.sh",
        "test -s parts/one || exit 5\ntest $(cat parts/* | wc -l) -le 2 || { echo too much; exit 4; }\n",
    );
    scene.plan_that_breaks("sh tests/few.sh");
    let program = scene.run();
    scene.wait("one", "proven", 1);
    let before = scene.git(&["rev-parse", "mo/notes/integration"]);
    scene.script("one-is-merged", "");
    scene.wait("two", "takenBack", 1);
    let taken_back = scene.git(&["rev-parse", "mo/notes/integration"]);
    scene.ends(program, 0);
    assert_eq!(before, taken_back);
    scene.was_told(
        "two",
        2,
        &[
            "attempt 2 of 3",
            "`sh tests/few.sh` (of task `one`)",
            "exit code 4",
            "> too much",
            "`git merge mo/notes/integration`",
        ],
    );
    assert_eq!(scene.merged("parts/two").unwrap(), "2\n");
    assert_eq!(scene.briefs("one").len(), 1);
}

#[test]
fn what_a_reviewer_does_not_pass_is_done_again() {
    let scene = Scene::set();
    let mut made = task("made", &[]);
    made["exitCriteria"] = json!([
        { "run": "test -s made.txt" },
        { "review": "it says what it is made of" },
    ]);
    scene.plan(&[made]);
    let folder = scene.home().join("script").display().to_string();
    scene.script("passes", "review PASS it says so in its first line\n");
    scene.script(
        "made.review",
        "review FAIL made.txt does not say what it is made of\n",
    );
    scene.script(
        "made",
        &format!(
            "{}---\nwrite made.txt made of words\ncommit words\n\
             run cp {folder}/passes {folder}/made.review\nreport done it says so\n",
            does("made")
        ),
    );
    scene.ends(scene.run(), 0);
    scene.was_told(
        "made",
        2,
        &[
            "attempt 2 of 3",
            "it says what it is made of",
            "> made.txt does not say",
        ],
    );
    let review = scene.told("made", 1002);
    assert!(
        review.contains("Review of task `made`") && review.contains("What must be so"),
        "{review}"
    );
    let receipts = scene.receipts("made");
    let reviews = receipts.iter().filter(|one| one["criterion"] == 1);
    let outcomes: Vec<_> = reviews.map(|one| one["outcome"].to_string()).collect();
    assert!(
        outcomes[0].contains("ejected") && outcomes[1].contains("assed"),
        "{outcomes:?}"
    );
    assert_eq!(scene.panes(), ["notes.made"], "a reviewer's pane is closed");
}

#[test]
fn a_reviewer_that_is_killed_has_a_second_one_and_costs_the_author_no_attempt() {
    let scene = Scene::set();
    let mut made = task("made", &[]);
    made["exitCriteria"] = json!([{ "review": "it says what it is made of" }]);
    scene.plan(&[made]);
    let folder = scene.home().join("script").display().to_string();
    scene.script("passes", "review PASS it says so in its first line\n");
    scene.script(
        "made.review",
        &format!("run cp {folder}/passes {folder}/made.review\ncrash\n"),
    );
    scene.script("made", &does("made"));
    scene.ends(scene.run(), 0);
    assert_eq!(
        scene.briefs("made"),
        ["task-1.md", "task-1001.md", "task-1501.md"]
    );
    assert_eq!(scene.count("made", "checked"), 1);
    assert_eq!(scene.panes(), ["notes.made"]);
}

#[test]
fn whose_time_is_over_is_asked_for_a_part_and_the_rest_is_proposed() {
    let scene = Scene::set();
    let limited = |slug: &str| {
        let mut task = task(slug, &[]);
        task["timeLimitMin"] = json!(1);
        task
    };
    let mut partly = limited("partly");
    partly["paths"] = json!(["partly.txt", "more.txt"]);
    partly["exitCriteria"] = json!([
        { "run": "test -s partly.txt" },
        { "run": "test -s README" },
        { "run": "test -s more.txt" },
    ]);
    scene.plan(&[
        limited("late"),
        limited("never"),
        partly,
        task("after", &["partly"]),
    ]);
    let report = "report partial more.txt is missing";
    scene.script(
        "partly",
        &format!("sleep 63\n---\nwrite partly.txt some\ncommit some\n{report}\n"),
    );
    scene.script(
        "rest-of-partly",
        "write more.txt more\ncommit more\nreport done more\n",
    );
    scene.script("after", &does("after"));
    scene.script("late", &format!("sleep 63\n---\n{}", does("late")));
    scene.script("never", "sleep 63\n---\nreport partial nothing of it\n");
    scene.ends(scene.run(), 1);
    for slug in ["late", "never"] {
        let told = scene.told(slug, 2);
        assert!(
            told.contains("come to an end") && told.contains("5 more minutes"),
            "{told}"
        );
        assert_eq!(scene.count(slug, "timeUp"), 1, "{slug}");
    }
    assert_eq!(scene.merged("late.txt").unwrap(), "late\n");
    let journal = scene.journal();
    let proposals: Vec<&Value> = journal
        .iter()
        .filter(|line| line["entry"] == "proposed")
        .map(|line| &line["proposal"]["slug"])
        .collect();
    for slug in ["rest-of-never", "rest-of-partly"] {
        assert!(proposals.contains(&&json!(slug)), "{proposals:?}");
    }
    assert_eq!(proposals.len(), 2, "{proposals:?}");

    // the part that was done is merged, and who does the rest has it, and knows what is left
    assert_eq!(scene.merged("partly.txt").unwrap(), "some\n");
    let serving = scene.serve();
    let stage = |slug: &str| {
        let stages = scene.stages();
        let found = stages.into_iter().find(|(one, _)| one == slug);
        found.map(|(_, stage)| stage).unwrap_or_default()
    };
    assert_eq!(
        ["late", "never", "partly", "after"].map(stage),
        ["done", "failed", "failed", "skipped"]
    );
    let said = scene.ctl(&["mission", "explain", "notes", "partly"]).done();
    assert!(
        said.contains("what meets 2 of its criteria is merged"),
        "{said}"
    );
    scene
        .ctl(&["mission", "accept", "notes", "rest-of-partly"])
        .done();
    scene.wait("after", "proven", 1);
    let told = scene.told("rest-of-partly", 1);
    for words in [
        "The part of it that was done is in your folder already",
        "> more.txt is missing",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(scene.merged("more.txt").unwrap(), "more\n");
    assert_eq!(stage("after"), "done");
    drop(serving);
}
