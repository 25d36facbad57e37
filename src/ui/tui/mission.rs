//! A mission that is looked at: its tasks in waves, which of them is highlighted, and what keys do there.
//!
//! Pure. No key here does anything to a mission: those that are about to act open the command line with what would
//! be sent, and that is asked about once more. [`view::mission`](super::view) draws it.

use std::collections::HashMap;
use std::sync::Arc;

use super::act::open_line;
use super::app::{App, Body, Text};
use super::input::{Key, KeyCode};
use super::keymap::Action;
use super::rows;
use super::update::Effect;
use crate::command::missions::explained;
use crate::command::{AgentView, MissionView, Reply};
use crate::ids::{MissionId, TaskId};
use crate::mission::machine::Phase;
use crate::mission::schedule::Stage;
use crate::mission::view::TaskView;

/// A mission that is looked at.
#[derive(Debug, Clone)]
pub struct Page {
    /// The mission as it is now.
    pub view: Arc<MissionView>,
    /// Its tasks wave by wave, and then what was proposed.
    pub rows: Arc<Vec<Row>>,
    picked: Option<Pick>,
    at: usize,
}

/// A task, or one that was proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// A task of the mission.
    Task(TaskId),
    /// A task that waits for the person's word.
    Proposal(TaskId),
}

/// A row of a mission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it shows.
    pub pick: Pick,
    /// Its place among the tasks, or among the proposals.
    pub place: usize,
    /// The wave of a task, from 1: what may run at once when all before it is done.
    pub wave: Option<usize>,
    /// Whether it is the first of its wave.
    pub begins: bool,
    /// How the rows of a wave are held together: `┌`, `│`, `└`, or `─`.
    pub lane: char,
}

/// Where the rows of a mission are on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskArea {
    /// The first line.
    pub top: u16,
    /// The lines.
    pub height: u16,
    /// The row that is shown first.
    pub offset: usize,
}

impl Page {
    /// A mission, with its first task highlighted.
    pub fn of(view: Arc<MissionView>) -> Self {
        let mut page = Self {
            rows: Arc::new(rows_of(&view)),
            view,
            picked: None,
            at: 0,
        };
        page.put(0);
        page
    }

    /// The highlighted row with its place; `None` in a mission without tasks.
    pub fn highlighted(&self) -> Option<(usize, &Row)> {
        self.rows.get(self.at).map(|row| (self.at, row))
    }

    /// The highlighted task.
    pub fn task(&self) -> Option<&TaskView> {
        match self.highlighted()? {
            (_, row) if matches!(row.pick, Pick::Task(_)) => self.view.tasks.get(row.place),
            _ => None,
        }
    }

    /// Takes in how the mission is now. The highlight stays with its task; where that is gone, at its row.
    fn follow(&mut self, view: Arc<MissionView>) {
        if Arc::ptr_eq(&view, &self.view) {
            return;
        }
        self.rows = Arc::new(rows_of(&view));
        self.view = view;
        let place = self
            .picked
            .as_ref()
            .and_then(|picked| self.rows.iter().position(|row| row.pick == *picked));
        self.put(place.unwrap_or(self.at));
    }

    fn step(&mut self, by: isize) {
        self.put(self.at.saturating_add_signed(by));
    }

    fn select(&mut self, task: &TaskId) {
        let wanted = Pick::Task(task.clone());
        if let Some(at) = self.rows.iter().position(|row| row.pick == wanted) {
            self.put(at);
        }
    }

    fn put(&mut self, at: usize) {
        self.at = at.min(self.rows.len().saturating_sub(1));
        self.picked = self.rows.get(self.at).map(|row| row.pick.clone());
    }
}

