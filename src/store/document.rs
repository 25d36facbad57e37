//! Files of text that a person may edit too, and files that are generated whole.
//!
//! A document is read once and later saved; in between a person may have edited it, and what they wrote is
//! worth more than what we would write. So a save replaces the file only while it is still as it was read;
//! otherwise the new text goes beside it, and the caller says so. Every write is atomic: a reader, a crash
//! or a full disk sees the old text or the new, never a part. What is not kept through a replacement: hard
//! links, extended attributes and access lists.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Gid, Uid, fchown};
use tempfile::NamedTempFile;

use super::error::{StoreError, Unfit};
use super::path::{folder_of, open_to_read, resolve};

/// A document as it was read, or as it was last saved.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    path: PathBuf,
    text: String,
}

impl Document {
    /// Where it stands, as it was named when it was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text at that time.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Without the text: it may hold a key.
impl fmt::Debug for Document {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format_args!("{} bytes", self.text.len());
        out.debug_struct("Document")
            .field("path", &self.path)
            .field("text", &text)
            .finish()
    }
}

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone (0600), whatever its mode was.
    OwnerOnly,
    /// As the file that is replaced; a new file as the umask says.
    AsUsual,
}

/// What became of a save.
#[derive(Debug, PartialEq, Eq)]
pub enum Saved {
    /// The file has the new text; keep the document for the next save.
    Replaced(Document),
    /// The file had this very text already; keep the document for the next save.
    Unchanged(Document),
    /// The file is left as it is; the new text stands in `path`.
    Beside {
        /// `PATH.new`, or `PATH.new.2` ... where that was taken by another text.
        path: PathBuf,
        /// Why the file was left alone.
        why: Kept,
    },
}

/// Why a save left a file alone. Shown as the end of a sentence: "... because it was changed ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Its text is not the one that was read.
    Changed,
    /// It was there when it was read, and is gone.
    Gone,
    /// It was never read, or was not there then.
    NeverRead,
    /// Its owner has made it read-only.
    ReadOnly,
}

impl fmt::Display for Kept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Changed => "it was changed since it was read",
            Self::Gone => "it was removed since it was read",
            Self::NeverRead => "it holds a text that was never read",
            Self::ReadOnly => "it is read-only",
        })
    }
}

/// Reads the text of `path`, at most `max_bytes`; `None` where there is no such file.
///
/// # Errors
/// No regular file, not UTF-8, larger than `max_bytes`, or the system refuses.
pub fn read_document(path: &Path, max_bytes: u64) -> Result<Option<Document>, StoreError> {
    let Some((file, metadata)) =
        open_to_read(path).map_err(|error| StoreError::io("read", path, error))?
    else {
        return Ok(None);
    };
    let unfit = |why| Err(StoreError::unfit("read", path, why));
    if !metadata.is_file() {
        return unfit(Unfit::NoFile);
    }
    let bytes = read_at_most(file, max_bytes.saturating_add(1))
        .map_err(|error| StoreError::io("read", path, error))?;
    if bytes.len() as u64 > max_bytes {
        return unfit(Unfit::TooBig { limit: max_bytes });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(Document {
            path: path.to_path_buf(),
            text,
        })),
        Err(_) => unfit(Unfit::NotUtf8),
    }
}

/// Saves `text` to `path`, if that is still as it was read (`as_read`; `None`: there was no such file, or
/// it was never read).
///
/// Atomic and durable; a symbolic link is followed, not replaced; the mode of an existing file is kept
/// unless `access` says otherwise. A document that was read from another path counts as never read.
///
/// # Errors
/// No regular file, or the system refuses. The old text is then whole, and nothing is left beside it.
pub fn save_document(
    path: &Path,
    text: &str,
    as_read: Option<&Document>,
    access: Access,
) -> Result<Saved, StoreError> {
    let save = Save {
        path,
        target: resolve("save", path)?,
        text,
        as_read: as_read.filter(|document| document.path == path),
        access,
    };
    save.run()
}

