//! What it costs to go on after a month: reading back logs of 1 MiB and of 1 GiB.
//!
//! The logs are made of real lines, through the types that write them, and deleted afterwards. Time is
//! criterion's; memory is the peak of a process of its own that reads back and does nothing else. The ends
//! of files that were just written are in the system's cache, so the disk is not measured.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark fails by panicking, makes its own files and processes, and prints"
)]

#[path = "figures.rs"]
mod figures;

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use criterion::Criterion;
use meta_orchestrator::config::AgentConfig;
use meta_orchestrator::record::logs::{self, AgentLogs, Kind, Written};
use meta_orchestrator::record::{
    Action, Counters, DecisionLine, Memo, MemoAction, Receipt, RosterChange, RosterEntry,
    RosterLine, Step, VERSION, Verdict,
};
use meta_orchestrator::store::{LogWriter, Rotation};

const MIB: u64 = 1024 * 1024;
/// The sizes of every log, the smaller first.
const SIZES: [(&str, u64); 2] = [("1 MiB", MIB), ("1 GiB", 1024 * MIB)];
/// The argument with which this program reads back once and tells what that took.
const ONCE: &str = "--read-back-once";
/// The agents of the roster.
const AGENTS: u64 = 50;
/// What is measured by itself. The first three are what a resume reads.
const PARTS: [&str; 5] = [
    "newest memos",
    "last decision",
    "roster",
    "memos for a review",
    "a session not in them",
];
/// Whose roster it is.
const CONFIG: &str = "/home/somebody/meta_orchestrator.config.json";

/// The logs of one size, in a folder that goes with them.
struct Logs {
    name: &'static str,
    folder: PathBuf,
}

impl Drop for Logs {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Logs {
    fn make(name: &'static str, bytes: u64) -> Self {
        let folder = figures::folder().join(format!("logs-of-{}", name.replace(' ', "")));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let this = Self { name, folder };
        let logs = agent_logs(&this.folder);
        fill(&logs.path(Kind::Memos), bytes, memo);
        fill(&logs.path(Kind::Decisions), bytes, step);
        fill(&logs::roster_path(&this.folder), bytes, change);
        this
    }
}

fn agent_logs(folder: &Path) -> AgentLogs {
    let never = Rotation {
        max_bytes: 0,
        keep_days: 0,
    };
    let (writer, _end) = LogWriter::start(1, never).unwrap();
    AgentLogs::new(folder, "a1".parse().unwrap(), writer)
}

fn fill(path: &Path, bytes: u64, line: fn(u64) -> String) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    let mut written = 0;
    for number in 0.. {
        let line = line(number);
        written += line.len() as u64 + 1;
        if written > bytes {
            break;
        }
        writeln!(file, "{line}").unwrap();
    }
    file.flush().unwrap();
}

fn at(number: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + number.cast_signed() * 30, 0).unwrap()
}

/// A memo of a month of work: half of them say what came after.
fn memo(number: u64) -> String {
    let after = "12 new lines; last: ● 214 tests passed, 2 failed in tests/backward.rs";
    Written::memo(&Memo {
        v: VERSION,
        id: format!("m{}", number / 2),
        session_id: "default".parse().unwrap(),
        ts: at(number),
        action: MemoAction::Verdict(Action::Instruct),
        text:
            "Run the failing test alone, find out which of the two tiles it reads, and mend that."
                .into(),
        reasoning: "The agent stopped after its tests failed and said it would wait.".into(),
        receipt: (number % 2 == 1).then(|| Receipt::delivered("test")),
        after_summary: (number % 2 == 1).then(|| after.to_owned()),
    })
    .line
}

/// A step of a decision; the prompts, of 6,000 characters and more, make out most of the log. Nothing is
/// ever typed, so that a search for an unfinished typing goes as far back as it ever does.
fn step(number: u64) -> String {
    let step = if number.is_multiple_of(2) {
        Step::Asked {
            backend: "openaiCompat".into(),
            digest: format!("{number:016x}"),
            quiet_sec: 30,
            prompt: "● Update(src/kernels/backward.cu) │ 62.1 %\n".repeat(160),
        }
    } else {
        Step::Answered {
            by: Some("openaiCompat local-model".into()),
            verdict: Some(Verdict {
                action: Action::Continue,
                reasoning: "It waits for a build.".into(),
                text: String::new(),
                quote: Some("● Building the kernels".into()),
            }),
            problem: None,
            answer: r#"{"action":"continue","reasoning":"It waits for a build.","text":""}"#.into(),
            tokens: 2100,
        }
    };
    Written::decision(&DecisionLine {
        v: VERSION,
        ts: at(number),
        session_id: "default".parse().unwrap(),
        id: format!("m{}", number / 2),
        step,
        looks: None,
        counters: Counters::default(),
    })
    .line
}

/// A change of the roster; each 500th line is the whole roster, as every start writes it.
fn change(number: u64) -> String {
    let entry = |number: u64| {
        let (id, pane) = (number % AGENTS, number % AGENTS);
        RosterEntry::new(AgentConfig::new(
            format!("a{id}").parse().unwrap(),
            format!("main:terminal_{pane}").parse().unwrap(),
            "Optimise FlashAttn v3 bwd SM90 2x throughput",
        ))
    };
    let change = if number.is_multiple_of(500) {
        RosterChange::Standing {
            agents: (0..AGENTS).map(entry).collect(),
            removed: Vec::new(),
        }
    } else {
        RosterChange::Entry {
            why: "set".into(),
            entry: Box::new(entry(number)),
        }
    };
    logs::roster_line(&RosterLine {
        v: VERSION,
        ts: at(number),
        config: CONFIG.into(),
        file: None,
        change,
    })
}

