//! Decides whether a text may be typed now: pure, and the only place where a [`Permit`] is made.
//!
//! `hands` types nothing without a permit, and asks again with what it sees right before Enter. Whoever adds
//! a way to type adds it here first.

use super::authority::{Authority, asks_to_trust};
use crate::evidence::registry::Status;
use crate::evidence::transcript::Mark;
use crate::evidence::{Facts, Known, Sameness, Sight, sameness};
use crate::record::Program;
use crate::screen::Digest;
use crate::screen::prompt::{Cursor, Prompt};
use crate::screen::recognise::Dialog;
use crate::screen::state::State;

/// What holds for an agent, whatever its screen shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Who may be typed to; `None` until a person or a resume has accepted somebody.
    pub accepted: Option<Program>,
    /// Whether a shell in front may be typed to.
    pub allow_shell: bool,
    /// The screen that the text is for; `None` for a person's own text.
    pub judged: Option<Digest>,
    /// What the text is, which decides in which states it may be typed.
    pub errand: Errand,
}

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// A nudge: to an agent that waits for its next text.
    Nudge,
    /// The one nudge after a usage limit has been reset.
    AfterLimit,
    /// A person's own text, who knows what the agent is doing.
    Reply,
}

impl Errand {
    /// Whether a text of this kind may be typed to an agent in this state; `queues`: it takes messages while it
    /// works.
    pub const fn fits(self, state: State, queues: bool) -> bool {
        match self {
            _ if state.takes_nudge() => true,
            Self::Nudge => false,
            Self::AfterLimit => matches!(state, State::Limit),
            Self::Reply => match state {
                State::Limit | State::Background => true,
                State::Working | State::Queued => queues,
                _ => false,
            },
        }
    }
}

/// Why nothing is typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The pane's command has ended; Enter would run it again.
    #[error("the program in the pane has ended")]
    Ended,
    /// Nobody has accepted a program yet.
    #[error("no program in this pane has been accepted; `/start` accepts the one that is there")]
    NobodyAccepted,
    /// Neither zellij nor the system says who is in front.
    #[error("it is not known which program is in the foreground")]
    FrontUnknown,
    /// A text would be a shell command.
    #[error("a shell ({0}) is in the foreground")]
    Shell(String),
    /// Somebody else is in front.
    #[error(
        "`{found}` is in the foreground, not the `{accepted}` that was accepted; `/start` accepts it"
    )]
    OtherProgram {
        /// Who was accepted.
        accepted: String,
        /// Who is there.
        found: String,
    },
    /// The zellij server is another one than it was.
    #[error(
        "the zellij server has been restarted since the pane was accepted; `/start` accepts it again"
    )]
    OtherServer,
    /// The verdict was about another screen.
    #[error("the screen has changed since it was judged")]
    ScreenChanged,
    /// A key might be an answer.
    #[error("the screen looks like a dialog: `{0}`")]
    Dialog(String),
    /// The agent does something else than to wait for a text.
    #[error("its state is {state} ({rule})")]
    State {
        /// What it does.
        state: State,
        /// By which rule.
        rule: String,
    },
    /// Two sources do not say the same of what the agent is doing.
    #[error("it is not sure what it is doing: {0}")]
    Disagree(String),
    /// There is no profile by which to know what it does.
    #[error(
        "there is no profile of `{0}`, so that nobody knows what a key would do; `/set ID kind generic` allows it all the same"
    )]
    NoProfile(String),
    /// Only styling could tell a placeholder from a draft.
    #[error("what stands in the prompt may be a placeholder or somebody's text")]
    Unsure,
    /// The pane was only glanced at.
    #[error("the pane was not read with enough care")]
    Glanced,
    /// The dialog is not the one that was judged.
    #[error("the dialog is not the one that was judged")]
    OtherDialog,
    /// A mission's yes is for the trust dialog of one folder.
    #[error("it is not the trust dialog of the mission's folder: {0}")]
    OtherFolder(String),
    /// A rule would say more than yes or no, or for more than this once.
    #[error("only a person chooses an option that says more than yes or no this once")]
    Always,
    /// The prompt or the cursor moved, and not by us.
    #[error("somebody is at work in the pane")]
    PersonAtWork,
    /// The field for an answer is not open.
    #[error("the field for the answer is not open")]
    NoField,
    /// Nothing shows where the text would land.
    #[error("no prompt is to be seen")]
    NoPrompt,
    /// Somebody's text stands in the prompt.
    #[error("somebody's text stands in the prompt: `{0}`")]
    Draft(String),
    /// Our text does not stand in the prompt as we typed it.
    #[error("the prompt does not hold exactly the text that was typed")]
    NotOurText,
}

