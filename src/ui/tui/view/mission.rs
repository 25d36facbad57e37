//! A mission: its tasks wave by wave, and below them all of the highlighted one. Above the table of agents: a line
//! for each mission.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::header::short;
use super::{more, offset, put, title};
use crate::command::MissionView;
use crate::command::missions::tick;
use crate::command::text::{fit, fit_middle, one_line, pad, width, wrap};
use crate::ids::TaskId;
use crate::mission::machine::Phase;
use crate::mission::schedule::Stage;
use crate::mission::view::{CriterionView, ProposalView, TaskView, Tick};
use crate::ui::tui::app::{App, Drawn};
use crate::ui::tui::mission::{Page, Pick, Row, TaskArea, has_ended};
use crate::ui::tui::theme::Look;

/// So many rows of what is highlighted are shown below the tasks, where there is room.
const BELOW: u16 = 8;
/// What needs a task is told from so many columns on.
const WITH_NEEDS: usize = 150;

/// How many rows the missions take above the table of agents, of so many that are left.
pub(super) fn rows_above(app: &App, left: u16) -> u16 {
    let count = app.missions.iter().filter(|view| !has_ended(view)).count();
    u16::try_from(count).unwrap_or(u16::MAX).min(left / 7)
}

/// A line for each mission that has not ended; those that wait for the person first.
pub(super) fn above_table(app: &App, area: Rect, buffer: &mut Buffer) {
    let mut shown: Vec<(&MissionView, Vec<String>)> = app
        .missions
        .iter()
        .filter(|view| !has_ended(view))
        .map(|view| (view.as_ref(), waits(app, view)))
        .collect();
    shown.sort_by_key(|(_, waits)| waits.is_empty());
    let rows = usize::from(area.height);
    let columns = usize::from(area.width);
    let left_out = shown.len().saturating_sub(rows);
    for (at, ((view, waits), y)) in shown.iter().zip(area.top()..area.bottom()).enumerate() {
        let mut line = in_a_line(app, view, waits, columns);
        if left_out > 0 && at + 1 == rows {
            let others = format!("  (+{left_out}: M)");
            line = format!(
                "{}{others}",
                fit(&line, columns.saturating_sub(others.len()))
            );
        }
        let look = if waits.is_empty() {
            Look::Usual
        } else {
            Look::Needs
        };
        put(
            buffer,
            area.x,
            y,
            &fit(&line, columns),
            app.palette.style(look),
        );
    }
}

fn in_a_line(app: &App, view: &MissionView, waits: &[String], columns: usize) -> String {
    let (done, all) = view.done();
    let mark = if waits.is_empty() { ' ' } else { '!' };
    let phase = view.phase.as_str();
    let is_narrow = columns < 60;
    let id = fit_middle(view.id.as_str(), if is_narrow { 14 } else { 28 });
    let head = if is_narrow {
        format!(" {mark} {id} {phase} {done}/{all}")
    } else {
        format!(" {mark} mission {id}  {phase}  {done} of {all} done")
    };
    let at_work = view.tasks.iter().filter(|task| {
        matches!(task.stage, Stage::Running | Stage::Checking) && !app.needs_person(task)
    });
    let at_work: Vec<&str> = at_work.map(|task| task.slug.as_str()).take(20).collect();
    let mut parts = vec![head];
    if !waits.is_empty() {
        parts.push(waits.join(", "));
    }
    if !at_work.is_empty() {
        parts.push(format!("at work: {}", at_work.join(", ")));
    }
    parts.join("  ")
}

/// What waits for the person in a mission, in a few words each.
fn waits(app: &App, view: &MissionView) -> Vec<String> {
    let tasks = view.tasks.iter().filter(|task| app.needs_person(task));
    let mut all: Vec<String> = tasks
        .take(20)
        .map(|task| match task.stage {
            Stage::Blocked | Stage::Failed => format!("{} {}", task.slug, task.stage.as_str()),
            _ => format!("{} asks", task.slug),
        })
        .collect();
    match view.proposals.len() {
        0 => {}
        count => all.push(format!("{count} proposed")),
    }
    if view.phase == Phase::Over {
        all.push("can do no more".to_owned());
    }
    all
}

