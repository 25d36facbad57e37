//! Which zellij is used: where it is, how old it is, and in which environment it runs.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{ZellijError, excerpt, plain};
use crate::host::{Call, Host, HostError, Output, is_program};

/// The oldest version that lets a call say which pane it means.
pub const NEEDED: Version = Version::new(0, 44, 0);

/// A version of zellij.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// The version `major.minor.patch`.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// The version in a text such as `zellij 0.45.1`; what follows the third number is left out.
    fn find_in(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| {
            let mut parts = word.trim_start_matches('v').splitn(3, '.');
            let major = parts.next()?.parse().ok()?;
            let minor = parts.next()?.parse().ok()?;
            let rest = parts.next()?;
            let digits = rest
                .find(|other: char| !other.is_ascii_digit())
                .unwrap_or(rest.len());
            let patch = rest[..digits].parse().ok()?;
            Some(Self {
                major,
                minor,
                patch,
            })
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The environment in which zellij is looked for and its clients run: this process's own, with changes.
///
/// It decides which server is meant: sessions live under `ZELLIJ_SOCKET_DIR` or `XDG_RUNTIME_DIR`.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    changes: Vec<(OsString, Option<OsString>)>,
}

impl Environment {
    /// The environment of this process as it is.
    pub const fn inherited() -> Self {
        Self {
            changes: Vec::new(),
        }
    }

    /// Sets a variable.
    #[must_use]
    pub fn set(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.changes.push((name.into(), Some(value.into())));
        self
    }

    /// Takes a variable out.
    #[must_use]
    pub fn remove(mut self, name: impl Into<OsString>) -> Self {
        self.changes.push((name.into(), None));
        self
    }

    /// The value of a variable; an empty one counts as none.
    pub fn get(&self, name: &str) -> Option<OsString> {
        let changed = self
            .changes
            .iter()
            .rev()
            .find(|(changed, _)| changed == name);
        let value = match changed {
            Some((_, value)) => value.clone(),
            None => std::env::var_os(name),
        };
        value.filter(|value| !value.is_empty())
    }

    /// Where zellij's sockets are in this environment; `ZELLIJ_SOCKET_DIR` says the same to zellij.
    pub fn socket_folder(&self) -> PathBuf {
        super::foreground::socket_folder(self)
    }

    /// A call of `program` in this environment. What a surrounding zellij left in it is taken out, so
    /// that a client never takes itself for a part of that session.
    pub(super) fn call(&self, program: &Path, deadline: Duration) -> Call {
        let mut call = Call::new(program, deadline);
        for (name, value) in &self.changes {
            call = match value {
                Some(value) => call.env(name, value),
                None => call.env_remove(name),
            };
        }
        ["ZELLIJ", "ZELLIJ_SESSION_NAME", "ZELLIJ_PANE_ID"]
            .into_iter()
            .fold(call, Call::env_remove)
    }
}

/// The zellij to use and its version: the first new enough one of those in `PATH` and in
/// `~/.cache/meta-orchestrator/zellij-VERSION/bin`, where this project's scripts put it.
pub(super) async fn find(
    host: Host,
    deadline: Duration,
    environment: &Environment,
) -> Result<(PathBuf, Version), ZellijError> {
    let cache = environment
        .get("HOME")
        .map(|home| Path::new(&home).join(".cache/meta-orchestrator"))
        .unwrap_or_default();
    let in_path = environment
        .get("PATH")
        .and_then(|search| host.find_program_in("zellij", &search));
    let mut refusal = None;
    for program in in_path.into_iter().chain(cached(&cache)) {
        match version_of(host, deadline, environment, &program).await {
            Ok(version) if version >= NEEDED => return Ok((program, version)),
            Ok(found) => {
                refusal.get_or_insert(ZellijError::TooOld { program, found });
            }
            Err(error) => {
                refusal.get_or_insert(error);
            }
        }
    }
    Err(refusal.unwrap_or(ZellijError::NotInstalled { searched: cache }))
}

/// The programs `zellij-VERSION/bin/zellij` in a folder, the newest first.
fn cached(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<(Version, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let version = Version::find_in(name.to_str()?.strip_prefix("zellij-")?)?;
            Some((version, entry.path().join("bin/zellij")))
        })
        .filter(|(_, program)| is_program(program))
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, program)| program).collect()
}

