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
const AGENTS: usize = 50;
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
    measure_starts(&Session::open(1), &program);
    let session = Session::open(AGENTS);
    measure_starts(&session, &program);
    measure_ctl(&session, &program);
    measure_going_on(&session, &program);
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

/// A session with a pane for each agent.
struct Session {
    zellij: TestZellij,
    panes: Vec<String>,
}

impl Session {
    /// Panes of 200x60 with a program in each, every one in a tab of its own.
    fn open(agents: usize) -> Self {
        let mut zellij = TestZellij::start();
        zellij.attach(200, 60);
        let own = std::env::current_exe().unwrap().display().to_string();
        for number in 1..=agents {
            // Now and then zellij takes an order and does nothing.
            wait_for(PATIENCE, "one more pane", || {
                let number = number.to_string();
                let layout = format!(
                    "layout {{ pane command={own:?} {{ args {IN_A_PANE:?} {number:?}; }}; }}"
                );
                zellij.action(&["new-tab", "--no-focus", "--layout-string", &layout]);
                let until = Instant::now() + Duration::from_secs(3);
                while Instant::now() < until {
                    if programs(&zellij).len() >= number.parse().unwrap() {
                        return Some(());
                    }
                }
                None
            });
        }
        let panes = programs(&zellij);
        // With a terminal attached, the tab bar of zellij 0.45.1 is drawn anew whenever a client leaves: where
        // there are 50 tabs that costs the server 60 ms for each of our looks, and would be all that is
        // measured.
        zellij.detach();
        let this = Self { zellij, panes };
        wait_for(3 * PATIENCE, "the server to have drawn it all", || {
            let before = busy(this.zellij.server_pid())?.0;
            std::thread::sleep(Duration::from_secs(1));
            let more = busy(this.zellij.server_pid())?.0.saturating_sub(before);
            (more < Duration::from_millis(60)).then_some(())
        });
        this
    }
}

/// The panes that run what [`run_in_a_pane`] does.
fn programs(zellij: &TestZellij) -> Vec<String> {
    let runs_it = |pane: &serde_json::Value| {
        let command = pane["terminal_command"].as_str();
        command.is_some_and(|command| command.contains(IN_A_PANE))
    };
    let panes = zellij.list().into_iter().filter(runs_it);
    panes
        .filter_map(|pane| Some(format!("terminal_{}", pane["id"].as_u64()?)))
        .collect()
}

/// A supervisor of the first so many panes; killed when it is dropped.
struct Supervisor {
    child: Child,
    began: Instant,
    said: PathBuf,
}

