//! `meta-orchestrator mission plan`: has a model write a plan, and writes it to a file for the person to read.
//!
//! Nothing of it is run: `mission run FILE` asks first.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use crate::command::mission::Checked;
use crate::config::Config;
use crate::error::{Failure, Kind};
use crate::git::Repository;
use crate::host::Host;
use crate::http::Http;
use crate::mission::folder::{self, Folder};
use crate::mission::planner::{self, DEFAULT_MAX_TASKS, PlanFailed, Wish};
use crate::store::NewFile;
use crate::supervisor;
use crate::ui::found;
use crate::ui::places::ConfigPlace;

/// How many of the newest after-action reviews the model is told of.
const REVIEWS: usize = 3;

/// What is to be planned.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct PlanOptions {
    /// What is to be achieved, in words
    #[arg(value_name = "GOAL")]
    goal: String,
    /// The repository
    #[arg(long, value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    repo: PathBuf,
    /// The most tasks
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MAX_TASKS, value_parser = max_tasks)]
    max_tasks: usize,
    /// Where the plan is written; a file that is there already is left as it is
    #[arg(long, short, value_name = "FILE", default_value = "mission.json", value_hint = ValueHint::FilePath)]
    output: PathBuf,
}

fn max_tasks(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 2..=50) => Ok(count),
        _ => Err("it is a number from 2 to 50".to_owned()),
    }
}

/// Has the plan written, checked, and put into its file.
///
/// # Errors
/// When there is no repository, no backend, no plan that can be followed, or a file in its place.
pub async fn run(
    options: &PlanOptions,
    place: &ConfigPlace,
    log_dir: Option<&Path>,
) -> Result<u8, Failure> {
    let file = NewFile::begin(&options.output)?;
    let config = supervisor::read_configuration(&place.path)?;
    let config = config.map_or_else(Config::default, |(config, _)| config);
    let config = found::in_force(config, place)?;
    let logs = log_dir.map_or_else(|| config.log_dir.clone(), Path::to_path_buf);
    let root = options.repo.canonicalize().map_err(|error| {
        Failure::usage(format!("there is no folder {}", options.repo.display())).because(&error)
    })?;
    let repository = Repository::open(&root).await?;
    let repository = repository.ok_or_else(|| {
        Failure::usage(format!("{} is no git repository", root.display()))
            .hint("a plan for a folder without git is written by hand: config/mission.example.json")
    })?;
    let base = repository.current_branch().await?;
    let from = base.clone().unwrap_or_else(|| "HEAD".to_owned());
    let reviews = reviews(&logs)?;
    let surroundings = planner::gather(&repository, &from, &reviews).await?;
    let director = supervisor::director(&config, &Http::new(config.limits.calls_at_once))?;
    let wish = Wish {
        goal: &options.goal,
        repository: repository.root().to_owned(),
        base,
        max_tasks: options.max_tasks,
        surroundings: &surroundings,
    };
    tell("the plan backend is asked; this may take minutes");
    let host = Host::local();
    let exists = |program: &str| host.find_program(program).is_some();
    let planned = planner::plan(&director, &wish, &exists).await;
    let planned = planned.map_err(|error| failed(&error))?;
    write(file, &planned.text)?;
    let checked = Checked {
        plan: &planned.plan,
        findings: &planned.warnings,
        is_repository: true,
    };
    super::super::print(checked.words(crate::ui::past::columns()).as_bytes())?;
    tell(&format!(
        "written by {} in {} rounds ({} tokens) to {}: read it, correct it, then `meta-orchestrator mission run {}`",
        planned.by,
        planned.rounds,
        planned.tokens,
        options.output.display(),
        options.output.display()
    ));
    Ok(0)
}

/// The newest after-action reviews of earlier missions.
fn reviews(logs: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folders = folder::all(logs)?.into_iter();
    let files = folders.map(|id| Folder::new(logs, &id).after_action());
    let mut dated: Vec<_> = files
        .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file)))
        .collect();
    dated.sort_unstable_by(|a, b| b.cmp(a));
    Ok(dated
        .into_iter()
        .take(REVIEWS)
        .map(|(_, file)| file)
        .collect())
}

fn write(mut file: NewFile, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    file.write_all(text.as_bytes()).map_err(|error| {
        Failure::new(Kind::Failed, "the plan could not be written").because(&error)
    })?;
    Ok(file.finish()?)
}

fn failed(error: &PlanFailed) -> Failure {
    match error {
        PlanFailed::Backend(_) => Failure::from_error(Kind::Failed, error)
            .hint("set `planBackend`, or `reviewBackend`, in the configuration"),
        PlanFailed::Wrong {
            findings, answer, ..
        } => {
            let failure = Failure::from_error(Kind::Failed, error);
            let failure = findings.iter().fold(failure, |failure, finding| {
                failure.because_text(finding.clone())
            });
            failure
                .because_text(format!("its last answer was:\n{answer}"))
                .hint("say the goal more clearly, or write the plan by hand: config/mission.example.json")
        }
    }
}

fn tell(text: &str) {
    use std::io::Write as _;
    let text = crate::command::text::harmless(text);
    // without a stderr nobody wants to know
    let _ = writeln!(std::io::stderr(), "{text}");
}
