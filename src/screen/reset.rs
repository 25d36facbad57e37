//! Reads from the words of an agent when its usage limit is reset: pure.
//!
//! The forms are those that agents of the years 2025 and 2026 print; what is not understood gives no time, and
//! an agent without one is not nudged by the clock. It never says whether there is a limit at all: who calls
//! (`evidence`, for a screen in the state `limit` or a record of a transcript) knows that already.

use std::str::FromStr;
use std::sync::LazyLock;

use chrono::{
    DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta,
    TimeZone, Utc, Weekday,
};
use chrono_tz::Tz;
use regex::{Captures, Regex};

/// No limit is reset later than this; the longest known are monthly.
const FARTHEST: TimeDelta = TimeDelta::days(35);
/// A time that is past by more than this belongs to another limit.
const STALEST: TimeDelta = TimeDelta::days(1);
/// A time of day that passed so short a while ago is still that one, and not tomorrow's: the words stay on the
/// screen when the limit is over.
const JUST_PASSED: TimeDelta = TimeDelta::minutes(10);
/// How much of a text is read, from its end, in bytes.
const LONGEST: usize = 100_000;
/// How far behind its first words a time may reach, in characters.
const REACH: usize = 100;

/// A time zone: one of the IANA database, or a fixed distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Named(Tz),
    Fixed(FixedOffset),
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Kind::Named(Tz::UTC));

    /// The zone with this name in the IANA database (`Europe/Berlin`), or at this distance from UTC (`+02:00`).
    pub fn named(name: &str) -> Option<Self> {
        let distance = || offset(name).map(Kind::Fixed);
        let known = Tz::from_str(name).ok().map(Kind::Named);
        known.or_else(distance).map(Self)
    }

    /// The zone that an agent writes so: `Europe/Berlin`, `UTC`, `GMT+2`, `PDT`.
    fn written(name: &str) -> Option<Self> {
        // as JavaScript writes them for English readers; those that mean several zones are left out
        const HOURS: [(&str, i32); 18] = [
            ("Z", 0),
            ("UTC", 0),
            ("GMT", 0),
            ("EST", -5),
            ("EDT", -4),
            ("CST", -6),
            ("CDT", -5),
            ("MST", -7),
            ("MDT", -6),
            ("PST", -8),
            ("PDT", -7),
            ("AKST", -9),
            ("AKDT", -8),
            ("HST", -10),
            ("CET", 1),
            ("CEST", 2),
            ("EET", 2),
            ("EEST", 3),
        ];
        let hours = HOURS.iter().find(|(short, _)| *short == name);
        let fixed = match hours {
            Some((_, hours)) => FixedOffset::east_opt(hours * 3_600),
            None => ["GMT", "UTC"]
                .iter()
                .find_map(|start| name.strip_prefix(start))
                .and_then(offset),
        };
        match fixed {
            Some(fixed) => Some(Self(Kind::Fixed(fixed))),
            None => Self::named(name),
        }
    }

    /// The moment at which clocks show `local`: the later one where they show it twice, and where they skip it,
    /// the one that they would have shown without the skip.
    fn moment(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.0 {
            Kind::Named(zone) => moment_in(&zone, local),
            Kind::Fixed(zone) => moment_in(&zone, local),
        }
    }

    /// What clocks show at `moment`.
    fn shows(self, moment: DateTime<Utc>) -> NaiveDateTime {
        match self.0 {
            Kind::Named(zone) => moment.with_timezone(&zone).naive_local(),
            Kind::Fixed(zone) => moment.with_timezone(&zone).naive_local(),
        }
    }
}

fn moment_in<Z: TimeZone>(zone: &Z, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    if let Some(later) = zone.from_local_datetime(&local).latest() {
        return Some(later.to_utc());
    }
    // the longest skip was of a whole day
    (1..=25).find_map(|hours| {
        let before = local.checked_sub_signed(TimeDelta::hours(hours))?;
        let offset = zone.offset_from_local_datetime(&before).latest()?.fix();
        Some(local.checked_sub_offset(offset)?.and_utc())
    })
}

