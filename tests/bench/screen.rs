//! What it costs to read a screen of 200 columns and 60 rows: done at every poll of every agent.
#![allow(missing_docs, clippy::disallowed_macros, reason = "criterion's macros")]

#[path = "figures.rs"]
mod figures;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use meta_orchestrator::screen::change::SeenLines;
use meta_orchestrator::screen::profile::Profiles;
use meta_orchestrator::screen::prompt::{self, Cursor};
use meta_orchestrator::screen::recognise::{Shown, recognise};
use meta_orchestrator::screen::{Screen, dialog, styled};

const COLUMNS: usize = 200;
const ROWS: usize = 60;
const KINDS: [&str; 5] = ["claude", "codex", "opencode", "gemini", "aider"];
const GROUP: &str = "screen of 200x60";

/// A full screen as a coding agent draws it: answers with marks and letters outside ASCII, a table in a
/// frame, and a prompt between rules. Every row is as wide as the pane.
fn plain() -> String {
    let mut rows: Vec<String> = (0..ROWS - 6)
        .map(|row| match row % 6 {
            0 => format!("● Update(src/kernels/backward_{row}.cu) — {row}s · ↓ {row}.{row}k tokens"),
            1 => format!("  ⎿  Added {row} lines, removed {row} (the façade is naïve, die Prüfung läuft)"),
            2 => format!("╭{}╮", "─".repeat(COLUMNS - 2)),
            3 => format!("│ {row:>4} + let tile = load::<{row}>(&smem[stage], lane) │ occupancy 62.{row} % │ 3:{row:02}"),
            4 => format!("╰{}╯", "─".repeat(COLUMNS - 2)),
            _ => "    the measured speed-up of this step is smaller than it was, so press on with the next one".to_owned(),
        })
        .collect();
    let rule = "─".repeat(COLUMNS);
    rows.extend([
        "✻ Brewed for 1m 20s".to_owned(),
        String::new(),
        rule.clone(),
        "❯ ".to_owned(),
        rule,
        "  ⏵⏵ auto mode on (shift+tab to cycle)".to_owned(),
    ]);
    let mut screen = String::new();
    for row in rows {
        let filler = if row.starts_with('│') { "·" } else { "x" };
        let missing = COLUMNS.saturating_sub(row.chars().count());
        let filler = if row.starts_with(['❯', ' ', '✻']) || row.is_empty() {
            " "
        } else {
            filler
        };
        let _ = writeln!(screen, "{row}{}\r", filler.repeat(missing));
    }
    screen
}

/// The same in colours, as `dump-screen --ansi` prints it: a sequence at each word.
fn coloured(plain: &str) -> String {
    plain.replace(' ', "\u{1b}[38;5;244m \u{1b}[0m")
}

fn measure(criterion: &mut Criterion) {
    let (plain, screen) = (plain(), Screen::read(&plain()));
    assert_eq!(screen.lines().count(), ROWS);
    assert_eq!(dialog::find(&screen), None, "else less is measured");
    let coloured = coloured(&plain);
    let cursor = Some(Cursor {
        column: 2,
        row: ROWS - 3,
    });
    let mut group = criterion.benchmark_group(GROUP);
    group.bench_function("clean and hash", |b| {
        b.iter(|| Screen::read(black_box(&plain)));
    });
    group.bench_function("find a dialog", |b| {
        b.iter(|| dialog::find(black_box(&screen)));
    });
    group.bench_function("find the prompt by its cursor", |b| {
        b.iter(|| prompt::find(black_box(&screen), COLUMNS, cursor, None));
    });
    group.bench_function("find the prompt by its rules", |b| {
        b.iter(|| prompt::find(black_box(&screen), COLUMNS, None, None));
    });
    group.bench_function("leave out what is faint", |b| {
        b.iter(|| styled::texts(black_box(&coloured)));
    });
    group.bench_function("learn the lines", |b| {
        b.iter_batched_ref(
            SeenLines::default,
            |seen| seen.learn(black_box(&screen), "go on with the next step"),
            BatchSize::SmallInput,
        );
    });
    let shown = Shown::styled(&coloured, COLUMNS, cursor);
    group.bench_function("read a styled dump", |b| {
        b.iter(|| Shown::styled(black_box(&coloured), COLUMNS, cursor));
    });
    let profiles = Profiles::shipped();
    for kind in KINDS {
        let Some(profile) = kind.parse().ok().and_then(|kind| profiles.get(&kind)) else {
            panic!("no profile of {kind}");
        };
        group.bench_function(format!("recognise as {kind}"), |b| {
            b.iter(|| recognise(profile, black_box(&shown)));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .output_directory(&figures::folder().join("criterion"))
        .configure_from_args();
    measure(&mut criterion);
    criterion.final_summary();
    for (name, aim) in [
        ("clean and hash", Some(100)),
        ("find a dialog", Some(200)),
        ("find the prompt by its cursor", None),
        ("find the prompt by its rules", None),
        ("leave out what is faint", None),
        ("learn the lines", None),
        ("read a styled dump", None),
        ("recognise as claude", Some(500)),
        ("recognise as codex", Some(500)),
        ("recognise as opencode", Some(500)),
        ("recognise as gemini", Some(500)),
        ("recognise as aider", Some(500)),
    ] {
        let Some(took) = figures::median(GROUP, name) else {
            continue;
        };
        let name = format!("200x60 screen: {name}");
        match aim {
            Some(aim) => figures::time(&name, took, Duration::from_micros(aim)),
            None => figures::time_seen(&name, took),
        }
    }
}
