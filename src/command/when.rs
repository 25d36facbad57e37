//! Times as a person writes them and reads them. Pure: now and the zone come in as values.
//!
//! [`When`] is the one form in which a time is taken on the command line and in typed commands.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use crate::record::stats::Zone;

/// A time as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So long ago: `90s`, `30m`, `24h`, `7d`, `2w`.
    Ago(TimeDelta),
    /// A time of day in the person's zone: `2026-11-20 18:30`; a day alone is its beginning.
    Local(NaiveDateTime),
    /// A time with its zone: `2026-11-20T18:30:00Z`.
    At(DateTime<Utc>),
}

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{shown}` is no time: write how long ago (`90s`, `30m`, `24h`, `7d`, `2w`), a day (`2026-11-20`), or a time (`2026-11-20 18:30`, `2026-11-20T18:30:00Z`)"
)]
pub struct NoTime {
    shown: String,
}

/// The longest time ago, in seconds: a century.
const LONGEST_AGO: i64 = 100 * 366 * 86_400;

impl FromStr for When {
    type Err = NoTime;

    fn from_str(text: &str) -> Result<Self, NoTime> {
        let text = text.trim();
        let when = ago(text)
            .map(Self::Ago)
            .or_else(|| local(text).map(Self::Local))
            .or_else(|| {
                let at = DateTime::parse_from_rfc3339(text).ok()?;
                Some(Self::At(at.to_utc()))
            });
        when.ok_or_else(|| NoTime {
            shown: text.chars().take(40).flat_map(char::escape_debug).collect(),
        })
    }
}

fn ago(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = number.parse().ok().filter(|_| is_number)?;
    let seconds = number.checked_mul(seconds)?;
    (seconds <= LONGEST_AGO).then(|| TimeDelta::seconds(seconds))
}

fn local(text: &str) -> Option<NaiveDateTime> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_time(NaiveTime::MIN));
    }
    let forms = [
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
    ];
    let mut parsed = forms.iter();
    parsed.find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

impl When {
    /// The moment that is meant.
    pub fn moment(self, clock: &Clock<'_>) -> DateTime<Utc> {
        match self {
            Self::Ago(length) => clock.now.checked_sub_signed(length).unwrap_or_default(),
            Self::At(at) => at,
            Self::Local(at) => {
                // twice: the first is by the offset of another hour, and may be of another season
                let by = |offset: FixedOffset| {
                    let back = TimeDelta::seconds(offset.local_minus_utc().into());
                    at.checked_sub_signed(back).unwrap_or(at).and_utc()
                };
                by((clock.zone)(by((clock.zone)(at.and_utc()))))
            }
        }
    }
}

/// Now, and the zone in which times are told.
#[derive(Clone, Copy)]
pub struct Clock<'a> {
    /// Now.
    pub now: DateTime<Utc>,
    /// The zone.
    pub zone: Zone<'a>,
}

impl Clock<'_> {
    /// A moment in the person's zone.
    pub fn local(&self, at: DateTime<Utc>) -> DateTime<FixedOffset> {
        at.with_timezone(&(self.zone)(at))
    }

    /// A moment to the minute: `2026-11-20 18:30`.
    pub fn minute(&self, at: DateTime<Utc>) -> String {
        self.local(at).format("%Y-%m-%d %H:%M").to_string()
    }

    /// A moment to the second.
    pub fn second(&self, at: DateTime<Utc>) -> String {
        self.local(at).format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The zone as it is now: `UTC+01:00`.
    pub fn zone_name(&self) -> String {
        format!("UTC{}", (self.zone)(self.now))
    }
}

/// A length of time in its two largest units: `45s`, `12m`, `1h20m`, `3d4h`.
pub fn length(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let and = |number: u64, unit: char| match number {
        0 => String::new(),
        number => format!("{number}{unit}"),
    };
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m"),
        3_600..86_400 => format!("{hours}h{}", and(minutes % 60, 'm')),
        _ => format!("{days}d{}", and(hours % 24, 'h')),
    }
}

/// The length from one moment to another; none where it is negative.
pub fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    length(u64::try_from((to - from).num_seconds()).unwrap_or_default())
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One hour east of Greenwich.
    pub fn east(_: DateTime<Utc>) -> FixedOffset {
        FixedOffset::east_opt(3_600).unwrap()
    }

    /// 2026-11-21 09:00 there.
    pub fn clock() -> Clock<'static> {
        Clock {
            now: "2026-11-21T08:00:00Z".parse().unwrap(),
            zone: &east,
        }
    }

    #[test]
    fn times_are_read_as_a_person_writes_them() {
        for (text, meant) in [
            ("0s", "2026-11-21T08:00:00Z"),
            ("90s", "2026-11-21T07:58:30Z"),
            ("30m", "2026-11-21T07:30:00Z"),
            (" 24h ", "2026-11-20T08:00:00Z"),
            ("7d", "2026-11-14T08:00:00Z"),
            ("2w", "2026-11-07T08:00:00Z"),
            ("2026-11-20", "2026-11-19T23:00:00Z"),
            ("2026-11-20 18:30", "2026-11-20T17:30:00Z"),
            ("2026-11-20T18:30:01", "2026-11-20T17:30:01Z"),
            ("2026-11-20T18:30:00Z", "2026-11-20T18:30:00Z"),
            ("2026-11-20T18:30:00-05:00", "2026-11-20T23:30:00Z"),
        ] {
            let when: When = text.parse().unwrap();
            let meant: DateTime<Utc> = meant.parse().unwrap();
            assert_eq!(when.moment(&clock()), meant, "{text}");
        }
        for wrong in [
            "",
            "h",
            "1",
            "-1h",
            "+1h",
            "1.5h",
            "1y",
            "1h30m",
            "99999999999w",
            "yesterday",
            "2026-13-01",
            "20.11.2026",
            "18:30",
            "1\u{1b}h",
        ] {
            let error = wrong.parse::<When>().unwrap_err().to_string();
            assert!(error.contains("is no time: write how long ago"), "{error}");
            assert!(!error.contains('\u{1b}'));
        }
    }

    #[test]
    fn a_time_of_day_goes_by_the_clocks_of_that_day() {
        // summer time ends on October 25 at 01:00 UTC
        let zone = |at: DateTime<Utc>| {
            let winter = at >= "2026-10-25T01:00:00Z".parse::<DateTime<Utc>>().unwrap();
            FixedOffset::east_opt(if winter { 3_600 } else { 7_200 }).unwrap()
        };
        let clock = Clock {
            zone: &zone,
            ..clock()
        };
        for (text, meant) in [
            ("2026-10-25", "2026-10-24T22:00:00Z"),
            ("2026-10-26", "2026-10-25T23:00:00Z"),
        ] {
            let meant: DateTime<Utc> = meant.parse().unwrap();
            assert_eq!(text.parse::<When>().unwrap().moment(&clock), meant);
        }
        assert_eq!(clock.zone_name(), "UTC+01:00");
    }

    #[test]
    fn lengths_have_two_units() {
        for (seconds, shown) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3_599, "59m"),
            (3_600, "1h"),
            (4_800, "1h20m"),
            (86_400, "1d"),
            (273_600, "3d4h"),
        ] {
            assert_eq!(length(seconds), shown);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), number in any::<u64>()) {
            for text in [text, format!("{number}w"), format!("{number}-11-20")] {
                let _ = text.parse::<When>().map(|when| clock().minute(when.moment(&clock())));
            }
        }
    }
}
