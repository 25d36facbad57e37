//! Google's format against a local server.

use serde_json::json;

use super::super::tests::{World, gemini_server, prompt, prompt_with_schema, reply};
use super::*;

async fn world() -> World {
    World::of(BackendType::Gemini, "gemini-2.5-pro").await
}

fn answer(parts: &Value, finish: &str) -> Value {
    json!({
        "candidates": [{
            "content": { "role": "model", "parts": parts },
            "finishReason": finish,
            "index": 0,
        }],
        "usageMetadata": {
            "promptTokenCount": 12,
            "candidatesTokenCount": 3,
            "thoughtsTokenCount": 40,
            "totalTokenCount": 55,
        },
        "modelVersion": "gemini-2.5-pro-001",
    })
}

fn refusal(code: u16, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message, "status": "INVALID_ARGUMENT" } })
}

#[tokio::test]
async fn a_question_is_put_and_its_answer_read() {
    let parts = json!([{ "text": "hm", "thought": true }, { "text": "ho" }, { "text": "ld" }]);
    let world = world().await.answers(200, answer(&parts, "STOP")).await;
    let answer = world.ask(&prompt_with_schema()).await.unwrap();
    assert_eq!(
        (&*answer.text, &*answer.model),
        ("hold", "gemini-2.5-pro-001")
    );
    let usage = Usage {
        input: 12,
        output: 43,
        reported: true,
    };
    assert_eq!((answer.usage, answer.finish), (usage, Finish::Complete));
    let requests = world.mock.received_requests().await.unwrap();
    assert_eq!(
        requests[0].url.path(),
        "/v1/models/gemini-2.5-pro:generateContent"
    );
    assert_eq!(requests[0].url.query(), None);
    insta::assert_snapshot!(world.bodies().await[0], @r#"{"contents":[{"parts":[{"text":"What now?"}],"role":"user"}],"generationConfig":{"maxOutputTokens":8492,"responseJsonSchema":{"additionalProperties":false,"properties":{"action":{"type":"string"}},"required":["action"],"type":"object"},"responseMimeType":"application/json","temperature":0.2},"systemInstruction":{"parts":[{"text":"You decide."}]}}"#);
}

#[tokio::test]
async fn a_refused_schema_is_left_out_and_a_wrong_key_is_not_mistaken_for_one() {
    let said = "Invalid JSON payload received. Unknown name \"responseJsonSchema\" at 'generation_config': Cannot find field.";
    let good = answer(&json!([{ "text": "a" }]), "STOP");
    let world = world().await.answers(400, refusal(400, said)).await;
    let world = world
        .answers(200, good.clone())
        .await
        .answers(200, good)
        .await;
    world.ask(&prompt_with_schema()).await.unwrap();
    world.ask(&prompt_with_schema()).await.unwrap();
    let sent = world.bodies().await;
    let with = sent
        .iter()
        .map(|body| body["generationConfig"].get("responseMimeType").is_some());
    assert_eq!(with.collect::<Vec<_>>(), [true, false, false]);

    let wrong = refusal(400, "API key not valid. Please pass a valid API key.");
    let world = self::world().await.answers(400, wrong).await;
    world.ask(&prompt_with_schema()).await.unwrap_err();
    assert_eq!(world.bodies().await.len(), 1);
}

#[test]
fn what_was_held_back_is_an_error_that_knows_its_cost() {
    let blocked = json!({
        "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" },
        "usageMetadata": { "promptTokenCount": 12 },
    });
    let cases = [
        (blocked, "PROHIBITED_CONTENT", 12),
        (answer(&json!([{ "text": "half" }]), "SAFETY"), "SAFETY", 55),
        (answer(&json!([]), "RECITATION"), "RECITATION", 55),
    ];
    for (body, reason, tokens) in cases {
        let error = read(&gemini_server(), &prompt(), &reply(body.to_string())).unwrap_err();
        assert!(error.to_string().ends_with(reason), "{error}");
        let usage = error.usage();
        assert_eq!(usage.input + usage.output, tokens);
        assert!(!error.is_transient());
    }
}

#[test]
fn thinking_that_used_the_bound_up_is_an_empty_cut_answer() {
    let body = json!({
        "candidates": [{ "content": { "role": "model" }, "finishReason": "MAX_TOKENS" }],
        "usageMetadata": { "promptTokenCount": 12, "thoughtsTokenCount": 400 },
    });
    let answer = read(&gemini_server(), &prompt(), &reply(body.to_string())).unwrap();
    assert_eq!((&*answer.text, answer.finish), ("", Finish::Length));
    assert_eq!((answer.usage.output, answer.usage.reported), (400, true));
    assert_eq!(answer.model, "gemini-2.5-pro");
}

#[test]
fn what_is_no_answer_is_refused_clearly() {
    let cases = [
        ("oops", "it is no JSON"),
        ("{}", "it has no candidates"),
        (r#"{"candidates":[]}"#, "it has no candidates"),
        (r#"{"candidates":[{}]}"#, "its candidate has no content"),
        (
            r#"{"error":{"message":"no"}}"#,
            "did not pass the question on",
        ),
    ];
    for (body, problem) in cases {
        let error = read(&gemini_server(), &prompt(), &reply(body)).unwrap_err();
        assert!(error.to_string().contains(problem), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_quota_that_is_used_up_says_for_how_long() {
    let body = json!({ "error": {
        "code": 429,
        "message": "You exceeded your current quota.",
        "details": [
            { "@type": "type.googleapis.com/google.rpc.Help" },
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "22.5s" },
        ],
    } });
    let world = world().await.answers(429, body).await;
    let error = world.ask(&prompt()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_millis(22_500)));
    assert!(error.is_transient());
    // The pause is longer than the deadline: nothing is sent until it is over.
    world.ask(&prompt()).await.unwrap_err();
    assert_eq!(world.bodies().await.len(), 1);
}

#[test]
fn a_model_is_found_by_either_of_its_names() {
    assert_eq!(path("gemini-2.5-pro"), "models/gemini-2.5-pro");
    assert_eq!(path("models/gemini-2.5-pro"), "models/gemini-2.5-pro");
    assert_eq!(path("tunedModels/mine"), "tunedModels/mine");
}

#[tokio::test]
async fn a_check_tells_whether_the_model_is_there() {
    let list = json!({ "models": [
        { "name": "models/gemini-2.5-flash" },
        { "name": "models/gemini-2.5-pro" },
    ] });
    let world = world().await.answers(200, list).await;
    let health = world.backend.check().await.unwrap();
    assert!(health.model_listed && health.has_key);
    assert_eq!(health.models, ["gemini-2.5-flash", "gemini-2.5-pro"]);
    let requests = world.mock.received_requests().await.unwrap();
    assert_eq!(requests[0].url.path(), "/v1/models");
    assert_eq!(requests[0].url.query(), Some("pageSize=1000"));
}
