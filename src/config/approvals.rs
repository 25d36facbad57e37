//! Which dialogs are answered without asking the person: the rules as they stand in the configuration.
//!
//! Plain data, checked as it is read: a rule that could never fit, or would fit more than it says, is refused by
//! path and line. `director::approval` judges by them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::dialog::DialogKind;
use crate::ids::AgentId;

/// Every kind of dialog that a rule may be about.
const KINDS: [DialogKind; 5] = [
    DialogKind::Command,
    DialogKind::FileEdit,
    DialogKind::Plan,
    DialogKind::Tool,
    DialogKind::ApiKey,
];

/// What a rule answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RuleAnswer {
    /// No. Wins over every rule that allows, wherever it stands.
    Deny,
    /// Yes, this once; never "always".
    Allow,
}

/// Agents by name; `*` stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentGlob(String);

impl AgentGlob {
    /// Whether it means `agent`.
    pub fn fits(&self, agent: &AgentId) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else {
            return agent.as_str() == self.0;
        };
        let Some(mut left) = agent.as_str().strip_prefix(first) else {
            return false;
        };
        let mut parts: Vec<&str> = rest.split('*').collect();
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            match left.find(part) {
                Some(at) => left = &left[at + part.len()..],
                None => return false,
            }
        }
        left.ends_with(last)
    }
}

impl TryFrom<String> for AgentGlob {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        // with one character in place of each star it must be a name that an agent could have
        if text.is_empty() || text.replace('*', "x").parse::<AgentId>().is_err() {
            let shown = text.escape_debug();
            return Err(format!(
                "`{shown}` can be no agent's id, with `*` for any characters"
            ));
        }
        Ok(Self(text))
    }
}

impl From<AgentGlob> for String {
    fn from(glob: AgentGlob) -> Self {
        glob.0
    }
}

/// A regular expression that must fit the whole of a text.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    whole: Regex,
}

impl Pattern {
    /// The longest one, in characters.
    const LONGEST: usize = 1_000;

    /// Whether it fits the whole of `text`.
    pub fn fits(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }
}

impl FromStr for Pattern {
    type Err = String;
    fn from_str(source: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            let shown: String = source
                .chars()
                .take(80)
                .flat_map(char::escape_debug)
                .collect();
            Err(format!("`{shown}` is no pattern: {why}"))
        };
        if source.is_empty() {
            return wrong("it is empty");
        }
        if source.chars().count() > Self::LONGEST {
            return wrong("it is longer than 1,000 characters");
        }
        let compiled = |source: &str| RegexBuilder::new(source).size_limit(1 << 20).build();
        // by itself first: `a)|(b` would break out of what anchors it
        let checked = compiled(source).and_then(|_| compiled(&format!(r"\A(?:{source})\z")));
        match checked {
            Ok(whole) => Ok(Self {
                source: source.to_owned(),
                whole,
            }),
            Err(error) => {
                let why = error.to_string();
                wrong(why.lines().last().unwrap_or("it cannot be read").trim())
            }
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// What a command or a path must be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "WrittenMatch")]
pub enum Match {
    /// This, character by character.
    Exact(String),
    /// A command of plain words that begins with these whole words; a path that is this or lies below it.
    Prefix(String),
    /// Whatever this fits as a whole.
    Pattern(Pattern),
}

impl fmt::Display for Match {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => write!(out, "exactly `{}`", text.escape_debug()),
            Self::Prefix(text) => write!(out, "beginning with `{}`", text.escape_debug()),
            Self::Pattern(pattern) => {
                write!(out, "that fits `{}`", pattern.source.escape_debug())
            }
        }
    }
}

/// Exactly one of the three.
#[derive(Debug, Default, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "Match", extend("minProperties" = 1, "maxProperties" = 1))]
struct WrittenMatch {
    /// This, character by character.
    #[serde(skip_serializing_if = "Option::is_none")]
    exact: Option<String>,
    /// A command of plain words that begins with these whole words; a path that is this or lies below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    /// A regular expression that fits the whole of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
}

