//! The REPL at a terminal.
//!
//! Commands are sent in the order in which they were typed; an answer that takes longer than a moment does
//! not hold the prompt up and appears above it when it comes. When the supervisor ends, the terminal is
//! given back even though the editor's thread may be waiting for a key.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::editor::{Keyboard, Screen, Typed, ended as thread_ended, on_a_thread, start};
use super::terminal::{Guard, Terminal, columns, take_stdin};
use super::{Heard, ReplOptions, Rings, frame, quit, words};
use crate::command::line::{parse, split_paste};
use crate::command::reply::{self, render};
use crate::command::text::one_line;
use crate::command::{Client, Command, Reply};
use crate::error::{Failure, Kind};
use crate::ui::bell;

/// How long an answer is waited for before the next prompt.
const MOMENT: Duration = Duration::from_millis(50);
/// How long a text may take to reach the screen.
const SHOWN: Duration = Duration::from_millis(200);
/// How long each thread may take to end.
const THREAD: Duration = Duration::from_millis(200);
/// The most commands that are worked on at once.
const AT_ONCE: usize = 32;

const HOW_TO_LEAVE: &str = "/quit or Ctrl-D leaves\n";
/// A text that leaves the screen as it is: a line up, and down again.
const NOTHING: &str = "\x1b[A\n";

/// What came of a command that took longer than a moment, and its line.
type Late = (String, Result<Reply, Failure>);

struct Session<'a> {
    client: Arc<dyn Client>,
    ended: &'a CancellationToken,
    screen: Screen,
    heard: Heard,
    rings: Rings,
    answers: JoinSet<Late>,
    /// Whether leaving by Ctrl-D has failed once already.
    refused: bool,
}

/// What is to be done after something happened.
enum Next {
    /// Nothing: a line is being typed.
    Wait,
    /// A line was dealt with; the next one can be typed.
    Prompt,
    /// Leave, after these words, with this exit code.
    Leave(String, u8),
}

pub(super) async fn run(
    client: Arc<dyn Client>,
    options: ReplOptions,
    ended: &CancellationToken,
) -> Result<u8, Failure> {
    let unusable = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(Kind::Failed, "could not use the terminal").because(error)
    };
    let guard = Terminal::take().map_err(|error| unusable(&error))?;
    let heard = Heard::of(client.as_ref());
    let rings = Rings::of(client.as_ref());
    let (mut keyboard, screen, screen_done) =
        start(Arc::clone(&client), options.history).map_err(|error| unusable(&error))?;
    let mut session = Session {
        client,
        ended,
        screen,
        heard,
        rings,
        answers: JoinSet::new(),
        refused: false,
    };
    if !options.greeting.is_empty() {
        session
            .show(format!("{}\n", options.greeting.trim_end()))
            .await;
    }
    keyboard.prompt();
    let (mut last_words, code, typing) = loop {
        match session.step(&mut keyboard).await {
            (Next::Wait, _) => {}
            (Next::Prompt, _) => keyboard.prompt(),
            (Next::Leave(text, code), typing) => break (text, code, typing),
        }
    };
    for said in session.heard.rest() {
        last_words.push_str(&words(&said, columns()));
    }
    let Session { screen, .. } = session;
    close(guard, keyboard, screen, screen_done, typing).await;
    let written = on_a_thread("last words", move || {
        let _ = crate::ui::print(last_words.as_bytes());
    });
    if let Ok(mut written) = written {
        thread_ended(&mut written, SHOWN).await;
    }
    Ok(code)
}

/// Ends both threads and gives the terminal back; `typing` says whether the editor may be waiting for a key.
async fn close(
    mut guard: Guard,
    keyboard: Keyboard,
    screen: Screen,
    mut screen_done: oneshot::Receiver<()>,
    typing: bool,
) {
    let mut keyboard_done = keyboard.stop();
    if typing {
        // the editor takes a text only when it has drawn the one before
        let _ = timeout(SHOWN, screen.shown(NOTHING.to_owned())).await;
        if take_stdin().is_ok() {
            // wakes the editor, which then finds the end of input
            screen.say(NOTHING.to_owned());
        }
    }
    if thread_ended(&mut keyboard_done, THREAD).await {
        guard.nobody_reads();
    }
    drop(screen);
    thread_ended(&mut screen_done, THREAD).await;
    let given_back = on_a_thread("terminal", move || drop(guard));
    if let Ok(mut given_back) = given_back {
        thread_ended(&mut given_back, THREAD).await;
    }
}

