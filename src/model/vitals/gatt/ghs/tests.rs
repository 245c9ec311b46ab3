//! Observations built by the draft's layout.

use crate::vitals::Characteristic;
use crate::vitals::gatt::testing::{Expect, assert_decodes, assert_eq_words, bytes};
use crate::vitals::gatt::{decode, segments};

/// A local time on the current timeline: 2024-06-15T17:17:27.
const TIME: &str = "20 27 89 00 2e 00 00 07 00";

/// Class, length over all, flags and what they announce.
fn observation(class: u8, flags: u16, rest: &str) -> String {
    let rest = bytes(rest);
    let len = u16::try_from(5 + rest.len()).expect("short");
    let head = [&[class][..], &len.to_le_bytes(), &flags.to_le_bytes(), &rest].concat();
    head.iter().map(|byte| format!("{byte:02x} ")).collect()
}

fn code(mdc: u32) -> String {
    let [a, b, c, d] = mdc.to_le_bytes();
    format!("{a:02x} {b:02x} {c:02x} {d:02x}")
}

/// A number in a unit of partition 4.
fn number(unit: u16, mantissa: i32, exponent: i8) -> String {
    let [low, high] = unit.to_le_bytes();
    let [a, b, c, _] = mantissa.to_le_bytes();
    format!("{low:02x} {high:02x} {a:02x} {b:02x} {c:02x} {exponent:02x}")
}

fn component(mdc: u32, unit: u16, mantissa: i32, exponent: i8) -> String {
    format!("{} 01 {}", code(mdc), number(unit, mantissa, exponent))
}

/// One live observation in one segment.
fn assert_live(observation: &str, expect: Expect) {
    assert_decodes(0x2B8B, &[(format!("03 {observation}").as_str(), expect)]);
}

const PERCENT: u16 = 544;
const PER_MINUTE: u16 = 2720;
const MMHG: u16 = 3872;
const CELSIUS: u16 = 6048;

#[test]
fn a_number_of_a_known_code_in_a_known_unit_is_charted() {
    assert_live(
        &observation(1, 1, &format!("{} {}", code(150_456), number(PERCENT, 97, 0))),
        Expect { charted: &["150456 97 %"], ..Expect::NOTHING },
    );
    // Time, duration, object, patient, supplemental, derived-from, members, one TLV; reserved flags.
    let everything = format!(
        "{} {TIME} 0a 00 00 00 01 00 00 00 03 01 01 00 00 00 01 02 00 00 00 01 03 00 00 00 \
         01 09 09 01 00 02 00 04 aa bb {}",
        code(150_364),
        number(CELSIUS, 367, -1)
    );
    assert_live(
        &observation(1, 0xFFF7, &everything),
        Expect {
            charted: &["150364 36.7 Cel"],
            events: &["measurement-duration 10 s", "user 3"],
            time: Some("2024-06-15T17:17:27"),
            ..Expect::NOTHING
        },
    );
    assert_live(
        &observation(1, 1, &format!("{} {}", code(188_740), number(1297, 175, 0))),
        Expect { charted: &["188740 175 cm"], ..Expect::NOTHING },
    );
}

/// S-7: a number that nobody here has limits for is no vital, whatever it is.
#[test]
fn s7_an_unknown_code_or_unit_is_never_charted() {
    let numeric = |mdc, unit| observation(1, 1, &format!("{} {}", code(mdc), number(unit, 97, 0)));
    for mdc in [150_300, 151_578, 0, u32::MAX, 160_220] {
        let answer =
            decode(Characteristic(0x2B8B), &bytes(&format!("03 {}", numeric(mdc, PERCENT))));
        let decoded = answer.expect("a sound frame");
        assert!(decoded.observations.is_empty() && decoded.withheld.is_empty(), "{decoded:?}");
        let told: Vec<_> = decoded.events.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["observation-class numeric".to_owned(), format!("metric {mdc}")]);
    }
    assert_live(
        &numeric(150_456, 6656),
        Expect {
            withheld: &["150456 implausible"],
            events: &["unit-code 6656"],
            ..Expect::NOTHING
        },
    );
    assert_live(
        &numeric(150_456, PER_MINUTE), // a unit that is no saturation's
        Expect { withheld: &["150456 implausible"], ..Expect::NOTHING },
    );
    assert_live(
        &numeric(160_208, 2130),
        Expect { withheld: &["160208 control-solution"], ..Expect::NOTHING },
    );
}

