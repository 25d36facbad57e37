//! The story of a session as a page of Markdown. What came from outside is quoted so that it stays text.

use std::fmt::Write as _;

use super::markdown::{excerpt, fenced, inline};
use super::when::{Clock, length};
use crate::ids::{AgentId, SessionId};
use crate::record::stats::Stats;
use crate::record::story::{Chapter, Decision};
use crate::record::{Action, Memo, MemoAction, Origin, Receipt, Review, Step};

/// How much of a screen is shown.
const SCREEN_LINES: usize = 30;
/// Notes that tell of looks alone: no part of a story.
const LOOKS_ALONE: [&str; 2] = ["an hour of watching", "the supervisor ends"];

/// The head of the page: whose story, its goal, its times, and what it took.
pub fn head(
    id: &AgentId,
    session: &SessionId,
    goal: Option<&str>,
    stats: &Stats,
    clock: &Clock<'_>,
) -> String {
    let mut page = format!("# The story of {}\n\n", inline(id.as_str()));
    let _ = writeln!(page, "- session: {}", inline(session.as_str()));
    if let Some((first, last)) = stats.span {
        let (first, last) = (clock.minute(first), clock.minute(last));
        let _ = writeln!(
            page,
            "- from {first} to {last} (local time, {})",
            clock.zone_name()
        );
    }
    let total = stats.total();
    let _ = writeln!(
        page,
        "- spent: model calls: {}, with {} tokens; reviews: {}, with {} tokens",
        total.calls, total.tokens, total.reviews, total.review_tokens
    );
    let nudges = total.nudges;
    let _ = writeln!(
        page,
        "- instructions: {} delivered, {} refused, {} unproven, {} observed only",
        nudges.delivered, nudges.refused, nudges.unproven, nudges.observed
    );
    let _ = writeln!(
        page,
        "- questions to the person: {}, open for {} together; dialogs answered: {} by the person, {} by rules",
        total.questions,
        length(total.waited_sec),
        total.dialogs.by_person,
        total.dialogs.by_rule
    );
    match goal.map(str::trim).filter(|goal| !goal.is_empty()) {
        Some(goal) => {
            let _ = write!(page, "\n## Goal\n\n{}", fenced(goal));
        }
        None => page.push_str("\nIts goal is not on record.\n"),
    }
    page.push_str("\n## What happened\n");
    page
}

/// One chapter; `None` for what is no part of a story.
pub fn chapter(chapter: &Chapter, clock: &Clock<'_>) -> Option<String> {
    match chapter {
        Chapter::Decision(it) => Some(decision(it, clock)),
        Chapter::Review(it) => Some(review(it, clock)),
        Chapter::Note { why, .. } if LOOKS_ALONE.contains(&why.as_str()) => None,
        Chapter::Note { ts, why } => Some(format!(
            "\n- {}: {}\n",
            clock.second(*ts),
            excerpt(why, 500)
        )),
    }
}

fn review(it: &Review, clock: &Clock<'_>) -> String {
    let mut text = format!(
        "\n### {}: review by {}\n\n{}",
        clock.second(it.ts),
        inline(&it.by),
        fenced(&it.text)
    );
    if let Some(instruction) = &it.instruction {
        let _ = write!(text, "\nIt proposes to type:\n\n{}", fenced(instruction));
    }
    text
}

fn decision(it: &Decision, clock: &Clock<'_>) -> String {
    let text = format!("\n### {}: {}\n", clock.second(it.ts), title(it));
    let mut telling = Telling {
        text,
        told: Vec::new(),
    };
    for step in &it.steps {
        telling.step(step);
    }
    if let Some(memo) = &it.memo {
        telling.memo(memo, it);
    }
    telling.text
}

fn title(it: &Decision) -> String {
    if let Some(memo) = &it.memo {
        return match &memo.action {
            MemoAction::Verdict(action) => action_words(*action).to_owned(),
            MemoAction::NoVerdict => "no verdict".to_owned(),
            MemoAction::Notice => "the person was asked".to_owned(),
            MemoAction::Answer => "a dialog was answered".to_owned(),
            MemoAction::Reply => "the person replied".to_owned(),
            MemoAction::Other(word) => inline(word),
        };
    }
    let word = |step: &Step| match step {
        Step::Answered { verdict, .. } => Some(match verdict {
            Some(verdict) => action_words(verdict.action),
            None => "no verdict",
        }),
        _ => None,
    };
    let last = it.steps.iter().rev().find_map(word);
    last.unwrap_or("without an end").to_owned()
}

fn action_words(action: Action) -> &'static str {
    match action {
        Action::Continue => "continue",
        Action::Instruct => "instruct",
        Action::AskUser => "ask the person",
    }
}

