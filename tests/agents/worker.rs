//! Plays Claude Code 2.1.197 as the worker of a mission: reads the brief that it is told of, and acts by a script.
//!
//! `worker SCRIPT [ARGUMENT...]`: SCRIPT is a folder; further arguments are written down and mean nothing. A line
//! `Read PATH and do what it says.`, where PATH ends in `.mo/SLUG/task-N.md`, is a brief. The script for it is the
//! file `SLUG` in SCRIPT (or `SLUG.review`, where the brief tells to write a `review-N.md`), in blocks that a line
//! `---` parts: the N-th block for the N-th brief, the last one for all beyond. Each line of a block is an action:
//!
//! `write PATH TEXT`, `append PATH TEXT` (`\n` is a line's end; a line's end follows), `commit MESSAGE` (everything),
//! `run COMMAND`, `report done|blocked TEXT` and `review PASS|FAIL TEXT` (into the file that the brief names),
//! `merge` (the integration branch into its own, keeping both sides of what conflicts), `sleep SECONDS`, `hang`
//! (works for ever), `crash` (is killed), `die` (ends with status 1), `lie` (reports `done` and does nothing),
//! `ask TEXT` (ends the turn with these words), `leave` (a process in the background that heeds no hangup),
//! `dialog COMMAND` (asks for a yes), `wait FILE` (until it is there, in SCRIPT), `limit FILE` (stands at its usage
//! limit until then), `full` (ends the turn, for its context is used up). `#` begins a comment.
//!
//! Files in SCRIPT that it heeds: `trust` (the trust dialog is shown first, about the folder that stands in the file,
//! else about its own; once for each folder), `slow-start` (seconds before it shows anything). Files that it writes:
//! `briefs` (`SLUG FILE` for each brief), `got/SLUG.FILE` (its text), `arguments` (a line for each start),
//! `trusted`, `failed` (an action that did not work, with its output), and for each working folder, by its name, what
//! `fake-claude` writes: `in/NAME/lines`, `in/NAME/typed`, `in/NAME/answers`, `in/NAME/starts`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program of its own, for tests alone"
)]

mod claude;
mod terminal;

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use claude::Claude;
use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::tcgetattr;
use terminal::{Event, append, listen, print, size};

/// How often the pane's size is looked at, and what goes on.
const TICK: Duration = Duration::from_millis(50);

/// What it says when its context is used up.
const FULL: &str = "  ⎿  Context limit reached · /compact or /clear to continue";

fn main() -> io::Result<()> {
    let mut words = std::env::args().skip(1);
    let script: PathBuf = words.next().ok_or(io::ErrorKind::InvalidInput)?.into();
    let arguments: Vec<String> = words.collect();
    append(
        &script,
        "arguments",
        format!("{}\n", arguments.join(" ")).as_bytes(),
    )?;
    if let Ok(seconds) = std::fs::read_to_string(script.join("slow-start")) {
        thread::sleep(Duration::from_secs_f64(
            seconds.trim().parse().unwrap_or(1.0),
        ));
    }
    let folder = std::env::current_dir()?;
    let name = folder.file_name().unwrap_or_default();
    let own = script.join("in").join(name);
    std::fs::create_dir_all(&own)?;
    let cooked = tcgetattr(io::stdin())?;
    let events = listen(&own)?;
    print("\u{1b}[?1049h\u{1b}[?2004h\u{1b}[?25l")?;
    let mut claude = Claude::new(own, cooked)?;
    claude.submitted = Some(Vec::new());
    claude.obey("idle fresh")?;
    let mut worker = Worker {
        claude,
        script,
        folder,
        work: None,
        at_limit: false,
    };
    worker.ask_for_trust()?;
    worker.claude.paint()?;
    append(&worker.claude.folder, "starts", b"started\n")?;
    worker.run(&events)
}

/// What a turn has come to.
enum Done {
    /// It has ended, with these last words.
    Said(String),
    /// It asks for a yes.
    Asks(String),
    /// It comes to stand at its usage limit, or goes on after it.
    AtLimit(bool),
}

struct Worker {
    claude: Claude,
    script: PathBuf,
    folder: PathBuf,
    /// The turn that runs, since when.
    work: Option<(Receiver<Done>, Instant)>,
    at_limit: bool,
}

impl Worker {
    fn ask_for_trust(&mut self) -> io::Result<()> {
        let Ok(said) = std::fs::read_to_string(self.script.join("trust")) else {
            return Ok(());
        };
        let own = self.folder.display().to_string();
        let asked = if said.trim().is_empty() {
            own
        } else {
            said.trim().to_owned()
        };
        let trusted = std::fs::read_to_string(self.script.join("trusted")).unwrap_or_default();
        if trusted.lines().any(|known| known == asked) {
            return Ok(());
        }
        self.claude.obey(&format!("trust {asked}"))
    }

