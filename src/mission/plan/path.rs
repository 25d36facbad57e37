//! A path within the repository, or a pattern of such paths.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest path, in bytes.
const LONGEST: usize = 1_024;

/// A path from the repository's root that cannot lead out of it; `*` stands for a part of a name, `**` for
/// folders.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TaskPath(Box<str>);

/// Why a text is no path within a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is no path within the repository: {why}")]
pub struct WrongPath {
    shown: String,
    why: &'static str,
}

impl TaskPath {
    /// The path as text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for one path alone.
    pub fn is_plain(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether `path` is what it stands for, or below that. Every `*` is looked at.
    pub fn covers(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        let pattern: Vec<&str> = self.0.split('/').collect();
        // `begun[n]`: the pattern so far stands for the first `n` names
        let mut begun = vec![false; names.len() + 1];
        if let Some(first) = begun.first_mut() {
            *first = true;
        }
        for part in pattern {
            let mut next = vec![false; names.len() + 1];
            let mut any = false;
            for (at, slot) in next.iter_mut().enumerate() {
                let here = begun.get(at).copied().unwrap_or_default();
                any |= here;
                let before = at
                    .checked_sub(1)
                    .and_then(|before| Some((begun.get(before).copied()?, *names.get(before)?)));
                *slot = if part == "**" {
                    any
                } else {
                    before.is_some_and(|(begun, name)| begun && name_fits(part, name))
                };
            }
            begun = next;
        }
        // what is below is covered, too; by the root, everything
        begun.iter().any(|stands| *stands)
    }

    /// Whether there may be a file that both stand for, or that is below one of them. Says yes too often rather
    /// than too seldom: what comes after the first `*` of a name is not looked at.
    pub fn may_meet(&self, other: &Self) -> bool {
        let (mut mine, mut others) = (self.0.split('/'), other.0.split('/'));
        loop {
            match (mine.next(), others.next()) {
                (Some(a), Some(b)) if a.contains('*') || b.contains('*') => {
                    return a == "**" || b == "**" || names_may_meet(a, b);
                }
                (Some(a), Some(b)) if a == b => {}
                (Some(_), Some(_)) => return false,
                // one is a folder above the other, or the same
                (None, _) | (_, None) => return true,
            }
        }
    }
}

/// Whether a name is one that the pattern stands for.
fn name_fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|begin| name.strip_prefix(begin)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((end, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(end)
}

/// Whether a name may fit both patterns: what stands before the first `*` of each must go together, and so must
/// what stands after the last.
fn names_may_meet(a: &str, b: &str) -> bool {
    let begin = |name: &str| name.split('*').next().unwrap_or_default().to_owned();
    let end = |name: &str| name.rsplit('*').next().unwrap_or_default().to_owned();
    let (a_begin, b_begin, a_end, b_end) = (begin(a), begin(b), end(a), end(b));
    (a_begin.starts_with(&b_begin) || b_begin.starts_with(&a_begin))
        && (a_end.ends_with(&b_end) || b_end.ends_with(&a_end))
}

impl FromStr for TaskPath {
    type Err = WrongPath;

    fn from_str(text: &str) -> Result<Self, WrongPath> {
        let wrong = |why| {
            let shown = text.chars().take(80).flat_map(char::escape_debug).collect();
            Err(WrongPath { shown, why })
        };
        let path = text.strip_prefix("./").unwrap_or(text);
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return wrong("it is empty; leave it out for the whole repository");
        }
        if path.len() > LONGEST {
            return wrong("it is too long");
        }
        if path.starts_with('/') || path.starts_with('~') {
            return wrong("it must begin at the repository's root");
        }
        if path.chars().any(|c| c.is_control() || c == '\\') {
            return wrong("it has a control character or a backslash in it");
        }
        for name in path.split('/') {
            match name {
                "" => return wrong("it has an empty name in it"),
                "." | ".." => return wrong("`.` and `..` are not allowed in it"),
                ".git" => return wrong("git's own folder is nobody's to write"),
                _ => {}
            }
        }
        Ok(Self(path.into()))
    }
}

impl fmt::Display for TaskPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl Serialize for TaskPath {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TaskPath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for TaskPath {
    fn schema_name() -> Cow<'static, str> {
        "TaskPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "a path from the repository's root" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TaskPath {
        text.parse().unwrap()
    }

    #[test]
    fn what_leads_out_of_the_repository_is_no_path() {
        for text in [
            "",
            "./",
            "/etc",
            "~/x",
            "..",
            "a/../../b",
            "a//b",
            "a/./b",
            ".git",
            "a/.git/hooks",
            "a\nb",
            "a\\b",
        ] {
            assert!(text.parse::<TaskPath>().is_err(), "{text:?}");
        }
        for (text, kept) in [
            ("./src/", "src"),
            ("src/**/*.rs", "src/**/*.rs"),
            ("a b", "a b"),
        ] {
            assert_eq!(path(text).as_str(), kept);
        }
    }

    #[test]
    fn a_file_is_covered_by_its_path_a_folder_above_it_and_a_pattern_of_either() {
        for (pattern, file, covered) in [
            ("src", "src/lib.rs", true),
            ("src", "srcs/lib.rs", false),
            ("src/lib.rs", "src/lib.rs", true),
            ("src/lib.rs", "src", false),
            ("src/*.rs", "src/lib.rs", true),
            ("src/*.rs", "src/a/lib.rs", false),
            ("src/*.rs", "src/lib.rs.txt", false),
            ("src/**/*.rs", "src/lib.rs", true),
            ("src/**/*.rs", "src/a/b/lib.rs", true),
            ("src/**/*.rs", "tests/a/lib.rs", false),
            ("**", "anything/at/all", true),
            ("**/tests", "a/tests/b.rs", true),
            ("**/tests", "a/testing/b.rs", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("*", ".env", true),
        ] {
            assert_eq!(path(pattern).covers(file), covered, "{pattern} {file}");
        }
    }

    #[test]
    fn paths_that_may_share_a_file_meet_both_ways() {
        for (a, b, meet) in [
            ("src", "src", true),
            ("src", "src/lib.rs", true),
            ("src/lib.rs", "src/main.rs", false),
            ("src", "srcs", false),
            ("src/*.rs", "src/lib.rs", true),
            ("src/*.rs", "src/notes.md", false),
            ("src/a*", "src/b*", false),
            ("src/a*", "src/*b", true),
            ("src/**/x.rs", "src/deep/down", true),
            ("**", "anything/at/all", true),
            ("docs/**", "src/**", false),
        ] {
            let (a, b) = (path(a), path(b));
            assert_eq!((a.may_meet(&b), b.may_meet(&a)), (meet, meet), "{a} {b}");
        }
    }
}
