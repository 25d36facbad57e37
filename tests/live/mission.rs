//! A small mission with real agents as its workers, from the plan to the merged result.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::agent::{Kind, Lab};
use super::common::supervisor::read_log;
use super::common::zellij::wait_for;
use super::program::{Ended, Program, command};

/// How long all of it may take.
const LONG: Duration = Duration::from_mins(15);

/// A mission of three tasks and the verifier that its contract brings; every brief of it.
const BRIEFS: [&str; 8] = [
    "look/task-1",
    "greet/task-1",
    // the first reviewer, the second attempt, its reviewer
    "greet/task-1002",
    "greet/task-2",
    "greet/task-2002",
    "count/task-1",
    "verify-contract/task-1",
    "verify-contract/task-1001",
];

/// Carries the mission out, and checks what came of it.
pub fn run(lab: &Lab) {
    lab.prepare_for_work();
    let home = lab.stage.zellij.home();
    let project = home.join("proj");
    for arguments in [
        &["config", "user.name", "Person"][..],
        &["config", "user.email", "person@example.org"],
        &["checkout", "--quiet", "-b", "trunk"],
    ] {
        git(lab, &project, arguments);
    }
    std::fs::write(project.join("one.txt"), "one\n").unwrap();
    git(lab, &project, &["add", "--all"]);
    git(lab, &project, &["commit", "--quiet", "--message", "one"]);
    let base = git(lab, &project, &["rev-parse", "trunk"]);
    let config = json!({
        "agents": [], "logDir": home.join("logs"),
        "decideBackend": { "type": "builtin" }, "reviewBackend": { "type": "builtin" },
        "workers": lab.workers(),
    });
    std::fs::write(home.join("mission.config.json"), config.to_string()).unwrap();
    std::fs::write(home.join("greetings.json"), plan(lab.kind).to_string()).unwrap();

    let ended = carry_out(lab);
    std::fs::write(lab.out.join("mission.out"), &ended.out).unwrap();
    std::fs::write(lab.out.join("mission.err"), &ended.err).unwrap();
    let journal = read_log(&home.join("logs/missions/greetings/journal.jsonl"));
    assert_eq!(ended.code, Some(0), "{}\n{journal:#?}", ended.err);

    // all is done, and merged; nobody said finish
    let of_result = |path: &str| {
        let object = format!("mo/greetings/integration:{path}");
        git(lab, &project, &["show", &object])
    };
    assert_eq!(of_result("hello.txt"), "hello-world");
    assert_eq!(of_result("count.txt"), "12");
    assert_eq!(git(lab, &project, &["rev-parse", "trunk"]), base);
    let folder = project.join(".worktrees/greetings/look");
    assert_eq!(git(lab, &folder, &["status", "--porcelain"]), "");
    assert_eq!(git(lab, &folder, &["rev-parse", "HEAD"]), base);

    // each brief once, and nothing else: by what the model service was told, and by what was typed
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for asked in lab.api.asked() {
        if let Some(text) = asked.begins {
            *told.entry(text).or_default() += 1;
        }
    }
    let line = |brief: &&str| format!("Read .mo/{brief}.md and do what it says.");
    let wanted: BTreeMap<String, usize> = BRIEFS.iter().map(|it| (line(it), 1)).collect();
    assert_eq!(told, wanted);
    let mut typed = typed(&home.join("logs"));
    let answers: Vec<String> = typed
        .extract_if(.., |text| !text.starts_with("Read .mo/"))
        .collect();
    typed.sort();
    assert_eq!(typed, wanted.into_keys().collect::<Vec<_>>());
    // the mission's yes, for folders that it made
    let is_trust = |text: &String| {
        let yes = text.strip_prefix("Yes, I trust this folder — to: ");
        yes.is_some_and(|folder| folder.contains("/proj/.worktrees/greetings/"))
    };
    assert!(answers.iter().all(is_trust), "{answers:?}");
    if lab.kind == Kind::Claude {
        assert!(
            !answers.is_empty(),
            "nobody was asked whether it is trusted"
        );
    }
}

fn plan(kind: Kind) -> Value {
    // the sandbox of Codex keeps it from the repository's own files
    let commit = match kind {
        Kind::Codex => "",
        Kind::Claude | Kind::Opencode => " && git add -A && git commit -qm step",
    };
    // what the permissions of a role that only reads keep it from
    let more = match kind {
        Kind::Claude => "\nDO: touch sneaked.txt\nPUT: sneaked.txt\nPUT: one.txt",
        Kind::Codex | Kind::Opencode => "",
    };
    let does = |what: &str| format!("Do it.\n\nDO: {what}{commit}");
    json!({
        "goal": "Greetings", "repository": "proj", "base": "trunk", "mayCommit": kind != Kind::Codex,
        "contract": "The greeting is in hello.txt; count.txt says how long it is.",
        "tasks": [
            { "slug": "look", "title": "Look around", "role": "explore",
              "description": format!("Find out what there is.\n\nDO: ls\nDO: git log --oneline{more}") },
            { "slug": "greet", "title": "The greeting", "role": "coder", "dependsOn": ["look"],
              "paths": ["hello.txt"], "description": does("echo helo > hello.txt"),
              "exitCriteria": [
                { "run": "test -s hello.txt" },
                { "review": format!(
                    "hello.txt greets the world. CHECK hello-world CURE echo hello-world > hello.txt{commit}") },
              ] },
            { "slug": "count", "title": "Its length", "role": "coder", "dependsOn": ["greet"],
              "paths": ["count.txt"], "description": does("wc -c < hello.txt > count.txt"),
              "exitCriteria": [{ "run": "grep -q 12 count.txt" }] },
        ],
    })
}

fn carry_out(lab: &Lab) -> Ended {
    let words = ["mission", "run", "greetings.json", "--yes"];
    let words: Vec<&str> = ["--config", "mission.config.json"]
        .into_iter()
        .chain(words)
        .collect();
    let zellij = &lab.stage.zellij;
    let mut program = Program::begin(command(zellij, &words), zellij.home());
    wait_for(LONG, "the end of the mission", || {
        (!program.is_running()).then_some(())
    });
    program.ends()
}

/// Every text and every answer that was begun to be typed, of all agents.
fn typed(logs: &Path) -> Vec<String> {
    let mut typed = Vec::new();
    for entry in std::fs::read_dir(logs).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".decisions.jsonl") {
            let lines = read_log(&path).into_iter();
            let intents = lines.filter(|line| line["step"] == "intent");
            typed.extend(intents.map(|line| line["text"].as_str().unwrap().to_owned()));
        }
    }
    typed
}

fn git(lab: &Lab, folder: &Path, arguments: &[&str]) -> String {
    let mut git = lab.stage.zellij.command("git");
    let output = git.args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
