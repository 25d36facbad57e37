//! Lengths of time as they stand in the configuration.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time: written in seconds, whole or with a fraction, from 0.1 to 86,400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(Duration);

impl Seconds {
    const MIN: f64 = 0.1;
    const MAX: f64 = 86_400.0;

    pub(super) const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// `seconds` where it is within the range.
    pub fn new(seconds: f64) -> Option<Self> {
        let within = (Self::MIN..=Self::MAX).contains(&seconds);
        within.then(|| Self(Duration::from_secs_f64((seconds * 1000.0).round() / 1000.0)))
    }

    /// The same as a duration.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl std::fmt::Display for Seconds {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.0.as_secs_f64())
    }
}

impl std::str::FromStr for Seconds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.parse().ok().and_then(Self::new);
        seconds.ok_or_else(|| {
            format!(
                "`{}` is no number of seconds from 0.1 to 86400",
                text.escape_debug()
            )
        })
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0.subsec_nanos() == 0 {
            to.serialize_u64(self.0.as_secs())
        } else {
            to.serialize_f64(self.0.as_secs_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(from)?;
        Self::new(seconds).ok_or_else(|| {
            let found = de::Unexpected::Float(seconds);
            de::Error::invalid_value(found, &"seconds from 0.1 to 86400")
        })
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "description": "seconds", "minimum": Self::MIN, "maximum": Self::MAX })
    }
}