impl Refusal {
    /// Whether it may be no more than a screen that is being drawn: worth another look, and never a key.
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::NotOurText
                | Self::NoPrompt
                | Self::NoField
                | Self::Disagree(_)
                | Self::State {
                    state: State::Unknown,
                    ..
                }
        )
    }
}

/// The word that a text may be typed, for one screen of one process.
#[derive(Debug, Clone, PartialEq)]
pub struct Permit {
    terms: Terms,
    before: Prompt,
    screen: Digest,
    cursor: Option<Cursor>,
    /// How far its transcript had grown.
    said: Option<Mark>,
}

/// Judges whether a text may be typed into what is seen.
///
/// # Errors
/// The first reason against it.
pub fn permit(terms: Terms, sight: &Sight) -> Result<Permit, Refusal> {
    same_program(&terms, &sight.facts)?;
    known(sight)?;
    let screen = sight.screen.digest();
    if terms.judged.is_some_and(|judged| judged != screen) {
        return Err(Refusal::ScreenChanged);
    }
    let prompt = sight.prompt();
    let draft = prompt.filter(|prompt| !prompt.draft.is_empty());
    let fits = terms.errand.fits(sight.state(), sight.typing.queues);
    match draft {
        Some(prompt) if fits || sight.state() == State::Draft => {
            return Err(Refusal::Draft(excerpt(&prompt.draft)));
        }
        _ if !fits => return Err(not_now(sight)),
        _ => {}
    }
    agreed(sight)?;
    match prompt {
        None => Err(Refusal::NoPrompt),
        Some(prompt) if prompt.unsure => Err(Refusal::Unsure),
        Some(prompt) => Ok(Permit {
            before: prompt.clone(),
            screen,
            cursor: sight.facts.cursor,
            said: said(sight),
            terms,
        }),
    }
}

impl Permit {
    /// The prompt as it was when the permit was given.
    pub const fn before(&self) -> &Prompt {
        &self.before
    }

    /// How far the transcript had grown when the permit was given, where there was one.
    pub const fn said(&self) -> Option<&Mark> {
        self.said.as_ref()
    }

    /// The same permit from a second look, some time after the first: nothing may have moved.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn again(self, sight: &Sight) -> Result<Self, Refusal> {
        let moved = self.screen;
        let stood_still = self.cursor == sight.facts.cursor;
        let permit = permit(self.terms, sight)?;
        if permit.screen != moved {
            return Err(Refusal::ScreenChanged);
        }
        if stood_still {
            Ok(permit)
        } else {
            Err(Refusal::PersonAtWork)
        }
    }

    /// Judges whether Enter may follow `text`, which was typed under this permit. `sight` is of a look that knew
    /// of it.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn enter(&self, text: &str, sight: &Sight) -> Result<(), Refusal> {
        same_program(&self.terms, &sight.facts)?;
        known(sight)?;
        let (state, errand) = (sight.state(), self.terms.errand);
        // hints change with a text in the prompt, so that a profile may see no more than that
        let right = errand.fits(state, sight.typing.queues) || state == State::Draft;
        if !right && state != State::Unknown {
            return Err(not_now(sight));
        }
        let held = sight
            .prompt()
            .is_some_and(|prompt| prompt.holds(&self.before, text));
        let registry = sight.own.registry.as_ref().ok();
        let is_idle = registry.map(|entry| entry.status == Status::Idle);
        match (held, is_idle) {
            (false, _) => Err(Refusal::NotOurText),
            // where its own word is that it waits, the screen need say no more than that nothing else is open
            (true, Some(true)) if !right => Ok(()),
            (true, Some(false)) if errand == Errand::Nudge => Err(not_now(sight)),
            (true, _) if right => agreed(sight),
            (true, _) => Err(not_now(sight)),
        }
    }
}

