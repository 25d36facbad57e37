//! What is known about each kind of agent's screens, as data: `config/agents/<kind>.json`.
//!
//! A [`Profile`] says where the agent's prompt is, what shows which [`State`](super::state::State), what its
//! dialogs look like, what moves on its screen without meaning anything, and how it is typed to. The shipped
//! ones are compiled in; a file of the person's with the same kind stands in for one. Reads text that it is
//! given; `agent`, `hands` and the command line call it through [`super::recognise`].

mod data;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

pub use data::{
    AnimationSpec, ClauseSpec, CursorPlace, DialogSpec, FieldSpec, FieldTyping, InlineSpec, Part,
    Pattern, Press, ProcessSpec, ProfileFile, PromptSpec, PromptWant, Publishes, RuleSpec, Submit,
    TypingSpec, Write,
};

use crate::config::{ConfigError, read_json};
use crate::ids::Kind;

/// The profiles that ship.
const SHIPPED: [&str; 6] = [
    include_str!("../../../config/agents/claude.json"),
    include_str!("../../../config/agents/codex.json"),
    include_str!("../../../config/agents/opencode.json"),
    include_str!("../../../config/agents/gemini.json"),
    include_str!("../../../config/agents/aider.json"),
    include_str!("../../../config/agents/demo.json"),
];

/// How many rows a clause looks at where it does not say.
const ROWS: usize = 30;

/// How many rows a clause looks at.
pub(super) fn rows_of(clause: &ClauseSpec) -> usize {
    clause.rows.unwrap_or(ROWS)
}

/// A profile, ready to be used.
#[derive(Debug)]
pub struct Profile {
    text: String,
    file: ProfileFile,
    windows: Vec<Window>,
}

/// A part of the screen that clauses look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) part: Part,
    pub(super) rows: usize,
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// When the text is no JSON, has an unknown or a missing field, or a pattern that is no regular expression.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let file: ProfileFile = read_json(text)?;
        let mut windows: Vec<Window> = Vec::new();
        let of_rules = file.rules.iter().flat_map(|rule| &rule.when);
        for clause in of_rules.chain(&file.context_full) {
            let window = Window::of(clause);
            if !windows.contains(&window) {
                windows.push(window);
            }
        }
        Ok(Self {
            text: text.to_owned(),
            file,
            windows,
        })
    }

    /// What its file says.
    pub const fn file(&self) -> &ProfileFile {
        &self.file
    }

    /// The kind of agent.
    pub const fn kind(&self) -> &Kind {
        &self.file.kind
    }

    /// How the agent is typed to.
    pub const fn typing(&self) -> &TypingSpec {
        &self.file.typing
    }

    pub(super) fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Whether a program called `name` with these arguments is this agent.
    fn is(&self, name: &str, arguments: &[String]) -> bool {
        self.file.processes.iter().any(|process| {
            let argued = process.argument.as_ref().is_none_or(|pattern| {
                arguments
                    .iter()
                    .any(|argument| pattern.regex().is_match(argument))
            });
            process.name == name && argued
        })
    }
}

impl Window {
    pub(super) fn of(clause: &ClauseSpec) -> Self {
        Self {
            part: clause.part,
            rows: rows_of(clause),
        }
    }
}

/// The profiles that are known, by kind.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    known: BTreeMap<Kind, Arc<Profile>>,
}

impl Profiles {
    /// Those that ship. Tests keep them readable; one that is not is left out. The first call compiles their patterns,
    /// which takes some 40 ms: a start has it made beside other work.
    pub fn shipped() -> Self {
        static COMPILED: LazyLock<Profiles> = LazyLock::new(|| {
            let mut profiles = Profiles::default();
            let parsed = SHIPPED.into_iter().map(Profile::parse);
            parsed.flatten().for_each(|profile| profiles.add(profile));
            profiles
        });
        COMPILED.clone()
    }

    /// Adds a profile, in place of one of the same kind.
    pub fn add(&mut self, profile: Profile) {
        self.known.insert(profile.kind().clone(), Arc::new(profile));
    }

    /// The profile of a kind.
    pub fn get(&self, kind: &Kind) -> Option<&Arc<Profile>> {
        self.known.get(kind)
    }

    /// The profile of the program called `name` with these arguments.
    pub fn of_program(&self, name: &str, arguments: &[String]) -> Option<&Arc<Profile>> {
        self.known
            .values()
            .find(|profile| profile.is(name, arguments))
    }

