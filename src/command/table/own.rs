//! What a person says to the program itself, about no agent: trust, and the bell.

use super::super::Command;
use super::{Entry, Kind, may};

pub(super) const TRUST: Entry = Entry {
    name: "trust",
    arguments: &[],
    summary: "Shows what is left out of a configuration that was found here, and asks.",
    details: "\
A configuration in the working folder that you did not name yourself may have
come with somebody's repository, or from an agent. Until your `/yes`, its
rules for dialogs, commands, webhooks, far backends, profiles, kinds and
shells do not hold. The yes is for exactly that content and is remembered:
what this program saves stays trusted, what anybody else changes does not.",
    examples: &["/trust"],
    build: |_| Ok(Command::Trust),
};

pub(super) const NOTIFY: Entry = Entry {
    name: "notify",
    arguments: &[may("test", Kind::Flag("test"))],
    summary: "Shows how you are told that an agent waits for you, or tests it.",
    details: "\
The terminal's bell, the desktop, a command, a webhook: `notify` in the
configuration. With `test` a message goes out in each that is on, also in
quiet hours, and you see what came of it.",
    examples: &["/notify", "/notify test"],
    build: |given| {
        Ok(Command::Notify {
            test: given.flag("test")?,
        })
    },
};
