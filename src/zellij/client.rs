//! One zellij client: its turn, its deadline, its answer; and the listings that callers share.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::error::{ZellijError, excerpt, plain, session_not_found};
use super::find::{Environment, Version};
use super::foreground::{Roots, socket_folder, socket_of};
use super::listing::Panes;
use crate::error::in_full;
use crate::host::{DEFAULT_MAX_OUTPUT, Host, HostError, Output, process};
use crate::ids::{PaneAddress, SessionName};

/// How many clients run at once.
const CLIENTS: usize = 4;
/// How many of them for one session, so that one with many agents leaves turns to the others.
const CLIENTS_OF_A_SESSION: usize = 2;
/// The most sessions that are remembered while nobody asks about them.
const REMEMBERED: usize = 64;
/// The most that a list of panes may be, in bytes: about 1 KiB is said of each.
const MAX_LIST: usize = 4 * 1024 * 1024;

/// What is asked of zellij.
#[derive(Debug)]
pub(super) struct Order {
    doing: &'static str,
    to: String,
    session: Option<SessionName>,
    args: Vec<OsString>,
    max_output: usize,
}

impl Order {
    /// A request that is no matter of one session's server alone.
    pub(super) fn about<A: Into<OsString>>(
        doing: &'static str,
        to: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            doing,
            to: to.to_owned(),
            session: None,
            args: args.into_iter().map(Into::into).collect(),
            max_output: DEFAULT_MAX_OUTPUT,
        }
    }

    /// An action in a session.
    pub(super) fn on_session<A: Into<OsString>>(
        doing: &'static str,
        session: &SessionName,
        action: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let all = ["--session", session.as_str(), "action", action];
        let mut order = Self::about(doing, &format!("session `{session}`"), all);
        order.session = Some(session.clone());
        order.args.extend(args.into_iter().map(Into::into));
        order
    }

    /// An action on a pane.
    pub(super) fn on_pane(
        doing: &'static str,
        pane: &PaneAddress,
        action: &str,
        args: &[&str],
    ) -> Self {
        let id = pane.pane.to_string();
        let all = ["--pane-id", &id].into_iter().chain(args.iter().copied());
        let mut order = Self::on_session(doing, &pane.session, action, all);
        order.to = pane.to_string();
        order
    }

    pub(super) const fn max_output(mut self, bytes: usize) -> Self {
        self.max_output = bytes;
        self
    }

    fn timed_out(&self, after: Duration) -> ZellijError {
        ZellijError::TimedOut {
            doing: self.doing,
            to: self.to.clone(),
            after,
        }
    }

    fn unknown(&self, detail: String) -> ZellijError {
        ZellijError::Unknown {
            doing: self.doing,
            to: self.to.clone(),
            detail,
        }
    }

    /// What an ended client's answer means.
    fn sort(&self, output: Output) -> Result<Vec<u8>, ZellijError> {
        if output.cut {
            return Err(self.unknown(format!("it said more than {} bytes", self.max_output)));
        }
        let failed = output.code != Some(0);
        if let Some(session) = &self.session {
            // The exit code is not to be relied on here. Standard output is a pane's own text where the
            // client succeeded, and then says nothing about sessions.
            let said_in_failing = if failed {
                plain(&output.stdout)
            } else {
                String::new()
            };
            let said = [plain(&output.stderr), said_in_failing];
            if let Some(alive) = said.iter().find_map(|said| session_not_found(said)) {
                return Err(ZellijError::SessionNotFound {
                    session: session.clone(),
                    alive,
                });
            }
        }
        if !failed {
            return Ok(output.stdout);
        }
        let said = [output.stderr, output.stdout];
        let said = said
            .iter()
            .map(|said| excerpt(said))
            .find(|said| !said.is_empty());
        let how = match (output.code, output.signal) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        };
        Err(self.unknown(match said {
            Some(said) => format!("{said} ({how})"),
            None => format!("it failed without a word ({how})"),
        }))
    }
}

/// Runs zellij's clients for all handles.
#[derive(Debug)]
pub(super) struct Client {
    host: Host,
    program: PathBuf,
    version: Version,
    deadline: Duration,
    environment: Environment,
    turns: Semaphore,
    /// Since when zellij does not answer at all, and what happened last.
    down: Mutex<Option<(DateTime<Utc>, String)>>,
    sessions: Mutex<HashMap<SessionName, Arc<Session>>>,
    pub(super) roots: Roots,
}

/// What callers share about a session.
#[derive(Debug)]
struct Session {
    turns: Semaphore,
    /// The newest listing; whoever holds the lock makes the next one.
    listed: tokio::sync::Mutex<Option<Listed>>,
    /// When the newest listing began that told of panes.
    answered: Mutex<Option<SystemTime>>,
}

#[derive(Debug)]
struct Listed {
    began: Instant,
    ended: Instant,
    panes: Result<Arc<Panes>, ZellijError>,
}

