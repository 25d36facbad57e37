//! Makes foreign text fit for a page of Markdown: it stays text, whatever stands in it.

use super::text::{harmless, one_line};

/// `text` as one line in which nothing is markup: for sentences, headings and cells of tables.
pub fn inline(text: &str) -> String {
    let line = one_line(text);
    let mut out = String::with_capacity(line.len() + 8);
    for (at, one) in line.char_indices() {
        let rest = &line[at..];
        let is_mark = match one {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '$' | '@' => {
                true
            }
            '!' => rest.starts_with("!["),
            // an address becomes a link by itself
            ':' => rest.starts_with("://"),
            _ => false,
        };
        if is_mark {
            out.push('\\');
        }
        out.push(one);
    }
    // so does this
    out.replace("www.", "www\\.")
}

/// `text` as [`inline`], cut to about `chars` characters.
pub fn excerpt(text: &str, chars: usize) -> String {
    let line = one_line(text);
    if line.chars().count() <= chars {
        return inline(&line);
    }
    let cut: String = line.chars().take(chars).collect();
    format!("{}…", inline(&cut))
}

/// `text` as a block between fences that are longer than any run of their marks in it; ends with a newline.
pub fn fenced(text: &str) -> String {
    let text = harmless(text);
    let text = text.trim_end_matches(['\n', ' ']);
    let (mut longest, mut run) = (0, 0);
    for one in text.chars() {
        run = if one == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}text\n{text}\n{fence}\n")
}

/// A table; its cells are Markdown already.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heading: Vec<String> = heading.iter().map(|&name| name.to_owned()).collect();
    let line = format!("|{}\n", "---|".repeat(heading.len()));
    let rows: String = rows.iter().map(|cells| row(cells)).collect();
    format!("{}{line}{rows}", row(&heading))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_in_a_line_is_markup() {
        for (text, shown) in [
            ("plain words, 3 of 4 (75%).", "plain words, 3 of 4 (75%)."),
            ("# a\n- b | c", "\\# a - b \\| c"),
            (
                "[x](http://y) <b> `c` **d** &amp;",
                "\\[x\\](http\\://y) \\<b\\> \\`c\\` \\*\\*d\\*\\* \\&amp;",
            ),
            (
                "see www.example.org, me@x.org",
                "see www\\.example.org, me\\@x.org",
            ),
            ("\u{1b}[2J", "␛\\[2J"),
        ] {
            assert_eq!(inline(text), shown);
        }
        assert_eq!(excerpt("[abc", 2), "\\[a…");
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        assert_eq!(fenced("a"), "```text\na\n```\n");
        assert_eq!(
            fenced("```\n# out\n````\n"),
            "`````text\n```\n# out\n````\n`````\n"
        );
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_block_or_its_line(text in "[`a\\n\\r\u{85}\u{2028}~# |]{0,60}") {
            let block = fenced(&text);
            let fence = block.split("text\n").next().unwrap();
            prop_assert_eq!(block.lines().filter(|line| line.trim_start().starts_with(fence)).count(), 2);
            prop_assert!(!inline(&text).contains('\n'));
        }
    }
}
