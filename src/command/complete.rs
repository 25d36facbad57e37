//! Completes a half-typed line, and says what may follow.
//!
//! Everything comes from the [`table`](super::table), from the [`World`] that the caller hands in, and, for
//! paths, from one bounded look at one folder. Nothing here acts; the REPL calls it at every Tab.

use std::path::{MAIN_SEPARATOR, Path};

use super::line::{KIND, expand_home};
use super::missions::MissionVerb;
use super::table::{Entry, FIELDS, Field, Kind, TABLE};
use super::text::harmless;
use super::{Client, MissionView};

/// The most entries of a folder that are looked at for one completion.
const MOST_ENTRIES: usize = 10_000;
/// The most candidates that are offered.
const MOST_CANDIDATES: usize = 500;

/// What there is to name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// The ids of all agents.
    pub agents: Vec<String>,
    /// The panes known from the last look.
    pub panes: Vec<String>,
    /// The kinds of agents that there are.
    pub kinds: Vec<String>,
    /// The missions that are carried out.
    pub missions: Vec<KnownMission>,
}

/// A mission, and what there is to name of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownMission {
    /// Its name.
    pub id: String,
    /// Its tasks.
    pub tasks: Vec<String>,
    /// The tasks that were proposed.
    pub proposals: Vec<String>,
}

impl World {
    /// What `client` knows now.
    pub fn of(client: &dyn Client) -> Self {
        let views = client.views();
        let missions = client.missions();
        Self {
            agents: views.iter().map(|view| view.id.to_string()).collect(),
            panes: client.known_panes(),
            kinds: client.known_kinds(),
            missions: missions.iter().map(|view| KnownMission::of(view)).collect(),
        }
    }
}

impl KnownMission {
    /// What there is to name of a mission.
    pub fn of(view: &MissionView) -> Self {
        let tasks = view.tasks.iter().map(|task| task.slug.to_string());
        let proposals = view.proposals.iter().map(|one| one.slug.to_string());
        Self {
            id: view.id.to_string(),
            tasks: tasks.collect(),
            proposals: proposals.collect(),
        }
    }
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What replaces the line from the start that came with it up to the cursor.
    pub replacement: String,
    /// What is shown in a list of candidates.
    pub display: String,
}

impl Candidate {
    fn new(text: &str, more_follows: bool) -> Self {
        Self {
            replacement: format!("{text}{}", if more_follows { " " } else { "" }),
            display: text.to_owned(),
        }
    }
}

/// Where in the line the cursor stands.
enum Place<'a> {
    /// In the command's name, which begins at this byte.
    Name(usize, &'a str),
    /// In the argument with this number, which begins at this byte; `field` was named before it.
    Argument {
        entry: &'static Entry,
        index: usize,
        start: usize,
        typed: &'a str,
        field: Option<&'static Field>,
    },
    /// Where nothing is known.
    Elsewhere,
}

/// The part of `line` before byte `cursor`, cut where a character begins.
fn before(line: &str, cursor: usize) -> &str {
    &line[..line.floor_char_boundary(cursor)]
}

fn place(typed: &str) -> Place<'_> {
    let start = typed.len() - typed.trim_start().len();
    let Some((name, _)) = typed[start..].split_once(char::is_whitespace) else {
        return Place::Name(start, &typed[start..]);
    };
    let Some(entry) = name.strip_prefix('/').and_then(Entry::find) else {
        return Place::Elsewhere;
    };
    let mut at = start + name.len();
    let mut field: Option<&'static Field> = None;
    for (index, argument) in entry.arguments.iter().enumerate() {
        let start = typed.len() - typed[at..].trim_start().len();
        let rest = &typed[start..];
        let kind = meant(argument.kind, field);
        if kind == Kind::WithKind && !(rest.starts_with(KIND) || KIND.starts_with(rest)) {
            continue;
        }
        match rest.split_once(char::is_whitespace) {
            Some((word, _)) if !kind.takes_rest() => {
                if kind == Kind::Field {
                    field = Field::find(word);
                }
                at = start + word.len();
            }
            _ => {
                return Place::Argument {
                    entry,
                    index,
                    start,
                    typed: rest,
                    field,
                };
            }
        }
    }
    Place::Elsewhere
}

