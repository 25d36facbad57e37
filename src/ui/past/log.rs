//! `meta-orchestrator log`: records of one agent, those that come too.

use std::collections::VecDeque;
use std::io::Write;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::out::{Stop, ended, stdout, wait};
use super::{Bounds, Logs, frame, tell, tell_unread};
use crate::command::past::{came_after, json_line, record};
use crate::command::reply::Frame;
use crate::command::when::Clock;
use crate::error::Failure;
use crate::record::logs::Kind;
use crate::record::past::{Entry, Known, Past, Recorded, Wanted, Window, newest};
use crate::record::{Memo, Step};
use crate::ui::cli::past::{LogOptions, Which};

/// How often logs that are followed are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// With how many records following begins, where nothing else is said.
const FIRST: usize = 10;

/// Prints what is asked for.
pub fn run(
    logs: &Logs,
    options: &LogOptions,
    clock: &Clock<'_>,
    columns: usize,
) -> Result<u8, Failure> {
    logs.check(&options.id)?;
    let shown = Shown {
        filter: Filter::new(options, clock),
        frame: frame(clock, columns),
        json: options.json,
    };
    let mut out = stdout();
    ended(if options.follow {
        let moment = || wait(LOOK_AGAIN).then(Utc::now);
        follow(logs, options, shown, &mut out, moment)
    } else {
        once(logs, options, &shown, &mut out)
    })
}

/// Which records are shown, and how.
pub(super) struct Shown {
    pub(super) filter: Filter,
    pub(super) frame: Frame,
    pub(super) json: bool,
}

impl Shown {
    fn print(&self, it: &Recorded, out: &mut impl Write) -> Result<(), Stop> {
        let text = if self.json {
            json_line(&it.line)
        } else {
            record(&it.entry, &self.frame)
        };
        Ok(out.write_all(text.as_bytes())?)
    }
}

fn wanted<'a>(options: &LogOptions, shown: &Shown) -> Wanted<'a> {
    let kinds: &[Kind] = if options.decisions {
        // what was answered stands before what is remembered of it
        &[Kind::Decisions, Kind::Memos]
    } else {
        &[Kind::Memos]
    };
    Wanted {
        kinds,
        since: shown.filter.bounds.since,
    }
}

/// What is there.
pub(super) fn once(
    logs: &Logs,
    options: &LogOptions,
    shown: &Shown,
    out: &mut impl Write,
) -> Result<(), Stop> {
    let (id, wanted) = (&options.id, wanted(options, shown));
    if let Some(number) = options.number {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let fits = |entry: &Entry| shown.filter.fits(entry);
        let (found, unread) = newest(&logs.folder, id, wanted, number, fits)?;
        for it in &found {
            shown.print(it, out)?;
        }
        out.flush()?;
        tell(crate::command::past::unread(unread, id));
        return Ok(());
    }
    let mut past = Past::read(&logs.folder, id, wanted)?;
    let mut window = Window::default();
    while let Some(record) = past.next_record()? {
        window.push(record);
        while let Some(ripe) = window.pop_ripe() {
            shown
                .filter
                .fits(&ripe.entry)
                .then(|| shown.print(&ripe, out))
                .transpose()?;
        }
    }
    while let Some(ripe) = window.pop() {
        shown
            .filter
            .fits(&ripe.entry)
            .then(|| shown.print(&ripe, out))
            .transpose()?;
    }
    out.flush()?;
    tell_unread(&past, id);
    Ok(())
}

/// What is there and what comes, until `wait`, which waits a moment and tells the time then, says that nobody reads
/// it any more.
pub(super) fn follow(
    logs: &Logs,
    options: &LogOptions,
    mut shown: Shown,
    out: &mut impl Write,
    mut wait: impl FnMut() -> Option<DateTime<Utc>>,
) -> Result<(), Stop> {
    let mut past = Past::follow(&logs.folder, &options.id, wanted(options, &shown))?;
    let all = shown.filter.bounds.since.is_some();
    let first = match options.number {
        Some(number) => usize::try_from(number).unwrap_or(usize::MAX),
        None if all => usize::MAX,
        None => FIRST,
    };
    let mut known = Known::default();
    let mut window = Window::default();
    let mut latest: VecDeque<Recorded> = VecDeque::new();
    let mut take_first = |record: Recorded, out: &mut _| -> Result<(), Stop> {
        if !shown.filter.fits(&record.entry) {
            return Ok(());
        }
        known.is_known(&record.entry);
        if first == usize::MAX {
            return shown.print(&record, out);
        }
        latest.push_back(record);
        if latest.len() > first {
            latest.pop_front();
        }
        Ok(())
    };
    while let Some(record) = past.next_record()? {
        window.push(record);
        while let Some(ripe) = window.pop_ripe() {
            take_first(ripe, out)?;
        }
    }
    while let Some(ripe) = window.pop() {
        take_first(ripe, out)?;
    }
    for record in &latest {
        shown.print(record, out)?;
    }
    drop(latest);
    let mut unread = past.unread();
    tell_unread(&past, &options.id);
    loop {
        out.flush()?;
        let Some(now) = wait() else {
            return Ok(());
        };
        shown.frame.now = now.with_timezone(shown.frame.now.offset());
        while let Some(record) = past.next_record()? {
            if shown.filter.fits(&record.entry) {
                let is_later_word = known.is_known(&record.entry);
                show_new(&record, is_later_word, &shown, out)?;
            }
        }
        if past.unread() != unread {
            unread = past.unread();
            tell_unread(&past, &options.id);
        }
    }
}

