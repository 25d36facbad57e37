use std::env;
use std::os::unix::fs::symlink;
use std::time::SystemTime;

use super::*;
use crate::store::testing::{
    CHILD_FOLDER, SMALL_FILES, assert_passed, names_in, run_child, run_on_small_disk,
};

const MAX: u64 = 1000;

/// A folder with at most one file, `c.json`.
struct Bench {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Bench {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        Self { folder, path }
    }

    fn with(text: &str) -> Self {
        let bench = Self::empty();
        fs::write(&bench.path, text).unwrap();
        bench
    }

    fn read(&self) -> Option<Document> {
        read_document(&self.path, MAX).unwrap()
    }

    fn save(&self, text: &str, as_read: Option<&Document>) -> Saved {
        save_document(&self.path, text, as_read, Access::AsUsual).unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    fn beside(&self, name: &str, why: Kept) -> Saved {
        let path = self.folder.path().join(name);
        Saved::Beside { path, why }
    }

    #[track_caller]
    fn names(&self, expected: &[&str]) {
        assert_eq!(names_in(self.folder.path()), expected);
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn what_is_read_is_the_text_or_the_reason_why_not() {
    let bench = Bench::empty();
    assert_eq!(bench.read(), None);
    fs::write(&bench.path, "é").unwrap();
    assert_eq!(bench.read().unwrap().text(), "é");
    fs::write(&bench.path, "x".repeat(1000)).unwrap();
    assert_eq!(bench.read().unwrap().text().len(), 1000);

    let why = |path: &Path| match read_document(path, MAX) {
        Err(StoreError::Unfit { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    fs::write(&bench.path, "x".repeat(1001)).unwrap();
    assert_eq!(why(&bench.path), Unfit::TooBig { limit: MAX });
    fs::write(&bench.path, b"\xff{}").unwrap();
    assert_eq!(why(&bench.path), Unfit::NotUtf8);
    assert_eq!(why(bench.folder.path()), Unfit::NoFile);
    assert_eq!(why(Path::new("/dev/zero")), Unfit::NoFile);
    let below = read_document(&bench.path.join("below"), MAX);
    assert!(matches!(below, Err(StoreError::Io { .. })), "{below:?}");
}

#[test]
fn a_pipe_is_refused_and_never_waited_for() {
    let bench = Bench::empty();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &bench.path, fifo, mode, 0).unwrap();
    for result in [
        read_document(&bench.path, MAX).map(|_| ()),
        save_document(&bench.path, "{}", None, Access::AsUsual).map(|_| ()),
        write_text(&bench.path, "{}", Access::AsUsual),
    ] {
        let error = result.unwrap_err().to_string();
        assert!(error.ends_with("it is no regular file"), "{error}");
    }
    bench.names(&["c.json"]);
}

#[test]
fn a_document_that_is_as_it_was_read_is_replaced_again_and_again() {
    let bench = Bench::with("old");
    let read = bench.read().unwrap();
    let Saved::Replaced(first) = bench.save("new", Some(&read)) else {
        panic!()
    };
    let Saved::Unchanged(second) = bench.save("new", Some(&first)) else {
        panic!()
    };
    let Saved::Replaced(_) = bench.save("newest", Some(&second)) else {
        panic!()
    };
    assert_eq!(bench.text(), "newest");
    bench.names(&["c.json"]);
}

#[test]
fn a_new_document_is_made() {
    let bench = Bench::empty();
    assert!(matches!(bench.save("new", None), Saved::Replaced(_)));
    assert_eq!(bench.text(), "new");
    bench.names(&["c.json"]);
}

#[test]
fn a_document_that_is_not_as_it_was_read_is_left_alone() {
    // The file as it was read, as it is when saved, and why "ours" then goes beside it.
    let cases = [
        (Some("old"), Some("theirs"), Kept::Changed),
        (Some("old"), Some("old "), Kept::Changed),
        (Some("old"), Some("ol"), Kept::Changed),
        (Some("old"), Some(""), Kept::Changed),
        (Some("old"), None, Kept::Gone),
        (None, Some("theirs"), Kept::NeverRead),
        (None, Some(""), Kept::NeverRead),
    ];
    for (read, now, why) in cases {
        let bench = read.map_or_else(Bench::empty, Bench::with);
        let document = bench.read();
        match now {
            Some(text) => fs::write(&bench.path, text).unwrap(),
            None => fs::remove_file(&bench.path).unwrap(),
        }
        let saved = bench.save("ours", document.as_ref());
        assert_eq!(saved, bench.beside("c.json.new", why), "{read:?} {now:?}");
        assert_eq!(fs::read_to_string(&bench.path).ok().as_deref(), now);
        let beside = fs::read_to_string(bench.folder.path().join("c.json.new")).unwrap();
        assert_eq!(beside, "ours");
    }
}

#[test]
fn somebody_who_wrote_the_same_text_meanwhile_changes_nothing() {
    for read in [None, Some("old")] {
        let bench = read.map_or_else(Bench::empty, Bench::with);
        let document = bench.read();
        fs::write(&bench.path, "ours").unwrap();
        assert!(matches!(
            bench.save("ours", document.as_ref()),
            Saved::Unchanged(_)
        ));
        bench.names(&["c.json"]);
    }
}

#[test]
fn a_document_read_elsewhere_is_no_leave_to_replace_this_one() {
    let bench = Bench::with("same");
    let document = bench.read().unwrap();
    let other = bench.folder.path().join("d.json");
    fs::write(&other, "same").unwrap();
    let saved = save_document(&other, "ours", Some(&document), Access::AsUsual).unwrap();
    assert_eq!(saved, bench.beside("d.json.new", Kept::NeverRead));
}

#[test]
fn an_unsaved_version_is_never_written_over_another() {
    let bench = Bench::with("theirs");
    let why = Kept::NeverRead;
    assert_eq!(bench.save("1", None), bench.beside("c.json.new", why));
    assert_eq!(bench.save("2", None), bench.beside("c.json.new.2", why));
    assert_eq!(bench.save("1", None), bench.beside("c.json.new", why));
    fs::create_dir(bench.folder.path().join("c.json.new.3")).unwrap();
    assert_eq!(bench.save("4", None), bench.beside("c.json.new.4", why));
    bench.names(&[
        "c.json",
        "c.json.new",
        "c.json.new.2",
        "c.json.new.3",
        "c.json.new.4",
    ]);
}

#[test]
fn a_file_that_its_owner_made_read_only_is_left_alone() {
    let bench = Bench::with("old");
    fs::set_permissions(&bench.path, Permissions::from_mode(0o444)).unwrap();
    let document = bench.read();
    let saved = bench.save("ours", document.as_ref());
    assert_eq!(saved, bench.beside("c.json.new", Kept::ReadOnly));
    assert_eq!(bench.text(), "old");
}

#[test]
fn modes_are_kept_or_private() {
    let (keep, private) = (Access::AsUsual, Access::OwnerOnly);
    let cases = [
        (0o644, keep, "new", 0o644),
        (0o640, keep, "new", 0o640),
        (0o600, keep, "new", 0o600),
        (0o4755, keep, "new", 0o755),
        (0o644, private, "new", 0o600),
        (0o644, private, "old", 0o600),
        (0o600, private, "old", 0o600),
        (0o644, keep, "old", 0o644),
    ];
    for (before, access, text, after) in cases {
        let bench = Bench::with("old");
        fs::set_permissions(&bench.path, Permissions::from_mode(before)).unwrap();
        let document = bench.read();
        save_document(&bench.path, text, document.as_ref(), access).unwrap();
        assert_eq!(mode(&bench.path), after, "{before:o} {access:?} {text}");
        assert_eq!(bench.text(), text);
    }
    let bench = Bench::empty();
    save_document(&bench.path, "key", None, private).unwrap();
    assert_eq!(mode(&bench.path), 0o600);
    save_document(&bench.path, "other key", None, private).unwrap();
    assert_eq!(mode(&bench.folder.path().join("c.json.new")), 0o600);
}

#[test]
fn a_text_beside_a_private_file_is_private() {
    let bench = Bench::with("old");
    fs::set_permissions(&bench.path, Permissions::from_mode(0o600)).unwrap();
    bench.save("ours", None);
    assert_eq!(mode(&bench.folder.path().join("c.json.new")), 0o600);
}

#[test]
fn a_link_is_followed_and_stays_a_link() {
    let bench = Bench::empty();
    let dotfiles = bench.folder.path().join("dotfiles");
    fs::create_dir(&dotfiles).unwrap();
    let target = dotfiles.join("real.json");
    symlink("dotfiles/middle.json", &bench.path).unwrap();
    symlink("real.json", dotfiles.join("middle.json")).unwrap();

    assert_eq!(bench.read(), None, "a link to nothing is no document");
    let Saved::Replaced(document) = bench.save("first", None) else {
        panic!()
    };
    assert_eq!(fs::read_to_string(&target).unwrap(), "first");
    assert!(matches!(
        bench.save("second", Some(&document)),
        Saved::Replaced(_)
    ));
    assert_eq!(fs::read_to_string(&target).unwrap(), "second");
    assert!(fs::symlink_metadata(&bench.path).unwrap().is_symlink());
    assert_eq!(
        bench.save("third", None),
        bench.beside("c.json.new", Kept::NeverRead)
    );
    write_text(&bench.path, "fourth", Access::AsUsual).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "fourth");
    assert_eq!(names_in(&dotfiles), ["middle.json", "real.json"]);
}

#[test]
fn links_in_a_circle_are_an_error() {
    let bench = Bench::empty();
    symlink("c.json", &bench.path).unwrap();
    assert!(read_document(&bench.path, MAX).is_err());
    assert!(save_document(&bench.path, "x", None, Access::AsUsual).is_err());
}

#[test]
fn a_reader_sees_the_old_text_or_the_new_and_never_a_part() {
    let bench = Bench::empty();
    let texts = ["a".repeat(300_000), "b".repeat(200_000)];
    write_text(&bench.path, &texts[0], Access::AsUsual).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for round in 0..40 {
                write_text(&bench.path, &texts[round % 2], Access::AsUsual).unwrap();
            }
        });
        while !writing.is_finished() {
            let seen = bench.text();
            assert!(texts.contains(&seen), "{} bytes", seen.len());
        }
    });
}

