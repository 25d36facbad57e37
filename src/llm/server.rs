//! What both wire formats share: one model's server, its key and its deadline.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Asked, Key, LlmError, Usage};
use crate::config::{BackendConfig, BackendType};
use crate::http::{Endpoint, Http, HttpError, Reply, Request};

/// How long a check may take.
pub(super) const CHECK_DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Server {
    pub(super) http: Http,
    pub(super) base: Endpoint,
    pub(super) model: String,
    pub(super) deadline: Duration,
    kind: BackendType,
    key: Key,
    key_variable: Option<String>,
}

impl Server {
    pub(super) fn new(
        config: &BackendConfig,
        http: &Http,
        default_deadline: Duration,
        key: Key,
    ) -> Result<Self, LlmError> {
        let deadline = config.timeout_sec.map(crate::config::Seconds::duration);
        Ok(Self {
            http: http.clone(),
            base: Endpoint::parse(config.base_url()).map_err(LlmError::Address)?,
            model: config.model().to_owned(),
            deadline: deadline.unwrap_or(default_deadline),
            kind: config.kind,
            key,
            key_variable: config.key_variable().map(str::to_owned),
        })
    }

    /// A request that carries the key, where there is one, in the header `name` behind `prefix`.
    pub(super) fn request(
        &self,
        to: Endpoint,
        deadline: Duration,
        (name, prefix): (&str, &str),
    ) -> Result<Request, LlmError> {
        let request = Request::new(to, deadline);
        Ok(match self.key()? {
            Some(key) => {
                let value = format!("{prefix}{}", key.expose_secret());
                request.header(name, value.into())
            }
            None => request,
        })
    }

    pub(super) fn key(&self) -> Result<Option<SecretString>, LlmError> {
        self.key.read().map_err(|variable| LlmError::NoKey {
            asked: Box::new(self.asked()),
            variable,
        })
    }

    fn asked(&self) -> Asked {
        Asked {
            kind: self.kind,
            server: self.base.server().to_owned(),
            model: self.model.clone(),
            is_local: self.base.is_loopback(),
            key_variable: self.key_variable.clone(),
        }
    }

    pub(super) fn failed(&self, source: HttpError) -> LlmError {
        LlmError::Http {
            asked: Box::new(self.asked()),
            source,
        }
    }

    /// The error for an answer that is not of the form.
    pub(super) fn garbage(&self, reply: &Reply, problem: &'static str) -> LlmError {
        LlmError::Garbage {
            asked: Box::new(self.asked()),
            problem,
            excerpt: reply.excerpt(),
        }
    }

    pub(super) fn blocked(&self, reason: String, usage: Usage) -> LlmError {
        LlmError::Blocked {
            asked: Box::new(self.asked()),
            reason,
            usage,
        }
    }

    /// The answer as JSON. An error told under the status 200 is one: LM Studio does so for an address that it
    /// does not know, and some gateways do for everything.
    pub(super) fn json(&self, reply: &Reply) -> Result<Value, LlmError> {
        let json: Value = serde_json::from_slice(&reply.body)
            .map_err(|_| self.garbage(reply, "it is no JSON"))?;
        match json.get("error") {
            None | Some(Value::Null) => Ok(json),
            Some(_) => Err(LlmError::Said {
                asked: Box::new(self.asked()),
                message: reply.excerpt(),
            }),
        }
    }
}
