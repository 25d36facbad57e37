//! The TUI: a console to live in.
//!
//! [`run`] waits for keys, for what the supervisor says and for the clock, and hands each to [`update`] as a
//! message; [`view`] draws what came of it, [`keymap`] says which key does what, [`terminal`] has the terminal.
//! It speaks to a [`Client`] alone, in this process or elsewhere. It draws when something changed: after a key at
//! once, otherwise at most ten times a second, and for the clock once a second; nothing is drawn while the
//! terminal has not taken in the frame before. No type of the terminal libraries leaves this module. `main`
//! calls it.

mod act;
pub mod app;
mod ask;
pub mod detail;
mod glance;
mod history;
pub mod input;
pub mod keymap;
mod line;
mod messages;
pub mod mission;
mod mouse;
pub mod paint;
pub mod pane;
mod rows;
pub mod scroll;
pub mod terminal;
pub mod theme;
pub mod typed;
pub mod update;
pub mod view;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chrono::Local;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

pub use app::Leaving;
use app::{App, Moment};
use glance::Glance;
use history::History;
use input::{Input, Keyboard};
use terminal::Screen;
use theme::Palette;
use update::{Effect, Message};

use super::repl::quit;
use crate::command::complete::{World, complete};
use crate::command::help::help;
use crate::command::{Client, Command, Notice, Ring};
use crate::error::{Failure, Kind};
use crate::ids::AgentId;

/// The least time between two frames of which none is owed to a key.
const FRAME: Duration = Duration::from_millis(100);
/// The least time between two frames after keys.
const KEY_FRAME: Duration = Duration::from_millis(5);
/// The clock.
const SECOND: Duration = Duration::from_secs(1);

/// How the TUI begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TuiOptions {
    /// The file that keeps typed lines between runs, the REPL's; see [`places::history`](super::places::history).
    pub history: Option<PathBuf>,
    /// What is said first.
    pub greeting: String,
    /// The colours.
    pub palette: Palette,
    /// What leaving means.
    pub leaving: Leaving,
}

/// Runs the TUI until the person leaves, or `ended` (the supervisor has stopped by itself, or by a signal, or the
/// connection to it is lost). The terminal is then as it was before, also after a panic.
///
/// Returns the exit code. Called on the thread that draws, within a runtime.
///
/// # Errors
/// When the terminal cannot be used.
pub async fn run(
    client: Arc<dyn Client>,
    options: TuiOptions,
    ended: CancellationToken,
) -> Result<u8, Failure> {
    let mut screen = Screen::take()?;
    let lived = match Keyboard::listen() {
        Ok(mut keyboard) => {
            let session = Session::new(client, options, ended);
            session.live(&mut keyboard, &mut screen).await
        }
        Err(error) => {
            Err(Failure::new(Kind::Failed, "could not listen to the terminal").because(&error))
        }
    };
    drop(screen);
    let last_words = lived?;
    if !last_words.is_empty() {
        terminal::last_words(format!("{}\n", last_words.trim_end()));
    }
    Ok(0)
}

/// The keys and the commands, for a person.
pub(in crate::ui) fn help_text() -> String {
    let commands = help(None).unwrap_or_default();
    format!(
        "{}\nMarks: ! needs you, z put off, x trouble, ? is asked about, > was told,\n\
         = not typed to, % at its limit, o observed, * at work\n\
         Of a task: ! needs you, * at work, ~ checked, + done, x failed, = stopped,\n\
         - given up or skipped, ? proposed; ^ what the highlighted one needs, v what\n\
         needs it. Of a criterion: ok, x failed, ~ running, - not run yet\n\n{commands}",
        keymap::help()
    )
}

struct Session {
    client: Arc<dyn Client>,
    ended: CancellationToken,
    app: App,
    history: History,
    begun: Instant,
    notices: Option<broadcast::Receiver<Notice>>,
    rings: Option<broadcast::Receiver<Ring>>,
    changes: watch::Receiver<u64>,
    /// What is being waited for, each to become a message.
    tasks: JoinSet<Message>,
    /// Effects that are still to be carried out.
    effects: VecDeque<Effect>,
    /// Whether a line is being completed.
    completes: bool,
    /// Whether the agents are no longer as they were looked at last.
    stale: bool,
    /// When the next frame is due.
    due: Option<Instant>,
    drawn_at: Instant,
}

