//! How the person is told that somebody waits for them, as it stands in the configuration.
//!
//! Plain data, checked as it is read: a command is a list of arguments and never a line for a shell, a webhook's
//! address is a secret (its path may hold a token). `notify` goes by it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveTime;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Seconds, is_true, yes};

/// The ways in which the person is told, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NotifyConfig {
    /// The terminal's bell, and the notice that it shows by itself (OSC 9, OSC 777), where one is open.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub bell: bool,
    /// A notice on the desktop, where there is a session bus and the program was built with `desktop`.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub desktop: bool,
    /// A program that is run with the text on its standard input: the program, then its arguments. Never a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Argv>,
    /// An address that is sent the text as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookConfig>,
    /// How long others are waited for before the first message, so that many make one.
    pub gather_sec: Seconds,
    /// After how long what is still unanswered is told again; the wait doubles each time, eightfold at most.
    pub repeat_sec: Seconds,
    /// When nothing is told, by the local clock; what waited is told at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
}

impl Default for NotifyConfig {
    fn default() -> Self {
        Self {
            bell: true,
            desktop: true,
            command: None,
            webhook: None,
            gather_sec: Seconds::from_millis(3_000),
            repeat_sec: Seconds::from_millis(1_800_000),
            quiet_hours: None,
        }
    }
}

/// A program and its arguments, as they are given to the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Argv(Vec<String>);

impl Argv {
    /// The program: a name that is looked for in `PATH`, or a full path.
    pub fn program(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// What it is given.
    pub fn arguments(&self) -> &[String] {
        self.0.get(1..).unwrap_or_default()
    }
}

impl Argv {
    /// From words that are known to be in order.
    pub(super) fn of(words: &[&str]) -> Self {
        Self(words.iter().map(ToString::to_string).collect())
    }

    /// The same with more arguments.
    #[must_use]
    pub(super) fn with(&self, more: &[&str]) -> Self {
        let more = more.iter().map(ToString::to_string);
        Self(self.0.iter().cloned().chain(more).collect())
    }
}

impl TryFrom<Vec<String>> for Argv {
    type Error = String;
    fn try_from(words: Vec<String>) -> Result<Self, String> {
        /// As many as anybody needs.
        const MOST: usize = 64;
        let program = words.first().map_or("", String::as_str);
        if program.is_empty() {
            return Err(
                "the program's name is missing: `[\"ntfy\", \"publish\", \"mytopic\"]`".into(),
            );
        }
        if program.contains('/') && !program.starts_with('/') {
            // it would be another program in another folder
            return Err("the program must be named by its full path, or by a name in PATH".into());
        }
        if words.len() > MOST {
            return Err(format!("there are more than {MOST} arguments"));
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err("an argument cannot hold a zero byte".into());
        }
        Ok(Self(words))
    }
}

impl From<Argv> for Vec<String> {
    fn from(argv: Argv) -> Self {
        argv.0
    }
}

/// `["ntfy", "publish", "mytopic"]`.
impl fmt::Display for Argv {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

impl JsonSchema for Argv {
    fn schema_name() -> Cow<'static, str> {
        "Argv".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "description": "a program (a name in PATH, or a full path) and its arguments; never a shell's line",
            "items": { "type": "string" },
            "minItems": 1,
            "maxItems": 64
        })
    }
}

/// Where a webhook is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookConfig {
    /// The address itself; counts as a secret. Better, where it holds a token: `urlEnv`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "expose",
        deserialize_with = "address"
    )]
    #[schemars(with = "Option<String>")]
    pub url: Option<SecretString>,
    /// The environment variable that holds the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_env: Option<String>,
    /// Headers by name, each with the environment variable that holds its value: `{"Authorization": "HOOK_TOKEN"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers_env: BTreeMap<String, String>,
}

impl PartialEq for WebhookConfig {
    fn eq(&self, other: &Self) -> bool {
        let url = |hook: &Self| hook.url.as_ref().map(|url| url.expose_secret().to_owned());
        url(self) == url(other)
            && self.url_env == other.url_env
            && self.headers_env == other.headers_env
    }
}

/// Into the person's own file, which held it before.
#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn expose<S: Serializer>(url: &Option<SecretString>, to: S) -> Result<S::Ok, S::Error> {
    url.as_ref().map(ExposeSecret::expose_secret).serialize(to)
}

/// What is refused is not shown: it may hold a token.
fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretString>, D::Error> {
    let url = Option::<String>::deserialize(from)?;
    match url.as_deref().map(str::trim) {
        Some(text) if !(text.starts_with("http://") || text.starts_with("https://")) => Err(
            de::Error::custom("expected a URL that begins with http:// or https://"),
        ),
        Some(text)
            if text
                .split('/')
                .nth(2)
                .is_some_and(|host| host.contains('@')) =>
        {
            Err(de::Error::custom(
                "a user name or a password cannot be part of the URL: use `headersEnv`",
            ))
        }
        _ => Ok(url.map(SecretString::from)),
    }
}

/// A stretch of the day by the local clock; it may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", try_from = "Stretch", into = "Stretch")]
#[schemars(with = "Stretch")]
pub struct QuietHours {
    from: NaiveTime,
    to: NaiveTime,
}

