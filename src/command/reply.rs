//! Puts what came of a command, and what the supervisor says by itself, into words for a person.
//!
//! Text in, text out: the width of the terminal and the time are values. Everything is understandable
//! without colour, and everything that came from outside is [`harmless`] before it leaves here. Front ends
//! print what comes out as it is.

use std::fmt::Write as _;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};

use super::text::{fit_middle, harmless, one_line, table, wrap};
use super::when::length;
use super::{Notice, PaneRow, Reply, Urgency, explain, missions};
use crate::agent::view::{AgentView, Status};
use crate::error::Failure;
use crate::evidence::GENERIC;
use crate::ids::AgentId;
use crate::record::{DecisionLine, Memo, Origin, Review, Step};
use crate::screen::state::State;
use crate::screen::styled;

/// What the words have to fit into.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Columns of the terminal; `usize::MAX` where nothing is to be cut or wrapped.
    pub columns: usize,
    /// The time now, in the person's time zone.
    pub now: DateTime<FixedOffset>,
}

impl Frame {
    fn ago(&self, since: DateTime<Utc>) -> String {
        age(self.now.to_utc() - since)
    }
}

/// What came of a command; ends with a newline unless it is empty.
pub fn render(reply: &Reply, frame: &Frame) -> String {
    let text = match reply {
        Reply::Done(text) | Reply::Bye(text) | Reply::Text(text) => harmless(text).into_owned(),
        Reply::Agents(views) => agents(views.iter().map(AsRef::as_ref), frame),
        Reply::Panes(rows) => panes(rows, frame),
        Reply::Explanation(explained) => explain::words(explained, frame),
        Reply::Screen(shot) => harmless(&styled::text(&shot.styled)).into_owned(),
        Reply::Decision { id, steps } => decision(id, steps, frame),
        Reply::Reviews { id, reviews } => all_reviews(id, reviews, frame),
        Reply::Memos { id, memos, skipped } => all_memos(id, memos, *skipped, frame),
        Reply::Missions(views) => missions::words(views, frame),
        Reply::Workers(views) => missions::workers(views, frame),
        Reply::Confirm(question) => {
            let question = harmless(question);
            format!("{}\n/yes does it; /no leaves it", question.trim_end())
        }
    };
    ended(&text)
}

/// A failure; ends with a newline.
pub fn failure(failure: &Failure) -> String {
    ended(&format!("error: {}", harmless(&failure.to_string())))
}

/// Something that the supervisor says by itself; ends with a newline. Every line but the first is indented,
/// so that no text from outside can pass for another notice.
pub fn notice(notice: &Notice, frame: &Frame) -> String {
    let at = notice.ts.with_timezone(frame.now.offset());
    let text = notice_text(notice);
    let wrapped = wrap(&text, frame.columns.saturating_sub(11), "");
    let lines = wrapped.replace('\n', "\n           ");
    format!("[{}] {lines}\n", at.format("%H:%M:%S"))
}

/// The same without its time, neither wrapped nor made harmless.
pub fn notice_text(notice: &Notice) -> String {
    let who = notice.agent.as_ref().map(AgentId::as_str);
    let head = match (who, notice.urgency) {
        (Some(who), Urgency::Info) => format!("{who}: "),
        (Some(who), Urgency::Warning) => format!("{who}, warning: "),
        (Some(who), Urgency::Person) => format!("{who} needs you: "),
        (None, Urgency::Info) => String::new(),
        (None, Urgency::Warning) => "warning: ".to_owned(),
        (None, Urgency::Person) => "you are needed: ".to_owned(),
    };
    format!("{head}{}", notice.text.trim())
}

fn ended(text: &str) -> String {
    match text.trim_end() {
        "" => String::new(),
        text => format!("{text}\n"),
    }
}

