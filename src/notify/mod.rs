//! Who is told, when, how often: the bell that finds the person when an agent waits for them.
//!
//! [`concern`] reads from the agents' views and the supervisor's health what there is to tell, [`bell`] decides
//! what is told now and [`message`] puts it into words; the three are pure. [`ways`] sends it: through a program, a
//! webhook, the desktop. Terminals are the front ends': they are handed a [`Ring`]. A [`Notifier`] holds it all
//! together in one task that looks once a second.
//!
//! It tells of a question, a dialog, an agent that is lost, a bound that is reached, zellij or the server that
//! decides away, and of nothing else. It never presses a key, never holds anybody up (each way has one message
//! under way at most, and the newest takes the place of one that waits), never tells a failure twice in a row, and
//! ends with the supervisor. `main` starts it; `command` tests it and hands its rings to front ends.

pub mod bell;
pub mod concern;
mod desktop;
pub mod message;
pub mod ways;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Local, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::agent::view::Urgency;
use crate::config::NotifyConfig;
use crate::supervisor::Supervisor;
use bell::{Bell, Effect, Moment, Rules};
use message::Message;
use ways::{Doors, Way};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// How many rings a front end may fall behind.
const RINGS: usize = 16;

/// What a terminal shows and rings for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// In a line. Foreign text: a front end makes it harmless once more.
    pub title: String,
    /// In a few lines.
    pub body: String,
}

impl From<&Message> for Ring {
    fn from(message: &Message) -> Self {
        Self {
            title: message.title.clone(),
            body: message.body.clone(),
        }
    }
}

/// The bell of one supervisor; clones are the same one. Dropping it stops nothing: it ends with the supervisor.
#[derive(Clone)]
pub struct Notifier {
    supervisor: Supervisor,
    rings: broadcast::Sender<Ring>,
    /// At how many front ends somebody looks.
    attended: watch::Sender<usize>,
    config: watch::Receiver<Arc<NotifyConfig>>,
    doors: Doors,
}

/// That somebody looks at one front end. Dropping it says that they no longer do.
#[must_use]
#[derive(Debug)]
pub struct Looking(watch::Sender<usize>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0
            .send_modify(|looking| *looking = looking.saturating_sub(1));
    }
}

impl Notifier {
    /// Watches `supervisor` from now on, until it has ended.
    pub fn start(supervisor: &Supervisor, doors: Doors) -> Self {
        let notifier = Self {
            supervisor: supervisor.clone(),
            rings: broadcast::Sender::new(RINGS),
            attended: watch::Sender::new(0),
            config: supervisor.notify_config(),
            doors,
        };
        tokio::spawn(notifier.clone().run());
        notifier
    }

    /// What terminals are to ring for from now on.
    pub fn rings(&self) -> broadcast::Receiver<Ring> {
        self.rings.subscribe()
    }

    /// Somebody looks at a front end, until what is returned is dropped: so long nothing is told.
    pub fn looked_at(&self) -> Looking {
        self.attended.send_modify(|looking| *looking += 1);
        Looking(self.attended.clone())
    }

    /// In which ways the person is told now, a line each.
    pub fn state(&self) -> String {
        let config = self.config.borrow().clone();
        let mut said = format!("terminal: {}", on_or_off(config.bell));
        for way in Way::ALL {
            let is_on = way.is_on(&config);
            let why = if is_on { "on" } else { way.why_off(&config) };
            let _ = write!(said, "\n{}: {why}", way.as_str());
        }
        said
    }

    /// Sends a test in every way that is on, at once, and says what came of each. Quiet hours do not hold it.
    pub async fn test(&self) -> String {
        let config = self.config.borrow().clone();
        let message = Message::test();
        let [command, webhook, desktop] = Way::ALL.map(|way| self.tried(way, &config, &message));
        let rung = if config.bell {
            if self.ring(&message) {
                "rung".to_owned()
            } else {
                "no terminal is open here; those that are attached ring".to_owned()
            }
        } else {
            on_or_off(false).to_owned()
        };
        let (command, webhook, desktop) = tokio::join!(command, webhook, desktop);
        format!("terminal: {rung}\n{command}\n{webhook}\n{desktop}")
    }

    /// Whether there is a terminal in this process that rings.
    fn ring(&self, message: &Message) -> bool {
        let Ring { title, body } = Ring::from(message);
        self.supervisor.rang(title, body);
        self.rings.send(Ring::from(message)).is_ok()
    }

    async fn tried(&self, way: Way, config: &NotifyConfig, message: &Message) -> String {
        let name = way.as_str();
        if !way.is_on(config) {
            return format!("{name}: {}", way.why_off(config));
        }
        let begun = Instant::now();
        match self.doors.send(way, config, message).await {
            Ok(()) => format!("{name}: sent, in {} ms", begun.elapsed().as_millis()),
            Err(why) => format!("{name}: failed: {why}"),
        }
    }

    async fn run(self) {
        let supervisor = &self.supervisor;
        let ended = supervisor.ended();
        // dropped at the end, with whatever is under way
        let mut sending = JoinSet::new();
        let waiting = Way::ALL.map(|way| {
            let (newest, taken) = watch::channel(None);
            sending.spawn(self.clone().send_newest(way, taken));
            newest
        });
        let mut bell = Bell::default();
        let start = Instant::now();
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = ended.cancelled() => return,
                _ = looks.tick() => {}
            }
            let config = self.config.borrow().clone();
            let views = supervisor.views();
            let views = views.iter().map(AsRef::as_ref);
            let seen = concern::concerns(views, &supervisor.health(), Utc::now());
            let now = Moment {
                since_start: start.elapsed(),
                local: Local::now().time(),
            };
            let attended = *self.attended.borrow() > 0;
            for effect in bell.step(now, &Rules::from(config.as_ref()), seen, attended) {
                match effect {
                    Effect::Tell(message) => {
                        if config.bell {
                            self.ring(&message);
                        }
                        let message = Arc::new(message);
                        for newest in &waiting {
                            newest.send_replace(Some(Arc::clone(&message)));
                        }
                    }
                    Effect::Withdraw => {
                        for newest in &waiting {
                            newest.send_replace(None);
                        }
                        desktop::close();
                    }
                }
            }
        }
    }

    /// One message after the other; those that came while one was under way but the newest are passed over, for
    /// each tells of all that waits.
    async fn send_newest(self, way: Way, mut newest: watch::Receiver<Option<Arc<Message>>>) {
        let mut failed = false;
        while newest.changed().await.is_ok() {
            let Some(message) = newest.borrow_and_update().clone() else {
                continue;
            };
            let config = self.config.borrow().clone();
            if !way.is_on(&config) {
                continue;
            }
            let sent = self.doors.send(way, &config, &message).await;
            // a session bus without a desktop is what one finds over ssh
            if let Err(why) = &sent
                && !failed
                && way != Way::Desktop
            {
                let text = format!(
                    "you could not be told by `notify.{}`: {why}. `/notify test` tries again",
                    way.as_str()
                );
                self.supervisor.announce(Urgency::Warning, text);
            }
            failed = sent.is_err();
        }
    }
}

const fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "switched off" }
}
