//! Claude Code's session registry: what the agent itself says that it is doing.
//!
//! Claude Code keeps `sessions/PID.json` in its configuration folder (`CLAUDE_CONFIG_DIR`, else `.claude` in
//! `HOME`, of that process), with its status, which follows its screen within a tenth of a second (2.1.197
//! and 2.1.329). The file goes at a clean exit, stays after a kill, and does not change when the process is
//! suspended: an entry counts only for the process that wrote it, by its start time, while that runs.
//!
//! The file is text from outside: bounded, read as JSON that may hold anything. Every miss says why, in
//! words for a person. It is read where `/proc` tells of processes; elsewhere there is an honest miss.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::host::file::read_whole;
use crate::host::process::{self, Process, ProcessIdentity};
use crate::ids::PaneAddress;

use super::words;

/// The largest session file that is read, in bytes; those seen have less than 500.
const MAX_FILE: u64 = 64 * 1024;
/// The most processes of a foreground group that are asked.
const MAX_FRONT: usize = 16;
/// The most entries of a folder that are looked at.
const MAX_ENTRIES: usize = 1024;
/// The longest word of the file that is kept, in characters.
const MAX_WORD: usize = 120;
/// How long a look may take: a read of `/proc` can block behind a process that is stuck.
const DEADLINE: Duration = Duration::from_secs(2);

/// What an agent says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The process that wrote it; it was running, and not suspended, when the entry was read.
    pub process: ProcessIdentity,
    /// The conversation that it is in; `/clear` begins another one.
    pub session_id: Option<String>,
    /// What it is doing.
    pub status: Status,
    /// What it waits for, where it waits: `permission prompt` (also where it asks a question, in 2.1.197),
    /// `input needed`, `dialog open`.
    pub waiting_for: Option<String>,
    /// When the status last changed, or was last said again.
    pub status_updated_at: Option<DateTime<Utc>>,
    /// The folder that it works in.
    pub folder: Option<PathBuf>,
    /// Its version, like `2.1.197`.
    pub version: Option<String>,
    /// What kind of session it is: `interactive` for one in a terminal, `bg` for one behind it.
    pub kind: Option<String>,
    /// Its transcript; `None` until the first prompt.
    pub transcript: Option<PathBuf>,
}

#[cfg(test)]
impl Entry {
    /// One that says no more than this.
    pub(crate) fn made_up(process: ProcessIdentity, status: Status) -> Self {
        Self {
            process,
            session_id: None,
            status,
            waiting_for: None,
            status_updated_at: None,
            folder: None,
            version: None,
            kind: None,
            transcript: None,
        }
    }
}

/// The status of a session, as the registry says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Its prompt waits.
    Idle,
    /// A turn runs.
    Busy,
    /// A dialog waits for a person.
    Waiting,
    /// A word that is not known here.
    Other(String),
}

impl Status {
    /// The registry's own word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Waiting => "waiting",
            Self::Other(word) => word,
        }
    }
}

/// Why something is not known, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Missing {
    /// The reason, as the rest of a sentence.
    pub why: String,
}

impl Missing {
    /// Not known, because `why`.
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

/// Finds the entry of the agent in `pane`: of one of the processes in `front` (the foreground group, or the
/// program found there), else of the one process that runs in that pane by its environment.
///
/// # Errors
/// Whatever the reason is for there being none that can be trusted.
pub async fn find(
    front: impl IntoIterator<Item = ProcessIdentity>,
    pane: &PaneAddress,
) -> Result<Entry, Missing> {
    let front: Vec<_> = front.into_iter().take(MAX_FRONT).collect();
    let pane = pane.clone();
    let look = tokio::task::spawn_blocking(move || look(&front, &pane));
    match tokio::time::timeout(DEADLINE, look).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) => Err(Missing::new("the look at the session registry broke off")),
        Err(_) => Err(Missing::new(
            "the session registry could not be read in time",
        )),
    }
}

