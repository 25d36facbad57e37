//! A model server for tests, on a port of this machine: answers as it is told, and keeps what it was asked.
//!
//! It speaks plain HTTP over a socket of its own, so that it can also answer as no server should: nothing,
//! garbage, or without an end. Every request has a connection of its own.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and is its own server"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A verdict, as a model would give it, that rests on the newest line of the screen.
    Verdict(&'static str, String),
    /// Whatever text, as a model's answer.
    Text(String),
    /// The same after a while.
    Late(Duration, Box<Answer>),
    /// A status, header lines and a body.
    Raw(u16, &'static str, String),
    /// Bytes that are no HTTP.
    Bytes(&'static [u8]),
    /// So many bytes of a JSON text that never becomes one.
    Endless(u64),
    /// Nothing, for as long as the connection stands.
    Nothing,
}

/// A line of `screen` for a verdict to rest on: the newest that says something.
pub fn quote(screen: &str) -> &str {
    let says = |line: &&str| line.chars().filter(|c| c.is_alphanumeric()).count() > 1;
    screen.lines().rev().find(says).unwrap_or(screen).trim()
}

/// The verdict to leave the agent alone.
pub fn leave() -> Answer {
    Answer::Verdict("continue", String::new())
}

/// The verdict to tell the agent `text`.
pub fn instruct(text: &str) -> Answer {
    Answer::Verdict("instruct", text.into())
}

/// The verdict to ask the person `text`.
pub fn ask(text: &str) -> Answer {
    Answer::Verdict("ask_user", text.into())
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// When.
    pub at: Instant,
    /// The first line: `POST /v1/chat/completions HTTP/1.1`.
    pub line: String,
    /// The body.
    pub body: Value,
}

impl Asked {
    /// What the model is told to be.
    pub fn system(&self) -> &str {
        self.message(0)
    }

    /// What it is asked.
    pub fn user(&self) -> &str {
        self.message(1)
    }

    fn message(&self, index: usize) -> &str {
        let pointer = format!("/messages/{index}/content");
        self.body
            .pointer(&pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The part of the question that quotes the screen, between its two marks; it comes last.
    pub fn screen(&self) -> &str {
        screen(self.user()).expect("the screen between its marks")
    }
}

/// The screen that `prompt` quotes; it comes last.
pub fn screen(prompt: &str) -> Option<&str> {
    let (_, quoted) = prompt.rsplit_once("\n<<<")?;
    let (mark, rest) = quoted.split_once('\n')?;
    Some(rest.split_once(&format!("\n{mark}>>>"))?.0)
}

type Rule = dyn Fn(&Asked) -> Answer + Send + Sync;

struct Shared {
    rule: Mutex<Arc<Rule>>,
    asked: Mutex<Vec<Asked>>,
    over: AtomicBool,
}

/// A running server; ends with the test.
pub struct Model {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Model {
    /// A server that leaves every agent alone until it is told otherwise.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            rule: Mutex::new(Arc::new(|_| leave())),
            asked: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&serving);
                // A caller that hangs up is no matter of the test.
                thread::spawn(move || stream.map(|stream| serve(stream, &shared)));
            }
        });
        Self { address, shared }
    }

    /// Answers by `rule` from now on.
    pub fn answers(&self, rule: impl Fn(&Asked) -> Answer + Send + Sync + 'static) {
        *self.shared.rule.lock().unwrap() = Arc::new(rule);
    }

    /// Gives these answers one after the other from now on, and the last one ever again.
    pub fn says(&self, answers: impl IntoIterator<Item = Answer>) {
        let answers: Vec<Answer> = answers.into_iter().collect();
        let given = Mutex::new(0);
        self.answers(move |_| {
            let mut given = given.lock().unwrap();
            let answer = answers.get(*given).or(answers.last()).cloned();
            *given += 1;
            answer.expect("at least one answer")
        });
    }

    /// The base URL.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// What it was asked about the agent whose goal says `goal`.
    pub fn asked_about(&self, goal: &str) -> Vec<Asked> {
        let mut asked = self.asked();
        asked.retain(|asked| asked.user().contains(goal));
        asked
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the one that waits for callers.
        let _ = TcpStream::connect(self.address);
    }
}

/// An address of this machine at which nobody listens.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/v1", listener.local_addr().unwrap())
}

fn serve(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let asked = Asked {
        at: Instant::now(),
        line: line.trim().to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let rule = Arc::clone(&shared.rule.lock().unwrap());
    shared.asked.lock().unwrap().push(asked.clone());
    let seen = screen(asked.user()).unwrap_or_default().to_owned();
    give(&mut stream, rule(&asked), &seen, shared)
}

fn give(
    stream: &mut TcpStream,
    answer: Answer,
    seen: &str,
    shared: &Shared,
) -> std::io::Result<()> {
    match answer {
        Answer::Verdict(action, text) => {
            let verdict = json!({ "action": action, "reasoning": "as the test says", "text": text,
                "quote": quote(seen) });
            give(stream, Answer::Text(verdict.to_string()), seen, shared)
        }
        Answer::Text(text) => {
            let body = json!({
                "model": "scripted",
                "choices": [{ "finish_reason": "stop", "message": { "role": "assistant", "content": text } }],
                "usage": { "prompt_tokens": 900, "completion_tokens": 100 },
            });
            give(stream, Answer::Raw(200, "", body.to_string()), seen, shared)
        }
        Answer::Late(wait, answer) => {
            let until = Instant::now() + wait;
            while Instant::now() < until && !shared.over.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(10));
            }
            give(stream, *answer, seen, shared)
        }
        Answer::Raw(status, headers, body) => write!(
            stream,
            "HTTP/1.1 {status} Scripted\r\n{headers}content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Answer::Bytes(bytes) => stream.write_all(bytes),
        Answer::Endless(bytes) => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n["
            )?;
            let piece = vec![b' '; 64 * 1024];
            let mut left = bytes;
            while left > 0 {
                stream.write_all(&piece)?;
                left = left.saturating_sub(piece.len() as u64);
            }
            Ok(())
        }
        Answer::Nothing => {
            // The end of the connection is all there is to wait for.
            stream.set_read_timeout(Some(Duration::from_millis(50)))?;
            loop {
                match stream.read(&mut [0; 16]) {
                    Ok(0) => return Ok(()),
                    _ if shared.over.load(Ordering::SeqCst) => return Ok(()),
                    _ => {}
                }
            }
        }
    }
}
