//! One look at an agent: its pane, who is in front, what it says of itself, and what follows from all of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::ladder::{Conclusion, Rung, RungName, conclude};
use super::registry::{self, Entry, Missing};
use super::spent::{self, Meter};
use super::transcript::{self, Tail};
use super::{Facts, facts};
use crate::git::{self, WorkMark};
use crate::ids::{Kind, PaneAddress};
use crate::screen::Screen;
use crate::screen::profile::{Profile, Profiles, Publishes, TypingSpec};
use crate::screen::prompt::Prompt;
use crate::screen::recognise::{self, Reading, Shown};
use crate::screen::reset::{Zone, reset_time};
use crate::screen::state::State;
use crate::zellij::{Dump, Zellij, ZellijError};

/// Who reads an agent's screens.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The profiles that are known.
    pub profiles: Arc<Profiles>,
    /// The kind that a person set, if one did.
    pub kind: Option<Kind>,
    /// Whether a shell in front is the agent.
    pub allow_shell: bool,
    /// The end of its transcript as it was read last: one that has not grown is not read again.
    pub earlier: Option<Arc<Tail>>,
    /// The count of what it spends, which is gone on with; `None`: it is not counted.
    pub meter: Option<Arc<Meter>>,
    /// The zone of the times that an agent shows without one.
    pub zone: Zone,
}

/// What it is known by, how an agent's screen is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// By a profile.
    As(Kind),
    /// By what prompts and dialogs look like in general, as a person allowed.
    Generic,
    /// The same, but nobody allowed that it is typed to.
    No,
}

/// The kind that stands for a program without a profile that may be typed to all the same.
pub const GENERIC: &str = "generic";

/// What an agent says of itself, beside its screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Own {
    /// Its entry in its session registry.
    pub registry: Result<Entry, Missing>,
    /// The end of its transcript.
    pub transcript: Result<Arc<Tail>, Missing>,
    /// The count of what it spends, where that was asked for.
    pub meter: Option<Arc<Meter>>,
}

impl Own {
    /// Nothing, and why.
    pub fn nothing(why: &str) -> Self {
        Self {
            registry: Err(Missing::new(why)),
            transcript: Err(Missing::new(why)),
            meter: None,
        }
    }
}

/// What is seen at one moment, all of it read in one pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// What zellij and the system say of the pane.
    pub facts: Facts,
    /// Its screen, told from others by what stands still on it.
    pub screen: Screen,
    /// What the screen says.
    pub reading: Reading,
    /// What follows from all that is known.
    pub conclusion: Conclusion,
    /// What the agent says of itself.
    pub own: Own,
    /// What its folder's repository was like, where that was asked for and there is one.
    pub work: Option<WorkMark>,
    /// When the limit that its transcript tells of is reset, where that says so.
    pub resets: Option<DateTime<Utc>>,
    /// How it was read.
    pub known: Known,
    /// How the agent is typed to.
    pub typing: TypingSpec,
    /// Whether only two screens, apart in time, tell that it does not work.
    pub two_screens: bool,
    /// Whether it was read with care enough to type by: two dumps that agree, and a list of panes of now.
    pub close: bool,
    /// Whether a shell in front is the agent, as a person allowed.
    pub allow_shell: bool,
    /// The zone of the times that it shows without one.
    pub zone: Zone,
    /// When it was read.
    pub at: DateTime<Utc>,
    /// When the last reading of its screen began: what changed since cannot be seen in it.
    pub read_from: Instant,
}

impl Sight {
    /// Its prompt, where one is found.
    pub const fn prompt(&self) -> Option<&Prompt> {
        self.reading.prompt.as_ref()
    }

    /// What the agent is doing, by all that is known.
    pub const fn state(&self) -> State {
        self.conclusion.state
    }

    /// On what that rests, in a few words.
    pub fn because(&self) -> String {
        let winner = self.conclusion.winner;
        let said = self
            .conclusion
            .rungs
            .iter()
            .find(|rung| rung.name == winner);
        match said {
            Some(rung) if winner != RungName::Screen => format!("{winner}: {}", rung.detail),
            _ => self.reading.rule.clone(),
        }
    }

    /// The kind, in a word.
    pub fn kind(&self) -> Option<&str> {
        match &self.known {
            Known::As(kind) => Some(kind.as_str()),
            Known::Generic => Some(GENERIC),
            Known::No => None,
        }
    }

    /// Where the agent works: as it says itself, else as the system says.
    pub fn folder(&self) -> Option<PathBuf> {
        folder(&self.facts, &self.own)
    }

