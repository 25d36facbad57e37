//! Texts that would be more than words to the agent, and prompts in which a person's words stand.

use std::time::Duration;

use serde_json::{Value, json};

use super::common::agents::PaneAgent;
use super::common::model::{instruct, leave};
use super::common::supervisor::{Stage, Watch, id};
use super::common::zellij::{PATIENCE, wait_for};
use super::stage::{
    NEXT, assert_unharmed, claude, config, insist, open, types, wait_for_file, wait_for_ran,
    wait_for_state, watch, with_claude,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_agent_takes_as_a_command_of_its_own_is_not_typed() {
    let (stage, agent) = with_claude(&[]);
    let watch = watch(&stage, &agent).await;
    let texts = [
        ("!touch shell-ran", '!'),
        ("\u{200b} \u{1b}[1m!touch shell-ran", '!'),
        ("/clear", '/'),
        ("& touch behind", '&'),
    ];
    for (count, (text, mark)) in texts.into_iter().enumerate() {
        stage.model.says([instruct(text)]);
        agent.order(&format!("say Part {count} is finished."));
        let why = format!("the text begins with `{mark}`, which agents take as a command");
        wait_for(PATIENCE, &why, || {
            let refused = watch.memos("a1").into_iter().filter(|memo| {
                let receipt = &memo["receipt"];
                receipt["receipt"] == "refused" && receipt["why"] == why.as_str()
            });
            let texts: Vec<_> = refused.map(|memo| memo["text"].clone()).collect();
            texts.iter().any(|said| said == text).then_some(())
        });
    }
    assert_eq!(agent.typed(), "");
    watch.quit().await;

    types(&stage, &agent, "!touch typed-ran\n");
    wait_for_file(&agent, "typed-ran");
    paste(&stage, &agent, "!touch pasted-ran");
    types(&stage, &agent, "\n");
    wait_for_file(&agent, "pasted-ran");
}

/// Pastes as zellij does: what is in the text is passed on as it is.
fn paste(stage: &Stage, agent: &PaneAgent, text: &str) {
    let pane = agent.pane.pane.to_string();
    let before = agent.typed().len();
    insist(
        "the paste to arrive",
        || {
            stage
                .zellij
                .action(&["paste", "--pane-id", &pane, "--", text]);
        },
        || agent.typed().len() > before,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_escape_sequence_closes_no_paste_and_presses_no_key() {
    let stage = open();
    let typed = claude(&stage, "typed", &[]);
    let pasted = claude(&stage, "pasted", &[]);
    let evil = "Go on.\u{1b}[201~\r!touch escaped-ran\r";
    let harmless = "Go on. !touch escaped-ran";
    stage.model.answers(move |asked| {
        let is_first = asked.user().contains("this is the first decision");
        if is_first { instruct(evil) } else { leave() }
    });
    let mut config = config(&stage, &[("typed", &typed), ("pasted", &pasted)]);
    config["profiles"] = "profiles".into();
    config["agents"][1]["kind"] = "pasted".into();
    write_profile_that_pastes(&stage);
    let watch = stage.watch_as(config).await;
    for (name, agent) in [("typed", &typed), ("pasted", &pasted)] {
        assert_eq!(watch.wait_for_receipt(name), "delivered", "{name}");
        assert_eq!(agent.lines(), [harmless], "{name}");
        assert_eq!(agent.read("ran"), "", "{name}");
    }
    assert_eq!(typed.typed(), format!("{harmless}\r"));
    assert_eq!(
        pasted.typed(),
        format!("\u{1b}[200~{harmless}\u{1b}[201~\r")
    );
    watch.quit().await;

    types(&stage, &typed, evil);
    wait_for_file(&typed, "escaped-ran");
    paste(&stage, &pasted, evil);
    wait_for_file(&pasted, "escaped-ran");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialog_that_opens_just_before_our_text_ignores_it_where_it_is_pasted() {
    let stage = open();
    // between the last look and the first letter, which nobody can see: Codex takes each letter for a key
    let orders = ["keen", "trap dialog touch allowed"];
    let typed = claude(&stage, "typed", &orders);
    let pasted = claude(&stage, "pasted", &orders);
    stage.model.says([instruct(NEXT)]);
    let mut config = config(&stage, &[("typed", &typed), ("pasted", &pasted)]);
    config["profiles"] = "profiles".into();
    config["agents"][1]["kind"] = "pasted".into();
    write_profile_that_pastes(&stage);
    let watch = stage.watch_as(config).await;
    let receipt = watch.wait_for_receipt("pasted");
    assert!(
        receipt.starts_with("unproven: the screen looks like a dialog"),
        "{receipt}"
    );
    assert_eq!(
        pasted.typed(),
        format!("\u{1b}[200~{NEXT}\u{1b}[201~"),
        "without an Enter"
    );
    assert_unharmed(&pasted);

    // The control: the same text, typed. No Enter follows it either, but its digit was enough.
    assert!(watch.wait_for_receipt("typed").starts_with("unproven: "));
    assert_eq!(typed.typed(), NEXT);
    wait_for_file(&typed, "allowed");
}

/// A profile of the person's own: Claude Code, whose texts are pasted.
fn write_profile_that_pastes(stage: &Stage) {
    let shipped = include_str!("../../config/agents/claude.json");
    let mut profile: Value = serde_json::from_str(shipped).unwrap();
    profile["kind"] = "pasted".into();
    profile["processes"] = json!([]);
    profile["typing"]["write"] = "paste".into();
    let folder = stage.zellij.home().join("profiles");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("pasted.json"), profile.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_typed_to_a_persons_words_and_nothing_sent_with_them() {
    let stage = open();
    let agents =
        ["words", "shell", "between", "under"].map(|name| (name, claude(&stage, name, &[])));
    let [(_, words), (_, shell), (_, between), (_, under)] = &agents;
    types(&stage, words, "Delete all but ");
    types(&stage, shell, "!touch half");
    words.wait_for_typed("but ");
    shell.wait_for_typed("half");
    stage.model.says([instruct(NEXT)]);
    let all: Vec<_> = agents.iter().map(|(name, agent)| (*name, agent)).collect();
    let mut config = config(&stage, &all);
    config["timing"]["settleSec"] = json!(2.0);
    // the four are not decided about at one moment
    config["timing"]["enterPauseSec"] = json!(6.0);
    let watch = stage.watch_as(config).await;
    // one begins to write between the two looks at the empty prompt
    wait_for_intent(&watch, "between");
    types(&stage, between, "Wait, ");
    // and one between our text and its Enter
    under.wait_for_typed(NEXT);
    types(&stage, under, " And then?");

    let receipt = watch.wait_for_receipt("between");
    let whys = [
        "somebody's text stands in the prompt: `Wait,`",
        "the screen has changed",
        // now and then zellij tells nothing of a screen
        "no prompt is to be seen",
    ];
    assert!(
        whys.iter()
            .any(|why| receipt.starts_with(&format!("refused: {why}"))),
        "{receipt}"
    );
    assert_eq!(
        watch.wait_for_receipt("under"),
        "unproven: the prompt does not hold exactly the text that was typed"
    );
    wait_for_state(&watch, "words", "draft");
    wait_for_state(&watch, "shell", "draft");
    for name in ["words", "shell"] {
        let asked = stage.model.asked_about(&format!("goal of {name}\n"));
        assert_eq!(asked.len(), 0, "no model is asked about {name}");
        let refused = watch.supervisor.reply(&id(name), NEXT.into()).await;
        assert!(refused.is_err(), "{name}: {refused:?}");
    }
    let typed = [words, shell, between, under].map(PaneAgent::typed);
    let under_typed = format!("{NEXT} And then?");
    assert_eq!(
        typed,
        ["Delete all but ", "!touch half", "Wait, ", &under_typed]
    );
    for (_, agent) in &agents {
        assert_unharmed(agent);
    }
    watch.quit().await;

    types(&stage, under, "\n");
    under.wait_for_line(&under_typed);
    for agent in [words, between, shell] {
        types(&stage, agent, &format!("{NEXT}\n"));
    }
    words.wait_for_line(&format!("Delete all but {NEXT}"));
    between.wait_for_line(&format!("Wait, {NEXT}"));
    wait_for_ran(shell, &format!("touch half{NEXT}"));
}

/// Waits until it is on record that a text is about to be typed; the two looks follow.
pub fn wait_for_intent(watch: &Watch, name: &str) {
    wait_for(Duration::from_secs(20), "the intent", || {
        let mut steps = watch.decisions(name).into_iter();
        steps.find(|line| line["step"] == "intent").map(|_| ())
    });
}
