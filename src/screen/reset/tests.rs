//! What agents print about their limits, and when that is.

use super::*;
use proptest::prelude::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

/// Each text, read at noon of Saturday, 21 November 2026 (UTC) by somebody in Berlin, where it is one o'clock.
#[test]
fn what_agents_print_is_read() {
    let now = at("2026-11-21T12:00:00Z");
    for (text, expected) in [
        // Claude Code
        (
            "You've hit your limit · resets 3:21am (UTC)",
            "2026-11-22T03:21:00Z",
        ),
        (
            "  ⎿  You've hit your limit · resets 3am (Europe/Berlin)",
            "2026-11-22T02:00:00Z",
        ),
        (
            "You've hit your session limit · resets 3pm",
            "2026-11-21T14:00:00Z",
        ),
        (
            "You've hit your limit · resets 7pm (America/New_York)",
            "2026-11-22T00:00:00Z",
        ),
        ("resets 2am (Asia/Kolkata)", "2026-11-21T20:30:00Z"),
        ("resets 12am (UTC)", "2026-11-22T00:00:00Z"),
        ("resets 12pm (UTC)", "2026-11-21T12:00:00Z"),
        ("resets 12:30 PM (UTC)", "2026-11-21T12:30:00Z"),
        (
            "  ⚠ Usage limit reached · limit resets 3:21am",
            "2026-11-22T02:21:00Z",
        ),
        (
            "Usage limit reached · continuing automatically at 3:21am · esc to cancel",
            "2026-11-22T02:21:00Z",
        ),
        (
            "You've hit your weekly limit · resets Nov 24 at 3:00pm (Europe/Berlin)",
            "2026-11-24T14:00:00Z",
        ),
        (
            "Weekly limit reached ∙ resets Nov 24, 5pm",
            "2026-11-24T16:00:00Z",
        ),
        (
            "Weekly limit reached · resets Nov 24",
            "2026-11-24T23:00:00Z",
        ),
        ("resets Nov 24, 2026 at 3pm (UTC)", "2026-11-24T15:00:00Z"),
        ("resets Thu 12:59am (UTC)", "2026-11-26T00:59:00Z"),
        ("resets Monday at 3pm (UTC)", "2026-11-23T15:00:00Z"),
        ("5-hour limit reached ∙ resets 3pm", "2026-11-21T14:00:00Z"),
        (
            "Session limit reached ∙ resets 11:00 PM",
            "2026-11-21T22:00:00Z",
        ),
        (
            "Claude usage limit reached. Your limit will reset at 3pm (America/Los_Angeles).",
            "2026-11-21T23:00:00Z",
        ),
        (
            "Claude AI usage limit reached|1795269600",
            "2026-11-21T14:00:00Z",
        ),
        (
            "Claude AI usage limit reached|1795269600000",
            "2026-11-21T14:00:00Z",
        ),
        (
            "You've hit your limit · resets 3pm (UTC) · progress saved",
            "2026-11-21T15:00:00Z",
        ),
        ("resets 3pm (progress saved)", "2026-11-21T14:00:00Z"),
        // Codex
        (
            "You've hit your usage limit. Upgrade to Pro (https://x.example/pro), or try again at 3:42 PM.",
            "2026-11-21T14:42:00Z",
        ),
        (
            "or try again at Nov 30th, 2026 3:39 AM.",
            "2026-11-30T02:39:00Z",
        ),
        (
            "Try again at Dec 1st, 2026 12:00 PM.",
            "2026-12-01T11:00:00Z",
        ),
        ("try again in 2 hours 13 minutes.", "2026-11-21T14:13:00Z"),
        ("Try again in 3 days 2 hours.", "2026-11-24T14:00:00Z"),
        (
            "try again in 3 days, 2 hours and 5 minutes.",
            "2026-11-24T14:05:00Z",
        ),
        ("Try again in less than a minute.", "2026-11-21T12:01:00Z"),
        (
            r#"{"error":{"type":"usage_limit_reached","resets_at":1795269600,"eligible_promo":null}}"#,
            "2026-11-21T14:00:00Z",
        ),
        (r#"\"resets_in_seconds\":7200}"#, "2026-11-21T14:00:00Z"),
        (
            r#"{"resetsAt":"2026-11-21T14:00:00.000Z"}"#,
            "2026-11-21T14:00:00Z",
        ),
        // opencode
        (
            "■■■■■■⬝⬝ Rate limited [retrying in 3h 20m attempt #3]    esc interrupt",
            "2026-11-21T15:20:00Z",
        ),
        (
            "overloaded [retrying in 8s attempt #3]",
            "2026-11-21T12:00:08Z",
        ),
        // Gemini CLI
        (
            "│ Access resets at 11:00 AM GMT+2.      │",
            "2026-11-22T09:00:00Z",
        ),
        (
            "Access resets at 3:45\u{202f}PM PDT.",
            "2026-11-21T22:45:00Z",
        ),
        ("Access resets at 3:45 PM GMT+5:30.", "2026-11-22T10:15:00Z"),
        (
            "Your quota will reset after 12h22m45s.",
            "2026-11-22T00:22:45Z",
        ),
        // others
        ("limit resets at 15:30", "2026-11-21T14:30:00Z"),
        ("resets tomorrow at 9am (UTC)", "2026-11-22T09:00:00Z"),
        ("resets 24 Nov 15:00 UTC", "2026-11-24T15:00:00Z"),
        ("resets at 2026-11-22 09:00 UTC", "2026-11-22T08:00:00Z"),
        (
            "resets at 2026-11-22T09:00:00+05:30",
            "2026-11-22T03:30:00Z",
        ),
        ("resets in 45 minutes", "2026-11-21T12:45:00Z"),
        ("resets 3pm OK?", "2026-11-21T14:00:00Z"),
    ] {
        let read = reset_time(text, now, zone("Europe/Berlin"));
        assert_eq!(read, Some(at(expected)), "{text}");
    }
}

#[test]
fn what_says_no_time_gives_none() {
    let now = at("2026-11-21T12:00:00Z");
    for text in [
        "",
        "You've hit your limit",
        "You've hit your monthly spend limit",
        "Goal paused · usage limit reached · continues automatically when it resets",
        "You've hit your usage limit. Limits reset every 5h and every week.",
        "The API is at capacity. Try again in a moment.",
        "Automatic continue cancelled · /rate-limit-options to re-arm",
        "Claude AI usage limit reached|soon",
        "resets 3",
        "resets 3 files",
        "resets monthly",
        "resets marvellously 3",
        "presets 3am",
        "it resets. 3am is late",
        // what cannot be
        "resets 13pm",
        "resets 0am",
        "resets 25:00",
        "resets 3:60am",
        "resets Feb 30 at 3pm",
        "resets 3am (Mars/Olympus)",
        "resets 3am (IST)",
        "resets 3am (GMT+99)",
        // absurd
        "usage limit reached|1",
        "usage limit reached|9999999999999",
        "usage limit reached|99999999999999999999",
        "try again in 36 days",
        "try again in 9999999 days 9999999 weeks",
        "try again at Mar 10th, 2026 3:39 AM.",
        "try again at Nov 20th, 2026 12:59 PM.",
        "resets Dec 27 at 3pm",
        "resets Oct 9, 5pm",
        r#""resets_in_seconds":9999999999999"#,
    ] {
        assert_eq!(reset_time(text, now, zone("Europe/Berlin")), None, "{text}");
    }
    // the controls: a little nearer
    for text in [
        "try again in 35 days",
        "try again at Nov 20th, 2026 1:01 PM.",
        "resets Dec 25 at 3pm",
    ] {
        assert!(
            reset_time(text, now, zone("Europe/Berlin")).is_some(),
            "{text}"
        );
    }
}

#[test]
fn a_time_without_a_date_is_the_next_one_or_has_just_passed() {
    let read = |text, now| reset_time(text, at(now), Zone::UTC);
    for (text, now, expected) in [
        ("resets 3am", "2026-11-21T02:59:59Z", "2026-11-21T03:00:00Z"),
        ("resets 3am", "2026-11-21T03:00:00Z", "2026-11-21T03:00:00Z"),
        ("resets 3am", "2026-11-21T03:09:00Z", "2026-11-21T03:00:00Z"),
        ("resets 3am", "2026-11-21T03:11:00Z", "2026-11-22T03:00:00Z"),
        (
            "resets 11:58pm",
            "2026-11-22T00:05:00Z",
            "2026-11-21T23:58:00Z",
        ),
        (
            "resets 11:58pm",
            "2026-12-31T23:00:00Z",
            "2026-12-31T23:58:00Z",
        ),
        ("resets 1am", "2026-12-31T23:00:00Z", "2027-01-01T01:00:00Z"),
        // a day of the week is the next such day
        (
            "resets Sat 3am",
            "2026-11-21T02:00:00Z",
            "2026-11-21T03:00:00Z",
        ),
        (
            "resets Sat 3am",
            "2026-11-21T04:00:00Z",
            "2026-11-28T03:00:00Z",
        ),
        // a date without a year is of the year in which it is near
        (
            "resets Jan 2 at 3pm",
            "2026-12-30T00:00:00Z",
            "2027-01-02T15:00:00Z",
        ),
        (
            "resets Dec 31 at 3pm",
            "2027-01-01T02:00:00Z",
            "2026-12-31T15:00:00Z",
        ),
        (
            "resets Feb 29 at 3pm",
            "2028-02-20T00:00:00Z",
            "2028-02-29T15:00:00Z",
        ),
    ] {
        assert_eq!(read(text, now), Some(at(expected)), "{text} at {now}");
    }
}

#[test]
fn the_next_such_time_goes_by_the_day_in_its_own_zone() {
    // in Auckland it is already the 22nd
    let now = at("2026-11-21T12:00:00Z");
    for (text, expected) in [
        ("resets 1:30am (Pacific/Auckland)", "2026-11-21T12:30:00Z"),
        ("resets 12:30am (Pacific/Auckland)", "2026-11-22T11:30:00Z"),
        ("resets 11pm (Pacific/Honolulu)", "2026-11-22T09:00:00Z"),
    ] {
        assert_eq!(
            reset_time(text, now, Zone::UTC),
            Some(at(expected)),
            "{text}"
        );
    }
}

#[test]
fn where_clocks_are_put_the_later_moment_counts() {
    for (text, now, expected) in [
        // put forward at 2:00 on 29 March 2026: 2:30 is skipped, and 3:30 in summer is what it would have been
        (
            "resets 2:30am (Europe/Berlin)",
            "2026-03-28T20:00:00Z",
            "2026-03-29T01:30:00Z",
        ),
        (
            "resets 3:30am (Europe/Berlin)",
            "2026-03-28T20:00:00Z",
            "2026-03-29T01:30:00Z",
        ),
        // put back at 3:00 on 25 October 2026: 2:30 comes twice
        (
            "resets 2:30am (Europe/Berlin)",
            "2026-10-24T20:00:00Z",
            "2026-10-25T01:30:00Z",
        ),
        (
            "resets 2:30am (America/New_York)",
            "2026-03-08T00:00:00Z",
            "2026-03-08T07:30:00Z",
        ),
        (
            "resets 1:30am (America/New_York)",
            "2026-11-01T00:00:00Z",
            "2026-11-01T06:30:00Z",
        ),
        // the night around it
        (
            "resets 9am (Europe/Berlin)",
            "2026-03-28T20:00:00Z",
            "2026-03-29T07:00:00Z",
        ),
        (
            "resets 9am (Europe/Berlin)",
            "2026-10-24T20:00:00Z",
            "2026-10-25T08:00:00Z",
        ),
        // a written distance knows no summer
        (
            "resets 2:30am GMT+1",
            "2026-03-28T20:00:00Z",
            "2026-03-29T01:30:00Z",
        ),
    ] {
        assert_eq!(
            reset_time(text, at(now), Zone::UTC),
            Some(at(expected)),
            "{text}"
        );
    }
    // a whole day that was skipped: Samoa had no 30 December 2011
    let now = at("2011-12-29T12:00:00Z");
    let read = reset_time("resets Dec 30 at 3pm (Pacific/Apia)", now, Zone::UTC);
    assert_eq!(read, Some(at("2011-12-31T01:00:00Z")));
}

#[test]
fn the_last_time_that_is_told_decides_and_a_zone_told_before_holds_for_it() {
    let now = at("2026-11-21T00:00:00Z");
    let read = |text| reset_time(text, now, zone("Europe/Berlin"));
    for (text, expected) in [
        (
            "resets 1am (UTC)\n● done\n> go on\nresets 6am (UTC)",
            "2026-11-21T06:00:00Z",
        ),
        // the footer says the same without the zone
        (
            "hit your limit · resets 3:21am (UTC)\n\n ⚠ Usage limit reached · limit resets 3:21am",
            "2026-11-21T03:21:00Z",
        ),
        (
            "resets Nov 24 at 3pm (UTC)\nlimit resets 3pm",
            "2026-11-24T15:00:00Z",
        ),
        // another time has nothing of it
        (
            "resets 3:21am (UTC)\nlimit resets 4:21am",
            "2026-11-21T03:21:00Z",
        ),
        // a retry on the screen is no reset where one is told
        (
            "hit your limit · resets 3am (UTC)\nretrying in 8s · attempt 2/10",
            "2026-11-21T03:00:00Z",
        ),
        // wrapped by a narrow pane
        (
            "│ You've hit your limit · resets │\n│ 3am (America/                   │\n│ New_York)                       │",
            "2026-11-21T08:00:00Z",
        ),
        (
            "  or try again at Nov\n  30th, 2026 3:39\n  AM.",
            "2026-11-30T02:39:00Z",
        ),
    ] {
        assert_eq!(read(text), Some(at(expected)), "{text}");
    }
    assert_eq!(read("resets 1am (UTC)\nresets 3am (Mars/Olympus)"), None);
}

#[test]
fn a_zone_is_named_as_the_machine_names_its_own() {
    for name in [
        "UTC",
        "Europe/Berlin",
        "America/Argentina/Ushuaia",
        "+02:00",
        "-0330",
        "CET",
    ] {
        assert!(Zone::named(name).is_some(), "{name}");
    }
    for name in ["", "Mars/Olympus", "+99:00", "local", "../etc", "+2x"] {
        assert_eq!(Zone::named(name), None, "{name}");
    }
    let now = at("2026-07-01T00:00:00Z");
    let read = |name| reset_time("resets 3am", now, zone(name));
    assert_eq!(read("-03:30"), Some(at("2026-07-01T06:30:00Z")));
    // as a machine's zone it has a summer
    assert_eq!(read("CET"), Some(at("2026-07-01T01:00:00Z")));
}

proptest! {
    #[test]
    fn any_text_gives_a_time_in_bounds_or_none(text in any::<String>(), seconds in 0_i64..4_000_000_000) {
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        for text in [format!("resets {text}"), format!("try again in {text}"), format!("reached|{text}"), text] {
            if let Some(read) = reset_time(&text, now, zone("Europe/Berlin")) {
                prop_assert!(read >= now - STALEST && read <= now + FARTHEST, "{text:?}");
            }
        }
    }

    #[test]
    fn words_of_times_in_any_order_give_a_time_in_bounds_or_none(
        words in proptest::collection::vec(
            prop_oneof!["resets", "try again at", "in", "Nov", "Feb", "29", "31st", "3am", "12:61", "99", "PM", "days", "(UTC)",
                "GMT+14", r"\(Europe/Lisbon\)", "Sun", ",", "2026", "9999", "reached\\|", "1795269600", "\n", "tomorrow"], 0..12),
        seconds in 0_i64..4_000_000_000
    ) {
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        let text = words.join(" ");
        if let Some(read) = reset_time(&text, now, zone("Pacific/Apia")) {
            prop_assert!(read >= now - STALEST && read <= now + FARTHEST, "{text:?}");
        }
    }

    #[test]
    fn a_clock_in_any_zone_is_met_within_a_day(hour in 1_u32..=12, minute in 0_u32..60, half in "am|pm", seconds in 1_500_000_000_i64..2_000_000_000,
        name in prop_oneof![Just("Europe/Berlin"), Just("America/St_Johns"), Just("Asia/Kathmandu"), Just("Australia/Lord_Howe"), Just("+13:00")]) {
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        let read = reset_time(&format!("resets {hour}:{minute:02}{half}"), now, zone(name)).unwrap();
        prop_assert!(read >= now - JUST_PASSED && read <= now + TimeDelta::hours(26));
    }
}
