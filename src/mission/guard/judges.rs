//! Which files of a repository judge by a criterion. Pure.
//!
//! Says yes too often rather than too seldom: it matters only for files that the task may not write anyway.

use std::collections::BTreeSet;

use super::super::plan::Criterion;

/// Names of files that say how things are built, run and tested.
const BUILD_FILES: [&str; 62] = [
    "cargo.toml",
    "build.rs",
    "rust-toolchain",
    "rust-toolchain.toml",
    "clippy.toml",
    ".clippy.toml",
    "makefile",
    "gnumakefile",
    "justfile",
    ".justfile",
    "taskfile.yml",
    "taskfile.yaml",
    "package.json",
    "deno.json",
    "bunfig.toml",
    ".npmrc",
    ".babelrc",
    ".rspec",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "tox.ini",
    "noxfile.py",
    "pytest.ini",
    ".pytest.ini",
    "conftest.py",
    "sitecustomize.py",
    "usercustomize.py",
    ".coveragerc",
    "manage.py",
    "go.mod",
    "go.work",
    "cmakelists.txt",
    "ctestconfig.cmake",
    "meson.build",
    "configure",
    "configure.ac",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
    "gradlew",
    "gradle.properties",
    "pom.xml",
    "mvnw",
    "build.xml",
    "rakefile",
    "gemfile",
    "mix.exs",
    "build",
    "build.bazel",
    "workspace",
    "module.bazel",
    ".bazelrc",
    "flake.nix",
    "default.nix",
    "shell.nix",
    "dockerfile",
    "phpunit.xml",
    "composer.json",
    "package.swift",
    "directory.build.props",
];
/// How the names of others begin.
const BUILD_BEGINNINGS: [&str; 13] = [
    "tsconfig",
    "jest.config.",
    "jest.setup.",
    "vitest.config.",
    "vite.config.",
    "playwright.config.",
    "cypress.config.",
    "karma.conf.",
    "babel.config.",
    "eslint.config.",
    ".eslintrc",
    ".mocharc",
    "webpack.config.",
];
/// Folders of settings of such tools.
const BUILD_FOLDERS: [&str; 4] = [".cargo", ".config", ".mvn", ".bundle"];
/// Folders in which tests and what they need stand.
const TEST_FOLDERS: [&str; 14] = [
    "test",
    "tests",
    "spec",
    "specs",
    "testing",
    "testdata",
    "fixtures",
    "snapshots",
    "__tests__",
    "__snapshots__",
    "__mocks__",
    "e2e",
    "acceptance",
    "integration-tests",
];
/// Programs, and words after them, that run tests which they find themselves.
const RUNNERS: [&str; 30] = [
    "test", "tests", "check", "verify", "spec", "unittest", "nextest", "pytest", "jest", "vitest",
    "mocha", "ava", "karma", "rspec", "phpunit", "tox", "nox", "ctest", "make", "just", "npm",
    "pnpm", "yarn", "bun", "rake", "mvn", "gradle", "ninja", "meson", "bazel",
];
/// Characters between the words of a script.
const BETWEEN: [char; 17] = [
    ' ', '\t', '\n', '\r', '"', '\'', '`', '=', ',', ';', '|', '&', '<', '>', '(', ')', ':',
];
/// The most words of a text that are looked at.
const MOST_WORDS: usize = 20_000;

/// What judges by one criterion.
#[derive(Debug)]
pub(super) struct Judges<'a> {
    /// The folder in which it runs; empty for the root.
    folder: String,
    /// The repository's files, sorted.
    files: &'a BTreeSet<&'a str>,
    named: BTreeSet<&'a str>,
    folders: BTreeSet<String>,
    words: Vec<String>,
    runs_tests: bool,
}

impl<'a> Judges<'a> {
    /// What `criterion` names and runs of `files`. `None` where it is a review.
    pub(super) fn of(criterion: &Criterion, files: &'a BTreeSet<&'a str>) -> Option<Self> {
        let run = criterion.run.as_ref()?;
        let folder = criterion
            .folder
            .as_ref()
            .map_or("", |folder| folder.as_str());
        let words: Vec<String> = run.words().iter().flat_map(|word| parts(word)).collect();
        let is_runner = |word: &String| {
            let name = word.rsplit('/').next().unwrap_or(word).to_lowercase();
            let name = name.split('.').next().unwrap_or_default();
            RUNNERS.contains(&name) || name.contains("test")
        };
        let mut judges = Self {
            folder: folder.to_owned(),
            files,
            named: BTreeSet::new(),
            folders: BTreeSet::new(),
            runs_tests: words.iter().any(is_runner),
            words: words.clone(),
        };
        let own = judges.folder.clone();
        for word in &words {
            judges.add(&own, word);
        }
        Some(judges)
    }

