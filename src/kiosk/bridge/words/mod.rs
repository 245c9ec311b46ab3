//! Sentences for people, and the language they are in.
//!
//! One catalogue serves what Rust says and what the `.slint` files say (`@tr`): Slint asks it for every
//! sentence of a screen, and the files of this room look their own up. English is the language that sentences
//! are written in; `ui/lang/` has the others, and a sentence that is missing there is said in English.
//!
//! What Slint says changes with the language by itself. What Rust said does not: a view that is shown
//! again does.

pub(super) mod alarms;
pub(super) mod audit;
pub(super) mod bedside;
#[cfg(feature = "sim")]
pub(crate) mod bench;
pub(super) mod calendar;
pub(super) mod cart;
mod catalogue;
pub(super) mod devices;
pub(super) mod emergency;
pub(super) mod factors;
pub(super) mod faults;
pub(super) mod findings;
pub(super) mod inventory;
pub(super) mod languages;
pub(super) mod notices;
pub(super) mod pages;
pub(super) mod pairing;
pub(super) mod patient;
pub(super) mod people;
pub(super) mod pin;
pub(super) mod readers;
pub(super) mod readings;

use std::sync::Arc;

use slint::{PlatformError, SharedString};

use wardkeep_core::config::Language;

use self::catalogue::{Catalogue, Shared};

/// A sentence of fact, and one that says more.
#[derive(Default)]
pub(super) struct Said {
    /// How it is.
    pub fact: SharedString,
    /// What to do, or what that means; may be empty.
    pub advice: SharedString,
}

/// The language of the screen, and sentences in it.
#[derive(Clone, Default)]
pub struct Words(Arc<Catalogue>);

impl Words {
    /// English words for this thread's screens, which a platform has to be there for.
    pub(super) fn install() -> Result<Self, PlatformError> {
        let catalogue = Arc::new(Catalogue::default());
        let translator = Box::new(Shared(Arc::clone(&catalogue)));
        i_slint_core::with_global_context(
            || Err(PlatformError::NoPlatform),
            |context| context.set_external_translator(Some(translator)),
        )?;
        Ok(Self(catalogue))
    }

    /// Changes the language of everything that is said from now on, and of what the screens say already.
    pub fn speak(&self, language: Language) {
        if self.0.speak(language) {
            slint::update_all_translations();
        }
    }

    /// The language that is spoken.
    pub(super) fn language(&self) -> Language {
        self.0.language()
    }

    /// A sentence in the language of the screen.
    fn say(&self, Sentence(sentence): Sentence) -> SharedString {
        self.0.find(None, sentence).into()
    }

    /// A sentence with its places filled.
    fn fill(&self, Sentence(sentence): Sentence, parts: &[&str]) -> SharedString {
        filled(self.0.find(None, sentence), parts).into()
    }

    /// A sentence about `n` of something, which stands at `{n}`, with its other places filled.
    fn count(&self, Counted(one, many): Counted, n: u64, parts: &[&str]) -> SharedString {
        let sentence = self.0.find_counted(None, one, many, n);
        filled(&sentence.replace("{n}", &n.to_string()), parts).into()
    }

    /// `129,600`, or `129.600` in German.
    fn grouped(&self, amount: u64) -> String {
        let digits = amount.to_string();
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push_str(languages::row(self.0.language()).thousands);
            }
            text.push(digit);
        }
        text
    }
}

/// Side by side, what there is of these.
fn joined(parts: &[SharedString]) -> SharedString {
    let told: Vec<&str> =
        parts.iter().map(SharedString::as_str).filter(|part| !part.is_empty()).collect();
    told.join(" · ").into()
}

/// The sentence with its places filled: `{}` in turn, or `{0}`, `{1}`. What is filled in is not looked at
/// again. A place for which there is nothing is left as it is written.
fn filled(sentence: &str, parts: &[&str]) -> String {
    let (mut found, mut rest, mut next) = (String::new(), sentence, 0);
    while let Some((before, after)) = rest.split_once('{') {
        found.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            found.push('{');
            rest = after;
            continue;
        };
        let place = if name.is_empty() { Some(next) } else { name.parse().ok() };
        next += usize::from(name.is_empty());
        match place.and_then(|place: usize| parts.get(place)) {
            Some(part) => found.push_str(part),
            None => found.extend(["{", name, "}"]),
        }
        rest = behind;
    }
    found + rest
}

/// Words for windows on this thread where there is no kiosk.
///
/// # Errors
/// No platform was set.
#[cfg(feature = "sim")]
pub fn speak(language: Language) -> Result<Words, PlatformError> {
    let words = Words::install()?;
    words.speak(language);
    Ok(words)
}

/// A sentence of the catalogue. Nothing else can be said.
#[derive(Clone, Copy)]
struct Sentence(&'static str);

/// A sentence of the catalogue; the test of the translations finds what stands in `tr(..)`.
const fn tr(sentence: &'static str) -> Sentence {
    Sentence(sentence)
}

/// One sentence about one of something, and one about several.
#[derive(Clone, Copy)]
struct Counted(&'static str, &'static str);

/// A sentence in both forms; the test of the translations finds what stands in `trn(..)`.
const fn trn(one: &'static str, many: &'static str) -> Counted {
    Counted(one, many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_in_turn_or_by_number_and_nothing_that_was_filled_in_is_a_place() {
        for (sentence, parts, said) in [
            ("no place", &["one"][..], "no place"),
            ("{} before {}", &["one", "two"], "one before two"),
            ("{1} after {0}", &["one", "two"], "two after one"),
            ("{}: {}", &["{1}", "two"], "{1}: two"),
            ("{} and {}", &["one"], "one and {}"),
            ("{7} {name} {", &["one"], "{7} {name} {"),
        ] {
            assert_eq!(filled(sentence, parts), said);
        }
    }

    #[test]
    fn a_number_chooses_the_form_of_its_sentence() {
        let words = Words::default();
        let told = trn(
            "{n} record between {0} and {1} is missing.",
            "{n} records between {0} and {1} are missing.",
        );
        for (language, n, said) in [
            (Language::English, 1, "1 record between a and {n} is missing."),
            (Language::English, 0, "0 records between a and {n} are missing."),
            (Language::German, 1, "1 Eintrag zwischen a und {n} fehlt."),
            (Language::German, 17, "17 Einträge zwischen a und {n} fehlen."),
        ] {
            words.0.speak(language);
            assert_eq!(words.count(told, n, &["a", "{n}"]), said);
        }
    }

    #[test]
    fn thousands_stand_apart_as_the_language_does_it() {
        let words = Words::default();
        for (amount, english, german) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1000, "1,000", "1.000"),
            (129_600, "129,600", "129.600"),
            (u64::MAX, "18,446,744,073,709,551,615", "18.446.744.073.709.551.615"),
        ] {
            words.0.speak(Language::English);
            assert_eq!(words.grouped(amount), english);
            words.0.speak(Language::German);
            assert_eq!(words.grouped(amount), german);
        }
    }

    #[test]
    fn only_what_there_is_stands_side_by_side() {
        assert_eq!(joined(&["a".into(), "".into(), "b".into()]), "a · b");
        assert_eq!(joined(&["".into()]), "");
    }
}
