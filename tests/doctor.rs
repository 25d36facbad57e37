//! `doctor` on real zellij sessions, real folders and a local model server.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes its own files"
)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::zellij::{PATIENCE, TestZellij, wait_for, wait_until};
use meta_orchestrator::config::Config;
use meta_orchestrator::error::{Failure, Kind};
use meta_orchestrator::ids::{PaneAddress, SessionName};
use meta_orchestrator::supervisor::doctor::{
    AT_MOST, Check, Examination, Examined, Outcome, examine,
};
use meta_orchestrator::zellij::Environment;
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const SECRET: &str = "key-0123456789";
const GOOD: Outcome = Outcome::Good;
const WARNING: Outcome = Outcome::Warning;
const OURS: Outcome = Outcome::Bad(Kind::Failed);
const OUTSIDE: Outcome = Outcome::Bad(Kind::Missing);
/// A port of this machine at which nobody listens.
const NOBODY: &str = "http://127.0.0.1:9/v1";

/// A model server that lists `models` in the form of both wire formats; the second wants its key.
async fn server(models: &[&str]) -> MockServer {
    let server = MockServer::start().await;
    let ids: Vec<Value> = models.iter().map(|id| json!({ "id": id })).collect();
    Mock::given(method("GET"))
        .and(path("/v1/models"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "data": ids })))
        .mount(&server)
        .await;
    let names: Vec<Value> = models
        .iter()
        .map(|name| json!({ "name": format!("models/{name}") }))
        .collect();
    Mock::given(method("GET"))
        .and(path("/v1beta/models"))
        .and(header("x-goog-api-key", SECRET))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "models": names })))
        .mount(&server)
        .await;
    server
}

fn backends(server: &MockServer) -> Value {
    json!({
        "decideBackend": { "type": "openaiCompat", "baseUrl": format!("{}/v1", server.uri()), "model": "small" },
        "reviewBackend": { "type": "gemini", "baseUrl": format!("{}/v1beta", server.uri()), "model": "large" },
    })
}

fn builtin() -> Value {
    json!({ "decideBackend": { "type": "builtin" }, "reviewBackend": { "type": "builtin" } })
}

/// An agent as the configuration writes it.
fn agent(id: &str, pane: impl std::fmt::Display) -> Value {
    json!({ "id": id, "pane": format!("{pane}"), "goal": "" })
}

/// A configuration that keeps its logs in `home`.
fn config(home: &Path, backends: Value, agents: &[Value]) -> Config {
    let mut all = backends;
    all["agents"] = json!(agents);
    if all.get("logDir").is_none() {
        all["logDir"] = json!(home.join("logs"));
    }
    Config::parse(&all.to_string()).unwrap()
}

/// An examination in `home`, where no zellij is and no key.
fn examination(home: &Path, config: Config) -> Examination {
    let path = home.join("meta_orchestrator.config.json");
    std::fs::write(&path, config.to_text()).unwrap();
    let mut of = Examination::new(&path, Ok(Some(config)));
    of.runtime_folder = home.join("run/locks");
    of.environment = Environment::inherited()
        .set("HOME", home)
        .set("PATH", home)
        .remove("ZELLIJ_SESSION_NAME")
        .remove("ZELLIJ_PANE_ID");
    of.keys = |_| None;
    of
}

/// The same in the environment of a session.
fn in_session(test: &TestZellij, config: Config) -> Examination {
    let mut of = examination(test.home(), config);
    of.environment = test.environment();
    of
}

/// A pane that runs `sleep`, once that is in front.
async fn sleeping(test: &TestZellij) -> PaneAddress {
    let pane = test.open_pane(&["sleep", "1000"]);
    in_front(test, &pane, "sleep").await;
    pane
}

async fn in_front(test: &TestZellij, pane: &PaneAddress, name: &str) {
    let zellij = test.zellij(PATIENCE).await;
    wait_until(PATIENCE, name, || async {
        let listed = zellij.pane(pane, Duration::ZERO).await.ok()?;
        let found = zellij.foreground(pane, &listed).await?;
        (found.program().name == name).then_some(())
    })
    .await;
}

#[track_caller]
fn check<'a>(examined: &'a Examined, name: &str, about: Option<&str>) -> &'a Check {
    let mut checks = examined.checks.iter();
    let found = checks.find(|check| check.name == name && check.about.as_deref() == about);
    found.unwrap_or_else(|| panic!("no {name} {about:?} in\n{}", examined.to_text()))
}

