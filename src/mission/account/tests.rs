use chrono::TimeDelta;

use super::*;
use crate::mission::journal::Claimed;
use crate::mission::receipt::Outcome;
use crate::mission::view::{Costs, ProposalView};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
}

const PLAN: &str = r#"{
  "goal": "Notes, with a command line",
  "tasks": [
    { "slug": "lib", "title": "The library", "description": "Write it.", "role": "coder",
      "exitCriteria": [{ "run": "cargo test" }, { "run": "test -s README.md" }] },
    { "slug": "cli", "title": "The command line", "description": "Write it by the contract.", "role": "coder",
      "dependsOn": ["lib"], "timeLimitMin": 30, "exitCriteria": [{ "run": "cargo test -p cli" }] },
    { "slug": "docs", "title": "The manual", "description": "Write it.", "dependsOn": ["cli"],
      "exitCriteria": [{ "run": "test -s docs/NOTES.md" }] }
  ]
}"#;

fn view(plan: &Plan) -> MissionView {
    let task = |place: usize, stage, skipped| {
        let task = &plan.tasks[place];
        TaskView {
            slug: task.slug.clone(),
            title: task.title.clone(),
            role: task.role,
            depends_on: task.depends_on.clone(),
            stage,
            skipped,
            doing: String::new(),
            attempt: 1,
            attempts: task.attempts,
            criteria: Vec::new(),
            agent: None,
            pane: None,
            state: None,
            started_at: Some(at(10)),
            ended_at: Some(at(760)),
            costs: Costs {
                tokens: Some(48_200),
                cache_read_tokens: Some(900_000),
                tool_uses: Some(61),
                watch_tokens: Some(1_200),
            },
            why: None,
            outside: Vec::new(),
            left_out: Vec::new(),
        }
    };
    let mut lib = task(0, Stage::Done, false);
    lib.attempt = 2;
    lib.outside = vec!["Makefile".into()];
    let mut cli = task(1, Stage::Failed, false);
    cli.attempt = 3;
    cli.why = Some("its attempts are used up".into());
    let mut docs = task(2, Stage::Waiting, true);
    (docs.attempt, docs.started_at, docs.ended_at) = (0, None, None);
    docs.costs = Costs::default();
    MissionView {
        id: "notes".parse().unwrap(),
        goal: plan.goal.clone(),
        root: "/r".into(),
        base: Some("main".into()),
        integration: Some("mo/notes/integration".into()),
        phase: Phase::Over,
        begun_at: Some(at(0)),
        tasks: vec![lib, cli, docs],
        proposals: vec![ProposalView {
            slug: "rest-cli".parse().unwrap(),
            title: "The rest".into(),
            why: "its time was over".into(),
        }],
        places: 3,
        trouble: None,
        summing_up: false,
    }
}

fn entries(task: &str, steps: Vec<Step>) -> Vec<Entry> {
    let task: TaskId = task.parse().unwrap();
    let entry = |step| {
        Entry::new(
            at(20),
            What::Task {
                task: task.clone(),
                step,
            },
        )
    };
    steps.into_iter().map(entry).collect()
}

fn journal() -> Vec<Entry> {
    let done = |number| Step::Reported {
        claim: Claimed::Done,
        number,
    };
    let failed = || Step::Checked {
        failed: vec!["`cargo test`: exit code 101".into()],
        part: Vec::new(),
    };
    let mut journal = entries(
        "lib",
        vec![
            done(1),
            failed(),
            done(2),
            Step::Checked {
                failed: Vec::new(),
                part: Vec::new(),
            },
            Step::Conflict {
                files: vec!["src/lib.rs".into()],
            },
            Step::TakenBack,
            Step::Merged {
                commit: "c0ffee".into(),
                outside: Vec::new(),
                left_out: Vec::new(),
            },
        ],
    );
    journal.extend(entries(
        "cli",
        vec![
            Step::Reported {
                claim: Claimed::Blocked("which port?\n# Ha".into()),
                number: 1,
            },
            done(2),
            failed(),
            done(3),
            failed(),
            Step::TimeUp,
            Step::Lost {
                why: "its pane is gone".into(),
            },
        ],
    ));
    journal.push(Entry::new(at(3_725), What::Over));
    journal
}

fn receipt(task: &str, attempt: u32, on: Tree, what: &str, outcome: Outcome) -> Receipt {
    Receipt {
        v: 1,
        ts: at(30),
        task: task.parse().unwrap(),
        attempt,
        on,
        criterion: usize::from(what.starts_with("test")),
        what: what.into(),
        folder: "/r".into(),
        commit: Some("0123456789abcdef".into()),
        outcome,
        took_ms: 1_250,
        tail: "boom".into(),
        undone: Vec::new(),
    }
}

