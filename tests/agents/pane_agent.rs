//! A scripted program for a pane: does what a test orders, and records every byte that reaches it.
//!
//! `pane-agent FOLDER ORDER...` reads its terminal raw and writes into FOLDER: `typed` (every byte that it
//! received), `lines` (what was submitted with Enter), `starts` (a line for each start), `harm` (what a key
//! did that nobody meant). An order is an argument, or a line that a test appends to FOLDER's `orders`.
//!
//! Faces: `prompt` (a plain `> ` at the cursor), `box` (a prompt between two rules with the cursor hidden, a
//! faint placeholder and `!` for shell commands, as Claude Code's), `dialog` (a permission: Enter approves at
//! once), `ask COMMAND` (whether to run it, as aider asks: a letter and Enter; into `answers` goes what was said to
//! what). `say TEXT` prints a line, `answer TEXT` is printed for each submitted line (`{}` stands for it),
//! `busy MILLIS` prints a line ever again, `mute` shows nothing of what is typed, `slow MILLIS` shows it later,
//! `when-typed ORDER` is carried out at the first byte, `when-sent ORDER` at the first submitted line,
//! `copy FROM TO` copies a file to FOLDER's TO, `exit CODE` ends it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program of its own, for tests alone"
)]

mod terminal;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::termios::{InputModes, LocalModes, OptionalActions, tcgetattr, tcsetattr};
use terminal::{Event, append, listen, print, size};

/// How often the pane's size is looked at.
const RESIZED: Duration = Duration::from_millis(25);
/// How many lines are drawn again in a pane that has another size.
const SHOWN: usize = 15;

