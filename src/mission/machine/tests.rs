use super::*;
use crate::ids::PaneAddress;
use crate::mission::journal::{Claimed, Step};

/// A mission of tasks `a`, `b` after `a`, and `c`, and its journal so far.
struct Mission {
    machine: Machine,
    journal: Vec<Entry>,
}

const PLACES: usize = 3;

const fn merged(commit: String) -> Step {
    Step::Merged {
        commit,
        outside: Vec::new(),
        left_out: Vec::new(),
    }
}

impl Mission {
    fn new() -> Self {
        Self::of(
            r#"{"goal": "g", "tasks": [
                {"slug": "a", "title": "A", "description": "d", "role": "coder", "paths": ["a"], "attempts": 2},
                {"slug": "b", "title": "B", "description": "d", "role": "coder", "paths": ["b"], "dependsOn": ["a"]},
                {"slug": "c", "title": "C", "description": "d", "role": "coder", "paths": ["c"]}
            ]}"#,
        )
    }

    fn of(plan: &str) -> Self {
        let machine = Machine::new(Plan::read(plan).unwrap(), true).unwrap();
        let mut mission = Self {
            machine,
            journal: Vec::new(),
        };
        mission.write(What::Begun {
            root: "/r".into(),
            base: Some("main".into()),
            commit: Some("0".into()),
        });
        mission
    }

    fn write(&mut self, what: What) {
        let ts = DateTime::from_timestamp(1_000 + i64::try_from(self.journal.len()).unwrap(), 0);
        let entry = Entry::new(ts.unwrap(), what);
        self.machine.apply(&entry);
        self.journal.push(entry);
    }

    fn step(&mut self, task: &str, step: Step) {
        let task = task.parse().unwrap();
        self.write(What::Task { task, step });
    }

    /// What is due, as words: `start a`, `a: Folder`.
    fn due(&self) -> Vec<String> {
        let name = |place: usize| self.machine.plan.tasks[place].slug.to_string();
        let due = self.machine.due(PLACES).into_iter();
        due.map(|due| match due {
            Due::Start(place) => format!("start {}", name(place)),
            Due::Do(place, wants) => format!("{}: {wants:?}", name(place)),
            Due::Over => "over".to_owned(),
        })
        .collect()
    }

    fn state(&self, task: &str) -> &TaskState {
        let place = self.machine.position(&task.parse().unwrap()).unwrap();
        &self.machine.tasks[place]
    }

    /// From its start to the point at which its worker is watched.
    fn work(&mut self, task: &str) {
        self.step(task, Step::Started);
        let commit = Some("0".into());
        self.step(task, Step::Prepared { commit });
        self.open(task);
        self.tell(task);
    }

    fn open(&mut self, task: &str) {
        let pane = PaneAddress {
            session: "s".parse().unwrap(),
            pane: "1".parse().unwrap(),
        };
        self.step(task, Step::Opened { pane, fresh: true });
    }

    fn tell(&mut self, task: &str) {
        let number = self.state(task).briefs + 1;
        self.step(task, Step::Telling { number });
        self.step(task, Step::Told { number });
    }

    fn report(&mut self, task: &str, claim: Claimed) {
        let number = self.state(task).briefs;
        self.step(task, Step::Reported { claim, number });
    }

    fn check(&mut self, task: &str, failed: &[&str]) {
        let failed = failed.iter().map(ToString::to_string).collect();
        let part = Vec::new();
        self.step(task, Step::Checked { failed, part });
    }

    fn merge(&mut self, task: &str, failed: &[&str]) {
        self.step(task, Step::Merging { before: "1".into() });
        let commit = "2".into();
        self.step(task, merged(commit));
        let failed = failed.iter().map(ToString::to_string).collect();
        self.step(task, Step::Proven { failed });
    }

    fn finish(&mut self, task: &str) {
        self.work(task);
        self.report(task, Claimed::Done);
        self.check(task, &[]);
        self.merge(task, &[]);
    }
}

