//! Real and constructed screens of agents, each filed under its true state: what the profiles make of them.
//!
//! A case is a folder `tests/screens/<kind>/<state>/<case>/` with a `case.json` and the screens in the order of
//! time, `1.ansi` (a styled dump) or `1.txt` (a plain one), `2.ansi` and so on. What counts most is that nothing
//! is **dangerous**: typing permitted where the case forbids it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use meta_orchestrator::screen::profile::{Profile, Profiles};
use meta_orchestrator::screen::prompt::Cursor;
use meta_orchestrator::screen::recognise::{Shown, in_time};
use meta_orchestrator::screen::state::State;
use serde::Deserialize;

/// What is known of a case beside its screens.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct About {
    #[serde(rename = "source")]
    _source: String,
    columns: usize,
    #[serde(rename = "rows")]
    _rows: usize,
    #[serde(default)]
    cursors: Vec<Option<(usize, usize)>>,
    front: String,
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default)]
    at: Vec<f64>,
    typing: bool,
    /// As `/capture` read it; the folder says what is true.
    #[serde(default, rename = "state")]
    _state: Option<State>,
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

struct Case {
    name: String,
    kind: String,
    state: State,
    about: About,
    /// Raw dumps, and whether they are styled.
    dumps: Vec<(String, bool)>,
}

impl Case {
    fn read(folder: &Path, kind: &str, state: State) -> Self {
        let name = file_name(folder);
        let about = std::fs::read_to_string(folder.join("case.json"))
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let about: About = serde_json::from_str(&about)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let dump = |number: usize| {
            let styled = std::fs::read_to_string(folder.join(format!("{number}.ansi")))
                .map(|text| (text, true));
            styled
                .or_else(|_| {
                    std::fs::read_to_string(folder.join(format!("{number}.txt")))
                        .map(|text| (text, false))
                })
                .ok()
        };
        let dumps: Vec<_> = (1..).map_while(dump).collect();
        assert!(!dumps.is_empty(), "{} has no screen", folder.display());
        Self {
            name,
            kind: kind.to_owned(),
            state,
            about,
            dumps,
        }
    }

    fn shown(&self) -> Vec<Shown> {
        let cursor = |at: usize| {
            let (column, row) = (*self.about.cursors.get(at)?)?;
            Some(Cursor { column, row })
        };
        let shown = |(at, (dump, styled)): (usize, &(String, bool))| {
            let read = if *styled { Shown::styled } else { Shown::plain };
            read(dump, self.about.columns, cursor(at))
        };
        self.dumps.iter().enumerate().map(shown).collect()
    }

    /// A shell, or nobody, is in front: what the screen still shows does not count.
    fn has_ended(&self) -> bool {
        const SHELLS: [&str; 5] = ["bash", "sh", "zsh", "fish", ""];
        SHELLS.contains(&self.about.front.as_str())
    }

    fn seen(&self, profile: &Profile) -> (State, bool, String) {
        if self.has_ended() {
            return (State::Ended, false, "a shell is in front".into());
        }
        let reading = in_time(profile, &self.shown());
        let takes = reading.takes_nudge();
        (reading.state, takes, reading.rule)
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens");
    let mut cases = Vec::new();
    for kind in folders(&root) {
        for state in folders(&kind) {
            let name = file_name(&state);
            let known = State::ALL.into_iter().find(|known| known.as_str() == name);
            let known = known.unwrap_or_else(|| panic!("{} is no state", state.display()));
            cases.extend(
                folders(&state)
                    .iter()
                    .map(|case| Case::read(case, &file_name(&kind), known)),
            );
        }
    }
    cases
}

#[derive(Default)]
struct Count {
    right: usize,
    wrong: usize,
    unknown: usize,
    dangerous: usize,
    withheld: usize,
}

#[test]
#[expect(
    clippy::disallowed_macros,
    reason = "the table is for who runs the tests"
)]
fn the_profiles_know_the_screens() {
    let profiles = Profiles::shipped();
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let mut said = String::new();
    for case in cases() {
        let profile = profiles
            .get(&case.kind.parse().unwrap())
            .unwrap_or_else(|| panic!("no profile of {}", case.kind));
        if !case.has_ended() && !case.about.arguments.is_empty() {
            let found = profiles.of_program(&case.about.front, &case.about.arguments);
            let found = found.map(|profile| profile.kind().to_string());
            assert_eq!(
                found.as_deref(),
                Some(case.kind.as_str()),
                "the program of {}",
                case.name
            );
        }
        let (state, takes, rule) = case.seen(profile);
        let count = counts.entry(case.kind.clone()).or_default();
        if state == case.state {
            count.right += 1;
        } else if state == State::Unknown {
            count.unknown += 1;
        } else {
            count.wrong += 1;
        }
        count.dangerous += usize::from(takes && !case.about.typing);
        count.withheld += usize::from(!takes && case.about.typing);
        if state != case.state || takes != case.about.typing {
            let _ = writeln!(
                said,
                "  {}/{}/{}: {state}, typing {takes}, by `{rule}`",
                case.kind, case.state, case.name
            );
        }
    }
    let mut table = format!(
        "{:<10} {:>5} {:>5} {:>7} {:>9} {:>8}\n",
        "kind", "right", "wrong", "unknown", "dangerous", "withheld"
    );
    for (kind, count) in &counts {
        let _ = writeln!(
            table,
            "{kind:<10} {:>5} {:>5} {:>7} {:>9} {:>8}",
            count.right, count.wrong, count.unknown, count.dangerous, count.withheld
        );
    }
    println!("{table}\n{said}");
    for (kind, count) in &counts {
        let all = count.right + count.wrong + count.unknown;
        assert_eq!(count.dangerous, 0, "{kind}:\n{said}");
        assert!(
            count.right * 100 >= all * 97,
            "{kind}: {} of {all} are right\n{said}",
            count.right
        );
        assert!(
            count.unknown * 100 <= all * 3,
            "{kind}: {} of {all} are unknown\n{said}",
            count.unknown
        );
    }
}

#[test]
fn an_animation_alone_changes_no_digest() {
    let profiles = Profiles::shipped();
    for case in cases().iter().filter(|case| case.name.contains("film")) {
        let profile = profiles.get(&case.kind.parse().unwrap()).unwrap();
        let shown = case.shown();
        let stills: Vec<String> = shown
            .iter()
            .map(|shown| meta_orchestrator::screen::recognise::recognise(profile, shown).still)
            .collect();
        for (at, still) in stills.iter().enumerate() {
            let seconds = case.about.at.get(at).copied().unwrap_or_default();
            assert_eq!(
                *still, stills[0],
                "{}/{} after {seconds} s",
                case.kind, case.name
            );
        }
    }
}
