//! A real agent in a pane: below a shell that keeps what it ran, in a home of its own, with nothing but the
//! loopback to talk to.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use meta_orchestrator::host::process;
use meta_orchestrator::ids::PaneAddress;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};

use super::api::Api;
use super::common::agents::open_floating;
use super::common::model::Model;
use super::common::supervisor::Stage;
use super::common::zellij::{TestZellij, wait_for};

/// How long an agent may take to show its prompt.
const START: Duration = Duration::from_mins(1);
/// How long its first screen must have stood still.
const STILL: Duration = Duration::from_millis(1_500);
/// Columns and rows of the session.
const SIZE: (u32, u32) = (120, 42);

/// Which agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// opencode.
    Opencode,
}

impl Kind {
    /// By its program's name.
    pub fn named(name: &str) -> Self {
        match name {
            "claude" => Self::Claude,
            "codex" => Self::Codex,
            "opencode" => Self::Opencode,
            other => panic!("no such agent: {other}"),
        }
    }

    /// Its program.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Opencode => "opencode",
        }
    }

    /// What its screen shows once it takes a text.
    const fn ready(self) -> &'static str {
        match self {
            Self::Claude => "❯",
            Self::Codex => "›",
            Self::Opencode => "┃",
        }
    }

    /// Writes what makes it start without questions, and talk to `api` only.
    fn settle(self, home: &Path, project: &Path, api: &str) {
        let write = |name: &str, text: String| {
            let path = home.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let project = project.display().to_string();
        match self {
            Self::Claude => {
                let settings = json!({
                    "hasCompletedOnboarding": true, "theme": "dark",
                    "customApiKeyResponses": { "approved": [KEY[KEY.len() - 20..]], "rejected": [] },
                    "projects": { project: { "hasTrustDialogAccepted": true } },
                });
                write(".claude.json", settings.to_string());
            }
            Self::Codex => write(
                ".codex/config.toml",
                format!(
                    "model = \"gpt-5\"\nmodel_provider = \"loopback\"\ncheck_for_update_on_startup = false\n\
                     [model_providers.loopback]\nname = \"loopback\"\nbase_url = \"{api}/v1\"\n\
                     env_key = \"OPENAI_API_KEY\"\nwire_api = \"responses\"\n\
                     [analytics]\nenabled = false\n[projects.\"{project}\"]\ntrust_level = \"trusted\"\n"
                ),
            ),
            Self::Opencode => {
                let settings = json!({
                    "autoupdate": false, "share": "disabled", "permission": { "bash": "ask" },
                    "model": "loopback/m", "small_model": "loopback/m",
                    "provider": { "loopback": {
                        "npm": "@ai-sdk/openai-compatible", "name": "loopback",
                        "options": { "baseURL": format!("{api}/v1"), "apiKey": "x" },
                        "models": { "m": { "name": "m" } },
                    } },
                });
                write(".config/opencode/opencode.json", settings.to_string());
            }
        }
    }

    /// Files in which it would keep that a command is allowed for good.
    fn grants(self) -> &'static [&'static str] {
        match self {
            Self::Claude => &[
                "proj/.claude/settings.local.json",
                "agent/.claude/settings.json",
            ],
            Self::Codex => &["agent/.codex/rules/default.rules"],
            Self::Opencode => &[],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Claude => "Claude Code",
            Self::Codex => "Codex",
            Self::Opencode => "opencode",
        })
    }
}

/// A key that is none.
const KEY: &str = "sk-ant-loopback-00000000000000000000";

/// A session with panes for one kind of agent, the model service that it talks to, and the supervisor's model.
pub struct Lab {
    /// Which agent.
    pub kind: Kind,
    /// The session, and the supervisor's model.
    pub stage: Stage,
    /// What the agent talks to.
    pub api: Api,
    /// The agent's version.
    pub version: String,
    /// Where details of a run are kept.
    pub out: PathBuf,
}

