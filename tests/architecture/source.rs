//! Rust source as the rules read it: tokens and paths, without comments, texts and test code.
//!
//! No parser: it knows comments, literals, `#[cfg(test)]` items and `a::{b, c::d}`, which is what the rules need.

use std::collections::BTreeSet;

/// One token of code: a name, a number, `::`, or one sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub line: usize,
    pub text: String,
}

/// A path as `crate::ids::AgentId`; every branch of `use a::{b, c}` is one of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodePath {
    pub line: usize,
    pub names: Vec<String>,
}

impl CodePath {
    /// Whether the path begins with `names`.
    pub fn begins(&self, names: &[&str]) -> bool {
        self.names.len() >= names.len() && self.names.iter().zip(names).all(|(a, b)| a == b)
    }

    /// Whether the path's last names are `names`.
    pub fn ends(&self, names: &[&str]) -> bool {
        let skipped = self.names.len().checked_sub(names.len());
        skipped.is_some_and(|skipped| self.names[skipped..].iter().eq(names))
    }

    /// Where in the path the crate's root has been reached, as seen from `module`: behind `crate`, behind the
    /// crate's own name, or behind as many `super` as the module is deep.
    pub fn depth_of_root(&self, module: &[String]) -> Option<usize> {
        let first = self.names.first()?;
        if first == "crate" || first == "meta_orchestrator" {
            return Some(1);
        }
        let selfs = usize::from(first == "self");
        let supers = self.names[selfs..]
            .iter()
            .take_while(|name| *name == "super")
            .count();
        (supers > 0 && supers >= module.len()).then_some(selfs + supers)
    }
}

/// One source file without its test code.
#[derive(Debug)]
pub struct Source {
    /// Below `src/`, with `/`.
    pub file: String,
    /// The module's names: `["agent", "machine"]`; empty for `lib.rs` and `main.rs`.
    pub module: Vec<String>,
    pub tokens: Vec<Token>,
    pub paths: Vec<CodePath>,
    /// Lines outside `#[cfg(test)]` items, comments and blank lines included.
    pub lines: usize,
    /// Files of `#[cfg(test)] mod name;`: their beginnings below `src/`, without an ending.
    pub test_files: Vec<String>,
}

impl Source {
    pub fn parse(file: &str, text: &str) -> Self {
        let module = module_of(file);
        let (tokens, tests) = without_tests(&tokens(text));
        let test_lines: BTreeSet<usize> =
            tests.iter().flat_map(|test| test.lines.clone()).collect();
        let test_files = tests.iter().filter_map(|test| test.outside.clone());
        Self {
            file: file.to_owned(),
            paths: paths(&tokens),
            tokens,
            lines: text.lines().count() - test_lines.len(),
            test_files: test_files
                .map(|name| [&module[..], &[name]].concat().join("/"))
                .collect(),
            module,
        }
    }

    /// The top-level module that the file belongs to.
    pub fn top(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }

    /// Whether the file is the module `names`, or below it.
    pub fn is_within(&self, names: &[&str]) -> bool {
        self.module.len() >= names.len() && self.module.iter().zip(names).all(|(a, b)| a == b)
    }
}

/// `agent/machine.rs`, `agent/mod.rs`, `lib.rs` as the names of their modules.
fn module_of(file: &str) -> Vec<String> {
    let stem = file.trim_end_matches(".rs");
    let mut names: Vec<String> = stem.split('/').map(str::to_owned).collect();
    let unnamed = match names.last().map(String::as_str) {
        Some("mod") => true,
        Some("lib" | "main") => names.len() == 1,
        _ => false,
    };
    if unnamed {
        names.pop();
    }
    names
}

/// All tokens; each text, number of quotes and all, is the one token `""`.
fn tokens(text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.chars().collect();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < letters.len() {
        let rest = &letters[at..];
        let (length, token) = next_token(rest);
        if let Some(text) = token {
            found.push(Token { line, text });
        }
        line += rest[..length]
            .iter()
            .filter(|&&letter| letter == '\n')
            .count();
        at += length;
    }
    found
}

