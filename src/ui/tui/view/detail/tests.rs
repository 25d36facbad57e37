use std::sync::Arc;

use chrono::{DateTime, Utc};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::super::super::detail::{Detail, Intent, Panel, on_key, on_mouse};
use super::super::super::input::{Key, KeyCode, Mouse, MouseAction};
use super::super::super::theme::Palette;
use super::*;
use crate::agent::machine::Explanation;
use crate::agent::machine::{Against, Outlook, Waiting};
use crate::agent::view::Bounded;
use crate::command::PaneShot;
use crate::error::{Failure, Kind};
use crate::evidence::ladder::{Rung, RungName};
use crate::record::{
    Action, Counters, DecisionLine, Memo, MemoAction, Origin, Question, Receipt, Review, Step,
    Verdict,
};
use crate::screen::state::State;

const SCREEN: &str =
    include_str!("../../../../../tests/screens/claude/approval/120-bash-long/1.ansi");

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-11-03T{text}Z").parse().unwrap()
}

fn pen(palette: Palette) -> Pen {
    Pen {
        palette,
        now: "2026-11-03T16:05:09+02:00".parse().unwrap(),
    }
}

fn view() -> AgentView {
    AgentView {
        goal:
            "Make the backward kernel as fast as the forward one; the tests in tests/kernels pass, \
            and every step is measured before and after it"
                .into(),
        state: Some(State::Approval),
        evidence: vec!["rule: permission dialog".into()],
        kind: Some("claude".into()),
        polls: 42,
        changed_at: Some(at("14:02:00")),
        calls: Bounded {
            used: 14,
            bound: 500,
        },
        tokens: Bounded {
            used: 21_400,
            bound: 2_000_000,
        },
        last_decision: "ask_user: may it run the tests?".into(),
        question: Some(Question {
            text: "It asks for a yes to a command: python3 -m pytest tests/parser -q".into(),
            since: at("14:02:10"),
            insists: false,
            left_over: None,
        }),
        program: Some("claude".into()),
        ..AgentView::made_up("kernel-bwd", Status::AwaitingUser)
    }
}

fn memo(number: u32, ts: DateTime<Utc>, action: MemoAction, text: &str) -> Memo {
    Memo {
        v: 1,
        id: format!("m{number}"),
        session_id: "one".parse().unwrap(),
        ts,
        action,
        text: text.into(),
        reasoning: String::new(),
        receipt: None,
        after_summary: None,
    }
}

fn memos() -> Vec<Memo> {
    let verdict = MemoAction::Verdict;
    vec![
        Memo {
            reasoning: "It is in the middle of a measurement.".into(),
            ..memo(
                1,
                at("11:20:00") - chrono::TimeDelta::days(2),
                verdict(Action::Continue),
                "",
            )
        },
        Memo {
            reasoning: "The tests fail for want of a fixture that the agent can write itself."
                .into(),
            receipt: Some(Receipt::delivered("the prompt is empty")),
            after_summary: Some("12 new lines; last: ● 14 tests passed".into()),
            ..memo(
                2,
                at("13:10:00"),
                verdict(Action::Instruct),
                "Write the missing fixture tests/kernels/shapes.json from the table in docs/shapes.md, and run \
                 the tests again.",
            )
        },
        Memo {
            receipt: Some(Receipt::Refused {
                why: "somebody's text stands in the prompt".into(),
            }),
            ..memo(
                3,
                at("13:40:30"),
                verdict(Action::Instruct),
                "Go on with the next kernel.",
            )
        },
        memo(4, at("13:52:00"), MemoAction::NoVerdict, ""),
        Memo {
            receipt: Some(Receipt::delivered("the prompt is empty")),
            after_summary: Some("3 new lines; last: ● 漢字 e\u{301} \u{1b}[31m".into()),
            ..memo(
                5,
                at("13:58:00"),
                MemoAction::Reply,
                "yes, but keep the old one beside it",
            )
        },
        Memo {
            reasoning: "Only you can allow that.".into(),
            ..memo(
                6,
                at("14:02:10"),
                verdict(Action::AskUser),
                "May it run the tests?",
            )
        },
    ]
}

