use proptest::prelude::*;

use super::*;
use crate::ids::TaskId;
use crate::mission::plan::{Role, Task};

/// A task: its slug, what it depends on, what it writes.
type Short<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

fn task(&(slug, depends_on, paths): &Short<'_>) -> Task {
    Task {
        slug: slug.parse().unwrap(),
        title: slug.into(),
        description: slug.into(),
        role: Role::Coder,
        depends_on: depends_on
            .iter()
            .map(|slug| slug.parse().unwrap())
            .collect(),
        paths: paths.iter().map(|path| path.parse().unwrap()).collect(),
        exit_criteria: Vec::new(),
        attempts: 3,
        time_limit_min: 60,
    }
}

fn plan(tasks: &[Short<'_>]) -> Plan {
    Plan {
        schema: None,
        goal: "it works".into(),
        repository: ".".into(),
        base: None,
        may_commit: true,
        max_parallel: 3,
        setup: Vec::new(),
        contract: None,
        coordinator: None,
        tasks: tasks.iter().map(task).collect(),
    }
}

const DIAMOND: [Short<'static>; 5] = [
    ("base", &[], &["src/base"]),
    ("left", &["base"], &["src/left"]),
    ("right", &["base"], &["src/right"]),
    ("join", &["left", "right"], &["src/join"]),
    ("docs", &[], &["docs"]),
];

const TERMS: Terms = Terms {
    places: 3,
    paused: false,
};

fn starts(plan: &Plan, stages: &[Stage], terms: Terms) -> Vec<String> {
    let graph = Graph::new(plan).unwrap();
    let starts = graph.starts(stages, terms).into_iter();
    starts
        .map(|task| plan.tasks[task].slug.to_string())
        .collect()
}

#[test]
fn a_diamond_runs_side_by_side_where_it_may() {
    use Stage::{Done, Failed, Running, Waiting};
    let plan = plan(&DIAMOND);
    for (stages, expected) in [
        (vec![], vec!["base", "docs"]),
        (vec![Running, Waiting, Waiting, Waiting, Running], vec![]),
        (
            vec![Done, Waiting, Waiting, Waiting, Running],
            vec!["left", "right"],
        ),
        (vec![Done, Running, Done, Waiting, Done], vec![]),
        (vec![Done, Done, Done, Waiting, Done], vec!["join"]),
        (vec![Done, Failed, Waiting, Waiting, Done], vec!["right"]),
        (vec![Done; 5], vec![]),
    ] {
        assert_eq!(starts(&plan, &stages, TERMS), expected, "{stages:?}");
    }
}

#[test]
fn places_and_a_pause_hold_what_could_start() {
    let plan = plan(&DIAMOND);
    let terms = |places, paused| Terms { places, paused };
    assert_eq!(starts(&plan, &[], terms(1, false)), ["base"]);
    assert!(starts(&plan, &[], terms(0, false)).is_empty());
    assert!(starts(&plan, &[], terms(3, true)).is_empty());
}

#[test]
fn a_failure_skips_what_depends_on_it_and_only_that() {
    use Stage::{Done, Failed, Waiting};
    let plan = plan(&DIAMOND);
    let graph = Graph::new(&plan).unwrap();
    let stages = [Failed, Waiting, Waiting, Waiting, Waiting];
    assert_eq!(graph.skipped(&stages), [1, 2, 3]);
    assert_eq!(graph.starts(&stages, TERMS), [4]);
    let stages = [Done, Failed, Waiting, Waiting, Done];
    assert_eq!(graph.skipped(&stages), [3]);
    let why = graph.why(3, &stages, TERMS).unwrap();
    assert_eq!(
        in_words(&plan, &why),
        "it never starts: left, which it needs, will not be done"
    );
}

#[test]
fn tasks_that_write_the_same_files_never_run_at_once() {
    let plan = plan(&[
        ("one", &[], &["src"]),
        ("two", &[], &["src/lib.rs"]),
        ("all", &[], &[]),
        ("docs", &[], &["docs"]),
    ]);
    let graph = Graph::new(&plan).unwrap();
    assert_eq!(graph.starts(&[], TERMS), [0, 3]);
    for stage in [
        Stage::Running,
        Stage::Checking,
        Stage::Blocked,
        Stage::Stopped,
    ] {
        let why = graph.why(1, &[stage], TERMS);
        assert_eq!(why, Some(Why::SamePaths(0)), "{stage:?}");
    }
    let done = [Stage::Done, Stage::Waiting, Stage::Waiting, Stage::Done];
    assert_eq!(graph.starts(&done, TERMS), [1]);
    assert_eq!(graph.overlapping(), [(0, 1), (0, 2), (1, 2), (2, 3)]);
    assert_eq!(graph.in_one_folder().starts(&[], TERMS), [0]);
}

#[test]
fn those_who_write_nothing_may_always_run_beside_others() {
    let mut plan = plan(&[("one", &[], &[]), ("two", &[], &[]), ("three", &[], &[])]);
    plan.tasks[1].role = Role::Explore;
    plan.tasks[2].role = Role::Reviewer;
    let graph = Graph::new(&plan).unwrap().in_one_folder();
    assert_eq!(graph.starts(&[], TERMS), [0, 1, 2]);
    assert!(graph.overlapping().is_empty());
}

#[test]
fn tasks_that_wait_for_each_other_are_named() {
    let cases: [(&[Short<'_>], &[&str]); 4] = [
        (&[("a", &["b"], &[]), ("b", &["a"], &[])], &["a", "b"]),
        (&[("a", &["a"], &[])], &["a"]),
        (
            &[
                ("x", &["a"], &[]),
                ("a", &["c"], &[]),
                ("b", &["a"], &[]),
                ("c", &["b"], &[]),
            ],
            &["a", "c", "b"],
        ),
        (&DIAMOND, &[]),
    ];
    for (tasks, expected) in cases {
        let plan = plan(tasks);
        let found: Vec<String> = cycle(&plan)
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, expected);
        assert_eq!(Graph::new(&plan).is_some(), expected.is_empty());
    }
}

#[test]
fn the_waves_are_what_could_run_at_once_with_places_enough() {
    let graph = Graph::new(&plan(&DIAMOND)).unwrap();
    assert_eq!(graph.waves(), [vec![0, 4], vec![1, 2], vec![3]]);
}

/// A graph without circles, and a stage for each task.
fn any_mission() -> impl Strategy<Value = (Plan, Vec<Stage>, Terms)> {
    let stage = prop_oneof![
        4 => Just(Stage::Waiting),
        2 => Just(Stage::Done),
        1 => Just(Stage::Running),
        1 => Just(Stage::Checking),
        1 => Just(Stage::Blocked),
        1 => Just(Stage::Stopped),
        1 => Just(Stage::Failed),
        1 => Just(Stage::Dropped),
    ];
    let task = (
        proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
        proptest::collection::vec(
            prop::sample::select(vec![
                "a", "a/b", "b", "c/*", "**", "a/*.rs", "a/b/c", "c/d", "*",
            ]),
            0..3,
        ),
        any::<bool>(),
        stage,
    );
    let tasks = proptest::collection::vec(task, 1..14);
    (tasks, 0..5_usize, prop::bool::weighted(0.1)).prop_map(|(tasks, places, paused)| {
        let mut plan = plan(&[]);
        let mut stages = Vec::new();
        for (index, (needs, paths, reads, stage)) in tasks.into_iter().enumerate() {
            let slug = |index: usize| format!("t{index}").parse::<TaskId>().unwrap();
            let mut one = self::task(&("t", &[], &[]));
            one.slug = slug(index);
            if index > 0 {
                one.depends_on = needs
                    .iter()
                    .map(|needed| slug(needed.index(index)))
                    .collect();
            }
            one.paths = paths.iter().map(|path| path.parse().unwrap()).collect();
            one.role = if reads { Role::Explore } else { Role::Coder };
            plan.tasks.push(one);
            stages.push(stage);
        }
        (plan, stages, Terms { places, paused })
    })
}

proptest! {
    #[test]
    fn what_starts_may_and_what_may_starts_and_why_agrees((plan, stages, terms) in any_mission()) {
        let graph = Graph::new(&plan).unwrap();
        let starts = graph.starts(&stages, terms);
        let at_work = stages.iter().filter(|stage| stage.is_at_work()).count();
        prop_assert!(starts.is_empty() || at_work + starts.len() <= terms.places);
        let holds = |task: usize| stages[task].holds_its_paths() || starts.contains(&task);
        for task in 0..graph.len() {
            let needed_done = graph.needs(task).iter().all(|&needed| stages[needed] == Stage::Done);
            let meets = |before: usize| {
                (0..graph.len()).any(|other| {
                    let is_before = stages[other].holds_its_paths() || other < before;
                    other != task && is_before && holds(other) && graph.may_meet(task, other)
                })
            };
            let why = graph.why(task, &stages, terms).unwrap();
            prop_assert_eq!(starts.contains(&task), why == Why::Starts);
            if starts.contains(&task) {
                prop_assert!(stages[task] == Stage::Waiting && needed_done && !terms.paused);
                prop_assert!(!meets(graph.len()), "nobody else writes what it writes");
                continue;
            }
            match why {
                Why::Starts => prop_assert!(false),
                Why::Is(stage) => prop_assert!(stage == stages[task] && stage != Stage::Waiting),
                Why::WaitsFor(missing) => {
                    prop_assert!(!missing.is_empty());
                    prop_assert!(missing.iter().all(|&needed| stages[needed] != Stage::Done));
                }
                Why::Skipped(because) => {
                    prop_assert!(graph.needs(task).contains(&because));
                    let skipped = graph.skipped(&stages);
                    prop_assert!(stages[because].is_lost() || skipped.contains(&because));
                }
                Why::SamePaths(other) => prop_assert!(holds(other) && graph.may_meet(task, other)),
                Why::NoPlace => prop_assert!(at_work + starts.len() >= terms.places),
                Why::Paused => prop_assert!(terms.paused),
            }
        }
    }

    #[test]
    fn a_mission_in_which_nothing_fails_comes_to_its_end((plan, _, _) in any_mission(), places in 1..5_usize) {
        let graph = Graph::new(&plan).unwrap();
        let mut stages = vec![Stage::Waiting; graph.len()];
        for _ in 0..=graph.len() {
            let starts = graph.starts(&stages, Terms { places, paused: false });
            for task in starts {
                stages[task] = Stage::Done;
            }
        }
        prop_assert!(stages.iter().all(|stage| *stage == Stage::Done), "{stages:?}");
    }
}