    /// Takes in what a file of the repository names: a script, a build file. Whether that was anything new.
    pub(super) fn read(&mut self, file: &str, text: &str) -> bool {
        let before = self.named.len();
        let beside = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let places = [self.folder.clone(), beside.to_owned(), String::new()];
        for word in parts(text) {
            for place in &places {
                self.add_file(place, &word);
            }
        }
        self.named.len() > before
    }

    /// The files that are named so far.
    pub(super) fn named(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.named.iter().copied()
    }

    fn add(&mut self, place: &str, word: &str) {
        if self.add_file(place, word) {
            return;
        }
        let Some(path) =
            joined(place, word).filter(|path| !path.is_empty() && *path != self.folder)
        else {
            return;
        };
        let below = format!("{path}/");
        let next = self.files.range(below.as_str()..).next();
        if next.is_some_and(|file| file.starts_with(&below)) {
            self.folders.insert(path);
        }
    }

    fn add_file(&mut self, place: &str, word: &str) -> bool {
        let Some(path) = joined(place, word) else {
            return false;
        };
        let found = self.files.get(path.as_str());
        if let Some(found) = found {
            self.named.insert(found);
        }
        found.is_some()
    }

    /// Whether a file judges: one of the repository's, or one that has been added to it.
    pub(super) fn has(&self, path: &str) -> bool {
        if self.named.contains(path) {
            return true;
        }
        let mut above = path;
        while let Some((folder, _)) = above.rsplit_once('/') {
            if self.folders.contains(folder) {
                return true;
            }
            above = folder;
        }
        self.sets_up(path) || (self.runs_tests && is_below(path, &self.folder) && is_test(path))
    }

    /// Whether a file that the repository has not had says how things are built or tested, or is a test that the
    /// criterion does not ask for.
    pub(super) fn has_added(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let stem = name.split('.').next().unwrap_or(name);
        let asked_for = |word: &String| {
            joined(&self.folder, word).as_deref() == Some(path) || word == stem || word == name
        };
        self.has(path) && !self.words.iter().any(asked_for)
    }

    /// Whether it is a build file in the criterion's folder, above it, or below it.
    fn sets_up(&self, path: &str) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let (outer, last) = folder.rsplit_once('/').unwrap_or(("", folder));
        let (folder, is_set_up) = if BUILD_FOLDERS.contains(&last) {
            (outer, true)
        } else {
            (folder, is_build_file(name))
        };
        is_set_up && (is_below(&self.folder, folder) || is_below(folder, &self.folder))
    }

    /// Whether files may stand in a folder that judge, so that it is worth looking for new ones there.
    pub(super) fn looks_into(&self, folder: &str) -> bool {
        is_below(folder, &self.folder) || is_below(&self.folder, folder)
    }
}

/// Whether what stands in a folder of that path is likely to be tests.
pub(super) fn is_test_folder(folder: &str) -> bool {
    folder
        .split('/')
        .any(|name| TEST_FOLDERS.contains(&name.to_lowercase().as_str()))
}

fn is_build_file(name: &str) -> bool {
    let name = name.to_lowercase();
    BUILD_FILES.contains(&name.as_str())
        || BUILD_BEGINNINGS.iter().any(|begin| name.starts_with(begin))
        || [".mk", ".csproj", ".sln", ".gemspec", ".cabal", ".opam"]
            .iter()
            .any(|end| name.ends_with(end))
}

fn is_test(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if is_test_folder(folder) {
        return true;
    }
    let stem = name.split('.').next().unwrap_or(name);
    let lower = stem.to_lowercase();
    lower.starts_with("test_")
        || lower.ends_with("_test")
        || lower.ends_with("_tests")
        || lower.ends_with("_spec")
        || lower == "test"
        || lower == "tests"
        || stem.ends_with("Test")
        || stem.ends_with("Tests")
        || name.contains(".test.")
        || name.contains(".spec.")
}

/// Whether a path is a folder, or below it; everything is below the root, which is empty.
fn is_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    folder.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The words of a text that may be paths.
fn parts(text: &str) -> impl Iterator<Item = String> + '_ {
    // a whole word first: a path may have any of these characters in it
    let whole = (text.len() < 1_024).then(|| text.to_owned()).into_iter();
    let parts = text.split(BETWEEN).filter(|part| !part.is_empty());
    whole.chain(parts.take(MOST_WORDS).map(str::to_owned))
}

