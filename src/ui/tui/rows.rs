//! Which agents a list shows, in which order, and which of them is highlighted.
//!
//! Pure. The highlight belongs to an agent, not to a row: it follows the agent wherever its row goes.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::app::Answered;
use crate::command::{AgentView, Status};
use crate::ids::AgentId;
use crate::screen::state::State;

/// Agents as a list shows them; shared, so that a frame costs no copy of it.
pub type Rows = Arc<Vec<Arc<AgentView>>>;

/// By what the rows are sorted, below the agents that wait for the person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// As the configuration has them.
    #[default]
    Configured,
    /// By their names.
    Name,
    /// By their status.
    Status,
    /// Those first that have stood still for the longest.
    Rest,
    /// Those first that spent the most today.
    Tokens,
}

impl Sort {
    /// The next one.
    pub const fn next(self) -> Self {
        match self {
            Self::Configured => Self::Name,
            Self::Name => Self::Status,
            Self::Status => Self::Rest,
            Self::Rest => Self::Tokens,
            Self::Tokens => Self::Configured,
        }
    }

    /// The word for it; `None` for the order that needs none.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Configured => None,
            Self::Name => Some("name"),
            Self::Status => Some("status"),
            Self::Rest => Some("rest"),
            Self::Tokens => Some("tokens"),
        }
    }
}

/// Whether the agent waits for the person.
pub fn waits(view: &AgentView) -> bool {
    view.question.is_some() || view.status.needs_person()
}

/// The rows of the table: those that wait first, then by `sort`; only those that hold `filter`.
pub fn table(views: &[Arc<AgentView>], sort: Sort, filter: &str) -> Rows {
    let wanted = filter.trim().to_lowercase();
    let mut rows: Vec<_> = views
        .iter()
        .filter(|view| wanted.is_empty() || holds(view, &wanted))
        .cloned()
        .collect();
    // sorting is stable: what is equal stays as configured
    match sort {
        Sort::Configured => {}
        Sort::Name => rows.sort_by(|a, b| a.id.cmp(&b.id)),
        Sort::Status => rows.sort_by_key(|view| view.status.word()),
        Sort::Rest => rows.sort_by_key(|view| (view.changed_at.is_none(), view.changed_at)),
        Sort::Tokens => rows.sort_by_key(|view| Reverse(view.tokens.used)),
    }
    rows.sort_by_key(|view| !waits(view));
    Arc::new(rows)
}

/// The rows of the inbox: everything that is asked, and what was answered a moment ago; those first that have
/// waited for the longest.
pub fn inbox(views: &[Arc<AgentView>], answered: &BTreeMap<AgentId, Answered>) -> Rows {
    let mut rows: Vec<_> = views
        .iter()
        .filter(|view| waits(view) || view.dialog.is_some() || answered.contains_key(&view.id))
        .cloned()
        .collect();
    rows.sort_by_key(|view| {
        let asked = view.question.as_ref().map(|question| question.since);
        let since = asked.or_else(|| answered.get(&view.id).and_then(|answered| answered.since));
        (since.is_none(), since)
    });
    Arc::new(rows)
}

fn holds(view: &AgentView, wanted: &str) -> bool {
    let state = view.state.map(State::as_str).unwrap_or_default();
    let question = view
        .question
        .as_ref()
        .map_or("", |question| question.text.as_str());
    let texts = [
        view.id.as_str(),
        view.status.word(),
        state,
        &view.goal,
        &view.last_decision,
        question,
        view.kind.as_deref().unwrap_or_default(),
    ];
    texts
        .iter()
        .any(|text| text.to_lowercase().contains(wanted))
        || view.pane.to_string().contains(wanted)
}

/// A mark of one column that says what colours say.
pub fn mark(view: &AgentView, snoozed: bool) -> char {
    match &view.status {
        _ if waits(view) && snoozed => 'z',
        _ if waits(view) => '!',
        Status::Error(_) => 'x',
        Status::Asking(_) => '?',
        Status::Instructed => '>',
        Status::Stopped | Status::Disabled | Status::AllStopped | Status::Held(_) => '=',
        Status::Limit(_) => '%',
        Status::Observing => 'o',
        Status::Running => '*',
        _ => ' ',
    }
}

/// A list in which one agent is highlighted.
#[derive(Debug, Clone, Default)]
pub struct List {
    rows: Rows,
    selected: Option<AgentId>,
    /// Where the highlighted one was when the list was last looked at.
    at: usize,
}

impl List {
    /// Its rows.
    pub const fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The highlighted agent with its row; `None` in an empty list.
    pub fn highlighted(&self) -> Option<(usize, &Arc<AgentView>)> {
        let row = self.rows.get(self.at)?;
        Some((self.at, row))
    }

    /// Takes in other rows. The highlight stays with its agent; where that is gone, at its row.
    pub fn follow(&mut self, rows: Rows) {
        self.rows = rows;
        let place = self
            .selected
            .as_ref()
            .and_then(|id| self.rows.iter().position(|view| view.id == *id));
        let last = self.rows.len().saturating_sub(1);
        self.put(place.unwrap_or(self.at.min(last)));
    }

    /// Moves the highlight by so many rows; up where it is negative.
    pub fn step(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.put(self.at.saturating_add_signed(by).min(last));
    }

    /// Highlights this agent, where it is in the list.
    pub fn select(&mut self, id: &AgentId) {
        if let Some(at) = self.rows.iter().position(|view| view.id == *id) {
            self.put(at);
        }
    }

    fn put(&mut self, at: usize) {
        self.at = at;
        self.selected = self.rows.get(at).map(|view| view.id.clone());
    }
}
