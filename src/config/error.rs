//! Why a text is no configuration: the place, what was expected there, and what to do.

/// Why a text is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}{}: {problem}", at(path))]
pub struct ConfigError {
    /// Where in the structure: `agents[1].pollSec`; empty where the text is no JSON at all.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub problem: String,
    /// What to do about it.
    pub hint: &'static str,
}

pub(super) const OWN_ID_AND_PANE: &str = "give each agent an id and a pane of its own";

fn at(path: &str) -> String {
    if matches!(path, "" | "." | "?") {
        String::new()
    } else {
        format!(", at `{path}`")
    }
}

impl ConfigError {
    pub(super) fn new(path: String, error: &serde_json::Error) -> Self {
        use serde_json::error::Category;
        let full = error.to_string();
        let suffix = format!(" at line {} column {}", error.line(), error.column());
        let problem = full.strip_suffix(&suffix).unwrap_or(&full).to_owned();
        let hint = match error.classify() {
            Category::Data if problem.starts_with("unknown field") => {
                "remove the field or correct its name; config/meta_orchestrator.schema.json lists them all"
            }
            Category::Data => {
                "correct the value; config/meta_orchestrator.config.example.json shows the form"
            }
            _ => "correct the JSON (quotes, commas, brackets); comments are not allowed",
        };
        Self {
            path,
            line: error.line(),
            column: error.column(),
            problem,
            hint,
        }
    }
}
