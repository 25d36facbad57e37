//! Decides whether a dialog is answered by a rule or put to the person: pure.
//!
//! A wrong yes cannot be taken back, and a question costs little: whatever is not plainly allowed goes to the
//! person. A rule that denies wins wherever it stands, and what it may also mean in another spelling is asked
//! about. The built-in list never presses a key: it turns what a rule allows into a question and says why, for
//! it guesses, and "no" is an answer too. Nothing here is about trust, login or an agent's own questions: those
//! are the person's.

mod builtin;
mod paths;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;

use super::text;
use crate::config::{About, ApprovalRule, Approvals, DialogKind, Match, RuleAnswer};
use crate::ids::AgentId;
use crate::screen::recognise::{Dialog, Says};
use paths::Place;

/// A dialog that waits for a yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Whose.
    pub agent: &'a AgentId,
    /// What the yes is for.
    pub kind: DialogKind,
    /// The command, the path, the tool with its arguments.
    pub subject: Subject<'a>,
    /// The folder that the agent works in, where that is known: relative paths start there.
    pub folder: Option<&'a str>,
}

/// What a dialog is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Its text.
    pub text: &'a str,
    /// Whether that is all of it: not cut by the screen, or found whole in the transcript.
    pub whole: bool,
}

/// The rule that decided: its place in the configuration, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleName(pub usize);

impl fmt::Display for RuleName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "approvals[{}]", self.0)
    }
}

/// What is to be done about a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Yes, this once.
    Allow {
        /// By this rule.
        rule: RuleName,
    },
    /// No.
    Deny {
        /// By this rule.
        rule: RuleName,
    },
    /// The person is asked.
    Person {
        /// Why.
        why: String,
    },
}

/// Whether a rule that denies fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    No,
    /// It may mean this, in another spelling or as a part of something larger.
    Perhaps,
    Yes,
}

/// Judges a dialog by the rules that a person has put in force.
pub fn judge(approvals: &Approvals, asked: &Asked<'_>) -> Ruling {
    let of = |answer: RuleAnswer| {
        let rules = approvals.rules.iter().enumerate();
        rules.filter(move |(_, rule)| {
            rule.answer == answer && rule.concerns(asked.agent, asked.kind)
        })
    };
    let person = |why: String| Ruling::Person { why };
    let mut perhaps = None;
    for (index, rule) in of(RuleAnswer::Deny) {
        match denies(&rule.about, asked) {
            Fit::Yes => {
                let rule = RuleName(index);
                return Ruling::Deny { rule };
            }
            Fit::Perhaps => perhaps = perhaps.or(Some(RuleName(index))),
            Fit::No => {}
        }
    }
    if let Some(rule) = perhaps {
        return person(format!("{rule}, which denies, may mean it"));
    }
    let mut hindrance = None;
    let mut allowed = None;
    for (index, rule) in of(RuleAnswer::Allow) {
        let name = RuleName(index);
        match allows(&rule.about, asked) {
            Ok(true) => {
                allowed = Some(name);
                break;
            }
            Ok(false) => {}
            Err(why) => {
                hindrance = hindrance.or_else(|| Some(format!("{name} might allow it, but {why}")));
            }
        }
    }
    let Some(rule) = allowed else {
        return person(hindrance.unwrap_or_else(|| "no rule is about it".into()));
    };
    let danger = approvals
        .builtin_deny
        .then(|| builtin::danger(asked.kind, asked.subject.text))
        .flatten();
    match danger {
        Some(danger) => person(format!("{rule} allows it, but {danger}")),
        None => Ruling::Allow { rule },
    }
}

/// The option that `ruling` chooses, from 0: the only one that says a plain yes or no. An option that says more
/// ("always", "for this session", "do not ask again") is never among them, whatever a profile takes it for.
///
/// # Errors
/// When the person is to choose; says why.
pub fn option_for(ruling: &Ruling, dialog: &Dialog) -> Result<usize, String> {
    let (wanted, word) = match ruling {
        Ruling::Allow { .. } => (Says::Yes, "yes"),
        Ruling::Deny { .. } => (Says::No, "no"),
        Ruling::Person { why } => return Err(why.clone()),
    };
    let choices = dialog.choices.iter().enumerate();
    let mut plain = choices.filter(|(_, choice)| {
        choice.says == wanted && (wanted == Says::No || is_for_once(&choice.label))
    });
    match (plain.next(), plain.next()) {
        (Some((index, _)), None) => Ok(index),
        (None, _) => Err(format!("the dialog has no plain {word}")),
        (Some(_), Some(_)) => Err(format!("the dialog has several that say {word}")),
    }
}

/// Whether a label that says yes says no more than that.
fn is_for_once(label: &str) -> bool {
    const MORE: [&str; 20] = [
        "again",
        "all ",
        "always",
        "any ",
        "ask",
        "auto",
        "bypass",
        "during",
        "every",
        "forever",
        "future",
        "mode",
        "permanent",
        "remember",
        "session",
        "similar",
        "start with",
        "switch",
        "…",
        "...",
    ];
    let label = label.to_lowercase();
    !MORE.iter().any(|more| label.contains(more))
}

