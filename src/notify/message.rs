//! Concerns in words: one message, however many there are. Pure.
//!
//! What stands in it is foreign text: it is put on one line, cut, rid of what cannot be seen, and what looks like
//! a secret is masked, for it may leave this machine.

use serde::Serialize;

use super::concern::{Concern, Kind};
use crate::director::prompt::mask_secrets;
use crate::director::text::plain;
use crate::ids::AgentId;

/// How many agents are named.
const NAMED: usize = 8;
/// How many are told of in a line of their own.
const TOLD: usize = 4;
/// The longest such line, in characters.
const LINE: usize = 240;

/// What the person is told, all in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// In a line: `3 agents wait for you`.
    pub title: String,
    /// In a few lines.
    pub body: String,
    /// Who waits, in the order in which they are told of.
    pub agents: Vec<AgentId>,
    /// What it is about, each kind once.
    pub kinds: Vec<Kind>,
    /// How many things it tells of.
    pub count: usize,
    /// Whether all of it was told before.
    pub again: bool,
}

impl Message {
    /// What waits, the newest first; `again`: all of it was told before. Nothing waits: nothing is told.
    pub fn of(waiting: &[&Concern], again: bool) -> Option<Self> {
        if waiting.is_empty() {
            return None;
        }
        let agents: Vec<AgentId> = waiting
            .iter()
            .filter_map(|concern| concern.agent.clone())
            .collect();
        let mut kinds: Vec<Kind> = waiting.iter().map(|concern| concern.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        Some(Self {
            title: title(&agents, &kinds, again),
            body: body(waiting, &agents),
            agents,
            kinds,
            count: waiting.len(),
            again,
        })
    }

    /// One that only shows that it arrives.
    pub fn test() -> Self {
        Self {
            title: "meta-orchestrator: a test".into(),
            body: "this is how you are told that an agent waits for you".into(),
            agents: Vec::new(),
            kinds: Vec::new(),
            count: 0,
            again: false,
        }
    }
}

fn title(agents: &[AgentId], kinds: &[Kind], again: bool) -> String {
    let still = if again { "still " } else { "" };
    let mut said = match agents {
        [] => Vec::new(),
        [one] => vec![format!("{one} {still}waits for you")],
        many => vec![format!("{} agents {still}wait for you", many.len())],
    };
    if kinds.contains(&Kind::Zellij) {
        said.push(format!("zellij {still}does not answer"));
    }
    if kinds.contains(&Kind::Backends) {
        said.push(format!("no model server that decides {still}answers"));
    }
    said.join("; ")
}

fn body(waiting: &[&Concern], agents: &[AgentId]) -> String {
    let mut lines = Vec::new();
    if agents.len() > 1 {
        let named = agents.iter().take(NAMED).map(AgentId::as_str);
        let named: Vec<&str> = named.collect();
        let more = match agents.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        lines.push(format!("{}{more}", named.join(", ")));
    }
    if agents.len() <= TOLD {
        lines.extend(waiting.iter().map(|concern| line(concern)));
    } else {
        let all = waiting.iter().filter(|concern| concern.agent.is_none());
        lines.extend(all.map(|concern| line(concern)));
    }
    lines.join("\n")
}

fn line(concern: &Concern) -> String {
    let text = plain(&mask_secrets(&concern.text));
    let text = match text.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    match (&concern.agent, concern.kind) {
        (Some(agent), _) => format!("{agent}: {text}"),
        (None, kind) => format!("{kind}: {text}"),
    }
}
