//! Reads a plan out of a model's answer: forgiving in the form, never in the meaning. Pure.

use serde_json::{Map, Value, json};

use super::Wish;
use crate::director::verdict::after_thinking;
use crate::mission::plan::Plan;

/// How many brackets are tried as the beginning of a plan.
const ATTEMPTS: usize = 200;
/// Fields that may be left empty, and then are not there.
const MAY_BE_EMPTY: [&str; 4] = ["contract", "folder", "output", "review"];
/// Fields that are not the model's to choose.
const NOT_ITS: [&str; 5] = ["$schema", "goal", "repository", "base", "mayCommit"];

/// The form that is asked for: less than a plan may have, and all of it required, as strict servers want it.
pub(super) fn schema() -> Value {
    let text = json!({ "type": "string" });
    let number = json!({ "type": "integer" });
    let list = |of: &Value| json!({ "type": "array", "items": of });
    let object = |properties: Value| {
        let names: Vec<&String> = properties
            .as_object()
            .map_or_else(Vec::new, |all| all.keys().collect());
        json!({
            "type": "object",
            "required": names,
            "additionalProperties": false,
            "properties": properties,
        })
    };
    let criterion = object(json!({
        "run": text, "folder": text, "timeoutSec": number, "exitCode": number, "output": text,
    }));
    let roles = [
        "explore", "research", "coder", "verifier", "reviewer", "general",
    ];
    let task = object(json!({
        "slug": text, "title": text, "description": text,
        "role": { "type": "string", "enum": roles },
        "dependsOn": list(&text), "paths": list(&text), "exitCriteria": list(&criterion),
        "attempts": number, "timeLimitMin": number,
    }));
    object(json!({
        "contract": text, "setup": list(&text), "maxParallel": number, "tasks": list(&task),
    }))
}

/// The plan in `answer`, for `wish`: plain JSON, JSON in a code fence, with prose around it, after a block of
/// thinking. Goal, repository and base are the wish's.
///
/// # Errors
/// What is wrong with it, in words for whoever wrote it.
pub(super) fn read(answer: &str, wish: &Wish<'_>) -> Result<Plan, String> {
    let mut found = object(after_thinking(answer))?;
    for name in NOT_ITS {
        found.remove(name);
    }
    found.insert("goal".into(), wish.goal.into());
    let mut value = Value::Object(found);
    prune(&mut value);
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    let plan = Plan::read(&text)
        .map_err(|error| format!("error: it is no plan: {error}\n  hint: {}", error.hint))?;
    Ok(Plan {
        repository: wish.repository.clone(),
        base: wish.base.clone(),
        ..plan
    })
}

/// The first JSON object with `tasks`.
fn object(text: &str) -> Result<Map<String, Value>, String> {
    let mut at = 0;
    let mut wrong = None;
    for _ in 0..ATTEMPTS {
        let Some(start) = text[at..].find('{').map(|offset| at + offset) else {
            break;
        };
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Object(found))) => {
                if found.contains_key("tasks") {
                    return Ok(found);
                }
                at = start + values.byte_offset();
            }
            Some(Err(error)) => {
                // the outermost beginning tells most
                wrong.get_or_insert_with(|| error.to_string());
                at = start + 1;
            }
            Some(Ok(_)) | None => at = start + 1,
        }
    }
    let why = wrong.map_or_else(String::new, |wrong| format!(" ({wrong})"));
    Err(format!(
        "error: the answer holds no JSON object with `tasks`{why}\n  hint: answer with one JSON object and nothing else"
    ))
}

/// Takes out what stands for nothing.
fn prune(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                let is_empty = value.as_str().is_some_and(|text| text.trim().is_empty());
                let may_be_empty = MAY_BE_EMPTY.contains(&name.as_str());
                !(value.is_null() || (is_empty && may_be_empty))
            });
            // for a time or a count, 0 is no choice
            fields.retain(|name, value| {
                let is_count = ["timeoutSec", "attempts", "timeLimitMin", "maxParallel"]
                    .contains(&name.as_str());
                !(is_count && value.as_f64() == Some(0.0))
            });
            fields.values_mut().for_each(prune);
        }
        Value::Array(values) => values.iter_mut().for_each(prune),
        _ => {}
    }
}
