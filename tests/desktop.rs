//! Notices on the desktop, through the whole program: a session bus of the test's own, which records.
//!
//! The bus is spoken over the socket that `DBUS_SESSION_BUS_ADDRESS` names, by the same protocol; there is no
//! daemon on it, nor anything of the machine that runs the test.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, makes its own files and starts the program"
)]
#![allow(
    clippy::used_underscore_binding,
    reason = "the macro of an interface uses what its method does not"
)]
#![allow(dead_code, reason = "the parts that other tests use")]

mod common;
#[path = "commands/program.rs"]
mod program;

use std::collections::HashMap;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::watch;
use zbus::OwnedVariant;

use common::zellij::{PATIENCE, TestZellij, wait_for};
use program::{Program, command};

/// What a desktop was told.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Shown {
        id: u32,
        title: String,
        body: String,
    },
    Closed(u32),
}

/// A session bus with a desktop on it.
struct Desktop {
    address: String,
    told: Arc<Mutex<Vec<Told>>>,
    /// How many notices it was asked for, shown or not.
    asked: watch::Sender<usize>,
    hangs: watch::Sender<bool>,
}

/// The part of the bus that gives names.
struct Bus;

#[zbus::interface(name = "org.freedesktop.DBus")]
impl Bus {
    #[allow(clippy::unused_self, reason = "a method of the interface")]
    fn hello(&self) -> &'static str {
        ":1.7"
    }
}

