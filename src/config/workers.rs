//! What runs as a mission's worker, as it stands in the configuration.
//!
//! Plain data, checked as it is read. A command is a list of arguments and never a line for a shell. Claude Code
//! gets the permissions of each role with it: roles that only look may write nothing but the folder in which they
//! report (`mission::names::CONTROL`), and are not asked about anything else.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Argv, Seconds};
use crate::ids::{Kind, SessionName};

/// What sort of worker a task needs.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Finds out what there is; writes nothing.
    Explore,
    /// Finds out what is known elsewhere; writes nothing.
    Research,
    /// Writes code.
    Coder,
    /// Checks that parts fit together; may write tests.
    Verifier,
    /// Reads what others wrote; writes nothing.
    Reviewer,
    /// Anything else.
    #[default]
    General,
}

impl Role {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Explore => "explore",
            Self::Research => "research",
            Self::Coder => "coder",
            Self::Verifier => "verifier",
            Self::Reviewer => "reviewer",
            Self::General => "general",
        }
    }

    /// Whether it changes files.
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Explore | Self::Research | Self::Reviewer)
    }

    /// Whether it says of others' work whether it is right.
    pub const fn checks_others(self) -> bool {
        matches!(self, Self::Verifier | Self::Reviewer)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// What runs as the workers of missions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WorkersConfig {
    /// The program of every worker. Where it is Claude Code, the permissions of the role follow as arguments.
    pub command: Argv,
    /// What kind of agent that is, where its program does not tell: `claude`, `codex`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Other programs for workers of these roles, given nothing but the arguments that stand here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<Role, WorkerCommand>,
    /// The zellij session in which workers are opened; without it, that of agents that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionName>,
    /// Seconds without a change of the screen after which a worker counts as stalled.
    pub stall_sec: Seconds,
    /// Seconds between two looks at a worker's pane.
    pub poll_sec: Seconds,
}

impl Default for WorkersConfig {
    fn default() -> Self {
        Self {
            command: Argv::of(&[CLAUDE]),
            kind: None,
            roles: BTreeMap::new(),
            session: None,
            stall_sec: Seconds::from_millis(30_000),
            poll_sec: Seconds::from_millis(2_000),
        }
    }
}

/// The program of one role's workers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkerCommand {
    /// The program and all its arguments.
    pub command: Argv,
    /// What kind of agent it is, where its program does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
}

/// Claude Code's program, and its kind.
const CLAUDE: &str = "claude";

impl WorkersConfig {
    /// The program of a role's workers, with all its arguments.
    pub fn of(&self, role: Role) -> WorkerCommand {
        if let Some(own) = self.roles.get(&role) {
            return own.clone();
        }
        let kind = self.kind.clone();
        let command = if self.is_claude() {
            self.command.with(&permissions(role))
        } else {
            self.command.clone()
        };
        WorkerCommand { command, kind }
    }

    /// Every program that may be run, with the arguments that stand here, for a person.
    pub fn programs(&self) -> Vec<String> {
        let own = self.roles.iter();
        let own = own.map(|(role, own)| format!("{} as {role}", own.command));
        std::iter::once(self.command.to_string())
            .chain(own)
            .collect()
    }

    /// Whether the common program is Claude Code: it is of that kind, or called so, by itself or as what another
    /// program runs (`npx claude`).
    fn is_claude(&self) -> bool {
        let is_it = |word: &str| Path::new(word).file_name().is_some_and(|it| it == CLAUDE);
        if let Some(kind) = &self.kind {
            return kind.as_str() == CLAUDE;
        }
        let last = self.command.arguments().last();
        is_it(self.command.program()) || last.is_some_and(|last| is_it(last))
    }
}

/// What Claude Code may do in a role (its documentation, "Configure permissions" and "CLI reference"). `dontAsk`
/// refuses what is not allowed instead of asking; commands that only read run without a rule.
fn permissions(role: Role) -> Vec<&'static str> {
    if role.writes() {
        return vec!["--permission-mode", "acceptEdits"];
    }
    let mut allowed = vec!["--permission-mode", "dontAsk", "--allowedTools"];
    allowed.extend(["Read", "Grep", "Glob"]);
    if role == Role::Research {
        allowed.extend(["WebFetch", "WebSearch"]);
    }
    allowed.push("Edit(.mo/**)");
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers(text: &str) -> WorkersConfig {
        serde_json::from_str(text).unwrap()
    }

    fn line(workers: &WorkersConfig, role: Role) -> String {
        Vec::from(workers.of(role).command).join(" ")
    }

    const LOOKS: &str = "--permission-mode dontAsk --allowedTools Read Grep Glob Edit(.mo/**)";

    #[test]
    fn claude_gets_the_permissions_of_the_role_and_another_program_what_it_is_given() {
        let usual = WorkersConfig::default();
        assert_eq!(line(&usual, Role::Explore), format!("claude {LOOKS}"));
        for role in [Role::Coder, Role::Verifier, Role::General] {
            assert_eq!(
                line(&usual, role),
                "claude --permission-mode acceptEdits",
                "{role}"
            );
        }
        assert_eq!(
            line(&usual, Role::Research),
            "claude --permission-mode dontAsk --allowedTools Read Grep Glob WebFetch WebSearch Edit(.mo/**)"
        );
        for (text, expected) in [
            (
                r#"{"command":["/opt/claude","--model","opus"]}"#,
                format!("/opt/claude --model opus {LOOKS}"),
            ),
            (
                r#"{"command":["npx","claude"]}"#,
                format!("npx claude {LOOKS}"),
            ),
            (
                r#"{"command":["my-agent"],"kind":"claude"}"#,
                format!("my-agent {LOOKS}"),
            ),
            (
                r#"{"command":["claude"],"kind":"other"}"#,
                "claude".to_owned(),
            ),
            (r#"{"command":["codex","-p","x"]}"#, "codex -p x".to_owned()),
            (
                r#"{"roles":{"explore":{"command":["codex","--sandbox","read-only"]}}}"#,
                "codex --sandbox read-only".to_owned(),
            ),
        ] {
            assert_eq!(line(&workers(text), Role::Explore), expected, "{text}");
        }
    }

    #[test]
    fn roles_that_only_look_may_write_where_they_report_and_nowhere_else() {
        for role in [Role::Explore, Role::Research, Role::Reviewer] {
            let words = line(&WorkersConfig::default(), role);
            assert!(!role.writes());
            assert!(words.contains("--permission-mode dontAsk"), "{words}");
            assert_eq!(words.matches("Edit").count(), 1, "{words}");
            assert!(!words.contains("Bash"), "{words}");
        }
    }
}
