//! Telling a coordinating agent how tasks ended: folded, in its own time, and never lost.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::{Coordinator, Site};
use crate::ids::AgentId;
use crate::mission::journal::What;
use crate::mission::machine::End;

/// The longest message, in characters.
const LONGEST: usize = 1_500;
/// How much of what is said of one task, in characters.
const EACH: usize = 200;

/// What is told to whom.
struct News {
    site: Arc<Site>,
    agent: AgentId,
    /// How many ends are told with it, beside those that were before.
    count: usize,
    text: String,
    told: mpsc::Sender<(usize, oneshot::Sender<()>)>,
}

impl Coordinator {
    /// Begins to tell what has ended, unless that is under way.
    pub(super) fn inform(&mut self) {
        let Some(agent) = self.machine.plan().coordinator.clone() else {
            return;
        };
        let untold = self.machine.untold();
        if untold.is_empty()
            || self
                .informing
                .as_ref()
                .is_some_and(|job| !job.is_finished())
        {
            return;
        }
        // no two messages are the same: what was delivered once is not typed again
        let told = self.machine.informed() + untold.len();
        let news = News {
            site: Arc::clone(&self.site),
            agent,
            count: untold.len(),
            text: text(self.site.names.mission().as_str(), told, untold),
            told: self.to_informed.clone(),
        };
        self.informing = Some(self.jobs.spawn(news.tell()));
    }

    /// The agent was told of so many more ends.
    pub(super) async fn informed(&mut self, count: usize) {
        let ends = self.machine.informed() + count;
        let _ = self.write(What::Informed { ends }).await;
    }
}

impl News {
    /// Tries until it is delivered: the agent may be busy for hours. What ends meanwhile is told next.
    async fn tell(self) {
        // several that end at once are told at once
        sleep(self.site.pace.again).await;
        loop {
            let since = self.site.begun_at;
            let pace = self.site.pace;
            let told = self
                .site
                .workers
                .tell(&self.agent, &self.text, pace.tell, since);
            if told.await.is_ok() {
                break;
            }
            sleep(pace.again).await;
        }
        let (written, done) = oneshot::channel();
        if self.told.send((self.count, written)).await.is_ok() {
            let _ = done.await;
        }
    }
}

/// What is told: one line, with how many ends were told by then.
fn text(mission: &str, told: usize, ends: &[End]) -> String {
    let each = ends.iter().map(|end| {
        let said = end.why.split_whitespace().collect::<Vec<_>>().join(" ");
        let said: String = said.chars().take(EACH).collect();
        let word = end.stage.as_str();
        if said.is_empty() {
            format!("{} is {word}", end.task)
        } else {
            format!("{} is {word} ({said})", end.task)
        }
    });
    let all = each.collect::<Vec<_>>().join("; ");
    let all: String = all.chars().take(LONGEST).collect();
    format!(
        "Mission {mission}: {all}. `meta-orchestrator ctl mission status {mission}` tells more."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mission::schedule::Stage;

    #[test]
    fn several_ends_are_one_line() {
        let end = |task: &str, stage, why: &str| End {
            task: task.parse().unwrap(),
            stage,
            why: why.into(),
        };
        let ends = [
            end("cli", Stage::Done, ""),
            end("docs", Stage::Failed, "`test -s A`:\n exit code 1"),
        ];
        assert_eq!(
            text("notes", 7, &ends),
            "Mission notes (7): cli is done; docs is failed (`test -s A`: exit code 1). `meta-orchestrator ctl mission status notes` tells more."
        );
        let many = vec![end("x", Stage::Failed, &"y".repeat(1_000)); 100];
        assert!(text("notes", 100, &many).len() < 2_000);
    }
}
