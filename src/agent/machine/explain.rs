//! What is known of an agent, what the rules would do now, what for they wait, and why: for a person who asks.
//!
//! Asks the rules themselves wherever they can be asked, and changes nothing. `/explain` shows it, `/capture`
//! keeps it.

use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::view::{Bounded, Status};
use super::{Busy, Machine, Mode, Moment, Trouble};
use crate::director::policy::{self, Errand, Refusal};
use crate::evidence::Sight;
use crate::evidence::ladder::{Rung, RungName};
use crate::ids::{AgentId, PaneAddress};
use crate::screen::Screen;
use crate::screen::state::State;
use crate::screen::told::Told;

/// All that a person may want to know of one agent at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Its name.
    pub id: AgentId,
    /// Its pane.
    pub pane: PaneAddress,
    /// The moment.
    pub at: DateTime<Utc>,
    /// When its pane was read last.
    pub seen_at: Option<DateTime<Utc>>,
    /// What the supervisor is doing about it.
    pub status: Status,
    /// What the agent is doing; `None` before the first look.
    pub state: Option<State>,
    /// The source whose word that is.
    pub winner: Option<RungName>,
    /// On what that rests, in a few words.
    pub because: String,
    /// Whether all sources go together.
    pub agreed: bool,
    /// Which two do not, where they do not.
    pub disagreement: Option<String>,
    /// Every source: what it says, or why it says nothing.
    pub rungs: Vec<Rung>,
    /// What kind of agent it is, where that is known.
    pub kind: Option<String>,
    /// The program in the foreground of its pane.
    pub front: Option<String>,
    /// What the screen alone says, with the rule, the lines, the prompt and the dialog.
    pub screen: Option<Told>,
    /// What the rules would do now.
    pub outlook: Outlook,
    /// What they wait for.
    pub waits_for: Vec<Waiting>,
    /// The question that waits for the person.
    pub question: Option<String>,
    /// When the usage limit that it is at is reset, where it is at one and that is known.
    pub limit_until: Option<DateTime<Utc>>,
    /// Nudges in the last hour.
    pub nudges: Bounded<u32>,
    /// Nudges in a row that changed nothing for good.
    pub fruitless: Bounded<u32>,
    /// Decide calls today (UTC).
    pub calls: Bounded<u32>,
    /// Tokens today (UTC).
    pub tokens: Bounded<u64>,
}

/// What the rules would do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// Whether an instruction would go to the transaction that types it, if a verdict called for one now. The
    /// transaction looks twice more, closely, before it types.
    pub would_nudge: bool,
    /// Everything that speaks against it.
    pub against: Vec<Against>,
    /// What is done now, in a sentence.
    pub does: String,
}

/// Something that speaks against a nudge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Against {
    /// What, in a stable word: `stopped`, `unread`, `log`, `typing`, `observe`, `stopall`, `hold`, `mission`, `person`,
    /// `question`, `limit`, `state`, `disagreement`, `program`, `profile`, `prompt`, `screen`, `bound`.
    pub what: Cow<'static, str>,
    /// In a sentence.
    pub why: String,
}

/// Something that is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// What, in a stable word: `start`, `receipt`, `verdict`, `person`, `startall`, `release`, `mission`, `quiet`, `reset`,
    /// `stall`, `nextQuestion`, `look`.
    #[serde(rename = "for")]
    pub what: Cow<'static, str>,
    /// In a few words.
    pub why: String,
    /// How long that may take yet, in seconds, where it is known.
    pub seconds: Option<u64>,
}

impl Machine {
    /// What is known of the agent, what would be done now and why.
    pub fn explain(&self, now: Moment) -> Explanation {
        let sight = self.sight.as_deref();
        let conclusion = sight.map(|sight| &sight.conclusion);
        let disagreement = conclusion.and_then(|conclusion| conclusion.agreed.clone().err());
        let view = self.view(now);
        Explanation {
            id: view.id,
            pane: view.pane,
            at: now.wall,
            seen_at: sight.map(|sight| sight.at),
            status: view.status,
            state: view.state,
            winner: conclusion.map(|conclusion| conclusion.winner),
            because: sight.map(Sight::because).unwrap_or_default(),
            agreed: sight.is_some() && disagreement.is_none(),
            disagreement,
            rungs: conclusion.map_or_else(Vec::new, |conclusion| conclusion.rungs.clone()),
            kind: view.kind,
            front: sight.map(|sight| sight.facts.front().to_owned()),
            screen: sight.map(|sight| Told::from(&sight.reading)),
            outlook: self.outlook(now),
            waits_for: self.waits_for(now),
            question: view.question.map(|question| question.text),
            limit_until: self.counters.limit.as_ref().and_then(|limit| limit.until),
            nudges: view.nudges,
            fruitless: view.fruitless,
            calls: view.calls,
            tokens: view.tokens,
        }
    }

