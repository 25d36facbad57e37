//! What others see and hear of a mission.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Coordinator, Site, UnderWay};
use crate::agent::view::Urgency;
use crate::evidence::spent::Spent;
use crate::ids::TaskId;
use crate::mission::journal::{Entry, Step, What};
use crate::mission::ledger::Ledger;
use crate::mission::machine::{Machine, Message, Phase, TaskState, Wants};
use crate::mission::markdown::quoted;
use crate::mission::names::Names;
use crate::mission::plan::{Criterion, Plan, Task};
use crate::mission::receipt::{Receipt, Tree};
use crate::mission::schedule::{Stage, Why, in_words};
use crate::mission::view::{Costs, CriterionView, MissionView, ProposalView, TaskView, Tick};
use crate::record::Happening;

/// How much of what a worker says is left is given to whoever does the rest, in characters.
const LEFT_CHARS: usize = 4_000;

/// Why a task does not start that could.
const AT_LIMIT: &str =
    "a worker stands at its account's usage limit: until it goes on, none is added";

/// The last receipt of each criterion of a task.
pub(super) fn last_receipts(receipts: &[Receipt], task: &Task) -> Vec<Receipt> {
    let mut last: Vec<&Receipt> = Vec::new();
    // what was run before the person changed the task says nothing of what it is now
    let of_task = |receipt: &&Receipt| {
        let criterion = task.exit_criteria.get(receipt.criterion);
        let is_same = criterion.is_some_and(|criterion| criterion.words() == receipt.what);
        receipt.task == task.slug && receipt.on != Tree::Base && is_same
    };
    for receipt in receipts.iter().filter(of_task) {
        last.retain(|one| one.criterion != receipt.criterion);
        last.push(receipt);
    }
    last.into_iter().cloned().collect()
}

/// The last receipt of each criterion of other tasks that was run on the tree that a task's merge had made.
pub(super) fn of_others_on(receipts: &[Receipt], task: &Task, merge: &str) -> Vec<Receipt> {
    let mut last: Vec<&Receipt> = Vec::new();
    let of_others = |receipt: &&Receipt| {
        let is_there = receipt.on == Tree::Merged && receipt.commit.as_deref() == Some(merge);
        is_there && receipt.task != task.slug
    };
    for receipt in receipts.iter().filter(of_others) {
        last.retain(|one| (&one.task, one.criterion) != (&receipt.task, receipt.criterion));
        last.push(receipt);
    }
    last.into_iter().cloned().collect()
}

/// The criteria of a task that passed before any work, by their places. What several tasks have was run once.
pub(super) fn passing_before(receipts: &[Receipt], plan: &Plan, task: &Task) -> Vec<usize> {
    let passed = receipts
        .iter()
        .filter(|one| one.on == Tree::Base && one.passed());
    let passed = passed.filter_map(|one| plan.task(&one.task)?.exit_criteria.get(one.criterion));
    let passed: Vec<&Criterion> = passed.collect();
    let commands = task
        .commands()
        .filter(|one| passed.contains(&one.criterion));
    commands.map(|one| one.place).collect()
}

/// A mission as it is seen from outside.
pub(super) fn view(
    site: &Site,
    machine: &Machine,
    receipts: &[Receipt],
    under_way: &HashMap<usize, UnderWay>,
    trouble: Option<&str>,
) -> MissionView {
    let ledger = site.workers.ledger();
    let mut view = seen_from_outside(&site.names, site.base.clone(), machine, receipts, ledger);
    view.trouble = trouble.map(str::to_owned);
    let places = view.places;
    let is_at_limit = super::is_at_limit(site, machine);
    for (place, task) in view.tasks.iter_mut().enumerate() {
        let agent = site.names.worker(&task.slug);
        if let Some(look) = site.workers.look(&agent) {
            task.agent = Some(agent);
            task.state = look.state.map(|state| state.as_str().to_owned());
            task.costs.watch_tokens = Some(look.watch_tokens);
        }
        if is_at_limit && machine.why(place, places) == Some(Why::Starts) {
            task.doing = AT_LIMIT.into();
        }
        // a look keeps the count
        let _ = site.workers.look(&site.names.reviewer(&task.slug));
        task.has_spent(spent(&site.names, ledger, &task.slug));
        let is_checking = under_way
            .get(&place)
            .is_some_and(|job| matches!(job.wants, Wants::Checking | Wants::Proving));
        if is_checking {
            let open = task
                .criteria
                .iter_mut()
                .find(|one| one.result == Tick::Open);
            if let Some(open) = open {
                open.result = Tick::Running;
            }
        }
    }
    view
}