/// Writes a generated file whole, replacing what is there: exports, prompts.
///
/// Atomic and durable, as [`save_document`], but asks nobody whether the old text is still needed.
///
/// # Errors
/// No regular file, or the system refuses. The old text is then whole.
pub fn write_text(path: &Path, text: &str, access: Access) -> Result<(), StoreError> {
    let target = resolve("write", path)?;
    let old = match fs::metadata(&target) {
        Ok(metadata) if metadata.is_file() => Some(metadata),
        Ok(_) => return Err(StoreError::unfit("write", path, Unfit::NoFile)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(StoreError::io("write", path, error)),
    };
    let staged = stage(&target, text, old.as_ref(), access)?;
    staged
        .persist(&target)
        .map_err(|error| StoreError::io("write", path, error.error))?;
    sync_folder(&target);
    Ok(())
}

/// Makes the folder `path` and those above it where they are missing; those that it makes are open to
/// their owner alone (0700).
///
/// # Errors
/// Something that is no folder stands there, or the system refuses.
pub fn private_folder(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| StoreError::io("make the folder", path, error))
}

/// One save under way.
struct Save<'a> {
    path: &'a Path,
    /// What `path` leads to through symbolic links.
    target: PathBuf,
    text: &'a str,
    as_read: Option<&'a Document>,
    access: Access,
}

/// What a save has to do about the file as it is at this moment.
enum Step {
    Create,
    Replace(Metadata),
    Nothing(File, Metadata),
    GoBeside(Kept, Option<Metadata>),
}

impl Save<'_> {
    fn run(&self) -> Result<Saved, StoreError> {
        let old = match self.next_step()? {
            Step::Create => None,
            Step::Replace(old) => Some(old),
            Step::Nothing(file, metadata) => return self.leave(&file, &metadata),
            Step::GoBeside(why, old) => return self.beside(why, old.as_ref()),
        };
        let staged = stage(&self.target, self.text, old.as_ref(), self.access)?;
        // Writing took its time: looking again leaves a person's editor a window of microseconds only.
        match self.next_step()? {
            Step::Create => match staged.persist_noclobber(&self.target) {
                Ok(_) => {}
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                    return self.beside(Kept::NeverRead, None);
                }
                Err(error) => return Err(self.error(error.error)),
            },
            Step::Replace(_) => {
                staged
                    .persist(&self.target)
                    .map_err(|error| self.error(error.error))?;
            }
            Step::Nothing(file, metadata) => return self.leave(&file, &metadata),
            Step::GoBeside(why, old) => return self.beside(why, old.as_ref()),
        }
        sync_folder(&self.target);
        Ok(Saved::Replaced(self.document()))
    }

    fn next_step(&self) -> Result<Step, StoreError> {
        let Some((file, metadata)) =
            open_to_read(&self.target).map_err(|error| self.error(error))?
        else {
            return Ok(match self.as_read {
                Some(_) => Step::GoBeside(Kept::Gone, None),
                None => Step::Create,
            });
        };
        if !metadata.is_file() {
            return Err(StoreError::unfit("save", self.path, Unfit::NoFile));
        }
        let read = self.as_read.map_or("", Document::text);
        let longest = self.text.len().max(read.len()) as u64;
        let now = read_at_most(&file, longest + 1).map_err(|error| self.error(error))?;
        let writable = metadata.mode() & 0o200 != 0;
        Ok(if now == self.text.as_bytes() {
            Step::Nothing(file, metadata)
        } else if self.as_read.is_none() {
            Step::GoBeside(Kept::NeverRead, Some(metadata))
        } else if now != read.as_bytes() {
            Step::GoBeside(Kept::Changed, Some(metadata))
        } else if writable {
            Step::Replace(metadata)
        } else {
            Step::GoBeside(Kept::ReadOnly, Some(metadata))
        })
    }

    /// The text is there already; only its mode may be too open for what it holds.
    fn leave(&self, file: &File, metadata: &Metadata) -> Result<Saved, StoreError> {
        if self.access == Access::OwnerOnly && metadata.mode() & 0o077 != 0 {
            let mode = metadata.mode() & 0o700;
            file.set_permissions(Permissions::from_mode(mode))
                .map_err(|error| StoreError::io("make private", self.path, error))?;
        }
        Ok(Saved::Unchanged(self.document()))
    }

    /// Beside the path as the person names it, not beside what a link leads to. Never over another text:
    /// an earlier unsaved version may be the one that is wanted.
    fn beside(&self, why: Kept, old: Option<&Metadata>) -> Result<Saved, StoreError> {
        const MOST: u32 = 99;
        for number in 1..=MOST {
            let mut name = OsString::from(self.path);
            name.push(".new");
            if number > 1 {
                name.push(format!(".{number}"));
            }
            let path = PathBuf::from(name);
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_file() && holds(&path, self.text) => {
                    return Ok(Saved::Beside { path, why });
                }
                Ok(_) => continue,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::io("save", &path, error)),
            }
            let staged = stage(&path, self.text, old, self.access)?;
            match staged.persist_noclobber(&path) {
                Ok(_) => {
                    sync_folder(&path);
                    return Ok(Saved::Beside { path, why });
                }
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io("save", &path, error.error)),
            }
        }
        Err(StoreError::unfit("save", self.path, Unfit::TooManyBeside))
    }

    fn document(&self) -> Document {
        Document {
            path: self.path.to_path_buf(),
            text: self.text.to_owned(),
        }
    }

    fn error(&self, source: std::io::Error) -> StoreError {
        StoreError::io("save", self.path, source)
    }
}

