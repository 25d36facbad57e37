//! The REPL without a terminal: lines from a pipe, one after the other.
//!
//! Reading and writing block, so each has a plain thread behind a bounded channel: a writer that stalls or
//! a reader that has gone away holds nothing up when the supervisor ends.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Heard, frame, quit, words};
use crate::command::line::parse;
use crate::command::reply::{self, render};
use crate::command::{Client, Command, Reply};
use crate::error::{Failure, Kind};
use crate::ui::cannot_write;

/// The longest line that is read, in bytes.
const LONGEST_LINE: usize = 64 * 1024;
/// How long the last answers may take to be written.
const FLUSH_DEADLINE: Duration = Duration::from_millis(500);

/// Where lines come from and answers go.
pub(super) struct Streams<I, O, E> {
    pub input: I,
    pub out: O,
    pub err: E,
}

/// One line of input.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Text(String),
    TooLong,
    NotUtf8,
    Unreadable(String),
}

impl Line {
    fn command(self) -> Result<Option<Command>, Failure> {
        match self {
            Self::Text(text) => parse(&text),
            Self::TooLong => Err(Failure::usage(format!(
                "a line of more than {LONGEST_LINE} bytes was left out"
            ))),
            Self::NotUtf8 => Err(Failure::usage("a line that is no UTF-8 was left out")),
            Self::Unreadable(why) => {
                Err(Failure::new(Kind::Failed, "could not read stdin").because_text(why))
            }
        }
    }
}

/// Reads one line; `None` at the end of input. A line that is too long is read to its end and dropped.
fn read_line(input: &mut impl BufRead) -> Option<Line> {
    let mut line = Vec::new();
    let mut too_long = false;
    let mut any = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Some(Line::Unreadable(error.to_string())),
        };
        if chunk.is_empty() {
            break;
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(chunk.len());
        too_long |= line.len() + taken > LONGEST_LINE;
        if !too_long {
            line.extend_from_slice(&chunk[..taken]);
        }
        input.consume(end.map_or(taken, |end| end + 1));
        if end.is_some() {
            break;
        }
    }
    any.then(|| match String::from_utf8(line) {
        _ if too_long => Line::TooLong,
        Ok(text) => Line::Text(text),
        Err(_) => Line::NotUtf8,
    })
}

fn reading(input: impl Read + Send + 'static) -> io::Result<mpsc::Receiver<Line>> {
    let (lines, read) = mpsc::channel(16);
    thread::Builder::new().name("stdin".into()).spawn(move || {
        let mut input = BufReader::new(input);
        while let Some(line) = read_line(&mut input) {
            let broken = matches!(line, Line::Unreadable(_));
            if lines.blocking_send(line).is_err() || broken {
                break;
            }
        }
    })?;
    Ok(read)
}

enum Words {
    Answer(String),
    Aside(String),
}

/// Writes answers to `out` and everything else to `err`, in order.
struct Pen {
    words: mpsc::Sender<Words>,
    done: oneshot::Receiver<io::Result<()>>,
}

impl Pen {
    fn new(
        mut out: impl Write + Send + 'static,
        mut err: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        let (words, mut said) = mpsc::channel(64);
        let (finished, done) = oneshot::channel();
        let mut write = move || {
            while let Some(words) = said.blocking_recv() {
                match words {
                    Words::Answer(text) => {
                        out.write_all(text.as_bytes())?;
                        out.flush()?;
                    }
                    // without a stderr nobody wants to know
                    Words::Aside(text) => {
                        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
                    }
                }
            }
            Ok(())
        };
        thread::Builder::new()
            .name("stdout".into())
            .spawn(move || {
                let _ = finished.send(write());
            })?;
        Ok(Self { words, done })
    }

    /// Waits for room, but not once the supervisor has ended.
    async fn say(&self, words: Words, ended: &CancellationToken) {
        match self.words.try_send(words) {
            Err(mpsc::error::TrySendError::Full(words)) => {
                tokio::select! {
                    biased;
                    _ = self.words.send(words) => {}
                    () = ended.cancelled() => {}
                }
            }
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }

    async fn finish(self) -> Result<(), Failure> {
        drop(self.words);
        match timeout(FLUSH_DEADLINE, self.done).await {
            Ok(Ok(Err(error))) if error.kind() != ErrorKind::BrokenPipe => {
                Err(cannot_write(&error))
            }
            _ => Ok(()),
        }
    }
}

struct Session<'a> {
    client: &'a dyn Client,
    ended: &'a CancellationToken,
    pen: Pen,
    heard: Heard,
    code: u8,
}