/// `+2`, `-0800` or `+05:30`.
fn offset(text: &str) -> Option<FixedOffset> {
    let found = OFFSET.captures(text)?;
    let number = |name| {
        found
            .name(name)
            .map_or(Some(0), |it| it.as_str().parse().ok())
    };
    let (hours, minutes): (i32, i32) = (number("hours")?, number("minutes")?);
    let seconds = hours * 3_600 + minutes * 60;
    let is_west = matches!(&found["sign"], "-" | "−");
    (hours <= 14 && minutes < 60)
        .then(|| FixedOffset::east_opt(if is_west { -seconds } else { seconds }))
        .flatten()
}

/// When a limit is reset, as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    At(DateTime<Utc>),
    In(TimeDelta),
    Clock(Clock),
    /// It says when, in a way that cannot be told: a day that is none, a zone that nobody knows.
    Untold,
}

/// What a clock or a calendar shows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Clock {
    day: Day,
    /// `None`: the day is all that is said.
    time: Option<NaiveTime>,
    /// `None`: that of whoever reads it.
    zone: Option<Zone>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Day {
    /// The next on which the clock shows that time.
    Next,
    /// Today and so many days.
    After(u64),
    The(Weekday),
    Date {
        year: Option<i32>,
        month: u32,
        day: u32,
    },
}

#[expect(
    clippy::unwrap_used,
    reason = "a constant pattern, compiled by the tests"
)]
fn pattern(source: &str) -> Regex {
    Regex::new(source).unwrap()
}

/// What stands before the time of a reset.
static FIRM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?ix) \b resets? (?:\ time)? :? (?:\ (?:at|on|in|after|by))* \s
        | \b try \ again \ (?:at|on|in|after) \s
        | (?P<epoch> \b reached \| | \b resets?_?at \\* " \s? : \s? (?:\\* ")? )
        | (?P<seconds> \b resets?_in_seconds \\* " \s? : \s? )"#,
    )
});
/// The same, where nothing better is said.
static LOOSE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix) \b (?: retry(?:ing)? | (?:continu|resum)\w+ (?:\ automatically)? ) \ (?:at|in|after) \s",
    )
});
static DIGITS: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d{1,13}\b"));
static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:[, ]|and )*(?P<number>\d{1,7})(?:\.\d{1,9})? ?(?P<unit>[A-Za-z]+)")
});
static OFFSET: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?P<sign>[+−-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?$"));
static ISO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^ (?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2}) [T\ ]
        (?P<hour24>\d{2}):(?P<minute24>\d{2}) (?: :\d{2} (?:\.\d+)? )?
        \s? (?P<zone> Z\b | [+-]\d{2}:?\d{2}\b )?",
    )
});
static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    const MONTH: &str = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";
    const WEEKDAY: &str = "mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?";
    pattern(&format!(
        r"(?ix)^
        (?: (?P<weekday>{WEEKDAY}) \b [.,]* \s? )?
        (?: (?P<month>{MONTH}) \.? \s (?P<day>\d{{1,2}}) (?:st|nd|rd|th)? \b (?: ,? \s (?P<year>\d{{4}}) \b )? ,? \s?
          | (?P<day2>\d{{1,2}}) (?:st|nd|rd|th)? \s (?P<month2>{MONTH}) \b \.? (?: ,? \s (?P<year2>\d{{4}}) \b )? ,? \s?
          | (?P<soon> today|tomorrow ) \b ,? \s? )?
        (?: (?:at|@|by) \s )?
        (?: (?P<hour>\d{{1,2}}) (?: :(?P<minute>\d{{2}}) (?: :\d{{2}} )? )? \s? (?P<half>[ap]) \.? m \b \.?
          | (?P<hour24>\d{{1,2}}):(?P<minute24>\d{{2}}) (?: :\d{{2}} )? \b )?"
    ))
});
static ZONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^ [.,]? \s?
        (?: \( (?P<within> [^()]{1,60} ) \)
          | (?P<bare> (?:GMT|UTC) [+−-] \d{1,2} (?: :?\d{2} )? | [A-Z][A-Za-z]+ / [A-Za-z0-9_+/-]+ | [A-Z]{3,4} ) (?: [.,;)\s] | $ ) )",
    )
});

