//! The configuration as plain data: its form, its defaults, its checks and its JSON schema.
//!
//! Reading and writing the file is [`crate::supervisor`]'s business, through `store`; this module turns
//! text into a [`Config`] that needs no further check, and back. An error names the place in the text and
//! what was expected there. The form is that of the first meta-orchestrator, with optional fields added, so
//! that its files load unchanged and are saved with the same keys.

mod approvals;
mod backend;
mod dialog;
mod error;
mod notify;
mod seconds;
mod workers;

use std::collections::HashMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

pub use approvals::{About, AgentGlob, ApprovalRule, Approvals, Match, Pattern, RuleAnswer};
pub use backend::{
    BackendConfig, BackendType, DEFAULT_GEMINI_KEY_VARIABLE, DEFAULT_GEMINI_URL,
    DEFAULT_OPENAI_URL, Fallback,
};
pub use dialog::DialogKind;
pub use error::ConfigError;
use error::OWN_ID_AND_PANE;
pub use notify::{Argv, NotifyConfig, QuietHours, WebhookConfig};
pub use seconds::Seconds;
pub use workers::{Role, WorkerCommand, WorkersConfig};

use crate::ids::{AgentId, Kind, PaneRef, SessionName};

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// Where an editor finds the schema of this file.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The agents to supervise.
    pub agents: Vec<AgentConfig>,
    /// Where memos, decisions, reviews and diagnostics go; a relative path starts from the working folder.
    pub log_dir: PathBuf,
    /// The cheap model that decides what to do about a stalled agent.
    pub decide_backend: BackendConfig,
    /// The heavy model behind `/review`.
    #[serde(default = "BackendConfig::default_review")]
    pub review_backend: BackendConfig,
    /// The model that writes plans of missions; the review backend where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_backend: Option<BackendConfig>,
    /// The zellij session of agents that name none; without it, the session this program runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zellij_session: Option<SessionName>,
    /// A folder of the person's own profiles of agents, `<kind>.json`, each in place of the shipped one of its
    /// kind or for a new kind; a relative path starts from the folder of this file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profiles: Option<PathBuf>,
    /// Decide everything, type nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub observe: bool,
    /// Bounds on spend and on nagging, per agent unless said otherwise.
    #[serde(skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// Deadlines, pauses and re-ask times.
    #[serde(skip_serializing_if = "is_default")]
    pub timing: Timing,
    /// What `/review` sends.
    #[serde(skip_serializing_if = "is_default")]
    pub review: ReviewConfig,
    /// When logs are rotated and how long they are kept.
    #[serde(skip_serializing_if = "is_default")]
    pub logs: LogConfig,
    /// Which dialogs are answered without asking you; without rules, none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ApprovalRule>,
    /// Whether dangerous commands are put to you whatever the rules allow.
    #[serde(skip_serializing_if = "is_true")]
    pub approvals_builtin_deny: bool,
    /// How you are told that somebody waits for you.
    #[serde(skip_serializing_if = "is_default")]
    pub notify: NotifyConfig,
    /// What runs as the workers of missions.
    #[serde(skip_serializing_if = "is_default")]
    pub workers: WorkersConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            schema: None,
            agents: Vec::new(),
            log_dir: PathBuf::from("./logs"),
            decide_backend: BackendConfig::default(),
            review_backend: BackendConfig::default_review(),
            plan_backend: None,
            zellij_session: None,
            profiles: None,
            observe: false,
            limits: Limits::default(),
            timing: Timing::default(),
            review: ReviewConfig::default(),
            logs: LogConfig::default(),
            approvals: Vec::new(),
            approvals_builtin_deny: true,
            notify: NotifyConfig::default(),
            workers: WorkersConfig::default(),
        }
    }
}

/// One agent to supervise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentConfig {
    /// Its name; also the name of its log files.
    pub id: AgentId,
    /// Its pane: `terminal_18`, or `session:terminal_18`.
    pub pane: PaneRef,
    /// What it is to achieve, in words.
    pub goal: String,
    /// Seconds without a change of the screen after which it counts as stalled.
    #[serde(default = "default_stall")]
    pub stall_sec: Seconds,
    /// Seconds between two looks at the pane.
    #[serde(default = "default_poll")]
    pub poll_sec: Seconds,
    /// Whether it is supervised from the start.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Decide everything, type nothing, for this agent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub observe: bool,
    /// What kind of agent it is, where its program does not tell: `claude`, `codex`, ..., or `generic` for a
    /// program without a profile that may be typed to all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Whether text may be typed while a shell is in the foreground of the pane. The text is then a shell
    /// command: say yes only for programs that look like a shell and are none.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_shell: bool,
}

