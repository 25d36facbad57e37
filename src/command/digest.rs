//! What happened to all agents, as a page of Markdown: plain tables over the facts of the logs.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::markdown::{excerpt, inline, table};
use super::past::{JSON_VERSION, json_line};
use super::when::{Clock, between, length};
use crate::record::digest::{Asked, Facts, How, Standing};
use crate::record::stats::Tally;

/// The page; ends with a newline.
pub fn page(facts: &[Facts], since: Option<DateTime<Utc>>, clock: &Clock<'_>) -> String {
    format!("{}{}", head(facts, since, clock), body(facts, clock))
}

/// The head of the page: which time it is about, and how many agents are how.
pub fn head(facts: &[Facts], since: Option<DateTime<Utc>>, clock: &Clock<'_>) -> String {
    let from = since.map_or("the beginning".to_owned(), |since| clock.minute(since));
    let mut page = format!(
        "# Digest: {from} to {}\n\nTimes are local ({}).",
        clock.minute(clock.now),
        clock.zone_name()
    );
    let count = |is: fn(&Standing) -> bool| facts.iter().filter(|it| is(&it.standing)).count();
    let waits = count(|standing| matches!(standing, Standing::Waits { .. }));
    let stuck = count(Standing::is_stuck) - waits;
    let went_on = count(|standing| matches!(standing, Standing::WentOn));
    let agents = if facts.len() == 1 { "agent" } else { "agents" };
    let _ = writeln!(
        page,
        " {} {agents}: {waits} waiting for you, {stuck} stuck, {went_on} went on, {} otherwise.",
        facts.len(),
        facts.len() - waits - stuck - went_on
    );
    page
}

/// The tables: who is stuck, who went on, what was asked, what was spent.
pub fn body(facts: &[Facts], clock: &Clock<'_>) -> String {
    let mut page = String::new();
    section(
        "Who waits for you, who is stuck",
        stuck(facts, clock),
        &mut page,
    );
    section("Who went on", went_on(facts, clock), &mut page);
    section("What you were asked", asked(facts, clock), &mut page);
    section("What was spent", spent(facts), &mut page);
    page
}

fn section(title: &str, table: Option<String>, page: &mut String) {
    let table = table.unwrap_or_else(|| "Nothing.\n".to_owned());
    let _ = write!(page, "\n## {title}\n\n{table}");
}

