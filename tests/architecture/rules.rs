//! The rules of the map, each a function from a source file to its breaches.

use std::fmt;

use crate::source::{CodePath, Source, is};

/// The top-level modules, from the ground up: each uses only those above its own line, or to its left.
const ORDER: [&[&str]; 8] = [
    &["error", "ids", "config"],          // words
    &["host", "http", "store"],           // doors
    &["git", "llm", "zellij"],            // tools
    &["screen", "evidence", "record"],    // reading
    &["director"],                        // deciding
    &["hands", "agent"],                  // doing
    &["supervisor", "notify", "mission"], // many
    &["command", "socket", "ui"],         // people
];

/// A module's place in [`ORDER`].
fn rank(module: &str) -> Option<usize> {
    ORDER
        .iter()
        .copied()
        .flatten()
        .position(|&name| name == module)
}

/// What one module keeps for itself.
struct Door {
    /// The first names of the paths that it keeps.
    paths: &'static [&'static [&'static str]],
    /// The only module that uses them; `main.rs` may what `ui` may.
    owner: &'static str,
    reason: &'static str,
}

const DOORS: [Door; 5] = [
    Door {
        paths: &[&["std", "os", "unix", "net"], &["tokio", "net"]],
        owner: "socket",
        reason: "only `socket` listens, and speaks to other instances",
    },
    Door {
        paths: &[&["reqwest"]],
        owner: "http",
        reason: "only `http` speaks to the network",
    },
    Door {
        paths: &[&["std", "process"], &["tokio", "process"]],
        owner: "host",
        reason: "only `host` starts processes",
    },
    Door {
        paths: &[&["clap"], &["clap_complete"], &["clap_mangen"]],
        owner: "ui",
        reason: "only `ui` reads the command line",
    },
    Door {
        paths: &[
            &["rustyline"],
            &["crossterm"],
            &["ratatui"],
            &["tui_input"],
            &["ansi_to_tui"],
        ],
        owner: "ui",
        reason: "only `ui` touches the terminal",
    },
];

/// The verbs of `zellij` that press keys, and who may use them.
const KEYS: [&str; 3] = ["place", "paste", "press"];
const HANDS: [&str; 2] = ["hands", "zellij"];

/// Modules without async, clock, randomness and files.
const PURE: [&[&str]; 21] = [
    &["screen"],
    &["evidence", "ladder"],
    &["director", "prompt"],
    &["director", "verdict"],
    &["director", "policy"],
    &["director", "approval"],
    &["director", "builtin"],
    &["agent", "machine"],
    &["notify", "bell"],
    &["notify", "concern"],
    &["notify", "message"],
    &["mission", "brief"],
    &["mission", "plan"],
    &["mission", "report"],
    &["mission", "schedule"],
    &["director", "authority"],
    &["mission", "machine"],
    &["mission", "journal"],
    &["mission", "names"],
    &["mission", "receipt"],
    &["mission", "view"],
];
/// Paths that no pure module has, by their first names and by their last.
const IMPURE_BEGINNINGS: [&[&str]; 10] = [
    &["tokio"],
    &["rand"],
    &["fastrand"],
    &["getrandom"],
    &["rustix"],
    &["std", "fs"],
    &["std", "net"],
    &["std", "env"],
    &["std", "process"],
    &["std", "thread"],
];
const IMPURE_ENDS: [&[&str]; 4] = [
    &["SystemTime", "now"],
    &["Instant", "now"],
    &["Utc", "now"],
    &["Local", "now"],
];

/// Past so many lines without tests, a file has probably taken on a second job.
const LONGEST: usize = 500;

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
pub struct Breach {
    pub file: String,
    pub line: usize,
    pub what: String,
}

impl Breach {
    fn new(source: &Source, line: usize, what: String) -> Self {
        let file = source.file.clone();
        Self { file, line, what }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "src/{}:{}: {}", self.file, self.line, self.what)
    }
}

/// A module uses only modules before its own in [`ORDER`].
pub fn order(source: &Source) -> Vec<Breach> {
    let Some(own) = source.top() else {
        return Vec::new();
    };
    let breach = |path: &CodePath| {
        let used = path.names.get(path.depth_of_root(&source.module)?)?;
        let breaks = used != own && rank(used)? >= rank(own)?;
        breaks.then(|| {
            let what =
                format!("`{own}` uses `{used}`, which does not stand before it in the order");
            Breach::new(source, path.line, what)
        })
    };
    source.paths.iter().filter_map(breach).collect()
}

/// What is in [`DOORS`] is used by its owner alone.
pub fn doors(source: &Source) -> Vec<Breach> {
    let owns = |door: &&Door| {
        source.top() == Some(door.owner) || (source.file == "main.rs" && door.owner == "ui")
    };
    let mut breaches = Vec::new();
    for path in &source.paths {
        // The type of `main`'s answer starts nothing.
        if path.begins(&["std", "process", "ExitCode"]) {
            continue;
        }
        for door in DOORS.iter().filter(|door| !owns(door)) {
            if door.paths.iter().any(|names| path.begins(names)) {
                let what = format!("`{}`: {}", path.names.join("::"), door.reason);
                breaches.push(Breach::new(source, path.line, what));
            }
        }
    }
    breaches
}

/// The keyboard is reached through `hands` alone: by method, and by path.
pub fn keys(source: &Source) -> Vec<Breach> {
    if source.top().is_some_and(|top| HANDS.contains(&top)) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for (at, token) in source.tokens.iter().enumerate() {
        let rest = &source.tokens[at..];
        let used = |key| is(rest, &[".", key, "("]) || is(rest, &["::", key]);
        if let Some(key) = KEYS.into_iter().find(|&key| used(key)) {
            lines.push((token.line, key));
        }
    }
    let breach = |(line, key)| {
        let what = format!("`{key}`: only `hands` reaches the keyboard, with a permit");
        Breach::new(source, line, what)
    };
    lines.into_iter().map(breach).collect()
}

/// A pure module has no async, no clock, no randomness and no files.
pub fn pure(source: &Source) -> Vec<Breach> {
    if !PURE.iter().any(|module| source.is_within(module)) {
        return Vec::new();
    }
    let mut found: Vec<(usize, String)> = Vec::new();
    for path in &source.paths {
        let impure = IMPURE_BEGINNINGS.iter().any(|names| path.begins(names))
            || IMPURE_ENDS.iter().any(|names| path.ends(names))
            || path.names == ["async"]
            || path.names == ["await"];
        if impure {
            found.push((path.line, path.names.join("::")));
        }
    }
    for (at, token) in source.tokens.iter().enumerate() {
        if is(&source.tokens[at..], &[".", "elapsed", "(", ")"]) {
            found.push((token.line, "elapsed()".to_owned()));
        }
    }
    let breach = |(line, what)| {
        let what = format!("`{what}` in a pure module: time and text come in as values");
        Breach::new(source, line, what)
    };
    found.into_iter().map(breach).collect()
}

/// No file is longer than [`LONGEST`].
pub fn length(source: &Source) -> Vec<Breach> {
    let lines = source.lines;
    if lines <= LONGEST {
        return Vec::new();
    }
    let what = format!("{lines} lines without tests, more than {LONGEST}: split the file");
    vec![Breach::new(source, lines, what)]
}

/// Only modules of the map stand at the top.
pub fn map(source: &Source) -> Vec<Breach> {
    let unknown = source.top().filter(|top| rank(top).is_none());
    let breach = |top| {
        let what = format!("`{top}` is no module of the map: find it a place there");
        Breach::new(source, 1, what)
    };
    unknown.map(breach).into_iter().collect()
}