impl AgentConfig {
    /// An enabled agent with the default times.
    pub fn new(id: AgentId, pane: PaneRef, goal: impl Into<String>) -> Self {
        Self {
            id,
            pane,
            goal: goal.into(),
            stall_sec: default_stall(),
            poll_sec: default_poll(),
            enabled: true,
            observe: false,
            kind: None,
            allow_shell: false,
        }
    }
}

/// Bounds on spend and on nagging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// Nudges that one agent gets in any hour.
    pub nudges_per_hour: u32,
    /// Nudges in a row that changed nothing for good, after which the person is asked.
    pub fruitless_nudges: u32,
    /// Decide calls for one agent in a day (UTC).
    pub calls_per_day: u32,
    /// Tokens, in and out, for one agent in a day (UTC).
    pub tokens_per_day: u64,
    /// Calls under way at once to one server, over all agents.
    #[schemars(range(min = 1))]
    #[serde(deserialize_with = "at_least_one")]
    pub calls_at_once: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            nudges_per_hour: 12,
            fruitless_nudges: 3,
            calls_per_day: 500,
            tokens_per_day: 1_000_000,
            calls_at_once: 2,
        }
    }
}

/// Deadlines, pauses and re-ask times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Timing {
    /// How long one call of zellij may take.
    pub zellij_timeout_sec: Seconds,
    /// The longest wait before an unchanged screen is asked about again; it doubles up to here.
    pub reask_max_sec: Seconds,
    /// The time between the two looks that must agree before a text is typed.
    pub settle_sec: Seconds,
    /// How long a prompt must have been empty and still after a person was at work in it.
    pub person_quiet_sec: Seconds,
    /// The pause between our text and Enter, at least.
    pub enter_pause_sec: Seconds,
    /// How long our text may take to appear in the prompt.
    pub echo_timeout_sec: Seconds,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            zellij_timeout_sec: Seconds::from_millis(5_000),
            reask_max_sec: Seconds::from_millis(1_800_000),
            settle_sec: Seconds::from_millis(1_500),
            person_quiet_sec: Seconds::from_millis(10_000),
            enter_pause_sec: Seconds::from_millis(400),
            echo_timeout_sec: Seconds::from_millis(3_000),
        }
    }
}

/// What `/review` sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReviewConfig {
    /// Characters of the memo log; the oldest memos are left out first.
    pub memo_chars: usize,
    /// Characters of the pane and its scrollback.
    pub pane_chars: usize,
}

impl Default for ReviewConfig {
    fn default() -> Self {
        Self {
            memo_chars: 400_000,
            pane_chars: 10_000,
        }
    }
}

/// When logs are rotated and how long they are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LogConfig {
    /// A log that has grown past this size in MiB is set aside under a dated name (0: never).
    pub rotate_mib: u64,
    /// Logs that were set aside are deleted after so many days (0: never).
    pub keep_days: u32,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            rotate_mib: 256,
            keep_days: 0,
        }
    }
}

const fn default_stall() -> Seconds {
    Seconds::from_millis(30_000)
}

const fn default_poll() -> Seconds {
    Seconds::from_millis(5_000)
}

const fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls"
)]
const fn is_true(value: &bool) -> bool {
    *value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn at_least_one<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        0 => Err(de::Error::invalid_value(
            de::Unexpected::Unsigned(0),
            &"1 or more",
        )),
        count => Ok(count),
    }
}

