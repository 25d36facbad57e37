//! Every agent's handle in one place: adding, starting, stopping, loading, saving, resuming, ending.
//!
//! The supervisor knows who is supervised and where, who may be typed to, and what was said to whom; what an
//! agent does is its own business. It holds the locks that keep two supervisors off one pane. A verb either
//! does all that it says or nothing, and says which. `command` calls it; it never prints.

mod asked;
mod capture;
pub mod doctor;
mod files;
mod health;
mod lock;
mod look;
mod panes;
mod person;
mod post;
mod profiles;
mod resume;
mod review;
mod roster;
mod say;
mod set;
mod stop_all;
mod trust;
mod trusting;
mod worker;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::agent::follow::Followers;
use crate::agent::view::{AgentView, Notice, Urgency};
use crate::config::{BackendType, Config, NotifyConfig};
use crate::director::Director;
use crate::error::{Failure, Kind, in_full};
use crate::http::Http;
use crate::ids::{AgentId, SessionId, SessionName};
use crate::llm;
use crate::screen::profile::Profiles;
use crate::store::log::LogWriterEnd;
use crate::store::{self, Document, LogWriter, Rotation};
use crate::zellij::Zellij;

pub use asked::Asked;
pub use files::read as read_configuration;
pub use health::{Answers, BackendHealth, Health};
pub use lock::{configuration_name, folder as lock_folder};
pub use look::PaneShot;
pub use panes::PaneRow;
use post::Post;
pub use profiles::profiles;
pub use review::Finished;
use say::pass_on;
pub use set::Change;
use trust::Held;
pub use trusting::held_of;
pub use worker::Employment;

/// How many notices a reader may fall behind before it loses the oldest.
const NOTICES: usize = 512;
/// How many log lines may wait for the disk.
const LOG_LINES: usize = 1_024;
/// How long one decision may take, where the configuration does not say.
const DECIDE_DEADLINE: Duration = Duration::from_mins(1);
/// How long one review may take, where the configuration does not say.
const REVIEW_DEADLINE: Duration = Duration::from_mins(5);
/// How long the end may take: agents first, the logs then.
const END: Duration = Duration::from_secs(1);

/// What the command line says over the configuration, for this run alone.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Where logs go.
    pub log_dir: Option<PathBuf>,
    /// The session of agents that name none.
    pub session: Option<SessionName>,
    /// Type nothing.
    pub observe: bool,
    /// Where the person's own profiles of agents are, beside the folder that the configuration names.
    pub profiles: Option<PathBuf>,
    /// Whether the configuration was found in the working folder and nobody named it: what in it could harm waits
    /// for the person's yes.
    pub found: bool,
    /// The file that remembers such a yes; without one it holds for this run.
    pub trusted: Option<PathBuf>,
}

/// Which memory the agents go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memory {
    /// That of the session `default`.
    GoOn,
    /// None: a new session.
    Fresh,
    /// That of a session with this name; one that is new begins with a copy of the newest memos.
    Named(SessionId),
}

/// What a supervisor starts from.
#[derive(Debug)]
pub struct Start {
    /// The configuration as it was read.
    pub config: Config,
    /// Where it was read from, or would be saved.
    pub path: PathBuf,
    /// The file as it was read, where there was one.
    pub document: Option<Document>,
    /// What the command line says over it.
    pub overrides: Overrides,
    /// Which memory goes on.
    pub memory: Memory,
    /// Whether what was never saved comes back too.
    pub resume: bool,
    /// The zellij whose panes are supervised.
    pub zellij: Zellij,
}

/// A running supervisor; clones are the same one.
#[derive(Clone)]
pub struct Supervisor {
    inner: Arc<Inner>,
}

struct Inner {
    zellij: Zellij,
    http: Http,
    writer: LogWriter,
    log_dir: PathBuf,
    session: SessionId,
    overrides: Overrides,
    director: watch::Sender<Arc<Director>>,
    profiles: watch::Sender<Arc<Profiles>>,
    /// How the person is told.
    notify: watch::Sender<Arc<NotifyConfig>>,
    /// Whether the person stopped all typing, and who writes that down.
    all_stopped: watch::Sender<bool>,
    stop_file: tokio::sync::Mutex<()>,
    notices: broadcast::Sender<Notice>,
    /// What was said before anybody listened: for the first who does.
    early_notices: Mutex<Option<broadcast::Receiver<Notice>>>,
    agent_notices: mpsc::Sender<Notice>,
    followers: Followers,
    /// Questions that the person put off.
    snoozed: Mutex<HashMap<AgentId, health::Snooze>>,
    started_at: DateTime<Utc>,
    /// Where the configuration is; changes with it, and is read without waiting for whoever changes it.
    path: Mutex<PathBuf>,
    /// Who is supervised, in the order in which they came. Held for moments only, never over an await.
    posts: RwLock<Vec<Post>>,
    /// One change of the roster or the configuration at a time.
    state: tokio::sync::Mutex<State>,
    known_panes: Mutex<Vec<String>>,
    /// Cancelled when the end begins: what is still being changed then is given up.
    ending: CancellationToken,
    ended: CancellationToken,
    /// What the end said, once it is through: whoever asks for it again waits and is told the same.
    last_words: tokio::sync::Mutex<Option<String>>,
    writer_end: Mutex<Option<LogWriterEnd>>,
}