impl TryFrom<WrittenMatch> for Match {
    type Error = String;
    fn try_from(written: WrittenMatch) -> Result<Self, String> {
        match (written.exact, written.prefix, written.pattern) {
            (Some(text), None, None) | (None, Some(text), None) if text.trim().is_empty() => {
                Err("it is blank, and would fit nothing or everything".into())
            }
            (Some(text), None, None) => Ok(Self::Exact(text)),
            (None, Some(text), None) => Ok(Self::Prefix(text)),
            (None, None, Some(source)) => Ok(Self::Pattern(source.parse()?)),
            _ => Err("one of `exact`, `prefix` and `pattern` is needed, and only one".into()),
        }
    }
}

impl From<Match> for WrittenMatch {
    fn from(wanted: Match) -> Self {
        let mut written = Self::default();
        match wanted {
            Match::Exact(text) => written.exact = Some(text),
            Match::Prefix(text) => written.prefix = Some(text),
            Match::Pattern(pattern) => written.pattern = Some(pattern.source),
        }
        written
    }
}

/// One rule: what is answered to whom, about what.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "WrittenRule")]
pub struct ApprovalRule {
    /// What is answered.
    pub answer: RuleAnswer,
    /// Whose dialogs; `None`: every agent's.
    pub agents: Option<Vec<AgentGlob>>,
    /// Which dialogs. Where none is named, those of commands or of file edits, as the rest says.
    pub kinds: Vec<DialogKind>,
    /// What it must be about.
    pub about: About,
}

/// What a dialog must be about for a rule to fit.
#[derive(Debug, Clone, PartialEq)]
pub enum About {
    /// Anything, of the kinds that the rule names.
    Anything,
    /// A command, or a tool with its arguments.
    Command(Match),
    /// A file.
    Path(Match),
}

impl ApprovalRule {
    /// Whether it is about dialogs of this kind of this agent.
    pub fn concerns(&self, agent: &AgentId, kind: DialogKind) -> bool {
        let agents = self.agents.as_ref();
        agents.is_none_or(|globs| globs.iter().any(|glob| glob.fits(agent)))
            && self.kinds.contains(&kind)
    }
}

