//! Where a running program listens, so that others find it: one place for each configuration.
//!
//! The folder is the one of the locks: in `$XDG_RUNTIME_DIR`, else one of the user's own among temporary files.
//! It is used only while it is nobody else's. A socket that a dead program left behind is replaced; one that
//! answers is not.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use super::peer;
use crate::error::{Failure, Kind};
use crate::store::{self, Lock};
use crate::supervisor::{configuration_name, lock_folder};

/// The longest path that a socket may have, in bytes: `sun_path`, without its end.
const LONGEST_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
/// How socket files end.
const ENDING: &str = ".sock";

/// Where the instance with this configuration listens.
pub fn of_configuration(path: &Path) -> PathBuf {
    lock_folder().join(format!("{}{ENDING}", configuration_name(path)))
}

/// Every place at which an instance of this user may be listening, in order; some may be dead.
pub fn all() -> Vec<PathBuf> {
    let folder = lock_folder();
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("config-") && name.ends_with(ENDING)
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// A socket that is listened at; gone with this value.
#[derive(Debug)]
pub struct Listening {
    /// The socket.
    pub listener: UnixListener,
    file: SocketFile,
    /// Keeps another program from taking the socket for a dead one's.
    _lock: Lock,
}

/// The socket's file, removed at the end if it is still ours.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    id: (u64, u64),
}

impl Listening {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.file.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if file_id(&self.path).is_ok_and(|id| id == self.id) {
            let _ = remove(&self.path);
        }
    }
}

/// Begins to listen at `path`; `named` where the person chose it, and answers for its folder.
///
/// Called within a tokio runtime.
///
/// # Errors
/// When the path is too long, the folder is not the user's own, somebody listens there, something else stands
/// there, or the system refuses.
pub fn listen(path: &Path, named: bool) -> Result<Listening, Failure> {
    let cannot = |why: &str| {
        let message = format!("could not listen at {}", path.display());
        Failure::new(Kind::Failed, message).because_text(why)
    };
    let failed = |error: io::Error| cannot(&error.to_string());
    if path.as_os_str().len() > LONGEST_PATH {
        let hint = "name a shorter one with `--socket PATH`, or a shorter XDG_RUNTIME_DIR";
        let why = format!("a socket's path has at most {LONGEST_PATH} bytes");
        return Err(cannot(&why).hint(hint));
    }
    if !named && let Some(folder) = path.parent() {
        store::private_folder(folder)?;
        check_folder(folder).map_err(|why| {
            cannot(&why).hint("set XDG_RUNTIME_DIR to a folder of your own with mode 0700")
        })?;
    }
    let holder = format!("process {}", crate::host::process::own());
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock = Lock::acquire(Path::new(&lock_path), &holder)
        .map_err(|error| cannot("another program listens there").because(&error))?;
    clear(path).map_err(|why| cannot(&why))?;
    let listener = bind(path).map_err(failed)?;
    let id = file_id(path).map_err(failed)?;
    let path = path.to_path_buf();
    Ok(Listening {
        listener,
        file: SocketFile { path, id },
        _lock: lock,
    })
}

/// Removes the socket that a dead program left; we hold the lock, but not everybody takes one.
fn clear(path: &Path) -> Result<(), String> {
    let metadata = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    if !metadata.file_type().is_socket() {
        return Err("something that is no socket stands there".into());
    }
    if metadata.uid() != peer::own() {
        return Err("it is another user's".into());
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err("another program listens there".into()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            remove(path).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the folder is the user's own and nobody else's.
fn check_folder(folder: &Path) -> Result<(), String> {
    let shown = folder.display();
    let metadata = std::fs::symlink_metadata(folder)
        .map_err(|error| format!("{shown} cannot be looked at: {error}"))?;
    if !metadata.is_dir() {
        return Err(format!("{shown} is no folder"));
    }
    if metadata.uid() != peer::own() {
        return Err(format!("{shown} belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o777;
        return Err(format!("others may look into {shown} (mode {mode:o})"));
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the door that listens: its own socket's file"
)]
fn remove(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

/// Binds; nobody but the user may connect. Until the mode is set the folder and the check of the peer hold.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn file_id(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = std::fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make their own files")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn why(result: Result<Listening, Failure>) -> String {
        result.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn the_socket_is_for_its_user_alone_and_goes_with_its_listener() {
        let home = folder();
        let path = home.path().join("own/s.sock");
        let listening = listen(&path, false).unwrap();
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert_eq!(metadata.mode() & 0o777, 0o600);
        assert_eq!(
            fs::metadata(home.path().join("own")).unwrap().mode() & 0o777,
            0o700
        );
        drop(listening);
        assert_eq!(fs::read_dir(home.path().join("own")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_dead_socket_is_replaced_and_a_living_one_is_not() {
        let home = folder();
        let path = home.path().join("s.sock");
        // as a process that was killed leaves it
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let listening = listen(&path, true).unwrap();
        assert!(why(listen(&path, true)).contains("another program listens there"));
        drop(listening);
        // one that takes no lock
        let other = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(why(listen(&path, true)).contains("another program listens there"));
        drop(other);
        assert!(listen(&path, true).is_ok());
    }

    #[tokio::test]
    async fn what_is_no_socket_stays() {
        let home = folder();
        let path = home.path().join("s.sock");
        fs::write(&path, "precious").unwrap();
        assert!(why(listen(&path, true)).contains("no socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        let link = home.path().join("link.sock");
        symlink(&path, &link).unwrap();
        assert!(why(listen(&link, true)).contains("no socket"));
        assert!(path.exists() && link.exists());
    }

    #[tokio::test]
    async fn a_folder_of_others_is_not_used() {
        let home = folder();
        let own = home.path().join("own");
        let path = own.join("s.sock");
        fs::create_dir(&own).unwrap();
        for open in [0o755, 0o777, 0o710] {
            mode(&own, open);
            assert!(why(listen(&path, false)).contains("others may look into"));
        }
        mode(&own, 0o700);
        assert!(listen(&path, false).is_ok());
        let link = home.path().join("link");
        symlink(&own, &link).unwrap();
        assert!(why(listen(&link.join("s.sock"), false)).contains("is no folder"));
        // where the person names the path, the folder is theirs to choose
        mode(&own, 0o755);
        assert!(listen(&path, true).is_ok());
    }

    #[tokio::test]
    async fn a_path_that_is_too_long_is_refused_in_words() {
        let path = Path::new("/tmp").join("x".repeat(LONGEST_PATH));
        let said = why(listen(&path, true));
        assert!(
            said.contains("at most") && said.contains("--socket"),
            "{said}"
        );
    }

    #[test]
    fn a_configuration_has_one_place_however_it_is_named() {
        let here = of_configuration(Path::new("./a.json"));
        assert_eq!(here, of_configuration(Path::new("a.json")));
        assert_eq!(
            here,
            of_configuration(&std::env::current_dir().unwrap().join("a.json"))
        );
        assert_ne!(here, of_configuration(Path::new("b.json")));
        let shown = here.file_name().unwrap().to_string_lossy();
        assert!(shown.starts_with("config-") && shown.ends_with(".sock"));
    }
}
