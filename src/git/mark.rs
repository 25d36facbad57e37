//! Whether work has appeared in a folder.

use std::ffi::OsString;
use std::hash::Hasher;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use fnv::FnvHasher;

use super::{DEADLINE, Git, GitError};

/// How many changed files are looked at for their time and size.
const MAX_FILES: usize = 10_000;

/// What a folder's repository is like at one moment, to tell later whether work has appeared in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkMark {
    /// The commit that is checked out; `None` before the first.
    pub commit: Option<String>,
    /// A hash of all changes that are not committed: which files, how, their times and sizes.
    pub changes: u64,
    /// How many files are changed, added, removed or new. At least so many where they are very many.
    pub changed_files: usize,
}

/// The state of the repository that `folder` belongs to, of all of it. `None` where it belongs to none.
///
/// # Errors
/// When there is no git, it refuses, or it does not answer within 2 s.
pub async fn work_mark(folder: &Path) -> Result<Option<WorkMark>, GitError> {
    let git = Git::find(folder, DEADLINE)?;
    match tokio::time::timeout(DEADLINE, git.work_mark()).await {
        Ok(found) => found,
        Err(_) => Err(GitError::TimedOut {
            folder: folder.to_owned(),
        }),
    }
}

impl Git {
    async fn work_mark(&self) -> Result<Option<WorkMark>, GitError> {
        let asked = self.call().args(["rev-parse", "--show-toplevel"]);
        let root = self.run(asked).await?;
        if !root.succeeded() {
            return self.no_tree(&root).map(|()| None);
        }
        let root = root.stdout.strip_suffix(b"\n").unwrap_or(&root.stdout);
        let root = PathBuf::from(OsString::from_vec(root.to_vec()));
        let call = self.without_filters(self.call()).await?.args([
            "status",
            "--porcelain=v2",
            "--branch",
            "-z",
            "--untracked-files=all",
            "--ignore-submodules=all",
            "--no-renames",
        ]);
        let status = self.run(call).await?;
        // cut at the bound, it is still the same for the same changes
        if !status.succeeded() && !status.cut {
            return Err(self.refused(&status));
        }
        let marked = tokio::task::spawn_blocking(move || mark(&root, &status.stdout)).await;
        marked.map(Some).map_err(|_| GitError::TimedOut {
            folder: self.folder.clone(),
        })
    }
}

/// Reads `git status --porcelain=v2 --branch -z`, and asks the files it names for their times and sizes.
fn mark(root: &Path, status: &[u8]) -> WorkMark {
    let mut commit = None;
    let mut changed_files = 0;
    let mut hasher = FnvHasher::default();
    for entry in status
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
    {
        if let Some(header) = entry.strip_prefix(b"# ") {
            if let Some(oid) = header
                .strip_prefix(b"branch.oid ")
                .filter(|oid| *oid != b"(initial)")
            {
                commit = Some(String::from_utf8_lossy(oid).into_owned());
            }
            continue;
        }
        changed_files += 1;
        hasher.write(entry);
        hasher.write_u8(0);
        let found = path_in(entry)
            .filter(|_| changed_files <= MAX_FILES)
            .and_then(|path| root.join(path).symlink_metadata().ok());
        if let Some(found) = found {
            hasher.write_i64(found.mtime());
            hasher.write_i64(found.mtime_nsec());
            hasher.write_u64(found.len());
        }
    }
    WorkMark {
        commit,
        changes: hasher.finish(),
        changed_files,
    }
}