impl fmt::Display for ApprovalRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = match self.answer {
            RuleAnswer::Deny => "deny",
            RuleAnswer::Allow => "allow",
        };
        let kinds = self.kinds.iter().map(|kind| kind.as_str());
        write!(out, "{answer} {}", kinds.collect::<Vec<_>>().join(", "))?;
        match &self.about {
            About::Anything => out.write_str(", whatever it is")?,
            About::Command(wanted) | About::Path(wanted) => write!(out, " {wanted}")?,
        }
        match &self.agents {
            None => out.write_str(", every agent"),
            Some(globs) => {
                let names = globs.iter().map(|glob| glob.0.as_str());
                write!(out, ", agents {}", names.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// A rule as it stands in the file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ApprovalRule")]
struct WrittenRule {
    /// What is answered.
    answer: RuleAnswer,
    /// Whose dialogs: ids, with `*` for any characters. Left out: every agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>", length(min = 1))]
    agents: Option<Vec<AgentGlob>>,
    /// Which dialogs. A rule with neither `command` nor `path` must name them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    kinds: Option<Vec<DialogKind>>,
    /// The command, or with `"kinds": ["tool"]` the tool and its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<Match>,
    /// The file; a relative path starts from the agent's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<Match>,
}

impl TryFrom<WrittenRule> for ApprovalRule {
    type Error = String;
    fn try_from(written: WrittenRule) -> Result<Self, String> {
        if written.agents.as_ref().is_some_and(Vec::is_empty) {
            return Err("`agents` names nobody: name an agent, or leave it out for all".into());
        }
        let (about, may, default): (_, &[DialogKind], _) = match (written.command, written.path) {
            (Some(_), Some(_)) => {
                return Err("a rule is about a `command` or a `path`, not both".into());
            }
            (Some(wanted), None) => {
                if let Match::Prefix(prefix) = &wanted {
                    plain_prefix(prefix)?;
                }
                let may = &[DialogKind::Command, DialogKind::Tool];
                (About::Command(wanted), may, vec![DialogKind::Command])
            }
            (None, Some(wanted)) => {
                if let Match::Exact(path) | Match::Prefix(path) = &wanted {
                    plain_path(path)?;
                }
                let may = &[DialogKind::FileEdit];
                (About::Path(wanted), may, vec![DialogKind::FileEdit])
            }
            (None, None) => (About::Anything, &KINDS, Vec::new()),
        };
        let kinds = written.kinds.unwrap_or(default);
        if kinds.is_empty() {
            return Err("a rule with neither `command` nor `path` must name its `kinds`".into());
        }
        if let Some(kind) = kinds.iter().find(|kind| !may.contains(kind)) {
            return Err(format!(
                "no dialog of the kind `{kind}` has what the rule asks for"
            ));
        }
        Ok(Self {
            answer: written.answer,
            agents: written.agents,
            kinds,
            about,
        })
    }
}

impl From<ApprovalRule> for WrittenRule {
    fn from(rule: ApprovalRule) -> Self {
        let (command, path, default) = match rule.about {
            About::Anything => (None, None, None),
            About::Command(wanted) => (Some(wanted), None, Some(DialogKind::Command)),
            About::Path(wanted) => (None, Some(wanted), Some(DialogKind::FileEdit)),
        };
        let is_default = default.is_some_and(|kind| rule.kinds == [kind]);
        Self {
            answer: rule.answer,
            agents: rule.agents,
            kinds: (!is_default).then_some(rule.kinds),
            command,
            path,
        }
    }
}

/// Reads a `W` and makes the checked value of it. The check is made within the map, so that its error names the
/// line on which the map ends; with serde's `try_from` it would be a later one.
struct Checked<W, T>(PhantomData<(W, T)>);

impl<'de, W: Deserialize<'de>, T: TryFrom<W, Error = String>> Visitor<'de> for Checked<W, T> {
    type Value = T;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let written = W::deserialize(MapAccessDeserializer::new(map))?;
        T::try_from(written).map_err(de::Error::custom)
    }
}

macro_rules! checked {
    ($checked:ident, $written:ident) => {
        impl<'de> Deserialize<'de> for $checked {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_map(Checked::<$written, Self>(PhantomData))
            }
        }
        impl JsonSchema for $checked {
            fn schema_name() -> Cow<'static, str> {
                $written::schema_name()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                $written::json_schema(generator)
            }
        }
    };
}

checked!(Match, WrittenMatch);
checked!(ApprovalRule, WrittenRule);

/// Refuses a prefix of a command in which a shell would read more than words.
fn plain_prefix(prefix: &str) -> Result<(), String> {
    let is_plain = |c: char| !c.is_control() && !"'\"\\;&|$()<>`#".contains(c);
    let words: Vec<&str> = prefix.split(' ').collect();
    let has_assignment = words.first().is_some_and(|word| word.contains('='));
    if words.iter().any(|word| word.is_empty()) || !prefix.chars().all(is_plain) || has_assignment {
        let shown = prefix.escape_debug();
        return Err(format!(
            "`command.prefix` is plain words with one blank between them, not `{shown}`: use `pattern` or `exact`"
        ));
    }
    Ok(())
}

/// Refuses a path that says one thing and means another.
fn plain_path(path: &str) -> Result<(), String> {
    let refused = |why: &str| Err(format!("`{}` {why}", path.escape_debug()));
    if path.split('/').any(|part| part == "..") {
        return refused("leads upwards: write the path that it means");
    }
    if path.starts_with('~') || path.contains('$') {
        return refused("is taken as it is written: write the folder itself");
    }
    if path.chars().any(char::is_control) {
        return refused("holds a control character");
    }
    Ok(())
}