#[test]
fn a_task_goes_its_way_and_the_next_starts_only_when_it_is_merged() {
    let mut mission = Mission::new();
    assert_eq!(mission.due(), ["start a", "start c"]);
    mission.work("a");
    assert_eq!(mission.due(), ["start c", "a: Watching"]);
    mission.report("a", Claimed::Done);
    assert_eq!(mission.due(), ["start c", "a: Checking"]);
    mission.check("a", &[]);
    assert_eq!(mission.due(), ["start c", "a: Merging"]);
    mission.merge("a", &[]);
    assert_eq!(mission.due(), ["start b", "start c"]);
    mission.finish("b");
    mission.finish("c");
    assert_eq!(mission.due(), ["over"]);
    mission.write(What::Over);
    assert_eq!(mission.due(), [""; 0]);
}

#[test]
fn a_failed_attempt_is_told_to_the_same_worker_until_they_are_used_up() {
    let mut mission = Mission::new();
    mission.work("a");
    mission.report("a", Claimed::Done);
    mission.check("a", &["cargo test: exit code 101"]);
    assert_eq!(mission.due(), ["start c", "a: Telling(Retry)"]);
    assert_eq!(mission.state("a").attempt, 2);
    mission.tell("a");
    mission.step("a", Step::Stood);
    mission.check("a", &["cargo test: exit code 101"]);
    assert_eq!(mission.state("a").stage, Stage::Failed);
    // what depends on it is skipped, everything else goes on
    assert_eq!(mission.machine.skipped(), [1]);
    mission.finish("c");
    assert_eq!(mission.due(), ["over"]);
    mission.write(What::Over);
    // the person wants it tried again, and then the rest follows
    mission.step("a", Step::Retried { fresh: false });
    assert_eq!(mission.due(), ["a: Telling(Retry)"]);
    mission.tell("a");
    mission.report("a", Claimed::Done);
    mission.check("a", &[]);
    mission.merge("a", &[]);
    assert_eq!(mission.due(), ["start b"]);
}

#[test]
fn a_worker_that_goes_in_circles_is_replaced_by_a_fresh_one() {
    let plan = r#"{"goal": "g", "tasks": [
        {"slug": "a", "title": "A", "description": "d", "role": "coder", "paths": ["a"], "attempts": 5}
    ]}"#;
    let fails = |mission: &mut Mission, how: &str| {
        mission.report("a", Claimed::Done);
        mission.check("a", &[how]);
        mission.due()
    };
    let closing = "a: Closing { then_fresh: true }";
    // how it fails one time after the other, and what is done in the end
    for (failures, due) in [
        (&["1 of 3 is wrong"][..], "a: Telling(Retry)"),
        (&["1 of 3 is wrong", "another thing"], "a: Telling(Retry)"),
        (&["it took 0.12 s", "it took 0.97 s"], closing),
        (&["this", "that", "that"], closing),
        (&["this", "that", "this"], "a: Telling(Retry)"),
    ] {
        let mut mission = Mission::of(plan);
        mission.work("a");
        let mut last = Vec::new();
        for how in failures {
            if !last.is_empty() {
                mission.tell("a");
            }
            last = fails(&mut mission, how);
        }
        assert_eq!(last, [due], "{failures:?}");
    }
    // the fresh one is told everything, and has two tries of its own
    let mut mission = Mission::of(plan);
    mission.work("a");
    fails(&mut mission, "no");
    mission.tell("a");
    assert_eq!(fails(&mut mission, "no"), [closing]);
    mission.step("a", Step::Closed);
    mission.open("a");
    assert_eq!(mission.due(), ["a: Telling(Begin)"]);
    assert_eq!(mission.state("a").wrong, ["no", "no"]);
    mission.tell("a");
    assert_eq!(fails(&mut mission, "no"), ["a: Telling(Retry)"]);
    // a pane in which the person works is theirs
    mission.step("a", Step::Stopped);
    let mut mission = Mission::of(plan);
    mission.work("a");
    mission.step("a", Step::TakenOver);
    fails(&mut mission, "no");
    mission.tell("a");
    assert_eq!(fails(&mut mission, "no"), ["a: Telling(Retry)"]);
}

