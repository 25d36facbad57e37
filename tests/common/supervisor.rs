//! A supervisor in this process, over scripted panes and a scripted model, with times that suit a test.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test fails by panicking, says why, and makes its own files"
)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use meta_orchestrator::agent::view::{AgentView, Notice, Urgency};
use meta_orchestrator::config::Config;
use meta_orchestrator::error::Failure;
use meta_orchestrator::host::Host;
use meta_orchestrator::ids::AgentId;
use meta_orchestrator::supervisor::{Memory, Overrides, Start, Supervisor};
use meta_orchestrator::zellij::Zellij;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

use super::agents::PaneAgent;
use super::model::Model;
use super::zellij::{PATIENCE, TestZellij, wait_for};

/// The stall of an agent in these tests.
pub const STALL: Duration = Duration::from_millis(500);

/// A zellij session and a model server, for scripted agents.
pub struct Stage {
    /// The session.
    pub zellij: TestZellij,
    /// The model.
    pub model: Model,
}

impl Stage {
    /// An empty stage.
    pub fn open() -> Self {
        Self {
            zellij: TestZellij::start(),
            model: Model::start(),
        }
    }

    /// A stage with one agent, `a1`, that begins with these orders.
    pub fn with_agent(orders: &[&str]) -> (Self, PaneAgent) {
        let stage = Self::open();
        let agent = stage.agent("a1", orders);
        (stage, agent)
    }

    /// One more agent.
    pub fn agent(&self, name: &str, orders: &[&str]) -> PaneAgent {
        PaneAgent::open(&self.zellij, name, orders)
    }

    /// Where logs go.
    pub fn log_dir(&self) -> PathBuf {
        self.zellij.home().join("logs")
    }

    /// Where the configuration is.
    pub fn config_path(&self) -> PathBuf {
        self.zellij.home().join("config.json")
    }

    /// A configuration that watches these agents, whose goals are `goal of NAME`. There is no profile of the
    /// scripted programs: that they are typed to is said aloud.
    pub fn config(&self, agents: &[(&str, &PaneAgent)]) -> Value {
        let agents = agents.iter().map(|(name, agent)| {
            json!({
                "id": name, "pane": agent.pane.to_string(), "goal": format!("goal of {name}"),
                "stallSec": STALL.as_secs_f64(), "pollSec": 0.2, "kind": "generic",
            })
        });
        json!({
            "agents": agents.collect::<Vec<_>>(),
            "logDir": self.log_dir(),
            "decideBackend": { "type": "openaiCompat", "baseUrl": self.model.url(), "timeoutSec": 10 },
            "reviewBackend": { "type": "openaiCompat", "baseUrl": self.model.url() },
            "timing": {
                "enterPauseSec": 0.1, "echoTimeoutSec": 2, "zellijTimeoutSec": 5, "personQuietSec": 0.5,
            },
        })
    }

    /// A supervisor of these agents.
    pub async fn watch(&self, agents: &[(&str, &PaneAgent)]) -> Watch {
        self.watch_as(self.config(agents)).await
    }

    /// A supervisor with this configuration.
    pub async fn watch_as(&self, config: Value) -> Watch {
        self.start(&self.config_path(), config, false)
            .await
            .unwrap()
    }

    /// The same, which goes on where an earlier one ended.
    pub async fn resume(&self, config: Value) -> Watch {
        self.start(&self.config_path(), config, true).await.unwrap()
    }

    /// One more supervisor, whose configuration is another file.
    pub async fn watch_beside(&self, name: &str, config: Value) -> Watch {
        let path = self.zellij.home().join(format!("{name}.json"));
        self.start(&path, config, false).await.unwrap()
    }

    /// A supervisor that calls this zellij (and whatever else is in that folder).
    pub async fn watch_through(&self, folder: &Path, config: Value) -> Watch {
        let path = std::env::join_paths([folder.into()].into_iter().chain(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        )));
        let environment = self.zellij.environment().set("PATH", path.unwrap());
        let zellij = Zellij::find_in(Host::local(), PATIENCE, environment)
            .await
            .unwrap();
        self.start_with(&self.config_path(), config, false, zellij)
            .await
            .unwrap()
    }

    async fn start(&self, path: &Path, config: Value, resume: bool) -> Result<Watch, Failure> {
        let deadline = config["timing"]["zellijTimeoutSec"].as_f64().unwrap();
        let zellij = self.zellij.zellij(Duration::from_secs_f64(deadline)).await;
        self.start_with(path, config, resume, zellij).await
    }

    async fn start_with(
        &self,
        path: &Path,
        config: Value,
        resume: bool,
        zellij: Zellij,
    ) -> Result<Watch, Failure> {
        let config = Config::parse(&config.to_string()).unwrap();
        let log_dir = config.log_dir.clone();
        let supervisor = Supervisor::start(Start {
            config,
            path: path.to_path_buf(),
            document: None,
            overrides: Overrides::default(),
            memory: Memory::GoOn,
            resume,
            zellij,
        })
        .await?;
        Ok(Watch {
            notices: Mutex::new((supervisor.notices(), Vec::new())),
            supervisor,
            log_dir,
        })
    }
}

