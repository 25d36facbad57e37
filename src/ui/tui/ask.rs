//! Questions that want a yes or a no, before what cannot be taken back.

use super::app::{App, Asked, Leaving, Yes};
use super::keymap::Action;
use super::scroll::Scroll;
use super::theme::Look;
use super::update::Effect;
use crate::command::Command;
use crate::command::missions::MissionVerb;
use crate::command::text::harmless;

/// The longest question that is only said, in lines.
const MOST_SAID: usize = 6;
/// Why a yes to a long question is not heard yet.
pub(super) const TO_ITS_END: &str = "scroll to its end first: j, PgDn, G";

impl App {
    /// Asks what the supervisor asked; behind a question that stands already, it is said only, or given up where
    /// nobody could say that it was read to its end.
    pub(super) fn ask_for_the_supervisor(&mut self, title: &str, question: &str) -> Vec<Effect> {
        if self.asked.is_some() && question.lines().count() > MOST_SAID {
            let why = "asks more than can be shown behind another question: answer that, then say this again";
            self.say(Look::Needs, &format!("{title} {why}"));
            return self.send(Command::No, "/no".into());
        }
        if self.asked.is_some() {
            self.say(
                Look::Needs,
                &format!("{title} asks: {question}\n`/yes` does it, `/no` leaves it"),
            );
            return Vec::new();
        }
        let yes = Yes::Send(Command::Yes, "/yes".into());
        self.ask(question, yes);
        if let Some(asked) = &mut self.asked {
            asked.tells_no = true;
        }
        Vec::new()
    }

    /// Asks for a yes or a no.
    pub(super) fn ask(&mut self, text: &str, yes: Yes) {
        let number = self.number();
        self.asked = Some(Asked {
            number,
            text: harmless(text).into_owned(),
            yes,
            tells_no: false,
            seen: None,
            end_seen: false,
            scroll: Scroll::to_start(),
        });
    }

    /// A yes to what is asked.
    pub(super) fn yes(&mut self) -> Vec<Effect> {
        let Some(asked) = (if self.hears_yes() {
            self.asked.take()
        } else {
            None
        }) else {
            // it came with the key before, or with nothing that the person did
            self.read_again();
            let ends_below = self.asked.as_ref().is_some_and(|asked| !asked.end_seen);
            self.hint(if ends_below {
                TO_ITS_END
            } else {
                "read it first, then press y"
            });
            return Vec::new();
        };
        match asked.yes {
            Yes::Send(command, line) => self.send(command, line),
            Yes::Answer(command, line, id, dialog) => self.send_if(command, line, id, dialog),
            Yes::Quit => self.quit(),
        }
    }

    /// Sends a yes that was typed as a word, unless what it would answer has not been read: the question is on the
    /// screen next, or it is still on its way.
    pub(super) fn typed_yes(&mut self, line: String) -> Vec<Effect> {
        let asked = self.asked.as_ref().filter(|asked| asked.yes.is_answer());
        let is_unread = asked.is_some() && !self.hears_yes();
        let asks = |line: &str| {
            let mut words = line.split_whitespace();
            let is_mission = words.next() == Some("/mission");
            let verb = words.next().and_then(|word| word.parse().ok());
            is_mission && verb.is_some_and(MissionVerb::asks_first)
        };
        let is_on_its_way = self.under_way.iter().any(|one| asks(&one.line));
        if is_unread || is_on_its_way {
            self.hint("read first what is asked, to its end");
            return Vec::new();
        }
        if asked.is_some() {
            self.asked = None;
        }
        self.send(Command::Yes, line)
    }

    /// Another key was pressed while something is asked: whoever types words does not read it.
    pub(super) const fn read_again(&mut self) {
        if let Some(asked) = &mut self.asked
            && asked.seen.is_some()
        {
            asked.seen = Some(self.now.up);
        }
    }

    /// Moves in a question that is longer than the screen; whether that was meant.
    pub(super) fn scroll_question(&mut self, action: Action) -> bool {
        let Some(asked) = &mut self.asked else {
            return false;
        };
        match action {
            Action::Down => asked.scroll.by(1),
            Action::Up => asked.scroll.by(-1),
            Action::PageDown => asked.scroll.by_pages(1),
            Action::PageUp => asked.scroll.by_pages(-1),
            Action::First => asked.scroll.start(),
            Action::Last => asked.scroll.end(),
            _ => return false,
        }
        self.read_again();
        true
    }

    /// A no to it.
    pub(super) fn no(&mut self) -> Vec<Effect> {
        match self.asked.take() {
            Some(asked) if asked.tells_no => self.send(Command::No, "/no".into()),
            _ => Vec::new(),
        }
    }

    /// The person wants to leave.
    pub(super) fn leave(&mut self) -> Vec<Effect> {
        if self.leaving == Leaving::Detaches {
            return vec![Effect::Leave(String::new())];
        }
        if self.views.is_empty() || self.is_leaving {
            return self.quit();
        }
        self.ask_to_quit();
        Vec::new()
    }

    /// Asks before the supervisor is ended.
    pub(super) fn ask_to_quit(&mut self) {
        let watched = match self.views.len() {
            1 => "1 agent is".to_owned(),
            count => format!("{count} agents are"),
        };
        let text = format!(
            "{watched} watched. Leave, and watch nobody any more? What runs in the panes goes on."
        );
        self.ask(&text, Yes::Quit);
    }

    /// Ends the supervisor.
    pub(super) fn quit(&mut self) -> Vec<Effect> {
        self.is_leaving = true;
        self.send(Command::Quit, "/quit".into())
    }

    /// Stops all typing, or asks whether it may go on.
    pub(super) fn stop_all(&mut self) -> Vec<Effect> {
        if self.all_stopped() {
            self.ask(
                "All typing is stopped. Let it go on, to every agent?",
                Yes::Send(Command::StartAll, "/startall".into()),
            );
            return Vec::new();
        }
        self.send(Command::StopAll, "/stopall".into())
    }
}
