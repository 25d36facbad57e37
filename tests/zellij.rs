//! The zellij door on real zellij sessions.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test fails by panicking, makes its own files and says what it measured"
)]

mod common;

use std::time::{Duration, Instant};

use common::zellij::{PATIENCE, TestZellij, wait_for, wait_until};
use meta_orchestrator::error::{Failure, Kind};
use meta_orchestrator::host::process;
use meta_orchestrator::ids::{PaneAddress, SessionName};
use meta_orchestrator::zellij::{Dump, Foreground, Key, NewPane, Pane, Zellij, ZellijError};

const NOW: Duration = Duration::ZERO;
const DEADLINE: Duration = Duration::from_secs(10);

/// What the door shows of a pane, once it holds `text`.
async fn shown(zellij: &Zellij, pane: &PaneAddress, text: &str) -> String {
    wait_until(PATIENCE, text, || async {
        match zellij.dump(pane, Dump::Viewport).await {
            Err(error) if error.is_transient() => None,
            screen => Some(screen.unwrap()).filter(|screen| screen.contains(text)),
        }
    })
    .await
}

async fn listed(zellij: &Zellij, pane: &PaneAddress) -> Pane {
    // Now and then zellij answers nothing; nobody may take that for "no panes".
    wait_until(PATIENCE, "a listing", || async {
        match zellij.pane(pane, NOW).await {
            Err(error) if error.is_transient() => None,
            listed => Some(listed.unwrap()),
        }
    })
    .await
}

/// The foreground of a pane, once it is as expected.
async fn in_front(
    zellij: &Zellij,
    pane: &PaneAddress,
    what: &str,
    expected: impl Fn(&Foreground) -> bool,
) -> Foreground {
    wait_until(PATIENCE, what, || async {
        let listed = zellij.pane(pane, NOW).await.ok()?;
        zellij
            .foreground(pane, &listed)
            .await
            .filter(|found| expected(found))
    })
    .await
}

#[tokio::test]
async fn panes_are_listed_with_what_runs_in_them() {
    let test = TestZellij::start_sized(120, 40);
    let zellij = test.zellij(DEADLINE).await;
    assert_eq!(zellij.sessions().await.unwrap(), [test.session().clone()]);
    let new = NewPane {
        name: "-my cat".into(),
        cwd: Some("/usr".into()),
        argv: vec!["cat".into(), "-".into()],
    };
    let cat = zellij.open(test.session(), &new).await.unwrap();
    let pane = wait_until(PATIENCE, "the cat", || async {
        let pane = listed(&zellij, &cat).await;
        pane.command.is_some().then_some(pane)
    })
    .await;
    assert_eq!(pane.title, "-my cat");
    assert_eq!(pane.opened_with.as_deref(), Some("cat -"));
    assert_eq!(pane.command.as_deref(), Some("cat -"));
    assert_eq!(pane.folder, Some("/usr".into()));
    assert_eq!(
        pane.cursor,
        Some((0, 0)),
        "within the content, whatever the frame"
    );
    assert!(pane.focused && !pane.exited);
    assert!(
        (50..=60).contains(&pane.size.0),
        "half of 120 columns: {:?}",
        pane.size
    );
    let panes = zellij.panes(test.session(), NOW).await.unwrap();
    assert_eq!(panes.len(), 2);
    assert!(
        panes
            .plugins()
            .iter()
            .any(|plugin| plugin.title == "status-bar")
    );

    zellij.close(&cat).await.unwrap();
    let error = wait_until(PATIENCE, "the cat's end", || async {
        zellij.pane(&cat, NOW).await.err()
    })
    .await;
    assert!(matches!(error, ZellijError::NoSuchPane { .. }), "{error}");
    // The trap: neither a dump nor a key says that the pane is gone.
    assert_eq!(zellij.dump(&cat, Dump::Viewport).await.unwrap().trim(), "");
    zellij.place(&cat, "lost").await.unwrap();

    let bars = panes.plugins().iter();
    let bar = bars
        .map(|plugin| plugin.number)
        .find(|number| panes.iter().all(|pane| pane.id.number() != *number));
    let error = zellij
        .pane(&test.pane(bar.unwrap()), NOW)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("is a plugin's"), "{error}");
}

