//! Decides what to do about an agent: what is asked, what an answer means, what may be typed.
//!
//! [`prompt`], [`verdict`], [`text`], [`policy`], [`approval`] and [`builtin`] are pure. [`Director`] asks a
//! backend and reads its answer; it keeps no memory of any agent and types nothing. `agent` calls it.

pub mod approval;
pub mod authority;
pub mod builtin;
pub mod policy;
pub mod prompt;
pub mod text;
pub mod verdict;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use crate::config::{BackendType, Fallback};
use crate::error::in_full;
use crate::llm::{AnswerSchema, Backend, LlmError, Prompt};
use crate::record::{Action, Verdict};
use prompt::{PlanRequest, Reader, Situation};

/// The longest answer that is kept in the logs, in characters.
const ANSWER_CHARS: usize = 4_000;
/// The longest answer of a decision, in tokens; a model that thinks first needs room for it.
const DECIDE_TOKENS: u32 = 2_048;
/// The longest review, in tokens; models that think count their thoughts here.
const REVIEW_TOKENS: u32 = 16_384;

/// The longest page, summary, answer or plan, in characters.
const DIGEST_CHARS: usize = 40_000;

/// Who decides, and who reviews.
#[derive(Clone)]
pub struct Director {
    kind: BackendType,
    /// The decide backend; `None`: the built-in rules.
    decide: Option<Arc<dyn Backend>>,
    fallback: Fallback,
    /// The review backend, or why there is none.
    review: Option<Arc<dyn Backend>>,
    review_memo_chars: usize,
    /// Who writes plans; `None`: the review backend.
    plan: Option<Arc<dyn Backend>>,
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The verdict, or why there is none.
    pub verdict: Result<Verdict, Undecided>,
    /// The answer as it came, bounded.
    pub answer: String,
    /// Tokens in and out.
    pub tokens: u64,
    /// Who answered.
    pub by: String,
    /// What is wrong with a verdict that counts nonetheless: it rests on no line of the screen.
    pub doubt: Option<String>,
    /// Why the backend gave no answer, where the rules stood in for it.
    pub stood_in: Option<String>,
}

/// Why there is no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecided {
    /// There was an answer, and it was no verdict.
    NoVerdict(String),
    /// There was no answer.
    Failed(String),
}

/// A server that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedServer {
    /// For what: `decide`, `review` or `plan`.
    pub role: &'static str,
    /// The wire format and the model.
    pub name: String,
    /// The server: scheme, host and port.
    pub server: String,
}

/// A review as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewed {
    /// The prose.
    pub text: String,
    /// What it would type; cleaned.
    pub instruction: Option<String>,
    /// Which backend and model wrote it.
    pub by: String,
    /// Tokens in and out.
    pub tokens: u64,
}

impl Director {
    /// A director that asks `decide`, a backend of type `kind` (or the built-in rules), and has `review` write reviews, from at most
    /// `review_memo_chars` characters of memos.
    pub fn new(
        kind: BackendType,
        decide: Option<Arc<dyn Backend>>,
        fallback: Fallback,
        review: Option<Arc<dyn Backend>>,
        review_memo_chars: usize,
    ) -> Self {
        Self {
            kind,
            decide,
            fallback,
            review,
            review_memo_chars,
            plan: None,
        }
    }

    /// The same with plans written by `plan`; `None`: by the review backend.
    #[must_use]
    pub fn with_plan(mut self, plan: Option<Arc<dyn Backend>>) -> Self {
        self.plan = plan;
        self
    }