impl Supervisor {
    fn start(session: &Session, program: &Path, agents: usize) -> Self {
        let home = session
            .zellij
            .home()
            .join(format!("supervisor-of-{agents}"));
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(&home).unwrap();
        let (config, said) = (home.join("config.json"), home.join("said"));
        std::fs::write(&config, configuration(session, &home, agents)).unwrap();
        let output = File::create(&said).unwrap();
        let mut command = session.zellij.command(program);
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

fn configuration(session: &Session, home: &Path, agents: usize) -> String {
    let agents: Vec<_> = session
        .panes
        .iter()
        .take(agents)
        .zip(1..)
        .map(|(pane, number)| {
            serde_json::json!({
                "id": format!("a{number}"),
                "pane": pane,
                "goal": "Optimise FlashAttn v3 bwd SM90 2x throughput",
                "stallSec": 30,
                "pollSec": 5,
            })
        })
        .collect();
    serde_json::json!({
        "agents": agents,
        "logDir": home.join("logs"),
        "zellijSession": session.zellij.session().as_str(),
        "decideBackend": { "type": "builtin" },
        "observe": true,
    })
    .to_string()
}

/// When a start came to what, after its beginning.
#[derive(Clone, Copy, Default)]
struct Start {
    version: Duration,
    listing: Duration,
    first_look: Duration,
    every_look: Duration,
}

/// Starts a supervisor, and sees by the clients of zellij that it runs how far it is.
fn start_once(session: &Session, program: &Path) -> Start {
    let agents = session.panes.len();
    let supervisor = Supervisor::start(session, program, agents);
    let mut start = Start::default();
    let mut read = HashSet::new();
    let at = |moment: &mut Duration| {
        if moment.is_zero() {
            *moment = supervisor.began.elapsed();
        }
    };
    while read.len() < agents {
        let children = process::children(supervisor.pid()).into_iter();
        for client in children.filter_map(process::process) {
            let runs = |verb: &str| client.argv.iter().any(|argument| argument == verb);
            if runs("--version") {
                at(&mut start.version);
            } else if runs("list-panes") {
                at(&mut start.listing);
            } else if runs("dump-screen") {
                at(&mut start.first_look);
                let pane = client
                    .argv
                    .iter()
                    .skip_while(|argument| *argument != "--pane-id");
                read.extend(pane.skip(1).take(1).cloned());
            }
        }
        assert!(
            supervisor.began.elapsed() < PATIENCE,
            "{} of {agents} panes were read; it said:\n{}",
            read.len(),
            std::fs::read_to_string(&supervisor.said).unwrap_or_default()
        );
        // Often enough for a figure of milliseconds, and seldom enough to leave the cores alone.
        std::thread::sleep(Duration::from_micros(700));
    }
    at(&mut start.every_look);
    start
}

fn measure_starts(session: &Session, program: &Path) {
    let runs = if figures::is_quick() { 5 } else { 15 };
    let mut starts: Vec<Start> = (0..runs).map(|_| start_once(session, program)).collect();
    starts.sort_unstable_by_key(|start| start.first_look);
    let (fastest, median) = (starts[0], starts[runs / 2]);
    for (which, start) in [("fastest", fastest), ("median", median)] {
        println!(
            "the {which} start: zellij's version asked for after {:?}, its panes after {:?}, a screen after {:?}",
            start.version, start.listing, start.first_look
        );
    }
    let agents = session.panes.len();
    let name = format!("start to first poll, {agents} agent(s)");
    let aim = Duration::from_millis(50);
    figures::time(&format!("{name}: median"), median.first_look, aim);
    figures::time(&format!("{name}: fastest"), fastest.first_look, aim);
    if agents > 1 {
        starts.sort_unstable_by_key(|start| start.every_look);
        let name = format!("start to every agent's first poll, {agents} agents");
        figures::time_seen(&name, starts[runs / 2].every_look);
    }
}

/// How long `ctl list` takes as a whole process, while the agents are supervised.
fn measure_ctl(session: &Session, program: &Path) {
    let agents = session.panes.len();
    let mut supervisor = Supervisor::start(session, program, agents);
    supervisor.says("/list", "LAST DECISION");
    let config = supervisor.said.with_file_name("config.json");
    let once = || {
        let mut command = session.zellij.command(program);
        command.arg("ctl").arg("--config").arg(&config);
        let began = Instant::now();
        let output = command.args(["list", "--json"]).output().unwrap();
        let took = began.elapsed();
        assert!(output.status.success(), "{output:?}");
        took
    };
    let runs = if figures::is_quick() { 20 } else { 60 };
    let mut took: Vec<Duration> = (0..runs).map(|_| once()).collect();
    took.sort_unstable();
    let name = format!("`ctl list` as a whole process, {agents} agents");
    figures::time(&name, took[runs / 2], Duration::from_millis(15));
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

fn measure_going_on(session: &Session, program: &Path) {
    let window = Duration::from_secs(if figures::is_quick() { 20 } else { 120 });
    let mut supervisor = Supervisor::start(session, program, AGENTS);
    std::thread::sleep(WARM_UP);
    let costs = |pid| busy(pid).expect("it runs");
    let (began, before) = (Instant::now(), costs(supervisor.pid()));
    let (server_before, _) = costs(session.zellij.server_pid());
    println!("watching it for {window:?}");
    std::thread::sleep(window);
    let after = costs(supervisor.pid());
    let (server_after, _) = costs(session.zellij.server_pid());
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
