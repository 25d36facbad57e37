//! One program run to its end: start, feed, read, and above all: clear away.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door through which every program is started"
)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::HostError;
use super::remains::Remains;

/// How much of each output is read unless the call says otherwise, in bytes.
pub const DEFAULT_MAX_OUTPUT: usize = 1024 * 1024;

/// How long a killed process is awaited; after that the runtime reaps it whenever it dies.
const REAPING: Duration = Duration::from_secs(1);
/// How long what a program left behind is looked for and killed.
const CLEARING: Duration = Duration::from_secs(1);
/// How long what was killed is given to be gone before it is looked for again.
const DYING: Duration = Duration::from_millis(5);

/// A program to run: what, with which arguments, where, for how long.
#[derive(Clone, Debug)]
#[must_use = "a call does nothing until a host runs it"]
pub struct Call {
    program: PathBuf,
    args: Vec<OsString>,
    bare: bool,
    env: Vec<(OsString, Option<OsString>)>,
    cwd: Option<PathBuf>,
    stdin: Vec<u8>,
    deadline: Duration,
    max_output: usize,
}

impl Call {
    /// A call of `program`, best by its full path, that may take as long as `deadline`.
    pub fn new(program: impl Into<PathBuf>, deadline: Duration) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            bare: false,
            env: Vec::new(),
            cwd: None,
            stdin: Vec::new(),
            deadline,
            max_output: DEFAULT_MAX_OUTPUT,
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Gives the program an environment of what [`Call::env`] sets, and nothing else.
    pub const fn bare_env(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Sets a variable of the environment, which is otherwise this process's own.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), Some(value.into())));
        self
    }

    /// Takes a variable out of the environment.
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.env.push((name.into(), None));
        self
    }

    /// Runs the program in `folder` instead of this process's working folder.
    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cwd = Some(folder.into());
        self
    }

    /// What the program reads from its standard input; without it, it reads nothing.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// How many bytes of standard output, and of standard error, are read before the program is ended.
    pub const fn max_output(mut self, bytes: usize) -> Self {
        self.max_output = bytes;
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .stdin(if self.stdin.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // With nothing to do between fork and exec, std takes the cheap posix_spawn.
            .process_group(0);
        if self.bare {
            command.env_clear();
        }
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = &self.cwd {
            command.current_dir(folder);
        }
        command
    }
}

/// How a program ended and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its standard output, at most `max_output` bytes.
    pub stdout: Vec<u8>,
    /// Its standard error, at most `max_output` bytes.
    pub stderr: Vec<u8>,
    /// One of the outputs was longer than `max_output`: it was cut there and the program was killed.
    pub cut: bool,
}

impl Output {
    /// Whether the program ended by itself with exit code 0.
    pub fn succeeded(&self) -> bool {
        self.code == Some(0) && !self.cut
    }
}

/// How a program ended of which nothing was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it ended, and what it said until then.
    pub output: Output,
    /// The deadline had passed, and it was killed.
    pub timed_out: bool,
}

pub(super) async fn run(call: Call) -> Result<Output, HostError> {
    let ended = to_its_end(&call, None).await?;
    if ended.timed_out {
        return Err(HostError::TimedOut {
            program: call.program,
            after: call.deadline,
        });
    }
    Ok(ended.output)
}

pub(super) async fn run_alone(call: Call) -> Result<Ended, HostError> {
    let remains = Remains::new();
    let (name, mark) = remains.variable();
    let call = call.env(name, mark);
    to_its_end(&call, Some(remains)).await
}

