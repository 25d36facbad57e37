//! The rules as stories: what happens, second by second, and what follows from it.

mod dialogs;
mod limits;
mod looks;
mod people;
mod progress;

mod explain;

use super::*;
use crate::config::{AgentConfig, Limits, Seconds, Timing};
use crate::director::{Outcome, Undecided};
use crate::evidence::{Facts, GENERIC, Known, Own, Reader, Sight};
use crate::git::WorkMark;
use crate::host::process::ProcessIdentity;
use crate::ids::PaneAddress;
use crate::record::{Action, Origin, Receipt, Verdict};
use crate::screen::prompt::Cursor;
use crate::screen::recognise::Dialog;
use crate::screen::state::State;
use std::sync::Arc;

fn claude(pid: u32) -> Program {
    Program {
        name: "claude".into(),
        command: "claude".into(),
        folder: None,
        process: Some(ProcessIdentity { pid, started: 1 }),
        server: Some(ProcessIdentity { pid: 1, started: 1 }),
    }
}

fn settings() -> Settings {
    let mut agent = AgentConfig::new("a1".parse().unwrap(), "3".parse().unwrap(), "ship it");
    agent.stall_sec = Seconds::new(30.0).unwrap();
    agent.poll_sec = Seconds::new(5.0).unwrap();
    Settings {
        agent,
        address: PaneAddress {
            session: "s".parse().unwrap(),
            pane: "3".parse().unwrap(),
        },
        observe_all: false,
        prompts: "/logs/prompts".into(),
        all_stopped: false,
        approvals: Arc::default(),
        stagger: Duration::ZERO,
        limits: Limits::default(),
        timing: Timing::default(),
        backend: "openaiCompat",
        session: "default".parse().unwrap(),
        charge: None,
    }
}

/// An agent whose pane shows `screen`, polled as its driver would.
struct Story {
    machine: Machine,
    seconds: f64,
    /// How far the calendar has run ahead of the clock: sleep of the machine.
    slept: f64,
    screen: String,
    front: Program,
    shell: bool,
    /// What a profile says of the screen, where one is known.
    state: Option<State>,
    dialog: Option<Dialog>,
    /// Whether no prompt is to be seen.
    promptless: bool,
    /// What the agent says of itself, and what its repository is like.
    own: Option<Own>,
    work: Option<WorkMark>,
    next_poll: f64,
    /// All effects but looks and waits, in order.
    /// Where the cursor is, if not at the end of the screen.
    cursor: Option<Cursor>,
    log: Vec<Effect>,
}

impl Story {
    fn new(screen: &str) -> Self {
        Self::with(screen, settings(), Restored::default())
    }

    fn with(screen: &str, settings: Settings, restored: Restored) -> Self {
        Self {
            machine: Machine::new(settings, Some(claude(7)), restored),
            seconds: 0.0,
            slept: 0.0,
            screen: screen.into(),
            front: claude(7),
            shell: false,
            state: None,
            dialog: None,
            promptless: false,
            own: None,
            work: None,
            next_poll: 0.0,
            cursor: None,
            log: Vec::new(),
        }
    }

    fn now(&self) -> Moment {
        let start = DateTime::from_timestamp(1_795_046_400, 0).unwrap(); // midnight
        Moment {
            since_start: Duration::from_secs_f64(self.seconds),
            wall: start + Duration::from_secs_f64(self.seconds + self.slept),
        }
    }

    fn sight(&self, close: bool) -> Sight {
        let row = self.screen.lines().count().saturating_sub(1);
        let last = self.screen.lines().last().unwrap_or_default();
        let column = last.chars().count();
        let facts = Facts {
            ended: false,
            program: Some(self.front.clone()),
            shell: self.shell,
            columns: 80,
            cursor: self.cursor.or(Some(Cursor { column, row })),
            arguments: vec!["claude".into()],
            exit_status: None,
        };
        let reader = Reader {
            profiles: Arc::default(),
            earlier: None,
            meter: None,
            zone: crate::screen::reset::Zone::UTC,
            kind: GENERIC.parse().ok(),
            allow_shell: self.machine.settings().agent.allow_shell,
        };
        let plain = close.then_some(self.screen.as_str());
        let mut sight = reader.read(facts, plain, &self.screen, None, None);
        if let Some(state) = self.state {
            sight.known = Known::As("claude".parse().unwrap());
            sight.screen_shows(state, "as the story says");
            sight.reading.dialog.clone_from(&self.dialog);
        }
        if self.promptless {
            sight.reading.prompt = None;
        }
        sight.at = self.now().wall;
        if let Some(own) = &self.own {
            sight = sight.with(own.clone());
        }
        sight.work = self.work.clone().filter(|_| close);
        sight
    }

