//! Clients against a server whose supervisor is made up.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::client::{Connection, NoConnection};
use super::protocol::{Failed, Message, Request, Said, Topic, Wish, Wrong, line};
use super::{Remote, Server, connection, server};
use crate::agent::view::Status;
use crate::command::line::parse;
use crate::command::{
    AgentView, Answering, Client, Command, Event, Health, MissionView, Notice, PaneRow, PaneShot,
    Reply, Urgency, WorkerView,
};
use crate::error::{Failure, Kind};
use crate::record::Happening;
use crate::record::{Action, Delivery, Origin, Question, Receipt, Verdict};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a made-up supervisor is and was told.
struct World {
    views: Mutex<Vec<Arc<AgentView>>>,
    missions: Mutex<Vec<Arc<MissionView>>>,
    changes: watch::Sender<u64>,
    events: broadcast::Sender<Event>,
    notices: broadcast::Sender<Notice>,
    done: Mutex<Vec<Command>>,
    /// Whether somebody looks, as each client said it.
    looks: Mutex<Vec<bool>>,
    given_up: Notify,
    go_on: Notify,
    ended: CancellationToken,
}

/// One of its clients.
struct Fake {
    world: Arc<World>,
    asked: Mutex<Option<String>>,
}

fn view(id: &str) -> Arc<AgentView> {
    Arc::new(AgentView::made_up(id, Status::Running))
}

fn mission(id: &str) -> Arc<MissionView> {
    Arc::new(MissionView::made_up(
        id,
        &[("parser", &[]), ("cli", &["parser"])],
    ))
}

impl World {
    fn change_missions(&self, change: impl FnOnce(&mut Vec<Arc<MissionView>>)) {
        change(&mut self.missions.lock().unwrap());
        self.changes.send_modify(|count| *count += 1);
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<AgentView>>)) {
        change(&mut self.views.lock().unwrap());
        self.changes.send_modify(|count| *count += 1);
    }

    fn happens(&self, text: &str) {
        let what = Happening::Roster { why: text.into() };
        let _ = self.events.send(Event::new(Utc::now(), None, what));
    }

    fn done(&self) -> Vec<Command> {
        self.done.lock().unwrap().clone()
    }
}

impl Fake {
    async fn answer(&self, command: Command) -> Result<Reply, Failure> {
        // whoever gives a command up drops this
        struct GivenUp<'a>(&'a World, bool);
        impl Drop for GivenUp<'_> {
            fn drop(&mut self) {
                if self.1 {
                    self.0.given_up.notify_one();
                }
            }
        }
        let reply = match &command {
            Command::List => Reply::Agents(self.views()),
            Command::Adopt { pattern } => {
                *self.asked.lock().unwrap() = pattern.clone();
                Reply::Confirm("Adopt?".into())
            }
            Command::Yes => match self.asked.lock().unwrap().take() {
                Some(what) => Reply::Done(format!("adopted {what}")),
                None => return Err(Failure::usage("nothing waits for a yes")),
            },
            Command::Review { .. } | Command::Reply { .. } => {
                let mut given_up = GivenUp(&self.world, true);
                self.world.go_on.notified().await;
                given_up.1 = false;
                Reply::Done("delivered".into())
            }
            Command::Stop { id } => {
                return Err(Failure::new(
                    Kind::NotDelivered,
                    format!("{id} \u{9b}31m is not there"),
                )
                .because_text("why")
                .hint("what next"));
            }
            Command::Quit => {
                self.world.ended.cancel();
                sleep(Duration::from_millis(20)).await;
                Reply::Bye("stopped".into())
            }
            other => Reply::Text(format!("{other:?}")),
        };
        self.world.done.lock().unwrap().push(command);
        Ok(reply)
    }
}

