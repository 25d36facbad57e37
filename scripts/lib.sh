# shellcheck shell=bash
# What the scripts of this folder share: they source it. It moves to the project's root, and says clearly
# what is missing. It changes nothing outside the project's folder but its own cache folder (see
# `ensure_zellij`), and works with the bash 3.2 of macOS.

set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The zellij that is installed where none is found, and the oldest that will do (`--pane-id` came with it).
zellij_version=0.45.1
zellij_oldest=0.44
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set, so there is no place for a cache}/.cache}/meta-orchestrator

say() {
  printf '%s\n' "$*" >&2
}

# die MESSAGE HINT: exit code 3, which says of the program too that the outside world is missing.
die() {
  say "error: $1"
  say "  hint: $2"
  exit 3
}

# at_least VERSION WANTED: compares the first two numbers.
at_least() {
  local major=${1%%.*} rest=${1#*.} want_major=${2%%.*} want_rest=${2#*.}
  local minor=${rest%%.*} want_minor=${want_rest%%.*}
  case $major$minor in '' | *[!0-9]*) return 1 ;; esac
  [ "$major" -gt "$want_major" ] || { [ "$major" -eq "$want_major" ] && [ "$minor" -ge "$want_minor" ]; }
}

# need PROGRAM WHY HINT
need() {
  command -v "$1" >/dev/null 2>&1 || die "\`$1\` is not on PATH: $2" "$3"
}

# What it takes to build: cargo, new enough, and a C compiler.
need_rust() {
  local wanted found
  need cargo "it builds the program" "install Rust with rustup: https://rustup.rs"
  need rustc "it builds the program" "install Rust with rustup: https://rustup.rs"
  wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml)
  found=$(rustc --version | cut -d ' ' -f 2)
  at_least "$found" "$wanted" || die "rustc is $found, and the program needs $wanted" "rustup update stable"
  need cc "the TLS library and zellij contain C" \
    "Debian, Ubuntu: apt-get install build-essential; Fedora: dnf install gcc; macOS: xcode-select --install"
}

# The version of a zellij program, nothing if it does not run.
version_of_zellij() {
  "$1" --version 2>/dev/null </dev/null | sed -n 's/^zellij //p' || true
}

# Sees to it that a zellij that will do is first on the PATH of this process and its children: one on PATH,
# else ours in the cache folder, else ours after an install there. Nobody else's PATH is touched.
ensure_zellij() {
  local found
  if command -v zellij >/dev/null 2>&1; then
    found=$(version_of_zellij zellij)
    if at_least "$found" "$zellij_oldest"; then
      say "zellij $found: $(command -v zellij)"
      return
    fi
    say "zellij ${found:-of unknown version} on PATH is older than $zellij_oldest: another one is used here."
  fi
  local home=$cache/zellij-$zellij_version
  [ -n "$(version_of_zellij "$home/bin/zellij")" ] || (install_zellij "$home")
  PATH=$home/bin:$PATH
  export PATH
  say "zellij $zellij_version: $home/bin/zellij"
}

# install_zellij FOLDER: in a subshell, for its trap. Whole or not at all: built aside, then renamed. Two runs
# at once wait for each other; without flock (macOS) both build, and the first one to be ready wins.
install_zellij() {
  local home=$1 began=$SECONDS features=''
  need_for_zellij
  mkdir -p "$cache"
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$cache/zellij.lock"
    if ! flock -n 9; then
      say "Another run is installing zellij: waiting for it."
      flock -w 3600 9 || die "waited an hour for another run" "see who holds $cache/zellij.lock"
    fi
    [ -z "$(version_of_zellij "$home/bin/zellij")" ] || return 0
    # Whoever left these was killed, for we hold the lock.
    rm -rf "$cache"/zellij-build.*
  fi
  folder=$(mktemp -d "$cache/zellij-build.XXXXXX")
  trap 'rm -rf "$folder"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  system_openssl || features=--features=vendored_curl
  say "Installing zellij $zellij_version into $home (once; 2 to 10 minutes, about 1 GB while it builds)."
  # An optimised build takes 18 minutes on two cores; this one does the same, a little slower.
  # 9>&-: a compiler cache's server that cargo starts must not inherit the lock. PATH: or cargo advises the
  # person to add a folder that is gone in a moment.
  PATH=$folder/root/bin:$PATH CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    cargo install zellij --locked --version "$zellij_version" --no-default-features $features --no-track \
    --root "$folder/root" --target-dir "$folder/target" </dev/null 9>&- >&2 ||
    die "zellij could not be built (above: why)" \
      "install zellij $zellij_oldest or newer yourself (https://zellij.dev) and put it on PATH"
  [ -n "$(version_of_zellij "$folder/root/bin/zellij")" ] ||
    die "the zellij just built does not run" "install zellij $zellij_oldest or newer yourself (https://zellij.dev) and put it on PATH"
  [ -z "$(version_of_zellij "$home/bin/zellij")" ] || return 0
  rm -rf "$home"
  mv "$folder/root" "$home"
  say "zellij $zellij_version is installed, after $((SECONDS - began)) s."
}

# zellij downloads plugins through curl, which needs OpenSSL but on macOS: the system's, or one built with it.
system_openssl() {
  [ "$(uname -s)" = Darwin ] || { command -v pkg-config >/dev/null 2>&1 && pkg-config --exists openssl; }
}

need_for_zellij() {
  system_openssl && return
  { command -v make && perl -MFindBin -MIPC::Cmd -e 1; } >/dev/null 2>&1 ||
    die "zellij needs OpenSSL's headers, or make and perl to build its own" \
      "Debian, Ubuntu: apt-get install pkg-config libssl-dev; or put zellij $zellij_oldest or newer on PATH"
}
