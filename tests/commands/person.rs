//! A person's own words: what is typed for them, what is not, and what the log tells of it.

use std::time::Instant;

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::program::{BINARY, Program, agent_pane, command, configuration, ended, mode, row, run};

#[test]
fn a_reply_arrives_as_it_was_typed_and_the_log_tells_of_it() {
    let test = TestZellij::start_sized(200, 60);
    let worker = agent_pane(&test, "worker");
    let config = configuration(&[("w", &worker.pane.to_string()), ("shell", "0")]);
    std::fs::write(test.home().join("c.json"), config).unwrap();
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program.asks("/log w").has(&["w has no memos yet"]);
    let words = r#"don't stop # yet, "quoted" \n $HOME `id`"#;
    program
        .asks(&format!("/reply w   {words}  "))
        .has(&["delivered to w"]);
    test.wait_until_shown(&worker, &format!("Understood: {words}"));
    test.wait_until_shown(&worker, "That step is finished.");

    program
        .asks("/reply shell rm -rf /")
        .refused(&["nothing was typed to shell", "bash"]);
    program.asks("/reply w").refused(&["TEXT"]);
    program
        .asks("/reply nobody hello")
        .refused(&["there is no agent `nobody`", "there are: w, shell"]);
    // somebody's half-written line is not added to, and not sent
    test.type_as_person(&worker, "half a line");
    test.wait_until_shown(&worker, "> half a line");
    program
        .asks("/reply w go on")
        .refused(&["nothing was typed to w", "half a line"]);
    assert!(test.dump(worker.pane).trim_end().ends_with("> half a line"));
    // and the program that was accepted is the one that is typed to
    test.press_as_person(&worker, 3);
    ended(&test, &worker);
    let said = program.asks("/reply w hello");
    said.refused(&["nothing was typed to w"]);

    let log = program.asks("/log w").out;
    for shown in ["reply, delivered", words, "then  "] {
        assert!(log.contains(shown), "no `{shown}` in {log}");
    }
    assert!(
        log.contains("reply, refused"),
        "what was not typed is on record too: {log}"
    );
    assert_eq!(program.asks("/log w 1").out.matches("ago:").count(), 1);
    for line in ["/log w 0", "/log w many", "/log w 5 6"] {
        program.asks(line).refused(&["/log ID [N]"]);
    }
    let ended = program.quits();
    assert_eq!(ended.code, Some(2), "that of the last failure");
    for name in ["w.memos.jsonl", "w.decisions.jsonl", "roster.jsonl"] {
        assert_eq!(mode(test.home().join("logs").join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(test.home().join("logs")), 0o700);
    let ended = run(
        command(&test, &["--config", "c.json"]),
        test.home(),
        "/reply shell ls",
    );
    assert_eq!(ended.code, Some(4), "{ended:?}");
}

#[test]
fn a_question_is_told_at_once_and_answered_by_a_reply() {
    let test = TestZellij::start();
    let asker = agent_pane(&test, "asker");
    let config = configuration(&[("q", &asker.pane.to_string())]).replace("600", "1");
    std::fs::write(test.home().join("c.json"), config).unwrap();
    let mut program = Program::start(&test, &["--config", "c.json"]);
    program
        .tells("q needs you: It asks: Which database should the service use, Postgres or SQLite?");
    let list = program.asks("/list").out;
    assert_eq!(row(&list, "q")[1], "awaiting-user", "{list}");
    assert!(list.contains("to answer: /reply q TEXT..."), "{list}");
    program
        .asks("/reply q SQLite, please")
        .has(&["delivered to q"]);
    test.wait_until_shown(&asker, "● Using SQLite");
    program.asks_until("/list", "that it waits no more", |list| {
        row(list, "q")[1] != "awaiting-user"
    });
}

/// The REPL at a terminal: in a pane of the session that it supervises.
struct Desk<'a> {
    test: &'a TestZellij,
    pane: meta_orchestrator::ids::PaneAddress,
}

impl<'a> Desk<'a> {
    fn new(test: &'a TestZellij, environment: &str) -> Self {
        let pane = test.open_pane(&["bash", "--norc"]);
        let this = Self { test, pane };
        this.types(&format!("{environment} {BINARY} --repl --config c.json"));
        this.shows("mo>");
        this
    }

    fn types(&self, line: &str) {
        self.test.type_as_person(&self.pane, &format!("{line}\n"));
    }

    /// The whole of it, without line ends: the pane may wrap lines anywhere.
    fn screen(&self) -> String {
        let pane = self.pane.pane.to_string();
        let screen = self
            .test
            .action(&["dump-screen", "--full", "--pane-id", &pane]);
        screen.lines().collect()
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        let give_up = Instant::now() + PATIENCE;
        while !self.screen().contains(text) {
            assert!(
                Instant::now() < give_up,
                "no `{text}` in\n{}",
                self.screen()
            );
        }
    }
}

#[test]
fn an_agent_that_is_removed_while_a_reply_is_typed_is_gone_and_the_reply_is_told_once() {
    let mut test = TestZellij::start();
    test.attach(200, 100);
    let worker = agent_pane(&test, "worker");
    let config = configuration(&[("w", &worker.pane.to_string())]);
    std::fs::write(test.home().join("c.json"), config).unwrap();
    let desk = Desk::new(&test, "");
    desk.types("/reply w go on now\n/remove w\n/remove w\n/stop w\n/list\n/review w");
    desk.shows("w is removed; its logs stay in ./logs");
    desk.types("/list");
    desk.shows("no agents yet");
    wait_for(PATIENCE, "what became of the reply", || {
        let screen = desk.screen();
        let told = [
            "delivered to w",
            "was typed to w",
            "whether w took the text",
            "there is no agent `w`",
        ];
        told.iter().any(|text| screen.contains(text)).then_some(())
    });
    desk.types("/quit");
    desk.shows("saved to c.json");
    let shown = test.dump(worker.pane);
    assert!(
        shown.matches("Understood: go on now").count() <= 1,
        "{shown}"
    );
    assert!(
        !desk.screen().contains("has ended"),
        "no bug is told: {}",
        desk.screen()
    );
    assert!(test.home().join("logs/w.decisions.jsonl").exists());
}

#[test]
fn a_review_holds_nothing_up_at_a_terminal() {
    let mut test = TestZellij::start();
    test.attach(200, 100);
    let worker = agent_pane(&test, "worker");
    let model = crate::model::Model::start(std::time::Duration::from_secs(4));
    let config = configuration(&[("w", &worker.pane.to_string())]);
    let config = config.replacen(
        "\"reviewBackend\": {\n    \"type\": \"builtin\"",
        &format!(
            "\"reviewBackend\": {{\n    \"type\": \"gemini\", \"baseUrl\": \"{}\"",
            model.url()
        ),
        1,
    );
    std::fs::write(test.home().join("c.json"), config).unwrap();
    let desk = Desk::new(&test, "GEMINI_API_KEY=abc");
    desk.types("/review w\n/list\n/log w");
    desk.shows("w has no memos yet");
    assert!(
        !desk.screen().contains("Review of w"),
        "the list came first"
    );
    desk.shows("`/review w`:");
    desk.shows("Review of w by gemini");
    desk.types("/quit");
    desk.shows("1 agent is no longer watched");
    assert!(test.home().join("logs/w.reviews.jsonl").exists());
}