impl Config {
    /// Reads a configuration; what is missing takes its default.
    ///
    /// # Errors
    /// When the text is no JSON, has a field that is unknown or of the wrong type, a value out of its range,
    /// two agents with one id or one pane, or anything after the end.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = read_json(text)?;
        config.distinct(text)?;
        Ok(config)
    }

    /// Refuses a second agent with the id or the pane of another, where it stands in `text`.
    fn distinct(&self, text: &str) -> Result<(), ConfigError> {
        let mut ids = HashMap::new();
        let mut panes = HashMap::new();
        for (index, agent) in self.agents.iter().enumerate() {
            let id = &agent.id;
            let wrong = |field: &str, nth: usize, problem: String| {
                let (line, column) = place_of(text, id, nth);
                let path = format!("agents[{index}].{field}");
                ConfigError {
                    path,
                    line,
                    column,
                    problem,
                    hint: OWN_ID_AND_PANE,
                }
            };
            if ids.insert(id, index).is_some() {
                let problem = format!("a second agent with the id `{id}`");
                return Err(wrong("id", 1, problem));
            }
            // `18` and `work:18` are one pane where `work` is the default session
            let session = agent.pane.session.as_ref().or(self.zellij_session.as_ref());
            if let Some(earlier) = panes.insert((session, agent.pane.pane), id) {
                let problem = format!("`{id}` has the pane of `{earlier}`, {}", agent.pane);
                return Err(wrong("pane", 0, problem));
            }
        }
        Ok(())
    }

    /// The text that [`parse`](Self::parse) reads back as the same configuration: indented JSON and a newline.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether the text of this configuration contains a key, and its file must be readable by its owner only.
    pub fn holds_key(&self) -> bool {
        let hook = self.notify.webhook.as_ref();
        self.decide_backend.api_key.is_some()
            || self.review_backend.api_key.is_some()
            || (self.plan_backend.as_ref()).is_some_and(|plan| plan.api_key.is_some())
            || hook.is_some_and(|hook| hook.url.is_some())
    }

    /// All that decides which dialogs are answered without asking.
    pub fn approval_rules(&self) -> Approvals {
        Approvals {
            rules: self.approvals.clone(),
            builtin_deny: self.approvals_builtin_deny,
        }
    }

    /// The agent called `id`.
    pub fn agent(&self, id: &AgentId) -> Option<&AgentConfig> {
        self.agents.iter().find(|agent| agent.id == *id)
    }

    /// The JSON schema of the file, as `config/meta_orchestrator.schema.json` ships it.
    pub fn schema_text() -> String {
        let mut text =
            serde_json::to_string_pretty(&schemars::schema_for!(Self)).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Reads a JSON text that a person wrote, whole, with the place of what is wrong.
///
/// # Errors
/// When it is no JSON, not of the form of `T`, or followed by anything.
pub fn read_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut from = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut from)
        .map_err(|error| ConfigError::new(error.path().to_string(), error.inner()))?;
    from.end()
        .map_err(|error| ConfigError::new(String::new(), &error))?;
    Ok(read)
}

