//! A server that plays the model.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::common::model::{quote, screen};

/// What is asked and answered.
#[derive(Default)]
struct Talk {
    prompts: Vec<String>,
    texts: Vec<String>,
    questions: Vec<String>,
    /// Every so many answers are a question (0: none).
    question_every: usize,
    takes: Duration,
}

/// A model whose every instruction is a new text. It ends with the test.
pub struct Model {
    port: u16,
    talk: Arc<Mutex<Talk>>,
}

impl Model {
    /// A model that takes `takes` for an answer, and whose every `question_every`-th answer is a question.
    pub fn start(takes: Duration, question_every: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let talk = Arc::new(Mutex::new(Talk {
            question_every,
            takes,
            ..Talk::default()
        }));
        let shared = Arc::clone(&talk);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let talk = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &talk));
            }
        });
        Self { port, talk }
    }

    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// What was asked, the newest last.
    pub fn prompts(&self) -> Vec<String> {
        self.talk.lock().unwrap().prompts.clone()
    }

    /// The instructions that were given, whether anybody heard them or not.
    pub fn texts(&self) -> Vec<String> {
        self.talk.lock().unwrap().texts.clone()
    }

    pub fn ask_every(&self, answers: usize) {
        self.talk.lock().unwrap().question_every = answers;
    }
}

/// Tokens of each answer, in and out.
pub const TOKENS: u64 = 10;

fn serve(stream: TcpStream, talk: &Mutex<Talk>) {
    let Ok(mut out) = stream.try_clone() else {
        return;
    };
    let mut input = BufReader::new(stream);
    while let Some(body) = request(&mut input) {
        let answer = answer(&body, talk);
        let takes = talk.lock().unwrap().takes;
        thread::sleep(takes);
        let content = answer.to_string();
        let body = json!({
            "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": TOKENS - 1, "completion_tokens": 1, "total_tokens": TOKENS},
        })
        .to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if out.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn request(input: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        } else if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn answer(question: &Value, talk: &Mutex<Talk>) -> Value {
    let mut talk = talk.lock().unwrap();
    let messages = question["messages"].as_array().into_iter().flatten();
    let prompt: Vec<_> = messages
        .filter_map(|message| message["content"].as_str())
        .collect();
    talk.prompts.push(prompt.join("\n"));
    let number = talk.prompts.len();
    let seen = talk.prompts.last().and_then(|prompt| screen(prompt));
    let rests_on = quote(seen.unwrap_or_default()).to_owned();
    if talk.question_every > 0 && number.is_multiple_of(talk.question_every) {
        let text = format!("Which way is it at crossing {number}?");
        talk.questions.push(text.clone());
        return json!({"action": "ask_user", "reasoning": "unclear", "text": text, "quote": rests_on});
    }
    let text = format!("take step {number} next");
    talk.texts.push(text.clone());
    json!({"action": "instruct", "reasoning": "it waits", "text": text, "quote": rests_on})
}
