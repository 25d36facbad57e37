//! What a configuration that nobody named may not do before the person has said yes to it.
//!
//! A file that merely lies in the working folder may have come with a cloned repository, or been written by an
//! agent. Until the person has said yes to it, whatever in it could press a key unasked, run a program, send or write
//! what stands in the panes elsewhere, spend more than usual or make a screen pass for another is left out, as if the file did not say it; the
//! rest holds. The yes is for exactly that content and is remembered by its digest ([`ledger`]): a change by this
//! program keeps it, a change by anybody else loses it. `supervisor` goes by it, and `doctor`. The partition is
//! pure; only the ledger touches a file.

pub(super) mod ledger;

use std::borrow::Cow;
use std::fmt;
use std::path::{Component, Path};

use ring::digest::{Context, SHA256};
use serde_json::{Value, json};

use super::absolute;
use super::profiles::{self, Text};
use crate::config::{
    AgentConfig, Approvals, BackendConfig, BackendType, Config, Limits, Timing, WorkersConfig,
};
use crate::error::Failure;
use crate::http::Endpoint;
use crate::ids::{AgentId, Kind};

/// What of a configuration is left out until the person says yes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Approvals,
    Decide,
    Review,
    Plan,
    Profiles,
    Shell(AgentId),
    Kind(AgentId, Kind),
    Timing,
    Limits,
    LogDir,
    Command,
    Webhook,
    Workers,
}

/// One such part, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Withheld {
    part: Part,
    /// Where it stands, what it says and what it would do.
    said: String,
}

/// A configuration of which something is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    parts: Vec<Withheld>,
    /// What a yes would be for.
    digest: String,
}

/// What has been found out about a configuration and the profiles that it names.
pub(super) struct Judged {
    /// What is left out; `None`: all of it holds.
    pub held: Option<Held>,
    /// The profiles that it names, whether they hold or not.
    pub texts: Vec<Text>,
}

impl Held {
    /// One line for each part that is left out: where it stands, what it says, what it would do.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|one| one.said.as_str())
    }

    /// What a yes would be for.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    fn has(&self, part: &Part) -> bool {
        self.parts.iter().any(|one| one.part == *part)
    }

    /// What holds of `config` meanwhile.
    pub fn without(&self, config: &Config) -> Config {
        let mut config = config.clone();
        let default = Config::default();
        for one in &self.parts {
            match &one.part {
                Part::Approvals => {
                    config.approvals = Vec::new();
                    config.approvals_builtin_deny = true;
                }
                Part::Decide => config.decide_backend = default.decide_backend.clone(),
                Part::Plan => config.plan_backend = None,
                Part::Review => config.review_backend = default.review_backend.clone(),
                Part::Profiles => config.profiles = None,
                Part::Timing => {
                    let (given, least) = (config.timing, Timing::default());
                    config.timing.settle_sec = given.settle_sec.max(least.settle_sec);
                    config.timing.person_quiet_sec =
                        given.person_quiet_sec.max(least.person_quiet_sec);
                }
                Part::Limits => config.limits = against_usual(&config.limits, u64::min),
                Part::LogDir => config.log_dir.clone_from(&default.log_dir),
                Part::Command => config.notify.command = None,
                Part::Webhook => config.notify.webhook = None,
                Part::Workers => config.workers = default.workers.clone(),
                Part::Shell(_) | Part::Kind(..) => {}
            }
        }
        for agent in &mut config.agents {
            *agent = self.agent(agent);
        }
        config
    }

    /// What holds of an agent meanwhile.
    pub(super) fn agent(&self, agent: &AgentConfig) -> AgentConfig {
        let mut agent = agent.clone();
        if self.has(&Part::Shell(agent.id.clone())) {
            agent.allow_shell = false;
        }
        if let Some(kind) = &agent.kind
            && self.has(&Part::Kind(agent.id.clone(), kind.clone()))
        {
            agent.kind = None;
        }
        agent
    }

    /// The person has named the kind of `id` themselves; `None`: nothing is left out any more.
    pub(super) fn with_kind_named(mut self, id: &AgentId) -> Option<Self> {
        self.parts
            .retain(|one| !matches!(&one.part, Part::Kind(of, _) if of == id));
        (!self.parts.is_empty()).then_some(self)
    }

    /// The agent is gone: one that the person adds by this name is another.
    pub(super) fn without_agent(mut self, id: &AgentId) -> Option<Self> {
        self.parts
            .retain(|one| !matches!(&one.part, Part::Kind(of, _) | Part::Shell(of) if of == id));
        (!self.parts.is_empty()).then_some(self)
    }
}

/// A list for the person: a line each.
impl fmt::Display for Held {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.lines().map(|line| format!("- {line}")).collect();
        out.write_str(&lines.join("\n"))
    }
}

