//! Facts about processes that somebody else started, as far as the system tells them; and their end.
//!
//! On Linux they come from `/proc`, whose form is that of proc(5). Elsewhere every answer is an honest
//! "unknown" (`None`). Nothing here waits for long, but a read of `/proc` can block behind a process that
//! is stuck: whoever must not block asks from a thread that may. Names and arguments are text from
//! outside: they may hold anything.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// Which process, beyond its number: a number is given anew, a number with its start time is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The process number.
    pub pid: u32,
    /// When it started, in clock ticks since the machine did: field 22 of `/proc/PID/stat`.
    pub started: u64,
}

/// What is known of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Which process it is.
    pub identity: ProcessIdentity,
    /// The process that started it, or that took it over.
    pub parent: u32,
    /// Its process group.
    pub group: u32,
    /// Its session (of processes, not of zellij).
    pub session: u32,
    /// The device number of its controlling terminal; 0 is none.
    pub terminal: i32,
    /// The process group in the foreground of that terminal; -1 is none.
    pub terminal_group: i32,
    /// Its state as one letter: R running, S sleeping, T stopped, Z ended and not yet reaped.
    pub state: char,
    /// The name of its program, at most 15 bytes; the process may have changed it.
    pub name: String,
    /// Its arguments, the program first: at most 64 of them and 4 KiB in all. Empty where not asked for.
    pub argv: Vec<String>,
}

impl Process {
    /// Whether it has ended, though its parent has not taken note yet.
    pub const fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

const MAX_ARGUMENT_BYTES: u64 = 4 * 1024;
const MAX_ARGUMENTS: usize = 64;
/// The kernel bounds a process's arguments and environment together, commonly at 2 MiB.
const MAX_ENVIRONMENT_BYTES: u64 = 2 * 1024 * 1024;

/// The process with number `pid`; `None` if there is none or nothing is known of it.
pub fn process(pid: u32) -> Option<Process> {
    let mut found = without_arguments(pid)?;
    found.argv = arguments(&read_bounded(&file_of(pid, "cmdline"), MAX_ARGUMENT_BYTES)?);
    Some(found)
}

/// The same as [`process()`] without the arguments, at half the price.
pub fn without_arguments(pid: u32) -> Option<Process> {
    parse_stat(&read_bounded(&file_of(pid, "stat"), 4096)?)
}

/// The folder in which a process works; `None` if that is unknown or not ours to know.
pub fn working_folder(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(file_of(pid, "cwd")).ok()
}

/// Whether that very process still runs; `None` where the system does not tell.
pub fn alive(identity: ProcessIdentity) -> Option<bool> {
    match without_arguments(identity.pid) {
        Some(found) => Some(found.identity == identity && !found.has_ended()),
        None if Path::new("/proc/self/stat").exists() => Some(false),
        None => None,
    }
}

/// Asks that very process to end (`force`: ends it), if it still runs. Nothing is known of what became of it.
pub fn end(identity: ProcessIdentity, force: bool) {
    let signal = if force { Signal::KILL } else { Signal::TERM };
    if identity.pid > 1
        && alive(identity) == Some(true)
        && let Some(pid) = Pid::from_raw(identity.pid.cast_signed())
    {
        // it may have ended by now, or not be ours
        let _ = kill_process(pid, signal);
    }
}

/// The numbers of all processes; empty where the system does not tell.
pub fn all() -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// The numbers of the children of `parent`.
pub fn children(parent: u32) -> Vec<u32> {
    // The kernel's own list is cheap, but not every kernel keeps one: without it everybody is asked.
    listed_children(parent).unwrap_or_else(|| {
        all()
            .into_iter()
            .filter(|pid| without_arguments(*pid).is_some_and(|found| found.parent == parent))
            .collect()
    })
}

fn listed_children(parent: u32) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    for thread in std::fs::read_dir(file_of(parent, "task")).ok()? {
        let list = thread.ok()?.path().join("children");
        match std::fs::read_to_string(&list) {
            Ok(text) => found.extend(
                text.split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            ),
            // The thread ended while we looked, or this kernel keeps no list.
            Err(_) if list.parent().is_some_and(Path::exists) => return None,
            Err(_) => {}
        }
    }
    Some(found)
}

