//! Names and initials of people, as typed.

use crate::confidential::Phi;
use crate::untrusted;

/// Most characters of a person's name.
pub const NAME_CHARS_MAX: usize = 80;
/// Most letters of the initials.
const INITIALS_MAX: usize = 3;

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// It is missing or too long.
    Name,
    /// It has characters that hide or reorder text, as a Bluetooth device's name may not have either.
    Deceptive,
    /// There are no initials, or more than three, or something else than letters and digits.
    Initials,
}

/// A name as it is kept ([`untrusted::named`]), and initials in capitals; made from the first and the last word of
/// the name when there are none.
///
/// # Errors
/// What cannot be used.
pub fn checked_name(
    name: &Phi<String>,
    initials: &str,
) -> Result<(Phi<String>, String), NameFault> {
    // Blanks around it are nobody's intent, marks of its direction are.
    if name.reveal().trim().contains(untrusted::is_deceptive) {
        return Err(NameFault::Deceptive);
    }
    let kept = untrusted::named(name.reveal(), NAME_CHARS_MAX);
    let kept = kept.filter(|name| !name.is_empty()).ok_or(NameFault::Name)?;
    let typed = untrusted::named(initials, NAME_CHARS_MAX).ok_or(NameFault::Initials)?;
    let letters = if typed.is_empty() { of_words(&kept) } else { typed };
    let capitals: String = letters.chars().flat_map(capital).collect();
    let count = capitals.chars().count();
    let fits = (1..=INITIALS_MAX).contains(&count) && capitals.chars().all(char::is_alphanumeric);
    if fits { Ok((Phi::new(kept), capitals)) } else { Err(NameFault::Initials) }
}

/// First letters of the first and the last word, or the first two of a single one.
fn of_words(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| {
        let mut letters = word.chars().filter(|letter| letter.is_alphanumeric());
        Some((letters.next()?, letters.next()))
    });
    let Some((first, second)) = words.next() else { return String::new() };
    let last = words.next_back().map_or(second, |(letter, _)| Some(letter));
    std::iter::once(first).chain(last).collect()
}

/// One capital, or the letter itself where its capital would be two.
fn capital(letter: char) -> impl Iterator<Item = char> {
    let mut capitals = letter.to_uppercase();
    let only = if capitals.len() == 1 { capitals.next() } else { None };
    std::iter::once(only.unwrap_or(letter))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn initials_are_made_from_the_first_and_the_last_word() {
        for (name, initials, expected) in [
            ("Amara Kone", "", Ok("AK")),
            ("  jörg weißmüller ", "", Ok("JW")),
            ("Ana María de la Cruz Özil", "", Ok("AÖ")),
            ("Cher", "", Ok("CH")),
            ("Q", "", Ok("Q")),
            ("(Ada) -Kern", "", Ok("AK")),
            ("\u{df}eta \u{df}igma", "", Ok("\u{df}\u{df}")),
            ("Amara Kone", " amk ", Ok("AMK")),
            ("Amara Kone", "abcd", Err(NameFault::Initials)),
            ("Amara Kone", "a.", Err(NameFault::Initials)),
            ("--", "", Err(NameFault::Initials)),
            ("", "AK", Err(NameFault::Name)),
            ("   ", "AK", Err(NameFault::Name)),
            ("A\u{7}B", "AK", Err(NameFault::Deceptive)),
            ("\u{202E}enoK aramA", "AK", Err(NameFault::Deceptive)),
            ("Jo\u{308}rg \u{d6}zil", "", Ok("J\u{d6}")),
        ] {
            let made = checked_name(&Phi::new(name.to_owned()), initials);
            assert_eq!(made.map(|(_, letters)| letters), expected.map(str::to_owned), "{name}");
        }
        let long = Phi::new("x".repeat(NAME_CHARS_MAX + 1));
        assert_eq!(checked_name(&long, "").err(), Some(NameFault::Name));
    }

    proptest! {
        #[test]
        fn any_text_gives_one_to_three_letters_or_a_fault(name in "\\PC{0,90}", initials in "\\PC{0,5}") {
            if let Ok((_, letters)) = checked_name(&Phi::new(name), &initials) {
                prop_assert!((1..=INITIALS_MAX).contains(&letters.chars().count()));
            }
        }
    }
}