fn review(ts: &str, text: &str) -> Review {
    Review {
        v: 1,
        ts: at(ts),
        session_id: "one".parse().unwrap(),
        by: "gemini, gemini-2.5-pro".into(),
        text: text.into(),
        instruction: Some("Measure before you change the next kernel.".into()),
        tokens: 12_000,
    }
}

fn steps() -> Vec<DecisionLine> {
    let line = |ts: &str, step: Step| DecisionLine {
        v: 1,
        ts: at(ts),
        session_id: "one".parse().unwrap(),
        id: "m2".into(),
        step,
        looks: None,
        counters: Counters::default(),
    };
    let text = "Write the missing fixture, and run the tests again.".to_owned();
    vec![
        line(
            "13:09:58",
            Step::Asked {
                backend: "openaiCompat".into(),
                digest: "0123456789abcdef".into(),
                quiet_sec: 31,
                prompt: "The goal: make the backward kernel as fast as the forward one.\n\n<<<screen\n● 2 tests \
                    failed\n> \nscreen>>>"
                    .into(),
            },
        ),
        line(
            "13:10:00",
            Step::Answered {
                by: Some("openaiCompat, gemma-3-12b".into()),
                verdict: Some(Verdict {
                    action: Action::Instruct,
                    reasoning: "a fixture is missing".into(),
                    text: text.clone(),
                    quote: None,
                }),
                problem: None,
                answer: r#"{"action": "instruct"}"#.into(),
                tokens: 1_530,
            },
        ),
        line(
            "13:10:01",
            Step::Intent {
                origin: Origin::Verdict,
                text: text.clone(),
                digest: "0123456789abcdef".into(),
                pane: view().pane,
            },
        ),
        line(
            "13:10:02",
            Step::Receipt {
                origin: Origin::Verdict,
                text,
                receipt: Receipt::delivered("the prompt is empty"),
            },
        ),
    ]
}

fn explanation() -> Explanation {
    let view = view();
    let rung = |name, says: Result<State, &str>, detail: &str| Rung {
        name,
        says: says.map_err(str::to_owned),
        detail: detail.into(),
    };
    Explanation {
        id: view.id,
        pane: view.pane,
        at: at("14:05:09"),
        seen_at: Some(at("14:05:06")),
        status: view.status,
        state: view.state,
        winner: Some(RungName::Registry),
        because: "registry: status `waiting`".into(),
        agreed: true,
        disagreement: None,
        rungs: vec![
            rung(
                RungName::Foreground,
                Err("`claude` is in front and runs"),
                "",
            ),
            rung(RungName::Registry, Ok(State::Approval), "status `waiting`"),
            rung(RungName::Transcript, Err("the registry tells better"), ""),
            rung(RungName::Screen, Ok(State::Approval), ""),
        ],
        kind: view.kind,
        front: Some("claude".into()),
        screen: None,
        outlook: Outlook {
            would_nudge: false,
            against: vec![Against {
                what: "state".into(),
                why: "its state is approval: a person answers".into(),
            }],
            does: "waits for your answer, and types nothing meanwhile".into(),
        },
        waits_for: vec![Waiting {
            what: "person".into(),
            why: "your answer".into(),
            seconds: None,
        }],
        question: view.question.map(|question| question.text),
        limit_until: None,
        nudges: view.nudges,
        fruitless: view.fruitless,
        calls: view.calls,
        tokens: view.tokens,
    }
}

fn shot(styled: &str) -> PaneShot {
    PaneShot {
        id: view().id,
        at: at("14:05:07"),
        columns: 120,
        rows: 36,
        styled: styled.into(),
    }
}

