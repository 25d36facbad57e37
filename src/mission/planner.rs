//! Has a model write the plan of a mission, and takes no plan that cannot be followed.
//!
//! The model is told the goal and what is in the repository. Its answer is read and checked without running
//! anything; what is wrong goes back to it, at most [`REPAIRS`] times. A plan that comes out of here has still
//! been seen by nobody: that no command of it runs before the person has said yes is the caller's to see to.

mod answer;
mod surroundings;

use std::path::PathBuf;

use super::plan::check::{Finding, Severity, check};
use super::plan::{Criterion, Plan};
use crate::director::prompt::PlanRequest;
use crate::director::{Director, ReviewError};

pub use surroundings::{Surroundings, gather};

/// How often a plan that is wrong goes back to the model.
pub const REPAIRS: u32 = 3;
/// How many tasks a plan has at most where nobody says.
pub const DEFAULT_MAX_TASKS: usize = 6;
/// The fewest tasks that are worth a mission.
const LEAST_TASKS: usize = 2;
/// How much of what is wrong goes back, in findings.
const FINDINGS: usize = 40;
/// How much of an answer that was wrong goes back, in characters.
const ANSWER_CHARS: usize = 40_000;

/// What a plan is wanted for.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    /// What is to be achieved, in the person's words.
    pub goal: &'a str,
    /// The repository as the plan is to name it.
    pub repository: PathBuf,
    /// The branch that the plan is to start from.
    pub base: Option<String>,
    /// The most tasks; two at least.
    pub max_tasks: usize,
    /// What is in the repository.
    pub surroundings: &'a Surroundings,
}

/// A plan that can be followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The plan, with the verifier that a contract adds.
    pub plan: Plan,
    /// Its text, as it is written to a file.
    pub text: String,
    /// What is odd about it.
    pub warnings: Vec<Finding>,
    /// How often the model was asked.
    pub rounds: u32,
    /// Tokens in and out, all rounds together.
    pub tokens: u64,
    /// Which backend and model wrote it.
    pub by: String,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanFailed {
    /// The model was not asked, or did not answer.
    #[error("the model wrote no plan")]
    Backend(#[source] ReviewError),
    /// What it wrote is still wrong.
    #[error("after {rounds} answers of {by} the plan is still wrong")]
    Wrong {
        /// What is wrong, each in words.
        findings: Vec<String>,
        /// The last answer, bounded, as it came.
        answer: String,
        /// How often the model was asked.
        rounds: u32,
        /// Tokens in and out, all rounds together.
        tokens: u64,
        /// Which backend and model answered.
        by: String,
    },
}

/// Has the plan backend of `director` write a plan; `exists` says whether there is a program of that name.
///
/// # Errors
/// When there is no backend, it does not answer, or what it writes is still wrong after [`REPAIRS`] repairs.
pub async fn plan(
    director: &Director,
    wish: &Wish<'_>,
    exists: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Planned, PlanFailed> {
    let max_tasks = wish.max_tasks.max(LEAST_TASKS);
    let known = wish.surroundings.known(exists);
    let (mut rejected, mut rounds, mut tokens) = (None::<(String, Vec<String>)>, 0, 0);
    loop {
        rounds += 1;
        let request = PlanRequest {
            goal: wish.goal,
            max_tasks,
            known: &known,
            rejected: rejected
                .as_ref()
                .map(|(answer, wrong)| (answer.as_str(), wrong.as_slice())),
        };
        let answered = director.plan(&request, answer::schema()).await;
        let answered = answered.map_err(PlanFailed::Backend)?;
        tokens += answered.tokens;
        let wrong = match answer::read(&answered.text, wish) {
            Ok(plan) => match judged(&plan, max_tasks, exists) {
                (wrong, warnings) if wrong.is_empty() => {
                    let plan = plan.complete();
                    let text = serde_json::to_string_pretty(&plan).unwrap_or_default() + "\n";
                    let by = answered.by;
                    return Ok(Planned {
                        plan,
                        text,
                        warnings,
                        rounds,
                        tokens,
                        by,
                    });
                }
                (wrong, _) => wrong,
            },
            Err(wrong) => vec![wrong],
        };
        let text: String = answered.text.chars().take(ANSWER_CHARS).collect();
        if rounds > REPAIRS {
            return Err(PlanFailed::Wrong {
                findings: wrong,
                answer: text,
                rounds,
                tokens,
                by: answered.by,
            });
        }
        rejected = Some((text, wrong));
    }
}

/// What is wrong with a plan that a model wrote, in words, and what is odd about it. It is checked with the
/// verifier that a contract adds, as it will run; tasks are counted, and criteria asked for, as the model wrote
/// them.
fn judged(
    plan: &Plan,
    max_tasks: usize,
    exists: &(dyn Fn(&str) -> bool + Sync),
) -> (Vec<String>, Vec<Finding>) {
    let (errors, warnings): (Vec<Finding>, Vec<Finding>) =
        check(&plan.clone().complete(), &|program| exists(program))
            .into_iter()
            .partition(|finding| finding.severity == Severity::Error);
    let mut wrong: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let count = plan.tasks.len();
    if !(LEAST_TASKS..=max_tasks).contains(&count) {
        wrong.push(format!(
            "error: it has {count} tasks\n  hint: it has from {LEAST_TASKS} to {max_tasks}"
        ));
    }
    for task in &plan.tasks {
        let slug = &task.slug;
        let reviews = |criterion: &&Criterion| criterion.review.is_some();
        if task.exit_criteria.iter().any(|it| reviews(&it)) {
            wrong.push(format!(
                "error: task `{slug}`: a criterion is no command\n  hint: name in `run` a command that fails until it is done"
            ));
        }
        if task.exit_criteria.is_empty() && task.role.writes() {
            wrong.push(format!(
                "error: task `{slug}`: it has no exit criteria\n  hint: name a command that fails until it is done"
            ));
        }
    }
    wrong.truncate(FINDINGS);
    (wrong, warnings)
}

#[cfg(test)]
mod tests;