/// All that decides which dialogs are answered without asking.
#[derive(Debug, Clone, PartialEq)]
pub struct Approvals {
    /// The rules. One that denies wins over all that allow; otherwise the first that fits.
    pub rules: Vec<ApprovalRule>,
    /// Whether the built-in list turns what a rule allows into a question.
    pub builtin_deny: bool,
}

impl Default for Approvals {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            builtin_deny: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use proptest::prelude::*;

    fn glob(text: &str) -> AgentGlob {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn agents_are_named_with_stars() {
        let cases = [
            ("a1", "a1", true),
            ("a1", "a12", false),
            ("*", "anything", true),
            ("kernel-*", "kernel-bwd", true),
            ("kernel-*", "kernel-", true),
            ("kernel-*", "my-kernel-bwd", false),
            ("*-bwd", "kernel-bwd", true),
            ("k*l*d", "kernel-bwd", true),
            ("k*x*d", "kernel-bwd", false),
            ("ab*ba", "aba", false),
            ("a**b", "ab", true),
        ];
        for (pattern, agent, fits) in cases {
            let found = glob(pattern).fits(&agent.parse().unwrap());
            // an id such as `kernel-` may be none: then the case says nothing
            assert_eq!(found, fits, "{pattern} {agent}");
        }
        for text in ["", "a b", "../a", "a/*"] {
            assert!(AgentGlob::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_pattern_fits_the_whole_text_however_it_is_written() {
        let fits = |pattern: &str, text: &str| pattern.parse::<Pattern>().unwrap().fits(text);
        assert!(fits("cargo (test|check)", "cargo test"));
        for text in [
            "cargo tests",
            "xcargo test",
            "cargo test\n",
            "cargo test\nrm",
        ] {
            assert!(!fits("cargo test|cargo check", text), "{text:?}");
            assert!(!fits("(?m)^cargo test$", text), "{text:?}");
        }
        assert!(fits("a|ab", "ab"), "the longer way counts too");
        for pattern in ["", "(", "a)|(b", "a{1000}{1000}{1000}", "(?x)a #"] {
            assert!(pattern.parse::<Pattern>().is_err(), "{pattern}");
        }
        // the control: between anchors alone it would fit what only begins so
        let escaped = Regex::new(r"\A(?:a)|(?:b)\z").unwrap();
        assert!(escaped.is_match("a; rm -rf /"));
    }

    fn config(rules: &str) -> Result<Config, String> {
        let text = format!("{{\n\"approvals\": [\n{rules}\n]}}");
        Config::parse(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn rules_are_read_and_saved_as_they_were_written() {
        let rules = r#"[{"answer":"deny","command":{"prefix":"git push"}},
            {"answer":"allow","agents":["a1","kernel-*"],"command":{"exact":"make a; make b"}},
            {"answer":"allow","kinds":["command","tool"],"command":{"pattern":"cargo (test|check)"}},
            {"answer":"allow","path":{"prefix":"src/"}},
            {"answer":"deny","kinds":["apiKey","plan"]}]"#;
        let text = format!(r#"{{"approvals":{rules},"approvalsBuiltinDeny":false}}"#);
        let config = Config::parse(&text).unwrap();
        let saved: serde_json::Value = serde_json::from_str(&config.to_text()).unwrap();
        let written: serde_json::Value = serde_json::from_str(rules).unwrap();
        assert_eq!(saved["approvals"], written);
        assert_eq!(saved["approvalsBuiltinDeny"], false);
        assert_eq!(Config::parse(&config.to_text()).unwrap(), config);
        let shown: Vec<String> = config.approvals.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "deny command beginning with `git push`, every agent",
                "allow command exactly `make a; make b`, agents a1, kernel-*",
                "allow command, tool that fits `cargo (test|check)`, every agent",
                "allow fileEdit beginning with `src/`, every agent",
                "deny apiKey, plan, whatever it is, every agent",
            ]
        );
    }

    #[test]
    fn without_a_word_about_them_there_are_no_rules_and_the_built_in_list_holds() {
        let config = Config::parse("{}").unwrap();
        assert_eq!(config.approval_rules(), Approvals::default());
        assert!(config.approval_rules().builtin_deny && config.approvals.is_empty());
        assert!(!config.to_text().contains("approvals"));
    }

    #[test]
    fn a_rule_that_is_wrong_is_named_by_path_and_line() {
        let good = r#"{"answer":"deny","kinds":["plan"]},"#;
        let cases = [
            (r#"{"answer":"allow"}"#, "must name its `kinds`"),
            (r#"{"answer":"allow","kinds":[]}"#, "must name its `kinds`"),
            (
                r#"{"answer":"maybe","kinds":["plan"]}"#,
                "unknown variant `maybe`",
            ),
            (
                r#"{"answer":"allow","kinds":["trust"]}"#,
                "unknown variant `trust`",
            ),
            (
                r#"{"answer":"allow","kinds":["login"]}"#,
                "unknown variant `login`",
            ),
            (
                r#"{"answer":"allow","agents":[],"kinds":["plan"]}"#,
                "names nobody",
            ),
            (
                r#"{"answer":"allow","agents":["a b"],"kinds":["plan"]}"#,
                "can be no agent's id",
            ),
            (r#"{"answer":"allow","command":{}}"#, "only one"),
            (
                r#"{"answer":"allow","command":{"exact":"a","prefix":"a"}}"#,
                "only one",
            ),
            (
                r#"{"answer":"allow","command":{"exact":" "}}"#,
                "it is blank",
            ),
            (
                r#"{"answer":"allow","command":{"prefix":""}}"#,
                "it is blank",
            ),
            (
                r#"{"answer":"allow","command":{"pattern":"("}}"#,
                "is no pattern",
            ),
            (
                r#"{"answer":"allow","command":{"glob":"*"}}"#,
                "unknown field `glob`",
            ),
            (
                r#"{"answer":"allow","command":{"prefix":"ls;"}}"#,
                "plain words",
            ),
            (
                r#"{"answer":"allow","command":{"prefix":"ls "}}"#,
                "plain words",
            ),
            (
                r#"{"answer":"allow","command":{"prefix":"A=b ls"}}"#,
                "plain words",
            ),
            (
                r#"{"answer":"allow","command":{"exact":"a"},"path":{"exact":"b"}}"#,
                "not both",
            ),
            (
                r#"{"answer":"allow","command":{"exact":"a"},"kinds":["fileEdit"]}"#,
                "kind `fileEdit`",
            ),
            (
                r#"{"answer":"allow","path":{"exact":"a"},"kinds":["command"]}"#,
                "kind `command`",
            ),
            (
                r#"{"answer":"allow","path":{"prefix":"src/.."}}"#,
                "leads upwards",
            ),
            (
                r#"{"answer":"allow","path":{"prefix":"~/src"}}"#,
                "write the folder itself",
            ),
            (
                r#"{"answer":"allow","kinds":["plan"],"path":null,"x":1}"#,
                "unknown field `x`",
            ),
        ];
        for (rule, problem) in cases {
            let error = config(&format!("{good}\n{rule}")).unwrap_err();
            assert!(error.contains(problem), "{rule}\n{error}");
            assert!(
                error.contains("line 4, ") && error.contains("at `approvals[1]"),
                "{rule}\n{error}"
            );
        }
        assert!(config(&good.replace("},", "}")).is_ok(), "the control");
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_none_without_a_panic(source in any::<String>(), text in any::<String>()) {
            if let Ok(pattern) = source.parse::<Pattern>() {
                let _ = pattern.fits(&text);
            }
        }

        #[test]
        fn a_star_in_front_and_behind_fits_what_contains_it(a in "[a-z]{0,5}", b in "[a-z]{1,5}", c in "[a-z]{0,5}") {
            let agent = format!("{a}{b}{c}").parse().unwrap();
            let fits = |text: String| glob(&text).fits(&agent);
            let (around, within, other) = (format!("*{b}*"), format!("{a}*{c}"), format!("{b}-*"));
            prop_assert!(fits(around) && fits(within) && !fits(other));
        }
    }
}
