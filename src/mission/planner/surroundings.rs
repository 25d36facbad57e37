//! What a planner is told of a repository, within bounds.

use std::fmt::Write as _;
use std::path::Path;

use crate::git::{GitError, Repository};
use crate::mission::account::action_items;
use crate::mission::markdown::{cut, line};
use crate::store;

/// How many characters of each part are told.
const FILES_CHARS: usize = 20_000;
/// See there.
const README_CHARS: usize = 8_000;
/// See there: of one build file, and of all of them.
const BUILD_FILE_CHARS: usize = 4_000;
/// See there.
const BUILD_CHARS: usize = 16_000;
/// See there.
const ITEMS_CHARS: usize = 6_000;
/// How many commits are told.
const COMMITS: usize = 20;
/// How many files are listed at most before they are cut by their characters.
const FILES: usize = 10_000;
/// The largest review that is read, in bytes.
const LARGEST_REVIEW: u64 = 256 * 1024;

/// Files that say how a repository is built and tested.
const BUILD_FILES: [&str; 22] = [
    "Cargo.toml",
    "package.json",
    "pnpm-workspace.yaml",
    "tsconfig.json",
    "deno.json",
    "pyproject.toml",
    "setup.py",
    "requirements.txt",
    "tox.ini",
    "go.mod",
    "Makefile",
    "justfile",
    "CMakeLists.txt",
    "meson.build",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "Gemfile",
    "composer.json",
    "mix.exs",
    "Package.swift",
    "Dockerfile",
];

/// Programs of which a plan may make use where they are installed.
const PROGRAMS: [&str; 34] = [
    "cargo", "node", "npm", "npx", "pnpm", "yarn", "bun", "deno", "python3", "pytest", "uv", "tox",
    "go", "make", "cmake", "ctest", "ninja", "mvn", "gradle", "java", "ruby", "bundle", "php",
    "composer", "dotnet", "swift", "zig", "mix", "just", "jq", "sh", "grep", "test", "git",
];

/// What is known of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Its files, and whether there are more.
    pub files: Vec<String>,
    /// See there.
    pub has_more_files: bool,
    /// What says what it is.
    pub readme: Option<String>,
    /// The files that say how it is built, each with its content.
    pub build_files: Vec<(String, String)>,
    /// Its last commits, the newest first, a line each.
    pub commits: Vec<String>,
    /// What earlier missions taught.
    pub action_items: Vec<String>,
}

/// Looks around in a repository at a commit; `reviews` are the files of earlier after-action reviews, the newest
/// first. What cannot be read is left out.
///
/// # Errors
/// When git does not list the files.
pub async fn gather(
    repository: &Repository,
    commit: &str,
    reviews: &[impl AsRef<Path>],
) -> Result<Surroundings, GitError> {
    let listing = repository.files_of(commit, FILES).await?;
    let content = async |path: &str, chars: usize| {
        let bytes = repository.file_of(commit, path, chars * 4).await.ok()??;
        Some(cut(&String::from_utf8_lossy(&bytes), chars).0)
    };
    let is_readme = |path: &&String| {
        let name = path.to_ascii_lowercase();
        ["readme.md", "readme", "readme.txt", "readme.rst"].contains(&name.as_str())
    };
    let readme = match listing.paths.iter().find(is_readme) {
        Some(path) => content(path, README_CHARS).await,
        None => None,
    };
    let mut build_files = Vec::new();
    for path in BUILD_FILES {
        if listing.paths.iter().any(|it| it == path)
            && let Some(text) = content(path, BUILD_FILE_CHARS).await
        {
            build_files.push((path.to_owned(), text));
        }
    }
    let mut items = Vec::new();
    for review in reviews {
        if let Ok(Some(document)) = store::read_document(review.as_ref(), LARGEST_REVIEW) {
            items.extend(action_items(document.text()));
        }
    }
    let commits = repository.last_commits(commit, COMMITS).await;
    Ok(Surroundings {
        files: listing.paths,
        has_more_files: listing.is_cut,
        readme,
        build_files,
        commits: commits.unwrap_or_default(),
        action_items: items,
    })
}

impl Surroundings {
    /// The same as texts with titles, each within its bound.
    pub(super) fn known(
        &self,
        exists: &(dyn Fn(&str) -> bool + Sync),
    ) -> Vec<(&'static str, String)> {
        let programs: Vec<&str> = PROGRAMS.into_iter().filter(|it| exists(it)).collect();
        let mut build = String::new();
        for (path, text) in &self.build_files {
            let (text, is_cut) = cut(text, BUILD_FILE_CHARS);
            let rest = if is_cut {
                "\n(the rest is left out)"
            } else {
                ""
            };
            let part = format!("=== {}\n{text}{rest}\n", line(path, 300));
            if build.chars().count() + part.chars().count() <= BUILD_CHARS {
                build.push_str(&part);
            }
        }
        let lines = |lines: &[String], most: usize, chars: usize| {
            let lines: Vec<String> = lines.iter().take(most).map(|it| line(it, 500)).collect();
            cut(&lines.join("\n"), chars).0
        };
        let known = [
            ("The repository's files", self.listed()),
            (
                "What says what it is",
                self.readme
                    .as_deref()
                    .map_or_else(String::new, |it| cut(it, README_CHARS).0),
            ),
            ("What says how it is built", build),
            (
                "Its last commits",
                lines(&self.commits, COMMITS, FILES_CHARS),
            ),
            (
                "Action items of earlier missions",
                lines(&self.action_items, 60, ITEMS_CHARS),
            ),
            (
                "Programs that are installed, among others",
                programs.join(" "),
            ),
        ];
        known
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .collect()
    }

    /// The files, those near the root first, and how many are left out.
    fn listed(&self) -> String {
        let mut files: Vec<&String> = self.files.iter().collect();
        files.sort_by_key(|path| (path.matches('/').count(), *path));
        let (mut text, mut chars, mut shown) = (String::new(), 0, 0);
        for path in &files {
            let path = line(path, 300);
            chars += path.chars().count() + 1;
            if chars > FILES_CHARS {
                break;
            }
            text.push_str(&path);
            text.push('\n');
            shown += 1;
        }
        match (files.len() - shown, self.has_more_files) {
            (0, false) => {}
            (left, more) => {
                let or_more = if more { " or more" } else { "" };
                let _ = writeln!(text, "(and {left}{or_more} others, deeper down)");
            }
        }
        text.trim_end().to_owned()
    }
}
