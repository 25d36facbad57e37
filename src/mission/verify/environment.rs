//! What of this program's environment a criterion gets: what finds programs and their caches, and no more.

use std::ffi::{OsStr, OsString};

/// Variables that are passed on: who and where somebody is, where toolchains and their caches are, which
/// certificates count. Anything else stays here: keys, tokens, git's variables, sockets of agents and of zellij.
const PASSED_ON: [&str; 56] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    // certificates, and where Nix keeps things
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "NIX_PATH",
    "LOCALE_ARCHIVE",
    "NO_PROXY",
    "no_proxy",
    // Rust, Go
    "CARGO_HOME",
    "RUSTUP_HOME",
    "GOPATH",
    "GOROOT",
    "GOCACHE",
    "GOMODCACHE",
    // JavaScript
    "NVM_DIR",
    "VOLTA_HOME",
    "FNM_DIR",
    "PNPM_HOME",
    "COREPACK_HOME",
    "BUN_INSTALL",
    "DENO_DIR",
    // Python
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYENV_ROOT",
    "UV_CACHE_DIR",
    "PIP_CACHE_DIR",
    // Java, Android, Apple, .NET
    "JAVA_HOME",
    "MAVEN_HOME",
    "GRADLE_HOME",
    "GRADLE_USER_HOME",
    "ANDROID_HOME",
    "ANDROID_SDK_ROOT",
    "DEVELOPER_DIR",
    "SDKROOT",
    "DOTNET_ROOT",
    // Ruby, PHP, Haskell, Erlang
    "RBENV_ROOT",
    "GEM_HOME",
    "GEM_PATH",
    "COMPOSER_HOME",
    "GHCUP_INSTALL_BASE_PREFIX",
    "MIX_HOME",
    // those that manage several
    "ASDF_DIR",
    "ASDF_DATA_DIR",
    "MISE_DATA_DIR",
    "LD_LIBRARY_PATH",
];

/// Variables that name a proxy: passed on where they hold no password.
const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

/// What is set in any case.
const SET: [(&str, &str); 4] = [
    ("CI", "1"),
    ("TERM", "dumb"),
    ("GIT_TERMINAL_PROMPT", "0"),
    // some programs colour their output wherever CI is set
    ("NO_COLOR", "1"),
];

/// The environment of a criterion, from that of this program.
pub(super) fn clean(
    outside: impl Iterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let passed = outside.filter(|(name, value)| is_passed_on(name, value));
    let set = SET.map(|(name, value)| (name.into(), value.into()));
    passed.chain(set).collect()
}

fn is_passed_on(name: &OsStr, value: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    PASSED_ON.contains(&name)
        || name.starts_with("LC_")
        || (PROXIES.contains(&name) && !value.as_encoded_bytes().contains(&b'@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_criterion_gets_no_key_and_nothing_of_gits() {
        let outside = [
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("TERM", "xterm-256color"),
            ("CARGO_HOME", "/c"),
            ("http_proxy", "http://proxy:1"),
            ("HTTPS_PROXY", "http://me:password@proxy:1"),
            ("GIT_DIR", "/elsewhere"),
            ("GIT_CONFIG_PARAMETERS", "'x'"),
            ("ANTHROPIC_API_KEY", "key"),
            ("GITHUB_TOKEN", "token"),
            ("CARGO_REGISTRY_TOKEN", "token"),
            ("SSH_AUTH_SOCK", "/s"),
            ("ZELLIJ_SESSION_NAME", "z"),
            ("XDG_RUNTIME_DIR", "/run"),
            ("LD_PRELOAD", "/x.so"),
        ];
        let outside = outside.map(|(name, value)| (name.into(), value.into()));
        let left = clean(outside.into_iter());
        let left: Vec<String> = left
            .iter()
            .map(|(name, value)| format!("{}={}", name.display(), value.display()))
            .collect();
        assert_eq!(
            left,
            [
                "PATH=/bin",
                "LC_ALL=C",
                "CARGO_HOME=/c",
                "http_proxy=http://proxy:1",
                "CI=1",
                "TERM=dumb",
                "GIT_TERMINAL_PROMPT=0",
                "NO_COLOR=1"
            ]
        );
    }
}
