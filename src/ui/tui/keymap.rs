//! Which key does what, where: one table, from which the help and the README's table are made.
//!
//! Only [`update`](super::update) carries out what a key means. Nothing but `:` and `/` opens the command line,
//! and no key that is not in [`KEYMAP`] does anything, so that a word typed into the wrong window has no
//! meaning; a key that would press one in an agent's pane is asked about once more.

use std::fmt::Write as _;

use super::input::{Key, KeyCode};

/// Where keys are pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The table of agents.
    Table,
    /// The inbox.
    Inbox,
    /// One agent's detail.
    Detail,
    /// A mission.
    Mission,
    /// A text: help, an answer, the messages.
    Text,
    /// A question that wants a yes or a no.
    Asked,
    /// The command line.
    Line,
    /// The line of the filter.
    Filter,
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table below says what each does")]
pub enum Action {
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    Open,
    Back,
    NextView,
    Inbox,
    Filter,
    Sort,
    CommandLine,
    Reply,
    Approve,
    Deny,
    DenyWith,
    Option,
    Snooze,
    Hold,
    Stop,
    Focus,
    Explain,
    StopAll,
    Messages,
    Help,
    Leave,
    Redraw,
    Mission,
    NextMission,
    ExplainTask,
    TellTask,
    RetryTask,
    StopTask,
    DropTask,
    TakeTask,
    AcceptTask,
    Pause,
    Finish,
    Abort,
    Yes,
    No,
}

/// One line of the table.
#[derive(Debug)]
pub struct Binding {
    /// The keys.
    pub keys: &'static [Key],
    /// How they are written.
    pub shown: &'static str,
    /// Where they are heard.
    pub places: &'static [Place],
    /// What they do.
    pub action: Action,
    /// The same for a person.
    pub does: &'static str,
    /// The commands that may be sent for it, by name, after a further yes where it says so.
    pub sends: &'static [&'static str],
}

const fn key(code: KeyCode) -> Key {
    Key::plain(code)
}

/// Every place outside a line of text; each of the lists below is a beginning of it.
const MOVING: &[Place] = &[
    Place::Table,
    Place::Inbox,
    Place::Detail,
    Place::Mission,
    Place::Text,
    Place::Asked,
];
const NORMAL: &[Place] = MOVING.split_at(5).0;
const VIEWS: &[Place] = MOVING.split_at(4).0;
const AGENT: &[Place] = MOVING.split_at(3).0;
const LISTS: &[Place] = MOVING.split_at(2).0;
const OPENS: &[Place] = &[Place::Table, Place::Inbox, Place::Mission];
const MISSION: &[Place] = &[Place::Mission];
const ASKED: &[Place] = &[Place::Asked];

macro_rules! binding {
    ([$($key:expr),+], $shown:literal, $places:expr, $action:ident, $does:literal) => {
        binding!([$($key),+], $shown, $places, $action, $does, [])
    };
    ([$($key:expr),+], $shown:literal, $places:expr, $action:ident, $does:literal, [$($sends:literal),*]) => {
        Binding {
            keys: &[$($key),+],
            shown: $shown,
            places: $places,
            action: Action::$action,
            does: $does,
            sends: &[$($sends),*],
        }
    };
}

