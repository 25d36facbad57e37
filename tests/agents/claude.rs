//! Claude Code 2.1.197 as its screens were captured, 60 columns wide, and what its keys do; a part of the scripted
//! programs that play it.
#![allow(dead_code, reason = "each program uses a part of it")]

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{OptionalActions, Termios, tcsetattr};

use crate::terminal::{append, print, size};

/// Where the captured screens are.
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/screens/claude");
/// How wide they are.
pub const COLUMNS: usize = 60;
/// The command in the captured dialog.
const CAPTURED: &str = "touch made.txt && make test";
/// And what stands below it.
const DESCRIPTION: &str = "Run it";
/// What it says at its usage limit; where no reset is named, nobody waits for one.
const AT_LIMIT: &str = "You've hit your session limit";
/// The folder in the captured trust dialog.
const TRUSTED: &str = "/srv/lab/cl60/proj";

/// An open dialog.
struct Dialog {
    rows: Vec<String>,
    subject: String,
    /// What a yes runs.
    command: Option<String>,
    /// The words of its options, from 1.
    options: Vec<&'static str>,
    /// Whether the last option opens a place for words.
    takes_words: bool,
    /// What stands in that place, once it is open.
    words: Option<String>,
}

pub struct Claude {
    pub folder: PathBuf,
    /// The terminal's settings before ours.
    cooked: Termios,
    /// The rows above the prompt.
    above: Vec<String>,
    /// The rows below it: while it is empty, while a text stands in it, while that is a command for the shell.
    below: [Vec<String>; 3],
    /// What it shows while a turn runs, and the rows below the prompt then.
    pub spinner: Option<(String, Vec<String>)>,
    draft: String,
    pasting: bool,
    /// The beginning of an escape sequence whose end is still to come.
    pending: String,
    dialog: Option<Dialog>,
    deaf: bool,
    keen: bool,
    low: Option<usize>,
    trap: Option<String>,
    when_typed: Vec<String>,
    when_shown: Vec<String>,
    pub painted_for: (usize, usize),
    /// Lines for whoever acts on them; without such it answers by itself.
    pub submitted: Option<Vec<String>>,
    /// The folder that was said yes to.
    pub trusted: Option<String>,
}

impl Claude {
    pub fn new(folder: PathBuf, cooked: Termios) -> io::Result<Self> {
        let (above, empty) = around_prompt(&case("idle", "after-answer")?)?;
        let (_, filled) = around_prompt(&case("draft", "one-line")?)?;
        let (_, shell) = around_prompt(&case("draft", "shell-mode")?)?;
        Ok(Self {
            folder,
            cooked,
            above,
            below: [empty, filled, shell],
            spinner: None,
            draft: String::new(),
            pasting: false,
            pending: String::new(),
            dialog: None,
            deaf: false,
            keen: false,
            low: None,
            trap: None,
            when_typed: Vec::new(),
            when_shown: Vec::new(),
            painted_for: (0, 0),
            submitted: None,
            trusted: None,
        })
    }

    pub fn obey(&mut self, order: &str) -> io::Result<()> {
        let (verb, rest) = order.split_once(' ').unwrap_or((order, ""));
        match verb {
            "idle" => {
                (self.above, self.below[0]) = around_prompt(&case("idle", rest)?)?;
                self.dialog = None;
            }
            "say" => self.say(rest),
            "row" => self.above.push(rest.to_owned()),
            "dialog" => self.dialog = Some(Dialog::about(rest, Form::Usual)?),
            "bare" => self.dialog = Some(Dialog::about(rest, Form::Bare)?),
            "question" => self.dialog = Some(Dialog::question()?),
            "still" => self.dialog = Some(Dialog::captured(rest)?),
            "always" => self.dialog = Some(Dialog::about(rest, Form::Always)?),
            "trust" => self.dialog = Some(Dialog::trust(rest)?),
            "busy" => {
                let (_, below) = around_prompt(&case("working", "waiting-for-model-film")?)?;
                self.spinner = Some((rest.to_owned(), below));
            }
            "limit" if rest == "over" => self.above.retain(|row| !row.contains(AT_LIMIT)),
            "limit" => {
                // right below what was said last, as it was captured
                while self.above.last().is_some_and(String::is_empty) {
                    self.above.pop();
                }
                self.above
                    .extend([format!("  ⎿  {AT_LIMIT}"), String::new()]);
            }
            "low" => self.low = rest.parse().ok(),
            "deaf" => self.deaf = true,
            "keen" => self.keen = true,
            "trap" => self.trap = Some(rest.to_owned()),
            "when-typed" => self.when_typed.push(rest.to_owned()),
            "when-shown" => self.when_shown.push(rest.to_owned()),
            "killed" => kill_process(getpid(), Signal::KILL)?,
            "exit" => self.exit(rest)?,
            _ => return Err(io::Error::other(format!("unknown order: {order}"))),
        }
        Ok(())
    }

