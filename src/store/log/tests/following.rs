//! Logs that are read as they grow.

use proptest::prelude::*;

use super::*;

/// The records that are there for now.
fn read(follow: &mut Follow) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(line) = follow.next_line().unwrap() {
        match line {
            Line::Whole(text) => found.push(text),
            Line::Foreign(foreign) => found.push(format!("<{:?}>", foreign.why)),
        }
    }
    found
}

#[test]
fn a_log_is_followed_as_it_grows_over_rotations_and_from_before_it_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("a.jsonl");
    let aside = |stamp: &str| fs::rename(&log, folder.path().join(format!("a.{stamp}.jsonl")));
    let mut reader = follow(&log, None).unwrap();
    assert!(read(&mut reader).is_empty());
    add(&log, b"1\n2\nhal");
    assert_eq!(read(&mut reader), ["1", "2"]);
    assert!(read(&mut reader).is_empty());
    add(&log, b"f\n4\n");
    assert_eq!(read(&mut reader), ["half", "4"]);
    // what was written last before it was set aside, and a whole log that came and went between two looks
    add(&log, b"5\ntorn");
    aside("2026-11-21T032600Z").unwrap();
    add(&log, b"6\n");
    aside("2026-11-21T032601Z").unwrap();
    assert_eq!(read(&mut reader), ["5", "<Torn>", "6"]);
    assert!(read(&mut reader).is_empty());
    add(&log, b"7\n");
    assert_eq!(read(&mut reader), ["7"]);
    assert_eq!(reader.skipped().torn, 1);
    // emptied by hand
    fs::write(&log, "").unwrap();
    assert!(read(&mut reader).is_empty());
    add(&log, b"8\n");
    assert_eq!(read(&mut reader), ["8"]);
    // one that begins now reads the same
    let mut late = follow(&log, None).unwrap();
    assert_eq!(
        read(&mut late),
        ["1", "2", "half", "4", "5", "<Torn>", "6", "8"]
    );
    let since = Some("2026-11-21T03:26:02Z".parse().unwrap());
    let mut newer = follow(&log, since).unwrap();
    assert_eq!(read(&mut newer), ["6", "8"]);
    let lines = read_forward_since(&log, since).unwrap();
    assert_eq!(shown(lines), ["6", "8"]);
}

proptest! {
    #[test]
    fn whatever_pieces_a_log_is_written_in_every_line_is_read_once(
        pieces in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..40), any::<bool>()), 0..12)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.jsonl");
        let mut reader = follow(&log, None).unwrap();
        let mut found = Vec::new();
        for (number, (bytes, rotates)) in pieces.iter().enumerate() {
            add(&log, bytes);
            found.extend(read(&mut reader));
            if *rotates {
                let name = format!("a.2026-11-21T0326{number:02}Z.jsonl");
                fs::rename(&log, folder.path().join(name)).unwrap();
            }
        }
        found.extend(read(&mut reader));
        let mut whole = follow(&log, None).unwrap();
        prop_assert_eq!(found, read(&mut whole));
    }
}