/// Writes `text` to a temporary file beside `target`, down to the disk, with the owner and the mode that
/// `target` is to have. Dropping it removes it.
fn stage(
    target: &Path,
    text: &str,
    old: Option<&Metadata>,
    access: Access,
) -> Result<NamedTempFile, StoreError> {
    let Some(name) = target.file_name() else {
        return Err(StoreError::unfit("write", target, Unfit::NoName));
    };
    let folder = folder_of(target);
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    remove_leftovers(folder, &prefix);
    let create_mode = match (access, old) {
        (Access::AsUsual, None) => 0o666, // less the umask
        _ => 0o600,
    };
    let failed = |error| StoreError::io("write", target, error);
    let mut staged = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(TEMPORARY)
        .permissions(Permissions::from_mode(create_mode))
        .tempfile_in(folder)
        .map_err(failed)?;
    staged.write_all(text.as_bytes()).map_err(failed)?;
    if let Some(old) = old {
        keep_owner_and_mode(staged.as_file(), old, access).map_err(failed)?;
    }
    staged.as_file().sync_all().map_err(failed)?;
    Ok(staged)
}

/// The owner as far as this user may give files away: it matters where root edits another user's file.
fn keep_owner_and_mode(file: &File, old: &Metadata, access: Access) -> std::io::Result<()> {
    let mine = file.metadata()?;
    if (mine.uid(), mine.gid()) != (old.uid(), old.gid()) {
        let owner = (Uid::from_raw(old.uid()), Gid::from_raw(old.gid()));
        let _ = fchown(file, Some(owner.0), Some(owner.1));
    }
    let mode = match access {
        Access::OwnerOnly => 0o600,
        Access::AsUsual => old.mode() & 0o777,
    };
    file.set_permissions(Permissions::from_mode(mode))
}

const TEMPORARY: &str = ".tmp";
/// No save takes this long: whoever made an older temporary file is dead.
const LEFT_OVER: Duration = Duration::from_mins(10);

/// Temporary files of saves that were killed half-way; what cannot be removed is left.
fn remove_leftovers(folder: &Path, prefix: &OsStr) {
    let is_ours = |name: &OsStr| {
        name.as_encoded_bytes()
            .strip_prefix(prefix.as_encoded_bytes())
            .and_then(|rest| rest.strip_suffix(TEMPORARY.as_bytes()))
            .is_some_and(|middle| middle.len() == 6 && middle.iter().all(u8::is_ascii_alphanumeric))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_ours(&entry.file_name())) {
        let age = entry.metadata().ok().filter(Metadata::is_file);
        let age = age.and_then(|metadata| metadata.modified().ok()?.elapsed().ok());
        if age.is_some_and(|age| age > LEFT_OVER) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn holds(path: &Path, text: &str) -> bool {
    let now = File::open(path).and_then(|file| read_at_most(file, text.len() as u64 + 1));
    now.is_ok_and(|now| now == text.as_bytes())
}

fn read_at_most(file: impl Read, bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(bytes).read_to_end(&mut content)?;
    Ok(content)
}

/// Makes a rename survive a loss of power. The new text is in place by now, so that a failure here is no
/// failure of the save.
fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(folder_of(path)) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests;