    /// Whether a dialog is open.
    pub fn asks(&self) -> bool {
        self.dialog.is_some()
    }

    fn exit(&self, code: &str) -> io::Result<()> {
        print("\u{1b}[?2004l\u{1b}[?25h\u{1b}[?1049l")?;
        tcsetattr(io::stdin(), OptionalActions::Now, &self.cooked)?;
        std::process::exit(code.parse().unwrap_or_default())
    }

    pub fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        append(&self.folder, "typed", bytes)?;
        if let Some(order) = self.trap.take() {
            self.obey(&order)?;
        }
        self.pending.push_str(&String::from_utf8_lossy(bytes));
        let lone_escape = self.pending == "\u{1b}";
        let mut keys: Vec<String> = std::iter::from_fn(|| self.next_key(lone_escape)).collect();
        let in_words = self
            .dialog
            .as_ref()
            .is_some_and(|dialog| dialog.words.is_some());
        if self.dialog.is_some() && keys.len() > 1 && !self.keen && !in_words {
            keys.retain(|key| key.starts_with("\u{1b}[20"));
        }
        for key in keys {
            self.key(&key)?;
        }
        self.paint()?;
        for order in std::mem::take(&mut self.when_typed) {
            self.obey(&order)?;
            self.paint()?;
        }
        if !self.draft.is_empty() {
            for order in std::mem::take(&mut self.when_shown) {
                self.obey(&order)?;
                self.paint()?;
            }
        }
        Ok(())
    }

    /// The next key, or the whole of an escape sequence, if it is all there.
    fn next_key(&mut self, lone_escape: bool) -> Option<String> {
        let first = self.pending.chars().next()?;
        let length = match self.pending.strip_prefix("\u{1b}[") {
            Some(rest) => 2 + rest.find(|c| matches!(c, '\u{40}'..='\u{7e}'))? + 1,
            None if self.pending == "\u{1b}" && !lone_escape => return None,
            None => first.len_utf8(),
        };
        Some(self.pending.drain(..length).collect())
    }

    fn key(&mut self, key: &str) -> io::Result<()> {
        match key {
            "\u{1b}[200~" => self.pasting = true,
            "\u{1b}[201~" => self.pasting = false,
            _ if self.pasting && self.dialog.is_some() => {}
            "\r" if self.pasting => self.draft.push('\n'),
            _ if self.pasting => self.draft.push_str(key),
            _ if self.dialog.is_some() => self.choose(key)?,
            "\r" => self.submit()?,
            "\n" => self.draft.push('\n'),
            "\u{7f}" => {
                self.draft.pop();
            }
            "\u{1b}" => self.note("harm", "Escape interrupted the agent")?,
            _ if key.chars().any(char::is_control) => {}
            _ => self.draft.push_str(key),
        }
        Ok(())
    }

    fn submit(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.draft);
        if line.is_empty() {
            return Ok(());
        }
        self.note("lines", &line)?;
        let echo = format!("\u{1b}[48;5;237m❯ {line}");
        self.above.extend([echo, String::new()]);
        if let Some(lines) = &mut self.submitted {
            lines.push(line);
            return Ok(());
        }
        match line.strip_prefix('!') {
            Some(command) => self.run(command)?,
            None => self.say("Understood."),
        }
        Ok(())
    }

    /// A turn of the agent's that has ended.
    pub fn say(&mut self, text: &str) {
        for (at, row) in wrapped(text, COLUMNS - 2).iter().enumerate() {
            let front = if at == 0 { "● " } else { "  " };
            self.above.push(format!("{front}{row}"));
        }
        let done = "\u{1b}[38;5;246m✻ Worked for 1s".to_owned();
        self.above.extend([String::new(), done, String::new()]);
    }

    /// A key in the dialog's place for words, or one that opens it.
    fn write(&mut self, key: &str) -> io::Result<bool> {
        let Some(dialog) = &mut self.dialog else {
            return Ok(false);
        };
        let Some(words) = &mut dialog.words else {
            let opens = dialog.takes_words && key.parse() == Ok(dialog.options.len());
            if opens {
                dialog.words = Some(String::new());
            }
            return Ok(opens);
        };
        match key {
            "\r" if words.is_empty() => {}
            "\r" => {
                let answer = format!("in words: {words}");
                self.dialog = None;
                self.note("answers", &answer)?;
                self.say("Done.");
            }
            "\u{7f}" => {
                words.pop();
            }
            _ if key.chars().any(char::is_control) => {}
            _ => words.push_str(key),
        }
        Ok(true)
    }

    /// A key in the dialog.
    fn choose(&mut self, key: &str) -> io::Result<()> {
        if self.write(key)? {
            return Ok(());
        }
        let Some(dialog) = &self.dialog else {
            return Ok(());
        };
        let at = match key {
            "\r" => 0,
            "\u{1b}" => dialog.options.len() - 1,
            _ => match key.parse::<usize>() {
                Ok(number) if (1..=dialog.options.len()).contains(&number) => number - 1,
                _ => return Ok(()),
            },
        };
        let (label, dialog_command) = (dialog.options[at], dialog.command.clone());
        let answer = format!("{label}: {}", dialog.subject);
        self.note("answers", &answer)?;
        if self.deaf {
            return Ok(());
        }
        let closed = self.dialog.take();
        if label == TRUST {
            self.trusted = closed.map(|dialog| dialog.subject);
            return Ok(());
        }
        if label == LEAVE {
            return self.exit("1");
        }
        if label == "No" {
            self.say("I leave it as it is.");
            return Ok(());
        }
        if let Some(command) = dialog_command {
            self.run(&command)?;
        }
        self.say("Done.");
        Ok(())
    }

    /// Runs a command in its own folder, as the agent would in the project's.
    fn run(&self, command: &str) -> io::Result<()> {
        self.note("ran", command)?;
        Command::new("sh")
            .args(["-c", command])
            .env("PATH", "/usr/bin:/bin")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        Ok(())
    }

    pub fn paint(&mut self) -> io::Result<()> {
        self.painted_for = size();
        let rows = match &self.dialog {
            Some(Dialog {
                words: Some(words), ..
            }) => with_words(words)?,
            Some(dialog) => dialog.rows.clone(),
            None => self.with_prompt(),
        };
        let seen = self.painted_for.1.min(self.low.unwrap_or(usize::MAX));
        let rows = &rows[rows.len().saturating_sub(seen)..];
        // the terminal is asked not to show the picture before it is whole
        let picture = rows.join("\u{1b}[m\r\n");
        print(&format!(
            "\u{1b}[?2026h\u{1b}[m\u{1b}[2J\u{1b}[H{picture}\u{1b}[m\u{1b}[?2026l"
        ))
    }

    fn with_prompt(&self) -> Vec<String> {
        let rule = format!("\u{1b}[38;5;244m{}", "─".repeat(COLUMNS));
        let command = self.draft.strip_prefix('!');
        let (mark, text, below) = match command {
            Some(command) => ('!', command, &self.below[2]),
            None => (
                '❯',
                self.draft.as_str(),
                &self.below[usize::from(!self.draft.is_empty())],
            ),
        };
        let mut rows = self.above.clone();
        let below = match &self.spinner {
            Some((words, below)) => {
                let spinner = format!("\u{1b}[38;5;174m✢ Cogitating… ({words} · ↓ 36 tokens)");
                rows.extend([spinner, String::new()]);
                below
            }
            None => below,
        };
        rows.push(rule.clone());
        for (at, row) in wrapped(text, COLUMNS - 5).iter().enumerate() {
            let front = if at == 0 {
                format!("{mark}\u{a0}")
            } else {
                "  ".into()
            };
            rows.push(format!("{front}{row}"));
        }
        rows.push(rule);
        rows.extend(below.iter().cloned());
        rows
    }

    pub fn note(&self, file: &str, what: &str) -> io::Result<()> {
        append(&self.folder, file, format!("{what}\n").as_bytes())
    }
}

