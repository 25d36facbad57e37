//! Why no answer came.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Failure, Kind};

/// Why a call brought no answer with a status from 200 to 299. Texts from outside in it are bounded, of one
/// line, and without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The address is none.
    #[error("`{shown}` is no address to send to: {why}")]
    BadUrl {
        /// The address, without what may be secret in it.
        shown: String,
        /// What is wrong with it.
        why: String,
    },
    /// A header cannot be sent (a line break in a key, mostly).
    #[error("the header `{name}` or its value holds a character that cannot be sent")]
    BadHeader {
        /// The header.
        name: String,
    },
    /// Sending could not even begin: the system's certificates cannot be read, for one.
    #[error("could not prepare to send: {why}")]
    Setup {
        /// What went wrong.
        why: String,
    },
    /// No connection, or it ended before an answer began.
    #[error("no answer from {server}: {why}")]
    Unreachable {
        /// The server.
        server: String,
        /// What went wrong.
        why: String,
    },
    /// The deadline passed before the answer was complete.
    #[error("no answer from {server} within {} s", after.as_secs_f64())]
    TimedOut {
        /// The server.
        server: String,
        /// The deadline.
        after: Duration,
    },
    /// The deadline passed while other calls to the server held all places.
    #[error("other requests to {server} were under way for {} s", after.as_secs_f64())]
    Crowded {
        /// The server.
        server: String,
        /// The deadline.
        after: Duration,
    },
    /// The answer began and did not end.
    #[error("{server} broke its answer off: {why}")]
    BrokenOff {
        /// The server.
        server: String,
        /// What went wrong.
        why: String,
    },
    /// The answer is larger than what is read.
    #[error("{server} sent more than {limit} bytes")]
    TooLarge {
        /// The server.
        server: String,
        /// How much is read, in bytes.
        limit: usize,
    },
    /// The server answered with another status.
    #[error("{server} answered {code}{}{excerpt}", if excerpt.is_empty() { "" } else { ": " })]
    Status {
        /// The server.
        server: String,
        /// The status, from 100 to 999.
        code: u16,
        /// What its body says, in one line of at most 1,000 characters.
        excerpt: String,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The server has failed several times in a row and is left alone for now.
    #[error("{server} is left alone for now, it failed several times in a row (last: {last})")]
    BreakerOpen {
        /// The server.
        server: String,
        /// When it is tried again.
        until: Instant,
        /// How it failed last.
        last: String,
    },
    /// The server has asked to be left alone for longer than this call's deadline.
    #[error("{server} has asked for a pause that is longer than this request may wait")]
    AskedToWait {
        /// The server.
        server: String,
        /// When the pause ends.
        until: Instant,
    },
}

impl HttpError {
    /// How long to wait, from now on, before asking this server again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::BreakerOpen { until, .. } | Self::AskedToWait { until, .. } => {
                Some(until.saturating_duration_since(Instant::now()))
            }
            _ => None,
        }
    }

    /// Whether the same call may go well later, with nothing changed here.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::BadUrl { .. } | Self::BadHeader { .. } | Self::Setup { .. } => false,
            Self::Status { code, .. } => matches!(code, 408 | 425 | 429 | 500..),
            _ => true,
        }
    }

    /// What sort of failure it is for whoever started the program.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::BadUrl { .. } | Self::BadHeader { .. } => Kind::Usage,
            Self::Setup { .. } | Self::Unreachable { .. } | Self::BreakerOpen { .. } => {
                Kind::Missing
            }
            Self::TimedOut { .. } | Self::Crowded { .. } => Kind::TimedOut,
            _ => Kind::Failed,
        }
    }

    /// Whether the call is repeated at once, within its deadline. 529 is "overloaded" at several vendors.
    pub(super) fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Status { code, .. } => {
                matches!(code, 408 | 429 | 500 | 502 | 503 | 504 | 529)
            }
            _ => false,
        }
    }

    /// Whether the server, and not what was asked of it, is at fault: this is what the breaker counts.
    pub(super) const fn is_servers_fault(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::BrokenOff { .. }
            | Self::TooLarge { .. } => true,
            Self::Status { code, .. } => *code >= 500,
            _ => false,
        }
    }

    /// Whether the call reached the server at all, so that the error says something about it.
    pub(super) const fn says_something_of_the_server(&self) -> bool {
        self.is_servers_fault() || matches!(self, Self::Status { .. })
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        let failure = Self::from_error(error.kind(), &error);
        match error {
            HttpError::BadUrl { .. } => failure.hint("write it as https://host/path"),
            HttpError::BadHeader { .. } => {
                failure.hint("the key must be one line of plain characters")
            }
            HttpError::Setup { .. } => failure.hint(
                "install the system's certificates (package ca-certificates) or set SSL_CERT_FILE",
            ),
            HttpError::Status { code: 300..400, .. } => {
                failure.hint("use the address that the server redirects to")
            }
            HttpError::BreakerOpen { .. } | HttpError::AskedToWait { .. } => {
                failure.hint("nothing to do: it is asked again by itself")
            }
            _ => failure,
        }
    }
}
