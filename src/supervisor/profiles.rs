//! The profiles of agents: those that ship, and the person's own in place of them.

use std::path::{Path, PathBuf};

use super::absolute;
use crate::config::Config;
use crate::error::{Failure, Kind};
use crate::screen::profile::{Profile, Profiles};
use crate::store;

/// The largest profile that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The text of a profile, and the file that it was read from.
pub(super) type Text = (PathBuf, String);

/// The shipped profiles, and the person's: those in the folder `own`, and those in the one that the configuration
/// at `path` names.
///
/// # Errors
/// When a file `<kind>.json` cannot be read, is no profile, or is one of another kind.
pub fn profiles(own: Option<&Path>, config: &Config, path: &Path) -> Result<Profiles, Failure> {
    of_texts(own, &named(config, path)?)
}

/// The texts of the profiles that the configuration at `path` names.
///
/// # Errors
/// When a file `<kind>.json` cannot be read.
pub(super) fn named(config: &Config, path: &Path) -> Result<Vec<Text>, Failure> {
    let folder = config.profiles.as_ref().map(|folder| {
        absolute(path)
            .parent()
            .map_or_else(|| folder.clone(), |parent| parent.join(folder))
    });
    folder.map_or_else(|| Ok(Vec::new()), |folder| texts(&folder))
}

/// The shipped profiles, those in the folder `own`, and these: of two with one kind the later counts.
///
/// # Errors
/// As [`profiles`].
pub(super) fn of_texts(own: Option<&Path>, named: &[Text]) -> Result<Profiles, Failure> {
    let own = own.map_or_else(|| Ok(Vec::new()), texts)?;
    let mut profiles = Profiles::shipped();
    for (path, text) in own.iter().chain(named) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let profile = Profile::parse(text).map_err(|error| {
            let heading = format!("{} is no profile of an agent", path.display());
            Failure::new(Kind::Usage, heading)
                .because(&error)
                .hint(error.hint)
        })?;
        if profile.kind().as_str() != stem {
            let heading = format!("{} is a profile of `{}`", path.display(), profile.kind());
            return Err(Failure::new(Kind::Usage, heading).hint("name the file after its kind"));
        }
        profiles.add(profile);
    }
    Ok(profiles)
}

/// The texts in a folder; none where there is no such folder.
fn texts(folder: &Path) -> Result<Vec<Text>, Failure> {
    let mut texts = Vec::new();
    for path in files(folder) {
        if let Some(document) = store::read_document(&path, LARGEST)? {
            texts.push((path, document.text().to_owned()));
        }
    }
    Ok(texts)
}

/// The profiles' files in `folder`, in the order of the alphabet; none where there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name != "profile.schema.json")
        })
        .collect();
    files.sort();
    files
}