/// A decision as it is told.
struct Telling<'a> {
    text: String,
    /// The texts that stand in it already.
    told: Vec<&'a str>,
}

impl<'a> Telling<'a> {
    /// A text to be typed or asked, unless it stands here already.
    fn quote(&mut self, text: &'a str) {
        let text = text.trim();
        if !text.is_empty() && !self.told.contains(&text) {
            let _ = write!(self.text, "\n{}", fenced(text));
            self.told.push(text);
        }
    }

    fn step(&mut self, step: &'a Step) {
        match step {
            Step::Asked {
                backend,
                quiet_sec,
                prompt,
                ..
            } => {
                let lines: Vec<&str> = prompt.trim_end().lines().collect();
                let first = lines.len().saturating_sub(SCREEN_LINES);
                let end = if first > 0 { " (its end)" } else { "" };
                let _ = write!(
                    self.text,
                    "\n{} was asked, after {} without a change. The screen{end}:\n\n{}",
                    inline(backend),
                    length(*quiet_sec),
                    fenced(&lines[first..].join("\n"))
                );
            }
            Step::Answered { .. } => self.answered(step),
            Step::Receipt {
                origin,
                text,
                receipt,
            } => {
                self.quote(text);
                let receipt = receipt_words(receipt);
                let _ = writeln!(self.text, "\n{}: {receipt}", whose(*origin));
            }
            Step::Counted { why } => {
                let _ = writeln!(self.text, "\n({})", excerpt(why, 500));
            }
            Step::Intent { .. } => {}
        }
    }

    fn answered(&mut self, step: &'a Step) {
        let Step::Answered {
            by,
            verdict,
            problem,
            answer,
            tokens,
        } = step
        else {
            return;
        };
        let by = inline(by.as_deref().unwrap_or("It"));
        if let Some(verdict) = verdict {
            let action = action_words(verdict.action);
            let _ = write!(self.text, "\n{by} said **{action}** ({tokens} tokens)");
            let why = inline(&verdict.reasoning);
            let _ = match why.as_str() {
                "" => writeln!(self.text, "."),
                why => writeln!(self.text, ": {why}"),
            };
            let quote = verdict.quote.as_deref().unwrap_or_default().trim();
            if !quote.is_empty() {
                let _ = writeln!(self.text, "\nIt rests on: {}", inline(quote));
            }
            self.quote(&verdict.text);
        } else {
            let _ = writeln!(self.text, "\n{by} gave no verdict ({tokens} tokens).");
            self.quote(answer);
        }
        if let Some(problem) = problem {
            let _ = writeln!(self.text, "\nWhat is wrong with it: {}", inline(problem));
        }
    }

    fn memo(&mut self, memo: &'a Memo, it: &Decision) {
        self.quote(&memo.text);
        let is_said = |step: &Step| matches!(step, Step::Answered { .. });
        if !memo.reasoning.trim().is_empty() && !it.steps.iter().any(is_said) {
            let _ = writeln!(self.text, "\nBecause: {}", inline(&memo.reasoning));
        }
        let is_receipt = |step: &Step| matches!(step, Step::Receipt { .. });
        if let Some(receipt) = &memo.receipt
            && !it.steps.iter().any(is_receipt)
        {
            let _ = writeln!(self.text, "\nReceipt: {}", receipt_words(receipt));
        }
        let after = memo.after_summary.as_deref().unwrap_or_default();
        if !after.trim().is_empty() {
            let _ = writeln!(self.text, "\nWhat came after: {}", inline(after));
        }
    }
}

fn whose(origin: Origin) -> &'static str {
    match origin {
        Origin::Verdict => "The instruction",
        Origin::Person => "The person's word",
        Origin::Rule => "The rule's answer",
    }
}

fn receipt_words(receipt: &Receipt) -> String {
    match receipt {
        // older logs do not say how
        Receipt::Delivered(delivery) if delivery.presses == 0 => "**delivered**".to_owned(),
        Receipt::Delivered(delivery) => format!(
            "**delivered** ({}; pressed {}, {} ms after the last look began)",
            inline(&delivery.proof),
            if delivery.presses == 1 {
                "once".to_owned()
            } else {
                format!("{} times", delivery.presses)
            },
            delivery.gap_ms
        ),
        Receipt::Refused { why } => format!("**refused**: {}", inline(why)),
        Receipt::Unproven { why, left_over } => {
            let left = if *left_over {
                ", and it may stand unsent in the prompt"
            } else {
                ""
            };
            format!("**unproven**: {}{left}", inline(why))
        }
        Receipt::Observed => "**observed only**: nothing was typed".to_owned(),
    }
}

#[cfg(test)]
mod tests;
