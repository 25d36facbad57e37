//! What is wrong with a plan that has the form of one, found without running anything.
//!
//! [`check`] tells everything at once, each with its task and with what to do; a plan with an error is never
//! started. What only looks odd is a warning. Whether a program exists is the caller's to know.

use std::collections::HashSet;
use std::fmt;

use super::{Criterion, MOST_TASKS, Plan, Role, RunLine, Task};
use crate::ids::TaskId;
use crate::mission::names::{INTEGRATION, SCRATCH};
use crate::mission::schedule::{Graph, cycle};

/// The longest text of a task, in characters.
const LONGEST_TEXT: usize = 50_000;
/// Programs that end well whatever was done.
const SAY_NOTHING: [&str; 9] = [
    "true", ":", "echo", "printf", "sleep", "pwd", "date", "exit", "whoami",
];

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The plan cannot be followed.
    Error,
    /// It can, and may not do what was meant.
    Warning,
}

impl Severity {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Something that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// With which task; `None`: with the whole plan.
    pub task: Option<TaskId>,
    /// What, in a sentence.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.severity.as_str();
        match &self.task {
            Some(task) => write!(out, "{word}: task `{task}`: {}", self.problem)?,
            None => write!(out, "{word}: {}", self.problem)?,
        }
        write!(out, "\n  hint: {}", self.hint)
    }
}

/// Whether a plan with these can be followed.
pub fn can_be_followed(findings: &[Finding]) -> bool {
    let mut severities = findings.iter().map(|finding| finding.severity);
    severities.all(|severity| severity != Severity::Error)
}

/// Everything that is wrong with `plan`: errors first, then warnings, each in the order of the tasks.
///
/// `exists` says whether there is a program of that name.
pub fn check(plan: &Plan, exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut found = Found::default();
    of_the_whole(plan, &mut found);
    for task in &plan.tasks {
        found.task = Some(task.slug.clone());
        of_task(task, exists, &mut found);
    }
    found.task = None;
    for line in &plan.setup {
        of_program(line, exists, &mut found);
    }
    dependencies(plan, &mut found);
    overlaps(plan, &mut found);
    unverified(plan, &mut found);
    let place = |finding: &Finding| {
        let task = finding.task.as_ref()?;
        plan.tasks.iter().position(|one| one.slug == *task)
    };
    found
        .all
        .sort_by_key(|finding| (finding.severity, place(finding)));
    found.all
}

#[derive(Default)]
struct Found {
    all: Vec<Finding>,
    task: Option<TaskId>,
}

impl Found {
    fn error(&mut self, problem: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Error, problem.into(), hint.into());
    }

    fn warning(&mut self, problem: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Warning, problem.into(), hint.into());
    }

    fn add(&mut self, severity: Severity, problem: String, hint: String) {
        self.all.push(Finding {
            severity,
            task: self.task.clone(),
            problem,
            hint,
        });
    }
}

fn of_the_whole(plan: &Plan, found: &mut Found) {
    if plan.goal.trim().is_empty() {
        found.error("it has no goal", "say in `goal` what is to be achieved");
    }
    if plan.tasks.is_empty() {
        found.error("it has no tasks", "add at least one to `tasks`");
    }
    if plan.tasks.len() > MOST_TASKS {
        let count = plan.tasks.len();
        found.error(
            format!("it has {count} tasks, more than {MOST_TASKS}"),
            "split it into several missions",
        );
    }
    if !(1..=50).contains(&plan.max_parallel) {
        found.error(
            format!("`maxParallel` is {}", plan.max_parallel),
            "it is from 1 to 50",
        );
    }
    let is_branch = |name: &str| {
        !name.is_empty()
            && !name.starts_with('-')
            && !name.chars().any(|c| c.is_whitespace() || c.is_control())
    };
    if let Some(base) = plan.base.as_deref().filter(|base| !is_branch(base)) {
        found.error(
            format!("`base` is no branch: `{}`", base.escape_debug()),
            "name the branch that the mission starts from, or leave it out",
        );
    }
    let mut slugs = HashSet::new();
    for task in &plan.tasks {
        // folders and branches of the tasks are told apart by file systems that do not know case
        if !slugs.insert(task.slug.as_str().to_lowercase()) {
            found.task = Some(task.slug.clone());
            found.error(
                "another task has the same slug, but for upper and lower case",
                "give each task a slug of its own",
            );
            found.task = None;
        }
    }
}