/// A length of time in its largest unit: `12s`, `3m`, `5h`, `2d`.
pub fn age(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn agents<'a>(views: impl Iterator<Item = &'a AgentView> + Clone, frame: &Frame) -> String {
    let heading = [
        "ID",
        "STATUS",
        "STATE",
        "PANE",
        "POLLS",
        "CHANGED",
        "NUDGES",
        "CALLS",
        "LAST DECISION",
    ];
    let rows: Vec<Vec<String>> = views.clone().map(|view| agent_row(view, frame)).collect();
    if rows.is_empty() {
        return "no agents yet: /panes shows what there is, /add ID PANE GOAL... supervises one"
            .to_owned();
    }
    let bounds = [32, 24, 10, 32];
    let mut text = table(&heading, &bounds, &rows, frame.columns);
    if views.clone().any(|view| view.all_stopped) {
        text.push_str("\n\nall typing is stopped; /startall lets it go on");
    }
    for view in views {
        if let Some(more) = agent_more(view, frame) {
            let _ = write!(text, "\n\n{more}");
        }
    }
    text
}

fn agent_row(view: &AgentView, frame: &Frame) -> Vec<String> {
    let status = match &view.status {
        Status::Gone(_) => "gone".to_owned(),
        Status::Error(_) => "error".to_owned(),
        status => status.to_string(),
    };
    let observed = view.observe && view.status != Status::Observing;
    vec![
        fit_middle(view.id.as_str(), 32),
        format!("{status}{}", if observed { " (observed)" } else { "" }),
        view.state
            .map_or_else(|| "-".to_owned(), |state| state.to_string()),
        view.pane.to_string(),
        view.polls.to_string(),
        view.changed_at.map_or("-".to_owned(), |at| frame.ago(at)),
        view.nudges.to_string(),
        view.calls.to_string(),
        match view.last_decision.trim() {
            "" => "-".to_owned(),
            decision => decision.to_owned(),
        },
    ]
}

/// What does not fit into a row: why it is gone, and what it asks.
fn agent_more(view: &AgentView, frame: &Frame) -> Option<String> {
    let id = &view.id;
    let mut parts = Vec::new();
    match &view.status {
        Status::Gone(why) => parts.push(format!(
            "{}\n  when its program is back: /start {id}",
            wrap(&format!("{id} is gone: {why}"), frame.columns, "")
        )),
        Status::Error(why) => {
            let text = format!("{id} cannot be watched for now: {why}");
            parts.push(wrap(&text, frame.columns, ""));
        }
        _ => {}
    }
    if let Some(question) = &view.question {
        parts.push(format!(
            "{id} asks ({} ago):\n{}\n  to answer: {}",
            frame.ago(question.since),
            wrap(&question.text, frame.columns, "    "),
            to_answer(view)
        ));
    }
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// With which command a question is answered: one that the agent's dialog asks with a key of that dialog.
fn to_answer(view: &AgentView) -> String {
    let id = &view.id;
    let by_profile = view.kind.as_deref().is_some_and(|kind| kind != GENERIC);
    match view.state {
        Some(State::Approval) if by_profile => format!("/approve {id}, or /deny {id}"),
        Some(State::Question) if by_profile => format!("/answer {id} OPTION, or TEXT..."),
        Some(State::Trust | State::Login) if by_profile => {
            format!("/answer {id} OPTION...")
        }
        _ => format!("/reply {id} TEXT..."),
    }
}

fn panes(rows: &[PaneRow], frame: &Frame) -> String {
    if rows.is_empty() {
        return "zellij has no panes that could be supervised".to_owned();
    }
    let heading = ["PANE", "WHOSE", "COMMAND", "TITLE", "FOLDER"];
    let bounds = [40, 24, 32, 32];
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| [&row.pane, &row.whose, &row.command, &row.title, &row.folder])
        .map(|cells| {
            let shown = cells.map(|cell| if cell.trim().is_empty() { "-" } else { cell });
            shown.map(str::to_owned).to_vec()
        })
        .collect();
    table(&heading, &bounds, &rows, frame.columns)
}

fn all_memos(id: &AgentId, memos: &[Memo], skipped: u64, frame: &Frame) -> String {
    let mut parts: Vec<String> = memos.iter().map(|memo| one_memo(memo, frame)).collect();
    if parts.is_empty() {
        parts.push(format!("{id} has no memos yet"));
    }
    match skipped {
        0 => {}
        1 => parts.push("1 line of its log could not be read; it was left in the file".to_owned()),
        _ => parts.push(format!(
            "{skipped} lines of its log could not be read; they were left in the file"
        )),
    }
    parts.join("\n")
}

