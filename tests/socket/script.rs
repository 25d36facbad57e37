//! What a script does: starts an instance, and asks it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::zellij::{PATIENCE, TestZellij, wait_for};
use crate::program::{BINARY, Program, argument, command, configuration};

/// An instance without a terminal.
pub struct Serving {
    pub program: Program,
    socket: PathBuf,
}

impl Serving {
    /// Serves these agents, from `config.json` in the test's home.
    pub fn start(test: &TestZellij, agents: &[(&str, &str)]) -> Self {
        let config = test.home().join("config.json");
        std::fs::write(&config, configuration(agents)).unwrap();
        Self::go_on(test, &config)
    }

    /// Serves a configuration, as `nohup` starts it: no terminal, hangups ignored.
    pub fn go_on(test: &TestZellij, config: &Path) -> Self {
        let mut nohup = command(test, &[]);
        let environment: Vec<_> = nohup
            .get_envs()
            .map(|(name, value)| (name.to_owned(), value.map(std::ffi::OsStr::to_owned)))
            .collect();
        nohup = Command::new("nohup");
        nohup.args([BINARY, "serve", "--config", argument(config)]);
        nohup.current_dir(test.home()).env_clear();
        for (name, value) in environment {
            if let Some(value) = value {
                nohup.env(name, value);
            }
        }
        let program = Program::begin(nohup, test.home());
        let said = wait_for(PATIENCE, "the socket", || {
            let said = program.err();
            assert!(!said.contains("error:"), "{said}");
            said.contains("listening at").then_some(said)
        });
        let (_, path) = said.split_once("listening at ").unwrap();
        let socket = PathBuf::from(path.lines().next().unwrap());
        Self { program, socket }
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.socket.clone()
    }
}

/// What a command came to.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// What it printed; fails unless it was done.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.out
    }
}

/// Runs `ctl` in the home of `test`.
pub fn ctl(test: &TestZellij, words: &[&str]) -> Said {
    ctl_as(test, words, |of| of)
}

/// Runs `ctl` as `set` sets it up.
pub fn ctl_as(
    test: &TestZellij,
    words: &[&str],
    set: impl FnOnce(&mut Command) -> &mut Command,
) -> Said {
    let mut ctl = command(test, &["ctl"]);
    ctl.args(words)
        .stdin(Stdio::from(File::open("/dev/null").unwrap()));
    let output = set(&mut ctl).output().unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
