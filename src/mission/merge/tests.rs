use super::super::testing::{Ground, git, id, read, remove, said, task, write};
use super::super::worktree::{Remove, Removed, commit_all, integration, prepare};
use super::*;

async fn ready(slugs: &[&str]) -> Ground {
    let ground = Ground::new().await;
    integration(&ground.names, &ground.repository, "main")
        .await
        .unwrap();
    for slug in slugs {
        begin(&ground, slug, "mo/m/integration").await;
    }
    ground
}

async fn begin(ground: &Ground, slug: &str, from: &str) {
    prepare(&ground.names, &ground.repository, &id(slug), from)
        .await
        .unwrap();
}

async fn gone(ground: &Ground, slug: &str, how: Remove) -> Removed {
    worktree::remove(&ground.names, &ground.repository, &id(slug), how)
        .await
        .unwrap()
}

async fn merged(ground: &Ground, slug: &str) -> Merge {
    merged_without(ground, slug, &[]).await
}

async fn merged_without(ground: &Ground, slug: &str, judges: &[&str]) -> Merge {
    let task = task(slug, &["a", "src"]);
    let judges: Vec<String> = judges.iter().map(ToString::to_string).collect();
    merge(
        &ground.names,
        &ground.repository,
        &task,
        "Merge it",
        &judges,
    )
    .await
    .unwrap()
}

async fn finished(ground: &Ground, how: Finish) -> Finished {
    finish(&ground.names, &ground.repository, "main", how)
        .await
        .unwrap()
}

#[tokio::test]
async fn results_come_together_and_may_be_taken_back() {
    let ground = ready(&["one", "two"]).await;
    let place = ground.names.integration_folder();
    let first = ground.git(&["rev-parse", "main"]);
    assert_eq!(
        merged(&ground, "one").await,
        Merge::NothingToMerge {
            commit: first.clone()
        }
    );
    ground.work(
        "one",
        &[
            ("a", "two\n"),
            ("src/x", "x"),
            ("b", "outside\n"),
            ("c d", "new"),
        ],
    );
    ground.work("two", &[("src/y", "y")]);
    assert_eq!(
        merged_as(&ground.names, &ground.repository, &id("one"))
            .await
            .unwrap(),
        None
    );
    let Merge::Merged {
        commit,
        before,
        outside,
        left_out,
    } = merged(&ground, "one").await
    else {
        panic!("not merged");
    };
    assert_eq!(before, first);
    assert_eq!(outside, ["b", "c d"]);
    assert_eq!(left_out, [""; 0]);
    assert_eq!(said(&place, &["rev-parse", "HEAD"]), commit);
    assert_eq!(said(&place, &["status", "--porcelain"]), "");
    assert_eq!(
        said(&place, &["log", "-1", "--format=%s|%p"])
            .split(' ')
            .count(),
        3
    );
    assert_eq!(read(&place, "src/x").as_deref(), Some("x"));
    let as_merged = merged_as(&ground.names, &ground.repository, &id("one"))
        .await
        .unwrap();
    assert_eq!(
        as_merged,
        Some(MergedAs {
            commit: commit.clone(),
            before: first.clone()
        })
    );
    // once more, after a crash
    assert_eq!(
        merged(&ground, "one").await,
        Merge::NothingToMerge {
            commit: commit.clone()
        }
    );
    assert!(matches!(merged(&ground, "two").await, Merge::Merged { .. }));
    take_back(&ground.names, &ground.repository, &commit)
        .await
        .unwrap();
    assert_eq!(read(&place, "src/y"), None);
    take_back(&ground.names, &ground.repository, &first)
        .await
        .unwrap();
    take_back(&ground.names, &ground.repository, &first)
        .await
        .unwrap();
    assert_eq!(read(&place, "a").as_deref(), Some("one\n"));
    assert!(
        take_back(&ground.names, &ground.repository, &commit)
            .await
            .is_err()
    );
    assert_eq!(
        merged_as(&ground.names, &ground.repository, &id("one"))
            .await
            .unwrap(),
        None
    );
    // the base is as it was
    assert_eq!(ground.git(&["rev-parse", "main"]), first);
}