async fn to_its_end(call: &Call, remains: Option<Remains>) -> Result<Ended, HostError> {
    let lost = |source: io::Error| HostError::Io {
        program: call.program.clone(),
        source: Arc::new(source),
    };
    let started = Instant::now();
    let mut running = Running::start(call, remains)?;
    let mut said = Said {
        stdout: Stream::new(running.child.stdout.take(), call.max_output),
        stderr: Stream::new(running.child.stderr.take(), call.max_output),
    };
    let ending = running.finish(&mut said, &call.stdin);
    let ending = match started.checked_add(call.deadline) {
        Some(until) => timeout_at(until, ending).await.ok(),
        None => Some(ending.await),
    };
    let status = match &ending {
        Some(Ok(Some(status))) => Some(*status),
        Some(Ok(None) | Err(_)) | None => running.end().await,
    };
    let timed_out = ending.is_none();
    ending.transpose().map_err(lost)?;
    if timed_out {
        said.take_what_is_there().map_err(lost)?;
    }
    Ok(Ended {
        output: Output {
            code: status.and_then(|status| status.code()),
            signal: status.and_then(|status| status.signal()),
            cut: said.is_cut(),
            stdout: said.stdout.bytes,
            stderr: said.stderr.bytes,
        },
        timed_out,
    })
}

/// A started program; dropping it kills its group, and the runtime reaps it.
struct Running {
    child: Child,
    /// The group, for as long as its leader is not reaped: after that the number may be somebody else's.
    group: Option<Pid>,
    /// Where nothing is to be left of it: what to look for.
    remains: Option<Remains>,
}

impl Running {
    fn start(call: &Call, mut remains: Option<Remains>) -> Result<Self, HostError> {
        let child = call
            .command()
            .spawn()
            .map_err(|source| cannot_start(call, source))?;
        if let (Some(remains), Some(leader)) = (&mut remains, child.id()) {
            remains.begins(leader);
        }
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok(Self {
            child,
            group,
            remains,
        })
    }

    /// Feeds and reads the program until it ends or says too much. How it ended, where it is reaped: one of which
    /// nothing is to be left is not.
    async fn finish(&mut self, said: &mut Said, input: &[u8]) -> io::Result<Option<ExitStatus>> {
        let feeding = feed(self.child.stdin.take(), input);
        let unreaped = unreaped(self.group.filter(|_| self.remains.is_some()));
        tokio::pin!(feeding, unreaped);
        let (mut fed, mut ended, mut status) = (input.is_empty(), false, None);
        while !ended && !said.is_cut() {
            tokio::select! {
                end = self.child.wait(), if self.remains.is_none() => {
                    status = Some(end?);
                    self.group = None;
                    ended = true;
                }
                end = &mut unreaped, if self.remains.is_some() => {
                    end?;
                    ended = true;
                }
                read = said.stdout.read(), if said.stdout.is_open() => read?,
                read = said.stderr.read(), if said.stderr.is_open() => read?,
                () = &mut feeding, if !fed => fed = true,
            }
        }
        if ended {
            // What the program said is in the pipes by now. Waiting for their end instead would wait for
            // whatever it left behind in the background.
            said.take_what_is_there()?;
        } else {
            // before its pipes close: it is to end by this, and not by what it makes of that
            self.kill();
        }
        Ok(status)
    }

    /// Kills the group, and all that is left where nothing is to be, and awaits the leader's end.
    async fn end(&mut self) -> Option<ExitStatus> {
        self.kill();
        self.clear().await;
        timeout(REAPING, self.child.wait()).await.ok()?.ok()
    }

    fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            // It fails only if the group is gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Kills what left the group, until nothing is found or the time for it is over.
    async fn clear(&mut self) {
        let until = Instant::now() + CLEARING;
        while let Some(remains) = self.remains.take() {
            // Reading of processes can block behind one that is stuck.
            let looked = tokio::task::spawn_blocking(move || (remains.kill(), remains)).await;
            let Ok((left, remains)) = looked else {
                return;
            };
            if left > 0 && Instant::now() < until {
                self.remains = Some(remains);
                sleep(DYING).await;
            }
        }
    }
}

/// Waits until the process has ended, and leaves it to be reaped: its number is its own until then. Never ends
/// without a process.
async fn unreaped(process: Option<Pid>) -> io::Result<()> {
    let Some(process) = process else {
        return std::future::pending().await;
    };
    // before it is first looked at, so that no end is missed
    let mut ends = signal(SignalKind::child())?;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    while waitid(WaitId::Pid(process), options)?.is_none() {
        ends.recv().await;
    }
    Ok(())
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        if let Some(remains) = &self.remains {
            remains.kill();
        }
    }
}