    fn on(&mut self, event: Event) {
        let effects = self.machine.on(event, self.now());
        for effect in effects {
            match effect {
                Effect::Look => self.on(Event::Seen(Box::new(self.sight(false)))),
                Effect::LookClosely => self.on(Event::Seen(Box::new(self.sight(true)))),
                Effect::Wait(wait) => self.next_poll = self.seconds + wait.as_secs_f64(),
                other => self.log.push(other),
            }
        }
    }

    /// Lets `seconds` pass, polling whenever it is due.
    fn pass(&mut self, seconds: f64) {
        let end = self.seconds + seconds;
        while self.next_poll <= end {
            self.seconds = self.next_poll.max(self.seconds);
            self.next_poll = f64::INFINITY;
            self.on(Event::Due);
        }
        self.seconds = end;
    }

    fn show(&mut self, screen: &str) {
        self.screen = screen.into();
    }

    fn asked(&self) -> usize {
        self.log
            .iter()
            .filter(|effect| matches!(effect, Effect::Ask(..)))
            .count()
    }

    fn asks(&self) -> Option<Ticket> {
        match &self.machine.busy {
            Busy::Asking { ticket, .. } => Some(*ticket),
            _ => None,
        }
    }

    fn typing(&self) -> Option<(Ticket, Typing)> {
        self.log.iter().rev().find_map(|effect| match effect {
            Effect::Type(ticket, typing) => Some((*ticket, (**typing).clone())),
            _ => None,
        })
    }

    fn answer(&mut self, verdict: Result<(Action, &str), Undecided>) {
        let ticket = self.asks().expect("something is asked");
        self.answer_to(ticket, verdict);
    }

    fn answer_to(&mut self, ticket: Ticket, verdict: Result<(Action, &str), Undecided>) {
        let verdict = verdict.map(|(action, text)| Verdict {
            action,
            reasoning: "r".into(),
            text: text.into(),
            quote: Some("step 1 is done".into()),
        });
        self.answer_with(ticket, verdict, None, None);
    }

    fn answer_with(
        &mut self,
        ticket: Ticket,
        verdict: Result<Verdict, Undecided>,
        doubt: Option<&str>,
        stood_in: Option<&str>,
    ) {
        let outcome = Outcome {
            verdict,
            answer: "{}".into(),
            tokens: 100,
            by: "test".into(),
            doubt: doubt.map(str::to_owned),
            stood_in: stood_in.map(str::to_owned),
        };
        self.on(Event::Answered(ticket, Box::new(outcome)));
    }

    /// What the log says was answered: by whom, and what is wrong with it.
    fn answers(&self) -> Vec<(Option<&str>, Option<&str>)> {
        let steps = self.log.iter().filter_map(|effect| match effect {
            Effect::Note(line) => Some(&line.step),
            _ => None,
        });
        let answers = steps.filter_map(|step| match step {
            Step::Answered { by, problem, .. } => Some((by.as_deref(), problem.as_deref())),
            _ => None,
        });
        answers.collect()
    }

    /// A nudge goes through, and the agent shows `screen` afterwards.
    fn nudge(&mut self, text: &str, receipt: Receipt, screen: &str) {
        self.answer(Ok((Action::Instruct, text)));
        let (ticket, _) = self.typing().expect("something is typed");
        self.show(screen);
        self.on(Event::Typed(ticket, receipt));
    }

    fn status(&self) -> String {
        self.machine.view(self.now()).status.to_string()
    }

    fn memos(&self) -> Vec<String> {
        let memos = self.log.iter().filter_map(|effect| match effect {
            Effect::Remember(memo) => Some(memo),
            _ => None,
        });
        memos
            .map(|memo| {
                let receipt = memo
                    .receipt
                    .as_ref()
                    .map(|receipt| format!(" [{receipt}]"))
                    .unwrap_or_default();
                let after = memo
                    .after_summary
                    .as_ref()
                    .map(|after| format!(" -> {after}"))
                    .unwrap_or_default();
                format!("{}: {}{receipt}{after}", memo.action, memo.text)
            })
            .collect()
    }

