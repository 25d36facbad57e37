//! Asks a language model: one question, one answer, over whichever wire format its server speaks.
//!
//! A [`Backend`] is one model on one server. Two formats are known: [`openai_compat`], which LM Studio, Ollama,
//! llama.cpp, vLLM, groq and OpenAI speak, and [`gemini`]. [`backend`] makes one from its configuration.
//! `director` asks it, and `doctor` lets it check itself.
//!
//! It never decides what an answer means, never stores anything about an agent (so that a failed call changes
//! nobody's memory), and never shows a key: keys are read when they are needed, sent in a header, and struck
//! out of whatever a server says. The rules that need no server, `builtin`, are no backend; they are
//! `director`'s.

mod gemini;
mod openai_compat;

mod error;
mod key;
mod server;

#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::config::{BackendConfig, BackendType};
use crate::http::Http;

pub use error::{Asked, LlmError};
pub use key::Environment;
use key::Key;
use server::Server;

/// The room that is added for a model's thinking, in tokens, where thinking counts against the bound of the
/// answer and the server says so: Gemini's models and OpenAI's reasoning models think before they answer, and
/// with a bound for the answer alone they would often end before its first word.
/// Source: <https://ai.google.dev/gemini-api/docs/thinking>.
pub const THINKING_ROOM: u32 = 8_192;

/// How many models a [`Health`] names.
const MODELS_SHOWN: usize = 50;
/// A server that reports more than this for one call is not believed.
const TOKENS_MAX: u64 = 100_000_000;

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// What the model is and how it answers; may be empty.
    pub system: String,
    /// The question itself.
    pub user: String,
    /// The form of the answer, where it is to be JSON. A request, no promise: a server that knows no schemas
    /// answers without, so that the text of the prompt must ask for the form too.
    pub schema: Option<AnswerSchema>,
    /// The bound of the answer, in tokens. Where thinking is known to count against it, [`THINKING_ROOM`] is
    /// added; a model on this machine that thinks counts it too and says nothing, so be generous: 1,000 for
    /// one short JSON object.
    pub max_tokens: u32,
    /// How freely the model chooses, from 0 to 2; left out for models that refuse it.
    pub temperature: f32,
}

/// The form of an answer as a JSON schema.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerSchema {
    /// Its name: 1 to 64 letters, digits, `_` or `-`.
    pub name: String,
    /// The schema. For servers with strict schemas every object needs `additionalProperties: false` and lists
    /// all its properties as `required`.
    pub schema: Value,
}

/// What a call cost, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// What was sent.
    pub input: u64,
    /// What came back, thinking included.
    pub output: u64,
    /// Whether the server reported it; otherwise it is estimated at four bytes a token.
    pub reported: bool,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// By itself.
    Complete,
    /// At the bound of tokens: the text is cut, or empty where thinking has used the bound up.
    Length,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the model said, as it said it; untrusted, may be empty, at most 1 MiB.
    pub text: String,
    /// What it cost.
    pub usage: Usage,
    /// The model that answered, by its own account.
    pub model: String,
    /// How long it took, retries included.
    pub elapsed: Duration,
    /// How it ended.
    pub finish: Finish,
}

/// What a backend found out about its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether a key is sent.
    pub has_key: bool,
    /// Whether the server lists the configured model. LM Studio answers for any name with the model that it
    /// has loaded, so that this is a warning at most.
    pub model_listed: bool,
    /// The first 50 models that it lists.
    pub models: Vec<String>,
    /// How many it lists in all.
    pub models_in_all: usize,
}

impl Health {
    fn new(has_key: bool, configured: &str, names: impl Iterator<Item = String>) -> Self {
        let mut health = Self {
            has_key,
            model_listed: false,
            models: Vec::new(),
            models_in_all: 0,
        };
        for name in names {
            health.model_listed |= name == configured;
            health.models_in_all += 1;
            if health.models.len() < MODELS_SHOWN {
                health.models.push(name);
            }
        }
        health
    }
}

/// The call of a backend, under way. Dropping it ends the call.
pub type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, LlmError>> + Send + 'a>>;

/// One model on one server.
pub trait Backend: fmt::Debug + Send + Sync {
    /// The wire format, by its name in the configuration: `openaiCompat`.
    fn name(&self) -> &str;
    /// The server: scheme, host and port.
    fn server(&self) -> &str;
    /// The model, by its name in the configuration.
    fn model(&self) -> &str;
    /// Whether the server's address is this very machine, so that what is sent stays here (unless the server
    /// itself passes it on).
    fn is_local(&self) -> bool;
    /// Asks. Ends within the backend's deadline, answer or none.
    fn ask<'a>(&'a self, prompt: &'a Prompt) -> Call<'a, Answer>;
    /// Finds out whether the server answers, the key is there, and the model is known, without asking the model.
    /// Ends within 10 seconds.
    fn check(&self) -> Call<'_, Health>;
}

/// The backend of a configuration. Nothing is sent, and no key read, before it is asked.
///
/// `default_deadline` bounds one question, retries included, where the configuration names no bound.
///
/// # Errors
/// When the base URL is none, and for `builtin`, which has no server.
pub fn backend(
    config: &BackendConfig,
    http: &Http,
    default_deadline: Duration,
) -> Result<Arc<dyn Backend>, LlmError> {
    backend_in(config, http, default_deadline, |name| {
        std::env::var(name).ok()
    })
}

/// The same with another place than the process's environment to look for keys.
///
/// # Errors
/// As [`backend`].
pub fn backend_in(
    config: &BackendConfig,
    http: &Http,
    default_deadline: Duration,
    environment: Environment,
) -> Result<Arc<dyn Backend>, LlmError> {
    let server = || Server::new(config, http, default_deadline, Key::of(config, environment));
    match config.kind {
        BackendType::OpenaiCompat => Ok(Arc::new(openai_compat::OpenaiCompat::new(server()?))),
        BackendType::Gemini => Ok(Arc::new(gemini::Gemini::new(server()?))),
        BackendType::Builtin => Err(LlmError::NoServer),
    }
}

impl Usage {
    /// What the server reported, where that can be true: a question costs something.
    fn reported(input: Option<u64>, output: Option<u64>) -> Option<Self> {
        let within = |tokens: &u64| *tokens <= TOKENS_MAX;
        Some(Self {
            input: input.filter(within).filter(|tokens| *tokens > 0)?,
            output: output.filter(within)?,
            reported: true,
        })
    }

    fn estimated(prompt: &Prompt, answered_bytes: usize) -> Self {
        let schema = prompt.schema.as_ref();
        let schema_bytes = schema.map_or(0, |schema| schema.schema.to_string().len());
        let sent_bytes = prompt.system.len() + prompt.user.len() + schema_bytes;
        let tokens = |bytes: usize| u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX);
        Self {
            input: tokens(sent_bytes),
            output: tokens(answered_bytes),
            reported: false,
        }
    }
}

impl std::ops::Add for Usage {
    type Output = Self;

    /// The sum; it counts as reported only where both are.
    fn add(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            reported: self.reported && other.reported,
        }
    }
}

/// `temperature` as the number that was written, not as its nearest binary fraction.
fn temperature(prompt: &Prompt) -> f64 {
    (f64::from(prompt.temperature) * 1000.0).round() / 1000.0
}
