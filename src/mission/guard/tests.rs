use std::os::unix::fs::{PermissionsExt, symlink};

use super::super::testing::{Ground, id, read, remove, said, task, write};
use super::super::worktree::prepare;
use super::*;

async fn ready() -> (Ground, PathBuf, String) {
    let ground = Ground::new().await;
    for (name, text) in [
        ("Makefile", "check:\n\tsh check/run.sh\n"),
        ("check/run.sh", "test -s src/x\n"),
        ("src/x", ""),
        ("tests/deep/u.sh", "exit 1\n"),
    ] {
        write(&ground.root, name, text);
    }
    symlink("t.sh", ground.root.join("tests/link")).unwrap();
    ground.git(&["add", "-A"]);
    ground.git(&["commit", "-qm", "second"]);
    let one = prepare(&ground.names, &ground.repository, &id("one"), "main")
        .await
        .unwrap();
    (ground, one.folder, one.begun_from)
}

fn criterion(run: &str) -> Criterion {
    serde_json::from_value(serde_json::json!({ "run": run })).unwrap()
}

async fn found(ground: &Ground, folder: &Path, base: &str, run: &str) -> Vec<Guarded> {
    let task = task("one", &["src"]);
    guarded(&ground.repository, folder, base, &task, &criterion(run))
        .await
        .unwrap()
}

fn told(found: &[Guarded]) -> Vec<(&str, Change)> {
    found
        .iter()
        .map(|file| (file.path.as_str(), file.how))
        .collect()
}

#[tokio::test]
async fn a_weakened_judge_is_found_however_it_was_done() {
    let (ground, folder, base) = ready().await;
    assert_eq!(found(&ground, &folder, &base, "make check").await, []);
    // its own business
    write(&folder, "src/x", "x");
    write(&folder, "src/lib_test.py", "x");
    assert_eq!(found(&ground, &folder, &base, "make check").await, []);
    // the control: each of these passes the check that it should not
    write(&folder, "check/run.sh", "true\n");
    said(
        &folder,
        &["update-index", "--assume-unchanged", "check/run.sh"],
    );
    assert_eq!(said(&folder, &["status", "--porcelain", "check"]), "");
    remove(&folder, "tests/deep");
    write(&folder, "tests/conftest.py", "pass");
    write(&folder, "tests/new/test_a.py", "pass");
    write(&folder, ".gitignore", "conftest.py\n");
    let program = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.join("tests/t.sh"), program).unwrap();
    remove(&folder, "tests/link");
    symlink("/bin/true", folder.join("tests/link")).unwrap();
    let all = found(&ground, &folder, &base, "make check").await;
    assert_eq!(
        told(&all),
        [
            ("check/run.sh", Change::Changed),
            ("tests/conftest.py", Change::Added),
            ("tests/deep/u.sh", Change::Removed),
            ("tests/link", Change::Changed),
            ("tests/new/test_a.py", Change::Added),
            ("tests/t.sh", Change::Changed),
        ]
    );
    // committed, it is the same
    said(
        &folder,
        &["update-index", "--no-assume-unchanged", "check/run.sh"],
    );
    ground.work("one", &[]);
    assert_eq!(found(&ground, &folder, &base, "make check").await, all);
    // and a review is done by nobody's command
    let review = serde_json::from_value(serde_json::json!({ "review": "it is good" })).unwrap();
    let none = guarded(
        &ground.repository,
        &folder,
        &base,
        &task("one", &["src"]),
        &review,
    )
    .await;
    assert_eq!(none.unwrap(), []);
}

