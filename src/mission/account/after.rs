//! The after-action review: what went right and wrong, and what follows from it, by rules from the records alone.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::facts::{Facts, skipped_because};
use super::{Account, took};
use crate::mission::markdown::{code, line};
use crate::mission::receipt::Tree;
use crate::mission::schedule::Stage;
use crate::mission::view::TaskView;
use crate::record::time_text;

/// The heading of what is to be done about it.
pub(super) const ITEMS: &str = "## Action items";
/// The most items that are read back from a review, and the longest, in characters.
const MOST_ITEMS: usize = 30;
/// See there.
const LONGEST_ITEM: usize = 500;

/// What a review says, under its four headings.
#[derive(Default)]
struct Review {
    right: Vec<String>,
    wrong: Vec<String>,
    better: Vec<String>,
    items: Vec<String>,
}

/// The after-action review of a mission, as Markdown.
pub fn after_action(account: &Account<'_>) -> String {
    let mut review = Review::default();
    for task in &account.view.tasks {
        let facts = Facts::of(account, &task.slug);
        review.went_right(account, task, &facts);
        review.went_wrong(account, task, &facts);
        review.teaches(account, task, &facts);
    }
    let mut text = format!(
        "# After-action review of mission `{}`\n\nBy rules, from the journal and the receipts as they were at {}.\n",
        account.view.id,
        time_text(account.now)
    );
    for (title, lines) in [
        ("## Went right", &review.right),
        ("## Went wrong", &review.wrong),
        ("## Could be better", &review.better),
        (ITEMS, &review.items),
    ] {
        let _ = write!(text, "\n{title}\n\n");
        if lines.is_empty() {
            text.push_str("- (nothing)\n");
        }
        for line in lines {
            let _ = writeln!(text, "- {line}");
        }
    }
    text
}

/// The action items of a review that [`after_action`] wrote, for the next plan; bounded, as it is read from a file.
pub fn action_items(review: &str) -> Vec<String> {
    let Some((_, items)) = review.split_once(ITEMS) else {
        return Vec::new();
    };
    items
        .lines()
        .take_while(|line| !line.starts_with('#'))
        .filter_map(|item| item.strip_prefix("- "))
        .map(|item| line(item, LONGEST_ITEM))
        .filter(|item| item != "(nothing)")
        .take(MOST_ITEMS)
        .collect()
}

fn codes<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().take(10).map(|it| code(it, 200)).collect();
    names.join(", ")
}

fn times(count: usize) -> String {
    match count {
        1 => "once".into(),
        2 => "twice".into(),
        _ => format!("{count} times"),
    }
}

impl Review {
    fn went_right(&mut self, account: &Account<'_>, task: &TaskView, facts: &Facts<'_>) {
        if task.stage != Stage::Done {
            return;
        }
        let merged = account.receipts.iter();
        let proven: BTreeSet<usize> = merged
            .filter(|one| one.task == task.slug && one.on == Tree::Merged && one.passed())
            .map(|one| one.criterion)
            .collect();
        let how = if task.attempt <= 1 && facts.failed.is_empty() {
            "at the first attempt".to_owned()
        } else {
            format!("at attempt {} of {}", task.attempt, task.attempts)
        };
        let proven = match proven.len() {
            0 => String::new(),
            1 => "; a criterion passed on the merged tree".to_owned(),
            count => format!("; {count} criteria passed on the merged tree"),
        };
        let took = match (task.started_at, task.ended_at) {
            (Some(start), Some(end)) => format!(" in {}", took((end - start).num_milliseconds())),
            _ => String::new(),
        };
        self.right
            .push(format!("`{}` was done {how}{took}{proven}", task.slug));
        if facts.conflicted > 0 {
            let slug = &task.slug;
            self.right
                .push(format!("`{slug}`: its worker resolved the conflict"));
        }
    }