/// A record that has just come; of a memo that was shown already, what came after it.
fn show_new(
    record: &Recorded,
    is_later_word: bool,
    shown: &Shown,
    out: &mut impl Write,
) -> Result<(), Stop> {
    match &record.entry {
        Entry::Memo(memo) if is_later_word && !shown.json => {
            Ok(out.write_all(came_after(memo, &shown.frame).as_bytes())?)
        }
        _ => shown.print(record, out),
    }
}

/// Which records are asked for.
pub(super) struct Filter {
    pub(super) bounds: Bounds,
    actions: Vec<String>,
    /// In small letters.
    words: Vec<String>,
}

impl Filter {
    pub(super) fn new(options: &LogOptions, clock: &Clock<'_>) -> Self {
        let text = options.text.as_deref().unwrap_or_default();
        Self {
            bounds: Bounds::new(&options.span, clock),
            actions: options.action.iter().map(|which| word(*which)).collect(),
            words: text.split_whitespace().map(str::to_lowercase).collect(),
        }
    }

    pub(super) fn fits(&self, entry: &Entry) -> bool {
        self.bounds.holds(entry.ts()) && self.fits_action(entry) && self.fits_text(entry)
    }

    fn fits_action(&self, entry: &Entry) -> bool {
        let is = |word: &str| self.actions.iter().any(|action| action == word);
        self.actions.is_empty()
            || match entry {
                Entry::Memo(memo) => is(memo.action.as_str()),
                Entry::Step(line) => {
                    let verdict = match &line.step {
                        Step::Answered { verdict, .. } => verdict.as_ref(),
                        _ => None,
                    };
                    is(step_word(&line.step))
                        || verdict.is_some_and(|verdict| is(verdict.action.as_str()))
                }
                Entry::Review(_) => false,
            }
    }

    fn fits_text(&self, entry: &Entry) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let texts = texts(entry).to_lowercase();
        self.words.iter().all(|word| texts.contains(word))
    }
}

/// All that a record says in words.
fn texts(entry: &Entry) -> String {
    let parts: Vec<String> = match entry {
        Entry::Memo(memo) => memo_texts(memo),
        Entry::Review(review) => vec![review.text.clone()],
        Entry::Step(line) => match &line.step {
            Step::Asked { prompt, .. } => vec![prompt.clone()],
            Step::Answered {
                verdict,
                problem,
                answer,
                ..
            } => {
                let said = verdict
                    .as_ref()
                    .map(|it| format!("{}\n{}", it.text, it.reasoning));
                let said = said.into_iter().chain(problem.clone());
                said.chain([answer.clone()]).collect()
            }
            Step::Intent { text, .. } => vec![text.clone()],
            Step::Receipt { text, receipt, .. } => vec![text.clone(), receipt.to_string()],
            Step::Counted { why } => vec![why.clone()],
        },
    };
    parts.join("\n")
}

fn memo_texts(memo: &Memo) -> Vec<String> {
    let receipt = memo.receipt.as_ref().map(ToString::to_string);
    let after = memo.after_summary.clone();
    let texts = [memo.text.clone(), memo.reasoning.clone()].into_iter();
    texts.chain(receipt).chain(after).collect()
}

fn step_word(step: &Step) -> &'static str {
    match step {
        Step::Asked { .. } => "asked",
        Step::Answered { .. } => "answered",
        Step::Intent { .. } => "intent",
        Step::Receipt { .. } => "receipt",
        Step::Counted { .. } => "counted",
    }
}

fn word(which: Which) -> String {
    use clap::ValueEnum;
    let value = which.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}
