//! The language of badge readers that behave as a keyboard: HID boot-keyboard reports.
//!
//! Pure: reports and the time in, badges out. Such a reader types a badge's number and Enter (HID
//! usage tables 1.4, section 10; boot report: device class definition for HID 1.11, appendix B.1).
//! It does not say when the badge leaves, so a number is one tap.
//!
//! - Only printable characters count; anything else that is pressed, or a key held together with
//!   Ctrl, Alt or a system key, spoils the number up to the next Enter or pause.
//! - Characters that come more than `KEY_GAP_MAX` apart are no badge: a number is typed by a machine.
//!
//! S-10: the characters are wiped when the number is complete, spoiled or too old.

use std::time::Duration;

use zeroize::{Zeroize, Zeroizing};

use wardkeep_model::access::factor::{Badge, ReaderFamily};
use wardkeep_model::moment::BootTime;

/// Longest pause within a number.
const KEY_GAP_MAX: Duration = Duration::from_millis(300);
/// Most characters of a number.
const CHARACTERS_MAX: usize = 32;
/// Keys that a boot report can hold.
const KEYS: usize = 6;
/// Either Shift key in a boot report's first byte.
const SHIFT: u8 = 0x22;

/// What was typed.
#[derive(Clone, Debug, PartialEq)]
pub enum Typed {
    /// A badge's number and Enter.
    Badge(Badge),
    /// Something that is no number of a badge.
    Unreadable,
}

/// A number that is being typed.
#[derive(Debug)]
pub struct Typing {
    characters: Zeroizing<Vec<u8>>,
    /// What was pressed in the last report.
    held: [u8; KEYS],
    /// When the last key was pressed, while something is being typed.
    since: Option<BootTime>,
    spoiled: bool,
}

impl Default for Typing {
    fn default() -> Self {
        Self {
            // Never grows, so that no copy is left behind.
            characters: Zeroizing::new(Vec::with_capacity(CHARACTERS_MAX)),
            held: [0; KEYS],
            since: None,
            spoiled: false,
        }
    }
}

impl Typing {
    /// Takes in a report. A short one lacks keys; what follows the sixth key is ignored.
    pub fn report(&mut self, now: BootTime, report: &[u8]) -> Option<Typed> {
        let overdue = self.idle(now);
        let (modifiers, keys) = split(report);
        // Too many keys at once (ErrorRollOver): what is pressed is not known.
        if keys.contains(&0x01) {
            self.spoiled = true;
            self.since = Some(now);
            return overdue;
        }
        let held = std::mem::replace(&mut self.held, keys);
        let mut typed = overdue;
        for key in keys.into_iter().filter(|key| *key != 0 && !held.contains(key)) {
            self.since = Some(now);
            match meaning(key, modifiers) {
                // Readers that end with CR and LF send Enter twice; after nothing it means nothing.
                Meaning::Enter if self.characters.is_empty() && !self.spoiled => self.since = None,
                Meaning::Enter => typed = Some(self.finish()),
                Meaning::Character(character) if self.characters.len() < CHARACTERS_MAX => {
                    self.characters.push(character);
                }
                Meaning::Character(_) | Meaning::Other => self.spoiled = true,
            }
        }
        typed
    }

    /// Gives up what was begun and not completed in time.
    pub fn idle(&mut self, now: BootTime) -> Option<Typed> {
        let since = self.since?;
        (now.since(since) > KEY_GAP_MAX).then(|| {
            self.clear();
            Typed::Unreadable
        })
    }

    fn finish(&mut self) -> Typed {
        let badge = Badge::new(ReaderFamily::Keyboard, &self.characters);
        let typed = badge.ok().filter(|_| !self.spoiled).map_or(Typed::Unreadable, Typed::Badge);
        self.clear();
        typed
    }

    fn clear(&mut self) {
        // Wipes the whole of what is allocated, and empties it.
        self.characters.zeroize();
        self.since = None;
        self.spoiled = false;
    }
}

/// Modifiers and keys of a boot report.
fn split(report: &[u8]) -> (u8, [u8; KEYS]) {
    let mut keys = [0; KEYS];
    for (place, key) in keys.iter_mut().zip(report.iter().skip(2)) {
        *place = *key;
    }
    (report.first().copied().unwrap_or(0), keys)
}

/// What a key means on the layout that such readers are set to.
enum Meaning {
    Character(u8),
    Enter,
    Other,
}

fn meaning(key: u8, modifiers: u8) -> Meaning {
    if modifiers & !SHIFT != 0 {
        return Meaning::Other;
    }
    let table: &[u8] = if modifiers == 0 { PLAIN } else { SHIFTED };
    let character = match key {
        0x28 | 0x58 => return Meaning::Enter,
        // The keypad does not know Shift.
        0x54..=0x63 => KEYPAD.get(usize::from(key - 0x54)),
        _ => key.checked_sub(0x04).and_then(|place| table.get(usize::from(place))),
    };
    character
        .filter(|code| code.is_ascii_graphic() || **code == b' ')
        .map_or(Meaning::Other, |c| Meaning::Character(*c))
}

