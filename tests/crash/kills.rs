//! `kill -9` at seeded moments, `--resume` after each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::zellij::{PATIENCE, TestZellij};
use crate::model::Model;
use crate::moments::{Dice, Phase};
use crate::pane::{CTRL_U, ENTER, Worker};
use crate::run::{Place, Run, interrupted};

/// What the roster must be, by what the program has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    goal: String,
    stopped: bool,
}

type Roster = BTreeMap<String, Member>;

struct Story {
    test: TestZellij,
    model: Model,
    place: Place,
    workers: HashMap<&'static str, Worker>,
    run: Run,
    dice: Dice,
    roster: Roster,
    /// What else the roster may be: a command that was not answered may have been carried out or not.
    perhaps: Option<Roster>,
    /// What the person typed.
    replies: Vec<String>,
    /// Texts that the person deleted from a prompt.
    deleted: Vec<String>,
    /// Questions that were shown and not answered: by agent.
    open: HashMap<&'static str, String>,
    counters: HashMap<&'static str, Value>,
    logs: HashMap<PathBuf, Vec<u8>>,
    between: u32,
    landed: BTreeMap<Phase, u32>,
}

/// Those that are nudged. Of the others, `c` is there for the roster, and `gone` was removed and never saved.
const NUDGED: [&str; 2] = ["a", "b"];

impl Story {
    fn begin(seed: u64) -> Self {
        let test = TestZellij::start_sized(160, 50);
        let model = Model::start(Duration::from_millis(150), 6);
        let workers: HashMap<_, _> = ["a", "b", "c", "gone"]
            .map(|name| (name, Worker::open(&test, name)))
            .into();
        let pane = |name: &str| workers[name].address.pane.to_string();
        let place = Place::new(
            &test,
            &model,
            &["a", "b", "gone"].map(|name| (name, pane(name))),
        );
        let mut run = Run::start(&test, &place, &[]);
        run.ask("/remove gone");
        let roster = NUDGED.map(|id| (id.to_owned(), member(&format!("the goal of {id}"))));
        Self {
            run,
            test,
            model,
            place,
            workers,
            dice: Dice(seed),
            roster: roster.into(),
            perhaps: None,
            replies: Vec::new(),
            deleted: Vec::new(),
            open: HashMap::new(),
            counters: HashMap::new(),
            logs: HashMap::new(),
            between: 0,
            landed: BTreeMap::new(),
        }
    }

    /// Waits for the moment, kills, and looks at what is left.
    fn kill_at(&mut self, phase: Phase) {
        let id = self.dice.pick(&NUDGED);
        let mut later = Duration::from_millis(self.dice.below(phase.latest()));
        match phase {
            Phase::Any => {}
            Phase::Roster => {
                let before = self.roster.clone();
                let line = self.change();
                self.perhaps = Some(std::mem::replace(&mut self.roster, before));
                self.run.type_line(&line);
            }
            Phase::Reply => {
                self.until_question(id);
                let line = self.answer(id);
                self.run.type_line(&line);
                later += Duration::from_millis(200);
            }
            Phase::Question => self.until_question(id),
            Phase::Text => {
                self.until_step(id, phase.step());
                let worker = &self.workers[id];
                // two looks some time apart come before the first key
                let end = Instant::now() + Duration::from_secs(5);
                while worker
                    .draft(&self.test)
                    .is_none_or(|draft| draft.is_empty())
                    && Instant::now() < end
                {}
            }
            _ => self.until_step(id, phase.step()),
        }
        sleep(later);
        self.run.kill();
        *self.landed.entry(phase).or_default() += 1;
        // a client of zellij that had been started is not killed with it
        sleep(Duration::from_millis(300));
        self.look(phase);
    }

    /// What is on the disk and in the panes after a kill.
    fn look(&mut self, phase: Phase) {
        let mut between = false;
        for id in NUDGED {
            let left = interrupted(&self.place.decisions(id));
            let draft = self.workers[id].draft(&self.test).unwrap_or_default();
            let stands = left.as_ref().is_some_and(|text| *text == draft);
            between |= stands;
            println!("  {phase:?} {id}: left {left:?}, in the prompt `{draft}`");
        }
        self.between += u32::from(between);
        self.keep_logs();
    }

