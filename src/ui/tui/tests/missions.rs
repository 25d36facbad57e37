//! Missions: above the table, and looked at.

use super::*;
use crate::command::MissionView;
use crate::mission::machine::Phase;
use crate::mission::schedule::Stage;
use crate::mission::view::{ProposalView, Tick};

/// A mission in which everything has happened that can; foreign texts are wide, and try to act on the terminal.
pub(super) fn notes() -> MissionView {
    let mut view = MissionView::made_up(
        "notes",
        &[
            ("explore", &[]),
            ("parser", &["explore"]),
            ("writer", &["explore"]),
            ("cli", &["parser", "writer"]),
            ("docs", &["parser"]),
            ("packages", &["writer"]),
            ("site", &["docs"]),
            ("integrate", &["cli", "docs", "packages"]),
        ],
    );
    view.begun_at = Some(ago(3_725));
    let mut set = |at: usize, stage: Stage, attempt: u32, started: i64, doing: &str| {
        let task = &mut view.tasks[at];
        (task.stage, task.attempt) = (stage, attempt);
        task.started_at = Some(ago(started));
        task.doing = doing.into();
    };
    set(0, Stage::Done, 1, 3_700, "done");
    set(1, Stage::Done, 2, 3_000, "done");
    set(2, Stage::Checking, 2, 2_900, "its criteria are run");
    set(3, Stage::Running, 1, 65, "its worker is at it");
    set(4, Stage::Blocked, 1, 600, "it waits for you");
    set(5, Stage::Failed, 3, 2_800, "failed");
    for (at, ended) in [(0, 3_100), (1, 2_000), (5, 100)] {
        view.tasks[at].ended_at = Some(ago(ended));
    }
    for (at, first, second) in [
        (0, Tick::Passed, Tick::Passed),
        (1, Tick::Passed, Tick::Passed),
        (2, Tick::Passed, Tick::Running),
        (5, Tick::Failed, Tick::Open),
    ] {
        view.tasks[at].criteria[0].result = first;
        view.tasks[at].criteria[1].result = second;
    }
    view.tasks[2].criteria[0].said = "exit code 0".into();
    view.tasks[5].criteria[0].said = "exit code 101, expected 0".into();
    for (at, slug) in [(2, "writer"), (3, "cli")] {
        view.tasks[at].agent = Some(id(&format!("notes.{slug}")));
        view.tasks[at].state = Some("working".into());
        view.tasks[at].pane = Some(agent("x", Status::Running).pane);
        let costs = &mut view.tasks[at].costs;
        (costs.tokens, costs.tool_uses) = (Some(12_345), Some(42));
    }
    view.tasks[4].why = Some("Which licence? \u{1b}[2J漢字 e\u{301}".into());
    view.tasks[5].why = Some("its attempts are used up".into());
    view.tasks[5].outside = vec!["README.md".into(), "a\u{1b}b".into()];
    view.tasks[7].skipped = true;
    view.tasks[7].doing = "it never starts: packages, which it needs, will not be done".into();
    view.tasks[6].title = "漢字 and \u{202e}what acts\u{7}".into();
    view.tasks[6].doing = "it waits for docs".into();
    view.proposals.push(ProposalView {
        slug: "resolve-docs".parse().unwrap(),
        title: "What stands in the way: docs".into(),
        why: "Which licence?".into(),
    });
    view
}

fn site() -> MissionView {
    let tasks = [("pages", &[][..]), ("style", &["pages"][..])];
    MissionView::made_up("a-site-for-the-whole-project", &tasks)
}

fn workers() -> Vec<AgentView> {
    let worker = |slug: &str, view: AgentView| AgentView {
        mission: Some(format!("notes/{slug}")),
        ..view
    };
    vec![
        agent("kernel-bwd", Status::Running),
        worker("writer", agent("notes.writer", Status::Running)),
        worker("cli", asking("notes.cli", "cargo install evil")),
    ]
}

impl Desk {
    pub(super) fn follows(&mut self, missions: Vec<MissionView>) {
        let missions = missions.into_iter().map(Arc::new).collect();
        self.take(Message::Missions(missions));
        self.draw();
    }

    fn with_missions(size: (u16, u16)) -> Self {
        let mut desk = Self::with(size, workers());
        desk.follows(vec![site(), notes()]);
        desk.wait(MOVING);
        desk
    }

