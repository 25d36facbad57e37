//! Where the demo plays: a zellij session of its own with one pane for each simulated agent.
//!
//! The session has a configuration of its own, so that nothing of the person's zellij is read or changed, and
//! keeps what zellij keeps in a temporary folder. Its socket is where the person's zellij looks for sockets:
//! they can attach to it. No shell runs in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::demo_agent::DemoAgent;
use crate::error::{Failure, Kind};
use crate::host::Host;
use crate::host::process::{self, ProcessIdentity};
use crate::ids::{PaneAddress, SessionName};
use crate::store::{self, Access, AsBefore, TemporaryFolder};
use crate::supervisor::lock_folder;
use crate::zellij::{Environment, Zellij};

/// How long zellij may take for one request: a first start on a slow machine takes its time.
const ZELLIJ: Duration = Duration::from_secs(10);
/// How long the panes may take to be there, and how long what zellij left running may take to end.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// Nothing of a person's taste, and nothing written down. No plugins: they would be compiled first.
const CONFIG: &str = "\
show_startup_tips false
show_release_notes false
session_serialization false
default_layout \"demo\"
load_plugins {
}
";

/// The session, its panes, and what has to be cleared away.
pub(super) struct Stage {
    /// The zellij of the session, in the session's environment.
    pub zellij: Zellij,
    /// The session's name.
    pub session: SessionName,
    /// Who plays in which pane.
    pub cast: Vec<(DemoAgent, PaneAddress)>,
    folder: TemporaryFolder,
    server: Option<ProcessIdentity>,
    /// Dropped last: by then everything is out of them.
    _swept: AsBefore,
}

impl Stage {
    /// Opens the session. What was begun is cleared away again after an error.
    ///
    /// # Errors
    /// When zellij is missing or does not do as it is told, or the temporary folder cannot be made.
    pub async fn open() -> Result<Self, Failure> {
        let user = Environment::inherited();
        let sockets = user.socket_folder();
        let runtime = sockets.parent().map(Path::to_owned);
        let runtime = runtime.filter(|folder| !folder.exists());
        let swept = [sockets, lock_folder()].into_iter().chain(runtime);
        let folder = TemporaryFolder::new("mo-demo-")?;
        let zellij = Zellij::find_in(Host::local(), ZELLIJ, environment(&user, &folder)).await;
        let zellij = zellij.map_err(|error| {
            Failure::from(&error).hint("`scripts/demo` installs one for itself, and shows the demo")
        })?;
        prepare(folder.path())?;
        let mut stage = Self {
            zellij,
            session: session_name()?,
            cast: Vec::new(),
            folder,
            server: None,
            _swept: AsBefore::of(swept),
        };
        match stage.begin().await {
            Ok(()) => Ok(stage),
            Err(failure) => {
                // what went wrong first is what the person has to know
                let _ = stage.clear().await;
                Err(failure)
            }
        }
    }

    async fn begin(&mut self) -> Result<(), Failure> {
        self.zellij.start_session(&self.session).await?;
        self.server = self.zellij.server(&self.session).await;
        let until = Instant::now() + PATIENCE;
        loop {
            let panes = self.zellij.panes(&self.session, Duration::ZERO).await;
            let found = panes.map(|panes| {
                let pane_of = |agent: DemoAgent| {
                    let pane = panes.iter().find(|pane| pane.title == agent.as_str())?;
                    let session = self.session.clone();
                    let pane = pane.id;
                    Some((agent, PaneAddress { session, pane }))
                };
                DemoAgent::ALL
                    .into_iter()
                    .filter_map(pane_of)
                    .collect::<Vec<_>>()
            });
            match found {
                Ok(cast) if cast.len() == DemoAgent::ALL.len() => {
                    self.cast = cast;
                    return Ok(());
                }
                Err(error) if Instant::now() > until => return Err(error.into()),
                Ok(_) if Instant::now() > until => {
                    let text = "zellij did not open a pane for each simulated agent";
                    return Err(Failure::new(Kind::TimedOut, text).hint("try again"));
                }
                _ => sleep(PAUSE).await,
            }
        }
    }

    /// The temporary folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the session and removes the folder.
    ///
    /// # Errors
    /// When something is left behind; what, and how to be rid of it.
    pub async fn clear(&self) -> Result<(), Failure> {
        let ended = self.zellij.end_session(&self.session).await;
        let until = Instant::now() + PATIENCE;
        let runs = |server| process::alive(server) == Some(true);
        while self.server.is_some_and(runs) && Instant::now() < until {
            sleep(PAUSE).await;
        }
        // until its last thread is gone, zellij may write into the folder
        let removed = loop {
            match self.folder.remove() {
                Err(_) if Instant::now() < until => sleep(PAUSE).await,
                removed => break removed,
            }
        };
        ended.map_err(|error| {
            let by_hand = format!(
                "end it by hand: {} kill-session {}",
                self.zellij_typed(),
                self.session
            );
            Failure::from(&error).hint(by_hand)
        })?;
        Ok(removed?)
    }