fn detail() -> Detail {
    let mut detail = Detail::of(view().id);
    detail.view = Some(Arc::new(view()));
    detail.take_screen(Ok(&shot(SCREEN)), true);
    detail.explanation = Some(Box::new(explanation()));
    detail.take_memos(memos(), 1);
    detail.take_reviews(vec![
        review(
            "09:00:00",
            "# Progress\n\nThe forward kernel is done; of the backward one nothing was measured.",
        ),
        review(
            "13:00:00",
            "# Progress\n\nTwo of five kernels are done.\n\n## Risks\n- no measurement since 11:00",
        ),
    ]);
    detail
}

/// A view in a terminal, typed to and read.
struct Desk {
    detail: Detail,
    columns: u16,
    rows: u16,
}

impl Desk {
    fn new(detail: Detail, columns: u16, rows: u16) -> Self {
        let desk = Self {
            detail,
            columns,
            rows,
        };
        desk.screen();
        desk
    }

    fn buffer(&self, palette: Palette) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.columns, self.rows)).unwrap();
        terminal
            .draw(|frame| {
                let area = frame.area();
                draw(&self.detail, &pen(palette), area, frame.buffer_mut());
            })
            .unwrap();
        terminal.backend().buffer().clone()
    }

    /// What is drawn, as text.
    fn screen(&self) -> String {
        let buffer = self.buffer(Palette::Dark);
        let mut text = String::new();
        for y in 0..self.rows {
            let (mut x, mut row) = (0, String::new());
            while x < self.columns {
                let symbol = buffer[(x, y)].symbol();
                row += symbol;
                x += u16::try_from(width(symbol).max(1)).unwrap();
            }
            text += row.trim_end();
            text.push('\n');
        }
        text
    }

    /// Presses keys one after the other, each seen before the next, and gives what the last one asks for.
    fn press(&mut self, keys: &[Key]) -> Option<Intent> {
        let mut last = None;
        for key in keys {
            last = on_key(&mut self.detail, *key);
            self.screen();
        }
        last
    }
}

const TAB: Key = Key::plain(KeyCode::Tab);
const ENTER: Key = Key::plain(KeyCode::Enter);
const ESC: Key = Key::plain(KeyCode::Esc);

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 12)];

#[test]
fn a_number_is_short() {
    for (number, text) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1k"),
        (21_400, "21.4k"),
        (100_900, "100k"),
        (2_000_000, "2M"),
        (u64::MAX, "18446744073709M"),
    ] {
        assert_eq!(short(number), text);
    }
}

#[test]
fn lines_that_fit_stay_and_others_are_wrapped_and_broken() {
    for (text, lines) in [
        ("  a   b", &["  a   b"][..]),
        (
            "one two three four five six",
            &["one two three four five", "six"],
        ),
        (
            "  one two three four five six",
            &["  one two three four", "  five six"],
        ),
        (
            "0123456789012345678901234567",
            &["01234567890123456789012", "34567"],
        ),
        ("a\tb\u{1b}", &["a    b␛"]),
        ("", &[]),
    ] {
        assert_eq!(broken(text, 23), lines, "{text:?}");
    }
}

#[test]
fn every_size_shows_who_it_is_and_its_pane() {
    for (columns, rows) in SIZES {
        let desk = Desk::new(detail(), columns, rows);
        insta::assert_snapshot!(format!("pane_{columns}x{rows}"), desk.screen());
    }
}

#[test]
fn every_panel_has_its_turn() {
    for (columns, rows) in [(80, 24), (120, 40), (40, 12)] {
        let mut desk = Desk::new(detail(), columns, rows);
        for name in ["timeline", "state", "reviews"] {
            desk.press(&[TAB]);
            insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), desk.screen());
        }
        desk.press(&[TAB]);
        assert_eq!(desk.detail.focus, Panel::Pane);
    }
}