#[test]
fn what_a_worker_left_whose_context_is_used_up_is_checked_and_another_goes_on() {
    let mut mission = Mission::new();
    mission.work("c");
    mission.step("c", Step::UsedUp);
    assert_eq!(mission.due(), ["start a", "c: Checking"]);
    mission.check("c", &["not yet"]);
    assert_eq!(
        mission.due(),
        ["start a", "c: Closing { then_fresh: true }"]
    );
    mission.step("c", Step::Closed);
    mission.open("c");
    mission.tell("c");
    mission.step("c", Step::UsedUp);
    mission.check("c", &[]);
    assert_eq!(mission.due(), ["start a", "c: Merging"]);
    // also where something stands in the way of the merge
    let files = vec!["c".to_owned()];
    mission.step("c", Step::Unsaved { files });
    assert_eq!(
        mission.due(),
        ["start a", "c: Closing { then_fresh: true }"]
    );
}

#[test]
fn merges_come_one_at_a_time_and_one_that_breaks_something_is_taken_back() {
    let mut mission = Mission::new();
    for task in ["c", "a"] {
        mission.work(task);
        mission.report(task, Claimed::Done);
        mission.check(task, &[]);
    }
    assert_eq!(mission.due(), ["c: Merging"]);
    mission.merge("c", &["it breaks"]);
    assert_eq!(mission.due(), ["c: TakingBack"]);
    mission.step("c", Step::TakenBack);
    let state = mission.state("c");
    assert_eq!(
        (state.merged.is_some(), state.taken_back.is_some()),
        (false, true)
    );
    assert_eq!(mission.due(), ["a: Merging", "c: Telling(TakenBack)"]);
    let files = vec!["a/x".to_owned()];
    mission.step("a", Step::Conflict { files });
    assert_eq!(
        mission.state("a").attempt,
        1,
        "a conflict is nobody's fault"
    );
    assert_eq!(
        mission.due(),
        ["a: Telling(Conflict([\"a/x\"]))", "c: Telling(TakenBack)"]
    );
}

#[test]
fn conflicts_without_end_come_to_an_end() {
    let mut mission = Mission::new();
    mission.work("a");
    for round in 0..=CHORES {
        assert_eq!(mission.state("a").stage, Stage::Running, "round {round}");
        mission.report("a", Claimed::Done);
        mission.check("a", &[]);
        let files = vec!["a/x".to_owned()];
        mission.step("a", Step::Conflict { files });
        if mission.state("a").stage == Stage::Running {
            mission.tell("a");
        }
    }
    assert_eq!(mission.state("a").stage, Stage::Failed);
}

#[test]
fn a_worker_that_is_gone_is_replaced_by_one_that_is_told_everything() {
    let mut mission = Mission::new();
    mission.work("a");
    let why = "it ended".to_owned();
    mission.step("a", Step::Lost { why });
    assert_eq!(mission.due(), ["start c", "a: Worker"]);
    mission.open("a");
    assert_eq!(mission.due(), ["start c", "a: Telling(Begin)"]);
    mission.tell("a");
    // after a restart of everything it is gone, and that is no attempt
    mission.step("a", Step::Closed);
    assert_eq!(mission.due(), ["start c", "a: Worker"]);
    assert_eq!(mission.state("a").attempt, 2);
}

#[test]
fn a_blocked_worker_is_answered_once_and_then_the_person_is_needed() {
    let mut mission = Mission::new();
    mission.work("a");
    mission.report("a", Claimed::Blocked("no key".into()));
    assert_eq!(mission.due(), ["start c", "a: Answer"]);
    let text = Some("the key is in .env".to_owned());
    mission.step("a", Step::Answered { text });
    mission.tell("a");
    mission.report("a", Claimed::Blocked("no key in .env".into()));
    mission.finish("c");
    assert_eq!(mission.due(), ["over"]);
    let text = "use the other one".to_owned();
    mission.step("a", Step::Message { text, fresh: false });
    assert_eq!(mission.due(), ["a: Telling(Person(\"use the other one\"))"]);
}