    fn told(&self) -> Vec<(Urgency, &str)> {
        let told = self.log.iter().filter_map(|effect| match effect {
            Effect::Tell(weight, text) => Some((*weight, text.as_str())),
            _ => None,
        });
        told.collect()
    }
}

const IDLE: &str = "● step 1 is done\n> ";

#[test]
fn a_screen_that_stands_still_long_enough_is_asked_about_once() {
    let mut story = Story::new(IDLE);
    assert_eq!(story.status(), "starting");
    story.pass(29.0);
    assert_eq!((story.asked(), story.status().as_str()), (0, "running"));
    story.pass(2.0);
    assert_eq!(
        (story.asked(), story.status().as_str()),
        (1, "asking-openaiCompat")
    );
    story.pass(300.0);
    assert_eq!(story.asked(), 1, "one request at a time");
}

#[test]
fn a_screen_that_changes_is_not_asked_about() {
    let mut story = Story::new("");
    for step in 0..100 {
        story.show(&format!("step {step}"));
        story.pass(25.0);
    }
    assert_eq!((story.asked(), story.status().as_str()), (0, "running"));
}

#[test]
fn continue_is_asked_again_after_waits_that_double_up_to_half_an_hour() {
    let mut story = Story::new(IDLE);
    let mut asked_at = Vec::new();
    while story.seconds < 86_400.0 {
        story.pass(1.0);
        if story.asks().is_some() {
            asked_at.push(story.seconds);
            story.answer(Ok((Action::Continue, "")));
            assert_eq!(story.status(), "stable");
        }
    }
    assert!(
        asked_at.len() <= 60,
        "{} calls on the first day",
        asked_at.len()
    );
    assert_eq!(asked_at[..4], [30.0, 60.0, 120.0, 240.0]);
    let first_day = asked_at.len();
    while story.seconds < 2.0 * 86_400.0 {
        story.pass(5.0);
        if story.asks().is_some() {
            asked_at.push(story.seconds);
            story.answer(Ok((Action::Continue, "")));
        }
    }
    assert!(
        asked_at.len() - first_day <= 48,
        "{} calls on the second day",
        asked_at.len() - first_day
    );
}

#[test]
fn no_verdict_a_failed_call_and_a_refused_text_keep_the_same_schedule() {
    let outcomes: [Result<(Action, &str), Undecided>; 3] = [
        Err(Undecided::NoVerdict("garbage".into())),
        Err(Undecided::Failed("connection refused".into())),
        Ok((Action::Instruct, "!rm -rf /")),
    ];
    for outcome in outcomes {
        let mut story = Story::new(IDLE);
        while story.seconds < 86_400.0 {
            story.pass(5.0);
            if story.asks().is_some() {
                story.answer(outcome.clone());
            }
        }
        assert!(
            (40..=60).contains(&story.asked()),
            "{outcome:?}: {}",
            story.asked()
        );
        assert!(story.typing().is_none());
    }
}

#[test]
fn a_failed_call_changes_no_memory_and_is_told_once() {
    let mut story = Story::new(IDLE);
    for _ in 0..3 {
        story.pass(3600.0);
        story.answer(Err(Undecided::Failed("connection refused".into())));
    }
    assert_eq!(story.memos(), Vec::<String>::new());
    assert_eq!(
        story.told(),
        [(
            Urgency::Warning,
            "is left alone for now: connection refused"
        )]
    );
}

#[test]
fn that_the_rules_stand_in_is_told_once_while_it_lasts_and_again_the_next_time() {
    let left = || Verdict {
        action: Action::Continue,
        reasoning: "r".into(),
        text: String::new(),
        quote: None,
    };
    let mut story = Story::new(IDLE);
    let outages = [
        Some("connection refused"),
        Some("it is left alone for now"),
        Some("connection refused"),
        None,
        Some("connection refused"),
    ];
    for why in outages {
        story.pass(3600.0);
        let ticket = story.asks().expect("something is asked");
        story.answer_with(ticket, Ok(left()), None, why);
    }
    let told = (
        Urgency::Warning,
        "is decided about by the built-in rules for now: connection refused",
    );
    assert_eq!(story.told(), [told, told]);
}

