//! The format of OpenAI against a local server.

use serde_json::json;

use super::super::tests::{World, openai_server, prompt, prompt_with_schema, reply};
use super::*;

async fn world() -> World {
    World::of(BackendType::OpenaiCompat, "local-model").await
}

fn answer(text: &str) -> Value {
    json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "qwen3-4b",
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": text },
            "finish_reason": "stop",
        }],
        "usage": { "prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15 },
    })
}

fn refusal(message: &str) -> Value {
    json!({ "error": { "message": message, "type": "invalid_request_error" } })
}

#[tokio::test]
async fn a_question_is_put_and_its_answer_read() {
    let world = world().await.answers(200, answer("hold")).await;
    let answer = world.ask(&prompt_with_schema()).await.unwrap();
    assert_eq!((&*answer.text, &*answer.model), ("hold", "qwen3-4b"));
    let usage = Usage {
        input: 12,
        output: 3,
        reported: true,
    };
    assert_eq!((answer.usage, answer.finish), (usage, Finish::Complete));
    let requests = world.mock.received_requests().await.unwrap();
    assert_eq!(requests[0].url.path(), "/v1/chat/completions");
    insta::assert_snapshot!(world.bodies().await[0], @r#"{"max_tokens":300,"messages":[{"content":"You decide.","role":"system"},{"content":"What now?","role":"user"}],"model":"local-model","response_format":{"json_schema":{"name":"verdict","schema":{"additionalProperties":false,"properties":{"action":{"type":"string"}},"required":["action"],"type":"object"},"strict":true},"type":"json_schema"},"stream":false,"temperature":0.2}"#);
}

#[tokio::test]
async fn a_refused_schema_is_left_out_once_and_for_all() {
    for said in [
        "This model does not support response format `json_schema`.",
        "Unrecognized request argument supplied: response_format",
        "bad request",
    ] {
        let world = world().await.answers(400, refusal(said)).await;
        let world = world.answers(200, answer("a")).await;
        assert_eq!(world.ask(&prompt_with_schema()).await.unwrap().text, "a");
        let world = world.answers(200, answer("b")).await;
        assert_eq!(world.ask(&prompt_with_schema()).await.unwrap().text, "b");
        let sent = world.bodies().await;
        let with = sent
            .iter()
            .map(|body| body.get("response_format").is_some());
        assert_eq!(with.collect::<Vec<_>>(), [true, false, false]);
    }
}

#[tokio::test]
async fn a_refusal_that_had_another_reason_costs_the_schema_nothing() {
    let too_long = refusal("the prompt is longer than the context");
    let world = world().await.answers(400, too_long.clone()).await;
    let world = world.answers(400, too_long).await;
    let error = world.ask(&prompt_with_schema()).await.unwrap_err();
    assert!(matches!(
        error,
        LlmError::Http {
            source: HttpError::Status { code: 400, .. },
            ..
        }
    ));
    let world = world.answers(200, answer("a")).await;
    world.ask(&prompt_with_schema()).await.unwrap();
    assert!(world.bodies().await[2].get("response_format").is_some());
}

#[tokio::test]
async fn a_model_that_wants_other_fields_gets_them() {
    let max = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    let temperature = "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.";
    let world = world().await.answers(400, refusal(max)).await;
    let world = world.answers(400, refusal(temperature)).await;
    let world = world.answers(200, answer("a")).await;
    world.ask(&prompt_with_schema()).await.unwrap();
    let world = world.answers(200, answer("b")).await;
    world.ask(&prompt_with_schema()).await.unwrap();
    let sent = world.bodies().await;
    assert_eq!(sent.len(), 4);
    for body in &sent[2..] {
        assert_eq!(body["max_completion_tokens"], 300 + THINKING_ROOM);
        assert!(body.get("max_tokens").is_none() && body.get("temperature").is_none());
        assert!(body.get("response_format").is_some());
    }
}

#[tokio::test]
async fn a_server_that_refuses_everything_is_asked_four_times_at_most() {
    let mut world = world().await;
    for _ in 0..10 {
        world = world
            .answers(400, refusal("max_completion_tokens temperature"))
            .await;
    }
    world.ask(&prompt_with_schema()).await.unwrap_err();
    assert_eq!(world.bodies().await.len(), 4);
}

#[test]
fn answers_are_read_in_every_form_that_servers_give_them() {
    let read = |message: Value, finish: &str| {
        let body = json!({ "choices": [{ "message": message, "finish_reason": finish }] });
        let server = openai_server();
        read(&server, &prompt(), &reply(body.to_string()))
    };
    let text = |message: Value| read(message, "stop").unwrap().text;
    assert_eq!(text(json!({ "content": "a" })), "a");
    assert_eq!(text(json!({ "content": "" })), "");
    assert_eq!(
        text(json!({ "content": null, "reasoning_content": "hm" })),
        ""
    );
    assert_eq!(text(json!({ "reasoning_content": "hm" })), "");
    assert_eq!(
        text(json!({ "content": "a", "reasoning_content": "hm" })),
        "a"
    );
    let parts = json!([
        { "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }], "text": "hm" },
        { "type": "text", "text": "a" },
        { "text": "b" },
        { "type": "text", "text": 1 },
        7,
    ]);
    assert_eq!(text(json!({ "content": parts })), "ab");
    let cut = read(json!({ "content": null }), "length").unwrap();
    assert_eq!((&*cut.text, cut.finish), ("", Finish::Length));
    for held_back in [
        read(json!({ "content": null, "refusal": "I cannot" }), "stop"),
        read(json!({ "refusal": "I cannot" }), "stop"),
        read(json!({ "content": "half" }), "content_filter"),
    ] {
        assert!(
            matches!(held_back, Err(LlmError::Blocked { .. })),
            "{held_back:?}"
        );
    }
}

#[test]
fn what_is_no_answer_is_refused_clearly() {
    let cases = [
        ("", "it is no JSON"),
        ("<html>LM Studio</html>", "it is no JSON"),
        ("{}", "it has no choices"),
        ("[]", "it has no choices"),
        (r#"{"choices":[]}"#, "it has no choices"),
        (r#"{"choices":[{}]}"#, "its choice has no message"),
        (
            r#"{"choices":[{"message":"a"}]}"#,
            "its choice has no message",
        ),
        (
            r#"{"choices":[{"message":{}}]}"#,
            "its message has no content",
        ),
        (
            r#"{"choices":[{"message":{"content":7}}]}"#,
            "its message has no content",
        ),
        (
            r#"{"error":"Unexpected endpoint or method. (POST /chat/completions)"}"#,
            "did not pass the question on to `local-model`: Unexpected endpoint",
        ),
    ];
    for (body, problem) in cases {
        let error = read(&openai_server(), &prompt(), &reply(body)).unwrap_err();
        assert!(error.to_string().contains(problem), "{body}: {error}");
    }
}

#[test]
fn usage_is_estimated_where_none_is_reported() {
    let usage = |usage: Value| {
        let message = json!({ "content": "12345678", "reasoning_content": "1234" });
        let body = json!({ "choices": [{ "message": message }], "usage": usage });
        let server = openai_server();
        read(&server, &prompt(), &reply(body.to_string()))
            .unwrap()
            .usage
    };
    let estimated = Usage {
        input: 5,
        output: 3,
        reported: false,
    };
    for nothing in [
        json!(null),
        json!({}),
        json!({ "prompt_tokens": -4, "completion_tokens": "3" }),
        json!({ "prompt_tokens": 0, "completion_tokens": 0 }),
    ] {
        assert_eq!(usage(nothing), estimated);
    }
    assert!(usage(json!({ "prompt_tokens": 7, "completion_tokens": 0 })).reported);
}

#[tokio::test]
async fn a_check_tells_whether_the_model_is_there() {
    let list = json!({ "object": "list", "data": [{ "id": "a" }, { "id": "local-model" }, {}] });
    let world = world().await.answers(200, list).await;
    let health = world.backend.check().await.unwrap();
    assert!(health.model_listed && health.has_key);
    assert_eq!(health.models, ["a", "local-model"]);
    let requests = world.mock.received_requests().await.unwrap();
    assert_eq!(requests[0].url.path(), "/v1/models");
    let world = world.answers(200, json!({ "models": 3 })).await;
    let error = world.backend.check().await.unwrap_err().to_string();
    assert!(error.contains("it lists no models"), "{error}");
}
