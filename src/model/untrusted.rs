//! Names from outside: what a Bluetooth device, a card's certificate or a reader calls itself, made
//! fit for one line of a screen or of a log; and what people are called, typed or imported.
//!
//! Whoever writes such a name chooses every character of it. These can deceive whoever reads it
//! ([`is_deceptive`]):
//!
//! | characters | why |
//! |---|---|
//! | control characters (Unicode's class Cc) | end a line, ring a bell, steer a terminal |
//! | direction: `061C`, `200E`-`200F`, `202A`-`202E`, `2066`-`2069` | reorder what stands beside them (UAX #9, 2) |
//! | `2028`, `2029` | end a line or a paragraph (as white space: a blank) |
//! | without width, or ignored when shown: `00AD`, `034F`, `115F`-`1160`, `17B4`-`17B5`, `180B`-`180F`, `200B`-`200D`, `2060`-`2065`, `206A`-`206F`, `3164`, `FE00`-`FE0F`, `FEFF`, `FFA0`, `FFF0`-`FFF8`, `1BCA0`-`1BCA3`, `1D173`-`1D17A`, `E0000`-`E0FFF` (Default_Ignorable_Code_Point, UAX #44) | make two names look alike, or one look empty (UTR #36, 2.10) |
//! | format characters and fillers that show nothing: `2800`, `FFF9`-`FFFB`, `13430`-`1343F`, `16FE4`, `1D159` | the same |
//! | private use: `E000`-`F8FF` and planes 15 and 16; noncharacters | mean something else in each font (UTR #36, 3.6) |
//!
//! They are replaced and not removed: removing one joins what it kept apart (UTR #36, 3.5). Letters
//! that are written from right to left, accents that combine and letters that look like others are
//! how people write, and stay; so a name alone never says which device it is.
//! Joiners (`200C`, `200D`) count as deceptive, although some scripts are written better with them: no
//! device or certificate needs them to be recognised.

use unicode_normalization::UnicodeNormalization;

/// A name as it is kept: composed (NFC, UAX #15), without blanks around it, and with one blank wherever
/// there is white space. `None` if it is longer than `chars_max` or has a deceptive character, which
/// nobody types by mistake. Staff, patients and beds are named by this one rule.
pub fn named(text: &str, chars_max: usize) -> Option<String> {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default().to_owned();
    let folded = words.fold(first, |name, word| name + " " + word);
    let name: String = folded.nfc().collect();
    let fits = name.chars().count() <= chars_max && !name.contains(is_deceptive);
    fits.then_some(name)
}

/// What two names are compared by: composed, blanks folded, in small letters. Whoever has the same is called
/// the same.
pub fn comparable(name: &str) -> String {
    let folded: Vec<&str> = name.split_whitespace().collect();
    let small: String = folded.join(" ").nfc().flat_map(char::to_lowercase).collect();
    // Small letters of some capitals are written with a mark beside them.
    small.nfc().collect()
}

/// The text as one line of at most `chars_max` characters: every white space is a blank, every
/// deceptive character is U+FFFD. Total on any text; ordinary text that fits stays as it is.
pub fn clean(text: &str, chars_max: usize) -> String {
    let harmless = |letter: char| {
        if letter.is_whitespace() {
            ' '
        } else if is_deceptive(letter) {
            char::REPLACEMENT_CHARACTER
        } else {
            letter
        }
    };
    text.chars().take(chars_max).map(harmless).collect()
}

/// A character that moves, hides or reorders what stands beside it, or that means nothing by itself;
/// the module says which and why.
pub fn is_deceptive(letter: char) -> bool {
    letter.is_control() || is_invisible(letter) || is_private(letter)
}

