//! A repository, a session and scripted workers for one mission, and the program that carries it out.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::agents::built;
use crate::common::supervisor::read_log;
use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::program::{Ended, Program, argument, command};
use crate::script::{Said, Serving, ctl};

/// How long a whole mission may take before a test gives up on it.
pub const LONG: Duration = Duration::from_mins(4);

/// Where one mission takes place: a home of its own with a repository, a session, a script for workers.
pub struct Scene {
    pub zellij: TestZellij,
}

impl Scene {
    /// A repository on a branch `main` with one commit, and a session of a person's size.
    pub fn set() -> Self {
        let scene = Self {
            zellij: TestZellij::start_sized(120, 40),
        };
        for folder in ["script", "repo/tests"] {
            std::fs::create_dir_all(scene.home().join(folder)).unwrap();
        }
        scene.git(&["init", "--quiet", "--initial-branch", "main"]);
        for (key, value) in [
            ("user.name", "Person"),
            ("user.email", "person@example.org"),
        ] {
            scene.git(&["config", key, value]);
        }
        scene.commit("README", "A repository.\n");
        scene.configure(&json!({}), 0.1);
        scene
    }

    pub fn home(&self) -> &Path {
        self.zellij.home()
    }

    /// The repository, or the folder.
    pub fn root(&self) -> PathBuf {
        self.home().join("repo")
    }

    /// Writes the configuration, with other settings for `workers` and the pause before Enter, in seconds.
    pub fn configure(&self, workers: &Value, enter_pause: f64) {
        let mut of_workers = json!({
            "command": [built("worker"), self.home().join("script")], "kind": "claude", "session": "test",
            "pollSec": 0.2, "stallSec": 60,
        });
        for (name, value) in workers.as_object().unwrap() {
            of_workers[name] = value.clone();
        }
        let config = json!({
            "agents": [],
            "logDir": "./logs",
            "decideBackend": { "type": "builtin" },
            "reviewBackend": { "type": "builtin" },
            "workers": of_workers,
            "timing": { "enterPauseSec": enter_pause, "echoTimeoutSec": 2, "zellijTimeoutSec": 10, "personQuietSec": 0.5 },
        });
        std::fs::write(self.config(), config.to_string()).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.home().join("config.json")
    }

    /// Adds a file of the script: what the worker of a task does, block by block.
    pub fn script(&self, name: &str, text: &str) {
        std::fs::write(self.home().join("script").join(name), text).unwrap();
    }

    /// What stands in a file of the script; nothing where there is none.
    pub fn said(&self, name: &str) -> String {
        std::fs::read_to_string(self.home().join("script").join(name)).unwrap_or_default()
    }

    /// What the worker of a task was told by the brief of this number.
    pub fn told(&self, task: &str, number: u32) -> String {
        self.said(&format!("got/{task}.task-{number}.md"))
    }

    /// Sees that the brief of this number told the worker of a task all these words.
    #[track_caller]
    pub fn was_told(&self, task: &str, number: u32, words: &[&str]) {
        let told = self.told(task, number);
        for words in words {
            assert!(told.contains(words), "{words}: {told}");
        }
    }

    /// The briefs that the worker of a task was given, in their order.
    pub fn briefs(&self, task: &str) -> Vec<String> {
        let all = self.said("briefs");
        let of_task = all
            .lines()
            .filter_map(|line| line.strip_prefix(&format!("{task} ")));
        of_task.map(str::to_owned).collect()
    }

    /// Runs git in the repository, and gives what it says.
    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = self
            .zellij
            .command("git")
            .args(arguments)
            .current_dir(self.root())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits a file.
    pub fn commit(&self, path: &str, text: &str) {
        std::fs::write(self.root().join(path), text).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", path]);
    }