/// A value is what the field before it says.
fn meant(kind: Kind, field: Option<&Field>) -> Kind {
    match (kind, field) {
        (Kind::Value, Some(field)) => field.kind,
        (kind, _) => kind,
    }
}

/// What the word that ends at byte `cursor` of `line` may become: where it begins, and the candidates.
pub fn complete(line: &str, cursor: usize, world: &World) -> (usize, Vec<Candidate>) {
    let typed = before(line, cursor);
    match place(typed) {
        Place::Name(start, name) => (start, commands("/", name)),
        Place::Argument {
            entry,
            index,
            start,
            typed,
            field,
        } => {
            let kind = meant(entry.arguments[index].kind, field);
            if kind == Kind::OfMission {
                let verb = line[..start].split_whitespace().last();
                let verb = verb.and_then(|word| word.parse().ok());
                return verb.map_or((start, Vec::new()), |verb| {
                    of_mission(verb, start, typed, world)
                });
            }
            let more = index + 1 < entry.arguments.len();
            argument(kind, start, typed, more, world)
        }
        Place::Elsewhere => (typed.len(), Vec::new()),
    }
}

fn argument(
    kind: Kind,
    start: usize,
    typed: &str,
    more: bool,
    world: &World,
) -> (usize, Vec<Candidate>) {
    let among = |names: &[&str]| {
        let fitting = names.iter().filter(|name| name.starts_with(typed));
        fitting
            .take(MOST_CANDIDATES)
            .map(|name| Candidate::new(name, more))
            .collect()
    };
    let candidates = match kind {
        Kind::Agent => among(&world.agents.iter().map(String::as_str).collect::<Vec<_>>()),
        Kind::Pane => panes(typed, more, world),
        Kind::Command => match typed.strip_prefix('/') {
            Some(_) => commands("/", typed),
            None => commands("", typed),
        },
        Kind::Field => FIELDS
            .iter()
            .filter(|field| field.name.starts_with(typed))
            .map(|field| Candidate {
                replacement: format!("{} ", field.name),
                display: format!("{:8}  {}", field.name, field.summary),
            })
            .collect(),
        Kind::AgentKind => {
            let none = std::iter::once("none");
            let kinds = world.kinds.iter().map(String::as_str);
            among(&kinds.chain(none).collect::<Vec<_>>())
        }
        Kind::WithKind => {
            let kinds = world.kinds.iter().map(|kind| format!("{KIND}{kind}"));
            let kinds: Vec<String> = kinds.collect();
            among(&kinds.iter().map(String::as_str).collect::<Vec<_>>())
        }
        Kind::Verb => among(&MissionVerb::ALL.map(MissionVerb::as_str)),
        Kind::Switch => among(&["true", "false"]),
        Kind::Flag(flag) => among(&[flag]),
        Kind::Path => return paths(start, typed),
        Kind::Goal => match typed.strip_prefix('@') {
            Some(path) => return paths(start + 1, path),
            None => Vec::new(),
        },
        Kind::NewAgent
        | Kind::Value
        | Kind::Count
        | Kind::Seconds
        | Kind::OfMission
        | Kind::Text => Vec::new(),
    };
    (start, candidates)
}

