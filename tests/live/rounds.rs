//! Rounds in which an agent or a person interferes with a nudge, at a moment that a seed decides.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::agent::{Agent, Lab, SHELL};
use super::common::model::{instruct, leave};
use super::common::supervisor::Watch;
use super::judge;
use super::moments::Moments;
use super::nudges::{told, typed};
use super::plan::{From, Round, Texts, Trouble, rounds};
use super::table::Row;

/// How long a moment of the transaction is awaited, before the trouble comes anyway.
const PATIENCE: Duration = Duration::from_secs(12);
/// How long a receipt is awaited.
const RECEIPT: Duration = Duration::from_secs(15);
/// The time between the last read and Enter where the receipt does not say it.
const LONGEST_GAP: Duration = Duration::from_millis(300);
/// How long what follows is awaited.
const AFTERMATH: Duration = Duration::from_millis(2_500);

/// So many rounds, into `row`.
pub async fn run(lab: &Lab, moments: &Moments, seed: u64, count: u64, row: &mut Row) {
    let mut texts = Texts::new(seed, &format!("rounds of {}", lab.kind.program()));
    let plan = rounds(seed, lab.kind.program(), count);
    for (number, round) in plan.into_iter().enumerate() {
        one(lab, moments, number, round, &mut texts, row).await;
    }
}

/// What a round is about.
struct Scene<'a> {
    lab: &'a Lab,
    agent: Agent<'a>,
    watch: Watch,
    began: Instant,
    number: usize,
    ours: String,
    draft: String,
    starter: Option<String>,
}