#[test]
fn who_answered_and_a_quotation_that_is_made_up_are_on_record() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    let ticket = story.asks().expect("something is asked");
    let asks = Verdict {
        action: Action::AskUser,
        reasoning: "r".into(),
        text: "What next?".into(),
        quote: Some("All tests pass".into()),
    };
    let wrong = "what the answer quotes is not on the screen: `All tests pass`";
    story.answer_with(ticket, Ok(asks), Some(wrong), None);
    assert_eq!(story.answers(), [(Some("test"), Some(wrong))]);
    assert_eq!(
        story.status(),
        "awaiting-user",
        "the question stands all the same"
    );
}

#[test]
fn no_verdict_is_remembered() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    story.answer(Err(Undecided::NoVerdict(
        "the answer holds no verdict".into(),
    )));
    assert_eq!(story.memos(), ["no_verdict: "]);
}

#[test]
fn a_nudge_is_typed_for_the_screen_that_was_judged_and_its_intent_is_noted_first() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    story.answer(Ok((Action::Instruct, "go\non")));
    let (_, typing) = story.typing().unwrap();
    assert_eq!(typing.text, "go on");
    assert_eq!(typing.terms.judged, Some(Screen::read(IDLE).digest()));
    assert_eq!(typing.terms.accepted, Some(claude(7)));
    let intent = story.log.iter().position(
        |effect| matches!(effect, Effect::Note(line) if matches!(line.step, Step::Intent { .. })),
    );
    let key = story
        .log
        .iter()
        .position(|effect| matches!(effect, Effect::Type(..)));
    assert!(intent.unwrap() < key.unwrap());
    assert_eq!(story.status(), "instructed");
}

#[test]
fn what_came_after_a_nudge_reaches_the_memo() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    story.nudge(
        "go on",
        Receipt::delivered("test"),
        "● step 1 is done\n> go on\n● step 2 is done\n> ",
    );
    assert_eq!(story.status(), "instructed");
    story.pass(31.0);
    let memos = story.memos();
    assert_eq!(
        memos,
        [
            "instruct: go on [delivered]",
            "instruct: go on [delivered] -> 1 new line; last: ● step 2 is done"
        ]
    );
    let view = story.machine.view(story.now());
    assert_eq!((view.nudges.used, view.fruitless.used), (1, 0));
}

#[test]
fn three_nudges_that_change_nothing_for_good_end_in_a_question() {
    let mut story = Story::new(IDLE);
    for round in 0..3 {
        story.pass(31.0);
        assert!(story.asks().is_some(), "round {round}");
        let moved = format!("● step 1 is done\n> go on{}\n> ", "\n".repeat(round));
        story.nudge("go on", Receipt::delivered("test"), &moved);
    }
    story.pass(31.0);
    assert_eq!(
        (story.asks(), story.status().as_str()),
        (None, "awaiting-user")
    );
    let question = story.machine.counters.question.clone().unwrap();
    assert!(question.text.starts_with("3 nudges in a row"));
    story.pass(7200.0);
    assert_eq!(story.asked(), 3, "nothing more is asked");
}

#[test]
fn the_bound_of_nudges_an_hour_holds() {
    let mut settings = settings();
    settings.limits.nudges_per_hour = 2;
    let mut story = Story::with(IDLE, settings, Restored::default());
    for word in ["alpha", "beta"] {
        story.pass(31.0);
        story.nudge(
            "go on",
            Receipt::delivered("test"),
            &format!("● now {word}\n> "),
        );
    }
    story.pass(31.0);
    story.answer(Ok((Action::Instruct, "go on")));
    assert_eq!(
        story.memos().last().unwrap(),
        "instruct: go on [refused: the bound of 2 nudges an hour is reached]"
    );
    story.show("● now gamma\n> ");
    story.pass(3600.0);
    story.answer(Ok((Action::Instruct, "go on")));
    assert_eq!(
        story.status(),
        "instructed",
        "an hour later there is room again"
    );
}