impl Session<'_> {
    /// Waits for the next thing to happen, and deals with it; also whether a line is being typed now.
    async fn step(&mut self, keyboard: &mut Keyboard) -> (Next, bool) {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => (Next::Leave(String::new(), 0), true),
            said = self.heard.next() => {
                self.screen.say(words(&said, columns()));
                (Next::Wait, true)
            }
            ring = self.rings.next() => {
                self.screen.say(format!("{}{NOTHING}", bell::sequence(&ring)));
                (Next::Wait, true)
            }
            Some(late) = self.answers.join_next() => {
                self.screen.say(late_words(late));
                (Next::Wait, true)
            }
            typed = keyboard.typed.recv() => (self.typed(typed).await, false),
        }
    }

    async fn typed(&mut self, typed: Option<Typed>) -> Next {
        let again = self.refused;
        self.refused = false;
        match typed {
            Some(Typed::Line(line)) => self.lines(&line).await,
            Some(Typed::Interrupted) => {
                self.show(HOW_TO_LEAVE.to_owned()).await;
                Next::Prompt
            }
            Some(Typed::NotUtf8) => {
                let failure = Failure::usage("what was typed is no UTF-8, and was dropped");
                self.show(reply::failure(&failure)).await;
                Next::Prompt
            }
            Some(Typed::End) | None => match quit(self.client.as_ref(), self.ended).await {
                Ok(reply) => Next::Leave(render(&reply, &frame(columns())), 0),
                Err(failure) if again => Next::Leave(reply::failure(&failure), failure.kind.code()),
                Err(failure) => {
                    self.refused = true;
                    self.show(reply::failure(&failure)).await;
                    self.show("Ctrl-D again leaves all the same\n".to_owned())
                        .await;
                    Next::Prompt
                }
            },
        }
    }

    async fn lines(&mut self, typed: &str) -> Next {
        let lines = match split_paste(typed) {
            Ok(lines) => lines,
            Err(failure) => {
                self.show(reply::failure(&failure)).await;
                return Next::Prompt;
            }
        };
        for line in lines {
            match parse(line) {
                Ok(None) => {}
                Ok(Some(Command::Quit)) => match quit(self.client.as_ref(), self.ended).await {
                    Ok(reply) => return Next::Leave(render(&reply, &frame(columns())), 0),
                    Err(failure) => self.show(reply::failure(&failure)).await,
                },
                Ok(Some(command)) => self.carry_out(line, command).await,
                Err(failure) => self.show(reply::failure(&failure)).await,
            }
        }
        Next::Prompt
    }

    /// Sends a command. It is on its way before the next one is looked at, whenever its answer comes.
    async fn carry_out(&mut self, line: &str, command: Command) {
        if self.answers.len() >= AT_ONCE {
            let failure = Failure::new(
                Kind::Failed,
                format!("{AT_ONCE} commands are still being worked on"),
            );
            let failure = failure.hint("try again when some of them have been answered");
            return self.show(reply::failure(&failure)).await;
        }
        let client = Arc::clone(&self.client);
        let mut answer = Box::pin(async move { client.send(command).await });
        if let Ok(answer) = timeout(MOMENT, &mut answer).await {
            self.show(answer_words(&answer)).await;
        } else {
            let line = one_line(line);
            self.answers.spawn(async move { (line, answer.await) });
        }
    }

    /// Shows a text before the next prompt.
    async fn show(&self, text: String) {
        if !text.is_empty() {
            let _ = timeout(SHOWN, self.screen.shown(text)).await;
        }
    }
}

fn answer_words(answer: &Result<Reply, Failure>) -> String {
    match answer {
        Ok(reply) => render(reply, &frame(columns())),
        Err(failure) => reply::failure(failure),
    }
}

/// An answer that came late says what it is an answer to.
fn late_words(late: Result<Late, JoinError>) -> String {
    match late {
        Ok((line, answer)) => {
            let line: String = line.chars().take(60).collect();
            format!("`{line}`:\n{}", answer_words(&answer))
        }
        Err(error) => {
            let failure = Failure::new(Kind::Bug, "a command broke down").because(&error);
            reply::failure(&failure)
        }
    }
}
