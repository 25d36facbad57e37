//! Who looks at a front end need not be told; who only says so, out of a supervised pane, silences nothing.

use std::time::Duration;

use meta_orchestrator::command::Client;
use meta_orchestrator::command::dispatch::Local;
use meta_orchestrator::notify::{Notifier, ways::Doors};
use serde_json::json;
use tokio::time::timeout;

use super::common::supervisor::Stage;
use super::common::zellij::PATIENCE;

/// In which a message comes that nothing holds back.
const SOON: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_somebody_looks_at_one_of_several_front_ends_nothing_is_told() {
    let stage = Stage::open();
    let agent = stage.agent("a1", &["prompt", "say ● Part one is finished."]);
    let mut config = stage.config(&[("a1", &agent)]);
    config["notify"] = json!({ "desktop": false, "gatherSec": 0.1 });
    let lost = json!({ "id": "a2", "pane": "901", "goal": "", "pollSec": 0.2 });
    config["agents"].as_array_mut().unwrap().push(lost);
    let watch = stage.watch_as(config).await;
    watch.wait_for_status("a2", "gone: ");
    let bell = || {
        let notifier = Notifier::start(&watch.supervisor, Doors::default());
        let client = Local::new(watch.supervisor.clone()).with_bell(notifier.clone());
        (notifier, client)
    };

    let (notifier, one) = bell();
    let other = Local::new(watch.supervisor.clone()).with_bell(notifier.clone());
    let mut rings = notifier.rings();
    one.attended(true);
    other.attended(true);
    other.attended(true);
    one.attended(false);
    assert!(timeout(SOON, rings.recv()).await.is_err());
    // one that goes looks no more, as one whose connection is lost
    drop(other);
    let ring = timeout(PATIENCE, rings.recv()).await.unwrap().unwrap();
    assert_eq!(ring.title, "a2 waits for you");

    // the control of what comes next: out of a pane that is not supervised it counts
    let (notifier, client) = bell();
    let client = client.out_of(vec![stage.zellij.pane(4711)]);
    let mut rings = notifier.rings();
    client.attended(true);
    assert!(timeout(SOON, rings.recv()).await.is_err());
    // an agent cannot keep the person from being told that it waits for them
    let (notifier, client) = bell();
    let client = client.out_of(vec![agent.pane.clone()]);
    let mut rings = notifier.rings();
    client.attended(true);
    let ring = timeout(PATIENCE, rings.recv()).await.unwrap().unwrap();
    assert_eq!(ring.title, "a2 waits for you");
}