    fn outlook(&self, now: Moment) -> Outlook {
        let against = self.against(now);
        Outlook {
            would_nudge: against.is_empty(),
            does: self.does(now, &against),
            against,
        }
    }

    /// Everything that speaks against a nudge now, what weighs most first.
    fn against(&self, now: Moment) -> Vec<Against> {
        let mut against = Vec::new();
        let mut add = |what: &'static str, why: String| {
            let what = Cow::Borrowed(what);
            against.push(Against { what, why });
        };
        match self.mode {
            Mode::Stopped => add("stopped", "it was stopped".into()),
            Mode::Disabled => add("stopped", "the configuration leaves it out".into()),
            Mode::Watching => {}
        }
        if let Some(Trouble::Gone(why) | Trouble::NoAnswer(why)) = &self.trouble {
            add("unread", why.clone());
        }
        if let Some(why) = &self.log_trouble {
            add("log", format!("its log cannot be written: {why}"));
        }
        if matches!(self.busy, Busy::Typing(_)) {
            add("typing", "something is being typed to it".into());
        }
        if self.observes() {
            add("observe", "it is only observed".into());
        }
        if let Some(why) = self.holds_off(now) {
            let what = if self.settings.all_stopped {
                "stopall"
            } else if self.held(now).is_some() {
                "hold"
            } else if self.reserved {
                "mission"
            } else {
                "person"
            };
            add(what, why);
        }
        if self.counters.question.is_some() {
            add("question", "a question waits for you".into());
        }
        if let Some(limit) = &self.counters.limit {
            add("limit", at_limit(limit.until));
        }
        match self.sight.as_deref() {
            None => add("unread", "its pane has not been read yet".into()),
            Some(sight) => against.extend(self.refusal(sight)),
        }
        against.extend(self.bounds(now));
        against
    }

    /// What the policy says against it, had it been looked at closely.
    fn refusal(&self, sight: &Sight) -> Option<Against> {
        let mut close = sight.clone();
        close.close = true;
        let refusal = policy::permit(self.terms(None, Errand::Nudge), &close).err()?;
        let state = sight.state();
        let what = match refusal {
            Refusal::State { .. } | Refusal::Dialog(_) => "state",
            _ if state.is_dialog() || state.is_busy() => "state",
            Refusal::Disagree(_) => "disagreement",
            Refusal::NoProfile(_) => "profile",
            Refusal::NoPrompt | Refusal::Draft(_) | Refusal::Unsure => "prompt",
            Refusal::Ended
            | Refusal::NobodyAccepted
            | Refusal::FrontUnknown
            | Refusal::Shell(_)
            | Refusal::OtherProgram { .. }
            | Refusal::OtherServer => "program",
            _ => "screen",
        };
        let why = match (what, state.is_dialog()) {
            ("state", true) => format!("its state is {state}: a person answers"),
            _ => refusal.to_string(),
        };
        Some(Against {
            what: what.into(),
            why,
        })
    }

    fn bounds(&self, now: Moment) -> Vec<Against> {
        let limits = &self.settings.limits;
        let hourly = self.nudges_this_hour(now) >= limits.nudges_per_hour;
        let hourly = hourly.then(|| {
            format!(
                "the bound of {} nudges an hour is reached",
                limits.nudges_per_hour
            )
        });
        let fruitless =
            limits.fruitless_nudges > 0 && self.counters.fruitless >= limits.fruitless_nudges;
        let fruitless = fruitless.then(|| {
            format!(
                "{} nudges in a row changed nothing for good",
                limits.fruitless_nudges
            )
        });
        let all = [hourly, fruitless, self.spent(now)];
        let all = all.into_iter().flatten();
        let bound = |why| Against {
            what: "bound".into(),
            why,
        };
        all.map(bound).collect()
    }

    /// What is done now, in a sentence.
    fn does(&self, now: Moment, against: &[Against]) -> String {
        if self.mode != Mode::Watching {
            let id = &self.settings.agent.id;
            return format!("nothing: it is not watched; `/start {id}` starts it");
        }
        match (&self.busy, &self.trouble) {
            (Busy::Typing(sending), _) => return format!("types: {}", sending.typing.text),
            (Busy::Asking { .. }, _) => {
                return format!("asks {} what to do", self.settings.backend);
            }
            (Busy::Nothing, Some(_)) => return "looks again whether it can be read".into(),
            (Busy::Nothing, None) => {}
        }
        let Some(sight) = self.sight.as_deref() else {
            return "looks at its pane for the first time".into();
        };
        let state = sight.state();
        if self.counters.question.is_some() {
            return "waits for your answer, and types nothing meanwhile".into();
        }
        if let Some(first) = against.iter().find(|against| {
            let what = against.what.as_ref();
            matches!(what, "stopall" | "hold" | "mission" | "person")
        }) {
            return format!("leaves it alone: {}", first.why);
        }
        if state.is_dialog() {
            let answerer = self.answerer(sight, now);
            return format!("types nothing: its state is {state}: {answerer}");
        }
        if !self.is_stalled_now(now) {
            return format!(
                "leaves it alone: its screen changed {} s ago",
                self.quiet(now).as_secs()
            );
        }
        if let Some(question) = self.asked_without_a_model(sight) {
            return format!("asks you: {question}");
        }
        if state.decides_itself() || matches!(state, State::Draft | State::Queued) {
            return format!("leaves it alone: its state is {state}");
        }
        match self.spent(now) {
            Some(bound) => bound,
            None if now.since_start < self.next_ask => format!(
                "leaves it alone; {} is asked about it again later",
                self.settings.backend
            ),
            None => format!("asks {} what to do", self.settings.backend),
        }
    }

    fn is_stalled_now(&self, now: Moment) -> bool {
        let blank = self.screen.as_ref().is_none_or(Screen::is_blank);
        !blank && self.quiet(now) >= self.stall()
    }

    fn waits_for(&self, now: Moment) -> Vec<Waiting> {
        let mut waits = Vec::new();
        let mut add = |what: &'static str, why: String, wait: Option<Duration>| {
            let seconds = wait.map(|wait| wait.as_secs_f64().ceil());
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "seconds of a wait: whole, and not negative"
            )]
            let seconds = seconds.map(|seconds| seconds as u64);
            waits.push(Waiting {
                what: what.into(),
                why,
                seconds,
            });
        };
        if self.mode != Mode::Watching {
            add("start", "`/start`".into(), None);
            return waits;
        }
        match &self.busy {
            Busy::Typing(_) => add("receipt", "what becomes of the text".into(), None),
            Busy::Asking { .. } => {
                add(
                    "verdict",
                    format!("a verdict of {}", self.settings.backend),
                    None,
                );
            }
            Busy::Nothing => {}
        }
        self.waits_for_people(now, &mut add);
        if self.sight.is_some() && self.busy == Busy::Nothing {
            if self.is_stalled_now(now) {
                let wait = self.next_ask.saturating_sub(now.since_start);
                let why = "the next question about this screen".into();
                add("nextQuestion", why, Some(wait));
            } else {
                let wait = self.stall().saturating_sub(self.quiet(now));
                let why = "its screen to stand still long enough".into();
                add("stall", why, Some(wait));
            }
        }
        let why = format!(
            "the next look; its pane is read every {} s",
            self.settings.agent.poll_sec
        );
        add("look", why, None);
        waits
    }

    /// What a person, or a limit, keeps it from.
    fn waits_for_people(
        &self,
        now: Moment,
        add: &mut impl FnMut(&'static str, String, Option<Duration>),
    ) {
        let until = |then: DateTime<Utc>| (then - now.wall).to_std().unwrap_or_default();
        if self.counters.question.is_some() {
            add("person", "your answer".into(), None);
        }
        if self.settings.all_stopped {
            add("startall", "`/startall`".into(), None);
        }
        if let Some(hold) = self.held(now) {
            let why = format!("`/release {}`", self.settings.agent.id);
            add("release", why, hold.until.map(until));
        }
        if self.reserved {
            add("mission", "what its mission is about to do".into(), None);
        }
        let quiet = self.settings.timing.person_quiet_sec.duration();
        let worked = self.person_at.map(|at| now.since_start.saturating_sub(at));
        if let Some(worked) = worked.filter(|worked| *worked < quiet) {
            let why = "its prompt to be empty and still".into();
            add("quiet", why, Some(quiet.saturating_sub(worked)));
        }
        if let Some(limit) = &self.counters.limit {
            let why = "the reset of its usage limit".into();
            add("reset", why, limit.until.map(until));
        }
    }
}

fn at_limit(until: Option<DateTime<Utc>>) -> String {
    match until {
        Some(until) => format!(
            "it is at its usage limit until {}",
            crate::record::time_text(until)
        ),
        None => "it is at its usage limit, and it is not known until when".into(),
    }
}
