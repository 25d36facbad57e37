//! Reads what workers and reviewers wrote: forgiving in the form, never in the meaning. Pure.
//!
//! Nothing that is read here counts as done: criteria do. A report tells the coordinator when to run them, tells
//! other workers what there is, and names a blocker.

use crate::screen::harmless::harmless;

/// How much of a report is read, in bytes.
pub const LARGEST: usize = 64 * 1024;

/// What a worker says came of its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It says that it is done.
    Done,
    /// It says that a part is.
    Partial,
    /// It cannot go on.
    Blocked {
        /// Without what; in its words, perhaps empty.
        blocker: String,
    },
    /// It says none of these.
    Unclear,
}

/// A worker's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What came of it, as it says.
    pub claim: Claim,
    /// What it took its task to be.
    pub scope: String,
    /// What it says came of it, without the word for it.
    pub result: String,
    /// Files that matter.
    pub key_files: Vec<String>,
    /// Files that it says it changed.
    pub files_changed: Vec<String>,
    /// What is left, or in doubt.
    pub issues: String,
    /// The whole text, bounded, without characters that act on a terminal.
    pub text: String,
}

/// Which section a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Scope,
    Result,
    Blocker,
    KeyFiles,
    FilesChanged,
    Issues,
}

const NAMES: [(&str, Section); 12] = [
    ("scope", Section::Scope),
    ("result", Section::Result),
    ("results", Section::Result),
    ("blocker", Section::Blocker),
    ("blocked by", Section::Blocker),
    ("key files", Section::KeyFiles),
    ("key file", Section::KeyFiles),
    ("files changed", Section::FilesChanged),
    ("changed files", Section::FilesChanged),
    ("file changed", Section::FilesChanged),
    ("issues", Section::Issues),
    ("issue", Section::Issues),
];
/// The most files that are kept of a list.
const MOST_FILES: usize = 200;
/// The longest name of a file that is kept, in characters.
const LONGEST_FILE: usize = 300;

/// Reads a report: sections `Scope`, `Result`, `Key files`, `Files changed`, `Issues` as headings or as `Name:`
/// lines, in any order and case; whatever stands before the first is part of the text alone.
pub fn read(text: &str) -> Report {
    let text = bounded(text);
    let mut sections = sections(&text, true);
    if sections.is_empty() {
        // the whole of it may stand in a fence
        sections = self::sections(&text, false);
    }
    let of = |section| {
        let parts = sections.iter().filter(|(found, _)| *found == section);
        let parts: Vec<&str> = parts.map(|(_, body)| body.trim()).collect();
        parts.join("\n\n").trim().to_owned()
    };
    let mut claims = sections
        .iter()
        .filter(|(section, body)| *section == Section::Result && !body.trim().is_empty())
        .map(|(_, body)| claim(body.trim()));
    let (mut claim, first) = claims.next().unwrap_or((Claim::Unclear, ""));
    let mut results = vec![first.trim()];
    for (other, rest) in claims {
        if std::mem::discriminant(&other) != std::mem::discriminant(&claim) {
            claim = Claim::Unclear;
        }
        results.push(rest.trim());
    }
    let issues = of(Section::Issues);
    if let Claim::Blocked { blocker } = &mut claim {
        let named = of(Section::Blocker);
        if !named.is_empty() {
            *blocker = named;
        } else if blocker.is_empty() {
            blocker.clone_from(&issues);
        }
    }
    Report {
        claim,
        scope: of(Section::Scope),
        result: results.join("\n\n").trim().to_owned(),
        key_files: files(&of(Section::KeyFiles)),
        files_changed: files(&of(Section::FilesChanged)),
        issues,
        text,
    }
}