#[test]
fn the_bounds_of_a_day_hold_and_end_with_it() {
    let mut settings = settings();
    settings.limits.calls_per_day = 2;
    let mut story = Story::with(IDLE, settings, Restored::default());
    for _ in 0..2 {
        story.pass(120.0);
        story.answer(Ok((Action::Continue, "")));
    }
    story.pass(80_000.0);
    assert_eq!((story.asked(), story.status().as_str()), (2, "stable"));
    let bound = (
        Urgency::Person,
        "is not decided about any more today (UTC): 2 calls were made",
    );
    assert_eq!(story.told(), [bound]);
    story.pass(10_000.0);
    assert_eq!(story.asked(), 3);
}

#[test]
fn tokens_are_counted_against_their_bound() {
    let mut settings = settings();
    settings.limits.tokens_per_day = 150;
    let mut story = Story::with(IDLE, settings, Restored::default());
    for _ in 0..2 {
        story.pass(300.0);
        story.answer(Ok((Action::Continue, "")));
    }
    story.pass(7200.0);
    assert_eq!((story.asked(), story.machine.counters.tokens), (2, 200));
}

#[test]
fn a_question_waits_for_the_person_or_for_a_change() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    story.answer(Ok((Action::AskUser, "Postgres or SQLite?")));
    assert_eq!(story.status(), "awaiting-user");
    assert_eq!(story.told(), [(Urgency::Person, "Postgres or SQLite?")]);
    story.pass(86_400.0);
    assert_eq!(story.asked(), 1);
    story.show("● using SQLite\n> ");
    story.pass(6.0);
    assert_eq!(story.status(), "running");
    story.pass(31.0);
    assert_eq!(story.asked(), 2);
}

#[test]
fn a_reply_is_typed_whatever_the_screen_was_and_closes_the_question() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    story.answer(Ok((Action::AskUser, "Postgres or SQLite?")));
    let ticket = story.machine.reply_ticket();
    story.on(Event::Reply(ticket, "/use SQLite # please".into()));
    let (typed, typing) = story.typing().unwrap();
    assert_eq!(
        (typed, typing.text.as_str(), typing.terms.judged),
        (ticket, "/use SQLite # please", None)
    );
    story.on(Event::Typed(ticket, Receipt::delivered("test")));
    assert!(
        story
            .log
            .contains(&Effect::Receipt(ticket, Receipt::delivered("test")))
    );
    assert_eq!(story.machine.counters.question, None);
    assert_eq!(
        story.machine.view(story.now()).nudges.used,
        0,
        "a reply is no nudge"
    );
}

#[test]
fn a_reply_that_is_refused_leaves_the_question_open() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    story.answer(Ok((Action::AskUser, "Postgres or SQLite?")));
    let ticket = story.machine.reply_ticket();
    story.on(Event::Reply(ticket, "SQLite".into()));
    story.on(Event::Typed(
        ticket,
        Receipt::Refused {
            why: "a dialog".into(),
        },
    ));
    assert_eq!(story.status(), "awaiting-user");
}

#[test]
fn stop_during_a_call_stays_stopped_though_the_answer_comes() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    let ticket = story.asks().unwrap();
    story.on(Event::Stop);
    assert!(story.log.contains(&Effect::DropAsk));
    assert_eq!(story.status(), "stopped");
    story.answer_to(ticket, Ok((Action::Instruct, "go on")));
    story.pass(3600.0);
    assert_eq!((story.status().as_str(), story.typing()), ("stopped", None));
}

#[test]
fn stop_while_typing_ends_it_and_still_records_the_receipt() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    story.answer(Ok((Action::Instruct, "go on")));
    let (ticket, _) = story.typing().unwrap();
    story.on(Event::Stop);
    assert!(story.log.contains(&Effect::EndTyping));
    story.on(Event::Typed(
        ticket,
        Receipt::Unproven {
            why: "stopped".into(),
            left_over: true,
        },
    ));
    assert_eq!(story.status(), "stopped");
    assert_eq!(
        story.memos().last().unwrap(),
        "instruct: go on [unproven: stopped]"
    );
}

#[test]
fn a_change_during_a_call_drops_it() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    let ticket = story.asks().unwrap();
    story.show("● step 2\n> ");
    story.pass(6.0);
    assert!(story.log.contains(&Effect::DropAsk));
    story.answer_to(ticket, Ok((Action::Instruct, "go on")));
    assert_eq!(story.typing(), None);
}

