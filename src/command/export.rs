//! The story of a session as a page of Markdown. What came from outside is quoted so that it stays text.

use std::fmt::Write as _;

use super::markdown::{excerpt, fenced, inline};
use super::when::{Clock, length};
use crate::ids::{AgentId, SessionId};
use crate::record::stats::Stats;
use crate::record::story::{Chapter, Decision};
use crate::record::{Memo, MemoAction, Origin, Receipt, Review, Step};

/// How a note begins that tells of looks alone: no part of a story.
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
        "- spent: {} model calls, {} tokens; {} reviews, {} tokens",
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
    let mut text = format!("\n### {}: {}\n", clock.second(it.ts), title(it));
    let memo_text = it.memo.as_ref().map_or("", |memo| memo.text.as_str());
    for step in &it.steps {
        step_words(step, memo_text, &mut text);
    }
    if let Some(memo) = &it.memo {
        memo_words(memo, it, &mut text);
    }
    text
}

fn title(it: &Decision) -> String {
    if let Some(memo) = &it.memo {
        return match memo.action {
            MemoAction::Notice => "the person was asked".to_owned(),
            MemoAction::Answer => "a dialog was answered".to_owned(),
            MemoAction::Reply => "the person replied".to_owned(),
            ref action => inline(action.as_str()),
        };
    }
    let asked = it
        .steps
        .iter()
        .any(|step| matches!(step, Step::Asked { .. }));
    if asked {
        "asked, without an end"
    } else {
        "a text"
    }
    .to_owned()
}

fn step_words(step: &Step, known: &str, text: &mut String) {
    match step {
        Step::Asked {
            backend,
            quiet_sec,
            prompt,
            ..
        } => {
            let _ = write!(
                text,
                "\n{} was asked, after {} without a change. It saw:\n\n{}",
                inline(backend),
                length(*quiet_sec),
                fenced(prompt)
            );
        }
        Step::Answered {
            by,
            verdict,
            problem,
            answer,
            tokens,
        } => {
            let by = inline(by.as_deref().unwrap_or("It"));
            match verdict {
                Some(verdict) => {
                    let _ = write!(
                        text,
                        "\n{by} said **{}** ({tokens} tokens)",
                        inline(verdict.action.as_str())
                    );
                    let why = inline(&verdict.reasoning);
                    let _ = writeln!(
                        text,
                        "{}",
                        if why.is_empty() {
                            ".".into()
                        } else {
                            format!(": {why}")
                        }
                    );
                    if let Some(quote) = verdict.quote.as_deref().filter(|it| !it.trim().is_empty())
                    {
                        let _ = writeln!(text, "\nIt rests on: {}", inline(quote));
                    }
                    // what was typed, or kept, stands below
                    if verdict.text.trim() != known.trim() && !verdict.text.trim().is_empty() {
                        let _ = write!(text, "\n{}", fenced(&verdict.text));
                    }
                }
                None => {
                    let _ = writeln!(text, "\n{by} gave no verdict ({tokens} tokens).");
                    if !answer.trim().is_empty() {
                        let _ = write!(text, "\n{}", fenced(answer));
                    }
                }
            }
            if let Some(problem) = problem {
                let _ = writeln!(text, "\nWhat is wrong with it: {}", inline(problem));
            }
        }
        Step::Receipt {
            origin,
            text: typed,
            receipt,
        } => {
            if typed.trim() != known.trim() {
                let _ = write!(text, "\nTo be typed:\n\n{}", fenced(typed));
            }
            let _ = writeln!(text, "\n{}: {}", whose(*origin), receipt_words(receipt));
        }
        Step::Counted { why } => {
            let _ = writeln!(text, "\n{}.", excerpt(why, 500));
        }
        Step::Intent { .. } => {}
    }
}

fn memo_words(memo: &Memo, it: &Decision, text: &mut String) {
    if !memo.text.trim().is_empty() {
        let _ = write!(text, "\n{}", fenced(&memo.text));
    }
    let is_said = |step: &Step| {
        matches!(
            step,
            Step::Answered {
                verdict: Some(_),
                ..
            }
        )
    };
    if !memo.reasoning.trim().is_empty() && !it.steps.iter().any(is_said) {
        let _ = writeln!(text, "\nBecause: {}", inline(&memo.reasoning));
    }
    let is_receipt = |step: &Step| matches!(step, Step::Receipt { .. });
    if let Some(receipt) = &memo.receipt
        && !it.steps.iter().any(is_receipt)
    {
        let _ = writeln!(text, "\nReceipt: {}", receipt_words(receipt));
    }
    if let Some(after) = memo
        .after_summary
        .as_deref()
        .filter(|it| !it.trim().is_empty())
    {
        let _ = writeln!(text, "\nWhat came after: {}", inline(after));
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
        Receipt::Delivered(delivery) => format!(
            "**delivered** ({}; {} presses, {} ms after the last look began)",
            inline(&delivery.proof),
            delivery.presses,
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
