//! What is put to the person whatever a rule allows, until a switch in the configuration turns that off.
//!
//! A table of what does lasting harm far away from the work at hand. It reads a command generously: a word that
//! is only mentioned counts, and so does what is quoted. It is a net below the person's own rules and no wall: a
//! program that is allowed can do the same by other means.

use super::words::{Part, name, parts};
use crate::config::DialogKind;

type Check = fn(&Command<'_>) -> Option<&'static str>;

/// A command as it is written and as it may be read.
struct Command<'a> {
    text: &'a str,
    parts: Vec<Part>,
}

/// In the order in which they are asked.
const CHECKS: [Check; 9] = [
    deletes_too_much,
    opens_too_much,
    overwrites_remote,
    runs_what_it_reads,
    touches_credentials,
    sends_secrets,
    touches_disks,
    ends_the_machine,
    presses_keys,
];

const SHELLS: [&str; 10] = [
    "sh", "bash", "zsh", "dash", "ksh", "fish", "csh", "tcsh", "ash", "pwsh",
];
const INTERPRETERS: [&str; 9] = [
    "python", "python2", "python3", "perl", "ruby", "node", "php", "eval", "source",
];
const DOWNLOADERS: [&str; 5] = ["curl", "wget", "aria2c", "http", "https"];
const SENDERS: [&str; 21] = [
    "curl", "wget", "http", "https", "nc", "ncat", "netcat", "socat", "telnet", "ftp", "sftp",
    "scp", "rsync", "ssh", "gh", "gist", "aws", "gsutil", "rclone", "mail", "sendmail",
];
/// Parts of paths below which keys and passwords are kept.
const CREDENTIALS: [&str; 23] = [
    ".ssh",
    ".aws",
    ".gnupg",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".git-credentials",
    ".docker/config",
    ".kube",
    ".config/gh",
    ".config/gcloud",
    ".azure",
    ".password-store",
    ".credentials",
    "auth.json",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
];
/// Files that decide what runs, and what an agent may do, beside those of [`CREDENTIALS`].
const RUNS: [&str; 14] = [
    ".git/hooks",
    ".git/config",
    ".gitconfig",
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".claude/settings",
    ".claude.json",
    ".codex/config",
    ".gemini/settings",
    "meta_orchestrator.config",
    "meta-orchestrator/config",
];

/// What is dangerous about what is asked.
pub(super) fn danger(kind: DialogKind, text: &str) -> Option<&'static str> {
    match kind {
        DialogKind::Command | DialogKind::Tool => {
            let parts = parts(text);
            let command = Command { text, parts };
            CHECKS.iter().find_map(|check| check(&command))
        }
        DialogKind::FileEdit => {
            let path = text.to_ascii_lowercase();
            let holds = |all: &[&str]| all.iter().any(|part| path.contains(part));
            if holds(&CREDENTIALS) || is_env_file(&path) {
                Some("keys or passwords are kept there")
            } else if holds(&RUNS) || is_of_the_system(&path) {
                Some("what stands there decides what runs, or what an agent may do")
            } else {
                None
            }
        }
        DialogKind::Plan | DialogKind::ApiKey => None,
    }
}

impl Command<'_> {
    /// The arguments after each mention of one of these programs, and the part that it stands in.
    fn runs<'a>(
        &'a self,
        programs: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a Part, &'a [String])> {
        self.parts.iter().flat_map(move |part| {
            let mentions = part.words.iter().enumerate();
            let mentions = mentions.filter(|(_, word)| is_one_of(word, programs));
            mentions.map(move |(at, _)| (part, &part.words[at + 1..]))
        })
    }

    fn mentions(&self, programs: &[&str]) -> bool {
        self.words().any(|word| is_one_of(word, programs))
    }

    fn words(&self) -> impl Iterator<Item = &String> {
        self.parts.iter().flat_map(|part| &part.words)
    }
}

/// The program that a part begins with, whatever only prepares it left out.
fn lead(part: &Part) -> Option<&str> {
    const PREPARE: [&str; 8] = [
        "sudo", "doas", "env", "nohup", "exec", "command", "time", "xargs",
    ];
    let mut words = part.words.iter().map(String::as_str);
    words.find(|word| !is_one_of(word, &PREPARE) && !word.contains('=') && !word.starts_with('-'))
}

fn is_one_of(word: &str, programs: &[&str]) -> bool {
    let name = name(word);
    programs
        .iter()
        .any(|program| name.eq_ignore_ascii_case(program))
}

/// Whether one of `words` is the option `short`, alone or among others, or a beginning of `long`.
fn has_option(words: &[String], short: &[char], long: &str) -> bool {
    words.iter().any(|word| match word.strip_prefix("--") {
        Some(option) => !option.is_empty() && long.starts_with(option),
        None => word
            .strip_prefix('-')
            .is_some_and(|options| options.contains(short)),
    })
}

