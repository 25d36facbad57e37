//! What the TUI knows and shows: plain state, without a terminal and without a clock.
//!
//! [`update`](super::update) changes it, [`view`](super::view) draws it. It holds what was on the screen when it
//! was drawn last ([`Drawn`]), for a key means what the person saw when they pressed it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};

use super::detail::Detail;
use super::glance::Glance;
use super::keymap::Place;
use super::line::{Line, Past};
use super::messages::Messages;
use super::mission::{Page, Pick, TaskArea};
use super::rows::{self, List, Rows, Sort};
use super::scroll::Scroll;
use super::theme::{Look, Palette};
use crate::command::reply::{Frame, render};
use crate::command::{AgentView, Command, Health, MissionView, Reply};
use crate::ids::{AgentId, MissionId};
use crate::screen::recognise::Dialog;

/// How long keys that act on an agent are off after its row moved by itself.
pub const MOVING: Duration = Duration::from_millis(400);
/// How long a question must have been on the screen before a yes is heard.
pub const READ: Duration = Duration::from_millis(400);
/// How long a hint stays.
pub const HINT: Duration = Duration::from_secs(4);
/// How long an answered question stays in the inbox, with what came of the answer.
pub const ANSWERED: Duration = Duration::from_secs(15);

/// A moment, as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since the TUI began.
    pub up: Duration,
    /// The time of day, where the person is.
    pub wall: DateTime<FixedOffset>,
}

/// What leaving means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// The supervisor ends with the TUI.
    Ends,
    /// The supervisor runs elsewhere, and goes on.
    Detaches,
}

/// Everything that is known and shown.
#[derive(Debug, Clone)]
pub struct App {
    /// The colours.
    pub palette: Palette,
    /// What leaving means.
    pub leaving: Leaving,
    /// The moment of the last message.
    pub now: Moment,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Every agent, as configured.
    pub views: Vec<Arc<AgentView>>,
    /// Every mission that is carried out, by their names.
    pub missions: Vec<Arc<MissionView>>,
    /// The supervisor itself; `None` before it was first asked.
    pub health: Option<Health>,
    /// The table.
    pub table: List,
    /// The inbox.
    pub inbox: List,
    /// Whether the inbox is shown rather than the table.
    pub shows_inbox: bool,
    /// By what the table is sorted.
    pub sort: Sort,
    /// What the table is filtered by; blank: nothing.
    pub filter: String,
    /// The filter while it is typed.
    pub filter_line: Option<Line>,
    /// The mission that is looked at.
    pub page: Option<Box<Page>>,
    /// The agent that is shown in detail.
    pub detail: Option<Box<Detail>>,
    /// What is being looked at for that.
    pub looking: Vec<(AgentId, Glance)>,
    /// Seconds that went by.
    pub seconds: u64,
    /// A text over all of that.
    pub text: Option<Text>,
    /// The command line while it is open.
    pub line: Option<Line>,
    /// Lines of before.
    pub past: Past,
    /// A question that wants a yes or a no.
    pub asked: Option<Asked>,
    /// What was said.
    pub messages: Messages,
    /// Commands whose answers have not come yet.
    pub under_way: Vec<UnderWay>,
    /// What became of answers, by agent.
    pub receipts: BTreeMap<AgentId, Answered>,
    /// Why a key did nothing, until then.
    pub hint: Option<(String, Duration)>,
    /// Whether the person asked to leave.
    pub is_leaving: bool,
    /// The agent that the person moved the highlight to since the last frame.
    pub moved_to: Option<AgentId>,
    /// What is on the screen.
    pub drawn: Drawn,
    /// The last click: when, and on whom.
    pub click: Option<(Duration, AgentId)>,
    /// The number of the next command or question.
    pub next: u64,
}

/// A command whose answer has not come yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// Its number.
    pub ticket: u64,
    /// As it would be typed.
    pub line: String,
    /// To whom a question is answered by it.
    pub answers: Option<AgentId>,
    /// When it was sent.
    pub since: Duration,
}

/// What became of an answer to an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// In words.
    pub text: String,
    /// How it looks.
    pub look: Look,
    /// When it came; `None` while it is under way.
    pub at: Option<Duration>,
    /// Since when the question had waited.
    pub since: Option<DateTime<Utc>>,
}

