//! The chat completions of OpenAI, as LM Studio, Ollama, llama.cpp, vLLM, groq and OpenAI itself speak them.
//!
//! Sources: <https://platform.openai.com/docs/api-reference/chat>,
//! <https://lmstudio.ai/docs/advanced/structured-output>.
//!
//! The servers differ in what they take. What one refuses for a model is left out of the same question, asked
//! once more, and out of all later ones: a schema, `max_tokens` where `max_completion_tokens` is wanted, a
//! temperature. What it refused is forgotten with the backend.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::server::{CHECK_DEADLINE, Server};
use super::{
    Answer, Backend, Call, Finish, Health, LlmError, Prompt, THINKING_ROOM, Usage, temperature,
};
use crate::config::BackendType;
use crate::http::{HttpError, Reply};

const KEY_HEADER: (&str, &str) = ("authorization", "Bearer ");

/// One model on an OpenAI-compatible server.
#[derive(Debug)]
pub(super) struct OpenaiCompat {
    server: Server,
    refused: Mutex<Refused>,
}

/// What the server has refused for this model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Refused {
    schema: bool,
    max_tokens: bool,
    temperature: bool,
}

impl Refused {
    /// What to leave out as well after `error`, where that may help. Each answer leaves out one more thing, so
    /// that a question is asked four times at most.
    fn after(self, error: &HttpError, prompt: &Prompt) -> Option<Self> {
        let HttpError::Status {
            code: 400 | 422,
            excerpt,
            ..
        } = error
        else {
            return None;
        };
        let said = excerpt.to_lowercase();
        let mut refused = self;
        if !self.max_tokens && said.contains("max_completion_tokens") {
            refused.max_tokens = true;
        } else if !self.temperature && said.contains("temperature") {
            refused.temperature = true;
        } else if !self.schema && prompt.schema.is_some() {
            // Servers word it in too many ways; a plain question is cheap to try.
            refused.schema = true;
        } else {
            return None;
        }
        Some(refused)
    }
}

impl OpenaiCompat {
    pub(super) fn new(server: Server) -> Self {
        Self {
            server,
            refused: Mutex::default(),
        }
    }

    fn refused(&self) -> Refused {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another question may have learnt something else meanwhile.
    fn remember(&self, refused: Refused) {
        let mut known = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        known.schema |= refused.schema;
        known.max_tokens |= refused.max_tokens;
        known.temperature |= refused.temperature;
    }

    async fn question(&self, prompt: &Prompt) -> Result<Answer, LlmError> {
        let server = &self.server;
        let begun = Instant::now();
        let mut refused = self.refused();
        loop {
            let left = server.deadline.saturating_sub(begun.elapsed());
            let to = server.base.join("chat/completions");
            let request = server.request(to, left, KEY_HEADER)?;
            let body = body(&server.model, prompt, refused);
            match server.http.post_json(&request, &body).await {
                Ok(reply) => {
                    // Only what was answered proves what stood in the way.
                    self.remember(refused);
                    let answer = read(server, prompt, &reply)?;
                    return Ok(Answer {
                        elapsed: begun.elapsed(),
                        ..answer
                    });
                }
                Err(error) => match refused.after(&error, prompt) {
                    Some(more) => refused = more,
                    None => return Err(server.failed(error)),
                },
            }
        }
    }

    async fn health(&self) -> Result<Health, LlmError> {
        let server = &self.server;
        let request = server.request(server.base.join("models"), CHECK_DEADLINE, KEY_HEADER)?;
        let reply = server.http.get(&request).await;
        let reply = reply.map_err(|error| server.failed(error))?;
        let json = server.json(&reply)?;
        let Some(models) = json.get("data").and_then(Value::as_array) else {
            return Err(server.garbage(&reply, "it lists no models"));
        };
        let names = models.iter().filter_map(|model| model.get("id")?.as_str());
        let names = names.map(|name| reply.line(name));
        Ok(Health::new(server.key()?.is_some(), &server.model, names))
    }
}

impl Backend for OpenaiCompat {
    fn name(&self) -> &str {
        BackendType::OpenaiCompat.as_str()
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

fn body(model: &str, prompt: &Prompt, refused: Refused) -> Value {
    let mut messages = Vec::new();
    if !prompt.system.is_empty() {
        messages.push(json!({ "role": "system", "content": prompt.system }));
    }
    messages.push(json!({ "role": "user", "content": prompt.user }));
    let mut body = Map::new();
    body.insert("model".into(), json!(model));
    body.insert("messages".into(), messages.into());
    body.insert("stream".into(), json!(false));
    if refused.max_tokens {
        let bound = prompt.max_tokens.saturating_add(THINKING_ROOM);
        body.insert("max_completion_tokens".into(), json!(bound));
    } else {
        body.insert("max_tokens".into(), json!(prompt.max_tokens));
    }
    if !refused.temperature {
        body.insert("temperature".into(), json!(temperature(prompt)));
    }
    if let Some(schema) = prompt.schema.as_ref().filter(|_| !refused.schema) {
        let format = json!({
            "type": "json_schema",
            "json_schema": { "name": schema.name, "strict": true, "schema": schema.schema },
        });
        body.insert("response_format".into(), format);
    }
    body.into()
}

pub(super) fn read(server: &Server, prompt: &Prompt, reply: &Reply) -> Result<Answer, LlmError> {
    let json = server.json(reply)?;
    let Some(choice) = json.pointer("/choices/0") else {
        return Err(server.garbage(reply, "it has no choices"));
    };
    let Some(message) = choice.get("message").and_then(Value::as_object) else {
        return Err(server.garbage(reply, "its choice has no message"));
    };
    let said = |name: &str| {
        message
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    // Thinking is told apart from the answer under one of these names; it is counted and not read.
    let thought = said("reasoning_content").len() + said("reasoning").len();
    let text = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(text_of_part).collect(),
        Some(Value::Null) => String::new(),
        None if thought > 0 || !said("refusal").is_empty() => String::new(),
        _ => return Err(server.garbage(reply, "its message has no content")),
    };
    let usage = usage(&json).unwrap_or_else(|| Usage::estimated(prompt, text.len() + thought));
    let finish = choice.get("finish_reason").and_then(Value::as_str);
    if !said("refusal").is_empty() {
        return Err(server.blocked(reply.line(said("refusal")), usage));
    }
    if finish == Some("content_filter") {
        return Err(server.blocked("content_filter".into(), usage));
    }
    let model = json.get("model").and_then(Value::as_str);
    Ok(Answer {
        text,
        usage,
        model: model.map_or_else(|| server.model.clone(), |name| reply.line(name)),
        elapsed: std::time::Duration::ZERO,
        finish: match finish {
            Some("length") => Finish::Length,
            _ => Finish::Complete,
        },
    })
}

/// The text of one part of a content that is a list; parts of another type are thinking, sounds or pictures.
fn text_of_part(part: &Value) -> Option<&str> {
    match part.get("type").and_then(Value::as_str) {
        None | Some("text" | "output_text") => part.get("text")?.as_str(),
        _ => None,
    }
}

fn usage(json: &Value) -> Option<Usage> {
    let count = |name: &str| json.get("usage")?.get(name)?.as_u64();
    Usage::reported(count("prompt_tokens"), count("completion_tokens"))
}

#[cfg(test)]
mod tests;