    /// The mission and the task that are highlighted.
    fn picked(&self) -> String {
        let page = self.app.page.as_ref().unwrap();
        let (_, row) = page.highlighted().unwrap();
        format!("{} {:?}", page.view.id, row.pick)
    }

    fn line(&self) -> Option<String> {
        self.app.line.as_ref().map(|line| line.text().to_owned())
    }
}

fn all_sizes(name: &str, prepare: impl Fn(&mut Desk)) {
    for size in SIZES {
        let mut desk = Desk::with_missions(size);
        prepare(&mut desk);
        let (columns, rows) = size;
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), desk.screen());
    }
}

#[test]
fn missions_stand_above_the_table_with_who_waits_in_them() {
    all_sizes("missions_above", |_| {});
}

#[test]
fn a_mission_shows_its_waves_and_all_of_the_highlighted_task() {
    all_sizes("mission", |desk| {
        // the highlighted agent's own
        desk.types("M");
        desk.press(Key::plain(KeyCode::Home));
        desk.types("jj");
    });
}

#[test]
fn a_blocked_task_says_what_it_waits_for_and_a_proposal_how_it_is_accepted() {
    all_sizes("mission_blocked", |desk| {
        desk.types("MGkkk");
        desk.press(Key::plain(KeyCode::Home));
        desk.types("jjjj");
    });
    all_sizes("mission_proposal", |desk| desk.types("MG"));
}

#[test]
fn no_key_does_anything_to_a_mission_but_opens_the_line_that_would() {
    for (key, line) in [
        ('r', "/mission message notes cli "),
        ('t', "/mission retry notes cli"),
        ('S', "/mission stop notes cli"),
        ('d', "/mission drop notes cli"),
        ('T', "/mission take notes cli"),
        ('p', "/mission pause notes"),
        ('F', "/mission finish notes"),
        ('X', "/mission abort notes"),
    ] {
        let mut desk = Desk::with_missions((100, 30));
        desk.types("M");
        desk.press(Key::char(key));
        assert_eq!(desk.line().as_deref(), Some(line), "{key}");
        if key == 'r' {
            desk.types("use x");
        }
        desk.press(Key::plain(KeyCode::Enter));
        // it is asked about once more, in the words that would be sent
        assert_eq!(desk.sent(), [], "{key}");
        desk.shows(line.trim_end());
        desk.wait(READ);
        desk.types("y");
        let sent = desk.sent();
        assert!(
            matches!(sent.as_slice(), [Command::Mission { .. }]),
            "{sent:?}"
        );
    }
    let mut desk = Desk::with_missions((100, 30));
    desk.types("MGa");
    assert_eq!(
        desk.line().as_deref(),
        Some("/mission accept notes resolve-docs")
    );
    desk.press(Key::plain(KeyCode::Esc));
    desk.types("t");
    assert_eq!(desk.line(), None);
    desk.shows("only proposed");
    desk.types("ka");
    desk.shows("no proposed task is highlighted");
    let mut paused = notes();
    paused.phase = Phase::Paused;
    desk.follows(vec![paused]);
    desk.types("p");
    assert_eq!(desk.line().as_deref(), Some("/mission resume notes"));
}

#[test]
fn a_key_means_the_task_that_was_on_the_screen() {
    let mut desk = Desk::with_missions((100, 30));
    desk.types("M");
    assert!(desk.picked().contains("cli"));
    // typed before the step was drawn: which one was meant?
    desk.take(Message::Input(Input::Key(Key::char('j'))));
    desk.take(Message::Input(Input::Key(Key::char('S'))));
    assert_eq!(desk.line(), None);
    desk.draw();
    desk.shows("press it again");
    // the highlight stays with its task when others come before it
    let mut other = notes();
    let before = desk.picked();
    let first = crate::mission::view::TaskView::made_up("another", &[]);
    other.tasks.insert(0, first);
    desk.follows(vec![other]);
    assert_eq!(desk.picked(), before);
}

#[test]
fn enter_goes_to_the_worker_and_escape_back_to_its_task() {
    let mut desk = Desk::with_missions((100, 30));
    desk.types("M");
    desk.press(Key::plain(KeyCode::Enter));
    assert_eq!(desk.app.detail.as_ref().unwrap().id, id("notes.cli"));
    assert_eq!(desk.app.at(), Place::Detail);
    desk.press(Key::plain(KeyCode::Esc));
    assert_eq!(desk.app.at(), Place::Mission);
    assert!(desk.picked().contains("cli"));
    // one that has no worker is explained
    desk.press(Key::plain(KeyCode::Home));
    desk.press(Key::plain(KeyCode::Enter));
    assert_eq!(desk.app.at(), Place::Text);
    desk.shows("explore (done): done");
    desk.shows("ok cargo test -p explore");
    desk.press(Key::plain(KeyCode::Esc));
    desk.press(Key::plain(KeyCode::Esc));
    assert_eq!(desk.app.at(), Place::Table);
    assert_eq!(desk.sent(), []);
}

