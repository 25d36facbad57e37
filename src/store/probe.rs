//! Finds out by trying whether a folder can be made and written to, and leaves nothing behind.

use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::lock::{Lock, LockError};

/// How much is written, in bytes: one block, so that a full disk is noticed.
const WRITTEN: usize = 4096;

/// A folder on trial. What of it had to be made is removed again when this is dropped, unless somebody has
/// put something there meanwhile.
#[derive(Debug)]
pub struct FolderProbe {
    folder: PathBuf,
    /// The folders that were made, the deepest last.
    made: Vec<PathBuf>,
}

impl FolderProbe {
    /// Makes `folder` and those above it where they are missing, open to their owner alone (0700).
    ///
    /// # Errors
    /// Something that is no folder stands there, or the system refuses.
    pub fn of(folder: &Path) -> Result<Self, StoreError> {
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
            .collect();
        let mut probe = Self {
            folder: folder.to_path_buf(),
            made: Vec::new(),
        };
        for path in missing.into_iter().rev() {
            match DirBuilder::new().mode(0o700).create(path) {
                Ok(()) => probe.made.push(path.to_path_buf()),
                // Somebody else has made it, or something else stands there: the last word is below.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io("make the folder", folder, error)),
            }
        }
        if folder.is_dir() {
            Ok(probe)
        } else {
            let error = ErrorKind::NotADirectory.into();
            Err(StoreError::io("make the folder", folder, error))
        }
    }

    /// Whether the folder was missing.
    pub fn was_missing(&self) -> bool {
        !self.made.is_empty()
    }

    /// Writes a file there, down to the disk, and removes it again.
    ///
    /// # Errors
    /// The system refuses, or the disk is full.
    pub fn write(&self) -> Result<(), StoreError> {
        let failed = |error| StoreError::io("write in", &self.folder, error);
        let mut file = tempfile::Builder::new()
            .prefix(".probe-")
            .tempfile_in(&self.folder)
            .map_err(failed)?;
        file.write_all(&[b'\n'; WRITTEN]).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.close()
            .map_err(|error| StoreError::io("remove a file from", &self.folder, error))
    }

    /// Takes and frees a lock there.
    ///
    /// # Errors
    /// The system refuses: some network disks know no locks.
    pub fn lock(&self) -> Result<(), StoreError> {
        match Lock::acquire(&self.folder.join(".probe.lock"), "a trial") {
            // Another trial at this very moment shows as well that there are locks.
            Ok(_) | Err(LockError::Held { .. }) => Ok(()),
            Err(LockError::Store(error)) => Err(error),
        }
    }
}

impl Drop for FolderProbe {
    fn drop(&mut self) {
        for folder in self.made.iter().rev() {
            // One that is not empty any more is somebody's: it stays.
            if fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{CHILD_FOLDER, assert_passed, names_in, run_on_small_disk};

    #[test]
    fn a_folder_is_tried_and_nothing_stays_of_it() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("there")).unwrap();
        for (folder, missing) in [("there", false), ("a", true), ("b/c/d", true)] {
            let probe = FolderProbe::of(&home.path().join(folder)).unwrap();
            assert_eq!(probe.was_missing(), missing, "{folder}");
            probe.write().unwrap();
            probe.lock().unwrap();
            assert_eq!(names_in(&home.path().join(folder)), [""; 0], "{folder}");
            drop(probe);
            assert_eq!(names_in(home.path()), ["there"], "{folder}");
        }
    }

    #[test]
    fn trials_of_one_folder_at_one_time_do_not_disturb_each_other() {
        let home = tempfile::tempdir().unwrap();
        let probe = FolderProbe::of(home.path()).unwrap();
        let held = Lock::acquire(&home.path().join(".probe.lock"), "another").unwrap();
        probe.lock().unwrap();
        drop(held);
        assert_eq!(names_in(home.path()), [""; 0]);
    }

    #[test]
    fn a_folder_that_somebody_has_used_meanwhile_stays() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        let probe = FolderProbe::of(&folder).unwrap();
        fs::write(folder.join("log"), "x").unwrap();
        drop(probe);
        assert_eq!(names_in(&folder), ["log"]);
    }

    #[test]
    fn what_is_no_folder_is_refused_and_what_was_made_on_the_way_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink("nowhere", home.path().join("dangling")).unwrap();
        for folder in ["file", "file/logs", "dangling", "new/../file"] {
            let error = FolderProbe::of(&home.path().join(folder)).unwrap_err();
            assert!(
                error.to_string().starts_with("could not make the folder"),
                "{folder}: {error}"
            );
            assert_eq!(names_in(home.path()), ["dangling", "file"], "{folder}");
        }
    }

    #[test]
    fn a_disk_without_room_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let name = "store::probe::tests::child_tries_a_full_disk";
        if let Some(output) = run_on_small_disk(name, folder.path()) {
            assert_passed(&output);
        }
    }

    #[test]
    #[ignore = "run as a child, where there is little room"]
    fn child_tries_a_full_disk() {
        let Some(folder) = std::env::var_os(CHILD_FOLDER).map(PathBuf::from) else {
            return;
        };
        let probe = FolderProbe::of(&folder).unwrap();
        probe.write().unwrap();
        let _ = fs::write(folder.join("all"), vec![b'x'; 1024 * 1024]);
        assert!(probe.write().unwrap_err().is_disk_full());
        assert_eq!(names_in(&folder), ["all"]);
    }
}
