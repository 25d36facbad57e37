use std::os::unix::fs::symlink;

use super::super::testing::{Ground, git, id, read, remove as delete, said, write};
use super::*;

async fn made(ground: &Ground, slug: &str, from: &str) -> Result<Prepared, WorktreeError> {
    prepare(&ground.names, &ground.repository, &id(slug), from).await
}

#[tokio::test]
async fn a_worktree_is_made_once_and_found_again_with_what_was_done_in_it() {
    let ground = Ground::new().await;
    let first = ground.git(&["rev-parse", "main"]);
    let results = integration(&ground.names, &ground.repository, "main")
        .await
        .unwrap();
    assert_eq!((results.was_there, &results.begun_from), (false, &first));
    let one = made(&ground, "one", "mo/m/integration").await.unwrap();
    assert_eq!(one.folder, ground.root.join(".worktrees/m/one"));
    assert_eq!((one.was_there, one.branch.as_str()), (false, "mo/m/one"));
    assert_eq!(read(&one.folder, "a").as_deref(), Some("one\n"));
    assert_eq!(
        ground.git(&["status", "--porcelain"]),
        "",
        "kept out of git"
    );
    ground.work("one", &[("a", "two\n")]);
    write(&one.folder, "half", "done");
    write(&one.folder, ".mo/one/task-1.md", "do it");
    let again = made(&ground, "one", "mo/m/integration").await.unwrap();
    assert_eq!((again.was_there, &again.begun_from), (true, &first));
    assert_eq!(
        unsaved(&ground.repository, &one.folder).await.unwrap(),
        ["half"]
    );
    assert_eq!(said(&one.folder, &["status", "--porcelain"]), "?? half");
    let exclude = read(&ground.root, ".git/info/exclude").unwrap();
    assert_eq!(exclude.matches("/.mo/").count(), 1);
    assert_eq!(
        base_of(&ground.names, &ground.repository, &id("one"))
            .await
            .unwrap(),
        first
    );
}

#[tokio::test]
async fn the_exclude_file_keeps_what_is_in_it_and_may_be_missing() {
    let ground = Ground::new().await;
    write(&ground.root, ".git/info/exclude", "*.log");
    made(&ground, "one", "main").await.unwrap();
    assert_eq!(
        read(&ground.root, ".git/info/exclude").unwrap(),
        "*.log\n/.worktrees/\n/.mo/\n"
    );
    delete(&ground.root, ".git/info");
    made(&ground, "one", "main").await.unwrap();
    assert_eq!(
        read(&ground.root, ".git/info/exclude").unwrap(),
        "/.worktrees/\n/.mo/\n"
    );
}

#[tokio::test]
async fn what_stands_there_and_is_none_of_ours_is_never_touched() {
    let ground = Ground::new().await;
    write(&ground.root, ".worktrees/m/one/precious", "x");
    let error = made(&ground, "one", "main").await.unwrap_err();
    assert!(matches!(error, WorktreeError::NotOurs { .. }), "{error}");
    assert!(!Failure::from(&error).hints.is_empty());
    assert_eq!(
        read(&ground.folder("one"), "precious").as_deref(),
        Some("x")
    );
    // another branch is checked out in ours
    let two = made(&ground, "two", "main").await.unwrap();
    said(&two.folder, &["switch", "-qc", "own"]);
    let error = made(&ground, "two", "main").await.unwrap_err().to_string();
    assert!(error.contains("`own` is checked out"), "{error}");
    said(&two.folder, &["switch", "-q", "--detach"]);
    let error = made(&ground, "two", "main").await.unwrap_err().to_string();
    assert!(error.contains("not checked out"), "{error}");
    write(&ground.root, ".worktrees/m/three", "a file");
    assert!(made(&ground, "three", "main").await.is_err());
    assert!(matches!(
        made(&ground, "four", "nothing").await,
        Err(WorktreeError::NoCommit { .. })
    ));
}

