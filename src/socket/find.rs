//! Finds the running instance that is meant.

use std::path::PathBuf;

use super::address;
use super::client::{Connection, NoConnection};
use crate::error::{Failure, Kind};

/// Which instance is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The one at this socket.
    pub socket: Option<PathBuf>,
    /// The one with this configuration.
    pub config: Option<PathBuf>,
    /// Of several, the one with this configuration.
    pub rather: Option<PathBuf>,
}

/// Connects to the instance that is meant: the one that is named, or the only one that runs.
///
/// # Errors
/// When it does not run, or several do and it is not clear which is meant.
pub async fn connect(wanted: &Wanted) -> Result<Connection, Failure> {
    if let Some(path) = &wanted.socket {
        return Connection::open(path).await.map_err(|why| why.at(path));
    }
    if let Some(config) = &wanted.config {
        let path = address::of_configuration(config);
        return Connection::open(&path).await.map_err(|why| match why {
            NoConnection::Nobody(_) => {
                let shown = config.display();
                not_running(&format!("no meta-orchestrator runs with {shown}"))
            }
            NoConnection::Unfit(failure) => failure,
        });
    }
    let mut running = Vec::new();
    let mut unfit = None;
    for path in address::all() {
        match Connection::open(&path).await {
            Ok(connection) => running.push(connection),
            // what a dead one left behind
            Err(NoConnection::Nobody(_)) => {}
            Err(NoConnection::Unfit(failure)) => unfit = Some(failure),
        }
    }
    let rather = wanted.rather.as_deref().map(address::of_configuration);
    let rather = running
        .iter()
        .position(|one| Some(one.path()) == rather.as_deref());
    match (running.len(), rather) {
        (0, _) => Err(unfit.unwrap_or_else(|| not_running("no meta-orchestrator is running"))),
        (1, _) => Ok(running.remove(0)),
        (_, Some(at)) => Ok(running.remove(at)),
        (count, None) => Err(several(count, &running)),
    }
}

fn not_running(message: &str) -> Failure {
    Failure::new(Kind::Missing, message)
        .hint("`meta-orchestrator serve` starts one without a terminal")
}

fn several(count: usize, running: &[Connection]) -> Failure {
    let message = format!("{count} instances are running, and it is not clear which is meant");
    let failure = running
        .iter()
        .fold(Failure::usage(message), |failure, one| {
            let hello = one.hello();
            let config = hello.configuration.display();
            failure.because_text(format!("process {} with {config}", hello.pid))
        });
    failure.hint("say which: `--config PATH` or `--socket PATH`")
}
