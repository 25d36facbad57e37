use super::*;

fn exists(program: &str) -> bool {
    ["cargo", "test", "grep", "sh", "true", "echo", "false"].contains(&program)
}

/// Everything that is wrong with the plan of the text, as a person reads it.
fn told(text: &str) -> String {
    match Plan::read(text) {
        Err(error) => format!("{error}\n  hint: {}", error.hint),
        Ok(plan) => check(&plan, &exists)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

#[test]
fn each_bad_plan_is_told_with_what_to_do() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plans/invalid");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 15, "{files:?}");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let told = told(&text);
        assert!(
            told.contains("error: ") || told.starts_with("line "),
            "{name} is not refused:\n{told}"
        );
        insta::assert_snapshot!(format!("invalid_{name}"), told);
    }
}

#[test]
fn good_plans_are_not_complained_of() {
    for (name, text) in [
        (
            "the example",
            include_str!("../../../../config/mission.example.json"),
        ),
        (
            "the diamond",
            include_str!("../../../../tests/plans/valid/diamond.json"),
        ),
    ] {
        assert_eq!(told(text), "", "{name}");
    }
}

#[test]
fn a_plan_comes_back_as_it_was_written() {
    let text = include_str!("../../../../config/mission.example.json");
    let plan = Plan::read(text).unwrap();
    let again = serde_json::to_string_pretty(&plan).unwrap() + "\n";
    assert_eq!(again, text);
}

#[test]
fn a_command_that_says_nothing_of_what_was_done_is_no_criterion() {
    for (line, says) in [
        ("true", false),
        ("echo done", false),
        ("test -d .", false),
        ("sh -c 'exit 0'", false),
        ("sh -c 'cargo test || true'", false),
        ("sh -c 'cargo test; true'", false),
        ("false", false),
        ("cargo test", true),
        ("test -f docs/API.md", true),
        ("sh -c 'cargo test && echo fine'", true),
        ("grep -q true x", true),
    ] {
        let run: RunLine = line.parse().unwrap();
        assert_eq!(says_nothing(&run).is_none(), says, "{line}");
    }
}

#[test]
fn the_schema_in_config_is_the_plans_own() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/mission.schema.json");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        written,
        Plan::schema_text(),
        "write it anew: `meta-orchestrator schema --plan`"
    );
}
