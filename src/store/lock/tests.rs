use std::env;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::store::testing::{CHILD_FOLDER, child, names_in};

fn held_by(path: &Path) -> String {
    match Lock::acquire(path, "second") {
        Err(LockError::Held { by, .. }) => by,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_second_is_told_who_holds_it_and_has_it_once_the_first_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.lock");
    let first = Lock::acquire(&path, "pid 7, since 03:26").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(held_by(&path), "pid 7, since 03:26");
    let shown = Failure::from(Lock::acquire(&path, "second").unwrap_err()).to_string();
    assert!(shown.contains("is held by pid 7, since 03:26"), "{shown}");
    drop(first);
    assert_eq!(names_in(folder.path()), Vec::<String>::new());
    Lock::acquire(&path, "second").unwrap();
}

#[test]
fn the_holders_text_is_shown_harmlessly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.lock");
    for (text, shown) in [
        ("", "another process"),
        (" \n ", "another process"),
        ("a\u{1b}[31m\u{202e}b\nc", "a [31m b c"),
        ("`it's \"é\" \\`", "`it's \"é\" \\`"),
    ] {
        let lock = Lock::acquire(&path, text).unwrap();
        assert_eq!(held_by(&path), shown, "{text:?}");
        drop(lock);
    }
    let _lock = Lock::acquire(&path, &"x".repeat(100_000)).unwrap();
    assert_eq!(held_by(&path).len(), 400);
}

#[test]
fn a_file_left_by_a_dead_holder_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.lock");
    fs::write(&path, "a holder with a long text who died").unwrap();
    let _lock = Lock::acquire(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
}

#[test]
fn a_link_is_not_followed_and_what_is_behind_it_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (path, precious) = (folder.path().join("a.lock"), folder.path().join("p"));
    fs::write(&precious, "precious").unwrap();
    symlink(&precious, &path).unwrap();
    let refused = Lock::acquire(&path, "me");
    assert!(matches!(refused, Err(LockError::Store(_))), "{refused:?}");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    assert!(matches!(
        Lock::acquire(folder.path(), "me"),
        Err(LockError::Store(_))
    ));
}

#[test]
fn letting_go_removes_no_file_that_is_somebody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.lock");
    let first = Lock::acquire(&path, "first").unwrap();
    fs::remove_file(&path).unwrap();
    let second = Lock::acquire(&path, "second").unwrap();
    drop(first);
    assert_eq!(held_by(&path), "second");
    drop(second);
}

#[test]
fn of_many_who_take_and_let_go_only_one_has_it_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.lock");
    let inside = std::sync::atomic::AtomicU32::new(0);
    let order = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut had = 0;
                while had < 100 {
                    if let Ok(lock) = Lock::acquire(&path, "one of many") {
                        assert_eq!(inside.fetch_add(1, order), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, order);
                        drop(lock);
                        had += 1;
                    }
                }
            });
        }
    });
}

/// Ends the child, whatever becomes of the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn another_process_is_named_and_its_death_frees_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.lock");
    let mut other = Ended(
        child(
            "store::lock::tests::child_holds_the_lock",
            folder.path(),
            "",
        )
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap(),
    );
    let out = BufReader::new(other.0.stdout.take().unwrap());
    assert!(out.lines().any(|line| line.unwrap().contains("it is held")));
    assert_eq!(held_by(&path), format!("pid {}", other.0.id()));

    other.0.kill().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while Lock::acquire(&path, "me").is_err() {
        assert!(Instant::now() < deadline, "its death did not free the lock");
        std::thread::yield_now();
    }
}

#[test]
#[ignore = "run as a child, which is then killed"]
#[allow(
    clippy::disallowed_macros,
    reason = "tells the parent test that the lock is held"
)]
fn child_holds_the_lock() {
    let Some(folder) = env::var_os(CHILD_FOLDER).map(PathBuf::from) else {
        return;
    };
    let holder = format!("pid {}", std::process::id());
    let _lock = Lock::acquire(&folder.join("a.lock"), &holder).unwrap();
    println!("it is held");
    // Ends with the parent, which never writes.
    let _ = std::io::stdin().read(&mut [0]);
}
