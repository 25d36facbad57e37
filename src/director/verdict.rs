//! Reads a verdict out of a model's answer: pure, forgiving in the form, never in the meaning.

use serde::Deserialize;
use serde_json::Value;

use crate::record::{Action, Verdict};
use crate::screen::quote;

/// An answer as it stands in the text; [`schema`] is what is asked for.
#[derive(Debug, Deserialize)]
struct Answer {
    /// What to do.
    action: String,
    /// One sentence that names what on the screen it rests on.
    #[serde(default)]
    reasoning: Option<String>,
    /// The instruction or the question; empty for `continue`.
    #[serde(default)]
    text: Option<String>,
    /// The line of the screen that it rests on.
    #[serde(default)]
    quote: Option<String>,
}

/// Why an answer is no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoVerdict {
    /// There is no JSON object with an `action` in it.
    #[error("the answer holds no verdict")]
    NotFound,
    /// The action is none of the three.
    #[error("the answer names an unknown action, `{0}`")]
    UnknownAction(String),
    /// There are two, and they differ.
    #[error("the answer holds several verdicts that differ")]
    Several,
    /// There is nothing to type, or to ask.
    #[error("the answer says `{0}` without a text")]
    NoText(Action),
}

/// Why a quotation shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misquote {
    /// There is none.
    #[error("the answer quotes no line of the screen")]
    Nothing,
    /// It is made up.
    #[error("what the answer quotes is not on the screen: `{0}`")]
    NotThere(String),
}

/// The longest text and reasoning that are kept, in characters.
const LONGEST: usize = 4_000;
/// The longest quotation that is kept, in characters; what is longer is cut.
const LONGEST_QUOTE: usize = 400;

/// The JSON schema of an answer.
pub fn schema() -> Value {
    let field = |text: &str| serde_json::json!({ "type": "string", "description": text });
    serde_json::json!({
        "type": "object",
        "properties": {
            "action": { "type": "string", "enum": ["continue", "instruct", "ask_user"] },
            "reasoning": field("one sentence that names what on the screen it rests on"),
            "text": field("the instruction or the question; empty for continue"),
            "quote": field("the one line of the screen that it rests on, copied exactly"),
        },
        "required": ["action", "reasoning", "text", "quote"],
        "additionalProperties": false,
    })
}

/// Reads the verdict in `answer`: plain JSON, JSON in a code fence, with prose around it, after a block of
/// thinking.
///
/// # Errors
/// When there is none, two that differ, one with an unknown action, or one that lacks its text.
pub fn parse(answer: &str) -> Result<Verdict, NoVerdict> {
    let mut found: Option<Result<Verdict, NoVerdict>> = None;
    for wire in objects(after_thinking(answer)) {
        let verdict = read(wire);
        match &found {
            Some(earlier) if *earlier != verdict => return Err(NoVerdict::Several),
            _ => found = Some(verdict),
        }
    }
    found.unwrap_or(Err(NoVerdict::NotFound))
}

/// What stands after the last closed block of thinking; models quote drafts of their answer inside.
pub fn after_thinking(answer: &str) -> &str {
    let ends = ["</think>", "</thinking>", "</thought>", "</reasoning>"];
    let end = ends
        .iter()
        .filter_map(|end| answer.rfind(end).map(|at| at + end.len()))
        .max();
    end.map_or(answer, |at| &answer[at..])
}

/// Every JSON object with an `action`, outermost first, from left to right.
fn objects(text: &str) -> Vec<Answer> {
    /// Bounds the work on an answer that is nothing but brackets.
    const ATTEMPTS: usize = 200;
    let mut found = Vec::new();
    let mut at = 0;
    for _ in 0..ATTEMPTS {
        let Some(start) = text[at..].find('{').map(|offset| at + offset) else {
            break;
        };
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Answer>();
        if let Some(Ok(answer)) = values.next() {
            found.push(answer);
            at = start + values.byte_offset();
        } else {
            at = start + 1;
        }
    }
    found
}

fn read(answer: Answer) -> Result<Verdict, NoVerdict> {
    let bounded = |text: Option<String>, longest: usize| {
        text.unwrap_or_default()
            .trim()
            .chars()
            .take(longest)
            .collect::<String>()
    };
    let action = match answer.action.trim().to_ascii_lowercase().as_str() {
        "continue" => Action::Continue,
        "instruct" => Action::Instruct,
        "ask_user" | "ask-user" | "ask user" | "askuser" => Action::AskUser,
        _ => {
            let shown = answer
                .action
                .chars()
                .take(40)
                .flat_map(char::escape_debug)
                .collect();
            return Err(NoVerdict::UnknownAction(shown));
        }
    };
    let reasoning = bounded(answer.reasoning, LONGEST);
    let quote = Some(bounded(answer.quote, LONGEST_QUOTE)).filter(|quote| !quote.is_empty());
    let text = match (action, bounded(answer.text, LONGEST)) {
        (Action::Continue, _) => String::new(),
        (Action::AskUser, text) if text.is_empty() && !reasoning.is_empty() => reasoning.clone(),
        (Action::Instruct | Action::AskUser, text) if text.is_empty() => {
            return Err(NoVerdict::NoText(action));
        }
        (Action::Instruct | Action::AskUser, text) => text,
    };
    Ok(Verdict {
        action,
        reasoning,
        text,
        quote,
    })
}

