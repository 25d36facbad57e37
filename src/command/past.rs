//! Puts records of the logs, and what was counted in them, into words. Text in, text out, harmless.

use std::fmt::Write as _;

use chrono::{NaiveDate, Utc};
use serde::Serialize;

use super::reply::{Frame, one_memo, step_line};
use super::text::{harmless, one_line, table, wrap};
use super::when::{Clock, between, length};
use crate::ids::AgentId;
use crate::record::past::{Entry, Unread};
use crate::record::stats::{Stats, Tally};
use crate::record::{DecisionLine, Memo, Review, Step};
use crate::screen::tail;

/// The version of what `--json` prints that no log holds.
pub const JSON_VERSION: u32 = 1;
/// How much of a screen stands in a line about a question to a backend.
const SCREEN_LINES: usize = 6;

/// A record; ends with a newline.
pub fn record(entry: &Entry, frame: &Frame) -> String {
    let text = match entry {
        Entry::Memo(memo) => one_memo(memo, frame),
        Entry::Step(line) => one_step(line, frame),
        Entry::Review(review) => one_review(review, frame),
    };
    format!("{text}\n")
}

/// What came after a memo that was shown already; ends with a newline.
pub fn came_after(memo: &Memo, frame: &Frame) -> String {
    let at = memo.ts.with_timezone(frame.now.offset());
    let head = format!(
        "after {} of {}: ",
        one_line(memo.action.as_str()),
        at.format("%Y-%m-%d %H:%M:%S")
    );
    let after = memo.after_summary.as_deref().unwrap_or("nothing is known");
    let text = wrap(&format!("{head}{after}"), frame.columns, "        ");
    format!("{}\n", text.trim_start())
}

fn one_review(review: &Review, frame: &Frame) -> String {
    let at = review.ts.with_timezone(frame.now.offset());
    let head = format!(
        "{}: review by {}",
        at.format("%Y-%m-%d %H:%M:%S"),
        one_line(&review.by)
    );
    format!("{head}\n{}", wrap(&review.text, frame.columns, "    "))
}

fn one_step(line: &DecisionLine, frame: &Frame) -> String {
    let at = line.ts.with_timezone(frame.now.offset());
    let what = step_line(&line.step);
    let mut text = format!("{} - {what}", at.format("%Y-%m-%d %H:%M:%S"));
    for (name, words) in step_parts(&line.step) {
        if words.trim().is_empty() {
            continue;
        }
        let wrapped = wrap(&words, frame.columns, "          ");
        let _ = write!(text, "\n    {name:4}  {}", wrapped.trim_start());
    }
    text
}

/// The texts of a step with their names, the long ones cut.
fn step_parts(step: &Step) -> Vec<(&'static str, String)> {
    match step {
        Step::Asked { prompt, .. } => {
            let lines: Vec<&str> = prompt.trim_end().lines().collect();
            let end = lines.len().saturating_sub(SCREEN_LINES);
            vec![("saw", lines[end..].join("\n"))]
        }
        Step::Answered {
            verdict,
            problem,
            answer,
            ..
        } => {
            let mut parts = Vec::new();
            if let Some(verdict) = verdict {
                parts.push(("text", verdict.text.clone()));
                parts.push(("why", verdict.reasoning.clone()));
            } else {
                parts.push(("said", tail(answer, 600).to_owned()));
            }
            parts.push(("but", problem.clone().unwrap_or_default()));
            parts
        }
        Step::Intent { text, .. } => vec![("text", text.clone())],
        Step::Receipt { .. } | Step::Counted { .. } => Vec::new(),
    }
}

