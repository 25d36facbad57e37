//! What workers do and leave undone: lies, weakened tests, failures, conflicts, what breaks others' work.

use serde_json::json;

use crate::scene::{Scene, does, task, task_by};

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
    let told = scene.told("lies", 2);
    for words in ["attempt 2 of 3", "`test -s lies.txt`", "exit code 1"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let told = scene.told("weakens", 2);
    for words in [
        "attempt 2 of 3",
        "`sh tests/check.sh made.txt`",
        "exit code 3",
        "> made.txt is not whole",
        "Files that you changed and may not",
        "`tests/check.sh`",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
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
    assert_eq!(scene.briefs("never").len(), 3);

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
    let told = scene.told("two", 2);
    for words in [
        "a conflict to resolve",
        "`list.txt`",
        "`git merge mo/notes/integration`",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
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
    scene.plan(&[
        task_by("one", &[], &["parts/one"], &["sh tests/few.sh"]),
        task_by("two", &[], &["parts/two"], &["test -s parts/two"]),
    ]);
    scene.script("one", "write parts/one 1\ncommit one\nreport done one\n");
    scene.script(
        "two",
        "write parts/two 2\\n3\ncommit two\nwait one-is-merged\nreport done two\n---\n\
         merge\nwrite parts/two 2\ncommit less\nreport done less\n",
    );
    let program = scene.run();
    scene.wait("one", "proven", 1);
    let before = scene.git(&["rev-parse", "mo/notes/integration"]);
    scene.script("one-is-merged", "");
    scene.wait("two", "takenBack", 1);
    let taken_back = scene.git(&["rev-parse", "mo/notes/integration"]);
    scene.ends(program, 0);
    assert_eq!(before, taken_back);
    let told = scene.told("two", 2);
    for words in [
        "attempt 2 of 3",
        "`sh tests/few.sh` (of task `one`)",
        "exit code 4",
        "> too much",
        "`git merge mo/notes/integration`",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
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
    let told = scene.told("made", 2);
    for words in [
        "attempt 2 of 3",
        "it says what it is made of",
        "> made.txt does not say",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
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
    scene.plan(&[limited("late"), limited("never")]);
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
    let proposed = journal
        .iter()
        .find(|line| line["entry"] == "proposed")
        .unwrap();
    assert_eq!(proposed["proposal"]["slug"], "rest-of-never", "{proposed}");
}