/// Usages 0x04 and up without and with Shift on the American layout; `\0` is no character.
const PLAIN: &[u8; 53] = b"abcdefghijklmnopqrstuvwxyz1234567890\0\0\0\0 -=[]\\\0;'`,./";
const SHIFTED: &[u8; 53] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ!@#$%^&*()\0\0\0\0 _+{}|\0:\"~<>?";
/// Usages 0x54 and up.
const KEYPAD: &[u8; 16] = b"/*-+\x001234567890.";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(milliseconds: u64) -> BootTime {
        BootTime(Duration::from_millis(milliseconds))
    }

    /// Types each report and then the release of all keys, `gap` ms apart; what came of it.
    fn run(gap: u64, reports: &[[u8; 8]]) -> Vec<String> {
        let mut typing = Typing::default();
        let mut told = Vec::new();
        for (step, report) in (1..).zip(reports) {
            told.extend(typing.report(at(step * gap), report));
            told.extend(typing.report(at(step * gap), &[0; 8]));
        }
        told.iter().map(word).collect()
    }

    fn word(typed: &Typed) -> String {
        match typed {
            Typed::Badge(badge) => String::from_utf8_lossy(badge.uid()).into_owned(),
            Typed::Unreadable => "unreadable".to_owned(),
        }
    }

    fn key(modifiers: u8, code: u8) -> [u8; 8] {
        [modifiers, 0, code, 0, 0, 0, 0, 0]
    }

    fn digits(text: &str) -> Vec<[u8; 8]> {
        let code = |digit: u8| if digit == b'0' { 0x27 } else { digit - b'1' + 0x1e };
        let keys = text.bytes().map(|digit| key(0, code(digit)));
        keys.chain([key(0, 0x28)]).collect()
    }

    #[test]
    fn a_number_and_enter_is_a_tap() {
        assert_eq!(run(5, &digits("0012345678")), ["0012345678"]);
        assert_eq!(run(300, &digits("1234")), ["1234"]);
        let twice = [digits("0012345678"), digits("1122")].concat();
        assert_eq!(run(5, &twice), ["0012345678", "1122"]);
        let mixed = [key(0x02, 0x04), key(0, 0x05), key(0x20, 0x1e), key(0, 0x2d), key(0, 0x28)];
        assert_eq!(run(5, &mixed), ["Ab!-"]);
        let keypad = [key(0, 0x59), key(0x02, 0x5a), key(0, 0x62), key(0, 0x54), key(0, 0x58)];
        assert_eq!(run(5, &keypad), ["120/"]);
    }

    #[test]
    fn hid_1_a_reader_that_sends_enter_twice_is_one_badge() {
        let both = [digits("001234"), vec![key(0, 0x28)], digits("5678"), vec![key(0, 0x28)]];
        assert_eq!(run(5, &both.concat()), ["001234", "5678"]);
        let mut typing = Typing::default();
        assert_eq!(typing.report(at(0), &key(0, 0x28)), None);
        assert_eq!(typing.idle(at(9_000)), None, "nothing was begun");
    }

    #[test]
    fn what_is_no_number_is_unreadable() {
        assert_eq!(run(5, &digits("123")), ["unreadable"], "too short");
        assert_eq!(run(5, &digits("")), [""; 0], "Enter alone is nothing");
        assert_eq!(run(5, &digits(&"1".repeat(32))), ["1".repeat(32)]);
        assert_eq!(run(5, &digits(&"1".repeat(33))), ["unreadable"], "too long");
        for spoiler in [key(0, 0x2a), key(0, 0x29), key(0x01, 0x04), key(0x08, 0x1e), key(0, 0xe8)]
        {
            let spoiled = [vec![spoiler], digits("12345678"), digits("1234")].concat();
            assert_eq!(run(5, &spoiled), ["unreadable", "1234"], "{spoiler:?}");
        }
        let rolled_over = [vec![[0, 0, 1, 1, 1, 1, 1, 1]], digits("12345678")].concat();
        assert_eq!(run(5, &rolled_over), ["unreadable"]);
    }

    #[test]
    fn a_person_types_too_slowly() {
        let slow = run(301, &digits("1234"));
        assert!(slow.iter().all(|word| word == "unreadable") && !slow.is_empty(), "{slow:?}");
        let mut typing = Typing::default();
        assert_eq!(typing.idle(at(9_000)), None);
        assert_eq!(typing.report(at(0), &key(0, 0x1e)), None);
        assert_eq!(typing.idle(at(300)), None);
        assert_eq!(typing.idle(at(301)), Some(Typed::Unreadable));
        assert_eq!(typing.idle(at(9_000)), None, "told once");
    }

    #[test]
    fn keys_that_stay_pressed_count_once() {
        let mut typing = Typing::default();
        let both = [0, 0, 0x1e, 0x1f, 0, 0, 0, 0];
        for (time, report) in [
            (0, key(0, 0x1e)),
            (1, both),
            (2, key(0, 0x1f)),
            (3, [0; 8]),
            (4, [0, 0, 0x20, 0x21, 0, 0, 0, 0]),
            (5, [0; 8]),
        ] {
            assert_eq!(typing.report(at(time), &report), None);
        }
        let typed = typing.report(at(6), &key(0, 0x28)).expect("complete");
        assert_eq!(word(&typed), "1234");
    }

    proptest! {
        /// Whatever a device reports: no panic, and a badge has 4 to 32 printable characters.
        #[test]
        fn any_reports_are_judged(
            reports in prop::collection::vec((0_u64..400, prop::collection::vec(any::<u8>(), 0..12)), 0..80)
        ) {
            let mut typing = Typing::default();
            let mut now = 0;
            for (gap, report) in reports {
                now += gap;
                if let Some(Typed::Badge(badge)) = typing.report(at(now), &report) {
                    let printable = |code: &u8| code.is_ascii_graphic() || *code == b' ';
                    prop_assert!((4..=32).contains(&badge.uid().len()));
                    prop_assert!(badge.uid().iter().all(printable));
                }
                prop_assert!(typing.characters.capacity() == CHARACTERS_MAX, "no copy was left behind");
            }
        }
    }
}