#[tokio::test]
async fn text_is_placed_as_it_is_and_enter_submits_it() {
    let test = TestZellij::start_sized(160, 40);
    let zellij = test.zellij(DEADLINE).await;
    let cat = test.open_pane(&["cat", "-A"]);
    for text in [
        "-hello",
        "--",
        "it's \"quoted\" $HOME `id` \\n",
        "größe 日本",
        "",
    ] {
        zellij.place(&cat, text).await.unwrap();
        if !text.is_empty() {
            shown(&zellij, &cat, text).await;
        }
        zellij.press(&cat, Key::Enter).await.unwrap();
        // `cat -A` repeats a line only once it was submitted, and marks its end.
        let ascii: String = text.chars().take_while(char::is_ascii).collect();
        let submitted = if ascii == text {
            format!("{text}$")
        } else {
            "M-CM-6".to_owned()
        };
        shown(&zellij, &cat, &submitted).await;
    }
    let error = zellij.place(&cat, "a\0b").await.unwrap_err();
    assert!(matches!(error, ZellijError::TextRefused { .. }), "{error}");
    let error = zellij.place(&cat, &"x".repeat(102_401)).await.unwrap_err();
    assert_eq!(Failure::from(error).kind, Kind::Usage);
}

#[tokio::test]
async fn a_paste_is_bracketed_where_that_was_asked_for_and_holds_no_escape() {
    let test = TestZellij::start();
    let zellij = test.zellij(DEADLINE).await;
    let plain = test.open_pane(&["cat", "-A"]);
    let asks = "printf '\\033[?2004h'; exec cat -A";
    let asks = test.open_pane(&["bash", "-c", asks]);
    for (pane, expected) in [(&plain, "-a b$"), (&asks, "^[[200~-a b^[[201~$")] {
        zellij.paste(pane, "-a b").await.unwrap();
        shown(&zellij, pane, "-a b").await;
        zellij.press(pane, Key::Enter).await.unwrap();
        shown(&zellij, pane, expected).await;
    }
    // this would end the paste, and what follows would be keys
    let error = zellij.paste(&asks, "a\u{1b}[201~\rb").await.unwrap_err();
    assert!(matches!(error, ZellijError::TextRefused { .. }), "{error}");
    // the control: placed as it is, it does
    zellij.place(&asks, "x\u{1b}[201~\ry").await.unwrap();
    shown(&zellij, &asks, "x^[[201~$").await;
}

#[tokio::test]
async fn a_screen_is_read_plain_styled_and_with_what_scrolled_away() {
    let test = TestZellij::start();
    let zellij = test.zellij(DEADLINE).await;
    let script = "seq 1 300; printf '\\033[31mred\\033[0m\\377 end'; exec cat";
    let pane = test.open_pane(&["bash", "-c", script]);
    let plain = shown(&zellij, &pane, "end").await;
    assert!(
        plain.contains("red") && !plain.contains('\u{1b}'),
        "{plain}"
    );
    assert!(!plain.lines().any(|line| line == "1"));
    let styled = zellij.dump(&pane, Dump::Styled).await.unwrap();
    assert!(styled.contains("\u{1b}["), "{styled}");
    let full = zellij.dump(&pane, Dump::Full).await.unwrap();
    assert!(full.lines().any(|line| line.trim_end() == "1") && full.contains("end"));
}

#[tokio::test]
async fn a_missing_session_is_told_with_those_that_are_alive() {
    let test = TestZellij::start_named("two words");
    let zellij = test.zellij(DEADLINE).await;
    assert_eq!(zellij.sessions().await.unwrap(), [test.session().clone()]);
    let mut nowhere = test.pane(0);
    nowhere.session = "nope".parse().unwrap();
    let errors = [
        zellij
            .panes(&nowhere.session, NOW)
            .await
            .map(drop)
            .unwrap_err(),
        zellij
            .dump(&nowhere, Dump::Viewport)
            .await
            .map(drop)
            .unwrap_err(),
        zellij.place(&nowhere, "x").await.unwrap_err(),
        zellij.press(&nowhere, Key::Enter).await.unwrap_err(),
        zellij.close(&nowhere).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(
            error.to_string(),
            "the zellij session `nope` does not exist; alive is `two words`"
        );
        assert_eq!(Failure::from(&error).kind, Kind::Missing);
        assert!(!error.is_transient());
    }
    test.kill_session();
    let error = wait_until(PATIENCE, "the session's end", || async {
        zellij.panes(test.session(), NOW).await.err()
    })
    .await;
    assert!(
        matches!(&error, ZellijError::SessionNotFound { alive, .. } if alive.is_empty()),
        "{error}"
    );
    assert_eq!(zellij.sessions().await.unwrap(), []);
}