fn look(front: &[ProcessIdentity], pane: &PaneAddress) -> Result<Entry, Missing> {
    let mut reason = Missing::new("the system does not tell which process is in front");
    let mut folders: Vec<PathBuf> = Vec::new();
    for identity in front {
        match configuration_of(*identity) {
            Ok(configuration) => {
                match entry_in(&configuration, *identity) {
                    Ok(entry) => return Ok(entry),
                    // the reason of a file that is there says more than that there is none
                    Err(Miss::Unfit(why)) => return Err(Missing::new(why)),
                    Err(Miss::NoFile(why)) if folders.is_empty() => reason = Missing::new(why),
                    Err(Miss::NoFile(_)) => {}
                }
                if !folders.contains(&configuration) {
                    folders.push(configuration);
                }
            }
            Err(why) if folders.is_empty() => reason = why,
            Err(_) => {}
        }
    }
    let mut found: Vec<Entry> = folders
        .iter()
        .flat_map(|configuration| of_pane(configuration, pane))
        .collect();
    match (found.pop(), found.len()) {
        (Some(entry), 0) => Ok(entry),
        (None, _) => Err(reason),
        (Some(_), others) => Err(Missing::new(format!(
            "{}, and {} sessions run in this pane: it is not known which is in front",
            reason.why,
            others + 1
        ))),
    }
}

/// The configuration folder of a process, by its own environment.
fn configuration_of(identity: ProcessIdentity) -> Result<PathBuf, Missing> {
    let pid = identity.pid;
    let environment = process::environment_variables(pid, ["CLAUDE_CONFIG_DIR", "HOME"]);
    let gone = || {
        Missing::new(format!(
            "process {pid} is gone, or the system does not tell"
        ))
    };
    if process::alive(identity) != Some(true) {
        return Err(gone());
    }
    let [own, home] = environment.ok_or_else(|| {
        Missing::new(format!(
            "the environment of process {pid} is not ours to read"
        ))
    })?;
    let own = own.filter(|folder| !folder.is_empty()).map(PathBuf::from);
    own.or_else(|| Some(PathBuf::from(home?).join(".claude")))
        // relative to a working folder that may have changed since
        .filter(|folder| folder.is_absolute())
        .ok_or_else(|| Missing::new(format!("process {pid} has no home folder")))
}

/// Why one process has no entry: there is none, or it cannot be trusted.
enum Miss {
    NoFile(String),
    Unfit(String),
}

/// The entry of one process in its configuration folder.
fn entry_in(configuration: &Path, identity: ProcessIdentity) -> Result<Entry, Miss> {
    let pid = identity.pid;
    let path = configuration.join("sessions").join(format!("{pid}.json"));
    let bytes = read_whole(&path, MAX_FILE).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Miss::NoFile(format!(
            "process {pid} has no session file in {}",
            words(&configuration.join("sessions").to_string_lossy(), 300)
        )),
        _ => Miss::Unfit(format!(
            "the session file of process {pid} cannot be read: {error}"
        )),
    })?;
    let file = File::parse(&bytes)
        .map_err(|why| Miss::Unfit(format!("the session file of process {pid} {why}")))?;
    file.check(identity).map_err(Miss::Unfit)?;
    let now = process::without_arguments(pid).filter(|now| now.identity == identity);
    // read after the file: a process that has ended meanwhile says nothing any more
    match now {
        Some(now) if now.has_ended() => Err(Miss::Unfit(stale(pid, "it has ended"))),
        None => Err(Miss::Unfit(stale(pid, "it has ended"))),
        Some(now) if is_suspended(&now) => Err(Miss::Unfit(format!(
            "process {pid} is suspended: its session file says what was before"
        ))),
        Some(_) => Ok(file.entry(configuration, identity)),
    }
}

const fn is_suspended(process: &Process) -> bool {
    matches!(process.state, 'T' | 't')
}

fn stale(pid: u32, why: &str) -> String {
    format!("the session file of process {pid} is stale: {why}")
}

/// The entries of a folder whose processes run in `pane`, by their environment, and in a terminal.
fn of_pane(configuration: &Path, pane: &PaneAddress) -> Vec<Entry> {
    let Ok(files) = std::fs::read_dir(configuration.join("sessions")) else {
        return Vec::new();
    };
    files
        .take(MAX_ENTRIES)
        .filter_map(|file| {
            let name = file.ok()?.file_name();
            let pid: u32 = name.to_str()?.strip_suffix(".json")?.parse().ok()?;
            let identity = process::without_arguments(pid)?.identity;
            let [session, number] =
                process::environment_variables(pid, ["ZELLIJ_SESSION_NAME", "ZELLIJ_PANE_ID"])?;
            let here =
                session? == pane.session.as_str() && number? == *pane.pane.number().to_string();
            let entry = entry_in(configuration, identity).ok().filter(|_| here)?;
            (entry.kind.as_deref() != Some("bg")).then_some(entry)
        })
        .collect()
}

/// A session file, as far as it is read. All of it may be missing, or something else.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    pid: serde_json::Value,
    proc_start: serde_json::Value,
    session_id: serde_json::Value,
    status: serde_json::Value,
    waiting_for: serde_json::Value,
    status_updated_at: serde_json::Value,
    cwd: serde_json::Value,
    version: serde_json::Value,
    kind: serde_json::Value,
}

