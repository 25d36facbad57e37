//! The ways in which a message goes out: a program, a webhook, the desktop; the terminals are the front ends'.
//!
//! Each has a deadline, and says in a line what came of it, without ever showing a webhook's address. A shell is
//! never involved, and nothing is tried that the configuration does not name.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::concern::Kind;
use super::desktop;
use super::message::Message;
use crate::config::{Argv, NotifyConfig, WebhookConfig};
use crate::director::text::plain;
use crate::host::{Call, Host};
use crate::http::{Endpoint, Http, HttpError, Request};
use crate::ids::AgentId;

/// How long one message may take in one way.
pub const DEADLINE: Duration = Duration::from_secs(20);
/// How much of what a program says is read, in bytes.
const OUTPUT: usize = 16 * 1024;
/// How much of it is shown, in characters.
const SHOWN: usize = 200;
/// The version of what a webhook is sent.
const VERSION: u32 = 1;

/// A way that leaves this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A program of the person's.
    Command,
    /// An address of the person's.
    Webhook,
    /// The desktop.
    Desktop,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Command, Self::Webhook, Self::Desktop];

    /// Its name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Webhook => "webhook",
            Self::Desktop => "desktop",
        }
    }

    /// Whether the configuration names it, and the program can do it.
    pub fn is_on(self, config: &NotifyConfig) -> bool {
        match self {
            Self::Command => config.command.is_some(),
            Self::Webhook => config.webhook.is_some(),
            Self::Desktop => config.desktop && desktop::is_there(),
        }
    }

    /// Why it is not on, for those who test it.
    pub fn why_off(self, config: &NotifyConfig) -> &'static str {
        match self {
            Self::Command | Self::Webhook => "not configured",
            Self::Desktop if !config.desktop => "switched off",
            Self::Desktop => desktop::WHY_NOT,
        }
    }
}

/// The doors through which messages go out.
#[derive(Debug, Clone)]
pub struct Doors {
    /// Where programs run.
    pub host: Host,
    /// Over which webhooks are called: one of their own, so that they stand in no backend's way.
    pub http: Http,
    /// Where addresses and headers are looked up.
    pub environment: fn(&str) -> Option<String>,
    /// How long one message may take in one way.
    pub deadline: Duration,
}

impl Default for Doors {
    fn default() -> Self {
        Self {
            host: Host::local(),
            http: Http::new(1),
            environment: |name| std::env::var(name).ok(),
            deadline: DEADLINE,
        }
    }
}

impl Doors {
    /// Sends a message by a way that is on; an error is a line for the person.
    pub(super) async fn send(
        &self,
        way: Way,
        config: &NotifyConfig,
        message: &Message,
    ) -> Result<(), String> {
        match way {
            Way::Command => match &config.command {
                Some(argv) => self.run(argv, message).await,
                None => Ok(()),
            },
            Way::Webhook => match &config.webhook {
                Some(hook) => self.post(hook, message).await,
                None => Ok(()),
            },
            Way::Desktop => desktop::show(message, self.deadline).await,
        }
    }

    async fn run(&self, argv: &Argv, message: &Message) -> Result<(), String> {
        let named = argv.program();
        let program = if named.starts_with('/') {
            Some(PathBuf::from(named))
        } else {
            self.host.find_program(named)
        };
        let program = program.ok_or_else(|| format!("`{}` is not in PATH", plain(named)))?;
        let call = Call::new(program, self.deadline)
            .args(argv.arguments())
            .max_output(OUTPUT)
            .stdin(format!("{}\n{}\n", message.title, message.body));
        let call = facts(message)
            .into_iter()
            .fold(call, |call, (name, value)| call.env(name, value));
        let ran = self.host.run(call).await;
        let ran = ran.map_err(|error| plain(&crate::error::in_full(&error)))?;
        if ran.succeeded() {
            return Ok(());
        }
        let ended = match (ran.code, ran.signal) {
            _ if ran.cut => "it said too much, and was ended".to_owned(),
            (Some(code), _) => format!("it ended with exit code {code}"),
            (None, Some(signal)) => format!("signal {signal} ended it"),
            (None, None) => "it did not end well".to_owned(),
        };
        let said = plain(&String::from_utf8_lossy(&ran.stderr));
        let said: String = said.chars().take(SHOWN).collect();
        Err(if said.is_empty() {
            ended
        } else {
            format!("{ended}: {said}")
        })
    }

    async fn post(&self, hook: &WebhookConfig, message: &Message) -> Result<(), String> {
        let looked_up = |name: &str| {
            let found = (self.environment)(name).map(|value| value.trim().to_owned());
            found
                .filter(|value| !value.is_empty())
                .ok_or_else(|| format!("the environment variable {} is not set", plain(name)))
        };
        let url: SecretString = match (&hook.url, &hook.url_env) {
            (Some(url), _) => url.clone(),
            (None, Some(name)) => looked_up(name)?.into(),
            (None, None) => return Err("it has neither `url` nor `urlEnv`".into()),
        };
        let to = Endpoint::secret(url.expose_secret()).map_err(|error| error.to_string())?;
        let mut request = Request::new(to, self.deadline);
        for (header, name) in &hook.headers_env {
            request = request.header(header, looked_up(name)?.into());
        }
        let sent = self.http.post_json(&request, &json_of(message)).await;
        sent.map(|_| ()).map_err(|error| match error {
            // what it says may repeat the address that it was called by
            HttpError::Status { server, code, .. } => format!("{server} answered {code}"),
            other => plain(&crate::error::in_full(&other)),
        })
    }
}

/// The same words under the names by which Slack (`text`) and Discord (`content`) take them.
fn json_of(message: &Message) -> serde_json::Value {
    let text = format!("{}\n{}", message.title, message.body);
    json!({
        "v": VERSION,
        "title": message.title,
        "body": message.body,
        "text": text,
        "content": text,
        "agents": message.agents,
        "kinds": message.kinds,
        "count": message.count,
        "again": message.again,
    })
}

/// What a program finds in its environment.
fn facts(message: &Message) -> [(&'static str, String); 5] {
    let agents: Vec<&str> = message.agents.iter().map(AgentId::as_str).collect();
    let kinds: Vec<&str> = message.kinds.iter().copied().map(Kind::as_str).collect();
    [
        ("META_ORCHESTRATOR_TITLE", message.title.clone()),
        ("META_ORCHESTRATOR_AGENTS", agents.join(" ")),
        ("META_ORCHESTRATOR_KINDS", kinds.join(" ")),
        ("META_ORCHESTRATOR_COUNT", message.count.to_string()),
        (
            "META_ORCHESTRATOR_AGAIN",
            u8::from(message.again).to_string(),
        ),
    ]
}

#[cfg(test)]
mod tests;
