//! What a body says, as one line that can be shown and logged.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::Header;

/// How much of a body is shown, in characters.
const SHOWN: usize = 1_000;
/// A shorter secret is no secret, and striking it out would only garble the text.
const SHORTEST_SECRET: usize = 4;

/// The message in a JSON error, else the beginning of the body: bounded, on one line, without control,
/// direction and zero-width characters, and with `secrets` struck out.
pub(super) fn excerpt(body: &[u8], secrets: &[Header]) -> String {
    let said = message(body).unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    line(&said, secrets)
}

/// The beginning of `text` as one harmless line, with `secrets` struck out.
pub(super) fn line(text: &str, secrets: &[Header]) -> String {
    // Struck out last, so that no character taken away before can put a secret back together.
    let mut line = one_line(text);
    for secret in secrets {
        let value = secret.value.expose_secret();
        let key = value.rsplit(' ').next().unwrap_or(value);
        if key.len() >= SHORTEST_SECRET {
            line = line.replace(key, "***");
        }
    }
    clip(&line)
}

/// Where servers of this field put the sentence that explains an error.
fn message(body: &[u8]) -> Option<String> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let places = [
        "/error/message",
        "/error",
        "/message",
        "/detail",
        "/0/error/message",
    ];
    let texts = places
        .iter()
        .filter_map(|place| json.pointer(place)?.as_str());
    texts
        .map(str::to_owned)
        .find(|text| !text.trim().is_empty())
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|char: char| char.is_whitespace() || char.is_control()) {
        let word: String = word.chars().filter(|char| !is_invisible(*char)).collect();
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    line
}

/// Characters that change how a line reads without being seen.
const fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn clip(line: &str) -> String {
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(value: &str) -> Header {
        Header {
            name: "authorization".into(),
            value: value.into(),
        }
    }

    #[test]
    fn the_sentence_in_a_json_error_is_what_is_shown() {
        let cases = [
            (
                r#"{"error":{"message":"no such model","code":404}}"#,
                "no such model",
            ),
            (r#"{"error":"model 'x' not found"}"#, "model 'x' not found"),
            (r#"[{"error":{"message":"in a list"}}]"#, "in a list"),
            (r#"{"detail":"Not Found"}"#, "Not Found"),
            (
                r#"{"error":{"message":""},"a":1}"#,
                r#"{"error":{"message":""},"a":1}"#,
            ),
            ("<html>\r\n\t<b>502</b>", "<html> <b>502</b>"),
            ("", ""),
            ("\u{1b}[31mred\u{202e}\u{200b}", "[31mred"),
        ];
        for (body, expected) in cases {
            assert_eq!(excerpt(body.as_bytes(), &[]), expected);
        }
    }

    #[test]
    fn a_secret_is_struck_out_however_it_is_dressed_up() {
        let secrets = [secret("Bearer sk-0123456789")];
        for body in [
            "your header was: Bearer sk-0123456789",
            "sk-01234\u{200b}56789",
            r#"{"error":{"message":"bad key \u0073k-0123456789"}}"#,
            r#"{"headers":{"authorization":"Bearer sk-0123456789"}}"#,
        ] {
            let shown = excerpt(body.as_bytes(), &secrets);
            assert!(
                shown.contains("***") && !shown.contains("0123456789"),
                "{shown}"
            );
        }
        let control = excerpt(b"your header was: Bearer sk-0123456789", &[]);
        assert!(control.contains("sk-0123456789"));
    }

    #[test]
    fn a_long_body_is_cut_on_a_character() {
        let shown = excerpt("ä".repeat(5_000).as_bytes(), &[]);
        assert_eq!(shown.chars().count(), SHOWN + 1);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_become_a_bounded_harmless_line(body: Vec<u8>, key in "[ -~]{0,40}") {
            let shown = excerpt(&body, &[secret(&key)]);
            assert!(shown.chars().count() <= SHOWN + 1);
            assert!(!shown.chars().any(char::is_control));
        }
    }
}