    /// The whole command that the open dialog asks about, where the transcript tells.
    pub fn whole_command(&self) -> Option<&str> {
        let dialog = self.reading.dialog.as_ref()?;
        let pending = self.own.transcript.as_ref().ok()?.pending_tool()?;
        let command = pending.command.as_deref()?;
        pending.is_shown_as(&dialog.subject).then_some(command)
    }

    /// Whether the agent waits because its conversation fills the model's context. Where it keeps a transcript,
    /// that says it, and not the screen, on which anybody's words may stand.
    pub fn context_full(&self) -> bool {
        let said = match &self.own.transcript {
            Ok(tail) => tail.context_full,
            Err(_) => self.reading.context_full,
        };
        said && self.state().takes_nudge()
    }

    /// Takes the screen for one that shows another state than it seems to.
    pub fn screen_shows(&mut self, state: State, rule: &str) {
        self.reading = self.reading.clone().but(state, rule);
        self.conclude();
    }

    /// Takes in what the agent says of itself.
    #[must_use]
    pub fn with(mut self, own: Own) -> Self {
        self.own = own;
        self.conclude();
        self
    }

    fn conclude(&mut self) {
        let foreground = if self.allow_shell && self.facts.shell && !self.facts.ended {
            let why = "a shell is in front, which may be the agent".to_owned();
            Rung {
                name: RungName::Foreground,
                says: Err(why),
                detail: String::new(),
            }
        } else {
            Rung::foreground(&self.facts)
        };
        let screen = Rung::screen(self.reading.state, self.reading.rule.clone());
        let registry = Rung::registry(&self.own.registry);
        self.resets = self.reset_said();
        let transcript = Rung::transcript(&self.own.transcript, &registry, self.resets, self.at);
        self.conclusion = conclude(vec![foreground, registry, transcript, screen]);
    }
}

impl Sight {
    /// When the limit is reset, by the transcript: its words are as old as their record.
    fn reset_said(&self) -> Option<DateTime<Utc>> {
        let limit = self.own.transcript.as_ref().ok()?.rate_limit.as_ref()?;
        reset_time(&limit.text, limit.at?, self.zone)
    }

    /// When the limit that the screen shows is reset. Its words are taken for new: this is asked once, when a
    /// limit is first seen.
    pub fn reset_shown(&self) -> Option<DateTime<Utc>> {
        let lines = self.reading.lines.iter().map(|line| line.text.as_str());
        let text = lines.collect::<Vec<_>>().join("\n");
        reset_time(&text, self.at, self.zone)
    }
}

/// How a pane is looked at.
#[derive(Debug, Clone, Copy)]
pub enum Care<'a> {
    /// To know what goes on: one dump, and a list of panes that is at most so old.
    Glance(Duration),
    /// To type by what is seen. The first is the prompt as it was a moment ago, if it was read; the second our
    /// own text, if it may stand there.
    Close(Option<&'a Prompt>, Option<&'a str>),
    /// As closely, and what its folder's repository is like.
    Whole,
}

/// Reads all that is known of a pane, now.
///
/// # Errors
/// When zellij does not answer in time, or the pane is not there any more.
pub async fn look(
    zellij: &Zellij,
    pane: &PaneAddress,
    reader: &Reader,
    care: Care<'_>,
) -> Result<Sight, ZellijError> {
    let with_own = async |fresh_within| {
        let facts = facts(zellij, pane, fresh_within).await?;
        let own = reader.own(&facts, pane).await;
        let work = match (&care, folder(&facts, &own)) {
            // that there is no git, or no repository, is no news
            (Care::Whole, Some(folder)) => git::work_mark(&folder).await.ok().flatten(),
            _ => None,
        };
        Ok::<_, ZellijError>((facts, own, work))
    };
    let mut read_from = Instant::now();
    let (known, plain, styled, before, ours) = match care {
        Care::Glance(fresh_within) => {
            let (known, styled) =
                tokio::join!(with_own(fresh_within), zellij.dump(pane, Dump::Styled));
            // a dump of a pane that is gone is empty and no error: the list of panes decides
            let (mut known, styled) = (known?, styled?);
            if styled.trim().is_empty() {
                known = with_own(Duration::ZERO).await?;
            }
            (known, None, styled, None, None)
        }
        // Enter follows this look: the text in the prompt is what is read last
        Care::Close(before, Some(ours)) => {
            let (known, plain) =
                tokio::join!(with_own(Duration::ZERO), zellij.dump(pane, Dump::Viewport),);
            let (known, plain) = (known?, plain?);
            read_from = Instant::now();
            let styled = zellij.dump(pane, Dump::Styled).await?;
            (known, Some(plain), styled, before, Some(ours))
        }
        Care::Close(..) | Care::Whole => {
            let (known, plain, styled) = tokio::join!(
                with_own(Duration::ZERO),
                zellij.dump(pane, Dump::Viewport),
                zellij.dump(pane, Dump::Styled),
            );
            let before = match care {
                Care::Close(before, _) => before,
                _ => None,
            };
            (known?, Some(plain?), styled?, before, None)
        }
    };
    let (facts, own, work) = known;
    let sight = reader.read(facts, plain.as_deref(), &styled, before, ours);
    let mut sight = sight.with(own);
    sight.work = work;
    sight.read_from = read_from;
    Ok(sight)
}

