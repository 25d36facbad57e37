//! `meta-orchestrator ctl`: one command for a running instance, for scripts and for a person in a hurry.
//!
//! Data goes to stdout, the rest to stderr; the exit code says what came of it. It speaks over the socket and
//! knows no supervisor. `main` calls [`run`].

mod follow;
mod progress;
mod wait;
mod words;

use std::io::{IsTerminal, Write, stderr, stdout};

use chrono::Local;
use serde::Serialize;

use super::cli::running::{CtlOptions, How, What};
use crate::command::reply::{self, Frame};
use crate::command::{Command, Reply, help, paths, text};
use crate::error::{Failure, Kind};
use crate::socket::Connection;
use crate::socket::find::{Wanted, connect};
use crate::socket::protocol::{Failed, VERSION};

/// Sends what is asked to the instance that is wanted, prints what came of it, and gives the exit code.
///
/// # Errors
/// When the command is wrong, nothing is running, or it failed; with `--json` that is printed already.
pub fn run(options: &CtlOptions, wanted: &Wanted) -> Result<u8, Failure> {
    let mut how = options.how;
    let done = ask(options, &mut how, wanted);
    match done {
        Err(failure) if how.json => {
            let code = failure.kind.code();
            let failed = Failed::from(failure);
            let line = json(&Printed {
                v: VERSION,
                what: WithFailure { failure: failed },
            })?;
            // where stderr is gone too, nobody is left to be told
            let _ = stderr().lock().write_all(line.as_bytes());
            Ok(code)
        }
        done => done,
    }
}

fn ask(options: &CtlOptions, how: &mut How, wanted: &Wanted) -> Result<u8, Failure> {
    let command = match &options.what {
        What::Command(words) => Some(words::command(words, how)?),
        What::Events(_) | What::Wait(_) | What::Health => None,
    };
    if let Some(Command::Help { command }) = &command {
        let text = help::help(command.as_deref()).map(Reply::Text)?;
        return show(&text, *how).map(|()| 0);
    }
    if command == Some(Command::Trust) {
        let failure = Failure::usage("`trust` wants a person who reads what it shows");
        return Err(failure.hint("`meta-orchestrator attach`, and there `/trust`"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::from_error(Kind::Failed, &error))?;
    runtime.block_on(async {
        let connection = connect(wanted).await?;
        match (&options.what, command) {
            (_, Some(command)) => carry_out(connection, command, *how).await,
            (What::Events(events), _) => follow::events(connection, events).await,
            (What::Wait(wait), _) => wait::wait(connection, wait, how.json).await,
            (What::Health | What::Command(_), _) => follow::health(connection, how.json).await,
        }
    })
}

async fn carry_out(mut connection: Connection, command: Command, how: How) -> Result<u8, Failure> {
    let folder = std::env::current_dir().ok();
    let command = paths::absolute(command, folder.as_deref());
    let begun = if how.json {
        // what scripts read there is JSON
        None
    } else {
        progress::words(&mut connection, &command).await?
    };
    let reply = match begun {
        None => connection.ask(command).await?,
        Some(begun) => {
            let (mut err, counts) = (stderr(), stderr().is_terminal());
            progress::said(&mut err, counts, &begun, connection.ask(command)).await?
        }
    };
    if !matches!(reply, Reply::Confirm(_)) {
        return show(&reply, how).map(|()| 0);
    }
    if !how.yes {
        show(
            &reply,
            How {
                json: how.json,
                yes: false,
            },
        )?;
        return Err(
            Failure::new(Kind::Failed, "nothing was done: it waits for a yes")
                .hint("`--yes` before the text of the command says it"),
        );
    }
    let question = reply::render(&reply, &frame());
    let _ = stderr().lock().write_all(question.as_bytes());
    let done = connection.ask(Command::Yes).await?;
    show(&done, how).map(|()| 0)
}

fn show(reply: &Reply, how: How) -> Result<(), Failure> {
    let text = match reply {
        reply if how.json => json(&Printed {
            v: VERSION,
            what: reply,
        })?,
        // the answer to it is an option here
        Reply::Confirm(question) => {
            format!("{}\n", text::harmless(question).trim_end())
        }
        reply => reply::render(reply, &frame()),
    };
    super::print(text.as_bytes())
}

/// What is printed as JSON: `{"v":1,"agents":[...]}`.
#[derive(Serialize)]
struct Printed<T> {
    v: u32,
    #[serde(flatten)]
    what: T,
}

#[derive(Serialize)]
struct WithFailure {
    failure: Failed,
}

/// One line, in which a terminal would act on nothing.
fn json(value: &impl Serialize) -> Result<String, Failure> {
    let line = text::json(value).map_err(|error| Failure::from_error(Kind::Bug, &error))?;
    Ok(format!("{}\n", String::from_utf8_lossy(&line)))
}

fn frame() -> Frame {
    let columns = if stdout().is_terminal() {
        super::repl::columns()
    } else {
        usize::MAX
    };
    Frame {
        columns,
        now: Local::now().fixed_offset(),
    }
}
