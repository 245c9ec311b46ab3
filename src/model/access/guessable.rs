//! Which PINs are guessed first, by a stated rule with a reason for each.
//!
//! Six digits and ten tries stand up to somebody who does not know the person; they do not where the first
//! ten guesses are the ones that everybody chooses. Refused is what follows from the pad or the calendar,
//! and what is written on the person's own badge or on the door:
//!
//! | reason | what |
//! |---|---|
//! | [`Weakness::Short`] | fewer than six digits |
//! | [`Weakness::Repeated`] | one digit, a block of two, three or four again and again (`121212`, `123123`), or pairs (`112233`) |
//! | [`Weakness::Run`] | steps of one or two, through zero too (`123456`, `975319`, `890123`), or two halves of them (`123789`) |
//! | [`Weakness::Mirrored`] | the same from behind (`253352`) |
//! | [`Weakness::Keypad`] | two straight lines of the pad (`147258`), or one way from key to neighbouring key (`147896`) |
//! | [`Weakness::Date`] | a day (`DDMMYY`, `MMDDYY`, `YYMMDD` of a year from 1950 to 2030, each with four digits of the year too), a month of a year (`MMYYYY`, `YYYYMM`) |
//! | [`Weakness::WellKnown`] | what lists of leaked PINs have beside these |
//! | [`Weakness::Own`] | digits of the person's own badge, or of the bed or the ward |
//!
//! Longer PINs are held against the same rule. After: Markert et al., "This PIN can be easily guessed" (2020).

use jiff::civil::Date;

use crate::access::factor::{Badge, PIN_DIGITS_MIN, Pin};

/// Why a PIN is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weakness {
    /// It is too short.
    Short,
    /// It repeats itself.
    Repeated,
    /// Its digits go up or down by one or two.
    Run,
    /// It reads the same from behind.
    Mirrored,
    /// It draws a figure on the keypad.
    Keypad,
    /// It is a date.
    Date,
    /// It is on every list.
    WellKnown,
    /// It stands on the person's badge, or on the bed or the ward.
    Own,
    /// It is the code that the person was given.
    Code,
}

impl Weakness {
    /// Every reason.
    pub const ALL: [Weakness; 9] = [
        Weakness::Short,
        Weakness::Repeated,
        Weakness::Run,
        Weakness::Mirrored,
        Weakness::Keypad,
        Weakness::Date,
        Weakness::WellKnown,
        Weakness::Own,
        Weakness::Code,
    ];
}

/// What somebody who looks at this person and at this place knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The badge that the PIN is for.
    pub badge: Option<&'a Badge>,
    /// What the bed and the ward are called.
    pub places: &'a [String],
}

/// Frequent in leaked lists, and no case of a rule.
const WELL_KNOWN: [&[u8]; 3] = [b"292513", b"141421", b"142857"];

/// Why everybody would try this PIN first; `None` if nobody does.
pub fn weakness(pin: &Pin, known: Known<'_>) -> Option<Weakness> {
    let digits = pin.ascii();
    if digits.len() < PIN_DIGITS_MIN {
        return Some(Weakness::Short);
    }
    let judged = [
        (Weakness::Repeated, is_repeated(digits)),
        (Weakness::Run, is_run(digits)),
        (Weakness::Mirrored, digits.iter().eq(digits.iter().rev())),
        (Weakness::Keypad, is_figure(digits)),
        (Weakness::Date, is_date(digits)),
        (Weakness::WellKnown, WELL_KNOWN.contains(&digits)),
        (Weakness::Own, stands_on(digits, known)),
    ];
    judged.into_iter().find(|(_, holds)| *holds).map(|(reason, _)| reason)
}

fn is_repeated(digits: &[u8]) -> bool {
    let of_blocks = |length: usize| {
        digits.len() >= 2 * length
            && digits.iter().zip(digits.iter().skip(length)).all(|(a, b)| a == b)
    };
    let (pairs, odd) = digits.as_chunks::<2>();
    (1..=4).any(of_blocks) || (odd.is_empty() && pairs.iter().all(|[a, b]| a == b))
}

/// The step between neighbours, going on from nine to zero, if it is the same everywhere.
fn step(digits: &[u8]) -> Option<u8> {
    let mut steps = digits.windows(2).filter_map(|pair| match pair {
        [a, b] => Some((b + 10 - a) % 10),
        _ => None,
    });
    let first = steps.next()?;
    steps.all(|step| step == first).then_some(first)
}

