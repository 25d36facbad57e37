//! Three simulated coding agents for `meta-orchestrator demo` and for the tests.
//!
//! Each works a little, stops at a prompt, and works on when a line is typed: one waits for its next
//! instruction, one stops at an error, one asks a question. A demo needs no model, no key and no network this
//! way. What an agent says to which line is a table without input or output ([`Script`]); [`run_with`] prints
//! it. Plain lines in the terminal's ordinary mode: no raw mode, no escape sequences, no dialogs. The hidden
//! subcommand `demo-agent` calls [`run`].

use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

/// The prompt at which every agent waits for a line.
pub const PROMPT: &str = "> ";

/// How long a step of work takes. Well under the demo's `stallSec` of 2, so that work is no stall.
const STEP: Duration = Duration::from_millis(600);

/// Bytes of input that count as one line at most; a terminal gives 4,096.
const LINE_BYTES: u64 = 64 * 1024;

/// Characters of a typed line that are shown again.
const SHOWN_CHARS: usize = 120;

/// Which of the three agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DemoAgent {
    /// Does a part of its work and waits for the next instruction.
    Worker,
    /// Stops at an error until it is told to go on.
    Staller,
    /// Asks which of two things is wanted.
    Asker,
}

impl DemoAgent {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Worker, Self::Staller, Self::Asker];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Staller => "staller",
            Self::Asker => "asker",
        }
    }

    /// How the line begins by which the agent shows that it took up what it was told.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Worker => "● Understood: ",
            Self::Staller => "● 2 tests passed",
            Self::Asker => "● Using Postgres",
        }
    }
}

/// One thing that an agent does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Prints a line.
    Say(String),
    /// Takes its time.
    Pause(Duration),
    /// Shows the prompt and waits for a line.
    Prompt,
}

/// What one agent does next: a line in, steps out. It never waits, prints or reads.
#[derive(Debug, Clone)]
pub struct Script {
    agent: DemoAgent,
    /// How many instructions were followed, or whether the question was answered (1).
    done: u32,
}

impl Script {
    /// An agent that has not begun.
    pub const fn new(agent: DemoAgent) -> Self {
        Self { agent, done: 0 }
    }

    /// What it does before anything is typed; ends with a prompt.
    pub fn start(&self) -> Vec<Step> {
        let lines: &[&str] = match self.agent {
            DemoAgent::Worker => &[
                "Simulated agent `worker`: makes the parser faster.",
                "● Reading src/parser.rs",
                "● Measuring: 41 ms for the sample file",
                "● Found one copy of the input that is not needed",
                "The first part is finished. Waiting for the next instruction.",
            ],
            DemoAgent::Staller => &[
                "Simulated agent `staller`: mends the parser's tests.",
                "● Reading tests/parser.rs",
                "● Running the tests",
                "error: 2 tests failed in tests/parser.rs",
            ],
            DemoAgent::Asker => &[
                "Simulated agent `asker`: writes the service's schema.",
                "● Reading docs/service.md",
                "● Listing what has to be stored: users, orders",
                QUESTION,
            ],
        };
        work(lines.iter().map(|&line| line.to_owned()))
    }

    /// What it does about a typed `line`; ends with a prompt. An empty line is no instruction.
    pub fn next(&mut self, line: &str) -> Vec<Step> {
        let line = printable(line);
        if line.is_empty() {
            return vec![Step::Prompt];
        }
        let lines = match self.agent {
            DemoAgent::Worker => worker(self.done, &line),
            DemoAgent::Staller => staller(self.done, &line),
            DemoAgent::Asker => match database(&line) {
                None if self.done == 0 => return work([unanswered(&line), QUESTION.to_owned()]),
                database => asker(self.done, database.unwrap_or_default()),
            },
        };
        self.done = self.done.saturating_add(1);
        work(lines)
    }
}

const QUESTION: &str = "Which database should the service use, Postgres or SQLite?";

fn worker(done: u32, line: &str) -> Vec<String> {
    let understood = format!("● Understood: {line}");
    let rest: &[&str] = match done {
        0 if mentions(line, "test") => &[
            "● Writing a test for the empty file",
            "● Writing a test for the sample file",
            "● Running the tests: 14 passed",
            "The tests are written. Waiting for the next instruction.",
        ],
        0 => &[
            "● Removing the copy from src/parser.rs",
            "● Building",
            "● Measuring: 17 ms for the sample file",
            "That step is finished. Waiting for the next instruction.",
        ],
        1 => &[
            "● Reading the whole change once more",
            "● Running the checks",
            "Done: all steps are done and the checks pass.",
        ],
        _ => &["Done: nothing is left to do, all checks pass."],
    };
    said(understood, rest)
}