/// What changes only under the lock.
struct State {
    /// The configuration as it stands; its agents are those of the posts.
    config: Config,
    path: PathBuf,
    /// What the file says, as far as this program knows.
    saved: Config,
    document: Option<Document>,
    /// Copies that `/save PATH` wrote, as they were written: the next one may replace them.
    copies: HashMap<PathBuf, Document>,
    /// Keeps other supervisors off the configuration.
    lock: store::Lock,
    /// What of the configuration is left out until the person says yes to it.
    held: Option<Held>,
    /// The profiles that it names, as they were read.
    texts: Vec<profiles::Text>,
}

impl Supervisor {
    /// Takes the locks, reads what an earlier run left, and starts every agent.
    ///
    /// # Errors
    /// When another supervisor has the configuration, a folder cannot be made, a backend's configuration is
    /// wrong, or agents name no session and there is none to be found.
    pub async fn start(start: Start) -> Result<Self, Failure> {
        let lock = lock::configuration(&start.path)?;
        let trust::Judged { held, texts } = trust::judge(
            &start.config,
            &start.path,
            start.overrides.found,
            start.overrides.trusted.as_deref(),
        )?;
        let in_force = trust::in_force(held.as_ref(), &start.config);
        let log_dir = start
            .overrides
            .log_dir
            .clone()
            .unwrap_or_else(|| in_force.log_dir.clone());
        store::private_folder(&log_dir)?;
        let stop = stop_all::left(&log_dir);
        let http = Http::new(in_force.limits.calls_at_once);
        let director = Arc::new(director(&in_force, &http)?);
        let named: &[_] = if in_force.profiles.is_some() {
            &texts
        } else {
            &[]
        };
        let profiles = profiles::of_texts(start.overrides.profiles.as_deref(), named)?;
        let notify = watch::Sender::new(Arc::new(in_force.notify.clone()));
        let rotation = Rotation {
            max_bytes: start.config.logs.rotate_mib.saturating_mul(1024 * 1024),
            keep_days: start.config.logs.keep_days,
        };
        let (writer, writer_end) = LogWriter::start(LOG_LINES, rotation)?;
        let (notices, early_notices) = broadcast::channel(NOTICES);
        let (agent_notices, said) = mpsc::channel(NOTICES);
        let followers = Followers::default();
        tokio::spawn(pass_on(said, notices.clone(), followers.clone()));
        let session = resume::session(&start.memory)?;
        let path = Mutex::new(start.path.clone());
        let state = State {
            saved: start.config.clone(),
            config: start.config,
            path: start.path,
            document: start.document,
            copies: HashMap::new(),
            lock,
            held,
            texts,
        };
        let supervisor = Self {
            inner: Arc::new(Inner {
                zellij: start.zellij,
                http,
                writer,
                log_dir,
                session,
                overrides: start.overrides,
                director: watch::Sender::new(director),
                profiles: watch::Sender::new(Arc::new(profiles)),
                notify,
                all_stopped: watch::Sender::new(stop.is_some()),
                stop_file: tokio::sync::Mutex::default(),
                notices,
                early_notices: Mutex::new(Some(early_notices)),
                agent_notices,
                followers,
                snoozed: Mutex::default(),
                started_at: Utc::now(),
                path,
                posts: RwLock::default(),
                state: tokio::sync::Mutex::new(state),
                known_panes: Mutex::default(),
                ending: CancellationToken::new(),
                ended: CancellationToken::new(),
                last_words: tokio::sync::Mutex::default(),
                writer_end: Mutex::new(Some(writer_end)),
            }),
        };
        supervisor.say_held().await;
        supervisor.say_rules().await;
        if let Some(stop) = stop {
            supervisor.say(None, Urgency::Warning, stop);
        }
        supervisor
            .bring_back(start.resume, matches!(start.memory, Memory::Named(_)))
            .await?;
        Ok(supervisor)
    }

    /// Every agent as it is now, in the order in which they came.
    pub fn views(&self) -> Vec<Arc<AgentView>> {
        self.posts().iter().map(Post::view).collect()
    }

