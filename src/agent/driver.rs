//! Carries out what an agent's rules say, and tells them what happened.
//!
//! The driver never waits inside an effect: a look, a question, a typing and a log line are tasks of their own
//! whose ends come back as events, so that an order is taken in at once whatever is under way. Log lines are
//! written one after the other; a text is typed, and something is said, only when every line before it is
//! written.

mod look;
mod publish;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::follow::Followers;
use super::machine::{Effect, Event, Machine, Moment, Settings, Ticket, Typing};
use super::view::{AgentView, Notice, Urgency};
use super::{Brief, Order};
use crate::director::Director;
use crate::director::prompt::Situation;
use crate::error::in_full;
use crate::evidence::{Care, Reader};
use crate::hands::{self, Reach};
use crate::record::logs::{AgentLogs, Written};
use crate::record::{self, Receipt};
use crate::screen::profile::Profiles;
use crate::screen::reset::Zone;
use crate::store::StoreError;
use crate::zellij::Zellij;
use look::look;

/// How long after a failed write the log is tried again.
const LOG_AGAIN: Duration = Duration::from_secs(2);
/// How long what is being typed may go on at the end, before it is stopped: half a text helps nobody.
const LAST_KEYS: Duration = Duration::from_millis(600);
/// How long the last log lines may take.
const LAST_LINES: Duration = Duration::from_millis(300);

/// What an agent reaches the world through.
#[derive(Clone)]
pub struct Doors {
    /// Its zellij.
    pub zellij: Zellij,
    /// Who decides.
    pub director: watch::Receiver<Arc<Director>>,
    /// The profiles that are known.
    pub profiles: watch::Receiver<Arc<Profiles>>,
    /// The zone in which people on this machine read clocks.
    pub zone: Zone,
    /// Its logs.
    pub logs: AgentLogs,
    /// Whether the person stopped all typing, everywhere: heeded before every order and every key.
    pub all_stopped: watch::Receiver<bool>,
    /// Who tells the person; a bounded queue that the supervisor empties.
    pub notices: mpsc::Sender<Notice>,
    /// Who follows along.
    pub followers: Followers,
}

/// The end of something that was under way.
enum Done {
    Event(Event),
    Written(Result<(), StoreError>, Written),
}

/// What waits to be written, and what waits for that.
enum Outgoing {
    Line(Written),
    Tell(Urgency, String),
    Receipt(Ticket, Receipt),
    Type(Ticket, Box<Typing>),
    Happened(Box<record::Event>),
}

struct Driver {
    machine: Machine,
    doors: Doors,
    start: Instant,
    view: watch::Sender<Arc<AgentView>>,
    tasks: JoinSet<Done>,
    due: Option<Instant>,
    asking: Option<AbortHandle>,
    looking: Option<AbortHandle>,
    typing: Option<CancellationToken>,
    replies: HashMap<Ticket, oneshot::Sender<Receipt>>,
    outgoing: VecDeque<Outgoing>,
    is_writing: bool,
    write_again: Option<Instant>,
}

pub(super) async fn run(
    machine: Machine,
    doors: Doors,
    mut orders: mpsc::Receiver<Order>,
    view: watch::Sender<Arc<AgentView>>,
) {
    let start = Instant::now();
    let mut driver = Driver {
        machine,
        doors,
        start,
        view,
        tasks: JoinSet::new(),
        due: Some(start),
        asking: None,
        looking: None,
        typing: None,
        replies: HashMap::new(),
        outgoing: VecDeque::new(),
        is_writing: false,
        write_again: None,
    };
    driver.heed_stop();
    let quit = loop {
        let (due, write_again) = (driver.due, driver.write_again);
        tokio::select! {
            biased;
            () = changed(&mut driver.doors.all_stopped) => driver.heed_stop(),
            order = orders.recv() => match order {
                Some(Order::Quit(answer)) => break Some(answer),
                Some(order) => driver.take(order),
                None => break None,
            },
            Some(done) = driver.tasks.join_next() => {
                if let Err(bug) = driver.done(done) {
                    return driver.die(&bug);
                }
            }
            () = until(due) => {
                driver.due = None;
                driver.on(Event::Due);
            }
            () = until(write_again) => {
                driver.write_again = None;
                driver.write();
            }
        }
    };
    driver.end().await;
    if let Some(answer) = quit {
        let _ = answer.send(());
    }
}