/// What is to be done after something happened.
enum Next {
    /// Draw soon.
    Soon,
    /// Draw at once: a key was pressed.
    Now,
    /// Nothing.
    Wait,
    /// Leave, with these words.
    Leave(String),
}

impl Session {
    fn new(client: Arc<dyn Client>, options: TuiOptions, ended: CancellationToken) -> Self {
        let begun = Instant::now();
        let history = History::start(options.history);
        let now = moment(begun);
        let mut app = App::new(options.palette, options.leaving, terminal::size(), now);
        app.say(theme::Look::Usual, &options.greeting);
        let mut changes = client.changes();
        changes.mark_changed();
        Self {
            notices: Some(client.notices()),
            rings: Some(client.rings()),
            changes,
            client,
            ended,
            app,
            history,
            begun,
            tasks: JoinSet::new(),
            effects: VecDeque::new(),
            completes: false,
            stale: true,
            due: Some(begun),
            drawn_at: begun,
        }
    }

    /// Lives until it is left; the last words.
    async fn live(
        mut self,
        keyboard: &mut Keyboard,
        screen: &mut Screen,
    ) -> Result<String, Failure> {
        let mut second = next_second();
        loop {
            let next = tokio::select! {
                biased;
                // after a `/quit` its answer is the last word
                () = self.ended.cancelled(), if !self.app.is_leaving => {
                    Next::Leave(self.last_words())
                }
                () = due(self.due) => {
                    self.draw(screen)?;
                    Next::Wait
                }
                input = keyboard.next() => self.input(input),
                said = next_of(&mut self.notices) => {
                    let message = match said {
                        Ok(notice) => Message::Said(notice),
                        Err(count) => Message::Lost(count),
                    };
                    self.take(message);
                    Next::Soon
                }
                Some(done) = self.tasks.join_next() => self.done(done),
                message = self.history.said() => {
                    self.take(message);
                    Next::Soon
                }
                Ok(ring) = next_of(&mut self.rings) => {
                    screen.say(crate::ui::bell::sequence(&ring).as_bytes());
                    Next::Soon
                }
                Ok(()) = self.changes.changed() => {
                    self.stale = true;
                    Next::Soon
                }
                () = sleep_until(second) => {
                    second = next_second();
                    self.take(Message::Tick);
                    Next::Soon
                }
            };
            let next = match self.carry_out().await {
                Some(words) => Next::Leave(words),
                None => next,
            };
            let now = Instant::now();
            let wanted = match next {
                Next::Leave(words) => return Ok(words),
                Next::Wait => continue,
                Next::Now => now.max(self.drawn_at + KEY_FRAME),
                Next::Soon => now.max(self.drawn_at + FRAME),
            };
            self.due = Some(self.due.map_or(wanted, |due| due.min(wanted)));
        }
    }

    /// What was said last, when the supervisor ends by itself.
    fn last_words(&mut self) -> String {
        let mut words = Vec::new();
        while let Some(notices) = &mut self.notices
            && let Ok(notice) = notices.try_recv()
        {
            words.push(crate::command::reply::notice_text(&notice));
        }
        crate::command::text::harmless(&words.join("\n")).into_owned()
    }

    fn take(&mut self, message: Message) {
        let effects = self.app.update(message, moment(self.begun));
        self.effects.extend(effects);
    }

    fn input(&mut self, input: Option<Input>) -> Next {
        match input {
            Some(input) => {
                match input {
                    Input::FocusGained => self.client.attended(true),
                    Input::FocusLost => self.client.attended(false),
                    _ => {}
                }
                self.take(Message::Input(input));
                Next::Now
            }
            // the terminal is gone: nobody is left to be shown anything
            None => Next::Leave(String::new()),
        }
    }

    fn done(&mut self, done: Result<Message, tokio::task::JoinError>) -> Next {
        match done {
            Ok(message) => {
                if matches!(message, Message::Candidates(..)) {
                    self.completes = false;
                }
                self.take(message);
                Next::Now
            }
            Err(error) => {
                let failure = Failure::new(Kind::Bug, "a command broke down").because(&error);
                self.app
                    .say(theme::Look::Bad, &crate::command::reply::failure(&failure));
                Next::Soon
            }
        }
    }

