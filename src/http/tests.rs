//! The rules about repeating, pausing and leaving alone, on a wire of our own and a clock that we turn.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::{advance, sleep};

use super::wire::{Exchange, Incoming};
use super::*;

/// What the wire does with one request.
#[derive(Clone)]
enum Act {
    Answer(u16),
    AnswerWith(u16, &'static str, Option<u64>),
    Refuse,
    Hang,
    Take(Duration),
}

#[derive(Default)]
struct Script {
    acts: Mutex<HashMap<String, VecDeque<Act>>>,
    sent: Mutex<Vec<(Instant, String)>>,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

/// A wire that does what the script says for each server, and answers 200 when the script has run out.
struct Scripted(Arc<Script>);

struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Wire for Scripted {
    fn exchange<'a>(&'a self, outgoing: Outgoing<'a>) -> Exchange<'a> {
        Box::pin(async move {
            let server = outgoing.to.server().to_owned();
            self.0
                .sent
                .lock()
                .unwrap()
                .push((Instant::now(), server.clone()));
            let count = self.0.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            let _under_way = UnderWay(&self.0.under_way);
            self.0.most_under_way.fetch_max(count, Ordering::SeqCst);
            let act = {
                let mut acts = self.0.acts.lock().unwrap();
                acts.get_mut(&server).and_then(VecDeque::pop_front)
            };
            let incoming = |status, body: &str, retry_after: Option<u64>| {
                Ok(Incoming {
                    status,
                    retry_after: retry_after.map(Duration::from_secs),
                    body: body.as_bytes().to_vec(),
                })
            };
            match act.unwrap_or(Act::Answer(200)) {
                Act::Answer(status) => incoming(status, "", None),
                Act::AnswerWith(status, body, retry_after) => incoming(status, body, retry_after),
                Act::Refuse => Err(HttpError::Unreachable {
                    server,
                    why: "connection refused".into(),
                }),
                Act::Hang => std::future::pending().await,
                Act::Take(time) => {
                    sleep(time).await;
                    incoming(200, "", None)
                }
            }
        })
    }
}

struct World {
    script: Arc<Script>,
    http: Http,
}

const A: &str = "http://a.example";
const B: &str = "http://b.example";
const MINUTE: Duration = Duration::from_mins(1);

impl World {
    fn new() -> Self {
        let script = Arc::new(Script::default());
        let http = Http::over(Box::new(Scripted(Arc::clone(&script))), 2);
        Self { script, http }
    }

    fn will(self, server: &str, acts: &[Act]) -> Self {
        let mut script = self.script.acts.lock().unwrap();
        script
            .entry(server.to_owned())
            .or_default()
            .extend(acts.iter().cloned());
        drop(script);
        self
    }

    async fn ask_within(&self, server: &str, deadline: Duration) -> Result<u16, HttpError> {
        let request = Request::new(Endpoint::parse(server).unwrap(), deadline);
        let reply = self
            .http
            .post_json(&request, &serde_json::json!({}))
            .await?;
        Ok(reply.status)
    }

    async fn ask(&self, server: &str) -> Result<u16, HttpError> {
        self.ask_within(server, MINUTE).await
    }

    /// How many requests went out to `server`.
    fn sent(&self, server: &str) -> usize {
        let sent = self.script.sent.lock().unwrap();
        sent.iter().filter(|(_, to)| to == server).count()
    }