#[tokio::test]
async fn judges_are_as_the_base_has_them_for_the_check_alone() {
    let (ground, folder, base) = ready().await;
    write(&folder, "check/run.sh", "true\n");
    write(&folder, "tests/conftest.py", "pass");
    remove(&folder, "tests/deep");
    remove(&folder, "tests/link");
    write(&folder, "tests/link/inner", "a folder now");
    remove(&folder, "check");
    symlink("/bin", folder.join("check")).unwrap();
    let before = said(&folder, &["status", "--porcelain"]);
    let files = found(&ground, &folder, &base, "make check").await;
    let undone = put_back(&ground.repository, &folder, &base, &id("one"), &files)
        .await
        .unwrap();
    assert_eq!(
        undone.paths(),
        [
            "check/run.sh",
            "tests/conftest.py",
            "tests/deep/u.sh",
            "tests/link",
            "tests/link/inner"
        ]
    );
    assert_eq!(found(&ground, &folder, &base, "make check").await, []);
    assert_eq!(
        read(&folder, "check/run.sh").as_deref(),
        Some("test -s src/x\n")
    );
    assert!(!folder.join("check").is_symlink() && folder.join("tests/link").is_symlink());
    // the check leaves something
    write(&folder, "check/output", "x");
    undone.restore().await.unwrap();
    assert_eq!(said(&folder, &["status", "--porcelain"]), before);
    assert_eq!(found(&ground, &folder, &base, "make check").await, files);
    assert!(folder.join("check").is_symlink());
    assert_eq!(
        read(&folder, "tests/link/inner").as_deref(),
        Some("a folder now")
    );
    assert!(!folder.join(".mo/one/kept").exists());
}

#[tokio::test]
async fn after_a_crash_the_worker_s_files_come_back() {
    let (ground, folder, base) = ready().await;
    write(&folder, "tests/t.sh", "true\n");
    write(&folder, "tests/conftest.py", "pass");
    let before = said(&folder, &["status", "--porcelain"]);
    let files = found(&ground, &folder, &base, "make check").await;
    let undone = put_back(&ground.repository, &folder, &base, &id("one"), &files)
        .await
        .unwrap();
    drop(undone);
    assert_eq!(read(&folder, "tests/t.sh").as_deref(), Some("exit 1\n"));
    // a new check begins with what the worker left
    let undone = put_back(&ground.repository, &folder, &base, &id("one"), &files)
        .await
        .unwrap();
    drop(undone);
    assert!(recover(&folder, &id("one")).await.unwrap());
    assert!(!recover(&folder, &id("one")).await.unwrap());
    assert_eq!(read(&folder, "tests/t.sh").as_deref(), Some("true\n"));
    assert_eq!(said(&folder, &["status", "--porcelain"]), before);
}

#[tokio::test]
async fn nothing_outside_the_worktree_is_touched() {
    let (ground, folder, base) = ready().await;
    let elsewhere = ground.root.parent().unwrap().join("elsewhere");
    write(&elsewhere, "t.sh", "precious");
    write(&elsewhere, "kept.json", "precious");
    // a list of the worker's making
    let list = r#"{"v":1,"places":[{"path":"../../../../elsewhere/t.sh","was_there":false},{"path":"out/t.sh","was_there":false}]}"#;
    write(&folder, ".mo/one/kept.json", list);
    symlink(&elsewhere, folder.join("out")).unwrap();
    assert!(recover(&folder, &id("one")).await.unwrap());
    assert_eq!(read(&elsewhere, "t.sh").as_deref(), Some("precious"));
    // a control folder that leads elsewhere
    remove(&folder, ".mo");
    symlink(&elsewhere, folder.join(".mo")).unwrap();
    let files = [Guarded {
        path: "tests/t.sh".into(),
        how: Change::Changed,
    }];
    let refused = put_back(&ground.repository, &folder, &base, &id("one"), &files).await;
    assert!(matches!(refused, Err(WorktreeError::Link { .. })));
    remove(&folder, ".mo");
    // tests that lead elsewhere
    remove(&folder, "tests");
    symlink(&elsewhere, folder.join("tests")).unwrap();
    let files = found(&ground, &folder, &base, "make check").await;
    let undone = put_back(&ground.repository, &folder, &base, &id("one"), &files)
        .await
        .unwrap();
    assert_eq!(read(&folder, "tests/t.sh").as_deref(), Some("exit 1\n"));
    undone.restore().await.unwrap();
    assert!(folder.join("tests").is_symlink());
    assert_eq!(read(&elsewhere, "t.sh").as_deref(), Some("precious"));
}