#[test]
fn s7_specials_status_and_control_solution_are_withheld() {
    let saturation = |status: u16, mantissa| {
        let [low, high] = status.to_le_bytes();
        let number = number(PERCENT, mantissa, 0);
        observation(1, 0b1001, &format!("{} {low:02x} {high:02x} {number}", code(150_456)))
    };
    for (status, held) in [
        (1 << 0, "150456 invalid"),
        (1 << 1, "150456 questionable"),
        (1 << 2, "150456 unavailable"),
        (1 << 3, "150456 calibrating"),
        (1 << 4, "150456 test"),
        (1 << 5, "150456 demo"),
        (0b11_1111, "150456 demo"),
    ] {
        let frame = format!("03 {}", saturation(status, 97));
        let decoded = decode(Characteristic(0x2B8B), &bytes(&frame)).expect("a sound frame");
        assert!(decoded.observations.is_empty());
        let withheld = decoded.withheld.first().map(|one| (one.code.0, one.reason.word()));
        let words = withheld.map(|(code, word)| format!("{code} {word}"));
        assert_eq!(words.as_deref(), Some(held), "{status:016b}");
    }
    assert_live(&saturation(0xFFC0, 97), Expect { charted: &["150456 97 %"], ..Expect::NOTHING });
    assert_live(
        &saturation(0, 0x7F_FFFF),
        Expect { withheld: &["150456 not-a-number"], ..Expect::NOTHING },
    );
    assert_live(
        &saturation(0, 101),
        Expect { withheld: &["150456 implausible"], ..Expect::NOTHING },
    );
    let glucose = format!("{} 01 {} {}", code(160_184), code(8_417_860), number(2130, 100, 0));
    assert_live(
        &observation(1, 0x41, &glucose),
        Expect { withheld: &["160184 control-solution"], ..Expect::NOTHING },
    );
}

/// S-7: the pressures of a cuff are one reading, as in its own profile.
#[test]
fn s7_a_compound_blood_pressure_is_judged_as_a_whole() {
    let cuff = |systolic: (u16, i32), diastolic: (u16, i32), mean: i32| {
        let parts = [
            component(150_021, systolic.0, systolic.1, 0),
            component(150_022, diastolic.0, diastolic.1, 0),
            component(150_023, MMHG, mean, 0),
            component(149_546, PER_MINUTE, 72, 0),
        ];
        observation(7, 1, &format!("{} 04 {}", code(150_020), parts.join(" ")))
    };
    assert_live(
        &cuff((MMHG, 120), (MMHG, 80), 93),
        Expect {
            charted: &[
                "150021 120 mm[Hg]",
                "150022 80 mm[Hg]",
                "150023 93 mm[Hg]",
                "149546 72 /min",
            ],
            ..Expect::NOTHING
        },
    );
    let all_implausible =
        &["150021 implausible", "150022 implausible", "150023 implausible", "149546 implausible"];
    let spoiled = Expect { withheld: all_implausible, ..Expect::NOTHING };
    assert_live(&cuff((MMHG, 80), (MMHG, 120), 93), spoiled);
    assert_live(&cuff((MMHG, 120), (3843, 11), 93), spoiled); // two units
    assert_live(&cuff((PERCENT, 97), (PERCENT, 50), 93), spoiled);
    assert_live(
        &cuff((MMHG, 0x7F_FFFF), (MMHG, 80), 93),
        Expect {
            withheld: &[
                "150021 not-a-number",
                "150022 measurement-failed",
                "150023 measurement-failed",
                "149546 measurement-failed",
            ],
            events: &["measurement-failed"],
            ..Expect::NOTHING
        },
    );
    let systolics = [component(150_021, MMHG, 120, 0), component(150_021, MMHG, 190, 0)].join(" ");
    let twice = format!("{systolics} {}", component(150_022, MMHG, 80, 0));
    assert_live(
        &observation(7, 1, &format!("{} 03 {twice}", code(150_020))),
        Expect {
            withheld: &["150021 implausible", "150021 implausible", "150022 implausible"],
            ..Expect::NOTHING
        },
    );
    let pair = [component(150_021, MMHG, 120, 0), component(150_022, MMHG, 80, 0)].join(" ");
    assert_live(
        &observation(7, 1, &format!("{} 02 {pair}", code(150_020))),
        Expect { charted: &["150021 120 mm[Hg]", "150022 80 mm[Hg]"], ..Expect::NOTHING },
    );
}

