//! `/capture`: an agent's screen and all that is known of it, kept as a case for `tests/screens`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{Supervisor, blocking};
use crate::error::Failure;
use crate::evidence::{Facts, Known, Reader, Sight};
use crate::ids::{AgentId, PaneAddress};
use crate::store::{self, Access};
use crate::zellij::Dump;

/// Between two screens of an agent of which one still screen does not tell whether it works.
const APART: Duration = Duration::from_secs(2);

/// One screen, read at one moment.
struct Taken {
    plain: String,
    styled: String,
    sight: Sight,
    rows: u32,
    at: Duration,
}

impl Supervisor {
    /// Saves the screen of an agent, plain and styled, with the facts of its pane and the explanation, as a new
    /// folder in `folder` (where none is named: `captures` beside the logs). Says where.
    ///
    /// # Errors
    /// When there is no such agent, its pane cannot be read, or the files cannot be written.
    pub async fn capture(&self, id: &AgentId, folder: Option<PathBuf>) -> Result<String, Failure> {
        let (address, agent) = self.with(id, |post| (post.address.clone(), post.agent.clone()))?;
        let agent = self.inner.state.lock().await.agent_in_force(&agent);
        let reader = Reader {
            profiles: self.inner.profiles.borrow().clone(),
            kind: agent.kind,
            allow_shell: agent.allow_shell,
            earlier: None,
            meter: None,
            zone: crate::screen::reset::Zone::UTC,
        };
        let began = Instant::now();
        let mut taken = vec![self.take(&address, &reader, began).await?];
        if taken[0].sight.two_screens {
            sleep(APART).await;
            taken.push(self.take(&address, &reader, began).await?);
        }
        // an agent that is not watched has none
        let explained = self.explain(id).await.ok();
        let name = format!("{id}-{}", Utc::now().format("%Y%m%dT%H%M%S%3f"));
        let folder = folder.unwrap_or_else(|| self.inner.log_dir.join("captures"));
        let folder = folder.join(name);
        let mut files = vec![("case.json".to_owned(), self.case(&taken))];
        for (index, one) in taken.iter().enumerate() {
            files.push((format!("{}.ansi", index + 1), one.styled.clone()));
            files.push((format!("{}.txt", index + 1), one.plain.clone()));
        }
        if let Some(explained) = explained {
            files.push(("explanation.json".into(), pretty(&json!(explained))));
        }
        let into = folder.clone();
        blocking(move || write(&into, &files)).await??;
        let sight = taken.last().map(|one| &one.sight);
        let kind = sight.map(|sight| &sight.known);
        let kind = match kind {
            Some(Known::As(kind)) => kind.to_string(),
            _ => "KIND".to_owned(),
        };
        let state = sight.map_or("unknown", |sight| sight.state().as_str());
        Ok(format!(
            "saved to {}\nits state was read as {state}. To make it a test: look at it, correct `typing` and `state` in case.json, and move the folder into tests/screens/{kind}/STATE/",
            folder.display()
        ))
    }

    async fn take(
        &self,
        address: &PaneAddress,
        reader: &Reader,
        began: Instant,
    ) -> Result<Taken, Failure> {
        let zellij = &self.inner.zellij;
        let (listed, plain, styled) = tokio::join!(
            zellij.pane(address, Duration::ZERO),
            zellij.dump(address, Dump::Viewport),
            zellij.dump(address, Dump::Styled),
        );
        let at = began.elapsed();
        let (listed, plain, styled) = (listed?, plain?, styled?);
        let foreground = zellij.foreground(address, &listed).await;
        let facts = Facts::of(&listed, foreground.as_ref());
        let sight = reader.read(facts, Some(&plain), &styled, None, None);
        Ok(Taken {
            plain,
            styled,
            sight,
            rows: listed.size.1,
            at,
        })
    }

    /// `case.json`, as the tests of the screens read it.
    fn case(&self, taken: &[Taken]) -> String {
        let Some(last) = taken.last().map(|one| &one.sight) else {
            return String::new();
        };
        let name = match &last.known {
            Known::As(kind) => {
                let profiles = self.inner.profiles.borrow();
                let profile = profiles.get(kind);
                profile.map_or_else(|| kind.to_string(), |profile| profile.file().name.clone())
            }
            Known::Generic | Known::No => last.facts.front().to_owned(),
        };
        let cursors: Vec<_> = taken
            .iter()
            .map(|one| one.sight.facts.cursor.map(|at| (at.column, at.row)))
            .collect();
        let at: Vec<f64> = taken
            .iter()
            .map(|one| (one.at.as_secs_f64() * 10.0).round() / 10.0)
            .collect();
        let front = if last.facts.ended {
            ""
        } else {
            last.facts.front()
        };
        pretty(&json!({
            "source": format!("{name} in zellij {}", self.inner.zellij.version()),
            "columns": last.facts.columns,
            "rows": taken.last().map(|one| one.rows),
            "cursors": cursors,
            "front": front,
            "arguments": last.facts.arguments,
            "at": at,
            "typing": last.conclusion.permits_typing() && last.reading.takes_nudge(),
            "state": last.state(),
        }))
    }
}

fn pretty(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

fn write(folder: &Path, files: &[(String, String)]) -> Result<(), store::StoreError> {
    store::private_folder(folder)?;
    for (name, text) in files {
        store::write_text(&folder.join(name), text, Access::OwnerOnly)?;
    }
    Ok(())
}
