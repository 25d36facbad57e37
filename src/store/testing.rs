//! For tests only: a test that runs again in a process of its own, where the disk is small.

use std::path::Path;
use std::process::{Command, Output};

/// Where a child test works; it does nothing without it.
pub(super) const CHILD_FOLDER: &str = "STORE_TEST_FOLDER";

/// Runs the ignored test `name` in a child process that `shell` prepares: shell words before the `exec`.
/// `folder` is `$DIR` there, and [`CHILD_FOLDER`] in the test.
pub(super) fn run_child(name: &str, folder: &Path, shell: &str) -> Output {
    child(name, folder, shell).output().unwrap()
}

/// The same, not started yet.
pub(super) fn child(name: &str, folder: &Path, shell: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!(r#"{shell} exec "$0" "$@""#))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env("DIR", folder)
        .env(CHILD_FOLDER, folder);
    command
}

/// No file may grow beyond a few KiB: the system takes a part of a write and refuses the rest.
pub(super) const SMALL_FILES: &str = r#"trap "" XFSZ; ulimit -f 8;"#;

/// Runs the ignored test `name` on a disk of 64 KiB; `None` where this system does not let us mount one.
pub(super) fn run_on_small_disk(name: &str, folder: &Path) -> Option<Output> {
    let mount = "mount -t tmpfs -o size=64k small \"$DIR\"";
    let unshared = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command.env("DIR", folder);
        command
    };
    let may_mount = unshared(mount)
        .output()
        .is_ok_and(|tried| tried.status.success());
    may_mount.then(|| {
        let script = format!(r#"{mount} && exec "$0" "$@""#);
        let mut command = unshared(&script);
        command
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", name, "--ignored", "--nocapture"])
            .env(CHILD_FOLDER, folder);
        command.output().unwrap()
    })
}

/// A child test that did run and did not fail.
#[track_caller]
pub(super) fn assert_passed(output: &Output) {
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    let passed = output.status.success() && out.contains("1 passed");
    assert!(passed, "child: {}\n{out}\n{err}", output.status);
}

/// The names in `folder`, sorted.
pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