fn staller(done: u32, line: &str) -> Vec<String> {
    let rest: &[&str] = match done {
        0 => &[
            "● Mending src/parser.rs: an empty line is allowed",
            "● Running the tests again",
            "● 2 tests passed",
        ],
        _ => &["Done: nothing is left to do, all tests pass."],
    };
    said(format!("● Trying again: {line}"), rest)
}

fn asker(done: u32, database: &str) -> Vec<String> {
    if done > 0 {
        return vec!["Done already: the schema is written.".to_owned()];
    }
    let schema = format!("● Writing the {database} schema: users, orders");
    said(
        format!("● Using {database}"),
        &[&schema, "Done: the schema is written."],
    )
}

fn unanswered(line: &str) -> String {
    format!("● That names no single database: {line}")
}

/// The one database that an answer names.
fn database(line: &str) -> Option<&'static str> {
    match (mentions(line, "postgres"), mentions(line, "sqlite")) {
        (true, false) => Some("Postgres"),
        (false, true) => Some("SQLite"),
        _ => None,
    }
}

fn mentions(line: &str, word: &str) -> bool {
    line.to_lowercase().contains(word)
}

fn said(first: String, rest: &[&str]) -> Vec<String> {
    let rest = rest.iter().map(|&line| line.to_owned());
    std::iter::once(first).chain(rest).collect()
}

