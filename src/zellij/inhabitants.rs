//! Which processes live in a pane, beside the program that is seen there.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use super::Zellij;
use super::find::Environment;
use super::foreground::{descendants, socket_folder};
use crate::host::process::{self, ProcessIdentity};
use crate::ids::PaneAddress;

/// What zellij says, in the environment of whatever it starts in a pane, of that pane and of itself.
const VARIABLES: [&str; 5] = [
    "ZELLIJ_PANE_ID",
    "ZELLIJ_SESSION_NAME",
    "ZELLIJ_SOCKET_DIR",
    "XDG_RUNTIME_DIR",
    "TMPDIR",
];

impl Zellij {
    /// Every process of a pane, the living ones: its first one, what that one and its children started, what is of
    /// its session of processes, and what was left behind with the pane's name in its environment. Empty where the
    /// system does not tell.
    ///
    /// Numbers of panes begin again with each server: nobody is taken for one who is older than the server.
    pub async fn inhabitants(&self, pane: &PaneAddress) -> BTreeSet<ProcessIdentity> {
        let Some(server) = self.server(&pane.session).await else {
            return BTreeSet::new();
        };
        let (zellij, pane) = (self.clone(), pane.clone());
        // Reading about a process can block behind it.
        let look = tokio::task::spawn_blocking(move || {
            let root = zellij.client.roots.root(server, pane.pane);
            let client = &zellij.client;
            inhabitants(client.environment(), &pane, server, root)
        });
        let found = tokio::time::timeout(self.client.deadline(), look).await;
        found.ok().and_then(Result::ok).unwrap_or_default()
    }
}

fn inhabitants(
    environment: &Environment,
    pane: &PaneAddress,
    server: ProcessIdentity,
    root: Option<ProcessIdentity>,
) -> BTreeSet<ProcessIdentity> {
    let mut found = BTreeSet::new();
    let root = root.and_then(|root| {
        process::without_arguments(root.pid).filter(|process| process.identity == root)
    });
    if let Some(root) = &root {
        found.extend(descendants(root).map(|process| process.identity));
    }
    let own_folder = socket_folder(environment);
    let own = process::own();
    for pid in process::all() {
        let Some(process) = process::without_arguments(pid) else {
            continue;
        };
        let identity = process.identity;
        if identity.started < server.started || found.contains(&identity) {
            continue;
        }
        let of_session = root
            .as_ref()
            .is_some_and(|root| process.session == root.identity.pid);
        if of_session || is_named(pid, pane, &own_folder) {
            found.insert(identity);
        }
    }
    found.retain(|identity| {
        let is_other = identity.pid != own && *identity != server;
        is_other && process::alive(*identity) == Some(true)
    });
    found
}

/// Whether the environment of a process names the pane, under the same zellij.
fn is_named(pid: u32, pane: &PaneAddress, own_folder: &PathBuf) -> bool {
    let Some([id, session, sockets, runtime, temporary]) =
        process::environment_variables(pid, VARIABLES)
    else {
        return false;
    };
    let is = |value: Option<OsString>, wanted: &str| value.is_some_and(|value| value == wanted);
    if !is(id, &pane.pane.number().to_string()) || !is(session, pane.session.as_str()) {
        return false;
    }
    let given = [
        ("ZELLIJ_SOCKET_DIR", sockets),
        ("XDG_RUNTIME_DIR", runtime),
        ("TMPDIR", temporary),
    ];
    let folder =
        given
            .into_iter()
            .fold(Environment::inherited(), |all, (name, value)| match value {
                Some(value) => all.set(name, value),
                None => all.remove(name),
            });
    socket_folder(&folder) == *own_folder
}