#[tokio::test]
async fn files_by_which_work_is_judged_come_into_no_merge() {
    let ground = ready(&["one", "two"]).await;
    let place = ground.names.integration_folder();
    let folder = ground.folder("one");
    said(&folder, &["rm", "--quiet", "b", "tests/t.sh"]);
    ground.work(
        "one",
        &[
            ("src/x", "x"),
            ("tests/t.sh/in its place", "exit 0\n"),
            ("tests/new\nest.sh", "exit 0\n"),
            ("beside", "outside\n"),
        ],
    );
    ground.work("two", &[("tests/t.sh", "exit 0\n")]);
    let judges = [
        "b",
        "tests/new\nest.sh",
        "tests/t.sh",
        "tests/t.sh/in its place",
    ];
    let control = merged(&ground, "one").await;
    assert!(matches!(control, Merge::Merged { .. }), "{control:?}");
    assert_eq!(
        read(&place, "tests/t.sh"),
        None,
        "it would be merged otherwise"
    );
    let first = ground.git(&["rev-parse", "main"]);
    take_back(&ground.names, &ground.repository, &first)
        .await
        .unwrap();
    let Merge::Merged {
        outside, left_out, ..
    } = merged_without(&ground, "one", &judges).await
    else {
        panic!("not merged");
    };
    assert_eq!(left_out, judges);
    assert_eq!(outside.len(), judges.len() + 1);
    let changed = said(&place, &["diff", "--name-only", "main", "HEAD"]);
    assert_eq!(changed, "beside\nsrc/x");
    assert_eq!(said(&place, &["status", "--porcelain"]), "");
    // one that did nothing else has nothing to merge
    let nothing = merged_without(&ground, "two", &judges).await;
    assert!(
        matches!(nothing, Merge::NothingToMerge { .. }),
        "{nothing:?}"
    );
    assert_eq!(read(&place, "tests/t.sh").as_deref(), Some("exit 1\n"));
}

#[tokio::test]
async fn a_conflict_is_named_and_leaves_nothing_and_its_author_resolves_it() {
    let ground = ready(&["one", "two"]).await;
    let place = ground.names.integration_folder();
    ground.work("one", &[("a", "one's\n"), ("b", "one's\n")]);
    ground.work("two", &[("a", "two's\n"), ("b", "two's\n"), ("src/y", "y")]);
    assert!(matches!(merged(&ground, "one").await, Merge::Merged { .. }));
    let before = said(&place, &["rev-parse", "HEAD"]);
    let files = vec!["a".into(), "b".into()];
    assert_eq!(merged(&ground, "two").await, Merge::Conflict { files });
    assert_eq!(said(&place, &["rev-parse", "HEAD"]), before);
    assert_eq!(said(&place, &["status", "--porcelain"]), "");
    // merge the integration branch into yours
    let two = ground.folder("two");
    assert!(
        !git(&two, &["merge", "-q", "mo/m/integration"])
            .status
            .success()
    );
    ground.work("two", &[("a", "both\n"), ("b", "one's\n")]);
    let Merge::Merged { outside, .. } = merged(&ground, "two").await else {
        panic!("not merged");
    };
    assert_eq!(
        outside,
        Vec::<String>::new(),
        "what others changed is not its doing"
    );
    assert_eq!(read(&place, "a").as_deref(), Some("both\n"));
}

#[tokio::test]
async fn work_that_is_not_committed_is_refused_and_so_is_another_branch() {
    let ground = ready(&["one"]).await;
    ground.work("one", &[("a", "two\n")]);
    write(&ground.folder("one"), "half", "x");
    assert_eq!(
        merged(&ground, "one").await,
        Merge::Unsaved {
            files: vec!["half".into()]
        }
    );
    remove(&ground.folder("one"), "half");
    said(&ground.folder("one"), &["switch", "-q", "--detach"]);
    let task = task("one", &[]);
    let error = merge(&ground.names, &ground.repository, &task, "m", &[])
        .await
        .unwrap_err();
    assert!(matches!(error, WorktreeError::NotOurs { .. }), "{error}");
}

