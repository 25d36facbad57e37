//! What has been seen of the demo, and the evidence for it: pure.

use std::fmt::Write as _;

use super::super::demo_agent::DemoAgent;
use crate::command::text::one_line;
use crate::record::{Action, Memo, MemoAction, Receipt};

/// What the demo is there to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// An agent that stands still is told to go on, and does.
    GoesOn,
    /// An agent that failed is told to find out why, and does.
    Mends,
    /// An agent's question reaches the person.
    Asks,
    /// The person's answer reaches the agent.
    IsAnswered,
}

impl Sight {
    pub const ALL: [Self; 4] = [Self::GoesOn, Self::Mends, Self::Asks, Self::IsAnswered];

    /// In words that hold whether it was seen or not.
    pub const fn words(self) -> &'static str {
        match self {
            Self::GoesOn => "worker stood still, was told to go on, and went on",
            Self::Mends => "staller stopped at a failure, was told to find out why, and mended it",
            Self::Asks => "asker asked, and the question reached the person",
            Self::IsAnswered => "the person's answer was typed to asker, which took it up",
        }
    }

    /// Whose pane shows it.
    pub const fn agent(self) -> DemoAgent {
        match self {
            Self::GoesOn => DemoAgent::Worker,
            Self::Mends => DemoAgent::Staller,
            Self::Asks | Self::IsAnswered => DemoAgent::Asker,
        }
    }
}

/// A piece of evidence: where it is from, and the line itself.
pub(super) type Evidence = (&'static str, String);

/// What has been seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    found: [Vec<Evidence>; Sight::ALL.len()],
}

impl Seen {
    /// The evidence for a sight; empty while it has not been seen.
    pub fn evidence(&self, of: Sight) -> &[Evidence] {
        &self.found[of as usize]
    }

    /// What is still missing.
    pub fn missing(&self) -> Vec<Sight> {
        let all = Sight::ALL.into_iter();
        all.filter(|sight| self.evidence(*sight).is_empty())
            .collect()
    }

    /// Takes in the question that waits for the person.
    pub fn question(&mut self, text: &str) {
        self.add(Sight::Asks, vec![("asked", one_line(text))]);
    }

    /// Takes in an agent's memos and all that its pane shows and showed: a text that was delivered, and the
    /// line by which the agent shows that it took it up.
    pub fn effects(&mut self, sight: Sight, memos: &[Memo], screen: &str) {
        let wanted = match sight {
            Sight::Asks => return,
            Sight::IsAnswered => MemoAction::Reply,
            Sight::GoesOn | Sight::Mends => MemoAction::Verdict(Action::Instruct),
        };
        let typed = delivered(memos, &wanted);
        let sign = sight.agent().sign();
        let mut lines = screen.lines().map(str::trim);
        if let (Some(memo), Some(line)) = (typed, lines.find(|line| line.starts_with(sign))) {
            let evidence = vec![("typed", one_line(&memo.text)), ("shown", one_line(line))];
            self.add(sight, evidence);
        }
    }

    fn add(&mut self, sight: Sight, evidence: Vec<Evidence>) {
        let found = &mut self.found[sight as usize];
        if found.is_empty() {
            *found = evidence;
        }
    }

    /// What was seen and what was not, a line each with the evidence below it.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        for sight in Sight::ALL {
            let evidence = self.evidence(sight);
            let mark = if evidence.is_empty() { '✘' } else { '✔' };
            let _ = writeln!(text, "  {mark} {}", sight.words());
            for (kind, line) in evidence {
                let _ = writeln!(text, "      {kind}: {line}");
            }
        }
        text
    }
}

/// The first memo of a text of that kind that arrived in the pane.
fn delivered<'a>(memos: &'a [Memo], wanted: &MemoAction) -> Option<&'a Memo> {
    memos.iter().find(|memo| {
        memo.action == *wanted && memo.receipt.as_ref().is_some_and(Receipt::is_delivered)
    })
}

/// Whether the first text that arrived has a word on what came after it, where one did.
pub(super) fn is_settled(memos: &[Memo]) -> bool {
    let mut arrived = memos
        .iter()
        .filter(|memo| memo.receipt.as_ref().is_some_and(Receipt::is_delivered));
    arrived
        .next()
        .is_none_or(|first| first.after_summary.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memo(action: &str, receipt: Option<Receipt>, after: Option<&str>) -> Memo {
        Memo {
            v: 1,
            id: "1".into(),
            session_id: "default".parse().unwrap(),
            ts: chrono::DateTime::UNIX_EPOCH,
            action: action.into(),
            text: "Go on.".into(),
            reasoning: String::new(),
            receipt,
            after_summary: after.map(str::to_owned),
        }
    }

    const WENT_ON: &str = "> Go on.\n● Understood: Go on.\n> ";

    #[test]
    fn a_nudge_counts_only_if_it_arrived_and_the_agent_took_it_up() {
        let delivered = Some(Receipt::delivered("test"));
        let refused = Some(Receipt::Refused {
            why: "a dialog".into(),
        });
        for (action, receipt, screen, counts) in [
            ("instruct", delivered.clone(), WENT_ON, true),
            ("instruct", delivered.clone(), "> Go on.\n> ", false),
            ("instruct", refused, WENT_ON, false),
            ("instruct", None, WENT_ON, false),
            ("reply", delivered.clone(), WENT_ON, false),
            ("continue", delivered, WENT_ON, false),
        ] {
            let mut seen = Seen::default();
            seen.effects(Sight::GoesOn, &[memo(action, receipt, None)], screen);
            let found = !seen.evidence(Sight::GoesOn).is_empty();
            assert_eq!(found, counts, "{action} {screen}");
        }
    }

    #[test]
    fn the_summary_has_the_evidence_and_says_what_is_missing() {
        let mut seen = Seen::default();
        let typed = |action| [memo(action, Some(Receipt::delivered("test")), None)];
        seen.effects(Sight::GoesOn, &typed("instruct"), WENT_ON);
        seen.question("It asks: Postgres or SQLite?");
        seen.question("another one");
        seen.effects(Sight::IsAnswered, &typed("reply"), "● Using Postgres\n");
        assert_eq!(seen.missing(), [Sight::Mends]);
        insta::assert_snapshot!(seen.summary(), @r"
        ✔ worker stood still, was told to go on, and went on
            typed: Go on.
            shown: ● Understood: Go on.
        ✘ staller stopped at a failure, was told to find out why, and mended it
        ✔ asker asked, and the question reached the person
            asked: It asks: Postgres or SQLite?
        ✔ the person's answer was typed to asker, which took it up
            typed: Go on.
            shown: ● Using Postgres
        ");
    }

    #[test]
    fn settled_is_who_knows_what_came_after_the_first_text() {
        let arrived = |after| memo("instruct", Some(Receipt::delivered("test")), after);
        let asked = memo("ask_user", None, None);
        assert!(is_settled(&[arrived(Some("3 new lines")), arrived(None)]));
        assert!(!is_settled(&[asked, arrived(None)]));
    }
}