fn targets(words: &[String]) -> impl Iterator<Item = &str> {
    words
        .iter()
        .map(String::as_str)
        .filter(|word| !word.starts_with('-'))
}

/// Whether `path` is, or may be, a root, a home, a folder right below one of these, or a part of the system.
fn is_far_reaching(path: &str) -> bool {
    if path.contains('$') || path.contains('{') || path.split('/').any(|part| part == "..") {
        return true; // where it leads is not told
    }
    let all: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let rest = all.as_slice();
    // everything in a folder is the folder
    let rest = match rest {
        [above @ .., last] if last.chars().all(|c| "*.?[]!".contains(c)) => above,
        rest => rest,
    };
    if !path.starts_with('/') {
        return match rest {
            [] => true,
            [first, below @ ..] => first.starts_with('~') && below.len() <= 1,
        };
    }
    match rest {
        [] | [_] => true,
        [home, below @ ..] if matches!(*home, "home" | "Users" | "users") => below.len() <= 2,
        ["root", below @ ..] => below.len() <= 1,
        _ => is_of_the_system(path),
    }
}

fn is_of_the_system(path: &str) -> bool {
    const SYSTEM: [&str; 14] = [
        "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "proc", "sbin", "sys", "usr",
        "system", "library", "windows",
    ];
    let mut parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    path.starts_with('/')
        && parts
            .next()
            .is_some_and(|first| SYSTEM.contains(&first.to_ascii_lowercase().as_str()))
}

