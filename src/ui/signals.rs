//! The signals that ask the program to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::host::process;

/// SIGINT, SIGTERM, and SIGHUP unless it was ignored when the program started, as `nohup` arranges it.
#[derive(Debug)]
pub struct Signals {
    each: [Option<Signal>; 3],
}

impl Signals {
    /// Keeps the signals from ending the program at once, from now on. One that the system does not let us
    /// have goes on ending it.
    ///
    /// Called within a tokio runtime.
    pub fn listen() -> Self {
        // before a handler is set: afterwards the answer is always no
        let hangup_counts = process::hangup_is_ignored() != Some(true);
        let hangup = hangup_counts.then(SignalKind::hangup);
        let kinds = [
            Some(SignalKind::interrupt()),
            Some(SignalKind::terminate()),
            hangup,
        ];
        Self {
            each: kinds.map(|kind| signal(kind?).ok()),
        }
    }

    /// Waits for one of them.
    pub async fn received(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.each;
        tokio::select! {
            () = one(interrupt) => {}
            () = one(terminate) => {}
            () = one(hangup) => {}
        }
    }
}

async fn one(signal: &mut Option<Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}
