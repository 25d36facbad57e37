//! What the supervisor says: to the person, to those who follow along, and to the roster's log.

use std::time::Duration;

use chrono::Utc;
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;

use super::{Post, State, Supervisor, absolute, resume};
use crate::agent::follow::Followers;
use crate::agent::view::{Notice, Urgency};
use crate::error::in_full;
use crate::ids::AgentId;
use crate::record::{Event, Happening, RosterChange, RosterLine, VERSION, logs};

/// How long a line of the roster's log may take.
const RECORD: Duration = Duration::from_secs(2);

impl Supervisor {
    /// Says something about no agent, on behalf of what works beside the supervisor.
    pub fn announce(&self, urgency: Urgency, text: impl Into<String>) {
        self.say(None, urgency, text);
    }

    pub(super) fn say(&self, agent: Option<&AgentId>, urgency: Urgency, text: impl Into<String>) {
        let notice = Notice {
            ts: Utc::now(),
            agent: agent.cloned(),
            urgency,
            text: text.into(),
        };
        hand_on(notice, &self.inner.notices, &self.inner.followers);
    }

    /// Lets those who follow along know of something that happened beside the agents.
    pub fn tell_followers(&self, event: Event) {
        self.inner.followers.happened(event);
    }

    /// Wakes those who show what there is: something of it changed.
    pub fn changed(&self) {
        self.inner.followers.changed();
    }

    /// Lets those who follow along know that the bell rang.
    pub fn rang(&self, title: String, body: String) {
        let what = Happening::Ring { title, body };
        let followers = &self.inner.followers;
        followers.happened(Event::new(Utc::now(), None, what));
    }

    /// Appends to the roster's log; a failure is said, and costs only what `--resume` would bring back.
    pub(super) async fn record(&self, state: &State, mut change: RosterChange) {
        let entries = match &mut change {
            RosterChange::Standing { agents, .. } => agents.as_mut_slice(),
            RosterChange::Entry { entry, .. } => std::slice::from_mut(entry.as_mut()),
            RosterChange::Removed { .. } => &mut [],
        };
        for entry in entries {
            entry.in_file = state.saved.agent(&entry.agent.id).is_some();
        }
        let (about, why) = match &change {
            RosterChange::Standing { .. } => (None, "loaded".to_owned()),
            RosterChange::Entry { why, entry } => (Some(entry.agent.id.clone()), why.clone()),
            RosterChange::Removed { id } => (Some(id.clone()), "removed".to_owned()),
        };
        let what = Happening::Roster { why };
        self.inner
            .followers
            .happened(Event::new(Utc::now(), about, what));
        self.inner.followers.changed();
        if let RosterChange::Entry { entry, .. } = &change
            && self.with(&entry.agent.id, Post::is_worker) == Ok(true)
        {
            // the mission knows its workers, and brings them back itself
            return;
        }
        let line = RosterLine {
            v: VERSION,
            ts: Utc::now(),
            config: absolute(&state.path),
            file: Some(resume::digest(state.document.as_ref())),
            change,
        };
        let path = logs::roster_path(&self.inner.log_dir);
        let written = self.inner.writer.append(&path, logs::roster_line(&line));
        let why = match timeout(RECORD, written).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => in_full(&error),
            Err(_) => "the disk does not answer".to_owned(),
        };
        self.say(
            None,
            Urgency::Warning,
            format!("`--resume` may not know of this: {why}"),
        );
    }
}

/// Hands on what agents say; ends with the last of them.
pub(super) async fn pass_on(
    mut said: mpsc::Receiver<Notice>,
    notices: broadcast::Sender<Notice>,
    followers: Followers,
) {
    while let Some(notice) = said.recv().await {
        hand_on(notice, &notices, &followers);
    }
}

fn hand_on(notice: Notice, notices: &broadcast::Sender<Notice>, followers: &Followers) {
    let what = Happening::Notice {
        urgency: notice.urgency.as_str().into(),
        text: notice.text.clone(),
    };
    followers.happened(Event::new(notice.ts, notice.agent.clone(), what));
    // nobody may be listening
    let _ = notices.send(notice);
}
