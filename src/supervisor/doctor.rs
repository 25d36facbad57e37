//! Examines whether everything that the supervisor needs is there, and explains what is not.
//!
//! [`examine`] looks at zellij, its sessions, the configuration, the folders, the backends and each agent's
//! pane, side by side and within [`AT_MOST`] in all. Each thing becomes one [`Check`] with what was found and
//! what to do about it. A check that hangs on another that failed says so in a warning, so that the list is
//! of the same form every time and each fault is counted once.
//!
//! It changes nothing and leaves nothing behind: folders are tried by writing there, and what had to be made
//! for that is removed again. It asks no model, types nothing, and never shows a key. Text from outside
//! (titles, programs' names, servers' words) is shown without control and invisible characters. The command
//! line calls it, and prints [`Examined::to_text`] or [`Examined::to_json`].

mod backends;
mod folders;
mod panes;
mod report;

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::config::Config;
use crate::error::{Failure, Kind};
use crate::ids::SessionName;
use crate::{llm, zellij};

/// How long an examination takes at most.
pub const AT_MOST: Duration = Duration::from_secs(15);

/// What is to be examined.
#[derive(Debug)]
pub struct Examination {
    /// Where the configuration stands, or would.
    pub config_path: PathBuf,
    /// The configuration as it was read; `None` where there is no such file.
    pub config: Result<Option<Config>, Failure>,
    /// What is left out of it until the person says yes, a line each.
    pub held: Vec<String>,
    /// The folder for logs that the command line names over the configuration.
    pub log_dir: Option<PathBuf>,
    /// The session that the command line names over the configuration.
    pub session: Option<SessionName>,
    /// Where locks are kept.
    pub runtime_folder: PathBuf,
    /// The environment in which zellij is looked for and run.
    pub environment: zellij::Environment,
    /// Where keys are looked up.
    pub keys: llm::Environment,
}

impl Examination {
    /// An examination in this process's own environment, with nothing named on the command line.
    pub fn new(config_path: &Path, config: Result<Option<Config>, Failure>) -> Self {
        Self {
            config_path: config_path.to_path_buf(),
            config,
            held: Vec::new(),
            log_dir: None,
            session: None,
            runtime_folder: super::lock::folder(),
            environment: zellij::Environment::inherited(),
            keys: |name| std::env::var(name).ok(),
        }
    }

    /// Nobody named the configuration: what in it could harm is left out, unless the file `trusted` knows a yes to
    /// it. Nothing is sent to a server, and no key read, by its word alone.
    #[must_use]
    pub fn found(mut self, trusted: Option<&Path>) -> Self {
        let Ok(Some(config)) = &self.config else {
            return self;
        };
        match super::held_of(config, &self.config_path, trusted) {
            Ok(None) => {}
            Ok(Some(held)) => {
                self.held = held.lines().map(str::to_owned).collect();
                self.config = Ok(Some(held.without(config)));
            }
            Err(failure) => self.config = Err(failure),
        }
        self
    }

    /// The configuration to go by; `None` where it is wrong.
    fn config(&self) -> Option<Config> {
        let found = self.config.as_ref().ok()?;
        Some(found.clone().unwrap_or_default())
    }
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Good,
    /// The supervisor starts all the same, with less than all.
    Warning,
    /// Something has to be mended: [`Kind::Failed`] where it is the configuration or a folder,
    /// [`Kind::Missing`] where it is the world outside.
    Bad(Kind),
}

