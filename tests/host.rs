//! Weeks of calls leave nothing behind: alone in its process, because it counts what the process holds.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_macros,
    reason = "a figure for whoever runs it with --nocapture"
)]

use std::time::{Duration, Instant};

use meta_orchestrator::host::process::{self, ProcessIdentity};
use meta_orchestrator::host::{Call, Host, HostError};

/// Everything this process holds that a careless call could leave behind.
fn held() -> (usize, usize) {
    let own = std::process::id();
    let children = process::all()
        .into_iter()
        .filter(|pid| process::without_arguments(*pid).is_some_and(|found| found.parent == own));
    let files = std::fs::read_dir("/proc/self/fd").unwrap();
    (children.count(), files.count())
}

fn sleeper(marker: &std::path::Path) -> Call {
    // The shell and its child both hold the pipes; the child's number is written down.
    let script = "sleep 600 & echo $! >>\"$0\"; wait";
    Call::new("/bin/sh", Duration::from_millis(60))
        .args(["-c", script])
        .arg(marker)
}

fn identities(marker: &std::path::Path) -> Vec<ProcessIdentity> {
    let text = std::fs::read_to_string(marker).unwrap_or_default();
    text.lines()
        .filter_map(|pid| Some(process::without_arguments(pid.parse().ok()?)?.identity))
        .collect()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_timeouts_and_drops_leave_no_process_and_no_open_file() {
    let host = Host::local();
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("pids");
    // Once, so that whatever the runtime opens for good is open.
    let first = host.run(sleeper(&marker)).await;
    assert!(matches!(first, Err(HostError::TimedOut { .. })));
    let before = held();

    for _ in 0..10 {
        let calls: Vec<_> = (0..20)
            .map(|number| {
                let call = sleeper(&marker);
                tokio::spawn(async move {
                    if number % 2 == 0 {
                        let ended = host.run(call).await;
                        assert!(
                            matches!(ended, Err(HostError::TimedOut { .. })),
                            "{ended:?}"
                        );
                    } else {
                        let soon = Duration::from_millis(30);
                        assert!(tokio::time::timeout(soon, host.run(call)).await.is_err());
                    }
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap();
        }
    }

    let give_up = Instant::now() + Duration::from_secs(10);
    loop {
        let grandchildren = identities(&marker)
            .into_iter()
            .filter(|identity| process::alive(*identity) == Some(true))
            .count();
        if held() == before && grandchildren == 0 {
            break;
        }
        assert!(
            Instant::now() < give_up,
            "(children, open files) were {before:?} and are {:?}; {grandchildren} grandchildren live",
            held()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seen = std::fs::read_to_string(&marker).unwrap().lines().count();
    assert!(seen > 100, "the calls did start something: {seen}");

    let calls = 300_u32;
    let spent = process::cpu_time();
    for _ in 0..calls {
        let output = host
            .run(Call::new("/bin/true", Duration::from_secs(5)))
            .await
            .unwrap();
        assert!(output.succeeded());
    }
    let each = process::cpu_time().saturating_sub(spent) / calls;
    println!("our own time on a core per call: {each:?}");
    // Ten calls a second at well under 1 % of a core; generous, for this is no release build.
    assert!(each < Duration::from_millis(2), "{each:?}");
    assert_eq!(held(), before);
}
