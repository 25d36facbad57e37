//! The file in which the person's yes to a configuration is remembered: one line for each configuration.
//!
//! It is in the person's state folder, readable by them alone. It knows the newest yes of each configuration and
//! no older one: going back to what was once trusted is a change like any other. A line that cannot be read is a
//! yes that was not given.

use std::path::Path;

use chrono::Utc;
use serde::{Deserialize, Serialize};

use crate::record::{VERSION, time_text};
use crate::store::{self, Access, StoreError};

/// The largest ledger that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;
/// How many configurations are remembered; the oldest yes is forgotten first.
const MOST: usize = 500;

/// One configuration to which the person has said yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    v: u32,
    ts: String,
    /// The configuration's absolute path, for people; the digest covers it.
    config: String,
    digest: String,
}

fn read(ledger: &Path) -> Result<Vec<Line>, StoreError> {
    let document = store::read_document(ledger, LARGEST)?;
    let text = document.as_ref().map_or("", |document| document.text());
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    Ok(lines.collect())
}

/// Whether the person has said yes to this. A ledger that cannot be read knows nothing.
pub(super) fn knows(ledger: &Path, digest: &str) -> bool {
    read(ledger).is_ok_and(|lines| lines.iter().any(|line| line.digest == digest))
}

/// Remembers the yes to `digest` of the configuration `config`, and no other of it; `None` forgets what there was.
/// Where nothing changes, nothing is written.
///
/// # Errors
/// When the ledger cannot be read or written.
pub(in crate::supervisor) fn keep(
    ledger: &Path,
    config: &Path,
    digest: Option<&str>,
) -> Result<(), StoreError> {
    let config = config.to_string_lossy().into_owned();
    let mut lines = read(ledger)?;
    let of_it = |line: &Line| line.config == config;
    let known = lines.iter().find(|line| of_it(line));
    if known.map(|line| line.digest.as_str()) == digest {
        return Ok(());
    }
    lines.retain(|line| !of_it(line));
    lines.extend(digest.map(|digest| Line {
        v: VERSION,
        ts: time_text(Utc::now()),
        config,
        digest: digest.to_owned(),
    }));
    lines.drain(..lines.len().saturating_sub(MOST));
    if let Some(folder) = ledger.parent() {
        store::private_folder(folder)?;
    }
    let lines = lines
        .iter()
        .filter_map(|line| serde_json::to_string(line).ok());
    let text: String = lines.map(|line| line + "\n").collect();
    store::write_text(ledger, &text, Access::OwnerOnly)
}
