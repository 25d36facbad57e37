#![expect(
    clippy::disallowed_methods,
    reason = "a test lays out the files that it looks at"
)]

use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::*;

fn criterion(json: serde_json::Value) -> Criterion {
    serde_json::from_value(json).unwrap()
}

async fn receipt(folder: &Path, criterion: &Criterion) -> Receipt {
    let task: TaskId = "cli".parse().unwrap();
    let run = Run {
        task: &task,
        attempt: 2,
        on: Tree::Work,
        place: 1,
        criterion,
        folder,
        commit: Some("c0ffee".into()),
        undone: vec!["tests/a.rs".into()],
    };
    super::run(run).await
}

/// A tree with a folder, a program, a program that is none, and a link that leads out.
fn tree() -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    let root = tree.path();
    std::fs::create_dir_all(root.join("sub/scripts")).unwrap();
    let program = root.join("sub/scripts/check");
    std::fs::write(&program, "#!/bin/sh\nbasename \"$PWD\"\n").unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(root.join("sub/plain"), "x").unwrap();
    symlink("/", root.join("out")).unwrap();
    symlink("sub", root.join("within")).unwrap();
    tree
}

#[tokio::test]
async fn a_criterion_comes_to_what_its_command_does() {
    let tree = tree();
    for (json, outcome, tail) in [
        (r#"{"run":"test -d sub"}"#, "passed", ""),
        (
            r#"{"run":"sh -c 'echo no >&2; exit 3'"}"#,
            "exit code 3",
            "no",
        ),
        (r#"{"run":"sh -c 'exit 3'","exitCode":3}"#, "passed", ""),
        (r#"{"run":"true","exitCode":3}"#, "exit code 0", ""),
        (r#"{"run":"sh -c 'kill -9 $$'"}"#, "ended by signal 9", ""),
        (
            r#"{"run":"printf 'a\\nok 5\\n'","output":"^ok \\d$"}"#,
            "passed",
            "a\nok 5",
        ),
        (
            r#"{"run":"echo bad","output":"^ok"}"#,
            "no line of its output is as it should be",
            "bad",
        ),
        (
            r#"{"run":"sh -c 'echo begun; sleep 600'","timeoutSec":0.3}"#,
            "not ended within 1 s",
            "begun",
        ),
        (
            r#"{"run":"./scripts/check","folder":"sub"}"#,
            "passed",
            "sub",
        ),
        (
            r#"{"run":"pwd","folder":"within","output":"within$|sub$"}"#,
            "passed",
            "",
        ),
        (
            r#"{"run":"./scripts/check"}"#,
            "it could not be run: the program `TREE/./scripts/check` does not exist",
            "",
        ),
        (
            r#"{"run":"./plain","folder":"sub"}"#,
            "it could not be run: could not start `TREE/sub/./plain`: Permission denied (os error 13)",
            "",
        ),
        (
            r#"{"run":"surely-no-such-program"}"#,
            "it could not be run: there is no program `surely-no-such-program`",
            "",
        ),
        (
            r#"{"run":"ls","folder":"out/etc"}"#,
            "it could not be run: its folder `out/etc` leads out of the tree",
            "",
        ),
        (
            r#"{"run":"ls","folder":"sub/plain"}"#,
            "it could not be run: its folder `sub/plain` is none",
            "",
        ),
        (
            r#"{"run":"ls","folder":"gone"}"#,
            "it could not be run: its folder `gone`: No such file or directory (os error 2)",
            "",
        ),
        (
            r#"{"run":"ls","output":"("}"#,
            "it could not be run: its `output` is no regular expression",
            "",
        ),
        (
            r#"{"review":"it is all well"}"#,
            "it was not reviewed: it is a review, and no command",
            "",
        ),
    ] {
        let criterion = criterion(serde_json::from_str(json).unwrap());
        let receipt = receipt(tree.path(), &criterion).await;
        let said = receipt.outcome.to_string();
        let said = said.replace(tree.path().to_str().unwrap(), "TREE");
        assert_eq!(said, outcome, "{json}");
        if criterion.output.is_none() || !tail.is_empty() {
            assert_eq!(receipt.tail, tail, "{json}");
        }
    }
}

#[tokio::test]
async fn a_receipt_says_what_was_run_where_and_for_whom() {
    let tree = tree();
    let criterion = criterion(serde_json::json!({ "run": "sleep 0.05", "folder": "sub" }));
    let receipt = receipt(tree.path(), &criterion).await;
    assert_eq!((receipt.task.as_str(), receipt.attempt), ("cli", 2));
    assert_eq!((receipt.on, receipt.criterion), (Tree::Work, 1));
    assert_eq!(receipt.what, "sleep 0.05");
    assert_eq!(receipt.folder, tree.path().join("sub"));
    assert_eq!(receipt.commit.as_deref(), Some("c0ffee"));
    assert_eq!(receipt.undone, ["tests/a.rs"]);
    assert!(receipt.passed() && (50..20_000).contains(&receipt.took_ms));
}

#[tokio::test]
async fn output_without_end_is_cut_and_its_program_killed() {
    let tree = tree();
    let criterion = criterion(serde_json::json!({ "run": "yes" }));
    let receipt = receipt(tree.path(), &criterion).await;
    assert_eq!(receipt.outcome, Outcome::TooMuchOutput);
    assert_eq!(receipt.tail.lines().count(), 60);
}

#[tokio::test]
async fn a_criterion_reads_nothing_and_knows_no_secret() {
    let tree = tree();
    let script = "sh -c 'cat; env | cut -d= -f1 | sort'";
    let criterion = criterion(serde_json::json!({ "run": script }));
    let receipt = receipt(tree.path(), &criterion).await;
    let names: Vec<&str> = receipt.tail.lines().collect();
    for name in ["PATH", "CI", "TERM", "GIT_TERMINAL_PROMPT"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    // what cargo gives to its tests, and would give to a criterion that is run from one
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert!(!names.contains(&"CARGO_MANIFEST_DIR"), "{names:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_a_criterion_starts_is_gone_when_its_receipt_is_there() {
    use crate::host::process;

    let tree = tree();
    let script = "sh -c 'sleep 600 & echo $! > a; setsid sleep 600 & echo $! > b; exit 0'";
    let criterion = criterion(serde_json::json!({ "run": script }));
    assert!(receipt(tree.path(), &criterion).await.passed());
    for file in ["a", "b"] {
        let pid = std::fs::read_to_string(tree.path().join(file)).unwrap();
        let found = process::without_arguments(pid.trim().parse().unwrap());
        assert!(found.is_none_or(|found| found.has_ended()), "{file}");
    }
}

#[tokio::test]
async fn setup_ends_at_the_first_command_that_fails() {
    let tree = tree();
    let lines = |lines: &[&str]| -> Vec<RunLine> {
        lines.iter().map(|line| line.parse().unwrap()).collect()
    };
    let good = lines(&["touch one", "test -f one"]);
    assert_eq!(setup(&good, tree.path()).await, Ok(()));
    let bad = lines(&["touch two", "sh -c 'echo why; exit 4'", "touch three"]);
    let failed = setup(&bad, tree.path()).await.unwrap_err();
    assert_eq!(failed.outcome, Outcome::WrongCode { code: 4 });
    assert_eq!(failed.tail, "why");
    assert_eq!(
        failed.to_string(),
        "the setup command `sh -c 'echo why; exit 4'` failed: exit code 4"
    );
    assert!(tree.path().join("two").exists() && !tree.path().join("three").exists());
    let missing = setup(&lines(&["surely-no-such-program"]), tree.path()).await;
    assert!(matches!(
        missing.unwrap_err().outcome,
        Outcome::NotRun { .. }
    ));
}