/// What may follow a verb of `/mission`: a task where only one mission can be meant; else a mission, and then a task
/// of it. Where no task begins as typed, it is the mission's name that is meant.
fn of_mission(
    verb: MissionVerb,
    start: usize,
    typed: &str,
    world: &World,
) -> (usize, Vec<Candidate>) {
    if verb == MissionVerb::Run {
        return paths(start, typed);
    }
    let blank = typed.char_indices().rfind(|(_, one)| one.is_whitespace());
    let word_at = blank.map_or(0, |(at, one)| at + one.len_utf8());
    let mut whole = typed[..word_at].split_whitespace();
    let begun = &typed[word_at..];
    let first = whole.next();
    let named = world
        .missions
        .iter()
        .find(|one| Some(one.id.as_str()) == first);
    let only = match world.missions.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let is_second = first.is_some() && whole.next().is_none();
    let (mission, offers_missions) = match (first, named) {
        (None, _) => (only, true),
        (Some(_), Some(named)) if is_second => (Some(named), false),
        _ => (None, false),
    };
    let tasks = mission.map_or(&[][..], |mission| match verb {
        MissionVerb::Accept => mission.proposals.as_slice(),
        verb if verb.names_a_task() => mission.tasks.as_slice(),
        _ => &[],
    });
    let fits = |name: &&String| name.starts_with(begun);
    let offers_missions = offers_missions && !tasks.iter().any(|task| fits(&task));
    let ids = world.missions.iter().map(|one| &one.id);
    let ids = ids.filter(|_| offers_missions);
    let more = |is_mission: bool| match verb {
        MissionVerb::Message | MissionVerb::Ask | MissionVerb::Edit => true,
        verb => is_mission && verb.names_a_task(),
    };
    let all = tasks
        .iter()
        .map(|task| (task, more(false)))
        .chain(ids.map(|id| (id, more(true))));
    let candidates = all
        .filter(|(name, _)| fits(name))
        .take(MOST_CANDIDATES)
        .map(|(name, more)| Candidate::new(name, more));
    (start + word_at, candidates.collect())
}

fn commands(slash: &str, typed: &str) -> Vec<Candidate> {
    let fitting = TABLE.iter().filter_map(|entry| {
        let name = format!("{slash}{}", entry.name);
        (name.starts_with(typed)).then_some((name, entry))
    });
    fitting
        .map(|(name, entry)| {
            let more = !slash.is_empty() && !entry.arguments.is_empty();
            Candidate {
                display: format!("{name:8}  {}", entry.summary),
                ..Candidate::new(&name, more)
            }
        })
        .collect()
}

/// A pane is found by its full name, and by what follows its session's name.
fn panes(typed: &str, more: bool, world: &World) -> Vec<Candidate> {
    let fits = |pane: &str| {
        let short = pane.rsplit_once(':').map_or(pane, |(_, short)| short);
        let number = short.strip_prefix("terminal_").unwrap_or(short);
        let names = [pane, short, number];
        names.iter().any(|name| name.starts_with(typed))
    };
    let fitting = world.panes.iter().filter(|pane| fits(pane));
    fitting
        .filter(|pane| !pane.contains(char::is_whitespace) && harmless(pane) == pane.as_str())
        .take(MOST_CANDIDATES)
        .map(|pane| Candidate::new(pane, more))
        .collect()
}

/// The entries of the folder that `typed` names, as far as they go on with its last part.
fn paths(start: usize, typed: &str) -> (usize, Vec<Candidate>) {
    let (folder, prefix) = match typed.rfind(MAIN_SEPARATOR) {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let start = start + folder.len();
    let looked_at = match folder {
        "" => Path::new(".").to_owned(),
        folder => expand_home(folder),
    };
    let Ok(entries) = std::fs::read_dir(looked_at) else {
        return (start, Vec::new());
    };
    let mut candidates: Vec<Candidate> = entries
        .take(MOST_ENTRIES)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !prefix.starts_with('.');
            let typeable = harmless(&name) == name.as_str() && !name.contains(['\n', '\t']);
            if hidden || !typeable || !name.starts_with(prefix) {
                return None;
            }
            let slash = if entry.path().is_dir() { "/" } else { "" };
            Some(Candidate::new(&format!("{name}{slash}"), false))
        })
        .collect();
    candidates.sort_by(|a, b| a.display.cmp(&b.display));
    candidates.truncate(MOST_CANDIDATES);
    (start, candidates)
}

