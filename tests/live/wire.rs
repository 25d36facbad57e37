//! The wire formats in which agents speak to a model: Anthropic's messages, `OpenAI`'s responses and chat
//! completions. What is read of a request, and the frames of an answer.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

/// A wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Anthropic's `/v1/messages`.
    Messages,
    /// `OpenAI`'s `/v1/responses`.
    Responses,
    /// `OpenAI`'s `/v1/chat/completions`.
    Chat,
}

/// The end of a conversation.
#[derive(Debug, PartialEq, Eq)]
pub enum Newest {
    /// The user said something.
    Text(String),
    /// A tool gave something back.
    ToolResult,
}

/// What agents say in the user's name by themselves begins with one of these.
const OWN_WORDS: [&str; 6] = [
    "<system-reminder>",
    "<environment_context>",
    "<user_instructions>",
    "# AGENTS.md",
    "<turn_aborted>",
    "[Request interrupted",
];

impl Wire {
    /// The format of a path; `None` for what is no conversation.
    pub fn of(path: &str) -> Option<Self> {
        match path {
            path if path.contains("count_tokens") => None,
            path if path.contains("/v1/messages") => Some(Self::Messages),
            path if path.contains("/responses") => Some(Self::Responses),
            path if path.contains("/chat/completions") => Some(Self::Chat),
            _ => None,
        }
    }

    fn items(self, body: &Value) -> &[Value] {
        let items = match self {
            Self::Messages | Self::Chat => &body["messages"],
            Self::Responses => &body["input"],
        };
        items.as_array().map_or(&[], Vec::as_slice)
    }

    /// The user's texts in order, each as it came but for white space around it.
    pub fn user_texts(self, body: &Value) -> Vec<String> {
        let users = self
            .items(body)
            .iter()
            .filter(|item| item["role"] == "user");
        users.flat_map(texts).collect()
    }

    /// What tools gave back, in order.
    pub fn tool_results(self, body: &Value) -> Vec<String> {
        let all = self.items(body).iter();
        match self {
            Self::Messages => all
                .filter_map(|item| item["content"].as_array())
                .flatten()
                .filter(|block| block["type"] == "tool_result")
                .map(|block| block["content"].to_string())
                .collect(),
            Self::Chat => all
                .filter(|item| item["role"] == "tool")
                .map(|item| item["content"].to_string())
                .collect(),
            Self::Responses => all
                .filter(|item| is_output(item))
                .map(|item| item["output"].to_string())
                .collect(),
        }
    }

    /// The newest of the user's texts, and what tools gave back since, as plain text.
    pub fn since_newest_text(self, body: &Value) -> (String, Vec<String>) {
        let mut newest = (String::new(), Vec::new());
        for item in self.items(body) {
            newest.1.extend(self.given_back(item));
            if item["role"] == "user"
                && let Some(text) = texts(item).pop()
            {
                newest = (text, Vec::new());
            }
        }
        newest
    }

    fn given_back(self, item: &Value) -> Vec<String> {
        match self {
            Self::Messages => {
                let blocks = item["content"].as_array().map_or(&[][..], Vec::as_slice);
                let results = blocks.iter().filter(|block| block["type"] == "tool_result");
                results.map(|block| plain(&block["content"])).collect()
            }
            Self::Chat if item["role"] == "tool" => vec![plain(&item["content"])],
            Self::Responses if is_output(item) => vec![plain(&item["output"])],
            Self::Chat | Self::Responses => Vec::new(),
        }
    }

    /// What came last: a user's text or a tool's result.
    pub fn newest(self, body: &Value) -> Newest {
        let items = self.items(body);
        let tool_last = match self {
            Self::Messages => items.last().is_some_and(|item| {
                let blocks = item["content"].as_array().map_or(&[][..], Vec::as_slice);
                blocks.iter().any(|block| block["type"] == "tool_result")
            }),
            Self::Chat => items.last().is_some_and(|item| item["role"] == "tool"),
            Self::Responses => items.last().is_some_and(is_output),
        };
        let text = self.user_texts(body).pop().unwrap_or_default();
        let says_more = items
            .last()
            .is_some_and(|item| item["role"] == "user" && !texts(item).is_empty());
        if tool_last && !(self == Self::Messages && says_more) {
            Newest::ToolResult
        } else {
            Newest::Text(text)
        }
    }
}

fn is_output(item: &Value) -> bool {
    let kind = item["type"].as_str().unwrap_or_default();
    kind.ends_with("_output")
}

/// What a tool gave back: a text, texts in blocks, or a text in an object of its own.
fn plain(content: &Value) -> String {
    match content {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner) if inner["output"].is_string() => plain(&inner["output"]),
            _ => text.clone(),
        },
        Value::Array(blocks) => {
            let texts: Vec<&str> = blocks
                .iter()
                .filter_map(|block| block["text"].as_str())
                .collect();
            texts.join("\n")
        }
        other => other.to_string(),
    }
}

