//! Folders that do not outlive the program.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::StoreError;

/// A new folder of the user's own (0700) among temporary files; it goes with everything in it when this is
/// dropped.
#[derive(Debug)]
pub struct TemporaryFolder {
    folder: TempDir,
}

impl TemporaryFolder {
    /// Makes one whose name begins with `prefix`.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn new(prefix: &str) -> Result<Self, StoreError> {
        let made = tempfile::Builder::new()
            .prefix(prefix)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir();
        let folder =
            made.map_err(|error| StoreError::io("make a folder in", &std::env::temp_dir(), error))?;
        Ok(Self { folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes it now; one that is gone already is no error. After an error it may be tried again.
    ///
    /// # Errors
    /// When the system refuses, or another program puts something into it meanwhile.
    pub fn remove(&self) -> Result<(), StoreError> {
        match fs::remove_dir_all(self.path()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(StoreError::io("remove", self.path(), error))
            }
            _ => Ok(()),
        }
    }
}

/// Folders as they were when this was made. When it is dropped, those that were not there and the folders in
/// them that were not are removed if they are empty: other programs make them, and only their own would be in
/// them.
#[derive(Debug)]
pub struct AsBefore {
    folders: Vec<(PathBuf, Option<Vec<PathBuf>>)>,
}

impl AsBefore {
    /// These folders, in the order in which they are to be removed. None of them is one where strangers make
    /// folders.
    pub fn of(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let folders = folders.into_iter().map(|folder| {
            let within = folder.exists().then(|| within(&folder));
            (folder, within)
        });
        Self {
            folders: folders.collect(),
        }
    }
}

fn within(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

impl Drop for AsBefore {
    fn drop(&mut self) {
        for (folder, before) in &self.folders {
            let was_there = |path: &PathBuf| before.as_ref().is_some_and(|all| all.contains(path));
            // refused where it is no folder, or not empty
            for path in within(folder).iter().filter(|path| !was_there(path)) {
                let _ = fs::remove_dir(path);
            }
            if before.is_none() {
                let _ = fs::remove_dir(folder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_is_the_user_s_own_and_goes_with_everything_in_it() {
        let folder = TemporaryFolder::new("mo-test-").unwrap();
        let path = folder.path().to_owned();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::create_dir(path.join("a")).unwrap();
        fs::write(path.join("a/b"), "c").unwrap();
        folder.remove().unwrap();
        assert!(!path.exists());
        folder.remove().unwrap();
        drop(folder);

        let dropped = TemporaryFolder::new("mo-test-").unwrap();
        let path = dropped.path().to_owned();
        drop(dropped);
        assert!(!path.exists());
    }

    #[test]
    fn folders_that_appeared_and_are_empty_go_and_no_others() {
        let home = TemporaryFolder::new("mo-test-").unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at("there/v1")).unwrap();
        let swept = AsBefore::of(["there", "new", "used", "never"].map(at));
        for folder in ["there/v2", "new/v1", "used/v1", "used/v2"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("there/file"), "").unwrap();
        fs::write(at("used/v2/socket"), "").unwrap();
        drop(swept);
        for kept in ["there/v1", "there/file", "used/v2/socket"] {
            assert!(at(kept).exists(), "{kept}");
        }
        for gone in ["there/v2", "new", "used/v1", "never"] {
            assert!(!at(gone).exists(), "{gone}");
        }
    }
}
