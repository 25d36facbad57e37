//! What follows from what happened: a message in, the state changed, effects out.
//!
//! Pure: time comes in with the message, and what is to be done outside goes out as an [`Effect`], which
//! [`run`](super::run) carries out. What a key does to an agent is in [`act`].

use std::sync::Arc;
use std::time::Duration;

use super::app::{ANSWERED, Answered, App, Asked, Body, HINT, Moment, Text, UnderWay, Yes};
use super::glance::Glance;
use super::input::{Input, Key};
use super::keymap::{self, Action, Place};
use super::line::Line;
use super::theme::Look;
use super::{act, mouse};
use crate::command::complete::Candidate;
use crate::command::reply::{self, render};
use crate::command::text::one_line;
use crate::command::{AgentView, Command, Health, MissionView, Notice, Reply};
use crate::error::Failure;
use crate::ids::AgentId;
use crate::screen::recognise::Dialog;

/// The most lines of an answer that are shown among the messages rather than as a text of its own.
const FEW_LINES: usize = 6;
/// An answer that took longer does not come over what is being looked at.
const PROMPT: Duration = Duration::from_secs(2);
/// The most commands that are under way at once.
const AT_ONCE: usize = 32;

/// Something that happened.
#[derive(Debug)]
pub enum Message {
    /// The terminal said something.
    Input(Input),
    /// The agents and the supervisor, as they are now.
    Seen(Vec<Arc<AgentView>>, Box<Health>),
    /// The missions, as they are now.
    Missions(Vec<Arc<MissionView>>),
    /// The supervisor said something.
    Said(Notice),
    /// So many notices came faster than they were read.
    Lost(u64),
    /// The command with this number was answered.
    Answered(u64, Result<Reply, Failure>),
    /// What was typed in earlier runs.
    Past(Vec<String>),
    /// The history cannot be kept.
    NoPast(String),
    /// What the line, up to this byte, may become: where the replaced word begins, and the ways.
    Candidates(String, usize, usize, Vec<Candidate>),
    /// What was looked at for the detail of an agent.
    Looked(AgentId, Glance, Result<Reply, Failure>),
    /// A second went by.
    Tick,
}

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send this command; its answer comes with this number.
    Send(u64, Command),
    /// The same, unless the agent's dialog is another one at that moment.
    SendIf(u64, Command, AgentId, Box<Dialog>),
    /// Look at this for the detail of that agent.
    Look(AgentId, Glance),
    /// Complete this line up to this byte.
    Complete(String, usize),
    /// Keep this line in the history.
    Remember(String),
    /// Leave, with these words.
    Leave(String),
    /// Draw everything anew.
    Redraw,
}

impl App {
    /// Takes in what happened at `now`; what is to be done about it.
    pub fn update(&mut self, message: Message, now: Moment) -> Vec<Effect> {
        self.now = now;
        if self
            .hint
            .as_ref()
            .is_some_and(|(_, until)| *until <= now.up)
        {
            self.hint = None;
        }
        match message {
            Message::Input(input) => return self.input(input),
            Message::Seen(views, health) => return self.seen(views, *health),
            Message::Missions(missions) => self.missions_seen(missions),
            Message::Said(notice) => self.messages.notice(&notice),
            Message::Lost(count) => {
                let text = format!("{count} notices came too fast to be shown; the logs have them");
                self.say(Look::Faint, &text);
            }
            Message::Answered(ticket, answer) => return self.answered(ticket, answer),
            Message::Past(lines) => {
                let lines = lines.iter().map(|line| one_line(line)).collect();
                self.past.read(lines);
            }
            Message::NoPast(why) => self.say(Look::Warning, &format!("warning: {why}")),
            Message::Candidates(text, cursor, start, all) => {
                if let Some(line) = &mut self.line
                    && line.text() == text
                    && line.cursor() == cursor
                {
                    line.offer(start, all);
                }
            }
            Message::Looked(id, what, answer) => self.looked(&id, &what, answer),
            Message::Tick => return self.tick(),
        }
        Vec::new()
    }

    /// Says something to the person.
    pub fn say(&mut self, look: Look, text: &str) {
        self.messages.say(self.now.wall.to_utc(), look, text);
    }

    /// Says why a key did nothing.
    pub fn hint(&mut self, text: impl Into<String>) {
        self.hint = Some((text.into(), self.now.up + HINT));
    }

    fn tick(&mut self) -> Vec<Effect> {
        let now = self.now.up;
        self.seconds += 1;
        let before = self.receipts.len();
        self.receipts
            .retain(|_, answered| answered.at.is_none_or(|at| now < at + ANSWERED));
        if self.receipts.len() != before {
            self.arrange();
        }
        self.look_again()
    }

