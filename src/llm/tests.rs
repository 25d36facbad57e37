//! What both formats have in common: keys, errors as a person reads them, bytes that nobody expected. The
//! harness for their own tests is here too.

use proptest::prelude::*;
use serde_json::json;

use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::error::{Failure, Kind};
use crate::http::{Endpoint, HttpError, Reply};

pub(super) const DEADLINE: Duration = Duration::from_secs(5);
pub(super) const KEY: &str = "sk-0123456789abcdef";

/// A local server that answers as it is told to.
pub(super) struct World {
    pub(super) mock: MockServer,
    pub(super) backend: Arc<dyn Backend>,
}

impl World {
    pub(super) async fn of(kind: BackendType, model: &str) -> Self {
        let mock = MockServer::start().await;
        let config = BackendConfig {
            base_url: Some(format!("{}/v1", mock.uri())),
            model: Some(model.into()),
            api_key: Some(KEY.into()),
            ..BackendConfig::of(kind)
        };
        let backend = backend(&config, &Http::new(2), DEADLINE).unwrap();
        Self { mock, backend }
    }

    /// The next request is answered so; requests beyond the last answer get a 404.
    pub(super) async fn answers(self, status: u16, body: Value) -> Self {
        let response = ResponseTemplate::new(status).set_body_json(body);
        let mock = Mock::given(wiremock::matchers::any()).respond_with(response);
        mock.up_to_n_times(1).mount(&self.mock).await;
        self
    }

    pub(super) async fn ask(&self, prompt: &Prompt) -> Result<Answer, LlmError> {
        self.backend.ask(prompt).await
    }

    /// The bodies that were sent.
    pub(super) async fn bodies(&self) -> Vec<Value> {
        let requests = self.mock.received_requests().await.unwrap();
        let bodies = requests.iter().map(|request| request.body_json().unwrap());
        bodies.collect()
    }
}

pub(super) fn prompt() -> Prompt {
    Prompt {
        system: "You decide.".into(),
        user: "What now?".into(),
        schema: None,
        max_tokens: 300,
        temperature: 0.2,
    }
}

pub(super) fn prompt_with_schema() -> Prompt {
    let schema = json!({
        "type": "object",
        "properties": { "action": { "type": "string" } },
        "required": ["action"],
        "additionalProperties": false,
    });
    Prompt {
        schema: Some(AnswerSchema {
            name: "verdict".into(),
            schema,
        }),
        ..prompt()
    }
}

fn config(text: &str) -> BackendConfig {
    serde_json::from_str(text).unwrap()
}

fn made(text: &str, environment: Environment) -> Result<Arc<dyn Backend>, LlmError> {
    backend_in(&config(text), &Http::new(2), DEADLINE, environment)
}

fn server(text: &str) -> Server {
    let config = config(text);
    Server::new(&config, &Http::new(2), DEADLINE, Key::of(&config, |_| None)).unwrap()
}

