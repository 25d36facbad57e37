//! Reviews: what a model is told, what it is not told, and what comes of its answer.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::program::{Program, agent_pane, command, configuration, mode, run};

const KEY: &str = "the-key-0123456789abcdef";
const REVIEW: &str =
    "It measures well and changes little.\n\nINSTRUCTION: Remove the copy from the parser now";

/// A server that answers as Gemini does.
pub struct Model {
    runtime: tokio::runtime::Runtime,
    server: MockServer,
}

impl Model {
    /// One that takes its time for each answer.
    pub fn start(delay: Duration) -> Self {
        let answer = json!({
            "candidates": [{ "content": { "parts": [{ "text": REVIEW }] }, "finishReason": "STOP" }],
            "usageMetadata": { "promptTokenCount": 1_000, "candidatesTokenCount": 50 },
            "modelVersion": "gemini-2.5-pro-test",
        });
        Self::answering(
            ResponseTemplate::new(200)
                .set_body_json(answer)
                .set_delay(delay),
        )
    }

    /// One that gives this answer to everything.
    pub fn answering(answer: ResponseTemplate) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(answer).mount(&server).await;
            server
        });
        Self { runtime, server }
    }

    pub fn url(&self) -> String {
        format!("{}/v1beta", self.server.uri())
    }

    pub fn requests(&self) -> Vec<Request> {
        self.runtime
            .block_on(self.server.received_requests())
            .unwrap()
    }
}

fn gemini(agents: &[(&str, &str)], url: &str) -> String {
    let mut config: Value = serde_json::from_str(&configuration(agents)).unwrap();
    config["reviewBackend"] = json!({ "type": "gemini", "baseUrl": url });
    config.to_string()
}

/// Everything that the program wrote below its home, and said.
fn everything(test: &TestZellij) -> Vec<(String, String)> {
    let mut folders = vec![test.home().join("logs")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.push((
                    path.display().to_string(),
                    String::from_utf8_lossy(&bytes).into_owned(),
                ));
            }
        }
    }
    found
}

