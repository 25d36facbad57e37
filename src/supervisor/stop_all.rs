//! `/stopall` and `/startall`: all typing stopped at once, everywhere, until it is let go on; also over restarts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::post::Post;
use super::{Supervisor, blocking};
use crate::error::{Failure, in_full};
use crate::record::{VERSION, time_text};
use crate::store::{self, Access};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 * 1024;
/// How long the agents may take to take it in; none types on meanwhile.
const HEEDED: Duration = Duration::from_secs(1);

/// What stands in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    v: u32,
    all_stopped: bool,
    since: String,
}

fn path(folder: &Path) -> PathBuf {
    folder.join("all-stopped.json")
}

/// What to tell the person where an earlier run left all typing stopped, or may have: a file that cannot be read
/// counts as a stop.
pub(super) fn left(folder: &Path) -> Option<String> {
    let path = path(folder);
    let doubtful = |why: String| {
        Some(format!(
            "all typing is stopped, because it is not known whether it was: {} {why}. `/startall` lets it go on",
            path.display()
        ))
    };
    let document = match store::read_document(&path, LARGEST) {
        Ok(None) => return None,
        Ok(Some(document)) => document,
        Err(error) => return doubtful(format!("cannot be read ({})", in_full(&error))),
    };
    match serde_json::from_str::<Written>(document.text()) {
        Ok(written) if written.all_stopped => Some(format!(
            "all typing is still stopped, since {}; `/startall` lets it go on",
            shown(&written.since)
        )),
        Ok(_) => None,
        Err(error) => doubtful(format!("does not say so ({error})")),
    }
}

/// The time in a file that anybody may have written.
fn shown(since: &str) -> String {
    let since: Option<DateTime<Utc>> = since.parse().ok();
    since.map_or_else(|| "an earlier run".into(), time_text)
}

impl Supervisor {
    /// Stops all typing, to every agent; what is being typed ends before its next key. Holds over restarts.
    ///
    /// # Errors
    /// When a restart will not know of it: typing is stopped all the same.
    pub async fn stop_all(&self) -> Result<String, Failure> {
        // first of all, whatever else is under way
        self.inner.all_stopped.send_replace(true);
        self.inner.followers.changed();
        let mut taken_in = JoinSet::new();
        for handle in self.posts().iter().filter_map(Post::handle) {
            taken_in.spawn(async move { handle.explain().await.is_ok() });
        }
        let _ = timeout(HEEDED, taken_in.join_all()).await;
        let _one = self.inner.stop_file.lock().await;
        // a `/startall` that was under way came first
        self.inner.all_stopped.send_replace(true);
        self.write(true).await.map_err(|failure| {
            Failure::new(
                failure.kind,
                "all typing is stopped, but the next start will not know of it",
            )
            .because(&failure)
        })?;
        Ok("all typing is stopped, and stays so over a restart; `/startall` lets it go on".into())
    }

    /// Lets typing go on.
    ///
    /// # Errors
    /// When it cannot be written down: typing stays stopped.
    pub async fn start_all(&self) -> Result<String, Failure> {
        let _one = self.inner.stop_file.lock().await;
        if !*self.inner.all_stopped.borrow() {
            return Ok("typing was not stopped".into());
        }
        self.write(false).await.map_err(|failure| {
            Failure::new(failure.kind, "all typing stays stopped").because(&failure)
        })?;
        self.inner.all_stopped.send_replace(false);
        self.inner.followers.changed();
        Ok("typing goes on".into())
    }

    async fn write(&self, all_stopped: bool) -> Result<(), Failure> {
        let written = Written {
            v: VERSION,
            all_stopped,
            since: time_text(Utc::now()),
        };
        let (path, text) = (path(&self.inner.log_dir), text(&written));
        blocking(move || store::write_text(&path, &text, Access::OwnerOnly)).await??;
        Ok(())
    }
}

fn text(written: &Written) -> String {
    let mut text = serde_json::to_string(written).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_known_again_and_a_file_that_says_nothing_counts_as_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(left(folder.path()), None, "there is no file");
        let written = |all_stopped| {
            text(&Written {
                v: 1,
                all_stopped,
                since: "2026-11-03T14:00:00.000Z".into(),
            })
        };
        for (text, stopped) in [
            (written(false), None),
            (written(true), Some("since 2026-11-03T14:00:00.000Z")),
            (
                r#"{"v":1,"allStopped":true,"since":"\u001b[2J"}"#.into(),
                Some("since an earlier run"),
            ),
            (String::new(), Some("does not say so")),
            ("{}".into(), Some("does not say so")),
            (r#"{"allStopped":"no"}"#.into(), Some("does not say so")),
            (" ".repeat(70_000), Some("cannot be read")),
        ] {
            std::fs::write(path(folder.path()), &text).unwrap();
            let said = left(folder.path());
            match (stopped, said) {
                (None, None) => {}
                (Some(part), Some(said)) => {
                    assert!(
                        said.contains(part) && said.contains("`/startall`"),
                        "{said}"
                    );
                }
                (wanted, said) => panic!("{wanted:?}, not {said:?}, of {text:.80}"),
            }
        }
        std::fs::remove_file(path(folder.path())).unwrap();
        std::fs::create_dir_all(path(folder.path())).unwrap();
        assert!(left(folder.path()).is_some(), "a folder stands there");
    }
}