#[test]
fn one_goes_from_mission_to_mission_and_out_of_one_that_is_gone() {
    let mut desk = Desk::with_missions((100, 30));
    desk.types("M");
    assert!(desk.picked().starts_with("notes "));
    desk.press(Key::plain(KeyCode::Tab));
    assert!(desk.picked().starts_with("a-site"));
    desk.press(Key::plain(KeyCode::BackTab));
    assert!(desk.picked().starts_with("notes "));
    desk.follows(vec![site()]);
    assert_eq!(desk.app.at(), Place::Table);
    desk.shows("no longer carried out");
    desk.follows(Vec::new());
    desk.types("M");
    desk.shows("no mission is carried out");
    desk.types("i");
    desk.shows("inbox");
}

#[test]
fn the_time_of_a_task_at_work_ticks() {
    let mut desk = Desk::with_missions((100, 30));
    desk.types("M");
    desk.shows("1:05");
    desk.wait(Duration::from_secs(2));
    desk.shows("1:07");
    // the control: one that has ended does not
    desk.shows("16:40");
}

#[test]
fn a_mission_of_a_thousand_tasks_and_one_that_waits_for_itself_are_shown() {
    let names: Vec<String> = (0..1_000).map(|at| format!("task-{at:03}")).collect();
    let needs: Vec<Vec<&str>> = (0..1_000)
        .map(|at| {
            (at % 10 > 0)
                .then(|| names[at - 1].as_str())
                .into_iter()
                .collect()
        })
        .collect();
    let tasks: Vec<(&str, &[&str])> = names
        .iter()
        .zip(&needs)
        .map(|(name, needs)| (name.as_str(), needs.as_slice()))
        .collect();
    let mut desk = Desk::with((80, 24), workers());
    desk.follows(vec![MissionView::made_up("large", &tasks)]);
    desk.types("MG");
    assert!(desk.picked().contains("task-999"));
    desk.shows("10│");
    desk.shows("└ task-999");
    desk.press(Key::plain(KeyCode::PageUp));
    desk.draw();
    assert!(!desk.picked().contains("task-999"));
    let circle = [("a", &["b"][..]), ("b", &["a"]), ("c", &[])];
    desk.follows(vec![MissionView::made_up("large", &circle)]);
    for name in ["1─ c", "2┌", "└"] {
        desk.shows(name);
    }
}

#[test]
fn a_click_highlights_a_task_and_the_name_of_a_worker_keeps_its_end() {
    let mut desk = Desk::with_missions((80, 24));
    desk.types("M");
    let rows = desk.app.drawn.tasks.clone().unwrap();
    desk.clicks(rows.top);
    assert!(desk.picked().contains("explore"));
    for row in [0, 1, 22, 23, 99] {
        desk.clicks(row);
    }
    assert_eq!(desk.sent(), []);
    let long = "a-mission-with-a-long-name.parser";
    let mut desk = Desk::with((80, 24), vec![agent(long, Status::Running)]);
    desk.draw();
    desk.shows("…ame.parser");
    desk.types("i");
}

#[test]
fn a_mission_is_told_without_colours() {
    let mut desk = Desk::with_missions((80, 24));
    desk.types("M");
    let with_colours = desk.screen();
    desk.app.palette = Palette::Plain;
    desk.terminal.clear().unwrap();
    desk.draw();
    assert_eq!(desk.screen(), with_colours);
}

#[test]
fn a_plan_that_is_longer_than_the_screen_is_read_to_its_end_and_keeps_its_columns() {
    let mut desk = Desk::with((80, 24), vec![agent("one", Status::Running)]);
    desk.types(":mission run plan.json");
    desk.press(Key::plain(KeyCode::Enter));
    desk.sent();
    let rows: Vec<String> = (0..60).map(|at| format!("{at:<4}  coder")).collect();
    desk.answers(Ok(Reply::Confirm(format!("{}\nRun it?", rows.join("\n")))));
    desk.shows("0     coder");
    desk.shows("j more below");
    desk.wait(READ);
    desk.types("j");
    desk.shows("k more");
    // it was not read again yet
    desk.types("y");
    assert_eq!(desk.sent(), []);
    for _ in 0..5 {
        desk.press(Key::plain(KeyCode::PageDown));
    }
    desk.shows("Run it?");
    desk.wait(READ);
    desk.types("y");
    assert_eq!(desk.sent(), [Command::Yes]);
}

