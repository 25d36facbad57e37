//! The locks that keep two supervisors off one configuration and off one pane.
//!
//! They live in the user's runtime folder, and are freed by the system when their holder dies.

use std::hash::Hasher;
use std::path::{Path, PathBuf};

use fnv::FnvHasher;

use super::absolute;
use crate::error::{Failure, Kind};
use crate::host::process::{self, ProcessIdentity};
use crate::ids::PaneAddress;
use crate::store::{self, Lock, LockError};

/// Takes the configuration for this process.
///
/// # Errors
/// When another supervisor has it, which is named; or the folder cannot be used.
pub fn configuration(path: &Path) -> Result<Lock, Failure> {
    let path = absolute(path);
    let name = format!("{}.lock", configuration_name(&path));
    take(
        &name,
        &format!("the configuration {}", path.display()),
        &path,
    )
}

/// What the lock of a configuration is called, and what else belongs to it: one name however it was named.
pub fn configuration_name(path: &Path) -> String {
    let path = absolute(path);
    format!("config-{}", hash(path.as_os_str().as_encoded_bytes()))
}

/// Takes a pane of the zellij server `server` for this process.
///
/// # Errors
/// When another supervisor has it, which is named; or the folder cannot be used.
pub fn pane(
    address: &PaneAddress,
    server: Option<ProcessIdentity>,
    config: &Path,
) -> Result<Lock, Failure> {
    take(
        &pane_name(address, server),
        &format!("the pane {address}"),
        &absolute(config),
    )
}

/// Whether `lock` is the one on this pane of this server.
pub fn is_of(lock: &Path, address: &PaneAddress, server: Option<ProcessIdentity>) -> bool {
    lock.file_name()
        .is_some_and(|name| name == pane_name(address, server).as_str())
}

fn pane_name(address: &PaneAddress, server: Option<ProcessIdentity>) -> String {
    let server = server
        .map(|server| format!("{}-{}", server.pid, server.started))
        .unwrap_or_default();
    format!(
        "pane-{}.lock",
        hash(format!("{server} {address}").as_bytes())
    )
}

fn take(name: &str, what: &str, config: &Path) -> Result<Lock, Failure> {
    let since = chrono::Local::now().format("%Y-%m-%d %H:%M");
    let holder = format!(
        "process {} ({}), since {since}",
        process::own(),
        config.display()
    );
    let folder = folder();
    store::private_folder(&folder)?;
    Lock::acquire(&folder.join(name), &holder).map_err(|error| match error {
        LockError::Held { by, .. } => {
            Failure::new(Kind::Failed, format!("another supervisor has {what}: {by}"))
                .hint("use that one, or end it first")
        }
        LockError::Store(error) => error.into(),
    })
}

/// Where locks are: `$XDG_RUNTIME_DIR/meta-orchestrator`, or a folder of the user's own among temporary files.
pub fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        return PathBuf::from(folder).join("meta-orchestrator");
    }
    let user = rustix::process::getuid().as_raw();
    std::env::temp_dir().join(format!("meta-orchestrator-{user}"))
}

/// Sixteen digits that tell texts apart.
pub fn hash(bytes: &[u8]) -> String {
    let mut hasher = FnvHasher::default();
    hasher.write(bytes);
    format!("{:016x}", hasher.finish())
}