#[test]
fn what_a_killed_save_left_is_removed_by_a_later_one() {
    let bench = Bench::empty();
    let hour_ago = SystemTime::now() - Duration::from_hours(1);
    let file = |name: &str, modified: SystemTime| {
        let file = File::create(bench.folder.path().join(name)).unwrap();
        file.set_modified(modified).unwrap();
    };
    file(".c.json.aB3dE6.tmp", hour_ago);
    file(".c.json.aB3dE7.tmp", SystemTime::now());
    file(".c.json.mine.tmp", hour_ago);
    file(".d.json.aB3dE6.tmp", hour_ago);
    bench.save("new", None);
    bench.names(&[
        ".c.json.aB3dE7.tmp",
        ".c.json.mine.tmp",
        ".d.json.aB3dE6.tmp",
        "c.json",
    ]);
}

#[test]
fn folders_that_are_made_are_private_and_others_stay_as_they_are() {
    let bench = Bench::empty();
    let top = bench.folder.path().join("top");
    fs::create_dir(&top).unwrap();
    fs::set_permissions(&top, Permissions::from_mode(0o755)).unwrap();
    let deep = top.join("a/b");
    private_folder(&deep).unwrap();
    private_folder(&deep).unwrap();
    assert_eq!(
        [mode(&top), mode(&top.join("a")), mode(&deep)],
        [0o755, 0o700, 0o700]
    );
    fs::write(&bench.path, "").unwrap();
    assert!(private_folder(&bench.path).is_err());
}

