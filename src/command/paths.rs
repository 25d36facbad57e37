//! Makes the relative paths of a command those of the person who gave it: it may be carried out by a program that
//! runs in another folder. Pure; `socket` and `ui` call it.

use std::path::{Path, PathBuf};

use super::line::expand_home;
use super::missions::MissionVerb;
use super::{Command, Goal, Setting};

/// The command with its relative paths taken from `folder`; as it is, where there is none.
pub fn absolute(mut command: Command, folder: Option<&Path>) -> Command {
    let Some(folder) = folder else {
        return command;
    };
    if let Command::Mission {
        verb: MissionVerb::Run,
        rest,
    } = &mut command
    {
        *rest = folder.join(expand_home(rest.trim())).display().to_string();
        return command;
    }
    if let Command::Mission {
        verb: MissionVerb::Edit,
        rest,
    } = &mut command
    {
        // the file is the last word
        if let Some((before, file)) = rest.trim().rsplit_once(char::is_whitespace) {
            let file = folder.join(expand_home(file));
            *rest = format!("{before} {}", file.display());
        }
        return command;
    }
    let path = match &mut command {
        Command::Save { path } | Command::Capture { folder: path, .. } => path.as_mut(),
        Command::Load { path } => Some(path),
        Command::Add { goal, .. }
        | Command::Set {
            setting: Setting::Goal(goal),
            ..
        } => in_goal(goal),
        _ => None,
    };
    if let Some(path) = path {
        // joined to an absolute one, it stays what it is
        *path = folder.join(&*path);
    }
    command
}

fn in_goal(goal: &mut Goal) -> Option<&mut PathBuf> {
    match goal {
        Goal::File(path) => Some(path),
        Goal::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::line::parse;

    #[test]
    fn relative_paths_are_those_of_the_person() {
        for (typed, meant) in [
            ("/save", "/save"),
            ("/save a b.json", "/save /here/a b.json"),
            ("/load ../c.json", "/load /here/../c.json"),
            ("/load /etc/c.json", "/load /etc/c.json"),
            ("/capture a1", "/capture a1"),
            ("/capture a1 shots", "/capture a1 /here/shots"),
            (
                "/mission edit notes cli p.json",
                "/mission edit notes cli /here/p.json",
            ),
            (
                "/mission edit cli /etc/p.json",
                "/mission edit cli /etc/p.json",
            ),
            ("/mission edit cli", "/mission edit cli"),
            ("/add a1 18 @goal.txt", "/add a1 18 @/here/goal.txt"),
            ("/add a1 18 goal.txt", "/add a1 18 goal.txt"),
            ("/set a1 goal @goal.txt", "/set a1 goal @/here/goal.txt"),
            ("/reply a1 goal.txt", "/reply a1 goal.txt"),
        ] {
            let command = parse(typed).unwrap().unwrap();
            let expected = parse(meant).unwrap().unwrap();
            assert_eq!(
                absolute(command.clone(), Some(Path::new("/here"))),
                expected
            );
            assert_eq!(absolute(command.clone(), None), command);
        }
    }
}
