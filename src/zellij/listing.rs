//! What zellij lists: sessions and panes, read from its words.

use std::ops::Deref;
use std::path::PathBuf;

use serde::Deserialize;

use super::error::excerpt;
use crate::ids::{PaneId, SessionName};

/// A terminal pane, as `list-panes` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pane {
    /// Its id.
    pub id: PaneId,
    /// Its name, or the command that it was opened with.
    pub title: String,
    /// The command in its foreground as zellij sees it. Not to be relied on for an `exited` pane, where
    /// it was seen to be another pane's.
    pub command: Option<String>,
    /// The command that the pane was opened with; `None` is the default shell.
    pub opened_with: Option<String>,
    /// The working folder of what runs in it.
    pub folder: Option<PathBuf>,
    /// Its command has ended.
    pub exited: bool,
    /// The exit status of the command that has ended.
    pub exit_status: Option<i32>,
    /// It waits, its command ended, for Enter, which **runs the command again**.
    pub held: bool,
    /// It has the focus of its tab.
    pub focused: bool,
    /// Columns and rows of its content, without the frame.
    pub size: (u32, u32),
    /// Column and row of the cursor, counted from 0 within the content. `None` where it is hidden (some
    /// agents draw their own) or waits past the right edge.
    pub cursor: Option<(u32, u32)>,
    /// The name of its tab.
    pub tab: String,
    /// The number of its tab, which stays the same while that is open.
    pub tab_id: Option<u64>,
}

/// A plugin's pane: numbered apart from the terminals, and never typed into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginPane {
    /// Its number; a terminal may have the same.
    pub number: u32,
    /// Its title.
    pub title: String,
}

/// The panes of a session at one moment. Used as a slice it is the terminal panes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Panes {
    terminals: Vec<Pane>,
    plugins: Vec<PluginPane>,
}

impl Panes {
    /// The terminal pane `id`.
    pub fn find(&self, id: PaneId) -> Option<&Pane> {
        self.terminals.iter().find(|pane| pane.id == id)
    }

    /// The panes of plugins.
    pub fn plugins(&self) -> &[PluginPane] {
        &self.plugins
    }

    /// Reads the answer of `list-panes --json --all`. An empty answer is an error, and so is an empty
    /// list: a session that has just begun gives one, and zellij has been seen to say nothing at all
    /// (its issue 5382).
    pub(super) fn parse(answer: &[u8]) -> Result<Self, String> {
        if answer.trim_ascii().is_empty() {
            return Err("it answered nothing".to_owned());
        }
        let listed: Vec<Listed> = serde_json::from_slice(answer).map_err(|error| {
            let said = excerpt(answer);
            format!("its answer is not the JSON expected: {error}; it said: {said}")
        })?;
        if listed.is_empty() {
            return Err(
                "it listed no pane at all, as a session does that is still starting".to_owned(),
            );
        }
        let mut panes = Self::default();
        for pane in listed {
            if pane.is_plugin {
                panes.plugins.push(PluginPane {
                    number: pane.id,
                    title: pane.title,
                });
            } else {
                panes.terminals.push(pane.into());
            }
        }
        Ok(panes)
    }
}

impl Deref for Panes {
    type Target = [Pane];
    fn deref(&self) -> &[Pane] {
        &self.terminals
    }
}

/// One pane in zellij's own terms; what a version leaves out takes its default.
#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "zellij's form, not ours")]
struct Listed {
    id: u32,
    is_plugin: bool,
    #[serde(default)]
    title: String,
    #[serde(default)]
    exited: bool,
    #[serde(default)]
    exit_status: Option<i32>,
    #[serde(default)]
    is_held: bool,
    #[serde(default)]
    is_focused: bool,
    #[serde(default)]
    terminal_command: Option<String>,
    #[serde(default)]
    pane_command: Option<String>,
    #[serde(default)]
    pane_cwd: Option<PathBuf>,
    #[serde(default)]
    pane_x: i64,
    #[serde(default)]
    pane_y: i64,
    #[serde(default)]
    pane_content_x: i64,
    #[serde(default)]
    pane_content_y: i64,
    #[serde(default)]
    pane_content_columns: u32,
    #[serde(default)]
    pane_content_rows: u32,
    #[serde(default)]
    cursor_coordinates_in_pane: Option<(i64, i64)>,
    #[serde(default)]
    tab_name: String,
    #[serde(default)]
    tab_id: Option<u64>,
}

