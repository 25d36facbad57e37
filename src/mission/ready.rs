//! A plan and where it is to be carried out, before anything of it is run: what a person says yes to.

use std::path::{Path, PathBuf};

use super::folder;
use super::plan::Plan;
use super::plan::check::{Finding, can_be_followed, check};
use crate::error::{Failure, Kind};
use crate::git::Repository;
use crate::host::Host;

/// A plan that can be followed, and where; nothing of it has been run.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The plan.
    pub plan: Plan,
    /// What is wrong with it, or odd.
    pub findings: Vec<Finding>,
    /// The root of the repository, or the folder.
    pub root: PathBuf,
    /// The repository.
    pub repository: Option<Repository>,
    /// The branch that it starts from, and its commit.
    pub base: Option<(String, String)>,
    /// Files of the person's that are not committed, and so no part of it; at most a few.
    pub unsaved: Vec<String>,
}

impl Ready {
    /// Reads a plan from a file, and finds where it is to be carried out.
    ///
    /// # Errors
    /// When there is no such file, it is no plan, its folder is not there, or its base branch is not.
    pub async fn read(path: &Path) -> Result<Self, Failure> {
        let plan = read_plan(path)?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        Self::of(plan, folder).await
    }

    /// Finds where a plan is to be carried out; a relative `repository` starts from `folder`.
    ///
    /// # Errors
    /// When its folder is not there, or its base branch is not.
    pub async fn of(plan: Plan, folder: &Path) -> Result<Self, Failure> {
        let plan = plan.complete();
        let wanted = folder.join(&plan.repository);
        let root = wanted.canonicalize().map_err(|error| {
            Failure::new(
                Kind::Usage,
                format!("there is no folder {}", wanted.display()),
            )
            .because(&error)
            .hint("correct `repository` in the plan")
        })?;
        let host = Host::local();
        let findings = check(&plan, &|program| host.find_program(program).is_some());
        let Some(repository) = Repository::open(&root).await? else {
            return Ok(Self {
                plan,
                findings,
                root,
                repository: None,
                base: None,
                unsaved: Vec::new(),
            });
        };
        let base = match &plan.base {
            Some(base) => base.clone(),
            None => repository.current_branch().await?.ok_or_else(|| {
                Failure::usage("the repository is on no branch")
                    .hint("name one in the plan: `\"base\": \"main\"`")
            })?,
        };
        let commit = repository.commit_of(&base).await?.ok_or_else(|| {
            Failure::usage(format!("the repository has no commit on a branch `{base}`"))
                .hint("commit something, or correct `base` in the plan")
        })?;
        let unsaved = repository.unsaved().await?;
        Ok(Self {
            plan,
            findings,
            root: repository.root().to_owned(),
            repository: Some(repository),
            base: Some((base, commit)),
            unsaved: unsaved.into_iter().take(10).map(|file| file.path).collect(),
        })
    }

    /// Whether the plan can be followed.
    pub fn can_be_followed(&self) -> bool {
        can_be_followed(&self.findings)
    }
}

/// Reads a plan that a person named.
///
/// # Errors
/// When there is no such file, or it is no plan.
pub fn read_plan(path: &Path) -> Result<Plan, Failure> {
    folder::read_plan(path, Kind::Usage)?.ok_or_else(|| {
        Failure::usage(format!("there is no file {}", path.display()))
            .hint("config/mission.example.json is a plan to begin with")
    })
}