/// The longest value of an environment variable that is kept, in bytes.
const MAX_VALUE_BYTES: usize = 4 * 1024;

/// The value that the environment variable `name` had when the process started its program.
pub fn environment_variable(pid: u32, name: &str) -> Option<OsString> {
    let [value] = environment_variables(pid, [name])?;
    value
}

/// The values that the environment variables `names` had when the process started its program, in their
/// order; nothing else of its environment is kept, nor a value of more than 4 KiB. `None` if the process is
/// not ours to ask, or where the system does not tell.
pub fn environment_variables<const N: usize>(
    pid: u32,
    names: [&str; N],
) -> Option<[Option<OsString>; N]> {
    let bytes = read_bounded(&file_of(pid, "environ"), MAX_ENVIRONMENT_BYTES)?;
    Some(names.map(|name| value_of(&bytes, name)))
}

fn value_of(environment: &[u8], name: &str) -> Option<OsString> {
    environment
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
        .filter(|value| value.len() <= MAX_VALUE_BYTES)
        .map(|value| OsString::from_vec(value.to_vec()))
}

/// The process that listens at a Unix socket, as the kernel knows it: neither a renamed socket nor what
/// a process says of itself can mislead. `None` if nobody listens, if the listener has more callers waiting
/// than it admits, or where the system does not tell.
///
/// It connects, says nothing, and leaves: the caller knows that the listener can bear that.
pub fn listener(socket: &Path) -> Option<u32> {
    let address = SocketAddrUnix::new(socket).ok()?;
    // A listener that is stuck must not hold us up.
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let caller =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).ok()?;
    rustix::net::connect(&caller, &address).ok()?;
    peer(&caller)
}

#[cfg(target_os = "linux")]
fn peer(caller: &impl std::os::fd::AsFd) -> Option<u32> {
    let credentials = rustix::net::sockopt::socket_peercred(caller).ok()?;
    u32::try_from(credentials.pid.as_raw_nonzero().get()).ok()
}

#[cfg(not(target_os = "linux"))]
fn peer(_: &impl std::os::fd::AsFd) -> Option<u32> {
    None
}

/// The number of this process.
pub fn own() -> u32 {
    std::process::id()
}

/// Whether SIGHUP was ignored when this process started, as `nohup` arranges it; ask before a handler is set.
pub fn hangup_is_ignored() -> Option<bool> {
    let mask = status_field("SigIgn:")?;
    // Signal 1 is the lowest bit.
    Some(u64::from_str_radix(&mask, 16).ok()? & 1 == 1)
}

/// The memory of this process that is in use now, in bytes.
pub fn resident_bytes() -> Option<u64> {
    let text = status_field("VmRSS:")?;
    let kibibytes: u64 = text.strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The time that this process has kept a core busy, all threads together, without its children.
pub fn cpu_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(spent).unwrap_or_default()
}

fn status_field(name: &str) -> Option<String> {
    let bytes = read_bounded(Path::new("/proc/self/status"), 64 * 1024)?;
    let text = String::from_utf8_lossy(&bytes);
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().to_owned())
}

