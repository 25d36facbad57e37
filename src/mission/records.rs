//! All that is on record of a mission, read for whoever writes about it.

use chrono::Utc;

use super::account::{self, Account, Summary};
use super::folder::Folder;
use super::journal::Entry;
use super::plan::Plan;
use super::receipt::Receipt;
use super::view::MissionView;
use crate::error::Failure;
use crate::ids::TaskId;
use crate::store::{self, Access};

/// The records of one mission, as they were when they were read.
#[derive(Debug, Clone)]
pub struct Records {
    view: MissionView,
    plan: Plan,
    journal: Vec<Entry>,
    receipts: Vec<Receipt>,
    reports: Vec<(TaskId, String)>,
}

impl Records {
    /// Reads them; `view` is the mission as it is now.
    ///
    /// # Errors
    /// When the plan, the journal or the receipts cannot be read.
    pub fn read(folder: &Folder, view: &MissionView) -> Result<Self, Failure> {
        let (plan, journal) = folder.read()?;
        let newest = |slug: &TaskId| {
            let numbers = journal
                .iter()
                .rev()
                .find_map(|entry| entry.reported(slug))?;
            Some((slug.clone(), folder.read_report(slug, numbers)?))
        };
        let reports = view.tasks.iter().filter_map(|task| newest(&task.slug));
        Ok(Self {
            reports: reports.collect(),
            view: view.clone(),
            receipts: folder.read_receipts()?,
            plan,
            journal,
        })
    }

    fn account(&self) -> Account<'_> {
        Account {
            view: &self.view,
            plan: &self.plan,
            journal: &self.journal,
            receipts: &self.receipts,
            reports: &self.reports,
            now: Utc::now(),
        }
    }

    /// What a summary is written from.
    pub fn for_a_summary(&self) -> String {
        account::for_a_summary(&self.account())
    }

    /// What a question is answered from.
    pub fn for_a_question(&self) -> String {
        account::for_a_question(&self.account())
    }

    /// The report and the after-action review, as they stand.
    pub fn report(&self) -> String {
        let account = self.account();
        let report = account::report(&account, None);
        format!("{report}\n{}", account::after_action(&account))
    }

    /// Writes both into the mission's folder; the report with a summary, where there is one: its text and its author.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, folder: &Folder, summary: Option<(&str, &str)>) -> Result<(), Failure> {
        let account = self.account();
        let summary = summary.map(|(text, by)| Summary { text, by });
        let report = account::report(&account, summary);
        store::write_text(&folder.account(), &report, Access::OwnerOnly)?;
        let review = account::after_action(&account);
        store::write_text(&folder.after_action(), &review, Access::OwnerOnly)?;
        Ok(())
    }
}