/// All that a resume reads of one agent and of the roster.
fn read_back(folder: &Path) {
    let logs = agent_logs(folder);
    let memos = logs.newest_memos(&"default".parse().unwrap(), 10).unwrap();
    let last = logs.last_decision().unwrap();
    let roster = logs::roster(folder, Path::new(CONFIG)).unwrap();
    assert_eq!((memos.found.len(), roster.found.entries.len()), (10, 50));
    black_box((memos, last, roster));
}

/// Reads back in this process, and prints the microseconds and the peak of its memory in kibibytes.
fn read_back_once(folder: &Path) {
    let began = Instant::now();
    read_back(folder);
    let took = began.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.split_whitespace().next());
    println!("{} {}", took.as_micros(), peak.unwrap_or("0"));
}

/// What a process of its own that reads back once takes: the time, and the peak of its memory in bytes.
fn in_a_process_of_its_own(logs: &Logs) -> (Duration, u64) {
    let own = std::env::current_exe().unwrap();
    let output = Command::new(own)
        .arg(ONCE)
        .arg(&logs.folder)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (micros, peak) = text.trim().split_once(' ').unwrap();
    let kibibytes: u64 = peak.parse().unwrap();
    (
        Duration::from_micros(micros.parse().unwrap()),
        kibibytes * 1024,
    )
}

/// The median time and the largest peak.
fn summary(mut runs: Vec<(Duration, u64)>) -> (Duration, u64) {
    runs.sort_unstable();
    let peak = runs.iter().map(|(_, peak)| *peak).max().unwrap_or(0);
    (runs[runs.len() / 2].0, peak)
}

fn measure(criterion: &mut Criterion, logs: &Logs) {
    let (agent, session) = (agent_logs(&logs.folder), "default".parse().unwrap());
    let unknown = "a-new-name".parse().unwrap();
    let mut group = criterion.benchmark_group(format!("logs of {}", logs.name));
    group.sample_size(20);
    let [newest, last, roster, review, foreign] = PARTS;
    group.bench_function(newest, |b| {
        b.iter(|| agent.newest_memos(&session, 10).unwrap());
    });
    group.bench_function(last, |b| {
        b.iter(|| agent.last_decision().unwrap());
    });
    group.bench_function(roster, |b| {
        b.iter(|| logs::roster(&logs.folder, Path::new(CONFIG)).unwrap());
    });
    group.bench_function(review, |b| {
        b.iter(|| agent.memos_within(&session, 100_000).unwrap());
    });
    group.bench_function(foreign, |b| {
        b.iter(|| agent.newest_memos(&unknown, 10).unwrap());
    });
    group.finish();
}

/// Whether three logs of `bytes` fit, with room to spare; said if they do not.
fn there_is_room(bytes: u64) -> bool {
    let free = rustix::fs::statvfs(figures::folder()).unwrap();
    let free = free.f_bavail.saturating_mul(free.f_frsize);
    let needed = 3 * bytes + bytes;
    if free < needed {
        println!(
            "left out: logs of {} MiB need {} MiB on the disk of the target folder, {} are free",
            bytes / MIB,
            needed / MIB,
            free / MIB
        );
    }
    free >= needed
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, once, folder] = arguments.as_slice()
        && once == ONCE
    {
        return read_back_once(Path::new(folder));
    }
    let mut criterion = Criterion::default()
        .output_directory(&figures::folder().join("criterion"))
        .configure_from_args();
    let mut all = Vec::new();
    for (name, bytes) in SIZES {
        if there_is_room(bytes) {
            println!("making logs of {name}");
            all.push((Logs::make(name, bytes), Vec::new()));
        }
    }
    // By turns, so that what else the machine does falls on both.
    for _ in 0..31 {
        for (logs, runs) in &mut all {
            runs.push(in_a_process_of_its_own(logs));
        }
    }
    let mut found = Vec::new();
    for (logs, runs) in all {
        measure(&mut criterion, &logs);
        let (time, peak) = summary(runs);
        let what = format!("resume from logs of {}", logs.name);
        figures::time(&format!("{what}: time"), time, Duration::from_millis(50));
        figures::size(&format!("{what}: peak memory"), peak, 50);
        let group = format!("logs of {}", logs.name);
        for part in PARTS {
            if let Some(time) = figures::median(&group, part) {
                figures::time_seen(&format!("{group}: {part}"), time);
            }
        }
        found.push((time, peak));
    }
    if let [(small, small_peak), (large, large_peak)] = found[..] {
        #[expect(clippy::cast_precision_loss, reason = "two figures are shown")]
        let of_memory = large_peak as f64 / small_peak.max(1) as f64;
        let of_time = large.as_secs_f64() / small.as_secs_f64();
        figures::record(
            "resume, 1 GiB against 1 MiB",
            &format!("time x {of_time:.2}, memory x {of_memory:.2}"),
            "< x 1.5",
            of_time < 1.5 && of_memory < 1.5,
        );
    }
    criterion.final_summary();
}
