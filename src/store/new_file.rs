//! A file that is new when it is finished, and not there before: nothing is ever overwritten.

use std::fs::Permissions;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::error::{StoreError, Unfit};
use super::path::folder_of;

/// A file that is being written, for its owner alone (0600). Dropped before [`NewFile::finish`], it leaves
/// nothing behind.
#[derive(Debug)]
pub struct NewFile {
    staged: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl NewFile {
    /// Begins the file that will stand at `path`.
    ///
    /// # Errors
    /// Something stands there, or the system refuses.
    pub fn begin(path: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::io("write", path, error);
        if path.file_name().is_none() {
            return Err(StoreError::unfit("write", path, Unfit::NoName));
        }
        if path.symlink_metadata().is_ok() {
            return Err(failed(ErrorKind::AlreadyExists.into()));
        }
        let staged = tempfile::Builder::new()
            .prefix(".meta-orchestrator-")
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(folder_of(path))
            .map_err(failed)?;
        Ok(Self {
            staged: BufWriter::new(staged),
            path: path.to_owned(),
        })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// Something stands there by now, or the system refuses; nothing is left then.
    pub fn finish(self) -> Result<(), StoreError> {
        let failed = |error| StoreError::io("write", &self.path, error);
        let staged = self.staged.into_inner();
        let staged = staged.map_err(|error| failed(error.into_error()))?;
        staged.as_file().sync_all().map_err(failed)?;
        let kept = staged.persist_noclobber(&self.path);
        kept.map(|_| ()).map_err(|error| failed(error.error))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.staged.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.staged.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_there_once_it_is_whole_and_another_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        let mut file = NewFile::begin(&path).unwrap();
        file.write_all(b"whole").unwrap();
        assert!(!path.exists());
        let late = NewFile::begin(&path).unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(late.finish().is_err());
        assert!(NewFile::begin(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
