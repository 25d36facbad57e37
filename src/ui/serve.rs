//! The front end that needs no terminal: what the supervisor says goes to stderr as lines.
//!
//! It takes no input. Writing may block (a pipe that nobody reads), so it has a thread of its own, and what does
//! not fit into its queue is counted. `main` calls [`run`].

use std::io::{Write, stderr};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use chrono::Local;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::command::reply::{self, Frame};
use crate::command::{Client, Command, Notice, Reply, text};

/// How many lines may wait to be written.
const LINES: usize = 256;
/// How long the last lines may take.
const LAST: Duration = Duration::from_millis(500);

/// The end of the supervisor.
#[derive(Debug, Clone)]
pub struct End {
    /// It has begun.
    pub begun: CancellationToken,
    /// It is through.
    pub through: CancellationToken,
}

/// Says `greeting`, then what is said, until the end; that it has begun, and what it came to.
pub async fn run(client: &dyn Client, greeting: &str, end: End) {
    let End {
        begun,
        through: ended,
    } = end;
    let mut notices = client.notices();
    let Some((mut pen, done)) = Pen::new() else {
        return ended.cancelled().await;
    };
    pen.write(format!("{}\n", greeting.trim_end()));
    let mut is_ending = false;
    loop {
        let said = tokio::select! {
            biased;
            () = begun.cancelled(), if !is_ending => {
                is_ending = true;
                pen.write(stopping(client.views().len()));
                continue;
            }
            () = ended.cancelled() => break,
            said = notices.recv() => said,
        };
        match said {
            Ok(notice) => pen.write(words(&notice)),
            Err(RecvError::Lagged(count)) => pen.lost(count),
            Err(RecvError::Closed) => {
                ended.cancelled().await;
                break;
            }
        }
    }
    rest(&mut notices, &mut pen);
    pen.write(last_words(client).await);
    drop(pen);
    let _ = timeout(LAST, done).await;
}

fn stopping(agents: usize) -> String {
    let agents = match agents {
        0 => String::new(),
        1 => "1 agent is let go, then ".to_owned(),
        many => format!("{many} agents are let go, then "),
    };
    format!("stopping: {agents}the configuration and the logs are closed\n")
}

/// What the end came to: who asks once it is through is told the same.
async fn last_words(client: &dyn Client) -> String {
    let said = timeout(LAST, client.send(Command::Quit)).await;
    match said {
        Ok(Ok(Reply::Bye(said))) if !said.is_empty() => {
            format!("ended: {}\n", text::one_line(&said))
        }
        _ => "ended\n".to_owned(),
    }
}

fn rest(notices: &mut broadcast::Receiver<Notice>, pen: &mut Pen) {
    loop {
        match notices.try_recv() {
            Ok(notice) => pen.write(words(&notice)),
            Err(TryRecvError::Lagged(count)) => pen.lost(count),
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
}

fn words(notice: &Notice) -> String {
    let frame = Frame {
        columns: usize::MAX,
        now: Local::now().fixed_offset(),
    };
    reply::notice(notice, &frame)
}

/// Writes lines to stderr, without ever waiting for it.
struct Pen {
    lines: SyncSender<String>,
    /// How many could not be written.
    missing: u64,
}

impl Pen {
    /// With what tells when the last line is written; `None` where the system starts no thread.
    fn new() -> Option<(Self, oneshot::Receiver<()>)> {
        let (lines, written) = sync_channel::<String>(LINES);
        let (finished, done) = oneshot::channel();
        let write = move || {
            for line in written {
                // without a stderr nobody wants to know
                let _ = stderr().lock().write_all(line.as_bytes());
            }
            let _ = finished.send(());
        };
        thread::Builder::new()
            .name("stderr".into())
            .spawn(write)
            .ok()?;
        Some((Self { lines, missing: 0 }, done))
    }

    fn write(&mut self, line: String) {
        if self.missing > 0 {
            let told = format!(
                "({} lines could not be written; the logs have them)\n",
                self.missing
            );
            if self.lines.try_send(told).is_ok() {
                self.missing = 0;
            }
        }
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            self.lost(1);
        }
    }

    const fn lost(&mut self, count: u64) {
        self.missing = self.missing.saturating_add(count);
    }
}