#[test]
fn time_that_is_up_is_said_once_and_then_what_is_there_is_checked() {
    let mut mission = Mission::new();
    mission.work("a");
    mission.step("a", Step::TimeUp);
    assert_eq!(mission.due(), ["start c", "a: Telling(TimeUp)"]);
    mission.tell("a");
    mission.step("a", Step::TimeUp);
    assert_eq!(mission.due(), ["start c", "a: Checking"]);
    mission.check("a", &["not yet"]);
    assert_eq!(mission.state("a").stage, Stage::Failed);
}

/// `c` with its time over, of whose three criteria the first is met when its time is over for good.
fn in_part() -> Mission {
    let criterion = |line: &str| format!(r#"{{"run": "{line}"}}"#);
    let task = |slug: &str, needs: &str, criteria: &[&str]| {
        let criteria: Vec<String> = criteria.iter().map(|line| criterion(line)).collect();
        let criteria = criteria.join(", ");
        format!(
            r#"{{"slug": "{slug}", "title": "T", "description": "d", "role": "coder", "paths": ["{slug}"],
                "dependsOn": [{needs}], "exitCriteria": [{criteria}]}}"#
        )
    };
    let tasks = [
        task("a", "", &["test a", "test both"]),
        task("b", r#""c""#, &["test b"]),
        task("c", "", &["test c", "test more", "test both"]),
    ];
    let mut mission = Mission::of(&format!(
        r#"{{"goal": "g", "tasks": [{}]}}"#,
        tasks.join(", ")
    ));
    mission.work("c");
    mission.step("c", Step::TimeUp);
    mission.tell("c");
    mission.report("c", Claimed::Done);
    let (failed, part) = (vec!["more".to_owned()], vec![0]);
    mission.step("c", Step::Checked { failed, part });
    mission
}

/// What must pass on the tree that the merge of the task at `place` makes: of which task, which criterion.
fn proofs(mission: &Mission, place: usize) -> Vec<(usize, usize)> {
    let proofs = mission.machine.proofs(place).into_iter();
    proofs
        .map(|proof| {
            let of = mission.machine.task(proof.task).unwrap().1;
            assert_eq!(proof.attempt, of.attempt);
            (proof.task, proof.criterion)
        })
        .collect()
}

#[test]
fn the_part_that_is_done_in_time_is_merged_and_the_rest_is_for_another_task() {
    let mut mission = in_part();
    assert_eq!(mission.due(), ["start a", "c: Merging"]);
    assert_eq!(proofs(&mission, 2), [(2, 0)], "only what it meets");
    mission.merge("c", &[]);
    let state = mission.state("c");
    assert_eq!((state.stage, state.merged.is_some()), (Stage::Failed, true));
    // what needs it does not start, and what comes after it must not break what is merged
    assert_eq!(mission.due(), ["start a"]);
    assert_eq!(proofs(&mission, 0), [(0, 0), (0, 1), (2, 0)]);
    mission.finish("a");
    assert_eq!(mission.due(), ["over"]);
    mission.write(What::Over);
    let proposal = Task {
        slug: "rest-of-c".parse().unwrap(),
        ..mission.machine.plan.tasks[2].clone()
    };
    mission.write(What::Proposed {
        proposal: Box::new(proposal),
        why: "its time was over".into(),
        rest_of: Some("c".parse().unwrap()),
    });
    let proposal = "rest-of-c".parse().unwrap();
    mission.write(What::Accepted { proposal });
    assert_eq!(mission.due(), ["start rest-of-c"]);
    mission.finish("rest-of-c");
    assert_eq!(
        proofs(&mission, 3),
        [(3, 0), (3, 1), (3, 2), (0, 0)],
        "each command once"
    );
    // what needed the whole gets it from whoever did the rest
    assert_eq!(mission.due(), ["start b"]);
}