fn cannot_start(call: &Call, source: io::Error) -> HostError {
    let program = call.program.clone();
    let missing_folder = call.cwd.as_deref().filter(|folder| !folder.is_dir());
    let source = match missing_folder {
        Some(folder) => io::Error::new(
            io::ErrorKind::NotFound,
            format!("its working folder {} does not exist", folder.display()),
        ),
        None if source.kind() == io::ErrorKind::NotFound && !is_there(&program) => {
            return HostError::NotFound { program };
        }
        None => source,
    };
    HostError::CannotStart {
        program,
        source: Arc::new(source),
    }
}

/// A file that is there and yet "not found" lacks its interpreter or its loader.
fn is_there(program: &Path) -> bool {
    program.as_os_str() != OsStr::new("") && program.components().count() > 1 && program.exists()
}

async fn feed(pipe: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut pipe) = pipe {
        // A program need not read its input to the end; whether it was content is told by its exit code.
        let _ = pipe.write_all(input).await;
    }
}

/// Both outputs of a program.
struct Said {
    stdout: Stream<ChildStdout>,
    stderr: Stream<ChildStderr>,
}

impl Said {
    const fn is_cut(&self) -> bool {
        self.stdout.cut || self.stderr.cut
    }

    fn take_what_is_there(&mut self) -> io::Result<()> {
        self.stdout.take_what_is_there()?;
        self.stderr.take_what_is_there()
    }
}

/// One output of a program, read up to a bound.
struct Stream<P> {
    pipe: Option<P>,
    bytes: Vec<u8>,
    bound: usize,
    cut: bool,
}

impl<P: AsyncRead + AsFd + Unpin> Stream<P> {
    const STEP: usize = 8 * 1024;

    const fn new(pipe: Option<P>, bound: usize) -> Self {
        Self {
            pipe,
            bytes: Vec::new(),
            bound,
            cut: false,
        }
    }

    const fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Waits for some output; dropping the future loses nothing.
    async fn read(&mut self) -> io::Result<()> {
        if let Some(pipe) = &mut self.pipe {
            self.bytes.reserve(Self::STEP);
            let count = pipe.read_buf(&mut self.bytes).await?;
            self.account(count);
        }
        Ok(())
    }

