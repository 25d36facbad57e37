//! What a person says of missions: the verbs of `/mission`, carried out, and what comes of them in words.

mod words;

use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Reply;
use super::line::expand_home;
use super::mission::Checked;
use super::text::harmless;
use crate::error::Failure;
use crate::ids::{MissionId, TaskId};
use crate::mission::journal::{Step, What};
use crate::mission::machine::Phase;
use crate::mission::missions::{Edited, Missions};
use crate::mission::plan::check::can_be_followed;
use crate::mission::plan::{RunLine, Task, TaskPath};
use crate::mission::ready::Ready;
use crate::mission::view::TaskView;

pub use words::tick;
pub(super) use words::{words, workers};

/// How wide the plan is shown that a person is asked about, in columns.
const COLUMNS: usize = 100;

/// What is wanted of a mission.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissionVerb {
    /// Shows all missions.
    #[default]
    List,
    /// Begins one, after a yes to its plan.
    Run,
    /// Shows one.
    Status,
    /// Tells why a task is where it is.
    Explain,
    /// Says something to a task's worker.
    Message,
    /// Starts nothing new.
    Pause,
    /// Goes on.
    Resume,
    /// Stops one task.
    Stop,
    /// Tries a task again.
    Retry,
    /// Changes a task, after a yes to what it is then.
    Edit,
    /// Gives a task up.
    Drop,
    /// Has the person's own work in a task's pane checked and merged as a worker's.
    Take,
    /// Takes a proposed task in.
    Accept,
    /// Ends it: every worker is stopped.
    Abort,
    /// Brings the result to the base branch and tidies up.
    Finish,
    /// Shows the report on it.
    Report,
    /// Answers a question about it from its records.
    Ask,
}

impl MissionVerb {
    /// All of them, in the order in which help shows them.
    pub const ALL: [Self; 17] = [
        Self::List,
        Self::Run,
        Self::Status,
        Self::Explain,
        Self::Message,
        Self::Pause,
        Self::Resume,
        Self::Stop,
        Self::Retry,
        Self::Edit,
        Self::Drop,
        Self::Take,
        Self::Accept,
        Self::Abort,
        Self::Finish,
        Self::Report,
        Self::Ask,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Run => "run",
            Self::Status => "status",
            Self::Explain => "explain",
            Self::Message => "message",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
            Self::Retry => "retry",
            Self::Edit => "edit",
            Self::Drop => "drop",
            Self::Take => "take",
            Self::Accept => "accept",
            Self::Abort => "abort",
            Self::Finish => "finish",
            Self::Report => "report",
            Self::Ask => "ask",
        }
    }

    /// Whether it is about a task.
    pub const fn names_a_task(self) -> bool {
        matches!(
            self,
            Self::Explain
                | Self::Message
                | Self::Stop
                | Self::Retry
                | Self::Edit
                | Self::Drop
                | Self::Take
                | Self::Accept
        )
    }

    /// Whether it does nothing before a yes to what it shows.
    pub const fn asks_first(self) -> bool {
        matches!(self, Self::Run | Self::Edit)
    }

    /// Whether it only looks, and changes nothing.
    pub const fn only_looks(self) -> bool {
        matches!(
            self,
            Self::List | Self::Status | Self::Explain | Self::Report
        )
    }
}

impl FromStr for MissionVerb {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|verb| verb.as_str() == word);
        found.ok_or_else(|| {
            let words = Self::ALL.map(Self::as_str).join(", ");
            format!(
                "`{}` is nothing to be done with a mission: {words}",
                word.escape_debug()
            )
        })
    }
}

