//! Reports of the reader: recorded by the protocol's description, malformed, and at random.

use proptest::prelude::*;

use super::*;

fn report(bytes: [u8; 8]) -> Report {
    Zeroizing::new(bytes)
}

fn of(bits: [u8; 8], count: u8) -> Look {
    look(&report(bits), &report([count, count, 0, 0, 0, 0, 0, 0]), &report(bits))
}

fn number(look: &Look) -> Option<Vec<u8>> {
    match look {
        Look::Badge(badge) => Some(badge.uid().to_vec()),
        Look::Empty | Look::Garbled => None,
    }
}

#[test]
fn a_badge_is_its_bit_count_and_its_bits() {
    for (bits, count, expected) in [
        // H10301 without its two parity bits: card 0x3039 (12345), facility 0x7b.
        ([0x39, 0x30, 0x7b, 0, 0, 0, 0, 0], 24, &[24, 0x7b, 0x30, 0x39][..]),
        // Corporate 1000, 35 bits less three.
        ([0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0], 32, &[32, 0x12, 0x34, 0x56, 0x78]),
        // The same bits in another format are another badge.
        ([0x39, 0x30, 0x7b, 0, 0, 0, 0, 0], 26, &[26, 0, 0x7b, 0x30, 0x39]),
        ([0xff, 0x01, 0, 0, 0, 0, 0, 0], 9, &[9, 0x01, 0xff]),
        ([1, 2, 3, 4, 5, 6, 7, 0x88], 64, &[64, 0x88, 7, 6, 5, 4, 3, 2, 1]),
    ] {
        let look = of(bits, count);
        assert_eq!(number(&look).as_deref(), Some(expected), "{bits:?} {count}");
    }
}

#[test]
fn answers_that_do_not_fit_are_no_badge() {
    let bits = [0x39, 0x30, 0x7b, 0, 0, 0, 0, 0];
    let count = [24, 24, 0, 0, 0, 0, 0, 0];
    let nothing = [0; 8];
    for (first, counted, again, expected) in [
        (nothing, nothing, nothing, Look::Empty),
        // What is left of a badge that has gone.
        (nothing, count, nothing, Look::Empty),
        (bits, count, nothing, Look::Garbled),
        (nothing, count, bits, Look::Garbled),
        // Swapped between the two questions.
        (bits, count, [0x40, 0x30, 0x7b, 0, 0, 0, 0, 0], Look::Garbled),
        (bits, nothing, bits, Look::Garbled),
        (bits, [24, 26, 0, 0, 0, 0, 0, 0], bits, Look::Garbled),
        // More bits than said.
        (bits, [16, 16, 0, 0, 0, 0, 0, 0], bits, Look::Garbled),
        (bits, [22, 22, 0, 0, 0, 0, 0, 0], bits, Look::Garbled),
        // Too few to tell badges apart, and more than the reports can hold.
        (
            [0x39, 0, 0, 0, 0, 0, 0, 0],
            [8, 8, 0, 0, 0, 0, 0, 0],
            [0x39, 0, 0, 0, 0, 0, 0, 0],
            Look::Garbled,
        ),
        (bits, [65, 65, 0, 0, 0, 0, 0, 0], bits, Look::Garbled),
        (bits, [255, 255, 0, 0, 0, 0, 0, 0], bits, Look::Garbled),
    ] {
        let looked = look(&report(first), &report(counted), &report(again));
        assert_eq!(looked, expected, "{first:?} {counted:?} {again:?}");
    }
}