    fn went_wrong(&mut self, account: &Account<'_>, task: &TaskView, facts: &Facts<'_>) {
        let slug = &task.slug;
        let mut say = |text: String| self.wrong.push(format!("`{slug}` {text}"));
        let why = task
            .why
            .as_deref()
            .map_or_else(String::new, |why| format!(": {}", line(why, 300)));
        match task.stage {
            _ if task.skipped => {
                let because = skipped_because(account.view, task);
                let because = because.map_or_else(
                    || "what it depends on is lost".to_owned(),
                    |lost| format!("`{}` {}", lost.slug, super::facts::lost(lost)),
                );
                say(format!("was skipped, because {because}"));
            }
            Stage::Failed => say(format!("failed after {} attempts{why}", task.attempt)),
            Stage::Blocked => say(format!("is blocked{why}")),
            Stage::Dropped => say(format!("was dropped{why}")),
            Stage::Stopped => say("was stopped, and not continued".to_owned()),
            _ => {}
        }
        if facts.refused > 0 {
            say(format!(
                "was reported as done {} while a criterion failed",
                times(facts.refused)
            ));
        }
        let mut told = BTreeSet::new();
        for receipt in &facts.failed {
            let outcome = line(&receipt.outcome.to_string(), 200);
            if told.insert((&receipt.what, outcome.clone())) && told.len() <= 10 {
                let on = super::tree(receipt.on);
                say(format!("{on}: {}: {outcome}", code(&receipt.what, 200)));
            }
        }
        if !facts.undone.is_empty() {
            let files = codes(facts.undone.iter().copied());
            say(format!(
                "changed what judges it, and that was put back: {files}"
            ));
        }
        if facts.conflicted > 0 {
            let files = codes(facts.conflicts.iter().copied());
            say(format!(
                "could not be merged {}: {files}",
                times(facts.conflicted)
            ));
        }
        if facts.taken_back > 0 {
            let times = times(facts.taken_back);
            say(format!(
                "was merged, and broke what was there: taken back {times}"
            ));
        }
        if facts.overtime {
            say("was not done in time".to_owned());
        }
        for blocker in &facts.blocked {
            say(format!("could not go on: {}", line(blocker, 300)));
        }
        for why in facts.lost.iter().take(5) {
            say(format!("lost its worker: {}", line(why, 300)));
        }
        for why in facts.trouble.iter().take(5) {
            say(format!("met with trouble: {}", line(why, 300)));
        }
        if !task.outside.is_empty() {
            let files = codes(task.outside.iter().map(String::as_str));
            say(format!("wrote beside its paths: {files}"));
        }
    }

    /// What could be better, and what to do about it.
    fn teaches(&mut self, account: &Account<'_>, task: &TaskView, facts: &Facts<'_>) {
        let slug = &task.slug;
        let better = |to: &mut Self, text: String| to.better.push(format!("`{slug}`: {text}"));
        let item = |to: &mut Self, text: String| to.items.push(format!("`{slug}`: {text}"));
        if facts.refused > 0 {
            better(
                self,
                "its worker reported before its criteria passed".into(),
            );
            item(
                self,
                "say in its description which commands must pass, and what they check".into(),
            );
        }
        if !facts.undone.is_empty() {
            let files = codes(facts.undone.iter().copied());
            better(self, "it was not plain which tests are given".into());
            item(
                self,
                format!(
                    "say that {files} are given; where they are to be changed, name them in `paths`"
                ),
            );
        }
        if !task.outside.is_empty() {
            let files = codes(task.outside.iter().map(String::as_str));
            item(
                self,
                format!("name {files} in its `paths`, or say that they are not its business"),
            );
        }
        if facts.conflicted > 0 {
            let files = codes(facts.conflicts.iter().copied());
            better(self, "tasks that ran at once changed the same files".into());
            item(
                self,
                format!("give {files} to one task, or let one depend on the other"),
            );
        }
        if facts.taken_back > 0 {
            better(self, "what it broke was seen only after the merge".into());
            item(
                self,
                "add the tests of what it builds on to its own criteria".into(),
            );
        }
        if facts.overtime {
            let limit = account
                .plan
                .task(slug)
                .map_or(0, |task| task.time_limit_min);
            better(self, "it was larger than its time".into());
            item(
                self,
                format!("split it, or give it more than {limit} minutes"),
            );
        }
        for what in facts.too_slow() {
            item(
                self,
                format!(
                    "give {} more time (`timeoutSec`), or make it faster",
                    code(what, 200)
                ),
            );
        }
        for what in facts.not_run() {
            item(
                self,
                format!("see that {} can be run, or correct it", code(what, 200)),
            );
        }
        for what in &facts.says_nothing {
            better(
                self,
                format!(
                    "{} passed before any work: it says nothing",
                    code(what, 200)
                ),
            );
            item(
                self,
                format!("replace {} by what fails until it is done", code(what, 200)),
            );
        }
        for blocker in &facts.blocked {
            item(self, format!("answer in the plan: {}", line(blocker, 300)));
        }
        if facts.unsaved > 0 {
            item(
                self,
                "say what of its files is to be committed, and what is to be ignored".into(),
            );
        }
        match task.stage {
            Stage::Failed => item(
                self,
                "retry it with another description, work on it yourself, or drop it".into(),
            ),
            Stage::Blocked | Stage::Stopped => item(
                self,
                "give it what it needs, and continue it; or drop it".into(),
            ),
            _ => {}
        }
    }
}
