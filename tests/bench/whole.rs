//! The whole program at work: a supervisor of 50 agents on a real zellij session of its own.
//!
//! Each agent has a pane of 200x60 in a tab of its own, in which a small quiet program changes its screen now
//! and then; a few never do, so that stalls are decided about too, by the built-in rules and without typing.
//! What the supervisor itself costs is read from `/proc`; its children, which are zellij's clients, and
//! zellij's server are counted apart. Without `/proc` nothing is measured, and that is said.
//!
//! `BENCH_PROGRAM` names the program to measure; without it, it is the one that cargo built beside this.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark fails by panicking, makes its own files and processes, and prints"
)]

#[path = "figures.rs"]
mod figures;
#[path = "../common/zellij.rs"]
mod zellij;

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use meta_orchestrator::host::process;
use zellij::{PATIENCE, TestZellij, wait_for};

/// How many agents are supervised.
const AGENTS: u32 = 50;
/// The argument with which this program is what runs in a pane.
const IN_A_PANE: &str = "--in-a-pane";
/// Clock ticks in a second, in `/proc/PID/stat`: proc(5), the same on every Linux of today.
const TICKS: u64 = 100;
/// How long a start is left alone before its cost counts as that of going on.
const WARM_UP: Duration = Duration::from_secs(10);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, option, number] = arguments.as_slice()
        && option == IN_A_PANE
    {
        return run_in_a_pane(number.parse().unwrap_or(0));
    }
    let program = std::env::var_os("BENCH_PROGRAM").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_meta-orchestrator")),
        PathBuf::from,
    );
    println!("the whole program: {}", program.display());
    if let Ok(metadata) = std::fs::metadata(&program) {
        figures::size("size of the program", metadata.len(), 10);
    }
    if process::without_arguments(std::process::id()).is_none() {
        println!("left out: this system has no /proc to read the costs of a process from");
        return;
    }
    let zellij = open_the_session();
    measure_starts(&zellij, &program);
    measure_going_on(&zellij, &program);
    println!("machines are shared and noisy: a figure that misses its aim is to be measured again");
}

/// Fills the screen, then changes it every few seconds; every fifth program never does again.
fn run_in_a_pane(number: u64) {
    let line = |count: u64| {
        println!(
            "● {count}: measured src/kernels/backward_{number}.cu │ occupancy 62.{count} % │ ok"
        );
    };
    (0..60).for_each(line);
    for count in 60.. {
        let pause = if number.is_multiple_of(5) {
            Duration::from_hours(1)
        } else {
            Duration::from_secs(4 + number % 17)
        };
        std::thread::sleep(pause);
        line(count);
    }
}

/// A session of 200x60 with a tab for each agent. The panes of the agents are `terminal_1` and on.
fn open_the_session() -> TestZellij {
    let mut zellij = TestZellij::start();
    zellij.attach(200, 60);
    let own = std::env::current_exe().unwrap();
    for number in 1..=AGENTS {
        let layout = format!(
            "layout {{ pane command={:?} {{ args {IN_A_PANE:?} \"{number}\"; }}; }}",
            own.display().to_string()
        );
        zellij.action(&["new-tab", "--no-focus", "--layout-string", &layout]);
    }
    wait_for(PATIENCE, "50 panes that show something", || {
        let there = u64::from(AGENTS);
        let panes = zellij.list().into_iter();
        let last = panes
            .filter(|pane| pane["is_plugin"] == false)
            .filter_map(|pane| pane["id"].as_u64())
            .max();
        let shown = zellij.dump(zellij.pane(AGENTS).pane);
        (last == Some(there) && shown.contains("59: measured")).then_some(())
    });
    zellij
}

/// A supervisor of the first so many panes; killed when it is dropped.
struct Supervisor {
    child: Child,
    began: Instant,
    said: PathBuf,
}

