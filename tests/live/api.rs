//! A model service on the loopback that real agents talk to: scripted by words in the newest user text, it keeps
//! every user text that reached it.
//!
//! `AFTER n` waits n milliseconds before it answers, `SLOW n` streams a text over n seconds, `TOOL command` asks to
//! run a command (the rest of the text; `ASK` asks the person a question), `HANG TOOL command` streams a few words, falls silent, and asks once
//! [`Api::release`] is called. A worker that is told to read a brief does what [`super::brief`] says. Anything else is
//! answered with a short text at once.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::brief::{self, Next};
use super::wire::{Newest, Talk, Wire};

/// How long a stream that hangs waits for its release.
const LONGEST_HANG: Duration = Duration::from_mins(1);

const STORY: &str = "First the parser: it reads a token, keeps a position and a line number, and hands both on. \
    Next come the error paths, where an unclosed string ends the file without a message. Then a test for empty \
    text, one for tabs, one for a stray quote. Last the documentation gets a short section about positions.";

/// A request of an agent's own work, as it came: one with tools, not a title or a summary.
#[derive(Debug, Clone)]
pub struct Asked {
    /// When.
    pub at: Instant,
    /// The conversation's user texts, in order, without what the agent adds by itself.
    pub texts: Vec<String>,
    /// What its tools gave back.
    pub results: Vec<String>,
    /// The newest of the texts, if nothing has been done about it yet.
    pub begins: Option<String>,
}

#[derive(Default)]
struct Shared {
    asked: Mutex<Vec<Asked>>,
    raw: Mutex<Option<std::fs::File>>,
    released: AtomicU64,
    over: AtomicBool,
}

/// A running service; ends with the test.
pub struct Api {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Api {
    /// A service on a port that was free. What it is sent goes into `log` as it came, a line each.
    pub fn start(log: std::fs::File) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        *shared.raw.lock().unwrap() = Some(log);
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&serving);
                // An agent that is killed hangs up: no matter of the test.
                thread::spawn(move || stream.map(|stream| serve(&stream, &shared)));
            }
        });
        Self { address, shared }
    }

    /// The base URL, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How much it was asked so far.
    pub fn count(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }

    /// Lets every stream go on that hangs now.
    pub fn release(&self) {
        self.shared.released.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the one that waits for callers.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut out = stream.try_clone()?;
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
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    if let Some(log) = shared.raw.lock().unwrap().as_mut() {
        writeln!(log, "{} {body}", line.trim())?;
    }
    let Some(wire) = Wire::of(&path) else {
        return json(&mut out, r#"{"data":[],"models":[],"input_tokens":10}"#);
    };
    // before anybody can know of the request
    let released = shared.released.load(Ordering::SeqCst);
    let has_tools = body["tools"]
        .as_array()
        .is_some_and(|tools| !tools.is_empty());
    let (newest, since) = wire.since_newest_text(&body);
    if has_tools {
        shared.asked.lock().unwrap().push(Asked {
            at: Instant::now(),
            texts: wire.user_texts(&body),
            results: wire.tool_results(&body),
            begins: Some(newest.clone()).filter(|_| since.is_empty()),
        });
    }
    let next = brief::next(&newest, &since).filter(|_| has_tools);
    if let Some(next) = next {
        return work(&mut out, Talk::new(wire, &body), &next);
    }
    let say = match wire.newest(&body) {
        Newest::Text(text) if has_tools => Say::read(&text),
        Newest::Text(_) => Say::text("A title"),
        Newest::ToolResult => Say::text("The command has run; that part is finished."),
    };
    let talk = Talk::new(wire, &body);
    if body["stream"] != true {
        return json(&mut out, &talk.whole("A title"));
    }
    answer(&mut out, talk, &say, released, shared)
}

/// What a worker does next about its brief.
fn work(out: &mut TcpStream, mut talk: Talk, next: &Next) -> std::io::Result<()> {
    talk.escalates = false;
    let mut frames = talk.begin();
    match next {
        Next::Run(command) => frames += &talk.tool(command),
        Next::Write(path, text) => frames += &talk.write(path, text),
        Next::Rest => {
            frames += &talk.begin_text();
            frames += &talk.word("Done: the brief is worked off.");
            frames += &talk.end_text();
        }
    }
    frames += &talk.end();
    write!(
        out,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{frames}"
    )
}

fn json(out: &mut TcpStream, body: &str) -> std::io::Result<()> {
    write!(
        out,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// What is answered, as the words of a text ask for it.
#[derive(Debug, PartialEq, Eq)]
struct Say {
    after: Duration,
    over: Duration,
    text: Option<String>,
    hang: bool,
    tool: Option<String>,
}

impl Say {
    fn text(text: &str) -> Self {
        Self {
            after: Duration::ZERO,
            over: Duration::ZERO,
            text: Some(text.to_owned()),
            hang: false,
            tool: None,
        }
    }

    fn read(text: &str) -> Self {
        let number = |word: &str| -> Option<u64> {
            let (_, rest) = text.split_once(&format!("{word} "))?;
            rest.split_whitespace().next()?.parse().ok()
        };
        let over = number("SLOW").map_or(Duration::ZERO, Duration::from_secs);
        let hang = text.contains("HANG TOOL ");
        let tool = text
            .split_once("TOOL ")
            .map(|(_, command)| command.trim().to_owned());
        let words = match (&tool, over.is_zero()) {
            (Some(_), _) => hang.then(|| "I look at the files first.".to_owned()),
            (None, false) => Some(STORY.to_owned()),
            (None, true) => Some("Done: that part is finished, and its tests pass.".to_owned()),
        };
        Self {
            after: number("AFTER").map_or(Duration::ZERO, Duration::from_millis),
            over,
            text: words,
            hang,
            tool,
        }
    }
}

fn answer(
    out: &mut TcpStream,
    mut talk: Talk,
    say: &Say,
    released: u64,
    shared: &Shared,
) -> std::io::Result<()> {
    thread::sleep(say.after);
    write!(
        out,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{}",
        talk.begin()
    )?;
    if let Some(text) = &say.text {
        let words: Vec<&str> = text.split_inclusive(' ').collect();
        let pause = say.over / u32::try_from(words.len()).unwrap_or(1);
        out.write_all(talk.begin_text().as_bytes())?;
        for word in words {
            out.write_all(talk.word(word).as_bytes())?;
            out.flush()?;
            thread::sleep(pause);
        }
        if say.hang {
            let until = Instant::now() + LONGEST_HANG;
            while shared.released.load(Ordering::SeqCst) == released && Instant::now() < until {
                thread::sleep(Duration::from_millis(5));
            }
        }
        out.write_all(talk.end_text().as_bytes())?;
    }
    if let Some(command) = &say.tool {
        out.write_all(talk.tool(command).as_bytes())?;
    }
    out.write_all(talk.end().as_bytes())?;
    out.flush()
}
