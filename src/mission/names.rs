//! What everything of a mission is called: branches, worktrees, panes, agents, files.
//!
//! Names alone find a mission's things again after a crash, so they follow from the mission, the task and the
//! repository, and from nothing that is lost with a process. Pure.

use std::path::{Path, PathBuf};

use crate::ids::{AgentId, MissionId, TaskId};

/// The folder of worktrees, in the repository's root; kept out of git.
pub const WORKTREES: &str = ".worktrees";
/// The folder for what a worker and the program tell each other, in the folder that it works in; kept out of git.
pub const CONTROL: &str = ".mo";
/// What no task may be called: the branch and the worktree that results are merged into.
pub const INTEGRATION: &str = "integration";
/// The same: the worktree in which criteria are run before any work.
pub const SCRATCH: &str = "before-any-work";

/// The names of one mission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    root: PathBuf,
    mission: MissionId,
    is_repository: bool,
}

impl Names {
    /// The names of `mission`, which works in `root`: the root of a repository, or just a folder.
    pub const fn new(root: PathBuf, mission: MissionId, is_repository: bool) -> Self {
        Self {
            root,
            mission,
            is_repository,
        }
    }

    /// The mission.
    pub const fn mission(&self) -> &MissionId {
        &self.mission
    }

    /// The root of the repository, or the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether tasks have worktrees, and results are merged.
    pub const fn is_repository(&self) -> bool {
        self.is_repository
    }

    /// The folder of the mission's worktrees.
    pub fn worktrees(&self) -> PathBuf {
        self.root.join(WORKTREES).join(self.mission.as_str())
    }

    /// Where a task is worked on: its worktree, or the folder itself.
    pub fn folder(&self, task: &TaskId) -> PathBuf {
        if self.is_repository {
            self.worktrees().join(task.as_str())
        } else {
            self.root.clone()
        }
    }

    /// Where results are merged: a worktree that no worker has.
    pub fn integration_folder(&self) -> PathBuf {
        self.worktrees().join(INTEGRATION)
    }

    /// A task's branch, without `refs/heads/`.
    pub fn branch(&self, task: &TaskId) -> String {
        format!("mo/{}/{task}", self.mission)
    }

    /// The branch that results are merged into.
    pub fn integration_branch(&self) -> String {
        format!("mo/{}/{INTEGRATION}", self.mission)
    }

    /// The folder for what is told to and by the worker of a task.
    pub fn control(&self, task: &TaskId) -> PathBuf {
        self.folder(task).join(control(task))
    }

    /// The agent that works on a task; its pane has the same name.
    pub fn worker(&self, task: &TaskId) -> AgentId {
        AgentId::of_task(&self.mission, task, "")
    }

    /// The agent that reviews a task.
    pub fn reviewer(&self, task: &TaskId) -> AgentId {
        AgentId::of_task(&self.mission, task, ".review")
    }
}

/// The folder for what is told to and by the worker of a task, from the folder that it works in.
pub fn control(task: &TaskId) -> PathBuf {
    Path::new(CONTROL).join(task.as_str())
}

/// The file with what a worker is told by the brief of this number, from the folder that it works in.
pub fn brief_file(task: &TaskId, number: u32) -> PathBuf {
    control(task).join(format!("task-{number}.md"))
}

/// The file that the worker answers the brief of this number in.
pub fn report_file(task: &TaskId, number: u32) -> PathBuf {
    control(task).join(format!("report-{number}.md"))
}

/// The file that a reviewer answers in.
pub fn review_file(task: &TaskId, number: u32) -> PathBuf {
    control(task).join(format!("review-{number}.md"))
}

/// The file to which workers add what they built.
pub fn build_log(task: &TaskId) -> PathBuf {
    control(task).join("build-log.md")
}

/// The file with the plan's contract, from the folder that the worker of a task works in.
pub fn contract_file(task: &TaskId) -> PathBuf {
    control(task).join("contract.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(mission: &str) -> Names {
        Names::new("/r".into(), mission.parse().unwrap(), true)
    }

    #[test]
    fn everything_of_a_task_is_named_after_mission_and_task() {
        let (names, task) = (names("notes"), "cli".parse().unwrap());
        assert_eq!(names.folder(&task), Path::new("/r/.worktrees/notes/cli"));
        assert_eq!(names.branch(&task), "mo/notes/cli");
        assert_eq!(names.worker(&task).as_str(), "notes.cli");
        assert_eq!(names.reviewer(&task).as_str(), "notes.cli.review");
        let control = names.control(&task);
        assert_eq!(control, Path::new("/r/.worktrees/notes/cli/.mo/cli"));
        assert_eq!(brief_file(&task, 2), Path::new(".mo/cli/task-2.md"));
    }

    #[test]
    fn a_folder_that_is_no_repository_is_worked_in_itself() {
        let names = Names::new("/r".into(), "notes".parse().unwrap(), false);
        let task = "cli".parse().unwrap();
        assert_eq!(names.folder(&task), Path::new("/r"));
        assert_eq!(names.control(&task), Path::new("/r/.mo/cli"));
    }

    #[test]
    fn long_names_stay_distinct_agents() {
        let names = names(&"m".repeat(64));
        let agent = |task: String| names.worker(&task.parse().unwrap());
        let (a, b) = (agent("a".repeat(64)), agent("b".repeat(64)));
        assert_ne!(a, b);
        assert_eq!(a.as_str().len(), 64);
    }
}