#[test]
fn a_whole_decision_is_one_key_further() {
    let mut desk = Desk::new(detail(), 80, 24);
    assert_eq!(
        desk.press(&[ENTER]),
        None,
        "in the pane it is no key of this view"
    );
    let asked = desk.press(&[
        TAB,
        Key::char('j'),
        Key::char('j'),
        Key::char('j'),
        Key::char('j'),
        ENTER,
    ]);
    assert_eq!(asked, Some(Intent::Decision("m2".into())));
    assert!(desk.screen().contains("asking ..."));
    desk.detail.take_decision(Ok(steps()));
    insta::assert_snapshot!("decision_80x24", desk.screen());
    desk.press(&[Key::char('G')]);
    assert!(desk.screen().contains("delivered"), "{}", desk.screen());
    assert_eq!(desk.press(&[ESC]), Some(Intent::Redraw));
    assert!(desk.screen().contains("Timeline"));
    assert_eq!(desk.press(&[ESC]), Some(Intent::Close));
}

#[test]
fn what_could_not_be_read_is_said_and_what_was_seen_stays() {
    let mut desk = Desk::new(detail(), 80, 24);
    let failure = Failure::new(Kind::TimedOut, "zellij did not answer within 5 s");
    desk.detail.take_screen(Err(&failure), true);
    let screen = desk.screen();
    assert!(
        screen.contains("it cannot be read now: zellij did not answer within 5 s"),
        "{screen}"
    );
    assert!(screen.contains("Run the tests and commit"), "{screen}");
    desk.press(&[TAB, ENTER]);
    desk.detail.take_decision(Err(&failure));
    assert!(
        desk.screen().contains("zellij did not answer"),
        "{}",
        desk.screen()
    );
}

#[test]
fn the_highlighted_memo_stays_where_it_is_when_others_come_in_above_it() {
    let mut desk = Desk::new(detail(), 60, 18);
    desk.press(&[
        TAB,
        Key::char('j'),
        Key::char('j'),
        Key::char('j'),
        Key::char('j'),
    ]);
    let row = |screen: &str| {
        screen
            .lines()
            .position(|line| line.starts_with("▌ text  Write the missing"))
    };
    let before = row(&desk.screen());
    assert!(before.is_some(), "{}", desk.screen());
    let mut more = memos();
    more.push(memo(
        7,
        at("14:04:00"),
        MemoAction::Reply,
        "one more\nof two lines",
    ));
    desk.detail.take_memos(more, 0);
    assert_eq!(row(&desk.screen()), before, "{}", desk.screen());
    assert_eq!(desk.press(&[ENTER]), Some(Intent::Decision("m2".into())));
}

#[test]
fn the_newest_memo_is_highlighted_until_another_one_is() {
    let mut desk = Desk::new(detail(), 80, 24);
    desk.press(&[TAB]);
    let mut more = memos();
    more.push(memo(7, at("14:04:00"), MemoAction::Reply, "one more"));
    desk.detail.take_memos(more, 0);
    assert_eq!(desk.press(&[ENTER]), Some(Intent::Decision("m7".into())));
    desk.press(&[ESC, Key::char('G')]);
    assert_eq!(desk.press(&[ENTER]), Some(Intent::Decision("m1".into())));
}

#[test]
fn a_pane_wider_than_its_window_is_moved_sideways_and_at_its_edge_the_key_is_another_s() {
    let mut desk = Desk::new(detail(), 80, 24);
    assert_eq!(desk.press(&[Key::char('h')]), None);
    assert_eq!(desk.press(&[Key::char('l')]), Some(Intent::Redraw));
    assert!(desk.screen().contains("← 8"), "{}", desk.screen());
    assert_eq!(desk.press(&[Key::char('h'), Key::char('h')]), None);
}