/// The tasks wave by wave, in the order of the plan within each; and then what was proposed.
///
/// What comes from elsewhere may have a cycle: whatever waits for itself is the last wave.
fn rows_of(view: &MissionView) -> Vec<Row> {
    let place: HashMap<&TaskId, usize> =
        view.tasks.iter().map(|task| &task.slug).zip(0..).collect();
    let mut needed_by = vec![Vec::new(); view.tasks.len()];
    let mut open = vec![0_usize; view.tasks.len()];
    for (at, task) in view.tasks.iter().enumerate() {
        for needed in task.depends_on.iter().filter_map(|slug| place.get(slug)) {
            needed_by[*needed].push(at);
            open[at] += 1;
        }
    }
    let mut waves = Vec::new();
    let mut wave: Vec<usize> = (0..open.len()).filter(|at| open[*at] == 0).collect();
    let mut left = open.len();
    while !wave.is_empty() {
        left -= wave.len();
        let mut next = Vec::new();
        for behind in wave.iter().flat_map(|at| &needed_by[*at]) {
            open[*behind] -= 1;
            if open[*behind] == 0 {
                next.push(*behind);
            }
        }
        next.sort_unstable();
        waves.push(std::mem::replace(&mut wave, next));
    }
    if left > 0 {
        waves.push((0..open.len()).filter(|at| open[*at] > 0).collect());
    }
    let mut rows = Vec::with_capacity(view.tasks.len() + view.proposals.len());
    for (number, wave) in (1..).zip(waves) {
        let last = wave.len() - 1;
        rows.extend(wave.into_iter().enumerate().map(|(index, place)| Row {
            pick: Pick::Task(view.tasks[place].slug.clone()),
            place,
            wave: Some(number),
            begins: index == 0,
            lane: match index {
                _ if last == 0 => '─',
                0 => '┌',
                index if index == last => '└',
                _ => '│',
            },
        }));
    }
    rows.extend(view.proposals.iter().enumerate().map(|(place, one)| Row {
        pick: Pick::Proposal(one.slug.clone()),
        place,
        wave: None,
        begins: false,
        lane: ' ',
    }));
    rows
}

/// Whether nothing more comes of a mission.
pub(super) const fn has_ended(view: &MissionView) -> bool {
    matches!(view.phase, Phase::Aborted | Phase::Finished)
}

impl App {
    /// Takes in how the missions are now.
    pub(super) fn missions_seen(&mut self, missions: Vec<Arc<MissionView>>) {
        self.missions = missions;
        let Some(page) = &mut self.page else {
            return;
        };
        let found = self.missions.iter().find(|view| view.id == page.view.id);
        if let Some(view) = found.cloned() {
            page.follow(view);
        } else {
            let text = format!("mission {} is no longer carried out", page.view.id);
            self.page = None;
            self.hint(text);
        }
    }

    /// The worker of a task, while it has one that is watched.
    pub fn worker(&self, task: &TaskView) -> Option<&Arc<AgentView>> {
        self.view(task.agent.as_ref()?)
    }

    /// Whether a task cannot go on without the person.
    pub fn needs_person(&self, task: &TaskView) -> bool {
        match task.stage {
            Stage::Blocked | Stage::Failed => true,
            Stage::Running | Stage::Checking => {
                self.worker(task).is_some_and(|view| rows::waits(view))
            }
            _ => false,
        }
    }

    /// Shows the mission of the highlighted agent with its task; else the first that goes on.
    pub(super) fn open_mission(&mut self) {
        let on = self.subject().and_then(|(_, view)| view.mission.clone());
        let on = on.as_deref().and_then(|on| on.split_once('/'));
        let of_agent = on.and_then(|(mission, task)| {
            let found = self
                .missions
                .iter()
                .find(|view| view.id.as_str() == mission);
            Some((found?.clone(), task.parse::<TaskId>().ok()))
        });
        let going_on = self.missions.iter().find(|view| !has_ended(view));
        let first = || going_on.or_else(|| self.missions.first()).cloned();
        let Some((view, task)) = of_agent.or_else(|| first().map(|view| (view, None))) else {
            return self.hint("no mission is carried out; `:mission run FILE` begins one");
        };
        let mut page = Page::of(view);
        if let Some(task) = task {
            page.select(&task);
        }
        self.detail = None;
        self.page = Some(Box::new(page));
    }

    /// Moves the highlight in the mission.
    pub(super) fn step_in_mission(&mut self, by: isize) {
        if let Some(page) = &mut self.page {
            page.step(by);
        }
    }

    /// Highlights what stands in this row of the screen.
    pub(super) fn click_in_mission(&mut self, row: u16) {
        let Some(area) = &self.drawn.tasks else {
            return;
        };
        let Some(line) = row.checked_sub(area.top).filter(|line| *line < area.height) else {
            return;
        };
        let at = area.offset + usize::from(line);
        if let Some(page) = &mut self.page
            && at < page.rows.len()
        {
            page.put(at);
        }
    }