/// Every step of a decision, with all that was asked and answered.
fn decision(id: &AgentId, steps: &[DecisionLine], frame: &Frame) -> String {
    let Some(first) = steps.first() else {
        return format!("{id} has no such decision on record");
    };
    let mut text = format!("decision {} about {id}", one_line(&first.id));
    for line in steps {
        let at = line.ts.with_timezone(frame.now.offset());
        let what = step_line(&line.step);
        let _ = write!(text, "\n{}  {what}", at.format("%Y-%m-%d %H:%M:%S"));
        let texts = step_texts(&line.step);
        for words in texts.iter().filter(|words| !words.trim().is_empty()) {
            let _ = write!(text, "\n{}", wrap(words, frame.columns, "    "));
        }
    }
    text
}

/// A step in one line; what belongs under it is the caller's to show.
pub fn step_line(step: &Step) -> String {
    let line = match step {
        Step::Asked {
            backend, quiet_sec, ..
        } => format!(
            "asked {backend}, after {} without a change",
            length(*quiet_sec)
        ),
        Step::Answered {
            by,
            verdict,
            tokens,
            ..
        } => {
            let by = by.as_deref().unwrap_or("it");
            let said = verdict
                .as_ref()
                .map_or("gave no verdict", |verdict| verdict.action.as_str());
            format!("{by}: {said}, {tokens} tokens")
        }
        Step::Intent { origin, pane, .. } => {
            format!("about to type to {pane} ({})", origin_word(*origin))
        }
        Step::Receipt {
            origin, receipt, ..
        } => format!("{receipt} ({})", origin_word(*origin)),
        Step::Counted { why } => why.clone(),
    };
    one_line(&line)
}

fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Verdict => "decided",
        Origin::Person => "you",
        Origin::Rule => "a rule",
    }
}

/// The texts of a step, whole.
fn step_texts(step: &Step) -> Vec<String> {
    match step {
        Step::Asked { prompt, .. } => vec![prompt.clone()],
        Step::Answered {
            verdict,
            problem,
            answer,
            ..
        } => {
            let why = verdict.as_ref().map(|verdict| verdict.reasoning.clone());
            let problem = problem.as_ref().map(|why| format!("problem: {why}"));
            [why, problem, Some(answer.clone())]
                .into_iter()
                .flatten()
                .collect()
        }
        Step::Intent { text, .. } | Step::Receipt { text, .. } => vec![text.clone()],
        Step::Counted { .. } => Vec::new(),
    }
}

fn all_reviews(id: &AgentId, reviews: &[Review], frame: &Frame) -> String {
    let parts: Vec<String> = reviews
        .iter()
        .map(|review| {
            let at = review.ts.with_timezone(frame.now.offset());
            let mut text = format!(
                "Review of {id} by {}, {} ({} ago):\n\n{}",
                one_line(&review.by),
                at.format("%Y-%m-%d %H:%M"),
                frame.ago(review.ts),
                wrap(&review.text, frame.columns, "")
            );
            if let Some(instruction) = &review.instruction {
                let _ = write!(text, "\n\nIt would type: {}", one_line(instruction));
            }
            text
        })
        .collect();
    if parts.is_empty() {
        return format!("{id} has no reviews yet; /review {id} has one written");
    }
    parts.join("\n\n")
}