#[tokio::test]
async fn a_merge_that_was_killed_is_put_right() {
    let ground = ready(&["one", "two"]).await;
    let place = ground.names.integration_folder();
    ground.work("one", &[("a", "one's\n")]);
    ground.work("two", &[("a", "two's\n")]);
    // the branch moved, and its files did not come after
    let tip = said(&ground.folder("one"), &["rev-parse", "HEAD"]);
    ground.git(&["update-ref", "refs/heads/mo/m/integration", &tip]);
    assert_eq!(
        settle(&ground.names, &ground.repository).await.unwrap(),
        tip
    );
    assert_eq!(read(&place, "a").as_deref(), Some("one's\n"));
    // somebody's merge in the middle, and the lock of a git that is dead
    assert!(!git(&place, &["merge", "-q", "mo/m/two"]).status.success());
    assert!(
        ground
            .root
            .join(".git/worktrees/integration/MERGE_HEAD")
            .exists()
    );
    let lock = ground.root.join(".git/worktrees/integration/index.lock");
    write(&ground.root, ".git/worktrees/integration/index.lock", "");
    let old = std::time::SystemTime::now() - std::time::Duration::from_mins(10);
    std::fs::File::open(&lock)
        .unwrap()
        .set_modified(old)
        .unwrap();
    assert_eq!(
        merged(&ground, "two").await,
        Merge::Conflict {
            files: vec!["a".into()]
        }
    );
    assert!(
        !ground
            .root
            .join(".git/worktrees/integration/MERGE_HEAD")
            .exists()
    );
    assert!(!lock.exists());
    assert_eq!(said(&place, &["status", "--porcelain"]), "");
}

#[tokio::test]
async fn the_base_takes_the_results_where_it_is_checked_out_and_keeps_what_is_new_there() {
    let ground = ready(&["one"]).await;
    assert!(matches!(
        finished(&ground, Finish::FastForward).await,
        Finished::Already { .. }
    ));
    ground.work("one", &[("a", "two\n"), ("src/x", "x")]);
    said(&ground.folder("one"), &["rm", "-q", "b"]);
    ground.work("one", &[("src/z", "z")]);
    merged(&ground, "one").await;
    write(&ground.root, "notes", "mine");
    let tip = ground.git(&["rev-parse", "mo/m/integration"]);
    let done = finished(&ground, Finish::FastForward).await;
    assert_eq!(
        done,
        Finished::Done {
            commit: tip.clone(),
            folder: Some(ground.root.clone())
        }
    );
    assert_eq!(ground.git(&["rev-parse", "main"]), tip);
    assert_eq!(ground.git(&["status", "--porcelain"]), "?? notes");
    assert_eq!(read(&ground.root, "src/x").as_deref(), Some("x"));
    assert_eq!(read(&ground.root, "b"), None);
    assert_eq!(
        finished(&ground, Finish::FastForward).await,
        Finished::Already { commit: tip }
    );
    assert_eq!(ground.git(&["for-each-ref", "refs/mo"]), "");
    assert_eq!(
        gone(&ground, "one", Remove::IfMerged).await,
        Removed::Removed
    );
}

#[tokio::test]
async fn a_base_that_moved_on_is_merged_and_one_that_is_checked_out_nowhere_just_moves() {
    let ground = ready(&["one"]).await;
    ground.work("one", &[("a", "two\n")]);
    merged(&ground, "one").await;
    write(&ground.root, "b", "two\n");
    ground.git(&["commit", "-qam", "second"]);
    ground.git(&["switch", "-qc", "other"]);
    let Finished::Done { commit, folder } = finished(&ground, Finish::FastForward).await else {
        panic!("not done");
    };
    assert_eq!((folder, ground.git(&["rev-parse", "main"])), (None, commit));
    assert_eq!(
        ground
            .git(&["log", "-1", "--format=%p", "main"])
            .split(' ')
            .count(),
        2
    );
    assert_eq!(
        read(&ground.root, "a").as_deref(),
        Some("one\n"),
        "nobody touched this folder"
    );
    ground.git(&["switch", "-q", "main"]);
    assert_eq!(read(&ground.root, "a").as_deref(), Some("two\n"));
    assert_eq!(read(&ground.root, "b").as_deref(), Some("two\n"));
}

#[tokio::test]
async fn a_person_s_work_in_the_base_is_never_lost() {
    for (name, text) in [
        ("a", "mine\n"),
        ("b", "mine\n"),
        ("src/x", "mine"),
        ("src", "mine"),
        (".env", "mine"),
    ] {
        let ground = ready(&["one"]).await;
        ground.work("one", &[("a", "two\n"), ("src/x", "x"), (".env", "theirs")]);
        merged(&ground, "one").await;
        // also where git ignores it
        write(&ground.root, ".git/info/exclude", ".env\n/.worktrees/\n");
        write(&ground.root, name, text);
        let main = ground.git(&["rev-parse", "main"]);
        let Finished::Unsaved { folder, files } = finished(&ground, Finish::FastForward).await
        else {
            panic!("{name} is overwritten");
        };
        assert_eq!(folder, ground.root);
        assert!(files.iter().any(|file| file.starts_with(name)), "{files:?}");
        assert_eq!(read(&ground.root, name).as_deref(), Some(text));
        assert_eq!(ground.git(&["rev-parse", "main"]), main);
        assert_eq!(ground.git(&["diff", "--cached", "--name-only"]), "");
    }
    let ground = ready(&["one"]).await;
    ground.work("one", &[("a", "two\n")]);
    merged(&ground, "one").await;
    write(&ground.root, "a", "mine\n");
    ground.git(&["commit", "-qam", "second"]);
    let conflict = Finished::Conflict {
        files: vec!["a".into()],
    };
    assert_eq!(finished(&ground, Finish::FastForward).await, conflict);
    ground.git(&["branch", "side", "HEAD~1"]);
    write(&ground.root, "b", "x");
    ground.git(&["commit", "-qam", "third"]);
    assert!(
        !git(&ground.root, &["merge", "-q", "mo/m/integration"])
            .status
            .success()
    );
    ground.git(&["checkout", "-q", "HEAD", "--", "a"]);
    let error = finish(&ground.names, &ground.repository, "side", Finish::Merge).await;
    assert!(error.is_ok(), "{error:?}");
}