impl Supervisor {
    fn start(zellij: &TestZellij, program: &Path, agents: u32) -> Self {
        let home = zellij.home().join(format!("supervisor-of-{agents}"));
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(&home).unwrap();
        let (config, said) = (home.join("config.json"), home.join("said"));
        std::fs::write(&config, configuration(zellij, &home, agents)).unwrap();
        let output = File::create(&said).unwrap();
        let mut command = zellij.command(program);
        command
            .args(["--repl", "--config"])
            .arg(&config)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        let began = Instant::now();
        let child = command.spawn().expect("the program starts");
        Self { child, began, said }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it answers to `command`, once `awaited` is in all that it has said.
    fn says(&mut self, command: &str, awaited: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{command}").unwrap();
        wait_for(PATIENCE, command, || {
            let said = std::fs::read_to_string(&self.said).unwrap_or_default();
            said.contains(awaited).then_some(said)
        })
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let give_up = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < give_up {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(zellij: &TestZellij, home: &Path, agents: u32) -> String {
    let agents: Vec<_> = (1..=agents)
        .map(|number| {
            serde_json::json!({
                "id": format!("a{number}"),
                "pane": format!("terminal_{number}"),
                "goal": "Optimise FlashAttn v3 bwd SM90 2x throughput",
                "stallSec": 30,
                "pollSec": 5,
            })
        })
        .collect();
    serde_json::json!({
        "agents": agents,
        "logDir": home.join("logs"),
        "zellijSession": zellij.session().as_str(),
        "decideBackend": { "type": "builtin" },
        "observe": true,
    })
    .to_string()
}

/// The pane that a client of zellij reads, if that is what the process does.
fn reads_pane(pid: u32) -> Option<String> {
    let client = process::process(pid)?;
    let dumps = client.argv.iter().any(|argument| argument == "dump-screen");
    dumps.then(|| client.argv.last().cloned()).flatten()
}

/// How long after the start the first pane was read, and how long until every one was.
fn first_polls(zellij: &TestZellij, program: &Path, agents: u32) -> (Duration, Duration) {
    let supervisor = Supervisor::start(zellij, program, agents);
    let mut read = HashSet::new();
    let mut first = None;
    let give_up = supervisor.began + PATIENCE;
    while read.len() < agents as usize {
        for pane in process::children(supervisor.pid())
            .into_iter()
            .filter_map(reads_pane)
        {
            first.get_or_insert_with(|| supervisor.began.elapsed());
            read.insert(pane);
        }
        assert!(
            Instant::now() < give_up,
            "{} of {agents} panes were read; it said:\n{}",
            read.len(),
            std::fs::read_to_string(&supervisor.said).unwrap_or_default()
        );
        // Often enough for a figure of milliseconds, and seldom enough to leave the cores alone.
        std::thread::sleep(Duration::from_micros(300));
    }
    (first.unwrap_or_default(), supervisor.began.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn measure_starts(zellij: &TestZellij, program: &Path) {
    let runs = if figures::is_quick() { 3 } else { 11 };
    for agents in [1, AGENTS] {
        let (first, all): (Vec<_>, Vec<_>) = (0..runs)
            .map(|_| first_polls(zellij, program, agents))
            .unzip();
        let name = format!("start to first poll, {agents} agents");
        figures::time(&name, median(first), Duration::from_millis(50));
        if agents > 1 {
            let name = format!("start to every agent's first poll, {agents} agents");
            figures::time_seen(&name, median(all));
        }
    }
}

/// The time a process and the children that it has waited for kept a core busy.
fn busy(pid: u32) -> Option<(Duration, Duration)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // proc(5): after the name in brackets the fields go on with the third; 14 to 17 are these.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: Vec<u64> = fields
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse().ok())
        .collect();
    let [user, system, children_user, children_system] = ticks[..] else {
        return None;
    };
    let time = |ticks: u64| Duration::from_millis(ticks * 1000 / TICKS);
    Some((time(user + system), time(children_user + children_system)))
}

/// A field of `/proc/PID/status` that is given in kB, in bytes.
fn memory(pid: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = value.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn measure_going_on(zellij: &TestZellij, program: &Path) {
    let window = Duration::from_secs(if figures::is_quick() { 20 } else { 120 });
    let mut supervisor = Supervisor::start(zellij, program, AGENTS);
    std::thread::sleep(WARM_UP);
    let costs = |pid| busy(pid).expect("it runs");
    let (began, before) = (Instant::now(), costs(supervisor.pid()));
    let (server_before, _) = costs(zellij.server_pid());
    println!("watching it for {window:?}");
    std::thread::sleep(window);
    let after = costs(supervisor.pid());
    let (server_after, _) = costs(zellij.server_pid());
    let elapsed = began.elapsed().as_secs_f64();
    let share = |before: Duration, after: Duration| {
        after.saturating_sub(before).as_secs_f64() / elapsed * 100.0
    };
    let own = share(before.0, after.0);
    let name = format!("{AGENTS} agents at 5 s");
    figures::record(
        &format!("{name}: the supervisor's own CPU"),
        &format!("{own:.2} % of a core"),
        "< 1 %",
        own < 1.0,
    );
    for (what, cost) in [
        ("zellij's clients' CPU", share(before.1, after.1)),
        ("zellij's server's CPU", share(server_before, server_after)),
    ] {
        let figure = format!("{cost:.1} % of a core");
        figures::record(&format!("{name}: {what}"), &figure, "", true);
    }
    for (what, field) in [("memory", "VmRSS"), ("peak memory", "VmHWM")] {
        if let Some(bytes) = memory(supervisor.pid(), field) {
            figures::size(&format!("{name}: {what}"), bytes, 30);
        }
    }
    let listed = supervisor.says("/list", &format!("a{AGENTS} "));
    println!("what it listed at the end:");
    for line in listed.lines().take(14) {
        println!("  {line}");
    }
}
