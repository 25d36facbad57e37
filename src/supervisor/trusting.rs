//! `/trust`: the person's yes to a configuration that was found in the working folder.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use super::asked::{Asked, Pending};
use super::profiles::of_texts;
use super::trust::{self, Held, ledger};
use super::{Post, State, Supervisor, absolute, blocking, director};
use crate::agent::view::Urgency;
use crate::config::{AgentConfig, Approvals, Config, NotifyConfig};
use crate::director::approval;
use crate::error::{Failure, Kind};

/// What is left out of the configuration at `path`, which was found and which nobody named, for those who look at
/// it without a supervisor. `None`: all of it holds.
///
/// # Errors
/// When a profile that it names cannot be read, and nothing is left out.
pub fn held_of(
    config: &Config,
    path: &Path,
    trusted: Option<&Path>,
) -> Result<Option<Held>, Failure> {
    trust::judge(config, path, true, trusted).map(|judged| judged.held)
}

impl State {
    /// What holds of the configuration.
    pub(super) fn in_force(&self) -> Cow<'_, Config> {
        trust::in_force(self.held.as_ref(), &self.config)
    }

    /// What holds of an agent's part of it.
    pub(super) fn agent_in_force(&self, agent: &AgentConfig) -> AgentConfig {
        let held = self.held.as_ref();
        held.map_or_else(|| agent.clone(), |held| held.agent(agent))
    }
}

impl Supervisor {
    /// How the person is told, as it is now and whenever it changes.
    pub fn notify_config(&self) -> watch::Receiver<Arc<NotifyConfig>> {
        self.inner.notify.subscribe()
    }

    /// Says at the start which rules answer dialogs from now on: an agent may have written them into the file.
    pub(super) async fn say_rules(&self) {
        let rules = self.inner.state.lock().await.in_force().approval_rules();
        for line in approval::changes(&Approvals::default(), &rules) {
            self.say(None, Urgency::Warning, format!("approvals: {line}"));
        }
    }

    /// Says at the start what is left out, and forgets a yes that was given to another content.
    pub(super) async fn say_held(&self) {
        if !self.inner.overrides.found {
            return;
        }
        let state = self.inner.state.lock().await;
        let Some(held) = &state.held else {
            if trust::is_harmless(&state.config) {
                self.remember(&state, None).await;
            }
            return;
        };
        self.remember(&state, None).await;
        let text = format!(
            "{} was found here and you have not said yes to it: until you do, this is left out of it\n{held}\n`/trust` shows it again and asks",
            state.path.display()
        );
        self.say(None, Urgency::Person, text);
    }

    /// Asks whether all of the configuration is to hold; `None`: it does already.
    ///
    /// # Errors
    /// When the supervisor is ending.
    pub async fn trust(&self, asked: &Asked) -> Result<Option<String>, Failure> {
        let state = self.changing().await?;
        let Some(held) = state.held.clone() else {
            return Ok(None);
        };
        let question = format!(
            "Let this hold, as {} says it?\n{held}\nThe yes is for exactly this content, and is remembered.",
            state.path.display()
        );
        asked.ask(Pending::Trust(held));
        Ok(Some(question))
    }

    /// Lets all of the configuration hold, at once; the yes was to what was `shown`.
    pub(super) async fn trust_all(&self, shown: &Held) -> Result<String, Failure> {
        let mut state = self.changing().await?;
        if state.held.as_ref() != Some(shown) {
            return Err(
                Failure::new(Kind::Failed, "the configuration is another one meanwhile")
                    .hint("`/trust` shows it anew"),
            );
        }
        let director = director(&state.config, &self.inner.http)?;
        let own = self.inner.overrides.profiles.as_deref();
        let profiles = of_texts(own, &state.texts)?;
        state.held = None;
        self.inner.director.send_replace(Arc::new(director));
        self.inner.profiles.send_replace(Arc::new(profiles));
        self.inner
            .notify
            .send_replace(Arc::new(state.config.notify.clone()));
        let agents: Vec<_> = self.posts().iter().map(|post| post.agent.clone()).collect();
        for agent in &agents {
            self.tell_settings(&state, agent).await;
        }
        let digest = shown.digest().to_owned();
        let is_kept = self.remember(&state, Some(digest)).await;
        let mut said = format!("{} holds as it is written", state.path.display());
        if !is_kept {
            said.push_str(", for this run");
        }
        for later in self.only_at_a_start(&shown.without(&state.config), &state.config) {
            let _ = write!(said, "; {later}");
        }
        let shells = agents.iter().filter(|agent| agent.allow_shell);
        let waiting = shells.filter(|agent| {
            self.with(&agent.id, |post: &Post| post.accepted.is_none()) == Ok(true)
        });
        for agent in waiting {
            let _ = write!(said, "; `/start {0}` accepts the shell of {0}", agent.id);
        }
        Ok(said)
    }

    /// What this program has saved is what the person has said yes to, where they had before.
    pub(super) async fn keep_trust(&self, state: &State) {
        if state.held.is_none() {
            let digest = (!trust::is_harmless(&state.config)).then(|| {
                let texts = trust::texts_digest(&state.texts);
                trust::digest(&state.config, &state.path, &texts)
            });
            self.remember(state, digest).await;
        }
    }

    /// Whether it is written down.
    async fn remember(&self, state: &State, digest: Option<String>) -> bool {
        let Some(ledger) = self.inner.overrides.trusted.clone() else {
            return false;
        };
        let config = absolute(&state.path);
        let kept = blocking(move || ledger::keep(&ledger, &config, digest.as_deref())).await;
        let failure = match kept {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => Failure::from(error),
            Err(failure) => failure,
        };
        let text = format!("the next start will not know what you trust: {failure}");
        self.say(None, Urgency::Warning, text);
        false
    }
}
