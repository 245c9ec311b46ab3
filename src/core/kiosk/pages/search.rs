//! Finding somebody in a list by any part of what they are called, whatever the case and the accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Whether the search leaves somebody with this name and these other marks (initials, a number) in the
/// list. Every word that was typed has to occur.
pub(super) fn matches(name: &str, marks: &str, search: &str) -> bool {
    let texts = [plain(name), plain(&spelled_out(name)), plain(marks)];
    search.split_whitespace().map(plain).all(|word| texts.iter().any(|text| text.contains(&word)))
}

/// Lower case without accents.
fn plain(text: &str) -> String {
    let bare = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    bare.fold(String::new(), |mut plain, c| {
        match c {
            '\u{df}' => plain.push_str("ss"),
            '\u{e6}' => plain.push_str("ae"),
            '\u{153}' => plain.push_str("oe"),
            '\u{f8}' => plain.push('o'),
            '\u{142}' => plain.push('l'),
            '\u{111}' => plain.push('d'),
            '\u{131}' => plain.push('i'),
            other => plain.push(other),
        }
        plain
    })
}

/// Umlauts as two letters, as people type them on a keyboard without umlauts.
fn spelled_out(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).fold(String::new(), |mut spelled, c| {
        match c {
            '\u{e4}' => spelled.push_str("ae"),
            '\u{f6}' | '\u{f8}' => spelled.push_str("oe"),
            '\u{fc}' => spelled.push_str("ue"),
            '\u{e5}' => spelled.push_str("aa"),
            other => spelled.push(other),
        }
        spelled
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_accents_do_not_matter() {
        for (name, initials, search, found) in [
            ("J\u{fc}rgen Wei\u{df}", "JW", "jurgen", true),
            ("J\u{fc}rgen Wei\u{df}", "JW", "JUERGEN", true),
            ("J\u{fc}rgen Wei\u{df}", "JW", "J\u{dc}RGEN WEISS", true),
            ("Ju\u{308}rgen Weiss", "JW", "j\u{fc}rg", true),
            ("Zo\u{eb} N\u{fa}\u{f1}ez", "ZN", "nunez", true),
            ("S\u{f8}ren Bj\u{f8}rk", "SB", "soeren", true),
            ("\u{141}ukasz Nowak", "LN", "lukasz", true),
            ("Margaret Okonkwo-Brandt", "MO", "brandt marg", true),
            ("Margaret Okonkwo-Brandt", "MO", "mo", true),
            ("Ada Kern", "AK", "k", true),
            ("Ada Kern", "AK", "  ", true),
            ("Ada Kern", "AK", "adak", false),
            ("Ada Kern", "AK", "ada x", false),
        ] {
            assert_eq!(matches(name, initials, search), found, "{name} / {search}");
        }
    }

    proptest! {
        #[test]
        fn everybody_is_found_by_any_part_of_their_own_name(name in "\\PC{1,40}", from in 0_usize..40, length in 1_usize..10) {
            let part: String = name.chars().skip(from).take(length).collect();
            prop_assert!(matches(&name, "X", &part));
        }
    }
}
