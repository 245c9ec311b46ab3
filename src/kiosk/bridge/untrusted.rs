//! Text from outside, such as an advertised name, made fit for a line of the screen: bounded, and with
//! nothing in it that moves, hides or reorders what stands beside it.

use slint::SharedString;

use wardkeep_model::untrusted::is_deceptive;

/// Most characters shown of a text.
const SHOWN_MAX: usize = 80;

/// The text with every letter that is not plainly visible written as `\u{..}`.
pub(super) fn shown(text: &str) -> SharedString {
    let mut line = SharedString::default();
    for (place, letter) in text.chars().enumerate() {
        if place == SHOWN_MAX {
            line.push_str("…");
            break;
        }
        if is_plain(letter) {
            line.push_str(letter.encode_utf8(&mut [0; 4]));
        } else {
            line.push_str(&letter.escape_unicode().to_string());
        }
    }
    line
}

/// Nothing that deceives ([`is_deceptive`]), no accent that could be stacked on the line above; no
/// backslash, so that nobody can write an escape themselves.
fn is_plain(letter: char) -> bool {
    let is_combining = matches!(letter,
        '\u{0300}'..='\u{036F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}');
    !is_deceptive(letter) && !is_combining && letter != '\\'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_deceive_is_written_out() {
        for (text, line) in [
            ("Oximeter 21", "Oximeter 21"),
            ("Puls-Oxi ä ß Ł", "Puls-Oxi ä ß Ł"),
            ("a\nLogged in", "a\\u{a}Logged in"),
            ("\u{202E}gnp", "\\u{202e}gnp"),
            ("a\u{200B}b\u{0301}", "a\\u{200b}b\\u{301}"),
            ("\\u{41}", "\\u{5c}u{41}"),
            ("<b>&amp;</b>", "<b>&amp;</b>"),
            ("", ""),
        ] {
            assert_eq!(shown(text), line);
        }
        assert_eq!(shown(&"x".repeat(5000)).chars().count(), SHOWN_MAX + 1);
        assert_eq!(shown(&"x".repeat(SHOWN_MAX)).chars().count(), SHOWN_MAX);
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_bounded_plain_line(text in any::<String>()) {
            let line = shown(&text);
            // The longest escape has ten characters.
            prop_assert!(line.chars().count() <= SHOWN_MAX * 10 + 1);
            prop_assert!(line.chars().all(|letter| is_plain(letter) || letter == '\\'));
        }
    }
}
