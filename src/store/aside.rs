//! Files of others that are moved out of the way, or removed.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::error::StoreError;

/// Moves a file, a folder or a link within one file system; what stands at `to` must not be there.
///
/// # Errors
/// Something stands there, nothing is at `from`, or the system refuses.
pub fn move_aside(from: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("move", from, error);
    if to.symlink_metadata().is_ok() {
        return Err(failed(ErrorKind::AlreadyExists.into()));
    }
    fs::rename(from, to).map_err(failed)
}

/// Removes a file, or a link and not what it leads to. One that is gone already is no error.
///
/// # Errors
/// The system refuses.
pub fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StoreError::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Removes a folder with everything in it; links in it are removed, not followed. One that is gone already is no
/// error.
///
/// # Errors
/// It is no folder, or the system refuses.
pub fn remove_folder(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StoreError::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Has a regular file count as written now, for programs that build what is newer. Nothing is lost where the
/// system refuses.
pub fn renew(path: &Path) {
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    if is_file && let Ok(file) = fs::File::open(path) {
        let _ = file.set_modified(std::time::SystemTime::now());
    }
}

/// Removes a folder if there is nothing in it.
pub fn remove_empty_folder(path: &Path) {
    // refused where it is no folder, or not empty
    let _ = fs::remove_dir(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_way_is_never_replaced_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "a").unwrap();
        fs::write(at("b"), "b").unwrap();
        assert!(move_aside(&at("a"), &at("b")).is_err());
        assert!(move_aside(&at("none"), &at("c")).is_err());
        move_aside(&at("a"), &at("c")).unwrap();
        assert_eq!(fs::read_to_string(at("c")).unwrap(), "a");
        fs::create_dir(at("folder")).unwrap();
        std::os::unix::fs::symlink(at("b"), at("folder/link")).unwrap();
        remove_folder(&at("folder")).unwrap();
        remove_folder(&at("folder")).unwrap();
        assert!(at("b").exists());
        remove_file(&at("b")).unwrap();
        remove_file(&at("b")).unwrap();
        assert!(!at("b").exists());
    }
}
