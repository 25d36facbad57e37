//! Agents that nobody runs, for the measurements of the TUI.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use meta_orchestrator::agent::view::{AgentView, Bounded, Notice, Status};
use meta_orchestrator::command::{
    Answering, Answers, BackendHealth, Client, Command, Event, Health, Reply,
};
use meta_orchestrator::ids::PaneAddress;
use meta_orchestrator::record::Question;
use meta_orchestrator::screen::state::State;
use meta_orchestrator::ui::tui::Leaving;
use meta_orchestrator::ui::tui::app::{App, Moment};
use meta_orchestrator::ui::tui::theme::Palette;
use meta_orchestrator::ui::tui::update::Message;
use tokio::sync::{broadcast, watch};

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

/// Always the same moment.
pub fn moment() -> Moment {
    Moment {
        up: Duration::from_hours(1),
        wall: now().fixed_offset(),
    }
}

/// Agents of every kind; every tenth waits for the person.
pub fn views(count: usize) -> Vec<Arc<AgentView>> {
    (0..count).map(|number| Arc::new(view(number))).collect()
}

fn view(number: usize) -> AgentView {
    let (status, state) = match number % 10 {
        0 => (Status::AwaitingUser, State::Approval),
        1 | 2 => (Status::Stable, State::Idle),
        3 => (Status::Instructed, State::Working),
        4 => (Status::Asking("openaiCompat".into()), State::Idle),
        _ => (Status::Running, State::Working),
    };
    let question = number.is_multiple_of(10).then(|| Question {
        text: "it asks for a yes (command): `cargo test --workspace`. 1. Yes; 2. No".into(),
        since: now() - TimeDelta::minutes(3),
        insists: false,
        left_over: None,
    });
    let used = u32::try_from(number).unwrap();
    AgentView {
        id: format!("agent-{number:03}").parse().unwrap(),
        mission: None,
        spending: None,
        context_full: false,
        pane: PaneAddress {
            session: "work".parse().unwrap(),
            pane: number.to_string().parse().unwrap(),
        },
        goal: format!("Make kernel {number} as fast as the one before it; every step is measured"),
        status,
        state: Some(state),
        evidence: vec!["screen: the prompt is empty".into()],
        kind: Some("claude".into()),
        polls: 4_000 + u64::from(used),
        changed_at: Some(now() - TimeDelta::seconds(i64::from(used) * 7)),
        nudges: Bounded {
            used: used % 12,
            bound: 12,
        },
        fruitless: Bounded {
            used: used % 3,
            bound: 3,
        },
        calls: Bounded { used, bound: 500 },
        tokens: Bounded {
            used: u64::from(used) * 1_530,
            bound: 2_000_000,
        },
        last_decision:
            "instruct: run the tests of naïve_sum (漢字) again; delivered, and the screen changed"
                .into(),
        question,
        dialog: None,
        program: Some("claude".into()),
        observe: false,
        all_stopped: false,
        held: false,
    }
}

/// A supervisor that is well.
pub fn health() -> Health {
    let backend = |role: &str, name: &str| BackendHealth {
        role: role.into(),
        name: name.into(),
        answers: Answers::default(),
    };
    Health {
        v: 1,
        version: "0.1.0".into(),
        pid: 1,
        started_at: now(),
        configuration: "config.json".into(),
        log_dir: "logs".into(),
        session: "one".parse().unwrap(),
        observe: false,
        all_stopped: false,
        zellij: Answers::default(),
        backends: vec![
            backend("decide", "openaiCompat gemma"),
            backend("review", "gemini"),
        ],
        calls: 1_200,
        tokens: 3_400_000,
        snoozed: BTreeMap::new(),
    }
}

/// A TUI that has been told of so many agents.
pub fn app(agents: usize, size: (u16, u16)) -> App {
    let mut app = App::new(Palette::Dark, Leaving::Ends, size, moment());
    let _ = app.update(Message::Seen(views(agents), Box::new(health())), moment());
    app
}

/// A supervisor of nobody's agents: they stand as they are, and every command is done.
pub struct MadeUp {
    views: Vec<Arc<AgentView>>,
    notices: broadcast::Sender<Notice>,
    events: broadcast::Sender<Event>,
    changes: watch::Sender<u64>,
}

impl MadeUp {
    /// So many.
    pub fn of(agents: usize) -> Arc<Self> {
        Arc::new(Self {
            views: views(agents),
            notices: broadcast::channel(16).0,
            events: broadcast::channel(16).0,
            changes: watch::channel(0).0,
        })
    }
}

impl Client for MadeUp {
    fn send(&self, _: Command) -> Answering<'_> {
        Box::pin(async { Ok(Reply::Done("done".into())) })
    }

    fn views(&self) -> Vec<Arc<AgentView>> {
        self.views.clone()
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    fn known_panes(&self) -> Vec<String> {
        Vec::new()
    }

    fn known_kinds(&self) -> Vec<String> {
        Vec::new()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn health(&self) -> Health {
        health()
    }
}