impl Permit {
    /// What shows that `text`, typed under this permit, was taken, if anything does.
    pub fn proof(&self, text: &str, sight: &Sight) -> Option<String> {
        if same_program(&self.terms, &sight.facts).is_err() {
            return None;
        }
        let state = sight.state();
        let moved = sight.screen.digest() != self.screen;
        let held = sight
            .prompt()
            .is_some_and(|prompt| prompt.holds(&self.before, text));
        let emptied = sight.prompt().is_some_and(|prompt| prompt.draft.is_empty());
        let busy = sight.own.registry.as_ref();
        let busy = busy.is_ok_and(|entry| entry.status == Status::Busy);
        if held || !moved {
            None
        } else if busy {
            Some("the registry says busy".into())
        } else if emptied {
            Some("the prompt is empty, and the screen moved on".into())
        } else if state.is_busy() || state.is_dialog() {
            Some(format!("its state is {state}"))
        } else {
            None
        }
    }
}

/// Judges whether a key may answer the dialog that is seen with its option `choice`.
///
/// # Errors
/// The first reason against it.
pub fn answer(
    terms: &Terms,
    by: &Authority,
    judged: &Dialog,
    choice: usize,
    sight: &Sight,
) -> Result<(), Refusal> {
    dialog_shown(terms, by, sight)?;
    let dialog = sight.reading.dialog.as_ref();
    option_of(dialog, by, judged, choice)
}

/// Judges whether the field of the dialog that was judged is open, and holds exactly `text` (if that is empty:
/// nothing), so that what comes next may be pressed: the text, or the key that submits it.
///
/// # Errors
/// The first reason against it.
pub fn written(
    terms: &Terms,
    by: &Authority,
    judged: &Dialog,
    choice: usize,
    text: &str,
    sight: &Sight,
) -> Result<(), Refusal> {
    dialog_shown(terms, by, sight)?;
    let field = sight.reading.field.as_ref().ok_or(Refusal::NoField)?;
    option_of(Some(&field.dialog), by, judged, choice)?;
    let is_ours = if text.is_empty() {
        field.is_empty()
    } else {
        field.holds(text)
    };
    match is_ours {
        true => Ok(()),
        false if text.is_empty() && !field.text.draft.is_empty() => {
            Err(Refusal::Draft(excerpt(&field.text.draft)))
        }
        false => Err(Refusal::NotOurText),
    }
}

/// Whether a dialog is open that may be answered so.
fn dialog_shown(terms: &Terms, by: &Authority, sight: &Sight) -> Result<(), Refusal> {
    same_program(terms, &sight.facts)?;
    known(sight)?;
    let state = sight.state();
    let reaches = match by {
        Authority::Person => state.is_dialog(),
        Authority::Rule => state == State::Approval,
        Authority::Folder(folder) => {
            asks_to_trust(sight, folder).map_err(Refusal::OtherFolder)?;
            true
        }
    };
    if !reaches {
        return Err(Refusal::State {
            state,
            rule: sight.because(),
        });
    }
    if by.is_person() {
        Ok(())
    } else {
        agreed(sight)
    }
}

/// Whether the dialog is the one that was judged, and its option one that may be chosen.
fn option_of(
    dialog: Option<&Dialog>,
    by: &Authority,
    judged: &Dialog,
    choice: usize,
) -> Result<(), Refusal> {
    let dialog = dialog.filter(|dialog| dialog.is(judged));
    let chosen = dialog
        .and_then(|dialog| dialog.choices.get(choice))
        .ok_or(Refusal::OtherDialog)?;
    if !by.may_say(chosen.says) {
        return Err(Refusal::Always);
    }
    Ok(())
}

/// How far its transcript has grown; an agent whose registry names none has not begun one yet.
fn said(sight: &Sight) -> Option<Mark> {
    let begun = sight.own.registry.as_ref().ok()?.transcript.is_some();
    let tail = sight.own.transcript.as_ref().ok();
    match tail {
        Some(tail) => Some(tail.mark.clone()),
        None => (!begun).then(Mark::nothing),
    }
}

/// Why a text that is not for this state is not typed.
fn not_now(sight: &Sight) -> Refusal {
    let state = sight.state();
    let reading = &sight.reading;
    let line = reading.lines.last().map(|line| line.text.as_str());
    match (state, line) {
        (State::Unknown, _) if reading.prompt.is_none() => Refusal::NoPrompt,
        (State::Question | State::Approval, Some(line)) => Refusal::Dialog(excerpt(line)),
        _ => Refusal::State {
            state,
            rule: sight.because(),
        },
    }
}

/// Nothing is typed where two sources do not agree on what the agent is doing.
fn agreed(sight: &Sight) -> Result<(), Refusal> {
    let agreed = sight.conclusion.agreed.clone();
    agreed.map_err(Refusal::Disagree)
}