/// The options of the dialog that asks whether it may work in a folder.
const TRUST: &str = "Yes, I trust this folder";
const LEAVE: &str = "No, exit";

/// What a dialog leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Usual,
    /// The description.
    Bare,
    /// The option that says yes just once.
    Always,
}

impl Dialog {
    /// A captured dialog as it is, of which only the keys are told apart.
    fn captured(subject: &str) -> io::Result<Self> {
        let (state, name) = subject.split_once('/').ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self {
            rows: case(state, name)?,
            subject: subject.to_owned(),
            command: None,
            options: vec!["First", "Second", "Third"],
            takes_words: false,
            words: None,
        })
    }

    /// The captured dialog that asks whether it may work in a folder.
    fn trust(folder: &str) -> io::Result<Self> {
        let mut rows = Vec::new();
        for row in case("trust", "folder")? {
            if plain(&row).trim() == TRUSTED {
                let shown: Vec<char> = folder.chars().collect();
                let shown = shown.chunks(COLUMNS - 1);
                rows.extend(shown.map(|row| format!(" \u{1b}[1m{}", String::from_iter(row))));
            } else {
                rows.push(row);
            }
        }
        Ok(Self {
            rows,
            subject: folder.to_owned(),
            command: None,
            options: vec![TRUST, LEAVE],
            takes_words: false,
            words: None,
        })
    }

    /// The captured question, whose third option opens a place for words.
    fn question() -> io::Result<Self> {
        Ok(Self {
            takes_words: true,
            ..Self::captured("question/single")?
        })
    }

    /// The captured dialog, about another command.
    fn about(command: &str, form: Form) -> io::Result<Self> {
        const FOR_EVER: &str = "Yes, and don't ask again for similar commands in";
        let command = &command.replace("\\n", "\n");
        let always = form == Form::Always;
        let mut rows = Vec::new();
        let mut in_second = false;
        for row in case("approval", "bash-short")? {
            let text = plain(&row);
            if text.starts_with("● Bash(") {
                let mut shown = wrapped(command, COLUMNS - 10);
                let cut = if shown.len() > 2 { "…" } else { "" };
                shown.truncate(2);
                let shown = shown.join("\n      ");
                let shown = format!("● \u{1b}[1mBash\u{1b}[m({}{cut})", shown.trim_end());
                rows.extend(shown.split('\n').map(str::to_owned));
            } else if text.trim() == CAPTURED {
                let shown = wrapped(command, COLUMNS - 6);
                rows.extend(shown.iter().map(|row| format!("   {row}")));
            } else if text.trim() == DESCRIPTION && form == Form::Bare {
            } else if text.starts_with(" ❯ 1.") && always {
                rows.push(format!(" ❯ 1. {FOR_EVER}"));
            } else if text.starts_with("   2.") {
                in_second = true;
                if !always {
                    rows.push(format!("   2.{FOR_EVER}"));
                }
                rows.push("     /srv/lab/cl60/proj".into());
            } else if text.starts_with("   3.") {
                in_second = false;
                let number = if always { 2 } else { 3 };
                rows.push(format!("   {number}. No"));
            } else if !in_second {
                rows.push(row);
            }
        }
        let options = if always {
            vec!["Always", "No"]
        } else {
            vec!["Yes", "Always", "No"]
        };
        Ok(Self {
            rows,
            subject: command.to_owned(),
            command: Some(command.to_owned()),
            options,
            takes_words: false,
            words: None,
        })
    }
}