    /// The pauses between requests to `server`.
    fn pauses(&self, server: &str) -> Vec<Duration> {
        let sent = self.script.sent.lock().unwrap();
        let times: Vec<Instant> = sent
            .iter()
            .filter(|(_, to)| to == server)
            .map(|(time, _)| *time)
            .collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// Lets `server` fail until its breaker opens.
    async fn break_down(self, server: &str) -> Self {
        let world = self.will(server, &vec![Act::Answer(500); 9]);
        for _ in 0..3 {
            world.ask(server).await.unwrap_err();
        }
        assert_eq!(world.sent(server), 9);
        world
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_go_better_is_tried_again_and_nothing_else_is() {
    let cases = [
        (vec![Act::Refuse, Act::Answer(200)], 2, Ok(200)),
        (
            vec![Act::Answer(500), Act::Answer(503), Act::Answer(200)],
            3,
            Ok(200),
        ),
        (
            vec![Act::Answer(529), Act::Answer(408), Act::Answer(502)],
            3,
            Err(502),
        ),
        (
            vec![Act::Answer(429), Act::Answer(504), Act::Answer(204)],
            3,
            Ok(204),
        ),
        (vec![Act::Answer(400)], 1, Err(400)),
        (vec![Act::Answer(401)], 1, Err(401)),
        (vec![Act::Answer(404)], 1, Err(404)),
        (vec![Act::Answer(422)], 1, Err(422)),
        (vec![Act::Answer(307)], 1, Err(307)),
        (vec![Act::Answer(501)], 1, Err(501)),
    ];
    for (acts, requests, expected) in cases {
        let world = World::new().will(A, &acts);
        let result = world.ask(A).await.map_err(|error| match error {
            HttpError::Status { code, .. } => code,
            other => panic!("{other}"),
        });
        assert_eq!((result, world.sent(A)), (expected, requests));
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_between_tries_grow() {
    let world = World::new().will(A, &vec![Act::Refuse; 3]);
    let error = world.ask(A).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no answer from http://a.example: connection refused"
    );
    let pauses = world.pauses(A);
    assert!(
        (RETRY_PAUSE..=2 * RETRY_PAUSE).contains(&pauses[0]),
        "{pauses:?}"
    );
    assert!(
        (2 * RETRY_PAUSE..=4 * RETRY_PAUSE).contains(&pauses[1]),
        "{pauses:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_deadline_covers_everything() {
    let begun = Instant::now();
    let world = World::new().will(A, &[Act::Answer(503), Act::Hang]);
    let error = world
        .ask_within(A, Duration::from_secs(7))
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::TimedOut { .. }), "{error}");
    assert_eq!(begun.elapsed().as_secs(), 7);
    // A retry that could not begin in time is not waited for, and the true reason is told.
    let world = World::new().will(A, &[Act::Refuse]);
    let begun = Instant::now();
    let error = world
        .ask_within(A, Duration::from_millis(100))
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::Unreachable { .. }), "{error}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_keeps_failing_is_left_alone_then_probed_once() {
    let world = World::new().break_down(A).await;
    let error = world.ask(A).await.unwrap_err();
    assert!(
        matches!(&error, HttpError::BreakerOpen { last, .. } if last.contains("500")),
        "{error}"
    );
    let wait = error.retry_after().unwrap();
    assert!((breaker::FIRST_WAIT..=2 * breaker::FIRST_WAIT).contains(&wait));
    assert_eq!(world.sent(A), 9, "nothing was sent while it is open");
    advance(wait).await;
    let world = world.will(A, &[Act::Take(MINUTE / 2)]);
    let (probe, other) = tokio::join!(world.ask(A), world.ask(A));
    assert_eq!(probe.unwrap(), 200);
    assert!(matches!(other.unwrap_err(), HttpError::BreakerOpen { .. }));
    assert_eq!(world.ask(A).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_sent_once_and_its_failure_lengthens_the_wait() {
    let world = World::new().break_down(A).await;
    let wait = world.ask(A).await.unwrap_err().retry_after().unwrap();
    advance(wait).await;
    let world = world.will(A, &[Act::Answer(500)]);
    world.ask(A).await.unwrap_err();
    assert_eq!(world.sent(A), 10);
    let longer = world.ask(A).await.unwrap_err().retry_after().unwrap();
    assert!((2 * breaker::FIRST_WAIT..=4 * breaker::FIRST_WAIT).contains(&longer));
}

#[tokio::test(start_paused = true)]
async fn silence_opens_the_breaker_and_a_wrong_request_does_not() {
    let world = World::new()
        .will(A, &vec![Act::Hang; 3])
        .will(B, &vec![Act::Answer(400); 20]);
    for _ in 0..3 {
        assert!(matches!(
            world.ask(A).await,
            Err(HttpError::TimedOut { .. })
        ));
    }
    assert!(matches!(
        world.ask(A).await,
        Err(HttpError::BreakerOpen { .. })
    ));
    for _ in 0..20 {
        assert!(matches!(
            world.ask(B).await,
            Err(HttpError::Status { code: 400, .. })
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_a_server_asks_for_is_kept_by_every_call_to_it() {
    let busy = Act::AnswerWith(429, "slow down", Some(20));
    let world = World::new().will(A, &[busy]);
    let begun = Instant::now();
    let (first, second) = tokio::join!(world.ask(A), async {
        sleep(Duration::from_secs(1)).await;
        world.ask(A).await
    });
    assert_eq!((first.unwrap(), second.unwrap()), (200, 200));
    assert_eq!(world.sent(A), 3);
    assert!(begun.elapsed() >= Duration::from_secs(20));
    assert!(
        world.pauses(A)[0] >= Duration::from_secs(20),
        "{:?}",
        world.pauses(A)
    );
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_the_deadline_fails_at_once_and_nothing_is_sent_meanwhile() {
    let world = World::new().will(A, &[Act::AnswerWith(429, "", Some(300))]);
    let begun = Instant::now();
    let error = world.ask(A).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(5 * MINUTE));
    for _ in 0..100 {
        let error = world.ask(A).await.unwrap_err();
        assert!(matches!(error, HttpError::AskedToWait { .. }), "{error}");
    }
    assert_eq!((world.sent(A), begun.elapsed()), (1, Duration::ZERO));
    assert_eq!(
        world.ask(B).await.unwrap(),
        200,
        "another server knows nothing of it"
    );
    advance(5 * MINUTE).await;
    assert_eq!(world.ask(A).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn an_absurd_pause_is_cut_to_ten_minutes() {
    let world = World::new().will(A, &[Act::AnswerWith(503, "", Some(u64::MAX))]);
    world.ask(A).await.unwrap_err();
    let wait = world.ask(A).await.unwrap_err().retry_after().unwrap();
    assert_eq!(wait, server::LONGEST_PAUSE);
}

#[tokio::test(start_paused = true)]
async fn a_pause_told_in_the_body_counts_where_no_header_tells_one() {
    let world = World::new().will(A, &[Act::AnswerWith(429, "9", None)]);
    let read = |body: &[u8]| {
        let seconds = std::str::from_utf8(body).ok()?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    };
    let request = Request::new(Endpoint::parse(A).unwrap(), MINUTE).pause_in_body(read);
    world.http.get(&request).await.unwrap();
    assert_eq!(world.pauses(A), [Duration::from_secs(9)]);
}

#[tokio::test(start_paused = true)]
async fn two_calls_at_once_to_one_server_and_the_third_waits_its_turn() {
    let second = Duration::from_secs(1);
    let world = World::new().will(A, &vec![Act::Take(second); 6]);
    let begun = Instant::now();
    let asked = || world.ask(A);
    let _ = tokio::join!(asked(), asked(), asked(), asked(), asked(), asked());
    assert_eq!(world.script.most_under_way.load(Ordering::SeqCst), 2);
    assert_eq!(begun.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_place_counts_and_says_nothing_against_the_server() {
    let world = World::new().will(A, &[Act::Take(MINUTE / 2), Act::Take(MINUTE / 2)]);
    let short = || world.ask_within(A, Duration::from_secs(1));
    let (first, second, ..) = tokio::join!(world.ask(A), world.ask(A), async {
        for _ in 0..5 {
            let error = short().await.unwrap_err();
            assert!(matches!(error, HttpError::Crowded { .. }), "{error}");
        }
    });
    assert_eq!((first.unwrap(), second.unwrap()), (200, 200));
    assert_eq!(world.ask(A).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn dropping_a_call_frees_its_place_at_once() {
    let world = World::new().will(A, &[Act::Hang, Act::Hang]);
    for _ in 0..2 {
        let stopped = tokio::time::timeout(Duration::from_millis(1), world.ask(A)).await;
        assert!(stopped.is_err());
    }
    assert_eq!(world.script.under_way.load(Ordering::SeqCst), 0);
    let begun = Instant::now();
    assert_eq!(world.ask(A).await.unwrap(), 200);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_leaves_the_server_to_the_next_call() {
    let world = World::new().break_down(A).await;
    let wait = world.ask(A).await.unwrap_err().retry_after().unwrap();
    advance(wait).await;
    let world = world.will(A, &[Act::Hang]);
    let stopped = tokio::time::timeout(Duration::from_millis(1), world.ask(A)).await;
    assert!(stopped.is_err());
    assert_eq!(world.ask(A).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_dead_server_slows_no_other() {
    let world = World::new().will(A, &vec![Act::Hang; 50]);
    let begun = Instant::now();
    let dead = || world.ask(A);
    let (.., alive) = tokio::join!(dead(), dead(), dead(), dead(), async {
        for _ in 0..10 {
            assert_eq!(world.ask(B).await.unwrap(), 200);
        }
        begun.elapsed()
    });
    assert_eq!(alive, Duration::ZERO);
}

#[test]
fn nothing_that_can_be_printed_shows_a_secret() {
    let to = Endpoint::parse("http://a.example/v1").unwrap();
    let request = Request::new(to, MINUTE).header("authorization", "Bearer SECRET".into());
    let reply = Reply::new(200, b"you sent SECRET".to_vec(), request.headers.clone());
    let shown = format!(
        "{request:?} {reply:?} {:?} {} {}",
        Http::new(2),
        reply.excerpt(),
        reply.line("SECRET")
    );
    assert!(
        shown.contains("authorization") && !shown.contains("SECRET"),
        "{shown}"
    );
}