impl Client for Fake {
    fn send(&self, command: Command) -> Answering<'_> {
        Box::pin(self.answer(command))
    }

    fn views(&self) -> Vec<Arc<AgentView>> {
        self.world.views.lock().unwrap().clone()
    }

    fn missions(&self) -> Vec<Arc<MissionView>> {
        self.world.missions.lock().unwrap().clone()
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.world.notices.subscribe()
    }

    fn known_panes(&self) -> Vec<String> {
        vec!["work:terminal_3".into()]
    }

    fn known_kinds(&self) -> Vec<String> {
        vec!["claude".into()]
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.world.changes.subscribe()
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.world.events.subscribe()
    }

    fn attended(&self, looks: bool) {
        self.world.looks.lock().unwrap().push(looks);
    }

    fn health(&self) -> Health {
        health()
    }
}

fn health() -> Health {
    Health {
        pid: 7,
        started_at: "2026-11-03T14:00:00Z".parse().unwrap(),
        configuration: "/c.json".into(),
        ..Health::made_up()
    }
}

/// A server over a made-up supervisor.
struct Stage {
    world: Arc<World>,
    path: PathBuf,
    server: Server,
    _home: tempfile::TempDir,
}

impl Stage {
    fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let world = Arc::new(World {
            views: Mutex::new(vec![view("a1"), view("a2")]),
            missions: Mutex::new(vec![mission("notes"), mission("site")]),
            changes: watch::Sender::new(0),
            events: broadcast::Sender::new(4_096),
            notices: broadcast::Sender::new(64),
            done: Mutex::default(),
            looks: Mutex::default(),
            given_up: Notify::new(),
            go_on: Notify::new(),
            ended: CancellationToken::new(),
        });
        let path = home.path().join("s.sock");
        let of = Arc::clone(&world);
        let clients = Box::new(move |_| -> Arc<dyn Client> {
            Arc::new(Fake {
                world: Arc::clone(&of),
                asked: Mutex::default(),
            })
        });
        let server = Server::start(&path, true, clients, world.ended.clone()).unwrap();
        Self {
            world,
            path,
            server,
            _home: home,
        }
    }

    async fn connect(&self) -> Connection {
        Connection::open(&self.path).await.unwrap()
    }

    /// A connection that speaks for itself; its hello is read.
    async fn raw(&self) -> Raw {
        let mut raw = Raw(UnixStream::connect(&self.path).await.unwrap(), Vec::new());
        assert_eq!(raw.hears().await["hello"]["pid"], 7);
        raw
    }
}

struct Raw(UnixStream, Vec<u8>);

impl Raw {
    async fn says(&mut self, value: &Value) {
        self.0
            .write_all(format!("{value}\n").as_bytes())
            .await
            .unwrap();
    }

    /// The next line; null at the end.
    async fn hears(&mut self) -> Value {
        loop {
            if let Some(at) = self.1.iter().position(|byte| *byte == b'\n') {
                let rest = self.1.split_off(at + 1);
                let line = std::mem::replace(&mut self.1, rest);
                return serde_json::from_slice(&line).unwrap();
            }
            let mut piece = [0; 4_096];
            match timeout(PATIENCE, self.0.read(&mut piece)).await.unwrap() {
                Ok(0) | Err(_) => return Value::Null,
                Ok(count) => self.1.extend_from_slice(&piece[..count]),
            }
        }
    }
}

async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let waited = async {
        while !is() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(timeout(PATIENCE, waited).await.is_ok(), "{what}");
}

fn command(line: &str) -> Command {
    parse(line).unwrap().unwrap()
}

#[tokio::test]
async fn a_command_is_answered_as_in_process() {
    let stage = Stage::open();
    let mut connection = stage.connect().await;
    let listed = connection.ask(Command::List).await.unwrap();
    assert_eq!(listed, Reply::Agents(vec![view("a1"), view("a2")]));
    let failure = connection.ask(command("/stop a1")).await.unwrap_err();
    let expected = Failure::new(Kind::NotDelivered, "a1 \u{9b}31m is not there");
    assert_eq!(failure, expected.because_text("why").hint("what next"));
}

