//! An address to send to, checked once: `http` or `https`, a host, and no place for a secret.

use std::fmt;
use std::net::IpAddr;

use super::HttpError;

/// Where a request goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: reqwest::Url,
    server: Box<str>,
    /// Whether no more than the server may be shown.
    hidden: bool,
}

impl Endpoint {
    /// Reads an address, such as `http://127.0.0.1:11211/v1`.
    ///
    /// # Errors
    /// When it is no `http` or `https` address, or holds a user name, a password, a query or a fragment: those
    /// are where keys end up, and an address is shown in errors and logs.
    pub fn parse(text: &str) -> Result<Self, HttpError> {
        let read = Self::read(text, &shown(text))?;
        if read.url.query().is_some() || read.url.fragment().is_some() {
            return Err(HttpError::BadUrl {
                shown: shown(text),
                why: "it must end before any `?` or `#`".into(),
            });
        }
        Ok(read)
    }

    /// Reads an address that is a secret as a whole: a webhook's, whose path or query holds a token. No more than
    /// its server is ever shown.
    ///
    /// # Errors
    /// When it is no `http` or `https` address, or holds a user name or a password.
    pub fn secret(text: &str) -> Result<Self, HttpError> {
        let read = Self::read(text, "the address")?;
        Ok(Self {
            hidden: true,
            ..read
        })
    }

    fn read(text: &str, shown: &str) -> Result<Self, HttpError> {
        let bad = |why: &str| HttpError::BadUrl {
            shown: shown.to_owned(),
            why: why.to_owned(),
        };
        let url = reqwest::Url::parse(text.trim()).map_err(|error| bad(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("a user name or a password cannot be part of it"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(bad("it names no host"));
        }
        let server = url.origin().ascii_serialization().into();
        Ok(Self {
            url,
            server,
            hidden: false,
        })
    }

    /// The address below this one: `path` is split at `/`, and what a path cannot hold is percent-encoded.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        let mut below = self.clone();
        if let Ok(mut segments) = below.url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        below
    }

    /// The same address with `name=value` in its query. Never for a secret.
    #[must_use]
    pub fn with_query(&self, name: &str, value: &str) -> Self {
        let mut asked = self.clone();
        asked.url.query_pairs_mut().append_pair(name, value);
        asked
    }

    /// The server: scheme, host and port, as `https://example.org` or `http://127.0.0.1:11211`.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Whether the host is this machine by its very address (`localhost`, `127.x.x.x`, `::1`, `0.0.0.0`), so
    /// that what is sent stays here. A name that merely resolves to this machine does not count.
    pub fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) => {
                let address = address.to_canonical();
                address.is_loopback() || address.is_unspecified()
            }
            Err(_) => host == "localhost",
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(super) fn url(&self) -> reqwest::Url {
        self.url.clone()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.hidden {
            &self.server
        } else {
            self.url.as_str()
        })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Endpoint({self})")
    }
}

/// A refused address as it may be shown: without what stands where secrets stand.
fn shown(text: &str) -> String {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let plain = &text[..end];
    let plain = plain.rsplit_once('@').map_or(plain, |(_, rest)| rest);
    plain
        .chars()
        .take(100)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_room_for_a_secret_is_refused_and_the_secret_not_shown() {
        let cases = [
            ("", "relative URL without a base"),
            ("localhost:11211/v1", "must begin with http"),
            ("ftp://a/", "must begin with http"),
            ("http://", "empty host"),
            ("http://me:SECRET@host/v1", "a password cannot"),
            ("https://host/v1?key=SECRET", "before any `?`"),
            ("https://host/v1#SECRET", "before any `?`"),
            ("SECRET@\u{1b}[31m", "relative URL"),
        ];
        for (text, why) in cases {
            let error = Endpoint::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
            assert!(
                !error.contains("SECRET") && !error.contains('\u{1b}'),
                "{error}"
            );
        }
    }

    #[test]
    fn of_a_secret_address_no_more_than_the_server_is_shown() {
        let hook = Endpoint::secret("https://hooks.example/SECRET?token=SECRET").unwrap();
        assert_eq!(hook.url().query(), Some("token=SECRET"));
        for shown in [
            hook.to_string(),
            format!("{hook:?}"),
            hook.server().to_owned(),
        ] {
            assert!(
                shown.contains("hooks.example") && !shown.contains("SECRET"),
                "{shown}"
            );
        }
        for text in ["SECRET", "ftp://h/SECRET", "https://SECRET@h/"] {
            let said = Endpoint::secret(text).unwrap_err().to_string();
            assert!(!said.contains("SECRET"), "{said}");
        }
    }

    #[test]
    fn a_path_is_added_below_the_base() {
        let cases = [
            (
                "http://h:1/v1",
                "chat/completions",
                "http://h:1/v1/chat/completions",
            ),
            ("http://h/v1/", "models", "http://h/v1/models"),
            ("http://h", "models", "http://h/models"),
            (
                "https://h/b",
                "models/a b?c#d:generate",
                "https://h/b/models/a%20b%3Fc%23d:generate",
            ),
            ("https://h/b", "models/../x", "https://h/b/models/x"),
        ];
        for (base, path, expected) in cases {
            let joined = Endpoint::parse(base).unwrap().join(path);
            assert_eq!(joined.to_string(), expected);
        }
    }

    #[test]
    fn only_an_address_of_this_machine_counts_as_local() {
        let local = |text: &str| Endpoint::parse(text).unwrap().is_loopback();
        for text in [
            "http://localhost:1/",
            "http://127.0.0.1",
            "http://127.9.9.9",
            "http://[::1]:5/v1",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0:11434",
            "http://LOCALHOST",
            "http://2130706433/",
        ] {
            assert!(local(text), "{text}");
        }
        for text in [
            "http://192.168.0.1",
            "https://api.openai.com/v1",
            "http://localhost.evil.example",
            "http://127.0.0.1.example",
            "http://a.localhost",
        ] {
            assert!(!local(text), "{text}");
        }
    }

    #[test]
    fn a_server_is_scheme_host_and_port() {
        let server = |text: &str| Endpoint::parse(text).unwrap().server().to_owned();
        assert_eq!(
            server("https://Host.example:443/a/b"),
            "https://host.example"
        );
        assert_eq!(
            server("http://127.0.0.1:11211/v1"),
            "http://127.0.0.1:11211"
        );
    }
}