/// A plan of so many lines is asked about.
fn asked_about(size: (u16, u16), lines: usize) -> Desk {
    let mut desk = Desk::with(size, vec![agent("one", Status::Running)]);
    desk.types(":mission run plan.json");
    desk.press(Key::plain(KeyCode::Enter));
    desk.sent();
    let rows: Vec<String> = (1..lines).map(|at| format!("row {at}")).collect();
    desk.answers(Ok(Reply::Confirm(format!("{}\nRun it?", rows.join("\n")))));
    desk.wait(READ);
    desk
}

#[test]
fn a_yes_counts_only_once_the_end_of_the_question_was_on_the_screen() {
    let key = Key::plain;
    let cases: [(usize, &[Key], bool); 8] = [
        // all of it can be seen at once
        (10, &[], true),
        (20, &[], true),
        (21, &[], false),
        (60, &[], false),
        (60, &[key(KeyCode::PageDown)], false),
        (60, &[key(KeyCode::End)], true),
        (60, &[Key::char('G')], true),
        // who has seen its end may look at its beginning again
        (60, &[Key::char('G'), key(KeyCode::Home)], true),
    ];
    for (lines, keys, counts) in cases {
        let mut desk = asked_about((80, 24), lines);
        for one in keys {
            desk.press(*one);
        }
        desk.wait(READ);
        desk.wait(READ);
        desk.types("y");
        let expected: &[Command] = if counts { &[Command::Yes] } else { &[] };
        assert_eq!(desk.sent(), expected, "{lines} {keys:?}");
        if !counts {
            desk.shows("scroll to its end first");
            assert!(desk.app.asked.is_some());
        }
    }
}

#[test]
fn a_question_that_goes_on_below_says_how_a_yes_comes_to_count() {
    let mut desk = asked_about((80, 24), 40);
    insta::assert_snapshot!("asked_long_first", desk.screen());
    desk.press(Key::char('G'));
    desk.wait(READ);
    insta::assert_snapshot!("asked_long_end", desk.screen());
}

#[test]
fn a_yes_that_is_typed_as_a_word_counts_no_more_than_the_key() {
    let typed = |desk: &mut Desk| {
        desk.types(":yes");
        desk.press(Key::plain(KeyCode::Enter));
        desk.sent()
    };
    // while the plan is still being read, its question cannot have been
    let mut desk = Desk::with((80, 24), vec![agent("one", Status::Running)]);
    desk.types(":mission  run plan.json");
    desk.press(Key::plain(KeyCode::Enter));
    desk.sent();
    assert_eq!(typed(&mut desk), []);
    desk.shows("read first");
    // a line that was begun before the question came
    desk.types(":yes");
    desk.answers(Ok(Reply::Confirm("make\nRun it?".into())));
    desk.wait(READ);
    desk.press(Key::plain(KeyCode::Enter));
    assert_eq!(desk.sent(), []);
    desk.wait(READ);
    desk.types("y");
    assert_eq!(desk.sent(), [Command::Yes]);
    // the control: nothing is asked that this screen knows of
    desk.answers(Ok(Reply::Done("it begins".into())));
    assert_eq!(typed(&mut desk), [Command::Yes]);
}

#[test]
fn a_long_question_behind_another_is_given_up_instead_of_said_in_passing() {
    for (lines, given_up) in [(3, false), (40, true)] {
        let mut desk = Desk::with((80, 24), vec![asking("one", "make")]);
        desk.types(":mission run plan.json");
        desk.press(Key::plain(KeyCode::Enter));
        desk.sent();
        desk.types("a");
        assert!(desk.app.asked.is_some());
        let rows: Vec<String> = (1..lines).map(|at| format!("row {at}")).collect();
        desk.answers(Ok(Reply::Confirm(format!("{}\nRun it?", rows.join("\n")))));
        let expected: &[Command] = if given_up { &[Command::No] } else { &[] };
        assert_eq!(desk.sent(), expected, "{lines}");
    }
}
