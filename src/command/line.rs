//! Turns a typed line into a [`Command`].
//!
//! A line that does not begin with `/` never acts. Free text at the end of a line stays as it was typed:
//! quotes, backslashes, `#` and inner blanks mean nothing here; only blanks around it are dropped. Nothing
//! here touches an agent or a file; front ends call it.

use std::path::PathBuf;
use std::str::FromStr;

use super::nearest::{bare, nearest, unknown_command};
use super::table::{Entry, FIELDS, Field};
use super::{Command, Goal, Setting};
use crate::error::Failure;
use crate::ids::Kind;

/// The most memos that `/log` shows at once.
const MOST_MEMOS: usize = 1_000;
/// The most minutes that `/hold` takes: a week.
const LONGEST_HOLD: u32 = 7 * 24 * 60;
/// How the word begins that says what kind of agent it is.
pub(super) const KIND: &str = "kind=";

/// Reads one typed line; `None` where it is blank or a `#` comment.
///
/// # Errors
/// When it does not begin with `/`, names no command, or its arguments are not those of the command's usage
/// line, which the failure then shows.
pub fn parse(line: &str) -> Result<Option<Command>, Failure> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (word, rest) = split_word(line);
    let Some(name) = word.strip_prefix('/') else {
        return Err(not_a_command(word));
    };
    let entry = Entry::find(name).ok_or_else(|| unknown_command(name))?;
    let mut given = Given {
        entry,
        taken: 0,
        rest,
    };
    let command = (entry.build)(&mut given)?;
    given.end()?;
    Ok(Some(command))
}

/// The commands in one piece of input: a terminal hands a paste of several lines over as one.
///
/// Lines that all begin with `/` are commands of their own; where only the first does, the others belong to
/// its text.
///
/// # Errors
/// When some of the further lines begin with `/` and some do not: which are commands is anybody's guess.
pub fn split_paste(input: &str) -> Result<Vec<&str>, Failure> {
    let lines = input.lines().map(str::trim).filter(|line| !line.is_empty());
    let (commands, others): (Vec<&str>, Vec<&str>) = lines
        .clone()
        .skip(1)
        .partition(|line| line.starts_with('/') || line.starts_with('#'));
    match (commands.is_empty(), others.is_empty()) {
        (true, _) => Ok(vec![input]),
        (false, true) => Ok(lines.collect()),
        (false, false) => Err(Failure::usage(
            "these lines mix commands with other text; none of them was carried out",
        )
        .hint("enter them one by one")),
    }
}

fn not_a_command(word: &str) -> Failure {
    let failure = Failure::usage("a line that does not begin with `/` does nothing");
    match Entry::find(word) {
        Some(entry) => failure.hint(format!("did you mean `/{}`?", entry.name)),
        None => failure.hint("to answer an agent: /reply ID TEXT...; `/help` lists the commands"),
    }
}

/// The first word of `text`, which begins with one, and what follows the blank after it.
pub(super) fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// `~/` at the beginning of a path stands for the person's folder.
pub(super) fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        (None, Some(home)) if path == "~" => home,
        _ => PathBuf::from(path),
    }
}

/// What a line gives to a command, taken from its front argument by argument.
#[derive(Debug)]
pub(super) struct Given<'a> {
    entry: &'static Entry,
    taken: usize,
    rest: &'a str,
}

impl<'a> Given<'a> {
    fn wrong(&self, message: impl Into<String>) -> Failure {
        Failure::usage(message).hint(format!("usage: {}", self.entry.usage()))
    }

    fn missing(&self) -> Failure {
        let argument = self.entry.arguments.get(self.taken);
        let name = argument.map_or("more", |argument| argument.name);
        self.wrong(format!("`/{}` needs {name}", self.entry.name))
    }

