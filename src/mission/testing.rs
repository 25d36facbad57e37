//! A repository to try missions on, worked in by anybody's git.
#![expect(
    clippy::disallowed_methods,
    reason = "the repositories of the tests, and the git of others"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::names::Names;
use super::plan::Task;
use crate::git::Repository;
use crate::ids::TaskId;

/// A repository with one commit of `a`, `b` and `tests/t.sh` on the branch `main`.
pub(super) struct Ground {
    _folder: TempDir,
    pub(super) root: PathBuf,
    pub(super) repository: Repository,
    pub(super) names: Names,
}

impl Ground {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("r");
        fs::create_dir(&root).unwrap();
        let run = |args: &[&str]| assert!(git(&root, args).status.success(), "git {args:?}");
        run(&["init", "-q", "-b", "main"]);
        run(&["config", "user.name", "a person"]);
        run(&["config", "user.email", "a@example.org"]);
        for (name, text) in [("a", "one\n"), ("b", "one\n"), ("tests/t.sh", "exit 1\n")] {
            write(&root, name, text);
        }
        run(&["add", "-A"]);
        run(&["commit", "-qm", "first"]);
        let repository = Repository::open(&root).await.unwrap().unwrap();
        let names = Names::new(root.clone(), "m".parse().unwrap(), true);
        Self {
            _folder: folder,
            root,
            repository,
            names,
        }
    }

    /// Anybody's git in the root; what it says.
    pub(super) fn git(&self, args: &[&str]) -> String {
        said(&self.root, args)
    }

    pub(super) fn folder(&self, slug: &str) -> PathBuf {
        self.names.folder(&id(slug))
    }

    /// What a worker commits.
    pub(super) fn work(&self, slug: &str, files: &[(&str, &str)]) {
        let folder = self.folder(slug);
        for (name, text) in files {
            write(&folder, name, text);
        }
        said(&folder, &["add", "-A"]);
        said(&folder, &["commit", "-qm", "work"]);
    }

    /// A program of an agent's that leaves its name behind in `left` when it is run.
    pub(super) fn trap(&self, at: &str, name: &str) -> String {
        let left = self.root.join(".git/left");
        fs::create_dir_all(&left).unwrap();
        let text = format!("#!/bin/sh\ntouch '{}/{name}'\nexec cat\n", left.display());
        write(&self.root, at, &text);
        let path = self.root.join(at);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// What traps were run.
    pub(super) fn sprung(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.root.join(".git/left"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A task that may write these paths.
pub(super) fn task(slug: &str, paths: &[&str]) -> Task {
    serde_json::from_value(serde_json::json!({
        "slug": slug, "title": "t", "description": "d", "role": "coder", "paths": paths,
    }))
    .unwrap()
}

pub(super) fn id(slug: &str) -> TaskId {
    slug.parse().unwrap()
}

pub(super) fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(super) fn read(folder: &Path, name: &str) -> Option<String> {
    fs::read_to_string(folder.join(name)).ok()
}

pub(super) fn remove(folder: &Path, name: &str) {
    let path = folder.join(name);
    if path.is_dir() && !path.is_symlink() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}

pub(super) fn git(folder: &Path, args: &[&str]) -> Output {
    let mut git = Command::new("git");
    git.args(args).current_dir(folder);
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GIT_") {
            git.env_remove(name);
        }
    }
    git.output().unwrap()
}

#[track_caller]
pub(super) fn said(folder: &Path, args: &[&str]) -> String {
    let output = git(folder, args);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {err}");
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}
