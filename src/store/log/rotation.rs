//! Setting a log aside: `a.memos.jsonl` becomes `a.memos.2026-11-21T032600Z.jsonl`.
//!
//! Nothing is ever overwritten, and only files whose names have exactly this form are ever deleted.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::store::path::{FileId, folder_of};

/// When a log is set aside, and how long it is then kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// A log that would grow past this many bytes is set aside first (0: never).
    pub max_bytes: u64,
    /// Logs that were set aside longer ago than so many days are deleted (0: never).
    pub keep_days: u32,
}

const STAMP: &str = "%Y-%m-%dT%H%M%SZ";

/// A log that was set aside. Their order is the order in which that happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SetAside {
    /// When, in UTC, by the clock of then.
    at: NaiveDateTime,
    /// Tells apart those of one second, and keeps the order while the clock goes backwards: 1, 2 ...
    number: u32,
    pub(super) path: PathBuf,
}

/// How the names of a log and of those set aside are made: `BEGINNING STAMP [-NUMBER] END`.
struct Names<'a> {
    folder: &'a Path,
    beginning: String,
    end: String,
}

impl<'a> Names<'a> {
    /// `None` for a name that is no text: such a log is never set aside.
    fn of(log: &'a Path) -> Option<Self> {
        let stem = log.file_stem()?.to_str()?;
        let end = match log.extension() {
            Some(extension) => format!(".{}", extension.to_str()?),
            None => String::new(),
        };
        Some(Self {
            folder: folder_of(log),
            beginning: format!("{stem}."),
            end,
        })
    }

    fn path(&self, at: NaiveDateTime, number: u32) -> PathBuf {
        let stamp = at.format(STAMP);
        let number = match number {
            1 => String::new(),
            more => format!("-{more}"),
        };
        let (beginning, end) = (&self.beginning, &self.end);
        self.folder.join(format!("{beginning}{stamp}{number}{end}"))
    }

    fn parse(&self, name: &str) -> Option<SetAside> {
        let middle = name
            .strip_prefix(&self.beginning)?
            .strip_suffix(&self.end)?;
        let (stamp, number) = match middle.split_once("Z-") {
            Some((stamp, number)) => (format!("{stamp}Z"), number.parse().ok()?),
            None => (middle.to_owned(), 1),
        };
        let at = NaiveDateTime::parse_from_str(&stamp, STAMP).ok()?;
        let path = self.path(at, number);
        // Only the very form that is written: with a zero missing it is somebody else's file.
        (path.file_name()?.to_str()? == name).then_some(SetAside { at, number, path })
    }
}