/// As it is written.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "QuietHours")]
struct Stretch {
    /// When it begins: `22:00`.
    from: String,
    /// When it ends: `07:00`, on the next day where that is earlier.
    to: String,
}

impl QuietHours {
    /// Whether `time` of a day is in it. Both ends by the clock on the wall, whatever summer time does to it.
    pub fn holds(&self, time: NaiveTime) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

impl TryFrom<Stretch> for QuietHours {
    type Error = String;
    fn try_from(stretch: Stretch) -> Result<Self, String> {
        let time = |text: &str| {
            NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| {
                let shown: String = text.chars().take(20).flat_map(char::escape_debug).collect();
                format!("`{shown}` is no time of day such as 22:00")
            })
        };
        let (from, to) = (time(&stretch.from)?, time(&stretch.to)?);
        if from == to {
            return Err("`from` and `to` are the same time".into());
        }
        Ok(Self { from, to })
    }
}

impl From<QuietHours> for Stretch {
    fn from(hours: QuietHours) -> Self {
        let text = |time: NaiveTime| time.format("%H:%M").to_string();
        Self {
            from: text(hours.from),
            to: text(hours.to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parsed(notify: &str) -> Result<NotifyConfig, String> {
        let text = format!("{{\n \"notify\": {notify}}}");
        let config = Config::parse(&text).map_err(|error| error.to_string())?;
        let again = Config::parse(&config.to_text()).unwrap();
        assert_eq!(again.notify, config.notify, "saved as it was read");
        Ok(config.notify)
    }

    #[test]
    fn what_is_written_is_what_is_told_and_the_rest_takes_its_default() {
        assert_eq!(parsed("{}").unwrap(), NotifyConfig::default());
        let all = parsed(
            r#"{"bell": false, "desktop": false, "command": ["ntfy", "publish", "a b"], "gatherSec": 1.5,
               "repeatSec": 60, "quietHours": {"from": "22:00", "to": "07:30"},
               "webhook": {"url": "https://hooks.example/T0/secret", "headersEnv": {"X-Key": "KEY"}}}"#,
        )
        .unwrap();
        let command = all.command.clone().unwrap();
        assert_eq!(command.program(), "ntfy");
        assert_eq!(command.arguments(), ["publish", "a b"]);
        assert!(!format!("{all:?}").contains("secret"), "{all:?}");
    }

    #[test]
    fn a_mistake_is_told_by_path_and_line_and_never_shows_the_address() {
        for (notify, path, why) in [
            (r#"{"comand": []}"#, "`notify.comand`", "unknown field"),
            (
                r#"{"command": "ntfy"}"#,
                "`notify.command`",
                "expected a sequence",
            ),
            (
                r#"{"command": []}"#,
                "`notify.command`",
                "the program's name is missing",
            ),
            (
                r#"{"command": ["./notify.sh"]}"#,
                "`notify.command`",
                "full path",
            ),
            (
                r#"{"command": ["a\u0000"]}"#,
                "`notify.command`",
                "zero byte",
            ),
            (
                r#"{"webhook": {"url": "token.example/SECRET"}}"#,
                "`notify.webhook.url`",
                "begins with http",
            ),
            (
                r#"{"webhook": {"url": "https://me:SECRET@h/"}}"#,
                "`notify.webhook.url`",
                "`headersEnv`",
            ),
            (
                r#"{"quietHours": {"from": "22:00"}}"#,
                "`notify.quietHours`",
                "missing field `to`",
            ),
            (
                r#"{"quietHours": {"from": "10pm", "to": "07:00"}}"#,
                "`notify.quietHours`",
                "no time of day",
            ),
            (
                r#"{"quietHours": {"from": "07:00", "to": "07:00"}}"#,
                "`notify.quietHours`",
                "the same time",
            ),
            (
                r#"{"repeatSec": 0}"#,
                "`notify.repeatSec`",
                "seconds from 0.1",
            ),
        ] {
            let said = parsed(notify).unwrap_err();
            assert!(
                said.starts_with("line 2, ") && said.contains(path) && said.contains(why),
                "{notify}: {said}"
            );
            assert!(!said.contains("SECRET"), "{said}");
        }
    }

    #[test]
    fn quiet_hours_go_over_midnight_where_they_end_before_they_begin() {
        let hours = |from: &str, to: &str| {
            let (from, to) = (from.to_owned(), to.to_owned());
            QuietHours::try_from(Stretch { from, to }).unwrap()
        };
        let night = hours("22:00", "07:00");
        let noon = hours("12:00", "13:30");
        for (time, at_night, at_noon) in [
            ("21:59:59", false, false),
            ("22:00:00", true, false),
            ("00:00:00", true, false),
            ("06:59:59", true, false),
            ("07:00:00", false, false),
            ("12:00:00", false, true),
            ("13:30:00", false, false),
        ] {
            let time: NaiveTime = time.parse().unwrap();
            assert_eq!(
                (night.holds(time), noon.holds(time)),
                (at_night, at_noon),
                "{time}"
            );
        }
    }
}