fn deletes_too_much(command: &Command<'_>) -> Option<&'static str> {
    const WHY: &str = "it may delete a root, a home, or a folder as a whole";
    for (_, arguments) in command.runs(&["rm", "srm", "trash", "rimraf"]) {
        let recursive = has_option(arguments, &['r', 'R'], "recursive");
        let mut targets = targets(arguments).peekable();
        // without a target it deletes what it reads
        let far = targets.peek().is_none() || targets.any(is_far_reaching);
        if (recursive && far) || has_option(arguments, &[], "no-preserve-root") {
            return Some(WHY);
        }
    }
    for (_, arguments) in command.runs(&["find", "fd"]) {
        let deletes = arguments.iter().any(|word| {
            matches!(word.as_str(), "-delete" | "rm" | "unlink" | "shred") || name(word) == "rm"
        });
        let from: Vec<&str> = arguments
            .iter()
            .map(String::as_str)
            .take_while(|word| !word.starts_with('-'))
            .collect();
        if deletes && (from.is_empty() || from.into_iter().any(is_far_reaching)) {
            return Some(WHY);
        }
    }
    // whatever program a variable names
    let is_root = |word: &String| matches!(word.as_str(), "/" | "/*" | "~" | "~/" | "~/*");
    let forced = command.parts.iter().any(|part| {
        has_option(&part.words, &['r', 'R'], "recursive")
            && has_option(&part.words, &['f'], "force")
            && part.words.iter().any(is_root)
    });
    forced.then_some(WHY)
}

fn opens_too_much(command: &Command<'_>) -> Option<&'static str> {
    let mut runs = command.runs(&["chmod", "chown", "chgrp", "setfacl"]);
    let opens = runs.any(|(_, arguments)| {
        has_option(arguments, &['R'], "recursive")
            && targets(arguments).skip(1).any(is_far_reaching)
    });
    opens.then_some("it changes who may read and write a whole tree at or near a root or a home")
}

fn overwrites_remote(command: &Command<'_>) -> Option<&'static str> {
    let overwrites = command.runs(&["git"]).any(|(_, arguments)| {
        let renamed = arguments.iter().any(|word| word.starts_with("alias."));
        let Some(at) = arguments.iter().position(|word| word == "push") else {
            return renamed;
        };
        let forces = |word: &String| {
            let long = word.starts_with("--fo") && !word.starts_with("--fol");
            let other = ["--mirror", "--delete", "--prune"].contains(&word.as_str());
            let short = !word.starts_with("--")
                && word
                    .strip_prefix('-')
                    .is_some_and(|it| it.contains(['f', 'd']));
            long || other || short || word.starts_with(['+', ':'])
        };
        renamed || arguments[at + 1..].iter().any(forces)
    });
    overwrites.then_some("it may overwrite or delete what others may have in a remote repository")
}

fn runs_what_it_reads(command: &Command<'_>) -> Option<&'static str> {
    let runs = |word: &String| {
        let versioned = name(word).starts_with("python");
        is_one_of(word, &SHELLS) || is_one_of(word, &INTERPRETERS) || versioned
    };
    let sources = command.parts.iter().any(|part| lead(part) == Some("."));
    if command.mentions(&DOWNLOADERS) && (sources || command.words().any(runs)) {
        return Some("it may run what it downloads");
    }
    let reads = |part: &Part| part.piped && lead(part).is_some_and(|it| is_one_of(it, &SHELLS));
    let reads = command.parts.iter().any(reads);
    reads.then_some("it has a shell run what another program writes")
}

fn touches_credentials(command: &Command<'_>) -> Option<&'static str> {
    let holds = |word: &String| {
        let word = word.to_ascii_lowercase();
        CREDENTIALS.iter().any(|part| word.contains(part)) || word.ends_with("/environ")
    };
    let asks = [
        ["gh", "auth", "token"].as_slice(),
        &["git", "credential"],
        &["security", "find-generic-password"],
        &["security", "find-internet-password"],
        &["aws", "configure", "get"],
        &["gcloud", "auth", "print-access-token"],
        &["op", "read"],
        &["pass", "show"],
    ];
    let asks = |part: &Part| asks.iter().any(|words| part.holds(words));
    (command.words().any(holds) || command.parts.iter().any(asks))
        .then_some("it reads or writes where keys and passwords are kept")
}

fn is_env_file(path: &str) -> bool {
    let file = name(path.trim_start_matches('@'));
    let harmless = [".env.example", ".env.sample", ".env.template"];
    (file == ".env" || file.starts_with(".env.")) && !harmless.contains(&file)
}

fn sends_secrets(command: &Command<'_>) -> Option<&'static str> {
    let lists = command.parts.iter().any(|part| {
        let words: Vec<&str> = part.words.iter().map(String::as_str).collect();
        matches!(
            words.as_slice(),
            ["printenv" | "export" | "declare", ..] | ["env" | "set"]
        )
    });
    let is_secret = |word: &String| {
        let upper = word.to_ascii_uppercase();
        let secret = [
            "TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "_KEY",
        ];
        (upper.contains('$') && secret.iter().any(|part| upper.contains(part)))
            || is_env_file(word.rsplit(['=', '@']).next().unwrap_or(word))
    };
    let sends = command.mentions(&SENDERS) || command.text.contains("/dev/tcp");
    (sends && (lists || command.words().any(is_secret)))
        .then_some("it may send keys or passwords elsewhere")
}

fn touches_disks(command: &Command<'_>) -> Option<&'static str> {
    const TOOLS: [&str; 19] = [
        "fdisk",
        "sfdisk",
        "cfdisk",
        "gdisk",
        "sgdisk",
        "parted",
        "wipefs",
        "shred",
        "blkdiscard",
        "mkswap",
        "hdparm",
        "badblocks",
        "cryptsetup",
        "lvremove",
        "vgremove",
        "pvremove",
        "mdadm",
        "diskutil",
        "mkfs",
    ];
    const DEVICES: [&str; 10] = [
        "/dev/sd",
        "/dev/hd",
        "/dev/vd",
        "/dev/xvd",
        "/dev/nvme",
        "/dev/mmcblk",
        "/dev/disk",
        "/dev/mapper",
        "/dev/dm-",
        "/dev/loop",
    ];
    let touches = command.words().any(|word| {
        let word = word.to_ascii_lowercase();
        is_one_of(&word, &TOOLS)
            || name(&word).starts_with("mkfs.")
            || DEVICES.iter().any(|device| word.contains(device))
            || (word.starts_with("of=/dev/") && word != "of=/dev/null")
    });
    touches.then_some("it works on a disk itself")
}

fn ends_the_machine(command: &Command<'_>) -> Option<&'static str> {
    const ENDS: [&str; 5] = ["shutdown", "reboot", "halt", "poweroff", "kexec"];
    let ends = command.mentions(&ENDS)
        || command.runs(&["init", "telinit"]).any(
            |(_, arguments)| matches!(arguments, [level] if matches!(level.as_str(), "0" | "6")),
        )
        || command.runs(&["systemctl"]).any(|(_, arguments)| {
            let words = ["suspend", "hibernate", "rescue", "emergency", "isolate"];
            arguments.iter().any(|word| words.contains(&word.as_str()))
        })
        || command.runs(&["kill"]).any(|(_, arguments)| {
            arguments.len() > 1 && arguments.last().is_some_and(|last| last == "-1")
        });
    if ends {
        return Some("it ends the machine, or everything on it");
    }
    let squeezed: String = command
        .text
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let forks = squeezed.contains("(){") && squeezed.contains('|') && squeezed.contains('&');
    forks.then_some("it may start processes without end")
}

/// An agent that presses keys in panes could answer its own dialogs.
fn presses_keys(command: &Command<'_>) -> Option<&'static str> {
    let presses = ["zellij", "tmux", "xdotool", "meta-orchestrator"];
    let is_screen = |part: &Part| lead(part).is_some_and(|it| is_one_of(it, &["screen"]));
    (command.mentions(&presses) || command.parts.iter().any(is_screen))
        .then_some("it could press keys, here or in other panes")
}
