//! Decides whether a text may be typed now: pure, and the only place where a [`Permit`] is made.
//!
//! `hands` types nothing without a permit, and asks again with what it sees right before Enter. Whoever adds
//! a way to type adds it here first.

use crate::evidence::{Facts, Sameness, Sight, sameness};
use crate::record::Program;
use crate::screen::dialog;
use crate::screen::prompt::Prompt;
use crate::screen::{Digest, Screen};

/// What holds for an agent, whatever its screen shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Who may be typed to; `None` until a person or a resume has accepted somebody.
    pub accepted: Option<Program>,
    /// Whether a shell in front may be typed to.
    pub allow_shell: bool,
    /// The screen that the text is for; `None` for a person's own text.
    pub judged: Option<Digest>,
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

/// The word that a text may be typed, for one screen of one process.
#[derive(Debug, Clone, PartialEq)]
pub struct Permit {
    terms: Terms,
    before: Prompt,
}

/// Judges whether a text may be typed into what is seen.
///
/// # Errors
/// The first reason against it.
pub fn permit(terms: Terms, sight: &Sight) -> Result<Permit, Refusal> {
    same_program(&terms, &sight.facts)?;
    if terms
        .judged
        .is_some_and(|judged| judged != sight.screen.digest())
    {
        return Err(Refusal::ScreenChanged);
    }
    no_dialog(&sight.screen, "")?;
    match &sight.prompt {
        None => Err(Refusal::NoPrompt),
        Some(prompt) if !prompt.draft.is_empty() => Err(Refusal::Draft(excerpt(&prompt.draft))),
        Some(prompt) => Ok(Permit {
            before: prompt.clone(),
            terms,
        }),
    }
}

impl Permit {
    /// The prompt as it was when the permit was given.
    pub fn before(&self) -> &Prompt {
        &self.before
    }

    /// Judges whether Enter may follow `text`, which was typed under this permit.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn enter(&self, text: &str, sight: &Sight) -> Result<(), Refusal> {
        same_program(&self.terms, &sight.facts)?;
        no_dialog(&sight.screen, text)?;
        let held = sight
            .prompt
            .as_ref()
            .is_some_and(|prompt| prompt.holds(&self.before, text));
        if held {
            Ok(())
        } else {
            Err(Refusal::NotOurText)
        }
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

fn no_dialog(screen: &Screen, echo: &str) -> Result<(), Refusal> {
    match dialog::find_apart_from(screen, echo) {
        Some(line) => Err(Refusal::Dialog(excerpt(line))),
        None => Ok(()),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::process::ProcessIdentity;
    use crate::screen::prompt::{Cursor, find};

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
        }
    }

    fn sight(text: &str, cursor: (usize, usize)) -> Sight {
        let screen = Screen::read(text);
        let cursor = Some(Cursor {
            column: cursor.0,
            row: cursor.1,
        });
        let prompt = find(&screen, 80, cursor, None);
        let facts = Facts {
            ended: false,
            program: Some(claude(7)),
            shell: false,
            columns: 80,
            cursor,
        };
        Sight {
            facts,
            screen,
            prompt,
        }
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
        assert_eq!(with(&|sight| sight.prompt = None), Refusal::NoPrompt);
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
        let mut sight = idle();
        sight.facts.shell = true;
        assert!(
            permit(
                Terms {
                    allow_shell: true,
                    ..terms()
                },
                &sight
            )
            .is_ok()
        );
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
        let enter = |shown: &str, column| permit.enter(text, &sight(shown, (column, 1)));
        assert_eq!(enter("● done\n> fix the y/n prompt", 20), Ok(()));
        assert!(enter("● done\n> fix the y/n prompt!", 21).is_err());
        assert_eq!(enter("● done\n> fix", 5), Err(Refusal::NotOurText));
        assert_eq!(enter("● done\n> ", 2), Err(Refusal::NotOurText));
        assert!(matches!(
            enter("Proceed? [y/N]\n> fix the y/n prompt", 20),
            Err(Refusal::Dialog(_))
        ));
        let mut ended = sight("● done\n> fix the y/n prompt", (20, 1));
        ended.facts.shell = true;
        assert!(matches!(permit.enter(text, &ended), Err(Refusal::Shell(_))));
    }
}