/// A running supervisor and what it says.
pub struct Watch {
    /// The supervisor.
    pub supervisor: Supervisor,
    log_dir: PathBuf,
    notices: Mutex<(Receiver<Notice>, Vec<Notice>)>,
}

/// An agent's id.
pub fn id(name: &str) -> AgentId {
    name.parse().unwrap()
}

impl Watch {
    /// An agent as it is now.
    pub fn view(&self, name: &str) -> Arc<AgentView> {
        let views = self.supervisor.views();
        let mut found = views.into_iter().filter(|view| view.id.as_str() == name);
        found.next().unwrap()
    }

    /// An agent's status, as a person reads it.
    pub fn status(&self, name: &str) -> String {
        self.view(name).status.to_string()
    }

    /// Waits until an agent's status begins with `status`.
    pub fn wait_for_status(&self, name: &str, status: &str) -> Arc<AgentView> {
        wait_for(PATIENCE, &format!("the status {status}"), || {
            let view = self.view(name);
            view.status.to_string().starts_with(status).then_some(view)
        })
    }

    /// Waits until an agent has been looked at so many times more.
    pub fn wait_for_polls(&self, name: &str, more: u64) {
        let until = self.view(name).polls + more;
        wait_for(PATIENCE, "more polls", || {
            (self.view(name).polls >= until).then_some(())
        });
    }

    /// What was said so far.
    pub fn notices(&self) -> Vec<Notice> {
        let mut notices = self.notices.lock().unwrap();
        while let Ok(notice) = notices.0.try_recv() {
            notices.1.push(notice);
        }
        notices.1.clone()
    }

    /// Waits until something is said that holds `text`.
    pub fn wait_for_notice(&self, urgency: Urgency, text: &str) -> Notice {
        let fits = |notice: &Notice| notice.urgency == urgency && notice.text.contains(text);
        let give_up = Instant::now() + PATIENCE;
        loop {
            let said = self.notices();
            if let Some(found) = said.iter().find(|notice| fits(notice)) {
                return found.clone();
            }
            assert!(
                Instant::now() < give_up,
                "{text:?} was not said, but {said:#?}"
            );
            std::thread::sleep(Duration::from_millis(15));
        }
    }

    /// The lines of an agent's memo log.
    pub fn memos(&self, name: &str) -> Vec<Value> {
        read_log(&self.log_dir.join(format!("{name}.memos.jsonl")))
    }

    /// The lines of an agent's decision log.
    pub fn decisions(&self, name: &str) -> Vec<Value> {
        read_log(&self.log_dir.join(format!("{name}.decisions.jsonl")))
    }

    /// Waits for a memo that fits.
    pub fn wait_for_memo(&self, name: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        wait_for(PATIENCE, &format!("a memo: {what}"), || {
            self.memos(name).into_iter().find(|memo| fits(memo))
        })
    }

    /// Waits until what became of a text is on record, and gives it: `delivered`, or the reason why not.
    pub fn wait_for_receipt(&self, name: &str) -> String {
        let step = wait_for(PATIENCE, "a receipt", || {
            let mut steps = self.decisions(name).into_iter();
            steps.find(|line| line["step"] == "receipt")
        });
        match step["why"].as_str() {
            Some(why) => format!("{}: {why}", step["receipt"].as_str().unwrap()),
            None => step["receipt"].as_str().unwrap().to_owned(),
        }
    }

    /// Ends it.
    pub async fn quit(self) -> String {
        self.supervisor.quit().await
    }
}

impl Drop for Watch {
    /// What was said and seen is what explains a test that failed.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for notice in self.notices() {
            eprintln!("said: {notice:?}");
        }
        for view in self.supervisor.views() {
            eprintln!("seen: {view:?}");
            for step in self.decisions(view.id.as_str()) {
                eprintln!("step: {step}");
            }
        }
    }
}

/// The whole lines of a log.
pub fn read_log(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
