use proptest::prelude::*;

use super::*;

fn examined(outcomes: &[Outcome]) -> Examined {
    let checks = outcomes
        .iter()
        .map(|outcome| Check::new("zellij", *outcome, "found"));
    Examined {
        checks: checks.collect(),
    }
}

#[test]
fn the_exit_code_tells_what_has_to_be_mended_first() {
    use Outcome::{Bad, Good, Warning};
    let (ours, outside) = (Bad(Kind::Failed), Bad(Kind::Missing));
    let cases: [(&[Outcome], u8); 6] = [
        (&[], 0),
        (&[Good, Warning], 0),
        (&[Good, outside], 3),
        (&[ours, Warning], 1),
        (&[outside, ours], 1),
        (&[outside, outside], 3),
    ];
    for (outcomes, code) in cases {
        assert_eq!(examined(outcomes).exit_code(), code, "{outcomes:?}");
    }
}

#[test]
fn lines_are_aligned_and_counted() {
    let bad = Outcome::Bad(Kind::Missing);
    let examined = Examined {
        checks: vec![
            Check::good("zellij", "0.45.1"),
            Check::new("session", bad, "does not exist")
                .about("größe 日本")
                .hint("start it"),
            Check::warning("agent", "a shell is in front").about("a"),
            Check::not_examined("agent", "no session")
                .about("an-agent-with-a-rather-long-name-of-its-own"),
        ],
    };
    insta::assert_snapshot!(examined.to_text(), @r"
    ok    zellij                        0.45.1
    FAIL  session größe 日本            does not exist
                                        hint: start it
    warn  agent a                       a shell is in front
    warn  agent an-agent-with-a-rather-long-name-of-its-own  not examined: no session

    1 failure, 2 warnings
    ");
}

#[test]
fn a_system_that_tells_nothing_of_processes_is_worth_a_warning() {
    assert_eq!(folders::processes(true).outcome, Outcome::Good);
    let check = folders::processes(false);
    assert_eq!(check.outcome, Outcome::Warning);
    assert!(
        check.found.contains("commands are compared instead"),
        "{check:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_hangs_is_not_waited_for() {
    let (end, wait) = std::sync::mpsc::channel::<()>();
    let until = Instant::now() + AT_MOST;
    let answer = aside(until, move || wait.recv().is_ok()).await;
    assert_eq!(answer, None);
    drop(end);
}

proptest! {
    #[test]
    fn text_from_outside_is_shown_on_one_harmless_line(text: String) {
        let check = Check::good("agent", &text).about(&text).hint(&text);
        for shown in [Some(check.found.clone()), check.about.clone(), check.hint.clone()] {
            let shown = shown.unwrap_or_default();
            prop_assert!(shown.chars().count() <= 1_001);
            prop_assert!(!shown.contains(char::is_control));
        }
        let examined = Examined { checks: vec![check] };
        prop_assert!(!examined.to_text().contains(|c: char| c.is_control() && c != '\n'));
        prop_assert_eq!(examined.to_text().lines().count(), 4);
    }
}

#[test]
fn what_changes_how_a_line_reads_is_left_out_and_letters_are_not() {
    let cases = [
        ("a\u{1b}[31mred\u{7}\r\nb", "a [31mred b"),
        ("zero\u{200b}\u{202e}width\u{feff}", "zerowidth"),
        (
            "Bu\u{308}ro \"x\" 'y' \\ 日本 😀",
            "Bu\u{308}ro \"x\" 'y' \\ 日本 😀",
        ),
        ("one\u{2028}two\tthree", "one two three"),
    ];
    for (text, shown) in cases {
        assert_eq!(report::harmless(text), shown, "{text:?}");
    }
}
