//! Where a mission takes place: a repository with hostile hooks, a folder that is none.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::scene::{Scene, task};

const HOOKS: [&str; 12] = [
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-checkout",
    "pre-merge-commit",
    "post-merge",
    "pre-rebase",
    "post-rewrite",
    "pre-auto-gc",
    "reference-transaction",
    "post-index-change",
];

#[test]
fn nothing_that_a_repository_has_git_run_is_run() {
    let scene = Scene::set();
    scene.commit(".gitattributes", "*.txt filter=evil merge=evil diff=evil\n");
    let ran = scene.home().join("ran");
    let program = scene.home().join("evil");
    let script = format!(
        "#!/bin/sh\necho \"$0\" >> {}\ncat 2>/dev/null\nexit 0\n",
        ran.display()
    );
    std::fs::write(&program, &script).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, executable.clone()).unwrap();
    for hook in HOOKS {
        let path = scene.root().join(".git/hooks").join(hook);
        let script = script.replace("cat 2>/dev/null\n", "");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, executable.clone()).unwrap();
    }
    let evil = program.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "diff.external",
        "diff.evil.command",
        "filter.evil.clean",
        "filter.evil.smudge",
        "merge.evil.driver",
    ] {
        scene.git(&["config", key, evil]);
    }
    let _ = std::fs::remove_file(&ran);
    // the program commits, for a worker's own git would run them
    scene.plan_as(
        &[task("one", &[]), task("two", &["one"])],
        &json!({ "mayCommit": false }),
    );
    for slug in ["one", "two"] {
        scene.script(
            slug,
            &format!("write {slug}.txt {slug}\nreport done it is there\n"),
        );
    }
    scene.ends(scene.run(), 0);
    assert_eq!(scene.merged("two.txt").unwrap(), "two\n");
    scene.ends(scene.mission(&["finish"]), 0);
    let said = std::fs::read_to_string(&ran).unwrap_or_default();
    assert_eq!(said, "");
    // the control: a person's git there does run them
    scene.git(&["commit", "--quiet", "--allow-empty", "--message", "plain"]);
    let said = std::fs::read_to_string(&ran).unwrap();
    for what in ["pre-commit", "post-commit", "reference-transaction", "evil"] {
        assert!(said.contains(what), "{what}: {said}");
    }
}

#[test]
fn in_a_folder_that_is_no_repository_tasks_run_one_after_another() {
    let scene = Scene::set();
    std::fs::create_dir(scene.home().join("plain")).unwrap();
    let slugs = ["one", "two", "three"];
    let tasks = slugs.map(|slug| task(slug, &[]));
    scene.plan_as(&tasks, &json!({ "repository": "plain" }));
    for slug in slugs {
        scene.script(
            slug,
            &format!("write {slug}.txt {slug}\nreport done it is there\n"),
        );
    }
    scene.ends(scene.run(), 0);
    for pair in slugs.windows(2) {
        assert!(
            scene.at(pair[0], "checked") < scene.at(pair[1], "started"),
            "{pair:?}"
        );
    }
    for slug in slugs {
        assert!(
            scene
                .home()
                .join("plain")
                .join(format!("{slug}.txt"))
                .exists()
        );
        assert_eq!(scene.count(slug, "merged"), 0);
    }
    scene.ends(scene.mission(&["finish"]), 0);
    assert_eq!(scene.panes(), [""; 0]);
    assert!(!scene.home().join("plain/.git").exists());
}