#[test]
fn a_part_that_breaks_what_is_merged_is_taken_back() {
    let mut mission = in_part();
    mission.merge("c", &["it breaks"]);
    mission.step("c", Step::TakenBack);
    let state = mission.state("c");
    assert_eq!(
        (state.stage, state.merged.is_some()),
        (Stage::Failed, false)
    );
    // the person may have it tried again, and then it is the whole again
    mission.step("c", Step::Retried { fresh: false });
    mission.tell("c");
    mission.report("c", Claimed::Done);
    mission.check("c", &[]);
    assert_eq!(proofs(&mission, 2), [(2, 0), (2, 1), (2, 2)]);
    mission.merge("c", &[]);
    assert_eq!(mission.state("c").stage, Stage::Done);
}

#[test]
fn what_was_merged_before_it_was_taken_up_again_stays_merged_when_more_of_it_is_taken_back() {
    let mut mission = in_part();
    mission.step("c", Step::Stopped);
    mission.finish("a");
    let text = "more".to_owned();
    mission.step("a", Step::Message { text, fresh: false });
    mission.tell("a");
    mission.report("a", Claimed::Done);
    mission.check("a", &[]);
    mission.merge("a", &["it breaks"]);
    mission.step("a", Step::TakenBack);
    let state = mission.state("a");
    assert!(state.merged.is_some() && state.taken_back.is_some());
    // whoever is merged next must not break it
    assert_eq!(proofs(&mission, 1), [(1, 0), (0, 0), (0, 1)]);
}

#[test]
fn abort_closes_every_pane_and_takes_half_a_merge_back() {
    let mut mission = Mission::new();
    mission.finish("a");
    mission.work("b");
    mission.work("c");
    mission.report("c", Claimed::Done);
    mission.check("c", &[]);
    mission.step("c", Step::Merging { before: "1".into() });
    mission.step("c", merged("2".into()));
    mission.write(What::Aborted);
    let closing = "Closing { then_fresh: false }";
    assert_eq!(
        mission.due(),
        [
            format!("a: {closing}"),
            format!("b: {closing}"),
            "c: TakingBack".to_owned()
        ]
    );
    mission.step("c", Step::TakenBack);
    assert_eq!(mission.due()[2], format!("c: {closing}"));
    for task in ["a", "b", "c"] {
        mission.step(task, Step::Closed);
    }
    assert_eq!(mission.due(), [""; 0]);
    assert_eq!(mission.state("a").stage, Stage::Done);
    assert_eq!(mission.state("c").stage, Stage::Stopped);
}

#[test]
fn a_pause_starts_and_tells_nothing() {
    let mut mission = Mission::new();
    mission.work("a");
    mission.write(What::Paused);
    assert_eq!(mission.due(), ["a: Watching"]);
    mission.report("a", Claimed::Done);
    mission.check("a", &["no"]);
    assert_eq!(mission.due(), [""; 0]);
    mission.write(What::Resumed);
    assert_eq!(mission.due(), ["start c", "a: Telling(Retry)"]);
}

#[test]
fn every_end_is_there_to_be_told_until_it_was() {
    let mut mission = Mission::new();
    mission.finish("a");
    mission.work("c");
    mission.report("c", Claimed::Blocked("no key".into()));
    let told = |mission: &Mission| -> Vec<String> {
        let ends = mission.machine.untold().iter();
        ends.map(|end| format!("{} {}", end.task, end.stage.as_str()))
            .collect()
    };
    assert_eq!(told(&mission), ["a done", "c blocked"]);
    mission.write(What::Informed { ends: 1 });
    assert_eq!(told(&mission), ["c blocked"]);
    mission.write(What::Informed { ends: 2 });
    mission.step("c", Step::Dropped);
    assert_eq!(told(&mission), ["c dropped"]);
}

