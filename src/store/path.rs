//! Where a path leads, and how a file is opened without ever hanging on it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::error::{StoreError, Unfit};

/// As many links as Linux itself follows. Source: `path_resolution(7)`.
const MOST_LINKS: usize = 40;

/// The folder in which `path` stands; `.` for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The file that `path` leads to through symbolic links, which need not exist.
pub(super) fn resolve(action: &'static str, path: &Path) -> Result<PathBuf, StoreError> {
    let mut at = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::canonicalize(&at) {
            Ok(real) => return Ok(real),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io(action, path, error)),
        }
        match fs::read_link(&at) {
            Ok(next) => at = folder_of(&at).join(next),
            Err(_) => return Ok(at),
        }
    }
    Err(StoreError::unfit(action, path, Unfit::LinkLoop))
}

/// `O_NONBLOCK`: opening a pipe that nobody writes to would otherwise hang for ever. It changes nothing
/// for regular files.
pub(super) fn open_options(more: OFlags) -> OpenOptions {
    let mut options = OpenOptions::new();
    let flags = (OFlags::NONBLOCK | more).bits();
    options.custom_flags(flags.cast_signed());
    options
}

/// A file opened for reading with what is known of it; `None` where there is none.
pub(super) fn open_to_read(path: &Path) -> io::Result<Option<(File, Metadata)>> {
    match open_options(OFlags::empty()).read(true).open(path) {
        Ok(file) => {
            let metadata = file.metadata()?;
            Ok(Some((file, metadata)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Which file it is, whatever its name: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}