pub(super) fn draw(app: &App, page: &Page, area: Rect, buffer: &mut Buffer, drawn: &mut Drawn) {
    let view = &page.view;
    let body = head(app, view, area, buffer);
    let picked = page.highlighted().map(|(_, row)| row.pick.clone());
    drawn.pick = Some((view.id.clone(), picked));
    let Some((_, row)) = page.highlighted() else {
        return;
    };
    let count = u16::try_from(page.rows.len()).unwrap_or(u16::MAX);
    let headed = u16::from(body.height >= 9);
    let below = BELOW
        .min(body.height / 2)
        .max(body.height.saturating_sub(headed + count));
    let height = body.height - headed - below.min(body.height - headed);
    let list = Rect {
        y: body.y + headed,
        height,
        ..body
    };
    let area = tasks(app, page, list, headed > 0, buffer);
    drawn.tasks = Some(area);
    let rest = Rect {
        y: list.bottom(),
        height: body.bottom() - list.bottom(),
        ..body
    };
    match (page.task(), view.proposals.get(row.place)) {
        (Some(task), _) => one_task(app, view, task, rest, buffer),
        (None, Some(proposal)) => one_proposal(app, view, proposal, rest, buffer),
        (None, None) => {}
    }
}

/// The rows that can be seen, with their heading in the row above; where they are.
fn tasks(app: &App, page: &Page, list: Rect, headed: bool, buffer: &mut Buffer) -> TaskArea {
    let (at, highlighted) = page.highlighted().unzip();
    let at = at.unwrap_or_default();
    let columns = Columns::of(app, &page.view, usize::from(list.width));
    let before = app.drawn.tasks.as_ref().map_or(0, |tasks| tasks.offset);
    let height = usize::from(list.height);
    let first = offset(before, at, height, page.rows.len());
    let wide = usize::from(list.width);
    if headed {
        let line = columns.line(&COLUMNS);
        let hidden = match (first, page.rows.len().saturating_sub(first + height)) {
            (0, 0) => String::new(),
            (above, 0) => format!(" ↑ {above}"),
            (0, below) => format!(" ↓ {below}"),
            (above, below) => format!(" ↑ {above} ↓ {below}"),
        };
        let room = wide.saturating_sub(width(&hidden));
        let line = format!("       {}", line.trim_end());
        let words = format!("{}{hidden}", pad(&fit(&line, room), room));
        let style = app.palette.style(Look::Faint);
        put(buffer, list.x, list.y - 1, &fit(&words, wide), style);
    }
    for (index, y) in (first..page.rows.len()).zip(list.top()..list.bottom()) {
        let one = &page.rows[index];
        let relation = highlighted.map_or(' ', |row| relation(page, row, one));
        let (mark, look, cells) = cells(app, &page.view, one, &columns);
        let wave = one.wave.filter(|_| one.begins || index == first);
        let wave = wave.map_or_else(String::new, |wave| wave.to_string());
        let head = if index == at { '>' } else { ' ' };
        let words = format!(
            "{head}{mark}{relation}{wave:>2}{} {}",
            one.lane,
            columns.line(&cells)
        );
        let mut style = app.palette.style(look);
        if index == at {
            style = style.add_modifier(Modifier::REVERSED);
        }
        put(buffer, list.x, y, &pad(&fit(&words, wide), wide), style);
    }
    TaskArea {
        top: list.y,
        height: list.height,
        offset: first,
    }
}