fn texts(item: &Value) -> Vec<String> {
    let whole = match &item["content"] {
        Value::String(text) => vec![text.clone()],
        Value::Array(blocks) => blocks
            .iter()
            .filter_map(|block| Some(block["text"].as_str()?.to_owned()))
            .collect(),
        _ => Vec::new(),
    };
    let own =
        |text: &String| !text.is_empty() && !OWN_WORDS.iter().any(|words| text.starts_with(words));
    let trimmed = whole.iter().map(|text| text.trim().to_owned());
    trimmed.filter(own).collect()
}

/// An answer under way.
pub struct Talk {
    wire: Wire,
    model: Value,
    shell: &'static str,
    id: u64,
    index: u64,
    text: String,
    output: Vec<Value>,
    stop: &'static str,
    /// Whether a command asks for more than its sandbox lets it.
    pub escalates: bool,
}

impl Talk {
    /// The answer to a request.
    pub fn new(wire: Wire, body: &Value) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let tools = body["tools"].as_array().map_or(&[][..], Vec::as_slice);
        let has = |name: &&&str| tools.iter().any(|tool| tool["name"] == **name);
        let shells = ["shell_command", "exec_command", "shell"];
        Self {
            wire,
            model: body["model"].clone(),
            shell: shells.iter().find(has).unwrap_or(&"shell"),
            id: NEXT.fetch_add(1, Ordering::SeqCst),
            index: 0,
            text: String::new(),
            output: Vec::new(),
            stop: "",
            escalates: true,
        }
    }

    /// A file is written: by the tool for that, or, where only the shell is known to be there, by that.
    pub fn write(&mut self, path: &str, text: &str) -> String {
        if self.wire == Wire::Messages {
            self.stop = "tool_use";
            return self.of_messages("Write", &json!({ "file_path": path, "content": text }));
        }
        self.tool(&format!(
            "mkdir -p \"$(dirname {path})\" && cat >{path} <<'END'\n{text}END"
        ))
    }

    fn of_messages(&self, name: &str, input: &Value) -> String {
        let start = frame(&json!({
            "type": "content_block_start", "index": self.index,
            "content_block": { "type": "tool_use", "id": format!("toolu_{}", self.id),
                "name": name, "input": {} },
        }));
        let delta = frame(&json!({
            "type": "content_block_delta", "index": self.index,
            "delta": { "type": "input_json_delta", "partial_json": input.to_string() },
        }));
        let stop = frame(&json!({ "type": "content_block_stop", "index": self.index }));
        format!("{start}{delta}{stop}")
    }

    /// An answer that is not streamed.
    pub fn whole(&self, text: &str) -> String {
        let body = match self.wire {
            Wire::Messages => {
                let mut message = self.message();
                message["content"] = json!([{ "type": "text", "text": text }]);
                message["stop_reason"] = "end_turn".into();
                message
            }
            Wire::Chat => json!({
                "id": "chat", "object": "chat.completion", "model": self.model,
                "choices": [{ "index": 0, "finish_reason": "stop",
                    "message": { "role": "assistant", "content": text } }],
                "usage": { "prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18 },
            }),
            Wire::Responses => self.response("completed"),
        };
        body.to_string()
    }

    fn message(&self) -> Value {
        json!({
            "id": format!("msg_{}", self.id), "type": "message", "role": "assistant", "model": self.model,
            "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": { "input_tokens": 900, "output_tokens": 1 },
        })
    }

    fn response(&self, status: &str) -> Value {
        json!({
            "id": format!("resp_{}", self.id), "object": "response", "created_at": 1_760_000_000,
            "status": status, "model": self.model, "output": self.output,
            "usage": { "input_tokens": 9, "input_tokens_details": { "cached_tokens": 0 },
                "output_tokens": 9, "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 18 },
        })
    }

    fn chunk(&self, delta: &Value, finish: Option<&str>) -> String {
        let chunk = json!({
            "id": format!("chat_{}", self.id), "object": "chat.completion.chunk", "model": self.model,
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
        });
        format!("data: {chunk}\n\n")
    }

    /// The first frames.
    pub fn begin(&mut self) -> String {
        match self.wire {
            Wire::Messages => {
                let message = self.message();
                frame(&json!({ "type": "message_start", "message": message }))
            }
            Wire::Responses => {
                let mut response = self.response("in_progress");
                response["usage"] = Value::Null;
                frame(&json!({ "type": "response.created", "response": response }))
            }
            Wire::Chat => String::new(),
        }
    }

    /// A text begins.
    pub fn begin_text(&mut self) -> String {
        self.stop = "end_turn";
        match self.wire {
            Wire::Messages => frame(&json!({
                "type": "content_block_start", "index": self.index,
                "content_block": { "type": "text", "text": "" },
            })),
            Wire::Responses => frame(&json!({
                "type": "response.output_item.added", "output_index": self.index,
                "item": self.said("in_progress"),
            })),
            Wire::Chat => String::new(),
        }
    }

    /// A piece of the text.
    pub fn word(&mut self, word: &str) -> String {
        self.text.push_str(word);
        match self.wire {
            Wire::Messages => frame(&json!({
                "type": "content_block_delta", "index": self.index,
                "delta": { "type": "text_delta", "text": word },
            })),
            Wire::Responses => frame(&json!({
                "type": "response.output_text.delta", "item_id": format!("item_{}", self.id),
                "output_index": self.index, "content_index": 0, "delta": word,
            })),
            Wire::Chat => self.chunk(&json!({ "role": "assistant", "content": word }), None),
        }
    }

    /// The text ends.
    pub fn end_text(&mut self) -> String {
        let frames = match self.wire {
            Wire::Messages => frame(&json!({ "type": "content_block_stop", "index": self.index })),
            Wire::Responses => {
                let item = self.said("completed");
                self.output.push(item.clone());
                frame(&json!({
                    "type": "response.output_item.done", "output_index": self.index, "item": item,
                }))
            }
            Wire::Chat => String::new(),
        };
        self.index += 1;
        frames
    }

    fn said(&self, status: &str) -> Value {
        let content = match status {
            "completed" => json!([{ "type": "output_text", "text": self.text, "annotations": [] }]),
            _ => json!([]),
        };
        json!({
            "type": "message", "id": format!("item_{}", self.id), "role": "assistant",
            "status": status, "content": content,
        })
    }

    /// The shell is asked for, or, where the command is `ASK`, the person.
    pub fn tool(&mut self, command: &str) -> String {
        self.stop = "tool_use";
        let asks = command == "ASK";
        let input = if asks {
            question()
        } else {
            json!({ "command": command, "description": "Do what was asked for" })
        };
        let of_messages = if asks { "AskUserQuestion" } else { "Bash" };
        let of_chat = if asks { "question" } else { "bash" };
        match self.wire {
            Wire::Messages => self.of_messages(of_messages, &input),
            Wire::Chat => self.chunk(
                &json!({ "role": "assistant", "tool_calls": [{ "index": 0, "id": format!("call_{}", self.id),
                    "type": "function", "function": { "name": of_chat, "arguments": input.to_string() } }] }),
                None,
            ),
            Wire::Responses => {
                let mut arguments = match self.shell {
                    "shell_command" => json!({ "command": command }),
                    "exec_command" => json!({ "cmd": command }),
                    _ => json!({ "command": ["bash", "-c", command] }),
                };
                if self.escalates {
                    arguments["sandbox_permissions"] = "require_escalated".into();
                    arguments["justification"] = "May I run this?".into();
                }
                let item = json!({
                    "type": "function_call", "id": format!("fc_{}", self.id),
                    "call_id": format!("call_{}", self.id), "name": self.shell,
                    "arguments": arguments.to_string(), "status": "completed",
                });
                self.output.push(item.clone());
                let added = frame(&json!({
                    "type": "response.output_item.added", "output_index": self.index, "item": item,
                }));
                let done = frame(&json!({
                    "type": "response.output_item.done", "output_index": self.index, "item": item,
                }));
                format!("{added}{done}")
            }
        }
    }

    /// The last frames.
    pub fn end(&mut self) -> String {
        match self.wire {
            Wire::Messages => {
                let delta = frame(&json!({
                    "type": "message_delta", "usage": { "output_tokens": 42 },
                    "delta": { "stop_reason": self.stop, "stop_sequence": null },
                }));
                format!("{delta}{}", frame(&json!({ "type": "message_stop" })))
            }
            Wire::Responses => frame(
                &json!({ "type": "response.completed", "response": self.response("completed") }),
            ),
            Wire::Chat => {
                let finish = if self.stop == "tool_use" {
                    "tool_calls"
                } else {
                    "stop"
                };
                format!("{}data: [DONE]\n\n", self.chunk(&json!({}), Some(finish)))
            }
        }
    }
}

/// A question to the person, with options.
fn question() -> Value {
    let option =
        |label: &str, description: &str| json!({ "label": label, "description": description });
    json!({ "questions": [{
        "question": "Which database should the service use?", "header": "Database",
        "multiSelect": false, "multiple": false,
        "options": [option("Postgres", "Relational, proven"), option("SQLite", "Embedded")],
    }] })
}

/// An event with its type as its name.
fn frame(event: &Value) -> String {
    let name = event["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {event}\n\n")
}
