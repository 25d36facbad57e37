//! Decides without a model, by a table of rules over what is known of the screen: pure.
//!
//! For the demo, for a start without any server, and as the fallback while a server is down. The rules are
//! asked in order and the first that fits decides; each says what it rests on. They are no model: where none
//! fits, the agent is left alone or the person is asked, never guessed at.

use std::sync::LazyLock;

use regex::Regex;

use super::prompt::Situation;
use crate::record::{Action, MemoAction, Verdict};
use crate::screen::{Screen, dialog, tail};

/// What the rules call themselves in logs.
pub const NAME: &str = "builtin";

struct Seen<'a> {
    situation: &'a Situation,
    /// The newest lines that say something, the newest last.
    lines: Vec<&'a str>,
}

type Rule = fn(&Seen<'_>) -> Option<Verdict>;

/// In the order in which they are asked.
const RULES: [Rule; 6] = [
    open_dialog,
    question,
    still_working,
    finished,
    in_circles,
    failure_or_idle,
];

/// How many of the newest lines the rules look at.
const LINES: usize = 6;

/// Decides what to do.
pub fn decide(situation: &Situation) -> Verdict {
    let screen = above_prompt(tail(&situation.pane, 4_000));
    let mut lines: Vec<&str> = screen
        .into_iter()
        .rev()
        .map(|line| {
            line.trim_matches(|c: char| !c.is_alphanumeric() && !"●✻?!.:()[]`\"'".contains(c))
        })
        .filter(|line| line.chars().filter(|c| c.is_alphanumeric()).count() > 1)
        // how long it took is not what it said last; that it is still at it (`…`) is
        .filter(|line| !line.starts_with('✻') || line.contains('…'))
        .take(LINES)
        .collect();
    lines.reverse();
    let seen = Seen { situation, lines };
    RULES
        .iter()
        .find_map(|rule| rule(&seen))
        .unwrap_or_else(|| {
            verdict(
                Action::Continue,
                "none of the built-in rules fits this screen",
                String::new(),
                seen.quote(),
            )
        })
}

impl Seen<'_> {
    /// What a verdict rests on that rests on no line more than another: the newest.
    fn quote(&self) -> &str {
        self.lines.last().copied().unwrap_or_default()
    }
}

/// The lines of a screen down to an agent's prompt, where that stands between two rules: what is below the
/// upper rule is the prompt, its hints and the status line, and says nothing of the work.
fn above_prompt(screen: &str) -> Vec<&str> {
    /// How far above the end the lower rule may stand, and the upper one above that.
    const REACH: usize = 12;
    let is_rule =
        |line: &str| line.trim().chars().count() >= 8 && line.trim().chars().all(|c| c == '─');
    let lines: Vec<&str> = screen.lines().collect();
    let upwards = |from: usize| {
        (from.saturating_sub(REACH)..from)
            .rev()
            .find(|at| is_rule(lines[*at]))
    };
    let upper = upwards(lines.len()).and_then(upwards);
    lines[..upper.unwrap_or(lines.len())].to_vec()
}

fn open_dialog(seen: &Seen<'_>) -> Option<Verdict> {
    let screen = Screen::read(&seen.situation.pane);
    let line = dialog::find(&screen)?;
    let text =
        format!("It shows what looks like a dialog: `{line}`. Please answer it in its pane.");
    Some(verdict(
        Action::AskUser,
        "the screen looks like a dialog",
        text,
        line,
    ))
}

fn question(seen: &Seen<'_>) -> Option<Verdict> {
    let line = seen
        .lines
        .last()
        .filter(|line| line.trim_end().ends_with('?'))?;
    let text = format!("It asks: {}", line.trim_start_matches(['●', '✻', ' ']));
    let why = "its last line is a question";
    Some(verdict(Action::AskUser, why, text, line))
}

fn still_working(seen: &Seen<'_>) -> Option<Verdict> {
    static WORKING: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)…\s*(?:\(|$)|^\W*(?:compiling|downloading|installing|running|building)\b")
            .ok()
    });
    let line = seen.lines.last()?;
    let working = WORKING
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(line));
    working.then(|| {
        let why = format!("`{line}` says that work goes on");
        verdict(Action::Continue, &why, String::new(), line)
    })
}

fn finished(seen: &Seen<'_>) -> Option<Verdict> {
    static FINISHED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)^\W*(?:done\b|finished\b|all (?:steps|tasks|tests|checks)\b.*\b(?:done|pass|passed|complete)|the goal is reached|nothing (?:left|more) to do)").ok()
    });
    let line = seen
        .lines
        .iter()
        .rev()
        .take(3)
        .find(|line| FINISHED.as_ref().is_some_and(|p| p.is_match(line)))?;
    let text = format!(
        "It says `{}`. Is the goal reached, and what should it do next?",
        line.trim_start_matches(['●', '✻', ' '])
    );
    Some(verdict(
        Action::AskUser,
        "it says that it has finished",
        text,
        line,
    ))
}