    fn seen(&mut self, views: Vec<Arc<AgentView>>, health: Health) -> Vec<Effect> {
        self.views = views;
        self.health = Some(health);
        self.arrange();
        self.drop_question_of_the_past();
        self.follow_detail()
    }

    /// A question about a dialog is dropped when that is no longer the one that is open.
    fn drop_question_of_the_past(&mut self) {
        let Some(Asked {
            yes: Yes::Answer(_, _, id, dialog),
            ..
        }) = &self.asked
        else {
            return;
        };
        let open = self.view(id).and_then(|view| view.dialog.as_ref());
        if !open.is_some_and(|open| open.is(dialog)) {
            let text = format!(
                "the dialog of {id} is no longer the one you were asked about: nothing was pressed"
            );
            self.asked = None;
            self.say(Look::Warning, &text);
            self.hint("the dialog changed: nothing was pressed");
        }
    }

    fn input(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Key(key) => self.key(key),
            Input::Paste(text) => {
                // outside a line of text a paste has no meaning
                match (self.at(), &mut self.line, &mut self.filter_line) {
                    (Place::Line, Some(line), _) => line.insert(act::without_slash(line, &text)),
                    (Place::Filter, _, Some(line)) => line.insert(&text),
                    _ => self.hint("a paste does nothing here; `:` opens the command line"),
                }
                self.filtered();
                Vec::new()
            }
            Input::Mouse(event) => mouse::clicked(self, event),
            Input::Resize(columns, rows) => {
                self.size = (columns, rows);
                self.lay_out();
                Vec::new()
            }
            Input::FocusGained | Input::FocusLost => Vec::new(),
        }
    }

    fn key(&mut self, key: Key) -> Vec<Effect> {
        let place = self.at();
        match place {
            Place::Line => return self.line_key(key),
            Place::Filter => {
                self.filter_key(key);
                return Vec::new();
            }
            _ => {}
        }
        if place == Place::Detail
            && let Some(effects) = self.detail_key(key)
        {
            return effects;
        }
        let Some(binding) = keymap::find(place, key) else {
            self.read_again();
            return Vec::new();
        };
        self.hint = None;
        if place == Place::Asked && self.scroll_question(binding.action) {
            return Vec::new();
        }
        match binding.action {
            Action::Down => self.step(1),
            Action::Up => self.step(-1),
            Action::PageDown => self.pages(1),
            Action::PageUp => self.pages(-1),
            Action::First => self.go_to(false),
            Action::Last => self.go_to(true),
            Action::Open if place == Place::Mission => return self.open_worker(),
            Action::Open => return self.open(),
            Action::Back => self.back(),
            Action::NextView => self.show_inbox(!self.shows_inbox),
            Action::Inbox => {
                (self.detail, self.page) = (None, None);
                self.show_inbox(true);
            }
            Action::Filter => self.filter_line = Some(Line::with(&self.filter)),
            Action::Sort => {
                self.sort = self.sort.next();
                self.arrange();
            }
            Action::CommandLine => self.line = Some(Line::with("/")),
            Action::Messages => self.read(Text::new("messages".into(), Body::Messages)),
            Action::Help => self.read(Text::new("help".into(), Body::Help)),
            Action::Leave => return self.leave(),
            Action::Redraw => return vec![Effect::Redraw],
            Action::StopAll => return self.stop_all(),
            Action::Yes => return self.yes(),
            Action::No => return self.no(),
            Action::Mission => self.open_mission(),
            action if place == Place::Mission => self.on_mission(action, key),
            action => return act::on_agent(self, action, key),
        }
        Vec::new()
    }

    fn step(&mut self, by: isize) {
        match (self.behind(), &mut self.text) {
            (Place::Text, Some(text)) => text.scroll.by(by),
            (Place::Table | Place::Inbox, _) => self.move_by(by),
            (Place::Mission, _) => self.step_in_mission(by),
            _ => {}
        }
    }

    /// Moves the highlight, as the person's own doing.
    pub(super) fn move_by(&mut self, by: isize) {
        self.list_mut().step(by);
        let id = self.list().highlighted().map(|(_, view)| view.id.clone());
        self.moved_to = id;
    }

    fn pages(&mut self, by: isize) {
        if let (Place::Text, Some(text)) = (self.behind(), &mut self.text) {
            return text.scroll.by_pages(by);
        }
        let list = self.drawn.list.as_ref().map(|list| list.height);
        let tasks = self.drawn.tasks.as_ref().map(|tasks| tasks.height);
        let height = list.or(tasks).unwrap_or(1);
        self.step(by * isize::from(height.cast_signed().saturating_sub(1).max(1)));
    }

    fn go_to(&mut self, last: bool) {
        match (self.behind(), &mut self.text, last) {
            (Place::Text, Some(text), true) => text.scroll.end(),
            (Place::Text, Some(text), false) => text.scroll.start(),
            (_, _, true) => self.step(isize::MAX / 2),
            (_, _, false) => self.step(isize::MIN / 2),
        }
    }

    fn back(&mut self) {
        if self.text.take().is_some() || self.detail.take().is_some() || self.page.take().is_some()
        {
            return;
        }
        if self.shows_inbox {
            return self.show_inbox(false);
        }
        self.filter.clear();
        self.arrange();
    }

    fn show_inbox(&mut self, inbox: bool) {
        let id = self.list().highlighted().map(|(_, view)| view.id.clone());
        self.shows_inbox = inbox;
        if let Some(id) = id {
            self.list_mut().select(&id);
        }
    }

    /// Shows a text over what is looked at.
    pub(super) fn read(&mut self, mut text: Text) {
        text.lay_out(&self.frame());
        if matches!(text.body, Body::Messages) {
            text.scroll.end();
        }
        self.text = Some(text);
    }

    fn lay_out(&mut self) {
        let frame = self.frame();
        if let Some(text) = &mut self.text {
            text.lay_out(&frame);
        }
    }

    /// Sends a command that would be typed as `line`.
    pub(super) fn send(&mut self, command: Command, line: String) -> Vec<Effect> {
        let Some(ticket) = self.begin(&command, line) else {
            return Vec::new();
        };
        vec![Effect::Send(ticket, command)]
    }

    /// Sends an answer to a dialog, as long as it is this one.
    pub(super) fn send_if(
        &mut self,
        command: Command,
        line: String,
        id: AgentId,
        dialog: Box<Dialog>,
    ) -> Vec<Effect> {
        let Some(ticket) = self.begin(&command, line) else {
            return Vec::new();
        };
        vec![Effect::SendIf(ticket, command, id, dialog)]
    }

    fn begin(&mut self, command: &Command, line: String) -> Option<u64> {
        if self.under_way.len() >= AT_ONCE {
            self.say(
                Look::Bad,
                &format!(
                    "error: `{line}` was not sent: {AT_ONCE} commands are still being worked on"
                ),
            );
            return None;
        }
        let ticket = self.number();
        let answers = act::answered_by(command);
        if let Some(id) = &answers {
            let question = self.view(id).and_then(|view| view.question.as_ref());
            let answered = Answered {
                text: format!("under way: {line}"),
                look: Look::Busy,
                at: None,
                since: question.map(|question| question.since),
            };
            self.receipts.insert(id.clone(), answered);
        }
        self.under_way.push(UnderWay {
            ticket,
            line,
            answers,
            since: self.now.up,
        });
        Some(ticket)
    }

    pub(super) const fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn answered(&mut self, ticket: u64, answer: Result<Reply, Failure>) -> Vec<Effect> {
        let at = self.under_way.iter().position(|one| one.ticket == ticket);
        let Some(sent) = at.map(|at| self.under_way.remove(at)) else {
            return Vec::new();
        };
        let (look, text) = match &answer {
            Ok(Reply::Bye(text)) => return vec![Effect::Leave(text.clone())],
            Ok(reply) => (Look::Good, render(reply, &self.frame())),
            Err(failure) => (Look::Bad, reply::failure(failure)),
        };
        if answer.is_err() {
            // leaving did not work: the person may try again
            self.is_leaving = false;
        }
        if let Some(id) = &sent.answers
            && let Some(answered) = self.receipts.get_mut(id)
        {
            answered.text = one_line(&text);
            (answered.look, answered.at) = (look, Some(self.now.up));
        }
        let title = format!("`{}`", one_line(&sent.line));
        let few = text.lines().count() <= FEW_LINES;
        let looks_elsewhere = self.now.up > sent.since + PROMPT
            || !matches!(
                self.at(),
                Place::Table | Place::Inbox | Place::Detail | Place::Mission | Place::Text
            );
        let effects = if sent.line.starts_with("/review ") {
            self.look_at_reviews()
        } else {
            Vec::new()
        };
        match answer {
            Ok(Reply::Confirm(question)) => {
                return self.ask_for_the_supervisor(&title, &question);
            }
            Ok(reply) if !few && !looks_elsewhere => {
                self.read(Text::new(title, Body::Reply(Box::new(reply))));
            }
            _ if few && text.lines().count() <= 1 => self.say(look, &format!("{title}: {text}")),
            _ => self.say(look, &format!("{title}:\n{text}")),
        }
        effects
    }
}