    /// What stands in a file on a branch; `None` where there is none.
    pub fn on(&self, branch: &str, path: &str) -> Option<String> {
        let mut git: Command = self.zellij.command("git");
        let shown = git
            .args(["show", &format!("{branch}:{path}")])
            .current_dir(self.root());
        let shown = shown.output().unwrap();
        let text = String::from_utf8(shown.stdout).unwrap();
        shown.status.success().then_some(text)
    }

    /// The same on the mission's integration branch.
    pub fn merged(&self, path: &str) -> Option<String> {
        self.on("mo/notes/integration", path)
    }

    /// Writes a plan of these tasks, for a mission called `notes`.
    pub fn plan(&self, tasks: &[Value]) -> PathBuf {
        self.plan_as(tasks, &json!({}))
    }

    /// The same with other settings of the whole.
    pub fn plan_as(&self, tasks: &[Value], whole: &Value) -> PathBuf {
        let mut plan =
            json!({ "goal": "Notes", "repository": "repo", "maxParallel": 5, "tasks": tasks });
        for (name, value) in whole.as_object().unwrap() {
            plan[name] = value.clone();
        }
        let path = self.home().join("plan.json");
        std::fs::write(&path, plan.to_string()).unwrap();
        path
    }

    /// Starts `mission run` with the person's yes.
    pub fn run(&self) -> Program {
        self.mission(&["run", "plan.json", "--yes"])
    }

    /// Starts `mission` with these words.
    pub fn mission(&self, words: &[&str]) -> Program {
        let mut all = vec!["mission"];
        all.extend(words);
        self.start(&all)
    }

    /// Starts the program with these words.
    pub fn start(&self, words: &[&str]) -> Program {
        let config = self.config();
        let mut all = vec!["--config", argument(&config)];
        all.extend(words);
        Program::begin(command(&self.zellij, &all), self.home())
    }

    /// An instance that serves.
    pub fn serve(&self) -> Serving {
        Serving::go_on(&self.zellij, &self.config())
    }

    /// An instance that serves, and carries out the plan.
    pub fn serve_mission(&self) -> Serving {
        let serving = self.serve();
        self.ctl(&["--yes", "mission", "run", "plan.json"]).done();
        serving
    }

    pub fn ctl(&self, words: &[&str]) -> Said {
        ctl(&self.zellij, words)
    }

    /// Whole lines of the mission's journal.
    pub fn journal(&self) -> Vec<Value> {
        read_log(&self.home().join("logs/missions/notes/journal.jsonl"))
    }

    /// The receipts of a task's criteria.
    pub fn receipts(&self, task: &str) -> Vec<Value> {
        let all = read_log(&self.home().join("logs/missions/notes/receipts.jsonl"));
        all.into_iter()
            .filter(|receipt| receipt["task"] == task)
            .collect()
    }

    /// The steps of a task, in their order.
    pub fn steps(&self, task: &str) -> Vec<String> {
        let journal = self.journal();
        let of_task = journal.iter().filter(|line| line["task"] == task);
        of_task
            .filter_map(|line| line["step"].as_str().map(str::to_owned))
            .collect()
    }

    /// How often a step of a task stands in the journal.
    pub fn count(&self, task: &str, step: &str) -> usize {
        self.steps(task).iter().filter(|one| *one == step).count()
    }

    /// The place of a line of the journal.
    #[track_caller]
    pub fn at(&self, task: &str, step: &str) -> usize {
        let journal = self.journal();
        let found = journal
            .iter()
            .position(|line| line["task"] == task && line["step"] == step);
        found.unwrap_or_else(|| panic!("no {step} of {task} in {journal:#?}"))
    }

    /// Plans the tasks `one`, with this criterion, and `two`, whose work breaks it once `one` is merged: it reports when
    /// the script has `one-is-merged`, and does less when it is told.
    pub fn plan_that_breaks(&self, criterion: &str) {
        self.plan(&[
            task_by("one", &[], &["parts/one"], &[criterion]),
            task_by("two", &[], &["parts/two"], &["test -s parts/two"]),
        ]);
        self.script("one", "write parts/one 1\ncommit one\nreport done one\n");
        self.script(
            "two",
            "write parts/two 2\\n3\ncommit two\nwait one-is-merged\nreport done two\n---\n\
             merge\nwrite parts/two 2\ncommit less\nreport done less\n",
        );
    }