fn stuck(facts: &[Facts], clock: &Clock<'_>) -> Option<String> {
    let rows = facts.iter().filter(|it| it.standing.is_stuck());
    let rows: Vec<Vec<String>> = rows
        .map(|it| {
            vec![
                inline(it.id.as_str()),
                standing(&it.standing, clock),
                goal(it),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| table(&["agent", "why", "goal"], &rows))
}

fn went_on(facts: &[Facts], clock: &Clock<'_>) -> Option<String> {
    let rows = facts.iter();
    let rows: Vec<Vec<String>> = rows
        .filter(|it| !it.standing.is_stuck() || it.moved > 0)
        .map(|it| {
            let how = if it.standing.is_stuck() {
                "see above".to_owned()
            } else {
                standing(&it.standing, clock)
            };
            let seen = match it.moved + it.unmoved {
                0 => "-".to_owned(),
                all => format!("{} of {all}", it.moved),
            };
            vec![
                inline(it.id.as_str()),
                how,
                seen,
                it.latest
                    .as_deref()
                    .map_or("-".to_owned(), |it| excerpt(it, 120)),
                it.last.map_or("-".to_owned(), |at| clock.minute(at)),
                goal(it),
            ]
        })
        .collect();
    let heading = [
        "agent",
        "how it stands",
        "decisions with something new after",
        "the latest of it",
        "last record",
        "goal",
    ];
    (!rows.is_empty()).then(|| table(&heading, &rows))
}

fn goal(facts: &Facts) -> String {
    facts
        .goal
        .as_deref()
        .map_or("-".to_owned(), |goal| excerpt(goal, 80))
}

fn standing(standing: &Standing, clock: &Clock<'_>) -> String {
    let until = |until: &Option<DateTime<Utc>>, otherwise: &str| {
        until.map_or(otherwise.to_owned(), |at| {
            format!("until {}", clock.minute(at))
        })
    };
    match standing {
        Standing::Waits { since, text } => format!(
            "waits for you, for {}: {}",
            between(*since, clock.now),
            excerpt(text, 300)
        ),
        Standing::Gone { since, why } => format!(
            "gone, since {}: {}",
            clock.minute(*since),
            excerpt(why, 200)
        ),
        Standing::Limit { until: at } => {
            format!(
                "at its usage limit, {}",
                until(at, "it does not say until when")
            )
        }
        Standing::Stopped => "stopped by you".to_owned(),
        Standing::Held { until: at } => {
            format!(
                "nudges held by you, {}",
                until(at, "until you release them")
            )
        }
        Standing::Bound { why } => format!("{} is reached", inline(why)),
        Standing::NoAnswer { why } => {
            format!(
                "the model gave no usable answer last: {}",
                excerpt(why, 200)
            )
        }
        Standing::Fruitless { nudges } => {
            format!("{nudges} instructions in a row led to nothing new")
        }
        Standing::WentOn => "went on".to_owned(),
        Standing::Still => "watched; nothing new after its decisions".to_owned(),
        Standing::Silent => "nothing is on record".to_owned(),
    }
}

fn asked(facts: &[Facts], clock: &Clock<'_>) -> Option<String> {
    let mut all: Vec<(&Facts, &Asked)> = Vec::new();
    for it in facts {
        all.extend(it.asked.iter().map(|asked| (it, asked)));
    }
    all.sort_by_key(|(_, asked)| asked.at);
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|(it, asked)| {
            let (after, how) = match &asked.ended {
                None => (
                    format!("open, for {}", between(asked.at, clock.now)),
                    "-".to_owned(),
                ),
                Some(ended) => (between(asked.at, ended.at), how(&ended.how)),
            };
            vec![
                clock.minute(asked.at),
                inline(it.id.as_str()),
                excerpt(&asked.text, 200),
                after,
                how,
            ]
        })
        .collect();
    let left_out: u64 = facts.iter().map(|it| it.left_out).sum();
    let mut text = table(&["asked", "agent", "what", "took", "how it ended"], &rows);
    if left_out > 0 {
        let _ = writeln!(text, "\n{left_out} older ones are left out.");
    }
    (!rows.is_empty()).then_some(text)
}

fn how(how: &How) -> String {
    match how {
        How::Answered(text) => format!("you: {}", excerpt(text, 200)),
        How::Rule(text) => format!("a rule: {}", excerpt(text, 200)),
        How::Over(why) => excerpt(why, 200),
    }
}

fn spent(facts: &[Facts]) -> Option<String> {
    let row = |name: String, tally: &Tally| {
        let nudges = tally.nudges;
        vec![
            name,
            tally
                .looks
                .map_or("-".to_owned(), |looks| looks.to_string()),
            tally.calls.to_string(),
            tally.tokens.to_string(),
            format!(
                "{} of {}",
                nudges.delivered,
                nudges.delivered + nudges.refused + nudges.unproven + nudges.observed
            ),
            format!("{}, {}", tally.dialogs.by_person, tally.dialogs.by_rule),
            format!("{}, {}", tally.reviews, tally.review_tokens),
            length(tally.waited_sec),
        ]
    };
    let mut total = Tally::default();
    let mut rows = Vec::new();
    for it in facts.iter().filter(|it| it.last.is_some()) {
        total += it.tally;
        rows.push(row(inline(it.id.as_str()), &it.tally));
    }
    if rows.len() > 1 {
        rows.push(row("**all**".to_owned(), &total));
    }
    let heading = [
        "agent",
        "looks",
        "calls",
        "tokens",
        "instructions delivered",
        "dialogs: you, rules",
        "reviews, their tokens",
        "waited for you",
    ];
    (!rows.is_empty()).then(|| table(&heading, &rows))
}

/// The facts, as one JSON object in lines; ends with a newline.
///
/// # Errors
/// None that can happen: the keys are texts.
pub fn json(
    facts: &[Facts],
    since: Option<DateTime<Utc>>,
    clock: &Clock<'_>,
) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct All<'a> {
        v: u32,
        since: Option<DateTime<Utc>>,
        until: DateTime<Utc>,
        agents: &'a [Facts],
    }
    let all = All {
        v: JSON_VERSION,
        since,
        until: clock.now,
        agents: facts,
    };
    let text = serde_json::to_string_pretty(&all)?;
    Ok(text.lines().map(json_line).collect())
}

#[cfg(test)]
mod tests;