/// Its name and how it is; its goal, and what went wrong with it, where there is room.
fn head(app: &App, view: &MissionView, area: Rect, buffer: &mut Buffer) -> Rect {
    let (done, all) = view.done();
    let time = view.begun_at.map(|at| clock(now(app) - at));
    let time = time.filter(|_| matches!(view.phase, Phase::Running | Phase::Paused));
    let mut words = vec![
        fit_middle(view.id.as_str(), 40),
        view.phase.as_str().to_owned(),
        format!("{done} of {all} done"),
    ];
    words.extend(time);
    let place = app.missions.iter().position(|one| one.id == view.id);
    if let (Some(place), count @ 2..) = (place, app.missions.len()) {
        words.push(format!("({} of {count}: Tab)", place + 1));
    }
    let mut area = title(app, &words.join("  "), area, buffer);
    let mut say = |text: &str, look: Look, least: u16| {
        if area.height >= least && !text.is_empty() {
            let text = fit(text, usize::from(area.width));
            put(buffer, area.x, area.y, &text, app.palette.style(look));
            area.y += 1;
            area.height -= 1;
        }
    };
    if let Some(trouble) = &view.trouble {
        say(&format!("! trouble: {}", one_line(trouble)), Look::Bad, 7);
    }
    if view.phase == Phase::Over {
        let words = format!("it can do no more; F: `/mission finish {}`", view.id);
        say(&words, Look::Needs, 7);
    }
    say(&format!("goal: {}", one_line(&view.goal)), Look::Faint, 12);
    area
}

/// How a task stands to the highlighted one: it is needed by it, or needs it.
fn relation(page: &Page, highlighted: &Row, other: &Row) -> char {
    let task = |row: &Row| match row.pick {
        Pick::Task(_) => page.view.tasks.get(row.place),
        Pick::Proposal(_) => None,
    };
    match (task(highlighted), task(other)) {
        (Some(one), Some(other)) if one.depends_on.contains(&other.slug) => '^',
        (Some(one), Some(other)) if other.depends_on.contains(&one.slug) => 'v',
        _ => ' ',
    }
}

const COLUMNS: [&str; 7] = ["TASK", "STAGE", "TRY", "CRITERIA", "TIME", "NOW", "NEEDS"];

/// The widths of the columns; 0: left out.
struct Columns([usize; 7]);

impl Columns {
    fn of(app: &App, view: &MissionView, room: usize) -> Self {
        let bound = match room {
            0..60 => 14,
            60..100 => 18,
            _ => 32,
        };
        let tasks = view.tasks.iter().map(|task| task.slug.as_str().len());
        let all = tasks.chain(view.proposals.iter().map(|one| one.slug.as_str().len()));
        let slug = all.max().unwrap_or_default().clamp(4, bound);
        if room < 60 {
            return Self([slug, 8, 0, 9, 0, 0, 0]);
        }
        let most = view
            .tasks
            .iter()
            .map(|task| ticks(&task.criteria, 12).len());
        let criteria = most.max().unwrap_or_default().clamp(8, 12);
        let times = view.tasks.iter().filter_map(|task| time(app, task));
        let times = times.map(|time| clock(time).len());
        let time = times.max().unwrap_or_default().max(4);
        let used = 7 + slug + 8 + 3 + criteria + time + 5 * 2;
        let left = room.saturating_sub(used);
        let needs = if room >= WITH_NEEDS { left / 3 } else { 0 };
        Self([
            slug,
            8,
            3,
            criteria,
            time,
            left - needs,
            needs.saturating_sub(2),
        ])
    }

    fn line(&self, cells: &[impl AsRef<str>; 7]) -> String {
        let shown = cells.iter().zip(self.0).filter(|(_, wide)| *wide > 0);
        let cells = shown.map(|(text, wide)| pad(&fit(text.as_ref(), wide), wide));
        cells.collect::<Vec<_>>().join("  ")
    }
}