    /// Every line that was whole on the disk is still there, and what is read is what was written.
    fn keep_logs(&mut self) {
        let entries = std::fs::read_dir(&self.place.logs).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        for path in paths.filter(|path| path.extension().is_some_and(|end| end == "jsonl")) {
            let now = std::fs::read(&path).unwrap();
            let whole = now.iter().rposition(|byte| *byte == b'\n');
            let now = now[..whole.map_or(0, |end| end + 1)].to_vec();
            let before = self.logs.entry(path.clone()).or_default();
            assert!(now.starts_with(before), "{} was changed", path.display());
            for line in now[before.len()..].split(|byte| *byte == b'\n') {
                let is_record = serde_json::from_slice::<Value>(line).is_ok();
                let is_torn = line.ends_with(b" #torn");
                assert!(line.is_empty() || is_record || is_torn, "{line:?}");
            }
            *before = now;
        }
    }

    /// Begins again, and checks that all is there.
    fn resume(&mut self) {
        let submitted = self.submitted();
        // before it types anything of its own
        let left = NUDGED.map(|id| (id, self.workers[id].draft(&self.test)));
        self.run = Run::start(&self.test, &self.place, &["--resume"]);
        let list = self.run.list();
        self.check_roster(&list);
        for (id, question) in self.open.drain() {
            assert!(list.contains(&question), "{id} asked `{question}`: {list}");
        }
        for id in NUDGED {
            self.check_counters(id);
        }
        for (id, draft) in left {
            self.check_left_over(id, draft.unwrap_or_default(), &submitted[id]);
        }
        for id in NUDGED {
            if self.roster[id].stopped {
                let said = self.ask(&format!("/start {id}"));
                assert!(said.contains("is started"), "{said}");
                self.roster.get_mut(id).unwrap().stopped = false;
            }
        }
        self.check_submitted();
    }