/// Where the agent works: as it says itself, else as the system says.
fn folder(facts: &Facts, own: &Own) -> Option<PathBuf> {
    let said = own.registry.as_ref().ok();
    said.and_then(|entry| entry.folder.clone())
        .or_else(|| facts.program.as_ref()?.folder.clone())
}

impl Reader {
    /// The profile of what is in front, if one is known.
    fn profile(&self, facts: &Facts) -> (Known, Option<Arc<Profile>>) {
        let known = match &self.kind {
            Some(kind) if kind.as_str() == GENERIC => return (Known::Generic, None),
            Some(kind) => self.profiles.get(kind),
            None => {
                let name = facts
                    .program
                    .as_ref()
                    .map_or("", |program| program.name.as_str());
                self.profiles.of_program(name, &facts.arguments)
            }
        };
        match known {
            Some(profile) => (Known::As(profile.kind().clone()), Some(Arc::clone(profile))),
            None => (Known::No, None),
        }
    }

    /// What the agent in front says of itself, where it is known to say anything.
    async fn own(&self, facts: &Facts, pane: &PaneAddress) -> Own {
        let (_, profile) = self.profile(facts);
        let publishes = profile.and_then(|profile| profile.file().publishes);
        if publishes != Some(Publishes::ClaudeCode) {
            return Own::nothing("this program is not known to write any");
        }
        let process = facts.program.iter().filter_map(|program| program.process);
        let registry = registry::find(process, pane).await;
        let transcript = match &registry {
            Ok(entry) => match &entry.transcript {
                Some(path) => transcript::tail(path, self.earlier.as_ref()).await,
                None => Err(Missing::new("there is none before the first prompt")),
            },
            Err(_) => Err(Missing::new(
                "which transcript is its own, only the registry tells",
            )),
        };
        let path = registry.as_ref().ok();
        let path = path.and_then(|entry| entry.transcript.as_deref());
        let meter = match (path, &self.meter) {
            (Some(path), Some(meter)) => Some(spent::read_on(path, meter).await),
            _ => None,
        };
        Own {
            registry,
            transcript,
            meter,
        }
    }

    /// Puts together what was read of the pane.
    pub fn read(
        &self,
        facts: Facts,
        plain: Option<&str>,
        styled: &str,
        before: Option<&Prompt>,
        ours: Option<&str>,
    ) -> Sight {
        let (known, profile) = self.profile(&facts);
        let (columns, cursor) = (facts.columns, facts.cursor);
        let read = |shown: &Shown| match &profile {
            Some(profile) => recognise::with_ours(profile, shown, ours),
            None => recognise::in_general(shown, before, ours),
        };
        let shown = Shown::styled(styled, columns, cursor);
        let mut reading = read(&shown);
        if let Some(plain) = plain {
            let solid = shown.solid.clone();
            let other = Shown {
                screen: Screen::read(plain),
                solid,
                ..shown.clone()
            };
            // a screen that changed in between, or of which zellij gave a part only, would make a prompt look
            // empty that is not
            if !reading.agrees(&read(&other)) {
                reading = reading.but(State::Unknown, "two dumps of it differ");
                reading.prompt = None;
            }
        }
        let (typing, two_screens) = profile.as_ref().map_or_else(Default::default, |profile| {
            (profile.typing().clone(), profile.file().two_screens)
        });
        let mut sight = Sight {
            facts,
            screen: shown.screen.told_by(&reading.still),
            reading,
            conclusion: conclude(Vec::new()),
            own: Own::nothing("it was not looked for"),
            work: None,
            resets: None,
            known,
            typing,
            two_screens,
            close: plain.is_some(),
            allow_shell: self.allow_shell,
            zone: self.zone,
            at: Utc::now(),
            read_from: Instant::now(),
        };
        sight.conclude();
        sight
    }
}