/// A typed line as it may be shown again: no control characters, not too long.
fn printable(line: &str) -> String {
    let shown = line.chars().filter(|letter| !letter.is_control());
    shown
        .take(SHOWN_CHARS)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Every line after a pause, then the prompt.
fn work(lines: impl IntoIterator<Item = String>) -> Vec<Step> {
    let steps = lines
        .into_iter()
        .flat_map(|line| [Step::Pause(STEP), Step::Say(line)]);
    steps.chain([Step::Prompt]).collect()
}

/// Plays `agent` on this process's terminal until its input ends.
pub fn run(agent: DemoAgent) -> io::Result<()> {
    run_with(
        agent,
        io::stdin().lock(),
        io::stdout().lock(),
        std::thread::sleep,
    )
}

/// Plays `agent` between `input` and `output` until `input` ends, calling `pause` for the time that work takes.
///
/// Input that is no UTF-8 is read with replacement characters; a line is at most 64 KiB, what follows counts as
/// the next one.
pub fn run_with(
    agent: DemoAgent,
    mut input: impl BufRead,
    mut output: impl Write,
    mut pause: impl FnMut(Duration),
) -> io::Result<()> {
    let mut script = Script::new(agent);
    let mut steps = script.start();
    loop {
        for step in steps {
            match step {
                Step::Say(line) => writeln!(output, "{line}")?,
                Step::Pause(time) => pause(time),
                Step::Prompt => write!(output, "{PROMPT}")?,
            }
            output.flush()?;
        }
        let mut line = Vec::new();
        if input
            .by_ref()
            .take(LINE_BYTES)
            .read_until(b'\n', &mut line)?
            == 0
        {
            return writeln!(output);
        }
        steps = script.next(&String::from_utf8_lossy(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is on the screen after `lines` were typed, without their echo.
    fn played(agent: DemoAgent, lines: &[&str]) -> String {
        let mut script = Script::new(agent);
        let mut steps = script.start();
        for line in lines {
            steps.extend(script.next(line));
        }
        let show = |step| match step {
            Step::Say(line) => format!("{line}\n"),
            Step::Pause(_) => String::new(),
            Step::Prompt => ">\n".to_owned(),
        };
        steps.into_iter().map(show).collect()
    }

    #[test]
    fn the_worker_works_stops_for_each_instruction_and_says_when_all_is_done() {
        let screen = played(
            DemoAgent::Worker,
            &["Continue with the next step.", "Go on.", "And now?"],
        );
        insta::assert_snapshot!(screen, @r"
        Simulated agent `worker`: makes the parser faster.
        ● Reading src/parser.rs
        ● Measuring: 41 ms for the sample file
        ● Found one copy of the input that is not needed
        The first part is finished. Waiting for the next instruction.
        >
        ● Understood: Continue with the next step.
        ● Removing the copy from src/parser.rs
        ● Building
        ● Measuring: 17 ms for the sample file
        That step is finished. Waiting for the next instruction.
        >
        ● Understood: Go on.
        ● Reading the whole change once more
        ● Running the checks
        Done: all steps are done and the checks pass.
        >
        ● Understood: And now?
        Done: nothing is left to do, all checks pass.
        >
        ");
    }

    #[test]
    fn the_worker_does_what_the_line_says() {
        let screen = played(DemoAgent::Worker, &["Add tests first."]);
        assert!(screen.contains("● Understood: Add tests first.\n● Writing a test"));
    }

    #[test]
    fn the_staller_stops_at_an_error_and_mends_it_when_told() {
        let screen = played(DemoAgent::Staller, &["Fix the two tests.", "Go on."]);
        insta::assert_snapshot!(screen, @r"
        Simulated agent `staller`: mends the parser's tests.
        ● Reading tests/parser.rs
        ● Running the tests
        error: 2 tests failed in tests/parser.rs
        >
        ● Trying again: Fix the two tests.
        ● Mending src/parser.rs: an empty line is allowed
        ● Running the tests again
        ● 2 tests passed
        >
        ● Trying again: Go on.
        Done: nothing is left to do, all tests pass.
        >
        ");
    }

    #[test]
    fn the_asker_asks_until_it_is_answered() {
        let screen = played(DemoAgent::Asker, &["continue", "Use Postgres.", "Go on."]);
        insta::assert_snapshot!(screen, @r"
        Simulated agent `asker`: writes the service's schema.
        ● Reading docs/service.md
        ● Listing what has to be stored: users, orders
        Which database should the service use, Postgres or SQLite?
        >
        ● That names no single database: continue
        Which database should the service use, Postgres or SQLite?
        >
        ● Using Postgres
        ● Writing the Postgres schema: users, orders
        Done: the schema is written.
        >
        Done already: the schema is written.
        >
        ");
    }

    #[test]
    fn each_shows_by_its_sign_that_it_took_up_what_it_was_told_and_not_before() {
        for agent in DemoAgent::ALL {
            let shows = |lines| {
                let screen = played(agent, lines);
                screen.lines().any(|line| line.starts_with(agent.sign()))
            };
            assert!(!shows(&[]) && shows(&["Go on with Postgres."]), "{agent:?}");
        }
    }

    #[test]
    fn only_a_line_that_names_one_database_is_an_answer() {
        let cases = [
            ("Postgres", Some("Postgres")),
            ("use sqlite, please", Some("SQLite")),
            ("PostgreSQL 17", Some("Postgres")),
            ("Postgres or SQLite", None),
            ("continue", None),
        ];
        for (line, expected) in cases {
            assert_eq!(database(line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_without_words_is_no_instruction() {
        for agent in DemoAgent::ALL {
            for line in ["", "\n", "  \r\n", "\u{1b}\u{7}\n"] {
                assert_eq!(Script::new(agent).next(line), [Step::Prompt], "{line:?}");
            }
        }
    }

    #[test]
    fn what_is_typed_comes_back_without_control_characters_and_cut() {
        let line = format!("a\u{1b}[2Jb\u{9b}{}\n", "x".repeat(500));
        let shown = printable(&line);
        assert!(shown.starts_with("a[2Jbxxx"), "{shown}");
        assert_eq!(shown.chars().count(), SHOWN_CHARS);
    }

    #[test]
    fn work_is_never_as_quiet_as_a_stall_and_stops_within_five_seconds() {
        for agent in DemoAgent::ALL {
            let mut script = Script::new(agent);
            for line in ["", "Use Postgres.", "Go on.", "Go on."] {
                let steps = match line {
                    "" => script.start(),
                    line => script.next(line),
                };
                let pauses = steps.iter().map(|step| match step {
                    Step::Pause(time) => *time,
                    _ => Duration::ZERO,
                });
                assert!(pauses.clone().max() < Some(Duration::from_secs(1)));
                assert!(pauses.sum::<Duration>() < Duration::from_secs(5));
                assert_eq!(steps.last(), Some(&Step::Prompt));
            }
        }
    }

    #[test]
    fn nothing_that_an_agent_prints_looks_like_a_dialog() {
        let signs = ["y/n", "enter to", "esc to", "(esc)", "1.", "❯"];
        for agent in DemoAgent::ALL {
            let screen = played(agent, &["Go on.", "Use SQLite.", "Go on."]).to_lowercase();
            for sign in signs {
                assert!(!screen.contains(sign), "{sign} in {screen}");
            }
        }
    }

    #[test]
    fn input_that_is_no_text_or_never_ends_a_line_is_survived() {
        let mut output = Vec::new();
        let input = [&[0xff, 0xfe, b'\n'][..], &vec![b'x'; 200_000]].concat();
        run_with(DemoAgent::Worker, input.as_slice(), &mut output, |_| ()).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert!(text.contains("● Understood: \u{fffd}\u{fffd}\n"), "{text}");
        assert!(text.len() < 4_000, "{}", text.len());
    }
}