/// A question that wants a yes or a no.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its number: tells it from another one.
    pub number: u64,
    /// What is asked, in lines.
    pub text: String,
    /// What a yes does.
    pub yes: Yes,
    /// Whether a no is sent too.
    pub tells_no: bool,
    /// Since when it is on the screen.
    pub seen: Option<Duration>,
    /// Whether its end was on the screen.
    pub end_seen: bool,
    /// How far it is scrolled.
    pub scroll: Scroll,
}

/// What a yes does.
#[derive(Debug, Clone)]
pub enum Yes {
    /// Sends a command, as it would be typed.
    Send(Command, String),
    /// Sends an answer to a dialog, as long as it is still this one.
    Answer(Command, String, AgentId, Box<Dialog>),
    /// Ends the supervisor.
    Quit,
}

impl Yes {
    /// Whether it answers a question of the supervisor's, which waits for it.
    pub const fn is_answer(&self) -> bool {
        matches!(self, Self::Send(Command::Yes, _))
    }
}

/// A text that is read: an answer, help, the messages.
#[derive(Debug, Clone)]
pub struct Text {
    /// What it is.
    pub title: String,
    /// Where its lines come from.
    pub body: Body,
    /// The lines, as wide as the screen; harmless.
    pub lines: Vec<String>,
    /// How far it is scrolled.
    pub scroll: Scroll,
}

/// Where the lines of a text come from.
#[derive(Debug, Clone)]
pub enum Body {
    /// From an answer.
    Reply(Box<Reply>),
    /// From the tables of keys and commands.
    Help,
    /// From the messages.
    Messages,
}

/// What was on the screen when it was drawn last.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// Which keys were heard then.
    pub place: Place,
    /// Who was highlighted, in which row, and could be seen.
    pub highlight: Option<(usize, Arc<AgentView>)>,
    /// Since when that row has stood still.
    pub still_since: Duration,
    /// Where the list was.
    pub list: Option<ListArea>,
    /// Where the tasks of a mission were.
    pub tasks: Option<TaskArea>,
    /// Which mission was looked at, and which of its tasks was highlighted.
    pub pick: Option<(MissionId, Option<Pick>)>,
    /// Which question was asked.
    pub asked: Option<u64>,
}

/// Where a list is on the screen.
#[derive(Debug, Clone, Default)]
pub struct ListArea {
    /// Its first line on the screen.
    pub top: u16,
    /// Its lines.
    pub height: u16,
    /// The row that is shown first.
    pub offset: usize,
    /// Its rows.
    pub rows: Rows,
}

impl App {
    /// A TUI that knows nothing yet.
    pub fn new(palette: Palette, leaving: Leaving, size: (u16, u16), now: Moment) -> Self {
        Self {
            palette,
            leaving,
            now,
            size,
            views: Vec::new(),
            missions: Vec::new(),
            health: None,
            table: List::default(),
            inbox: List::default(),
            shows_inbox: false,
            sort: Sort::default(),
            filter: String::new(),
            filter_line: None,
            page: None,
            detail: None,
            looking: Vec::new(),
            seconds: 0,
            text: None,
            line: None,
            past: Past::default(),
            asked: None,
            messages: Messages::default(),
            under_way: Vec::new(),
            receipts: BTreeMap::new(),
            hint: None,
            is_leaving: false,
            moved_to: None,
            drawn: Drawn {
                place: Place::Table,
                highlight: None,
                still_since: Duration::ZERO,
                list: None,
                tasks: None,
                pick: None,
                asked: None,
            },
            click: None,
            next: 0,
        }
    }

    /// Which keys are heard now.
    pub const fn at(&self) -> Place {
        // what is typed goes on where it began: a question that comes meanwhile waits for its turn
        if self.line.is_some() {
            Place::Line
        } else if self.filter_line.is_some() {
            Place::Filter
        } else if self.asked.is_some() {
            Place::Asked
        } else {
            self.behind()
        }
    }

    /// What is shown behind a line that is typed and a question.
    pub const fn behind(&self) -> Place {
        if self.text.is_some() {
            Place::Text
        } else if self.detail.is_some() {
            Place::Detail
        } else if self.page.is_some() {
            Place::Mission
        } else if self.shows_inbox {
            Place::Inbox
        } else {
            Place::Table
        }
    }

    /// The list that is shown, or would be.
    pub const fn list(&self) -> &List {
        if self.shows_inbox {
            &self.inbox
        } else {
            &self.table
        }
    }

