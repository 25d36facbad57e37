//! The plan of a mission as plain data: its form, its defaults, its JSON schema.
//!
//! A person reads it, corrects it and says yes to it, so it is a file of its own, in the form of the
//! configuration: keys in camelCase, unknown ones refused with their place. [`check`] finds what is wrong with
//! a plan that has the form. Nothing of a plan is run here.

pub mod check;
mod path;
mod run;

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::config::Role;
use crate::config::{ConfigError, Seconds, read_json};
use crate::ids::{AgentId, TaskId};

pub use path::TaskPath;
pub use run::{RunLine, WrongRunLine};

/// The largest plan that is read, in bytes.
pub const LARGEST: u64 = 4 * 1024 * 1024;
/// The task that a plan with a contract ends with, where it has no such verifier of its own.
const CONTRACT_TASK: &str = "verify-contract";
/// The most tasks of a plan.
pub const MOST_TASKS: usize = 1_000;

/// A goal, and the tasks that make it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// Where an editor finds the schema of this file.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What is to be achieved, in words.
    pub goal: String,
    /// The repository, or just a folder, in which case tasks that write run one after another and nothing is
    /// merged; a relative path starts from the folder of this file.
    #[serde(default = "here")]
    pub repository: PathBuf,
    /// The branch that the mission starts from; the one that is checked out where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Whether workers commit by themselves; otherwise the program commits what they leave.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub may_commit: bool,
    /// How many workers run at once.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 50))]
    pub max_parallel: u32,
    /// Commands that are run in each new worktree before its worker starts, by the rules of `run`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<RunLine>,
    /// What the parts must keep to so that they fit together (endpoints, ports, keys), given word for word to
    /// each worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// A supervised agent that is told how each task ended, when it stands at its prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinator: Option<AgentId>,
    /// The tasks.
    pub tasks: Vec<Task>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Task {
    /// Its name within the mission.
    pub slug: TaskId,
    /// What it is, in a few words.
    pub title: String,
    /// What is to be done, for somebody who knows nothing else.
    pub description: String,
    /// What sort of worker it needs.
    #[serde(default)]
    pub role: Role,
    /// The tasks whose results it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<TaskId>,
    /// The files and folders that it may write, from the repository's root; `*` stands for a part of a name, `**`
    /// for folders. None: anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<TaskPath>,
    /// How it is known to be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exit_criteria: Vec<Criterion>,
    /// How often it is tried.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 20))]
    pub attempts: u32,
    /// Minutes after which its worker is asked to come to an end.
    #[serde(default = "hour")]
    #[schemars(range(min = 1, max = 10_080))]
    pub time_limit_min: u32,
}

/// One way to know that a task is done: a command that must end as expected, or a review.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Criterion {
    /// The command: `cargo test -p parser`. No shell runs it; quotes work as in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunLine>,
    /// The folder in which it runs, from the repository's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<TaskPath>,
    /// How long it may take, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_sec: Option<Seconds>,
    /// The exit code that it must end with; 0 where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// A pattern that a line of its output must match, as a regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Instead of a command: what a fresh reviewer must find to be so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
}

impl Criterion {
    /// What it asks for: the command, or what a reviewer must find.
    pub fn words(&self) -> &str {
        let run = self.run.as_ref().map(RunLine::as_str);
        run.or(self.review.as_deref()).unwrap_or_default()
    }
}

impl Task {
    /// Whether it may write the file at `path`, a path from the repository's root.
    pub fn may_write(&self, path: &str) -> bool {
        let is_named = || self.paths.iter().any(|own| own.covers(path));
        self.role.writes() && (self.paths.is_empty() || is_named())
    }

    /// How long its worker has before it is asked to come to an end.
    pub fn time_limit(&self) -> Duration {
        Duration::from_mins(self.time_limit_min.into())
    }

    /// Its exit criteria that are commands, with their places.
    pub fn commands(&self) -> impl Iterator<Item = Command<'_>> {
        let commands = self.exit_criteria.iter().enumerate();
        commands
            .filter(|(_, criterion)| criterion.run.is_some())
            .map(|(place, criterion)| Command {
                task: self,
                place,
                criterion,
            })
    }
}

/// An exit criterion that is a command.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// Whose it is.
    pub task: &'a Task,
    /// Which of its criteria, from 0.
    pub place: usize,
    /// What is to be run.
    pub criterion: &'a Criterion,
}

/// Every command once, where several tasks have the same: as the first of them has it.
pub fn each_once<'a>(commands: impl IntoIterator<Item = Command<'a>>) -> Vec<Command<'a>> {
    let mut once: Vec<Command<'a>> = Vec::new();
    for command in commands {
        if !once.iter().any(|one| one.criterion == command.criterion) {
            once.push(command);
        }
    }
    once
}

impl Plan {
    /// Reads a plan. That it has the form does not say that it can be followed: [`check::check`] does.
    ///
    /// # Errors
    /// When the text is no plan, with the line, the column and what was expected there.
    pub fn read(text: &str) -> Result<Self, ConfigError> {
        read_json(text).map_err(|error| ConfigError {
            hint: match error.hint {
                hint if hint.starts_with("remove the field") => {
                    "remove the field or correct its name; config/mission.schema.json lists them all"
                }
                hint if hint.starts_with("correct the value") => {
                    "correct the value; config/mission.example.json shows the form"
                }
                hint => hint,
            },
            ..error
        })
    }

