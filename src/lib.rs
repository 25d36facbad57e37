//! meta-orchestrator: supervises coding agents that run in zellij panes, and never presses a wrong key.
//!
//! One small task per agent reads the agent's pane, notices that it has gone quiet, asks a cheap model whether
//! to **continue** (leave it alone), **instruct** (type a next instruction) or **`ask_user`**, and types the
//! instruction safely. A person steers it; everything that it saw, decided and did is in logs from which a
//! session of many weeks resumes.
//!
//! # The map
//!
//! From the ground up; a module uses only modules of a line above its own, or written to its left
//! (`tests/architecture.rs` reads the sources and fails on a use that breaks this).
//!
//! | | |
//! |---|---|
//! | words | [`error`] what a person is shown; [`ids`] names, valid once parsed; [`config`] the configuration as plain data |
//! | doors | [`host`] starts processes and knows facts about them; [`http`] speaks to the network; [`store`] writes files |
//! | tools | [`git`] asks git, hardened; [`llm`] asks model servers; [`zellij`] lists, reads and types into panes |
//! | reading | [`screen`] what a pane's text says (pure); [`evidence`] who is in front, what an agent says of itself, and what follows from all of it; [`record`] what is remembered, and its logs |
//! | deciding | [`director`] prompt, verdict, policy, built-in rules (pure), and asking a backend |
//! | doing | [`hands`] a text as a transaction; [`agent`] the rules of one agent (pure), the task that carries them out, its handle |
//! | many | [`supervisor`] every agent's handle: add, start, stop, load, save, adopt, resume, end; [`notify`] who is told, when, how often; [`mission`] a goal as tasks that a machine can check, worked on by agents, verified, merged |
//! | people | [`command`] one table of commands; [`socket`] the same for other processes; [`ui`] the command line, the TUI, the REPL, the demo |
//!
//! # How a nudge comes about
//!
//! 1. [`agent`]'s driver reads the pane every `pollSec`; [`screen::Screen`] cleans and hashes it.
//! 2. [`agent::machine`] takes what happened as an event and returns effects. A screen that stands still for
//!    `stallSec` is looked at closely ([`evidence::look`]); what needs no model is settled at once.
//! 3. [`director::Director`] asks the decide backend; [`director::verdict`] reads its answer.
//! 4. An instruction is cleaned ([`director::text`]), its intent is written down ([`record`]), and [`hands`]
//!    types it: [`director::policy`] gives a permit for this screen of this process, the prompt must hold
//!    exactly our text, then comes one Enter, and a receipt says what became of it.
//! 5. What came after it goes into the memo, which the next decision sees.
//!
//! # How a task of a mission comes about
//!
//! 1. A person says yes to a [`mission::plan`]; from then on the [`mission::journal`] says all that happened, and the
//!    [`mission::machine`] (pure) what follows from it.
//! 2. The [`mission::schedule`] (pure) starts it when what it depends on is merged. It gets a worktree
//!    ([`mission::worktree`]) and a worker in a pane ([`mission::worker`]), an agent like any other, which is told to
//!    read its brief ([`mission::brief`]).
//! 3. When the worker reports or stands still, the task's exit criteria are run ([`mission::verify`]), with the judges
//!    as the base has them ([`mission::guard`]). Receipts alone count ([`mission::receipt`]).
//! 4. What passes is merged ([`mission::merge`]) and proven once more on the merged tree, or taken back. What fails goes
//!    back to its worker with the error. The base branch changes only by the person's `finish`.
//!
//! # What is deliberately absent
//!
//! - No other way to the keyboard: [`zellij`]'s `place` and `press` are called by [`hands`] alone.
//! - No key from a model: a model's words are one line of plain text, typed into a prompt and nowhere else. It
//!   never chooses an option, presses Escape or answers a dialog.
//! - No clearing of a prompt: what somebody typed stays.
//! - No waiting inside an effect: `/stop` is taken in at once whatever is under way.
//! - No shared memory of an agent that two tasks write: a [`agent::view::AgentView`] is published whole.
//! - No log that drops lines: when the disk is full, nothing is typed.

pub mod agent;
pub mod command;
pub mod config;
pub mod director;
pub mod error;
pub mod evidence;
pub mod git;
pub mod hands;
pub mod host;
pub mod http;
pub mod ids;
pub mod llm;
pub mod mission;
pub mod notify;
pub mod record;
pub mod screen;
pub mod socket;
pub mod store;
pub mod supervisor;
pub mod ui;
pub mod zellij;