/// One memo: when, what, what became of it; does not end with a newline.
pub fn one_memo(memo: &Memo, frame: &Frame) -> String {
    let at = memo.ts.with_timezone(frame.now.offset());
    let mut text = format!(
        "{}, {} ago: {}",
        at.format("%Y-%m-%d %H:%M:%S"),
        frame.ago(memo.ts),
        one_line(memo.action.as_str())
    );
    if let Some(receipt) = &memo.receipt {
        let _ = write!(text, ", {}", one_line(&receipt.to_string()));
    }
    let after = memo.after_summary.as_deref().unwrap_or_default();
    for (name, words) in [
        ("text", memo.text.as_str()),
        ("why", &memo.reasoning),
        ("then", after),
    ] {
        if !words.trim().is_empty() {
            let wrapped = wrap(words, frame.columns, "        ");
            let _ = write!(text, "\n  {name:4}  {}", wrapped.trim_start());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::record::{Action, MemoAction, Question, Receipt};

    fn frame(columns: usize) -> Frame {
        let now = "2026-11-03T16:05:09+02:00".parse().unwrap();
        Frame { columns, now }
    }

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-03T{text}Z").parse().unwrap()
    }

    fn view(id: &str, status: Status) -> AgentView {
        AgentView {
            polls: 1200,
            changed_at: Some(at("14:02:00")),
            last_decision: "instruct: run the tests again; delivered, and the screen changed"
                .into(),
            program: Some("claude".into()),
            ..AgentView::made_up(id, status)
        }
    }

    fn some_agents() -> Reply {
        let question = Question {
            text: "The tests pass. Is that enough?\n\u{1b}[2Jmo> /yes".into(),
            since: at("13:00:09"),
            insists: false,
            left_over: None,
        };
        let gone = Status::Gone("`claude` ended; a shell is in front".into());
        let error = Status::Error("zellij did not answer within 5 s".into());
        Reply::Agents(vec![
            Arc::new(view("kernel-bwd", Status::Asking("openaiCompat".into()))),
            Arc::new(AgentView {
                question: Some(question),
                last_decision: "ask_user: 漢字 and e\u{301}".into(),
                ..view("docs", Status::AwaitingUser)
            }),
            Arc::new(AgentView {
                changed_at: None,
                polls: 0,
                last_decision: String::new(),
                observe: true,
                ..view("new", Status::Starting)
            }),
            Arc::new(view("old", gone)),
            Arc::new(view("slow", error)),
        ])
    }

    #[test]
    fn agents_are_shown_in_columns_with_their_questions_below() {
        insta::assert_snapshot!("agents_wide", render(&some_agents(), &frame(140)));
        insta::assert_snapshot!("agents_narrow", render(&some_agents(), &frame(80)));
        insta::assert_snapshot!("agents_piped", render(&some_agents(), &frame(usize::MAX)));
    }

    #[test]
    fn panes_are_shown_in_columns() {
        let row = |pane: &str, title: &str, whose: &str| PaneRow {
            pane: pane.into(),
            title: title.into(),
            command: "claude".into(),
            folder: "/home/me/a project".into(),
            whose: whose.into(),
        };
        let rows = vec![
            row("work:terminal_1", "✳ 日本語のタイトル", "kernel-bwd"),
            row("work:terminal_12", "evil\u{1b}]0;x\u{7}\u{202e}", ""),
            row(
                "work:terminal_3",
                "a title that is far longer than anybody needs it to be",
                "this program",
            ),
        ];
        insta::assert_snapshot!("panes", render(&Reply::Panes(rows), &frame(120)));
        insta::assert_snapshot!(render(&Reply::Panes(vec![]), &frame(80)), @"zellij has no panes that could be supervised");
    }

    #[test]
    fn memos_are_shown_with_what_came_of_them() {
        let memo = |action: &str, text: &str, receipt, after: Option<&str>| Memo {
            v: 1,
            id: String::new(),
            session_id: "default".parse().unwrap(),
            ts: at("13:59:00"),
            action: MemoAction::from(action),
            text: text.into(),
            reasoning: "It has stood still for a minute, and its prompt is empty.".into(),
            receipt,
            after_summary: after.map(Into::into),
        };
        let refused = Receipt::Refused {
            why: "a dialog is open".into(),
        };
        let memos = vec![
            memo("continue", "", None, None),
            memo(
                "instruct",
                "Run the tests again,\nand fix what fails.",
                Some(Receipt::delivered("test")),
                Some("the screen changed: 12 lines; `42 passed`"),
            ),
            memo("instruct", "Go on", Some(refused), None),
            memo("odd\u{1b}[31m", "", None, None),
        ];
        assert_eq!(memos[0].action, MemoAction::Verdict(Action::Continue));
        let id: AgentId = "docs".parse().unwrap();
        let reply = Reply::Memos {
            id: id.clone(),
            memos,
            skipped: 2,
        };
        insta::assert_snapshot!("memos", render(&reply, &frame(60)));
        let none = Reply::Memos {
            id,
            memos: vec![],
            skipped: 0,
        };
        insta::assert_snapshot!(render(&none, &frame(60)), @"docs has no memos yet");
    }

    #[test]
    fn sentences_questions_failures_and_an_empty_roster_are_plain() {
        let shown = |reply: Reply| render(&reply, &frame(80));
        insta::assert_snapshot!(shown(Reply::Agents(vec![])), @"no agents yet: /panes shows what there is, /add ID PANE GOAL... supervises one");
        insta::assert_snapshot!(shown(Reply::Confirm("Type `Go on` to docs?\n".into())), @r"
        Type `Go on` to docs?
        /yes does it; /no leaves it
        ");
        assert_eq!(
            shown(Reply::Done("docs is stopped".into())),
            "docs is stopped\n"
        );
        assert_eq!(shown(Reply::Bye(String::new())), "");
        let wrong = Failure::usage("there is no agent `do\u{1b}cs`").hint("/list shows them");
        insta::assert_snapshot!(failure(&wrong), @r"
        error: there is no agent `do␛cs`
          hint: /list shows them
        ");
    }

    #[test]
    fn notices_say_when_who_and_how_urgent_and_cannot_be_forged() {
        let said = |agent: Option<&str>, urgency, text: &str| {
            let notice = Notice {
                ts: at("14:05:00"),
                agent: agent.map(|id| id.parse().unwrap()),
                urgency,
                text: text.into(),
            };
            super::notice(&notice, &frame(60))
        };
        let all = [
            said(Some("docs"), Urgency::Info, "nudged: run the tests"),
            said(
                Some("docs"),
                Urgency::Warning,
                "the backend did not answer within 60 s; it is asked again in a minute",
            ),
            said(
                Some("docs"),
                Urgency::Person,
                "Shall I go on?\n[14:05:00] docs: all is well\u{7}\n/reply docs TEXT...",
            ),
            said(None, Urgency::Info, "saved"),
            said(None, Urgency::Warning, "the disk is full"),
            said(None, Urgency::Person, "zellij is gone"),
        ];
        insta::assert_snapshot!("notices", all.concat());
    }

    #[test]
    fn ages_are_told_in_their_largest_unit() {
        for (seconds, shown) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3_599, "59m"),
            (3_600, "1h"),
            (172_799, "47h"),
            (172_800, "2d"),
        ] {
            assert_eq!(age(TimeDelta::seconds(seconds)), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_from_outside_reaches_the_terminal_raw(foreign in any::<String>(), columns in 0usize..200) {
            let question = Question { text: foreign.clone(), since: at("14:00:00"), insists: true, left_over: None };
            let agent = AgentView {
                last_decision: foreign.clone(),
                question: Some(question),
                ..view("a", Status::Gone(foreign.clone()))
            };
            let row = PaneRow {
                pane: foreign.clone(),
                title: foreign.clone(),
                command: foreign.clone(),
                folder: foreign.clone(),
                whose: foreign.clone(),
            };
            let said = Notice { ts: at("14:00:00"), agent: None, urgency: Urgency::Person, text: foreign.clone() };
            let frame = frame(columns);
            let mut shown = notice(&said, &frame);
            shown.push_str(&failure(&Failure::usage(foreign.clone())));
            for reply in [
                Reply::Agents(vec![Arc::new(agent)]),
                Reply::Panes(vec![row]),
                Reply::Done(foreign.clone()),
                Reply::Confirm(foreign),
            ] {
                shown.push_str(&render(&reply, &frame));
            }
            prop_assert!(!shown.chars().any(|one| one.is_control() && one != '\n' && one != '\t'));
        }
    }
}