#[tokio::test]
async fn no_link_is_followed() {
    for place in [
        ".worktrees",
        ".worktrees/m",
        ".worktrees/m/one",
        ".git/info",
        ".git/info/exclude",
    ] {
        let ground = Ground::new().await;
        let elsewhere = ground.root.parent().unwrap().join("elsewhere");
        write(&elsewhere, "precious", "x");
        let at = ground.root.join(place);
        if at.symlink_metadata().is_ok() {
            delete(&ground.root, place);
        }
        write(at.parent().unwrap(), "beside", "");
        let to = if place.ends_with("exclude") {
            elsewhere.join("precious")
        } else {
            elsewhere.clone()
        };
        symlink(to, &at).unwrap();
        let error = made(&ground, "one", "main").await.unwrap_err();
        assert!(
            matches!(error, WorktreeError::Link { .. }),
            "{place}: {error}"
        );
        assert_eq!(read(&elsewhere, "precious").as_deref(), Some("x"));
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn a_branch_without_its_worktree_is_used_where_it_began_there() {
    let ground = Ground::new().await;
    let first = ground.git(&["rev-parse", "main"]);
    let one = made(&ground, "one", "main").await.unwrap();
    ground.work("one", &[("a", "two\n")]);
    let tip = said(&one.folder, &["rev-parse", "HEAD"]);
    delete(&ground.root, ".worktrees");
    let again = made(&ground, "one", &first).await.unwrap();
    assert!(again.was_there);
    assert_eq!(said(&one.folder, &["rev-parse", "HEAD"]), tip);
    // the base moved on: its work did not begin here
    write(&ground.root, "b", "two\n");
    ground.git(&["commit", "-qam", "second"]);
    delete(&ground.root, ".worktrees");
    let error = made(&ground, "one", "main").await.unwrap_err();
    assert!(
        matches!(error, WorktreeError::OtherBranch { .. }),
        "{error}"
    );
    assert_eq!(ground.git(&["rev-parse", "mo/m/one"]), tip);
    // without commits of its own it is moved on
    ground.git(&["branch", "mo/m/two", &first]);
    made(&ground, "two", "main").await.unwrap();
    assert_eq!(
        ground.git(&["rev-parse", "mo/m/two"]),
        ground.git(&["rev-parse", "main"])
    );
    assert_eq!(read(&ground.folder("two"), "b").as_deref(), Some("two\n"));
}

#[tokio::test]
async fn a_checkout_that_was_killed_is_done_again() {
    let ground = Ground::new().await;
    let folder = ground.folder("one");
    let folder_text = folder.to_string_lossy().into_owned();
    ground.git(&[
        "worktree",
        "add",
        "-q",
        "--no-checkout",
        "-b",
        "mo/m/one",
        &folder_text,
    ]);
    write(&folder, "a", "o");
    made(&ground, "one", "main").await.unwrap();
    assert_eq!(read(&folder, "a").as_deref(), Some("one\n"));
    assert_eq!(said(&folder, &["status", "--porcelain"]), "");
}

#[tokio::test]
async fn what_is_left_is_committed_without_what_is_ours() {
    let ground = Ground::new().await;
    let one = made(&ground, "one", "main").await.unwrap();
    let commit = || commit_all(&ground.repository, &one.folder, "what was left\n");
    assert_eq!(commit().await.unwrap(), None);
    write(&one.folder, "ü new\n", "x");
    write(&one.folder, ".mo/one/report-1.md", "done");
    delete(&one.folder, "b");
    // ours stays out even where git has forgotten that it should
    delete(&ground.root, ".git/info/exclude");
    // a repository that a worker made within its own is none of ours to commit
    write(&one.folder, "inner/x", "x");
    said(&one.folder.join("inner"), &["init", "-q"]);
    let made = commit().await.unwrap().unwrap();
    assert_eq!(said(&one.folder, &["rev-parse", "HEAD"]), made);
    let files = said(
        &one.folder,
        &[
            "-c",
            "core.quotePath=false",
            "ls-tree",
            "-r",
            "--name-only",
            "-z",
            "HEAD",
        ],
    );
    assert_eq!(files.replace('\0', "|"), "a|tests/t.sh|ü new\n|");
    assert_eq!(
        said(&one.folder, &["log", "-1", "--format=%an %s"]),
        "a person what was left"
    );
    assert_eq!(
        unsaved(&ground.repository, &one.folder).await.unwrap(),
        ["inner/"]
    );
}

#[tokio::test]
async fn a_merge_with_conflicts_in_its_files_is_not_committed() {
    let ground = Ground::new().await;
    let one = made(&ground, "one", "main").await.unwrap();
    ground.work("one", &[("a", "mine\n")]);
    write(&ground.root, "a", "theirs\n");
    ground.git(&["commit", "-qam", "second"]);
    assert!(!git(&one.folder, &["merge", "main"]).status.success());
    let commit = || commit_all(&ground.repository, &one.folder, "merged");
    let error = commit().await.unwrap_err();
    assert!(
        matches!(&error, WorktreeError::Unresolved { files, .. } if files == &["a"]),
        "{error}"
    );
    write(&one.folder, "a", "both\n");
    commit().await.unwrap().unwrap();
    assert_eq!(
        said(&one.folder, &["log", "-1", "--format=%p"])
            .split(' ')
            .count(),
        2
    );
}

#[tokio::test]
async fn nothing_is_removed_that_would_be_lost() {
    let ground = Ground::new().await;
    integration(&ground.names, &ground.repository, "main")
        .await
        .unwrap();
    let one = made(&ground, "one", "main").await.unwrap();
    let go = |how| {
        let (names, repository) = (&ground.names, &ground.repository);
        async move { remove(names, repository, &id("one"), how).await.unwrap() }
    };
    write(&one.folder, "half", "x");
    for how in [Remove::IfMerged, Remove::Force] {
        assert_eq!(
            go(how).await,
            Removed::Unsaved {
                files: vec!["half".into()]
            }
        );
    }
    ground.work("one", &[("a", "two\n")]);
    assert_eq!(go(Remove::IfMerged).await, Removed::Unmerged { commits: 1 });
    assert!(one.folder.exists());
    write(&one.folder, ".mo/one/report-1.md", "done");
    assert_eq!(go(Remove::Force).await, Removed::Removed);
    assert!(!one.folder.exists());
    assert_eq!(ground.git(&["branch", "--list", "mo/m/one"]), "");
    assert_eq!(go(Remove::IfMerged).await, Removed::WasGone);
    // a folder of a person's in its place
    write(&one.folder, "precious", "x");
    assert!(
        remove(&ground.names, &ground.repository, &id("one"), Remove::Force)
            .await
            .is_err()
    );
    assert!(one.folder.join("precious").exists());
    delete(&ground.root, ".worktrees/m/one");
    made(&ground, "scratch", "main").await.unwrap();
    write(&ground.folder("scratch"), "left by a criterion", "x");
    let (names, repository) = (&ground.names, &ground.repository);
    let gone = remove(names, repository, &id("scratch"), Remove::Discard).await;
    assert_eq!(gone.unwrap(), Removed::Removed);
    let all = remove_integration(&ground.names, &ground.repository, "main", Remove::IfMerged).await;
    assert_eq!(all.unwrap(), Removed::Removed);
    assert!(!ground.root.join(".worktrees").exists());
}

#[tokio::test]
async fn ten_tasks_get_their_worktrees_at_once() {
    let ground = Ground::new().await;
    let mut all = tokio::task::JoinSet::new();
    for number in 0..10 {
        let (names, repository) = (ground.names.clone(), ground.repository.clone());
        all.spawn(
            async move { prepare(&names, &repository, &id(&format!("t{number}")), "main").await },
        );
    }
    while let Some(made) = all.join_next().await {
        let made = made.unwrap().unwrap();
        assert_eq!(read(&made.folder, "a").as_deref(), Some("one\n"));
    }
    assert_eq!(ground.repository.worktrees().await.unwrap().len(), 11);
}

#[tokio::test]
async fn another_git_at_work_is_waited_for() {
    let ground = Ground::new().await;
    let one = made(&ground, "one", "main").await.unwrap();
    write(&one.folder, "a", "two\n");
    write(&ground.root, ".git/worktrees/one/index.lock", "");
    let lock = ground.root.join(".git/worktrees/one");
    let free = tokio::task::spawn_blocking(move || {
        std::thread::sleep(std::time::Duration::from_millis(500));
        delete(&lock, "index.lock");
    });
    let made = commit_all(&ground.repository, &one.folder, "x")
        .await
        .unwrap();
    free.await.unwrap();
    assert!(made.is_some());
}

#[tokio::test]
async fn what_an_agent_writes_into_its_worktree_leads_git_nowhere_else() {
    let ground = Ground::new().await;
    let one = made(&ground, "one", "main").await.unwrap();
    let other = Ground::new().await;
    let elsewhere = format!("gitdir: {}\n", other.root.join(".git").display());
    write(&one.folder, ".git", &elsewhere);
    write(&one.folder, "a", "two\n");
    // the control: anybody's git works in the other repository
    let theirs = said(&one.folder, &["rev-parse", "--git-common-dir"]);
    assert_eq!(std::path::Path::new(&theirs), other.root.join(".git"));
    let commit = commit_all(&ground.repository, &one.folder, "x")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ground.git(&["rev-parse", "mo/m/one"]), commit);
    assert_eq!(other.git(&["rev-list", "--count", "--all"]), "1");
}

#[tokio::test]
async fn a_repository_that_says_its_files_are_elsewhere_is_refused() {
    let ground = Ground::new().await;
    let elsewhere = ground.root.parent().unwrap().join("elsewhere");
    write(&elsewhere, "precious", "x");
    ground.git(&["config", "core.worktree", &elsewhere.to_string_lossy()]);
    // the control
    assert_eq!(
        std::path::Path::new(&ground.git(&["rev-parse", "--show-toplevel"])),
        elsewhere
    );
    let refused = Repository::open(&ground.root).await.unwrap_err();
    assert!(matches!(refused, GitError::Elsewhere { .. }), "{refused}");
    // set later, it says nothing to one that is open
    assert_eq!(ground.repository.unsaved().await.unwrap(), []);
}