/// What may follow `line`, in the words of the usage line: shown dimly behind the cursor.
pub fn hint(line: &str) -> Option<String> {
    let (entry, next, apart) = match place(line) {
        Place::Name(_, name) => (name.strip_prefix('/').and_then(Entry::find)?, 0, true),
        Place::Argument {
            entry,
            index,
            typed,
            ..
        } => {
            if typed.is_empty() {
                (entry, index, false)
            } else if entry.arguments[index].kind.takes_rest() {
                return None;
            } else {
                (entry, index + 1, true)
            }
        }
        Place::Elsewhere => return None,
    };
    let names = entry.arguments.iter().skip(next).map(|argument| {
        if argument.needed {
            argument.name.to_owned()
        } else {
            format!("[{}]", argument.name)
        }
    });
    let text = names.collect::<Vec<_>>().join(" ");
    let gap = if apart { " " } else { "" };
    (!text.is_empty()).then(|| format!("{gap}{text}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn world() -> World {
        World {
            agents: vec!["kernel".into(), "kernel-2".into(), "docs".into()],
            panes: vec![
                "work:terminal_1".into(),
                "work:terminal_12".into(),
                "other:terminal_3".into(),
            ],
            kinds: vec!["claude".into(), "codex".into()],
            missions: vec![mission("notes")],
        }
    }

    fn mission(id: &str) -> KnownMission {
        KnownMission {
            id: id.into(),
            tasks: vec!["parser".into(), "docs".into()],
            proposals: vec!["resolve-docs".into()],
        }
    }

    fn completed(line: &str) -> Vec<String> {
        completed_in(line, &world())
    }

    fn completed_in(line: &str, world: &World) -> Vec<String> {
        let (start, candidates) = complete(line, line.len(), world);
        let whole = |candidate: Candidate| format!("{}{}", &line[..start], candidate.replacement);
        candidates.into_iter().map(whole).collect()
    }

    #[test]
    fn commands_ids_panes_fields_and_values_are_completed_where_they_belong() {
        let cases: [(&str, &[&str]); 27] = [
            ("/st", &["/stop ", "/start ", "/stopall", "/startall"]),
            ("/li", &["/list"]),
            ("  /qu", &["  /quit"]),
            ("/stop k", &["/stop kernel", "/stop kernel-2"]),
            ("/stop  d", &["/stop  docs"]),
            ("/stop docs ", &[]),
            ("/reply d", &["/reply docs "]),
            ("/reply docs k", &[]),
            ("/add k", &[]),
            (
                "/add x work",
                &["/add x work:terminal_1 ", "/add x work:terminal_12 "],
            ),
            ("/add x 3", &["/add x other:terminal_3 "]),
            ("/add x terminal_12", &["/add x work:terminal_12 "]),
            ("/review docs -", &["/review docs --send"]),
            ("/set docs p", &["/set docs pollSec ", "/set docs pane "]),
            ("/set docs observe t", &["/set docs observe true"]),
            ("/set docs pane oth", &["/set docs pane other:terminal_3"]),
            ("/help ad", &["/help add", "/help adopt"]),
            ("/help /ad", &["/help /add ", "/help /adopt "]),
            ("/xyz k", &[]),
            ("/app", &["/approve "]),
            ("/hold d", &["/hold docs "]),
            ("/explain docs -", &["/explain docs --json"]),
            ("/set docs kind cl", &["/set docs kind claude"]),
            ("/set docs kind n", &["/set docs kind none"]),
            (
                "/add x 3 ki",
                &["/add x 3 kind=claude ", "/add x 3 kind=codex "],
            ),
            ("/add x 3 kind=co", &["/add x 3 kind=codex "]),
            ("hello", &[]),
        ];
        for (line, expected) in cases {
            assert_eq!(completed(line), expected, "{line:?}");
        }
        assert_eq!(completed("").len(), TABLE.len());
    }

    #[test]
    fn missions_and_their_tasks_are_completed_as_their_verb_wants_them() {
        let one = world();
        let two = World {
            missions: vec![mission("notes"), mission("site")],
            ..world()
        };
        let nothing_proposed = World {
            missions: vec![KnownMission {
                proposals: Vec::new(),
                ..mission("notes")
            }],
            ..world()
        };
        let cases: [(&World, &str, &[&str]); 23] = [
            (&one, "/mission ret", &["/mission retry "]),
            (
                &one,
                "/mission retry ",
                &["/mission retry parser", "/mission retry docs"],
            ),
            (&one, "/mission retry n", &["/mission retry notes "]),
            (&one, "/mission retry x", &[]),
            (
                &one,
                "/mission message ",
                &["/mission message parser ", "/mission message docs "],
            ),
            (&one, "/mission message n", &["/mission message notes "]),
            (
                &one,
                "/mission message notes ",
                &[
                    "/mission message notes parser ",
                    "/mission message notes docs ",
                ],
            ),
            (&one, "/mission ask ", &["/mission ask notes "]),
            (&one, "/mission accept ", &["/mission accept resolve-docs"]),
            (
                &nothing_proposed,
                "/mission accept ",
                &["/mission accept notes "],
            ),
            (
                &one,
                "/mission retry notes d",
                &["/mission retry notes docs"],
            ),
            (&one, "/mission message d", &["/mission message docs "]),
            (&one, "/mission message docs d", &[]),
            (&one, "/mission message notes docs d", &[]),
            (&one, "/mission accept r", &["/mission accept resolve-docs"]),
            (
                &one,
                "/mission accept notes ",
                &["/mission accept notes resolve-docs"],
            ),
            (&one, "/mission pause ", &["/mission pause notes"]),
            (&one, "/mission pause notes ", &[]),
            (&one, "/mission nonsense ", &[]),
            (
                &two,
                "/mission stop ",
                &["/mission stop notes ", "/mission stop site "],
            ),
            (
                &two,
                "/mission stop  site p",
                &["/mission stop  site parser"],
            ),
            (
                &two,
                "/mission message ",
                &["/mission message notes ", "/mission message site "],
            ),
            (&two, "/mission status s", &["/mission status site"]),
        ];
        for (world, line, expected) in cases {
            assert_eq!(completed_in(line, world), expected, "{line:?}");
        }
    }

    #[test]
    fn only_what_stands_before_the_cursor_counts() {
        let (start, candidates) = complete("/stop dxyz", 7, &world());
        assert_eq!((start, candidates[0].replacement.as_str()), (6, "docs"));
    }

    #[test]
    fn paths_are_completed_with_blanks_and_folders_and_without_hidden_or_unsafe_names() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        std::fs::DirBuilder::new()
            .create(folder.path().join("a folder"))
            .unwrap();
        for name in ["a file.json", "b.json", ".hidden", "a\u{1b}[2J"] {
            std::os::unix::fs::symlink("/dev/null", folder.path().join(name)).unwrap();
        }
        let cases: [(String, &[&str]); 7] = [
            (
                format!("/load {root}/"),
                &["a file.json", "a folder/", "b.json"],
            ),
            (format!("/load {root}/a f"), &["a file.json", "a folder/"]),
            (format!("/save {root}/.h"), &[".hidden"]),
            (format!("/add x 1 @{root}/b"), &["b.json"]),
            (format!("/add x 1 kind=a @{root}/b"), &["b.json"]),
            (format!("/set docs goal @{root}/b"), &["b.json"]),
            (format!("/load {root}/none/"), &[]),
        ];
        for (line, expected) in cases {
            let (start, candidates) = complete(&line, line.len(), &world());
            assert!(line[..start].ends_with('/'), "{line}");
            let names: Vec<String> = candidates.into_iter().map(|one| one.replacement).collect();
            assert_eq!(names, expected, "{line}");
        }
    }

    #[test]
    fn what_may_follow_is_hinted_at() {
        for (line, expected) in [
            ("/add", Some(" ID PANE [kind=KIND] GOAL...")),
            ("/add ", Some("ID PANE [kind=KIND] GOAL...")),
            ("/add x", Some(" PANE [kind=KIND] GOAL...")),
            ("/add x 1 ", Some("[kind=KIND] GOAL...")),
            ("/add x 1 make", None),
            ("/log x", Some(" [N]")),
            ("/list", None),
            ("/xyz", None),
            ("", None),
        ] {
            assert_eq!(hint(line).as_deref(), expected, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_lines_and_cursors_never_panic(line in ".*", cursor in 0usize..200) {
            for line in [line.clone(), format!("/{line}"), format!("/add {line}"), format!("/set a {line}"), format!("/mission stop {line}")] {
                let (start, _) = complete(&line, cursor, &world());
                prop_assert!(start <= line.len() && line.is_char_boundary(start));
                let _ = hint(&line);
            }
        }
    }
}