/// Line and column, from 1, of the agent id `id` in `text`, where it stands for the `nth` time (from 0).
///
/// Within a JSON string every quote has a backslash before it, so that no goal can pass for an id. An id that
/// was written with escapes is not found: the place is then the beginning.
fn place_of(text: &str, id: &AgentId, nth: usize) -> (usize, usize) {
    const KEY: &str = "\"id\"";
    let value = format!("\"{id}\"");
    let mut places = text.match_indices(KEY).filter_map(|(at, _)| {
        let rest = text[at + KEY.len()..].trim_start().strip_prefix(':')?;
        let rest = rest.trim_start();
        rest.starts_with(&value).then(|| text.len() - rest.len())
    });
    let before = &text[..places.nth(nth).unwrap_or_default()];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before.len() - line_start + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGINAL: &str = r#"{"agents":[{"id":"kernel-bwd","pane":"terminal_18",
        "goal":"Optimise FlashAttn v3 bwd SM90 2x throughput","stallSec":30,"pollSec":5,"enabled":true}],
        "logDir":"./logs",
        "decideBackend":{"type":"openaiCompat","baseUrl":"http://127.0.0.1:11211/v1","model":"local-model","apiKey":"optional"},
        "reviewBackend":{"type":"gemini","model":"gemini-2.5-pro"}}"#;

    fn problem(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_originals_configuration_is_read_and_saved_with_the_same_keys() {
        let config = Config::parse(ORIGINAL).unwrap();
        let saved: serde_json::Value = serde_json::from_str(&config.to_text()).unwrap();
        let original: serde_json::Value = serde_json::from_str(ORIGINAL).unwrap();
        assert_eq!(saved, original);
        assert!(config.holds_key());
    }

    #[test]
    fn what_is_missing_takes_its_default() {
        let config = Config::parse(r#"{"agents":[{"id":"a","pane":"3","goal":""}]}"#).unwrap();
        let agent = &config.agents[0];
        assert_eq!(
            (agent.stall_sec, agent.poll_sec, agent.enabled),
            (default_stall(), default_poll(), true)
        );
        assert_eq!(config.decide_backend.base_url(), DEFAULT_OPENAI_URL);
        assert_eq!(config.review_backend.model(), "gemini-2.5-pro");
        assert_eq!(Config::parse("{}").unwrap(), Config::default());
    }

    #[test]
    fn a_wrong_file_is_told_by_path_line_and_expectation() {
        let agent = |rest: &str| {
            format!("{{\"agents\":[\n {{\"id\":\"a\",\"pane\":\"3\",\"goal\":\"g\"{rest}}}\n]}}")
        };
        let cases = [
            (String::new(), "line 1, column 0: EOF while parsing a value"),
            (
                "{\n \"agents\": [,]}".into(),
                "line 2, column 13, at `agents[0]`: expected value",
            ),
            ("{} x".into(), "line 1, column 4: trailing characters"),
            (
                agent(",\"polSec\":5"),
                "line 2, column 41, at `agents[0].polSec`: unknown field `polSec`",
            ),
            (
                agent(",\"pollSec\":0"),
                "at `agents[0].pollSec`: invalid value: floating point `0.0`, expected seconds from 0.1",
            ),
            (
                agent(",\"pollSec\":\"5\""),
                "at `agents[0].pollSec`: invalid type: string \"5\", expected f64",
            ),
            (
                // a goal cannot pass for an id
                agent("},\n{\"goal\":\"\\\"id\\\":\\\"a\\\"\",\"id\" : \"a\",\"pane\":\"4\""),
                "line 3, column 31, at `agents[1].id`: a second agent with the id `a`",
            ),
            (
                agent("},\n{\"id\":\"b\",\"pane\":\"3\",\"goal\":\"\""),
                "line 3, column 7, at `agents[1].pane`: `b` has the pane of `a`",
            ),
            (
                r#"{"agents":[{"id":"../a","pane":"3","goal":""}]}"#.into(),
                "at `agents[0].id`: `../a` is no agent id",
            ),
            (
                r#"{"decideBackend":{"type":"ollama"}}"#.into(),
                "at `decideBackend.type`: unknown variant `ollama`",
            ),
            (
                r#"{"decideBackend":{"type":"builtin","baseUrl":"localhost"}}"#.into(),
                "at `decideBackend.baseUrl`",
            ),
            (
                r#"{"limits":{"callsAtOnce":0}}"#.into(),
                "at `limits.callsAtOnce`",
            ),
        ];
        for (text, expected) in cases {
            let problem = problem(&text);
            assert!(
                problem.contains(expected),
                "{text}\n  gives {problem}\n  not   {expected}"
            );
        }
    }

    #[test]
    fn one_pane_of_the_default_session_cannot_be_named_twice_in_two_ways() {
        let text = r#"{"zellijSession":"w","agents":[{"id":"a","pane":"3","goal":""},{"id":"b","pane":"w:3","goal":""}]}"#;
        assert!(problem(text).contains("at `agents[1].pane`: `b` has the pane of `a`"));
    }

    #[test]
    fn a_key_is_never_shown_by_debug() {
        let shown = format!("{:?}", Config::parse(ORIGINAL).unwrap());
        assert!(!shown.contains("\"optional\""), "{shown}");
    }

    #[test]
    fn the_shipped_schema_and_example_are_those_of_the_code() {
        let shipped = include_str!("../config/meta_orchestrator.schema.json");
        assert_eq!(
            shipped,
            Config::schema_text(),
            "write it anew: cargo run -- schema > config/meta_orchestrator.schema.json"
        );
        Config::parse(include_str!(
            "../config/meta_orchestrator.config.example.json"
        ))
        .unwrap();
    }
}
