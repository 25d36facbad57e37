//! What runs in the foreground of a pane, as the system knows it.
//!
//! The way to it: the session's socket under our own socket folder; the process that listens there, which
//! is the server, whatever it or the session is called; its child with the pane's number in its
//! environment, which leads that pane's terminal; the terminal's foreground process group. Two servers
//! with sessions of one name, and sessions that were renamed, are so told apart.

use std::collections::HashMap;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use crate::host::process::{self, Process, ProcessIdentity};
use crate::ids::{PaneAddress, PaneId, SessionName};

use super::client::lock;
use super::find::Environment;
use super::{Pane, Zellij};

/// Programs that run what is typed into them as commands.
const SHELLS: [&str; 15] = [
    "bash", "zsh", "fish", "sh", "dash", "nu", "ksh", "mksh", "csh", "tcsh", "ash", "elvish",
    "xonsh", "pwsh", "busybox",
];
/// The most processes of one pane that are looked at.
const MAX_PROCESSES: usize = 4096;
/// The most servers and panes that are remembered.
const REMEMBERED: usize = 1024;

/// The foreground of a pane: the process group that reads what is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreground {
    /// The zellij server of the pane.
    pub server: Option<ProcessIdentity>,
    /// The group's leader, or its earliest member where the leader has ended.
    pub leader: ProcessIdentity,
    /// Never empty.
    members: Vec<Process>,
    /// The folder in which [`Foreground::program`] works.
    pub folder: Option<PathBuf>,
}

impl Foreground {
    /// The foreground in which `members` are the processes of `group`; `None` without any.
    pub fn new(
        server: Option<ProcessIdentity>,
        group: u32,
        mut members: Vec<Process>,
        folder: Option<PathBuf>,
    ) -> Option<Self> {
        members.sort_by_key(|member| {
            let identity = member.identity;
            (identity.pid != group, identity.started, identity.pid)
        });
        let leader = members.first()?.identity;
        Some(Self {
            server,
            leader,
            members,
            folder,
        })
    }

    /// The processes of the group, the leader first, then by their start. Never empty.
    pub fn members(&self) -> &[Process] {
        &self.members
    }

    /// Who is in front: the leader, unless it is a shell that has a program other than a shell in its
    /// group; then the earliest of those.
    pub fn program(&self) -> &Process {
        let leader = &self.members[0];
        if is_shell(leader) {
            self.members
                .iter()
                .find(|member| !is_shell(member))
                .unwrap_or(leader)
        } else {
            leader
        }
    }

    /// Whether nothing but shells is in front, so that what is typed is run as a command.
    pub fn is_shell(&self) -> bool {
        self.members.iter().all(is_shell)
    }
}

/// A shell by its name or by what it was started as: a script has its own name, and its shell's argument.
fn is_shell(process: &Process) -> bool {
    is_shell_name(&process.name)
        || process
            .argv
            .first()
            .is_some_and(|first| is_shell_name(first))
}

fn is_shell_name(name: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    let base = base.strip_prefix('-').unwrap_or(base);
    let base = base.strip_suffix(".exe").unwrap_or(base);
    SHELLS.contains(&base)
}

/// Whether a pane's command, as zellij lists it, is a shell: what there is to go by where the system does
/// not tell [`Zellij::foreground`]. A program that a shell script runs (`/bin/bash wrapper`) counts as a
/// shell here.
pub fn is_shell_command(pane_command: &str) -> bool {
    pane_command
        .split_whitespace()
        .next()
        .is_some_and(is_shell_name)
}

/// The servers and the first processes of panes that were found before, so that they are rarely sought.
#[derive(Debug, Default)]
pub(super) struct Roots {
    servers: Mutex<HashMap<PathBuf, (SocketFile, ProcessIdentity)>>,
    roots: Mutex<HashMap<(ProcessIdentity, PaneId), ProcessIdentity>>,
}

/// Which file a socket is: after a rename another one bears the name.
type SocketFile = (u64, u64);