/// What a finish that was killed leaves behind, given the commit that it was about.
type Half<'a> = &'a dyn Fn(&Ground, &str);

#[tokio::test]
async fn a_finish_that_was_killed_is_gone_on_with() {
    let half: [Half; 4] = [
        // before anything
        &|_, _| {},
        // in the middle of the files: one written, one cut short, one gone, and the lock left
        &|ground, _| {
            write(&ground.root, "a", "tw");
            write(&ground.root, "src/x", "x");
            remove(&ground.root, "b");
            write(&ground.root, ".git/index.lock", "");
            let old = std::time::SystemTime::now() - std::time::Duration::from_mins(10);
            let lock = std::fs::File::open(ground.root.join(".git/index.lock")).unwrap();
            lock.set_modified(old).unwrap();
        },
        // before the branch
        &|ground, target| {
            ground.git(&["read-tree", "-m", "-u", "HEAD", target]);
        },
        // after it
        &|ground, target| {
            ground.git(&["merge", "-q", "--ff-only", target]);
        },
    ];
    for (number, half) in half.into_iter().enumerate() {
        let ground = ready(&["one"]).await;
        ground.work("one", &[("a", "two\n"), ("src/x", "x"), ("b", "two\n")]);
        merged(&ground, "one").await;
        write(&ground.root, "notes", "mine");
        let target = ground.git(&["rev-parse", "mo/m/integration"]);
        ground.git(&["update-ref", "refs/mo/m/finishing", &target]);
        half(&ground, &target);
        let done = finished(&ground, Finish::FastForward).await;
        let is_done = matches!(&done, Finished::Done { commit, .. } | Finished::Already { commit } if *commit == target);
        assert!(is_done, "{number}: {done:?}");
        assert_eq!(
            ground.git(&["status", "--porcelain"]),
            "?? notes",
            "{number}"
        );
        assert_eq!(read(&ground.root, "a").as_deref(), Some("two\n"));
        assert_eq!(ground.git(&["for-each-ref", "refs/mo"]), "");
    }
    // what a person did meanwhile is not taken for it
    let ground = ready(&["one"]).await;
    ground.work("one", &[("a", "two\n")]);
    merged(&ground, "one").await;
    let target = ground.git(&["rev-parse", "mo/m/integration"]);
    ground.git(&["update-ref", "refs/mo/m/finishing", &target]);
    write(&ground.root, "a", "mine\n");
    assert!(matches!(
        finished(&ground, Finish::FastForward).await,
        Finished::Unsaved { .. }
    ));
    assert_eq!(read(&ground.root, "a").as_deref(), Some("mine\n"));
}

#[tokio::test]
async fn a_rebase_of_the_base_is_not_disturbed() {
    let ground = ready(&["one"]).await;
    ground.work("one", &[("a", "two\n")]);
    merged(&ground, "one").await;
    write(
        &ground.root,
        ".git/rebase-merge/head-name",
        "refs/heads/main\n",
    );
    let error = finish(&ground.names, &ground.repository, "main", Finish::Merge)
        .await
        .unwrap_err();
    assert!(matches!(error, WorktreeError::Underway { .. }), "{error}");
}