#[tokio::test]
async fn sessions_are_started_and_ended() {
    let test = TestZellij::start();
    let zellij = test.zellij(DEADLINE).await;
    let other: SessionName = "an other".parse().unwrap();
    zellij.start_session(&other).await.unwrap();
    assert_eq!(zellij.panes(&other, PATIENCE).await.unwrap().len(), 1);
    let error = zellij.start_session(&other).await.unwrap_err();
    assert!(
        matches!(error, ZellijError::SessionExists { .. }),
        "{error}"
    );
    let server = zellij.server(&other).await.unwrap();
    zellij.end_session(&other).await.unwrap();
    wait_for(PATIENCE, "the server's end", || {
        (process::alive(server) == Some(false)).then_some(())
    });
    zellij.end_session(&other).await.unwrap();
    assert_eq!(zellij.sessions().await.unwrap(), [test.session().clone()]);
}

#[tokio::test]
async fn a_stopped_server_costs_a_deadline_and_nobody_else_then_recovers() {
    let wedged = TestZellij::start();
    let deadline = Duration::from_millis(700);
    let zellij = wedged.zellij(deadline).await;
    let cat = wedged.open_pane(&["cat"]);
    listed(&zellij, &cat).await;
    wedged.stop_server();
    let started = Instant::now();
    // Ten at once, though only two may run: those that wait for their turn give up in time as well.
    let calls: Vec<_> = (0..10)
        .map(|number| {
            let (zellij, cat) = (zellij.clone(), cat.clone());
            tokio::spawn(async move {
                match number % 3 {
                    0 => zellij.dump(&cat, Dump::Viewport).await.map(drop),
                    1 => zellij.panes(&cat.session, NOW).await.map(drop),
                    _ => zellij.place(&cat, "late").await,
                }
            })
        })
        .collect();
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert!(error.is_timeout() && error.is_transient(), "{error}");
        assert_eq!(Failure::from(&error).kind, Kind::TimedOut);
    }
    let took = started.elapsed();
    assert!(took >= deadline && took < deadline * 2, "{took:?}");
    // Who is in front is known from the system, without the server.
    assert_eq!(
        zellij.server(&cat.session).await.map(|server| server.pid),
        Some(wedged.server_pid())
    );

    wedged.continue_server();
    wait_until(PATIENCE, "recovery", || async {
        zellij.panes(&cat.session, NOW).await.ok()
    })
    .await;
    zellij.place(&cat, "after").await.unwrap();
    let screen = shown(&zellij, &cat, "after").await;
    // zellij's client asks the server for its attention before it sends anything.
    assert!(
        !screen.contains("late"),
        "typed after its deadline: {screen}"
    );
}

