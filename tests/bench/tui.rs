//! What the console costs a person who waits for it, and a machine on which nothing happens: a frame, a key, a
//! minute without agents, `ctl list` as a whole process.
//!
//! The frame is what the TUI writes for a terminal of 200x60 with 200 agents. The key is pressed in a real
//! pseudo-terminal, in which this program runs the TUI over made-up agents. For the rest `BENCH_PROGRAM` names the
//! program; without it, it is the one that cargo built beside this.
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
#[path = "tui/made_up.rs"]
mod made_up;
#[path = "../common/zellij.rs"]
mod zellij;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use criterion::Criterion;
use made_up::{MadeUp, app, health, moment, views};
use meta_orchestrator::host::process;
use meta_orchestrator::ui::tui::input::{Input, Key};
use meta_orchestrator::ui::tui::paint::Paint;
use meta_orchestrator::ui::tui::theme::Palette;
use meta_orchestrator::ui::tui::update::Message;
use meta_orchestrator::ui::tui::{self, Leaving, TuiOptions, view};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio_util::sync::CancellationToken;
use zellij::{PATIENCE, TestZellij, wait_for};

const COLUMNS: u16 = 200;
const ROWS: u16 = 60;
const AGENTS: usize = 200;
const GROUP: &str = "200 agents at 200x60";
/// The argument with which this program is what runs in the pseudo-terminal.
const IN_A_TERMINAL: &str = "--in-a-terminal";
/// The end of a frame.
const END_FRAME: &[u8] = b"\x1b[?2026l";
/// Clock ticks in a second, in `/proc/PID/stat`: proc(5), the same on every Linux of today.
const TICKS: u64 = 100;

fn main() {
    if std::env::args().any(|argument| argument == IN_A_TERMINAL) {
        return run_in_a_terminal();
    }
    let mut criterion = Criterion::default()
        .output_directory(&figures::folder().join("criterion"))
        .configure_from_args();
    measure_frames(&mut criterion);
    criterion.final_summary();
    for (name, aim) in [
        ("a frame of which everything is new", Some(2)),
        ("a frame of which a row has changed", Some(2)),
        ("a key taken in, and its frame", None),
    ] {
        let Some(took) = figures::median(GROUP, name) else {
            continue;
        };
        let name = format!("{GROUP}: {name}");
        match aim {
            Some(aim) => figures::time(&name, took, Duration::from_millis(aim)),
            None => figures::time_seen(&name, took),
        }
    }
    measure_keys();
    let program = std::env::var_os("BENCH_PROGRAM").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_meta-orchestrator")),
        PathBuf::from,
    );
    println!("the program: {}", program.display());
    let zellij = TestZellij::start();
    measure_idle(&zellij, &program);
    measure_ctl(&zellij, &program);
}

/// What is written, forgotten at the end of each frame.
struct Written(Vec<u8>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::hint::black_box(&self.0);
        self.0.clear();
        Ok(())
    }
}

const AREA: Rect = Rect::new(0, 0, COLUMNS, ROWS);

fn terminal() -> Terminal<Paint<Written>> {
    let options = TerminalOptions {
        viewport: Viewport::Fixed(AREA),
    };
    let written = Written(Vec::with_capacity(1 << 20));
    Terminal::with_options(Paint::new(written, AREA.into()), options).unwrap()
}

fn measure_frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(GROUP);
    let mut app = app(AGENTS, (COLUMNS, ROWS));
    let mut drawn_on = terminal();
    drawn_on
        .draw(|frame| drop(view::draw(&app, frame)))
        .unwrap();
    group.bench_function("a frame of which everything is new", |b| {
        b.iter(|| {
            drawn_on.resize(AREA).unwrap();
            drawn_on
                .draw(|frame| drop(view::draw(&app, frame)))
                .unwrap();
        });
    });
    let (all, mut polls) = (views(AGENTS), 0);
    group.bench_function("a frame of which a row has changed", |b| {
        b.iter(|| {
            polls += 1;
            let mut all = all.clone();
            std::sync::Arc::make_mut(&mut all[0]).polls = polls;
            let _ = app.update(Message::Seen(all, Box::new(health())), moment());
            drawn_on
                .draw(|frame| drop(view::draw(&app, frame)))
                .unwrap();
        });
    });
    let mut down = true;
    group.bench_function("a key taken in, and its frame", |b| {
        b.iter(|| {
            let key = Key::char(if down { 'G' } else { 'g' });
            down = !down;
            let _ = app.update(Message::Input(Input::Key(key)), moment());
            let mut drawn = None;
            drawn_on
                .draw(|frame| drawn = Some(view::draw(&app, frame)))
                .unwrap();
            if let Some(drawn) = drawn {
                app.drew(drawn);
            }
        });
    });
    group.finish();
}

/// The TUI over made-up agents.
fn run_in_a_terminal() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let options = TuiOptions {
        history: None,
        greeting: "made-up agents".into(),
        palette: Palette::Dark,
        leaving: Leaving::Ends,
    };
    let ended = CancellationToken::new();
    let client = MadeUp::of(AGENTS);
    let _ = runtime.block_on(tui::run(client, options, ended));
    runtime.shutdown_background();
}

