//! Why a model gave no answer, and what to do about it.

use std::time::Duration;

use super::Usage;
use super::key::how_to_set;
use crate::config::BackendType;
use crate::error::{Failure, Kind};
use crate::http::HttpError;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The wire format.
    pub kind: BackendType,
    /// The server: scheme, host and port.
    pub server: String,
    /// The model.
    pub model: String,
    /// Whether the server is this machine.
    pub is_local: bool,
    /// The environment variable that is asked for the key.
    pub key_variable: Option<String>,
}

/// Why a model gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LlmError {
    /// `builtin` is no server.
    #[error("the backend `builtin` has no server to ask")]
    NoServer,
    /// The base URL is wrong.
    #[error("a backend's `baseUrl` is wrong")]
    Address(#[source] HttpError),
    /// The key is not where it should be.
    #[error("could not ask `{}`: the environment variable {variable}, which holds the key, is not set", asked.model)]
    NoKey {
        /// What was to be asked.
        asked: Box<Asked>,
        /// The environment variable.
        variable: String,
    },
    /// No answer came.
    #[error("could not ask `{}`", asked.model)]
    Http {
        /// What was asked.
        asked: Box<Asked>,
        /// Why.
        source: HttpError,
    },
    /// The server said under the status 200 that something is wrong.
    #[error("{} did not pass the question on to `{}`: {message}", asked.server, asked.model)]
    Said {
        /// What was asked.
        asked: Box<Asked>,
        /// What it said, in one line of at most 1,000 characters.
        message: String,
    },
    /// The question or the answer was held back.
    #[error("`{}` held its answer back: {reason}", asked.model)]
    Blocked {
        /// What was asked.
        asked: Box<Asked>,
        /// Why, in the server's words, in one line of at most 1,000 characters.
        reason: String,
        /// What it cost all the same.
        usage: Usage,
    },
    /// What came is not of the form.
    #[error("{} answered in a form that is not understood ({problem}): {excerpt}", asked.server)]
    Garbage {
        /// What was asked.
        asked: Box<Asked>,
        /// What is wrong with it.
        problem: &'static str,
        /// Its beginning, in one line of at most 1,000 characters.
        excerpt: String,
    },
}

impl LlmError {
    /// Whether the same question may be answered later, with nothing changed here.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Http { source, .. } => source.is_transient(),
            Self::Garbage { .. } => true,
            _ => false,
        }
    }

    /// How long to wait, from now on, before asking again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Http { source, .. } => source.retry_after(),
            _ => None,
        }
    }

    /// What the call cost, as far as is known.
    pub fn usage(&self) -> Usage {
        match self {
            Self::Blocked { usage, .. } => *usage,
            _ => Usage::default(),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::NoServer | Self::Address(_) => Kind::Usage,
            Self::NoKey { .. } => Kind::Missing,
            Self::Http { source, .. } => source.kind(),
            Self::Said { .. } | Self::Blocked { .. } | Self::Garbage { .. } => Kind::Failed,
        }
    }
}

impl From<LlmError> for Failure {
    fn from(error: LlmError) -> Self {
        let failure = Self::from_error(error.kind(), &error);
        match error {
            LlmError::NoServer => failure.hint("set `type` to openaiCompat or gemini"),
            LlmError::Address(_) => failure.hint("write it as http://127.0.0.1:11211/v1"),
            LlmError::NoKey { asked, variable } => {
                failure.hint(how_to_set(asked.kind, Some(&variable)))
            }
            LlmError::Http { asked, source } => match http_hint(&asked, &source) {
                Some(hint) => failure.hint(hint),
                None => Self {
                    hints: Self::from(source).hints,
                    ..failure
                },
            },
            LlmError::Said { .. } | LlmError::Garbage { .. } => failure.hint(
                "check the backend's `baseUrl`: for an OpenAI-compatible server it usually ends in /v1",
            ),
            LlmError::Blocked { .. } => {
                failure.hint("look at the pane for what the provider may object to, or use another model")
            }
        }
    }
}

/// What helps against `source`, where the HTTP error's own hint is not the better one.
fn http_hint(asked: &Asked, source: &HttpError) -> Option<String> {
    let key = || how_to_set(asked.kind, asked.key_variable.as_deref());
    Some(match source {
        HttpError::Unreachable { .. } | HttpError::BreakerOpen { .. } if asked.is_local => {
            "start the model server: `lms server start` or the Developer tab of LM Studio, \
             `ollama serve`, `llama-server`; and check the port in the backend's `baseUrl`"
                .into()
        }
        HttpError::Unreachable { .. } => "check the network, and the backend's `baseUrl`".into(),
        HttpError::TimedOut { .. } => {
            "give the backend a larger `timeoutSec`, or a model that answers faster".into()
        }
        HttpError::Crowded { .. } => "raise `limits.callsAtOnce`, or `timeoutSec`".into(),
        HttpError::Status {
            code: 401 | 403, ..
        } => key(),
        // What Gemini answers to a wrong key.
        HttpError::Status {
            code: 400, excerpt, ..
        } if excerpt.to_lowercase().contains("api key") => key(),
        HttpError::Status { code: 404, .. } => format!(
            "check the backend's `baseUrl` and `model`; `doctor` lists the models of {}",
            asked.server
        ),
        HttpError::Status { code: 429, .. } => {
            "the quota or the rate of this key is used up: wait, or use another model".into()
        }
        _ => return None,
    })
}