#[test]
fn it_is_told_to_be_silent_once_and_nothing_is_burned() {
    let typing = report([0x03, 0x05, 0x11, 0x10, 0x1a, 0x36, 0x28, 0x26]);
    let [select, page, end] = silence(&typing).expect("it types");
    assert_eq!(*select, [0x80, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(*page, [0x03, 0x05, 0x11, 0x10, 0x1a, 0x36, 0x28, 0xa6], "one bit differs");
    assert_eq!(*end, [0x90, 0, 0, 0, 0, 0, 0, 0], "no page is burned");
    assert!(silence(&page).is_none(), "silent already");
    assert!(silence(&report([0; 8])).is_none(), "no settings to complete");
}

#[test]
fn firmware_is_told_as_its_maker_writes_it() {
    assert_eq!(firmware(&report([0, 0, 0x30, 7, 0, 1, 0, 0])).as_deref(), Some("07.3.0"));
    assert_eq!(firmware(&report([0; 8])), None);
}

#[test]
fn questions_are_the_documented_codes() {
    let codes = [Question::Device, Question::Settings, Question::Bits, Question::BitCount];
    assert_eq!(codes.map(|question| question.report()[0]), [0x8a, 0x80, 0x8f, 0x8e]);
}

/// `A`, `B`: this badge; `.`: empty; `?`: garbled. The result has one letter per look: `A`, `B`
/// laid, `!` unreadable, `-` lifted, `.` nothing.
fn run(looks: &str) -> String {
    let mut hold = Hold::default();
    let told = looks.chars().map(|look| {
        let change = hold.observe(match look {
            'A' => of([1, 2, 3, 0, 0, 0, 0, 0], 24),
            'B' => of([1, 2, 4, 0, 0, 0, 0, 0], 24),
            '?' => Look::Garbled,
            _ => Look::Empty,
        });
        match change {
            Change::None => '.',
            Change::Laid(badge) => {
                if badge.uid()[1] == 3 {
                    'A'
                } else {
                    'B'
                }
            }
            Change::Unreadable => '!',
            Change::Lifted => '-',
        }
    });
    told.collect()
}

#[test]
fn a_badge_that_stays_is_one_tap() {
    for (looks, told) in [
        ("AAAAAAA", "A......"),
        ("AA..", "A..-"),
        // The reader looks away for a moment.
        ("AA.AA..", "A.....-"),
        ("A..A..", "A.-A.-"),
        // Swapped without a gap.
        ("AABB..", "A.B..-"),
        ("A.B", "A.B"),
        // A torn reading while it is laid on or lifted off.
        ("??AA??..", "..A....-"),
        ("???????..", "..!.....-"),
        ("???A..", "..!A.-"),
        ("??.??.???..", "........!.-"),
        // A reader that answers nothing sensible any more keeps no badge.
        ("AA??A..", "A.....-"),
        ("AA????????", "A...!....."),
        ("AA???AA..", "A...!A..-"),
        ("....", "...."),
    ] {
        assert_eq!(run(looks), told, "{looks}");
    }
}

fn any_report() -> impl Strategy<Value = [u8; 8]> {
    prop_oneof![
        any::<[u8; 8]>(),
        Just([0; 8]),
        (any::<[u8; 8]>(), 0_usize..8).prop_map(|(mut bytes, used)| {
            bytes.iter_mut().skip(used).for_each(|byte| *byte = 0);
            bytes
        }),
        (0_u8..80).prop_map(|count| [count, count, 0, 0, 0, 0, 0, 0]),
    ]
}

/// Cases of one property, unless the environment asks for another number.
fn cases(standard: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").is_ok();
    let default = ProptestConfig::default();
    if asked { default } else { ProptestConfig { cases: standard, ..default } }
}

proptest! {
    #![proptest_config(cases(50_000))]

    /// Whatever a reader answers: no panic, and a badge only where all three answers agree.
    #[test]
    fn any_answers_are_judged(
        bits in any_report(), count in any_report(), again in any_report(), same in any::<bool>(),
    ) {
        let again = if same { bits } else { again };
        let looked = look(&report(bits), &report(count), &report(again));
        if let Some(number) = number(&looked) {
            prop_assert_eq!(bits, again);
            prop_assert_eq!(number.len(), 1 + usize::from(count[0]).div_ceil(8));
            prop_assert!((9..=64).contains(&number[0]));
            // The number gives back what the reader said: nothing is lost or made up.
            let mut back = [0; 8];
            for (place, byte) in back.iter_mut().zip(number[1..].iter().rev()) {
                *place = *byte;
            }
            prop_assert_eq!(back, bits);
        }
        if let Some([select, page, end]) = silence(&report(bits)) {
            prop_assert_eq!(page[..7].to_vec(), bits[..7].to_vec());
            prop_assert_eq!((page[7], select[0]), (bits[7] | 0x80, 0x80));
            prop_assert_eq!(*end, [0x90, 0, 0, 0, 0, 0, 0, 0]);
        }
        let told = firmware(&report(bits));
        prop_assert_eq!(told.is_none(), bits == [0; 8]);
    }
}

proptest! {
    /// A badge is laid before it is lifted, and never twice.
    #[test]
    fn taps_are_well_formed(looks in "[AB.?]{0,60}") {
        let mut lying = '.';
        for told in run(&looks).chars() {
            match told {
                'A' | 'B' => {
                    prop_assert_ne!(lying, told);
                    lying = told;
                }
                '!' => {
                    prop_assert_ne!(lying, '!');
                    lying = '!';
                }
                '-' => {
                    prop_assert_ne!(lying, '.');
                    lying = '.';
                }
                _ => {}
            }
        }
    }
}
