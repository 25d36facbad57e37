//! A mission's plan in words: what would run when, and what is wrong with it.
//!
//! Text in, text out; nothing of a plan is run. Everything of it is made harmless: a model may have written it.

use std::fmt::Write as _;

use serde::Serialize;

use super::text::{harmless, one_line, table};
use crate::ids::TaskId;
use crate::mission::plan::check::{Finding, Severity, can_be_followed};
use crate::mission::plan::{Plan, TaskPath};
use crate::mission::schedule::Graph;

/// What is known of a plan without running anything of it.
#[derive(Debug)]
pub struct Checked<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What is wrong with it.
    pub findings: &'a [Finding],
    /// Whether its folder is a git repository; if not, tasks that write run one after another.
    pub is_repository: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    v: u32,
    can_be_followed: bool,
    is_repository: bool,
    findings: Vec<ToldFinding<'a>>,
    /// The tasks by the wave in which each could run at the earliest.
    waves: Vec<Vec<&'a str>>,
    /// Tasks that nothing but their paths keeps from running at once.
    overlaps: Vec<(&'a str, &'a str)>,
}

#[derive(Serialize)]
struct ToldFinding<'a> {
    severity: &'static str,
    task: Option<&'a str>,
    problem: &'a str,
    hint: &'a str,
}

impl Checked<'_> {
    /// Whether the plan can be followed.
    pub fn can_be_followed(&self) -> bool {
        can_be_followed(self.findings)
    }

    /// The plan's graph, as it would be followed; `None` where it has none.
    fn graph(&self) -> Option<Graph> {
        let graph = Graph::new(self.plan)?;
        Some(if self.is_repository {
            graph
        } else {
            graph.in_one_folder()
        })
    }

    fn slug(&self, task: usize) -> &str {
        self.plan
            .tasks
            .get(task)
            .map_or("?", |task| task.slug.as_str())
    }

    /// The plan as a table of what would run when, and everything that is wrong with it; ends with a newline.
    pub fn words(&self, columns: usize) -> String {
        let mut text = format!("{}\n", one_line(&self.plan.goal));
        if let Some(graph) = self.graph() {
            let _ = writeln!(text, "\n{}", self.when(&graph, columns));
        }
        let where_it_runs = if self.is_repository {
            format!(
                "at most {} workers at once, each in a worktree of its own",
                self.plan.max_parallel
            )
        } else {
            "no git repository: tasks that write run one after another, in the folder itself; nothing is merged".into()
        };
        let _ = writeln!(text, "\n{where_it_runs}");
        for finding in self.findings {
            let _ = write!(text, "\n{}", harmless(&finding.to_string()));
        }
        if !self.findings.is_empty() {
            text.push('\n');
        }
        let count = |severity| {
            self.findings
                .iter()
                .filter(|one| one.severity == severity)
                .count()
        };
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let plural = |count: usize, word: &str| {
            format!("{count} {word}{}", if count == 1 { "" } else { "s" })
        };
        let _ = writeln!(
            text,
            "\n{}",
            match (errors, warnings) {
                (0, 0) => "the plan can be followed".to_owned(),
                (0, _) => format!("the plan can be followed; {}", plural(warnings, "warning")),
                _ => format!(
                    "the plan cannot be followed: {}, {}",
                    plural(errors, "error"),
                    plural(warnings, "warning")
                ),
            }
        );
        text
    }

    /// What would run when, with places enough.
    fn when(&self, graph: &Graph, columns: usize) -> String {
        let mut rows = Vec::new();
        for (wave, tasks) in graph.waves().into_iter().enumerate() {
            for (place, task) in tasks.into_iter().enumerate() {
                let Some(one) = self.plan.tasks.get(task) else {
                    continue;
                };
                let needs: Vec<&str> = graph
                    .needs(task)
                    .iter()
                    .map(|&needed| self.slug(needed))
                    .collect();
                let paths: Vec<&str> = one.paths.iter().map(TaskPath::as_str).collect();
                let writes = match (one.role.writes(), paths.is_empty()) {
                    (false, _) => "nothing".to_owned(),
                    (true, true) => "anywhere".to_owned(),
                    (true, false) => paths.join(" "),
                };
                let known_by: Vec<&str> = one
                    .exit_criteria
                    .iter()
                    .map(|criterion| {
                        criterion
                            .run
                            .as_ref()
                            .map_or("a review", |run| run.as_str())
                    })
                    .collect();
                rows.push(vec![
                    if place == 0 {
                        (wave + 1).to_string()
                    } else {
                        String::new()
                    },
                    one.slug.to_string(),
                    one.role.as_str().to_owned(),
                    or_dash(needs.join(" ")),
                    writes,
                    or_dash(known_by.join("; ")),
                ]);
            }
        }
        let heading = [
            "WAVE",
            "TASK",
            "ROLE",
            "AFTER",
            "WRITES",
            "KNOWN TO BE DONE BY",
        ];
        table(&heading, &[4, 32, 10, 40, 40], &rows, columns)
    }

    /// The same for scripts: versioned JSON.
    pub fn json(&self) -> String {
        let graph = self.graph();
        let waves = graph.as_ref().map(Graph::waves).unwrap_or_default();
        let overlaps = graph.as_ref().map(Graph::overlapping).unwrap_or_default();
        let told = Told {
            v: 1,
            can_be_followed: self.can_be_followed(),
            is_repository: self.is_repository,
            findings: self.findings.iter().map(told).collect(),
            waves: waves
                .iter()
                .map(|wave| wave.iter().map(|&task| self.slug(task)).collect())
                .collect(),
            overlaps: overlaps
                .iter()
                .map(|&(a, b)| (self.slug(a), self.slug(b)))
                .collect(),
        };
        serde_json::to_string_pretty(&told).unwrap_or_default() + "\n"
    }

    /// What depends on what, as text: each task under its wave, with what it waits for; ends with a newline.
    pub fn graph_text(&self) -> Option<String> {
        let graph = self.graph()?;
        let mut text = String::new();
        for (wave, tasks) in graph.waves().into_iter().enumerate() {
            let _ = writeln!(text, "{}", wave + 1);
            for task in tasks {
                let needs: Vec<&str> = graph
                    .needs(task)
                    .iter()
                    .map(|&needed| self.slug(needed))
                    .collect();
                let arrow = if needs.is_empty() {
                    String::new()
                } else {
                    format!(" <- {}", needs.join(", "))
                };
                let _ = writeln!(text, "   {}{arrow}", self.slug(task));
            }
        }
        Some(text)
    }

    /// The same in the DOT language; dashed lines join tasks that may write the same files.
    pub fn dot(&self) -> Option<String> {
        let graph = self.graph()?;
        let mut text = String::from("digraph mission {\n  rankdir=LR;\n  node [shape=box];\n");
        for (index, task) in self.plan.tasks.iter().enumerate() {
            // a slug needs no quoting within quotes; a title may
            let title = one_line(&task.title)
                .replace('\\', "\\\\")
                .replace('"', "\\\"");
            let _ = writeln!(
                text,
                "  \"{}\" [label=\"{}\\n{title}\"];",
                task.slug, task.slug
            );
            for &needed in graph.needs(index) {
                let _ = writeln!(text, "  \"{}\" -> \"{}\";", self.slug(needed), task.slug);
            }
        }
        for (a, b) in graph.overlapping() {
            let _ = writeln!(
                text,
                "  \"{}\" -> \"{}\" [dir=none, style=dashed];",
                self.slug(a),
                self.slug(b)
            );
        }
        text.push_str("}\n");
        Some(text)
    }
}

