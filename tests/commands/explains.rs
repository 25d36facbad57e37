//! What a person is told of an agent and of a screen, and captures that are tests.

use std::path::Path;

use serde_json::Value;

use crate::common::zellij::TestZellij;
use crate::dialogs::{profile, scripted};
use crate::program::{BINARY, mode, run};

#[test]
fn an_agent_is_explained_in_words_and_in_json() {
    let test = TestZellij::start();
    let (agent, mut program) = scripted(&test);
    program.asks("/explain w").has(&[
        "w: idle, by the screen (empty prompt)",
        "(scripted)",
        "they agree",
        "foreground",
        "Screen: idle, by the rule `empty prompt`",
        "prompt: empty",
        "Would nudge: yes",
        "its screen to stand still long enough, in ",
    ]);
    agent.order("dialog");
    program.tells("it asks for a yes");
    program.asks("/explain w").has(&[
        "w: approval",
        "Dialog command:",
        "rm -rf build",
        "> 1. Yes [yes]",
        "2. No [no]",
        "Would nudge: no",
        "- its state is approval: a person answers",
        "waits for your answer",
    ]);
    // what follows it answers the mark
    let out = program.asks("/explain w --json").out;
    let mut values = serde_json::Deserializer::from_str(&out).into_iter::<Value>();
    let json = values.next().unwrap().unwrap();
    assert_eq!(json["state"], "approval");
    assert_eq!(json["screen"]["dialog"]["subject"], "rm -rf build");
    assert_eq!(json["outlook"]["wouldNudge"], false);
    program
        .asks("/explain nobody")
        .refused(&["there is no agent `nobody`"]);
}

#[test]
fn a_capture_is_a_case_of_the_tests_and_is_explained_alike_without_zellij() {
    let test = TestZellij::start();
    let (agent, mut program) = scripted(&test);
    agent.order("dialog");
    program.tells("it asks for a yes");
    let said = program.asks("/capture w");
    said.has(&[
        "saved to ./logs/captures/w-",
        "tests/screens/scripted/STATE/",
    ]);
    program
        .asks("/capture w my own")
        .has(&["saved to my own/w-"]);
    program
        .asks("/capture nobody")
        .refused(&["there is no agent"]);
    program.quits();

    let captures = test.home().join("logs/captures");
    let folder = std::fs::read_dir(&captures).unwrap().next().unwrap();
    let folder = folder.unwrap().path();
    assert_eq!((mode(&folder), mode(folder.join("1.ansi"))), (0o700, 0o600));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let case: Value = serde_json::from_str(&read("case.json")).unwrap();
    let names = [
        "arguments",
        "at",
        "columns",
        "cursors",
        "front",
        "rows",
        "source",
        "state",
        "typing",
    ];
    let mut found: Vec<&str> = case
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    found.sort_unstable();
    assert_eq!(found, names);
    assert_eq!(case["state"], "approval");
    assert_eq!(case["typing"], false);
    assert_eq!(case["cursors"].as_array().unwrap().len(), 1);
    assert!(case["columns"].as_u64().unwrap() > 20 && case["rows"].as_u64().unwrap() > 10);
    assert!(
        case["source"]
            .as_str()
            .unwrap()
            .starts_with("Scripted in zellij 0."),
        "{case}"
    );
    assert!(read("1.txt").contains("Do you want to proceed?"));
    assert!(
        !read("1.txt").contains('\u{1b}') && read("1.ansi").contains("Do you want to proceed?")
    );
    let explained: Value = serde_json::from_str(&read("explanation.json")).unwrap();
    assert_eq!(explained["state"], "approval");

    for screen in ["1.ansi", "1.txt"] {
        let told = explains(
            &test,
            &folder.join(screen),
            &["--kind", "scripted", "--json"],
        );
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["state"], "approval", "{screen}");
        assert_eq!(
            told["columns"], case["columns"],
            "as case.json beside it says"
        );
        assert_eq!(told["dialog"]["choices"][0]["says"], "yes");
    }
}

/// What `explain --screen` prints of a file.
fn explains(test: &TestZellij, screen: &Path, arguments: &[&str]) -> String {
    let mut all = vec!["explain", "--config", "c.json", "--screen"];
    all.push(screen.to_str().unwrap());
    all.extend(arguments);
    let ended = run(without_zellij(test, &all), test.home(), "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.out
}

/// The program where there is no zellij to be found.
fn without_zellij(test: &TestZellij, arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(BINARY);
    command
        .args(arguments)
        .env_clear()
        .env("HOME", test.home())
        .current_dir(test.home());
    command
}

#[test]
fn a_screen_is_explained_from_a_file_or_a_pipe_and_what_is_wrong_is_told() {
    let test = TestZellij::start();
    let home = test.home();
    let profiles = home.join(".config/meta-orchestrator/agents");
    std::fs::create_dir_all(&profiles).unwrap();
    std::fs::write(profiles.join("scripted.json"), profile().to_string()).unwrap();
    let rule = "─".repeat(40);
    let idle = format!("● ready\n{rule}\n❯ \u{1b}[2mTry it\u{1b}[0m\n{rule}\n  ? for shortcuts\n");
    std::fs::write(home.join("idle.ansi"), &idle).unwrap();
    std::fs::write(home.join("large"), "x".repeat(5 * 1024 * 1024)).unwrap();
    std::fs::write(home.join("binary"), [0xff, 0xfe, 0]).unwrap();
    let run = |arguments: &[&str], input: &str| {
        let mut all = vec!["explain", "--screen"];
        all.extend(arguments);
        run(without_zellij(&test, &all), home, input)
    };
    let ended = run(&["idle.ansi", "--kind", "scripted"], "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for part in [
        "idle\n  kind: scripted\n",
        "40 columns, with styling",
        "prompt: empty",
        "Would nudge: yes",
    ] {
        assert!(ended.out.contains(part), "no `{part}` in {}", ended.out);
    }
    let ended = run(
        &["-", "--columns", "60"],
        &idle.replace("\u{1b}[2mTry it", "half a line"),
    );
    assert!(ended.out.starts_with("draft\n  kind: "), "{ended:?}");
    assert!(
        ended.out.contains("found by trying every profile"),
        "{ended:?}"
    );
    assert!(
        ended.out.contains("60 columns")
            && ended.out.contains("Would nudge: no, its state is draft"),
        "{ended:?}"
    );
    for (arguments, code, part) in [
        (
            &["idle.ansi", "--kind", "cow"][..],
            2,
            "there are: aider, claude, codex,",
        ),
        (&["nowhere"], 2, "there is no file nowhere"),
        (&["large"], 1, "large"),
        (&["binary"], 1, "binary"),
        (&["."], 1, "."),
        (&["idle.ansi", "--columns", "0"], 2, "from 1 to 10000"),
    ] {
        let ended = run(arguments, "");
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
        assert!(ended.err.contains(part), "{arguments:?}: {ended:?}");
    }
}
