//! What a person is shown when something did not work.
//!
//! Every module below has an error enum of its own, whose message says what was being done, to what.
//! At the edge each becomes one [`Failure`]: a heading, the causes under it, and what to do next. The
//! command line prints it, every other front end shows the same text. Nothing here decides anything.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Why a request failed, in the terms of the exit code that a script sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was asked for was tried and failed: exit code 1.
    Failed,
    /// The command line, the typed line or the configuration is wrong: exit code 2.
    Usage,
    /// The outside world is missing (no zellij, no session, no server): exit code 3.
    Missing,
    /// A text was not delivered to its pane: exit code 4.
    NotDelivered,
    /// A deadline passed: exit code 5.
    TimedOut,
    /// The program contradicts itself: exit code 255.
    Bug,
}

impl Kind {
    /// The exit code, from 1 to 255.
    pub const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Missing => 3,
            Self::NotDelivered => 4,
            Self::TimedOut => 5,
            Self::Bug => 255,
        }
    }
}

/// One failure as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What sort of failure it is.
    pub kind: Kind,
    /// What was being done, to what.
    pub message: String,
    /// Why it failed, the nearest cause first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure of `kind` whose heading is `message`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Shorthand for a request that is wrong in itself.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// A failure whose heading is the error's own message and whose causes are its sources.
    pub fn from_error(kind: Kind, error: &(dyn Error + 'static)) -> Self {
        Self::new(kind, error.to_string()).because_sources_of(error)
    }

    /// Adds `error` and all its sources as causes.
    #[must_use]
    pub fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        self.push_cause(error.to_string());
        self.because_sources_of(error)
    }

    /// Adds one cause in words.
    #[must_use]
    pub fn because_text(mut self, cause: impl Into<String>) -> Self {
        self.push_cause(cause.into());
        self
    }

    /// Adds a hint: what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The exit code of a program that ends with this failure.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind.code())
    }

    fn because_sources_of(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut source = error.source();
        while let Some(cause) = source {
            self.push_cause(cause.to_string());
            source = cause.source();
        }
        self
    }

    /// Many libraries repeat their source's text in their own: such a cause says nothing new.
    fn push_cause(&mut self, cause: String) {
        let said = self.causes.last().unwrap_or(&self.message);
        if !cause.is_empty() && !said.contains(&cause) {
            self.causes.push(cause);
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.message)?;
        for cause in &self.causes {
            write!(
                out,
                "\n  because: {}",
                cause.trim_end().replace('\n', "\n    ")
            )?;
        }
        for hint in &self.hints {
            write!(out, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl Error for Failure {}

/// An error with all its sources in one line: `could not ask: connection refused`.
pub fn in_full(error: &(dyn Error + 'static)) -> String {
    let failure = Failure::from_error(Kind::Failed, error);
    std::iter::once(failure.message)
        .chain(failure.causes)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not read `a.json`")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("permission denied")]
    struct Inner;

    #[test]
    fn shows_heading_causes_and_hints_in_that_order() {
        let failure = Failure::from_error(Kind::Failed, &Outer(Inner)).hint("chmod u+r a.json");
        assert_eq!(
            failure.to_string(),
            "could not read `a.json`\n  because: permission denied\n  hint: chmod u+r a.json"
        );
    }

    #[test]
    fn a_cause_that_repeats_the_line_above_is_left_out() {
        let failure = Failure::new(Kind::Failed, "no: permission denied").because(&Inner);
        assert_eq!(failure.causes, Vec::<String>::new());
    }

    #[test]
    fn exit_codes_are_those_of_the_documentation() {
        let codes = [
            Kind::Failed,
            Kind::Usage,
            Kind::Missing,
            Kind::NotDelivered,
            Kind::TimedOut,
            Kind::Bug,
        ];
        assert_eq!(codes.map(Kind::code), [1, 2, 3, 4, 5, 255]);
    }
}
