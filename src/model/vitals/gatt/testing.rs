//! One way to state what a frame must give, for the table tests of every profile.

use crate::vitals::Characteristic;
use crate::vitals::gatt::e2e::crc16;
use crate::vitals::gatt::{Charted, DecodeError, Decoded, Withheld, decode};

/// What a frame must give, in words: `mdc value unit status...`, `mdc reason`, events as they print.
#[derive(Clone, Copy, Debug)]
pub(in crate::vitals) struct Expect {
    pub charted: &'static [&'static str],
    pub withheld: &'static [&'static str],
    pub events: &'static [&'static str],
    pub time: Option<&'static str>,
    pub error: Option<&'static str>,
}

impl Expect {
    pub(in crate::vitals) const NOTHING: Self =
        Self { charted: &[], withheld: &[], events: &[], time: None, error: None };
}

/// Decodes each frame and compares every part of the answer.
pub(in crate::vitals) fn assert_decodes(characteristic: u16, table: &[(&str, Expect)]) {
    for (frame, expect) in table {
        assert_eq_words(frame, decode(Characteristic(characteristic), &bytes(frame)), expect);
    }
}

/// Compares one answer with what was expected of `frame`.
pub(in crate::vitals) fn assert_eq_words(
    frame: &str,
    answer: Result<Decoded, DecodeError>,
    expect: &Expect,
) {
    match answer {
        Err(error) => {
            let words = format!("{} {}", error.kind(), error.field());
            assert_eq!(Some(words.as_str()), expect.error, "{frame}");
        }
        Ok(decoded) => {
            assert_eq!(None, expect.error, "{frame} was not rejected");
            let charted: Vec<String> = decoded.observations.iter().map(charted_words).collect();
            let withheld: Vec<String> = decoded.withheld.iter().map(withheld_words).collect();
            let events: Vec<String> = decoded.events.iter().map(ToString::to_string).collect();
            assert_eq!(charted, expect.charted, "charted of {frame}");
            assert_eq!(withheld, expect.withheld, "withheld of {frame}");
            assert_eq!(events, expect.events, "events of {frame}");
            assert_eq!(
                decoded.time.map(|time| time.to_string()).as_deref(),
                expect.time,
                "time of {frame}"
            );
        }
    }
}

/// Bytes from hexadecimal text with any spacing.
pub(in crate::vitals) fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex")).collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    assert!(rest.is_empty(), "odd number of digits in {text}");
    pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low).expect("two digits")).collect()
}

/// The bytes with their checksum at the end (E2E-CRC).
pub(super) fn with_crc(text: &str) -> String {
    let [low, high] = crc16(&bytes(text)).to_le_bytes();
    format!("{text} {low:02x} {high:02x}")
}

fn charted_words(charted: &Charted) -> String {
    let mut words = format!("{} {} {}", charted.code.0, charted.value, charted.unit.ucum());
    for status in &charted.status {
        words.push(' ');
        words.push_str(status.word());
    }
    words
}

fn withheld_words(withheld: &Withheld) -> String {
    format!("{} {}", withheld.code.0, withheld.reason.word())
}