    /// What the decide backend is called.
    pub fn name(&self) -> &'static str {
        self.kind.as_str()
    }

    /// The servers that are asked; none for the built-in rules.
    pub fn servers(&self) -> Vec<AskedServer> {
        let backends = [
            ("decide", &self.decide),
            ("review", &self.review),
            ("plan", &self.plan),
        ];
        let asked = backends.into_iter().filter_map(|(role, backend)| {
            let backend = backend.as_ref()?;
            Some(AskedServer {
                role,
                name: format!("{} {}", backend.name(), backend.model()),
                server: backend.server().to_owned(),
            })
        });
        asked.collect()
    }

    /// Asks what to do.
    pub async fn decide(&self, situation: &Situation) -> Outcome {
        let Some(backend) = &self.decide else {
            return by_rules(situation, builtin::NAME.to_owned());
        };
        let reader = reader(backend.as_ref());
        let user = marked(|nonce| prompt::decide(situation, reader, nonce));
        let prompt = Prompt {
            system: prompt::DECIDE.to_owned(),
            user,
            schema: Some(AnswerSchema {
                name: "verdict".into(),
                schema: verdict::schema(),
            }),
            max_tokens: DECIDE_TOKENS,
            temperature: 0.2,
        };
        match backend.ask(&prompt).await {
            Ok(answer) => {
                let (verdict, doubt) = judged(&answer.text, &prompt::pane_shown(situation, reader));
                Outcome {
                    verdict,
                    answer: answer.text.chars().take(ANSWER_CHARS).collect(),
                    tokens: answer.usage.input + answer.usage.output,
                    by: format!("{} {}", backend.name(), answer.model),
                    doubt,
                    stood_in: None,
                }
            }
            Err(error) => self.without_answer(situation, backend.name(), &error),
        }
    }

    /// The server gave no answer: the rules decide, or nobody does.
    fn without_answer(&self, situation: &Situation, name: &str, error: &LlmError) -> Outcome {
        let why = in_full(error);
        let usage = error.usage();
        let tokens = usage.input + usage.output;
        match self.fallback {
            Fallback::Builtin => {
                let by = format!("{} ({name} failed: {why})", builtin::NAME);
                Outcome {
                    tokens,
                    stood_in: Some(why),
                    ..by_rules(situation, by)
                }
            }
            Fallback::Hold => Outcome {
                verdict: Err(Undecided::Failed(why)),
                answer: String::new(),
                tokens,
                by: name.to_owned(),
                doubt: None,
                stood_in: None,
            },
        }
    }

    /// Has the review backend write a page about all agents, from these facts and nothing else.
    ///
    /// # Errors
    /// When there is no review backend, or it does not answer, or with nothing.
    pub async fn digest(&self, facts: &str) -> Result<Digested, ReviewError> {
        let user = |reader, nonce: &str| prompt::digest(facts, reader, nonce);
        write(self.review.as_ref(), prompt::DIGEST, user, None).await
    }

    /// Has the review backend write a summary of a mission, from its records and nothing else.
    ///
    /// # Errors
    /// As [`Director::digest`].
    pub async fn summary(&self, records: &str) -> Result<Digested, ReviewError> {
        let user = |reader, nonce: &str| prompt::digest(records, reader, nonce);
        write(self.review.as_ref(), prompt::SUMMARY, user, None).await
    }

    /// Has the review backend answer a person's question from the records of a mission.
    ///
    /// # Errors
    /// As [`Director::digest`].
    pub async fn question(&self, question: &str, records: &str) -> Result<Digested, ReviewError> {
        let user = |reader, nonce: &str| prompt::question(question, records, reader, nonce);
        write(self.review.as_ref(), prompt::QUESTION, user, None).await
    }

    /// What the records of a mission have for an agent that cannot go on without `need`, as the review backend
    /// finds it; `None` where they do not have it.
    ///
    /// # Errors
    /// As [`Director::digest`].
    pub async fn known(&self, need: &str, records: &str) -> Result<Option<Digested>, ReviewError> {
        let user = |reader, nonce: &str| prompt::known(need, records, reader, nonce);
        let found = write(self.review.as_ref(), prompt::KNOWN, user, None).await?;
        let says_nothing = found.text.split(|c: char| !c.is_alphanumeric());
        let says_nothing = says_nothing.into_iter().any(|word| word == "NOTHING");
        Ok(Some(found).filter(|_| !says_nothing))
    }

    /// Has the plan backend write a plan in the form of `schema`. What it writes is not checked here.
    ///
    /// # Errors
    /// As [`Director::digest`].
    pub async fn plan(
        &self,
        request: &PlanRequest<'_>,
        schema: serde_json::Value,
    ) -> Result<Digested, ReviewError> {
        let backend = self.plan.as_ref().or(self.review.as_ref());
        let user = |reader, nonce: &str| prompt::plan(request, reader, nonce);
        let name = "plan".into();
        write(
            backend,
            prompt::PLAN,
            user,
            Some(AnswerSchema { name, schema }),
        )
        .await
    }

    /// Has a review written.
    ///
    /// # Errors
    /// When there is no review backend, or it does not answer.
    pub async fn review(&self, situation: &Situation) -> Result<Reviewed, ReviewError> {
        let backend = self.review.as_ref().ok_or(ReviewError::NoBackend)?;
        let reader = reader(backend.as_ref());
        let chars = self.review_memo_chars;
        let user = marked(|nonce| prompt::review(situation, chars, reader, nonce));
        let prompt = Prompt {
            system: prompt::REVIEW.to_owned(),
            user,
            schema: None,
            max_tokens: REVIEW_TOKENS,
            temperature: 0.4,
        };
        let answer = backend.ask(&prompt).await?;
        let (text, instruction) = prompt::split_review(&answer.text);
        Ok(Reviewed {
            text,
            instruction,
            by: format!("{} {}", backend.name(), answer.model),
            tokens: answer.usage.input + answer.usage.output,
        })
    }
}