#[test]
fn a_text_with_characters_that_its_agent_takes_for_keys_goes_into_a_file_or_is_refused() {
    let told = |text: &str| {
        let mut story = Story::new(IDLE);
        story.pass(31.0);
        let typing = &mut story.machine.sight.as_mut().unwrap().typing;
        typing.keys = "!@".into();
        typing.refused_first = "$".into();
        story.answer(Ok((Action::Instruct, text)));
        (story.typing().map(|(_, typing)| typing), story.memos())
    };
    let plain = told("do it now, all of it").0.unwrap();
    assert_eq!(
        (plain.text.as_str(), plain.file),
        ("do it now, all of it", None)
    );
    for text in ["do it now!", "ask @ada"] {
        let typing = told(text).0.unwrap();
        assert!(
            typing.text.starts_with("Read the file /logs/prompts/a1-"),
            "{}",
            typing.text
        );
        assert!(!typing.text.contains(['!', '@']), "{}", typing.text);
        assert_eq!(typing.file.unwrap().text, text);
    }
    let (typing, memos) = told("$skill now");
    assert_eq!(typing, None);
    let why = "the text begins with `$`, which agents take as a command";
    assert_eq!(memos, [format!("instruct: $skill now [refused: {why}]")]);
}

#[test]
fn an_instruction_for_a_dialog_becomes_the_persons_business() {
    let mut story = Story::new("Do you want to proceed?\n❯ 1. Yes\n  2. No");
    story.pass(31.0);
    story.answer(Ok((Action::Instruct, "press 1")));
    assert_eq!(
        (story.typing(), story.status().as_str()),
        (None, "awaiting-user")
    );
    assert_eq!(
        story.memos(),
        ["instruct: press 1 [refused: the screen looks like a dialog]"]
    );
}

#[test]
fn observing_decides_everything_and_types_nothing() {
    let mut settings = settings();
    settings.agent.observe = true;
    let mut story = Story::with(IDLE, settings, Restored::default());
    story.pass(31.0);
    story.answer(Ok((Action::Instruct, "go on")));
    assert_eq!(
        (story.typing(), story.status().as_str()),
        (None, "observing")
    );
    assert_eq!(story.told(), [(Urgency::Info, "would be told: go on")]);
    let ticket = story.machine.reply_ticket();
    story.on(Event::Reply(ticket, "x".into()));
    assert_eq!(story.typing(), None);
}

#[test]
fn a_shell_another_program_and_another_server_are_the_persons_business_and_cost_no_call() {
    type Change = fn(&mut Story);
    let cases: [(Change, &str); 3] = [
        (
            |story| story.shell = true,
            "a shell (claude) is in the foreground",
        ),
        (
            |story| story.front = claude(8),
            "`claude` is in the foreground of its pane, not the `claude`",
        ),
        (
            |story| story.front.server = claude(2).process,
            "zellij has been restarted",
        ),
    ];
    for (change, told) in cases {
        let mut story = Story::new(IDLE);
        change(&mut story);
        story.pass(31.0);
        assert_eq!(
            (story.asked(), story.status().as_str()),
            (0, "awaiting-user")
        );
        assert!(story.told()[0].1.contains(told), "{:?}", story.told());
        let program = story.front.clone();
        story.shell = false;
        story.on(Event::Start(Some(program)));
        story.pass(31.0);
        assert_eq!(story.asked(), 1, "start accepts who is there");
    }
}

#[test]
fn an_empty_screen_is_no_stall() {
    let mut story = Story::new("");
    story.pass(3600.0);
    assert_eq!(story.asked(), 0);
}

#[test]
fn what_stood_still_while_nothing_could_be_read_or_the_machine_slept_has_not_stalled() {
    let mut story = Story::new(IDLE);
    story.pass(20.0);
    story.slept += 8.0 * 3600.0;
    story.pass(26.0);
    assert_eq!(story.asked(), 0, "the clock begins again after a sleep");
    story.pass(10.0);
    assert_eq!(story.asked(), 1);

    let mut story = Story::new(IDLE);
    story.pass(20.0);
    story.on(Event::Unseen(Trouble::NoAnswer(
        "zellij did not answer".into(),
    )));
    assert_eq!(story.status(), "error: zellij did not answer");
    story.pass(25.0);
    assert_eq!(story.asked(), 0, "and after trouble");
    story.pass(20.0);
    assert_eq!(story.asked(), 1);
}