fn main() -> io::Result<()> {
    let mut words = std::env::args().skip(1);
    let folder: PathBuf = words.next().ok_or(io::ErrorKind::InvalidInput)?.into();
    let receive = listen(&folder)?;
    let mut agent = Agent::new(folder);
    agent.append("starts", b"started\n")?;
    for order in words {
        agent.obey(&order)?;
    }
    agent.run(&receive)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Face {
    Nothing,
    Prompt,
    Box,
    Dialog,
    Ask,
}

/// How it asks whether to run a command.
const ASKS: &str = "Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: ";

struct Agent {
    folder: PathBuf,
    face: Face,
    /// The face to return to after a dialog.
    before: Face,
    /// What it asks about.
    command: String,
    draft: String,
    answer: String,
    mute: bool,
    slow: Option<Duration>,
    busy: Option<Duration>,
    next_line: Instant,
    lines: usize,
    when_typed: Vec<String>,
    when_sent: Vec<String>,
    /// Rows of the face above the cursor.
    above: usize,
    /// The pane's width as it was drawn for.
    columns: usize,
    /// The newest lines.
    shown: VecDeque<String>,
}

impl Agent {
    fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            face: Face::Nothing,
            before: Face::Nothing,
            command: String::new(),
            draft: String::new(),
            answer: "● Understood: {}".into(),
            mute: false,
            slow: None,
            busy: None,
            next_line: Instant::now(),
            lines: 0,
            when_typed: Vec::new(),
            when_sent: Vec::new(),
            above: 0,
            columns: columns(),
            shown: VecDeque::new(),
        }
    }

    fn run(&mut self, events: &Receiver<Event>) -> io::Result<()> {
        loop {
            self.fit()?;
            let wait = self.busy.map_or(RESIZED, |_| {
                self.next_line.saturating_duration_since(Instant::now())
            });
            match events.recv_timeout(wait.min(RESIZED)) {
                Ok(Event::Keys(bytes)) => self.take(&bytes)?,
                Ok(Event::Order(order)) => self.obey(&order)?,
                Ok(Event::HungUp) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => self.work()?,
            }
        }
    }

    /// Draws everything anew if the pane has another size now: a new pane gets its size a moment late.
    fn fit(&mut self) -> io::Result<()> {
        let size = columns();
        if self.columns == size {
            return Ok(());
        }
        self.columns = size;
        self.above = 0;
        print("\u{1b}[2J\u{1b}[H")?;
        for line in &self.shown {
            print(&format!("{line}\n"))?;
        }
        self.paint()
    }

    /// Prints the next line of what never stands still.
    fn work(&mut self) -> io::Result<()> {
        let Some(pause) = self.busy.filter(|_| Instant::now() >= self.next_line) else {
            return Ok(());
        };
        self.lines += 1;
        self.next_line = Instant::now() + pause;
        self.say(&format!("● Working on part {}", self.lines))
    }

    fn obey(&mut self, order: &str) -> io::Result<()> {
        let (verb, rest) = order.split_once(' ').unwrap_or((order, ""));
        let millis = || Duration::from_millis(rest.parse().unwrap_or_default());
        match verb {
            "say" => return self.say(rest),
            "prompt" => return self.turn(Face::Prompt),
            "box" => return self.turn(Face::Box),
            "dialog" => return self.turn(Face::Dialog),
            "ask" => {
                rest.clone_into(&mut self.command);
                self.draft.clear();
                self.turn(Face::Nothing)?;
                self.say("")?;
                self.say(&format!("\u{1b}[7m{rest}\u{1b}[27m"))?;
                return self.turn(Face::Ask);
            }
            "answer" => rest.clone_into(&mut self.answer),
            "mute" => self.mute = true,
            "slow" => self.slow = Some(millis()),
            "busy" => {
                self.busy = Some(millis()).filter(|pause| !pause.is_zero());
                self.next_line = Instant::now();
            }
            "when-typed" => self.when_typed.push(rest.to_owned()),
            "when-sent" => self.when_sent.push(rest.to_owned()),
            "copy" => {
                let (from, to) = rest.split_once(' ').unwrap_or_default();
                std::fs::copy(from, self.folder.join(to))?;
            }
            "exit" => self.exit(rest)?,
            _ => return Err(io::Error::other(format!("unknown order: {order}"))),
        }
        Ok(())
    }

    fn exit(&mut self, code: &str) -> io::Result<()> {
        self.erase()?;
        print("\u{1b}[?25h")?;
        let mut settings = tcgetattr(io::stdin())?;
        settings.local_modes |= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        settings.input_modes |= InputModes::ICRNL;
        tcsetattr(io::stdin(), OptionalActions::Now, &settings)?;
        std::process::exit(code.parse().unwrap_or_default())
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.append("typed", bytes)?;
        let at_first = std::mem::take(&mut self.when_typed);
        // What the agent shows of the text comes first: that is the moment in which a dialog is a trap.
        let was_dialog = self.face == Face::Dialog;
        if let Some(slow) = self.slow {
            thread::sleep(slow);
        }
        for key in String::from_utf8_lossy(bytes).chars() {
            match self.face {
                Face::Dialog if was_dialog => self.choose(key)?,
                _ => self.edit(key)?,
            }
        }
        if self.face != Face::Dialog {
            self.paint()?;
        }
        for order in at_first {
            self.obey(&order)?;
        }
        Ok(())
    }

    fn edit(&mut self, key: char) -> io::Result<()> {
        match key {
            '\r' | '\n' => self.submit(),
            '\u{7f}' => {
                self.draft.pop();
                Ok(())
            }
            '\u{1b}' => {
                self.harm("Escape interrupted the agent")?;
                self.draft.clear();
                Ok(())
            }
            key if key.is_control() => Ok(()),
            key => {
                self.draft.push(key);
                Ok(())
            }
        }
    }

    fn submit(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.draft);
        if self.face == Face::Ask {
            self.append("answers", format!("{line}: {}\n", self.command).as_bytes())?;
            self.turn(Face::Prompt)?;
            return self.say(&format!("{ASKS}{line}"));
        }
        self.append("lines", format!("{line}\n").as_bytes())?;
        if let Some(command) = line.strip_prefix('!').filter(|_| self.face == Face::Box) {
            self.harm(&format!("ran the shell command `{command}`"))?;
        }
        let mark = if self.face == Face::Box { '❯' } else { '>' };
        self.say(&format!("{mark} {line}"))?;
        if !line.is_empty() && !self.answer.is_empty() {
            self.say(&self.answer.replace("{}", &line))?;
        }
        for order in std::mem::take(&mut self.when_sent) {
            self.obey(&order)?;
        }
        Ok(())
    }

    /// A key in the permission dialog.
    fn choose(&mut self, key: char) -> io::Result<()> {
        let said = match key {
            '\r' | '\n' | '1' | 'y' => {
                self.harm("approved `rm -rf build`")?;
                "● Removed build"
            }
            '2' | 'n' | '\u{1b}' => {
                self.harm("denied `rm -rf build`")?;
                "● Left build as it is"
            }
            _ => return Ok(()),
        };
        self.turn(self.before)?;
        self.say(said)
    }

    fn turn(&mut self, face: Face) -> io::Result<()> {
        self.erase()?;
        if face == Face::Dialog {
            self.before = self.face;
        }
        self.face = face;
        self.paint()
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        self.erase()?;
        self.shown.push_back(line.to_owned());
        if self.shown.len() > SHOWN {
            self.shown.pop_front();
        }
        print(&format!("{line}\n"))?;
        self.paint()
    }

    /// Takes the face off the screen; what is above it stays.
    fn erase(&mut self) -> io::Result<()> {
        let up = match self.above {
            0 => String::new(),
            rows => format!("\u{1b}[{rows}A"),
        };
        self.above = 0;
        print(&format!("\r{up}\u{1b}[J"))
    }

    fn paint(&mut self) -> io::Result<()> {
        self.erase()?;
        let columns = self.columns;
        let draft = if self.mute { "" } else { self.draft.as_str() };
        let (text, above) = match self.face {
            Face::Nothing => return Ok(()),
            Face::Prompt => {
                let cells = 2 + draft.chars().count();
                (format!("\u{1b}[?25h> {draft}"), cells.saturating_sub(1) / columns)
            }
            Face::Ask => {
                let cells = ASKS.chars().count() + draft.chars().count();
                (format!("\u{1b}[?25h{ASKS}{draft}"), cells.saturating_sub(1) / columns)
            }
            Face::Box => boxed(draft, columns),
            Face::Dialog => (
                "\u{1b}[?25l\n Bash command\n\n   rm -rf build\n\n Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n Esc to cancel".to_owned(),
                9,
            ),
        };
        self.above = above;
        print(&text)
    }

    fn harm(&self, what: &str) -> io::Result<()> {
        self.append("harm", format!("{what}\n").as_bytes())
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        append(&self.folder, file, bytes)
    }
}

/// The pane's width, if it is fit to be drawn in.
fn columns() -> usize {
    size().0.max(20)
}

/// The box and how many of its rows stand above the cursor, which is left at its last row.
fn boxed(draft: &str, columns: usize) -> (String, usize) {
    let rule = "─".repeat(columns);
    let letters: Vec<char> = draft.chars().collect();
    let mut rows: Vec<String> = letters
        .chunks(columns - 4)
        .map(|row| row.iter().collect())
        .collect();
    if rows.is_empty() {
        rows.push("\u{1b}[7mT\u{1b}[0m\u{1b}[2mry \"fix the tests\"\u{1b}[0m".into());
    }
    let text = rows.join("\n  ");
    // The terminal is asked not to show the picture before it is whole.
    let whole = format!(
        "\u{1b}[?2026h\u{1b}[?25l{rule}\n❯\u{a0}{text}\n{rule}\n  ? for shortcuts\u{1b}[?2026l"
    );
    (whole, rows.len() + 2)
}