    fn next_mission(&mut self, back: bool) {
        let Some(page) = &self.page else {
            return;
        };
        let count = self.missions.len();
        let at = self
            .missions
            .iter()
            .position(|view| view.id == page.view.id);
        let step = if back { count.saturating_sub(1) } else { 1 };
        let next = at.map(|at| (at + step) % count.max(1));
        if count < 2 {
            return self.hint("there is no other mission");
        }
        if let Some(view) = next.and_then(|next| self.missions.get(next)) {
            self.page = Some(Box::new(Page::of(view.clone())));
        }
    }

    /// What the person saw highlighted, if that is still what is.
    fn shown_in_mission(&mut self) -> Option<(MissionId, Option<Pick>)> {
        let page = self.page.as_ref()?;
        let now = (page.view.id.clone(), page.picked.clone());
        if self.drawn.place == self.at() && self.drawn.pick.as_ref() == Some(&now) {
            return Some(now);
        }
        self.hint("the screen was just changing: press it again");
        None
    }

    /// Opens the worker of the highlighted task, or explains the task where it has none.
    pub(super) fn open_worker(&mut self) -> Vec<Effect> {
        let task = self.page.as_ref().and_then(|page| page.task());
        if let Some(view) = task.and_then(|task| self.worker(task)).cloned() {
            return self.open_agent(&view);
        }
        self.explain_task();
        Vec::new()
    }

    /// Tells all that is known of the highlighted task.
    fn explain_task(&mut self) {
        let Some(page) = &self.page else {
            return;
        };
        let Some((_, row)) = page.highlighted() else {
            return;
        };
        let mission = &page.view.id;
        let (slug, text) = match &row.pick {
            Pick::Task(slug) => {
                let text = page.view.tasks.get(row.place).map(explained);
                (slug, text.unwrap_or_default())
            }
            Pick::Proposal(slug) => {
                let one = page.view.proposals.get(row.place);
                let (title, why) = one.map_or(("", ""), |one| (&one.title, &one.why));
                let text = format!(
                    "{slug} (proposed): {title}\n{why}\n`/mission accept {mission} {slug}` takes it in"
                );
                (slug, text)
            }
        };
        let title = format!("{mission}: {slug}");
        self.read(Text::new(title, Body::Reply(Box::new(Reply::Text(text)))));
    }

    /// A key that is about the mission or its highlighted task: nothing is done by it.
    pub(super) fn on_mission(&mut self, action: Action, key: Key) {
        match action {
            Action::NextMission => return self.next_mission(key.code == KeyCode::BackTab),
            Action::ExplainTask => return self.explain_task(),
            _ => {}
        }
        let Some((mission, picked)) = self.shown_in_mission() else {
            return;
        };
        let phase = self.page.as_ref().map(|page| page.view.phase);
        let of_mission = match action {
            Action::Pause if phase == Some(Phase::Running) => Some("pause"),
            Action::Pause => Some("resume"),
            Action::Abort => Some("abort"),
            Action::Finish => Some("finish"),
            _ => None,
        };
        if let Some(verb) = of_mission {
            return open_line(self, &format!("/mission {verb} {mission}"));
        }
        let (verb, behind) = match action {
            Action::TellTask => ("message", " "),
            Action::RetryTask => ("retry", ""),
            Action::StopTask => ("stop", ""),
            Action::DropTask => ("drop", ""),
            Action::TakeTask => ("take", ""),
            Action::AcceptTask => ("accept", ""),
            _ => return,
        };
        match (verb, picked) {
            ("accept", Some(Pick::Proposal(slug))) => {
                open_line(self, &format!("/mission accept {mission} {slug}"));
            }
            ("accept", _) => {
                self.hint("no proposed task is highlighted: they stand below the others");
            }
            (verb, Some(Pick::Task(slug))) => {
                open_line(self, &format!("/mission {verb} {mission} {slug}{behind}"));
            }
            (_, Some(Pick::Proposal(_))) => self.hint("it is only proposed: `a` takes it in"),
            (_, None) => self.hint("no task is highlighted"),
        }
    }
}