pub(super) fn openai_server() -> Server {
    server(r#"{"type":"openaiCompat"}"#)
}

pub(super) fn gemini_server() -> Server {
    server(r#"{"type":"gemini"}"#)
}

pub(super) fn reply(body: impl Into<Vec<u8>>) -> Reply {
    Reply::new(200, body.into(), Vec::new())
}

#[test]
fn a_backend_is_made_from_its_configuration_and_knows_where_it_is() {
    let local = made(r#"{"type":"openaiCompat"}"#, |_| None).unwrap();
    assert_eq!(local.name(), "openaiCompat");
    assert_eq!(local.server(), "http://127.0.0.1:11211");
    assert_eq!((local.model(), local.is_local()), ("local-model", true));
    let google = made(r#"{"type":"gemini"}"#, |_| None).unwrap();
    assert_eq!(google.name(), "gemini");
    assert_eq!(google.server(), "https://generativelanguage.googleapis.com");
    assert_eq!(
        (google.model(), google.is_local()),
        ("gemini-2.5-pro", false)
    );
    let none = made(r#"{"type":"builtin"}"#, |_| None).unwrap_err();
    assert_eq!(none, LlmError::NoServer);
    let wrong = made(
        r#"{"type":"gemini","baseUrl":"https://a/?key=SECRET"}"#,
        |_| None,
    );
    let shown = Failure::from(wrong.unwrap_err()).to_string();
    assert!(
        shown.contains("`https://a/`") && !shown.contains("SECRET"),
        "{shown}"
    );
}

#[test]
fn a_key_is_taken_from_the_configuration_then_from_the_variable() {
    use secrecy::ExposeSecret;
    let read = |text: &str, environment: Environment| {
        let key = Key::of(&config(text), environment).read();
        key.map(|key| key.map(|key| key.expose_secret().to_owned()))
    };
    let some = |key: &str| Ok(Some(key.to_owned()));
    let env: Environment = |name| match name {
        "GEMINI_API_KEY" => Some("g\n".into()),
        "MINE" => Some("m".into()),
        "BLANK" => Some(" ".into()),
        _ => None,
    };
    assert_eq!(read(r#"{"type":"openaiCompat"}"#, env), Ok(None));
    assert_eq!(
        read(r#"{"type":"openaiCompat","apiKey":""}"#, env),
        Ok(None)
    );
    assert_eq!(
        read(
            r#"{"type":"openaiCompat","apiKey":"a","apiKeyEnv":"MINE"}"#,
            env
        ),
        some("a")
    );
    assert_eq!(
        read(r#"{"type":"openaiCompat","apiKeyEnv":"MINE"}"#, env),
        some("m")
    );
    assert_eq!(read(r#"{"type":"gemini"}"#, env), some("g"));
    assert_eq!(
        read(r#"{"type":"gemini"}"#, |_| None),
        Err("GEMINI_API_KEY".into())
    );
    assert_eq!(
        read(r#"{"type":"openaiCompat","apiKeyEnv":"BLANK"}"#, env),
        Err("BLANK".into())
    );
}

#[tokio::test]
async fn without_its_key_gemini_is_not_asked_and_the_variable_is_named() {
    let gemini = made(
        r#"{"type":"gemini","baseUrl":"http://127.0.0.1:9"}"#,
        |_| None,
    )
    .unwrap();
    let error = gemini.ask(&prompt()).await.unwrap_err();
    assert_eq!(gemini.check().await.unwrap_err(), error);
    assert!(!error.is_transient());
    let failure = Failure::from(error);
    assert_eq!(failure.kind, Kind::Missing);
    insta::assert_snapshot!(failure, @r"
    could not ask `gemini-2.5-pro`: the environment variable GEMINI_API_KEY, which holds the key, is not set
      hint: export GEMINI_API_KEY=... (keys are made at https://aistudio.google.com/apikey)
    ");
}

#[test]
fn each_error_says_what_to_do_next() {
    let failure = |text: &str, source: HttpError| {
        let error = server(text).failed(source);
        Failure::from(error).to_string()
    };
    let status = |code, excerpt: &str| HttpError::Status {
        server: "http://127.0.0.1:11211".into(),
        code,
        excerpt: excerpt.into(),
        retry_after: None,
    };
    let local = r#"{"type":"openaiCompat"}"#;
    let unreachable = HttpError::Unreachable {
        server: "http://127.0.0.1:11211".into(),
        why: "Connection refused (os error 111)".into(),
    };
    insta::assert_snapshot!(failure(local, unreachable), @r"
    could not ask `local-model`
      because: no answer from http://127.0.0.1:11211: Connection refused (os error 111)
      hint: start the model server: `lms server start` or the Developer tab of LM Studio, `ollama serve`, `llama-server`; and check the port in the backend's `baseUrl`
    ");
    insta::assert_snapshot!(failure(local, status(404, "model not found")), @r"
    could not ask `local-model`
      because: http://127.0.0.1:11211 answered 404: model not found
      hint: check the backend's `baseUrl` and `model`; `doctor` lists the models of http://127.0.0.1:11211
    ");
    insta::assert_snapshot!(failure(local, status(307, "")), @r"
    could not ask `local-model`
      because: http://127.0.0.1:11211 answered 307
      hint: use the address that the server redirects to
    ");
    let cases = [
        (
            local,
            status(401, "no"),
            "name the variable that holds the key in `apiKeyEnv`",
        ),
        (
            r#"{"type":"openaiCompat","apiKeyEnv":"MINE"}"#,
            status(403, "no"),
            "export MINE=...",
        ),
        (
            r#"{"type":"gemini"}"#,
            status(400, "API key not valid."),
            "export GEMINI_API_KEY=...",
        ),
        (local, status(429, "quota"), "is used up"),
        (
            local,
            HttpError::TimedOut {
                server: "s".into(),
                after: DEADLINE,
            },
            "`timeoutSec`",
        ),
        (
            local,
            HttpError::Crowded {
                server: "s".into(),
                after: DEADLINE,
            },
            "`limits.callsAtOnce`",
        ),
        (
            local,
            HttpError::Setup {
                why: "no roots".into(),
            },
            "ca-certificates",
        ),
    ];
    for (text, source, hint) in cases {
        let shown = failure(text, source);
        assert!(
            shown.contains("\n  hint: ") && shown.contains(hint),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_key_does_not_get_it_shown() {
    let said = format!("your headers: {{authorization: Bearer {KEY}}}");
    for (status, body) in [
        (400, json!({ "error": { "message": said } })),
        (200, json!({ "error": { "message": said } })),
        (200, json!({ "headers": said })),
        (
            200,
            json!({ "choices": [{ "message": { "content": null, "refusal": said } }] }),
        ),
        (200, json!({ "promptFeedback": { "blockReason": said } })),
    ] {
        for kind in [BackendType::OpenaiCompat, BackendType::Gemini] {
            let world = World::of(kind, "m")
                .await
                .answers(status, body.clone())
                .await;
            let error = world.ask(&prompt()).await.unwrap_err();
            let debug = format!("{error:?} {:?}", world.backend);
            let shown = format!("{debug} {}", Failure::from(error));
            assert!(!shown.contains(KEY), "{shown}");
        }
    }
}

#[tokio::test]
async fn the_key_goes_into_one_header_and_nowhere_else() {
    for (kind, header, value) in [
        (
            BackendType::OpenaiCompat,
            "authorization",
            format!("Bearer {KEY}"),
        ),
        (BackendType::Gemini, "x-goog-api-key", KEY.to_owned()),
    ] {
        let world = World::of(kind, "m").await;
        let _ = world.ask(&prompt_with_schema()).await;
        let _ = world.backend.check().await;
        let requests = world.mock.received_requests().await.unwrap();
        assert_eq!(requests.len(), 2);
        for request in requests {
            assert!(!request.url.as_str().contains(KEY));
            assert!(!String::from_utf8_lossy(&request.body).contains(KEY));
            let holding = request
                .headers
                .iter()
                .filter(|(_, value)| String::from_utf8_lossy(value.as_bytes()).contains(KEY));
            let holding: Vec<_> = holding.map(|(name, _)| name.as_str()).collect();
            assert_eq!(holding, [header]);
            assert_eq!(request.headers[header], value);
        }
    }
}

#[tokio::test]
async fn a_server_that_fails_is_transient_and_a_wrong_request_is_not() {
    let cases = [
        (400, false),
        (401, false),
        (404, false),
        (501, true),
        (505, true),
    ];
    for (status, transient) in cases {
        for kind in [BackendType::OpenaiCompat, BackendType::Gemini] {
            let world = World::of(kind, "m").await.answers(status, json!({})).await;
            let error = world.ask(&prompt()).await.unwrap_err();
            assert_eq!(error.is_transient(), transient, "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_stumbles_once_is_asked_again() {
    let good = json!({ "choices": [{ "message": { "content": "a" } }] });
    let world = World::of(BackendType::OpenaiCompat, "m").await;
    let world = world.answers(503, json!({})).await.answers(200, good).await;
    let answer = world.ask(&prompt()).await.unwrap();
    assert_eq!((&*answer.text, world.bodies().await.len()), ("a", 2));
    assert!(answer.elapsed >= Duration::from_millis(500));
}

#[test]
fn a_health_names_some_models_and_counts_all() {
    let names = (0..200).map(|number| format!("m{number}"));
    let health = Health::new(true, "m199", names);
    assert_eq!(
        (health.models.len(), health.models_in_all),
        (MODELS_SHOWN, 200)
    );
    assert!(health.model_listed);
}

#[test]
fn usage_that_cannot_be_true_is_not_believed() {
    let reported = |input, output| Usage::reported(Some(input), Some(output));
    assert!(reported(10, 0).is_some());
    assert_eq!(reported(0, 5), None);
    assert_eq!(reported(u64::MAX, 5), None);
    assert_eq!(reported(5, u64::MAX), None);
    let estimated = Usage::estimated(&prompt(), 9);
    assert_eq!(
        (estimated.input, estimated.output, estimated.reported),
        (5, 3, false)
    );
}

/// JSON that is nearly an answer: the right names with anything below them.
fn nearly() -> impl Strategy<Value = Value> {
    let names = [
        "choices",
        "message",
        "content",
        "usage",
        "prompt_tokens",
        "finish_reason",
        "text",
        "type",
        "refusal",
        "reasoning_content",
        "candidates",
        "parts",
        "thought",
        "error",
        "promptFeedback",
        "blockReason",
        "usageMetadata",
        "promptTokenCount",
        "details",
        "retryDelay",
        "model",
        "finishReason",
        "completion_tokens",
        "thoughtsTokenCount",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        Just(json!("9e99s")),
        Just(json!("-1s")),
    ];
    leaf.prop_recursive(6, 64, 4, move |inner| {
        let name = proptest::sample::select(names.to_vec());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(name, inner, 0..6).prop_map(|map| map
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_that_a_server_sends_panic_the_program(body: Vec<u8>) {
        let _ = openai_compat::read(&openai_server(), &prompt(), &reply(body.clone()));
        let _ = gemini::read(&gemini_server(), &prompt(), &reply(body.clone()));
        let _ = gemini::retry_delay(&body);
    }

    #[test]
    fn no_json_that_a_server_sends_panics_the_program(body in nearly()) {
        let wrapped = json!({
            "choices": [{ "message": body }], "usage": body, "candidates": [{ "content": body }],
        });
        for body in [body.to_string(), wrapped.to_string()] {
            let _ = openai_compat::read(&openai_server(), &prompt(), &reply(body.as_str()));
            let _ = gemini::read(&gemini_server(), &prompt(), &reply(body.as_str()));
            let _ = gemini::retry_delay(body.as_bytes());
        }
    }
}

#[test]
fn deep_json_is_no_answer_and_no_crash() {
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let error = openai_compat::read(&openai_server(), &prompt(), &reply(deep)).unwrap_err();
    assert!(matches!(error, LlmError::Garbage { .. }));
}

#[test]
fn the_endpoint_of_the_defaults_is_valid() {
    for url in [
        crate::config::DEFAULT_OPENAI_URL,
        crate::config::DEFAULT_GEMINI_URL,
    ] {
        Endpoint::parse(url).unwrap();
    }
}
