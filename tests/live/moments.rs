//! When a transaction of the supervisor's hands took which step, as its diagnostics tell it.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, filter};

/// A step of a transaction: what was done, and when.
#[derive(Debug, Clone)]
pub struct Step {
    /// `permit`, `placed`, `enter`, `over`.
    pub name: String,
    /// When.
    pub at: Instant,
}

/// The steps so far.
#[derive(Clone, Default)]
pub struct Moments(Arc<Mutex<Vec<Step>>>);

impl Moments {
    /// Listens from now on, to all of this process.
    pub fn begin() -> Self {
        let this = Self::default();
        let hands = filter::filter_fn(|meta| meta.target() == "meta_orchestrator::hands");
        tracing_subscriber::registry()
            .with(this.clone().with_filter(hands))
            .init();
        this
    }

    /// The first step of that name since then.
    pub fn since(&self, then: Instant, name: &str) -> Option<Instant> {
        let steps = self.0.lock().unwrap();
        let mut steps = steps.iter().filter(|step| step.at >= then);
        Some(steps.find(|step| step.name == name)?.at)
    }

    /// All steps since then.
    pub fn all(&self, then: Instant) -> Vec<Step> {
        let steps = self.0.lock().unwrap();
        steps
            .iter()
            .filter(|step| step.at >= then)
            .cloned()
            .collect()
    }
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for Moments {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message::default();
        event.record(&mut message);
        self.0.lock().unwrap().push(Step {
            name: message.0,
            at: Instant::now(),
        });
    }
}