/// What may be typed by: a close look at a program that is known.
fn known(sight: &Sight) -> Result<(), Refusal> {
    if sight.known == Known::No {
        return Err(Refusal::NoProfile(sight.facts.front().to_owned()));
    }
    if sight.close {
        Ok(())
    } else {
        Err(Refusal::Glanced)
    }
}

fn same_program(terms: &Terms, facts: &Facts) -> Result<(), Refusal> {
    if facts.ended {
        return Err(Refusal::Ended);
    }
    let found = facts.program.as_ref().ok_or(Refusal::FrontUnknown)?;
    if facts.shell && !terms.allow_shell {
        return Err(Refusal::Shell(found.name.clone()));
    }
    let accepted = terms.accepted.as_ref().ok_or(Refusal::NobodyAccepted)?;
    match sameness(accepted, found) {
        Sameness::Same => Ok(()),
        Sameness::OtherServer => Err(Refusal::OtherServer),
        Sameness::OtherProcess => Err(Refusal::OtherProgram {
            accepted: accepted.name.clone(),
            found: found.name.clone(),
        }),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Own;
    use crate::evidence::registry::Entry;
    use crate::evidence::{GENERIC, Reader};
    use crate::host::process::ProcessIdentity;
    use crate::screen::Screen;
    use crate::screen::prompt::Cursor;
    use crate::screen::recognise::Says;
    use std::sync::Arc;

    fn claude(pid: u32) -> Program {
        let identity = |pid| Some(ProcessIdentity { pid, started: 1 });
        Program {
            name: "claude".into(),
            command: "claude".into(),
            folder: None,
            process: identity(pid),
            server: identity(1),
        }
    }

    fn terms() -> Terms {
        Terms {
            accepted: Some(claude(7)),
            allow_shell: false,
            judged: Some(Screen::read("● done\n> ").digest()),
            errand: Errand::Nudge,
        }
    }

    fn reader(allow_shell: bool) -> Reader {
        Reader {
            profiles: Arc::default(),
            earlier: None,
            meter: None,
            zone: crate::screen::reset::Zone::UTC,
            kind: GENERIC.parse().ok(),
            allow_shell,
        }
    }

    fn facts(cursor: (usize, usize)) -> Facts {
        Facts {
            ended: false,
            program: Some(claude(7)),
            shell: false,
            columns: 80,
            cursor: Some(Cursor {
                column: cursor.0,
                row: cursor.1,
            }),
            arguments: Vec::new(),
            exit_status: None,
        }
    }

    fn sight(text: &str, cursor: (usize, usize)) -> Sight {
        reader(false).read(facts(cursor), Some(text), text, None, None)
    }

    /// A look that knows that `ours` was typed under `permit`.
    fn sight_of(text: &str, cursor: (usize, usize), permit: &Permit, ours: &str) -> Sight {
        let before = Some(permit.before());
        reader(false).read(facts(cursor), Some(text), text, before, Some(ours))
    }

    fn idle() -> Sight {
        sight("● done\n> ", (2, 1))
    }

    #[test]
    fn an_idle_agent_may_be_typed_to() {
        assert!(permit(terms(), &idle()).is_ok());
    }

    #[test]
    fn each_reason_against_typing_is_told() {
        let with = |change: &dyn Fn(&mut Sight)| {
            let mut sight = idle();
            change(&mut sight);
            permit(
                Terms {
                    judged: None,
                    ..terms()
                },
                &sight,
            )
            .unwrap_err()
        };
        assert_eq!(with(&|sight| sight.facts.ended = true), Refusal::Ended);
        assert_eq!(
            with(&|sight| sight.facts.program = None),
            Refusal::FrontUnknown
        );
        assert_eq!(
            with(&|sight| sight.facts.shell = true),
            Refusal::Shell("claude".into())
        );
        assert!(matches!(
            with(&|sight| sight.facts.program = Some(claude(8))),
            Refusal::OtherProgram { .. }
        ));
        let elsewhere = Program {
            server: claude(2).process,
            ..claude(7)
        };
        assert_eq!(
            with(&|sight| sight.facts.program = Some(elsewhere.clone())),
            Refusal::OtherServer
        );
        assert_eq!(
            with(&|sight| sight.screen_shows(State::Working, "spinner")),
            Refusal::State {
                state: State::Working,
                rule: "spinner".into()
            }
        );
        assert_eq!(with(&|sight| sight.close = false), Refusal::Glanced);
        assert_eq!(
            with(&|sight| sight.known = Known::No),
            Refusal::NoProfile("claude".into())
        );
        assert_eq!(
            with(&|sight| sight.reading.prompt = None),
            Refusal::NoPrompt
        );
        assert_eq!(
            with(&|sight| *sight = super::tests::sight("● done\n> half", (6, 1))),
            Refusal::Draft("half".into())
        );
        assert!(matches!(
            with(&|sight| *sight = super::tests::sight("Proceed? [y/N]\n> ", (2, 1))),
            Refusal::Dialog(_)
        ));
    }

    #[test]
    fn a_shell_may_be_typed_to_only_where_the_person_allowed_it() {
        let shell = Facts {
            shell: true,
            ..facts((2, 1))
        };
        let text = "● done\n> ";
        let sight = reader(true).read(shell, Some(text), text, None, None);
        let allowed = Terms {
            allow_shell: true,
            ..terms()
        };
        assert!(permit(allowed, &sight).is_ok());
    }

    #[test]
    fn nobody_is_typed_to_before_somebody_was_accepted() {
        assert_eq!(
            permit(
                Terms {
                    accepted: None,
                    ..terms()
                },
                &idle()
            ),
            Err(Refusal::NobodyAccepted)
        );
    }

    #[test]
    fn a_verdict_about_another_screen_is_stale_but_a_persons_text_is_not() {
        let changed = sight("● done\n● more\n> ", (2, 2));
        assert_eq!(permit(terms(), &changed), Err(Refusal::ScreenChanged));
        assert!(
            permit(
                Terms {
                    judged: None,
                    ..terms()
                },
                &changed
            )
            .is_ok()
        );
    }

    #[test]
    fn enter_follows_our_text_and_nothing_else() {
        let permit = permit(terms(), &idle()).unwrap();
        let text = "fix the y/n prompt";
        let enter =
            |shown: &str, column| permit.enter(text, &sight_of(shown, (column, 1), &permit, text));
        assert_eq!(enter("● done\n> fix the y/n prompt", 20), Ok(()));
        assert!(enter("● done\n> fix the y/n prompt!", 21).is_err());
        assert_eq!(enter("● done\n> fix", 5), Err(Refusal::NotOurText));
        assert_eq!(enter("● done\n> ", 2), Err(Refusal::NotOurText));
        assert!(matches!(
            enter("Proceed? [y/N]\n> fix the y/n prompt", 20),
            Err(Refusal::Dialog(_))
        ));
        let mut ended = sight_of("● done\n> fix the y/n prompt", (20, 1), &permit, text);
        ended.facts.shell = true;
        assert!(matches!(permit.enter(text, &ended), Err(Refusal::Shell(_))));
    }

    #[test]
    fn on_a_screen_that_says_no_more_the_agents_own_word_that_it_waits_counts() {
        let permit = permit(terms(), &idle()).unwrap();
        let text = "go on";
        let enter = |status: Option<Status>, state| {
            let mut sight = sight_of("● done\n> go on", (7, 1), &permit, text);
            sight.reading.state = state;
            permit.enter(text, &sight.with(own(status)))
        };
        assert_eq!(enter(Some(Status::Idle), State::Unknown), Ok(()));
        for (status, state) in [
            (None, State::Unknown),
            (Some(Status::Busy), State::Unknown),
            (Some(Status::Waiting), State::Unknown),
            (Some(Status::Busy), State::Idle),
            (Some(Status::Busy), State::Draft),
            (Some(Status::Idle), State::Menu),
            (Some(Status::Idle), State::Approval),
        ] {
            assert!(enter(status.clone(), state).is_err(), "{status:?} {state}");
        }
    }

    #[test]
    fn an_answer_is_written_into_the_open_place_of_its_dialog_and_sent_as_it_stands() {
        use crate::screen::recognise::Field;
        let options = [
            ('1', "Postgres", Says::Other),
            ('2', "Type something.", Says::Words),
        ];
        let judged = Dialog::made_up(None, "Which database?", &options);
        let other = Dialog::made_up(None, "Which port?", &options);
        let open = |dialog: &Dialog, text: &str, unsure, state| {
            let mut sight = idle();
            sight.screen_shows(state, "a question");
            sight.reading.field = Some(Field {
                dialog: dialog.clone(),
                text: Prompt::holding(text, unsure),
            });
            sight
        };
        let asks = State::Question;
        let draft = |text: &str| Err(Refusal::Draft(text.into()));
        let cases = [
            (&judged, "", false, asks, "", Ok(())),
            (&judged, "", true, asks, "", Err(Refusal::NotOurText)),
            (&judged, "half", false, asks, "", draft("half")),
            (&judged, "go on", false, asks, "go on", Ok(())),
            (&judged, "go\non", false, asks, "go on", Ok(())),
            (
                &judged,
                "go on!",
                false,
                asks,
                "go on",
                Err(Refusal::NotOurText),
            ),
            (&judged, "", false, asks, "go on", Err(Refusal::NotOurText)),
            (&other, "", false, asks, "", Err(Refusal::OtherDialog)),
            (
                &other,
                "go on",
                false,
                asks,
                "go on",
                Err(Refusal::OtherDialog),
            ),
        ];
        for (dialog, shown, unsure, state, text, expected) in cases {
            let sight = open(dialog, shown, unsure, state);
            let may = written(&terms(), &Authority::Person, &judged, 1, text, &sight);
            assert_eq!(may, expected, "{shown:?}, {text:?}");
        }
        let mut sight = open(&judged, "go on", false, asks);
        let may = |sight: &Sight, by| written(&terms(), &by, &judged, 1, "go on", sight);
        assert!(
            may(&sight, Authority::Rule).is_err(),
            "no rule answers a question"
        );
        sight.screen_shows(State::Approval, "a dialog");
        assert_eq!(
            may(&sight, Authority::Rule),
            Err(Refusal::Always),
            "nor writes words"
        );
        sight.screen_shows(State::Idle, "the dialog closed");
        assert!(may(&sight, Authority::Person).is_err());
        sight.screen_shows(asks, "a question");
        sight.reading.field = None;
        assert_eq!(may(&sight, Authority::Person), Err(Refusal::NoField));
        let mut ended = open(&judged, "go on", false, asks);
        ended.facts.shell = true;
        assert!(matches!(
            may(&ended, Authority::Person),
            Err(Refusal::Shell(_))
        ));
    }

    #[test]
    fn a_missions_yes_presses_the_yes_of_one_folders_trust_dialog_and_no_other_key() {
        const HERE: &str = "/r/.worktrees/notes/cli";
        let trust = |named: &str| {
            let mut dialog = Dialog::made_up_permission(None, named);
            dialog.choices.remove(1);
            dialog
        };
        let shown = |named: &str, works_in: &str, state| {
            let mut sight = sight("is this a folder that you trust?", (0, 1));
            sight.screen_shows(state, "a dialog");
            sight.reading.dialog = Some(trust(named));
            if let Some(program) = &mut sight.facts.program {
                program.folder = Some(works_in.into());
            }
            sight
        };
        let by = Authority::Folder(HERE.into());
        let may = |by: &Authority, choice, sight: &Sight| {
            let judged = sight.reading.dialog.clone().unwrap_or_else(|| trust(HERE));
            answer(&terms(), by, &judged, choice, sight)
        };
        let asked = shown(HERE, HERE, State::Trust);
        assert_eq!(may(&by, 0, &asked), Ok(()));
        assert_eq!(may(&by, 1, &asked), Err(Refusal::Always), "nor says no");
        assert!(may(&Authority::Rule, 0, &asked).is_err(), "no rule does");
        for (named, works_in, state) in [
            ("/r", HERE, State::Trust),
            (HERE, "/r", State::Trust),
            (HERE, HERE, State::Approval),
            (HERE, HERE, State::Question),
            (HERE, HERE, State::Login),
        ] {
            let other = shown(named, works_in, state);
            let refused = may(&by, 0, &other);
            assert!(
                matches!(refused, Err(Refusal::OtherFolder(_))),
                "{named} {works_in} {state}: {refused:?}"
            );
            // the harm without it: a word that is not bound to a folder would press the key
            assert_eq!(may(&Authority::Person, 0, &other), Ok(()));
        }
        // the dialog became another one between the look and the key
        let judged = trust(HERE);
        let other = shown("/r", HERE, State::Trust);
        assert!(answer(&terms(), &by, &judged, 0, &other).is_err());
    }

    fn own(status: Option<Status>) -> Own {
        let entry = |status| Entry::made_up(claude(7).process.unwrap(), status);
        let nothing = Own::nothing("none");
        Own {
            registry: status.map_or_else(|| nothing.registry.clone(), |status| Ok(entry(status))),
            ..nothing
        }
    }
}