#[tokio::test]
async fn a_wedged_session_hangs_the_others_for_a_deadline_and_loses_none() {
    let test = TestZellij::start();
    let zellij = test.zellij(Duration::from_secs(2)).await;
    let healthy: SessionName = "healthy".parse().unwrap();
    zellij.start_session(&healthy).await.unwrap();
    let mut pane = test.pane(0);
    pane.session = healthy.clone();
    test.stop_server();
    // zellij's client asks all sessions before it turns to its own; whether that stays so or not, the
    // healthy one must not be taken for gone.
    for _ in 0..2 {
        if let Err(error) = zellij.dump(&pane, Dump::Viewport).await {
            assert!(error.is_transient(), "{error}");
        }
    }
    let error = zellij
        .dump(&test.pane(0), Dump::Viewport)
        .await
        .unwrap_err();
    assert!(error.is_timeout(), "{error}");
    test.continue_server();
    shown(&zellij, &pane, "").await;
    zellij.end_session(&healthy).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_at_one_time_share_one_listing() {
    let test = TestZellij::start();
    let zellij = test.zellij(DEADLINE).await;
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let (zellij, session) = (zellij.clone(), test.session().clone());
            tokio::spawn(async move { zellij.panes(&session, NOW).await })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        // An answer may be missing now and then, but never wrong.
        answers.extend(call.await.unwrap());
    }
    let same =
        |one: &std::sync::Arc<_>, other: &std::sync::Arc<_>| std::sync::Arc::ptr_eq(one, other);
    answers.dedup_by(|one, other| same(one, other));
    assert!(
        answers.len() <= 5,
        "{} listings for 50 callers",
        answers.len()
    );
    assert!(!answers.is_empty());
    listed(&zellij, &test.pane(0)).await;
    let newest = zellij.panes(test.session(), PATIENCE).await.unwrap();
    let fresh = zellij.panes(test.session(), PATIENCE).await.unwrap();
    assert!(
        same(&newest, &fresh),
        "a listing fresh enough is not made anew"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_foreground_is_the_shell_the_program_or_the_agent_behind_a_wrapper() {
    let test = TestZellij::start();
    let zellij = test.zellij(DEADLINE).await;
    let shell = in_front(&zellij, &test.pane(0), "the shell", Foreground::is_shell).await;
    assert_eq!(shell.program().name, "bash");
    assert_eq!(shell.server.unwrap().pid, test.server_pid());
    assert_eq!(shell.folder.as_deref(), Some(test.home()));

    let plain = test.open_pane(&["sleep", "1000"]);
    let found = in_front(&zellij, &plain, "sleep", |found| !found.is_shell()).await;
    assert_eq!(found.program().argv, ["sleep", "1000"]);
    assert_eq!(found.leader, found.program().identity);

    let wrapper = test.home().join("wrapper");
    std::fs::write(&wrapper, "sleep 1001; echo over; read line\n").unwrap();
    let pane = test.open_pane(&["bash", wrapper.to_str().unwrap()]);
    let found = in_front(&zellij, &pane, "the wrapped", |found| {
        found.members().len() == 2
    })
    .await;
    assert_eq!(found.program().argv, ["sleep", "1001"]);
    assert_eq!(found.members()[0].name, "bash");
    assert!(!found.is_shell());
    // The agent ends, the wrapper reads on: what is typed now goes to a shell.
    let agent = found.program().identity;
    common::zellij::signal(agent, rustix::process::Signal::TERM);
    in_front(&zellij, &pane, "the wrapper alone", Foreground::is_shell).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_suspended_program_leaves_the_shell_in_front() {
    let test = TestZellij::start();
    let zellij = test.zellij(DEADLINE).await;
    let pane = test.pane(0);
    test.type_as_person(&pane, "sleep 1000\n");
    let running = in_front(&zellij, &pane, "sleep", |found| !found.is_shell()).await;
    assert_eq!(running.program().name, "sleep");
    test.press_as_person(&pane, 26);
    in_front(&zellij, &pane, "the shell", Foreground::is_shell).await;
    test.type_as_person(&pane, "fg\n");
    let again = in_front(&zellij, &pane, "sleep again", |found| !found.is_shell()).await;
    assert_eq!(
        again.program().identity,
        running.program().identity,
        "the very same process"
    );
    // In a pipe the leader ends first, and the rest of its group stays in front.
    test.press_as_person(&pane, 3);
    in_front(&zellij, &pane, "the shell", Foreground::is_shell).await;
    test.type_as_person(&pane, "true | sleep 1002\n");
    let rest = in_front(&zellij, &pane, "the rest", |found| !found.is_shell()).await;
    assert_eq!(rest.program().argv, ["sleep", "1002"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_pane_whose_command_has_ended_is_held_and_has_no_foreground() {
    let test = TestZellij::start();
    let zellij = test.zellij(DEADLINE).await;
    let pane = test.open_pane(&["bash", "-c", "read line; exit 3"]);
    in_front(&zellij, &pane, "the command", |_| true).await;
    test.type_as_person(&pane, "\n");
    let ended = wait_until(PATIENCE, "its end", || async {
        let pane = listed(&zellij, &pane).await;
        pane.exited.then_some(pane)
    })
    .await;
    assert_eq!((ended.exit_status, ended.held), (Some(3), true));
    assert_eq!(zellij.foreground(&pane, &ended).await, None);
    // Even a listing from before its end finds nobody.
    let before = Pane {
        exited: false,
        ..ended
    };
    assert_eq!(zellij.foreground(&pane, &before).await, None);
    // Enter runs it again: another process, found anew.
    test.press_as_person(&pane, 13);
    in_front(&zellij, &pane, "the command again", |_| true).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn two_servers_with_sessions_of_one_name_are_not_confused() {
    let (one, other) = (TestZellij::start(), TestZellij::start());
    let (of_one, of_other) = (one.zellij(DEADLINE).await, other.zellij(DEADLINE).await);
    let (here, there) = (
        one.open_pane(&["sleep", "1003"]),
        other.open_pane(&["sleep", "1004"]),
    );
    assert_eq!(here, there, "the same address");
    let found = in_front(&of_one, &here, "here", |found| !found.is_shell()).await;
    assert_eq!(found.program().argv, ["sleep", "1003"]);
    let found = in_front(&of_other, &there, "there", |found| !found.is_shell()).await;
    assert_eq!(found.program().argv, ["sleep", "1004"]);
    assert_eq!(found.server.unwrap().pid, other.server_pid());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_session_that_was_renamed_is_known_by_its_server() {
    let test = TestZellij::start();
    let zellij = test.zellij(DEADLINE).await;
    let pane = test.open_pane(&["sleep", "1005"]);
    let before = in_front(&zellij, &pane, "before", |found| !found.is_shell()).await;
    test.action(&["rename-session", "renamed"]);
    let mut renamed = pane.clone();
    renamed.session = "renamed".parse().unwrap();
    let after = in_front(&zellij, &renamed, "after", |found| !found.is_shell()).await;
    assert_eq!(after, before);
    let listed = listed(&zellij, &renamed).await;
    assert_eq!(
        zellij.foreground(&pane, &listed).await,
        None,
        "the old name means nobody"
    );
    // Another session takes the old name: its panes are its own.
    zellij.start_session(test.session()).await.unwrap();
    let shell = in_front(
        &zellij,
        &test.pane(0),
        "the new shell",
        Foreground::is_shell,
    )
    .await;
    assert_ne!(shell.server, before.server);
    zellij.end_session(test.session()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_living_session_is_never_called_gone_nor_its_screen_empty() {
    let test = TestZellij::start();
    let zellij = test.zellij(DEADLINE).await;
    let pane = test.pane(0);
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let (zellij, pane) = (zellij.clone(), pane.clone());
            tokio::spawn(async move {
                let mut unknown = 0;
                for _ in 0..75 {
                    match zellij.dump(&pane, Dump::Viewport).await {
                        Ok(screen) => assert!(!screen.trim().is_empty()),
                        Err(error) if error.is_transient() => unknown += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
                unknown
            })
        })
        .collect();
    let mut unknown = 0;
    for call in calls {
        unknown += call.await.unwrap();
    }
    assert!(unknown < 10, "{unknown} of 300 dumps failed");
}

/// `cargo test --release --test zellij -- --ignored --nocapture a_dump_costs`: alone in its process,
/// because it measures the process.
#[tokio::test]
#[ignore = "a measurement, to be run alone"]
async fn a_dump_costs_us_little() {
    const CALLS: u32 = 300;
    let test = TestZellij::start();
    let zellij = test.zellij(DEADLINE).await;
    let pane = test.pane(0);
    let listed = listed(&zellij, &pane).await;
    let (started, spent) = (Instant::now(), process::cpu_time());
    for _ in 0..CALLS {
        let _ = zellij.dump(&pane, Dump::Viewport).await;
    }
    let each = process::cpu_time().saturating_sub(spent) / CALLS;
    println!(
        "dump: {each:?} of our own on a core, {:?} in all",
        started.elapsed() / CALLS
    );
    let spent = process::cpu_time();
    for _ in 0..CALLS {
        let _ = zellij.panes(test.session(), NOW).await;
    }
    println!(
        "panes: {:?}",
        process::cpu_time().saturating_sub(spent) / CALLS
    );
    let spent = process::cpu_time();
    for _ in 0..CALLS {
        assert!(zellij.foreground(&pane, &listed).await.is_some());
    }
    println!(
        "foreground: {:?}",
        process::cpu_time().saturating_sub(spent) / CALLS
    );
    assert!(each < Duration::from_millis(2), "{each:?}");
}