    fn check_roster(&mut self, list: &str) {
        let copy = self.test.home().join("now.json");
        // a file that was never read is not written over
        let _ = std::fs::remove_file(&copy);
        let said = self.run.ask(&format!("/save {}", copy.display()));
        assert!(said.contains("saved"), "{said}");
        let saved: Value = serde_json::from_slice(&std::fs::read(&copy).unwrap()).unwrap();
        let found: Roster = saved["agents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|agent| {
                let id = agent["id"].as_str().unwrap();
                let row = list.lines().find(|line| line.starts_with(id));
                let stopped = row.unwrap().split_whitespace().nth(1) == Some("stopped");
                let goal = agent["goal"].as_str().unwrap().to_owned();
                (id.to_owned(), Member { goal, stopped })
            })
            .collect();
        let perhaps = self.perhaps.take();
        assert!(
            found == self.roster || Some(&found) == perhaps.as_ref(),
            "{found:?} instead of {:?} or {perhaps:?}",
            self.roster
        );
        self.roster = found;
    }

    fn check_counters(&mut self, id: &'static str) {
        let decisions = self.place.decisions(id);
        let Some(last) = decisions.last() else { return };
        let now = last["counters"].clone();
        if let Some(before) = self.counters.insert(id, now.clone())
            && before["day"] == now["day"]
        {
            for count in ["calls", "tokens"] {
                let (before, now) = (before[count].as_u64(), now[count].as_u64());
                assert!(before <= now, "{id}: {count} {before:?}, then {now:?}");
            }
            let nudges = |counters: &Value| counters["nudges"].as_array().unwrap().len();
            assert!(
                nudges(&before) <= nudges(&now),
                "{id}: {before}, then {now}"
            );
        }
    }

    /// A text that stands in a prompt is reported, and neither sent nor typed again. The person then deletes
    /// or sends it, and it goes on.
    fn check_left_over(&mut self, id: &'static str, draft: String, before: &[String]) {
        if draft.is_empty() || self.roster[id].stopped {
            return;
        }
        let reported = format!("may stand unsent in its prompt: `{draft}`");
        self.run
            .wait_until_listed(&reported, |list| list.contains(&reported));
        // more than a stall, than the model takes, and than two looks before a key
        sleep(Duration::from_secs(3));
        let worker = &self.workers[id];
        assert_eq!(worker.draft(&self.test).as_ref(), Some(&draft));
        assert_eq!(worker.submitted(), before, "nobody sent anything");
        if self.dice.below(2) == 0 {
            self.test.press_as_person(&worker.address, CTRL_U);
            worker.wait_until_clear(&self.test);
            self.deleted.push(draft);
        } else {
            self.test.press_as_person(&worker.address, ENTER);
            worker.wait_until_submitted(&draft, |lines| lines.last() == Some(&draft));
        }
        let count = self.workers[id].submitted().len();
        self.until("the next nudge", |this| {
            this.answer_if_asked(id);
            (this.workers[id].submitted().len() > count).then_some(())
        });
    }

    fn submitted(&self) -> HashMap<&'static str, Vec<String>> {
        let all = self.workers.iter();
        all.map(|(id, worker)| (*id, worker.submitted())).collect()
    }

    /// Nothing was submitted twice, and nothing but what was meant.
    fn check_submitted(&self) {
        let issued: HashSet<String> = self
            .model
            .texts()
            .into_iter()
            .chain(self.replies.clone())
            .collect();
        let mut seen = BTreeSet::new();
        for (id, lines) in self.submitted() {
            for line in lines {
                assert!(issued.contains(&line), "{id} was given `{line}`");
                assert!(!self.deleted.contains(&line), "`{line}` was typed again");
                assert!(seen.insert(line.clone()), "`{line}` was submitted twice");
            }
        }
    }

    /// A change of the roster, as the line that makes it; the roster is then as it will be.
    fn change(&mut self) -> String {
        let number = self.dice.below(1_000_000);
        let Some(c) = self.roster.get_mut("c") else {
            let pane = &self.workers["c"].address.pane;
            let goal = format!("goal {number}");
            let line = format!("/add c {pane} {goal}");
            self.roster.insert("c".to_owned(), member(&goal));
            return line;
        };
        match number % 5 {
            0 => {
                self.roster.remove("c");
                "/remove c".to_owned()
            }
            1 | 2 => {
                c.stopped = !c.stopped;
                if c.stopped { "/stop c" } else { "/start c" }.to_owned()
            }
            3 => {
                let b = self.roster.get_mut("b").unwrap();
                b.goal = format!("goal {number}");
                format!("/set b goal {}", b.goal)
            }
            _ => {
                c.goal = format!("goal {number}");
                format!("/set c goal {}", c.goal)
            }
        }
    }

    /// Changes the roster and waits for the answer: from then on it must hold.
    fn change_and_hear(&mut self) {
        let line = self.change();
        let said = self.ask(&line);
        assert!(!said.contains("error"), "{line}: {said}");
    }

    /// As the person does who is told that zellij did not answer.
    fn ask(&mut self, line: &str) -> String {
        let mut said = self.run.ask(line);
        for _ in 0..3 {
            if said.contains("answered nothing") || said.contains("no such session") {
                said = self.run.ask(line);
            }
        }
        said
    }

    /// A new answer to the open question of an agent, as the line that gives it.
    fn answer(&mut self, id: &'static str) -> String {
        let text = format!("my answer is number {}", self.replies.len());
        self.replies.push(text.clone());
        self.open.remove(id);
        format!("/reply {id} {text}")
    }

    fn question(&self, id: &str) -> Option<String> {
        let decisions = self.place.decisions(id);
        let question = &decisions.last()?["counters"]["question"]["text"];
        question.as_str().map(str::to_owned)
    }

    /// The person answers a question, and deletes a text that could not be sent: now and then zellij's client
    /// finds no session.
    fn answer_if_asked(&mut self, id: &'static str) {
        let Some(question) = self.question(id) else {
            return;
        };
        if !question.starts_with("Which way") {
            return self.delete_left_over(id, &question);
        }
        let line = self.answer(id);
        let said = self.run.ask(&line);
        // a text may be on its way just now, or the question withdrawn
        if !said.contains("delivered to") {
            println!("  {line}: {}", said.trim());
        }
    }

    fn delete_left_over(&mut self, id: &'static str, question: &str) {
        let worker = &self.workers[id];
        let draft = worker.draft(&self.test).unwrap_or_default();
        // what was submitted stands there until it is done
        if !draft.is_empty() && question.contains(&draft) && !worker.submitted().contains(&draft) {
            println!("  {id}: left over, without a kill: `{draft}`");
            self.test.press_as_person(&worker.address, CTRL_U);
            worker.wait_until_clear(&self.test);
            self.deleted.push(draft);
        }
    }

    fn until<T>(&mut self, what: &str, mut ask: impl FnMut(&mut Self) -> Option<T>) -> T {
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = ask(self) {
                return found;
            }
            assert!(
                Instant::now() < give_up,
                "waited for {what}: {}",
                self.run.list()
            );
            sleep(Duration::from_millis(5));
        }
    }

    /// Waits until an agent comes to a step; its questions meanwhile are answered.
    fn until_step(&mut self, id: &'static str, step: &str) {
        let count = |this: &Self| {
            let decisions = this.place.decisions(id);
            decisions.iter().filter(|line| line["step"] == step).count()
        };
        let before = count(self);
        self.until(step, |this| {
            if count(this) > before {
                return Some(());
            }
            this.answer_if_asked(id);
            None
        });
    }

    /// Waits until an agent has asked the person, and the person was told.
    fn until_question(&mut self, id: &'static str) {
        self.model.ask_every(2);
        let question = self.until("a question", |this| {
            let question = this.question(id)?;
            this.run.said().contains(&question).then_some(question)
        });
        self.model.ask_every(6);
        self.open.insert(id, question);
    }

    /// At the end everything that was begun has its end on record, and counts.
    fn check_all(&mut self) {
        for id in NUDGED {
            self.until("every text to be settled", |this| {
                this.answer_if_asked(id);
                interrupted(&this.place.decisions(id))
                    .is_none()
                    .then_some(())
            });
        }
        self.run.quit_after_answers();
        self.keep_logs();
        self.check_submitted();
        let submitted = self.submitted();
        let texts = self.model.texts();
        for id in NUDGED {
            let decisions = self.place.decisions(id);
            let memos: HashSet<String> = self
                .place
                .memos(id)
                .iter()
                .map(|memo| memo["id"].as_str().unwrap().to_owned())
                .collect();
            for intent in decisions.iter().filter(|line| line["step"] == "intent") {
                let is_end =
                    |line: &&Value| line["step"] == "receipt" && line["id"] == intent["id"];
                assert_eq!(decisions.iter().filter(is_end).count(), 1, "{intent}");
                assert!(memos.contains(intent["id"].as_str().unwrap()), "{intent}");
            }
            let nudged = submitted[id]
                .iter()
                .filter(|line| texts.contains(line))
                .count();
            let counted = decisions.last().unwrap()["counters"]["nudges"]
                .as_array()
                .unwrap()
                .len();
            assert!(
                counted >= nudged,
                "{id}: {nudged} nudges, {counted} counted"
            );
        }
    }
}

