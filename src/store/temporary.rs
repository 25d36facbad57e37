//! Folders that do not outlive the program.

use std::fs;
use std::io::ErrorKind;
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
        let made = tempfile::Builder::new().prefix(prefix).tempdir();
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

/// Folders that were not there when this was made. When it is dropped they are removed if they are there and
/// empty: other programs make them, and only their own would be in them.
#[derive(Debug)]
pub struct NotThereYet {
    folders: Vec<PathBuf>,
}

impl NotThereYet {
    /// Those of `folders` that are not there now.
    pub fn of(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let missing = folders.into_iter().filter(|folder| !folder.exists());
        Self {
            folders: missing.collect(),
        }
    }
}

impl Drop for NotThereYet {
    fn drop(&mut self) {
        for folder in &self.folders {
            let within = fs::read_dir(folder).into_iter().flatten().flatten();
            for entry in within {
                // refused where it is no folder, or not empty
                let _ = fs::remove_dir(entry.path());
            }
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

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
        fs::create_dir(at("there")).unwrap();
        let swept = NotThereYet::of(["there", "new", "used", "never"].map(at));
        for folder in ["there/v1", "new/v1", "used/v1", "used/v2"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("used/v2/socket"), "").unwrap();
        drop(swept);
        let left = ["there/v1", "used/v2/socket"].map(at);
        assert!(left.iter().all(|path| path.exists()));
        assert!(!at("new").exists());
        assert!(!at("used/v1").exists());
    }
}
