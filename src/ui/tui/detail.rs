//! One agent in detail: what is known of it, and how far that is scrolled.
//!
//! Everything comes as values, from whoever asked for it; [`on_key`] and [`on_mouse`] say what is wanted next.
//! Only reading is done here: no key of this view acts on an agent. [`view::detail`](super::view::detail) draws
//! it.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ratatui::layout::{Position, Rect};

use super::input::{Key, KeyCode, Mouse, MouseAction};
use super::pane::Pane;
use super::scroll::Scroll;
use crate::agent::machine::Explanation;
use crate::command::{AgentView, PaneShot};
use crate::error::Failure;
use crate::ids::AgentId;
use crate::record::{DecisionLine, Memo, Review};

/// Rows that a turn of the wheel moves.
const WHEEL: isize = 3;
/// Columns that a key moves sideways.
const SIDEWAYS: isize = 8;

/// A part of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    /// The agent's pane.
    Pane,
    /// What it did and was told.
    Timeline,
    /// What it is doing, and how that is known.
    State,
    /// What the heavy model said of it.
    Reviews,
}

impl Panel {
    /// All of them, in the order of Tab.
    pub const ALL: [Self; 4] = [Self::Pane, Self::Timeline, Self::State, Self::Reviews];

    fn beside(self, steps: usize) -> Self {
        let at = Self::ALL.iter().position(|&panel| panel == self);
        Self::ALL[(at.unwrap_or_default() + steps) % Self::ALL.len()]
    }
}

/// What a key asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Nothing: what is shown has changed.
    Redraw,
    /// Back to where the view was opened from.
    Close,
    /// The whole decision of a memo, by its id: `/decision ID MEMO`, whose steps [`Detail::take_decision`] takes.
    Decision(String),
}

/// Everything that is known of one agent.
#[derive(Debug, Clone)]
pub struct Detail {
    /// Which agent.
    pub id: AgentId,
    /// As it is published.
    pub view: Option<Arc<AgentView>>,
    /// What its pane shows.
    pub pane: Pane,
    /// When its pane showed that.
    pub pane_at: Option<DateTime<Utc>>,
    /// The columns and rows of its pane.
    pub pane_size: (u32, u32),
    /// Why its pane could not be read the last time.
    pub pane_failed: Option<String>,
    /// What is known of its state.
    pub explanation: Option<Box<Explanation>>,
    /// Its memos, the newest first.
    pub memos: Vec<Memo>,
    /// Lines of its log that could not be read.
    pub skipped: u64,
    /// Its reviews, the newest first.
    pub reviews: Vec<Review>,
    /// The decision that is looked at.
    pub decision: Option<Decision>,
    /// The panel that keys move in.
    pub focus: Panel,
    /// How far the panels but the pane are scrolled.
    pub(super) timeline: Scroll,
    pub(super) state: Scroll,
    pub(super) reading: Scroll,
    /// The memo that is highlighted; `None`: the newest, whichever that is.
    highlighted: Option<(String, DateTime<Utc>)>,
    pub(super) drawn: Drawn,
}

/// A whole decision.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    /// Its id.
    pub id: String,
    /// Its steps; `None` while they are being fetched.
    pub steps: Option<Vec<DecisionLine>>,
    /// Why they could not be.
    pub failed: Option<String>,
    pub(super) scroll: Scroll,
}

/// Where things stood when the view was drawn last.
#[derive(Debug, Clone, Default)]
pub(super) struct Drawn {
    /// The panels, by their area.
    pub panels: RefCell<Vec<(Panel, Rect)>>,
    /// Whether the window of the pane shows less than its columns: on the left, on the right.
    pub sideways: Cell<(bool, bool)>,
    /// The rows of each memo in the timeline.
    pub memos: RefCell<Vec<Range<usize>>>,
    /// The first row of the highlighted one.
    pub anchor: Cell<Option<usize>>,
}

impl Detail {
    /// A view of which nothing is known yet.
    pub fn of(id: AgentId) -> Self {
        Self {
            id,
            view: None,
            pane: Pane::default(),
            pane_at: None,
            pane_size: (0, 0),
            pane_failed: None,
            explanation: None,
            memos: Vec::new(),
            skipped: 0,
            reviews: Vec::new(),
            decision: None,
            focus: Panel::Pane,
            timeline: Scroll::to_start(),
            state: Scroll::to_start(),
            reading: Scroll::to_start(),
            highlighted: None,
            drawn: Drawn::default(),
        }
    }

