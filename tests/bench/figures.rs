//! The figures that the benchmarks found, each beside what was aimed at.
//!
//! Each benchmark prints its figures and, where `BENCH_FIGURES` names a file, appends them to it;
//! `scripts/bench` makes one table of all. A figure that misses its aim fails nothing: machines are shared
//! and noisy, and a person reads the table.
#![allow(dead_code, reason = "each benchmark uses a part of it")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark writes files of its own, and prints"
)]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Says and records one figure: as it is read, what was aimed at (empty: nothing), and whether that was met.
pub fn record(name: &str, figure: &str, aim: &str, is_met: bool) {
    let verdict = match (aim.is_empty(), is_met) {
        (true, _) => "",
        (false, true) => "met",
        (false, false) => "NOT met",
    };
    println!("{name}: {figure}  {aim}  {verdict}");
    let Some(path) = std::env::var_os("BENCH_FIGURES") else {
        return;
    };
    let appended = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| writeln!(file, "{name}\t{figure}\t{aim}\t{verdict}"));
    if let Err(error) = appended {
        eprintln!("{}: {error}", PathBuf::from(path).display());
    }
}

/// A time that should stay below another.
pub fn time(name: &str, took: Duration, aim: Duration) {
    record(
        name,
        &spoken(took),
        &format!("< {}", spoken(aim)),
        took < aim,
    );
}

/// A time at which nothing was aimed.
pub fn time_seen(name: &str, took: Duration) {
    record(name, &spoken(took), "", true);
}

/// Bytes that should stay below so many MB (of 1,000,000 bytes).
#[expect(clippy::cast_precision_loss, reason = "three figures are shown")]
pub fn size(name: &str, bytes: u64, aim_mb: u64) {
    let figure = format!("{:.1} MB", bytes as f64 / 1e6);
    record(
        name,
        &figure,
        &format!("< {aim_mb} MB"),
        bytes < aim_mb * 1_000_000,
    );
}

/// Whether only a rough figure is wanted, quickly: criterion's own `--quick`.
pub fn is_quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// Where criterion keeps its results, and these benchmarks what they need for a while.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// The median that criterion, writing to [`folder`], measured for `group/name` in this run.
pub fn median(group: &str, name: &str) -> Option<Duration> {
    let path = folder().join(format!("criterion/{group}/{name}/new/estimates.json"));
    let estimates: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
    let nanoseconds = estimates["median"]["point_estimate"].as_f64()?;
    Some(Duration::from_secs_f64(nanoseconds / 1e9))
}

fn spoken(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s >= 10.0 => format!("{s:.0} s"),
        s if s >= 1.0 => format!("{s:.1} s"),
        s if s >= 0.01 => format!("{:.0} ms", s * 1e3),
        s if s >= 0.001 => format!("{:.1} ms", s * 1e3),
        s if s >= 0.000_01 => format!("{:.0} µs", s * 1e6),
        s => format!("{:.1} µs", s * 1e6),
    }
}
