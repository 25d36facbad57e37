//! Reads a command as a shell would, in two ways: strictly, whether it is plain words; and generously, which
//! words it may come down to.

use super::text;

/// Characters that make a shell read more than words, within quotes or not: what is quoted for one shell may be
/// read by the next. Those of patterns are among them: what they come down to depends on the files that are there.
const META: &str = ";&|$()<>`\\*?[]{}!";

/// Whether `text` is a command of plain words.
///
/// # Errors
/// When it is not; says why.
pub(super) fn plain(text: &str) -> Result<(), String> {
    let is_hidden = |c: char| c.is_control() || text::is_invisible(c) || c == '\u{2800}';
    if let Some(c) = text.chars().find(|c| META.contains(*c)) {
        return Err(format!("`{c}` makes it more than plain words"));
    }
    if text.contains('\n') {
        return Err("it has more than one line".into());
    }
    if text
        .chars()
        .any(|c| is_hidden(c) || (c.is_whitespace() && c != ' '))
    {
        return Err("it holds characters that cannot be seen".into());
    }
    let mut quote = None;
    let mut before = ' ';
    for c in text.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '#') if before == ' ' => return Err("`#` makes the rest a comment".into()),
            (None, '~') if " =:".contains(before) => {
                return Err("`~` stands for a folder that is not told".into());
            }
            _ => {}
        }
        before = c;
    }
    if quote.is_some() {
        return Err("a quotation mark is not closed".into());
    }
    let first = text.split(' ').find(|word| !word.is_empty());
    if first.is_some_and(|word| word.contains('=')) {
        return Err("it sets a variable before the command".into());
    }
    Ok(())
}

/// One command of several that stand in a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// Its words, without quotation marks and backslashes.
    pub(super) words: Vec<String>,
    /// Whether it reads what another one wrote.
    pub(super) piped: bool,
}

impl Part {
    /// Whether `wanted` stand among its words in this order; a program counts by its name in whichever folder.
    pub(super) fn holds(&self, wanted: &[impl AsRef<str>]) -> bool {
        let mut words = self.words.iter();
        !wanted.is_empty()
            && wanted.iter().all(|one| {
                let one = one.as_ref();
                words.any(|word| word == one || name(word) == one)
            })
    }
}

/// The name of a program: the last part of its path.
pub(super) fn name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// The commands that `text` may come down to: quotation marks and backslashes are taken away, so that what is
/// quoted counts as if it were not, and every mark that may end a command does.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let text = text
        .replace("\\\n", "")
        .replace("${IFS}", " ")
        .replace("$IFS", " ")
        .replace("$'", "'")
        .replace("$\"", "\"");
    let mut parts = vec![Part::default()];
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        let ends_part = matches!(c, ';' | '&' | '|' | '(' | ')' | '`' | '\n' | '\r');
        if ends_part || c.is_whitespace() || matches!(c, '<' | '>') {
            if let Some(part) = parts.last_mut() {
                push(&mut part.words, std::mem::take(&mut word));
            }
        } else if !matches!(c, '\'' | '"' | '\\') {
            word.push(c);
        }
        if ends_part {
            parts.push(Part {
                words: Vec::new(),
                piped: c == '|',
            });
        }
    }
    parts.retain(|part| !part.words.is_empty());
    parts
}

/// `{a,b}` is two words to a shell.
fn push(words: &mut Vec<String>, word: String) {
    if word.contains('{') && word.contains(',') {
        let each = word.split(['{', ',', '}']).filter(|it| !it.is_empty());
        words.extend(each.map(str::to_owned));
    } else if !word.is_empty() {
        words.push(word);
    }
}
