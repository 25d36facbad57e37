//! The door for other processes: the same commands, views and events, over a Unix socket.
//!
//! Every running instance listens ([`server`]) at a place of its own ([`address`]); only its own user is let in
//! ([`peer`]). A [`Remote`] is a [`Client`](crate::command::Client) like the one in process, so that a
//! front end does not see the difference; a [`Connection`] is what a script's one command needs. It
//! carries commands and what is to be seen, decides nothing, and never types by itself. `main` and `ui` call it.
//!
//! # What is spoken
//!
//! Lines of JSON in UTF-8, each with the version of the form, `"v": 1`. What is asked, each with an id of the
//! asker's own choosing, which its answer bears:
//!
//! ```text
//! {"v":1,"id":1,"command":{"reply":{"id":"a1","text":"go on"}}}     a command, as `command::Command` is written
//! {"v":1,"id":2,"line":"/reply a1 go on"}                           the same as a person types it
//! {"v":1,"id":3,"subscribe":["views","events"]}                     from now on: what is to be seen, what happens
//! {"v":1,"id":4,"attended":true}                                    somebody looks here: the bell need not ring
//! ```
//!
//! What is answered, and said without being asked:
//!
//! ```text
//! {"v":1,"hello":{"version":"0.1.0","pid":7,"configuration":"..."}}  first of all
//! {"v":1,"id":1,"reply":{"done":"delivered to a1"}}                  a `command::Reply`
//! {"v":1,"id":2,"failure":{"kind":"usage","message":"...","causes":[],"hints":["..."],"exitCode":2}}
//! {"v":1,"id":3,"subscribed":["views","events"]}                     after what there was to be said at once
//! {"v":1,"id":4,"attended":true}                                     until it is said otherwise, or the asker goes
//! {"v":1,"views":{"changed":[{"id":"a1",...}],"gone":["a2"],"order":["a1"]}}   `order` where it is another
//! {"v":1,"event":{"v":1,"ts":"...","agent":"a1","event":"nudge",...}}
//! {"v":1,"missions":{"changed":[{"id":"notes",...}],"gone":["old"]}}   each whole
//! {"v":1,"notice":{...}}  {"v":1,"health":{...}}  {"v":1,"known":{"panes":[...],"kinds":[...]}}
//! {"v":1,"lost":{"what":"events","count":12}}                        so many came faster than they were read
//! {"v":1,"bye":"the supervisor has ended"}                           last of all
//! ```
//!
//! Topics: `views` (all agents at once, then those that changed, at most 30 times a second), `events` (what
//! happens from now on), `recent` (what happened lately, then `events`), `notices`, `health`, `known` (panes and
//! kinds of agents, for completion), `missions` (all that are carried out, then those that changed, as often as
//! `views`; an instance that is older refuses a request that names it). Fields are added, never renamed, within one
//! version; a message of a kind that is not known is to be passed over. Commands of one connection are begun in the
//! order in which they came, and answered as each is ready: who needs an order waits for the answer. Relative paths
//! are those of the listening program. A question that is answered with `yes` is one that this very connection was
//! asked.
//!
//! # What it withstands
//!
//! At most [`server::MOST`] connections; lines of at most [`protocol::LONGEST_REQUEST`] bytes: a longer one, or
//! one that is no JSON, is answered with a failure and the connection is closed. A client that does not read
//! holds up nobody: views are kept as they are, events are counted as lost, its further commands stay unread, and
//! after [`connection::PATIENCE`] without reading it is let go. When a client goes, what it only asked to see is
//! given up; what acts is carried to its end.

pub mod address;
pub mod client;
pub mod connection;
pub mod find;
mod followed;
mod lines;
pub mod peer;

pub mod protocol;
pub mod remote;
pub mod server;
#[cfg(test)]
mod tests;

pub use client::Connection;
pub use remote::Remote;
pub use server::Server;
