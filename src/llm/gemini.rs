//! Google's `generateContent`.
//!
//! Sources: <https://ai.google.dev/api/generate-content>,
//! <https://ai.google.dev/gemini-api/docs/structured-output>, <https://ai.google.dev/gemini-api/docs/thinking>.
//!
//! The key goes into the header `x-goog-api-key`, never into the address. Models from 2.5 on think before they
//! answer, and their thoughts count against `maxOutputTokens` and are paid for: [`THINKING_ROOM`] is added to the
//! bound of the answer, and a bound that thinking has used up all the same shows as an empty text that ended
//! by [`Finish::Length`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::server::{CHECK_DEADLINE, Server};
use super::{
    Answer, Backend, Call, Finish, Health, LlmError, Prompt, THINKING_ROOM, Usage, temperature,
};
use crate::config::BackendType;
use crate::http::{HttpError, Reply};

const KEY_HEADER: (&str, &str) = ("x-goog-api-key", "");

/// One model of Google's.
#[derive(Debug)]
pub(super) struct Gemini {
    server: Server,
    refuses_schema: AtomicBool,
}

impl Gemini {
    pub(super) fn new(server: Server) -> Self {
        Self {
            server,
            refuses_schema: AtomicBool::new(false),
        }
    }

    async fn question(&self, prompt: &Prompt) -> Result<Answer, LlmError> {
        let server = &self.server;
        let begun = Instant::now();
        let to = server
            .base
            .join(&format!("{}:generateContent", path(&server.model)));
        let mut with_schema =
            prompt.schema.is_some() && !self.refuses_schema.load(Ordering::Relaxed);
        loop {
            let left = server.deadline.saturating_sub(begun.elapsed());
            let request = server.request(to.clone(), left, KEY_HEADER)?;
            let request = request.pause_in_body(retry_delay);
            match server
                .http
                .post_json(&request, &body(prompt, with_schema))
                .await
            {
                Ok(reply) => {
                    if prompt.schema.is_some() && !with_schema {
                        self.refuses_schema.store(true, Ordering::Relaxed);
                    }
                    let answer = read(server, prompt, &reply)?;
                    return Ok(Answer {
                        elapsed: begun.elapsed(),
                        ..answer
                    });
                }
                Err(error) if with_schema && refuses_schema(&error) => with_schema = false,
                Err(error) => return Err(server.failed(error)),
            }
        }
    }

    async fn health(&self) -> Result<Health, LlmError> {
        let server = &self.server;
        let to = server.base.join("models").with_query("pageSize", "1000");
        let request = server.request(to, CHECK_DEADLINE, KEY_HEADER)?;
        let reply = server.http.get(&request).await;
        let reply = reply.map_err(|error| server.failed(error))?;
        let json = server.json(&reply)?;
        let Some(models) = json.get("models").and_then(Value::as_array) else {
            return Err(server.garbage(&reply, "it lists no models"));
        };
        let names = models
            .iter()
            .filter_map(|model| model.get("name")?.as_str());
        let names = names.map(|name| reply.line(name.strip_prefix("models/").unwrap_or(name)));
        let configured = server.model.strip_prefix("models/");
        let configured = configured.unwrap_or(&server.model);
        Ok(Health::new(server.key()?.is_some(), configured, names))
    }
}

impl Backend for Gemini {
    fn name(&self) -> &str {
        BackendType::Gemini.as_str()
    }
    fn server(&self) -> &str {
        self.server.base.server()
    }
    fn model(&self) -> &str {
        &self.server.model
    }
    fn is_local(&self) -> bool {
        self.server.base.is_loopback()
    }
    fn ask<'a>(&'a self, prompt: &'a Prompt) -> Call<'a, Answer> {
        Box::pin(self.question(prompt))
    }
    fn check(&self) -> Call<'_, Health> {
        Box::pin(self.health())
    }
}

/// Where a model is below the base URL: `gemini-2.5-pro` and `models/gemini-2.5-pro` are one.
fn path(model: &str) -> String {
    if model.contains('/') {
        model.to_owned()
    } else {
        format!("models/{model}")
    }
}

