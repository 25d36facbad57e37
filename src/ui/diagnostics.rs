//! Diagnostics for engineers: into `<logDir>/diag/`, never over the screen.
//!
//! Not the memo log: when the disk is slow, lines may be dropped here. `META_ORCHESTRATOR_LOG` says how much
//! is written (`warn` by default; `debug`, or `meta_orchestrator::http=debug`).

use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::EnvFilter;

use crate::error::{Failure, Kind};
use crate::store;

/// The variable that says how much is written.
pub const VARIABLE: &str = "META_ORCHESTRATOR_LOG";
/// How many daily files are kept.
const DAYS: usize = 14;

/// Begins to write diagnostics below `log_dir`, for as long as what is returned lives.
///
/// # Errors
/// When the folder cannot be made or written to.
pub fn start(log_dir: &Path) -> Result<WorkerGuard, Failure> {
    let folder = log_dir.join("diag");
    store::private_folder(&folder)?;
    let files = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("diag")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(&folder)
        .map_err(|error| {
            Failure::new(
                Kind::Failed,
                format!("could not write to {}", folder.display()),
            )
            .because(&error)
        })?;
    let (writer, guard) = tracing_appender::non_blocking(files);
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new("warn"));
    // a second start in one process (tests) goes on with the first
    let _ = tracing_subscriber::fmt()
        .with_writer(writer)
        .with_ansi(false)
        .with_env_filter(filter)
        .try_init();
    Ok(guard)
}