/// What is wrong with the quotation that `verdict` rests on, where `screen` is what the backend was shown.
pub fn misquotes(verdict: &Verdict, screen: &str) -> Option<Misquote> {
    match &verdict.quote {
        None => Some(Misquote::Nothing),
        Some(quote) if quote::stands_in(screen, quote) => None,
        Some(quote) => {
            let shown = quote.chars().take(120).flat_map(char::escape_debug);
            Some(Misquote::NotThere(shown.collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INSTRUCT: &str = r#"{"action":"instruct","reasoning":"idle","text":"go on"}"#;

    #[test]
    fn a_verdict_is_found_whatever_stands_around_it() {
        let cases = [
            INSTRUCT.to_owned(),
            format!("```json\n{INSTRUCT}\n```"),
            format!("Here you are: {INSTRUCT} I hope that helps {{}}"),
            format!("<think>Perhaps {{\"action\":\"continue\"}}? No.</think>\n{INSTRUCT}"),
            format!("left over thought</think>{INSTRUCT}"),
            format!("{INSTRUCT}\n{INSTRUCT}"),
            format!("{{\"verdict\": {INSTRUCT}}}"),
            INSTRUCT.replace("instruct\"", " Instruct\""),
            INSTRUCT.replace("\"text\"", "\"confidence\":0.9,\"text\""),
        ];
        for answer in cases {
            let verdict = parse(&answer).map(|verdict| (verdict.action, verdict.text));
            assert_eq!(
                verdict,
                Ok((Action::Instruct, "go on".to_owned())),
                "{answer}"
            );
        }
    }

    #[test]
    fn what_is_unclear_is_no_verdict() {
        let cases = [
            ("", NoVerdict::NotFound),
            ("continue", NoVerdict::NotFound),
            ("{\"action\":\"continue\"", NoVerdict::NotFound),
            ("{\"action\":1}", NoVerdict::NotFound),
            (
                "{\"action\":\"continue\",\"action\":\"instruct\",\"text\":\"x\"}",
                NoVerdict::NotFound,
            ),
            (
                "{\"action\":\"approve\"}",
                NoVerdict::UnknownAction("approve".into()),
            ),
            (
                "{\"action\":\"continue\"} or {\"action\":\"ask_user\",\"text\":\"?\"}",
                NoVerdict::Several,
            ),
            (
                "{\"action\":\"instruct\",\"text\":\" \"}",
                NoVerdict::NoText(Action::Instruct),
            ),
            (
                "{\"action\":\"ask_user\"}",
                NoVerdict::NoText(Action::AskUser),
            ),
        ];
        for (answer, expected) in cases {
            assert_eq!(parse(answer), Err(expected), "{answer}");
        }
    }

    #[test]
    fn the_schema_and_the_reader_agree() {
        let answer = serde_json::json!({ "action": "ask_user", "reasoning": "r", "text": "t", "quote": "q" });
        assert_eq!(
            parse(&answer.to_string()).unwrap().quote.as_deref(),
            Some("q")
        );
        let schema = schema();
        for field in schema["required"].as_array().unwrap() {
            assert!(answer.get(field.as_str().unwrap()).is_some());
        }
        for action in schema["properties"]["action"]["enum"].as_array().unwrap() {
            let answer = format!("{{\"action\":{action},\"text\":\"t\"}}");
            assert!(parse(&answer).is_ok(), "{answer}");
        }
    }

    #[test]
    fn a_quotation_is_kept_and_held_against_the_screen() {
        let screen = "● Step 2 of 5 is written.\n> ";
        let of = |quote: &str| {
            let answer =
                serde_json::json!({ "action": "instruct", "text": "go on", "quote": quote });
            misquotes(&parse(&answer.to_string()).unwrap(), screen).map(|wrong| wrong.to_string())
        };
        assert_eq!(of("Step 2 of 5 is written."), None);
        assert_eq!(of(">"), None);
        let made_up = "what the answer quotes is not on the screen: `All tests pass`";
        assert_eq!(of("All tests pass").as_deref(), Some(made_up));
        let nothing = Some("the answer quotes no line of the screen");
        assert_eq!(of(" \n").as_deref(), nothing);
        let none = misquotes(&parse(INSTRUCT).unwrap(), screen).map(|wrong| wrong.to_string());
        assert_eq!(none.as_deref(), nothing);
        let long = parse(&format!(
            r#"{{"action":"continue","quote":"{}"}}"#,
            "x".repeat(9_999)
        ));
        assert_eq!(long.unwrap().quote.unwrap().len(), LONGEST_QUOTE);
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_a_panic(answer in any::<String>()) {
            let _ = parse(&answer);
        }

        #[test]
        fn a_verdict_is_never_made_up(answer in "[^{]*") {
            prop_assert_eq!(parse(&answer), Err(NoVerdict::NotFound));
        }

        #[test]
        fn nested_brackets_cost_a_bounded_time(answer in "[{\"a:,}\\[\\]]{0,2000}") {
            let _ = parse(&answer);
        }
    }
}
