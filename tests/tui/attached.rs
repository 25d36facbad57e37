//! Two TUIs at once on one instance that runs without a terminal.

use std::fs::File;
use std::process::{Child, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use meta_orchestrator::ids::PaneAddress;

use crate::common::agents::shlex;
use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::program::{PROGRAM, Stage};

/// An instance without a terminal; ended with the test.
struct Serving(Child);

impl Serving {
    fn start(stage: &Stage) -> Self {
        let folder = &stage.desk.folder;
        let said = folder.join("serve.err");
        let mut command = stage.desk.zellij.command(PROGRAM);
        command
            .args(["serve", "--config", "config.json"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said).unwrap());
        let serving = Self(command.spawn().unwrap());
        wait_for(PATIENCE, "the socket", || {
            let said = std::fs::read_to_string(&said).unwrap();
            said.contains("listening at").then_some(())
        });
        serving
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    fn ends(&mut self) -> Option<i32> {
        wait_for(PATIENCE, "its end", || self.0.try_wait().unwrap()).code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if self.is_running() {
            let pid = Pid::from_raw(self.0.id().cast_signed()).unwrap();
            let _ = kill_process(pid, Signal::TERM);
            let _ = self.0.wait();
        }
    }
}

fn attach() -> [String; 4] {
    [PROGRAM, "attach", "--config", "config.json"].map(str::to_owned)
}

#[track_caller]
fn sees(zellij: &TestZellij, pane: &PaneAddress, text: &str) {
    let give_up = Instant::now() + PATIENCE;
    while !zellij.dump(pane.pane).contains(text) {
        let shown = zellij.dump(pane.pane);
        assert!(
            Instant::now() < give_up,
            "waited for {text:?} and saw:\n{shown}"
        );
    }
}

#[test]
fn two_at_once_show_the_same_and_closing_one_stops_nothing() {
    let stage = Stage::open(200, 50, &["dialog touch made.txt"]);
    let mut serving = Serving::start(&stage);
    let (desk, zellij) = (&stage.desk, &stage.desk.zellij);
    desk.runs(&shlex(&attach()), "a1");
    let words = attach();
    let other = zellij.open_pane(&words.each_ref().map(String::as_str));
    for text in ["touch made.txt", "1 needs you"] {
        desk.sees(text);
        sees(zellij, &other, text);
    }
    // the question is answered in one, and vanishes in the other
    stage.answers(|| {
        let there = zellij.dump(other.pane);
        assert!(!there.contains("y yes"), "the other was asked nothing");
    });
    desk.sees("nobody needs you");
    sees(zellij, &other, "nobody needs you");
    // leaving one leaves the other and the instance as they are
    desk.types("q");
    wait_for(PATIENCE, "the shell's screen", || {
        (!desk.shown().contains("nobody needs you")).then_some(())
    });
    desk.shell("echo typed to the $((9*9))");
    desk.sees("typed to the 81");
    assert!(serving.is_running());
    stage.agent.order("dialog touch again.txt");
    sees(zellij, &other, "touch again.txt");
    // the end of the instance is the end of those who look
    let mut quit = zellij.command(PROGRAM);
    quit.args(["ctl", "--config", "config.json", "quit"]);
    assert!(quit.output().unwrap().status.success());
    assert_eq!(serving.ends(), Some(0));
    wait_for(PATIENCE, "the end of the other", || {
        let list = zellij.list();
        let mut panes = list.iter().filter(|pane| pane["is_plugin"] == false);
        let pane = panes.find(|pane| pane["id"] == other.pane.number());
        pane.is_none_or(|pane| pane["exited"] == true).then_some(())
    });
}
