//! A mission's panes: opened, told from others, closed with everything in them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Wanted, Workers};
use crate::config::{Role, WorkerCommand};
use crate::error::{Failure, Kind, in_full};
use crate::evidence::Facts;
use crate::host::process::{self, ProcessIdentity};
use crate::host::{Host, is_program};
use crate::ids::{AgentId, PaneAddress, PaneId, SessionName};
use crate::mission::names::Names;
use crate::zellij::{NewPane, Pane, Panes, ZellijError};

/// How long a pane is looked for that zellij may have opened without saying so.
const APPEARS: Duration = Duration::from_secs(5);
/// How often zellij is asked to open a pane, where it is certain that it did nothing.
const TRIES: u32 = 3;
/// How often is looked whether what was awaited is so.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// How long what ran in a pane may take to end after each stronger word: the hangup, the request, the kill.
const ENDS: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(2),
];
/// The longest part of a mission's name in that of its own session: a socket's path has a bound.
const IN_SESSION: usize = 32;
/// The most bytes of a worker's name that are not cut ([`AgentId::of_task`]).
const UNCUT: usize = 47;

/// Where a worker is to be, and by what it is known.
pub(super) struct Place {
    /// The name of the pane.
    name: String,
    /// The folder, without links.
    pub(super) folder: PathBuf,
    /// The program in full, and its arguments.
    argv: Vec<String>,
}

impl Place {
    /// # Errors
    /// When the folder or the program is not there.
    pub(super) async fn of(wanted: &Wanted, command: &WorkerCommand) -> Result<Self, Failure> {
        let (folder, command) = (wanted.folder.clone(), command.command.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let found = folder.canonicalize().and_then(|found| {
                let is_folder = found.is_dir();
                is_folder
                    .then_some(found)
                    .ok_or_else(|| std::io::ErrorKind::NotADirectory.into())
            });
            let found = found.map_err(|error| {
                // zellij would open the pane elsewhere without a word
                let message = format!("the worker's folder {} is not there", folder.display());
                Failure::new(Kind::Failed, message).because(&error)
            })?;
            let program = command.program();
            let path = if program.starts_with('/') {
                Some(PathBuf::from(program)).filter(|path| is_program(path))
            } else {
                Host::local().find_program(program)
            };
            let Some(path) = path.as_deref().and_then(Path::to_str) else {
                let message = format!("there is no program `{program}` to run as a worker");
                return Err(Failure::new(Kind::Missing, message).hint(
                    "`workers` in the configuration names it; see that it is installed and in PATH",
                ));
            };
            let first = std::iter::once(path.to_owned());
            let argv = first.chain(command.arguments().iter().cloned()).collect();
            Ok((found, argv))
        });
        let looked = looked
            .await
            .map_err(|error| Failure::from_error(Kind::Bug, &error))?;
        let (folder, argv) = looked?;
        Ok(Self {
            name: wanted.agent.to_string(),
            folder,
            argv,
        })
    }
}

/// The pane that a new session has.
const FIRST_PANE: PaneId = PaneId::new(0);