#[test]
fn a_proposed_task_comes_in_when_the_person_accepts_it() {
    let mut mission = Mission::new();
    for task in ["a", "b", "c"] {
        mission.finish(task);
    }
    mission.write(What::Over);
    let proposal = Task {
        slug: "rest".parse().unwrap(),
        ..mission.machine.plan.tasks[0].clone()
    };
    let why = "a ran out of time".to_owned();
    let proposal = Box::new(proposal);
    mission.write(What::Proposed {
        proposal,
        why,
        rest_of: None,
    });
    assert_eq!(mission.due(), [""; 0]);
    let proposal = "rest".parse().unwrap();
    mission.write(What::Accepted { proposal });
    assert_eq!(mission.due(), ["start rest"]);
}

#[test]
fn a_task_that_the_person_changed_is_told_anew() {
    let mut mission = Mission::new();
    mission.work("a");
    for _ in 0..2 {
        mission.report("a", Claimed::Done);
        mission.check("a", &["no"]);
        if mission.state("a").stage == Stage::Running {
            mission.tell("a");
        }
    }
    let edited = |mission: &Mission, change: fn(&mut Task)| {
        let mut task = mission.machine.plan.tasks[0].clone();
        change(&mut task);
        task
    };
    let other = edited(&mission, |task| task.description = "something else".into());
    mission.write(What::Edited {
        edited: Box::new(other.clone()),
    });
    assert_eq!(
        mission.state("a").stage,
        Stage::Failed,
        "nothing is done by itself"
    );
    mission.step("a", Step::Retried { fresh: false });
    assert_eq!(mission.due(), ["start c", "a: Telling(Begin)"]);
    assert_eq!(mission.machine.plan.tasks[0], other);
    mission.tell("a");
    mission.report("a", Claimed::Done);
    let why = mission.machine.plan_with(&other);
    assert!(why.unwrap_err().contains("stop it first"));
    mission.check("a", &["not yet"]);
    // its attempts are used up again; what it changes to must fit
    for (change, why) in [
        (
            (|task| task.role = crate::config::Role::Explore) as fn(&mut Task),
            "has begun",
        ),
        (
            |task| task.depends_on = vec!["b".parse().unwrap()],
            "has begun",
        ),
        (|task| task.slug = "x".parse().unwrap(), "no task `x`"),
    ] {
        let task = edited(&mission, change);
        let refused = mission.machine.plan_with(&task).unwrap_err();
        assert!(refused.contains(why), "{refused}");
        mission.write(What::Edited {
            edited: Box::new(task.clone()),
        });
        assert!(!mission.machine.plan.tasks.contains(&task));
    }
    let mut later = mission.machine.plan.tasks[2].clone();
    later.depends_on = vec!["c".parse().unwrap()];
    let refused = mission.machine.plan_with(&later).unwrap_err();
    assert!(refused.contains("wait for itself"), "{refused}");
    mission.step("a", Step::Retried { fresh: false });
    assert_eq!(mission.due(), ["start c", "a: Telling(Retry)"]);
    mission.tell("a");
    mission.report("a", Claimed::Done);
    mission.check("a", &[]);
    mission.merge("a", &[]);
    let refused = mission.machine.plan_with(&other).unwrap_err();
    assert!(refused.contains("is done"), "{refused}");
}

#[test]
fn every_line_of_a_journal_is_read_back_as_it_was_written() {
    let mut mission = Mission::new();
    mission.finish("a");
    mission.write(What::Aborted);
    let mut again = Machine::new(Plan::clone(&mission.machine.plan), true).unwrap();
    for entry in &mission.journal {
        let line = serde_json::to_string(entry).unwrap();
        let read: Entry = serde_json::from_str(&line).unwrap();
        assert_eq!(read, *entry, "{line}");
        again.apply(&read);
    }
    assert_eq!(again.tasks, mission.machine.tasks);
}
