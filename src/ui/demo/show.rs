//! The demo without a terminal: says what happens, answers for the person, and shows what was seen.

use std::sync::Arc;
use std::time::Duration;

use chrono::{Local, Utc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::super::demo_agent::DemoAgent;
use super::super::print;
use super::seen::{Seen, Sight, is_settled};
use super::{Play, id};
use crate::command::reply::{self, Frame, render};
use crate::command::text::harmless;
use crate::command::{Client, Command, Notice, Reply, Urgency, line};
use crate::error::{Failure, Kind};
use crate::record::Memo;
use crate::zellij::Dump;

/// How long all of it may take.
const ALL: Duration = Duration::from_mins(1);
/// How long the memos may take to say what came after the texts, once everything was seen.
const AFTERMATH: Duration = Duration::from_secs(6);
const TICK: Duration = Duration::from_millis(250);
/// How often an answer that was not delivered is typed again.
const TRIES: u32 = 3;
/// More memos than an agent gets in this time.
const MEMOS: usize = 100;
const COLUMNS: usize = 110;

/// What the demo types for the person.
const ANSWER: &str = "/reply asker Postgres please";

/// An answer under way.
type Answer = JoinHandle<Result<Reply, Failure>>;

struct Show<'a> {
    client: Arc<dyn Client>,
    play: &'a Play,
    seen: Seen,
    tries: u32,
    answer: Option<Answer>,
}

/// Plays until everything was seen, the time is over, or the demo is interrupted.
pub(super) async fn run(client: Arc<dyn Client>, play: &Play) -> Result<u8, Failure> {
    let began = Instant::now();
    let mut show = Show {
        client,
        play,
        seen: Seen::default(),
        tries: 0,
        answer: None,
    };
    say(&format!("{}\n", play.greeting))?;
    let interrupted = show.until_seen(began + ALL).await?;
    let took = began.elapsed().as_secs_f64();
    show.conclude(took, interrupted).await
}

