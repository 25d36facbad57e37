//! Readers on whatever a file may contain.

use std::fs::File;

use proptest::prelude::*;

use super::*;
use crate::store::log::appender::Appender;
use crate::store::log::read::{BLOCK, Found, backwards::Backwards, forwards::Forwards};

fn file_of(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("a.jsonl");
    fs::write(&log, bytes).unwrap();
    (folder, log)
}

#[test]
fn what_is_no_record_is_skipped_counted_and_placed() {
    let too_long = "x".repeat(LONGEST_LINE + 1);
    let cases: [(&[u8], &[&str], &str); 12] = [
        (b"", &[], "none"),
        (b"\n", &[], "none"),
        (b"\n\n1\n\n", &["1"], "none"),
        (b"1", &["<Torn at 0>"], "1 torn"),
        (b"1\n2", &["1", "<Torn at 2>"], "1 torn"),
        (b"1\n2 #torn\n3\n", &["1", "<Torn at 2>", "3"], "1 torn"),
        (b"1\n #torn\n2\n", &["1", "2"], "none"),
        (b"\xff\n1\n", &["<NotUtf8 at 0>", "1"], "1 not UTF-8"),
        (b"\0\0\0\n1\n", &["\0\0\0", "1"], "none"),
        (b"1\r\n", &["1\r"], "none"),
        (
            &[b"1\n", too_long.as_bytes(), b"\n2\n"].concat(),
            &["1", "<TooLong at 2>", "2"],
            "1 too long",
        ),
        (
            &[b"\xc3\n", too_long.as_bytes()].concat(),
            &["<NotUtf8 at 0>", "<Torn at 2>"],
            "1 torn, 1 not UTF-8",
        ),
    ];
    for (bytes, lines, skipped) in cases {
        let (_folder, log) = file_of(bytes);
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
        assert_eq!(forward(&log), lines, "{start:?}");
        let newest_first: Vec<&str> = lines.iter().rev().copied().collect();
        assert_eq!(back(&log), newest_first, "{start:?}");
        let mut reader = read_back(&log).unwrap();
        reader.by_ref().for_each(drop);
        assert_eq!(reader.skipped().to_string(), skipped, "{start:?}");
    }
}

#[test]
fn lines_about_as_long_as_a_block_or_as_the_longest_are_read_whole() {
    for length in [BLOCK, 2 * BLOCK, LONGEST_LINE] {
        for length in length.saturating_sub(3)..=(length + 3).min(LONGEST_LINE) {
            let lines = ["a".repeat(length), "b".to_owned(), "c".repeat(length)];
            let (_folder, log) = file_of(format!("{}\n", lines.join("\n")).as_bytes());
            assert_eq!(forward(&log), lines);
            let [a, b, c] = lines;
            assert_eq!(back(&log), [c, b, a], "{length}");
        }
    }
}

#[test]
fn a_log_that_is_shortened_while_it_is_read_ends_there() {
    let (_folder, log) = file_of("record\n".repeat(50_000).as_bytes());
    let mut reader = read_back(&log).unwrap();
    assert!(reader.next().is_some());
    OpenOptions::new()
        .write(true)
        .open(&log)
        .unwrap()
        .set_len(10)
        .unwrap();
    assert!(reader.all(|line| line.is_ok()));
}

/// All lines of one file, oldest first, read backwards in blocks of `block` bytes.
fn backwards(log: &Path, block: usize) -> Vec<Found> {
    let file = File::open(log).unwrap();
    let length = file.metadata().unwrap().len();
    let mut lines = Backwards::new(file, length, block);
    let mut found: Vec<Found> = std::iter::from_fn(|| lines.next().unwrap()).collect();
    found.reverse();
    found
}

fn forwards(log: &Path) -> Vec<Found> {
    let mut lines = Forwards::new(File::open(log).unwrap());
    std::iter::from_fn(|| lines.next().unwrap()).collect()
}

/// What happens to a log: a record is appended, or something else writes into it.
#[derive(Debug, Clone)]
enum Step {
    Record(String),
    Garbage(Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        "record [ -~é☃]{0,200}"
            .prop_filter("looks torn", |text| !text.ends_with("#torn"))
            .prop_map(Step::Record),
        // No `r`: it can never look like one of our records.
        prop::collection::vec(
            prop_oneof![
                Just(b'\n'),
                any::<u8>().prop_filter("r", |byte| *byte != b'r')
            ],
            0..60
        )
        .prop_map(Step::Garbage),
    ]
}

proptest! {
    #[test]
    fn both_ways_find_the_same_in_arbitrary_bytes(
        bytes in prop::collection::vec(
            prop_oneof![2 => Just(b'\n'), 3 => any::<u8>(), 5 => b'a'..=b'z'], 0..400),
        block in 1..50_usize,
    ) {
        let (_folder, log) = file_of(&bytes);
        prop_assert_eq!(backwards(&log, block), forwards(&log));
    }

    #[test]
    fn what_was_appended_is_read_back_whatever_was_written_between(
        steps in prop::collection::vec(step(), 0..40),
        keep_open in any::<bool>(),
    ) {
        let (_folder, log) = file_of(b"");
        let mut appender = Appender::open(&log).unwrap();
        let mut expected = Vec::new();
        for step in steps {
            match step {
                Step::Garbage(bytes) => add(&log, &bytes),
                Step::Record(text) => {
                    if !keep_open {
                        appender = Appender::open(&log).unwrap();
                    }
                    let length = appender.now().unwrap().unwrap().len();
                    appender.append(&text, length).unwrap();
                    expected.push(text);
                }
            }
        }
        let ours = |lines: Vec<String>| -> Vec<String> {
            lines.into_iter().filter(|line| line.starts_with("record ")).collect()
        };
        prop_assert_eq!(&ours(forward(&log)), &expected);
        expected.reverse();
        prop_assert_eq!(&ours(back(&log)), &expected);
    }
}