    /// The task called `slug`.
    pub fn task(&self, slug: &TaskId) -> Option<&Task> {
        self.tasks.iter().find(|task| task.slug == *slug)
    }

    /// The same with what every plan ends with: where there is a contract, a verifier that comes after everything
    /// and checks the parts against it, unless the plan has one. One without tasks stays as it is, so that it is
    /// found to have none.
    #[must_use]
    pub fn complete(mut self) -> Self {
        let is_complete = self.tasks.is_empty() || self.ends_with_verifier();
        let Some(contract) = self.contract.as_ref().filter(|_| !is_complete) else {
            return self;
        };
        let Some(slug) = self.free_slug() else {
            return self;
        };
        let task = Task {
            slug,
            title: "The parts keep to the contract".into(),
            description: format!(
                "Check every part against the contract, and correct what does not keep to it:\n\n{contract}"
            ),
            role: Role::Verifier,
            depends_on: self.tasks.iter().map(|task| task.slug.clone()).collect(),
            paths: Vec::new(),
            exit_criteria: vec![Criterion {
                review: Some("every part keeps to the contract, and the parts fit together".into()),
                ..Criterion::default()
            }],
            attempts: three(),
            time_limit_min: hour(),
        };
        self.tasks.push(task);
        self
    }

    /// A slug for the added verifier that no task has: slugs differ in more than upper and lower case.
    fn free_slug(&self) -> Option<TaskId> {
        let is_free = |slug: &TaskId| {
            let same = |task: &Task| task.slug.as_str().eq_ignore_ascii_case(slug.as_str());
            !self.tasks.iter().any(same)
        };
        let numbered = (2..).map(|number| format!("{CONTRACT_TASK}-{number}"));
        let mut names = std::iter::once(CONTRACT_TASK.to_owned()).chain(numbered);
        names.find_map(|name| name.parse().ok().filter(is_free))
    }

    /// Whether one verifier comes, through others or directly, after every other task.
    fn ends_with_verifier(&self) -> bool {
        let needed = |task: &Task| {
            let mut needed: Vec<&TaskId> = Vec::new();
            let mut open: Vec<&TaskId> = task.depends_on.iter().collect();
            while let Some(slug) = open.pop() {
                if !needed.contains(&slug) {
                    needed.push(slug);
                    open.extend(self.task(slug).iter().flat_map(|task| &task.depends_on));
                }
            }
            needed.len()
        };
        let mut verifiers = self.tasks.iter().filter(|task| task.role == Role::Verifier);
        verifiers.any(|task| needed(task) + 1 == self.tasks.len())
    }

    /// The JSON schema of a plan.
    pub fn schema_text() -> String {
        let schema = schemars::schema_for!(Self);
        let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn here() -> PathBuf {
    ".".into()
}

const fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls"
)]
const fn is_true(value: &bool) -> bool {
    *value
}

const fn three() -> u32 {
    3
}

const fn hour() -> u32 {
    60
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan of `a` and `b` after it, with a contract or without.
    fn plan(contract: bool, role_of_b: &str) -> Plan {
        let contract = if contract {
            r#""contract": "port 80","#
        } else {
            ""
        };
        let text = format!(
            r#"{{"goal": "g", {contract} "tasks": [
                {{"slug": "a", "title": "A", "description": "d"}},
                {{"slug": "b", "title": "B", "description": "d", "role": "{role_of_b}", "dependsOn": ["a"]}}
            ]}}"#
        );
        Plan::read(&text).unwrap()
    }

    #[test]
    fn a_plan_with_a_contract_ends_with_a_verifier_and_gets_one_where_it_has_none() {
        for (contract, role, added) in [
            (false, "coder", false),
            (true, "coder", true),
            // it comes after everything already
            (true, "verifier", false),
        ] {
            let before = plan(contract, role);
            let after = before.clone().complete();
            let last = after.tasks.last().unwrap();
            assert_eq!(
                after.tasks.len(),
                2 + usize::from(added),
                "{contract} {role}"
            );
            assert_eq!(last.role == Role::Verifier, added || role == "verifier");
            if added {
                let needed: Vec<&str> = last.depends_on.iter().map(TaskId::as_str).collect();
                assert_eq!(needed, ["a", "b"]);
                assert!(last.description.contains("port 80"), "{}", last.description);
            }
            // once more is the same
            assert_eq!(after.clone().complete(), after);
        }
    }

    #[test]
    fn a_contract_is_checked_whatever_the_tasks_are_called_and_is_no_task_itself() {
        let mut taken = plan(true, "coder");
        taken.tasks[0].slug = "Verify-Contract".parse().unwrap();
        taken.tasks[1].slug = "verify-contract-2".parse().unwrap();
        let last = taken.complete().tasks.pop().unwrap();
        assert_eq!(last.slug.as_str(), "verify-contract-3");
        let mut empty = plan(true, "coder");
        empty.tasks.clear();
        assert!(empty.complete().tasks.is_empty());
    }
}