/// When the limit that `text` speaks of is reset: a screen, some of its lines, or a record of a transcript.
///
/// `now` is when the text was written, as nearly as that is known: for a screen the moment at which it was first
/// seen, for a record of a transcript the time of the record. The last time that is told decides. `local` is the
/// zone of whoever the text was written for. Amounts of time (`in 3 days 2 hours`) count from `now`; a time
/// without a date is the next such time; a day without a time lasts until its end. `None` where no time is told, or one that cannot be: more than 35 days ahead, or past by
/// more than a day.
pub fn reset_time(text: &str, now: DateTime<Utc>, local: Zone) -> Option<DateTime<Utc>> {
    let text = flat(text);
    let mut told = all(&FIRM, &text);
    if told.is_empty() {
        told = all(&LOOSE, &text);
    }
    let moment = match fullest(&told)? {
        When::At(moment) => moment,
        When::In(wait) => now.checked_add_signed(wait)?,
        When::Clock(clock) => moment_of(clock, now, local)?,
        When::Untold => return None,
    };
    let ahead = moment.signed_duration_since(now);
    (-STALEST..=FARTHEST).contains(&ahead).then_some(moment)
}

/// The end of the text in one line, without frames: agents wrap what they say.
fn flat(text: &str) -> String {
    let mut start = text.len().saturating_sub(LONGEST);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let is_frame = |c: char| matches!(c, '\u{2500}'..='\u{259f}' | '⎿');
    let words = text[start..].split(|c: char| c.is_whitespace() || is_frame(c));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").replace(r"\/", "/")
}

/// Every time that is told behind what `leads` finds.
fn all(leads: &Regex, text: &str) -> Vec<When> {
    let told = leads.captures_iter(text).filter_map(|lead| {
        let rest = &text[lead.get(0)?.end()..];
        let end = rest.char_indices().nth(REACH).map_or(rest.len(), |it| it.0);
        when(&lead, &rest[..end])
    });
    told.collect()
}

/// The last one; where the same is said before with its zone, that.
fn fullest(told: &[When]) -> Option<When> {
    let last = *told.last()?;
    let When::Clock(short) = last else {
        return Some(last);
    };
    let is_fuller = |when: &&When| {
        matches!(when, When::Clock(full) if full.zone.is_some()
            && full.time == short.time
            && (short.day == Day::Next || short.day == full.day))
    };
    let fuller = told.iter().rev().find(is_fuller);
    Some(match (short.zone, fuller) {
        (None, Some(fuller)) => *fuller,
        _ => last,
    })
}

/// The time with which `text` begins, if it does.
fn when(lead: &Captures<'_>, text: &str) -> Option<When> {
    let digits = || DIGITS.find(text)?.as_str().parse::<i64>().ok();
    if lead.name("seconds").is_some() {
        return TimeDelta::try_seconds(digits()?).map(When::In);
    }
    if let Some(found) = ISO.captures(text) {
        let clock = clock(&found, found.name("zone").map_or("", |it| it.as_str()));
        return Some(clock.map_or(When::Untold, When::Clock));
    }
    if lead.name("epoch").is_some()
        && let Some(since) = digits()
    {
        // thirteen digits are milliseconds
        let seconds = if since >= 1_000_000_000_000 {
            since / 1_000
        } else {
            since
        };
        return DateTime::from_timestamp(seconds, 0).map(When::At);
    }
    if let Some(wait) = wait(text) {
        return Some(When::In(wait));
    }
    let found = CLOCK.captures(text)?;
    let says = |name| found.name(name).is_some();
    let has_day = ["weekday", "month", "month2", "soon"].into_iter().any(says);
    if !has_day && !says("half") && !says("hour24") {
        return None;
    }
    let rest = &text[found.get(0)?.end()..];
    let clock = clock(&found, zone_behind(rest));
    Some(clock.map_or(When::Untold, When::Clock))
}

/// How long `text` says, in the units with which it begins.
fn wait(text: &str) -> Option<TimeDelta> {
    if text.to_ascii_lowercase().starts_with("less than a minute") {
        return Some(TimeDelta::minutes(1));
    }
    let mut rest = text.trim_start_matches(['~', ' ']);
    rest = rest.strip_prefix("about ").unwrap_or(rest);
    let mut sum = None::<i64>;
    while let Some(amount) = AMOUNT.captures(rest) {
        let seconds = match amount["unit"].to_ascii_lowercase().as_str() {
            "w" | "week" | "weeks" => 7 * 86_400,
            "d" | "day" | "days" => 86_400,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            _ => break,
        };
        let number: i64 = amount["number"].parse().ok()?;
        sum = Some(sum.unwrap_or(0) + number * seconds);
        rest = &rest[amount[0].len()..];
    }
    TimeDelta::try_seconds(sum?)
}