/// The path from the root that `word` means in the folder `place`; `None` where it leads out of it.
fn joined(place: &str, word: &str) -> Option<String> {
    if word.is_empty() || word.len() > 1_024 || word.starts_with(['/', '~', '-']) {
        return None;
    }
    let mut names: Vec<&str> = place.split('/').filter(|name| !name.is_empty()).collect();
    for name in word.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 15] = [
        "Cargo.toml",
        "Makefile",
        "README.md",
        "check/run.sh",
        "check/words.txt",
        "crates/a/Cargo.toml",
        "crates/a/src/lib.rs",
        "crates/a/tests/it.rs",
        "crates/b/Cargo.toml",
        "docs/API.md",
        "src/lib.rs",
        "src/lib_test.py",
        "tests/data/one.json",
        "tests/whole.rs",
        "web/package.json",
    ];

    fn judging(run: &str, folder: Option<&str>, read: &[(&str, &str)]) -> Vec<&'static str> {
        let files = FILES.into_iter().collect();
        let criterion = serde_json::json!({ "run": run, "folder": folder });
        let criterion = serde_json::from_value(criterion).unwrap();
        let mut judges = Judges::of(&criterion, &files).unwrap();
        for (file, text) in read {
            judges.read(file, text);
        }
        FILES.into_iter().filter(|file| judges.has(file)).collect()
    }

    #[test]
    fn what_a_command_names_or_finds_judges() {
        let build = [
            "Cargo.toml",
            "Makefile",
            "crates/a/Cargo.toml",
            "crates/b/Cargo.toml",
            "web/package.json",
        ];
        let with = |more: &[&'static str]| {
            let mut all = [&build[..], more].concat();
            all.sort_unstable();
            all
        };
        assert_eq!(
            judging("grep -q x docs/API.md", None, &[]),
            with(&["docs/API.md"])
        );
        assert_eq!(
            judging("sh -c 'cd docs; ../check/run.sh'", None, &[]),
            with(&["docs/API.md"])
        );
        assert_eq!(
            judging("prog --list=docs/API.md:3", None, &[]),
            with(&["docs/API.md"])
        );
        assert_eq!(
            judging("sh -c 'a; check/run.sh'", None, &[]),
            with(&["check/run.sh"])
        );
        let tests = [
            "crates/a/tests/it.rs",
            "src/lib_test.py",
            "tests/data/one.json",
            "tests/whole.rs",
        ];
        assert_eq!(judging("cargo test", None, &[]), with(&tests));
        assert_eq!(
            judging("pytest tests/whole.rs::one", None, &[]),
            with(&tests)
        );
        assert_eq!(
            judging("prog .", None, &[]),
            with(&[]),
            "the folder itself is not all that is in it"
        );
        assert_eq!(
            judging("cargo test", Some("crates/a"), &[]),
            [
                "Cargo.toml",
                "Makefile",
                "crates/a/Cargo.toml",
                "crates/a/tests/it.rs"
            ]
        );
        assert_eq!(
            judging(
                "../../check/run.sh ../../../../etc/passwd",
                Some("crates/b"),
                &[("check/run.sh", "grep -f words.txt $(cat ../../README.md)")]
            ),
            [
                "Cargo.toml",
                "Makefile",
                "README.md",
                "check/run.sh",
                "check/words.txt",
                "crates/b/Cargo.toml"
            ]
        );
    }

    #[test]
    fn what_is_added_judges_unless_the_criterion_asks_for_it() {
        let files = FILES.into_iter().collect();
        let criterion =
            |run: &str| serde_json::from_value(serde_json::json!({ "run": run })).unwrap();
        let cargo = criterion("cargo test --test fresh");
        let cargo = Judges::of(&cargo, &files).unwrap();
        for (path, judges) in [
            ("tests/conftest.py", true),
            ("conftest.py", true),
            (".cargo/config.toml", true),
            ("tests/fresh.rs", false),
            ("tests/other.rs", true),
            ("src/other.rs", false),
        ] {
            assert_eq!(cargo.has_added(path), judges, "{path}");
        }
        assert!(
            Judges::of(
                &serde_json::from_value(serde_json::json!({ "review": "a b c" })).unwrap(),
                &files
            )
            .is_none()
        );
    }
}
