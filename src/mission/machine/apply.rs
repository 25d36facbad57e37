//! What a line of the journal makes of its task.

use chrono::{DateTime, Utc};

use super::state::Hands;
use super::{CHORES, Machine, Message, TaskState, Wants};
use crate::mission::journal::{Claimed, Step};
use crate::mission::schedule::Stage;

/// How many things that went wrong are remembered for a task.
const WRONG: usize = 20;

impl Machine {
    pub(super) fn step(&mut self, place: usize, step: &Step, ts: DateTime<Utc>) {
        let (is_repository, merges) = (self.is_repository, self.merges + 1);
        let Some((task, state)) = self.plan.tasks.get(place).zip(self.tasks.get_mut(place)) else {
            return;
        };
        let is_merged = is_repository && task.role.writes();
        match step {
            Step::Started if state.stage == Stage::Waiting => state.start(ts),
            Step::Message { text, fresh } => {
                state.reopen(ts);
                if *fresh || state.pane.is_none() || state.is_edited {
                    // a new worker is told the task, and what was said of it so far
                    state.remember(format!("the person said: {text}"));
                }
                state.next(Message::Person(text.clone()), *fresh);
                self.go_on();
            }
            Step::Retried { fresh } => {
                let was_stopped = state.stage == Stage::Stopped;
                state.reopen(ts);
                if !was_stopped {
                    state.attempts = state.attempts.max(state.attempt) + 1;
                    state.attempt += 1;
                }
                state.overtime = false;
                state.told_at = None;
                state.next(Message::Retry, *fresh);
                self.go_on();
            }
            Step::TakenOver => {
                state.reopen(ts);
                state.attempts = state.attempts.max(state.attempt + 1);
                state.hands = Hands::Person;
                state.wants = Wants::Watching;
                self.go_on();
            }
            Step::Stopped => state.stop(ts),
            Step::Dropped => {
                state.stop(ts);
                state.stage = Stage::Dropped;
                state.ended_at = Some(ts);
            }
            Step::Closed => state.closed(),
            Step::Merging { before } if state.wants == Wants::Merging => {
                state.before = Some(before.clone());
            }
            Step::Checked { failed, part } if state.wants == Wants::Checking => {
                let is_part = is_merged && state.overtime && !part.is_empty();
                state.part.clear();
                if !failed.is_empty() && !is_part {
                    state.failed(failed.join("; "), Message::Retry, ts);
                } else if is_merged {
                    if !failed.is_empty() {
                        state.part.clone_from(part);
                    }
                    state.wants = Wants::Merging;
                    state.queued = merges;
                    self.merges = merges;
                } else {
                    state.done(ts);
                }
            }
            _ => state.worked(step, ts),
        }
    }
}

impl TaskState {
    fn start(&mut self, ts: DateTime<Utc>) {
        self.stage = Stage::Running;
        self.wants = Wants::Folder;
        self.attempt = 1;
        self.started_at = Some(ts);
    }