#[test]
fn a_pane_that_is_gone_is_told_once_and_looked_for_at_longer_waits() {
    let mut story = Story::new(IDLE);
    story.pass(6.0);
    for _ in 0..5 {
        story.on(Event::Unseen(Trouble::Gone(
            "pane terminal_3 was closed".into(),
        )));
    }
    assert_eq!(story.status(), "gone: pane terminal_3 was closed");
    assert_eq!(
        story.told(),
        [(Urgency::Person, "is gone: pane terminal_3 was closed")]
    );
    assert!((story.next_poll - story.seconds - 30.0).abs() < 0.01);
}

#[test]
fn trouble_drops_what_is_asked() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    let ticket = story.asks().unwrap();
    story.on(Event::Unseen(Trouble::Gone("closed".into())));
    story.answer_to(ticket, Ok((Action::Instruct, "go on")));
    assert_eq!(story.typing(), None);
}

#[test]
fn nothing_is_typed_while_the_log_cannot_be_written() {
    let mut story = Story::new(IDLE);
    story.pass(31.0);
    story.on(Event::Log(Err("no space left".into())));
    story.answer(Ok((Action::Instruct, "go on")));
    assert_eq!(story.typing(), None);
    assert_eq!(story.status(), "error: no space left");
    story.pass(7200.0);
    assert_eq!(story.asked(), 1, "and nothing is asked either");
    story.on(Event::Log(Ok(())));
    story.pass(60.0);
    assert_eq!(story.asked(), 2);
}

#[test]
fn a_cursor_that_moves_on_a_still_screen_is_a_persons_and_one_that_comes_late_is_not() {
    let mut story = Story::new("● step 1\n> ");
    story.pass(10.0);
    // the list of panes is older than the screen
    story.show(IDLE);
    story.cursor = Some(Cursor { column: 3, row: 1 });
    story.pass(5.0);
    story.cursor = None;
    story.pass(5.0);
    assert_eq!(story.machine.person_at, None);

    story.pass(5.0);
    story.cursor = Some(Cursor { column: 3, row: 1 });
    story.pass(5.0);
    assert!(story.machine.person_at.is_some());
}

#[test]
fn an_interrupted_nudge_is_not_typed_again() {
    let restored = Restored {
        interrupted: Some(Interrupted {
            id: "d1".into(),
            origin: Origin::Verdict,
            text: "go on".into(),
        }),
        ..Restored::default()
    };
    let mut story = Story::with(IDLE, settings(), restored.clone());
    story.pass(1.0);
    assert_eq!(
        story.memos(),
        ["instruct: go on [unproven: the supervisor ended while it was typing this]"]
    );
    assert_eq!(story.status(), "instructed");
    assert_eq!(story.typing(), None);
    assert_eq!(
        story.machine.counters.nudges.len(),
        1,
        "it may have been taken, and counts"
    );

    let mut story = Story::with("● step 1 is done\n> go on", settings(), restored);
    story.pass(1.0);
    assert_eq!(story.status(), "awaiting-user");
    assert!(
        story.told()[0]
            .1
            .contains("may stand unsent in its prompt: `go on`")
    );
}

#[test]
fn a_reply_waits_until_it_is_on_record_what_became_of_an_interrupted_text() {
    let restored = Restored {
        interrupted: Some(Interrupted {
            id: "d1".into(),
            origin: Origin::Verdict,
            text: "go on".into(),
        }),
        ..Restored::default()
    };
    let mut story = Story::with(IDLE, settings(), restored.clone());
    let ticket = story.machine.reply_ticket();
    story.on(Event::Reply(ticket, "use SQLite".into()));
    let at = |wanted: fn(&Effect) -> bool| story.log.iter().position(wanted);
    let ended = at(
        |effect| matches!(effect, Effect::Note(line) if matches!(line.step, Step::Receipt { .. }) && line.id == "d1"),
    );
    let typed = at(|effect| matches!(effect, Effect::Type(..)));
    assert!(ended.is_some() && ended < typed, "{ended:?} {typed:?}");

    // a pane that cannot be read, and an end, leave nobody without an answer
    for event in [
        Event::Unseen(Trouble::NoAnswer("zellij is silent".into())),
        Event::Stop,
        Event::Quit,
    ] {
        let mut machine = Machine::new(settings(), Some(claude(7)), restored.clone());
        let now = Moment {
            since_start: Duration::ZERO,
            wall: Utc::now(),
        };
        machine.on(Event::Reply(1, "use SQLite".into()), now);
        let effects = machine.on(event, now);
        let refused =
            |effect: &Effect| matches!(effect, Effect::Receipt(1, Receipt::Refused { .. }));
        assert!(effects.iter().any(refused), "{effects:?}");
    }
}

