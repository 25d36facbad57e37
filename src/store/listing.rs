//! The names in a folder.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::error::StoreError;

/// Names in one folder beyond which a listing ends: a folder of logs has a few hundred.
const MOST: usize = 100_000;

/// The names in `folder` that are text, sorted; `None` where there is no such folder.
///
/// # Errors
/// When the system refuses.
pub fn names_in(folder: &Path) -> Result<Option<Vec<String>>, StoreError> {
    let failed = |error| StoreError::io("list", folder, error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries.take(MOST) {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort();
    Ok(Some(names))
}
