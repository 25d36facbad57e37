//! What is on this machine and its disks: facts about processes, the configuration's file, the folders.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::time::Instant;

use super::{Check, Examination, aside};
use crate::config::Config;
use crate::error::{Failure, Kind};
use crate::host::process;
use crate::store::FolderProbe;

/// The example that is shipped, and shows the form.
const EXAMPLE: &str = "config/meta_orchestrator.config.example.json";

pub(super) async fn examine(
    of: &Examination,
    config: Option<&Config>,
    until: Instant,
) -> Vec<Check> {
    let path = absolute(&of.config_path);
    let log_dir = config.map(|config| of.log_dir.as_ref().unwrap_or(&config.log_dir));
    let log_dir = log_dir.or(of.log_dir.as_ref());
    let logs = async {
        let Some(folder) = log_dir else {
            return Check::not_examined("logDir", "the configuration is wrong");
        };
        let checked = tried("logDir", folder, false, until).await;
        checked.unwrap_or_else(|check| {
            let named = check.hint.as_deref().map(|hint| format!("{hint}; "));
            let hint = "or name another folder in `logDir` or with `--log-dir`";
            let hint = format!("{}{hint}", named.unwrap_or_default());
            let hint = hint.strip_prefix("or ").unwrap_or(&hint).to_owned();
            check.hint(&hint)
        })
    };
    let locks = async {
        let checked = tried("runtimeFolder", &of.runtime_folder, true, until).await;
        checked.unwrap_or_else(|check| match check.hint {
            Some(_) => check,
            None => check.hint("set XDG_RUNTIME_DIR to a folder of your own"),
        })
    };
    let (beside, logs, locks) = tokio::join!(beside_the_configuration(&path, until), logs, locks);
    let checks = [
        Some(processes(!process::all().is_empty())),
        Some(configuration(of, &path)),
        beside,
        Some(logs),
        Some(locks),
    ];
    checks.into_iter().flatten().collect()
}

/// What is known of the programs in front of panes.
pub(super) fn processes(told: bool) -> Check {
    if told {
        Check::good(
            "processes",
            "the system tells which process is in front of a pane",
        )
    } else {
        Check::warning(
            "processes",
            "this system does not tell which process is in front of a pane: unknown, commands are compared instead",
        )
        .hint("a program that was ended and started again as the same command is taken for the same one")
    }
}

fn configuration(of: &Examination, path: &Path) -> Check {
    const NAME: &str = "configuration";
    let shown = path.display();
    match &of.config {
        Err(failure) => Check::failure(NAME, super::Outcome::Bad(Kind::Failed), failure),
        Ok(None) => Check::warning(
            NAME,
            &format!("{shown} does not exist: defaults are used, and there are no agents"),
        )
        .hint(&format!(
            "write one with `/add` and `/save`, or copy {EXAMPLE} there"
        )),
        Ok(Some(config)) if config.holds_key() && others_may_read(path) => Check::warning(
            NAME,
            &format!("{shown} holds a key, and others may read it"),
        )
        .hint(&format!(
            "`chmod 600 '{shown}'`, or name the variable that holds the key in `apiKeyEnv`"
        )),
        Ok(Some(config)) => Check::good(NAME, &format!("{shown}: {}", agents(config))),
    }
}

fn agents(config: &Config) -> String {
    let all = config.agents.len();
    let disabled = config.agents.iter().filter(|agent| !agent.enabled).count();
    let all = match all {
        0 => return "no agents yet".to_owned(),
        1 => "1 agent".to_owned(),
        many => format!("{many} agents"),
    };
    match disabled {
        0 => all,
        some => format!("{all}, {some} of them disabled"),
    }
}

fn others_may_read(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.mode() & 0o077 != 0)
}

/// Whether `/save` can replace the configuration; nothing where its folder is not there yet.
async fn beside_the_configuration(path: &Path, until: Instant) -> Option<Check> {
    let folder = path.parent()?;
    if !folder.is_dir() {
        return None;
    }
    let checked = tried("configFolder", folder, false, until).await;
    Some(checked.unwrap_or_else(|check| {
        check
            .at_most_a_warning()
            .hint("`/save` cannot replace the configuration there; `/save PATH` writes elsewhere")
    }))
}

/// Tries a folder by writing there, and by locking where `locks` are kept there. The error is the check of a
/// folder that is no good.
async fn tried(
    name: &'static str,
    folder: &Path,
    locks: bool,
    until: Instant,
) -> Result<Check, Check> {
    let folder = absolute(folder);
    let shown = folder.display().to_string();
    let work = move || -> Result<bool, Failure> {
        let probe = FolderProbe::of(&folder)?;
        probe.write()?;
        if locks {
            probe.lock()?;
        }
        Ok(probe.was_missing())
    };
    match aside(until, work).await {
        Some(Ok(false)) => Ok(Check::good(name, &format!("{shown} can be written to"))),
        Some(Ok(true)) => Ok(Check::good(
            name,
            &format!("{shown} does not exist yet, and can be made and written to"),
        )),
        Some(Err(failure)) => Err(Check::failure(
            name,
            super::Outcome::Bad(Kind::Failed),
            &failure,
        )),
        None => Err(
            Check::broken(name, &format!("the disk of {shown} did not react in time"))
                .hint("see whether a network disk is out of reach (`mount`, `df`)"),
        ),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