impl Zellij {
    /// What runs in the foreground of a pane; `listed` is the pane as [`Zellij::panes`] told it.
    ///
    /// `None` is "unknown": the pane is gone, its command has ended, or the system does not tell.
    pub async fn foreground(&self, pane: &PaneAddress, listed: &Pane) -> Option<Foreground> {
        if listed.exited || listed.id != pane.pane {
            return None;
        }
        let (zellij, pane) = (self.clone(), pane.clone());
        // Reading about a process can block behind it.
        let look = tokio::task::spawn_blocking(move || {
            let client = &zellij.client;
            let answered = client.answered(&pane.session);
            client.roots.look(client.environment(), &pane, answered)
        });
        tokio::time::timeout(self.client.deadline(), look)
            .await
            .ok()?
            .ok()?
    }

    /// The zellij server of a session; `None` is "unknown".
    pub async fn server(&self, session: &SessionName) -> Option<ProcessIdentity> {
        if self.client.answered(session).is_none() {
            self.panes(session, Duration::ZERO).await.ok()?;
        }
        let answered = self.client.answered(session);
        let (zellij, session) = (self.clone(), session.clone());
        let look = tokio::task::spawn_blocking(move || {
            let client = &zellij.client;
            client
                .roots
                .server(client.environment(), &session, answered)
        });
        tokio::time::timeout(self.client.deadline(), look)
            .await
            .ok()?
            .ok()?
    }

    /// The pane in which this process runs, going by what zellij put into the environment. The session's
    /// name is the one it had when the pane was opened; [`Zellij::is_own_pane`] knows of renaming.
    pub fn own_pane(&self) -> Option<PaneAddress> {
        let environment = self.client.environment();
        let session = environment.get("ZELLIJ_SESSION_NAME")?;
        let pane = environment.get("ZELLIJ_PANE_ID")?;
        Some(PaneAddress {
            session: session.to_str()?.parse().ok()?,
            pane: pane.to_str()?.parse().ok()?,
        })
    }

    /// Whether this process runs in `pane`, even if the session was renamed meanwhile. Nobody supervises
    /// the pane for which this is true.
    pub async fn is_own_pane(&self, pane: &PaneAddress) -> bool {
        let Some(own) = self.own_pane() else {
            return false;
        };
        if own == *pane {
            return true;
        }
        let server = self.server(&pane.session).await;
        own.pane == pane.pane && server.is_some_and(|server| is_ancestor(server, process::own()))
    }
}

/// Whether `ancestor` started the process `pid`, or one that did.
fn is_ancestor(ancestor: ProcessIdentity, pid: u32) -> bool {
    let mut current = pid;
    for _ in 0..MAX_PROCESSES {
        match process::without_arguments(current) {
            Some(found) if found.identity == ancestor => return true,
            Some(found) if found.parent > 1 => current = found.parent,
            _ => return false,
        }
    }
    false
}

impl Roots {
    fn look(
        &self,
        environment: &Environment,
        pane: &PaneAddress,
        answered: Option<SystemTime>,
    ) -> Option<Foreground> {
        let server = self.server(environment, &pane.session, answered)?;
        let root = self.root(server, pane.pane)?;
        // A program may start or end while we look: what counts is a group that was in front throughout.
        for _ in 0..3 {
            let before = of_identity(root)?;
            let group = u32::try_from(before.terminal_group)
                .ok()
                .filter(|group| *group > 0)?;
            let members = members(&before, group);
            if of_identity(root)?.terminal_group == before.terminal_group {
                let mut found = Foreground::new(Some(server), group, members, None)?;
                found.folder = process::working_folder(found.program().identity.pid);
                return Some(found);
            }
        }
        None
    }

