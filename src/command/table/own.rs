//! What a person says to the program itself, about no agent: trust.

use super::super::Command;
use super::Entry;

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