    /// What is said from now on; the first who asks also gets what was said since the start.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        let early = locked(&self.inner.early_notices).take();
        early.unwrap_or_else(|| self.inner.notices.subscribe())
    }

    /// The panes known from the last look: `session:terminal_18`.
    pub fn known_panes(&self) -> Vec<String> {
        locked(&self.inner.known_panes).clone()
    }

    /// Who decides and reviews now.
    pub fn director(&self) -> Arc<Director> {
        Arc::clone(&self.inner.director.borrow())
    }

    /// Where logs go.
    pub fn log_dir(&self) -> &Path {
        &self.inner.log_dir
    }

    /// What writes logs.
    pub fn writer(&self) -> &LogWriter {
        &self.inner.writer
    }

    /// Cancelled once [`Supervisor::quit`] is through.
    pub fn ended(&self) -> CancellationToken {
        self.inner.ended.clone()
    }

    /// Cancelled when the end begins, which may take two seconds.
    pub fn ending(&self) -> CancellationToken {
        self.inner.ending.clone()
    }

    /// Stops every agent, saves the configuration if it was changed here, and flushes the logs, within two
    /// seconds. Says what it did.
    ///
    /// It may be asked for more than once (a terminal that is closed gives both a signal and an end of input):
    /// everybody waits for the one end that there is.
    pub async fn quit(&self) -> String {
        let mut last_words = self.inner.last_words.lock().await;
        if let Some(said) = &*last_words {
            return said.clone();
        }
        let said = self.end().await;
        *last_words = Some(said.clone());
        self.inner.ended.cancel();
        said
    }

    async fn end(&self) -> String {
        self.inner.ending.cancel();
        let mut said = Vec::new();
        // from here on nobody comes or goes
        let state = timeout(END, self.inner.state.lock()).await;
        let handles: Vec<_> = self.posts().iter().filter_map(Post::handle).collect();
        let count = handles.len();
        let mut ends = tokio::task::JoinSet::new();
        for handle in handles {
            ends.spawn(async move { handle.quit().await });
        }
        if timeout(END, ends.join_all()).await.is_err() {
            said.push("some agents did not end in time".to_owned());
        } else if count > 0 {
            let agents = if count == 1 {
                "1 agent is".to_owned()
            } else {
                format!("{count} agents are")
            };
            said.push(format!("{agents} no longer watched"));
        }
        match state {
            Ok(mut state) => said.extend(self.save_if_changed(&mut state).await),
            Err(_) => {
                said.push("the configuration was not saved: it is still being changed".into());
            }
        }
        let writer_end = locked(&self.inner.writer_end).take();
        if let Some(writer_end) = writer_end {
            match timeout(END, writer_end.close()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    said.push(format!("the logs may be incomplete: {}", in_full(&error)));
                }
                Err(_) => said
                    .push("the logs may be incomplete: the disk did not answer in time".to_owned()),
            }
        }
        said.join("; ")
    }

    /// The one who may change the roster or the configuration now.
    ///
    /// # Errors
    /// When the supervisor is ending: nothing is changed any more.
    async fn changing(&self) -> Result<tokio::sync::MutexGuard<'_, State>, Failure> {
        let state = self.inner.state.lock().await;
        if self.inner.ending.is_cancelled() {
            return Err(ending());
        }
        Ok(state)
    }

    /// Waits for what somebody else says, zellij for instance, but not once the supervisor is ending.
    async fn unless_ending<T>(
        &self,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.inner.ending.cancelled() => Err(ending()),
            answer = answer => answer,
        }
    }

    fn posts(&self) -> std::sync::RwLockReadGuard<'_, Vec<Post>> {
        self.inner
            .posts
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn posts_mut(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Post>> {
        self.inner
            .posts
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn ending() -> Failure {
    Failure::new(Kind::Failed, "the supervisor is ending")
}

/// A value behind a lock that is held for moments only.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Two ways to name one file must be one name, also before the file is there.
fn absolute(path: &Path) -> PathBuf {
    let in_folder = |path: &Path| {
        let (folder, name) = (path.parent()?, path.file_name()?);
        Some(folder.canonicalize().ok()?.join(name))
    };
    path.canonicalize().unwrap_or_else(|_| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        in_folder(&path).unwrap_or(path)
    })
}

/// The backends that the configuration names.
///
/// # Errors
/// When the configuration of one is wrong.
pub fn director(config: &Config, http: &Http) -> Result<Director, Failure> {
    let decide = match config.decide_backend.kind {
        BackendType::Builtin => None,
        _ => Some(llm::backend(&config.decide_backend, http, DECIDE_DEADLINE)?),
    };
    let review = match config.review_backend.kind {
        BackendType::Builtin => None,
        _ => Some(llm::backend(&config.review_backend, http, REVIEW_DEADLINE)?),
    };
    let plan = match &config.plan_backend {
        Some(plan) if plan.kind != BackendType::Builtin => {
            Some(llm::backend(plan, http, REVIEW_DEADLINE)?)
        }
        _ => None,
    };
    let decided_by = &config.decide_backend;
    let director = Director::new(
        decided_by.kind,
        decide,
        decided_by.fallback,
        review,
        config.review.memo_chars,
    );
    Ok(director.with_plan(plan))
}

/// Runs what reads files on a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Failure::from_error(Kind::Bug, &error))
}