fn body(prompt: &Prompt, with_schema: bool) -> Value {
    let mut config = Map::new();
    let bound = prompt.max_tokens.saturating_add(THINKING_ROOM);
    config.insert("maxOutputTokens".into(), json!(bound));
    config.insert("temperature".into(), json!(temperature(prompt)));
    if let Some(schema) = prompt.schema.as_ref().filter(|_| with_schema) {
        config.insert("responseMimeType".into(), json!("application/json"));
        config.insert("responseJsonSchema".into(), schema.schema.clone());
    }
    let mut body = Map::new();
    if !prompt.system.is_empty() {
        let system = json!({ "parts": [{ "text": prompt.system }] });
        body.insert("systemInstruction".into(), system);
    }
    let contents = json!([{ "role": "user", "parts": [{ "text": prompt.user }] }]);
    body.insert("contents".into(), contents);
    body.insert("generationConfig".into(), config.into());
    body.into()
}

/// Whether the server refused the fields about the answer's form. Every other 400 (a wrong key is one) is what
/// it is.
fn refuses_schema(error: &HttpError) -> bool {
    let HttpError::Status {
        code: 400, excerpt, ..
    } = error
    else {
        return false;
    };
    let said = excerpt.to_lowercase();
    ["schema", "json mode", "mime"]
        .iter()
        .any(|word| said.contains(word))
}

pub(super) fn read(server: &Server, prompt: &Prompt, reply: &Reply) -> Result<Answer, LlmError> {
    let json = server.json(reply)?;
    let candidate = json.pointer("/candidates/0");
    let parts = candidate.and_then(|candidate| candidate.pointer("/content/parts")?.as_array());
    let text: String = parts
        .into_iter()
        .flatten()
        .filter_map(text_of_part)
        .collect();
    let usage = usage(&json).unwrap_or_else(|| Usage::estimated(prompt, text.len()));
    let reason = json.pointer("/promptFeedback/blockReason");
    if let Some(reason) = reason.and_then(Value::as_str) {
        return Err(server.blocked(reply.line(reason), usage));
    }
    let Some(candidate) = candidate else {
        return Err(server.garbage(reply, "it has no candidates"));
    };
    let reason = candidate.get("finishReason").and_then(Value::as_str);
    let finish = match reason {
        Some("MAX_TOKENS") => Finish::Length,
        None | Some("STOP" | "FINISH_REASON_UNSPECIFIED") => Finish::Complete,
        // SAFETY, RECITATION, PROHIBITED_CONTENT and more: what text there is was cut off, and must not be used.
        Some(reason) => return Err(server.blocked(reply.line(reason), usage)),
    };
    if parts.is_none() && reason.is_none() {
        return Err(server.garbage(reply, "its candidate has no content"));
    }
    let model = json.get("modelVersion").and_then(Value::as_str);
    Ok(Answer {
        text,
        usage,
        model: model.map_or_else(|| server.model.clone(), |name| reply.line(name)),
        elapsed: Duration::ZERO,
        finish,
    })
}

/// The text of one part, unless it is a thought.
fn text_of_part(part: &Value) -> Option<&str> {
    match part.get("thought") {
        Some(Value::Bool(true)) => None,
        _ => part.get("text")?.as_str(),
    }
}

/// Thoughts are paid for as output, and told apart from it.
fn usage(json: &Value) -> Option<Usage> {
    let count = |name: &str| json.get("usageMetadata")?.get(name)?.as_u64();
    // An answer that thinking has used up, or that was blocked, has no `candidatesTokenCount`.
    let answer = count("candidatesTokenCount").unwrap_or_default();
    let thoughts = count("thoughtsTokenCount").unwrap_or_default();
    Usage::reported(
        count("promptTokenCount"),
        Some(answer.saturating_add(thoughts)),
    )
}

/// How long a refusal asks to wait. Google sends no `Retry-After` but a `google.rpc.RetryInfo` in the body, with
/// a delay such as `22s` or `22.5s`. Source: <https://google.aip.dev/193>.
pub(super) fn retry_delay(body: &[u8]) -> Option<Duration> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let details = json.pointer("/error/details")?.as_array()?;
    let delay = details
        .iter()
        .find_map(|detail| detail.get("retryDelay")?.as_str())?;
    let seconds = delay.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests;