    /// Waits until a step of a task stands in the journal for the n-th time.
    #[track_caller]
    pub fn wait(&self, task: &str, step: &str, times: usize) {
        wait_for(LONG, &format!("{step} of {task}"), || {
            (self.count(task, step) >= times).then_some(())
        });
    }

    /// Waits until the mission can do no more.
    #[track_caller]
    pub fn wait_until_over(&self) {
        wait_for(LONG, "the mission's end", || {
            let journal = self.journal();
            let last = journal.iter().rfind(|line| line["entry"] != "informed")?;
            (last["entry"] == "over").then_some(())
        });
    }

    /// The mission as `ctl` tells it.
    pub fn view(&self) -> Value {
        let said = self.ctl(&["mission", "--json", "status", "notes"]).done();
        let told: Value = serde_json::from_str(&said).unwrap();
        told["missions"][0].clone()
    }

    /// Each task with its stage.
    pub fn stages(&self) -> Vec<(String, String)> {
        let view = self.view();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let tasks = view["tasks"].as_array().unwrap().iter();
        tasks
            .map(|task| {
                let skipped = task["skipped"] == true;
                let stage = if skipped {
                    "skipped".to_owned()
                } else {
                    text(&task["stage"])
                };
                (text(&task["slug"]), stage)
            })
            .collect()
    }

    /// The names of the workers' panes that are there.
    pub fn panes(&self) -> Vec<String> {
        let terminals = wait_for(PATIENCE, "a list of panes", || {
            // a list that zellij leaves empty says nothing
            let mut panes = self.zellij.list();
            panes.retain(|pane| pane["is_plugin"] == false);
            (!panes.is_empty()).then_some(panes)
        });
        let titles = terminals.iter().filter_map(|pane| pane["title"].as_str());
        titles
            .filter(|title| title.starts_with("notes."))
            .map(str::to_owned)
            .collect()
    }

    /// Waits for the end of a mission in the foreground.
    #[track_caller]
    pub fn ends(&self, mut program: Program, code: i32) -> Ended {
        wait_for(LONG, "the end of the mission in the foreground", || {
            (!program.is_running()).then_some(())
        });
        let ended = program.ends();
        assert_eq!(
            ended.code,
            Some(code),
            "{}\n{}\n{:#?}\n{}",
            ended.out,
            ended.err,
            self.journal(),
            self.said("failed")
        );
        ended
    }
}

impl Drop for Scene {
    /// What happened is what explains a test that failed.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for line in self.journal() {
            eprintln!("journal: {line}");
        }
        eprintln!("failed: {}", self.said("failed"));
        eprintln!("briefs: {}", self.said("briefs"));
    }
}

/// A task of the role `coder` that may write one file, which is its criterion.
pub fn task(slug: &str, needs: &[&str]) -> Value {
    let file = format!("{slug}.txt");
    task_by(slug, needs, &[&file], &[&format!("test -s {file}")])
}

/// A task of the role `coder` with these paths and criteria.
pub fn task_by(slug: &str, needs: &[&str], paths: &[&str], criteria: &[&str]) -> Value {
    let criteria: Vec<Value> = criteria.iter().map(|run| json!({ "run": run })).collect();
    json!({
        "slug": slug, "title": format!("The part {slug}"), "description": format!("Make the part {slug}."),
        "role": "coder", "dependsOn": needs, "paths": paths, "exitCriteria": criteria,
    })
}

/// The script of a worker that does such a task.
pub fn does(slug: &str) -> String {
    format!("write {slug}.txt {slug}\ncommit {slug}\nreport done it is there\n")
}
