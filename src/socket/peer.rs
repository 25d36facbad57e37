//! Who is at the other end: nobody but the user who runs this program is let in, or spoken to.
//!
//! The folder and the mode of the socket keep others out already; this holds where they do not.

use std::io;
use std::iter::successors;

use tokio::net::UnixStream;

use crate::host::process;
use crate::ids::PaneAddress;

/// How many processes above the other end are looked at.
const ANCESTORS: usize = 64;

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

/// The zellij panes that the other end of `stream` comes out of: its own, and those of the processes that started
/// it, by their environments; none where the system does not tell.
pub fn panes(stream: &UnixStream) -> Vec<PaneAddress> {
    let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
    let pid = pid.and_then(|pid| u32::try_from(pid).ok());
    pid.map(panes_of).unwrap_or_default()
}

fn panes_of(pid: u32) -> Vec<PaneAddress> {
    let parent = |pid: &u32| Some(process::without_arguments(*pid)?.parent);
    let mut panes: Vec<PaneAddress> = successors(Some(pid), parent)
        .take_while(|pid| *pid > 1)
        .take(ANCESTORS)
        .filter_map(pane_of)
        .collect();
    panes.dedup();
    panes
}

/// The pane in whose environment a process runs.
fn pane_of(pid: u32) -> Option<PaneAddress> {
    let [session, pane] =
        process::environment_variables(pid, ["ZELLIJ_SESSION_NAME", "ZELLIJ_PANE_ID"])?;
    Some(PaneAddress {
        session: session?.to_str()?.parse().ok()?,
        pane: pane?.to_str()?.parse().ok()?,
    })
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
