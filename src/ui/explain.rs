//! `meta-orchestrator explain --screen FILE`: reads one dump of a screen and prints what it says.
//!
//! Needs no zellij. Reads the file, and `case.json` beside it where there is one; `main` calls it.

use std::io::{self, Read};
use std::path::Path;

use chrono::{Local, Utc};
use serde::Deserialize;

use super::cli::ScreenOptions;
use crate::command::explain::screen::{Dumped, explain, words};
use crate::command::reply::Frame;
use crate::error::{Failure, Kind};
use crate::screen::profile::Profiles;
use crate::screen::prompt::Cursor;
use crate::store;

/// The largest dump that is read, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// What of a case is known beside its screens.
#[derive(Debug, Default, Deserialize)]
struct Case {
    #[serde(default)]
    columns: Option<usize>,
    #[serde(default)]
    cursors: Vec<Option<(usize, usize)>>,
}

/// Explains the screen and prints it.
///
/// # Errors
/// When the file is not there, too large or no text, or there is no such kind of agent.
pub fn run(options: &ScreenOptions, profiles: &Profiles) -> Result<u8, Failure> {
    let explained = explain(&dumped(options)?, options.kind.as_ref(), profiles)?;
    let text = if options.json {
        let text = serde_json::to_string_pretty(&explained);
        text.map_err(|error| Failure::from_error(Kind::Bug, &error))? + "\n"
    } else {
        let frame = Frame {
            columns: usize::MAX,
            now: Utc::now().with_timezone(&Local).fixed_offset(),
        };
        words(&explained, &frame)
    };
    super::print(text.as_bytes())?;
    Ok(0)
}

fn dumped(options: &ScreenOptions) -> Result<Dumped, Failure> {
    let path = options.screen.as_path();
    let (text, case) = if path == Path::new("-") {
        (from_stdin()?, Case::default())
    } else {
        let document = store::read_document(path, LARGEST)?;
        let missing = || Failure::usage(format!("there is no file {}", path.display()));
        (document.ok_or_else(missing)?.text().to_owned(), case(path))
    };
    // `2.ansi` is the second screen of its case
    let number = path.file_stem().and_then(|stem| stem.to_str());
    let number: usize = number.and_then(|stem| stem.parse().ok()).unwrap_or(1);
    let at = number
        .checked_sub(1)
        .and_then(|index| case.cursors.get(index).copied().flatten());
    let at = options.cursor.or(at);
    Ok(Dumped {
        text,
        columns: options.columns.or(case.columns),
        cursor: at.map(|(column, row)| Cursor { column, row }),
    })
}

fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = io::stdin()
        .lock()
        .take(LARGEST + 1)
        .read_to_string(&mut text);
    let failed = |why: String| Failure::new(Kind::Failed, "could not read stdin").because_text(why);
    read.map_err(|error| failed(error.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(failed(format!("it is larger than {LARGEST} bytes")));
    }
    Ok(text)
}

/// `case.json` beside a screen; nothing where it is not there or is something else.
fn case(screen: &Path) -> Case {
    let path = screen.with_file_name("case.json");
    let document = store::read_document(&path, LARGEST).ok().flatten();
    document
        .and_then(|document| serde_json::from_str(document.text()).ok())
        .unwrap_or_default()
}