/// Waits for a change; for ever where there can be none any more.
async fn changed(stopped: &mut watch::Receiver<bool>) {
    if stopped.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits until then; for ever where there is no then.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}

impl Driver {
    fn now(&self) -> Moment {
        Moment {
            since_start: self.start.elapsed(),
            wall: Utc::now(),
        }
    }

    fn all_stopped(&self) -> bool {
        *self.doors.all_stopped.borrow()
    }

    /// All typing was stopped everywhere, or may go on.
    fn heed_stop(&mut self) {
        let all_stopped = *self.doors.all_stopped.borrow_and_update();
        let settings = self.machine.settings();
        if settings.all_stopped != all_stopped {
            let settings = settings.clone();
            self.on(Event::Set(Box::new(Settings {
                all_stopped,
                ..settings
            })));
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Stop(answer) => {
                self.on(Event::Stop);
                let _ = answer.send(());
            }
            Order::Start(program, answer) => {
                self.on(Event::Start(program));
                let _ = answer.send(());
            }
            Order::Set(mut settings, answer) => {
                // they may have been put together before it was
                settings.all_stopped = self.all_stopped();
                self.on(Event::Set(settings));
                let _ = answer.send(());
            }
            Order::Reply(text, answer) => {
                let ticket = self.machine.reply_ticket();
                self.replies.insert(ticket, answer);
                self.on(Event::Reply(ticket, text));
            }
            Order::Answer(wish, answer) => {
                let ticket = self.machine.reply_ticket();
                self.replies.insert(ticket, answer);
                self.on(Event::Answer(ticket, wish));
            }
            Order::Hold(until, answer) => {
                self.on(Event::Hold(until));
                let _ = answer.send(());
            }
            Order::Reserve(reserved, answer) => {
                self.on(Event::Reserve(reserved));
                let _ = answer.send(());
            }
            Order::Release(answer) => {
                self.on(Event::Release);
                let _ = answer.send(());
            }
            Order::Explain(answer) => {
                let _ = answer.send(Box::new(self.machine.explain(self.now())));
            }
            Order::Brief(chars, answer) => {
                let situation = self.machine.situation(String::new(), self.now());
                let seen_lately = self.machine.seen_lately(chars);
                let _ = answer.send(Brief {
                    situation,
                    seen_lately,
                });
            }
            Order::Quit(answer) => {
                let _ = answer.send(());
            }
        }
    }

