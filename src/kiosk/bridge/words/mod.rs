//! Sentences for people, and the language they are in.
//!
//! One catalogue serves what Rust says and what the `.slint` files say (`@tr`): Slint asks it for every
//! sentence of a screen, and the files of this room look their own up. English is the language that sentences
//! are written in; `ui/lang/` has the others, and a sentence that is missing there is said in English.
//!
//! What Slint says changes with the language by itself. What Rust said does not: a view that is shown
//! again does.

pub(super) mod bedside;
mod catalogue;
pub(super) mod faults;
pub(super) mod languages;
pub(super) mod notices;

use std::sync::Arc;

use slint::{PlatformError, SharedString};

use wardkeep_core::config::Language;

use self::catalogue::{Catalogue, Shared};

/// A sentence of fact and one of advice.
#[derive(Default)]
pub(super) struct Said {
    /// What is the matter.
    pub fact: SharedString,
    /// What to do.
    pub advice: SharedString,
}

/// The language of the screen, and sentences in it.
#[derive(Clone)]
pub(super) struct Words(Arc<Catalogue>);

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
    pub(super) fn speak(&self, language: Language) {
        if self.0.speak(language) {
            slint::update_all_translations();
        }
    }

    /// A sentence in the language of the screen.
    fn say(&self, Sentence(sentence): Sentence) -> SharedString {
        self.0.find(None, sentence).into()
    }

    /// A sentence with its places filled.
    fn fill(&self, Sentence(sentence): Sentence, parts: &[&str]) -> SharedString {
        filled(self.0.find(None, sentence), parts).into()
    }
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

/// The language of windows on this thread that are not the kiosk's.
///
/// # Errors
/// No platform was set.
#[cfg(feature = "sim")]
pub fn speak(language: Language) -> Result<(), PlatformError> {
    Words::install()?.speak(language);
    Ok(())
}

/// A sentence of the catalogue. Nothing else can be said.
#[derive(Clone, Copy)]
struct Sentence(&'static str);

/// A sentence of the catalogue; the test of the translations finds what stands in `tr(..)`.
const fn tr(sentence: &'static str) -> Sentence {
    Sentence(sentence)
}

#[cfg(test)]
mod tests {
    use super::filled;

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
}