/// Asserts how a check came out, and words of what was found and of the hint.
#[track_caller]
fn expect(examined: &Examined, name: &str, outcome: Outcome, found: &str, hint: &str) {
    let (name, about) = match name.split_once(' ') {
        Some((name, about)) => (name, Some(about)),
        None => (name, None),
    };
    let check = check(examined, name, about);
    let given = check.hint.as_deref().unwrap_or_default();
    assert!(
        check.outcome == outcome && check.found.contains(found) && given.contains(hint),
        "{check:#?}"
    );
    assert!(
        outcome == GOOD || check.hint.is_some() || check.found.contains("not examined"),
        "what is not good says what to do: {check:#?}"
    );
}

fn names_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn all_is_well() {
    let test = TestZellij::start();
    let server = server(&["small", "large"]).await;
    let pane = sleeping(&test).await;
    let agents = [agent("kernel-bwd", pane.pane)];
    let mut of = in_session(&test, config(test.home(), backends(&server), &agents));
    of.keys = |name| (name == "GEMINI_API_KEY").then(|| SECRET.to_owned());
    let before = names_in(test.home());
    let examined = examine(of).await;
    assert_eq!(names_in(test.home()), before, "nothing is left behind");

    let zellij = test.zellij(PATIENCE).await;
    let plain = |text: String| {
        text.replace(&zellij.program().display().to_string(), "ZELLIJ")
            .replace(&zellij.version().to_string(), "VERSION")
            .replace(&test.home().display().to_string(), "HOME")
            .replace(&server.uri(), "SERVER")
    };
    insta::assert_snapshot!(plain(examined.to_text()), @r"
    ok    zellij            VERSION at ZELLIJ (0.44.0 or newer is needed)
    ok    session test      the only one there is; it answers, with 2 panes
    ok    processes         the system tells which process is in front of a pane
    ok    configuration     HOME/meta_orchestrator.config.json: 1 agent
    ok    configFolder      HOME can be written to
    ok    logDir            HOME/logs does not exist yet, and can be made and written to
    ok    runtimeFolder     HOME/run/locks does not exist yet, and can be made and written to
    ok    decideBackend     SERVER/v1 answers (without a key) and lists the model `small`
    ok    reviewBackend     SERVER/v1beta answers (with the key in GEMINI_API_KEY) and lists the model `large`
    ok    agent kernel-bwd  test:terminal_1: `sleep` is in front in HOME

    all is well
    ");
    let json: Value = serde_json::from_str(&examined.to_json()).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["checks"].as_array().map(Vec::len), Some(10));
    assert_eq!((examined.kind(), examined.exit_code()), (None, 0));
}