    /// What a worker, or the program on its work, did.
    fn worked(&mut self, step: &Step, ts: DateTime<Utc>) {
        match (step, &self.wants) {
            (Step::Prepared { commit }, Wants::Folder) => {
                self.base.clone_from(commit);
                self.wants = Wants::Worker;
            }
            (Step::Opened { pane, fresh }, Wants::Worker) => {
                self.pane = Some(pane.clone());
                // who was found where it was left has been told already
                let was_told = !*fresh && self.told_at.is_some() && self.hands != Hands::Fresh;
                self.hands = Hands::Worker;
                self.wants = if was_told {
                    Wants::Watching
                } else {
                    Wants::Telling(Message::Begin)
                };
            }
            (Step::Telling { number }, Wants::Telling(_)) => {
                self.briefs = *number;
                self.telling = Some((*number, ts));
            }
            (Step::Told { .. }, Wants::Telling(_)) => {
                self.telling = None;
                self.is_edited = false;
                self.told_at.get_or_insert(ts);
                self.stage = Stage::Running;
                self.wants = Wants::Watching;
            }
            (Step::Reported { claim, number }, Wants::Watching) => {
                self.report = Some(*number);
                match claim {
                    Claimed::Done => self.check(),
                    Claimed::Blocked(why) => {
                        self.stage = Stage::Blocked;
                        self.remember(format!("blocked: {why}"));
                        self.why = Some(why.clone());
                        self.wants = if self.answered {
                            Wants::Nothing
                        } else {
                            Wants::Answer
                        };
                    }
                }
            }
            (Step::Stood, Wants::Watching) => self.check(),
            (Step::UsedUp, Wants::Watching) => {
                self.remember("its worker's context was used up".into());
                self.replace_worker();
                self.check();
            }
            (Step::TimeUp, Wants::Watching) if self.overtime => self.check(),
            (Step::TimeUp, Wants::Watching) => {
                self.overtime = true;
                self.remember("its time was over".into());
                self.wants = Wants::Telling(Message::TimeUp);
            }
            (Step::Lost { why }, Wants::Telling(_) | Wants::Watching) => {
                self.pane = None;
                self.hands = Hands::Fresh;
                self.failed(why.clone(), Message::Begin, ts);
            }
            (Step::Answered { text }, Wants::Answer) => {
                self.answered = true;
                self.wants = match text {
                    Some(text) => Wants::Telling(Message::Answer(text.clone())),
                    None => Wants::Nothing,
                };
            }
            (Step::Unsaved { files }, Wants::Merging) => {
                self.chore(Message::Unsaved(files.clone()), "not all is committed", ts);
            }
            (Step::Conflict { files }, Wants::Merging) => {
                let what = format!("it conflicts with others in {}", files.join(", "));
                self.chore(Message::Conflict(files.clone()), &what, ts);
            }
            (
                Step::Merged {
                    commit,
                    outside,
                    left_out,
                },
                Wants::Merging,
            ) => {
                self.merged_earlier = self.merged.replace(commit.clone());
                self.outside.clone_from(outside);
                self.left_out.clone_from(left_out);
                self.wants = Wants::Proving;
            }
            (Step::Proven { failed }, Wants::Proving) if failed.is_empty() => {
                self.merged_part.clone_from(&self.part);
                self.done(ts);
            }
            (Step::Proven { failed }, Wants::Proving) => {
                self.why = Some(failed.join("; "));
                self.wants = Wants::TakingBack;
            }
            (Step::TakenBack, Wants::TakingBack) if self.stage != Stage::Checking => {
                self.take_back();
                self.stop(ts);
            }
            (Step::TakenBack, Wants::TakingBack) => {
                self.take_back();
                let why = self.why.take().unwrap_or_default();
                self.failed(format!("on the merged tree: {why}"), Message::TakenBack, ts);
            }
            (Step::Trouble { why }, _) => {
                self.remember(why.clone());
                self.why = Some(why.clone());
                self.stage = Stage::Failed;
                self.ended_at = Some(ts);
                self.wants = Wants::Nothing;
            }
            _ => {}
        }
    }

    /// Its last merge is undone; one that was there before it still is.
    fn take_back(&mut self) {
        self.taken_back = self.merged.take();
        self.merged = self.merged_earlier.take();
        self.before = None;
    }

    fn check(&mut self) {
        self.stage = Stage::Checking;
        self.wants = Wants::Checking;
    }

    fn done(&mut self, ts: DateTime<Utc>) {
        let is_whole = self.part.is_empty();
        self.stage = if is_whole { Stage::Done } else { Stage::Failed };
        self.why = (!is_whole).then(|| {
            let met = self.part.len();
            format!("its time was over: what meets {met} of its criteria is merged, the rest is not done")
        });
        self.wants = Wants::Nothing;
        self.before = None;
        self.ended_at = Some(ts);
    }