/// A line of a log as it is printed as JSON: the same value, with what a terminal would act on written as escapes.
pub fn json_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 1);
    if line.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        out.push_str(line);
        out.push('\n');
        return out;
    }
    for one in line.chars() {
        if one < ' ' {
            // between the tokens only: JSON has none in its texts
            out.push(' ');
        } else if harmless(one.encode_utf8(&mut [0; 4])).starts_with(one) {
            out.push(one);
        } else {
            for unit in one.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out.push('\n');
    out
}

/// What is said of lines that were none; `None` where there are none.
pub fn unread(unread: Unread, id: &AgentId) -> Option<String> {
    let Unread { torn, foreign } = unread;
    let torn_words = (torn > 0).then(|| format!("{torn} without an end"));
    let foreign_words = (foreign > 0).then(|| format!("{foreign} of another form"));
    let words: Vec<String> = [torn_words, foreign_words].into_iter().flatten().collect();
    let lines = if torn + foreign == 1 { "line" } else { "lines" };
    (!words.is_empty()).then(|| {
        let words = words.join(", ");
        format!(
            "{} {lines} of the logs of {id} could not be read ({words}); they stay in the files\n",
            torn + foreign
        )
    })
}

/// The numbers of agents per day, as a table; ends with a newline.
pub fn stats(agents: &[(AgentId, Stats)], clock: &Clock<'_>, columns: usize) -> String {
    let heading = [
        "AGENT", "DAY", "LOOKS", "CALLS", "TOKENS", "C/I/A/-", "D/R/U/O", "ASKED", "DLGS", "WAITED",
    ];
    let bounds = [24];
    let mut rows = Vec::new();
    let mut all = Tally::default();
    for (id, stats) in agents {
        for (day, tally) in &stats.days {
            rows.push(row(id.as_str(), &day.to_string(), tally));
        }
        let total = stats.total();
        all += total;
        if stats.days.len() > 1 {
            rows.push(row(id.as_str(), "all days", &total));
        }
    }
    if agents.len() > 1 {
        rows.push(row("all", "", &all));
    }
    if rows.is_empty() {
        return "nothing is on record for that time\n".to_owned();
    }
    let mut text = table(&heading, &bounds, &rows, usize::MAX);
    for (id, stats) in agents {
        if let Some(question) = &stats.open {
            let since = between(question.since, clock.now);
            let asked = wrap(&question.text, columns, "    ");
            let _ = write!(text, "\n\n{id} has waited for you for {since}:\n{asked}");
        }
    }
    if all.reviews > 0 {
        let (reviews, tokens) = (all.reviews, all.review_tokens);
        let _ = write!(text, "\n\nReviews: {reviews}, with {tokens} tokens.");
    }
    let _ = write!(
        text,
        "\n\nDays are local ({}). C/I/A/-: verdicts: continue, instruct, ask you, none.\n\
         D/R/U/O: instructions by receipt: delivered, refused, unproven, observed.\n\
         ASKED: questions to you. DLGS: dialogs answered by you + by rules. WAITED: how\n\
         long questions were open. LOOKS: `-` where the logs do not tell.\n",
        clock.zone_name()
    );
    text
}

fn row(id: &str, day: &str, tally: &Tally) -> Vec<String> {
    let Tally {
        verdicts, nudges, ..
    } = tally;
    vec![
        id.to_owned(),
        day.to_owned(),
        tally
            .looks
            .map_or("-".to_owned(), |looks| looks.to_string()),
        tally.calls.to_string(),
        tally.tokens.to_string(),
        format!(
            "{}/{}/{}/{}",
            verdicts.leave, verdicts.instruct, verdicts.ask_user, verdicts.none
        ),
        format!(
            "{}/{}/{}/{}",
            nudges.delivered, nudges.refused, nudges.unproven, nudges.observed
        ),
        tally.questions.to_string(),
        format!("{}+{}", tally.dialogs.by_person, tally.dialogs.by_rule),
        length(tally.waited_sec),
    ]
}

/// The numbers of agents per day, as one JSON object in lines; ends with a newline.
///
/// # Errors
/// None that can happen: the keys are texts.
pub fn stats_json(
    agents: &[(AgentId, Stats)],
    clock: &Clock<'_>,
) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Day {
        day: NaiveDate,
        #[serde(flatten)]
        tally: Tally,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Agent<'a> {
        id: &'a AgentId,
        days: Vec<Day>,
        total: Tally,
        #[serde(skip_serializing_if = "Option::is_none")]
        open_since: Option<chrono::DateTime<Utc>>,
    }
    #[derive(Serialize)]
    struct All<'a> {
        v: u32,
        zone: String,
        agents: Vec<Agent<'a>>,
        total: Tally,
    }
    let mut total = Tally::default();
    let agents = agents
        .iter()
        .map(|(id, stats)| {
            total += stats.total();
            let days = stats.days.iter().map(|(day, tally)| Day {
                day: *day,
                tally: *tally,
            });
            Agent {
                id,
                days: days.collect(),
                total: stats.total(),
                open_since: stats.open.as_ref().map(|question| question.since),
            }
        })
        .collect();
    let all = All {
        v: JSON_VERSION,
        zone: clock.zone_name(),
        agents,
        total,
    };
    serde_json::to_string_pretty(&all).map(|text| text + "\n")
}

#[cfg(test)]
mod tests;
