//! One supervised agent: its rules, the task that carries them out, and the handle by which it is steered.
//!
//! [`machine`] decides (pure), [`driver`] does, [`view`] is what others see. A [`Handle`] is cheap to clone.
//! Each of its verbs returns once the agent has taken it in; none waits for a model. Dropping the last handle
//! ends the agent as [`Handle::quit`] does, without waiting. If the task dies of a bug, its last view says so
//! and every verb fails with [`Ended`].

mod driver;
pub mod follow;
pub mod machine;
pub mod view;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

pub use driver::Doors;
use machine::{Explanation, Machine, Moment, Settings, Wish};
use view::AgentView;

use chrono::{DateTime, Utc};

use crate::director::prompt::Situation;
use crate::ids::AgentId;
use crate::record::{Program, Receipt};

/// How many orders may wait; more make their sender wait.
const ORDERS: usize = 32;

/// What an agent is told to do.
#[derive(Debug)]
enum Order {
    Stop(oneshot::Sender<()>),
    Start(Option<Program>, oneshot::Sender<()>),
    Reply(String, oneshot::Sender<Receipt>),
    Answer(Wish, oneshot::Sender<Receipt>),
    Hold(Option<DateTime<Utc>>, oneshot::Sender<()>),
    Release(oneshot::Sender<()>),
    Reserve(bool, oneshot::Sender<()>),
    Explain(oneshot::Sender<Box<Explanation>>),
    Set(Box<Settings>, oneshot::Sender<()>),
    Brief(usize, oneshot::Sender<Brief>),
    Quit(oneshot::Sender<()>),
}

/// What a reviewer is told of an agent, beside its memos.
#[derive(Debug, Clone)]
pub struct Brief {
    /// What is known, with nothing of the pane in it yet.
    pub situation: Situation,
    /// What its screens showed lately.
    pub seen_lately: String,
}

/// The agent's task has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the task of this agent has ended")]
pub struct Ended;

/// An agent, as it is steered from outside.
#[derive(Debug, Clone)]
pub struct Handle {
    id: AgentId,
    orders: mpsc::Sender<Order>,
    view: watch::Receiver<Arc<AgentView>>,
}

/// Starts the task of an agent whose rules are `machine`.
pub fn spawn(machine: Machine, doors: Doors) -> Handle {
    let (orders, taken) = mpsc::channel(ORDERS);
    let id = machine.settings().agent.id.clone();
    let (publish, view) = watch::channel(first_view(&machine));
    tokio::spawn(driver::run(machine, doors, taken, publish));
    Handle { id, orders, view }
}

/// An agent as it is seen before its task has begun.
pub fn first_view(machine: &Machine) -> Arc<AgentView> {
    Arc::new(machine.view(Moment {
        since_start: Duration::ZERO,
        wall: chrono::Utc::now(),
    }))
}

impl Handle {
    /// The agent's name.
    pub fn id(&self) -> &AgentId {
        &self.id
    }

    /// The agent as it is now.
    pub fn view(&self) -> Arc<AgentView> {
        Arc::clone(&self.view.borrow())
    }

    /// The agent as it is now and from now on.
    pub fn watch(&self) -> watch::Receiver<Arc<AgentView>> {
        self.view.clone()
    }

    /// Stops it: what is asked is dropped, what is being typed goes no further than the key under way.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn stop(&self) -> Result<(), Ended> {
        self.order(Order::Stop).await
    }

    /// Starts it, and accepts `program` as the one that may be typed to (`None`: the one accepted before).
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn start(&self, program: Option<Program>) -> Result<(), Ended> {
        self.order(|answer| Order::Start(program, answer)).await
    }

    /// Types the person's text, and says what became of it. Takes as long as typing does: seconds.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn reply(&self, text: String) -> Result<Receipt, Ended> {
        self.order(|answer| Order::Reply(text, answer)).await
    }

    /// Answers the dialog that is open for the person, and says what became of it. Takes seconds.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn answer(&self, wish: Wish) -> Result<Receipt, Ended> {
        self.order(|answer| Order::Answer(wish, answer)).await
    }

    /// Holds every nudge until then, or until it is released.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn hold(&self, until: Option<DateTime<Utc>>) -> Result<(), Ended> {
        self.order(|answer| Order::Hold(until, answer)).await
    }

    /// Takes the hold back.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn release(&self) -> Result<(), Ended> {
        self.order(Order::Release).await
    }

    /// Keeps every nudge from it while the mission that it works for is busy with it, or no longer. The person's
    /// hold is a thing apart.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn reserve(&self, reserved: bool) -> Result<(), Ended> {
        self.order(|answer| Order::Reserve(reserved, answer)).await
    }

    /// What is known of it, what would be done now and why.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn explain(&self) -> Result<Explanation, Ended> {
        self.order(Order::Explain).await.map(|explained| *explained)
    }

    /// Changes its settings.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn set(&self, settings: Settings) -> Result<(), Ended> {
        self.order(|answer| Order::Set(Box::new(settings), answer))
            .await
    }

    /// What a reviewer is told, with `chars` characters of what was seen lately.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn brief(&self, chars: usize) -> Result<Brief, Ended> {
        self.order(|answer| Order::Brief(chars, answer)).await
    }

    /// Ends it: what is known is written down, and the task is over when this returns.
    ///
    /// # Errors
    /// [`Ended`], which is just as well.
    pub async fn quit(&self) -> Result<(), Ended> {
        self.order(Order::Quit).await
    }

    async fn order<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, Ended> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(order(answer)).await.map_err(|_| Ended)?;
        answered.await.map_err(|_| Ended)
    }
}