    /// The same, to be changed.
    pub const fn list_mut(&mut self) -> &mut List {
        if self.shows_inbox {
            &mut self.inbox
        } else {
            &mut self.table
        }
    }

    /// The agent on whom keys would act: in the list, or in detail.
    pub fn subject(&self) -> Option<(usize, &Arc<AgentView>)> {
        match (self.behind(), &self.detail) {
            (Place::Text | Place::Mission, _) => None,
            (Place::Detail, Some(detail)) => Some((0, self.view(&detail.id)?)),
            _ => self.list().highlighted(),
        }
    }

    /// An agent as it is now.
    pub fn view(&self, id: &AgentId) -> Option<&Arc<AgentView>> {
        self.views.iter().find(|view| view.id == *id)
    }

    /// How many agents wait for the person.
    pub fn waiting(&self) -> usize {
        self.views.iter().filter(|view| rows::waits(view)).count()
    }

    /// Whether all typing is stopped.
    pub fn all_stopped(&self) -> bool {
        self.health
            .as_ref()
            .is_some_and(|health| health.all_stopped)
    }

    /// Whether an agent's question was put off.
    pub fn is_snoozed(&self, id: &AgentId) -> bool {
        let health = self.health.as_ref();
        health.is_some_and(|health| health.snoozed.contains_key(id))
    }

    /// Makes the rows of both lists anew.
    pub fn arrange(&mut self) {
        let rows = rows::table(&self.views, self.sort, &self.filter);
        self.table.follow(rows);
        let rows = rows::inbox(&self.views, &self.receipts);
        self.inbox.follow(rows);
    }

    /// What texts have to fit into.
    pub fn frame(&self) -> Frame {
        Frame {
            columns: usize::from(self.size.0.max(20)),
            now: self.now.wall,
        }
    }

    /// Whether a yes to what is asked is heard: its end was on the screen, and all of it long enough to be read.
    pub fn hears_yes(&self) -> bool {
        let read = self.asked.as_ref().filter(|asked| asked.end_seen);
        let seen = read.and_then(|asked| asked.seen);
        seen.is_some_and(|seen| self.now.up >= seen + READ)
    }

    /// When what is shown changes without anything happening.
    pub fn changes_at(&self) -> Option<Duration> {
        let seen = self.asked.as_ref().and_then(|asked| asked.seen);
        let highlight = self.drawn.highlight.as_ref();
        let all = [
            seen.map(|seen| seen + READ),
            highlight.map(|_| self.drawn.still_since + MOVING),
            self.hint.as_ref().map(|(_, until)| *until),
        ];
        let coming = all.into_iter().flatten().filter(|at| *at > self.now.up);
        coming.min()
    }

    /// Takes in that the frame was drawn: what is on the screen now.
    pub fn drew(&mut self, shown: Drawn) {
        let moved_to = self.moved_to.take();
        let before = self.drawn.highlight.as_ref();
        let stood_still = match (before, &shown.highlight) {
            (Some((was, old)), Some((is, new))) if old.id == new.id => {
                was == is || self.drawn.place != shown.place
            }
            // the person's own move, to a row that was there before
            (_, Some((is, new))) if moved_to.as_ref() == Some(&new.id) => {
                let list = self.drawn.list.as_ref();
                let old = list.and_then(|list| list.rows.get(*is));
                old.is_some_and(|old| old.id == new.id)
            }
            (_, Some(_)) => false,
            (_, None) => true,
        };
        let still_since = if stood_still {
            self.drawn.still_since
        } else {
            self.now.up
        };
        if let Some(asked) = &mut self.asked
            && shown.asked == Some(asked.number)
        {
            asked.seen.get_or_insert(self.now.up);
            asked.end_seen |= asked.scroll.hidden().1 == 0;
        }
        self.drawn = Drawn {
            still_since,
            ..shown
        };
    }
}

impl Text {
    /// A text to be read from its beginning.
    pub fn new(title: String, body: Body) -> Self {
        Self {
            title,
            body,
            lines: Vec::new(),
            scroll: Scroll::to_start(),
        }
    }

    /// Makes its lines anew, for a screen of this width.
    pub fn lay_out(&mut self, frame: &Frame) {
        let text = match &self.body {
            Body::Reply(reply) => render(reply, frame),
            Body::Help => super::help_text(),
            Body::Messages => return,
        };
        self.lines = text
            .lines()
            .map(|line| line.replace('\t', "    "))
            .collect();
    }
}