/// Every key of the TUI outside its lines of text.
pub const KEYMAP: &[Binding] = &[
    binding!(
        [Key::char('j'), key(KeyCode::Down)],
        "j, Down",
        MOVING,
        Down,
        "the next agent, the next line"
    ),
    binding!(
        [Key::char('k'), key(KeyCode::Up)],
        "k, Up",
        MOVING,
        Up,
        "the one before"
    ),
    binding!(
        [key(KeyCode::PageDown), Key::ctrl('d'), Key::ctrl('f')],
        "PgDn, Ctrl-D",
        MOVING,
        PageDown,
        "a page on"
    ),
    binding!(
        [key(KeyCode::PageUp), Key::ctrl('u'), Key::ctrl('b')],
        "PgUp, Ctrl-U",
        MOVING,
        PageUp,
        "a page back"
    ),
    binding!(
        [Key::char('g'), key(KeyCode::Home)],
        "g, Home",
        MOVING,
        First,
        "to the beginning"
    ),
    binding!(
        [Key::char('G'), key(KeyCode::End)],
        "G, End",
        MOVING,
        Last,
        "to the end"
    ),
    binding!(
        [key(KeyCode::Enter), Key::char('l'), key(KeyCode::Right)],
        "Enter, l, Right",
        OPENS,
        Open,
        "the highlighted agent, or a task's worker, in detail"
    ),
    binding!(
        [
            key(KeyCode::Esc),
            Key::char('h'),
            key(KeyCode::Left),
            key(KeyCode::Backspace)
        ],
        "Esc, h, Left",
        NORMAL,
        Back,
        "back; in the table: no filter"
    ),
    binding!(
        [key(KeyCode::Tab), key(KeyCode::BackTab)],
        "Tab",
        LISTS,
        NextView,
        "between the table and the inbox"
    ),
    binding!(
        [Key::char('i')],
        "i",
        VIEWS,
        Inbox,
        "the inbox: everything that waits for you"
    ),
    binding!(
        [Key::char('f')],
        "f",
        LISTS,
        Filter,
        "filters by a text; Esc ends that"
    ),
    binding!(
        [Key::char('s')],
        "s",
        LISTS,
        Sort,
        "sorts: as configured, by name, status, rest, tokens"
    ),
    binding!(
        [Key::char(':'), Key::char('/')],
        ":, /",
        NORMAL,
        CommandLine,
        "the command line; nothing else opens it"
    ),
    binding!(
        [Key::char('r')],
        "r",
        AGENT,
        Reply,
        "opens the command line with `/reply ID `; sent after a yes"
    ),
    binding!(
        [Key::char('a')],
        "a",
        AGENT,
        Approve,
        "says yes to its dialog, after one more yes",
        ["approve"]
    ),
    binding!(
        [Key::char('d')],
        "d",
        AGENT,
        Deny,
        "says no to its dialog, after a yes",
        ["deny"]
    ),
    binding!(
        [Key::char('D')],
        "D",
        AGENT,
        DenyWith,
        "opens the command line with `/deny ID `, to tell it why"
    ),
    binding!(
        [
            Key::char('1'),
            Key::char('2'),
            Key::char('3'),
            Key::char('4'),
            Key::char('5'),
            Key::char('6'),
            Key::char('7'),
            Key::char('8'),
            Key::char('9')
        ],
        "1 to 9",
        &[Place::Inbox, Place::Detail],
        Option,
        "chooses that option, after a yes",
        ["answer", "approve"]
    ),
    binding!(
        [Key::char('z')],
        "z",
        AGENT,
        Snooze,
        "puts its question off for 30 minutes",
        ["snooze"]
    ),
    binding!(
        [Key::char('H')],
        "H",
        AGENT,
        Hold,
        "holds nudges to it, or lets them go on",
        ["hold", "release"]
    ),
    binding!(
        [Key::char('S')],
        "S",
        AGENT,
        Stop,
        "stops watching it, or starts that again, after a yes",
        ["stop", "start"]
    ),
    binding!(
        [Key::char('o')],
        "o",
        AGENT,
        Focus,
        "shows its pane in zellij",
        ["focus"]
    ),
    binding!(
        [Key::char('e')],
        "e",
        AGENT,
        Explain,
        "tells what is known of it, and what would be done now",
        ["explain"]
    ),
    binding!(
        [Key::char('M')],
        "M",
        AGENT,
        Mission,
        "the missions: each task, its criteria, what is being done"
    ),
    binding!(
        [key(KeyCode::Tab), key(KeyCode::BackTab)],
        "Tab",
        MISSION,
        NextMission,
        "in a mission: the next one"
    ),
    binding!(
        [Key::char('e')],
        "e",
        MISSION,
        ExplainTask,
        "in a mission: all that is known of the task"
    ),
    binding!(
        [Key::char('r')],
        "r",
        MISSION,
        TellTask,
        "in a mission: opens the command line with `/mission message`"
    ),
    binding!(
        [Key::char('t')],
        "t",
        MISSION,
        RetryTask,
        "the same with `/mission retry`"
    ),
    binding!(
        [Key::char('S')],
        "S",
        MISSION,
        StopTask,
        "the same with `/mission stop`"
    ),
    binding!(
        [Key::char('d')],
        "d",
        MISSION,
        DropTask,
        "the same with `/mission drop`"
    ),
    binding!(
        [Key::char('T')],
        "T",
        MISSION,
        TakeTask,
        "the same with `/mission take`"
    ),
    binding!(
        [Key::char('a')],
        "a",
        MISSION,
        AcceptTask,
        "the same with `/mission accept`"
    ),
    binding!(
        [Key::char('p')],
        "p",
        MISSION,
        Pause,
        "the same with `/mission pause`, or `resume`"
    ),
    binding!(
        [Key::char('F')],
        "F",
        MISSION,
        Finish,
        "the same with `/mission finish`"
    ),
    binding!(
        [Key::char('X')],
        "X",
        MISSION,
        Abort,
        "the same with `/mission abort`"
    ),
    binding!(
        [Key::char('!')],
        "!",
        NORMAL,
        StopAll,
        "stops all typing everywhere; lets it go on, after a yes",
        ["stopall", "startall"]
    ),
    binding!([Key::char('m')], "m", NORMAL, Messages, "all messages"),
    binding!(
        [Key::char('?'), key(KeyCode::F(1))],
        "?, F1",
        NORMAL,
        Help,
        "this"
    ),
    binding!([Key::char('q')], "q", &[Place::Text], Back, "closes a text"),
    binding!(
        [Key::char('q')],
        "q",
        VIEWS,
        Leave,
        "leaves; asks where agents would be left unwatched",
        ["quit"]
    ),
    binding!(
        [Key::ctrl('c')],
        "Ctrl-C",
        NORMAL,
        Leave,
        "the same, from everywhere",
        ["quit"]
    ),
    binding!(
        [Key::ctrl('l')],
        "Ctrl-L",
        NORMAL,
        Redraw,
        "draws everything anew"
    ),
    binding!(
        [Key::char('y')],
        "y",
        ASKED,
        Yes,
        "yes; heard once all of the question was there for a moment",
        [
            "approve", "answer", "deny", "reply", "stop", "start", "startall", "quit", "mission",
            "yes"
        ]
    ),
    binding!(
        [
            Key::char('n'),
            key(KeyCode::Esc),
            Key::char('q'),
            Key::ctrl('c')
        ],
        "n, Esc",
        ASKED,
        No,
        "no",
        ["no"]
    ),
];

/// What `key` does at `place`.
pub fn find(place: Place, key: Key) -> Option<&'static Binding> {
    KEYMAP
        .iter()
        .find(|binding| binding.places.contains(&place) && binding.keys.contains(&key))
}

/// The keys with what they do, a line each.
pub fn help() -> String {
    let mut text = String::new();
    for binding in KEYMAP {
        let _ = writeln!(text, "{:16}  {}", binding.shown, binding.does);
    }
    text
}

/// The keys as a table in Markdown, for the README.
pub fn markdown() -> String {
    let mut text = String::from("| key | what it does |\n|---|---|\n");
    for binding in KEYMAP {
        let keys: Vec<String> = binding
            .shown
            .split(", ")
            .map(|key| format!("`{key}`"))
            .collect();
        let _ = writeln!(text, "| {} | {} |", keys.join(" "), binding.does);
    }
    text
}