/// A mission as its journal has it, whether anybody carries it out or not.
pub(in crate::mission) fn seen_from_outside(
    names: &Names,
    base: Option<String>,
    machine: &Machine,
    receipts: &[Receipt],
    ledger: &Ledger,
) -> MissionView {
    let plan = machine.plan();
    let skipped = machine.skipped();
    let places = usize::try_from(plan.max_parallel).unwrap_or(1);
    let tasks = machine.tasks().enumerate().map(|(place, (task, state))| {
        let why = machine.why(place, places);
        let mut view = TaskView {
            slug: task.slug.clone(),
            title: task.title.clone(),
            role: task.role,
            depends_on: task.depends_on.clone(),
            stage: state.stage,
            skipped: skipped.contains(&place),
            doing: doing(machine, state, why.as_ref()),
            attempt: state.attempt,
            attempts: state.attempts,
            criteria: criteria(task, state, receipts),
            agent: None,
            pane: state.pane.clone(),
            state: None,
            started_at: state.started_at,
            ended_at: state.ended_at,
            costs: Costs::default(),
            why: state.why.clone(),
            outside: state.outside.clone(),
            left_out: state.left_out.clone(),
        };
        view.has_spent(spent(names, ledger, &task.slug));
        view
    });
    let proposals = machine.proposals().iter().map(|proposal| ProposalView {
        slug: proposal.task.slug.clone(),
        title: proposal.task.title.clone(),
        why: proposal.why.clone(),
    });
    MissionView {
        id: names.mission().clone(),
        goal: plan.goal.clone(),
        root: names.root().display().to_string(),
        base,
        integration: names.is_repository().then(|| names.integration_branch()),
        phase: machine.phase(),
        begun_at: machine.begun_at(),
        tasks: tasks.collect(),
        proposals: proposals.collect(),
        places,
        trouble: None,
        summing_up: false,
    }
}

/// What the workers of a task have spent, and who reviewed them.
fn spent(names: &Names, ledger: &Ledger, task: &TaskId) -> Option<Spent> {
    let workers = [names.worker(task), names.reviewer(task)];
    let known = workers.iter().filter_map(|agent| ledger.of(agent));
    known.reduce(Spent::and)
}

/// What is being done about a task, in a few words.
fn doing(machine: &Machine, state: &TaskState, why: Option<&Why>) -> String {
    let words = match &state.wants {
        Wants::Nothing => {
            return match (state.stage, why) {
                (Stage::Waiting, Some(why)) => in_words(machine.plan(), why),
                (Stage::Blocked, _) => "it waits for you".to_owned(),
                (other, _) => other.as_str().to_owned(),
            };
        }
        Wants::Folder => "its folder is made",
        Wants::Worker => "its worker comes",
        Wants::Telling(Message::Begin) => "its worker is told the task",
        Wants::Telling(Message::Retry) => "its worker is told what failed",
        Wants::Telling(Message::Conflict(_)) => "its worker is told of a conflict",
        Wants::Telling(Message::TakenBack) => "its worker is told what it broke",
        Wants::Telling(Message::Unsaved(_)) => "its worker is told to commit",
        Wants::Telling(Message::TimeUp) => "its worker is told that its time is over",
        Wants::Telling(Message::Answer(_)) => "its worker is given an answer",
        Wants::Telling(Message::Person(_)) => "its worker is given your words",
        Wants::Watching => "its worker is at it",
        Wants::Checking => "its criteria are run",
        Wants::Answer => "an answer to its blocker is looked for",
        Wants::Merging => "it is merged",
        Wants::Proving => "the criteria are run on the merged tree",
        Wants::TakingBack => "its merge is taken back",
        Wants::Closing { .. } => "its pane is closed",
    };
    words.to_owned()
}

