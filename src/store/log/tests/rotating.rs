//! Logs that are set aside while they are written and read.

use super::*;

const SMALL: Rotation = Rotation {
    max_bytes: 100,
    keep_days: 0,
};

#[tokio::test]
async fn a_log_that_is_set_aside_is_read_on_as_if_nothing_had_happened() {
    let bench = Bench::rotating(SMALL);
    let lines: Vec<String> = (0..60).map(|number| format!("record {number}")).collect();
    for line in &lines {
        bench.append(line).await;
    }
    assert!(bench.names().len() > 5, "{:?}", bench.names());
    for name in bench.names() {
        let length = fs::metadata(bench.folder.path().join(&name)).unwrap().len();
        assert!((1..=100).contains(&length), "{name}: {length}");
    }
    assert_eq!(forward(&bench.log), lines);
    let newest_first: Vec<String> = lines.iter().rev().cloned().collect();
    assert_eq!(back(&bench.log), newest_first);
    // Between the renaming and the next append there is no current log.
    fs::remove_file(&bench.log).unwrap();
    assert!(newest_first.ends_with(&back(&bench.log)));
}

#[tokio::test]
async fn a_record_larger_than_the_bound_is_written_all_the_same() {
    let bench = Bench::rotating(SMALL);
    let large = "x".repeat(500);
    for line in [&large, "1", &large, &large] {
        bench.append(line).await;
    }
    assert_eq!(forward(&bench.log), [&large, "1", &large, &large]);
    assert_eq!(bench.names().len(), 4);
}

#[tokio::test]
async fn a_reader_that_began_before_the_log_was_set_aside_yields_nothing_twice() {
    let bench = Bench::rotating(SMALL);
    let lines: Vec<String> = (0..20).map(|number| format!("record {number}")).collect();
    for line in &lines {
        bench.append(line).await;
    }
    let mut from_end = read_back(&bench.log).unwrap();
    let mut seen = shown(from_end.by_ref().take(1));
    for number in 20..60 {
        bench.append(&format!("record {number}")).await;
    }
    seen.extend(shown(from_end));
    seen.reverse();
    assert_eq!(seen, lines);
}

#[tokio::test]
async fn a_torn_line_at_the_end_of_a_log_that_was_set_aside_is_skipped() {
    let bench = Bench::rotating(SMALL);
    bench.append("1").await;
    add(&bench.log, "x".repeat(100).as_bytes());
    bench.append("2").await;
    assert_eq!(back(&bench.log), ["2", "<Torn at 2>", "1"]);
    assert_eq!(forward(&bench.log), ["1", "<Torn at 2>", "2"]);
    let mut reader = read_back(&bench.log).unwrap();
    reader.by_ref().for_each(drop);
    assert_eq!(reader.skipped().to_string(), "1 torn");
}

#[tokio::test]
async fn a_log_behind_a_link_is_set_aside_where_it_really_stands() {
    let bench = Bench::rotating(SMALL);
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path().join("b.jsonl"), &bench.log).unwrap();
    let lines: Vec<String> = (0..20).map(|number| format!("record {number}")).collect();
    for line in &lines {
        bench.append(line).await;
    }
    assert_eq!(bench.names(), ["a.jsonl"]);
    assert!(names_in(elsewhere.path()).len() > 1);
    assert_eq!(forward(&bench.log), lines);
}

#[tokio::test]
async fn old_logs_are_deleted_only_as_configured() {
    for (keep_days, left) in [(0, true), (30, false)] {
        let bench = Bench::rotating(Rotation {
            max_bytes: 0,
            keep_days,
        });
        let old = bench.folder.path().join("a.2020-01-01T000000Z.jsonl");
        let others = bench.folder.path().join("a-b.2020-01-01T000000Z.jsonl");
        fs::write(&old, "old\n").unwrap();
        fs::write(&others, "theirs\n").unwrap();
        bench.append("1").await;
        assert_eq!(old.exists(), left, "{keep_days}");
        assert!(others.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_writers_that_set_one_log_aside_lose_nothing() {
    let bench = Bench::new();
    let rotation = Rotation {
        max_bytes: 300,
        keep_days: 0,
    };
    let mut tasks = Vec::new();
    let mut expected = Vec::new();
    for writer_number in 0..4 {
        let (writer, _) = LogWriter::start(2, rotation).unwrap();
        let log = bench.log.clone();
        expected.extend((0..150).map(|number| format!("{writer_number}:{number:03}")));
        tasks.push(tokio::spawn(async move {
            for number in 0..150 {
                let line = format!("{writer_number}:{number:03}");
                writer.append(&log, line).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let mut lines = forward(&bench.log);
    lines.sort();
    assert_eq!(lines, expected);
    assert!(bench.names().len() > 2);
}