impl Listed {
    /// Whether it answers somebody who asked at `asked`.
    fn answers(&self, asked: Instant, fresh_within: Duration) -> bool {
        match self.panes {
            Ok(_) => self.began + fresh_within >= asked,
            // A failure is for those who waited for it, and is news to everybody after them.
            Err(_) => self.ended >= asked,
        }
    }
}

impl Client {
    pub(super) fn new(
        host: Host,
        program: PathBuf,
        version: Version,
        deadline: Duration,
        environment: Environment,
    ) -> Self {
        Self {
            host,
            program,
            version,
            deadline,
            environment,
            turns: Semaphore::new(CLIENTS),
            down: Mutex::default(),
            sessions: Mutex::default(),
            roots: Roots::default(),
        }
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    pub(super) const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Since when zellij does not answer at all, and what happened last.
    pub(super) fn down(&self) -> Option<(DateTime<Utc>, String)> {
        self.down
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Keeps whether zellij answers: any answer counts, also that something is not there.
    fn heard(&self, error: Option<&ZellijError>) {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        *down = error.map(|error| {
            let since = down.as_ref().map_or_else(Utc::now, |(since, _)| *since);
            (since, in_full(error))
        });
    }

    pub(super) const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Runs one client that changes something.
    pub(super) async fn run(&self, order: &Order) -> Result<Vec<u8>, ZellijError> {
        self.run_until(order, Instant::now() + self.deadline).await
    }

    /// Runs one client that tells something, and a second one if the first told nothing at all.
    pub(super) async fn read(&self, order: &Order) -> Result<Vec<u8>, ZellijError> {
        self.read_as(order, |answer| {
            if answer.is_empty() {
                return Err("it answered nothing".to_owned());
            }
            Ok(answer)
        })
        .await
    }

    /// Runs one client, and a second one if the first overlooked the session, or told what `read` can make
    /// nothing of.
    async fn read_as<T>(
        &self,
        order: &Order,
        read: impl Fn(Vec<u8>) -> Result<T, String>,
    ) -> Result<T, ZellijError> {
        let until = Instant::now() + self.deadline;
        match self.run_until(order, until).await.map(&read) {
            Ok(Ok(found)) => return Ok(found),
            Err(error) if !error.did_nothing() => return Err(error),
            Ok(Err(_)) | Err(_) => {}
        }
        read(self.run_until(order, until).await?).map_err(|detail| order.unknown(detail))
    }

    /// Runs one client when it is its turn, all within the deadline, and keeps whether zellij answers.
    async fn run_until(&self, order: &Order, until: Instant) -> Result<Vec<u8>, ZellijError> {
        let ran = self.run_in_turn(order, until).await;
        let silent = ran.as_ref().err().filter(|error| {
            matches!(
                error,
                ZellijError::TimedOut { .. } | ZellijError::CannotRun { .. }
            )
        });
        self.heard(silent);
        ran
    }

    async fn run_in_turn(&self, order: &Order, until: Instant) -> Result<Vec<u8>, ZellijError> {
        let session = order.session.as_ref().map(|name| self.session(name));
        let turn = async {
            // The session's turn first, so that those who wait for it hold up nobody else.
            let of_session = match &session {
                Some(session) => Some(session.turns.acquire().await),
                None => None,
            };
            (of_session, self.turns.acquire().await)
        };
        let Ok(_turn) = timeout_at(until, turn).await else {
            return Err(order.timed_out(self.deadline));
        };
        let left = until.saturating_duration_since(Instant::now());
        let call = self
            .environment
            .call(&self.program, left)
            .args(&order.args)
            .max_output(order.max_output);
        match self.host.run(call).await {
            Ok(output) => order.sort(output).map_err(|error| self.doubt(order, error)),
            Err(HostError::TimedOut { .. }) => Err(order.timed_out(self.deadline)),
            Err(source) => Err(ZellijError::CannotRun {
                doing: order.doing,
                to: order.to.clone(),
                source,
            }),
        }
    }

    /// zellij says now and then of a session that is alive that it is not (about one call in a thousand
    /// on 0.45.1). When it is right it has removed the session's socket, so one that is there refutes it.
    fn doubt(&self, order: &Order, error: ZellijError) -> ZellijError {
        match error {
            ZellijError::SessionNotFound { session, .. } if self.has_socket(&session) => {
                ZellijError::Overlooked {
                    doing: order.doing,
                    to: order.to.clone(),
                }
            }
            error => error,
        }
    }

    /// Whether there is a socket of the session.
    pub(super) fn has_socket(&self, session: &SessionName) -> bool {
        socket_of(&socket_folder(&self.environment), session).is_some()
    }

    /// Whether the server of a new session has started a process, going by what the system knows.
    pub(super) fn has_begun(&self, session: &SessionName) -> bool {
        let socket = socket_of(&socket_folder(&self.environment), session);
        let is_server = |found: &process::Process| match found.argv.as_slice() {
            [_, option, path, ..] => {
                option == "--server" && Some(Path::new(path)) == socket.as_deref()
            }
            _ => false,
        };
        let everybody = process::all().into_iter().filter_map(process::process);
        everybody
            .filter(is_server)
            .any(|server| !process::children(server.identity.pid).is_empty())
    }

    pub(super) async fn panes(
        &self,
        session: &SessionName,
        fresh_within: Duration,
    ) -> Result<Arc<Panes>, ZellijError> {
        let asked = Instant::now();
        let args = ["--json", "--all"];
        let order = Order::on_session("listing the panes of", session, "list-panes", args)
            .max_output(MAX_LIST);
        let shared = self.session(session);
        let Ok(mut listed) = timeout_at(asked + self.deadline, shared.listed.lock()).await else {
            return Err(order.timed_out(self.deadline));
        };
        if let Some(newest) = listed
            .as_ref()
            .filter(|newest| newest.answers(asked, fresh_within))
        {
            return newest.panes.clone();
        }
        let (began, wall_clock) = (Instant::now(), SystemTime::now());
        let parse = |answer: Vec<u8>| Panes::parse(&answer).map(Arc::new);
        let panes = self.read_as(&order, parse).await;
        if panes.is_ok() {
            *lock(&shared.answered) = Some(wall_clock);
        }
        *listed = Some(Listed {
            began,
            ended: Instant::now(),
            panes: panes.clone(),
        });
        panes
    }

    /// When the newest listing of a session's panes began that succeeded: a server that started before
    /// that is known to be in good order.
    pub(super) fn answered(&self, session: &SessionName) -> Option<SystemTime> {
        *lock(&self.session(session).answered)
    }

    fn session(&self, name: &SessionName) -> Arc<Session> {
        let mut sessions = lock(&self.sessions);
        if let Some(known) = sessions.get(name) {
            return Arc::clone(known);
        }
        if sessions.len() >= REMEMBERED {
            sessions.retain(|_, session| Arc::strong_count(session) > 1);
        }
        let session = Arc::new(Session {
            turns: Semaphore::new(CLIENTS_OF_A_SESSION),
            listed: tokio::sync::Mutex::default(),
            answered: Mutex::default(),
        });
        sessions.insert(name.clone(), Arc::clone(&session));
        session
    }
}

/// What a panicking holder left is still whole: nothing here is changed in two steps.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(code: i32, stdout: &str, stderr: &str) -> Output {
        Output {
            code: Some(code),
            signal: None,
            stdout: stdout.into(),
            stderr: stderr.into(),
            cut: false,
        }
    }