#[tokio::test]
async fn without_zellij_the_rest_is_examined_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let agents = [agent("a", "test:3")];
    let examined = examine(examination(
        home.path(),
        config(home.path(), builtin(), &agents),
    ))
    .await;
    let text = examined
        .to_text()
        .replace(&home.path().display().to_string(), "HOME");
    insta::assert_snapshot!(text, @r"
    FAIL  zellij         zellij was not found, neither in PATH nor in HOME/.cache/meta-orchestrator
                         hint: install a newer one with `cargo install zellij --locked`, and see that PATH finds it first
    warn  session        not examined: there is no zellij to ask
    ok    processes      the system tells which process is in front of a pane
    ok    configuration  HOME/meta_orchestrator.config.json: 1 agent
    ok    configFolder   HOME can be written to
    ok    logDir         HOME/logs does not exist yet, and can be made and written to
    ok    runtimeFolder  HOME/run/locks does not exist yet, and can be made and written to
    ok    decideBackend  builtin: the built-in rules decide, without a server
    warn  reviewBackend  builtin: there is no model that could write a review
                         hint: name a model server in `reviewBackend` to use `/review`
    warn  agent a        not examined: there is no zellij to ask

    1 failure, 3 warnings
    ");
    assert_eq!(examined.exit_code(), 3);
    let three = Examined {
        checks: [0, 1, 9]
            .map(|at: usize| examined.checks[at].clone())
            .into(),
    };
    let json = three
        .to_json()
        .replace(&home.path().display().to_string(), "HOME");
    insta::assert_snapshot!(json, @r#"
    {
      "version": 1,
      "ok": false,
      "checks": [
        {
          "name": "zellij",
          "about": null,
          "outcome": "bad",
          "found": "zellij was not found, neither in PATH nor in HOME/.cache/meta-orchestrator",
          "hint": "install a newer one with `cargo install zellij --locked`, and see that PATH finds it first"
        },
        {
          "name": "session",
          "about": null,
          "outcome": "warning",
          "found": "not examined: there is no zellij to ask",
          "hint": null
        },
        {
          "name": "agent",
          "about": "a",
          "outcome": "warning",
          "found": "not examined: there is no zellij to ask",
          "hint": null
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn a_zellij_that_is_too_old_is_named_with_its_version() {
    let home = tempfile::tempdir().unwrap();
    let program = home.path().join("zellij");
    std::fs::write(&program, "#!/bin/sh\necho zellij 0.43.1\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let examined = examine(examination(
        home.path(),
        config(home.path(), builtin(), &[]),
    ))
    .await;
    let found = "zellij is version 0.43.1, and 0.44.0 or newer is needed";
    expect(&examined, "zellij", OUTSIDE, found, "cargo install zellij");
}

#[tokio::test]
async fn sessions_are_found_as_the_supervisor_finds_them() {
    let test = TestZellij::start();
    let home = test.home();
    let by_default = || config(home, builtin(), &[agent("a", 0)]);

    let examined = examine(in_session(&test, by_default())).await;
    expect(&examined, "session test", GOOD, "the only one there is", "");

    let mut of = in_session(&test, by_default());
    of.session = Some("nope".parse().unwrap());
    let examined = examine(of).await;
    expect(
        &examined,
        "session nope",
        OUTSIDE,
        "`nope` does not exist; alive is `test`",
        "zellij attach --create-background NAME",
    );
    expect(&examined, "agent a", WARNING, "not examined", "");
    assert_eq!(examined.exit_code(), 3);

    let zellij = test.zellij(PATIENCE).await;
    let other: SessionName = "other".parse().unwrap();
    zellij.start_session(&other).await.unwrap();
    let examined = examine(in_session(&test, by_default())).await;
    let session = check(&examined, "session", None);
    assert_eq!(session.outcome, OURS);
    assert!(session.found.contains("it is not clear"), "{session:?}");
    assert!(session.found.contains("`other`"), "{session:?}");
    expect(&examined, "agent a", WARNING, "it is not known", "");

    let own = [agent("a", "other:0"), agent("b", "gone:1")];
    let examined = examine(in_session(&test, config(home, builtin(), &own))).await;
    expect(&examined, "session other", GOOD, "named by an agent", "");
    expect(&examined, "session gone", OUTSIDE, "does not exist", "");
    expect(&examined, "agent a", WARNING, "a shell (`bash`)", "");
    let named = examined
        .checks
        .iter()
        .filter(|check| check.name == "session");
    assert_eq!(named.count(), 2, "nobody needs another one");

    let mut spare = [agent("a", "other:0"), agent("b", "gone:1")];
    spare[1]["enabled"] = json!(false);
    let examined = examine(in_session(&test, config(home, builtin(), &spare))).await;
    expect(&examined, "session gone", WARNING, "does not exist", "");
    expect(&examined, "agent b", WARNING, "disabled; not examined", "");
    assert_eq!(examined.exit_code(), 0);

    let mut of = in_session(&test, by_default());
    of.environment = of
        .environment
        .set("ZELLIJ_SESSION_NAME", "other")
        .set("ZELLIJ_PANE_ID", "7");
    let examined = examine(of).await;
    expect(
        &examined,
        "session other",
        GOOD,
        "the one that this runs in",
        "",
    );
    zellij.end_session(&other).await.unwrap();
    test.kill_session();
    let examined = examine(in_session(&test, config(home, builtin(), &[]))).await;
    let session = check(&examined, "session", None);
    assert_eq!(session.outcome, OUTSIDE);
    assert_eq!(session.found, "no zellij session is alive");
}

#[tokio::test]
async fn a_session_that_does_not_answer_costs_its_deadline() {
    let test = TestZellij::start();
    let mut all = builtin();
    all["timing"] = json!({ "zellijTimeoutSec": 1 });
    all["zellijSession"] = json!("test");
    let config = config(test.home(), all, &[agent("a", 0), agent("b", 1)]);
    test.stop_server();
    let begun = Instant::now();
    let examined = examine(in_session(&test, config)).await;
    let took = begun.elapsed();
    test.continue_server();
    expect(
        &examined,
        "session test",
        OUTSIDE,
        "zellij did not answer within 1 s",
        "a wedged server must be ended",
    );
    expect(&examined, "agent b", WARNING, "was not reached", "");
    assert!(took < AT_MOST / 3, "{took:?}");
    assert_eq!(examined.exit_code(), 3);
}

#[tokio::test]
async fn each_agents_pane_is_looked_at() {
    let test = TestZellij::start_sized(200, 60);
    let home = test.home();
    let agent_pane = sleeping(&test).await;
    // A number that a plugin has too, and no terminal any more.
    let freed = test.open_pane(&["cat"]);
    let ended = test.open_pane(&["bash", "-c", "exit 3"]);
    let own = test.open_pane(&["cat"]);
    let gone = test.open_pane(&["cat"]);
    in_front(&test, &test.pane(0), "bash").await;
    for pane in [&freed, &gone] {
        test.action(&["close-pane", "--pane-id", &pane.pane.to_string()]);
    }
    let zellij = test.zellij(PATIENCE).await;
    let panes = wait_until(PATIENCE, "panes gone and ended", || async {
        let panes = zellij.panes(test.session(), Duration::ZERO).await.ok()?;
        let closed = [&freed, &gone].map(|pane| panes.find(pane.pane).is_none());
        let is_over = panes.find(ended.pane)?.exited && closed == [true; 2];
        is_over.then_some(panes)
    })
    .await;
    let plugin = freed.pane;
    let mut plugins = panes.plugins().iter();
    assert!(plugins.any(|found| found.number == plugin.number()));

    let mut shell_allowed = agent("allowed", "test:0");
    shell_allowed["allowShell"] = json!(true);
    let mut disabled = agent("disabled", "test:4711");
    disabled["enabled"] = json!(false);
    let agents = [
        agent("works", agent_pane.pane),
        agent("twice", &agent_pane),
        agent("gone", gone.pane),
        agent("plugin", plugin),
        agent("own", own.pane),
        agent("shell", 0),
        agent("ended", ended.pane),
        disabled,
    ];
    let mut of = in_session(&test, config(home, builtin(), &agents));
    of.environment = of
        .environment
        .set("ZELLIJ_SESSION_NAME", "test")
        .set("ZELLIJ_PANE_ID", own.pane.number().to_string());
    let examined = examine(of).await;
    let gone_says = format!("the session has no pane {gone}");
    let front = format!("{agent_pane}: `sleep` is in front in {}", home.display());
    for (name, outcome, found, hint) in [
        ("agent works", GOOD, front.as_str(), ""),
        (
            "agent twice",
            OURS,
            "is the pane of `works` too",
            "a pane of its own",
        ),
        ("agent gone", OUTSIDE, &gone_says, "/panes"),
        ("agent plugin", OUTSIDE, "is a plugin's", "/panes"),
        (
            "agent own",
            OURS,
            "the pane that this program runs in",
            "another pane",
        ),
        (
            "agent shell",
            WARNING,
            "a shell (`bash`) is in front",
            "`allowShell`",
        ),
        (
            "agent ended",
            WARNING,
            "has ended (exit status 3)",
            "Enter in that pane",
        ),
        (
            "agent disabled",
            WARNING,
            "disabled; the session has no pane",
            "/panes",
        ),
    ] {
        expect(&examined, name, outcome, found, hint);
    }
    assert_eq!(examined.exit_code(), 1);

    let examined = examine(in_session(&test, config(home, builtin(), &[shell_allowed]))).await;
    expect(&examined, "agent allowed", GOOD, "`bash` is in front", "");
}

#[tokio::test]
async fn text_from_panes_and_servers_is_shown_harmlessly() {
    let test = TestZellij::start();
    let home = test.home();
    let script = home.join("\u{1b}[31mred\u{202e}");
    std::fs::write(&script, "#!/bin/sh\nread line\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let pane = test.open_pane(&[script.to_str().unwrap()]);
    wait_for(PATIENCE, "the script", || {
        let number = json!(pane.pane.number());
        let panes = test.list();
        let listed = panes
            .iter()
            .find(|pane| pane["id"] == number && pane["is_plugin"] == json!(false))?;
        listed["pane_command"].as_str().map(drop)
    });
    let server = server(&["\u{1b}[2Jevil\u{202e}", "plain"]).await;
    let config = config(home, backends(&server), &[agent("a", &pane)]);
    let examined = examine(in_session(&test, config)).await;
    expect(&examined, "agent a", WARNING, "[31mred", "");
    expect(
        &examined,
        "decideBackend",
        WARNING,
        "does not list the model `small`",
        "one of those that it lists: `[2Jevil`, `plain`",
    );
    let shown = examined.to_text() + &examined.to_json();
    assert!(
        !shown.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'),
        "{shown:?}"
    );
}

#[tokio::test]
async fn backends_are_asked_whether_they_answer() {
    let home = tempfile::tempdir().unwrap();
    let server = server(&["small", "m1", "m2", "m3", "m4", "m5"]).await;
    let empty = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "data": [] })))
        .mount(&empty)
        .await;
    let broken = MockServer::start().await;
    let body = json!({ "error": { "message": format!("no, {SECRET}\u{1b}[0m") } });
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(401).set_body_json(body))
        .mount(&broken)
        .await;
    let at = |server: &MockServer| format!("{}/v1", server.uri());
    let keyed = json!({ "type": "openaiCompat", "baseUrl": at(&broken), "apiKey": SECRET });
    let fallback = json!({ "type": "openaiCompat", "baseUrl": NOBODY, "fallback": "builtin" });
    let no_variable = json!({ "type": "openaiCompat", "baseUrl": at(&server), "model": "m1", "apiKeyEnv": "NO_KEY" });
    let cases = [
        (
            json!({ "type": "builtin" }),
            (GOOD, "the built-in rules decide", ""),
            (
                WARNING,
                "no model that could write a review",
                "`reviewBackend`",
            ),
        ),
        (
            json!({ "type": "openaiCompat", "baseUrl": at(&server), "model": "m5" }),
            (GOOD, "answers (without a key) and lists the model `m5`", ""),
            (GOOD, "lists the model `m5`", ""),
        ),
        (
            json!({ "type": "openaiCompat", "baseUrl": at(&server), "model": "x" }),
            (
                WARNING,
                "does not list the model `x`",
                "set `model` in `decideBackend` to one of those that it lists: `small`, `m1`, `m2`, `m3`, `m4` and 1 more",
            ),
            (WARNING, "does not list the model `x`", "`reviewBackend`"),
        ),
        (
            json!({ "type": "openaiCompat", "baseUrl": at(&empty) }),
            (
                WARNING,
                "does not list the model `local-model`",
                "no models at all",
            ),
            (WARNING, "does not list the model", "load one"),
        ),
        (
            json!({ "type": "openaiCompat", "baseUrl": NOBODY }),
            (
                OUTSIDE,
                "no answer from http://127.0.0.1:9",
                "start the model server",
            ),
            (WARNING, "only `/review` needs it", "start the model server"),
        ),
        (
            fallback,
            (
                WARNING,
                "until it answers, the built-in rules decide",
                "start the model server",
            ),
            (WARNING, "only `/review` needs it", ""),
        ),
        (
            keyed,
            (OUTSIDE, "answered 401: no, *** [0m", "apiKeyEnv"),
            (WARNING, "only `/review` needs it", ""),
        ),
        (
            no_variable,
            (
                OUTSIDE,
                "the environment variable NO_KEY is not set",
                "export NO_KEY=...",
            ),
            (
                WARNING,
                "NO_KEY is not set; only `/review` needs it",
                "export NO_KEY=...",
            ),
        ),
        (
            json!({ "type": "gemini", "baseUrl": format!("{}/v1beta", server.uri()), "model": "small" }),
            (OUTSIDE, "GEMINI_API_KEY is not set", "aistudio.google.com"),
            (
                WARNING,
                "GEMINI_API_KEY is not set",
                "export GEMINI_API_KEY=...",
            ),
        ),
    ];
    for (backend, decide, review) in cases {
        let both = json!({ "decideBackend": backend, "reviewBackend": backend });
        let examined = examine(examination(home.path(), config(home.path(), both, &[]))).await;
        for (name, (outcome, found, hint)) in [("decideBackend", decide), ("reviewBackend", review)]
        {
            expect(&examined, name, outcome, found, hint);
        }
        let shown = examined.to_text() + &examined.to_json();
        assert!(!shown.contains(SECRET), "a key is shown: {shown}");
    }
}