/// Hooks, a monitor, filters, drivers, a signer, an editor and more, all of an agent's.
fn set_traps(ground: &Ground) {
    for hook in [
        "post-checkout",
        "pre-commit",
        "prepare-commit-msg",
        "commit-msg",
        "post-commit",
        "pre-merge-commit",
        "post-merge",
        "post-index-change",
        "reference-transaction",
    ] {
        ground.trap(&format!(".git/hooks/{hook}"), "hook");
    }
    let trap = |name: &str| ground.trap(&format!(".git/traps/{name}"), name);
    for (setting, name) in [
        ("core.fsmonitor", "monitor"),
        ("filter.plain.clean", "clean"),
        ("filter.plain.smudge", "smudge"),
        ("filter.long.process", "process"),
        ("merge.own.driver", "driver"),
        ("diff.own.textconv", "textconv"),
        ("diff.own.command", "diff"),
        ("gpg.program", "signer"),
        ("alias.own", "alias"),
    ] {
        let program = trap(name);
        let program = if setting == "alias.own" {
            format!("!{program}")
        } else {
            program
        };
        ground.git(&["config", setting, &program]);
    }
    let included = format!(
        "[filter \"included\"]\n\tsmudge = {}\n\tclean = cat\n",
        trap("included")
    );
    write(&ground.root, ".git/more", &included);
    ground.git(&["config", "include.path", "more"]);
    ground.git(&["config", "commit.gpgSign", "true"]);
    ground.git(&["config", "merge.default", "own"]);
    ground.git(&["config", "branch.mo/m/integration.mergeOptions", "-s ours"]);
    let attributes =
        "a filter=plain merge=own\nb filter=included diff=own\ntests/t.sh filter=long\n";
    write(&ground.root, ".git/info/attributes", attributes);
}

#[tokio::test]
async fn a_hostile_repository_runs_nothing() {
    let ground = Ground::new().await;
    set_traps(&ground);
    integration(&ground.names, &ground.repository, "main")
        .await
        .unwrap();
    for slug in ["one", "two"] {
        prepare(&ground.names, &ground.repository, &id(slug), "main")
            .await
            .unwrap();
        let folder = ground.folder(slug);
        for name in ["a", "b", "tests/t.sh", "src/x"] {
            write(&folder, name, slug);
        }
        commit_all(&ground.repository, &folder, "work")
            .await
            .unwrap()
            .unwrap();
    }
    let commit = ground.git(&["rev-parse", "mo/m/one"]);
    let other = ground.git(&["rev-parse", "mo/m/two"]);
    ground.repository.last_commits("mo/m/one", 5).await.unwrap();
    ground
        .repository
        .changed_between("main", "mo/m/one")
        .await
        .unwrap();
    assert!(matches!(merged(&ground, "one").await, Merge::Merged { .. }));
    assert!(matches!(merged(&ground, "two").await, Merge::Conflict { files } if files.len() == 4));
    let left = std::fs::read_dir(ground.root.join(".git/left"))
        .unwrap()
        .count();
    // anybody's git looked for the commit's name above
    assert_eq!((left, ground.sprung()), (0, Vec::new()));
    let before = ground.repository.commit_of("main").await.unwrap().unwrap();
    assert!(matches!(
        finished(&ground, Finish::Merge).await,
        Finished::Done { .. }
    ));
    take_back(&ground.names, &ground.repository, &before)
        .await
        .unwrap();
    for slug in ["one", "two"] {
        assert_eq!(gone(&ground, slug, Remove::Force).await, Removed::Removed);
    }
    assert_eq!(ground.sprung(), Vec::<String>::new());
    assert_eq!(commit.len(), 40);

    // the control: anybody's git, doing the same, runs all of it
    let folder = ground.root.join("control");
    git(
        &ground.root,
        &["worktree", "add", "-b", "control", "control", &commit],
    );
    for name in ["a", "b", "tests/t.sh"] {
        write(&folder, name, "three");
    }
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-m", "work"]);
    git(
        &folder,
        &["-c", "commit.gpgSign=false", "commit", "-m", "work"],
    );
    git(
        &folder,
        &["-c", "commit.gpgSign=false", "merge", "-m", "m", &other],
    );
    git(
        &folder,
        &[
            "-c",
            "merge.default=text",
            "-c",
            "commit.gpgSign=false",
            "merge",
            "-m",
            "m",
            &other,
        ],
    );
    git(&folder, &["show", "HEAD~1"]);
    git(&folder, &["diff", &before, "HEAD"]);
    git(&folder, &["own"]);
    git(&folder, &["show", "--textconv", &format!("{commit}:b")]);
    let all = [
        "alias", "clean", "diff", "driver", "hook", "included", "monitor", "process", "signer",
        "smudge", "textconv",
    ];
    assert_eq!(ground.sprung(), all);
}
