//! The wire against servers on this machine, most of them nasty.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A server that reads one request a connection and then does what `reply` does. Returns its address and what
/// it was sent.
async fn serve<F, R>(reply: F) -> (Endpoint, tokio::sync::mpsc::UnboundedReceiver<String>)
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, requests) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 64 * 1024];
            let length = stream.read(&mut head).await.unwrap_or_default();
            let _ = seen.send(String::from_utf8_lossy(&head[..length]).into_owned());
            tokio::spawn(reply(stream));
        }
    });
    let to = Endpoint::parse(&format!("http://{address}/v1")).unwrap();
    (to, requests)
}

async fn say(mut stream: TcpStream, text: &[u8]) -> TcpStream {
    let _ = stream.write_all(text).await;
    stream
}

fn get(to: &Endpoint) -> Outgoing<'_> {
    Outgoing {
        to,
        headers: &[],
        body: None,
    }
}

#[tokio::test]
async fn a_post_carries_json_and_its_secret_in_a_header_alone() {
    let (to, mut requests) = serve(|stream| async {
        say(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    })
    .await;
    let headers = [Header {
        name: "x-goog-api-key".into(),
        value: "SECRET".into(),
    }];
    let outgoing = Outgoing {
        to: &to,
        headers: &headers,
        body: Some(b"{\"a\":1}"),
    };
    let incoming = Internet::default().exchange(outgoing).await.unwrap();
    assert_eq!((incoming.status, &incoming.body[..]), (200, &b"ok"[..]));
    let sent = requests.recv().await.unwrap();
    assert!(sent.starts_with("POST /v1 HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("content-type: application/json"), "{sent}");
    assert!(sent.contains("user-agent: meta-orchestrator/"), "{sent}");
    assert_eq!(sent.matches("SECRET").count(), 1);
    assert!(sent.contains("x-goog-api-key: SECRET\r\n"), "{sent}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (to, mut requests) = serve(|stream| async {
        let found = b"HTTP/1.1 307 Go\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
        say(stream, found).await;
    })
    .await;
    let incoming = Internet::default().exchange(get(&to)).await.unwrap();
    assert_eq!(incoming.status, 307);
    assert!(requests.recv().await.is_some());
    assert!(requests.try_recv().is_err());
}

#[tokio::test]
async fn a_hundred_megabytes_are_refused_announced_or_not() {
    const MANY: usize = 100 << 20;
    for head in [
        format!("HTTP/1.1 200 OK\r\ncontent-length: {MANY}\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned(),
    ] {
        let (written, mut counted) = tokio::sync::mpsc::unbounded_channel();
        let (to, _requests) = serve(move |mut stream| {
            let (head, written) = (head.clone(), written.clone());
            async move {
                let (mut bytes, chunk) = (0, vec![b'x'; 65536]);
                if stream.write_all(head.as_bytes()).await.is_ok() {
                    while bytes < MANY && stream.write_all(&chunk).await.is_ok() {
                        bytes += chunk.len();
                    }
                }
                let _ = written.send(bytes);
            }
        })
        .await;
        let error = Internet::default().exchange(get(&to)).await.unwrap_err();
        let limit = BODY_LIMIT;
        assert!(
            matches!(error, HttpError::TooLarge { limit: l, .. } if l == limit),
            "{error}"
        );
        // What was written beyond the limit is what the system's own buffers took.
        assert!(counted.recv().await.unwrap() < MANY / 4);
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let (to, _requests) = serve(|stream| async {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {BODY_LIMIT}\r\n\r\n");
        let stream = say(stream, head.as_bytes()).await;
        say(stream, &vec![b'x'; BODY_LIMIT]).await;
    })
    .await;
    let incoming = Internet::default().exchange(get(&to)).await.unwrap();
    assert_eq!(incoming.body.len(), BODY_LIMIT);
}

#[tokio::test]
async fn silence_and_a_dripping_body_cost_the_deadline_and_no_more() {
    let silent = serve(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let dripping = serve(|stream| async move {
        let mut stream = say(stream, b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let dripping_head = serve(|stream| async move {
        let mut stream = say(stream, b"HTTP/1.1 200 OK\r\nx-a: ").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    for (to, _requests) in [silent, dripping, dripping_head] {
        let http = super::super::Http::new(1);
        let deadline = Duration::from_millis(300);
        let begun = Instant::now();
        let error = http
            .get(&super::super::Request::new(to, deadline))
            .await
            .unwrap_err();
        assert!(matches!(error, HttpError::TimedOut { after, .. } if after == deadline));
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn what_breaks_before_an_answer_and_what_breaks_within_it_are_told_apart() {
    let closing = serve(|stream| async move { drop(stream) }).await.0;
    let garbage = serve(|stream| async {
        say(stream, b"SSH-2.0-OpenSSH_9.9\r\n\r\n").await;
    })
    .await
    .0;
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Endpoint::parse(&format!("http://{address}")).unwrap()
    };
    for to in [closing, garbage, nobody] {
        let error = Internet::default().exchange(get(&to)).await.unwrap_err();
        assert!(matches!(error, HttpError::Unreachable { .. }), "{error}");
    }
    let (to, _requests) = serve(|stream| async {
        say(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await;
    })
    .await;
    let error = Internet::default().exchange(get(&to)).await.unwrap_err();
    assert!(matches!(error, HttpError::BrokenOff { .. }), "{error}");
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_named_without_its_value() {
    let to = Endpoint::parse("http://127.0.0.1:9").unwrap();
    let headers = [Header {
        name: "authorization".into(),
        value: "Bearer SEC\nRET".into(),
    }];
    let outgoing = Outgoing {
        to: &to,
        headers: &headers,
        body: None,
    };
    let error = Internet::default().exchange(outgoing).await.unwrap_err();
    let name = "authorization".to_owned();
    assert_eq!(error, HttpError::BadHeader { name });
}

#[test]
fn retry_after_is_read_as_seconds_and_as_a_date() {
    let now = "2026-11-03T10:00:00Z".parse().unwrap();
    let seconds =
        |wait: &str, date: Option<&str>| retry_after(wait, date, now).map(|wait| wait.as_secs());
    let date = "Tue, 03 Nov 2026 10:00:30 GMT";
    assert_eq!(seconds("7", None), Some(7));
    assert_eq!(seconds(" 0 ", None), Some(0));
    assert_eq!(seconds(date, None), Some(30));
    assert_eq!(
        seconds(date, Some("Tue, 03 Nov 2026 10:00:20 GMT")),
        Some(10)
    );
    assert_eq!(seconds(date, Some("yesterday")), Some(30));
    assert_eq!(seconds("Mon, 02 Nov 2026 10:00:30 GMT", None), Some(0));
    for nonsense in ["", "-1", "soon", "1e9", "Tue, 99 Nov 2026 10:00:30 GMT"] {
        assert_eq!(seconds(nonsense, None), None, "{nonsense}");
    }
    assert_eq!(seconds("18446744073709551615", None), Some(u64::MAX));
}

proptest::proptest! {
    #[test]
    fn any_retry_after_is_read_without_panic(wait: String, date: Option<String>) {
        let _ = retry_after(&wait, date.as_deref(), Utc::now());
    }
}
