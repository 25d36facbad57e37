#![expect(clippy::disallowed_methods, reason = "the repositories of the tests")]

use std::fs;
use std::process::Command;

use super::super::Merged;
use super::*;

/// Anybody's git, without settings of whoever runs the tests.
fn git(folder: &Path, args: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    let output = git.output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

async fn ready() -> (tempfile::TempDir, Repository) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    git(root, &["init", "-q", "-b", "main"]);
    fs::write(root.join("a"), "one\n").unwrap();
    fs::write(root.join("ü b\n"), "two\n").unwrap();
    git(root, &["add", "-A"]);
    git(root, &["commit", "-qm", "first \u{1b}[31m line"]);
    let repository = Repository::open(root).await.unwrap().unwrap();
    (folder, repository)
}

#[tokio::test]
async fn a_repository_tells_of_itself_within_bounds() {
    let (folder, repository) = ready().await;
    let root = folder.path().canonicalize().unwrap();
    assert_eq!(repository.root(), root);
    assert_eq!(repository.common(), root.join(".git"));
    let below = root.join("below");
    fs::create_dir(&below).unwrap();
    let again = Repository::open(&below).await.unwrap().unwrap();
    assert_eq!(again.root(), root);
    assert_eq!(
        repository.current_branch().await.unwrap().as_deref(),
        Some("main")
    );
    let commit = git(&root, &["rev-parse", "HEAD"]);
    for (name, found) in [
        ("main", true),
        ("HEAD", true),
        (commit.as_str(), true),
        ("other", false),
        ("", false),
        ("--all", false),
        ("main:a", false),
        ("a b", false),
        ("main\n", false),
    ] {
        let id = repository.commit_of(name).await.unwrap();
        assert_eq!(id.is_some(), found, "{name:?}");
    }
    for (name, found) in [("main", true), ("HEAD", false)] {
        let id = repository.commit_of_branch(name).await.unwrap();
        assert_eq!(id.is_some(), found, "{name:?}");
    }
    let listing = repository.files_of("main", 10).await.unwrap();
    assert_eq!(
        (listing.paths, listing.is_cut),
        (vec!["a".into(), "ü b\n".into()], false)
    );
    assert!(repository.files_of("main", 1).await.unwrap().is_cut);
    assert!(repository.tree_of("main", 1).await.is_err());
    assert_eq!(
        repository.tree_of("main", 2).await.unwrap()[1].path,
        "ü b\n"
    );
    let said = repository.last_commits("main", 5).await.unwrap();
    assert!(
        said.len() == 1 && said[0].ends_with(" first [31m line"),
        "{said:?}"
    );
    let file = |path, most| repository.file_of("main", path, most);
    assert_eq!(
        file("ü b\n", 10).await.unwrap().as_deref(),
        Some(&b"two\n"[..])
    );
    assert_eq!(file("a", 3).await.unwrap(), None);
    assert_eq!(file("none", 10).await.unwrap(), None);
    fs::write(root.join("new"), "").unwrap();
    fs::remove_file(root.join("a")).unwrap();
    let unsaved = repository.unsaved().await.unwrap();
    let told: Vec<(&str, bool)> = unsaved
        .iter()
        .map(|file| (file.path.as_str(), file.is_new))
        .collect();
    assert_eq!(told, [("a", false), ("new", true)]);
    assert_eq!(repository.changed().await.unwrap().len(), 1);
    let outside = tempfile::tempdir().unwrap();
    assert!(Repository::open(outside.path()).await.unwrap().is_none());
    git(outside.path(), &["init", "-q", "--bare"]);
    assert!(!matches!(
        Repository::open(outside.path()).await,
        Ok(Some(_))
    ));
}

#[tokio::test]
async fn who_commits_is_the_user_or_this_program() {
    let (_folder, repository) = ready().await;
    let tree = git(repository.root(), &["rev-parse", "HEAD^{tree}"]);
    let author = async || {
        let commit = repository.commit_tree(&tree, &[], "m").await.unwrap();
        git(
            repository.root(),
            &["log", "-1", "--format=%an <%ae> %cn", &commit],
        )
    };
    git(repository.root(), &["config", "user.name", ""]);
    assert_eq!(
        author().await,
        "meta-orchestrator <meta-orchestrator@localhost> meta-orchestrator"
    );
    git(repository.root(), &["config", "user.name", "p"]);
    git(
        repository.root(),
        &["config", "user.email", "p@example.org"],
    );
    assert_eq!(author().await, "p <p@example.org> p");
}

#[tokio::test]
async fn a_branch_moves_from_where_it_was_seen_alone() {
    let (_folder, repository) = ready().await;
    let root = repository.root();
    let first = git(root, &["rev-parse", "HEAD"]);
    git(root, &["commit", "-q", "--allow-empty", "-m", "second"]);
    let second = git(root, &["rev-parse", "HEAD"]);
    assert!(
        repository
            .move_branch("main", &first, &first)
            .await
            .is_err()
    );
    assert!(repository.delete_branch("main", &first).await.is_err());
    assert_eq!(git(root, &["rev-parse", "main"]), second);
    repository
        .move_branch("main", &second, &first)
        .await
        .unwrap();
    assert_eq!(git(root, &["rev-parse", "main"]), first);
    assert_eq!(repository.count_between(&first, &second).await.unwrap(), 1);
    assert!(repository.is_ancestor(&first, &second).await.unwrap());
    let tree = git(root, &["rev-parse", "HEAD^{tree}"]);
    assert_eq!(
        repository.merge_tree(&first, &second).await.unwrap(),
        Merged::Tree(tree)
    );
}