#[tokio::test]
async fn a_backend_for_plans_is_asked_like_the_others_and_where_there_is_none_nothing_is_said() {
    let home = tempfile::tempdir().unwrap();
    let server = server(&["small"]).await;
    let at =
        |url: &str, model: &str| json!({ "type": "openaiCompat", "baseUrl": url, "model": model });
    let url = format!("{}/v1", server.uri());
    let examined = |plan: Option<Value>| {
        let mut all = builtin();
        if let Some(plan) = plan {
            all["planBackend"] = plan;
        }
        examine(examination(home.path(), config(home.path(), all, &[])))
    };
    for (backend, outcome, found, hint) in [
        (
            json!({ "type": "builtin" }),
            GOOD,
            "the review backend writes plans",
            "",
        ),
        (at(&url, "small"), GOOD, "lists the model `small`", ""),
        (
            at(&url, "large"),
            WARNING,
            "does not list the model `large`",
            "set `model` in `planBackend` to one of those that it lists: `small`",
        ),
        (
            at(NOBODY, "small"),
            WARNING,
            "only `mission plan` needs it",
            "start the model server",
        ),
    ] {
        expect(
            &examined(Some(backend)).await,
            "planBackend",
            outcome,
            found,
            hint,
        );
    }
    let without = examined(None).await;
    assert!(
        without
            .checks
            .iter()
            .all(|check| check.name != "planBackend")
    );
}