/// Why a branch or a worktree cannot be named after a task (or, but for the first reason, a mission). Source:
/// `git help check-ref-format`.
pub fn is_no_branch(slug: &str) -> Option<&'static str> {
    let ends = |end: &str| slug.to_lowercase().ends_with(end);
    match slug {
        _ if slug.eq_ignore_ascii_case(INTEGRATION) => {
            Some("is the name of the branch that results are merged into")
        }
        _ if slug.eq_ignore_ascii_case(SCRATCH) => {
            Some("is the name of the worktree in which criteria are run before any work")
        }
        _ if slug.contains("..") => Some("has `..` in it, which git takes in no branch"),
        _ if ends(".") => Some("ends in `.`, which git takes in no branch"),
        _ if ends(".lock") => Some("ends in `.lock`, which git takes in no branch"),
        _ => None,
    }
}

fn of_task(task: &Task, exists: &dyn Fn(&str) -> bool, found: &mut Found) {
    if let Some(why) = is_no_branch(task.slug.as_str()) {
        found.error(format!("its slug {why}"), "give it another slug");
    }
    for (name, text) in [("title", &task.title), ("description", &task.description)] {
        if text.trim().is_empty() {
            found.error(
                format!("its {name} is empty"),
                "its worker knows nothing but what is written here",
            );
        } else if text.chars().count() > LONGEST_TEXT {
            found.error(
                format!("its {name} is longer than {LONGEST_TEXT} characters"),
                "put it into a file of the repository, and name that",
            );
        }
    }
    for (name, value, most) in [
        ("attempts", task.attempts, 20),
        ("timeLimitMin", task.time_limit_min, 10_080),
    ] {
        if !(1..=most).contains(&value) {
            found.error(
                format!("`{name}` is {value}"),
                format!("it is from 1 to {most}"),
            );
        }
    }
    if !task.role.writes() && !task.paths.is_empty() {
        found.warning(
            format!(
                "a worker of the role {} writes nothing, but it names paths",
                task.role.as_str()
            ),
            "leave `paths` out, or choose another role",
        );
    }
    for (index, criterion) in task.exit_criteria.iter().enumerate() {
        of_criterion(index + 1, criterion, exists, found);
    }
}

fn of_criterion(
    number: usize,
    criterion: &Criterion,
    exists: &dyn Fn(&str) -> bool,
    found: &mut Found,
) {
    let Criterion {
        run,
        folder,
        timeout_sec,
        exit_code,
        output,
        review,
    } = criterion;
    match (run, review) {
        (Some(_), Some(_)) => found.error(
            format!("criterion {number} is both a command and a review"),
            "make two of it",
        ),
        (None, None) => found.error(
            format!("criterion {number} says neither what to `run` nor what to `review`"),
            "name a command that fails until the task is done",
        ),
        (None, Some(review)) => {
            if review.split_whitespace().count() < 3 {
                found.error(
                    format!("criterion {number} does not say what a reviewer must find"),
                    "write in `review` what must be so, in a sentence",
                );
            }
            if folder.is_some() || timeout_sec.is_some() || exit_code.is_some() || output.is_some()
            {
                found.error(
                    format!("criterion {number} is a review and has settings of a command"),
                    "`folder`, `timeoutSec`, `exitCode` and `output` belong to `run`",
                );
            }
        }
        (Some(run), None) => {
            of_program(run, exists, found);
            if let Some(why) = says_nothing(run) {
                found.error(
                    format!("criterion {number}, `{run}`, {why}"),
                    "name a command that fails until the task is done",
                );
            }
        }
    }
    if let Some(folder) = folder.as_ref().filter(|folder| !folder.is_plain()) {
        found.error(
            format!("criterion {number} runs in `{folder}`, which is a pattern"),
            "name one folder",
        );
    }
    let pattern = output.as_deref().map(regex::Regex::new);
    if let Some(Err(error)) = pattern {
        // it shows the pattern over several lines first
        let error = error.to_string();
        let why = error.lines().last().unwrap_or_default();
        let why = why.trim_start_matches("error: ");
        found.error(
            format!("criterion {number} has an `output` that is no regular expression: {why}"),
            "correct the pattern",
        );
    }
}

