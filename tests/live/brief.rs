//! What the model service has a worker do that is told to read a brief: look at it, do what its lines say, report.
//!
//! A line `DO: command` of a task is run, `PUT: path` is written as a file. A reviewer looks at what was changed,
//! and passes it if the word after `CHECK` stands there; else its reasons name the command after `CURE`, which the
//! author runs that finds it in its next brief.

/// What a worker does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Runs a command.
    Run(String),
    /// Writes a file: its path and its text.
    Write(String, String),
    /// Has done all of it.
    Rest,
}

const REPORT: &str = "Scope: what the brief says\nResult: done, all of it\nKey files: those of the task\n\
    Files changed: those of the task\nIssues: none\n";

/// What follows from the newest text and from what tools gave back since; `None`: the text names no brief.
pub fn next(text: &str, results: &[String]) -> Option<Next> {
    let file = text
        .strip_prefix("Read ")?
        .strip_suffix(" and do what it says.")?;
    if !file.starts_with(".mo/") {
        return None;
    }
    let Some((brief, done)) = results.split_first() else {
        return Some(Next::Run(format!("cat {file}")));
    };
    let steps = steps(brief, done);
    Some(steps.get(done.len()).cloned().unwrap_or(Next::Rest))
}

fn steps(brief: &str, done: &[String]) -> Vec<Next> {
    let after = |word: &str| brief.split_once(word).map(|(_, rest)| rest);
    let answer = after("rite the file `").and_then(|rest| rest.split('`').next());
    let answer = answer.unwrap_or_default().to_owned();
    if brief.lines().any(|line| line.starts_with("# Review of ")) {
        let range = after("git diff ").and_then(|rest| rest.split(['`', '\n']).next());
        let look = format!("git diff {}", range.unwrap_or_default());
        let mark = after("CHECK ").and_then(|rest| rest.split_whitespace().next());
        let shown = done.first().map_or("", String::as_str);
        let cure = after("CURE ").and_then(|rest| rest.lines().next());
        let verdict = match mark.filter(|mark| !shown.contains(mark)) {
            Some(mark) => format!(
                "FAIL\n\n- `{look}` does not show {mark}.\nDO: {}\n",
                cure.unwrap_or("true")
            ),
            None => format!("PASS\n\n- `{look}` shows it.\n"),
        };
        return vec![Next::Run(look), Next::Write(answer, verdict)];
    }
    let of_line = |line: &str| {
        let line = line.trim();
        // what a reviewer wrote is quoted
        let line = line.strip_prefix("> ").unwrap_or(line);
        let command = line.strip_prefix("DO: ");
        let command = command.map(|command| Next::Run(command.to_owned()));
        let path = line.strip_prefix("PUT: ");
        command.or_else(|| path.map(|path| Next::Write(path.to_owned(), "put\n".to_owned())))
    };
    let mut steps: Vec<Next> = brief.lines().filter_map(of_line).collect();
    steps.push(Next::Write(answer, REPORT.to_owned()));
    steps
}