fn file_of(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

fn read_bounded(path: &Path, bound: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(512);
    File::open(path)
        .ok()?
        .take(bound)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(bytes)
}

/// Reads a line of `/proc/PID/stat`. The name stands in brackets and may itself hold blanks, brackets and
/// line ends, so it ends at the last bracket of all.
fn parse_stat(line: &[u8]) -> Option<Process> {
    let opening = line.iter().position(|byte| *byte == b'(')?;
    let closing = line.iter().rposition(|byte| *byte == b')')?;
    let pid = std::str::from_utf8(&line[..opening])
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let name = String::from_utf8_lossy(line.get(opening + 1..closing)?).into_owned();
    // From field 3 on: state, parent, group, session, terminal, terminal's group ... start time.
    let fields: Vec<&str> = std::str::from_utf8(&line[closing + 1..])
        .ok()?
        .split_ascii_whitespace()
        .collect();
    Some(Process {
        identity: ProcessIdentity {
            pid,
            started: fields.get(19)?.parse().ok()?,
        },
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        terminal: fields.get(4)?.parse().ok()?,
        terminal_group: fields.get(5)?.parse().ok()?,
        state: fields.first()?.chars().next()?,
        name,
        argv: Vec::new(),
    })
}

fn arguments(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes
        .split(|byte| *byte == 0)
        .take(MAX_ARGUMENTS)
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REST: &str = "S 7 8 9 34816 11 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 10 20 30";

    #[test]
    fn a_name_may_hold_anything() {
        for name in ["bash", "a b", ") R 1 1 (", "x)\n1 (y", "((", "", "))"] {
            let line = format!("12 ({name}) {REST}\n");
            let found = parse_stat(line.as_bytes()).unwrap();
            assert_eq!(found.name, name);
            assert_eq!(
                found.identity,
                ProcessIdentity {
                    pid: 12,
                    started: 4242
                }
            );
            let numbers = (found.parent, found.group, found.session);
            assert_eq!(numbers, (7, 8, 9), "{name:?}");
            assert_eq!((found.terminal, found.terminal_group), (34816, 11));
            assert_eq!(found.state, 'S');
        }
    }

    #[test]
    fn a_line_cut_short_is_no_process() {
        for line in [
            "",
            "12",
            "12 (a",
            "12 (a)",
            "12 (a) S 1 2",
            ")12 (",
            "x (a) S 1",
        ] {
            assert_eq!(parse_stat(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_stat(&bytes);
            let _ = arguments(&bytes);
        }

        #[test]
        fn nearly_right_lines_never_panic(line in r"[0-9]{0,5} ?\(?[ -~\n]{0,10}\)? ?[A-Z]?( -?[0-9]{1,25}){0,25}") {
            let _ = parse_stat(line.as_bytes());
        }
    }

    #[test]
    fn this_process_knows_itself() {
        let own = process(std::process::id()).unwrap();
        assert_eq!(own.identity.pid, std::process::id());
        assert!(!own.argv.is_empty() && own.argv.len() <= MAX_ARGUMENTS);
        assert_eq!(alive(own.identity), Some(true));
        assert!(children(own.parent).contains(&own.identity.pid));
        assert!(all().contains(&own.identity.pid));
        assert_eq!(
            working_folder(own.identity.pid),
            std::env::current_dir().ok()
        );
        assert!(environment_variable(own.identity.pid, "PATH").is_some());
        assert_eq!(environment_variable(own.identity.pid, "PAT"), None);
        let [path, nothing] = environment_variables(own.identity.pid, ["PATH", "PAT"]).unwrap();
        assert!(path == environment_variable(own.identity.pid, "PATH") && nothing.is_none());
        assert!(resident_bytes().unwrap() > 100_000);
        assert!(cpu_time() > Duration::ZERO);
        assert!(hangup_is_ignored().is_some());
    }

    #[test]
    fn only_the_variables_that_are_named_are_kept_and_none_without_bound() {
        let long = "x".repeat(MAX_VALUE_BYTES + 1);
        let environment = format!("AB=1\0A=\0B=a=b\0LONG={long}\0C");
        let value = |name| value_of(environment.as_bytes(), name);
        assert_eq!(value("A"), Some("".into()));
        assert_eq!(value("B"), Some("a=b".into()));
        assert_eq!((value("LONG"), value("C"), value("")), (None, None, None));
        assert_eq!(environment_variables(u32::MAX, ["A"]), None);
    }

    #[test]
    fn a_number_given_anew_is_another_process() {
        let mut identity = process(std::process::id()).unwrap().identity;
        identity.started += 1;
        assert_eq!(alive(identity), Some(false));
        let nobody = ProcessIdentity {
            pid: u32::MAX,
            started: 1,
        };
        assert_eq!(alive(nobody), Some(false));
        assert_eq!(process(u32::MAX), None);
    }
}
