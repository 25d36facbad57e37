//! What a person says of missions, and a worker of its task.

use super::super::Command;
use super::super::line::Given;
use super::{Entry, Kind, may, needs};

pub(super) const MISSION: Entry = Entry {
    name: "mission",
    arguments: &[may("VERB", Kind::Verb), may("WHAT...", Kind::OfMission)],
    summary: "Runs a plan of several tasks with a worker for each, and steers it.",
    details: "\
run FILE              shows the plan, and begins after your `/yes`
status [MISSION]      its tasks; without a verb, all missions
explain TASK          why a task is where it is
message TASK TEXT...  says something to its worker [--fresh: to a new one]
pause, resume         nothing new starts; it goes on (also after a restart)
stop TASK, retry TASK closes its pane; tries again [--fresh]
edit TASK PLAN-FILE   takes it as that file has it, after your `/yes`
drop TASK, take TASK  gives it up; you do it yourself in its pane
accept TASK           takes a proposed task in
abort                 stops every worker; worktrees and branches stay
finish [--force]      brings the result to the base branch, and tidies up
report, ask QUESTION  what came of it, from its records
Where there are several missions, the mission's name stands first.",
    examples: &[
        "/mission",
        "/mission run plans/notes.json",
        "/mission explain cli",
        "/mission message docs Use British spelling",
        "/mission finish",
    ],
    build: |given| {
        let verb = given.optional(Given::word)?.unwrap_or_default();
        let rest = given.optional(Given::text)?.unwrap_or_default();
        Ok(Command::Mission { verb, rest })
    },
};

pub(super) const WORKERS: Entry = Entry {
    name: "workers",
    arguments: &[],
    summary: "Shows the workers of all missions.",
    details: "\
Each is an agent like any other: `/explain`, `/reply` and the rest go with its
name.",
    examples: &["/workers"],
    build: |_| Ok(Command::Workers),
};

pub(super) const TASK: Entry = Entry {
    name: "task",
    arguments: &[
        needs("report", Kind::Flag("report")),
        needs("TEXT...", Kind::Text),
    ],
    summary: "For a mission's worker: reports what came of its task.",
    details: "\
Said in the worker's own pane: `meta-orchestrator ctl task report \"...\"`. What
it says is not believed: the task's exit criteria are run.",
    examples: &["/task report Result: done. The parser reads all of the samples."],
    build: |given| {
        given.flag("report")?;
        Ok(Command::TaskReport {
            text: given.text()?,
        })
    },
};