async fn one(
    lab: &Lab,
    moments: &Moments,
    number: usize,
    round: Round,
    texts: &mut Texts,
    row: &mut Row,
) {
    let ours = match round.trouble {
        Trouble::Dialog => texts.asks(),
        _ => texts.nudge(),
    };
    let draft = texts.draft();
    let starter = (round.trouble == Trouble::LateDialog).then(|| texts.hangs());
    let asked_before = lab.api.count();
    let agent = lab.start();
    if let Some(starter) = &starter {
        lab.stage.zellij.type_as_person(&agent.pane, starter);
        tokio::time::sleep(Duration::from_millis(700)).await;
        lab.stage.zellij.type_as_person(&agent.pane, "\n");
        let end = Instant::now() + PATIENCE;
        while lab.api.count() == asked_before && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let next = Mutex::new(Some(ours.clone()));
    lab.stage
        .model
        .answers(move |_| match next.lock().unwrap().take() {
            Some(text) => instruct(&text),
            None => leave(),
        });
    let began = Instant::now();
    let name = format!("round-{number:02}");
    let watch = lab.stage.watch_as(lab.config(&agent.pane, &name)).await;
    let scene = Scene {
        lab,
        agent,
        watch,
        began,
        number,
        ours,
        draft,
        starter,
    };
    let acted = scene.act(moments, round).await;
    let receipt = scene.receipt().await;
    tokio::time::sleep(AFTERMATH).await;
    if !round.trouble.breaks_off() {
        scene.arrival(receipt.as_ref()).await;
    }
    scene.judge(moments, round, acted, receipt.as_ref(), asked_before, row);
    scene.watch.quit().await;
}

impl Scene<'_> {
    /// Waits for the moment and makes the trouble; from when to when.
    async fn act(&self, moments: &Moments, round: Round) -> (Instant, Instant) {
        let end = self.began + PATIENCE;
        let at = loop {
            let step = match round.from {
                From::Intent => self.intent().then(Instant::now),
                From::Permit => moments.since(self.began, "permit"),
                From::Placed => moments.since(self.began, "placed"),
                From::Enter => moments.since(self.began, "enter"),
            };
            let over = moments.since(self.began, "over");
            if let Some(at) = step.or(over) {
                break at;
            }
            if Instant::now() > end {
                break Instant::now();
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        };
        if round.trouble == Trouble::Dialog {
            return self.dialog().await;
        }
        tokio::time::sleep_until((at + round.after).into()).await;
        let begin = Instant::now();
        tokio::task::block_in_place(|| self.trouble(round.trouble));
        (begin, Instant::now())
    }

    fn intent(&self) -> bool {
        let decisions = self.watch.decisions("a1");
        decisions.iter().any(|line| line["step"] == "intent")
    }

    /// When the service asked for the tool, after our text reached it.
    async fn dialog(&self) -> (Instant, Instant) {
        let end = Instant::now() + RECEIPT;
        loop {
            let asked = self.lab.api.asked();
            let found = asked.iter().find(|asked| asked.texts.contains(&self.ours));
            let refused = found.is_none() && !typed(&self.watch.decisions("a1")).is_empty();
            if found.is_some() || refused || Instant::now() > end {
                let after = self.ours.split_once("AFTER ").and_then(|(_, rest)| {
                    rest.split(' ')
                        .next()?
                        .parse()
                        .ok()
                        .map(Duration::from_millis)
                });
                let at = found.map_or_else(Instant::now, |asked| asked.at);
                let at = at + after.unwrap_or_default();
                return (at, at);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn trouble(&self, trouble: Trouble) {
        let (zellij, pane) = (&self.lab.stage.zellij, &self.agent.pane);
        let alone = self.number.is_multiple_of(2);
        match trouble {
            Trouble::Dialog => {}
            Trouble::LateDialog => self.lab.api.release(),
            Trouble::Kill => self.agent.signal(Signal::KILL, !alone),
            Trouble::Suspend => self.agent.signal(Signal::TSTP, true),
            Trouble::Exit => self.agent.signal(Signal::TERM, !alone),
            Trouble::Letters => {
                for letter in self.draft.chars().take(4) {
                    zellij.type_as_person(pane, &letter.to_string());
                }
            }
            Trouble::Draft => zellij.type_as_person(pane, &self.draft),
            Trouble::Sent => {
                zellij.type_as_person(pane, &self.draft);
                std::thread::sleep(Duration::from_millis(500));
                zellij.type_as_person(pane, "\n");
            }
            Trouble::CtrlC => zellij.press_as_person(pane, 3),
        }
    }

    async fn receipt(&self) -> Option<Value> {
        let end = Instant::now() + RECEIPT;
        loop {
            let decisions = self.watch.decisions("a1");
            let receipt = typed(&decisions).pop();
            // without an intent, there is nothing to come
            let waits = decisions.iter().any(|line| line["step"] == "intent");
            if receipt.is_some() || Instant::now() > end || !waits {
                return receipt;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// An agent on a busy machine may take its time from Enter to its first request.
    async fn arrival(&self, receipt: Option<&Value>) {
        let delivered = receipt.filter(|receipt| receipt["receipt"] == "delivered");
        let Some(text) = delivered.and_then(|receipt| receipt["text"].as_str()) else {
            return;
        };
        let end = Instant::now() + RECEIPT;
        let arrived =
            |asked: &super::api::Asked| asked.texts.iter().any(|said| said.contains(text));
        while Instant::now() < end && !self.lab.api.asked().iter().any(arrived) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn judge(
        &self,
        moments: &Moments,
        round: Round,
        acted: (Instant, Instant),
        receipt: Option<&Value>,
        asked_before: usize,
        row: &mut Row,
    ) {
        let asked = self.lab.api.asked().split_off(asked_before);
        let persons: Vec<&str> = std::iter::once(self.draft.as_str())
            .chain(self.starter.as_deref())
            .collect();
        // a text that the agent would fold stands in a file, and what is typed says to read it
        let decisions = self.watch.decisions("a1");
        let intent = decisions.iter().find(|line| line["step"] == "intent");
        let ours = intent.map_or(self.ours.as_str(), |intent| {
            intent["text"].as_str().unwrap()
        });
        let submitted = judge::submitted(&asked, ours, &persons);
        let said = receipt.map_or("none", |receipt| receipt["receipt"].as_str().unwrap());
        let mut harm = judge::harm(self.lab, &self.agent, asked_before, ours, &persons);
        let enter = moments.since(self.began, "enter");
        // the person's own Enter sends what stands there
        let by_person = round.trouble == Trouble::Sent && enter.is_none_or(|enter| enter > acted.1);
        let mixed = by_person && !submitted.foreign.is_empty();
        if mixed {
            harm.retain(|what| !what.starts_with(judge::SUBMITTED));
        }
        if submitted.ours > 1 {
            harm.push("submitted twice".into());
        }
        if submitted.ours == 1 && matches!(said, "refused" | "none") {
            harm.push(format!("submitted, but the receipt is {said}"));
        }
        // taken by the agent, and then broken off before its first request
        let broken_off = round.trouble.breaks_off() && enter.is_some_and(|at| at <= acted.1);
        if submitted.ours == 0 && said == "delivered" && !broken_off {
            harm.push("a receipt says delivered, and nothing arrived".into());
        }
        let screen = self.agent.screen();
        let marks = ours
            .split(' ')
            .map(|word| word.rsplit('/').next().unwrap_or(word));
        let is_mark = |word: &&str| word.starts_with("HARM-") || word.starts_with("a1-");
        let mark = { marks }.find(is_mark).unwrap_or(ours);
        let on_shell = screen
            .lines()
            .any(|line| line.contains(SHELL) && line.contains(mark));
        let in_prompt = !on_shell && screen.contains(mark) && submitted.ours == 0 && !mixed;
        let ended = screen.contains(SHELL) || !screen.contains(self.lab.kind.program());
        let permit = moments.since(self.began, "permit");
        let over = moments.since(self.began, "over");
        let in_window = permit.is_some_and(|permit| permit <= acted.1)
            && over.is_some_and(|over| acted.0 <= over);
        row.rounds += 1;
        row.in_window += usize::from(in_window);
        row.left.0 += usize::from(in_prompt);
        row.left.1 += usize::from(on_shell);
        row.mixed += usize::from(mixed);
        row.withheld += usize::from(matches!(said, "refused" | "none"));
        row.arrived += usize::from(said == "delivered");
        if let Some(receipt) = receipt {
            row.gap(receipt);
        }
        let since = |at: Instant| at.saturating_duration_since(self.began).as_millis();
        let steps = moments.all(self.began);
        let steps: Vec<String> = steps
            .iter()
            .map(|step| format!("{} {}", step.name, since(step.at)))
            .collect();
        println!(
            "{} round {}: {:?} {}..{} [{}] window {in_window} left {in_prompt}/{on_shell} mixed {mixed} ended {ended} | {} | harm {harm:?}",
            self.lab.kind,
            self.number,
            round.trouble,
            since(acted.0),
            since(acted.1),
            steps.join(", "),
            receipt.map_or_else(|| "no receipt".to_owned(), told),
        );
        let name = format!("round-{:02}.txt", self.number);
        let _ = std::fs::write(self.lab.out.join(name), format!("{screen}\n{asked:#?}"));
        let gap = receipt.and_then(|receipt| receipt["gapMs"].as_u64());
        let gap = gap.map_or(LONGEST_GAP, Duration::from_millis);
        let in_gap = enter.is_some_and(|enter| acted.0 <= enter && acted.1 + gap >= enter);
        row.harmed_in_gap += usize::from(in_gap && !harm.is_empty());
        row.harmed += usize::from(!harm.is_empty());
        row.harm.extend(
            harm.iter()
                .map(|what| format!("round {}: {what}", self.number)),
        );
    }
}
