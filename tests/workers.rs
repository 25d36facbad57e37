//! A mission's workers as supervised agents, in real panes: opened, trusted, told, found again, closed.
//!
//! The workers are `tests/agents/worker.rs`, whose screens are read by the shipped profile of Claude Code.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes its own files"
)]

mod common;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::agents::built;
use common::model::Model;
use common::supervisor::{Stage, Watch, id};
use common::zellij::{PATIENCE, TestZellij, wait_for, wait_until};
use meta_orchestrator::config::Role;
use meta_orchestrator::host::process;
use meta_orchestrator::mission::names::Names;
use meta_orchestrator::mission::worker::{NotReady, Told, Wanted, Workers};
use meta_orchestrator::screen::state::State;
use serde_json::{Value, json};

const TELL: &str = "Read .mo/cli/task-1.md and do what it says.";

/// A folder for a mission `notes`, a session of a person's size, and a script for workers.
struct Scene {
    stage: Stage,
    script: PathBuf,
    folder: PathBuf,
}

impl Scene {
    fn set() -> Self {
        let stage = Stage {
            zellij: TestZellij::start_sized(120, 40),
            model: Model::start(),
        };
        let script = stage.zellij.home().join("script");
        let folder = stage.zellij.home().join("repo");
        std::fs::create_dir_all(&script).unwrap();
        let scene = Self {
            stage,
            script,
            folder,
        };
        scene.brief("cli", "Nothing else.");
        scene
    }

    /// The names of the mission; it works in worktrees.
    fn names(&self) -> Names {
        Names::new(self.folder.clone(), "notes".parse().unwrap(), true)
    }

    /// The folder of a task, with a brief in it.
    fn brief(&self, task: &str, text: &str) -> PathBuf {
        let folder = self.names().folder(&task.parse().unwrap());
        let control = folder.join(".mo").join(task);
        std::fs::create_dir_all(&control).unwrap();
        std::fs::write(control.join("task-1.md"), text).unwrap();
        folder
    }

    fn config(&self) -> Value {
        let mut config = self.stage.config(&[]);
        config["workers"] = json!({
            "command": [built("worker"), self.script], "kind": "claude", "session": "test",
            "pollSec": 0.2, "stallSec": 60,
        });
        config
    }

    async fn watch(&self) -> (Watch, Workers) {
        self.watch_as(self.config()).await
    }

    async fn watch_as(&self, config: Value) -> (Watch, Workers) {
        let watch = self.stage.watch_as(config).await;
        let workers = Workers::new(watch.supervisor.clone(), "notes".parse().unwrap());
        (watch, workers)
    }

    fn wanted(&self, task: &str) -> Wanted {
        let task = task.parse().unwrap();
        Wanted {
            agent: self.names().worker(&task),
            on: format!("notes/{task}"),
            goal: format!("the goal of {task}"),
            folder: self.names().folder(&task),
            role: Role::Coder,
        }
    }

    /// What stands in one of the script's files.
    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.script.join(file)).unwrap_or_default()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.script.join(file), text).unwrap();
    }

    /// The panes that are there, by name.
    fn panes(&self) -> Vec<String> {
        let panes = self.stage.zellij.list();
        let terminals = panes.iter().filter(|pane| pane["is_plugin"] == false);
        let titles = terminals.filter_map(|pane| pane["title"].as_str());
        titles.map(str::to_owned).collect()
    }
}