/// Has `backend` write something of at most [`DIGEST_CHARS`] characters.
async fn write(
    backend: Option<&Arc<dyn Backend>>,
    system: &str,
    user: impl Fn(Reader, &str) -> Option<String>,
    schema: Option<AnswerSchema>,
) -> Result<Digested, ReviewError> {
    let backend = backend.ok_or(ReviewError::NoBackend)?;
    let reader = reader(backend.as_ref());
    let prompt = Prompt {
        system: system.to_owned(),
        user: marked(|nonce| user(reader, nonce)),
        schema,
        max_tokens: REVIEW_TOKENS,
        temperature: 0.2,
    };
    let answer = backend.ask(&prompt).await?;
    let text = answer.text.trim();
    if text.is_empty() {
        return Err(ReviewError::Empty);
    }
    Ok(Digested {
        text: text.chars().take(DIGEST_CHARS).collect(),
        by: format!("{} {}", backend.name(), answer.model),
        tokens: answer.usage.input + answer.usage.output,
    })
}

/// What a backend wrote from facts: a page, a summary, an answer, a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digested {
    /// What it wrote.
    pub text: String,
    /// Which backend and model wrote it.
    pub by: String,
    /// Tokens in and out.
    pub tokens: u64,
}

/// Why there is no review.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// `reviewBackend` is `builtin`, which writes no prose.
    #[error("no model is configured that could write a review: `reviewBackend` is `builtin`")]
    NoBackend,
    /// The backend answered with nothing.
    #[error("the model wrote nothing")]
    Empty,
    /// The backend did not answer.
    #[error(transparent)]
    Backend(#[from] LlmError),
}

fn by_rules(situation: &Situation, by: String) -> Outcome {
    Outcome {
        verdict: Ok(builtin::decide(situation)),
        answer: String::new(),
        tokens: 0,
        by,
        doubt: None,
        stood_in: None,
    }
}

/// The verdict in `answer` and, where it counts although it rests on nothing that `screen` shows, what is wrong
/// with it. An instruction must rest on something.
fn judged(answer: &str, screen: &str) -> (Result<Verdict, Undecided>, Option<String>) {
    match verdict::parse(answer) {
        Err(error) => (Err(Undecided::NoVerdict(error.to_string())), None),
        Ok(verdict) => match verdict::misquotes(&verdict, screen) {
            Some(wrong) if verdict.action == Action::Instruct => {
                (Err(Undecided::NoVerdict(wrong.to_string())), None)
            }
            wrong => (Ok(verdict), wrong.map(|wrong| wrong.to_string())),
        },
    }
}

fn reader(backend: &dyn Backend) -> Reader {
    if backend.is_local() {
        Reader::Local
    } else {
        Reader::Remote
    }
}

/// The text that `ask` makes with a mark that nothing in it holds.
fn marked(ask: impl Fn(&str) -> Option<String>) -> String {
    loop {
        if let Some(text) = ask(&nonce()) {
            return text;
        }
    }
}

/// A mark that no pane can foresee.
fn nonce() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: &str = "● Step 2 of 5 is written.\n> ";

    fn answer(action: &str, quote: &str) -> String {
        serde_json::json!({ "action": action, "reasoning": "r", "text": "go on", "quote": quote })
            .to_string()
    }

    #[test]
    fn an_instruction_that_rests_on_nothing_on_the_screen_is_no_verdict() {
        // the control: the same answer with a line that stands there
        let (verdict, doubt) = judged(&answer("instruct", "Step 2 of 5 is written."), SCREEN);
        assert_eq!(
            (verdict.map(|it| it.text), doubt),
            (Ok("go on".into()), None)
        );
        for (quote, why) in [
            (
                "All tests pass, waiting",
                "what the answer quotes is not on the screen: `All tests pass, waiting`",
            ),
            ("", "the answer quotes no line of the screen"),
        ] {
            let (verdict, doubt) = judged(&answer("instruct", quote), SCREEN);
            assert_eq!(
                (verdict, doubt),
                (Err(Undecided::NoVerdict(why.into())), None)
            );
            for action in ["continue", "ask_user"] {
                let (verdict, doubt) = judged(&answer(action, quote), SCREEN);
                assert_eq!(verdict.unwrap().action.as_str(), action);
                assert_eq!(doubt.as_deref(), Some(why), "{action}");
            }
        }
    }

    #[test]
    fn another_mark_is_taken_until_one_stands_nowhere_in_the_text() {
        let tried = std::cell::RefCell::new(Vec::new());
        let text = marked(|nonce| {
            tried.borrow_mut().push(nonce.to_owned());
            (tried.borrow().len() == 3).then(|| nonce.to_owned())
        });
        let tried = tried.into_inner();
        assert_eq!((tried.len(), tried.last()), (3, Some(&text)));
        assert!(tried[0] != tried[1] && tried[1] != tried[2]);
    }
}