    fn order() -> Order {
        Order::on_session("reading", &"work".parse().unwrap(), "dump-screen", [""; 0])
    }

    #[test]
    fn an_answer_is_sorted_by_what_was_said_and_where() {
        const GONE: &str = "Session 'work' not found. The following sessions are active:\na\nb\n";
        let sorted = |code, stdout, stderr| match order().sort(output(code, stdout, stderr)) {
            Ok(answer) => String::from_utf8(answer).unwrap(),
            Err(ZellijError::SessionNotFound { alive, .. }) => {
                format!("gone, but {}", alive.join(" "))
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(sorted(0, "screen", ""), "screen");
        for code in [0, 1] {
            assert_eq!(
                sorted(code, "", GONE),
                "gone, but a b",
                "whatever the exit code"
            );
        }
        assert_eq!(sorted(1, GONE, ""), "gone, but a b");
        assert_eq!(sorted(0, GONE, ""), GONE, "that is what the pane shows");
        assert_eq!(
            sorted(2, "", "\u{1b}[31merror:\u{1b}[m bad pane"),
            "reading session `work`: error: bad pane (exit code 2)"
        );
        assert_eq!(
            sorted(1, "", ""),
            "reading session `work`: it failed without a word (exit code 1)"
        );
    }

    #[test]
    fn what_was_cut_or_killed_is_unknown() {
        let cut = Output {
            cut: true,
            ..output(0, "x", "")
        };
        assert!(matches!(
            order().sort(cut),
            Err(ZellijError::Unknown { .. })
        ));
        let killed = Output {
            code: None,
            signal: Some(9),
            ..output(0, "", "")
        };
        let error = order().sort(killed).unwrap_err();
        assert!(
            error.to_string().ends_with("(ended by signal 9)"),
            "{error}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_listing_answers_those_for_whom_it_is_fresh() {
        let second = Duration::from_secs(1);
        let began = Instant::now();
        let listed = |panes| Listed {
            began,
            ended: began + second,
            panes,
        };
        let good = listed(Ok(Arc::default()));
        let bad = listed(Err(order().timed_out(second)));
        // (asked after the listing began, fresh within, good one answers, bad one answers)
        for (asked, fresh, if_good, if_bad) in [
            (0, 0, true, true),
            (1, 0, false, true),
            (1, 1, true, true),
            (3, 2, false, false),
            (3, 3, true, false),
        ] {
            let (asked, fresh) = (began + second * asked, second * fresh);
            assert_eq!(good.answers(asked, fresh), if_good, "{asked:?} {fresh:?}");
            assert_eq!(bad.answers(asked, fresh), if_bad, "{asked:?} {fresh:?}");
        }
    }
}
