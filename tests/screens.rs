//! Real and constructed screens of agents, each filed under its true state: what the profiles make of them.
//!
//! A case is a folder `tests/screens/<kind>/<state>/<case>/` with a `case.json` and the screens in the order of
//! time, `1.ansi` (a styled dump) or `1.txt` (a plain one), `2.ansi` and so on. What counts most is that nothing
//! is **dangerous**: typing permitted where the case forbids it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use meta_orchestrator::command::explain::screen::{Dumped, explain};
use meta_orchestrator::screen::profile::{Profile, Profiles};
use meta_orchestrator::screen::prompt::Cursor;
use meta_orchestrator::screen::recognise::{Reading, Shown, recognise, with_ours};
use meta_orchestrator::screen::state::State;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
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

/// Reads screens in the order of time: the last, known what the one before it showed.
fn in_time(profile: &Profile, shown: &[Shown]) -> Reading {
    let (last, earlier) = shown.split_last().unwrap_or_else(|| panic!("no screen"));
    let reading = recognise(profile, last);
    let Some(before) = earlier.last() else {
        return reading;
    };
    let same = recognise(profile, before).still == reading.still;
    match reading.works_since(same, profile.file().two_screens) {
        Some(why) => reading.but(State::Working, why),
        None => reading,
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

/// What stands in the prompt is ours: then the rest of the screen says whether Enter may follow.
#[test]
fn our_own_text_in_the_prompt_hides_neither_rest_nor_work() {
    const AT_REST: [&str; 5] = ["one-line", "wrapped", "two-lines", "three-lines", "short"];
    const AT_WORK: [&str; 3] = ["working", "streaming", "compacting"];
    const KINDS: [&str; 3] = ["claude", "codex", "opencode"];
    let profiles = Profiles::shipped();
    let mut wrong = String::new();
    let drafts = cases().into_iter();
    let drafts = drafts.filter(|case| case.state == State::Draft);
    for case in drafts.filter(|case| KINDS.contains(&case.kind.as_str())) {
        let profile = profiles.get(&case.kind.parse().unwrap()).unwrap();
        let shown = case.shown().pop().unwrap();
        let Some(prompt) = recognise(profile, &shown).prompt else {
            continue;
        };
        let reading = with_ours(profile, &shown, Some(&prompt.draft));
        let is_any = |words: &[&str]| words.iter().any(|word| case.name.contains(word));
        let at_work = is_any(&AT_WORK);
        let takes = reading.state.takes_nudge();
        if (takes && at_work) || (!takes && !at_work && is_any(&AT_REST)) {
            let _ = writeln!(
                wrong,
                "  {}/{}: {} by `{}`",
                case.kind, case.name, reading.state, reading.rule
            );
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// `explain --screen` without a kind: which profile a screen is read by, over a part of the cases.
#[test]
#[expect(
    clippy::disallowed_macros,
    reason = "the table is for who runs the tests"
)]
fn the_kind_of_a_screen_is_found_by_trying_every_profile() {
    let profiles = Profiles::shipped();
    let (mut right, mut all, mut said) = (0, 0, String::new());
    for case in cases().iter().filter(|case| !case.has_ended()).step_by(9) {
        let (Some((text, _)), at) = (case.dumps.last(), case.dumps.len() - 1) else {
            continue;
        };
        let cursor = case.about.cursors.get(at).copied().flatten();
        let dumped = Dumped {
            text: text.clone(),
            columns: Some(case.about.columns),
            cursor: cursor.map(|(column, row)| Cursor { column, row }),
        };
        let found = explain(&dumped, None, &profiles).unwrap();
        all += 1;
        if found.kind.as_deref() == Some(case.kind.as_str()) {
            right += 1;
        } else {
            let (kind, state) = (found.kind.unwrap_or_default(), found.told.state);
            let _ = writeln!(
                said,
                "  {}/{}/{}: {kind}, {state}",
                case.kind, case.state, case.name
            );
        }
    }
    println!("kinds found: {right} of {all}\n{said}");
    assert!(right * 100 >= all * 90, "{right} of {all}\n{said}");
}

/// The agent's own error in its own place, and not the same words of an answer, a user or a tool.
#[test]
fn a_full_context_is_read_from_the_agents_own_error_alone() {
    /// The agent, the file, the columns, the cursor, and whether its context is full.
    type Sample = (
        &'static str,
        &'static str,
        usize,
        Option<(usize, usize)>,
        bool,
    );
    const SCREENS: [Sample; 7] = [
        ("claude", "claude-full", 122, None, true),
        ("claude", "claude-full-narrow", 61, None, true),
        ("claude", "claude-quoted", 61, None, false),
        ("codex", "codex-full-narrow", 61, Some((2, 16)), true),
        ("codex", "codex-quoted", 61, Some((2, 16)), false),
        ("opencode", "opencode-full", 122, Some((5, 36)), true),
        ("opencode", "opencode-quoted", 122, Some((5, 36)), false),
    ];
    let profiles = Profiles::shipped();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evidence/context-full");
    for (kind, name, columns, cursor, is_full) in SCREENS {
        let dump = std::fs::read_to_string(root.join(format!("{name}.ansi"))).unwrap();
        let cursor = cursor.map(|(column, row)| Cursor { column, row });
        let profile = profiles.get(&kind.parse().unwrap()).unwrap();
        let reading = recognise(profile, &Shown::styled(&dump, columns, cursor));
        assert_eq!(reading.context_full, is_full, "{name}: {}", reading.rule);
    }
    let full = |case: &Case| {
        let profile = profiles.get(&case.kind.parse().unwrap()).unwrap();
        case.shown()
            .iter()
            .any(|shown| recognise(profile, shown).context_full)
    };
    let cases = cases();
    let found: Vec<&str> = cases
        .iter()
        .filter(|case| full(case))
        .map(|case| case.name.as_str())
        .collect();
    assert_eq!(found, ["120-ctxfull", "250-ctxfull", "40-ctxfull"]);
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

/// What may happen to a screen without taking away what stands in front.
#[derive(Debug, Clone)]
enum Mutation {
    /// So many of its rows, in percent, are cut off at the top.
    CutTop(usize),
    /// Only so many of its columns, in percent, are left.
    CutRight(usize),
    /// Its rows are wrapped as if the pane had so many columns, in percent.
    Wrap(usize),
    /// An answer at the top quotes a case, so many blanks from the left.
    Quote(prop::sample::Index, usize),
    /// A line that moves stands so many rows, in percent, from the top.
    Spinner(usize, usize),
}

const SPINNERS: [&str; 5] = [
    "\u{273b} Determining\u{2026} (3s \u{b7} \u{2193} 39 tokens)",
    "\u{2022} Working (12s \u{2022} esc to interrupt)",
    " \u{280f} Thinking... (esc to cancel, 2s)",
    "   \u{2b1d}\u{2b1d}\u{25a0}\u{25a0}\u{25a0}\u{25a0}  esc interrupt",
    "     \u{25a3}  Build \u{b7} m \u{b7} 1.4s",
];

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let one = prop_oneof![
        (0..=33_usize).prop_map(Mutation::CutTop),
        (75..=100_usize).prop_map(Mutation::CutRight),
        (60..=130_usize).prop_map(Mutation::Wrap),
        (any::<prop::sample::Index>(), 2..=8_usize).prop_map(|(at, by)| Mutation::Quote(at, by)),
        (0..SPINNERS.len(), 0..=33_usize).prop_map(|(at, row)| Mutation::Spinner(at, row)),
    ];
    prop::collection::vec(one, 1..=3)
}

/// A screen that is being changed.
struct Changed {
    rows: Vec<String>,
    columns: usize,
    /// Column and row.
    cursor: Option<(usize, usize)>,
}

impl Changed {
    fn insert(&mut self, at: usize, rows: Vec<String>) {
        if let Some((_, row)) = self.cursor.as_mut().filter(|(_, row)| *row >= at) {
            *row += rows.len();
        }
        self.rows.splice(at..at, rows);
    }

    fn change(&mut self, mutation: &Mutation, quoted: &[Case]) {
        let part = |percent: usize, of: usize| of * percent / 100;
        match mutation {
            Mutation::CutTop(percent) => {
                let cut = part(*percent, self.rows.len());
                self.rows.drain(..cut);
                self.cursor = self
                    .cursor
                    .and_then(|(column, row)| Some((column, row.checked_sub(cut)?)));
            }
            Mutation::CutRight(percent) => {
                self.columns = part(*percent, self.columns).max(30);
                for row in &mut self.rows {
                    *row = wrapped(row, self.columns).swap_remove(0);
                }
                let columns = self.columns;
                self.cursor = self.cursor.filter(|(column, _)| *column < columns);
            }
            Mutation::Wrap(percent) => {
                self.columns = part(*percent, self.columns).max(30);
                let rows: Vec<Vec<String>> = self
                    .rows
                    .iter()
                    .map(|row| wrapped(row, self.columns))
                    .collect();
                self.cursor = self.cursor.map(|(column, row)| {
                    let above: usize = rows.iter().take(row).map(Vec::len).sum();
                    (column % self.columns, above + column / self.columns)
                });
                self.rows = rows.into_iter().flatten().collect();
            }
            Mutation::Quote(at, by) => {
                let case = at.get(quoted);
                let text = meta_orchestrator::screen::styled::text(&case.dumps[0].0);
                let said = text
                    .lines()
                    .rev()
                    .take(20)
                    .filter(|row| !row.trim().is_empty());
                let mut said: Vec<String> = said.map(|row| " ".repeat(*by) + row).collect();
                said.reverse();
                self.insert(0, said);
            }
            Mutation::Spinner(which, percent) => {
                let at = part(*percent, self.rows.len());
                self.insert(at, vec![SPINNERS[*which].to_owned()]);
            }
        }
    }
}

/// A row, with its styling, in pieces of so many cells.
fn wrapped(row: &str, columns: usize) -> Vec<String> {
    let (mut pieces, mut cells, mut escape) = (vec![String::new()], 0, false);
    for c in row.chars() {
        if c == '\u{1b}' {
            escape = true;
        } else if escape {
            escape = !c.is_ascii_alphabetic();
        } else {
            if cells == columns {
                pieces.push(String::new());
                cells = 0;
            }
            cells += 1;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

#[test]
fn what_stands_in_front_blocks_typing_however_the_screen_is_cut_wrapped_or_quoted() {
    let profiles = Profiles::shipped();
    let cases = cases();
    let in_front = |case: &&Case| {
        let blocks = case.state.is_dialog() || case.state == State::Draft;
        blocks && !case.about.typing && !case.has_ended()
    };
    let blocked: Vec<&Case> = cases.iter().filter(in_front).collect();
    let config = Config {
        cases: 600,
        failure_persistence: None,
        ..Config::default()
    };
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let which = (any::<prop::sample::Index>(), mutations());
    let held = TestRunner::new_with_rng(config, seed).run(&which, |(at, mutations)| {
        let case = *at.get(&blocked);
        let profile = profiles.get(&case.kind.parse().unwrap()).unwrap();
        let (dump, styled) = case.dumps.last().unwrap();
        let mut changed = Changed {
            rows: dump.lines().map(str::to_owned).collect(),
            columns: case.about.columns,
            cursor: case.about.cursors.last().copied().flatten(),
        };
        for mutation in &mutations {
            changed.change(mutation, &cases);
        }
        let text = changed.rows.join("\n");
        let cursor = changed.cursor.map(|(column, row)| Cursor { column, row });
        let read = if *styled { Shown::styled } else { Shown::plain };
        let reading = in_time(profile, &[read(&text, changed.columns, cursor)]);
        prop_assert!(
            !reading.takes_nudge(),
            "{}/{}/{} takes a nudge by `{}`:\n{}",
            case.kind,
            case.state,
            case.name,
            reading.rule,
            meta_orchestrator::screen::styled::text(&text)
        );
        Ok(())
    });
    held.unwrap_or_else(|error| panic!("{error}"));
}