impl From<Listed> for Pane {
    fn from(listed: Listed) -> Self {
        // zellij counts the cursor from the corner of the frame, measured on 0.45.1.
        let cursor = listed.cursor_coordinates_in_pane.and_then(|(column, row)| {
            let frame_left = listed.pane_content_x.checked_sub(listed.pane_x)?;
            let frame_top = listed.pane_content_y.checked_sub(listed.pane_y)?;
            let column = u32::try_from(column.checked_sub(frame_left)?).ok()?;
            let row = u32::try_from(row.checked_sub(frame_top)?).ok()?;
            Some((column, row))
        });
        Self {
            id: PaneId::new(listed.id),
            title: listed.title,
            command: listed.pane_command,
            opened_with: listed.terminal_command,
            folder: listed.pane_cwd,
            exited: listed.exited,
            exit_status: listed.exit_status,
            held: listed.is_held,
            focused: listed.is_focused,
            size: (listed.pane_content_columns, listed.pane_content_rows),
            cursor,
            tab: listed.tab_name,
            tab_id: listed.tab_id,
        }
    }
}

/// The sessions that are alive in the answer of `list-sessions --no-formatting`, whose lines are
/// `NAME [Created 3s ago]`, followed by `(current)` or by `(EXITED - attach to resurrect)`.
///
/// The shorter `--short` names the exited ones without saying so. A name that this program cannot use
/// is left out.
pub(super) fn sessions(answer: &str) -> Vec<SessionName> {
    answer
        .lines()
        .filter_map(|line| line.rsplit_once(" [Created "))
        .filter(|(_, about)| !about.contains("(EXITED"))
        .filter_map(|(name, _)| name.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two panes of zellij 0.45.1, shortened.
    const LIST: &str = r#"[
      {"id": 1, "is_plugin": true, "title": "tab-bar", "is_focused": false, "exited": false, "exit_status": null,
       "is_held": false, "pane_x": 0, "pane_content_x": 0, "pane_y": 0, "pane_content_y": 0, "pane_rows": 1,
       "cursor_coordinates_in_pane": null, "terminal_command": null, "plugin_url": "tab-bar", "tab_name": "Tab #1"},
      {"id": 1, "is_plugin": false, "title": "Pane #2", "is_focused": true, "exited": false, "exit_status": null,
       "is_held": false, "pane_x": 20, "pane_content_x": 21, "pane_y": 1, "pane_content_y": 2, "pane_rows": 48,
       "pane_content_rows": 47, "pane_columns": 25, "pane_content_columns": 24, "cursor_coordinates_in_pane": [11, 1],
       "terminal_command": null, "plugin_url": null, "index_in_pane_group": {}, "tab_id": 0, "tab_name": "Tab #1",
       "pane_command": "/bin/bash", "pane_cwd": "/tmp/x y"}
    ]"#;

    #[test]
    fn terminals_and_plugins_are_kept_apart_though_they_share_numbers() {
        let panes = Panes::parse(LIST.as_bytes()).unwrap();
        assert_eq!(panes.len(), 1);
        assert_eq!(
            panes.plugins(),
            [PluginPane {
                number: 1,
                title: "tab-bar".into()
            }]
        );
        let pane = panes.find(PaneId::new(1)).unwrap();
        assert_eq!(pane.title, "Pane #2");
        assert_eq!(pane.command.as_deref(), Some("/bin/bash"));
        assert_eq!(pane.folder, Some("/tmp/x y".into()));
        assert_eq!(pane.size, (24, 47));
        assert_eq!(pane.cursor, Some((10, 0)), "counted within the content");
        assert!(pane.focused && !pane.exited && !pane.held);
        assert_eq!(panes.find(PaneId::new(0)), None);
    }

    #[test]
    fn a_cursor_on_the_frame_is_none() {
        let list = LIST.replace("[11, 1]", "[0, 0]");
        assert_eq!(Panes::parse(list.as_bytes()).unwrap()[0].cursor, None);
        let list = LIST.replace("[11, 1]", "[-9223372036854775808, 9223372036854775807]");
        assert_eq!(Panes::parse(list.as_bytes()).unwrap()[0].cursor, None);
    }

    #[test]
    fn no_panes_is_never_the_answer() {
        for answer in [
            "",
            " \n",
            "[]",
            "null",
            "{}",
            "[{}]",
            "Session 'x' not found",
        ] {
            assert!(Panes::parse(answer.as_bytes()).is_err(), "{answer}");
        }
    }

    #[test]
    fn sessions_that_have_exited_are_left_out() {
        let answer = "li ve [Created 0s ago] \ndead [Created 2h 3m ago] (EXITED - attach to resurrect)\n\
            a [Created 1 [Created 9s ago] (current)\nbad:name [Created 1s ago] \nno line of that form\n";
        let names: Vec<_> = sessions(answer).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["li ve", "a [Created 1"]);
    }

    proptest! {
        #[test]
        fn arbitrary_answers_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,200}") {
            let _ = Panes::parse(&bytes);
            let _ = sessions(&text);
        }
    }
}
