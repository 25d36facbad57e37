//! What is said on stderr while something long is under way: at once that it has begun, and at a terminal for how
//! long already. Nothing of it goes to stdout, which scripts read.

use std::future::Future;
use std::io::Write;
use std::time::Duration;

use tokio::time::{Instant, interval_at};

use super::follow;
use crate::command::Command;
use crate::command::text::one_line;
use crate::error::Failure;
use crate::socket::Connection;
use crate::socket::client::patience;

/// How often the time is shown anew.
const STEP: Duration = Duration::from_secs(1);

/// What is said when `command` begins; `None` for one that is quickly done.
pub(super) async fn words(
    connection: &mut Connection,
    command: &Command,
) -> Result<Option<String>, Failure> {
    Ok(match command {
        Command::Review { id, .. } => {
            let health = follow::now(connection).await?;
            let mut backends = health.backends.iter();
            let backend = backends.find(|backend| backend.role == "review");
            // without one it fails at once
            backend.map(|backend| {
                let minutes = patience(command).as_secs() / 60;
                let name = one_line(&backend.name);
                format!("reviewing {id} by {name}: that may take minutes, {minutes} are waited for")
            })
        }
        Command::Quit => Some(format!(
            "stopping process {}: it lets its agents go, and closes its logs",
            connection.hello().pid
        )),
        _ => None,
    })
}

/// Says `begun`, and while `work` is under way, if it `counts`, how long it has taken.
pub(super) async fn said<T>(
    out: &mut impl Write,
    counts: bool,
    begun: &str,
    work: impl Future<Output = T>,
) -> T {
    // without a stderr nobody wants to know
    let _ = writeln!(out, "{begun}");
    let start = Instant::now();
    let mut steps = interval_at(start + STEP, STEP);
    let mut is_shown = false;
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            biased;
            done = &mut work => break done,
            _ = steps.tick(), if counts => {
                is_shown = true;
                let _ = write!(out, "\r{} s", start.elapsed().as_secs());
                let _ = out.flush();
            }
        }
    };
    if is_shown {
        // the line is as it was before
        let _ = write!(out, "\r\u{1b}[K");
        let _ = out.flush();
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn says(counts: bool, length: Duration) -> String {
        let mut out = Vec::new();
        let work = tokio::time::sleep(length);
        said(&mut out, counts, "reviewing a1", work).await;
        String::from_utf8(out).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_beginning_is_said_and_at_a_terminal_the_time() {
        let long = Duration::from_millis(3_500);
        assert_eq!(
            says(true, long).await,
            "reviewing a1\n\r1 s\r2 s\r3 s\r\u{1b}[K"
        );
        assert_eq!(says(false, long).await, "reviewing a1\n");
        assert_eq!(
            says(true, Duration::from_millis(500)).await,
            "reviewing a1\n"
        );
    }
}