    /// The server of a session that last `answered` a client at that time.
    fn server(
        &self,
        environment: &Environment,
        session: &SessionName,
        answered: Option<SystemTime>,
    ) -> Option<ProcessIdentity> {
        let socket = socket_of(&socket_folder(environment), session)?;
        let metadata = socket.metadata().ok()?;
        let file = (metadata.dev(), metadata.ino());
        let mut servers = lock(&self.servers);
        if let Some((known, server)) = servers.get(&socket)
            && *known == file
            && process::alive(*server) == Some(true)
        {
            return Some(*server);
        }
        // A caller that says nothing kills a server that is still starting (0.45.1 panics at the loss of a
        // client before it has a session). One that has told of its panes since it made its socket bears it
        // as it bears the end of any client.
        if answered? < metadata.modified().ok()? {
            return None;
        }
        let server = process::without_arguments(process::listener(&socket)?)?.identity;
        if servers.len() >= REMEMBERED {
            servers.clear();
        }
        servers.insert(socket, (file, server));
        Some(server)
    }

    /// The first process of a pane: the one that leads its terminal.
    pub(super) fn root(&self, server: ProcessIdentity, pane: PaneId) -> Option<ProcessIdentity> {
        let mut roots = lock(&self.roots);
        if let Some(root) = roots.get(&(server, pane))
            && process::alive(*root) == Some(true)
        {
            return Some(*root);
        }
        let number = pane.number().to_string();
        let root = process::children(server.pid)
            .into_iter()
            .filter_map(process::without_arguments)
            // A command that the server runs for itself leads no terminal, and may have inherited the
            // number of a pane that the server was started in.
            .filter(|child| child.parent == server.pid && child.session == child.identity.pid)
            .filter(|child| child.terminal != 0 && !child.has_ended())
            .filter(|child| {
                process::environment_variable(child.identity.pid, "ZELLIJ_PANE_ID")
                    .is_some_and(|value| value == *number)
            })
            .map(|child| child.identity)
            .max_by_key(|identity| identity.started)?;
        if roots.len() >= REMEMBERED {
            roots.clear();
        }
        roots.insert((server, pane), root);
        Some(root)
    }
}

fn of_identity(identity: ProcessIdentity) -> Option<Process> {
    process::without_arguments(identity.pid)
        .filter(|found| found.identity == identity && !found.has_ended())
}

/// The processes of `group` on the terminal that `root` leads.
fn members(root: &Process, group: u32) -> Vec<Process> {
    let belongs = |found: &Process| {
        found.group == group && found.terminal == root.terminal && !found.has_ended()
    };
    let mut found: Vec<u32> = descendants(root)
        .filter(belongs)
        .map(|found| found.identity.pid)
        .collect();
    if found.is_empty() {
        // What was in front has been taken over by another parent: everybody is asked.
        let everybody = process::all()
            .into_iter()
            .filter_map(process::without_arguments);
        found = everybody
            .filter(belongs)
            .map(|found| found.identity.pid)
            .collect();
    }
    found
        .into_iter()
        .filter_map(process::process)
        .filter(belongs)
        .collect()
}

/// `root` and everything that it started, directly or not.
pub(super) fn descendants(root: &Process) -> impl Iterator<Item = Process> {
    let mut next = vec![root.identity.pid];
    std::iter::from_fn(move || {
        loop {
            let pid = next.pop()?;
            let Some(found) = process::without_arguments(pid) else {
                continue;
            };
            next.extend(process::children(pid));
            return Some(found);
        }
    })
    .take(MAX_PROCESSES)
}

/// Where zellij keeps its sockets: `ZELLIJ_SOCKET_DIR`, or `zellij` in `XDG_RUNTIME_DIR`, or
/// `zellij-UID` in the folder for temporary files (zellij-utils 0.45.1, `consts.rs`).
pub(super) fn socket_folder(environment: &Environment) -> PathBuf {
    if let Some(folder) = environment.get("ZELLIJ_SOCKET_DIR") {
        return folder.into();
    }
    let runtime = environment.get("XDG_RUNTIME_DIR").map(PathBuf::from);
    if let Some(runtime) = runtime.filter(|runtime| runtime.is_absolute()) {
        return runtime.join("zellij");
    }
    let temporary = environment
        .get("TMPDIR")
        .map_or_else(|| "/tmp".into(), PathBuf::from);
    let user = rustix::process::getuid().as_raw();
    temporary.join(format!("zellij-{user}"))
}