fn is_run(digits: &[u8]) -> bool {
    let (one, other) = digits.split_at(digits.len() / 2);
    let by_one = |half| matches!(step(half), Some(1 | 9));
    matches!(step(digits), Some(1 | 2 | 8 | 9)) || (by_one(one) && by_one(other))
}

/// Column and row on the pad; zero is below the eight.
fn key(digit: u8) -> (u8, u8) {
    match digit {
        b'0' => (1, 3),
        _ => ((digit - b'1') % 3, (digit - b'1') / 3),
    }
}

fn is_figure(digits: &[u8]) -> bool {
    let lines = |half: &[u8]| {
        let [a, b, c] = half else { return false };
        let ((ax, ay), (bx, by), (cx, cy)) = (key(*a), key(*b), key(*c));
        a != b && ax + cx == 2 * bx && ay + cy == 2 * by
    };
    let neighbours = |pair: &[u8]| {
        let [a, b] = pair else { return false };
        let ((ax, ay), (bx, by)) = (key(*a), key(*b));
        ax.abs_diff(bx) + ay.abs_diff(by) == 1
    };
    let (halves, rest) = digits.as_chunks::<3>();
    let straight = rest.is_empty() && halves.iter().all(|half| lines(half));
    straight || digits.windows(2).all(neighbours)
}