/// The mark of a row, how it looks, and its cells.
fn cells(app: &App, view: &MissionView, row: &Row, columns: &Columns) -> (char, Look, [String; 7]) {
    let slug = |slug: &str| fit_middle(slug, columns.0[0]);
    if let (Pick::Proposal(_), Some(one)) = (&row.pick, view.proposals.get(row.place)) {
        let none = String::new;
        let cells = [
            slug(one.slug.as_str()),
            "proposed".to_owned(),
            none(),
            none(),
            none(),
            format!("a takes it in: {}", one_line(&one.why)),
            none(),
        ];
        return ('?', Look::Warning, cells);
    }
    let Some(task) = view.tasks.get(row.place) else {
        return (' ', Look::Faint, COLUMNS.map(|_| String::new()));
    };
    let asks = app.needs_person(task);
    let tries = match task.attempt {
        0 => String::new(),
        attempt => format!("{attempt}/{}", task.attempts),
    };
    let time = time(app, task).map(clock);
    let doing = match task.stage {
        Stage::Running | Stage::Checking if asks => "its worker asks you: Enter".to_owned(),
        _ => one_line(&task.doing),
    };
    let needs: Vec<&str> = task.depends_on.iter().map(TaskId::as_str).collect();
    let (mark, look) = look(task, asks);
    let cells = [
        slug(task.slug.as_str()),
        task.word().to_owned(),
        tries,
        ticks(&task.criteria, columns.0[3]),
        time.unwrap_or_default(),
        doing,
        needs.join(", "),
    ];
    (mark, look, cells)
}

const fn look(task: &TaskView, asks: bool) -> (char, Look) {
    match task.stage {
        Stage::Failed => ('x', Look::Bad),
        _ if asks => ('!', Look::Needs),
        Stage::Waiting if task.skipped => ('-', Look::Faint),
        Stage::Waiting => (' ', Look::Usual),
        Stage::Running => ('*', Look::Busy),
        Stage::Checking => ('~', Look::Busy),
        Stage::Blocked => ('!', Look::Needs),
        Stage::Stopped => ('=', Look::Warning),
        Stage::Done => ('+', Look::Good),
        Stage::Dropped => ('-', Look::Faint),
    }
}

/// What the criteria came to, one by one; where that is too long, how many of them passed.
fn ticks(criteria: &[CriterionView], room: usize) -> String {
    // with the blanks between them a tick takes two columns or three
    if criteria.len() * 2 <= room + 1 {
        let all: Vec<&str> = criteria.iter().map(|one| tick(one.result)).collect();
        let all = all.join(" ");
        if all.len() <= room {
            return all;
        }
    }
    let count = |result: Tick| criteria.iter().filter(|one| one.result == result).count();
    let (passed, failed) = (count(Tick::Passed), count(Tick::Failed));
    let mut text = format!("{passed}/{} ok", criteria.len());
    if failed > 0 {
        text = format!("{text} {failed} x");
    }
    text
}

/// All of one task.
fn one_task(app: &App, view: &MissionView, task: &TaskView, area: Rect, buffer: &mut Buffer) {
    let name = format!("{}: {}", task.slug, one_line(&task.title));
    let area = title(app, &name, area, buffer);
    let columns = usize::from(area.width);
    let mut lines: Vec<(String, Look)> = Vec::new();
    if let Some(why) = &task.why {
        let look = look(task, app.needs_person(task)).1;
        let wrapped = wrap(why, columns, "");
        lines.extend(wrapped.lines().take(3).map(|line| (line.to_owned(), look)));
    }
    for criterion in &task.criteria {
        lines.push(criterion_line(criterion));
    }
    if columns < 60 {
        lines.push((one_line(&task.doing), Look::Usual));
    }
    lines.push((facts(app, view, task), Look::Faint));
    if let Some(agent) = &task.agent {
        let mut words = format!("worker {agent}");
        if let Some(state) = &task.state {
            words = format!("{words}, {}", one_line(state));
        }
        if let Some(pane) = &task.pane {
            words = format!("{words}, in {}", one_line(&pane.to_string()));
        }
        if let Some(tokens) = task.costs.tokens {
            words = format!("{words}, {} tokens", short(tokens));
        }
        if let Some(calls) = task.costs.tool_uses {
            words = format!("{words}, {} tool calls", short(calls));
        }
        lines.push((words, Look::Faint));
    }
    if !task.outside.is_empty() {
        let files = one_line(&task.outside.join(", "));
        lines.push((format!("changed beside its paths: {files}"), Look::Warning));
    }
    text(app, &lines, area, buffer);
}