impl Lab {
    /// Sets everything up.
    pub fn open(kind: Kind) -> Self {
        let zellij = TestZellij::start_sized(SIZE.0, SIZE.1);
        let out = std::env::var_os("LIVE_OUT")
            .map_or_else(|| std::env::temp_dir().join("live-agents"), PathBuf::from);
        let out = out.join(kind.program());
        std::fs::create_dir_all(&out).unwrap();
        let api = Api::start(std::fs::File::create(out.join("api.log")).unwrap());
        let (home, project) = (zellij.home().join("agent"), zellij.home().join("proj"));
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(&project).unwrap();
        kind.settle(&home, &project, &api.url());
        let git = zellij
            .command("git")
            .args(["init", "--quiet"])
            .arg(&project)
            .status();
        assert!(git.unwrap().success(), "git init");
        let (program, path) = find(kind.program());
        let environment = format!(
            "HOME='{}' PATH='{path}' SHELL=/bin/bash LANG=C.UTF-8 TERM=xterm-256color \
             ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY={KEY} OPENAI_API_KEY=loopback \
             DISABLE_TELEMETRY=1 DISABLE_ERROR_REPORTING=1 DISABLE_AUTOUPDATER=1 \
             CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 OPENCODE_DISABLE_AUTOUPDATE=1 \
             OPENCODE_DISABLE_MODELS_FETCH=1 \
             ZELLIJ=\"$ZELLIJ\" ZELLIJ_PANE_ID=\"$ZELLIJ_PANE_ID\" \
             ZELLIJ_SESSION_NAME=\"$ZELLIJ_SESSION_NAME\"",
            home.display(),
            url = api.url(),
        );
        let go = format!(
            "#!/bin/sh\necho $$ >'{}/pid.'$ZELLIJ_PANE_ID\nexec env -i {environment} '{}' \"$@\"\n",
            zellij.home().display(),
            program.display()
        );
        let shell = format!(
            "PS1='{SHELL} '\nunset HISTFILE PROMPT_COMMAND\ncd '{}'\n\
             trap 'printf \"%s\\n\" \"$BASH_COMMAND\" >>\"{}/ran.$ZELLIJ_PANE_ID\"' DEBUG\n",
            project.display(),
            zellij.home().display(),
        );
        std::fs::write(zellij.home().join("go"), go).unwrap();
        std::fs::write(zellij.home().join("rc"), shell).unwrap();
        let version = Command::new(&program)
            .arg("--version")
            .env("HOME", &home)
            .output();
        let version = String::from_utf8_lossy(&version.unwrap().stdout).into_owned();
        let word = version
            .split_whitespace()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        Self {
            kind,
            version: word.unwrap_or("?").to_owned(),
            stage: Stage {
                zellij,
                model: Model::start(),
            },
            api,
            out,
        }
    }

    /// Has the agent as one that runs as a worker: it has never been asked whether it trusts the project (but Codex,
    /// which asks about the whole repository, and so a person), and asks for no command.
    pub fn prepare_for_work(&self) {
        let home = self.stage.zellij.home();
        let (agent, project) = (home.join("agent"), home.join("proj"));
        match self.kind {
            Kind::Claude => self
                .kind
                .settle(&agent, &home.join("elsewhere"), &self.api.url()),
            Kind::Codex => self.kind.settle(&agent, &project, &self.api.url()),
            Kind::Opencode => {
                let path = agent.join(".config/opencode/opencode.json");
                let text = std::fs::read_to_string(&path).unwrap();
                let mut settings: Value = serde_json::from_str(&text).unwrap();
                settings["permission"] = json!({ "bash": "allow", "edit": "allow" });
                std::fs::write(path, settings.to_string()).unwrap();
            }
        }
    }

    /// `workers` in a configuration: the agent in each role.
    pub fn workers(&self) -> Value {
        let go = self.stage.zellij.home().join("go").display().to_string();
        let with = |words: &[&str]| -> Vec<String> {
            let all = ["sh", &go].into_iter().chain(words.iter().copied());
            all.map(str::to_owned).collect()
        };
        let kind = self.kind.program();
        let mut workers = json!({
            "command": with(&[]), "kind": kind, "session": self.stage.zellij.session().as_str(),
            "pollSec": 0.5, "stallSec": 30,
        });
        match self.kind {
            Kind::Claude => {
                let words = ["--permission-mode", "acceptEdits", "--allowedTools", "Bash"];
                let may = json!({ "command": with(&words), "kind": kind });
                workers["roles"] = json!({ "coder": may, "verifier": may });
            }
            Kind::Codex => {
                let words = [
                    "--ask-for-approval",
                    "never",
                    "--sandbox",
                    "workspace-write",
                ];
                workers["command"] = json!(with(&words));
            }
            Kind::Opencode => {}
        }
        workers
    }

    /// A configuration that watches this pane, with the program's own times but for the stall, and without
    /// bounds.
    pub fn config(&self, pane: &PaneAddress, name: &str) -> Value {
        json!({
            "agents": [{ "id": "a1", "pane": pane.to_string(), "goal": "all parts of the plan",
                "stallSec": 1.0, "pollSec": 0.5 }],
            "logDir": self.out.join(name),
            "decideBackend": { "type": "openaiCompat", "baseUrl": self.stage.model.url(), "timeoutSec": 10 },
            "reviewBackend": { "type": "openaiCompat", "baseUrl": self.stage.model.url() },
            "timing": { "zellijTimeoutSec": 5 },
            "limits": { "nudgesPerHour": 100_000, "fruitlessNudges": 0, "callsPerDay": 1_000_000,
                "tokensPerDay": 1_000_000_000_000_u64 },
        })
    }