    /// The kinds whose profiles are others in `after`, or are known only here or only there.
    pub fn changed(&self, after: &Self) -> Vec<Kind> {
        let text = |of: &Self, kind: &Kind| of.get(kind).map(|profile| profile.text.clone());
        let mut kinds: Vec<Kind> = self.kinds().chain(after.kinds()).cloned().collect();
        kinds.sort();
        kinds.dedup();
        kinds.retain(|kind| text(self, kind) != text(after, kind));
        kinds
    }

    /// The kinds that are known, in the order of the alphabet.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.known.keys()
    }

    /// The JSON schema of a profile's file, as `config/agents/profile.schema.json` ships it.
    pub fn schema_text() -> String {
        let mut text =
            serde_json::to_string_pretty(&schemars::schema_for!(ProfileFile)).unwrap_or_default();
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_profile_is_told_by_its_kind() {
        let shipped = Profiles::shipped();
        let mut own = Profiles::shipped();
        assert_eq!(shipped.changed(&own), []);
        let changed = SHIPPED[0].replacen('{', "{ ", 1);
        let changed = Profile::parse(&changed).unwrap();
        let kind = changed.kind().clone();
        own.add(changed);
        assert_eq!(shipped.changed(&own), std::slice::from_ref(&kind));
        own.known.remove(&kind);
        assert_eq!(shipped.changed(&own), std::slice::from_ref(&kind));
        assert_eq!(own.changed(&shipped), [kind]);
    }

    #[test]
    fn every_shipped_profile_can_be_read() {
        for text in SHIPPED {
            let read = Profile::parse(text);
            assert!(read.is_ok(), "{}: {}", &text[..80], read.unwrap_err());
        }
        assert_eq!(Profiles::shipped().kinds().count(), SHIPPED.len());
    }

    #[test]
    fn a_wrong_profile_is_told_by_path_and_line() {
        let text = |rules: &str| {
            format!(
                "{{\"kind\":\"x\",\"name\":\"X\",\"processes\":[],\"prompt\":{{\"body\":\"^>\",\"end\":\"^$\"}},\n\"rules\":[{rules}]}}"
            )
        };
        let cases = [
            (
                r#"{"name":"a","state":"asleep"}"#,
                "line 2, column 37, at `rules[0].state`: unknown variant `asleep`",
            ),
            (
                r#"{"name":"a","state":"idle","when":[{"in":"below","all":["("]}]}"#,
                "at `rules[0].when[0].all[0]`: `(` is no regular expression: unclosed group",
            ),
            (
                r#"{"name":"a","state":"idle","whne":[]}"#,
                "unknown field `whne`",
            ),
        ];
        for (rule, expected) in cases {
            let problem = Profile::parse(&text(rule)).unwrap_err().to_string();
            assert!(
                problem.contains(expected),
                "{rule}\n  gives {problem}\n  not   {expected}"
            );
        }
        assert!(Profile::parse(&text("")).is_ok());
    }

    #[test]
    fn the_shipped_schema_is_that_of_the_code() {
        assert_eq!(
            include_str!("../../../config/agents/profile.schema.json"),
            Profiles::schema_text(),
            "write it anew: cargo run -- schema --profile > config/agents/profile.schema.json"
        );
    }

    #[test]
    fn an_agent_is_known_by_its_program_and_its_arguments() {
        let profiles = Profiles::shipped();
        let kind = |name: &str, arguments: &[&str]| {
            let arguments: Vec<String> = arguments
                .iter()
                .map(|&argument| argument.to_owned())
                .collect();
            profiles
                .of_program(name, &arguments)
                .map(|profile| profile.kind().to_string())
        };
        let is = |kind: &str| Some(kind.to_owned());
        assert_eq!(kind("claude", &["claude"]), is("claude"));
        assert_eq!(
            kind(
                "node",
                &["node", "/usr/lib/node_modules/@openai/codex/bin/codex.js"]
            ),
            is("codex")
        );
        assert_eq!(
            kind("node", &["node", "/usr/local/bin/gemini"]),
            is("gemini")
        );
        // the system cuts a program's name
        let program = "/usr/bin/meta-orchestrator";
        let simulated = [program, "demo-agent", "worker"];
        assert_eq!(kind("meta-orchestrat", &simulated), is("demo"));
        assert_eq!(kind("meta-orchestrat", &[program, "run"]), None);
        assert_eq!(kind("node", &["node", "server.js"]), None);
        assert_eq!(kind("vim", &["vim", "claude"]), None);
    }
}