/// A program in a pseudo-terminal; killed when it is dropped.
struct InATerminal {
    keys: File,
    child: Child,
    shown: Receiver<Vec<u8>>,
}

impl InATerminal {
    fn start(mut command: Command, columns: u16, rows: u16) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let name = std::ffi::OsStr::from_bytes(name.as_bytes());
        let line = File::options().read(true).write(true).open(name).unwrap();
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(keys.as_fd(), size).unwrap();
        let child = command
            .env("TERM", "xterm-256color")
            .stdin(line.try_clone().unwrap())
            .stdout(line)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let keys = File::from(keys);
        let (show, shown) = mpsc::channel();
        let mut screen = keys.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut chunk = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = screen.read(&mut chunk) {
                if show.send(chunk[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { keys, child, shown }
    }

    /// Waits for the end of a frame; how long that took, and what was shown.
    fn frame(&self, within: Duration) -> Option<(Duration, Vec<u8>)> {
        let began = Instant::now();
        let mut seen = Vec::new();
        while let Some(left) = within.checked_sub(began.elapsed()) {
            let Ok(chunk) = self.shown.recv_timeout(left) else {
                return None;
            };
            seen.extend(chunk);
            if seen.ends_with(END_FRAME) {
                return Some((began.elapsed(), seen));
            }
        }
        None
    }

    /// Waits until it has shown `text`, and then has shown nothing new for a while.
    fn settles(&self, text: &str) {
        wait_for(PATIENCE, text, || {
            let (_, seen) = self.frame(Duration::from_millis(50))?;
            String::from_utf8_lossy(&seen).contains(text).then_some(())
        });
        while self.frame(Duration::from_millis(300)).is_some() {}
    }
}

impl Drop for InATerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn measure_keys() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(IN_A_TERMINAL);
    let mut tui = InATerminal::start(command, COLUMNS, ROWS);
    tui.settles("agent-007");
    let rounds = if figures::is_quick() { 30 } else { 200 };
    let mut took = Vec::new();
    for round in 0..rounds {
        // the clock draws once a second: what is on its way is no answer to a key
        while tui.frame(Duration::from_millis(30)).is_some() {}
        let key: &[u8] = if round % 2 == 0 { b"G" } else { b"g" };
        tui.keys.write_all(key).unwrap();
        if let Some((time, _)) = tui.frame(Duration::from_secs(5)) {
            took.push(time);
        }
    }
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    let aim = Duration::from_millis(16);
    figures::time("a key to its frame in a terminal: median", at(50), aim);
    figures::time("a key to its frame in a terminal: 99 of 100", at(99), aim);
}

/// A configuration without agents.
fn nobody(zellij: &TestZellij) -> PathBuf {
    let path = zellij.home().join("nobody.json");
    let config = serde_json::json!({
        "logDir": zellij.home().join("logs"),
        "zellijSession": zellij.session().as_str(),
        "decideBackend": { "type": "builtin" },
    });
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

/// The time a process kept a core busy.
fn busy(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // proc(5): after the name in brackets the fields go on with the third; 14 and 15 are these.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks * 1000 / TICKS))
}

fn measure_idle(zellij: &TestZellij, program: &Path) {
    if process::without_arguments(std::process::id()).is_none() {
        println!("left out: this system has no /proc to read the costs of a process from");
        return;
    }
    let mut command = zellij.command(program);
    command.arg("--config").arg(nobody(zellij));
    let tui = InATerminal::start(command, 120, 40);
    tui.settles("meta-orchestrator");
    let window = Duration::from_secs(if figures::is_quick() { 20 } else { 60 });
    println!("watching an idle TUI for {window:?}");
    let (began, before) = (Instant::now(), busy(tui.child.id()).expect("it runs"));
    std::thread::sleep(window);
    let used = busy(tui.child.id())
        .expect("it runs")
        .saturating_sub(before);
    let share = used.as_secs_f64() / began.elapsed().as_secs_f64() * 100.0;
    figures::record(
        "the TUI without agents: CPU",
        &format!("{share:.2} % of a core"),
        "< 0.5 %",
        share < 0.5,
    );
}

/// `ctl list` beside a running `serve`.
fn measure_ctl(zellij: &TestZellij, program: &Path) {
    let config = nobody(zellij);
    let mut serving = zellij
        .command(program)
        .args(["serve", "--config"])
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ask = || {
        let began = Instant::now();
        let asked = zellij
            .command(program)
            .args(["ctl", "list"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        asked.success().then(|| began.elapsed())
    };
    wait_for(PATIENCE, "`serve` to answer `ctl list`", ask);
    let rounds = if figures::is_quick() { 20 } else { 100 };
    let mut took: Vec<Duration> = (0..rounds).filter_map(|_| ask()).collect();
    took.sort_unstable();
    let aim = Duration::from_millis(15);
    figures::time(
        "`ctl list` as a whole process: median",
        took[took.len() / 2],
        aim,
    );
    let _ = serving.kill();
    let _ = serving.wait();
}