    /// This attempt came to nothing.
    ///
    /// A worker that fails twice in the same way has gone the wrong one: another takes its place.
    fn failed(&mut self, why: String, then: Message, ts: DateTime<Utc>) {
        self.remember(why.clone());
        let before = self.failure.replace(why.clone());
        let in_circles = before.is_some_and(|before| are_alike(&before, &why));
        if in_circles {
            self.replace_worker();
        }
        if self.attempt >= self.attempts || self.overtime {
            self.stage = Stage::Failed;
            self.why = Some(why);
            self.ended_at = Some(ts);
            self.wants = Wants::Nothing;
        } else {
            self.attempt += 1;
            self.stage = Stage::Running;
            self.next(then, self.hands == Hands::Fresh);
        }
    }

    /// What goes on is for another worker, unless the person works in the pane: that is not taken from them.
    fn replace_worker(&mut self) {
        if self.hands != Hands::Person {
            self.hands = Hands::Fresh;
        }
    }

    /// Something stands in the way of the merge that its worker can put right.
    fn chore(&mut self, message: Message, what: &str, ts: DateTime<Utc>) {
        self.chores += 1;
        self.before = None;
        if self.chores > CHORES {
            self.attempt = self.attempts;
            self.failed(format!("{what}, {CHORES} times"), message, ts);
        } else {
            self.remember(what.to_owned());
            self.stage = Stage::Running;
            self.next(message, self.hands == Hands::Fresh);
        }
    }

    /// Its worker is told something next: the one that it has, or another.
    fn next(&mut self, message: Message, fresh: bool) {
        if fresh {
            self.hands = Hands::Fresh;
            self.failure = None;
        } else if self.hands == Hands::Fresh {
            self.hands = Hands::Worker;
        }
        self.telling = None;
        let message = if self.is_edited {
            Message::Begin
        } else {
            message
        };
        self.wants = match (&self.pane, fresh, self.base.is_some() || self.briefs > 0) {
            (Some(_), true, _) => Wants::Closing { then_fresh: true },
            (Some(_), false, _) => Wants::Telling(message),
            (None, _, true) => {
                self.hands = Hands::Fresh;
                Wants::Worker
            }
            (None, _, false) => Wants::Folder,
        };
    }

    /// What was over is taken up again.
    fn reopen(&mut self, ts: DateTime<Utc>) {
        self.attempt = self.attempt.max(1);
        self.started_at.get_or_insert(ts);
        self.ended_at = None;
        self.why = None;
        self.stage = Stage::Running;
    }

    pub(super) fn stop(&mut self, ts: DateTime<Utc>) {
        let is_under_way = matches!(
            self.stage,
            Stage::Running | Stage::Checking | Stage::Blocked
        );
        if is_under_way {
            self.stage = Stage::Stopped;
            self.ended_at = Some(ts);
        }
        let in_a_merge =
            self.merged.is_some() && matches!(self.wants, Wants::Proving | Wants::TakingBack);
        self.wants = match (&self.pane, in_a_merge) {
            // half a merge is taken back first
            (_, true) => Wants::TakingBack,
            (Some(_), false) => Wants::Closing { then_fresh: false },
            (None, false) => Wants::Nothing,
        };
    }

    fn closed(&mut self) {
        self.pane = None;
        match self.wants {
            Wants::Closing { then_fresh: false } => self.wants = Wants::Nothing,
            Wants::Closing { then_fresh: true } | Wants::Telling(_) | Wants::Watching => {
                self.hands = Hands::Fresh;
                self.telling = None;
                self.wants = Wants::Worker;
            }
            _ => {}
        }
    }

    pub(super) fn remember(&mut self, what: String) {
        if self.wrong.len() >= WRONG {
            self.wrong.remove(0);
        }
        self.wrong.push(what);
    }
}

/// Whether two failures say the same but for figures, such as how long something took.
fn are_alike(one: &str, other: &str) -> bool {
    let words = |text: &str| -> String {
        text.chars()
            .filter(|letter| !letter.is_ascii_digit())
            .collect()
    };
    words(one) == words(other)
}