    /// Takes in what its pane shows; without `colours`, in black and white.
    pub fn take_screen(&mut self, shot: Result<&PaneShot, &Failure>, colours: bool) {
        match shot {
            Ok(shot) => {
                self.pane.read(&shot.styled, colours);
                self.pane_at = Some(shot.at);
                self.pane_size = (shot.columns, shot.rows);
                self.pane_failed = None;
            }
            Err(failure) => self.pane_failed = Some(failure.to_string()),
        }
    }

    /// Takes in its newest memos, the oldest of them first. The one that is highlighted stays so.
    pub fn take_memos(&mut self, mut memos: Vec<Memo>, skipped: u64) {
        memos.reverse();
        (self.memos, self.skipped) = (memos, skipped);
        if self.highlighted_at() == 0 {
            // it is the newest, or too old to be among them
            self.highlighted = None;
        }
    }

    /// Takes in its newest reviews, the oldest of them first.
    pub fn take_reviews(&mut self, mut reviews: Vec<Review>) {
        reviews.reverse();
        self.reviews = reviews;
    }

    /// Takes in the steps of the decision that is looked at.
    pub fn take_decision(&mut self, steps: Result<Vec<DecisionLine>, &Failure>) {
        if let Some(decision) = &mut self.decision {
            match steps {
                Ok(steps) => decision.steps = Some(steps),
                Err(failure) => decision.failed = Some(failure.to_string()),
            }
        }
    }

    /// The place of the highlighted memo among [`Detail::memos`]; 0 where there is none.
    pub fn highlighted_at(&self) -> usize {
        let found = self.highlighted.as_ref().and_then(|(id, ts)| {
            let mut memos = self.memos.iter();
            memos.position(|memo| memo.id == *id && memo.ts == *ts)
        });
        found.unwrap_or_default()
    }

    /// Highlights a memo by its place, and gives the rows on which it was drawn.
    fn highlight(&mut self, at: usize) -> Option<Range<usize>> {
        let at = at.min(self.memos.len().saturating_sub(1));
        let memo = self.memos.get(at).filter(|_| at > 0);
        self.highlighted = memo.map(|memo| (memo.id.clone(), memo.ts));
        let rows = self.drawn.memos.borrow().get(at).cloned();
        self.drawn.anchor.set(rows.as_ref().map(|rows| rows.start));
        rows
    }

    fn go_to_memo(&mut self, at: usize) {
        if let Some(rows) = self.highlight(at) {
            self.timeline.show(rows);
        }
    }

    /// Moves by a memo, or by a row within one that is longer than its window.
    fn step_in_timeline(&mut self, down: bool) {
        let at = self.highlighted_at();
        let rows = self.drawn.memos.borrow().get(at).cloned();
        let (top, bottom) = (self.timeline.top(), self.timeline.bottom());
        match rows {
            Some(rows) if down && rows.end > bottom => self.timeline.by(1),
            Some(rows) if !down && rows.start < top => self.timeline.by(-1),
            _ if down => self.go_to_memo(at + 1),
            _ => self.go_to_memo(at.saturating_sub(1)),
        }
    }

    fn page_in_timeline(&mut self, pages: isize) {
        self.timeline.by_pages(pages);
        let top = self.timeline.top();
        let rows = self.drawn.memos.borrow();
        let first = rows.iter().position(|rows| rows.end > top);
        drop(rows);
        self.highlight(first.unwrap_or_default());
    }

    fn scroll_of(&mut self, panel: Panel) -> &mut Scroll {
        if let Some(decision) = &mut self.decision {
            return &mut decision.scroll;
        }
        match panel {
            Panel::Pane => &mut self.pane.scroll,
            Panel::Timeline => &mut self.timeline,
            Panel::State => &mut self.state,
            Panel::Reviews => &mut self.reading,
        }
    }
}