/// The part that shows notices.
/// Source: <https://specifications.freedesktop.org/notification-spec/latest/protocol.html>.
struct Notices {
    told: Arc<Mutex<Vec<Told>>>,
    asked: watch::Sender<usize>,
    hangs: watch::Receiver<bool>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notices {
    #[allow(clippy::too_many_arguments, reason = "as many as the interface has")]
    async fn notify(
        &self,
        _app: String,
        replaces: u32,
        _icon: String,
        title: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _timeout: i32,
    ) -> u32 {
        self.asked.send_modify(|asked| *asked += 1);
        let _ = self.hangs.clone().wait_for(|hangs| !hangs).await;
        let mut told = self.told.lock().unwrap();
        let shown = told
            .iter()
            .filter(|told| matches!(told, Told::Shown { .. }));
        let next = 41 + u32::try_from(shown.count()).unwrap();
        let id = if replaces == 0 { next } else { replaces };
        told.push(Told::Shown { id, title, body });
        id
    }

    fn close_notification(&self, id: u32) {
        self.told.lock().unwrap().push(Told::Closed(id));
    }
}

impl Desktop {
    fn start(folder: &Path) -> Self {
        let path = folder.join("bus");
        let listener = UnixListener::bind(&path).unwrap();
        let told = Arc::default();
        let (asked, hangs) = (watch::Sender::new(0), watch::Sender::new(false));
        let (to_tell, to_count, hanging) = (Arc::clone(&told), asked.clone(), hangs.subscribe());
        std::thread::spawn(move || {
            let mut connections = Vec::new();
            for stream in listener.incoming() {
                let notices = Notices {
                    told: Arc::clone(&to_tell),
                    asked: to_count.clone(),
                    hangs: hanging.clone(),
                };
                let connection = zbus::connection::Builder::unix_stream(stream.unwrap())
                    .server(zbus::Guid::generate())
                    .p2p()
                    .serve_at("/org/freedesktop/DBus", Bus)
                    .serve_at("/org/freedesktop/Notifications", notices)
                    .build();
                connections.push(zbus::block_on(connection).unwrap());
            }
        });
        Self {
            address: format!("unix:path={}", path.display()),
            told,
            asked,
            hangs,
        }
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// Waits until it was asked for so many notices.
    fn is_asked(&self, count: usize) {
        wait_for(PATIENCE, "a notice", || {
            (*self.asked.borrow() >= count).then_some(())
        });
    }

    /// Waits until it was told so many things.
    fn is_told(&self, count: usize) -> Vec<Told> {
        wait_for(PATIENCE, "what the desktop is told", || {
            Some(self.told()).filter(|told| told.len() >= count)
        })
    }
}

/// A program that watches agents whose panes are not there, on this session bus.
fn watching_lost(test: &TestZellij, ids: &[&str], bus: Option<&str>) -> Program {
    let agents = ids.iter().enumerate().map(|(nth, id)| {
        json!({ "id": id, "pane": (900 + nth).to_string(), "goal": "", "pollSec": 0.2 })
    });
    let config = json!({
        "agents": agents.collect::<Vec<_>>(),
        "logDir": "./logs",
        "decideBackend": { "type": "builtin" },
        "reviewBackend": { "type": "builtin" },
        "notify": { "gatherSec": 1 },
    });
    std::fs::write(test.home().join("c.json"), config.to_string()).unwrap();
    let mut command = command(test, &["--config", "c.json"]);
    command.env_remove("DBUS_SESSION_BUS_ADDRESS");
    if let Some(address) = bus {
        command.env("DBUS_SESSION_BUS_ADDRESS", address);
    }
    Program::begin(command, test.home())
}

#[test]
fn many_that_wait_are_one_notice_which_the_next_replaces_and_which_goes_when_all_is_answered() {
    let test = TestZellij::start();
    let desktop = Desktop::start(test.home());
    let mut program = watching_lost(&test, &["a1", "a2", "a3"], Some(&desktop.address));
    let told = desktop.is_told(1);
    let [Told::Shown { id, title, body }] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!((*id, title.as_str()), (41, "3 agents wait for you"));
    assert!(body.starts_with("a1, a2, a3\n"), "{body}");
    program.asks("/notify").has(&["desktop: on"]);
    program.asks("/notify test").has(&["desktop: sent, in "]);
    let told = desktop.is_told(2);
    assert!(
        matches!(&told[1], Told::Shown { id: 41, title, .. } if title == "meta-orchestrator: a test"),
        "{told:?}"
    );
    program.asks("/remove a1\n/remove a2").has(&["a2"]);
    // time in which it would be taken back
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(desktop.told().len(), 2, "one waits still");
    program.asks("/remove a3").has(&["a3"]);
    assert_eq!(desktop.is_told(3)[2], Told::Closed(41));
    assert_eq!(program.quits().code, Some(0));
    assert_eq!(desktop.told().len(), 3);
}

#[test]
fn without_a_bus_it_is_quiet() {
    let test = TestZellij::start();
    let mut program = watching_lost(&test, &["a1"], None);
    program
        .asks("/notify test")
        .has(&["desktop: there is no session bus"]);
    assert_eq!(program.quits().code, Some(0));

    // one that was there once
    let gone = format!("unix:path={}", test.home().join("gone").display());
    let mut program = watching_lost(&test, &["a1"], Some(&gone));
    program.asks_until("/list", "a lost agent", |list| list.contains("gone"));
    let begun = Instant::now();
    program.asks("/notify test").has(&["desktop: failed: "]);
    assert!(begun.elapsed() < Duration::from_secs(2));
    // time in which the lost agent is told of
    std::thread::sleep(Duration::from_secs(3));
    let ended = program.quits();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said = ended.err.to_lowercase();
    assert!(!said.contains("bus") && !said.contains("told"), "{ended:?}");
}

#[test]
fn a_desktop_that_hangs_holds_nobody_up_and_keeps_nothing_that_was_answered_meanwhile() {
    let test = TestZellij::start();
    let desktop = Desktop::start(test.home());
    desktop.hangs.send_replace(true);
    let mut program = watching_lost(&test, &["a1"], Some(&desktop.address));
    desktop.is_asked(1);
    let begun = Instant::now();
    program.asks("/list").has(&["gone"]);
    program.asks("/remove a1").has(&["a1"]);
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    // time in which the bell sees that nobody waits
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(desktop.told(), []);
    desktop.hangs.send_replace(false);
    let told = desktop.is_told(2);
    assert!(matches!(told[0], Told::Shown { id: 41, .. }), "{told:?}");
    assert_eq!(told[1], Told::Closed(41));
    assert_eq!(program.quits().code, Some(0));

    // nor does the end of the program wait for it
    desktop.hangs.send_replace(true);
    let program = watching_lost(&test, &["a1"], Some(&desktop.address));
    desktop.is_asked(2);
    let begun = Instant::now();
    assert_eq!(program.quits().code, Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}