fn of_program(run: &RunLine, exists: &dyn Fn(&str) -> bool, found: &mut Found) {
    let program = run.program();
    // one with a slash is looked for in the worktree, where a worker may still have to write it
    if !program.contains('/') && !exists(program) {
        found.error(
            format!(
                "there is no program `{}` for `{run}`",
                program.escape_debug()
            ),
            "install it, or correct the name",
        );
    }
}

/// Why a command tells nothing of what was done, where it is plain that it does not.
fn says_nothing(run: &RunLine) -> Option<&'static str> {
    const WHATEVER: &str = "passes whatever was done";
    let words: Vec<&str> = run.words().iter().map(String::as_str).collect();
    match words.as_slice() {
        [program, ..] if SAY_NOTHING.contains(program) => Some(WHATEVER),
        ["false", ..] => Some("can never pass"),
        [
            "test" | "[",
            "-d" | "-e" | "-r" | "-w" | "-x",
            "." | "./" | "/",
            ..,
        ] => Some(WHATEVER),
        ["sh" | "bash", "-c", script] => {
            let first = script.split_whitespace().next().unwrap_or_default();
            let is_one = !script.contains(['|', '&', ';', '\n']);
            let is_idle = SAY_NOTHING.contains(&first) || first.is_empty();
            let forgives =
                script.trim_end().ends_with("|| true") || script.trim_end().ends_with("; true");
            ((is_one && is_idle) || forgives).then_some(WHATEVER)
        }
        _ => None,
    }
}

fn dependencies(plan: &Plan, found: &mut Found) {
    for task in &plan.tasks {
        found.task = Some(task.slug.clone());
        let mut seen = HashSet::new();
        for needed in &task.depends_on {
            if *needed == task.slug {
                found.error("it depends on itself", "take it out of `dependsOn`");
            } else if plan.task(needed).is_none() {
                let all: Vec<&str> = plan.tasks.iter().map(|task| task.slug.as_str()).collect();
                found.error(
                    format!("it depends on `{needed}`, which is no task"),
                    format!("the tasks are {}", all.join(", ")),
                );
            } else if !seen.insert(needed) {
                found.warning(
                    format!("it names `{needed}` twice in `dependsOn`"),
                    "once is enough",
                );
            }
        }
    }
    found.task = None;
    if let Some(cycle) = cycle(plan).filter(|cycle| cycle.len() > 1) {
        let names: Vec<&str> = cycle.iter().map(TaskId::as_str).collect();
        let first = names.first().copied().unwrap_or_default();
        found.error(
            format!(
                "these tasks wait for each other: {} -> {first}",
                names.join(" -> ")
            ),
            "take one of these dependencies out",
        );
    }
}

/// Tasks that would never run at once although nothing but their paths keeps them apart.
fn overlaps(plan: &Plan, found: &mut Found) {
    let Some(graph) = Graph::new(plan) else {
        return;
    };
    for (a, b) in graph.overlapping() {
        let (Some(one), Some(other)) = (plan.tasks.get(a), plan.tasks.get(b)) else {
            continue;
        };
        found.task = Some(other.slug.clone());
        found.warning(
            format!(
                "it may write the same files as `{}`, so they never run at once",
                one.slug
            ),
            "name narrower `paths`, or let one depend on the other",
        );
    }
    found.task = None;
}

/// Tasks of which nobody would ever know whether they were done.
fn unverified(plan: &Plan, found: &mut Found) {
    for task in &plan.tasks {
        if !task.exit_criteria.is_empty() {
            continue;
        }
        let is_checked = plan
            .tasks
            .iter()
            .any(|other| other.role.checks_others() && other.depends_on.contains(&task.slug));
        found.task = Some(task.slug.clone());
        match task.role {
            Role::Coder | Role::General | Role::Verifier if !is_checked => found.error(
                "nobody verifies it: it has no exit criteria",
                "name in `exitCriteria` a command that fails until it is done",
            ),
            _ if !is_checked => found.warning(
                "nobody verifies it: it has no exit criteria, and no verifier or reviewer depends on it",
                "have it write a file, and name `test -s FILE`; or add a reviewer",
            ),
            _ => {}
        }
    }
    found.task = None;
}

#[cfg(test)]
mod tests;