/// Whether there is more to do.
enum Next {
    More,
    Leave,
}

pub(super) async fn run<I, O, E>(
    client: Arc<dyn Client>,
    streams: Streams<I, O, E>,
    greeting: String,
    ended: &CancellationToken,
) -> Result<u8, Failure>
where
    I: Read + Send + 'static,
    O: Write + Send + 'static,
    E: Write + Send + 'static,
{
    let no_thread =
        |error: io::Error| Failure::new(Kind::Failed, "could not start a thread").because(&error);
    let mut session = Session {
        client: client.as_ref(),
        ended,
        heard: Heard::of(client.as_ref()),
        pen: Pen::new(streams.out, streams.err).map_err(no_thread)?,
        code: 0,
    };
    if !greeting.is_empty() {
        let words = Words::Aside(format!("{}\n", greeting.trim_end()));
        session.pen.say(words, ended).await;
    }
    let mut lines = reading(streams.input).map_err(no_thread)?;
    while let Next::More = session.step(&mut lines).await {}
    for said in session.heard.rest() {
        let words = Words::Aside(words(&said, usize::MAX));
        session.pen.say(words, ended).await;
    }
    session.pen.finish().await?;
    Ok(session.code)
}

impl Session<'_> {
    async fn step(&mut self, lines: &mut mpsc::Receiver<Line>) -> Next {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => Next::Leave,
            () = self.pen.words.closed() => self.leave().await,
            said = self.heard.next() => {
                let words = Words::Aside(words(&said, usize::MAX));
                self.pen.say(words, self.ended).await;
                Next::More
            }
            line = lines.recv() => match line.map(Line::command) {
                None => self.leave().await,
                Some(Ok(None)) => Next::More,
                Some(Ok(Some(Command::Quit))) => match quit(self.client, self.ended).await {
                    Ok(reply) => {
                        self.tell(Ok(reply)).await;
                        Next::Leave
                    }
                    Err(failure) => {
                        self.tell(Err(failure)).await;
                        Next::More
                    }
                },
                Some(Ok(Some(command))) => self.carry_out(command).await,
                Some(Err(failure)) => {
                    self.tell(Err(failure)).await;
                    Next::More
                }
            },
        }
    }

    /// The end of input: there is nothing left to try when this fails.
    async fn leave(&mut self) -> Next {
        let answer = quit(self.client, self.ended).await;
        self.tell(answer).await;
        Next::Leave
    }

    async fn carry_out(&mut self, command: Command) -> Next {
        let client = self.client;
        let mut answer = client.send(command);
        loop {
            tokio::select! {
                biased;
                () = self.ended.cancelled() => return Next::Leave,
                () = self.pen.words.closed() => break,
                said = self.heard.next() => {
                    let words = Words::Aside(words(&said, usize::MAX));
                    self.pen.say(words, self.ended).await;
                }
                answer = &mut answer => {
                    self.tell(answer).await;
                    return Next::More;
                }
            }
        }
        drop(answer);
        self.leave().await
    }

    async fn tell(&mut self, answer: Result<Reply, Failure>) {
        let words = match answer {
            Ok(reply) => Words::Answer(render(&reply, &frame(usize::MAX))),
            Err(failure) => {
                self.code = failure.kind.code();
                Words::Aside(reply::failure(&failure))
            }
        };
        self.pen.say(words, self.ended).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Instant;

    use super::super::fake::Fake;
    use super::*;

    /// Somewhere to write to that can be read afterwards.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Paper {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Came {
        code: Result<u8, Failure>,
        out: String,
        err: String,
        fake: Arc<Fake>,
    }

    async fn piped(input: &[u8]) -> Came {
        let (fake, ended) = Fake::new();
        let (out, err) = (Paper::default(), Paper::default());
        let streams = Streams {
            input: io::Cursor::new(input.to_vec()),
            out: out.clone(),
            err: err.clone(),
        };
        let client: Arc<dyn Client> = fake.clone();
        let code = run(client, streams, String::new(), &ended).await;
        Came {
            code,
            out: out.text(),
            err: err.text(),
            fake,
        }
    }

    #[tokio::test]
    async fn answers_come_on_stdout_in_order_and_the_end_of_input_quits() {
        let came = piped(b"# first the slow one\n/stop slow\n\n/stop a1\n/list").await;
        assert_eq!(
            came.out,
            "slow is stopped\na1 is stopped\nno agents yet: /panes shows what there is, \
             /add ID PANE GOAL... supervises one\nstopped everything\n"
        );
        assert_eq!((came.err.as_str(), came.code), ("", Ok(0)));
        assert_eq!(came.fake.sent().last(), Some(&Command::Quit));
    }

    #[tokio::test]
    async fn failures_come_on_stderr_and_the_last_one_is_the_exit_code() {
        let came = piped(b"/lsit\n/stop none\n/stop a1\n").await;
        assert_eq!(came.out, "a1 is stopped\nstopped everything\n");
        assert_eq!(
            came.err,
            "error: there is no command `/lsit`\n  hint: did you mean `/list`? `/help` lists them all\n\
             error: there is no agent `none`\n  hint: /list shows them\n"
        );
        assert_eq!(came.code, Ok(3));
    }

    #[tokio::test]
    async fn words_that_are_no_command_reach_nobody() {
        let came = piped(b"yes\nrm -rf /\n$(reboot)\n").await;
        assert_eq!(came.fake.sent(), [Command::Quit]);
        assert_eq!(came.code, Ok(2));
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_and_endless_lines_are_told_and_passed_over() {
        let mut input = b"/stop \xff\n/stop a1\n/reply a1 ".to_vec();
        input.resize(input.len() + 10 * LONGEST_LINE, b'x');
        input.extend_from_slice(b"\n/stop a2\n");
        let came = piped(&input).await;
        assert_eq!(
            came.out,
            "a1 is stopped\na2 is stopped\nstopped everything\n"
        );
        assert_eq!(
            came.err,
            "error: a line that is no UTF-8 was left out\n\
             error: a line of more than 65536 bytes was left out\n"
        );
    }

    #[tokio::test]
    async fn what_the_supervisor_says_by_itself_is_on_stderr_without_escapes() {
        let came = piped(b"/start a1\n").await;
        assert_eq!(came.out, "a1 is started\nstopped everything\n");
        assert!(
            came.err.contains("] a1 needs you: Shall I␛[31m go on?\n"),
            "{}",
            came.err
        );
    }

    #[tokio::test]
    async fn a_question_waits_for_the_next_line() {
        let came = piped(b"/adopt\n/yes\n").await;
        assert!(
            came.out
                .starts_with("Adopt work:terminal_3?\n/yes does it; /no leaves it\n")
        );
        let yes = [
            Command::Adopt { pattern: None },
            Command::Yes,
            Command::Quit,
        ];
        assert_eq!(came.fake.sent(), yes);
    }

    #[tokio::test]
    async fn after_quit_nothing_more_is_read() {
        let came = piped(b"/quit\n/stop a1\n").await;
        assert_eq!(
            (came.out.as_str(), came.code),
            ("stopped everything\n", Ok(0))
        );
        assert_eq!(came.fake.sent(), [Command::Quit]);
    }

    /// Never gives anything, as a pipe that nobody writes to.
    struct Silent;

    impl Read for Silent {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            thread::sleep(Duration::from_mins(1));
            Ok(0)
        }
    }

    #[tokio::test]
    async fn an_end_of_the_supervisor_is_not_held_up_by_a_read() {
        let (fake, ended) = Fake::new();
        let (out, err) = (Paper::default(), Paper::default());
        let input = Silent;
        let streams = Streams {
            input,
            out,
            err: err.clone(),
        };
        let begun = Instant::now();
        fake.end_after(Duration::from_millis(50), "zellij is gone");
        let code = run(fake, streams, "hello".into(), &ended).await;
        assert!(begun.elapsed() < Duration::from_secs(1));
        assert_eq!(code, Ok(0));
        let said = err.text();
        assert!(
            said.starts_with("hello\n[") && said.contains("warning: zellij is gone"),
            "{said}"
        );
    }

    /// Fails at every write.
    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_reader_that_has_gone_ends_it_quietly_and_a_full_disk_does_not() {
        for (kind, quiet) in [
            (ErrorKind::BrokenPipe, true),
            (ErrorKind::StorageFull, false),
        ] {
            let (fake, ended) = Fake::new();
            let streams = Streams {
                input: io::Cursor::new(b"/stop a1\n".repeat(1000)),
                out: Broken(kind),
                err: Paper::default(),
            };
            let client: Arc<dyn Client> = fake.clone();
            let code = run(client, streams, String::new(), &ended).await;
            assert_eq!(code == Ok(0), quiet, "{code:?}");
            assert_eq!(fake.sent().last(), Some(&Command::Quit));
            assert!(fake.sent().len() < 1000);
        }
    }
}
