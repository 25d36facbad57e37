//! Where a mission is on the disk: its plan, its journal, its receipts, what was reported and written about it.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::journal::{Entry, What};
use super::plan::{self, Plan};
use super::receipt::Receipt;
use crate::error::{Failure, Kind};
use crate::ids::{MissionId, TaskId};
use crate::store::log::{Line, LogWriter, read_back, read_forward};
use crate::store::{self, Access, StoreError};

/// The longest report of a worker that is kept, in bytes.
pub const LONGEST_REPORT: u64 = 64 * 1024;

/// The folder of one mission in the folder of the logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder of `mission` below the folder of the logs.
    pub fn new(logs: &Path, mission: &MissionId) -> Self {
        Self {
            path: missions(logs).join(mission.as_str()),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The plan that the person said yes to.
    pub fn plan(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The receipts of all runs of criteria.
    pub fn receipts(&self) -> PathBuf {
        self.path.join("receipts.jsonl")
    }

    /// What the workers have spent.
    pub fn spent(&self) -> PathBuf {
        self.path.join("spent.json")
    }

    /// What the worker of a task answered to the brief of this number.
    pub fn report(&self, task: &TaskId, number: u32) -> PathBuf {
        self.path
            .join("reports")
            .join(format!("{task}-{number}.md"))
    }

    /// The report on the mission.
    pub fn account(&self) -> PathBuf {
        self.path.join("report.md")
    }

    /// The after-action review.
    pub fn after_action(&self) -> PathBuf {
        self.path.join("after-action.md")
    }

    /// Whether there is such a mission.
    pub fn exists(&self) -> bool {
        self.journal().exists()
    }

    /// Makes it, and keeps the plan there.
    ///
    /// # Errors
    /// When it cannot be made, or the plan not be written.
    pub fn make(&self, plan: &Plan) -> Result<(), Failure> {
        store::private_folder(&self.path)?;
        store::private_folder(&self.path.join("reports"))?;
        let text = serde_json::to_string_pretty(plan)
            .map_err(|error| Failure::from_error(Kind::Bug, &error))?;
        store::write_text(&self.plan(), &text, Access::OwnerOnly)?;
        Ok(())
    }

    /// The plan, and every line of the journal that can be read.
    ///
    /// # Errors
    /// When there is no such mission, or its plan or journal cannot be read.
    pub fn read(&self) -> Result<(Plan, Vec<Entry>), Failure> {
        let plan = read_plan(&self.plan(), Kind::Failed)?.ok_or_else(|| {
            Failure::usage(format!("there is no mission in {}", self.path.display()))
                .hint("`/mission` lists the missions that there are")
        })?;
        Ok((plan, lines(&self.journal())?))
    }

    /// Whether the last line of the journal says that it is finished; nothing else is read.
    pub fn is_finished(&self) -> bool {
        let last = read_back(&self.journal()).into_iter().flatten();
        let last = last.map_while(Result::ok).find_map(|line| match line {
            Line::Whole(text) => serde_json::from_str::<Entry>(&text).ok(),
            Line::Foreign(_) => None,
        });
        last.is_some_and(|entry| matches!(entry.what, What::Finished { .. }))
    }

    /// Every receipt that can be read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_receipts(&self) -> Result<Vec<Receipt>, StoreError> {
        lines(&self.receipts())
    }

    /// What the worker of a task answered to the brief of this number, where it did.
    pub fn read_report(&self, task: &TaskId, number: u32) -> Option<String> {
        let path = self.report(task, number);
        let document = store::read_document(&path, LONGEST_REPORT).ok()??;
        Some(document.text().to_owned())
    }

    /// The report and the after-action review, as they were written last.
    pub fn read_account(&self) -> Option<String> {
        let read = |path: PathBuf| {
            let document = store::read_document(&path, plan::LARGEST).ok()??;
            Some(document.text().to_owned())
        };
        let review = read(self.after_action()).unwrap_or_default();
        Some(format!("{}\n{review}", read(self.account())?))
    }

    /// Adds a line to the journal, or a receipt; it is on its way to the disk when this returns.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn append<T: Serialize + Sync>(
        writer: &LogWriter,
        path: &Path,
        line: &T,
    ) -> Result<(), StoreError> {
        // whatever is written here has a form in JSON
        let line = serde_json::to_string(line).unwrap_or_default();
        writer.append(path, line).await
    }
}

/// The plan in a file; `None`: there is no such file. What is no plan is a failure of the kind `wrong`.
///
/// # Errors
/// When the file cannot be read, or is no plan.
pub fn read_plan(path: &Path, wrong: Kind) -> Result<Option<Plan>, Failure> {
    let Some(document) = store::read_document(path, plan::LARGEST)? else {
        return Ok(None);
    };
    let plan = Plan::read(document.text()).map_err(|error| {
        Failure::new(wrong, format!("{} is no plan", path.display()))
            .because(&error)
            .hint(error.hint)
    })?;
    Ok(Some(plan))
}

/// The folder of all missions.
fn missions(logs: &Path) -> PathBuf {
    logs.join("missions")
}

/// The missions that there are, by their names.
///
/// # Errors
/// When the folder cannot be read.
pub fn all(logs: &Path) -> Result<Vec<MissionId>, StoreError> {
    let names = store::names_in(&missions(logs))?.unwrap_or_default();
    let mut ids: Vec<MissionId> = names.iter().filter_map(|name| name.parse().ok()).collect();
    ids.retain(|id| Folder::new(logs, id).exists());
    ids.sort_unstable();
    Ok(ids)
}

fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, StoreError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut read = Vec::new();
    for line in read_forward(path)? {
        if let Line::Whole(text) = line?
            && let Ok(value) = serde_json::from_str(&text)
        {
            read.push(value);
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_mission_is_finished_when_the_last_line_that_can_be_read_says_so() {
        let logs = tempfile::tempdir().unwrap();
        let folder = Folder::new(logs.path(), &"notes".parse().unwrap());
        assert!(!folder.is_finished(), "there is none");
        store::private_folder(folder.path()).unwrap();
        let line = |what| {
            let entry = Entry::new(DateTime::UNIX_EPOCH, what);
            serde_json::to_string(&entry).unwrap() + "\n"
        };
        let finished = line(What::Finished { commit: None });
        for (journal, expected) in [
            (String::new(), false),
            (line(What::Paused), false),
            (line(What::Over) + &finished, true),
            (line(What::Over) + &finished + "{\"v\":1,\"ts", true),
            (finished.clone() + "no line of a journal\n", true),
            (finished.clone() + &line(What::Paused), false),
        ] {
            store::write_text(&folder.journal(), &journal, Access::OwnerOnly).unwrap();
            assert_eq!(folder.is_finished(), expected, "{journal}");
        }
    }
}