/// The zone with which `text` begins; empty where none is written. Nobody may know it.
fn zone_behind(text: &str) -> &str {
    let Some(found) = ZONE.captures(text) else {
        return "";
    };
    if let Some(bare) = found.name("bare") {
        // capitals may be a word of the next sentence
        let is_zone = bare.as_str().contains('/') || Zone::written(bare.as_str()).is_some();
        return if is_zone { bare.as_str() } else { "" };
    }
    let within = found.name("within").map_or("", |it| it.as_str().trim());
    let is_like_a_zone = within.contains('/')
        || (within.len() <= 5 && within.chars().all(|c| c.is_ascii_uppercase()))
        || within.starts_with("GMT")
        || within.starts_with("UTC");
    if is_like_a_zone { within } else { "" }
}

fn clock(found: &Captures<'_>, zone: &str) -> Option<Clock> {
    let number = |name: &str| found.name(name)?.as_str().parse::<u32>().ok();
    // a zone may be wrapped in the middle
    let zone: String = zone.split_whitespace().collect();
    let zone = match zone.as_str() {
        "" => None,
        name => Some(Zone::written(name)?),
    };
    let month = ["month", "month2"]
        .into_iter()
        .find_map(|name| found.name(name));
    let soon = found.name("soon").map(|it| it.as_str());
    let weekday = found.name("weekday").map(|it| it.as_str());
    let day = match (month, soon, weekday) {
        (Some(month), _, _) => Day::Date {
            year: number("year")
                .or_else(|| number("year2"))
                .and_then(|year| i32::try_from(year).ok()),
            month: month_number(month.as_str())?,
            day: number("day").or_else(|| number("day2"))?,
        },
        (None, Some(soon), _) => Day::After(u64::from(soon.eq_ignore_ascii_case("tomorrow"))),
        (None, None, Some(weekday)) => Day::The(weekday.get(..3)?.parse().ok()?),
        (None, None, None) => Day::Next,
    };
    let time = match (found.name("half"), number("hour24")) {
        (Some(half), _) => {
            let hour = number("hour").filter(|hour| (1..=12).contains(hour))?;
            let is_afternoon = half.as_str().eq_ignore_ascii_case("p");
            let hour = hour % 12 + if is_afternoon { 12 } else { 0 };
            Some(NaiveTime::from_hms_opt(
                hour,
                number("minute").unwrap_or(0),
                0,
            )?)
        }
        (None, Some(hour)) => Some(NaiveTime::from_hms_opt(hour, number("minute24")?, 0)?),
        (None, None) => None,
    };
    Some(Clock { day, time, zone })
}

/// A month by its number, or by the first three letters of its English name.
fn month_number(text: &str) -> Option<u32> {
    if let Ok(number) = text.parse::<u32>() {
        return Some(number);
    }
    let month = text.get(..3)?.parse::<chrono::Month>().ok()?;
    Some(month.number_from_month())
}

fn moment_of(clock: Clock, now: DateTime<Utc>, local: Zone) -> Option<DateTime<Utc>> {
    let zone = clock.zone.unwrap_or(local);
    let today = zone.shows(now).date();
    let on = |date: NaiveDate| match clock.time {
        Some(time) => zone.moment(date.and_time(time)),
        // until the end of that day
        None => zone.moment(date.succ_opt()?.and_time(NaiveTime::MIN)),
    };
    let after = |days: u64| today.checked_add_days(Days::new(days));
    let yesterday = today.pred_opt();
    let days = || yesterday.into_iter().chain((0..=8).filter_map(after));
    let is_ahead = |moment: &DateTime<Utc>| *moment + JUST_PASSED >= now;
    match clock.day {
        Day::Next => days().filter_map(on).find(is_ahead),
        Day::After(count) => on(after(count)?),
        Day::The(weekday) => days()
            .filter(|date| date.weekday() == weekday)
            .filter_map(on)
            .find(is_ahead),
        Day::Date {
            year: Some(year),
            month,
            day,
        } => on(NaiveDate::from_ymd_opt(year, month, day)?),
        Day::Date {
            year: None,
            month,
            day,
        } => (-1..=1)
            .filter_map(|years| NaiveDate::from_ymd_opt(today.year() + years, month, day))
            .filter_map(on)
            .find(|moment| *moment + STALEST >= now),
    }
}

#[cfg(test)]
mod tests;