/// The captured question whose place for words is open, with these in it.
fn with_words(words: &str) -> io::Result<Vec<String>> {
    if words.is_empty() {
        return case("question", "type-something");
    }
    let mut rows = Vec::new();
    for row in case("question", "type-something-text")? {
        if !plain(&row).starts_with("❯ 3.") {
            rows.push(row);
            continue;
        }
        for (at, row) in wrapped(words, COLUMNS - 6).iter().enumerate() {
            let front = if at == 0 { "❯ 3. " } else { "     " };
            rows.push(format!("{front}{row}"));
        }
    }
    Ok(rows)
}

/// The rows of a captured screen, without the empty ones at its end.
fn case(state: &str, name: &str) -> io::Result<Vec<String>> {
    let path = format!("{state}/{COLUMNS}-{name}/1.ansi");
    let dump = std::fs::read_to_string(Path::new(CASES).join(path))?;
    let mut rows: Vec<String> = dump.lines().map(str::to_owned).collect();
    while rows.last().is_some_and(|row| plain(row).trim().is_empty()) {
        rows.pop();
    }
    Ok(rows)
}

/// The rows above a prompt, which stands between two rules, and those below it.
fn around_prompt(rows: &[String]) -> io::Result<(Vec<String>, Vec<String>)> {
    let is_rule = |row: &String| plain(row).starts_with("────────");
    let lower = rows.iter().rposition(is_rule);
    let upper = lower.and_then(|lower| rows[..lower].iter().rposition(is_rule));
    match (upper, lower) {
        (Some(upper), Some(lower)) => Ok((rows[..upper].to_vec(), rows[lower + 1..].to_vec())),
        _ => Err(io::Error::other("the case shows no prompt")),
    }
}

/// A row without its styling.
fn plain(row: &str) -> String {
    let mut parts = row.split('\u{1b}');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    text
}

/// A text in rows of so many characters, broken between words where that can be; at least one row.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for line in text.split('\n') {
        for word in line.split_inclusive(' ') {
            let last = rows.len() - 1;
            if rows[last].chars().count() + word.trim_end().chars().count() > columns {
                rows.push(String::new());
            }
            let last = rows.len() - 1;
            rows[last].push_str(word);
        }
        rows.push(String::new());
    }
    rows.pop();
    rows
}