    /// How a person in another terminal calls the zellij that is used here: one that the project's scripts
    /// installed is on nobody's `PATH`.
    pub fn zellij_typed(&self) -> String {
        let home = Environment::inherited().get("HOME").map(PathBuf::from);
        typed(self.zellij.program(), home.as_deref())
    }
}

fn typed(program: &Path, home: Option<&Path>) -> String {
    if !program
        .components()
        .any(|part| part.as_os_str() == "meta-orchestrator")
    {
        return "zellij".to_owned();
    }
    match home.and_then(|home| program.strip_prefix(home).ok()) {
        Some(within) => format!("~/{}", within.display()),
        None => program.display().to_string(),
    }
}

/// The environment of the session: the person's, but for what zellij reads and writes.
fn environment(user: &Environment, folder: &TemporaryFolder) -> Environment {
    let within = |name: &str| folder.path().join(name);
    let kept = [
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
        "TMPDIR",
    ];
    let own = kept
        .into_iter()
        .fold(user.clone(), |all, name| all.set(name, folder.path()));
    own.set("ZELLIJ_SOCKET_DIR", user.socket_folder())
        .set("ZELLIJ_CONFIG_DIR", folder.path())
        .set("ZELLIJ_CONFIG_FILE", within("config.kdl"))
}

/// Writes zellij's configuration, and the layout with a row for each agent.
fn prepare(folder: &Path) -> Result<(), Failure> {
    let cannot =
        |error: std::io::Error| Failure::new(Kind::Failed, "could not find itself").because(&error);
    let program = std::env::current_exe().map_err(cannot)?;
    let layouts = folder.join("layouts");
    store::private_folder(&layouts)?;
    store::write_text(&folder.join("config.kdl"), CONFIG, Access::OwnerOnly)?;
    let layout = layout(&program, folder)?;
    store::write_text(&layouts.join("demo.kdl"), &layout, Access::OwnerOnly)?;
    Ok(())
}

/// One pane under the other, as wide as the terminal: lines are read whole.
fn layout(program: &Path, folder: &Path) -> Result<String, Failure> {
    let (program, folder) = (quoted(program)?, quoted(folder)?);
    let panes: String = DemoAgent::ALL
        .map(|agent| {
            let name = agent.as_str();
            format!(
                "        pane name=\"{name}\" command={program} cwd={folder} {{\n            args \"demo-agent\" \"{name}\"\n        }}\n"
            )
        })
        .concat();
    Ok(format!(
        "layout {{\n    tab name=\"demo\" {{\n{panes}    }}\n}}\n"
    ))
}

/// A path as a string of KDL, in which a quotation mark and a backslash are escaped.
/// Source: <https://github.com/kdl-org/kdl/blob/1.0.0/SPEC.md>.
fn quoted(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().ok_or_else(|| {
        let text = format!(
            "zellij cannot be told of the path {}: it is no UTF-8",
            path.display()
        );
        Failure::new(Kind::Failed, text)
    })?;
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    Ok(format!("\"{escaped}\""))
}

fn session_name() -> Result<SessionName, Failure> {
    let name = format!("mo-demo-{}", process::own());
    name.parse()
        .map_err(|error| Failure::from_error(Kind::Bug, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_has_a_pane_for_each_agent_whatever_the_path() {
        let text = layout(Path::new("/a \"b\"\\c/mo"), Path::new("/tmp/mo-demo-1")).unwrap();
        insta::assert_snapshot!(text, @r#"
        layout {
            tab name="demo" {
                pane name="worker" command="/a \"b\"\\c/mo" cwd="/tmp/mo-demo-1" {
                    args "demo-agent" "worker"
                }
                pane name="staller" command="/a \"b\"\\c/mo" cwd="/tmp/mo-demo-1" {
                    args "demo-agent" "staller"
                }
                pane name="asker" command="/a \"b\"\\c/mo" cwd="/tmp/mo-demo-1" {
                    args "demo-agent" "asker"
                }
            }
        }
        "#);
    }

    #[test]
    fn zellij_is_called_as_it_is_found_in_another_terminal() {
        let home = Some(Path::new("/home/me"));
        let ours = "/home/me/.cache/meta-orchestrator/zellij-0.45.1/bin/zellij";
        for (program, home, expected) in [
            ("/usr/bin/zellij", home, "zellij"),
            (
                ours,
                home,
                "~/.cache/meta-orchestrator/zellij-0.45.1/bin/zellij",
            ),
            (ours, None, ours),
            (ours, Some(Path::new("/root")), ours),
        ] {
            assert_eq!(typed(Path::new(program), home), expected);
        }
    }
}