/// The logs that were set aside from `log`, oldest first.
pub(super) fn set_aside_logs(log: &Path) -> io::Result<Vec<SetAside>> {
    let Some(names) = Names::of(log) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    match fs::read_dir(names.folder) {
        Ok(entries) => {
            for entry in entries {
                found.extend(
                    entry?
                        .file_name()
                        .to_str()
                        .and_then(|name| names.parse(name)),
                );
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    found.sort();
    Ok(found)
}

/// Those older than `log` itself as it was opened, oldest first: while it is being read it may have been set
/// aside too, and others after it. Without those that were set aside before `since`: nothing in them is newer.
pub(super) fn older_than(
    log: &Path,
    opened: Option<&Metadata>,
    since: Option<DateTime<Utc>>,
) -> io::Result<Vec<PathBuf>> {
    let mut older = Vec::new();
    let opened = opened.map(FileId::of);
    for aside in set_aside_logs(log)? {
        // a name tells the second that had begun
        if since.is_some_and(|since| aside.at + TimeDelta::seconds(1) < since.naive_utc()) {
            continue;
        }
        let is_opened = |there: Metadata| Some(FileId::of(&there)) == opened;
        if opened.is_some() && fs::metadata(&aside.path).is_ok_and(is_opened) {
            break;
        }
        older.push(aside.path);
    }
    Ok(older)
}

/// Those that were set aside from `log` after the file `earlier` was, and before `newest` was, oldest first.
pub(super) fn set_aside_between(
    log: &Path,
    earlier: FileId,
    newest: Option<&Metadata>,
) -> io::Result<Vec<PathBuf>> {
    let mut older = older_than(log, newest, None)?;
    let is_earlier =
        |path: &PathBuf| fs::metadata(path).is_ok_and(|there| FileId::of(&there) == earlier);
    // one that is gone has nothing left after it but what is newest
    let after = older
        .iter()
        .position(is_earlier)
        .map_or(older.len(), |at| at + 1);
    Ok(older.split_off(after))
}

/// Renames `log` to its dated name, never over another file, and tells that name.
pub(super) fn set_aside(log: &Path, now: DateTime<Utc>) -> io::Result<PathBuf> {
    const MOST_TRIES: u32 = 1000;
    let names = Names::of(log).ok_or(ErrorKind::InvalidFilename)?;
    let now = now.naive_utc();
    let (at, first) = match set_aside_logs(log)?.pop() {
        // To the second, as names are; and never before the newest, whatever the clock says.
        Some(newest) if now < newest.at + TimeDelta::seconds(1) => (newest.at, newest.number + 1),
        _ => (now, 1),
    };
    for number in first..first.saturating_add(MOST_TRIES) {
        let path = names.path(at, number);
        match rename_to_new(log, &path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system without the flag: looking first leaves a window in which only another supervisor
        // that sets the same log aside in the same second could lose by it.
        Err(Errno::INVAL | Errno::NOSYS) => match fs::symlink_metadata(to) {
            Ok(_) => Err(ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(from, to),
        },
        result => Ok(result?),
    }
}

/// Deletes what was set aside from `log` more than `keep_days` days before `now` (0: nothing), and tells
/// what that was.
pub(super) fn delete_old(
    log: &Path,
    keep_days: u32,
    now: DateTime<Utc>,
) -> io::Result<Vec<PathBuf>> {
    if keep_days == 0 {
        return Ok(Vec::new());
    }
    let oldest = now.naive_utc() - TimeDelta::days(keep_days.into());
    let mut deleted = Vec::new();
    for aside in set_aside_logs(log)? {
        if aside.at < oldest {
            fs::remove_file(&aside.path)?;
            deleted.push(aside.path);
        }
    }
    Ok(deleted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn names_are_told_apart_from_other_files_names() {
        let log = Path::new("a.memos.jsonl");
        let names = Names::of(log).unwrap();
        for ours in [
            "a.memos.2026-11-21T032600Z.jsonl",
            "a.memos.2026-11-21T032600Z-2.jsonl",
        ] {
            assert!(names.parse(ours).is_some(), "{ours}");
        }
        for other in [
            "a.memos.jsonl",
            "a.memos.2026-11-21T032600Z-1.jsonl",
            "a.memos.2026-11-21T032600Z-02.jsonl",
            "a.memos.2026-11-21T032600Z-+2.jsonl",
            "a.memos.2026-13-21T032600Z.jsonl",
            "a.memos.2026-11-21T032661Z.jsonl",
            "a.memos.26-11-21T032600Z.jsonl",
            "a.memos.2026-11-21T032600Z.jsonl.gz",
            "a.memos.2026-11-21T032600Z.memos.jsonl",
            "a.memos.old.jsonl",
            "b.memos.2026-11-21T032600Z.jsonl",
        ] {
            assert!(names.parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn setting_aside_never_overwrites_and_keeps_the_order_when_the_clock_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.jsonl");
        let clock = [
            "2026-11-21T03:26:00.9Z",
            "2026-11-21T03:26:00.1Z",
            "2026-11-21T02:00:00Z",
            "2026-11-21T03:26:01Z",
        ];
        for (number, now) in clock.iter().enumerate() {
            fs::write(&log, number.to_string()).unwrap();
            set_aside(&log, time(now)).unwrap();
        }
        let order: Vec<String> = set_aside_logs(&log)
            .unwrap()
            .iter()
            .map(|aside| fs::read_to_string(&aside.path).unwrap())
            .collect();
        assert_eq!(order, ["0", "1", "2", "3"]);
        assert_eq!(
            names_in(folder.path()),
            [
                "a.2026-11-21T032600Z-2.jsonl",
                "a.2026-11-21T032600Z-3.jsonl",
                "a.2026-11-21T032600Z.jsonl",
                "a.2026-11-21T032601Z.jsonl",
            ]
        );
    }

    #[test]
    fn only_what_was_set_aside_long_ago_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.jsonl");
        for name in [
            "a.jsonl",
            "a.2026-01-01T000000Z.jsonl",
            "a.2026-11-20T000000Z.jsonl",
            "a.old.jsonl",
            "b.2026-01-01T000000Z.jsonl",
        ] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let now = time("2026-11-21T03:26:00Z");
        assert_eq!(delete_old(&log, 0, now).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(
            delete_old(&log, 7, now).unwrap(),
            [folder.path().join("a.2026-01-01T000000Z.jsonl")]
        );
        assert_eq!(
            names_in(folder.path()),
            [
                "a.2026-11-20T000000Z.jsonl",
                "a.jsonl",
                "a.old.jsonl",
                "b.2026-01-01T000000Z.jsonl",
            ]
        );
    }
}