#[test]
fn what_became_of_a_text_is_remembered_before_it_is_on_record_and_once() {
    let mut story = Story::new(IDLE);
    story.pass(30.0);
    story.nudge("go on", Receipt::delivered("test"), IDLE);
    let at = |wanted: fn(&Effect) -> bool| story.log.iter().position(wanted);
    let memo = at(|effect| matches!(effect, Effect::Remember(memo) if memo.receipt.is_some()));
    let receipt = at(
        |effect| matches!(effect, Effect::Note(line) if matches!(line.step, Step::Receipt { .. })),
    );
    assert!(memo.is_some() && memo < receipt, "{memo:?} {receipt:?}");

    // ended between the two: what is known of it stays
    let memo = story.machine.memos.back().unwrap().clone();
    let restored = Restored {
        interrupted: Some(Interrupted {
            id: memo.id.clone(),
            origin: Origin::Verdict,
            text: memo.text.clone(),
        }),
        memos: vec![memo],
        ..Restored::default()
    };
    let mut story = Story::with(IDLE, settings(), restored);
    story.pass(1.0);
    assert_eq!(story.memos(), Vec::<String>::new());
    let receipts = story.log.iter().filter(|effect| {
        matches!(effect, Effect::Note(line)
            if matches!(&line.step, Step::Receipt { receipt: Receipt::Delivered(_), .. }))
    });
    assert_eq!(receipts.count(), 1);
    assert_eq!(story.machine.counters.nudges.len(), 1);
}

#[test]
fn a_text_left_in_the_prompt_is_asked_about_until_it_is_gone_whatever_else_changes() {
    let mut story = Story::new(IDLE);
    story.pass(30.0);
    story.answer(Ok((Action::Instruct, "go on with it")));
    let (ticket, _) = story.typing().unwrap();
    story.show("● step 1 is done\n> go on with it");
    let receipt = Receipt::Unproven {
        why: "zellij did not answer".into(),
        left_over: true,
    };
    story.on(Event::Typed(ticket, receipt));
    // the text's own appearance, a clock, an edit by the person
    for screen in [
        "● step 1 is done\n> go on with it",
        "● step 1 is done, 12:01\n> go on with it",
        "● step 1 is done, 12:01\n> go on with it, please",
        "● step 1 is done, 12:01\n> go",
    ] {
        story.show(screen);
        story.pass(300.0);
        assert_eq!(story.status(), "awaiting-user", "{screen}");
    }
    assert_eq!(story.asked(), 1, "a screen that cannot be typed to");
    story.show(IDLE);
    story.pass(10.0);
    assert_eq!(story.machine.counters.question, None);
    story.pass(40.0);
    assert_eq!(story.asked(), 2, "and it goes on");
}

#[test]
fn an_agent_that_is_disabled_is_not_even_looked_at() {
    let mut settings = settings();
    settings.agent.enabled = false;
    let mut story = Story::with(IDLE, settings, Restored::default());
    story.pass(600.0);
    assert_eq!(
        (story.status().as_str(), story.machine.polls),
        ("disabled", 0)
    );
    story.on(Event::Start(None));
    story.pass(600.0);
    assert_eq!(story.asked(), 1);
}

#[test]
fn a_restored_question_stays_open_until_the_screen_changes() {
    let question = Question {
        text: "Postgres?".into(),
        since: Story::new("").now().wall,
        insists: false,
        left_over: None,
    };
    let counters = Counters {
        question: Some(question),
        ..Counters::default()
    };
    let restored = Restored {
        counters,
        ..Restored::default()
    };
    let mut story = Story::with(IDLE, settings(), restored);
    story.pass(3600.0);
    assert_eq!(
        (story.status().as_str(), story.asked()),
        ("awaiting-user", 0)
    );
    story.show("● more\n> ");
    story.pass(6.0);
    assert_eq!(story.status(), "running");
}