fn is_date(digits: &[u8]) -> bool {
    let number = |from: usize, length: usize| -> Option<i16> {
        let part = digits.get(from..from + length)?;
        Some(part.iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0')))
    };
    let is_day = |year: Option<i16>, month: Option<i16>, day: Option<i16>| {
        let (Some(year), Some(month), Some(day)) = (year, month, day) else { return false };
        // A year of two digits may be a leap year of either century.
        let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else { return false };
        Date::new(if year < 100 { 2000 + year } else { year }, month, day).is_ok()
    };
    // Written with the year in front, only birth dates of people who work, and of their children.
    let is_alive = |year: Option<i16>| year.is_some_and(|year| !(31..50).contains(&year));
    let is_year = |year: Option<i16>| year.is_some_and(|year| (1900..2100).contains(&year));
    let is_month = |month: Option<i16>| month.is_some_and(|month| (1..=12).contains(&month));
    match digits.len() {
        6 => {
            is_day(number(4, 2), number(2, 2), number(0, 2))
                || is_day(number(4, 2), number(0, 2), number(2, 2))
                || (is_alive(number(0, 2)) && is_day(number(0, 2), number(2, 2), number(4, 2)))
                || (is_year(number(2, 4)) && is_month(number(0, 2)))
                || (is_year(number(0, 4)) && is_month(number(4, 2)))
        }
        8 => {
            let (first, last) = (number(0, 4), number(4, 4));
            (is_year(last)
                && (is_day(last, number(2, 2), number(0, 2))
                    || is_day(last, number(0, 2), number(2, 2))))
                || (is_year(first) && is_day(first, number(4, 2), number(6, 2)))
        }
        _ => false,
    }
}

/// The PIN is part of what is written on the badge, or the digits of a place, again and again or after zeros.
fn stands_on(digits: &[u8], known: Known<'_>) -> bool {
    let of_badge = known.badge.is_some_and(|badge| {
        let contains = |text: &[u8]| text.windows(digits.len()).any(|part| part == digits);
        badge.printed().iter().any(|text| contains(text.as_bytes()))
    });
    let of_place = |place: &String| {
        let number: Vec<u8> = place.bytes().filter(u8::is_ascii_digit).collect();
        let padded = digits
            .iter()
            .skip_while(|digit| **digit == b'0')
            .eq(number.iter().skip_while(|digit| **digit == b'0'));
        let doubled = number.iter().cycle().take(digits.len()).eq(digits.iter());
        !number.is_empty() && (padded || doubled)
    };
    of_badge || known.places.iter().any(of_place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::factor::ReaderFamily;

    fn pin(text: &str) -> Pin {
        text.bytes().map(|digit| digit - b'0').collect()
    }

    /// What leaked lists and studies have first, with the reason that is told.
    const FIRST: &[(&str, Weakness)] = &[
        ("123456", Weakness::Run),
        ("654321", Weakness::Run),
        ("111111", Weakness::Repeated),
        ("000000", Weakness::Repeated),
        ("123123", Weakness::Repeated),
        ("121212", Weakness::Repeated),
        ("112233", Weakness::Repeated),
        ("696969", Weakness::Repeated),
        ("007007", Weakness::Repeated),
        ("101010", Weakness::Repeated),
        ("131313", Weakness::Repeated),
        ("420420", Weakness::Repeated),
        ("445566", Weakness::Repeated),
        ("12341234", Weakness::Repeated),
        ("123321", Weakness::Run),
        ("456654", Weakness::Run),
        ("234567", Weakness::Run),
        ("345678", Weakness::Run),
        ("456789", Weakness::Run),
        ("567890", Weakness::Run),
        ("098765", Weakness::Run),
        ("987654", Weakness::Run),
        ("789456", Weakness::Run),
        ("123789", Weakness::Run),
        ("135791", Weakness::Run),
        ("246802", Weakness::Run),
        ("975319", Weakness::Run),
        ("012345", Weakness::Run),
        ("12345678", Weakness::Run),
        ("87654321", Weakness::Run),
        ("253352", Weakness::Mirrored),
        ("520025", Weakness::Mirrored),
        ("147258", Weakness::Keypad),
        ("258369", Weakness::Keypad),
        ("159753", Weakness::Keypad),
        ("159357", Weakness::Keypad),
        ("741852", Weakness::Keypad),
        ("963852", Weakness::Keypad),
        ("147369", Weakness::Keypad),
        ("147896", Weakness::Keypad),
        ("123698", Weakness::Keypad),
        ("147852", Weakness::Keypad),
        ("258456", Weakness::Keypad),
        ("020344", Weakness::Date),
        ("030244", Weakness::Date),
        ("850714", Weakness::Date),
        ("290200", Weakness::Date),
        ("311299", Weakness::Date),
        ("031944", Weakness::Date),
        ("194403", Weakness::Date),
        ("199007", Weakness::Date),
        ("02031944", Weakness::Date),
        ("03021944", Weakness::Date),
        ("19440302", Weakness::Date),
        ("292513", Weakness::WellKnown),
        ("142857", Weakness::WellKnown),
        ("102938", Weakness::Date),
        ("112358", Weakness::Date),
        ("010203", Weakness::Date),
        ("12345", Weakness::Short),
        ("", Weakness::Short),
    ];

    #[test]
    fn what_is_guessed_first_is_refused_with_its_reason() {
        for (text, reason) in FIRST {
            assert_eq!(weakness(&pin(text), Known::default()), Some(*reason), "{text}");
        }
        for text in ["739184", "804615", "372950", "593716", "90471638", "4829617"] {
            assert_eq!(weakness(&pin(text), Known::default()), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_on_the_badge_or_the_door_is_refused() {
        let uid = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80];
        let badge = Badge::new(ReaderFamily::PcscUid, &uid).expect("a badge");
        let typed = Badge::new(ReaderFamily::Keyboard, b"0083719264").expect("a badge");
        let places = ["Bed 738".to_owned(), "Ward 4, Room 5172".to_owned(), "Home".to_owned()];
        let on_badge =
            |badge, text| weakness(&pin(text), Known { badge: Some(badge), places: &[] });
        let number = u128::from(0x0004_A1B2_C3D4_E580_u64).to_string();
        assert_eq!(on_badge(&badge, &number[number.len() - 6..]), Some(Weakness::Own));
        assert_eq!(on_badge(&typed, "371926"), Some(Weakness::Own));
        assert_eq!(on_badge(&typed, "371925"), None);
        for text in ["738738", "000738", "451724", "045172"] {
            let judged = weakness(&pin(text), Known { badge: None, places: &places });
            let reason = if text == "738738" { Weakness::Repeated } else { Weakness::Own };
            assert_eq!(judged, Some(reason), "{text}");
        }
        let other = weakness(&pin("451729"), Known { badge: None, places: &places });
        assert_eq!(other, None);
    }

    /// Most PINs of six digits are left, or nobody could choose one.
    #[test]
    fn five_of_six_pins_are_taken() {
        let taken = (0..1_000_000_u32)
            .filter(|number| weakness(&pin(&format!("{number:06}")), Known::default()).is_none());
        let count = taken.count();
        assert!((800_000..950_000).contains(&count), "{count}");
    }
}
