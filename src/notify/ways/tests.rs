use std::path::Path;
use std::time::Instant;

use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::config::Config;

fn config(notify: &serde_json::Value) -> NotifyConfig {
    Config::parse(&json!({ "notify": notify }).to_string())
        .unwrap()
        .notify
}

fn message() -> Message {
    Message {
        title: "2 agents wait for you".into(),
        body: "a1, b7\na1: $(touch harm); `touch harm`".into(),
        agents: vec!["a1".parse().unwrap(), "b7".parse().unwrap()],
        kinds: vec![Kind::Question, Kind::Lost],
        count: 2,
        again: false,
    }
}

fn doors() -> Doors {
    Doors {
        environment: |name| (name == "HOOK_TOKEN").then(|| "Bearer SECRET-1".into()),
        deadline: Duration::from_secs(20),
        ..Doors::default()
    }
}

/// A program that keeps what it is given in `folder`.
#[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
fn recorder(folder: &Path, then: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("record");
    let text = format!(
        "#!/bin/sh\ncd '{}' || exit 9\ncat > stdin\nenv | grep ^META_ORCHESTRATOR_ | sort > env\necho \"$@\" > args\n{then}\n",
        folder.display()
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn a_command_gets_the_text_on_its_input_and_the_facts_in_its_environment_and_no_shell() {
    let folder = tempfile::tempdir().unwrap();
    let program = recorder(folder.path(), "");
    let config = config(&json!({ "command": [program, "a b", "$HOME;"] }));
    let sent = doors().send(Way::Command, &config, &message()).await;
    assert_eq!(sent, Ok(()));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("args"), "a b $HOME;\n");
    let message = message();
    assert_eq!(
        read("stdin"),
        format!("{}\n{}\n", message.title, message.body)
    );
    assert_eq!(
        read("env"),
        "META_ORCHESTRATOR_AGAIN=0\nMETA_ORCHESTRATOR_AGENTS=a1 b7\nMETA_ORCHESTRATOR_COUNT=2\nMETA_ORCHESTRATOR_KINDS=question lost\nMETA_ORCHESTRATOR_TITLE=2 agents wait for you\n"
    );
    assert!(!folder.path().join("harm").exists());
}

#[tokio::test]
async fn a_command_that_fails_hangs_or_says_too_much_costs_its_deadline_at_most_and_a_line() {
    let folder = tempfile::tempdir().unwrap();
    for (then, said) in [
        (
            "echo 'no such \x1b[31mtopic' >&2; exit 3",
            "it ended with exit code 3: no such topic",
        ),
        ("kill -9 $$", "signal 9 ended it"),
        ("cat /dev/zero", "it said too much, and was ended"),
        ("sleep 600 & wait", "did not end within 3 s and was killed"),
    ] {
        let config = config(&json!({ "command": [recorder(folder.path(), then)] }));
        let begun = Instant::now();
        let doors = Doors {
            deadline: Duration::from_secs(3),
            ..doors()
        };
        let failed = doors
            .send(Way::Command, &config, &message())
            .await
            .unwrap_err();
        assert!(failed.contains(said), "{then}: {failed}");
        assert!(begun.elapsed() < Duration::from_secs(15), "{then}");
    }
    for (command, said) in [
        (
            json!(["surely-no-such-program"]),
            "`surely-no-such-program` is not in PATH",
        ),
        (json!(["/no/such/program"]), "does not exist"),
    ] {
        let config = config(&json!({ "command": command }));
        let failed = doors()
            .send(Way::Command, &config, &message())
            .await
            .unwrap_err();
        assert!(failed.contains(said), "{failed}");
    }
}

#[tokio::test]
async fn a_webhook_is_posted_the_message_with_its_headers() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    let hook = json!({
        "url": format!("{}/T0/SECRET-2?sig=SECRET-3", server.uri()),
        "headersEnv": { "Authorization": "HOOK_TOKEN" },
    });
    let config = config(&json!({ "webhook": hook }));
    assert_eq!(
        doors().send(Way::Webhook, &config, &message()).await,
        Ok(())
    );
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].url.query(), Some("sig=SECRET-3"));
    assert_eq!(requests[0].headers["authorization"], "Bearer SECRET-1");
    let sent: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(sent["title"], "2 agents wait for you");
    assert_eq!(sent["agents"], json!(["a1", "b7"]));
    assert_eq!(sent["kinds"], json!(["question", "lost"]));
    assert_eq!(
        (&sent["count"], &sent["v"], &sent["again"]),
        (&json!(2), &json!(1), &json!(false))
    );
    assert_eq!(sent["text"], sent["content"]);
}

#[tokio::test]
async fn a_webhook_that_fails_or_never_answers_is_told_without_its_address() {
    let server = MockServer::start().await;
    let answer =
        ResponseTemplate::new(404).set_body_string("no hook /T0/SECRET-2 for Bearer SECRET-1");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let slow = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    Mock::given(any()).respond_with(answer).mount(&slow).await;
    let gone = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let cases = [
        (
            json!({ "url": format!("{}/T0/SECRET-2", server.uri()) }),
            "404",
        ),
        (
            json!({ "url": format!("{}/T0/SECRET-2", slow.uri()) }),
            "within 0.7 s",
        ),
        (json!({ "url": format!("{gone}/T0/SECRET-2") }), "127.0.0.1"),
        (json!({ "urlEnv": "NO_HOOK" }), "NO_HOOK is not set"),
        (json!({ "urlEnv": "HOOK_TOKEN" }), "the address"),
        (json!({}), "neither `url` nor `urlEnv`"),
    ];
    for (hook, said) in cases {
        let config = config(&json!({ "webhook": hook }));
        // long enough for a loaded machine, but where the deadline itself is what ends it
        let deadline = if said.contains("0.7 s") {
            Duration::from_millis(700)
        } else {
            Duration::from_secs(20)
        };
        let doors = Doors {
            deadline,
            ..doors()
        };
        let begun = Instant::now();
        let failed = doors.send(Way::Webhook, &config, &message()).await;
        let failed = failed.unwrap_err();
        assert!(failed.contains(said), "{said}: {failed}");
        assert!(!failed.contains("SECRET"), "{failed}");
        assert!(begun.elapsed() < deadline + Duration::from_secs(5));
    }
}

#[cfg(not(feature = "desktop"))]
#[test]
fn the_desktop_is_off_where_it_was_not_built_in() {
    let config = NotifyConfig::default();
    assert!(!Way::Desktop.is_on(&config));
    assert!(
        Way::Desktop
            .why_off(&config)
            .contains("without the feature")
    );
}
