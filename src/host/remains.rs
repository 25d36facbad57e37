//! What a program left running: found by a mark in its environment, and killed.
//!
//! A process that made a session of its own is no longer in its program's group. On Linux every process that began
//! since the program did is asked for the mark that the program got; elsewhere, and where a process has taken the
//! mark out of its environment, nothing can be found. So this is best effort; the group itself is [`super::call`]'s.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::process;

/// The environment variable that carries the mark.
const VARIABLE: &str = "META_ORCHESTRATOR_RUN";

/// The processes that began with a program, however they are grouped now.
#[derive(Debug)]
pub(super) struct Remains {
    mark: String,
    /// When the program started, in the ticks of [`process::ProcessIdentity`]: nothing of it is older.
    since: u64,
    group: Option<u32>,
}

impl Remains {
    /// Those of a program that is to be started with [`Remains::variable`].
    pub(super) fn new() -> Self {
        let word = || RandomState::new().build_hasher().finish();
        Self {
            mark: format!("{:016x}{:016x}", word(), word()),
            since: 0,
            group: None,
        }
    }

    /// What its environment must hold.
    pub(super) fn variable(&self) -> (&'static str, &str) {
        (VARIABLE, &self.mark)
    }

    /// Takes note of the program, which has just started and leads a group.
    pub(super) fn begins(&mut self, leader: u32) {
        self.since = process::without_arguments(leader).map_or(0, |found| found.identity.started);
        self.group = Some(leader);
    }

    /// Kills those that left the group, once; how many still run, in the group and out of it. To be called while
    /// the number of the group cannot be somebody else's: until its leader is reaped.
    pub(super) fn kill(&self) -> usize {
        let Some(group) = self.group else {
            return 0;
        };
        let mut left = 0;
        for pid in process::all() {
            let Some(found) = process::without_arguments(pid) else {
                continue;
            };
            if found.identity.started < self.since || found.has_ended() {
                continue;
            }
            if found.group == group {
                // it has been sent its signal, and dies in its own time
                left += 1;
            } else if kill_marked(&found, &self.mark) {
                left += 1;
            }
        }
        left
    }
}

/// Kills that very process if it carries the mark.
#[cfg(target_os = "linux")]
fn kill_marked(found: &process::Process, mark: &str) -> bool {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    let pid = found.identity.pid;
    // The descriptor keeps to the process, whoever gets its number next; what is read after it is opened, and
    // still has the same start, is of that process.
    let Some(handle) = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
    else {
        return false;
    };
    let is_marked = process::environment_variable(pid, VARIABLE).is_some_and(|value| value == mark);
    let is_the_same =
        || process::without_arguments(pid).is_some_and(|again| again.identity == found.identity);
    is_marked && is_the_same() && pidfd_send_signal(&handle, Signal::KILL).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn kill_marked(_: &process::Process, _: &str) -> bool {
    false
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::super::{Call, Host};
    use super::process::{self, ProcessIdentity};

    const LONG: Duration = Duration::from_secs(20);
    /// Each leaves one process and writes its number to the file `$0`.
    const LEAVERS: [&str; 3] = [
        "sleep 600 & echo $! > $0",
        "setsid sh -c 'echo $$ > $0; exec sleep 600' $0 & while ! test -s $0; do sleep 0.01; done",
        "(setsid sh -c 'setsid sleep 600 & echo $! > $0' $0 &); while ! test -s $0; do sleep 0.01; done",
    ];

    fn leaver(script: &str, pid: &Path, deadline: Duration) -> Call {
        let call = Call::new("/bin/sh", deadline);
        call.arg("-c").arg(script).arg(pid)
    }

    fn left(pid: &Path) -> Option<ProcessIdentity> {
        let pid = std::fs::read_to_string(pid).ok()?.trim().parse().ok()?;
        Some(process::without_arguments(pid)?.identity)
    }

    fn kill(identity: ProcessIdentity) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(identity.pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_program_that_runs_alone() {
        let folder = tempfile::tempdir().unwrap();
        for (number, script) in LEAVERS.into_iter().enumerate() {
            let pid = folder.path().join(format!("{number}"));
            let call = leaver(&format!("{script}; echo said; exit 3"), &pid, LONG);
            let ended = Host::local().run_alone(call).await.unwrap();
            assert_eq!(
                (ended.output.code, ended.timed_out),
                (Some(3), false),
                "{script}"
            );
            assert_eq!(ended.output.stdout, b"said\n", "{script}");
            let written: u32 = std::fs::read_to_string(&pid)
                .unwrap()
                .trim()
                .parse()
                .unwrap();
            let alive = process::without_arguments(written).is_some_and(|it| !it.has_ended());
            assert!(!alive, "{script}");
        }
        // the control: otherwise each of them lives on
        for (number, script) in LEAVERS.into_iter().enumerate() {
            let pid = folder.path().join(format!("control-{number}"));
            Host::local().run(leaver(script, &pid, LONG)).await.unwrap();
            let left = left(&pid).unwrap();
            assert_eq!(process::alive(left), Some(true), "{script}");
            kill(left);
        }
    }

    #[tokio::test]
    async fn a_deadline_keeps_what_was_said_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let script = format!("echo begun; {}; sleep 600", LEAVERS[1]);
        let call = leaver(&script, &pid, Duration::from_secs(1));
        let ended = Host::local().run_alone(call).await.unwrap();
        assert!(ended.timed_out && ended.output.signal == Some(9));
        assert_eq!(ended.output.stdout, b"begun\n");
        assert!(left(&pid).is_none_or(|it| process::alive(it) == Some(false)));
    }

    #[tokio::test]
    async fn losing_interest_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let script = format!("{}; sleep 600", LEAVERS[2]);
        let call = leaver(&script, &pid, LONG);
        let task = tokio::spawn(async move { Host::local().run_alone(call).await });
        let until = Instant::now() + LONG;
        let left = loop {
            if let Some(left) = left(&pid) {
                break left;
            }
            assert!(Instant::now() < until);
            tokio::task::yield_now().await;
        };
        task.abort();
        let _ = task.await;
        while process::alive(left) != Some(false) {
            assert!(Instant::now() < until);
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn an_environment_may_be_empty_but_for_what_is_given() {
        let call = Call::new("/usr/bin/env", LONG).bare_env().env("A", "1");
        let ended = Host::local().run_alone(call).await.unwrap();
        let said = String::from_utf8(ended.output.stdout).unwrap();
        let names: Vec<&str> = said
            .lines()
            .filter_map(|line| line.split('=').next())
            .collect();
        assert_eq!(names, ["A", super::VARIABLE]);
    }
}