/// How many characters the first thing in `rest` has (at least one), and its token if it is code.
fn next_token(rest: &[char]) -> (usize, Option<String>) {
    let quoted = || Some("\"\"".to_owned());
    match rest {
        ['/', '/', ..] => (until(rest, |at| rest[at] == '\n'), None),
        ['/', '*', ..] => (block_comment(rest), None),
        ['b' | 'c', '"', ..] | ['b', '\'', ..] => (1 + text_literal(&rest[1..]), quoted()),
        ['r', '#', first, ..] if is_name(*first) => {
            let (length, name) = next_token(&rest[2..]);
            (2 + length, name)
        }
        ['r', '"' | '#', ..] => (raw_literal(rest), quoted()),
        ['b' | 'c', 'r', '"' | '#', ..] => (1 + raw_literal(&rest[1..]), quoted()),
        ['"', ..] | ['\'', '\\', ..] | ['\'', _, '\'', ..] => (text_literal(rest), quoted()),
        [':', ':', ..] => (2, Some("::".to_owned())),
        [first, ..] if is_name(*first) => {
            let length = until(rest, |at| !is_name(rest[at]));
            (length, Some(rest[..length].iter().collect()))
        }
        [first, ..] => (1, (!first.is_whitespace()).then(|| first.to_string())),
        [] => (1, None),
    }
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The first place from 1 on where `ends` holds, or the end.
fn until(rest: &[char], ends: impl Fn(usize) -> bool) -> usize {
    (1..rest.len()).find(|&at| ends(at)).unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// From its opening quote over escapes to behind its closing one.
fn text_literal(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != rest[0] {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// `r"..."`, `r##"..."##`.
fn raw_literal(rest: &[char]) -> usize {
    let hashes = until(rest, |at| rest[at] != '#') - 1;
    let ends = |at: usize| {
        at > hashes + 1
            && rest[at] == '"'
            && rest[at + 1..]
                .iter()
                .take_while(|&&letter| letter == '#')
                .count()
                >= hashes
    };
    (until(rest, ends) + 1 + hashes).min(rest.len())
}

/// A `#[cfg(test)]` item.
struct TestItem {
    lines: std::ops::RangeInclusive<usize>,
    /// Its name, if it is a module in a file of its own.
    outside: Option<String>,
}

/// The tokens outside `#[cfg(test)]` items, and those items.
fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<TestItem>) {
    let (mut kept, mut items, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        if !is(&tokens[at..], &["#", "[", "cfg", "(", "test", ")", "]"]) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let length = item_length(&tokens[at..]);
        let item = &tokens[at..at + length];
        items.push(TestItem {
            lines: item[0].line..=item[length - 1].line,
            outside: outside_module(item),
        });
        at += length;
    }
    (kept, items)
}

/// Up to the `;` outside all brackets, the `}` that closes the item, or the `,` behind a field.
fn item_length(tokens: &[Token]) -> usize {
    const ITEMS: [&str; 10] = [
        "fn", "mod", "use", "struct", "enum", "impl", "trait", "type", "const", "static",
    ];
    let (mut depth, mut is_item) = (0_usize, false);
    for (at, token) in tokens.iter().enumerate() {
        let text = token.text.as_str();
        is_item |= ITEMS.contains(&text);
        match text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth == 0 => return at,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        // A `use a::{b};` ends with its `;`, not with its brace.
        let closes = text == "}" && tokens.get(at + 1).is_none_or(|next| next.text != ";");
        if depth == 0 && (text == ";" || closes || text == "," && !is_item) {
            return at + 1;
        }
    }
    tokens.len()
}

fn outside_module(item: &[Token]) -> Option<String> {
    match item {
        [.., keyword, name, end] if keyword.text == "mod" && end.text == ";" => {
            Some(name.text.clone())
        }
        _ => None,
    }
}

/// Whether `tokens` begin with `texts`.
pub fn is(tokens: &[Token], texts: &[&str]) -> bool {
    tokens.len() >= texts.len()
        && tokens
            .iter()
            .zip(texts)
            .all(|(token, text)| token.text == *text)
}

fn paths(tokens: &[Token]) -> Vec<CodePath> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].text.starts_with(is_name) {
            at += branches(&tokens[at..], &[], &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads one path, group and all, that continues `stem`; returns how many tokens it has.
fn branches(tokens: &[Token], stem: &[String], found: &mut Vec<CodePath>) -> usize {
    let mut names = stem.to_vec();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if is(&tokens[at..], &["{"]) && !names.is_empty() {
            return at + group(&tokens[at..], &names, found);
        }
        if !(token.text.starts_with(is_name) || token.text == "*") {
            break;
        }
        names.push(token.text.clone());
        at += 1;
        if !is(&tokens[at..], &["::"]) {
            break;
        }
        at += 1;
    }
    let line = tokens[at.saturating_sub(1)].line;
    found.push(CodePath { line, names });
    at.max(1)
}

/// `{a, b::c as d}`, each a branch of `stem`.
fn group(tokens: &[Token], stem: &[String], found: &mut Vec<CodePath>) -> usize {
    let mut at = 1;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "}" => return at + 1,
            "," => at += 1,
            "as" => at += 2,
            _ => at += branches(&tokens[at..], stem, found),
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let source = Source::parse("a.rs", text);
        let texts = source.tokens.iter().map(|token| token.text.as_str());
        texts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_texts_and_test_code_are_no_code() {
        let cases = [
            ("a // b\nc", "a c"),
            ("//! [`crate::ui`]\na", "a"),
            ("a /* b /* c */ d */ e", "a e"),
            (r#"a("b \" c", 1)"#, r#"a ( "" , 1 )"#),
            ("a(r#\"b \" c\"#, r\"\\\", d)", r#"a ( "" , "" , d )"#),
            (
                "a(b\"c\", b'd', '\"', '\\'', '\\u{1F}')",
                r#"a ( "" , "" , "" , "" , "" )"#,
            ),
            ("fn a<'b>(c: &'b str)", "fn a < ' b > ( c : & ' b str )"),
            ("'a: loop { break 'a; }", "' a : loop { break ' a ; }"),
            ("r#type::r#fn", "type :: fn"),
            ("a; #[cfg(test)] mod tests { use b; fn c() {} } d", "a ; d"),
            ("#[cfg(test)]\nuse a::{b, c};\nd", "d"),
            (
                "#[cfg(test)]\n#[allow(x)]\nfn a(b: [u8; 2]) -> C { d }\ne",
                "e",
            ),
            ("#[cfg(test)] mod tests;\na", "a"),
            ("{ #[cfg(test)] a: B, c }", "{ c }"),
            ("{ #[cfg(test)] a: B } c", "{ } c"),
            ("#[cfg(test)] fn a<B, C>() {} d", "d"),
            ("\"never closed", "\"\""),
            ("/* never closed", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_are_counted_through_texts_and_comments() {
        let source = Source::parse("a.rs", "\"x\ny\"\n/*\n*/ r\"\n\" here\n");
        assert_eq!(source.tokens.last().map(|token| token.line), Some(5));
    }

    #[test]
    fn every_branch_of_a_use_is_a_path() {
        let source = Source::parse(
            "a.rs",
            "use std::{fs, process::{self, Command as C}};\nb::c(d)",
        );
        let paths: Vec<String> = source
            .paths
            .iter()
            .map(|path| path.names.join("::"))
            .collect();
        assert_eq!(
            paths,
            [
                "use",
                "std::fs",
                "std::process::self",
                "std::process::Command",
                "b::c",
                "d"
            ]
        );
        assert_eq!(source.paths[4].line, 2);
    }

    #[test]
    fn a_file_knows_its_module_its_test_files_and_its_length() {
        let cases = [
            ("lib.rs", ""),
            ("ids.rs", "ids"),
            ("ui/mod.rs", "ui"),
            ("ui/tui/main.rs", "ui/tui/main"),
        ];
        for (file, module) in cases {
            assert_eq!(Source::parse(file, "").module.join("/"), module, "{file}");
        }
        let source = Source::parse("ui/mod.rs", "\n//\n#[cfg(test)]\nmod tests;\nx\n");
        assert_eq!(source.test_files, ["ui/tests"]);
        assert_eq!(source.lines, 3);
    }
}
