//! What was said: notices, what came of commands, failures with their hints; the newest last, so many kept.

use std::collections::VecDeque;

use chrono::{DateTime, FixedOffset, Utc};

use super::theme::Look;
use crate::command::reply;
use crate::command::text::{harmless, wrap};
use crate::command::{Notice, Urgency};

/// So many are kept.
const MOST: usize = 500;
/// So much of one is kept, in bytes.
const LONGEST: usize = 16 * 1024;
/// The columns of a time of day, and the blank after it.
const TIME: usize = 9;

/// Everything that was said lately.
#[derive(Debug, Clone, Default)]
pub struct Messages {
    all: VecDeque<Message>,
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Message {
    at: DateTime<Utc>,
    look: Look,
    text: String,
}

/// A line of the messages as it is drawn: the time where one begins, and the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLine {
    /// `04:50:51`, or blank.
    pub time: String,
    /// Harmless, and no wider than was asked for.
    pub text: String,
    /// How it looks.
    pub look: Look,
}

impl Messages {
    /// Takes in something that was said.
    pub fn say(&mut self, at: DateTime<Utc>, look: Look, text: &str) {
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        let text = harmless(&text[..text.floor_char_boundary(LONGEST)]).into_owned();
        if self.all.len() >= MOST {
            self.all.pop_front();
        }
        self.all.push_back(Message { at, look, text });
    }

    /// Takes in what the supervisor says by itself.
    pub fn notice(&mut self, notice: &Notice) {
        let look = match notice.urgency {
            Urgency::Info => Look::Usual,
            Urgency::Warning => Look::Warning,
            Urgency::Person => Look::Needs,
        };
        self.say(notice.ts, look, &reply::notice_text(notice));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The last lines, at most `rows` of them, each at most `columns` wide. Only these are made.
    pub fn last(&self, rows: usize, columns: usize, zone: FixedOffset) -> Vec<MessageLine> {
        let mut lines = VecDeque::new();
        for message in self.all.iter().rev() {
            if lines.len() >= rows {
                break;
            }
            for line in message.lines(columns, zone).into_iter().rev() {
                lines.push_front(line);
            }
        }
        lines.drain(..lines.len().saturating_sub(rows));
        lines.into()
    }
}

impl Message {
    fn lines(&self, columns: usize, zone: FixedOffset) -> Vec<MessageLine> {
        // where it is narrow the words matter more than the time
        let timed = columns >= 40;
        let room = if timed { columns - TIME } else { columns };
        let wrapped = wrap(&self.text, room, "");
        let time = self.at.with_timezone(&zone).format("%H:%M:%S ").to_string();
        wrapped
            .lines()
            .enumerate()
            .map(|(index, line)| MessageLine {
                time: match (timed, index) {
                    (false, _) => String::new(),
                    (true, 0) => time.clone(),
                    (true, _) => " ".repeat(TIME),
                },
                text: line.to_owned(),
                look: self.look,
            })
            .collect()
    }
}