    /// Something under way has ended; an error is a bug in it.
    fn done(&mut self, done: Result<Done, JoinError>) -> Result<(), JoinError> {
        match done {
            Ok(Done::Event(event)) => self.on(event),
            Ok(Done::Written(written, line)) => self.written(written, line),
            Err(error) if error.is_cancelled() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn on(&mut self, event: Event) {
        match &event {
            Event::Answered(..) => self.asking = None,
            Event::Typed(..) => self.typing = None,
            Event::Seen(_) | Event::Unseen(_) => self.looking = None,
            _ => {}
        }
        let effects = self.machine.on(event, self.now());
        // Before the effects: who is answered by one of them looks at the view next.
        self.publish();
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Look => {
                let fresh_within = self.machine.settings().agent.poll_sec.duration() / 2;
                self.look(Care::Glance(fresh_within));
            }
            Effect::LookClosely => self.look(Care::Whole),
            Effect::Wait(wait) => self.due = Some(Instant::now() + wait),
            Effect::Ask(ticket, situation) => self.ask(ticket, situation),
            Effect::DropAsk => {
                if let Some(asking) = self.asking.take() {
                    asking.abort();
                }
            }
            Effect::Type(ticket, typing) => self.send(Outgoing::Type(ticket, typing)),
            Effect::EndTyping => self.end_typing(),
            Effect::Receipt(ticket, receipt) => self.send(Outgoing::Receipt(ticket, receipt)),
            Effect::Remember(memo) => self.send(Outgoing::Line(Written::memo(&memo))),
            Effect::Note(line) => {
                self.send(Outgoing::Line(Written::decision(&line)));
                let event = record::Event::of(&line, &self.machine.settings().agent.id);
                if let Some(event) = event {
                    self.send(Outgoing::Happened(Box::new(event)));
                }
            }
            Effect::Tell(urgency, text) => self.send(Outgoing::Tell(urgency, text)),
        }
    }

    /// One look at a time: a later one replaces the one under way.
    fn look(&mut self, care: Care<'static>) {
        if let Some(earlier) = self.looking.take() {
            earlier.abort();
        }
        let mut reach = self.reach();
        reach.reader.meter = self.machine.meter();
        self.looking = Some(
            self.tasks
                .spawn(async move { Done::Event(look(&reach, care).await) }),
        );
    }

    /// Where the agent's keys go, and how its pane is read.
    fn reach(&self) -> Reach {
        let settings = self.machine.settings();
        Reach {
            zellij: self.doors.zellij.clone(),
            pane: settings.address.clone(),
            reader: Reader {
                profiles: Arc::clone(&self.doors.profiles.borrow()),
                kind: settings.agent.kind.clone(),
                allow_shell: settings.agent.allow_shell,
                earlier: self.machine.transcript(),
                meter: None,
                zone: self.doors.zone,
            },
            timing: settings.timing,
        }
    }

    fn ask(&mut self, ticket: Ticket, situation: Box<Situation>) {
        let director = Arc::clone(&self.doors.director.borrow());
        self.asking = Some(self.tasks.spawn(async move {
            let outcome = director.decide(&situation).await;
            Done::Event(Event::Answered(ticket, Box::new(outcome)))
        }));
    }

    /// The queue of notices is emptied by the supervisor at once; if that is stuck, the status still tells.
    fn tell(&self, urgency: Urgency, text: String) {
        let agent = Some(self.machine.settings().agent.id.clone());
        let notice = Notice {
            ts: Utc::now(),
            agent,
            urgency,
            text,
        };
        if let Err(error) = self.doors.notices.try_send(notice) {
            tracing::warn!(%error, "a notice was not told");
        }
    }

    fn answer(&mut self, ticket: Ticket, receipt: Receipt) {
        if let Some(answer) = self.replies.remove(&ticket) {
            let _ = answer.send(receipt);
        }
    }

    fn send(&mut self, outgoing: Outgoing) {
        self.outgoing.push_back(outgoing);
        self.write();
        if self.write_again.is_some() {
            self.say_the_unwritten();
        }
    }

    /// Words wait for the lines before them, so that what was said is on record; but not for a disk.
    fn say_the_unwritten(&mut self) {
        for outgoing in std::mem::take(&mut self.outgoing) {
            match outgoing {
                Outgoing::Tell(urgency, text) => self.tell(urgency, text),
                Outgoing::Receipt(ticket, receipt) => self.answer(ticket, receipt),
                Outgoing::Happened(event) => self.doors.followers.happened(*event),
                waits => self.outgoing.push_back(waits),
            }
        }
    }

    /// Writes the next line, or begins to type where all lines before are written.
    fn write(&mut self) {
        while !self.is_writing && self.write_again.is_none() {
            match self.outgoing.pop_front() {
                None => return,
                Some(Outgoing::Type(ticket, typing)) => self.begin_typing(ticket, *typing),
                Some(Outgoing::Tell(urgency, text)) => self.tell(urgency, text),
                Some(Outgoing::Receipt(ticket, receipt)) => self.answer(ticket, receipt),
                Some(Outgoing::Happened(event)) => self.doors.followers.happened(*event),
                Some(Outgoing::Line(line)) => {
                    self.is_writing = true;
                    let logs = self.doors.logs.clone();
                    self.tasks
                        .spawn(async move { Done::Written(logs.append(line.clone()).await, line) });
                }
            }
        }
    }

    fn written(&mut self, written: Result<(), StoreError>, line: Written) {
        self.is_writing = false;
        match written {
            Ok(()) => {
                self.on(Event::Log(Ok(())));
                self.write();
            }
            Err(error) => {
                self.outgoing.push_front(Outgoing::Line(line));
                self.write_again = Some(Instant::now() + LOG_AGAIN);
                let why = in_full(&error);
                self.on(Event::Log(Err(why.clone())));
                self.refuse_typing(&format!("the log could not be written: {why}"));
                self.say_the_unwritten();
            }
        }
    }

    /// What was to be typed has no intent on record: it is not typed, now or later.
    fn refuse_typing(&mut self, why: &str) {
        let mut refused = Vec::new();
        self.outgoing.retain(|outgoing| match outgoing {
            Outgoing::Type(ticket, _) => {
                refused.push(*ticket);
                false
            }
            _ => true,
        });
        for ticket in refused {
            let why = why.to_owned();
            self.on(Event::Typed(ticket, Receipt::Refused { why }));
        }
    }

    fn begin_typing(&mut self, ticket: Ticket, typing: Typing) {
        if self.all_stopped() {
            let why = "all typing is stopped; `/startall` first".into();
            return self.on(Event::Typed(ticket, Receipt::Refused { why }));
        }
        let (reach, logs) = (self.reach(), self.doors.logs.clone());
        let ended = CancellationToken::new();
        self.typing = Some(ended.clone());
        self.tasks.spawn(async move {
            let Typing {
                text,
                terms,
                answer,
                file,
                ..
            } = typing;
            let written = match file {
                Some(file) => logs.write_prompt(file.path, file.text).await,
                None => Ok(()),
            };
            let receipt = match (written, answer) {
                (Err(error), _) => Receipt::Refused {
                    why: in_full(&error),
                },
                (Ok(()), Some(answer)) => hands::answer(&reach, &answer, &terms, &ended).await,
                (Ok(()), None) => hands::deliver(&reach, &text, terms, &ended).await,
            };
            Done::Event(Event::Typed(ticket, receipt))
        });
    }

    fn end_typing(&mut self) {
        if let Some(typing) = &self.typing {
            typing.cancel();
        }
        self.refuse_typing("it was stopped before the first key");
    }

    /// Lets what is being typed come to its end, and writes down what is known.
    async fn end(mut self) {
        self.due = None;
        if let Some(looking) = self.looking.take() {
            looking.abort();
        }
        let _ = timeout(LAST_KEYS, self.settle(|driver| driver.typing.is_some())).await;
        self.on(Event::Quit);
        let unwritten = |driver: &Self| {
            driver.typing.is_some() || driver.is_writing || !driver.outgoing.is_empty()
        };
        if timeout(LAST_LINES, self.settle(unwritten)).await.is_err() {
            tracing::warn!(agent = %self.machine.settings().agent.id, "ended before all was written down");
        }
        self.tasks.shutdown().await;
    }

    /// Takes in what ends, for as long as `goes_on`, and unless the log cannot be written.
    async fn settle(&mut self, goes_on: impl Fn(&Self) -> bool) {
        while goes_on(self) && self.write_again.is_none() {
            let Some(done) = self.tasks.join_next().await else {
                return;
            };
            if self.done(done).is_err() {
                return;
            }
        }
    }
}