    /// Carries out what is to be done; the last words, where that is to leave.
    async fn carry_out(&mut self) -> Option<String> {
        while let Some(effect) = self.effects.pop_front() {
            match effect {
                Effect::Leave(words) => return Some(words),
                Effect::Remember(line) => self.history.keep(line),
                Effect::Redraw => terminal::retake(),
                Effect::Look(id, what) => self.look(id, what),
                Effect::Complete(line, cursor) => self.complete(line, cursor),
                Effect::Send(ticket, command) => self.send(ticket, command).await,
                Effect::SendIf(ticket, command, id, dialog) => {
                    let views = self.client.views();
                    let view = views.iter().find(|view| view.id == id);
                    let open = view.and_then(|view| view.dialog.as_ref());
                    if open.is_some_and(|open| open.is(&dialog)) {
                        self.send(ticket, command).await;
                    } else {
                        let failure = Failure::new(
                            Kind::NotDelivered,
                            format!("the dialog of {id} is another one now: nothing was pressed"),
                        );
                        self.take(Message::Answered(ticket, Err(failure)));
                    }
                }
            }
        }
        None
    }

    /// Sends a command. It is on its way before the next one is looked at, whenever its answer comes.
    async fn send(&mut self, ticket: u64, command: Command) {
        let client = Arc::clone(&self.client);
        let ended = self.ended.clone();
        let mut answer = Box::pin(async move {
            match command {
                Command::Quit => quit(client.as_ref(), &ended).await,
                command => client.send(command).await,
            }
        });
        let begun = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
        match begun {
            Poll::Ready(answer) => self.take(Message::Answered(ticket, answer)),
            Poll::Pending => {
                self.tasks
                    .spawn(async move { Message::Answered(ticket, answer.await) });
            }
        }
    }

    /// Looks at something for the detail of an agent.
    fn look(&mut self, id: AgentId, what: Glance) {
        let client = Arc::clone(&self.client);
        self.tasks.spawn(async move {
            let answer = client.send(what.command(id.clone())).await;
            Message::Looked(id, what, answer)
        });
    }

    /// Completes a line, on a thread that may wait for a folder; one at a time.
    fn complete(&mut self, line: String, cursor: usize) {
        if std::mem::replace(&mut self.completes, true) {
            return;
        }
        let world = World::of(self.client.as_ref());
        self.tasks.spawn_blocking(move || {
            let (start, all) = complete(&line, cursor, &world);
            Message::Candidates(line, cursor, start, all)
        });
    }

    fn draw(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        if self.stale {
            self.stale = false;
            let (views, health) = (self.client.views(), self.client.health());
            self.take(Message::Missions(self.client.missions()));
            self.take(Message::Seen(views, Box::new(health)));
        }
        self.app.now = moment(self.begun);
        let mut drawn = None;
        let app = &self.app;
        if screen.draw(|frame| drawn = Some(view::draw(app, frame)))? {
            self.due = None;
            self.drawn_at = Instant::now();
            self.app.now = moment(self.begun);
            if let Some(drawn) = drawn {
                self.app.drew(drawn);
            }
            self.due = self.app.changes_at().map(|at| self.begun + at);
        } else {
            // the terminal has not taken in the last frame
            self.due = Some(Instant::now() + FRAME);
        }
        Ok(())
    }
}

fn moment(begun: Instant) -> Moment {
    Moment {
        up: begun.elapsed(),
        wall: Local::now().fixed_offset(),
    }
}

/// When the clock shows another second.
fn next_second() -> Instant {
    let into = Duration::from_nanos(Local::now().timestamp_subsec_nanos().into());
    Instant::now() + SECOND.saturating_sub(into)
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// The next of what is handed on, or how many were lost; never, once nobody is left to hand anything on.
async fn next_of<T: Clone>(handed_on: &mut Option<broadcast::Receiver<T>>) -> Result<T, u64> {
    if let Some(receiver) = handed_on {
        match receiver.recv().await {
            Ok(next) => return Ok(next),
            Err(RecvError::Lagged(lost)) => return Err(lost),
            Err(RecvError::Closed) => *handed_on = None,
        }
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests;
