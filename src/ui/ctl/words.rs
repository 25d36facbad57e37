//! The words after `ctl` as a command: by the table, like a typed line.
//!
//! What a shell has split is put together again, so that free text arrives as it was meant. Anything that could be
//! an option or free text is refused rather than typed to an agent.

use crate::command::Command;
use crate::command::line::parse;
use crate::command::missions::MissionVerb;
use crate::command::table::{Argument, Entry, Kind};
use crate::error::Failure;
use crate::ui::cli::running::How;

/// Makes a command of the words, and takes out of them what says how.
///
/// # Errors
/// When they are no command, or it is not clear what they mean.
pub fn command(words: &[String], how: &mut How) -> Result<Command, Failure> {
    let Some((name, rest)) = words.split_first() else {
        return Err(Failure::usage("`ctl` needs a command").hint("`ctl help` lists them"));
    };
    let name = name.strip_prefix('/').unwrap_or(name);
    let mut line = format!("/{name}");
    if let Some(entry) = Entry::find(name) {
        let mut taker = Taker {
            entry,
            arguments: entry.arguments,
            in_text: false,
            verb: None,
            of_mission: false,
            raw: false,
        };
        for word in rest {
            if let Some(word) = taker.take(word, how)? {
                line.push(' ');
                line.push_str(word);
            }
        }
    }
    let parsed = parse(&line)?;
    parsed.ok_or_else(|| Failure::usage("`ctl` needs a command").hint("`ctl help` lists them"))
}

/// Takes words one by one.
struct Taker {
    entry: &'static Entry,
    /// Those that are still to come.
    arguments: &'static [Argument],
    /// Whether free text has begun.
    in_text: bool,
    /// What is wanted of a mission.
    verb: Option<MissionVerb>,
    /// Whether what follows is no free text: a mission's name and a task.
    of_mission: bool,
    /// Whether `--` came: nothing is an option any more.
    raw: bool,
}

impl Taker {
    /// What of the word belongs to the line.
    fn take<'a>(&mut self, word: &'a str, how: &mut How) -> Result<Option<&'a str>, Failure> {
        let option = match word {
            "--json" => Some(&mut how.json),
            "--yes" => Some(&mut how.yes),
            _ => None,
        };
        match option {
            Some(_) if self.raw => {}
            Some(_) if self.in_text && !self.of_mission => return Err(unclear(word)),
            Some(option) => {
                *option = true;
                return Ok(None);
            }
            None if word == "--" && !self.raw && !self.in_text => {
                self.raw = true;
                return Ok(None);
            }
            None => {}
        }
        if self.in_text {
            return Ok(Some(word));
        }
        let is_kind = |argument: &Argument| argument.kind == Kind::WithKind;
        if self.arguments.first().is_some_and(is_kind) && !word.starts_with("kind=") {
            self.arguments = &self.arguments[1..];
        }
        let next = self.arguments.split_first();
        if let Some((argument, rest)) = next {
            self.arguments = rest;
            if argument.kind == Kind::Verb {
                self.verb = word.parse().ok();
            }
            if argument.kind == Kind::OfMission && self.verb.is_some_and(has_no_text) {
                (self.in_text, self.of_mission) = (true, true);
                return Ok(Some(word));
            }
            if argument.kind.takes_rest() || argument.kind == Kind::Value {
                self.in_text = true;
                if word.starts_with("--") && !self.raw {
                    return Err(unclear(word));
                }
                return Ok(Some(word));
            }
        }
        if word.is_empty() || word.contains(char::is_whitespace) {
            let shown = word.escape_debug();
            let name = next.map_or("more", |(argument, _)| argument.name);
            let failure = Failure::usage(format!("`{shown}` is no {name}: it is one word"));
            return Err(failure.hint(format!("usage: {}", self.entry.usage())));
        }
        Ok(Some(word))
    }
}

/// Whether nothing that is said with a verb could be typed to an agent, or asked.
const fn has_no_text(verb: MissionVerb) -> bool {
    !(verb.asks_first() || matches!(verb, MissionVerb::Message | MissionVerb::Ask))
}

