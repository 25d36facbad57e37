use std::env;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::*;
use crate::store::error::{StoreError, Unfit};
use crate::store::testing::{
    CHILD_FOLDER, SMALL_FILES, assert_passed, child, names_in, run_child, run_on_small_disk,
};

mod following;
mod reading;
mod rotating;

const NEVER: Rotation = Rotation {
    max_bytes: 0,
    keep_days: 0,
};

/// A folder with one log and a writer.
struct Bench {
    folder: tempfile::TempDir,
    log: PathBuf,
    writer: LogWriter,
    end: LogWriterEnd,
}

impl Bench {
    fn new() -> Self {
        Self::rotating(NEVER)
    }

    fn rotating(rotation: Rotation) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.jsonl");
        let (writer, end) = LogWriter::start(8, rotation).unwrap();
        Self {
            folder,
            log,
            writer,
            end,
        }
    }

    async fn append(&self, line: &str) {
        self.writer
            .append(&self.log, line.to_owned())
            .await
            .unwrap();
    }

    fn names(&self) -> Vec<String> {
        names_in(self.folder.path())
    }
}

/// Adds bytes behind the writer's back.
fn add(log: &Path, bytes: &[u8]) {
    let mut options = OpenOptions::new();
    let mut file = options.append(true).create(true).open(log).unwrap();
    file.write_all(bytes).unwrap();
}

/// What a reader yields: the records, and each other line as its reason and offset.
fn shown(lines: impl Iterator<Item = Result<Line, StoreError>>) -> Vec<String> {
    lines
        .map(|line| match line.unwrap() {
            Line::Whole(text) => text,
            Line::Foreign(foreign) => format!("<{:?} at {}>", foreign.why, foreign.offset),
        })
        .collect()
}

fn back(log: &Path) -> Vec<String> {
    shown(read_back(log).unwrap())
}

fn forward(log: &Path) -> Vec<String> {
    shown(read_forward(log).unwrap())
}