fn criteria(task: &Task, state: &TaskState, receipts: &[Receipt]) -> Vec<CriterionView> {
    let last = last_receipts(receipts, task);
    let criterion = |(place, criterion): (usize, &Criterion)| {
        let what = match (&criterion.run, &criterion.review) {
            (Some(line), _) => line.as_str().to_owned(),
            (None, Some(review)) => format!("review: {review}"),
            (None, None) => String::new(),
        };
        let receipt = last.iter().find(|receipt| receipt.criterion == place);
        // what an earlier attempt came to says nothing of this one; once it is done, it is run again with others
        let is_done = state.stage == Stage::Done;
        let receipt = receipt.filter(|receipt| is_done || receipt.attempt == state.attempt);
        let result = match receipt {
            None => Tick::Open,
            Some(receipt) if receipt.passed() => Tick::Passed,
            Some(_) => Tick::Failed,
        };
        let said = receipt.map(|receipt| receipt.outcome.to_string());
        CriterionView {
            what,
            result,
            said: said.unwrap_or_default(),
        }
    };
    task.exit_criteria
        .iter()
        .enumerate()
        .map(criterion)
        .collect()
}

impl Coordinator {
    /// The mission as it is to be seen now.
    pub(super) fn current(&self) -> MissionView {
        let mut view = view(
            &self.site,
            &self.machine,
            &self.receipts,
            &self.under_way,
            self.trouble.as_deref(),
        );
        let summing_up = self.summing_up.as_ref();
        view.summing_up = summing_up.is_some_and(|job| !job.is_finished());
        view
    }

    /// Brings what others see up to date.
    pub(super) fn publish(&self) {
        let view = self.current();
        let is_new = self.view.send_if_modified(|seen| {
            let is_new = **seen != view;
            if is_new {
                *seen = Arc::new(view);
            }
            is_new
        });
        if is_new {
            self.site.supervisor.changed();
        }
    }

    /// How what a line is about stands: the mission, and the line's task, if it is about one.
    pub(super) fn standing(&self, entry: &Entry) -> (Phase, Option<Stage>) {
        let place = match &entry.what {
            What::Task { task, .. } => self.machine.position(task),
            _ => None,
        };
        let of_task = place.and_then(|place| self.machine.task(place));
        (self.machine.phase(), of_task.map(|(_, state)| state.stage))
    }

    /// Tells those who follow along, and the person, what a line has changed: before it, it stood so.
    pub(super) fn tell(&mut self, before: (Phase, Option<Stage>), entry: &Entry) {
        let mission = self.site.names.mission().clone();
        let now = self.standing(entry);
        if before.0 != now.0 {
            let phase = self.machine.phase();
            self.happened(Happening::Mission {
                mission: mission.clone(),
                phase: phase.as_str().into(),
            });
            if phase == Phase::Over {
                self.say_over();
            }
        }
        if let What::Proposed { proposal, why, .. } = &entry.what {
            let text = format!(
                "{mission}: one more task is proposed, {} ({}): {why}; `/mission accept {mission} {}` takes it in",
                proposal.slug, proposal.title, proposal.slug
            );
            self.site.supervisor.announce(Urgency::Person, text);
        }
        let What::Task { task, step } = &entry.what else {
            return;
        };
        let Some(place) = self.machine.position(task) else {
            return;
        };
        if before.1 != now.1 {
            self.stage_changed(place);
        }
        if matches!(step, Step::Answered { text: None }) {
            self.propose_a_way_out(place);
        }
        if before.1 != now.1 && now.1 == Some(Stage::Failed) {
            self.propose_the_rest(place);
        }
    }

    fn stage_changed(&self, place: usize) {
        let Some((task, state)) = self.machine.task(place) else {
            return;
        };
        let mission = self.site.names.mission();
        let report = state
            .report
            .and_then(|number| self.site.folder.read_report(&task.slug, number));
        let summary = match &state.why {
            Some(why) => why.clone(),
            None => report.as_deref().map(summary).unwrap_or_default(),
        };
        let look = self.site.workers.look(&self.site.names.worker(&task.slug));
        let ledger = self.site.workers.ledger();
        ledger.write_soon();
        let spent = spent(&self.site.names, ledger, &task.slug);
        let lasted = state.started_at.zip(state.ended_at);
        self.happened(Happening::Task {
            mission: mission.clone(),
            task: task.slug.clone(),
            role: task.role.as_str().into(),
            status: state.stage.as_str().into(),
            attempt: state.attempt,
            summary: summary.clone(),
            result: report,
            tokens: spent.map(|spent| spent.tokens()),
            tool_uses: spent.map(|spent| spent.tool_uses),
            watch_tokens: look.map(|look| look.watch_tokens),
            duration_sec: lasted
                .and_then(|(from, to)| u64::try_from((to - from).num_seconds()).ok()),
        });
        let (urgency, text) = match state.stage {
            Stage::Done => (Urgency::Info, format!("{} is done", task.slug)),
            Stage::Failed => (
                Urgency::Person,
                format!(
                    "{} has failed: {summary}; `/mission retry {mission} {}` tries again",
                    task.slug, task.slug
                ),
            ),
            Stage::Blocked => (
                Urgency::Warning,
                format!("{} is blocked: {summary}", task.slug),
            ),
            _ => return,
        };
        self.site
            .supervisor
            .announce(urgency, format!("{mission}: {text}"));
    }

