//! The simulated agents over pipes, as a person at the pane meets them: prompt, line, work, prompt.

use std::io::{self, BufReader, PipeWriter, Read, Write};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use meta_orchestrator::ui::demo_agent::{DemoAgent, PROMPT, run_with};

const DEADLINE: Duration = Duration::from_secs(20);

/// An agent on a thread of its own, whose work takes no time, and a thread that reads what it prints.
struct Pane {
    keys: PipeWriter,
    screen: Receiver<u8>,
    agent: JoinHandle<io::Result<()>>,
}

impl Pane {
    fn open(agent: DemoAgent) -> io::Result<Self> {
        let (input, keys) = io::pipe()?;
        let (output, screen) = io::pipe().map(|(read, write)| (write, read))?;
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            let bytes = BufReader::new(screen).bytes().map_while(Result::ok);
            let _ = bytes.map(|byte| send.send(byte)).find(Result::is_err);
        });
        Ok(Self {
            keys,
            screen: receive,
            agent: thread::spawn(move || run_with(agent, BufReader::new(input), output, |_| ())),
        })
    }

    /// What is printed up to and with the next prompt, or up to the end.
    fn until_prompt(&self) -> String {
        let mut text = Vec::new();
        while !text.ends_with(format!("\n{PROMPT}").as_bytes()) {
            match self.screen.recv_timeout(DEADLINE) {
                Ok(byte) => text.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    fn answer_to(&mut self, line: &str) -> io::Result<String> {
        writeln!(self.keys, "{line}")?;
        Ok(self.until_prompt())
    }

    /// Ends the input; what the agent still prints, once it has ended.
    fn close(self) -> io::Result<String> {
        drop(self.keys);
        let rest: Vec<u8> = self.screen.iter().collect();
        self.agent
            .join()
            .map_err(|_| io::Error::other("the agent panicked"))??;
        Ok(String::from_utf8_lossy(&rest).into_owned())
    }
}

#[test]
fn each_agent_stops_at_its_prompt_and_works_on_when_told() -> io::Result<()> {
    let cases = [
        (DemoAgent::Worker, "Go on.", "● Understood: Go on."),
        (DemoAgent::Staller, "Fix the tests.", "2 tests passed"),
        (DemoAgent::Asker, "Use Postgres.", "● Using Postgres"),
    ];
    for (agent, line, effect) in cases {
        let mut pane = Pane::open(agent)?;
        let before = pane.until_prompt();
        assert!(before.contains(agent.as_str()), "{before}");
        assert!(!before.contains(effect), "{before}");
        let after = pane.answer_to(line)?;
        assert!(after.contains(effect), "{after}");
        assert!(after.ends_with("\n> "), "{after}");
    }
    Ok(())
}

#[test]
fn the_end_of_input_ends_an_agent() -> io::Result<()> {
    for agent in DemoAgent::ALL {
        let pane = Pane::open(agent)?;
        pane.until_prompt();
        assert_eq!(pane.close()?, "\n", "{agent:?}");
    }
    Ok(())
}