/// The processes whose command line holds this.
fn running(words: &str) -> Vec<u32> {
    let all = process::all().into_iter().filter_map(process::process);
    let found = all.filter(|found| !found.has_ended() && found.argv.join(" ").contains(words));
    found.map(|found| found.identity.pid).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_opened_trusted_told_once_found_again_and_closed_with_all_that_it_left() {
    let scene = Scene::set();
    scene.write("trust", "");
    scene.write("cli", "leave\nwrite made.txt made\n");
    let (watch, workers) = scene.watch().await;
    let wanted = scene.wanted("cli");
    let agent = wanted.agent.clone();
    let opened = workers.open(&wanted).await.unwrap();
    assert!(!opened.was_there);
    workers.ready(&agent, PATIENCE).await.unwrap();
    let answers = scene.read("in/cli/answers");
    let folder = wanted.folder.canonicalize().unwrap();
    let yes = format!("Yes, I trust this folder: {}\n", folder.display());
    assert_eq!(answers, yes);
    let view = watch.view("notes.cli");
    assert_eq!(view.mission.as_deref(), Some("notes/cli"));
    assert!(
        scene
            .read("arguments")
            .contains("--permission-mode acceptEdits")
    );

    // once more is the same as once
    let again = workers.open(&wanted).await.unwrap();
    assert_eq!((again.pane, again.was_there), (opened.pane.clone(), true));
    let since = chrono::Utc::now();
    let told = workers.tell(&agent, TELL, PATIENCE, Some(since)).await;
    assert_eq!(told.unwrap(), Told::Delivered);
    let told = workers.tell(&agent, TELL, PATIENCE, Some(since)).await;
    assert_eq!(told.unwrap(), Told::AlreadyDelivered);
    wait_for(PATIENCE, "the work", || {
        wanted.folder.join("made.txt").exists().then_some(())
    });

    // a supervisor that comes after this one finds it, and types nothing twice
    watch.quit().await;
    drop(workers);
    assert!(scene.panes().contains(&"notes.cli".to_owned()));
    let (watch, workers) = scene.watch().await;
    assert!(
        watch.supervisor.views().is_empty(),
        "the mission brings them back"
    );
    let found = workers.found(&scene.names()).await.unwrap();
    assert_eq!(found, [(agent.clone(), opened.pane.clone())]);
    let again = workers.open(&wanted).await.unwrap();
    assert_eq!((again.pane, again.was_there), (opened.pane.clone(), true));
    let told = workers.tell(&agent, TELL, PATIENCE, Some(since)).await;
    assert_eq!(told.unwrap(), Told::AlreadyDelivered);
    assert_eq!(scene.read("in/cli/lines"), format!("{TELL}\n"));
    assert_eq!(scene.read("in/cli/starts").lines().count(), 1);

    let script = scene.script.display().to_string();
    let all = || (running(&script), running("sleep 1000"));
    assert_eq!(all().0.len(), 1);
    assert!(!all().1.is_empty(), "what it left heeds no hangup");
    let left = all().1;
    workers.close(&agent, None).await.unwrap();
    assert_eq!(all().0, [0; 0]);
    assert!(left.iter().all(|pid| !all().1.contains(pid)));
    assert!(watch.supervisor.views().is_empty());
    assert_eq!(workers.found(&scene.names()).await.unwrap(), []);
    workers.close(&agent, Some(&opened.pane)).await.unwrap();
    watch.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trust_dialog_of_another_folder_is_the_persons() {
    let scene = Scene::set();
    let other = scene.brief("other", "");
    scene.write("trust", &other.display().to_string());
    let (watch, workers) = scene.watch().await;
    let wanted = scene.wanted("cli");
    workers.open(&wanted).await.unwrap();
    let ready = workers.ready(&wanted.agent, Duration::from_secs(4)).await;
    let Err(NotReady::TimedOut { state, question }) = ready else {
        panic!("{ready:?}");
    };
    assert_eq!(state, Some(State::Trust));
    assert!(
        question.unwrap().contains("it names another folder"),
        "said why"
    );
    let look = workers.look(&wanted.agent).unwrap();
    assert!(look.needs_person);
    assert_eq!(scene.read("in/cli/typed"), "", "no key was pressed");
    let told = workers.tell(&wanted.agent, TELL, Duration::from_secs(1), None);
    assert!(told.await.is_err());
    assert_eq!(scene.read("in/cli/typed"), "");
    // the control: the same key, by the person, would have trusted it
    watch.supervisor.approve(&wanted.agent, None).await.unwrap();
    workers.ready(&wanted.agent, PATIENCE).await.unwrap();
    assert!(
        scene
            .read("in/cli/answers")
            .contains(other.to_str().unwrap())
    );
    watch.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_cannot_start_is_told_at_once_and_leaves_no_pane() {
    let scene = Scene::set();
    let wanted = scene.wanted("cli");
    let cases: [(Value, &str); 3] = [
        (
            json!(["no-such-program-at-all"]),
            "there is no program `no-such-program-at-all`",
        ),
        (
            json!(["/nowhere/claude"]),
            "there is no program `/nowhere/claude`",
        ),
        (
            json!(["/bin/sh", "-c", "echo the reason; exit 3"]),
            "has ended with status 3\n  because: its pane shows: the reason",
        ),
    ];
    for (command, expected) in cases {
        let mut config = scene.config();
        config["workers"]["command"] = command.clone();
        config["workers"].as_object_mut().unwrap().remove("kind");
        let (watch, workers) = scene.watch_as(config).await;
        let began = Instant::now();
        let failure = workers.open(&wanted).await.unwrap_err().to_string();
        assert!(failure.contains(expected), "{command}: {failure}");
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{:?}",
            began.elapsed()
        );
        assert!(watch.supervisor.views().is_empty());
        wait_for(PATIENCE, "the pane's end", || {
            (!scene.panes().contains(&"notes.cli".to_owned())).then_some(())
        });
        watch.quit().await;
    }
    std::fs::remove_dir_all(&wanted.folder).unwrap();
    let (watch, workers) = scene.watch().await;
    let failure = workers.open(&wanted).await.unwrap_err().to_string();
    assert!(failure.contains("is not there"), "{failure}");
    watch.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_worker_that_ended_gives_way_to_a_new_one() {
    let scene = Scene::set();
    scene.write("cli", "die\n");
    let (watch, workers) = scene.watch().await;
    let wanted = scene.wanted("cli");
    let first = workers.open(&wanted).await.unwrap();
    let told = workers.tell(&wanted.agent, TELL, PATIENCE, None).await;
    // it may have ended before there was any proof
    assert!(told.is_ok(), "{told:?}");
    let gone = wait_until(PATIENCE, "its end", async || {
        workers.look(&wanted.agent)?.gone
    });
    assert!(gone.await.contains("has ended with status 1"));
    let ready = workers.ready(&wanted.agent, PATIENCE).await;
    assert!(matches!(ready, Err(NotReady::Gone(_))), "{ready:?}");
    let second = workers.open(&wanted).await.unwrap();
    assert!(!second.was_there && second.pane != first.pane);
    workers.ready(&wanted.agent, PATIENCE).await.unwrap();
    let named = scene.panes().into_iter().filter(|name| name == "notes.cli");
    assert_eq!(named.count(), 1);
    // the old pane's text is not the new one's
    scene.write("cli", "write made.txt made\n");
    let told = workers.tell(&wanted.agent, TELL, PATIENCE, None).await;
    assert_eq!(told.unwrap(), Told::Delivered);
    watch.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_and_its_agents_know_nothing_of_workers() {
    let scene = Scene::set();
    let (watch, workers) = scene.watch().await;
    let wanted = scene.wanted("cli");
    workers.open(&wanted).await.unwrap();
    watch.supervisor.stop(&wanted.agent).await.unwrap();
    watch.supervisor.start_agent(&wanted.agent).await.unwrap();
    let path = scene.stage.config_path();
    watch.supervisor.save(None).await.unwrap();
    let saved: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(saved["agents"], json!([]));
    let roster = std::fs::read_to_string(scene.stage.log_dir().join("roster.jsonl")).unwrap();
    assert!(!roster.contains("notes.cli"), "{roster}");

    // another configuration: agents come, the worker stays as it was
    let agent = scene.stage.agent("a1", &[]);
    let mut config = scene.stage.config(&[("a1", &agent)]);
    config["workers"] = scene.config()["workers"].clone();
    config["limits"] = json!({ "nudgesPerHour": 3 });
    let other = scene.stage.zellij.home().join("other.json");
    std::fs::write(&other, config.to_string()).unwrap();
    let polls = watch.view("notes.cli").polls;
    let said = watch.supervisor.load(&other).await.unwrap();
    assert_eq!(said, "a1 is new");
    let view = watch.view("notes.cli");
    assert!(view.polls >= polls && view.mission.is_some());
    let ids: Vec<_> = watch
        .supervisor
        .views()
        .iter()
        .map(|view| view.id.to_string())
        .collect();
    assert_eq!(ids, ["a1", "notes.cli"]);
    wait_for(PATIENCE, "the new bound", || {
        (watch.view("notes.cli").nudges.bound == 3).then_some(())
    });
    let said = watch.supervisor.load(&path).await.unwrap();
    assert_eq!(said, "a1 is gone");
    workers.ready(&wanted.agent, PATIENCE).await.unwrap();

    // an agent of the person's is no worker
    watch
        .supervisor
        .add(id("a1"), agent.pane.pane.into(), None, String::new())
        .await
        .unwrap();
    assert!(watch.supervisor.dismiss_worker(&id("a1")).await.is_err());
    watch.quit().await;
    let saved = std::fs::read_to_string(&path).unwrap();
    assert!(
        saved.contains("\"a1\"") && !saved.contains("notes.cli"),
        "{saved}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn six_workers_are_each_as_wide_and_high_as_the_session_and_nobody_looks_at_them() {
    let scene = Scene::set();
    // the last one's path is broken at the edge of the dialog
    scene.write("trust", "");
    let (watch, workers) = scene.watch().await;
    let tasks = [
        "a",
        "b",
        "c",
        "d",
        "e",
        "a-task-with-a-name-that-takes-more-than-a-row",
    ];
    for task in tasks {
        scene.brief(task, "");
        workers.open(&scene.wanted(task)).await.unwrap();
    }
    for task in tasks {
        let ready = workers.ready(&scene.wanted(task).agent, PATIENCE).await;
        assert_eq!(ready, Ok(()), "{task}");
    }
    let panes = scene.stage.zellij.list();
    for pane in panes
        .iter()
        .filter(|pane| pane["title"].as_str().unwrap_or("").starts_with("notes."))
    {
        let size = (&pane["pane_content_columns"], &pane["pane_content_rows"]);
        assert_eq!(size, (&json!(118), &json!(36)), "{pane}");
    }
    let tabs = scene.stage.zellij.action(&["list-tabs", "--json"]);
    let tabs: Value = serde_json::from_str(&tabs).unwrap();
    assert_eq!(tabs[0]["are_floating_panes_visible"], json!(false));
    assert_eq!(workers.found(&scene.names()).await.unwrap().len(), 6);
    for task in tasks {
        workers
            .close(&scene.wanted(task).agent, None)
            .await
            .unwrap();
    }
    assert_eq!(workers.found(&scene.names()).await.unwrap(), []);
    watch.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_session_the_mission_has_one_of_its_own() {
    let scene = Scene::set();
    let mut config = scene.config();
    config["workers"].as_object_mut().unwrap().remove("session");
    let (watch, workers) = scene.watch_as(config).await;
    scene.stage.zellij.kill_session();
    let opened = workers.open(&scene.wanted("cli")).await.unwrap();
    assert_eq!(opened.pane.session.as_str(), "mo-notes");
    let again = workers.open(&scene.wanted("cli")).await.unwrap();
    assert!(again.was_there);
    workers
        .close(&scene.wanted("cli").agent, None)
        .await
        .unwrap();
    watch.quit().await;
}
