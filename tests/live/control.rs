//! The controls: a blind typist does the harm, and the judge sees it.

use std::time::Duration;

use meta_orchestrator::ids::PaneAddress;
use rustix::process::Signal;

use super::agent::{Agent, Lab};
use super::common::zellij::{PATIENCE, wait_for};
use super::judge;
use super::plan::Texts;

/// A pause as a person makes it between a text and Enter.
const PAUSE: Duration = Duration::from_millis(700);

/// How long an agent sets itself up.
const SET_UP: Duration = Duration::from_secs(8);

/// How long an agent may take to draw a dialog.
const DRAWN: Duration = Duration::from_secs(4);

/// Types into a shell, over a person's text and into a dialog, with no supervisor; panics if the judge sees
/// nothing.
pub fn run(lab: &Lab, seed: u64) {
    let zellij = &lab.stage.zellij;
    let mut texts = Texts::new(seed, "controls");
    let blind = |pane: &PaneAddress, text: &str| {
        zellij.type_as_person(pane, text);
        std::thread::sleep(PAUSE);
        zellij.type_as_person(pane, "\n");
    };

    // what an agent sets up at its very first start is not to be broken off
    let first = lab.start();
    std::thread::sleep(SET_UP);
    drop(first);

    let (before, agent, ours) = (lab.api.count(), lab.start(), texts.nudge());
    agent.signal(Signal::KILL, true);
    wait_for(PATIENCE, "the killed agent's shell", || {
        zellij
            .dump(agent.pane.pane)
            .contains("Killed")
            .then_some(())
    });
    blind(&agent.pane, &ours);
    seen(lab, &agent, "executed", || {
        judge::harm(lab, &agent, before, &ours, &[])
    });
    drop(agent);

    let (before, agent, ours) = (lab.api.count(), lab.start(), texts.nudge());
    let draft = texts.draft();
    zellij.type_as_person(&agent.pane, &draft);
    blind(&agent.pane, &ours);
    seen(lab, &agent, "submitted", || {
        judge::harm(lab, &agent, before, &ours, &[&draft])
    });
    drop(agent);

    let (before, agent, ours) = (lab.api.count(), lab.start(), texts.nudge());
    let starter = texts.hangs();
    blind(&agent.pane, &starter);
    wait_for(PATIENCE, "the service to be asked", || {
        (lab.api.count() > before).then_some(())
    });
    lab.api.release();
    std::thread::sleep(DRAWN);
    let mut still = (String::new(), 0);
    wait_for(PATIENCE, "the dialog", || {
        let shown = agent.screen();
        still.1 = if shown == still.0 { still.1 + 1 } else { 0 };
        still.0 = shown;
        (still.1 >= 15).then_some(())
    });
    blind(&agent.pane, &ours);
    seen(lab, &agent, "", || {
        judge::harm(lab, &agent, before, &ours, &[&starter])
    });
}

fn seen(lab: &Lab, agent: &Agent<'_>, word: &str, mut look: impl FnMut() -> Vec<String>) {
    std::fs::write(lab.out.join("control.txt"), agent.screen()).unwrap();
    let found = wait_for(
        PATIENCE,
        &format!("the harm of a blind typist: {word}"),
        || {
            let found = look();
            let fits = found.iter().any(|harm| harm.contains(word));
            fits.then_some(found)
        },
    );
    println!("{} control, a blind typist: {found:?}", lab.kind);
}