fn member(goal: &str) -> Member {
    Member {
        goal: goal.to_owned(),
        stopped: false,
    }
}

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => default,
    }
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_submits_nothing_twice() {
    let seed = number("MO_SEED", 20_261_121);
    let kills = number("MO_KILLS", 8);
    let unsent = number("MO_UNSENT", if kills < 50 { 3 } else { 10 });
    println!("MO_SEED={seed} MO_KILLS={kills}");
    let began = Instant::now();
    let mut story = Story::begin(seed);
    let mut kill = 0;
    // on a busy machine a text is gone sooner than expected: then some more
    while kill < kills || (u64::from(story.between) < unsent && kill < kills + 10) {
        let round = usize::try_from(kill).unwrap() % Phase::ROUND.len();
        let phase = if kill < kills {
            Phase::ROUND[round]
        } else {
            Phase::Text
        };
        println!("kill {kill} at {:.1?}", began.elapsed());
        story.change_and_hear();
        story.kill_at(phase);
        story.resume();
        kill += 1;
    }
    story.check_all();
    let submitted: usize = story.submitted().values().map(Vec::len).sum();
    println!(
        "{kill} kills in {:.0?}: {:?}; {} between a text and its Enter; {submitted} texts submitted, none twice",
        began.elapsed(),
        story.landed,
        story.between
    );
    assert!(
        u64::from(story.between) >= unsent,
        "too few between a text and its Enter"
    );
}

impl Drop for Story {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("said: {}", self.run.said());
            for (id, worker) in &self.workers {
                println!("{id} shows: {}", self.test.dump(worker.address.pane));
                for line in self.place.decisions(id) {
                    println!("{id}: {line}");
                }
            }
        }
    }
}
