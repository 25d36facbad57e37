//! The door to files: documents that a person may edit, append-only logs, locks.
//!
//! Everything that outlives a run is written here and nowhere else, so that the rules are kept in one
//! place: a document is replaced atomically and only if it is still as it was read, a log line counts as
//! written once the system has taken all of it, and what was torn by a crash is skipped and counted, never
//! repaired by guessing. It knows files and lines of text; what they mean (memos, agents, JSON) is its
//! callers' business. Reading and [`document`] are blocking: call them where blocking is fine. Appending
//! goes through [`log::LogWriter`], which is async.
//!
//! Called by `record`, `supervisor`, `ui` (history, exports) and whoever keeps a file; calls nothing but
//! [`crate::error`].

#![expect(
    clippy::disallowed_methods,
    reason = "the door to files: the one module that opens, writes, renames and removes them"
)]

mod aside;
pub mod document;
pub mod error;
mod listing;
pub mod lock;
pub mod log;
mod new_file;
mod path;
pub mod probe;
mod temporary;
#[cfg(test)]
mod testing;

pub use aside::{move_aside, remove_empty_folder, remove_file, remove_folder, renew};
pub use document::{
    Access, Document, Saved, private_folder, read_document, save_document, write_text,
};
pub use error::{StoreError, Unfit};
pub use listing::names_in;
pub use lock::{Lock, LockError};
pub use log::{
    Follow, LogWriter, ReadBack, ReadForward, Rotation, follow, read_back, read_forward,
    read_forward_since,
};
pub use new_file::NewFile;
pub use probe::FolderProbe;
pub use temporary::{AsBefore, TemporaryFolder};
