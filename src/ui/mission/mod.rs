//! `meta-orchestrator mission ...`: what can be done with a plan before anything of it runs, and its run.
//!
//! Checks and graphs read the plan, ask where programs are, and print; they run no command of a plan. A run is an
//! instance of the program of its own, which ends with the mission. `main` calls it.

mod foreground;
pub mod planning;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueHint};

use crate::command::mission::Checked;
use crate::error::{Failure, Kind};
use crate::host::Host;
use crate::ids::MissionId;
use crate::mission::plan::Plan;
use crate::mission::plan::check::{Finding, check};
use crate::mission::ready::read_plan;

pub use foreground::carry_out;

/// What is wanted of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum MissionTask {
    /// Tells what would run when, and everything that is wrong with a plan; exit code 1 where it cannot be followed
    Check {
        /// The plan
        #[command(flatten)]
        file: PlanFile,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Shows which task of a plan waits for which
    Graph {
        /// The plan
        #[command(flatten)]
        file: PlanFile,
        /// In the DOT language, for Graphviz
        #[arg(long)]
        dot: bool,
    },
    /// Has a model write a plan for a repository, and checks it; nothing of it is run
    Plan(planning::PlanOptions),
    /// Runs a plan, after a yes to it, until nothing more can be done; exit code 1 where not all of it was done
    Run {
        /// The plan
        #[command(flatten)]
        file: PlanFile,
        /// Say yes to the plan: you have read it
        #[arg(long)]
        yes: bool,
    },
    /// Goes on with a mission that an earlier run left unfinished
    Resume {
        /// Its name; the only one where none is named
        id: Option<MissionId>,
    },
    /// Brings a mission's result to the base branch, closes its panes, and removes what is merged
    Finish {
        /// Its name; the only one where none is named
        id: Option<MissionId>,
        /// Remove also what is not merged
        #[arg(long)]
        force: bool,
    },
}

/// The file with the plan.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct PlanFile {
    /// The plan
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    path: PathBuf,
}

/// Does what needs no running instance, and prints what came of it; `None`: the task needs one.
pub fn run(task: &MissionTask) -> Option<Result<u8, Failure>> {
    match task {
        MissionTask::Check { file, .. } | MissionTask::Graph { file, .. } => Some(look(task, file)),
        _ => None,
    }
}

/// # Errors
/// When the file is not there or no plan, or its tasks wait for each other where a graph is asked for.
fn look(task: &MissionTask, file: &PlanFile) -> Result<u8, Failure> {
    let plan = read_plan(&file.path)?.complete();
    let host = Host::local();
    let findings = check(&plan, &|program| host.find_program(program).is_some());
    let checked = Checked {
        is_repository: is_repository(&plan, &file.path),
        plan: &plan,
        findings: &findings,
    };
    match task {
        MissionTask::Check { json, .. } => {
            let text = if *json {
                checked.json()
            } else {
                checked.words(super::past::columns())
            };
            super::print(text.as_bytes())?;
            Ok(u8::from(!checked.can_be_followed()))
        }
        MissionTask::Graph { dot, .. } => {
            let text = if *dot {
                checked.dot()
            } else {
                checked.graph_text()
            };
            let text = text.ok_or_else(|| no_graph(&findings))?;
            super::print(text.as_bytes())?;
            Ok(0)
        }
        _ => Ok(0),
    }
}

fn is_repository(plan: &Plan, file: &Path) -> bool {
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    // a worktree has a file there
    folder.join(&plan.repository).join(".git").exists()
}

fn no_graph(findings: &[Finding]) -> Failure {
    let failure = Failure::new(Kind::Failed, "the tasks of this plan make no graph");
    let of_graph = |finding: &&Finding| {
        finding.problem.contains("depends on") || finding.problem.contains("wait for each other")
    };
    let why = findings.iter().filter(of_graph);
    why.fold(failure, |failure, finding| {
        failure.because_text(finding.problem.clone())
    })
    .hint("`meta-orchestrator mission check FILE` tells everything that is wrong with it")
}