/// Carries out what is wanted, but for `run` and `edit`, which ask first.
///
/// # Errors
/// When there is no such mission or task, or it cannot be done now.
pub async fn carry_out(
    missions: &Missions,
    verb: MissionVerb,
    rest: &str,
) -> Result<Reply, Failure> {
    if verb == MissionVerb::List {
        return all(missions);
    }
    let (id, rest) = addressed(missions, rest)?;
    let done = |text: String| Ok(Reply::Done(text));
    let of_task = |step| async {
        let task = task(&id, rest)?;
        missions
            .say_of(&id, task.clone(), step)
            .await
            .map(|()| task)
    };
    match verb {
        MissionVerb::List | MissionVerb::Run | MissionVerb::Edit | MissionVerb::Status => {
            Ok(Reply::Missions(vec![missions.view(&id)?]))
        }
        MissionVerb::Explain => explain(missions, &id, rest),
        MissionVerb::Message => {
            let (word, text) = split(rest);
            let task = task(&id, word)?;
            let (fresh, text) = flag(text, "--fresh");
            if text.is_empty() {
                return Err(Failure::usage("what is to be said to it?")
                    .hint(format!("/mission message {id} {task} TEXT...")));
            }
            let text = text.to_owned();
            missions
                .say_of(&id, task.clone(), Step::Message { text, fresh })
                .await?;
            done(format!("{task} is told"))
        }
        MissionVerb::Pause => {
            missions.say(&id, What::Paused).await?;
            done(format!(
                "{id} is paused: nothing new starts, and nobody is told anything; `/mission resume {id}` goes on"
            ))
        }
        MissionVerb::Resume => {
            missions.take_up(&id).await?;
            let view = missions.view(&id)?;
            if view.phase != Phase::Running {
                missions.say(&id, What::Resumed).await?;
            }
            done(format!("{id} goes on"))
        }
        MissionVerb::Stop => {
            let task = of_task(Step::Stopped).await?;
            done(format!(
                "{task} is stopped; `/mission retry {id} {task}` goes on with it"
            ))
        }
        MissionVerb::Retry => {
            let (fresh, word) = flag(rest, "--fresh");
            let task = task(&id, word)?;
            missions
                .say_of(&id, task.clone(), Step::Retried { fresh })
                .await?;
            done(format!("{task} is tried again"))
        }
        MissionVerb::Drop => {
            let task = of_task(Step::Dropped).await?;
            done(format!("{task} is given up; what depends on it is skipped"))
        }
        MissionVerb::Take => {
            let task = of_task(Step::TakenOver).await?;
            done(format!(
                "{task} is yours: when its pane stands still, or reports, it is checked and merged"
            ))
        }
        MissionVerb::Accept => {
            let proposal = task(&id, rest)?;
            missions
                .say(
                    &id,
                    What::Accepted {
                        proposal: proposal.clone(),
                    },
                )
                .await?;
            done(format!("{proposal} is taken in"))
        }
        MissionVerb::Abort => {
            missions.say(&id, What::Aborted).await?;
            done(format!(
                "{id} is aborted: its panes are closed; worktrees and branches stay"
            ))
        }
        MissionVerb::Finish => {
            let (force, rest) = flag(rest, "--force");
            nothing_more(rest)?;
            missions.finish(&id, force).await.map(Reply::Done)
        }
        MissionVerb::Report => missions.report(&id).map(Reply::Text),
        MissionVerb::Ask => missions.ask(&id, rest).await.map(Reply::Text),
    }
}

/// Reads a plan that is to be run, and what the person is asked about it.
///
/// # Errors
/// When it is no plan, or cannot be followed.
pub async fn read(rest: &str) -> Result<(Ready, String), Failure> {
    if rest.is_empty() {
        return Err(Failure::usage("which plan?").hint("/mission run FILE"));
    }
    let ready = Ready::read(&expand_home(rest)).await?;
    if ready.can_be_followed() {
        let text = question(&ready);
        Ok((ready, text))
    } else {
        Err(Failure::usage("the plan cannot be followed").because_text(shown(&ready)))
    }
}

/// Reads a task that the person has changed: of which mission, as it is now, and what the person is asked about it.
///
/// # Errors
/// When there is none such, it cannot be changed now, or could not be followed.
pub fn read_edited(missions: &Missions, rest: &str) -> Result<(MissionId, Task, String), Failure> {
    let (id, rest) = addressed(missions, rest)?;
    let (word, file) = split(rest);
    let task = task(&id, word)?;
    if file.is_empty() {
        return Err(Failure::usage("which file has it as it is to be?")
            .hint(format!("/mission edit {id} {task} PLAN-FILE")));
    }
    let edited = missions.edited(&id, &task, &expand_home(file))?;
    let text = shown_edited(&edited);
    if !can_be_followed(&edited.findings) {
        return Err(Failure::usage("the task cannot be followed so").because_text(text));
    }
    let question =
        format!("{text}\nIs {task} to be so? `/mission retry {id} {task}` then tries it.");
    Ok((id, edited.after, question))
}

/// A task as it was and as it is to be, in words.
fn shown_edited(edited: &Edited) -> String {
    let mut text = String::new();
    let (before, after) = (words_of(&edited.before), words_of(&edited.after));
    for ((name, was), (_, is)) in before.into_iter().zip(after) {
        if was == is {
            let _ = writeln!(text, "{name}: as before: {was}");
        } else {
            let _ = writeln!(text, "{name}: {is}\n  before: {was}");
        }
    }
    for finding in &edited.findings {
        let _ = writeln!(text, "{}", harmless(&finding.to_string()));
    }
    text
}