fn told(finding: &Finding) -> ToldFinding<'_> {
    ToldFinding {
        severity: finding.severity.as_str(),
        task: finding.task.as_ref().map(TaskId::as_str),
        problem: &finding.problem,
        hint: &finding.hint,
    }
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mission::plan::check::check;

    fn plan(text: &str) -> Plan {
        Plan::read(text).unwrap()
    }

    fn example() -> Plan {
        plan(include_str!("../../config/mission.example.json"))
    }

    #[test]
    fn the_example_is_told_as_a_table_a_graph_and_json() {
        let plan = example();
        let findings = check(&plan, &|_| true);
        let checked = Checked {
            plan: &plan,
            findings: &findings,
            is_repository: true,
        };
        insta::assert_snapshot!("example_words", checked.words(120));
        insta::assert_snapshot!("example_graph", checked.graph_text().unwrap());
        insta::assert_snapshot!("example_dot", checked.dot().unwrap());
        insta::assert_snapshot!("example_json", checked.json());
        assert!(checked.can_be_followed());
    }

    #[test]
    fn a_plan_that_cannot_be_followed_says_so_and_shows_nothing_raw() {
        let text = include_str!("../../tests/plans/invalid/several.json");
        let mut plan = plan(text);
        plan.goal = "a\u{1b}[2Jb".into();
        plan.tasks[1].title = "quoted \" and \\ and \u{7}".into();
        plan.tasks[0].depends_on.clear();
        let findings = check(&plan, &|_| false);
        let checked = Checked {
            plan: &plan,
            findings: &findings,
            is_repository: false,
        };
        assert!(!checked.can_be_followed());
        insta::assert_snapshot!("several_words", checked.words(100));
        let dot = checked.dot().unwrap();
        insta::assert_snapshot!("several_dot", dot);
        for text in [checked.words(40), dot, checked.json()] {
            assert!(
                !text.chars().any(|c| c.is_control() && c != '\n'),
                "{text:?}"
            );
        }
    }
}
