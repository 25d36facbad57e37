//! The names of things, parsed once and valid ever after.
//!
//! Ids go into file names, argument lists and log lines, so what they may contain is decided here and
//! nowhere else. A value of one of these types needs no further check.

use std::borrow::Cow;
use std::fmt;
use std::hash::Hasher;
use std::str::FromStr;

use fnv::FnvHasher;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest name that is a file's too, in bytes.
const LONGEST_NAME: usize = 64;

/// Why a text is not the name it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is no {what}: {rule}")]
pub struct InvalidId {
    what: &'static str,
    rule: &'static str,
    shown: String,
}

impl InvalidId {
    fn new(what: &'static str, rule: &'static str, text: &str) -> Self {
        let shown = text.chars().take(80).flat_map(char::escape_debug).collect();
        Self { what, rule, shown }
    }
}

const NAME_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
const NAME_RULE: &str =
    "1 to 64 letters, digits, `-`, `_` or `.`, beginning with a letter or a digit";

/// A name that is safe as a file name on every system: no separators, no leading dot or dash.
fn is_safe_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= LONGEST_NAME
        && bytes
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Serde, schema and printing for a type that is a checked text.
macro_rules! text_id {
    ($name:ident, $what:literal, $pattern:expr) => {
        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(&self.text())
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.text())
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(de::Error::custom)
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $what, "pattern": $pattern })
            }
        }
    };
}

macro_rules! safe_name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
            fn text(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if is_safe_name(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId::new($what, NAME_RULE, text))
                }
            }
        }
        text_id!($name, $what, NAME_PATTERN);
    };
}

safe_name!(
    /// The name of a supervised agent; it names the agent's files.
    AgentId,
    "agent id"
);
safe_name!(
    /// The name of a kind of agent: which profile reads its screens.
    Kind,
    "kind of agent"
);
safe_name!(
    /// The name under which memos of one stretch of work are kept (not a zellij session).
    SessionId,
    "session id"
);
safe_name!(
    /// The name of a task within its mission; it names the task's branch and folder.
    TaskId,
    "task's slug"
);
safe_name!(
    /// The name of a mission; it names the mission's folder and its branches.
    MissionId,
    "mission's name"
);

impl AgentId {
    /// The worker of a task: `MISSION.TASK` with `suffix` behind it, which must be safe in a name; where that is
    /// too long, cut, with a hash of the whole of it.
    pub fn of_task(mission: &MissionId, task: &TaskId, suffix: &'static str) -> Self {
        let whole = format!("{mission}.{task}{suffix}");
        if whole.len() <= LONGEST_NAME {
            return Self(whole.into());
        }
        let mut hasher = FnvHasher::default();
        hasher.write(whole.as_bytes());
        let hash = format!(".{:016x}", hasher.finish());
        let cut = whole.get(..LONGEST_NAME - hash.len()).unwrap_or_default();
        Self(format!("{cut}{hash}").into())
    }
}

/// The name of a zellij session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionName(Box<str>);

impl SessionName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    fn text(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionName {
    type Err = InvalidId;
    /// zellij puts the name into a socket's path and refuses `/`; a leading `-` would be read as an option.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let valid = (1..=100).contains(&text.len())
            && !text.starts_with(['-', '.'])
            && !text.contains(['/', ':'])
            && !text.chars().any(char::is_control)
            && text.trim() == text;
        if valid {
            Ok(Self(text.into()))
        } else {
            let rule = "1 to 100 characters without `/`, `:`, control characters or outer blanks, not beginning with `-` or `.`";
            Err(InvalidId::new("zellij session name", rule, text))
        }
    }
}
text_id!(SessionName, "zellij session name", "^[^-./:][^/:]*$");

/// A terminal pane of a zellij session; written `terminal_18`, read as `terminal_18` or `18`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaneId(u32);

impl PaneId {
    /// The pane with zellij's own number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }
    /// zellij's own number: unique within one server's life, not beyond it.
    pub const fn number(self) -> u32 {
        self.0
    }
    fn text(self) -> String {
        format!("terminal_{}", self.0)
    }
}

impl FromStr for PaneId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.strip_prefix("terminal_").unwrap_or(text);
        let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match digits.parse() {
            Ok(number) if all_digits => Ok(Self(number)),
            _ => {
                let rule = "written `terminal_18` or `18` (plugin panes cannot be supervised)";
                Err(InvalidId::new("pane", rule, text))
            }
        }
    }
}
text_id!(PaneId, "pane", "^(terminal_)?[0-9]+$");

/// A pane as a person names it: `terminal_18`, `18` or `session:terminal_18`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaneRef {
    /// The session, where it was named.
    pub session: Option<SessionName>,
    /// The pane within it.
    pub pane: PaneId,
}

impl PaneRef {
    fn text(&self) -> String {
        match &self.session {
            Some(session) => format!("{session}:{}", self.pane),
            None => self.pane.to_string(),
        }
    }
}

impl From<PaneId> for PaneRef {
    fn from(pane: PaneId) -> Self {
        Self {
            session: None,
            pane,
        }
    }
}

impl FromStr for PaneRef {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.rsplit_once(':') {
            Some((session, pane)) => Ok(Self {
                session: Some(session.parse()?),
                pane: pane.parse()?,
            }),
            None => Ok(Self {
                session: None,
                pane: text.parse()?,
            }),
        }
    }
}
text_id!(
    PaneRef,
    "pane, with or without its session",
    "^([^-./:][^/:]*:)?(terminal_)?[0-9]+$"
);

/// Where a pane is, in full.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, PartialOrd, Ord)]
pub struct PaneAddress {
    /// The zellij session.
    pub session: SessionName,
    /// The pane within it.
    pub pane: PaneId,
}

impl fmt::Display for PaneAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.session, self.pane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agent_ids_are_safe_file_names() {
        for good in ["a", "kernel-bwd", "A1.b_c", "0", &"x".repeat(64)] {
            assert!(good.parse::<AgentId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "-a",
            ".a",
            "a/b",
            "a b",
            "a\n",
            "ä",
            "a\0",
            "../../etc/passwd",
            &"x".repeat(65),
        ] {
            assert!(bad.parse::<AgentId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn panes_are_read_in_every_way_a_person_writes_them() {
        let pane = |text: &str| text.parse::<PaneRef>().map(|pane| pane.to_string());
        assert_eq!(pane("18").unwrap(), "terminal_18");
        assert_eq!(pane("terminal_18").unwrap(), "terminal_18");
        assert_eq!(pane("work:18").unwrap(), "work:terminal_18");
        for bad in [
            "",
            "plugin_1",
            "terminal_",
            "+1",
            "-1",
            "1a",
            "99999999999",
            ":1",
            "a/b:1",
            "-s:1",
            "a:",
        ] {
            assert!(pane(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_shows_the_text_harmlessly() {
        let error = "a\u{1b}[31m".parse::<AgentId>().unwrap_err().to_string();
        assert!(
            error.starts_with("`a\\u{1b}[31m` is no agent id"),
            "{error}"
        );
    }
}