/// The path in an entry of the status: behind as many fields as its kind has.
pub(super) fn path_in(entry: &[u8]) -> Option<PathBuf> {
    let fields = match entry.first()? {
        b'1' => 8,
        b'u' => 10,
        b'?' => 1,
        _ => return None,
    };
    let path = entry.splitn(fields + 1, |byte| *byte == b' ').nth(fields)?;
    Some(PathBuf::from(OsString::from_vec(path.to_vec())))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the repositories of the tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use tempfile::TempDir;

    use super::*;

    /// A repository with one commit of `a` and `b`.
    struct Repository {
        folder: TempDir,
    }

    impl Repository {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let repository = Self { folder };
            repository.git(&["init", "-q"]);
            repository.write("a", "one\n");
            repository.write("b", "one\n");
            repository.commit("first");
            repository
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        /// Git as anybody calls it.
        fn git(&self, args: &[&str]) {
            let mut git = Command::new("git");
            git.args(args).current_dir(self.folder.path());
            for (name, _) in std::env::vars_os() {
                if name.as_encoded_bytes().starts_with(b"GIT_") {
                    git.env_remove(name);
                }
            }
            assert!(git.output().unwrap().status.success(), "git {args:?}");
        }

        fn commit(&self, message: &str) {
            self.git(&["add", "-A"]);
            let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
            self.git(&[&who[..], &["commit", "-qm", message]].concat());
        }

        /// A program of the repository's owner that leaves `name` behind when it is run.
        fn trap(&self, at: &str, name: &str) -> String {
            let left = self.path(name);
            let text = format!("#!/bin/sh\ntouch '{}'\nexec cat\n", left.display());
            self.write(at, &text);
            let path = self.path(at);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path.to_string_lossy().into_owned()
        }

        async fn mark(&self) -> WorkMark {
            work_mark(self.folder.path()).await.unwrap().unwrap()
        }
    }

    #[tokio::test]
    async fn commits_and_changed_files_change_the_mark_and_nothing_else_does() {
        let repository = Repository::new();
        let clean = repository.mark().await;
        assert_eq!(clean.changed_files, 0);
        assert_eq!(clean.commit.as_ref().unwrap().len(), 40);
        assert_eq!(repository.mark().await, clean);
        repository.write("a", "two, longer\n");
        let changed = repository.mark().await;
        assert_eq!((changed.changed_files, &changed.commit), (1, &clean.commit));
        assert_ne!(changed, clean);
        // the same file again, though git says the same of it
        repository.write("a", "three, even longer\n");
        let again = repository.mark().await;
        assert_eq!(again.changed_files, 1);
        assert_ne!(again.changes, changed.changes);
        repository.write("new folder/ü b\n.txt", "x");
        let new = repository.mark().await;
        assert_eq!(new.changed_files, 2);
        repository.write("new folder/ü b\n.txt", "longer");
        assert_ne!(
            repository.mark().await,
            new,
            "a file that git does not know yet"
        );
        repository.commit("second");
        let committed = repository.mark().await;
        assert_ne!(committed.commit, clean.commit);
        assert_eq!(committed.changes, clean.changes);
        // the folder may be any of the repository's
        let below = work_mark(&repository.path("new folder")).await;
        assert_eq!(below.unwrap(), Some(committed));
    }

    #[tokio::test]
    async fn a_folder_outside_git_and_an_empty_repository_are_no_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(work_mark(folder.path()).await.unwrap(), None);
        let bare = folder.path().join("bare");
        let made = Command::new("git")
            .args(["init", "-q", "--bare"])
            .arg(&bare)
            .status();
        assert!(made.unwrap().success());
        assert!(!matches!(work_mark(&bare).await, Ok(Some(_))));
        let empty = folder.path().join("empty");
        let made = Command::new("git")
            .args(["init", "-q"])
            .arg(&empty)
            .status();
        assert!(made.unwrap().success());
        let mark = work_mark(&empty).await.unwrap().unwrap();
        assert_eq!((mark.commit, mark.changed_files), (None, 0));
        let missing = work_mark(Path::new("/nowhere")).await.unwrap_err();
        assert!(matches!(missing, GitError::Host { .. }), "{missing}");
    }

    #[tokio::test]
    async fn a_hostile_repository_runs_nothing() {
        let repository = Repository::new();
        let monitor = repository.trap("traps/monitor", "left/monitor");
        let filter = repository.trap("traps/filter", "left/filter");
        repository.trap(".git/hooks/post-index-change", "left/hook");
        std::fs::create_dir_all(repository.path("left")).unwrap();
        repository.git(&["config", "core.fsmonitor", &monitor]);
        repository.git(&["config", "filter.x y=z.clean", &filter]);
        repository.git(&["config", "filter.x y=z.required", "true"]);
        repository.write(".git/info/attributes", "a filter=x\\ y=z\nb filter=e\n");
        repository.git(&["config", "filter.e.process", &filter]);
        let left = || {
            let names = std::fs::read_dir(repository.path("left")).unwrap();
            let mut names: Vec<_> = names.map(|name| name.unwrap().file_name()).collect();
            names.sort();
            names
        };
        // as long as before, so that git must look inside
        let touch = |text: &str| {
            repository.write("a", text);
            repository.write("b", text);
        };
        touch("two\n");
        let mark = repository.mark().await;
        assert_eq!(left(), Vec::<OsString>::new());
        // the traps, and both files
        assert_eq!(mark.changed_files, 4);
        // the control: anybody else's git runs all of them
        touch("one\n");
        let status = Command::new("git")
            .arg("status")
            .current_dir(repository.folder.path())
            .output();
        let _ = status.unwrap();
        assert_eq!(left(), ["filter", "hook", "monitor"]);
    }

    #[test]
    fn no_variable_of_gits_comes_in_from_outside() {
        let git = Git::find(Path::new("/"), DEADLINE).unwrap();
        let outside = ["GIT_DIR", "GIT_EXTERNAL_DIFF", "HOME"].map(OsString::from);
        let call = format!("{:?}", git.call_without(outside.into_iter()));
        assert!(call.contains(r#"("GIT_DIR", None)"#), "{call}");
        assert!(call.contains(r#"("GIT_EXTERNAL_DIFF", None)"#), "{call}");
        assert!(!call.contains(r#"("HOME", None)"#), "{call}");
    }

    #[test]
    fn any_output_of_git_gives_a_mark() {
        let root = Path::new("/nowhere");
        for (status, files) in [
            (&b""[..], 0),
            (b"# branch.oid (initial)\0", 0),
            (b"1\0? \0u x\0!\0\xff\0", 5),
            (b"? a b\0? c", 2),
        ] {
            let found = mark(root, status);
            assert_eq!((found.commit, found.changed_files), (None, files));
        }
        assert_eq!(path_in(b"? a b"), Some("a b".into()));
        let changed = b"1 .M N... 100644 100644 100644 1111 2222 a b";
        assert_eq!(path_in(changed), Some("a b".into()));
    }
}
