//! The languages of the screen. Another one is a row here, a variant of [`Language`] with its tag, and a
//! `.po` file in `ui/lang/`.

use wardkeep_core::config::Language;

/// What has to be known of a language.
pub(in crate::bridge) struct Row {
    /// Its name in itself: whoever looks for it reads no other.
    pub name: &'static str,
    /// What stands between thousands.
    pub thousands: &'static str,
    /// Letters of the touch keyboard, from top to bottom.
    pub keys: [&'static str; 3],
    /// Its sentences as `.po` files; none for the language that they are written in.
    pub(super) translations: &'static [&'static str],
    /// Which form of a sentence is about `n` of something.
    pub(super) form: fn(u64) -> usize,
}

static ENGLISH: Row = Row {
    name: "English",
    thousands: ",",
    keys: ["qwertyuiop", "asdfghjkl'", "zxcvbnm"],
    translations: &[],
    form: |n| usize::from(n != 1),
};

static GERMAN: Row = Row {
    name: "Deutsch",
    thousands: ".",
    keys: ["qwertzuiopü", "asdfghjklöä", "yxcvbnmß"],
    translations: &[
        include_str!("../../../../ui/lang/de.po"),
        // The bench window is beside the kiosk in no package.
        #[cfg(feature = "sim")]
        include_str!("../../../../ui/bench/lang/de.po"),
    ],
    form: |n| usize::from(n != 1),
};

/// The other forms of a letter in languages that write with Latin letters: whoever types a name is asked for
/// its own letters, whatever the cart speaks. As large or as small as the letter.
pub(in crate::bridge) fn variants(letter: char) -> Vec<char> {
    let small: char = letter.to_lowercase().next().unwrap_or(letter);
    let forms = match small {
        'a' => "áàâäãåąăæ",
        'c' => "çćč",
        'd' => "ďđð",
        'e' => "éèêëęěėē",
        'g' => "ğģ",
        'i' => "íìîïıįī",
        'k' => "ķ",
        'l' => "łľĺļ",
        'n' => "ñńňņ",
        'o' => "óòôöõőøœ",
        'r' => "řŕ",
        's' => "ßśšşș",
        't' => "ťţțþ",
        'u' => "úùûüűůūų",
        'y' => "ýÿ",
        'z' => "źżž",
        _ => "",
    };
    if letter == small {
        return forms.chars().collect();
    }
    // The small dotless i has a capital that is on the keyboard already; the capital with a dot is not.
    let capital = |form: char| match form {
        'ı' => Some('İ'),
        'ß' => None,
        form => form.to_uppercase().next(),
    };
    forms.chars().filter_map(capital).collect()
}

/// A language's row.
pub(in crate::bridge) fn row(language: Language) -> &'static Row {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_is_chosen_by_its_own_name_and_types_every_letter() {
        for language in Language::ALL {
            let row = row(language);
            let same =
                Language::ALL.into_iter().filter(|other| super::row(*other).name == row.name);
            assert_eq!(same.count(), 1, "{language:?}");
            let keys = row.keys.concat();
            assert!(('a'..='z').all(|letter| keys.contains(letter)), "{language:?}");
        }
    }
}