#[tokio::test]
async fn a_configuration_is_missing_wrong_or_open_to_others() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let mut of = examination(home, config(home, builtin(), &[]));
    std::fs::remove_file(&of.config_path).unwrap();
    of.config = Ok(None);
    of.log_dir = Some(home.join("logs"));
    let examined = examine(of).await;
    let written = "`/add` and `/save`";
    expect(
        &examined,
        "configuration",
        WARNING,
        "does not exist: defaults are used",
        written,
    );

    let text = "{\n \"agents\": [],\n \"pollSec\": 5\n}";
    let problem = Config::parse(text).unwrap_err();
    let mut of = examination(home, Config::default());
    of.config = Err(Failure::new(
        Kind::Usage,
        format!("{} is no configuration", of.config_path.display()),
    )
    .because(&problem)
    .hint(problem.hint));
    let examined = examine(of).await;
    expect(
        &examined,
        "configuration",
        OURS,
        "meta_orchestrator.config.json is no configuration: line 3, column 10, at `pollSec`: unknown field `pollSec`",
        "remove the field or correct its name",
    );
    for name in ["logDir", "decideBackend", "reviewBackend"] {
        expect(
            &examined,
            name,
            WARNING,
            "not examined: the configuration is wrong",
            "",
        );
    }
    assert_eq!(examined.exit_code(), 1, "though zellij is missing too");

    let mut with_key = builtin();
    with_key["reviewBackend"]["apiKey"] = json!(SECRET);
    for (mode, outcome, found) in [
        (0o644, WARNING, "holds a key, and others may read it"),
        (0o600, GOOD, "no agents yet"),
    ] {
        let of = examination(home, config(home, with_key.clone(), &[]));
        std::fs::set_permissions(&of.config_path, std::fs::Permissions::from_mode(mode)).unwrap();
        let examined = examine(of).await;
        expect(&examined, "configuration", outcome, found, "");
        assert!(!examined.to_text().contains(SECRET));
    }
}

