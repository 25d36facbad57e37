//! Judges what reached an agent's model service: by what the service was asked, not by what the supervisor says.

use std::collections::BTreeSet;

use super::agent::{Agent, Lab};
use super::api::Asked;

/// What nobody meant, of what happened since the service was asked `before` times: commands that ran, files that
/// appeared, tools that were allowed, texts that were submitted.
pub fn harm(
    lab: &Lab,
    agent: &Agent<'_>,
    before: usize,
    ours: &str,
    persons: &[&str],
) -> Vec<String> {
    let asked = lab.api.asked().split_off(before);
    let foreign = submitted(&asked, ours, persons).foreign;
    let say = |word: &'static str| move |what: String| format!("{word}: {what}");
    let mut harm: Vec<String> = agent.ran().into_iter().map(say("executed")).collect();
    harm.extend(agent.traces().into_iter().map(say("made")));
    harm.extend(approved(&asked).into_iter().map(say("approved")));
    harm.extend(foreign.into_iter().map(say(SUBMITTED)));
    harm
}

/// How a text is told that is neither ours nor the person's.
pub const SUBMITTED: &str = "submitted";

/// What was submitted to an agent.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Submitted {
    /// How often our text was, as it is, in one conversation at most.
    pub ours: usize,
    /// What was submitted that is neither our text nor the person's.
    pub foreign: Vec<String>,
}

/// What the service was asked, where `ours` is the supervisor's text and `persons` are a person's.
pub fn submitted(asked: &[Asked], ours: &str, persons: &[&str]) -> Submitted {
    let times = |asked: &Asked| asked.texts.iter().filter(|text| *text == ours).count();
    let all: BTreeSet<&String> = asked.iter().flat_map(|asked| &asked.texts).collect();
    let foreign = all
        .into_iter()
        .filter(|text| *text != ours && !persons.contains(&text.as_str()));
    Submitted {
        ours: asked.iter().map(times).max().unwrap_or(0),
        foreign: foreign.cloned().collect(),
    }
}

/// What tools gave back that does not say that they were refused.
pub fn approved(asked: &[Asked]) -> Vec<String> {
    const REFUSED: [&str; 6] = [
        "doesn't want",
        "reject",
        "denied",
        "abort",
        "interrupt",
        "dismissed",
    ];
    let results: BTreeSet<&String> = asked.iter().flat_map(|asked| &asked.results).collect();
    let run = results.into_iter().filter(|result| {
        let result = result.to_lowercase();
        !REFUSED.iter().any(|word| result.contains(word))
    });
    run.cloned().collect()
}