impl Workers {
    /// The session for this mission's panes; where there is none at all, one of its own is started.
    pub(super) async fn session(&self) -> Result<SessionName, Failure> {
        let zellij = self.supervisor.zellij();
        let given = self.supervisor.session_for_workers().await?;
        let session = given.map_or_else(|| self.own_session(), Ok)?;
        match zellij.panes(&session, LOOK_EVERY).await {
            Ok(_) => Ok(session),
            Err(ZellijError::SessionNotFound { .. }) => {
                match zellij.start_session(&session).await {
                    Ok(()) | Err(ZellijError::SessionExists { .. }) => Ok(session),
                    Err(error) => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The panes of a session. One that answers nothing, as a new one does on a busy machine, is asked again for a
    /// few seconds.
    async fn listed(&self, session: &SessionName) -> Result<Arc<Panes>, ZellijError> {
        let until = Instant::now() + APPEARS;
        loop {
            let panes = self
                .supervisor
                .zellij()
                .panes(session, Duration::ZERO)
                .await;
            match panes {
                Err(ZellijError::Unknown { .. }) if Instant::now() < until => {
                    sleep(LOOK_EVERY).await;
                }
                other => return other,
            }
        }
    }

    fn own_session(&self) -> Result<SessionName, Failure> {
        let name: String = self.mission.as_str().chars().take(IN_SESSION).collect();
        format!("mo-{name}")
            .parse()
            .map_err(|error| Failure::from_error(Kind::Bug, &error))
    }

    pub(super) async fn end_own_session(&self) -> Result<bool, Failure> {
        let zellij = self.supervisor.zellij();
        let session = self.own_session()?;
        let panes = match zellij.panes(&session, Duration::ZERO).await {
            Ok(panes) => panes,
            Err(ZellijError::SessionNotFound { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let mut left = panes.iter();
        let (Some(pane), None) = (left.next(), left.next()) else {
            return Ok(false);
        };
        let address = PaneAddress {
            session: session.clone(),
            pane: pane.id,
        };
        let front = zellij.foreground(&address, pane).await;
        let is_idle = front.is_some_and(|front| front.is_shell()) && pane.id == FIRST_PANE;
        if is_idle {
            zellij.end_session(&session).await?;
        }
        Ok(is_idle)
    }

    /// The pane in which this worker lives already: by its name, its folder and its program. What is left of one
    /// that has ended is closed.
    pub(super) async fn living(
        &self,
        session: &SessionName,
        place: &Place,
    ) -> Result<Option<PaneAddress>, Failure> {
        let zellij = self.supervisor.zellij();
        let panes = self.listed(session).await?;
        let mut found = None;
        for pane in named(&panes, &place.name) {
            let address = PaneAddress {
                session: session.clone(),
                pane: pane.id,
            };
            if !runs(pane, place.argv.first().map_or("", String::as_str)) {
                continue;
            }
            if pane.exited || pane.held {
                // Enter would run its command again
                zellij.close(&address).await?;
                continue;
            }
            let foreground = zellij.foreground(&address, pane).await;
            let facts = Facts::of(pane, foreground.as_ref());
            let is_alive = !facts.ended && !facts.shell && facts.program.is_some();
            // of two the newer one: zellij opened it without saying so
            if is_alive && works_in(pane, &facts).is_some_and(|folder| *folder == place.folder) {
                found = Some(address);
            }
        }
        Ok(found)
    }

    /// Opens the worker's pane behind what a person looks at.
    pub(super) async fn open_pane(
        &self,
        session: &SessionName,
        place: &Place,
    ) -> Result<PaneAddress, Failure> {
        let zellij = self.supervisor.zellij();
        let before: BTreeSet<_> = {
            let panes = self.listed(session).await?;
            panes.iter().map(|pane| pane.id).collect()
        };
        let new = NewPane {
            name: place.name.clone(),
            cwd: Some(place.folder.clone()),
            argv: place.argv.iter().map(Into::into).collect(),
        };
        let mut tries = 1;
        loop {
            let error = match zellij.open_behind(session, &new).await {
                Ok(address) => return Ok(address),
                Err(error) if error.did_nothing() && tries < TRIES => {
                    tries += 1;
                    continue;
                }
                Err(error) => error,
            };
            if !matches!(
                error,
                ZellijError::Unknown { .. } | ZellijError::TimedOut { .. }
            ) {
                return Err(error.into());
            }
            // it may be there all the same
            let until = Instant::now() + APPEARS;
            while Instant::now() < until {
                if let Ok(panes) = zellij.panes(session, Duration::ZERO).await
                    && let Some(pane) =
                        named(&panes, &place.name).find(|pane| !before.contains(&pane.id))
                {
                    return Ok(PaneAddress {
                        session: session.clone(),
                        pane: pane.id,
                    });
                }
                sleep(LOOK_EVERY).await;
            }
            return Err(error.into());
        }
    }

    /// zellij opens a pane elsewhere if its folder is gone meanwhile: nothing may be written there.
    pub(super) async fn works_there(
        &self,
        pane: &PaneAddress,
        place: &Place,
    ) -> Result<(), Failure> {
        let zellij = self.supervisor.zellij();
        let listed = zellij.pane(pane, Duration::from_secs(1)).await?;
        let foreground = zellij.foreground(pane, &listed).await;
        let facts = Facts::of(&listed, foreground.as_ref());
        match works_in(&listed, &facts) {
            Some(folder) if *folder != place.folder => {
                let message = format!(
                    "it works in {}, not in {}",
                    folder.display(),
                    place.folder.display()
                );
                Err(Failure::new(Kind::Failed, message))
            }
            _ => Ok(()),
        }
    }

    /// Closes a pane that has the worker's name, with everything in it; nobody supervises it from then on.
    pub(super) async fn close_pane(
        &self,
        agent: &AgentId,
        pane: &PaneAddress,
    ) -> Result<(), Failure> {
        let zellij = self.supervisor.zellij();
        let listed = match zellij.pane(pane, Duration::ZERO).await {
            Ok(listed) => Some(listed),
            Err(ZellijError::SessionNotFound { .. } | ZellijError::NoSuchPane { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(listed) = &listed
            && listed.title != agent.as_str()
        {
            let message = format!(
                "{pane} is not closed: it has another name than the worker {agent}, `{}`",
                listed.title.escape_debug()
            );
            return Err(Failure::new(Kind::Failed, message).hint("close it by hand"));
        }
        let mut lives = zellij.inhabitants(pane).await;
        self.supervisor.dismiss_worker(agent).await?;
        if listed.is_some() {
            zellij.close(pane).await?;
        }
        for (step, wait) in ENDS.into_iter().enumerate() {
            if step > 0 {
                for one in &lives {
                    process::end(*one, step > 1);
                }
            }
            let until = Instant::now() + wait;
            loop {
                lives.extend(zellij.inhabitants(pane).await);
                lives.retain(|one| process::alive(*one) == Some(true));
                if lives.is_empty() {
                    return Ok(());
                }
                if Instant::now() >= until {
                    break;
                }
                sleep(LOOK_EVERY).await;
            }
        }
        Err(Failure::new(
            Kind::Failed,
            format!(
                "{pane} is closed, but this of the worker {agent} still runs: {}",
                in_words(&lives)
            ),
        ))
    }

    /// Every pane whose name is of this mission, and which is in its folder or has ended.
    pub(super) async fn panes_of(
        &self,
        names: &Names,
    ) -> Result<Vec<(AgentId, PaneAddress)>, Failure> {
        let zellij = self.supervisor.zellij();
        let own = self.supervisor.session_for_workers().await.ok().flatten();
        let workers = self.supervisor.workers().await;
        let programs: BTreeSet<String> = ROLES
            .into_iter()
            .map(|role| workers.of(role).command.program().to_owned())
            .collect();
        let whole = format!("{}.", names.mission());
        let prefix = whole.get(..UNCUT).unwrap_or(&whole).to_owned();
        let folder = folder_of(names).await;
        let mut found = Vec::new();
        for session in zellij.sessions().await? {
            let panes: Arc<Panes> = match zellij.panes(&session, Duration::ZERO).await {
                Ok(panes) => panes,
                Err(error) if own.as_ref() == Some(&session) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(%session, error = in_full(&error), "its panes are not known");
                    continue;
                }
            };
            for pane in panes.iter().filter(|pane| pane.title.starts_with(&prefix)) {
                let Ok(agent) = pane.title.parse::<AgentId>() else {
                    continue;
                };
                let address = PaneAddress {
                    session: session.clone(),
                    pane: pane.id,
                };
                let is_ours = if pane.exited || pane.held {
                    programs.iter().any(|program| runs(pane, program))
                } else {
                    let foreground = zellij.foreground(&address, pane).await;
                    let facts = Facts::of(pane, foreground.as_ref());
                    let works = works_in(pane, &facts);
                    works.is_some_and(|works| {
                        works.starts_with(&folder) && (names.is_repository() || *works == folder)
                    })
                };
                if is_ours {
                    found.push((agent, address));
                }
            }
        }
        Ok(found)
    }
}

/// Every role that a worker may have.
const ROLES: [Role; 6] = [
    Role::Explore,
    Role::Research,
    Role::Coder,
    Role::Verifier,
    Role::Reviewer,
    Role::General,
];

/// The panes with this name, in the order in which they were opened.
fn named<'a>(panes: &'a Panes, name: &'a str) -> impl Iterator<Item = &'a Pane> {
    let mut found: Vec<&Pane> = panes.iter().filter(|pane| pane.title == name).collect();
    found.sort_by_key(|pane| pane.id);
    found.into_iter()
}

/// Whether the pane was opened for this program, wherever that is.
fn runs(pane: &Pane, program: &str) -> bool {
    let name = |path: &str| Path::new(path).file_name().map(ToOwned::to_owned);
    let opened = pane.opened_with.as_deref().unwrap_or_default();
    // zellij tells the words with blanks between them, so that of a path with blanks only the beginning is told
    let is_it = |words: &str| name(words).is_some_and(|found| Some(found) == name(program));
    let first = opened.split(' ').next().unwrap_or_default();
    is_it(first) || (!program.is_empty() && opened.starts_with(program))
}

/// Where what is in front of a pane works: as the system says, else as zellij does.
fn works_in<'a>(pane: &'a Pane, facts: &'a Facts) -> Option<&'a PathBuf> {
    let program = facts.program.as_ref();
    program
        .and_then(|program| program.folder.as_ref())
        .or(pane.folder.as_ref())
}

/// The folder of a mission's workers, without links where it is there.
async fn folder_of(names: &Names) -> PathBuf {
    let folder = if names.is_repository() {
        names.worktrees()
    } else {
        names.root().to_path_buf()
    };
    let given = folder.clone();
    let found = tokio::task::spawn_blocking(move || folder.canonicalize()).await;
    found.ok().and_then(Result::ok).unwrap_or(given)
}

/// Processes by name and number, a few of them.
fn in_words(lives: &BTreeSet<ProcessIdentity>) -> String {
    let words: Vec<String> = lives
        .iter()
        .take(5)
        .map(|one| {
            let name = process::without_arguments(one.pid).map(|found| found.name);
            let name: String = name.unwrap_or_default().escape_debug().collect();
            format!("{name} ({})", one.pid)
        })
        .collect();
    let more = lives.len().saturating_sub(words.len());
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{rest}", words.join(", "))
}
