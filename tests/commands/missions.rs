//! What the program says of a mission's plan: no zellij, nothing of the plan is run.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::program::{BINARY, Ended, run};

fn mission(home: &Path, words: &[&str]) -> Ended {
    let mut command = Command::new(BINARY);
    command
        .arg("mission")
        .args(words)
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap());
    run(command, home, "")
}

/// A plan whose only criterion would leave a file behind if somebody ran it.
const RUNS: &str = r#"{"goal":"g","setup":["touch set-up"],"tasks":[{"slug":"a","title":"A","description":"d",
    "role":"coder","paths":["a"],"exitCriteria":[{"run":"touch ran"}]}]}"#;

#[test]
fn a_plan_is_checked_and_drawn_and_nothing_of_it_is_run() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("plan.json"), RUNS).unwrap();
    let checked = mission(home.path(), &["check", "plan.json"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.out.contains("no git repository") && checked.out.contains("touch ran"));
    fs::create_dir(home.path().join(".git")).unwrap();
    let checked = mission(home.path(), &["check", "plan.json"]);
    assert!(checked.out.contains("a worktree of its own"), "{checked:?}");
    let json = mission(home.path(), &["check", "plan.json", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&json["v"], &json["canBeFollowed"]),
        (&1.into(), &true.into())
    );
    let graph = mission(home.path(), &["graph", "plan.json"]);
    assert_eq!(graph.out, "1\n   a\n");
    let dot = mission(home.path(), &["graph", "plan.json", "--dot"]);
    assert!(dot.out.starts_with("digraph mission {"), "{dot:?}");
    for left in ["ran", "set-up"] {
        assert!(!home.path().join(left).exists(), "{left}");
    }
}

/// Two tasks that must fit together: whoever runs them gets a third.
const CONTRACT: &str = r#"{"goal":"a server and its client","contract":"GET /notes on port 8080","tasks":[
    {"slug":"server","title":"S","description":"d","paths":["server"],"exitCriteria":[{"run":"test -s server/main"}]},
    {"slug":"client","title":"C","description":"d","paths":["client"],"exitCriteria":[{"run":"test -s client/main"}]}
]}"#;

#[test]
fn a_plan_with_a_contract_is_shown_with_the_verifier_that_it_ends_with() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("plan.json"), CONTRACT).unwrap();
    fs::create_dir(home.path().join(".git")).unwrap();
    let mut shown = String::new();
    for words in [
        &["check", "plan.json"][..],
        &["check", "plan.json", "--json"],
        &["graph", "plan.json"],
        &["graph", "plan.json", "--dot"],
    ] {
        let ended = mission(home.path(), words);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        shown = format!("{shown}$ mission {}\n{}\n", words.join(" "), ended.out);
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_contract_without_tasks_is_no_plan() {
    let home = tempfile::tempdir().unwrap();
    let text = r#"{"goal":"g","contract":"port 80","tasks":[]}"#;
    fs::write(home.path().join("plan.json"), text).unwrap();
    let checked = mission(home.path(), &["check", "plan.json"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.out.contains("it has no tasks"), "{checked:?}");
}

#[test]
fn what_is_no_plan_or_cannot_be_followed_ends_with_a_code_and_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let cycle = include_str!("../plans/invalid/cycle.json");
    fs::write(home.path().join("cycle.json"), cycle).unwrap();
    fs::write(home.path().join("torn.json"), "{\"goal\"").unwrap();
    for (words, code, says) in [
        (&["check", "cycle.json"][..], 1, "a -> c -> b -> a"),
        (&["graph", "cycle.json"], 1, "a -> c -> b -> a"),
        (&["check", "torn.json"], 2, "torn.json is no plan"),
        (&["check", "none.json"], 2, "there is no file none.json"),
        (&["check"], 2, "FILE"),
    ] {
        let ended = mission(home.path(), words);
        assert_eq!(ended.code, Some(code), "{words:?}: {ended:?}");
        let said = format!("{}{}", ended.out, ended.err);
        assert!(said.contains(says), "{words:?}: {said}");
    }
}
