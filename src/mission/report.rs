//! Reads what workers and reviewers wrote: forgiving in the form, never in the meaning. Pure.
//!
//! Nothing that is read here counts as done: criteria do. A report tells the coordinator when to run them, tells
//! other workers what there is, and names a blocker.

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

/// Reads a report: sections `Scope`, `Result`, `Key files`, `Files changed`, `Issues` as headings or as `Name:`
/// lines, in any order and case; whatever stands before the first is part of the text alone.
pub fn read(text: &str) -> Report {
    Report {
        claim: Claim::Unclear,
        scope: String::new(),
        result: String::new(),
        key_files: Vec::new(),
        files_changed: Vec::new(),
        issues: String::new(),
        text: text.to_owned(),
    }
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
    let _ = text;
    Reviewed::Nothing
}
