//! What a person types: the command line and the filter.

use super::act;
use super::app::{App, Body, Leaving, Text};
use super::input::Key;
use super::line::Did;
use super::theme::Look;
use super::update::Effect;
use crate::command::Command;
use crate::command::line::parse;
use crate::command::reply;

impl App {
    /// A key in the line of the filter.
    pub(super) fn filter_key(&mut self, key: Key) {
        let Some(line) = &mut self.filter_line else {
            return;
        };
        match line.key(key) {
            Did::Submitted => self.filter_line = None,
            Did::Left => {
                self.filter_line = None;
                self.filter.clear();
                self.arrange();
            }
            _ => self.filtered(),
        }
    }

    /// Filters by what is typed so far.
    pub(super) fn filtered(&mut self) {
        if let Some(line) = &self.filter_line
            && line.text() != self.filter
        {
            self.filter = line.text().to_owned();
            self.arrange();
        }
    }

    /// A key on the command line.
    pub(super) fn line_key(&mut self, key: Key) -> Vec<Effect> {
        let Some(line) = &mut self.line else {
            return Vec::new();
        };
        // `:` opens the line with the `/` that every command begins with: whoever types it too means one
        if line.text() == "/" && key.typed() == Some('/') {
            return Vec::new();
        }
        match line.key(key) {
            Did::Edited => {
                if line.text().is_empty() {
                    self.line = None;
                }
            }
            Did::Left => self.line = None,
            Did::Earlier => line.recall(&self.past, true),
            Did::Later => line.recall(&self.past, false),
            Did::Complete(forwards) => {
                if !line.next_offer(forwards) {
                    return vec![Effect::Complete(line.text().to_owned(), line.cursor())];
                }
            }
            Did::Submitted => return self.submit(),
        }
        Vec::new()
    }

    fn submit(&mut self) -> Vec<Effect> {
        let Some(line) = self.line.take() else {
            return Vec::new();
        };
        let text = line.text().trim_end();
        if text == "/" {
            return Vec::new();
        }
        let mut effects = Vec::new();
        if self.past.add(text) {
            effects.push(Effect::Remember(text.to_owned()));
        }
        let text = text.trim_start().to_owned();
        match parse(&text) {
            Ok(None) => {}
            Ok(Some(Command::Quit)) if self.leaving == Leaving::Detaches || line.by_letter => {
                self.ask_to_quit();
            }
            Ok(Some(Command::Quit)) => effects.extend(self.quit()),
            Ok(Some(Command::Help { command: None })) => {
                self.read(Text::new("help".into(), Body::Help));
            }
            Ok(Some(Command::Yes)) => effects.extend(self.typed_yes(text)),
            Ok(Some(command)) if line.by_letter => act::ask_about_line(self, command, text),
            Ok(Some(command)) => effects.extend(self.send(command, text)),
            Err(failure) => {
                self.say(
                    Look::Bad,
                    &format!("`{text}`: {}", reply::failure(&failure)),
                );
                // to be corrected
                self.line = Some(line);
            }
        }
        effects
    }
}