#[tokio::test]
async fn folders_are_tried_and_left_as_they_were() {
    let home = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    for folder in [&home, &other] {
        std::fs::write(folder.path().join("file"), "x").unwrap();
        std::fs::create_dir(folder.path().join("there")).unwrap();
    }
    let home = home.path();
    for (folder, outcome, found, hint) in [
        ("there", GOOD, "there can be written to", ""),
        ("new/logs", GOOD, "does not exist yet, and can be made", ""),
        ("file", OURS, "could not make the folder", "another folder"),
        (
            "file/logs",
            OURS,
            "could not make the folder",
            "another folder",
        ),
    ] {
        let mut of = examination(home, config(home, builtin(), &[]));
        of.log_dir = Some(home.join(folder));
        of.runtime_folder = other.path().join(folder);
        let before = (names_in(home), names_in(other.path()));
        let examined = examine(of).await;
        expect(&examined, "logDir", outcome, found, hint);
        let hint = if outcome == GOOD {
            ""
        } else {
            "XDG_RUNTIME_DIR"
        };
        expect(&examined, "runtimeFolder", outcome, found, hint);
        expect(&examined, "configFolder", GOOD, "can be written to", "");
        assert_eq!((names_in(home), names_in(other.path())), before, "{folder}");
        assert_eq!(names_in(&home.join("there")), [""; 0].map(PathBuf::from));
    }
}