fn unclear(word: &str) -> Failure {
    let shown = word.escape_debug();
    Failure::usage(format!(
        "it is not clear whether `{shown}` is an option or belongs to the text; nothing was sent"
    ))
    .hint("options stand before the text; `--` before the text makes all of it text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::cli::Task;
    use crate::ui::cli::running::What;

    fn read(words: &[&str]) -> Result<(Command, How), Failure> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut how = How::default();
        command(&words, &mut how).map(|command| (command, how))
    }

    #[test]
    fn words_are_the_command_that_a_line_would_be() {
        let cases: [(&[&str], &str); 17] = [
            (&["mission", "finish", "--force"], "/mission finish --force"),
            (
                &["mission", "retry", "notes", "cli", "--fresh"],
                "/mission retry notes cli --fresh",
            ),
            (
                &["mission", "message", "cli", "use -n", "too"],
                "/mission message cli use -n too",
            ),
            (&["list"], "/list"),
            (&["/list"], "/list"),
            (
                &["reply", "a1", "it's  \"raw\" # \\ text"],
                "/reply a1 it's  \"raw\" # \\ text",
            ),
            (&["reply", "a1", "go", "on", "-n"], "/reply a1 go on -n"),
            (&["reply", "a1", "--", "--json"], "/reply a1 --json"),
            (&["reply", "a1", "go", "--", "on"], "/reply a1 go -- on"),
            (
                &["add", "a1", "18", "Make it fast"],
                "/add a1 18 Make it fast",
            ),
            (
                &["add", "a1", "18", "kind=codex", "fast"],
                "/add a1 18 kind=codex fast",
            ),
            (&["add", "a1", "18", "@a b.txt"], "/add a1 18 @a b.txt"),
            (
                &["set", "a1", "goal", "Make it fast"],
                "/set a1 goal Make it fast",
            ),
            (&["set", "a1", "pollSec", "5"], "/set a1 pollSec 5"),
            (&["review", "a1", "--send"], "/review a1 --send"),
            (&["save", "a b.json"], "/save a b.json"),
            (&["answer", "a1", "Yes, and go"], "/answer a1 Yes, and go"),
        ];
        for (words, line) in cases {
            let expected = parse(line).unwrap().unwrap();
            assert_eq!(read(words), Ok((expected, How::default())), "{words:?}");
        }
    }

    #[test]
    fn options_stand_before_the_text() {
        let cases: [(&[&str], bool, bool); 8] = [
            (&["mission", "status", "notes", "--json"], true, false),
            (&["mission", "finish", "--force", "--yes"], false, true),
            (&["mission", "--json"], true, false),
            (&["list", "--json"], true, false),
            (&["--json", "list"], false, false),
            (&["log", "a1", "--json", "20"], true, false),
            (&["adopt", "--yes", "--json"], true, true),
            (&["reply", "--json", "a1", "go"], true, false),
        ];
        for (words, json, yes) in cases {
            match read(words) {
                Ok((_, how)) => assert_eq!((how.json, how.yes), (json, yes), "{words:?}"),
                // clap takes those before the command
                Err(_) => assert_eq!(words[0], "--json"),
            }
        }
    }

    #[test]
    fn what_could_be_typed_to_an_agent_by_mistake_is_refused() {
        let cases: [&[&str]; 12] = [
            &[],
            &[""],
            &["lst"],
            &["list", "more"],
            &["reply", "a1", "go on", "--json"],
            &["reply", "a1", "--jsn", "go on"],
            &["reply", "a 1", "go on"],
            &["reply", "", "go on"],
            &["reply", "a1", ""],
            &["deny", "a1", "--force"],
            &["approve", "a1", "2", "--yes"],
            &["stop", "a1\n/quit"],
        ];
        for words in cases {
            let failure = read(words).unwrap_err();
            assert_eq!(failure.kind, crate::error::Kind::Usage, "{words:?}");
        }
    }

    /// The words of a line as a shell splits it; what comes after a pipe is not ours.
    fn split(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for one in line.chars() {
            match quote {
                Some(mark) if mark == one => quote = None,
                None if one == '"' || one == '\'' => quote = Some(one),
                None if one == ' ' => words.push(String::new()),
                _ => words.last_mut().unwrap().push(one),
            }
        }
        words.split(|word| word == "|").next().unwrap().to_vec()
    }

    #[test]
    fn what_the_readme_and_the_help_show_works() {
        let help = crate::ui::cli::of(&["m", "ctl", "--help"].map(str::to_owned));
        let help = help.unwrap_err().to_string();
        let texts = [include_str!("../../../README.md"), help.as_str()];
        let mut found = 0;
        for line in texts.iter().flat_map(|text| text.lines()).map(str::trim) {
            let line = line.strip_prefix("$ ").unwrap_or(line);
            if !line.starts_with("meta-orchestrator ctl ") || line.contains("lists them") {
                continue;
            }
            found += 1;
            let options = crate::ui::cli::of(&split(line)).expect(line);
            if let Task::Ctl(ctl) = options.task
                && let What::Command(words) = ctl.what
            {
                command(&words, &mut ctl.how.clone()).expect(line);
            }
        }
        assert!(found >= 12, "{found}");
    }
}
