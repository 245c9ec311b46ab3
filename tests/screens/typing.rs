//! Typing with the touch keyboard.

use wardkeep::tour::samples::{self, open};
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::view::{Screen, View};

use kit::screens::{Desk, LANDSCAPE};

/// screen-1: names of people from elsewhere, whatever the cart speaks.
#[test]
fn screen_1_every_name_can_be_typed_in_every_language() {
    let desk = Desk::new(LANDSCAPE);
    for language in Language::ALL {
        for name in [
            "García", "Núñez", "Müller", "Weiß", "Łukasz", "Żółć", "Şahin", "Yılmaz", "João",
            "Dvořák", "Őry",
        ] {
            desk.show(&open(Screen::Bedside(samples::bedside())));
            desk.bridge.apply(&View {
                language: Language::English,
                ..open(Screen::Patients(samples::patients()))
            });
            desk.settle();
            desk.tap("New patient");
            desk.the("Family name").invoke_accessible_default_action();
            desk.bridge.apply(&View { language, ..open(Screen::Patients(samples::patients())) });
            desk.settle();
            name.chars().for_each(|letter| type_letter(&desk, language, letter));
            let label = if language == Language::German { "Nachname" } else { "Family name" };
            let typed = desk.the(label).accessible_value().unwrap_or_default();
            assert_eq!(typed.as_str(), name, "{language:?}");
        }
    }
}

/// By its key if there is one, or by the key of the letter without its mark and the accents.
fn type_letter(desk: &Desk, language: Language, letter: char) {
    let german = language == Language::German;
    let key = |letter: char| format!("{} {letter}", if german { "Taste" } else { "Key" });
    let has = |label: &str| !desk.labelled(label).is_empty();
    let is_capital = letter.is_uppercase();
    let small: char = letter.to_lowercase().next().expect("a letter");
    let base = match small {
        'á' | 'ã' => 'a',
        'ć' => 'c',
        'í' | 'ı' => 'i',
        'ł' => 'l',
        'ñ' => 'n',
        'ó' | 'ő' => 'o',
        'ř' => 'r',
        'ß' | 'ş' => 's',
        'ú' | 'ü' => 'u',
        'ż' => 'z',
        plain => plain,
    };
    let wanted = |letter: char| {
        if is_capital { letter.to_uppercase().next().expect("a letter") } else { letter }
    };
    // The first letter of a word is offered as a capital.
    let shows = |letter: char| has(&key(letter)) || has(&key(letter.to_ascii_uppercase()));
    if !has(&key(wanted(base))) && shows(base) {
        desk.tap(if german { "Umschalten" } else { "Shift" });
    }
    if has(&key(letter)) {
        return desk.tap(&key(letter));
    }
    desk.tap(&key(wanted(base)));
    desk.tap(if german { "Akzente zum letzten Buchstaben" } else { "Accents of the last letter" });
    desk.tap(&key(letter));
}