/// What a task is, part by part.
fn words_of(task: &Task) -> [(&'static str, String); 8] {
    let list = |parts: Vec<&str>| match parts.as_slice() {
        [] => "none".to_owned(),
        parts => harmless(&parts.join("\n  ")).into_owned(),
    };
    let criteria = task.exit_criteria.iter();
    let criteria = criteria.map(|one| serde_json::to_string(one).unwrap_or_default());
    let criteria: Vec<String> = criteria.collect();
    [
        ("title", harmless(&task.title).into_owned()),
        ("description", harmless(&task.description).into_owned()),
        ("role", task.role.as_str().to_owned()),
        (
            "depends on",
            list(task.depends_on.iter().map(TaskId::as_str).collect()),
        ),
        (
            "paths",
            list(task.paths.iter().map(TaskPath::as_str).collect()),
        ),
        (
            "exit criteria, run by this program",
            list(criteria.iter().map(String::as_str).collect()),
        ),
        ("attempts", task.attempts.to_string()),
        ("minutes", task.time_limit_min.to_string()),
    ]
}

/// What a person is asked before anything of a plan is run: all of it, and whether to.
pub fn question(ready: &Ready) -> String {
    format!("{}\nRun it?", shown(ready))
}

/// All of a plan that a person must have seen.
pub fn shown(ready: &Ready) -> String {
    let plan = &ready.plan;
    let checked = Checked {
        plan,
        findings: &ready.findings,
        is_repository: ready.repository.is_some(),
    };
    let mut text = checked.words(COLUMNS);
    let _ = writeln!(text, "\nIn {}", ready.root.display());
    if let Some((base, commit)) = &ready.base {
        let short = commit.get(..12).unwrap_or(commit);
        let _ = writeln!(
            text,
            "from {base} at {short}; {base} itself changes only by `/mission finish`"
        );
    }
    if !ready.unsaved.is_empty() {
        let _ = writeln!(
            text,
            "not committed there, and so no part of it: {}",
            ready.unsaved.join(", ")
        );
    }
    let _ = writeln!(
        text,
        "\nThese commands are run by this program, not by a worker:"
    );
    let setup = plan.setup.iter().map(RunLine::as_str);
    for line in setup {
        let _ = writeln!(text, "  in each new worktree: {line}");
    }
    for task in &plan.tasks {
        for criterion in &task.exit_criteria {
            if let Some(line) = &criterion.run {
                let _ = writeln!(text, "  {}: {}", task.slug, line.as_str());
            }
        }
    }
    text
}

fn all(missions: &Missions) -> Result<Reply, Failure> {
    let mut views = Vec::new();
    for id in missions.all()? {
        views.push(missions.view(&id)?);
    }
    Ok(Reply::Missions(views))
}

fn explain(missions: &Missions, id: &MissionId, rest: &str) -> Result<Reply, Failure> {
    let task = task(id, rest)?;
    let view = missions.view(id)?;
    let Some(task) = view.task(&task) else {
        return Err(Failure::usage(format!("mission {id} has no task `{task}`")));
    };
    Ok(Reply::Text(explained(task)))
}

/// Why a task is where it is, in words.
pub fn explained(task: &TaskView) -> String {
    let mut text = format!("{} ({}): {}", task.slug, task.word(), task.doing);
    if let Some(why) = &task.why {
        let _ = write!(text, "\n{why}");
    }
    for criterion in &task.criteria {
        let _ = write!(text, "\n  {} {}", tick(criterion.result), criterion.what);
        if !criterion.said.is_empty() {
            let _ = write!(text, ": {}", criterion.said);
        }
    }
    text
}

/// Which mission is meant: the one that is named, or the only one that is not finished; and what else was said.
fn addressed<'a>(missions: &Missions, rest: &'a str) -> Result<(MissionId, &'a str), Failure> {
    let (word, more) = split(rest);
    let known = missions.all()?;
    if let Some(id) = known.iter().find(|id| id.as_str() == word) {
        return Ok((id.clone(), more));
    }
    // two are too many already
    let open = known.iter().filter(|id| missions.is_open(id)).take(2);
    let open: Vec<&MissionId> = open.collect();
    match (open.as_slice(), known.as_slice()) {
        ([only], _) => Ok(((*only).clone(), rest)),
        (_, [only]) => Ok((only.clone(), rest)),
        (_, []) => {
            Err(Failure::usage("there is no mission").hint("`/mission run FILE` begins one"))
        }
        (_, several) => {
            let all: Vec<&str> = several.iter().map(MissionId::as_str).collect();
            Err(Failure::usage("it is not clear which mission is meant")
                .hint(format!("name one: {}", all.join(", "))))
        }
    }
}

fn task(id: &MissionId, word: &str) -> Result<TaskId, Failure> {
    let word = word.trim();
    if word.is_empty() {
        return Err(
            Failure::usage("which task?").hint(format!("`/mission status {id}` shows the tasks"))
        );
    }
    word.parse()
        .map_err(|error: crate::ids::InvalidId| Failure::usage(error.to_string()))
}

fn nothing_more(rest: &str) -> Result<(), Failure> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "`{}` is too much",
        rest.escape_debug()
    )))
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// Whether `flag` is the first or the last word, and the rest.
fn flag<'a>(text: &'a str, flag: &str) -> (bool, &'a str) {
    let text = text.trim();
    let rest = text.strip_prefix(flag).or_else(|| text.strip_suffix(flag));
    rest.map_or((false, text), |rest| (true, rest.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_stand_first_or_last() {
        for (text, found, rest) in [
            ("a --fresh", true, "a"),
            ("--fresh a", true, "a"),
            ("a", false, "a"),
            ("", false, ""),
        ] {
            assert_eq!(flag(text, "--fresh"), (found, rest), "{text}");
        }
    }

    #[test]
    fn every_verb_is_read_by_its_word() {
        for verb in MissionVerb::ALL {
            assert_eq!(verb.as_str().parse(), Ok(verb));
        }
        assert!("start".parse::<MissionVerb>().is_err());
    }
}