    fn run(&mut self, events: &Receiver<Event>) -> io::Result<()> {
        loop {
            match events.recv_timeout(TICK) {
                Ok(Event::Keys(bytes)) => self.claude.take(&bytes)?,
                Ok(Event::Order(order)) => {
                    self.claude.obey(&order)?;
                    self.claude.paint()?;
                }
                Ok(Event::HungUp) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) if self.claude.painted_for != size() => {
                    self.claude.paint()?;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(folder) = self.claude.trusted.take() {
                append(&self.script, "trusted", format!("{folder}\n").as_bytes())?;
            }
            for line in self
                .claude
                .submitted
                .iter_mut()
                .flat_map(std::mem::take)
                .collect::<Vec<_>>()
            {
                self.begin(&line)?;
            }
            self.go_on()?;
        }
    }

    fn begin(&mut self, line: &str) -> io::Result<()> {
        let path = line
            .strip_prefix("Read ")
            .and_then(|rest| rest.strip_suffix(" and do what it says."));
        let Some(brief) = path.map(|path| self.folder.join(path)) else {
            self.claude.say("Understood.");
            return self.claude.paint();
        };
        let (done, work) = channel();
        let (script, folder) = (self.script.clone(), self.folder.clone());
        thread::spawn(move || {
            let said = turn(&script, &folder, &brief, &done);
            let said = said.unwrap_or_else(|error| format!("I could not go on: {error}"));
            let _ = done.send(Done::Said(said));
        });
        self.work = Some((work, Instant::now()));
        Ok(())
    }

    /// Shows that it works, and what came of it.
    fn go_on(&mut self) -> io::Result<()> {
        let Some((work, since)) = &self.work else {
            return Ok(());
        };
        match work.try_recv() {
            Ok(Done::Asks(command)) => {
                self.claude.spinner = None;
                self.claude.obey(&format!("dialog {command}"))?;
                self.claude.paint()
            }
            Ok(Done::AtLimit(is)) => {
                (self.at_limit, self.claude.spinner) = (is, None);
                self.claude.obey(if is { "limit" } else { "limit over" })?;
                self.claude.paint()
            }
            Err(_) if self.at_limit => Ok(()),
            Ok(Done::Said(text)) if text == FULL => {
                (self.work, self.claude.spinner) = (None, None);
                for row in ["❯ Go on.", FULL, ""] {
                    self.claude.obey(&format!("row {row}"))?;
                }
                self.claude.paint()
            }
            Ok(Done::Said(text)) => {
                (self.work, self.claude.spinner) = (None, None);
                self.claude.say(&text);
                self.claude.paint()
            }
            Err(_) => {
                let words = format!("{}s", since.elapsed().as_secs());
                let shown = self.claude.spinner.as_ref().map(|(words, _)| words.clone());
                if shown.as_ref() != Some(&words) && !self.claude.asks() {
                    self.claude.obey(&format!("busy {words}"))?;
                    self.claude.paint()?;
                }
                Ok(())
            }
        }
    }
}

/// A brief, and what it names.
struct Brief {
    slug: String,
    number: usize,
    text: String,
}

/// Reads the brief, writes it down and acts by its script; gives the last words.
fn turn(script: &Path, folder: &Path, brief: &Path, done: &Sender<Done>) -> io::Result<String> {
    let text = std::fs::read_to_string(brief)?;
    let part = |path: Option<&Path>| {
        let name = path.and_then(Path::file_name).unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let (slug, file) = (part(brief.parent()), part(Some(brief)));
    append(script, "briefs", format!("{slug} {file}\n").as_bytes())?;
    std::fs::create_dir_all(script.join("got"))?;
    std::fs::write(script.join("got").join(format!("{slug}.{file}")), &text)?;
    let number = file
        .trim_end_matches(".md")
        .rsplit('-')
        .next()
        .unwrap_or("1");
    let number = number.parse::<usize>().unwrap_or(1).max(1);
    let brief = Brief { slug, number, text };
    let is_review = named_in(&brief, "review-").is_some();
    let name = if is_review {
        format!("{}.review", brief.slug)
    } else {
        brief.slug.clone()
    };
    let actions = std::fs::read_to_string(script.join(name)).unwrap_or_default();
    let blocks: Vec<&str> = actions.split("---\n").collect();
    let block = blocks[number.min(blocks.len()) - 1];
    for line in block.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "full" {
            return Ok(FULL.to_owned());
        }
        if let Some(words) = line.strip_prefix("ask ") {
            return Ok(words.to_owned());
        }
        if let Err(error) = act(script, folder, &brief, line, done) {
            append(
                script,
                "failed",
                format!("{}: {line}: {error}\n", brief.slug).as_bytes(),
            )?;
            return Ok(format!("`{line}` did not work."));
        }
    }
    Ok("Done.".to_owned())
}

fn act(
    script: &Path,
    folder: &Path,
    brief: &Brief,
    line: &str,
    done: &Sender<Done>,
) -> io::Result<()> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (first, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let text = text.replace("\\n", "\n");
    match verb {
        "write" | "append" => {
            let path = folder.join(first);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let before = match verb {
                "append" => std::fs::read_to_string(&path).unwrap_or_default(),
                _ => String::new(),
            };
            std::fs::write(&path, format!("{before}{text}\n"))
        }
        "commit" => {
            git(folder, &["add", "--all"])?;
            git(folder, &["commit", "--quiet", "--message", rest])
        }
        "run" => shell(folder, rest),
        "report" => {
            let path = named_in(brief, "report-").ok_or_else(no_file)?;
            let report = format!(
                "Scope: {0}\nResult: {first}\nKey files: -\nFiles changed: -\nIssues: {text}\n",
                brief.slug
            );
            std::fs::write(folder.join(path), report)
        }
        "lie" => {
            let path = named_in(brief, "report-").ok_or_else(no_file)?;
            let report = "Scope: all of it\nResult: done\nKey files: -\nFiles changed: -\nIssues: none, all tests pass\n";
            std::fs::write(folder.join(path), report)
        }
        "review" => {
            let path = named_in(brief, "review-").ok_or_else(no_file)?;
            std::fs::write(folder.join(path), format!("{first}\n{text}\n"))
        }
        "merge" => merge(folder),
        "sleep" => {
            thread::sleep(Duration::from_secs_f64(rest.parse().unwrap_or(1.0)));
            Ok(())
        }
        "hang" => loop {
            thread::sleep(Duration::from_hours(1));
        },
        "wait" => {
            wait_for(&script.join(first));
            Ok(())
        }
        "limit" => {
            done.send(Done::AtLimit(true)).map_err(io::Error::other)?;
            wait_for(&script.join(first));
            done.send(Done::AtLimit(false)).map_err(io::Error::other)
        }
        "crash" => Ok(kill_process(getpid(), Signal::KILL)?),
        "die" => std::process::exit(1),
        "leave" => Command::new("sh")
            .args(["-c", "trap '' HUP; exec sleep 1000"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map(drop),
        "dialog" => done
            .send(Done::Asks(rest.to_owned()))
            .map_err(io::Error::other),
        _ => Err(io::Error::other("there is no such action")),
    }
}

fn wait_for(file: &Path) {
    while !file.exists() {
        thread::sleep(Duration::from_millis(20));
    }
}

fn no_file() -> io::Error {
    io::Error::other("the brief names no such file")
}

/// The file for the answer to this brief that is called so, if the brief names it.
fn named_in(brief: &Brief, begins: &str) -> Option<String> {
    let path = format!(".mo/{}/{begins}{}.md", brief.slug, brief.number);
    brief.text.contains(&path).then_some(path)
}

/// Merges the mission's integration branch, keeping both sides of what conflicts.
fn merge(folder: &Path) -> io::Result<()> {
    let own = Command::new("git")
        .args(["rev-parse", "--abbrev-ref", "HEAD"])
        .current_dir(folder)
        .output()?;
    let own = String::from_utf8_lossy(&own.stdout).trim().to_owned();
    let (mission, _) = own.rsplit_once('/').ok_or(io::ErrorKind::InvalidData)?;
    let theirs = format!("{mission}/integration");
    if git(folder, &["merge", "--no-edit", "--quiet", &theirs]).is_ok() {
        return Ok(());
    }
    let conflicts = Command::new("git")
        .args(["diff", "--name-only", "--diff-filter=U"])
        .current_dir(folder)
        .output()?;
    for file in String::from_utf8_lossy(&conflicts.stdout).lines() {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path)?;
        let marks = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];
        let kept = text
            .lines()
            .filter(|line| !marks.iter().any(|mark| line.starts_with(mark)));
        let kept: Vec<&str> = kept.collect();
        std::fs::write(&path, format!("{}\n", kept.join("\n")))?;
    }
    git(folder, &["add", "--all"])?;
    git(folder, &["commit", "--quiet", "--no-edit"])
}

fn git(folder: &Path, arguments: &[&str]) -> io::Result<()> {
    let own = [
        "-c",
        "user.name=Worker",
        "-c",
        "user.email=worker@example.org",
    ];
    let mut command = Command::new("git");
    command.args(own).args(arguments);
    ran(command.current_dir(folder))
}

fn shell(folder: &Path, command: &str) -> io::Result<()> {
    ran(Command::new("sh").args(["-c", command]).current_dir(folder))
}

fn ran(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(io::Error::other(
        String::from_utf8_lossy(&said).into_owned(),
    ))
}