/// Reads what the configuration at `path` names, and judges it. `found`: nobody named it, so that what could harm
/// is left out unless the ledger knows a yes to exactly this content.
///
/// # Errors
/// When a profile that it names cannot be read. (Where it is left out anyway, that is no error.)
pub(super) fn judge(
    config: &Config,
    path: &Path,
    found: bool,
    ledger: Option<&Path>,
) -> Result<Judged, Failure> {
    let texts = profiles::named(config, path);
    if !found {
        return Ok(Judged {
            held: None,
            texts: texts?,
        });
    }
    let (texts, unread) = match texts {
        Ok(texts) => (texts, None),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    let digest = digest(config, path, &texts_digest(&texts));
    let parts: Vec<_> = parts(config).into_iter().map(|(part, _)| part).collect();
    let is_known = unread.is_none() && ledger.is_some_and(|ledger| ledger::knows(ledger, &digest));
    if parts.is_empty() || is_known {
        return match unread {
            Some(failure) => Err(failure),
            None => Ok(Judged { held: None, texts }),
        };
    }
    Ok(Judged {
        held: Some(Held { parts, digest }),
        texts,
    })
}

/// Tells one set of profiles from another.
pub(super) fn texts_digest(texts: &[Text]) -> String {
    let names = texts.iter().map(|(path, text)| {
        let name = path.file_name().unwrap_or_default();
        json!([name.to_string_lossy(), text])
    });
    let names: Value = names.collect();
    hex(&[names.to_string().as_bytes()])
}

/// Tells what could harm in the configuration at `path` from every other such content.
pub(super) fn digest(config: &Config, path: &Path, texts: &str) -> String {
    let contents = parts(config).into_iter().map(|(_, content)| content);
    let contents: Value = contents.collect();
    let contents = contents.to_string();
    hex(&[
        b"meta-orchestrator, trusted, 1",
        absolute(path).as_os_str().as_encoded_bytes(),
        texts.as_bytes(),
        contents.as_bytes(),
    ])
}

/// SHA-256 of the parts, each with its length before it.
fn hex(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let bytes = context.finish();
    let digits = bytes.as_ref().iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

/// Whether nothing in a configuration could harm.
pub(super) fn is_harmless(config: &Config) -> bool {
    parts(config).is_empty()
}

/// One such part, with what exactly a yes to it is for (which may hold a secret).
type Harmful = (Withheld, Value);

fn harmful(part: Part, said: String, content: Value) -> Harmful {
    (Withheld { part, said }, content)
}

/// What of a configuration could harm.
fn parts(config: &Config) -> Vec<Harmful> {
    let agents = config.agents.iter().flat_map(of_agent);
    let general = of_answers(config).into_iter().chain(agents);
    let bounded = general.chain(of_bounds(config));
    bounded.chain(of_programs(config)).collect()
}

/// Who answers, decides and reads screens.
fn of_answers(config: &Config) -> Vec<Harmful> {
    let mut parts = Vec::new();
    let rules = config.approval_rules();
    if rules != Approvals::default() {
        let content = json!(["approvals", config.approvals, rules.builtin_deny]);
        parts.push(harmful(Part::Approvals, rules_in_words(&rules), content));
    }
    let backends = [
        (Part::Decide, "decideBackend", Some(&config.decide_backend)),
        (Part::Review, "reviewBackend", Some(&config.review_backend)),
        (Part::Plan, "planBackend", config.plan_backend.as_ref()),
    ];
    for (part, field, backend) in backends {
        let Some(backend) = backend else { continue };
        if let Some(said) = sends(&part, backend) {
            let said = format!("`{field}`: {said}");
            parts.push(harmful(part, said, json!([field, backend])));
        }
    }
    if let Some(folder) = &config.profiles {
        let said = format!(
            "`profiles`: the screens of agents would be read by the files in {}, which decide what counts as an empty prompt",
            folder.display()
        );
        parts.push(harmful(Part::Profiles, said, json!(["profiles", folder])));
    }
    parts
}

fn of_agent(agent: &AgentConfig) -> Vec<Harmful> {
    let mut parts = Vec::new();
    let id = &agent.id;
    if agent.allow_shell {
        let said = format!("`allowShell` of {id}: a text would be a command for a shell");
        let content = json!(["allowShell", id, agent.pane]);
        parts.push(harmful(Part::Shell(id.clone()), said, content));
    }
    if let Some(kind) = &agent.kind {
        let said = format!(
            "`kind` of {id}: whatever runs in its pane would be read, and typed to, as `{kind}`"
        );
        let content = json!(["kind", id, agent.pane, kind]);
        parts.push(harmful(Part::Kind(id.clone(), kind.clone()), said, content));
    }
    parts
}

/// How soon, how much, and where to.
fn of_bounds(config: &Config) -> Vec<Harmful> {
    let mut parts = Vec::new();
    let (given, usual) = (config.timing, Timing::default());
    if given.settle_sec < usual.settle_sec || given.person_quiet_sec < usual.person_quiet_sec {
        let said = "`timing`: `settleSec` and `personQuietSec` are shorter than usual: a text would be typed sooner after a change or after you".to_owned();
        let content = json!(["timing", given.settle_sec, given.person_quiet_sec]);
        parts.push(harmful(Part::Timing, said, content));
    }
    // narrower ones need no yes: what a yes is for does not change by them
    let [narrow, wide] = [u64::min, u64::max].map(|which| against_usual(&config.limits, which));
    if config.limits != narrow {
        let said = "`limits`: they are wider than usual: your agents would be nudged, and models asked, more often".to_owned();
        parts.push(harmful(Part::Limits, said, json!(["limits", wide])));
    }
    let folder = &config.log_dir;
    if leads_away(folder) {
        let said = format!(
            "`logDir`: what stands in your panes would be written to {}, outside of this folder",
            folder.display()
        );
        parts.push(harmful(Part::LogDir, said, json!(["logDir", folder])));
    }
    parts
}

/// What is run, and who is told.
fn of_programs(config: &Config) -> Vec<Harmful> {
    let mut parts = Vec::new();
    if let Some(command) = &config.notify.command {
        let said = format!("`notify.command`: it would run {command}");
        parts.push(harmful(Part::Command, said, json!(["command", command])));
    }
    if let Some(hook) = &config.notify.webhook {
        let said = "`notify.webhook`: it would send what your agents ask to an address".to_owned();
        parts.push(harmful(Part::Webhook, said, json!(["webhook", hook])));
    }
    if config.workers != WorkersConfig::default() {
        let programs = config.workers.programs();
        let said = format!(
            "`workers`: a mission would run {} in panes",
            programs.join(", ")
        );
        parts.push(harmful(
            Part::Workers,
            said,
            json!(["workers", config.workers]),
        ));
    }
    parts
}

/// Limits, each of them as `which` says of it and the usual one.
fn against_usual(given: &Limits, which: fn(u64, u64) -> u64) -> Limits {
    let usual = Limits::default();
    let small = |given: u32, usual: u32| {
        let chosen = which(given.into(), usual.into());
        u32::try_from(chosen).unwrap_or(usual)
    };
    Limits {
        nudges_per_hour: small(given.nudges_per_hour, usual.nudges_per_hour),
        fruitless_nudges: small(given.fruitless_nudges, usual.fruitless_nudges),
        calls_per_day: small(given.calls_per_day, usual.calls_per_day),
        tokens_per_day: which(given.tokens_per_day, usual.tokens_per_day),
        calls_at_once: small(given.calls_at_once, usual.calls_at_once),
    }
}

/// Whether a path, by its words, leads out of the folder in which it is meant.
fn leads_away(path: &Path) -> bool {
    let stays = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    !path.components().all(stays)
}

fn rules_in_words(rules: &Approvals) -> String {
    let mut said = Vec::new();
    for (index, rule) in rules.rules.iter().enumerate() {
        said.push(format!("[{index}] {rule}"));
    }
    if !rules.builtin_deny {
        said.push("the built-in list of dangerous commands would not hold".into());
    }
    format!(
        "`approvals`: dialogs would be answered without asking you: {}",
        said.join("; ")
    )
}

/// What a backend would send where; `None` where that is this machine without a key out of the environment, or
/// what holds without a configuration too.
fn sends(part: &Part, backend: &BackendConfig) -> Option<String> {
    if backend.kind == BackendType::Builtin {
        return None;
    }
    let place = Endpoint::parse(backend.base_url());
    let is_here = place.as_ref().is_ok_and(Endpoint::is_loopback);
    let usual = BackendConfig::of(backend.kind);
    let is_usual = matches!(part, Part::Review | Part::Plan)
        && backend.kind == BackendType::Gemini
        && backend.base_url() == usual.base_url()
        && backend.key_variable() == usual.key_variable()
        && backend.api_key.is_none();
    if is_usual || (is_here && backend.key_variable().is_none()) {
        return None;
    }
    let place = place.as_ref().map_or("its address", Endpoint::server);
    let key = backend.key_variable().filter(|_| backend.api_key.is_none());
    let key = key.map_or_else(String::new, |name| format!(", with the key in {name}"));
    let what = match part {
        Part::Plan => "repositories",
        _ => "panes",
    };
    Some(format!(
        "what stands in your {what} would be sent to {place}{key}"
    ))
}

/// What holds of a configuration.
pub(super) fn in_force<'a>(held: Option<&Held>, config: &'a Config) -> Cow<'a, Config> {
    held.map_or(Cow::Borrowed(config), |held| {
        Cow::Owned(held.without(config))
    })
}

#[cfg(test)]
mod tests;