impl Show<'_> {
    /// Returns whether it was interrupted.
    async fn until_seen(&mut self, until: Instant) -> Result<bool, Failure> {
        let mut notices = self.client.notices();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut all_seen = None;
        loop {
            tokio::select! {
                biased;
                () = self.play.interrupted.cancelled() => return Ok(true),
                Ok(notice) = notices.recv() => say(&reply::notice(&notice, &frame()))?,
                answer = finished(&mut self.answer) => self.answered(&answer)?,
                now = ticks.tick() => {
                    let settled = self.look().await?;
                    if self.seen.missing().is_empty() && self.answer.is_none() {
                        let since = *all_seen.get_or_insert(now);
                        if settled || now > since + AFTERMATH {
                            return Ok(false);
                        }
                    }
                    if now > until {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Looks for what is still missing. Returns whether the memos say what came after the first texts.
    async fn look(&mut self) -> Result<bool, Failure> {
        let mut settled = true;
        for sight in Sight::ALL {
            let agent = sight.agent();
            if sight == Sight::Asks {
                self.question()?;
                continue;
            }
            let memos = self.memos(agent).await;
            settled &= is_settled(&memos);
            if self.seen.evidence(sight).is_empty() && !memos.is_empty() {
                let screen = self.screen(agent, Dump::Full).await;
                self.seen.effects(sight, &memos, &screen);
                if let Some((_, line)) = self.seen.evidence(sight).last() {
                    event(&format!("in the pane of {}: {line}", agent.as_str()))?;
                }
            }
        }
        Ok(settled)
    }

    /// Answers the question once it is there, as a person would.
    fn question(&mut self) -> Result<(), Failure> {
        let asker = id(DemoAgent::Asker)?;
        let views = self.client.views();
        let mut questions = views.iter().filter(|view| view.id == asker);
        let Some(question) = questions.find_map(|view| view.question.as_ref()) else {
            return Ok(());
        };
        self.seen.question(&question.text);
        let is_answered = !self.seen.evidence(Sight::IsAnswered).is_empty();
        if is_answered || self.answer.is_some() || self.tries == TRIES {
            return Ok(());
        }
        let Some(command) = line::parse(ANSWER)? else {
            return Ok(());
        };
        self.tries += 1;
        event(&format!(
            "nobody is here to answer, so the demo does: {ANSWER}"
        ))?;
        let client = Arc::clone(&self.client);
        self.answer = Some(tokio::spawn(async move { client.send(command).await }));
        Ok(())
    }

    fn answered(&mut self, answer: &Result<Reply, Failure>) -> Result<(), Failure> {
        self.answer = None;
        let text = match answer {
            Ok(reply) => render(reply, &frame()),
            Err(failure) => reply::failure(failure),
        };
        event(&format!("{ANSWER}: {text}"))
    }

    /// What an agent remembers, the oldest first; nothing where that cannot be read.
    async fn memos(&self, agent: DemoAgent) -> Vec<Memo> {
        let Ok(id) = id(agent) else {
            return Vec::new();
        };
        match self.client.send(Command::Log { id, count: MEMOS }).await {
            Ok(Reply::Memos { memos, .. }) => memos,
            _ => Vec::new(),
        }
    }

    async fn screen(&self, agent: DemoAgent, how: Dump) -> String {
        let Some(pane) = self.play.pane(agent) else {
            return String::new();
        };
        let shown = self.play.zellij.dump(pane, how).await;
        shown.unwrap_or_else(|error| format!("({error})"))
    }

    /// Says what was seen, and what each agent remembers; what is missing is a failure.
    async fn conclude(self, took: f64, interrupted: bool) -> Result<u8, Failure> {
        if interrupted {
            return Err(Failure::new(Kind::Failed, "the demo was interrupted"));
        }
        say(&format!(
            "\nSeen in {took:.0} s:\n\n{}",
            self.seen.summary()
        ))?;
        let missing = self.seen.missing();
        for agent in DemoAgent::ALL {
            let id = id(agent)?;
            let memos = self.client.send(Command::Log { id, count: MEMOS }).await?;
            let memos = render(&memos, &frame());
            say(&format!(
                "\nWhat is remembered of {}:\n\n{memos}",
                agent.as_str()
            ))?;
        }
        say("\n")?;
        if missing.is_empty() {
            return Ok(0);
        }
        for agent in DemoAgent::ALL {
            let screen = self.screen(agent, Dump::Viewport).await;
            let screen = harmless(screen.trim_end()).replace('\n', "\n    ");
            say(&format!(
                "The last screen of {}:\n\n    {screen}\n\n",
                agent.as_str()
            ))?;
        }
        let (missing, all) = (missing.len(), Sight::ALL.len());
        let text = format!("{missing} of the {all} things to be seen did not come within 60 s");
        Err(Failure::new(Kind::Failed, text)
            .hint("above: what was seen, remembered and shown; on a busy machine try again"))
    }
}

/// What came of the answer; never, while none is under way.
async fn finished(answer: &mut Option<Answer>) -> Result<Reply, Failure> {
    match answer {
        Some(answer) => match answer.await {
            Ok(came) => came,
            Err(error) => Err(Failure::from_error(Kind::Bug, &error)),
        },
        None => std::future::pending().await,
    }
}

/// Says something of the demo's own in the form of a notice.
fn event(text: &str) -> Result<(), Failure> {
    let notice = Notice {
        ts: Utc::now(),
        agent: None,
        urgency: Urgency::Info,
        text: text.to_owned(),
    };
    say(&reply::notice(&notice, &frame()))
}

fn say(text: &str) -> Result<(), Failure> {
    print(text.as_bytes())
}

fn frame() -> Frame {
    Frame {
        columns: COLUMNS,
        now: Local::now().fixed_offset(),
    }
}