    fn say_over(&self) {
        let mission = self.site.names.mission();
        let count = |stage: Stage| {
            let tasks = self.machine.tasks();
            tasks.filter(|(_, state)| state.stage == stage).count()
        };
        let (done, all) = (count(Stage::Done), self.machine.plan().tasks.len());
        let end = if done < all {
            format!("`/mission explain {mission} TASK` tells why a task is not")
        } else if self.machine.is_repository() {
            format!("`/mission finish {mission}` brings the result to the base branch")
        } else {
            format!("`/mission finish {mission}` closes its panes")
        };
        let text =
            format!("mission {mission} can do no more: {done} of {all} tasks are done; {end}");
        self.site.supervisor.announce(Urgency::Person, text);
    }

    /// A blocked task for which nothing is known: somebody could clear its way.
    fn propose_a_way_out(&mut self, place: usize) {
        let Some((task, state)) = self.machine.task(place) else {
            return;
        };
        let why = state.why.clone().unwrap_or_default();
        let description = format!(
            "The task `{}` ({}) cannot go on: {why}\n\nFind out what it needs, or make it, and report that for its worker.",
            task.slug, task.title
        );
        self.propose(
            place,
            "resolve-",
            "What stands in the way",
            description,
            &why,
        );
    }

    /// A task whose time was over: what is left of it could be done by another.
    fn propose_the_rest(&mut self, place: usize) {
        let Some((task, state)) = self.machine.task(place) else {
            return;
        };
        if !state.overtime {
            return;
        }
        let branch = self.site.names.branch(&task.slug);
        let where_it_is = if state.part.is_empty() {
            format!(
                "What it made is on the branch `{branch}`: look at it, and merge it into yours where it is of use."
            )
        } else {
            "The part of it that was done is in your folder already.".to_owned()
        };
        let left = state
            .report
            .and_then(|number| self.site.folder.read_report(&task.slug, number));
        let left = left.map(|text| crate::mission::report::read(&text).issues);
        let left = left
            .filter(|text| !text.is_empty())
            .map_or(String::new(), |text| {
                format!(
                    "\n\nWhat it said is left (it may be wrong):\n\n{}",
                    quoted(&text, LEFT_CHARS)
                )
            });
        let description = format!(
            "{}\n\nAn earlier worker ran out of time. {where_it_is}{left}",
            task.description
        );
        self.propose(
            place,
            "rest-of-",
            "The rest",
            description,
            "its time was over",
        );
    }

    fn propose(&mut self, place: usize, prefix: &str, title: &str, description: String, why: &str) {
        let Some((task, _)) = self.machine.task(place) else {
            return;
        };
        let slug: String = format!("{prefix}{}", task.slug).chars().take(64).collect();
        let Ok(slug) = slug.parse::<TaskId>() else {
            return;
        };
        let is_resolve = prefix == "resolve-";
        let rest_of = (!is_resolve).then(|| task.slug.clone());
        let proposal = Task {
            slug,
            title: format!("{title}: {}", task.title),
            description,
            exit_criteria: if is_resolve {
                Vec::new()
            } else {
                task.exit_criteria.clone()
            },
            ..task.clone()
        };
        let why = why.to_owned();
        let proposal = Box::new(proposal);
        self.pending.push(What::Proposed {
            proposal,
            why,
            rest_of,
        });
    }
}

/// The first words of a report's result.
fn summary(report: &str) -> String {
    let read = crate::mission::report::read(report);
    let text = if read.result.is_empty() {
        read.scope
    } else {
        read.result
    };
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(300)
        .collect()
}