#[test]
fn a_review_is_shown_kept_and_its_instruction_typed_after_a_yes() {
    let test = TestZellij::start_sized(200, 60);
    let worker = agent_pane(&test, "worker");
    let model = Model::start(Duration::ZERO);
    let config = gemini(&[("w", &worker.pane.to_string())], &model.url());
    std::fs::write(test.home().join("c.json"), config).unwrap();
    let mut command = command(&test, &["--config", "c.json"]);
    command
        .env("GEMINI_API_KEY", KEY)
        .env("META_ORCHESTRATOR_LOG", "trace");
    let mut program = Program::begin(command, test.home());
    program.asks_until("/list", "a poll", |list| list.contains("running"));

    program.asks("/review w").has(&[
        "Review of w by gemini gemini-2.5-pro-test:",
        "It measures well and changes little.",
        "It would type: Remove the copy from the parser now",
    ]);
    program.asks("/yes").refused(&["nothing waits for a yes"]);
    let request = model.requests().remove(0);
    assert_eq!(
        request.url.path(),
        "/v1beta/models/gemini-2.5-pro:generateContent"
    );
    assert_eq!(request.headers["x-goog-api-key"], KEY);
    assert!(!request.url.as_str().contains(KEY), "{}", request.url);
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let told = body["contents"][0]["parts"][0]["text"].as_str().unwrap();
    assert!(
        told.contains("ship it") && told.contains("The first part is finished."),
        "{told}"
    );
    assert!(
        body["systemInstruction"]["parts"][0]["text"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert!(!body.to_string().contains(KEY));

    let question = |program: &mut Program| {
        let before = program.out().matches("/no leaves it").count();
        program.sends("/review w --send");
        wait_for(PATIENCE, "the question", || {
            (program.out().matches("/no leaves it").count() > before).then_some(())
        });
        assert!(
            program
                .out()
                .contains("Type this to w? `Remove the copy from the parser now`")
        );
    };
    let before = test.dump(worker.pane);
    question(&mut program);
    program.asks("/no").has(&["left as it is"]);
    question(&mut program);
    program.asks("/list");
    program.asks("/yes").refused(&["nothing waits for a yes"]);
    assert_eq!(test.dump(worker.pane), before, "nothing was typed so far");
    question(&mut program);
    program.asks("/yes").has(&["delivered to w"]);
    test.wait_until_shown(&worker, "Understood: Remove the copy from the parser now");
    program
        .asks("/review w --later")
        .refused(&["`--later` is not `--send`"]);

    let ended = program.quits();
    let reviews = test.home().join("logs/w.reviews.jsonl");
    assert_eq!(mode(&reviews), 0o600);
    let lines = std::fs::read_to_string(&reviews).unwrap();
    assert_eq!(lines.lines().count(), 4, "{lines}");
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(line["instruction"], "Remove the copy from the parser now");
    assert_eq!(line["tokens"], 1_050);
    for (path, text) in everything(&test) {
        assert!(!text.contains(KEY), "the key is in {path}");
    }
    assert!(
        !ended.out.contains(KEY) && !ended.err.contains(KEY),
        "{ended:?}"
    );
}

#[test]
fn a_review_that_fails_says_why_and_what_to_do_and_shows_no_key() {
    let test = TestZellij::start();
    let cat = test.open_pane(&["cat"]);
    let agents = [("w", cat.pane.to_string())];
    let agents = [(agents[0].0, agents[0].1.as_str())];
    let reviewed = |config: &str, key: Option<&str>| {
        std::fs::write(test.home().join("c.json"), config).unwrap();
        let mut command = command(&test, &["--config", "c.json"]);
        if let Some(key) = key {
            command.env("GEMINI_API_KEY", key);
        }
        run(command, test.home(), "/review w\n/list")
    };
    let model = Model::start(Duration::ZERO);
    let ended = reviewed(&gemini(&agents, &model.url()), None);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.err.contains("GEMINI_API_KEY") && ended.err.contains("hint: export"),
        "{ended:?}"
    );
    assert_eq!(model.requests().len(), 0);

    let refusing = Model::answering(ResponseTemplate::new(400).set_body_json(
        json!({"error": {"message": format!("API key not valid: {KEY}\u{1b}[31m")}}),
    ));
    let ended = reviewed(&gemini(&agents, &refusing.url()), Some(KEY));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("API key not valid"), "{ended:?}");
    assert!(
        !ended.err.contains(KEY) && !ended.err.contains('\u{1b}'),
        "{ended:?}"
    );

    let ended = reviewed(&configuration(&agents), None);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.err.contains("`reviewBackend` is `builtin`") && ended.err.contains("hint: set"),
        "{ended:?}"
    );
    assert!(ended.out.contains("w  "), "the next command is carried out");
    assert!(!test.home().join("logs/w.reviews.jsonl").exists());
}

#[test]
fn what_looks_like_a_secret_is_masked_unless_the_model_is_on_this_machine() {
    let test = TestZellij::start();
    let secret = "sk-proj-abcdefghijklmnopqrstuvwx";
    std::fs::write(
        test.home().join("secret"),
        format!("OPENAI_API_KEY={secret}\nready\n"),
    )
    .unwrap();
    let pane = test.open_pane(&["tail", "-f", "secret"]);
    test.wait_until_shown(&pane, "ready");
    let number = pane.pane.to_string();
    let told = |model: &Model, config: &str, proxy: Option<String>| {
        std::fs::write(test.home().join("c.json"), config).unwrap();
        let mut command = command(&test, &["--config", "c.json"]);
        command.env("GEMINI_API_KEY", KEY);
        for name in [
            "http_proxy",
            "HTTP_PROXY",
            "all_proxy",
            "ALL_PROXY",
            "no_proxy",
            "NO_PROXY",
        ] {
            command.env_remove(name);
        }
        if let Some(proxy) = proxy {
            command.env("http_proxy", proxy);
        }
        let ended = run(command, test.home(), "/review w");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        String::from_utf8_lossy(&model.requests().remove(0).body).into_owned()
    };
    let local = Model::start(Duration::ZERO);
    let sent = told(&local, &gemini(&[("w", &number)], &local.url()), None);
    assert!(
        sent.contains(secret),
        "the control: it stays on this machine"
    );
    // a host elsewhere, reached through a proxy that answers in its place
    let elsewhere = Model::start(Duration::ZERO);
    let config = gemini(&[("w", &number)], "http://model.example/v1beta");
    let sent = told(&elsewhere, &config, Some(elsewhere.server.uri()));
    assert!(!sent.contains(secret), "{sent}");
    assert!(
        sent.contains("OPENAI_API_KEY=[masked]") && sent.contains("ready"),
        "{sent}"
    );
}