/// What a key means here; `None`: nothing, it is somebody else's.
pub fn on_key(detail: &mut Detail, key: Key) -> Option<Intent> {
    let in_timeline = detail.focus == Panel::Timeline && detail.decision.is_none();
    let focus = detail.focus;
    let (left, right) = detail.drawn.sideways.get();
    let in_pane = focus == Panel::Pane && detail.decision.is_none();
    match key.code {
        KeyCode::Esc | KeyCode::Backspace if detail.decision.is_some() => detail.decision = None,
        KeyCode::Char('h') | KeyCode::Left if key.is_bare() && detail.decision.is_some() => {
            detail.decision = None;
        }
        KeyCode::Esc | KeyCode::Backspace => return Some(Intent::Close),
        KeyCode::Tab if detail.decision.is_none() => detail.focus = focus.beside(1),
        KeyCode::BackTab if detail.decision.is_none() => {
            detail.focus = focus.beside(Panel::ALL.len() - 1);
        }
        KeyCode::Enter if in_timeline => {
            let memo = detail.memos.get(detail.highlighted_at())?;
            let id = memo.id.clone();
            // the original wrote none
            let failed = id
                .is_empty()
                .then(|| "its log has no more than this".into());
            detail.decision = Some(Decision {
                id: id.clone(),
                failed,
                ..Decision::default()
            });
            return Some(if id.is_empty() {
                Intent::Redraw
            } else {
                Intent::Decision(id)
            });
        }
        KeyCode::Left if in_pane && left => detail.pane.pan(-SIDEWAYS),
        KeyCode::Right if in_pane && right => detail.pane.pan(SIDEWAYS),
        KeyCode::Char('h') if key.is_bare() && in_pane && left => detail.pane.pan(-SIDEWAYS),
        KeyCode::Char('l') if key.is_bare() && in_pane && right => detail.pane.pan(SIDEWAYS),
        _ => return moved(detail, key, in_timeline),
    }
    Some(Intent::Redraw)
}

/// The keys that move up and down.
fn moved(detail: &mut Detail, key: Key, in_timeline: bool) -> Option<Intent> {
    let pages = match (key.code, key.ctrl) {
        (KeyCode::PageDown, _) | (KeyCode::Char('d' | 'f'), true) => 1,
        (KeyCode::PageUp, _) | (KeyCode::Char('u' | 'b'), true) => -1,
        _ => 0,
    };
    let focus = detail.focus;
    match key.code {
        _ if pages != 0 && in_timeline => detail.page_in_timeline(pages),
        _ if pages != 0 => detail.scroll_of(focus).by_pages(pages),
        _ if key.ctrl || key.alt => return None,
        KeyCode::Char('j') | KeyCode::Down if in_timeline => detail.step_in_timeline(true),
        KeyCode::Char('k') | KeyCode::Up if in_timeline => detail.step_in_timeline(false),
        KeyCode::Char('g') | KeyCode::Home if in_timeline => detail.go_to_memo(0),
        KeyCode::Char('G') | KeyCode::End if in_timeline => detail.go_to_memo(usize::MAX),
        KeyCode::Char('j') | KeyCode::Down => detail.scroll_of(focus).by(1),
        KeyCode::Char('k') | KeyCode::Up => detail.scroll_of(focus).by(-1),
        KeyCode::Char('g') | KeyCode::Home => detail.scroll_of(focus).start(),
        KeyCode::Char('G') | KeyCode::End => detail.scroll_of(focus).end(),
        _ => return None,
    }
    Some(Intent::Redraw)
}

/// What the mouse means here; `None`: nothing.
pub fn on_mouse(detail: &mut Detail, mouse: Mouse) -> Option<Intent> {
    let at = Position::new(mouse.column, mouse.row);
    let found = {
        let panels = detail.drawn.panels.borrow();
        panels.iter().find(|(_, area)| area.contains(at)).copied()
    };
    let (panel, area) = found?;
    match mouse.what {
        MouseAction::WheelUp => detail.scroll_of(panel).by(-WHEEL),
        MouseAction::WheelDown => detail.scroll_of(panel).by(WHEEL),
        MouseAction::Click => {
            detail.focus = panel;
            if panel == Panel::Timeline && detail.decision.is_none() && mouse.row > area.top() {
                let row = detail.timeline.top() + usize::from(mouse.row - area.top() - 1);
                let rows = detail.drawn.memos.borrow();
                let memo = rows.iter().position(|rows| rows.contains(&row));
                drop(rows);
                if let Some(memo) = memo {
                    detail.go_to_memo(memo);
                }
            }
        }
    }
    Some(Intent::Redraw)
}
