//! What was found, as a table.

use serde_json::Value;

use super::agent::{Kind, Lab};

/// What was found of one agent.
#[derive(Debug)]
pub struct Row {
    kind: Kind,
    version: String,
    nudges: usize,
    delivered: usize,
    twice: usize,
    gaps: Vec<u64>,
    /// Rounds with trouble.
    pub rounds: usize,
    /// Those in which it came between permit and proof.
    pub in_window: usize,
    /// What nobody meant.
    pub harm: Vec<String>,
    /// Rounds with harm.
    pub harmed: usize,
    /// Those of them in which the trouble came between the last read and Enter.
    pub harmed_in_gap: usize,
    /// Texts of ours left unsent: in a prompt, on a shell's line.
    pub left: (usize, usize),
    /// Texts of ours that a person sent together with their own, by their own Enter.
    pub mixed: usize,
    /// Rounds in which the nudge was not typed.
    pub withheld: usize,
    /// Rounds in which it was delivered all the same.
    pub arrived: usize,
}

impl Row {
    /// Nothing is known yet.
    pub fn new(kind: Kind, lab: &Lab) -> Self {
        Self {
            kind,
            version: lab.version.clone(),
            nudges: 0,
            delivered: 0,
            twice: 0,
            gaps: Vec::new(),
            rounds: 0,
            in_window: 0,
            harm: Vec::new(),
            harmed: 0,
            harmed_in_gap: 0,
            left: (0, 0),
            mixed: 0,
            withheld: 0,
            arrived: 0,
        }
    }

    /// An undisturbed nudge had this receipt, and reached the service so many times.
    pub fn nudged(&mut self, receipt: &Value, times: usize) {
        self.nudges += 1;
        let said = receipt["receipt"] == "delivered";
        self.delivered += usize::from(said && times == 1);
        self.twice += usize::from(times > 1);
        if said && times == 0 {
            self.harmed += 1;
            self.harm.push(format!("a receipt is wrong: {receipt}"));
        }
        self.gap(receipt);
    }

    /// Notes how long the last look was before Enter.
    pub fn gap(&mut self, receipt: &Value) {
        self.gaps.extend(receipt["gapMs"].as_u64());
    }

    /// Whether it is as it should be. What happens between the last read and Enter nobody can see: it is told,
    /// and fails nothing.
    pub fn is_well(&self) -> bool {
        self.delivered * 100 >= self.nudges * 95
            && self.twice == 0
            && self.harmed == self.harmed_in_gap
            && self.in_window * 100 >= self.rounds * 40
    }

    fn part(&self, percent: usize) -> u64 {
        let mut sorted = self.gaps.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        sorted.get(last * percent / 100).copied().unwrap_or(0)
    }
}

/// The table, in Markdown.
pub fn of(rows: &[Row]) -> String {
    let columns = [
        "agent",
        "nudges",
        "delivered",
        "twice",
        "rounds",
        "between permit and proof",
        "harm",
        "of that in the gap",
        "left in a prompt",
        "left on a shell's line",
        "sent along by the person",
        "withheld",
        "delivered all the same",
        "the gap: median / p95 / max",
    ];
    let head = format!(
        "| {} |\n|{}\n",
        columns.join(" | "),
        "---|".repeat(columns.len())
    );
    let lines = rows.iter().map(|row| {
        format!(
            "| {} {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} / {} / {} ms |\n",
            row.kind,
            row.version,
            row.nudges,
            row.delivered,
            row.twice,
            row.rounds,
            row.in_window,
            row.harmed,
            row.harmed_in_gap,
            row.left.0,
            row.left.1,
            row.mixed,
            row.withheld,
            row.arrived,
            row.part(50),
            row.part(95),
            row.part(100),
        )
    });
    head + &lines.collect::<String>()
}