#[test]
fn no_key_but_those_of_moving_does_anything() {
    let moving = "hjklgG";
    let mut desk = Desk::new(detail(), 120, 40);
    for character in ('!'..='~').filter(|character| !moving.contains(*character)) {
        for panel in Panel::ALL {
            desk.detail.focus = panel;
            let meant = on_key(&mut desk.detail, Key::char(character));
            assert_eq!(meant, None, "{character} in {panel:?}");
        }
    }
    for key in [
        Key::ctrl('c'),
        Key::ctrl('z'),
        Key::ctrl('j'),
        Key::plain(KeyCode::F(1)),
    ] {
        assert_eq!(Desk::new(detail(), 80, 24).press(&[key]), None, "{key:?}");
    }
}

#[test]
fn the_wheel_moves_what_is_under_it_and_a_click_chooses() {
    let mut desk = Desk::new(detail(), 120, 24);
    let mouse = |what, column, row| Mouse { what, column, row };
    on_mouse(&mut desk.detail, mouse(MouseAction::WheelUp, 5, 12));
    assert!(!desk.detail.pane.scroll.follows());
    assert_eq!(desk.detail.focus, Panel::Pane);
    let screen = desk.screen();
    let row = screen
        .lines()
        .position(|line| line.contains("15:58:00"))
        .or_else(|| panic!("{screen}"));
    on_mouse(
        &mut desk.detail,
        mouse(MouseAction::Click, 100, row.unwrap().try_into().unwrap()),
    );
    assert_eq!(desk.press(&[ENTER]), Some(Intent::Decision("m5".into())));
    assert_eq!(
        on_mouse(&mut desk.detail, mouse(MouseAction::Click, 5, 0)),
        None
    );
}

#[test]
fn without_colours_there_is_no_colour() {
    let mut detail = detail();
    detail.take_screen(Ok(&shot(SCREEN)), false);
    for (columns, rows) in SIZES {
        let buffer = Desk::new(detail.clone(), columns, rows).buffer(Palette::Plain);
        for cell in buffer.content() {
            assert_eq!(
                (cell.fg, cell.bg),
                (ratatui::style::Color::Reset, ratatui::style::Color::Reset)
            );
        }
    }
}

#[test]
fn no_size_and_no_text_breaks_it_and_nothing_that_acts_gets_through() {
    let hostile = "a\u{1b}[2Jb\u{9b}31m\r\nc\u{202e}d\te\u{0} 漢".repeat(20);
    let mut bad = detail();
    let mut view = view();
    (view.goal, view.status) = (hostile.clone(), Status::Gone(hostile.clone()));
    view.kind = Some(hostile.clone());
    view.question = None;
    bad.view = Some(Arc::new(view));
    bad.take_screen(Ok(&shot(&hostile)), true);
    bad.take_memos(
        vec![memo(
            1,
            at("14:00:00"),
            MemoAction::Other(hostile.clone()),
            &hostile,
        )],
        3,
    );
    bad.take_reviews(vec![review("13:00:00", &hostile)]);
    bad.explanation = None;
    for start in [Detail::of(bad.id.clone()), detail(), bad] {
        for (columns, rows) in [
            (1, 1),
            (2, 9),
            (9, 2),
            (7, 7),
            (40, 3),
            (104, 18),
            (3, 60),
            (250, 5),
            (500, 90),
        ] {
            let mut desk = Desk::new(start.clone(), columns, rows);
            for _ in 0..5 {
                desk.press(&[
                    Key::char('j'),
                    Key::char('k'),
                    Key::ctrl('d'),
                    Key::ctrl('u'),
                    Key::char('G'),
                ]);
                let buffer = desk.buffer(Palette::Light);
                for cell in buffer.content() {
                    assert!(
                        !cell.symbol().chars().any(char::is_control),
                        "{:?}",
                        cell.symbol()
                    );
                }
                desk.press(&[ENTER]);
                desk.detail.take_decision(Ok(steps()));
                desk.screen();
                desk.press(&[Key::char('G'), Key::char('g')]);
                if desk.detail.decision.is_some() {
                    desk.press(&[ESC]);
                }
                desk.press(&[TAB]);
            }
        }
    }
}