    /// Starts an agent in a pane of its own, and waits until its prompt stands still.
    pub fn start(&self) -> Agent<'_> {
        let zellij = &self.stage.zellij;
        let rc = zellij.home().join("rc").display().to_string();
        let words = ["bash", "--rcfile", &rc, "-i"].map(str::to_owned);
        let pane = open_floating(zellij, zellij.session(), &words);
        let agent = Agent { lab: self, pane };
        zellij.wait_until_shown(&agent.pane, SHELL);
        let go = format!("sh {}/go", zellij.home().display());
        zellij.type_as_person(&agent.pane, &format!("{go}\n"));
        let mut still = (String::new(), Instant::now());
        wait_for(START, "the agent's prompt", || {
            let shown = agent.screen();
            if shown != still.0 {
                still = (shown, Instant::now());
            }
            (still.0.contains(self.kind.ready()) && still.1.elapsed() >= STILL).then_some(())
        });
        std::fs::write(self.out.join("ready.txt"), &still.0).unwrap();
        agent
    }
}

impl Drop for Lab {
    /// Some agents leave daemons behind.
    fn drop(&mut self) {
        let home = self.stage.zellij.home().join("agent");
        let is_ours = |pid: &u32| {
            process::environment_variable(*pid, "HOME").is_some_and(|found| home == found)
        };
        kill(process::all().into_iter().filter(is_ours));
    }
}

fn kill(all: impl Iterator<Item = u32>) {
    for pid in all.filter_map(|pid| Pid::from_raw(pid.cast_signed())) {
        // it may have ended by itself
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// The shell's prompt.
pub const SHELL: &str = "SHELL>";

/// The program on PATH, and a PATH with its folder first.
fn find(name: &str) -> (PathBuf, String) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folder = std::env::split_paths(&path).find(|folder| folder.join(name).is_file());
    let folder = folder
        .unwrap_or_else(|| panic!("`{name}` is not on PATH; scripts/live-agents installs it"));
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
    (folder.join(name), path)
}

/// A running agent; ended with all that it started when dropped.
pub struct Agent<'a> {
    lab: &'a Lab,
    /// Where it is.
    pub pane: PaneAddress,
}

impl Agent<'_> {
    fn file(&self, name: &str) -> PathBuf {
        self.lab
            .stage
            .zellij
            .home()
            .join(format!("{name}.{}", self.number()))
    }

    fn number(&self) -> String {
        self.pane
            .pane
            .to_string()
            .trim_start_matches("terminal_")
            .to_owned()
    }

    /// What the pane shows.
    pub fn screen(&self) -> String {
        self.lab.stage.zellij.dump(self.pane.pane)
    }

    /// Sends it a signal: to its process, or to all of its group.
    pub fn signal(&self, signal: Signal, group: bool) {
        let text = std::fs::read_to_string(self.file("pid")).unwrap_or_default();
        let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw) else {
            return;
        };
        // it may have ended by itself
        let _ = if group {
            kill_process_group(pid, signal)
        } else {
            kill_process(pid, signal)
        };
    }

    /// What its shell ran beside the agent itself.
    pub fn ran(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.file("ran")).unwrap_or_default();
        let go = format!("sh {}/go", self.lab.stage.zellij.home().display());
        let lines = text.lines().filter(|line| *line != go);
        lines.map(str::to_owned).collect()
    }

    /// What is now in the project's folder or in the agent's settings that nobody asked for.
    pub fn traces(&self) -> Vec<String> {
        let home = self.lab.stage.zellij.home();
        let grants = self.lab.kind.grants().iter().map(|name| home.join(name));
        let granted = grants.filter(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.contains("allow")
        });
        let made = std::fs::read_dir(home.join("proj")).into_iter().flatten();
        let made = made
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| ![".git", ".claude"].iter().any(|own| path.ends_with(own)));
        let all: Vec<PathBuf> = made.chain(granted).collect();
        for path in &all {
            // the next round begins anew
            let _ = std::fs::remove_file(path);
        }
        all.iter().map(|path| path.display().to_string()).collect()
    }

    /// All that runs in its pane.
    fn processes(&self) -> Vec<u32> {
        let home = self.lab.stage.zellij.home();
        let (agent, number) = (home.join("agent"), self.number());
        let ours = |pid: &u32| {
            let [home_of, pane] = process::environment_variables(*pid, ["HOME", "ZELLIJ_PANE_ID"])
                .unwrap_or_default();
            home_of.is_some_and(|of| of == agent || of == home)
                && pane.is_some_and(|pane| pane == number.as_str())
        };
        // a daemon of several agents is still needed: Codex has one
        let daemon = |pid: &u32| {
            let found = process::process(*pid);
            found.is_some_and(|found| found.argv.iter().any(|word| word.contains("app-server")))
        };
        let all = process::all().into_iter().filter(ours);
        all.filter(|pid| !daemon(pid)).collect()
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        kill(self.processes().into_iter());
        let pane = self.pane.pane.to_string();
        self.lab
            .stage
            .zellij
            .action(&["close-pane", "--pane-id", &pane]);
    }
}