#[tokio::test]
async fn what_a_terminal_would_act_on_is_escaped_on_the_wire() {
    let stage = Stage::open();
    let mut raw = stage.raw().await;
    raw.says(&json!({"v":1,"id":5,"line":"/stop a1"})).await;
    let mut text = Vec::new();
    while !text.ends_with(b"\n") {
        text.push(raw.0.read_u8().await.unwrap());
    }
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains(r"\u009b31m") && !text.contains('\u{9b}'),
        "{text}"
    );
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["failure"]["message"], "a1 \u{9b}31m is not there");
    assert_eq!(
        (&read["id"], &read["failure"]["exitCode"]),
        (&json!(5), &json!(4))
    );
}

#[tokio::test]
async fn a_yes_answers_what_this_client_was_asked() {
    let stage = Stage::open();
    let (mut one, mut other) = (stage.connect().await, stage.connect().await);
    one.ask(command("/adopt here")).await.unwrap();
    // another's command neither answers nor drops the question
    other.ask(Command::List).await.unwrap();
    assert!(other.ask(Command::Yes).await.is_err());
    let done = one.ask(Command::Yes).await.unwrap();
    assert_eq!(done, Reply::Done("adopted here".into()));
}

#[tokio::test]
async fn what_is_no_request_is_refused_in_words() {
    let stage = Stage::open();
    for (sent, kind, goes_on) in [
        (r#"{"v":2,"id":3,"line":"/list"}"#, "which form", true),
        (r#"{"v":1,"id":3}"#, "one of", true),
        (
            r#"{"v":1,"id":3,"line":"/list","attended":true}"#,
            "one of",
            true,
        ),
        (r#"{"v":1,"id":3,"attended":"yes"}"#, "not understood", true),
        (r#"{"v":1,"id":3,"line":"/lst"}"#, "no command", true),
        (r#"{"v":1,"id":3,"line":""}"#, "empty line", true),
        (
            r#"{"v":1,"id":3,"command":{"fly":{}}}"#,
            "not understood",
            true,
        ),
        (
            r#"{"v":1,"id":3,"command":{"stop":{"id":"../x"}}}"#,
            "not understood",
            true,
        ),
        (
            r#"{"v":1,"id":3,"subscribe":["all"]}"#,
            "not understood",
            true,
        ),
        ("GET / HTTP/1.1", "no JSON", false),
        ("\u{0}\u{1}\u{fffd}", "no JSON", false),
    ] {
        let mut raw = stage.raw().await;
        raw.0
            .write_all(format!("{sent}\n").as_bytes())
            .await
            .unwrap();
        let said = raw.hears().await;
        let message = said["failure"]["message"].as_str().unwrap();
        assert!(message.contains(kind), "{sent}: {said}");
        if goes_on {
            assert_eq!(said["id"], 3, "{sent}");
            raw.says(&json!({"v":1,"id":4,"line":"/list"})).await;
            assert_eq!(raw.hears().await["id"], 4, "{sent}");
        } else {
            assert_eq!(raw.hears().await, Value::Null, "{sent}");
        }
    }
    assert_eq!(stage.world.done().len(), 9);
}

#[tokio::test]
async fn a_line_without_an_end_is_refused_before_it_is_read() {
    let stage = Stage::open();
    let mut raw = stage.raw().await;
    let piece = vec![b'x'; 1024 * 1024];
    let mut sent = 0;
    while sent < 100 && raw.0.write_all(&piece).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 10, "{sent} MiB were taken");
    let said = raw.hears().await;
    assert!(
        said["failure"]["message"]
            .as_str()
            .unwrap()
            .contains("not read"),
        "{said}"
    );
    assert_eq!(raw.hears().await, Value::Null);
}

#[tokio::test]
async fn more_clients_than_there_are_seats_are_turned_away_in_words() {
    let stage = Stage::open();
    let mut seated = Vec::new();
    for _ in 0..server::MOST {
        seated.push(stage.connect().await);
    }
    match Connection::open(&stage.path).await {
        Err(NoConnection::Unfit(failure)) => assert!(failure.message.contains("64 clients")),
        other => panic!("{other:?}"),
    }
    seated.pop();
    // its seat is free as soon as its end was seen
    let freed = async {
        while Connection::open(&stage.path).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, freed).await.unwrap();
}

#[tokio::test]
async fn what_acts_is_carried_to_its_end_when_its_client_goes_and_what_only_shows_is_given_up() {
    let stage = Stage::open();
    let mut raw = stage.raw().await;
    raw.says(&json!({"v":1,"id":1,"line":"/review a1"})).await;
    raw.says(&json!({"v":1,"id":2,"line":"/list"})).await;
    assert_eq!(raw.hears().await["id"], 2);
    drop(raw);
    timeout(PATIENCE, stage.world.given_up.notified())
        .await
        .unwrap();

    let mut raw = stage.raw().await;
    raw.says(&json!({"v":1,"id":1,"line":"/reply a1 go on"}))
        .await;
    raw.says(&json!({"v":1,"id":2,"line":"/list"})).await;
    assert_eq!(raw.hears().await["id"], 2);
    drop(raw);
    // others are served, and the reply is still on its way
    stage.connect().await.ask(Command::List).await.unwrap();
    stage.world.go_on.notify_one();
    let reply = command("/reply a1 go on");
    until("the reply is done", || stage.world.done().contains(&reply)).await;
}

#[tokio::test]
async fn a_client_that_says_no_more_still_gets_its_answers() {
    let stage = Stage::open();
    let mut raw = stage.raw().await;
    raw.0
        .write_all(br#"{"v":1,"id":1,"line":"/list"}"#)
        .await
        .unwrap();
    raw.0.shutdown().await.unwrap();
    assert_eq!(raw.hears().await["reply"]["agents"][0]["id"], "a1");
    assert_eq!(raw.hears().await, Value::Null);
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_nobody_up_and_is_told_what_it_lost() {
    let stage = Stage::open();
    let mut sleeper = stage.raw().await;
    sleeper
        .says(&json!({"v":1,"id":1,"subscribe":["events","views"]}))
        .await;
    while sleeper.hears().await["subscribed"].is_null() {}
    let text = "x".repeat(2_000);
    for number in 0..20_000_u32 {
        stage.world.happens(&text);
        if number % 100 == 0 {
            stage.world.change(|views| {
                let mut next = AgentView::clone(&views[0]);
                next.polls += 1;
                views[0] = Arc::new(next);
            });
            // others go on meanwhile
            stage.connect().await.ask(Command::List).await.unwrap();
        }
    }
    let (mut events, mut lost, mut polls) = (0_u64, 0, 0);
    while events + lost < 20_000 || polls < 200 {
        let said = sleeper.hears().await;
        assert_ne!(said, Value::Null);
        events += u64::from(said["event"].is_object() && said["event"]["event"] != "lost");
        lost += said["lost"]["count"].as_u64().unwrap_or_default();
        lost += said["event"]["count"].as_u64().unwrap_or_default();
        let changed = said["views"]["changed"]
            .as_array()
            .and_then(|all| all.first().cloned());
        polls = changed.map_or(polls, |view| view["polls"].as_u64().unwrap());
    }
    assert!(lost > 0 && events > 0, "{events} {lost}");
}

#[tokio::test]
async fn what_happened_lately_comes_before_what_happens() {
    let stage = Stage::open();
    for number in 0..1_500 {
        stage.world.happens(&number.to_string());
        if number % 500 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let mut raw = stage.raw().await;
    until("all is kept", || stage.world.events.is_empty()).await;
    raw.says(&json!({"v":1,"id":1,"subscribe":["recent"]}))
        .await;
    let mut seen = Vec::new();
    loop {
        let said = raw.hears().await;
        if said["subscribed"].is_array() {
            break;
        }
        seen.push(said["event"]["why"].as_str().unwrap().to_owned());
    }
    let expected: Vec<String> = (500..1_500).map(|number| number.to_string()).collect();
    assert_eq!(seen, expected);
    stage.world.happens("now");
    assert_eq!(raw.hears().await["event"]["why"], "now");
}

#[tokio::test]
async fn a_remote_client_shows_what_the_one_in_process_shows() {
    let stage = Stage::open();
    let remote = Remote::new(stage.connect().await).await.unwrap();
    assert_eq!(remote.views(), [view("a1"), view("a2")]);
    assert_eq!(
        (remote.health(), remote.known_panes()),
        (health(), vec!["work:terminal_3".into()])
    );
    let (mut changes, mut events, mut notices) =
        (remote.changes(), remote.events(), remote.notices());
    stage.world.change(|views| {
        views.remove(0);
        views.insert(0, view("a3"));
        views.push(view("a0"));
    });
    timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    let ids = |remote: &Remote| -> Vec<String> {
        remote
            .views()
            .iter()
            .map(|view| view.id.to_string())
            .collect()
    };
    assert_eq!(ids(&remote), ["a3", "a2", "a0"]);
    stage.world.change(|views| views.reverse());
    timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    assert_eq!(ids(&remote), ["a0", "a2", "a3"]);
    stage.world.happens("now");
    let event = timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
    assert_eq!(event.what, Happening::Roster { why: "now".into() });
    let notice = Notice {
        ts: Utc::now(),
        agent: None,
        urgency: Urgency::Person,
        text: "look".into(),
    };
    stage.world.notices.send(notice.clone()).unwrap();
    assert_eq!(
        timeout(PATIENCE, notices.recv()).await.unwrap().unwrap(),
        notice
    );
}

#[tokio::test]
async fn missions_are_pushed_whole_when_one_has_changed_and_only_those() {
    let stage = Stage::open();
    let remote = Remote::new(stage.connect().await).await.unwrap();
    assert_eq!(remote.missions(), [mission("notes"), mission("site")]);
    let mut raw = stage.raw().await;
    raw.says(&json!({"v":1,"id":1,"subscribe":["missions"]}))
        .await;
    let first = raw.hears().await;
    assert_eq!(first["missions"]["changed"][1]["id"], "site");
    assert_eq!(raw.hears().await["subscribed"], json!(["missions"]));
    // an agent's change tells nothing of missions
    stage.world.change(|views| views.push(view("a3")));
    stage.world.change_missions(|missions| {
        let mut next = MissionView::clone(&missions[1]);
        next.tasks[0].doing = "its worker is at it".into();
        missions[1] = Arc::new(next);
        missions.push(mission("a-third"));
    });
    let said = raw.hears().await;
    let changed = said["missions"]["changed"].as_array().unwrap();
    assert_eq!(changed.len(), 2, "{said}");
    assert_eq!(changed[0]["tasks"][0]["doing"], "its worker is at it");
    assert_eq!(said["missions"]["gone"], Value::Null);
    stage
        .world
        .change_missions(|missions| missions.retain(|one| one.id.as_str() != "notes"));
    assert_eq!(raw.hears().await["missions"]["gone"], json!(["notes"]));
    let names = || -> Vec<String> {
        let missions = remote.missions();
        missions.iter().map(|one| one.id.to_string()).collect()
    };
    until("the mirror", || names() == ["a-third", "site"]).await;
    assert_eq!(remote.missions()[1].tasks[0].doing, "its worker is at it");
}

#[tokio::test]
async fn a_mission_of_a_thousand_tasks_that_changes_without_end_is_folded_and_arrives() {
    let stage = Stage::open();
    let tasks: Vec<String> = (0..1_000).map(|number| format!("task-{number}")).collect();
    let tasks: Vec<(&str, &[&str])> = tasks.iter().map(|slug| (slug.as_str(), &[][..])).collect();
    let large = MissionView::made_up("large", &tasks);
    let whole = line(&Message::push(Said::Missions(super::protocol::Missions {
        changed: vec![Arc::new(large.clone())],
        gone: Vec::new(),
    })));
    assert!(
        whole.len() < super::protocol::LONGEST_ANSWER / 16,
        "{}",
        whole.len()
    );
    let remote = Remote::new(stage.connect().await).await.unwrap();
    let mut raw = stage.raw().await;
    raw.says(&json!({"v":1,"id":1,"subscribe":["missions"]}))
        .await;
    for number in 0..300_u64 {
        let mut next = large.clone();
        next.tasks[999].costs.tokens = Some(number);
        let next = Arc::new(next);
        stage
            .world
            .change_missions(|missions| *missions = vec![next]);
        tokio::task::yield_now().await;
    }
    let seen = || {
        remote
            .missions()
            .first()
            .and_then(|one| one.tasks[999].costs.tokens)
    };
    until("the last of it", || seen() == Some(299)).await;
    let mut pushes = 0;
    loop {
        let said = raw.hears().await;
        pushes += u32::from(said["missions"].is_object());
        if said["missions"]["changed"][0]["tasks"][999]["tokens"] == 299 {
            break;
        }
    }
    assert!(pushes < 150, "{pushes}");
}

#[tokio::test]
async fn an_instance_that_knows_no_missions_is_attached_to_all_the_same() {
    let stage = Stage::open();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("old.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let newer = stage.path.clone();
    // what stands between says what an older one would
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = UnixStream::connect(newer).await.unwrap();
        let (mut to_client, mut to_server) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            tokio::select! {
                read = server.read(&mut to_client) => {
                    client.write_all(&to_client[..read.unwrap()]).await.unwrap();
                }
                read = client.read(&mut to_server) => {
                    let text = String::from_utf8(to_server[..read.unwrap()].to_vec()).unwrap();
                    let text = text.replace("[\"missions\"]", "[\"nonsense\"]");
                    server.write_all(text.as_bytes()).await.unwrap();
                }
            }
        }
    });
    let remote = Remote::new(Connection::open(&path).await.unwrap())
        .await
        .unwrap();
    assert_eq!(remote.missions(), []);
    assert_eq!(remote.views(), [view("a1"), view("a2")]);
}

#[tokio::test]
async fn a_remote_terminal_rings_for_what_the_supervisor_rang_for() {
    let stage = Stage::open();
    let remote = Remote::new(stage.connect().await).await.unwrap();
    let mut rings = remote.rings();
    stage.world.happens("no ring");
    let what = Happening::Ring {
        title: "a1 waits for you".into(),
        body: "a1: which one?".into(),
    };
    let rung = Event::new(Utc::now(), None, what.clone());
    stage.world.events.send(rung).unwrap();
    let heard = timeout(PATIENCE, rings.recv()).await.unwrap().unwrap();
    assert_eq!(
        what,
        Happening::Ring {
            title: heard.title,
            body: heard.body
        }
    );
    assert!(rings.is_empty());
}

#[tokio::test]
async fn that_somebody_looks_goes_over_the_wire_when_it_changes() {
    let stage = Stage::open();
    let remote = Remote::new(stage.connect().await).await.unwrap();
    let looks = || stage.world.looks.lock().unwrap().clone();
    remote.attended(false);
    remote.attended(true);
    until("a look", || looks() == [true]).await;
    remote.attended(true);
    remote.attended(false);
    until("its end", || looks() == [true, false]).await;
    // and commands are answered as ever
    assert!(matches!(
        remote.send(Command::List).await,
        Ok(Reply::Agents(_))
    ));
    let mut raw = stage.raw().await;
    raw.says(&json!({"v":1,"id":4,"attended":true})).await;
    assert_eq!(raw.hears().await, json!({"v":1,"id":4,"attended":true}));
}

#[tokio::test]
async fn leaving_ends_nothing_and_the_end_is_told_to_all() {
    let stage = Stage::open();
    let one = Remote::new(stage.connect().await).await.unwrap();
    let other = Remote::new(stage.connect().await).await.unwrap();
    let left = one.send(Command::Quit).await.unwrap();
    assert!(matches!(left, Reply::Bye(text) if text.contains("ctl quit")));
    drop(one);
    assert!(!other.ended().is_cancelled() && !stage.world.ended.is_cancelled());
    assert!(matches!(
        other.send(Command::List).await,
        Ok(Reply::Agents(_))
    ));
    let waiting = other.send(command("/reply a1 go on"));
    let ended = other.ended();
    let mut last = stage.connect().await;
    let end = async {
        // its answer comes although the end has begun
        let bye = last.ask(Command::Quit).await;
        ended.cancelled().await;
        bye
    };
    let (waited, bye) = timeout(PATIENCE, async { tokio::join!(waiting, end) })
        .await
        .unwrap();
    assert_eq!(bye, Ok(Reply::Bye("stopped".into())));
    assert_eq!(waited.unwrap_err().kind, Kind::Missing);
    assert_eq!(
        other.send(Command::List).await.unwrap_err().kind,
        Kind::Missing
    );
    timeout(PATIENCE, stage.server.closed()).await.unwrap();
    assert!(!stage.path.exists());
}

#[tokio::test]
async fn what_speaks_another_language_is_no_instance() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    for (says, expected) in [
        ("SSH-2.0-OpenSSH\n".to_owned(), "says something else"),
        (
            r#"{"v":2,"hello":{}}"#.to_owned() + "\n",
            "says something else",
        ),
        (
            String::from_utf8(vec![b'['; 200]).unwrap() + "\n",
            "says something else",
        ),
    ] {
        let path = path.clone();
        let opening = tokio::spawn(async move { Connection::open(&path).await });
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(says.as_bytes()).await.unwrap();
        drop(stream);
        match opening.await.unwrap() {
            Err(NoConnection::Unfit(failure)) => {
                assert!(failure.to_string().contains(expected), "{failure}");
            }
            other => panic!("{says}: {other:?}"),
        }
    }
}

fn worker() -> WorkerView {
    let mut view = MissionView::clone(&mission("notes"));
    view.tasks[0].agent = Some("notes.parser".parse().unwrap());
    view.tasks[0].started_at = Some(chrono::DateTime::UNIX_EPOCH);
    let now = chrono::DateTime::UNIX_EPOCH + Duration::from_secs(90);
    view.workers(now).remove(0)
}

#[test]
fn a_worker_is_written_as_scripts_read_it() {
    assert_eq!(
        serde_json::to_value(Reply::Workers(vec![worker()])).unwrap(),
        json!({"workers": [{
            "id": "notes.parser", "mission": "notes", "task": "parser",
            "title": "What parser is about", "role": "coder", "stage": "waiting",
            "state": null, "timeSec": 90, "tokens": null, "cacheReadTokens": null,
            "toolUses": null, "watchTokens": null, "pane": null,
        }]})
    );
    let none = serde_json::to_value(Reply::Missions(Vec::new())).unwrap();
    assert_eq!(none, json!({"missions": []}));
}

#[test]
fn every_kind_of_reply_reads_back_as_it_was() {
    let pane = PaneRow {
        pane: "work:terminal_1".into(),
        title: "t\u{1b}[2J\u{202e}".into(),
        command: "claude".into(),
        folder: "/a".into(),
        whose: String::new(),
    };
    let shot = PaneShot {
        id: "a1".parse().unwrap(),
        at: "2026-11-03T14:00:00Z".parse().unwrap(),
        columns: 80,
        rows: 24,
        styled: "\u{1b}[31mred\u{9b}0m".into(),
    };
    let id = || "a1".parse().unwrap();
    for reply in [
        Reply::Done("done".into()),
        Reply::Agents(vec![view("a1")]),
        Reply::Panes(vec![pane]),
        Reply::Memos {
            id: id(),
            memos: Vec::new(),
            skipped: 3,
        },
        Reply::Screen(Box::new(shot)),
        Reply::Decision {
            id: id(),
            steps: Vec::new(),
        },
        Reply::Reviews {
            id: id(),
            reviews: Vec::new(),
        },
        Reply::Missions(vec![mission("notes")]),
        Reply::Workers(vec![worker()]),
        Reply::Text("a\nb".into()),
        Reply::Confirm("sure?".into()),
        Reply::Bye(String::new()),
    ] {
        let message = Message::result(Some(7), Ok(reply));
        let text = line(&message);
        assert_eq!(
            text.iter().filter(|byte| byte.is_ascii_control()).count(),
            1
        );
        let read: Message = serde_json::from_slice(&text).unwrap();
        assert_eq!(read, message);
    }
}

#[test]
fn every_kind_of_failure_reads_back_as_it_was() {
    for kind in [
        Kind::Failed,
        Kind::Usage,
        Kind::Missing,
        Kind::NotDelivered,
        Kind::TimedOut,
        Kind::Bug,
    ] {
        let failure = Failure::new(kind, "m").because_text("c").hint("h");
        let written = serde_json::to_string(&Failed::from(failure.clone())).unwrap();
        let read: Failed = serde_json::from_str(&written).unwrap();
        assert_eq!(read.exit_code, kind.code());
        assert_eq!(Failure::from(read), failure);
    }
}

#[test]
fn every_command_of_the_table_goes_over_the_wire() {
    for entry in crate::command::table::TABLE {
        for example in entry.examples {
            let command = parse(example).unwrap().unwrap();
            let text = line(&Request::command(3, command.clone()));
            assert_eq!(
                Request::read(&text),
                Ok((3, Wish::Command(command))),
                "{example}"
            );
        }
    }
    let all = [
        Topic::Views,
        Topic::Events,
        Topic::Recent,
        Topic::Known,
        Topic::Missions,
    ];
    let text = line(&Request::subscribe(4, &all));
    assert_eq!(Request::read(&text), Ok((4, Wish::Subscribe(all.to_vec()))));
    assert!(matches!(Request::read(b"{"), Err(Wrong::NoJson(_))));
}

#[test]
fn every_kind_of_event_reads_back_as_it_was() {
    let id = || "d-1".to_owned();
    let nudge = |receipt| Happening::Nudge {
        id: id(),
        origin: Origin::Person,
        text: "go\u{202e} on".into(),
        receipt,
    };
    let verdict = Verdict {
        action: Action::Instruct,
        text: "go on".into(),
        reasoning: "r".into(),
        quote: None,
    };
    let question = Question {
        text: "which?".into(),
        since: "2026-11-03T14:00:00Z".parse().unwrap(),
        insists: false,
        left_over: None,
    };
    for what in [
        Happening::Status {
            status: "running".into(),
            state: None,
            was: "starting".into(),
        },
        Happening::Asked {
            id: id(),
            backend: "b".into(),
        },
        Happening::Verdict {
            id: id(),
            by: None,
            verdict: Some(verdict),
            problem: None,
            tokens: 7,
        },
        nudge(Receipt::Delivered(Delivery::default())),
        nudge(Receipt::Refused { why: "w".into() }),
        nudge(Receipt::Unproven {
            why: "w".into(),
            left_over: true,
        }),
        nudge(Receipt::Observed),
        Happening::Question { question },
        Happening::QuestionClosed { waited_sec: 3 },
        Happening::Notice {
            urgency: "info".into(),
            text: "t".into(),
        },
        Happening::Ring {
            title: "t".into(),
            body: "b".into(),
        },
        Happening::Roster {
            why: "added".into(),
        },
        Happening::Lost { count: 3 },
    ] {
        let ts = "2026-11-03T14:00:00.123Z".parse().unwrap();
        let event = Event::new(ts, "a1".parse().ok(), what);
        let message = Message::push(Said::Event(event));
        let text = line(&message);
        let read: Message = serde_json::from_slice(&text).unwrap();
        assert_eq!(read, message);
    }
}

#[test]
fn nothing_waits_longer_for_a_client_than_is_said() {
    assert!(connection::PATIENCE <= Duration::from_mins(1));
}