    /// Reads what is in the pipe without waiting for more. The runtime may not have noticed it yet, so
    /// the pipe, which the runtime made non-blocking, is asked directly.
    fn take_what_is_there(&mut self) -> io::Result<()> {
        while let Some(pipe) = self.pipe.as_ref().filter(|_| !self.cut) {
            self.bytes.reserve(Self::STEP);
            match rustix::io::read(pipe, rustix::buffer::spare_capacity(&mut self.bytes)) {
                Ok(count) => self.account(count),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => self.pipe = None,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn account(&mut self, count: usize) {
        if self.bytes.len() > self.bound {
            self.bytes.truncate(self.bound);
            self.cut = true;
        }
        if count == 0 {
            self.pipe = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;

    fn shell(script: &str, deadline: Duration) -> Call {
        Call::new("/bin/sh", deadline).arg("-c").arg(script)
    }

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn output_exit_code_and_signal_are_told() {
        let host = Host::local();
        let cases = [
            (
                "printf out; printf err >&2; exit 3",
                Some(3),
                None,
                "out",
                "err",
            ),
            ("kill -TERM $$", None, Some(15), "", ""),
            ("cat", Some(0), None, "", ""),
            ("printf %s \"$A$B\"; pwd", Some(0), None, "1/\n", ""),
        ];
        for (script, code, signal, stdout, stderr) in cases {
            let call = shell(script, LONG).env("A", "1").env_remove("B").cwd("/");
            let output = host.run(call).await.unwrap();
            assert_eq!((output.code, output.signal), (code, signal), "{script}");
            assert_eq!(output.stdout, stdout.as_bytes(), "{script}");
            assert_eq!(output.stderr, stderr.as_bytes(), "{script}");
            assert!(!output.cut);
            assert_eq!(output.succeeded(), code == Some(0), "{script}");
        }
    }

    #[tokio::test]
    async fn input_larger_than_a_pipe_goes_in_while_output_comes_out() {
        let input = vec![b'x'; 600_000];
        let call = shell("cat; cat >&2 </dev/null", LONG).stdin(input.clone());
        assert_eq!(Host::local().run(call).await.unwrap().stdout, input);
        // Whoever does not read its input is not an error.
        let call = shell("exit 0", LONG).stdin(input);
        assert!(Host::local().run(call).await.unwrap().succeeded());
    }

    #[tokio::test]
    async fn both_outputs_are_read_at_once_and_in_full() {
        let script = "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero";
        let output = Host::local().run(shell(script, LONG)).await.unwrap();
        assert_eq!(
            (output.stdout.len(), output.stderr.len()),
            (300_000, 300_000)
        );
    }

    #[tokio::test]
    async fn too_much_output_is_cut_and_the_program_ended() {
        for script in ["cat /dev/zero", "cat /dev/zero >&2", "cat /dev/zero & wait"] {
            let call = shell(script, LONG).max_output(10_000);
            let output = Host::local().run(call).await.unwrap();
            assert!(output.cut && !output.succeeded(), "{script}");
            assert_eq!(
                output.stdout.len().max(output.stderr.len()),
                10_000,
                "{script}"
            );
            assert_eq!(output.signal, Some(9), "{script}");
        }
        // A short program may have ended before anybody noticed: it is cut all the same.
        let call = shell("head -c 20000 /dev/zero", LONG).max_output(10_000);
        let output = Host::local().run(call).await.unwrap();
        assert!(output.cut && output.stdout.len() == 10_000);
    }

    #[tokio::test]
    async fn output_of_exactly_the_bound_is_whole() {
        let call = shell("head -c 10000 /dev/zero", LONG).max_output(10_000);
        let output = Host::local().run(call).await.unwrap();
        assert!(!output.cut && output.stdout.len() == 10_000);
    }

    #[tokio::test]
    async fn a_deadline_ends_the_program_and_what_it_started() {
        for script in [
            "sleep 600",
            "sleep 600 & wait",
            "trap '' TERM HUP INT; sleep 600",
            "exec >/dev/null 2>&1; sleep 600",
            "kill -STOP $$",
        ] {
            let started = std::time::Instant::now();
            let error = Host::local().run(shell(script, SHORT)).await.unwrap_err();
            assert!(matches!(error, HostError::TimedOut { after, .. } if after == SHORT));
            assert!(started.elapsed() < Duration::from_secs(3), "{script}");
        }
    }

    #[tokio::test]
    async fn a_process_left_in_the_background_is_not_waited_for() {
        let started = std::time::Instant::now();
        let call = shell("echo said; sleep 2 & exit 0", LONG);
        let output = Host::local().run(call).await.unwrap();
        assert_eq!(output.stdout, b"said\n");
        assert!(started.elapsed() < Duration::from_millis(1500));
    }

    #[tokio::test]
    async fn what_cannot_be_started_says_why() {
        let host = Host::local();
        let folder = tempfile::tempdir().unwrap();
        let missing = Call::new(folder.path().join("none"), LONG);
        assert!(matches!(
            host.run(missing).await,
            Err(HostError::NotFound { .. })
        ));
        let unnamed = Call::new("surely-no-such-program", LONG);
        assert!(matches!(
            host.run(unnamed).await,
            Err(HostError::NotFound { .. })
        ));
        let why = |error: HostError| match error {
            HostError::CannotStart { source, .. } => source.to_string(),
            other => format!("{other:?}"),
        };
        let elsewhere = Call::new("/bin/sh", LONG).cwd("/no/such/folder");
        let said = why(host.run(elsewhere).await.unwrap_err());
        assert!(said.contains("/no/such/folder"), "{said}");
        let folder_itself = Call::new(folder.path(), LONG);
        assert!(matches!(
            host.run(folder_itself).await,
            Err(HostError::CannotStart { .. })
        ));
        let nul = Call::new("/bin/sh", LONG).arg("a\0b");
        assert!(matches!(
            host.run(nul).await,
            Err(HostError::CannotStart { .. })
        ));
    }
}
