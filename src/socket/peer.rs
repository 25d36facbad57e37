//! Who is at the other end: nobody but the user who runs this program is let in, or spoken to.
//!
//! The folder and the mode of the socket keep others out already; this holds where they do not.

use std::io;

use tokio::net::UnixStream;

/// Another user is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another user (id {peer}) is at the other end of the socket")]
pub struct Stranger {
    /// Their id.
    pub peer: u32,
}

/// Lets in whoever has our own user id, and nobody else, root included.
///
/// # Errors
/// [`Stranger`].
pub const fn admit(peer: u32, own: u32) -> Result<(), Stranger> {
    if peer == own {
        Ok(())
    } else {
        Err(Stranger { peer })
    }
}

/// Checks the other end of `stream`, as the kernel tells it (`SO_PEERCRED`).
///
/// # Errors
/// Another user, or the kernel does not tell.
pub fn check(stream: &UnixStream) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    admit(peer, own()).map_err(|stranger| io::Error::new(io::ErrorKind::PermissionDenied, stranger))
}

/// Our own user id.
pub(super) fn own() -> u32 {
    rustix::process::getuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_user_is_let_in() {
        for (peer, own, admitted) in [
            (1000, 1000, true),
            (0, 0, true),
            (1001, 1000, false),
            (0, 1000, false),
            (1000, 0, false),
            (u32::MAX, 1000, false),
        ] {
            assert_eq!(admit(peer, own).is_ok(), admitted, "{peer} {own}");
        }
        assert_eq!(admit(7, 8), Err(Stranger { peer: 7 }));
    }

    #[tokio::test]
    async fn the_kernel_tells_who_is_at_the_other_end() {
        let (here, there) = UnixStream::pair().unwrap();
        assert!(check(&here).is_ok() && check(&there).is_ok());
        assert_eq!(here.peer_cred().unwrap().uid(), own());
    }
}