    fn next_word(&mut self) -> Result<&'a str, Failure> {
        let (word, rest) = split_word(self.rest);
        if word.is_empty() {
            return Err(self.missing());
        }
        self.taken += 1;
        self.rest = rest;
        Ok(word)
    }

    /// The next word as a name or a number.
    pub(super) fn word<T: FromStr<Err: ToString>>(&mut self) -> Result<T, Failure> {
        let word = self.next_word()?;
        word.parse()
            .map_err(|error: T::Err| self.wrong(error.to_string()))
    }

    /// What `take` takes, where anything is left.
    pub(super) fn optional<T>(
        &mut self,
        take: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        if self.rest.trim().is_empty() {
            return Ok(None);
        }
        take(self).map(Some)
    }

    /// Whether `flag` stands there; anything else is an error.
    pub(super) fn flag(&mut self, flag: &str) -> Result<bool, Failure> {
        let word = self.optional(Self::next_word)?;
        match word {
            None => Ok(false),
            Some(word) if word == flag => Ok(true),
            Some(word) => Err(self.wrong(format!("`{}` is not `{flag}`", word.escape_debug()))),
        }
    }

    /// The rest of the line, as it was typed.
    pub(super) fn text(&mut self) -> Result<String, Failure> {
        let text = self.rest.trim();
        if text.is_empty() {
            return Err(self.missing());
        }
        self.taken += 1;
        self.rest = "";
        Ok(text.to_owned())
    }

    /// The rest of the line as a path.
    pub(super) fn path(&mut self) -> Result<PathBuf, Failure> {
        self.text().map(|text| expand_home(&text))
    }

    /// The rest of the line as a goal.
    pub(super) fn goal(&mut self) -> Result<Goal, Failure> {
        let text = self.text()?;
        match text.strip_prefix('@').map(str::trim) {
            Some("") => Err(self.wrong("`@` needs the name of a file after it")),
            Some(path) => Ok(Goal::File(expand_home(path))),
            None => Ok(Goal::Text(text)),
        }
    }

    /// How many memos.
    pub(super) fn count(&mut self) -> Result<usize, Failure> {
        let word = self.next_word()?;
        match word.parse() {
            Ok(count) if (1..=MOST_MEMOS).contains(&count) => Ok(count),
            _ => {
                let shown = word.escape_debug();
                Err(self.wrong(format!("`{shown}` is no number from 1 to {MOST_MEMOS}")))
            }
        }
    }

    /// How many minutes, up to a week.
    pub(super) fn minutes(&mut self) -> Result<u32, Failure> {
        let word = self.next_word()?;
        match word.parse() {
            Ok(minutes) if (1..=LONGEST_HOLD).contains(&minutes) => Ok(minutes),
            _ => {
                let shown = word.escape_debug();
                Err(self.wrong(format!(
                    "`{shown}` is no number of minutes from 1 to {LONGEST_HOLD}"
                )))
            }
        }
    }

    /// The name of a kind of agent; `none` is none.
    pub(super) fn kind(&mut self) -> Result<Option<Kind>, Failure> {
        match self.rest.trim() {
            "none" => self.next_word().map(|_| None),
            _ => self.word().map(Some),
        }
    }

    /// The kind after `kind=`, where the next word begins so.
    pub(super) fn with_kind(&mut self) -> Result<Option<Kind>, Failure> {
        let rest = self.rest.trim_start();
        let Some(after) = rest.strip_prefix(KIND) else {
            self.taken += 1;
            return Ok(None);
        };
        self.rest = after;
        if after.starts_with(char::is_whitespace) || after.is_empty() {
            return Err(self.wrong("`kind=` needs the name of a kind of agent after it"));
        }
        self.word().map(Some)
    }

    /// A switch, in the words that people use for it.
    pub(super) fn switch(&mut self) -> Result<bool, Failure> {
        match self.next_word()? {
            "true" | "yes" | "on" => Ok(true),
            "false" | "no" | "off" => Ok(false),
            word => {
                let shown = word.escape_debug();
                Err(self.wrong(format!("`{shown}` is neither `true` nor `false`")))
            }
        }
    }

    /// The name of a command, without its slash.
    pub(super) fn command(&mut self) -> Result<String, Failure> {
        let word = bare(self.next_word()?);
        let entry = Entry::find(word).ok_or_else(|| unknown_command(word))?;
        Ok(entry.name.to_owned())
    }

    /// A field and its value.
    pub(super) fn setting(&mut self) -> Result<Setting, Failure> {
        let word = self.next_word()?;
        let Some(field) = Field::find(word) else {
            let failure = self.wrong(format!("there is no field `{}`", word.escape_debug()));
            let names = || FIELDS.iter().map(|field| field.name);
            return Err(match nearest(word, names()) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint(format!(
                    "FIELD is {}",
                    names().collect::<Vec<_>>().join(", ")
                )),
            });
        };
        (field.build)(self)
    }

    fn end(&self) -> Result<(), Failure> {
        let extra = self.rest.trim();
        if extra.is_empty() {
            return Ok(());
        }
        let shown: String = extra
            .chars()
            .take(40)
            .flat_map(char::escape_debug)
            .collect();
        Err(self.wrong(format!("`/{}` takes no `{shown}`", self.entry.name)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> crate::ids::AgentId {
        text.parse().unwrap()
    }

    fn reply(text: &str) -> Command {
        Command::Reply {
            id: id("a1"),
            text: text.into(),
        }
    }

    #[test]
    fn lines_become_commands() {
        let pane = |text: &str| text.parse().unwrap();
        let add = |goal: Goal| Command::Add {
            id: id("a1"),
            pane: pane("work:18"),
            kind: None,
            goal,
        };
        let set = |setting: Setting| Command::Set {
            id: id("a1"),
            setting,
        };
        let review = |send| Command::Review { id: id("a1"), send };
        let cases = [
            ("/list", Command::List),
            ("  /list \t\r\n", Command::List),
            (
                "/add a1 work:18 make it  fast",
                add(Goal::Text("make it  fast".into())),
            ),
            (
                "/add a1 work:18 @goals/a b.txt",
                add(Goal::File("goals/a b.txt".into())),
            ),
            (
                "/add\ta1   work:terminal_18  g",
                add(Goal::Text("g".into())),
            ),
            (
                "/add a1 work:18 kind=codex kind=x",
                Command::Add {
                    id: id("a1"),
                    pane: pane("work:18"),
                    kind: Some("codex".parse().unwrap()),
                    goal: Goal::Text("kind=x".into()),
                },
            ),
            (
                "/add a1 work:18 kind of a goal",
                add(Goal::Text("kind of a goal".into())),
            ),
            (
                "/approve a1",
                Command::Approve {
                    id: id("a1"),
                    option: None,
                },
            ),
            (
                "/approve a1 Yes, and don't ask again",
                Command::Approve {
                    id: id("a1"),
                    option: Some("Yes, and don't ask again".into()),
                },
            ),
            (
                "/deny a1",
                Command::Deny {
                    id: id("a1"),
                    text: None,
                },
            ),
            (
                "/deny a1  not that # one",
                Command::Deny {
                    id: id("a1"),
                    text: Some("not that # one".into()),
                },
            ),
            (
                "/answer a1 2",
                Command::Answer {
                    id: id("a1"),
                    option: "2".into(),
                },
            ),
            (
                "/hold a1",
                Command::Hold {
                    id: id("a1"),
                    minutes: None,
                },
            ),
            (
                "/hold a1 10080",
                Command::Hold {
                    id: id("a1"),
                    minutes: Some(10_080),
                },
            ),
            ("/release a1", Command::Release { id: id("a1") }),
            ("/stopall", Command::StopAll),
            ("/startall", Command::StartAll),
            (
                "/explain a1",
                Command::Explain {
                    id: id("a1"),
                    json: false,
                },
            ),
            (
                "/explain a1 --json",
                Command::Explain {
                    id: id("a1"),
                    json: true,
                },
            ),
            (
                "/capture a1",
                Command::Capture {
                    id: id("a1"),
                    folder: None,
                },
            ),
            (
                "/capture a1 my captures",
                Command::Capture {
                    id: id("a1"),
                    folder: Some("my captures".into()),
                },
            ),
            (
                "/set a1 kind generic",
                set(Setting::Kind(Some("generic".parse().unwrap()))),
            ),
            ("/set a1 kind none", set(Setting::Kind(None))),
            ("/stop a1", Command::Stop { id: id("a1") }),
            ("/review a1", review(false)),
            ("/review a1 --send", review(true)),
            ("/save", Command::Save { path: None }),
            (
                "/save  a b.json ",
                Command::Save {
                    path: Some("a b.json".into()),
                },
            ),
            (
                "/load '/tmp/x'",
                Command::Load {
                    path: "'/tmp/x'".into(),
                },
            ),
            ("/adopt", Command::Adopt { pattern: None }),
            (
                "/adopt my project",
                Command::Adopt {
                    pattern: Some("my project".into()),
                },
            ),
            (
                "/log a1",
                Command::Log {
                    id: id("a1"),
                    count: 10,
                },
            ),
            (
                "/log a1 3",
                Command::Log {
                    id: id("a1"),
                    count: 3,
                },
            ),
            (
                "/help /add",
                Command::Help {
                    command: Some("add".into()),
                },
            ),
            (
                "/set a1 goal @~x",
                set(Setting::Goal(Goal::File("~x".into()))),
            ),
            (
                "/set a1 goal two words",
                set(Setting::Goal(Goal::Text("two words".into()))),
            ),
            (
                "/set a1 stallSec 0.5",
                set(Setting::StallSec("0.5".parse().unwrap())),
            ),
            ("/set a1 pane 7", set(Setting::Pane(pane("7")))),
            ("/set a1 observe off", set(Setting::Observe(false))),
        ];
        for (line, expected) in cases {
            assert_eq!(parse(line), Ok(Some(expected)), "{line}");
        }
    }

    #[test]
    fn free_text_arrives_as_it_was_typed() {
        for text in [
            "don't stop # yet",
            r#"say "hi"  \n \\ `x` $HOME ~ *"#,
            "--send",
            "/list",
            "a\tb",
            "first\nsecond",
            "→ ünïcode 漢字",
        ] {
            assert_eq!(parse(&format!("/reply a1 {text}\n")), Ok(Some(reply(text))));
        }
    }

    #[test]
    fn blank_lines_and_comments_are_nothing() {
        for line in ["", "  ", "\n", "# /quit", "   #"] {
            assert_eq!(parse(line), Ok(None), "{line:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_the_usage_line_and_the_nearest_name() {
        let cases = [
            (
                "yes do it",
                &["does not begin with `/`", "did you mean `/yes`?"][..],
            ),
            ("go on", &["does not begin with `/`", "/reply ID TEXT..."]),
            ("/lsit", &["no command `/lsit`", "did you mean `/list`?"]),
            ("/", &["no command `/`", "`/help`"]),
            (
                "/add",
                &["`/add` needs ID", "usage: /add ID PANE [kind=KIND] GOAL..."],
            ),
            ("/add a1 18", &["`/add` needs GOAL...", "usage: /add"]),
            ("/add a/b 18 g", &["`a/b` is no agent id", "usage: /add"]),
            (
                "/add a1 plugin_1 g",
                &["`plugin_1` is no pane", "usage: /add"],
            ),
            ("/add a1 18 @", &["`@` needs the name of a file"]),
            (
                "/reply a1",
                &["`/reply` needs TEXT...", "usage: /reply ID TEXT..."],
            ),
            ("/stop a1 a2", &["`/stop` takes no `a2`", "usage: /stop ID"]),
            ("/list\n/panes", &["`/list` takes no `/panes`"]),
            (
                "/review a1 --sned",
                &["`--sned` is not `--send`", "usage: /review ID [--send]"],
            ),
            ("/log a1 0", &["`0` is no number from 1 to 1000"]),
            (
                "/help lits",
                &["no command `/lits`", "did you mean `/list`?"],
            ),
            (
                "/set a1 stallsec 5",
                &[
                    "no field `stallsec`",
                    "did you mean `stallSec`?",
                    "usage: /set",
                ],
            ),
            (
                "/set a1 xyzzyx 5",
                &["FIELD is goal, stallSec, pollSec, pane, observe, kind"],
            ),
            (
                "/set a1 pollSec 0",
                &["`0` is no number of seconds", "usage: /set"],
            ),
            (
                "/set a1 observe maybe",
                &["`maybe` is neither `true` nor `false`"],
            ),
            ("/set a1 observe", &["`/set` needs VALUE"]),
            ("/set a1 kind", &["`/set` needs VALUE"]),
            ("/set a1 kind a/b", &["`a/b` is no kind of agent"]),
            (
                "/add a1 18 kind=",
                &["`kind=` needs the name", "usage: /add"],
            ),
            ("/add a1 18 kind= x", &["`kind=` needs the name"]),
            ("/add a1 18 kind=x", &["`/add` needs GOAL..."]),
            (
                "/hold a1 0",
                &["`0` is no number of minutes from 1 to 10080"],
            ),
            ("/hold a1 for ever", &["`for` is no number of minutes"]),
            (
                "/approve",
                &["`/approve` needs ID", "usage: /approve ID [OPTION...]"],
            ),
            ("/answer a1", &["`/answer` needs ANSWER..."]),
            ("/stopall a1", &["`/stopall` takes no `a1`"]),
            ("/explain a1 json", &["`json` is not `--json`"]),
        ];
        for (line, expected) in cases {
            let failure = parse(line).unwrap_err();
            assert_eq!(failure.kind, crate::error::Kind::Usage);
            for part in expected {
                let shown = failure.to_string();
                assert!(
                    shown.contains(part),
                    "{line}\n  gives {shown}\n  without {part}"
                );
            }
        }
    }

    #[test]
    fn a_paste_of_commands_is_split_and_a_text_of_several_lines_is_not() {
        assert_eq!(split_paste("/list").unwrap(), ["/list"]);
        assert_eq!(
            split_paste("/list\n\n/panes\n# so\n").unwrap(),
            ["/list", "/panes", "# so"]
        );
        assert_eq!(split_paste("/reply a1 x\ny").unwrap(), ["/reply a1 x\ny"]);
        assert_eq!(split_paste("").unwrap(), [""]);
        assert!(split_paste("/reply a1 x\ny\n/list").is_err());
    }

    #[test]
    fn the_persons_folder_is_put_in_for_a_tilde() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(expand_home("~/a b"), home.join("a b"));
        assert_eq!(expand_home("~other/a"), PathBuf::from("~other/a"));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(line in ".*", paste in "[/a# \n]*") {
            let _ = parse(&line);
            let _ = parse(&format!("/{line}"));
            let _ = parse(&format!("/set a1 {line}"));
            let _ = split_paste(&paste);
        }

        #[test]
        fn a_line_without_a_slash_never_becomes_a_command(line in "[^/].*") {
            prop_assume!(!line.trim_start().starts_with('/'));
            prop_assert!(!matches!(parse(&line), Ok(Some(_))));
        }

        #[test]
        fn any_reply_arrives_whole(text in r"\S(.*\S)?") {
            prop_assert_eq!(parse(&format!("/reply a1 {text}\n")), Ok(Some(reply(text.trim()))));
        }
    }
}