fn in_circles(seen: &Seen<'_>) -> Option<Verdict> {
    let newest = seen.situation.memos.iter().rev().take(2);
    let nudges = newest.filter(|memo| {
        let nothing = memo
            .after_summary
            .as_deref()
            .is_some_and(|after| after.contains("nothing new"));
        memo.action == MemoAction::Verdict(Action::Instruct) && nothing
    });
    (nudges.count() == 2).then(|| {
        let text = "Two nudges changed nothing. What should it do?".to_owned();
        let why = "two nudges in a row changed nothing";
        verdict(Action::AskUser, why, text, seen.quote())
    })
}

fn failure_or_idle(seen: &Seen<'_>) -> Option<Verdict> {
    static FAILURE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:error|failed|failure|panicked|exception|traceback)\b").ok()
    });
    let is_failure = |line: &&&str| {
        FAILURE
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(line))
    };
    if let Some(line) = seen.lines.iter().rev().take(3).find(is_failure) {
        let shown: String = line
            .trim_start_matches(['●', '✻', ' '])
            .chars()
            .take(160)
            .collect();
        let text = format!(
            "Find the cause of \"{shown}\", fix it, and run the check that showed it again."
        );
        return Some(verdict(
            Action::Instruct,
            "its last lines tell of a failure",
            text,
            line,
        ));
    }
    let line = seen.lines.last()?;
    let goal: String = seen
        .situation
        .goal
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let goal: String = goal.chars().take(300).collect();
    let text = if goal.is_empty() {
        "Go on with the next step, and say what remains to be done.".to_owned()
    } else {
        format!("Go on with the next step towards the goal: {goal}")
    };
    Some(verdict(
        Action::Instruct,
        &format!("it stands still after `{line}`"),
        text,
        line,
    ))
}

/// A verdict that rests on the line `quote`.
fn verdict(action: Action, reasoning: &str, text: String, quote: &str) -> Verdict {
    Verdict {
        action,
        reasoning: reasoning.to_owned(),
        text,
        quote: Some(quote.to_owned()).filter(|quote| !quote.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::director::prompt::tests::{memo, situation};

    fn of(pane: &str) -> (Action, String) {
        let verdict = decide(&situation(pane));
        (verdict.action, verdict.text)
    }

    #[test]
    fn the_verdict_depends_on_what_the_screen_shows() {
        use Action::{AskUser, Continue, Instruct};
        let cases = [
            (
                "● Step 2 of 5 is written.\n> ",
                Instruct,
                "Go on with the next step towards the goal: ship it",
            ),
            (
                "error: 2 tests failed in tests/parser.rs\n> ",
                Instruct,
                "Find the cause of \"error: 2 tests failed",
            ),
            (
                "Which database should the service use, Postgres or SQLite?\n> ",
                AskUser,
                "It asks: Which database",
            ),
            (
                "● Done: the schema is written.\n> ",
                AskUser,
                "It says `Done: the schema is written.`",
            ),
            (
                "● All steps are done and the checks pass.\n> ",
                AskUser,
                "It says `All steps are done",
            ),
            ("✻ Determining… (3s)\n\n❯ ", Continue, ""),
            (
                "Do you want to proceed?\n❯ 1. Yes\n  2. No",
                AskUser,
                "It shows what looks like a dialog",
            ),
            ("", Continue, ""),
        ];
        for (pane, action, text) in cases {
            let (found, said) = of(pane);
            let rests_on = decide(&situation(pane)).quote.unwrap_or_default();
            assert!(pane.contains(&rests_on) && rests_on.is_empty() == pane.is_empty());
            assert_eq!(found, action, "{pane}\n{said}");
            assert!(said.starts_with(text), "{pane}\n{said}");
        }
    }

    #[test]
    fn what_stands_below_the_prompt_says_nothing_of_the_work() {
        let rule = "─".repeat(40);
        let claude = format!(
            "● Renamed it. What should I do next?\n\n✻ Cooked for 2s\n\n{rule}\n❯ \n{rule}\n  ? for shortcuts"
        );
        assert_eq!(
            of(&claude),
            (
                Action::AskUser,
                "It asks: Renamed it. What should I do next?".into()
            )
        );
    }

    #[test]
    fn two_nudges_that_changed_nothing_are_enough() {
        let mut situation = situation("● Step 2.\n> ");
        situation.memos = vec![
            memo("instruct", "a", "the screen showed nothing new"),
            memo("instruct", "b", "the screen showed nothing new"),
        ];
        assert_eq!(decide(&situation).action, Action::AskUser);
        situation.memos[1].after_summary = Some("3 new lines".into());
        assert_eq!(decide(&situation).action, Action::Instruct);
    }
}
