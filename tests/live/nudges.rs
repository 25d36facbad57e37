//! Nudges that nobody disturbs: whether each arrives, and once.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::agent::Lab;
use super::common::model::{instruct, leave};
use super::plan::Texts;
use super::table::Row;

/// How long nothing may happen before the agent is started anew.
const STUCK: Duration = Duration::from_mins(1);
/// How often an agent is started anew at most.
const STARTS: usize = 6;

/// So many nudges, into `row`.
pub async fn run(lab: &Lab, seed: u64, count: u64, row: &mut Row) {
    let texts = Arc::new(Mutex::new(Texts::new(seed, lab.kind.program())));
    let count = usize::try_from(count).unwrap();
    let mut receipts: Vec<Value> = Vec::new();
    for start in 0..STARTS {
        if receipts.len() >= count {
            break;
        }
        let agent = lab.start();
        let name = format!("nudges-{start}");
        let making = Arc::clone(&texts);
        lab.stage
            .model
            .answers(move |_| instruct(&making.lock().unwrap().nudge()));
        let watch = lab.stage.watch_as(lab.config(&agent.pane, &name)).await;
        let (mut known, mut since) = (0, Instant::now());
        while since.elapsed() < STUCK && receipts.len() + known < count {
            let now = typed(&watch.decisions("a1")).len();
            if now > known {
                (known, since) = (now, Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        lab.stage.model.answers(|_| leave());
        tokio::time::sleep(Duration::from_secs(3)).await;
        let new = typed(&watch.decisions("a1"));
        let stuck = receipts.len() + new.len() < count;
        for receipt in &new {
            println!("{} nudge: {}", lab.kind, told(receipt));
        }
        receipts.extend(new);
        if stuck {
            println!(
                "{} stuck: {:?}\n{}",
                lab.kind,
                watch.view("a1"),
                agent.screen()
            );
        }
        watch.quit().await;
    }
    receipts.truncate(count);
    let asked = lab.api.asked();
    for receipt in receipts {
        let text = receipt["text"].as_str().unwrap_or_default();
        let times = |texts: &[String]| texts.iter().filter(|said| *said == text).count();
        let times = asked.iter().map(|asked| times(&asked.texts)).max();
        row.nudged(&receipt, times.unwrap_or(0));
    }
}

/// The receipts of nudges in a decision log.
pub fn typed(decisions: &[Value]) -> Vec<Value> {
    let all = decisions.iter();
    all.filter(|line| line["step"] == "receipt" && line["origin"] == "verdict")
        .cloned()
        .collect()
}

/// A receipt in a line.
pub fn told(receipt: &Value) -> String {
    let word = |name: &str| receipt[name].as_str().unwrap_or_default().to_owned();
    let text: String = word("text").chars().take(24).collect();
    format!(
        "{text}: {} {}{} gap {}",
        word("receipt"),
        word("why"),
        word("proof"),
        receipt["gapMs"]
    )
}