fn criterion_line(criterion: &CriterionView) -> (String, Look) {
    let look = match criterion.result {
        Tick::Open => Look::Usual,
        Tick::Running => Look::Busy,
        Tick::Passed => Look::Good,
        Tick::Failed => Look::Bad,
    };
    let mut words = format!("{:2} {}", tick(criterion.result), one_line(&criterion.what));
    if !criterion.said.is_empty() {
        words = format!("{words}: {}", one_line(&criterion.said));
    }
    (words, look)
}

/// What sort of task it is, and what it needs and is needed by.
fn facts(app: &App, view: &MissionView, task: &TaskView) -> String {
    let names = |all: &mut dyn Iterator<Item = &str>| all.collect::<Vec<_>>().join(", ");
    let mut facts = vec![task.role.as_str().to_owned()];
    if task.attempt > 0 {
        facts.push(format!("attempt {} of {}", task.attempt, task.attempts));
    }
    facts.extend(time(app, task).map(clock));
    if !task.depends_on.is_empty() {
        let needs = names(&mut task.depends_on.iter().map(TaskId::as_str));
        facts.push(format!("needs {needs}"));
    }
    let behind = view.tasks.iter();
    let mut behind = behind
        .filter(|other| other.depends_on.contains(&task.slug))
        .map(|other| other.slug.as_str())
        .peekable();
    if behind.peek().is_some() {
        facts.push(format!("is needed by {}", names(&mut behind)));
    }
    facts.join("; ")
}

fn one_proposal(
    app: &App,
    view: &MissionView,
    one: &ProposalView,
    area: Rect,
    buffer: &mut Buffer,
) {
    let name = format!("{} (proposed): {}", one.slug, one_line(&one.title));
    let area = title(app, &name, area, buffer);
    let columns = usize::from(area.width);
    let accept = format!("a: `/mission accept {} {}` takes it in", view.id, one.slug);
    let mut lines = vec![(accept, Look::Heading)];
    let why = wrap(&one.why, columns, "");
    lines.extend(why.lines().map(|line| (line.to_owned(), Look::Usual)));
    text(app, &lines, area, buffer);
}

fn text(app: &App, lines: &[(String, Look)], area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width);
    for ((line, look), y) in lines.iter().zip(area.top()..area.bottom()) {
        put(
            buffer,
            area.x,
            y,
            &fit(line, columns),
            app.palette.style(*look),
        );
    }
    let is_more = lines.len() > usize::from(area.height);
    more(app, is_more && width("more below") < columns, area, buffer);
}

/// How long a task took, or has taken so far; nothing of one that stands still.
fn time(app: &App, task: &TaskView) -> Option<TimeDelta> {
    let goes_on = matches!(task.stage, Stage::Running | Stage::Checking);
    task.time(now(app))
        .filter(|_| goes_on || task.ended_at.is_some())
}

fn now(app: &App) -> DateTime<Utc> {
    app.now.wall.to_utc()
}

/// A length of time that ticks: `0:07`, `12:34`, `1:02:03`, `2d 03h`.
fn clock(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    match hours {
        0 => format!("{minutes}:{:02}", seconds % 60),
        1..48 => format!("{hours}:{:02}:{:02}", minutes % 60, seconds % 60),
        _ => format!("{}d {:02}h", hours / 24, hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_tick() {
        for (seconds, shown) in [
            (-1, "0:00"),
            (7, "0:07"),
            (754, "12:34"),
            (3_723, "1:02:03"),
            (172_799, "47:59:59"),
            (183_600, "2d 03h"),
        ] {
            assert_eq!(clock(TimeDelta::seconds(seconds)), shown);
        }
    }
}
