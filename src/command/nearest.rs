//! What a mistyped name was probably meant to be.
//!
//! Only ever a suggestion in an error: a name that is not exact never acts.

use super::table::TABLE;
use crate::error::Failure;

/// A command's name without the slash.
pub(super) fn bare(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}

/// The failure for a command that does not exist; `name` is without the slash.
pub(super) fn unknown_command(name: &str) -> Failure {
    let shown: String = name.chars().take(40).flat_map(char::escape_debug).collect();
    let failure = Failure::usage(format!("there is no command `/{shown}`"));
    match nearest(name, TABLE.iter().map(|entry| entry.name)) {
        Some(near) => failure.hint(format!("did you mean `/{near}`? `/help` lists them all")),
        None => failure.hint("`/help` lists the commands"),
    }
}

/// The one of `names` that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().take(40).collect();
    let bound = match word.len() {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    names
        .map(|name| (distance(&word, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= bound && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
fn distance(word: &[char], name: &str) -> usize {
    let name: Vec<char> = name.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=name.len()).collect()];
    for (i, typed) in word.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, meant) in name.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(typed != meant);
            let mut least = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *typed == name[j - 1] && word[i - 1] == *meant {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[word.len()][name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_answered_with_the_nearest_one() {
        let near = |word: &str| nearest(word, TABLE.iter().map(|entry| entry.name));
        for (typed, meant) in [
            ("lsit", Some("list")),
            ("List", Some("list")),
            ("rewiev", Some("review")),
            ("qiut", Some("quit")),
            ("ad", Some("add")),
            ("pane", Some("panes")),
            ("xyzzyx", None),
            ("", None),
        ] {
            assert_eq!(near(typed), meant, "{typed}");
        }
    }
}