#[tokio::test]
async fn what_is_appended_is_read_back_newest_first() {
    let bench = Bench::new();
    assert_eq!(back(&bench.log), Vec::<String>::new());
    for line in ["1", "2 é", "3"] {
        bench.append(line).await;
    }
    assert_eq!(back(&bench.log), ["3", "2 é", "1"]);
    assert_eq!(forward(&bench.log), ["1", "2 é", "3"]);
    let mode = fs::metadata(&bench.log).unwrap().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[tokio::test]
async fn a_record_that_would_not_be_read_back_as_itself_is_refused() {
    let bench = Bench::new();
    let limit = LONGEST_LINE;
    for (line, refused) in [
        (String::new(), Unfit::EmptyLine),
        ("a\nb".to_owned(), Unfit::LineBreak),
        ("a\n".to_owned(), Unfit::LineBreak),
        ("x".repeat(LONGEST_LINE + 1), Unfit::LineTooLong { limit }),
        ("{} #torn".to_owned(), Unfit::LooksTorn),
    ] {
        match bench.writer.append(&bench.log, line).await {
            Err(StoreError::Unfit { why, .. }) => assert_eq!(why, refused),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bench.names(), Vec::<String>::new());
    let longest = "x".repeat(LONGEST_LINE);
    bench.append(&longest).await;
    assert_eq!(back(&bench.log), [longest]);
}

#[tokio::test]
async fn a_torn_last_line_stays_alone_and_stays_torn() {
    // Even one that lacks nothing but its end: whoever wrote it was never told that it was written.
    let half_a_letter = &"é".as_bytes()[..1];
    for torn in [b"{\"a\":" as &[u8], b"{\"whole\":1}", half_a_letter] {
        let bench = Bench::new();
        add(&bench.log, b"1\n");
        add(&bench.log, torn);
        assert_eq!(back(&bench.log), ["<Torn at 2>", "1"]);
        bench.append("2").await;
        bench.append("3").await;
        assert_eq!(back(&bench.log), ["3", "2", "<Torn at 2>", "1"]);
        assert_eq!(forward(&bench.log), ["1", "<Torn at 2>", "2", "3"]);
    }
    // The control: a line break alone would make a record of what was never told as written.
    let bench = Bench::new();
    add(&bench.log, b"1\n{\"whole\":1}");
    add(&bench.log, b"\n2\n");
    assert_eq!(back(&bench.log), ["2", "{\"whole\":1}", "1"]);
}

#[tokio::test]
async fn a_line_torn_by_another_writer_while_the_log_is_open_is_closed_off_too() {
    let bench = Bench::new();
    bench.append("1").await;
    add(&bench.log, b"half");
    bench.append("2").await;
    assert_eq!(back(&bench.log), ["2", "<Torn at 2>", "1"]);
}

#[tokio::test]
async fn a_log_that_is_emptied_removed_or_replaced_meanwhile_goes_on_in_its_place() {
    let bench = Bench::new();
    bench.append("1").await;
    fs::write(&bench.log, "").unwrap();
    bench.append("2").await;
    assert_eq!(forward(&bench.log), ["2"]);
    fs::remove_file(&bench.log).unwrap();
    bench.append("3").await;
    assert_eq!(forward(&bench.log), ["3"]);
    let other = bench.folder.path().join("other");
    fs::write(&other, "theirs\n").unwrap();
    fs::rename(&other, &bench.log).unwrap();
    bench.append("4").await;
    assert_eq!(forward(&bench.log), ["theirs", "4"]);
}

#[tokio::test]
async fn a_log_behind_a_link_is_followed_wherever_the_link_points_now() {
    let bench = Bench::new();
    let at = |name: &str| bench.folder.path().join(name);
    symlink("one", &bench.log).unwrap();
    bench.append("1").await;
    fs::remove_file(&bench.log).unwrap();
    symlink("two", &bench.log).unwrap();
    bench.append("2").await;
    assert_eq!(forward(&at("one")), ["1"]);
    assert_eq!(forward(&at("two")), ["2"]);
}

#[tokio::test]
async fn what_is_no_file_is_an_error_for_writers_and_readers_and_never_waited_for() {
    let bench = Bench::new();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &bench.log, fifo, mode, 0).unwrap();
    for path in [&bench.log, bench.folder.path(), &bench.log.join("below")] {
        let refused = bench.writer.append(path, "1".to_owned()).await;
        assert!(refused.is_err(), "{}", path.display());
        assert!(read_back(path).is_err(), "{}", path.display());
        assert!(read_forward(path).is_err(), "{}", path.display());
    }
    let nowhere = bench.folder.path().join("no/a.jsonl");
    assert!(bench.writer.append(&nowhere, "1".to_owned()).await.is_err());
    assert_eq!(back(&nowhere), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_several_writers_never_fall_into_each_other() {
    let bench = Bench::new();
    let mut tasks = Vec::new();
    for writer_number in 0..3 {
        let (writer, end) = LogWriter::start(2, NEVER).unwrap();
        for task_number in 0..4 {
            let (writer, log) = (writer.clone(), bench.log.clone());
            tasks.push(tokio::spawn(async move {
                for number in 0..50 {
                    let filler = "x".repeat(number * 97 % 5000);
                    let line = format!("{writer_number}.{task_number}:{number:02}:{filler}");
                    writer.append(&log, line).await.unwrap();
                }
            }));
        }
        // Its clones live on in the tasks.
        drop((writer, end));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let lines = forward(&bench.log);
    assert_eq!(lines.len(), 3 * 4 * 50);
    for task in (0..12).map(|task| format!("{}.{}:", task / 4, task % 4)) {
        let numbers: Vec<usize> = lines
            .iter()
            .filter_map(|line| line.strip_prefix(&task)?.split_once(':'))
            .map(|(number, filler)| {
                let number = number.parse().unwrap();
                assert_eq!(filler, "x".repeat(number * 97 % 5000));
                number
            })
            .collect();
        assert_eq!(numbers, (0..50).collect::<Vec<_>>(), "{task}");
    }
}

#[tokio::test]
async fn closing_writes_what_is_queued_and_refuses_what_comes_later() {
    let Bench {
        folder: _folder,
        log,
        writer,
        end,
    } = Bench::new();
    let waiting: Vec<_> = (0..100)
        .map(|number| {
            let (writer, log) = (writer.clone(), log.clone());
            tokio::spawn(async move { writer.append(&log, number.to_string()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    end.close().await.unwrap();
    let mut written = 0;
    for task in waiting {
        match task.await.unwrap() {
            Ok(()) => written += 1,
            Err(StoreError::Unfit { why, .. }) => assert_eq!(why, Unfit::WriterStopped),
            Err(other) => panic!("{other}"),
        }
    }
    assert!(
        written >= 8,
        "the queue alone holds 8, {written} were written"
    );
    assert_eq!(
        back(&log).len(),
        written,
        "told as written, and in the file"
    );
    assert!(writer.append(&log, "late".to_owned()).await.is_err());
}

#[tokio::test]
async fn dropping_all_handles_still_writes_what_is_queued() {
    let bench = Bench::new();
    let log = bench.log.clone();
    {
        let appending = bench.writer.append(&log, "1".to_owned());
        tokio::pin!(appending);
        // Handed over, but nobody waits for the answer.
        std::future::poll_fn(|context| {
            let _ = appending.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    }
    bench.end.close().await.unwrap();
    assert_eq!(back(&log), ["1"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn hundreds_of_logs_keep_a_bounded_number_of_files_open() {
    let bench = Bench::new();
    let folder = bench.folder.path();
    for round in 0..3 {
        for number in 0..300 {
            let log = folder.join(format!("{number}.jsonl"));
            bench.writer.append(&log, round.to_string()).await.unwrap();
        }
    }
    let open = fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter(|target| target.starts_with(folder))
        .count();
    // One more for the thread that syncs.
    assert!((1..=writer::MOST_OPEN + 1).contains(&open), "{open}");
    for number in 0..300 {
        let log = folder.join(format!("{number}.jsonl"));
        assert_eq!(forward(&log), ["0", "1", "2"]);
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_told_as_one() {
    let bench = Bench::new();
    symlink("/dev/full", &bench.log).unwrap();
    let error = bench
        .writer
        .append(&bench.log, "1".to_owned())
        .await
        .unwrap_err();
    assert!(error.is_disk_full(), "{error:?}");
    let failure = crate::error::Failure::from(error).to_string();
    assert!(
        failure.contains("because: No space left on device"),
        "{failure}"
    );
    assert!(
        failure.contains("hint: make room on the disk: `df -h "),
        "{failure}"
    );
    assert_eq!(back(&bench.log), Vec::<String>::new());
}

#[test]
fn a_disk_that_fills_up_in_the_middle_of_a_record_loses_none_that_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let name = "store::log::tests::child_appends_until_there_is_no_room";
    let output = run_child(name, folder.path(), SMALL_FILES);
    assert_passed(&output);
    if let Some(output) = run_on_small_disk(name, folder.path()) {
        assert_passed(&output);
        assert!(String::from_utf8_lossy(&output.stdout).contains("the disk was full"));
    }
}

#[tokio::test]
#[ignore = "run as a child, where there is little room"]
#[allow(
    clippy::disallowed_macros,
    reason = "tells the parent test what was seen"
)]
async fn child_appends_until_there_is_no_room() {
    let Some(folder) = env::var_os(CHILD_FOLDER).map(PathBuf::from) else {
        return;
    };
    let log = folder.join("a.jsonl");
    let (writer, end) = LogWriter::start(8, NEVER).unwrap();
    // No divisor of any block: the last one finds room for a part of it only.
    let line = |number: usize| format!("{number:04}{}", "x".repeat(997));
    let mut written = Vec::new();
    let error = loop {
        match writer.append(&log, line(written.len())).await {
            Ok(()) => written.push(line(written.len())),
            Err(error) => break error,
        }
    };
    if error.is_disk_full() {
        println!("the disk was full");
    }
    assert!(written.len() > 3, "{}", written.len());
    // Again and again, and a reader sees only what was told as written.
    for _ in 0..3 {
        writer.append(&log, line(9999)).await.unwrap_err();
        assert_eq!(forward(&log), written);
    }
    // A shorter one still finds room: nothing was left of those that did not.
    writer.append(&log, "short".to_owned()).await.unwrap();
    written.push("short".to_owned());
    assert_eq!(forward(&log), written);
    // The control: without taking back what was taken, a part of the record stays.
    let mut file = OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(line(9999).as_bytes()).unwrap_err();
    assert!(forward(&log).pop().unwrap().starts_with("<Torn at "));
    end.close().await.unwrap();
}

#[test]
fn what_was_told_as_written_outlives_a_kill_at_any_moment() {
    for reported in [1, 7, 150] {
        let folder = tempfile::tempdir().unwrap();
        let mut writing = child(
            "store::log::tests::child_appends_for_ever",
            folder.path(),
            "",
        );
        let mut writing = writing.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(writing.stdout.take().unwrap());
        let told: Vec<String> = out
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| Some(line.split_once("written:")?.1.to_owned()))
            .take(reported)
            .collect();
        writing.kill().unwrap();
        writing.wait().unwrap();
        let lines = forward(&folder.path().join("a.jsonl"));
        assert_eq!(told.len(), reported);
        assert_eq!(lines[..reported], told);
        assert!(!lines.iter().any(|line| line.starts_with('<')));
    }
}

#[tokio::test]
#[ignore = "run as a child, which is then killed"]
#[allow(
    clippy::disallowed_macros,
    reason = "tells the parent test what was written"
)]
async fn child_appends_for_ever() {
    let Some(folder) = env::var_os(CHILD_FOLDER).map(PathBuf::from) else {
        return;
    };
    let (writer, _end) = LogWriter::start(8, NEVER).unwrap();
    let log = folder.join("a.jsonl");
    for number in 0_u64.. {
        writer.append(&log, number.to_string()).await.unwrap();
        // A parent that has died ends it.
        println!("written:{number}");
    }
}