/// Whether a rule that denies is about what is asked, as far as it is seen.
fn denies(about: &About, asked: &Asked<'_>) -> Fit {
    let text = asked.subject.text;
    match about {
        About::Anything => Fit::Yes,
        About::Command(wanted) => denies_command(wanted, text),
        About::Path(wanted) => {
            let Some(place) = Place::resolved(text, asked.folder) else {
                return Fit::Perhaps;
            };
            match place_fits(wanted, &place, asked.folder) {
                true => Fit::Yes,
                // where it leads upwards, over links perhaps, is for the person to see
                false if paths::leads_upwards(text) => Fit::Perhaps,
                false => Fit::No,
            }
        }
    }
}

fn denies_command(wanted: &Match, text: &str) -> Fit {
    let parts = words::parts(text);
    let first: &[String] = parts.first().map_or(&[], |part| &part.words);
    let joined = |words: &[String]| words.join(" ");
    let (fits, may_fit) = match wanted {
        Match::Exact(exact) => {
            let meant = words::parts(exact);
            let all: Vec<_> = meant.iter().flat_map(|part| &part.words).collect();
            let is_it = text.trim() == exact.trim() || parts == meant;
            (is_it, parts.iter().any(|part| part.holds(&all)))
        }
        Match::Prefix(prefix) => {
            let all: Vec<&str> = prefix.split(' ').collect();
            let begins = first.len() >= all.len() && first.iter().zip(&all).all(|(a, b)| a == b);
            (begins, parts.iter().any(|part| part.holds(&all)))
        }
        Match::Pattern(pattern) => {
            let alone = parts.len() == 1 && pattern.fits(&joined(first));
            let fits = |part: &words::Part| pattern.fits(&joined(&part.words));
            (pattern.fits(text) || alone, parts.iter().any(fits))
        }
    };
    match (fits, may_fit) {
        (true, _) => Fit::Yes,
        (false, true) => Fit::Perhaps,
        (false, false) => Fit::No,
    }
}

/// Whether a rule that allows is about what is asked, or why it cannot be said.
fn allows(about: &About, asked: &Asked<'_>) -> Result<bool, String> {
    let text = asked.subject.text;
    let fits = match about {
        About::Anything => true,
        About::Command(Match::Exact(exact)) => text == exact,
        About::Command(Match::Prefix(prefix)) => text
            .strip_prefix(prefix.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)),
        About::Command(Match::Pattern(pattern)) => pattern.fits(text),
        About::Path(wanted) => {
            let place = Place::resolved(text, asked.folder);
            place.is_some_and(|place| place_fits(wanted, &place, asked.folder))
        }
    };
    if fits {
        wholly_known(asked)?;
        match about {
            About::Command(Match::Prefix(_) | Match::Pattern(_)) => words::plain(text)?,
            About::Path(_) if paths::leads_upwards(text) => {
                return Err("its path leads upwards".into());
            }
            About::Anything | About::Command(Match::Exact(_)) | About::Path(_) => {}
        }
    }
    Ok(fits)
}

/// Whether what is asked is all there, and all to be seen.
fn wholly_known(asked: &Asked<'_>) -> Result<(), String> {
    let text = asked.subject.text;
    let needs_text = matches!(
        asked.kind,
        DialogKind::Command | DialogKind::FileEdit | DialogKind::Tool
    );
    if !asked.subject.whole || text.contains('…') {
        return Err("it is not wholly known".into());
    }
    if needs_text && text.trim().is_empty() {
        return Err("it is not known what it is about".into());
    }
    let is_path = asked.kind == DialogKind::FileEdit;
    let is_hidden = |c: char| {
        text::is_invisible(c)
            || matches!(c, '\r' | '\u{85}' | '\u{2800}')
            || (is_path && c.is_control())
    };
    if text.chars().any(is_hidden) {
        return Err("it holds characters that cannot be seen".into());
    }
    Ok(())
}

fn place_fits(wanted: &Match, place: &Place, folder: Option<&str>) -> bool {
    match wanted {
        Match::Exact(path) => Place::resolved(path, folder).is_some_and(|exact| exact == *place),
        Match::Prefix(path) => {
            Place::resolved(path, folder).is_some_and(|above| place.is_within(&above))
        }
        Match::Pattern(pattern) => place.spellings(folder).any(|path| pattern.fits(&path)),
    }
}

/// What a change of the rules means, a line each, for the person who is about to put it in force: what comes,
/// what goes, and whether the order of what stays is another one. Empty: nothing changes.
pub fn changes(before: &Approvals, after: &Approvals) -> Vec<String> {
    let lacks = |rules: &[ApprovalRule], rule: &ApprovalRule| !rules.contains(rule);
    let mut lines: Vec<String> = Vec::new();
    for (index, rule) in after.rules.iter().enumerate() {
        if lacks(&before.rules, rule) {
            lines.push(format!("new: {}: {rule}", RuleName(index)));
        }
    }
    for rule in &before.rules {
        if lacks(&after.rules, rule) {
            lines.push(format!("gone: {rule}"));
        }
    }
    if lines.is_empty() && before.rules != after.rules {
        lines.push("the same rules, in another order or number".into());
    }
    match (before.builtin_deny, after.builtin_deny) {
        (true, false) => lines.push(
            "the built-in list no longer holds: dangerous commands are allowed where a rule allows them"
                .into(),
        ),
        (false, true) => lines.push("the built-in list holds again".into()),
        _ => {}
    }
    lines
}