/// At most [`LARGEST`] bytes of `text`, harmless.
fn bounded(text: &str) -> String {
    let mut end = text.len().min(LARGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text[..end].trim_start_matches('\u{feff}');
    harmless(text).trim().to_owned()
}

/// The sections in their order. `minds_fences`: what stands in a block of code begins none.
fn sections(text: &str, minds_fences: bool) -> Vec<(Section, String)> {
    let mut found: Vec<(Section, String)> = Vec::new();
    let mut is_fenced = false;
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        let begins = if is_fenced && minds_fences {
            None
        } else {
            heading(line)
        };
        match (begins, found.last_mut()) {
            (Some((section, rest)), _) => found.push((section, format!("{rest}\n"))),
            (None, Some(_)) if is_fence && !minds_fences => {}
            (None, Some((_, body))) => {
                body.push_str(line);
                body.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// The section that a line begins, and what stands in the line behind its name.
fn heading(line: &str) -> Option<(Section, &str)> {
    let is_mark = |c: char| matches!(c, '*' | '_');
    let indented = line.trim_start();
    if line.len() - indented.len() > 3 {
        return None;
    }
    let bare = indented.trim_start_matches('#');
    let is_heading = bare.len() < indented.len();
    let bare = bare.trim_start();
    let unnumbered = bare
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .strip_prefix(['.', ')'])
        .map_or(bare, str::trim_start);
    let name = unnumbered.trim_start_matches(is_mark);
    let is_bold = name.len() < unnumbered.len();
    // the longest name that fits, so that `results` is not `result` and an s
    let (word, section) = NAMES
        .iter()
        .filter(|(word, _)| {
            name.get(..word.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        })
        .max_by_key(|(word, _)| word.len())?;
    let rest = name[word.len()..].trim_start_matches(is_mark).trim_start();
    match rest.strip_prefix(':') {
        Some(rest) => Some((*section, rest.trim_start_matches(is_mark).trim())),
        None if rest.is_empty() && (is_heading || is_bold) => Some((*section, "")),
        None => None,
    }
}

/// What the first word of a result claims, and what stands behind it.
fn claim(result: &str) -> (Claim, &str) {
    let is_mark =
        |c: char| matches!(c, '*' | '_' | '`' | '-' | '>' | '✅' | '❌') || c.is_whitespace();
    let begin = result.trim_start_matches(is_mark);
    let end = begin
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(begin.len());
    let rest = begin[end..].trim_start_matches(|c: char| {
        matches!(c, '*' | '_' | '`' | '-' | ':' | '.' | ',' | ';' | '–' | '—') || c.is_whitespace()
    });
    match begin[..end].to_lowercase().as_str() {
        "done" | "complete" | "completed" | "finished" => (Claim::Done, rest),
        "partial" | "partially" | "partly" | "incomplete" => (Claim::Partial, rest),
        "blocked" => {
            let blocker = rest.strip_prefix("by ").unwrap_or(rest).trim();
            let blocker = blocker.to_owned();
            (Claim::Blocked { blocker }, rest)
        }
        _ => (Claim::Unclear, result),
    }
}

/// The files that a section names: one a line or several with commas, with or without marks and remarks.
fn files(body: &str) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for line in body.lines() {
        let line = line.trim().trim_start_matches(['-', '*', '+', '•']).trim();
        for (place, part) in line.split(',').enumerate() {
            let Some(name) = file(part.trim(), place > 0) else {
                break;
            };
            if files.len() < MOST_FILES && !files.contains(&name) {
                files.push(name);
            }
        }
    }
    files
}

/// The file in one entry of a list; an entry that `follows` another may be a remark instead.
fn file(entry: &str, follows: bool) -> Option<String> {
    let bare = entry.trim_start_matches('*');
    let spanned = bare.strip_prefix('`').and_then(|it| it.split_once('`'));
    let name = if let Some((name, _)) = spanned {
        name
    } else {
        let remarks = [": ", " - ", " – ", " — ", " ("];
        let end = remarks.iter().filter_map(|mark| bare.find(mark)).min();
        let name = bare[..end.unwrap_or(bare.len())].trim_end_matches(['*', ':', '.']);
        if name.contains(char::is_whitespace) && (follows || end.is_none()) {
            return None;
        }
        name
    };
    let name = name.trim();
    let is_none = ["none", "n/a", "nothing", "-"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word));
    let is_file = !name.is_empty() && !is_none && !name.starts_with("```");
    is_file.then(|| name.chars().take(LONGEST_FILE).collect())
}

/// What a reviewer wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reviewed {
    /// It is so.
    Pass {
        /// Why; never empty.
        reasons: String,
    },
    /// It is not.
    Fail {
        /// Why; perhaps empty.
        reasons: String,
    },
    /// Nothing that counts.
    Nothing,
}

/// Reads a reviewer's answer: its first line that is not blank must be PASS or FAIL alone. A PASS without reasons
/// is nothing.
pub fn review(text: &str) -> Reviewed {
    let text = bounded(text);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let reasons = rest.trim().to_owned();
    let has_reasons = reasons.chars().any(char::is_alphanumeric);
    match first.trim_matches(|c: char| matches!(c, '*' | '_' | '`' | '#') || c.is_whitespace()) {
        "PASS" if has_reasons => Reviewed::Pass { reasons },
        "FAIL" => Reviewed::Fail { reasons },
        _ => Reviewed::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: &str = "Scope: the parser\n\nResult: done. It parses.\nAll of it.\n\nKey files: src/a.rs, src/b.rs\n\
        Files changed:\n- `src/a.rs`: the parser\n- src/b.rs (new)\n\nIssues: none\n";

    #[test]
    fn a_report_is_read_in_every_form_that_agents_give_it() {
        let plain = read(PLAIN);
        assert_eq!(plain.claim, Claim::Done);
        assert_eq!(
            (plain.scope.as_str(), plain.issues.as_str()),
            ("the parser", "none")
        );
        assert_eq!(plain.result, "It parses.\nAll of it.");
        assert_eq!(plain.key_files, ["src/a.rs", "src/b.rs"]);
        assert_eq!(plain.files_changed, ["src/a.rs", "src/b.rs"]);
        let headings = "# Report\n\n## Scope\nthe parser\n\n## RESULT\nDone. It parses.\nAll of it.\n\n\
            ## Key Files\n* src/a.rs\n* src/b.rs\n## Changed files\n`src/a.rs`\n`src/b.rs`\n\n## Issues\nnone\n";
        let bold = "**Issues:** none\r\n**Files changed:** src/a.rs, src/b.rs\r\n1. **Key files**: src/a.rs, src/b.rs\r\n\
            **Result**: **done** - It parses.\r\nAll of it.\r\n**Scope:** the parser\r\n";
        let in_a_fence = format!("Here it is:\n```markdown\n{PLAIN}```\n");
        for text in [headings, bold, &in_a_fence] {
            let found = read(text);
            assert_eq!(
                Report {
                    text: String::new(),
                    ..found
                },
                Report {
                    text: String::new(),
                    ..plain.clone()
                },
                "{text}"
            );
        }
    }

    #[test]
    fn a_claim_is_the_first_word_of_the_result_and_nothing_else() {
        let blocked = |blocker: &str| Claim::Blocked {
            blocker: blocker.into(),
        };
        for (text, claim) in [
            ("Result: DONE", Claim::Done),
            ("Result: completed, all of it", Claim::Done),
            ("Result: partial: the writer is missing", Claim::Partial),
            (
                "Result: blocked: no key for the API",
                blocked("no key for the API"),
            ),
            ("Result: blocked by a missing key", blocked("a missing key")),
            (
                "Result: blocked\nIssues: which port?",
                blocked("which port?"),
            ),
            (
                "Result: blocked\nBlocker: the port\nIssues: x",
                blocked("the port"),
            ),
            ("Result: blocked", blocked("")),
            ("Result: not done", Claim::Unclear),
            ("Result: undone", Claim::Unclear),
            ("Result: all tests pass, done", Claim::Unclear),
            ("Result: done\nResult: blocked", Claim::Unclear),
            ("Result: done\nResult: done too", Claim::Done),
            ("I am done", Claim::Unclear),
            ("The result: done", Claim::Unclear),
            ("Scope: x\n```\nResult: done\n```\n", Claim::Unclear),
            ("Scope: x\n    Result: done", Claim::Unclear),
            ("Results are done", Claim::Unclear),
            ("", Claim::Unclear),
        ] {
            assert_eq!(read(text).claim, claim, "{text}");
        }
    }

    #[test]
    fn files_are_told_from_remarks() {
        for (body, expected) in [
            ("none", &[][..]),
            (
                "- a.rs: reads, and writes\n- b c.rs - why",
                &["a.rs", "b c.rs"],
            ),
            ("`a b.rs`, `c.rs` (new)", &["a b.rs", "c.rs"]),
            ("I changed nothing of note", &[]),
            ("a.rs, b.rs\n\na.rs", &["a.rs", "b.rs"]),
            ("**src/a.rs**", &["src/a.rs"]),
        ] {
            assert_eq!(files(body), expected, "{body}");
        }
        let many: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        let many = many.join("\n");
        assert_eq!(files(&many).len(), MOST_FILES);
    }

    #[test]
    fn only_pass_or_fail_alone_in_the_first_line_counts() {
        let pass = |reasons: &str| Reviewed::Pass {
            reasons: reasons.into(),
        };
        let fail = |reasons: &str| Reviewed::Fail {
            reasons: reasons.into(),
        };
        for (text, reviewed) in [
            ("PASS\nsrc/a.rs:3 does it", pass("src/a.rs:3 does it")),
            ("\n \n**PASS**\r\n\r\nwhy\r\n", pass("why")),
            ("# FAIL\nwhy", fail("why")),
            ("FAIL", fail("")),
            ("PASS", Reviewed::Nothing),
            ("PASS\n---", Reviewed::Nothing),
            ("PASS: why", Reviewed::Nothing),
            ("PASS or FAIL\nwhy", Reviewed::Nothing),
            ("pass\nwhy", Reviewed::Nothing),
            ("I would say\nPASS\nwhy", Reviewed::Nothing),
            ("> PASS\nwhy", Reviewed::Nothing),
            ("", Reviewed::Nothing),
        ] {
            assert_eq!(review(text), reviewed, "{text:?}");
        }
    }

    #[test]
    fn no_report_is_too_long_and_none_acts_on_a_terminal() {
        let long = read(&"ä".repeat(LARGEST));
        assert_eq!(long.text.len(), LARGEST);
        assert_eq!(read("Scope: \u{1b}[2Jx").scope, "␛[2Jx");
    }

    proptest! {
        #[test]
        fn anything_can_be_read(text in any::<String>()) {
            let _ = (read(&text), review(&text));
        }

        #[test]
        fn nearly_right_reports_can_be_read(
            text in r"((#{0,3} ?|\*\*|1\. )?(Scope|result|Key files|ISSUES|Files changed|ä)(\*\*)?:?[ä`*, a-z\n-]{0,12}\n){0,6}"
        ) {
            let report = read(&text);
            prop_assert!(report.files_changed.iter().all(|file| !file.trim().is_empty()));
        }
    }
}
