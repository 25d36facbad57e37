//! A command as a plan writes it: one line, split into words as a shell would, and run by none.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest command, in bytes.
const LONGEST: usize = 8 * 1024;

/// A command as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLine {
    line: Box<str>,
    words: Vec<String>,
}

/// Why a text is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` cannot be run: {why}")]
pub struct WrongRunLine {
    shown: String,
    why: String,
}

impl RunLine {
    /// The line as it was written.
    pub fn as_str(&self) -> &str {
        &self.line
    }

    /// The program and its arguments; at least the program.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The program.
    pub fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }
}

/// The first character that a shell would act on and nobody here does; within single quotes there is none.
fn shell_only(line: &str) -> Option<char> {
    let (mut quote, mut escaped) = (None, false);
    for c in line.chars() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => escaped = true,
            (None, '\'' | '"') => quote = Some(c),
            (_, '$' | '`')
            | (None, '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '~' | '#' | '{' | '}') =>
            {
                return Some(c);
            }
            _ => {}
        }
    }
    None
}

impl FromStr for RunLine {
    type Err = WrongRunLine;

    fn from_str(text: &str) -> Result<Self, WrongRunLine> {
        let line = text.trim();
        let wrong = |why: String| {
            let shown = line.chars().take(80).flat_map(char::escape_debug).collect();
            Err(WrongRunLine { shown, why })
        };
        if line.is_empty() {
            return wrong("it is empty".into());
        }
        if line.len() > LONGEST {
            return wrong(format!("it is longer than {LONGEST} bytes"));
        }
        if line.chars().any(char::is_control) {
            return wrong("it is to be one line without control characters".into());
        }
        if let Some(c) = shell_only(line) {
            return wrong(format!(
                "no shell runs it, and `{c}` means something to a shell alone: quote it with '...', or write sh -c '...'"
            ));
        }
        match shlex::split(line) {
            Some(words) if words.first().is_some_and(|program| !program.is_empty()) => Ok(Self {
                line: line.into(),
                words,
            }),
            Some(_) => wrong("it names no program".into()),
            None => wrong("a quote in it does not close".into()),
        }
    }
}

impl fmt::Display for RunLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.line)
    }
}

impl Serialize for RunLine {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.line)
    }
}

impl<'de> Deserialize<'de> for RunLine {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for RunLine {
    fn schema_name() -> Cow<'static, str> {
        "RunLine".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "a command line that no shell runs" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_words() {
        for (line, words) in [
            (
                "cargo test -p parser",
                &["cargo", "test", "-p", "parser"][..],
            ),
            (" grep -q 'a b' x ", &["grep", "-q", "a b", "x"]),
            ("sh -c 'a && b > $c'", &["sh", "-c", "a && b > $c"]),
            ("grep -q \"it's\" x", &["grep", "-q", "it's", "x"]),
            ("test a\\ b", &["test", "a b"]),
        ] {
            assert_eq!(line.parse::<RunLine>().unwrap().words(), words, "{line}");
        }
    }

    #[test]
    fn what_only_a_shell_would_act_on_is_refused_with_what_to_do() {
        for line in [
            "a && b",
            "a | b",
            "a; b",
            "a > b",
            "cat $HOME/x",
            "echo \"$x\"",
            "rm *.o",
            "a `b`",
            "(a)",
            "ls ~/x",
        ] {
            let wrong = line.parse::<RunLine>().unwrap_err().to_string();
            assert!(wrong.contains("sh -c '...'"), "{wrong}");
        }
        for line in ["", "  ", "a 'b", "a\nb", "''"] {
            assert!(line.parse::<RunLine>().is_err(), "{line:?}");
        }
    }
}