/// One thing that was looked at. Its texts are of one line, without control characters, and bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: `zellij`, `session`, `processes`, `configuration`, `trust` (where something of it is
    /// left out), `configFolder`, `logDir`, `runtimeFolder`, `decideBackend`, `reviewBackend` or `agent`.
    pub name: &'static str,
    /// Which one, where there may be several: a session's name, an agent's id.
    pub about: Option<String>,
    /// How it came out.
    pub outcome: Outcome,
    /// What was found.
    pub found: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Check {
    fn new(name: &'static str, outcome: Outcome, found: &str) -> Self {
        Self {
            name,
            about: None,
            outcome,
            found: report::harmless(found),
            hint: None,
        }
    }

    fn good(name: &'static str, found: &str) -> Self {
        Self::new(name, Outcome::Good, found)
    }

    fn warning(name: &'static str, found: &str) -> Self {
        Self::new(name, Outcome::Warning, found)
    }

    /// The configuration or a folder is wrong.
    fn broken(name: &'static str, found: &str) -> Self {
        Self::new(name, Outcome::Bad(Kind::Failed), found)
    }

    /// It hangs on something that failed.
    fn not_examined(name: &'static str, why: &str) -> Self {
        Self::warning(name, &format!("not examined: {why}"))
    }

    /// What a failure says; its kind does not matter here.
    fn failure(name: &'static str, outcome: Outcome, failure: &Failure) -> Self {
        let said = std::iter::once(&failure.message).chain(&failure.causes);
        let said: Vec<&str> = said.map(String::as_str).collect();
        let check = Self::new(name, outcome, &said.join(": "));
        if failure.hints.is_empty() {
            check
        } else {
            check.hint(&failure.hints.join("; "))
        }
    }

    fn about(mut self, which: &str) -> Self {
        self.about = Some(report::harmless(which));
        self
    }

    fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(report::harmless(hint));
        self
    }

    /// Where nothing hangs on it now, what is bad is only worth knowing.
    fn at_most_a_warning(mut self) -> Self {
        if matches!(self.outcome, Outcome::Bad(_)) {
            self.outcome = Outcome::Warning;
        }
        self
    }
}

/// What an examination found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Every check, in the same order every time; agents in that of the configuration.
    pub checks: Vec<Check>,
}

impl Examined {
    /// What sort of failure it is for a script; `None` where nothing is bad. What is wrong on this side (exit
    /// code 1) comes before what is missing outside (3), for it has to be mended first.
    pub fn kind(&self) -> Option<Kind> {
        let bad = |kind| {
            self.checks
                .iter()
                .any(|check| check.outcome == Outcome::Bad(kind))
        };
        [Kind::Failed, Kind::Missing]
            .into_iter()
            .find(|kind| bad(*kind))
    }

    /// The exit code: 0, 1 or 3.
    pub fn exit_code(&self) -> u8 {
        self.kind().map_or(0, Kind::code)
    }

    /// For a person: one aligned line a check, `ok`, `warn` or `FAIL` first, hints below, and a last line
    /// that counts.
    pub fn to_text(&self) -> String {
        report::text(&self.checks)
    }

    /// For a program, in a form that only grows:
    /// `{"version":1,"ok":BOOL,"checks":[{"name","about","outcome","found","hint"}]}`. `ok` is whether nothing
    /// is bad; `outcome` is `good`, `warning` or `bad`; `about` and `hint` may be null; the texts are for
    /// people and may change.
    pub fn to_json(&self) -> String {
        report::json(&self.checks, self.kind().is_none())
    }
}

/// Examines everything.
pub async fn examine(of: Examination) -> Examined {
    let until = Instant::now() + AT_MOST;
    let config = of.config();
    let config = config.as_ref();
    let (seen, kept, asked) = tokio::join!(
        panes::examine(&of, config, until),
        folders::examine(&of, config, until),
        backends::examine(&of, config, until),
    );
    let checks = seen
        .zellij
        .into_iter()
        .chain(trust(&of.held))
        .chain(kept)
        .chain(asked)
        .chain(seen.agents);
    Examined {
        checks: checks.collect(),
    }
}

/// What is left out of a configuration that nobody named.
fn trust(held: &[String]) -> Option<Check> {
    let found = format!("left out until you say yes to it: {}", held.join("; "));
    let check = Check::warning("trust", &found).hint("`/trust` in a run shows it and asks");
    (!held.is_empty()).then_some(check)
}

/// Runs what may hang on a disk on a thread of its own, which the end of the program does not wait for.
/// `None`: it took too long.
async fn aside<T: Send + 'static>(
    until: Instant,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    let work = move || {
        let _ = answer.send(work());
    };
    std::thread::Builder::new()
        .name("doctor".into())
        .spawn(work)
        .ok()?;
    timeout_at(until, answered).await.ok()?.ok()
}

#[cfg(test)]
mod tests;