impl File {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        // rewritten in place: half a file is seen now and then
        serde_json::from_slice(bytes).map_err(|_| "is not whole JSON at this moment".to_owned())
    }

    /// Whether that very process wrote it.
    fn check(&self, identity: ProcessIdentity) -> Result<(), String> {
        let pid = identity.pid;
        if number(&self.pid).is_some_and(|written| written != u64::from(pid)) {
            return Err(format!(
                "the session file of process {pid} is another one's"
            ));
        }
        match number(&self.proc_start) {
            Some(started) if started == identity.started => Ok(()),
            Some(started) => Err(stale(
                pid,
                &format!(
                    "it was written by one that started at {started}, this one started at {}",
                    identity.started
                ),
            )),
            None => Err(format!(
                "the session file of process {pid} does not say when its process started"
            )),
        }
    }

    fn entry(&self, configuration: &Path, process: ProcessIdentity) -> Entry {
        let folder = self.cwd.as_str().filter(|folder| folder.len() <= 4096);
        let folder = folder.map(PathBuf::from);
        let session_id = word(&self.session_id).filter(|id| is_session_id(id));
        let transcript = session_id
            .as_deref()
            .and_then(|id| transcript_of(configuration, folder.as_deref(), id));
        let updated = self.status_updated_at.as_i64();
        Entry {
            process,
            session_id,
            status: match word(&self.status).unwrap_or_default().as_str() {
                "idle" => Status::Idle,
                "busy" => Status::Busy,
                "waiting" => Status::Waiting,
                other => Status::Other(other.to_owned()),
            },
            waiting_for: word(&self.waiting_for),
            status_updated_at: updated.and_then(DateTime::from_timestamp_millis),
            folder,
            version: word(&self.version),
            kind: word(&self.kind),
            transcript,
        }
    }
}

/// A number, also where it is written as a text.
fn number(value: &serde_json::Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn word(value: &serde_json::Value) -> Option<String> {
    value
        .as_str()
        .map(|text| words(text, MAX_WORD))
        .filter(|text| !text.is_empty())
}

/// Whether it is the id of a session, and no way into another folder.
fn is_session_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=64).contains(&id.len()) && id.bytes().all(plain)
}

