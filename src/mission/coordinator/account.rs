//! Writing about the mission: after each end of a task the facts, at its own end a summary too.

use std::sync::Arc;

use super::{Coordinator, Site};
use crate::agent::view::Urgency;
use crate::director::ReviewError;
use crate::error::{Failure, in_full};
use crate::mission::records::Records;
use crate::mission::view::MissionView;

impl Coordinator {
    /// Writes the report and the after-action review from the facts, and begins to have a summary written.
    pub(super) fn account(&mut self) {
        let view = self.current();
        if let Err(failure) = facts(&self.site, &view) {
            self.trouble = Some(format!("the report cannot be written: {failure}"));
            return;
        }
        let site = Arc::clone(&self.site);
        self.summing_up = Some(self.jobs.spawn(summary(site, view)));
    }

    /// Writes both from the facts alone: a milestone.
    pub(super) fn milestone(&mut self) {
        let view = self.current();
        if let Err(failure) = facts(&self.site, &view) {
            self.trouble = Some(format!("the report cannot be written: {failure}"));
        }
    }
}

fn facts(site: &Site, view: &MissionView) -> Result<(), Failure> {
    Records::read(&site.folder, view)?.write(&site.folder, None)
}

/// Has the review backend write a summary; without one, the facts stand alone.
async fn summary(site: Arc<Site>, view: MissionView) {
    let mission = site.names.mission();
    let Ok(records) = Records::read(&site.folder, &view) else {
        return;
    };
    let director = site.supervisor.director();
    let said = match director.summary(&records.for_a_summary()).await {
        Ok(written) => {
            let kept = records.write(&site.folder, Some((&written.text, &written.by)));
            kept.err().map(|failure| failure.to_string())
        }
        Err(ReviewError::NoBackend) => None,
        Err(error) => Some(in_full(&error)),
    };
    if let Some(why) = said {
        let text = format!("{mission}: the report has the facts alone: {why}");
        site.supervisor.announce(Urgency::Info, text);
    }
}
