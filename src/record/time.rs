//! Times as they stand in the logs.

use std::collections::VecDeque;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serializer, de};

/// Times in the logs: RFC 3339 in UTC with milliseconds.
pub fn time_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The original wrote milliseconds since its start: no time of day, but still an order.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenTime {
    Text(String),
    Millis(i64),
}

impl WrittenTime {
    fn read<E: de::Error>(self) -> Result<DateTime<Utc>, E> {
        let time = match &self {
            Self::Text(text) => DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|at| at.to_utc()),
            Self::Millis(millis) => DateTime::from_timestamp_millis(*millis),
        };
        time.ok_or_else(|| E::custom("no time in RFC 3339"))
    }
}

pub fn serialize<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&time_text(*at))
}

pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
    WrittenTime::deserialize(from)?.read()
}

/// Several of them.
pub mod several {
    use super::{
        DateTime, Deserialize, Deserializer, Serializer, Utc, VecDeque, WrittenTime, time_text,
    };

    pub fn serialize<S: Serializer>(
        all: &VecDeque<DateTime<Utc>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(all.iter().map(|at| time_text(*at)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<VecDeque<DateTime<Utc>>, D::Error> {
        let written = Vec::<WrittenTime>::deserialize(from)?;
        written.into_iter().map(WrittenTime::read).collect()
    }
}
