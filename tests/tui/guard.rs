//! The terminal is taken whole and always given back: at the end, after a panic, after a signal, after a stop, and
//! when it is closed or does not read any more. What is run is `tests/agents/full_screen.rs`, which takes it as
//! the TUI does.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::agents::{built, shlex};
use crate::common::zellij::{PATIENCE, signal, wait_for};
use crate::desk::{Desk, has_ended};

/// A shell in which the program has begun.
fn begun() -> Desk {
    begun_after("true")
}

/// The same after a line for the shell.
fn begun_after(line: &str) -> Desk {
    let desk = Desk::open(100, 30);
    desk.shell(line);
    let program = built("full-screen").display().to_string();
    let folder = desk.folder.display().to_string();
    desk.runs(&shlex(&[program, folder]), "full screen");
    desk
}

/// What stands in the diagnostics.
fn diagnostics(folder: &Path) -> String {
    let files = std::fs::read_dir(folder.join("diag")).unwrap();
    files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect()
}

#[test]
fn at_the_end_the_terminal_is_as_it_was() {
    let desk = begun();
    desk.types("x");
    desk.sees("Char('x')");
    desk.types("q");
    desk.sees("left: a key");
    desk.is_given_back();
}

#[test]
fn keys_pastes_and_sizes_come_in_as_they_are() {
    let mut desk = begun();
    for (keys, seen) in [
        ("\u{1b}[A", "Up"),
        ("\u{1b}[Z", "BackTab"),
        ("\u{3}", "Char('c'), ctrl: true"),
        ("\u{1a}", "Char('z'), ctrl: true"),
        ("漢", "Char('漢')"),
        (
            "\u{1b}[200~two\nlines q\u{1b}[201~",
            r#"Paste("two\nlines q")"#,
        ),
        ("\u{1b}[<0;5;7M", "Click, column: 4, row: 6"),
        ("\u{1b}[<65;5;7M", "WheelDown"),
        ("\u{1b}[O", "FocusLost"),
    ] {
        desk.types(keys);
        desk.sees(seen);
    }
    desk.zellij.detach();
    desk.zellij.attach(70, 20);
    wait_for(PATIENCE, "the new size", || {
        let shown = desk.shown();
        let head = shown.lines().next().unwrap_or_default();
        let is_smaller = head.contains("full screen 6") || head.contains("full screen 7");
        (is_smaller && shown.contains("Resize(")).then_some(())
    });
    desk.types("q");
    desk.sees("left: a key");
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let desk = begun();
    desk.types("p");
    desk.sees("at a key");
    desk.is_given_back();
    assert!(desk.shown().contains("panicked at"));
    let written = diagnostics(&desk.folder);
    assert!(written.contains("at a key"), "{written}");
}

#[test]
fn a_panic_of_another_thread_is_written_down_and_nothing_prints_over_the_screen() {
    let desk = begun();
    desk.types("t");
    desk.sees("the other thread panicked: true");
    let shown = desk.shown();
    assert!(!shown.contains("panicked at"), "{shown}");
    desk.types("q");
    desk.sees("left: a key");
    desk.is_given_back();
    let written = diagnostics(&desk.folder);
    assert!(written.contains("on another thread"), "{written}");
}

#[test]
fn a_signal_ends_it_and_the_terminal_is_as_it_was() {
    let desk = begun();
    signal(desk.front("full-screen"), Signal::TERM);
    desk.sees("left: a signal");
    desk.is_given_back();
}

#[test]
fn a_stop_from_outside_is_survived_and_a_request_to_stop_is_not_heeded() {
    let desk = begun();
    let program = desk.front("full-screen");
    signal(program, Signal::TSTP);
    desk.types("x");
    desk.sees("Char('x')");
    signal(program, Signal::STOP);
    desk.sees("Stopped");
    desk.shell("stty sane; fg");
    // the last thing that was said before is drawn again, and keys come in one by one
    desk.sees("Resize(");
    desk.types("y");
    desk.sees("Char('y')");
    assert!(!desk.shown().contains("Stopped"), "{}", desk.shown());
    desk.types("q");
    desk.sees("left: a key");
    desk.shell("stty -a > after; echo typed to the $((9*9))");
    desk.sees("typed to the 81");
}

#[test]
fn it_ends_when_its_terminal_is_closed_also_where_nobody_is_told_of_that() {
    for line in ["true", "trap '' HUP"] {
        let desk = begun_after(line);
        let program = desk.front("full-screen");
        desk.zellij.open_pane(&["/bin/sleep", "1000"]);
        desk.zellij
            .action(&["close-pane", "--pane-id", &desk.pane.pane.to_string()]);
        has_ended(program);
    }
}

#[test]
fn it_ends_in_time_though_its_terminal_reads_nothing_any_more() {
    let desk = begun();
    let program = desk.front("full-screen");
    desk.types("b");
    desk.sees("busy");
    desk.zellij.stop_server();
    // by now what is drawn fills all that lies between
    let full = Instant::now() + Duration::from_secs(1);
    while Instant::now() < full {
        std::thread::yield_now();
    }
    let began = Instant::now();
    signal(program, Signal::TERM);
    has_ended(program);
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    desk.zellij.continue_server();
}
