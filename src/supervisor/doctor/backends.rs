//! Whether the model servers answer, know the model, and have their key.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Check, Examination, Outcome};
use crate::config::{BackendConfig, BackendType, Config, Fallback};
use crate::error::{Failure, Kind};
use crate::http::Http;
use crate::llm::{self, Health, LlmError};

const DECIDE: &str = "decideBackend";
const REVIEW: &str = "reviewBackend";
const PLAN: &str = "planBackend";
/// How many of the server's models a hint names.
const MODELS_NAMED: usize = 5;
/// The longest name of a model that is shown, in characters.
const MODEL_NAME: usize = 60;
/// A backend needs a deadline for questions; none is asked.
const UNUSED: Duration = Duration::from_secs(10);

pub(super) async fn examine(
    of: &Examination,
    config: Option<&Config>,
    until: Instant,
) -> Vec<Check> {
    let Some(config) = config else {
        let not_examined = |name| Check::not_examined(name, "the configuration is wrong");
        return [DECIDE, REVIEW].map(not_examined).into();
    };
    // All calls at once even where the configuration allows one: the backends may be one server.
    let http = Http::new(3);
    let plan = async {
        // where there is none, the review backend writes plans
        match &config.plan_backend {
            Some(config) => Some(plan(config, &http, of.keys, until).await),
            None => None,
        }
    };
    let (decide, review, plan) = tokio::join!(
        decide(&config.decide_backend, &http, of.keys, until),
        review(&config.review_backend, &http, of.keys, until),
        plan,
    );
    [decide, review].into_iter().chain(plan).collect()
}

async fn decide(
    config: &BackendConfig,
    http: &Http,
    keys: llm::Environment,
    until: Instant,
) -> Check {
    if config.kind == BackendType::Builtin {
        return Check::good(
            DECIDE,
            "builtin: the built-in rules decide, without a server",
        );
    }
    let failure = match ask(config, http, keys, until).await {
        Ok(health) => return answered(DECIDE, config, &health),
        Err(failure) => failure,
    };
    match (failure.kind, config.fallback) {
        (Kind::Usage, _) => Check::failure(DECIDE, Outcome::Bad(Kind::Failed), &failure),
        (_, Fallback::Builtin) => {
            let mut check = Check::failure(DECIDE, Outcome::Warning, &failure);
            check.found += "; until it answers, the built-in rules decide";
            check
        }
        (_, Fallback::Hold) => {
            let failure = failure
                .hint("with `\"fallback\": \"builtin\"` the built-in rules decide meanwhile");
            Check::failure(DECIDE, Outcome::Bad(Kind::Missing), &failure)
        }
    }
}

async fn review(
    config: &BackendConfig,
    http: &Http,
    keys: llm::Environment,
    until: Instant,
) -> Check {
    if config.kind == BackendType::Builtin {
        return Check::warning(
            REVIEW,
            "builtin: there is no model that could write a review",
        )
        .hint("name a model server in `reviewBackend` to use `/review`");
    }
    wanted_by(
        REVIEW,
        "`/review`",
        config,
        ask(config, http, keys, until).await,
    )
}

async fn plan(
    config: &BackendConfig,
    http: &Http,
    keys: llm::Environment,
    until: Instant,
) -> Check {
    if config.kind == BackendType::Builtin {
        return Check::good(PLAN, "builtin: the review backend writes plans");
    }
    wanted_by(
        PLAN,
        "`mission plan`",
        config,
        ask(config, http, keys, until).await,
    )
}

/// How a backend is that only `command` needs: without an answer of it everything else goes on.
fn wanted_by(
    name: &'static str,
    command: &str,
    config: &BackendConfig,
    asked: Result<Health, Failure>,
) -> Check {
    let failure = match asked {
        Ok(health) => return answered(name, config, &health),
        Err(failure) => failure,
    };
    if failure.kind == Kind::Usage {
        return Check::failure(name, Outcome::Bad(Kind::Failed), &failure);
    }
    let mut check = Check::failure(name, Outcome::Warning, &failure);
    check.found = format!("{}; only {command} needs it", check.found);
    check
}

async fn ask(
    config: &BackendConfig,
    http: &Http,
    keys: llm::Environment,
    until: Instant,
) -> Result<Health, Failure> {
    let backend = llm::backend_in(config, http, UNUSED, keys)?;
    let checked = timeout_at(until, backend.check()).await;
    let late = || {
        let said = format!("no answer from {} in time", backend.server());
        Err(Failure::new(Kind::TimedOut, said))
    };
    checked.map_or_else(
        |_| late(),
        |checked| checked.map_err(|error| said(config, error)),
    )
}

/// A missing key says first which one is missing.
fn said(config: &BackendConfig, error: LlmError) -> Failure {
    let no_key = match &error {
        LlmError::NoKey { variable, .. } => Some(format!(
            "no key for {}: the environment variable {variable} is not set",
            config.base_url()
        )),
        _ => None,
    };
    let failure = Failure::from(error);
    match no_key {
        Some(message) => Failure { message, ..failure },
        None => failure,
    }
}

fn answered(name: &'static str, config: &BackendConfig, health: &Health) -> Check {
    let key = match (health.has_key, &config.api_key, config.key_variable()) {
        (false, ..) => "without a key".to_owned(),
        (true, None, Some(variable)) => format!("with the key in {variable}"),
        (true, ..) => "with the key in the configuration".to_owned(),
    };
    let (url, model) = (config.base_url(), config.model());
    let answers = format!("{url} answers ({key})");
    if health.model_listed {
        return Check::good(name, &format!("{answers} and lists the model `{model}`"));
    }
    let check = Check::warning(
        name,
        &format!("{answers}, but does not list the model `{model}`"),
    );
    if health.models.is_empty() {
        return check.hint("it lists no models at all: load one there");
    }
    let named = health.models.iter().take(MODELS_NAMED);
    let named: Vec<String> = named.map(|name| format!("`{}`", clipped(name))).collect();
    let more = match health.models_in_all.saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    check.hint(&format!(
        "set `model` in `{name}` to one of those that it lists: {}{more}",
        named.join(", ")
    ))
}

fn clipped(name: &str) -> String {
    match name.char_indices().nth(MODEL_NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}