/// S-7: a pulse beside a saturation that is none is counted on the same light.
#[test]
fn s7_a_pulse_without_its_saturation_is_withheld() {
    let parts = [component(150_456, PERCENT, 0x7F_FFFF, 0), component(149_530, PER_MINUTE, 72, 0)];
    assert_live(
        &observation(7, 1, &format!("{} 02 {}", code(150_456), parts.join(" "))),
        Expect { withheld: &["150456 not-a-number", "149530 not-a-number"], ..Expect::NOTHING },
    );
}

#[test]
fn s7_other_classes_are_events() {
    let of = |class, value: &str| observation(class, 1, &format!("{} {value}", code(150_456)));
    assert_live(
        &of(2, "07 00 02 00"),
        Expect {
            events: &["observation-class discrete", "metric 150456", "finding 131079"],
            ..Expect::NOTHING
        },
    );
    assert_live(
        &of(3, "02 00 39 37"),
        Expect { events: &["observation-class string", "metric 150456"], ..Expect::NOTHING },
    );
    assert_live(
        &of(4, "20 02 01 00 00 00 00 00 00 00 0a 00 00 fd 01 02 03 00 00 00 61 00 62 00 63 00"),
        Expect {
            events: &["observation-class sample-array", "metric 150456", "samples 3"],
            ..Expect::NOTHING
        },
    );
    assert_live(
        &of(5, "02 01 00 00 00 02 00 00 00"),
        Expect {
            events: &["observation-class events", "metric 150456", "finding 1", "finding 2"],
            ..Expect::NOTHING
        },
    );
    assert_live(
        &of(6, "01 ff 0f 01"),
        Expect { events: &["observation-class states", "metric 150456"], ..Expect::NOTHING },
    );
    assert_live(
        &of(8, "01 09 09 01 00 02 00 04 aa bb"),
        Expect { events: &["observation-class tlv"], ..Expect::NOTHING },
    );
    assert_live(
        &of(9, "61 00 00 00"), // reserved for later
        Expect { events: &["observation-class reserved"], ..Expect::NOTHING },
    );
}

#[test]
fn a_stored_observation_has_a_number_and_is_not_of_this_moment() {
    let saturation = format!("{} {TIME} {}", code(150_456), number(PERCENT, 97, 0));
    let frame = format!("03 2a 00 01 00 {}", observation(1, 0b11, &saturation));
    assert_decodes(
        0x2BDD,
        &[(
            frame.as_str(),
            Expect {
                charted: &["150456 97 % from-storage"],
                events: &["sequence 65578"],
                time: Some("2024-06-15T17:17:27"),
                ..Expect::NOTHING
            },
        )],
    );
}

/// S-7: a record in segments is nothing before it is whole, and then what it would have been in one.
#[test]
fn s7_a_segment_charts_nothing_and_all_of_them_what_the_record_says() {
    let record = bytes(&observation(
        1,
        0b11,
        &format!("{} {TIME} {}", code(150_456), number(PERCENT, 97, 0)),
    ));
    let mut reassembler = segments::Reassembler::default();
    let mut whole = None;
    let parts: Vec<_> = record.chunks(7).collect();
    for (index, part) in parts.iter().enumerate() {
        let (first, last) = (index == 0, index + 1 == parts.len());
        let count = u8::try_from(index).expect("a few");
        let header = u8::from(first) | u8::from(last) << 1 | count << 2;
        let segment = [&[header][..], part].concat();
        let alone = Expect { events: &["segment"], ..Expect::NOTHING };
        for characteristic in [0x2B8B, 0x2BDD] {
            let answer = decode(Characteristic(characteristic), &segment);
            assert_eq_words(&format!("segment {index}"), answer, &alone);
        }
        whole = reassembler.take(&segment).whole;
    }
    let whole = whole.expect("every segment was taken");
    let expect =
        Expect { charted: &["150456 97 %"], time: Some("2024-06-15T17:17:27"), ..Expect::NOTHING };
    assert_eq_words("the record", decode(Characteristic(0x2B8B), &whole), &expect);
}

