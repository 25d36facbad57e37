//! Shows an agent to those who look at it, and tells those who follow along what is news.

use std::sync::Arc;

use chrono::Utc;
use tokio::task::JoinError;

use super::super::view::{AgentView, Status, Urgency};
use super::Driver;
use crate::record::{self, Happening};

impl Driver {
    /// Shows the agent as it is now, and tells what of it is news.
    pub(super) fn publish(&self) {
        let view = Arc::new(self.machine.view(self.now()));
        let mut before = None;
        self.view.send_if_modified(|published| {
            let is_new = *published != view;
            before = is_new.then(|| std::mem::replace(published, Arc::clone(&view)));
            is_new
        });
        let Some(before) = before else {
            return;
        };
        for what in news(&before, &view) {
            let agent = Some(view.id.clone());
            let event = record::Event::new(Utc::now(), agent, what);
            self.doors.followers.happened(event);
        }
        self.doors.followers.changed();
    }

    /// Says that a bug has ended the agent's task.
    pub(super) fn die(self, bug: &JoinError) {
        let text = format!("a bug ended its supervision: {bug}. Remove and add it again to go on");
        self.tell(Urgency::Person, text.clone());
        let view = AgentView {
            status: Status::Error(text),
            ..self.machine.view(self.now())
        };
        self.view.send_replace(Arc::new(view));
        self.doors.followers.changed();
    }
}

/// What of a view is news to those who follow along.
fn news(before: &AgentView, now: &AgentView) -> Vec<Happening> {
    let mut news = Vec::new();
    if before.status.word() != now.status.word() || before.state != now.state {
        news.push(Happening::Status {
            status: now.status.word().into(),
            state: now.state,
            was: before.status.word().into(),
        });
    }
    let since = |view: &AgentView| view.question.as_ref().map(|question| question.since);
    if since(before) == since(now) {
        return news;
    }
    if let Some(since) = since(before) {
        let waited = (Utc::now() - since).num_seconds();
        news.push(Happening::QuestionClosed {
            waited_sec: u64::try_from(waited).unwrap_or_default(),
        });
    }
    if let Some(question) = now.question.clone() {
        news.push(Happening::Question { question });
    }
    news
}