/// The socket of a session: in a folder named after the version of zellij's protocol, the newest first.
pub(super) fn socket_of(folder: &Path, session: &SessionName) -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let version = name
                .to_str()?
                .strip_prefix("contract_version_")?
                .parse()
                .ok()?;
            Some((version, entry.path()))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions
        .into_iter()
        .map(|(_, folder)| folder.join(session.as_str()))
        .find(|socket| {
            socket
                .metadata()
                .is_ok_and(|found| found.file_type().is_socket())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, started: u64, name: &str, argv: &[&str]) -> Process {
        Process {
            identity: ProcessIdentity { pid, started },
            parent: 1,
            group: 10,
            session: 1,
            terminal: 1,
            terminal_group: 10,
            state: 'S',
            name: name.to_owned(),
            argv: argv.iter().map(ToString::to_string).collect(),
        }
    }

    fn foreground(members: Vec<Process>) -> Foreground {
        let server = ProcessIdentity { pid: 1, started: 1 };
        Foreground::new(Some(server), 10, members, None).unwrap()
    }

    #[test]
    fn the_program_in_front_is_the_leader_unless_that_is_a_shell_with_a_program() {
        let agent = || process(12, 30, "claude", &["claude"]);
        let helper = || process(11, 40, "node", &["node", "mcp.js"]);
        let bash = || process(10, 20, "bash", &["/bin/bash", "wrapper"]);
        let script = || process(10, 20, "wrapper", &["/bin/bash", "./wrapper"]);
        let login = || process(10, 20, "zsh", &["-zsh"]);
        let inner = || process(13, 25, "sh", &["sh", "-c", "x"]);
        let leading = || process(10, 50, "claude", &["claude"]);
        let cases = [
            (vec![bash()], "bash", true),
            (vec![login()], "zsh", true),
            (vec![script()], "wrapper", true),
            (vec![bash(), inner()], "bash", true),
            (vec![helper(), agent(), bash()], "claude", false),
            (vec![agent(), helper(), inner(), script()], "claude", false),
            (vec![helper(), agent(), leading()], "claude", false),
            (vec![inner(), leading()], "claude", false),
            (vec![helper(), agent()], "claude", false),
        ];
        for (members, program, shell) in cases {
            let found = foreground(members);
            assert_eq!(found.program().name, program, "{found:?}");
            assert_eq!(found.is_shell(), shell, "{found:?}");
            assert_eq!(found.leader, found.members[0].identity);
        }
        assert_eq!(foreground(vec![helper(), leading()]).leader.pid, 10);
        assert_eq!(Foreground::new(None, 10, Vec::new(), None), None);
    }

    #[test]
    fn shells_are_known_by_name_path_and_login_form() {
        for shell in [
            "bash",
            "/bin/bash",
            "-zsh",
            "/usr/bin/fish -l",
            "/bin/bash wrapper",
            "nu",
            "-sh",
            "pwsh.exe",
        ] {
            assert!(is_shell_command(shell), "{shell}");
        }
        for other in [
            "",
            "claude",
            "cat bash",
            "bashful",
            "/opt/bash/tool",
            "--bash",
        ] {
            assert!(!is_shell_command(other), "{other}");
        }
    }

    #[test]
    fn the_socket_folder_follows_the_environment() {
        let bare = || {
            Environment::inherited()
                .remove("ZELLIJ_SOCKET_DIR")
                .remove("XDG_RUNTIME_DIR")
        };
        let folder = |environment: Environment| socket_folder(&environment);
        assert_eq!(
            folder(
                bare()
                    .set("ZELLIJ_SOCKET_DIR", "/s")
                    .set("XDG_RUNTIME_DIR", "/r")
            ),
            Path::new("/s")
        );
        assert_eq!(
            folder(bare().set("XDG_RUNTIME_DIR", "/r")),
            Path::new("/r/zellij")
        );
        let user = rustix::process::getuid().as_raw();
        let own = PathBuf::from(format!("/t/zellij-{user}"));
        assert_eq!(
            folder(bare().set("XDG_RUNTIME_DIR", "r").set("TMPDIR", "/t")),
            own
        );
        assert_eq!(folder(bare().set("TMPDIR", "/t")), own);
    }
}