async fn version_of(
    host: Host,
    deadline: Duration,
    environment: &Environment,
    program: &Path,
) -> Result<Version, ZellijError> {
    const DOING: &str = "asking for the version of";
    let to = || program.display().to_string();
    let call = environment
        .call(program, deadline)
        .arg("--version")
        .max_output(4096);
    let Output { stdout, stderr, .. } = host.run(call).await.map_err(|source| match source {
        HostError::TimedOut { after, .. } => ZellijError::TimedOut {
            doing: DOING,
            to: to(),
            after,
        },
        source => ZellijError::CannotRun {
            doing: DOING,
            to: to(),
            source,
        },
    })?;
    Version::find_in(&plain(&stdout)).ok_or_else(|| ZellijError::Unknown {
        doing: DOING,
        to: to(),
        detail: format!("it said `{}{}`", excerpt(&stdout), excerpt(&stderr)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        let read = |text: &str| Version::find_in(text).map(|version| version.to_string());
        for (text, version) in [
            ("zellij 0.45.1\n", Some("0.45.1")),
            ("zellij v0.100.0-beta+7", Some("0.100.0")),
            ("zellij", None),
            ("0.45", None),
            ("a.b.c", None),
            ("0.45.x", None),
            ("99999999999.1.1", None),
        ] {
            assert_eq!(read(text).as_deref(), version, "{text}");
        }
        assert!(Version::new(0, 100, 0) > Version::new(0, 99, 9));
        assert!(Version::new(0, 43, 9) < NEEDED);
    }

    /// A folder with programs that call themselves zellij.
    fn programs(of: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, says) in of {
            let path = folder.path().join(path);
            let script = format!("#!/bin/sh\necho '{says}'\n");
            test_files::program(&path, &script);
        }
        folder
    }

    mod test_files {
        #![expect(clippy::disallowed_methods, reason = "a test makes its own files")]
        use std::os::unix::fs::PermissionsExt;
        use std::path::Path;

        pub(super) fn program(path: &Path, script: &str) {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, script).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    async fn found(of: &[(&str, &str)]) -> Result<String, ZellijError> {
        let folder = programs(of);
        let environment = Environment::inherited()
            .set("HOME", folder.path())
            .set("PATH", folder.path().join("path"));
        let (program, version) = find(Host::local(), Duration::from_secs(20), &environment).await?;
        let program = program
            .strip_prefix(folder.path())
            .unwrap()
            .display()
            .to_string();
        Ok(format!("{program} {version}"))
    }

    const CACHE: &str = ".cache/meta-orchestrator";

    #[tokio::test]
    async fn the_first_that_is_new_enough_is_used() {
        let in_cache = |version: &str| format!("{CACHE}/zellij-{version}/bin/zellij");
        let (old, new) = (in_cache("0.9.0"), in_cache("0.45.10"));
        let newer = in_cache("0.46.2");
        let both = [
            (old.as_str(), "zellij 0.9.0"),
            (&new, "zellij 0.45.10"),
            (&newer, "zellij 0.46.2"),
        ];
        assert_eq!(found(&both).await.unwrap(), format!("{newer} 0.46.2"));
        let in_path = [("path/zellij", "zellij 0.44.0"), (&new, "zellij 0.45.10")];
        assert_eq!(found(&in_path).await.unwrap(), "path/zellij 0.44.0");
        let old_in_path = [("path/zellij", "zellij 0.43.1"), (&new, "zellij 0.45.10")];
        assert_eq!(found(&old_in_path).await.unwrap(), format!("{new} 0.45.10"));
    }

    #[tokio::test]
    async fn one_that_is_missing_too_old_or_strange_is_refused_by_name() {
        let missing = found(&[]).await.unwrap_err();
        assert!(
            matches!(missing, ZellijError::NotInstalled { .. }),
            "{missing}"
        );
        let old = found(&[("path/zellij", "zellij 0.43.1")])
            .await
            .unwrap_err();
        assert!(
            old.to_string()
                .ends_with("is version 0.43.1, and 0.44.0 or newer is needed"),
            "{old}"
        );
        let strange = found(&[("path/zellij", "hello")]).await.unwrap_err();
        assert!(strange.to_string().contains("it said `hello`"), "{strange}");
    }

    #[test]
    fn a_change_hides_the_variable_of_this_process() {
        let changed = Environment::inherited()
            .set("PATH", "/x")
            .remove("HOME")
            .set("A", "");
        assert_eq!(changed.get("PATH"), Some("/x".into()));
        assert_eq!(changed.get("HOME"), None);
        assert_eq!(changed.get("A"), None);
        assert_eq!(
            Environment::inherited().get("PATH"),
            std::env::var_os("PATH")
        );
    }
}