/// Direction marks, what is ignored when shown, and fillers.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{13430}'..='\u{1343F}' | '\u{16FE4}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D159}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Private use, and code points that are no characters (the last two of every plane among them).
fn is_private(letter: char) -> bool {
    matches!(letter, '\u{E000}'..='\u{F8FF}' | '\u{FDD0}'..='\u{FDEF}' | '\u{F0000}'..)
        || u32::from(letter) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in [
            "",
            "Polar H10 A1B2C3D4",
            "Nonin3230_501234567",
            "CN=Kone Amara+SERIALNUMBER=7,O=St\\, Mary\\'s,C=DE",
            "Puls-Oxi ä ß Ł e\u{301}",
            "مقياس التأكسد",
            "מד דופק",
            "パルスオキシメータ",
            "심박수 ♥ 🫀",
            "already \u{FFFD}",
        ] {
            assert_eq!(clean(name, 80), name);
        }
    }

    #[test]
    fn what_deceives_is_replaced() {
        for (name, cleaned) in [
            ("a\0b\u{1b}[31m\u{85}", "a\u{FFFD}b\u{FFFD}[31m "),
            ("two\r\nlines\u{2028}\tor\u{2029}three", "two  lines  or three"),
            ("\u{A0}Oxi\u{3000}meter\u{2003}", " Oxi meter "),
            ("x\u{202E}y\u{2066}z\u{61C}", "x\u{FFFD}y\u{FFFD}z\u{FFFD}"),
            ("Oxi\u{200B}meter\u{FEFF}", "Oxi\u{FFFD}meter\u{FFFD}"),
            ("\u{3164}\u{2800}\u{E0041}\u{FE0F}", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("\u{E000}\u{F8FF}\u{10FFFD}\u{FFFE}", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
        ] {
            assert_eq!(clean(name, 80), cleaned, "{name:?}");
        }
    }

    #[test]
    fn the_bound_counts_characters() {
        assert_eq!(clean(&"a".repeat(300), 248), "a".repeat(248));
        assert_eq!(clean(&"\u{20ac}".repeat(9), 4), "\u{20ac}".repeat(4));
        assert_eq!(clean("\0\0\0", 2), "\u{FFFD}\u{FFFD}");
        assert_eq!(clean("name", 0), "");
    }

    /// Every direction mark of UAX #9 (table 4, explicit formatting), by its code point.
    #[test]
    fn nothing_that_changes_direction_passes() {
        for mark in [0x61C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E]
            .into_iter()
            .chain(0x2066..=0x2069)
        {
            assert!(char::from_u32(mark).is_some_and(is_deceptive), "{mark:04X}");
        }
    }

    #[test]
    fn a_name_is_kept_in_one_spelling_or_not_at_all() {
        for (typed, kept) in [
            ("  Amara \t Kone ", Some("Amara Kone")),
            ("Jo\u{308}rg\u{a0}Kern", Some("J\u{f6}rg Kern")),
            ("", Some("")),
            ("\u{202E}enoK aramA", None),
            ("Amara\u{200B}Kone", None),
            ("Amara\0Kone", None),
            ("\u{FEFF}Amara Kone", None),
            ("王秀英", Some("王秀英")),
            ("محمد علي", Some("محمد علي")),
        ] {
            assert_eq!(named(typed, 80).as_deref(), kept, "{typed:?}");
        }
        assert_eq!(named(&"x".repeat(81), 80), None);
        assert!(named(&"o\u{308}".repeat(80), 80).is_some(), "eighty letters on the screen");
    }

    #[test]
    fn one_name_in_two_spellings_is_one_name() {
        for (one, other) in [
            ("Jo\u{308}rg Kern", "J\u{d6}RG  KERN"),
            ("Nguy\u{1ec5}n", "Nguye\u{302}\u{303}n"),
            (" Amara\u{3000}Kone", "amara kone"),
        ] {
            assert_eq!(comparable(one), comparable(other), "{one} {other}");
        }
        assert_ne!(comparable("Jorg"), comparable("J\u{f6}rg"), "other people");
    }

    proptest! {
        #[test]
        fn any_name_is_kept_once_and_for_all(text in prop::collection::vec(any::<char>(), 0..60)) {
            let text = String::from_iter(text);
            if let Some(name) = named(&text, 80) {
                let again = named(&name, 80);
                prop_assert_eq!(again.as_deref(), Some(name.as_str()));
                prop_assert_eq!(comparable(&name), comparable(&text));
                prop_assert_eq!(clean(&name, 80), name);
            }
        }

        #[test]
        fn any_text_becomes_one_bounded_harmless_line(
            text in prop::collection::vec(any::<char>(), 0..100),
            chars_max in 0_usize..120,
        ) {
            let text = String::from_iter(text);
            let cleaned = clean(&text, chars_max);
            prop_assert_eq!(cleaned.chars().count(), text.chars().count().min(chars_max));
            let harmless = |letter: char| !is_deceptive(letter)
                && (letter == ' ' || !letter.is_whitespace());
            prop_assert!(cleaned.chars().all(harmless));
            prop_assert_eq!(clean(&cleaned, chars_max), cleaned, "cleaning once is enough");
        }

        /// Whatever is visible ASCII is ordinary.
        #[test]
        fn ordinary_text_is_unchanged(text in "[ -~]{0,80}") {
            prop_assert_eq!(clean(&text, 80), text);
        }
    }
}
