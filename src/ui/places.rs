//! Where the files of a person are: the configuration and the REPL's history.
//!
//! Pure: the environment and the look at a path are handed in. After the
//! [XDG base directories](https://specifications.freedesktop.org/basedir-spec/latest/), a variable that is
//! empty or holds a relative path counts as unset. Nothing here reads or writes a file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variable that names the configuration.
pub const CONFIG_VARIABLE: &str = "META_ORCHESTRATOR_CONFIG";
/// The configuration's name in the working folder.
pub const CONFIG_NAME: &str = "meta_orchestrator.config.json";

const FOLDER: &str = "meta-orchestrator";

/// Why this configuration is the one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// `--config` names it.
    ByOption,
    /// [`CONFIG_VARIABLE`] names it.
    ByVariable,
    /// It is in the working folder.
    InWorkingFolder,
    /// It is in the XDG configuration folder.
    InConfigFolder,
    /// There is none; `/save` would make it here.
    Nowhere,
}

/// The configuration to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigPlace {
    /// Its path; a named one need not exist.
    pub path: PathBuf,
    /// Why this one.
    pub chosen: Chosen,
}

/// Finds the configuration: `option`, [`CONFIG_VARIABLE`], `./meta_orchestrator.config.json`, then
/// `$XDG_CONFIG_HOME/meta-orchestrator/config.json`. The first that is named, or exists, is it.
pub fn config(
    option: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
    exists: impl Fn(&Path) -> bool,
) -> ConfigPlace {
    let place = |path: PathBuf, chosen| ConfigPlace { path, chosen };
    if let Some(path) = option {
        return place(path.to_owned(), Chosen::ByOption);
    }
    if let Some(path) = variable(CONFIG_VARIABLE).filter(|path| !path.is_empty()) {
        return place(path.into(), Chosen::ByVariable);
    }
    let here = PathBuf::from(".").join(CONFIG_NAME);
    if exists(&here) {
        return place(here, Chosen::InWorkingFolder);
    }
    let folder = base_folder(&variable, "XDG_CONFIG_HOME", ".config");
    match folder.map(|folder| folder.join("config.json")) {
        Some(path) if exists(&path) => place(path, Chosen::InConfigFolder),
        _ => place(here, Chosen::Nowhere),
    }
}

/// Where the REPL keeps its history: `$XDG_STATE_HOME/meta-orchestrator/history`; `None` without a home.
pub fn history(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = base_folder(&variable, "XDG_STATE_HOME", ".local/state");
    folder.map(|folder| folder.join("history"))
}

/// Where the person's yes to a configuration is remembered: `$XDG_STATE_HOME/meta-orchestrator/trusted.jsonl`.
pub fn trusted(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = base_folder(&variable, "XDG_STATE_HOME", ".local/state");
    folder.map(|folder| folder.join("trusted.jsonl"))
}

fn base_folder(
    variable: &impl Fn(&str) -> Option<OsString>,
    name: &str,
    within_home: &str,
) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = variable(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let base = absolute(name).or_else(|| absolute("HOME").map(|home| home.join(within_home)));
    base.map(|base| base.join(FOLDER))
}

/// Where the person's own profiles of agents are: `$XDG_CONFIG_HOME/meta-orchestrator/agents`.
pub fn profiles(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = base_folder(&variable, "XDG_CONFIG_HOME", ".config")?;
    Some(folder.join("agents"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Option, variables and files; then the path and why.
    type Case<'a> = (
        Option<&'a str>,
        &'a [(&'a str, &'a str)],
        &'a [&'a str],
        (&'a str, Chosen),
    );

    fn found(option: Option<&str>, variables: &[(&str, &str)], files: &[&str]) -> (String, Chosen) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let exists = |path: &Path| files.iter().any(|file| Path::new(file) == path);
        let place = config(option.map(Path::new), variable, exists);
        (place.path.display().to_string(), place.chosen)
    }

    #[test]
    fn the_first_configuration_that_is_named_or_exists_is_used() {
        let here = "./meta_orchestrator.config.json";
        let home = ("HOME", "/home/me");
        let named = (CONFIG_VARIABLE, "/named.json");
        let in_home = "/home/me/.config/meta-orchestrator/config.json";
        let xdg = ("XDG_CONFIG_HOME", "/xdg");
        let in_xdg = "/xdg/meta-orchestrator/config.json";
        let cases: [Case<'_>; 10] = [
            (
                Some("a.json"),
                &[named],
                &[here],
                ("a.json", Chosen::ByOption),
            ),
            (
                None,
                &[named, home],
                &[here],
                ("/named.json", Chosen::ByVariable),
            ),
            (
                None,
                &[(CONFIG_VARIABLE, ""), home],
                &[here],
                (here, Chosen::InWorkingFolder),
            ),
            (
                None,
                &[home],
                &[here, in_home],
                (here, Chosen::InWorkingFolder),
            ),
            (None, &[home], &[in_home], (in_home, Chosen::InConfigFolder)),
            (
                None,
                &[home, xdg],
                &[in_home, in_xdg],
                (in_xdg, Chosen::InConfigFolder),
            ),
            (None, &[home, xdg], &[in_home], (here, Chosen::Nowhere)),
            (
                None,
                &[home, ("XDG_CONFIG_HOME", "rel")],
                &[in_home],
                (in_home, Chosen::InConfigFolder),
            ),
            (
                None,
                &[home, ("XDG_CONFIG_HOME", "")],
                &[in_home],
                (in_home, Chosen::InConfigFolder),
            ),
            (None, &[], &[], (here, Chosen::Nowhere)),
        ];
        for (option, variables, files, (path, chosen)) in cases {
            let expected = (path.to_owned(), chosen);
            assert_eq!(
                found(option, variables, files),
                expected,
                "{variables:?} {files:?}"
            );
        }
    }

    #[test]
    fn the_history_is_in_the_state_folder() {
        let with = |name: &'static str, value: &'static str| {
            history(move |asked| (asked == name).then(|| value.into()))
        };
        let in_home = "/home/me/.local/state/meta-orchestrator/history";
        assert_eq!(with("HOME", "/home/me"), Some(in_home.into()));
        let in_state = "/state/meta-orchestrator/history";
        assert_eq!(with("XDG_STATE_HOME", "/state"), Some(in_state.into()));
        assert_eq!(with("XDG_STATE_HOME", "state"), None);
    }
}