#[test]
fn a_bundle_gives_its_attributes_to_its_members() {
    let member =
        |mdc, unit, value| observation(1, 1, &format!("{} {}", code(mdc), number(unit, value, 0)));
    let members = [member(150_456, PERCENT, 97), member(149_530, PER_MINUTE, 72)].join(" ");
    assert_live(
        &observation(0xFF, 0b10_0010, &format!("{TIME} 04 02 {members}")),
        Expect {
            charted: &["150456 97 %", "149530 72 /min"],
            events: &["user 4"],
            time: Some("2024-06-15T17:17:27"),
            ..Expect::NOTHING
        },
    );
    // A demonstration is one in all of its members; one code is of all of them.
    let untyped = observation(1, 0, &number(PERCENT, 97, 0));
    assert_live(
        &observation(0xFF, 0b1001, &format!("{} 20 00 01 {untyped}", code(150_456))),
        Expect { withheld: &["150456 demo"], ..Expect::NOTHING },
    );
}

/// S-7: a frame has one time, and a value of another is not charted under it.
#[test]
fn s7_a_member_of_another_time_is_not_charted() {
    let later = "20 28 89 00 2e 00 00 07 00";
    let timed = |time: &str, value| {
        observation(1, 0b11, &format!("{} {time} {}", code(150_456), number(PERCENT, value, 0)))
    };
    let untimed = observation(1, 1, &format!("{} {}", code(150_456), number(PERCENT, 95, 0)));
    let bundle = |members: [&str; 2]| observation(0xFF, 0, &format!("02 {}", members.join(" ")));
    assert_live(
        &bundle([&timed(TIME, 97), &timed(later, 96)]),
        Expect {
            charted: &["150456 97 %"],
            events: &["member-of-another-time"],
            time: Some("2024-06-15T17:17:27"),
            ..Expect::NOTHING
        },
    );
    assert_live(
        &bundle([&untimed, &timed(later, 96)]),
        Expect {
            charted: &["150456 95 %"],
            events: &["member-of-another-time"],
            ..Expect::NOTHING
        },
    );
    assert_live(
        &bundle([&timed(TIME, 97), &untimed]),
        Expect {
            charted: &["150456 97 %"],
            events: &["member-of-another-time"],
            time: Some("2024-06-15T17:17:27"),
            ..Expect::NOTHING
        },
    );
}

#[test]
fn what_does_not_fit_its_lengths_is_rejected_by_field() {
    let numeric = format!("{} {}", code(150_456), number(PERCENT, 97, 0));
    let whole = observation(1, 1, &numeric);
    let rejected = |error| Expect { error: Some(error), ..Expect::NOTHING };
    let live = |frame: &str, expect| assert_decodes(0x2B8B, &[(frame, expect)]);
    live("", rejected("truncated segment header"));
    live("03", rejected("truncated observation class"));
    live("03 01 0f", rejected("truncated observation length"));
    live("03 01 02 00", rejected("size observation"));
    live("03 01 03 00", rejected("truncated observation flags"));
    live(&format!("03 {}", &whole[..whole.len() - 3]), rejected("truncated observation"));
    assert_live(
        &format!("{whole} 00"),
        Expect { charted: &["150456 97 %"], events: &["trailing-bytes"], ..Expect::NOTHING },
    );
    assert_live(
        &observation(1, 1, &format!("{numeric} 00")),
        Expect { charted: &["150456 97 %"], events: &["trailing-bytes"], ..Expect::NOTHING },
    );
    assert_live(&observation(1, 0, &number(PERCENT, 97, 0)), rejected("invalid observation type"));
    assert_live(&observation(1, 1, &code(150_456)), rejected("truncated unit"));
    assert_live(&observation(1, 3, &code(150_456)), rejected("truncated time stamp"));
    assert_live(&observation(7, 0, "01 38 4b 02 00 09"), rejected("invalid component class"));
    assert_live(
        &observation(7, 0, "02 38 4b 02 00 02 00 00 00 00"),
        rejected("truncated component type"),
    );
    let nested = observation(0xFF, 0, "00");
    assert_live(
        &observation(0xFF, 0, &format!("01 {nested}")),
        Expect { events: &["observation-class reserved"], ..Expect::NOTHING },
    );
    assert_live(
        &observation(
            4,
            1,
            &format!("{} 20 02 {} {} {} 01 ff ff ff ff ff", code(1), code(1), code(0), code(1)),
        ),
        rejected("truncated samples"),
    );
    assert_decodes(0x2BDD, &[("03 01 00", rejected("truncated record number"))]);
}