#[test]
fn a_missing_folder_is_told_with_what_to_do() {
    let bench = Bench::empty();
    let path = bench.folder.path().join("no/c.json");
    let error = save_document(&path, "x", None, Access::AsUsual).unwrap_err();
    let failure = crate::error::Failure::from(error).to_string();
    assert!(
        failure.contains("hint: is the folder there? `mkdir -p "),
        "{failure}"
    );
}

#[test]
fn a_full_disk_leaves_the_old_text_whole_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let name = "store::document::tests::child_saves_more_than_there_is_room_for";
    let output = run_child(name, folder.path(), SMALL_FILES);
    assert_passed(&output);
    if let Some(output) = run_on_small_disk(name, folder.path()) {
        assert_passed(&output);
        assert!(String::from_utf8_lossy(&output.stdout).contains("the disk was full"));
    }
}

#[test]
#[ignore = "run as a child, where there is little room"]
#[allow(
    clippy::disallowed_macros,
    reason = "tells the parent test what was seen"
)]
fn child_saves_more_than_there_is_room_for() {
    let Some(folder) = env::var_os(CHILD_FOLDER).map(PathBuf::from) else {
        return;
    };
    let path = folder.join("c.json");
    fs::write(&path, "old").unwrap();
    let document = read_document(&path, MAX).unwrap();
    let big = "x".repeat(200_000);
    for as_read in [document.as_ref(), None] {
        let error = save_document(&path, &big, as_read, Access::AsUsual).unwrap_err();
        if error.is_disk_full() {
            println!("the disk was full");
        }
    }
    write_text(&path, &big, Access::AsUsual).unwrap_err();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(names_in(&folder), ["c.json"]);
    // And with room again it goes on.
    let saved = save_document(&path, "new", document.as_ref(), Access::AsUsual).unwrap();
    assert!(matches!(saved, Saved::Replaced(_)));
}
