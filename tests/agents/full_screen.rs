//! A program that takes the terminal as the TUI does and shows what comes from it, for `tests/tui.rs`: so that a
//! panic can be had at a key without the product knowing such a key.
//!
//! `full-screen FOLDER`: its process number goes to `FOLDER/pid`, diagnostics below it. `q` leaves, `p` panics
//! on the thread that draws, `t` on another one, `b` draws without an end.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a program for tests"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use meta_orchestrator::error::Failure;
use meta_orchestrator::ui::tui::input::{Input, Key, Keyboard};
use meta_orchestrator::ui::tui::terminal::{self, Screen};
use meta_orchestrator::ui::{self, diagnostics, signals::Signals};

fn main() -> ExitCode {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap());
    std::fs::write(folder.join("pid"), std::process::id().to_string()).unwrap();
    let _flushed = diagnostics::start(&folder).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let ended = runtime.block_on(show());
    runtime.shutdown_timeout(Duration::from_millis(100));
    match ended {
        Ok(why) => {
            terminal::last_words(format!("left: {why}\n"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            ui::print_failure(&failure);
            failure.exit_code()
        }
    }
}

async fn show() -> Result<&'static str, Failure> {
    let mut screen = Screen::take()?;
    let mut keyboard = Keyboard::listen().unwrap();
    let mut signals = Signals::listen();
    let mut said = vec!["taken".to_owned()];
    let (mut busy, mut frames) = (false, 0_u64);
    loop {
        frames += 1;
        let mut text = said[said.len().saturating_sub(12)..].join("\n");
        if busy {
            let line = format!("\nbusy {}", frames.to_string().repeat(9));
            text += &line.repeat(20);
        }
        let drawn = screen.draw(|frame| {
            let area = frame.area();
            let head = format!("full screen {}x{}", area.width, area.height);
            let text = format!("{head}\n{text}");
            for (line, y) in text.lines().zip(area.top()..area.bottom()) {
                frame.buffer_mut().set_string(0, y, line, ratatui_style());
            }
        })?;
        tokio::select! {
            () = signals.received() => return Ok("a signal"),
            () = screen.ready(), if busy || !drawn => {}
            input = keyboard.next() => match input {
                None => return Ok("the terminal is gone"),
                Some(Input::Key(key)) if key == Key::char('q') => return Ok("a key"),
                Some(Input::Key(key)) if key == Key::char('p') => panic!("at a key"),
                Some(Input::Key(key)) if key == Key::char('t') => {
                    let panicked = std::thread::spawn(|| panic!("on another thread")).join();
                    said.push(format!("the other thread panicked: {}", panicked.is_err()));
                }
                Some(Input::Key(key)) if key == Key::char('b') => busy = true,
                Some(input) => said.push(format!("{input:?}")),
            },
        }
    }
}

/// How it draws.
fn ratatui_style() -> ratatui::style::Style {
    ratatui::style::Style::new().fg(ratatui::style::Color::Indexed(2))
}