fn receipts() -> Vec<Receipt> {
    let code = |code| Outcome::WrongCode { code };
    let slow = Outcome::TimedOut { after_sec: 600 };
    let mut receipts = vec![
        receipt("lib", 0, Tree::Base, "cargo test", code(101)),
        receipt("lib", 0, Tree::Base, "test -s README.md", Outcome::Passed),
        receipt("lib", 1, Tree::Work, "cargo test", code(101)),
        receipt("lib", 2, Tree::Work, "cargo test", Outcome::Passed),
        receipt("lib", 2, Tree::Merged, "cargo test", Outcome::Passed),
        receipt("lib", 2, Tree::Merged, "test -s README.md", Outcome::Passed),
        receipt("cli", 2, Tree::Work, "cargo test -p cli", code(101)),
        receipt("cli", 3, Tree::Work, "cargo test -p cli", slow),
    ];
    receipts[2].undone = vec!["tests/given.rs".into()];
    receipts
}

/// What `write` makes of a mission in which much went wrong.
fn of_a_mission(write: impl Fn(&Account<'_>) -> String) -> String {
    let plan = Plan::read(PLAN).unwrap();
    let (view, journal, receipts) = (view(&plan), journal(), receipts());
    let reports = [(
        "lib".parse().unwrap(),
        "Result: done\n# Mission `notes`\nAll is well.\u{1b}[2J".to_owned(),
    )];
    write(&Account {
        view: &view,
        plan: &plan,
        journal: &journal,
        receipts: &receipts,
        reports: &reports,
        now: at(3_800),
    })
}

#[test]
fn a_report_says_what_came_of_each_task_and_where_the_result_is() {
    insta::assert_snapshot!("report", of_a_mission(|account| report(account, None)));
    let summary = Summary {
        text: "It went so so.\n## Tasks",
        by: "gemini m",
    };
    let text = of_a_mission(|account| report(account, Some(summary)));
    assert!(text.contains("> It went so so.\n> ## Tasks\n"), "{text}");
}

#[test]
fn a_review_draws_its_conclusions_from_the_records() {
    let text = of_a_mission(after_action);
    insta::assert_snapshot!("after_action", text);
    let items = action_items(&text);
    assert_eq!(
        items.len(),
        text.split(super::after::ITEMS)
            .nth(1)
            .unwrap()
            .matches("\n- ")
            .count()
    );
    assert!(
        items[0].starts_with("`lib`: say in its description"),
        "{items:?}"
    );
}

#[test]
fn a_question_is_answered_from_everything_that_is_recorded() {
    let text = of_a_mission(for_a_question);
    for part in [
        "# Mission `notes`",
        "# After-action review",
        "> Write it by the contract.",
        r#""entry":"over""#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let summary = of_a_mission(for_a_summary);
    assert!(text.starts_with(&summary));
}

#[test]
fn a_mission_in_which_nothing_went_wrong_says_so() {
    let mut plan = Plan::read(PLAN).unwrap();
    let mut view = view(&plan);
    plan.tasks.truncate(1);
    view.tasks.truncate(1);
    (view.tasks[0].attempt, view.tasks[0].outside) = (1, Vec::new());
    (view.phase, view.proposals) = (Phase::Finished, Vec::new());
    let finished = What::Finished {
        commit: Some("beef".into()),
    };
    let journal = [Entry::new(at(900), finished)];
    let receipts = [receipt(
        "lib",
        1,
        Tree::Merged,
        "cargo test",
        Outcome::Passed,
    )];
    let account = Account {
        view: &view,
        plan: &plan,
        journal: &journal,
        receipts: &receipts,
        reports: &[],
        now: at(1_000),
    };
    insta::assert_snapshot!("good", for_a_summary(&account));
    assert!(action_items(&after_action(&account)).is_empty());
    let mut in_a_folder = view.clone();
    (in_a_folder.base, in_a_folder.integration) = (None, None);
    let account = Account {
        view: &in_a_folder,
        ..account
    };
    assert!(report(&account, None).contains("In the folder `/r`; it is no repository"));
}

#[test]
fn items_are_read_from_reviews_alone() {
    for (text, items) in [
        ("", &[][..]),
        ("## Action items\n\n- (nothing)\n", &[]),
        ("## Action items\n\n- a\n- b\n# Other\n- c\n", &["a", "b"]),
        ("- a\n## Went wrong\n- b\n", &[]),
    ] {
        assert_eq!(action_items(text), items, "{text:?}");
    }
}

#[test]
fn times_are_said_as_a_person_says_them() {
    for (millis, words) in [
        (-5, "0.0 s"),
        (400, "0.4 s"),
        (3_000, "3 s"),
        (40_900, "40 s"),
        (TimeDelta::minutes(12).num_milliseconds(), "12 min"),
        (TimeDelta::minutes(125).num_milliseconds(), "2 h 5 min"),
    ] {
        assert_eq!(took(millis), words);
    }
}