/// The transcript of a session: `projects/FOLDER/ID.jsonl`, where FOLDER is the folder in which the session
/// began, every character but letters and digits replaced by `-`.
fn transcript_of(configuration: &Path, folder: Option<&Path>, id: &str) -> Option<PathBuf> {
    let projects = configuration.join("projects");
    let name = format!("{id}.jsonl");
    let is_there = |path: &PathBuf| path.is_file();
    let likely = folder.map(|folder| {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let folder: String = folder.to_string_lossy().chars().map(plain).collect();
        projects.join(folder).join(&name)
    });
    // it may have moved to another folder since it began
    likely.filter(is_there).or_else(|| {
        std::fs::read_dir(&projects)
            .ok()?
            .take(MAX_ENTRIES)
            .filter_map(|folder| Some(folder.ok()?.path().join(&name)))
            .find(is_there)
    })
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[expect(
    clippy::disallowed_methods,
    reason = "the files and processes of the tests"
)]
mod tests {
    use std::process::{Child, Command};

    use proptest::prelude::*;
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    /// A program in a pane, with a configuration folder of its own.
    struct Agent {
        folder: TempDir,
        child: Child,
        identity: ProcessIdentity,
    }

    impl Agent {
        fn in_pane(number: u32) -> Self {
            Self::beside(tempfile::tempdir().unwrap(), number)
        }

        fn beside(folder: TempDir, number: u32) -> Self {
            std::fs::create_dir_all(folder.path().join("sessions")).unwrap();
            let child = Command::new("sleep")
                .arg("600")
                .env("CLAUDE_CONFIG_DIR", folder.path())
                .env("ZELLIJ_SESSION_NAME", "work")
                .env("ZELLIJ_PANE_ID", number.to_string())
                .spawn()
                .unwrap();
            let identity = process::process(child.id()).unwrap().identity;
            // until its program has begun, its environment is empty
            let end = std::time::Instant::now() + Duration::from_secs(10);
            while process::environment_variable(identity.pid, "ZELLIJ_PANE_ID").is_none() {
                assert!(std::time::Instant::now() < end, "it has not begun");
                std::thread::yield_now();
            }
            Self {
                folder,
                child,
                identity,
            }
        }

        /// A session file as Claude Code 2.1.197 wrote it, but for its process.
        fn file(&self) -> serde_json::Value {
            json!({
                "pid": self.identity.pid,
                "sessionId": "b6ffb82e-07d7-4bd0-8be5-4d2caebba70f",
                "cwd": "/srv/lab/proj_a",
                "startedAt": 1_795_242_438_461_u64,
                "procStart": self.identity.started.to_string(),
                "version": "2.1.197",
                "peerProtocol": 1,
                "kind": "interactive",
                "entrypoint": "cli",
                "name": "proj-31",
                "nameSource": "derived",
                "status": "waiting",
                "updatedAt": 1_795_242_485_142_u64,
                "statusUpdatedAt": 1_795_242_485_142_u64,
                "waitingFor": "permission prompt",
            })
        }

        fn writes(&self, text: &str) {
            let name = format!("sessions/{}.json", self.identity.pid);
            std::fs::write(self.folder.path().join(name), text).unwrap();
        }

        fn writes_with(&self, name: &str, value: serde_json::Value) {
            let mut file = self.file();
            file[name] = value;
            self.writes(&file.to_string());
        }

        async fn seen(&self) -> Result<Entry, String> {
            find_in(&[self.identity], 4).await
        }
    }

    impl Drop for Agent {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    async fn find_in(front: &[ProcessIdentity], number: u32) -> Result<Entry, String> {
        let pane = PaneAddress {
            session: "work".parse().unwrap(),
            pane: crate::ids::PaneId::new(number),
        };
        let found = find(front.iter().copied(), &pane).await;
        found.map_err(|missing| missing.why)
    }

    #[tokio::test]
    async fn what_the_agent_in_front_says_is_read() {
        let agent = Agent::in_pane(4);
        agent.writes(&agent.file().to_string());
        let entry = agent.seen().await.unwrap();
        assert_eq!(entry.process, agent.identity);
        assert_eq!(entry.status, Status::Waiting);
        assert_eq!(entry.waiting_for.as_deref(), Some("permission prompt"));
        assert_eq!(entry.folder.as_deref(), Some(Path::new("/srv/lab/proj_a")));
        assert_eq!(entry.version.as_deref(), Some("2.1.197"));
        assert_eq!(entry.kind.as_deref(), Some("interactive"));
        let since = entry.status_updated_at.unwrap().to_rfc3339();
        assert_eq!(since, "2026-11-21T06:28:05.142+00:00");
        assert_eq!(entry.transcript, None, "none is there yet");
    }

    #[tokio::test]
    async fn the_transcript_is_found_by_the_session_even_in_another_folder() {
        for folder in ["-srv-lab-proj-a", "-moved"] {
            let agent = Agent::in_pane(4);
            agent.writes(&agent.file().to_string());
            let folder = agent.folder.path().join("projects").join(folder);
            let transcript = folder.join("b6ffb82e-07d7-4bd0-8be5-4d2caebba70f.jsonl");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&transcript, "").unwrap();
            assert_eq!(agent.seen().await.unwrap().transcript, Some(transcript));
        }
        // the id of a session is no way out of the folder
        let agent = Agent::in_pane(4);
        std::fs::create_dir_all(agent.folder.path().join("projects/a")).unwrap();
        std::fs::write(agent.folder.path().join("secret.jsonl"), "").unwrap();
        agent.writes_with("sessionId", json!("../../secret"));
        let entry = agent.seen().await.unwrap();
        assert_eq!((entry.session_id, entry.transcript), (None, None));
    }

    #[tokio::test]
    async fn a_status_that_is_not_known_is_kept_and_cleaned() {
        let agent = Agent::in_pane(4);
        for (written, read) in [
            (json!("idle"), Status::Idle),
            (json!("busy"), Status::Busy),
            (
                json!("dreaming\u{1b}[2J"),
                Status::Other("dreaming [2J".into()),
            ),
            (json!(7), Status::Other(String::new())),
            (json!(null), Status::Other(String::new())),
        ] {
            agent.writes_with("status", written);
            assert_eq!(agent.seen().await.unwrap().status, read);
        }
    }

    #[tokio::test]
    async fn an_entry_of_another_process_is_stale() {
        let agent = Agent::in_pane(4);
        // the control: as it is, it counts
        agent.writes(&agent.file().to_string());
        assert!(agent.seen().await.is_ok());
        for (name, value, reason) in [
            (
                "procStart",
                json!("12"),
                "it was written by one that started at 12",
            ),
            (
                "procStart",
                json!(null),
                "does not say when its process started",
            ),
            (
                "procStart",
                json!("soon"),
                "does not say when its process started",
            ),
            ("pid", json!(1), "is another one's"),
        ] {
            agent.writes_with(name, value.clone());
            let why = agent.seen().await.unwrap_err();
            assert!(why.contains(reason), "{name} {value}: {why}");
        }
    }

    #[tokio::test]
    async fn a_killed_agent_leaves_a_file_that_says_nothing() {
        let mut agent = Agent::in_pane(4);
        agent.writes(&agent.file().to_string());
        // a zombie first: killed, and not yet taken note of
        agent.child.kill().unwrap();
        let gone = |why: String| why.contains("is gone") || why.contains("has ended");
        let end = std::time::Instant::now() + Duration::from_secs(10);
        while process::without_arguments(agent.identity.pid).is_some_and(|now| !now.has_ended()) {
            assert!(std::time::Instant::now() < end, "it lives on");
            tokio::task::yield_now().await;
        }
        assert!(gone(agent.seen().await.unwrap_err()));
        agent.child.wait().unwrap();
        assert!(gone(agent.seen().await.unwrap_err()));
        // the shell under it, in the same pane with the same folder
        let folder = std::mem::replace(&mut agent.folder, tempfile::tempdir().unwrap());
        let shell = Agent::beside(folder, 4);
        let why = shell.seen().await.unwrap_err();
        assert!(why.contains("has no session file"), "{why}");
    }

    #[tokio::test]
    async fn a_suspended_agent_says_nothing() {
        let agent = Agent::in_pane(4);
        agent.writes(&agent.file().to_string());
        let pid = i32::try_from(agent.identity.pid).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        loop {
            let seen = agent.seen().await;
            if seen.as_ref().is_err_and(|why| why.contains("is suspended")) {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "{seen:?}");
        }
    }

    #[tokio::test]
    async fn behind_a_program_in_front_the_pane_of_the_process_tells() {
        let shared = Agent::in_pane(4);
        shared.writes_with("status", json!("busy"));
        // somebody else in front, of the same home, and an agent in another pane
        let mut front = Command::new("sleep");
        let front = front
            .arg("600")
            .env("CLAUDE_CONFIG_DIR", shared.folder.path());
        let mut front = front.spawn().unwrap();
        let identity = process::process(front.id()).unwrap().identity;
        let entry = find_in(&[identity], 4).await.unwrap();
        assert_eq!(entry.process, shared.identity);
        let why = find_in(&[identity], 5).await.unwrap_err();
        assert!(why.contains("has no session file"), "{why}");
        // a session behind the terminal is none of the pane's
        shared.writes_with("kind", json!("bg"));
        assert!(find_in(&[identity], 4).await.is_err());
        let why = find_in(&[], 4).await.unwrap_err();
        assert!(why.contains("does not tell which process"), "{why}");
        front.kill().unwrap();
        front.wait().unwrap();
    }

    #[tokio::test]
    async fn a_file_that_is_no_file_of_a_session_has_a_reason() {
        let agent = Agent::in_pane(4);
        let why = agent.seen().await.unwrap_err();
        assert!(why.contains("has no session file"), "{why}");
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(70_000));
        for (text, reason) in [
            ("", "is not whole JSON"),
            ("{\"pid\":", "is not whole JSON"),
            ("[]", "does not say when"),
            ("{}", "does not say when"),
            ("7", "is not whole JSON"),
            (long.as_str(), "larger than 65536 bytes"),
        ] {
            agent.writes(text);
            let why = agent.seen().await.unwrap_err();
            assert!(why.contains(reason), "{text:.40}: {why}");
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_file_it_is_read_without_harm(
            value in prop_oneof![
                "\\PC{0,40}".prop_map(|text| json!(text)),
                any::<i64>().prop_map(|number| json!(number)),
                any::<f64>().prop_map(|number| json!(number)),
                Just(json!([1, {"a": null}])),
            ],
            name in 0..9_usize,
        ) {
            let names = ["pid", "procStart", "sessionId", "status", "waitingFor",
                "statusUpdatedAt", "cwd", "version", "kind"];
            let file = json!({ names[name]: value }).to_string();
            let identity = ProcessIdentity { pid: 7, started: 7 };
            let file = File::parse(file.as_bytes()).unwrap();
            let _ = file.check(identity);
            let entry = file.entry(Path::new("/nowhere"), identity);
            let id = entry.session_id.as_deref();
            prop_assert!(id.is_none_or(is_session_id));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = File::parse(&bytes);
        }
    }
}
